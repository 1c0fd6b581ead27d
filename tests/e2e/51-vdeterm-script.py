#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 51-vdeterm-script.py - vdeterm without a terminal: lines in, replies out,
# one command at a time, and an end that loses nothing
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from termlib import *

VDETERM = program("vdeterm")
DONE = b"1000 Success\n"

# Starts now, is looked at last: a server that does not answer for 10 s.
mute = Server(replies={b"mute": lambda conn: None})
deaf = Server(banner=None)
silent = [subprocess.Popen([VDETERM, x.path], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
          for x in (mute, deaf)]
started = time.monotonic()
for p in silent:
    p.stdin.write(b"mute\nshowinfo\n")
    p.stdin.close()


def slowly(conn):
    time.sleep(0.2)
    return DONE


s = Server(replies={b"showinfo": block(b"line 1\n\nline 3\n") + DONE,
                    b"slow": slowly,
                    b"last": block(b"the last\n") + DONE})
same("replies are written, no banner and no prompt",
     run(VDETERM, s.path, stdin=b"showinfo\nnonsense\n"),
     (0, b"line 1\n\nline 3\nSuccess\nFunction not implemented\n", b""))
s.got.clear()
same("the end of input waits for the answer that is due",
     run(VDETERM, s.path, stdin=b"slow\nlast\n"),
     (0, b"Success\nthe last\nSuccess\n", b""))
same("a line goes out when its turn has come", s.got,
     [b"slow\n", b"last\n"])
same("a last line needs no newline", run(VDETERM, s.path, stdin=b"last"),
     (0, b"the last\nSuccess\n", b""))
s.got.clear()
same("no input, no output", run(VDETERM, s.path), (0, b"", b""))
same("empty lines and comments are not sent",
     run(VDETERM, s.path, stdin=b"\n  \n# port/create 3\n"), (0, b"", b""))
same("indeed", s.got, [])
same("logout ends it, and what follows is not sent",
     run(VDETERM, s.path, stdin=b"last\nlogout\nlast\n"),
     (0, b"the last\nSuccess\n", b""))

name = TMP + "/commands"
with open(name, "wb") as f:
    f.write(b"last\n" * 300)
with open(name, "rb") as f:
    r = subprocess.run([VDETERM, s.path], stdin=f, capture_output=True,
                       timeout=WAIT)
same("commands may come from a file", (r.returncode, r.stdout),
     (0, b"the last\nSuccess\n" * 300))
same("or from nowhere",
     subprocess.run([VDETERM, s.path], stdin=subprocess.DEVNULL,
                    timeout=WAIT).returncode, 0)

s.got.clear()
fits, too_long = b"x" * 1023, b"y" * 1024
status, out, err = run(VDETERM, s.path, stdin=too_long + b"\n" + fits +
                       b"\n" + b"z" * 300000 + b"\nlast\n")
ok("a line that is too long is refused, the others run",
   status == 1 and out == b"Function not implemented\nthe last\nSuccess\n" and
   err.count(b"unable to send a line: longer than 1023 characters") == 2,
   (status, out, err))
same("and nothing of it is sent", s.got, [fits + b"\n", b"last\n"])

p = subprocess.Popen([VDETERM, s.path], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdin.write(b"la")
p.stdin.flush()
time.sleep(0.05)
p.stdin.write(b"st\n")
p.stdin.flush()
same("a line may come in pieces, and is answered at once",
     p.stdout.readline() + p.stdout.readline(), b"the last\nSuccess\n")
s.say(b"3021 port/+ 01\n")
same("events are written as they come", p.stdout.readline(),
     b"** DBG MSG: port/+ 01\n")
s.say(b"3021 \x1b[2J\x07\n")
same("without control characters", p.stdout.readline(),
     b"** DBG MSG: ?[2J?\n")
s.hang_up()
same("a hang-up while nothing is due is status 0", p.wait(WAIT), 0)
same("and is told", p.stderr.read(),
     ("vdeterm: %s has hung up\n" % s.path).encode())

s.replies[b"die"] = lambda conn: s.hang_up()
same("one that leaves a command unanswered is status 1",
     run(VDETERM, s.path, stdin=b"die\nlast\n"),
     (1, b"", ("vdeterm: error: %s has hung up\n" % s.path).encode()))


def farewell(conn):
    s.say(b"9999 END OF SESSION")
    s.hang_up()


s.replies[b"shutdown"] = farewell
same("after shutdown it is expected",
     run(VDETERM, s.path, stdin=b"last\nshutdown\n"),
     (0, b"the last\nSuccess\n", b""))

for signo, want in ((signal.SIGTERM, 0), (signal.SIGINT, -signal.SIGINT)):
    p = subprocess.Popen([VDETERM, s.path], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    p.stdin.write(b"last\n")
    p.stdin.flush()
    p.stdout.readline()
    p.send_signal(signo)
    same("%s ends it with status %d" % (signo.name, want), p.wait(WAIT), want)

with open("/dev/full", "wb") as f:
    r = subprocess.run([VDETERM, s.path], input=b"last\n", stdout=f,
                       stderr=subprocess.PIPE, timeout=WAIT)
ok("output that cannot be written is a failure", r.returncode == 1 and
   b"unable to write standard output: No space left" in r.stderr, r)

for what, path in (("ours", os.path.join(BUILD, "bin", "vde_switch")),
                   ("Debian's", "/usr/bin/vde_switch")):
    sentence = "a script of commands runs whole on %s switch" % what
    mgmt = start_switch(path, what.strip("'D"))
    if not mgmt:
        skip_point(sentence, "not installed")
        continue
    lines = b"".join(b"port/create %d\n" % i for i in range(1, 31))
    status, out, err = run(VDETERM, mgmt, stdin=lines + b"port/allprint\n")
    ok(sentence, status == 0 and out.count(b"Success\n") == 31 and
       out.count(b"INACTIVE - NOT Unnamed Allocatable") == 30,
       (status, out, err))

for p, who, server in zip(silent, ("that does not answer",
                                   "that does not greet"), (mute, deaf)):
    p.wait(WAIT + 10)
    same("a server %s is given up" % who, (p.returncode, p.stderr.read()),
         (1, ("vdeterm: error: no answer from %s for 10 s\n" %
              server.path).encode()))
ok("after 10 seconds", 9.9 < time.monotonic() - started < 16,
   time.monotonic() - started)
done()
