#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""vde_cryptcab: who may come in, and what he may do then"""
from cablib import *

need("vde_cryptcab")
net = Hosts()
far, near = Switch(), Switch()
skey, spub = genkey()
peers = unique("peers")
write_peers(peers)
server = Cab("-s", far.dir, "--key", skey, "--peers", peers, ns=net.b)
a, b = far.plug(), near.plug()
AT = "10.9.0.2:7667"


def open_up():
    return flows(b, a, frame(mac(1), mac(2), unique("open").encode()))


def call(key, *options, name="home", pub=spub):
    return Cab("-s", near.dir, "--key", key, "-c", name, "--peers",
               peers_file((name, pub, "address " + AT)), *options)


# --- nobody knows him
ckey, cpub = genkey()
client = call(ckey)
ok("a stranger is refused, and logged with his key", server.said(
    "refused an unknown client at 10.9.0.1:.* with key " + re.escape(cpub)))
ok("he gets no answer", client.said("no answer from home"))

# --- he is added to the file
write_peers(peers, ("alice", cpub))
ok("added to the file he is let in", client.said("home is up") and open_up())
bkey, bpub = genkey()
write_peers(peers, ("alice", cpub), ("bob", bpub))
bob = call(bkey)
ok("so is the next one", bob.said("home is up"))
is_("and nobody was dropped", re.findall("alice.*down|no peer", server.log()),
    [])
is_("bob ends", bob.stop(), 0)

# --- rules
write_peers(peers, ("alice", cpub, "macs 02:00:00:00:00:0a"))
f = frame(mac(1), mac(2), b"whose?")
ok("a source address that is not his is dropped and logged", until(
    lambda: b.send(f) or "dropped a frame from alice" in server.log()))
while a.recv(0.1):
    pass
b.send(f)
is_("it is not delivered", a.recv(0.2), None)
good = frame(mac(1), bytes.fromhex("02000000000a"), b"mine")
ok("his own passes", flows(b, a, good))
with open(peers, "a") as out:
    out.write("nonsense\n")
ok("a file with an error changes nothing",
   server.said("error: .*peers stay as they were") and flows(b, a, good))

# --- he is taken out
write_peers(peers, ("bob", bpub))
ok("taken out of the file he is out", server.said("alice is no peer any more"))
ok("his port has gone", until(
    lambda: "alice" not in str(far.console.json("port/allprint"))))
b.send(good)
is_("his frames, too", a.recv(0.3), None)
is_("he ends", client.stop(), 0)

# --- his time is over, and he gets more
soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
write_peers(peers, ("bob", bpub, "expires " + soon))
bob = call(bkey)
ok("who has two seconds is up", bob.said("home is up"))
ok("and then he is not", server.said("bob is no peer .*its time is over"))
write_peers(peers, ("bob", bpub))
ok("with more time he comes back by himself", until(
    lambda: b.send(good) or a.recv(0.1) == good))
is_("and ends", bob.stop(), 0)

# --- an invitation
status, text, err = run("vde_cryptcab", "invite", "--key", skey, "--peers",
                        peers, "-a", AT, "carol")
is_("an invitation is written", (status, err), (0, ""))
kkey, kpub = genkey()
kpeers = unique("peers")
time_limit = ["--wait", "8"]
r = run("vde_cryptcab", "join", "--key", kkey, "--peers", kpeers, "--name",
        "home", *time_limit, text.strip())
is_("and joined by", (r[0], r[2] if r[0] else ""), (0, ""))
ok("the server says who", server.said("carol has joined from 10.9.0.1"))
carol = Cab("-s", near.dir, "--key", kkey, "--peers", kpeers, "-c", "home")
ok("she is in", carol.said("home is up") and server.said("carol is up") and
   open_up())
r = run("vde_cryptcab", "join", "--key", genkey()[0], "--peers",
        unique("peers"), *time_limit, text.strip())
ok("the invitation was for one use", r[0] == 1, r)
is_("she ends", carol.stop(), 0)
is_("the server ends", server.stop(), 0)

# --- nothing but a file that both have
psk = unique("psk")
mine = "--key", kkey, "--peers", unique("peers")
run("vde_cryptcab", "psk", psk)
server = Cab("-s", far.dir, "-P", psk, "--peers", unique("peers"), ns=net.b)
client = Cab("-s", near.dir, "-P", psk, "-c", AT, *mine)
ok("who knows the secret of -P is let in", client.said("is up at") and
   server.said("guest-.* is up") and open_up())
other = unique("psk")
run("vde_cryptcab", "psk", other)
wrong = Cab("-s", near.dir, "-P", other, "-c", AT, *mine)
ok("with another one there is no answer", wrong.said("no answer from"))
is_("and no guest", server.log().count("is up"), 1)
for c in wrong, client, server:
    is_("ends well", c.stop(), 0)

# --- what cannot be
key, pub = genkey()
os.chmod(key, 0o640)
r = run("vde_cryptcab", "-s", near.dir, "--key", key, "--peers", kpeers, "-c",
        "home")
ok("a key that others may read is refused", r[0] == 1 and key in r[2], r)
r = run("vde_cryptcab", "-x")
ok("so is a cable in clear", r[0] == 2 and "encryption" in r[2], r)
r = run("vde_cryptcab", "-s", near.dir, "--key", kkey, "--peers", kpeers,
        "-c", "nobody.example", env=dict(os.environ, VDE_SSH="false"))
ok("and a server that nobody knows and ssh does not reach", r[0] == 1 and "nobody.example" in r[2], r)
done()
