// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line: beside a bucket in which tokens are counted one by one, so to
 * speak, in units so small that a nanosecond brings a whole number of them.
 */
#include "wirefilter/line.h"

#include <math.h>

#include "../unit/test.h"
#include "base/rng.h"

#define SEC UINT64_C(1000000000)
#define BYTES(n) ((uint64_t)(n)*LINE_RATE_UNIT)

__extension__ typedef unsigned __int128 u128;

static uint64_t ceil_div(u128 a, u128 b)
{
	return (uint64_t)((a + b - 1) / b);
}

/* ns in which @bytes cross a line of @rate. */
static uint64_t exact(u128 bytes, uint64_t rate)
{
	return ceil_div(bytes * SEC * LINE_RATE_UNIT, rate);
}

/* ---- a plain line ---- */

static void a_frame_leaves_when_its_last_byte_is_out(void)
{
	struct line l;

	line_init(&l, BYTES(1000), 0);
	CHECK(line_free(&l) == 0);
	CHECK(line_send(&l, 5 * SEC, 100) == 5 * SEC + SEC / 10);
	CHECK(line_free(&l) == 5 * SEC + SEC / 10);
	/* Half of it waits, then both are behind each other. */
	CHECK(line_send(&l, 5 * SEC + SEC / 20, 100) == 5 * SEC + SEC / 5);
	/* The line has been idle. */
	CHECK(line_send(&l, 7 * SEC, 100) == 7 * SEC + SEC / 10);
}

static void no_limit_takes_no_time(void)
{
	struct line l;

	line_init(&l, 0, 0);
	CHECK(line_send(&l, 0, 1518) == 0);
	CHECK(line_send(&l, 77, 65535) == 77);
	CHECK(line_free(&l) == 77);
}

static void a_frame_of_nothing_takes_no_time(void)
{
	struct line l;

	line_init(&l, BYTES(10), 0);
	CHECK(line_send(&l, SEC, 1) == SEC + SEC / 10);
	CHECK(line_send(&l, SEC, 0) == SEC + SEC / 10);
}

/* The rates of the table, and others that do not divide. */
static const double rates[] = { 0.5,	  0.7,		1,	     1000,
				2000,	  3000,		4000,	     8000,
				16000,	  32000,	64000,	     131072,
				262144,	  524288,	1048576,     2097152,
				4194304,  12345.678901, 1250000,     12500000,
				33333333, 125e6,	777777777.7, 1.25e9,
				12.5e9 };

/* Back to back, however long: late by less than one nanosecond at the end,
 * and at every frame. */
static void frames_in_a_row_do_not_drift(void)
{
	static const uint32_t sizes[] = { 62, 1516, 777, 9218, 65537 };

	for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
		uint64_t rate, start = 1234567891, at = 0;
		u128 bytes = 0;
		struct line l;
		bool right = true;

		CHECK(line_rate(rates[r], &rate));
		line_init(&l, rate, 0);
		for (size_t i = 0; i < 100000; i++) {
			uint32_t size = sizes[i % ARRAY_SIZE(sizes)];

			bytes += size;
			if (rate < BYTES(1) && i == 1000)
				break; /* that took a year */
			at = line_send(&l, start, size);
			right &= at == start + exact(bytes, rate);
		}
		CHECK(right);
	}
}

static void the_fastest_rate_counts_fractions_of_a_nanosecond(void)
{
	struct line l;

	/* 64 bytes take 5.12 ns. */
	line_init(&l, BYTES(UINT64_C(12500000000)), 0);
	CHECK(line_send(&l, 100, 64) == 106);
	CHECK(line_send(&l, 100, 64) == 111);
	for (unsigned int i = 2; i < 25; i++)
		line_send(&l, 100, 64);
	CHECK(line_free(&l) == 100 + 128);
	/* 5.6 ns each: the second begins before the whole nanosecond. */
	line_init(&l, BYTES(UINT64_C(10000000000)), 0);
	CHECK(line_send(&l, 100, 56) == 106);
	CHECK(line_send(&l, 105, 56) == 112);
}

static void a_line_of_half_a_byte_per_second_is_one(void)
{
	struct line l;
	uint64_t rate;

	CHECK(line_rate(0.5, &rate));
	line_init(&l, rate, 0);
	CHECK(line_send(&l, 0, 64) == 128 * SEC);
	CHECK(line_send(&l, SEC, 1) == 130 * SEC);
}

static void what_takes_for_ever_is_refused_and_takes_nothing(void)
{
	struct line l;

	line_init(&l, 1, 0); /* 11 days for a byte */
	CHECK(line_send(&l, 0, 10000) == 10000 * LINE_RATE_UNIT * SEC);
	CHECK(line_send(&l, 0, 9000) == LINE_NEVER);
	CHECK(line_send(&l, 0, UINT32_MAX) == LINE_NEVER);
	CHECK(line_free(&l) == 10000 * LINE_RATE_UNIT * SEC);
	CHECK(line_send(&l, 0, 1) == 10001 * LINE_RATE_UNIT * SEC);
	line_init(&l, BYTES(1000000000), 0); /* a byte a nanosecond */
	CHECK(line_send(&l, LINE_NEVER - 10, 10) == LINE_NEVER);
	CHECK(line_send(&l, LINE_NEVER - 10, 9) == LINE_NEVER - 1);
}

static void only_rates_that_can_be_are_taken(void)
{
	uint64_t rate = 7;

	CHECK(!line_rate(-1, &rate) && !line_rate(-1e-300, &rate));
	CHECK(!line_rate((double)NAN, &rate));
	CHECK(!line_rate((double)INFINITY, &rate) && !line_rate(1e300, &rate));
	CHECK(!line_rate(1.1e12, &rate) && !line_rate(1e-9, &rate));
	CHECK(rate == 7);
	CHECK(line_rate(0, &rate) && rate == 0);
	CHECK(line_rate(1e12, &rate) && rate == LINE_RATE_MAX);
	CHECK(line_rate(0.0000012, &rate) && rate == 1);
	CHECK(line_rate(0.0000018, &rate) && rate == 2);
	CHECK(line_rate(12.5e9, &rate) && rate == UINT64_C(12500000000000000));
	CHECK(line_rate(0.1, &rate) && rate == 100000);
}

/* ---- with a bucket ---- */

static void a_burst_leaves_at_once_and_the_rest_at_the_rate(void)
{
	struct line l;

	line_init(&l, BYTES(1000), 250);
	CHECK(line_send(&l, SEC, 100) == SEC);
	CHECK(line_send(&l, SEC, 100) == SEC);
	/* 50 tokens are left: 50 more take 50 ms. */
	CHECK(line_send(&l, SEC, 100) == SEC + SEC / 20);
	CHECK(line_send(&l, SEC, 100) == SEC + 3 * SEC / 20);
	/* 0.25 s later it is full again, and no fuller than that. */
	CHECK(line_send(&l, 9 * SEC, 250) == 9 * SEC);
	CHECK(line_send(&l, 9 * SEC, 1) == 9 * SEC + SEC / 1000);
}

static void a_bucket_is_full_at_the_first_nanosecond(void)
{
	struct line l;

	line_init(&l, BYTES(1), 1000);
	CHECK(line_send(&l, 0, 1000) == 0);
	CHECK(line_send(&l, 0, 1) == SEC);
}

static void a_frame_longer_than_the_bucket_waits_for_what_it_needs(void)
{
	struct line l;

	line_init(&l, BYTES(1000), 100);
	CHECK(line_send(&l, SEC, 300) == SEC + SEC / 5);
	CHECK(line_send(&l, SEC, 100) == SEC + 3 * SEC / 10);
}

/* The model: tokens of 1e-15 byte, of which a nanosecond brings @rate. */
struct bucket {
	uint64_t rate, at;
	uint32_t burst;
	u128 has;
};

#define TOKENS_OF(bytes) ((u128)(bytes)*SEC * LINE_RATE_UNIT)

static uint64_t model_send(struct bucket *b, uint64_t ready, uint32_t size)
{
	if (ready >= b->at) {
		b->has += (u128)(ready - b->at) * b->rate;
		if (b->has > TOKENS_OF(b->burst))
			b->has = TOKENS_OF(b->burst);
		b->at = ready;
	}
	if (b->has < TOKENS_OF(size)) {
		uint64_t wait = ceil_div(TOKENS_OF(size) - b->has, b->rate);

		b->has += (u128)wait * b->rate;
		b->at += wait;
	}
	b->has -= TOKENS_OF(size);
	return b->at;
}

static void any_traffic_leaves_as_from_the_model(void)
{
	static const uint32_t bursts[] = { 0, 1, 1514, 3000, 100000, 10000000 };
	struct rng rng;

	rng_init(&rng, 42);
	for (size_t i = 0; i < ARRAY_SIZE(rates) * ARRAY_SIZE(bursts); i++) {
		uint32_t burst = bursts[i % ARRAY_SIZE(bursts)];
		uint64_t now = rng_below(&rng, 2) * 1000000007, rate;
		struct bucket b = { .at = now, .burst = burst };
		struct line l;
		bool same = true;

		CHECK(line_rate(rates[i / ARRAY_SIZE(bursts)], &rate));
		line_init(&l, rate, burst);
		b.rate = rate;
		b.has = TOKENS_OF(burst);
		for (unsigned int n = 0; n < 3000; n++) {
			uint32_t size = (uint32_t)rng_below(&rng, 9217) + 2;
			uint64_t gap = exact(size, rate);

			/* Too much, just enough and too little by turns. */
			now += n / 100 % 3 == 2 ? rng_below(&rng, 4 * gap)
						: rng_below(&rng, gap + 1);
			same &= line_send(&l, now, size) ==
				model_send(&b, now, size);
		}
		CHECK(same);
		if (!same)
			printf("# %g byte/s, %u\n",
			       rates[i / ARRAY_SIZE(bursts)], burst);
	}
}

/* ---- changes ---- */

static void a_new_rate_is_for_the_next_frame(void)
{
	struct line l;

	line_init(&l, BYTES(1000), 0);
	CHECK(line_send(&l, 0, 1000) == SEC);
	CHECK(line_send(&l, 0, 1000) == 2 * SEC);
	line_set(&l, SEC / 2, BYTES(10000), 0);
	/* Those on the line are not overtaken. */
	CHECK(line_send(&l, SEC / 2, 1000) == 2 * SEC + SEC / 10);
	line_set(&l, SEC / 2, 0, 0);
	CHECK(line_send(&l, SEC / 2, 1000) == 2 * SEC + SEC / 10);
	CHECK(line_send(&l, 3 * SEC, 1000) == 3 * SEC);
	line_set(&l, 3 * SEC, BYTES(1000), 0);
	CHECK(line_send(&l, 3 * SEC, 1000) == 4 * SEC);
	/* Nor by a burst that a full bucket allows. */
	line_set(&l, 3 * SEC, 0, 0);
	line_set(&l, 3 * SEC, BYTES(1000), 500);
	CHECK(line_send(&l, 3 * SEC, 400) == 4 * SEC);
	CHECK(line_send(&l, 4 * SEC, 200) == 4 * SEC + SEC / 10);
}

static void a_rate_drawn_for_every_frame_does_not_drift(void)
{
	uint64_t rate = 0;
	double sum = 0;
	struct line l;
	struct rng rng;

	rng_init(&rng, 7);
	line_init(&l, 1, 0);
	for (unsigned int i = 0; i < 100000; i++) {
		rate = BYTES(1000000000) + rng_below(&rng, BYTES(1000000000));
		line_set(&l, 0, rate, 0);
		line_send(&l, 0, 64);
		sum += 64 * 1e15 / (double)rate;
	}
	/* About 4.4 ms; rounding up each would add 0.05 ms. */
	CHECK(fabs((double)line_free(&l) - sum) < 2);
}

static void tokens_stay_when_the_rate_changes(void)
{
	struct line l;

	line_init(&l, BYTES(1000), 1000);
	CHECK(line_send(&l, SEC, 1000) == SEC);
	/* Empty: with the old rate it would be full after 1 s. */
	line_set(&l, SEC, BYTES(1000000), 1000);
	CHECK(line_send(&l, SEC, 1000) == SEC + SEC / 1000);
	/* 300 are there; a smaller bucket has no room for more than 200. */
	line_init(&l, BYTES(1000), 1000);
	CHECK(line_send(&l, SEC, 700) == SEC);
	line_set(&l, SEC, BYTES(1000), 200);
	CHECK(line_send(&l, SEC, 200) == SEC);
	CHECK(line_send(&l, SEC, 1) == SEC + SEC / 1000);
	/* A larger one has as many as before. */
	line_init(&l, BYTES(1000), 100);
	CHECK(line_send(&l, SEC, 0) == SEC);
	line_set(&l, SEC, BYTES(1000), 1000);
	CHECK(line_send(&l, SEC, 100) == SEC);
	CHECK(line_send(&l, SEC, 900) == SEC + 9 * SEC / 10);
}

static void an_idle_line_has_earned_its_burst(void)
{
	struct line l;

	line_init(&l, BYTES(1000), 0);
	CHECK(line_send(&l, 0, 1000) == SEC);
	/* Idle for half a second: 500 tokens, had there been a bucket. */
	line_set(&l, 3 * SEC / 2, BYTES(1000), 800);
	CHECK(line_send(&l, 3 * SEC / 2, 500) == 3 * SEC / 2);
	CHECK(line_send(&l, 3 * SEC / 2, 300) == 3 * SEC / 2 + 3 * SEC / 10);
	/* A line with a backlog has earned none. */
	line_init(&l, BYTES(1000), 0);
	CHECK(line_send(&l, 0, 1000) == SEC);
	line_set(&l, SEC / 2, BYTES(1000), 800);
	CHECK(line_send(&l, SEC / 2, 100) == SEC + SEC / 10);
	/* Where there was no limit the bucket is full. */
	line_init(&l, 0, 0);
	line_set(&l, 0, BYTES(1), 1000);
	CHECK(line_send(&l, 0, 1000) == 0);
}

static void setting_what_is_set_changes_nothing(void)
{
	struct line l, was;

	line_init(&l, BYTES(777), 100);
	line_send(&l, SEC, 1000);
	was = l;
	line_set(&l, 2 * SEC, BYTES(777), 100);
	CHECK(l.full == was.full && l.part == was.part && l.last == was.last);
}

int main(void)
{
	RUN(a_frame_leaves_when_its_last_byte_is_out);
	RUN(no_limit_takes_no_time);
	RUN(a_frame_of_nothing_takes_no_time);
	RUN(frames_in_a_row_do_not_drift);
	RUN(the_fastest_rate_counts_fractions_of_a_nanosecond);
	RUN(a_line_of_half_a_byte_per_second_is_one);
	RUN(what_takes_for_ever_is_refused_and_takes_nothing);
	RUN(only_rates_that_can_be_are_taken);
	RUN(a_burst_leaves_at_once_and_the_rest_at_the_rate);
	RUN(a_bucket_is_full_at_the_first_nanosecond);
	RUN(a_frame_longer_than_the_bucket_waits_for_what_it_needs);
	RUN(any_traffic_leaves_as_from_the_model);
	RUN(a_new_rate_is_for_the_next_frame);
	RUN(a_rate_drawn_for_every_frame_does_not_drift);
	RUN(tokens_stay_when_the_rate_changes);
	RUN(an_idle_line_has_earned_its_burst);
	RUN(setting_what_is_set_changes_nothing);
	DONE();
}
