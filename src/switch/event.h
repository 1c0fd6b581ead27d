/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event - what happens in the switch, as lines for consoles that subscribed
 */
#ifndef SWITCH_EVENT_H
#define SWITCH_EVENT_H

#include "switch/vswitch.h"

struct event_category {
	const char *name; /* "port/ep/+" */
	unsigned int tag; /* 3TTT, octal */
	const char *help;
	enum bridge_event_type type;
};

/* A subscription is bit i of console_flags(), i an index into this table. */
extern const struct event_category event_categories[];
extern const size_t n_event_categories;

/* From now on events of the bridge go to the consoles, and stations that
 * move are logged. */
void event_init(struct vswitch *);
/* Subscriptions have changed, or a session has gone. */
void event_update(struct vswitch *);

#endif
