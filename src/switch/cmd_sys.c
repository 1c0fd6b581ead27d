// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about the switch as a whole, its data socket and its events.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "switch/cmd.h"
#include "switch/ctlsock.h"
#include "switch/event.h"
#include "switch/guard.h"
#include "switch/mcast.h"
#include "switch/rstp.h"

void cmd_mode(struct writer *w, const char *key, const char *piece,
	      unsigned int mode)
{
	char text[16];

	if (str_fmt(text, sizeof(text), "0%03o", mode) > 0)
		writer_str(w, key, piece, text, 0);
}

/* ---- ds ---- */

static int cmd_ds_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;

	writer_str(rq->w, "ctl_dir", "ctl dir ", ctlsock_dir(sw->ctl), 0);
	writer_line(rq->w);
	cmd_mode(rq->w, "mode", "std mode ", ctlsock_mode(sw->ctl));
	writer_line(rq->w);
	return 0;
}

/* ---- general ---- */

static int cmd_help(struct mgmt_req *rq, void *ctx)
{
	return mgmt_help(rq, rq->argc ? rq->arg[0].str : NULL);
}

static int cmd_logout(struct mgmt_req *rq, void *ctx)
{
	if (rq->session)
		console_logout(rq->session);
	return 0;
}

static int cmd_shutdown(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;

	log_notice("shutdown by console command");
	if (!rq->session)
		return -EBADF; /* VDE 2: an rc file cannot */
	console_farewell(rq->session);
	loop_stop(sw->loop);
	return 0;
}

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	struct writer *w = rq->w;
	char addr[ETHER_STRLEN];

	writer_text(w, SWITCH_BANNER "\n");
	writer_str(w, "version", NULL, VDE_VERSION, 0);
	writer_num(w, "pid", "pid ", getpid(), 0);
	writer_str(w, "mac", " MAC ", ether_str(addr, sw->macaddr), 0);
	writer_num(w, "uptime", " uptime ",
		   (int64_t)((loop_now(sw->loop) - sw->started) / LOOP_SEC), 0);
	writer_line(w);
	if (!sw->mgmt_path[0])
		return 0;
	writer_str(w, "mgmt", "mgmt ", sw->mgmt_path, 0);
	cmd_mode(w, "mgmt_mode", " perm ", sw->mgmt_mode);
	writer_line(w);
	return 0;
}

static int cmd_load(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;

	if (!rq->session)
		return -EBADF; /* VDE 2: not inside an rc file */
	return console_load(sw->console, rq->arg[0].str, rq);
}

/* ---- debug ---- */

static bool begins(const char *name, const struct mgmt_req *rq)
{
	return !rq->argc ||
	       !strncmp(name, rq->arg[0].str, strlen(rq->arg[0].str));
}

static uint64_t matching(const struct vswitch *sw, const struct mgmt_req *rq)
{
	uint64_t set = 0;

	for (size_t i = 0; i < EVENT_CATEGORIES; i++)
		if (sw->categories[i] && begins(sw->categories[i]->name, rq))
			set |= UINT64_C(1) << i;
	return set;
}

static void show_category(struct writer *w, const struct event_category *c,
			  bool on)
{
	char tag[8];

	if (str_fmt(tag, sizeof(tag), "%03o", c->tag) < 0)
		return;
	writer_open(w, NULL);
	writer_str(w, "category", "", c->name, 22);
	writer_str(w, "tag", " ", tag, 0);
	writer_bool(w, "on", on, " ON    ", " OFF   ");
	writer_str(w, "help", " ", c->help, 0);
	writer_line(w);
	writer_close(w);
}

static int cmd_debug_list(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	uint64_t set = matching(sw, rq);

	if (!rq->session)
		return -EBADF;
	writer_text(rq->w, "CATEGORY               TAG STATUS HELP\n"
			   "------------           --- ------ ----\n");
	writer_list(rq->w, "categories");
	for (size_t i = 0; i < EVENT_CATEGORIES; i++)
		if (set >> i & 1)
			show_category(rq->w, sw->categories[i],
				      *console_flags(rq->session) >> i & 1);
	writer_close(rq->w);
	return set ? 0 : -ENOENT;
}

/* -EEXIST, -ENOENT: they are all on, or off, already. */
static int switch_categories(struct mgmt_req *rq, struct vswitch *sw, bool on)
{
	uint64_t set = matching(sw, rq), *flags;

	if (!rq->session)
		return -EBADF;
	flags = console_flags(rq->session);
	if (!set)
		return -EINVAL;
	if (on && !(set & ~*flags))
		return -EEXIST;
	if (!on && !(set & *flags))
		return -ENOENT;
	*flags = on ? *flags | set : *flags & ~set;
	event_update(sw);
	return 0;
}

static int cmd_debug_add(struct mgmt_req *rq, void *ctx)
{
	return switch_categories(rq, ctx, true);
}

static int cmd_debug_del(struct mgmt_req *rq, void *ctx)
{
	return switch_categories(rq, ctx, false);
}

/* clang-format off */
static const struct mgmt_cmd ds_cmds[] = {
	{ "ds", "============", "DATA SOCKET MENU", NULL, false },
	{ "ds/showinfo", "", "show ds info", cmd_ds_showinfo, true },
};
const struct mgmt_table ds_table = { ds_cmds, ARRAY_SIZE(ds_cmds) };

static const struct mgmt_cmd sys_cmds[] = {
	{ "help [<word>]", "[arg]", "Help (limited to arg when specified)", cmd_help, true },
	{ "logout", "", "logout from this mgmt terminal", cmd_logout, false },
	{ "shutdown", "", "shutdown of the switch", cmd_shutdown, false },
	{ "showinfo", "", "show switch version and info", cmd_showinfo, true },
	{ "load <path...>", "path", "load a configuration script", cmd_load, false },
};
const struct mgmt_table sys_table = { sys_cmds, ARRAY_SIZE(sys_cmds) };

static const struct mgmt_cmd debug_cmds[] = {
	{ "debug", "============", "DEBUG MENU", NULL, false },
	{ "debug/list [<word>]", "", "list debug categories", cmd_debug_list, true },
	{ "debug/add [<word>]", "dbgpath", "enable debug info for a given category", cmd_debug_add, false },
	{ "debug/del [<word>]", "dbgpath", "disable debug info for a given category", cmd_debug_del, false },
};
const struct mgmt_table debug_table = { debug_cmds, ARRAY_SIZE(debug_cmds) };
/* clang-format on */

static const struct mgmt_type types[] = {
	{ "port", 0, BRIDGE_PORTS_MAX },
	{ "numports", 1, BRIDGE_PORTS_MAX },
	{ "vlan", 0, BRIDGE_VLAN_LAST },
	{ "newvlan", 1, BRIDGE_VLAN_LAST },
	{ "pvid", 0, VLAN_NONE },
	{ "bool", INT32_MIN, INT32_MAX }, /* VDE 2: anything but 0 is true */
	{ "id", 0, INT32_MAX },
	{ "anyvlan", 0, VLAN_MAX },
	{ "slots", 1, MACTAB_MAX_SLOTS },
	{ "seconds", 0, INT32_MAX },
	{ "queue", 0, TXQ_MAX },
	{ "interval", 10, 60000 }, /* ms, of the loop guard */
	{ "hold", 1, 86400 }, /* s */
	{ "bridgeprio", 0, UINT16_MAX },
	{ "portprio", 0, 240 },
	{ "pathcost", 1, RSTP_COST_MAX },
	{ "bonus", INT32_MIN, INT32_MAX },
	{ "hello", 1, 10 },
	{ "maxage", 6, 40 },
	{ "fdelay", 4, 30 },
	{ "maxaddr", 0, GUARD_MAX_ADDRS },
	{ "frames", 0, GUARD_MAX_FRAMES },
	{ "bytes", 0, GUARD_MAX_BYTES },
	{ "burst", 1, GUARD_MAX_BURST },
	{ "mcastinterval", 1, MCAST_INTERVAL_MAX_S },
};

int cmd_add_table(struct vswitch *sw, const struct mgmt_table *t)
{
	if (sw->mgmt.n_tables == ARRAY_SIZE(sw->tables))
		return -ENOSPC;
	sw->tables[sw->mgmt.n_tables++] = *t;
	return 0;
}

void cmd_del_table(struct vswitch *sw, const struct mgmt_table *t)
{
	size_t i = 0, n = sw->mgmt.n_tables;

	while (i < n && sw->tables[i].cmds != t->cmds)
		i++;
	if (i == n)
		return;
	if (sw->console)
		console_forget(sw->console, t);
	sw->mgmt.n_tables--;
	memmove(&sw->tables[i], &sw->tables[i + 1],
		(n - 1 - i) * sizeof(sw->tables[0]));
}

void cmd_init(struct vswitch *sw)
{
	/* clang-format off */
	const struct mgmt_table *const all[] = {
		&ds_table,
		&sys_table,
		&debug_table,
		&plugin_table,
		&hash_table,
		&stp_table,
		&port_table,
		&vlan_table,
		&tap_table,
		&if_table,
		&capture_table,
		&loopguard_table,
		&guard_table,
		&mirror_table,
		&mcast_table,
		&metrics_table,
	};
	/* clang-format on */

	static_assert(ARRAY_SIZE(all) < SWITCH_TABLES / 2,
		      "no room for those of plugins");
	sw->mgmt = (struct mgmt){ sw->tables, 0, types, ARRAY_SIZE(types), sw };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		cmd_add_table(sw, all[i]);
}
