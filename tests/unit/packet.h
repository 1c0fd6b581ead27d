/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of TCP and UDP, made from a description and read again, with code
 * that has nothing in common with src/base: sums are made byte by byte.
 */
#ifndef TESTS_PACKET_H
#define TESTS_PACKET_H

#include <string.h>

#include "base/frame.h"

#define PACKET_MAX (65535 + 40 + 14 + 8 + 64)

struct packet {
	int version; /* 4, 6 */
	bool udp;
	int tags; /* 802.1Q, outer ones 802.1ad */
	int options; /* bytes: IPv4 options; IPv6 a destination header */
	int tcp_options; /* bytes */
	uint8_t tos, ttl, flags; /* flags of TCP */
	bool df;
	uint16_t id, port;
	uint32_t seq;
	size_t payload;
	uint8_t fill; /* first byte of the payload */
	uint16_t gso_size; /* 0: a finished packet */
};

/* One byte after the other, big-endian, 32 bits are enough for 64 KiB. */
static inline uint32_t packet_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline void packet_be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void packet_be32(uint8_t *p, uint32_t v)
{
	packet_be16(p, v >> 16);
	packet_be16(p + 2, v & 0xffff);
}

/* The pseudo-header of the packet whose IP header is at @ip. */
static inline uint32_t packet_pseudo(const uint8_t *ip, uint8_t proto, size_t n)
{
	uint32_t sum = ip[0] >> 4 == 4 ? packet_sum(0, ip + 12, 8)
				       : packet_sum(0, ip + 8, 32);

	return packet_sum(sum + proto + (uint32_t)n, NULL, 0);
}

static inline size_t packet_ip(const struct packet *k, uint8_t *ip, size_t len)
{
	uint8_t proto = k->udp ? 17 : 6;
	size_t hdr = (k->version == 4 ? 20 : 40) + (size_t)k->options;

	memset(ip, 0, hdr);
	if (k->version == 4) {
		ip[0] = (uint8_t)(0x40 | hdr / 4);
		ip[1] = k->tos;
		packet_be16(ip + 2, hdr + len);
		packet_be16(ip + 4, k->id);
		packet_be16(ip + 6, k->df ? 0x4000 : 0);
		ip[8] = k->ttl;
		ip[9] = proto;
		packet_be32(ip + 12, 0x0a000001);
		packet_be32(ip + 16, 0x0a000002);
		memset(ip + 20, 1, (size_t)k->options); /* no operation */
		packet_be16(ip + 10, ~packet_sum(0, ip, hdr) & 0xffff);
		return hdr;
	}
	packet_be32(ip, UINT32_C(6) << 28 | (uint32_t)k->tos << 20 | 0x12345);
	packet_be16(ip + 4, hdr - 40 + len);
	ip[6] = k->options ? 60 : proto;
	ip[7] = k->ttl;
	packet_be32(ip + 8, UINT32_C(0xfd000000));
	ip[23] = 1;
	packet_be32(ip + 24, UINT32_C(0xfd000000));
	ip[39] = 2;
	if (k->options) {
		ip[40] = proto;
		ip[41] = (uint8_t)(k->options / 8 - 1);
		ip[42] = 1; /* PadN */
		ip[43] = (uint8_t)(k->options - 4);
	}
	return hdr;
}

static inline size_t packet_l4(const struct packet *k, uint8_t *p)
{
	size_t hdr = k->udp ? 8 : 20 + (size_t)k->tcp_options;

	memset(p, 0, hdr);
	packet_be16(p, k->port);
	packet_be16(p + 2, 80);
	if (k->udp) {
		packet_be16(p + 4, hdr + k->payload);
		return hdr;
	}
	packet_be32(p + 4, k->seq);
	packet_be32(p + 8, 0x01020304);
	p[12] = (uint8_t)(hdr / 4 << 4);
	p[13] = k->flags;
	packet_be16(p + 14, 512);
	for (int i = 0; i < k->tcp_options; i++)
		p[20 + i] = (uint8_t)(i < 2 ? 1 : i == 2 ? 8 : i * 17);
	return hdr;
}

/* Writes the checksum of the packet at @f + @l4, over what is there now. */
static inline void packet_seal(uint8_t *f, size_t ip, size_t l4, size_t len,
			       bool udp)
{
	uint8_t *field = f + l4 + (udp ? 6 : 16);
	uint32_t sum = packet_pseudo(f + ip, udp ? 17 : 6, len - l4);

	packet_be16(field, 0);
	sum = ~packet_sum(sum, f + l4, len - l4) & 0xffff;
	packet_be16(field, udp && !sum ? 0xffff : sum);
}

/* Writes the frame to @f, of PACKET_MAX bytes, its offloads (none for a
 * finished packet) to @o; returns its length. */
static inline size_t packet_make(const struct packet *k, uint8_t *f,
				 struct frame_offload *o)
{
	size_t at = 12, ip, l4, hdr, len, field;

	packet_be32(f, 0x02000000);
	packet_be16(f + 4, 2);
	packet_be32(f + 6, 0x02000000);
	packet_be16(f + 10, 1);
	for (int i = k->tags; i > 0; i--, at += 4)
		packet_be32(f + at, i > 1 ? 0x88a80064 : 0x81002065);
	packet_be16(f + at, k->version == 4 ? 0x0800 : 0x86dd);
	ip = at + 2;
	hdr = k->udp ? 8 : 20 + (size_t)k->tcp_options;
	l4 = ip + packet_ip(k, f + ip, hdr + k->payload);
	packet_l4(k, f + l4);
	for (size_t i = 0; i < k->payload; i++)
		f[l4 + hdr + i] = (uint8_t)(k->fill + i * 7 + i / 251);
	len = l4 + hdr + k->payload;
	field = k->udp ? 6 : 16;
	*o = (struct frame_offload){ 0 };
	if (!k->gso_size) {
		packet_seal(f, ip, l4, len, k->udp);
		return len;
	}
	packet_be16(f + l4 + field,
		    packet_pseudo(f + ip, k->udp ? 17 : 6, len - l4));
	o->flags = FRAME_NEEDS_CSUM;
	o->gso_type = k->udp		? FRAME_GSO_UDP_L4
		      : k->version == 4 ? FRAME_GSO_TCPV4
					: FRAME_GSO_TCPV6;
	o->hdr_len = (uint16_t)(l4 + hdr);
	o->gso_size = k->gso_size;
	o->csum_start = (uint16_t)l4;
	o->csum_offset = (uint16_t)field;
	return len;
}

/* ---- tunnels ---- */

enum packet_tunnel_kind {
	PACKET_VXLAN,
	PACKET_GENEVE, /* with an option */
	PACKET_FOU,
	PACKET_GRE, /* with a key */
	PACKET_GRETAP,
	PACKET_IPIP,
	PACKET_TUNNELS
};

struct packet_tunnel {
	enum packet_tunnel_kind kind;
	int version; /* of the outer IP */
	bool sum; /* its UDP has a checksum */
	uint16_t id;
};

/* What is between the outer and the inner headers; returns its length. */
static inline size_t packet_tunnel_hdr(const struct packet_tunnel *t,
				       uint8_t *p, int inner_version)
{
	memset(p, 0, 16);
	switch (t->kind) {
	case PACKET_VXLAN:
		packet_be32(p, 0x08000000);
		packet_be32(p + 4, 0x00002a00);
		return 8;
	case PACKET_GENEVE:
		packet_be32(p, 0x02006558);
		packet_be32(p + 4, 0x00000700);
		packet_be32(p + 8, 0x01028001);
		packet_be32(p + 12, 0xdeadbeef);
		return 16;
	case PACKET_GRE:
		packet_be16(p, 0x2000);
		packet_be16(p + 2, inner_version == 4 ? 0x0800 : 0x86dd);
		packet_be32(p + 4, 99);
		return 8;
	case PACKET_GRETAP:
		packet_be16(p + 2, 0x6558);
		return 4;
	case PACKET_FOU:
	case PACKET_IPIP:
	case PACKET_TUNNELS:
		break;
	}
	return 0;
}

/* Puts the frame, which packet_make() made, into a tunnel; if there is more
 * to do than none, the tunnel's checksum is begun only. Returns the length. */
static inline size_t packet_wrap(const struct packet_tunnel *t, uint8_t *f,
				 size_t len, struct frame_offload *o)
{
	bool udp = t->kind <= PACKET_FOU;
	bool ether = t->kind == PACKET_VXLAN || t->kind == PACKET_GENEVE ||
		     t->kind == PACKET_GRETAP;
	static const uint8_t protos[] = { 17, 17, 17, 47, 47, 4 };
	uint8_t hdr[128], *ip = hdr + 14, *l4;
	size_t at = 12, n, body;
	int inner;

	while (f[at] == 0x81 || f[at] == 0x88)
		at += 4;
	at += 2;
	inner = f[at] >> 4;
	if (ether)
		at = 0;
	body = len - at;
	l4 = ip + (t->version == 4 ? 20 : 40);
	n = packet_tunnel_hdr(t, l4 + (udp ? 8 : 0), inner) + (udp ? 8u : 0);
	memcpy(hdr, f, 12);
	packet_be16(hdr + 12, t->version == 4 ? 0x0800 : 0x86dd);
	memset(ip, 0, (size_t)(l4 - ip));
	if (t->version == 4) {
		packet_be16(ip, 0x4500);
		packet_be16(ip + 2, 20 + n + body);
		packet_be16(ip + 4, t->id);
		ip[8] = 64;
		ip[9] = protos[t->kind];
		packet_be32(ip + 12, 0xc0000201);
		packet_be32(ip + 16, 0xc0000202);
	} else {
		packet_be32(ip, 0x60000000);
		packet_be16(ip + 4, n + body);
		ip[6] = protos[t->kind];
		ip[7] = 64;
		packet_be32(ip + 8, 0x20010db8);
		packet_be32(ip + 24, 0x20010db8);
		ip[23] = 1;
		ip[39] = 2;
	}
	if (t->kind == PACKET_IPIP && inner == 6)
		ip[t->version == 4 ? 9 : 6] = 41;
	if (t->version == 4)
		packet_be16(ip + 10, ~packet_sum(0, ip, 20) & 0xffff);
	n += (size_t)(l4 - hdr);
	memmove(f + n, f + at, body);
	memcpy(f, hdr, n);
	len = n + body;
	if (udp) {
		l4 = f + (l4 - hdr);
		packet_be16(l4, 51000);
		packet_be16(l4 + 2, 4789);
		packet_be16(l4 + 4, len - (size_t)(l4 - f));
		packet_be16(l4 + 6, 0);
		if (t->sum && o->gso_type)
			packet_be16(l4 + 6,
				    packet_pseudo(f + 14, 17,
						  len - (size_t)(l4 - f)));
		else if (t->sum)
			packet_seal(f, 14, (size_t)(l4 - f), len, true);
	}
	o->csum_start += (uint16_t)(o->flags ? n - at : 0);
	o->hdr_len += (uint16_t)(o->gso_type ? n - at : 0);
	return len;
}

/* What packet_read() found. */
struct packet_view {
	size_t ip, l4, payload;
	uint8_t version, proto;
};

/* Is it a whole packet of TCP or UDP whose lengths and checksums are right?
 * Behind options, tags and extension headers, wherever they are. */
static inline bool packet_read(const uint8_t *f, size_t len,
			       struct packet_view *v)
{
	size_t at = 12, total;
	uint8_t next;

	*v = (struct packet_view){ 0 };
	while (at + 4 <= len && ((f[at] == 0x81 && !f[at + 1]) ||
				 (f[at] == 0x88 && f[at + 1] == 0xa8)))
		at += 4;
	v->ip = at + 2;
	if (len < v->ip + 20)
		return false;
	v->version = f[v->ip] >> 4;
	if (memcmp(f + at, v->version == 4 ? "\x08" : "\x86\xdd", 2) != 0)
		return false;
	if (v->version == 4) {
		size_t hdr = (f[v->ip] & 15) * 4u;

		total = (size_t)f[v->ip + 2] << 8 | f[v->ip + 3];
		v->proto = f[v->ip + 9];
		v->l4 = v->ip + hdr;
		if (hdr < 20 || total < hdr || v->ip + total != len ||
		    packet_sum(0, f + v->ip, hdr) != 0xffff)
			return false;
	} else {
		if (v->version != 6 || len < v->ip + 40)
			return false;
		total = (size_t)f[v->ip + 4] << 8 | f[v->ip + 5];
		next = f[v->ip + 6];
		v->l4 = v->ip + 40;
		if (v->l4 + total != len)
			return false;
		while (next == 0 || next == 43 || next == 60) {
			if (v->l4 + 8 > len)
				return false;
			next = f[v->l4];
			v->l4 += 8 + (size_t)f[v->l4 + 1] * 8;
		}
		v->proto = next;
	}
	if (v->l4 + 8 > len)
		return false;
	if (v->proto == 17) {
		v->payload = v->l4 + 8;
		if (((size_t)f[v->l4 + 4] << 8 | f[v->l4 + 5]) != len - v->l4 ||
		    (!f[v->l4 + 6] && !f[v->l4 + 7]))
			return false;
	} else {
		if (v->proto != 6 || v->l4 + 20 > len)
			return false;
		v->payload = v->l4 + (f[v->l4 + 12] >> 4) * 4u;
		if (v->payload > len || f[v->l4 + 12] < 0x50)
			return false;
	}
	return packet_sum(packet_pseudo(f + v->ip, v->proto, len - v->l4),
			  f + v->l4, len - v->l4) == 0xffff;
}

#endif
