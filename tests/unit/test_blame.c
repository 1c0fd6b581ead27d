// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that are late: by the machine, by the reader, by both.
 */
#include "wirefilter/blame.h"

#include "../unit/test.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

static struct blame b;
static struct meter_hist all;

static void begin(void)
{
	blame_init(&b, MS);
	meter_hist_init(&all);
}

static uint64_t took(uint64_t due, uint64_t now)
{
	meter_hist_add(&all, now > due ? now - due : 0);
	return blame_frame(&b, due, now);
}

static void a_frame_in_time_is_nobodys_fault(void)
{
	begin();
	CHECK(took(100 * MS, 100 * MS) == 0);
	CHECK(took(100 * MS, 100 * MS + 30 * US) == 30 * US);
	CHECK(took(101 * MS, 100 * MS) == 0);
	CHECK(b.late == 0 && b.held == 0 && b.max == 30 * US);
}

static void the_tolerance_itself_is_not_late(void)
{
	begin();
	took(100 * MS, 101 * MS);
	CHECK(b.late == 0);
	took(100 * MS, 101 * MS + 1);
	CHECK(b.late == 1 && b.max == MS + 1);
}

static void a_full_output_is_not_the_machine(void)
{
	begin();
	took(100 * MS, 100 * MS);
	blame_left(&b, true, 100 * MS);
	/* It takes the one that was left, and two that became due. */
	CHECK(took(100 * MS, 150 * MS) == 0);
	blame_left(&b, false, 150 * MS);
	CHECK(took(120 * MS, 150 * MS) == 0);
	CHECK(took(149500 * US, 150 * MS + 10 * US) == 10 * US);
	blame_left(&b, false, 150 * MS + 10 * US);
	CHECK(b.late == 0 && b.held == 2);
	CHECK(b.waits.n == 3);
}

static void before_and_after_the_output_was_full_it_is_the_machine(void)
{
	begin();
	/* Offered 5 ms late, refused for 45 ms, sent 3 ms later. */
	blame_left(&b, true, 105 * MS);
	took(100 * MS, 150 * MS);
	CHECK(b.late == 1 && b.held == 0 && b.max == 5 * MS);
	blame_left(&b, false, 150 * MS);
	CHECK(took(110 * MS, 153 * MS) == 3 * MS);
	CHECK(b.late == 2);
}

static void what_becomes_due_afterwards_is_as_ever(void)
{
	begin();
	blame_left(&b, true, 100 * MS);
	took(100 * MS, 150 * MS);
	blame_left(&b, false, 150 * MS);
	CHECK(took(160 * MS, 165 * MS) == 5 * MS);
	CHECK(b.late == 1 && b.waits.n == 1);
}

static void a_reader_that_sips_goes_on_being_the_reason(void)
{
	begin();
	blame_left(&b, true, 100 * MS);
	for (uint64_t i = 0; i < 50; i++) {
		/* One frame a time, and then it is full again. */
		CHECK(took(100 * MS + i * US, (110 + 2 * i) * MS) == 0);
		blame_left(&b, false, (110 + 2 * i) * MS);
		blame_left(&b, true, (110 + 2 * i) * MS);
	}
	CHECK(b.late == 0 && b.held == 50);
}

static void a_second_refusal_after_the_backlog_begins_anew(void)
{
	begin();
	blame_left(&b, true, 100 * MS);
	took(100 * MS, 110 * MS);
	blame_left(&b, false, 110 * MS);
	took(120 * MS, 120 * MS);
	/* Due at 130, offered at 140: too late. */
	blame_left(&b, true, 140 * MS);
	CHECK(took(130 * MS, 150 * MS) == 10 * MS);
	CHECK(b.late == 1);
}

static void errors_are_shown_without_what_was_held(void)
{
	struct meter_hist own;

	begin();
	for (int i = 0; i < 100; i++)
		took(100 * MS, 100 * MS + 50);
	blame_left(&b, true, 100 * MS);
	for (int i = 0; i < 50; i++)
		took(100 * MS, 900 * MS);
	blame_left(&b, false, 900 * MS);
	CHECK(meter_hist_quantile(&all, 990) > 700 * MS);
	blame_without_held(&b, &all, &own);
	CHECK(own.n == 100 && own.max == 50);
	CHECK(meter_hist_quantile(&own, 990) == 50);
	CHECK(meter_hist_mean(&own) == 50);
	blame_reset(&b);
	meter_hist_init(&all);
	blame_without_held(&b, &all, &own);
	CHECK(own.n == 0 && b.held == 0 && b.max == 0);
}

static void counters_that_do_not_fit_each_other_do_no_harm(void)
{
	struct meter_hist own;

	begin();
	blame_left(&b, true, 100 * MS);
	took(100 * MS, 900 * MS);
	meter_hist_init(&all);
	blame_without_held(&b, &all, &own);
	CHECK(own.n == 0 && meter_hist_quantile(&own, 500) == 0);
}

int main(void)
{
	RUN(a_frame_in_time_is_nobodys_fault);
	RUN(the_tolerance_itself_is_not_late);
	RUN(a_full_output_is_not_the_machine);
	RUN(before_and_after_the_output_was_full_it_is_the_machine);
	RUN(what_becomes_due_afterwards_is_as_ever);
	RUN(a_reader_that_sips_goes_on_being_the_reason);
	RUN(a_second_refusal_after_the_backlog_begins_anew);
	RUN(errors_are_shown_without_what_was_held);
	RUN(counters_that_do_not_fit_each_other_do_no_harm);
	DONE();
}
