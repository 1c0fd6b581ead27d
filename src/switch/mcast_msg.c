// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/mcast_msg.h"

#include "base/csum.h"
#include "base/inet.h"

#define MSEC UINT64_C(1000000)
#define SEC (1000 * MSEC)

/* Protocols of IP. */
#define PROTO_HOP 0
#define PROTO_IGMP 2
#define PROTO_ICMP6 58
#define PROTO_PIM 103

/* Types of IGMP. */
#define IGMP_QUERY 0x11
#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_LEAVE 0x17
#define IGMP_V3_REPORT 0x22
#define IGMP_ADVERTISEMENT 0x30 /* RFC 4286, section 3.1 */
#define IGMP_LEN 8

/* Types of ICMPv6. */
#define MLD_QUERY 130
#define MLD_REPORT 131
#define MLD_DONE 132
#define MLD_V2_REPORT 143
#define MLD_ADVERTISEMENT 151
#define MLD_LEN 24
#define MLD_V2_QUERY_LEN 28

#define PIM_HELLO 0x20 /* version and type */
#define PIM_LEN 4

/* Types of records, RFC 3376, 4.2.12. */
#define IS_INCLUDE 1
#define IS_EXCLUDE 2
#define TO_INCLUDE 3
#define TO_EXCLUDE 4
#define ALLOW 5
#define BLOCK 6

#define ALL_HOSTS 0xe0000001
#define ALL_PIM 0xe000000d
#define ALL_NODES6 ((struct mcast_addr){ UINT64_C(0xff02) << 48, 1 })
#define ALL_PIM6 ((struct mcast_addr){ UINT64_C(0xff02) << 48, 13 })

#define HOP_OPTIONS 8 /* bytes of that header of IPv6 */

static struct mcast_addr addr4(const uint8_t *p)
{
	return (struct mcast_addr){ 0, ether_be32(p) };
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)ether_be32(p) << 32 | ether_be32(p + 4);
}

static struct mcast_addr addr6(const uint8_t *p)
{
	return (struct mcast_addr){ be64(p), be64(p + 8) };
}

/* ---- which group ---- */

/* RFC 1112, 6.4; RFC 2464, section 7 */
uint64_t mcast_mac(struct mcast_addr group)
{
	if (group.hi)
		return UINT64_C(0x333300000000) | (group.lo & UINT32_MAX);
	return UINT64_C(0x01005e000000) | (group.lo & 0x7fffff);
}

static bool is_multicast4(struct mcast_addr a)
{
	return a.lo >> 28 == 0xe;
}

static bool is_multicast6(struct mcast_addr a)
{
	return a.hi >> 56 == 0xff;
}

/* 224.0.0.0/24 belongs to the link (RFC 4541, 2.1.2 (2)). Of IPv6 nobody
 * reports ff02::1, nor what never leaves a host: scopes 0 and 1 (RFC 2710,
 * section 5); groups of link scope are reported as all others are. */
bool mcast_is_group(struct mcast_addr a, bool v6)
{
	if (!v6)
		return !a.hi && is_multicast4(a) && a.lo >> 8 != 0xe00000;
	return is_multicast6(a) && (a.hi >> 48 & 15) > 1 &&
	       !mcast_addr_is(a, ALL_NODES6);
}

static enum mcast_class classify4(const uint8_t *ip, size_t len,
				  struct mcast_addr *group)
{
	if (len < INET4_HDR_LEN || ip[0] >> 4 != 4)
		return MCAST_FOREIGN;
	*group = addr4(ip + INET4_ADDRS + 4);
	if (!is_multicast4(*group))
		return MCAST_FOREIGN;
	if (ip[9] == PROTO_IGMP || (ip[9] == PROTO_PIM && group->lo == ALL_PIM))
		return ether_be16(ip + INET4_FRAG) & INET4_FRAGMENT
			       ? MCAST_FOREIGN
			       : MCAST_CONTROL;
	return mcast_is_group(*group, false) ? MCAST_DATA : MCAST_LINK;
}

static bool is_mld(const uint8_t *icmp, size_t len)
{
	if (!len)
		return false;
	return (icmp[0] >= MLD_QUERY && icmp[0] <= MLD_DONE) ||
	       icmp[0] == MLD_V2_REPORT || icmp[0] == MLD_ADVERTISEMENT;
}

/* ICMPv6 is more than MLD, neighbour discovery above all: only what is meant
 * for routers and switches is looked into (RFC 4541, section 3). */
static bool is_control6(const uint8_t *ip, size_t len, struct mcast_addr group)
{
	const uint8_t *next = ip + INET6_HDR_LEN;
	uint8_t proto = ip[6];
	size_t hop;

	len -= INET6_HDR_LEN;
	if (proto == PROTO_HOP) {
		if (len < HOP_OPTIONS)
			return false;
		proto = next[0];
		hop = HOP_OPTIONS + 8 * (size_t)next[1];
		if (len < hop)
			return false;
		next += hop;
		len -= hop;
	}
	if (proto == PROTO_PIM)
		return mcast_addr_is(group, ALL_PIM6);
	return proto == PROTO_ICMP6 && is_mld(next, len);
}

static enum mcast_class classify6(const uint8_t *ip, size_t len,
				  struct mcast_addr *group)
{
	if (len < INET6_HDR_LEN || ip[0] >> 4 != 6)
		return MCAST_FOREIGN;
	*group = addr6(ip + INET6_ADDRS + 16);
	if (!is_multicast6(*group))
		return MCAST_FOREIGN;
	if (is_control6(ip, len, *group))
		return MCAST_CONTROL;
	return mcast_is_group(*group, true) ? MCAST_DATA : MCAST_LINK;
}

enum mcast_class mcast_classify(const uint8_t *frame, size_t len,
				struct mcast_addr *group)
{
	enum mcast_class class = MCAST_FOREIGN;
	uint16_t type;

	if (len < ETHER_HDR_LEN)
		return MCAST_FOREIGN;
	type = ether_be16(frame + ETHER_HDR_LEN - 2);
	if (type == ETHERTYPE_IPV4)
		class = classify4(frame + ETHER_HDR_LEN, len - ETHER_HDR_LEN,
				  group);
	else if (type == ETHERTYPE_IPV6)
		class = classify6(frame + ETHER_HDR_LEN, len - ETHER_HDR_LEN,
				  group);
	/* Hosts would take it for another group than the switch does. */
	if (class != MCAST_FOREIGN && ether_addr(frame) != mcast_mac(*group))
		return MCAST_FOREIGN;
	return class;
}

/* ---- messages ---- */

/* The packet around a message. */
struct packet {
	struct mcast_addr to;
	uint8_t proto;
	uint8_t hops;
	uint64_t pseudo; /* sum of the pseudo-header */
	struct cursor body;
};

static bool read_ip4(struct packet *k, struct mcast_msg *m, struct cursor *c)
{
	const uint8_t *ip = c->p;
	size_t hdr, len;

	if (!cursor_take(c, INET4_HDR_LEN))
		return false;
	hdr = (ip[0] & 15) * 4u;
	len = ether_be16(ip + INET4_LEN);
	if (hdr < INET4_HDR_LEN || len < hdr || len - INET4_HDR_LEN > c->left ||
	    csum_finish(csum_sum(ip, hdr)) != 0)
		return false;
	m->source = addr4(ip + INET4_ADDRS);
	k->to = addr4(ip + INET4_ADDRS + 4);
	k->proto = ip[9];
	k->hops = ip[INET4_TTL];
	k->body = (struct cursor){ ip + hdr, len - hdr, false };
	return true;
}

/* A hop-by-hop header and nothing else may stand before the message. */
static bool read_ip6(struct packet *k, struct mcast_msg *m, struct cursor *c)
{
	const uint8_t *ip = c->p, *hop;

	if (!cursor_take(c, INET6_HDR_LEN) ||
	    ether_be16(ip + INET6_LEN) > c->left)
		return false;
	m->source = addr6(ip + INET6_ADDRS);
	k->to = addr6(ip + INET6_ADDRS + 16);
	k->proto = ip[6];
	k->hops = ip[7];
	k->body = (struct cursor){ c->p, ether_be16(ip + INET6_LEN), false };
	if (k->proto == PROTO_HOP) {
		hop = cursor_take(&k->body, HOP_OPTIONS);
		if (!hop || !cursor_take(&k->body, 8 * (size_t)hop[1]))
			return false;
		k->proto = hop[0];
	}
	k->pseudo = csum_sum(ip + INET6_ADDRS, 32) + csum_num(k->proto) +
		    csum_num((uint16_t)k->body.left);
	return true;
}

/* Three bits of exponent above @mant bits of mantissa (RFC 3376, 4.1.1; RFC
 * 3810, 5.1.3). */
static uint32_t decode(uint32_t code, unsigned int mant)
{
	uint32_t one = UINT32_C(1) << mant;

	if (!(code >> (mant + 3)))
		return code;
	return ((code & (one - 1)) | one) << ((code >> mant & 7) + 3);
}

/* Behind a query's group, in the newer versions. */
static void read_details(struct mcast_msg *m, struct cursor *c)
{
	uint8_t flags = cursor_u8(c);

	m->interval = decode(cursor_u8(c), 4) * SEC;
	m->sources = cursor_be16(c) != 0;
	m->robustness = flags & 7;
	m->suppress = flags & 8;
}

/* The version is told by the length (RFC 3376, 7.1; RFC 3810, 8.1). */
static void read_query4(struct mcast_msg *m, struct cursor *c, uint8_t code)
{
	size_t len = c->left;
	const uint8_t *group = cursor_take(c, 4);

	if (!group)
		return;
	m->kind = MCAST_QUERY;
	m->group = addr4(group);
	if (len > 4) {
		m->version = 3;
		m->max_resp = decode(code, 4) * 100 * MSEC;
		read_details(m, c);
	} else {
		/* A code of 0 is IGMPv1: its queries are general ones and
		 * mean 10 s (RFC 2236, section 4). */
		m->version = code ? 2 : 1;
		m->max_resp = (code ? code : 100) * 100 * MSEC;
		if (!code)
			m->group = (struct mcast_addr){ 0, 0 };
	}
}

static void read_query6(struct mcast_msg *m, struct cursor *c, size_t len)
{
	uint16_t code = cursor_be16(c);
	const uint8_t *group;

	cursor_be16(c);
	group = cursor_take(c, 16);
	if (!group || (len != MLD_LEN && len < MLD_V2_QUERY_LEN)) {
		c->bad = true;
		return;
	}
	m->kind = MCAST_QUERY;
	m->group = addr6(group);
	m->version = 1;
	m->max_resp = code * MSEC;
	if (len >= MLD_V2_QUERY_LEN) {
		m->version = 2;
		m->max_resp = decode(code, 12) * MSEC;
		read_details(m, c);
	}
}

static bool take_record(struct cursor *c, bool v6, const uint8_t **r)
{
	size_t addr = v6 ? 16 : 4;

	*r = cursor_take(c, 4 + addr);
	return *r && cursor_take(c, addr * ether_be16(*r + 2)) &&
	       cursor_take(c, 4 * (size_t)(*r)[1]);
}

/* The records of an IGMPv3 or MLDv2 report; all of them must be there. What
 * follows is for the future (RFC 3376, 4.2.11). */
static void read_records(struct mcast_msg *m, struct cursor *c)
{
	const uint8_t *r;

	cursor_be16(c);
	m->kind = MCAST_REPORT;
	m->n_records = cursor_be16(c);
	m->records = *c;
	for (unsigned int i = 0; i < m->n_records; i++)
		if (!take_record(c, m->v6, &r))
			return;
}

/* One group, as the older versions have. */
static void read_group(struct mcast_msg *m, struct cursor *c,
		       enum mcast_kind kind)
{
	const uint8_t *group = cursor_take(c, m->v6 ? 16 : 4);

	if (!group)
		return;
	m->kind = kind;
	m->group = m->v6 ? addr6(group) : addr4(group);
	m->n_records = 1;
}

/* A host would not answer a query that was sent elsewhere, nor hear of a
 * report (RFC 3376, 4.1.12 and 4.2.14; RFC 2236, section 9). */
static bool is_sent_well(const struct mcast_msg *m, struct mcast_addr to)
{
	struct mcast_addr hosts = m->v6 ? ALL_NODES6
					: (struct mcast_addr){ 0, ALL_HOSTS };

	if (m->kind == MCAST_QUERY)
		return mcast_addr_is(
			to, mcast_addr_is_none(m->group) ? hosts : m->group);
	if (m->kind == MCAST_REPORT && m->version < (m->v6 ? 2 : 3))
		return mcast_addr_is(to, m->group);
	return true;
}

static void read_igmp(struct mcast_msg *m, struct packet *k)
{
	struct cursor *c = &k->body;
	uint8_t type, code;

	if (c->left < IGMP_LEN || csum_finish(csum_sum(c->p, c->left)) != 0) {
		m->kind = MCAST_BROKEN;
		return;
	}
	type = cursor_u8(c);
	code = cursor_u8(c);
	cursor_be16(c);
	if (type == IGMP_QUERY) {
		read_query4(m, c, code);
	} else if (type == IGMP_V1_REPORT || type == IGMP_V2_REPORT) {
		m->version = type == IGMP_V1_REPORT ? 1 : 2;
		read_group(m, c, MCAST_REPORT);
	} else if (type == IGMP_LEAVE) {
		m->version = 2;
		read_group(m, c, MCAST_LEAVE);
	} else if (type == IGMP_V3_REPORT) {
		m->version = 3;
		read_records(m, c);
	} else if (type == IGMP_ADVERTISEMENT) {
		m->kind = MCAST_ROUTER;
	}
	/* Unknown types may have come from anywhere, and be for anybody. */
	if (m->kind != MCAST_OTHER &&
	    (c->bad || k->hops != 1 || !is_sent_well(m, k->to)))
		m->kind = MCAST_BROKEN;
}

/* A sender without address yet uses "::", which MLDv2 allows in reports (RFC
 * 3810, 5.2.13) and RFC 4541, section 3 in queries of switches. */
static bool is_on_link(struct mcast_addr source)
{
	return source.hi >> 54 == 0xfe80 >> 6 || mcast_addr_is_none(source);
}

static void read_mld(struct mcast_msg *m, struct packet *k)
{
	struct cursor *c = &k->body;
	size_t len = c->left;
	uint8_t type;

	if (csum_finish(k->pseudo + csum_sum(c->p, len)) != 0) {
		m->kind = MCAST_BROKEN;
		return;
	}
	type = cursor_u8(c);
	cursor_u8(c);
	cursor_be16(c);
	m->version = 1;
	if (type == MLD_QUERY) {
		read_query6(m, c, len);
	} else if (type == MLD_REPORT || type == MLD_DONE) {
		cursor_take(c, 4);
		read_group(m, c,
			   type == MLD_REPORT ? MCAST_REPORT : MCAST_LEAVE);
	} else if (type == MLD_V2_REPORT) {
		m->version = 2;
		read_records(m, c);
	} else if (type == MLD_ADVERTISEMENT) {
		m->kind = MCAST_ROUTER;
	}
	if (c->bad || k->hops != 1 || !is_on_link(m->source) ||
	    !is_sent_well(m, k->to))
		m->kind = MCAST_BROKEN;
}

/* All of the message is summed, or, if it is a register, its head: not a
 * hello (RFC 7761, 4.9). */
static void read_pim(struct mcast_msg *m, struct packet *k)
{
	struct cursor *c = &k->body;

	if (c->left < PIM_LEN ||
	    csum_finish(k->pseudo + csum_sum(c->p, c->left)) != 0)
		m->kind = MCAST_BROKEN;
	else if (c->p[0] == PIM_HELLO)
		m->kind = MCAST_ROUTER;
}

void mcast_parse(struct mcast_msg *m, const uint8_t *frame, size_t len)
{
	struct cursor c = { frame, len, false };
	struct packet k = { .pseudo = 0 };

	*m = (struct mcast_msg){ .kind = MCAST_OTHER };
	cursor_take(&c, ETHER_HDR_LEN - 2);
	m->v6 = cursor_be16(&c) == ETHERTYPE_IPV6;
	if (!(m->v6 ? read_ip6(&k, m, &c) : read_ip4(&k, m, &c)))
		m->kind = MCAST_BROKEN;
	else if (k.proto == PROTO_IGMP)
		read_igmp(m, &k);
	else if (k.proto == PROTO_ICMP6)
		read_mld(m, &k);
	else if (k.proto == PROTO_PIM)
		read_pim(m, &k);
}

static enum mcast_means meaning(uint8_t type, bool sources)
{
	switch (type) {
	case IS_EXCLUDE:
	case TO_EXCLUDE:
		return MCAST_JOIN;
	case TO_INCLUDE:
		return sources ? MCAST_JOIN : MCAST_GONE;
	case IS_INCLUDE:
	case ALLOW:
		return sources ? MCAST_JOIN : MCAST_NOTHING;
	case BLOCK:
		return sources ? MCAST_LESS : MCAST_NOTHING;
	default: /* to be ignored (RFC 3376, 4.2.12) */
		return MCAST_NOTHING;
	}
}

bool mcast_next_record(struct mcast_msg *m, struct mcast_addr *group,
		       enum mcast_means *means)
{
	const uint8_t *r;

	if (!m->n_records)
		return false;
	m->n_records--;
	if (m->version < (m->v6 ? 2 : 3)) {
		*group = m->group;
		*means = m->kind == MCAST_LEAVE ? MCAST_GONE : MCAST_JOIN;
		return true;
	}
	if (!take_record(&m->records, m->v6, &r))
		return false;
	*group = m->v6 ? addr6(r + 4) : addr4(r + 4);
	*means = meaning(r[0], ether_be16(r + 2));
	return true;
}
