/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard - what may come in by a port, for switches that strangers plug into
 *
 * All of it is off until somebody turns it on, and lives as long as its port.
 * A frame meets the checks in this order, and the first that refuses it is the
 * reason its drop is counted for:
 *
 *   which VLAN        not a guard; what is in none costs nothing below
 *   control           frames that a protocol of the switch consumes (BPDUs)
 *                     meet none of these: a full meter may not cut a tree
 *   rate              frames and bytes in a second, of all kinds
 *   source            only listed addresses may send
 *   addresses         how many a port may have; not one that is sticky on
 *                     another port (this one holds for every port)
 *   storm             as rate, for broadcast, multicast and unknown unicast
 *   isolation         bridge_isolate()
 *
 * A hub looks at no address: there, the rate is all that is checked.
 *
 * An engine: time comes with each call. Meters are exact: credit is kept in
 * billionths of a frame or byte.
 */
#ifndef SWITCH_GUARD_H
#define SWITCH_GUARD_H

#include "base/frame.h"
#include "switch/mactab.h"

#define GUARD_MAX_ADDRS 65535 /* a limit can be as high as this */
/* Without another limit, a port with sticky addresses learns this many: they
 * stay for ever. */
#define GUARD_STICKY_ADDRS 1024
#define GUARD_MAX_SOURCES 1024
#define GUARD_MAX_FRAMES UINT64_C(1000000000) /* per second */
#define GUARD_MAX_BYTES UINT64_C(1000000000000)
#define GUARD_MAX_BURST UINT64_C(4000000000)

/* A token bucket. What costs more than the whole of it (64 KiB that are still
 * to be cut) passes when it is full and is paid off before the next. */
struct guard_bucket {
	uint64_t rate; /* per second; 0: no limit */
	uint64_t burst; /* this much at once after silence */
	int64_t credit; /* billionths; negative: a debt */
	uint64_t last; /* ns, when credit was counted */
};

/* A frame passes if both allow it, and costs nothing if one does not. */
struct guard_meter {
	struct guard_bucket frames, bytes;
};

enum guard_kind {
	GUARD_BROADCAST,
	GUARD_MULTICAST,
	GUARD_UNKNOWN, /* unicast to an address that is not known */
	GUARD_N_KINDS
};
const char *guard_kind_name(enum guard_kind);

struct guard {
	uint32_t max_addrs; /* 0: no limit */
	bool sticky; /* what is learned here stays here */
	bool sources_on;
	uint32_t n_sources, room;
	uint64_t *sources; /* sorted; room for @room */
	struct guard_meter rate;
	struct guard_meter storm[GUARD_N_KINDS];
};

/* Everything off. */
void guard_init(struct guard *);
void guard_fini(struct guard *);
/* Is there anything to check for each frame? */
bool guard_is_on(const struct guard *);

/* Limits per second, 0: none, and the bursts. A meter begins full. */
void guard_meter_set(struct guard_meter *, const uint64_t rate[static 2],
		     const uint64_t burst[static 2], uint64_t now);
/* The limits of a kind of frames, and of all. @burst_bytes 0: the usual one.
 * The usual burst of a kind is what comes in a tenth of a second, at least 16
 * frames and 16 KiB; that of all is a quarter of a second, at least 64 frames
 * and 64 KiB: as long as TCP waits when it has lost a whole window, so that
 * it gets what it did not use meanwhile. */
void guard_set_storm(struct guard *, enum guard_kind, uint64_t frames_ps,
		     uint64_t bytes_ps, uint64_t now);
void guard_set_rate(struct guard *, uint64_t frames_ps, uint64_t bytes_ps,
		    uint64_t burst_bytes, uint64_t now);

/* May this frame pass? One that is still to be cut costs what its segments
 * cost, with their headers; tags count. */
bool guard_meter_take(struct guard_meter *, const struct frame *, bool tagged,
		      uint64_t now);

/* Turns the list on; 0, -EEXIST, -EINVAL a group, -ENOSPC, -ENOMEM. */
int guard_source_add(struct guard *, uint64_t addr);
/* The list stays on when it is empty: then nobody may send. 0 or -ENOENT. */
int guard_source_del(struct guard *, uint64_t addr);
void guard_source_off(struct guard *);
bool guard_source_may(const struct guard *, uint64_t addr);

/* How many addresses the port may have; 0: any number. */
uint32_t guard_addr_limit(const struct guard *);
/* May it have one more? */
bool guard_has_room(const struct guard *, struct mactab *, unsigned int port,
		    uint32_t now_s);
/* May the port have, or has it, that address? A group is nobody's address. */
bool guard_addr_may(const struct guard *, struct mactab *, uint64_t key,
		    unsigned int port, uint32_t now_s);

#endif
