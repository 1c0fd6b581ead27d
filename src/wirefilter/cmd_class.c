// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about classes of frames.
 */
#include <errno.h>
#include <string.h>

#include "wirefilter/classes.h"
#include "wirefilter/cmd.h"
#include "wirefilter/sorter.h"

static const struct {
	const char *text, *key;
} directions[] = {
	[WIRE_LR] = { "L->R", "lr" },
	[WIRE_RL] = { "R->L", "rl" },
};

static int add_class(struct mgmt_req *rq, void *ctx)
{
	char text[MGMT_WHY];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = class_add(ctx, rq->arg[0].str, rq->arg[1].str, &why);
	return rc < 0 ? cmd_refuse(rq, rc, text) : 0;
}

static int set_class(struct mgmt_req *rq, void *ctx)
{
	char text[MGMT_WHY];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = class_set(ctx, rq->arg[0].str, rq->arg[1].str, rq->arg[2].str,
		       &why);
	return rc < 0 ? cmd_refuse(rq, rc, text) : 0;
}

static int del_class(struct mgmt_req *rq, void *ctx)
{
	char text[MGMT_WHY];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = class_del(ctx, rq->arg[0].str, &why);
	return rc < 0 ? cmd_refuse(rq, rc, text) : 0;
}

/* ---- showclasses ---- */

static int n_directions(const struct wirefilter *wf)
{
	return wf->wire->both ? 2 : 1;
}

/* In front of what is said of a direction, if there are two. */
static void show_direction(const struct wirefilter *wf, struct writer *w, int d)
{
	if (n_directions(wf) > 1) {
		writer_text(w, " ");
		writer_text(w, directions[d].text);
	}
}

static void show_counts(const struct wirefilter *wf, struct writer *w,
			unsigned int class)
{
	for (int d = 0; d < n_directions(wf); d++) {
		const struct sorter_count *c = sorter_count(wf->sorter, class,
							    d);

		writer_open(w, directions[d].key);
		show_direction(wf, w, d);
		writer_num(w, "frames", " frames ", (int64_t)c->frames, 0);
		writer_num(w, "bytes", " bytes ", (int64_t)c->bytes, 0);
		writer_close(w);
	}
	writer_line(w);
}

/* What a class has not set is the wire's. A list may be too long to show;
 * showconfig has all of it. */
static void show_setting(const struct wirefilter *wf, struct writer *w,
			 const struct wire_class *c, enum param p)
{
	char text[512];
	struct strbuf b;

	writer_open(w, param_rows[p].name);
	writer_str(w, NULL, " ", param_rows[p].name, 0);
	writer_str(w, "unit", NULL, param_rows[p].unit, 0);
	for (int d = 0; d < n_directions(wf); d++) {
		show_direction(wf, w, d);
		if (!(c->params[d].has >> p & 1)) {
			writer_text(w, " -");
			writer_str(w, directions[d].key, NULL, NULL, 0);
			continue;
		}
		strbuf_init(&b, text, sizeof(text) - 3);
		params_print(&b, &c->params[d], p);
		if (b.cut)
			memcpy(text + b.len, "...", sizeof("..."));
		writer_open(w, directions[d].key);
		writer_str(w, "text", " ", text, 0);
		writer_close(w);
	}
	writer_line(w);
	writer_close(w);
}

static bool is_set(const struct wirefilter *wf, const struct wire_class *c,
		   enum param p)
{
	uint32_t has = c->params[WIRE_LR].has;

	if (n_directions(wf) > 1)
		has |= c->params[WIRE_RL].has;
	return has >> p & 1;
}

static void show_class(const struct wirefilter *wf, struct writer *w,
		       unsigned int class)
{
	const struct wire_class *c = &wf->wire->classes[class];

	writer_open(w, NULL);
	writer_str(w, "class", "Class ", c->name, 0);
	writer_str(w, "filter", ": ", sorter_filter(wf->sorter, class), 0);
	writer_line(w);
	show_counts(wf, w, class);
	writer_open(w, "settings");
	for (enum param p = 0; p < PARAM_N; p++)
		if (is_set(wf, c, p))
			show_setting(wf, w, c, p);
	writer_close(w);
	writer_close(w);
}

static int show_classes(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;
	struct writer *w = rq->w;
	unsigned int class;

	writer_list(w, "classes");
	for (unsigned int i = 0;
	     wf->sorter && (class = sorter_nth(wf->sorter, i)); i++)
		show_class(wf, w, class);
	writer_close(w);
	if (!wf->sorter)
		return 0;
	writer_open(w, "others");
	writer_text(w, "Others\n");
	show_counts(wf, w, 0);
	writer_close(w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "class-add <name> <filter...>", "name filter", "add a class of frames, by a filter of tcpdump's", add_class, false },
	{ "class-set <name> <setting> <value...>", "name setting value", "set a parameter of a class", set_class, false },
	{ "class-del <name>", "name", "remove a class", del_class, false },
	{ "showclasses", "", "show classes, what is set for them, frames", show_classes, true },
};
/* clang-format on */

const struct mgmt_table cmd_class = { cmds, ARRAY_SIZE(cmds) };
