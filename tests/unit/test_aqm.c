// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queue in front of a line: its bounds, both forms of RED by numbers
 * worked out by hand, CoDel by schedules worked out by hand and beside its
 * pseudo-code in floating point.
 */
#include "wirefilter/aqm.h"

#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "base/rng.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)

enum {
	NODES = 4096
};
static struct aqm_node nodes[NODES];
static struct aqm_config cfg;
static struct aqm a;

static void begin(enum aqm_kind kind)
{
	char text[100];
	struct strbuf why;

	aqm_defaults(&cfg);
	cfg.kind = kind;
	strbuf_init(&why, text, sizeof(text));
	CHECK(aqm_check(&cfg, &why) && !why.len);
	aqm_init(&a, &cfg);
}

static struct aqm_node *take(uint64_t now)
{
	struct aqm_node *dropped, *n = aqm_take(&a, now, &dropped);

	CHECK(!dropped);
	return n;
}

/* ---- the tail ---- */

static void without_a_limit_everything_waits_in_order(void)
{
	begin(AQM_TAIL);
	CHECK(!take(0));
	for (unsigned int i = 0; i < NODES; i++)
		CHECK(aqm_add(&a, &nodes[i], 1000, i, 0) == AQM_PASS);
	CHECK(a.load.frames == NODES && a.load.bytes == 1000 * NODES);
	for (unsigned int i = 0; i < NODES; i++)
		CHECK(take(SEC) == &nodes[i] && nodes[i].arrived == i &&
		      nodes[i].size == 1000);
	CHECK(!take(SEC) && a.load.frames == 0 && a.load.bytes == 0);
	CHECK(a.fates[AQM_PASS] == NODES && a.load.empty_since == SEC);
}

static void as_many_bytes_wait_as_are_allowed(void)
{
	begin(AQM_TAIL);
	cfg.limit_bytes = 2500;
	aqm_set(&a, &cfg);
	CHECK(aqm_add(&a, &nodes[0], 2501, 0, 0) == AQM_FULL_BYTES);
	CHECK(aqm_add(&a, &nodes[0], 1002, 0, 0) == AQM_PASS);
	CHECK(aqm_add(&a, &nodes[1], 1002, 0, 0) == AQM_PASS);
	CHECK(aqm_add(&a, &nodes[2], 1002, 0, 0) == AQM_FULL_BYTES);
	CHECK(aqm_add(&a, &nodes[2], 496, 0, 0) == AQM_PASS);
	CHECK(aqm_add(&a, &nodes[3], 1, 0, 0) == AQM_FULL_BYTES);
	CHECK(take(1) == &nodes[0]);
	CHECK(aqm_add(&a, &nodes[3], 1002, 0, 0) == AQM_PASS);
	CHECK(a.fates[AQM_FULL_BYTES] == 3 && a.fates[AQM_FULL_FRAMES] == 0);
}

static void as_many_frames_wait_as_are_allowed(void)
{
	begin(AQM_TAIL);
	cfg.limit_frames = 2;
	aqm_set(&a, &cfg);
	CHECK(aqm_add(&a, &nodes[0], 60, 0, 0) == AQM_PASS);
	CHECK(aqm_add(&a, &nodes[1], 9000, 0, 0) == AQM_PASS);
	CHECK(aqm_add(&a, &nodes[2], 60, 0, 0) == AQM_FULL_FRAMES);
	CHECK(take(1) == &nodes[0]);
	CHECK(aqm_add(&a, &nodes[2], 60, 0, 0) == AQM_PASS);
	CHECK(a.fates[AQM_FULL_FRAMES] == 1);
}

static void a_lower_limit_drops_nothing_that_waits(void)
{
	begin(AQM_TAIL);
	for (unsigned int i = 0; i < 10; i++)
		aqm_add(&a, &nodes[i], 1000, 0, 0);
	cfg.kind = AQM_CODEL;
	cfg.limit_frames = 1;
	cfg.limit_bytes = 500;
	aqm_set(&a, &cfg);
	CHECK(a.load.frames == 10 && a.load.bytes == 10000);
	CHECK(aqm_add(&a, &nodes[10], 400, 0, 0) == AQM_FULL_BYTES);
	for (unsigned int i = 0; i < 10; i++)
		CHECK(take(MS) == &nodes[i]);
	CHECK(aqm_add(&a, &nodes[10], 400, 0, 0) == AQM_PASS);
}

static bool refused(const char *part)
{
	char text[100];
	struct strbuf why;

	strbuf_init(&why, text, sizeof(text));
	return !aqm_check(&cfg, &why) && strstr(text, part);
}

static void what_cannot_be_is_refused_with_its_reason(void)
{
	begin(AQM_RED);
	cfg.min = cfg.max = 9;
	CHECK(refused("min 9 is not below max 9"));
	cfg.max = 10;
	cfg.limit_bytes = 8;
	CHECK(refused("limit 8 is below max 10"));
	cfg.limit_bytes = 10;
	cfg.prob = 1.5;
	CHECK(refused("probability 1.5 is not from 0 to 1"));
	cfg.prob = (double)NAN;
	CHECK(refused("probability"));
	cfg.kind = AQM_TAIL;
	CHECK(!refused(""));
	begin(AQM_RED_AVERAGE);
	cfg.weight = 0;
	CHECK(refused("weight 0 is not above 0"));
	cfg.weight = (double)NAN;
	CHECK(refused("weight"));
	cfg.weight = 1;
	cfg.frame_ns = 0;
	CHECK(refused("time of a frame"));
	begin(AQM_CODEL);
	cfg.target = 0;
	CHECK(refused("target"));
	cfg.target = 1;
	cfg.interval = AQM_TIME_MAX + 1;
	CHECK(refused("interval must be above 0 and at most 10 s"));
	cfg.kind = AQM_N_KINDS;
	CHECK(refused("no kind"));
}

static void every_kind_and_fate_has_its_name(void)
{
	CHECK(!strcmp(aqm_kind_name(AQM_RED_AVERAGE), "red-average"));
	CHECK(!strcmp(aqm_fate_name(AQM_EARLY), "early"));
	CHECK(!strcmp(aqm_fate_name(AQM_FULL_FRAMES), "full_frames"));
}

/* ---- RED over the bytes that wait ---- */

/* True if a frame that finds @bytes is dropped exactly when its random number
 * is below @p. */
static bool drops_below(uint64_t bytes, double p)
{
	struct aqm_load load = { .bytes = bytes, .frames = bytes != 0 };
	bool low = p <= 0 || aqm_judge(&a, &load, 1, 0, p - 1e-9) == AQM_EARLY;

	return low && aqm_judge(&a, &load, 1, 0, p) == AQM_PASS;
}

static void red_drops_by_the_bytes_that_wait(void)
{
	begin(AQM_RED);
	cfg.min = 1000;
	cfg.max = 3000;
	cfg.prob = 0.5;
	cfg.limit_bytes = 5000;
	aqm_set(&a, &cfg);
	CHECK(drops_below(0, 0) && drops_below(999, 0) && drops_below(1000, 0));
	CHECK(drops_below(1500, 0.125) && drops_below(2000, 0.25));
	CHECK(drops_below(2999, 0.49975));
	CHECK(drops_below(3000, 0.5) && drops_below(4998, 0.5));
	CHECK(aqm_judge(&a, &(struct aqm_load){ 4999, 4, 0 }, 1, 0, 0.9) ==
	      AQM_PASS);
	CHECK(aqm_judge(&a, &(struct aqm_load){ 5000, 4, 0 }, 1, 0, 0.9) ==
	      AQM_FULL_BYTES);
}

static void red_is_as_frequent_as_it_says(void)
{
	const struct aqm_load load = { .bytes = 2000, .frames = 2 };
	struct rng rng;

	begin(AQM_RED);
	cfg.min = 1000;
	cfg.max = 3000;
	cfg.prob = 0.2;
	aqm_set(&a, &cfg);
	rng_init(&rng, 1);
	for (unsigned int i = 0; i < 1000000; i++)
		aqm_judge(&a, &load, 1000, 0, rng_unit(&rng));
	/* 0.1; 3.29 deviations of 300 are 99.9 %. */
	CHECK(fabs((double)a.fates[AQM_EARLY] - 100000) < 987);
}

/* ---- RED over an average ---- */

static bool near(double v, double expected)
{
	return fabs(v - expected) <= 1e-9 * fabs(expected);
}

static void begin_average(void)
{
	begin(AQM_RED_AVERAGE);
	cfg.min = 1000;
	cfg.max = 3000;
	cfg.prob = 0.2;
	cfg.weight = 0.25;
	cfg.frame_ns = MS;
	aqm_set(&a, &cfg);
}

static void the_average_follows_slowly(void)
{
	struct aqm_load load = { .bytes = 800, .frames = 1 };

	begin_average();
	aqm_judge(&a, &load, 100, 0, 0.5);
	CHECK(near(a.average, 200));
	aqm_judge(&a, &load, 100, 0, 0.5);
	CHECK(near(a.average, 350));
	load.bytes = 2000;
	aqm_judge(&a, &load, 100, 0, 0.5);
	CHECK(near(a.average, 762.5));
	/* Empty since 10 ms: at 12.9 ms two frames could have left. */
	load = (struct aqm_load){ .empty_since = 10 * MS };
	aqm_judge(&a, &load, 100, 12 * MS + 9 * MS / 10, 0.5);
	CHECK(near(a.average, 762.5 * 0.75 * 0.75));
	/* For ever. */
	aqm_judge(&a, &load, 100, UINT64_MAX, 0.5);
	CHECK(a.average == 0);
}

/* With a standing average of 2000: p = 0.1, and frame k after a drop is
 * dropped with 0.1 / (1 - 0.1 k). */
static void drops_of_the_average_are_spread(void)
{
	const struct aqm_load load = { .bytes = 2000, .frames = 2 };
	unsigned int since = 0, gaps[12] = { 0 }, drops = 0, longest = 0;
	struct rng rng;

	begin_average();
	a.average = 2000;
	CHECK(aqm_judge(&a, &load, 1, 0, 0.1001) == AQM_PASS);
	CHECK(aqm_judge(&a, &load, 1, 0, 0.1112) == AQM_PASS);
	CHECK(aqm_judge(&a, &load, 1, 0, 0.1249) == AQM_EARLY);
	/* The paper counts the frame after a drop as the first one. */
	CHECK(aqm_judge(&a, &load, 1, 0, 0.1112) == AQM_PASS);
	CHECK(aqm_judge(&a, &load, 1, 0, 0.1249) == AQM_EARLY);
	rng_init(&rng, 3);
	for (unsigned int i = 0; i < 500000; i++) {
		since++;
		if (aqm_judge(&a, &load, 1, 0, rng_unit(&rng)) == AQM_PASS)
			continue;
		if (since > longest)
			longest = since;
		gaps[since < 12 ? since : 11]++;
		since = 0;
		drops++;
	}
	/* The formula gives 1/9, then 1/8 of the rest and so on: each of nine
	 * gaps is as likely as the others. */
	CHECK(longest == 9);
	for (unsigned int i = 1; i <= 9; i++)
		CHECK(fabs(gaps[i] - drops / 9.0) < 3.5 * sqrt(drops / 9.0));
}

static void above_max_everything_is_dropped_unless_gentle(void)
{
	struct aqm_load load = { .bytes = 3000, .frames = 2 };

	begin_average();
	a.average = 3000;
	CHECK(aqm_judge(&a, &load, 1, 0, 0.999999) == AQM_EARLY);
	cfg.gentle = true;
	aqm_set(&a, &cfg);
	/* 4500: half way from 0.2 to 1; the first one behind a drop. */
	a.average = load.bytes = 4500;
	a.spread = -1;
	CHECK(aqm_judge(&a, &load, 1, 0, 0.601) == AQM_PASS);
	a.spread = -1;
	CHECK(aqm_judge(&a, &load, 1, 0, 0.599) == AQM_EARLY);
	a.average = load.bytes = 6000;
	CHECK(aqm_judge(&a, &load, 1, 0, 0.999999) == AQM_EARLY);
	a.average = load.bytes = 900;
	CHECK(aqm_judge(&a, &load, 1, 0, 0) == AQM_PASS && a.spread == -1);
}

/* ---- CoDel ---- */

/* Frames that are all there at 0, one taken each millisecond: the first waits
 * for 5 ms at 5 ms, so the first drop is at 105 ms. The next is 100 ms later,
 * at 205; the gaps after that are 100 / sqrt(2, 3, ...) ms = 70.71, 57.74,
 * 50, 44.72, 40.82, 37.80, 35.36, 33.33, 31.62, 30.15, from the exact time of
 * the one before: 275.71, 333.45, 383.45, 428.17, 468.99, 506.79, 542.14,
 * 575.48, 607.10, 637.25, each at the millisecond that follows. */
static const unsigned int schedule[] = { 105, 205, 276, 334, 384, 429,
					 469, 507, 543, 576, 608, 638 };

static unsigned int drops_of(struct aqm_node *dropped)
{
	unsigned int n = 0;

	for (; dropped; dropped = dropped->next)
		n++;
	return n;
}

static void codel_drops_on_its_schedule(void)
{
	struct aqm_node *dropped;
	unsigned int next = 0;

	begin(AQM_CODEL);
	for (unsigned int i = 0; i < 1000; i++)
		CHECK(aqm_add(&a, &nodes[i], 1000, 0, 0) == AQM_PASS);
	for (unsigned int ms = 1; ms < 640; ms++) {
		struct aqm_node *n = aqm_take(&a, ms * MS, &dropped);
		bool due = next < ARRAY_SIZE(schedule) && ms == schedule[next];

		CHECK(drops_of(dropped) == due);
		next += due;
		/* The drop is the one in front of the one that leaves. */
		CHECK(n == &nodes[ms - 1 + next]);
		CHECK(!due || dropped == n - 1);
	}
	CHECK(next == ARRAY_SIZE(schedule));
	CHECK(a.fates[AQM_LATE] == ARRAY_SIZE(schedule));
	CHECK(a.load.frames == 1000 - 639 - ARRAY_SIZE(schedule));
}

/* Empties the queue and lets a new one stand from @from on, a frame taken each
 * millisecond; returns when the first is dropped, and when the second. */
static void stand_again(uint64_t from, uint64_t *first, uint64_t *second)
{
	struct aqm_node *dropped;
	uint64_t t = from;

	while (a.load.frames)
		take(a.last->arrived);
	CHECK(!take(from));
	for (unsigned int i = 0; i < 1000; i++)
		aqm_add(&a, &nodes[i], 1000, from, 0);
	*first = *second = 0;
	while (!*second) {
		CHECK(aqm_take(&a, t += MS, &dropped));
		if (dropped && *first)
			*second = t - from;
		else if (dropped)
			*first = t - from;
	}
}

static void a_queue_that_stands_again_is_dropped_from_at_the_old_pace(void)
{
	uint64_t first, second;

	/* Eight drops: the count is 8, 7 more than when that began. */
	codel_drops_on_its_schedule();
	begin(AQM_CODEL);
	a.count = 8;
	a.lastcount = 1;
	a.drop_next = 600 * MS;
	stand_again(SEC, &first, &second);
	/* 100 / sqrt(7) = 37.80 later. */
	CHECK(first == 105 * MS && second == (105 + 38) * MS);
	CHECK(a.lastcount == 7 && a.count == 8);
	/* 1 more than last time is no pace, nor is what was long ago. */
	stand_again(2 * SEC, &first, &second);
	CHECK(first == 105 * MS && second == 205 * MS);
	begin(AQM_CODEL);
	a.count = 8;
	a.lastcount = 1;
	a.drop_next = 600 * MS;
	stand_again((600 + 1600 - 105) * MS, &first, &second);
	CHECK(first == 105 * MS && second == 205 * MS);
	begin(AQM_CODEL);
	a.count = 8;
	a.lastcount = 1;
	a.drop_next = 600 * MS;
	stand_again((600 + 1600 - 106) * MS, &first, &second);
	CHECK(first == 105 * MS && second == 143 * MS);
}

static void a_queue_that_is_short_once_in_an_interval_is_left_alone(void)
{
	begin(AQM_CODEL);
	/* 20 ms behind, but every 90 ms only 4. */
	for (unsigned int i = 0; i < 900; i++) {
		uint64_t now = (uint64_t)(100 + i) * MS;
		uint64_t age = i % 90 ? 20 * MS : 4 * MS;

		for (unsigned int k = 0; k < 8; k++)
			aqm_add(&a, &nodes[k], 1500, now - age, 0);
		for (unsigned int k = 0; k < 8; k++)
			CHECK(take(now) == &nodes[k]);
	}
	CHECK(a.fates[AQM_LATE] == 0);
}

static void one_frame_behind_is_no_backlog(void)
{
	begin(AQM_CODEL);
	cfg.maxpacket = 1500;
	aqm_set(&a, &cfg);
	/* A slow line: each has waited for seconds behind one other. */
	aqm_add(&a, &nodes[0], 1500, 0, 0);
	for (unsigned int i = 1; i < 1000; i++) {
		aqm_add(&a, &nodes[i], 1500, i * SEC, 0);
		CHECK(take((i + 1) * SEC) == &nodes[i - 1]);
	}
	/* One byte more is. */
	aqm_add(&a, &nodes[1000], 1, 1000 * SEC, 0);
	aqm_add(&a, &nodes[1001], 1500, 1000 * SEC, 0);
	aqm_add(&a, &nodes[1002], 1500, 1000 * SEC, 0);
	CHECK(take(1001 * SEC) && a.first_above == 1001 * SEC + 100 * MS);
}

static void far_too_late_drops_many_at_once(void)
{
	struct aqm_node *dropped, *n;

	begin(AQM_CODEL);
	for (unsigned int i = 0; i < 2000; i++)
		aqm_add(&a, &nodes[i], 1000, 0, 0);
	CHECK(take(5 * MS) == &nodes[0]);
	n = aqm_take(&a, 105 * MS, &dropped);
	CHECK(n == &nodes[2] && dropped == &nodes[1] && !dropped->next);
	/* Due 205, 275.7, 333.4, 383.4 and 428.2. */
	n = aqm_take(&a, 450 * MS, &dropped);
	CHECK(drops_of(dropped) == 5 && dropped == &nodes[3]);
	CHECK(n == &nodes[8] && !n->next);
	/* Until there is no backlog: one frame is left, or two. */
	n = aqm_take(&a, 1000 * SEC, &dropped);
	CHECK(n && drops_of(dropped) + a.load.frames == 1990);
	CHECK(a.load.frames <= 1 && !a.dropping);
}

/* ---- CoDel beside the text of RFC 8289, section 5 ---- */

struct model {
	double first_above, drop_next;
	bool dropping;
	unsigned int count, lastcount;
	unsigned int head, tail; /* of nodes[] */
	uint64_t bytes;
	unsigned int drops;
};

static const double interval = 100e6, target = 5e6, maxpacket = 1516;
static uint64_t arrived[NODES];
static uint32_t sizes[NODES];

static double pause(unsigned int count)
{
	return floor(interval / sqrt(count) + 0.5);
}

static int model_next(struct model *m, double now, bool *ok)
{
	unsigned int i = m->head;

	*ok = false;
	if (m->head == m->tail) {
		m->first_above = 0;
		return -1;
	}
	m->head++;
	m->bytes -= sizes[i % NODES];
	if (now - (double)arrived[i % NODES] < target ||
	    (double)m->bytes <= maxpacket)
		m->first_above = 0;
	else if (m->first_above == 0)
		m->first_above = now + interval;
	else
		*ok = now >= m->first_above;
	return (int)(i % NODES);
}

static int model_take(struct model *m, double now)
{
	bool ok;
	int i = model_next(m, now, &ok);

	if (m->dropping) {
		if (!ok)
			m->dropping = false;
		while (now >= m->drop_next && m->dropping) {
			m->drops++;
			m->count++;
			i = model_next(m, now, &ok);
			if (!ok)
				m->dropping = false;
			else
				m->drop_next += pause(m->count);
		}
	} else if (ok) {
		unsigned int delta = m->count - m->lastcount;

		m->drops++;
		i = model_next(m, now, &ok);
		m->dropping = true;
		m->count = 1;
		if (delta > 1 && now - m->drop_next < 16 * interval)
			m->count = delta;
		m->drop_next = now + pause(m->count);
		m->lastcount = m->count;
	}
	return i;
}

/* Load that comes and goes around what a line of 1 Mbyte/s takes. */
static void any_traffic_meets_the_fate_of_the_model(void)
{
	uint64_t now = 0, coming = 0;
	struct model m = { 0 };
	struct aqm_node *dropped;
	struct rng rng;
	bool same = true;

	begin(AQM_CODEL);
	rng_init(&rng, 8289);
	for (unsigned int step = 0; step < 200000; step++) {
		/* By turns 70 % to 150 % of the rate. */
		uint64_t most = 22500 - step / 1000 % 9 * 1500;
		struct aqm_node *n;

		while (coming <= now && m.tail - m.head < NODES - 1) {
			unsigned int i = m.tail++ % NODES;

			sizes[i] = 60 + (uint32_t)rng_below(&rng, 1456);
			arrived[i] = coming;
			m.bytes += sizes[i];
			same &= aqm_add(&a, &nodes[i], sizes[i], coming, 0) ==
				AQM_PASS;
			coming += 100 * rng_below(&rng, most);
		}
		n = aqm_take(&a, now, &dropped);
		same &= (n ? (int)(n - nodes) : -1) ==
			model_take(&m, (double)now);
		same &= a.fates[AQM_LATE] == m.drops;
		if (!n && coming > now)
			now = coming;
		else
			now += n ? 1000 * (uint64_t)n->size : 1;
	}
	printf("# %u dropped of %u\n", m.drops, m.tail);
	CHECK(same && m.drops > 1000);
}

int main(void)
{
	RUN(without_a_limit_everything_waits_in_order);
	RUN(as_many_bytes_wait_as_are_allowed);
	RUN(as_many_frames_wait_as_are_allowed);
	RUN(a_lower_limit_drops_nothing_that_waits);
	RUN(what_cannot_be_is_refused_with_its_reason);
	RUN(every_kind_and_fate_has_its_name);
	RUN(red_drops_by_the_bytes_that_wait);
	RUN(red_is_as_frequent_as_it_says);
	RUN(the_average_follows_slowly);
	RUN(drops_of_the_average_are_spread);
	RUN(above_max_everything_is_dropped_unless_gentle);
	RUN(codel_drops_on_its_schedule);
	RUN(a_queue_that_stands_again_is_dropped_from_at_the_old_pace);
	RUN(a_queue_that_is_short_once_in_an_interval_is_left_alone);
	RUN(one_frame_behind_is_no_backlog);
	RUN(far_too_late_drops_many_at_once);
	RUN(any_traffic_meets_the_fate_of_the_model);
	DONE();
}
