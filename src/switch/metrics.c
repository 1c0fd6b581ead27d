// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/metrics.h"

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
	struct metrics m = { rq->w, METRICS_PREFIX, row->name, row, false };
	uint64_t *item = &rq->more[AT_ITEM];

	if (!rq->more[INSIDE])
		metrics_begin(&m, row->name, row->type, row->help);
	rq->more[INSIDE] = true;
	while ((*item = next_item(row, sw, *item)) != METRIC_END) {
		if (mgmt_pause(rq))
			return false;
		row->emit(&m, sw, *item);
		++*item;
	}
	metrics_end(&m);
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
