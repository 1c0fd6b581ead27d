# SPDX-License-Identifier: GPL-2.0-or-later
"""cablib - two hosts with a switch each and vde_cryptcab between, for tests

	from cablib import *              # also netns's

	net = Hosts()                     # two namespaces and a veth
	s1, s2 = Switch(), Switch()
	server, client = pair(ns=net.b, sock=(s1.dir, s2.dir))
	server.said("alice is up")        # waits until the log has that
"""
from netns import *


def genkey():
    """(file of a private key, its public key)."""
    path = unique("key")
    if run("vde_cryptcab", "genkey", path)[0]:
        raise AssertionError("genkey")
    return path, run("vde_cryptcab", "pubkey", path)[1].strip()


def peers_file(*blocks):
    """Each is (name, key, "setting value", ...)."""
    path = unique("peers")
    write_peers(path, *blocks)
    return path


def write_peers(path, *blocks):
    text = "".join("peer %s\n  key %s\n%s" % (
        b[0], b[1], "".join("  %s\n" % s for s in b[2:])) for b in blocks)
    fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(fd, text.encode())
    os.close(fd)
    os.rename(path + ".new", path)


class Cab:
    """A vde_cryptcab, ready. @ns: the namespace it is in."""

    def __init__(self, *options, ns=None, **popen):
        self.logfile = unique("cab") + ".log"
        r, w = os.pipe()
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.DEVNULL)
        argv = ["vde_cryptcab", "-v", *options, "--ready-fd", str(w)]
        with open(self.logfile, "wb") as log:
            if ns:
                ns.__enter__()
            self.proc = start(*argv, stderr=log, pass_fds=(w,), **popen)
            if ns:
                ns.__exit__()
        os.close(w)
        ready = select.select([r], [], [], DEADLINE)[0] and os.read(r, 1)
        os.close(r)
        if not ready:
            raise AssertionError("not ready: " + self.log())

    def log(self):
        with open(self.logfile, errors="replace") as f:
            return f.read()

    def said(self, regex, times=1, seconds=DEADLINE):
        """Waits until the log has it; False: it has not."""
        return bool(until(
            lambda: len(re.findall(regex, self.log())) >= times, seconds))

    def stop(self, signo=signal.SIGTERM):
        """The exit status."""
        if self.proc.poll() is None:
            self.proc.send_signal(signo)
        return self.proc.wait(DEADLINE)


class Hosts:
    """Host a is where the script is, host b another namespace; a veth with
    10.9.0.1, fd09::1 and 10.9.0.2, fd09::2."""

    def __init__(self, mtu=1500):
        ip("link", "set", "lo", "up")
        if not ip("link", "add", "wa", "type", "veth", "peer", "name", "wb"):
            skip("veths are not permitted")
        ip("addr", "add", "10.9.0.1/24", "dev", "wa")
        ip("addr", "add", "fd09::1/64", "dev", "wa", "nodad")
        ip("link", "set", "wa", "mtu", str(mtu), "up")
        self.b = Namespace()
        self.b.take("wb", "10.9.0.2/24", "fd09::2/64", mtu=mtu)
        self.b.ip("link", "set", "lo", "up")


def pair(server_options=(), client_options=(), at="10.9.0.2:7667", ns=None,
         sock=(None, None)):
    """(server in @ns, client) with new keys, up."""
    skey, spub = genkey()
    ckey, cpub = genkey()
    server = Cab("-s", sock[0], "--key", skey, "--peers",
                 peers_file(("alice", cpub)), *server_options, ns=ns)
    argv = ["--key", ckey, "-c", "home", "--peers",
            peers_file(("home", spub, "address " + at)), *client_options]
    client = Cab("-s", sock[1], *argv)
    server.client_argv = argv  # for another client like it
    return server, client


class Sniffer:
    """All packets on an interface, in both directions."""

    def __init__(self, name):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(ETH_P_ALL))
        self.sock.bind((name, ETH_P_ALL))

    def pending(self):
        packets = []
        while select.select([self.sock], [], [], 0)[0]:
            packets.append(self.sock.recv(1 << 17))
        return packets


def flows(src, dst, f, seconds=DEADLINE):
    """Does that frame arrive, at last? All others are read, too."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        src.send(f)
        if f in iter(lambda: dst.recv(0.1), None):
            while dst.recv(0.1):
                pass
            return True
    return False
