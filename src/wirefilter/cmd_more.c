// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Settings that VDE 2 has not, and commands about all of them.
 */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "wirefilter/cmd.h"
#include "wirefilter/show.h"

/* Of vde-netemu: "[LR|RL]MIN,MAX,PROB[,LIMIT][[NODE]]". */
static int cmd_red(struct mgmt_req *rq, void *ctx)
{
	const char *value = rq->arg[0].str;
	size_t prefix = 0;
	char text[512];

	if (!strncmp(value, "LR", 2) || !strncmp(value, "RL", 2))
		prefix = 2;
	if (str_fmt(text, sizeof(text), "%.*sred %s", (int)prefix, value,
		    value + prefix) < 0)
		return cmd_refuse(rq, -E2BIG, "unable to set red: too long");
	return cmd_set_as(rq, "qdisc", text);
}

static int cmd_seed(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;

	writer_big(rq->w, "seed", "seed ", wf->wire->seed);
	writer_line(rq->w);
	return 0;
}

static int cmd_why(struct mgmt_req *rq, void *ctx)
{
	const char *why;

	if (!rq->session)
		return mgmt_refuse(rq, -EBADF, "there is no session");
	why = console_last_failure(rq->session);
	writer_str(rq->w, "why", "", *why ? why : "nothing has failed", 0);
	writer_line(rq->w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd rows[] = {
	{ "burst <value...>", "", "set bucket of the bandwidth (bytes)", cmd_set, false },
	{ "limit <value...>", "", "set channel buffer size (frames)", cmd_set, false },
	{ "reorder <value...>", "", "set percentage that overtakes the delay", cmd_set, false },
	{ "corrupt <value...>", "", "set percentage with a flipped bit", cmd_set, false },
	{ "ber <value...>", "", "set flipped bits per million", cmd_set, false },
	{ "gilbert <value...>", "", "set Gilbert-Elliott loss P[,R[,1-H[,1-K]]]", cmd_set, false },
	{ "lossperiod <value...>", "", "lose every Nth frame N[,LENGTH[,FIRST]]", cmd_set, false },
	{ "losslist <value...>", "", "lose frames by number 3,7-9", cmd_set, false },
	{ "qdisc <value...>", "", "set tail, red, red-average or codel", cmd_set, false },
	{ "red <value...>", "", "set qdisc red MIN,MAX,PROB[,LIMIT]", cmd_red, false },
	{ "RED <value...>", "", "", cmd_red, false },
	{ "blackout <value...>", "", "let nothing pass at FROM+LENGTH[/PERIOD] ms", cmd_set, false },
	{ "seed", "", "show the seed of all random numbers", cmd_seed, true },
	{ "showconfig", "", "show the commands that make this wire", show_config, true },
	{ "why", "", "tell why the last command failed", cmd_why, true },
};
const struct mgmt_table cmd_more = { rows, ARRAY_SIZE(rows) };
/* clang-format on */
