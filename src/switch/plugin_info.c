// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a plugin can ask the switch about: the time, ports and who is on them,
 * names of users. Like all functions for plugins these check what they are
 * given. A directory of users may be slow, so names are remembered.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/num.h"
#include "switch/plugin_impl.h"

#define USER_LIFE (60 * LOOP_SEC)

uint64_t plugin_now(struct vde_plugin_ctx *ctx)
{
	int rc;
	const struct plugin *p = plugin_of(ctx, &rc);

	return p ? loop_now(p->plugins->sw->loop) : 0;
}

int plugin_log(struct vde_plugin_ctx *ctx, int level, const char *text)
{
	int rc;
	struct plugin *p = plugin_of(ctx, &rc);

	if (!p)
		return rc;
	if (!text || level < LOG_EMERG || level > LOG_DEBUG)
		return -EINVAL;
	log_msg_rl(&p->limit, loop_now(p->plugins->sw->loop), level,
		   "plugin %s: %s", p->desc->name, text);
	return 0;
}

int plugin_next_port(struct vde_plugin_ctx *ctx, int port)
{
	int rc;
	const struct plugin *p = plugin_of(ctx, &rc);
	const struct bridge *br = p ? p->plugins->sw->br : NULL;

	if (!p)
		return rc;
	if (port < -1)
		return -EINVAL;
	for (unsigned int i = (unsigned int)(port + 1); i <= br->numports; i++)
		if (br->ports[i])
			return (int)i;
	return -ENXIO;
}

static const struct port *port_of(struct vde_plugin_ctx *ctx, unsigned int id,
				  int *rc)
{
	const struct plugin *p = plugin_of(ctx, rc);
	const struct port *port;

	if (!p)
		return NULL;
	port = bridge_port(p->plugins->sw->br, id);
	if (!port)
		*rc = -ENXIO;
	return port;
}

int plugin_port_info(struct vde_plugin_ctx *ctx, unsigned int id,
		     struct vde_plugin_port *out)
{
	int rc;
	const struct port *p = port_of(ctx, id, &rc);
	struct vde_plugin_port info;

	if (!p)
		return rc;
	if (!out || out->size < sizeof(out->size))
		return -EINVAL;
	info = (struct vde_plugin_port){
		.size = out->size,
		.untagged_vlan = p->pvid,
		.uid = p->current_uid,
		.active = port_is_active(p),
		.in_frames = p->in_frames,
		.in_bytes = p->in_bytes,
		.out_frames = p->out_frames,
		.out_bytes = p->out_bytes,
	};
	memcpy(out, &info, size_min(out->size, sizeof(info)));
	return 0;
}

int plugin_endpoints(struct vde_plugin_ctx *ctx, unsigned int id,
		     vde_plugin_endpoint_fn *fn, void *arg)
{
	int rc, n = 0;
	const struct port *p = port_of(ctx, id, &rc);

	if (!p)
		return rc;
	if (!fn)
		return -EINVAL;
	list_for_each(it, &p->endpoints) {
		const struct endpoint *ep = list_entry(it, struct endpoint,
						       node);
		struct vde_plugin_endpoint e = {
			.size = sizeof(e),
			.id = ep->id,
			.uid = ep->uid,
			.descr = ep->descr,
			.module = ep->tr->module,
		};

		n++;
		if (fn(ctx, arg, &e))
			break;
	}
	return n;
}

/* ---- users ---- */

static const char *look_up(struct plugins *ps, uint32_t uid)
{
	uint64_t at = loop_now(ps->sw->loop);
	struct plugin_user *u;
	const struct passwd *pw;

	for (size_t i = 0; i < PLUGIN_USERS; i++)
		if (ps->users[i].until > at && ps->users[i].uid == uid)
			return ps->users[i].name;
	u = &ps->users[ps->next_user];
	ps->next_user = (ps->next_user + 1) % PLUGIN_USERS;
	u->uid = uid;
	u->until = at + USER_LIFE;
	pw = getpwuid(uid);
	if (!pw || str_copy(u->name, sizeof(u->name), pw->pw_name) < 0)
		str_fmt(u->name, sizeof(u->name), "%u", uid);
	return u->name;
}

int plugin_user_name(struct vde_plugin_ctx *ctx, uint32_t uid, char *out,
		     size_t size)
{
	int rc;
	struct plugin *p = plugin_of(ctx, &rc);

	if (!p)
		return rc;
	if (!out || !size)
		return -EINVAL;
	return str_copy(out, size,
			uid == VDE_PLUGIN_NOBODY ? "NONE"
						 : look_up(p->plugins, uid));
}

int plugin_find_user(struct vde_plugin_ctx *ctx, const char *name,
		     uint32_t *uid)
{
	int rc;
	const struct plugin *p = plugin_of(ctx, &rc);
	const struct passwd *pw;
	int64_t n;

	if (!p)
		return rc;
	if (!name || !uid)
		return -EINVAL;
	pw = getpwnam(name);
	if (pw)
		n = pw->pw_uid;
	else if (!parse_num(name, 0, UINT32_MAX - 1, &n))
		return -EINVAL;
	*uid = (uint32_t)n;
	return 0;
}
