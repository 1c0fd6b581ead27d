// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/txq.h"

#include <stdlib.h>

void txq_init(struct txq *q, uint32_t limit, uint64_t *total)
{
	*q = (struct txq){ .limit = limit };
	q->total = total;
}

static struct frame_tx *at(const struct txq *q, uint32_t i)
{
	return &q->slots[(q->head + i) & (q->size - 1)];
}

void txq_fini(struct txq *q)
{
	txq_drop_front(q, q->count);
	free(q->slots);
	q->slots = NULL;
	q->size = 0;
}

/* The ring grows by doubling up to the limit and keeps its size. */
static bool grow(struct txq *q)
{
	uint32_t size = q->size ? 2 * q->size : 16;
	struct frame_tx *slots = malloc(size * sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t i = 0; i < q->count; i++)
		slots[i] = *at(q, i);
	free(q->slots);
	q->slots = slots;
	q->size = size;
	q->head = 0;
	return true;
}

bool txq_push_take(struct txq *q, struct frame_tx tx)
{
	if (!txq_has_room(q, tx.frame->len) ||
	    (q->count == q->size && !grow(q)))
		return false;
	*at(q, q->count++) = tx;
	q->bytes += tx.frame->len;
	if (!tx.frame->queued++)
		*q->total += tx.frame->len;
	return true;
}

static void uncount(struct txq *q, struct frame *f)
{
	q->bytes -= f->len;
	if (!--f->queued)
		*q->total -= f->len;
}

static void release(struct txq *q, struct frame *f)
{
	uncount(q, f);
	frame_unref(f);
}

bool txq_take_newest(struct txq *q, struct frame_tx *tx)
{
	uint32_t i = q->count;

	while (i && at(q, i - 1)->frame->own)
		i--;
	if (!i)
		return false;
	*tx = *at(q, i - 1);
	for (; i < q->count; i++)
		*at(q, i - 1) = *at(q, i);
	q->count--;
	uncount(q, tx->frame);
	return true;
}

const struct frame_tx *txq_front(const struct txq *q, uint32_t *n)
{
	uint32_t to_end = q->size - q->head;

	*n = q->count < to_end ? q->count : to_end;
	return q->slots ? q->slots + q->head : NULL;
}

void txq_drop_front(struct txq *q, uint32_t n)
{
	for (; n; n--) {
		release(q, at(q, 0)->frame);
		q->head = (q->head + 1) & (q->size - 1);
		q->count--;
	}
}

uint32_t txq_set_limit(struct txq *q, uint32_t limit)
{
	uint32_t dropped = 0;

	q->limit = limit;
	for (; q->count > limit || (q->count > 1 && txq_exceeds(q, 1));
	     dropped++)
		release(q, at(q, --q->count)->frame);
	return dropped;
}
