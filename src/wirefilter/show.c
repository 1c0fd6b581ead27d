// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/show.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "common/console.h"
#include "wirefilter/feed.h"
#include "wirefilter/sorter.h"

/* A list of lost frames: two numbers of 20 digits for each range. */
#define TEXT_MAX (LOSS_RANGES_MAX * 42 + 64)

static const char *const directions[] = { "lr", "rl" };
static const char *const prefixes[] = { "LR", "RL" };

static int n_directions(const struct wire *w)
{
	return w->both ? 2 : 1;
}

/* The caller's to free; NULL without memory. */
static char *setting_text(const struct params *p, enum param param)
{
	size_t size = param == PARAM_LOSSLIST ? TEXT_MAX : 256;
	char *text = malloc(size);
	struct strbuf b;

	if (!text)
		return NULL;
	strbuf_init(&b, text, size);
	params_print(&b, p, param);
	return text;
}

/* ---- JSON ---- */

static void show_setting(struct writer *w, const struct wire *wire,
			 unsigned int node, enum param param)
{
	writer_open(w, param_rows[param].name);
	writer_str(w, "unit", NULL, param_rows[param].unit, 0);
	for (int d = 0; d < n_directions(wire); d++) {
		const struct params *p = wire_params(wire, node, d);
		char *text = setting_text(p, param);

		writer_open(w, directions[d]);
		writer_str(w, "text", NULL, text, 0);
		if (param < PARAM_N_VALUES) {
			writer_real(w, "value", NULL, p->value[param].num, 0);
			writer_real(w, "plus", NULL, p->value[param].plus, 0);
		}
		writer_close(w);
		free(text);
	}
	writer_close(w);
}

static void show_blackouts(struct writer *w, const struct wire *wire,
			   uint64_t now)
{
	writer_open(w, "blackout");
	writer_str(w, "unit", NULL, "ms", 0);
	for (int d = 0; d < n_directions(wire); d++) {
		char text[BLACKOUT_MAX * 80];
		struct strbuf b;

		strbuf_init(&b, text, sizeof(text));
		blackout_print(&b, wire->blackouts[d], wire->n_blackouts[d],
			       now);
		writer_open(w, directions[d]);
		writer_str(w, "text", NULL, text, 0);
		writer_bool(w, "on",
			    blackout_is_on(wire->blackouts[d],
					   wire->n_blackouts[d], now),
			    NULL, NULL);
		writer_close(w);
	}
	writer_close(w);
}

void show_settings(struct writer *w, const struct wire *wire, unsigned int node,
		   uint64_t now)
{
	writer_open(w, "settings");
	for (enum param p = 0; p < PARAM_N; p++)
		show_setting(w, wire, node, p);
	show_blackouts(w, wire, now);
	writer_close(w);
}

static void count(struct writer *w, const char *key, uint64_t n)
{
	writer_num(w, key, NULL, (int64_t)n, 0);
}

/* By the names of showerror. */
static void show_direction(struct writer *w, const struct impair_stats *st)
{
	count(w, "frames_in", st->in);
	count(w, "bytes_in", st->in_bytes);
	count(w, "frames_out", st->out);
	count(w, "bytes_out", st->out_bytes);
	count(w, "duplicated", st->dups);
	count(w, "flipped", st->flipped);
	count(w, "reordered", st->overtook);
	writer_open(w, "waiting");
	count(w, "frames", st->waiting);
	count(w, "bytes", st->waiting_size);
	count(w, "most_frames", st->most_waiting);
	count(w, "most_bytes", st->most_waiting_size);
	writer_close(w);
	writer_open(w, "dropped");
	for (enum impair_fate f = IMPAIR_PASS + 1; f < IMPAIR_N_FATES; f++)
		count(w, impair_fate_name(f), st->fates[f]);
	writer_close(w);
}

void show_counters(struct writer *w, const struct wire *wire)
{
	writer_open(w, "directions");
	for (int d = 0; d < n_directions(wire); d++) {
		writer_open(w, directions[d]);
		show_direction(w, impair_stats(wire->dir[d]));
		writer_close(w);
	}
	writer_close(w);
}

/* ---- an rc file ---- */

static void line(struct writer *w, const char *text)
{
	writer_str(w, NULL, "", text, 0);
	writer_line(w);
}

__attribute__((format(printf, 2, 3))) static void linef(struct writer *w,
							const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(text))
		line(w, text);
}

/* "delay LR10+5[2]"; without direction if @direction is NULL. Of what no line
 * can hold, a list of losses, a comment says that it is needed. */
static void setting_line(struct writer *w, const char *front,
			 const char *direction, const char *text,
			 const char *behind)
{
	size_t size = strlen(front) + strlen(text) + strlen(behind) + 8;
	char *s = malloc(size);

	if (s && str_fmt(s, size, "%s %s%s%s", front,
			 direction ? direction : "", text, behind) > 0) {
		if (strlen(s) <= CONSOLE_LINE_MAX)
			line(w, s);
		else
			linef(w, "# needs: %s %s@FILE%s", front,
			      direction ? direction : "", behind);
	}
	free(s);
}

/* Of both directions; one line if they are the same. NULL: not set. */
static void both_lines(struct writer *w, const char *front, char *const *text,
		       const char *behind)
{
	if (text[0] && text[1] && !strcmp(text[0], text[1])) {
		setting_line(w, front, NULL, text[0], behind);
		return;
	}
	for (int d = 0; d < 2; d++)
		if (text[d])
			setting_line(w, front, prefixes[d], text[d], behind);
}

/* Nobody remembers the file of a table, so its line is a comment. */
static void table_lines(struct writer *w, const struct params *set)
{
	for (int p = 0; p < PARAM_N_VALUES; p++) {
		const char *last = "";

		for (int d = 0; d < 2; d++) {
			const struct value *v = &set[d].value[p];

			if (v->shape == VALUE_TABLE && strcmp(v->table, last))
				linef(w, "# needs: table %s FILE", v->table);
			last = v->shape == VALUE_TABLE ? v->table : last;
		}
	}
}

/* All of one set, of a class or (NULL) of the wire. */
static void params_lines(struct writer *w, const char *class,
			 const struct params *set, const char *behind)
{
	table_lines(w, set);
	for (enum param p = 0; p < PARAM_N; p++) {
		char *text[2] = { NULL, NULL }, front[80];

		for (int d = 0; d < 2; d++)
			if (set[d].has & UINT32_C(1) << p)
				text[d] = setting_text(&set[d], p);
		if (str_fmt(front, sizeof(front), "%s%s%s%s",
			    class ? "class-set " : "", class ? class : "",
			    class ? " " : "", param_rows[p].name) > 0)
			both_lines(w, front, text, behind);
		free(text[0]);
		free(text[1]);
	}
}

static void begin_config(struct writer *w, const struct wire *wire)
{
	const struct markov *m = wire->markov;
	unsigned int n = markov_nodes(m);

	linef(w, "fifo %d", wire->fifo);
	if (n > 1)
		linef(w, "markov-numnodes %u", n);
	linef(w, "markov-time %.15g", (double)markov_period(m) / 1e6);
}

static void node_lines(struct writer *w, const struct wire *wire,
		       unsigned int n)
{
	const char *name = markov_name(wire->markov, n);
	char behind[16] = "";

	if (*name)
		linef(w, "markov-name %u,%s", n, name);
	if (n && str_fmt(behind, sizeof(behind), "[%u]", n) < 0)
		return;
	params_lines(w, NULL, wire_params(wire, n, 0), behind);
}

static void edge_line(struct writer *w, const struct markov *m,
		      unsigned int from, unsigned int to)
{
	double weight = from == to ? 0 : markov_edge(m, from, to);

	if (weight > 0)
		linef(w, "setedge %u,%u,%.15g", from, to, weight);
}

/* Those that go on. */
static void trace_lines(struct writer *w, const struct wirefilter *wf,
			bool repeat)
{
	char room[2][PATH_MAX + 32], *text[2] = { NULL, NULL };

	for (int d = 0; d < 2; d++) {
		const struct feed_info *i = wf->feed[d] ? feed_info(wf->feed[d])
							: NULL;

		if (i && i->repeat == repeat && i->state == FEED_RUNNING &&
		    str_fmt(room[d], sizeof(room[d]), "%s:%s",
			    trace_format_name(i->format), i->file) > 0)
			text[d] = room[d];
	}
	both_lines(w, repeat ? "trace" : "trace-once", text, "");
}

static void class_lines(struct writer *w, const struct wirefilter *wf,
			unsigned int class)
{
	const struct wire_class *c = &wf->wire->classes[class];
	const char *filter = sorter_filter(wf->sorter, class);
	char front[WIRE_CLASS_NAME + 16];

	if (str_fmt(front, sizeof(front), "class-add %s", c->name) < 0)
		return;
	setting_line(w, front, NULL, filter, "");
	params_lines(w, c->name, c->params, "");
}

static void end_config(struct writer *w, const struct wirefilter *wf,
		       uint64_t now)
{
	const struct wire *wire = wf->wire;
	char room[2][BLACKOUT_MAX * 80], *text[2] = { room[0], room[1] };
	struct strbuf b;

	for (int d = 0; d < 2; d++) {
		strbuf_init(&b, room[d], sizeof(room[d]));
		blackout_print(&b, wire->blackouts[d], wire->n_blackouts[d],
			       now);
		if (!strcmp(room[d], "0"))
			text[d] = NULL;
	}
	both_lines(w, "blackout", text, "");
	trace_lines(w, wf, true);
	trace_lines(w, wf, false);
	for (unsigned int i = 0; wf->sorter && sorter_nth(wf->sorter, i); i++)
		class_lines(w, wf, sorter_nth(wf->sorter, i));
	if (markov_nodes(wire->markov) > 1)
		linef(w, "markov-setnode %u", markov_current(wire->markov));
}

/* more[]: the node, 0 or 1 + the node at the other end of the edge. */
int show_config(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;
	const struct wire *wire = wf->wire;
	const struct markov *m = wire->markov;
	unsigned int n, to = (unsigned int)rq->more[1];

	if (!rq->again) {
		writer_list(rq->w, "commands");
		begin_config(rq->w, wire);
	}
	for (n = (unsigned int)rq->more[0]; n < markov_nodes(m); n++, to = 0) {
		if (!to++)
			node_lines(rq->w, wire, n);
		for (; to <= markov_nodes(m); to++) {
			if (mgmt_pause(rq)) {
				rq->more[0] = n;
				rq->more[1] = to;
				return MGMT_MORE;
			}
			edge_line(rq->w, m, n, to - 1);
		}
	}
	end_config(rq->w, wf, loop_now(wf->loop));
	writer_close(rq->w);
	return 0;
}
