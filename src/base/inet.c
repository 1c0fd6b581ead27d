// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/inet.h"

#include "base/cursor.h"

#define TAGS_MAX 2

#define IPV6_HOP 0
#define IPV6_ROUTING 43
#define IPV6_FRAGMENT 44
#define IPV6_DEST 60

static bool read_ipv4(struct inet *in, struct cursor *c)
{
	const uint8_t *ip = cursor_take(c, INET4_HDR_LEN);
	size_t len;

	if (!ip || ip[0] >> 4 != 4)
		return false;
	len = (ip[0] & 15) * 4u;
	if (len < INET4_HDR_LEN || !cursor_take(c, len - INET4_HDR_LEN))
		return false;
	in->version = 4;
	in->options = len > INET4_HDR_LEN;
	in->fragment = ether_be16(ip + INET4_FRAG) & INET4_FRAGMENT;
	in->proto = ip[9];
	in->l4 = (uint16_t)(in->l3 + len);
	return true;
}

/* Extension headers that end the frame leave l4 at 0. */
static bool read_ipv6(struct inet *in, struct cursor *c)
{
	const uint8_t *ip = cursor_take(c, INET6_HDR_LEN), *ext;
	size_t l4 = in->l3 + (size_t)INET6_HDR_LEN, len;
	uint8_t next;

	if (!ip || ip[0] >> 4 != 6)
		return false;
	in->version = 6;
	next = ip[6];
	while ((next == IPV6_HOP && !in->options) || next == IPV6_ROUTING ||
	       next == IPV6_DEST) {
		in->options = true;
		ext = cursor_take(c, 8);
		if (!ext)
			return true;
		len = 8 * (size_t)ext[1];
		if (!cursor_take(c, len))
			return true;
		next = ext[0];
		l4 += 8 + len;
	}
	in->fragment = next == IPV6_FRAGMENT;
	in->proto = next;
	if (l4 <= UINT16_MAX)
		in->l4 = (uint16_t)l4;
	return true;
}

static void read_transport(struct inet *in, struct cursor *c)
{
	const uint8_t *p;
	size_t len = UDP_HDR_LEN;

	if (!in->l4 || in->fragment)
		return;
	if (in->proto == INET_TCP) {
		p = cursor_take(c, TCP_HDR_LEN);
		if (!p)
			return;
		len = (p[TCP_DOFF] >> 4) * 4u;
		if (len < TCP_HDR_LEN || !cursor_take(c, len - TCP_HDR_LEN))
			return;
	} else if (in->proto != INET_UDP || !cursor_take(c, UDP_HDR_LEN)) {
		return;
	}
	if (in->l4 + len <= UINT16_MAX)
		in->payload = (uint16_t)(in->l4 + len);
}

static bool read_packet(struct inet *in, struct cursor *c, uint16_t type)
{
	if (type == ETHERTYPE_IPV4) {
		if (!read_ipv4(in, c))
			return false;
	} else if (type == ETHERTYPE_IPV6) {
		if (!read_ipv6(in, c))
			return false;
	} else {
		return true;
	}
	read_transport(in, c);
	return true;
}

bool inet_parse(struct inet *in, const uint8_t *frame, size_t len)
{
	struct cursor c = { frame, len, false };
	uint16_t type;

	*in = (struct inet){ .l3 = ETHER_HDR_LEN };
	cursor_take(&c, (size_t)2 * ETHER_ADDR_LEN);
	type = cursor_be16(&c);
	for (int i = 0;
	     i < TAGS_MAX && (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ);
	     i++) {
		in->l3 += ETHER_TAG_LEN;
		cursor_take(&c, 2);
		type = cursor_be16(&c);
	}
	if (c.bad)
		return false;
	return read_packet(in, &c, type);
}

bool inet_parse_ip(struct inet *in, const uint8_t *packet, size_t len)
{
	struct cursor c = { packet, len, false };
	uint8_t version = len ? packet[0] >> 4 : 0;

	*in = (struct inet){ 0 };
	if (version != 4 && version != 6)
		return false;
	return read_packet(in, &c,
			   version == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
}
