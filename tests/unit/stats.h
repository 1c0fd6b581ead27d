/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats - is that what chance would do? Tests of hypotheses for unit tests
 *
 * Each is at the level of 99.9 %: of a thousand right generators one would
 * fail. Tests have fixed seeds, so what passes once passes always. Include it
 * after test.h; link with -lm.
 */
#ifndef TESTS_STATS_H
#define TESTS_STATS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define STAT_Z 3.2905267314919255 /* normal, 99.9 % within +- this */
#define STAT_KS 1.9494746035981 /* Kolmogorov's distribution, 99.9 % */

/* Are @hits of @n a share of @p? The normal confidence interval, so n p and
 * n (1 - p) must not be small. */
static inline bool stat_share(double hits, double n, double p)
{
	double z = (hits - n * p) / sqrt(n * p * (1 - p));

	if (fabs(z) <= STAT_Z)
		return true;
	printf("# %g of %g is no share of %g: %.2f sigma\n", hits, n, p, z);
	return false;
}

/* Is @mean the mean of @n independent numbers of that mean and deviation? */
static inline bool stat_mean(double mean, double n, double of, double sd)
{
	double z = (mean - of) / (sd / sqrt(n));

	if (fabs(z) <= STAT_Z)
		return true;
	printf("# a mean of %g is not %g: %.2f sigma\n", mean, of, z);
	return false;
}

/* Pearson's chi-square of @bins counts against the counts expected, which must
 * not be below 5 or so; 99.9 % between both ends: what fits too well is wrong,
 * too. Wilson and Hilferty's quantiles: within 1 % for 5 bins and more. */
static inline bool stat_chi2(const uint64_t *seen, const double *expected,
			     size_t bins)
{
	double k = (double)bins - 1, s = 2 / (9 * k), x = 0, z;

	for (size_t i = 0; i < bins; i++) {
		double d = (double)seen[i] - expected[i];

		x += d * d / expected[i];
	}
	z = (cbrt(x / k) - (1 - s)) / sqrt(s);
	if (fabs(z) <= STAT_Z)
		return true;
	printf("# chi-square %g for %g degrees of freedom: %.2f sigma\n", x, k,
	       z);
	return false;
}

static inline int stat_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: are those numbers drawn from a distribution that is
 * continuous and has that function? Sorts them. */
static inline bool stat_ks(double *x, size_t n, double (*cdf)(double))
{
	double d = 0;

	qsort(x, n, sizeof(*x), stat_order);
	for (size_t i = 0; i < n; i++) {
		double f = cdf(x[i]);

		d = fmax(d, fmax(f - (double)i / (double)n,
				 (double)(i + 1) / (double)n - f));
	}
	if (d * sqrt((double)n) <= STAT_KS)
		return true;
	printf("# Kolmogorov-Smirnov: %.6f away, times sqrt(n) %.2f\n", d,
	       d * sqrt((double)n));
	return false;
}

#endif
