// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that tell how exact the wire is.
 */
#include "common/loop.h"
#include "wirefilter/cmd.h"
#include "wirefilter/sorter.h"
#include "wirefilter/watchman.h"

static int cmd_showerror(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;

	watchman_show(wf->watchman, rq->w, loop_now(wf->loop));
	return 0;
}

static int cmd_metrics(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;

	watchman_metrics(wf->watchman, rq->w);
	return 0;
}

static int cmd_reset_counters(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;

	watchman_reset(wf->watchman, loop_now(wf->loop));
	if (wf->sorter)
		sorter_reset(wf->sorter);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "showerror", "", "show how exact the wire is", cmd_showerror, true },
	{ "metrics", "", "print all counters in Prometheus' text format", cmd_metrics, true },
	{ "reset-counters", "", "set all counters to 0", cmd_reset_counters, false },
};
/* clang-format on */
const struct mgmt_table cmd_report = { cmds, ARRAY_SIZE(cmds) };
