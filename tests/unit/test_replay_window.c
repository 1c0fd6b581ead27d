/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_replay_window - the window against a list of all that was seen
 */
#include "cryptcab/replay.h"

#include <string.h>

#include "base/rng.h"
#include "test.h"

#define MANY 200000

static struct replay window;

static bool take(uint64_t counter)
{
	if (replay_check(&window, counter) != REPLAY_NEW)
		return false;
	replay_mark(&window, counter);
	return true;
}

static void nothing_is_taken_twice(void)
{
	window = (struct replay){ 0 };
	for (uint64_t i = 0; i < 20000; i++) {
		CHECK(take(i));
		CHECK(replay_check(&window, i) == REPLAY_SEEN);
		CHECK(!take(i / 2));
	}
}

static void thousands_may_overtake_one(void)
{
	window = (struct replay){ 0 };
	for (uint64_t i = 1; i < REPLAY_WINDOW; i++)
		CHECK(take(i));
	CHECK(take(0));
	CHECK(!take(0));
	window = (struct replay){ 0 };
	for (uint64_t i = 1; i <= REPLAY_WINDOW; i++)
		CHECK(take(i));
	CHECK(replay_check(&window, 0) == REPLAY_OLD);
}

static void the_edge_is_where_it_says(void)
{
	for (uint64_t at = 0; at < 200; at++) {
		uint64_t top = at + 1000000;

		window = (struct replay){ 0 };
		CHECK(take(top));
		CHECK(take(top + 1 - REPLAY_WINDOW));
		CHECK(!take(top + 1 - REPLAY_WINDOW));
		CHECK(replay_check(&window, top - REPLAY_WINDOW) == REPLAY_OLD);
	}
}

static void a_jump_forgets_all_behind_it(void)
{
	window = (struct replay){ 0 };
	for (uint64_t i = 0; i < 10000; i++)
		CHECK(take(i));
	CHECK(take(UINT64_C(1) << 62));
	for (uint64_t i = 1; i < REPLAY_WINDOW; i++)
		CHECK(take((UINT64_C(1) << 62) - i));
	CHECK(!take(9999));
	CHECK(take(UINT64_MAX - 1));
	CHECK(!take(UINT64_MAX - 1));
	CHECK(!take(UINT64_MAX));
}

static void it_says_which_one_is_the_greatest(void)
{
	window = (struct replay){ 0 };
	CHECK(replay_mark(&window, 0));
	CHECK(replay_mark(&window, 5));
	CHECK(!replay_mark(&window, 4));
	CHECK(replay_mark(&window, 6));
}

/* A counter is new once, unless it is too old. */
static void it_agrees_with_a_list(void)
{
	uint8_t *seen = calloc(MANY + 20000, 1);
	uint64_t greatest = 0, n;
	bool any = false;
	struct rng rng;
	int taken = 0;

	rng_init(&rng, 7);
	window = (struct replay){ 0 };
	for (uint64_t i = 0; seen && i < MANY; i++) {
		bool old, want;

		/* Some far ahead, and few so far that the rest is too old. */
		n = rng_below(&rng, 20000) ? 6000 : 20000;
		n = i + rng_below(&rng, rng_below(&rng, 50) ? 300 : n);
		old = any && greatest >= REPLAY_WINDOW &&
		      n <= greatest - REPLAY_WINDOW;
		want = !seen[n] && !old;
		if (take(n) != want) {
			printf("# %llu wrong\n", (unsigned long long)n);
			test_failed = 1;
			break;
		}
		seen[n] |= want;
		taken += want;
		if (!any || n > greatest)
			greatest = n;
		any = true;
	}
	CHECK(taken > MANY / 4);
	free(seen);
}

int main(void)
{
	RUN(nothing_is_taken_twice);
	RUN(thousands_may_overtake_one);
	RUN(the_edge_is_where_it_says);
	RUN(a_jump_forgets_all_behind_it);
	RUN(it_says_which_one_is_the_greatest);
	RUN(it_agrees_with_a_list);
	DONE();
}
