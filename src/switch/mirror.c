// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/bridge.h"
#include "switch/hook.h"

struct mirrors {
	struct bridge *br;
	struct frame_hook in, out; /* so that a port pays for what it needs */
	struct bridge_listener listener;
	struct mirror **by_src;
	unsigned int n_src;
	bool copying; /* what leaves now is a copy */
};

static struct mirror *first_of(const struct mirrors *m, unsigned int src)
{
	return src < m->n_src ? m->by_src[src] : NULL;
}

/* ---- what passes ---- */

/* What the switch says and hears for itself is about the link it is on. */
static bool is_own(const struct bridge *br, const struct frame *f)
{
	uint64_t dst = ether_addr(f->data);

	if (!ether_is_multicast(dst))
		return false;
	list_for_each(it, &br->protos) {
		if (list_entry(it, struct bridge_proto, node)->addr == dst)
			return true;
	}
	return false;
}

/* Does the spanning tree of a VLAN that @p is in keep it shut? A cable is on
 * that port then, and what went out would come back by another. */
static bool is_shut(const struct bridge *br, unsigned int vid,
		    const struct port *p)
{
	const struct vlan *v = br->vlans[vid];

	return v && vlan_is_member(v, p->id) &&
	       bridge_get_state(br, vid, p->id) != BRIDGE_FORWARDING;
}

static bool may_leave(const struct bridge *br, const struct port *to,
		      const struct frame *f)
{
	return to && port_is_active(to) && !(to->slow & PORT_BLOCKED) &&
	       !is_shut(br, to->pvid, to) && !is_shut(br, frame_vid(f), to);
}

static void copy(struct mirrors *m, struct mirror *mi,
		 const struct hook_frame *hf)
{
	struct port *to = bridge_port(m->br, mi->dst);

	if (is_own(m->br, hf->frame))
		return;
	if (!may_leave(m->br, to, hf->frame)) {
		mi->missed++;
		return;
	}
	mi->frames++;
	mi->bytes += frame_wire_len(hf->frame, hf->tagged);
	m->copying = true;
	port_tx(to, hf->frame, hf->tagged);
	m->copying = false;
}

static bool sees_in(struct frame_hook *h, const struct port *p)
{
	const struct mirrors *m = container_of(h, struct mirrors, in);
	const struct mirror *mi = first_of(m, p->id);

	while (mi && !mi->in)
		mi = mi->next;
	return mi;
}

static bool sees_out(struct frame_hook *h, const struct port *p)
{
	const struct mirrors *m = container_of(h, struct mirrors, out);
	const struct mirror *mi = first_of(m, p->id);

	while (mi && !mi->out)
		mi = mi->next;
	return mi;
}

static bool came_in(struct frame_hook *h, const struct hook_frame *hf)
{
	struct mirrors *m = container_of(h, struct mirrors, in);

	for (struct mirror *mi = first_of(m, hf->port->id); mi; mi = mi->next)
		if (mi->in)
			copy(m, mi, hf);
	return true;
}

static bool goes_out(struct frame_hook *h, const struct hook_frame *hf)
{
	struct mirrors *m = container_of(h, struct mirrors, out);

	if (m->copying)
		return true;
	for (struct mirror *mi = first_of(m, hf->port->id); mi; mi = mi->next)
		if (mi->out)
			copy(m, mi, hf);
	return true;
}

/* ---- the table ---- */

static int grow(struct mirrors *m, unsigned int src)
{
	unsigned int n = (src | 63) + 1;
	struct mirror **by_src;

	if (src < m->n_src)
		return 0;
	by_src = realloc(m->by_src, n * sizeof(struct mirror *));
	if (!by_src)
		return -ENOMEM;
	memset(by_src + m->n_src, 0, (n - m->n_src) * sizeof(struct mirror *));
	m->by_src = by_src;
	m->n_src = n;
	return 0;
}

/* Where one to @dst is, or would be. */
static struct mirror **place(struct mirrors *m, unsigned int src,
			     unsigned int dst)
{
	struct mirror **at = &m->by_src[src];

	while (*at && (*at)->dst < dst)
		at = &(*at)->next;
	return at;
}

int mirror_add(struct mirrors *m, unsigned int src, unsigned int dst, bool in,
	       bool out)
{
	struct mirror *mi, **at;

	if (src > m->br->numports || dst > m->br->numports || src == dst ||
	    !(in || out))
		return -EINVAL;
	if (!m->br->ports[src] || !m->br->ports[dst])
		return -ENXIO;
	if (grow(m, src))
		return -ENOMEM;
	at = place(m, src, dst);
	if (*at && (*at)->dst == dst)
		return -EEXIST;
	mi = calloc(1, sizeof(*mi));
	if (!mi)
		return -ENOMEM;
	*mi = (struct mirror){ .next = *at,
			       .src = (uint16_t)src,
			       .dst = (uint16_t)dst,
			       .in = in,
			       .out = out };
	*at = mi;
	hook_update(m->br);
	return 0;
}

static void cut_out(struct mirror **at)
{
	struct mirror *mi = *at;

	*at = mi->next;
	free(mi);
}

int mirror_del(struct mirrors *m, unsigned int src, unsigned int dst)
{
	struct mirror **at;

	if (!first_of(m, src))
		return -ENOENT;
	at = place(m, src, dst);
	if (!*at || (*at)->dst != dst)
		return -ENOENT;
	cut_out(at);
	hook_update(m->br);
	return 0;
}

const struct mirror *mirror_from(const struct mirrors *m, unsigned int src,
				 unsigned int dst)
{
	for (; src < m->n_src; src++, dst = 0) {
		const struct mirror *mi = m->by_src[src];

		while (mi && mi->dst < dst)
			mi = mi->next;
		if (mi)
			return mi;
	}
	return NULL;
}

static void heard(struct bridge_listener *l, const struct bridge_event *ev)
{
	struct mirrors *m = container_of(l, struct mirrors, listener);

	for (unsigned int i = 0; i < m->n_src; i++) {
		struct mirror **at = &m->by_src[i];

		while (*at) {
			if (i == ev->port || (*at)->dst == ev->port)
				cut_out(at);
			else
				at = &(*at)->next;
		}
	}
	hook_update(m->br);
}

struct mirrors *mirrors_new(struct bridge *br)
{
	struct mirrors *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->br = br;
	m->in = (struct frame_hook){ .points = 1u << HOOK_IN,
				     .rank = HOOK_WATCH,
				     .sees = sees_in,
				     .fn = came_in };
	m->out = (struct frame_hook){ .points = 1u << HOOK_OUT,
				      .rank = HOOK_WATCH,
				      .sees = sees_out,
				      .fn = goes_out };
	m->listener = (struct bridge_listener){
		.events = 1u << BRIDGE_PORT_REMOVED, .fn = heard
	};
	hook_add(br, &m->in);
	hook_add(br, &m->out);
	bridge_listen(br, &m->listener);
	return m;
}

void mirrors_free(struct mirrors *m)
{
	if (!m)
		return;
	bridge_unlisten(m->br, &m->listener);
	hook_del(m->br, &m->in);
	hook_del(m->br, &m->out);
	for (unsigned int i = 0; i < m->n_src; i++)
		while (m->by_src[i])
			cut_out(&m->by_src[i]);
	free(m->by_src);
	free(m);
}
