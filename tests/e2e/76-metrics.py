#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""76-metrics.py - the command metrics: every line by a strict parser of
Prometheus' text format 0.0.4, values beside those of other commands, the same
as JSON, by unixcmd and by the HTTP example, and a switch with a thousand ports
that goes on forwarding while it tells of them."""
import http.client

from vdeclient import *

# --- a strict parser ------------------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? ([0-9]+)" %
                    (NAME, LABEL, LABEL))


def unescape(s):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], s)


def parse(lines):
    """{name: (type, help, {labels: value})}; raises on anything odd."""
    families, name = {}, None
    pending = None  # a HELP whose TYPE is to come
    for line in lines:
        m = re.fullmatch(r"# HELP (%s) ((?:[^\\\n]|\\[\\n])+)" % NAME, line)
        if m:
            assert pending is None, line
            assert m[1] not in families, "twice: " + line
            pending = m[1], m[2]
            continue
        m = re.fullmatch(r"# TYPE (%s) (counter|gauge)" % NAME, line)
        if m:
            assert pending and pending[0] == m[1], line
            name = m[1]
            families[name] = m[2], pending[1], {}
            assert (m[2] == "counter") == name.endswith("_total"), line
            pending = None
            continue
        m = SAMPLE.fullmatch(line)
        assert m and not pending, "no sample: %r" % line
        assert m[1] == name, "not of the family above: " + line
        labels = tuple((k, unescape(v)) for k, v in
                       re.findall(LABEL, m[2] or ""))
        assert len(dict(labels)) == len(labels), line
        samples = families[name][2]
        assert labels not in samples, "twice: " + line
        samples[labels] = int(line.rsplit(" ", 1)[1])
    assert pending is None
    return families


def scrape(sw):
    code, lines = sw.console.cmd("metrics")
    assert code == 0
    return parse(lines)


def value(families, name, **labels):
    """Of the one sample that has these labels, among others."""
    got = [v for k, v in families["vde_switch_" + name][2].items()
           if labels.items() <= dict(k).items()]
    assert len(got) == 1, (name, labels, got)
    return got[0]


# --- what it says ---------------------------------------------------------

sw = Switch("--macaddr", "02:00:00:00:00:77")
con = sw.console
try:
    f = scrape(sw)
    ok("an empty switch: the format is right", True)
except AssertionError as e:
    ok("an empty switch: the format is right", False, e)
ok("every name begins with the program's",
   all(n.startswith("vde_switch_") for n in f))
ok("every family says what it is", all(len(h) > 5 for _, h, _ in f.values()))
is_("who it is", list(f["vde_switch_info"][2]),
    [(("version", con.json("showinfo")["version"]),
      ("mac", "02:00:00:00:00:77"))])
is_("no port, no samples of ports", f["vde_switch_port_up"][2], {})
sw.do("vlan/create 5", "port/create 7", "vlan/addport 5 7")
a = sw.plug(1, descr=b'a "quoted" \\back\\ gr\xc3\xbcn \xff{}#')
b = sw.plug(2)
a.send(frame(BROADCAST, mac(1), size=100))
b.send(frame(mac(1), mac(2), size=200))
a.send(frame(mac(1), mac(3), size=60), frame(BROADCAST, mac(1), tci=5))
sw.sync()
f = scrape(sw)
is_("frames and bytes", [value(f, "port_%s_total" % n, port=str(p)) for p, n in (
    (1, "receive_frames"), (1, "receive_bytes"), (1, "transmit_frames"),
    (1, "transmit_bytes"), (2, "receive_bytes"), (2, "transmit_bytes"))],
    [3, 224, 1, 200, 200, 100])
is_("drops by reason", {dict(k)["reason"]: v for k, v in
                        f["vde_switch_port_drops_total"][2].items()
                        if v and dict(k)["port"] == "1"}, sw.drops(1))
is_("all reasons of port/drops are there, each once",
    sorted(dict(k)["reason"] for k in f["vde_switch_port_drops_total"][2]
           if dict(k)["port"] == "7"),
    sorted(k for k in con.json("port/drops 7")["ports"][0] if k != "port"))
is_("what is plugged in", [dict(k)["description"] for k in
                           f["vde_switch_endpoint_info"][2]
                           if dict(k)["port"] == "1"],
    ['a "quoted" \\back\\ gr\xfcn ?{}#'])
is_("ports", [value(f, "port_up", port=p) for p in "127"], [1, 1, 0])
is_("addresses", [value(f, n) for n in (
    "addresses", "addresses_learned_total", "addresses_moved_total")],
    [3, 3, 0])
is_("on their ports", [value(f, "port_addresses", port=p) for p in "12"],
    [2, 1])
is_("VLANs", [value(f, "vlan_ports", vlan=v, tagged=t) for v, t in (
    ("0", "0"), ("0", "1"), ("5", "0"), ("5", "1"))], [3, 0, 0, 1])
is_("of these, plugged in", [value(f, "vlan_forwarding_ports", vlan=v)
                             for v in "05"], [2, 0])
is_("buffers", value(f, "pool_frames", state="used") +
    value(f, "pool_frames", state="free"), 8192)
for i in range(600):
    a.send(frame(mac(2), mac(1)))
until(lambda: sw.drops(2).get("queue_full", 0) > 200)
sw.sync(20)
f = scrape(sw)
q = sw.port(2)["endpoints"][0]
is_("a queue", [value(f, "endpoint_queue_frames" + s, port="2",
                      endpoint=str(q["id"])) for s in ("", "_max")],
    [q["queued"], q["queue_max"]])
ok("in bytes", value(f, "queued_bytes") ==
   value(f, "endpoint_queue_bytes", port="2") >= 60 * q["queued"])
b.pending()

sw.do("mirror/add 1 2 in", "loopguard/interval 60000", "loopguard/set 1")
until(lambda: value(scrape(sw), "loopguard_port_probes_total", port="1"))
a.send(frame(mac(9), mac(1), size=70))
sw.sync()
f = scrape(sw)
is_("mirrors", [value(f, "mirror_%s_total" % n, src="1", dst="2")
                for n in ("frames", "bytes", "missed")], [1, 70, 0])
is_("the loop guard", (value(f, "loopguard_enabled"),
                       value(f, "loopguard_port_held", port="1")), (1, 0))
probe = [x for x in a.pending() if x[:6] == b"\x03VDELP"][0]
b.send(probe)
sw.sync()
f = scrape(sw)
is_("and what it held", [value(f, n, port="2") for n in (
    "loopguard_port_held", "loopguard_port_holds_total",
    "loopguard_port_loops_total", "port_blocked")], [1, 1, 1, 1])
sw.do("loopguard/set 0", "port/resetcounter 1")
is_("a counter that was reset starts anew",
    value(scrape(sw), "port_receive_frames_total", port="1"), 0)

# --- spanning tree --------------------------------------------------------

is_("no tree, no samples", (value(f, "stp_enabled"), f["vde_switch_stp_is_root"][2]),
    (0, {}))
sw.do("fstp/setfstp 1")
f = scrape(sw)
is_("a tree for each VLAN", sorted(f["vde_switch_stp_is_root"][2].items()),
    [((("vlan", "0"),), 1), ((("vlan", "5"),), 1)])
is_("and each of its members", sorted(
    (dict(k)["vlan"], dict(k)["port"]) for k in
    f["vde_switch_stp_port_state"][2]),
    [("0", "1"), ("0", "2"), ("0", "7"), ("5", "7")])
is_("what they do", {dict(k)["role"] for k in
                     f["vde_switch_stp_port_role_info"][2]
                     if dict(k)["port"] != "7"}, {"designated"})
ok("BPDUs leave", until(lambda: value(
    scrape(sw), "stp_port_bpdus_total", vlan="0", port="1", direction="out",
    kind="rst")))
sw.do("fstp/setfstp 0")

with open(ROOT + "/man/vde_metrics.7") as page:
    words = set(re.findall(r"\w+", page.read()))
is_("the manual page has every name",
    [n for n in f if n.replace("vde_switch_", "", 1) not in words], [])

# --- in other ways --------------------------------------------------------

still = {"vde_switch_uptime_seconds"}


def from_json(doc):
    return {m["name"]: (m["type"], m["help"], {
        tuple((k, v.replace("\ufffd", "?")) for k, v in
              s.get("labels", {}).items()): s["value"]
        for s in m["samples"]}) for m in doc["metrics"]}


def same(x, y):
    return [n for n in sorted(set(x) | set(y))
            if n not in still and x.get(n) != y.get(n)]


is_("-j: the same", same(scrape(sw), from_json(con.json("metrics"))), [])
status, text, err = run("unixcmd", "-s", sw.mgmt, "metrics")
is_("by unixcmd: the same, and nothing else", (status, err, same(
    parse(text.splitlines()), scrape(sw))), (0, "", []))
is_("no argument", con.cmd("metrics all")[0], errno.EINVAL)

if shutil.which("socat"):
    s = socket.create_server(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    start(ROOT + "/examples/metrics-http.sh", sw.mgmt, str(port),
          stdin=subprocess.DEVNULL)

    def get(path="/metrics"):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            c.request("GET", path)
            r = c.getresponse()
            return r.status, r.getheader("Content-Type"), r.read().decode()
        except ConnectionRefusedError:
            return None

    got = until(get)
    is_("by HTTP", got[:2],
        (200, "text/plain; version=0.0.4; charset=utf-8"))
    is_("the same", same(parse(got[2].splitlines()), scrape(sw)), [])
    sw.stop()
    is_("without a switch: an error", get()[0], 503)
else:
    skip_point("by HTTP", "no socat")
    sw.stop()

# --- many ports -----------------------------------------------------------

N = 1000
sw = Switch("-n", str(N + 8))
con = Console(sw.mgmt)
for i in range(0, N, 100):
    con.write(b"".join(b"port/create %d\n" % (9 + j)
                       for j in range(i, i + 100)))
    for _ in range(100):
        con.upto(PROMPT)
pair = Pair(sw, (1, 2))
until(lambda: pair.rounds > 10)
rounds, begin = pair.rounds, time.monotonic()
size = 0
con.write(b"metrics\n")
while not con.buf.endswith(PROMPT):
    con.fill()
took = time.monotonic() - begin
during = pair.rounds - rounds
reply = con.buf[:-len(PROMPT)].decode().split("\n")
f = parse(reply[1:reply.index(".")])
is_("a thousand ports", len(f["vde_switch_port_up"][2]), N + 2)
ok("others go on meanwhile", during >= 5 and not pair.lost,
   "%d rounds in %.3f s" % (during, took))
note("%d bytes in %.0f ms, %d rounds of ping-pong meanwhile, slowest ever "
     "%.1f ms" % (len(con.buf), took * 1000, during, pair.slowest * 1000))
con.buf = b""
con.write(b"metrics\n")  # by somebody who does not read it
ok("nobody waits for who does not read", pair.goes_on(200), lambda: str(pair))
con.close()
pair.stop()
sw.stop()
done()
