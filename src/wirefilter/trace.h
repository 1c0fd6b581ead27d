/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace - what a real link once did, read piece by piece
 *
 * TRACE_MAHIMAHI: a line is a whole number of milliseconds, the time at which
 * one packet of the largest size could leave.
 *
 *	0
 *	3
 *	3
 *
 * TRACE_CSV: a line is the values from a time on. Columns are time (ms), rate
 * (bytes/s, 0 is no limit), delay (ms) and loss (%), in this order or as a
 * first line of their names says: some of them, time always. An empty field
 * leaves a value as it was. Blanks around fields, empty lines and lines that
 * begin with # mean nothing.
 *
 *	time, rate, loss
 *	0, 125000, 0
 *	1500.25, 62500,
 *
 * Numbers are decimal, without sign and exponent: times with up to 6 digits
 * behind the point, rates with 6, losses with 7. Times do not go back. Lines
 * end with LF or CR LF, have at most TRACE_LINE bytes, and the last one need
 * not end. Anything else is an error, with its line; nothing is read after
 * that.
 *
 * Only the line at hand is kept, so a trace may be of any length. A trace can
 * be repeated: the second time begins where the last point of the first was,
 * as Mahimahi has it.
 */
#ifndef WIREFILTER_TRACE_H
#define WIREFILTER_TRACE_H

#include "base/util.h"

#define TRACE_LINE 255
#define TRACE_TIME_MAX (UINT64_MAX / 2) /* ns */

enum trace_format {
	TRACE_MAHIMAHI,
	TRACE_CSV,
	TRACE_N_FORMATS
};
const char *trace_format_name(enum trace_format);

enum trace_column {
	TRACE_TIME,
	TRACE_RATE,
	TRACE_DELAY,
	TRACE_LOSS,
	TRACE_N_COLUMNS
};

struct trace_point {
	uint64_t time; /* ns since the first beginning */
	unsigned int has; /* 1 << TRACE_x for each value given, not the time */
	uint64_t rate; /* as line.h has it: millionths of a byte per second */
	uint64_t delay; /* ns */
	double loss; /* 0..1 */
};

enum trace_got {
	TRACE_POINT,
	TRACE_MORE, /* all that was given has been read */
	TRACE_END, /* and nothing will follow */
	TRACE_ERROR
};

struct trace {
	enum trace_format format;
	const char *p; /* given and not read yet */
	size_t left;
	bool last; /* nothing follows */
	enum trace_got over; /* TRACE_END, TRACE_ERROR: for good */
	uint64_t line; /* number of the one at hand */
	uint64_t points; /* of this time through */
	uint64_t begin; /* ns, of this time through */
	uint64_t time; /* ns, of the last point, from @begin */
	enum trace_column columns[TRACE_N_COLUMNS];
	unsigned int n_columns; /* 0: not known yet */
	size_t len; /* of @text */
	char text[TRACE_LINE + 2]; /* with CR, and one more */
	char error[200];
};

void trace_init(struct trace *, enum trace_format);

/* The next @n bytes; they are not copied, and must stay until trace_next()
 * has said TRACE_MORE, which it must have said before. */
void trace_give(struct trace *, const char *p, size_t n);
/* What has been given is all there is. */
void trace_finish(struct trace *);

/* Without points there is an error instead of an end. */
enum trace_got trace_next(struct trace *, struct trace_point *);

/* After TRACE_END: the same input is given again from its beginning. False,
 * which is an error, if it lasts no time at all. */
bool trace_repeat(struct trace *);

/* What is wrong after TRACE_ERROR: "line 12: ...". */
const char *trace_error(const struct trace *);

#endif
