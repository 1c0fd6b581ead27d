#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 44-pcapplug.sh - vde_pcapplug on veths: two namespaces reach each other
# through a switch, though their kernels leave checksums and segments undone;
# a witness on the switch checks each frame that passes. Tags, frames that
# are too long, interfaces that go down and away.
# shellcheck disable=SC2016,SC2317 # scripts of commands; conditions
. "${0%/*}/lib.sh"
need vde_pcapplug vde_switch ip ping python3 unshare nsenter
in_userns "$@"

cd "$TMP" || exit 1
export PYTHONPATH=$ROOT/tests/e2e PYTHONDONTWRITEBYTECODE=1

# plug INTERFACE [OPTION]...: a plug on it, ready.
plug()
{
	local i=$1

	shift
	mkfifo ready
	start sh -c 'exec vde_pcapplug --ready-fd 9 "$@" 9>ready' - \
		-s s.ctl "$@" "$i"
	started_as[$started]=vde_pcapplug
	read -rt 10 <ready || not_ok "ready: $i"
	rm ready
}

# A guest's interface "e" in its namespace, its other end "to-NAME" here.
guest() # NAME ADDRESS
{
	add_ns "$1"
	ip link add "to-$1" type veth peer name e ||
		skip "veths are not permitted"
	move_to_ns e "$1"
	echo 1 >"/proc/sys/net/ipv6/conf/to-$1/disable_ipv6"
	ip link set "to-$1" up
	ns "$1" ip link set e up
	ns "$1" ip addr add "$2/24" dev e
	ns "$1" ip addr add "fd00::${2##*.}/64" dev e nodad
}

guest east 10.8.0.1
guest west 10.8.0.2
start_switch s --hub # so that the witness sees everything
plug to-east
east=$started
plug to-west -p 5 -m 600
west=$started
like "the switch shows who it is" "$(console s port/print 5)" \
	"vde_pcapplug: user=.* pid=$west"

pings()
{
	ns east ping -c 2 -i 0.05 -W 2 -q -s "${2:-56}" "$1"
}
check "two veths reach each other" pings 10.8.0.2
check "also by IPv6" pings fd00::2
check "also with the largest frames" pings 10.8.0.2 1472

# The witness notes lengths and bad checksums until stdin ends.
cat >witness.py <<'END'
import select, struct, sys
from traffic import Port
def total(data, s=0):
    data += bytes(len(data) & 1)
    s += sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s >> 16) + (s & 0xFFFF)
    return s
def bad(f):
    kind = f[12:14]
    if kind == b"\x08\x00":
        size = struct.unpack("!H", f[16:18])[0]
        ip = f[14:14 + size]
        l4, proto, addrs = ip[20:], ip[9], ip[12:20]
        if len(ip) != size or total(ip[:20]) != 0xFFFF:
            return "IP header"
    elif kind == b"\x86\xdd":
        size = struct.unpack("!H", f[18:20])[0]
        l4, proto, addrs = f[54:54 + size], f[20], f[22:54]
        if len(l4) != size:
            return "IPv6 length"
    else:
        return None
    if proto not in (6, 17):
        return None
    if total(addrs + struct.pack("!II", len(l4), proto) + l4) != 0xFFFF:
        return "checksum of protocol %d" % proto
port = Port("s.ctl")
print("watching", flush=True)
count = longest = 0
wrong = set()
while True:
    ready = select.select([port, sys.stdin], [], [])[0]
    if port in ready:
        f = port.recv()
        count, longest = count + 1, max(longest, len(f))
        why = bad(f)
        if why:
            wrong.add(why)
    elif sys.stdin in ready:
        break
print("frames", count, "longest", longest, "wrong", sorted(wrong))
sys.exit(count < 100 or longest > 1514 or bool(wrong))
END
cat >net.py <<'END'
import socket, sys
N = 8 * 1000 * 1000
what, addr = sys.argv[1:]
family = socket.AF_INET6 if ":" in addr else socket.AF_INET
if what == "serve":
    s = socket.create_server((addr, 7), family=family)
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.bind((addr, 8))
    u.settimeout(15)
    print("listening", flush=True)
    c = s.accept()[0]
    total = 0
    while data := c.recv(1 << 20):
        assert not data.strip(b"x")
        total += len(data)
    assert total == N, total
    c.sendall(b"y" * N)
    c.close()
    for size in (1, 100, 1000, 1400):
        data, peer = u.recvfrom(2000)
        assert data == b"z" * size, len(data)
        u.sendto(data, peer)
else:
    c = socket.create_connection((addr, 7), 10)
    c.settimeout(15)
    c.sendall(b"x" * N)
    c.shutdown(socket.SHUT_WR)
    total = 0
    while data := c.recv(1 << 20):
        assert not data.strip(b"y")
        total += len(data)
    assert total == N, total
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.settimeout(10)
    for size in (1, 100, 1000, 1400):
        u.sendto(b"z" * size, (addr, 8))
        assert u.recv(2000) == b"z" * size
END
mkfifo hold
said() # PID WORD
{
	log_of "$1" | grep -q "$2"
}
transfer() # ADDRESS
{
	start_in west python3 net.py serve "$1"
	local server=$started

	wait_for said "$server" listening
	ns east timeout 20 python3 net.py send "$1" || return 1
	stop_when_gone "$server"
}

# Its status once it has ended; it is ended after 10 seconds.
stop_when_gone()
{
	wait_for gone "$1"
	stop "$1"
}

python3 witness.py <hold >seen 2>&1 &
witness=$!
pids+=("$witness")
exec {holder}>hold
wait_for grep -q watching seen
check "8 MB each way by TCP, and UDP, arrive" transfer 10.8.0.2
check "the same by IPv6" transfer fd00::2
exec {holder}>&-
wait "$witness"
is "the witness saw whole frames with right checksums only" $? 0
grep frames seen | sed 's/^/# /'

# As on a real card: segments arrive one by one, and the kernel merges them
# (GRO) before anybody sees them.
cat >offload.py <<'END'
import array, fcntl, socket, struct, sys
SIOCETHTOOL, COMMANDS = 0x8946, {"tso": 0x1F, "gso": 0x24, "gro": 0x2C}
s = socket.socket()
for word in sys.argv[2:]:
    what, on = word.split("=")
    value = array.array("I", [COMMANDS[what], on == "on"])
    fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sP16x", sys.argv[1].encode(),
                                            value.buffer_info()[0]))
END
if ns east python3 offload.py e tso=off gso=off 2>/dev/null &&
	python3 offload.py to-east gro=on 2>/dev/null; then
	check "segments that were merged are cut again" transfer 10.8.0.2
	ns east python3 offload.py e tso=on gso=on
	python3 offload.py to-east gro=off
else
	skip_point "segments that were merged are cut again: not permitted"
fi

# --- frames as they are ------------------------------------------------------

cat >raw.py <<'END'
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("e", 0))
mac = s.getsockname()[4]
src = b"\x02\0\0\0\0\x77"
for head in sys.argv[1:]:
    s.send(b"\xff" * 6 + src + bytes.fromhex(head) + bytes(46))
END
check "tags and other protocols pass in both directions, once" \
	python3 - "${ns_pid[east]}" <<'END'
import subprocess, sys
from traffic import *
port = Port("s.ctl")
heads = ["8100002a88b5", "8100e00588b5", "88b5", "88a8000588b5",
         "88a800078100000988b5"]
subprocess.run(["nsenter", "-t", sys.argv[1], "-n", "python3", "raw.py"] +
               heads, check=True)
src = b"\x02\0\0\0\0\x77"
got = []
while (f := port.recv(10 if len(got) < len(heads) else 0.2)) is not None:
    if f[6:12] == src:
        got.append(f[12:])
want = [bytes.fromhex(h) + bytes(46) for h in heads]
assert got == want, (got, want)

recv = subprocess.Popen(["nsenter", "-t", sys.argv[1], "-n", "python3", "-c", """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("e", 0))
s.setsockopt(263, 8, 1)
print("ready", flush=True)
while True:
    data, aux, _, _ = s.recvmsg(2000, 100)
    if data[6:12] == b"\\x02\\0\\0\\0\\0\\x78":
        break
print(len(data), data[12:14].hex())
"""], stdout=subprocess.PIPE, text=True)
assert recv.stdout.readline() == "ready\n"
port.send(b"\xff" * 6 + b"\x02\0\0\0\0\x78" + b"\x88\xb5" + bytes(1000))
assert recv.stdout.readline() == "1014 88b5\n"
# What was injected into the interface does not come back from it.
assert all(f[6:12] != b"\x02\0\0\0\0\x78" for f in iter(lambda: port.recv(0.2),
                                                       None))
END

# A guest that sends more than the other's interface takes.
python3 - <<'END'
from traffic import *
port = Port("s.ctl")
for _ in range(50):
    port.send(b"\xff" * 6 + port.mac + b"\x88\xb5" + bytes(4000))
END
check "frames above the MTU are dropped with a message" \
	wait_for said "$east" 'a frame of 4014 bytes is too long for to-east'
check "and traffic goes on" pings 10.8.0.2
is "the message is not repeated for each" \
	"$(($(log_of "$east" | grep -c 4014) < 20))" 1

ip link set to-west mtu 9000
ns west ip link set e mtu 9000
ip link set to-east mtu 9000
ns east ip link set e mtu 9000
check "jumbo frames pass when the interfaces take them" pings 10.8.0.2 8900
check "also TCP, whose segments are jumbo frames then" transfer 10.8.0.2

# --- the end -----------------------------------------------------------------

ip link set to-west down
ns east ping -c 1 -W 1 -q 10.8.0.2 >/dev/null
check "an interface that is down ends nothing" alive "$west"
ip link set to-west up
check "and works again when it is up" wait_for pings 10.8.0.2

promiscuous()
{
	ip -d link show to-east | grep -q 'promiscuity 1'
}
check "the interface is promiscuous" promiscuous
stop "$east"
is "SIGTERM ends it with status 0" $? 0
like "the drops are told at the end" "$(log_of "$east")" \
	'[0-9]+ frames were dropped at to-east: too long'
check_fails "and not promiscuous any more" 1 promiscuous

ip link del to-west
stop_when_gone "$west"
is "an interface that is removed ends it with status 1" $? 1
like "and a message" "$(log_of "$west")" 'to-west: the interface is gone'

plug to-east
east=$started
console s shutdown
stop_when_gone "$east"
is "a switch that shuts down ends it with status 0" $? 0

start_switch s
check "-d comes back when connected" \
	timeout 10 vde_pcapplug -d -P pid -s s.ctl to-east
p=$(cat pid)
pids+=("$p")
started_as[$p]=vde_pcapplug
kill "$p"
wait_for gone "$p"
check_fails "its pidfile is removed at the end" 2 ls pid

says() # STATUS MESSAGE COMMAND...
{
	local status=$1 message=$2 out

	shift 2
	out=$(timeout 10 "$@" 2>&1 </dev/null)
	is "status $status: $*" $? "$status"
	like "it says: $message" "$out" "$message"
}
says 1 'unable to open interface nosuch0: ' vde_pcapplug -s s.ctl nosuch0
says 1 'unable to open nosuch.ctl: No such' vde_pcapplug -s nosuch.ctl to-east
says 2 'name of an interface is missing' vde_pcapplug
says 2 "too many arguments: 'y'" vde_pcapplug x y
says 2 "--reconnect makes no sense with -s -" \
	vde_pcapplug --reconnect -s - x
says 2 'descriptor 9 of --ready-fd is not open' \
	sh -c 'exec vde_pcapplug --ready-fd 9 -s s.ctl to-east 9<&-'
if have_tap && ip tuntap add dev raw0 mode tun; then
	ip link set raw0 up
	says 1 'its frames are not Ethernet but RAW' \
		vde_pcapplug -s s.ctl raw0
else
	skip_point "an interface without Ethernet: no tun is permitted"
fi

done_testing
