/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portguard - guards put at the ports of a bridge
 *
 * The first half is what the bridge asks about a frame; PORT_GUARD in
 * port->slow says that there is something to ask. The second half is what the
 * console sets: 0 or -errno, @now in ns.
 */
#ifndef SWITCH_PORTGUARD_H
#define SWITCH_PORTGUARD_H

#include "switch/guard.h"
#include "switch/port.h"

/* May the frame, whose VLAN is known, come in? False: dropped and counted. */
bool portguard_input(struct port *, struct frame *, bool tagged);
/* @key has just been learned, on this port unless it was kept elsewhere. */
void portguard_learned(struct port *, uint64_t key);
/* May the frame go to more ports than one? As portguard_input(). */
bool portguard_flood(struct port *, struct frame *, bool tagged);
/* The source of the frame is sticky on @owner: drops it. */
void portguard_claimed(struct port *, struct frame *, bool tagged,
		       unsigned int owner);

/* With fewer than it has, the port forgets the addresses that were silent for
 * longest; sticky ones it keeps, and learns no other until some are gone. */
int portguard_set_max(struct port *, uint32_t n, uint64_t now);
/* On: also those that are there. Off: they expire as any other, but for those
 * of portguard_stick(). */
int portguard_set_sticky(struct port *, bool on, uint64_t now);
int portguard_set_storm(struct port *, enum guard_kind, uint64_t frames_ps,
			uint64_t bytes_ps, uint64_t now);
int portguard_set_rate(struct port *, uint64_t frames_ps, uint64_t bytes_ps,
		       uint64_t burst_bytes, uint64_t now);
int portguard_source_add(struct port *, uint64_t addr);
int portguard_source_del(struct port *, uint64_t addr);
void portguard_source_off(struct port *);

/* The address is on this port, and stays. -EINVAL a group, or not a VLAN;
 * -ENXIO the port is not in the VLAN; -EEXIST sticky on another port;
 * -ENOSPC the port has all addresses it may have, or the table is full. */
int portguard_stick(struct port *, unsigned int vid, uint64_t addr,
		    uint64_t now);
/* The port's sticky addresses. */
void portguard_forget(struct port *);

void portguard_free(struct guard *);

#endif
