// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a plugin can register: each function checks what it is given, since it
 * comes from a stranger, and turns it into a call of the switch's own. At the
 * end is the table of all that a plugin can call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/cmd.h"
#include "switch/plugin_impl.h"

#define MIN_PERIOD (LOOP_MS / 10)
#define MAX_TAG 0777
#define MAX_COMMANDS 64 /* of one call */
#define CATEGORY_MAX 63
#define TEXT_MAX 1024

/* ---- strings of a registration ---- */

/* Copies @s to *@at, which is moved behind it. */
static const char *keep(char **at, const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = *at;

	memcpy(copy, s, len);
	*at += len;
	return copy;
}

/* Why the plugin's init() may be about to fail. */
static void refuse(struct plugin *p, const char *what, const char *name, int rc)
{
	str_fmt(p->refused, sizeof(p->refused), "%s '%.100s': %s", what, name,
		strerror(-rc));
}

static bool is_text(const char *s)
{
	return s && strlen(s) < TEXT_MAX;
}

/* ---- frames ---- */

static uint32_t point_of(enum hook_point point)
{
	static const uint32_t points[] = {
		[HOOK_IN] = VDE_PLUGIN_IN,
		[HOOK_OUT] = VDE_PLUGIN_OUT,
		[HOOK_DROP] = VDE_PLUGIN_DROPPED,
	};
	static_assert(ARRAY_SIZE(points) == HOOK_N_POINTS, "a new point");

	return points[point];
}

static struct vde_plugin_frame view(const struct hook_frame *hf)
{
	const struct frame *f = hf->frame;
	struct vde_plugin_frame v = {
		.size = sizeof(v),
		.point = point_of(hf->point),
		.port = hf->port->id,
		.time = hf->now,
		.tagged = hf->tagged,
	};

	if (hf->point == HOOK_DROP)
		v.reason = drop_reason_name(hf->reason);
	if (!f)
		return v;
	v.data = f->data;
	v.len = f->len;
	v.vlan = frame_vid(f);
	v.tci = f->tci;
	v.flags = f->offload.flags;
	v.gso_type = f->offload.gso_type;
	v.gso_size = f->offload.gso_size;
	v.hdr_len = f->offload.hdr_len;
	v.csum_start = f->offload.csum_start;
	v.csum_offset = f->offload.csum_offset;
	return v;
}

static bool see_frame(struct frame_hook *h, const struct hook_frame *hf)
{
	struct plugin_reg *r = container_of(h, struct plugin_reg, frames.hook);
	struct vde_plugin_frame v;
	bool pass;

	if (!plugin_enter(r))
		return true;
	v = view(hf);
	pass = r->frames.fn(&r->plugin->ctx, r->arg, &v) != VDE_PLUGIN_VETO;
	plugin_leave(r);
	return pass;
}

static int watch_frames(struct vde_plugin_ctx *ctx, unsigned int points,
			vde_plugin_frame_fn *fn, void *arg)
{
	const unsigned int all = VDE_PLUGIN_IN | VDE_PLUGIN_OUT |
				 VDE_PLUGIN_DROPPED;
	struct plugin_reg *r;
	int rc;

	r = plugin_reg_new(ctx, PLUGIN_REG_FRAMES, 0, &rc);
	if (!r)
		return rc;
	if (!fn || !points || (points & ~all))
		return plugin_reg_cancel(r, -EINVAL);
	for (unsigned int i = 0; i < HOOK_N_POINTS; i++)
		if (points & point_of((enum hook_point)i))
			r->frames.hook.points |= 1U << i;
	r->arg = arg;
	r->frames.fn = fn;
	r->frames.hook.rank = HOOK_VETO;
	r->frames.hook.fn = see_frame;
	return plugin_reg_done(r);
}

/* ---- commands ---- */

static bool is_command(const struct vde_plugin_command *c)
{
	return is_text(c->syntax) && is_text(c->shown) && is_text(c->help) &&
	       !(c->flags & ~VDE_PLUGIN_DATA);
}

static size_t text_of(const struct vde_plugin_command *c)
{
	return strlen(c->syntax) + strlen(c->shown) + strlen(c->help) + 3;
}

/* The rows are good, and have names that nobody has, not even twice. */
static int check_rows(struct plugin_reg *r, unsigned int n)
{
	struct vswitch *sw = r->plugin->plugins->sw;
	struct mgmt_table before = { r->commands.rows, 0 };
	const struct mgmt own = { .tables = &before, .n_tables = 1 };
	int rc = 0;

	for (; before.n_cmds < n && !rc; before.n_cmds++) {
		const struct mgmt_cmd *row = &before.cmds[before.n_cmds];

		rc = mgmt_check(&sw->mgmt, row);
		if (!rc)
			rc = mgmt_check(&own, row);
		if (rc)
			refuse(r->plugin, "command", row->syntax, rc);
	}
	return rc;
}

static int fill_rows(struct plugin_reg *r, const struct vde_plugin_command *c,
		     unsigned int n)
{
	struct plugin_handler *handlers = calloc(n, sizeof(*handlers));
	struct mgmt_cmd *rows = calloc(n, sizeof(*rows));
	char *at = r->text;

	r->commands.handlers = handlers;
	r->commands.rows = rows;
	if (!handlers || !rows)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++, c++) {
		rows[i].syntax = keep(&at, c->syntax);
		rows[i].shown = keep(&at, c->shown);
		rows[i].help = keep(&at, c->help);
		rows[i].fn = c->fn ? plugin_run_command : NULL;
		rows[i].data = c->flags & VDE_PLUGIN_DATA;
		handlers[i] = (struct plugin_handler){ c->fn, c->arg };
	}
	r->commands.table = (struct mgmt_table){ rows, n };
	return check_rows(r, n);
}

static int add_commands(struct vde_plugin_ctx *ctx,
			const struct vde_plugin_command *c, unsigned int n)
{
	struct plugin_reg *r;
	size_t text = 0;
	int rc;

	if (!c || !n || n > MAX_COMMANDS)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		if (!is_command(&c[i]))
			return -EINVAL;
		text += text_of(&c[i]);
	}
	r = plugin_reg_new(ctx, PLUGIN_REG_COMMANDS, text, &rc);
	if (!r)
		return rc;
	rc = fill_rows(r, c, n);
	if (!rc)
		rc = cmd_add_table(r->plugin->plugins->sw, &r->commands.table);
	return rc ? plugin_reg_cancel(r, rc) : plugin_reg_done(r);
}

/* ---- categories of events ---- */

static bool is_category(const char *name)
{
	return is_text(name) && *name && strlen(name) <= CATEGORY_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			    "XYZ0123456789/+-_.") == strlen(name);
}

static bool find_category(const struct vswitch *sw, const char *name)
{
	for (size_t i = 0; i < EVENT_CATEGORIES; i++)
		if (sw->categories[i] && !strcmp(sw->categories[i]->name, name))
			return true;
	return false;
}

static int add_category(struct vde_plugin_ctx *ctx, const char *name,
			unsigned int tag, const char *help)
{
	struct plugin_reg *r;
	char *at;
	int rc;

	if (!is_category(name) || tag > MAX_TAG || !is_text(help))
		return -EINVAL;
	r = plugin_reg_new(ctx, PLUGIN_REG_CATEGORY,
			   strlen(name) + strlen(help) + 2, &rc);
	if (!r)
		return rc;
	at = r->text;
	r->category.category.name = keep(&at, name);
	r->category.category.help = keep(&at, help);
	r->category.category.tag = tag;
	rc = find_category(r->plugin->plugins->sw, name)
		     ? -EEXIST
		     : event_register(r->plugin->plugins->sw,
				      &r->category.category);
	if (rc < 0) {
		refuse(r->plugin, "category", name, rc);
		return plugin_reg_cancel(r, rc);
	}
	r->category.bit = rc;
	return plugin_reg_done(r);
}

static struct plugin_reg *category_of(struct vde_plugin_ctx *ctx, int id,
				      int *rc)
{
	struct plugin *p = plugin_of(ctx, rc);
	struct plugin_reg *r = p ? plugin_reg_find(p, id) : NULL;

	if (p && (!r || r->kind != PLUGIN_REG_CATEGORY)) {
		*rc = -EINVAL;
		return NULL;
	}
	return r;
}

static int wanted(struct vde_plugin_ctx *ctx, int id)
{
	int rc;
	const struct plugin_reg *r = category_of(ctx, id, &rc);

	if (!r)
		return rc;
	return event_wanted(r->plugin->plugins->sw, r->category.bit);
}

static int emit(struct vde_plugin_ctx *ctx, int id, const char *text)
{
	int rc;
	const struct plugin_reg *r = category_of(ctx, id, &rc);

	if (!r)
		return rc;
	if (!text)
		return -EINVAL;
	event_emit(r->plugin->plugins->sw, r->category.bit, text);
	return 0;
}

/* ---- events of the switch ---- */

#define NOT_FOR_PLUGINS VDE_PLUGIN_N_EVENTS

static enum vde_plugin_event_type type_of(enum bridge_event_type type)
{
	switch ((int)type) {
	case BRIDGE_PORT_UP:
		return VDE_PLUGIN_PORT_UP;
	case BRIDGE_PORT_DOWN:
		return VDE_PLUGIN_PORT_DOWN;
	case BRIDGE_ENDPOINT_NEW:
		return VDE_PLUGIN_ENDPOINT_UP;
	case BRIDGE_ENDPOINT_GONE:
		return VDE_PLUGIN_ENDPOINT_DOWN;
	case BRIDGE_MAC_NEW:
		return VDE_PLUGIN_ADDRESS_NEW;
	case BRIDGE_MAC_GONE:
		return VDE_PLUGIN_ADDRESS_GONE;
	case BRIDGE_MAC_MOVED:
		return VDE_PLUGIN_ADDRESS_MOVED;
	default:
		return NOT_FOR_PLUGINS;
	}
}

static void hear(struct bridge_listener *l, const struct bridge_event *be)
{
	struct plugin_reg *r = container_of(l, struct plugin_reg,
					    events.listener);
	const struct bridge *br = r->plugin->plugins->sw->br;
	const struct port *p = bridge_port(br, be->port);
	struct vde_plugin_event ev = {
		.size = sizeof(ev),
		.type = type_of(be->type),
		.port = be->port,
		.old_port = be->port_old,
		.vlan = be->vlan,
		.address = be->addr,
		.uid = p ? p->current_uid : VDE_PLUGIN_NOBODY,
	};

	if (be->ep) {
		ev.endpoint = be->ep->id;
		ev.descr = be->ep->descr;
		ev.uid = be->ep->uid;
	}
	if (!plugin_enter(r))
		return;
	r->events.fn(&r->plugin->ctx, r->arg, &ev);
	plugin_leave(r);
}

static int watch_events(struct vde_plugin_ctx *ctx, unsigned int types,
			vde_plugin_event_fn *fn, void *arg)
{
	struct plugin_reg *r;
	int rc;

	r = plugin_reg_new(ctx, PLUGIN_REG_EVENTS, 0, &rc);
	if (!r)
		return rc;
	if (!fn || !types || types >> VDE_PLUGIN_N_EVENTS)
		return plugin_reg_cancel(r, -EINVAL);
	r->arg = arg;
	r->events.fn = fn;
	r->events.types = types;
	for (unsigned int i = 0; i < BRIDGE_N_EVENTS; i++)
		if (types >> type_of((enum bridge_event_type)i) & 1)
			r->events.listener.events |= 1U << i;
	r->events.listener.fn = hear;
	return plugin_reg_done(r);
}

/* ---- timers ---- */

static void timer_due(struct loop_timer *t)
{
	struct plugin_reg *r = container_of(t, struct plugin_reg, timer.timer);
	struct loop *loop = r->plugin->plugins->sw->loop;
	uint64_t now = loop_now(loop);

	if (!plugin_enter(r))
		return;
	if (r->timer.period) {
		r->timer.due += r->timer.period;
		if (r->timer.due <= now) /* some were missed */
			r->timer.due = now + r->timer.period;
		loop_timer_set(loop, t, r->timer.due - now, timer_due);
	}
	r->timer.fn(&r->plugin->ctx, r->arg);
	plugin_leave(r);
	if (!r->timer.period)
		plugin_reg_remove(r);
}

static int start_timer(struct vde_plugin_ctx *ctx, uint64_t delay,
		       uint64_t period, vde_plugin_timer_fn *fn, void *arg)
{
	struct plugin_reg *r;
	struct loop *loop;
	int rc;

	r = plugin_reg_new(ctx, PLUGIN_REG_TIMER, 0, &rc);
	if (!r)
		return rc;
	if (!fn || (period && period < MIN_PERIOD) || delay > INT64_MAX ||
	    period > INT64_MAX)
		return plugin_reg_cancel(r, -EINVAL);
	loop = r->plugin->plugins->sw->loop;
	r->arg = arg;
	r->timer.fn = fn;
	r->timer.period = period;
	r->timer.due = loop_now(loop) + delay;
	rc = loop_timer_set(loop, &r->timer.timer, delay, timer_due);
	return rc ? plugin_reg_cancel(r, rc) : plugin_reg_done(r);
}

/* ---- the end of registrations ---- */

static int remove_reg(struct vde_plugin_ctx *ctx, int id)
{
	int rc;
	struct plugin *p = plugin_of(ctx, &rc);
	struct plugin_reg *r;

	if (!p)
		return rc;
	r = plugin_reg_find(p, id);
	if (!r)
		return -ENOENT;
	plugin_reg_remove(r);
	return 0;
}

static int unload(struct vde_plugin_ctx *ctx)
{
	int rc;
	struct plugin *p = plugin_of(ctx, &rc);

	if (!p)
		return rc;
	if (p->state == PLUGIN_STARTING)
		return -EBUSY;
	plugin_stop(p);
	return 0;
}

const struct vde_plugin_host plugin_host = {
	.api = VDE_PLUGIN_API,
	.size = sizeof(plugin_host),
	.watch_frames = watch_frames,
	.add_commands = add_commands,
	.add_category = add_category,
	.watch_events = watch_events,
	.start_timer = start_timer,
	.remove = remove_reg,
	.unload = unload,
	.wanted = wanted,
	.emit = emit,
	.arg_count = plugin_arg_count,
	.arg_num = plugin_arg_num,
	.arg_str = plugin_arg_str,
	.pause = plugin_pause,
	.more = plugin_more,
	.put_text = plugin_put_text,
	.put_line = plugin_put_line,
	.put_num = plugin_put_num,
	.put_str = plugin_put_str,
	.put_bool = plugin_put_bool,
	.open_object = plugin_open_object,
	.open_list = plugin_open_list,
	.close = plugin_close,
	.now = plugin_now,
	.log = plugin_log,
	.next_port = plugin_next_port,
	.port_info = plugin_port_info,
	.endpoints = plugin_endpoints,
	.user_name = plugin_user_name,
	.find_user = plugin_find_user,
};
