// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pump between two ends and with a clock that a test drives by hand: time
 * passes only when it says so, and by as much as it likes, as on a machine
 * that wakes up late.
 */
#include "wirefilter/pump.h"

#include <string.h>

#include "../unit/test.h"
#include "base/strbuf.h"
#include "common/log.h"
#include "wirefilter/sorter.h"
#include "wirefilter/watchman.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define MAX 4096
#define LEN 998 /* 1000 with the header */

struct fake {
	struct end end;
	int source, sink; /* frames it still has; room it still has */
	int next; /* number of the next frame it gives */
	int got[MAX], n_got, sends;
	uint64_t at[MAX]; /* when it got them */
	int over; /* what recv() says when it has no more */
	uint64_t takes; /* ns that pass until recv() looks */
	bool rx, tx, held, closed, hung_up;
	uint8_t data[END_BURST][LEN];
};

static struct wirefilter wf;
static struct fake left, right;
static uint64_t now;
static bool stopped;

static uint64_t fake_clock(void)
{
	return now;
}

void wirefilter_stop(struct wirefilter *f, int status)
{
	if (!stopped)
		f->status = status;
	stopped = true;
}

/* ---- the ends ---- */

static struct fake *fake_of(struct end *e)
{
	return container_of(e, struct fake, end);
}

static int fake_recv(struct end *e, struct vde_frame *f, int n)
{
	struct fake *k = fake_of(e);
	int i = 0;

	now += k->source ? k->takes : 0;
	for (; i < n && k->source; i++, k->source--) {
		memcpy(k->data[i], &k->next, sizeof(k->next));
		k->next++;
		f[i] = (struct vde_frame){ k->data[i], LEN, { 0 } };
	}
	return i ? i : k->over;
}

static int fake_send(struct end *e, const struct vde_frame *f, int n)
{
	struct fake *k = fake_of(e);
	int i = 0;

	CHECK(n > 0);
	k->sends++;
	for (; i < n && k->sink && k->n_got < MAX; i++, k->sink--) {
		CHECK(f[i].len == LEN);
		k->at[k->n_got] = now;
		memcpy(&k->got[k->n_got++], f[i].data, sizeof(int));
	}
	return i;
}

static int fake_want_rx(struct end *e, bool on)
{
	fake_of(e)->rx = on;
	return 0;
}

static int fake_want_tx(struct end *e, bool on)
{
	fake_of(e)->tx = on;
	return 0;
}

/* As a switch: what is there must be looked for. */
static bool fake_pending(struct end *e)
{
	return false;
}

static bool fake_unsent(struct end *e)
{
	return fake_of(e)->held;
}

static void fake_hang_up(struct end *e)
{
	fake_of(e)->hung_up = true;
}

static void fake_close(struct end *e)
{
	fake_of(e)->closed = true;
	end_fini(e);
}

static const struct end_ops fake_ops = {
	.recv = fake_recv,
	.send = fake_send,
	.want_rx = fake_want_rx,
	.want_tx = fake_want_tx,
	.pending = fake_pending,
	.unsent = fake_unsent,
	.hang_up = fake_hang_up,
	.close = fake_close,
};

/* ---- time ---- */

static void stop_loop(struct loop_timer *t)
{
	loop_stop(wf.loop);
}

/* What can happen now does. */
static void settle(void)
{
	for (int i = 0; i < 8; i++) {
		struct loop_timer t = { 0 };

		loop_clock(wf.loop);
		if (left.rx && (left.source || left.over))
			end_readable(&left.end);
		if (right.rx && (right.source || right.over))
			end_readable(&right.end);
		if (left.tx && left.sink && !left.held)
			end_writable(&left.end);
		if (right.tx && right.sink && !right.held)
			end_writable(&right.end);
		CHECK(loop_timer_set(wf.loop, &t, 0, stop_loop) == 0);
		CHECK(loop_run(wf.loop) == 0);
	}
}

static void pass_time(uint64_t ns)
{
	now += ns;
	settle();
}

/* ---- begin and end ---- */

static void set(const char *name, const char *text)
{
	char reason[200];
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	if (wire_set(wf.wire, 0, name, text, now, &why)) {
		printf("# %s\n", reason);
		test_failed = 1;
	}
}

static void begin_with(bool both, uint64_t spin)
{
	struct watchman_config watch = { .wf = &wf, .tolerance = MS };
	struct pump_config c = { &wf, &left.end, &right.end, spin };

	now = 1000 * LOOP_SEC;
	stopped = false;
	wf = (struct wirefilter){ .status = -1 };
	left = right = (struct fake){ .sink = MAX };
	wf.loop = loop_new();
	loop_set_clock(wf.loop, fake_clock);
	wf.wire = wire_new(1, both, 1 << 24, now);
	CHECK(watchman_new(&wf.watchman, &watch) == 0);
	CHECK(end_init(&left.end, &fake_ops, wf.loop, "left"));
	CHECK(end_init(&right.end, &fake_ops, wf.loop, "right"));
	CHECK(pump_new(&wf.pump, &c) == 0);
	CHECK(left.rx && right.rx == both && !left.tx && !right.tx);
	watchman_start(wf.watchman, now);
}

static void begin(void)
{
	begin_with(true, 0);
}

static void finish(void)
{
	pump_free(wf.pump);
	CHECK(left.closed && right.closed);
	watchman_free(wf.watchman);
	wire_free(wf.wire);
	loop_free(wf.loop);
}

static bool in_order(const struct fake *k, int n)
{
	for (int i = 0; i < k->n_got; i++)
		if (k->got[i] != i)
			return false;
	if (k->n_got != n)
		printf("# %d frames, not %d\n", k->n_got, n);
	return k->n_got == n;
}

static const struct impair_stats *stats(int direction)
{
	return impair_stats(wf.wire->dir[direction]);
}

/* ---- nothing impairs ---- */

static void frames_pass_in_bursts_and_are_counted(void)
{
	begin();
	left.source = 300;
	right.source = 10;
	settle();
	CHECK(in_order(&right, 300) && in_order(&left, 10));
	CHECK(right.sends == (300 + END_BURST - 1) / END_BURST);
	CHECK(stats(0)->in == 300 && stats(0)->out == 300);
	CHECK(stats(0)->in_bytes == 300 * LEN && stats(1)->out == 10);
	CHECK(left.end.frames == 300 && left.end.min_len == 1);
	finish();
}

static void without_room_the_source_waits(void)
{
	begin();
	left.source = 200;
	right.sink = 10;
	right.source = 20;
	settle();
	CHECK(in_order(&right, 10) && right.tx && !left.rx);
	CHECK(left.source == 200 - END_BURST);
	CHECK(in_order(&left, 20) && right.rx); /* the other way goes on */
	right.sink = MAX;
	settle();
	CHECK(in_order(&right, 200) && !right.tx && left.rx);
	CHECK(stats(0)->out == 200);
	finish();
}

static void a_burst_that_waits_is_impaired_if_that_is_set_now(void)
{
	begin();
	left.source = 20;
	right.sink = 5;
	settle();
	set("delay", "10");
	right.sink = MAX;
	settle();
	CHECK(in_order(&right, 5));
	pass_time(10 * MS);
	CHECK(in_order(&right, 20));
	finish();
}

/* ---- delay ---- */

static void frames_leave_when_they_are_due(void)
{
	begin();
	set("delay", "LR5");
	for (int i = 0; i < 10; i++) {
		left.source = 1;
		settle();
		pass_time(MS);
	}
	CHECK(in_order(&right, 6));
	pass_time(100 * MS); /* a late wake-up */
	CHECK(in_order(&right, 10));
	right.source = 3;
	settle();
	CHECK(in_order(&left, 3));
	CHECK(stats(0)->late.max == 99 * MS && stats(0)->late.n == 10);
	finish();
}

/* The sender may have had the processor since this turn began. */
static void a_frame_that_came_during_a_turn_is_not_early(void)
{
	begin();
	set("delay", "5");
	left.source = 1;
	left.takes = 2 * MS;
	settle();
	for (int i = 0; i < 49; i++)
		pass_time(100 * US);
	CHECK(right.n_got == 0);
	pass_time(100 * US);
	CHECK(in_order(&right, 1));
	finish();
}

static void what_is_due_waits_for_room_and_keeps_its_order(void)
{
	begin();
	set("delay", "5");
	right.sink = 30;
	left.source = 100;
	settle();
	CHECK(right.n_got == 0 && left.source == 0 && left.rx);
	pass_time(5 * MS);
	CHECK(in_order(&right, 30) && right.tx && !left.rx);
	left.source = 50;
	pass_time(20 * MS);
	CHECK(left.source == 50);
	right.sink = MAX;
	settle();
	CHECK(in_order(&right, 100));
	pass_time(5 * MS);
	CHECK(in_order(&right, 150) && left.rx && !right.tx);
	CHECK(stats(0)->out == 150 && !stats(0)->waiting);
	finish();
}

static void nobody_wakes_up_for_what_cannot_go(void)
{
	int sends;

	begin();
	set("delay", "5");
	right.sink = 0;
	left.source = 100;
	settle();
	pass_time(5 * MS);
	sends = right.sends;
	CHECK(sends >= 1);
	pass_time(50 * MS);
	pass_time(50 * MS);
	CHECK(right.sends == sends);
	finish();
}

static void a_wire_that_changes_does_so_in_time(void)
{
	begin();
	CHECK(wire_set_nodes(wf.wire, 2, now) == 0);
	set("delay", "20[1]");
	CHECK(markov_set_edge(wf.wire->markov, 0, 1, 100) == 0);
	CHECK(wire_set_period(wf.wire, 100 * MS, now) == 0);
	settle();
	left.source = 1;
	settle();
	CHECK(in_order(&right, 1));
	pass_time(100 * MS);
	CHECK(markov_current(wf.wire->markov) == 1);
	left.source = 1;
	settle();
	CHECK(in_order(&right, 1));
	pass_time(20 * MS);
	CHECK(in_order(&right, 2));
	finish();
}

/* ---- speed ---- */

static void speed_holds_up_the_source_and_no_more(void)
{
	begin();
	set("speed", "LR1000000"); /* 1 ms each */
	left.source = 1000;
	right.source = 100;
	settle();
	CHECK(!left.rx && in_order(&left, 100) && right.rx);
	CHECK(left.source == 1000 - END_BURST);
	pass_time(MS - 1);
	CHECK(right.n_got == 0);
	pass_time(1);
	CHECK(in_order(&right, 1) && !left.rx);
	finish();
}

/* Whatever the lateness of each wake-up, frames leave at the asked rate. */
static void late_wake_ups_cost_nothing_of_the_rate(void)
{
	begin();
	set("speed", "1000000");
	left.source = MAX;
	settle();
	for (int i = 0; i < 100; i++)
		pass_time(3 * MS + 700 * US);
	pass_time(30 * MS);
	CHECK(in_order(&right, 400));
	finish();
}

static void who_comes_later_has_no_claim(void)
{
	begin();
	set("speed", "1000000");
	left.source = 1;
	settle();
	pass_time(50 * MS);
	CHECK(in_order(&right, 1) && left.rx);
	left.source = 100;
	settle();
	CHECK(in_order(&right, 1) && !left.rx);
	pass_time(MS);
	CHECK(in_order(&right, 2));
	finish();
}

static void a_claim_ends_after_a_while(void)
{
	begin();
	set("speed", "1000000");
	left.source = MAX;
	settle();
	pass_time(1000 * MS); /* the program was stopped, say */
	CHECK(right.n_got < 10);
	finish();
}

static void who_was_held_up_by_the_reader_has_no_claim(void)
{
	begin();
	set("speed", "1000000");
	left.source = MAX;
	right.sink = 5;
	for (int i = 0; i < 60; i++)
		pass_time(MS);
	CHECK(in_order(&right, 5));
	right.sink = MAX;
	settle();
	CHECK(right.n_got < 10);
	finish();
}

static void another_speed_counts_at_once(void)
{
	begin();
	set("speed", "1"); /* 1000 s each */
	left.source = 10;
	settle();
	pass_time(MS);
	CHECK(right.n_got == 0 && !left.rx);
	set("speed", "0");
	pass_time(MS);
	CHECK(left.rx && left.source == 0);
	CHECK(stats(0)->in == 10);
	finish();
}

/* ---- the end ---- */

static void the_end_of_a_stream_comes_after_its_frames(void)
{
	begin();
	set("delay", "5");
	left.source = 100;
	left.over = END_OVER;
	right.source = 7;
	settle();
	CHECK(!stopped && !left.rx && !right.rx);
	pass_time(5 * MS - 1);
	CHECK(!stopped && right.n_got == 0);
	right.held = true; /* the last ones are in a buffer */
	pass_time(1);
	CHECK(!stopped && in_order(&right, 100) && right.tx);
	CHECK(left.n_got == 0); /* nobody is there */
	right.held = false;
	settle();
	CHECK(stopped && wf.status == EXIT_SUCCESS);
	finish();
}

static void but_the_other_side_does_not_wait_for_ever(void)
{
	begin();
	set("delay", "1000000");
	left.source = 1;
	left.over = END_OVER;
	settle();
	pass_time(PUMP_DRAIN - 1);
	CHECK(!stopped);
	pass_time(1);
	CHECK(stopped && wf.status == EXIT_SUCCESS && right.n_got == 0);
	finish();
}

static void unless_there_is_one_direction_only(void)
{
	begin_with(false, 0);
	set("delay", "1000000");
	left.source = 1;
	left.over = END_OVER;
	settle();
	pass_time(999 * LOOP_SEC);
	CHECK(!stopped);
	pass_time(LOOP_SEC);
	CHECK(stopped && wf.status == EXIT_SUCCESS && in_order(&right, 1));
	finish();
}

static void a_broken_end_is_a_failure_at_once(void)
{
	begin();
	set("delay", "5");
	left.source = 10;
	settle();
	right.over = END_BROKEN;
	settle();
	CHECK(stopped && wf.status == EXIT_FAILURE);
	pass_time(5 * MS);
	CHECK(right.n_got == 0);
	finish();
}

static void who_hangs_up_takes_the_other_side_along(void)
{
	begin();
	set("delay", "5");
	left.source = 10;
	settle();
	CHECK(left.end.user->gone(left.end.user, &left.end));
	CHECK(right.hung_up && !right.rx && !left.hung_up && !stopped);
	pass_time(5 * MS);
	CHECK(right.n_got == 0 && !stopped);
	left.end.user->stop(left.end.user, &left.end, EXIT_FAILURE);
	CHECK(stopped && wf.status == EXIT_FAILURE);
	finish();
}

/* ---- any order of events ---- */

static uint32_t dice_state;

static unsigned int dice(unsigned int sides)
{
	dice_state = dice_state * 1664525 + 1013904223;
	return (dice_state >> 8) % sides;
}

static void change_something(void)
{
	static const char *const change[][2] = {
		{ "delay", "LR5" },	 { "delay", "0.3+0.2" },
		{ "delay", "0" },	 { "speed", "3000000" },
		{ "speed", "RL500000" }, { "speed", "0" },
		{ "bandwidth", "1M" },	 { "bandwidth", "LR10M" },
		{ "bandwidth", "0" },	 { "burst", "5000" },
		{ "burst", "0" },	 { "qdisc", "codel 1000,10000" },
		{ "qdisc", "tail" },
	};
	unsigned int i = dice(ARRAY_SIZE(change));

	set(change[i][0], change[i][1]);
}

static void something_happens(struct fake *from, struct fake *to)
{
	int room = MAX - from->next - from->source;

	switch (dice(6)) {
	case 0:
		from->source += (int)dice((unsigned int)(room < 60 ? 1 : 60));
		break;
	case 1:
		to->sink = (int)dice(20);
		break;
	case 2:
		to->sink = MAX;
		break;
	case 3:
		change_something();
		break;
	case 4:
		pass_time(dice(100) * US);
		break;
	default:
		pass_time(dice(20) * MS);
		break;
	}
	settle();
}

static bool all_arrived(const struct fake *from, const struct fake *to,
			const struct impair_stats *s)
{
	return from->source == 0 && in_order(to, from->next) &&
	       s->in == (uint64_t)from->next && s->out == s->in && !s->waiting;
}

static void nothing_is_lost_whatever_the_order_of_events(void)
{
	for (uint32_t seed = 1; seed <= 40; seed++) {
		begin();
		dice_state = seed;
		for (int i = 0; i < 150; i++) {
			something_happens(&left, &right);
			something_happens(&right, &left);
		}
		left.sink = right.sink = MAX;
		set("speed", "0");
		set("bandwidth", "0");
		for (int i = 0; i < 200; i++)
			pass_time(50 * MS);
		CHECK(left.next > 100 && right.next > 100);
		CHECK(all_arrived(&left, &right, stats(0)));
		CHECK(all_arrived(&right, &left, stats(1)));
		CHECK(left.rx && right.rx && !left.tx && !right.tx);
		if (test_failed)
			printf("# seed %u\n", seed);
		finish();
	}
}

/* ---- who wants to see frames ---- */

static void with_classes_each_frame_is_sorted(void)
{
	char reason[200];
	struct strbuf why;

	begin();
	strbuf_init(&why, reason, sizeof(reason));
	wf.sorter = sorter_new();
	if (sorter_add(wf.sorter, 1, "greater 100", &why)) {
		printf("# skipped: %s\n", reason);
	} else {
		CHECK(wire_add_class(wf.wire, "some") == 1);
		CHECK(wire_set(wf.wire, 1, "delay", "5", now, &why) == 0);
		left.source = 3;
		settle();
		CHECK(right.n_got == 0);
		CHECK(sorter_count(wf.sorter, 1, 0)->frames == 3);
		pass_time(5 * MS);
		CHECK(in_order(&right, 3));
	}
	finish();
	sorter_free(wf.sorter);
}

static void a_pump_that_spins_is_early_and_no_frame_is(void)
{
	begin_with(true, 2 * MS);
	set("delay", "5");
	left.source = 1;
	settle();
	for (int i = 0; i < 49; i++)
		pass_time(100 * US);
	CHECK(right.n_got == 0);
	pass_time(100 * US);
	CHECK(in_order(&right, 1));
	finish();
}

int main(void)
{
	log_open("test_pump", LOG_CRIT);
	RUN(frames_pass_in_bursts_and_are_counted);
	RUN(without_room_the_source_waits);
	RUN(a_burst_that_waits_is_impaired_if_that_is_set_now);
	RUN(frames_leave_when_they_are_due);
	RUN(a_frame_that_came_during_a_turn_is_not_early);
	RUN(what_is_due_waits_for_room_and_keeps_its_order);
	RUN(nobody_wakes_up_for_what_cannot_go);
	RUN(a_wire_that_changes_does_so_in_time);
	RUN(speed_holds_up_the_source_and_no_more);
	RUN(late_wake_ups_cost_nothing_of_the_rate);
	RUN(who_comes_later_has_no_claim);
	RUN(a_claim_ends_after_a_while);
	RUN(who_was_held_up_by_the_reader_has_no_claim);
	RUN(another_speed_counts_at_once);
	RUN(the_end_of_a_stream_comes_after_its_frames);
	RUN(but_the_other_side_does_not_wait_for_ever);
	RUN(unless_there_is_one_direction_only);
	RUN(a_broken_end_is_a_failure_at_once);
	RUN(who_hangs_up_takes_the_other_side_along);
	RUN(nothing_is_lost_whatever_the_order_of_events);
	RUN(with_classes_each_frame_is_sorted);
	RUN(a_pump_that_spins_is_early_and_no_frame_is);
	DONE();
}
