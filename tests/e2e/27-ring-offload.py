#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""27-ring-offload.py - ring clients that lie about what is left to be done with
their frames: places of checksums beyond the frame, sizes of nothing, kinds that
do not exist, frames that become hundreds. What is a lie is counted and dropped,
what is true arrives, cut for who needs that, and two other ports go on."""
import random

from ringclient import *

CSUM, TSO4, TSO6, ECN, USO = 1, 2, 4, 8, 0x60
ALL = CSUM | TSO4 | TSO6 | ECN | USO
TCPV4, UFO, TCPV6, UDP_L4 = 1, 3, 4, 5
LONGEST = 65553
rnd = random.Random(9)
sw = Switch("-n", "64")
sw.do("vlan/create 7", "port/create 1", "port/create 2")
pair = RingPair(sw, vlan=7)


def checksum(data, start=0):
    if len(data) % 2:
        data += b"\0"
    s = start + sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def tcp4(payload, dst=mac(2), src=mac(1), seq=1000, tag=b""):
    """A frame of TCP whose checksum is begun: the sum of the pseudo-header."""
    n = 20 + len(payload)
    a, b = b"\x0a\0\0\1", b"\x0a\0\0\2"
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, (20 + n) & 0xffff, 1, 0x4000, 64,
                     6, 0, a, b)
    ip = ip[:10] + struct.pack(">H", 0xffff ^ checksum(ip)) + ip[12:]
    begun = checksum(a + b + struct.pack(">HH", 6, n & 0xffff))
    return dst + src + tag + b"\x08\0" + ip + struct.pack(
        ">HHIIBBHHH", 5000, 5001, seq, 0, 0x50, 0x10, 1000, begun, 0) + payload


def pattern(n):
    return bytes(i * 7 % 251 for i in range(n))


def put(r, f, **fields):
    end = time.monotonic() + DEADLINE
    while not r.put(f, **fields):
        r.publish()
        if time.monotonic() > end:
            raise TimeoutError("no room")
    r.publish()


GOOD = {"flags": CSUM, "gso_type": TCPV4, "hdr_len": 54, "gso_size": 1000,
        "csum_start": 34, "csum_offset": 16}
liar = Ring(sw.dir, 1, size=1 << 20, caps=ALL)
able = Ring(sw.dir, 2, size=1 << 20, caps=ALL)
plain = Ring(sw.dir, 2)
old = sw.plug(2)
able.send(frame(BROADCAST, mac(2)))
is_("who takes offloads may have long frames", (liar.max_len, able.max_len,
                                                plain.max_len),
    (LONGEST, LONGEST, 9234))
liar.recv()


def settle():
    until(lambda: liar.words[HEAD] == liar.tail)
    sw.sync()


def everybody():
    settle()
    return [[f for f in c.pending() if f[6:12] == mac(1)]
            for c in (able, plain, old)]


# --- what is true -------------------------------------------------------------

payload = pattern(2500)
put(liar, tcp4(payload), **GOOD)
whole, cut, cut_old = everybody()
is_("a frame that is true: whole for who takes it",
    [f[54:] for f in whole], [payload])
is_("cut for who does not", ([len(f) for f in cut], b"".join(
    f[54:] for f in cut)), ([1054, 1054, 554], payload))
is_("be it rings or datagrams", cut_old, cut)
ok("with checksums that are right", all(
    checksum(f[14:34]) == 0xffff and checksum(
        f[26:34] + struct.pack(">HH", 6, len(f) - 34) + f[34:]) == 0xffff
    for f in cut))

# --- what is not --------------------------------------------------------------


def bad_offloads():
    return sw.drops(1).get("bad_offload", 0)


def lie(**fields):
    return {**GOOD, **fields}


f = tcp4(pattern(2500))
lies = {
    "pieces of no bytes": (f, lie(gso_size=0)),
    "a checksum behind the frame": (f, lie(csum_start=len(f))),
    "one far behind it": (f, lie(csum_start=0xffff, csum_offset=0xffff)),
    "one that ends behind it": (f[:1500], {"flags": CSUM, "csum_start": 1490,
                                           "csum_offset": 9}),
    "one in the addresses": (f, lie(csum_start=0, csum_offset=0)),
    "one in the type": (f, lie(csum_start=12)),
    "one in the header of IP": (f, lie(csum_start=20)),
    "one that is not TCP's": (f, lie(csum_offset=6)),
    "fragments of UDP": (f, lie(gso_type=UFO)),
    "a kind that does not exist": (f, lie(gso_type=2)),
    "another": (f, lie(gso_type=0x7f)),
    "another's kind": (f, lie(gso_type=TCPV6)),
    "UDP that is none": (f, lie(gso_type=UDP_L4)),
    "too many pieces": (tcp4(pattern(60000)), lie(gso_size=1)),
    "too many by one": (tcp4(pattern(513 * 64)), lie(gso_size=64)),
    "no IP in it": (frame(mac(2), mac(1), size=3000), GOOD),
    "half a header": (f[:40], GOOD),
    "half a header of IP": (f[:30], GOOD),
    "14 bytes": (f[:14], GOOD),
    "a header of TCP that is too short":
        (f[:46] + b"\x10" + f[47:], GOOD),
    "one that is longer than all of it":
        (f[:46] + b"\xf0" + f[47:60], GOOD),
    "a header of IP that is too short": (f[:14] + b"\x41" + f[15:], GOOD),
    "version 5": (f[:14] + b"\x55" + f[15:], GOOD),
}
wrong = {}
for what, (data, fields) in lies.items():
    before = bad_offloads()
    put(liar, data, **fields)
    settle()
    got = everybody()
    if bad_offloads() != before + 1 or any(got):
        wrong[what] = bad_offloads() - before, [len(x) for x in got]
is_("lies are counted and dropped: %s" % ", ".join(lies), wrong, {})
for what, fields in (("too short", lie(hdr_len=0)), ("too short", lie(
        hdr_len=14)), ("far too long", lie(hdr_len=0xffff)),
        ("behind the frame", lie(hdr_len=len(f) + 1))):
    put(liar, f, **fields)
    whole, cut, _ = everybody()
    is_("a length of headers that is %s does not count" % what,
        (len(whole), [len(x) for x in cut]), (1, [1054, 1054, 554]))
before = sw.drops(1).get("too_long", 0)
put(liar, frame(mac(2), mac(1), size=9300))
settle()
is_("a long frame that is not to be cut is dropped",
    (sw.drops(1).get("too_long", 0) - before, everybody()), (1, [[]] * 3))
put(liar, f, **lie(flags=0xff))
is_("flags that nobody knows mean nothing", [len(x) for x in everybody()],
    [1, 3, 3])
put(liar, tcp4(pattern(100)), tci=0xffff, flags=CSUM, csum_start=34,
    csum_offset=16)
ok("a checksum alone", [len(x) for x in everybody()] == [1, 1, 1])
r = Ring(sw.dir, caps=ALL)
r.write(0, record(LONGEST + 1, **GOOD))
r.words[TAIL] = 1 << 17
r.kick()
ok("a frame longer than any: unplugged", r.hung_up())
r.close()
ok("nobody has noticed", pair.goes_on() and sw.alive(), pair)

# --- receivers that lie -------------------------------------------------------

odd = [Ring(sw.dir, 2, caps=caps, max_len=max_len, size=1 << 19)
       for caps in (0, 2, CSUM, CSUM | USO, ALL, MASK)
       for max_len in (1, 13, 54, 60, 1513, 65553, MASK)]
for n in (1, 900, 2500, 20000, 60000):
    for size in (1, 7, 500, 1448, 9000, 65000):
        if n // size < 500:
            put(liar, tcp4(pattern(n)), **lie(gso_size=size))
settle()
long_ = [max(map(len, r.pending()), default=0) for r in odd]
ok("odd capabilities and lengths: nobody gets more than it takes", all(
    n <= 9234 for n, r in zip(long_, odd) if not r.max_len > 9234), long_)
ok("the switch lives", sw.alive() and pair.goes_on(), pair)
for r in odd:
    r.close()
everybody()

# --- frames that become hundreds ----------------------------------------------

def floods(size, n):
    """As fast as the switch takes them: nothing is copied but indices."""
    r = Ring(sw.dir, size=8 << 20, caps=ALL)
    f = tcp4(pattern(n), dst=BROADCAST, src=mac(0x55))
    step = 1 << (need_(len(f)) - 1).bit_length()
    pad = step - need_(len(f))
    one = record(len(f), **lie(gso_size=size)) + f
    one += bytes(need_(len(f)) - len(one))
    if pad:
        one += record(pad - 16) + bytes(pad - 16)
    r.mem[DATA:DATA + r.size] = one * (r.size // step)
    while True:
        r.words[TAIL] = (r.words[HEAD] // step * step + r.size) & MASK
        r.kick()
        readable(r.ctl, 0.001)


def drinks():
    """Takes all that there is, and looks at nothing."""
    rings = [Ring(sw.dir, size=1 << 20) for _ in range(4)]
    while True:
        for r in rings:
            r.words[OUT + HEAD] = r.words[OUT + TAIL]
            if r.words[OUT + PRODUCER_WAITS]:
                r.words[OUT + PRODUCER_WAITS] = 0
                r.kick()
        os.sched_yield()


drinker = child(drinks)
quiet_ = RingPair(sw, vlan=7)
until(lambda: quiet_.rounds > 300)
for size, n, what in ((64, 512 * 64, "512 pieces of 64 bytes"),
                      (127, 512 * 127, "512 pieces of 127 bytes"),
                      (1448, 45 * 1448, "45 pieces of 1448 bytes")):
    sw.do("port/resetcounter")
    quiet_.times.clear()
    pids = [child(floods, size, n) for _ in range(2)]
    until(lambda: len(quiet_.times) > 400)
    for p in pids:
        reap(p)
    ok("a flood of frames that become %s starves nobody" % what,
       pair.goes_on() and quiet_.goes_on() and quiet_.p99() < 0.5, quiet_)
    pieces = sum(p["segments"]
                 for p in sw.console.json("port/allprint")["ports"])
    ok("and they are cut", pieces > 10000, pieces)
    note("%d pieces, p99 %.4f s" % (pieces, quiet_.p99()))
reap(drinker)
settle()
quiet_.stop()

def lies_on(seed):
    g = random.Random(seed)
    r = Ring(sw.dir, 20 + seed, size=1 << 20, caps=ALL)
    for _ in range(1500):
        f = bytearray(tcp4(pattern(g.choice((0, 1, 6, 60, 1460, 5000, 60000))),
                           dst=BROADCAST, src=mac(0x66)))
        for _ in range(g.randrange(4)):
            f[12 + g.randrange(42)] = g.getrandbits(8)
        v = dict(GOOD)
        for k in g.sample(sorted(v), g.randrange(4)):
            v[k] = g.choice((0, 1, 14, 34, 54, 255)) if k in (
                "flags", "gso_type") else g.choice(
                (0, 1, 14, 34, 54, 1448, 0xffff, g.getrandbits(16)))
        put(r, bytes(f), **v)
    r.close()


pids = [child(lies_on, n) for n in range(2)]
until(lambda: all(gone(p) for p in pids), 15)
is_("lies at random", [reap(p) for p in pids], [0, 0])
ok("the switch lives and nobody has lost a frame", sw.alive() and
   pair.goes_on(), pair)
pair.stop()
for c in (liar, able, plain, old):
    c.close()
is_("the switch ends well", sw.stop(), 0)
done()
