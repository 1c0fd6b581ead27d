#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/ssh-cable.sh joins two switches through ssh: an sshd of the test's
# own on a loopback port, with throw-away keys.
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$ROOT/tests/e2e/sshd.sh"
in_ssh_lab "$@"
start_sshd
export SSH="${ssh[*]}"

start_switch here
start_switch there
start "$ROOT/examples/ssh-cable.sh" "$ssh_user@127.0.0.1" "$TMP/here.ctl" \
	"$TMP/there.ctl"
cable=$started
check "both switches have the cable on a port" ports_become 1 here there

listen_at "$TMP/there.ctl"
far=$started
ports_become 2 there
send_at "$TMP/here.ctl" to-the-other-host
check "a frame reaches the other host" arrives to-the-other-host "$far"
listen_at "$TMP/here.ctl"
near=$started
ports_become 2 here
send_at "$TMP/there.ctl" from-the-other-host
check "and one comes back" arrives from-the-other-host "$near"

stop "$near"
stop "$far"
stop "$cable"
check "when the cable ends both ports are free" ports_become 0 here there
done_testing
