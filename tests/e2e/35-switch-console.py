#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""35-switch-console.py - the console of the switch, byte by byte: greeting,
every command's output and error codes, events, load, and lines that come in
any pieces. Whole replies are compared, since VDE 2's clients parse them."""
import errno
import pwd

from vdeclient import *

VERSION = run("vde_switch", "--version")[1].split()[2]
BANNER = "VDE switch V.%s\n(C) Virtual Square Team (coord. R. Davoli) " \
    "2005,2006,2007 - GPLv2\n" % VERSION
sw = Switch("-n", "10", "--macaddr", "00:ff:01:02:03:04")
con = sw.console
says = con.says
ME = pwd.getpwuid(os.getuid()).pw_name


def fails(code, *lines):
    """Each line is answered with that code and nothing else."""
    got = [x for x in lines if con.raw(x).decode() != result(code) + "\n"]
    ok("%s: %s" % (result(code)[5:], ", ".join(repr(x) for x in lines)),
       not got, lambda: "\n".join("%s: %s" % (x, con.raw(x)) for x in got))


# --- the conversation -----------------------------------------------------

is_("the greeting", con.greeting, (BANNER + "\nvde$ ").encode())
con.write(b"\n")
is_("an empty line: a prompt", con.upto(PROMPT), PROMPT)
con.write(b"# port/create 3\n")
is_("a comment: a prompt", con.upto(PROMPT), PROMPT)
con.write(b"  \t showinfox\n")
is_("a result and a prompt", con.upto(PROMPT),
    b"1038 Function not implemented\n" + PROMPT)
fails(errno.ENOSYS, "port", "vlan", "show", "HELP", "helpport/p", "port/creat",
      "port/createx 1", "portcreate 1", "fstp/x", "-", "1", "'", "\x7f")
says("port/create 3\r")
fails(errno.EEXIST, "\tport/create\t3", "port/create 0x3", "port/create 003")
fails(errno.EINVAL, "port/create", "port/create abc", "port/create 3 4",
      "port/create -1", "port/create 3x", "port/create 11",
      "port/create 99999999999999999999", "port/create 3.0", "port/create +3",
      "port/create 0x")
says("port/remove 3")

# --- help -----------------------------------------------------------------

HELP = """\
COMMAND PATH       SYNTAX          HELP
------------       --------------  ------------
ds                 ============    DATA SOCKET MENU
ds/showinfo                        show ds info
help               [arg]           Help (limited to arg when specified)
logout                             logout from this mgmt terminal
shutdown                           shutdown of the switch
showinfo                           show switch version and info
load               path            load a configuration script
debug              ============    DEBUG MENU
debug/list                         list debug categories
debug/add          dbgpath         enable debug info for a given category
debug/del          dbgpath         disable debug info for a given category
plugin             ============    PLUGINS MENU
plugin/list                        list plugins
plugin/add         library         load a plugin
plugin/del         name            unload a plugin
hash               ============    HASH TABLE MENU
hash/showinfo                      show hash info
hash/setsize       N               change hash size
hash/setgcint      N               change garbage collector interval
hash/setexpire     N               change hash entries expire time
hash/setminper     N               minimum persistence time
hash/print                         print the hash table
hash/find          MAC [VLAN]      MAC lookup
fstp               ============    FAST SPANNING TREE MENU
fstp/showinfo                      show fstp info
fstp/setfstp       0/1             Fast spanning tree protocol 1=ON 0=OFF
fstp/setedge       VLAN PORT 1/0   Define an edge port for a vlan 1=Y 0=N
fstp/bonus         VLAN PORT COST  set the port bonus for a vlan
fstp/print         [N]             print fst data for the defined vlan
port               ============    PORT STATUS MENU
port/showinfo                      show port info
port/setnumports   N               set the number of ports
port/sethub        0/1             1=HUB 0=switch
port/setvlan       N VLAN          set port VLAN (untagged)
port/createauto                    create a port with an automatically \
allocated id (inactive|notallocatable)
port/create        N               create the port N (inactive|notallocatable)
port/remove        N               remove the port N
port/allocatable   N 0/1           Is the port allocatable as unnamed? 1=Y 0=N
port/setuser       N user          access control: set user
port/setgroup      N user          access control: set group
port/epclose       N ID            remove the endpoint port N/id ID
port/defqlen       LEN             set the default queue length for new ports
port/epqlen        N ID LEN        set the lenth of the queue for port N/id IP
port/resetcounter  [N]             reset the port (N) counters
port/print         [N]             print the port/endpoint table
port/allprint      [N]             print the port/endpoint table (including \
inactive port)
vlan               ============    VLAN MANAGEMENT MENU
vlan/create        N               create the VLAN with tag N
vlan/remove        N               remove the VLAN with tag N
vlan/addport       N PORT          add port to the vlan N (tagged)
vlan/delport       N PORT          delete port from the vlan N (tagged)
vlan/print         [N]             print the list of defined vlan
vlan/allprint      [N]             print the list of defined vlan (including \
inactive port)
""".splitlines()
got = con.do("help")
# What VDE 2 does not have may stand anywhere; what it has, in its order.
names = [x.split()[0] for x in HELP]
is_("help: VDE 2's lines, in its order",
    [x for x in got if x.split()[0] in names], HELP)
ours = [x for x in got if x.split()[0] not in names]
ok("help: ours have the same columns", ours and all(
    re.match(r"[a-z0-9/]{2,18} +(?<=^.{19})\S.{14} \S", x) or
    re.match(r".{18} {17}\S", x) for x in ours), "\n".join(ours))
for word in "hash", "port/create", "d", "nothing", "port/print":
    says("help " + word, got[:2] + [x for x in got[2:] if
                                    x.split()[0].startswith(word)])
bad = [x.split()[0] for x in got[2:] if "====" not in x and
       x.split()[0] not in ("logout", "shutdown") and
       con.cmd(x.split()[0] + " 1 2 3 4 5 6 7 8 9")[0] not in
       (errno.EINVAL, errno.ENOENT)]
is_("surplus arguments are an error everywhere", bad, [])

# --- showinfo -------------------------------------------------------------

got = con.raw("showinfo").decode()
got = re.sub(r"uptime \d+", "uptime N", got)
is_("showinfo", got, "0000 DATA END WITH '.'\n%s\npid %d MAC "
    "00:ff:01:02:03:04 uptime N\nmgmt %s perm 0600\n.\n1000 Success\n" % (
        BANNER, sw.pid, sw.mgmt))
says("ds/showinfo", ["ctl dir " + sw.dir, "std mode 0600"])
bare = Switch(mgmt=False, nostdin=False, stdin=subprocess.PIPE,
              stdout=subprocess.PIPE)
out = bare.proc.communicate(b"showinfo\n", DEADLINE)[0].decode()
ok("showinfo without -M has no line of it", "mgmt" not in out and
   out.endswith("\n.\n1000 Success\n"), out)

# --- ports ----------------------------------------------------------------

says("port/showinfo", ["Numports=10", "HUB=false", "counters=true",
                       "default length of port packet queues: 128"])
says("port/print", [])
says("port/createauto", ["Port 0001"])
says("port/create 2")
fails(errno.EEXIST, "port/create 2")
says("port/createauto", ["Port 0003"])
says("port/setuser 3 %s" % ME)
says("port/setgroup 3 54321")
says("port/setuser 2 1234567")
says("port/allprint", [x for n, user, group in (
    (1, "NONE", "NONE"), (2, "1234567", "NONE"), (3, ME, "54321")) for x in (
    "Port %04d untagged_vlan=0000 INACTIVE - NOT Unnamed Allocatable" % n,
    " Current User: NONE Access Control: (User: %s - Group: %s)" % (user,
                                                                    group),
    " IN:  pkts          0          bytes                    0",
    " OUT: pkts          0          bytes                    0")])
says("port/setuser 3 ANY")
says("port/setgroup 3 NONE")
c = sw.plug(descr=b"A host")
d = sw.plug(c.port, descr=b"")
c.send(frame(BROADCAST, mac(1), size=100), frame(BROADCAST, mac(1), size=1414))
sw.sync()
PORT4 = ["Port 0004 untagged_vlan=0000 ACTIVE - Unnamed Allocatable",
         " Current User: %s Access Control: (User: NONE - Group: NONE)" % ME,
         " IN:  pkts          2          bytes                 1514",
         " OUT: pkts          0          bytes                    0",
         "  -- endpoint ID %04d module unix prog   : no endpoint description"
         % d.ep,
         "              unsent packets: 0 max 128",
         "  -- endpoint ID %04d module unix prog   : A host" % c.ep,
         "              unsent packets: 0 max 128"]
says("port/print", PORT4)
says("port/print 4", PORT4)
says("port/allprint 4", PORT4)
says("port/epqlen 4 %d 7" % c.ep)
says("port/defqlen 9")
e = sw.plug(4, descr=b"\xc3\xa4")
PORT4[7] = PORT4[7].replace("128", "7")
says("port/print 4", PORT4[:4] + [
    "  -- endpoint ID %04d module unix prog   : \u00e4" % e.ep,
    "              unsent packets: 0 max 9"] + PORT4[4:])
says("port/epclose 4 %d" % e.ep)
ok("the client is told", e.hung_up())
says("port/print 1", [], errno.ENXIO)
says("port/print 9", [], errno.ENXIO)
says("port/print 11", [], errno.EINVAL)
says("port/allprint 9", [], errno.ENXIO)
says("port/print x", [], errno.EINVAL)
says("port/drops 4", ["Port 0004"] + [" %s %-20s%11d" % (way, name, 0) for
                                      way, name in (
    ("IN: ", "runt"), ("IN: ", "too_long"), ("IN: ", "bad_offload"),
    ("IN: ", "no_untagged_vlan"), ("IN: ", "vlan_not_member"),
    ("IN: ", "same_port"), ("IN: ", "destination_gone"),
    ("IN: ", "blocked"), ("IN: ", "stp_blocked"), ("IN: ", "isolated"),
    ("IN: ", "rate_limit"), ("IN: ", "source_guard"),
    ("IN: ", "address_limit"), ("IN: ", "address_violation"),
    ("IN: ", "storm_broadcast"), ("IN: ", "storm_multicast"),
    ("IN: ", "storm_unknown"), ("IN: ", "bad_multicast"),
    ("IN: ", "vetoed_in"), ("IN: ", "missed"),
    ("OUT:", "queue_full"), ("OUT:", "no_buffer"), ("OUT:", "over_mtu"),
    ("OUT:", "send_failed"), ("OUT:", "vetoed_out"))])
fails(errno.EINVAL, "port/setnumports 0", "port/setnumports x",
      "port/setnumports -1", "port/setnumports 16385", "port/setnumports",
      "port/remove 11", "port/allocatable 11 1", "port/allocatable 1",
      "port/allocatable 1 x", "port/setuser 1 nosuchuser", "port/setuser 1",
      "port/setuser 11 root", "port/setgroup 1 nosuchgroup",
      "port/setuser 1 -1", "port/setuser 1 4294967295", "port/setvlan 1",
      "port/setvlan 1 4096", "port/setvlan 11 0", "port/setvlan 1 -1",
      "port/epclose 11 1", "port/epclose 4", "port/epclose 4 x",
      "port/epqlen 4 1", "port/epqlen 4 %d -1" % c.ep, "port/defqlen -1",
      "port/defqlen 65537", "port/resetcounter 11", "port/sethub",
      "port/sethub x")
fails(errno.ENXIO, "port/remove 9", "port/allocatable 9 1",
      "port/setuser 9 root", "port/setgroup 9 1", "port/setvlan 9 0",
      "port/setvlan 1 77", "port/epclose 9 1", "port/epclose 4 9999",
      "port/epqlen 9 1 1", "port/epqlen 4 9999 1")
fails(errno.EADDRINUSE, "port/remove 4", "port/setnumports 3")
says("port/allocatable 1 1")
says("port/allocatable 1 7")
says("port/allprint 1", [
    "Port 0001 untagged_vlan=0000 INACTIVE - Unnamed Allocatable",
    " Current User: NONE Access Control: (User: NONE - Group: NONE)",
    " IN:  pkts          0          bytes                    0",
    " OUT: pkts          0          bytes                    0"])
says("port/sethub 2")
is_("HUB=true", con.do("port/showinfo")[1], "HUB=true")
says("port/sethub 0")
says("port/resetcounter")
says("port/resetcounter 9")
says("port/setnumports 4")
says("port/createauto", [], errno.ENOSPC)
says("port/setnumports 10")
says("port/create 0")
says("port/allprint 0", [
    "Port 0000 untagged_vlan=0000 INACTIVE - NOT Unnamed Allocatable",
    " Current User: NONE Access Control: (User: NONE - Group: NONE)",
    " IN:  pkts          0          bytes                    0",
    " OUT: pkts          0          bytes                    0"])
says("port/remove 0")

# --- VLANs ----------------------------------------------------------------

says("vlan/create 5")
says("vlan/create 4093")
fails(errno.EEXIST, "vlan/create 5")
fails(errno.EINVAL, "vlan/create 0", "vlan/create 4094", "vlan/create 4095",
      "vlan/create -1", "vlan/create x", "vlan/create", "vlan/remove 0",
      "vlan/remove 4094", "vlan/addport 5", "vlan/addport 4094 1",
      "vlan/addport 5 11", "vlan/addport 5 x", "vlan/delport 5",
      "vlan/delport 4094 1", "vlan/delport 5 11")
fails(errno.ENXIO, "vlan/remove 6", "vlan/addport 6 1", "vlan/addport 5 9",
      "vlan/delport 6 1", "vlan/delport 5 9")
says("vlan/addport 5 1")
says("port/setvlan 2 5")
fails(errno.EADDRINUSE, "vlan/remove 5", "vlan/delport 5 2")
says("vlan/addport 5 4")
says("vlan/addport 5 2")
V0 = ["VLAN 0000", " -- Port 0004 tagged=0 active=1 status=Forwarding"]
V5 = ["VLAN 0005", " -- Port 0004 tagged=1 active=1 status=Forwarding"]
says("vlan/print", V0 + V5 + ["VLAN 4093"])
says("vlan/print 5", V5)
says("vlan/print 0", V0)
says("vlan/allprint 5", [
    "VLAN 0005", " -- Port 0001 tagged=1 active=0 status=Learning",
    " -- Port 0002 tagged=0 active=0 status=Learning", V5[1]])
says("vlan/allprint 0", [
    "VLAN 0000", " -- Port 0001 tagged=0 active=0 status=Learning",
    " -- Port 0003 tagged=0 active=0 status=Learning", V0[1]])
says("vlan/print 6", [], errno.ENXIO)
says("vlan/print 4094", [], errno.EINVAL)
says("vlan/allprint 6", [], errno.ENXIO)
says("port/setvlan 2 4095")
is_("no untagged VLAN", con.do("port/allprint 2")[0],
    "Port 0002 untagged_vlan=4095 INACTIVE - NOT Unnamed Allocatable")
for line in "vlan/delport 5 1", "vlan/delport 5 4", "vlan/delport 5 4", \
        "vlan/remove 5", "vlan/remove 4093":
    says(line)

# --- addresses ------------------------------------------------------------

says("hash/showinfo", ["Hash size 128", "GC interval 2 secs",
                       "GC expire 100 secs", "Min persistence 3 secs"])
says("hash/setsize 100")
says("hash/setsize 1000")
says("hash/setgcint 5")
says("hash/setexpire 77")
says("hash/setminper 0")
says("hash/showinfo", ["Hash size 1024", "GC interval 5 secs",
                       "GC expire 77 secs", "Min persistence 0 secs"])
fails(errno.EINVAL, "hash/setsize 0", "hash/setsize -1", "hash/setsize x",
      "hash/setsize 262145", "hash/setgcint -1", "hash/setexpire x",
      "hash/setminper", "hash/setexpire 99999999999")
c.send(frame(BROADCAST, mac(1)))
sw.sync()
got = re.sub(r"\d+ secs", "N secs", "\n".join(con.do("hash/print")))
like("hash/print", got, r"^Hash: \d{4} Addr: 02:00:00:00:00:01 VLAN 0000 to "
     r"port: 004  age N secs\Z")
for spelled in "02:00:00:00:00:01", "2:0:0:0:0:1", "2.0.0.0.0.1 0":
    ok("hash/find " + spelled, len(con.do("hash/find " + spelled)) == 1)
says("hash/find 02:00:00:00:00:01 5", [], errno.ENODEV)
says("hash/find 02:00:00:00:00:02", [], errno.ENODEV)
for wrong in "02:00:00:00:00", "x", "02:00:00:00:00:01:02", "200:0:0:0:0:1", \
        "02:00:00:00:00:0g", "02:00:00:00:00:01 4095", "":
    says("hash/find " + wrong, [], errno.EINVAL)

# --- events ---------------------------------------------------------------

LIST = """\
CATEGORY               TAG STATUS HELP
------------           --- ------ ----
hash/+                 011 OFF    hash: new element
hash/-                 012 OFF    hash: discarded element
fstp/status            044 OFF    fstp: status change
fstp/root              045 OFF    fstp: rootswitch/port change
fstp/+                 041 OFF    fstp: port becomes active
fstp/-                 042 OFF    fstp: port becomes inactive
port/+                 021 OFF    new port
port/-                 022 OFF    closed port
port/descr             023 OFF    set port description
port/ep/+              031 OFF    new endpoint
port/ep/-              032 OFF    closed endpoint
""".splitlines()
got = con.do("debug/list")
# What VDE 2 does not have stands behind it.
is_("debug/list", got[:len(LIST)], LIST)
ok("debug/list: ours have the same columns", all(
    re.match(r"[a-z+/-]{2,22} +(?<=^.{23})[0-7]{3} OFF    \w+: ", x) for x in
    got[len(LIST):]), "\n".join(got))
says("debug/list port/ep", LIST[:2] + LIST[11:])
says("debug/list nothing", LIST[:2], errno.ENOENT)
says("debug/add port/ep")
says("debug/list port", LIST[:2] + LIST[8:11] + [
    x.replace("OFF", "ON ") for x in LIST[11:]])
fails(errno.EEXIST, "debug/add port/ep/+", "debug/add port/ep")
says("debug/add port")
fails(errno.EINVAL, "debug/add nothing", "debug/del nothing",
      "debug/add mgmt/+", "debug/add fstp/x")
says("debug/del port/+")
fails(errno.ENOENT, "debug/del port/+", "debug/del hash")
says("debug/del")
says("debug/add")
other = Console(sw.mgmt)
is_("subscriptions are per session", other.do("debug/list"), got)
c.close()
d.close()
until(lambda: not sw.port(4)["active"])
con.raw("")


def events(*lines):
    """The next lines that this console gets, before anything else."""
    want = "".join(x + "\n" for x in lines).encode()
    got = b""
    try:
        while len(got) < len(want):
            got += con.upto(b"\n")
    except socket.timeout:
        got += con.buf
    is_(lines[0].split()[1] + " ...", got, want)


con.buf = b""
c = sw.plug(7, descr=b"A \"host\"")
events("3021 port/+ 07", "3031 port/ep/+ Port 07 FD %2d" % c.ep,
       '3023 port/descr Port 07 FD %2d -> "A "host""' % c.ep)
d = sw.plug(7, descr=b"")
events("3031 port/ep/+ Port 07 FD %2d" % d.ep)
c.send(frame(BROADCAST, mac(0xa)))
events("3011 hash/+ 02:00:00:00:00:0a VLAN 00:00 Port 7")
c.send(frame(BROADCAST, mac(0xa), tci=0x123))
events("3011 hash/+ 02:00:00:00:00:0a VLAN 23:01 Port 7")
d.close()
events("3032 port/ep/- Port 07 FD %2d" % d.ep)
c.close()
events("3032 port/ep/- Port 07 FD %2d" % c.ep, "3022 port/- 07")
is_("and what it had learned", sorted(con.upto(b"\n") for _ in range(2)), [
    b"3012 hash/- 02:00:00:00:00:0a VLAN 00:00 Port 7\n",
    b"3012 hash/- 02:00:00:00:00:0a VLAN 23:01 Port 7\n"])
c = sw.plug(7, descr=b"")
con.upto(b"FD %2d\n" % c.ep)
is_("the events of a command come before its reply",
    con.raw("port/epclose 7 %d" % c.ep).decode(),
    "3032 port/ep/- Port 07 FD %2d\n3022 port/- 07\n1000 Success\n" % c.ep)
is_("other sessions hear nothing", other.raw("port/create 7").decode(),
    "1017 File exists\n")
con.do("debug/del")

# --- load -----------------------------------------------------------------

rc = unique("rc")
with open(rc, "w") as f:
    f.write("# c\nds/showinfo\n\nport/create 10\nfoo\n  port/create 10")
want = """\
vde[RC]: # c
vde[RC]: ds/showinfo
0000 DATA END WITH '.'
ctl dir DIR
std mode 0600
.
1000 Success
vde[RC]: 

1038 Function not implemented
vde[RC]: port/create 10
1000 Success
vde[RC]: foo
1038 Function not implemented
vde[RC]:   port/create 10
1017 File exists
1000 Success
""".replace("RC", rc).replace("DIR", sw.dir)
is_("load", con.raw("load " + rc).decode(), want)
inner = unique("a b")
with open(inner, "w") as f:
    f.write("load %s\nport/remove 10\n" % rc)
got = con.raw("load " + inner).decode()
ok("load inside load, and a path with a blank", "\nvde[%s]: foo\n" % rc in got
   and got.endswith("port/remove 10\n1000 Success\n1000 Success\n"), got)
with open(inner, "w") as f:
    f.write("load %s\n" % inner)
ok("load of itself ends", "1040 " in con.raw("load " + inner).decode())
fails(errno.ENOENT, "load /nowhere/rc")
fails(errno.EISDIR, "load /tmp")
fails(errno.EINVAL, "load", "load /dev/zero")

# --- lines in any pieces --------------------------------------------------

con.write(b"port/create 8\nport/create 8\n\nport/remove 8\nfoo\n")
is_("many in one write: a reply to each, in order",
    b"".join(con.upto(PROMPT) for _ in range(5)),
    b"1000 Success\n" + PROMPT + b"1017 File exists\n" + PROMPT + PROMPT +
    b"1000 Success\n" + PROMPT + b"1038 Function not implemented\n" + PROMPT)
text = b"port/create 8\nport/remove 8\n"
for cut in range(1, len(text)):
    con.write(text[:cut])
    other.cmd("")  # a turn of the loop
    con.write(text[cut:])
    got = con.upto(PROMPT) + con.upto(PROMPT)
    if got != (b"1000 Success\n" + PROMPT) * 2:
        break
ok("cut at any place: the same", cut == len(text) - 1, "%d %s" % (cut, got))
con.write(b"port/showinfo")
ok("no newline, then silence: it runs", b"Numports" in con.upto(PROMPT))
con.write(b"port/create 8\0")
is_("with a NUL, as some clients send it", con.upto(PROMPT),
    b"1000 Success\n" + PROMPT)
con.do("port/remove 8")
con.write(b"help\n" * 300)
n = len(con.upto(PROMPT))
ok("300 commands at once: 300 whole replies",
   all(len(con.upto(PROMPT)) == n for _ in range(299)))

# --- many consoles --------------------------------------------------------

many = [Console(sw.mgmt) for _ in range(100)]
for i, x in enumerate(many):
    x.write(b"port/print %d\n" % (i % 5))
ok("a hundred consoles: each gets its own reply", all(
    x.upto(PROMPT).startswith(b"0000 DATA") for x in many))
for x in many:
    x.close()
other.write(b"showinfo\nlogout\nshowinfo\n")
ok("logout ends the session and what it still had to say",
   other.rest().endswith(b"1000 Success\n" + PROMPT + b"9999 END OF SESSION"))
eof = Console(sw.mgmt)
eof.write(b"port/create 8")
eof.sock.shutdown(socket.SHUT_WR)
is_("what came before the end is answered", eof.rest(),
    b"1000 Success\n" + PROMPT)
last = Console(sw.mgmt)
con.write(b"shutdown\n")
is_("shutdown: the farewell without newline or prompt", con.rest(),
    b"9999 END OF SESSION")
is_("shutdown: the others just see the end", last.rest(), b"")
is_("shutdown: status 0", sw.proc.wait(DEADLINE), 0)
like("shutdown: the log says so", sw.log(), "shutdown by console command")
ok("shutdown: nothing is left", not os.path.exists(sw.dir) and
   not os.path.exists(sw.mgmt))
done()
