#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""32-switch-users.py - several users on one switch of root's: who may have
which port, whose the sockets are, and that nobody can make the switch write
where he could not. Then a switch of an ordinary user's."""
import grp
import pwd
import shutil
import stat

from vdeclient import *

if os.geteuid() != 0:
    skip("only root can be several users")
try:
    with open("/proc/self/uid_map") as f:
        if int(f.read().split()[2]) < 65536:
            skip("there is only one user here")
    ANN, BOB = 2001, 2002  # need no names
    CREW = 3001
except (OSError, IndexError):
    skip("no /proc")
os.chmod(TMP, 0o755)


def home(uid):
    d = "%s/home%d" % (TMP, uid)
    if not os.path.exists(d):
        os.mkdir(d)
        os.chown(d, uid, uid)
    return d


class As:
    """Clients that belong to another user: a process of his that does what it
    is told. call() gives what the function returns, or the exception."""

    def __init__(self, uid, groups=()):
        mine, self.r = os.pipe()
        theirs, self.w = os.pipe()
        mine, self.r = self.r, mine
        h = home(uid)
        self.pid = os.fork()
        if self.pid:
            os.close(mine)
            os.close(theirs)
            return
        for s in signal.SIGTERM, signal.SIGHUP:
            signal.signal(s, signal.SIG_DFL)
        for fd in range(3, 64):
            if fd not in (mine, theirs):
                try:
                    os.close(fd)
                except OSError:
                    pass
        os.setgroups(list(groups))
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        held, n = [], 0
        with os.fdopen(theirs) as orders, os.fdopen(mine, "w") as answers:
            for line in orders:
                kw = json.loads(line)
                n += 1
                try:
                    if kw.pop("leave", None):
                        held.pop().close()
                        answer = None
                    else:
                        kw.setdefault("path", "%s/c%d" % (h, n))
                        if kw["path"].startswith("@"):
                            kw["path"] = kw["path"].replace(
                                "@", "\0").ljust(108, "\0")
                        for_ = kw.pop("naming", None)
                        if for_:
                            kw["request"] = request_v3(for_)
                        held.append(Client(kw.pop("dir"), **kw))
                        answer = held[-1].port
                except Refused:
                    answer = "refused"
                except OSError as e:
                    answer = e.strerror
                answers.write(json.dumps(answer) + "\n")
                answers.flush()
        os._exit(0)

    def plug(self, sw, port=0, **kw):
        with os.fdopen(os.dup(self.w), "w") as f:
            f.write(json.dumps(dict(kw, dir=sw.dir, port=port)) + "\n")
        return self._answer()

    def leave(self):
        with os.fdopen(os.dup(self.w), "w") as f:
            f.write('{"leave": 1}\n')
        return self._answer()

    def _answer(self):
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([self.r], [], [], DEADLINE)[0]:
                raise AssertionError("no answer")
            line += os.read(self.r, 4096)
        return json.loads(line)

    def end(self):
        os.close(self.w)
        os.waitpid(self.pid, 0)


def idle(port):
    return until(lambda: not sw.port(port)["active"])


ann, bob, mate = As(ANN), As(BOB), As(BOB, [CREW])
sw = Switch("-m", "666", "-n", "20")

# --- sharing --------------------------------------------------------------

is_("a user gets a port", ann.plug(sw), 1)
p = sw.port(1)
is_("which shows its number, having no name", p["current_user"], str(ANN))
like("in text too", sw.do("port/print 1")[1], "^ Current User: %d Access" % ANN)
is_("the same user may share it", ann.plug(sw, 1), 1)
is_("another user may not", bob.plug(sw, 1), "refused")
ok("the log says why", sw.logged(
    r"refused port 1 to pid %d of uid %d, data socket %s/c1: another user is "
    "on that port" % (bob.pid, BOB, home(BOB))), sw.log)
is_("not even root", refused(sw.dir, 1), True)
is_("any port is another one", bob.plug(sw), 2)
ann.leave()
is_("it is still the first user's", bob.plug(sw, 1), "refused")
ann.leave()
idle(1)
is_("until the last endpoint has gone", (bob.plug(sw, 1), sw.port(1)[
    "current_user"]), (1, str(BOB)))
bob.leave()
bob.leave()

# --- rights of the data socket --------------------------------------------

idle(1)
idle(2)
ann.plug(sw)
st = os.stat("%s/001.%d" % (sw.dir, sw.port(1)["endpoints"][0]["id"]))
is_("its data socket is the client's alone",
    (stat.S_IMODE(st.st_mode), st.st_uid), (0o600, ANN))
sw2 = Switch("-m", "660", "-g", str(CREW), "--mgmtmode", "640", "--mgmtgroup",
             str(BOB))
is_("a group's switch refuses others", ann.plug(sw2), "Permission denied")
is_("and serves members", mate.plug(sw2), 1)
st = os.stat("%s/001.%d" % (sw2.dir, sw2.port(1)["endpoints"][0]["id"]))
is_("data socket: owner the client, group -g, the owner's part of -m",
    (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o600, BOB, CREW))
is_("port 0", mate.plug(sw2, type_=PORT0), 0)
st = os.stat("%s/000.%d" % (sw2.dir, sw2.port(0)["endpoints"][0]["id"]))
is_("port 0: --mgmtmode and --mgmtgroup",
    (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o640, BOB, BOB))
mate.leave()
mate.leave()
sw2.stop()
ann.leave()

# --- access control -------------------------------------------------------

sw.do("port/create 5", "port/setuser 5 %d" % ANN)
is_("port/setuser: that user", ann.plug(sw, 5), 5)
ann.leave()
idle(5)
is_("port/setuser: no other", bob.plug(sw, 5), "refused")
ok("port/setuser: the log says why", sw.logged(
    "refused port 5 to .*: that port is reserved for others"), sw.log)
c = sw.plug(5)
is_("port/setuser: root", c.port, 5)
c.close()
idle(5)
sw.do("port/setuser 5 NONE", "port/setgroup 5 %d" % CREW)
is_("port/setgroup: a supplementary group", mate.plug(sw, 5), 5)
mate.leave()
idle(5)
is_("port/setgroup: not without it", bob.plug(sw, 5), "refused")
sw.do("port/setgroup 5 %d" % BOB)
is_("port/setgroup: the primary group", bob.plug(sw, 5), 5)
bob.leave()
idle(5)
is_("port/setgroup: no other", ann.plug(sw, 5), "refused")
sw.do("port/setuser 5 %d" % ANN)
is_("both: the user", ann.plug(sw, 5), 5)
sw.do("port/setuser 5 %d" % BOB)
is_("a new rule leaves who is there alone", ann.plug(sw, 5), 5)
ann.leave()
ann.leave()
idle(5)
sw.do("port/setuser 5 ANY", "port/setgroup 5 ANY")
is_("none: everybody again", ann.plug(sw, 5), 5)
ann.leave()
idle(5)
like("as the console shows it", sw.do("port/allprint 5")[1],
     r"Access Control: \(User: NONE - Group: NONE\)")
sw.do("port/setuser 5 nobody", "port/setgroup 5 nogroup") \
    if "nobody" in [u.pw_name for u in pwd.getpwall()] and \
    "nogroup" in [g.gr_name for g in grp.getgrall()] else None
sw.do("port/setuser 5 %d" % ANN)
sw.do(*["port/create %d" % i for i in range(1, 5) if
        sw.console.cmd("port/allprint %d" % i)[0]])
sw.do(*["port/allocatable %d 1" % i for i in range(1, 6)],
      *["port/setuser %d %d" % (i, ANN) for i in range(1, 6)])
is_("any port: the lowest that admits the user", bob.plug(sw), 6)
is_("any port: for the other one it is lower", ann.plug(sw), 1)
bob.leave()
ann.leave()

# --- a client path that is not the client's -------------------------------

# Root's switch could write where the client cannot.
sw.stop()
sw = Switch("-m", "666")
victim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
victim.bind(unique("victim"))
is_("a socket of root's", bob.plug(sw, naming=victim.getsockname()), "refused")
ok("the log says whose fault", sw.logged(
    "refused a port to pid %d of uid %d, data socket %s: its data socket is "
    "another user's" % (bob.pid, BOB, victim.getsockname())), sw.log)
os.chmod(victim.getsockname(), 0o777)
is_("even if everybody may write to it",
    bob.plug(sw, naming=victim.getsockname()), "refused")
os.chown(victim.getsockname(), ANN, ANN)
is_("a socket of another user's", bob.plug(sw, naming=victim.getsockname()),
    "refused")
link = home(BOB) + "/link"
os.symlink(victim.getsockname(), link)
os.lchown(link, BOB, BOB)
is_("a link to it", bob.plug(sw, naming=link), "refused")
for fd in range(3, 12):
    if bob.plug(sw, naming="/proc/self/fd/%d" % fd) != "refused":
        ok("a descriptor of the switch's own", False, fd)
        break
else:
    ok("a descriptor of the switch's own", True)
is_("an abstract name, which has no owner",
    bob.plug(sw, path="@%s/abs" % home(BOB)), "refused")
is_("nothing came there", select.select([victim], [], [], 0)[0], [])
c = Client(sw.dir, path=unique())
is_("root's own are fine", c.port, 1)
c.close()
sw.stop()

# --- an ordinary user's switch --------------------------------------------

nob = home(ANN) + "/sw"
# Others may not be able to look into the tree: give ANN a copy.
program = shutil.copy(shutil.which("vde_switch"), home(ANN))
sw = Switch("-m", "666", directory=nob, mgmt=home(ANN) + "/mgmt",
            program=program, user=ANN, group=ANN, extra_groups=[])
is_("the owner", ann.plug(sw), 1)
st = os.stat("%s/001.%d" % (nob, sw.port(1)["endpoints"][0]["id"]))
is_("his data socket has -m and his own name",
    (stat.S_IMODE(st.st_mode), st.st_uid), (0o666, ANN))
is_("another user, whose socket the switch may write to: "
    "as the mode of that socket says", bob.plug(sw), 2)
try:
    Client(sw.dir, mode=0o700)
    got = True
except Refused:
    got = False
is_("one that it may not write to", got, False)
ok("the log says why", sw.logged("of uid 0, .*: Permission denied"), sw.log)
is_("his own abstract name", ann.plug(sw, path="@%s/abs" % home(ANN)), 3)
is_("another's", bob.plug(sw, path="@%s/abs" % home(BOB)), "refused")
is_("the end", sw.stop(), 0)
r = run("unshare", "-m", "sh", "-c", "mount -t tmpfs none /tmp && "
        "echo ds/showinfo | setpriv --reuid=%d --regid=%d --clear-groups "
        "vde_switch" % (ANN, ANN))
if r[0] and "vde_switch" not in r[2]:
    skip_point("his default directory", r[2])
else:
    like("his default directory", r[1], "^ctl dir /tmp/vde.ctl$")
for u in ann, bob, mate:
    u.end()
done()
