// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about what is read from files: traces and tables.
 */
#include <string.h>

#include "base/strbuf.h"
#include "wirefilter/cmd.h"
#include "wirefilter/feed.h"
#include "wirefilter/fromfile.h"
#include "wirefilter/line.h"

static int set_trace(struct mgmt_req *rq, const char *name, bool repeat)
{
	struct wirefilter *wf = rq->mgmt->ctx;
	char text[MGMT_WHY];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	strbuf_add(&why, "unable to set ");
	rc = feed_set(wf, name, rq->arg[0].str, repeat, &why);
	return rc ? cmd_refuse(rq, rc, text) : 0;
}

static int cmd_set_trace(struct mgmt_req *rq, void *ctx)
{
	return set_trace(rq, "trace", true);
}

static int cmd_trace_once(struct mgmt_req *rq, void *ctx)
{
	return set_trace(rq, "trace-once", false);
}

static int cmd_table(struct mgmt_req *rq, void *ctx)
{
	const struct dist_table *table = NULL;
	const char *name = rq->arg[0].str;
	char text[MGMT_WHY];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	strbuf_add(&why, "unable to set ");
	rc = fromfile_table(ctx, name, rq->arg[1].str, &table, &why);
	if (rc)
		return cmd_refuse(rq, rc, text);
	writer_str(rq->w, "name", "", name, 0);
	cmd_real(rq->w, "mean", " mean ", dist_table_mean(table));
	cmd_real(rq->w, "deviation", " deviation ",
		 dist_table_deviation(table));
	writer_line(rq->w);
	return 0;
}

/* ---- showtraces ---- */

static void show_values(struct writer *w, const struct feed_info *i)
{
	if (i->has & 1U << TRACE_RATE)
		cmd_real(w, "rate", " rate ",
			 (double)i->rate / (double)LINE_RATE_UNIT);
	if (i->has & 1U << TRACE_DELAY)
		cmd_real(w, "delay", " delay ", (double)i->delay / 1e6);
	if (i->has & 1U << TRACE_LOSS)
		cmd_real(w, "loss", " loss ", i->loss * 100);
}

static void show_trace(struct writer *w, const struct feed *f, uint64_t now)
{
	const struct feed_info *i = f ? feed_info(f) : NULL;

	if (!i) {
		writer_text(w, "none");
		return;
	}
	writer_str(w, "file", "", i->file, 0);
	writer_str(w, "format", " ", trace_format_name(i->format), 0);
	writer_bool(w, "repeated", i->repeat, " repeated", " once");
	writer_str(w, "state", " ", feed_state_name(i->state), 0);
	cmd_real(w, "since", " since ", (double)(now - i->begin) / 1e6);
	writer_num(w, "line", " line ", (int64_t)i->line, 0);
	writer_num(w, "points", NULL, (int64_t)i->points, 0);
	show_values(w, i);
}

static int cmd_showtraces(struct mgmt_req *rq, void *ctx)
{
	static const struct {
		const char *text, *key;
	} directions[] = { { "L->R ", "lr" }, { "R->L ", "rl" } };
	const struct wirefilter *wf = ctx;
	struct writer *w = rq->w;

	for (int d = 0; d < (wf->wire->both ? 2 : 1); d++) {
		if (wf->wire->both)
			writer_text(w, directions[d].text);
		if (wf->feed[d] || !w->json) {
			writer_open(w, directions[d].key);
			show_trace(w, wf->feed[d], loop_now(wf->loop));
			writer_close(w);
		} else {
			writer_str(w, directions[d].key, NULL, NULL, 0);
		}
		writer_line(w);
	}
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd rows[] = {
	{ "table <name> <file...>", "", "make the numbers of FILE the distribution NAME", cmd_table, true },
	{ "trace <file...>", "", "let the line be as [LR|RL]FILE has it; none: no more", cmd_set_trace, false },
	{ "trace-once <file...>", "", "the same, not repeated", cmd_trace_once, false },
	{ "showtraces", "", "show traces, and where in their files they are", cmd_showtraces, true },
};
/* clang-format on */
const struct mgmt_table cmd_trace = { rows, ARRAY_SIZE(rows) };
