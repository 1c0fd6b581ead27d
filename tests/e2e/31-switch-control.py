#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""31-switch-control.py - SOCKDIR/ctl, byte by byte: answers, which port is
given to whom, refusals and their reasons, how connections end. While all of
this happens two other ports play ping-pong and must not notice."""
import errno
import stat

from vdeclient import *

sw = Switch("-n", "12")
pair = Pair(sw)  # ports 1 and 2


def endpoints(n):
    return sw.port(n)["endpoints"]


def is_refused(sentence, reason, *args, **kw):
    """The switch hangs up without a byte and logs that reason."""
    seen = len(sw.log())
    good = refused(sw.dir, *args, **kw)
    said = until(lambda: re.search(reason, sw.log()[seen:]), 5)
    ok(sentence, good and said, lambda: "%s\nlog: %s" % (good, sw.log()[seen:]))


def log_again():
    """The switch limits what it logs of refusals: a fresh one may speak."""
    global sw, pair
    pair.stop()
    sw.stop()
    sw = Switch("-n", "12")
    pair = Pair(sw)


# --- the answer -----------------------------------------------------------

c = sw.plug(descr=b"descr user=me pid=1")
is_("the answer is a sockaddr_un and nothing else", c.reply,
    struct.pack("=H108s", socket.AF_UNIX, c.peer.encode()))
ep = endpoints(3)[0]
is_("its path is DIR/PPP.F: port and endpoint ID", c.peer,
    "%s/003.%d" % (sw.dir, ep["id"]))
ok("which is a socket", stat.S_ISSOCK(os.stat(c.peer).st_mode))
is_("F is the switch's descriptor of it", os.readlink(
    "/proc/%d/fd/%d" % (sw.pid, ep["id"]))[:8], "socket:[")
is_("the endpoint as the console shows it", sw.do("port/print 3")[-2:], [
    "  -- endpoint ID %04d module unix prog   : descr user=me pid=1" % c.ep,
    "              unsent packets: 0 max 128"])
twelve = sw.plug(12)
is_("two digits", os.path.basename(twelve.peer), "012.%d" % twelve.ep)
twelve.close()

for n, cut in (134, 134), (135, 134), (500, 134):
    d = sw.plug(descr=b"d" * n)
    is_("a description of %d bytes" % n,
        len(endpoints(d.port)[0]["description"]), cut)
    d.close()
d = sw.plug(version=1, descr=b"d" * 200)
is_("version 1: 132 of 200 bytes", len(endpoints(d.port)[0]["description"]),
    132)
d.close()
for given, shown in ((b"", "no endpoint description"), (b"a\x1b[2Jb\nc", None),
                     (b"a\0b", "a"), (b"\xff\xfe \xc3\xa4", None)):
    d = sw.plug(descr=given)
    line = [x for x in sw.do("port/print %d" % d.port) if "endpoint ID" in x]
    text = line[0].split(": ", 1)[1]
    ok("description %r does no harm" % given, len(line) == 1 and
       text.isprintable() and text == (shown or text), line)
    d.close()

# --- which port -----------------------------------------------------------

until(lambda: len(sw.console.json("port/print")["ports"]) == 3)
held = [sw.plug() for _ in range(3)]
is_("any port: the lowest that is free", [x.port for x in held], [4, 5, 6])
held[1].close()
until(lambda: not endpoints(5))
sw.do("vlan/create 9", "port/setvlan 5 9", "port/setgroup 5 %d" % os.getgid())
d = sw.plug()
p = sw.port(5)
is_("a freed port is given out again with its settings",
    (d.port, p["untagged_vlan"], p["group"] is not None), (5, 9, True))
d.close()
until(lambda: not endpoints(5))
sw.do("port/allocatable 5 0")
d = sw.plug()
is_("one that is not allocatable is passed over", d.port, 7)
e = sw.plug(5)
is_("but given to who asks for it", e.port, 5)
e.close()
d.close()
sw.do("port/create 8")
until(lambda: not endpoints(7))
e, f = sw.plug(), sw.plug()
is_("so is one that the console has created", (e.port, f.port), (7, 9))
ok("numbers of ports that were refused do not come into being",
   sw.console.cmd("port/allprint 10")[0] == errno.ENXIO)
for x in held + [e, f]:
    x.close()
until(lambda: len(sw.console.json("port/print")["ports"]) == 3)
full = [sw.plug() for _ in range(7)]
is_("any port, until none is left", [x.port for x in full],
    [4, 6, 7, 9, 10, 11, 12])
is_refused("no port is left", "refused a port to pid %d of uid %d, data "
           "socket .*: all ports are in use" % (os.getpid(), os.getuid()))
is_refused("a number above the last", "refused port 13 to .*: no such port nu",
           13)
is_refused("2^24 - 1", "refused port 16777215 .*: no such port", (1 << 24) - 1)
sw.do("port/setnumports 13")
d = sw.plug(13)
is_("more ports while it runs", d.port, 13)
for x in full + [d]:
    x.close()

# --- refusals -------------------------------------------------------------

log_again()
missing, plain, dead = unique(), unique(), unique()
open(plain, "w").close()
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(dead)
s.close()
own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
own.bind(unique("own"))
link = unique("link")
os.symlink(own.getsockname(), link)
busy = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
busy.bind(unique("busy"))
busy.connect(own.getsockname())
stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
stream.bind(unique("stream"))
stream.listen(1)
for sentence, path, reason in (
        ("a client path that is missing", missing, "No such file"),
        ("a regular file", plain, "Socket operation on non-socket"),
        ("a directory", TMP, "Socket operation on non-socket"),
        ("a symbolic link", link, "Socket operation on non-socket"),
        ("a path below a file", plain + "/x", "Not a directory"),
        ("a socket that nobody has open", dead, "Connection refused"),
        ("a socket that is connected elsewhere", busy.getsockname(),
         "Operation not permitted"),
        ("a stream socket", stream.getsockname(), "Protocol wrong type")):
    is_refused(sentence, "data socket %s: %s" % (re.escape(path), reason),
               request=request_v3(path))
log_again()
is_refused("the ctl socket itself", "Protocol wrong type",
           request=request_v3(sw.dir + "/ctl"))
for what, magic in ("zero", 0), ("the other byte order", 0xcefaedfe), \
        ("one bit", MAGIC ^ 1):
    is_refused("magic: " + what, "refused a request on %s/ctl: .*wrong magic"
               % re.escape(sw.dir), request=request_v3(missing, magic=magic))
for v in 2, 5, 6, 256, 1 << 31, (1 << 31) + 1, (1 << 31) + 3, (1 << 32) - 1:
    is_refused("version %d" % v, "unsupported protocol version|left out",
               request=request_v3(own.getsockname(), version=v))
    if v == 6:
        log_again()
log_again()
for t in 2, 3, 255:
    is_refused("type %d" % t, r"unknown request type \(version 3, type %d\)"
               % t, request=request_v3(own.getsockname(), type_=t))
is_refused("an address of another family", "unusable address",
           request=struct.pack("=III", MAGIC, 3, 0) + sockaddr("/x", 2))
is_refused("no name at all", "unusable address", request=request_v3(b""))
is_refused("a path without NUL", "unusable address",
           request=request_v3(b"/" + b"x" * 107))

garbage = b"\x90" * 300
good_request = request_v3(own.getsockname(), descr=b"d" * 200)
is_("lengths 0 to 300 of garbage, of a request, cut by a hang-up", [
    n for n in range(301) for data in (garbage[:n],)
    if n >= 4 and not refused(sw.dir, request=data)], [])
hung = []
for n in range(0, 122):
    k = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    k.settimeout(DEADLINE)
    k.connect(sw.dir + "/ctl")
    k.send(good_request[:n]) if n else None
    k.shutdown(socket.SHUT_WR)
    if k.recv(1) != b"":
        hung.append(n)
    k.close()
is_("a request that ends early gets no port", hung, [])
granted = []
for n in range(122, len(good_request) + 1):
    try:
        Client(sw.dir, request=good_request[:n].replace(
            own.getsockname().encode().ljust(108, b"\0"),
            b"\0" * 108)).close()
    except Refused:
        granted.append(n)
is_("of 122 bytes and more without an address neither",
    granted, list(range(122, len(good_request) + 1)))
short = []
for n in range(122, 301):
    path = unique()
    r = request_v3(path, descr=b"d" * 200)[:n]
    try:
        x = Client(sw.dir, path=path, request=r)
        if x.reply[2:4] != b"/t":
            short.append(n)
        x.close()
    except Refused:
        short.append(n)
is_("every length from 122 to 300 with one gets a port", short, [])

# --- after the answer -----------------------------------------------------

log_again()
c = sw.plug()
c.data.send(b"")
c.send(b"x" * 13)
c.send(frame(BROADCAST, mac(1)))
sw.sync()
is_("an empty datagram is ignored, one of 13 bytes counted as runt",
    (sw.drops(3), sw.port(3)["in"]["packets"]), ({"runt": 1}, 1))
for junk in request_v3(unique()), b"\0" * 5000, request_v3(c.path) * 30:
    c.ctl.sendall(junk)
sw.sync()
is_("what is written to the stream later means nothing",
    (len(endpoints(3)), sw.console.cmd("port/print 4")[0]), (1, errno.ENXIO))
c.ctl.setblocking(False)
try:
    got = c.ctl.recv(1)
except BlockingIOError:
    got = None
is_("and is not answered", got, None)
c.ctl.setblocking(True)
r = sw.console.cmd("port/epclose 3 %d" % c.ep)
ok("port/epclose: the client reads EOF", r[0] == 0 and c.hung_up(), r)
try:
    c.send(frame(BROADCAST, mac(1)))
    got = None
except OSError as e:
    got = e.errno
is_("port/epclose: its datagrams are refused", got, errno.ECONNREFUSED)
ok("port/epclose: the data socket is gone", not os.path.exists(c.peer))
is_("port/epclose: the port stays", sw.port(3)["active"], False)
c.close()
c = sw.plug()
c.ctl.shutdown(socket.SHUT_WR)
ok("half a close is a close", c.hung_up() and
   until(lambda: not sw.port(3)["active"]))
c.close()

a, b = sw.plug(), sw.plug()
stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
stranger.bind(unique("str"))
try:
    stranger.sendto(frame(BROADCAST, mac(6)), a.peer)
    got = None
except OSError as e:
    got = e.errno
is_("a third party cannot inject frames", (got, sw.quiet(a, b)),
    (errno.EPERM, True))
lazy = sw.plug(connect=False)
lazy.data.sendto(frame(BROADCAST, mac(7)), lazy.peer)
is_("a client need not connect its data socket", a.recv(),
    frame(BROADCAST, mac(7)))
for x in a, b, lazy:
    x.close()

# --- many -----------------------------------------------------------------

silent = []
for _ in range(1500):
    k = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    k.connect(sw.dir + "/ctl")
    silent.append(k)
c = sw.plug()
ok("1500 connections that ask for nothing keep nobody out", c.port == 3)
c.close()
for k in silent:
    k.close()
for i in range(300):
    sw.plug().close()
ok("300 clients that come and go leave nothing",
   until(lambda: len(os.listdir("/proc/%d/fd" % sw.pid)) < 25 and
         len(os.listdir(sw.dir)) == 3),
   lambda: os.listdir("/proc/%d/fd" % sw.pid) + os.listdir(sw.dir))
one = Switch("-n", "1", mgmt=False)
late = 0
for i in range(500):
    try:
        one.plug().close()
    except Refused:
        late += 1
is_("the only port is free for who comes right after one that leaves", late, 0)
one.stop()
ok("two other ports have gone on all the time", pair.goes_on(), pair)
note(pair)
pair.stop()
is_("the switch ends well", sw.stop(), 0)
done()
