// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/line.h"

#define NS_PER_SEC UINT64_C(1000000000)
/* A byte takes NS_UNITS / rate nanoseconds. */
#define NS_UNITS (NS_PER_SEC * LINE_RATE_UNIT)

__extension__ typedef unsigned __int128 u128;

bool line_rate(double bytes_per_s, uint64_t *rate)
{
	double units = bytes_per_s * (double)LINE_RATE_UNIT;
	uint64_t r;

	/* Written so that it is false for what is no number. */
	if (!(units >= 0 && units <= (double)LINE_RATE_MAX))
		return false;
	r = (uint64_t)(units + 0.5);
	if (!r && units > 0)
		return false;
	*rate = r;
	return true;
}

/* @size bytes and @part at @rate: whole nanoseconds, and @left parts of one.
 * LINE_NEVER if they are too many. */
static uint64_t duration(uint32_t size, uint64_t part, uint64_t rate,
			 uint64_t *left)
{
	uint64_t units;
	u128 wide;

	if (!__builtin_mul_overflow(size, NS_UNITS, &units) &&
	    !__builtin_add_overflow(units, part, &units)) {
		*left = units % rate;
		return units / rate;
	}
	wide = (u128)size * NS_UNITS + part;
	*left = (uint64_t)(wide % rate);
	wide /= rate;
	return wide < LINE_NEVER ? (uint64_t)wide : LINE_NEVER;
}

static void set_rate(struct line *l, uint64_t rate, uint32_t burst)
{
	l->rate = rate;
	l->burst = burst;
	l->span = l->span_part = 0;
	if (rate)
		l->span = duration(burst, 0, rate, &l->span_part);
}

void line_init(struct line *l, uint64_t rate, uint32_t burst)
{
	*l = (struct line){ 0 };
	set_rate(l, rate, burst);
}

/* Of @units per byte, as the rate has them: what is in the bucket at the time
 * @at, or would be if it were larger. */
static u128 tokens(const struct line *l, uint64_t at)
{
	u128 has = (u128)l->burst * LINE_RATE_UNIT, change;

	if (l->full <= at)
		return has + (u128)(at - l->full) * l->rate / NS_PER_SEC;
	change = (u128)(l->full - at) * l->rate / NS_PER_SEC;
	return has > change ? has - change : 0;
}

/* A bucket of another size, or of another rate. */
static void refill(struct line *l, uint64_t now, uint64_t rate, uint32_t burst)
{
	uint64_t at = l->last > now ? l->last : now;
	u128 room = (u128)burst * LINE_RATE_UNIT;
	u128 has = l->rate ? tokens(l, at) : room;
	u128 wait;

	l->part = 0;
	l->full = at;
	if (!rate || has >= room)
		return;
	wait = (room - has) * NS_PER_SEC / rate;
	l->full = wait < LINE_NEVER - at ? at + (uint64_t)wait : LINE_NEVER;
}

void line_set(struct line *l, uint64_t now, uint64_t rate, uint32_t burst)
{
	if (rate == l->rate && burst == l->burst)
		return;
	/* Nothing is rounded where the rate is another for each frame. */
	if (rate && l->rate && !burst && !l->burst)
		l->part = (uint64_t)((u128)l->part * rate / l->rate);
	else
		refill(l, now, rate, burst);
	set_rate(l, rate, burst);
}

/* @full and @part less the time in which the bucket fills, rounded up. */
static uint64_t enough(const struct line *l, uint64_t full, uint64_t part)
{
	if (full < l->span || (full == l->span && part <= l->span_part))
		return 0;
	return full - l->span + (part > l->span_part);
}

uint64_t line_send(struct line *l, uint64_t ready, uint32_t size)
{
	uint64_t full = l->full, part = l->part, leaves, takes;

	if (!l->rate)
		return l->last = ready > l->last ? ready : l->last;
	if (full < ready) {
		full = ready;
		part = 0;
	}
	takes = duration(size, part, l->rate, &part);
	if (__builtin_add_overflow(full, takes, &full) || full == LINE_NEVER)
		return LINE_NEVER;
	leaves = enough(l, full, part);
	if (leaves < ready)
		leaves = ready;
	if (leaves < l->last)
		leaves = l->last;
	l->full = full;
	l->part = part;
	return l->last = leaves;
}
