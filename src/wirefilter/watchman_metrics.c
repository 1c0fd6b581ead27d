// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same figures for Prometheus. Times are in seconds, as is its custom.
 */
#include <math.h>

#include "common/cli.h"
#include "common/metrics.h"
#include "wirefilter/watchman_impl.h"

#define PREFIX "wirefilter_"

/* What is being said, and of what. */
struct telling {
	struct metrics m;
	struct watchman *w;
	const struct impair_stats *stats; /* of this direction */
	struct watch_way *of;
	int d;
	const char *way; /* NULL: of the whole */
	size_t arg; /* of the row */
};

struct wire_metric {
	const char *name; /* without the prefix */
	enum metric_type type;
	const char *help;
	void (*emit)(struct telling *);
	bool once; /* of the whole, else of each direction */
	size_t arg; /* where in struct impair_stats a uint64_t is */
};

static void begin(struct telling *t, const char *label, const char *value)
{
	if (t->way)
		metrics_label(&t->m, "direction", t->way);
	if (label)
		metrics_label(&t->m, label, value);
}

static void sample(struct telling *t, const char *label, const char *value,
		   uint64_t n)
{
	begin(t, label, value);
	metrics_value(&t->m, n);
}

static void real(struct telling *t, const char *label, const char *value,
		 double v)
{
	begin(t, label, value);
	metrics_real(&t->m, v);
}

/* ---- of the process ---- */

static void info(struct telling *t)
{
	sample(t, "version", VDE_VERSION, 1);
}

static void turns(struct telling *t)
{
	sample(t, NULL, NULL, t->w->turns);
}

static void cpu(struct telling *t)
{
	real(t, NULL, NULL, (double)watchman_cpu() / (double)LOOP_SEC);
}

static void wakeups(struct telling *t)
{
	sample(t, NULL, NULL, t->w->wakeups.n);
}

static void kept_up(struct telling *t)
{
	sample(t, NULL, NULL, !t->w->failed);
}

static void quantiles(struct telling *t, const struct meter_hist *h)
{
	static const struct {
		const char *text;
		unsigned int per_mille;
	} of[] = { { "0.5", 500 }, { "0.99", 990 }, { "1", 1000 } };

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		uint64_t ns = meter_hist_quantile(h, of[i].per_mille);

		real(t, "quantile", of[i].text,
		     h->n ? (double)ns / (double)LOOP_SEC : (double)NAN);
	}
}

static void timer_error(struct telling *t)
{
	quantiles(t, &t->w->wakeups);
}

/* ---- of a direction ---- */

static void frames(struct telling *t)
{
	sample(t, "way", "in", t->stats->in);
	sample(t, "way", "out", t->stats->out);
}

static void bytes(struct telling *t)
{
	sample(t, "way", "in", t->stats->in_bytes);
	sample(t, "way", "out", t->stats->out_bytes);
}

static void drops(struct telling *t)
{
	for (enum impair_fate f = IMPAIR_PASS + 1; f < IMPAIR_N_FATES; f++)
		sample(t, "cause", impair_fate_name(f), t->stats->fates[f]);
}

static void field(struct telling *t)
{
	const char *base = (const void *)t->stats;
	const void *at = base + t->arg;

	sample(t, NULL, NULL, *(const uint64_t *)at);
}

static void late(struct telling *t)
{
	sample(t, NULL, NULL, t->of->blame.late);
}

static void held(struct telling *t)
{
	sample(t, NULL, NULL, t->of->blame.held);
}

static void delay(struct telling *t)
{
	quantiles(t, &t->stats->delay);
}

static void error(struct telling *t)
{
	blame_without_held(&t->of->blame, &t->stats->late, &t->w->scratch);
	quantiles(t, &t->w->scratch);
}

static void compared(struct telling *t, const struct watch_compared *c)
{
	real(t, "of", "asked", c->asked.why_not ? (double)NAN : c->asked.value);
	real(t, "of", "achieved", c->achieved);
}

static void rate(struct telling *t)
{
	struct watch_compared c;

	watchman_rate(t->w, t->d, &c);
	compared(t, &c);
}

static void loss(struct telling *t)
{
	struct watch_compared c;

	watchman_loss(t->w, t->d, &c);
	compared(t, &c);
}

#define FIELD(member) field, false, offsetof(struct impair_stats, member)

/* clang-format off */
static const struct wire_metric rows[] = {
	{ "info", METRIC_GAUGE, "1, and the version", info, true, 0 },
	{ "kept_up", METRIC_GAUGE, "1 unless frames were late or dropped for want of memory", kept_up, true, 0 },
	{ "turns_total", METRIC_COUNTER, "turns of the event loop", turns, true, 0 },
	{ "cpu_seconds_total", METRIC_COUNTER, "processor time since the start", cpu, true, 0 },
	{ "wakeups_total", METRIC_COUNTER, "sleeps until a set time", wakeups, true, 0 },
	{ "timer_error_seconds", METRIC_GAUGE, "wake-ups behind the time they were set for", timer_error, true, 0 },
	{ "frames_total", METRIC_COUNTER, "frames", frames, false, 0 },
	{ "bytes_total", METRIC_COUNTER, "their bytes", bytes, false, 0 },
	{ "drops_total", METRIC_COUNTER, "frames that were dropped", drops, false, 0 },
	{ "duplicated_total", METRIC_COUNTER, "copies besides the first", FIELD(dups) },
	{ "flipped_total", METRIC_COUNTER, "frames with flipped bits", FIELD(flipped) },
	{ "reordered_total", METRIC_COUNTER, "frames that were spared the delay", FIELD(overtook) },
	{ "waiting_frames", METRIC_GAUGE, "frames that wait", FIELD(waiting) },
	{ "waiting_bytes", METRIC_GAUGE, "their bytes, with stream headers", FIELD(waiting_size) },
	{ "waiting_frames_most", METRIC_GAUGE, "the most that ever waited", FIELD(most_waiting) },
	{ "waiting_bytes_most", METRIC_GAUGE, "likewise", FIELD(most_waiting_size) },
	{ "late_total", METRIC_COUNTER, "frames handed over later than the tolerance", late, false, 0 },
	{ "held_total", METRIC_COUNTER, "frames that late because the output was full", held, false, 0 },
	{ "delay_seconds", METRIC_GAUGE, "from arrival until frames are due", delay, false, 0 },
	{ "error_seconds", METRIC_GAUGE, "from then until they are handed over", error, false, 0 },
	{ "rate_bytes_per_second", METRIC_GAUGE, "asked for, and achieved by the busy line", rate, false, 0 },
	{ "loss_ratio", METRIC_GAUGE, "asked for, and achieved", loss, false, 0 },
};
/* clang-format on */

static void tell_way(struct telling *t, int d)
{
	t->d = d;
	t->way = d == WIRE_LR ? "LR" : "RL";
	t->of = &t->w->way[d];
	t->stats = impair_stats(t->w->cfg.wf->wire->dir[d]);
}

void watchman_metrics(struct watchman *w, struct writer *out)
{
	struct telling t = { .m = { .w = out, .prefix = PREFIX }, .w = w };

	writer_list(out, "metrics");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct wire_metric *r = &rows[i];

		t.arg = r->arg;
		t.way = NULL;
		metrics_begin(&t.m, r->name, r->type, r->help);
		for (int d = 0; d < (r->once ? 1 : w->n_ways); d++) {
			if (!r->once)
				tell_way(&t, d);
			r->emit(&t);
		}
		metrics_end(&t.m);
	}
	writer_close(out);
}
