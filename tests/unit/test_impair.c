// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A wire under a fake clock: each impairment alone and in order, what changes
 * at run time, repeatability, classes, nodes.
 */
#include "wirefilter/wire.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "wirefilter/line.h"
#include "wirefilter/trace.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)

static struct wire *w;
static uint64_t now;
static char why_text[400];

static void begin(void)
{
	now = SEC;
	w = wire_new(1, true, IMPAIR_MEMORY_DEFAULT, now);
	CHECK(w);
}

static void end(void)
{
	wire_free(w);
	w = NULL;
}

static bool set_class(unsigned int class, const char *name, const char *text)
{
	struct strbuf why;
	int rc;

	strbuf_init(&why, why_text, sizeof(why_text));
	rc = wire_set(w, class, name, text, now, &why);
	if (rc && !why.len)
		CHECK(!"an error has a reason");
	return !rc;
}

static bool set(const char *name, const char *text)
{
	return set_class(0, name, text);
}

/* Frame number @n of @len bytes, which begins with the number. */
static void give(unsigned int n, size_t len, unsigned int class)
{
	uint8_t bytes[9000] = { 0 };

	memcpy(bytes, &n, len < sizeof(n) ? len : sizeof(n));
	impair_input(w->dir[0], bytes, len, class, now);
}

static unsigned int number_of(const struct impair_frame *f)
{
	unsigned int n;

	memcpy(&n, f->data, sizeof(n));
	return n;
}

/* Takes what is due at @at; how many. Their numbers are in @got. */
static unsigned int got[100000];
static uint64_t got_due[100000];
static int n_got;

static int take_at(uint64_t at)
{
	struct impair_frame *f[64];
	int n, all = 0;

	now = at;
	while ((n = impair_output(w->dir[0], at, f, 64))) {
		for (int i = 0; i < n; i++, all++) {
			got[all] = number_of(f[i]);
			got_due[all] = f[i]->due;
			CHECK(f[i]->due <= at);
		}
		impair_sent(w->dir[0], f, n, at);
	}
	return all;
}

/* Lets time pass from due time to due time, up to @until. */
static int run_until(uint64_t until)
{
	struct impair_frame *f[64];
	int n, all = 0;

	for (;;) {
		uint64_t next = wire_next(w);

		if (next > until)
			break;
		now = max_u64(now, next);
		wire_advance(w, now);
		while ((n = impair_output(w->dir[0], now, f, 64))) {
			for (int i = 0; i < n; i++, all++) {
				got[all] = number_of(f[i]);
				got_due[all] = f[i]->due;
				CHECK(f[i]->due == now);
			}
			impair_sent(w->dir[0], f, n, now);
		}
	}
	now = until;
	n_got = all;
	return all;
}

static const struct impair_stats *stats(void)
{
	return impair_stats(w->dir[0]);
}

/* ---- nothing set ---- */

static void a_wire_without_settings_is_clear_and_frames_pass_at_once(void)
{
	begin();
	CHECK(impair_is_clear(w->dir[0]) && wire_next(w) == IMPAIR_NEVER);
	give(1, 60, 0);
	give(2, 1514, 0);
	CHECK(impair_next(w->dir[0]) == now);
	CHECK(take_at(now) == 2 && got[0] == 1 && got[1] == 2);
	CHECK(impair_is_clear(w->dir[0]) && wire_next(w) == IMPAIR_NEVER);
	CHECK(stats()->in == 2 && stats()->out == 2 &&
	      stats()->in_bytes == 1574 && stats()->out_bytes == 1574);
	end();
}

/* ---- the stages ---- */

static void mtu_counts_the_header_and_takes_off_the_variation(void)
{
	begin();
	CHECK(set("mtu", "100"));
	give(1, 98, 0);
	give(2, 99, 0);
	CHECK(take_at(now) == 1 && got[0] == 1);
	CHECK(stats()->fates[IMPAIR_MTU] == 1);
	CHECK(set("mtu", "100+40"));
	give(3, 58, 0);
	give(4, 59, 0);
	CHECK(take_at(now) == 1 && got[0] == 3);
	end();
}

static void delay_is_exact_to_the_nanosecond(void)
{
	begin();
	CHECK(set("delay", "LR1.000001"));
	give(1, 60, 0);
	CHECK(impair_next(w->dir[0]) == SEC + MS + 1);
	CHECK(take_at(SEC + MS) == 0 && take_at(SEC + MS + 1) == 1);
	CHECK(stats()->late.n == 1 && stats()->late.max == 0);
	impair_input(w->dir[1], "x", 1, 0, now);
	CHECK(impair_next(w->dir[1]) == now);
	end();
}

static void bandwidth_spaces_frames_by_their_size(void)
{
	begin();
	CHECK(set("bandwidth", "1000"));
	for (unsigned int i = 0; i < 5; i++)
		give(i, 98, 0);
	CHECK(run_until(now + 10 * SEC) == 5);
	for (unsigned int i = 0; i < 5; i++)
		CHECK(got[i] == i && got_due[i] == SEC + (i + 1) * 100 * MS);
	end();
}

static void a_bucket_lets_a_burst_through(void)
{
	begin();
	CHECK(set("bandwidth", "1000") && set("burst", "300"));
	for (unsigned int i = 0; i < 5; i++)
		give(i, 98, 0);
	CHECK(take_at(now) == 3);
	CHECK(run_until(now + 10 * SEC) == 2);
	CHECK(got_due[0] == SEC + 100 * MS && got_due[1] == SEC + 200 * MS);
	end();
}

static void speed_holds_the_input_and_delays_the_frame(void)
{
	begin();
	CHECK(set("speed", "10000"));
	CHECK(impair_opens(w->dir[0]) <= now);
	give(1, 998, 0);
	CHECK(impair_opens(w->dir[0]) == now + 100 * MS);
	CHECK(impair_next(w->dir[0]) == now + 100 * MS);
	CHECK(set("speed", "0"));
	CHECK(impair_opens(w->dir[0]) <= now + 100 * MS);
	end();
}

static void another_speed_counts_for_what_is_left(void)
{
	begin();
	CHECK(set("speed", "1000"));
	give(1, 998, 0);
	CHECK(impair_opens(w->dir[0]) == now + SEC);
	now += 500 * MS;
	CHECK(set("speed", "10000"));
	CHECK(impair_opens(w->dir[0]) == now + 50 * MS);
	CHECK(set("delay", "1")); /* that does not concern it */
	CHECK(impair_opens(w->dir[0]) == now + 50 * MS);
	CHECK(set("speed", "0"));
	CHECK(impair_opens(w->dir[0]) <= now);
	CHECK(set("speed", "1"));
	CHECK(impair_opens(w->dir[0]) <= now);
	end();
}

static void speed_is_measured_while_frames_follow_each_other(void)
{
	begin();
	CHECK(set("speed", "10000"));
	for (unsigned int i = 0; i < 5; i++) {
		if (i == 3) /* nothing came for a while */
			run_until(now + SEC);
		give(i, 998, 0);
		CHECK(run_until(impair_opens(w->dir[0])) == 1);
	}
	/* The first one, and the one after the pause, did not follow any. */
	CHECK(stats()->rate.busy_bytes == 3000);
	CHECK(meter_rate_busy(&stats()->rate) == 10000);
	end();
}

static void chanbufsize_counts_all_that_waits(void)
{
	begin();
	CHECK(set("bandwidth", "10000") && set("chanbufsize", "2500"));
	for (unsigned int i = 0; i < 6; i++)
		give(i, 998, 0);
	CHECK(run_until(now + 10 * SEC) == 2 && got[1] == 1);
	CHECK(stats()->fates[IMPAIR_FULL_BYTES] == 4);
	CHECK(set("bandwidth", "0") && set("delay", "10"));
	for (unsigned int i = 0; i < 6; i++)
		give(i, 998, 0);
	CHECK(run_until(now + 10 * SEC) == 2);
	CHECK(set("chanbufsize", "0") && set("limit", "3"));
	for (unsigned int i = 0; i < 6; i++)
		give(i, 998, 0);
	CHECK(run_until(now + 10 * SEC) == 3);
	CHECK(stats()->fates[IMPAIR_FULL_FRAMES] == 3);
	end();
}

static void dup_makes_twice_as_many_at_half(void)
{
	enum {
		N = 20000
	};
	uint64_t all = 0;

	begin();
	CHECK(set("dup", "50"));
	for (unsigned int i = 0; i < N; i++) {
		give(i, 60, 0);
		all += (uint64_t)take_at(now);
	}
	/* Copies are geometric with mean 2 and variance 2. */
	CHECK(fabs((double)all - 2 * N) < 3.29 * sqrt(2.0 * N));
	CHECK(stats()->dups == all - N && stats()->out == all);
	end();
}

static void each_kind_of_loss_has_its_cause(void)
{
	begin();
	CHECK(set("loss", "100"));
	give(1, 60, 0);
	CHECK(set("loss", "0") && set("lossperiod", "3"));
	give(2, 60, 0);
	give(3, 60, 0);
	CHECK(set("lossperiod", "0") && set("losslist", "LR4-5"));
	give(4, 60, 0);
	give(5, 60, 0);
	give(6, 60, 0);
	CHECK(set("losslist", "0") && set("gilbert", "100,0"));
	give(7, 60, 0);
	CHECK(set("gilbert", "0,100") && set("blackout", "0+10"));
	give(8, 60, 0);
	now += 10 * MS;
	give(9, 60, 0);
	CHECK(take_at(now) == 3 && got[0] == 2 && got[1] == 6 && got[2] == 9);
	CHECK(stats()->fates[IMPAIR_LOSS] == 1 &&
	      stats()->fates[IMPAIR_LOSS_LAST] == 2 &&
	      stats()->fates[IMPAIR_LOSS + LOSS_PERIOD - LOSS_RANDOM] == 1 &&
	      stats()->fates[IMPAIR_LOSS + LOSS_GILBERT - LOSS_RANDOM] == 1 &&
	      stats()->fates[IMPAIR_BLACKOUT] == 1);
	end();
}

/* Were the frames taken last not all younger than @last? It becomes the
 * youngest. */
static bool not_after(unsigned int *last)
{
	bool wrong = false;

	for (int i = 0; i < n_got; i++) {
		wrong = wrong || got[i] < *last;
		*last = got[i] > *last ? got[i] : *last;
	}
	return wrong;
}

static void fifo_keeps_order_and_nofifo_does_not(void)
{
	for (int fifo = 1; fifo >= 0; fifo--) {
		unsigned int last = 0;
		bool disorder = false;
		int n = 0;

		begin();
		wire_set_fifo(w, fifo);
		CHECK(set("delay", "10+10"));
		for (unsigned int i = 0; i < 1000; i++) {
			n += run_until(SEC + i * MS / 10);
			disorder = disorder || not_after(&last);
			give(i, 60, 0);
		}
		n += run_until(now + SEC);
		disorder = disorder || not_after(&last);
		CHECK(n == 1000 && disorder == !fifo);
		end();
	}
}

static void reordered_frames_overtake_those_in_delay(void)
{
	begin();
	CHECK(set("delay", "10") && set("reorder", "100"));
	give(1, 60, 0);
	CHECK(set("reorder", "0"));
	give(2, 60, 0);
	CHECK(set("reorder", "100"));
	give(3, 60, 0);
	CHECK(take_at(now) == 2 && got[0] == 1 && got[1] == 3);
	CHECK(run_until(now + SEC) == 1 && got[0] == 2);
	CHECK(stats()->overtook == 2);
	end();
}

/* run_until() checks that each leaves when it is due. */
static void a_short_delay_behind_a_long_one_is_over_in_time(void)
{
	begin();
	CHECK(set("bandwidth", "100000") && set("delay", "200") &&
	      set("reorder", "30"));
	for (unsigned int i = 0; i < 200; i++)
		give(i, 998, 0);
	CHECK(run_until(10 * SEC) == 200);
	end();
	begin();
	CHECK(set("bandwidth", "100000") && set("delay", "200+200"));
	wire_set_fifo(w, false);
	for (unsigned int i = 0; i < 200; i++)
		give(i, 998, 0);
	CHECK(run_until(10 * SEC) == 200);
	end();
	begin();
	CHECK(set("bandwidth", "100000") && set("delay", "200"));
	CHECK(wire_add_class(w, "fast") == 1 && set_class(1, "delay", "0"));
	for (unsigned int i = 0; i < 200; i++)
		give(i, 998, i % 2);
	CHECK(run_until(10 * SEC) == 200);
	end();
}

static void corrupt_flips_one_bit_of_the_frame(void)
{
	struct impair_frame *f;
	unsigned int bits = 0;

	begin();
	CHECK(set("corrupt", "100"));
	give(0, 500, 0);
	CHECK(impair_output(w->dir[0], now, &f, 1) == 1);
	for (unsigned int i = 0; i < f->len; i++)
		bits += (unsigned int)__builtin_popcount(f->data[i]);
	CHECK(bits == 1 && stats()->flipped == 1);
	impair_sent(w->dir[0], &f, 1, now);
	end();
}

static void red_drops_early_and_codel_late(void)
{
	begin();
	CHECK(set("bandwidth", "100000") &&
	      set("qdisc", "red 1000,2000,100,9000"));
	for (unsigned int i = 0; i < 20; i++)
		give(i, 998, 0);
	CHECK(stats()->fates[IMPAIR_EARLY] > 10);
	end();
	begin();
	CHECK(set("bandwidth", "100000") && set("qdisc", "codel 5,100"));
	for (unsigned int i = 0; i < 100; i++)
		give(i, 998, 0);
	CHECK(run_until(now + 10 * SEC) < 100);
	CHECK(stats()->fates[IMPAIR_LATE] > 0 && stats()->waiting == 0);
	end();
}

static void a_rate_that_was_drawn_as_nothing_drops_the_frame(void)
{
	begin();
	CHECK(set("speed", "1000+100000"));
	for (unsigned int i = 0; i < 100; i++)
		give(i, 98, 0);
	CHECK(stats()->fates[IMPAIR_STILL] > 20);
	CHECK(stats()->fates[IMPAIR_STILL] < 80);
	end();
	begin();
	CHECK(set("bandwidth", "1000+100000"));
	for (unsigned int i = 0; i < 100; i++)
		give(i, 98, 0);
	(void)run_until(now + 100000 * SEC);
	CHECK(stats()->fates[IMPAIR_STILL] > 20);
	CHECK(stats()->fates[IMPAIR_STILL] < 80);
	CHECK(stats()->waiting == 0 && stats()->waiting_size == 0);
	end();
}

/* ---- changes at run time ---- */

static void a_change_of_rate_applies_to_what_has_not_begun_to_leave(void)
{
	begin();
	CHECK(set("bandwidth", "1000"));
	for (unsigned int i = 0; i < 3; i++)
		give(i, 98, 0);
	now += 50 * MS;
	CHECK(set("bandwidth", "10000"));
	CHECK(run_until(now + SEC) == 3);
	CHECK(got_due[0] == SEC + 100 * MS && got_due[1] == SEC + 110 * MS &&
	      got_due[2] == SEC + 120 * MS);
	end();
}

static void no_change_loses_or_reorders_what_waits(void)
{
	static const char *const changes[][2] = {
		{ "bandwidth", "50000" }, { "delay", "1" },
		{ "bandwidth", "0" },	  { "qdisc", "codel 1000,5000" },
		{ "burst", "5000" },	  { "bandwidth", "20000" },
		{ "qdisc", "tail" },	  { "loss", "0" },
		{ "chanbufsize", "1" },	  { "mtu", "20" },
	};
	unsigned int given = 0;
	int n = 0, more;

	begin();
	CHECK(set("bandwidth", "10000") && set("delay", "20"));
	for (; given < 50; given++)
		give(given, 98, 0);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		CHECK(set(changes[i][0], changes[i][1]));
		more = run_until(now + 20 * MS);
		for (int k = 0; k < more; k++)
			CHECK(got[k] == (unsigned int)(n + k));
		n += more;
	}
	more = run_until(now + 10 * SEC);
	for (int k = 0; k < more; k++)
		CHECK(got[k] == (unsigned int)(n + k));
	CHECK(n + more == 50);
	end();
}

/* ---- luck ---- */

struct decisions {
	uint64_t n, hash;
};

static void note(void *ctx, const struct impair_decision *d)
{
	struct decisions *x = ctx;

	x->n++;
	x->hash = (x->hash ^ (d->number * 31 + (uint64_t)d->fate * 7 +
			      d->delay + d->copy)) *
		  UINT64_C(0x100000001b3);
}

static struct decisions decide(uint64_t seed, const char *delay)
{
	struct decisions x = { 0, 1 };

	now = SEC;
	w = wire_new(seed, true, IMPAIR_MEMORY_DEFAULT, now);
	impair_set_log(w->dir[0], note, &x);
	CHECK(set("loss", "10") && set("dup", "5") && set("delay", delay) &&
	      set("lostburst", "2") && set("corrupt", "3") &&
	      set("reorder", "10"));
	for (unsigned int i = 0; i < 5000; i++) {
		give(i, 60 + i % 900, 0);
		(void)take_at(now + MS / 10);
	}
	end();
	return x;
}

static void the_same_seed_decides_the_same(void)
{
	struct decisions a = decide(7, "5+3N"), b = decide(7, "5+3N"),
			 c = decide(8, "5+3N"), d = decide(7, "5+3:pareto");

	CHECK(a.n == b.n && a.hash == b.hash && a.hash != c.hash);
	/* What is lost and doubled does not depend on the delay. */
	CHECK(a.n == d.n && a.hash != d.hash);
}

static void loss_is_within_the_confidence_interval(void)
{
	static const char *const rates[] = {
		"0.01", "0.1", "1", "5", "20", "50"
	};
	static const char *const kinds[] = { "loss", "corrupt" };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
			double p = strtod(rates[r], NULL) / 100, n = 1e6, hit;

			begin();
			CHECK(set(kinds[k], rates[r]));
			for (unsigned int i = 0; i < 1000000; i++) {
				give(i, 60, 0);
				if (i % 64 == 63)
					(void)take_at(now);
			}
			(void)take_at(now);
			hit = k ? (double)stats()->flipped
				: (double)stats()->fates[IMPAIR_LOSS];
			CHECK(fabs(hit - n * p) <=
			      3.29 * sqrt(n * p * (1 - p)));
			end();
		}
	}
}

/* ---- classes and nodes ---- */

static void a_class_delays_its_own_frames_only(void)
{
	int web;

	begin();
	web = wire_add_class(w, "web");
	CHECK(web == 1 && set_class(1, "delay", "50"));
	CHECK(set("loss", "0"));
	give(1, 60, 1);
	give(2, 60, 0);
	CHECK(take_at(now) == 1 && got[0] == 2);
	CHECK(run_until(now + SEC) == 1 && got[0] == 1);
	CHECK(wire_add_class(w, "web") == -EEXIST &&
	      wire_add_class(w, "a b") == -EINVAL &&
	      wire_find_class(w, "web") == 1);
	end();
}

static void a_class_without_a_line_shares_that_of_the_wire(void)
{
	begin();
	CHECK(set("bandwidth", "1000") && wire_add_class(w, "a") == 1 &&
	      wire_add_class(w, "b") == 2 && set_class(2, "bandwidth", "2000"));
	give(1, 98, 0);
	give(2, 98, 1);
	give(3, 98, 2);
	CHECK(run_until(now + 10 * SEC) == 3);
	CHECK(got[0] == 3 && got_due[0] == SEC + 50 * MS);
	CHECK(got[1] == 1 && got[2] == 2 && got_due[2] == SEC + 200 * MS);
	end();
}

static void frames_of_a_class_that_went_are_in_time(void)
{
	int c;

	begin();
	CHECK(set("delay", "1000") && set("bandwidth", "1000"));
	c = wire_add_class(w, "fast");
	CHECK(set_class((unsigned int)c, "delay", "1"));
	give(1, 98, 0); /* 100 ms */
	give(2, 98, 0);
	give(3, 98, (unsigned int)c);
	wire_del_class(w, (unsigned int)c, now);
	CHECK(run_until(SEC + 301 * MS) == 1 && got[0] == 3);
	CHECK(run_until(SEC + 1200 * MS) == 2);
	end();
}

static void a_class_keeps_its_order_when_it_gets_a_delay(void)
{
	int c;

	begin();
	set("delay", "10");
	c = wire_add_class(w, "fast");
	give(1, 100, (unsigned int)c);
	CHECK(set_class((unsigned int)c, "delay", "1"));
	give(2, 100, (unsigned int)c);
	CHECK(run_until(now + 9 * MS) == 0);
	CHECK(run_until(now + MS) == 2 && got[0] == 1 && got[1] == 2);
	give(3, 100, (unsigned int)c);
	CHECK(run_until(now + MS) == 1);
	end();
}

static void a_class_that_goes_leaves_its_frames_on_the_wire(void)
{
	begin();
	CHECK(wire_add_class(w, "a") == 1 &&
	      set_class(1, "bandwidth", "1000") && set_class(1, "delay", "5"));
	for (unsigned int i = 0; i < 5; i++)
		give(i, 98, 1);
	wire_del_class(w, 1, now);
	give(5, 98, 1);
	CHECK(take_at(now) == 1 && got[0] == 5);
	CHECK(run_until(now + SEC) == 5 && got[4] == 4);
	CHECK(wire_find_class(w, "a") == -ENOENT);
	end();
}

static void the_chain_changes_settings_in_time(void)
{
	begin();
	CHECK(wire_set_nodes(w, 2, now) == 0 && set("loss", "100[1]"));
	CHECK(markov_set_edge(w->markov, 0, 1, 100) == 0 &&
	      markov_set_edge(w->markov, 1, 0, 100) == 0);
	CHECK(wire_set_period(w, 10 * MS, now) == 0);
	for (unsigned int i = 0; i < 10; i++) {
		wire_advance(w, SEC + i * 10 * MS + MS);
		now = SEC + i * 10 * MS + MS;
		give(i, 60, 0);
	}
	CHECK(take_at(now) == 5 && got[0] == 0 && got[1] == 2);
	CHECK(!set("loss", "1[2]") && strstr(why_text, "no node 2"));
	CHECK(wire_set_nodes(w, 1, now) == 0 && !set("loss", "1[1]"));
	end();
}

/* ---- what is wrong ---- */

static void wrong_settings_name_themselves_and_change_nothing(void)
{
	static const char *const wrong[][2] = {
		{ "loss", "-1" },	  { "loss", "101" },
		{ "loss", "abc" },	  { "loss", "" },
		{ "delay", "inf" },	  { "delay", "1e300" },
		{ "delay", "nan" },	  { "speed", "0.5" },
		{ "bandwidth", "0.5" },	  { "dup", "100" },
		{ "delay", "1:nosuch" },  { "delay", "LR" },
		{ "qdisc", "fq" },	  { "qdisc", "red 5,4,10" },
		{ "qdisc", "codel 0,1" }, { "gilbert", "1,200" },
		{ "losslist", "9-3" },	  { "lossperiod", "2,3" },
		{ "blackout", "5" },	  { "blackout", "0+1[1]" },
		{ "loss", "5[9]" },	  { "loss", "5[99999999]" },
	};

	begin();
	CHECK(set("loss", "5"));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CHECK(!set(wrong[i][0], wrong[i][1]));
		if (!strstr(why_text, wrong[i][0]))
			printf("# %s\n", why_text);
		CHECK(strstr(why_text, wrong[i][0]));
	}
	CHECK(!set("nosuch", "1"));
	CHECK(wire_params(w, 0, WIRE_LR)->value[PARAM_LOSS].num == 5);
	end();
}

static void memory_for_waiting_frames_is_bounded(void)
{
	now = SEC;
	w = wire_new(1, false, 100000, now);
	CHECK(set("delay", "1000"));
	for (unsigned int i = 0; i < 1000; i++)
		give(i, 1000, 0);
	CHECK(stats()->fates[IMPAIR_MEMORY] > 900);
	CHECK(run_until(now + 10 * SEC) + (int)stats()->fates[IMPAIR_MEMORY] ==
	      1000);
	give(1, 1000, 0);
	CHECK(run_until(now + 10 * SEC) == 1);
	end();
}

/* ---- traces, and what was decided before ---- */

struct slots {
	uint64_t at[8];
	int n, i;
};

static bool next_slot(void *ctx, uint64_t *at)
{
	struct slots *s = ctx;

	if (s->i == s->n)
		return false;
	*at = s->at[s->i++];
	return true;
}

static void slots_send_frames_at_opportunities(void)
{
	struct slots s = { { SEC + MS, SEC + 5 * MS, SEC + 5 * MS, SEC + 9 * MS,
			     SEC + 11 * MS },
			   5,
			   0 };

	begin();
	impair_set_slots(w->dir[0], next_slot, &s, now);
	(void)take_at(SEC + 2 * MS); /* the first goes unused */
	give(1, 1514, 0);
	give(2, 100, 0);
	give(3, 1514, 0);
	CHECK(run_until(SEC + 20 * MS) == 3);
	CHECK(got_due[0] == SEC + 5 * MS && got_due[1] == SEC + 5 * MS &&
	      got_due[2] == SEC + 9 * MS);
	give(4, 100, 0); /* none is left for it */
	CHECK(run_until(SEC + 40 * MS) == 0);
	CHECK(impair_next(w->dir[0]) == IMPAIR_NEVER);
	CHECK(stats()->waiting == 1);
	impair_set_slots(w->dir[0], NULL, NULL, now);
	CHECK(run_until(SEC + 50 * MS) == 1 && got[0] == 4);
	end();
}

static void opportunities_do_not_wait_for_the_line(void)
{
	struct slots s = { { SEC + 2 * MS }, 1, 0 };

	begin();
	wire_set_fifo(w, false);
	CHECK(set("bandwidth", "1000"));
	give(1, 98, 0); /* 100 ms */
	impair_set_slots(w->dir[0], next_slot, &s, now);
	give(2, 98, 0);
	CHECK(run_until(SEC + 2 * MS) == 1 && got[0] == 2);
	CHECK(run_until(SEC + 100 * MS) == 1 && got[0] == 1);
	end();
}

static void a_trace_of_values_replaces_what_is_set(void)
{
	begin();
	CHECK(set("delay", "100") && set("bandwidth", "1000"));
	impair_trace_values(w->dir[0], 1U << TRACE_DELAY | 1U << TRACE_RATE,
			    10000 * LINE_RATE_UNIT, 2 * MS, 0, now);
	give(1, 98, 0);
	CHECK(run_until(now + SEC) == 1 && got_due[0] == SEC + 12 * MS);
	impair_trace_values(w->dir[0], 1U << TRACE_LOSS, 0, 0, 1, now);
	give(2, 98, 0);
	CHECK(stats()->fates[IMPAIR_TRACE_LOSS] == 1);
	impair_trace_values(w->dir[0], 0, 0, 0, 0, now);
	give(3, 98, 0);
	CHECK(run_until(now + SEC) == 1 && got_due[0] == SEC + SEC + 200 * MS);
	end();
}

static void fates_of_a_record_are_applied_again(void)
{
	struct impair_decision d[2] = {
		{ .fate = IMPAIR_PASS, .delay = 7 * MS },
		{ .fate = IMPAIR_PASS, .copy = 1, .delay = 3 * MS },
	};

	begin();
	CHECK(set("loss", "100"));
	impair_input_fated(w->dir[0], "abcd", 4, d, 2, now);
	d[0].fate = IMPAIR_EARLY;
	impair_input_fated(w->dir[0], "abcd", 4, d, 1, now);
	CHECK(run_until(now + SEC) == 2);
	CHECK(got_due[0] == SEC + 3 * MS && got_due[1] == SEC + 7 * MS);
	CHECK(stats()->fates[IMPAIR_EARLY] == 1 && stats()->dups == 1);
	end();
}

int main(void)
{
	RUN(a_wire_without_settings_is_clear_and_frames_pass_at_once);
	RUN(mtu_counts_the_header_and_takes_off_the_variation);
	RUN(delay_is_exact_to_the_nanosecond);
	RUN(bandwidth_spaces_frames_by_their_size);
	RUN(a_bucket_lets_a_burst_through);
	RUN(speed_holds_the_input_and_delays_the_frame);
	RUN(another_speed_counts_for_what_is_left);
	RUN(speed_is_measured_while_frames_follow_each_other);
	RUN(chanbufsize_counts_all_that_waits);
	RUN(dup_makes_twice_as_many_at_half);
	RUN(each_kind_of_loss_has_its_cause);
	RUN(fifo_keeps_order_and_nofifo_does_not);
	RUN(reordered_frames_overtake_those_in_delay);
	RUN(a_short_delay_behind_a_long_one_is_over_in_time);
	RUN(corrupt_flips_one_bit_of_the_frame);
	RUN(red_drops_early_and_codel_late);
	RUN(a_rate_that_was_drawn_as_nothing_drops_the_frame);
	RUN(a_change_of_rate_applies_to_what_has_not_begun_to_leave);
	RUN(no_change_loses_or_reorders_what_waits);
	RUN(the_same_seed_decides_the_same);
	RUN(loss_is_within_the_confidence_interval);
	RUN(a_class_delays_its_own_frames_only);
	RUN(a_class_without_a_line_shares_that_of_the_wire);
	RUN(frames_of_a_class_that_went_are_in_time);
	RUN(a_class_keeps_its_order_when_it_gets_a_delay);
	RUN(a_class_that_goes_leaves_its_frames_on_the_wire);
	RUN(the_chain_changes_settings_in_time);
	RUN(wrong_settings_name_themselves_and_change_nothing);
	RUN(memory_for_waiting_frames_is_bounded);
	RUN(slots_send_frames_at_opportunities);
	RUN(opportunities_do_not_wait_for_the_line);
	RUN(a_trace_of_values_replaces_what_is_set);
	RUN(fates_of_a_record_are_applied_again);
	DONE();
}
