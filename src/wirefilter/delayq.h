/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delayq - frames that wait for their time, in nanoseconds
 *
 * Nodes leave in the order of their times, those of one time in the order in
 * which they came. A node whose time is not before that of any other goes to
 * the end of a plain list: a constant delay, and order kept by `fifo`, never
 * leave it.
 *
 * The others go into a wheel of eleven levels. A slot of level L is 64^L ns
 * long, and the level reaches as far ahead of the time reached as 128 of them;
 * a node is put 1 to 64 slots ahead. When a slot of level L is
 * reached its nodes go to lower levels, so a node is moved at most ten times
 * however many wait: @moves counts that. With every call some nodes of the
 * slots that come next are moved already - the level below reaches over these
 * slots - so that in a steady stream few are left when they are reached, and
 * no call takes long.
 *
 * Of one time, those in lower levels are the older ones: a node goes no lower
 * than the highest slot of its time that is not empty.
 *
 * Nodes live inside their owners; nothing is allocated.
 */
#ifndef WIREFILTER_DELAYQ_H
#define WIREFILTER_DELAYQ_H

#include "base/util.h"

#define DELAYQ_LEVELS 11
#define DELAYQ_SLOTS 128
#define DELAYQ_AHEAD 4 /* nodes moved early, of each level, with every call */
#define DELAYQ_NEVER UINT64_MAX

struct delayq_node {
	struct delayq_node *next;
	uint64_t due; /* ns, when it leaves */
};

/* First in, first out; the last one's @next is the first. */
struct delayq_list {
	struct delayq_node *last;
};

struct delayq_slot {
	struct delayq_list nodes;
	uint64_t min; /* the earliest time of those that came */
};

struct delayq {
	struct delayq_list run; /* times ascend */
	uint64_t base; /* nothing is before it */
	uint64_t latest; /* the highest time ever given */
	uint64_t wheel; /* the earliest time in the wheel */
	size_t count; /* nodes that wait */
	uint64_t moves; /* of nodes between slots, since delayq_init() */
	bool fifo;
	unsigned int levels; /* a bit for each that has nodes */
	uint64_t used[DELAYQ_LEVELS][2]; /* a bit for each slot that has */
	struct delayq_slot slots[DELAYQ_LEVELS][DELAYQ_SLOTS];
};

void delayq_init(struct delayq *, bool fifo);

/* From now on no node leaves before one that was added earlier: the time of
 * an added one is raised to the highest time given. Those that wait keep
 * their times. */
void delayq_set_fifo(struct delayq *, bool fifo);

/* A time before the one that delayq_take() has reached counts as that one.
 * Returns the time at which the node will leave, also in its @due. */
uint64_t delayq_add(struct delayq *, struct delayq_node *, uint64_t due);

/* When the first node leaves; DELAYQ_NEVER when none waits. */
uint64_t delayq_next(const struct delayq *);

/* The first node, if its time is not after @now; that time has been reached
 * then. Else NULL, and @now has been reached, unless it is DELAYQ_NEVER: with
 * that every node leaves, in order. */
struct delayq_node *delayq_take(struct delayq *, uint64_t now);

#endif
