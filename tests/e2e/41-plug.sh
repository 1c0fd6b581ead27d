#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 90
#
# 41-plug.sh - vde_plug between two switches, in every form of its line; the
# stream on its stdin and stdout, cut anywhere; how it ends and what it says
# then; both halves of a cable joined to Debian's. Traffic comes from a client
# of the switch's protocol that is written in Python.
# shellcheck disable=SC2016,SC2317 # scripts of commands; cable is a command
. "${0%/*}/lib.sh"
need dpipe vde_plug vde_switch python3

cd "$TMP" || exit 1

# Its status once it has ended; it is ended after 10 seconds.
stop_when_gone()
{
	wait_for gone "$1"
	stop "$1"
}
export PYTHONPATH=$ROOT/tests/e2e HOME=$TMP PYTHONDONTWRITEBYTECODE=1

# cable A B [COUNT [SIZES]]: do frames pass between two switches, both ways?
cable()
{
	python3 - "$@" <<'END'
import sys
from traffic import *
a, b = Port(sys.argv[1] + ".ctl"), Port(sys.argv[2] + ".ctl")
count = int(sys.argv[3]) if len(sys.argv) > 3 else 300
exchange([(a, b), (b, a)], count, (14, int(sys.argv[4])
         if len(sys.argv) > 4 else 1514))
END
}

# plugged NAME N: waits until the switch has that many clients.
plugged()
{
	wait_for clients_are "$@"
}

both_ends()
{
	plugged a "$1" && plugged b "$1"
}

start_switch a
a=$started
start_switch b

# --- joined in every way -----------------------------------------------------

start dpipe vde_plug a.ctl = vde_plug b.ctl
both_ends 1
check "10,000 frames of 14 to 9000 bytes each way arrive, in order" \
	cable a b 10000 9000
stop "$started"
is "SIGTERM ends the cable with status 0" $? 0
both_ends 0

start vde_plug a.ctl b.ctl
both_ends 1
check "one plug joins two networks" cable a b 2000 9000
stop "$started"
is "SIGTERM ends it with status 0" $? 0
both_ends 0

start vde_plug a.ctl = vde_plug b.ctl
both_ends 1
check "a plug runs the command behind =" cable a b 2000 9000
stop "$started"
is "SIGTERM ends both" $? 0
both_ends 0

start vde_plug vde://"$TMP/a.ctl" = sh -c 'exec vde_plug "$0" -D x' b.ctl
both_ends 1
check "options of the command are not the plug's" cable a b
stop "$started"
both_ends 0

mkdir .vde2 && ln -s "$TMP/a.ctl" .vde2/default.switch
start dpipe vde_plug = vde_plug --sock b.ctl
both_ends 1
check "without a locator it is the default switch" cable a b
stop "$started"
both_ends 0
start vde_plug '' b.ctl
both_ends 1
check "an empty locator is the default switch" cable a b
stop "$started"
both_ends 0

if [ -x /usr/bin/vde_plug ] && [ -x /usr/bin/dpipe ]; then
	start dpipe vde_plug a.ctl = /usr/bin/vde_plug b.ctl
	both_ends 1
	check "a cable of ours and Debian's plug" cable a b 2000
	stop "$started"
	both_ends 0
	start setsid -w sh -c 'exec /usr/bin/dpipe /usr/bin/vde_plug a.ctl = \
		"$(command -v vde_plug)" b.ctl & wait'
	both_ends 1
	check "the same in Debian's dpipe" cable a b 2000
	pkill -TERM -P "$(pgrep -P "$started")" vde_plug
	stop "$started"
	both_ends 0
else
	skip_point "a cable of ours and Debian's plug: not installed"
	skip_point "the same in Debian's dpipe: not installed"
fi
if [ -x /usr/bin/vde_switch ]; then
	start_peer_switch c
	c=$started
	start_peer_switch d
	d=$started
	start dpipe vde_plug c.ctl = vde_plug d.ctl
	plugged c 1 && plugged d 1
	check "our cable between Debian's switches" cable c d 2000
	stop "$started"
	stop "$c" KILL
	stop "$d" KILL
else
	skip_point "our cable between Debian's switches: not installed"
fi

# --- what the switch is told -------------------------------------------------

me=$(id -gn)
start vde_plug --port 7 -g "$me" -m 660 -D hello a.ctl
plugged a 1
like "--port, --descr, and who it is, are shown" \
	"$(console a port/print 7)" 'Port 0007 .* ACTIVE'
like "--descr comes with user and pid" "$(console a port/print 7)" \
	"hello user=$(id -un) pid=$started"
stop "$started"
both_ends 0
start vde_plug a.ctl b.ctl --mod 600 --port 3 --port2 4 -G "$me" -M 660 \
	--descr x
both_ends 1
like "options may stand behind the locators" "$(console a port/print 3)" x
like "--port2 is the second network's" "$(console b port/print 4)" x
stop "$started"
both_ends 0

# --- the stream --------------------------------------------------------------

check "stdin may be cut anywhere" python3 - <<'END'
import random, subprocess
from traffic import *
port = Port("a.ctl")
plug = subprocess.Popen(["vde_plug", "a.ctl"], stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL, bufsize=0)
rng = random.Random(1)
src = b"\x02\0\0\0\0\x99"
port.send(src + port.mac + b"\x88\xb5" + bytes(46))
frames = [frame(port.mac, src, i, rng.randint(60, 400), rng)
          for i in range(150)]
stream = b"".join(pack(f) for f in frames)
done = 0
want = iter(frames)
pending = 0
# One byte at a time first, then pieces of random size; never more under way
# than the switch's queue holds.
while done < len(stream):
    n = 1 if done < 500 else rng.randint(1, 1200)
    done += plug.stdin.write(stream[done:done + n])
    while (data := port.recv(0.001)) is not None:
        assert data == next(want)
for f in want:
    assert port.recv(5) == f
plug.stdin.close()
assert plug.wait(10) == 0
END

check "many frames in one write arrive whole and in order" python3 - <<'END'
import random, subprocess, threading
from traffic import *
port = Port("a.ctl")
src = b"\x02\0\0\0\0\x99"
port.send(src + port.mac + b"\x88\xb5" + bytes(46))
rng = random.Random(2)
frames = [frame(port.mac, src, i, rng.randint(60, 9000), rng)
          for i in range(3000)]
plug = subprocess.Popen(["vde_plug", "a.ctl"], stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL)
feed = threading.Thread(target=lambda: (plug.stdin.write(
    b"".join(map(pack, frames))), plug.stdin.close()))
feed.start()
# The switch drops what this port does not take in time; what comes must be
# whole and in order all the same.
last = -1
got = 0
while (data := port.recv(1)) is not None:
    number = struct.unpack("!I", data[14:18])[0]
    assert number > last and data == frames[number], number
    last, got = number, got + 1
feed.join()
assert plug.wait(10) == 0
assert got > 100, got
END

check "a reader that rests gets whole frames, the other way goes on" \
	python3 - <<'END'
import subprocess
from traffic import *
port = Port("a.ctl")
plug = subprocess.Popen(["vde_plug", "a.ctl"], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, bufsize=0)
rng = random.Random(3)
mac = b"\x02\0\0\0\0\x99"
for _ in range(100):
    plug.stdin.write(pack(port.mac + mac + b"\x88\xb5" + bytes(46)))
    if port.recv(0.1):
        break
# Far more than pipe and buffers hold; the reader does not read.
sent = []
for i in range(4000):
    f = frame(mac, port.mac, i, rng.randint(60, 1514), rng)
    sent.append(f)
    try:
        port.data.send(f, socket.MSG_DONTWAIT)
    except BlockingIOError:
        select.select([], [port], [], 0.05)
while port.recv(0.01):
    pass
for i in range(50):
    f = frame(port.mac, mac, i, 1000, rng)
    plug.stdin.write(pack(f))
    assert port.recv(5) == f
rss = int([l for l in open("/proc/%d/status" % plug.pid)
           if l.startswith("VmRSS")][0].split()[1])
assert rss < 8192 or "asan" in open("/proc/%d/maps" % plug.pid).read(), rss
reader = Reader(plug.stdout.fileno())
last, got = -1, 0
while (data := reader.frame(0.3)) is not None:
    number = struct.unpack("!I", data[14:18])[0]
    assert number > last and data == sent[number], number
    last, got = number, got + 1
assert got >= 40, got
plug.stdin.close()
assert plug.wait(10) == 0
assert not reader.buf
END

printf '\0\100' >one.stream
head -c 64 /dev/zero | tr '\0' x >>one.stream
for _ in 1 2 3 4 5 6; do cat one.stream; done >six.stream
check "stdin may be a file, stdout the null device" \
	sh -c 'vde_plug a.ctl <six.stream >/dev/null'
check "an empty stdin is an orderly end" \
	sh -c 'vde_plug a.ctl </dev/null >/dev/null'
check "closed standard descriptors are an orderly end" \
	sh -c 'vde_plug a.ctl <&- >&-'
mkfifo shared
exec {rw}<>shared
plugged a 0
start bash -c 'exec vde_plug a.ctl <&"$0"' "$rw"
plugged a 1
stop "$started"
is "a shared descriptor is blocking again afterwards" \
	"$(python3 -c 'import os, sys; print(os.get_blocking(int(sys.argv[1])))' \
	"$rw")" True
exec {rw}<&-

# --- the end, in order and not -----------------------------------------------

ends() # STATUS SENTENCE MESSAGE PLUG...: how does it end with this stdin?
{
	local status=$1 what=$2 message=$3 out

	shift 3
	out=$(timeout 10 "$@" 2>&1 >/dev/null)
	is "$what: status $status" $? "$status"
	if [ -n "$message" ]; then
		like "$what: it says so" "$out" "$message"
	fi
}
printf '\0\100abc' >cut.stream
ends 1 "a stream that ends within a frame" \
	'unable to read a frame from standard input: it ends within' \
	vde_plug a.ctl <cut.stream
printf '\0' >header.stream
ends 1 "a stream that ends within a length" 'it ends within' \
	vde_plug a.ctl <header.stream
echo 'Last login: Tue' >garbage.stream
ends 1 "a stream that is no stream" \
	'impossible length [0-9]*: its writer does not speak' \
	vde_plug a.ctl <garbage.stream
ends 1 "no such switch" 'unable to open nosuch.ctl: No such file or directory' \
	vde_plug nosuch.ctl
ends 1 "no such second switch" 'unable to open nosuch.ctl: No such file' \
	vde_plug a.ctl nosuch.ctl
ends 1 "no such command" 'unable to run ./nosuch: No such file or directory' \
	vde_plug a.ctl = ./nosuch
ends 1 "a command that fails" 'sh ended with status 7' \
	vde_plug a.ctl = sh -c 'exit 7'
ends 0 "a command that ends" '' vde_plug a.ctl = true
ends 2 "-p with digits only" 'use --port 3 .* or --pidfile 3' \
	vde_plug -p 3 a.ctl
ends 2 "three locators" "too many locators: 'z'" vde_plug x y z
ends 2 "two locators and a command" "too many locators: 'y'" \
	vde_plug x y = true
ends 2 "no command behind =" "a command is missing behind '='" \
	vde_plug a.ctl =
ends 2 "--port2 without a second locator" 'need a second locator' \
	vde_plug --port2 3 a.ctl
ends 2 "an unknown option" "unknown option '-x'" vde_plug -x a.ctl
ends 2 "an impossible port" "invalid N '0' for --port" vde_plug --port 0 a.ctl
ends 1 "a port that the switch does not have" 'unable to open a.ctl: ' \
	vde_plug --port 9999 a.ctl

check "nobody reads stdout: status 1 and a message" python3 - <<'END'
import subprocess
from traffic import *
port = Port("a.ctl")
plug = subprocess.Popen(["vde_plug", "a.ctl"], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
reader = Reader(plug.stdout.fileno())
hello = b"\xff" * 6 + port.mac + b"\x88\xb5" + bytes(46)
for _ in range(100):
    port.send(hello)
    if reader.frame(0.1):
        break
plug.stdout.close()
port.send(hello)
assert plug.wait(10) == 1
assert b"unable to write to standard output: Broken pipe" in plug.stderr.read()
END

start vde_plug a.ctl
plugged a 1
stop "$started" INT
is "SIGINT ends it by that signal" $? 130
start vde_plug a.ctl
plugged a 1
stop "$started" HUP
is "SIGHUP ends it by that signal" $? 129
both_ends 0

start vde_plug b.ctl
p=$started
start vde_plug a.ctl b.ctl
q=$started
plugged b 2
console b shutdown
stop_when_gone "$p"
is "a switch that shuts down ends its plug with status 0" $? 0
is "and nothing is said" "$(log_of "$p")" ""
stop_when_gone "$q"
is "also if it is the second network" $? 0
plugged a 0

start vde_plug a.ctl
plugged a 1
p=$started
stop "$a" KILL
stop_when_gone "$p"
is "a switch that is killed ends its plug with status 1" $? 1
like "and it is said" "$(log_of "$p")" \
	'unable to go on with a.ctl: the switch has died'

start_switch b
rm -rf a.ctl
start_switch a
a=$started
start vde_plug a.ctl b.ctl
both_ends 1
p=$started
stop "$a" KILL
plugged b 0
stop_when_gone "$p"
is "so does the port of a second network, and the status is the same" $? 1
rm -rf a.ctl
start_switch a
a=$started

start dpipe vde_plug a.ctl = vde_plug b.ctl
p=$started
both_ends 1
kill -KILL "$(pgrep -P "$p" | head -n 1)"
stop_when_gone "$p"
is "a killed half ends the other one, in order" $? 0
start dpipe vde_plug a.ctl = vde_plug b.ctl
p=$started
both_ends 1
kill -KILL "$(pgrep -P "$p" | tail -n 1)"
stop_when_gone "$p"
is "and dpipe tells if it was the last command" $? 137
both_ends 0

# patient TRANSPORT N: all N frames go, however late, and waiting costs nothing.
patient()
{
	VDE_TRANSPORT=$1 python3 - "$a" "$2" <<'END'
import os, signal, subprocess, sys, threading, time
from traffic import *
from vdeclient import cpu_seconds
switch, count = map(int, sys.argv[1:])
plug = subprocess.Popen(["vde_plug", "a.ctl"], stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL)
hello = pack(b"\xff" * 6 + b"\x02\0\0\0\0\x01\x88\xb5" + bytes(1000))
port = Port("a.ctl")
plug.stdin.write(hello)
plug.stdin.flush()
assert port.recv()
os.kill(switch, signal.SIGSTOP)
try:
    def write():
        plug.stdin.write(hello * count)
        plug.stdin.close()
    threading.Thread(target=write).start()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert plug.poll() is None, "it ended before all frames went"
        time.sleep(0.05)
    before = cpu_seconds(plug.pid)
    time.sleep(0.5)
    used = cpu_seconds(plug.pid) - before
finally:
    os.kill(switch, signal.SIGCONT)
assert used < 0.1, used
for _ in range(150): # the port has room for no more
    assert port.recv(5)
assert plug.wait(10) == 0
END
}
check "a plug that waits for its switch uses no processor time" \
	patient dgram 150
check "nor does one with a full ring" patient ring 3000

# --- background --------------------------------------------------------------

check "-d comes back when connected" timeout 10 vde_plug -d -p pid a.ctl b.ctl
p=$(cat pid)
pids+=("$p")
started_as[$p]=vde_plug
is "it is in both switches then" \
	"$(clients_are a 1 && clients_are b 1 && echo yes)" yes
check "and frames pass" cable a b
kill "$p"
wait_for gone "$p"
check_fails "its pidfile is removed" 2 ls pid
check_fails "-d tells what went wrong" 1 timeout 10 vde_plug -d nosuch.ctl b.ctl
check "-d keeps stdin and stdout for the stream" timeout 10 \
	dpipe vde_plug -d -p 1.pid a.ctl = vde_plug -d -p 2.pid b.ctl
check "and the cable works" cable a b
for f in 1.pid 2.pid; do
	pids+=("$(cat $f)")
	started_as[$(cat $f)]=vde_plug
done
kill "$(cat 1.pid)"
check "when one half ends so does the other" wait_for eval '! ls ?.pid'
both_ends 0

# It would be a socket of its own by then.
for fd in 3 4 5 6 7 8; do
	check_fails "--ready-fd $fd that is not open is refused" 2 \
		sh -c 'eval "exec $1<&-"; exec timeout 5 vde_plug --ready-fd \
			$1 a.ctl' - $fd
done
mkfifo ready
start sh -c 'exec vde_plug --ready-fd 9 a.ctl 9>ready'
read -rt 10 <ready
is "--ready-fd gets a newline when connected" \
	"$?,$(clients_are a 1 && echo yes)" 0,yes
stop "$started"

# Debian's hook for ifupdown, with our programs in place of /usr/bin's.
if command -v start-stop-daemon >/dev/null; then
	GROUP=$me PIDFILE=$TMP/if.pid CTLDIR=$TMP/a.ctl
	DPIPE=$(command -v dpipe) VDE_PLUG=$(command -v vde_plug)
	set -- "$VDE_PLUG" "$TMP/b.ctl"
	check "the call of Debian's ifupdown hook" \
		start-stop-daemon --start --quiet --pidfile "$PIDFILE" \
		--make-pidfile --background \
		--exec "$DPIPE" -- "$VDE_PLUG" -g "$GROUP" -m 660 "$CTLDIR" = "$@"
	both_ends 1
	check "joins both switches" cable a b
	p=$(cat "$PIDFILE")
	pids+=("$p")
	started_as[$p]=dpipe
	check "and its end, too" \
		start-stop-daemon --stop --quiet --pidfile "$PIDFILE"
	check "leaves nothing behind" both_ends 0
else
	skip_point "the call of Debian's ifupdown hook: no start-stop-daemon"
fi

# --- as a login shell --------------------------------------------------------

text="This is a Virtual Distributed Ethernet (vde) tunnel broker. 
This is not a login shell, only vde_plug can be executed"
out=$( (exec -a -vde_plug "$BUILD/bin/vde_plug") 2>&1 </dev/null)
is "a login is refused" "$?
$out" "1
$text"
while IFS= read -r line; do
	eval "set -- $line"
	out=$(vde_plug "$@" 2>&1 </dev/null)
	is "refused: $line" "$?
$out" "1
$text"
done <<'END'
-c sh
-c ''
-c 'vde_plug '
-c 'vde_plug a.ctl'
-c 'vde_plug = touch broken'
-c 'vde_plug;touch broken'
-c vde_plugs
-c vde_plug a.ctl
-c vde_plug = touch broken
-c vde_plug -p broken
-cvde_plug
-c
END
check_fails "and nothing was run or written" 2 ls broken
ends 2 "-c behind another option" 'invalid' vde_plug -d -c vde_plug
start_vde_shell()
{
	start bash -c 'cat | exec vde_plug -c vde_plug'
}
start_vde_shell
check "-c vde_plug is a plug in the default switch" plugged a 1
stop "$started"

done_testing
