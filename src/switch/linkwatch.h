/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linkwatch - have interfaces of this network namespace a link?
 *
 * The kernel tells by rtnetlink that something has changed; what, is asked of
 * each interface anew. So nothing is missed when it had more to tell than
 * there was room for.
 */
#ifndef SWITCH_LINKWATCH_H
#define SWITCH_LINKWATCH_H

#include "common/loop.h"

/* Embedded; a zeroed one is not open. */
struct linkwatch {
	struct loop_fd io;
	void (*changed)(struct linkwatch *); /* some link may have */
};

/* 0, also if it is open already, or -errno. */
int linkwatch_open(struct linkwatch *, struct loop *,
		   void (*changed)(struct linkwatch *));
/* Legal for one that is not open. */
void linkwatch_close(struct linkwatch *, struct loop *);

/* Is it up, with a carrier? An interface that is not in this namespace any
 * more is believed to be: who uses it will notice what it is worth. */
bool linkwatch_has_link(const struct linkwatch *, int ifindex);

#endif
