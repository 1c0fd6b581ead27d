/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * txq - frames that a slow endpoint has not taken yet, bounded, first in
 * first out; each holds a reference to its frame
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
};

void txq_init(struct txq *, uint32_t limit);
/* Releases what waits. */
void txq_fini(struct txq *);

/* Takes over the reference on true; false when full or without memory. */
bool txq_push_take(struct txq *, struct frame_tx);
/* The longest run of waiting frames that is contiguous, oldest first. */
const struct frame_tx *txq_front(const struct txq *, uint32_t *n);
/* Releases the @n oldest. */
void txq_drop_front(struct txq *, uint32_t n);
/* A smaller limit drops the newest frames; returns how many. */
uint32_t txq_set_limit(struct txq *, uint32_t limit);

#endif
