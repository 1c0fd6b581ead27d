// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command that tells all counters.
 */
#include "switch/cmd.h"
#include "switch/metrics_sets.h"

static int cmd_metrics(struct mgmt_req *rq, void *ctx)
{
	static const struct metric_set *const sets[] = {
		&switch_metrics, &port_metrics,	   &endpoint_metrics,
		&vlan_metrics,	 &stp_metrics,	   &loopguard_metrics,
		&mirror_metrics, &capture_metrics, &mcast_metrics,
	};

	return metrics_write(rq, ctx, sets, ARRAY_SIZE(sets));
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "metrics", "", "print all counters in Prometheus' text format", cmd_metrics, true },
};
/* clang-format on */
const struct mgmt_table metrics_table = { cmds, ARRAY_SIZE(cmds) };
