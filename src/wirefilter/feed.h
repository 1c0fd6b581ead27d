/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * feed - traces from files, which are read as time goes on
 *
 * A trace (trace.h) of Mahimahi is the line of its direction: its
 * opportunities are read when the engine asks for them. One of values is
 * applied point by point, each at its exact time: feed_advance(). Of a file
 * only the piece at hand is in memory, so it may be of any length.
 *
 * Times count from when the trace was set. The first part of a file is checked
 * before anything changes. What turns out to be wrong later ends the trace,
 * which is logged: values stay what they were last, and a line of
 * opportunities becomes that of the settings. So it is if points follow each
 * other faster than they can be read. The end of a trace that is not repeated
 * leaves values as they are; there are no more opportunities then, and nothing
 * passes.
 */
#ifndef WIREFILTER_FEED_H
#define WIREFILTER_FEED_H

#include "wirefilter/trace.h"
#include "wirefilter/wirefilter.h"

enum feed_state {
	FEED_RUNNING,
	FEED_ENDED, /* it is not repeated, and over */
	FEED_FAILED,
	FEED_N_STATES
};
const char *feed_state_name(enum feed_state);

struct feed_info {
	const char *file;
	enum trace_format format;
	bool repeat;
	enum feed_state state;
	uint64_t begin; /* ns, of its first time through */
	uint64_t line; /* of the file, the last that was read */
	uint64_t points; /* so far */
	/* of TRACE_CSV: what is in force, as struct trace_point has it */
	unsigned int has;
	uint64_t rate, delay;
	double loss;
};

/*
 * "[LR|RL][mahimahi:|csv:]FILE", or "none" in place of the file: @name is the
 * option or command that it was given to. Without a format a first line of
 * digits only says that it is Mahimahi's. 0, or -errno after saying in @why
 * what is wrong, with name and text; then nothing has changed.
 */
int feed_set(struct wirefilter *, const char *name, const char *text,
	     bool repeat, struct strbuf *why);
/* No traces any more, as far as there are; settings are in force again. */
void feed_end(struct wirefilter *);

/* Applies what both traces have up to @now. Before frames of that time, and
 * before wire_advance(); a timer of its own does it when there are none. */
void feed_advance(struct wirefilter *, uint64_t now);

const struct feed_info *feed_info(const struct feed *);

#endif
