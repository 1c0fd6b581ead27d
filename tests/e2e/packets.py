# SPDX-License-Identifier: GPL-2.0-or-later
"""packets - TCP and UDP in frames, made and checked, for tests in Python"""
import socket
import struct


def sum16(data, start=0):
    data += b"\0" * (len(data) & 1)
    s = start + sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def whole(f):
    """Is that frame finished? None if it is neither TCP nor UDP."""
    kind = f[12:14]
    if kind == b"\x08\x00":
        n = (f[14] & 15) * 4
        if sum16(f[14:14 + n]) != 0xffff:
            return False
        total = struct.unpack(">H", f[16:18])[0]
        proto, addrs, l4 = f[23], f[26:34], f[14 + n:14 + total]
    elif kind == b"\x86\xdd":
        total = struct.unpack(">H", f[18:20])[0]
        proto, addrs, l4 = f[20], f[22:54], f[54:54 + total]
    else:
        return None
    if proto not in (6, 17):
        return None
    return len(l4) >= 8 and sum16(addrs + l4, proto + len(l4)) == 0xffff


def tcp_segments(dst, src, parts, ip_from, ip_to):
    """One frame for each part, which follow each other in one flow."""
    addrs = socket.inet_aton(ip_from) + socket.inet_aton(ip_to)
    out, seq = [], 0
    for i, payload in enumerate(parts):
        l4 = struct.pack(">HHIIBBHHH", 7, 7, seq, 1, 0x50, 0x10, 99, 0, 0) + \
            payload
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), i, 0x4000, 64, 6,
                         0) + addrs
        ip = ip[:10] + struct.pack(">H", 0xffff - sum16(ip)) + ip[12:]
        s = 0xffff - sum16(addrs + l4, 6 + len(l4))
        out.append(dst + src + b"\x08\x00" + ip + l4[:16] +
                   struct.pack(">H", s) + l4[18:])
        seq += len(payload)
    return out
