// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The meters: the histogram beside a sorted array, the rates by numbers.
 */
#include "wirefilter/meter.h"

#include <math.h>

#include "../unit/test.h"
#include "base/rng.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)

static struct meter_hist h, g;
static struct meter_rate m;

static void an_empty_histogram_says_nothing(void)
{
	meter_hist_init(&h);
	CHECK(h.n == 0 && meter_hist_quantile(&h, 500) == 0);
	CHECK(meter_hist_quantile(&h, 1000) == 0 && meter_hist_mean(&h) == 0);
}

static void small_numbers_are_exact(void)
{
	meter_hist_init(&h);
	for (uint64_t v = 0; v < 64; v++)
		meter_hist_add(&h, v);
	for (unsigned int i = 1; i <= 64; i++)
		CHECK(meter_hist_quantile(&h, i * 1000 / 64) == i - 1);
	CHECK(meter_hist_quantile(&h, 0) == 0 && h.min == 0 && h.max == 63);
	CHECK(meter_hist_mean(&h) == 31.5);
}

static void one_number_is_every_quantile(void)
{
	static const uint64_t some[] = { 0,	     63,      64,	 65,
					 1234567891, 1 << 30, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		meter_hist_init(&h);
		meter_hist_add(&h, some[i]);
		for (unsigned int q = 0; q <= 1000; q += 250)
			CHECK(meter_hist_quantile(&h, q) == some[i]);
	}
}

/* A class reaches to the one above it: every border of every power of two. */
static void every_number_has_its_class(void)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		for (unsigned int k = 0; k < 64; k++) {
			uint64_t v = (UINT64_C(1) << bit) +
				     (bit > 5 ? (uint64_t)k << (bit - 6) : k);
			uint64_t q, off;

			meter_hist_init(&h);
			/* Between two others: neither end corrects it. */
			meter_hist_add(&h, 0);
			meter_hist_add(&h, v);
			meter_hist_add(&h, UINT64_MAX);
			q = meter_hist_quantile(&h, 500);
			off = q > v ? q - v : v - q;
			CHECK(v < 64 ? !off : off <= v / 64);
			if (test_failed)
				return;
		}
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of @n numbers in order, the one that @per_mille do not exceed. */
static uint64_t exact(const uint64_t *sorted, size_t n, unsigned int per_mille)
{
	size_t rank = (n * per_mille + 999) / 1000;

	return sorted[rank ? rank - 1 : 0];
}

static void quantiles_are_within_their_bound(void)
{
	static const unsigned int asked[] = { 1,   10,	100, 250, 500, 750,
					      900, 990, 995, 999, 1000 };
	enum {
		N = 20001
	};
	static uint64_t all[N];
	struct rng rng;

	rng_init(&rng, 99);
	for (unsigned int round = 0; round < 12; round++) {
		double sum = 0;

		meter_hist_init(&h);
		for (size_t i = 0; i < N; i++) {
			/* Of 5 to 60 bits; in odd rounds of any size. */
			unsigned int shift = 59 - 5 * round;

			if (round % 2)
				shift += (unsigned int)rng_below(&rng, 5);
			all[i] = rng_u64(&rng) >> shift;
			sum += (double)all[i];
			meter_hist_add(&h, all[i]);
		}
		qsort(all, N, sizeof(all[0]), compare);
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			uint64_t is = exact(all, N, asked[i]);
			uint64_t q = meter_hist_quantile(&h, asked[i]);
			uint64_t off = q > is ? q - is : is - q;

			CHECK(is < 64 ? !off : off <= is / 64);
		}
		CHECK(h.n == N && h.min == all[0] && h.max == all[N - 1]);
		CHECK(meter_hist_quantile(&h, 1000) == all[N - 1]);
		CHECK(fabs(meter_hist_mean(&h) - sum / N) <= 1e-9 * sum / N);
	}
}

static void the_mean_outlives_64_bits(void)
{
	meter_hist_init(&h);
	for (unsigned int i = 0; i < 6; i++)
		meter_hist_add(&h, UINT64_MAX - i % 2);
	CHECK(h.sum_high == 5);
	CHECK(fabs(meter_hist_mean(&h) / 0x1p64 - 1) < 1e-15);
}

static void merged_histograms_are_one_of_all(void)
{
	static struct meter_hist both;
	struct rng rng;

	rng_init(&rng, 5);
	meter_hist_init(&h);
	meter_hist_init(&g);
	meter_hist_init(&both);
	meter_hist_merge(&h, &g);
	CHECK(h.n == 0);
	for (unsigned int i = 0; i < 3000; i++) {
		uint64_t v = rng_u64(&rng) >> rng_below(&rng, 64);

		meter_hist_add(i % 3 ? &h : &g, v);
		meter_hist_add(&both, v);
	}
	meter_hist_merge(&h, &g);
	CHECK(h.n == 3000 && h.min == both.min && h.max == both.max);
	CHECK(h.sum == both.sum && h.sum_high == both.sum_high);
	for (unsigned int q = 0; q <= 1000; q++)
		CHECK(meter_hist_quantile(&h, q) ==
		      meter_hist_quantile(&both, q));
}

/* ---- rates ---- */

static void nothing_has_no_rate(void)
{
	double fps = 7;

	meter_rate_init(&m);
	CHECK(meter_rate_mean(&m) == 0 && meter_rate_busy(&m) == 0);
	CHECK(meter_rate_recent(&m, 99 * SEC, &fps) == 0 && fps == 0);
	meter_rate_add(&m, 5 * SEC, 1000, true);
	CHECK(meter_rate_mean(&m) == 0 && meter_rate_busy(&m) == 0);
	CHECK(meter_rate_recent(&m, 5 * SEC, &fps) == 0);
}

static void a_steady_stream_has_its_rate(void)
{
	double fps;

	meter_rate_init(&m);
	/* 1000 bytes each 10 ms, from any time on. */
	for (unsigned int i = 0; i <= 500; i++)
		meter_rate_add(&m, 77 * SEC + i * 10 * MS, 1000, i > 0);
	CHECK(meter_rate_mean(&m) == 100000);
	CHECK(meter_rate_busy(&m) == 100000);
	CHECK(meter_rate_recent(&m, 82 * SEC, &fps) == 100000 && fps == 100);
	CHECK(m.frames == 501 && m.bytes == 501000);
}

static void gaps_count_for_the_mean_and_not_for_the_busy_rate(void)
{
	meter_rate_init(&m);
	for (unsigned int burst = 0; burst < 10; burst++)
		for (unsigned int i = 0; i < 11; i++)
			meter_rate_add(&m, burst * SEC + i * 20 * MS, 500,
				       i > 0);
	/* Each burst: ten frames of 500 bytes in 200 ms after the first. */
	CHECK(meter_rate_busy(&m) == 25000);
	CHECK(fabs(meter_rate_mean(&m) - 109 * 500 / 9.2) < 1e-6);
}

static void the_last_second_is_what_it_was(void)
{
	double fps;

	meter_rate_init(&m);
	/* 8 frames in a second, then 16, then none. */
	for (unsigned int i = 0; i < 8; i++)
		meter_rate_add(&m, 10 * SEC + i * 125 * MS, 100, true);
	for (unsigned int i = 0; i < 16; i++)
		meter_rate_add(&m, 11 * SEC + i * 125 * MS / 2, 100, true);
	CHECK(meter_rate_recent(&m, 12 * SEC, &fps) == 1600 && fps == 16);
	CHECK(meter_rate_recent(&m, 12 * SEC + 499 * MS, &fps) == 1000);
	CHECK(meter_rate_recent(&m, 13 * SEC, &fps) == 0 && fps == 0);
	/* A slot of the ring that is used again holds nothing old. */
	meter_rate_add(&m, 110 * SEC, 300, false);
	CHECK(meter_rate_recent(&m, 110 * SEC + 125 * MS, &fps) == 300);
	/* What has just begun is measured from its beginning. */
	meter_rate_init(&m);
	meter_rate_add(&m, 10 * SEC + 60 * MS, 500, false);
	meter_rate_add(&m, 10 * SEC + 130 * MS, 500, false);
	CHECK(meter_rate_recent(&m, 10 * SEC + 130 * MS, &fps) == 4000);
	CHECK(meter_rate_recent(&m, 10 * SEC + 250 * MS, &fps) == 4000 &&
	      fps == 8);
}

int main(void)
{
	RUN(an_empty_histogram_says_nothing);
	RUN(small_numbers_are_exact);
	RUN(one_number_is_every_quantile);
	RUN(every_number_has_its_class);
	RUN(quantiles_are_within_their_bound);
	RUN(the_mean_outlives_64_bits);
	RUN(merged_histograms_are_one_of_all);
	RUN(nothing_has_no_rate);
	RUN(a_steady_stream_has_its_rate);
	RUN(gaps_count_for_the_mean_and_not_for_the_busy_rate);
	RUN(the_last_second_is_what_it_was);
	DONE();
}
