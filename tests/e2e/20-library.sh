#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
#
# 20-library.sh - client.c, built as a stranger would build it, with our
# library on our switch and on Debian's; then the client that was built for
# Debian's library, with ours in its place; taps, commands, UDP and
# point-to-point cables with Debian's library at the other end; and modules
# of vdeplug4.
. "${0%/*}/lib.sh"
need ip "${CC:=cc}"
in_userns "$@"

flags=()
[ -z "${SAN:-}" ] || flags=("-fsanitize=$SAN")
src=$ROOT/tests/e2e/client.c

# build NAME FLAGS...
build()
{
	local out

	out=$("$CC" -D_GNU_SOURCE -o "$TMP/$1" "$src" "${@:2}" 2>&1) || {
		not_ok "client.c builds"
		printf '# %s\n' "$out"
		exit 1
	}
}

# Ours is linked as the programs of this tree are.
build ours "${flags[@]}" -I"$ROOT/src/lib" "$BUILD/libvdeplug.a"
ok "client.c builds with our header and library"

theirs=
if [ -z "${SAN:-}" ] && ldconfig -p | grep -q 'libvdeplug\.so\.2' &&
	echo '#include <libvdeplug.h>' | "$CC" -E - >/dev/null 2>&1; then
	build theirs -lvdeplug
	theirs=$TMP/theirs
fi

# talk CLIENT SENTENCE WANTED-LINES <lines
talk()
{
	local out

	# shellcheck disable=SC2086 # "env A=B client" is a client too
	out=$(timeout 40 $1 2>&1)
	is "$2" "$out" "$3"
}

# in_turn CLIENT: keeps one in the background: say LINE, then its answer.
in_turn()
{
	coproc client { exec $1 2>&1; }
	client_pid=$!
}

say()
{
	local answer

	echo "$1" >&"${client[1]}"
	read -rt 15 answer <&"${client[0]}"
	echo "$answer"
}

no_more()
{
	local in=${client[1]}

	exec {in}>&-
	wait "$client_pid"
}

# on_switch CLIENT WORDS SWITCH: what every combination must do.
on_switch()
{
	local sw=$TMP/$3.ctl

	talk "$1" "$2 exchanges frames" \
"open a: done
open b: done
ctl a: silent
send a: done
recv b: 60 x
send b: done
recv a: 1514 y
close a: 0
close b: 0" <<EOF
open a $sw
open b vde://$sw
ctl a
send a 60 x
recv b
send b 1514 y
recv a
close a
close b
EOF
	in_turn "$1"
	say "open a ${sw}[7]" >/dev/null
	say "open b $sw port=5 mode=700" >/dev/null
	like "$2 gets the port in the locator, and is described" \
		"$(console "$3" port/print 7)" \
		"-- endpoint ID 0*[0-9]+ *(module|:) .*client user=[^ ]* pid=[0-9]+|client user=[^ ]+ pid=[0-9]+"
	like "$2 gets the port in the arguments" \
		"$(console "$3" port/print 5)" "client user=[^ ]+ pid=[0-9]+"
	is "$2 hears nothing from the switch" "$(say "ctl a")" "ctl a: silent"
	stop "$4" KILL
	is "$2 is told when the switch dies" "$(say "gone a")" "ctl a: gone"
	is "$2 cannot send then" "$(say "send b 60 x")" "send b: ECONNREFUSED"
	is "$2 cannot open a dead switch" "$(say "open c $sw")" \
		"open c: ECONNREFUSED"
	no_more
	rm -f "$sw"/.[0-9]* 2>/dev/null
}

# --- our switch -------------------------------------------------------------

if [ -x "$BUILD/bin/vde_switch" ]; then
	start_switch a
	on_switch "$TMP/ours" "our library on our switch" a "$started"
	if [ -n "$theirs" ]; then
		start_switch b
		on_switch "env LD_LIBRARY_PATH=$BUILD $theirs" \
			"Debian's client with our library" b "$started"
		start_switch c
		on_switch "$theirs" "Debian's library" c "$started"
	fi
	start_switch d -n 4
	talk "$TMP/ours" "refusals of our switch have their own errors" \
"open a: EBUSY
open b: EBUSY
open c: ENOENT
open d: done" <<EOF
open a $TMP/d.ctl[5]
open b $TMP/d.ctl[99999]
open c $TMP/nothing.ctl
open d $TMP/d.ctl[4]
EOF
else
	skip_point "our library on our switch: it is not built"
fi

# --- Debian's switch --------------------------------------------------------

if [ -x /usr/bin/vde_switch ]; then
	start_peer_switch p
	on_switch "$TMP/ours" "our library on Debian's switch" p "$started"
	start_peer_switch q -n 4
	talk "$TMP/ours" "Debian's switch, which hangs on a refusal, is left" \
		"open a: ETIMEDOUT" <<<"open a $TMP/q.ctl[5]"
	mkdir "$TMP/home" "$TMP/home/.vde2"
	ln -s "$TMP/q.ctl" "$TMP/home/.vde2/default.switch"
	HOME=$TMP/home talk "$TMP/ours" "the default switch is found" \
"open b: done
open c: done
send b: done
recv c: 99 d" <<EOF
open b [2]
open c $TMP/q.ctl
send b 99 d
recv c
EOF
else
	skip_point "our library on Debian's switch: no Debian vde2"
fi

# --- cables with Debian's library at the other end --------------------------

# both_ways SENTENCE LOCATOR LOCATOR: ours at the first, theirs at the second.
both_ways()
{
	local mine

	in_turn "$TMP/ours"
	mine=("${client[@]}")
	is "$1: ours opens" "$(say "open a $2")" "open a: done"
	mkfifo "$TMP/in" "$TMP/out"
	# shellcheck disable=SC2016
	start bash -c 'exec "$0" <"$1" >"$2"' "$theirs" "$TMP/in" "$TMP/out"
	exec {tin}>"$TMP/in" {tout}<"$TMP/out"
	client=("$tout" "$tin")
	is "$1: theirs opens" "$(say "open b $3")" "open b: done"
	say "send b 60 q" >/dev/null # may be lost: nobody is connected yet
	say "send b 61 r" >/dev/null
	client=("${mine[@]}")
	like "$1: from theirs to ours" "$(say "recv a")" "recv a: 6[01] [qr]"
	say "send a 70 s" >/dev/null
	client=("$tout" "$tin")
	is "$1: from ours to theirs" "$(say "recv b")" "recv b: 70 s"
	exec {tin}>&- {tout}<&-
	rm "$TMP/in" "$TMP/out"
	client=("${mine[@]}")
	no_more
}

if [ -n "$theirs" ]; then
	both_ways "ptp, ours first" "ptp://$TMP/p" "ptp://$TMP/p"
	both_ways "UDP" "udp://17701->127.0.0.1:17702" \
		"udp://17702->127.0.0.1:17701"
	in_turn "$theirs"
	say "open a ptp://$TMP/r" >/dev/null
	talk "$TMP/ours" "ptp, ours second, sends and receives" \
"open b: done
send b: done
close b: 0" <<EOF
open b ptp://$TMP/r
send b 80 t
close b
EOF
	is "ptp: what ours sent was received" "$(say "recv a")" "recv a: 80 t"
	no_more
else
	skip_point "cables to Debian's library: no libvdeplug-dev"
fi

# --- the rest ---------------------------------------------------------------

if have_tap; then
	in_turn "$TMP/ours"
	is "a tap opens" "$(say "open t tap://libtap")" "open t: done"
	is "a tap that is down loses frames" "$(say "send t 60 x")" \
		"send t: done"
	ip link set libtap up
	is "a tap that is up takes them" "$(say "send t 60 x")" "send t: done"
	is "a tap has no control socket" "$(say "ctl t")" "ctl t: none"
	check "they were counted by the interface" test \
		"$(cat /sys/class/net/libtap/statistics/rx_packets \
			2>/dev/null || ip -s link show libtap |
			awk '/RX:/ { getline; print $2 }')" -ge 1
	is "a tap that is in use is busy" "$(say "open u tap://libtap")" \
		"open u: EBUSY"
	no_more
else
	skip_point "taps: they are not permitted"
fi

if [ -x "$BUILD/bin/vde_switch" ] && [ -x /usr/bin/vde_plug ]; then
	start_switch e
	talk "$TMP/ours" "a command at Debian's vde_plug is a cable" \
"open a: done
open b: done
send a: done
recv b: 66 c
send b: done
recv a: 67 d" <<EOF
open a cmd:///usr/bin/vde_plug~$TMP/e.ctl
open b $TMP/e.ctl
send a 66 c
recv b
send b 67 d
recv a
EOF
fi

if [ -z "${SAN:-}" ] && ls /usr/lib/*/vdeplug/libvdeplug_hub.so \
	>/dev/null 2>&1; then
	talk "$TMP/ours" "modules of vdeplug4 are loaded" \
"open h: done
ctl h: none
close h: 0
open i: EPROTONOSUPPORT" <<EOF
open h hub://$TMP/hub
ctl h
close h
open i nosuch://x
EOF
	VDEPLUGIN_PATH=$TMP talk "$TMP/ours" \
		"and looked for only where VDEPLUGIN_PATH says" \
		"open h: EPROTONOSUPPORT" <<<"open h hub://$TMP/hub"
else
	skip_point "modules of vdeplug4: none are installed"
fi
done_testing
