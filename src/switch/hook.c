// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/hook.h"

#include "switch/bridge.h"

static_assert(PORT_HOOK_IN == 1 << HOOK_IN && PORT_HOOK_OUT == 1 << HOOK_OUT &&
		      PORT_HOOK_DROP == 1 << HOOK_DROP,
	      "the bits of port->slow are those of the points");

#define HOOK_BITS ((1u << HOOK_N_POINTS) - 1)
#define VETO (1u << HOOK_VETO)
#define WATCH (1u << HOOK_WATCH)

static bool sees(struct frame_hook *h, const struct port *p)
{
	return !h->sees || h->sees(h, p);
}

void hook_update_port(struct port *p)
{
	unsigned int points = 0;

	list_for_each(it, &p->br->hooks) {
		struct frame_hook *h = list_entry(it, struct frame_hook, node);

		if (sees(h, p))
			points |= h->points;
	}
	p->slow = (p->slow & ~HOOK_BITS) | points;
}

void hook_update(struct bridge *br)
{
	for (unsigned int i = 0; i <= br->numports; i++)
		if (br->ports[i])
			hook_update_port(br->ports[i]);
}

void hook_add(struct bridge *br, struct frame_hook *h)
{
	struct list *before = &br->hooks;

	list_for_each(it, &br->hooks) {
		if (list_entry(it, struct frame_hook, node)->rank > h->rank) {
			before = it;
			break;
		}
	}
	list_add_tail(before, &h->node);
	hook_update(br);
}

void hook_del(struct bridge *br, struct frame_hook *h)
{
	if (!h->node.next)
		return;
	list_del(&h->node);
	hook_update(br);
}

/* Those of these ranks, 1 << HOOK_VETO and so on. */
static bool call(const struct hook_frame *hf, unsigned int ranks)
{
	list_for_each(it, &hf->port->br->hooks) {
		struct frame_hook *h = list_entry(it, struct frame_hook, node);

		if ((ranks >> h->rank & 1) && (h->points >> hf->point & 1) &&
		    sees(h, hf->port) && !h->fn(h, hf) &&
		    hf->point != HOOK_DROP)
			return false;
	}
	return true;
}

static bool pass(struct port *p, struct frame *f, bool tagged,
		 enum hook_point point, unsigned int ranks)
{
	struct hook_frame hf = { .point = point,
				 .port = p,
				 .frame = f,
				 .tagged = tagged,
				 .now = p->br->now };

	if (call(&hf, ranks))
		return true;
	port_drop(p, f, tagged,
		  point == HOOK_IN ? DROP_VETO_IN : DROP_VETO_OUT);
	return false;
}

bool hook_pass(struct port *p, struct frame *f, bool tagged,
	       enum hook_point point)
{
	return pass(p, f, tagged, point, VETO | WATCH);
}

bool hook_ask(struct port *p, struct frame *f, bool tagged,
	      enum hook_point point)
{
	return pass(p, f, tagged, point, VETO);
}

void hook_show(struct port *p, struct frame *f, bool tagged)
{
	struct hook_frame hf = { .point = HOOK_IN,
				 .port = p,
				 .frame = f,
				 .tagged = tagged,
				 .now = p->br->now };

	call(&hf, WATCH);
}

void port_tell_drop(struct port *p, struct frame *f, bool tagged,
		    enum drop_reason why)
{
	struct hook_frame hf = { .point = HOOK_DROP,
				 .port = p,
				 .frame = f,
				 .tagged = tagged,
				 .reason = why,
				 .now = p->br->now };

	call(&hf, VETO | WATCH);
}
