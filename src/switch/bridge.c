// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of a frame: classify (which VLAN), learn (source), look up
 * (destination), then one port or the VLAN's flood set. The tables behind it
 * are kept ready for this: a VLAN's flood set holds its active members only,
 * and an address is forgotten when its port leaves the VLAN or loses its last
 * endpoint.
 */
#include "switch/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static void update_transparent(struct bridge *br)
{
	br->transparent = br->vlan_mode == BRIDGE_VLAN_TRANSPARENT ||
			  (br->vlan_mode == BRIDGE_VLAN_AUTO && !br->n_vlans);
}

static bool wants(const struct bridge *br, enum bridge_event_type type)
{
	return br->events >> type & 1;
}

static void tell(const struct bridge *br, struct bridge_event ev)
{
	if (wants(br, ev.type))
		br->notify(br->notify_ctx, &ev);
}

static void address_gone(void *ctx, const struct mactab_entry *e)
{
	tell(ctx, (struct bridge_event){ .type = BRIDGE_MAC_GONE,
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
	br->numports = cf->numports;
	br->words = BITS_WORDS(cf->numports + 1);
	br->hub = cf->hub;
	br->queue_limit = BRIDGE_DEFAULT_QLEN;
	br->gc_s = DEFAULT_GC;
	br->ports = calloc(cf->numports + 1, sizeof(struct port *));
	br->active = calloc(br->words, sizeof(uint64_t));
	br->macs = mactab_new(cf->hash_size, cf->numports + 1, cf->secret);
	if (br->macs)
		mactab_on_gone(br->macs, address_gone, br);
	br->pool = frame_pool_new(FRAME_ROOM, cf->pool_frames);
	br->vlans[0] = vlan_new(0, br->words);
	update_transparent(br);
	if (br->ports && br->active && br->macs && br->pool && br->vlans[0])
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
			p->drops[DROP_NO_VLAN]++;
			return false;
		}
		frame_set_tci(f, (f->tci & ~VLAN_VID_MASK) | p->pvid);
		return true;
	}
	v = br->vlans[vid];
	if (v ? vlan_is_member(v, p->id) : br->transparent && vid != VLAN_NONE)
		return true;
	p->drops[DROP_VLAN]++;
	return false;
}

static void learn(struct bridge *br, unsigned int port, uint64_t addr,
		  unsigned int vid, uint32_t now_s)
{
	unsigned int old = port;
	enum bridge_event_type type;

	switch (mactab_learn(br->macs, mactab_key(vid, addr), port, now_s,
			     &old)) {
	case MACTAB_NEW:
		type = BRIDGE_MAC_NEW;
		break;
	case MACTAB_MOVED:
	case MACTAB_KEPT:
		type = BRIDGE_MAC_MOVED;
		break;
	case MACTAB_KNOWN:
	case MACTAB_FULL:
	case MACTAB_STICKY:
	default:
		return;
	}
	tell(br, (struct bridge_event){ .type = type,
					.port = port,
					.port_old = old,
					.vlan = vid,
					.addr = addr });
}

static void flood(struct bridge *br, const struct port *from, struct frame *f,
		  const uint64_t *set)
{
	uint16_t vid = frame_vid(f);

	bits_for_each(i, set, br->words) {
		struct port *to = br->ports[i];

		if (to != from)
			port_tx(to, f, to->pvid != vid);
	}
}

/* Unchanged to every port except the management port. */
static void repeat(struct bridge *br, const struct port *from, struct frame *f)
{
	bits_for_each(i, br->active, br->words) {
		if (i && br->ports[i] != from)
			port_tx(br->ports[i], f, false);
	}
}

/* Returns the port the frame went to, or NULL. */
static struct port *forward(struct bridge *br, struct port *from,
			    struct frame *f, const uint64_t *set, int to)
{
	struct port *p = br->ports[to];

	if (p == from) {
		from->drops[DROP_SAME_PORT]++;
		return NULL;
	}
	if (!bits_test(set, (unsigned int)to)) {
		from->drops[DROP_DEST_GONE]++;
		return NULL;
	}
	port_tx(p, f, p->pvid != frame_vid(f));
	return p;
}

void bridge_input(struct port *p, struct frame *f, enum vlan_form form,
		  uint64_t now, struct port **full)
{
	struct bridge *br = p->br;
	uint32_t now_s = (uint32_t)(now / NSEC);
	uint64_t dst = ether_addr(f->data);
	uint64_t src = ether_addr(f->data + ETHER_ADDR_LEN);
	const uint64_t *set;
	uint16_t vid;
	int to = -1;

	if (br->hub) {
		repeat(br, p, f);
		return;
	}
	if (!classify(br, p, f, form))
		return;
	vid = frame_vid(f);
	if (!ether_is_multicast(src))
		learn(br, p->id, src, vid, now_s);
	if (!ether_is_multicast(dst))
		to = mactab_find(br->macs, mactab_key(vid, dst), now_s);
	set = br->vlans[vid] ? br->vlans[vid]->flood : br->active;
	if (to < 0) {
		flood(br, p, f, set);
		return;
	}
	p = forward(br, p, f, set, to);
	if (p && port_is_congested(p))
		*full = p;
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

/* ---- ports ---- */

struct port *bridge_port(const struct bridge *br, unsigned int id)
{
	return id <= br->numports ? br->ports[id] : NULL;
}

/* Puts the port into the flood sets it belongs to, or takes it out. */
static void update_flood(struct bridge *br, const struct port *p)
{
	bool active = port_is_active(p);
	size_t n = br->n_vlans ? ARRAY_SIZE(br->vlans) : 1;

	if (active)
		bits_set(br->active, p->id);
	else
		bits_clear(br->active, p->id);
	for (size_t i = 0; i < n; i++) {
		struct vlan *v = br->vlans[i];

		if (!v)
			continue;
		if (active && vlan_is_member(v, p->id))
			bits_set(v->flood, p->id);
		else
			bits_clear(v->flood, p->id);
	}
}

int bridge_port_create(struct bridge *br, unsigned int id)
{
	struct port *p;

	if (id > br->numports)
		return -EINVAL;
	if (br->ports[id])
		return -EEXIST;
	p = port_new(br, id);
	if (!p)
		return -ENOMEM;
	br->ports[id] = p;
	bits_set(br->vlans[0]->untagged, id);
	return 0;
}

int bridge_port_create_auto(struct bridge *br)
{
	for (unsigned int i = 1; i <= br->numports; i++) {
		int rc;

		if (br->ports[i])
			continue;
		rc = bridge_port_create(br, i);
		return rc ? rc : (int)i;
	}
	return -ENOSPC;
}

int bridge_port_remove(struct bridge *br, unsigned int id)
{
	struct port *p;

	if (id > br->numports)
		return -EINVAL;
	p = br->ports[id];
	if (!p)
		return -ENXIO;
	if (port_is_active(p))
		return -EADDRINUSE;
	for (size_t i = 0; i < ARRAY_SIZE(br->vlans); i++) {
		if (!br->vlans[i])
			continue;
		bits_clear(br->vlans[i]->tagged, id);
		bits_clear(br->vlans[i]->untagged, id);
	}
	mactab_flush(br->macs, (int)id, -1);
	br->ports[id] = NULL;
	port_free(p);
	return 0;
}

/* The lowest port that does not exist yet, or exists and may be given away.
 * Active ports are passed over a word at a time. */
static int any_port(const struct bridge *br, const struct port_user *user)
{
	for (unsigned int i = 1; i <= br->numports; i++) {
		const struct port *p = br->ports[i];

		if (!~br->active[i / 64]) {
			i |= 63;
			continue;
		}
		if (!p || (!port_is_active(p) && p->allocatable &&
			   !port_admits(p, user)))
			return (int)i;
	}
	return -ENOSPC;
}

int bridge_port_for(const struct bridge *br, int want,
		    const struct port_user *user)
{
	int rc = 0;

	if (want < 0)
		return any_port(br, user);
	if ((unsigned int)want > br->numports)
		return -EINVAL;
	if (br->ports[want])
		rc = port_admits(br->ports[want], user);
	return rc ? rc : want;
}

/* Bitmaps only grow: if memory runs out half way, every one of them is still
 * at least br->words long. */
static int grow_bitmaps(struct bridge *br, size_t words)
{
	uint64_t *active;

	if (words <= br->words)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(br->vlans); i++)
		if (br->vlans[i] && vlan_resize(br->vlans[i], br->words, words))
			return -ENOMEM;
	active = calloc(words, sizeof(uint64_t));
	if (!active)
		return -ENOMEM;
	memcpy(active, br->active, br->words * sizeof(*active));
	free(br->active);
	br->active = active;
	br->words = words;
	return 0;
}

int bridge_set_numports(struct bridge *br, unsigned int n)
{
	struct port **ports;

	if (n < 1 || n > BRIDGE_PORTS_MAX)
		return -EINVAL;
	for (unsigned int i = n + 1; i <= br->numports; i++)
		if (br->ports[i])
			return -EADDRINUSE;
	ports = calloc(n + 1, sizeof(struct port *));
	if (!ports)
		return -ENOMEM;
	if (mactab_set_ports(br->macs, n + 1) ||
	    grow_bitmaps(br, BITS_WORDS(n + 1))) {
		free(ports);
		return -ENOMEM;
	}
	memcpy(ports, br->ports,
	       (size_min(n, br->numports) + 1) * sizeof(struct port *));
	free(br->ports);
	br->ports = ports;
	br->numports = n;
	return 0;
}

/* Addresses learned before say nothing about what came while it was a hub. */
void bridge_set_hub(struct bridge *br, bool hub)
{
	if (hub != br->hub)
		mactab_flush(br->macs, -1, -1);
	br->hub = hub;
}

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
		update_flood(br, p);
		tell(br, (struct bridge_event){ .type = BRIDGE_PORT_UP,
						.port = id });
	}
	tell(br, (struct bridge_event){
			 .type = BRIDGE_ENDPOINT_NEW, .port = id, .ep = ep });
	if (ep->descr[0])
		tell(br, (struct bridge_event){ .type = BRIDGE_ENDPOINT_DESCR,
						.port = id,
						.ep = ep });
	return 0;
}

void bridge_detach(struct endpoint *ep)
{
	struct port *p = ep->port;
	struct bridge *br = p->br;

	port_flush(p);
	tell(br, (struct bridge_event){ .type = BRIDGE_ENDPOINT_GONE,
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
	update_flood(br, p);
	tell(br,
	     (struct bridge_event){ .type = BRIDGE_PORT_DOWN, .port = p->id });
	mactab_flush(br->macs, p->id, -1);
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

/* ---- VLANs ---- */

void bridge_set_vlan_mode(struct bridge *br, enum bridge_vlan_mode mode)
{
	br->vlan_mode = mode;
	update_transparent(br);
}

int bridge_vlan_create(struct bridge *br, unsigned int vid)
{
	if (vid < 1 || vid > BRIDGE_VLAN_LAST)
		return -EINVAL;
	if (br->vlans[vid])
		return -EEXIST;
	br->vlans[vid] = vlan_new(vid, br->words);
	if (!br->vlans[vid])
		return -ENOMEM;
	mactab_flush(br->macs, -1, (int)vid); /* of its transparent days */
	br->n_vlans++;
	update_transparent(br);
	return 0;
}

int bridge_vlan_remove(struct bridge *br, unsigned int vid)
{
	struct vlan *v;

	if (vid < 1 || vid > BRIDGE_VLAN_LAST)
		return -EINVAL;
	v = br->vlans[vid];
	if (!v)
		return -ENXIO;
	if (bits_any(v->tagged, br->words) || bits_any(v->untagged, br->words))
		return -EADDRINUSE;
	br->vlans[vid] = NULL;
	vlan_free(v);
	br->n_vlans--;
	update_transparent(br);
	return 0;
}

/* Both must exist. */
static int find_both(const struct bridge *br, unsigned int vid, unsigned int id,
		     struct vlan **v, struct port **p)
{
	if (vid > BRIDGE_VLAN_LAST || id > br->numports)
		return -EINVAL;
	*v = br->vlans[vid];
	*p = br->ports[id];
	return *v && *p ? 0 : -ENXIO;
}

int bridge_vlan_add_port(struct bridge *br, unsigned int vid, unsigned int id)
{
	struct vlan *v;
	struct port *p;
	int rc = find_both(br, vid, id, &v, &p);

	if (rc || p->pvid == vid)
		return rc;
	port_flush(p);
	bits_set(v->tagged, id);
	update_flood(br, p);
	return 0;
}

int bridge_vlan_del_port(struct bridge *br, unsigned int vid, unsigned int id)
{
	struct vlan *v;
	struct port *p;
	int rc = find_both(br, vid, id, &v, &p);

	if (rc)
		return rc;
	if (p->pvid == vid)
		return -EADDRINUSE;
	port_flush(p);
	bits_clear(v->tagged, id);
	mactab_flush(br->macs, (int)id, (int)vid);
	update_flood(br, p);
	return 0;
}

int bridge_port_set_vlan(struct bridge *br, unsigned int id, unsigned int vid)
{
	struct port *p = bridge_port(br, id);

	if (id > br->numports || vid > VLAN_NONE)
		return -EINVAL;
	if (!p || (vid != VLAN_NONE && !br->vlans[vid]))
		return -ENXIO;
	if (p->pvid == vid)
		return 0;
	port_flush(p);
	if (p->pvid != VLAN_NONE) {
		bits_clear(br->vlans[p->pvid]->untagged, id);
		mactab_flush(br->macs, (int)id, p->pvid);
	}
	p->pvid = (uint16_t)vid;
	if (vid != VLAN_NONE) {
		bits_set(br->vlans[vid]->untagged, id);
		bits_clear(br->vlans[vid]->tagged, id);
		mactab_flush(br->macs, (int)id, (int)vid);
	}
	update_flood(br, p);
	return 0;
}
