// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queries of this switch, as frames.
 */
#include "base/csum.h"
#include "base/inet.h"
#include "switch/mcast_msg.h"

#define PROTO_HOP 0
#define PROTO_IGMP 2
#define PROTO_ICMP6 58
#define IGMP_QUERY 0x11
#define MLD_QUERY 130
#define IGMP_QUERY_LEN 12
#define MLD_QUERY_LEN 28
#define IGMP_HDR_LEN (INET4_HDR_LEN + ROUTER_ALERT)
#define ROUTER_ALERT 4 /* bytes of options of IPv4 */
#define HOP_OPTIONS 8 /* bytes of that header of IPv6 */
#define ALL_HOSTS 0xe0000001
#define ALL_NODES6 ((struct mcast_addr){ UINT64_C(0xff02) << 48, 1 })

static uint8_t *put(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = n; i > 0; i--, v >>= 8)
		p[i - 1] = v & 0xff;
	return p + n;
}

static uint8_t *put_addr(uint8_t *p, struct mcast_addr a)
{
	p = put(p, a.hi, 8);
	return put(p, a.lo, 8);
}

/* The largest code that means no more than @v. */
static uint32_t encode(uint32_t v, unsigned int mant)
{
	uint32_t one = UINT32_C(1) << mant, exp = 0;

	if (v < one << 3)
		return v;
	while (exp < 7 && v >> (exp + 3) >= 2 * one)
		exp++;
	v >>= exp + 3;
	if (v >= 2 * one)
		v = 2 * one - 1;
	return one << 3 | exp << mant | (v & (one - 1));
}

/* From the group on, RFC 3376, 4.1 and RFC 3810, 5.1 are alike. */
static uint8_t *put_details(uint8_t *p, const struct mcast_query *q)
{
	p = put(p, q->robustness & 7, 1);
	p = put(p, encode(q->interval_s, 4), 1);
	return put(p, 0, 2);
}

struct mcast_addr mcast_link_local(uint64_t mac)
{
	uint64_t high = mac >> 24, low = mac & 0xffffff;

	return (struct mcast_addr){ UINT64_C(0xfe80) << 48,
				    (high << 40 | UINT64_C(0xfffe) << 24 |
				     low) ^ UINT64_C(0x02) << 56 };
}

static size_t write_query6(const struct mcast_query *q, uint8_t *frame)
{
	bool general = mcast_addr_is_none(q->group);
	struct mcast_addr to = general ? ALL_NODES6 : q->group;
	uint8_t *ip = frame + ETHER_HDR_LEN;
	uint8_t *p = put(ip, UINT64_C(6) << 28, 4), *mld;

	put(frame, mcast_mac(to), ETHER_ADDR_LEN);
	p = put(p, HOP_OPTIONS + MLD_QUERY_LEN, 2);
	p = put(p, PROTO_HOP, 1);
	p = put(p, 1, 1);
	p = put_addr(p, mcast_link_local(q->mac));
	p = put_addr(p, to);
	p = put(p, (uint64_t)PROTO_ICMP6 << 8, 2);
	p = put(p, UINT64_C(0x050200000100), 6); /* router alert, padding */
	mld = p;
	p = put(p, (uint32_t)MLD_QUERY << 24, 4);
	p = put(p, encode(q->max_resp_ms, 12), 2);
	p = put(p, 0, 2);
	p = put_addr(p, q->group);
	p = put_details(p, q);
	csum_put(mld + 2,
		 csum_finish(csum_sum(ip + INET6_ADDRS, 32) +
			     csum_num(PROTO_ICMP6) + csum_num(MLD_QUERY_LEN) +
			     csum_sum(mld, MLD_QUERY_LEN)));
	return (size_t)(p - frame);
}

static size_t write_query4(const struct mcast_query *q, uint8_t *frame)
{
	uint32_t group = (uint32_t)q->group.lo, to = group ? group : ALL_HOSTS;
	uint8_t *ip = frame + ETHER_HDR_LEN, *igmp;
	uint8_t *p = put(ip, 0x46c0, 2); /* internetwork control */

	put(frame, mcast_mac((struct mcast_addr){ 0, to }), ETHER_ADDR_LEN);
	p = put(p, IGMP_HDR_LEN + IGMP_QUERY_LEN, 2);
	p = put(p, INET4_DF, 4); /* no id */
	p = put(p, 1 << 8 | PROTO_IGMP, 2);
	p = put(p, 0, 2);
	p = put(p, q->source4, 4);
	p = put(p, to, 4);
	p = put(p, 0x94040000, ROUTER_ALERT);
	csum_put(ip + INET4_CSUM, csum_finish(csum_sum(ip, (size_t)(p - ip))));
	igmp = p;
	p = put(p, IGMP_QUERY, 1);
	p = put(p, encode(q->max_resp_ms / 100, 4), 1);
	p = put(p, 0, 2);
	p = put(p, group, 4);
	p = put_details(p, q);
	csum_put(igmp + 2, csum_finish(csum_sum(igmp, (size_t)(p - igmp))));
	while (p < frame + ETHER_MIN_LEN)
		*p++ = 0;
	return (size_t)(p - frame);
}

size_t mcast_write_query(const struct mcast_query *q,
			 uint8_t frame[static MCAST_QUERY_MAX])
{
	put(frame + ETHER_ADDR_LEN, q->mac, ETHER_ADDR_LEN);
	put(frame + ETHER_HDR_LEN - 2, q->v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4,
	    2);
	return q->v6 ? write_query6(q, frame) : write_query4(q, frame);
}
