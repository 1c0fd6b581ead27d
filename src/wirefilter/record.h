/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record - decisions as text, one on a line, to be applied again
 *
 *	# vde wirefilter decisions 1
 *	seed 42
 *	LR 1 0 1200450 pass 10000000
 *	LR 2 0 1300110 loss 0
 *	RL 1 0 1300420 pass 0 9146728344113371309 0 0.01 0
 *	end
 *
 * The first line is as above. A decision has a direction, the number of the
 * frame in it, the number of the copy, when it arrived (ns since the wire's
 * beginning), its fate (impair_fate_name()) and its delay (ns, 0 unless it
 * passes); if bits may have been flipped, also the seed and the three numbers
 * of struct impair_flips. They are in the order in which they were settled,
 * not always that of the frames. `end` says that nothing is missing: a record
 * without it was cut short.
 *
 * Fields are apart by blanks. Empty lines and those that begin with # mean
 * nothing. Lines end with LF or CR LF and have at most RECORD_LINE bytes.
 * Anything else is an error, with its line; nothing is read after that.
 *
 * Numbers are printed such that reading gives the same ones, to the last bit.
 */
#ifndef WIREFILTER_RECORD_H
#define WIREFILTER_RECORD_H

#include "wirefilter/impair.h"

#define RECORD_LINE 255
#define RECORD_NUMBER_MAX ((UINT64_C(1) << 48) - 1) /* of a frame */
#define RECORD_COPY_MAX UINT16_MAX

/* Prints; zeroed at first. It remembers how the last flips are written. */
struct record_printer {
	struct impair_flips last;
	char text[100];
};

/* Each appends whole lines to @to, of at most RECORD_LINE bytes each. */
void record_begin(struct strbuf *to, uint64_t seed);
/* @direction is 0 or 1, @begin the wire's beginning. */
void record_decision(struct strbuf *to, struct record_printer *,
		     unsigned int direction, const struct impair_decision *,
		     uint64_t begin);
void record_end(struct strbuf *to);

enum record_got {
	RECORD_DECISION,
	RECORD_MORE, /* all that was given has been read */
	RECORD_OVER, /* and nothing will follow */
	RECORD_ERROR
};

struct record_reader {
	/* of RECORD_DECISION; @arrived is since the wire's beginning */
	unsigned int direction;
	struct impair_decision decision;
	bool has_seed, complete; /* seen so far: its seed, its end */
	uint64_t seed;
	uint64_t line; /* number of the one at hand */
	/* the rest is its own */
	const char *p;
	size_t left;
	bool last;
	enum record_got over;
	size_t len;
	char text[RECORD_LINE + 2]; /* with CR, and one more */
	char error[200];
};

void record_reader_init(struct record_reader *);
/* As trace_give() and trace_finish(). */
void record_give(struct record_reader *, const char *p, size_t n);
void record_finish(struct record_reader *);
enum record_got record_next(struct record_reader *);
/* What is wrong after RECORD_ERROR: "line 12: ...". */
const char *record_error(const struct record_reader *);

#endif
