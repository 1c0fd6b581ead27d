#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wirefilter between two switches: in a dpipe, and by itself."""
import sys
sys.dont_write_bytecode = True
from wirelib import *

DEBIAN = "/usr/bin/vde_switch"


class Between:
    """A filter between two switches, ready: how it is started is @argv, with
    A and B for the switches' directories."""

    def __init__(self, *argv, a=None, b=None, **popen):
        self.a, self.b = a or Switch(), b or Switch()
        self.logfile = unique("f")
        r, w = os.pipe()
        names = {"A": self.a.dir, "B": self.b.dir, "FD": str(w),
                 "A:B": self.a.dir + ":" + self.b.dir}
        with open(self.logfile, "wb") as log:
            self.proc = start(*(names.get(x, x) for x in argv), stderr=log,
                              pass_fds=[w], **popen)
        os.close(w)
        self.ready = bool(select.select([r], [], [], DEADLINE)[0]) and \
            os.read(r, 1) == b"\n"
        os.close(r)

    log = Wire.log
    logged = Wire.logged
    alive = Wire.alive
    wait = Wire.wait

    def joined(self):
        """Do both switches have a port more than they had?"""
        return all(until(lambda: any("crosscable" in s or "vdeplug" in s
                                     for s in x.do("port/allprint")))
                   for x in (self.a, self.b))

    def stop(self, signo=signal.SIGTERM):
        if self.alive():
            self.proc.send_signal(signo)
        status = self.wait()
        for x in self.a, self.b:
            x.stop()
        return status


def passes(f, sizes=(60, 64, 1000, 1514, 9000)):
    """Frames of these sizes, both ways, bytes compared."""
    h, k = f.a.plug(), f.b.plug()
    good = True
    for src, dst in (h, k), (k, h):
        sent = [frame(BROADCAST, mac(1 if src is h else 2), size=n, fill=n & 255)
                for n in sizes]
        src.send(*sent)
        good = good and [dst.recv() for _ in sent] == sent
    h.close()
    k.close()
    return good


def reliable(f, n=20000):
    """None lost of so many, sent as fast as the switch takes them?"""
    h, k = f.a.plug(), f.b.plug()
    k.data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    lost, window = 0, 16
    for i in range(0, n, window):
        for j in range(window):
            h.send(frame(mac(2), mac(1), struct.pack(">I", i + j)))
        for j in range(window):
            g = k.recv(2)
            lost += g is None or struct.unpack(">I", g[14:18])[0] != i + j
        if lost:
            break
    h.close()
    k.close()
    return not lost


need("dpipe", "vde_plug")

f = Between("dpipe", "vde_plug", "A", "=", "wirefilter", "--ready-fd", "FD",
            "=", "vde_plug", "B")
ok("in a dpipe it is ready", f.ready)
ok("and joins two switches", f.joined())
ok("frames of all sizes pass both ways", passes(f))
ok("and none is lost", reliable(f, 4000))
is_("the end of the dpipe is its end", f.stop() in (0, 143), True)

f = Between("dpipe", "vde_plug", "A", "=", "wirefilter", "-d", "20",
            "--ready-fd", "FD", "=", "wirefilter", "-d", "RL20", "=",
            "vde_plug", "B")
f.joined()
h, k = f.a.plug(), f.b.plug()


def quickest(src, dst, n):
    times = []
    for _ in range(5):
        begin = time.monotonic()
        src.send(frame(BROADCAST, mac(n)))
        dst.recv()
        times.append(time.monotonic() - begin)
    return min(times)


lr, rl = quickest(h, k, 1), quickest(k, h, 2)
ok("delays of a chain add up, each direction by itself",
   0.02 <= lr < 0.035 and 0.04 <= rl < 0.08, (lr, rl))
f.a.stop()
is_("when a switch stops the chain ends well", f.wait(), 0)
f.b.stop()

f = Between("wirefilter", "-v", "A:B", "--daemon", "--pidfile",
            unique("pid"), "--ready-fd", "FD")
ok("-v joins two switches by itself", f.ready and f.joined())
like("and says so", f.log(),
     r"^wirefilter: bidirectional vdeplug filter L=/.* R=/.* starting\.\.\.$")
with open(f.proc.args[5]) as p:
    pid = int(p.read())
ok("in the background", f.wait() == 0 and not gone(pid))
ok("frames of all sizes pass both ways", passes(f))
ok("and none is lost", reliable(f))
is_("its ports are named", [s for s in f.a.do("port/allprint")
                            if "crosscable" in s] != [], True)
f.b.stop()
ok("when a switch stops it ends", until(lambda: gone(pid)))
ok("and its pidfile has gone",
   until(lambda: not os.path.exists(f.proc.args[5])))
ok("the other switch has a port less", until(lambda: not any(
    "crosscable" in s for s in f.a.do("port/allprint"))))
f.a.stop()

f = Between("wirefilter", "-v", "A:B", "-d", "5000", "--ready-fd", "FD",
            stdin=subprocess.PIPE)
h = f.a.plug()
h.send(frame(BROADCAST, mac(1)))
begin = time.monotonic()
f.b.stop()
is_("a network that stops ends it well", f.wait(), 0)
ok("and at once", time.monotonic() - begin < 4.5)
f.a.stop()

f = Between("wirefilter", "--ready-fd", "FD", "A", "B", stdin=subprocess.PIPE)
ok("operands do the same as -v", f.ready and f.joined() and passes(f))
f.a.proc.kill()
is_("a switch that is killed is a failure", f.wait(), 1)
like("and is named", f.log(),
     "error: unable to go on with .*: the switch has died")
f.b.stop()

f = Between("wirefilter", "-v", "A:B", "--ready-fd", "FD",
            stdin=subprocess.PIPE)
is_("SIGTERM ends it well", f.stop(), 0)

# One side may be standard input and output.
sw = Switch()
to, from_ = os.pipe(), os.pipe()
r, w = os.pipe()
p = start("wirefilter", "--ready-fd", str(w), "-d", "LR30", "-v",
          "-:" + sw.dir, stdin=to[0], stdout=from_[1], pass_fds=[w])
for fd in to[0], from_[1], w:
    os.close(fd)
os.read(r, 1)
side, h = Side(to[1], from_[0]), sw.plug()
begin = time.monotonic()
side.send(frame(BROADCAST, mac(5)))
is_("'-' is standard input and output", h.recv(),
    frame(BROADCAST, mac(5)))
ok("on the left here", time.monotonic() - begin >= 0.03)
h.send(frame(BROADCAST, mac(6)))
is_("both ways", side.recv(), frame(BROADCAST, mac(6)))
side.close()
is_("its end is the end", p.wait(DEADLINE), 0)
sw.stop()

if not os.path.exists(DEBIAN):
    skip_point("the same with VDE 2's switch", "no " + DEBIAN)
else:
    peer = unique("vde2")
    p = start(DEBIAN, "-s", peer, stdin=subprocess.PIPE,
              stdout=subprocess.DEVNULL)
    until(lambda: os.path.exists(peer + "/ctl"))

    class Vde2:
        dir = peer

        def plug(self):
            return Client(peer)

        def stop(self):
            p.terminate()
            p.wait()

    f = Between("wirefilter", "-v", "A:B", "--ready-fd", "FD", b=Vde2(),
                stdin=subprocess.PIPE)
    ok("the same with VDE 2's switch",
       f.ready and passes(f, (60, 64, 1000, 1514)))
    f.b.stop()
    is_("when it stops that is the end", f.wait(), 0)
    f.a.stop()

done()
