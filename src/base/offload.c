// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/offload.h"

#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8

#define IPV4_MIN 20
#define IPV6_LEN 40
#define TCP_MIN 20
#define UDP_LEN 8

#define PROTO_HOPOPTS 0
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_DSTOPTS 60

#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

static void put_be16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)(v & 0xff);
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)ether_be16(p) << 16 | ether_be16(p + 2);
}

static void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v & 0xffff);
}

/* ---- checksums (RFC 1071) ---- */

/* The ones' complement sum does not care for byte order as long as it is the
 * same everywhere: words are added as this machine reads them. */
static uint64_t sum_bytes(const uint8_t *p, size_t n, uint64_t sum)
{
	uint16_t last = 0;

	for (; n >= 8; p += 8, n -= 8) {
		uint32_t word[2];

		memcpy(word, p, sizeof(word));
		sum += (uint64_t)word[0] + word[1];
	}
	for (; n >= 2; p += 2, n -= 2) {
		memcpy(&last, p, sizeof(last));
		sum += last;
	}
	if (n) {
		last = 0;
		memcpy(&last, p, 1);
		sum += last;
	}
	return sum;
}

/* As the two bytes to be stored. */
static uint16_t fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

/* A sum of 0 is sent as its other form: to UDP 0 means that there is none. */
static void put_csum(uint8_t *field, uint64_t sum)
{
	uint16_t v = fold(sum);

	if (!v)
		v = 0xffff;
	memcpy(field, &v, sizeof(v));
}

bool offload_csum(uint8_t *frame, size_t len, const struct frame_offload *o)
{
	size_t start = o->csum_start, field = start + o->csum_offset;

	if (start < ETHER_HDR_LEN || start >= len || field + 2 > len)
		return false;
	put_csum(frame + field, sum_bytes(frame + start, len - start, 0));
	return true;
}

/* ---- headers ---- */

/* Where the IP header is, 0 for none; *@type tells which. */
static size_t find_ip(const uint8_t *frame, size_t len, uint16_t *type)
{
	size_t at = FRAME_ADDRS;

	for (int tags = 0; tags < 3; tags++, at += ETHER_TAG_LEN) {
		if (at + 2 > len)
			return 0;
		*type = ether_be16(frame + at);
		if (*type != ETHERTYPE_VLAN && *type != ETHERTYPE_QINQ)
			return at + 2;
	}
	return 0;
}

static size_t find_l4_v4(const uint8_t *frame, size_t len, size_t ip,
			 uint8_t *proto)
{
	size_t ihl;

	if (ip + IPV4_MIN > len || frame[ip] >> 4 != 4)
		return 0;
	ihl = (size_t)(frame[ip] & 15) * 4;
	if (ihl < IPV4_MIN || ip + ihl > len)
		return 0;
	*proto = frame[ip + 9];
	return ip + ihl;
}

/* Over the extension headers that may stand in front of a segment. Not over a
 * routing header: it changes the address that the checksum covers. */
static size_t find_l4_v6(const uint8_t *frame, size_t len, size_t ip,
			 uint8_t *proto)
{
	size_t at = ip + IPV6_LEN;

	if (at > len || frame[ip] >> 4 != 6)
		return 0;
	*proto = frame[ip + 6];
	while (*proto == PROTO_HOPOPTS || *proto == PROTO_DSTOPTS) {
		if (at + 8 > len)
			return 0;
		*proto = frame[at];
		at += 8 + (size_t)frame[at + 1] * 8;
	}
	return at <= len ? at : 0;
}

/* The offset of the payload, 0 if the header is not whole. */
static size_t find_payload(const uint8_t *frame, size_t len, size_t l4,
			   bool udp)
{
	size_t hdr = UDP_LEN;

	if (l4 + (udp ? UDP_LEN : TCP_MIN) > len)
		return 0;
	if (!udp)
		hdr = (size_t)(frame[l4 + 12] >> 4) * 4;
	return (udp || hdr >= TCP_MIN) && l4 + hdr <= len ? l4 + hdr : 0;
}

static bool known_type(const struct frame_offload *o, uint16_t ethertype)
{
	switch (o->gso_type & ~FRAME_GSO_ECN) {
	case FRAME_GSO_TCPV4:
		return ethertype == ETHERTYPE_IPV4;
	case FRAME_GSO_TCPV6:
		return ethertype == ETHERTYPE_IPV6;
	case FRAME_GSO_UDP_L4:
		return ethertype == ETHERTYPE_IPV4 ||
		       ethertype == ETHERTYPE_IPV6;
	default:
		return false;
	}
}

bool offload_cut_start(struct offload_cut *c, const uint8_t *frame, size_t len,
		       const struct frame_offload *o)
{
	uint8_t proto = 0;
	uint16_t type = 0;

	*c = (struct offload_cut){ .frame = frame,
				   .len = len,
				   .step = o->gso_size,
				   .ecn = o->gso_type & FRAME_GSO_ECN };
	c->ip = find_ip(frame, len, &type);
	if (!c->ip || !o->gso_size || !known_type(o, type))
		return false;
	c->v6 = type == ETHERTYPE_IPV6;
	c->udp = (o->gso_type & ~FRAME_GSO_ECN) == FRAME_GSO_UDP_L4;
	c->l4 = c->v6 ? find_l4_v6(frame, len, c->ip, &proto)
		      : find_l4_v4(frame, len, c->ip, &proto);
	if (!c->l4 || proto != (c->udp ? PROTO_UDP : PROTO_TCP))
		return false;
	c->payload = find_payload(frame, len, c->l4, c->udp);
	c->pos = c->payload;
	return c->payload && c->payload < len &&
	       offload_cut_max(c) - c->ip <= UINT16_MAX;
}

size_t offload_cut_max(const struct offload_cut *c)
{
	return c->payload + size_min(c->step, c->len - c->payload);
}

/* ---- one segment ---- */

static void finish_ip(const struct offload_cut *c, uint8_t *out, size_t len)
{
	uint8_t *ip = out + c->ip;
	uint16_t csum;

	if (c->v6) {
		put_be16(ip + 4, (unsigned int)(len - c->ip - IPV6_LEN));
		return;
	}
	put_be16(ip + 2, (unsigned int)(len - c->ip));
	put_be16(ip + 4, (ether_be16(ip + 4) + c->index) & 0xffff);
	memset(ip + 10, 0, 2);
	csum = fold(sum_bytes(ip, (size_t)(ip[0] & 15) * 4, 0));
	memcpy(ip + 10, &csum, sizeof(csum));
}

/* FIN and PSH belong to the last byte, CWR to the first one. */
static void finish_tcp(const struct offload_cut *c, uint8_t *out, bool last)
{
	uint8_t *tcp = out + c->l4;

	put_be32(tcp + 4, get_be32(tcp + 4) + (uint32_t)(c->pos - c->payload));
	if (!last)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (c->ecn && c->index)
		tcp[13] &= (uint8_t)~TCP_CWR;
}

/* Over pseudo header, header and payload. */
static void finish_csum(const struct offload_cut *c, uint8_t *out, size_t len)
{
	uint8_t pseudo[8] = { 0 };
	uint8_t *field = out + c->l4 + (c->udp ? 6 : 16);
	size_t addrs = c->v6 ? 32 : 8;
	uint64_t sum;

	put_be32(pseudo, (uint32_t)(len - c->l4));
	pseudo[7] = c->udp ? PROTO_UDP : PROTO_TCP;
	memset(field, 0, 2);
	sum = sum_bytes(out + c->ip + (c->v6 ? 8 : 12), addrs, 0);
	sum = sum_bytes(pseudo, sizeof(pseudo), sum);
	put_csum(field, sum_bytes(out + c->l4, len - c->l4, sum));
}

size_t offload_cut_next(struct offload_cut *c, uint8_t *out)
{
	size_t n = size_min(c->step, c->len - c->pos);
	size_t len = c->payload + n;

	if (!n)
		return 0;
	memcpy(out, c->frame, c->payload);
	memcpy(out + c->payload, c->frame + c->pos, n);
	finish_ip(c, out, len);
	if (c->udp)
		put_be16(out + c->l4 + 4, (unsigned int)(len - c->l4));
	else
		finish_tcp(c, out, c->pos + n == c->len);
	finish_csum(c, out, len);
	c->pos += n;
	c->index++;
	return len;
}
