#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""30-switch-options.py - what each option of vde_switch does, and what a
wrong command line does: nothing, with a message and a status."""
import grp
import stat

from vdeclient import *

ROOTED = os.geteuid() == 0
MY_GROUP = grp.getgrgid(os.getegid()).gr_name


def mode(path):
    return "%04o" % stat.S_IMODE(os.stat(path).st_mode)


def refuses(sentence, status, regex, *argv):
    """The command line ends like that and leaves no directory."""
    d = unique("r")
    rc, out, err = run("vde_switch", "-s", d, *argv)
    good = rc == status and re.search(regex, err, re.M) and not out and \
        not os.path.exists(d)
    ok(sentence, good, lambda: "status %d\n%s%s" % (rc, out, err))


# --- help, version, wrong lines -------------------------------------------

rc, text, err = run("vde_switch", "--help")
ok("--help goes to stdout with status 0", rc == 0 and not err and
   text.startswith("Usage: vde_switch "), text)
missing = [w for w in
           "-s, --sock|-m, --mode|--dirmode|-g, --group|-n, --numports|"
           "-x, --hub|-t, --tap|-M, --mgmt|--mgmtmode|--mgmtgroup|"
           "-f, --rcfile|-d, --daemon|-p, --pidfile|--nostdin|--ready-fd|"
           "-F, --fstp|--priority|--macaddr|--hashsize|-h, --help|"
           "-v, --version".split("|") if w not in text]
is_("--help names every option", missing, [])
is_("-h is the same", run("vde_switch", "-h")[:2], (0, text))
rc, text, err = run("vde_switch", "--version")
ok("--version", rc == 0 and re.match(r"vde_switch \(VDE\) \d+\.\d+", text),
   text + err)
is_("-v is the same", run("vde_switch", "-v")[:2], (0, text))

refuses("an unknown option", 2, "unknown or ambiguous option '--frob'",
        "--frob")
refuses("an unknown letter", 2, "unknown or ambiguous option '-q'", "-q")
refuses("an operand", 2, "unexpected argument 'surplus'", "surplus")
refuses("an option without its argument", 2, "needs an argument", "-M")
for n in "0", "-1", "x", "4x", "", "16385", "99999999999999999999":
    refuses("-n %s" % (n or "''"), 2, "invalid N '%s' for --numports" % n,
            "-n", n)
for m in "8", "0888", "rw", "", "77777", "-1":
    refuses("-m %s" % (m or "''"), 2, "invalid MODE '%s'" % m, "-m", m)
refuses("--mgmtmode 9", 2, "invalid MODE", "--mgmtmode", "9")
for a in "00:11:22:33:44", "00:11:22:33:44:55:66", "x", \
        "01:00:00:00:00:00", "0:1:2:3:4:5 ", "0:0:0:0:0:0":
    refuses("--macaddr '%s'" % a, 2, "invalid MAC", "--macaddr", a)
refuses("--priority 65536", 2, "invalid N", "--priority", "65536")
refuses("--hashsize 0", 2, "invalid N", "--hashsize", "0")
refuses("-t ''", 2, "invalid IF '' for --tap", "-t", "")
refuses("an unknown group", 1, "no such group 'nosuchgroup'",
        "-g", "nosuchgroup")
refuses("an unknown --mgmtgroup", 1, "no such group 'nosuchgroup'",
        "-M", unique("m"), "--mgmtgroup", "nosuchgroup")
refuses("a missing -f file", 1, "unable to read rc file /nowhere/rc: No such",
        "-f", "/nowhere/rc")
refuses("a directory as -f file", 1, "unable to read rc file /tmp: Is a dir",
        "-f", "/tmp")
refuses("a -M path in a missing directory", 1,
        "unable to open management socket /nowhere/m: No such file",
        "-M", "/nowhere/m")
refuses("a -M path that is a file", 1,
        "unable to open management socket .*: File exists", "-M", __file__)
refuses("a -M path that does not fit a socket address", 1,
        "unable to open management socket .*: File name too long",
        "-M", TMP + "/" + "m" * 100)
refuses("an unusable -p", 1, "unable to write pidfile /nowhere/p: No such",
        "-p", "/nowhere/p")
refuses("a --ready-fd that is not open", 2, "descriptor 77 of --ready-fd is not open",
        "--ready-fd", "77")
refuses("an impossible tap name", 1, "unable to open tap interface .*: ",
        "-t", "name-longer-than-an-interface")

rc, _, err = run("vde_switch", "-s", "/nowhere/deep/s")
ok("a directory whose parent is missing", rc == 1 and
   "unable to use directory /nowhere/deep/s: No such file" in err, err)
f = unique("file")
open(f, "w").close()
rc, _, err = run("vde_switch", "-s", f)
ok("a file in place of the directory", rc == 1 and
   "unable to use directory %s: Not a directory" % f in err, err)
for n in 88, 107, 108, 200:
    d = TMP + "/" + "d" * (n - len(TMP) - 1)
    rc, _, err = run("vde_switch", "-s", d)
    ok("a directory name of %d bytes is refused and not left" % n,
       rc == 1 and "unable to use directory %s: File name too long" % d in err
       and not os.path.exists(d), err)

# --- spellings ------------------------------------------------------------

for spelling in (["-s"], ["--sock"], ["--vdesock"], ["--unix"], ["-sock"],
                 ["-unix"], ["--so"]):
    d, p = unique("d"), unique("p")
    sw = Switch(*spelling, d, "-n4", "-pidfile=" + p)
    good = os.path.exists(d + "/ctl") and os.path.exists(p)
    ok("the last of several directories counts: %s" % spelling[0],
       good and not os.path.exists(sw.dir), sw.log())
    sw.stop()

# --- modes and groups -----------------------------------------------------

for options, ctl, dir_ in ([], "0600", "2700"), \
        (["-m", "0660"], "0660", "2770"), \
        (["-mod", "666"], "0666", "2777"), \
        (["--mode", "0640"], "0640", "2750"), \
        (["-m", "0"], "0000", "2000"), \
        (["--dirmode", "0755"], "0644", "0755"), \
        (["--dirmode", "02770"], "0660", "2770"), \
        (["-m", "0600", "--dirmode", "0711"], "0600", "0711"):
    if ctl == "0000" and not ROOTED:
        continue  # nobody could look at it
    for umask in 0, 0o77:
        sw = Switch(*options, umask=umask, mgmt=False)
        is_("%s with umask %03o: modes of ctl and directory" %
            (" ".join(options) or "no -m", umask),
            (mode(sw.dir + "/ctl"), mode(sw.dir)), (ctl, dir_))
        sw.stop()

sw = Switch(umask=0)
is_("the management socket is 0600", mode(sw.mgmt), "0600")
sw.stop()
sw = Switch("--mgmtmode", "0660", "-m", "0666", umask=0o77)
is_("or what --mgmtmode says", mode(sw.mgmt), "0660")
is_("showinfo knows it", sw.do("showinfo")[4],
    "mgmt %s perm 0660" % sw.mgmt)
c, z = sw.plug(), sw.plug(type_=PORT0)
is_("a data socket: the owner's part of -m for root, else -m",
    mode(c.peer), "0600" if ROOTED else "0666")
is_("port 0's has the management mode", mode(z.peer), "0660")
is_("data sockets have the owner of the client's",
    os.stat(c.peer).st_uid, os.geteuid())
sw.stop()

groups = [g for g in (os.getgroups() if not ROOTED else [1, 2])]
if len(groups) < 2:
    groups = [os.getegid()] * 2
names = []
for g in groups[:2]:
    try:
        names.append(grp.getgrgid(g).gr_name)
    except KeyError:
        names.append(str(g))
sw = Switch("-g", names[0], "--mgmtgroup", names[1])
c, z = sw.plug(), sw.plug(type_=PORT0)
got = [os.stat(p).st_gid for p in (sw.dir, sw.dir + "/ctl", c.peer, sw.mgmt,
                                   z.peer)]
is_("-g: directory, ctl, data socket; --mgmtgroup: console, port 0", got,
    [groups[0]] * 3 + [groups[1]] * 2)
sw.stop()
sw = Switch("-g", str(groups[0]))
is_("-g takes a number", os.stat(sw.dir).st_gid, groups[0])
sw.stop()

# --- the switch -----------------------------------------------------------

sw = Switch("-x", "-n", "0x10", "--hashsize", "1000", "--macaddr",
            "2.0.0.0.ab.C", "-D", "5", "--priority", "0x1000")
is_("-x -n 0x10", sw.do("port/showinfo")[:2], ["Numports=16", "HUB=true"])
is_("--hashsize is rounded up", sw.do("hash/showinfo")[0], "Hash size 1024")
like("--macaddr", sw.do("showinfo")[3], "MAC 02:00:00:00:ab:0c uptime")
is_("-D is accepted in silence", sw.log(), "")
like("--priority", sw.do("fstp/showinfo")[0], r"0c Priority 4096 \(0x1000\)")
sw.stop()
for order in ("-F", "-x"), ("-x", "-F"):
    sw = Switch(*order)
    is_("a hub has no spanning tree: %s %s" % order,
        sw.do("fstp/showinfo")[1], "FSTP=false")
    like("and says so", sw.log(), "warning: a hub has no spanning tree")
    sw.stop()
sw = Switch("-F")
is_("-F turns spanning tree on",
    (sw.do("fstp/showinfo")[1], sw.log()), ("FSTP=true", ""))
a = sw.do("showinfo")[3].split()[3]
sw.stop()
sw = Switch()
b = sw.do("showinfo")[3].split()[3]
ok("the address is random, beginning with 00:ff",
   a.startswith("00:ff:") and b.startswith("00:ff:") and a != b, a + " " + b)
sw.stop()

# --- pidfile --------------------------------------------------------------

p = unique("pid")
sw = Switch("-p", p)
is_("-p: pid and newline", open(p).read(), "%d\n" % sw.pid)
is_("-p: mode 0644 less umask", mode(p), "%04o" % (0o644 & ~0o022))
try:
    Switch("-p", p)
    ok("the same pidfile a second time is refused", False)
except NotReady as e:
    ok("the same pidfile a second time is refused", e.args[0] == 1 and
       "unable to write pidfile %s: File exists" % p in e.args[1], e)
is_("and not removed", open(p).read(), "%d\n" % sw.pid)
sw.stop()
ok("it goes at the end", not os.path.exists(p))
open(p, "w").write("%d\n" % sw.pid)
sw = Switch("-p", p)
is_("one of a dead process is replaced", open(p).read(), "%d\n" % sw.pid)
sw.stop()
open(p, "w").write("precious\n")
try:
    Switch("-p", p)
    ok("any other file is refused", False)
except NotReady:
    is_("any other file is refused and left", open(p).read(), "precious\n")
target = unique("target")
os.symlink(target, p + ".link")
try:
    Switch("-p", p + ".link")
    ok("a symbolic link is not followed", False)
except NotReady:
    ok("a symbolic link is not followed", not os.path.exists(target))

# --- background -----------------------------------------------------------

home = unique("bg")
os.mkdir(home)
args = ["-s", "sw.ctl", "-M", "sw.mgmt", "-p", "sw.pid"]
p = subprocess.run(["vde_switch", "-d", *args], cwd=home, timeout=DEADLINE,
                   stdin=subprocess.DEVNULL, capture_output=True)
ok("-d: the parent ends with 0 when all is ready", p.returncode == 0 and
   p.stdout + p.stderr == b"", p)
pid = int(open(home + "/sw.pid").read())
try:
    con = Console(home + "/sw.mgmt")
    is_("relative paths belong to the directory of the start",
        con.do("showinfo")[4], "mgmt %s/sw.mgmt perm 0600" % home)
    like("pidfile and console agree", con.do("showinfo")[3], "pid %d " % pid)
    is_("the current directory is /", os.readlink("/proc/%d/cwd" % pid), "/")
    is_("descriptors 0 to 2 are /dev/null",
        [os.readlink("/proc/%d/fd/%d" % (pid, i)) for i in range(3)],
        ["/dev/null"] * 3)
    ok("it leads a session of its own", os.getsid(pid) == pid)
    Client(home + "/sw.ctl").close()
    p = subprocess.run(["vde_switch", "-d", *args], cwd=home, timeout=DEADLINE,
                       stdin=subprocess.DEVNULL, capture_output=True)
    ok("-d: a failure is the parent's status, the message on its stderr",
       p.returncode == 1 and b"a switch is running there" in p.stderr, p)
    Client(home + "/sw.ctl").close()
    con.write(b"shutdown\n")
    con.rest()
finally:
    if not until(lambda: gone(pid)):
        os.kill(pid, signal.SIGKILL)
is_("nothing is left", os.listdir(home), [])

for closed in [0], [1], [2], [0, 1, 2]:
    d = unique("d")
    p = subprocess.run(["vde_switch", "-d", "-s", d, "-M", d + ".m"],
                       timeout=DEADLINE,
                       preexec_fn=lambda: [os.close(i) for i in closed])
    good = p.returncode == 0
    if good:
        con = Console(d + ".m")
        c = Client(d)
        pid = int(con.do("showinfo")[3].split()[1])
        con.write(b"shutdown\n")
        con.rest()
        good = until(lambda: gone(pid))
    ok("-d with descriptors %s closed" % closed, good, p)

r, w = os.pipe()
d = unique("d")
p = subprocess.run(["vde_switch", "-d", "-s", d, "-p", d + ".pid",
                    "--ready-fd", str(w)], timeout=DEADLINE, pass_fds=[w])
os.close(w)
is_("-d and --ready-fd: one newline, then it is closed",
    (p.returncode, os.read(r, 9), os.read(r, 9)), (0, b"\n", b""))
os.close(r)
pid = int(open(d + ".pid").read())
Client(d).close()
os.kill(pid, signal.SIGTERM)
ok("a daemon ends by TERM", until(lambda: gone(pid)) and
   not os.path.exists(d) and not os.path.exists(d + ".pid"))

# --- readiness ------------------------------------------------------------

for address in unique("n"), "\0" + unique("n"):
    n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    n.settimeout(DEADLINE)
    n.bind(address)
    env = dict(os.environ, NOTIFY_SOCKET=address.replace("\0", "@"))
    sw = Switch(env=env, rc=None)
    is_("sd_notify on %s" % ("a path" if address[0] == "/" else
                             "an abstract address"), n.recv(99), b"READY=1")
    sw.stop()
env = dict(os.environ, NOTIFY_SOCKET="/nowhere/notify")
sw = Switch(env=env, rc=None)
like("nobody to notify is a warning", sw.log(), "warning: unable to notify")
sw.stop()

# --- standard input -------------------------------------------------------

sw = Switch(nostdin=False, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sw.proc.stdin.write(b"port/create 3\nport/create 3\nlogout\n\n# x\n"
                    b"ds/showinfo\n")
sw.proc.stdin.close()
out = sw.proc.stdout.read()
is_("commands on stdin: replies on stdout, no greeting, no prompt", out,
    b"1000 Success\n1017 File exists\n0000 DATA END WITH '.'\n"
    b"ctl dir %s\nstd mode 0600\n.\n1000 Success\n" % sw.dir.encode())
is_("EOF on stdin ends the switch with 0", sw.proc.wait(DEADLINE), 0)
like("and a message", sw.log(), "^vde_switch: EOF on stdin, cleaning up and")
ok("and cleans up", not os.path.exists(sw.dir))
sw = Switch(nostdin=False, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sw.proc.stdin.write(b"shutdown\n")
sw.proc.stdin.flush()
is_("shutdown on stdin ends it too", sw.proc.wait(DEADLINE), 0)
sw = Switch()  # /dev/null and --nostdin
sw.sync()
c = sw.plug()
ok("--nostdin does not look at it", sw.alive())

# --- signals and the end --------------------------------------------------

for s in "HUP PIPE USR1 USR2 ALRM PROF VTALRM IO PWR".split():
    sw.proc.send_signal(getattr(signal, "SIG" + s))
sw.sync()
ok("HUP PIPE USR1 USR2 ALRM PROF VTALRM IO PWR do not end it", sw.alive())
p = sw.plug()
is_("TERM: status 0", sw.stop(), 0)
like("TERM: a message", sw.log(), "^vde_switch: caught signal 15, cleaning up")
is_("TERM: nothing is left", [os.path.exists(x) for x in
                              (sw.dir, sw.mgmt, c.peer, p.peer)], [False] * 4)
ok("clients see the end", c.hung_up() and p.hung_up())
pidf = unique("pid")
sw = Switch("-p", pidf)
sw.plug()
is_("INT: it dies by the signal", sw.stop(signal.SIGINT), -signal.SIGINT)
is_("INT: nothing is left", [os.path.exists(x) for x in
                             (sw.dir, sw.mgmt, pidf)], [False] * 3)

d = unique("mine")
os.mkdir(d, 0o750)
sw = Switch(directory=d)
sw.plug()
sw.stop()
is_("a directory that was there stays, with its mode",
    (os.listdir(d), mode(d)), ([], "0750"))
sw = Switch()
open(sw.dir + "/precious", "w").close()
sw.stop()
is_("a file of somebody else's in it stays too", os.listdir(sw.dir),
    ["precious"])
link = unique("link")
os.symlink(d, link)
sw = Switch(directory=link + "/")
is_("ds/showinfo has the real path", sw.do("ds/showinfo")[0], "ctl dir " + d)
sw.stop()

# --- rc files -------------------------------------------------------------

rc = unique("rc")
with open(rc, "w") as f:
    f.write("# a comment\n\nport/create 3\nport/create 3\nfrob\n"
            "\tport/create 4 # no\nport/create 99\n   vlan/create 7  \n"
            "shutdown\nload %s\ndebug/add\nlogout\nport/create 5\n"
            "plugin/list\ncapture/start /dev/zero\n" % rc)
sw = Switch("-f", rc)
is_("a bad line is reported with file and line", [
    x for x in sw.log().splitlines() if rc in x], [
    "vde_switch: warning: %s:%d: %s" % (rc, n, t) for n, t in (
        (4, "port/create 3: File exists"),
        (5, "frob: Function not implemented"),
        (6, "port/create 4 # no: Invalid argument"),
        (7, "port/create 99: Invalid argument"),
        (9, "shutdown: Bad file descriptor"),
        (10, "load %s: Bad file descriptor" % rc),
        (11, "debug/add: Bad file descriptor"),
        (14, "plugin/list: No such file or directory"),
        (15, "capture/start /dev/zero: unable to capture: /dev/zero: "
             "it is a device, and not /dev/null"))])
is_("the rest runs", [x[:9] for x in sw.do("port/allprint")
                      if x.startswith("Port")] + sw.do("vlan/allprint 7"),
    ["Port 0003", "Port 0005", "VLAN 0007"])
sw.stop()

home = unique("home")
os.makedirs(home + "/.vde2/vde_switch.rc")
env = dict(os.environ, HOME=home)
sw = Switch(env=env, rc=None)
like("a default rc file that cannot be read is a warning", sw.log(),
     "warning: unable to read rc file %s/.vde2/vde_switch.rc: Is a dir" % home)
sw.stop()
os.rmdir(home + "/.vde2/vde_switch.rc")
with open(home + "/.vde2/vde_switch.rc", "w") as f:
    f.write("port/setnumports 77\n")
sw = Switch(env=env, rc=None)
is_("~/.vde2/vde_switch.rc is run", sw.do("port/showinfo")[0], "Numports=77")
sw.stop()
sw = Switch("-f", "/dev/null", env=env)
is_("but not beside -f", sw.do("port/showinfo")[0], "Numports=32")
sw.stop()
done()
