// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"

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
	writer_text(m->w, METRICS_PREFIX);
	writer_text(m->w, m->row->name);
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

void metrics_value(struct metrics *m, uint64_t value)
{
	char text[24];

	if (m->labels) {
		writer_close(m->w);
		writer_text(m->w, "} ");
	} else {
		put_name(m);
		writer_text(m->w, " ");
		writer_open(m->w, NULL);
	}
	m->labels = false;
	writer_num(m->w, "value", NULL, (int64_t)value, 0);
	writer_close(m->w);
	if (str_fmt(text, sizeof(text), "%" PRIu64 "\n", value) > 0)
		writer_text(m->w, text);
}

void metrics_value_in(struct metrics *m, const void *base)
{
	const void *at = (const char *)base + m->row->arg;

	metrics_value(m, *(const uint64_t *)at);
}

/* ---- all of them ---- */

/* What more[] holds; INSIDE: the heading of AT_METRIC has been shown. */
enum {
	AT_SET,
	AT_METRIC,
	AT_ITEM,
	INSIDE
};

static void heading_text(struct writer *w, const struct metric *row)
{
	writer_text(w, "# HELP " METRICS_PREFIX);
	writer_text(w, row->name);
	writer_text(w, " ");
	put_escaped(w, row->help, false);
	writer_text(w, "\n# TYPE " METRICS_PREFIX);
	writer_text(w, row->name);
	writer_text(w, " ");
	writer_text(w, types[row->type]);
	writer_line(w);
}

static void heading_json(struct writer *w, const struct metric *row)
{
	char name[128];

	if (str_fmt(name, sizeof(name), METRICS_PREFIX "%s", row->name) < 0)
		name[0] = '\0';
	writer_open(w, NULL);
	writer_str(w, "name", NULL, name, 0);
	writer_str(w, "type", NULL, types[row->type], 0);
	writer_str(w, "help", NULL, row->help, 0);
	writer_list(w, "samples");
}

static uint64_t next_item(const struct metric *row, const struct vswitch *sw,
			  uint64_t from)
{
	if (row->next)
		return row->next(sw, from);
	return from ? METRIC_END : 0;
}

/* False if this part is full. */
static bool write_metric(struct mgmt_req *rq, const struct vswitch *sw,
			 const struct metric *row)
{
	struct metrics m = { .w = rq->w, .row = row };
	uint64_t *item = &rq->more[AT_ITEM];

	if (!rq->more[INSIDE] && rq->w->json)
		heading_json(rq->w, row);
	else if (!rq->more[INSIDE])
		heading_text(rq->w, row);
	rq->more[INSIDE] = true;
	while ((*item = next_item(row, sw, *item)) != METRIC_END) {
		if (mgmt_pause(rq))
			return false;
		row->emit(&m, sw, *item);
		++*item;
	}
	writer_close(rq->w);
	writer_close(rq->w);
	rq->more[AT_ITEM] = rq->more[INSIDE] = 0;
	return true;
}

int metrics_write(struct mgmt_req *rq, const struct vswitch *sw,
		  const struct metric_set *const *sets, size_t n_sets)
{
	if (!rq->again)
		writer_list(rq->w, "metrics");
	for (; rq->more[AT_SET] < n_sets; rq->more[AT_SET]++) {
		const struct metric_set *set = sets[rq->more[AT_SET]];

		for (; rq->more[AT_METRIC] < set->n; rq->more[AT_METRIC]++)
			if (!write_metric(rq, sw,
					  &set->metrics[rq->more[AT_METRIC]]))
				return MGMT_MORE;
		rq->more[AT_METRIC] = 0;
	}
	writer_close(rq->w);
	return 0;
}
