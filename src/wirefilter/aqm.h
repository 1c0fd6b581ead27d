/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aqm - the queue in front of a line, and what is dropped from it
 *
 * Every kind drops at the tail: a frame that would make more than
 * @limit_bytes or @limit_frames wait is refused. Besides,
 *
 *   AQM_TAIL    does nothing.
 *   AQM_RED     refuses a frame with a probability that depends on the bytes
 *               waiting before it: below @min none, from @min to @max from 0
 *               to @prob in proportion, above @max @prob.
 *   AQM_RED_AVERAGE
 *               is that of Floyd and Jacobson ("Random early detection
 *               gateways for congestion avoidance", 1993): the same curve
 *               over an average of the bytes, and frames refused are spread:
 *               with k passed since the last one, p / (1 - k p). Above @max
 *               everything is refused; with @gentle @prob to 1 from @max to
 *               twice @max. With weight w and q bytes waiting the average is
 *               w q + (1 - w) average at every frame; at one that finds the
 *               queue empty, average (1 - w)^m, m being how many frames of
 *               @frame_ns could have left meanwhile.
 *   AQM_CODEL   is that of RFC 8289: drops at the head, if frames have waited
 *               @target or longer for @interval.
 *
 * Frames leave first in, first out. Nodes live inside their owners; nothing
 * is allocated. Random numbers are the caller's: one for every frame.
 */
#ifndef WIREFILTER_AQM_H
#define WIREFILTER_AQM_H

#include "base/strbuf.h"

enum aqm_kind {
	AQM_TAIL,
	AQM_RED,
	AQM_RED_AVERAGE,
	AQM_CODEL,
	AQM_N_KINDS
};
const char *aqm_kind_name(enum aqm_kind);

/* What became of a frame. */
enum aqm_fate {
	AQM_PASS,
	AQM_FULL_BYTES, /* dropped: so many bytes may not wait */
	AQM_FULL_FRAMES, /* dropped: nor may so many frames */
	AQM_EARLY, /* dropped by chance */
	AQM_LATE, /* dropped at the head */
	AQM_N_FATES
};
const char *aqm_fate_name(enum aqm_fate);

#define AQM_TIME_MAX UINT64_C(10000000000) /* ns */

struct aqm_config {
	enum aqm_kind kind;
	uint64_t limit_bytes; /* 0: no limit */
	uint32_t limit_frames; /* 0: no limit */
	/* both REDs */
	uint64_t min, max; /* bytes */
	double prob; /* 0..1 */
	/* AQM_RED_AVERAGE */
	double weight; /* above 0, at most 1 */
	uint64_t frame_ns; /* a typical frame on the line, 1..AQM_TIME_MAX */
	bool gentle;
	/* AQM_CODEL: ns, 1..AQM_TIME_MAX, and bytes */
	uint64_t target, interval;
	uint32_t maxpacket; /* no more than that is no backlog */
};

struct aqm_node {
	struct aqm_node *next;
	uint64_t arrived;
	uint32_t size;
};

/* What waits, where it is not the queue of here. */
struct aqm_load {
	uint64_t bytes;
	uint64_t frames;
	uint64_t empty_since; /* if nothing waits */
};

struct aqm {
	struct aqm_config cfg;
	struct aqm_load load;
	struct aqm_node *first, *last;
	uint64_t fates[AQM_N_FATES]; /* frames dropped, AQM_PASS: that left */
	double average; /* bytes; AQM_RED_AVERAGE */
	int64_t spread; /* frames since the last drop, -1 below @min */
	/* State of a queue, RFC 8289, 5.2. */
	bool dropping;
	uint32_t count, lastcount;
	uint64_t first_above, drop_next;
};

/* The recommended values of all kinds: of 1993 with @prob 0.1, of RFC 8289;
 * no limits, AQM_TAIL. */
void aqm_defaults(struct aqm_config *);
/* False after saying in @why what is wrong; what the kind does not use is not
 * looked at. */
bool aqm_check(const struct aqm_config *, struct strbuf *why);
/* The configuration has been checked, here and in aqm_set(). */
void aqm_init(struct aqm *, const struct aqm_config *);
/* What waits stays, even if it is more than may wait from now on. */
void aqm_set(struct aqm *, const struct aqm_config *);

/* A frame of @size bytes arrives where @load waits; @unit is a random number
 * in [0, 1). For who keeps the queue elsewhere; not AQM_CODEL. */
enum aqm_fate aqm_judge(struct aqm *, const struct aqm_load *load,
			uint32_t size, uint64_t now, double unit);
/* The same, into the queue unless the fate is another than AQM_PASS. */
enum aqm_fate aqm_add(struct aqm *, struct aqm_node *, uint32_t size,
		      uint64_t now, double unit);
/* The frame that leaves now, NULL if none does. @dropped is the list of those
 * that were dropped first, to be released by the caller, or NULL. */
struct aqm_node *aqm_take(struct aqm *, uint64_t now,
			  struct aqm_node **dropped);

#endif
