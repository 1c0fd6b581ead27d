// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/blame.h"

void blame_init(struct blame *b, uint64_t tolerance)
{
	*b = (struct blame){ .tolerance = tolerance };
	blame_reset(b);
}

void blame_reset(struct blame *b)
{
	b->late = b->held = b->max = 0;
	meter_hist_init(&b->waits);
}

/* What is left of @behind when the time that the output held is taken out. */
static uint64_t own_part(const struct blame *b, uint64_t due, uint64_t now)
{
	uint64_t part = b->since > due ? b->since - due : 0;

	if (!b->holds)
		part += now - b->free_at;
	return part;
}

uint64_t blame_frame(struct blame *b, uint64_t due, uint64_t now)
{
	uint64_t behind = now > due ? now - due : 0, part = behind;

	b->backlog = b->holds || due < b->free_at;
	if (b->backlog) {
		meter_hist_add(&b->waits, behind);
		part = own_part(b, due, now);
		b->held += behind > b->tolerance && part <= b->tolerance;
	}
	if (part > b->max)
		b->max = part;
	b->late += part > b->tolerance;
	return part;
}

void blame_left(struct blame *b, bool left, uint64_t now)
{
	if (left && !b->holds && !b->backlog)
		b->since = now;
	else if (!left && b->holds)
		b->free_at = now;
	b->holds = left;
}

static void subtract(uint64_t *from, uint64_t n)
{
	*from -= n < *from ? n : *from;
}

void blame_without_held(const struct blame *b, const struct meter_hist *all,
			struct meter_hist *out)
{
	const struct meter_hist *w = &b->waits;

	*out = *all;
	if (!w->n)
		return;
	subtract(&out->n, w->n);
	for (size_t i = 0; i < METER_CLASSES; i++)
		subtract(&out->counts[i], w->counts[i]);
	if (__builtin_sub_overflow(out->sum, w->sum, &out->sum))
		out->sum_high--;
	out->sum_high -= w->sum_high;
	if (b->max < out->max)
		out->max = b->max;
}
