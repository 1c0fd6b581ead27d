#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""84-tshark.py - tshark reads what leaves a trunk port and an access port

Frames of common protocols, with checksums, enter at an access port, at
another trunk port and with a priority tag only; what leaves is written to a
capture file and dissected. The tags must be those of 802.1Q, priority and
drop eligibility kept, and no packet malformed or with a wrong checksum.
"""
from vdeclient import *

need("tshark")
VLAN, OTHER = 10, 20
A, B = mac(1), mac(2)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ipv4(proto, payload, n=1):
    head = struct.pack(">BBHHHBBH4B4B", 0x45, 0, 20 + len(payload), n, 0, 64,
                       proto, 0, 10, 0, 0, 1, 10, 0, 0, 2)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def with_pseudo(proto, segment, at):
    """The segment with its checksum put in at that offset."""
    pseudo = struct.pack(">4B4BBBH", 10, 0, 0, 1, 10, 0, 0, 2, 0, proto,
                         len(segment))
    return segment[:at] + struct.pack(">H", checksum(pseudo + segment)) + \
        segment[at + 2:]


def udp(size):
    return with_pseudo(17, struct.pack(">HHHH", 50000, 50001, 8 + size, 0) +
                       bytes(i & 0xff for i in range(size)), 6)


def tcp(size):
    return with_pseudo(6, struct.pack(">HHIIBBHHH", 50000, 50001, 1, 0, 0x50, 2,
                                      1000, 0, 0) + b"t" * size, 16)


def icmp(size):
    msg = struct.pack(">BBHHH", 8, 0, 0, 77, 1) + b"p" * size
    return msg[:2] + struct.pack(">H", checksum(msg)) + msg[4:]


ARP = struct.pack(">HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, A, bytes([10, 0, 0, 1]),
                  bytes(6), bytes([10, 0, 0, 2]))
IPV6 = struct.pack(">IHBB16s16s", 6 << 28, 8, 59, 64, b"\xfe\x80" + bytes(14),
                   b"\xff\x02" + bytes(14)) + b"nothing."

# name, destination, ethertype, payload, what tshark calls it
SENT = [
    ("ARP", BROADCAST, 0x806, ARP, "arp"),
    ("ICMP", B, 0x800, ipv4(1, icmp(56)), "icmp"),
    ("UDP of one byte", B, 0x800, ipv4(17, udp(1)), "udp"),
    ("UDP of 1472 bytes", B, 0x800, ipv4(17, udp(1472)), "udp"),
    ("UDP of 9188 bytes", B, 0x800, ipv4(17, udp(9188)), "udp"),
    ("TCP SYN", B, 0x800, ipv4(6, tcp(0)), "tcp"),
    ("TCP of 1460 bytes", B, 0x800, ipv4(6, tcp(1460)), "tcp"),
    ("IPv6", b"\x33\x33\0\0\0\1", 0x86dd, IPV6, "ipv6"),
]


def capture(name, frames):
    path = "%s/%s.pcap" % (TMP, name)
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, raw in enumerate(frames):
            f.write(struct.pack("=IIII", i, 0, len(raw), len(raw)) + raw)
    return path


FIELDS = ("frame.len eth.dst eth.type vlan.id vlan.priority vlan.dei "
          "vlan.etype frame.protocols ip.checksum.status udp.checksum.status "
          "tcp.checksum.status icmp.checksum.status _ws.malformed "
          "_ws.expert.message").split()


def dissect(name, frames):
    """What tshark says, one dictionary for each frame."""
    args = ["tshark", "-n", "-r", capture(name, frames), "-T", "fields"]
    for proto in "ip", "udp", "tcp":
        args += ["-o", proto + ".check_checksum:TRUE"]
    for f in FIELDS:
        args += ["-e", f]
    # tshark reads settings of the user; this one has none.
    env = dict(os.environ, HOME=TMP, XDG_CONFIG_HOME=TMP)
    r = subprocess.run(args, env=env, stdout=subprocess.PIPE, timeout=60,
                       stderr=subprocess.PIPE, universal_newlines=True)
    rows = [dict(zip(FIELDS, line.split("\t")))
            for line in r.stdout.splitlines()]
    if len(rows) != len(frames):
        ok("tshark reads %s" % name, False, r.stderr + r.stdout)
    return rows


def sound(row):
    """Nothing malformed, each checksum that is there good (1), any padding
    of zeros."""
    return not row["_ws.malformed"] and \
        "alformed" not in row["_ws.expert.message"] and \
        "padding" not in row["_ws.expert.message"] and \
        all(row[f] in ("", "1") for f in FIELDS if f.endswith(".status"))


def one(client, what):
    got = client.recv()
    if got is None:
        ok(what + " arrives", False)
        return b""
    return got


sw = Switch("--numports", "8")
access, trunk, trunk2, plain = sw.plug(1), sw.plug(2), sw.plug(3), sw.plug(4)
sw.do("vlan/create 10", "vlan/create 20", "port/setvlan 1 10",
      "port/setvlan 2 4095", "port/setvlan 3 4095", "port/setvlan 4 10",
      "vlan/addport 10 2", "vlan/addport 20 2", "vlan/addport 10 3",
      "vlan/addport 20 3")

# vde_plug, ours and Debian's, on trunks of their own: the same frames as a
# byte stream.
plugs = {}
for port, program in (6, BUILD + "/bin/vde_plug"), (7, "/usr/bin/vde_plug"):
    if not os.path.exists(program):
        continue
    sw.do("port/create %d" % port, "port/setvlan %d 4095" % port,
          "vlan/addport 10 %d" % port, "vlan/addport 20 %d" % port)
    plugs[program] = "%s/stream%d" % (TMP, port)
    with open(plugs[program], "wb") as out:
        start(program, "%s[%d]" % (sw.dir, port), stdin=subprocess.PIPE,
              stdout=out, stderr=subprocess.DEVNULL)
    until(lambda: sw.port(port)["endpoints"])

# --- from an access port -----------------------------------------------------

tagged = []
untagged = []
for what, dst, kind, payload, _ in SENT:
    # What is short is for the switch to pad, with zeros.
    access.send(frame(dst, A, payload, 14 + len(payload), type_=kind))
    tagged.append(one(trunk, what))
    untagged.append(one(plain, what))
for (what, dst, kind, payload, proto), row in zip(
        SENT, dissect("tagged", tagged)):
    is_(what + ": leaves the trunk in its VLAN, priority 0",
        (row["vlan.id"], row["vlan.priority"], row["vlan.dei"]),
        (str(VLAN), "0", "0"))
    ok(what + ": tshark knows it, nothing is malformed",
       proto in row["frame.protocols"].split(":") and
       row["frame.protocols"].startswith("eth:ethertype:vlan:") and
       sound(row) and row["eth.type"] == "0x8100" and
       int(row["vlan.etype"], 0) == kind, row)
    is_(what + ": four bytes longer than it came",
        int(row["frame.len"]), max(60, 14 + len(payload)) + 4)
for (what, dst, kind, payload, proto), row in zip(
        SENT, dissect("untagged", untagged)):
    ok(what + ": leaves another access port without a tag, sound",
       not row["vlan.id"] and sound(row) and
       proto in row["frame.protocols"].split(":"), row)

# --- tags that come in -------------------------------------------------------

TAGS = [("priority 5", 5 << 13 | OTHER, (OTHER, 5, 0)),
        ("drop eligible", 1 << 12 | OTHER, (OTHER, 0, 1)),
        ("priority 7, drop eligible", 7 << 13 | 1 << 12 | VLAN, (VLAN, 7, 1)),
        ("no priority", VLAN, (VLAN, 0, 0))]
ping = ipv4(1, icmp(56))
frames = []
for what, tci, _ in TAGS:
    trunk2.send(frame(BROADCAST, B, ping, tci=tci, type_=0x800))
    frames.append(one(trunk, what))
for (what, tci, wanted), row, raw in zip(TAGS, dissect("trunk", frames),
                                         frames):
    is_("from trunk to trunk the tag is kept: " + what,
        tuple(int(row["vlan." + f] or -1) for f in ("id", "priority", "dei")),
        wanted)
    is_("so is every byte: " + what, raw,
        frame(BROADCAST, B, ping, tci=tci, type_=0x800))
frames = [f for f in plain.pending()]
rows = dissect("access", frames)
is_("only those of its VLAN leave an access port", len(frames), 2)
ok("their tags are removed, they are sound",
   all(not r["vlan.id"] and sound(r) for r in rows), rows)

sw.quiet(access, trunk, plain)
access.send(frame(BROADCAST, A, ping, tci=3 << 13, type_=0x800))
row = dissect("priority", [one(trunk, "a priority tag")])[0]
is_("a priority tag at an access port becomes its VLAN, priority kept",
    (row["vlan.id"], row["vlan.priority"]), (str(VLAN), "3"))
row = dissect("priority", [one(plain, "a priority tag")])[0]
ok("and is removed at another", not row["vlan.id"] and sound(row), row)

short = frame(BROADCAST, A, b"", size=46, tci=VLAN, type_=0x806)
trunk2.send(short[:18] + ARP)
row = dissect("short", [one(plain, "a short frame")])[0]
ok("a minimal tagged frame is a sound one without its tag",
   sound(row) and int(row["frame.len"]) >= 60 and
   "arp" in row["frame.protocols"], row)

# --- the same through vde_plug -----------------------------------------------

size = sum(2 + len(f) for f in tagged)
for program, path in plugs.items():
    until(lambda: os.path.getsize(path) >= size)
    with open(path, "rb") as f:
        data = f.read(size)
    is_(program.replace(BUILD, "our") + " writes the same frames to its output",
        data, b"".join(struct.pack(">H", len(f)) + f for f in tagged))
done()
