// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What showerror and the report say. Text is for people, in ms where a delay
 * is asked for and in us where it is off; JSON has nanoseconds.
 */
#include <inttypes.h>
#include <math.h>

#include "common/cli.h"
#include "common/writer.h"
#include "wirefilter/watchman_impl.h"

static double seconds(uint64_t ns)
{
	return (double)ns / (double)LOOP_SEC;
}

static void count(struct writer *out, const char *key, const char *piece,
		  uint64_t n)
{
	writer_num(out, key, piece, (int64_t)n, 0);
}

/* ---- histograms ---- */

/* @scale: ns of the text's unit; NULL for @piece: no text. */
static void show_hist(struct writer *out, const char *key, const char *piece,
		      const struct meter_hist *h, double scale)
{
	uint64_t p50 = meter_hist_quantile(h, 500);
	uint64_t p99 = meter_hist_quantile(h, 990);

	writer_open(out, key);
	count(out, "n", NULL, h->n);
	count(out, "p50", NULL, p50);
	count(out, "p99", NULL, p99);
	count(out, "max", NULL, h->n ? h->max : 0);
	writer_real(out, "mean", NULL, meter_hist_mean(h), 0);
	writer_close(out);
	if (!piece)
		return;
	if (out->json)
		return;
	writer_text(out, piece);
	writer_real(out, NULL, "p50 ", (double)p50 / scale, 3);
	writer_real(out, NULL, ", p99 ", (double)p99 / scale, 3);
	writer_real(out, NULL, ", max ", h->n ? (double)h->max / scale : 0, 3);
}

/* ---- asked and achieved ---- */

/* What makes one number of everything impossible. */
static const char *many_settings(const struct watchman *w)
{
	const struct wire *wire = w->cfg.wf->wire;

	for (int c = 1; c < IMPAIR_CLASSES; c++)
		if (wire->classes[c].used)
			return "classes have settings of their own";
	return NULL;
}

static void asked_of_rate(const struct watchman *w, int d, struct asked *a)
{
	double rate = impair_asked_rate(w->cfg.wf->wire->dir[d]);

	if (w->cfg.wf->feed[d])
		*a = (struct asked){ rate < 0 ? "it follows a trace" : NULL,
				     rate, 1 };
	else
		asked_rate(watchman_params(w, d), a);
	if (!a->why_not)
		a->why_not = many_settings(w);
}

static void asked_of_loss(const struct watchman *w, int d,
			  const struct impair_stats *s, struct asked *a)
{
	asked_loss(watchman_params(w, d), a);
	if (markov_nodes(w->cfg.wf->wire->markov) > 1)
		a->why_not = "the chain has several nodes";
	if (s->fates[IMPAIR_TRACE_LOSS])
		a->why_not = "a trace loses frames, too";
	if (many_settings(w))
		a->why_not = many_settings(w);
}

static void show_why_not(struct writer *out, const char *why)
{
	writer_str(out, "not_comparable", NULL, why, 0);
	if (!why)
		return;
	writer_text(out, " (not comparable: ");
	writer_text(out, why);
	writer_text(out, ")");
}

static void show_rate(const struct watchman *w, struct writer *out, int d,
		      const struct impair_stats *s, uint64_t now)
{
	const struct watch_way *way = &w->way[d];
	uint64_t ns = s->rate.busy_ns - way->busy_ns, since = way->rate_since;
	double bytes = (double)(s->rate.busy_bytes - way->busy_bytes);
	double achieved = ns ? bytes / seconds(ns) : (double)NAN, frames;
	double recent = meter_rate_recent(&s->rate, now, &frames);
	struct asked a;
	bool one;

	asked_of_rate(w, d, &a);
	one = !a.why_not && a.value > 0;
	writer_open(out, "rate");
	writer_text(out, one || a.why_not ? "rate: asked " : "rate: no limit");
	writer_real(out, "asked", one || a.why_not ? "" : NULL,
		    a.why_not ? (double)NAN : a.value, 1);
	show_why_not(out, a.why_not);
	writer_real(out, "achieved", one ? ", achieved " : NULL, achieved, 1);
	writer_real(out, "error_percent",
		    one && ns ? " bytes/s, off by " : NULL,
		    one ? (achieved / a.value - 1) * 100 : (double)NAN, 3);
	writer_text(out, one && ns ? " %" : "");
	writer_real(out, "busy_seconds", one ? "; busy for " : NULL,
		    seconds(ns), 3);
	writer_real(out, "since_seconds", one ? " of " : NULL,
		    seconds(now - since), 3);
	writer_text(out, one ? " s" : "");
	writer_real(out, "recent", "; now ", recent, 1);
	writer_real(out, "recent_frames", " bytes/s, ", frames, 1);
	writer_real(out, "mean", " frames/s; mean ", meter_rate_mean(&s->rate),
		    1);
	writer_text(out, " bytes/s\n");
	writer_close(out);
}

/* What came out, as far as there is something to say about it. */
static void show_lost(struct writer *out, const struct asked *a,
		      uint64_t judged, uint64_t lost, bool text)
{
	double low = 0, high = 1;

	if (judged)
		asked_interval(lost, judged, a->spread, &low, &high);
	text = text && judged;
	writer_real(out, "achieved_percent", text ? ", achieved " : NULL,
		    judged ? 100 * (double)lost / (double)judged : (double)NAN,
		    4);
	count(out, "lost", text ? " %: " : NULL, lost);
	count(out, "frames", text ? " of " : NULL, judged);
	writer_real(out, "low_percent", text ? " frames; truth in " : NULL,
		    low * 100, 4);
	writer_real(out, "high_percent", text ? " to " : NULL, high * 100, 4);
	writer_text(out, text ? " %" : "");
	writer_bool(out, "fits",
		    a->why_not || (a->value >= low && a->value <= high), NULL,
		    NULL);
}

static void show_loss(const struct watchman *w, struct writer *out, int d,
		      const struct impair_stats *s, const char *arrow,
		      uint64_t now)
{
	const struct watch_way *way = &w->way[d];
	uint64_t judged, lost;
	struct asked a;
	bool text;

	asked_of_loss(w, d, s, &a);
	watchman_losses(s, &judged, &lost);
	judged -= way->judged;
	lost -= way->lost;
	text = a.why_not || a.value > 0 || lost;
	writer_open(out, "loss");
	writer_text(out, text ? arrow : "");
	writer_real(out, "asked_percent", text ? " loss: asked " : NULL,
		    a.why_not ? (double)NAN : a.value * 100, 4);
	writer_text(out, text && !a.why_not ? " %" : "");
	show_why_not(out, a.why_not);
	show_lost(out, &a, judged, lost, text);
	writer_text(out, text ? "\n" : "");
	writer_real(out, "since_seconds", NULL, seconds(now - way->loss_since),
		    0);
	writer_close(out);
}

/* ---- one direction ---- */

static void show_frames(struct writer *out, const struct impair_stats *s)
{
	count(out, "frames_in", " frames: in ", s->in);
	count(out, "bytes_in", NULL, s->in_bytes);
	count(out, "frames_out", ", out ", s->out);
	count(out, "bytes_out", NULL, s->out_bytes);
	count(out, "duplicated", "; duplicated ", s->dups);
	count(out, "flipped", ", flipped ", s->flipped);
	count(out, "reordered", ", reordered ", s->overtook);
	writer_line(out);
}

static void show_queue(struct writer *out, const struct impair_stats *s)
{
	writer_open(out, "waiting");
	count(out, "frames", " waiting: ", s->waiting);
	count(out, "bytes", " frames, ", s->waiting_size);
	count(out, "most_frames", " bytes; at most ", s->most_waiting);
	count(out, "most_bytes", " frames, ", s->most_waiting_size);
	writer_text(out, " bytes\n");
	writer_close(out);
}

static void show_drops(struct writer *out, const struct impair_stats *s,
		       const char *arrow)
{
	bool any = false;

	writer_open(out, "dropped");
	for (enum impair_fate f = IMPAIR_PASS + 1; f < IMPAIR_N_FATES; f++) {
		const char *name = impair_fate_name(f);

		if (s->fates[f]) {
			writer_text(out, any ? ", " : arrow);
			writer_text(out, any ? "" : " dropped: ");
			writer_text(out, name);
			any = true;
		}
		count(out, name, s->fates[f] ? " " : NULL, s->fates[f]);
	}
	writer_close(out);
	if (any)
		writer_line(out);
}

static void show_times(struct watchman *w, struct writer *out, int d,
		       const struct impair_stats *s, const char *arrow)
{
	const struct blame *b = &w->way[d].blame;
	bool text = s->delay.n > 0 || s->late.n > 0, held = b->waits.n > 0;

	blame_without_held(b, &s->late, &w->scratch);
	writer_text(out, text ? arrow : "");
	show_hist(out, "delay_ns", text ? " delay: " : NULL, &s->delay, 1e6);
	writer_text(out, text ? " ms\n" : "");
	writer_text(out, text ? arrow : "");
	show_hist(out, "error_ns", text ? " delay error: " : NULL, &w->scratch,
		  1e3);
	count(out, NULL, text ? " us of " : NULL, w->scratch.n);
	writer_text(out, text ? " frames\n" : "");
	writer_text(out, text ? arrow : "");
	count(out, "late_frames", text ? " late: " : NULL, b->late);
	count(out, "held_frames",
	      text ? " frames; held by a full output: " : NULL, b->held);
	show_hist(out, "held_ns", held ? ", " : NULL, &b->waits, 1e6);
	writer_text(out, held ? " ms" : "");
	writer_text(out, text ? "\n" : "");
}

static void show_way(struct watchman *w, struct writer *out, int d,
		     uint64_t now)
{
	const struct impair_stats *s = impair_stats(w->cfg.wf->wire->dir[d]);
	const char *arrow = d == WIRE_LR ? "L->R" : "R->L";

	writer_open(out, NULL);
	writer_str(out, "direction", NULL, d == WIRE_LR ? "LR" : "RL", 0);
	writer_text(out, arrow);
	show_frames(out, s);
	writer_text(out, arrow);
	writer_text(out, " ");
	show_rate(w, out, d, s, now);
	show_times(w, out, d, s, arrow);
	writer_text(out, arrow);
	show_queue(out, s);
	show_loss(w, out, d, s, arrow, now);
	show_drops(out, s, arrow);
	writer_close(out);
}

/* ---- all ---- */

static void show_process(const struct watchman *w, struct writer *out,
			 uint64_t now)
{
	uint64_t cpu = watchman_cpu(), ns = now - w->began;

	cpu -= cpu > w->cpu_began ? w->cpu_began : cpu;
	writer_open(out, "process");
	count(out, "wakeups", "timer: ", w->wakeups.n);
	show_hist(out, "timer_error_ns", " wake-ups, late ", &w->wakeups, 1e3);
	writer_text(out, " us\n");
	count(out, "turns", "process: ", w->turns);
	writer_real(out, "cpu_seconds", " turns, ", seconds(cpu), 3);
	writer_real(out, "cpu_percent", " s of processor time, ",
		    ns ? 100 * (double)cpu / (double)ns : 0, 2);
	writer_text(out, " % of a core\n");
	writer_close(out);
}

void watchman_show(struct watchman *w, struct writer *out, uint64_t now)
{
	char seed[24];

	if (str_fmt(seed, sizeof(seed), "%" PRIu64, w->cfg.wf->wire->seed) < 0)
		seed[0] = '\0';
	writer_real(out, "seconds", "measured for ", seconds(now - w->began),
		    3);
	writer_str(out, "version", " s, version ", VDE_VERSION, 0);
	writer_str(out, "seed", ", seed ", seed, 0);
	writer_line(out);
	writer_bool(out, "kept_up", !w->failed, "kept up: yes", "kept up: no");
	count(out, "tolerance_us", ", tolerance ", w->cfg.tolerance / 1000);
	writer_text(out, " us\n");
	writer_bool(out, "strict", w->cfg.strict, NULL, NULL);
	writer_list(out, "directions");
	for (int d = 0; d < w->n_ways; d++)
		show_way(w, out, d, now);
	writer_close(out);
	show_process(w, out, now);
}
