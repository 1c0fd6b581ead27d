/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bridge_impl - what the two halves of the bridge share: bridge.c has the way
 * of a frame, bridge_table.c the tables it reads
 */
#ifndef SWITCH_BRIDGE_IMPL_H
#define SWITCH_BRIDGE_IMPL_H

#include "switch/bridge.h"

/* To every listener that wants to hear it. */
void bridge_tell(const struct bridge *, struct bridge_event);
void bridge_update_transparent(struct bridge *);
/* Puts the port into the sets it belongs to, or takes it out: it became active
 * or inactive, was blocked or released. */
void bridge_update_port(struct bridge *, const struct port *);
void bridge_update_vlan(const struct bridge *, struct vlan *);

/* Where a flood of @v goes. There may be thousands of VLANs, so each is brought
 * up to date when it is used, not when a port comes or goes. */
static inline const uint64_t *bridge_flood_set(const struct bridge *br,
					       struct vlan *v)
{
	if (v->flood_at != br->changes)
		bridge_update_vlan(br, v);
	return v->flood;
}

#endif
