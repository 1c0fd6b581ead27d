#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/netcat-cable.sh joins two switches by UDP on loopback, in a network
# namespace of its own.
. "${0%/*}/lib.sh"
need nc
in_userns "$@"

start_switch here
start_switch there
start "$ROOT/examples/netcat-cable.sh" listen 8000 "$TMP/here.ctl"
check "the listening end takes a port" ports_become 1 here
bound()
{
	grep -q ':1F40 ' /proc/net/udp /proc/net/udp6
}
wait_for bound
start "$ROOT/examples/netcat-cable.sh" connect 127.0.0.1 8000 "$TMP/there.ctl"
check "the connecting end takes a port" ports_become 1 there

listen_at "$TMP/here.ctl"
near=$started
ports_become 2 here
send_at "$TMP/there.ctl" hello-from-there
check "the first frame from the connecting end arrives" \
	arrives hello-from-there "$near"
listen_at "$TMP/there.ctl"
far=$started
ports_become 2 there
send_at "$TMP/here.ctl" hello-from-here
check "from then on frames go the other way too" arrives hello-from-here "$far"
check_fails "a wrong word is a wrong command line" 2 \
	"$ROOT/examples/netcat-cable.sh" dial 8000
done_testing
