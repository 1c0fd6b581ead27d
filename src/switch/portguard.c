// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/portguard.h"

#include <errno.h>
#include <stdlib.h>

#include "switch/bridge_impl.h"

#define NSEC UINT64_C(1000000000)
#define BROADCAST UINT64_C(0xffffffffffff)

static const enum drop_reason storm_reasons[] = {
	[GUARD_BROADCAST] = DROP_STORM_BROADCAST,
	[GUARD_MULTICAST] = DROP_STORM_MULTICAST,
	[GUARD_UNKNOWN] = DROP_STORM_UNKNOWN,
};
static_assert(ARRAY_SIZE(storm_reasons) == GUARD_N_KINDS,
	      "a kind has no reason");

static uint32_t seconds(uint64_t now)
{
	return (uint32_t)(now / NSEC);
}

static bool refuse(struct port *p, struct frame *f, bool tagged,
		   enum drop_reason why)
{
	port_drop(p, f, tagged, why);
	return false;
}

/* ---- of a frame ---- */

static void tell_refused(const struct port *p, const struct frame *f,
			 unsigned int owner)
{
	bridge_tell(p->br,
		    (struct bridge_event){
			    .type = BRIDGE_MAC_REFUSED,
			    .port = p->id,
			    .port_old = owner,
			    .vlan = frame_vid(f),
			    .addr = ether_addr(f->data + ETHER_ADDR_LEN) });
}

bool portguard_input(struct port *p, struct frame *f, bool tagged)
{
	struct bridge *br = p->br;
	struct guard *g = p->guard;
	uint64_t src = ether_addr(f->data + ETHER_ADDR_LEN);

	if (!guard_meter_take(&g->rate, f, tagged, br->now))
		return refuse(p, f, tagged, DROP_RATE);
	if (br->hub)
		return true;
	if (!guard_source_may(g, src))
		return refuse(p, f, tagged, DROP_SOURCE);
	if (guard_addr_may(g, br->macs, mactab_key(frame_vid(f), src), p->id,
			   seconds(br->now)))
		return true;
	tell_refused(p, f, p->id);
	return refuse(p, f, tagged, DROP_ADDR_LIMIT);
}

void portguard_learned(struct port *p, uint64_t key)
{
	if (p->guard->sticky && mactab_is_on(p->br->macs, key, p->id))
		mactab_stick(p->br->macs, key, MACTAB_STICKY_PORT);
}

bool portguard_flood(struct port *p, struct frame *f, bool tagged)
{
	uint64_t dst = ether_addr(f->data);
	enum guard_kind kind = GUARD_UNKNOWN;

	if (dst == BROADCAST)
		kind = GUARD_BROADCAST;
	else if (ether_is_multicast(dst))
		kind = GUARD_MULTICAST;
	return guard_meter_take(&p->guard->storm[kind], f, tagged,
				p->br->now) ||
	       refuse(p, f, tagged, storm_reasons[kind]);
}

void portguard_claimed(struct port *p, struct frame *f, bool tagged,
		       unsigned int owner)
{
	tell_refused(p, f, owner);
	port_drop(p, f, tagged, DROP_ADDR_VIOLATION);
}

/* ---- settings ---- */

/* The port's guard, from the first time that it is needed; or NULL. */
static struct guard *guard_of(struct port *p)
{
	if (!p->guard) {
		p->guard = malloc(sizeof(*p->guard));
		if (p->guard)
			guard_init(p->guard);
	}
	return p->guard;
}

static void update(struct port *p)
{
	p->slow &= ~PORT_GUARD;
	if (guard_is_on(p->guard))
		p->slow |= PORT_GUARD;
}

/* After what is known of the limit has changed. */
static void enforce(struct port *p, uint64_t now)
{
	uint32_t limit = guard_addr_limit(p->guard);

	if (limit)
		mactab_trim(p->br->macs, p->id, limit, seconds(now));
	update(p);
}

int portguard_set_max(struct port *p, uint32_t n, uint64_t now)
{
	struct guard *g = guard_of(p);

	if (!g)
		return -ENOMEM;
	g->max_addrs = n;
	enforce(p, now);
	return 0;
}

int portguard_set_sticky(struct port *p, bool on, uint64_t now)
{
	struct guard *g = guard_of(p);
	int rc = 0;

	if (!g)
		return -ENOMEM;
	g->sticky = on;
	enforce(p, now);
	if (on)
		rc = mactab_stick_port(p->br->macs, p->id, MACTAB_STICKY_PORT);
	else
		mactab_unstick_port(p->br->macs, p->id, MACTAB_STICKY_PORT,
				    seconds(now));
	return rc;
}

int portguard_set_storm(struct port *p, enum guard_kind kind,
			uint64_t frames_ps, uint64_t bytes_ps, uint64_t now)
{
	if (!guard_of(p))
		return -ENOMEM;
	guard_set_storm(p->guard, kind, frames_ps, bytes_ps, now);
	update(p);
	return 0;
}

int portguard_set_rate(struct port *p, uint64_t frames_ps, uint64_t bytes_ps,
		       uint64_t burst_bytes, uint64_t now)
{
	if (!guard_of(p))
		return -ENOMEM;
	guard_set_rate(p->guard, frames_ps, bytes_ps, burst_bytes, now);
	update(p);
	return 0;
}

int portguard_source_add(struct port *p, uint64_t addr)
{
	int rc = guard_of(p) ? guard_source_add(p->guard, addr) : -ENOMEM;

	if (!rc)
		update(p);
	return rc;
}

int portguard_source_del(struct port *p, uint64_t addr)
{
	return p->guard ? guard_source_del(p->guard, addr) : -ENOENT;
}

void portguard_source_off(struct port *p)
{
	if (!p->guard)
		return;
	guard_source_off(p->guard);
	update(p);
}

/* ---- sticky addresses by hand ---- */

static bool takes_vlan(const struct port *p, unsigned int vid)
{
	const struct vlan *v = p->br->vlans[vid];

	return v ? vlan_is_member(v, p->id) : p->br->transparent;
}

/* Learns @key on the port although it may just have been heard elsewhere. */
static int place(struct port *p, uint64_t key, uint32_t now_s)
{
	struct mactab *macs = p->br->macs;
	struct mactab_entry e;
	unsigned int old;

	if (mactab_is_on(macs, key, p->id))
		return 0;
	if (!guard_has_room(p->guard, macs, p->id, now_s) ||
	    !mactab_may_stick(macs))
		return -ENOSPC;
	if (mactab_get(macs, key, now_s, &e)) {
		if (e.sticky)
			return -EEXIST;
		mactab_drop(macs, key);
	}
	switch (mactab_learn(macs, key, p->id, now_s, &old)) {
	case MACTAB_NEW:
	case MACTAB_MOVED:
	case MACTAB_KNOWN:
		break;
	case MACTAB_KEPT:
	case MACTAB_STICKY:
	case MACTAB_FULL:
	default:
		return -ENOSPC;
	}
	bridge_tell(p->br, (struct bridge_event){ .type = BRIDGE_MAC_NEW,
						  .port = p->id,
						  .vlan = mactab_vlan(key),
						  .addr = mactab_addr(key) });
	return 0;
}

int portguard_stick(struct port *p, unsigned int vid, uint64_t addr,
		    uint64_t now)
{
	uint64_t key = mactab_key(vid, addr);
	int rc;

	if (ether_is_multicast(addr) || vid >= VLAN_NONE)
		return -EINVAL;
	if (!takes_vlan(p, vid))
		return -ENXIO;
	if (!guard_of(p))
		return -ENOMEM;
	rc = place(p, key, seconds(now));
	return rc ? rc : mactab_stick(p->br->macs, key, MACTAB_STICKY_HAND);
}

void portguard_forget(struct port *p)
{
	mactab_forget_sticky(p->br->macs, p->id);
}

void portguard_free(struct guard *g)
{
	if (!g)
		return;
	guard_fini(g);
	free(g);
}
