// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/metrics.h"

#include <inttypes.h>
#include <math.h>

#include "base/strbuf.h"
#include "base/util.h"

static const char *const types[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
};
static_assert(ARRAY_SIZE(types) == METRIC_N_TYPES, "a type has no name");

/* ---- one sample ---- */

/* The writer replaces what is no text; a newline is left to escape. */
static void put_escaped(struct writer *w, const char *s, bool quotes)
{
	char run[64];
	struct strbuf b;

	strbuf_init(&b, run, sizeof(run));
	for (; *s; s++) {
		if (*s == '\n')
			strbuf_add(&b, "\\n");
		else if (*s == '\\' || (quotes && *s == '"'))
			strbuf_fmt(&b, "\\%c", *s);
		else
			strbuf_addn(&b, s, 1);
		/* Not inside of a character. */
		if (b.len < sizeof(run) - 8 || ((uint8_t)s[1] & 0xc0) == 0x80)
			continue;
		writer_str(w, NULL, "", run, 0);
		strbuf_init(&b, run, sizeof(run));
	}
	writer_str(w, NULL, "", run, 0);
}

static void put_name(struct metrics *m)
{
	writer_text(m->w, m->prefix);
	writer_text(m->w, m->name);
}

static void begin_label(struct metrics *m, const char *name)
{
	if (!m->labels) {
		put_name(m);
		writer_open(m->w, NULL);
		writer_open(m->w, "labels");
	}
	writer_text(m->w, m->labels ? "," : "{");
	writer_text(m->w, name);
	writer_text(m->w, "=\"");
	m->labels = true;
}

void metrics_label(struct metrics *m, const char *name, const char *value)
{
	begin_label(m, name);
	if (m->w->json)
		writer_str(m->w, name, NULL, value, 0);
	else
		put_escaped(m->w, value, true);
	writer_text(m->w, "\"");
}

void metrics_label_num(struct metrics *m, const char *name, unsigned int value)
{
	char text[16];

	if (str_fmt(text, sizeof(text), "%u", value) > 0)
		metrics_label(m, name, text);
}

static void begin_value(struct metrics *m)
{
	if (m->labels) {
		writer_close(m->w);
		writer_text(m->w, "} ");
	} else {
		put_name(m);
		writer_text(m->w, " ");
		writer_open(m->w, NULL);
	}
	m->labels = false;
}

void metrics_value(struct metrics *m, uint64_t value)
{
	char text[24];

	begin_value(m);
	writer_num(m->w, "value", NULL, (int64_t)value, 0);
	writer_close(m->w);
	if (str_fmt(text, sizeof(text), "%" PRIu64 "\n", value) > 0)
		writer_text(m->w, text);
}

void metrics_real(struct metrics *m, double value)
{
	char text[40];

	begin_value(m);
	writer_real(m->w, "value", NULL, value, 0);
	writer_close(m->w);
	if (!isfinite(value))
		writer_text(m->w, "NaN\n");
	else if (str_fmt(text, sizeof(text), "%.12g\n", value) > 0)
		writer_text(m->w, text);
}

/* ---- a metric ---- */

static void heading_text(struct metrics *m, enum metric_type type,
			 const char *help)
{
	writer_text(m->w, "# HELP ");
	put_name(m);
	writer_text(m->w, " ");
	put_escaped(m->w, help, false);
	writer_text(m->w, "\n# TYPE ");
	put_name(m);
	writer_text(m->w, " ");
	writer_text(m->w, types[type]);
	writer_line(m->w);
}

static void heading_json(struct metrics *m, enum metric_type type,
			 const char *help)
{
	char name[128];

	if (str_fmt(name, sizeof(name), "%s%s", m->prefix, m->name) < 0)
		name[0] = '\0';
	writer_open(m->w, NULL);
	writer_str(m->w, "name", NULL, name, 0);
	writer_str(m->w, "type", NULL, types[type], 0);
	writer_str(m->w, "help", NULL, help, 0);
	writer_list(m->w, "samples");
}

void metrics_begin(struct metrics *m, const char *name, enum metric_type type,
		   const char *help)
{
	m->name = name;
	if (m->w->json)
		heading_json(m, type, help);
	else
		heading_text(m, type, help);
}

void metrics_end(struct metrics *m)
{
	writer_close(m->w);
	writer_close(m->w);
}
