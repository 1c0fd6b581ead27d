// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/event.h"

#include <errno.h>

#include "base/strbuf.h"

struct builtin {
	struct event_category category;
	enum bridge_event_type type;
};

/* clang-format off */
static const struct builtin builtins[] = {
	{ { "hash/+",     011, "hash: new element" },       BRIDGE_MAC_NEW },
	{ { "hash/-",     012, "hash: discarded element" }, BRIDGE_MAC_GONE },
	/* enum event_bit */
	{ { "fstp/status", 044, "fstp: status change" },          BRIDGE_N_EVENTS },
	{ { "fstp/root",   045, "fstp: rootswitch/port change" }, BRIDGE_N_EVENTS },
	{ { "fstp/+",      041, "fstp: port becomes active" },    BRIDGE_N_EVENTS },
	{ { "fstp/-",      042, "fstp: port becomes inactive" },  BRIDGE_N_EVENTS },
	{ { "port/+",     021, "new port" },                BRIDGE_PORT_UP },
	{ { "port/-",     022, "closed port" },             BRIDGE_PORT_DOWN },
	{ { "port/descr", 023, "set port description" },    BRIDGE_ENDPOINT_DESCR },
	{ { "port/ep/+",  031, "new endpoint" },            BRIDGE_ENDPOINT_NEW },
	{ { "port/ep/-",  032, "closed endpoint" },         BRIDGE_ENDPOINT_GONE },
	{ { "guard/address", 071, "guard: address refused" }, BRIDGE_MAC_REFUSED },
};
/* clang-format on */

/* VDE 2 prints a VLAN here as two bytes, the low one first. */
static void describe(const struct bridge_event *ev, struct strbuf *b)
{
	char addr[ETHER_STRLEN];

	switch (ev->type) {
	case BRIDGE_MAC_NEW:
	case BRIDGE_MAC_GONE:
	case BRIDGE_MAC_MOVED:
		strbuf_fmt(b, "%s VLAN %02x:%02x Port %u",
			   ether_str(addr, ev->addr), ev->vlan & 0xff,
			   ev->vlan >> 8, ev->port);
		break;
	case BRIDGE_MAC_REFUSED:
		strbuf_fmt(b, "%s VLAN %04u Port %04u",
			   ether_str(addr, ev->addr), ev->vlan, ev->port);
		if (ev->port_old != ev->port)
			strbuf_fmt(b, " sticky on Port %04u", ev->port_old);
		break;
	case BRIDGE_PORT_UP:
	case BRIDGE_PORT_DOWN:
		strbuf_fmt(b, "%02u", ev->port);
		break;
	case BRIDGE_ENDPOINT_NEW:
	case BRIDGE_ENDPOINT_GONE:
		strbuf_fmt(b, "Port %02u FD %2u", ev->port, ev->ep->id);
		break;
	case BRIDGE_ENDPOINT_DESCR:
		strbuf_fmt(b, "Port %02u FD %2u -> \"%s\"", ev->port,
			   ev->ep->id, ev->ep->descr);
		break;
	case BRIDGE_LINK:
	case BRIDGE_PORT_CREATED:
	case BRIDGE_PORT_REMOVED:
	case BRIDGE_VLAN_CREATED:
	case BRIDGE_VLAN_REMOVED:
	case BRIDGE_MEMBER:
	case BRIDGE_HUB:
	case BRIDGE_N_EVENTS:
		break; /* have no category */
	}
}

/* ---- categories ---- */

int event_register(struct vswitch *sw, const struct event_category *c)
{
	for (int i = 0; i < EVENT_CATEGORIES; i++) {
		if (sw->categories[i])
			continue;
		sw->categories[i] = c;
		return i;
	}
	return -ENOSPC;
}

static void unsubscribe(void *ctx, struct console_session *s)
{
	const int *bit = ctx;

	*console_flags(s) &= ~(UINT64_C(1) << *bit);
}

void event_unregister(struct vswitch *sw, int bit)
{
	if (bit < 0)
		return;
	sw->categories[bit] = NULL;
	console_for_each(sw->console, unsubscribe, &bit);
	event_update(sw);
}

struct delivery {
	const struct event_category *category;
	int bit;
	const char *text;
};

static void deliver(void *ctx, struct console_session *s)
{
	const struct delivery *d = ctx;

	if (*console_flags(s) >> d->bit & 1)
		console_event(s, d->category->tag, d->category->name, d->text);
}

void event_emit(struct vswitch *sw, int bit, const char *text)
{
	struct delivery d = { sw->categories[bit], bit, text };

	if (event_wanted(sw, bit))
		console_for_each(sw->console, deliver, &d);
}

/* ---- of the bridge ---- */

static void log_move(struct vswitch *sw, const struct bridge_event *ev)
{
	char addr[ETHER_STRLEN];

	log_warn_rl(&sw->move_limit, loop_now(sw->loop),
		    "MAC %s moved from port %u to port %u",
		    ether_str(addr, ev->addr), ev->port_old, ev->port);
}

static void log_refused(struct vswitch *sw, const struct bridge_event *ev)
{
	char addr[ETHER_STRLEN];

	ether_str(addr, ev->addr);
	if (ev->port == ev->port_old)
		log_warn_rl(&sw->refused_limit, loop_now(sw->loop),
			    "MAC %s refused on port %u: it has as many as it "
			    "may have",
			    addr, ev->port);
	else
		log_warn_rl(&sw->refused_limit, loop_now(sw->loop),
			    "MAC %s refused on port %u: it is sticky on port "
			    "%u",
			    addr, ev->port, ev->port_old);
}

static void heard(struct bridge_listener *l, const struct bridge_event *ev)
{
	struct vswitch *sw = container_of(l, struct vswitch, listener);
	char text[ENDPOINT_DESCR + 64];
	struct strbuf b;

	if (ev->type == BRIDGE_MAC_MOVED)
		log_move(sw, ev);
	if (ev->type == BRIDGE_MAC_REFUSED)
		log_refused(sw, ev);
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		if (builtins[i].type != ev->type)
			continue;
		strbuf_init(&b, text, sizeof(text));
		describe(ev, &b);
		event_emit(sw, (int)i, text);
	}
}

static void collect(void *ctx, struct console_session *s)
{
	uint64_t *all = ctx;

	*all |= *console_flags(s);
}

void event_update(struct vswitch *sw)
{
	sw->subscribed = 0;
	console_for_each(sw->console, collect, &sw->subscribed);
	sw->listener.events = 1u << BRIDGE_MAC_MOVED | 1u << BRIDGE_MAC_REFUSED;
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (builtins[i].type != BRIDGE_N_EVENTS &&
		    event_wanted(sw, (int)i))
			sw->listener.events |= 1u << builtins[i].type;
	bridge_listen(sw->br, &sw->listener);
}

void event_init(struct vswitch *sw)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		event_register(sw, &builtins[i].category);
	sw->listener.fn = heard;
	event_update(sw);
}

void event_fini(struct vswitch *sw)
{
	sw->subscribed = 0;
	bridge_unlisten(sw->br, &sw->listener);
}
