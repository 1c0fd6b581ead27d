#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""34-switch-vlan.py - VLANs: access ports and trunks, tags kept, added and
taken off, the three modes. Then a model of a switch, written from the rules
alone, and the real one do the same random things; each frame must come out of
both alike."""
import errno
import random

from vdeclient import *

sw = Switch("-n", "9")
port = {n: sw.plug(n) for n in range(1, 5)}


def heard(sender, *frames):
    """{port: what it gets} when @sender sends these; silent ports left out."""
    for c in port.values():
        c.pending()
    port[sender].send(*frames)
    sw.sync()
    got = {n: c.pending() for n, c in port.items()}
    return {n: v for n, v in got.items() if v}


def body(n, tci=None, size=100, dst=BROADCAST, type_=TEST_TYPE):
    """The same frame, with or without a tag."""
    size += 4 if tci is not None else 0
    return frame(dst, mac(n), b"payload", size=size, tci=tci, type_=type_)


def code(line):
    return sw.console.cmd(line)[0]


# --- no VLAN is defined ---------------------------------------------------

is_("the mode at the start", sw.do("vlan/mode"),
    ["VLAN mode auto (transparent)"])
f = body(1, 0x6005)
is_("tagged frames pass with their tag and priority", heard(1, f),
    {n: [f] for n in (2, 3, 4)})
heard(2, body(2, 0x2005))
f = body(1, 5, dst=mac(2))
is_("they are learned in their VLAN", heard(1, f), {2: [f]})
f = body(1, 6, dst=mac(2))
is_("and not in another", heard(1, f), {n: [f] for n in (2, 3, 4)})
is_("VLAN 4094 too", heard(1, body(1, 4094)), {
    n: [body(1, 4094)] for n in (2, 3, 4)})
is_("4095 is reserved", heard(1, body(1, 4095)), {})
is_("and counted", sw.drops(1), {"vlan_not_member": 1})
is_("VID 0 is untagged", heard(1, body(1, 0xe000)),
    {n: [body(1)] for n in (2, 3, 4)})
for t in 0x88a8, 0x9100:
    f = frame(BROADCAST, mac(1), b"\x60\x05\x88\xb5", type_=t, size=90)
    is_("type %04x is payload" % t, heard(1, f), {n: [f] for n in (2, 3, 4)})
f = frame(BROADCAST, mac(1), b"\x00\x07\x88\xb5", type_=0x8100, tci=9, size=90)
is_("so is an inner tag", heard(1, f), {n: [f] for n in (2, 3, 4)})

# --- the first VLAN makes it strict ---------------------------------------

sw.do("vlan/create 5")
is_("the mode after the first vlan/create", sw.do("vlan/mode"),
    ["VLAN mode auto (strict)"])
is_("its frames are for its members", heard(1, body(1, 5)), {})
is_("those of other VLANs for nobody", heard(1, body(1, 6)), {})
is_("counted", sw.drops(1), {"vlan_not_member": 3})
is_("untagged ones pass as before", heard(1, body(1)),
    {n: [body(1)] for n in (2, 3, 4)})

# port 1: access to 5; 2: trunk of 5, VLAN 0 untagged; 3: trunk of 5 only
sw.do("port/setvlan 1 5", "vlan/addport 5 2", "vlan/addport 5 3",
      "port/setvlan 3 4095")
is_("vlan/print", sw.do("vlan/print"), [
    "VLAN 0000",
    " -- Port 0002 tagged=0 active=1 status=Forwarding",
    " -- Port 0004 tagged=0 active=1 status=Forwarding",
    "VLAN 0005",
    " -- Port 0001 tagged=0 active=1 status=Forwarding",
    " -- Port 0002 tagged=1 active=1 status=Forwarding",
    " -- Port 0003 tagged=1 active=1 status=Forwarding"])
is_("untagged on the access port: tagged on trunks, priority 0",
    heard(1, body(1)), {2: [body(1, 5)], 3: [body(1, 5)]})
is_("tagged on a trunk: as it was on the other, bare on the access port",
    heard(2, body(2, 0xb005)), {1: [body(2)], 3: [body(2, 0xb005)]})
is_("tagged on the access port, its own VLAN: accepted",
    heard(1, body(1, 0x7005)), {n: [body(1, 0x7005)] for n in (2, 3)})
is_("priority tag on the access port: its VLAN, with the priority",
    heard(1, body(1, 0xa000)), {n: [body(1, 0xa005)] for n in (2, 3)})
is_("untagged on trunk 2: VLAN 0", heard(2, body(2)), {4: [body(2)]})
sw.do("port/resetcounter")
is_("untagged where there is no untagged VLAN",
    (heard(3, body(3), body(3, 0x8000)), sw.drops(3)),
    ({}, {"no_untagged_vlan": 2}))
f = body(1, size=9234)
is_("the longest frame grows by its tag", heard(1, f),
    {n: [body(1, 5, size=9234)] for n in (2, 3)})
short = frame(BROADCAST, mac(2), b"x", tci=5, size=30)
bare = frame(BROADCAST, mac(2), b"x", size=26)
is_("a short tagged one is padded on both kinds of port", heard(2, short),
    {1: [padded(bare)], 3: [padded(short, 64)]})
heard(3, body(3, 5))
is_("known in the VLAN", heard(1, body(1, dst=mac(3))),
    {3: [body(1, 5, dst=mac(3))]})
sw.do("vlan/delport 5 3")
is_("a port that leaves is forgotten there",
    heard(1, body(1, dst=mac(3))), {2: [body(1, 5, dst=mac(3))]})
heard(1, body(1))
sw.do("port/setvlan 1 0")
is_("so is one whose VLAN changes", heard(2, body(2, 5, dst=mac(1))), {})
heard(1, body(1))
is_("it is learned in the new one", heard(2, body(2, dst=mac(1))),
    {1: [body(2, dst=mac(1))]})
sw.do("vlan/addport 5 1")
heard(1, body(1, 5))
sw.do("port/resetcounter")
got = heard(2, body(2, 5, dst=mac(1)))
is_("tagged membership beside an untagged VLAN", got,
    {1: [body(2, 5, dst=mac(1))]})

# --- modes ----------------------------------------------------------------

sw.do("vlan/mode transparent")
is_("vlan/mode transparent", sw.do("vlan/mode"),
    ["VLAN mode transparent (transparent)"])
is_("VLANs that are not defined pass everywhere", heard(4, body(4, 6)),
    {n: [body(4, 6)] for n in (1, 2, 3)})
is_("defined ones keep their members", heard(4, body(4, 5)), {})
sw.do("vlan/mode strict")
is_("vlan/mode strict", (sw.do("vlan/mode"), heard(4, body(4, 6))),
    (["VLAN mode strict (strict)"], {}))
sw.do("vlan/mode auto", "vlan/delport 5 1", "vlan/delport 5 2",
      "vlan/remove 5")
is_("auto without a VLAN is transparent again",
    (sw.do("vlan/mode"), heard(4, body(4, 6))),
    (["VLAN mode auto (transparent)"], {n: [body(4, 6)] for n in (1, 2, 3)}))
sw.do("vlan/mode strict")
is_("strict without a VLAN is not", heard(4, body(4, 6)), {})
is_("there is no other mode", (code("vlan/mode Auto"), code("vlan/mode x")),
    (errno.EINVAL, errno.EINVAL))
sw.do("vlan/mode auto")

# --- a model --------------------------------------------------------------

class Model:
    """The rules, and nothing of how the switch does it."""

    def __init__(self):
        self.vlans, self.mode = {0}, "auto"
        self.pvid = {n: 0 for n in port}
        self.tagged = {n: set() for n in port}
        self.known = {}
        self.hub = False

    def transparent(self):
        return self.mode == "transparent" or \
            (self.mode == "auto" and self.vlans == {0})

    def member(self, n, vid):
        return self.pvid[n] == vid or vid in self.tagged[n]

    def forget(self, n=None, vid=None):
        self.known = {k: v for k, v in self.known.items() if not (
            n in (None, v) and vid in (None, k[0]))}

    def set_vlan(self, n, vid):
        if vid == self.pvid[n]:
            return 0
        if vid != 4095 and vid not in self.vlans:
            return errno.ENXIO
        self.forget(n, self.pvid[n])
        self.forget(n, vid)
        self.pvid[n] = vid
        self.tagged[n].discard(vid)
        return 0

    def create(self, vid):
        if vid in self.vlans:
            return errno.EEXIST
        self.vlans.add(vid)
        self.forget(vid=vid)
        return 0

    def remove(self, vid):
        if vid not in self.vlans:
            return errno.ENXIO
        if any(self.member(n, vid) for n in port):
            return errno.EADDRINUSE
        self.vlans.discard(vid)
        return 0

    def add(self, vid, n):
        if vid not in self.vlans:
            return errno.ENXIO
        if self.pvid[n] != vid:
            self.tagged[n].add(vid)
        return 0

    def delete(self, vid, n):
        if vid not in self.vlans:
            return errno.ENXIO
        if self.pvid[n] == vid:
            return errno.EADDRINUSE
        self.tagged[n].discard(vid)
        self.forget(n, vid)
        return 0

    def input(self, n, dst, src, tci):
        """{port: tci or None} of who gets it."""
        if self.hub:
            return {m: tci for m in port if m not in (0, n)}
        vid = (tci or 0) & 0xfff
        if vid == 0:
            vid = self.pvid[n]
            if vid == 4095:
                return {}
        elif vid == 4095 or not (self.member(n, vid) if vid in self.vlans
                                 else self.transparent()):
            return {}
        if not src[0] & 1:
            self.known[vid, src] = n
        members = {m for m in port if vid not in self.vlans or
                   self.member(m, vid)}
        to = self.known.get((vid, dst)) if not dst[0] & 1 else None
        if to is not None:
            members &= {to}
        return {m: None if self.pvid[m] == vid else (tci or 0) & 0xf000 | vid
                for m in members - {n}}


seed = int(os.environ.get("SEED", 20121212))
note("seed %d" % seed)
rnd = random.Random(seed)
for n in range(5, 9):
    port[n] = sw.plug(n)
port[0] = sw.plug(type_=PORT0)
sw.do("hash/setsize 16", *["port/setvlan %d 0" % n for n in range(1, 9)])
for i in range(0, 9):
    sw.console.cmd("port/epclose %d %d" % (i, port[i].ep))
    port[i].close()
    port[i] = sw.plug(i, type_=NEW if i else PORT0)
m, VIDS = Model(), [1, 5, 64, 4093]
stations = {n: [mac(0x1000 * n + i) for i in range(3)] for n in port}
everybody = [a for s in stations.values() for a in s]
wrong, frames, commands, serial = [], 0, 0, 0
history = []


def random_command():
    n, vid = rnd.choice(list(port)), rnd.choice(VIDS + [0])
    k = rnd.randrange(8)
    if k == 0 and vid:
        return "vlan/create %d" % vid, m.create(vid)
    if k == 1 and vid:
        return "vlan/remove %d" % vid, m.remove(vid)
    if k == 2:
        vid = rnd.choice([vid, vid, 4095])
        return "port/setvlan %d %d" % (n, vid), m.set_vlan(n, vid)
    if k in (3, 4):
        return "vlan/addport %d %d" % (vid, n), m.add(vid, n)
    if k == 5:
        return "vlan/delport %d %d" % (vid, n), m.delete(vid, n)
    if k == 6 and rnd.random() < 0.2:
        m.mode = rnd.choice(["auto", "strict", "transparent"])
        return "vlan/mode " + m.mode, 0
    if k == 7 and rnd.random() < 0.1:
        if m.hub is False or rnd.random() < 0.9:
            m.forget()
            m.hub = not m.hub
        return "port/sethub %d" % m.hub, 0
    return None, None


def random_frame():
    n = rnd.choice(list(port))
    dst = rnd.choice([BROADCAST, b"\x01\0\x5e\0\0\x01", mac(0xffff)] +
                     everybody)
    src = rnd.choice(stations[n]) if rnd.random() < 0.95 else b"\x03aaaaa"
    tci = rnd.choice([None, None, 0, 0xe000, 4095] + [
        rnd.randrange(16) << 12 | v for v in VIDS + [2]])
    return n, dst, src, tci


end = time.monotonic() + 4
while frames < 3000 and time.monotonic() < end and len(wrong) < 5:
    line, want = random_command()
    if line:
        commands += 1
        history.append(line)
        got = code(line)
        if got != want:
            wrong.append("%s: %s, not %s" % (line, got, want))
    if rnd.random() < 0.02:
        n = rnd.choice(list(port))
        history.append("replug %d" % n)
        port[n].close()
        until(lambda: not sw.port(n)["active"])
        port[n] = sw.plug(n, type_=NEW if n else PORT0)
        m.forget(n)
    n, dst, src, tci = random_frame()
    frames += 1
    payload = struct.pack(">I", frames)
    history.append("%d: %s < %s tci %s" % (n, mac_str(dst), mac_str(src), tci))
    want = {k: [frame(dst, src, payload, size=80 if t is None else 84, tci=t)]
            for k, t in m.input(n, dst, src, tci).items()}
    got = heard(n, frame(dst, src, payload, size=80 if tci is None else 84,
                         tci=tci))
    if got != want:
        wrong.append("%s\ngot: %s\nwanted: %s" % (
            "\n".join(history[-12:]), got, want))
ok("%s and model agree" % "switch", not wrong, lambda: "\n".join(wrong))
note("%d frames, %d commands" % (frames, commands))
is_("the switch ends well", sw.stop(), 0)
done()
