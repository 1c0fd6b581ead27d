// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/ring.h"

#include <errno.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-non-const-parameter): the producer writes */
void ring_init(struct ring *r, struct ring_shared *sh, uint8_t *data,
	       uint32_t size, uint32_t max_len)
{
	*r = (struct ring){
		.sh = sh, .data = data, .size = size, .max_len = max_len
	};
}

static uint8_t *at(const struct ring *r, uint32_t pos)
{
	return r->data + (pos & (r->size - 1));
}

/* ---- producer ---- */

/* Bytes that may be written; looks at the consumer only when short. */
static bool has_room(struct ring *r, uint32_t need, int *err)
{
	uint32_t used = r->pos - r->other;

	if (r->size - used >= need)
		return true;
	r->other = atomic_load_explicit(&r->sh->head, memory_order_acquire);
	used = r->pos - r->other;
	if (used > r->size) {
		*err = -EPROTO;
		r->other = r->pos - r->size; /* full from now on */
		return false;
	}
	return r->size - used >= need;
}

uint8_t *ring_reserve(struct ring *r, const struct ring_record *rec, int *err)
{
	uint32_t need = ring_need(rec->len);
	uint8_t *p;

	if (!has_room(r, need, err))
		return NULL;
	p = at(r, r->pos);
	memcpy(p, rec, sizeof(*rec));
	r->pos += need;
	return p + sizeof(*rec);
}

bool ring_publish(struct ring *r)
{
	atomic_store_explicit(&r->sh->tail, r->pos, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&r->sh->consumer_waits,
				    memory_order_relaxed) &&
	       atomic_exchange(&r->sh->consumer_waits, 0);
}

bool ring_missed(struct ring *r)
{
	return atomic_load_explicit(&r->sh->consumer_waits,
				    memory_order_relaxed) &&
	       atomic_load_explicit(&r->sh->head, memory_order_relaxed) !=
		       r->pos &&
	       atomic_exchange(&r->sh->consumer_waits, 0);
}

bool ring_wait_room(struct ring *r, uint32_t len)
{
	int err = 0;

	atomic_store(&r->sh->producer_waits, 1);
	atomic_thread_fence(memory_order_seq_cst);
	if (!has_room(r, ring_need(len), &err) && !err)
		return true;
	atomic_store(&r->sh->producer_waits, 0);
	return false;
}

/* ---- consumer ---- */

const uint8_t *ring_peek(struct ring *r, struct ring_record *rec, int *err)
{
	uint32_t have = r->other - r->pos;
	const uint8_t *p;

	if (!have) {
		r->other = atomic_load_explicit(&r->sh->tail,
						memory_order_acquire);
		have = r->other - r->pos;
		if (!have)
			return NULL;
	}
	p = at(r, r->pos);
	memcpy(rec, p, sizeof(*rec));
	if (have > r->size || have < sizeof(*rec) || rec->len > r->max_len ||
	    ring_need(rec->len) > have) {
		*err = -EPROTO;
		r->other = r->pos; /* nothing more to be had */
		return NULL;
	}
	return p + sizeof(*rec);
}

void ring_take(struct ring *r, const struct ring_record *rec)
{
	r->pos += ring_need(rec->len);
}

bool ring_is_empty(struct ring *r)
{
	if (r->other == r->pos)
		r->other = atomic_load_explicit(&r->sh->tail,
						memory_order_acquire);
	return r->other == r->pos;
}

bool ring_release(struct ring *r)
{
	uint32_t used;

	atomic_store_explicit(&r->sh->head, r->pos, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&r->sh->producer_waits, memory_order_relaxed))
		return false;
	used = atomic_load_explicit(&r->sh->tail, memory_order_relaxed) -
	       r->pos;
	return used <= r->size - r->size / 4 &&
	       atomic_exchange(&r->sh->producer_waits, 0);
}

bool ring_wait_data(struct ring *r)
{
	atomic_store(&r->sh->consumer_waits, 1);
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&r->sh->tail, memory_order_acquire) ==
	       r->pos;
}

bool ring_wait_cancel(struct ring *r)
{
	return atomic_exchange(&r->sh->consumer_waits, 0);
}
