#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demo runs to its end, with taps and with veth, in well under a minute,
# and leaves neither a process nor a file.
. "${0%/*}/lib.sh"
need ip ping
if ! unshare -Urnm true 2>/dev/null && [ "$(id -u)" -ne 0 ]; then
	skip "namespaces are not permitted"
fi

# demo NAME VARIABLE: runs it with everything it makes below $TMP/NAME.
demo()
{
	mkdir "$TMP/$1"
	env "$2" LAB_TMP="$TMP/$1" timeout 50 "$ROOT/demo/run" \
		>"$TMP/$1.out" 2>&1 || {
		cat "$TMP/$1.out"
		return 1
	}
	grep -E '^Done|received' "$TMP/$1.out"
}
nothing_left()
{
	[ -z "$(find "$TMP/taps" "$TMP/veths" -mindepth 1)" ] &&
		! grep -qsa "LAB_TMP=$TMP/" /proc/[0-9]*/environ
}

if unshare -Urnm ip tuntap add dev vdeprobe mode tap 2>/dev/null ||
	[ "$(id -u)" -eq 0 ]; then
	check "the demo works with taps" demo taps DEMO_TAP=yes
else
	skip_point "the demo works with taps: taps are not permitted"
	mkdir "$TMP/taps"
fi
if command -v "$BUILD/bin/vde_pcapplug" >/dev/null; then
	check "the demo works with veth and vde_pcapplug" demo veths DEMO_TAP=no
else
	skip_point "the demo works with veth: vde_pcapplug is not built"
	mkdir "$TMP/veths"
fi
check "it leaves no process and no file" wait_for nothing_left
done_testing
