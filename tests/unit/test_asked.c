// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What settings ask for: against closed forms, and against what the loss
 * models really do.
 */
#include "wirefilter/asked.h"

#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "base/util.h"

#define RUNS 2000
#define FRAMES 2000

static struct params params;
static struct asked asked;

static void nothing_set(void)
{
	memset(&params, 0, sizeof(params));
}

static void set(enum param p, double num, double plus, double corr,
		enum value_shape shape)
{
	struct value v = { num, plus, corr, shape, "" };

	params.value[p] = v;
	CHECK(!dist_set(&params.dist[p], &v, NULL));
}

static bool near(double a, double b, double share)
{
	if (fabs(a - b) <= share * fabs(b))
		return true;
	printf("# %.9g is not %.9g\n", a, b);
	return false;
}

static void what_is_not_set_asks_for_nothing(void)
{
	nothing_set();
	asked_loss(&params, &asked);
	CHECK(!asked.why_not && asked.value == 0 && asked.spread == 1);
	asked_rate(&params, &asked);
	CHECK(!asked.why_not && asked.value == 0);
}

static void a_percentage_is_a_share(void)
{
	nothing_set();
	set(PARAM_LOSS, 2.5, 0, 0, VALUE_UNIFORM);
	asked_loss(&params, &asked);
	CHECK(!asked.why_not && near(asked.value, 0.025, 1e-12));
}

static void a_varying_loss_asks_for_its_mean_within_bounds(void)
{
	nothing_set();
	set(PARAM_LOSS, 10, 5, 0, VALUE_UNIFORM);
	asked_loss(&params, &asked);
	CHECK(!asked.why_not && near(asked.value, 0.1, 1e-9));
	set(PARAM_LOSS, 90, 20, 0, VALUE_UNIFORM); /* 70 to 110 */
	asked_loss(&params, &asked);
	CHECK(!asked.why_not && near(asked.value, 0.8875, 1e-4));
	set(PARAM_LOSS, 10, 5, 50, VALUE_UNIFORM);
	asked_loss(&params, &asked);
	CHECK(asked.why_not != NULL);
}

static void models_are_independent_of_each_other(void)
{
	nothing_set();
	set(PARAM_LOSS, 50, 0, 0, VALUE_UNIFORM);
	params.loss.period = (struct loss_period){ .n = 4, .l = 1, .f = 1 };
	params.loss.gilbert = (struct loss_gilbert){ 0.1, 0.9, 1, 0 };
	asked_loss(&params, &asked);
	CHECK(!asked.why_not);
	CHECK(near(asked.value, 1 - 0.5 * 0.75 * 0.9, 1e-12));
	CHECK(asked.spread == 1);
}

static void a_list_asks_for_no_share(void)
{
	char why[80];
	struct strbuf b;
	struct loss_list *list;

	strbuf_init(&b, why, sizeof(why));
	nothing_set();
	list = loss_list_parse("3", 1, &b);
	CHECK(list != NULL);
	params.loss.list = list;
	asked_loss(&params, &asked);
	CHECK(asked.why_not != NULL);
	loss_list_free(list);
}

/* Of RUNS runs: how their numbers of losses vary, compared with independent
 * ones, and how many have an interval without the truth. */
static void run(double percent, double burst, double *spread, int *outside)
{
	double sum = 0, squares = 0, low, high, m;
	struct loss_state st = { 0 };
	struct rng rng;

	rng_stream(&rng, 5, 1, 1);
	*outside = 0;
	for (int i = 0; i < RUNS; i++) {
		uint64_t lost = 0;

		for (uint64_t n = 1; n <= FRAMES; n++)
			lost += loss_drop(&params.loss, &st, &rng, n, percent,
					  burst) != LOSS_NONE;
		sum += (double)lost;
		squares += (double)lost * (double)lost;
		asked_interval(lost, FRAMES, asked.spread, &low, &high);
		*outside += asked.value < low || asked.value > high;
	}
	m = sum / RUNS;
	CHECK(near(m / FRAMES, asked.value, 0.05));
	*spread = (squares / RUNS - m * m) /
		  (FRAMES * asked.value * (1 - asked.value));
}

/* 2 of 2000 are expected outside; more than 10 have a probability of 1e-5. */
static void check_runs(double percent, double burst)
{
	double spread;
	int outside;

	asked_loss(&params, &asked);
	CHECK(!asked.why_not);
	run(percent, burst, &spread, &outside);
	CHECK(near(spread, asked.spread, 0.15));
	if (outside > 10)
		printf("# %d of %d outside\n", outside, RUNS);
	CHECK(outside <= 10);
}

static void independent_losses_are_in_the_interval(void)
{
	nothing_set();
	set(PARAM_LOSS, 5, 0, 0, VALUE_UNIFORM);
	check_runs(5, 0);
	CHECK(asked.spread == 1);
}

static void bursts_widen_the_interval_as_they_should(void)
{
	nothing_set();
	set(PARAM_LOSS, 20, 0, 0, VALUE_UNIFORM);
	set(PARAM_LOSTBURST, 5, 0, 0, VALUE_UNIFORM);
	check_runs(20, 5);
	CHECK(asked.spread > 3);
}

static void gilbert_widens_the_interval_as_it_should(void)
{
	nothing_set();
	params.loss.gilbert = (struct loss_gilbert){ 0.02, 0.1, 0.7, 0.05 };
	check_runs(0, 0);
	CHECK(asked.spread > 2);
}

static void an_interval_never_leaves_0_to_1(void)
{
	double low, high;

	asked_interval(0, 1000, 1, &low, &high);
	CHECK(low == 0 && high > 0.005 && high < 0.02);
	asked_interval(1000, 1000, 1, &low, &high);
	CHECK(high == 1 && low < 0.995 && low > 0.98);
	asked_interval(1, 1, 7, &low, &high);
	CHECK(high == 1 && low < 0.5 && low >= 0);
	asked_interval(0, 1, 1, &low, &high);
	CHECK(low == 0 && high > 0.5 && high < 1);
	/* At either end the deviation is that of 99.9 %. */
	asked_interval(10, 100, 1, &low, &high);
	CHECK(near((0.1 - low) / sqrt(low * (1 - low) / 100), 3.29053, 1e-5));
	CHECK(near((high - 0.1) / sqrt(high * (1 - high) / 100), 3.29053,
		   1e-5));
}

static void the_slower_of_speed_and_bandwidth_is_asked_for(void)
{
	nothing_set();
	set(PARAM_BANDWIDTH, 125000, 0, 0, VALUE_UNIFORM);
	asked_rate(&params, &asked);
	CHECK(!asked.why_not && asked.value == 125000);
	set(PARAM_SPEED, 1000, 0, 0, VALUE_UNIFORM);
	asked_rate(&params, &asked);
	CHECK(!asked.why_not && asked.value == 1000);
	set(PARAM_BANDWIDTH, 0, 0, 0, VALUE_UNIFORM);
	asked_rate(&params, &asked);
	CHECK(!asked.why_not && asked.value == 1000);
}

static void a_varying_rate_asks_for_the_mean_of_its_times(void)
{
	nothing_set();
	set(PARAM_BANDWIDTH, 1000, 500, 0, VALUE_UNIFORM);
	asked_rate(&params, &asked);
	CHECK(!asked.why_not);
	CHECK(near(asked.value, 2 * 500 / log(1500.0 / 500), 1e-4));
	set(PARAM_BANDWIDTH, 1000, 300, 0, VALUE_GAUSS);
	asked_rate(&params, &asked);
	/* E[1/B] = (1 + s^2 + 3 s^4 + ...) / v, with s = 0.1 */
	CHECK(!asked.why_not && near(asked.value, 1000 / 1.0103, 1e-3));
}

static void a_rate_that_may_be_nought_is_not_compared(void)
{
	nothing_set();
	set(PARAM_BANDWIDTH, 1000, 1000, 0, VALUE_UNIFORM);
	asked_rate(&params, &asked);
	CHECK(asked.why_not != NULL);
	set(PARAM_BANDWIDTH, 1000, 100, 0, VALUE_UNIFORM);
	set(PARAM_SPEED, 1000, 0, 0, VALUE_UNIFORM);
	asked_rate(&params, &asked);
	CHECK(asked.why_not != NULL);
}

int main(void)
{
	RUN(what_is_not_set_asks_for_nothing);
	RUN(a_percentage_is_a_share);
	RUN(a_varying_loss_asks_for_its_mean_within_bounds);
	RUN(models_are_independent_of_each_other);
	RUN(a_list_asks_for_no_share);
	RUN(independent_losses_are_in_the_interval);
	RUN(bursts_widen_the_interval_as_they_should);
	RUN(gilbert_widens_the_interval_as_it_should);
	RUN(an_interval_never_leaves_0_to_1);
	RUN(the_slower_of_speed_and_bandwidth_is_asked_for);
	RUN(a_varying_rate_asks_for_the_mean_of_its_times);
	RUN(a_rate_that_may_be_nought_is_not_compared);
	DONE();
}
