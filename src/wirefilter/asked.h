/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asked - what settings ask for in the long run, to compare it with what was
 *
 *   loss   the share of frames that is lost. Models that are set together are
 *          independent: 1 - (1 - a)(1 - b). A varying percentage loses its
 *          mean, each draw being kept in 0 to 100 %.
 *   rate   bytes per second on a line that is never idle. With a draw B for
 *          each frame that is 1 / E[1/B], integrated over B's quantiles.
 *
 * How often something happened in n independent frames is compared by Wilson's
 * score interval ("Probable inference, the law of succession, and statistical
 * inference", 1927), at 99.9 %. Losses that come in bursts are as uncertain as
 * fewer frames would be: for a chain of two states with the correlation
 * rho = 1 - p - r of successive ones, which loses with probability h in the bad
 * and k in the good one, m on average, the variance is that of independent
 * losses times
 *
 *     1 + 2 rho / (1 - rho) * (h - k)^2 * P(good) P(bad) / (m (1 - m))
 *
 * The interval is that of n divided by it.
 */
#ifndef WIREFILTER_ASKED_H
#define WIREFILTER_ASKED_H

#include "wirefilter/params.h"

struct asked {
	const char *why_not; /* there is no such number; NULL: there is */
	double value;
	double spread; /* of the variance, at least 1 */
};

/* @value is a share, 0..1. */
void asked_loss(const struct params *, struct asked *);
/* @value is in bytes/s, 0 without limit: the slower of speed and bandwidth. */
void asked_rate(const struct params *, struct asked *);

/* Between which shares the truth is if @hits of @n were hit. @n is not 0. */
void asked_interval(uint64_t hits, uint64_t n, double spread, double *low,
		    double *high);

#endif
