// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about multicast snooping.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "switch/cmd.h"
#include "switch/metrics_sets.h"
#include "switch/snoop.h"

static const char *const families[] = { "IPv4", "IPv6" };

/* Whole seconds until then, rounded up. */
static int64_t seconds(const struct vswitch *sw, uint64_t until)
{
	uint64_t now = loop_now(sw->loop);

	return until > now ? (int64_t)((until - now + LOOP_SEC - 1) / LOOP_SEC)
			   : 0;
}

/* ---- settings ---- */

static int cmd_set(struct mgmt_req *rq, void *ctx)
{
	return snoop_set(ctx, rq->arg[0].num != 0);
}

/* The engine, for a setting of a VLAN (-1: none) and a port (-1). */
static int settings(struct vswitch *sw, int64_t vid, int64_t port,
		    struct mcast **m)
{
	const struct bridge *br = sw->br;

	if (port > br->numports)
		return -EINVAL;
	if ((vid >= 0 && !br->vlans[vid]) || (port >= 0 && !br->ports[port]))
		return -ENXIO;
	*m = snoop_engine(sw);
	return *m ? 0 : -ENOMEM;
}

static int cmd_vlan(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	struct mcast *m;
	int rc = settings(ctx, rq->arg[0].num, -1, &m);

	if (rc)
		return rc;
	return mcast_set_vlan(m, (unsigned int)rq->arg[0].num,
			      rq->arg[1].num != 0, loop_now(sw->loop));
}

/* An address of IPv4 that is one host's. */
static bool parse_source(const char *text, uint32_t *source)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*source = ntohl(a.s_addr);
	return *source >> 24 && *source >> 28 < 0xe;
}

static int cmd_querier(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	uint32_t source = 0;
	struct mcast *m;
	int rc;

	if (rq->argc > 2 && !parse_source(rq->arg[2].str, &source))
		return -EINVAL;
	rc = settings(ctx, rq->arg[0].num, -1, &m);
	if (rc)
		return rc;
	return mcast_set_querier(m, (unsigned int)rq->arg[0].num,
				 rq->arg[1].num != 0, source,
				 loop_now(sw->loop));
}

static int cmd_router(struct mgmt_req *rq, void *ctx)
{
	struct mcast *m;
	int rc = settings(ctx, rq->arg[0].num, rq->arg[1].num, &m);

	if (rc)
		return rc;
	return mcast_set_router(m, (unsigned int)rq->arg[0].num,
				(unsigned int)rq->arg[1].num,
				rq->arg[2].num != 0);
}

static int cmd_fastleave(struct mgmt_req *rq, void *ctx)
{
	struct mcast *m;
	int rc = settings(ctx, -1, rq->arg[0].num, &m);

	if (rc)
		return rc;
	return mcast_set_fastleave(m, (unsigned int)rq->arg[0].num,
				   rq->arg[1].num != 0);
}

static int cmd_unknown(struct mgmt_req *rq, void *ctx)
{
	bool flood = !strcmp(rq->arg[0].str, "flood");
	struct mcast *m;
	int rc;

	if (!flood && strcmp(rq->arg[0].str, "router") != 0)
		return -EINVAL;
	rc = settings(ctx, -1, -1, &m);
	if (!rc)
		mcast_set_flood_unknown(m, flood);
	return rc;
}

static int cmd_interval(struct mgmt_req *rq, void *ctx)
{
	struct mcast *m;
	int rc = settings(ctx, -1, -1, &m);

	return rc ? rc : mcast_set_interval(m, (unsigned int)rq->arg[0].num);
}

/* ---- counters ---- */

static void show_counts(struct writer *w, const uint64_t *counts)
{
	writer_open(w, "counts");
	for (enum mcast_count c = 0; c < MCAST_N_COUNTS; c++) {
		char label[32];

		if (str_fmt(label, sizeof(label), " %-10s ",
			    mcast_count_name(c)) > 0)
			writer_num(w, mcast_count_name(c), label,
				   (int64_t)counts[c], -10);
		writer_line(w);
	}
	writer_close(w);
}

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct mcast *m = snoop_look(ctx);
	struct mcast_info info = { .flood_unknown = true,
				   .interval_s = MCAST_INTERVAL_S };
	struct writer *w = rq->w;

	if (m)
		mcast_get_info(m, &info);
	writer_bool(w, "on", snoop_is_set(ctx), "Multicast snooping ON",
		    "Multicast snooping OFF");
	writer_line(w);
	writer_str(w, "unknown",
		   "unknown groups: ", info.flood_unknown ? "flood" : "router",
		   0);
	writer_line(w);
	writer_num(w, "interval_s", "query interval ", info.interval_s, 0);
	writer_text(w, " secs");
	writer_line(w);
	writer_num(w, "members", "members ", (int64_t)info.members, 0);
	writer_num(w, "members_max", " max ", MCAST_MEMBERS_MAX, 0);
	writer_num(w, "port_members_max", " per port ", MCAST_PORT_MAX, 0);
	writer_line(w);
	show_counts(w, info.counts);
	return 0;
}

static void show_port(struct writer *w, const struct mcast *m, unsigned int id)
{
	struct mcast_port_info info = { 0 };

	if (m)
		mcast_get_port(m, id, &info);
	writer_open(w, NULL);
	writer_num(w, "port", "Port ", id, 4);
	writer_bool(w, "fastleave", info.fastleave, " fastleave=1",
		    " fastleave=0");
	writer_num(w, "members", " members ", (int64_t)info.members, 0);
	writer_line(w);
	show_counts(w, info.counts);
	writer_close(w);
}

static int cmd_ports(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;
	const struct bridge *br = sw->br;
	uint64_t *at = &rq->more[0];

	if (rq->argc && rq->arg[0].num > br->numports)
		return -EINVAL;
	if (rq->argc && !br->ports[rq->arg[0].num])
		return -ENXIO;
	if (!rq->again)
		writer_list(rq->w, "ports");
	for (; *at <= br->numports; ++*at) {
		if (mgmt_pause(rq))
			return MGMT_MORE;
		if (br->ports[*at] &&
		    (!rq->argc || (uint64_t)rq->arg[0].num == *at))
			show_port(rq->w, snoop_look(sw), (unsigned int)*at);
	}
	writer_close(rq->w);
	return 0;
}

/* ---- groups ---- */

static void show_querier(struct writer *w, const struct vswitch *sw,
			 const struct mcast_state *s, bool v6)
{
	char addr[SNOOP_ADDR_STRLEN];

	if (!s->known) {
		writer_str(w, "querier", NULL, NULL, 0);
		return;
	}
	writer_open(w, "querier");
	writer_str(w, "address", ": querier ",
		   snoop_addr_str(addr, s->querier, v6), 0);
	writer_num(w, "port", " Port ", s->querier_port, 4);
	writer_num(w, "version", v6 ? " MLDv" : " IGMPv", s->version, 0);
	writer_num(w, "expires_s", " expires ", seconds(sw, s->querier_until),
		   0);
	writer_text(w, " secs");
	writer_close(w);
}

static void show_unasked(struct writer *w, const struct vswitch *sw,
			 const struct mcast_state *s)
{
	const struct bridge *br = sw->br;

	writer_list(w, "unasked");
	for (unsigned int i = 0; s->on && i <= br->numports; i++)
		if (br->ports[i] && bits_test(s->unasked, i))
			writer_num(w, NULL, NULL, i, 0);
	writer_close(w);
}

static void show_state(struct writer *w, const struct vswitch *sw,
		       const struct mcast_state *s, bool v6)
{
	writer_open(w, v6 ? "ipv6" : "ipv4");
	writer_text(w, " ");
	writer_text(w, families[v6]);
	show_querier(w, sw, s, v6);
	writer_bool(w, "own", s->own, ": this switch asks", NULL);
	writer_bool(w, "on", s->on, NULL,
		    s->known ? NULL : ": nobody asks, all is flooded");
	if (s->on) {
		writer_num(w, "interval_s", " every ",
			   (int64_t)(s->interval / LOOP_SEC), 0);
		writer_text(w, " secs");
		writer_num(w, "max_response_ms", NULL,
			   (int64_t)(s->max_resp / LOOP_MS), 0);
		writer_num(w, "robustness", NULL, s->robustness, 0);
	}
	writer_line(w);
	show_unasked(w, sw, s);
	writer_num(w, "groups", NULL, (int64_t)s->groups, 0);
	writer_close(w);
}

/* Entries of a VLAN, as many as fit into a part. */
struct listing {
	struct mgmt_req *rq;
	const struct vswitch *sw;
	bool full;
};

static bool show_router(void *ctx, const struct mcast_entry *e)
{
	struct listing *l = ctx;
	struct writer *w = l->rq->w;

	l->full = mgmt_pause(l->rq);
	if (l->full)
		return false;
	writer_open(w, NULL);
	writer_num(w, "port", " -- router Port ", e->port, 4);
	writer_str(w, "family", " ", families[e->v6], 0);
	writer_bool(w, "static", false, NULL, NULL);
	writer_num(w, "expires_s", " expires ", seconds(l->sw, e->until), 0);
	writer_text(w, " secs");
	writer_line(w);
	writer_close(w);
	return true;
}

static bool show_member(void *ctx, const struct mcast_entry *e)
{
	struct listing *l = ctx;
	struct writer *w = l->rq->w;
	char addr[SNOOP_ADDR_STRLEN];

	l->full = mgmt_pause(l->rq);
	if (l->full)
		return false;
	writer_open(w, NULL);
	writer_str(w, "group", " -- group ",
		   snoop_addr_str(addr, e->group, e->v6), 0);
	writer_num(w, "port", " Port ", e->port, 4);
	writer_num(w, "version", e->v6 ? " MLDv" : " IGMPv", e->version, 0);
	writer_num(w, "expires_s", " expires ", seconds(l->sw, e->until), 0);
	writer_text(w, " secs");
	writer_line(w);
	writer_close(w);
	return true;
}

static void show_static(struct writer *w, unsigned int port)
{
	writer_open(w, NULL);
	writer_num(w, "port", " -- router Port ", port, 4);
	writer_str(w, "family", NULL, NULL, 0);
	writer_bool(w, "static", true, " static", NULL);
	writer_line(w);
	writer_close(w);
}

/* more[]: the VLAN, what is listed of it, and where. */
enum {
	HEAD,
	STATIC,
	LEARNED,
	MEMBERS
};

static void show_head(struct listing *l, unsigned int vid,
		      const struct mcast_vlan_info *info)
{
	struct writer *w = l->rq->w;
	char addr[SNOOP_ADDR_STRLEN];

	writer_open(w, NULL);
	writer_num(w, "vlan", "VLAN ", vid, 4);
	writer_bool(w, "on", info->on, " snooping=1", " snooping=0");
	writer_bool(w, "asks", info->querier, " querier=1", " querier=0");
	if (mcast_addr_is_none(info->source4))
		writer_str(w, "source", NULL, NULL, 0);
	else
		writer_str(w, "source", " source=",
			   snoop_addr_str(addr, info->source4, false), 0);
	writer_line(w);
	show_state(w, l->sw, &info->state[0], false);
	show_state(w, l->sw, &info->state[1], true);
	writer_list(w, "routers");
}

static bool show_statics(struct listing *l, const uint64_t *routers)
{
	uint64_t *at = &l->rq->more[2];

	for (; *at <= l->sw->br->numports; ++*at) {
		if (mgmt_pause(l->rq))
			return false;
		if (bits_test(routers, (unsigned int)*at))
			show_static(l->rq->w, (unsigned int)*at);
	}
	return true;
}

static void go_on(struct mgmt_req *rq, unsigned int what)
{
	rq->more[1] = what;
	rq->more[2] = 0;
}

/* False: the part is full. @info is NULL for a VLAN that was forgotten since
 * the part before. */
static bool show_vlan(struct listing *l, const struct mcast *m,
		      const struct mcast_vlan_info *info)
{
	struct mgmt_req *rq = l->rq;
	unsigned int vid = (unsigned int)rq->more[0];
	uint64_t *what = &rq->more[1], *at = &rq->more[2];

	if (info && *what == HEAD) {
		if (mgmt_pause(rq))
			return false;
		show_head(l, vid, info);
		go_on(rq, STATIC);
	}
	if (*what == STATIC) {
		if (info && !show_statics(l, info->routers))
			return false;
		go_on(rq, LEARNED);
	}
	if (*what == LEARNED) {
		*at = mcast_show(m, vid, true, *at, show_router, l);
		if (l->full)
			return false;
		writer_close(rq->w);
		writer_list(rq->w, "groups");
		go_on(rq, MEMBERS);
	}
	*at = mcast_show(m, vid, false, *at, show_member, l);
	if (l->full)
		return false;
	writer_close(rq->w);
	writer_close(rq->w);
	go_on(rq, HEAD);
	return true;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	struct listing l = { rq, ctx, false };
	const struct mcast *m = snoop_look(ctx);
	struct mcast_vlan_info info;
	int one = rq->argc ? (int)rq->arg[0].num : -1, vid;

	if (!rq->again) {
		if (one > 0 && !l.sw->br->vlans[one] &&
		    (!m || mcast_get_vlan(m, (unsigned int)one, &info)))
			return -ENXIO;
		writer_list(rq->w, "vlans");
		rq->more[0] = one > 0 ? (uint64_t)one : 0;
	}
	while (m) {
		vid = rq->more[1] == HEAD
			      ? mcast_vlan_next(m, (unsigned int)rq->more[0])
			      : (int)rq->more[0];
		if (vid < 0 || (one >= 0 && vid != one))
			break;
		rq->more[0] = (uint64_t)vid;
		if (!show_vlan(&l, m,
			       mcast_get_vlan(m, (unsigned int)vid, &info)
				       ? NULL
				       : &info))
			return MGMT_MORE;
		rq->more[0]++;
	}
	writer_close(rq->w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "mcast", "============", "MULTICAST SNOOPING MENU", NULL, false },
	{ "mcast/set <bool>", "0/1", "send IP multicast only where it is wanted 1=ON 0=OFF", cmd_set, false },
	{ "mcast/vlan <vlan> <bool>", "VLAN 0/1", "snoop in VLAN? 1=Y 0=N", cmd_vlan, false },
	{ "mcast/querier <vlan> <bool> [<address>]", "VLAN 0/1 [IP]", "ask the hosts of VLAN if nobody else does? 1=Y 0=N", cmd_querier, false },
	{ "mcast/interval <mcastinterval>", "SECS", "set the time between own queries", cmd_interval, false },
	{ "mcast/router <vlan> <port> <bool>", "VLAN N 0/1", "is there a multicast router behind port N? 1=Y 0=find out", cmd_router, false },
	{ "mcast/fastleave <port> <bool>", "N 0/1", "is there one host at most behind port N? 1=Y 0=N", cmd_fastleave, false },
	{ "mcast/unknown <word>", "flood|router", "set where groups go that nobody reported", cmd_unknown, false },
	{ "mcast/showinfo", "", "show multicast snooping info", cmd_showinfo, true },
	{ "mcast/print [<anyvlan>]", "[VLAN]", "print queriers, routers and groups", cmd_print, true },
	{ "mcast/ports [<port>]", "[N]", "print what was heard on the ports", cmd_ports, true },
};
/* clang-format on */
const struct mgmt_table mcast_table = { cmds, ARRAY_SIZE(cmds) };

/* ---- metrics ---- */

static void enabled(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, snoop_is_set(sw));
}

static void sent(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	const struct mcast *engine = snoop_look(sw);
	struct mcast_info info = { 0 };

	if (engine)
		mcast_get_info(engine, &info);
	metrics_value(m, info.counts[MCAST_SENT]);
}

/* VLANs of which something is known. */
static uint64_t next_vlan(const struct vswitch *sw, uint64_t from)
{
	const struct mcast *engine = snoop_look(sw);
	int vid = engine ? mcast_vlan_next(engine, (unsigned int)from) : -1;

	return vid < 0 ? METRIC_END : (uint64_t)vid;
}

/* arg: 0, does somebody ask; 1, how many groups. */
static void vlan_gauge(struct metrics *m, const struct vswitch *sw,
		       uint64_t vlan)
{
	struct mcast_vlan_info info;

	if (mcast_get_vlan(snoop_look(sw), (unsigned int)vlan, &info))
		return;
	for (int v6 = 0; v6 < 2; v6++) {
		metrics_label_num(m, "vlan", (unsigned int)vlan);
		metrics_label(m, "family", v6 ? "ipv6" : "ipv4");
		metrics_value(m, m->row->arg ? info.state[v6].groups
					     : info.state[v6].on);
	}
}

static void of_port(const struct vswitch *sw, uint64_t port,
		    struct mcast_port_info *info)
{
	const struct mcast *engine = snoop_look(sw);

	*info = (struct mcast_port_info){ 0 };
	if (engine)
		mcast_get_port(engine, (unsigned int)port, info);
}

static void port_members(struct metrics *m, const struct vswitch *sw,
			 uint64_t port)
{
	struct mcast_port_info info;

	of_port(sw, port, &info);
	metrics_label_num(m, "port", (unsigned int)port);
	metrics_value(m, info.members);
}

static void port_counts(struct metrics *m, const struct vswitch *sw,
			uint64_t port)
{
	struct mcast_port_info info;

	of_port(sw, port, &info);
	for (enum mcast_count c = 0; c < MCAST_SENT; c++) {
		metrics_label_num(m, "port", (unsigned int)port);
		metrics_label(m, "what", mcast_count_name(c));
		metrics_value(m, info.counts[c]);
	}
}

/* clang-format off */
static const struct metric rows[] = {
	{ "mcast_enabled", METRIC_GAUGE, "1: multicast snooping is on.", NULL, enabled, 0 },
	{ "mcast_queries_sent_total", METRIC_COUNTER, "Queries of this switch.", NULL, sent, 0 },
	{ "mcast_asked", METRIC_GAUGE, "1: somebody asks hosts what they want, groups are told apart.", next_vlan, vlan_gauge, 0 },
	{ "mcast_groups", METRIC_GAUGE, "Groups that somebody is in.", next_vlan, vlan_gauge, 1 },
	{ "mcast_port_members", METRIC_GAUGE, "Groups the port is in, and routers behind it.", metrics_next_port, port_members, 0 },
	{ "mcast_port_events_total", METRIC_COUNTER, "Messages from the port, and members that lost their place.", metrics_next_port, port_counts, 0 },
};
/* clang-format on */
const struct metric_set mcast_metrics = { rows, ARRAY_SIZE(rows) };
