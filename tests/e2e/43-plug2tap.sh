#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 43-plug2tap.sh - vde_plug2tap and vde_tunctl: taps of several namespaces
# joined by a switch, by stdin and stdout, and by Debian's switch; taps that
# move, go down, vanish; persistent taps and who may use them.
# shellcheck disable=SC2016,SC2317 # scripts of commands; conditions
. "${0%/*}/lib.sh"
need vde_plug2tap vde_tunctl vde_switch vde_plug dpipe ip ping unshare nsenter
in_userns "$@"
need_tap

cd "$TMP" || exit 1

# Its status once it has ended; it is ended after 10 seconds.
stop_when_gone()
{
	wait_for gone "$1"
	stop "$1"
}

# tap_ready COMMAND...: started, with descriptor 9 as --ready-fd, and ready.
tap_ready()
{
	mkfifo ready
	start sh -c 'exec "$@" --ready-fd 9 9>ready' - "$@"
	started_as[$started]=$1
	read -rt 10 <ready || not_ok "ready: $*"
	rm ready
}

# give NAME NS ADDRESS: the tap goes to a namespace and comes up there.
give()
{
	move_to_ns "$1" "$2"
	quiet_if "$2" "$1" "$3"
}

pings() # NS ADDRESS [SIZE]
{
	ns "$1" ping -c 3 -i 0.05 -W 2 -q -s "${3:-56}" "$2"
}

add_ns east west
start_switch s
s=$started

# --- two taps, a switch ------------------------------------------------------

tap_ready vde_plug2tap -s s.ctl -p 3 -g "$(id -gn)" -m 600 t1
t1=$started
tap_ready vde_plug2tap --sock s.ctl --mode 700 t2
t2=$started
like "the switch shows who it is" "$(console s port/print 3)" \
	"vde_plug2tap: user=.* pid=$t1"
give t1 east 10.9.0.1/24
give t2 west 10.9.0.2/24
check "taps that were moved to namespaces reach each other" \
	pings east 10.9.0.2
check "with the largest frames of the interface too" \
	pings west 10.9.0.1 1472
ns east ip link set t1 mtu 9000
ns west ip link set t2 mtu 9000
check "and with jumbo frames" pings east 10.9.0.2 8900

ns west ip link set t2 down
ns east ping -c 1 -W 1 -q 10.9.0.2 >/dev/null
check "an interface that is down ends nothing" alive "$t2"
ns west ip link set t2 up
check "and works again when it is up" wait_for pings east 10.9.0.2

cat >tcp.py <<'END'
import socket, sys, threading
N = 20 * 1000 * 1000
if sys.argv[1] == "serve":
    s = socket.create_server((sys.argv[2], 7))
    print("listening", flush=True)
    c, _ = s.accept()
    total = 0
    while data := c.recv(1 << 20):
        assert data == data[:1] * len(data)
        total += len(data)
    assert total == N, total
    c.sendall(b"ok")
else:
    c = socket.create_connection((sys.argv[2], 7), 10)
    c.settimeout(15)
    c.sendall(b"x" * N)
    c.shutdown(socket.SHUT_WR)
    assert c.recv(10) == b"ok"
END
start_in west python3 tcp.py serve 10.9.0.2
server=$started
listening()
{
	log_of "$server" | grep -q listening
}
wait_for listening
check "20 MB by TCP arrive" ns east timeout 20 python3 tcp.py send 10.9.0.2

# --- the end -----------------------------------------------------------------

stop "$t1"
is "SIGTERM ends it with status 0" $? 0
check_fails "and the tap is gone" 1 ns east ip link show t1
ns west ip link del t2
stop_when_gone "$t2"
is "an interface that is removed ends it with status 1" $? 1
like "and a message" "$(log_of "$t2")" 'unable to receive from tap://t2: '

tap_ready vde_plug2tap -s s.ctl t1
t1=$started
tap_ready vde_plug2tap -s s.ctl t2
t2=$started
console s shutdown
stop_when_gone "$t1"
is "a switch that shuts down ends it with status 0" $? 0
start_switch s
s=$started
wait_for gone "$t2"
tap_ready vde_plug2tap -s s.ctl t2
t2=$started
stop "$s" KILL
stop_when_gone "$t2"
is "a switch that is killed ends it with status 1" $? 1
rm -rf s.ctl

# --- a switch that comes back --------------------------------------------------

start_switch s
s=$started
tap_ready vde_plug2tap --reconnect -s s.ctl t1
t1=$started
tap_ready vde_plug2tap --reconnect -s s.ctl t2
t2=$started
give t1 east 10.9.3.1/24
give t2 west 10.9.3.2/24
check "two taps that reconnect" pings east 10.9.3.2
stop "$s" KILL
start_switch s
s=$started
check "their switch was killed and came back: both are there again" \
	ports_become 2 s
check "with their interfaces and addresses" wait_for pings east 10.9.3.2
stop "$s" KILL
rm -rf s.ctl
stop "$t1"
is "SIGTERM ends one without a switch with status 0" $? 0
stop "$t2"
like "and it had told what it waits for" "$(log_of "$t2")" \
	'lost s.ctl: .*; reconnecting'

# --- the stream --------------------------------------------------------------

mkfifo ready
start sh -c 'exec 9>ready; exec dpipe vde_plug2tap -s - t1 = \
	vde_plug2tap --ready-fd 9 --sock - t2'
read -rt 10 <ready
rm ready
wait_for ip link show t1
give t1 east 10.9.1.1/24
give t2 west 10.9.1.2/24
check "two taps and no switch: -s - is stdin and stdout" pings east 10.9.1.2
stop "$started"
is "SIGTERM ends both" $? 0

start_switch s
check "-d comes back when connected" \
	timeout 10 vde_plug2tap -d -P pid -s s.ctl t1
p=$(cat pid)
pids+=("$p")
started_as[$p]=vde_plug2tap
check "and the tap is there" ip link show t1
kill "$p"
wait_for gone "$p"
check_fails "its pidfile is removed at the end" 2 ls pid

if [ -x /usr/bin/vde_switch ]; then
	start_peer_switch d
	d=$started
	tap_ready vde_plug2tap -s d.ctl t1
	t1=$started
	tap_ready vde_plug2tap -s d.ctl t2
	give t1 east 10.9.2.1/24
	give t2 west 10.9.2.2/24
	check "taps at Debian's switch" pings east 10.9.2.2
	stop "$t1"
	stop "$started"
	stop "$d" KILL
else
	skip_point "taps at Debian's switch: not installed"
fi

# --- messages ----------------------------------------------------------------

says() # STATUS MESSAGE COMMAND...
{
	local status=$1 message=$2 out

	shift 2
	out=$(timeout 10 "$@" 2>&1 </dev/null)
	is "status $status: $*" $? "$status"
	like "it says: $message" "$out" "$message"
}
says 1 'unable to open nosuch.ctl: No such file' vde_plug2tap -s nosuch.ctl t1
says 1 'unable to open tap://lo: Invalid argument' vde_plug2tap -s s.ctl lo
says 2 'name of a tap interface is missing' vde_plug2tap -s s.ctl
says 2 "too many arguments: 'y'" vde_plug2tap x y
says 2 "invalid interface name" vde_plug2tap 0123456789abcdefg
says 2 "invalid interface name 'a/b'" vde_plug2tap a/b
says 2 "invalid N '0' for --port" vde_plug2tap -p 0 t1
says 2 "--reconnect makes no sense with -s -" \
	vde_plug2tap --reconnect -s - t1

# --- vde_tunctl --------------------------------------------------------------

me=$(id -u)
is "a tap is made, for its maker" "$(vde_tunctl -t p1)" \
	"Set 'p1' persistent and owned by uid $me"
check "it stays" ip link show p1
tap_ready vde_plug2tap -s s.ctl p1
says 1 'unable to open tap://p1: Device or resource busy' \
	vde_plug2tap -s s.ctl p1
stop "$started"
check "a plug uses it and leaves it" ip link show p1
is "it is removed" "$(vde_tunctl -d p1)" "Set 'p1' nonpersistent"
check_fails "and is gone" 1 ip link show p1
says 1 'unable to remove interface p1: No such device' vde_tunctl -d p1

is "-g tells the group" "$(vde_tunctl -t p2 -g "$(id -gn)")" \
	"Set 'p2' persistent and owned by gid $(id -g)"
like "and the kernel knows it" "$(ip -d link show p2)" \
	"tun type tap .* persist on.* group ($(id -gn)|$(id -g)) "
is "-u and -g tell both" "$(vde_tunctl -u "$me" -g "$(id -g)" -t p3)" \
	"Set 'p3' persistent and owned by uid $me gid $(id -g)"
is "-b tells the name only" "$(vde_tunctl -b)" tap0
is "the next one gets the next number" "$(vde_tunctl -b)" tap1
is "-n makes a tun" "$(vde_tunctl -n -b)" tun0
is "so does a name that begins with tun" "$(vde_tunctl -b -t tunnel)" tunnel
is "a tun of another name" "$(vde_tunctl -b -n -t other)" other
like "it is one" "$(ip -d link show other)" "tun type tun "
for i in p2 p3 tap0 tap1 tun0 tunnel other; do
	check "-d removes $i" vde_tunctl -d $i
done
is "nothing is left" "$(ip -d link show | grep -c 'tun type')" 0
says 1 'unable to open ./nosuch: No such file' vde_tunctl -f ./nosuch
says 1 'unable to make interface p1: ' vde_tunctl -f /dev/null -t p1
says 2 "invalid USER 'no-such-user' for --owner" vde_tunctl -u no-such-user
says 2 'goes with' vde_tunctl -d p1 -t p2
says 2 'too many arguments' vde_tunctl p1
check "the call of Debian's ifupdown hook" \
	sh -c 'vde_tunctl -b -t eth9 1>/dev/null'
check "and its end" sh -c 'vde_tunctl -b -d eth9 1>/dev/null'

done_testing
