// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/cmd.h"
#include "switch/plugin_impl.h"

#define MAX_PLUGINS 64
#define MAX_REGS 256

/* A turn without anything else to do is as good as another. */
static void woken(struct loop_timer *t)
{
}

void plugins_sweep(struct plugins *ps)
{
	ps->sweep = true;
	if (!loop_timer_armed(&ps->wake))
		loop_timer_set(ps->sw->loop, &ps->wake, 0, woken);
}

/* ---- what a plugin registered ---- */

struct plugin *plugin_of(struct vde_plugin_ctx *ctx, int *rc)
{
	struct plugin *p;

	*rc = -EINVAL;
	if (!ctx)
		return NULL;
	p = container_of(ctx, struct plugin, ctx);
	*rc = -EPERM;
	if (!pthread_equal(pthread_self(), p->plugins->thread))
		return NULL;
	*rc = 0;
	return p;
}

/* Numbers are never used twice: one that is void finds nothing. */
struct plugin_reg *plugin_reg_new(struct vde_plugin_ctx *ctx,
				  enum plugin_reg_kind kind, size_t text,
				  int *rc)
{
	struct plugin *p = plugin_of(ctx, rc);
	struct plugin_reg *r;

	if (!p)
		return NULL;
	*rc = -ESHUTDOWN;
	if (p->state == PLUGIN_STOPPING)
		return NULL;
	*rc = -ENOSPC;
	if (p->n_regs == MAX_REGS || p->last_id == INT_MAX)
		return NULL;
	*rc = -ENOMEM;
	r = calloc(1, sizeof(*r) + text);
	if (!r)
		return NULL;
	*rc = 0;
	r->plugin = p;
	r->kind = kind;
	return r;
}

static void link_reg(struct plugin_reg *r)
{
	struct bridge *br = r->plugin->plugins->sw->br;

	if (r->kind == PLUGIN_REG_FRAMES)
		hook_add(br, &r->frames.hook);
	else if (r->kind == PLUGIN_REG_EVENTS)
		bridge_listen(br, &r->events.listener);
	r->linked = true;
}

/* Nobody is being called while a plugin starts: it is added by a command. */
int plugin_reg_done(struct plugin_reg *r)
{
	r->id = ++r->plugin->last_id;
	r->plugin->n_regs++;
	list_add_tail(&r->plugin->regs, &r->node);
	if (r->plugin->state == PLUGIN_STARTING)
		link_reg(r);
	else
		plugins_sweep(r->plugin->plugins);
	return r->id;
}

static void free_reg(struct plugin_reg *r)
{
	if (r->kind == PLUGIN_REG_COMMANDS) {
		free(r->commands.rows);
		free(r->commands.handlers);
	}
	free(r);
}

int plugin_reg_cancel(struct plugin_reg *r, int rc)
{
	free_reg(r);
	return rc;
}

struct plugin_reg *plugin_reg_find(struct plugin *p, int id)
{
	list_for_each(it, &p->regs) {
		struct plugin_reg *r = list_entry(it, struct plugin_reg, node);

		if (r->id == id && !r->dead)
			return r;
	}
	return NULL;
}

/* What others find by name goes at once, so that the name is free again. What
 * may be the one that is calling right now stays until the sweep. */
void plugin_reg_remove(struct plugin_reg *r)
{
	struct vswitch *sw = r->plugin->plugins->sw;

	if (r->dead)
		return;
	r->dead = true;
	r->plugin->n_regs--;
	plugins_sweep(r->plugin->plugins);
	switch (r->kind) {
	case PLUGIN_REG_COMMANDS:
		cmd_del_table(sw, &r->commands.table);
		break;
	case PLUGIN_REG_CATEGORY:
		event_unregister(sw, r->category.bit);
		break;
	case PLUGIN_REG_TIMER:
		loop_timer_del(sw->loop, &r->timer.timer);
		break;
	case PLUGIN_REG_FRAMES:
	case PLUGIN_REG_EVENTS:
		break;
	}
}

/* Nobody is being called. */
static void bury(struct plugin_reg *r)
{
	struct bridge *br = r->plugin->plugins->sw->br;

	if (r->linked && r->kind == PLUGIN_REG_FRAMES)
		hook_del(br, &r->frames.hook);
	else if (r->linked && r->kind == PLUGIN_REG_EVENTS)
		bridge_unlisten(br, &r->events.listener);
	list_del(&r->node);
	free_reg(r);
}

/* ---- the end of a plugin ---- */

/* Nothing of it runs, nobody looks at what it registered. */
static void unload(struct plugin *p)
{
	if (p->started && p->desc->fini) {
		p->busy++;
		p->desc->fini(&p->ctx);
		p->busy--;
	}
	list_for_each_safe(it, next, &p->regs) {
		struct plugin_reg *r = list_entry(it, struct plugin_reg, node);

		plugin_reg_remove(r);
		bury(r);
	}
	list_del(&p->node);
	dlclose(p->handle);
	free(p);
}

void plugin_stop(struct plugin *p)
{
	p->state = PLUGIN_STOPPING;
	plugins_sweep(p->plugins);
}

static void sweep(struct plugin *p)
{
	if (p->busy)
		return;
	if (p->state == PLUGIN_STOPPING) {
		log_notice("plugin %s unloaded", p->desc->name);
		unload(p);
		return;
	}
	list_for_each_safe(it, next, &p->regs) {
		struct plugin_reg *r = list_entry(it, struct plugin_reg, node);

		if (r->dead)
			bury(r);
		else if (!r->linked)
			link_reg(r);
	}
}

/* What a fini() does may make another sweep necessary. */
void plugins_settle(struct plugins *ps)
{
	while (ps->sweep) {
		ps->sweep = false;
		list_for_each_safe(it, next, &ps->all) {
			sweep(list_entry(it, struct plugin, node));
		}
	}
}

static void turn_over(struct loop_hook *h)
{
	plugins_settle(container_of(h, struct plugins, turn));
}

/* ---- all of them ---- */

int plugins_init(struct vswitch *sw)
{
	struct plugins *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return -ENOMEM;
	ps->sw = sw;
	ps->thread = pthread_self();
	list_init(&ps->all);
	loop_hook_add(sw->loop, &ps->turn, turn_over);
	sw->plugins = ps;
	return 0;
}

void plugins_free(struct plugins *ps)
{
	if (!ps)
		return;
	while (!list_empty(&ps->all)) {
		struct plugin *p = list_entry(ps->all.prev, struct plugin,
					      node);

		p->state = PLUGIN_STOPPING;
		unload(p);
	}
	loop_hook_del(&ps->turn);
	loop_timer_del(ps->sw->loop, &ps->wake);
	ps->sw->plugins = NULL;
	free(ps);
}

struct plugin *plugin_next(const struct plugins *ps, const struct plugin *p)
{
	const struct list *next = p ? p->node.next : ps->all.next;

	return next == &ps->all
		       ? NULL
		       : list_entry(unconst(next), struct plugin, node);
}

struct plugin_info plugin_info(const struct plugin *p)
{
	return (struct plugin_info){ p->desc->name, p->desc->help, p->file,
				     p->n_regs };
}

/* ---- add ---- */

/* -EEXIST for the same file, and for another of the same name: plugin/del
 * could not tell them apart. */
static int check_new(const struct plugins *ps, const struct plugin_file *f,
		     struct strbuf *why)
{
	unsigned int n = 0;

	for (const struct plugin *p = plugin_next(ps, NULL); p;
	     p = plugin_next(ps, p), n++) {
		if (p->desc != f->desc && strcmp(p->desc->name, f->desc->name))
			continue;
		strbuf_fmt(why, "%s: plugin %s is loaded%s%s", f->path,
			   p->desc->name, p->desc == f->desc ? "" : " from ",
			   p->desc == f->desc ? " already" : p->file);
		return -EEXIST;
	}
	if (n < MAX_PLUGINS)
		return 0;
	strbuf_fmt(why, "%s: %u plugins are loaded", f->path, n);
	return -ENOSPC;
}

static struct plugin *plugin_new(struct plugins *ps,
				 const struct plugin_file *f)
{
	size_t len = strlen(f->path) + 1;
	struct plugin *p = calloc(1, sizeof(*p) + len);

	if (!p)
		return NULL;
	p->plugins = ps;
	p->ctx.host = &plugin_host;
	p->desc = f->desc;
	p->handle = f->handle;
	p->req.plugin = p;
	list_init(&p->regs);
	memcpy(p->file, f->path, len);
	list_add_tail(&ps->all, &p->node);
	return p;
}

static int start(struct plugin *p, struct strbuf *why)
{
	int rc;

	p->busy++;
	rc = p->desc->init(&p->ctx);
	p->busy--;
	if (rc >= 0 && p->state != PLUGIN_STOPPING) {
		p->state = PLUGIN_RUNNING;
		p->started = true;
		return 0;
	}
	rc = rc < 0 && rc > -1000 ? rc : -EINVAL;
	strbuf_fmt(why, "%s: unable to start: %s", p->file, strerror(-rc));
	if (p->refused[0])
		strbuf_fmt(why, " (%s)", p->refused);
	p->state = PLUGIN_STOPPING;
	unload(p);
	return rc;
}

int plugin_add(struct plugins *ps, const char *lib, struct strbuf *why)
{
	struct plugin_file f;
	struct plugin *p;
	int rc = plugin_open(&f, lib, why);

	if (rc)
		return rc;
	rc = check_new(ps, &f, why);
	if (!rc) {
		p = plugin_new(ps, &f);
		if (p)
			return start(p, why);
		rc = -ENOMEM;
		strbuf_fmt(why, "%s: %s", f.path, strerror(ENOMEM));
	}
	dlclose(f.handle);
	return rc;
}

/* ---- del ---- */

static struct plugin *find(const struct plugins *ps, const char *prefix)
{
	struct plugin *found = NULL;

	for (struct plugin *p = plugin_next(ps, NULL); p;
	     p = plugin_next(ps, p)) {
		const char *name = p->desc->name;

		if (p->state == PLUGIN_STOPPING)
			continue;
		if (!strcmp(name, prefix))
			return p;
		if (!found && !strncmp(name, prefix, strlen(prefix)))
			found = p;
	}
	return found;
}

int plugin_del(struct plugins *ps, const char *prefix)
{
	struct plugin *p = find(ps, prefix);

	if (!p)
		return -ENOENT;
	plugin_stop(p);
	if (!p->busy)
		unload(p);
	return 0;
}

/* ---- events that are not the bridge's ---- */

static void hang_up(struct plugin *p)
{
	const struct vde_plugin_event ev = { .size = sizeof(ev),
					     .type = VDE_PLUGIN_HANGUP };

	list_for_each(it, &p->regs) {
		struct plugin_reg *r = list_entry(it, struct plugin_reg, node);

		if (r->kind != PLUGIN_REG_EVENTS ||
		    !(r->events.types >> VDE_PLUGIN_HANGUP & 1) ||
		    !plugin_enter(r))
			continue;
		r->events.fn(&p->ctx, r->arg, &ev);
		plugin_leave(r);
	}
}

void plugins_hangup(struct plugins *ps)
{
	for (struct plugin *p = plugin_next(ps, NULL); p;
	     p = plugin_next(ps, p))
		hang_up(p);
}
