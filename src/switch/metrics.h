/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics - what the switch counts, in the form of common/metrics.h
 *
 * Each part of the switch has a table of what it can tell (struct metric_set)
 * and one function for each row, called once for every item that the row has:
 * for every port, every VLAN. It says its samples, as many as it likes:
 *
 *     static void drops(struct metrics *m, const struct vswitch *sw,
 *			 uint64_t port)
 *     {
 *		metrics_label_num(m, "port", (unsigned int)port);
 *		metrics_label(m, "reason", "runt");
 *		metrics_value(m, 7);
 *     }
 *
 * gives vde_switch_port_drops_total{port="1",reason="runt"} 7. cmd_metrics.c
 * has the list of the tables.
 */
#ifndef SWITCH_METRICS_H
#define SWITCH_METRICS_H

#include "common/metrics.h"
#include "common/mgmt.h"

#define METRICS_PREFIX "vde_switch_"
#define METRIC_END UINT64_MAX

struct vswitch;

struct metric {
	const char *name; /* without the prefix */
	enum metric_type type;
	const char *help;
	/* The first item that is not before @from, or METRIC_END; what it
	 * numbers is its own. NULL: there is one, number 0. */
	uint64_t (*next)(const struct vswitch *, uint64_t from);
	void (*emit)(struct metrics *, const struct vswitch *, uint64_t item);
	size_t arg; /* of that function: m->row->arg */
};

struct metric_set {
	const struct metric *metrics;
	size_t n;
};

/* The value is a uint64_t of @base, the row's @arg is where in it. */
void metrics_value_in(struct metrics *, const void *base);

/* All rows of all sets as the data of a command, in parts: 0 or MGMT_MORE. */
int metrics_write(struct mgmt_req *, const struct vswitch *,
		  const struct metric_set *const *sets, size_t n_sets);

#endif
