#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""56-wire-console-rc.py - commands of wirefilter from files and from its
terminal: rc files and their mistakes, showconfig, load, and a console on
standard input."""
import pty
import sys
import termios
sys.dont_write_bytecode = True
from wirelib import *

PROMPT = WireConsole.prompt.decode()
RC = TMP + "/rc"


def write(text, path=RC):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def complaints(log):
    return re.findall(r"^wirefilter: warning: rc command error: (.*)$", log,
                      re.M)


def value(w, name, way="lr"):
    return w.console.json("showinfo")["settings"][name][way]["text"]


# --- rc files -------------------------------------------------------------

write("\n# c\n\n loss 5\r\n\tdelay  LR10+5U  \nmtu 1500", RC)
w = Wire("-d", "1", "-D", "3", "-f", RC, console=True)
is_("an rc file comes after the options",
    [value(w, x) for x in ("loss", "delay", "mtu", "dup")],
    ["5+0U", "10+5U", "1500+0U", "3+0U"])
is_("and leaves alone what it does not name", value(w, "delay", "rl"), "1+0U")
is_("without a mistake nothing is said", complaints(w.log()), [])
w.stop()

INNER = write("bar\nloss 6\ndelay x\n", TMP + "/inner")
write(b"foo\nloss 5[3]\n" + b"x" * 5000 + b"\nloss\0 1\nload /no/such\n"
      b"load %s\nmarkov-debug 1\nlogout\nwhy\nqdisc none\nlossx 3\nloss\n"
      b"showinfo\nhelp\nshowerror\nreset-counters\nseed\nmtu 900\n"
      % INNER.encode())
w = Wire("-f", RC, console=True)
WANTED = (
    r"foo Function not implemented \(RC:1\)",
    r"loss 5\[3\] Invalid argument \(RC:2: unable to set loss '5\[3\]': there "
    r"is no node 3\)",
    r"x{200} Argument list too long \(RC:3\)",
    r"loss Invalid argument \(RC:4\)",
    r"load /no/such No such file or directory \(RC:5\)",
    r"bar Function not implemented \(INNER:1\)",
    r"delay x Invalid argument \(INNER:3: unable to set delay 'x': .*\)",
    r"markov-debug 1 Invalid argument \(RC:7: there is nobody to tell\)",
    r"logout Bad file descriptor \(RC:8: there is no session to leave\)",
    r"why Bad file descriptor \(RC:9: there is no session\)",
    r"qdisc none Invalid argument \(RC:10: unable to set qdisc: 'none' is .*",
    r"lossx 3 Function not implemented \(RC:11\)",
    r"loss Invalid argument \(RC:12: usage: loss <value...>\)")
got = [x.replace(RC + ":", "RC:").replace(INNER + ":", "INNER:")
       for x in complaints(w.log())]
ok("each line that fails is logged, with its place and the reason",
   len(got) == len(WANTED) and all(map(re.fullmatch, WANTED, got)),
   "\n".join(got))
is_("the others run", [value(w, x) for x in ("loss", "mtu")],
    ["6+0U", "900+0U"])
w.stop()

write("loss 3\nload %s\n" % RC)
w = Wire("-f", RC, console=True)
is_("a file that loads itself ends", value(w, "loss"), "3+0U")
ok("and is told so", any("Too many levels" in x for x in complaints(w.log())),
   w.log())
w.stop()

write("foo\n" * 70000)
status, log = refused_wire("-f", RC)
ok("a file of too many lines is refused", status == 1 and re.search(
    r"unable to read rc file .*: Argument list too long", log),
   (status, log[-300:]))
is_("and cannot fill the log", len(complaints(log)), 100)
os.mkfifo(TMP + "/fifo")
write(b"#" * 1100000, TMP + "/big")
for path in TMP + "/no", TMP, TMP + "/fifo", TMP + "/big", "/dev/zero":
    status, log = refused_wire("-f", path)
    ok("no rc file: " + path.replace(TMP, "TMP"), status == 1 and
       "unable to read rc file %s: " % path in log, (status, log))
write("loss 3\nshutdown\n")
is_("shutdown in an rc file ends the program well, before it began",
    refused_wire("-f", RC), (0, ""))
write(os.urandom(20000))
w = Wire("-f", RC, console=True)
is_("noise is no rc file, and does no harm", w.console.raw("loss 0"),
    b"1000 Success\n")
w.stop()

# --- showconfig -----------------------------------------------------------

w = Wire(console=True)
many = "losslist @" + write(",".join(str(3 * i) for i in range(1, 400)),
                            TMP + "/many")
w.console.do("markov-numnodes 2", many, many.replace("@", "RL@") + "[1]")
got = w.console.do("showconfig")
is_("of a list that no line can hold it says that it is needed",
    ([x for x in got if "needs" in x], max(len(x) for x in got) < 1024),
    (["# needs: losslist @FILE", "# needs: losslist RL@FILE[1]"], True))
w.stop()

w = Wire("--seed", "1", console=True)
con = w.console
con.says("showconfig", ["fifo 1", "markov-time 100"])
SET = ["fifo 0", "markov-numnodes 3", "markov-time 3600000", "mtu LR1500",
       "loss 5.25+0.125N~30", "lostburst RL3+0U", "chanbufsize 12345678+0U",
       "delay LR10+5:pareto", "delay RL0.1+0U", "gilbert RL1,10,70,0.1",
       "lossperiod 10,2,3", "losslist 3,7-9,100-", "qdisc LRcodel 5,100",
       "qdisc RLred 1000,5000,10,0", "setedge 0,1,12.5", "setedge 0,2,1e-06",
       "markov-name 1,bad, worse", "loss 100+0U[1]", "setedge 1,0,50",
       "dup LR2+0U[2]", "ber 0.001+0U[2]", "blackout RL0+3600000",
       "markov-setnode 2"]
con.do(*SET)
got = con.do("showconfig")
ok("what was set is shown as commands", set(SET) - {"blackout RL0+3600000",
   "mtu LR1500"} <= set(got), "\n".join(got))
is_("in JSON the same", [x for x in con.json("showconfig")["commands"]
                         if "blackout" not in x],
    [x for x in got if "blackout" not in x])
write("0\n5\n10\n", TMP + "/links")
write("time,rate\n0,1000000\n3600000,2000000\n", TMP + "/rates")
con.do("trace LR" + TMP + "/links", "trace-once RL" + TMP + "/rates")
if con.cmd("class-add slow tcp and port 443")[0] == 0:
    con.do("class-set slow delay LR100+0U", "class-set slow loss 3+0U")
else:
    note("no classes: " + con.do("why")[0])
got = con.do("showconfig")
is_("traces are in it", [x.replace(TMP, "TMP") for x in got if "trace" in x],
    ["trace LRmahimahi:TMP/links", "trace-once RLcsv:TMP/rates"])
write("\n".join(got))
again = Wire("-f", RC, console=True)
is_("an rc file of them is accepted", complaints(again.log()), [])
is_("and makes the same wire",
    [re.sub(r"(blackout RL)[\d.+]+", r"\1", x)
     for x in again.console.do("showconfig")],
    [re.sub(r"(blackout RL)[\d.+]+", r"\1", x) for x in got])
is_("also as VDE 2 shows it", again.console.do("showinfo 0"),
    con.do("showinfo 0"))
again.stop()
con.do("markov-numnodes 1024")
write("".join("loss %d[%d]\nsetedge %d,%d,7\nsetedge %d,5,1\n" % (
    n % 100, n, n, (n + 1) % 1024, n) for n in range(10, 1010)))
con.load(RC)
got = con.do("showconfig")
is_("a thousand nodes are a long list, but a whole one",
    (sum(x.startswith("loss") for x in got),
     sum(x.startswith("setedge") for x in got)), (1004, 2003))
is_("and one document", len(con.json("showconfig")["commands"]), len(got))

# --- load -----------------------------------------------------------------

write("loss 1\nload %s\n" % RC)
got = con.load(RC)
is_("load in load in load ends", (got.count("loss 1\n"), re.findall(
    r"^1[1-9]\d\d .*|^10[1-9].*", got, re.M)),
    (8, ["1040 Too many levels of symbolic links"]))
write("loss 1\ndelay x\nshowcurrent\n\n# c\n")
got = con.json("load " + RC)["commands"]
is_("load in JSON has results and reasons",
    [(x["line"], x["errno"], x.get("reason", "")[:21]) for x in got],
    [(1, 0, ""), (2, errno.EINVAL, "unable to set delay '"), (3, 0, "")])
is_("and data", got[2]["data"]["node"], 2)
write("loss 2\nshutdown\nloss 3\n")
con.write(b"load " + RC.encode() + b"\n")
is_("a file may shut the wire down", con.rest().decode().replace(RC, "RC"),
    "0000 DATA END WITH '.'\n\nVDEwf$  (RC) loss 2\n1000 Success\n"
    "\nVDEwf$  (RC) shutdown\n.\n")
is_("which ends well", w.wait(), 0)

# --- the terminal ---------------------------------------------------------

a, b = Switch(), Switch()


class Terminal:
    """A filter between two switches, with a console on descriptors 0 and 1."""

    def __init__(self, fds):
        self.logfile = unique("t")
        r, w = os.pipe()
        with open(self.logfile, "wb") as log:
            self.proc = start("wirefilter", "--ready-fd", str(w), "-v",
                              a.dir + ":" + b.dir, stdin=fds[0], stdout=fds[1],
                              stderr=log, pass_fds=[w], start_new_session=True)
        os.close(w)
        os.read(r, 1)
        os.close(r)

    wait, log = Wire.wait, Wire.log


def piped(text):
    """(status, output) of a filter whose console reads that, and the end."""
    i, o = os.pipe(), os.pipe()
    t = Terminal((i[0], o[1]))
    for fd in i[0], o[1]:
        os.close(fd)
    os.write(i[1], text.encode())
    if not text.endswith("out\n"):
        os.close(i[1])
    got = b""
    while select.select([o[0]], [], [], DEADLINE)[0]:
        more = os.read(o[0], 65536)
        if not more:
            break
        got += more
    os.close(o[0])
    return t.wait(), got.decode(), t.log()


is_("a pipe has prompts, but no greeting, and at its end all is over",
    piped("loss 3\n\nfoo\n# c\nloss")[:2],
    (0, "1000 Success\n" + 2 * PROMPT + "1038 Function not implemented\n" +
     2 * PROMPT + "1022 Invalid argument\n" + PROMPT))
status, got, log = piped("showcurrent\nlogout\n")
is_("logout is the end, too", (status, got),
    (0, "0000 DATA END WITH '.'\nCurrent Markov Node 0 \"\" (0,..,0)\n.\n"
     "1000 Success\n" + PROMPT + "1-01 Unknown error -1\n"))
like("and the log tells why", log, r"^wirefilter: the console on standard "
     "input has ended: stopping")
is_("shutdown says nothing", piped("shutdown\nloss 3\n")[:2], (0, ""))
t = Terminal((subprocess.DEVNULL, subprocess.DEVNULL))
is_("/dev/null is no console, and no end", (t.wait(0.2), "ended" in t.log()),
    (None, False))
t.proc.terminate()
t.wait()

m, s = pty.openpty()
attr = termios.tcgetattr(s)
attr[3] &= ~termios.ECHO
attr[1] &= ~termios.OPOST
termios.tcsetattr(s, 0, attr)
t = Terminal((s, s))
got = b""


def typed(text, answer):
    """What comes back; the terminal stays."""
    global got
    os.write(m, text.encode())
    while not got.endswith(answer.encode()):
        if not select.select([m], [], [], DEADLINE)[0]:
            break
        got += os.read(m, 65536)
    text, got = got.decode(), b""
    return text


is_("a terminal has a prompt from the beginning", typed("", PROMPT), PROMPT)
is_("and replies", typed("loss 3\n", PROMPT), "1000 Success\n" + PROMPT)
is_("a line that is typed slowly is one", (typed("lo", "") and
    select.select([m], [], [], 0.2)[0], typed("ss 4\n", PROMPT)),
    ("", "1000 Success\n" + PROMPT))
os.write(m, b"\x04")
is_("control-D is the end", t.wait(), 0)
done()
