#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 52-unixterm.py - bytes from standard input to a socket and back: none lost,
# none changed, in both directions at once, whichever side ends first
import os
import random
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from termlib import *

UNIXTERM = program("unixterm")


def listener():
    s = socket.socket(socket.AF_UNIX)
    listener.n += 1
    path = "%s/l%d" % (TMP, listener.n)
    s.bind(path)
    s.listen(1)
    return s, path


listener.n = 0

s = Server(replies={b"showinfo": block(b"data\n") + b"1000 Success\n"})
same("the answer to the last line is not lost",
     run(UNIXTERM, s.path, stdin=b"showinfo\n"),
     (0, BANNER + b"\nvde$ " + block(b"data\n") + b"1000 Success\n\nvde$ ",
      b""))

# Both directions at once, more than any buffer holds, nobody in step.
noise = random.Random(7).randbytes(3000000)


def echo(sock):
    c = sock.accept()[0]
    got = bytearray()
    while True:
        data = c.recv(65536)
        if not data:
            break
        got += data
        c.sendall(data)
    c.close()
    echo.got = bytes(got)


sock, path = listener()
t = threading.Thread(target=echo, args=(sock,))
t.start()
status, out, err = run(UNIXTERM, path, stdin=noise)
t.join()
ok("3 MB of any bytes go there and back", status == 0 and out == noise and
   echo.got == noise, (status, len(out), len(echo.got), err))

# The server speaks and does not listen; the reader of our output is slow.
sock, path = listener()
p = subprocess.Popen([UNIXTERM, path], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE)
c = sock.accept()[0]
threading.Thread(target=lambda: (c.sendall(noise), c.close())).start()
try:
    os.set_blocking(p.stdin.fileno(), False)
    for _ in range(100):
        p.stdin.raw.write(noise[:65536])
except BrokenPipeError:
    pass
got = p.stdout.read()
same("a server that does not read is read", (got == noise, p.wait(WAIT)),
     (True, 0))

sock, path = listener()
p = subprocess.Popen([UNIXTERM, path], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE)
c = sock.accept()[0]
c.sendall(b"bye")
c.close()
same("a server that hangs up ends it, its last words are shown",
     (p.stdout.read(), p.wait(WAIT)), (b"bye", 0))

sock, path = listener()
start = time.monotonic()
p = subprocess.Popen([UNIXTERM, path], stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE)
c = sock.accept()[0]
same("the end of input is passed on", c.recv(1), b"")
c.sendall(b"late words")
same("what a silent server said before is shown",
     (p.stdout.read(), p.wait(WAIT)), (b"late words", 0))
ok("and it is not waited for long", 1.5 < time.monotonic() - start < 6,
   time.monotonic() - start)

same("a socket that is not there is named with the reason",
     run(UNIXTERM, TMP + "/none"),
     (1, b"", ("unixterm: error: unable to connect to %s/none: No such file "
               "or directory\n" % TMP).encode()))
open(TMP + "/file", "w").close()
same("so is what is no socket", run(UNIXTERM, TMP + "/file")[0], 1)
same("usage is status 2", run(UNIXTERM)[0], 2)
status, out, err = run(UNIXTERM, "--help")
ok("--help says what it is for", status == 0 and b"SOCK" in out, out)

for what, prog in (("our switch", os.path.join(BUILD, "bin", "vde_switch")),
                   ("Debian's switch", "/usr/bin/vde_switch")):
    mgmt = start_switch(prog, what[:3])
    if not mgmt:
        skip_point("it talks to " + what, "not installed")
        continue
    status, out, err = run(UNIXTERM, mgmt, stdin=b"port/showinfo\n")
    ok("it talks to " + what, status == 0 and b"Numports=32\n" in out and
       out.endswith(b"1000 Success\n\nvde$ "), (status, out, err))
done()
