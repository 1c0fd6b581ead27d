// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iplog - a plugin that tells which IP address is used on which port
 *
 * Looks at the frames that come in. The first sight of an address of one of
 * the ranges, in a VLAN, and each change of its port or MAC address is an
 * event of the console and a line of the log, with the user and the
 * descriptions of the port. Commands and formats are VDE 2's.
 *
 * Whoever sends frames can invent addresses: the table is bounded and fair
 * (iptable.h), and each port has so many lines a second; those that were left
 * out are counted, and told in the next one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

#include "base/ether.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "plugins/ipout.h"
#include "plugins/iptable.h"
#include "switch/vde_plugin.h"

#define NSEC UINT64_C(1000000000)
#define MAX_ENTRIES 32768
#define MAX_RANGES 256
#define PORTS 65536
#define DEFAULT_GC 10
#define DEFAULT_EXPIRE 360
#define LINE_ROOM 1024
#define NAME_ROOM 64
/* Lines of a port: this many at once, then so many a second. */
#define BURST 500
#define RATE 50

struct quota {
	uint64_t refilled; /* ns; 0: never used */
	uint32_t left;
	uint32_t left_out; /* since the last line */
};

struct iplog {
	const struct vde_plugin_host *host;
	struct iptable *table;
	struct quota *quotas; /* of each port */
	struct ipout out;
	bool failing; /* the last line was lost, and that has been said */
	int category;
	int gc; /* timer */
	uint32_t gc_s, expire_s;
	uint64_t left_out;
	size_t n_ranges;
	struct iprange ranges[MAX_RANGES];
};

static uint32_t seconds(const struct iplog *g, struct vde_plugin_ctx *ctx)
{
	return (uint32_t)(g->host->now(ctx) / NSEC);
}

/* ---- addresses as text ---- */

static const char *family_of(const struct ipaddr *a)
{
	return a->len == 4 ? "ipv4" : "ipv6";
}

static const char *addr_str(char text[static INET6_ADDRSTRLEN],
			    const struct ipaddr *a)
{
	const char *s = inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes,
				  text, INET6_ADDRSTRLEN);

	return s ? s : "?";
}

static bool parse_addr(struct ipaddr *a, const char *text)
{
	*a = (struct ipaddr){ .len = strchr(text, ':') ? 16 : 4 };
	return inet_pton(a->len == 4 ? AF_INET : AF_INET6, text, a->bytes) == 1;
}

static bool parse_range(struct iprange *r, const char *text)
{
	const char *slash = strchrnul(text, '/');
	char addr[INET6_ADDRSTRLEN];
	int64_t bits;

	if (str_fmt(addr, sizeof(addr), "%.*s", (int)(slash - text), text) <
		    0 ||
	    !parse_addr(&r->addr, addr))
		return false;
	bits = r->addr.len * 8;
	if (*slash && !parse_num(slash + 1, 0, bits, &bits))
		return false;
	r->bits = (uint8_t)bits;
	iprange_mask(r);
	return true;
}

static bool in_ranges(const struct iplog *g, const struct ipaddr *a)
{
	for (size_t i = 0; i < g->n_ranges; i++)
		if (iprange_has(&g->ranges[i], a))
			return true;
	return false;
}

/* ---- what is told ---- */

static bool may_tell(struct quota *q, uint64_t now)
{
	uint64_t n = (now - q->refilled) / (NSEC / RATE);

	if (!q->refilled || n >= BURST) {
		q->left = BURST;
		q->refilled = now;
	} else if (n) {
		q->left = (uint32_t)size_min(q->left + n, BURST);
		q->refilled += n * (NSEC / RATE);
	}
	if (q->left) {
		q->left--;
		return true;
	}
	q->left_out++;
	return false;
}

static void tell(struct iplog *g, struct vde_plugin_ctx *ctx, const char *line)
{
	char text[256];
	int rc;

	g->host->emit(ctx, g->category, line);
	rc = ipout_line(&g->out, line);
	if (rc && !g->failing &&
	    str_fmt(text, sizeof(text), "unable to write to %.160s: %s",
		    g->out.path, strerror(-rc)) > 0)
		g->host->log(ctx, LOG_WARNING, text);
	g->failing = rc != 0;
}

/* A quoted description for each endpoint, as many as fit. A peer's quotes
 * and control characters must not look like ours. */
static int add_descr(struct vde_plugin_ctx *ctx, void *arg,
		     const struct vde_plugin_endpoint *ep)
{
	struct strbuf *b = arg;
	size_t len = strlen(ep->descr);

	if (b->size - b->len < len + 4)
		return 1;
	strbuf_add(b, " \"");
	for (size_t i = 0; i < len; i++) {
		char c = ep->descr[i];
		bool bad = (unsigned char)c < ' ' || c == '"' || c == '\\' ||
			   c == 0x7f;

		strbuf_addn(b, bad ? "?" : &c, 1);
	}
	strbuf_add(b, "\"");
	return 0;
}

static void tell_left_out(struct iplog *g, struct vde_plugin_ctx *ctx,
			  unsigned int port)
{
	struct quota *q = &g->quotas[port];
	char line[LINE_ROOM];

	if (!q->left_out)
		return;
	g->left_out += q->left_out;
	if (str_fmt(line, sizeof(line), "left out %u new addresses of port=%u",
		    q->left_out, port) > 0)
		tell(g, ctx, line);
	q->left_out = 0;
}

static void tell_entry(struct iplog *g, struct vde_plugin_ctx *ctx,
		       const struct ipentry *e)
{
	char line[LINE_ROOM], addr[INET6_ADDRSTRLEN], mac[ETHER_STRLEN];
	char user[NAME_ROOM];
	struct strbuf b;

	if (!may_tell(&g->quotas[e->port], g->host->now(ctx)))
		return;
	tell_left_out(g, ctx, e->port);
	if (g->host->user_name(ctx, e->uid, user, sizeof(user)) < 0)
		str_copy(user, sizeof(user), "?");
	strbuf_init(&b, line, sizeof(line));
	strbuf_fmt(&b, "%s %s mac=%s port=%u vlan=%u user=%s",
		   family_of(&e->addr), addr_str(addr, &e->addr),
		   ether_str(mac, e->mac), e->port, e->vlan, user);
	g->host->endpoints(ctx, e->port, add_descr, &b);
	tell(g, ctx, line);
}

/* ---- frames ---- */

static uint32_t user_of(const struct iplog *g, struct vde_plugin_ctx *ctx,
			unsigned int port)
{
	struct vde_plugin_port info = { .size = sizeof(info) };

	return g->host->port_info(ctx, port, &info) ? VDE_PLUGIN_NOBODY
						    : info.uid;
}

static int see(struct vde_plugin_ctx *ctx, void *arg,
	       const struct vde_plugin_frame *v)
{
	struct iplog *g = arg;
	uint32_t now_s = (uint32_t)(v->time / NSEC);
	struct ipentry *e;
	struct ipsight s;

	if (!g->n_ranges || v->port >= PORTS ||
	    !ipsight_parse(&s, v->data, v->len))
		return VDE_PLUGIN_PASS;
	switch (iptable_see(g->table, &s, v->vlan, v->port, now_s, &e)) {
	case IPTABLE_KNOWN:
		return VDE_PLUGIN_PASS;
	case IPTABLE_UNKNOWN:
		if (!in_ranges(g, &s.addr))
			return VDE_PLUGIN_PASS;
		e = iptable_add(g->table, &s, v->vlan, v->port, now_s);
		break;
	case IPTABLE_CHANGED:
		break;
	}
	e->uid = user_of(g, ctx, v->port);
	tell_entry(g, ctx, e);
	return VDE_PLUGIN_PASS;
}

/* ---- events and time ---- */

static void hear(struct vde_plugin_ctx *ctx, void *arg,
		 const struct vde_plugin_event *ev)
{
	struct iplog *g = arg;
	char text[256];
	int rc;

	if (ev->type == VDE_PLUGIN_PORT_DOWN) {
		iptable_forget_port(g->table, ev->port);
		return;
	}
	rc = ipout_reopen(&g->out);
	if (rc && str_fmt(text, sizeof(text), "unable to open %.160s: %s",
			  g->out.path, strerror(-rc)) > 0)
		g->host->log(ctx, LOG_WARNING, text);
}

static void collect(struct vde_plugin_ctx *ctx, void *arg)
{
	struct iplog *g = arg;

	if (g->expire_s)
		iptable_expire(g->table, seconds(g, ctx), g->expire_s);
}

/* 0: never. */
static int start_gc(struct iplog *g, struct vde_plugin_ctx *ctx, uint32_t gc_s)
{
	uint64_t ns = gc_s * NSEC;
	int rc = gc_s ? g->host->start_timer(ctx, ns, ns, collect, g) : 0;

	if (rc < 0)
		return rc;
	if (g->gc)
		g->host->remove(ctx, g->gc);
	g->gc = rc;
	g->gc_s = gc_s;
	return 0;
}

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
	int64_t v = 0;

	g->host->arg_num(q, 0, &v);
	return start_gc(g, ctx, (uint32_t)v);
}

static int cmd_setexpire(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			 void *arg)
{
	struct iplog *g = arg;
	int64_t v = 0;

	g->host->arg_num(q, 0, &v);
	g->expire_s = (uint32_t)v;
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
	if (parse_range(r, text))
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
	if (g->n_ranges == MAX_RANGES)
		return -ENOSPC;
	g->ranges[g->n_ranges++] = r;
	return 0;
}

static bool is_outside(void *ctx, const struct ipentry *e)
{
	return !in_ranges(ctx, &e->addr);
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
		h->put_str(q, "family", "  ", family_of(&r->addr), 0);
		h->put_str(q, "address", ": ", addr_str(addr, &r->addr), 0);
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
	char addr[INET6_ADDRSTRLEN], mac[ETHER_STRLEN], user[NAME_ROOM];

	if (h->user_name(ctx, e->uid, user, sizeof(user)) < 0)
		str_copy(user, sizeof(user), "?");
	h->open_object(q, NULL);
	h->put_str(q, "family", "", family_of(&e->addr), 0);
	h->put_str(q, "address", " ", addr_str(addr, &e->addr), 0);
	h->put_num(q, "port", " port=", e->port, 0);
	h->put_str(q, "user", " user=", user, 0);
	h->put_line(q);
	h->put_num(q, "vlan", NULL, e->vlan, 0);
	h->put_str(q, "mac", NULL, ether_str(mac, e->mac), 0);
	h->put_num(q, "age", NULL, seconds(g, ctx) - e->seen_s, 0);
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

	if (g->host->arg_str(q, 0, &text) || !parse_addr(&f.addr, text))
		return -EINVAL;
	return show(g, ctx, q, &f);
}

/* ---- life ---- */

static void release(struct iplog *g)
{
	ipout_off(&g->out);
	iptable_free(g->table);
	free(g->quotas);
	free(g);
}

static struct iplog *create(const struct vde_plugin_host *h)
{
	struct iplog *g = calloc(1, sizeof(*g));
	uint64_t key[2];

	if (!g)
		return NULL;
	ipout_init(&g->out);
	g->host = h;
	g->expire_s = DEFAULT_EXPIRE;
	if (getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key))
		g->table = iptable_new(MAX_ENTRIES, key);
	g->quotas = calloc(PORTS, sizeof(*g->quotas));
	if (g->table && g->quotas)
		return g;
	release(g);
	return NULL;
}

static int add_commands(struct iplog *g, struct vde_plugin_ctx *ctx)
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

static int init(struct vde_plugin_ctx *ctx)
{
	const struct vde_plugin_host *h = ctx->host;
	struct iplog *g = create(h);
	int rc;

	if (!g)
		return -ENOMEM;
	ctx->data = g;
	rc = add_commands(g, ctx);
	if (rc > 0)
		rc = g->category = h->add_category(ctx, "iplog/newip", 0301,
						   "show new ip addresses");
	if (rc > 0)
		rc = h->watch_frames(ctx, VDE_PLUGIN_IN, see, g);
	if (rc > 0)
		rc = h->watch_events(ctx,
				     1U << VDE_PLUGIN_PORT_DOWN |
					     1U << VDE_PLUGIN_HANGUP,
				     hear, g);
	if (rc > 0)
		rc = start_gc(g, ctx, DEFAULT_GC);
	if (rc < 0)
		release(g);
	return rc;
}

static void fini(struct vde_plugin_ctx *ctx)
{
	release(ctx->data);
}

const struct vde_plugin vde_plugin = {
	VDE_PLUGIN_API, sizeof(vde_plugin),
	"iplog",	"log ip/port/user assignment",
	init,		fini
};
