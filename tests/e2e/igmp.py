# SPDX-License-Identifier: GPL-2.0-or-later
"""igmp - multicast by hand, for tests in Python

	from igmp import *

	c.send(join("239.1.2.3"))
	x.send(data("239.1.2.3"))
	kinds(c.pending())                # ["query4", "data4"]
"""
import socket
import struct

from vdeclient import frame, mac


def packed(addr):
    return socket.inet_pton(
        socket.AF_INET6 if ":" in addr else socket.AF_INET, addr)


def csum(b):
    n = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def ipv4(dst, proto, body, src="10.0.0.99", ttl=1):
    d = packed(dst)
    h = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, ttl,
                    proto, 0, packed(src), d)
    h = h[:10] + struct.pack(">H", csum(h)) + h[12:]
    return frame(b"\x01\x00\x5e" + bytes([d[1] & 127]) + d[2:], mac(99),
                 h + body, type_=0x0800)


def igmp(type_, group, dst=None, code=0, more=b"", src="10.0.0.99"):
    b = struct.pack(">BBH4s", type_, code, 0, packed(group)) + more
    b = b[:2] + struct.pack(">H", csum(b)) + b[4:]
    return ipv4(dst or group, 2, b, src)


def join(group):
    return igmp(0x16, group)


def data(group, number=0):
    return ipv4(group, 17, struct.pack(">HHHHQ", 9, 9, 16, 0, number), ttl=8)


def kinds(frames):
    """What they are, in short."""
    def kind(f):
        type_ = struct.unpack(">H", f[12:14])[0]
        if type_ == 0x0800 and f[23] == 2:
            at = 14 + 4 * (f[14] & 15)
            return {0x11: "query4", 0x16: "report4", 0x12: "report4",
                    0x22: "report4", 0x17: "leave4"}.get(f[at], "igmp")
        if type_ == 0x0800:
            return "data4" if f[30] & 0xf0 == 0xe0 else "ip4"
        if type_ != 0x86dd:
            return "other"
        at, proto = (62, f[54]) if f[20] == 0 else (54, f[20])
        if proto == 58:
            return {130: "query6", 131: "report6", 143: "report6",
                    132: "leave6", 135: "solicit"}.get(f[at], "icmp6")
        return "data6" if f[38] == 0xff else "ip6"
    return [kind(f) for f in frames]
