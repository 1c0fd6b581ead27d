/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line - a line of a rate, with or without a bucket of tokens
 *
 * Without a bucket a frame leaves when its last byte is out: bytes follow
 * each other at the rate, from when the frame is ready or the frame before it
 * is out, whichever is later. With a bucket of B bytes, which fills at the
 * rate up to B, a frame leaves at once if there is a token for each of its
 * bytes, else as soon as there is; one that is longer than the bucket waits
 * for as many tokens as it needs. Both are one: the first is a bucket of
 * nothing.
 *
 * The state is the time when the bucket will be full, in nanoseconds and a
 * remainder of 1/rate of one. So no rounding adds up: the N bytes of any
 * number of frames that follow each other take N / rate, rounded up to a
 * nanosecond once.
 *
 * Times given and returned are those of an exact line, not of whoever asks:
 * what is asked for late must be asked with the time at which it was ready.
 */
#ifndef WIREFILTER_LINE_H
#define WIREFILTER_LINE_H

#include "base/util.h"

/* Rates are in millionths of a byte per second; 0 is a line without limit. */
#define LINE_RATE_UNIT UINT64_C(1000000)
#define LINE_RATE_MAX (UINT64_C(1000000000000) * LINE_RATE_UNIT)
#define LINE_BURST_MAX UINT32_MAX
#define LINE_NEVER UINT64_MAX

struct line {
	uint64_t rate;
	uint32_t burst; /* bytes; 0: no bucket */
	uint64_t full; /* ns, when the bucket is full, and */
	uint64_t part; /* parts of a ns, of which there are @rate */
	uint64_t span; /* ns in which the empty bucket fills, and */
	uint64_t span_part;
	uint64_t last; /* ns, when the last frame leaves */
};

/* A rate in bytes per second to that of a line, to the nearest. False, and
 * @rate untouched, if it is no number, negative, above LINE_RATE_MAX, or not
 * 0 but would become 0. */
bool line_rate(double bytes_per_s, uint64_t *rate);

/* Nothing is on the line, the bucket is full. @rate is at most LINE_RATE_MAX,
 * also below. */
void line_init(struct line *, uint64_t rate, uint32_t burst);

/* For the frames that come from now on; those that were given their times
 * keep them, and are not overtaken. The tokens that are in the bucket stay,
 * as far as there is room, and an idle line has earned tokens since its
 * bucket was full. A bucket on a line that had no limit is full. */
void line_set(struct line *, uint64_t now, uint64_t rate, uint32_t burst);

/* When a frame of @size bytes leaves that is @ready at that time; @ready does
 * not go back. LINE_NEVER, and nothing is on the line, if no clock will ever
 * show that time. */
uint64_t line_send(struct line *, uint64_t ready, uint32_t size);

/* When the last frame leaves: a frame that waits in a queue in front of the
 * line is taken out of it at this time. */
static inline uint64_t line_free(const struct line *l)
{
	return l->last;
}

#endif
