// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about guards of ports.
 */
#include <errno.h>
#include <string.h>

#include "switch/cmd.h"
#include "switch/portguard.h"

static uint64_t now(const struct vswitch *sw)
{
	return loop_now(sw->loop);
}

/* The port of the first argument: -EINVAL out of range, -ENXIO missing. */
static int find_port(void *ctx, const struct mgmt_req *rq, struct port **p)
{
	const struct bridge *br = ((struct vswitch *)ctx)->br;

	if (rq->arg[0].num > br->numports)
		return -EINVAL;
	*p = br->ports[rq->arg[0].num];
	return *p ? 0 : -ENXIO;
}

/* ---- settings ---- */

static int cmd_maxaddr(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(ctx, rq, &p);

	return rc ? rc
		  : portguard_set_max(p, (uint32_t)rq->arg[1].num, now(ctx));
}

static int cmd_sticky(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(ctx, rq, &p);

	return rc ? rc : portguard_set_sticky(p, rq->arg[1].num != 0, now(ctx));
}

/* In the port's untagged VLAN, unless another is named. */
static int cmd_stick(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	uint64_t addr;
	int rc = find_port(ctx, rq, &p);

	if (rc)
		return rc;
	if (!ether_parse(rq->arg[1].str, &addr))
		return -EINVAL;
	return portguard_stick(
		p, rq->argc > 2 ? (unsigned int)rq->arg[2].num : p->pvid, addr,
		now(ctx));
}

static int cmd_forget(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(ctx, rq, &p);

	if (!rc)
		portguard_forget(p);
	return rc;
}

static int cmd_storm(struct mgmt_req *rq, void *ctx)
{
	enum guard_kind kind = 0;
	struct port *p;
	int rc = find_port(ctx, rq, &p);

	if (rc)
		return rc;
	while (kind < GUARD_N_KINDS &&
	       strcmp(guard_kind_name(kind), rq->arg[1].str) != 0)
		kind++;
	if (kind == GUARD_N_KINDS)
		return -EINVAL;
	return portguard_set_storm(p, kind, (uint64_t)rq->arg[2].num,
				   (uint64_t)rq->arg[3].num, now(ctx));
}

static int cmd_rate(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(ctx, rq, &p);

	if (rc)
		return rc;
	return portguard_set_rate(
		p, (uint64_t)rq->arg[1].num, (uint64_t)rq->arg[2].num,
		rq->argc > 3 ? (uint64_t)rq->arg[3].num : 0, now(ctx));
}

static int cmd_source(struct mgmt_req *rq, void *ctx)
{
	const char *what = rq->arg[1].str;
	struct port *p;
	uint64_t addr;
	int rc = find_port(ctx, rq, &p);

	if (rc)
		return rc;
	if (!strcmp(what, "off") && rq->argc == 2) {
		portguard_source_off(p);
		return 0;
	}
	if (rq->argc < 3 || !ether_parse(rq->arg[2].str, &addr))
		return -EINVAL;
	if (!strcmp(what, "add"))
		return portguard_source_add(p, addr);
	return strcmp(what, "del") ? -EINVAL : portguard_source_del(p, addr);
}

static int cmd_isolate(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(ctx, rq, &p);

	if (!rc)
		bridge_isolate(p->br, p->id, rq->arg[1].num != 0);
	return rc;
}

/* ---- listing ---- */

static void show_limit(struct writer *w, const char *key, const char *piece,
		       uint64_t v)
{
	writer_num(w, key, v ? piece : NULL, (int64_t)v, 0);
}

/* null in JSON, and nothing in text, when there is no limit. */
static void show_meter(struct writer *w, const char *key, const char *piece,
		       const struct guard_meter *m)
{
	if (!m->frames.rate && !m->bytes.rate) {
		writer_str(w, key, NULL, NULL, 0);
		return;
	}
	writer_text(w, piece);
	writer_open(w, key);
	show_limit(w, "frames", " frames/s ", m->frames.rate);
	show_limit(w, "bytes", " bytes/s ", m->bytes.rate);
	show_limit(w, "burst_frames", " burst frames ",
		   m->frames.rate ? m->frames.burst : 0);
	show_limit(w, "burst_bytes", " burst bytes ",
		   m->bytes.rate ? m->bytes.burst : 0);
	writer_close(w);
	writer_line(w);
}

static void show_sources(struct writer *w, const struct guard *g)
{
	char addr[ETHER_STRLEN];

	if (!g->sources_on) {
		writer_str(w, "sources", NULL, NULL, 0);
		return;
	}
	writer_list(w, "sources");
	for (uint32_t i = 0; i < g->n_sources; i++) {
		writer_str(w, NULL, " source    ",
			   ether_str(addr, g->sources[i]), 0);
		writer_line(w);
	}
	writer_close(w);
	if (!g->n_sources) {
		writer_text(w, " source    none");
		writer_line(w);
	}
}

void cmd_guard_facts(struct writer *w, const struct port *p)
{
	static const struct guard none;
	static const char *const pieces[] = { " broadcast", " multicast",
					      " unknown  " };
	const struct guard *g = p->guard ? p->guard : &none;

	static_assert(ARRAY_SIZE(pieces) == GUARD_N_KINDS,
		      "a kind has no name");
	writer_num(w, "addresses", " addresses ",
		   mactab_count(p->br->macs, p->id), 4);
	writer_num(w, "max_addresses", " max ", g->max_addrs, 4);
	writer_bool(w, "sticky", g->sticky, " STICKY", NULL);
	writer_bool(w, "isolated", p->slow & PORT_ISOLATED, " ISOLATED", NULL);
	writer_line(w);
	show_meter(w, "rate", " rate     ", &g->rate);
	writer_open(w, "storm");
	for (int i = 0; i < GUARD_N_KINDS; i++)
		show_meter(w, guard_kind_name(i), pieces[i], &g->storm[i]);
	writer_close(w);
	show_sources(w, g);
}

static void show_drops(struct writer *w, const struct port *p)
{
	static const enum drop_reason ours[] = {
		DROP_RATE,	     DROP_SOURCE,	   DROP_ADDR_LIMIT,
		DROP_ADDR_VIOLATION, DROP_STORM_BROADCAST, DROP_STORM_MULTICAST,
		DROP_STORM_UNKNOWN,  DROP_ISOLATED,
	};

	writer_open(w, "drops");
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		const char *name = drop_reason_name(ours[i]);
		uint64_t n = p->drops[ours[i]];

		if (n) /* without a key: text */
			writer_str(w, NULL, " dropped   ", name, 20);
		writer_num(w, name, n ? " " : NULL, (int64_t)n, -10);
		if (n)
			writer_line(w);
	}
	writer_close(w);
}

static void show_address(struct writer *w, const struct mactab_entry *e)
{
	char addr[ETHER_STRLEN];

	writer_open(w, NULL);
	writer_str(w, "mac", " address   ",
		   ether_str(addr, mactab_addr(e->key)), 0);
	writer_num(w, "vlan", " VLAN ", mactab_vlan(e->key), 4);
	writer_bool(w, "sticky", e->sticky, " STICKY", NULL);
	writer_bool(w, "by_hand", e->sticky & MACTAB_STICKY_HAND, " BY HAND",
		    NULL);
	writer_line(w);
	writer_close(w);
}

static void show(struct writer *w, const struct port *p)
{
	writer_open(w, NULL);
	writer_num(w, "port", "Port ", p->id, 4);
	cmd_guard_facts(w, p);
	show_drops(w, p);
}

/* With its addresses; @p NULL: it has gone since the part before. more[]: the
 * slot. */
static int print_one(struct mgmt_req *rq, const struct port *p, uint64_t now_ns)
{
	uint32_t now_s = (uint32_t)(now_ns / LOOP_SEC);
	struct mactab_entry e;

	if (!rq->again) {
		writer_list(rq->w, "ports");
		show(rq->w, p);
		writer_list(rq->w, "entries");
	}
	for (size_t i = (size_t)rq->more[0];
	     p && mactab_next(p->br->macs, i, now_s, &e); i = e.slot + 1) {
		if (e.port != p->id)
			continue;
		if (mgmt_pause(rq)) {
			rq->more[0] = e.slot;
			return MGMT_MORE;
		}
		show_address(rq->w, &e);
	}
	writer_close(rq->w);
	writer_close(rq->w);
	writer_close(rq->w);
	return 0;
}

/* Those that have a guard. more[]: the port. */
static int print_all(struct mgmt_req *rq, const struct bridge *br)
{
	if (!rq->again)
		writer_list(rq->w, "ports");
	for (unsigned int i = (unsigned int)rq->more[0]; i <= br->numports;
	     i++) {
		const struct port *p = br->ports[i];

		if (!p || (!p->guard && !(p->slow & PORT_ISOLATED)))
			continue;
		if (mgmt_pause(rq)) {
			rq->more[0] = i;
			return MGMT_MORE;
		}
		show(rq->w, p);
		writer_close(rq->w);
	}
	writer_close(rq->w);
	return 0;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	struct port *p = NULL;
	int rc;

	if (!rq->argc)
		return print_all(rq, sw->br);
	rc = find_port(ctx, rq, &p);
	return rc && !rq->again ? rc : print_one(rq, rc ? NULL : p, now(sw));
}

/* clang-format off */
static const struct mgmt_cmd guard_cmds[] = {
	{ "guard", "============", "PORT GUARD MENU", NULL, false },
	{ "guard/print [<port>]", "[N]", "print the guards of ports", cmd_print, true },
	{ "guard/maxaddr <port> <maxaddr>", "N MAX", "set how many addresses port N may have, 0=any number", cmd_maxaddr, false },
	{ "guard/sticky <port> <bool>", "N 0/1", "do addresses of port N stay there? 1=Y 0=N", cmd_sticky, false },
	{ "guard/stick <port> <mac> [<anyvlan>]", "N MAC [VLAN]", "make MAC stay on port N", cmd_stick, false },
	{ "guard/forget <port>", "N", "forget the sticky addresses of port N", cmd_forget, false },
	{ "guard/source <port> <word> [<mac>]", "N add|del|off M", "set which addresses may send on port N", cmd_source, false },
	{ "guard/storm <port> <word> <frames> <bytes>", "N KIND FPS BPS", "set limits of broadcast, multicast or unknown frames from port N, 0=none", cmd_storm, false },
	{ "guard/rate <port> <frames> <bytes> [<burst>]", "N FPS BPS [B]", "set limits of all frames from port N, in frames and bytes per second, 0=none", cmd_rate, false },
	{ "guard/isolate <port> <bool>", "N 0/1", "does port N reach only ports that are not isolated? 1=Y 0=N", cmd_isolate, false },
};
/* clang-format on */
const struct mgmt_table guard_table = { guard_cmds, ARRAY_SIZE(guard_cmds) };
