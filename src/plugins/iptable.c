// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/iptable.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define PORTS 65536

/* All zero: has never had an entry. */
struct ipport {
	struct list active; /* in t->active while @count > 0 */
	struct list entries;
	uint32_t count;
};

struct iptable {
	uint32_t max, used;
	uint32_t fresh; /* entries from here on were never used */
	uint32_t spare; /* those that are free again; index + 1 */
	uint32_t n_buckets; /* a power of two */
	uint64_t key[2];
	uint32_t *buckets; /* index + 1, 0: empty */
	struct ipentry *entries;
	struct ipport *ports;
	struct list active;
};

struct iptable *iptable_new(uint32_t max, const uint64_t key[static 2])
{
	struct iptable *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->max = max;
	t->n_buckets = 1;
	while (t->n_buckets < max)
		t->n_buckets *= 2;
	memcpy(t->key, key, sizeof(t->key));
	list_init(&t->active);
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	t->entries = calloc(max, sizeof(*t->entries));
	t->ports = calloc(PORTS, sizeof(*t->ports));
	if (t->buckets && t->entries && t->ports)
		return t;
	iptable_free(t);
	return NULL;
}

void iptable_free(struct iptable *t)
{
	if (!t)
		return;
	free(t->buckets);
	free(t->entries);
	free(t->ports);
	free(t);
}

uint32_t iptable_used(const struct iptable *t)
{
	return t->used;
}

/* ---- buckets ---- */

static uint32_t *bucket_of(struct iptable *t, const struct ipaddr *a,
			   unsigned int vlan)
{
	uint8_t bytes[sizeof(a->bytes) + 3];

	memcpy(bytes, a->bytes, sizeof(a->bytes));
	bytes[sizeof(a->bytes)] = a->len;
	bytes[sizeof(a->bytes) + 1] = (uint8_t)(vlan >> 8);
	bytes[sizeof(a->bytes) + 2] = (uint8_t)(vlan & 0xff);
	return &t->buckets[hash_bytes(bytes, sizeof(bytes), t->key) &
			   (t->n_buckets - 1)];
}

static struct ipentry *find(struct iptable *t, const struct ipaddr *a,
			    unsigned int vlan)
{
	uint32_t i = *bucket_of(t, a, vlan);

	while (i) {
		struct ipentry *e = &t->entries[i - 1];

		if (e->vlan == vlan && ipaddr_equal(&e->addr, a))
			return e;
		i = e->next;
	}
	return NULL;
}

/* ---- ports ---- */

static void join(struct iptable *t, struct ipentry *e, unsigned int port)
{
	struct ipport *p = &t->ports[port % PORTS];

	if (!p->entries.next)
		list_init(&p->entries);
	if (!p->count++)
		list_add_tail(&t->active, &p->active);
	e->port = (uint16_t)port;
	list_add_head(&p->entries, &e->node);
}

static void leave(struct iptable *t, struct ipentry *e)
{
	struct ipport *p = &t->ports[e->port];

	list_del(&e->node);
	if (!--p->count)
		list_del(&p->active);
}

static void forget(struct iptable *t, struct ipentry *e)
{
	uint32_t i = (uint32_t)(e - t->entries) + 1;
	uint32_t *at = bucket_of(t, &e->addr, e->vlan);

	while (*at != i)
		at = &t->entries[*at - 1].next;
	*at = e->next;
	leave(t, e);
	e->addr.len = 0;
	e->next = t->spare;
	t->spare = i;
	t->used--;
}

/* Who has most loses its oldest: @port itself if it is among those. */
static void evict(struct iptable *t, unsigned int port)
{
	const struct ipport *most = &t->ports[port % PORTS];

	list_for_each(it, &t->active) {
		const struct ipport *p = list_entry(it, struct ipport, active);

		if (p->count > most->count)
			most = p;
	}
	forget(t, list_entry(most->entries.prev, struct ipentry, node));
}

/* ---- sightings ---- */

enum iptable_result iptable_see(struct iptable *t, const struct ipsight *s,
				unsigned int vlan, unsigned int port,
				uint32_t now_s, struct ipentry **out)
{
	struct ipentry *e = find(t, &s->addr, vlan);

	*out = e;
	if (!e)
		return IPTABLE_UNKNOWN;
	if (e->port == port && e->mac == s->mac && e->seen_s == now_s)
		return IPTABLE_KNOWN;
	e->seen_s = now_s;
	if (e->port == port && e->mac == s->mac) {
		list_del(&e->node);
		list_add_head(&t->ports[port].entries, &e->node);
		return IPTABLE_KNOWN;
	}
	leave(t, e);
	join(t, e, port);
	e->mac = s->mac;
	return IPTABLE_CHANGED;
}

struct ipentry *iptable_add(struct iptable *t, const struct ipsight *s,
			    unsigned int vlan, unsigned int port,
			    uint32_t now_s)
{
	struct ipentry *e;
	uint32_t i, *bucket;

	if (t->used == t->max)
		evict(t, port);
	if (t->spare) {
		i = t->spare;
		t->spare = t->entries[i - 1].next;
	} else {
		i = ++t->fresh;
	}
	e = &t->entries[i - 1];
	*e = (struct ipentry){ .seen_s = now_s,
			       .mac = s->mac,
			       .vlan = (uint16_t)vlan,
			       .addr = s->addr };
	bucket = bucket_of(t, &e->addr, e->vlan);
	e->next = *bucket;
	*bucket = i;
	join(t, e, port);
	t->used++;
	return e;
}

/* ---- forgetting ---- */

static uint32_t expire_port(struct iptable *t, struct ipport *p, uint32_t now_s,
			    uint32_t age_s)
{
	uint32_t n = 0;

	while (p->count) {
		struct ipentry *e = list_entry(p->entries.prev, struct ipentry,
					       node);

		if (now_s - e->seen_s < age_s)
			break;
		forget(t, e);
		n++;
	}
	return n;
}

uint32_t iptable_expire(struct iptable *t, uint32_t now_s, uint32_t age_s)
{
	uint32_t n = 0;

	list_for_each_safe(it, next, &t->active) {
		n += expire_port(t, list_entry(it, struct ipport, active),
				 now_s, age_s);
	}
	return n;
}

void iptable_forget_port(struct iptable *t, unsigned int port)
{
	const struct ipport *p = &t->ports[port % PORTS];

	while (p->count)
		forget(t, list_entry(p->entries.next, struct ipentry, node));
}

void iptable_forget_if(struct iptable *t,
		       bool (*fn)(void *ctx, const struct ipentry *), void *ctx)
{
	for (uint32_t i = 0; i < t->fresh; i++) {
		struct ipentry *e = &t->entries[i];

		if (e->addr.len && fn(ctx, e))
			forget(t, e);
	}
}

const struct ipentry *iptable_next(const struct iptable *t, uint64_t *at)
{
	while (*at < t->fresh) {
		const struct ipentry *e = &t->entries[(*at)++];

		if (e->addr.len)
			return e;
	}
	return NULL;
}
