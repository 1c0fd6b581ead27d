#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 50-vdeterm.py - vdeterm on a pseudo terminal, against a server whose every
# byte is known: editing, history, completion, events above the line that is
# being typed, hostile output, and every way to leave. Then the same with
# real switches, ours and Debian's, and Debian's vdeterm on our switch.
# timeout: 90
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from termlib import *

VDETERM = program("vdeterm")


def session(server, *options, cols=80):
    t = Terminal(VDETERM, *options, server.path, cols=cols)
    t.prompt = "%s[%s]: " % (server.prompt[1:-2].decode(), server.path)
    t.shows(t.prompt)
    return t


def commands(server):
    return [g for g in server.got if g != b"help\n"]


# --- greeting, command, reply -----------------------------------------------

INFO = block(b"VDE switch V.2.4.0\n\n1000 is data here\n3021 as well\n")
s = Server(replies={b"showinfo": INFO + b"1000 Success\n",
                    b"port/create 3": b"1017 File exists\n"})
t = session(s)
same("the banner is shown and the prompt made from the server's",
     t.screen.lines(), ["VDE switch V.2.4.0", "(C) somebody",
                        t.prompt.rstrip()])
t.type("showinfo\r")
t.has("Success")
t.shows(t.prompt)
same("a data block is shown as it is, a result without its number",
     t.screen.lines()[2:],
     [t.prompt + "showinfo", "VDE switch V.2.4.0", "", "1000 is data here",
      "3021 as well", "Success", t.prompt.rstrip()])
t.type("port/create 3\r")
ok("an error is shown by its text", t.has("File exists"), t.text())
same("help is asked for once, and each command is one write",
     s.got, [b"help\n", b"showinfo\n", b"port/create 3\n"])

# --- editing and history ----------------------------------------------------

t.shows(t.prompt)
t.type("\r")
t.type("   \r")
t.type("port/prnt\x1b[D\x1b[Di")
ok("a letter is inserted at the cursor", t.shows(t.prompt + "port/print"),
   t.text())
t.type("\x01-j \x05 2\r")
wait_for(lambda: b"-j port/print 2\n" in s.got)
same("begin and end of line are reached", s.got[-1], b"-j port/print 2\n")
t.shows(t.prompt)
t.type("\x1b[A")
ok("Up shows the last line", t.shows(t.prompt + "-j port/print 2"), t.text())
t.type("\x1b[A")
ok("Up again the one before, empty ones left out",
   t.shows(t.prompt + "port/create 3"), t.text())
t.type("\x1b[B\x1b[B")
ok("Down leads back", t.shows(t.prompt), t.text())

# --- completion -------------------------------------------------------------

t.type("sh\t")
ok("Tab completes what is common", t.shows(t.prompt + "sh"), t.text())
t.type("o\t")
ok("Tab completes a command and adds a blank",
   t.shows(t.prompt + "showinfo "), t.text())
t.type("\x15po\t")
ok("a heading is no command, the common part goes on",
   t.shows(t.prompt + "port/"), t.text())
t.type("\t")
ok("a second Tab lists the commands",
   t.until(lambda: any(l.split() == ["port/create", "port/createauto",
                                     "port/print", "port/showinfo"]
                       for l in t.screen.lines())) and
   t.shows(t.prompt + "port/"), t.text())
t.type("c\t")
ok("a command that begins another one is no end",
   t.shows(t.prompt + "port/create"), t.text())
t.type("\x15help d\t")
ok("help takes a command", t.shows(t.prompt + "help ds/showinfo "), t.text())
os.mkdir(TMP + "/scripts")
open(TMP + "/scripts/first.rc", "w").close()
t.type("\x15load " + TMP + "/scr\tf\t")
ok("load takes a file", t.shows(t.prompt + "load " + TMP +
                                "/scripts/first.rc "), t.text())
t.type("\x15showinfo s\t")
ok("other arguments are not completed", t.shows(t.prompt + "showinfo s"),
   t.text())
t.type("\x15")

# --- events -----------------------------------------------------------------

t.type("port/cre")
t.shows(t.prompt + "port/cre")
t.type("\x1b[D")
s.say(b"3021 port/+ 01\n3011 hash/+ 02:00:00:00:00:0a VLAN 00:00 Port 1\n")
ok("an event is shown above the line that is being typed",
   t.has("** DBG MSG: port/+ 01") and t.shows(t.prompt + "port/cre") and
   t.screen.lines()[-3:] ==
   ["** DBG MSG: port/+ 01",
    "** DBG MSG: hash/+ 02:00:00:00:00:0a VLAN 00:00 Port 1",
    t.prompt + "port/cre"], t.text())
ok("the cursor stays in its place",
   t.until(lambda: t.screen.x == len(t.prompt) + 7), t.screen.x)
t.type("\x05ate 3\r")
wait_for(lambda: len(commands(s)) > 3)
same("the line goes on as if nothing had happened", s.got[-1],
     b"port/create 3\n")
t.shows(t.prompt)
long_line = "load " + "x" * 150
t.type(long_line)
t.until(lambda: "".join(t.screen.lines()[-3:]).endswith(long_line))
s.say(b"3022 port/- 01\n")
t.has("** DBG MSG: port/- 01")
ok("a line that is longer than the screen survives it too",
   t.until(lambda: "".join(t.screen.lines()[-3:]) ==
           t.prompt + long_line) and
   "xxx" not in "".join(t.screen.lines()[:-3]), t.text())
t.type("\x15")
t.shows(t.prompt)
s.say(b"3021 a\n" * 500)
t.until(lambda: t.text().count("** DBG MSG: a") == 500)
ok("many events leave one prompt", t.shows(t.prompt) and
   t.text().count("** DBG MSG: a") == 500 and
   t.screen.lines()[-2] == "** DBG MSG: a", t.text()[-300:])

# --- what must not reach a terminal -----------------------------------------

t.raw = b""
s.say(b"3021 x \x1b]0;owned\x07\x1b[2J\x9b31m\xc2\x9b31m\x00\x08\x0d\xe2\x80"
      b"\xae \xc3\xa4\tend\n")
t.until(lambda: b"end" in t.raw)
ok("control characters of the server are shown as question marks",
   b"** DBG MSG: x ?]0;owned??[2J?31m??31m???" in t.raw and
   b"\x1b]" not in t.raw and b"\x1b[2J" not in t.raw and
   b"\x9b31m" not in t.raw and b"\xe2\x80" not in t.raw, t.raw)
ok("letters of other languages and tabs stay", b"\xc3\xa4\tend" in t.raw,
   t.raw)

t.raw = b""
garbage = random.Random(3).randbytes(300000) + b"\n3021 the end\n"
threading.Thread(target=s.say, args=(garbage,)).start()
ok("garbage is survived", t.has("** DBG MSG: the end"), t.raw[-300:])
ok("and nothing of it obeyed",
   t.raw.replace(b"\x1b[K", b"").count(b"\x1b") == 0 and
   t.raw.replace(b"\a", b"") == t.raw)

# --- leaving ----------------------------------------------------------------

t.shows(t.prompt)
t.type("logout\r")
same("logout ends it with status 0", t.exit_status(), 0)
ok("logout is not sent", b"logout\n" not in s.got, s.got)
ok("the terminal is as it was", t.restored())

t = session(s)
t.type("\x04")
same("Ctrl-D ends it with status 0", t.exit_status(), 0)
ok("the terminal is as it was", t.restored())
same("the cursor is left on a line of its own", t.screen.line(), "")

t = session(s)
t.type("half a li")
t.shows(t.prompt + "half a li")
os.kill(t.pid, signal.SIGTERM)
same("SIGTERM ends it with status 0", t.exit_status(), 0)
ok("the terminal is as it was", t.restored())

t = session(s)
t.type("half a li\x03")
same("Ctrl-C kills it by the signal", t.exit_status(), -signal.SIGINT)
ok("the terminal is as it was", t.restored())

t = session(s)
s.hang_up()
same("a server that hangs up ends it with status 0", t.exit_status(), 0)
same("and a message in place of the prompt", t.screen.lines(),
     ["VDE switch V.2.4.0", "(C) somebody",
      "vdeterm: %s has hung up" % s.path, ""])
ok("the terminal is as it was", t.restored())

s.replies[b"die"] = lambda conn: s.hang_up()
t = session(s)
t.type("die\r")
same("one that owes an answer is a failure", t.exit_status(), 1)

s.replies[b"shutdown"] = lambda conn: s.hang_up()
t = session(s)
t.type("shutdown\r")
same("shutdown ends it with status 0", t.exit_status(), 0)
ok("shutdown is sent", s.got[-1] == b"shutdown\n", s.got)
ok("and no complaint made", "hung up" not in t.text(), t.text())

# --- pace -------------------------------------------------------------------

release = []


def late(conn):
    wait_for(lambda: release)
    return b"1000 Success\n"


s.replies[b"late"] = late
s.got.clear()
t = session(s)
t.type("late\rshowinfo\rport/create 3\r")
wait_for(lambda: b"late\n" in s.got)
release.append(1)
wait_for(lambda: len(commands(s)) == 3)
same("lines typed ahead go one by one", commands(s),
     [b"late\n", b"showinfo\n", b"port/create 3\n"])
t.has("File exists")
t.shows(t.prompt)

rows = b"".join(b"row %05d %s\n" % (i, b"." * 40) for i in range(20000))
s.replies[b"hash/print"] = block(rows) + b"1000 Success\n"
t.raw = b""
t.type("hash/print\r")
t.until(lambda: b"Success" in t.raw, 20)
got = t.raw.replace(b"\r\n", b"\n").replace(b"\r\x1b[K\r", b"")
ok("a block of a megabyte is shown whole", rows in got,
   "%d bytes, %d rows" % (len(got), got.count(b"row ")))
t.type("\x04")
t.exit_status()
s.close()

s = Server(name="VDEwf", banner=b"\nVDE wirefilter V.2.4.0\n(C) x\n",
           replies={b"showinfo": INFO + b"1000 Success\n"}, slow=True)
t = session(s)
same("wirefilter's prompt is VDEwf", t.screen.lines()[-1],
     "VDEwf[%s]:" % s.path)
t.type("showinfo\r")
ok("bytes may come one by one", t.has("Success") and t.shows(t.prompt) and
   "1000 is data here" in t.screen.lines(), t.text())
t.resize(40)
os.kill(t.pid, signal.SIGWINCH)
t.type("abc")
ok("a window that changes its size is no harm",
   t.until(lambda: t.text().endswith("abc")), t.text())
t.type("\x04\x15\x04")
t.exit_status()
s.close()

# --- job control and history file ------------------------------------------

s = Server(replies={b"showinfo": INFO + b"1000 Success\n"})
t = Terminal("bash", "--norc", "--noprofile", "-i")
prompt = "vde[%s]: " % s.path
t.type("PS1='% '\r")
t.until(lambda: t.screen.lines()[-1:] == ["%"])
t.type("vdeterm -H %s/history %s\r" % (TMP, s.path))
t.shows(prompt)
t.type("show")
t.shows(prompt + "show")
t.type("\x1a")
ok("Ctrl-Z stops it", t.until(lambda: "Stopped" in t.text()), t.text())
t.type("stty -a | grep -o ' icanon'; echo done\r")
ok("and gives the terminal back meanwhile",
   t.until(lambda: " icanon" in t.screen.lines() and
           "done" in t.screen.lines()), t.text())
t.type("fg\r")
ok("fg goes on with the line", t.shows(prompt + "show"), t.text())
t.type("info\r")
t.has("Success")
t.shows(prompt)
t.type("\x04")
t.until(lambda: t.screen.lines()[-1] == "%")
t.type("vdeterm --history %s/history %s\r" % (TMP, s.path))
t.shows(prompt)
t.type("\x1b[A")
ok("the history comes back from its file", t.shows(prompt + "showinfo"),
   t.text())
t.type("\x15\x04")
t.type("\rexit\r")
t.exit_status()
same("nobody else may read the history",
     os.stat(TMP + "/history").st_mode & 0o777, 0o600)
s.close()

# --- refusals ---------------------------------------------------------------

status, out, err = run(VDETERM, TMP + "/none")
same("a socket that is not there is named with the reason", (status, err),
     (1, ("vdeterm: error: unable to connect to %s/none: No such file or "
          "directory\n" % TMP).encode()))
status, out, err = run(VDETERM, "/" + "x" * 120)
ok("so is a path that is too long", status == 1 and
   b"File name too long" in err, err)
same("without a socket the status is 2", run(VDETERM)[0], 2)
same("with two as well", run(VDETERM, "a", "b")[0], 2)

# --- real switches ----------------------------------------------------------


def on_switch(what, mgmt, vdeterm=VDETERM):
    t = Terminal(vdeterm, mgmt)
    prompt = "vde[%s]: " % mgmt
    good = t.shows(prompt)
    t.type("port/p\t")
    good = good and t.shows(prompt + "port/print ")
    t.type("\r")
    good = good and t.has("Success") and t.shows(prompt)
    t.type("port/create 7\r")
    good = good and t.until(lambda: t.text().count("Success") == 2) and \
        t.shows(prompt)
    t.type("port/allprint\r")
    good = good and t.until(lambda: "Port 0007 untagged_vlan=0000 INACTIVE - "
                            "NOT Unnamed Allocatable" in t.text()) and \
        t.shows(prompt)
    t.type("logout\r")
    ok(what, good and t.exit_status() == 0, t.text())


ours = start_switch(os.path.join(BUILD, "bin", "vde_switch"), "ours")
theirs = start_switch("/usr/bin/vde_switch", "theirs")
for what, mgmt, term in (
        ("it works on our switch", ours, VDETERM),
        ("it works on Debian's switch", theirs, VDETERM),
        ("Debian's vdeterm works on our switch", ours, "/usr/bin/vdeterm")):
    if not mgmt or not os.access(term, os.X_OK):
        skip_point(what, "not installed")
        continue
    if term != VDETERM:
        run("unixcmd", "-s", mgmt, "port/remove", "7")
    on_switch(what, mgmt, term)

what = "it works on Debian's wirefilter"
if os.access("/usr/bin/wirefilter", os.X_OK):
    mgmt = TMP + "/wf.mgmt"
    hold = subprocess.Popen(["/usr/bin/wirefilter", "-M", mgmt],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(mgmt))
    t = Terminal(VDETERM, mgmt)
    prompt = "VDEwf[%s]: " % mgmt
    good = t.shows(prompt)
    t.type("markov-nu\t")
    good = good and t.shows(prompt + "markov-numnodes ")
    t.type("\x15delay 10\r")
    good = good and t.has("Success") and t.shows(prompt)
    t.type("showinfo\r")
    good = good and t.has("Delay  10+0U") and t.shows(prompt)
    t.type("shutdown\r")
    ok(what, good and t.exit_status() == 0, t.text())
    hold.wait(WAIT)
else:
    skip_point(what, "not installed")
done()
