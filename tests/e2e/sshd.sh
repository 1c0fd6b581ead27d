# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# sshd.sh - an sshd of the test's own, with throw-away keys
#
# To be sourced after lib.sh. It runs in a network namespace of its own and
# sees a passwd file in which the caller has the home directory $TMP/home and
# a shell, or another login shell. Who is not root keeps his number: such an
# sshd serves nobody but him, which is enough.
#
#	in_ssh_lab "$@"
#	start_sshd
#	"${ssh[@]}" 127.0.0.1 id

ssh_user=$(id -un)

# in_ssh_lab "$@": as in_netns, but nobody becomes root by it.
in_ssh_lab()
{
	local how=(-nm)

	need ssh ssh-keygen /usr/sbin/sshd
	if [ "${IN_NAMESPACES:-}" = "$0" ]; then
		unset IN_NAMESPACES
		ip link set lo up
		return
	fi
	[ "$(id -u)" -eq 0 ] || how=(-Unm --map-current-user --keep-caps)
	unshare "${how[@]}" true 2>/dev/null ||
		skip "namespaces are not permitted"
	rm -rf "$TMP"
	IN_NAMESPACES=$0 exec unshare "${how[@]}" "$0" "$@"
}

# login_shell PROGRAM: what the caller gets when he logs in.
login_shell()
{
	umount /etc/passwd 2>/dev/null
	awk -F: -v OFS=: -v user="$ssh_user" -v home="$TMP/home" -v shell="$1" \
		'$1 == user { $6 = home; $7 = shell } { print }' \
		/etc/passwd >"$TMP/passwd"
	mount --bind "$TMP/passwd" /etc/passwd
}

# start_sshd: "${ssh[@]}" is the command to get in, with the key $TMP/key; more
# keys may be put into $TMP/authorized_keys.
start_sshd()
{
	mkdir -p "$TMP/home"
	login_shell /bin/sh || skip "/etc/passwd cannot be covered"
	# His account may be locked, in that file or by nss-systemd.
	echo "$ssh_user:x:19000:0:99999:7:::" >"$TMP/shadow"
	mount --bind "$TMP/shadow" /etc/shadow
	# It wants this directory.
	mount -t tmpfs none /run 2>/dev/null && mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$TMP/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$TMP/key"
	cp "$TMP/key.pub" "$TMP/authorized_keys"
	cat >"$TMP/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
Port 2222
HostKey $TMP/host_key
PidFile $TMP/sshd.pid
AuthorizedKeysFile $TMP/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
SetEnv PATH=$PATH
CONFIG
	start /usr/sbin/sshd -D -e -f "$TMP/sshd_config"
	sshd=$started
	ssh=(ssh -F none -p 2222 -l "$ssh_user" -o BatchMode=yes
		-o StrictHostKeyChecking=no -o "UserKnownHostsFile=$TMP/known"
		-o LogLevel=ERROR -o IdentitiesOnly=yes -i "$TMP/key")
	wait_for -t 5 "${ssh[@]}" 127.0.0.1 true ||
		skip "no private sshd here: $(log_of "$sshd" | tail -n 1)"
}
