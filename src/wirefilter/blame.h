/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blame - whose fault it is that a frame was handed over late
 *
 * An output is free until it leaves frames that are due behind: then it holds
 * them. It is free again when it has taken all it was offered. A frame that
 * became due while it held, or was left behind, is held: for the time before
 * it first refused and after it was free again this machine is to blame, for
 * the time between whoever does not read. All others are the machine's.
 *
 * While frames that had been held still leave, a new refusal goes on with the
 * old one. Frames come in the order of their due times.
 */
#ifndef WIREFILTER_BLAME_H
#define WIREFILTER_BLAME_H

#include "wirefilter/meter.h"

struct blame {
	uint64_t tolerance; /* ns: more is late */
	bool holds; /* now */
	bool backlog; /* the last frame that left had been held */
	uint64_t since; /* when it first refused */
	uint64_t free_at; /* when it was free again */
	uint64_t late; /* frames the machine is to blame for */
	uint64_t held; /* frames late for the other reason */
	uint64_t max; /* ns, the most that the machine is to blame for */
	struct meter_hist waits; /* ns behind the due time, of held frames */
};

void blame_init(struct blame *, uint64_t tolerance);
/* Counters to nothing; what is held stays so. */
void blame_reset(struct blame *);

/* A frame that was due at @due was taken at @now: for how many ns of its
 * lateness the machine is to blame. */
uint64_t blame_frame(struct blame *, uint64_t due, uint64_t now);
/* After those: the output left frames behind, or did not. */
void blame_left(struct blame *, bool left, uint64_t now);

/* @all, all frames behind their due time, without those that were held. */
void blame_without_held(const struct blame *, const struct meter_hist *all,
			struct meter_hist *out);

#endif
