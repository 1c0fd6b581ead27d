#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/two-switches.sh starts two switches and a cable between them; a
# frame crosses it both ways, and "stop" leaves nothing behind.
. "${0%/*}/lib.sh"

lab=$TMP/lab
switch_pid()
{
	cat "$lab/$1.pid"
}
for s in a b; do # where console() looks
	ln -s "$lab/$s.mgmt" "$TMP/$s.mgmt"
done

check "the example starts" "$ROOT/examples/two-switches.sh" "$lab"
a=$(switch_pid a) b=$(switch_pid b) cable=$(switch_pid cable)
check "each switch has the cable on a port" ports_become 1 a b

listen_at "$lab/b.ctl"
right=$started
ports_become 2 b
send_at "$lab/a.ctl" from-a-to-b
check "a frame crosses from a to b" arrives from-a-to-b "$right"
listen_at "$lab/a.ctl"
left=$started
ports_become 2 a
send_at "$lab/b.ctl" from-b-to-a
check "and one from b to a" arrives from-b-to-a "$left"
stop "$left"
stop "$right"

check "it stops" "$ROOT/examples/two-switches.sh" "$lab" stop
is "when its files are gone" "$(ls -A "$lab")" ""
all_gone()
{
	gone "$a" && gone "$b" && gone "$cable" && [ -z "$(ls -A "$lab")" ]
}
check "and leaves no process and no file" wait_for all_gone
check_fails "without a directory it says how it is used" 2 \
	"$ROOT/examples/two-switches.sh"
done_testing
