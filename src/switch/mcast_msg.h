/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mcast_msg - IP multicast in frames: whose group, and what is said of groups
 *
 * IGMPv1, v2 (RFC 2236) and v3 (RFC 3376), MLDv1 (RFC 2710) and v2 (RFC 3810),
 * and what multicast routers say of themselves: PIM hellos (RFC 7761) and
 * advertisements (RFC 4286). Frames are untagged ones, as they are inside of
 * the switch; whatever is not understood is left to be flooded.
 */
#ifndef SWITCH_MCAST_MSG_H
#define SWITCH_MCAST_MSG_H

#include "base/cursor.h"

#define MCAST_QUERY_MAX 90 /* length of a frame that is written here */

/* An address of IPv6, or, with @hi 0, of IPv4. */
struct mcast_addr {
	uint64_t hi, lo;
};

static inline bool mcast_addr_is(struct mcast_addr a, struct mcast_addr b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static inline bool mcast_addr_is_none(struct mcast_addr a)
{
	return !a.hi && !a.lo;
}

/* Where frames to a group go. */
uint64_t mcast_mac(struct mcast_addr group);

enum mcast_class {
	MCAST_FOREIGN, /* nothing to go by: not IP, tagged inside, cut short */
	MCAST_LINK, /* a group that everybody is in */
	MCAST_DATA,
	MCAST_CONTROL /* for mcast_parse() */
};

/* Looks at a frame to a group address; gives the IP group it is for. */
enum mcast_class mcast_classify(const uint8_t *frame, size_t len,
				struct mcast_addr *group);

enum mcast_kind {
	MCAST_OTHER, /* not of those below */
	MCAST_BROKEN, /* checksums, lengths, or not from this link */
	MCAST_QUERY,
	MCAST_REPORT,
	MCAST_LEAVE, /* IGMPv2's and MLDv1's own message for it */
	MCAST_ROUTER /* a router is there */
};

struct mcast_msg {
	enum mcast_kind kind;
	bool v6;
	uint8_t version; /* of IGMP or MLD */
	struct mcast_addr source;
	/* Of queries: */
	struct mcast_addr group; /* none: a general one */
	uint64_t max_resp; /* ns */
	uint64_t interval; /* ns between general ones, 0: not said */
	uint8_t robustness; /* 0: not said */
	bool suppress; /* only hosts are asked (RFC 3376, 4.1.5) */
	bool sources; /* about some sources of the group */
	/* Of reports: */
	struct cursor records;
	unsigned int n_records;
};

/* Reads a frame that mcast_classify() calls MCAST_CONTROL. The message points
 * into it. */
void mcast_parse(struct mcast_msg *, const uint8_t *frame, size_t len);

/* What a record says of a group, sources apart (RFC 3376, 4.2.12): a switch
 * that does not filter sources must give a port what any host there wants of
 * the group (RFC 4541, 2.1.2 (7)). */
enum mcast_means {
	MCAST_NOTHING,
	MCAST_JOIN, /* somebody wants all or some of it */
	MCAST_GONE, /* somebody wants none of it any more */
	MCAST_LESS /* somebody wants less; maybe nothing */
};

/* The next group of a report or leave message; false at the end. */
bool mcast_next_record(struct mcast_msg *, struct mcast_addr *group,
		       enum mcast_means *);

/* A group that is in the tables: one that not everybody is in. */
bool mcast_is_group(struct mcast_addr, bool v6);

/* A query of the newest version, which older hosts understand, too (RFC 3376,
 * 7.2; RFC 3810, 8.2). From 0.0.0.0 (RFC 4541, 2.1.1 (4)), or an address that
 * was set, or the link-local
 * address made of @mac. */
struct mcast_query {
	bool v6;
	struct mcast_addr group; /* none: a general one */
	uint64_t mac; /* of the switch */
	uint32_t source4; /* address of a query of IGMP, or 0 */
	uint32_t max_resp_ms;
	uint32_t interval_s;
	uint8_t robustness;
};

/* Returns the length of the frame. */
size_t mcast_write_query(const struct mcast_query *,
			 uint8_t frame[static MCAST_QUERY_MAX]);

/* fe80::/64 and a modified EUI-64 (RFC 4291, appendix A). */
struct mcast_addr mcast_link_local(uint64_t mac);

#endif
