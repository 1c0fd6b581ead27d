/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin - shared objects that see frames, answer commands and hear events
 *
 * The switch's side of vde_plugin.h: who is loaded, and what each of them
 * registered. A plugin never touches a structure of the switch: it has a
 * table of functions, and numbers for what it registered. Each call out of
 * the switch goes through a registration (struct plugin_reg, plugin_impl.h),
 * and what has been removed is not called again, but freed only between two
 * turns of the loop; so a callback may remove anything, its own plugin too.
 */
#ifndef SWITCH_PLUGIN_H
#define SWITCH_PLUGIN_H

#include "base/strbuf.h"
#include "switch/vswitch.h"

struct plugins;
struct plugin;

/* In sw->plugins. 0 or -ENOMEM. */
int plugins_init(struct vswitch *);
/* Unloads all of them, the newest first. */
void plugins_free(struct plugins *);

/* Does now what would be done after this turn, as a plugin that asked for its
 * own end. Only where nothing of a plugin runs: in a command of the console. */
void plugins_settle(struct plugins *);

/* Loads @lib as vde_plugin(3) says. 0; on -errno @why has the reason:
 * -ENOENT it cannot be loaded, -EINVAL it is no plugin or one of another API,
 * -EEXIST it is loaded already, else what its init() returned. */
int plugin_add(struct plugins *, const char *lib, struct strbuf *why);
/* Unloads the one of that name, else the first whose name begins so; at once,
 * or as soon as nothing of it runs. 0 or -ENOENT. */
int plugin_del(struct plugins *, const char *prefix);

/* The next one in the order of loading; NULL: the first, or no more. */
struct plugin *plugin_next(const struct plugins *, const struct plugin *);

struct plugin_info {
	const char *name, *help, *file;
	unsigned int registrations;
};
struct plugin_info plugin_info(const struct plugin *);

/* SIGHUP has come. */
void plugins_hangup(struct plugins *);

#endif
