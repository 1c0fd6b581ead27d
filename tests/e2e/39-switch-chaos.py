#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""39-switch-chaos.py - everything at once and in no order: clients that come,
flood, stop reading and go, consoles that subscribe, load, change and close
what others use. The switch must live, answer, and have nothing left over at
the end; built with a sanitizer this finds what is used after its end.
SEED and SECONDS_ change what happens and for how long."""
import random

from ringclient import *

seed = int(os.environ.get("SEED", 7))
seconds = float(os.environ.get("SECONDS_", 3))
note("seed %d" % seed)
rnd = random.Random(seed)
rc = unique("rc")
with open(rc, "w") as f:
    f.write("port/print\nvlan/create 9\nhash/print\nport/epclose 3 12\n"
            "vlan/remove 9\ndebug/add\ndebug/del\n" * 3)
sw = Switch("-n", "20", "-f", rc)
sw.do("port/print")
clients, consoles, done_ = [], [], {}
at_start = len(os.listdir("/proc/%d/fd" % sw.pid))


def count(what):
    done_[what] = done_.get(what, 0) + 1


def plug():
    if len(clients) > 40:
        return unplug()
    kind = rnd.random()
    try:
        if kind < 0.1:
            c = sw.plug(type_=PORT0)
        elif kind < 0.2:
            c = sw.plug(version=1)
        elif kind < 0.5:
            return plug_ring()
        else:
            c = sw.plug(rnd.choice([0, 0, 1, 2, 3, rnd.randrange(30)]),
                        descr=rnd.randbytes(rnd.randrange(140)))
    except (Refused, FileNotFoundError):  # or closed by a console since
        return count("refused")
    c.data.setblocking(False)
    clients.append(c)
    return count("plugged")


def plug_ring():
    c = Ring(sw.dir, rnd.choice([0, 0, 1, 2, 3, rnd.randrange(30)]),
             caps=rnd.choice((0, 0, 0x6f, 0xff)), max_len=rnd.choice((0, 1500)),
             descr=rnd.randbytes(rnd.randrange(134)))
    if c.status:
        c.close()
        return count("refused rings")
    clients.append(c)
    return count("rings")


def unplug():
    if clients:
        c = clients.pop(rnd.randrange(len(clients)))
        k = rnd.random()
        if isinstance(c, Ring):
            if k < 0.3:  # something wrong as a farewell
                c.words[rnd.choice((TAIL, HEAD, OUT + TAIL, OUT + HEAD))] = \
                    rnd.getrandbits(32)
                c.kick()
        elif k < 0.2:
            c.ctl.close()
        elif k < 0.4:
            c.data.close()
        c.close()
        count("unplugged")


def talk():
    if not clients:
        return
    c = rnd.choice(clients)
    dst = rnd.choice([BROADCAST, mac(rnd.randrange(50)), mac(rnd.randrange(50))])
    f = frame(dst, mac(rnd.randrange(50)), size=rnd.choice(
        (14, 60, 60, 1514, 9000)), tci=rnd.choice((None, None, 5, 0xe009)))
    try:
        for _ in range(rnd.choice((1, 5, 200))):
            if not isinstance(c, Ring):
                c.data.send(f)
            elif not c.put(f):
                break
            count("frames")
        if isinstance(c, Ring):
            c.publish()
    except OSError:
        pass


def listen():
    for c in rnd.sample(clients, len(clients) // 2):
        try:
            c.pending()
        except OSError:
            pass


def new_console():
    if len(consoles) < 12:
        c = Console(sw.mgmt)
        if rnd.random() < 0.5:
            c.write(b"debug/add\n")
        consoles.append(c)
        c.sock.setblocking(False)


def command():
    n, m = rnd.randrange(24), rnd.randrange(60)
    return rnd.choice([
        "port/epclose %d %d" % (n, m), "port/epclose %d %d" % (n, m),
        "port/remove %d" % n, "port/create %d" % n, "port/createauto",
        "port/setnumports %d" % rnd.choice((5, 20, 25, 100, 16384)),
        "port/setvlan %d %d" % (n, rnd.choice((0, 5, 9, 4095))),
        "vlan/create %d" % rnd.choice((5, 9)), "vlan/remove 5",
        "vlan/addport %d %d" % (rnd.choice((5, 9)), n),
        "vlan/delport %d %d" % (rnd.choice((5, 9)), n),
        "vlan/mode " + rnd.choice(("auto", "strict", "transparent")),
        "port/sethub %d" % rnd.randrange(2), "hash/setsize %d" % (n * n),
        "hash/setexpire %d" % rnd.randrange(3), "hash/setgcint %d" % n,
        "hash/setminper %d" % rnd.randrange(3), "hash/print", "port/allprint",
        "-j port/print", "-j load " + rc, "load " + rc, "help",
        "port/defqlen %d" % rnd.choice((0, 1, 16, 128, 65536)),
        "port/epqlen %d %d %d" % (n, m, n), "port/allocatable %d %d" % (n, 1),
        "port/resetcounter", "debug/add", "debug/del hash", "port/drops",
        "port/setuser %d %d" % (n, rnd.choice((os.getuid(), os.getuid(), 9))),
        "port/setuser %d ANY" % n, "-j debug/list", "showinfo", "logout"])


def use_console():
    if not consoles:
        return
    c = rnd.choice(consoles)
    try:
        c.sock.send("".join(command() + "\n" for _ in range(
            rnd.choice((1, 1, 5, 50)))).encode()[:rnd.choice((7, 9999))])
        count("commands")
        if rnd.random() < 0.7:
            c.sock.recv(1 << 20)
    except BlockingIOError:
        pass
    except OSError:
        consoles.remove(c)
        c.close()


def close_console():
    if consoles:
        consoles.pop(rnd.randrange(len(consoles))).close()


steps = [plug] * 4 + [unplug] * 3 + [talk] * 12 + [listen] * 3 + \
    [new_console] * 2 + [use_console] * 8 + [close_console]
end = time.monotonic() + seconds
while time.monotonic() < end and sw.alive():
    rnd.choice(steps)()
ok("the switch lives", sw.alive(), sw.log)
note(", ".join("%d %s" % (v, k) for k, v in sorted(done_.items())))
while clients:
    clients.pop().close()
while consoles:
    consoles.pop().close()
final = Console(sw.mgmt)
ok("it answers", final.cmd("showinfo")[0] == 0)
ok("no descriptor is left over", until(lambda: len(os.listdir(
    "/proc/%d/fd" % sw.pid)) <= at_start + 1), lambda: os.listdir(
    "/proc/%d/fd" % sw.pid))
is_("no data socket is left over", os.listdir(sw.dir), ["ctl"])
is_("no port is active", final.json("port/print"), {"ports": []})
is_("no address is left", final.json("hash/showinfo")["entries"], 0)
final.do("port/sethub 0", "port/setnumports 16384",
         *["port/setuser %d ANY" % p["port"]
           for p in final.json("port/allprint")["ports"]],
         *["port/setvlan %d 0" % p["port"]
           for p in final.json("port/allprint")["ports"]])
a, b = sw.plug(10000), sw.plug(10001)
a.send(frame(BROADCAST, mac(1)))
is_("it forwards", b.recv(), frame(BROADCAST, mac(1)))
is_("the switch ends well", sw.stop(), 0)
done()
