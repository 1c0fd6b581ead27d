/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delayq - frames that wait for their time, in nanoseconds
 *
 * Nodes leave in the order of their times, those of one time in the order in
 * which they came. A node whose time is not before that of any other goes to
 * the end of a plain list: a constant delay, and order kept by `fifo`, never
 * leave it. The others go into a wheel of eleven levels with 64 slots each,
 * by the highest of the eleven digits (6 bits each) in which their time
 * differs from that of the last node that left. When the first slot of a
 * level is reached its nodes spread over lower levels, so a node is moved at
 * most ten times however many wait: @moves counts that.
 *
 * Nodes live inside their owners; nothing is allocated.
 */
#ifndef WIREFILTER_DELAYQ_H
#define WIREFILTER_DELAYQ_H

#include "base/util.h"

#define DELAYQ_LEVELS 11
#define DELAYQ_SLOTS 64
#define DELAYQ_NEVER UINT64_MAX

struct delayq_node {
	struct delayq_node *next;
	uint64_t due; /* ns, when it leaves */
};

struct delayq_list {
	struct delayq_node *first, *last;
};

struct delayq_slot {
	struct delayq_list nodes;
	uint64_t min; /* the earliest time among them */
};

struct delayq {
	struct delayq_list run; /* times ascend */
	uint64_t base; /* of the node that left last */
	uint64_t latest; /* the highest time ever given */
	size_t count; /* nodes that wait */
	uint64_t moves; /* of nodes between slots, since delayq_init() */
	bool fifo;
	unsigned int levels; /* a bit for each that has nodes */
	uint64_t used[DELAYQ_LEVELS]; /* a bit for each slot that has */
	struct delayq_slot slots[DELAYQ_LEVELS][DELAYQ_SLOTS];
};

void delayq_init(struct delayq *, bool fifo);

/* From now on no node leaves before one that was added earlier: the time of
 * an added one is raised to the highest time given. Those that wait keep
 * their times. */
void delayq_set_fifo(struct delayq *, bool fifo);

/* A time before that of the node that left last counts as that one. Returns
 * the time at which it will leave, also in @due of the node. */
uint64_t delayq_add(struct delayq *, struct delayq_node *, uint64_t due);

/* When the first node leaves; DELAYQ_NEVER when none waits. */
uint64_t delayq_next(const struct delayq *);

/* The first node, if its time is not after @now, else NULL. With DELAYQ_NEVER
 * as @now every node leaves, in order. */
struct delayq_node *delayq_take(struct delayq *, uint64_t now);

#endif
