/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loss - which frames are lost
 *
 * There are four models. Each that is set judges each frame, and a frame is
 * lost if any of them says so:
 *
 *   random   loss p, and mean length b of a burst. With b = 0 frames are lost
 *            with probability p, each by itself. Else it is VDE 2's chain of
 *            two states, good and bad: from good to bad with probability
 *            p / (b (1 - p)), from bad to good with 1 / b; frames are lost in
 *            the bad state. A share p of all is lost, in bursts of b on average.
 *            If b is less than the least that a loss of p can have, 1 and
 *            p / (1 - p), it is that. Of p = 1 nothing arrives.
 *   gilbert  Gilbert and Elliott's chain: from good to bad with probability
 *            p, back with r; lost with 1-h in the bad state, 1-k in the good
 *            one. Lost is a share ((1-h) p + (1-k) r) / (p + r).
 *   period   frames number f, f + n, f + 2n and so on, and of each the l - 1
 *            that follow
 *   list     frames with these numbers
 *
 * Chains start in the good state; they make a step before each frame, also
 * before one that another model has lost. Frames are counted from 1, by the
 * caller.
 */
#ifndef WIREFILTER_LOSS_H
#define WIREFILTER_LOSS_H

#include "base/rng.h"
#include "base/strbuf.h"

#define LOSS_RANGES_MAX 4096 /* of a list */

/* Why a frame is lost: the first model that says so. */
enum loss_cause {
	LOSS_NONE, /* it is not */
	LOSS_RANDOM,
	LOSS_BURST, /* random, in bursts */
	LOSS_GILBERT,
	LOSS_PERIOD,
	LOSS_LIST,
	LOSS_N_CAUSES
};
const char *loss_cause_name(enum loss_cause);

struct loss_gilbert {
	double p, r, h1, k1; /* 0..1; @h1 is 1-h, @k1 is 1-k */
};

struct loss_period {
	uint64_t n; /* 0: none */
	uint64_t l, f; /* 1 <= l <= n, f >= 1 */
};

struct loss_list;

/* What is set; all zero loses nothing. May be shared by several states. */
struct loss {
	struct loss_gilbert gilbert;
	struct loss_period period;
	const struct loss_list *list; /* NULL: none; must outlive this */
};

/* Of one direction; all zero at first. */
struct loss_state {
	bool burst, gilbert; /* in the bad state */
};

/* The fate of frame @number. @percent and @burst, the mean length, are those
 * of the random model for this frame, of any value. Always three draws. */
enum loss_cause loss_drop(const struct loss *, struct loss_state *,
			  struct rng *, uint64_t number, double percent,
			  double burst);

/* The mean length of bursts that there really is: see above. 0 for @burst of
 * 0 or less; infinite from 100 % on. */
double loss_burst_mean(double percent, double burst);

/* The share of all frames, 0..1, that is lost in the long run. */
double loss_gilbert_mean(const struct loss_gilbert *);

/* "P[,R[,1-H[,1-K]]]" in percent. As with netem, what is left out is 100 - P,
 * 100 and 0: losses that are independent. */
bool loss_gilbert_parse(struct loss_gilbert *, const char *text,
			struct strbuf *why);

/* "N[,L[,F]]": every Nth frame. What is left out is 1, and N; "0": none. */
bool loss_period_parse(struct loss_period *, const char *text,
		       struct strbuf *why);

/*
 * Numbers and ranges, "3,7-9,100-" (all from 100 on), apart by commas, blanks
 * and ends of lines, with comments from a # to the end of the line; in any
 * order, and some more than once if you like. NULL after saying in @why, with
 * the line, what is wrong, or if there is no memory.
 *
 * All three parsers leave what is set as it is if something is wrong.
 */
struct loss_list *loss_list_parse(const char *text, size_t len,
				  struct strbuf *why);
void loss_list_free(struct loss_list *);
bool loss_list_has(const struct loss_list *, uint64_t number);
/* In order, each once. */
void loss_list_print(struct strbuf *, const struct loss_list *);

#endif
