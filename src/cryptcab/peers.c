/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers - who there is: by public key, by index, by deadline
 *
 * A table with lists for keys, hashed with a secret. An index is what the other
 * side writes into its messages for us: the low 20 bits are a place in an
 * array, the high ones random, so that a look-up is one comparison and an old
 * index is nobody's. The deadlines of all peers are a binary heap; packets
 * only ever move one forward, and it is computed anew when it has come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cryptcab/tunnel_impl.h"

#define PLACE_BITS 20
#define PLACES (UINT32_C(1) << PLACE_BITS)

/* --- deadlines ------------------------------------------------------------ */

static void heap_put(struct tunnel *t, uint32_t at, struct tunnel_peer *p)
{
	t->heap[at] = p;
	p->heap_at = at;
}

static void heap_up(struct tunnel *t, struct tunnel_peer *p)
{
	uint32_t at = p->heap_at;

	while (at > 0 && t->heap[(at - 1) / 2]->due > p->due) {
		heap_put(t, at, t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(t, at, p);
}

static void heap_down(struct tunnel *t, struct tunnel_peer *p)
{
	uint32_t at = p->heap_at, child;

	while ((child = 2 * at + 1) < t->n_peers) {
		if (child + 1 < t->n_peers &&
		    t->heap[child + 1]->due < t->heap[child]->due)
			child++;
		if (t->heap[child]->due >= p->due)
			break;
		heap_put(t, at, t->heap[child]);
		at = child;
	}
	heap_put(t, at, p);
}

void tun_peer_set_due(struct tunnel_peer *p, uint64_t due)
{
	uint64_t before = p->due;

	p->due = due;
	if (due < before)
		heap_up(p->t, p);
	else if (due > before)
		heap_down(p->t, p);
}

void tun_peer_due_by(struct tunnel_peer *p, uint64_t due)
{
	if (due < p->due)
		tun_peer_set_due(p, due);
}

static void heap_remove(struct tunnel *t, struct tunnel_peer *p)
{
	struct tunnel_peer *last = t->heap[--t->n_peers];

	if (last == p)
		return;
	heap_put(t, p->heap_at, last);
	heap_up(t, last);
	heap_down(t, last);
}

/* --- indices -------------------------------------------------------------- */

static bool more_indices(struct tunnel *t)
{
	uint32_t n = t->n_indices ? 2 * t->n_indices : 64;
	struct tun_index_slot *more;

	if (n > PLACES)
		return false;
	more = realloc(t->indices, n * sizeof(*more));
	if (!more)
		return false;
	/* Place 0 stays unused: it is the end of the list of free ones. */
	for (uint32_t i = n - 1; i >= t->n_indices && i > 0; i--) {
		more[i] = (struct tun_index_slot){ .next_free = t->free_index };
		t->free_index = i;
	}
	more[0] = (struct tun_index_slot){ 0 };
	t->indices = more;
	t->n_indices = n;
	return true;
}

uint32_t tun_index_new(struct tunnel_peer *p)
{
	struct tunnel *t = p->t;
	struct tun_index_slot *slot;
	uint32_t place;

	if (!t->free_index && !more_indices(t))
		return 0;
	place = t->free_index;
	slot = &t->indices[place];
	t->free_index = slot->next_free;
	slot->index = (tun_random32(t) << PLACE_BITS) | place;
	slot->peer = p;
	return slot->index;
}

void tun_index_free(struct tunnel *t, uint32_t index)
{
	uint32_t place = index % PLACES;

	if (!index)
		return;
	t->indices[place] =
		(struct tun_index_slot){ .next_free = t->free_index };
	t->free_index = place;
}

struct tunnel_peer *tun_peer_of_index(const struct tunnel *t, uint32_t index)
{
	uint32_t place = index % PLACES;

	if (!index || place >= t->n_indices || t->indices[place].index != index)
		return NULL;
	return t->indices[place].peer;
}

/* --- peers ---------------------------------------------------------------- */

bool tun_same_addr(const struct tunnel_addr *a, const struct tunnel_addr *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

void tun_peer_set_addr(struct tunnel_peer *p, const struct tunnel_addr *addr)
{
	p->addr = *addr;
	p->has_addr = true;
	tun_guard_know(p->t, addr);
}

static struct list *bucket(const struct tunnel *t, const uint8_t *key)
{
	return &t->buckets[hash_bytes(key, TUNNEL_KEY_LEN, t->guard.hash_key) %
			   t->n_buckets];
}

struct tunnel_peer *tunnel_peer_find(const struct tunnel *t,
				     const uint8_t key[static TUNNEL_KEY_LEN])
{
	struct tunnel_peer *p;

	list_for_each(it, bucket(t, key)) {
		p = list_entry(it, struct tunnel_peer, by_key);
		if (sodium_memcmp(p->key, key, TUNNEL_KEY_LEN) == 0)
			return p;
	}
	return NULL;
}

static int may_be_peer(const struct tunnel *t, const uint8_t *key)
{
	if (t->busy)
		return -EBUSY;
	if (sodium_is_zero(key, TUNNEL_KEY_LEN) ||
	    sodium_memcmp(key, t->pub, TUNNEL_KEY_LEN) == 0)
		return -EINVAL;
	if (tunnel_peer_find(t, key))
		return -EEXIST;
	return t->n_peers == t->cfg.max_peers ? -ENOSPC : 0;
}

int tunnel_peer_add(struct tunnel *t, const struct tunnel_peer_config *cfg,
		    uint64_t now, struct tunnel_peer **out)
{
	struct tunnel_peer *p;
	int rc = may_be_peer(t, cfg->key);

	*out = NULL;
	if (rc < 0)
		return rc;
	p = t->cfg.alloc((sizeof(*p) + 63) / 64 * 64);
	if (!p)
		return -ENOMEM;
	memset(p, 0, sizeof(*p));
	tun_clock(t, now);
	p->t = t;
	p->active = cfg->active;
	p->fixed = cfg->fixed;
	p->aux = cfg->aux;
	p->cur = &p->sessions[0];
	p->prev = &p->sessions[1];
	p->next = &p->sessions[2];
	memcpy(p->key, cfg->key, TUNNEL_KEY_LEN);
	if (cfg->psk)
		memcpy(p->psk, cfg->psk, TUNNEL_KEY_LEN);
	list_add_tail(bucket(t, p->key), &p->by_key);
	p->due = TUNNEL_NEVER;
	heap_put(t, t->n_peers++, p);
	tun_pathmtu_reset(p);
	if (cfg->addr)
		tun_peer_set_addr(p, cfg->addr);
	tun_peer_schedule(p);
	*out = p;
	return 0;
}

int tunnel_peer_del(struct tunnel_peer *p)
{
	struct tunnel *t;
	int i;

	if (!p)
		return 0;
	t = p->t;
	if (t->busy)
		return -EBUSY;
	tun_handshake_stop(p);
	for (i = 0; i < 3; i++)
		tun_session_clear(p, &p->sessions[i]);
	tun_fragments_forget(p, 0);
	heap_remove(t, p);
	list_del(&p->by_key);
	sodium_memzero(p, sizeof(*p));
	t->cfg.free(p);
	return 0;
}

void *tunnel_peer_aux(const struct tunnel_peer *p)
{
	return p->aux;
}

const struct tunnel_addr *tunnel_addr(const struct tunnel_peer *p)
{
	return p->has_addr ? &p->addr : NULL;
}

int tunnel_peer_call(struct tunnel_peer *p, const struct tunnel_addr *addr,
		     uint64_t now)
{
	if (p->t->busy)
		return -EBUSY;
	tun_clock(p->t, now);
	if (!p->has_addr || !tun_same_addr(addr, &p->addr))
		tun_pathmtu_reset(p);
	tun_peer_set_addr(p, addr);
	p->active = true;
	p->alive = false;
	p->waiting_since = 0;
	p->pings = 0;
	tun_handshake_stop(p);
	p->hs.tries = 0;
	p->hs.again_at = 0;
	tun_peer_schedule(p);
	return 0;
}

int tunnel_peer_hang_up(struct tunnel_peer *p, uint64_t now)
{
	if (p->t->busy)
		return -EBUSY;
	tun_clock(p->t, now);
	p->active = p->alive = false;
	p->waiting_since = 0;
	p->pings = 0;
	tun_handshake_stop(p);
	for (int i = 0; i < 3; i++)
		tun_session_clear(p, &p->sessions[i]);
	tun_fragments_forget(p, 0);
	tun_peer_schedule(p);
	return 0;
}

void tunnel_peer_info(const struct tunnel_peer *p, uint64_t now,
		      struct tunnel_info *in)
{
	uint64_t at = max_u64(p->t->now, now);

	*in = (struct tunnel_info){
		.alive = p->alive,
		.calling = p->hs.pending,
		.rtt = p->srtt,
		.datagram = p->mtu.works,
		.counts = p->counts,
	};
	if (p->heard_at)
		in->heard_ago = at - p->heard_at;
	if (p->cur->live) {
		in->cipher = p->cur->tx.cipher;
		in->session_age = at - p->cur->created;
		in->tx_counter = p->cur->counter;
	}
}
