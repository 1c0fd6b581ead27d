// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/stp_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- trees ---- */

void stp_note_due(const struct stp_vlan *v)
{
	struct stp *s = v->stp;
	uint64_t next = rstp_next(v->rstp);

	s->due[v->vid] = next ? next : NEVER;
	if (s->due[v->vid] < s->next)
		s->next = s->due[v->vid];
}

static void forget_vlan(struct stp *s, unsigned int vid)
{
	struct stp_vlan *v = s->vlans[vid];

	if (!v)
		return;
	stp_flush_now(s); /* in its name, too */
	list_del(&v->node);
	rstp_free(v->rstp);
	free(v->settings);
	free(v->heard);
	free(v->flush);
	free(v);
	s->vlans[vid] = NULL;
	s->due[vid] = NEVER;
}

static uint64_t *longer(const uint64_t *set, size_t old, size_t words)
{
	uint64_t *b = calloc(words, sizeof(*b));

	if (b && old)
		memcpy(b, set, old * sizeof(*b));
	return b;
}

/* Room for the bridge's ports in the sets. */
static int make_room(struct stp_vlan *v)
{
	size_t words = v->stp->br->words;
	uint64_t *heard, *flush_set;

	if (words <= v->words)
		return 0;
	heard = longer(v->heard, v->words, words);
	flush_set = longer(v->flush, v->words, words);
	if (!heard || !flush_set) {
		free(heard);
		free(flush_set);
		return -ENOMEM;
	}
	free(v->heard);
	free(v->flush);
	v->heard = heard;
	v->flush = flush_set;
	v->words = words;
	return 0;
}

static bool has_link(const struct port *p, const struct endpoint *leaving)
{
	unsigned int n = 0;

	list_for_each(it, &p->endpoints) {
		n += !list_entry(it, struct endpoint, node)->no_link;
	}
	return n > (leaving && !leaving->no_link);
}

static void add_port(struct stp_vlan *v, const struct port *p)
{
	uint64_t now = stp_time(v->stp);
	struct rstp_port_config cf = stp_rstp_config(v, p, NULL);
	int rc = make_room(v);

	if (!rc)
		rc = rstp_port_add(v->rstp, p->id, &cf, now);
	if (!rc && has_link(p, NULL))
		rc = rstp_port_set_link(v->rstp, p->id, true, now);
	if (!rc && bits_test(v->stp->violated, p->id))
		rc = rstp_port_violate(v->rstp, p->id, now);
	if (rc && rc != -EEXIST)
		stp_tell(v, STP_NO_MEMORY, p->id, true);
}

static void unhear(struct stp_vlan *v, unsigned int port)
{
	if (port / 64 >= v->words || !bits_test(v->heard, port))
		return;
	bits_clear(v->heard, port);
	stp_tell(v, STP_HEARD, (int)port, false);
}

static void del_port(struct stp_vlan *v, unsigned int port)
{
	unhear(v, port);
	(void)rstp_port_del(v->rstp, port,
			    stp_time(v->stp)); /* if it is there */
}

static void update_member(struct stp_vlan *v, const struct port *p)
{
	if (!v || !v->rstp)
		return;
	if (vlan_is_member(v->stp->br->vlans[v->vid], p->id))
		add_port(v, p);
	else
		del_port(v, p->id);
	stp_note_due(v);
}

/* The gate comes first: without memory the VLAN stays blocked, which is no
 * loop. */
static void start_tree(struct stp *s, unsigned int vid)
{
	const struct vlan *vlan = s->br->vlans[vid];
	struct stp_vlan *v = stp_vlan_know(s, vid);
	struct rstp_config cf = {
		.ops = &stp_rstp_ops, .ctx = v, .vid = vid, .params = s->params
	};
	uint64_t now = stp_time(s);

	bridge_gate(s->br, vid, true);
	if (!v) {
		const struct stp_vlan lost = { .stp = s, .vid = vid };

		stp_tell(&lost, STP_NO_MEMORY, -1, true);
		return;
	}
	cf.bridge = stp_bridge_id(s, vid);
	v->rstp = rstp_new(&cf, now);
	if (!v->rstp) {
		stp_tell(v, STP_NO_MEMORY, -1, true);
		return;
	}
	list_add_tail(&s->trees, &v->node);
	rstp_begin(v->rstp);
	for (unsigned int i = 0; i <= s->br->numports; i++)
		if (s->br->ports[i] && vlan_is_member(vlan, i))
			add_port(v, s->br->ports[i]);
	rstp_commit(v->rstp, now);
	stp_note_due(v);
}

static void stop_tree(struct stp *s, unsigned int vid)
{
	struct stp_vlan *v = s->vlans[vid];

	bridge_gate(s->br, vid, false);
	if (!v || !v->rstp)
		return;
	list_del(&v->node);
	rstp_free(v->rstp);
	v->rstp = NULL;
	s->due[vid] = NEVER;
	stp_tell_mcast(v, -1);
	for (unsigned int i = 0; i < 64 * v->words; i++)
		unhear(v, i);
	stp_tell(v, STP_ROOT, -1, true);
}

int stp_set_on(struct stp *s, bool on)
{
	if (on && s->br->hub)
		return -EBUSY;
	if (on == s->on)
		return 0;
	s->on = on;
	s->since = stp_time(s);
	if (on)
		bridge_proto_add(s->br, &s->proto);
	else
		bridge_proto_del(s->br, &s->proto);
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		if (!s->br->vlans[vid])
			continue;
		if (on)
			start_tree(s, vid);
		else
			stop_tree(s, vid);
	}
	if (!on) {
		s->next = NEVER;
		memset(s->violated, 0, sizeof(s->violated));
		mactab_flush(s->br->macs, -1, -1); /* other ways are open */
	}
	stp_settle(s);
	return 0;
}

bool stp_is_on(const struct stp *s)
{
	return s->on;
}

uint64_t stp_next(const struct stp *s)
{
	uint64_t next = s->next;

	if (s->n_flush && s->flush_at < next)
		next = s->flush_at;
	return next == NEVER ? 0 : next;
}

void stp_tick(struct stp *s, uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		if (s->due[vid] <= now) {
			uint64_t due = rstp_tick(s->vlans[vid]->rstp, now);

			s->due[vid] = due ? due : NEVER;
		}
		if (s->due[vid] < next)
			next = s->due[vid];
	}
	s->next = next;
	stp_settle(s);
}

/* ---- what the bridge says ---- */

static void spread_violation(struct stp *s, unsigned int port)
{
	s->spread = false;
	list_for_each(it, &s->trees) {
		struct stp_vlan *v = list_entry(it, struct stp_vlan, node);

		if (!rstp_port_violate(v->rstp, port, s->br->now))
			stp_note_due(v);
	}
}

/* A BPDU of a VLAN that has no tree is a frame like others. */
static bool input(struct bridge_proto *proto, struct port *p, struct frame *f,
		  bool tagged)
{
	struct stp *s = container_of(proto, struct stp, proto);
	uint16_t vid = frame_vid(f);
	struct stp_vlan *v = vid < N_VLANS ? s->vlans[vid] : NULL;
	int rc;

	if (!s->br->vlans[vid])
		return false;
	if (!v || !v->rstp)
		return true; /* blocked for want of memory */
	rc = rstp_receive(v->rstp, p->id, f->data, f->len, s->br->now);
	if (!rc && p->id / 64U < v->words && !bits_test(v->heard, p->id)) {
		bits_set(v->heard, p->id);
		stp_tell(v, STP_HEARD, p->id, true);
	}
	stp_note_due(v);
	if (s->spread)
		spread_violation(s, p->id);
	stp_settle(s);
	return true;
}

static void update_link(struct stp *s, unsigned int port,
			const struct endpoint *leaving)
{
	bool up = has_link(s->br->ports[port], leaving);
	uint64_t now = stp_time(s);

	list_for_each(it, &s->trees) {
		struct stp_vlan *v = list_entry(it, struct stp_vlan, node);

		if (rstp_port_set_link(v->rstp, port, up, now))
			continue;
		if (!up)
			unhear(v, port);
		stp_note_due(v);
	}
	if (!up)
		bits_clear(s->violated, port);
}

/* A first or a last one makes the port active or not, which is told, too. */
static void endpoints_changed(struct stp *s, unsigned int port,
			      const struct endpoint *leaving)
{
	const struct port *p = s->br->ports[port];
	unsigned int n = stp_endpoints(p, leaving);

	if (n < (leaving ? 1 : 2))
		return;
	if (n == (leaving ? 1 : 2)) /* from two to one, or from one to two */
		stp_configure_all(s, p, leaving);
	update_link(s, port, leaving);
}

static void port_removed(struct stp *s, unsigned int port)
{
	s->ports[port] = 0;
	bits_clear(s->violated, port);
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		struct stp_vlan *v = s->vlans[vid];

		if (!v)
			continue;
		stp_setting_del(v, port);
		if (v->bonus_port == (int)port)
			v->bonus_port = -1;
		if (v->rstp) {
			del_port(v, port);
			stp_note_due(v);
		}
	}
}

static void notify(struct bridge_listener *l, const struct bridge_event *ev)
{
	struct stp *s = container_of(l, struct stp, listener);

	switch ((int)ev->type) {
	case BRIDGE_PORT_UP:
	case BRIDGE_PORT_DOWN:
	case BRIDGE_LINK:
		update_link(s, ev->port, NULL);
		break;
	case BRIDGE_ENDPOINT_NEW:
		endpoints_changed(s, ev->port, NULL);
		break;
	case BRIDGE_ENDPOINT_GONE:
		endpoints_changed(s, ev->port, ev->ep);
		break;
	case BRIDGE_MEMBER:
		update_member(s->vlans[ev->vlan], s->br->ports[ev->port]);
		break;
	case BRIDGE_PORT_REMOVED:
		port_removed(s, ev->port);
		break;
	case BRIDGE_VLAN_CREATED:
		if (s->on)
			start_tree(s, ev->vlan);
		break;
	case BRIDGE_VLAN_REMOVED:
		forget_vlan(s, ev->vlan);
		break;
	case BRIDGE_HUB:
		if (s->br->hub)
			stp_set_on(s, false);
		break;
	default:
		break;
	}
	stp_settle(s);
}

/* ---- life ---- */

struct stp *stp_new(struct bridge *br, const struct stp_ops *ops, void *ctx)
{
	struct stp *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->br = br;
	s->ops = ops;
	s->ctx = ctx;
	s->priority = STP_PRIORITY_DEFAULT;
	s->params = RSTP_PARAMS_DEFAULT;
	s->next = NEVER;
	list_init(&s->trees);
	for (unsigned int vid = 0; vid < N_VLANS; vid++)
		s->due[vid] = NEVER;
	s->since = stp_time(s);
	s->proto.addr = RSTP_BPDU_ADDR;
	s->proto.input = input;
	s->listener.events = 1u << BRIDGE_LINK | 1u << BRIDGE_PORT_UP |
			     1u << BRIDGE_PORT_DOWN |
			     1u << BRIDGE_ENDPOINT_NEW |
			     1u << BRIDGE_ENDPOINT_GONE | 1u << BRIDGE_MEMBER |
			     1u << BRIDGE_PORT_REMOVED |
			     1u << BRIDGE_VLAN_CREATED |
			     1u << BRIDGE_VLAN_REMOVED | 1u << BRIDGE_HUB;
	s->listener.fn = notify;
	bridge_listen(br, &s->listener);
	return s;
}

void stp_free(struct stp *s)
{
	if (!s)
		return;
	stp_set_on(s, false);
	bridge_unlisten(s->br, &s->listener);
	for (unsigned int vid = 0; vid < N_VLANS; vid++)
		forget_vlan(s, vid);
	free(s);
}

void stp_mcheck(struct stp *s, int port)
{
	list_for_each(it, &s->trees) {
		struct stp_vlan *v = list_entry(it, struct stp_vlan, node);

		for (int i = rstp_port_next(v->rstp, 0); i >= 0;
		     i = rstp_port_next(v->rstp, (unsigned int)i + 1))
			if (port < 0 || i == port)
				(void)rstp_port_mcheck(v->rstp, (unsigned int)i,
						       stp_time(s));
		stp_note_due(v);
	}
	stp_settle(s);
}

/* ---- looking ---- */

const struct rstp *stp_tree(const struct stp *s, unsigned int vid)
{
	return s->vlans[vid] ? s->vlans[vid]->rstp : NULL;
}

uint64_t stp_bridge_id(const struct stp *s, unsigned int vid)
{
	return (uint64_t)stp_vlan_priority(s, vid) << 48 | s->mac;
}

uint64_t stp_since(const struct stp *s)
{
	return s->since;
}
