#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""76-mirror-offload.py - TCP that crosses the switch in pieces of up to 64 KiB,
mirrored to a port that takes ordinary frames only: it gets all of it, cut and
with good checksums, and who is watched still has his long pieces."""
from netns import *

need("ip")
if not ip("tuntap", "add", "dev", "probe", "mode", "tap"):
    skip("taps are not permitted")
ip("link", "del", "probe")
sw = Switch("-t", "one", "-t", "two")
na, nb = Namespace(), Namespace()
for n, name, addr in (na, "one", "10.9.0.1/24"), (nb, "two", "10.9.0.2/24"):
    quiet(name)
    n.take(name, addr, mtu=1500)
w = sw.plug(3)
got = []
stop = threading.Event()


def watch():
    while not stop.is_set():
        f = w.recv(0.1)
        if f:
            got.append(f)


def csum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def good(f):
    """An IPv4 packet whose checksums are right, or not one at all."""
    if f[12:14] != b"\x08\0":
        return True
    ip_, total = f[14:34], struct.unpack(">H", f[16:18])[0]
    tcp = f[34:14 + total]
    pseudo = ip_[12:20] + struct.pack(">HH", ip_[9], len(tcp))
    return csum(ip_) == 0xffff and csum(pseudo + tcp) == 0xffff


t = threading.Thread(target=watch, daemon=True)
t.start()
sw.do("port/epqlen 3 %d 4000" % sw.port(3)["endpoints"][0]["id"],
      "mirror/add 1 3 both", "port/resetcounter")
is_("a transfer between the taps", transfer(na, nb, "10.9.0.2",
                                            size=1 << 20), None)
until(lambda: not sw.port(3)["endpoints"][0]["queued"])
sw.sync()
stop.set()
t.join(DEADLINE)
p = {n: sw.port(n) for n in (1, 2, 3)}
ok("in long pieces", p[1]["in"]["packets"] + p[2]["in"]["packets"] < 1000,
   lambda: p)
is_("of which none was cut for the taps", (p[1]["cut"], p[2]["cut"]), (0, 0))
ok("but for the mirror's port", p[3]["segments"] > p[3]["cut"] > 0,
   lambda: p[3])
tcp = [f for f in got if f[12:14] == b"\x08\0" and f[23] == 6]
ok("every frame there is an ordinary one", tcp and max(map(len, got)) <= 1514,
   lambda: max(map(len, got)))
ok("with good checksums", all(map(good, got)))
lost = sum(sw.drops(3).values())
data = sum(struct.unpack(">H", f[16:18])[0] - 20 - (f[46] >> 4) * 4
           for f in tcp)
ok("and all of the data is there, both ways", lost or data >= 2 << 20,
   lambda: (data, lost))
note("%d frames, %d bytes of data, %d lost" % (len(got), data, lost))
sw.stop()
na.end(), nb.end()
done()
