#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""vde_cryptcab puts its clients into their VLANs at the switch, ours and VDE
2's, and takes them out when they leave"""
from cablib import *

PEER = "/usr/bin/vde_switch"

need("vde_cryptcab")
net = Hosts()


class Debian:
    """VDE 2's switch, with what Switch() has of it."""

    def __init__(self):
        base = unique("d")
        self.dir, self.mgmt = base + ".ctl", base + ".mgmt"
        # Its console reads standard input until that ends.
        self.proc = start(PEER, "-s", self.dir, "-M", self.mgmt, "-f",
                          "/dev/null", stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
        self.console = until(self.listens)

    def listens(self):
        """Its console, once somebody listens at the socket."""
        try:
            return Console(self.mgmt)
        except OSError:
            return None

    def plug(self, port=0, **kw):
        return Client(self.dir, port, **kw)


def ports(sw):
    """{number: untagged VLAN} of all ports."""
    return {int(n): int(v) for n, v in re.findall(
        r"Port (\d+) untagged_vlan=(\d+)",
        "\n".join(sw.console.do("port/allprint")))}


def vlans(sw):
    """{VLAN: {port: tagged}}."""
    found = {}
    for line in sw.console.do("vlan/allprint"):
        m = re.match(r"VLAN (\d+)", line)
        if m:
            vlan = found.setdefault(int(m[1]), {})
        m = re.match(r" -- Port (\d+) tagged=(\d)", line)
        if m:
            vlan[int(m[1])] = int(m[2])
    return found


def try_switch(name, sw):
    near = Switch()
    skey, spub = genkey()
    ckey, cpub = genkey()
    sw.console.do("vlan/create 7")
    a, b = sw.plug(), near.plug()  # in VLAN 0, and the client
    until(lambda: len(ports(sw)) == 1)
    peers = peers_file(("alice", cpub, "vlan 5", "tagged 7,9"))
    server = Cab("-s", sw.dir, "--key", skey, "--peers", peers,
                 "--switch-mgmt", sw.mgmt, ns=net.b)
    client = Cab("-s", near.dir, "--key", ckey, "-c", "home", "--peers",
                 peers_file(("home", spub, "address 10.9.0.2:7667")))
    ok(name + ": the client is up", client.said("home is up"), client.log())
    if not ok(name + ": it has a port in its VLAN", until(
            lambda: 5 in ports(sw).values()), server.log()):
        return
    port = [n for n, v in ports(sw).items() if v == 5][0]
    # The switch is told one thing after the other.
    ok(name + ": and in its tagged ones, one of them new", until(
        lambda: {v: p.get(port) for v, p in vlans(sw).items()} ==
        {0: None, 5: 0, 7: 1, 9: 1}), lambda: vlans(sw))
    sw.console.do("port/create 20", "port/setvlan 20 5",
                  "port/create 21", "vlan/addport 9 21")
    five, nine = sw.plug(20), sw.plug(21)
    hello = frame(BROADCAST, mac(2), b"from the client")
    ok(name + ": its frames are in that VLAN", flows(b, five, hello))
    tagged = frame(BROADCAST, mac(2), b"tagged" + bytes(60), tci=9)
    ok(name + ": tagged ones in theirs", flows(b, nine, tagged))
    five.send(frame(BROADCAST, mac(3), b"to the client"))
    is_(name + ": it gets those of its VLAN", b.recv(),
        frame(BROADCAST, mac(3), b"to the client"))
    a.send(frame(BROADCAST, mac(4), b"VLAN 0"))
    is_(name + ": and no others", (a.recv(0.1), b.recv(0.1)), (None, None))
    five.close()
    nine.close()
    until(lambda: sw.console.cmd("port/remove 20")[0] == 0)
    until(lambda: sw.console.cmd("port/remove 21")[0] == 0)
    write_peers(peers, ("alice", cpub, "vlan 6"))
    ok(name + ": other VLANs are another port", until(
        lambda: sorted(ports(sw).values()) == [0, 6]),
       lambda: "%s\n%s" % (ports(sw), server.log()))
    ok(name + ": what is not used any more is gone", until(
        lambda: sorted(vlans(sw)) == [0, 6, 7]), vlans(sw))
    write_peers(peers)
    ok(name + ": with its peer a port goes", until(
        lambda: list(ports(sw).values()) == [0]),
       lambda: "%s\n%s" % (ports(sw), server.log()))
    ok(name + ": and what was made for it", until(
        lambda: sorted(vlans(sw)) == [0, 7]), vlans(sw))
    write_peers(peers, ("alice", cpub, "tagged 9"))
    ok(name + ": who has no untagged VLAN has none", until(
        lambda: b.send(tagged) or 4095 in ports(sw).values(), 12),
       server.log())
    is_(name + ": the server ends well", server.stop(), 0)
    is_(name + ": and leaves nothing behind",
        (list(ports(sw).values()), sorted(vlans(sw))), ([0], [0, 7]))
    is_(name + ": nothing was wrong", re.findall(
        ".*(?:error|warning).*", server.log()), [])
    client.stop()


ours = Switch()
try_switch("ours", ours)

# ---- a switch that goes, one that is not there ----
skey, spub = genkey()
ckey, cpub = genkey()
near = Switch()
server = Cab("-s", ours.dir, "--key", skey, "--peers",
             peers_file(("alice", cpub, "vlan 5")), "--switch-mgmt",
             ours.mgmt, ns=net.b)
client = Cab("-s", near.dir, "--key", ckey, "-c", "home", "--peers",
             peers_file(("home", spub, "address 10.9.0.2:7667")))
ok("a port in its VLAN", until(lambda: 5 in ports(ours).values()))
ours.proc.kill()
ours.proc.wait()
again = Switch(directory=ours.dir, mgmt=ours.mgmt)
ok("in that of a new switch at the same place, too", until(
    lambda: 5 in ports(again).values(), 12), server.log())
is_("and no other", [v for v in ports(again).values() if v != 5], [])
os.kill(again.proc.pid, signal.SIGSTOP)
ok("the server ends while the switch sleeps", server.stop() == 0)
os.kill(again.proc.pid, signal.SIGCONT)
client.stop()
until(lambda: not [v for v in ports(again).values() if v])

# ---- VLANs that the switch does not take ----
mgmt = unique("m")
peers = peers_file(("alice", cpub, "vlan 6", "tagged 4094"))
server = Cab("-s", again.dir, "--key", skey, "--peers", peers, "-M", mgmt,
             "--switch-mgmt", again.mgmt, ns=net.b)
client = Cab("-s", near.dir, "--key", ckey, "-c", "home", "--peers",
             peers_file(("home", spub, "address 10.9.0.2:7667")))
ok("a VLAN that cannot be is refused by the switch, and the log says so",
   server.said("unable to open a port of .* for alice: vlan/create 4094: "
               "Invalid argument"), server.log())
ok("nothing is left of it at the switch", until(
    lambda: not [v for v in ports(again).values() if v] and
    6 not in vlans(again)), lambda: (ports(again), vlans(again)))
write_peers(peers, ("alice", cpub, "vlan 5"))
ok("with VLANs that can be it has its port", until(
    lambda: 5 in ports(again).values()), server.log())
is_("the server ends well", server.stop(), 0)
client.stop()
status, _, err = run("vde_cryptcab", "-s", again.dir, "--key", skey,
                     "--switch-mgmt", TMP + "/none", "-p", "0")
is_("without a console there it does not start", status, 1)
ok("and says why", "unable to talk to the switch at " in str(err), err)

if os.access(PEER, os.X_OK):
    try_switch("VDE 2", Debian())
else:
    print("# VDE 2's switch is not here")
done()
