// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watchman over a wire, an event loop and a clock of the test's own: what
 * it says in the log, when it stops the program, what it shows.
 */
#include "wirefilter/watchman.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/writer.h"
#include "wirefilter/journal.h"

#define US UINT64_C(1000)
#define MS (1000 * US)

static struct wirefilter wf;
static uint64_t now;
static bool stopped;
static char shown[65536];
static FILE *errors; /* what stderr has become */

static uint64_t fake_clock(void)
{
	return now;
}

void wirefilter_stop(struct wirefilter *f, int status)
{
	if (!stopped)
		f->status = status;
	stopped = true;
	loop_stop(f->loop);
}

/* A journal of the test's own: its address is all that is needed. */
static struct journal_info journal;

const struct journal_info *journal_info(const struct journal *j)
{
	return &journal;
}

bool journal_replays(const struct journal *j)
{
	return journal.replay != NULL;
}

const char *journal_reason(int error)
{
	return strerror(-error);
}

static void begin_with(const struct watchman_config *wanted)
{
	struct watchman_config cfg = *wanted;

	now = LOOP_SEC;
	stopped = false;
	wf = (struct wirefilter){ .status = -1 };
	wf.loop = loop_new();
	CHECK(wf.loop != NULL);
	loop_set_clock(wf.loop, fake_clock);
	wf.wire = wire_new(42, true, 1 << 20, now);
	CHECK(wf.wire != NULL);
	cfg.wf = &wf;
	CHECK(watchman_new(&wf.watchman, &cfg) == 0);
	watchman_start(wf.watchman, now);
	CHECK(!ftruncate(fileno(errors), 0));
	rewind(errors);
}

static void begin(bool strict)
{
	begin_with(
		&(struct watchman_config){ .tolerance = MS, .strict = strict });
}

static void end(void)
{
	watchman_free(wf.watchman);
	wire_free(wf.wire);
	loop_free(wf.loop);
}

static void set(const char *name, const char *text)
{
	char why[200];
	struct strbuf b;

	strbuf_init(&b, why, sizeof(why));
	CHECK(!wire_set(wf.wire, 0, name, text, now, &b));
}

static void give(int n, size_t len)
{
	static const uint8_t zeros[9000];

	while (n--)
		impair_input(wf.wire->dir[0], zeros, len, 0, now);
}

/* What is due leaves @behind later; the output takes @room of a batch. */
static int take(uint64_t behind, int room)
{
	struct impair *i = wf.wire->dir[0];
	struct impair_frame *f[64];
	int n = impair_output(i, now, f, 64), taken = n < room ? n : room;

	now += behind;
	watchman_sent(wf.watchman, WIRE_LR, f, taken, n - taken, now);
	impair_sent(i, f, taken, now);
	if (taken == n)
		return n;
	/* Room again, 50 ms later. */
	now += 50 * MS;
	watchman_sent(wf.watchman, WIRE_LR, f + taken, n - taken, 0, now);
	impair_sent(i, f + taken, n - taken, now);
	return n;
}

static void stop_soon(struct loop_timer *t)
{
	loop_stop(wf.loop);
}

/* Turns of the loop until @ms later. */
static void turn(uint64_t ms)
{
	struct loop_timer t = { 0 };

	now += ms * MS;
	loop_clock(wf.loop);
	CHECK(!loop_timer_set(wf.loop, &t, 0, stop_soon));
	CHECK(!loop_run(wf.loop));
	loop_timer_del(wf.loop, &t);
}

static const char *said(void)
{
	static char text[4096];
	size_t n;

	fflush(stderr);
	rewind(errors);
	n = fread(text, 1, sizeof(text) - 1, errors);
	text[n] = '\0';
	return text;
}

static int lines(const char *text, const char *with)
{
	int n = 0;

	while ((text = strstr(text, with))) {
		text += strlen(with);
		n++;
	}
	return n;
}

static void to_strbuf(void *ctx, const char *s, size_t n)
{
	strbuf_addn(ctx, s, n);
}

static bool shows(bool json, const char *what)
{
	struct writer out;
	struct strbuf b;

	strbuf_init(&b, shown, sizeof(shown));
	writer_init(&out, json, to_strbuf, &b);
	writer_open(&out, NULL);
	watchman_show(wf.watchman, &out, now);
	writer_close(&out);
	CHECK(!b.cut);
	if (strstr(shown, what))
		return true;
	printf("# no \"%s\" in:\n# %s\n", what, shown);
	return false;
}

/* ---- the outcry ---- */

static void frames_in_time_are_no_news(void)
{
	begin(true);
	set("delay", "10");
	give(10, 100);
	now += 10 * MS;
	CHECK(take(900 * US, 64) == 10);
	turn(0);
	CHECK(!stopped && !*said());
	CHECK(shows(true, "\"kept_up\":true"));
	CHECK(shows(true, "\"late_frames\":0"));
	end();
}

static void the_first_late_frame_is_told_at_once_others_once_a_second(void)
{
	begin(false);
	give(1, 100);
	take(5 * MS, 64);
	CHECK(lines(said(),
		    "cannot keep up: 1 frame L->R up to 5.000 ms late"));
	for (int i = 0; i < 9; i++) {
		turn(50);
		give(2, 100);
		take(7 * MS, 64);
	}
	CHECK(lines(said(), "cannot keep up") == 1);
	turn(1000);
	CHECK(lines(said(), "18 frames L->R up to 7.000 ms late") == 1);
	turn(1000);
	turn(1000);
	CHECK(lines(said(), "cannot keep up") == 2 && !stopped);
	CHECK(shows(true, "\"kept_up\":false"));
	CHECK(shows(true, "\"late_frames\":19"));
	end();
}

static void strict_stops_the_program_with_status_1(void)
{
	begin(true);
	give(3, 100);
	take(2 * MS, 64);
	CHECK(stopped && wf.status == EXIT_FAILURE);
	CHECK(lines(said(), "error: cannot keep up: 3 frames L->R") == 1);
	CHECK(watchman_finish(wf.watchman, wf.status, now) == EXIT_FAILURE);
	end();
}

static void a_reader_that_does_not_read_is_no_reason_to_stop(void)
{
	begin(true);
	set("delay", "10");
	give(20, 100);
	now += 10 * MS;
	CHECK(take(0, 5) == 20);
	CHECK(!stopped && !*said());
	CHECK(shows(false, "L->R late: 0 frames; held by a full output: 15"));
	CHECK(shows(true, "\"held_frames\":15"));
	CHECK(shows(true, "\"error_ns\":{\"n\":5,\"p50\":0,"));
	end();
}

static void want_of_memory_is_the_machines_fault(void)
{
	begin(true);
	set("delay", "1000");
	give(200, 9000);
	turn(0);
	CHECK(stopped && wf.status == EXIT_FAILURE);
	CHECK(lines(said(), "dropped for want of memory") == 1);
	end();
}

static void what_was_not_told_yet_is_told_at_the_end(void)
{
	begin(false);
	give(1, 100);
	take(5 * MS, 64);
	give(4, 100);
	take(6 * MS, 64);
	CHECK(watchman_finish(wf.watchman, 0, now) == 0);
	CHECK(lines(said(), "4 frames L->R up to 6.000 ms late") == 1);
	end();
}

/* ---- figures ---- */

static void a_rate_is_compared_since_it_was_set(void)
{
	begin(false);
	set("bandwidth", "1000");
	turn(0);
	for (int rate = 0; rate < 2; rate++) {
		give(20, 98);
		for (int i = 0; i < 20; i++) {
			now = impair_next(wf.wire->dir[0]);
			take(0, 64);
			turn(0);
		}
		if (rate)
			break;
		CHECK(shows(false, "asked 1000.0, achieved 1000.0 bytes/s, "
				   "off by 0.000 %"));
		set("bandwidth", "5000");
		turn(0);
	}
	CHECK(shows(false, "asked 5000.0, achieved 5000.0 bytes/s"));
	CHECK(shows(true, "\"asked\":5000,\"not_comparable\":null,"
			  "\"achieved\":5000,\"error_percent\":0,"));
	end();
}

static void a_rate_that_is_not_one_number_says_why(void)
{
	begin(false);
	set("bandwidth", "1000+1000");
	turn(0);
	CHECK(shows(false, "not comparable: its draws may be as good as"));
	CHECK(shows(true, "\"rate\":{\"asked\":null,\"not_comparable\":\"its"));
	set("bandwidth", "0");
	turn(0);
	CHECK(shows(false, "L->R rate: no limit; now"));
	CHECK(!strstr(shown, "loss") && !strstr(shown, "delay"));
	end();
}

static void losses_are_compared_with_what_was_asked(void)
{
	begin(false);
	set("loss", "50");
	turn(0);
	give(1000, 100);
	CHECK(shows(false, "L->R loss: asked 50.0000 %, achieved "));
	CHECK(shows(true, "\"fits\":true"));
	CHECK(shows(false, "L->R dropped: loss "));
	set("loss", "0");
	turn(0);
	give(10, 100);
	CHECK(shows(true, "\"loss\":{\"asked_percent\":0,\"not_comparable\":"
			  "null,\"achieved_percent\":0,\"lost\":0,"
			  "\"frames\":10,"));
	/* The wire does what it was told, whatever one thought it was. */
	set("losslist", "1000-");
	turn(0);
	give(10, 100);
	CHECK(shows(false, "frames are lost by their numbers"));
	CHECK(shows(true, "\"achieved_percent\":100,"));
	end();
}

static void records_and_replays_are_told(void)
{
	begin(false);
	set("loss", "50");
	set("bandwidth", "1000");
	turn(0);
	wf.journal = (void *)&journal;
	journal = (struct journal_info){ .record = "/r",
					 .decisions = 7,
					 .error = -ENOSPC };
	CHECK(shows(false, "record: /r, decisions 7, not whole: No space"));
	CHECK(shows(true, "\"record\":{\"file\":\"/r\",\"decisions\":7,"
			  "\"error\":\"No space"));
	journal = (struct journal_info){ .replay = "/p",
					 .replayed = { 5, 6 },
					 .beyond = { 0, 1 } };
	CHECK(shows(false, "replay: /p, L->R 5 frames and beyond it 0, "
			   "R->L 6 frames and beyond it 1\n"));
	CHECK(shows(true, "\"replay\":{\"file\":\"/p\",\"directions\":[{"
			  "\"frames\":5,\"beyond\":0},{\"frames\":6,"));
	CHECK(shows(false, "loss: asked - (not comparable: decisions are re"));
	CHECK(shows(false, "rate: asked - (not comparable: decisions are re"));
	end();
}

static void losses_that_do_not_fit_are_seen(void)
{
	begin(false);
	set("loss", "50");
	turn(0);
	/* As if frames were lost that should not be. */
	for (int i = 0; i < 100; i++) {
		struct impair_decision d = { .fate = IMPAIR_LOSS };

		impair_input_fated(wf.wire->dir[0], "x", 1, &d, 1, now);
	}
	CHECK(shows(true, "\"fits\":false"));
	end();
}

static void timers_and_turns_are_counted(void)
{
	begin(false);
	for (unsigned int i = 1; i <= 60; i++)
		watchman_woken(wf.watchman, now, now + i);
	watchman_woken(wf.watchman, now + 5, now);
	turn(0);
	turn(0);
	CHECK(shows(true, "\"wakeups\":61,\"timer_error_ns\":{\"n\":61,"
			  "\"p50\":30,\"p99\":60,\"max\":60,"));
	CHECK(!strstr(shown, "\"turns\":0,"));
	end();
}

static int turns_left;

/* Turns of 20 us, in each of which frames come. */
static void give_again(struct loop_timer *t)
{
	now += 20 * US;
	give(64, 100);
	if (--turns_left)
		CHECK(!loop_timer_set(wf.loop, t, 0, give_again));
	else
		loop_stop(wf.loop);
}

static void give_once(struct loop_timer *t)
{
	give(1, 100);
	loop_stop(wf.loop);
}

static void frames_wait_for_a_wake_up_or_for_the_end_of_a_turn(void)
{
	struct loop_timer t = { 0 };

	begin(false);
	turn(0);
	for (int i = 0; i < 3; i++) {
		watchman_woken(wf.watchman, now, now + 30 * US);
		CHECK(!loop_timer_set(wf.loop, &t, 0, give_once));
		now += MS;
		CHECK(!loop_run(wf.loop));
	}
	CHECK(shows(true, "\"unread_us\":30,"));
	turns_left = 9;
	CHECK(!loop_timer_set(wf.loop, &t, 0, give_again));
	CHECK(!loop_run(wf.loop));
	CHECK(shows(true, "\"unread_us\":10"));
	end();
}

static void reset_begins_anew_but_what_waits_stays(void)
{
	begin(false);
	set("delay", "10");
	give(5, 100);
	now += 10 * MS;
	take(5 * MS, 3);
	give(2, 100);
	watchman_woken(wf.watchman, now, now + 9);
	turn(20);
	watchman_reset(wf.watchman, now);
	CHECK(shows(true, "\"kept_up\":true"));
	CHECK(shows(true, "\"frames_in\":0"));
	CHECK(shows(true, "\"late_frames\":0,\"held_frames\":0"));
	CHECK(shows(true, "\"wakeups\":0"));
	CHECK(shows(true, "\"waiting\":{\"frames\":2,"));
	CHECK(take(0, 64) == 2);
	CHECK(shows(true, "\"frames_out\":2"));
	end();
}

static bool told(bool json, const char *what)
{
	struct writer out;
	struct strbuf b;

	strbuf_init(&b, shown, sizeof(shown));
	writer_init(&out, json, to_strbuf, &b);
	writer_open(&out, NULL);
	watchman_metrics(wf.watchman, &out);
	writer_close(&out);
	CHECK(!b.cut);
	if (strstr(shown, what))
		return true;
	printf("# no \"%s\" in:\n# %s\n", what, shown);
	return false;
}

static void metrics_have_the_same_figures(void)
{
	begin(false);
	set("mtu", "100");
	set("loss", "25");
	turn(0);
	give(3, 200);
	give(1, 98);
	take(5 * MS, 64);
	CHECK(told(false, "\nwirefilter_frames_total{direction=\"LR\","
			  "way=\"in\"} 4\n"));
	CHECK(told(false, "\nwirefilter_drops_total{direction=\"LR\","
			  "cause=\"mtu\"} 3\n"));
	CHECK(told(false, "\nwirefilter_late_total{direction=\"LR\"} 1\n"));
	CHECK(told(false, "\nwirefilter_error_seconds{direction=\"LR\","
			  "quantile=\"1\"} 0.005\n"));
	CHECK(told(false, "\nwirefilter_loss_ratio{direction=\"RL\","
			  "of=\"asked\"} 0.25\n"));
	CHECK(told(false, "\nwirefilter_loss_ratio{direction=\"RL\","
			  "of=\"achieved\"} NaN\n"));
	CHECK(told(false, "\nwirefilter_kept_up 0\n"));
	CHECK(told(true, "{\"labels\":{\"direction\":\"LR\","
			 "\"way\":\"in\"},\"value\":4}"));
	end();
}

/* ---- the report ---- */

static void read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	CHECK(f != NULL);
	if (!f)
		return;
	n = fread(shown, 1, sizeof(shown) - 1, f);
	shown[n] = '\0';
	(void)fclose(f);
}

static void a_report_goes_to_its_file(void)
{
	char dir[] = "/tmp/watchman-XXXXXX", path[64];

	CHECK(mkdtemp(dir) != NULL);
	CHECK(str_fmt(path, sizeof(path), "%s/r.json", dir) > 0);
	begin_with(
		&(struct watchman_config){ .tolerance = MS, .report = path });
	CHECK(watchman_finish(wf.watchman, 0, now + LOOP_SEC) == 0);
	end();
	read_file(path);
	CHECK(!strncmp(shown, "{\"seconds\":1,", 13));
	CHECK(!strcmp(shown + strlen(shown) - 3, "}}\n"));
	unlink(path);
	CHECK(str_fmt(path, sizeof(path), "%s/r", dir) > 0);
	begin_with(
		&(struct watchman_config){ .tolerance = MS, .report = path });
	CHECK(watchman_finish(wf.watchman, 0, now + LOOP_SEC) == 0);
	end();
	read_file(path);
	CHECK(!strncmp(shown, "measured for 1.000 s, version ", 30));
	unlink(path);
	rmdir(dir);
}

static void a_program_in_the_background_reports_to_its_log(void)
{
	begin_with(&(struct watchman_config){
		.tolerance = MS, .report = "", .background = true });
	CHECK(watchman_finish(wf.watchman, 0, now + LOOP_SEC) == 0);
	CHECK(lines(said(), "watch: measured for 1.000 s") == 1);
	CHECK(lines(said(), "watch: kept up: yes") == 1);
	CHECK(lines(said(), "watch: process: ") == 1);
	end();
}

static void a_report_that_cannot_be_written_is_a_failure(void)
{
	begin_with(&(struct watchman_config){ .tolerance = MS,
					      .report = "/dev/full" });
	CHECK(watchman_finish(wf.watchman, 0, now) == EXIT_FAILURE);
	CHECK(lines(said(), "unable to write report to /dev/full: No space"));
	end();
}

static void a_report_that_cannot_be_opened_is_refused_at_the_start(void)
{
	struct watchman *w;

	begin(false);
	CHECK(watchman_new(&w,
			   &(struct watchman_config){
				   .wf = &wf, .report = "/nonexistent/r" }) ==
	      -ENOENT);
	CHECK(lines(said(), "unable to open report /nonexistent/r: No such"));
	end();
}

int main(void)
{
	log_open("watch", LOG_NOTICE);
	errors = tmpfile();
	if (!errors || dup2(fileno(errors), 2) < 0)
		return 1;
	RUN(frames_in_time_are_no_news);
	RUN(the_first_late_frame_is_told_at_once_others_once_a_second);
	RUN(strict_stops_the_program_with_status_1);
	RUN(a_reader_that_does_not_read_is_no_reason_to_stop);
	RUN(want_of_memory_is_the_machines_fault);
	RUN(what_was_not_told_yet_is_told_at_the_end);
	RUN(a_rate_is_compared_since_it_was_set);
	RUN(a_rate_that_is_not_one_number_says_why);
	RUN(losses_are_compared_with_what_was_asked);
	RUN(records_and_replays_are_told);
	RUN(losses_that_do_not_fit_are_seen);
	RUN(timers_and_turns_are_counted);
	RUN(frames_wait_for_a_wake_up_or_for_the_end_of_a_turn);
	RUN(reset_begins_anew_but_what_waits_stays);
	RUN(metrics_have_the_same_figures);
	RUN(a_report_goes_to_its_file);
	RUN(a_program_in_the_background_reports_to_its_log);
	RUN(a_report_that_cannot_be_written_is_a_failure);
	RUN(a_report_that_cannot_be_opened_is_refused_at_the_start);
	DONE();
}
