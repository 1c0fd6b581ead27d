// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/tunnel.h"

#include "base/csum.h"

#define PROTO_IPV4 4
#define PROTO_IPV6 41
#define PROTO_GRE 47

#define VXLAN_HDR_LEN 8 /* Geneve's, too, without options */
#define GENEVE_VERSION 0xc0
#define GENEVE_WORDS 0x3f /* of options */
#define GRE_HDR_LEN 4
#define GRE_KEY 0x2000 /* 4 bytes more, the same in all packets */
#define GRE_ETHERNET 0x6558

/* What is looked at, and what was found. */
struct search {
	const uint8_t *frame;
	size_t have, len, l4;
	struct inet *inner;
	int found;
};

static bool lengths_agree(const struct inet *in, const uint8_t *frame,
			  size_t len)
{
	const uint8_t *ip = frame + in->l3;

	len -= in->l3;
	if (in->version == 4)
		return ether_be16(ip + INET4_LEN) == len;
	return ether_be16(ip + INET6_LEN) + (size_t)INET6_HDR_LEN == len;
}

static bool is_whole(const struct inet *in, const uint8_t *frame, size_t len)
{
	if (!in->version || !in->l4 || in->fragment ||
	    !lengths_agree(in, frame, len))
		return false;
	return in->proto != INET_UDP ||
	       (in->payload &&
		ether_be16(frame + in->l4 + UDP_LEN) == len - in->l4);
}

/* Is it at @at, behind an Ethernet header of its own or not? */
static void look(struct search *s, size_t at, bool ether)
{
	struct inet in;

	if (at >= s->have)
		return;
	if (ether ? !inet_parse(&in, s->frame + at, s->have - at)
		  : !inet_parse_ip(&in, s->frame + at, s->have - at))
		return;
	if (!in.payload || in.l4 + at != s->l4)
		return;
	in.l3 += (uint16_t)at;
	in.l4 += (uint16_t)at;
	in.payload += (uint16_t)at;
	if (!is_whole(&in, s->frame, s->len))
		return;
	if (in.version == 4 &&
	    csum_fold(csum_sum(s->frame + in.l3, (size_t)(in.l4 - in.l3))) !=
		    0xffff)
		return;
	*s->inner = in;
	s->found++;
}

static void look_behind_udp(struct search *s, size_t at)
{
	uint8_t first;
	size_t options;

	if (at >= s->have)
		return;
	first = s->frame[at];
	options = first & GENEVE_VERSION ? 0 : (first & GENEVE_WORDS) * 4u;
	look(s, at, false);
	at += VXLAN_HDR_LEN;
	look(s, at, true);
	look(s, at, false);
	if (!options)
		return;
	look(s, at + options, true);
	look(s, at + options, false);
}

static void look_behind_gre(struct search *s, size_t at)
{
	uint16_t flags, type;

	if (at + GRE_HDR_LEN > s->have)
		return;
	flags = ether_be16(s->frame + at);
	type = ether_be16(s->frame + at + 2);
	if (flags & ~GRE_KEY)
		return;
	at += GRE_HDR_LEN + (flags ? 4u : 0);
	if (type == GRE_ETHERNET)
		look(s, at, true);
	else if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6)
		look(s, at, false);
}

bool tunnel_enter(struct inet *inner, const struct inet *outer,
		  const uint8_t *frame, size_t have, size_t len, size_t l4)
{
	struct search s = { frame, have, len, l4, inner, 0 };

	if (!is_whole(outer, frame, len))
		return false;
	if (outer->proto == INET_UDP)
		look_behind_udp(&s, outer->payload);
	else if (outer->proto == PROTO_GRE)
		look_behind_gre(&s, outer->l4);
	else if (outer->proto == PROTO_IPV4 || outer->proto == PROTO_IPV6)
		look(&s, outer->l4, false);
	return s.found == 1;
}
