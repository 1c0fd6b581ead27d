/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics_sets - what the parts of the switch have to tell
 *
 * Who adds a set names it here and in cmd_metrics.c, and each of its rows in
 * vde_metrics(7).
 */
#ifndef SWITCH_METRICS_SETS_H
#define SWITCH_METRICS_SETS_H

#include "switch/metrics.h"

extern const struct metric_set switch_metrics;
extern const struct metric_set port_metrics;
extern const struct metric_set endpoint_metrics;
extern const struct metric_set vlan_metrics;
extern const struct metric_set stp_metrics;
extern const struct metric_set loopguard_metrics;
extern const struct metric_set mirror_metrics;
extern const struct metric_set capture_metrics;
extern const struct metric_set mcast_metrics;

/* For rows with an item for each port that exists, by its number. */
uint64_t metrics_next_port(const struct vswitch *, uint64_t from);

#endif
