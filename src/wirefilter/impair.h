/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * impair - one direction of a wire: frames and the time in, frames with due
 * times out
 *
 * No descriptor, no clock, no allocation but the frames' own memory; hundreds
 * fit into a process. The order along the wire, where size is a frame's length
 * and the two bytes of its header on a stream:
 *
 *   1  mtu          longer ones are dropped
 *   2  blackout     nothing passes while it lasts
 *   3  loss         random, bursts, Gilbert-Elliott, periodic, a list
 *   4  dup          more of the same; each goes its own way from here
 *   5  noise        bits are flipped: noise, corrupt, ber
 *   6  chanbufsize, limit   what may wait in this direction, all together
 *   7  qdisc        the queue in front of the line
 *   8  speed        how fast frames are taken in: impair_opens()
 *   9  bandwidth    the line, with or without a bucket; or a trace
 *  10  delay        and reorder, which spares a frame the delay
 *  11  fifo         no frame leaves before an earlier one
 *
 * Each kind of decision has its own stream of random numbers (base/rng.h), of
 * (seed, direction, class, kind), and takes a fixed number of each for a
 * frame: the same seed, settings, frames and times give the same fates, and
 * changing one setting does not shift the others' luck.
 *
 * Frames belong to classes, 0 unless the caller says so. A class has settings
 * of its own and takes what it lacks from class 0. With bandwidth, burst,
 * speed, qdisc, chanbufsize or limit of its own it has a queue and a line of
 * its own; else it shares those of class 0. No order is kept between classes
 * with delays of their own, nor when a class gets a line of its own between
 * frames on the old one and on the new.
 */
#ifndef WIREFILTER_IMPAIR_H
#define WIREFILTER_IMPAIR_H

#include "wirefilter/aqm.h"
#include "wirefilter/blackout.h"
#include "wirefilter/delayq.h"
#include "wirefilter/meter.h"
#include "wirefilter/params.h"

#define IMPAIR_CLASSES 16
#define IMPAIR_NEVER UINT64_MAX
#define IMPAIR_HDR 2 /* bytes of a frame's size besides its own */
#define IMPAIR_MEMORY_DEFAULT ((size_t)1 << 30)

/* What became of a frame. */
enum impair_fate {
	IMPAIR_PASS,
	IMPAIR_MTU,
	IMPAIR_BLACKOUT,
	IMPAIR_LOSS, /* + enum loss_cause - LOSS_RANDOM */
	IMPAIR_LOSS_LAST = IMPAIR_LOSS + LOSS_N_CAUSES - 2,
	IMPAIR_TRACE_LOSS, /* the loss of a trace */
	IMPAIR_FULL_BYTES, /* chanbufsize */
	IMPAIR_FULL_FRAMES, /* limit */
	IMPAIR_EARLY, /* red */
	IMPAIR_LATE, /* codel */
	IMPAIR_STILL, /* a drawn speed or bandwidth of 0 or less */
	IMPAIR_MEMORY, /* what waits may not take more */
	IMPAIR_N_FATES
};
const char *impair_fate_name(enum impair_fate);
/* By name; IMPAIR_N_FATES: there is none. */
enum impair_fate impair_fate_find(const char *name);

/* How bits of a copy were flipped: noise_flip() makes the same of the same. */
struct impair_flips {
	uint64_t seed;
	double noise, corrupt, ber; /* of this frame; all 0: none */
};

/* What was decided about one copy of a frame, once it is settled. */
struct impair_decision {
	uint64_t number; /* of the frame in this direction, from 1 on */
	unsigned int copy; /* 0, and those of dup */
	unsigned int class;
	enum impair_fate fate;
	uint64_t arrived; /* ns */
	uint64_t delay; /* ns from then until it is due, if it passes */
	struct impair_flips flips;
};
typedef void impair_log_fn(void *ctx, const struct impair_decision *);

/* A frame that waits, or is due. What follows @data is the owner's. */
struct impair_frame {
	union {
		struct aqm_node line; /* in front of the line */
		struct delayq_node wait; /* behind it */
	};
	uint64_t arrived, due; /* ns */
	uint64_t number;
	uint64_t delay; /* ns, of the stage delay */
	struct impair_flips flips;
	uint32_t len;
	uint16_t copy;
	uint8_t class, lane;
	bool overtakes; /* reorder: neither delay nor fifo */
	bool follows; /* the line was busy until it left */
	uint8_t size_class; /* of its memory */
	uint8_t data[];
};

struct impair_stats {
	uint64_t in, in_bytes; /* bytes are frame lengths, without the header */
	uint64_t out, out_bytes;
	uint64_t fates[IMPAIR_N_FATES]; /* of copies; PASS: settled to pass */
	uint64_t dups, flipped, overtook; /* copies besides the first, ... */
	uint64_t waiting, waiting_size; /* now; size as above */
	uint64_t most_waiting, most_waiting_size;
	struct meter_rate rate; /* of sizes, as they were handed over */
	struct meter_hist late; /* ns, handed over behind the due time */
	struct meter_hist delay; /* ns, from arrival to due */
};

struct impair;

/* Everything passes. @direction: 0 L->R, 1 R->L. NULL without memory. Memory
 * for waiting frames is bounded by @memory_max bytes. */
struct impair *impair_new(uint64_t seed, unsigned int direction,
			  size_t memory_max);
void impair_free(struct impair *);

/* From now on frames of @class are treated so; class 0 for all of them that
 * have no settings of their own. @params stays the caller's and must outlive
 * its use; call again when it has changed. NULL: the class has none any more
 * (not for class 0). Nothing that waits is lost or put into another order: it
 * has its delay already, and leaves the queue at the new rate. */
void impair_use(struct impair *, unsigned int class, const struct params *,
		uint64_t now);
void impair_set_fifo(struct impair *, bool fifo);
/* At most BLACKOUT_MAX of them, copied. Times are absolute. */
void impair_set_blackouts(struct impair *, const struct blackout *, int n);
/* Each settled decision is told. NULL: no more. */
void impair_set_log(struct impair *, impair_log_fn *, void *ctx);

/* A trace of values replaces class 0's rate (LINE's unit), delay and loss, as
 * far as @has (1 << TRACE_x) says; 0: none of them. */
void impair_trace_values(struct impair *, unsigned int has, uint64_t rate,
			 uint64_t delay, double loss, uint64_t now);
/* The line of class 0 is one of opportunities: @next says when the next one
 * is, false: there will be none any more. NULL: it is a line of a rate. */
typedef bool impair_slots_fn(void *ctx, uint64_t *at);
void impair_set_slots(struct impair *, impair_slots_fn *next, void *ctx,
		      uint64_t now);

/* True if frames pass as they are, at once, and nobody is told: the caller may
 * hand them over itself, and say so with impair_count(). */
bool impair_is_clear(const struct impair *);
void impair_count(struct impair *, uint64_t frames, uint64_t bytes,
		  uint64_t now);

/* A frame of @len bytes, 1 to 65535, which are copied, arrived at @now; time
 * does not go back. */
void impair_input(struct impair *, const void *data, size_t len,
		  unsigned int class, uint64_t now);
/* The same with fates that were decided before; none: it is lost, uncounted by
 * cause. Settings play no role. */
void impair_input_fated(struct impair *, const void *data, size_t len,
			const struct impair_decision *, int n, uint64_t now);

/* When speed lets the next frame in: not after @now means at once. */
uint64_t impair_opens(const struct impair *);
/* When something is due, or IMPAIR_NEVER, also if frames wait that will never
 * leave. */
uint64_t impair_next(struct impair *);
/* Up to @max frames that are due by @now, in order; they are the caller's
 * until impair_sent(), which frees them and measures: @now is the time when
 * they were handed over. */
int impair_output(struct impair *, uint64_t now, struct impair_frame **out,
		  int max);
void impair_sent(struct impair *, struct impair_frame *const *, int n,
		 uint64_t now);

const struct impair_stats *impair_stats(const struct impair *);
/* As long as it is the same, so is what is set. */
uint64_t impair_changes(const struct impair *);
/* The rate asked for now, bytes/s; 0: no limit, negative: it varies. */
double impair_asked_rate(const struct impair *);
void impair_reset_stats(struct impair *);

#endif
