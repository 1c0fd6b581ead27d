// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/dist.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "wirefilter/items.h"

#define PI 3.14159265358979323846
#define SQRT_HALF 0.70710678118654752440
#define SQRT_3_4 0.86602540378443864676
/* The deviation of N(u) + 3 P(u): sqrt(1 + 9 + 6 c), c = 0.67835278954999578
 * the mean of N(u) P(u), integrated numerically. */
#define PARETONORMAL 3.7510154274942638

static double polynomial(const double c[static 8], double x)
{
	double y = c[7];

	for (int i = 6; i >= 0; i--)
		y = y * x + c[i];
	return y;
}

/*
 * Wichura, "The percentage points of the normal distribution", algorithm AS
 * 241, Applied Statistics 37 (1988): a quotient of polynomials in the middle
 * and two in the tails, in sqrt(-log(tail)).
 */
double dist_normal(double u)
{
	static const double quotient[3][2][8] = {
		{ { 3.3871328727963666080e0, 1.3314166789178437745e2,
		    1.9715909503065514427e3, 1.3731693765509461125e4,
		    4.5921953931549871457e4, 6.7265770927008700853e4,
		    3.3430575583588128105e4, 2.5090809287301226727e3 },
		  { 1, 4.2313330701600911252e1, 6.8718700749205790830e2,
		    5.3941960214247511077e3, 2.1213794301586595867e4,
		    3.9307895800092710610e4, 2.8729085735721942674e4,
		    5.2264952788528545610e3 } },
		{ { 1.42343711074968357734e0, 4.63033784615654529590e0,
		    5.76949722146069140550e0, 3.64784832476320460504e0,
		    1.27045825245236838258e0, 2.41780725177450611770e-1,
		    2.27238449892691845833e-2, 7.74545014278341407640e-4 },
		  { 1, 2.05319162663775882187e0, 1.67638483018380384940e0,
		    6.89767334985100004550e-1, 1.48103976427480074590e-1,
		    1.51986665636164571966e-2, 5.47593808499534494600e-4,
		    1.05075007164441684324e-9 } },
		{ { 6.65790464350110377720e0, 5.46378491116411436990e0,
		    1.78482653991729133580e0, 2.96560571828504891230e-1,
		    2.65321895265761230930e-2, 1.24266094738807843860e-3,
		    2.71155556874348757815e-5, 2.01033439929228813265e-7 },
		  { 1, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
		    1.48753612908506148525e-2, 7.86869131145613259100e-4,
		    1.84631831751005468180e-5, 1.42151175831644588870e-7,
		    2.04426310338993978564e-15 } },
	};
	double q = u - 0.5, x;
	int part = 0;

	if (fabs(q) <= 0.425) {
		x = 0.180625 - q * q;
	} else {
		x = sqrt(-log(q < 0 ? u : 1 - u));
		part = x <= 5 ? 1 : 2;
		x -= part == 1 ? 1.6 : 5;
		q = q < 0 ? -1 : 1;
	}
	return q * polynomial(quotient[part][0], x) /
	       polynomial(quotient[part][1], x);
}

/* Of @z, kept away from 0 and 1 as far as rng_open() does. */
static double probability(double z)
{
	double u = 0.5 * erfc(-z * SQRT_HALF);

	if (u < 0x1p-53)
		return 0x1p-53;
	return u < 1 ? u : 1 - 0x1p-53;
}

static double pareto(double u)
{
	return (1 / cbrt(1 - u) - 1.5) / SQRT_3_4;
}

/* ---- tables ---- */

struct dist_table {
	double mean, deviation; /* of the numbers as they were read */
	size_t n;
	double x[]; /* ascending; of mean 0 and deviation 1 */
};

static double table_quantile(const struct dist_table *t, double u)
{
	double at = u * (double)(t->n - 1);
	size_t i = size_min((size_t)at, t->n - 2);

	return t->x[i] + (at - (double)i) * (t->x[i + 1] - t->x[i]);
}

/* False at the end, and where something is wrong. */
static bool next_number(struct items *it, double *out)
{
	bool negative;
	size_t len;

	if (!items_next(it))
		return false;
	negative = *it->p == '-';
	it->p += negative || *it->p == '+';
	len = parse_fraction(it->p, (size_t)(it->end - it->p), out);
	it->p += len;
	if (!len)
		it->wrong = "what stands there is not a number";
	else if (items_over(it) && *out > 1e15)
		it->wrong = "a number is above 1e15";
	if (negative)
		*out = -*out;
	return !it->wrong;
}

static bool count_numbers(struct items it, size_t *n, struct strbuf *why)
{
	double x;

	for (*n = 0; next_number(&it, &x); ++*n) {
		if (*n == DIST_TABLE_MAX) {
			it.wrong = "there are more than 65536 numbers";
			break;
		}
	}
	if (!it.wrong && *n < 2)
		it.wrong = "a distribution needs two numbers or more";
	return items_check(&it, why);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between two numbers a and b all that lies between is as likely: mean
 * (a + b) / 2, mean square (a^2 + a b + b^2) / 3. */
static void measure(struct dist_table *t)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < t->n; i++)
		sum += (t->x[i] + t->x[i + 1]) / 2;
	t->mean = sum / (double)(t->n - 1);
	sum = 0;
	for (size_t i = 0; i + 1 < t->n; i++) {
		double a = t->x[i] - t->mean, b = t->x[i + 1] - t->mean;

		sum += (a * a + a * b + b * b) / 3;
	}
	t->deviation = sqrt(sum / (double)(t->n - 1));
}

struct dist_table *dist_table_parse(const char *text, size_t len,
				    struct strbuf *why)
{
	struct dist_table *t;
	struct items it;
	size_t n;

	items_init(&it, text, len);
	if (!count_numbers(it, &n, why))
		return NULL;
	t = calloc(1, sizeof(*t) + n * sizeof(t->x[0]));
	if (!t) {
		strbuf_add(why, "out of memory");
		return NULL;
	}
	while (t->n < n && next_number(&it, &t->x[t->n]))
		t->n++;
	qsort(t->x, n, sizeof(t->x[0]), ascending);
	measure(t);
	if (!(t->x[0] < t->x[n - 1] && t->deviation > 0)) {
		strbuf_add(why, "all numbers are the same");
		free(t);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		t->x[i] = (t->x[i] - t->mean) / t->deviation;
	return t;
}

void dist_table_free(struct dist_table *t)
{
	free(t);
}

double dist_table_mean(const struct dist_table *t)
{
	return t->mean;
}

double dist_table_deviation(const struct dist_table *t)
{
	return t->deviation;
}

/* ---- draws ---- */

static bool is_normal(enum value_shape shape)
{
	return shape == VALUE_GAUSS || shape == VALUE_NORMAL;
}

int dist_set(struct dist *d, const struct value *v,
	     const struct dist_table *table)
{
	double r = v->corr / 100;

	if (v->shape == VALUE_TABLE && !table)
		return -ENOENT;
	if (!is_normal(v->shape) && r < 1) /* of 1 the sine is less than 1/2 */
		r = 2 * sin(PI / 6 * r);
	d->num = v->num;
	d->plus = v->plus;
	d->shape = v->shape;
	d->table = table;
	d->r = r;
	d->rest = sqrt(1 - r * r);
	return 0;
}

/* Q(u), where @z is N(u). */
static double quantile(const struct dist *d, double u, double z)
{
	switch (d->shape) {
	case VALUE_UNIFORM:
		return 2 * u - 1;
	case VALUE_GAUSS:
		return z / 3;
	case VALUE_NORMAL:
		return z;
	case VALUE_PARETO:
		return pareto(u);
	case VALUE_PARETONORMAL:
		return (z + 3 * pareto(u)) / PARETONORMAL;
	case VALUE_TABLE:
		return table_quantile(d->table, u);
	case VALUE_N_SHAPES:
		break;
	}
	return 0;
}

double dist_at(const struct dist *d, double u)
{
	if (d->plus == 0)
		return d->num;
	return d->num + d->plus * quantile(d, u, dist_normal(u));
}

double dist_draw(const struct dist *d, struct dist_state *st, struct rng *rng)
{
	double u = rng_open(rng), z = 0;

	if (d->plus == 0)
		return d->num;
	if (d->r > 0) {
		z = dist_normal(u);
		if (st->started)
			z = d->r * st->z + d->rest * z;
		st->z = z;
		if (!is_normal(d->shape))
			u = probability(z);
	} else if (is_normal(d->shape) || d->shape == VALUE_PARETONORMAL) {
		z = dist_normal(u);
	}
	st->started = d->r > 0;
	return d->num + d->plus * quantile(d, u, z);
}
