// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands of iplog; VDE 2's, and their formats.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/ether.h"
#include "plugins/hostcall.h"
#include "plugins/iplog.h"
#include "plugins/iptext.h"

/* ---- commands: settings ---- */

static int cmd_showinfo(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	static const char *const kinds[] = { "off", "file", "syslog" };
	const struct iplog *g = arg;
	const struct vde_plugin_host *h = g->host;

	h->put_text(q, "iplog: ip/port/user logging plugin\n");
	h->put_text(q, g->out.kind == IPOUT_OFF		  ? "log disabled"
		       : g->out.kind == IPOUT_SYSLOG_KIND ? "log on syslog"
							  : "");
	h->put_str(q, "log", NULL, kinds[g->out.kind], 0);
	h->put_str(q, "file", "log on file ",
		   g->out.kind == IPOUT_FILE ? g->out.path : NULL, 0);
	h->put_line(q);
	h->put_num(q, "gc_interval", "GC interval ", g->gc_s, 0);
	h->put_text(q, " secs\n");
	h->put_num(q, "expire", "GC expire ", g->expire_s, 0);
	h->put_text(q, " secs\n");
	h->put_num(q, "entries", NULL, iptable_used(g->table), 0);
	h->put_num(q, "lost", NULL, (int64_t)g->out.lost, 0);
	return h->put_num(q, "left_out", NULL, (int64_t)g->left_out, 0);
}

static int cmd_logfile(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		       void *arg)
{
	struct iplog *g = arg;
	const char *path;

	g->failing = false;
	if (g->host->arg_str(q, 0, &path)) {
		ipout_off(&g->out);
		return 0;
	}
	if (!strcmp(path, "-"))
		return ipout_syslog(&g->out, IPOUT_SYSLOG);
	return ipout_file(&g->out, path);
}

static int cmd_setgcint(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	struct iplog *g = arg;

	return iplog_set_gc(g, ctx, (uint32_t)host_arg(g->host, q));
}

static int cmd_setexpire(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			 void *arg)
{
	struct iplog *g = arg;

	g->expire_s = (uint32_t)host_arg(g->host, q);
	return 0;
}

/* ---- commands: ranges ---- */

/* A name would have to be looked up, and all frames would wait for that. */
static int take_range(const struct iplog *g, struct vde_plugin_req *q,
		      struct iprange *r)
{
	const struct vde_plugin_host *h = g->host;
	const char *text;

	if (h->arg_str(q, 0, &text))
		return -EINVAL;
	if (iprange_parse(r, text))
		return 0;
	h->put_str(q, "reason", "not a range of numeric addresses: ", text, 0);
	h->put_line(q);
	return -EINVAL;
}

static size_t find_range(const struct iplog *g, const struct iprange *r)
{
	size_t i = 0;

	while (i < g->n_ranges && !iprange_equal(&g->ranges[i], r))
		i++;
	return i;
}

static int cmd_ipadd(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	struct iplog *g = arg;
	struct iprange r;
	int rc = take_range(g, q, &r);

	if (rc)
		return rc;
	if (find_range(g, &r) < g->n_ranges)
		return -EEXIST;
	if (g->n_ranges == IPLOG_RANGES)
		return -ENOSPC;
	g->ranges[g->n_ranges++] = r;
	return 0;
}

static bool is_outside(void *ctx, const struct ipentry *e)
{
	return !iplog_in_ranges(ctx, &e->addr);
}

static int cmd_ipdel(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	struct iplog *g = arg;
	struct iprange r;
	size_t i;
	int rc = take_range(g, q, &r);

	if (rc)
		return rc;
	i = find_range(g, &r);
	if (i == g->n_ranges)
		return -ENOENT;
	g->n_ranges--;
	memmove(&g->ranges[i], &g->ranges[i + 1],
		(g->n_ranges - i) * sizeof(g->ranges[0]));
	iptable_forget_if(g->table, is_outside, g);
	return 0;
}

static void show_ranges(const struct iplog *g, struct vde_plugin_req *q,
			uint8_t len)
{
	const struct vde_plugin_host *h = g->host;
	char addr[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < g->n_ranges; i++) {
		const struct iprange *r = &g->ranges[i];

		if (r->addr.len != len)
			continue;
		h->open_object(q, NULL);
		h->put_str(q, "family", "  ", ipaddr_family(&r->addr), 0);
		h->put_str(q, "address", ": ", ipaddr_str(addr, &r->addr), 0);
		h->put_num(q, "bits", "/", r->bits, 0);
		h->put_line(q);
		h->close(q);
	}
}

static int cmd_list(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		    void *arg)
{
	const struct iplog *g = arg;

	g->host->open_list(q, "ranges");
	show_ranges(g, q, 4);
	show_ranges(g, q, 16);
	return g->host->close(q);
}

/* ---- commands: addresses ---- */

/* What a listing shows; -1, or no address: everything. */
struct filter {
	int64_t port, uid;
	struct ipaddr addr;
};

static bool passes(const struct filter *f, const struct ipentry *e)
{
	return (f->port < 0 || e->port == f->port) &&
	       (f->uid < 0 || e->uid == f->uid) &&
	       (!f->addr.len || ipaddr_equal(&f->addr, &e->addr));
}

static void show_entry(const struct iplog *g, struct vde_plugin_ctx *ctx,
		       struct vde_plugin_req *q, const struct ipentry *e)
{
	const struct vde_plugin_host *h = g->host;
	char addr[INET6_ADDRSTRLEN], mac[ETHER_STRLEN], user[IPLOG_NAME];

	h->open_object(q, NULL);
	h->put_str(q, "family", "", ipaddr_family(&e->addr), 0);
	h->put_str(q, "address", " ", ipaddr_str(addr, &e->addr), 0);
	h->put_num(q, "port", " port=", e->port, 0);
	h->put_str(q, "user", " user=", iplog_user(g, ctx, e->uid, user), 0);
	h->put_line(q);
	h->put_num(q, "vlan", NULL, e->vlan, 0);
	h->put_str(q, "mac", NULL, ether_str(mac, e->mac), 0);
	h->put_num(q, "age", NULL, iplog_seconds(g, ctx) - e->seen_s, 0);
	h->close(q);
}

/* more[0] is the place in the table, counted from 1. */
static int show(const struct iplog *g, struct vde_plugin_ctx *ctx,
		struct vde_plugin_req *q, const struct filter *f)
{
	const struct vde_plugin_host *h = g->host;
	uint64_t *more = h->more(q), at = *more;
	const struct ipentry *e;

	if (!at)
		h->open_list(q, "addresses");
	while ((e = iptable_next(g->table, &at))) {
		if (passes(f, e))
			show_entry(g, ctx, q, e);
		*more = at;
		if (h->pause(q) > 0)
			return VDE_PLUGIN_MORE;
	}
	return h->close(q);
}

static int cmd_iplist(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	return show(arg, ctx, q, &(struct filter){ .port = -1, .uid = -1 });
}

static int cmd_ipport(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	const struct iplog *g = arg;
	struct filter f = { .uid = -1 };

	if (g->host->arg_num(q, 0, &f.port))
		return -EINVAL;
	return show(g, ctx, q, &f);
}

static int cmd_ipuser(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	const struct iplog *g = arg;
	struct filter f = { .port = -1 };
	const char *name;
	uint32_t uid;

	if (g->host->arg_str(q, 0, &name) ||
	    g->host->find_user(ctx, name, &uid))
		return -EINVAL;
	f.uid = uid;
	return show(g, ctx, q, &f);
}

static int cmd_ipsearch(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	const struct iplog *g = arg;
	struct filter f = { .port = -1, .uid = -1 };
	const char *text;

	if (g->host->arg_str(q, 0, &text) || !ipaddr_parse(&f.addr, text))
		return -EINVAL;
	return show(g, ctx, q, &f);
}

/* ---- all of them ---- */

int iplog_add_commands(struct iplog *g, struct vde_plugin_ctx *ctx)
{
	const uint32_t data = VDE_PLUGIN_DATA;
	/* clang-format off */
	const struct vde_plugin_command commands[] = {
		{ "iplog", "", "IP/Mac/User Logging", NULL, NULL, 0 },
		{ "iplog/showinfo", "", "Show info on logging", cmd_showinfo, g, data },
		{ "iplog/logfile [<path...>]", "pathname", "Set the logfile", cmd_logfile, g, 0 },
		{ "iplog/ipadd <range>", "ipaddr/mask", "add an ipv4/v6 range", cmd_ipadd, g, 0 },
		{ "iplog/ipdel <range>", "ipaddr/mask", "del an ipv6/v6 range", cmd_ipdel, g, 0 },
		{ "iplog/list", "", "list ip ranges", cmd_list, g, data },
		{ "iplog/setgcint <seconds>", "N", "change garbage collector interval", cmd_setgcint, g, 0 },
		{ "iplog/setexpire <seconds>", "N", "change iplog entries expire time", cmd_setexpire, g, 0 },
		{ "iplog/iplist", "", "list active IP", cmd_iplist, g, data },
		{ "iplog/ipport <port>", "port", "list active IP on a port", cmd_ipport, g, data },
		{ "iplog/ipuser <user>", "user", "list active IP of a user", cmd_ipuser, g, data },
		{ "iplog/ipsearch <ip>", "ipaddr", "search an IP address", cmd_ipsearch, g, data },
	};
	/* clang-format on */

	return g->host->add_commands(ctx, commands, ARRAY_SIZE(commands));
}
