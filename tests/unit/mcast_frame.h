/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of IGMP and MLD, and multicast data, made byte by byte; sums are
 * packet.h's, which has nothing in common with src/base.
 */
#ifndef TESTS_MCAST_FRAME_H
#define TESTS_MCAST_FRAME_H

#include "packet.h"
#include "switch/mcast_msg.h"

#define MF_MAX 9300
#define MF_ALERT4 4 /* bytes of options */
#define MF_IP4 (14 + 20 + MF_ALERT4) /* where a message begins */
#define MF_IP6 (14 + 40 + 8)

struct mf {
	uint8_t bytes[MF_MAX];
	size_t len;
};

static inline void mf_put(uint8_t *p, uint64_t v, size_t n)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static inline void mf_addr(uint8_t *p, struct mcast_addr a)
{
	mf_put(p, a.hi, 8);
	mf_put(p + 8, a.lo, 8);
}

static inline struct mcast_addr mf_v4(uint32_t a)
{
	return (struct mcast_addr){ 0, a };
}

/* ff02::@low, or another @hi */
static inline struct mcast_addr mf_v6(uint64_t hi, uint64_t low)
{
	return (struct mcast_addr){ hi, low };
}

#define MF_LL UINT64_C(0xfe80000000000000)
#define MF_FF02 UINT64_C(0xff02000000000000)
#define MF_FF0E UINT64_C(0xff0e000000000000)

static inline void mf_ether(struct mf *f, struct mcast_addr dst, uint16_t type)
{
	f->bytes[0] = dst.hi ? 0x33 : 1;
	f->bytes[1] = dst.hi ? 0x33 : 0;
	mf_put(f->bytes + 2, dst.lo, 4);
	if (!dst.hi) {
		f->bytes[2] = 0x5e;
		f->bytes[3] &= 0x7f;
	}
	mf_put(f->bytes + 6, UINT64_C(0x020000000001), 6);
	mf_put(f->bytes + 12, type, 2);
}

/* Sets the checksums of what is there. */
static inline void mf_seal4(struct mf *f)
{
	uint8_t *ip = f->bytes + 14;
	size_t hdr = (ip[0] & 15) * 4u;

	packet_be16(ip + 10, 0);
	packet_be16(ip + 10, ~packet_sum(0, ip, hdr) & 0xffff);
	packet_be16(ip + hdr + 2, 0);
	packet_be16(ip + hdr + 2,
		    ~packet_sum(0, ip + hdr, f->len - 14 - hdr) & 0xffff);
}

static inline void mf_seal6(struct mf *f, size_t at)
{
	uint32_t sum = packet_pseudo(f->bytes + 14, 58, f->len - at);

	packet_be16(f->bytes + at + 2, 0);
	sum = packet_sum(packet_sum(0, f->bytes + at, f->len - at) + sum, NULL,
			 0);
	packet_be16(f->bytes + at + 2, ~sum & 0xffff);
}

/* A message of IGMP with a router alert, or @plain without. */
static inline void mf_ip4(struct mf *f, uint32_t src, uint32_t dst, bool plain,
			  const uint8_t *body, size_t n)
{
	size_t hdr = plain ? 20 : 24;
	uint8_t *ip = f->bytes + 14;

	memset(f->bytes, 0, sizeof(f->bytes));
	mf_ether(f, mf_v4(dst), 0x0800);
	ip[0] = (uint8_t)(0x40 | hdr / 4);
	packet_be16(ip + 2, hdr + n);
	ip[8] = 1;
	ip[9] = 2;
	packet_be32(ip + 12, src);
	packet_be32(ip + 16, dst);
	if (!plain)
		packet_be32(ip + 20, 0x94040000);
	memcpy(ip + hdr, body, n);
	f->len = 14 + hdr + n;
	mf_seal4(f);
}

/* A message of ICMPv6 with a router alert. */
static inline void mf_ip6(struct mf *f, struct mcast_addr src,
			  struct mcast_addr dst, const uint8_t *body, size_t n)
{
	uint8_t *ip = f->bytes + 14;

	memset(f->bytes, 0, sizeof(f->bytes));
	mf_ether(f, dst, 0x86dd);
	ip[0] = 0x60;
	packet_be16(ip + 4, 8 + n);
	ip[7] = 1;
	mf_addr(ip + 8, src);
	mf_addr(ip + 24, dst);
	mf_put(ip + 40, UINT64_C(0x3a00050200000100), 8);
	memcpy(ip + 48, body, n);
	f->len = MF_IP6 + n;
	mf_seal6(f, MF_IP6);
}

/* ---- IGMP ---- */

/* Versions 1 and 2: all in eight bytes. */
static inline void mf_igmp(struct mf *f, uint8_t type, uint8_t code,
			   uint32_t src, uint32_t dst, uint32_t group)
{
	uint8_t body[8] = { type, code };

	packet_be32(body + 4, group);
	mf_ip4(f, src, dst, false, body, sizeof(body));
}

static inline void mf_report2(struct mf *f, uint32_t group)
{
	mf_igmp(f, 0x16, 0, 0x0a000001, group, group);
}

static inline void mf_leave2(struct mf *f, uint32_t group)
{
	mf_igmp(f, 0x17, 0, 0x0a000001, 0xe0000002, group);
}

static inline void mf_query2(struct mf *f, uint32_t src, uint8_t code,
			     uint32_t group)
{
	mf_igmp(f, 0x11, code, src, group ? group : 0xe0000001, group);
}

static inline void mf_query3(struct mf *f, uint32_t src, uint8_t code,
			     uint32_t group, uint8_t flags, uint8_t qqic)
{
	uint8_t body[12] = { 0x11, code };

	packet_be32(body + 4, group);
	body[8] = flags;
	body[9] = qqic;
	mf_ip4(f, src, group ? group : 0xe0000001, false, body, sizeof(body));
}

/* A record with @n sources, at @p; returns its length. */
static inline size_t mf_record(uint8_t *p, uint8_t type,
			       struct mcast_addr group, size_t n)
{
	size_t addr = group.hi ? 16 : 4;

	mf_put(p, (uint64_t)type << 24 | n, 4);
	if (group.hi)
		mf_addr(p + 4, group);
	else
		packet_be32(p + 4, (uint32_t)group.lo);
	for (size_t i = 0; i < n; i++)
		memset(p + 4 + addr * (i + 1), (int)(10 + i), addr);
	return 4 + addr * (n + 1);
}

/* One record. */
static inline void mf_report3(struct mf *f, uint8_t type, uint32_t group,
			      size_t sources)
{
	uint8_t body[256] = { 0x22 };

	body[7] = 1;
	mf_ip4(f, 0x0a000001, 0xe0000016, false, body,
	       8 + mf_record(body + 8, type, mf_v4(group), sources));
}

/* ---- MLD ---- */

static inline void mf_mld(struct mf *f, uint8_t type, uint16_t delay,
			  struct mcast_addr src, struct mcast_addr dst,
			  struct mcast_addr group)
{
	uint8_t body[24] = { type };

	packet_be16(body + 4, delay);
	mf_addr(body + 8, group);
	mf_ip6(f, src, dst, body, sizeof(body));
}

static inline void mf_mld_report(struct mf *f, struct mcast_addr group)
{
	mf_mld(f, 131, 0, mf_v6(MF_LL, 1), group, group);
}

static inline void mf_mld_done(struct mf *f, struct mcast_addr group)
{
	mf_mld(f, 132, 0, mf_v6(MF_LL, 1), mf_v6(MF_FF02, 2), group);
}

static inline void mf_mld_query(struct mf *f, struct mcast_addr src,
				uint16_t delay, struct mcast_addr group)
{
	mf_mld(f, 130, delay, src,
	       mcast_addr_is_none(group) ? mf_v6(MF_FF02, 1) : group, group);
}

static inline void mf_mld_report2(struct mf *f, struct mcast_addr src,
				  uint8_t type, struct mcast_addr group,
				  size_t sources)
{
	uint8_t body[512] = { 143 };

	body[7] = 1;
	mf_ip6(f, src, mf_v6(MF_FF02, 22), body,
	       8 + mf_record(body + 8, type, group, sources));
}

/* ---- data ---- */

static inline void mf_data(struct mf *f, struct mcast_addr group)
{
	uint8_t *ip = f->bytes + 14;

	memset(f->bytes, 0, sizeof(f->bytes));
	mf_ether(f, group, group.hi ? 0x86dd : 0x0800);
	f->len = 100;
	if (group.hi) {
		ip[0] = 0x60;
		packet_be16(ip + 4, 46);
		ip[6] = 17;
		ip[7] = 8;
		ip[8] = 0xfd;
		mf_addr(ip + 24, group);
		return;
	}
	ip[0] = 0x45;
	packet_be16(ip + 2, 86);
	ip[8] = 8;
	ip[9] = 17;
	packet_be32(ip + 12, 0x0a000002);
	packet_be32(ip + 16, (uint32_t)group.lo);
	packet_be16(ip + 10, ~packet_sum(0, ip, 20) & 0xffff);
}

#endif
