// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traces from files on a wire under a fake clock: what they do and when, what
 * is refused and changes nothing, what ends one later, and files that are
 * long, or real. VDE_DATA names the directory of those.
 */
#include "wirefilter/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "common/log.h"
#include "wirefilter/line.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)
#define BEGIN (5 * SEC)

static char dir[] = "/tmp/vde-feed.XXXXXX";
static char path[40], other[40], why_text[400];
static struct wirefilter wf;
static uint64_t now, tick; /* the clock, and what it goes on by at a look */

void wirefilter_stop(struct wirefilter *w, int status)
{
	CHECK(!"a trace ends the program");
}

static uint64_t clock_now(void)
{
	return now += tick;
}

static void begin(bool both)
{
	now = BEGIN;
	tick = 0;
	wf = (struct wirefilter){ .loop = loop_new() };
	loop_set_clock(wf.loop, clock_now);
	wf.wire = wire_new(1, both, 256 << 20, BEGIN);
}

static void end(void)
{
	feed_end(&wf);
	CHECK(!wf.feed[0] && !wf.feed[1]);
	wire_free(wf.wire);
	loop_free(wf.loop);
}

static void write_to(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

static int set_as(const char *name, const char *text, bool repeat)
{
	struct strbuf why;
	int rc;

	strbuf_init(&why, why_text, sizeof(why_text));
	rc = feed_set(&wf, name, text, repeat, &why);
	CHECK(!rc == !why.len);
	return rc;
}

/* A trace of this text, in both directions. */
static int trace(const char *text, bool repeat)
{
	write_to(path, text);
	return set_as("trace", path, repeat);
}

static void set(const char *name, const char *text)
{
	struct strbuf why;

	strbuf_init(&why, why_text, sizeof(why_text));
	CHECK(!wire_set(wf.wire, 0, name, text, now, &why));
}

static void stop_loop(struct loop_timer *t)
{
	loop_stop(wf.loop);
}

/* Timers that are due are called. */
static void run_loop(uint64_t ms)
{
	struct loop_timer t = { 0 };

	tick = MS / 2;
	loop_timer_set(wf.loop, &t, ms * MS, stop_loop);
	CHECK(!loop_run(wf.loop));
	tick = 0;
}

/* ---- frames ---- */

static uint64_t due[20000];
static int n_due;

static void give(int n, size_t len)
{
	uint8_t data[1514] = { 0 };

	for (int i = 0; i < n; i++)
		impair_input(wf.wire->dir[0], data, len, 0, now);
}

/* Lets time pass as the pump does, in steps that are not those of a trace. */
static int until(uint64_t ms)
{
	struct impair_frame *f[16];
	int n, before = n_due;

	while (now < BEGIN + ms * MS) {
		now = min_u64(now + 700001, BEGIN + ms * MS);
		feed_advance(&wf, now);
		wire_advance(wf.wire, now);
		while ((n = impair_output(wf.wire->dir[0], now, f, 16)) > 0) {
			for (int i = 0; i < n; i++)
				due[n_due++ % (int)ARRAY_SIZE(due)] =
					f[i]->due - BEGIN;
			impair_sent(wf.wire->dir[0], f, n, now);
		}
	}
	return n_due - before;
}

/* ---- values ---- */

static void values_are_in_force_from_their_time_on_to_the_nanosecond(void)
{
	begin(true);
	n_due = 0;
	CHECK(!trace("time, rate, delay\n0, 100000, 0\n100.5, 10000,\n"
		     "300.5,,20\n",
		     false));
	give(30, 998);
	CHECK(until(1000) == 19); /* 10 of 10 ms, then one each 100 ms */
	for (int i = 0; i < 10; i++)
		CHECK(due[i] == (uint64_t)(i + 1) * 10 * MS);
	/* The eleventh began at the old rate. */
	CHECK(due[10] == 110 * MS && due[11] == 210 * MS);
	CHECK(due[12] == 310 * MS && due[13] == 410 * MS);
	give(1, 998);
	CHECK(until(4000) == 12 && due[30] == (110 + 20 * 100 + 20) * MS);
	CHECK(feed_info(wf.feed[0])->state == FEED_ENDED);
	CHECK(feed_info(wf.feed[0])->points == 3);
	CHECK(feed_info(wf.feed[1])->rate == 10000 * LINE_RATE_UNIT);
	end();
}

static void a_trace_replaces_settings_until_it_is_ended(void)
{
	begin(true);
	n_due = 0;
	set("delay", "50");
	CHECK(!trace("0,0,7\n", false));
	give(1, 60);
	CHECK(until(100) == 1 && due[0] == 7 * MS);
	CHECK(!set_as("trace", "RLnone", true) && wf.feed[0] && !wf.feed[1]);
	CHECK(!set_as("trace", "none", true) && !wf.feed[0]);
	give(1, 60);
	CHECK(until(200) == 1 && due[1] == 150 * MS);
	CHECK(!set_as("trace", "none", true));
	end();
}

static void losses_of_a_trace_come_and_go(void)
{
	begin(true);
	n_due = 0;
	CHECK(!trace("time,loss\n0,100\n10,0\n20,100\n", true));
	for (int i = 1; i < 60; i++) {
		until((uint64_t)i);
		give(1, 60);
	}
	until(100);
	/* 0 to 10 and 20 to 20 lose, again from 20 and from 40 on. */
	CHECK(n_due == 30);
	CHECK(due[0] == 10 * MS && due[10] == 30 * MS && due[20] == 50 * MS);
	CHECK(feed_info(wf.feed[0])->state == FEED_RUNNING);
	end();
}

static void without_frames_a_timer_applies_what_is_due(void)
{
	begin(true);
	CHECK(!trace("0,1000\n2,2000\n4,3000\n4000,4000\n", false));
	CHECK(feed_info(wf.feed[0])->rate == 1000 * LINE_RATE_UNIT);
	run_loop(9);
	CHECK(feed_info(wf.feed[0])->rate == 3000 * LINE_RATE_UNIT);
	CHECK(impair_asked_rate(wf.wire->dir[1]) > 2999);
	end();
}

/* ---- opportunities ---- */

static void a_line_of_opportunities_repeats(void)
{
	static const uint64_t want[] = { 5, 7, 7, 20, 25, 27, 27, 40, 45 };

	begin(true);
	n_due = 0;
	CHECK(!trace("5\n7\n7\n20\n", true));
	give(9, 1514);
	CHECK(until(200) == 9);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		CHECK(due[i] == want[i] * MS);
	CHECK(feed_info(wf.feed[0])->format == TRACE_MAHIMAHI);
	end();
}

static void after_the_last_opportunity_nothing_passes(void)
{
	begin(true);
	n_due = 0;
	CHECK(!trace("5\n7\n", false));
	give(5, 1514);
	CHECK(until(5000) == 2);
	CHECK(feed_info(wf.feed[0])->state == FEED_ENDED);
	CHECK(impair_stats(wf.wire->dir[0])->waiting == 3);
	CHECK(!set_as("trace", "none", true));
	CHECK(until(5001) == 3);
	end();
}

static void a_new_trace_does_not_empty_the_queue(void)
{
	static const char *const traces[] = { "100\n",	  "0,2000\n",
					      "0,1000\n", "200\n",
					      "100\n",	  "time,loss\n0,0\n" };

	begin(true);
	n_due = 0;
	set("bandwidth", "1000");
	give(100, 1498);
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		CHECK(!trace(traces[i], false));
		CHECK(until(50 * (i + 1)) == 0);
		CHECK(impair_stats(wf.wire->dir[0])->waiting == 100);
	}
	end();
}

static void a_direction_of_its_own_and_a_format_that_is_named(void)
{
	char text[60];

	begin(true);
	write_to(path, "1\n2\n");
	str_fmt(text, sizeof(text), "RLmahimahi:%s", path);
	CHECK(!set_as("trace", text, true) && !wf.feed[0] && wf.feed[1]);
	CHECK(!strcmp(feed_info(wf.feed[1])->file, path));
	CHECK(impair_is_clear(wf.wire->dir[0]));
	str_fmt(text, sizeof(text), "LRcsv:%s", path);
	CHECK(set_as("trace", text, true) == -EINVAL && !wf.feed[0]);
	str_fmt(text, sizeof(text), "mahimahi:%s", other);
	write_to(other, "0,1,2,3\n");
	CHECK(set_as("trace", text, true) == -EINVAL);
	end();
	begin(false);
	str_fmt(text, sizeof(text), "RL%s", path);
	CHECK(set_as("trace", text, true) == -EINVAL);
	CHECK(strstr(why_text, "one direction only"));
	CHECK(!set_as("trace", path, true) && wf.feed[0] && !wf.feed[1]);
	end();
}

/* ---- bad files ---- */

static bool refused(const char *text, bool repeat, const char *reason)
{
	char want[300];

	str_fmt(want, sizeof(want), "trace '%s': %s", path, reason);
	if (trace(text, repeat) && !strcmp(why_text, want))
		return true;
	printf("# %s\n", why_text);
	return false;
}

static void what_is_wrong_is_told_and_changes_nothing(void)
{
	const struct feed *was;

	begin(true);
	write_to(other, "1\n2\n");
	CHECK(!set_as("trace", other, true));
	was = wf.feed[0];
	CHECK(refused("", true, "line 1: the trace ends without a point"));
	CHECK(refused("garbage\n", true,
		      "line 1: 'garbage' is none of time, rate, delay, loss"));
	CHECK(refused("3\n2\n", true,
		      "line 2: '2' is before the time of the last line"));
	CHECK(refused("3\n4x\n", true,
		      "line 2: '4x' is no number of milliseconds"));
	CHECK(refused("0\n0\n", true,
		      "it lasts less than a millisecond: it cannot be "
		      "repeated"));
	CHECK(refused("0,1\n0.5,2\n", true,
		      "it lasts less than a millisecond: it cannot be "
		      "repeated"));
	CHECK(refused("0,-1\n", false,
		      "line 1: '-1' is no rate: digits, at most 6 of them "
		      "behind a point"));
	CHECK(set_as("--trace", dir, true) == -EISDIR);
	CHECK(strstr(why_text, "--trace '/tmp/") && strstr(why_text, ": Is a"));
	CHECK(set_as("trace", "/nonexistent", true) == -ENOENT);
	unlink(path);
	CHECK(!mkfifo(path, 0600) && set_as("trace", path, true) == -EINVAL);
	CHECK(strstr(why_text, ": not a regular file"));
	unlink(path);
	CHECK(set_as("trace", "", true) == -ENOENT);
	CHECK(wf.feed[0] == was);
	CHECK(!trace("0\n", false) && !trace("0,5,5,5\n", false));
	end();
}

static void write_points(unsigned int first, unsigned int n, const char *last)
{
	FILE *f = fopen(path, "w");

	for (unsigned int i = 0; f && i < n; i++)
		fprintf(f, "%u%s\n", first + i, *last == ',' ? ",5000" : "");
	CHECK(f && fputs(last, f) >= 0 && !fclose(f));
}

static void an_error_behind_what_is_checked_ends_the_trace_only(void)
{
	begin(true);
	n_due = 0;
	wf.pump = (void *)&wf; /* the wire is in use: little is checked */
	set("bandwidth", "100000");
	write_points(0, 20000, "1\n");
	CHECK(!set_as("trace", path, true));
	CHECK(until(19000) == 0);
	CHECK(feed_info(wf.feed[0])->state == FEED_RUNNING);
	CHECK(until(21000) == 0);
	CHECK(feed_info(wf.feed[0])->state == FEED_FAILED);
	CHECK(feed_info(wf.feed[0])->line == 20001);
	give(1, 998);
	CHECK(until(21500) == 0);
	run_loop(1); /* the engine is told */
	give(1, 998);
	CHECK(until(22000) == 2 && due[1] - due[0] == 10 * MS);
	wf.pump = NULL;
	end();
}

static void values_stay_when_their_trace_fails(void)
{
	begin(true);
	n_due = 0;
	wf.pump = (void *)&wf;
	write_points(0, 20000, ",\n");
	CHECK(!set_as("trace", path, true));
	until(21000);
	CHECK(feed_info(wf.feed[0])->state == FEED_FAILED);
	give(2, 998);
	CHECK(until(22000) == 2 && due[1] - due[0] == 200 * MS);
	wf.pump = NULL;
	end();
}

static void a_file_that_changes_ends_its_trace_at_worst(void)
{
	begin(true);
	n_due = 0;
	set("bandwidth", "100000");
	CHECK(!trace("1\n2\n5\n", true));
	until(12);
	CHECK(feed_info(wf.feed[0])->state == FEED_RUNNING);
	write_to(path, "3\n30\n"); /* of the same file */
	give(3, 1514);
	CHECK(until(60) == 3 && feed_info(wf.feed[0])->state == FEED_RUNNING);
	write_to(path, "");
	until(100);
	CHECK(feed_info(wf.feed[0])->state == FEED_FAILED);
	run_loop(1);
	give(2, 998);
	CHECK(until(200) == 2 && due[4] - due[3] == 10 * MS);
	end();
}

static void points_without_end_do_not_stop_the_wire(void)
{
	static char text[3 * 70000 + 1];

	begin(true);
	n_due = 0;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "1\n", 3);
	CHECK(!trace(text, true));
	tick = 5 * MS;
	now += 1000 * MS;
	impair_input(wf.wire->dir[0], "x", 1, 0, now);
	CHECK(feed_info(wf.feed[0])->state == FEED_FAILED);
	end();
}

/* ---- large ones ---- */

static void a_file_of_10_gigabytes_is_set_at_once(void)
{
	begin(true);
	n_due = 0;
	wf.pump = (void *)&wf;
	write_points(1, 20000, "");
	if (truncate(path, (off_t)10 << 30)) {
		CHECK(errno == EFBIG || errno == ENOSPC);
	} else {
		CHECK(!set_as("trace", path, true));
		give(3, 1514);
		CHECK(until(10) == 3 && due[2] == 3 * MS);
		until(21000);
		CHECK(feed_info(wf.feed[0])->state == FEED_FAILED);
		set("bandwidth", "1516000");
		run_loop(1);
		give(3, 1514);
		CHECK(until(30000) == 3 && due[5] - due[4] == MS);
	}
	wf.pump = NULL;
	unlink(path);
	end();
}

static const struct {
	const char *name;
	uint64_t ms;
} real[] = {
	{ "Verizon-LTE-short.up", 140000 },
	{ "Verizon-LTE-short.down", 140000 },
	{ "TMobile-UMTS-driving.up", 931233 },
};

/* How many opportunities there are. */
static int count_lines(const char *file, uint64_t from_ms, uint64_t to_ms)
{
	unsigned long at;
	char line[64];
	FILE *f = fopen(file, "r");
	int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		at = strtoul(line, NULL, 10);
		n += at >= from_ms && at <= to_ms;
	}
	if (f)
		fclose(f);
	return n;
}

/* A full queue uses each opportunity of real traces, also the second time. */
static void real_traces_carry_a_frame_at_each_opportunity(void)
{
	const char *where = getenv("VDE_DATA");
	char file[300];

	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		int want, got = 0;
		uint64_t at = 0;

		str_fmt(file, sizeof(file), "%s/%s",
			where ? where : "../shared/data", real[i].name);
		if (access(file, R_OK)) {
			printf("# no %s: skipped\n", file);
			continue;
		}
		begin(true);
		CHECK(!set_as("trace", file, true));
		while (at < real[i].ms + 2000) {
			give(400, 1514);
			do
				got += until(at += 100);
			while (impair_stats(wf.wire->dir[0])->waiting > 2000);
		}
		/* Those at 0 are in the past when the first frame comes. */
		want = count_lines(file, 1, real[i].ms) +
		       count_lines(file, 0, at - real[i].ms);
		printf("# %s: %d frames of %d\n", real[i].name, got, want);
		CHECK(got == want);
		CHECK(feed_info(wf.feed[0])->state == FEED_RUNNING);
		end();
	}
}

int main(void)
{
	log_open("test_feed", LOG_EMERG);
	if (!mkdtemp(dir))
		return 1;
	str_fmt(path, sizeof(path), "%s/trace", dir);
	str_fmt(other, sizeof(other), "%s/other", dir);
	RUN(values_are_in_force_from_their_time_on_to_the_nanosecond);
	RUN(a_trace_replaces_settings_until_it_is_ended);
	RUN(losses_of_a_trace_come_and_go);
	RUN(without_frames_a_timer_applies_what_is_due);
	RUN(a_line_of_opportunities_repeats);
	RUN(after_the_last_opportunity_nothing_passes);
	RUN(a_new_trace_does_not_empty_the_queue);
	RUN(a_direction_of_its_own_and_a_format_that_is_named);
	RUN(what_is_wrong_is_told_and_changes_nothing);
	RUN(an_error_behind_what_is_checked_ends_the_trace_only);
	RUN(values_stay_when_their_trace_fails);
	RUN(a_file_that_changes_ends_its_trace_at_worst);
	RUN(points_without_end_do_not_stop_the_wire);
	RUN(a_file_of_10_gigabytes_is_set_at_once);
	RUN(real_traces_carry_a_frame_at_each_opportunity);
	unlink(path);
	unlink(other);
	rmdir(dir);
	DONE();
}
