#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
#
# 45-reconnect.sh - plugs with --reconnect outlive their switch: one that is
# killed, one that shuts down, one that comes back as Debian's, one that comes
# back but does not answer; over rings and datagrams. The other end stays: a
# stream, a second network, a tap with its address. Meanwhile frames are
# dropped and counted, and SIGTERM ends the plug in every state.
# shellcheck disable=SC2016,SC2317 # scripts of commands; conditions
. "${0%/*}/lib.sh"
need vde_plug vde_plug2tap vde_switch dpipe python3

cd "$TMP" || exit 1

says() # PID TEXT [TIMES]
{
	[ "$(grep -c -- "$2" "$1.log")" -ge "${3:-1}" ]
}

count_of() # PID TEXT
{
	grep -c -- "$2" "$1.log"
}

start_switch b
start vde_plug b.ctl
listener=$started
ports_become 1 b

# --- killed and restarted, over either transport -------------------------------

for transport in ring dgram; do
	start_switch a
	a=$started
	start env VDE_TRANSPORT=$transport vde_plug --reconnect a.ctl b.ctl
	p=$started
	started_as[$p]=vde_plug
	ports_become 1 a
	ports_become 2 b
	check "$transport: frames pass" passes a.ctl "first-$transport" \
		"$listener"
	stop "$a" KILL
	check "$transport: it tells that the switch is lost" \
		wait_for says "$p" 'lost a.ctl: '
	check "$transport: and lives" alive "$p"
	send_at b.ctl meanwhile
	start_switch a
	a=$started
	check "$transport: it tells that the switch is back" \
		wait_for says "$p" 'connected to a.ctl again'
	check "$transport: frames pass again" passes a.ctl \
		"second-$transport" "$listener"
	console a shutdown
	check "$transport: the same for a switch that shuts down" \
		wait_for says "$p" 'lost a.ctl: ' 2
	start_switch a
	a=$started
	check "$transport: it comes back, too" \
		wait_for says "$p" 'connected to a.ctl again' 2
	check "$transport: frames pass for the third time" passes a.ctl \
		"third-$transport" "$listener"
	stop "$p"
	is "$transport: SIGTERM ends it with status 0" $? 0
	is "$transport: each loss was told once" "$(count_of "$p" lost)" 2
	is "$transport: each return, too" \
		"$(count_of "$p" 'connected to')" 2
	like "$transport: what could not be sent was counted" "$(log_of "$p")" \
		'1 frames were dropped at a.ctl: no connection'
	stop "$a"
done

# --- a locator that may also mean a cable -------------------------------------

start_switch a
a=$started
start vde_plug --reconnect 'a.ctl[]' b.ctl
p=$started
ports_become 1 a
stop "$a" TERM
check "PATH[]: it tells that the switch is lost" \
	wait_for says "$p" 'lost a.ctl'
check_fails "PATH[]: no cable takes the place of the switch" 124 \
	timeout 1 sh -c 'until [ -e a.ctl ]; do sleep 0.05; done'
start_switch a
a=$started
check "PATH[]: it comes back" wait_for says "$p" 'connected to a.ctl'
stop "$a"
stop "$p"

# --- a switch of another make --------------------------------------------------

start_switch a
a=$started
start vde_plug --reconnect a.ctl b.ctl
p=$started
ports_become 1 a
if [ -x /usr/bin/vde_switch ]; then
	stop "$a" KILL
	wait_for says "$p" 'lost a.ctl'
	rm -rf a.ctl
	start_peer_switch a
	a=$started
	check "Debian's switch in the place of ours: connected again" \
		wait_for says "$p" 'connected to a.ctl again'
	check "and frames pass" passes a.ctl from-debians "$listener"
	stop "$a" KILL
	check "and it is lost, too" wait_for says "$p" 'lost a.ctl' 2
	rm -rf a.ctl a.mgmt a.is-debian
	start_switch a
	a=$started
	check "ours in the place of Debian's" \
		wait_for says "$p" 'connected to a.ctl again' 2
	check "and frames pass over rings again" passes a.ctl from-ours \
		"$listener"
else
	skip_point "Debian's switch in the place of ours: not installed"
fi

# --- a switch that does not answer ---------------------------------------------

lost=$(count_of "$p" 'lost a.ctl')
stop "$a" KILL
wait_for says "$p" 'lost a.ctl' $((lost + 1))
rm -rf a.ctl
mkdir a.ctl
start python3 -c '
import signal, socket
s = socket.socket(socket.AF_UNIX)
s.bind("a.ctl/ctl")
s.listen(5)
print("listening", flush=True)
signal.pause()'
mute=$started
wait_for says "$mute" listening
check "somebody who listens but does not answer is waited for" \
	wait_for says "$p" 'unable to reconnect to a.ctl yet: Connection timed'
before=$(date +%s%N)
stop "$p"
is "SIGTERM ends it meanwhile" $? 0
ms=$((($(date +%s%N) - before) / 1000000))
check "at once, not after the time for an answer ($ms ms)" [ $ms -lt 900 ]
stop "$mute"
rm -rf a.ctl

# --- the stream stays ----------------------------------------------------------

start_switch a
a=$started
start dpipe vde_plug --reconnect a.ctl = vde_plug b.ctl
p=$started
ports_become 1 a
ports_become 2 b
stop "$a" KILL
wait_for says "$p" 'lost a.ctl'
start_switch a
a=$started
ports_become 1 a
check "a cable of dpipe is whole again" passes a.ctl by-dpipe "$listener"
stop "$p"
is "and SIGTERM ends it with status 0" $? 0
check "stdin's end is the plug's, also when there is no switch" \
	python3 - "$a" <<'END'
import os, signal, subprocess, sys, time
plug = subprocess.Popen(["vde_plug", "--reconnect", "a.ctl"], text=True,
                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE)
end = time.monotonic() + 10
while "ACTIVE" not in subprocess.run(
        ["unixcmd", "-s", "a.mgmt", "port/print"], text=True,
        stdout=subprocess.PIPE).stdout:
    assert time.monotonic() < end
os.kill(int(sys.argv[1]), signal.SIGKILL)
assert "lost a.ctl" in plug.stderr.readline()
plug.stdin.close()
assert plug.wait(5) == 0
END
stop "$a"

# --- a switch that dies with its hands full ------------------------------------

for transport in ring dgram; do
	start_switch a
	a=$started
	check "$transport: what a dead switch never took holds up nobody" \
		env VDE_TRANSPORT=$transport python3 - "$a" <<'END'
import os, select, signal, subprocess, sys
r, w = os.pipe()
plug = subprocess.Popen(["vde_plug", "--reconnect", "--ready-fd", str(w),
                         "a.ctl"], pass_fds=[w], stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
assert os.read(r, 1) == b"\n"
pipe = plug.stdin.fileno()
os.set_blocking(pipe, False)
frame = b"\5\xdc" + b"\xff" * 6 + b"\2" * 6 + b"\x88\xb5" + bytes(1486)
data = frame * 40
done = 0

def feed(limit):
    """Whole frames in the end, since writes go on where they stopped."""
    global done
    while done < limit and select.select([], [pipe], [], 0.5)[1]:
        done += os.write(pipe, data[done % len(frame):])
    return done

os.kill(int(sys.argv[1]), signal.SIGSTOP)
full = feed(64 << 20)
assert full < 8 << 20, full  # ring or socket, buffers and pipe
os.kill(int(sys.argv[1]), signal.SIGKILL)
assert b"lost a.ctl" in plug.stderr.readline()
assert feed(full + (8 << 20)) >= full + (8 << 20)
plug.send_signal(signal.SIGTERM)
assert plug.wait(5) == 0
END
	stop "$a"
done

# --- in the background, with a relative name -----------------------------------

start_switch a
a=$started
check "-d comes back when connected" \
	timeout 10 vde_plug -d --reconnect -p pid a.ctl b.ctl
p=$(cat pid)
pids+=("$p")
started_as[$p]=vde_plug
stop "$a" KILL
start_switch a
a=$started
check "it finds a.ctl again although its directory is another one" \
	ports_become 1 a
check "and frames pass" passes a.ctl background "$listener"
kill "$p"
check "and it ends" wait_for gone "$p"

check_fails "the first connection must succeed" 1 \
	timeout 10 vde_plug --reconnect nosuch.ctl b.ctl

done_testing
