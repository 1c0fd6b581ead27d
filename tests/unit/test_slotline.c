// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line of a trace: by numbers, and beside a queue that is served at each
 * opportunity when its time has come.
 */
#include "wirefilter/slotline.h"

#include <string.h>

#include "../unit/test.h"
#include "base/rng.h"
#include "wirefilter/trace.h"

/* Opportunities, and which of them is next. */
static const uint64_t *chances;
static size_t chance;
static struct slotline l;

static void begin(uint32_t bytes, const uint64_t *times)
{
	slotline_init(&l, bytes);
	chances = times;
	chance = 0;
}

static uint64_t send(uint64_t ready, uint32_t size)
{
	uint64_t leaves = 0;

	while (!slotline_send(&l, ready, &size, &leaves))
		slotline_next(&l, chances[chance++]);
	return leaves;
}

static void a_frame_leaves_at_the_opportunity_after_it_is_ready(void)
{
	static const uint64_t times[] = { 0, 10, 20, 30, 40 };

	begin(1516, times);
	CHECK(send(0, 1516) == 10); /* that of 0 is over */
	CHECK(send(11, 62) == 20);
	CHECK(send(30, 62) == 40);
}

static void small_frames_share_an_opportunity(void)
{
	static const uint64_t times[] = { 10, 20, 30 };

	begin(1000, times);
	CHECK(send(1, 400) == 10 && send(2, 400) == 10);
	/* 200 bytes at 10, the rest at 20, where there is room for more. */
	CHECK(send(3, 400) == 20 && send(3, 800) == 20);
	CHECK(send(3, 1) == 30);
}

static void a_long_frame_uses_several(void)
{
	static const uint64_t times[] = { 10, 10, 20, 35, 40 };

	begin(1000, times);
	CHECK(send(5, 3001) == 35);
	CHECK(send(6, 999) == 35 && send(6, 1) == 40);
}

static void what_nobody_waits_for_is_lost(void)
{
	static const uint64_t times[] = { 10, 20, 30 };

	begin(1000, times);
	CHECK(send(5, 100) == 10);
	/* Ready when 900 bytes of it could have left already. */
	CHECK(send(10, 100) == 20);
	CHECK(send(25, 100) == 30);
}

static void a_frame_of_nothing_leaves_when_it_is_ready(void)
{
	static const uint64_t times[] = { 10 };

	begin(1000, times);
	CHECK(send(5, 0) == 5 && chance == 0);
	CHECK(send(6, 10) == 10 && send(7, 0) == 10);
}

/* ---- the model: a queue, and one opportunity after the other ---- */

enum {
	FRAMES = 20000
};

struct arrival {
	uint64_t ready, leaves;
	uint32_t size, todo;
};

static void serve(struct arrival *a, const uint64_t *times, uint32_t bytes)
{
	size_t first = 0;

	for (; first < FRAMES; times++) {
		uint32_t left = bytes;

		while (left && first < FRAMES && a[first].ready < *times) {
			if (a[first].todo > left) {
				a[first].todo -= left;
				break;
			}
			left -= a[first].todo;
			a[first++].leaves = *times;
		}
	}
}

static void any_traffic_leaves_as_from_the_model(void)
{
	static struct arrival a[FRAMES];
	static uint64_t times[20 * FRAMES];
	struct rng rng;

	rng_init(&rng, 6);
	for (uint32_t bytes = 1; bytes < 20000; bytes = 7 * bytes + 3) {
		uint64_t now = 0;
		bool same = true;

		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			times[i] = now += rng_below(&rng, 50);
		now = 0;
		for (size_t i = 0; i < FRAMES; i++) {
			/* By turns too much and too little, on the whole less
			 * than is there. */
			uint32_t most = i / 500 % 2 ? 30 : 8;

			now += rng_below(&rng, 60);
			a[i].ready = now;
			a[i].size = 1 + (uint32_t)rng_below(&rng, bytes) *
						most / 10;
			a[i].todo = a[i].size;
		}
		serve(a, times, bytes);
		begin(bytes, times);
		for (size_t i = 0; i < FRAMES; i++)
			same &= send(a[i].ready, a[i].size) == a[i].leaves;
		CHECK(same);
	}
}

static void a_trace_goes_through_it(void)
{
	static const char text[] = "1\n2\n2\n4\n";
	static const uint64_t expected[] = { 1, 2, 2, 4, 5, 6, 6, 8, 9 };
	struct trace_point pt;
	struct trace t;

	trace_init(&t, TRACE_MAHIMAHI);
	slotline_init(&l, SLOTLINE_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		uint32_t todo = 1516;
		uint64_t leaves = 0;

		while (!slotline_send(&l, 0, &todo, &leaves)) {
			enum trace_got got = trace_next(&t, &pt);

			if (got == TRACE_END && trace_repeat(&t))
				got = trace_next(&t, &pt);
			if (got == TRACE_MORE) {
				trace_give(&t, text, strlen(text));
				trace_finish(&t);
				got = trace_next(&t, &pt);
			}
			CHECK(got == TRACE_POINT);
			slotline_next(&l, pt.time);
		}
		CHECK(leaves == expected[i] * 1000000);
	}
}

int main(void)
{
	RUN(a_frame_leaves_at_the_opportunity_after_it_is_ready);
	RUN(small_frames_share_an_opportunity);
	RUN(a_long_frame_uses_several);
	RUN(what_nobody_waits_for_is_lost);
	RUN(a_frame_of_nothing_leaves_when_it_is_ready);
	RUN(any_traffic_leaves_as_from_the_model);
	RUN(a_trace_goes_through_it);
	DONE();
}
