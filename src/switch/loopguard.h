/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loopguard - finds loops by probes of its own, and holds a port down
 *
 * An engine of its own: it sees time, ports and frames that arrive, and calls
 * for the rest. Probes leave by every active port, in its untagged VLAN and in
 * those it is a tagged member of: at once when something was plugged in, then
 * in rounds, an interval apart. A probe that comes back in the VLAN it left in
 * has gone round: of the two ports the one with the higher number is held
 * down. Probes go on, also by ports that are held: a port is released when
 * none has come back for the hold time, or when nothing is plugged in there
 * any more. So a loop that persists stays open all the time.
 *
 * Several switches in one ring all see their probes again. One cut is enough,
 * two would divide the network. So a switch that has heard probes of switches
 * with lower numbers waits for a moment for each of them, four at most, then
 * asks again and acts if that probe comes back too. The same once where a
 * spanning tree works, whose ports change by turns. Ports that it keeps shut
 * are not probed, and what arrives there is no proof.
 *
 * doc/protocol-loopguard.md has the bytes of a probe, and all that follows from
 * one.
 *
 * Who has never seen a probe cannot make one, and one that is older than
 * LOOPGUARD_LIFE, or than what is plugged into its port, proves nothing. A
 * station that sends a probe back at once is not to be told from a loop.
 */
#ifndef SWITCH_LOOPGUARD_H
#define SWITCH_LOOPGUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOPGUARD_ADDR UINT64_C(0x035644454c50)
#define LOOPGUARD_LEN 60
#define LOOPGUARD_LIFE UINT64_C(20000000000) /* ns; of slow wires, too */
#define LOOPGUARD_INTERVAL_MS 500
#define LOOPGUARD_HOLD_S 10

struct loopguard;

struct loopguard_config {
	uint64_t id; /* of this switch; random */
	uint64_t key[2]; /* random and secret */
	uint64_t now;
	void *ctx; /* of the calls: */
	/* May a probe leave, and is one that arrives a proof? The port is a
	 * member of the VLAN and nobody else keeps it shut there. */
	bool (*open)(void *ctx, unsigned int port, unsigned int vid);
	/* The port's untagged VLAN, or -1. */
	int (*untagged)(void *ctx, unsigned int port);
	/* Does something else break loops in that VLAN? */
	bool (*guarded)(void *ctx, unsigned int vid);
	void (*send)(void *ctx, unsigned int port, unsigned int vid,
		     const uint8_t frame[static LOOPGUARD_LEN]);
	/* @port is held down, or no longer; @peer is the other end of the
	 * loop, which may be the same. */
	void (*hold)(void *ctx, unsigned int port, unsigned int peer,
		     unsigned int vid, bool on);
};

/* What is known of one port. */
struct loopguard_port {
	bool on; /* probed and held; else neither */
	bool active;
	bool held;
	uint16_t peer, vid; /* of the loop it was held for last */
	uint64_t seen; /* when that was proven last */
	uint64_t probes; /* sent */
	uint64_t loops; /* probes that came back here */
	uint64_t holds; /* how often it was held */
};

struct loopguard_counters {
	uint64_t foreign; /* probes of other switches */
	uint64_t stale; /* of this one, too old */
	uint64_t forged; /* in its name */
};

/* NULL without memory. Off to begin with. */
struct loopguard *loopguard_new(const struct loopguard_config *);
void loopguard_free(struct loopguard *); /* calls nothing */

/* Off: releases all that it holds. */
void loopguard_set(struct loopguard *, bool on, uint64_t now);
bool loopguard_is_on(const struct loopguard *);
void loopguard_set_interval(struct loopguard *, uint32_t ms, uint64_t now);
uint32_t loopguard_interval(const struct loopguard *);
void loopguard_set_hold(struct loopguard *, uint32_t seconds);
uint32_t loopguard_hold(const struct loopguard *);
/* 0 or -ENOMEM. Not @on: releases it. */
int loopguard_set_port(struct loopguard *, unsigned int port, bool on,
		       uint64_t now);

/* Something was plugged in there; 0 or -ENOMEM. */
int loopguard_plugged(struct loopguard *, unsigned int port, uint64_t now);
/* The last of it was unplugged. */
void loopguard_unplugged(struct loopguard *, unsigned int port);
/* The port itself is no more. */
void loopguard_forget(struct loopguard *, unsigned int port);

/* A frame to LOOPGUARD_ADDR has arrived, without its tag. True: it goes no
 * further. */
bool loopguard_input(struct loopguard *, unsigned int port, unsigned int vid,
		     const uint8_t *frame, size_t len, uint64_t now);

/* Does what is due; returns when to call again (ns), 0: not needed. */
uint64_t loopguard_tick(struct loopguard *, uint64_t now);
/* That time, after any other call. */
uint64_t loopguard_next(const struct loopguard *);

/* NULL: as new. Valid until the next call. */
const struct loopguard_port *loopguard_port(const struct loopguard *,
					    unsigned int port);
const struct loopguard_counters *loopguard_counters(const struct loopguard *);

#endif
