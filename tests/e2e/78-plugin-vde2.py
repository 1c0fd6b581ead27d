#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""78-plugin-vde2.py - dump, pdump and iplog say what VDE 2's plugins of that
name say, byte for byte (whole replies, taken from Debian's 2.3.2), and do what
those cannot: pcap files on a full disk, ARP, tagged frames, options of IP, a
station that invents addresses."""
import errno
import ipaddress
import pwd

from vdeclient import *

PLUGINS = BUILD + "/plugins"
work = TMP + "/work"
os.mkdir(work)
sw = Switch("-n", "8", cwd=work)
con = sw.console
says = con.says
ME = pwd.getpwuid(os.getuid()).pw_name


def event(regex=None):
    """The next event line."""
    got = con.upto(b"\n").decode()
    return got[:-1]


def no_event():
    con.write(b"\n")
    return con.upto(PROMPT) == PROMPT


HEAD = ["COMMAND PATH       SYNTAX          HELP",
        "------------       --------------  ------------"]


def helps(name, text):
    """VDE 2's lines of help are all there, in their order."""
    got = con.do("help " + name)
    want = HEAD + text.splitlines()
    is_("help " + name, [x for x in got if x in want], want)


for p in "dump", "pdump", "iplog":
    con.do("plugin/add %s/%s.so" % (PLUGINS, p))
says("plugin/list", [
    "NAME                   HELP",
    "------------           ----",
    "dump                   dump packets",
    "pdump                  dump packets to file, in pcap format",
    "iplog                  log ip/port/user assignment"])
says("plugin/list d", [
    "NAME                   HELP",
    "------------           ----",
    "dump                   dump packets"])
is_("debug/list", con.do("debug/list")[-5:], [
    "dump/packetin          101 OFF    dump incoming packet",
    "dump/packetout         102 OFF    dump outgoing packet",
    "pdump/packetin         101 OFF    dump incoming packet to file",
    "pdump/packetout        102 OFF    dump outgoing packet to file",
    "iplog/newip            301 OFF    show new ip addresses"])

# --- dump -----------------------------------------------------------------

helps("dump", """\
dump               ============    DUMP Packets
dump/active        0/1             start dumping data
""")
a = sw.plug(1, descr=b"test")
b = sw.plug(2, descr=b"A host")


def hexes(f):
    return "".join("%02x " % x for x in f)


f = frame(BROADCAST, mac(10), b"hello", size=74)
con.do("debug/add dump")
a.send(f)
sw.sync()
ok("dump says nothing before it is active", no_event())
says("dump/active 1")
says("dump/active 1")
a.send(f)
is_("dump/packetin", event(),
    "3101 dump/packetin Pkt: Port 0001 len=0074 " + hexes(f))
is_("dump/packetout", event(),
    "3102 dump/packetout Pkt: Port 0002 len=0074 " + hexes(f))
t = frame(BROADCAST, mac(10), b"hello", tci=0x2005, size=78)
a.send(t)
is_("a tag is where it is on the wire", (event(), event()), (
    "3101 dump/packetin Pkt: Port 0001 len=0078 " + hexes(t),
    "3102 dump/packetout Pkt: Port 0002 len=0078 " + hexes(t)))
con.do("dump/ascii 1")
a.send(f)
is_("dump/ascii", event(), "3101 dump/packetin Pkt: Port 0001 len=0074 " +
    hexes(f) + "|" + "".join(chr(x) if 32 <= x < 127 else "." for x in f) +
    "|")
event()
long = frame(BROADCAST, mac(10), b"long", size=9000)
con.do("dump/ascii 0")
a.send(long)
is_("a long frame too", event(), "3101 dump/packetin Pkt: Port 0001 len=9000 "
    + hexes(long))
event()
cap = TMP + "/dump.cap"
con.do("dump/pcap " + cap, "debug/del dump")
sw.sync()
is_("what was dumped has passed", b.pending(), [f, f, t, f, long])
a.send(f)
b.recv()
says("dump/active 0")
a.send(f)
b.recv()
got = con.json("dump/showinfo")
is_("dump/showinfo", got, {"active": False, "ascii": False, "pcap": cap,
                           "frames": 2, "error": None})


def pcap(path):
    """(header fields, [frames]) of a pcap file."""
    with open(path, "rb") as g:
        d = g.read()
    head, at, out = struct.unpack("<IHHiIII", d[:24]), 24, []
    while at < len(d):
        sec, usec, caplen, n = struct.unpack("<IIII", d[at:at + 16])
        if caplen != n or abs(sec - time.time()) > 60 or usec > 999999:
            out.append((sec, usec, caplen, n))
        out.append(d[at + 16:at + 16 + caplen])
        at += 16 + caplen
    return head, out


is_("dump/pcap: the file", pcap(cap),
    ((0xa1b2c3d4, 2, 4, 0, 0, 262144, 1), [f, f]))
is_("dump/pcap where there is no directory",
    con.cmd("dump/pcap /nonexistent/x")[0], errno.ENOENT)
os.mkfifo(TMP + "/fifo")
for what in ("/dev/null", TMP + "/fifo"):
    is_("or to what is no file: " + os.path.basename(what),
        con.cmd("dump/pcap " + what), (errno.EINVAL, [
            "unable to dump: not a regular file"]))
is_("that leaves the old one", con.json("dump/showinfo")["pcap"], cap)
con.do("dump/pcap")
is_("dump/pcap without a name ends it", con.do("dump/showinfo"),
    ["active=false", "ascii=false", "pcap="])

# --- pdump ----------------------------------------------------------------

helps("pdump", """\
pdump              ============    DUMP Packets to file
pdump/active       0/1             start dumping data
pdump/filename     <file>          set/show output filename (default: \
vde_dump.cap)
pdump/buffered     0/1             set buffered/unbuffered dump
""")
says("pdump/filename", ["dumpfile=vde_dump.cap"])
says("pdump/active 0", [], errno.ENOENT)
says("pdump/active 1", [])
says("pdump/active 1", [], errno.EEXIST)
a.send(f)
b.recv()
says("pdump/active 0", [])
says("pdump/active 0", [], errno.ENOENT)
is_("the default file has the frame as it came and as it left",
    pcap(work + "/vde_dump.cap")[1], [f, f])
is_("and is its owner's alone", os.stat(work + "/vde_dump.cap").st_mode & 0o777,
    0o600)
cap = TMP + "/p.cap"
says("pdump/filename " + cap, ["dumpfile=" + cap])
ok("the file is there at once", os.path.getsize(cap) == 24)
con.do("pdump/active 1")
a.send(t)
b.recv()
is_("tagged frames are whole", pcap(cap)[1], [t, t])
says("pdump/buffered 1")
a.send(f)
b.recv()
is_("buffered: not yet", pcap(cap)[1], [t, t])
says("pdump/buffered 0")
is_("but then", pcap(cap)[1], [t, t, f, f])
says("pdump/filename /nonexistent/x.cap", [
    "set_dumper() open(/nonexistent/x.cap): No such file or directory",
    "ERROR: cannot dump to /nonexistent/x.cap"], errno.EINVAL)
says("pdump/filename", ["dumpfile=/nonexistent/x.cap"])
is_("it has stopped", con.json("pdump/showinfo"), {
    "dumpfile": "/nonexistent/x.cap", "open": False, "active": False,
    "buffered": False, "frames": 4})
a.send(f)
is_("traffic has not", b.recv(), f)
is_("pdump/active again fails for the same reason",
    con.cmd("pdump/active 1")[0], errno.EINVAL)
is_("a FIFO is refused", con.cmd("pdump/filename %s/fifo" % TMP)[0],
    errno.EINVAL)
if shutil.which("tcpdump"):
    rc, out, err = run("tcpdump", "-nn", "-e", "-r", cap)
    is_("tcpdump reads it", (rc, out.count("length 74"), out.count("vlan 5")),
        (0, 2, 2))
else:
    skip_point("tcpdump reads it", "no tcpdump")

# A file that may not grow: as a full disk, whoever runs this.
full = Switch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                    (2000, 2000)))
x, y = full.plug(), full.plug()
cap = TMP + "/full.cap"
full.do("plugin/add %s/pdump.so" % PLUGINS, "pdump/filename " + cap,
        "pdump/active 1")
sent = [frame(BROADCAST, mac(1), b"%d" % i, size=400) for i in range(8)]
x.send(*sent)
is_("a full disk: frames pass", [y.recv() for _ in sent], sent)
ok("the dump ends with a message", full.logged(
    "unable to write to .*full.cap, no longer active: File too large"),
    full.log)
is_("the file ends with a whole frame", pcap(cap)[1],
    [sent[0], sent[0], sent[1], sent[1]])
is_("and it is not active", full.console.json("pdump/showinfo")["active"],
    False)
is_("pdump/active can be tried again", full.console.cmd("pdump/active 1")[0],
    0)
is_("status", full.stop(), 0)

# --- iplog: ranges and settings -------------------------------------------

helps("iplog", """\
iplog              ============    IP/Mac/User Logging
iplog/showinfo                     Show info on logging
iplog/logfile      pathname        Set the logfile
iplog/ipadd        ipaddr/mask     add an ipv4/v6 range
iplog/ipdel        ipaddr/mask     del an ipv6/v6 range
iplog/list                         list ip ranges
iplog/setgcint     N               change garbage collector interval
iplog/setexpire    N               change iplog entries expire time
iplog/iplist                       list active IP
iplog/ipport       port            list active IP on a port
iplog/ipuser       user            list active IP of a user
iplog/ipsearch     ipaddr          search an IP address
""")
INFO = ["iplog: ip/port/user logging plugin", "log disabled",
        "GC interval 10 secs", "GC expire 360 secs"]
says("iplog/showinfo", INFO)
says("iplog/list", [])
says("iplog/ipadd 10.0.0.0/8")
says("iplog/ipadd 10.1.0.0/8", code=errno.EEXIST)
says("iplog/ipadd 2001:db8::/32")
says("iplog/ipadd 1.2.3.4")
says("iplog/ipadd fe80::1")
says("iplog/ipadd", code=errno.EINVAL)
says("iplog/ipadd 192.168.1.77/24")
says("iplog/list", ["  ipv4: 10.0.0.0/8", "  ipv4: 1.2.3.4/32",
                    "  ipv4: 192.168.1.0/24", "  ipv6: 2001:db8::/32",
                    "  ipv6: fe80::1/128"])
is_("in JSON", con.json("iplog/list")["ranges"][3],
    {"family": "ipv6", "address": "2001:db8::", "bits": 32})
for bad in "localhost", "1.2.3.4/33", "1.2.3/8", "::/129", "1.2.3.4/", "/8", \
        "1.2.3.4/x", "10.0.0.0/-1", "x" * 500:
    is_("iplog/ipadd %.12s: refused, and why" % bad,
        con.cmd("iplog/ipadd " + bad),
        (errno.EINVAL, ["not a range of numeric addresses: " + bad]))
says("iplog/ipdel 1.2.3.4/32")
says("iplog/ipdel 1.2.3.4", code=errno.ENOENT)
says("iplog/setgcint 5")
says("iplog/setexpire 10")
says("iplog/logfile /nonexistent/x", code=errno.ENOENT)
log = TMP + "/ip.log"
says("iplog/logfile -")
says("iplog/showinfo", INFO[:1] + ["log on syslog", "GC interval 5 secs",
                                   "GC expire 10 secs"])
says("iplog/logfile")
is_("iplog/logfile: off", con.do("iplog/showinfo")[1], "log disabled")
says("iplog/logfile " + log)
is_("iplog/logfile FILE", con.do("iplog/showinfo")[1], "log on file " + log)
is_("its mode", os.stat(log).st_mode & 0o777, 0o600)
con.do("iplog/setexpire 360")

# --- iplog: who has which address -----------------------------------------


def ip4(src, first=0x45):
    return bytes([first]) + bytes([0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0]) + \
        ipaddress.ip_address(src).packed + bytes(12 + (first & 15) * 4 - 20)


def ip6(src, first=0x60):
    return bytes([first]) + bytes([0, 0, 0, 0, 8, 17, 64]) + \
        ipaddress.ip_address(src).packed + bytes(24)


def arp(src, op=1):
    return struct.pack(">HHBBH", 1, 0x800, 6, 4, op) + mac(10) + \
        ipaddress.ip_address(src).packed + bytes(10)


def of(payload, type_, who=10, **kw):
    return frame(BROADCAST, mac(who), payload, type_=type_, **kw)


def line(ip, who="0a", port=2, vlan=0, descr='"A host"'):
    return "%s %s mac=02:00:00:00:00:%s port=%d vlan=%d user=%s %s" % (
        "ipv6" if ":" in ip else "ipv4", ip, who, port, vlan, ME, descr)


con.do("debug/add iplog")
one = of(ip4("10.0.0.1"), 0x800)
b.send(one)
is_("iplog/newip", event(), "3301 iplog/newip " + line("10.0.0.1"))
b.send(one, one, of(ip4("11.0.0.1"), 0x800), of(ip4("0.0.0.0"), 0x800),
       of(b"", 0x800), of(ip4("10.0.0.9", 0x44), 0x800),
       of(ip6("2001:db8::9", 0x40), 0x86dd), of(arp("11.0.0.1"), 0x806))
sw.sync()
ok("once; not what is in no range, or is no packet", no_event())
for what, fr, want in (
        ("IPv6", of(ip6("2001:db8::1"), 0x86dd), line("2001:db8::1")),
        ("with a traffic class", of(ip6("2001:db8::2", 0x6f), 0x86dd),
         line("2001:db8::2")),
        ("IPv4 with options", of(ip4("10.0.0.2", 0x47), 0x800),
         line("10.0.0.2")),
        ("ARP", of(arp("10.0.0.3", 2), 0x806), line("10.0.0.3")),
        ("in a tagged frame", of(ip4("10.0.0.1"), 0x800, tci=7),
         line("10.0.0.1", vlan=7)),
        ("another MAC address", of(ip4("10.0.0.1"), 0x800, who=11),
         line("10.0.0.1", "0b"))):
    b.send(fr)
    is_(what, event(), "3301 iplog/newip " + want)
a.send(one)
is_("another port", event(), "3301 iplog/newip " +
    line("10.0.0.1", port=1, descr='"test"'))
with open(log) as g:
    got = g.read().splitlines()
ok("the same in the file, with a time",
   len(got) == 8 and all(re.match(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ", x)
                         for x in got) and got[0][16:] == line("10.0.0.1"),
   "\n".join(got))
L2 = ["ipv4 10.0.0.2 port=2 user=" + ME, "ipv4 10.0.0.3 port=2 user=" + ME,
      "ipv6 2001:db8::1 port=2 user=" + ME,
      "ipv6 2001:db8::2 port=2 user=" + ME, "ipv4 10.0.0.1 port=2 user=" + ME]
L1 = ["ipv4 10.0.0.1 port=1 user=" + ME]
is_("iplog/iplist", sorted(con.do("iplog/iplist")), sorted(L1 + L2))
is_("iplog/ipport", sorted(con.do("iplog/ipport 2")), sorted(L2))
says("iplog/ipport 1", L1)
says("iplog/ipport 3", [])
says("iplog/ipport x", [], errno.EINVAL)
says("iplog/ipport", [], errno.EINVAL)
is_("iplog/ipuser", sorted(con.do("iplog/ipuser " + ME)), sorted(L1 + L2))
is_("iplog/ipuser UID", len(con.do("iplog/ipuser %d" % os.getuid())), 6)
says("iplog/ipuser", [], errno.EINVAL)
says("iplog/ipuser nosuchuser", [], errno.EINVAL)
says("iplog/ipsearch 2001:db8::1", ["ipv6 2001:db8::1 port=2 user=" + ME])
says("iplog/ipsearch 1.2.3.4", [])
says("iplog/ipsearch zz", [], errno.EINVAL)
says("iplog/ipsearch 10.0.0.0/24", [], errno.EINVAL)
got = con.json("iplog/ipsearch 10.0.0.1")["addresses"]
is_("in JSON: VLAN, MAC and age too", sorted(
    (x["port"], x["vlan"], x["mac"], x["age"] < 60) for x in got), [
        (1, 0, "02:00:00:00:00:0a", True), (2, 7, "02:00:00:00:00:0a", True)])

# --- iplog: files move, ports end, addresses expire -----------------------

os.rename(log, log + ".1")
os.kill(sw.pid, signal.SIGHUP)
ok("SIGHUP opens the file anew", until(lambda: os.path.exists(log)))
a.send(of(ip4("10.0.0.5"), 0x800))
event()
is_("the new one has the new line", open(log).read()[16:],
    line("10.0.0.5", port=1, descr='"test"') + "\n")
evil = sw.plug(4, descr=b'x" user=root "y\\')
evil.send(of(ip4("10.4.0.1"), 0x800))
is_("quotes in a description are not ours", event(), "3301 iplog/newip " +
    line("10.4.0.1", port=4, descr='"x? user=root ?y?"'))
evil.close()
ok("a port that goes takes its addresses along",
   until(lambda: con.do("iplog/ipport 4") == []))
says("iplog/ipdel 2001:db8::/32")
is_("so does a range", [x for x in con.do("iplog/iplist") if "ipv6" in x], [])
con.do("iplog/setexpire 1", "iplog/setgcint 1")
ok("addresses expire", until(lambda: con.do("iplog/iplist") == []))
con.do("iplog/setexpire 360", "iplog/setgcint 0")
if os.path.exists("/dev/full"):
    con.do("iplog/logfile /dev/full")
    a.send(of(ip4("10.0.0.6"), 0x800), of(ip4("10.0.0.7"), 0x800))
    event(), event()
    ok("a full disk is said once", sw.logged(
        "plugin iplog: unable to write to /dev/full: No space left") and
        sw.log().count("/dev/full") == 1, sw.log)
    is_("and counted", con.json("iplog/showinfo")["lost"], 2)
con.do("iplog/logfile %s/moved" % TMP)
os.rename(TMP + "/moved", TMP + "/moved.1")
os.mkdir(TMP + "/moved")
os.kill(sw.pid, signal.SIGHUP)
ok("a file that cannot be opened anew is said", sw.logged(
    "plugin iplog: unable to open %s/moved: Is a directory" % TMP), sw.log)
a.send(of(ip4("10.0.0.8"), 0x800))
event()
is_("once", sw.log().count(TMP + "/moved"), 1)
con.do("iplog/logfile")

# --- iplog: a station that invents addresses ------------------------------

con.do("debug/del iplog", "iplog/logfile " + log, "port/defqlen 16")
c = sw.plug(5, descr=b"honest")
c.send(of(ip4("10.5.0.1"), 0x800, who=50))
sw.sync()
con.do("vlan/create 9", "port/create 6", "port/create 7")
pair = Pair(sw, (6, 7), vlan=9)
a.data.setblocking(True)
N = 20000 if "address" in BUILD else 60000
base = int(ipaddress.ip_address("10.128.0.0"))
for i in range(N):
    a.send(of(ip4(base + i), 0x800))
sw.sync(200)
n = len(con.json("iplog/ipport 1")["addresses"])
ok("the table is bounded", n < 32768 and n >= min(N, 32000) - 100, n)
is_("who had an address before has it still", con.do("iplog/ipport 5"),
    ["ipv4 10.5.0.1 port=5 user=" + ME])
got = open(log).read().splitlines()
ok("lines are too", 500 <= len([x for x in got if "ipv4 10.1" in x]) < 3000,
   len(got))
select.select([], [], [], 0.05)
a.send(of(ip4("10.0.99.1"), 0x800))
ok("what was left out is told", until(lambda: re.search(
    r"left out \d+ new addresses of port=1\n.*10.0.99.1", open(log).read())))
ok("others are served", pair.goes_on(), pair)
pair.stop()
# --- JSON -----------------------------------------------------------------

with open(ROOT + "/man/vde_plugins.7") as g:
    words = set(re.findall(r"[a-z0-9_]+", g.read()))


def keys(v):
    if isinstance(v, list):
        return set().union(*[keys(x) for x in v])
    return set(v).union(*[keys(x) for x in v.values()]) \
        if isinstance(v, dict) else set()


got = set().union(*[keys(json.loads("\n".join(con.cmd("-j " + x)[1])))
                    for x in ("dump/showinfo", "pdump/showinfo",
                              "pdump/filename /nonexistent/x", "iplog/list",
                              "iplog/showinfo", "iplog/ipadd x",
                              "iplog/ipport 5")])
is_("every name in JSON is in the page", (got - words, len(got) > 20),
    (set(), True))
con.do("plugin/del iplog", "plugin/del pdump", "plugin/del dump")
is_("status", sw.stop(), 0)
done()
