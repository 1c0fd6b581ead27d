// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/fstp.h"

#include <errno.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "switch/event.h"

/* A switch that did not run for a while, more than LATE, finds its timers over
 * and what would have kept them from that in sockets, plugs and cables, behind
 * other frames. It listens for GRACE before it believes its timers. */
#define LATE (500 * LOOP_MS)
#define GRACE (300 * LOOP_MS)

struct fstp {
	struct vswitch *sw;
	struct stp *stp;
	struct loop_timer timer;
	struct loop_hook hook;
	uint64_t armed; /* when the timer is due, 0: it is not armed */
	bool listening; /* a turn was late */
	struct log_limit limits[STP_N_EVENTS];
};

char *bridge_id_str(char s[static BRIDGE_ID_STRLEN], uint64_t id)
{
	struct strbuf b;

	strbuf_init(&b, s, BRIDGE_ID_STRLEN);
	for (int shift = 56; shift >= 0; shift -= 8)
		strbuf_fmt(&b, "%02x%s", (unsigned int)(id >> shift & 0xff),
			   shift ? ":" : "");
	return s;
}

/* ---- time ---- */

static uint64_t time_now(void *ctx)
{
	const struct fstp *f = ctx;

	return loop_now(f->sw->loop);
}

static void due(struct loop_timer *t);

static void arm(struct fstp *f, uint64_t at)
{
	uint64_t now = loop_now(f->sw->loop);

	f->armed = at;
	if (!at)
		loop_timer_del(f->sw->loop, &f->timer);
	else if (loop_timer_set(f->sw->loop, &f->timer, at > now ? at - now : 0,
				due))
		f->armed = 0; /* no memory: tried again after this turn */
}

static void due(struct loop_timer *t)
{
	struct fstp *f = container_of(t, struct fstp, timer);
	uint64_t now = loop_now(f->sw->loop);

	f->listening = !f->listening && now > f->armed + LATE;
	if (f->listening) {
		arm(f, now + GRACE);
		return;
	}
	stp_tick(f->stp, now);
	arm(f, stp_next(f->stp));
}

/* After every turn, which may have changed what there is to wait for. */
static void before_wait(struct loop_hook *h)
{
	struct fstp *f = container_of(h, struct fstp, hook);
	uint64_t next = stp_next(f->stp);

	if (next != f->armed && !f->listening)
		arm(f, next);
}

/* ---- events ---- */

/* As in VDE 2, which prints a VLAN here as two bytes, the high one first. */
static void emit(struct fstp *f, int bit, const struct stp_event *ev,
		 const char *what)
{
	char text[80];

	if (!event_wanted(f->sw, bit))
		return;
	if (str_fmt(text, sizeof(text), "Port %04d VLAN %02x:%02x%s",
		    ev->port < 0 ? 0 : ev->port, ev->vlan >> 8, ev->vlan & 0xff,
		    what) > 0)
		event_emit(f->sw, bit, text);
}

#define LOG(f, ev, level, ...)                                               \
	log_msg_rl(&(f)->limits[(ev)->type], loop_now((f)->sw->loop), level, \
		   __VA_ARGS__)

static void state_changed(struct fstp *f, const struct stp_event *ev)
{
	static const char *const words[] = {
		[BRIDGE_DISCARDING] = " discarding",
		[BRIDGE_LEARNING] = " learning",
		[BRIDGE_FORWARDING] = " learning+forwarding",
	};

	emit(f, EVENT_FSTP_STATUS, ev, words[ev->state]);
}

static void root_changed(struct fstp *f, const struct stp_event *ev)
{
	const struct rstp *tree = stp_tree(f->stp, ev->vlan);
	struct rstp_info in = { .root = stp_bridge_id(f->stp, ev->vlan) };
	char id[BRIDGE_ID_STRLEN], what[BRIDGE_ID_STRLEN + 4];

	if (tree)
		rstp_get_info(tree, &in);
	bridge_id_str(id, in.root);
	if (str_fmt(what, sizeof(what), " -> %s", id) > 0)
		emit(f, EVENT_FSTP_ROOT, ev, what);
	if (ev->port < 0)
		LOG(f, ev, LOG_INFO, "VLAN %u: this switch is the root",
		    ev->vlan);
	else
		LOG(f, ev, LOG_INFO, "VLAN %u: the root is %s by port %d",
		    ev->vlan, id, ev->port);
}

static void peer_changed(struct fstp *f, const struct stp_event *ev)
{
	const struct rstp *tree = stp_tree(f->stp, ev->vlan);
	struct rstp_port_info in;

	if (tree && !rstp_port_get_info(tree, (unsigned int)ev->port, &in))
		LOG(f, ev, LOG_NOTICE,
		    "port %d, VLAN %u: the neighbour speaks %s", ev->port,
		    ev->vlan, rstp_peer_name(in.peer));
}

/* What begins is a warning, its end is none. */
static void log_trouble(struct fstp *f, const struct stp_event *ev,
			const char *begins, const char *ends)
{
	LOG(f, ev, ev->on ? LOG_WARNING : LOG_NOTICE, "port %d, VLAN %u: %s",
	    ev->port, ev->vlan, ev->on ? begins : ends);
}

static void event(void *ctx, const struct stp_event *ev)
{
	struct fstp *f = ctx;

	switch (ev->type) {
	case STP_HEARD:
		emit(f, ev->on ? EVENT_FSTP_NEW : EVENT_FSTP_GONE, ev, "");
		break;
	case STP_STATE:
		state_changed(f, ev);
		break;
	case STP_ROOT:
		root_changed(f, ev);
		break;
	case STP_PEER:
		peer_changed(f, ev);
		break;
	case STP_BPDU_GUARD:
		log_trouble(f, ev, "disabled in all VLANs by BPDU guard",
			    "enabled again by BPDU guard");
		break;
	case STP_ROOT_GUARD:
		log_trouble(f, ev,
			    "blocked by root guard: a better root is there",
			    "no better root there any more");
		break;
	case STP_LOOPED:
		log_trouble(f, ev, "blocked: it hears what it sends, a loop",
			    "does not hear itself any more");
		break;
	case STP_NO_MEMORY:
		if (ev->port < 0)
			LOG(f, ev, LOG_ERR,
			    "unable to start spanning tree in VLAN %u, which "
			    "is blocked: out of memory",
			    ev->vlan);
		else
			LOG(f, ev, LOG_ERR,
			    "unable to add port %d to the spanning tree of "
			    "VLAN %u: out of memory",
			    ev->port, ev->vlan);
		break;
	case STP_N_EVENTS:
		break;
	}
}

static const struct stp_ops ops = { time_now, event };

int fstp_start(struct vswitch *sw, uint16_t priority)
{
	struct fstp *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->sw = sw;
	f->stp = stp_new(sw->br, &ops, f);
	if (!f->stp) {
		free(f);
		return -ENOMEM;
	}
	stp_set_priority(f->stp, priority);
	stp_set_mac(f->stp, sw->macaddr);
	loop_hook_add(sw->loop, &f->hook, before_wait);
	sw->fstp = f;
	sw->stp = f->stp;
	return 0;
}

void fstp_stop(struct vswitch *sw)
{
	struct fstp *f = sw->fstp;

	stp_free(f->stp);
	loop_timer_del(sw->loop, &f->timer);
	loop_hook_del(&f->hook);
	free(f);
	sw->stp = NULL;
	sw->fstp = NULL;
}
