// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Four-way sets, one cache line each; a key may live in either of two sets,
 * chosen by the two halves of its keyed hash, and goes into the emptier one.
 * That keeps overflow practically away up to the load at which the table
 * doubles (one half), so a lookup reads at most two lines. At its largest
 * size an insertion may find both sets full; then, of the eight:
 *
 *   an expired entry is replaced, else
 *   the oldest entry of the same port, else
 *   the oldest entry of a port that holds more entries than this one, else
 *   nothing: the station is not learned and its frames are flooded.
 *
 * Sticky entries are none of these.
 *
 * The entries of a port are also in lists, each for a sixteenth of the VLANs,
 * so that forgetting those of one port, in one VLAN or all, looks at few
 * others. The links are apart from the sets, which lookups alone read.
 *
 * Frames come in runs between the same stations: what was looked up last is
 * remembered for the rest of the second, until anything is forgotten or moves.
 */
#include "switch/mactab_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"

#define BIG_SETS 2048 /* 128 KiB */
#define DEFAULT_EXPIRE 100
#define DEFAULT_PERSISTENCE 3

static size_t round_slots(size_t slots)
{
	size_t n = MACTAB_MIN_SLOTS;

	while (n < slots && n < MACTAB_MAX_SLOTS)
		n *= 2;
	return n;
}

static struct set *new_sets(size_t slots)
{
	size_t bytes = slots / WAYS * sizeof(struct set);
	struct set *sets = aligned_alloc(sizeof(struct set), bytes);

	if (sets)
		memset(sets, 0, bytes);
	return sets;
}

struct mactab *mactab_new(size_t slots, size_t n_ports, uint64_t secret)
{
	struct mactab *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	slots = round_slots(slots);
	t->sets = new_sets(slots);
	t->links = calloc(slots, sizeof(*t->links));
	t->heads = calloc(n_ports, LISTS * sizeof(*t->heads));
	t->per_port = calloc(n_ports, sizeof(*t->per_port));
	if (!t->sets || !t->links || !t->heads || !t->per_port) {
		mactab_free(t);
		return NULL;
	}
	t->mask = slots / WAYS - 1;
	t->secret = secret;
	t->n_ports = n_ports;
	t->expire_s = DEFAULT_EXPIRE;
	t->persistence_s = DEFAULT_PERSISTENCE;
	return t;
}

void mactab_free(struct mactab *t)
{
	if (!t)
		return;
	free(t->sets);
	free(t->links);
	free(t->heads);
	free(t->per_port);
	free(t);
}

static void candidates(const struct mactab *t, uint64_t key, struct set *s[2])
{
	uint64_t h = hash_u64(key, t->secret);

	s[0] = &t->sets[h & t->mask];
	s[1] = &t->sets[h >> 32 & t->mask];
}

struct mactab_way *mactab_lookup(const struct mactab *t, uint64_t key)
{
	uint64_t h = hash_u64(key, t->secret);
	struct set *s = &t->sets[h & t->mask];

	for (int i = 0; i < WAYS; i++)
		if (s->way[i].key == key)
			return &s->way[i];
	s = &t->sets[h >> 32 & t->mask];
	for (int i = 0; i < WAYS; i++)
		if (s->way[i].key == key)
			return &s->way[i];
	return NULL;
}

bool mactab_is_big(const struct mactab *t)
{
	return t->mask >= BIG_SETS;
}

void mactab_prefetch(const struct mactab *t, uint64_t key)
{
	struct set *s[2];

	candidates(t, key, s);
	__builtin_prefetch(s[0]);
	__builtin_prefetch(s[1]);
}

/* ---- lists ---- */

static uint32_t *head_of(const struct mactab *t, const struct mactab_way *e)
{
	return &t->heads[(size_t)e->port * LISTS + mactab_vlan(e->key) % LISTS];
}

static void enlist(struct mactab *t, const struct mactab_way *e)
{
	uint32_t me = (uint32_t)mactab_slot_of(t, e) + 1, *head = head_of(t, e);

	t->links[me - 1] = (struct links){ .next = *head };
	if (*head)
		t->links[*head - 1].prev = me;
	*head = me;
}

static void unlist(struct mactab *t, const struct mactab_way *e)
{
	struct links l = t->links[mactab_slot_of(t, e)];

	if (l.prev)
		t->links[l.prev - 1].next = l.next;
	else
		*head_of(t, e) = l.next;
	if (l.next)
		t->links[l.next - 1].prev = l.prev;
}

static void forget_memos(struct mactab *t)
{
	t->heard.key = t->found.key = 0;
}

void mactab_remove(struct mactab *t, struct mactab_way *e)
{
	struct mactab_entry x = mactab_export(t, e);

	unlist(t, e);
	forget_memos(t);
	t->per_port[e->port]--;
	t->n_sticky -= e->sticky != 0;
	t->used--;
	e->key = 0;
	if (t->gone)
		t->gone(t->gone_ctx, &x);
}

/* A free entry of the emptier set, or NULL. */
static struct mactab_way *free_entry(struct set *s[2])
{
	struct mactab_way *found[2] = { NULL, NULL };
	int n[2] = { 0, 0 };

	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < WAYS; i++) {
			if (!s[k]->way[i].key) {
				found[k] = &s[k]->way[i];
				n[k]++;
			}
		}
	}
	return n[1] > n[0] ? found[1] : found[0];
}

/* How willingly @e gives way to a newcomer on @port; 0: not at all. */
static uint32_t rank(const struct mactab *t, const struct mactab_way *e,
		     unsigned int port, uint32_t now_s)
{
	if (e->sticky)
		return 0;
	if (mactab_expired(t, e, now_s))
		return 3;
	if (e->port == port)
		return 2;
	return t->per_port[e->port] > t->per_port[port] ? 1 : 0;
}

static struct mactab_way *victim(const struct mactab *t, struct set *s[2],
				 unsigned int port, uint32_t now_s)
{
	struct mactab_way *best = NULL;
	uint64_t best_score = 0;

	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < WAYS; i++) {
			struct mactab_way *e = &s[k]->way[i];
			uint64_t score = rank(t, e, port, now_s);

			if (!score)
				continue;
			score = score << 32 | (uint32_t)(now_s - e->seen_s);
			if (score > best_score || !best) {
				best = e;
				best_score = score;
			}
		}
	}
	return best;
}

static enum mactab_result insert(struct mactab *t, uint64_t key,
				 unsigned int port, uint32_t now_s)
{
	struct set *s[2];
	struct mactab_way *e;
	bool crowded = 2 * (t->used + 1) > mactab_slots(t);

	candidates(t, key, s);
	e = free_entry(s);
	if ((crowded || !e) && mactab_slots(t) < MACTAB_MAX_SLOTS &&
	    !mactab_resize(t, 2 * mactab_slots(t))) {
		candidates(t, key, s);
		e = free_entry(s);
	}
	if (!e) {
		e = victim(t, s, port, now_s);
		if (!e) {
			t->counters.refused++;
			return MACTAB_FULL;
		}
		t->counters.displaced += !mactab_expired(t, e, now_s);
		mactab_remove(t, e);
	}
	*e = (struct mactab_way){ key, now_s, (uint16_t)port, 0 };
	enlist(t, e);
	t->per_port[port]++;
	t->used++;
	t->counters.learned++;
	return MACTAB_NEW;
}

enum mactab_result mactab_learn(struct mactab *t, uint64_t key,
				unsigned int port, uint32_t now_s,
				unsigned int *old)
{
	const struct memo m = { key, now_s, (uint16_t)port };
	struct mactab_way *e;

	if (t->heard.key == key && t->heard.now_s == now_s &&
	    t->heard.port == port)
		return MACTAB_KNOWN;
	e = mactab_lookup(t, key);
	if (!e)
		return insert(t, key, port, now_s);
	if (e->port == port) {
		e->seen_s = now_s;
		t->heard = m;
		return MACTAB_KNOWN;
	}
	*old = e->port;
	if (e->sticky)
		return MACTAB_STICKY;
	if (now_s - e->seen_s <= t->persistence_s &&
	    !mactab_expired(t, e, now_s))
		return MACTAB_KEPT;
	unlist(t, e);
	forget_memos(t);
	t->per_port[e->port]--;
	t->per_port[port]++;
	e->port = (uint16_t)port;
	enlist(t, e);
	e->seen_s = now_s;
	t->counters.moved++;
	return MACTAB_MOVED;
}

int mactab_find(struct mactab *t, uint64_t key, uint32_t now_s)
{
	const struct mactab_way *e;

	if (t->found.key == key && t->found.now_s == now_s)
		return t->found.port;
	e = mactab_lookup(t, key);
	if (!e || mactab_expired(t, e, now_s))
		return -1;
	t->found = (struct memo){ key, now_s, e->port };
	return e->port;
}

bool mactab_get(const struct mactab *t, uint64_t key, uint32_t now_s,
		struct mactab_entry *out)
{
	const struct mactab_way *e = mactab_lookup(t, key);

	if (!e || mactab_expired(t, e, now_s))
		return false;
	*out = mactab_export(t, e);
	return true;
}

bool mactab_next(const struct mactab *t, size_t from, uint32_t now_s,
		 struct mactab_entry *out)
{
	for (size_t i = from; i < mactab_slots(t); i++) {
		const struct mactab_way *e = mactab_slot(t, i);

		if (e->key && !mactab_expired(t, e, now_s)) {
			*out = mactab_export(t, e);
			return true;
		}
	}
	return false;
}

const struct mactab_counters *mactab_counters(const struct mactab *t)
{
	return &t->counters;
}

size_t mactab_slots(const struct mactab *t)
{
	return (t->mask + 1) * WAYS;
}

size_t mactab_used(const struct mactab *t)
{
	return t->used;
}

/* False if some entry found both its sets full: try a larger size. */
static bool rehash(const struct mactab *t, struct mactab *fresh)
{
	for (size_t i = 0; i < mactab_slots(t); i++) {
		const struct mactab_way *e = mactab_slot(t, i);
		struct set *s[2];
		struct mactab_way *to;

		if (!e->key)
			continue;
		candidates(fresh, e->key, s);
		to = free_entry(s);
		if (!to)
			return false;
		*to = *e;
	}
	return true;
}

/* Slots have changed, ports and VLANs have not. */
static void enlist_all(struct mactab *t)
{
	memset(t->heads, 0, t->n_ports * LISTS * sizeof(*t->heads));
	for (size_t i = 0; i < mactab_slots(t); i++)
		if (mactab_slot(t, i)->key)
			enlist(t, mactab_slot(t, i));
}

int mactab_resize(struct mactab *t, size_t slots)
{
	struct mactab fresh = *t, old;
	int rc = 0;

	slots = round_slots(slots);
	while (slots < 2 * t->used && slots < MACTAB_MAX_SLOTS)
		slots *= 2;
	for (;; slots *= 2) {
		if (slots == mactab_slots(t) || slots > MACTAB_MAX_SLOTS)
			return 0;
		fresh.sets = new_sets(slots);
		fresh.links = calloc(slots, sizeof(*fresh.links));
		fresh.mask = slots / WAYS - 1;
		if (!fresh.sets || !fresh.links)
			rc = -ENOMEM;
		else if (rehash(t, &fresh))
			break;
		free(fresh.sets);
		free(fresh.links);
		if (rc)
			return rc;
	}
	old = *t;
	*t = fresh;
	enlist_all(t);
	free(old.sets);
	free(old.links);
	return 0;
}

int mactab_set_ports(struct mactab *t, size_t n_ports)
{
	uint32_t *p = calloc(n_ports, sizeof(*p));
	uint32_t *heads = calloc(n_ports, LISTS * sizeof(*heads));
	size_t both = size_min(n_ports, t->n_ports);

	if (!p || !heads) {
		free(p);
		free(heads);
		return -ENOMEM;
	}
	memcpy(p, t->per_port, both * sizeof(*p));
	memcpy(heads, t->heads, both * LISTS * sizeof(*heads));
	free(t->per_port);
	free(t->heads);
	t->per_port = p;
	t->heads = heads;
	t->n_ports = n_ports;
	return 0;
}

void mactab_set_expire(struct mactab *t, uint32_t seconds)
{
	t->expire_s = seconds ? seconds : UINT32_MAX;
	forget_memos(t);
}

uint32_t mactab_get_expire(const struct mactab *t)
{
	return t->expire_s == UINT32_MAX ? 0 : t->expire_s;
}

void mactab_set_persistence(struct mactab *t, uint32_t seconds)
{
	t->persistence_s = seconds;
}

uint32_t mactab_get_persistence(const struct mactab *t)
{
	return t->persistence_s;
}
