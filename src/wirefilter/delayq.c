// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/delayq.h"

#include <string.h>

#define DIGIT_BITS 6
static_assert(1 << DIGIT_BITS == DELAYQ_SLOTS, "a digit names a slot");
static_assert(DELAYQ_LEVELS * DIGIT_BITS >= 64, "every time has its level");

void delayq_init(struct delayq *q, bool fifo)
{
	memset(q, 0, sizeof(*q));
	q->fifo = fifo;
}

void delayq_set_fifo(struct delayq *q, bool fifo)
{
	q->fifo = fifo;
}

static void append(struct delayq_list *l, struct delayq_node *n)
{
	n->next = NULL;
	if (l->last)
		l->last->next = n;
	else
		l->first = n;
	l->last = n;
}

static struct delayq_node *take_first(struct delayq_list *l)
{
	struct delayq_node *n = l->first;

	l->first = n->next;
	if (!l->first)
		l->last = NULL;
	return n;
}

/* The level whose digit is the highest in which both times differ. */
static unsigned int level_of(uint64_t base, uint64_t due)
{
	uint64_t differ = base ^ due;

	if (!differ)
		return 0;
	return (63 - (unsigned int)__builtin_clzll(differ)) / DIGIT_BITS;
}

static void put(struct delayq *q, struct delayq_node *n)
{
	unsigned int level = level_of(q->base, n->due);
	unsigned int slot = (unsigned int)(n->due >> level * DIGIT_BITS) %
			    DELAYQ_SLOTS;
	struct delayq_slot *s = &q->slots[level][slot];

	if (!s->nodes.first || n->due < s->min)
		s->min = n->due;
	append(&s->nodes, n);
	q->used[level] |= UINT64_C(1) << slot;
	q->levels |= 1U << level;
}

/* Of the wheel. All times of a level are before all of the next one: they
 * have the higher digits of @base. */
static bool first_slot(const struct delayq *q, unsigned int *level,
		       unsigned int *slot)
{
	if (!q->levels)
		return false;
	*level = (unsigned int)__builtin_ctz(q->levels);
	*slot = (unsigned int)__builtin_ctzll(q->used[*level]);
	return true;
}

static struct delayq_list empty_slot(struct delayq *q, unsigned int level,
				     unsigned int slot)
{
	struct delayq_list nodes = q->slots[level][slot].nodes;

	q->slots[level][slot].nodes = (struct delayq_list){ 0 };
	q->used[level] &= ~(UINT64_C(1) << slot);
	if (!q->used[level])
		q->levels &= ~(1U << level);
	return nodes;
}

/*
 * @base moves on to @due, the first time of all. Only what is in the slot of
 * @due shares more digits with it than with the old base, and goes down; to
 * the end of lists that are empty or hold nodes that came before, for nodes
 * of one time have always been in one slot.
 */
static void advance(struct delayq *q, uint64_t due)
{
	unsigned int level = level_of(q->base, due);
	unsigned int slot = (unsigned int)(due >> level * DIGIT_BITS) %
			    DELAYQ_SLOTS;
	struct delayq_list nodes;

	q->base = due;
	if (!level || !(q->used[level] >> slot & 1))
		return;
	nodes = empty_slot(q, level, slot);
	while (nodes.first) {
		put(q, take_first(&nodes));
		q->moves++;
	}
}

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
	if (!q->run.last || q->run.last->due <= due)
		append(&q->run, n);
	else
		put(q, n);
	return due;
}

static uint64_t wheel_next(const struct delayq *q)
{
	unsigned int level, slot;

	if (!first_slot(q, &level, &slot))
		return DELAYQ_NEVER;
	return q->slots[level][slot].min;
}

static uint64_t run_next(const struct delayq *q)
{
	return q->run.first ? q->run.first->due : DELAYQ_NEVER;
}

uint64_t delayq_next(const struct delayq *q)
{
	uint64_t run = run_next(q), wheel = wheel_next(q);

	return run < wheel ? run : wheel;
}

/* A node in the wheel was added when a later one was at the end of the run,
 * and that one is still there: one of the same time in the run is older. */
struct delayq_node *delayq_take(struct delayq *q, uint64_t now)
{
	uint64_t run = run_next(q), wheel = wheel_next(q);
	uint64_t due = run < wheel ? run : wheel;
	unsigned int level, slot;
	struct delayq_node *n;
	struct delayq_slot *s;

	if (!q->count || due > now)
		return NULL;
	advance(q, due);
	q->count--;
	if (q->run.first && run <= wheel)
		return take_first(&q->run);
	if (!first_slot(q, &level, &slot))
		return NULL;
	s = &q->slots[level][slot];
	n = take_first(&s->nodes);
	if (!s->nodes.first)
		empty_slot(q, level, slot);
	return n;
}
