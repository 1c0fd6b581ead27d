#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 42-plug-log.sh - what vde_plug writes to syslog: begin and end, refused
# logins, IP addresses of users. A private /dev/log takes the lines.
# shellcheck disable=SC2317 # functions that wait_for calls
. "${0%/*}/lib.sh"
need vde_plug vde_switch python3 unshare mount
in_userns "$@"

cd "$TMP" || exit 1
export PYTHONPATH=$ROOT/tests/e2e HOME=$TMP PYTHONDONTWRITEBYTECODE=1

# A /dev of its own, with the old one's files where they were.
mkdir dev && mount -t tmpfs -o mode=755 none dev || skip "mounts are not permitted"
for f in null zero urandom; do
	: >"dev/$f" && mount --bind "/dev/$f" "dev/$f" ||
		skip "mounts are not permitted"
done
ln -s /proc/self/fd dev/fd
mount --rbind dev /dev && umount -R -l dev && rmdir dev ||
	skip "mounts are not permitted"

start python3 -u -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
while True:
    print(s.recv(65536).decode().rstrip("\0\n"))'
logger=$started
wait_for test -S /dev/log
log()
{
	log_of "$logger"
}
logged() # REGEX
{
	log | grep -qE "$1"
}

me=$(id -un)
start_switch a
mkdir .vde2 && ln -s "$TMP/a.ctl" .vde2/default.switch

export SSH_CLIENT="192.0.2.7 4711 22"
check "a plug without -l" vde_plug a.ctl </dev/null
check "a plug with -l" vde_plug -l a.ctl </dev/null
check "logs its end" wait_for logged "STOP: user $me IP 192.0.2.7\$"
# 14 is facility user, level info.
like "under the name vde_plug, for facility user" "$(log)" \
	"^<14>.* vde_plug\[[0-9]+\]: START: user $me IP 192.0.2.7\$"
is "one begin, one end, and nothing of the plug without -l" \
	"$(log | sed 's/.*: \([A-Z]*\): .*/\1/' | tr '\n' ' ')" "START STOP "

unset SSH_CLIENT
vde_plug -l nosuch.ctl 2>/dev/null </dev/null
check "a switch that cannot be opened is logged" \
	wait_for logged "FAILED: user $me IP UNKNOWN_IP_ADDRESS"

SSH_CLIENT=192.0.2.8 vde_plug -c 'rm -rf /' 2>/dev/null
check "a refused command is logged" \
	wait_for logged "FAILED: user $me IP 192.0.2.8"
SSH_CLIENT=192.0.2.9 vde_plug -c vde_plug </dev/null
check "a login shell is logged without -l" \
	wait_for logged "STOP: user $me IP 192.0.2.9"
# shellcheck disable=SC2028
SSH_CLIENT=$(printf '192.0.2.10\nFAKE: line') vde_plug -l a.ctl </dev/null
check "what comes from the environment is made printable" \
	wait_for logged 'STOP: user .* IP 192.0.2.10\?FAKE:$'

cat >frames.py <<'END'
import sys
from traffic import pack
eth = b"\xff" * 6 + b"\x02\0\0\0\0\x01"
def ipv4(addr):
    return b"\x08\x00" + b"\x45" + bytes(11) + bytes(addr) + bytes(30)
out = sys.stdout.buffer
for _ in range(3):
    out.write(pack(eth + ipv4([10, 1, 2, 3])))
out.write(pack(eth + b"\x81\x00\x00\x2a" + ipv4([10, 1, 2, 4])))
out.write(pack(eth + b"\x86\xdd" + bytes(8) + b"\xfe\x80" + bytes(13) + b"\x05"
               + bytes(30)))
out.write(pack(eth + b"\x08\x06" + bytes(14) + bytes([10, 1, 2, 5]) + bytes(30)))
for i in range(int(sys.argv[1])):
    out.write(pack(eth + ipv4([10, 9, i >> 8, i & 255])))
END
python3 frames.py 0 | SSH_CLIENT=192.0.2.11 vde_plug -L a.ctl
check "-L logs the end too" wait_for logged "STOP: user $me IP 192.0.2.11"
from="user $me Real-IP 192.0.2.11 has got"
is "IP addresses are logged once each, with VLAN" \
	"$(log | grep -o 'user .* has got .*')" \
	"$from VDE-IP4 10.1.2.3 on vlan 0
$from VDE-IP4 10.1.2.4 on vlan 42
$from VDE-IP6 fe80::5 on vlan 0
$from VDE-IP4 10.1.2.5 on vlan 0"

before=$(log | wc -l)
python3 frames.py 2000 | SSH_CLIENT=192.0.2.12 vde_plug --iplog a.ctl
wait_for logged "STOP: user $me IP 192.0.2.12"
lines=$(($(log | wc -l) - before))
check "invented addresses do not fill the log ($lines lines)" \
	test "$lines" -lt 250

start_switch b
start vde_plug -L a.ctl b.ctl
wait_for active_ports b 1
python3 - <<'END'
from traffic import *
near, far = Port("a.ctl"), Port("b.ctl")
def ip(addr):
    return b"\xff" * 6 + near.mac + b"\x08\x00\x45" + bytes(11) + \
        bytes(addr) + bytes(30)
learn([near, far])
near.send(ip([10, 7, 7, 1]))
assert far.recv(5)
far.send(ip([10, 7, 7, 2]))
assert near.recv(5)
END
check "of two networks it is the second one's addresses" \
	wait_for logged "VDE-IP4 10.7.7.2"
check_fails "and not the first one's" 1 logged "VDE-IP4 10.7.7.1"

done_testing
