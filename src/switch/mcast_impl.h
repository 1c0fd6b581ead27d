/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mcast_impl - what the files of mcast share
 *
 * mcast_table.c: timers, groups, members and the bound on them. mcast_ask.c:
 * queriers. mcast.c: VLANs, reports, and where frames go. mcast_info.c:
 * looking.
 *
 * A member is a port in a group; a router that was heard of is a member of
 * its family's @routers, a group that frames cannot be for. Members of a port
 * are in a list, oldest first, which is where a port that has too many loses
 * them; routers are in a list of their own and never lost that way.
 */
#ifndef SWITCH_MCAST_IMPL_H
#define SWITCH_MCAST_IMPL_H

#include "switch/mcast.h"

#define NSEC UINT64_C(1000000000)
#define ROBUSTNESS 2 /* RFC 3376, 8.1 */

/* ---- timers: a wheel of slots, MCAST_SLOP each ---- */

#define SLOTS 1024 /* 274 s; later ones are looked at once in a turn */

struct timer {
	struct list node;
	uint64_t at; /* ns */
	unsigned int slot;
	void (*fn)(struct mcast *, struct timer *, uint64_t now);
};

struct wheel {
	struct list slot[SLOTS];
	uint64_t used[SLOTS / 64]; /* those that may have timers */
	uint64_t done; /* slots before this one are empty */
};

void timer_init(struct timer *,
		void (*fn)(struct mcast *, struct timer *, uint64_t now));
void timer_set(struct mcast *, struct timer *, uint64_t at);
void timer_stop(struct timer *);
static inline bool timer_is_set(const struct timer *t)
{
	return list_linked(&t->node);
}

/* ---- groups and their members ---- */

struct group {
	struct group *next; /* with the same hash */
	struct list node; /* in the family's */
	struct list members;
	struct family *family;
	struct mcast_addr addr;
};

struct member {
	struct timer timer; /* the end, or the next query */
	uint64_t until;
	uint64_t old_until; /* an IGMPv1 host is there that cannot leave */
	struct member *next; /* with the same hash */
	struct list in_group;
	struct list in_port;
	struct group *group;
	uint16_t port;
	uint8_t version;
	uint8_t queries; /* to be sent before the end */
};

struct mport {
	struct list members;
	struct list routers;
	size_t n; /* of both */
	bool fastleave;
	uint64_t counts[MCAST_N_COUNTS];
};

/* IPv4 or IPv6 in a VLAN. */
struct family {
	struct mvlan *vlan;
	bool v6;
	struct list groups;
	size_t n_groups;
	struct group routers;
	bool on; /* somebody asks */
	uint64_t *unasked; /* ports of which nobody knows what they want */
	uint64_t *asked; /* those of them that have been asked now */
	struct timer settle; /* they have answered */
	/* Who asks: */
	bool known;
	struct mcast_addr querier;
	unsigned int querier_port;
	uint8_t version;
	struct timer gone; /* it has not asked for long */
	uint64_t interval, max_resp;
	uint8_t robustness;
	bool own; /* this switch does */
	struct timer next; /* when it does so next */
	uint64_t last; /* when it did */
	uint8_t startup; /* queries that are sent sooner */
};

struct mvlan {
	uint16_t id;
	bool off, querier;
	uint32_t source4; /* of own queries of IGMP, or 0 */
	uint64_t *fixed; /* ports with routers, as configured */
	struct family family[2];
};

struct mcast {
	const struct mcast_ops *ops;
	void *ctx;
	uint64_t secret, mac;
	bool on, flood_unknown;
	unsigned int interval_s;
	size_t words;
	uint64_t *set; /* what mcast_egress() returns */
	struct mport **ports; /* words * 64 */
	struct mvlan *vlans[VLAN_VID_MASK + 1];
	struct group **groups; /* hash tables */
	struct member **members;
	size_t n_members;
	size_t n_busy; /* ports with members */
	uint64_t counts[MCAST_N_COUNTS]; /* of no port that is there */
	struct wheel wheel;
};

int mcast_table_init(struct mcast *, uint64_t now);
void mcast_table_fini(struct mcast *);

struct group *mcast_find_group(const struct mcast *, const struct family *,
			       struct mcast_addr);
struct member *mcast_find_member(const struct mcast *, const struct group *,
				 unsigned int port);
/* NULL if there is no room. @router: it is a router. */
struct member *mcast_add_member(struct mcast *, struct family *,
				struct mcast_addr, unsigned int port,
				bool router);
/* Makes it the port's newest. */
void mcast_touch_member(struct mcast *, struct member *);
void mcast_del_member(struct mcast *, struct member *);

struct mport *mcast_port(struct mcast *, unsigned int port); /* or NULL */
/* NULL without memory. */
struct mvlan *mcast_vlan(struct mcast *, unsigned int vid);

void mcast_count(struct mcast *, unsigned int port, enum mcast_count);
void mcast_tell(struct mcast *, struct mcast_event);

/* What timers do. */
void mcast_member_due(struct mcast *, struct timer *, uint64_t now);
void mcast_settled(struct mcast *, struct timer *, uint64_t now);
void mcast_querier_gone(struct mcast *, struct timer *, uint64_t now);
void mcast_ask_all(struct mcast *, struct timer *, uint64_t now);

/* ---- who asks ---- */

/* Asks @port, or -1 all, about a group, or all. */
void mcast_send_query(struct mcast *, const struct family *, int port,
		      struct mcast_addr group, uint64_t max_resp);
/* Something that kept this switch from asking, or made it ask, has changed. */
void mcast_update_asking(struct mcast *, struct family *, uint64_t now);
void mcast_stop_asking(struct family *);
/* Sooner than planned, but after the answers to the last query. */
void mcast_ask_soon(struct mcast *, struct family *, uint64_t now);
/* From now on all is flooded. */
void mcast_nobody_asks(struct family *);
/* Times, where no querier says others. */
void mcast_use_defaults(const struct mcast *, struct family *);
void mcast_take_query(struct mcast *, struct family *, const struct mcast_msg *,
		      unsigned int port, uint64_t now);
void mcast_hear_router(struct mcast *, struct family *, unsigned int port,
		       uint64_t now);
/* How long a report is good for: RFC 3376, 8.4; RFC 3810, 9.4. */
uint64_t mcast_member_time(const struct family *);
/* Frees a VLAN of which nothing is known. */
void mcast_tidy(struct mcast *, struct mvlan *);

static inline bool is_router(const struct member *m)
{
	return m->group == &m->group->family->routers;
}

#endif
