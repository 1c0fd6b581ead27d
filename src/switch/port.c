// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/offload.h"
#include "switch/bridge.h"
#include "switch/egress.h"
#include "switch/portguard.h"

/* Queues shorter than this hold nobody back: they are full all the time. */
#define HOLD_MIN_LIMIT 32

/* What one turn of the loop may take on: that many frames, shared by those
 * who have some, but this many at least, and so many copies of the frames of
 * one endpoint. Segments that it is cut into all go into one queue: a queue of
 * usual length must be able to hold what one turn makes before the sender is
 * held. */
#define TURN_FRAMES 32
#define TURN_SHARE 8
#define TURN_COPIES 1024
#define TURN_SEGMENTS 96

/* In one frame of that budget: copying takes about as long. Few long frames
 * in a turn are read and written again while they are in the cache. */
#define COST_BYTES 8192
#define COST_SEGMENTS 32

static const struct {
	const char *name;
	bool ingress;
} reasons[] = {
	[DROP_RUNT] = { "runt", true },
	[DROP_TOO_LONG] = { "too_long", true },
	[DROP_OFFLOAD] = { "bad_offload", true },
	[DROP_NO_VLAN] = { "no_untagged_vlan", true },
	[DROP_VLAN] = { "vlan_not_member", true },
	[DROP_SAME_PORT] = { "same_port", true },
	[DROP_DEST_GONE] = { "destination_gone", true },
	[DROP_BLOCKED] = { "blocked", true },
	[DROP_STP] = { "stp_blocked", true },
	[DROP_ISOLATED] = { "isolated", true },
	[DROP_RATE] = { "rate_limit", true },
	[DROP_SOURCE] = { "source_guard", true },
	[DROP_ADDR_LIMIT] = { "address_limit", true },
	[DROP_ADDR_VIOLATION] = { "address_violation", true },
	[DROP_STORM_BROADCAST] = { "storm_broadcast", true },
	[DROP_STORM_MULTICAST] = { "storm_multicast", true },
	[DROP_STORM_UNKNOWN] = { "storm_unknown", true },
	[DROP_MCAST] = { "bad_multicast", true },
	[DROP_VETO_IN] = { "vetoed_in", true },
	[DROP_MISSED] = { "missed", true },
	[DROP_QUEUE_FULL] = { "queue_full", false },
	[DROP_NO_BUFFER] = { "no_buffer", false },
	[DROP_MTU] = { "over_mtu", false },
	[DROP_SEND] = { "send_failed", false },
	[DROP_VETO_OUT] = { "vetoed_out", false },
};
static_assert(ARRAY_SIZE(reasons) == DROP_N_REASONS, "a reason has no name");

const char *drop_reason_name(enum drop_reason r)
{
	return reasons[r].name;
}

bool drop_reason_is_ingress(enum drop_reason r)
{
	return reasons[r].ingress;
}

struct port *port_new(struct bridge *br, unsigned int id)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->tx = malloc(BATCH_MAX * sizeof(*p->tx));
	if (!p->tx) {
		free(p);
		return NULL;
	}
	p->br = br;
	p->id = (uint16_t)id;
	p->allocatable = true;
	p->current_uid = p->only_uid = p->only_gid = PORT_NOBODY;
	list_init(&p->touched);
	list_init(&p->endpoints);
	list_init(&p->held);
	list_init(&p->holding);
	p->may_hold = true;
	return p;
}

void port_free(struct port *p)
{
	if (!p)
		return;
	port_flush(p);
	portguard_free(p->guard);
	free(p->tx);
	free(p);
}

static bool in_group(const struct port_user *u, uint32_t gid)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return true;
	return false;
}

bool port_has_link(const struct port *p)
{
	list_for_each(it, &p->endpoints) {
		if (!list_entry(it, struct endpoint, node)->no_link)
			return true;
	}
	return false;
}

int port_admits(const struct port *p, const struct port_user *u)
{
	if (port_is_active(p))
		return p->current_uid == u->uid ? 0 : -EACCES;
	if (p->only_uid == PORT_NOBODY && p->only_gid == PORT_NOBODY)
		return 0;
	if (u->uid == 0 || u->uid == p->only_uid)
		return 0;
	if (p->only_gid != PORT_NOBODY && in_group(u, p->only_gid))
		return 0;
	return -EACCES;
}

void port_reset_counters(struct port *p)
{
	p->in_frames = p->in_bytes = p->out_frames = p->out_bytes = 0;
	p->cut = p->segments = 0;
	memset(p->drops, 0, sizeof(p->drops));
}

void endpoint_init(struct endpoint *ep, const struct transport *tr, uint32_t id,
		   uint32_t uid, const char *descr)
{
	size_t len = size_min(strlen(descr), sizeof(ep->descr) - 1);

	*ep = (struct endpoint){
		.tr = tr, .id = id, .uid = uid, .max_len = ENDPOINT_MAX_LEN
	};
	list_init(&ep->node);
	list_init(&ep->held);
	memcpy(ep->descr, descr, len);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)ep->descr[i] < ' ')
			ep->descr[i] = '?';
	ep->descr[len] = '\0';
}

void port_update_takes(struct port *p)
{
	p->takes = OFFLOAD_ALL;
	list_for_each(it, &p->endpoints) {
		p->takes &= list_entry(it, struct endpoint, node)->takes;
	}
}

/* ---- frames in ---- */

static bool drop(struct port *p, struct frame *f, bool tagged,
		 enum drop_reason why)
{
	port_drop(p, f, tagged, why);
	return false;
}

/* A frame whose sender left something undone. What is said of it is checked
 * here, once, in the form it has inside of the switch; from here on it can be
 * relied on. @form: the tag has been taken out of the bytes. */
static bool admit(struct port *p, struct frame *f, enum vlan_form form)
{
	struct frame_offload *o = &f->offload;
	bool tagged = form == VLAN_TAGGED;
	size_t tag = tagged ? ETHER_TAG_LEN : 0, len = f->len;

	o->hdr_len = 0; /* nobody knows better than the headers */
	if (!offload_shift(o, -(int)tag) || !offload_admit(f->data, f->len, o))
		return drop(p, f, tagged, DROP_OFFLOAD);
	if (o->gso_type != FRAME_GSO_NONE)
		len = (size_t)o->hdr_len + o->gso_size;
	return len + tag <= ETHER_MAX_LEN || drop(p, f, tagged, DROP_TOO_LONG);
}

/* Gives the frame the form it has inside of the switch, padded, its tag
 * beside it; a hub looks at no tag and changes no byte. False: it is dropped,
 * and that is counted, but nothing at all is no frame: VDE 2's library says
 * goodbye with it. */
static bool accept_frame(struct port *p, struct frame *f, enum vlan_form *form)
{
	if (f->len < ETHER_HDR_LEN)
		return f->len && drop(p, f, false, DROP_RUNT);
	if (f->len > ETHER_MAX_LEN && f->offload.gso_type == FRAME_GSO_NONE)
		return drop(p, f, false, DROP_TOO_LONG);
	*form = p->br->hub ? VLAN_UNTAGGED : vlan_untag(f);
	if (*form == VLAN_BROKEN)
		return drop(p, f, false, DROP_RUNT);
	if (!offload_is_none(&f->offload) && !admit(p, f, *form))
		return false;
	if (f->offload.gso_type == FRAME_GSO_NONE)
		frame_pad(f);
	return true;
}

int endpoint_budget(const struct endpoint *ep, int ready)
{
	unsigned int n = TURN_FRAMES / (ready > 1 ? (unsigned int)ready : 1);

	if (n < TURN_SHARE)
		n = TURN_SHARE;
	if (ep->fanout > TURN_COPIES / n)
		n = TURN_COPIES / ep->fanout;
	if (ep->segments * n > TURN_SEGMENTS)
		n = TURN_SEGMENTS / ep->segments;
	return n > 1 ? (int)n : 1;
}

/* Before anything about it was checked. */
unsigned int endpoint_cost(const struct frame *f)
{
	const struct frame_offload *o = &f->offload;

	if (o->gso_type == FRAME_GSO_NONE || !o->gso_size)
		return 1;
	return 1 + f->len / COST_BYTES + f->len / o->gso_size / COST_SEGMENTS;
}

/* Brings what will be looked up for these frames into the cache. The VLAN of a
 * tagged one is that of its tag, as good as always. */
static void prefetch_addresses(const struct port *p,
			       struct frame *const *frames, int n)
{
	const struct mactab *t = p->br->macs;

	if (!mactab_is_big(t))
		return;
	for (int i = 0; i < n; i++) {
		const uint8_t *d = frames[i]->data;
		unsigned int vid = p->pvid;

		if (frames[i]->len < ETHER_HDR_LEN + ETHER_TAG_LEN)
			continue;
		if (ether_be16(d + FRAME_ADDRS) == ETHERTYPE_VLAN)
			vid = ether_be16(d + ETHER_HDR_LEN) & VLAN_VID_MASK;
		mactab_prefetch(t, mactab_key(vid, ether_addr(d)));
		mactab_prefetch(
			t, mactab_key(vid, ether_addr(d + ETHER_ADDR_LEN)));
	}
}

void port_rx_take(struct endpoint *ep, struct frame *const *frames, int n,
		  uint64_t now)
{
	struct port *p = ep->port, *full = NULL;
	uint64_t copies = p->br->copies, segments = p->br->segments;

	p->br->now = now;
	prefetch_addresses(p, frames, n);
	for (int i = 0; i < n; i++) {
		struct frame *f = frames[i];
		enum vlan_form form;

		if (accept_frame(p, f, &form)) {
			p->in_frames++;
			p->in_bytes += frame_wire_len(f, form == VLAN_TAGGED);
			bridge_input(p, f, form, &full);
		}
		frame_unref(f);
	}
	if (n) {
		ep->fanout = (uint32_t)((p->br->copies - copies) /
					(unsigned int)n);
		ep->segments = (uint32_t)((p->br->segments - segments) /
					  (unsigned int)n);
	}
	if (full)
		port_hold(full, ep, now);
}

/* ---- holding senders back ---- */

bool port_is_congested(const struct port *p)
{
	list_for_each(it, &p->endpoints) {
		const struct endpoint *ep = list_entry(it, struct endpoint,
						       node);

		if (p->may_hold && ep->queue.limit >= HOLD_MIN_LIMIT &&
		    txq_exceeds(&ep->queue, 2))
			return true;
	}
	return false;
}

void port_hold(struct port *on, struct endpoint *ep, uint64_t now)
{
	if (list_linked(&ep->held))
		return;
	if (list_empty(&on->held)) {
		on->held_since = now;
		list_del(&on->holding); /* all that it held may have left */
		list_add_tail(&on->br->holding, &on->holding);
	}
	list_add_tail(&on->held, &ep->held);
	ep->tr->pause(ep, true);
}

void port_release(struct port *p)
{
	while (!list_empty(&p->held)) {
		struct endpoint *ep = list_entry(p->held.next, struct endpoint,
						 held);

		list_del(&ep->held);
		ep->tr->pause(ep, false);
	}
	list_del(&p->holding);
}

uint64_t port_hold_expire(struct bridge *br, uint64_t now)
{
	while (!list_empty(&br->holding)) {
		struct port *p = list_entry(br->holding.next, struct port,
					    holding);

		if (now - p->held_since < PORT_HOLD_NS)
			return p->held_since + PORT_HOLD_NS;
		p->may_hold = list_empty(&p->held); /* they may have left */
		port_release(p);
	}
	return 0;
}
