#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Classes of frames: "delay only TCP to port 443", and what else filters do."""
import sys
sys.dont_write_bytecode = True
import vdeclient
from wirelib import *

vdeclient.PROMPT = b"\nVDEwf$ "
TCP, UDP = 6, 17
TEXT = "tcp dst port 443"


def ip(proto, sport, dport, number, size=80):
    """A packet with a number at its end, without checksums."""
    f = mac(2) + mac(1) + b"\x08\0" + struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, size - 14, 0, 0, 64, proto, 0,
        bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))) + struct.pack(
            ">HH", sport, dport)
    return f + bytes(size - len(f) - 2) + struct.pack(">H", number)


def web(number, **kw):
    return ip(TCP, 50000, 443, number, **kw)


def other(number, **kw):
    return ip(TCP, 50000, 80, number, **kw)


def numbers(frames, flow):
    """Of those of a flow, in their order."""
    return [struct.unpack(">H", f[-2:])[0] for f in frames
            if f[:-2] == flow(0)[:-2]]


try:
    Wire("--class", "web " + TEXT).stop()
except NotReady as e:
    if "needs libpcap" not in e.args[1]:
        raise
    skip("libpcap is missing")

# --- delay only TCP to port 443 ----------------------------------------------

DELAY = 0.3
w = Wire("--class", "web " + TEXT, "--class-set", "web delay LR%d" %
         (DELAY * 1000), console=True)
sent = time.monotonic()
w.left.send(*(f(n) for n in range(100) for f in (web, other)))
got = []
for i in range(200):
    at, f = w.right.recv_at()
    got.append(f)
    if i == 100:
        first = at - sent
ok("nothing is lost", None not in got)
is_("what is not for port 443 comes at once, in its order",
    numbers(got[:100], other), list(range(100)))
is_("what is comes later, in its own", numbers(got[100:], web),
    list(range(100)))
ok("by the delay, not less", first >= DELAY, first)
w.right.send(ip(TCP, 443, 50000, 1), web(2))
is_("the other direction has no delay", numbers(w.left.take(2), web), [2])

console = WireConsole(w.mgmt)
is_("showclasses has filters, settings and counts", console.do("showclasses"), [
    "Class web: " + TEXT,
    " L->R frames 100 bytes 8000 R->L frames 1 bytes 80",
    " delay L->R 300+0U R->L -",
    "Others",
    " L->R frames 100 bytes 8000 R->L frames 1 bytes 80"])
shown = console.json("showclasses")
is_("and the same in JSON", shown, {
    "classes": [{
        "class": "web", "filter": TEXT,
        "lr": {"frames": 100, "bytes": 8000},
        "rl": {"frames": 1, "bytes": 80},
        "settings": {"delay": {
            "unit": "ms", "lr": {"text": "300+0U"}, "rl": None}}}],
    "others": {"lr": {"frames": 100, "bytes": 8000},
               "rl": {"frames": 1, "bytes": 80}}})
console.do("reset-counters")
is_("reset-counters begins anew",
    console.json("showclasses")["others"]["lr"]["frames"], 0)

# --- a class that goes -------------------------------------------------------

console.do("class-set web delay LR1000")
w.left.send(*(web(n) for n in range(200, 220)))
ok("a class has waiting frames",
   until(lambda: console.json("showclasses")["classes"][0]["lr"]["frames"]
         == 20))
console.do("class-del web")
w.left.send(web(300))
got = w.right.take(21)
is_("who comes when it has gone is not delayed", numbers(got[:1], web), [300])
is_("and its frames leave as they would have, none is lost",
    numbers(got[1:], web), list(range(200, 220)))
is_("without classes there is nothing to show", console.do("showclasses"), [])

# --- errors ------------------------------------------------------------------

EINVAL = errno.EINVAL
console.says("class-add web tcp prt 443", [
    "filter 'tcp prt 443': can't parse filter expression: syntax error"],
    EINVAL)
code, data = console.cmd("class-add web host 1.2.3.400")
like("a filter is refused in libpcap's words", "\n".join(data), "1.2.3.400")
is_("and there is no such class then", console.cmd("class-del web")[0],
    errno.ENOENT)
console.do("class-add web tcp")
console.says("class-add web udp", ["class 'web': there is one of that name"],
             errno.EEXIST)
console.says("class-add we/b udp", [
    "class 'we/b': a name has 1 to 31 letters, digits, '-' and '_'"], EINVAL)
console.says("class-set web delay 5[0]", [
    "delay '5[0]': a class has no nodes"], EINVAL)
console.says("class-set web delay -3", ["delay '-3': a number is negative"],
             EINVAL)
console.says("class-set web fifo 0", ["there is no setting 'fifo'"], EINVAL)
console.says("class-set voice delay 5", [
    "class 'voice': there is none of that name"], errno.ENOENT)
console.do(*("class-add c%d port %d" % (i, i) for i in range(14)))
console.says("class-add more icmp", ["class 'more': there are 15 already"],
             errno.ENOSPC)
is_("none of it stopped the wire", (w.left.send(other(7)),
                                    numbers(w.right.take(1), other))[1], [7])
w.stop()

for options, words in (
        (["--class", "web tcp prt 3"], "'web tcp prt 3': filter 'tcp prt 3': "
         "can't parse filter expression: syntax error"),
        (["--class", "web"], "'web': usage: class-add <name> <filter...>"),
        (["--class", "a ip", "--class-set", "a delay x"],
         "'a delay x': delay 'x': a number is missing"),
        (["--class-set", "a delay 3"],
         "'a delay 3': class 'a': there is none of that name")):
    status, log = refused_wire(*options)
    ok("%s is refused with the reason" % " ".join(options),
       status in (1, 2) and words in log, (status, log))

# --- more than one -----------------------------------------------------------

w = Wire("--class", "tagged vlan 5 and tcp port 443",
         "--class", "web tcp port 443", "--class", "rest tcp",
         "--class-set", "tagged loss 100", "--class-set", "rest loss 100")
frame_ = web(1)
w.left.send(frame_[:12] + b"\x81\0\0\5" + frame_[12:], web(2), other(3),
            b"short", ip(UDP, 1, 1, 4), web(5))
is_("a tag is seen, and the first filter that matches decides",
    w.right.take(4), [web(2), b"short", ip(UDP, 1, 1, 4), web(5)])
ok("no others come", w.right.quiet(0.05))
w.stop()

# A quarter of a second of bulk traffic. It waits for its own line, for which
# nobody else waits.
w = Wire("--class", "bulk tcp dst port 80", "--class-set", "bulk band 10000",
         console=True)
w.left.send(*(other(n, size=248) for n in range(10)),
            *(web(n) for n in range(10)))
got = w.right.take(11)
is_("a class with a bandwidth has a line of its own", numbers(got[:10], web),
    list(range(10)))
is_("on which its frames are in order", w.right.take(9)[-1],
    other(9, size=248))
console = WireConsole(w.mgmt)
console.do("class-add web " + TEXT, "class-set web qdisc codel 5,100",
           "class-set bulk delay RL20+5N")
config = console.do("showconfig")
w.stop()

# --- from a file -------------------------------------------------------------

rc = TMP + "/rc"
with open(rc, "w") as f:
    f.write("\n".join(config) + "\nclass-add bad tcp prt\n")
w = Wire("-f", rc, console=True)
console = WireConsole(w.mgmt)
is_("what showconfig says makes the same classes", console.do("showconfig"),
    config)
like("a bad line of a file is logged, with the reason", w.log(),
     r"class-add bad tcp prt .*syntax error")
w.stop()

# --- without libpcap ---------------------------------------------------------

libs = set(re.findall(r"=> (\S*/libpcap\.so\.\S*)", run(
    "/sbin/ldconfig", "-p")[1]))
without = ("unshare", "-m" if os.getuid() == 0 else "-Urm", "sh", "-c",
           "".join("mount --bind /dev/null %s && " % x for x in libs) +
           'exec "$@"', "sh")
if libs and run(*without, "true")[0] == 0:
    r = subprocess.run((*without, "wirefilter", "--class", "web tcp"),
                       input=b"", capture_output=True, timeout=DEADLINE)
    ok("without libpcap a class is refused", r.returncode in (1, 2) and
       b"a filter needs libpcap: " in r.stderr, (r.returncode, r.stderr))
    env = {k: v for k, v in os.environ.items()
           if k not in ("ALTERNATE_STDIN", "ALTERNATE_STDOUT")}
    r = subprocess.run((*without, "wirefilter", "-d", "1"), env=env,
                       input=packed(web(1), other(2)), capture_output=True,
                       timeout=DEADLINE)
    is_("and all else works", (r.returncode, r.stdout),
        (0, packed(web(1), other(2))))
else:
    skip_point("without libpcap a class is refused",
               "libpcap cannot be hidden, or is not there")

done()
