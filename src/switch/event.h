/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event - what happens in the switch, as lines for consoles that subscribed
 *
 * A category is a bit of console_flags() as long as it is registered; the
 * console's debug/ commands show them by their bits. Those of the bridge are
 * registered first.
 */
#ifndef SWITCH_EVENT_H
#define SWITCH_EVENT_H

#include "switch/vswitch.h"

/* Bits of those that are no events of the bridge (fstp.c). */
enum event_bit {
	EVENT_FSTP_STATUS = 2,
	EVENT_FSTP_ROOT,
	EVENT_FSTP_NEW,
	EVENT_FSTP_GONE
};

struct event_category {
	const char *name; /* "port/ep/+" */
	unsigned int tag; /* 3TTT, octal */
	const char *help;
};

/* From now on events of the bridge go to the consoles, and stations that
 * move are logged. */
void event_init(struct vswitch *);
/* Nobody hears of anything any more. */
void event_fini(struct vswitch *);
/* Subscriptions have changed, or a session has gone. */
void event_update(struct vswitch *);

/* Returns the category's bit, or -ENOSPC. It must outlive its registration,
 * whose end takes it out of every subscription. */
int event_register(struct vswitch *, const struct event_category *);
void event_unregister(struct vswitch *, int bit);

/* Is there a console that wants to see it? */
static inline bool event_wanted(const struct vswitch *sw, int bit)
{
	return sw->subscribed >> bit & 1;
}

void event_emit(struct vswitch *, int bit, const char *text);

#endif
