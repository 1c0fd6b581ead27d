// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

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
	return r->data + ((pos - r->start) & (r->size - 1));
}

/* ---- producer ---- */

/* Looks where the consumer is; false if that makes no sense, or did not. */
static bool see_consumer(struct ring *r, int *err)
{
	if (!r->broken)
		r->other = atomic_load_explicit(&r->sh->head,
						memory_order_acquire);
	if (!r->broken && r->pos - r->other <= r->size)
		return true;
	r->broken = true;
	*err = -EPROTO;
	r->other = r->pos - r->size; /* full from now on */
	return false;
}

/* Bytes that may be written; looks at the consumer only when short. */
static bool has_room(struct ring *r, uint32_t need, int *err)
{
	if (r->size - (r->pos - r->other) >= need)
		return true;
	return see_consumer(r, err) && r->size - (r->pos - r->other) >= need;
}

/* That nothing is published means that the consumer reads nothing there. */
bool ring_trim(struct ring *r)
{
	int err = 0;

	if (r->reach <= RING_FAR)
		return true;
	if (!see_consumer(r, &err) || r->other != r->pos)
		return false;
	/* Where pages are too big for this the memory stays. */
	(void)madvise(r->data + RING_NEAR, r->size - RING_NEAR, MADV_REMOVE);
	r->reach = 0;
	return true;
}

static void note_reach(struct ring *r, uint32_t end)
{
	if (end > r->reach)
		r->reach = end;
	if (end > RING_FAR)
		r->calm = 0;
}

/* Back to the start if the ring is empty. The consumer looks at @start when it
 * has nothing and sees something, so it sees this with the next record. */
static void rewind_empty(struct ring *r)
{
	int err = 0;

	if (r->pos - r->start < RING_NEAR || (int32_t)(r->pos - r->look) < 0)
		return;
	r->look = r->pos + RING_LOOK;
	if (!see_consumer(r, &err) || r->other != r->pos)
		return;
	if (++r->calm > RING_CALM)
		ring_trim(r);
	r->start = r->look = r->pos;
	atomic_store_explicit(&r->sh->start, r->start, memory_order_relaxed);
}

uint8_t *ring_reserve(struct ring *r, const struct ring_record *rec, int *err)
{
	uint32_t need = ring_need(rec->len);
	uint8_t *p;

	rewind_empty(r);
	if (!has_room(r, need, err))
		return NULL;
	p = at(r, r->pos);
	note_reach(r, (uint32_t)(p - r->data) + need);
	memcpy(p, rec, sizeof(*rec));
	r->pos += need;
	return p + sizeof(*rec);
}

void ring_show(struct ring *r)
{
	atomic_store_explicit(&r->sh->tail, r->pos, memory_order_release);
}

bool ring_publish(struct ring *r)
{
	ring_show(r);
	atomic_thread_fence(memory_order_seq_cst);
	return ring_consumer_sleeps(r);
}

bool ring_consumer_sleeps(struct ring *r)
{
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

bool ring_has_room(struct ring *r, uint32_t len)
{
	int err = 0;

	return has_room(r, ring_need(len), &err) || err;
}

bool ring_wait_room(struct ring *r, uint32_t len)
{
	atomic_store(&r->sh->producer_waits, 1);
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring_has_room(r, len))
		return true;
	atomic_store(&r->sh->producer_waits, 0);
	return false;
}

/* ---- consumer ---- */

/* The header of the record at the own index, if what was published may hold
 * one. */
static bool header(const struct ring *r, struct ring_record *rec)
{
	if (r->other - r->pos < sizeof(*rec))
		return false;
	memcpy(rec, at(r, r->pos), sizeof(*rec));
	/* What is checked is the copy: no compiler may read it again. */
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

const uint8_t *ring_peek(struct ring *r, struct ring_record *rec, int *err)
{
	if (!r->broken && ring_is_empty(r))
		return NULL;
	if (r->broken || r->other - r->pos > r->size || !header(r, rec) ||
	    rec->len > r->max_len || ring_need(rec->len) > r->other - r->pos) {
		r->broken = true;
		*err = -EPROTO;
		r->other = r->pos; /* nothing more to be had */
		return NULL;
	}
	return at(r, r->pos) + sizeof(*rec);
}

void ring_take(struct ring *r, const struct ring_record *rec)
{
	r->pos += ring_need(rec->len);
}

bool ring_is_empty(struct ring *r)
{
	if (r->other != r->pos)
		return false;
	r->other = atomic_load_explicit(&r->sh->tail, memory_order_acquire);
	r->start = atomic_load_explicit(&r->sh->start, memory_order_relaxed) &
		   ~(uint32_t)(RING_ALIGN - 1);
	return r->other == r->pos;
}

bool ring_has_quarter(const struct ring *r)
{
	uint32_t used = atomic_load_explicit(&r->sh->tail,
					     memory_order_relaxed) -
			r->pos;

	return used <= r->size - r->size / 4;
}

bool ring_release(struct ring *r)
{
	r->released = r->pos;
	atomic_store_explicit(&r->sh->head, r->pos, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&r->sh->producer_waits, memory_order_relaxed))
		return false;
	return ring_has_quarter(r) &&
	       atomic_exchange(&r->sh->producer_waits, 0);
}

bool ring_release_much(struct ring *r)
{
	return r->pos - r->released >= r->size / 8 && ring_release(r);
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
