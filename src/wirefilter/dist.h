/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dist - draws of a value: distributions, and correlation of successive draws
 *
 * With v and p the numbers of a value (value.h), a draw is v + p X, where X
 * is Q(u), Q the quantile function of the shape and u uniform in (0, 1):
 *
 *   uniform       2 u - 1: from -1 to 1, as VDE 2's U
 *   gauss         N(u) / 3, N the standard normal: VDE 2's N, p is 3 sigma
 *   normal        N(u)
 *   pareto        P(u) = ((1 - u)^(-1/3) - 3/2) / sqrt(3/4): Pareto's with
 *                 index 3, mean 0 and deviation 1; never below -0.577
 *   paretonormal  (N(u) + 3 P(u)) / 3.7510: a quarter and three quarters as
 *                 netem has them, made to have deviation 1
 *   table         between the numbers of a file: see dist_table_parse()
 *
 * Nothing is cut off: what a draw below nought means is the caller's matter.
 *
 * Correlated draws are a Gaussian copula: z is a standard normal process with
 * z' = r z + sqrt(1 - r^2) e, and u the normal probability of z. So each draw
 * has exactly the distribution asked for, which a mix of the last draw with a
 * new one, as in netem, has not. Of normal draws the correlation is Pearson's
 * coefficient, r itself; of others it is that of their ranks (for uniform
 * ones Pearson's, too), r = 2 sin(pi/6 corr).
 *
 * A draw takes one number from the generator, whatever the value is: setting
 * it changes how later frames are delayed, not which of them have bad luck.
 * With log(), sqrt(), cbrt(), erfc() and sin() of libm, the same seed gives
 * the same draws on the same machine and build; elsewhere the last bit may be
 * another one.
 */
#ifndef WIREFILTER_DIST_H
#define WIREFILTER_DIST_H

#include "base/rng.h"
#include "base/strbuf.h"
#include "wirefilter/value.h"

#define DIST_TABLE_MAX 65536 /* numbers */

struct dist_table;

/* What is drawn from: filled by dist_set() alone, may be copied, and shared
 * by several states. */
struct dist {
	double num, plus;
	double r, rest; /* rest is sqrt(1 - r^2) */
	enum value_shape shape;
	const struct dist_table *table;
};

/* The last of successive draws; all zero at first. */
struct dist_state {
	double z;
	bool started;
};

/* @table is for VALUE_TABLE, must outlive @d, and may be NULL for others:
 * -ENOENT, and @d untouched, if it is missing. A state goes on. */
int dist_set(struct dist *d, const struct value *, const struct dist_table *);
double dist_draw(const struct dist *, struct dist_state *, struct rng *);

/* What a share @u of all draws, above 0 and below 1, does not exceed. */
double dist_at(const struct dist *, double u);

/* N(u), @u in (0, 1), within 1e-15 of its size. */
double dist_normal(double u);

/*
 * A distribution from text: numbers, apart by blanks, commas or ends of lines,
 * and comments from a # to the end of a line. They are a sample in any order:
 * measured delays in any unit, or a table of netem. Sorted, they are quantiles
 * at even distances, the first the least that is drawn and the last the
 * largest, with straight lines between. X is that, moved and scaled to mean 0
 * and deviation 1: with the mean and deviation of the sample as v and p draws
 * are as in the file.
 *
 * NULL after saying in @why, with the line, what is wrong, or if there is no
 * memory. A number is at most 1e15, and not all are the same.
 */
struct dist_table *dist_table_parse(const char *text, size_t len,
				    struct strbuf *why);
void dist_table_free(struct dist_table *);

/* Of what is drawn, in the unit of the file. */
double dist_table_mean(const struct dist_table *);
double dist_table_deviation(const struct dist_table *);

#endif
