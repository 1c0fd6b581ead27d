#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""58-wire-showerror.py - showerror, metrics and reset-counters: the same
figures as text, JSON and for Prometheus, each direction by itself, beside what went in
and came out; and the report of a wire that the console ends."""
from wirelib import *

NUMBER = r"[0-9]+(?:\.[0-9]+)?"
LABELS = r'\{[a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*\}'
SAMPLE = re.compile(r"([a-z_]+)(%s)? (NaN|%s(?:e[-+]?[0-9]+)?)" %
                    (LABELS, NUMBER))


def metrics(con):
    """{name: {labels: value}}; raises on anything odd."""
    families, name, kind = {}, None, None
    for line in con.do("metrics"):
        m = re.fullmatch("# (HELP|TYPE) (wirefilter_[a-z_]+) (.+)", line)
        if m and m[1] == "HELP":
            assert m[2] not in families, line
            name, kind = m[2], None
            families[name] = {}
        elif m:
            assert m[2] == name and kind is None, line
            kind = m[3]
            assert (kind == "counter") == name.endswith("_total"), line
        else:
            m = SAMPLE.fullmatch(line)
            assert m and kind and m[1] == name, line
            assert m[2] not in families[name], line
            families[name][m[2] or ""] = float(m[3])
    return families


# --- a wire on which nothing happened -------------------------------------

report = unique("r")
w = Wire("--seed", "5", "--report=" + report, "--tolerance-us", "500000",
         console=True)
con = w.console
text = con.do("showerror")
like("the first line says since when, which version, and the seed", text[0],
     r"^measured for %s s, version [0-9.]+\S*, seed 5$" % NUMBER)
is_("the second that it kept up", text[1],
    "kept up: yes, tolerance 500000 us")
is_("no frame, no figures of frames",
    [x for x in text if re.search("delay|late|loss|dropped", x) and
     not x.startswith("timer")], [])
j = con.json("showerror")
is_("JSON has both directions", [d["direction"] for d in j["directions"]],
    ["LR", "RL"])
is_("and what was not measured is null",
    [j["directions"][0]["rate"]["achieved"],
     j["directions"][1]["loss"]["achieved_percent"]], [None, None])
try:
    m = metrics(con)
    ok("metrics: the format is right", len(m) > 20, m)
except AssertionError as e:
    ok("metrics: the format is right", False, e)

# --- frames ---------------------------------------------------------------

con.do("delay 5", "loss LR20", "mtu RL500", "bandwidth RL100000")
a = [bytes([i % 251]) * 200 for i in range(400)]
b = [bytes([i % 251]) * (600 if i % 4 == 0 else 98) for i in range(100)]
w.left.send(*a)
w.right.send(*b)
# The last ones have left when the same as many have come out as did not wait.
is_("the line lets those through that are not too long",
    len(w.left.take(75)), 75)


def settled():
    v = con.json("showerror")["directions"]
    return v if not any(d["waiting"]["frames"] for d in v) else None


lr, rl = until(settled)
got = len(w.right.take(lr["frames_out"]))
is_("L->R: in, out and lost", (lr["frames_in"], lr["bytes_in"],
    lr["frames_out"] + lr["dropped"]["loss"], lr["frames_out"]),
    (400, 80000, 400, got))
is_("R->L: in, out and too long", (rl["frames_in"], rl["frames_out"],
    rl["bytes_out"], rl["dropped"]["mtu"]), (100, 75, 75 * 98, 25))
is_("the delay of L->R is what was asked", lr["delay_ns"]["max"], 5000000)
ok("that of R->L is that of the line besides: 7500 bytes took 75 ms",
   79e6 <= rl["delay_ns"]["max"] < 83e6, rl)
ok("the rate of R->L was the line's",
   rl["rate"]["asked"] == 100000 and abs(rl["rate"]["error_percent"]) < 20,
   rl["rate"])
ok("L->R lost what was asked, or nearly", lr["loss"]["fits"] and
   round(lr["loss"]["asked_percent"], 6) == 20 and
   lr["loss"]["frames"] == 400, lr["loss"])
ok("many waited at once", lr["waiting"]["most_frames"] > 5 and
   lr["waiting"]["most_bytes"] == 202 * lr["waiting"]["most_frames"], lr)
text = "\n".join(con.do("showerror"))
like("text: frames", text,
     "^L->R frames: in 400, out %d; duplicated 0, flipped 0, reordered 0$" %
     got)
like("text: rate", text, r"^R->L rate: asked 100000.0, achieved %s bytes/s, "
     r"off by -?%s %% in %s s busy of %s s; now %s bytes/s, %s frames/s; "
     r"mean %s bytes/s$" % ((NUMBER,) * 7))
like("text: delay", text,
     r"^L->R delay: p50 5\.000, p99 5\.000, max 5\.000 ms$")
like("text: how far off", text, r"^L->R delay error: p50 %s, p99 %s, max %s "
     r"us of %d frames, besides about %s us before they were read$" %
     (NUMBER, NUMBER, NUMBER, got, NUMBER))
like("text: loss", text, r"^L->R loss: asked 20\.0000 %%, achieved %s %%: %d "
     r"of 400 frames; truth in %s to %s %%$" %
     (NUMBER, 400 - got, NUMBER, NUMBER))
like("text: drops", text, r"^R->L dropped: mtu 25$")
like("text: the process", text,
     r"^timer: \d+ wake-ups, late p50 %s, p99 %s, max %s us\n"
     r"process: \d+ turns, %s s of processor time, %s %% of a core$" %
     ((NUMBER,) * 5))
m = metrics(con)
is_("metrics have the same",
    [m["wirefilter_" + n]['{direction="%s"%s}' % (d, rest)]
     for n, d, rest in (("frames_total", "LR", ',way="out"'),
                        ("bytes_total", "RL", ',way="out"'),
                        ("drops_total", "RL", ',cause="mtu"'),
                        ("drops_total", "LR", ',cause="loss"'),
                        ("delay_seconds", "LR", ',quantile="1"'),
                        ("waiting_frames", "LR", ""),
                        ("waiting_frames_most", "LR", ""))],
    [got, 75 * 98, 25, 400 - got, 0.005, 0, lr["waiting"]["most_frames"]])
with open(ROOT + "/man/wirefilter.1") as page:
    text = page.read()
words = text[text.index(".Ss For Prometheus"):].split()
is_("the page has each of them",
    [n for n in m if n[len("wirefilter_"):] not in words], [])
is_("in JSON, too", {f["name"] for f in con.json("metrics")["metrics"]},
    set(m))

# --- what is set, and reset -----------------------------------------------

con.do("loss LR0")
v = con.json("showerror")["directions"][0]
is_("a new loss is compared with what comes from now on",
    (v["loss"]["asked_percent"], v["loss"]["frames"], v["dropped"]["loss"]),
    (0, 0, 400 - got))
con.do("bandwidth LR1000+1000")
v = con.json("showerror")["directions"][0]["rate"]
ok("what is not one number says why", v["asked"] is None and
   "nought" in v["not_comparable"], v)
con.says("reset-counters")
v = con.json("showerror")["directions"]
is_("counters begin again", [(d["frames_in"], d["delay_ns"]["n"],
                              sum(d["dropped"].values()))
                             for d in v], [(0, 0, 0)] * 2)
is_("arguments are refused", [con.cmd(c + " 1")[0] for c in
                              ("showerror", "metrics", "reset-counters")],
    [errno.EINVAL] * 3)

# --- the end --------------------------------------------------------------

w.right.send(b"x" * 98)
w.left.recv()
con.write(b"shutdown\n")
is_("shutdown ends it well", w.wait(), 0)
with open(report) as f:
    text = f.read()
like("and it reports", text, "^R->L frames: in 1, out 1;")
is_("as showerror does", text.splitlines()[1],
    "kept up: yes, tolerance 500000 us")
w.stop()

w = Wire("--daemon", "--report=d.json", "--pidfile", report + ".pid", cwd=TMP)
w.left.send(b"x" * 98)
is_("in the background", w.right.recv(), b"x" * 98)
w.left.close_in()
got = until(lambda: os.path.getsize(TMP + "/d.json"))
with open(TMP + "/d.json") as f:
    v = json.load(f)
is_("a report is written as well, in the directory of the start",
    v["directions"][0]["frames_out"], 1)
w.stop()
done()
