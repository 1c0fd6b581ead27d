// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop guard in this switch: its commands, its timer, and what it does to
 * ports. While it is off it hears of nothing and nothing calls it.
 */
#include "switch/cmd_loopguard.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/strbuf.h"
#include "switch/cmd.h"
#include "switch/event.h"
#include "switch/loopguard.h"
#include "switch/metrics_sets.h"

static const struct event_category categories[] = {
	{ "loop/+", 061, "loop: a port is held down" },
	{ "loop/-", 062, "loop: a port is released" },
};

struct loops {
	struct vswitch *sw;
	struct loopguard *guard;
	struct bridge_listener listener;
	struct bridge_proto proto;
	struct loop_timer timer;
	struct log_limit limit;
	int held, released; /* bits of the categories */
};

/* ---- what the guard asks for ---- */

static bool is_open(void *ctx, unsigned int port, unsigned int vid)
{
	const struct bridge *br = ((const struct loops *)ctx)->sw->br;
	const struct vlan *v = br->vlans[vid];

	if (br->hub)
		return vid == 0;
	return v && vlan_is_member(v, port) &&
	       bridge_get_state(br, vid, port) == BRIDGE_FORWARDING;
}

static int untagged(void *ctx, unsigned int port)
{
	const struct bridge *br = ((const struct loops *)ctx)->sw->br;
	const struct port *p = bridge_port(br, port);

	if (br->hub)
		return 0;
	return !p || p->pvid == VLAN_NONE ? -1 : p->pvid;
}

static bool has_tree(void *ctx, unsigned int vid)
{
	const struct bridge *br = ((const struct loops *)ctx)->sw->br;

	return !br->hub && br->vlans[vid] && br->vlans[vid]->gated;
}

static void send_probe(void *ctx, unsigned int port, unsigned int vid,
		       const uint8_t frame[static LOOPGUARD_LEN])
{
	struct vswitch *sw = ((struct loops *)ctx)->sw;

	bridge_originate(sw->br, port, vid, frame, LOOPGUARD_LEN);
}

static void tell(struct loops *l, int bit, unsigned int port, unsigned int peer,
		 unsigned int vid)
{
	char text[64];

	/* A VLAN as in the events of addresses. */
	if (event_wanted(l->sw, bit) &&
	    str_fmt(text, sizeof(text), "Port %04u VLAN %02x:%02x -> Port %04u",
		    port, vid & 0xff, vid >> 8, peer) > 0)
		event_emit(l->sw, bit, text);
}

/* What stations sent went round and was learned on the way: forget that. */
static void hold(void *ctx, unsigned int port, unsigned int peer,
		 unsigned int vid, bool on)
{
	struct loops *l = ctx;
	struct bridge *br = l->sw->br;

	if (!bridge_port(br, port))
		return;
	bridge_block(br, port, on);
	if (on) {
		mactab_flush(br->macs, (int)peer, br->hub ? -1 : (int)vid);
		log_warn_rl(&l->limit, loop_now(l->sw->loop),
			    "port %u is held down: there is a loop to port %u "
			    "in VLAN %u",
			    port, peer, vid);
	} else {
		log_warn_rl(&l->limit, loop_now(l->sw->loop),
			    "port %u is released, it was held for a loop",
			    port);
	}
	tell(l, on ? l->held : l->released, port, peer, vid);
}

/* ---- what the guard is told ---- */

static void due(struct loop_timer *t);

static void rearm(struct loops *l)
{
	uint64_t next = loopguard_next(l->guard);
	uint64_t now = loop_now(l->sw->loop);

	if (next)
		loop_timer_set(l->sw->loop, &l->timer,
			       next > now ? next - now : 0, due);
	else
		loop_timer_del(l->sw->loop, &l->timer);
}

static void due(struct loop_timer *t)
{
	struct loops *l = container_of(t, struct loops, timer);

	l->sw->br->now = loop_now(l->sw->loop);
	loopguard_tick(l->guard, l->sw->br->now);
	rearm(l);
}

static void plugged(struct loops *l, unsigned int port)
{
	if (loopguard_plugged(l->guard, port, loop_now(l->sw->loop)))
		log_warn_rl(&l->limit, loop_now(l->sw->loop),
			    "unable to guard port %u against loops: no memory",
			    port);
}

static void heard(struct bridge_listener *li, const struct bridge_event *ev)
{
	struct loops *l = container_of(li, struct loops, listener);

	if (ev->type == BRIDGE_ENDPOINT_NEW)
		plugged(l, ev->port);
	else if (ev->type == BRIDGE_PORT_DOWN)
		loopguard_unplugged(l->guard, ev->port);
	else
		loopguard_forget(l->guard, ev->port);
	rearm(l);
}

static bool input(struct bridge_proto *proto, struct port *p, struct frame *f,
		  bool tagged)
{
	struct loops *l = container_of(proto, struct loops, proto);
	unsigned int vid = p->br->hub ? 0 : frame_vid(f);
	bool ours = loopguard_input(l->guard, p->id, vid, f->data, f->len,
				    p->br->now);

	if (ours)
		rearm(l);
	return ours;
}

static void turn(struct loops *l, bool on)
{
	struct bridge *br = l->sw->br;

	if (loopguard_is_on(l->guard) == on)
		return;
	loopguard_set(l->guard, on, loop_now(l->sw->loop));
	for (unsigned int i = 0; i <= br->numports; i++) {
		const struct port *p = br->ports[i];

		if (on && p && port_is_active(p))
			plugged(l, i);
		else
			loopguard_unplugged(l->guard, i);
	}
	if (on)
		bridge_proto_add(br, &l->proto);
	else
		bridge_proto_del(br, &l->proto);
	l->listener.events = 1u << BRIDGE_PORT_REMOVED;
	if (on)
		l->listener.events |= 1u << BRIDGE_ENDPOINT_NEW |
				      1u << BRIDGE_PORT_DOWN;
	bridge_listen(br, &l->listener);
	rearm(l);
}

/* ---- commands ---- */

static struct loops *loops_of(void *ctx)
{
	return ((struct vswitch *)ctx)->loops;
}

static int cmd_set(struct mgmt_req *rq, void *ctx)
{
	turn(loops_of(ctx), rq->arg[0].num != 0);
	return 0;
}

static int cmd_port(struct mgmt_req *rq, void *ctx)
{
	struct loops *l = loops_of(ctx);
	unsigned int port = (unsigned int)rq->arg[0].num;
	int rc;

	if (port > l->sw->br->numports)
		return -EINVAL;
	if (!l->sw->br->ports[port])
		return -ENXIO;
	rc = loopguard_set_port(l->guard, port, rq->arg[1].num != 0,
				loop_now(l->sw->loop));
	rearm(l);
	return rc;
}

static int cmd_interval(struct mgmt_req *rq, void *ctx)
{
	struct loops *l = loops_of(ctx);

	loopguard_set_interval(l->guard, (uint32_t)rq->arg[0].num,
			       loop_now(l->sw->loop));
	rearm(l);
	return 0;
}

static int cmd_hold(struct mgmt_req *rq, void *ctx)
{
	struct loops *l = loops_of(ctx);

	loopguard_set_hold(l->guard, (uint32_t)rq->arg[0].num);
	rearm(l);
	return 0;
}

static const struct loopguard_port *of_port(const struct vswitch *sw,
					    uint64_t port)
{
	static const struct loopguard_port as_new = { .on = true };
	const struct loopguard_port *p = loopguard_port(sw->loops->guard,
							(unsigned int)port);

	return p ? p : &as_new;
}

static void show_settings(struct writer *w, const struct loops *l)
{
	const struct loopguard_counters *c = loopguard_counters(l->guard);

	writer_bool(w, "on", loopguard_is_on(l->guard), "Loop guard ON",
		    "Loop guard OFF");
	writer_num(w, "interval_ms", " interval ", loopguard_interval(l->guard),
		   0);
	writer_num(w, "hold_s", " ms hold ", loopguard_hold(l->guard), 0);
	writer_text(w, " s");
	writer_line(w);
	writer_num(w, "foreign", " probes of others ", (int64_t)c->foreign, 0);
	writer_num(w, "stale", " stale ", (int64_t)c->stale, 0);
	writer_num(w, "forged", " forged ", (int64_t)c->forged, 0);
	writer_line(w);
}

static void show_port(struct writer *w, const struct loops *l, unsigned int id)
{
	const struct loopguard_port *p = of_port(l->sw, id);

	writer_open(w, NULL);
	writer_num(w, "port", "Port ", id, 4);
	writer_bool(w, "guarded", p->on, " guarded=1", " guarded=0");
	writer_bool(w, "held", p->held, " HELD", NULL);
	if (p->held) {
		writer_num(w, "peer", ": loop to port ", p->peer, 4);
		writer_num(w, "vlan", " VLAN ", p->vid, 4);
		writer_num(
			w, "seen_ms", " seen ",
			(int64_t)((loop_now(l->sw->loop) - p->seen) / LOOP_MS),
			0);
		writer_text(w, " ms ago");
	}
	writer_line(w);
	writer_num(w, "probes", " probes ", (int64_t)p->probes, -10);
	writer_num(w, "loops", " came back ", (int64_t)p->loops, -10);
	writer_num(w, "holds", " times held ", (int64_t)p->holds, -6);
	writer_line(w);
	writer_close(w);
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	const struct loops *l = loops_of(ctx);
	const struct bridge *br = l->sw->br;
	uint64_t *at = &rq->more[0];

	if (!rq->again) {
		show_settings(rq->w, l);
		writer_list(rq->w, "ports");
	}
	for (; *at <= br->numports; ++*at) {
		if (mgmt_pause(rq))
			return MGMT_MORE;
		if (br->ports[*at])
			show_port(rq->w, l, (unsigned int)*at);
	}
	writer_close(rq->w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "loopguard", "============", "LOOP GUARD MENU", NULL, false },
	{ "loopguard/set <bool>", "0/1", "hold down a port where probes come back 1=ON 0=OFF", cmd_set, false },
	{ "loopguard/port <port> <bool>", "N 0/1", "may port N be probed and held? 1=Y 0=N", cmd_port, false },
	{ "loopguard/interval <interval>", "MS", "set the time between two probes (ms)", cmd_interval, false },
	{ "loopguard/hold <hold>", "SECS", "set how long after the last loop a port is held", cmd_hold, false },
	{ "loopguard/print", "", "print the loop guard's settings and ports", cmd_print, true },
};
/* clang-format on */
const struct mgmt_table loopguard_table = { cmds, ARRAY_SIZE(cmds) };

/* ---- metrics ---- */

static void enabled(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, loopguard_is_on(sw->loops->guard));
}

static void refused(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	const struct loopguard_counters *c = loopguard_counters(
		sw->loops->guard);

	metrics_label(m, "kind", "foreign");
	metrics_value(m, c->foreign);
	metrics_label(m, "kind", "stale");
	metrics_value(m, c->stale);
	metrics_label(m, "kind", "forged");
	metrics_value(m, c->forged);
}

static void port_held(struct metrics *m, const struct vswitch *sw,
		      uint64_t port)
{
	metrics_label_num(m, "port", (unsigned int)port);
	metrics_value(m, of_port(sw, port)->held);
}

/* arg: where it is in struct loopguard_port. */
static void port_counter(struct metrics *m, const struct vswitch *sw,
			 uint64_t port)
{
	metrics_label_num(m, "port", (unsigned int)port);
	metrics_value_in(m, of_port(sw, port));
}

#define IN_PORT(field) port_counter, offsetof(struct loopguard_port, field)

/* clang-format off */
static const struct metric rows[] = {
	{ "loopguard_enabled", METRIC_GAUGE, "1: the loop guard is on.", NULL, enabled, 0 },
	{ "loopguard_probes_seen_total", METRIC_COUNTER, "Probes that proved nothing: of others, too old, or in this switch's name.", NULL, refused, 0 },
	{ "loopguard_port_held", METRIC_GAUGE, "1: held down for a loop.", metrics_next_port, port_held, 0 },
	{ "loopguard_port_probes_total", METRIC_COUNTER, "Probes sent.", metrics_next_port, IN_PORT(probes) },
	{ "loopguard_port_loops_total", METRIC_COUNTER, "Probes that came back here.", metrics_next_port, IN_PORT(loops) },
	{ "loopguard_port_holds_total", METRIC_COUNTER, "How often the port was held down.", metrics_next_port, IN_PORT(holds) },
};
/* clang-format on */
const struct metric_set loopguard_metrics = { rows, ARRAY_SIZE(rows) };

/* ---- the switch's start and end ---- */

static int new_guard(struct loops *l)
{
	struct loopguard_config cf = {
		.now = loop_now(l->sw->loop),
		.ctx = l,
		.open = is_open,
		.untagged = untagged,
		.guarded = has_tree,
		.send = send_probe,
		.hold = hold,
	};
	uint64_t random[3];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	cf.id = random[0];
	cf.key[0] = random[1];
	cf.key[1] = random[2];
	l->guard = loopguard_new(&cf);
	return l->guard ? 0 : -ENOMEM;
}

int loops_start(struct vswitch *sw)
{
	struct loops *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	sw->loops = l;
	l->sw = sw;
	l->listener.fn = heard;
	l->listener.events = 1u << BRIDGE_PORT_REMOVED;
	l->proto = (struct bridge_proto){ .addr = LOOPGUARD_ADDR,
					  .input = input };
	l->held = event_register(sw, &categories[0]);
	l->released = event_register(sw, &categories[1]);
	if (l->held < 0 || l->released < 0)
		return -ENOSPC;
	rc = new_guard(l);
	if (!rc)
		bridge_listen(sw->br, &l->listener);
	return rc;
}

void loops_stop(struct vswitch *sw)
{
	struct loops *l = sw->loops;

	if (!l)
		return;
	bridge_unlisten(sw->br, &l->listener);
	bridge_proto_del(sw->br, &l->proto);
	loop_timer_del(sw->loop, &l->timer);
	loopguard_free(l->guard);
	free(l);
	sw->loops = NULL;
}
