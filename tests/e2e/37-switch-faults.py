#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""37-switch-faults.py - when the system has no more to give: descriptors,
memory, disk, readers of its output. And two switches on one directory, and
what one that was killed leaves behind. Ports that are there go on."""
import errno
import resource

from vdeclient import *

ASAN = "address" in BUILD


def fds(sw):
    return len(os.listdir("/proc/%d/fd" % sw.pid))


def busy(sw, seconds=0.5):
    a = cpu_seconds(sw.pid)
    select.select([], [], [], seconds)
    return (cpu_seconds(sw.pid) - a) / seconds


def limited(what, soft, hard=None):
    return lambda: resource.setrlimit(what, (soft, hard or soft))


def not_started(sentence, regex, *args, **kw):
    """It does not start, for that reason; returns what it logged."""
    try:
        Switch(*args, **kw).stop()
        return ok(sentence, False, "it started")
    except NotReady as e:
        return ok(sentence, e.args[0] == 1 and re.search(regex, e.args[1]), e)


# --- descriptors ----------------------------------------------------------

sw = Switch("-n", "100", preexec_fn=limited(resource.RLIMIT_NOFILE, 40))
pair = Pair(sw)
waiting = []
mine = []
for _ in range(40):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(sw.dir + "/ctl")
    waiting.append(s)
sw.logged("unable to accept")
is_("out of descriptors: that is said once", sw.log(),
    "vde_switch: warning: unable to accept on %s/ctl for now: Too many open "
    "files\n" % sw.dir)
ok("ports that are there go on", pair.goes_on(), pair)
until(lambda: sw.log().count("\n") > 1, 1)
is_("and says nothing more", sw.log().count("\n"), 1)
pair.stop()
load = busy(sw, 1)
ok("waiting for descriptors takes no time", load < 0.1, "%.2f" % load)
for s in waiting[:20]:
    s.close()
ok("when some are free again, who waited is served",
   until(lambda: fds(sw) < 35), lambda: fds(sw))
c = sw.plug()
ok("and so are others", c.port > 0)
for s in waiting[20:]:
    s.close()
mine = [c]
while True:
    try:
        mine.append(sw.plug())
    except Refused:
        break
ok("as many clients as descriptors allow", len(mine) > 8, len(mine))
ok("who is one too many is refused with the reason", sw.logged(
    "(refused|unable to open) .*: Too many open files"), sw.log)
quiet_console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
quiet_console.connect(sw.mgmt)
load = busy(sw)
ok("a console that waits too takes no time", load < 0.1, "%.2f" % load)
mine.pop().close()
mine.pop().close()
quiet_console.settimeout(DEADLINE)
like("it is served when there is room", quiet_console.recv(99).decode(),
     "^VDE switch V")
a, b = mine[:2]
a.send(frame(BROADCAST, mac(1)))
is_("all the others still work", b.recv(), frame(BROADCAST, mac(1)))
is_("the switch ends well", sw.stop(), 0)
for c in mine:
    c.close()

sw = Switch("-n", "50",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                  (30, 500)))
mine = [sw.plug() for _ in range(50)]
for i, c in enumerate(mine):
    c.send(frame(BROADCAST, mac(i)))
sw.sync()
a = cpu_seconds(sw.pid)
select.select([], [], [], 1)
ok("the soft limit of descriptors does not count", len(mine) == 50)
is_("50 ports that are silent take no time at all", cpu_seconds(sw.pid) - a,
    0)
sw.stop()
for c in mine:
    c.close()

# --- memory ---------------------------------------------------------------

if ASAN:
    skip_point("no memory", "a sanitizer needs all of it")
else:
    sw = Switch("-n", "8")
    pair = Pair(sw)
    con = sw.console
    pair.goes_on(2)
    with open("/proc/%d/statm" % sw.pid) as f:
        now = int(f.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(sw.pid, resource.RLIMIT_AS, (now, now))
    codes = {}
    for line in ["hash/setsize 262144", "port/setnumports 16384"] + \
            ["vlan/create %d" % i for i in range(1, 4094)] + \
            ["port/create %d" % i for i in range(3, 16384)]:
        code = con.cmd(line)[0]
        codes.setdefault(line.split()[0], []).append(code)
        if line.startswith("port/create") and code == errno.ENOMEM:
            break
    refused_ = [k for k, v in codes.items() if errno.ENOMEM in v]
    ok("no memory: commands are refused and say so",
       "hash/setsize" in refused_ and len(refused_) >= 2,
       {k: set(v) for k, v in codes.items()})
    ok("what is there goes on", pair.goes_on(), pair)
    extra = []
    try:
        for _ in range(20):
            extra.append(sw.plug())
    except Refused:
        pass
    ok("a client more or less", pair.goes_on() and sw.alive(), pair)
    pair.stop()
    is_("the switch ends well", sw.stop(), 0)

# --- disk -----------------------------------------------------------------

p = unique("pid")
sw = Switch(preexec_fn=limited(resource.RLIMIT_FSIZE, 100))
pair = Pair(sw)
for _ in range(20):
    refused(sw.dir, request=b"nonsense")
ok("a log that can grow no more does not end the switch", pair.goes_on() and
   sw.alive(), sw.proc.poll())
pair.stop()
is_("it ends well", sw.stop(), 0)
d = unique("d")
r = subprocess.run(["vde_switch", "-s", d, "-p", p, "--nostdin"],
                   capture_output=True, timeout=DEADLINE,
                   preexec_fn=limited(resource.RLIMIT_FSIZE, 0))
ok("a pidfile that cannot be written stops the start", r.returncode == 1 and
   b"unable to write pidfile %s: File too large" % p.encode() in r.stderr and
   not os.path.exists(p) and not os.path.exists(d), r)

full = unique("full")
os.mkdir(full)
script = """
mount -t tmpfs -o size=4k,nr_inodes=%s none "$0" || exit 77
%s
vde_switch -s "$0/sw" -M "$0/mgmt" -p "$0/pid" --nostdin
status=$?
ls "$0"
exit $status
"""
for what, inodes, fill, want in (
        ("blocks", 20, 'dd if=/dev/zero of="$0/fill" bs=4k count=9 '
         '2>/dev/null', "unable to write pidfile %s/pid: No space left"),
        ("inodes", 3, ":", "unable to write pidfile|unable to open "
         "management socket %s/mgmt: No space left|unable to listen on "
         "%s/sw/ctl: No space left")):
    r = subprocess.run(["unshare", "-Urm", "sh", "-c",
                        script % (inodes, fill), full],
                       capture_output=True, timeout=DEADLINE)
    sentence = "a full disk (%s) stops the start and nothing is left" % what
    if r.returncode == 77 or b"unshare" in r.stderr:
        skip_point(sentence, "no mounts in a user namespace")
        continue
    ok(sentence, r.returncode == 1 and
       re.search(want.replace("%s", re.escape(full)), r.stderr.decode()) and
       r.stdout.split() in ([], [b"fill"]), r)

# --- nobody reads what it says --------------------------------------------

def stuffed_pipe():
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 4096)
    except BlockingIOError:
        pass
    try:
        while True:
            os.write(w, b"x")
    except BlockingIOError:
        pass
    os.set_blocking(w, True)
    return r, w


r, w = stuffed_pipe()
sw = Switch(stderr=w)
pair = Pair(sw)
for _ in range(20):
    refused(sw.dir, request=b"nonsense")
ok("a full pipe on stderr stops nobody", pair.goes_on(), pair)
pair.stop()
text = b""


def told():
    """Reads on, and gives it something to say, one message a second."""
    global text
    refused(sw.dir, request=b"nonsense")
    sw.sync()
    if select.select([r], [], [], 0)[0]:
        text += os.read(r, 1 << 20)
    return text.endswith(b"\n")


until(told)
like("when it is read again, what was lost is told",
     text.decode().lstrip("x"),
     r"\Avde_switch: warning: \d+ messages were lost\n"
     "vde_switch: warning: ")
is_("the switch ends well", sw.stop(), 0)
os.close(r)
os.close(w)

r, w = os.pipe()
sw = Switch(stderr=w)
os.close(w)
os.close(r)
pair = Pair(sw)
refused(sw.dir, request=b"nonsense")
ok("nor does a closed one", pair.goes_on(), pair)
pair.stop()
is_("the switch ends well", sw.stop(), 0)

r, w = stuffed_pipe()
sw = Switch(nostdin=False, stdin=subprocess.PIPE, stdout=w)
pair = Pair(sw)
sw.proc.stdin.write(b"help\n" * 200)
sw.proc.stdin.flush()
ok("a full pipe on stdout stops nobody", pair.goes_on(), pair)
is_("nor another console", sw.console.cmd("port/showinfo")[0], 0)
pair.stop()
is_("the switch ends well", sw.stop(), 0)
os.close(r)
os.close(w)

# --- a system without epoll_pwait2 ---

def filtered():
    """From here on system call 441, the same everywhere, is not known."""
    import ctypes
    code = struct.pack("=" + 4 * "HBBI",
                       0x20, 0, 0, 0,  # load the number
                       0x15, 0, 1, 441,  # if it is 441
                       0x06, 0, 0, 0x50000 | errno.ENOSYS,  # ENOSYS
                       0x06, 0, 0, 0x7fff0000)  # else allow it
    buf = ctypes.create_string_buffer(code)
    prog = struct.pack("HP", 4, ctypes.addressof(buf))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, prog, 0, 0):
        os._exit(77)


try:
    sw = Switch(preexec_fn=filtered)
except NotReady as e:
    if e.args[0] != 77:
        raise
    skip_point("an old kernel will do", "no filters here")
else:
    pair = Pair(sw)
    ok("an old kernel will do", pair.goes_on(), pair)
    sw.do("hash/setexpire 1", "hash/setgcint 1")
    pair.stop()
    ok("timers work", until(
        lambda: sw.console.json("hash/showinfo")["entries"] == 0))
    a = cpu_seconds(sw.pid)
    select.select([], [], [], 0.3)
    ok("waiting takes no time", cpu_seconds(sw.pid) - a < 0.05)
    is_("the switch ends well", sw.stop(), 0)

# --- two switches ---------------------------------------------------------

sw = Switch()
pair = Pair(sw)
not_started("a second switch on the directory is refused",
            "unable to listen on %s/ctl: a switch is running there" %
            re.escape(sw.dir), directory=sw.dir)
not_started("and one with the same management socket",
            "unable to open management socket %s: Address already in use" %
            re.escape(sw.mgmt), mgmt=sw.mgmt)
c = sw.plug()
ok("the first goes on", pair.goes_on() and os.path.exists(sw.mgmt) and
   os.path.exists(c.peer), pair)
pair.stop()

open(sw.dir + "/precious", "w").close()
other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
other.bind(sw.dir + "/other")
sw.stop(signal.SIGKILL)
left = sorted(os.listdir(sw.dir))
ok("killed, it leaves its sockets behind", "ctl" in left and
   os.path.basename(c.peer) in left and os.path.exists(sw.mgmt), left)
again = Switch(directory=sw.dir, mgmt=sw.mgmt)
is_("the next one takes over, and removes what was of the other's only",
    sorted(os.listdir(sw.dir)), ["ctl", "other", "precious"])
d = again.plug()
d.close()
again.stop()
is_("at its end too", sorted(os.listdir(sw.dir)), ["other", "precious"])

for attempt in range(3):
    base = unique("race")
    sw = Switch(directory=base + ".ctl", mgmt=base + ".mgmt")
    sw.stop(signal.SIGKILL)
    procs = [start("vde_switch", "-s", base + ".ctl", "-M", base + ".mgmt",
                   "--nostdin", stderr=subprocess.DEVNULL) for _ in range(12)]
    until(lambda: sum(p.poll() is None for p in procs) <= 1)
    running = [p for p in procs if p.poll() is None]
    good = len(running) == 1
    if good:
        con = Console(base + ".mgmt")
        like_pid = int(con.do("showinfo")[3].split()[1])
        Client(base + ".ctl").close()
        good = like_pid == running[0].pid
    ok("of 12 that take over at the same time one stays", good,
       [p.poll() for p in procs])
    for p in running:
        p.terminate()
        p.wait()

sw = Switch()
c = sw.plug()
shutil.rmtree(sw.dir)
os.unlink(sw.mgmt)
new = Switch(directory=sw.dir, mgmt=sw.mgmt)
d = new.plug()
is_("one whose files were removed ends well", sw.stop(), 0)
ok("and leaves those of its successor alone",
   Console(sw.mgmt).do("ds/showinfo")[0] == "ctl dir " + sw.dir and
   new.plug().port == 2)
new.stop()
done()
