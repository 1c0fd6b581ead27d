#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 53-unixcmd.py - unixcmd speaking the protocol: data to standard output,
# the reply's status as its own, JSON, time limits, hang-ups, hostile bytes.
# Then VDE 2's scripts, and Debian's unixcmd on our switch.
import json
import os
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from termlib import *

UNIXCMD = program("unixcmd")
DONE = b"1000 Success\n"
s = Server(replies={
    b"showinfo": block(b"line 1\n\n1000 data\nline 4\n") + DONE,
    b"port/create 3": b"1017 File exists\n",
    b"fail": block(b"partly\n") + b"1006 No such device or address\n",
    b"-j showinfo": block(b'{"version":"2.4.0"}\n') + DONE,
    b"event": b"3021 port/+ 01\n" + DONE + b"3022 port/- 01\n",
    b"load x": b"vde[x]: foo\n1038 Function not implemented\n"
               b"vde[x]: showinfo\n" + block(b"info\n") + DONE + DONE,
    b"evil": block(b"\x1b[2J\x00\x07\xc3\xa4\x9b31m\n") +
             b"1022 \x1b]0;owned\x07\n",
    b"comment": b"",
})


def cmd(*words, options=()):
    return run(UNIXCMD, "-s", s.path, *options, *words)


same("data goes to standard output, status 0", cmd("showinfo"),
     (0, b"line 1\n\n1000 data\nline 4\n", b""))
same("the words of the command are joined, an error is status 1",
     cmd("port/create", "3"),
     (1, b"", b"unixcmd: error: unable to run 'port/create 3': File exists\n"))
same("data of a command that fails is printed", cmd("fail"),
     (1, b"partly\n", b"unixcmd: error: unable to run 'fail': No such device "
                      b"or address\n"))
same("-j asks for a JSON document", cmd("showinfo", options=["-j"]),
     (0, b'{"version":"2.4.0"}\n', b""))
same("options end where the command begins", cmd("-j", "showinfo")[1],
     b'{"version":"2.4.0"}\n')
same("-v shows the rest on standard error",
     cmd("port/create", "3", options=["-v"]),
     (1, b"", b"< VDE switch V.2.4.0\n< (C) somebody\n"
      b"< 1017 File exists\n"
      b"unixcmd: error: unable to run 'port/create 3': File exists "
      b"(errno 17)\n"))
same("events are none of its business", cmd("event"), (0, b"", b""))
same("what fails inside load is told, the status is load's",
     cmd("load", "x"),
     (0, b"info\n", b"unixcmd: warning: 'load x': vde[x]: foo: Function not "
                    b"implemented\n"))
same("a reply without a result is a success", cmd("comment"), (0, b"", b""))
status, out, err = cmd("evil")
same("control characters and zero bytes are not passed on",
     (status, out, err), (1, "?[2J??ä?31m\n".encode(),
                          b"unixcmd: error: unable to run 'evil': "
                          b"?]0;owned?\n"))

# --- the server's ways ------------------------------------------------------

slow = Server(replies={b"showinfo": block(b"a\n" * 300) + DONE}, slow=True)
same("bytes may come one by one", run(UNIXCMD, "-s", slow.path, "showinfo"),
     (0, b"a\n" * 300, b""))
rows = b"".join(b"%07d %s\n" % (i, b"." * 90) for i in range(100000))
s.replies[b"big"] = block(rows) + DONE
status, out, err = cmd("big")
ok("ten megabytes come whole", status == 0 and out == rows,
   (status, len(out), err))
document = b'{"a":"' + "äöü€🐧".encode() * 50000 + b'"}\n'
s.replies[b"-j big"] = block(document) + DONE
status, out, err = cmd("big", options=["-j"])
ok("so does a line of a megabyte", status == 0 and out == document,
   (status, len(out), err))


def die(conn):
    s.say(b"0000 DATA END WITH '.'\nhalf")
    s.hang_up()


s.replies[b"die"] = die
same("a hang-up before the result is status 1", cmd("die"),
     (1, b"half\n", ("unixcmd: error: unable to run 'die' on %s: the server "
                     "has hung up\n" % s.path).encode()))


def farewell(conn):
    s.say(b"9999 END OF SESSION")
    s.hang_up()


s.replies[b"logout"] = farewell
s.replies[b"shutdown"] = lambda conn: s.hang_up()
same("logout ends with a farewell", cmd("logout"), (0, b"", b""))
same("shutdown ends with a hang-up", cmd("shutdown"), (0, b"", b""))

s.replies[b"mute"] = lambda conn: None
start = time.monotonic()
same("a server that does not answer is given up",
     cmd("mute", options=["-t", "1"]),
     (1, b"", ("unixcmd: error: unable to run 'mute' on %s: no answer in "
               "time\n" % s.path).encode()))
ok("after the time that was given", 0.9 < time.monotonic() - start < 3,
   time.monotonic() - start)
drip = Server(replies={b"x": lambda conn: (
    [(time.sleep(0.05), conn.sendall(b".")) for _ in range(100)])},
    banner=BANNER)
start = time.monotonic()
same("dripping bytes do not stretch it",
     run(UNIXCMD, "-s", drip.path, "-t", "1", "x")[0], 1)
ok("at all", time.monotonic() - start < 3, time.monotonic() - start)
deaf = Server(banner=None)
same("a server that does not greet is given up",
     run(UNIXCMD, "-s", deaf.path, "-t", "1", "showinfo"),
     (1, b"", ("unixcmd: error: unable to talk to %s: no prompt in time\n" %
               deaf.path).encode()))
full = socket.socket(socket.AF_UNIX)
full.bind(TMP + "/full")
full.listen(0)
waiting = []
for _ in range(2):
    c = socket.socket(socket.AF_UNIX)
    c.setblocking(False)
    try:
        c.connect(TMP + "/full")
    except BlockingIOError:
        pass
    waiting.append(c)
same("a server that does not accept is given up",
     run(UNIXCMD, "-s", TMP + "/full", "-t", "1", "showinfo"),
     (1, b"", ("unixcmd: error: unable to connect to %s/full: Connection "
               "timed out\n" % TMP).encode()))
same("a socket that is not there is named with the reason",
     run(UNIXCMD, "-s", TMP + "/none", "showinfo"),
     (1, b"", ("unixcmd: error: unable to connect to %s/none: No such file "
               "or directory\n" % TMP).encode()))
with open("/dev/full", "wb") as f:
    r = subprocess.run([UNIXCMD, "-s", s.path, "showinfo"], stdout=f,
                       stderr=subprocess.PIPE, timeout=WAIT)
ok("output that cannot be written is a failure", r.returncode == 1 and
   b"unable to write standard output: No space left" in r.stderr, r)

# --- usage ------------------------------------------------------------------

for what, argv in (("no command", ["-s", s.path]),
                   ("an empty command", ["-s", s.path, " "]),
                   ("two commands in one", ["-s", s.path, "a\nb"]),
                   ("a command that is too long", ["-s", s.path, "x" * 1024]),
                   ("no socket", ["showinfo"]),
                   ("a time that is none", ["-s", s.path, "-t", "0", "x"]),
                   ("an unknown option", ["--nonsense"])):
    status, out, err = run(UNIXCMD, *argv)
    ok("%s is a usage error" % what, status == 2 and out == b"" and
       err.startswith(b"unixcmd: error: "), (status, out, err))
status, out, err = run(UNIXCMD, "--help")
ok("--help lists the options", status == 0 and
   all(o in out for o in (b"--sock", b"--json", b"--timeout", b"--script",
                          b"--verbose")), out)

# --- scripts ----------------------------------------------------------------

VDECMD = """TIMEOUT 1000
1 IN '$ ' 100
3 SEND '$*\\n'
5 THROW
6 IN '\\n' 100
7 IF '0000 DATA END WITH \\'.\\'' 10
8 IF '10' 20
9 GOTO 100
10 THROW
11 IN '\\n' 100
12 IF '.\\n' 5
13 COPY
14 GOTO 10
20 SKIP 2
21 SEND 'logout\\n'
22 EXITATOI
100 EXIT -1
"""


def script(text):
    with open(TMP + "/script", "w") as f:
        f.write(text)
    return ["-f", TMP + "/script"]


same("VDE 2's own script prints the data without zero bytes",
     cmd("showinfo", options=script(VDECMD)),
     (0, b"line 1\n\n1000 data\nline 4\n", b""))
same("and returns the status that VDE 2's forgot",
     cmd("port/create", "3", options=script(VDECMD)), (17, b"", b""))
same("time that is over leads to the label",
     cmd("mute", options=script(VDECMD.replace("1000\n", "200\n")))[0], 255)
same("so does a hang-up", cmd("die", options=script(VDECMD))[0], 255)
same("-t stands in for TIMEOUT",
     cmd("mute", options=["-t", "1"] + script(VDECMD.split("\n", 1)[1]))[0],
     255)
same("asynchronous output goes to standard error",
     cmd("x", options=script("1 IN 'V' 9\n2 COPY\n3 OUTTAG 3\n4 OUTSHIFT\n"
                             "5 COPY\n6 EXIT 4\n9 EXIT 9\n")),
     (4, b"V", b"V"))
same("control characters of the server are not passed on here either",
     cmd("evil", options=script("1 IN '$ ' 9\n2 SEND 'evil\\n'\n3 THROW\n"
                                "4 IN 'm\\n' 9\n5 COPY\n6 EXIT 0\n9 EXIT 9\n")
         )[1], "0000 DATA END WITH '.'\n?[2J??ä?31m\n".encode())
status, out, err = cmd("x", options=script("1 EXIT 1\n2 GOTO 7\n"))
same("a mistake is named with file and line", (status, err),
     (1, ("unixcmd: error: %s/script:2: it leads to a number that is not "
          "there\nunixcmd: error: unable to use %s/script\n" %
          (TMP, TMP)).encode()))
status, out, err = cmd("x", options=script("1 FOO\n2 EXIT 3\n"))
same("an unknown instruction is left out with a warning", (status, err),
     (3, ("unixcmd: warning: %s/script:1: unknown instruction 'FOO' left "
          "out\n" % TMP).encode()))
status, out, err = cmd("x", options=script("1 GOTO 1\n"))
ok("a script that goes round in circles is stopped", status == 1 and
   b"circles" in err, (status, err))
ok("a script that is not there is named", cmd("x", options=["-f", "/no"])[::2]
   == (1, b"unixcmd: error: unable to read /no: No such file or directory\n"))

os.symlink(UNIXCMD, TMP + "/surelynone")
same("another name is the name of the socket too",
     run(TMP + "/surelynone", "showinfo"),
     (1, b"", b"surelynone: error: unable to connect to /var/run/surelynone: "
              b"No such file or directory\n"))
same("and without a script of that name the protocol is spoken",
     run(TMP + "/surelynone", "-s", s.path, "showinfo")[:2],
     (0, b"line 1\n\n1000 data\nline 4\n"))
if os.access("/etc/vde2/vdecmd", os.R_OK):
    os.symlink(UNIXCMD, TMP + "/vdecmd")
    same("as vdecmd it finds the script that Debian ships",
         run(TMP + "/vdecmd", "-s", s.path, "port/create", "3"),
         (17, b"", b""))
else:
    skip_point("as vdecmd it finds the script that Debian ships",
               "no /etc/vde2/vdecmd")

# --- real switches ----------------------------------------------------------

for what, prog in (("our switch", os.path.join(BUILD, "bin", "vde_switch")),
                   ("Debian's switch", "/usr/bin/vde_switch")):
    mgmt = start_switch(prog, what[:3])
    if not mgmt:
        skip_point("it works on " + what, "not installed")
        continue
    good = [run(UNIXCMD, "-s", mgmt, "port/create", "5") == (0, b"", b""),
            run(UNIXCMD, "-s", mgmt, "port/create", "5") ==
            (1, b"", b"unixcmd: error: unable to run 'port/create 5': File "
                     b"exists\n"),
            b"Port 0005" in run(UNIXCMD, "-s", mgmt, "port/allprint")[1]]
    same("it works on " + what, good, [True] * 3)
    if prog.startswith("/usr"):
        continue
    status, out, err = run(UNIXCMD, "-j", "-s", mgmt, "port/allprint")
    ok("our switch answers with a document", status == 0 and
       json.loads(out)["ports"][0]["port"] == 5, (status, out, err))
    sentence = "Debian's unixcmd works on our switch"
    if not os.access("/usr/bin/unixcmd", os.X_OK):
        skip_point(sentence, "not installed")
        continue
    status, out, err = run("/usr/bin/unixcmd", "-s", mgmt, *script(VDECMD),
                           "port/allprint")
    ok(sentence, b"Port 0005" in out and status == 255, (status, out, err))
done()
