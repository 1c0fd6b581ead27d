// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/bridge.h"

/* The pool keeps this much for frames that arrive: what waits in the queues
 * of slow endpoints may not starve the others. */
#define POOL_RESERVE (4 * BATCH_MAX)

/* A queue may be as long as this part of what is left of the pool (Choudhury
 * and Hahne, "Dynamic queue length thresholds", 1998): the more of it slow
 * endpoints hold, the less each may have, and some is always left for one
 * that is slow for a moment only. */
#define POOL_PART 8

/* Queues shorter than this hold nobody back: they are full all the time. */
#define HOLD_MIN_LIMIT 32

/* What one turn of the loop may take on: that many frames, shared by those
 * who have some, but this many at least, and so many copies of the frames of
 * one endpoint. */
#define TURN_FRAMES 32
#define TURN_SHARE 8
#define TURN_COPIES 1024

static const struct {
	const char *name;
	bool ingress;
} reasons[] = {
	[DROP_RUNT] = { "runt", true },
	[DROP_TOO_LONG] = { "too_long", true },
	[DROP_NO_VLAN] = { "no_untagged_vlan", true },
	[DROP_VLAN] = { "vlan_not_member", true },
	[DROP_SAME_PORT] = { "same_port", true },
	[DROP_DEST_GONE] = { "destination_gone", true },
	[DROP_QUEUE_FULL] = { "queue_full", false },
	[DROP_NO_BUFFER] = { "no_buffer", false },
	[DROP_SEND] = { "send_failed", false },
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
	memset(p->drops, 0, sizeof(p->drops));
}

void endpoint_init(struct endpoint *ep, const struct transport *tr, uint32_t id,
		   uint32_t uid, const char *descr)
{
	size_t len = size_min(strlen(descr), sizeof(ep->descr) - 1);

	*ep = (struct endpoint){
		.tr = tr, .id = id, .uid = uid, .max_len = ETHER_MAX_LEN
	};
	list_init(&ep->node);
	list_init(&ep->held);
	memcpy(ep->descr, descr, len);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)ep->descr[i] < ' ')
			ep->descr[i] = '?';
	ep->descr[len] = '\0';
}

/* ---- frames in ---- */

/* The one place that pads: with zeros, to the shortest Ethernet frame. */
static void pad(struct frame *f)
{
	if (f->len >= ETHER_MIN_LEN)
		return;
	memset(f->data + f->len, 0, ETHER_MIN_LEN - f->len);
	f->len = ETHER_MIN_LEN;
}

/* Nothing at all is no frame: VDE 2's library says goodbye with it. */
static bool check_length(struct port *p, const struct frame *f)
{
	if (!f->len)
		return false;
	if (f->len < ETHER_HDR_LEN)
		p->drops[DROP_RUNT]++;
	else if (f->len > ETHER_MAX_LEN && !f->offload.gso_type)
		p->drops[DROP_TOO_LONG]++;
	else
		return true;
	return false;
}

/* A hub looks at no tag and changes no byte; a switch has it beside them. */
static bool take_tag(struct port *p, struct frame *f, enum vlan_form *form)
{
	*form = p->br->hub ? VLAN_UNTAGGED : vlan_untag(f);
	if (*form != VLAN_BROKEN)
		return true;
	p->drops[DROP_RUNT]++;
	return false;
}

int endpoint_budget(const struct endpoint *ep, int ready)
{
	unsigned int n = TURN_FRAMES / (ready > 1 ? (unsigned int)ready : 1);

	if (n < TURN_SHARE)
		n = TURN_SHARE;
	if (ep->fanout > TURN_COPIES / n)
		n = TURN_COPIES / ep->fanout;
	return n > 1 ? (int)n : 1;
}

void port_rx_take(struct endpoint *ep, struct frame *const *frames, int n,
		  uint64_t now)
{
	struct port *p = ep->port, *full = NULL;
	uint64_t copies = p->br->copies;

	for (int i = 0; i < n; i++) {
		struct frame *f = frames[i];
		enum vlan_form form;

		if (check_length(p, f) && take_tag(p, f, &form)) {
			pad(f);
			p->in_frames++;
			p->in_bytes += frame_wire_len(f, form == VLAN_TAGGED);
			bridge_input(p, f, form, now, &full);
		}
		frame_unref(f);
	}
	if (n)
		ep->fanout = (uint32_t)((p->br->copies - copies) /
					(unsigned int)n);
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
		    ep->queue.count > ep->queue.limit / 2)
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

/* ---- frames out ---- */

void port_tx(struct port *p, struct frame *f, bool tagged)
{
	if (p->n_tx == BATCH_MAX)
		port_flush(p);
	if (p->n_tx == 0)
		list_add_tail(&p->br->touched, &p->touched);
	p->tx[p->n_tx++] = (struct frame_tx){ frame_ref(f), tagged };
	p->br->copies++;
	p->out_frames++;
	p->out_bytes += frame_wire_len(f, tagged);
}

static bool pool_allows(const struct endpoint *ep,
			const struct frame_pool *pool)
{
	size_t left = frame_pool_left(pool);

	return left > POOL_RESERVE &&
	       ep->queue.count < (left - POOL_RESERVE) / POOL_PART;
}

/* Keeps what the endpoint did not take, as far as its queue and the pool
 * allow. */
static void enqueue(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct port *p = ep->port;

	for (int i = 0; i < n; i++) {
		if (!pool_allows(ep, tx[i].frame->pool)) {
			p->drops[DROP_NO_BUFFER]++;
			continue;
		}
		if (txq_push_take(&ep->queue, tx[i]))
			frame_ref(tx[i].frame);
		else
			p->drops[DROP_QUEUE_FULL]++;
	}
}

static void endpoint_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	int sent = 0;

	if (!ep->queue.count)
		sent = ep->tr->send(ep, tx, n);
	if (sent < n)
		enqueue(ep, tx + sent, n - sent);
}

static void drain(struct endpoint *ep)
{
	while (ep->queue.count) {
		uint32_t n;
		const struct frame_tx *tx = txq_front(&ep->queue, &n);
		int sent;

		if (n > BATCH_MAX)
			n = BATCH_MAX;
		sent = ep->tr->send(ep, tx, (int)n);
		txq_drop_front(&ep->queue, (uint32_t)sent);
		if (sent < (int)n)
			return;
	}
	ep->port->may_hold = true;
}

void endpoint_writable(struct endpoint *ep)
{
	drain(ep);
	if (!list_empty(&ep->port->held) &&
	    ep->queue.count <= ep->queue.limit / 4)
		port_release(ep->port);
}

void port_flush(struct port *p)
{
	int n = p->n_tx;

	if (!n)
		return;
	list_for_each(it, &p->endpoints) {
		endpoint_send(list_entry(it, struct endpoint, node), p->tx, n);
	}
	for (int i = 0; i < n; i++)
		frame_unref(p->tx[i].frame);
	p->n_tx = 0;
	list_del(&p->touched);
}
