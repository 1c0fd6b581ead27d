// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wires - what many impaired wires in one process cost
 *
 *	wires NUMBER FRAMES_PER_S MS
 *
 * Each is an object of the engine (wirefilter/impair.h) with a delay that
 * varies, a line and some loss, driven by the loop's timers in real time: one
 * timer gives it its frames, another one takes out what is due, in ticks that
 * all wires have in common: a wake-up for each of 400,000 events in a second
 * costs more than the engine does. Prints the processor time of it all as a share of one processor, and how late frames
 * were, as JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <time.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "common/cli.h"
#include "common/log.h"
#include "common/loop.h"
#include "wirefilter/impair.h"

#define LEN 512
#define BATCH 64
#define MEMORY ((size_t)1 << 20)
#define TICK (25 * UINT64_C(1000)) /* ns */

struct wire {
	struct impair *impair;
	struct loop_timer feed, drain;
	uint64_t next; /* when the next frame goes in */
};

static const struct {
	enum param param;
	const char *text;
} settings[] = {
	{ PARAM_LOSS, "1" },
	{ PARAM_DELAY, "20+5N" },
	{ PARAM_BANDWIDTH, "10M" },
	{ PARAM_CHANBUFSIZE, "1M" },
};

static struct loop *loop;
static struct params params;
static uint64_t interval; /* ns between two frames of a wire */

static void read_settings(void)
{
	struct param_setting s;
	char why[256];
	struct strbuf sb;

	params_init(&params);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		strbuf_init(&sb, why, sizeof(why));
		if (!param_parse(&s, settings[i].param, settings[i].text, NULL,
				 &sb))
			die("%s", why);
		params_set(&params, &s);
		param_setting_fini(&s);
	}
}

static void drain(struct loop_timer *t);

/* At the end of the tick that @at is in. */
static void wake_at(struct loop_timer *t, uint64_t at, loop_timer_fn *fn)
{
	uint64_t now = loop_now(loop);

	at = (at + TICK - 1) / TICK * TICK;
	loop_timer_set(loop, t, at > now ? at - now : 0, fn);
}

/* Until something of @w is due. */
static void wait_for_next(struct wire *w)
{
	uint64_t at = impair_next(w->impair);

	if (at == IMPAIR_NEVER)
		loop_timer_del(loop, &w->drain);
	else
		wake_at(&w->drain, at, drain);
}

static void drain(struct loop_timer *t)
{
	struct wire *w = container_of(t, struct wire, drain);
	struct impair_frame *due[BATCH];
	int n;

	while ((n = impair_output(w->impair, loop_now(loop), due, BATCH)) > 0)
		impair_sent(w->impair, due, n, loop_clock(loop));
	wait_for_next(w);
}

static void feed(struct loop_timer *t)
{
	static const uint8_t frame[LEN];
	struct wire *w = container_of(t, struct wire, feed);
	uint64_t now = loop_now(loop);

	for (; w->next <= now; w->next += interval)
		impair_input(w->impair, frame, sizeof(frame), 0, now);
	wake_at(&w->feed, w->next, feed);
	wait_for_next(w);
}

static void stop(struct loop_timer *t)
{
	(void)t;
	loop_stop(loop);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

static struct wire *start_wires(int64_t n)
{
	struct wire *wires = calloc((size_t)n, sizeof(*wires));
	uint64_t now = loop_clock(loop);

	if (!wires)
		die("unable to allocate %lld wires", (long long)n);
	for (int64_t i = 0; i < n; i++) {
		struct wire *w = &wires[i];

		w->impair = impair_new((uint64_t)i, 0, MEMORY);
		if (!w->impair)
			die("unable to make a wire: %s", strerror(ENOMEM));
		impair_use(w->impair, 0, &params, now);
		/* Evenly, as they would not know of each other. */
		w->next = now + (uint64_t)i * interval / (uint64_t)n;
		wake_at(&w->feed, w->next, feed);
	}
	return wires;
}

static void print_result(const struct wire *wires, int64_t n, uint64_t cpu,
			 uint64_t ns)
{
	struct meter_hist late;
	uint64_t in = 0, out = 0;

	meter_hist_init(&late);
	for (int64_t i = 0; i < n; i++) {
		const struct impair_stats *s = impair_stats(wires[i].impair);

		in += s->in;
		out += s->out;
		meter_hist_merge(&late, &s->late);
	}
	printf("{\"cpu_percent\": %.2f, \"cpu_ns_per_frame\": %.1f, "
	       "\"in_per_s\": %.1f, \"out_per_s\": %.1f, "
	       "\"late_p50_us\": %.1f, \"late_p99_us\": %.1f}\n",
	       100. * (double)cpu / (double)ns,
	       in ? (double)cpu / (double)in : 0, 1e9 * (double)in / (double)ns,
	       1e9 * (double)out / (double)ns,
	       (double)meter_hist_quantile(&late, 500) / 1e3,
	       (double)meter_hist_quantile(&late, 990) / 1e3);
}

int main(int argc, char **argv)
{
	struct loop_timer end = { 0 };
	int64_t n, per_s, ms;
	struct wire *wires;
	uint64_t begin, cpu;

	log_open(argv[0], LOG_NOTICE);
	if (argc != 4 || !parse_num(argv[1], 1, 100000, &n) ||
	    !parse_num(argv[2], 1, 1000000, &per_s) ||
	    !parse_num(argv[3], 1, 600000, &ms))
		cli_usage("NUMBER FRAMES_PER_S MS are needed");
	prctl(PR_SET_TIMERSLACK, 1);
	loop = loop_new();
	if (!loop)
		die("unable to begin: %s", strerror(errno));
	interval = LOOP_SEC / (uint64_t)per_s;
	read_settings();
	wires = start_wires(n);
	begin = loop_clock(loop);
	cpu = cpu_ns();
	loop_timer_set(loop, &end, (uint64_t)ms * LOOP_MS, stop);
	loop_run(loop);
	cpu = cpu_ns() - cpu;
	print_result(wires, n, cpu, loop_clock(loop) - begin);
	for (int64_t i = 0; i < n; i++)
		impair_free(wires[i].impair);
	free(wires);
	params_fini(&params);
	loop_free(loop);
	return EXIT_SUCCESS;
}
