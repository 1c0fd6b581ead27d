// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/ipsight.h"

#include <string.h>

#include "base/cursor.h"
#include "base/ether.h"
#include "base/inet.h"

#define MAX_TAGS 2
#define ARP_ETHERNET 1

static bool is_tag(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ;
}

/* Of one host: that excludes what stands for none and for many. */
static bool is_host(const struct ipaddr *a)
{
	static const struct ipaddr none;

	if (!memcmp(a->bytes, none.bytes, a->len))
		return false;
	return a->len == 4 ? a->bytes[0] < 224 : a->bytes[0] != 0xff;
}

static bool take_addr(struct ipaddr *a, struct cursor *c, uint8_t len)
{
	const uint8_t *p = cursor_take(c, len);

	if (!p)
		return false;
	*a = (struct ipaddr){ .len = len };
	memcpy(a->bytes, p, len);
	return is_host(a);
}

/* The headers must be there as a whole. */
static bool parse_ipv4(struct ipaddr *a, struct cursor c)
{
	struct cursor whole = c;
	uint8_t first = cursor_u8(&c);

	return first >> 4 == 4 && (first & 15) * 4 >= INET4_HDR_LEN &&
	       cursor_take(&whole, (first & 15) * 4U) &&
	       cursor_take(&c, INET4_ADDRS - 1) && take_addr(a, &c, 4);
}

static bool parse_ipv6(struct ipaddr *a, struct cursor c)
{
	struct cursor whole = c;

	return cursor_u8(&c) >> 4 == 6 && cursor_take(&whole, INET6_HDR_LEN) &&
	       cursor_take(&c, INET6_ADDRS - 1) && take_addr(a, &c, 16);
}

/* RFC 826: of Ethernet and IPv4, a question or an answer. */
static bool parse_arp(struct ipaddr *a, struct cursor c)
{
	bool ours = cursor_be16(&c) == ARP_ETHERNET;

	ours = cursor_be16(&c) == ETHERTYPE_IPV4 && ours;
	ours = cursor_u8(&c) == ETHER_ADDR_LEN && ours;
	ours = cursor_u8(&c) == 4 && ours;
	cursor_be16(&c);
	cursor_take(&c, ETHER_ADDR_LEN);
	return take_addr(a, &c, 4) && ours &&
	       cursor_take(&c, ETHER_ADDR_LEN + 4);
}

bool ipsight_parse(struct ipsight *s, const uint8_t *frame, size_t len)
{
	struct cursor c = { frame, len, false };
	const uint8_t *from;
	uint16_t type;

	cursor_take(&c, ETHER_ADDR_LEN);
	from = cursor_take(&c, ETHER_ADDR_LEN);
	type = cursor_be16(&c);
	for (int i = 0; i < MAX_TAGS && is_tag(type); i++) {
		cursor_be16(&c);
		type = cursor_be16(&c);
	}
	if (c.bad)
		return false;
	s->mac = ether_addr(from);
	switch (type) {
	case ETHERTYPE_IPV4:
		return parse_ipv4(&s->addr, c);
	case ETHERTYPE_IPV6:
		return parse_ipv6(&s->addr, c);
	case ETHERTYPE_ARP:
		return parse_arp(&s->addr, c);
	default:
		return false;
	}
}

/* ---- ranges ---- */

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static uint8_t mask_of(const struct iprange *r, unsigned int byte)
{
	if (r->bits >= (byte + 1) * 8)
		return 0xff;
	if (r->bits <= byte * 8)
		return 0;
	return (uint8_t)(0xff00 >> (r->bits - byte * 8));
}

void iprange_mask(struct iprange *r)
{
	for (unsigned int i = 0; i < r->addr.len; i++)
		r->addr.bytes[i] &= mask_of(r, i);
}

bool iprange_equal(const struct iprange *a, const struct iprange *b)
{
	return a->bits == b->bits && ipaddr_equal(&a->addr, &b->addr);
}

bool iprange_has(const struct iprange *r, const struct ipaddr *a)
{
	if (a->len != r->addr.len)
		return false;
	for (unsigned int i = 0; i < a->len; i++)
		if ((a->bytes[i] & mask_of(r, i)) != r->addr.bytes[i])
			return false;
	return true;
}
