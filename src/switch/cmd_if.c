// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about interfaces of this host: taps, and those that exist already.
 */
#include <string.h>

#include "switch/cmd.h"
#include "switch/tr_packet.h"
#include "switch/tr_tap.h"

static void show_port(struct mgmt_req *rq, int port)
{
	writer_num(rq->w, "port", "Port ", port, 4);
	writer_line(rq->w);
}

static int cmd_tap_add(struct mgmt_req *rq, void *ctx)
{
	const char *name = rq->arg[0].str;
	int rc = tap_add(ctx, name);

	if (rc < 0) {
		log_warn("unable to add tap %s: %s", name, strerror(-rc));
		return rc;
	}
	show_port(rq, rc);
	return 0;
}

static int cmd_tap_del(struct mgmt_req *rq, void *ctx)
{
	return tap_del(ctx, rq->arg[0].str);
}

static int cmd_if_add(struct mgmt_req *rq, void *ctx)
{
	const char *name = rq->arg[0].str;
	int rc = packet_add(ctx, name);

	if (rc < 0) {
		log_warn("unable to add interface %s: %s", name,
			 packet_strerror(rc));
		return rc;
	}
	show_port(rq, rc);
	return 0;
}

static int cmd_if_del(struct mgmt_req *rq, void *ctx)
{
	return packet_del(ctx, rq->arg[0].str);
}

/* clang-format off */
static const struct mgmt_cmd tap_cmds[] = {
	{ "tap", "============", "TAP INTERFACE MENU", NULL, false },
	{ "tap/add <name>", "NAME", "connect the tap interface NAME to a free port", cmd_tap_add, true },
	{ "tap/del <name>", "NAME", "disconnect the tap interface NAME", cmd_tap_del, false },
};

static const struct mgmt_cmd if_cmds[] = {
	{ "if", "============", "INTERFACE MENU", NULL, false },
	{ "if/add <name>", "NAME", "connect the existing interface NAME to a free port", cmd_if_add, true },
	{ "if/del <name>", "NAME", "disconnect the interface NAME", cmd_if_del, false },
};
/* clang-format on */
const struct mgmt_table tap_table = { tap_cmds, ARRAY_SIZE(tap_cmds) };
const struct mgmt_table if_table = { if_cmds, ARRAY_SIZE(if_cmds) };
