// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What messages mean, and where frames go. Numbers of sections without more
 * are those of RFC 4541.
 */
#include "switch/mcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/offload.h"
#include "switch/mcast_impl.h"

#define LAST_MEMBER_INTERVAL NSEC /* RFC 3376, 8.8 */

void mcast_count(struct mcast *m, unsigned int port, enum mcast_count what)
{
	struct mport *p = mcast_port(m, port);

	if (p)
		p->counts[what]++;
	else
		m->counts[what]++;
}

void mcast_tell(struct mcast *m, struct mcast_event ev)
{
	m->ops->event(m->ctx, &ev);
}

/* ---- VLANs ---- */

static void free_vlan(struct mcast *m, struct mvlan *v)
{
	for (int i = 0; i < 2; i++) {
		free(v->family[i].unasked);
		free(v->family[i].asked);
	}
	free(v->fixed);
	m->vlans[v->id] = NULL;
	free(v);
}

static bool is_idle(const struct family *f)
{
	return !f->on && !f->known && list_empty(&f->groups) &&
	       list_empty(&f->routers.members);
}

/* Nothing is kept for a VLAN of which nothing is known. */
void mcast_tidy(struct mcast *m, struct mvlan *v)
{
	if (!v->off && !v->querier && !bits_any(v->fixed, m->words) &&
	    is_idle(&v->family[0]) && is_idle(&v->family[1]))
		free_vlan(m, v);
}

static bool init_family(struct mcast *m, struct mvlan *v, bool v6)
{
	struct family *f = &v->family[v6];

	f->vlan = v;
	f->v6 = v6;
	list_init(&f->groups);
	list_init(&f->routers.members);
	list_init(&f->routers.node);
	f->routers.family = f;
	timer_init(&f->settle, mcast_settled);
	timer_init(&f->gone, mcast_querier_gone);
	timer_init(&f->next, mcast_ask_all);
	f->unasked = calloc(m->words, sizeof(uint64_t));
	f->asked = calloc(m->words, sizeof(uint64_t));
	mcast_use_defaults(m, f);
	return f->unasked && f->asked;
}

struct mvlan *mcast_vlan(struct mcast *m, unsigned int vid)
{
	struct mvlan *v = m->vlans[vid];
	bool ok;

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->id = (uint16_t)vid;
	v->fixed = calloc(m->words, sizeof(uint64_t));
	ok = init_family(m, v, false);
	ok = init_family(m, v, true) && ok && v->fixed;
	m->vlans[vid] = v;
	if (ok)
		return v;
	free_vlan(m, v);
	return NULL;
}

static void forget_family(struct mcast *m, struct family *f)
{
	while (!list_empty(&f->routers.members))
		mcast_del_member(m, list_entry(f->routers.members.next,
					       struct member, in_group));
	while (!list_empty(&f->groups)) {
		struct group *g = list_entry(f->groups.next, struct group,
					     node);

		mcast_del_member(m, list_entry(g->members.next, struct member,
					       in_group));
	}
	f->known = false;
	timer_stop(&f->gone);
	mcast_stop_asking(f);
	mcast_nobody_asks(f);
	mcast_use_defaults(m, f);
}

/* What was learned; settings stay. */
static void forget_vlan(struct mcast *m, struct mvlan *v)
{
	forget_family(m, &v->family[0]);
	forget_family(m, &v->family[1]);
	mcast_tidy(m, v);
}

static void update_vlan(struct mcast *m, struct mvlan *v, uint64_t now)
{
	mcast_update_asking(m, &v->family[0], now);
	mcast_update_asking(m, &v->family[1], now);
}

/* ---- who wants what ---- */

static void join(struct mcast *m, struct family *f, struct mcast_addr group,
		 unsigned int port, uint8_t version, uint64_t now)
{
	struct group *g = mcast_find_group(m, f, group);
	struct member *b = g ? mcast_find_member(m, g, port) : NULL;

	if (b)
		mcast_touch_member(m, b);
	else
		b = mcast_add_member(m, f, group, port, false);
	if (!b)
		return;
	b->version = version;
	b->queries = 0;
	b->until = now + mcast_member_time(f);
	if (!f->v6 && version == 1)
		b->old_until = b->until;
	timer_set(m, &b->timer, b->until);
}

static void ask_member(struct mcast *m, struct member *b, uint64_t now)
{
	uint64_t next = now + LAST_MEMBER_INTERVAL;

	mcast_send_query(m, b->group->family, b->port, b->group->addr,
			 LAST_MEMBER_INTERVAL);
	timer_set(m, &b->timer, next < b->until ? next : b->until);
}

/* @less: it may still want some. Where this switch asks, it asks who else
 * wants the group (RFC 3376, 6.4.2); where somebody else does, his question
 * is waited for. An IGMPv1 host could not answer (RFC 2236, section 6). */
static void leave(struct mcast *m, struct family *f, struct mcast_addr group,
		  unsigned int port, bool less, uint64_t now)
{
	uint64_t end = now + ROBUSTNESS * LAST_MEMBER_INTERVAL;
	struct group *g = mcast_find_group(m, f, group);
	struct member *b = g ? mcast_find_member(m, g, port) : NULL;

	if (!b || b->old_until > now)
		return;
	if (!less && m->ports[port]->fastleave) {
		mcast_del_member(m, b);
	} else if (f->own && b->until > end) {
		b->until = end;
		b->queries = ROBUSTNESS - 1;
		ask_member(m, b, now);
	}
}

void mcast_member_due(struct mcast *m, struct timer *t, uint64_t now)
{
	struct member *b = container_of(t, struct member, timer);
	struct mvlan *v = b->group->family->vlan;

	if (b->until > now && b->queries) {
		b->queries--;
		ask_member(m, b, now);
	} else if (b->until > now) {
		timer_set(m, t, b->until);
	} else {
		mcast_del_member(m, b);
		mcast_tidy(m, v);
	}
}

static void take_report(struct mcast *m, struct family *f,
			struct mcast_msg *msg, unsigned int port, uint64_t now)
{
	struct mcast_addr group;
	enum mcast_means means;

	while (mcast_next_record(msg, &group, &means)) {
		if (!mcast_is_group(group, f->v6))
			continue;
		if (means == MCAST_GONE)
			mcast_count(m, port, MCAST_LEAVES);
		if (means == MCAST_JOIN)
			join(m, f, group, port, msg->version, now);
		else if (means != MCAST_NOTHING)
			leave(m, f, group, port, means == MCAST_LESS, now);
	}
}

/* ---- where frames go ---- */

/* Routers get everything (2.1.2 (1)), and members of @g, if there is one. */
static const uint64_t *select_ports(struct mcast *m, const struct family *f,
				    const struct group *g, const uint64_t *more,
				    const uint64_t *all)
{
	const uint64_t *fixed = f->vlan->fixed;

	for (size_t w = 0; w < m->words; w++)
		m->set[w] = fixed[w] | (more ? more[w] : 0);
	list_for_each(it, &f->routers.members) {
		bits_set(m->set, list_entry(it, struct member, in_group)->port);
	}
	if (g) {
		list_for_each(it, &g->members) {
			bits_set(m->set,
				 list_entry(it, struct member, in_group)->port);
		}
	}
	for (size_t w = 0; w < m->words; w++)
		m->set[w] &= all[w];
	return m->set;
}

/* Reports are for routers, and hosts must not see them: they would keep
 * their own to themselves (2.1.1 (1)). Where nobody asks, no host does, and
 * where a router is is not known. */
static const uint64_t *report_ports(struct mcast *m, const struct family *f,
				    const uint64_t *all)
{
	if (!f->on && list_empty(&f->routers.members) &&
	    !bits_any(f->vlan->fixed, m->words))
		return all;
	return select_ports(m, f, NULL, NULL, all);
}

static enum mcast_count count_of(enum mcast_kind kind)
{
	switch (kind) {
	case MCAST_BROKEN:
		return MCAST_BAD;
	case MCAST_QUERY:
		return MCAST_QUERIES;
	case MCAST_REPORT:
	case MCAST_LEAVE:
		return MCAST_REPORTS;
	case MCAST_ROUTER:
		return MCAST_ROUTERS;
	case MCAST_OTHER:
	default:
		return MCAST_UNKNOWN;
	}
}

/* What is not understood is flooded (2.1.1 (3)), what is broken is neither
 * used nor passed on (2.1.1 (5)). Reports without a source are as good as
 * others (2.1.1 (2)). */
static const uint64_t *control(struct mcast *m, unsigned int vid,
			       unsigned int port, const struct frame *fr,
			       const uint64_t *all, uint64_t now)
{
	struct mcast_msg msg;
	struct family *f;
	struct mvlan *v;

	mcast_parse(&msg, fr->data, fr->len);
	mcast_count(m, port, count_of(msg.kind));
	if (msg.kind == MCAST_BROKEN)
		return NULL;
	v = msg.kind == MCAST_OTHER ? NULL : mcast_vlan(m, vid);
	if (!v)
		return all;
	f = &v->family[msg.v6];
	if (msg.kind == MCAST_QUERY)
		mcast_take_query(m, f, &msg, port, now);
	else if (msg.kind == MCAST_ROUTER)
		mcast_hear_router(m, f, port, now);
	else
		take_report(m, f, &msg, port, now);
	if (msg.kind == MCAST_REPORT || msg.kind == MCAST_LEAVE)
		all = report_ports(m, f, all);
	mcast_tidy(m, v);
	return all;
}

const uint64_t *mcast_egress(struct mcast *m, unsigned int vid,
			     unsigned int port, const struct frame *fr,
			     const uint64_t *all, uint64_t now)
{
	const struct mvlan *v = m->vlans[vid];
	const struct family *f;
	const struct group *g;
	struct mcast_addr to;
	enum mcast_class class;

	if (!m->on || (v && v->off))
		return all;
	class = mcast_classify(fr->data, fr->len, &to);
	if (class == MCAST_CONTROL && offload_is_none(&fr->offload))
		return control(m, vid, port, fr, all, now);
	if (class != MCAST_DATA || !v)
		return all;
	f = &v->family[to.hi != 0];
	if (!f->on)
		return all;
	g = mcast_find_group(m, f, to);
	if (!g && m->flood_unknown)
		return all;
	return select_ports(m, f, g, f->unasked, all);
}

/* ---- what happens to the switch ---- */

static void unask(struct mcast *m, struct mvlan *v, unsigned int port,
		  uint64_t now)
{
	for (int i = 0; i < 2; i++) {
		struct family *f = &v->family[i];

		if (!f->on)
			continue;
		bits_set(f->unasked, port);
		bits_clear(f->asked, port);
		mcast_ask_soon(m, f, now);
	}
}

void mcast_port_up(struct mcast *m, unsigned int port, uint64_t now)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->vlans); i++)
		if (m->vlans[i])
			unask(m, m->vlans[i], port, now);
}

/* Its members in @v, or (NULL) in all VLANs. */
static void forget_list(struct mcast *m, struct list *l, const struct mvlan *v)
{
	list_for_each_safe(it, next, l) {
		struct member *b = list_entry(it, struct member, in_port);
		struct mvlan *of = b->group->family->vlan;

		if (v && of != v)
			continue;
		mcast_del_member(m, b);
		if (!v)
			mcast_tidy(m, of);
	}
}

static void forget_port(struct mcast *m, unsigned int port,
			const struct mvlan *v)
{
	struct mport *p = port < m->words * 64 ? m->ports[port] : NULL;

	if (!p)
		return;
	forget_list(m, &p->members, v);
	forget_list(m, &p->routers, v);
}

void mcast_port_down(struct mcast *m, unsigned int port)
{
	forget_port(m, port, NULL);
}

void mcast_port_removed(struct mcast *m, unsigned int port)
{
	if (port >= m->words * 64)
		return;
	forget_port(m, port, NULL);
	for (int c = 0; m->ports[port] && c < MCAST_N_COUNTS; c++)
		m->counts[c] += m->ports[port]->counts[c];
	free(m->ports[port]);
	m->ports[port] = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(m->vlans); i++) {
		if (!m->vlans[i])
			continue;
		bits_clear(m->vlans[i]->fixed, port);
		mcast_tidy(m, m->vlans[i]);
	}
}

void mcast_port_member(struct mcast *m, unsigned int vid, unsigned int port,
		       bool member, uint64_t now)
{
	struct mvlan *v = m->vlans[vid];

	if (!v)
		return;
	if (member) {
		unask(m, v, port, now);
		return;
	}
	forget_port(m, port, v);
	mcast_tidy(m, v);
}

void mcast_vlan_changed(struct mcast *m, unsigned int vid)
{
	struct mvlan *v = m->vlans[vid];

	if (!v)
		return;
	v->off = v->querier = false;
	v->source4 = 0;
	memset(v->fixed, 0, m->words * sizeof(uint64_t));
	forget_vlan(m, v);
}

void mcast_topology_change(struct mcast *m, unsigned int vid, uint64_t now)
{
	struct mvlan *v = m->vlans[vid];

	for (int i = 0; v && i < 2; i++) {
		struct family *f = &v->family[i];

		if (!f->on)
			continue;
		timer_stop(&f->settle);
		memset(f->unasked, 0xff, m->words * sizeof(uint64_t));
		mcast_ask_soon(m, f, now);
	}
}

/* ---- settings ---- */

struct mcast *mcast_new(const struct mcast_config *cf, uint64_t now)
{
	struct mcast *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ops = cf->ops;
	m->ctx = cf->ctx;
	m->secret = cf->secret;
	m->mac = cf->mac;
	m->words = cf->words;
	m->flood_unknown = true;
	m->interval_s = MCAST_INTERVAL_S;
	if (!mcast_table_init(m, now))
		return m;
	mcast_free(m);
	return NULL;
}

static void forget_all(struct mcast *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->vlans); i++)
		if (m->vlans[i])
			forget_vlan(m, m->vlans[i]);
}

void mcast_free(struct mcast *m)
{
	if (!m)
		return;
	forget_all(m);
	for (size_t i = 0; i < ARRAY_SIZE(m->vlans); i++)
		if (m->vlans[i])
			free_vlan(m, m->vlans[i]);
	mcast_table_fini(m);
	free(m);
}

void mcast_enable(struct mcast *m, bool on, uint64_t now)
{
	if (m->on == on)
		return;
	m->on = on;
	if (!on)
		forget_all(m);
	for (size_t i = 0; on && i < ARRAY_SIZE(m->vlans); i++)
		if (m->vlans[i])
			update_vlan(m, m->vlans[i], now);
}

bool mcast_is_on(const struct mcast *m)
{
	return m->on;
}

int mcast_set_vlan(struct mcast *m, unsigned int vid, bool on, uint64_t now)
{
	struct mvlan *v;

	if (vid > VLAN_MAX)
		return -EINVAL;
	v = mcast_vlan(m, vid);
	if (!v)
		return -ENOMEM;
	v->off = !on;
	if (on)
		update_vlan(m, v, now);
	else
		forget_vlan(m, v);
	if (on)
		mcast_tidy(m, v);
	return 0;
}

int mcast_set_router(struct mcast *m, unsigned int vid, unsigned int port,
		     bool on)
{
	struct mvlan *v;

	if (vid > VLAN_MAX || port >= m->words * 64)
		return -EINVAL;
	v = mcast_vlan(m, vid);
	if (!v)
		return -ENOMEM;
	if (on)
		bits_set(v->fixed, port);
	else
		bits_clear(v->fixed, port);
	mcast_tidy(m, v);
	return 0;
}

int mcast_set_querier(struct mcast *m, unsigned int vid, bool on,
		      uint32_t source4, uint64_t now)
{
	struct mvlan *v;

	if (vid > VLAN_MAX)
		return -EINVAL;
	v = mcast_vlan(m, vid);
	if (!v)
		return -ENOMEM;
	v->querier = on;
	v->source4 = on ? source4 : 0;
	update_vlan(m, v, now);
	mcast_tidy(m, v);
	return 0;
}

int mcast_set_fastleave(struct mcast *m, unsigned int port, bool on)
{
	struct mport *p;

	if (port >= m->words * 64)
		return -EINVAL;
	p = mcast_port(m, port);
	if (!p)
		return -ENOMEM;
	p->fastleave = on;
	return 0;
}

void mcast_set_mac(struct mcast *m, uint64_t mac)
{
	m->mac = mac;
}

void mcast_set_flood_unknown(struct mcast *m, bool on)
{
	m->flood_unknown = on;
}

int mcast_set_interval(struct mcast *m, unsigned int seconds)
{
	if (seconds < 1 || seconds > MCAST_INTERVAL_MAX_S)
		return -EINVAL;
	m->interval_s = seconds;
	return 0;
}
