#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""38-switch-tap.py - taps as ports of the switch, from the command line and
from the console, and all that can happen to an interface. Then what needs a
file system of one's own: the default directory and rc file. Everything is in
namespaces of its own."""
from netns import *

need("ip")
if not ip("tuntap", "add", "dev", "probe", "mode", "tap"):
    skip("taps are not permitted")
ip("link", "del", "probe")
ip("link", "set", "lo", "up")

# --- from the command line ------------------------------------------------

sw = Switch("-t", "one", "--tap", "two", "-n", "10")
c = sw.plug()
is_("-t several times: each on the next free port",
    [(p["port"], p["current_user"], p["endpoints"][0]["description"],
      p["endpoints"][0]["module"])
     for p in sw.console.json("port/print")["ports"]][:2],
    [(1, None, "one", "tuntap"), (2, None, "two", "tuntap")])
like("as text", "\n".join(sw.do("port/print 1")),
     r"^ Current User: NONE .*\n.*\n.*\n"
     r"  -- endpoint ID \d{4} module tuntap      : one$")
def link(n):
    return sw.port(n)["endpoints"][0]["link"]


is_("both are down, and have no link", (link(1), link(2)), (False, False))
a, b = Host("one"), Host("two")
ok("up: they have one", until(lambda: link(1) and link(2)))
wrong = []
for n in 60, 61, 1514, 1518, 4000, 9000, 9230:
    f = frame(BROADCAST, mac(1), size=n)
    c.send(f)
    if (a.recv(), b.recv()) != (f, f):
        wrong.append("to %d" % n)
    f = frame(BROADCAST, mac(2), size=n)
    a.send(f)
    if (c.recv(), b.recv()) != (f, f):
        wrong.append("from %d" % n)
is_("frames of 60 to 9230 bytes go whole both ways", wrong, [])
f = frame(BROADCAST, mac(1), tci=0x6123, size=100)
c.send(f)
is_("with their tags", (a.recv(), b.recv()), (f, f))
a.send(f)
is_("both ways", (b.recv(), c.recv()), (f, f))
b.send(frame(BROADCAST, mac(3)))
a.recv(), c.recv()
f = frame(mac(3), mac(1))
c.send(f)
is_("known: to that tap alone", (b.recv(), a.recv(0)), (f, None))

# --- what happens to an interface -----------------------------------------

sw.do("port/resetcounter")
ip("link", "set", "one", "down")
c.send(f := frame(BROADCAST, mac(1)))
is_("down: the others go on", b.recv(), f)
is_("down: what it would get is counted", (sw.sync(), sw.drops(1))[1],
    {"send_failed": 1})
a_cpu = cpu_seconds(sw.pid)
select.select([], [], [], 0.3)
ok("down: it costs no time", cpu_seconds(sw.pid) - a_cpu < 0.05)
is_("down: it has no link, and the other one has", (link(1), link(2)),
    (False, True))
ip("link", "set", "one", "up")
c.send(f)
is_("up again", a.recv(), f)
b.recv()
other = start("unshare", "-n", "sleep", "60")
until(lambda: os.readlink("/proc/%d/ns/net" % other.pid) !=
      os.readlink("/proc/self/ns/net"))
ip("link", "set", "one", "netns", str(other.pid))
ok("moved to another namespace: it is still a port", sw.port(1)["active"])
r = run("nsenter", "-t", str(other.pid), "-n", "ip", "link", "set", "one",
        "up")
sw.do("port/resetcounter 1")
c.send(f)
sw.sync()
is_("and gets its frames there", (r[0], sw.drops(1), sw.port(1)["out"]),
    (0, {}, {"packets": 1, "bytes": 60}))
other.kill()
other.wait()
ok("its namespace ends: the port is free", until(
    lambda: not sw.port(1)["active"]), lambda: sw.port(1))
ok("and the log says so", sw.logged("warning: tap one is gone: "), sw.log)
b.recv(0)
ip("link", "del", "two")
ok("deleted: the port is free", until(lambda: not sw.port(2)["active"]))
ok("and the log says so", sw.logged("warning: tap two is gone: "), sw.log)
d = sw.plug(1)
c.send(f)
is_("everybody else goes on", d.recv(), f)
d.close()
until(lambda: not sw.port(1)["active"])

# --- from the console -----------------------------------------------------

con = sw.console
is_("tap/add", con.raw("tap/add three").decode(),
    "0000 DATA END WITH '.'\nPort 0001\n.\n1000 Success\n")
t = Host("three")
c.send(f)
is_("it works at once", t.recv(), f)
is_("-j tap/add", con.json("tap/add four"), {"port": 2})
is_("the same again", con.cmd("tap/add three")[0], errno.EEXIST)
is_("a name that is too long", con.cmd("tap/add " + "x" * 16)[0],
    errno.ENAMETOOLONG)
is_("no name that the kernel takes", con.cmd("tap/add a/b")[0], errno.EINVAL)
is_("no name", con.cmd("tap/add")[0], errno.EINVAL)
ok("the log names it", sw.logged("unable to add tap a/b: Invalid argument"),
   sw.log)
sw2 = Switch()
is_("the tap of another switch", sw2.console.cmd("tap/add three")[0],
    errno.EBUSY)
try:
    Switch("-t", "three").stop()
    got = None
except NotReady as e:
    got = e.args
ok("at the start that is an error", got and got[0] == 1 and "unable to open "
   "tap interface three: Device or resource busy" in got[1], got)
sw2.stop()
is_("a pattern", con.cmd("tap/add vde%d"), (0, ["Port 0004"]))
is_("is known by the name that the kernel made of it",
    sw.port(4)["endpoints"][0]["description"], "vde0")
is_("tap/del", (con.cmd("tap/del vde0")[0], ip("link", "show", "vde0"),
                sw.port(4)["active"]), (0, False, False))
is_("tap/del again", con.cmd("tap/del vde0")[0], errno.ENODEV)
is_("tap/del of nothing", con.cmd("tap/del nothing")[0], errno.ENODEV)
is_("port/epclose is as good", (con.cmd("port/epclose 1 %d" % sw.port(1)[
    "endpoints"][0]["id"])[0], con.cmd("tap/del three")[0]),
    (0, errno.ENODEV))
ip("tuntap", "add", "dev", "kept", "mode", "tap")
con.do("tap/add kept", "tap/del kept")
ok("a persistent tap stays", ip("link", "show", "kept"))
con.do(*["tap/add t%d" % i for i in range(3, 11)])
is_("no port is left", con.cmd("tap/add eleven")[0], errno.ENOSPC)
ok("and no interface either", not ip("link", "show", "eleven"))
is_("the switch ends well", sw.stop(), 0)
ok("its taps end with it", not ip("link", "show", "t3"))
rc = unique("rc")
with open(rc, "w") as f:
    f.write("tap/add six\ntap/add six\n")
sw = Switch("-f", rc)
ok("tap/add in an rc file", ip("link", "show", "six") and
   "%s:2: tap/add six: File exists" % rc in sw.log(), sw.log)
sw.stop()

# --- a file system of one's own -------------------------------------------

def mounted(*where):
    return all(run("mount", "-t", "tmpfs", "none", w)[0] == 0 for w in where)


if mounted("/etc", "/run"):
    os.mkdir("/etc/vde2")
    with open("/etc/vde2/vde_switch.rc", "w") as f:
        f.write("port/setnumports 55\n")
    home = unique("home")
    os.mkdir(home)
    env = dict(os.environ, HOME=home)
    sw = Switch(env=env, rc=None)
    is_("/etc/vde2/vde_switch.rc is run", sw.do("port/showinfo")[0],
        "Numports=55")
    sw.stop()
    os.mkdir(home + "/.vde2")
    with open(home + "/.vde2/vde_switch.rc", "w") as f:
        f.write("port/setnumports 66\n")
    sw = Switch(env=env, rc=None)
    is_("but not beside the one at home", sw.do("port/showinfo")[0],
        "Numports=66")
    sw.stop()
    env.pop("HOME")
    sw = Switch(env=env, rc=None)
    is_("without HOME too", sw.do("port/showinfo")[0], "Numports=55")
    sw.stop()
    os.unlink("/etc/vde2/vde_switch.rc")
    run_dir = os.path.realpath("/var/run")
    if run_dir == "/run":
        p = start("vde_switch", "-M", unique("m"), stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(b"ds/showinfo\n")
        p.stdin.flush()
        like("root's default directory", p.stdout.readline().decode() +
             p.stdout.readline().decode(), "^ctl dir /run/vde.ctl$")
        p.communicate(timeout=DEADLINE)
        is_("is removed at the end", os.listdir("/run"), [])
    else:
        skip_point("root's default directory", "/var/run is not /run")
else:
    skip_point("default files", "no mounts here")
done()
