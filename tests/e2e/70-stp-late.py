#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 60
"""70-stp-late.py - BPDUs that come late, and those that have to queue

A switch that does not run for longer than its neighbours may be silent, and
cables that are full of other frames for as long: the tree stays as it is.
"""
from cables import *

# --- a switch that does not run for a while -------------------------------

a = Switch("-F", "--macaddr", "00:ff:00:00:00:01")
b = Switch("-F", "--macaddr", "00:ff:00:00:00:02")
for s in a, b:
    s.do("fstp/hello 1")
x = [Cable(a, b, n, n) for n in (1, 2)]
h, k = edge(a), edge(b)
converge(a, b)
watch = Console(b.mgmt)
watch.do("debug/add fstp")
b.proc.send_signal(signal.SIGSTOP)
# All its timers are over, and what would have kept them from it is behind
# other frames.
end = time.monotonic() + 4.5
while time.monotonic() < end:
    h.send(*20 * [frame(k.mac, h.mac)])
    select.select([], [], [], 0.1)
b.proc.send_signal(signal.SIGCONT)
b.sync(20)
got = tree(b)["ports"][1]["rx"]["rst"]
until(lambda: tree(b)["ports"][1]["rx"]["rst"] > got)
watch.write(b"\n")
is_("it reads what came meanwhile before it takes neighbours for dead",
    (watch.upto(PROMPT), roles(b)[1], roles(b)[2]),
    (PROMPT, "root", "alternate"))
is_("one copy of a broadcast", until(lambda: copies(h, k) == [1]), True)
for c in x:
    c.cut()
ok("both end well", [a.stop(), b.stop()] == [0, 0])

# --- a full cable ---------------------------------------------------------

a = Switch("-F", "--macaddr", "00:ff:00:00:00:01")
b = Switch("-F", "--macaddr", "00:ff:00:00:00:02")
for s in a, b:
    s.do("fstp/hello 1")
x = [Cable(a, b, n, n) for n in (1, 2)]
ok("two cables", converge(a, b))
h, k = edge(a), edge(b)
is_("one is used", (roles(b)[1], roles(b)[2], copies(h, k)),
    ("root", "alternate", [1]))
changes = tree(b)["topology_changes"]
for c in x:
    c.pace = 0.0005
pid = os.fork()
if not pid:
    end = time.monotonic() + 5
    f = frame(BROADCAST, h.mac, size=1000)
    while time.monotonic() < end:
        for _ in range(50):
            h.data.send(f)
    os._exit(0)
os.waitpid(pid, 0)
is_("more than they can carry, for five hellos: the tree stays",
    (roles(b)[1], roles(b)[2], tree(b)["topology_changes"] - changes),
    ("root", "alternate", 0))
ok("it was more than they could carry",
   a.drops(1).get("queue_full", 0) > 1000, a.drops(1))
note(a.drops(1))
for c in x:
    c.pace = 0
is_("and goes on", until(lambda: copies(h, k) == [1]), True)
for c in x:
    c.cut()
ok("both end well", [a.stop(), b.stop()] == [0, 0])
done()
