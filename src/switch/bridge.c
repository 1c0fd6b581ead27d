// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of a frame: classify (which VLAN), learn (source), look up
 * (destination), then one port or the VLAN's flood set. The tables behind it
 * are kept ready for this: a VLAN's flood set holds its usable members only,
 * and an address is forgotten when its port leaves the VLAN or loses its last
 * endpoint.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/bridge_impl.h"
#include "switch/hook.h"
#include "switch/mcast.h"
#include "switch/portguard.h"

#define NSEC UINT64_C(1000000000)
#define DEFAULT_GC 2
/* For the longest that offload_check() lets pass: two tags, IPv6. */
#define FRAME_ROOM 65600

static const char *const vlan_modes[] = {
	[BRIDGE_VLAN_AUTO] = "auto",
	[BRIDGE_VLAN_STRICT] = "strict",
	[BRIDGE_VLAN_TRANSPARENT] = "transparent",
};
static_assert(ARRAY_SIZE(vlan_modes) == BRIDGE_VLAN_N_MODES,
	      "a mode has no name");

const char *bridge_vlan_mode_name(enum bridge_vlan_mode mode)
{
	return vlan_modes[mode];
}

void bridge_update_transparent(struct bridge *br)
{
	br->transparent = br->vlan_mode == BRIDGE_VLAN_TRANSPARENT ||
			  (br->vlan_mode == BRIDGE_VLAN_AUTO && !br->n_vlans);
}

void bridge_tell(const struct bridge *br, struct bridge_event ev)
{
	if (!(br->events >> ev.type & 1))
		return;
	list_for_each_safe(it, next, &br->listeners) {
		struct bridge_listener *l = list_entry(
			it, struct bridge_listener, node);

		if (l->events >> ev.type & 1)
			l->fn(l, &ev);
	}
}

static void update_events(struct bridge *br)
{
	br->events = 0;
	list_for_each(it, &br->listeners) {
		br->events |=
			list_entry(it, struct bridge_listener, node)->events;
	}
}

void bridge_listen(struct bridge *br, struct bridge_listener *l)
{
	if (!l->node.next)
		list_init(&l->node);
	if (!list_linked(&l->node))
		list_add_tail(&br->listeners, &l->node);
	update_events(br);
}

void bridge_unlisten(struct bridge *br, struct bridge_listener *l)
{
	if (!l->node.next)
		return;
	list_del(&l->node);
	update_events(br);
}

static void address_gone(void *ctx, const struct mactab_entry *e)
{
	bridge_tell(ctx, (struct bridge_event){ .type = BRIDGE_MAC_GONE,
						.port = e->port,
						.vlan = mactab_vlan(e->key),
						.addr = mactab_addr(e->key) });
}

struct bridge *bridge_new(const struct bridge_config *cf)
{
	struct bridge *br = calloc(1, sizeof(*br));

	if (!br)
		return NULL;
	list_init(&br->touched);
	list_init(&br->holding);
	list_init(&br->hooks);
	list_init(&br->listeners);
	list_init(&br->protos);
	br->numports = cf->numports;
	br->words = BITS_WORDS(cf->numports + 1);
	br->hub = cf->hub;
	br->queue_limit = BRIDGE_DEFAULT_QLEN;
	br->gc_s = DEFAULT_GC;
	br->ports = calloc(cf->numports + 1, sizeof(struct port *));
	br->active = calloc(br->words, sizeof(uint64_t));
	br->usable = calloc(br->words, sizeof(uint64_t));
	br->open = calloc(br->words, sizeof(uint64_t));
	br->macs = mactab_new(cf->hash_size, cf->numports + 1, cf->secret);
	if (br->macs)
		mactab_on_gone(br->macs, address_gone, br);
	br->pool = frame_pool_new(FRAME_ROOM, cf->pool_frames);
	br->vlans[0] = vlan_new(0, br->words);
	bridge_update_transparent(br);
	if (br->ports && br->active && br->usable && br->open && br->macs &&
	    br->pool && br->vlans[0])
		return br;
	bridge_free(br);
	return NULL;
}

static void detach_all(struct port *p)
{
	list_for_each_safe(it, next, &p->endpoints) {
		bridge_detach(list_entry(it, struct endpoint, node));
	}
}

void bridge_free(struct bridge *br)
{
	if (!br)
		return;
	for (unsigned int i = 0; br->ports && i <= br->numports; i++) {
		if (!br->ports[i])
			continue;
		detach_all(br->ports[i]);
		port_free(br->ports[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(br->vlans); i++)
		vlan_free(br->vlans[i]);
	free(br->ports);
	free(br->active);
	free(br->usable);
	free(br->open);
	mactab_free(br->macs);
	frame_pool_free(br->pool);
	free(br);
}

/* ---- the way of a frame ---- */

/* Gives the frame its VLAN; false after counting why it has none. An
 * untagged or priority-tagged frame is in the port's untagged VLAN. */
static bool classify(const struct bridge *br, struct port *p, struct frame *f,
		     enum vlan_form form)
{
	uint16_t vid = frame_vid(f);
	const struct vlan *v;

	if (form == VLAN_UNTAGGED || vid == 0) {
		if (p->pvid == VLAN_NONE) {
			port_drop(p, f, form == VLAN_TAGGED, DROP_NO_VLAN);
			return false;
		}
		frame_set_tci(f, (f->tci & ~VLAN_VID_MASK) | p->pvid);
		return true;
	}
	v = br->vlans[vid];
	if (v ? vlan_is_member(v, p->id) : br->transparent && vid != VLAN_NONE)
		return true;
	port_drop(p, f, true, DROP_VLAN);
	return false;
}

/* Is it for a protocol of the switch itself? Those who watch see it before it
 * is answered; @shown: they have. */
static bool consumed(struct port *p, struct frame *f, bool tagged, uint64_t dst,
		     bool *shown)
{
	list_for_each(it, &p->br->protos) {
		struct bridge_proto *proto = list_entry(it, struct bridge_proto,
							node);

		if (proto->addr != dst)
			continue;
		if ((p->slow & PORT_HOOK_IN) && !*shown)
			hook_show(p, f, tagged);
		*shown = true;
		if (proto->input(proto, p, f, tagged))
			return true;
	}
	return false;
}

/* What is off the fast path before a frame is learned from; false: dropped,
 * and that is counted. */
static bool slow_input(struct port *p, struct frame *f, bool tagged, bool shown)
{
	if (p->slow & PORT_BLOCKED) {
		port_drop(p, f, tagged, DROP_BLOCKED);
		return false;
	}
	if (p->slow & PORT_GUARD && !portguard_input(p, f, tagged))
		return false;
	if (!(p->slow & PORT_HOOK_IN))
		return true;
	return shown ? hook_ask(p, f, tagged, HOOK_IN)
		     : hook_pass(p, f, tagged, HOOK_IN);
}

/* More about a source than that it is where it was. False: it belongs to another
 * port, and the frame is dropped and counted. */
static bool learned(struct port *p, struct frame *f, bool tagged, uint64_t key,
		    enum mactab_result what, unsigned int old)
{
	enum bridge_event_type type;

	switch (what) {
	case MACTAB_NEW:
		type = BRIDGE_MAC_NEW;
		break;
	case MACTAB_STICKY:
		portguard_claimed(p, f, tagged, old);
		return false;
	case MACTAB_MOVED:
	case MACTAB_KEPT:
		type = BRIDGE_MAC_MOVED;
		break;
	case MACTAB_KNOWN:
	case MACTAB_FULL:
	default:
		return true;
	}
	if (p->slow & PORT_GUARD)
		portguard_learned(p, key);
	bridge_tell(p->br, (struct bridge_event){ .type = type,
						  .port = p->id,
						  .port_old = old,
						  .vlan = mactab_vlan(key),
						  .addr = mactab_addr(key) });
	return true;
}

/* False as above. */
static inline bool learn(struct port *p, struct frame *f, bool tagged,
			 uint64_t addr, uint32_t now_s)
{
	uint64_t key = mactab_key(frame_vid(f), addr);
	unsigned int old = p->id;
	enum mactab_result what = mactab_learn(p->br->macs, key, p->id, now_s,
					       &old);

	return what == MACTAB_KNOWN || learned(p, f, tagged, key, what, old);
}

/* To all ports of @set but its own; an isolated one reaches no other. */
static void flood(struct bridge *br, const struct port *from, struct frame *f,
		  const uint64_t *set)
{
	unsigned int apart = from->slow & PORT_ISOLATED;
	uint16_t vid = frame_vid(f);

	bits_for_each(i, set, br->words) {
		struct port *to = br->ports[i];

		if (to != from && !(to->slow & apart))
			port_tx(to, f, to->pvid != vid);
	}
}

/* To all ports of its VLAN, or to those that want its group. */
static void to_many(struct port *p, struct frame *f, bool tagged, bool group,
		    const uint64_t *set)
{
	struct bridge *br = p->br;

	if (p->slow & PORT_GUARD && !portguard_flood(p, f, tagged))
		return;
	if (br->mcast && group)
		set = mcast_egress(br->mcast, frame_vid(f), p->id, f, set,
				   br->now);
	if (set)
		flood(br, p, f, set);
	else
		port_drop(p, f, tagged, DROP_MCAST);
}

/* Unchanged to every port except the management port. */
static void repeat(struct bridge *br, const struct port *from, struct frame *f)
{
	unsigned int apart = from->slow & PORT_ISOLATED;

	bits_for_each(i, br->open, br->words) {
		struct port *to = br->ports[i];

		if (i && to != from && !(to->slow & apart))
			port_tx(to, f, false);
	}
}

static void hub_input(struct port *p, struct frame *f)
{
	uint64_t dst = ether_addr(f->data);
	bool shown = false;

	if (ether_is_multicast(dst) && consumed(p, f, false, dst, &shown))
		return;
	if (!p->slow || slow_input(p, f, false, shown))
		repeat(p->br, p, f);
}

/* Returns the port the frame went to, or NULL. */
static struct port *forward(struct bridge *br, struct port *from,
			    struct frame *f, const uint64_t *set, int to)
{
	struct port *p = br->ports[to];
	bool tagged = from->pvid != frame_vid(f);

	if (p == from) {
		port_drop(from, f, tagged, DROP_SAME_PORT);
		return NULL;
	}
	if (!bits_test(set, (unsigned int)to)) {
		port_drop(from, f, tagged, DROP_DEST_GONE);
		return NULL;
	}
	if (p->slow & from->slow & PORT_ISOLATED) {
		port_drop(from, f, tagged, DROP_ISOLATED);
		return NULL;
	}
	port_tx(p, f, p->pvid != frame_vid(f));
	return p;
}

/* VLANs that are not defined are in VLAN 0's tree. */
static bool gate_stops(const struct bridge *br, const struct vlan *v,
		       unsigned int port, enum bridge_state need)
{
	const struct vlan *tree = v ? v : br->vlans[0];

	return tree->gated &&
	       !bits_test(need == BRIDGE_LEARNING ? tree->learning
						  : tree->forwarding,
			  port);
}

void bridge_input(struct port *p, struct frame *f, enum vlan_form form,
		  struct port **full)
{
	struct bridge *br = p->br;
	uint32_t now_s = (uint32_t)(br->now / NSEC);
	uint64_t dst = ether_addr(f->data);
	uint64_t src = ether_addr(f->data + ETHER_ADDR_LEN);
	bool tagged = form == VLAN_TAGGED;
	struct vlan *v;
	const uint64_t *set;
	uint16_t vid;
	bool shown = false;
	int to = -1;

	if (br->hub) {
		hub_input(p, f);
		return;
	}
	if (!classify(br, p, f, form))
		return;
	vid = frame_vid(f);
	v = br->vlans[vid];
	if (ether_is_multicast(dst) && consumed(p, f, tagged, dst, &shown))
		return;
	if (gate_stops(br, v, p->id, BRIDGE_LEARNING)) {
		port_drop(p, f, tagged, DROP_STP);
		return;
	}
	if (p->slow && !slow_input(p, f, tagged, shown))
		return;
	if (!ether_is_multicast(src) && !learn(p, f, tagged, src, now_s))
		return;
	if (gate_stops(br, v, p->id, BRIDGE_FORWARDING)) {
		port_drop(p, f, tagged, DROP_STP);
		return;
	}
	if (!ether_is_multicast(dst))
		to = mactab_find(br->macs, mactab_key(vid, dst), now_s);
	set = v ? bridge_flood_set(br, v) : br->open;
	if (to < 0) {
		to_many(p, f, tagged, ether_is_multicast(dst), set);
		return;
	}
	p = forward(br, p, f, set, to);
	if (p && port_is_congested(p))
		*full = p;
}

int bridge_originate(struct bridge *br, unsigned int port, unsigned int vid,
		     const uint8_t *bytes, size_t len)
{
	struct port *p = bridge_port(br, port);
	const struct vlan *v = vid < VLAN_NONE ? br->vlans[vid] : NULL;
	struct frame *f;

	if (len < ETHER_HDR_LEN || len > ETHER_MAX_LEN)
		return -EINVAL;
	if (!p || !port_is_active(p))
		return -ENXIO;
	if (!br->hub && (!v || !vlan_is_member(v, port)))
		return -ENXIO;
	f = frame_new(br->pool);
	if (!f)
		return -ENOBUFS;
	memcpy(f->data, bytes, len);
	f->len = (uint32_t)len;
	frame_set_tci(f, (uint16_t)vid);
	f->own = true;
	port_tx(p, f, !br->hub && p->pvid != vid);
	frame_unref(f);
	return 0;
}

void bridge_proto_add(struct bridge *br, struct bridge_proto *proto)
{
	list_add_tail(&br->protos, &proto->node);
}

void bridge_proto_del(struct bridge *br, struct bridge_proto *proto)
{
	if (proto->node.next)
		list_del(&proto->node);
}

void bridge_flush(struct bridge *br)
{
	while (!list_empty(&br->touched))
		port_flush(list_entry(br->touched.next, struct port, touched));
}

/* ---- addresses ---- */

uint64_t bridge_expire(struct bridge *br, uint64_t now)
{
	uint32_t now_s = (uint32_t)(now / NSEC), due;

	if (!br->gc_s)
		return 0;
	due = mactab_expire(br->macs, now_s);
	if (!due)
		return 0;
	if (due < now_s + br->gc_s)
		due = now_s + br->gc_s;
	return due * NSEC;
}

/* ---- endpoints ---- */

int bridge_attach(struct bridge *br, unsigned int id, struct endpoint *ep)
{
	int rc = br->ports[id] ? 0 : bridge_port_create(br, id);
	struct port *p = br->ports[id];
	bool was_active;

	if (rc)
		return rc;
	was_active = port_is_active(p);
	ep->port = p;
	txq_init(&ep->queue, br->queue_limit, &br->queued);
	list_add_head(&p->endpoints, &ep->node);
	port_update_takes(p);
	if (!was_active) {
		p->current_uid = ep->uid;
		bridge_update_port(br, p);
		bridge_tell(br, (struct bridge_event){ .type = BRIDGE_PORT_UP,
						       .port = id });
	}
	bridge_tell(br, (struct bridge_event){ .type = BRIDGE_ENDPOINT_NEW,
					       .port = id,
					       .ep = ep });
	if (ep->descr[0])
		bridge_tell(br, (struct bridge_event){
					.type = BRIDGE_ENDPOINT_DESCR,
					.port = id,
					.ep = ep });
	return 0;
}

void bridge_detach(struct endpoint *ep)
{
	struct port *p = ep->port;
	struct bridge *br = p->br;

	port_flush(p);
	bridge_tell(br, (struct bridge_event){ .type = BRIDGE_ENDPOINT_GONE,
					       .port = p->id,
					       .ep = ep });
	list_del(&ep->node);
	list_del(&ep->held);
	port_update_takes(p);
	port_release(p);
	p->drops[DROP_SEND] += ep->queue.count;
	txq_fini(&ep->queue);
	ep->tr->close(ep);
	if (port_is_active(p))
		return;
	p->current_uid = PORT_NOBODY;
	bridge_update_port(br, p);
	bridge_tell(br, (struct bridge_event){ .type = BRIDGE_PORT_DOWN,
					       .port = p->id });
	mactab_flush(br->macs, p->id, -1);
}

void bridge_set_link(struct endpoint *ep, bool link)
{
	struct port *p = ep->port;

	if (ep->no_link == !link)
		return;
	ep->no_link = !link;
	bridge_tell(p->br, (struct bridge_event){ .type = BRIDGE_LINK,
						  .port = p->id,
						  .ep = ep });
	if (!port_has_link(p))
		mactab_flush(p->br->macs, p->id, -1);
}

struct endpoint *bridge_endpoint(const struct port *p, uint32_t id)
{
	list_for_each(it, &p->endpoints) {
		struct endpoint *ep = list_entry(it, struct endpoint, node);

		if (ep->id == id)
			return ep;
	}
	return NULL;
}
