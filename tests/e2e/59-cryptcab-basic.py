#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""vde_cryptcab between two hosts: frames of all kinds pass, nothing else"""
from cablib import *

need("vde_cryptcab")
net = Hosts()
s1, s2 = Switch(), Switch()
sniffer = Sniffer("wa")
server, client = pair(ns=net.b, sock=(s1.dir, s2.dir))
ok("the client is up", client.said("home is up at 10.9.0.2:7667"))
ok("the server knows it by its name", server.said("alice is up at 10.9.0.1"))
ok("the path was measured", client.said("datagrams of 1472 bytes"))

a, b = s1.plug(), s2.plug()
secret = b"nobody shall read this" * 20
hello = frame(BROADCAST, mac(1), secret)


def passes(src, dst, f):
    src.send(f)
    return dst.recv()


ok("frames flow", flows(a, b, frame(BROADCAST, mac(1), b"open?")))
ok("its port at the switch has its name",
   "vde_cryptcab alice" in str(s1.console.json("port/allprint")))
is_("a frame passes to the client", passes(a, b, hello), hello)
reply_ = frame(mac(1), mac(2), b"answer", size=64)
is_("and one back", passes(b, a, reply_), reply_)
for size in 60, 1000, 1422, 1436, 1437, 1500, 1514, 4000, 9018, 9230:
    f = frame(mac(1), mac(2), os.urandom(size - 14))
    is_("a frame of %d bytes" % size, passes(b, a, f) == f, True)
tagged = frame(mac(1), mac(2), b"x" * 60, tci=0x2005)
is_("a tagged one, as it is", passes(b, a, tagged), tagged)
many = [frame(mac(1), mac(2), struct.pack(">I", i) * 200) for i in range(200)]
wire = sniffer.pending()
for i in range(0, 200, 20):
    b.send(*many[i:i + 20])
    wire += sniffer.pending()  # it has little room
    is_("twenty in order", [a.recv() for _ in range(20)] == many[i:i + 20],
        True)
wire += sniffer.pending()
ok("all was on the wire", sum(map(len, wire)) > 200 * 800, len(wire))
is_("and no plaintext", [f for f in wire if secret[:22] in f or
                         b"answer" in f], [])
is_("the client ends well", client.stop(), 0)
a.send(hello)
ok("the server notices when it has something for the client",
   server.said("alice .* is down"))
ok("and takes its port away", until(
    lambda: "alice" not in str(s1.console.json("port/allprint"))))
# --- pipes in place of a switch: in a dpipe, without -s
log = unique("dpipe") + ".log"
argv = server.client_argv
with open(log, "wb") as out:
    dpipe = start("dpipe", "vde_plug", s2.dir, "=", "vde_cryptcab", "-v",
                  *argv, stderr=out, stdin=subprocess.DEVNULL,
                  stdout=subprocess.DEVNULL)
ok("a client between pipes", server.said("alice is up", times=2))
ok("carries frames, too", flows(b, a, frame(mac(1), mac(2), b"pipes")) and
   flows(a, b, frame(mac(2), mac(1), b"pipes")))
long = frame(mac(1), mac(2), os.urandom(9000))
ok("and long ones", flows(b, a, long))
dpipe.terminate()
dpipe.wait(DEADLINE)
is_("the server ends well", server.stop(), 0)
is_("nothing was wrong", re.findall("error|warning", server.log() +
                                    client.log()), [])
done()
