// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generator: numbers that were computed elsewhere, and what they look like.
 */
#include "base/rng.h"

#include <string.h>

#include "../unit/test.h"
#include "base/util.h"
#include "stats.h"

#define N 1000000
#define VECTORS "tests/unit/rng_vectors.py"

/* Of rng_vectors.py, which knows the description and not the code. */
static void seeds_give_the_numbers_that_were_computed_elsewhere(void)
{
	static const struct {
		uint64_t seed, first[4];
	} known[] = {
		{ 0,
		  { 0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0,
		    0x6aa594f1262d2d2c } },
		{ 1,
		  { 0xb3f2af6d0fc710c5, 0x853b559647364cea, 0x92f89756082a4514,
		    0x642e1c7bc266a3a7 } },
		{ 42,
		  { 0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1,
		    0xecb8ad4703b360a1 } },
		{ UINT64_MAX,
		  { 0x8f5520d52a7ead08, 0xc476a018caa1802d, 0x81de31c0d260469e,
		    0xbf658d7e065f3c2f } },
	};
	struct rng r;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		rng_init(&r, known[i].seed);
		for (size_t k = 0; k < 4; k++)
			CHECK(rng_u64(&r) == known[i].first[k]);
	}
	rng_init(&r, 42);
	for (int i = 0; i < 100000; i++)
		rng_u64(&r);
	CHECK(rng_u64(&r) == 0xebf602135823706b);
}

static void streams_give_the_numbers_that_were_computed_elsewhere(void)
{
	static const struct {
		uint64_t seed, a, b, first[2];
	} known[] = {
		{ 0, 0, 0, { 0x8a21cd34a214a917, 0x9c507e12243e64d0 } },
		{ 0, 0, 1, { 0xd05626fb52e4449f, 0x1a81ada4898661c5 } },
		{ 0, 1, 0, { 0x97f27f7f7a3170f4, 0x5528c21d4f15fb55 } },
		{ 42,
		  7,
		  0xffffffff,
		  { 0xc96afde5b092ae44, 0x66710ac5ba405978 } },
	};
	struct rng r;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		rng_stream(&r, known[i].seed, known[i].a, known[i].b);
		CHECK(rng_u64(&r) == known[i].first[0]);
		CHECK(rng_u64(&r) == known[i].first[1]);
	}
}

/* "KIND ARG... = VALUE...", all in hexadecimal. */
static bool same_as_ours(char *line)
{
	uint64_t arg[3] = { 0 };
	char *p = line + strcspn(line, " ");
	bool stream = !strncmp(line, "stream ", 7);
	struct rng r;

	for (int i = 0; i < 3 && p[1] != '='; i++)
		arg[i] = strtoull(p, &p, 16);
	if (strncmp(p, " = ", 3) != 0)
		return false;
	if (stream)
		rng_stream(&r, arg[0], arg[1], arg[2]);
	else
		rng_init(&r, arg[0]);
	for (uint64_t i = 0; !stream && i < arg[1]; i++)
		rng_u64(&r);
	for (p += 3; *p && *p != '\n';)
		if (strtoull(p, &p, 16) != rng_u64(&r))
			return false;
	return true;
}

/* All that the script prints now; without Python the numbers above must do. */
static void another_language_computes_the_same(void)
{
	FILE *f = popen("python3 " VECTORS " 2>/dev/null", "r");
	char line[512];
	int n = 0;

	CHECK(f);
	while (f && fgets(line, sizeof(line), f)) {
		n++;
		if (!same_as_ours(line)) {
			printf("# not ours: %s", line);
			test_failed = 1;
		}
	}
	if (f && pclose(f))
		printf("# python3 does not run, nothing compared\n");
	else
		CHECK(n == 31);
}

static void units_are_multiples_of_2_to_the_minus_53(void)
{
	struct rng a, b;

	rng_init(&a, 1);
	b = a;
	for (int i = 0; i < 1000; i++) {
		double u = rng_unit(&a), v = rng_open(&b);

		CHECK(u >= 0 && u < 1 && u == floor(u * 0x1p53) * 0x1p-53);
		CHECK(v > 0 && v < 1 && fabs(u - v) <= 0x1p-52);
	}
	CHECK(rng_u64(&a) == rng_u64(&b)); /* one draw each */
}

static struct rng extreme(uint64_t result)
{
	/* Gives s[1] * 5, rotated by 7, times 9: undone from the end. */
	uint64_t x = result * UINT64_C(0x8e38e38e38e38e39);
	struct rng r = { { 0, 0, 0, 0 } };

	r.s[1] = (x >> 7 | x << 57) * UINT64_C(0xcccccccccccccccd);
	return r;
}

static void the_ends_of_the_unit_are_kept(void)
{
	struct rng low = extreme(0), high = extreme(UINT64_MAX);

	CHECK(rng_unit(&low) == 0);
	CHECK(rng_unit(&high) == 1 - 0x1p-53);
	low = extreme(0);
	high = extreme(UINT64_MAX);
	CHECK(rng_open(&low) == 0x1p-53);
	CHECK(rng_open(&high) == 1 - 0x1p-53);
}

static void units_are_spread_evenly(void)
{
	static uint64_t bins[1024];
	static double expected[1024];
	struct rng r;

	for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
		expected[i] = N / 1024.0;
	for (uint64_t seed = 0; seed < 3; seed++) {
		memset(bins, 0, sizeof(bins));
		rng_init(&r, seed);
		for (int i = 0; i < N; i++)
			bins[(size_t)(rng_unit(&r) * 1024)]++;
		CHECK(stat_chi2(bins, expected, ARRAY_SIZE(bins)));
	}
}

static double identity(double x)
{
	return x;
}

static void open_units_are_uniform(void)
{
	static double x[100000];
	struct rng r;

	rng_stream(&r, 7, 1, 2);
	for (size_t i = 0; i < ARRAY_SIZE(x); i++)
		x[i] = rng_open(&r);
	CHECK(stat_ks(x, ARRAY_SIZE(x), identity));
}

static void each_bit_is_set_half_of_the_time(void)
{
	uint64_t set[64] = { 0 };
	struct rng r;

	rng_init(&r, 3);
	for (int i = 0; i < N; i++) {
		uint64_t x = rng_u64(&r);

		for (unsigned int b = 0; b < 64; b++)
			set[b] += x >> b & 1;
	}
	for (unsigned int b = 0; b < 64; b++)
		CHECK(stat_share((double)set[b], N, 0.5));
}

static void successive_numbers_are_independent(void)
{
	static uint64_t bins[4096];
	static double expected[4096];
	unsigned int last;
	struct rng r;

	for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
		expected[i] = N / 4096.0;
	rng_init(&r, 4);
	last = (unsigned int)(rng_unit(&r) * 64);
	for (int i = 0; i < 2 * N; i++) {
		unsigned int now = (unsigned int)(rng_unit(&r) * 64);

		if (i % 2) /* pairs that do not overlap */
			bins[last * 64 + now]++;
		last = now;
	}
	CHECK(stat_chi2(bins, expected, ARRAY_SIZE(bins)));
}

/* Neighbours of each other, as directions and kinds of decisions are. */
static void streams_of_one_seed_are_independent(void)
{
	struct rng r[8];
	double corr;

	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		rng_stream(&r[i], 42, i / 4, i % 4);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		for (size_t k = i + 1; k < ARRAY_SIZE(r); k++) {
			struct rng a = r[i], b = r[k];

			corr = 0;
			for (int n = 0; n < 20000; n++)
				corr += (rng_unit(&a) - 0.5) *
					(rng_unit(&b) - 0.5);
			CHECK(stat_mean(corr / 20000, 20000, 0, 1.0 / 12));
		}
	}
}

static void streams_do_not_collide(void)
{
	static uint64_t first[64 * 64];
	struct rng r;

	for (uint64_t a = 0; a < 64; a++) {
		for (uint64_t b = 0; b < 64; b++) {
			rng_stream(&r, a, b, a);
			first[a * 64 + b] = rng_u64(&r);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		for (size_t k = 0; k < i; k++)
			CHECK(first[i] != first[k]);
}

static void numbers_below_a_bound_are_equally_likely(void)
{
	static const uint64_t bounds[] = { 6, 7, 10, 1000 };
	static uint64_t bins[1000];
	static double expected[1000];
	struct rng r;

	for (size_t k = 0; k < ARRAY_SIZE(bounds); k++) {
		uint64_t n = bounds[k];

		rng_init(&r, n);
		memset(bins, 0, sizeof(bins));
		for (uint64_t i = 0; i < n; i++)
			expected[i] = N / (double)n;
		for (int i = 0; i < N; i++) {
			uint64_t x = rng_below(&r, n);

			CHECK(x < n);
			if (x < n)
				bins[x]++;
		}
		CHECK(stat_chi2(bins, expected, n));
	}
}

/* Three quarters of all numbers: a remainder alone would give the numbers of
 * the lowest third twice as often as others. */
static void a_huge_bound_is_not_biased(void)
{
	const uint64_t n = UINT64_C(3) << 62;
	uint64_t bins[3] = { 0 };
	struct rng r;

	rng_init(&r, 5);
	for (int i = 0; i < N; i++)
		bins[rng_below(&r, n) >> 62]++;
	for (int i = 0; i < 3; i++)
		CHECK(stat_share((double)bins[i], N, 1.0 / 3));
}

static void a_bound_of_one_gives_nought(void)
{
	struct rng r;

	rng_init(&r, 6);
	for (int i = 0; i < 100; i++)
		CHECK(rng_below(&r, 1) == 0);
}

/* Who tests with tests that cannot fail has tested nothing. */
static void what_is_not_chance_is_seen(void)
{
	static double x[100000];
	uint64_t bins[16] = { 0 };
	double expected[16];
	struct rng r;

	rng_init(&r, 8);
	for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
		double u = rng_unit(&r);

		x[i] = u < 0.01 ? u / 2 : u;
		bins[(size_t)(u * 15.5)]++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
		expected[i] = ARRAY_SIZE(x) / 16.0;
	CHECK(!stat_chi2(bins, expected, ARRAY_SIZE(bins)));
	for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
		bins[i] = ARRAY_SIZE(x) / 16;
	CHECK(!stat_chi2(bins, expected, ARRAY_SIZE(bins))); /* too good */
	CHECK(!stat_share(50800, 100000, 0.5));
	CHECK(!stat_mean(0.504, 100000, 0.5, 0.28));
	for (size_t i = 0; i < ARRAY_SIZE(x); i++)
		x[i] = x[i] * 0.99;
	CHECK(!stat_ks(x, ARRAY_SIZE(x), identity));
}

int main(void)
{
	RUN(seeds_give_the_numbers_that_were_computed_elsewhere);
	RUN(streams_give_the_numbers_that_were_computed_elsewhere);
	RUN(another_language_computes_the_same);
	RUN(units_are_multiples_of_2_to_the_minus_53);
	RUN(the_ends_of_the_unit_are_kept);
	RUN(units_are_spread_evenly);
	RUN(open_units_are_uniform);
	RUN(each_bit_is_set_half_of_the_time);
	RUN(successive_numbers_are_independent);
	RUN(streams_of_one_seed_are_independent);
	RUN(streams_do_not_collide);
	RUN(numbers_below_a_bound_are_equally_likely);
	RUN(a_huge_bound_is_not_biased);
	RUN(a_bound_of_one_gives_nought);
	RUN(what_is_not_chance_is_seen);
	DONE();
}
