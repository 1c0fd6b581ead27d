#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""48-ring-offload.py - rings whose clients leave checksums and segments to
others, take such frames or do not, and lie about them."""
import random

from ringclient import *

CSUM, TSO4, TSO6, ECN, USO = 1, 2, 4, 8, 0x60
ALL = CSUM | TSO4 | TSO6 | ECN | USO
rnd = random.Random(5)


def sum16(data, start=0):
    data += b"\0" * (len(data) & 1)
    s = start + sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def tcp(dst, src, payload, seq=1, whole=True):
    """A frame of TCP over IPv4; not @whole: its checksum is only begun."""
    addrs = bytes([10, 0, 0, src[5], 10, 0, 0, dst[5]])
    l4 = struct.pack(">HHIIBBHHH", 1000, 2000, seq, 1, 0x50, 0x10, 99, 0, 0) \
        + payload
    s = sum16(addrs, 6 + len(l4))
    if whole:
        s = 0xffff - sum16(l4, s)
    l4 = l4[:16] + struct.pack(">H", s) + l4[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), 0, 0x4000, 64, 6,
                     0) + addrs
    ip = ip[:10] + struct.pack(">H", 0xffff - sum16(ip)) + ip[12:]
    return dst + src + b"\x08\x00" + ip + l4


def cut(dst, src, payload, size):
    """What becomes of it, but for the numbers of packets."""
    return [tcp(dst, src, payload[i:i + size], 1 + i)
            for i in range(0, len(payload), size)]


def no_id(f):
    """Without the number of an IPv4 packet, and its checksum."""
    return f[:18] + f[20:24] + f[26:]


TODO = dict(flags=1, csum_start=34, csum_offset=16)


def lso(size):
    return dict(TODO, gso_type=1, gso_size=size, hdr_len=54)


def fields(r):
    """Of the record of the next frame."""
    names = ("length", "tci", "flags", "gso_type", "hdr_len", "gso_size",
             "csum_start", "csum_offset")
    if not until(lambda: r.words[OUT + TAIL] != r.head):
        return {}
    raw = r.read(r.head, 16)
    got = dict(zip(names, struct.unpack("=IHBBHHHH", raw)))
    del got["length"], got["tci"]
    return {k: v for k, v in got.items() if v}


sw = Switch("-n", "64")
src, names = mac(1), ("nothing", "checksums", "TCP", "all")
a = Ring(sw.dir, caps=ALL, max_len=65553)
is_("the switch takes everything", (a.caps, a.max_len), (ALL, 65553))
ok("and has room for some of the longest", a.size >= 4 * 65553, a.size)
is_("who asks for nothing gets short frames", Ring(sw.dir).max_len, 9234)
wants = [Ring(sw.dir, caps=c) for c in (0, CSUM, CSUM | TSO4 | TSO6, ALL)]
old = sw.plug()
macs = [mac(10 + i) for i in range(5)]
for r, m in zip(wants + [old], macs):
    r.send(frame(BROADCAST, m))
a.send(frame(BROADCAST, src))
sw.sync()
for r in wants + [a, old]:
    r.pending()
is_("port/print shows what each takes",
    [sw.port(r.port)["endpoints"][0]["offloads"] for r in wants],
    [[], ["csum"], ["csum", "tso4", "tso6"],
     ["csum", "tso4", "tso6", "ecn", "uso"]])

# --- honest -------------------------------------------------------------------

body = os.urandom(30000)


def passes(what, i, f, of, wanted, record_):
    """@f, with the fields @of, to the client @i, who must get that."""
    a.put(f, **of)
    a.publish()
    r = (wants + [old])[i]
    got_record = {} if r is old else fields(r)
    got = [r.recv() for _ in wanted]
    who = "a datagram client" if r is old else "who takes " + names[i]
    is_("%s, to %s" % (what, who),
        (got_record, [no_id(g) for g in got if g], bool(r.pending())),
        (record_, [no_id(w) for w in wanted], False))


for i, m in enumerate(macs):
    f = tcp(m, src, body[:700])
    passes("an ordinary frame", i, f, {}, [f], {})
    f = tcp(m, src, body[:700], whole=False)
    able = 1 <= i <= 3
    passes("a checksum", i, f, TODO, [f if able else tcp(m, src, body[:700])],
           TODO if able else {})
    f = tcp(m, src, body, whole=False)
    able = 2 <= i <= 3
    passes("30000 bytes", i, f, lso(1400),
           [f] if able else cut(m, src, body, 1400), lso(1400) if able else {})
f = tcp(macs[3], src, os.urandom(65481), whole=False)
passes("as long as can be", 3, f, lso(9000), [f], lso(9000))
f = tcp(macs[3], src, body, whole=False)
a.put(f[:12] + b"\x81\0\x60\x05" + f[12:], **dict(lso(1400), csum_start=38,
                                                  hdr_len=58))
a.publish()
got = [(fields(r), r.recv()) for r in [wants[3]]][0]
is_("with a tag, to who takes all: what stands beside it moves", got,
    (dict(lso(1400), csum_start=38, hdr_len=58),
     f[:12] + b"\x81\0\x60\x05" + f[12:]))
for r in wants + [old]:
    sw.sync()
    r.pending()  # that was flooded: nobody is known in VLAN 5
short = Ring(sw.dir, caps=ALL, max_len=1000)
short.send(frame(BROADCAST, mac(20)))
sw.sync()
for r in wants + [a, old, short]:
    r.pending()
a.put(tcp(mac(20), src, body, whole=False), **lso(1400))
a.put(tcp(mac(20), src, body[:1000]))
f = tcp(mac(20), src, body, whole=False)
a.put(f, **lso(900))
a.publish()
is_("segments and frames that are too long for a client are dropped",
    (fields(short), short.recv(), sw.drops(short.port)),
    (lso(900), f, {"over_mtu": 2}))

# --- hostile ------------------------------------------------------------------

sw.do("vlan/create 7")
pair = RingPair(sw, vlan=7)
before = sw.drops(a.port).get("bad_offload", 0)
lies = [dict(gso_size=0), dict(gso_size=0xffff), dict(gso_type=3),
        dict(gso_type=0x81), dict(gso_type=4), dict(gso_type=5),
        dict(csum_start=0xffff), dict(csum_start=13), dict(csum_offset=0xffff),
        dict(csum_offset=15), dict(gso_size=1), dict(gso_type=0x7f)]
for lie in lies:
    a.put(tcp(macs[0], src, body, whole=False), **dict(lso(1400), **lie))
a.put(f[:50], **TODO)
a.publish()
sw.sync()
# CWR may stand beside the type: that is one more segment for nobody.
wrong = until(lambda: sw.drops(a.port).get("bad_offload", 0) - before >= 12)
ok("lies are refused and counted", wrong, lambda: sw.drops(a.port))
ok("nobody is harmed", pair.goes_on(), pair)
a.kick()

liar = Ring(sw.dir, size=1 << 20, caps=ALL, max_len=65553)
for n in range(3000):
    f = bytearray(tcp(rnd.choice(macs + [BROADCAST]), mac(30),
                      body[:rnd.choice((0, 10, 600, 9000, 30000))], whole=False))
    if rnd.random() < 0.5:
        f[rnd.randrange(12, 54)] = rnd.randrange(256)
    of = dict(flags=rnd.choice((0, 1, 1, 1, 2, 0x80, 0xff)),
              gso_type=rnd.choice((0, 1, 1, 1, 3, 4, 5, 0x80, 0x81,
                                   rnd.randrange(256))),
              hdr_len=rnd.choice((0, 54, 54, rnd.randrange(65536))),
              gso_size=rnd.choice((1, 100, 1400, 1400, rnd.randrange(65536))),
              csum_start=rnd.choice((34, 34, 34, rnd.randrange(65536))),
              csum_offset=rnd.choice((16, 16, 16, rnd.randrange(65536))),
              tci=rnd.randrange(65536))
    while not liar.put(bytes(f), **of):
        liar.publish()
        for r in wants + [a, old]:
            r.pending()
    if n % 16 == 0:
        liar.publish()
liar.publish()
ok("three thousand frames of all kinds of nonsense", sw.alive() and
   pair.goes_on() and not liar.hung_up(0), sw.log)
for r in wants + [a, old]:
    r.pending()

pair.times.clear()
stop = threading.Event()


def flood():
    """As many segments as one frame can be, as fast as the ring goes."""
    f = tcp(macs[0], mac(31), os.urandom(512 * 100), whole=False)
    r = Ring(sw.dir, size=1 << 20, caps=ALL, max_len=65553)
    while not stop.is_set():
        while r.put(f, **lso(100)):
            pass
        r.publish()
        r.pending()
        readable(r.data, 0.001)
        wants[0].pending()


t = threading.Thread(target=flood)
t.start()
goes_on = pair.goes_on(200)
stop.set()
t.join()
ok("a flood of frames that are cut into 512 pieces: others go on", goes_on,
   pair)
note(pair)
ok("and wait no longer than they would for a few batches", pair.p99() < 0.2,
   pair)
ok("the flood was real",
   sw.port(wants[0].port)["segments"] > 10000,
   lambda: sw.port(wants[0].port))
with open("/proc/%d/status" % sw.pid) as f:
    rss = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
ok("memory stays bounded", rss < 100 << 10 or os.environ.get("SAN"), rss)
pair.stop()
is_("the switch ends well", sw.stop(), 0)
done()
