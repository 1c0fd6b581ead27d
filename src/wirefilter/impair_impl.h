/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * impair_impl - what impair.c, the frames' way, and impair_set.c, what is
 * set, share, and nobody else sees
 *
 * A flow is what one class of frames needs of its own: its settings with
 * those it takes from class 0, its random numbers, the states of its draws. A
 * lane is a queue and the line behind it: that of class 0, and those of
 * classes which have one. Behind the lines there is one queue for all frames,
 * by due time.
 */
#ifndef WIREFILTER_IMPAIR_IMPL_H
#define WIREFILTER_IMPAIR_IMPL_H

#include "wirefilter/line.h"
#include "wirefilter/parcel.h"
#include "wirefilter/slotline.h"
#include "wirefilter/trace.h"

/* Streams of random numbers: one for the draws of each value, and these. */
enum impair_kind {
	KIND_LOSS = PARAM_N_VALUES,
	KIND_TRACE,
	KIND_DUP,
	KIND_FLIPS,
	KIND_QUEUE,
	KIND_REORDER,
	KIND_N
};

struct impair_flow {
	bool used;
	bool loses, flips; /* any of these is set */
	uint8_t lane; /* the one it goes through */
	uint8_t order; /* the flow with which it keeps order */
	uint32_t own; /* as @has of params.h */
	uint64_t number; /* of its frames */
	uint64_t latest; /* due time given to any frame, for fifo */
	struct params set;
	struct loss_state loss;
	struct dist_state draws[PARAM_N_VALUES];
	struct rng rng[KIND_N];
};

struct impair_lane {
	uint8_t flow; /* whose settings count */
	bool used; /* a frame has been on the line */
	struct aqm queue;
	struct line line, speed;
	double asked_speed; /* bytes/s, the mean of what is set */
	uint64_t free; /* when the last frame that began to leave has left */
	uint64_t waiting, waiting_size; /* here and behind the line */
};

struct impair {
	uint64_t seed, number, now;
	uint64_t changes; /* of what is set */
	unsigned int direction;
	bool fifo;
	bool overtaken; /* some frame has, or may yet */
	unsigned int n_lanes; /* those above it were never used */
	unsigned int n_classes; /* used ones besides class 0 */
	unsigned int held; /* frames the caller has not sent yet */
	struct parcel_pool pool;
	struct delayq waiting;
	struct impair_flow flows[IMPAIR_CLASSES];
	struct impair_lane lanes[IMPAIR_CLASSES];
	struct blackout blackouts[BLACKOUT_MAX];
	int n_blackouts;
	struct {
		unsigned int has;
		uint64_t rate, delay;
		double loss;
	} trace;
	impair_slots_fn *next_slot; /* NULL: lane 0 has a rate */
	void *slots_ctx;
	bool slots_over; /* there will be none any more */
	struct slotline slots;
	uint64_t slots_seen; /* opportunities before it have gone */
	uint32_t slot_todo; /* bytes of the frame at the head */
	impair_log_fn *log;
	void *log_ctx;
	struct impair_stats stats;
};

/* What happens at the lines until @now. */
void impair_advance(struct impair *, uint64_t now);

#endif
