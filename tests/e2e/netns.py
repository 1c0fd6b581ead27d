# SPDX-License-Identifier: GPL-2.0-or-later
"""netns - interfaces and network namespaces, for tests in Python

	from netns import *               # also vdeclient's; in new namespaces

	ip("link", "add", "pa", "type", "veth", "peer", "name", "va")
	a = Host("va", mtu=1500)
	a.send(frame(BROADCAST, mac(1)))
	ns = Namespace()
	ns.take("va", "10.0.0.1/24")
	with ns:
	    s = socket.socket()           # one of that namespace

The script that imports it starts anew in user, network and mount namespaces
of its own, where it is root."""
import os
import sys

# Before anything is made.
if "IN_NAMESPACES" not in os.environ:
    os.environ["IN_NAMESPACES"] = "1"
    for how in "-Urnm", "-nm":
        if not os.system("unshare %s true 2>/dev/null" % how):
            os.execvp("unshare", ["unshare", how, *sys.argv])
    print("skip: namespaces are not permitted")
    sys.exit(77)

import ctypes

from vdeclient import *

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
_libc = ctypes.CDLL(None, use_errno=True)


def ip(*args):
    return run("ip", *args)[0] == 0


def quiet(name):
    """No neighbour discovery of the kernel's own."""
    with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name, "w") as f:
        f.write("1")


def veth(near, far):
    """A pair; @near is quiet and up."""
    if not ip("link", "add", near, "type", "veth", "peer", "name", far):
        skip("veths are not permitted")
    quiet(near)
    ip("link", "set", near, "up")


def ready(*names):
    """Waits until they take frames: some time after both ends are up."""
    for n in names:
        until(lambda: "state UP" in run("ip", "link", "show", n)[1])


class Host:
    """The other side of a port: what the kernel sends and receives there."""

    def __init__(self, name, mtu=9216):
        quiet(name)
        ip("link", "set", name, "mtu", str(mtu), "up")
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(ETH_P_ALL))
        self.sock.bind((name, ETH_P_ALL))
        # 802.1Q tags are taken off here; bring them back.
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    def send(self, f):
        self.sock.send(f)

    def recv(self, seconds=DEADLINE):
        while select.select([self.sock], [], [], seconds)[0]:
            try:
                f, anc, _, addr = self.sock.recvmsg(65536, 128)
            except OSError:  # the interface went down in the meantime
                continue
            if addr[2] == 4:  # outgoing
                continue
            for _, _, data in anc:
                status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data)
                if status & 0x10:
                    f = f[:12] + struct.pack(">HH", tpid, tci) + f[12:]
            return f
        return None

    def pending(self):
        """All that has arrived."""
        return list(iter(lambda: self.recv(0), None))


class Namespace:
    """Another network namespace; inside of "with", this thread is in it."""

    def __init__(self):
        self.proc = start("unshare", "-n", "sleep", "60")
        path = "/proc/%d/ns/net" % self.proc.pid
        mine = os.readlink("/proc/self/ns/net")
        # The new program's name too: until then it is not in there.
        until(lambda: os.readlink(path) != mine)
        self.there = os.open(path, os.O_RDONLY)
        self.here = os.open("/proc/self/ns/net", os.O_RDONLY)

    def enter(self, fd):
        if _libc.setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.enter(self.there)

    def __exit__(self, *_):
        self.enter(self.here)

    def ip(self, *args):
        with self:
            return ip(*args)

    def take(self, name, *addresses, mtu=None):
        """Moves an interface there and gives it addresses."""
        ip("link", "set", name, "netns", str(self.proc.pid))
        for a in addresses:
            self.ip("addr", "add", a, "dev", name,
                    *(["nodad"] if ":" in a else []))
        if mtu:
            self.ip("link", "set", name, "mtu", str(mtu))
        return self.ip("link", "set", name, "up")

    def end(self):
        os.close(self.there)
        os.close(self.here)
        self.proc.kill()
        self.proc.wait()


def transfer(ns_a, ns_b, addr, size=8 << 20):
    """By TCP from @ns_a to @addr in @ns_b and back. None, or what is wrong."""
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    with ns_b:
        server = socket.create_server((addr, 7), family=family)
    server.settimeout(DEADLINE)
    wrong = []

    def echo():
        try:
            c = server.accept()[0]
            c.settimeout(DEADLINE)
            data = pour_out(c, size)
            c.sendall(data)
            c.close()
        except OSError as e:
            wrong.append("server: %s" % e)

    def pour_out(s, n):
        out = bytearray()
        while len(out) < n:
            more = s.recv(1 << 20)
            if not more:
                break
            out += more
        return bytes(out)

    t = threading.Thread(target=echo, daemon=True)
    t.start()
    data = os.urandom(1 << 16) * (size >> 16)
    try:
        with ns_a:
            c = socket.socket(family)
        c.settimeout(DEADLINE)
        c.connect((addr, 7))
        c.sendall(data)
        back = pour_out(c, size)
        if back != data:
            wrong.append("%d of %d bytes came back" % (len(back), size))
        c.close()
    except OSError as e:
        wrong.append("client: %s" % e)
    t.join(DEADLINE)
    server.close()
    return wrong or None
