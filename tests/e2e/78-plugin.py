#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
"""78-plugin.py - plugins: loaded, refused with the reason, unloaded under
traffic, and what they may do with frames, commands, events and timers. The
plugins of the tree answer as VDE 2's do; plugin_test.c is built here, against
the header alone, and tries what is forbidden too."""
import errno

from vdeclient import *

CC = os.environ.get("CC", "cc").split()
need(CC[0])
PLUGINS = BUILD + "/plugins"
SRC = ROOT + "/tests/e2e/plugin_test.c"
SAN = os.environ.get("SAN", "")


def build(name, *flags, src=SRC):
    out = "%s/%s.so" % (TMP, name)
    rc, _, err = run(*CC, "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC",
                     "-fvisibility=hidden", "-I", ROOT + "/src/switch",
                     "-Wall", "-Werror", *flags, src, "-o", out, "-lpthread")
    if rc:
        ok(name + " builds", False, err)
        done()
    return out


def named(name):
    return '-DNAME="%s"' % name


def refused(con, lib, code, regex):
    """plugin/add fails with that code and says why."""
    got, data = con.cmd("plugin/add " + lib)
    return ok("plugin/add %s: 1%03d %s" % (
        os.path.basename(lib), code, regex),
        got == code and len(data) == 1 and re.search(regex, data[0]) and
        lib.rsplit("/", 1)[-1] in data[0], (got, data))


T = build("t")
home = TMP + "/home"
os.makedirs(home + "/.vde2/plugins")
env = dict(os.environ, HOME=home)
env.pop("LD_LIBRARY_PATH", None)
sw = Switch("-n", "8", env=env)
con = sw.console
EMPTY = "0000 DATA END WITH '.'\nNAME                   HELP\n" \
    "------------           ----\n.\n1002 No such file or directory\n"

# --- loading --------------------------------------------------------------

is_("plugin/list: none is an error, as in VDE 2",
    con.raw("plugin/list").decode(), EMPTY)
is_("with a prefix too", con.raw("plugin/list x").decode(), EMPTY)
is_("plugin/add without a name", con.cmd("plugin/add"), (22, []))
is_("plugin/del of none", con.cmd("plugin/del t"), (2, []))
is_("a plugin is loaded", con.raw("plugin/add " + T).decode(),
    "1000 Success\n")
is_("plugin/list", con.raw("plugin/list").decode(),
    "0000 DATA END WITH '.'\nNAME                   HELP\n"
    "------------           ----\nt                      a test\n"
    ".\n1000 Success\n")
got = con.json("plugin/list")["plugins"]
is_("plugin/list in JSON", [(x["name"], x["help"], x["file"]) for x in got],
    [("t", "a test", T)])
ok("what it logs has its name", sw.logged("plugin t: plugin says hello"),
   sw.log())
refused(con, T, errno.EEXIST, "plugin t is loaded already")
refused(con, T[:-3], errno.EEXIST, "plugin t is loaded already")
other = build("other", named("t"), "-DPREFIX=\"u\"")
refused(con, other, errno.EEXIST, "plugin t is loaded from .*/t.so")
names = [x.split()[0] for x in con.do("help")[2:]]
is_("its commands are at the end of help, under their heading",
    names[-11:], ["t"] + ["t/" + x for x in (
        "watch", "veto", "show", "ports", "long", "unload", "leave", "fail", "timer",
        "misuse")])
ok("the plugin menu comes after debug",
   names.index("plugin") == names.index("debug/del") + 1, names)
is_("plugin/del takes the beginning of a name", con.cmd("plugin/del t"),
    (0, []))
is_("then it is gone, commands and all",
    (con.cmd("t/show")[0], con.cmd("plugin/list")[0],
     con.do("help t")[2:], con.cmd("debug/list t/")[0]),
    (errno.ENOSYS, errno.ENOENT, [x for x in con.do("help tap")[2:]],
     errno.ENOENT))



def mapped(path):
    with open("/proc/%d/maps" % sw.pid) as g:
        return path in g.read()


is_("its file too", mapped(T), False)

# --- what is no plugin, or not ours ---------------------------------------

refused(con, TMP + "/nowhere", errno.ENOENT, "no such file")
refused(con, "nowhere", errno.ENOENT,
        "no such file, nor in .*/.vde2/plugins.* or .*/vde2/plugins")
refused(con, TMP, errno.ENOENT, "not a regular file")
with open(TMP + "/text.so", "w") as f:
    f.write("INPUT(libc.so.6)\n")
refused(con, TMP + "/text.so", errno.ENOENT, "not a shared object")
os.mkfifo(TMP + "/fifo.so")
refused(con, TMP + "/fifo.so", errno.ENOENT, "not a regular file")
whole = open(T, "rb").read()
bad = []
for n in list(range(0, 1024, 61)) + list(range(1024, len(whole) * 3 // 4,
                                               509)):
    with open(TMP + "/cut.so", "wb") as f:
        f.write(whole[:n])
    code, data = con.cmd("plugin/add " + TMP + "/cut.so")
    # What is only behind the segments (sections) need not be there.
    if code == 0:
        con.do("plugin/del t")
    elif code != errno.ENOENT or not re.search(
            "truncated|not a shared object", data[0]):
        bad.append((n, code, data))
is_("a file that is cut short anywhere is refused, or does not matter",
    (bad, sw.alive()), ([], True))
with open(TMP + "/none.c", "w") as f:
    f.write("int nothing;\n")
refused(con, build("none", src=TMP + "/none.c"), errno.EINVAL,
        "not a plugin, it has no symbol vde_plugin$")
with open(TMP + "/small.c", "w") as f:
    f.write("__attribute__((visibility(\"default\"))) int vde_plugin = 1;\n")
refused(con, build("small", src=TMP + "/small.c"), errno.EINVAL,
        "its symbol vde_plugin is no struct vde_plugin")
with open(TMP + "/func.c", "w") as f:
    f.write("__attribute__((visibility(\"default\"))) int vde_plugin(void) "
            "{ return 1; }\n")
refused(con, build("func", src=TMP + "/func.c"), errno.EINVAL,
        "its symbol vde_plugin is no struct vde_plugin")
with open(TMP + "/undef.c", "w") as f:
    f.write("extern int no_such_thing(void);\nint x(void);\n__attribute__(("
            "visibility(\"default\"))) int x(void) { return no_such_thing(); "
            "}\n")
refused(con, build("undef", src=TMP + "/undef.c"), errno.ENOENT,
        "undefined symbol: no_such_thing$")
refused(con, build("api2", "-DAPI=2"), errno.EINVAL,
        "it is for plugin API 2, this switch has 1")
refused(con, build("noname", named("")), errno.EINVAL, "its name is none")
refused(con, build("oddname", named("a b")), errno.EINVAL, "its name is none")
if os.path.exists("/usr/lib/vde2/plugins/dump.so"):
    for name in "dump", "pdump", "iplog":
        refused(con, "/usr/lib/vde2/plugins/%s.so" % name, errno.ENOENT,
                "undefined symbol: .*it is a plugin of VDE 2")
    got = con.json("plugin/add /usr/lib/vde2/plugins/dump.so")["reason"]
    like("the reason is in JSON too", got, "plugin of VDE 2")
else:
    skip_point("plugins of VDE 2 are refused", "no Debian package vde2")
fail = build("fail", named("fail"), "-DFAIL")
before = con.do("help"), con.do("debug/list")
refused(con, fail, errno.ENOTTY, "unable to start: Inappropriate ioctl")
is_("what it had registered is undone",
    (con.do("help"), con.do("debug/list")), before)
is_("nothing of those that were refused stays in memory",
    [x for x in os.listdir(TMP) if x.endswith(".so") and
     mapped(TMP + "/" + x)], [])

# --- two plugins ----------------------------------------------------------

same = build("same", named("same"), "-DPREFIX=\"t\"")
con.do("plugin/add " + T)
refused(con, same, errno.EEXIST,
        r"unable to start: File exists \(command 't': File exists\)")
two = build("two", named("two"))
con.do("plugin/add " + two)
is_("two plugins live side by side", len(con.json("plugin/list")["plugins"]),
    2)
con.do("plugin/del tw")
is_("a whole name wins over the beginning of another",
    [x["name"] for x in con.json("plugin/list")["plugins"]], ["t"])

# --- where it is looked for -----------------------------------------------

shutil.copy(two, home + "/.vde2/plugins/two.so")
con.do("plugin/add two")
is_("a name is found in $HOME/.vde2/plugins",
    con.json("plugin/list two")["plugins"][0]["file"],
    home + "/.vde2/plugins/two.so")
con.do("plugin/del two")
if os.geteuid() == 0:
    os.chmod(home, 0o777)
    refused(con, "two", errno.ENOENT, "no such file")
    os.chmod(home, 0o755)
    lsw = Switch(env=dict(env, LD_LIBRARY_PATH=TMP, HOME="/"))
    refused(lsw.console, "t", errno.ENOENT, "no such file")
    lsw.stop()
else:
    skip_point("root does not look into a HOME others can write", "not root")

# --- frames ---------------------------------------------------------------

a, b = sw.plug(1, descr=b"one"), sw.plug(2, descr=b"two")
f = frame(BROADCAST, mac(1), b"x")
con.do("t/watch 7")
a.send(f)
is_("a watched frame arrives", b.recv(), f)
sw.sync()
got = con.json("t/show")
is_("seen in, and out", (got["in"], got["out"], got["dropped"]), (1, 1, 0))
is_("as it is", got["last"],
    "out port=2 vlan=0 tagged=0 len=60 first=ff reason=-")
con.do("t/veto 1")
a.send(f)
ok("vetoed on its way in it does not arrive", sw.quiet(b))
got = con.json("t/show")
is_("nor is it seen on its way out", (got["in"], got["out"], got["dropped"]),
    (2, 1, 1))
is_("but where it is dropped", got["last"],
    "dropped port=1 vlan=0 tagged=0 len=60 first=ff reason=vetoed_in")
is_("and counted at that port", sw.drops(1), {"vetoed_in": 1})
con.do("t/veto 2")
a.send(f, f)
ok("vetoed on its way out", sw.quiet(b))
is_("it is counted there", sw.drops(2), {"vetoed_out": 2})
con.do("t/veto 4")
a.send(f)
is_("a veto of what is dropped is none", b.recv(), f)
con.do("t/veto 0")
a.send(frame(BROADCAST, mac(1), b"tag", tci=0x6005))
b.recv()
like("a tag is beside the bytes", con.json("t/show")["last"],
     "vlan=5 tagged=1 len=60 first=ff|vlan=5 tagged=1 len=56")
con.do("t/watch 0")
n = con.json("t/show")["in"]
a.send(f)
b.recv()
is_("a hook that was removed sees nothing", con.json("t/show")["in"], n)

# --- commands -------------------------------------------------------------

me = con.json("t/ports")["ports"]
is_("ports and endpoints", [(p["port"], p["active"], [
    (e["descr"], e["module"]) for e in p["endpoints"]]) for p in me],
    [(0, False, []), (1, True, [("one", "unix prog")]),
     (2, True, [("two", "unix prog")])]
    if me and me[0]["port"] == 0 else
    [(1, True, [("one", "unix prog")]), (2, True, [("two", "unix prog")])])
is_("the same as text", [x for x in con.do("t/ports") if "up" in x or
                         "one" in x][0].split()[:2], ["1", "up"])
is_("a command's errno is its result", [con.cmd("t/fail %d" % -e)[0] for e in
                                        (1, 22, 115)], [1, 22, 115])
is_("and what is none is not", [con.cmd("t/fail " + x)[0] for x in
                                ("-1000", "-99999", "5", "1")],
    [22, 22, 0, 0])
is_("its arguments are checked", [con.cmd(x)[0] for x in
                                  ("t/watch", "t/watch x", "t/show 1")],
    [22, 22, 22])
is_("a long answer comes in parts", con.do("t/long"),
    ["line %d" % i for i in range(5000)])
is_("in JSON too", con.json("t/long"), {"lines": list(range(5000))})
c2 = Console(sw.mgmt)
con.write(b"t/long\n")
c2.write(b"-j t/long\n")
is_("two at a time", (con.upto(PROMPT).count(b"\nline "),
                      c2.upto(PROMPT).count(b",")), (5000, 4999))

# --- events ---------------------------------------------------------------

con.do("debug/add t/")
like("its category is in the list", "\n".join(con.do("debug/list t/")),
     "^t/event +777 ON +test events$")
c = sw.plug(3, descr=b"three")
want = [r"type=0 port=3", r"type=2 port=3 .*ep=\d+ .*descr=three"]
for w in want:
    like("an event of a port", con.upto(b"\n").decode(),
         "^3777 t/event " + w)
c.send(frame(BROADCAST, mac(77)))
like("of an address", con.upto(b"\n").decode(),
     r"^3777 t/event type=4 port=3 .*mac=02000000004d")
c.close()
got = [con.upto(b"\n").decode().split()[2] for _ in range(3)]
is_("of the end", sorted(got), ["type=1", "type=3", "type=5"])
os.kill(sw.pid, signal.SIGHUP)
like("of SIGHUP", con.upto(b"\n").decode(), "^3777 t/event type=7 port=0")
con.do("debug/del t/")

# --- time, misuse, the end ------------------------------------------------

con.do("t/timer")
ok("timers run, again and again, and once",
   until(lambda: con.json("t/show")["ticks"] > 1003),
   lambda: con.json("t/show"))
ok("once is once", con.json("t/show")["ticks"] < 2000,
   lambda: con.json("t/show"))
is_("all that is forbidden is refused", con.do("t/misuse 1"), ["checked 1"])
con.do("plugin/del t", "plugin/add " + T, "t/timer")
is_("and in JSON", con.json("t/misuse word").get("bad"), None)
ok("the switch is alive", sw.alive(), sw.log)
con.do("t/watch 0")
is_("a plugin unloads itself from inside its command",
    con.cmd("t/unload"), (0, ["goodbye"]))
ok("with its timers pending", con.cmd("plugin/list")[0] == errno.ENOENT and
   con.cmd("t/show")[0] == errno.ENOSYS)
con.write(("plugin/add %s\nt/unload\nplugin/list\nplugin/add %s\nt/unload\n"
           "plugin/del t\n" % (T, T)).encode())
is_("whoever asks at once finds it gone",
    [int(re.search(rb"^1(\d\d\d)", con.upto(PROMPT), re.M).group(1))
     for _ in range(6)], [0, 0, 2, 0, 0, 2])
con.do("plugin/add " + T, "debug/add t/", "t/timer", "plugin/del t",
       "plugin/add " + T)
is_("who had subscribed to a category that has gone has not to the next one",
    con.do("debug/list t/")[-1].split()[2], "OFF")
con.do("plugin/del t")
b.pending()
for where, bit in ("in", 1), ("out", 2), ("dropped", 4), ("timer", 8), \
        ("event", 16):
    con.do("plugin/add " + T, "t/watch 7", "t/leave %d" % bit)
    if bit == 4:
        con.do("t/veto 1")
    if bit == 8:
        con.do("t/timer")
    if bit == 16:
        os.kill(sw.pid, signal.SIGHUP)
    a.send(f, f, f)
    ok("a plugin unloads itself from inside of " + where,
       until(lambda: con.cmd("plugin/list")[0] == errno.ENOENT), sw.log)
    got = b.recv(), b.recv()
    is_("frames pass", got, (f, f))
    sw.sync()
    b.pending()

# --- a thousand times under traffic ---------------------------------------

pair = Pair(sw, (5, 6))
rounds = 300 if SAN else 1000


def rss():
    with open("/proc/%d/statm" % sw.pid) as s:
        return int(s.read().split()[1]) * 4096


def churn(n):
    for _ in range(n):
        con.write(b"plugin/add %s\nt/watch 7\nt/timer\nplugin/del t\n"
                  b"plugin/add %s\nt/unload\n" % (2 * (T.encode(),)))
        if con.upto(PROMPT).count(b"1000") != 1:
            return False
        for _ in range(5):
            if b"1000 Success" not in con.upto(PROMPT):
                return False
    return True


ok("loaded and unloaded under traffic", churn(rounds // 10))
size, files = rss(), len(os.listdir("/proc/%d/fd" % sw.pid))
ok("a thousand times", churn(rounds // 2), sw.log)
grown = rss() - size
ok("no memory is lost" + (" (not measured)" if SAN else ""),
   SAN or grown < 256 * 1024, grown)
is_("no descriptor", len(os.listdir("/proc/%d/fd" % sw.pid)), files)
ok("no frame was lost meanwhile", pair.goes_on(), pair)
pair.stop()

# --- rc files, the end of the switch --------------------------------------

rc = TMP + "/rc"
with open(rc, "w") as f:
    f.write("plugin/add %s\nplugin/add %s/none.so\nt/watch 7\nt/timer\n" % (
        T, TMP))
rsw = Switch(rc=rc)
is_("an rc file loads plugins", rsw.console.cmd("plugin/list t")[0], 0)
like("and why it cannot is logged", rsw.log(),
     ":2: plugin/add .*none.so: unable to load plugin .*none.so: not a plugin")
is_("once", rsw.log().count("unable to load"), 1)
is_("a switch ends with plugins loaded", rsw.stop(), 0)
is_("and without", sw.stop(), 0)
done()
