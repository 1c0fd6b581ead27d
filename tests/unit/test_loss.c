// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Losses: how many, in which bursts, and exactly which.
 */
#include "wirefilter/loss.h"

#include <string.h>

#include "../unit/test.h"
#include "base/util.h"
#include "stats.h"

#define N 1000000

static const struct loss nothing;

/* What a run of frames came to. */
struct run {
	uint64_t lost, bursts, pairs; /* pairs: lost, and so is the next */
	uint64_t length[64]; /* of bursts; the last counts longer ones, too */
	uint64_t causes[LOSS_N_CAUSES];
};

static struct run run;

static void count(const struct loss *l, uint64_t seed, double percent,
		  double burst)
{
	struct loss_state st = { 0 };
	uint64_t length = 0;
	struct rng rng;

	memset(&run, 0, sizeof(run));
	rng_stream(&rng, seed, 1, 2);
	for (uint64_t i = 1; i <= N; i++) {
		enum loss_cause c = loss_drop(l, &st, &rng, i, percent, burst);

		run.causes[c]++;
		if (c != LOSS_NONE) {
			run.lost++;
			run.pairs += length > 0;
			length++;
		} else if (length) {
			run.bursts++;
			run.length[size_min(length, 63)]++;
			length = 0;
		}
	}
}

/* A chain's share of @p with @burst as mean stay in the bad state: successive
 * frames are correlated, so the number varies more than independent ones. */
static bool share_of_chain(double lost, double p, double burst)
{
	double stay = 1 - p / (burst * (1 - p)) - 1 / burst;
	double z = (lost - N * p) /
		   sqrt(N * p * (1 - p) * (1 + stay) / (1 - stay) + 1);

	if (fabs(z) <= STAT_Z)
		return true;
	printf("# %g lost of %d are not %g: %.2f sigma\n", lost, N, p, z);
	return false;
}

/* Are lengths of bursts geometric, with mean 1 / @end? */
static bool geometric(double end)
{
	uint64_t seen[16] = { 0 };
	double expected[16] = { 0 }, left = (double)run.bursts, p = 1;
	size_t bins = 0;

	for (size_t i = 1; i < 64 && bins < 15; i++) {
		if (left * (1 - end) < 5 * end * (double)run.bursts / 10)
			break;
		seen[bins] = run.length[i];
		expected[bins++] = (double)run.bursts * p * end;
		p *= 1 - end;
		left -= (double)run.length[i];
	}
	seen[bins] = (uint64_t)left;
	expected[bins++] = (double)run.bursts * p;
	return stat_chi2(seen, expected, bins);
}

/* ---- random ---- */

static void losses_of_each_percentage_are_within_their_interval(void)
{
	static const double percent[] = { 0.01, 0.1, 0.5, 1,  2,  5, 10,
					  20,	25,  33,  50, 75, 99 };

	for (size_t i = 0; i < ARRAY_SIZE(percent); i++) {
		count(&nothing, i, percent[i], 0);
		CHECK(stat_share((double)run.lost, N, percent[i] / 100));
		CHECK(run.causes[LOSS_RANDOM] == run.lost);
		/* each by itself */
		if (percent[i] >= 0.5)
			CHECK(stat_share((double)run.pairs, (double)run.lost,
					 percent[i] / 100));
	}
	CHECK(geometric(0.01)); /* of 99 % */
}

static void nothing_and_everything_are_exact(void)
{
	static const double none[] = { 0, -1, -1e300, NAN };
	static const double all[] = { 100, 150, 1e300, INFINITY };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		count(&nothing, 1, none[i], 0);
		CHECK(run.lost == 0);
		count(&nothing, 1, none[i], 3);
		CHECK(run.lost == 0);
		count(&nothing, 1, all[i], 0);
		CHECK(run.lost == N);
		count(&nothing, 1, all[i], 3);
		CHECK(run.lost == N && run.causes[LOSS_BURST] == N);
	}
}

static void bursts_have_the_share_and_the_length_asked_for(void)
{
	static const struct {
		double percent, burst;
	} asked[] = { { 0.1, 2 }, { 1, 3 },	{ 5, 3 },  { 10, 1 },
		      { 10, 10 }, { 20, 2.5 },	{ 50, 5 }, { 50, 1 },
		      { 75, 20 }, { 90, 10.5 }, { 1, 50 } };

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		double burst = asked[i].burst;

		count(&nothing, 100 + i, asked[i].percent, burst);
		CHECK(share_of_chain((double)run.lost, asked[i].percent / 100,
				     burst));
		CHECK(stat_mean((double)run.lost / (double)run.bursts,
				(double)run.bursts, burst,
				sqrt(burst * (burst - 1)) + 1e-9));
		if (burst > 1 && burst <= 10)
			CHECK(geometric(1 / burst));
		CHECK(run.causes[LOSS_BURST] == run.lost);
	}
}

/* 80 % of frames cannot be lost in bursts of 2 with a frame between them. */
static void bursts_that_are_too_short_for_the_loss_are_longer(void)
{
	CHECK(loss_burst_mean(80, 2) == 0.8 / (1 - 0.8));
	CHECK(loss_burst_mean(10, 0.3) == 1);
	CHECK(loss_burst_mean(10, 3) == 3);
	CHECK(loss_burst_mean(10, 0) == 0 && loss_burst_mean(10, -1) == 0);
	CHECK(isinf(loss_burst_mean(100, 3)));
	count(&nothing, 7, 80, 2);
	CHECK(share_of_chain((double)run.lost, 0.8, 4));
	count(&nothing, 8, 10, 0.3);
	CHECK(share_of_chain((double)run.lost, 0.1, 1));
	CHECK(run.pairs == 0);
}

static void a_loss_of_nought_ends_a_burst(void)
{
	struct loss_state st = { 0 };
	struct rng rng;

	rng_init(&rng, 1);
	CHECK(loss_drop(&nothing, &st, &rng, 1, 100, 1e6) == LOSS_BURST);
	CHECK(loss_drop(&nothing, &st, &rng, 2, 50, 1e6) == LOSS_BURST);
	CHECK(loss_drop(&nothing, &st, &rng, 3, 0, 1e6) == LOSS_NONE);
	CHECK(loss_drop(&nothing, &st, &rng, 4, 100, 1e6) == LOSS_BURST);
	CHECK(loss_drop(&nothing, &st, &rng, 5, 0, 0) == LOSS_NONE);
	CHECK(!st.burst);
}

/* ---- Gilbert and Elliott ---- */

static double gilbert_share(const struct loss_gilbert *g)
{
	double bad = g->p / (g->p + g->r);

	return bad * g->h1 + (1 - bad) * g->k1;
}

static void all_four_parameters_count(void)
{
	static const struct loss_gilbert asked[] = {
		{ 0.01, 0.25, 1, 0 },	 { 0.05, 0.5, 0.8, 0 },
		{ 0.02, 0.1, 0.7, 0.1 }, { 0.5, 0.5, 0.3, 0.9 },
		{ 0.001, 0.01, 0.5, 0 }, { 1, 1, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		const struct loss_gilbert *g = &asked[i];
		struct loss l = { .gilbert = *g };
		double q = gilbert_share(g), stay = 1 - g->p - g->r;
		double bad = g->p / (g->p + g->r), diff = g->h1 - g->k1;
		double z, cov = bad * (1 - bad) * diff * diff;

		count(&l, 200 + i, 0, 0);
		/* variance: of the frames, and of the pairs that are near */
		z = (double)run.lost - N * q;
		z /= sqrt(N * (q * (1 - q) + 2 * cov * stay / (1 - stay)) + 1);
		CHECK(fabs(z) <= STAT_Z);
		CHECK(fabs(loss_gilbert_mean(g) - q) < 1e-15);
		CHECK(run.causes[LOSS_GILBERT] == run.lost);
		/* P(this and the next) = q^2 + cov * stay, roughly */
		z = (double)run.pairs / N - (q * q + cov * stay);
		CHECK(fabs(z) < 0.004);
	}
	CHECK(run.lost == N / 2); /* of { 1, 1, 1, 0 }: every other one */
}

/* With 1-h = 1 and 1-k = 0 it is the chain of bursts, decision by decision,
 * if both have the same luck: the first draw is the step of one, the second
 * that of the other. */
static void bursts_are_a_special_case_of_the_four_parameters(void)
{
	struct loss l = { .gilbert = { 0.05 / (3 * 0.95), 1.0 / 3, 1, 0 } };
	struct loss_state st = { 0 };
	struct rng rng, ahead;
	int lost = 0;

	rng_init(&rng, 5);
	for (uint64_t i = 1; i < 10000; i++) {
		struct loss_state burst = { .burst = st.gilbert };

		ahead = rng;
		rng_u64(&ahead);
		loss_drop(&nothing, &burst, &ahead, i, 5, 3);
		loss_drop(&l, &st, &rng, i, 0, 0);
		CHECK(burst.burst == st.gilbert);
		lost += st.gilbert;
	}
	CHECK(lost > 300);
}

static void a_gilbert_chain_starts_good_and_forgets_when_it_is_off(void)
{
	struct loss l = { .gilbert = { 0, 0.5, 1, 0 } };
	struct loss_state st = { 0 };
	struct rng rng;

	rng_init(&rng, 6);
	for (uint64_t i = 1; i < 1000; i++)
		CHECK(loss_drop(&l, &st, &rng, i, 0, 0) == LOSS_NONE);
	l.gilbert = (struct loss_gilbert){ 1, 0, 1, 0 };
	for (uint64_t i = 1; i < 1000; i++)
		CHECK(loss_drop(&l, &st, &rng, i, 0, 0) == LOSS_GILBERT);
	CHECK(loss_drop(&nothing, &st, &rng, 1, 0, 0) == LOSS_NONE);
	CHECK(!st.gilbert);
}

/* ---- exactly these ---- */

/* The frames that are lost of the first 40, as text. */
static bool loses(const struct loss *l, const char *expected)
{
	struct loss_state st = { 0 };
	struct strbuf b;
	struct rng rng;
	char text[256];

	strbuf_init(&b, text, sizeof(text));
	rng_init(&rng, 1);
	for (uint64_t i = 1; i <= 40; i++)
		if (loss_drop(l, &st, &rng, i, 0, 0) != LOSS_NONE)
			strbuf_fmt(&b, " %d", (int)i);
	if (!strcmp(text, expected))
		return true;
	printf("#%s\n", text);
	return false;
}

static char reason[128];
static struct loss set;

static bool period(const char *text)
{
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	return loss_period_parse(&set.period, text, &why) && !reason[0];
}

static void a_period_loses_every_nth_frame(void)
{
	set = nothing;
	CHECK(period("10") && loses(&set, " 10 20 30 40"));
	CHECK(period("10,2") && loses(&set, " 10 11 20 21 30 31 40"));
	CHECK(period("10,2,1") && loses(&set, " 1 2 11 12 21 22 31 32"));
	CHECK(period("7,7,38") && loses(&set, " 38 39 40"));
	CHECK(period("20,1,3") && loses(&set, " 3 23"));
	CHECK(period("1000000000000000,1,39") && loses(&set, " 39"));
	CHECK(period("0") && loses(&set, ""));
	CHECK(period("1"));
	count(&set, 1, 0, 0);
	CHECK(run.lost == N && run.causes[LOSS_PERIOD] == N);
}

static bool list(const char *text)
{
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	set = nothing;
	set.list = loss_list_parse(text, strlen(text), &why);
	return set.list && !reason[0];
}

static bool prints(const struct loss_list *l, const char *expected)
{
	struct strbuf b;
	char text[128];

	strbuf_init(&b, text, sizeof(text));
	loss_list_print(&b, l);
	return !strcmp(text, expected);
}

static void a_list_loses_the_frames_it_names(void)
{
	static const struct {
		const char *text, *lost, *list;
	} lists[] = {
		{ "5", " 5", "5" },
		{ "3,7-9,38-", " 3 7 8 9 38 39 40", "3,7-9,38-" },
		{ "# first\n12 11\t10 # ten\r\n1", " 1 10 11 12", "1,10-12" },
		{ "7-9,8,9-11,5-7,7", " 5 6 7 8 9 10 11", "5-11" },
		{ "2-4,6-8,5", " 2 3 4 5 6 7 8", "2-8" },
		{ "39-,40-50,18446744073709551615", " 39 40", "39-" },
		{ "1-1,3-3", " 1 3", "1,3" },
		{ "100,5,60-70", " 5", "5,60-70,100" },
		{ "10-20,12-13", " 10 11 12 13 14 15 16 17 18 19 20", "10-20" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct loss_list *l;

		CHECK(list(lists[i].text));
		l = unconst(set.list);
		if (!l)
			continue;
		CHECK(loses(&set, lists[i].lost));
		CHECK(prints(l, lists[i].list));
		loss_list_free(l);
	}
}

static void a_list_is_searched_at_both_ends_of_each_range(void)
{
	struct loss_list *l;

	CHECK(list("10-20,30,40-50,60-"));
	l = unconst(set.list);
	if (!l)
		return;
	CHECK(!loss_list_has(l, 9) && loss_list_has(l, 10));
	CHECK(loss_list_has(l, 20) && !loss_list_has(l, 21));
	CHECK(!loss_list_has(l, 29) && loss_list_has(l, 30));
	CHECK(!loss_list_has(l, 31) && !loss_list_has(l, 59));
	CHECK(loss_list_has(l, 60) && loss_list_has(l, UINT64_MAX));
	CHECK(!loss_list_has(l, 0));
	loss_list_free(l);
}

static void a_list_is_bounded(void)
{
	size_t size = 5 * 4097 + 1;
	char *text = malloc(size);
	struct loss_list *l;
	struct strbuf b;

	CHECK(text);
	if (!text)
		return;
	strbuf_init(&b, text, size);
	for (unsigned int i = 0; i < 4096; i++)
		strbuf_fmt(&b, "%u ", 1 + 2 * i);
	CHECK(list(text));
	l = unconst(set.list);
	for (uint64_t i = 1; l && i <= 8192; i++)
		CHECK(loss_list_has(l, i) == (i % 2 == 1));
	loss_list_free(l);
	strbuf_add(&b, "5");
	CHECK(!b.cut && !list(text));
	CHECK(!strcmp(reason, "line 1: there are more than 4096 ranges"));
	free(text);
}

/* ---- together ---- */

static void models_work_side_by_side(void)
{
	struct loss_list *l;

	CHECK(list("1-1000"));
	l = unconst(set.list);
	CHECK(period("2"));
	set.gilbert = (struct loss_gilbert){ 0.5, 0.5, 0.2, 0.2 };
	count(&set, 3, 10, 0);
	CHECK(stat_share((double)run.causes[LOSS_RANDOM], N, 0.1));
	CHECK(stat_share((double)run.causes[LOSS_GILBERT],
			 N - (double)run.causes[LOSS_RANDOM], 0.2));
	CHECK(stat_share((double)run.causes[LOSS_PERIOD],
			 N - (double)(run.causes[LOSS_RANDOM] +
				      run.causes[LOSS_GILBERT]),
			 0.5));
	CHECK(stat_share((double)run.causes[LOSS_LIST], 500, 0.9 * 0.8));
	loss_list_free(l);
}

/* Three of them: the frame that is the thousandth has the same luck always. */
static void a_frame_takes_three_draws_whatever_is_set(void)
{
	struct loss all = { .gilbert = { 0.1, 0.1, 1, 0 },
			    .period = { 3, 1, 3 } };
	struct loss_state st = { 0 };
	struct rng a, b;

	rng_init(&a, 1);
	b = a;
	for (uint64_t i = 1; i < 100; i++) {
		loss_drop(i % 2 ? &all : &nothing, &st, &a, i,
			  (double)(i % 5) * 25, (double)(i % 3));
		for (int k = 0; k < 3; k++)
			rng_u64(&b);
	}
	CHECK(!memcmp(&a, &b, sizeof(a)));
}

static void more_loss_loses_the_same_frames_and_others(void)
{
	struct loss_state st = { 0 };
	struct rng a, b;

	rng_init(&a, 2);
	b = a;
	for (uint64_t i = 1; i < 10000; i++) {
		bool few = loss_drop(&nothing, &st, &a, i, 10, 0);
		bool many = loss_drop(&nothing, &st, &b, i, 30, 0);

		CHECK(!few || many);
	}
}

static void causes_have_names(void)
{
	CHECK(!strcmp(loss_cause_name(LOSS_NONE), "none"));
	CHECK(!strcmp(loss_cause_name(LOSS_LIST), "list"));
}

/* ---- text ---- */

static bool gilbert(const char *text, double p, double r, double h1, double k1)
{
	struct loss_gilbert g = { 0 };
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	return loss_gilbert_parse(&g, text, &why) && !reason[0] && g.p == p &&
	       g.r == r && g.h1 == h1 && g.k1 == k1;
}

static void parameters_that_are_left_out_are_those_of_netem(void)
{
	CHECK(gilbert("25", 0.25, 0.75, 1, 0));
	CHECK(gilbert("1,25", 0.01, 0.25, 1, 0));
	CHECK(gilbert("1,25,70", 0.01, 0.25, 0.7, 0));
	CHECK(gilbert("1,25,70,0.1", 0.01, 0.25, 0.7, 0.001));
	CHECK(gilbert("0", 0, 1, 1, 0));
	CHECK(gilbert("100,100,100,100", 1, 1, 1, 1));
}

static void what_is_no_model_is_refused_with_a_reason(void)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "a number is missing" },
		{ "1,", "a number is missing" },
		{ "x", "'x' is not understood" },
		{ "1;2", "';2' is not understood" },
		{ "1, 2", "' 2' is not understood" },
		{ "-1", "'-1' is not understood" },
		{ "nan", "'nan' is not understood" },
		{ "1,2,3,4,5", "more than 4 numbers" },
		{ "101", "101 is not 0 to 100" },
		{ "1,2,3,1e9", "1000000000 is not 0 to 100" },
		{ "1e999", "inf is not 0 to 100" },
	};
	struct loss_gilbert g = { 1, 2, 3, 4 };
	struct strbuf why;
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strbuf_init(&why, reason, sizeof(reason));
		str_fmt(text, sizeof(text), "'%s': %s", bad[i].text,
			bad[i].why);
		CHECK(!loss_gilbert_parse(&g, bad[i].text, &why));
		CHECK(!strcmp(reason, text));
	}
	CHECK(g.p == 1 && g.r == 2 && g.h1 == 3 && g.k1 == 4);
}

static bool no_period(const char *text, const char *why)
{
	set.period = (struct loss_period){ 1, 2, 3 };
	return !period(text) && !strcmp(reason, why) && set.period.n == 1 &&
	       set.period.l == 2 && set.period.f == 3;
}

static void what_is_no_period_is_refused_with_a_reason(void)
{
	CHECK(no_period("1.5", "'1.5': 1.5 is not a whole number"));
	CHECK(no_period("1e16", "'1e16': 1e+16 is not a whole number"));
	CHECK(no_period("5,6", "'5,6': of N frames 1 to N can be lost"));
	CHECK(no_period("5,0", "'5,0': of N frames 1 to N can be lost"));
	CHECK(no_period("5,1,0", "'5,1,0': the first frame is number 1"));
	CHECK(no_period("5,1,1,1", "'5,1,1,1': more than 3 numbers"));
	CHECK(no_period("", "'': a number is missing"));
}

static void what_is_no_list_is_refused_with_its_line(void)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "line 1: there is no number" },
		{ "# 1\n\n", "line 3: there is no number" },
		{ "1\n2 x", "line 2: what stands there is not a number" },
		{ "1.5", "line 1: what stands there is not a number" },
		{ "1--2", "line 1: what stands there is not a number" },
		{ "-2", "line 1: what stands there is not a number" },
		{ "1-2-3", "line 1: what stands there is not a number" },
		{ "5\n\n0", "line 3: the first frame is number 1" },
		{ "0-5", "line 1: the first frame is number 1" },
		{ "9-7", "line 1: a range ends before it begins" },
		{ "18446744073709551616", "line 1: a number is too large" },
		{ "1-99999999999999999999", "line 1: a number is too large" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(!list(bad[i].text));
		CHECK(!strcmp(reason, bad[i].why));
	}
}

int main(void)
{
	RUN(losses_of_each_percentage_are_within_their_interval);
	RUN(nothing_and_everything_are_exact);
	RUN(bursts_have_the_share_and_the_length_asked_for);
	RUN(bursts_that_are_too_short_for_the_loss_are_longer);
	RUN(a_loss_of_nought_ends_a_burst);
	RUN(all_four_parameters_count);
	RUN(bursts_are_a_special_case_of_the_four_parameters);
	RUN(a_gilbert_chain_starts_good_and_forgets_when_it_is_off);
	RUN(a_period_loses_every_nth_frame);
	RUN(a_list_loses_the_frames_it_names);
	RUN(a_list_is_searched_at_both_ends_of_each_range);
	RUN(a_list_is_bounded);
	RUN(models_work_side_by_side);
	RUN(a_frame_takes_three_draws_whatever_is_set);
	RUN(more_loss_loses_the_same_frames_and_others);
	RUN(causes_have_names);
	RUN(parameters_that_are_left_out_are_those_of_netem);
	RUN(what_is_no_model_is_refused_with_a_reason);
	RUN(what_is_no_period_is_refused_with_a_reason);
	RUN(what_is_no_list_is_refused_with_its_line);
	DONE();
}
