// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What showerror and the report say. Text is for people, in ms where a delay
 * is asked for and in us where it is off; JSON has nanoseconds.
 */
#include <inttypes.h>
#include <math.h>

#include "common/cli.h"
#include "common/writer.h"
#include "wirefilter/journal.h"
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
	double recent, frames, asked;
	struct watch_compared c;
	bool one, text;

	watchman_rate(w, d, &c);
	recent = meter_rate_recent(&s->rate, now, &frames);
	asked = c.asked.why_not ? (double)NAN : c.asked.value;
	one = asked > 0;
	text = one && !isnan(c.achieved);
	writer_open(out, "rate");
	writer_text(out, one || c.asked.why_not ? " rate: asked "
						: " rate: no limit");
	writer_real(out, "asked", one || c.asked.why_not ? "" : NULL, asked, 1);
	show_why_not(out, c.asked.why_not);
	writer_real(out, "achieved", text ? ", achieved " : NULL, c.achieved,
		    1);
	writer_real(out, "error_percent", text ? " bytes/s, off by " : NULL,
		    one ? (c.achieved / asked - 1) * 100 : (double)NAN, 3);
	writer_real(out, "busy_seconds", text ? " % in " : NULL, seconds(c.n),
		    3);
	writer_real(out, "since_seconds", text ? " s busy of " : NULL,
		    seconds(now - c.since), 3);
	writer_text(out, text	? " s"
			 : !one ? ""
			 : c.n	? ", not busy for long enough to tell"
				: ", never busy");
	writer_real(out, "recent", "; now ", recent, 1);
	writer_real(out, "recent_frames", " bytes/s, ", frames, 1);
	writer_real(out, "mean", " frames/s; mean ", meter_rate_mean(&s->rate),
		    1);
	writer_text(out, " bytes/s\n");
	writer_close(out);
}

/* What came out, as far as there is something to say about it. */
static void show_lost(struct writer *out, const struct watch_compared *c,
		      bool text)
{
	text = text && c->n;
	writer_real(out, "achieved_percent", text ? ", achieved " : NULL,
		    100 * c->achieved, 4);
	count(out, "lost", text ? " %: " : NULL, c->hits);
	count(out, "frames", text ? " of " : NULL, c->n);
	writer_real(out, "low_percent", text ? " frames; truth in " : NULL,
		    c->low * 100, 4);
	writer_real(out, "high_percent", text ? " to " : NULL, c->high * 100,
		    4);
	writer_text(out, text ? " %" : "");
}

static void show_loss(const struct watchman *w, struct writer *out, int d,
		      const char *arrow, uint64_t now)
{
	struct watch_compared c;
	double asked;
	bool text;

	watchman_loss(w, d, &c);
	asked = c.asked.why_not ? (double)NAN : c.asked.value;
	text = c.asked.why_not || asked > 0 || c.hits;
	writer_open(out, "loss");
	writer_text(out, text ? arrow : "");
	writer_real(out, "asked_percent", text ? " loss: asked " : NULL,
		    asked * 100, 4);
	writer_text(out, text && !c.asked.why_not ? " %" : "");
	show_why_not(out, c.asked.why_not);
	show_lost(out, &c, text);
	writer_text(out, text ? "\n" : "");
	writer_bool(out, "fits",
		    c.asked.why_not || (asked >= c.low && asked <= c.high),
		    NULL, NULL);
	writer_real(out, "since_seconds", NULL, seconds(now - c.since), 0);
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
	writer_real(out, "unread_us", text ? " frames, besides about " : NULL,
		    (double)watchman_unread(w, d) / 1e3, 0);
	writer_text(out, text ? " us before they were read\n" : "");
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
	show_rate(w, out, d, s, now);
	show_times(w, out, d, s, arrow);
	writer_text(out, arrow);
	show_queue(out, s);
	show_loss(w, out, d, arrow, now);
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

static void show_record(struct writer *out, const struct journal_info *i)
{
	const char *reason = i->error ? journal_reason(i->error) : NULL;

	writer_open(out, "record");
	writer_str(out, "file", "record: ", i->record, 0);
	count(out, "decisions", ", decisions ", i->decisions);
	writer_str(out, "error", ", not whole: ", reason, 0);
	writer_line(out);
	writer_close(out);
}

static void show_replay(const struct watchman *w, struct writer *out,
			const struct journal_info *i)
{
	writer_open(out, "replay");
	writer_str(out, "file", "replay: ", i->replay, 0);
	writer_list(out, "directions");
	for (int d = 0; d < w->n_ways; d++) {
		writer_open(out, NULL);
		count(out, "frames", d == WIRE_LR ? ", L->R " : ", R->L ",
		      i->replayed[d]);
		count(out, "beyond", " frames and beyond it ", i->beyond[d]);
		writer_close(out);
	}
	writer_close(out);
	writer_line(out);
	writer_close(out);
}

static void show_journal(const struct watchman *w, struct writer *out)
{
	const struct journal_info *i = journal_info(w->cfg.wf->journal);

	if (i->record)
		show_record(out, i);
	if (i->replay)
		show_replay(w, out, i);
}

void watchman_show(struct watchman *w, struct writer *out, uint64_t now)
{
	writer_real(out, "seconds", "measured for ", seconds(now - w->began),
		    3);
	writer_str(out, "version", " s, version ", VDE_VERSION, 0);
	writer_big(out, "seed", ", seed ", w->cfg.wf->wire->seed);
	writer_line(out);
	writer_bool(out, "kept_up", !w->failed, "kept up: yes", "kept up: no");
	count(out, "tolerance_us", ", tolerance ", w->cfg.tolerance / 1000);
	writer_text(out, " us\n");
	writer_bool(out, "strict", w->cfg.strict, NULL, NULL);
	writer_list(out, "directions");
	for (int d = 0; d < w->n_ways; d++)
		show_way(w, out, d, now);
	writer_close(out);
	if (w->cfg.wf->journal)
		show_journal(w, out);
	show_process(w, out, now);
}
