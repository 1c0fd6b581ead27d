#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""56-wire-console-debian.py - the same words to Debian's wirefilter and to
ours, and the same answers: wires of both kinds, Markov nodes, load in load,
rc files, and the end of a session."""
import sys
sys.dont_write_bytecode = True
from wirelib import *

DEBIAN = "/usr/bin/wirefilter"
need(DEBIAN)
with open(TMP + "/inner", "w") as f:
    f.write("showinfo\nloss 4\n")
with open(TMP + "/outer", "w") as f:
    f.write("# c\n\nloss 3\n   delay 5\nfoo\nshowcurrent\n"
            "load %s/inner\nload /no/such\nloss 3[7]\nlogout\nloss 7\nload "
            "%s/empty" % (TMP, TMP))
open(TMP + "/empty", "w").close()

SAME = """\
showinfo

# a comment
foo
loss 1
loss 5+2
loss 5+2U
loss 5.5+0.25n
loss LR3
loss RL2.5+1
loss RL7[0]
loss 3[5]
lostburst 3
lostburst 2.5
delay 10.5+3N
delay LR100
delay 1K
delay .5
delay 1e-3
dup 1
dup LR2
bandwidth 1M
band 2M
band 1G
bandwidth 128k
bandwidth 0
speed 1G
speed LR1e6
noise 3
noise RL500
mtu 1500
mtu 100+5
mtu LR9000
capacity 5
chanbufsize 6K
chanbufsize RL10+1K
fifo 0
fifo 1
showinfo
loss 5%
delay 100ms
delay LR7 ms
dup 2 # per cent
fifo 0 # they may overtake
showinfo
fifo 1
showinfo 0
showinfo 5
showinfo -1
showcurrent
showedges
markov-numnodes 3
markov-time 10000000
showinfo
markov-name 0,good
markov-name 1,bad state
markov-name 2 x  y
markov-name 7,x
loss 9[2]
delay LR100+50N[2]
band 1M[1]
loss 3[3]
showinfo 1
showinfo 2
showinfo 3
setedge 0,1,30%
setedge 0,2,5.5
setedge 0,0,9
setedge 1,0,100
setedge 2,0,1e-3
setedge 9,1,3
setedge 1,9,3
showedges
showedges 0
showedges 1
showedges 2
showedges 9
markov-setnode 1
showcurrent
showinfo
showedges
markov-setnode 9
markov-setnode -1
markov-time 2500ms
showinfo 0
markov-time 0
markov-time -3
markov-debug 1
markov-debug 0
markov-debug
markov-debug -1
markov-numnodes 0
markov-numnodes -3
markov-numnodes x
markov-numnodes 5
showinfo 4
showedges 0
showedges 4
markov-numnodes 1
showinfo
showcurrent
showedges
load /no/such
load TMP/empty""".replace("TMP", TMP).split("\n")


def like_ours(text):
    return text.replace(" weigth ", " weight ")


def greeted(con):
    return re.sub(rb"V\.\d+\.\d+\.\d+", b"V", con.greeting)


def compare(what, both):
    old, new = [Wire("--blink", TMP + "/b", "--blinkid", "42", both=both,
                     console=True, program=p) for p in (DEBIAN, "wirefilter")]
    is_("%s: the greeting" % what, greeted(new.console), greeted(old.console))
    bad = []
    for line in SAME:
        a, b = [like_ours(x.console.raw(line).decode()) for x in (old, new)]
        if a != b:
            bad.append("%s\n--- theirs\n%s--- ours\n%s" % (line, a, b))
    ok("%s: %d lines have the same answers" % (what, len(SAME)), not bad,
       "\n".join(bad))
    a, b = [x.console.do("help") for x in (old, new)]
    is_("%s: help begins with theirs" % what, b[:len(a)], a)
    b = new.console.load(TMP + "/outer").encode()
    old.console.write(b"load %s/outer\n" % TMP.encode())
    a = b""
    while len(a) < len(b):
        a += old.console.sock.recv(len(b) - len(a))
    is_("%s: load in load" % what, b.decode(), a.decode())
    old.console.upto(WireConsole.prompt)
    is_("%s: it did the same" % what, new.console.do("showinfo"),
        old.console.do("showinfo"))
    for line in b"logout\n", b"shutdown\n":
        a, b = [WireConsole(x.mgmt) for x in (old, new)]
        a.write(line)
        b.write(line)
        is_("%s: %s" % (what, line.decode().strip()), b.rest(), a.rest())
    is_("%s: the status of exit" % what, new.wait(), old.wait())


compare("both directions", True)
compare("one direction", False)

# --- events ---------------------------------------------------------------

wires = [Wire(console=True, program=p) for p in (DEBIAN, "wirefilter")]
CHAIN = ("markov-time 10000000", "markov-numnodes 2", "markov-name 0,good",
         "setedge 0,1,100", "setedge 1,0,100", "markov-debug 1")
TURN = b'3801 Node 0 "good" -> 1 ""\n3800 Node 1 "" -> 0 "good"\n' * 3
for w, who in zip(wires, ("theirs", "ours")):
    w.console.do(*CHAIN)
    w.console.write(b"markov-time 20\n")
    ok("steps of the chain: " + who, w.console.upto(TURN))
    w.stop()

# --- rc files -------------------------------------------------------------

RC = """\
# a bad line in winter

   delay LR100+20N
loss 5
lostburst 3
bandwidth RL128K
markov-numnodes 2
markov-name 1,out of reach
markov-time 100000
loss 100[1]
setedge 0,1,1
setedge 1,0,10
foo
delay 7[9]
load %s/inner
load /no/such
markov-debug 1
fifo 0""" % TMP
with open(TMP + "/rc", "w") as f:
    f.write(RC)
old, new = [Wire("-f", TMP + "/rc", console=True, program=p)
            for p in (DEBIAN, "wirefilter")]
for line in "showinfo", "showinfo 1", "showedges 0", "showedges 1":
    is_("an rc file makes the same wire: " + line,
        new.console.raw(line).decode(),
        like_ours(old.console.raw(line).decode()))
# Theirs cuts lines at a "[".
wanted = re.findall(r"rc command error: (.*)", old.log())
got = re.findall(r"rc command error: (.*)", new.log())
got = [re.sub(r" \(%s/rc:\d+.*" % TMP, "", x).replace("[9]", "") for x in got]
ok("at least four lines failed", len(wanted) >= 4, old.log())
is_("and the same ones are reported", got, wanted)
done()
