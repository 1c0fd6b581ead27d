/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port - what a cable is plugged into: endpoints, counters, access rules
 *
 * A port exists from its creation until its removal, whether or not anything
 * is connected. It is active while it has at least one endpoint; every
 * endpoint gets a copy of what leaves the port. What the data path touches
 * comes first in struct port.
 *
 * Frames that leave gather in the port's batch and go out together at the end
 * of the loop's turn (bridge_flush()), or when the batch is full. What an
 * endpoint does not take waits in its queue. What an endpoint cannot take as
 * it is - unfinished checksums, frames that are to be cut - is finished for
 * it on the way (egress.c); counters count a frame that is cut as one.
 *
 * A queue that is half full holds back whoever sends to it: the sender's
 * endpoint is paused until a quarter is left. That makes a fast sender as fast
 * as its receiver instead of losing what it sends too fast. A hold lasts
 * PORT_HOLD_NS at most: a receiver that does not read in that time loses the
 * right to hold anybody until its queue has been empty, and loses frames
 * instead. Only frames for one known port hold; floods never do.
 */
#ifndef SWITCH_PORT_H
#define SWITCH_PORT_H

#include <sys/types.h>

#include "base/list.h"
#include "switch/transport.h"
#include "switch/txq.h"

struct bridge;

#define PORT_HOLD_NS UINT64_C(1000000)

#define ENDPOINT_DESCR 136
/* The longest frame may leave with one more tag than it came with. */
#define ENDPOINT_MAX_LEN (ETHER_MAX_LEN + ETHER_TAG_LEN)
#define PORT_NOBODY UINT32_MAX /* no user, no group, no restriction */

enum drop_reason {
	DROP_RUNT, /* shorter than an Ethernet header (and tag) */
	DROP_TOO_LONG, /* longer than the switch can carry */
	DROP_OFFLOAD, /* what is to be done with it makes no sense */
	DROP_NO_VLAN, /* untagged on a port without untagged VLAN */
	DROP_VLAN, /* tagged for a VLAN this port is not in */
	DROP_SAME_PORT, /* its destination is where it came from */
	DROP_DEST_GONE, /* its destination's port has left the VLAN */
	DROP_BLOCKED, /* the port is held down */
	DROP_STP, /* the port does not forward in the VLAN's spanning tree */
	DROP_ISOLATED, /* from one isolated port to another */
	DROP_RATE, /* more than the port may send */
	DROP_SOURCE, /* from none of the addresses that may send */
	DROP_ADDR_LIMIT, /* the port has as many addresses as it may have */
	DROP_ADDR_VIOLATION, /* from an address that is sticky elsewhere */
	DROP_STORM_BROADCAST, /* more of these than the port may send */
	DROP_STORM_MULTICAST,
	DROP_STORM_UNKNOWN,
	DROP_MCAST, /* a broken message about multicast groups */
	DROP_VETO_IN, /* a plugin refused it */
	DROP_MISSED, /* frames came faster than they were taken */
	DROP_QUEUE_FULL, /* the endpoint is too slow */
	DROP_NO_BUFFER, /* the frame pool is exhausted by slow endpoints */
	DROP_MTU, /* longer than the endpoint takes */
	DROP_SEND, /* the endpoint's peer refused it */
	DROP_VETO_OUT, /* a plugin refused it */
	DROP_N_REASONS
};

/* Word for the console, and whether it counts arriving or leaving frames. */
const char *drop_reason_name(enum drop_reason);
bool drop_reason_is_ingress(enum drop_reason);

struct endpoint {
	struct list node; /* in port->endpoints, newest first */
	struct port *port;
	const struct transport *tr;
	struct txq queue;
	/* What it can take, set by its transport before it is plugged in. */
	unsigned int takes; /* OFFLOAD_*: what it finishes itself */
	uint32_t max_len; /* of an ordinary frame in its wire form */
	/* Of each frame it sent last: */
	uint32_t fanout; /* copies and segments made */
	uint32_t segments; /* made where it had to be cut */
	struct list held; /* in the held list of the port it waits for */
	bool no_link; /* nobody is there (bridge_set_link()) */
	uint32_t id; /* what the console calls it; unique in the switch */
	uint32_t uid; /* of who connected it, or PORT_NOBODY */
	char descr[ENDPOINT_DESCR]; /* what the peer said of itself */
};

/* Who asks for a port. */
struct port_user {
	uint32_t uid;
	const gid_t *groups; /* primary and supplementary */
	size_t n_groups;
};

/* What makes a port's frames leave the fast path. */
#define PORT_HOOK_IN 1u /* somebody looks at them (hook.h) */
#define PORT_HOOK_OUT 2u
#define PORT_HOOK_DROP 4u
#define PORT_BLOCKED 8u /* nothing passes (bridge_block()) */
#define PORT_ISOLATED 16u /* nothing passes to ports like itself */
#define PORT_GUARD 32u /* its frames are counted and checked (portguard.h) */

struct guard;

struct port {
	struct bridge *br;
	unsigned int slow; /* PORT_* */
	uint16_t id;
	uint16_t pvid; /* VLAN of untagged frames, or VLAN_NONE */
	uint16_t n_tx;
	bool unfinished; /* something in @tx is */
	uint32_t longest; /* in @tx, in its wire form */
	unsigned int takes; /* OFFLOAD_*: what all endpoints take */
	struct frame_tx *tx; /* BATCH_MAX, what leaves this turn */
	struct list touched; /* in br->touched while n_tx > 0 */
	struct list endpoints;
	struct list held; /* endpoints that wait for room in the queue */
	struct list holding; /* in br->holding while somebody waits */
	uint64_t held_since;
	bool may_hold; /* read its queue empty since it was too slow */
	uint64_t in_frames, in_bytes, out_frames, out_bytes;
	uint64_t cut, segments; /* frames that were cut, and into how many */
	uint64_t drops[DROP_N_REASONS];

	struct guard *guard; /* NULL: none was ever set */
	bool no_rings; /* its clients get datagrams */
	bool allocatable; /* to whoever asks for any port */
	uint32_t current_uid; /* of the first endpoint, or PORT_NOBODY */
	uint32_t only_uid, only_gid; /* access control, or PORT_NOBODY */
};

void port_tell_drop(struct port *, struct frame *, bool tagged,
		    enum drop_reason);

/* Counts a frame that is dropped, and shows it to who wants to see those.
 * @tagged: its tag is to be put back. The caller still has its reference. */
static inline void port_drop(struct port *p, struct frame *f, bool tagged,
			     enum drop_reason why)
{
	p->drops[why]++;
	if (p->slow & PORT_HOOK_DROP)
		port_tell_drop(p, f, tagged, why);
}

static inline bool port_is_active(const struct port *p)
{
	return !list_empty(&p->endpoints);
}

/* Is somebody there, or may be? */
bool port_has_link(const struct port *);

/* NULL without memory. The bridge keeps the table (bridge_port_create()). */
struct port *port_new(struct bridge *, unsigned int id);
void port_free(struct port *); /* must be inactive */

/* 0; -EACCES if access control or the current user forbids it. */
int port_admits(const struct port *, const struct port_user *);

/* Initialises @ep's generic part, that of one who takes all ordinary frames
 * and no others; the transport has its own already. */
void endpoint_init(struct endpoint *, const struct transport *, uint32_t id,
		   uint32_t uid, const char *descr);
/* An endpoint came or went: what do all of them take? */
void port_update_takes(struct port *);
/* True when @p wants its senders held back. */
bool port_is_congested(const struct port *);
/* Pauses @ep until @on has room, or PORT_HOLD_NS after @now. */
void port_hold(struct port *on, struct endpoint *ep, uint64_t now);
/* Ends what was held back for too long. Returns when to call again (ns), 0:
 * nobody is held. */
uint64_t port_hold_expire(struct bridge *, uint64_t now);
/* Resumes all that wait for @p. */
void port_release(struct port *);

/* There is room again: sends what waits. From the transport only. */
void endpoint_writable(struct endpoint *);

/* How many frames @ep may bring in a turn in which @ready watches are called:
 * fewer when others are ready too, and when each goes to many ports, so that
 * nobody waits long. */
int endpoint_budget(const struct endpoint *, int ready);
/* What a frame counts in that budget, which may be more than one: it is long,
 * or becomes many. */
unsigned int endpoint_cost(const struct frame *);
/* Frames that @ep received, in order, each with what its peer says is to be
 * done with it; takes over their references. @now is the time of this turn in
 * ns. */
void port_rx_take(struct endpoint *, struct frame *const *, int n,
		  uint64_t now);
/* Appends a frame to the port's batch, with a reference of its own. */
void port_tx(struct port *, struct frame *, bool tagged);
/* Sends the batch. */
void port_flush(struct port *);

void port_reset_counters(struct port *);

#endif
