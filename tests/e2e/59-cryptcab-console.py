#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The console of vde_cryptcab: peers listed, added, removed, kicked; what was
dropped and why; metrics"""
from cablib import *

PROMPT = b"\ncryptcab$ "


class CabConsole(Console):
    prompt = PROMPT

    def why(self, line):
        """(errno, reason) of a command."""
        j = self.json(line)
        return j.get("errno", j.get("code")), j.get("reason", "")


need("vde_cryptcab")
net = Hosts()
s1, s2 = Switch(), Switch()
skey, spub = genkey()
ckey, cpub = genkey()
_, other = genkey()
peers = peers_file(("alice", cpub, "macs %s" % "02:00:00:00:00:02",
                    "rate 100000000", "expires 2099-01-31T12:00Z"))
mgmt, cmgmt = unique("m"), unique("m")
server = Cab("-s", s1.dir, "--key", skey, "--peers", peers, "-M", mgmt,
             ns=net.b)
client = Cab("-s", s2.dir, "--key", ckey, "-c", "home", "-M", cmgmt,
             "--peers", peers_file(
                 ("home", spub, "address 10.9.0.2:7667")))
ok("the client is up", client.said("home is up"))
is_("the socket is for its user only", os.stat(mgmt).st_mode & 0o777, 0o600)
con, ccon = CabConsole(mgmt), CabConsole(cmgmt)


def peer(c, name):
    return (c.json("peer/list " + name)["peers"] or [{}])[0]


until(lambda: peer(con, "alice")["state"] == "up")
info = con.json("showinfo")
is_("showinfo tells the public key", info["key"], spub)
is_("and whose side it is", (info["role"], ccon.json("showinfo")["role"]),
    ("server", "client"))
is_("and where frames go", info["network"], s1.dir)

# ---- the list ----
p = peer(con, "alice")
is_("a peer has its name and key", (p["name"], p["key"]), ("alice", cpub))
ok("its address", p["address"].startswith("10.9.0.1:"), p)
ok("its cipher", p["cipher"] in ("AESGCM", "ChaChaPoly"), p)
ok("ages and round trip", 0 <= p["handshake_age"] <= p["session_age"] + 1 and
   p["session_age"] < 60 and 0 <= p.get("round_trip", 0) < 5 and
   p["heard_ago"] < 60, p)
is_("and its rules", (p["macs"], p["rate"], p["expires"]),
    (["02:00:00:00:00:02"], 100000000, "2099-01-31T12:00:00Z"))
text = con.do("peer/list")
ok("the same as text", text[0].startswith("Peer alice up at 10.9.0.1:") and
   any("macs 02:00:00:00:00:02 rate 100000000 expires 2099-01-31T12:00:00Z" in t
       for t in text), text)

# ---- what may not pass ----
a, b = s1.plug(), s2.plug()
good = frame(BROADCAST, b"\2\0\0\0\0\2", b"may pass")
bad = frame(BROADCAST, b"\2\0\0\0\0\3", b"may not")
ok("a frame of its address passes", flows(b, a, good))
b.send(bad, bad, good)
is_("one of another does not", a.recv(), good)
p = peer(con, "alice")
is_("it is counted", (p["denied_from"]["bad_mac"], p["dropped"]["rules"]),
    (2, 2))
ok("and shown", " denied from it: bad_mac 2" in con.do("peer/list"))
ok("the log says who and why", server.said("dropped a frame from alice: its source "
                                           "address 02:00:00:00:00:03"))
is_("counters have it", con.json("counters")["dropped"]["rules"], 2)
is_("frames are counted", p["in"]["frames"] >= 2 and p["in"]["bytes"] >= 120,
    True)
noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
noise.sendto(b"\x07" * 50, ("10.9.0.2", 7667))
ok("rejected datagrams are counted by reason", until(
    lambda: con.json("counters")["rejected"]["bad_type"] == 1),
   con.do("counters"))

# ---- changes ----
is_("a peer is added", con.cmd(
    "peer/add bob %s vlan 5; tagged 7,9; rate 5000000" % other)[0], 0)
p = peer(con, "bob")
is_("with its settings", (p["untagged"], p["tagged"], p["rate"], p["state"]),
    (5, [7, 9], 5000000, "down"))
with open(peers) as f:
    ok("which are in the file", re.search(
        r"peer bob\n\s*key %s\n" % re.escape(other), f.read()))
is_("nobody was dropped", peer(con, "alice")["ups"], 1)
is_("not twice", con.cmd("peer/add bob " + other)[0], 17)
is_("not with our key", con.cmd("peer/add carl " + spub)[0], 22)
with open(peers) as f:
    is_("and that is not left in the file", "carl" in f.read(), False)
for line in ("peer/add dora x", "peer/add -d " + cpub,
             "peer/add dora %s vlan 5000" % genkey()[1],
             "peer/add dora %s vlan 5; peer eve" % genkey()[1],
             "peer/add dora %s pskfile /etc/passwd" % genkey()[1]):
    code, _ = con.cmd(line)
    is_("refused: " + line.split()[1] + " " + " ".join(line.split()[3:]),
        code, 22)
is_("a peer is removed", con.cmd("peer/del bob")[0], 0)
is_("and is no more", con.cmd("peer/list bob")[0], 2)
is_("not twice", con.cmd("peer/del bob")[0], 2)
write_peers(peers, ("alice", cpub), ("zoe", other))
is_("a file that was changed is read", con.do("peer/reload"), ["peers 2"])
is_("nobody was dropped", peer(con, "alice")["ups"], 1)
with open(peers, "a") as f:
    f.write("garbage\n")
code, _ = con.cmd("peer/reload")
is_("a bad one is refused", code, 22)
is_("and changes nothing", con.json("showinfo")["peers"], 2)
write_peers(peers, ("alice", cpub), ("zoe", other))

# ---- kick ----
is_("who is not up cannot be kicked", con.cmd("peer/kick zoe")[0], 107)
is_("who is can", con.cmd("peer/kick alice")[0], 0)
ok("the log says so", server.said("alice .* down: kicked"))
is_("its port is gone at once", "alice" in str(
    s1.console.json("port/allprint")), False)
b.send(frame(BROADCAST, b"\2\0\0\0\0\2", b"wake up"))
ok("it comes again", until(lambda: peer(con, "alice")["ups"] == 2, 12))
is_("a client can end its call", ccon.cmd("peer/kick home")[0], 0)
ok("and calls again", until(lambda: peer(ccon, "home")["ups"] >= 2 and
                            peer(ccon, "home")["state"] == "up"))

is_("a client can forget its server", ccon.cmd("peer/del home")[0], 0)
ok("which is called no more", client.said("no peer any more", 3))
is_("and it can be told again", ccon.cmd(
    "peer/add home %s address 10.9.0.2:7667" % spub)[0], 0)
ok("then it is called", until(
    lambda: peer(ccon, "home").get("state") == "up", 12), client.log())

# ---- others ----
samples = con.do("metrics")
ok("metrics have peers", 'cryptcab_peer_up{peer="alice"} 1' in samples, samples)
ok("and reasons", 'cryptcab_datagrams_total{result="bad_type"} 1' in samples)
ok("as JSON, too", "cryptcab_peer_up" in str(con.json("metrics")))
inv = con.json("invite 10.9.0.2,[fd09::2]:7667 carol vlan 3")
ok("an invitation", inv["invitation"].startswith("vde1-"), inv)
is_("not by a client", ccon.cmd("invite 10.9.0.2 carol")[0], 22)
ok("an invited peer is shown as one", until(
    lambda: peer(con, "carol").get("kind") == "invited"))
ok("help has all commands", {"peer/list", "peer/kick", "metrics", "invite"} <=
   {s.split()[0] for s in con.do("help")})
rc = unique("rc")
with open(rc, "w") as f:
    f.write("peer/del zoe\n")
is_("a file of commands is loaded", con.cmd("load " + rc)[0], 0)
is_("and done", con.json("showinfo")["peers"], 2)
is_("logout", CabConsole(mgmt).raw("showinfo").count(b"public key"), 1)
con.write(b"shutdown\n")
con.rest()
is_("shutdown ends it well", server.proc.wait(DEADLINE), 0)
is_("and its socket is gone", os.path.exists(mgmt), False)
is_("the client ends well", client.stop(), 0)
done()
