// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two hash tables with chains, one of groups, for frames, one of members, for
 * reports: a group that a thousand ports are in costs a report no more than
 * one with a single port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/hash.h"
#include "switch/mcast_impl.h"

#define BUCKETS 16384

/* ---- timers ---- */

void timer_init(struct timer *t,
		void (*fn)(struct mcast *, struct timer *, uint64_t now))
{
	list_init(&t->node);
	t->at = 0;
	t->slot = 0;
	t->fn = fn;
}

void timer_stop(struct timer *t)
{
	list_del(&t->node);
}

void timer_set(struct mcast *m, struct timer *t, uint64_t at)
{
	struct wheel *w = &m->wheel;
	uint64_t slot = at / MCAST_SLOP;

	if (slot < w->done)
		slot = w->done;
	if (timer_is_set(t)) {
		list_del(&t->node);
		if (list_empty(&w->slot[t->slot]))
			bits_clear(w->used, t->slot);
	}
	t->at = at;
	t->slot = slot % SLOTS;
	list_add_tail(&w->slot[t->slot], &t->node);
	bits_set(w->used, t->slot);
}

/* The end of the first slot that is not empty. */
uint64_t mcast_next(const struct mcast *m)
{
	const struct wheel *w = &m->wheel;
	unsigned int from = w->done % SLOTS;

	for (int pass = 0; pass < 2; pass++, from = 0) {
		bits_for_each(i, w->used, ARRAY_SIZE(w->used)) {
			uint64_t ahead = ((unsigned int)i - w->done) % SLOTS;

			if ((unsigned int)i >= from && !list_empty(&w->slot[i]))
				return (w->done + ahead + 1) * MCAST_SLOP;
		}
	}
	return 0;
}

static void run_slot(struct mcast *m, unsigned int i, uint64_t now)
{
	struct wheel *w = &m->wheel;
	struct list due;

	bits_clear(w->used, i);
	if (list_empty(&w->slot[i]))
		return;
	list_add_head(&w->slot[i], &due);
	list_del(&w->slot[i]);
	while (!list_empty(&due)) {
		struct timer *t = list_entry(due.next, struct timer, node);

		list_del(&t->node);
		if (t->at / MCAST_SLOP >= w->done)
			timer_set(m, t, t->at); /* in another turn */
		else
			t->fn(m, t, now);
	}
}

uint64_t mcast_tick(struct mcast *m, uint64_t now)
{
	struct wheel *w = &m->wheel;
	uint64_t from = w->done, end = now / MCAST_SLOP;

	if (end > from) {
		w->done = end;
		if (end - from > SLOTS)
			from = end - SLOTS;
		for (; from < end; from++)
			run_slot(m, from % SLOTS, now);
	}
	return mcast_next(m);
}

/* ---- groups ---- */

static struct group **group_bucket(const struct mcast *m,
				   const struct family *f,
				   struct mcast_addr addr)
{
	uint64_t h = hash_u64(addr.hi ^ f->vlan->id, m->secret);

	return &m->groups[hash_u64(addr.lo ^ h, m->secret) % BUCKETS];
}

struct group *mcast_find_group(const struct mcast *m, const struct family *f,
			       struct mcast_addr addr)
{
	struct group *g = *group_bucket(m, f, addr);

	while (g && (g->family != f || !mcast_addr_is(g->addr, addr)))
		g = g->next;
	return g;
}

static struct group *add_group(struct mcast *m, struct family *f,
			       struct mcast_addr addr)
{
	struct group **b = group_bucket(m, f, addr);
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->family = f;
	g->addr = addr;
	list_init(&g->members);
	list_add_tail(&f->groups, &g->node);
	f->n_groups++;
	g->next = *b;
	*b = g;
	return g;
}

static struct group *get_group(struct mcast *m, struct family *f,
			       struct mcast_addr addr)
{
	struct group *g = mcast_find_group(m, f, addr);

	return g ? g : add_group(m, f, addr);
}

static void del_group(struct mcast *m, struct group *g)
{
	struct group **p = group_bucket(m, g->family, g->addr);

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	g->family->n_groups--;
	list_del(&g->node);
	free(g);
}

/* ---- members ---- */

static struct member **member_bucket(const struct mcast *m,
				     const struct group *g, unsigned int port)
{
	uint64_t key = (uint64_t)(uintptr_t)g << 16 ^ port;

	return &m->members[hash_u64(key, m->secret) % BUCKETS];
}

struct member *mcast_find_member(const struct mcast *m, const struct group *g,
				 unsigned int port)
{
	struct member *b = *member_bucket(m, g, port);

	while (b && (b->group != g || b->port != port))
		b = b->next;
	return b;
}

struct mport *mcast_port(struct mcast *m, unsigned int port)
{
	struct mport *p;

	if (port >= m->words * 64)
		return NULL;
	p = m->ports[port];
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	list_init(&p->members);
	list_init(&p->routers);
	m->ports[port] = p;
	return p;
}

/* The port's oldest one makes room. */
static bool displace(struct mcast *m, struct mport *p)
{
	if (list_empty(&p->members))
		return false;
	p->counts[MCAST_DISPLACED]++;
	mcast_del_member(m,
			 list_entry(p->members.next, struct member, in_port));
	return true;
}

static struct mport *richest(const struct mcast *m)
{
	struct mport *best = NULL;

	for (size_t i = 0; i < m->words * 64; i++)
		if (m->ports[i] && (!best || m->ports[i]->n > best->n))
			best = m->ports[i];
	return best;
}

/* When all is full, who has his share or more gives something up himself;
 * for others the one who has most does. */
static bool make_room(struct mcast *m, struct mport *p)
{
	size_t busy = m->n_busy + (p->n ? 0 : 1);

	if (p->n >= MCAST_PORT_MAX)
		return displace(m, p);
	if (m->n_members < MCAST_MEMBERS_MAX)
		return true;
	if (p->n * busy >= m->n_members)
		return displace(m, p);
	return displace(m, richest(m));
}

static struct member *new_member(struct mcast *m, struct group *g,
				 struct mport *p, unsigned int port)
{
	struct member **bucket = member_bucket(m, g, port);
	struct member *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->group = g;
	b->port = (uint16_t)port;
	timer_init(&b->timer, mcast_member_due);
	list_add_tail(&g->members, &b->in_group);
	list_init(&b->in_port);
	list_add_tail(is_router(b) ? &p->routers : &p->members, &b->in_port);
	b->next = *bucket;
	*bucket = b;
	if (!p->n++)
		m->n_busy++;
	m->n_members++;
	return b;
}

static void tell_member(struct mcast *m, const struct member *b, bool new)
{
	struct mcast_event ev = { .vid = b->group->family->vlan->id,
				  .v6 = b->group->family->v6,
				  .addr = b->group->addr,
				  .port = b->port };

	if (is_router(b))
		ev.type = new ? MCAST_ROUTER_NEW : MCAST_ROUTER_GONE;
	else
		ev.type = new ? MCAST_PORT_JOINED : MCAST_PORT_LEFT;
	mcast_tell(m, ev);
}

struct member *mcast_add_member(struct mcast *m, struct family *f,
				struct mcast_addr addr, unsigned int port,
				bool router)
{
	struct mport *p = mcast_port(m, port);
	struct member *b = NULL;
	struct group *g;

	if (!p)
		return NULL;
	if (make_room(m, p)) {
		/* Not before: what made room may have been its last one. */
		g = router ? &f->routers : get_group(m, f, addr);
		if (g)
			b = new_member(m, g, p, port);
		if (g && !b && !router && list_empty(&g->members))
			del_group(m, g);
	}
	if (b)
		tell_member(m, b, true);
	else
		p->counts[MCAST_REFUSED]++;
	return b;
}

void mcast_touch_member(struct mcast *m, struct member *b)
{
	list_del(&b->in_port);
	if (is_router(b))
		list_add_tail(&m->ports[b->port]->routers, &b->in_port);
	else
		list_add_tail(&m->ports[b->port]->members, &b->in_port);
}

void mcast_del_member(struct mcast *m, struct member *b)
{
	struct member **p = member_bucket(m, b->group, b->port);
	struct mport *port = m->ports[b->port];
	struct group *g = b->group;

	tell_member(m, b, false);
	while (*p != b)
		p = &(*p)->next;
	*p = b->next;
	timer_stop(&b->timer);
	list_del(&b->in_group);
	list_del(&b->in_port);
	if (!--port->n)
		m->n_busy--;
	m->n_members--;
	if (!is_router(b) && list_empty(&g->members))
		del_group(m, g);
	free(b);
}

/* ---- the whole ---- */

int mcast_table_init(struct mcast *m, uint64_t now)
{
	m->groups = calloc(BUCKETS, sizeof(struct group *));
	m->members = calloc(BUCKETS, sizeof(struct member *));
	m->set = calloc(m->words, sizeof(uint64_t));
	m->ports = calloc(m->words * 64, sizeof(struct mport *));
	for (size_t i = 0; i < SLOTS; i++)
		list_init(&m->wheel.slot[i]);
	m->wheel.done = now / MCAST_SLOP;
	return m->groups && m->members && m->set && m->ports ? 0 : -ENOMEM;
}

/* The VLANs are gone, and their members with them. */
void mcast_table_fini(struct mcast *m)
{
	for (size_t i = 0; m->ports && i < m->words * 64; i++)
		free(m->ports[i]);
	free(m->ports);
	free(m->set);
	free(m->groups);
	free(m->members);
}

static int grow(uint64_t **b, size_t old, size_t words)
{
	uint64_t *more = calloc(words, sizeof(uint64_t));

	if (!more)
		return -ENOMEM;
	memcpy(more, *b, old * sizeof(uint64_t));
	free(*b);
	*b = more;
	return 0;
}

/* A new port has not been asked. */
static int grow_family(struct family *f, size_t old, size_t words)
{
	if (grow(&f->unasked, old, words) || grow(&f->asked, old, words))
		return -ENOMEM;
	memset(f->unasked + old, 0xff, (words - old) * sizeof(uint64_t));
	return 0;
}

/* If memory runs out half way, what has grown already is long enough. */
int mcast_set_words(struct mcast *m, size_t words)
{
	struct mport **ports;

	if (words <= m->words)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(m->vlans); i++) {
		struct mvlan *v = m->vlans[i];

		if (v && (grow(&v->fixed, m->words, words) ||
			  grow_family(&v->family[0], m->words, words) ||
			  grow_family(&v->family[1], m->words, words)))
			return -ENOMEM;
	}
	if (grow(&m->set, m->words, words))
		return -ENOMEM;
	ports = calloc(words * 64, sizeof(struct mport *));
	if (!ports)
		return -ENOMEM;
	memcpy(ports, m->ports, m->words * 64 * sizeof(struct mport *));
	free(m->ports);
	m->ports = ports;
	m->words = words;
	return 0;
}
