#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""vde_cryptcab: servers that die, come back, and a client that moves"""
from cablib import *

need("vde_cryptcab")
LIMIT = 1.0  # seconds of lost frames when a server is killed
net = Hosts()
far, near = Switch(), Switch()
ckey, cpub = genkey()
keys = [genkey() for _ in range(2)]
PORTS = 7001, 7002


def serve(i):
    return Cab("-s", far.dir, "--key", keys[i][0], "-p", str(PORTS[i]),
               "--peers", peers_file(("alice", cpub)), ns=net.b)


servers = [serve(0), serve(1)]
client = Cab("-s", near.dir, "--key", ckey, "-c", "one", "-c", "two",
             "--peers", peers_file(
                 ("one", keys[0][1], "address 10.9.0.2:%d" % PORTS[0]),
                 ("two", keys[1][1], "address [fd09::2]:%d" % PORTS[1])))
ok("the first server is used", client.said("one is up"))
a, b = far.plug(), near.plug()
ok("frames flow", flows(a, b, frame(BROADCAST, mac(1), b"open?")) and
   flows(b, a, frame(mac(1), mac(2), b"open!")))


def stream(seconds, at, act):
    """1000 frames a second from b; (sent, [missing]) ."""
    got, n, begin = set(), 0, time.monotonic()
    while True:
        now = time.monotonic() - begin
        if now >= seconds:
            break
        if act and now >= at:
            act()
            act = None
        while n < now * 1000:
            b.send(frame(mac(1), mac(2), b"seq" + struct.pack(">I", n)))
            n += 1
        f = a.recv(0.0005)
        while f:
            if f[14:17] == b"seq":
                got.add(struct.unpack(">I", f[17:21])[0])
            f = a.recv(0)
    end = time.monotonic() + 1
    while len(got) < n and time.monotonic() < end:
        f = a.recv(0.1)
        if f and f[14:17] == b"seq":
            got.add(struct.unpack(">I", f[17:21])[0])
    return n, sorted(set(range(n)) - got)


n, missing = stream(2.0, 0.2, lambda: servers[0].proc.kill())
note("%d frames, %d missing" % (n, len(missing)))
ok("a killed server costs less than a second of frames",
   missing and len(missing) < LIMIT * 1000, len(missing))
ok("they go through the second", client.said("two is up at .fd09::2.:7002"))

servers[0] = serve(0)
servers[1].proc.kill()
ok("frames flow through the first again",
   flows(b, a, frame(mac(1), mac(2), b"again")))
ok("which was called", client.said("one is up", times=2))

servers[0].proc.kill()
b.send(frame(mac(1), mac(2), b"nobody"))
ok("the client notices that nobody is there",
   client.said("one at .* is down", times=2))
servers[0] = serve(0)
ok("and finds the server when it is back", client.said("one is up", times=3))
ok("frames flow again", flows(b, a, frame(mac(1), mac(2), b"back")))

# The client gets another address, as behind a NAT that has forgotten it.
ip("addr", "add", "10.9.0.77/24", "dev", "wa")
ip("addr", "del", "10.9.0.1/24", "dev", "wa")
ip("addr", "add", "10.9.0.77/24", "dev", "wa")
ok("frames flow from another address",
   flows(b, a, frame(mac(1), mac(2), b"moved")))
ok("which the server has noticed",
   servers[0].said("alice has moved to 10.9.0.77"))
ok("and back", flows(a, b, frame(mac(2), mac(1), b"moved too")))

ip("link", "set", "wa", "down")
b.send(frame(mac(1), mac(2), b"down"))
ip("link", "set", "wa", "up")
ok("an interface that was down", flows(b, a, frame(mac(1), mac(2), b"up")))
is_("the client ends well", client.stop(), 0)
is_("the server, too", servers[0].stop(), 0)
done()
