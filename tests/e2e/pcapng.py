# SPDX-License-Identifier: GPL-2.0-or-later
"""pcapng - captures, read for tests; has nothing in common with the writer

	cap = Capture(open(path, "rb").read())
	cap.packets[0].port, .bytes, .len, .out, .comment, .gap, .flags
	cap.lost["port 1"], cap.interfaces, cap.sections, cap.whole

Blocks that are not right end in an exception; @whole says whether the bytes
end with a block."""
import struct


class Packet:
    pass


def options(b):
    """code: value; the last one of each."""
    out = {}
    while len(b) >= 4:
        code, n = struct.unpack_from("=HH", b)
        if code == 0:
            assert n == 0 and len(b) == 4, "options end early"
            return out
        out[code] = b[4:4 + n]
        b = b[4 + (n + 3 & ~3):]
    assert not b, "options without end"
    return out


class Capture:
    def __init__(self, data):
        self.packets, self.interfaces, self.sections = [], [], 0
        self.filters, self.descriptions, self.snaplens = {}, {}, {}
        self.lost, self.seen = {}, {}
        at = 0
        while at + 12 <= len(data):
            kind, n = struct.unpack_from("=II", data, at)
            if at + n > len(data):
                break
            assert n >= 12 and n % 4 == 0, "length %d at %d" % (n, at)
            assert struct.unpack_from("=I", data, at + n - 4)[0] == n
            self.block(kind, data[at + 8:at + n - 4])
            at += n
        self.whole = at == len(data)

    def block(self, kind, b):
        if kind == 0x0a0d0d0a:
            magic, major, minor, length = struct.unpack_from("=IHHq", b)
            assert (magic, major, minor, length) == (0x1a2b3c4d, 1, 0, -1)
            self.program = options(b[16:])[4].decode()
            self.interfaces = []
            self.sections += 1
        elif kind == 1:
            assert self.sections, "no section"
            link, _, snaplen = struct.unpack_from("=HHI", b)
            o = options(b[8:])
            name = o[2].decode()
            assert link == 1 and o[9] == b"\t"
            self.interfaces.append(name)
            self.snaplens[name] = snaplen
            self.descriptions[name] = o.get(3, b"").decode()
            self.filters[name] = o.get(11, b"\0")[1:].decode()
        elif kind == 6:
            self.packet(b)
        elif kind == 5:
            i = struct.unpack_from("=I", b)[0]
            o = options(b[12:])
            self.lost[self.interfaces[i]] = struct.unpack("=Q", o[5])[0]
            self.seen[self.interfaces[i]] = struct.unpack("=Q", o[6])[0]
        else:
            raise AssertionError("block of type %d" % kind)

    def packet(self, b):
        p = Packet()
        i, high, low, n, p.len = struct.unpack_from("=IIIII", b)
        o = options(b[20 + (n + 3 & ~3):])
        p.port = self.interfaces[i]
        p.time = (high << 32 | low) / 1e9
        p.bytes = b[20:20 + n]
        p.flags = struct.unpack("=I", o[2])[0]
        p.out = {1: False, 2: True}[p.flags & 3]
        p.comment = o.get(1, b"").decode()
        p.verdict = o[7][1:].decode() if 7 in o else ""
        p.gap = struct.unpack("=Q", o[4])[0] if 4 in o else 0
        self.packets.append(p)

    def ways(self):
        """(port, "in" or "out" or the drop's reason) of each packet."""
        return [(p.port, p.verdict or ("in", "out")[p.out])
                for p in self.packets]


def read(path):
    with open(path, "rb") as f:
        return Capture(f.read())
