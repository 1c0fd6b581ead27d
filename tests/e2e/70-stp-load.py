#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
"""70-stp-load.py - many trees, and neighbours that do not stop talking

A hundred VLANs on 32 trunks: what turning spanning tree on costs those who
are talking, and what it takes from then on. BPDUs as fast as a client can send
them, garbage and valid ones: others' frames pass, the process has time left.
"""
from cables import *

SLOW = bool(os.environ.get("SAN"))  # a sanitizer takes its time

# --- a hundred VLANs on 32 ports ------------------------------------------

sw = Switch("-n", "40")
sw.do("fstp/setedge 0 33 1", "fstp/setedge 0 34 1")
trunks = [sw.plug(n) for n in range(1, 33)]
for v in range(1, 101):
    sw.do("vlan/create %d" % v,
          *["vlan/addport %d %d" % (v, c.port) for c in trunks])
heard = [0]
stop = False


def listen():
    """Nobody's queue may be full: that is not what is measured."""
    poll = select.epoll()
    by = {c.data.fileno(): c for c in trunks}
    for fd in by:
        poll.register(fd, select.EPOLLIN)
    while not stop:
        for fd, _ in poll.poll(0.1):
            heard[0] += len(by[fd].pending())


listener = threading.Thread(target=listen, daemon=True)
listener.start()
pair = Pair(sw, (33, 34))
ok("two hosts talk", pair.goes_on(), str(pair))
begin = time.monotonic()
sw.do("fstp/setfstp 1")
took = time.monotonic() - begin
ok("spanning tree is turned on in 100 VLANs of 32 ports, and nothing is lost",
   pair.goes_on(50), str(pair))
note("setfstp took %.0f ms; %s" % (1000 * took, pair))
ok("nobody waits for long", pair.slowest < (5 if SLOW else 0.5), str(pair))
ok("all ports get to forwarding", until(lambda: all(
    s == "forwarding" for v in (1, 50, 100) for s in states(sw, v).values())))
pair.stop()
cpu, n, begin = cpu_seconds(sw.pid), heard[0], time.monotonic()
select.select([], [], [], 3)
seconds = time.monotonic() - begin
share = 100 * (cpu_seconds(sw.pid) - cpu) / seconds
ok("hellos go on: 3200 in two seconds", (heard[0] - n) / seconds > 1500,
   (heard[0] - n) / seconds)
ok("for under 2 % of a core", share < 2 or SLOW, share)
note("%.2f %% of a core, %d BPDUs/s" % (share, (heard[0] - n) / seconds))
stop = True
listener.join()
ok("the switch ends well", sw.stop() == 0, sw.log())

# --- floods of BPDUs ------------------------------------------------------

sw = Switch("-F")
sw.do("fstp/setedge 0 1 1", "fstp/setedge 0 2 1")
pair = Pair(sw, (1, 2))
enemy = sw.plug(3)


def bpdu(n, valid):
    bid = struct.pack(">HHI", 0x1000 + n % 0x7000, 0x200, n)
    body = b"\0\0\2\2" + bytes([0x3d if n % 2 else 0x0e]) + bid + bytes(4) + \
        bid + struct.pack(">HHHHHB", 0x8001, 0, 20 << 8, 2 << 8, 15 << 8, 0)
    if not valid:
        body = bytes([(n * 7 + i * i) & 0xff for i in range(len(body))])
    return BPDU_ADDR + mac(n) + struct.pack(">H", 3 + len(body)) + \
        b"\x42\x42\x03" + body


def flood(seconds):
    """In a process of its own, as fast as it can."""
    frames = [bpdu(n, n % 3 != 0) for n in range(1000)]
    pid = os.fork()
    if pid:
        return pid
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for f in frames:
            try:
                enemy.data.send(f, socket.MSG_DONTWAIT)
                n += 1
            except BlockingIOError:
                select.select([], [enemy.data], [], 0.01)
    os._exit(0)


ok("two hosts talk", pair.goes_on(), str(pair))
slowest, pair.slowest = pair.slowest, 0.0
cpu, begin = cpu_seconds(sw.pid), time.monotonic()
pid = flood(3)
good = pair.goes_on(50)
os.waitpid(pid, 0)
seconds = time.monotonic() - begin
cpu = cpu_seconds(sw.pid) - cpu
sw.sync(20)
ok("they do not lose a frame to it", good and pair.goes_on(50), str(pair))
ok("nor wait for long", pair.slowest < (5 if SLOW else 0.5), str(pair))
got = tree(sw)["ports"][3]
n = sum(got["rx"].values()) + got["rx_bad"] + got["rx_excess"]
ok("tens of thousands of BPDUs came", n > (3000 if SLOW else 30000), n)
ok("few were read", sum(got["rx"].values()) + got["rx_bad"] < 1000, got)
note("%d BPDUs in %.1f s took %.2f s of processor time, %.1f us each; %s" % (
    n, seconds, cpu, 1e6 * cpu / n, pair))
ok("the log is not flooded", len(sw.log().splitlines()) < 100,
   len(sw.log().splitlines()))
pair.stop()
ok("the switch ends well", sw.stop() == 0)
done()
