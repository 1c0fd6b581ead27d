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
#include "plugins/iplog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/ether.h"
#include "base/strbuf.h"
#include "plugins/hostcall.h"
#include "plugins/iptext.h"

#define MAX_ENTRIES 32768
#define PORTS 65536
#define DEFAULT_GC 10
#define DEFAULT_EXPIRE 360
#define LINE_ROOM 1024
/* Lines of a port: this many at once, then so many a second. */
#define BURST 500
#define RATE 50

struct iplog_quota {
	uint64_t refilled; /* ns; 0: never used */
	uint32_t left;
	uint32_t left_out; /* since the last line */
};

/* ---- what is told ---- */

const char *iplog_user(const struct iplog *g, struct vde_plugin_ctx *ctx,
		       uint32_t uid, char name[static IPLOG_NAME])
{
	if (g->host->user_name(ctx, uid, name, IPLOG_NAME) < 0)
		str_copy(name, IPLOG_NAME, "?");
	return name;
}

static bool may_tell(struct iplog_quota *q, uint64_t now)
{
	uint64_t n = (now - q->refilled) / (IPLOG_NSEC / RATE);

	if (!q->refilled || n >= BURST) {
		q->left = BURST;
		q->refilled = now;
	} else if (n) {
		q->left = (uint32_t)size_min(q->left + n, BURST);
		q->refilled += n * (IPLOG_NSEC / RATE);
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
	int rc;

	g->host->emit(ctx, g->category, line);
	rc = ipout_line(&g->out, line);
	if (rc && !g->failing)
		host_warn(g->host, ctx, "write to", g->out.path, "", rc);
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
	struct iplog_quota *q = &g->quotas[port];
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
	char user[IPLOG_NAME];
	struct strbuf b;

	if (!may_tell(&g->quotas[e->port], g->host->now(ctx)))
		return;
	tell_left_out(g, ctx, e->port);
	strbuf_init(&b, line, sizeof(line));
	strbuf_fmt(&b, "%s %s mac=%s port=%u vlan=%u user=%s",
		   ipaddr_family(&e->addr), ipaddr_str(addr, &e->addr),
		   ether_str(mac, e->mac), e->port, e->vlan,
		   iplog_user(g, ctx, e->uid, user));
	g->host->endpoints(ctx, e->port, add_descr, &b);
	tell(g, ctx, line);
}

/* ---- frames ---- */

bool iplog_in_ranges(const struct iplog *g, const struct ipaddr *a)
{
	for (size_t i = 0; i < g->n_ranges; i++)
		if (iprange_has(&g->ranges[i], a))
			return true;
	return false;
}

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
	uint32_t now_s = (uint32_t)(v->time / IPLOG_NSEC);
	struct ipentry *e;
	struct ipsight s;

	if (!g->n_ranges || v->port >= PORTS ||
	    !ipsight_parse(&s, v->data, v->len))
		return VDE_PLUGIN_PASS;
	switch (iptable_see(g->table, &s, v->vlan, v->port, now_s, &e)) {
	case IPTABLE_KNOWN:
		return VDE_PLUGIN_PASS;
	case IPTABLE_UNKNOWN:
		if (!iplog_in_ranges(g, &s.addr))
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
	int rc;

	if (ev->type == VDE_PLUGIN_PORT_DOWN) {
		iptable_forget_port(g->table, ev->port);
		return;
	}
	rc = ipout_reopen(&g->out);
	if (rc)
		host_warn(g->host, ctx, "open", g->out.path, "", rc);
	g->failing = rc != 0; /* it is said */
}

static void collect(struct vde_plugin_ctx *ctx, void *arg)
{
	struct iplog *g = arg;

	if (g->expire_s)
		iptable_expire(g->table, iplog_seconds(g, ctx), g->expire_s);
}

int iplog_set_gc(struct iplog *g, struct vde_plugin_ctx *ctx, uint32_t gc_s)
{
	uint64_t ns = gc_s * IPLOG_NSEC;
	int rc = gc_s ? g->host->start_timer(ctx, ns, ns, collect, g) : 0;

	if (rc < 0)
		return rc;
	if (g->gc)
		g->host->remove(ctx, g->gc);
	g->gc = rc;
	g->gc_s = gc_s;
	return 0;
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

static int init(struct vde_plugin_ctx *ctx)
{
	const struct vde_plugin_host *h = ctx->host;
	struct iplog *g = create(h);
	int rc;

	if (!g)
		return -ENOMEM;
	ctx->data = g;
	rc = iplog_add_commands(g, ctx);
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
		rc = iplog_set_gc(g, ctx, DEFAULT_GC);
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
