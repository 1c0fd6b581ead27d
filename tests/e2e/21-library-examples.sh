#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 21-library-examples.sh - examples/hub.c and reflect.c and the programs in
# vde_open(3) and vdestream_open(3) are built as their readers would, and do
# what they say.
. "${0%/*}/lib.sh"
need "${CC:=cc}" vde_switch
need_plain_build
export LD_LIBRARY_PATH=$BUILD

# build NAME SOURCE
build()
{
	check "$1 builds without a warning" "$CC" -D_GNU_SOURCE -Wall -Wextra \
		-Werror -I"$ROOT/src/lib" -o "$TMP/$1" "$2" -L"$BUILD" \
		-lvdeplug || exit 1
}

# program_of PAGE: the C program in its examples.
program_of()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh ERRORS/{/^#include/,/^\.Ed/p}' \
		"$ROOT/man/$1" | sed '/^\.Ed/d; s/\\e/\\/g'
}

prints()
{
	grep -qxF "$2" <(log_of "$1")
}

# --- examples/hub.c ---------------------------------------------------------

build hub "$ROOT/examples/hub.c"
start_switch a
start_switch b
b=$started
start "$TMP/hub" "$TMP/a.ctl" "$TMP/b.ctl[3]" "cmd://cat >/dev/null"
hub=$started
check "the hub opens all it is given" wait_for prints "$hub" ready
like "and is described" "$(console b port/print 3)" "hub user="

if command -v vde_plug >/dev/null; then
	listen_at "$TMP/b.ctl"
	right=$started
	ports_become 2 b
	send_at "$TMP/a.ctl" through-the-hub
	check "a frame goes through it" arrives through-the-hub "$right"
else
	skip_point "a frame goes through it: no vde_plug"
fi
stop "$b"
check "it ends when a switch does" wait_for gone "$hub"
like "and tells which one" "$(log_of "$hub")" "b.ctl.*frames, has gone$"
check_fails "the hub says what it cannot open" 1 \
	"$TMP/hub" "$TMP/nothing.ctl"

listener_is_there()
{
	console a port/print 3 | grep -q "listener user="
}

# --- examples/reflect.c ------------------------------------------------------

build reflect "$ROOT/examples/reflect.c"
start_switch c
c=$started
start "$TMP/reflect" "$TMP/c.ctl[2]"
reflect=$started
check "the reflector is there" wait_for prints "$reflect" ready
if command -v python3 >/dev/null; then
	check "and sends 1000 frames back" env PYTHONPATH="$ROOT/tests/e2e" \
		python3 -B - "$TMP/c.ctl" <<-'END'
		import sys
		from vdeclient import *
		c = Client(sys.argv[1])
		for i in range(1000):
		    c.send(frame(BROADCAST, mac(7), i.to_bytes(2, "big")))
		    want = frame(mac(7), b"\2\0\0\0re", i.to_bytes(2, "big"))
		    assert c.recv() == want, i
	END
fi
stop "$c"
check "it ends when the switch does" wait_for gone "$reflect"
like "and has counted" "$(log_of "$reflect")" "^[0-9]+ frames, [0-9]+ bytes\$"

# --- vde_open(3) ------------------------------------------------------------

program_of vde_open.3 | sed "s,/tmp/sw.ctl,$TMP/a.ctl," >"$TMP/listener.c"
build listener "$TMP/listener.c"
start stdbuf -oL "$TMP/listener"
listener=$started
check "the listener has port 3" wait_for listener_is_there
if command -v vde_plug >/dev/null; then
	send_at "$TMP/a.ctl" some-frame
	check "and prints the length of a frame" \
		wait_for prints "$listener" 60
fi
stop "$listener"

# --- vdestream_open(3) ------------------------------------------------------

program_of vdestream_open.3 >"$TMP/filter.c"
build filter "$TMP/filter.c"
{
	frame one
	printf '\6\100' # a length of 1600
	head -c 1600 /dev/zero
	frame two
} >"$TMP/stream"
{
	frame one
	frame two
} >"$TMP/wanted"
"$TMP/filter" <"$TMP/stream" >"$TMP/passed"
check "the filter passes all but the long frame" \
	cmp "$TMP/passed" "$TMP/wanted"
done_testing
