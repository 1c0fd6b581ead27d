/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snoop - multicast snooping in the running switch: time, events, queries
 *
 * There is no engine before somebody wants one, and the bridge knows of it
 * only while it is on.
 */
#ifndef SWITCH_SNOOP_H
#define SWITCH_SNOOP_H

#include "switch/mcast.h"
#include "switch/vswitch.h"

#define SNOOP_ADDR_STRLEN 46

/* Sets sw->snoop, which is off; after event_init(). 0 or -errno. */
int snoop_start(struct vswitch *);
/* Also after a start that failed, or none; before the bridge goes. */
void snoop_stop(struct vswitch *);

/* The engine, to be changed; NULL without memory. */
struct mcast *snoop_engine(struct vswitch *);
/* The engine, if there is one. */
const struct mcast *snoop_look(const struct vswitch *);
/* 0 or -ENOMEM. A hub does not snoop, but does again when it is a switch. */
int snoop_set(struct vswitch *, bool on);
bool snoop_is_set(const struct vswitch *);

/* An address as text; @v6 matters where there is none. */
const char *snoop_addr_str(char s[static SNOOP_ADDR_STRLEN], struct mcast_addr,
			   bool v6);

#endif
