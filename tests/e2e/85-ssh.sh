#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 85-ssh.sh - a cable through ssh, with a private sshd on loopback: the command
# on the far side ours, Debian's, a forced one, and vde_plug as login shell.
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$ROOT/tests/e2e/sshd.sh"
need vde_switch "$BUILD/bin/vde_plug" dpipe python3
in_ssh_lab "$@"
start_sshd
start_switch a
start_switch b

# crosses WHAT: frames both ways over the cable that is there.
crosses()
{
	local here there

	listen_at "$TMP/a.ctl"
	here=$started
	listen_at "$TMP/b.ctl"
	there=$started
	ports_become 2 a b
	check "$1: a frame gets to the far switch" \
		passes "$TMP/a.ctl" "there-$1" "$there"
	check "$1: and one comes back" passes "$TMP/b.ctl" "back-$1" "$here"
	stop "$here"
	stop "$there"
	ports_become 1 a b
}

# --- the plain cable ---------------------------------------------------------

start dpipe vde_plug "$TMP/a.ctl" = \
	"${ssh[@]}" "$ssh_user@127.0.0.1" vde_plug "$TMP/b.ctl"
cable=$started
check "ours: both switches have the cable on a port" ports_become 1 a b
like "ours: the far switch shows who came from where" \
	"$(console b port/print)" \
	": vdeplug: user=$ssh_user (pid|PID)=[0-9]+ SSH=127.0.0.1\$"
crosses ours
# As many frames as every queue on the way holds, of all lengths.
cat >"$TMP/burst.py" <<'END'
import struct, sys
for i in range(int(sys.argv[1])):
    f = bytes(6 * [255]) + b"\2\0\0\0\0\7\x88\xb5" + b"%08d" % i
    f += bytes([i & 255]) * (38 + i * 7 % 1400)
    sys.stdout.buffer.write(struct.pack(">H", len(f)) + f)
END
all_are_there()
{
	[ "$(stat -c %s "$TMP/$far.log")" -ge "$size" ]
}
size=$(python3 "$TMP/burst.py" 120 | wc -c)
listen_at "$TMP/b.ctl"
far=$started
ports_become 2 b
{
	python3 "$TMP/burst.py" 120
	wait_for -t 8 all_are_there
} | timeout 15 vde_plug "$TMP/a.ctl" >/dev/null
is "ours: 120 frames in a burst arrive whole and in order" \
	"$(sha256sum <"$TMP/$far.log")" \
	"$(python3 "$TMP/burst.py" 120 | sha256sum)"
stop "$far"
ports_become 1 a b
stop "$cable"
check "ours: the cable ends when told to, both ports are free" ports_become 0 a b

# --- the other end disappears ------------------------------------------------

start dpipe vde_plug "$TMP/a.ctl" = \
	"${ssh[@]}" "$ssh_user@127.0.0.1" vde_plug "$TMP/b.ctl"
cable=$started
ports_become 1 a b
console b shutdown
check "the far switch ends: the near port is free" ports_become 0 a
check "and the cable has ended" wait_for gone "$cable"
start_switch b

# --- Debian's vde_plug on the far side ---------------------------------------

if [ -x /usr/bin/vde_plug ]; then
	start dpipe vde_plug "$TMP/a.ctl" = \
		"${ssh[@]}" 127.0.0.1 /usr/bin/vde_plug "$TMP/b.ctl"
	cable=$started
	check "Debian's there: it is plugged in" ports_become 1 a b
	crosses debian
	stop "$cable"
	check "Debian's there: both ports are free then" ports_become 0 a b
else
	skip_point "Debian's there: no /usr/bin/vde_plug"
fi

# --- a key that may do nothing else ------------------------------------------

ssh-keygen -q -t ed25519 -N '' -f "$TMP/plugkey"
echo "restrict,command=\"vde_plug $TMP/b.ctl\" $(cat "$TMP/plugkey.pub")" \
	>>"$TMP/authorized_keys"
plugssh=("${ssh[@]/%key/plugkey}")
start dpipe vde_plug "$TMP/a.ctl" = \
	"${plugssh[@]}" 127.0.0.1 echo something else
cable=$started
check "forced command: it is plugged in whatever was asked for" \
	ports_become 1 a b
crosses forced
stop "$cable"
ports_become 0 a b

# --- vde_plug as login shell -------------------------------------------------

mkdir -p "$TMP/home/.vdeplug"
echo "$TMP/b.ctl" >"$TMP/home/.vdeplug/default"
login_shell "$BUILD/bin/vde_plug"
start dpipe vde_plug "$TMP/a.ctl" = "${ssh[@]}" 127.0.0.1 vde_plug
cable=$started
check "login shell: vde_plug gets the default switch" ports_become 1 a b
crosses login
stop "$cable"
ports_become 0 a b

# refused_login [COMMAND]...: the words that the other side gets.
refused_login()
{
	timeout 10 "${ssh[@]}" 127.0.0.1 "$@" </dev/null 2>&1
}
broker="This is not a login shell, only vde_plug can be executed"
for command in "id" "vde_plug $TMP/b.ctl" "vde_plug; id" ""; do
	said=$(refused_login ${command:+"$command"})
	rc=$?
	is "login shell: '${command/"$TMP"/...}' is refused" \
		"$rc $(grep -c "$broker" <<<"$said") $(grep -c uid= <<<"$said")" \
		"1 1 0"
done
check "nothing was plugged in by that" ports_become 0 a b
done_testing
