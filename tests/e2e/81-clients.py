#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""81-clients.py - clients of version 1 and 3, in raw bytes, on our switch

Written from the description of the control protocol: what a request may look
like, which port it gets, and that clients of both versions, with paths and
with abstract names, exchange frames.
"""
import array
import fcntl

from vdeclient import *

SIOCOUTQ = 0x5411  # bytes that the other side has not read
sw = Switch("--numports", "8")


def descr(n):
    return [e["description"] for e in sw.port(n)["endpoints"]]


def hears(client, wanted):
    """Does that frame come, whatever comes before?"""
    got = client.recv()
    while got is not None and got != wanted:
        got = client.recv()
    return got == wanted


def exchange(what, one, two):
    """A broadcast one way, which teaches the address, and an answer."""
    a, b = mac(0x100 + one.port), mac(0x200 + two.port)
    there = frame(BROADCAST, a, b"there " * 12)
    back = frame(a, b, b"and back " * 20)
    one.send(there)
    ok(what + ": a broadcast arrives", hears(two, there))
    two.send(back)
    ok(what + ": the answer arrives", hears(one, back))


# --- version 1 and version 3 -------------------------------------------------

old = sw.plug(version=1, descr=b"old client user=me PID=1")
is_("v1: the reply is a sockaddr_un",
    (len(old.reply), old.reply[:2]), (110, struct.pack("=H", socket.AF_UNIX)))
is_("v1: in the switch's directory", os.path.dirname(old.peer), sw.dir)
is_("v1: it gets the lowest free port", old.port, 1)
is_("v1: the console shows its description", descr(1),
    ["old client user=me PID=1"])
new = sw.plug(descr=b"new client")
is_("v3: any port is the next free one", new.port, 2)
is_("v3: the console shows its description", descr(2), ["new client"])
exchange("v1 to v3", old, new)
exchange("v3 to v1", new, old)

bare = sw.plug(version=1, type_=PORT0, descr=b"")
is_("v1: type 1 is port 0", bare.port, 0)
like("v1: no description is needed", "\n".join(sw.do("port/print 0")),
     "no endpoint description")
bare.close()

# --- ports -------------------------------------------------------------------

five = sw.plug(5)
is_("v3: a port by its number", five.port, 5)
exchange("numbered port", new, five)
zero = sw.plug(type_=PORT0)
is_("v3: type 1 is port 0", zero.port, 0)
exchange("port 0", zero, new)
same = sw.plug(6, type_=PORT0)
is_("v3: type 1 is port 0 whatever number it carries", same.port, 0)
same.close()
third = sw.plug()
is_("v3: any port is again the lowest free one", third.port, 3)
third.close()
shared = sw.plug(5, descr=b"the second")
is_("a second client of the same user shares a port, listed first", descr(5),
    ["the second", "test"])
sw.quiet(five, shared)
five.send(frame(BROADCAST, mac(50)))
ok("the others hear an endpoint", hears(new, frame(BROADCAST, mac(50))))
is_("endpoints of one port do not hear each other", sw.quiet(five, shared),
    True)
old.send(frame(BROADCAST, mac(51)))
is_("each of them hears the other ports", (five.recv(), shared.recv()),
    (frame(BROADCAST, mac(51)),) * 2)
shared.close()

# --- abstract names ----------------------------------------------------------

# The name in a request has no length: it is the whole sun_path.
hidden = sw.plug(path=("\0" + unique()).ljust(108, "\0"), descr=b"abstract")
is_("an abstract name is served", descr(hidden.port), ["abstract"])
exchange("abstract", hidden, new)
hidden.close()
is_("no name at all is refused",
    refused(sw.dir, request=request_v3(b"")), True)

# --- a request in pieces -----------------------------------------------------


class InPieces(socket.socket):
    """A stream that sends its first bytes in pieces of these sizes; each when
    the switch has read the one before."""
    sizes = ()

    def sendall(self, data):
        for size in self.sizes:
            super().sendall(data[:size])
            data = data[size:]
            until(lambda: not self.unread())
        super().sendall(data)

    def unread(self):
        n = array.array("i", [0])
        fcntl.ioctl(self, SIOCOUTQ, n)
        return n[0]


def plug_in_pieces(sizes, **kw):
    plain, InPieces.sizes = socket.socket, sizes
    socket.socket = InPieces
    try:
        return sw.plug(7, **kw)
    finally:
        socket.socket = plain


for what, sizes in (("byte by byte", [1] * 121), ("the magic cut", [2]),
                    ("each field, the address cut", [4, 4, 4, 2, 50]),
                    ("all but a byte of the address", [121])):
    split = plug_in_pieces(sizes, descr=b"in pieces")
    is_("a request in pieces is understood: " + what,
        (split.port, descr(7)), (7, ["in pieces"]))
    exchange(what, new, split)
    split.close()
    until(lambda: not sw.port(7)["endpoints"])
split = plug_in_pieces([1] * 123, version=1, descr=b"in pieces")
is_("and one of version 1", descr(split.port), ["in pieces"])
exchange("version 1", new, split)
split.close()

# --- at the end ---------------------------------------------------------------

peer = five.peer
five.close()
ok("closing the stream unplugs",
   until(lambda: not sw.port(5)["endpoints"]), lambda: sw.port(5))
is_("and removes the switch's data socket", os.path.exists(peer), False)
exchange("the others go on", old, new)
is_("the switch ends well", sw.stop(), 0)
ok("then clients read the end of the stream", new.hung_up() and old.hung_up())
done()
