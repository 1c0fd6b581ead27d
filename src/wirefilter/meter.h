/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter - how exact the wire is: a histogram of times, and a rate
 *
 * The histogram counts numbers of 64 bits in classes: one for each below 64,
 * then 32 of the same width for each power of two. A quantile is the middle
 * of the class in which it lies: off by at most 1/64 of what it is, exact
 * below 64. The smallest, the greatest and the mean are exact. 15 KB hold any
 * number of them.
 *
 * The rate is measured three ways: from the first frame to the last, over the
 * last second, and while frames followed each other without a gap, which is
 * what a line's rate must be compared with.
 *
 * Nothing is allocated.
 */
#ifndef WIREFILTER_METER_H
#define WIREFILTER_METER_H

#include "base/util.h"

#define METER_CLASS_BITS 5
#define METER_CLASSES ((64 - METER_CLASS_BITS + 1) << METER_CLASS_BITS)

struct meter_hist {
	uint64_t n;
	uint64_t min, max;
	uint64_t sum, sum_high; /* of all, 128 bits */
	uint64_t counts[METER_CLASSES];
};

void meter_hist_init(struct meter_hist *);
void meter_hist_add(struct meter_hist *, uint64_t v);
/* Everything of @from is in @to as well. */
void meter_hist_merge(struct meter_hist *to, const struct meter_hist *from);
/* The smallest that @per_mille of 1000 do not exceed: 500 the median, 1000 the
 * greatest. 0 of an empty one. */
uint64_t meter_hist_quantile(const struct meter_hist *, unsigned int per_mille);
double meter_hist_mean(const struct meter_hist *);

#define METER_SLOT_NS UINT64_C(125000000)
#define METER_WINDOW 8 /* slots: a second */
#define METER_RING (METER_WINDOW + 1) /* and the one that is not over */

struct meter_slot {
	uint64_t number; /* its time in slots */
	uint64_t bytes, frames;
};

struct meter_rate {
	uint64_t frames, bytes; /* all */
	uint64_t first_bytes; /* of the first frame */
	uint64_t first, last; /* ns */
	uint64_t busy_ns, busy_bytes;
	struct meter_slot ring[METER_RING];
};

void meter_rate_init(struct meter_rate *);

/* A frame has left at @now, which does not go back. @follows: the line was
 * busy until then since the frame before it left. */
void meter_rate_add(struct meter_rate *, uint64_t now, uint64_t bytes,
		    bool follows);

/* Bytes per second from when the first frame left to when the last did, in
 * which all bytes but those of the first went. 0 if that took no time. */
double meter_rate_mean(const struct meter_rate *);
/* The same of the time in which the line was busy. */
double meter_rate_busy(const struct meter_rate *);
/* Over the eight slots before that of @now, or those since the first frame;
 * also in frames per second. 0 if there is none. */
double meter_rate_recent(const struct meter_rate *, uint64_t now,
			 double *frames_per_s);

#endif
