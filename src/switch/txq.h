/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * txq - frames that a slow endpoint has not taken yet, bounded, first in
 * first out; each holds a reference to its frame
 *
 * A queue for N frames may hold N of the longest ordinary ones: a frame that
 * is still to be cut counts by its bytes.
 */
#ifndef SWITCH_TXQ_H
#define SWITCH_TXQ_H

#include "base/frame.h"

#define TXQ_MAX 65536

struct txq {
	struct frame_tx *slots; /* a ring, allocated on first use */
	uint32_t size; /* of the ring */
	uint32_t limit; /* how many may wait */
	uint32_t head, count;
	uint64_t bytes; /* of the waiting frames */
	uint64_t *total; /* the same of all queues, each frame once */
};

void txq_init(struct txq *, uint32_t limit, uint64_t *total);
/* Releases what waits. */
void txq_fini(struct txq *);

/* True when more than a part of what may wait is waiting: 1/@part. */
static inline bool txq_exceeds(const struct txq *q, uint32_t part)
{
	return q->count > q->limit / part ||
	       q->bytes > (uint64_t)q->limit * ETHER_MAX_LEN / part;
}

/* True if one more frame of @len bytes may wait. A frame alone may always. */
static inline bool txq_has_room(const struct txq *q, uint32_t len)
{
	return q->count < q->limit &&
	       (!q->count ||
		q->bytes + len <= (uint64_t)q->limit * ETHER_MAX_LEN);
}

/* Takes over the reference on true; false when full or without memory. */
bool txq_push_take(struct txq *, struct frame_tx);
/* The longest run of waiting frames that is contiguous, oldest first. */
const struct frame_tx *txq_front(const struct txq *, uint32_t *n);
/* Releases the @n oldest. */
void txq_drop_front(struct txq *, uint32_t n);
/* Takes the newest frame out that is not this program's own; its reference is
 * the caller's then. False: there is none. */
bool txq_take_newest(struct txq *, struct frame_tx *);
/* A smaller limit drops the newest frames; returns how many. */
uint32_t txq_set_limit(struct txq *, uint32_t limit);

#endif
