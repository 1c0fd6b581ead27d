// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/delayq.h"

#include <string.h>

#define DIGIT_BITS 6
#define WORD(slot) ((slot) / 64)
#define BIT(slot) (UINT64_C(1) << (slot) % 64)

static_assert(DELAYQ_LEVELS * DIGIT_BITS >= 64, "every time has its level");
static_assert(DELAYQ_SLOTS == 2 << DIGIT_BITS, "a level reaches over two slots "
					       "of the next one");

void delayq_init(struct delayq *q, bool fifo)
{
	memset(q, 0, sizeof(*q));
	q->fifo = fifo;
	q->wheel = DELAYQ_NEVER;
}

void delayq_set_fifo(struct delayq *q, bool fifo)
{
	q->fifo = fifo;
}

/* ---- lists ---- */

static void append(struct delayq_list *l, struct delayq_node *n)
{
	if (l->last) {
		n->next = l->last->next;
		l->last->next = n;
	} else {
		n->next = n;
	}
	l->last = n;
}

/* Of a list that is not empty. */
static struct delayq_node *take_first(struct delayq_list *l)
{
	struct delayq_node *n = l->last->next;

	if (n == l->last)
		l->last = NULL;
	else
		l->last->next = n->next;
	n->next = NULL;
	return n;
}

/* ---- the wheel ---- */

/* The slot of a time, by which its level knows it. */
static unsigned int slot_of(uint64_t due, unsigned int level)
{
	return (unsigned int)(due >> level * DIGIT_BITS) % DELAYQ_SLOTS;
}

static bool is_used(const struct delayq *q, unsigned int level,
		    unsigned int slot)
{
	return (q->used[level][WORD(slot)] & BIT(slot)) != 0;
}

static void mark_empty(struct delayq *q, unsigned int level, unsigned int slot)
{
	q->used[level][WORD(slot)] &= ~BIT(slot);
	if (!(q->used[level][0] | q->used[level][1]))
		q->levels &= ~(1U << level);
}

/* The lowest level at which @due is at most 64 slots ahead: that of the
 * highest digit of the distance. */
static unsigned int level_of(const struct delayq *q, uint64_t due)
{
	uint64_t distance = due - q->base;

	if (!distance)
		return 0;
	return (63 - (unsigned int)__builtin_clzll(distance)) / DIGIT_BITS;
}

/* Into a level below @limit, behind all nodes of its time that are there. */
static void put(struct delayq *q, struct delayq_node *n, unsigned int limit)
{
	unsigned int level = level_of(q, n->due), above, slot;
	struct delayq_slot *s;

	/* A node that is moved early may be farther ahead. */
	if (level >= limit)
		level = limit - 1;
	for (above = limit - 1; above > level; above--)
		if (is_used(q, above, slot_of(n->due, above)))
			break;
	level = above;
	slot = slot_of(n->due, level);
	s = &q->slots[level][slot];
	if (!s->nodes.last || n->due < s->min)
		s->min = n->due;
	append(&s->nodes, n);
	q->used[level][WORD(slot)] |= BIT(slot);
	q->levels |= 1U << level;
}

/* Moves up to @max nodes of a slot to lower levels, the oldest first. @min
 * stays: the node that had it is in the wheel still, for the slot has not been
 * reached yet, or none stays. */
static void spread(struct delayq *q, unsigned int level, unsigned int slot,
		   size_t max)
{
	struct delayq_list *from = &q->slots[level][slot].nodes;

	for (; from->last && max; max--, q->moves++)
		put(q, take_first(from), level);
	if (!from->last)
		mark_empty(q, level, slot);
}

/* Some of what will soon be reached. */
static void spread_ahead(struct delayq *q)
{
	for (unsigned int level = 1; q->levels >> level; level++) {
		unsigned int slot = slot_of(q->base, level) + 1;

		slot %= DELAYQ_SLOTS;
		if (is_used(q, level, slot))
			spread(q, level, slot, DELAYQ_AHEAD);
	}
}

/* @base moves on to @time, before which nothing is: slots before it are empty,
 * and those that it is in are emptied, from the highest down, but for level 0
 * whose slots have one time each. */
static void advance(struct delayq *q, uint64_t time)
{
	unsigned int level, slot;

	q->base = time;
	for (level = DELAYQ_LEVELS - 1; level && q->levels; level--) {
		slot = slot_of(time, level);
		if (is_used(q, level, slot))
			spread(q, level, slot, SIZE_MAX);
	}
}

/*
 * The first slot of a level that has nodes, which one has. Those in the same
 * half of the slots as @base are not before it, and those in the other one are
 * after them: a node is put at most 64 slots ahead, or is moved early out of
 * the slot above that comes next, which is the other half.
 */
static unsigned int first_slot(const struct delayq *q, unsigned int level)
{
	unsigned int half = WORD(slot_of(q->base, level));

	if (!q->used[level][half])
		half = !half;
	return 64 * half + (unsigned int)__builtin_ctzll(q->used[level][half]);
}

/* A level has no order with the next one: that reaches into it. */
static uint64_t wheel_next(const struct delayq *q)
{
	uint64_t next = DELAYQ_NEVER;

	for (unsigned int left = q->levels; left; left &= left - 1) {
		unsigned int level = (unsigned int)__builtin_ctz(left);
		uint64_t min = q->slots[level][first_slot(q, level)].min;

		if (min < next)
			next = min;
	}
	return next;
}

static struct delayq_node *wheel_take(struct delayq *q, uint64_t due)
{
	unsigned int slot = slot_of(due, 0);
	struct delayq_list *l = &q->slots[0][slot].nodes;
	struct delayq_node *n = take_first(l);

	if (!l->last) {
		mark_empty(q, 0, slot);
		q->wheel = wheel_next(q);
	}
	return n;
}

/* ---- the queue ---- */

uint64_t delayq_add(struct delayq *q, struct delayq_node *n, uint64_t due)
{
	if (due < q->base)
		due = q->base;
	if (q->fifo && due < q->latest)
		due = q->latest;
	if (due > q->latest)
		q->latest = due;
	n->due = due;
	q->count++;
	spread_ahead(q);
	if (!q->run.last || q->run.last->due <= due) {
		append(&q->run, n);
		return due;
	}
	put(q, n, DELAYQ_LEVELS);
	if (due < q->wheel)
		q->wheel = due;
	return due;
}

static uint64_t run_next(const struct delayq *q)
{
	return q->run.last ? q->run.last->next->due : DELAYQ_NEVER;
}

uint64_t delayq_next(const struct delayq *q)
{
	uint64_t run = run_next(q);

	return run < q->wheel ? run : q->wheel;
}

/* A node in the wheel was added when a later one was at the end of the run,
 * and that one is still there: one of the same time in the run is older. */
struct delayq_node *delayq_take(struct delayq *q, uint64_t now)
{
	uint64_t due = delayq_next(q);

	if (!q->count || due > now) {
		if (now > q->base && now < DELAYQ_NEVER)
			advance(q, now);
		return NULL;
	}
	q->count--;
	if (due > q->base)
		advance(q, due);
	spread_ahead(q);
	if (q->run.last && run_next(q) == due)
		return take_first(&q->run);
	return wheel_take(q, due);
}
