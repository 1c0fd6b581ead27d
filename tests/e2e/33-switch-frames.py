#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""33-switch-frames.py - what happens to a frame: length and padding, who gets
it, learning and ageing, counters and reasons for drops; and that changing the
switch while it works costs the others nothing."""
import errno

from vdeclient import *

sw = Switch("-n", "16")


def heard(sender, *frames, by):
    """What each of @by gets when @sender sends these."""
    for c in by:
        c.pending()
    sender.send(*frames)
    sw.sync()
    return [c.pending() for c in by]


def where(address):
    """The port that the switch has learned for it, or None."""
    code, lines = sw.console.cmd("hash/find " + mac_str(address))
    return int(re.search(r"to port: (\d+)", lines[0])[1]) if not code else None


# --- length ---------------------------------------------------------------

a, b, c = sw.plug(), sw.plug(), sw.plug()
wrong = []
for n in [*range(14, 1700), *range(1700, 9234, 41), 9230, 9233, 9234]:
    f = frame(BROADCAST, mac(1), size=n)
    a.send(f)
    for x in b, c:
        if x.recv() != padded(f):
            wrong.append(n)
is_("frames of 14 to 9234 bytes arrive whole, short ones padded with zeros to "
    "60", wrong, [])
is_("nothing comes back", sw.quiet(a, b, c), True)
sw.do("port/resetcounter")
wrong = [n for n in range(1, 14)
         if heard(a, frame(BROADCAST, mac(1))[:n], by=[a, b, c]) != [[]] * 3]
is_("shorter than a header: dropped", wrong, [])
is_("and counted", (sw.drops(1), sw.port(1)["in"]), (
    {"runt": 13}, {"packets": 0, "bytes": 0}))
tagged = frame(BROADCAST, mac(1), tci=5, size=64)
wrong = [n for n in range(14, 18)
         if heard(a, tagged[:n], by=[b, c]) != [[], []]]
is_("ending inside the tag: dropped and counted", (wrong, sw.drops(1)),
    ([], {"runt": 17}))
is_("a tagged frame of 18 is padded to 64", heard(a, tagged[:18], by=[b]),
    [[tagged[:18] + bytes(46)]])
is_("9235 bytes and more: dropped and counted",
    (heard(a, frame(BROADCAST, mac(1), size=9235),
           frame(BROADCAST, mac(1), size=30000), by=[b]), sw.drops(1)),
    ([[]], {"runt": 17, "too_long": 2}))
secret = frame(BROADCAST, mac(3), b"secret" * 200)
heard(c, secret, by=[a, b])
got = heard(a, frame(BROADCAST, mac(1))[:14], by=[b])[0][0]
is_("the padding has nothing of an earlier frame", got[14:], bytes(46))

# --- who gets it ----------------------------------------------------------

A, B, C, NEW = mac(0xa), mac(0xb), mac(0xc), mac(0xd)
f = frame(NEW, A)
is_("unknown: to all but the sender", heard(a, f, by=[a, b, c]),
    [[], [f], [f]])
f = frame(A, B)
is_("known: to its port alone", heard(b, f, by=[a, b, c]), [[f], [], []])
f = frame(b"\x01\x00\x5e\0\0\x01", A)
is_("multicast: to all others", heard(a, f, by=[a, b, c]), [[], [f], [f]])
f = frame(b"\x01\x80\xc2\0\0\x0e", A)
is_("reserved multicast too", heard(a, f, by=[a, b, c]), [[], [f], [f]])
f = frame(B, b"\x03" + C[1:])
is_("a multicast source is forwarded", heard(c, f, by=[a, b]), [[], [f]])
is_("and not learned", where(b"\x03" + C[1:]), None)
sw.do("port/resetcounter")
is_("for its own port: dropped and counted",
    (heard(a, frame(A, NEW), by=[a, b, c]), sw.drops(1)),
    ([[]] * 3, {"same_port": 1}))
is_("and learned", where(NEW), 1)
is_("where each is", [where(x) for x in (A, B, NEW)], [1, 2, 1])
like("hash/find prints the very port", sw.do("hash/find " + mac_str(B))[0],
     r"^Hash: \d{4,} Addr: 02:00:00:00:00:0b VLAN 0000 to port: 002  age \d+ "
     "secs$")
is_("hash/find of a stranger", sw.console.cmd("hash/find 2:0:0:0:0:99"),
    (errno.ENODEV, []))

# --- counters -------------------------------------------------------------

sw.do("port/resetcounter")
a.send(frame(BROADCAST, A)[:20], frame(BROADCAST, A, size=100),
       frame(B, A, size=1000), frame(A, A, size=70))
sw.sync()
p = [sw.port(n) for n in (1, 2, 3)]
is_("in: padded frames and bytes, also of what is dropped later", p[0]["in"],
    {"packets": 4, "bytes": 60 + 100 + 1000 + 70})
is_("out: what each port got", [x["out"] for x in p], [
    {"packets": 0, "bytes": 0}, {"packets": 3, "bytes": 1160},
    {"packets": 2, "bytes": 160}])
twin = sw.plug(2)
for x in b, c, twin:
    x.pending()
a.send(frame(BROADCAST, A, size=100))
sw.sync()
is_("two endpoints get a copy each, the port counts once",
    (sw.port(2)["out"], len(b.pending()), len(twin.pending())),
    ({"packets": 4, "bytes": 1260}, 1, 1))
twin.close()
sw.do("port/resetcounter 2")
is_("port/resetcounter N resets that one", (
    sw.port(2)["out"], sw.port(3)["out"]), (
    {"packets": 0, "bytes": 0}, {"packets": 3, "bytes": 260}))
is_("a port that does not exist is in range",
    [sw.console.cmd("port/resetcounter %d" % n)[0] for n in (16, 17)],
    [0, errno.EINVAL])

lost = []
for n in range(20):
    c.pending()
    last = sw.plug(5)
    said = [frame(BROADCAST, mac(5), struct.pack(">I", n * 100 + i))
            for i in range(50)]
    last.send(*said)
    last.close()
    until(lambda: not sw.port(5)["active"])
    sw.sync()
    if c.pending() != said:
        lost.append(n)
is_("the last words of who leaves at once are heard", lost, [])
stay = sw.plug(5)
stay.ctl.close()
deadline = time.monotonic() + DEADLINE
try:
    while time.monotonic() < deadline:
        stay.send(frame(BROADCAST, mac(5)))
        c.pending()
except OSError:
    pass
ok("but he cannot go on for ever", time.monotonic() < deadline)
stay.close()
until(lambda: sw.quiet(a, b, c))  # what had to wait for them comes now

# --- a station moves, ages, goes ------------------------------------------

M = mac(0x77)
heard(a, frame(BROADCAST, M), by=[])
heard(b, frame(BROADCAST, M), by=[])
is_("who has just spoken does not move", where(M), 1)
ok("but it is logged", sw.logged("MAC %s moved from port 1 to port 2" %
                                 mac_str(M)), sw.log)
sw.do("hash/setminper 0")
f = frame(BROADCAST, M)


def moves():
    heard(b, f, by=[])
    return where(M) == 2


ok("after more than the persistence of silence it does", until(moves, 4))
is_("frames follow it", heard(c, frame(M, C), by=[a, b]),
    [[], [frame(M, C)]])
sw.do("hash/setminper 3")
b.close()
until(lambda: not sw.port(2)["active"])
is_("what was behind a port that is left is forgotten", (where(M), where(B)),
    (None, None))
is_("what was elsewhere is not", where(A), 1)
b = sw.plug(2)
sw.do("hash/setexpire 1", "hash/setgcint 1")
heard(b, frame(BROADCAST, B), by=[])
ok("ageing forgets the silent", until(
    lambda: sw.console.json("hash/showinfo")["entries"] == 0, 5),
   lambda: sw.do("hash/print"))
f = frame(B, A)
is_("and its frames are flooded again", heard(a, f, by=[b, c]), [[f], [f]])
sw.do("hash/setexpire 1", "hash/setminper 1000", "hash/setgcint 1000")
heard(a, frame(BROADCAST, M), by=[])
until(lambda: where(M) is None, 4)
heard(b, frame(BROADCAST, M), by=[])
is_("who was forgotten is learned anew wherever it is", where(M), 2)
sw.do("hash/setexpire 100", "hash/setminper 3", "hash/setgcint 2")

# --- hub ------------------------------------------------------------------

z = sw.plug(type_=PORT0)
heard(b, frame(BROADCAST, B), by=[])
sw.do("port/sethub 1")
f = frame(B, A)
is_("hub: known or not, to all but port 0", heard(a, f, by=[a, b, c, z]),
    [[], [f], [f], []])
f = frame(B, A, tci=0x6005, size=40)
is_("hub: unchanged, with its tag, padded", heard(a, f, by=[b, c]),
    [[padded(f)], [padded(f)]])
f = frame(B, A, tci=4095)
is_("hub: whatever the tag", heard(a, f, by=[b]), [[f]])
is_("hub: from port 0 too", heard(z, frame(A, C), by=[a, b, c]),
    [[frame(A, C)]] * 3)
is_("hub: nothing is learned", sw.do("hash/print"), [])
sw.do("port/sethub 0")
is_("switch: port 0 is like any other", heard(a, frame(NEW, A), by=[b, c, z]),
    [[frame(NEW, A)]] * 3)
heard(z, frame(BROADCAST, M), by=[])
is_("switch: port 0 is learned", where(M), 0)
for x in a, b, c, z:
    x.close()

# --- under way ------------------------------------------------------------

sw.stop()
sw = Switch("-n", "8")
pair = Pair(sw)
other = sw.plug(3)
pair.goes_on(5)


def survives(sentence, *commands, also=lambda: None):
    before = pair.rounds
    for i in range(20):
        sw.do(*commands)
        also()
    played = until(lambda: pair.rounds >= before + 40)
    ok("%s: %d commands while %d and more frames pass" % (
        sentence, 20 * len(commands), 80), played and not pair.lost, pair)


survives("port/setnumports", "port/setnumports 16384", "port/setnumports 100",
         "port/setnumports 8")
survives("hash/setsize", "hash/setsize 262144", "hash/setsize 16")
survives("ports", "port/create 7", "port/remove 7", "port/createauto",
         "port/remove 4")
survives("VLANs of other ports", "vlan/create 5", "vlan/addport 5 3",
         "port/setvlan 3 5", "port/setvlan 3 4095", "vlan/addport 5 3",
         "vlan/delport 5 3", "port/setvlan 3 0", "vlan/remove 5")
survives("other clients", also=lambda: [sw.plug().close() for _ in range(5)])
survives("a VLAN more for the ports themselves", "vlan/create 6",
         "vlan/addport 6 1", "vlan/addport 6 2", "vlan/delport 6 1",
         "vlan/delport 6 2", "vlan/remove 6")
survives("vlan/mode", "vlan/mode strict", "vlan/mode transparent",
         "vlan/mode auto")
survives("port/sethub", "port/sethub 1", "port/sethub 0")
survives("queues", "port/defqlen 0", "port/defqlen 128",
         "port/epqlen 1 %d 0" % pair.a.ep, "port/epqlen 1 %d 128" % pair.a.ep)
survives("listings", "port/allprint", "hash/print", "vlan/allprint", "help")
sw.do(*["vlan/create %d" % i for i in range(1, 4094)])
survives("4093 VLANs", "vlan/addport 4093 3", "vlan/delport 4093 3",
         "vlan/print")
note(pair)
is_("and nothing was dropped anywhere",
    [sw.drops(n) for n in (1, 2)], [{}, {}])
pair.stop()
is_("the switch ends well", sw.stop(), 0)
done()
