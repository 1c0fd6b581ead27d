// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/meter.h"

#include <string.h>

#define PER_POWER (1U << METER_CLASS_BITS)
#define NS_PER_SEC 1e9

/* ---- histogram ---- */

void meter_hist_init(struct meter_hist *h)
{
	memset(h, 0, sizeof(*h));
}

/* By how many bits the numbers of a class differ. */
static unsigned int width_bits(uint64_t v)
{
	unsigned int top;

	if (v < PER_POWER)
		return 0;
	top = 63 - (unsigned int)__builtin_clzll(v);
	return top - METER_CLASS_BITS;
}

/* The class is a power and the five bits below the highest one, the power 0
 * being that of numbers that have no such bits. */
static size_t class_of(uint64_t v)
{
	unsigned int bits = width_bits(v);

	if (v < PER_POWER)
		return (size_t)v;
	return ((size_t)bits + 1) * PER_POWER + (v >> bits) % PER_POWER;
}

static uint64_t middle_of(size_t class)
{
	unsigned int bits;

	if (class < PER_POWER)
		return class;
	bits = (unsigned int)(class / PER_POWER) - 1;
	return ((uint64_t)(PER_POWER + class % PER_POWER) << bits) +
	       ((UINT64_C(1) << bits) >> 1);
}

void meter_hist_add(struct meter_hist *h, uint64_t v)
{
	if (!h->n || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->n++;
	if (__builtin_add_overflow(h->sum, v, &h->sum))
		h->sum_high++;
	h->counts[class_of(v)]++;
}

void meter_hist_merge(struct meter_hist *to, const struct meter_hist *from)
{
	if (!from->n)
		return;
	if (!to->n || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->n += from->n;
	to->sum_high += from->sum_high;
	if (__builtin_add_overflow(to->sum, from->sum, &to->sum))
		to->sum_high++;
	for (size_t i = 0; i < METER_CLASSES; i++)
		to->counts[i] += from->counts[i];
}

uint64_t meter_hist_quantile(const struct meter_hist *h, unsigned int per_mille)
{
	/* Without the product of both, which may be too large. */
	uint64_t rank = h->n / 1000 * per_mille +
			(h->n % 1000 * per_mille + 999) / 1000;
	uint64_t seen = 0, v;
	size_t i = 0;

	if (!h->n || !rank)
		return h->min;
	if (rank >= h->n)
		return h->max;
	while (i < METER_CLASSES - 1 && seen + h->counts[i] < rank)
		seen += h->counts[i++];
	v = middle_of(i);
	if (v < h->min)
		return h->min;
	return v < h->max ? v : h->max;
}

double meter_hist_mean(const struct meter_hist *h)
{
	if (!h->n)
		return 0;
	return ((double)h->sum_high * 0x1p64 + (double)h->sum) / (double)h->n;
}

/* ---- rate ---- */

void meter_rate_init(struct meter_rate *m)
{
	memset(m, 0, sizeof(*m));
}

void meter_rate_add(struct meter_rate *m, uint64_t now, uint64_t bytes,
		    bool follows)
{
	uint64_t number = now / METER_SLOT_NS;
	struct meter_slot *s = &m->ring[number % METER_RING];

	if (!m->frames) {
		m->first = now;
		m->first_bytes = bytes;
	} else if (follows && now >= m->last) {
		m->busy_ns += now - m->last;
		m->busy_bytes += bytes;
	}
	m->last = now;
	m->frames++;
	m->bytes += bytes;
	if (s->number != number)
		*s = (struct meter_slot){ .number = number };
	s->bytes += bytes;
	s->frames++;
}

static double per_second(uint64_t n, uint64_t ns)
{
	return ns ? (double)n * NS_PER_SEC / (double)ns : 0;
}

double meter_rate_mean(const struct meter_rate *m)
{
	return per_second(m->bytes - m->first_bytes, m->last - m->first);
}

double meter_rate_busy(const struct meter_rate *m)
{
	return per_second(m->busy_bytes, m->busy_ns);
}

double meter_rate_recent(const struct meter_rate *m, uint64_t now,
			 double *frames_per_s)
{
	uint64_t end = now / METER_SLOT_NS, begin = m->first / METER_SLOT_NS;
	uint64_t bytes = 0, frames = 0, ns;

	*frames_per_s = 0;
	if (end > METER_WINDOW && begin < end - METER_WINDOW)
		begin = end - METER_WINDOW;
	if (!m->frames || begin >= end)
		return 0;
	for (size_t i = 0; i < METER_RING; i++) {
		const struct meter_slot *s = &m->ring[i];

		if (s->number >= begin && s->number < end) {
			bytes += s->bytes;
			frames += s->frames;
		}
	}
	ns = (end - begin) * METER_SLOT_NS;
	*frames_per_s = per_second(frames, ns);
	return per_second(bytes, ns);
}
