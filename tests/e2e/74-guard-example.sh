#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/guarded-switch.sh starts a switch for strangers: guests reach the
# uplink and not each other, nobody can be who the uplink is, and "stop" leaves
# nothing behind but the list of commands.
. "${0%/*}/lib.sh"

lab=$TMP/lab
ln -s "$lab/lan.mgmt" "$TMP/lan.mgmt" # where console() looks

check "the example starts" "$ROOT/examples/guarded-switch.sh" "$lab" 3
pid=$(cat "$lab/lan.pid")
like "it has a guard on each port" "$(console lan guard/print | grep -c ^Port)" \
	'^4$'
like "no line of its list failed" "$(console lan port/allprint | grep -c ^Port)" \
	'^4$'

listen_at "$lab/lan.ctl[1]"
uplink=$started
ports_become 1 lan
listen_at "$lab/lan.ctl"
guest=$started
ports_become 2 lan
check "the guest has a guest's port" console lan port/print 2
send_at "$lab/lan.ctl" from-a-guest
check "what a guest says reaches the uplink" arrives from-a-guest "$uplink"
stop "$uplink"
ports_become 1 lan
# The sender's frame would have come before this one.
send_at "$lab/lan.ctl[1]" from-the-uplink
check "what the uplink says reaches a guest" arrives from-the-uplink "$guest"
check_fails "a guest does not hear another" 1 \
	grep -qa from-a-guest "$TMP/$guest.log"
like "the uplink's address has stuck" "$(console lan guard/print 1)" \
	'address .* STICKY'
stop "$guest"

check "it stops" "$ROOT/examples/guarded-switch.sh" "$lab" stop
all_gone()
{
	gone "$pid" && [ "$(ls -A "$lab")" = lan.rc ]
}
check "and leaves no process and no socket" wait_for all_gone
check_fails "without a directory it says how it is used" 2 \
	"$ROOT/examples/guarded-switch.sh"
done_testing
