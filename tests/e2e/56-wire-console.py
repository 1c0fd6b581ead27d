#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""56-wire-console.py - the console of wirefilter: greeting, every command's
output and errors byte by byte, JSON, reasons, events, and what no good client
would send."""
import sys
sys.dont_write_bytecode = True
from wirelib import *

VERSION = run("wirefilter", "--version")[1].split()[2]
PROMPT = WireConsole.prompt
w = Wire("--seed", "12345", console=True)
con = w.console
says = con.says


def fails(code, *lines):
    """Each line is answered with that code and nothing else."""
    got = [x for x in lines if con.raw(x).decode() != result(code) + "\n"]
    ok("%s: %s" % (result(code)[5:], ", ".join(repr(x) for x in lines)),
       not got, lambda: "\n".join("%s: %s" % (x, con.raw(x)) for x in got))


# --- the conversation -----------------------------------------------------

is_("the greeting", con.greeting, ("\nVDE wirefilter V.%s\n(C) R.Davoli "
    "2005,2006 - GPLv2\n\nVDEwf$ " % VERSION).encode())
con.write(b"\n")
is_("an empty line: a prompt", con.upto(PROMPT), PROMPT)
con.write(b"# loss 3\n")
is_("a comment: a prompt", con.upto(PROMPT), PROMPT)
con.write(b"  \t loss\t7 \r\n")
is_("blanks do no harm", con.upto(PROMPT), b"1000 Success\n" + PROMPT)
fails(errno.ENOSYS, "Loss 3", "lossx 3", "loss5", "los", "show", "-", "'",
      "helpfoo", "markov", "bandw 3")
fresh = Wire(console=True)
is_("where nothing has failed, why says so", fresh.console.do("why"),
    ["nothing has failed"])
fresh.stop()
is_("and what was not understood changed nothing",
    con.json("showinfo")["settings"]["loss"]["lr"]["value"], 7)
says("loss 0")

# --- help -----------------------------------------------------------------

HELP = """\
COMMAND      HELP
------------ ------------
help         print a summary of mgmt commands
load         load a configuration file
showinfo     show status and parameter values
loss         set loss percentage
lostburst    mean length of lost packet bursts
delay        set delay ms
dup          set dup packet percentage
bandwidth    set channel bandwidth bytes/sec
speed        set interface speed bytes/sec
noise        set noise factor bits/Mbyte
mtu          set channel MTU (bytes)
chanbufsize  set channel buffer size (bytes)
fifo         set channel fifoness
shutdown     shut the channel down
logout       log out from this mgmt session
markov-numnodes n  markov mode: set number of states
markov-setnode n   markov mode: set current state
markov-name n,name markov mode: set state's name
markov-time ms     markov mode: transition period
setedge n1,n2,w    markov mode: set edge weight
showinfo n         markov mode: show parameter values
showedges n        markov mode: show edge weights
showcurrent        markov mode: show current state
markov-debug n     markov mode: set debug level
""".splitlines()
got = con.do("help")
is_("help begins as VDE 2's", got[:len(HELP)], HELP)
ours = got[len(HELP):]
ok("what is new follows, in two columns", len(ours) > 10 and all(
    re.match(r"[a-zA-Z-]{1,12} *(?<=^.{13})\S|[a-zA-Z-]+ [^a-z ]*.*\S", x)
    for x in ours), "\n".join(ours))
says("help loss", got)
names = [c["name"] for c in con.json("help")["commands"]]
is_("in JSON each command stands once", len(names), len(set(names)))
is_("and none is missing", set(names),
    {x.split()[0] for x in HELP[2:] + ours})
info = con.json("showinfo")
is_("each setting is a command", [x for x in info["settings"]
                                  if x not in names], [])
bad = [x for x in names if x not in ("logout", "shutdown", "help")
       and con.cmd(x + " x y z [ 9")[0] not in (errno.EINVAL, errno.ENOENT)]
is_("arguments that make no sense are an error everywhere", bad, [])
bad = [x for x in [*info["settings"], "red", "RED", "band", "capacity", "fifo"]
       if con.cmd(x)[0] != errno.EINVAL]
is_("a setting without a value is one, too", bad, [])

# --- showinfo -------------------------------------------------------------

PLAIN = """\
WireFilter: bidirectional
Loss   L->R 0+0U   R->L 0+0U
Lburst L->R 0+0U   R->L 0+0U
Delay  L->R 0+0U   R->L 0+0U
Dup    L->R 0+0U   R->L 0+0U
Bandw  L->R 0+0U   R->L 0+0U
Speed  L->R 0+0U   R->L 0+0U
Noise  L->R 0+0U   R->L 0+0U
MTU    L->R 0     R->L 0   \n\
Cap.   L->R 0+0U   R->L 0+0U
Current Delay Queue size:   L->R 0      R->L 0   \n\
Fifoness TRUE
Waiting packets in delay queues 0
""".splitlines()
says("showinfo", PLAIN)
says("showinfo 0", PLAIN)
says("showinfo 1", [], errno.EINVAL)
says("showinfo x", [], errno.EINVAL)
for line in ("loss 5[0]", "loss RL2.5", "lostburst 3", "delay LR10+5",
             "delay RL 100+50N", "dup 1", "band 1M", "bandwidth LR2M",
             "speed 1G", "noise 3", "mtu 1500", "mtu LR100+5", "capacity 10K",
             "chanbufsize RL20K", "fifo 0"):
    says(line)
says("showinfo", """\
WireFilter: bidirectional
Loss   L->R 5+0U   R->L 2.5+0U
Lburst L->R 3+0U   R->L 3+0U
Delay  L->R 10+5U   R->L 100+50N
Dup    L->R 1+0U   R->L 1+0U
Bandw  L->R 2.09715e+06+0U   R->L 1.04858e+06+0U
Speed  L->R 1.07374e+09+0U   R->L 1.07374e+09+0U
Noise  L->R 3+0U   R->L 3+0U
MTU    L->R 95     R->L 1500   \n\
Cap.   L->R 10240+0U   R->L 20480+0U
Current Delay Queue size:   L->R 0      R->L 0   \n\
Fifoness FALSE
Waiting packets in delay queues 0
""".splitlines())
info = con.json("showinfo")
is_("JSON knows the program", (info["version"], info["pid"],
                               info["bidirectional"], info["fifo"],
                               info["seed"]),
    (VERSION, w.pid, True, False, "12345"))
is_("and the values of both directions", info["settings"]["delay"],
    {"unit": "ms", "lr": {"text": "10+5U", "value": 10, "plus": 5},
     "rl": {"text": "100+50N", "value": 100, "plus": 50}})
says("seed", ["seed 12345"])
fails(0, "fifo 1", "fifo 0", "fifo -1", "fifo 7", *["%s 0" % x for x in (
    "loss", "lostburst", "delay", "dup", "bandwidth", "speed", "noise", "mtu",
    "chanbufsize")])
says("showinfo", PLAIN)

# --- values ---------------------------------------------------------------

fails(errno.EINVAL, "loss abc", "loss 101", "loss -1", "loss nan", "loss inf",
      "loss 1e999", "loss 5 x", "loss 3[5]", "loss 3[", "loss 3[x]",
      "loss AB3", "delay -5", "delay 1+2+3", "delay 10:nothing",
      "bandwidth 0.5", "speed 0.5", "mtu 100000", "dup 100", "fifo x",
      "fifo 1 2", "delay 99999999999", "loss " + "9" * 900)
is_("the old settings stay", con.raw("showinfo").decode(), reply(PLAIN))
fails(0, "delay 5+1u", "delay .5", "delay 1e-3",
      "delay 5+1:pareto~25", "delay 100ms", "delay RL10+5 ms # slow",
      "loss 5%", "fifo 1 # c", "bandwidth 8Mb", "delay LR 0", "delay RL0",
      "bandwidth 0", "loss 0")

# --- what VDE 2 has not ---------------------------------------------------

NEW = (("burst", "10K", "10240+0U"), ("limit", "100", "100+0U"),
       ("reorder", "5", "5+0U"), ("corrupt", "0.5+0.25", "0.5+0.25U"),
       ("ber", "10", "10+0U"), ("gilbert", "1,10,70,0.1", "1,10,70,0.1"),
       ("lossperiod", "10,2", "10,2,10"),
       ("losslist", "100-,3,7-9", "3,7-9,100-"),
       ("qdisc", "codel", "codel 5,100"),
       ("qdisc", "red-average 1000,5000,10", "red-average 1000,5000,10,0"),
       ("red", "1000,5000,10,8000", "red 1000,5000,10,8000"))
for name, value, text in NEW:
    say = con.cmd("%s RL%s" % (name, value))
    info = con.json("showinfo")["settings"]["qdisc" if name == "red" else name]
    is_("%s %s" % (name, value), (say, info["rl"]["text"],
                                  info["lr"]["text"] != text),
        ((0, []), text, True))
says("RED LR1,2,3")
is_("RED is red", con.json("showinfo")["settings"]["qdisc"]["lr"]["text"],
    "red 1,2,3,0")
fails(0, "qdisc tail", *[x + " 0" for x in (
    "burst", "limit", "reorder", "corrupt", "ber", "gilbert", "lossperiod",
    "losslist")])
says("blackout 3600000+500/7200000")
b = con.json("showinfo")["settings"]["blackout"]
ok("blackout", re.match(r"3[56]\d{5}(\.\d+)?\+500/7200000$", b["lr"]["text"])
   and not b["lr"]["on"], b)
says("blackout LR0+3600000")
b = con.json("showinfo")["settings"]["blackout"]
is_("may be on in one direction", (b["lr"]["on"], b["rl"]["on"]),
    (True, False))
says("blackout 0")
for line, why in (
        ("gilbert 1000", "unable to set gilbert: '1000': 1000 is not 0 to "
         "100"),
        ("qdisc foo", "unable to set qdisc: 'foo' is not tail, red, "
         "red-average or codel"),
        ("red 1", "unable to set qdisc: '1': red takes MIN,MAX,PROB[,LIMIT]"),
        ("ber 1[7]", "unable to set ber '1[7]': there is no node 7"),
        ("blackout 5+5[1]", "unable to set blackout '5+5[1]': it is of the "
         "whole wire, not of a node"),
        ("losslist", "usage: losslist <value...>")):
    says(line, [why], errno.EINVAL)

# --- reasons --------------------------------------------------------------

for line, why in (("delay 10x", "unable to set delay '10x': "),
                  ("loss 3[5]", "unable to set loss '3[5]': there is no node "
                   "5"),
                  ("loss", "usage: loss <value...>"),
                  ("no-such", "no such command"),
                  ("load /no/such", "No such file or directory"),
                  ("losslist LR5,x", "unable to set losslist '5,x': line 1: "
                   "what stands there is not a number"),
                  ("losslist x" + 100 * "y", "unable to set losslist 'x" +
                   47 * "y" + "...': line 1: "),
                  ("markov-time 5s", "markov-time: the time is not a number: "
                   "5s"),
                  ("markov-time 0", "markov-time: not 0.001 to 1000000000 ms: "
                   "0"),
                  ("setedge 0,0", "setedge: a weight is missing"),
                  ("setedge 0,0,nan", "setedge: the weight is not a number: "
                   "nan"),
                  ("setedge 0,0,101", "setedge: a weight is 0 to 100 %, not "
                   "101"),
                  ("showedges 4", "showedges: there is no node 4")):
    con.raw(line)
    code, data = con.cmd("why")
    ok("why: " + line, code == 0 and data and data[0].startswith(why), data)
    ok("in JSON, too: " + line,
       con.json(line).get("reason", "").startswith(why), con.cmd("-j " + line))
con.do("loss 0")
is_("why is about the last failure, in JSON, too", con.json("why"),
    {"why": "showedges: there is no node 4"})
x = WireConsole(w.mgmt)
is_("who has none hears of the last of all", x.do("why"),
    ["showedges: there is no node 4"])
x.raw("dup x")
con.raw("foo")
is_("but first of its own", x.do("why"),
    ["unable to set dup 'x': a number is missing"])
is_("scripts have a session for each command",
    [run("unixcmd", "-s", w.mgmt, "--", *y.split())[:2] for y in (
        "fifo x", "why")], [(1, ""), (0, "usage: fifo <number>\n")])
like("a setting that was refused is in the log", w.log(),
     r"^wirefilter: console: unable to set loss 'x y z \[ 9': a number")

# --- Markov mode ----------------------------------------------------------

says("showcurrent", ['Current Markov Node 0 "" (0,..,0)'])
says("showedges", ['Edge 0 ->0  ""->"" weight 100'])
fails(errno.EINVAL, "markov-numnodes 0", "markov-numnodes -1",
      "markov-numnodes x", "markov-numnodes 100000", "markov-numnodes",
      "markov-setnode 1", "markov-setnode x", "markov-setnode",
      "markov-time 0", "markov-time x", "markov-time -5", "markov-time 1x",
      "markov-time 1e30", "markov-name 1,x", "markov-name 0", "markov-name",
      "markov-name x,y", "markov-name 0," + "n" * 64, "setedge 0,1,3",
      "setedge", "setedge 0", "setedge 0,0", "setedge 0,0,x",
      "setedge 0,0,5,6", "setedge 0,0,101", "setedge 0,0,-3",
      "markov-debug x", "markov-debug -1")
fails(0, "markov-numnodes 3", "markov-time 1000000ms", "markov-name 1,bad state",
      "markov-name 2  ,y z ", "setedge 0,1,30% # c", "setedge 0 2 5.5%",
      "setedge 0,0,70", "setedge 1 , 0 ,100", "loss 50[1]", "delay LR7+1N[2]")
fails(errno.EINVAL, "setedge 0,1,95", "setedge 0,1,101", "setedge 0,3,1",
      "markov-setnode 3", "markov-name 3,x")
says("showedges", ['Edge 0 ->0  ""->"" weight 64.5',
                   'Edge 0 ->1  ""->"bad state" weight 30',
                   'Edge 0 ->2  ""->"y z" weight 5.5'])
says("showedges 1", ['Edge 1 ->0  "bad state"->"" weight 100'])
says("showedges 3", [], errno.EINVAL)
is_("showedges in JSON", con.json("showedges 1"),
    {"edges": [{"from": 1, "to": 0, "from_name": "bad state", "to_name": "",
                "weight": 100}]})
says("showinfo 1", [PLAIN[0], 'Node 1 "bad state" (0,..,2) Markov-time 1e+06',
                    "Loss   L->R 50+0U   R->L 50+0U", *PLAIN[2:]])
says("showinfo", [PLAIN[0], 'Node 0 "" (0,..,2) Markov-time 1e+06',
                  *PLAIN[1:]])
says("markov-setnode 2")
says("showcurrent", ['Current Markov Node 2 "y z" (0,..,2)'])
is_("showinfo is about the current node", con.do("showinfo")[1::3][:2],
    ['Node 2 "y z" (0,..,2) Markov-time 1e+06',
     "Delay  L->R 7+1N   R->L 0+0U"])
is_("also in JSON", [con.json("showinfo")[x] for x in ("node", "name",
                                                       "markov")],
    [2, "y z", {"nodes": 3, "current": 2, "time_ms": 1000000}])
is_("and of another node", con.json("showinfo 1")["settings"]["loss"]["rl"],
    {"text": "50+0U", "value": 50, "plus": 0})
fails(0, "markov-numnodes 2")
says("showcurrent", ['Current Markov Node 0 "" (0,..,1)'])
fails(0, "setedge 0,1,100", "markov-name 0,good", "markov-name 1,")
other, silent = WireConsole(w.mgmt), WireConsole(w.mgmt)
is_("events are for who asks", [x.raw("markov-debug 1") for x in (con, other)],
    [b"1000 Success\n"] * 2)
fails(0, "markov-time 1")
EVENTS = b'3801 Node 0 "good" -> 1 ""\n3800 Node 1 "" -> 0 "good"\n'
got = other.upto(EVENTS)
ok("steps from node to node are told", not got.replace(EVENTS, b"").strip(
    b"\n") or got.startswith(b"3800"), got)
fails_again = other.raw("markov-debug 0")
ok("among replies", re.fullmatch(rb"(380[01] Node .*\n)*1000 Success\n",
                                 fails_again), fails_again)
con.write(b"markov-debug\nmarkov-time 1000000\n")
con.upto(b"1000 Success\n" + PROMPT + b"1000 Success\n" + PROMPT)
for x in con, other, silent:
    is_("no events any more", x.raw("seed").decode(), reply(["seed 12345"]))
fails(0, "markov-numnodes 1")

# --- garbage --------------------------------------------------------------

for junk in (b"\0\n", b"loss 5\0\n", b"\xff\xfe\n", b"loss \xc3\x28\n",
             bytes(range(1, 256)).replace(b"\n", b"") + b"\n",
             b"a" * 200000 + b"\n", b"loss " + b"[" * 900 + b"\n",
             b"-j -j loss\n", b"-j\n", b"setedge " + b"," * 900 + b"\n",
             b"markov-name 0," + b"\x1b[2J" * 10 + b"\n",
             b"%s%n%s%n\n", b"load \xff\n", b"gilbert ,,,\n"):
    con.write(junk)
    got = con.upto(PROMPT)
    ok("an answer to %r" % junk[:24], re.search(
        rb"(^|\n)1\d\d\d [A-Z].*\n\nVDEwf\$ $", got) or junk[:1] == b"\0",
       got)
is_("a name cannot clear somebody's screen", con.do("showcurrent"),
    ['Current Markov Node 0 "%s" (0,..,0)' % ("?[2J" * 10)])
con.write(b"loss 1\nloss 2\ndelay 3\nloss")
is_("several commands may come at once", con.upto(b"1022 Invalid argument\n"),
    (b"1000 Success\n" + PROMPT) * 3 + b"1022 Invalid argument\n")
con.upto(PROMPT)
says("loss 0")
says("delay 0")

# --- many, and the rest of the program ------------------------------------

many = [WireConsole(w.mgmt) for _ in range(200)]
ok("200 sessions", all(x.raw("loss 0") == b"1000 Success\n" for x in many))
stuck = WireConsole(w.mgmt)
stuck.sock.setblocking(False)
try:
    for _ in range(10000):
        stuck.write(b"help\nshowinfo\n" * 50)
except BlockingIOError:
    pass
w.left.send(b"x" * 100, b"y" * 100)
is_("one that does not read holds nobody up",
    (w.right.take(2), con.raw("seed").decode()),
    ([b"x" * 100, b"y" * 100], reply(["seed 12345"])))
for x in many + [stuck]:
    x.close()
info = con.json("showinfo")["directions"]["lr"]
is_("frames are counted", (info["frames_in"], info["frames_out"],
                           info["bytes_out"]), (2, 2, 200))
con.do("loss LR100", "delay RL3600000", "chanbufsize RL100")
w.left.send(b"lost")
w.right.send(b"z" * 60, b"z" * 60)
until(lambda: con.json("showinfo")["directions"]["rl"]["frames_in"] == 2 and
      con.json("showinfo")["directions"]["lr"]["frames_in"] == 3)
info = con.json("showinfo")["directions"]
is_("what is lost by its cause", (
    {k: v for k, v in info["lr"]["dropped"].items() if v},
    {k: v for k, v in info["rl"]["dropped"].items() if v}),
    ({"loss": 1}, {"full_bytes": 1}))
is_("and what waits", info["rl"]["waiting"],
    {"frames": 1, "bytes": 62, "most_frames": 1, "most_bytes": 62})
is_("showinfo knows it, as VDE 2 has it", con.do("showinfo")[-3:],
    ["Current Delay Queue size:   L->R 0      R->L 62   ", "Fifoness TRUE",
     "Waiting packets in delay queues 1"])

# --- the end --------------------------------------------------------------

other.write(b"logout\nloss 5\n")
is_("logout answers as VDE 2 does, and hangs up", other.rest(),
    b"1-01 Unknown error -1\n")
con.write(b"shutdown\n")
is_("shutdown says nothing", con.rest(), b"")
is_("nor to others", silent.rest(), b"")
is_("and the program ends well", w.wait(), 0)
ok("without its socket", not os.path.exists(w.mgmt))

w = Wire("--blink", TMP + "/nobody", "--blinkid", "id7", both=False,
         console=True)
w.console.says("showinfo", """\
WireFilter: monodirectional
Loss   0+0U
Lburst 0+0U
Delay  0+0U
Dup    0+0U
Bandw  0+0U
Speed  0+0U
Noise  0+0U
MTU    0
Cap.   0+0U
Current Delay Queue size:   0
Fifoness TRUE
Waiting packets in delay queues 0
Blink socket: TMP/nobody
Blink id:     id7 \n\
""".replace("TMP", TMP).splitlines())
info = w.console.json("showinfo")
is_("JSON of one direction", (info["bidirectional"], list(info["directions"]),
                              info["blink"]),
    (False, ["lr"], {"socket": TMP + "/nobody", "id": "id7", "dropped": 0}))
w.stop()
done()
