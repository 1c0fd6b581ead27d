#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/ssh-cable.sh joins two switches through ssh: an sshd of the test's
# own on a loopback port, with throw-away keys. Root's sshd wants to be real
# root and gets network and mount namespaces of its own; anybody else's logs in
# nobody but himself.
. "${0%/*}/lib.sh"
need ssh ssh-keygen /usr/sbin/sshd

if [ "$(id -u)" -eq 0 ] || [ -n "${IN_NAMESPACES:-}" ]; then
	in_netns "$@"
	# sshd wants this directory; here it is ours alone.
	mount -t tmpfs none /run && mkdir -p /run/sshd
fi
user=$(id -un)
case $(getent passwd "$user") in
*/nologin | */false) skip "$user may not log in" ;;
esac

ssh-keygen -q -t ed25519 -N '' -f "$TMP/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$TMP/key"
cp "$TMP/key.pub" "$TMP/authorized_keys"
cat >"$TMP/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
HostKey $TMP/host_key
PidFile $TMP/sshd.pid
AuthorizedKeysFile $TMP/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
SetEnv PATH=$PATH
CONFIG

answers()
{
	# shellcheck disable=SC2086
	gone "$sshd" || $SSH "$user@127.0.0.1" true
}
for try in 1 2 3 4 5; do # until a port is free
	port=$((20000 + RANDOM % 20000))
	start /usr/sbin/sshd -D -e -f "$TMP/sshd_config" -p "$port"
	sshd=$started
	SSH="ssh -F none -p $port -i $TMP/key -o BatchMode=yes \
-o StrictHostKeyChecking=no -o UserKnownHostsFile=$TMP/known$try \
-o LogLevel=ERROR"
	export SSH
	wait_for -t 5 answers
	gone "$sshd" || break
done
# shellcheck disable=SC2086
$SSH "$user@127.0.0.1" true || {
	reason=$(log_of "$sshd" | tail -n 1)
	skip "no private sshd here: $reason"
}

start_switch here
start_switch there
start "$ROOT/examples/ssh-cable.sh" "$user@127.0.0.1" "$TMP/here.ctl" \
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
