// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about plugins. A plugin's own commands are at the end of help.
 */
#include <errno.h>
#include <string.h>

#include "switch/cmd.h"
#include "switch/plugin.h"

#define REASON_ROOM 2048

static bool begins(const struct plugin_info *i, const struct mgmt_req *rq)
{
	return !rq->argc ||
	       !strncmp(i->name, rq->arg[0].str, strlen(rq->arg[0].str));
}

static void show(struct writer *w, const struct plugin_info *i)
{
	writer_open(w, NULL);
	writer_str(w, "name", "", i->name, 22);
	writer_str(w, "help", " ", i->help, 0);
	writer_str(w, "file", NULL, i->file, 0);
	writer_num(w, "registrations", NULL, i->registrations, 0);
	writer_line(w);
	writer_close(w);
}

/* VDE 2: nothing to show is an error, also without an argument. */
static int cmd_list(struct mgmt_req *rq, void *ctx)
{
	struct plugins *ps = ((struct vswitch *)ctx)->plugins;
	int rc = -ENOENT;

	plugins_settle(ps);
	writer_text(rq->w, "NAME                   HELP\n"
			   "------------           ----\n");
	writer_list(rq->w, "plugins");
	for (const struct plugin *p = plugin_next(ps, NULL); p;
	     p = plugin_next(ps, p)) {
		struct plugin_info i = plugin_info(p);

		if (!begins(&i, rq))
			continue;
		show(rq->w, &i);
		rc = 0;
	}
	writer_close(rq->w);
	return rc;
}

static int cmd_add(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;
	char text[REASON_ROOM];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	plugins_settle(sw->plugins);
	rc = plugin_add(sw->plugins, rq->arg[0].str, &why);
	if (!rc)
		return 0;
	writer_str(rq->w, "reason", "unable to load plugin ", text, 0);
	writer_line(rq->w);
	return rc;
}

static int cmd_del(struct mgmt_req *rq, void *ctx)
{
	struct plugins *ps = ((struct vswitch *)ctx)->plugins;

	plugins_settle(ps);
	return plugin_del(ps, rq->arg[0].str);
}

/* clang-format off */
static const struct mgmt_cmd plugin_cmds[] = {
	{ "plugin", "============", "PLUGINS MENU", NULL, false },
	{ "plugin/list [<word>]", "", "list plugins", cmd_list, true },
	{ "plugin/add <path...>", "library", "load a plugin", cmd_add, false },
	{ "plugin/del <word>", "name", "unload a plugin", cmd_del, false },
};
/* clang-format on */
const struct mgmt_table plugin_table = { plugin_cmds, ARRAY_SIZE(plugin_cmds) };
