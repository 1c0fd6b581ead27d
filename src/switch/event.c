// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/event.h"

#include "base/strbuf.h"

/* clang-format off */
const struct event_category event_categories[] = {
	{ "hash/+",     011, "hash: new element",       BRIDGE_MAC_NEW },
	{ "hash/-",     012, "hash: discarded element", BRIDGE_MAC_GONE },
	{ "port/+",     021, "new port",                BRIDGE_PORT_UP },
	{ "port/-",     022, "closed port",             BRIDGE_PORT_DOWN },
	{ "port/descr", 023, "set port description",    BRIDGE_ENDPOINT_DESCR },
	{ "port/ep/+",  031, "new endpoint",            BRIDGE_ENDPOINT_NEW },
	{ "port/ep/-",  032, "closed endpoint",         BRIDGE_ENDPOINT_GONE },
};
/* clang-format on */
const size_t n_event_categories = ARRAY_SIZE(event_categories);

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
	case BRIDGE_N_EVENTS:
		break;
	}
}

struct delivery {
	size_t category;
	const char *text;
};

static void deliver(void *ctx, struct console_session *s)
{
	const struct delivery *d = ctx;
	const struct event_category *c = &event_categories[d->category];

	if (*console_flags(s) >> d->category & 1)
		console_event(s, c->tag, c->name, d->text);
}

static void log_move(struct vswitch *sw, const struct bridge_event *ev)
{
	char addr[ETHER_STRLEN];

	log_warn_rl(&sw->move_limit, loop_now(sw->loop),
		    "MAC %s moved from port %u to port %u",
		    ether_str(addr, ev->addr), ev->port_old, ev->port);
}

static void notify(void *ctx, const struct bridge_event *ev)
{
	struct vswitch *sw = ctx;
	char text[ENDPOINT_DESCR + 64];
	struct strbuf b;
	struct delivery d = { .text = text };

	if (ev->type == BRIDGE_MAC_MOVED)
		log_move(sw, ev);
	strbuf_init(&b, text, sizeof(text));
	describe(ev, &b);
	for (; d.category < n_event_categories; d.category++)
		if (event_categories[d.category].type == ev->type)
			console_for_each(sw->console, deliver, &d);
}

static void collect(void *ctx, struct console_session *s)
{
	uint64_t *all = ctx;

	*all |= *console_flags(s);
}

void event_update(struct vswitch *sw)
{
	uint64_t all = 0;

	console_for_each(sw->console, collect, &all);
	sw->br->events = 1u << BRIDGE_MAC_MOVED;
	for (size_t i = 0; i < n_event_categories; i++)
		if (all >> i & 1)
			sw->br->events |= 1u << event_categories[i].type;
}

void event_init(struct vswitch *sw)
{
	sw->br->notify = notify;
	sw->br->notify_ctx = sw;
	event_update(sw);
}
