# SPDX-License-Identifier: GPL-2.0-or-later
"""stppeers - the bridge of Linux and Open vSwitch as peers of the spanning tree

	from stppeers import *            # netns' and stplib's, too

	net = Net()
	a, br = net.ours(0x1000), LinuxBridge("br0", 0x8000)
	link = Link(net, a, br)           # a tap of a's is a port of br
	net.station(br, via=br.host())
	link.down()                       # both ends see it
	link.up()

Both have ports, not cables: a tap of our switch, whose interface is the other
one's. What goes over it is recorded as with cables. Everything is in
namespaces of its own.
"""
from netns import *
from stplib import *

OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def need_taps():
    need("ip")
    if not ip("tuntap", "add", "dev", "probe", "mode", "tap"):
        skip("taps are not permitted")
    ip("link", "del", "probe")
    ip("link", "set", "lo", "up")


def ip_json(*args):
    return json.loads(run("ip", "-j", "-d", *args)[1])


class Link:
    """Between one of ours and @peer; port: its number at ours."""

    def __init__(self, net, bridge, peer):
        self.name = "t%d" % Link.count
        Link.count += 1
        self.bridge, self.peer = bridge, peer
        bridge.do("tap/add " + self.name)
        self.port = next(
            p["port"] for p in bridge.console.json("port/print")["ports"]
            if p["endpoints"][0]["description"] == self.name)
        quiet(self.name)
        with net.lock:
            net.taps.append(Sniffer(self.name))
        peer.take(self.name)
        self.up()

    def down(self):
        ip("link", "set", self.name, "down")

    def up(self):
        ip("link", "set", self.name, "up")


Link.count = 0


class Sniffer:
    """What goes over an interface, both ways; of that, BPDUs."""

    def __init__(self, name):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(ETH_P_ALL))
        self.sock.bind((name, ETH_P_ALL))

    def bpdus(self):
        out = []
        while select.select([self.sock], [], [], 0)[0]:
            try:
                f = self.sock.recv(2048)
            except OSError:  # it went down in the meantime
                continue
            if f[:6] == BPDU:
                out.append(f)
        return out


class HostClient(Host):
    """A host behind an interface, as Station wants it."""

    def __init__(self, name):
        Host.__init__(self, name, mtu=1500)
        self.data = self.sock


class LinuxBridge:
    """802.1D-1998, as the kernel speaks it, with short times."""

    def __init__(self, name, prio, forward_delay=4):
        self.name = name
        if not ip("link", "add", name, "type", "bridge", "stp_state", "1",
                  "priority", str(prio), "hello_time", "100", "max_age",
                  "600", "forward_delay", "%d00" % forward_delay):
            skip("no bridge in this kernel")
        quiet(name)
        ip("link", "set", name, "up")
        if self._info()["stp_state"] != 1:
            skip("another program has the spanning tree of bridges here")
        self.hosts = 0
        self.ports = []

    def _info(self):
        return ip_json("link", "show", self.name)[0]["linkinfo"]["info_data"]

    @staticmethod
    def _port(name):
        return ip_json("link", "show", name)[0]["linkinfo"]["info_slave_data"]

    def set(self, *args):
        ip("link", "set", self.name, "type", "bridge", *args)

    def take(self, port):
        ip("link", "set", port, "master", self.name)
        self.ports.append(port)

    def host(self):
        """A pair of interfaces: one is a port, the other a host's."""
        near, far = ("%s%d" % (self.name, self.hosts + i) for i in (0, 1))
        self.hosts += 2
        veth(near, far)
        self.take(near)
        return HostClient(far)

    @staticmethod
    def _address(bridge_id):
        """It is written without leading zeros there."""
        return ":".join("%02x" % int(x, 16) for x in
                        bridge_id.split(".")[1].split(":"))

    @property
    def mac(self):
        """It may change when a port is added."""
        return self._address(self._info()["bridge_id"])

    def root(self):
        """As told to its ports: for the bridge, some versions of ip show its
        own identifier instead."""
        return self._address(self._port(self.ports[0])["root_id"])

    def state(self, port):
        return self._port(port)["state"]


class Ovs:
    """Bridges of Open vSwitch's netdev datapath, with a database and a daemon
    of their own."""

    def __init__(self):
        need("ovs-vswitchd", "ovs-vsctl", "ovs-appctl", "ovsdb-tool")
        if not os.path.exists(OVS_SCHEMA):
            skip("no " + OVS_SCHEMA)
        self.dir = unique("ovs")
        os.mkdir(self.dir)
        for v in "RUN", "DB", "LOG", "SYSCONF":
            os.environ["OVS_%sDIR" % v] = self.dir
        self.db = "unix:%s/db" % self.dir
        conf = self.dir + "/conf.db"
        run("ovsdb-tool", "create", conf, OVS_SCHEMA)
        quietly = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        start("ovsdb-server", conf, "--remote=p" + self.db,
              "--unixctl=%s/db.ctl" % self.dir, **quietly)
        if not until(lambda: os.path.exists(self.dir + "/db")):
            skip("ovsdb-server does not start")
        start("ovs-vswitchd", self.db, "--disable-system",
              "--unixctl=%s/ctl" % self.dir, **quietly)
        self.vsctl("show")

    def vsctl(self, *args):
        rc, out, err = run("ovs-vsctl", "--timeout=8", "--db=" + self.db,
                           *args)
        if rc:
            skip("ovs-vsctl: " + err)
        return out

    def bridge(self, name, prio, hello=2):
        return OvsBridge(self, name, prio, hello)


class OvsBridge:
    def __init__(self, ovs, name, prio, hello):
        self.ovs, self.name = ovs, name
        self.hosts = 0
        ovs.vsctl("add-br", name, "--", "set", "bridge", name,
                  "datapath_type=netdev", "rstp_enable=true",
                  "other_config:rstp-priority=%d" % prio,
                  "other_config:rstp-hello-time=%d" % hello)
        self.mac = until(lambda: self._id("Bridge ID"))

    def take(self, port):
        self.ovs.vsctl("add-port", self.name, port)

    def host(self):
        """An edge port with a host behind it."""
        near, far = ("%s%d" % (self.name, self.hosts + i) for i in (0, 1))
        self.hosts += 2
        veth(near, far)
        self.ovs.vsctl("add-port", self.name, near, "--", "set", "port", near,
                       "other_config:rstp-port-admin-edge=true")
        return HostClient(far)

    def set_priority(self, prio):
        self.ovs.vsctl("set", "bridge", self.name,
                       "other_config:rstp-priority=%d" % prio)

    def show(self):
        return run("ovs-appctl", "-t", self.ovs.dir + "/ctl", "rstp/show",
                   self.name)[1]

    def _id(self, which):
        m = re.search(which + r":.*?stp-system-id\s+(\S+)", self.show(), re.S)
        return m and m.group(1)

    def root(self):
        return self._id("Root ID")

    def roles(self):
        """(role, state) by interface."""
        return {m.group(1): (m.group(2), m.group(3)) for m in re.finditer(
            r"^\s+(\S+)\s+(Root|Designated|Alternate|Backup|Disabled)\s+"
            r"(\S+)", self.show(), re.M)}
