// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/snoop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/strbuf.h"
#include "switch/event.h"

static const struct event_category categories[] = {
	{ "mcast/+", 051, "mcast: a port wants a group" },
	{ "mcast/-", 052, "mcast: a port wants a group no more" },
	{ "mcast/router", 053, "mcast: a router comes or goes" },
	{ "mcast/querier", 054, "mcast: another querier" },
};

enum {
	JOINED,
	LEFT,
	ROUTER,
	QUERIER,
	N_BITS
};
static_assert(ARRAY_SIZE(categories) == N_BITS, "a category is missing");

struct snoop {
	struct vswitch *sw;
	struct mcast *engine; /* NULL: nobody wanted it yet */
	bool set;
	struct bridge_listener listener;
	struct loop_hook hook;
	struct loop_timer timer;
	uint64_t armed; /* when the timer is due, 0: it is not armed */
	int bits[N_BITS]; /* of the categories */
};

static void put32(uint8_t *p, uint64_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = v & 0xff;
}

const char *snoop_addr_str(char s[static SNOOP_ADDR_STRLEN],
			   struct mcast_addr a, bool v6)
{
	uint8_t bytes[16];

	put32(bytes, a.hi >> 32);
	put32(bytes + 4, a.hi);
	put32(bytes + 8, a.lo >> 32);
	put32(bytes + 12, a.lo);
	if (v6)
		inet_ntop(AF_INET6, bytes, s, SNOOP_ADDR_STRLEN);
	else
		inet_ntop(AF_INET, bytes + 12, s, SNOOP_ADDR_STRLEN);
	return s;
}

/* ---- what the engine asks for ---- */

/* By the ports that pass the VLAN's frames. */
static void transmit(void *ctx, unsigned int vid, int port,
		     const uint8_t *frame, size_t len)
{
	struct bridge *br = ((struct snoop *)ctx)->sw->br;
	const struct vlan *v = br->vlans[vid];

	if (br->hub || !v)
		return;
	bits_for_each(i, br->usable, br->words) {
		unsigned int id = (unsigned int)i;

		if ((port < 0 || port == i) && vlan_is_member(v, id) &&
		    bridge_get_state(br, vid, id) == BRIDGE_FORWARDING)
			bridge_originate(br, id, vid, frame, len);
	}
}

static void event(void *ctx, const struct mcast_event *ev)
{
	static const struct {
		int bit;
		const char *word;
	} kinds[] = {
		[MCAST_PORT_JOINED] = { JOINED, "" },
		[MCAST_PORT_LEFT] = { LEFT, "" },
		[MCAST_ROUTER_NEW] = { ROUTER, " comes" },
		[MCAST_ROUTER_GONE] = { ROUTER, " goes" },
		[MCAST_QUERIER] = { QUERIER, "" },
	};
	const struct snoop *s = ctx;
	int bit = s->bits[kinds[ev->type].bit];
	char addr[SNOOP_ADDR_STRLEN], text[SNOOP_ADDR_STRLEN + 40];
	bool router = kinds[ev->type].bit == ROUTER;

	static_assert(ARRAY_SIZE(kinds) == MCAST_N_EVENTS, "a kind is missing");
	if (!event_wanted(s->sw, bit))
		return;
	snoop_addr_str(addr, ev->addr, ev->v6);
	if (str_fmt(text, sizeof(text), "%s VLAN %04u Port %04u%s",
		    !router  ? addr
		    : ev->v6 ? "IPv6"
			     : "IPv4",
		    ev->vid, ev->port,
		    ev->gone ? " is gone" : kinds[ev->type].word) > 0)
		event_emit(s->sw, bit, text);
}

static const struct mcast_ops ops = { transmit, event };

/* ---- what the engine is told ---- */

static void due(struct loop_timer *t)
{
	struct snoop *s = container_of(t, struct snoop, timer);

	s->armed = 0;
	mcast_tick(s->engine, loop_now(s->sw->loop));
}

/* After every turn, which may have changed what there is to wait for. */
static void before_wait(struct loop_hook *h)
{
	struct snoop *s = container_of(h, struct snoop, hook);
	uint64_t next = mcast_next(s->engine), now = loop_now(s->sw->loop);

	if (next == s->armed)
		return;
	s->armed = next;
	if (!next)
		loop_timer_del(s->sw->loop, &s->timer);
	else if (loop_timer_set(s->sw->loop, &s->timer,
				next > now ? next - now : 0, due))
		s->armed = 0; /* no memory: tried again after this turn */
}

/* A bridge that has become wider has told the engine, if it is on. */
static void update(struct snoop *s)
{
	struct bridge *br = s->sw->br;
	bool on = s->set && !br->hub;

	mcast_enable(s->engine, on, loop_now(s->sw->loop));
	br->mcast = on ? s->engine : NULL;
}

static void membership(struct snoop *s, unsigned int vid, unsigned int port)
{
	const struct vlan *v = s->sw->br->vlans[vid];

	mcast_port_member(s->engine, vid, port, v && vlan_is_member(v, port),
			  loop_now(s->sw->loop));
}

static void link_changed(struct snoop *s, unsigned int port)
{
	const struct port *p = bridge_port(s->sw->br, port);

	if (p && port_has_link(p))
		mcast_port_up(s->engine, port, loop_now(s->sw->loop));
	else
		mcast_port_down(s->engine, port);
}

static void heard(struct bridge_listener *l, const struct bridge_event *ev)
{
	struct snoop *s = container_of(l, struct snoop, listener);

	if (ev->type == BRIDGE_MEMBER)
		membership(s, ev->vlan, ev->port);
	else if (ev->type == BRIDGE_VLAN_CREATED ||
		 ev->type == BRIDGE_VLAN_REMOVED)
		mcast_vlan_changed(s->engine, ev->vlan);
	else if (ev->type == BRIDGE_HUB)
		update(s);
	else if (ev->type == BRIDGE_PORT_DOWN)
		mcast_port_down(s->engine, ev->port);
	else if (ev->type == BRIDGE_PORT_REMOVED)
		mcast_port_removed(s->engine, ev->port);
	else
		link_changed(s, ev->port);
}

/* ---- from outside ---- */

static struct mcast *new_engine(struct snoop *s)
{
	struct mcast_config cf = { .ops = &ops, .ctx = s };

	if (getrandom(&cf.secret, sizeof(cf.secret), 0) != sizeof(cf.secret))
		return NULL;
	cf.mac = s->sw->macaddr;
	cf.words = s->sw->br->words;
	return mcast_new(&cf, loop_now(s->sw->loop));
}

struct mcast *snoop_engine(struct vswitch *sw)
{
	struct snoop *s = sw->snoop;

	if (s->engine) {
		mcast_set_mac(s->engine, sw->macaddr);
		return mcast_set_words(s->engine, sw->br->words) ? NULL
								 : s->engine;
	}
	s->engine = new_engine(s);
	if (!s->engine)
		return NULL;
	s->listener.fn = heard;
	s->listener.events = 1u << BRIDGE_PORT_UP | 1u << BRIDGE_PORT_DOWN |
			     1u << BRIDGE_LINK | 1u << BRIDGE_PORT_REMOVED |
			     1u << BRIDGE_VLAN_CREATED |
			     1u << BRIDGE_VLAN_REMOVED | 1u << BRIDGE_MEMBER |
			     1u << BRIDGE_HUB;
	bridge_listen(sw->br, &s->listener);
	loop_hook_add(sw->loop, &s->hook, before_wait);
	return s->engine;
}

const struct mcast *snoop_look(const struct vswitch *sw)
{
	const struct snoop *s = sw->snoop;

	return s->engine ? snoop_engine(s->sw) : NULL;
}

int snoop_set(struct vswitch *sw, bool on)
{
	struct snoop *s = sw->snoop;

	if (!on && !s->engine)
		return 0;
	if (!snoop_engine(sw))
		return -ENOMEM;
	s->set = on;
	update(s);
	return 0;
}

bool snoop_is_set(const struct vswitch *sw)
{
	return sw->snoop->set;
}

int snoop_start(struct vswitch *sw)
{
	struct snoop *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->sw = sw;
	sw->snoop = s;
	for (int i = 0; i < N_BITS; i++) {
		s->bits[i] = event_register(sw, &categories[i]);
		if (s->bits[i] < 0)
			return s->bits[i];
	}
	return 0;
}

void snoop_stop(struct vswitch *sw)
{
	struct snoop *s = sw->snoop;

	if (!s)
		return;
	sw->br->mcast = NULL;
	bridge_unlisten(sw->br, &s->listener);
	if (s->engine) {
		loop_timer_del(sw->loop, &s->timer);
		loop_hook_del(&s->hook);
	}
	mcast_free(s->engine);
	free(s);
	sw->snoop = NULL;
}
