// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of the bridge: ports, VLANs, who is a member of what, and which
 * member takes part in forwarding. The way of a frame (bridge.c) only reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/bridge_impl.h"
#include "switch/hook.h"
#include "switch/mcast.h"

static void tell_port(const struct bridge *br, enum bridge_event_type type,
		      unsigned int id)
{
	bridge_tell(br, (struct bridge_event){ .type = type, .port = id });
}

static void tell_vlan(const struct bridge *br, enum bridge_event_type type,
		      unsigned int vid)
{
	bridge_tell(br, (struct bridge_event){ .type = type, .vlan = vid });
}

static void tell_member(const struct bridge *br, unsigned int id,
			unsigned int vid)
{
	bridge_tell(br, (struct bridge_event){ .type = BRIDGE_MEMBER,
					       .port = id,
					       .vlan = vid });
}

/* ---- ports ---- */

struct port *bridge_port(const struct bridge *br, unsigned int id)
{
	return id <= br->numports ? br->ports[id] : NULL;
}

static void put(uint64_t *set, unsigned int id, bool in)
{
	if (in)
		bits_set(set, id);
	else
		bits_clear(set, id);
}

/* May frames of the VLAN leave by this port? */
static bool is_open(const struct vlan *v, const struct port *p)
{
	return bits_test(p->br->usable, p->id) &&
	       (!v->gated || bits_test(v->forwarding, p->id));
}

static void update_flood(const struct vlan *v, const struct port *p)
{
	put(v->flood, p->id, is_open(v, p) && vlan_is_member(v, p->id));
}

/* Frames of VLANs that are not defined follow VLAN 0's spanning tree. */
static void update_open(struct bridge *br, const struct port *p)
{
	put(br->open, p->id, is_open(br->vlans[0], p));
}

void bridge_update_port(struct bridge *br, const struct port *p)
{
	bool active = port_is_active(p);

	put(br->active, p->id, active);
	put(br->usable, p->id, active && !(p->slow & PORT_BLOCKED));
	update_open(br, p);
	br->changes++;
}

void bridge_update_vlan(const struct bridge *br, struct vlan *v)
{
	for (size_t i = 0; i < br->words; i++) {
		uint64_t set = v->tagged[i] | v->untagged[i];

		if (v->gated)
			set &= v->forwarding[i];
		v->flood[i] = set & br->usable[i];
	}
	v->flood_at = br->changes;
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
	hook_update_port(p);
	tell_port(br, BRIDGE_PORT_CREATED, id);
	tell_member(br, id, 0);
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
	tell_port(br, BRIDGE_PORT_REMOVED, id);
	for (size_t i = 0; i < ARRAY_SIZE(br->vlans); i++)
		if (br->vlans[i])
			vlan_forget(br->vlans[i], id);
	mactab_forget(br->macs, (int)id, -1);
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

/* A longer copy in its place; false without memory. */
static bool grow(uint64_t **set, size_t old, size_t words)
{
	uint64_t *b = calloc(words, sizeof(*b));

	if (!b)
		return false;
	memcpy(b, *set, old * sizeof(*b));
	free(*set);
	*set = b;
	return true;
}

/* Bitmaps only grow: if memory runs out half way, every one of them is still
 * at least br->words long. */
static int grow_bitmaps(struct bridge *br, size_t words)
{
	if (words <= br->words)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(br->vlans); i++)
		if (br->vlans[i] && vlan_resize(br->vlans[i], br->words, words))
			return -ENOMEM;
	if (!grow(&br->active, br->words, words) ||
	    !grow(&br->usable, br->words, words) ||
	    !grow(&br->open, br->words, words) ||
	    (br->mcast && mcast_set_words(br->mcast, words)))
		return -ENOMEM;
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
	if (hub == br->hub)
		return;
	mactab_flush(br->macs, -1, -1);
	br->hub = hub;
	bridge_tell(br, (struct bridge_event){ .type = BRIDGE_HUB });
}

/* ---- VLANs ---- */

void bridge_set_vlan_mode(struct bridge *br, enum bridge_vlan_mode mode)
{
	br->vlan_mode = mode;
	bridge_update_transparent(br);
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
	mactab_forget(br->macs, -1, (int)vid); /* of its transparent days */
	br->n_vlans++;
	bridge_update_transparent(br);
	tell_vlan(br, BRIDGE_VLAN_CREATED, vid);
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
	tell_vlan(br, BRIDGE_VLAN_REMOVED, vid);
	br->vlans[vid] = NULL;
	vlan_free(v);
	br->n_vlans--;
	bridge_update_transparent(br);
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
	update_flood(v, p);
	tell_member(br, id, vid);
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
	mactab_forget(br->macs, (int)id, (int)vid);
	update_flood(v, p);
	tell_member(br, id, vid);
	return 0;
}

int bridge_port_set_vlan(struct bridge *br, unsigned int id, unsigned int vid)
{
	struct port *p = bridge_port(br, id);
	unsigned int old;

	if (id > br->numports || vid > VLAN_NONE)
		return -EINVAL;
	if (!p || (vid != VLAN_NONE && !br->vlans[vid]))
		return -ENXIO;
	old = p->pvid;
	if (old == vid)
		return 0;
	port_flush(p);
	p->pvid = (uint16_t)vid;
	if (old != VLAN_NONE) {
		bits_clear(br->vlans[old]->untagged, id);
		mactab_forget(br->macs, (int)id, (int)old);
		update_flood(br->vlans[old], p);
		tell_member(br, id, old);
	}
	if (vid != VLAN_NONE) {
		bits_set(br->vlans[vid]->untagged, id);
		bits_clear(br->vlans[vid]->tagged, id);
		mactab_flush(br->macs, (int)id, (int)vid);
		update_flood(br->vlans[vid], p);
		tell_member(br, id, vid);
	}
	return 0;
}

/* ---- who takes part ---- */

int bridge_gate(struct bridge *br, unsigned int vid, bool on)
{
	struct vlan *v;

	if (vid > BRIDGE_VLAN_LAST)
		return -EINVAL;
	v = br->vlans[vid];
	if (!v)
		return -ENXIO;
	v->gated = on;
	memset(v->learning, 0, br->words * sizeof(*v->learning));
	memset(v->forwarding, 0, br->words * sizeof(*v->forwarding));
	for (unsigned int i = 0; i <= br->numports; i++) {
		if (!br->ports[i])
			continue;
		port_flush(br->ports[i]);
		update_flood(v, br->ports[i]);
		if (!vid)
			update_open(br, br->ports[i]);
	}
	return 0;
}

void bridge_set_state(struct bridge *br, unsigned int vid, unsigned int port,
		      enum bridge_state state)
{
	struct vlan *v = br->vlans[vid];
	struct port *p = br->ports[port];

	put(v->learning, port, state != BRIDGE_DISCARDING);
	put(v->forwarding, port, state == BRIDGE_FORWARDING);
	port_flush(p);
	update_flood(v, p);
	if (!vid)
		update_open(br, p);
}

enum bridge_state bridge_get_state(const struct bridge *br, unsigned int vid,
				   unsigned int port)
{
	const struct vlan *v = br->vlans[vid];

	if (!v->gated || bits_test(v->forwarding, port))
		return BRIDGE_FORWARDING;
	return bits_test(v->learning, port) ? BRIDGE_LEARNING
					    : BRIDGE_DISCARDING;
}

void bridge_block(struct bridge *br, unsigned int port, bool on)
{
	struct port *p = br->ports[port];

	port_flush(p);
	p->slow = on ? p->slow | PORT_BLOCKED : p->slow & ~PORT_BLOCKED;
	bridge_update_port(br, p);
	if (on)
		mactab_flush(br->macs, (int)port, -1);
	else if (br->mcast)
		mcast_port_up(br->mcast, port, br->now); /* it heard no query */
}

void bridge_isolate(struct bridge *br, unsigned int port, bool on)
{
	struct port *p = br->ports[port];

	p->slow = on ? p->slow | PORT_ISOLATED : p->slow & ~PORT_ISOLATED;
}
