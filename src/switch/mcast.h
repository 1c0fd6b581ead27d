/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mcast - IP multicast goes where it is wanted: IGMP and MLD snooping
 *
 * After RFC 4541, whose sections the code cites. For each VLAN, and for IPv4
 * and IPv6 apart, it knows which ports want which group, where routers are,
 * and who asks ("the querier"). Groups are IP addresses, not MAC addresses, of
 * which many groups share one (2.1.2 (5)). Sources are not told apart: a port
 * gets all of a group or nothing (2.1.2 (7)).
 *
 * Nothing is held back that somebody might want and could not have said:
 *   - without a querier nobody is asked, and everything is flooded;
 *   - a port gets everything until it was asked, and had the time to answer:
 *     at first, after its link came up or it joined the VLAN, and all ports
 *     after a change of the spanning tree's topology;
 *   - frames that are not understood are flooded.
 *
 * An engine: frames, what happens to ports and the time go in, sets of ports
 * and queries come out. Times are monotonic, in ns; timers end in
 * mcast_tick(), late by MCAST_SLOP at most. Memory is bounded: a port that
 * joins too many groups loses its own oldest ones, and where all ports
 * together have too many, who has more than his share makes room.
 *
 * Functions return 0 or -errno: -EINVAL a number out of range, -ENOMEM.
 */
#ifndef SWITCH_MCAST_H
#define SWITCH_MCAST_H

#include "base/frame.h"
#include "base/list.h"
#include "switch/mcast_msg.h"

#define MCAST_SLOP (UINT64_C(1) << 28) /* 0.27 s */
#define MCAST_MEMBERS_MAX 32768 /* groups of all ports together, */
#define MCAST_PORT_MAX 4096 /* and of one */
#define MCAST_INTERVAL_S 125 /* RFC 3376, 8.2 */
#define MCAST_INTERVAL_MAX_S 3600

struct mcast;

enum mcast_event_type {
	MCAST_PORT_JOINED,
	MCAST_PORT_LEFT,
	MCAST_ROUTER_NEW,
	MCAST_ROUTER_GONE,
	MCAST_QUERIER, /* another one, or none */
	MCAST_N_EVENTS
};

struct mcast_event {
	enum mcast_event_type type;
	unsigned int vid;
	bool v6;
	struct mcast_addr addr; /* group, or querier */
	unsigned int port;
	bool gone; /* there is no querier any more */
};

/* Must not call the functions below. */
struct mcast_ops {
	/* A query, untagged, to be sent by a member port of the VLAN; -1: by
	 * all of them. */
	void (*transmit)(void *ctx, unsigned int vid, int port,
			 const uint8_t *frame, size_t len);
	void (*event)(void *ctx, const struct mcast_event *);
};

struct mcast_config {
	const struct mcast_ops *ops; /* outlives the instance */
	void *ctx;
	uint64_t secret; /* random; keys the tables */
	uint64_t mac; /* of the switch: source of its queries */
	size_t words; /* of every bitmap of ports */
};

/* Off, with nothing configured. NULL without memory. */
struct mcast *mcast_new(const struct mcast_config *, uint64_t now);
void mcast_free(struct mcast *);

/* Off, it forgets what it learned and keeps what was configured. */
void mcast_enable(struct mcast *, bool on, uint64_t now);
bool mcast_is_on(const struct mcast *);
/* The bridge has bitmaps of that many words now; never fewer. */
int mcast_set_words(struct mcast *, size_t words);

/* The ports that a frame to a group address goes to, among @all, those of its
 * VLAN: @all itself, or a set that lasts until the next call; NULL: it is
 * broken, to none. That the frame's own port is in there does not matter. */
const uint64_t *mcast_egress(struct mcast *, unsigned int vid,
			     unsigned int port, const struct frame *,
			     const uint64_t *all, uint64_t now);

/* When mcast_tick() has something to do, in ns; 0: nothing to wait for. May
 * be too early. */
uint64_t mcast_next(const struct mcast *);
uint64_t mcast_tick(struct mcast *, uint64_t now); /* returns mcast_next() */

/* ---- what happens to the switch ---- */

void mcast_port_up(struct mcast *, unsigned int port, uint64_t now);
void mcast_port_down(struct mcast *, unsigned int port);
/* Its settings are gone, too. */
void mcast_port_removed(struct mcast *, unsigned int port);
/* A port joined or left a VLAN. */
void mcast_port_member(struct mcast *, unsigned int vid, unsigned int port,
		       bool member, uint64_t now);
/* The VLAN was created or removed: its settings are gone, too. */
void mcast_vlan_changed(struct mcast *, unsigned int vid);
/* The spanning tree of a VLAN leads elsewhere (RFC 4541, 2.1.1 (4)). */
void mcast_topology_change(struct mcast *, unsigned int vid, uint64_t now);

/* ---- settings ---- */

/* A VLAN that is off floods; all are on at first. */
int mcast_set_vlan(struct mcast *, unsigned int vid, bool on, uint64_t now);
/* There is a router behind that port, whatever is heard of it. */
int mcast_set_router(struct mcast *, unsigned int vid, unsigned int port,
		     bool on);
/* The switch asks where nobody else does, in IPv4 from address @source4; 0:
 * none, which some hosts do not answer. */
int mcast_set_querier(struct mcast *, unsigned int vid, bool on,
		      uint32_t source4, uint64_t now);
/* Who leaves was the only one behind that port. */
int mcast_set_fastleave(struct mcast *, unsigned int port, bool on);
/* The switch has another address. */
void mcast_set_mac(struct mcast *, uint64_t mac);
/* Groups that nobody reports are flooded (RFC 4541, 2.1.2 (3)), or go to
 * routers only. */
void mcast_set_flood_unknown(struct mcast *, bool on);
/* Between own queries, and how long members are believed in where a querier
 * does not say how often it asks. */
int mcast_set_interval(struct mcast *, unsigned int seconds);

/* ---- looking ---- */

enum mcast_count {
	MCAST_QUERIES,
	MCAST_REPORTS, /* messages */
	MCAST_LEAVES, /* of a group each */
	MCAST_ROUTERS, /* hellos and advertisements */
	MCAST_UNKNOWN, /* other messages of IGMP: flooded */
	MCAST_BAD, /* broken ones: dropped */
	MCAST_DISPLACED, /* members that made room for others */
	MCAST_REFUSED, /* members there was no room for */
	MCAST_SENT, /* own queries */
	MCAST_N_COUNTS
};
const char *mcast_count_name(enum mcast_count);

struct mcast_info {
	bool on, flood_unknown;
	unsigned int interval_s;
	size_t members;
	uint64_t counts[MCAST_N_COUNTS]; /* of all ports */
};
void mcast_get_info(const struct mcast *, struct mcast_info *);

/* Of IPv4 or IPv6 in a VLAN. */
struct mcast_state {
	bool on; /* somebody asks: groups are told apart */
	bool known; /* who, other than this switch */
	struct mcast_addr querier; /* none: a switch without address */
	unsigned int querier_port;
	uint8_t version;
	uint64_t querier_until;
	bool own; /* this switch asks */
	uint64_t interval, max_resp; /* ns */
	uint8_t robustness;
	const uint64_t *unasked; /* ports that get everything as yet */
	size_t groups;
};

struct mcast_vlan_info {
	bool on, querier; /* as set */
	struct mcast_addr source4;
	const uint64_t *routers; /* as set, not learned */
	struct mcast_state state[2]; /* of IPv4, IPv6 */
};
/* The lowest VLAN at or above @from of which something is known; -1: none. */
int mcast_vlan_next(const struct mcast *, unsigned int from);
/* -ENXIO if nothing is known of it. Pointers last until something changes. */
int mcast_get_vlan(const struct mcast *, unsigned int vid,
		   struct mcast_vlan_info *);

struct mcast_entry {
	bool v6;
	bool router; /* learned; no group */
	struct mcast_addr group;
	unsigned int port;
	uint8_t version; /* of the last report */
	uint64_t until;
};
/* Shows the routers that were heard of, or the members, group by group, of a
 * VLAN, from the @from-th on, until one is refused (false): returns which one
 * that was, or how many there are. */
size_t mcast_show(const struct mcast *, unsigned int vid, bool routers,
		  size_t from,
		  bool (*show)(void *ctx, const struct mcast_entry *),
		  void *ctx);

/* Of a port: what it is in, what came from it, and whether it leaves fast. */
struct mcast_port_info {
	size_t members;
	bool fastleave;
	uint64_t counts[MCAST_N_COUNTS];
};
void mcast_get_port(const struct mcast *, unsigned int port,
		    struct mcast_port_info *);

#endif
