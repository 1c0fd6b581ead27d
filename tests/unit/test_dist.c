// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draws of a value: each shape against its distribution function, which is
 * computed in another way here; correlation; tables.
 */
#include "wirefilter/dist.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"
#include "stats.h"

#define N 100000

static double x[N];

static struct dist dist_of(double num, double plus, double corr,
			   enum value_shape shape, const struct dist_table *t)
{
	struct value v = { num, plus, corr, shape, "" };
	struct dist d = { 0 };

	CHECK(dist_set(&d, &v, t) == 0);
	return d;
}

/* Every @step-th of successive draws. */
static void draw(const struct dist *d, uint64_t seed, size_t n, int step)
{
	struct dist_state st = { 0 };
	struct rng rng;

	rng_stream(&rng, seed, 0, 0);
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < step; k++)
			x[i] = dist_draw(d, &st, &rng);
}

static double mean(size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

/* Of each number with the one @lag behind. */
static double correlation(size_t n, size_t lag)
{
	double m = mean(n), up = 0, down = 0;

	for (size_t i = 0; i < n; i++)
		down += (x[i] - m) * (x[i] - m);
	for (size_t i = lag; i < n; i++)
		up += (x[i] - m) * (x[i - lag] - m);
	return up / down;
}

/* ---- distribution functions of X ---- */

static double uniform_cdf(double v)
{
	return (v + 1) / 2;
}

static double normal_cdf(double v)
{
	return erfc(-v / sqrt(2)) / 2;
}

static double gauss_cdf(double v)
{
	return normal_cdf(3 * v);
}

static double pareto_cdf(double v)
{
	return 1 - pow(v * sqrt(0.75) + 1.5, -3);
}

/* The mix has no inverse that can be written down; by bisection. */
static double paretonormal_cdf(double v)
{
	double low = -9, high = 9;

	while (high - low > 1e-9) {
		double z = (low + high) / 2;
		double tail = erfc(z / sqrt(2)) / 2;
		double p = (pow(tail, -1.0 / 3) - 1.5) / sqrt(0.75);

		if ((z + 3 * p) / 3.7510154274942638 < v)
			low = z;
		else
			high = z;
	}
	return normal_cdf(low);
}

static const struct {
	enum value_shape shape;
	double (*cdf)(double);
	double deviation;
} shapes[] = {
	{ VALUE_UNIFORM, uniform_cdf, 0.57735026918962576 },
	{ VALUE_GAUSS, gauss_cdf, 1.0 / 3 },
	{ VALUE_NORMAL, normal_cdf, 1 },
	{ VALUE_PARETO, pareto_cdf, 1 },
	{ VALUE_PARETONORMAL, paretonormal_cdf, 1 },
};
static_assert(ARRAY_SIZE(shapes) == VALUE_TABLE, "a shape is not tested");

/* ---- tests ---- */

static void the_normal_quantile_is_the_inverse_of_the_normal_function(void)
{
	static const double tails[] = { 0x1p-53, 1e-12, 1e-6,  0.001,
					0.02425, 0.074, 0.075, 0.076 };

	CHECK(dist_normal(0.5) == 0);
	for (int i = 1; i < 1000; i++) {
		double u = i / 1000.0;

		CHECK(fabs(normal_cdf(dist_normal(u)) - u) < 4e-16);
		CHECK(fabs(dist_normal(u) + dist_normal(1 - u)) < 1e-14);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		double u = normal_cdf(dist_normal(tails[i]));

		CHECK(fabs(u / tails[i] - 1) < 2e-14);
	}
	/* from a table of 2.5 %, 0.5 % and 1e-9 points */
	CHECK(fabs(dist_normal(0.975) - 1.959963984540054) < 1e-14);
	CHECK(fabs(dist_normal(0.995) - 2.5758293035489004) < 1e-14);
	CHECK(fabs(dist_normal(1e-9) + 5.9978070150076869) < 1e-14);
}

static void each_shape_has_its_distribution(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct dist d = dist_of(0, 1, 0, shapes[i].shape, NULL);

		for (uint64_t seed = 0; seed < 3; seed++) {
			draw(&d, seed, N, 1);
			CHECK(stat_mean(mean(N), N, 0, shapes[i].deviation));
			CHECK(stat_ks(x, N, shapes[i].cdf));
		}
	}
}

/* Kolmogorov and Smirnov hardly see a scale that is 2 % off; the mean square
 * does, where it has a deviation of its own. */
static void the_deviation_is_within_its_interval(void)
{
	static const double fourth[] = { 1.0 / 5, 3.0 / 81, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(fourth); i++) {
		struct dist d = dist_of(0, 1, 0, shapes[i].shape, NULL);
		double square = shapes[i].deviation * shapes[i].deviation;

		draw(&d, 50 + i, N, 1);
		for (size_t k = 0; k < N; k++)
			x[k] *= x[k];
		CHECK(stat_mean(mean(N), N, square,
				sqrt(fourth[i] - square * square)));
	}
}

static double wide_cdf(double v)
{
	return normal_cdf((v - 100) / 20);
}

static double vde_cdf(double v)
{
	return normal_cdf((v - 100) / (50.0 / 3));
}

static void a_value_is_the_mean_and_its_variation_the_scale(void)
{
	struct dist d = dist_of(100, 20, 0, VALUE_NORMAL, NULL);

	draw(&d, 1, N, 1);
	CHECK(stat_ks(x, N, wide_cdf));
	d = dist_of(100, 50, 0, VALUE_GAUSS, NULL);
	draw(&d, 2, N, 1);
	CHECK(stat_ks(x, N, vde_cdf));
	CHECK(!stat_ks(x, N, wide_cdf));
	d = dist_of(100, 20, 0, VALUE_UNIFORM, NULL);
	draw(&d, 3, N, 1);
	CHECK(stat_mean(mean(N), N, 100, 20 / sqrt(3)));
	for (size_t i = 0; i < N; i++)
		CHECK(x[i] >= 80 && x[i] <= 120);
}

/* Draws that are 32 apart are as good as independent. */
static void correlation_keeps_the_distribution(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct dist d = dist_of(0, 1, 75, shapes[i].shape, NULL);

		draw(&d, i, 10000, 32);
		CHECK(stat_ks(x, 10000, shapes[i].cdf));
	}
}

static void successive_draws_are_correlated_as_asked(void)
{
	static const double asked[] = { 0, 10, 25, 50, 90, 99 };

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(asked); k++) {
			struct dist d = dist_of(0, 1, asked[k], shapes[i].shape,
						NULL);
			double got, sd;

			draw(&d, k, N, 1);
			/* the probabilities instead of ranks */
			if (i >= VALUE_PARETO)
				for (size_t j = 0; j < N; j++)
					x[j] = shapes[i].cdf(x[j]);
			got = correlation(N, 1);
			/* of the estimate: Bartlett's formula */
			sd = sqrt((1 - asked[k] * asked[k] / 1e4) / N);
			if (fabs(got - asked[k] / 100) <= STAT_Z * sd + 1e-5)
				continue;
			printf("# shape %zu: %.4f is not %g %%\n", i, got,
			       asked[k]);
			test_failed = 1;
		}
	}
}

static void correlation_fades_as_that_of_a_process_of_first_order(void)
{
	struct dist d = dist_of(0, 1, 80, VALUE_NORMAL, NULL);

	draw(&d, 5, N, 1);
	CHECK(fabs(correlation(N, 2) - 0.64) < 0.015);
	CHECK(fabs(correlation(N, 5) - 0.32768) < 0.02);
	CHECK(fabs(correlation(N, 40)) < 0.025);
}

static void full_correlation_repeats_the_first_draw(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct dist d = dist_of(0, 1, 100, shapes[i].shape, NULL);

		draw(&d, 6, 100, 1);
		for (size_t k = 1; k < 100; k++)
			CHECK(x[k] == x[0]);
		draw(&d, 7, 1, 1);
		CHECK(x[0] != x[1]); /* another seed, another luck */
	}
}

static void a_draw_takes_one_number_whatever_the_value_is(void)
{
	struct dist_state st = { 0 };
	struct rng a, b;
	struct dist d;

	rng_init(&a, 1);
	b = a;
	for (enum value_shape s = 0; s < VALUE_TABLE; s++) {
		for (int plus = 0; plus < 2; plus++) {
			for (int corr = 0; corr <= 100; corr += 50) {
				d = dist_of(1, plus, corr, s, NULL);
				dist_draw(&d, &st, &a);
				rng_u64(&b);
			}
		}
	}
	CHECK(!memcmp(&a, &b, sizeof(a)));
}

static void without_variation_a_value_is_itself(void)
{
	struct dist_state st = { 0 };
	struct dist d = dist_of(0.1, 0, 50, VALUE_PARETO, NULL);
	struct rng rng;

	rng_init(&rng, 1);
	for (int i = 0; i < 100; i++)
		CHECK(dist_draw(&d, &st, &rng) == 0.1);
}

static void the_same_seed_gives_the_same_draws(void)
{
	struct dist d = dist_of(5, 2, 30, VALUE_PARETONORMAL, NULL);
	static double was[1000];

	draw(&d, 9, 1000, 1);
	memcpy(was, x, sizeof(was));
	draw(&d, 9, 1000, 1);
	CHECK(!memcmp(was, x, sizeof(was)));
	draw(&d, 10, 1000, 1);
	CHECK(memcmp(was, x, sizeof(was)) != 0);
}

/* A variation that is set later scales the luck that each frame has. */
static void a_new_value_changes_the_scale_and_not_the_luck(void)
{
	struct dist a = dist_of(0, 1, 0, VALUE_NORMAL, NULL);
	struct dist b = dist_of(10, 2, 0, VALUE_NORMAL, NULL);
	static double was[1000];

	draw(&a, 11, 1000, 1);
	memcpy(was, x, sizeof(was));
	draw(&b, 11, 1000, 1);
	for (size_t i = 0; i < 1000; i++)
		CHECK(fabs(x[i] - (10 + 2 * was[i])) < 1e-12);
}

/* ---- tables ---- */

static char reason[128];

static struct dist_table *table(const char *text)
{
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	return dist_table_parse(text, strlen(text), &why);
}

static bool refused(const char *text, const char *why)
{
	struct dist_table *t = table(text);

	if (!t && !strcmp(reason, why))
		return true;
	printf("# %s\n", t ? "taken" : reason);
	dist_table_free(t);
	return false;
}

/* Steps of 1/4 with heights of 1, 2, 4 and 8. */
static double steps_cdf(double v)
{
	static const double q[] = { 10, 11, 13, 17, 25 };
	size_t i = 0;

	while (i < 3 && v > q[i + 1])
		i++;
	return ((double)i + (v - q[i]) / (q[i + 1] - q[i])) / 4;
}

static void a_table_is_drawn_as_it_was_measured(void)
{
	struct dist_table *t = table("# ms\n17 13, 10\r\n\t25,11 # last\n");
	struct dist d;

	CHECK(t && !reason[0]);
	if (!t)
		return;
	CHECK(fabs(dist_table_mean(t) - 14.625) < 1e-12);
	d = dist_of(dist_table_mean(t), dist_table_deviation(t), 0, VALUE_TABLE,
		    t);
	for (uint64_t seed = 0; seed < 3; seed++) {
		draw(&d, seed, N, 1);
		CHECK(stat_mean(mean(N), N, 14.625, dist_table_deviation(t)));
		CHECK(stat_ks(x, N, steps_cdf));
		CHECK(x[0] >= 10 - 1e-12 && x[N - 1] <= 25 + 1e-12);
	}
	d = dist_of(dist_table_mean(t), dist_table_deviation(t), 60,
		    VALUE_TABLE, t);
	draw(&d, 4, 10000, 32);
	CHECK(stat_ks(x, 10000, steps_cdf));
	dist_table_free(t);
}

static void a_table_has_mean_0_and_deviation_1(void)
{
	struct dist_table *t = table("-32768 -1 0 1 5 1e4 32767");
	struct dist d;
	double sum = 0;

	CHECK(t);
	if (!t)
		return;
	d = dist_of(0, 1, 0, VALUE_TABLE, t);
	draw(&d, 1, N, 1);
	CHECK(stat_mean(mean(N), N, 0, 1));
	for (size_t i = 0; i < N; i++)
		sum += x[i] * x[i];
	CHECK(fabs(sum / N - 1) < 0.03);
	dist_table_free(t);
}

/* 4096 quantiles of a normal distribution, scaled as netem's are. */
static void a_table_of_netem_is_read(void)
{
	static char text[4096 * 8];
	struct dist_table *t;
	struct strbuf b;
	struct dist d;

	strbuf_init(&b, text, sizeof(text));
	for (int i = 0; i < 4096; i++)
		strbuf_fmt(&b, " %d%s",
			   (int)lrint(8192 * dist_normal((i + 0.5) / 4096)),
			   i % 8 == 7 ? "\n" : "");
	CHECK(!b.cut);
	t = table(text);
	CHECK(t && fabs(dist_table_deviation(t) - 8192) < 41);
	if (!t)
		return;
	d = dist_of(0, 1, 0, VALUE_TABLE, t);
	draw(&d, 2, N, 1);
	CHECK(stat_ks(x, N, normal_cdf));
	dist_table_free(t);
}

static void what_is_no_table_is_refused_with_its_line(void)
{
	CHECK(refused("", "line 1: a distribution needs two numbers or more"));
	CHECK(refused("1\n\n# 2\n",
		      "line 4: a distribution needs two numbers or more"));
	CHECK(refused("1 2\n3 x\n4",
		      "line 2: what stands there is not a number"));
	CHECK(refused("1 2\n\n3;4",
		      "line 3: what stands there is not a number"));
	CHECK(refused("1.2.3", "line 1: what stands there is not a number"));
	CHECK(refused("1 - 2", "line 1: what stands there is not a number"));
	CHECK(refused("1 --2", "line 1: what stands there is not a number"));
	CHECK(refused("1 inf", "line 1: what stands there is not a number"));
	CHECK(refused("1 0x2", "line 1: what stands there is not a number"));
	CHECK(refused("1\n1e16", "line 2: a number is above 1e15"));
	CHECK(refused("1\n-1e999", "line 2: a number is above 1e15"));
	CHECK(refused("2 2 2.0", "all numbers are the same"));
}

static void a_table_has_bounds(void)
{
	size_t size = 2 * (DIST_TABLE_MAX + 1) + 1;
	char *text = malloc(size);
	struct dist_table *t;

	CHECK(text);
	if (!text)
		return;
	for (size_t i = 0; i + 1 < size; i++)
		text[i] = i % 2 ? '\n' : (char)('0' + i / 2 % 10);
	text[size - 3] = '\0'; /* without the last one */
	t = table(text);
	CHECK(t);
	dist_table_free(t);
	text[size - 3] = '7';
	text[size - 1] = '\0';
	CHECK(refused(text, "line 65537: there are more than 65536 numbers"));
	free(text);
}

static void a_table_ends_where_its_bytes_end(void)
{
	static const char text[] = { '1', ' ', '2', '5', 'x' };
	struct dist_table *t;
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	t = dist_table_parse(text, 4, &why);
	CHECK(t && dist_table_mean(t) == 13);
	dist_table_free(t);
	t = dist_table_parse(text, 3, &why);
	CHECK(t && dist_table_mean(t) == 1.5);
	dist_table_free(t);
	CHECK(!dist_table_parse("1 \0002", 4, &why));
}

static void a_table_that_is_missing_keeps_the_old_value(void)
{
	struct value v = { 1, 1, 0, VALUE_TABLE, "mine" };
	struct dist d = dist_of(3, 2, 0, VALUE_PARETO, NULL), was = d;

	CHECK(dist_set(&d, &v, NULL) == -ENOENT);
	CHECK(!memcmp(&d, &was, sizeof(d)));
}

int main(void)
{
	RUN(the_normal_quantile_is_the_inverse_of_the_normal_function);
	RUN(each_shape_has_its_distribution);
	RUN(the_deviation_is_within_its_interval);
	RUN(a_value_is_the_mean_and_its_variation_the_scale);
	RUN(correlation_keeps_the_distribution);
	RUN(successive_draws_are_correlated_as_asked);
	RUN(correlation_fades_as_that_of_a_process_of_first_order);
	RUN(full_correlation_repeats_the_first_draw);
	RUN(a_draw_takes_one_number_whatever_the_value_is);
	RUN(without_variation_a_value_is_itself);
	RUN(the_same_seed_gives_the_same_draws);
	RUN(a_new_value_changes_the_scale_and_not_the_luck);
	RUN(a_table_is_drawn_as_it_was_measured);
	RUN(a_table_has_mean_0_and_deviation_1);
	RUN(a_table_of_netem_is_read);
	RUN(what_is_no_table_is_refused_with_its_line);
	RUN(a_table_has_bounds);
	RUN(a_table_ends_where_its_bytes_end);
	RUN(a_table_that_is_missing_keeps_the_old_value);
	DONE();
}
