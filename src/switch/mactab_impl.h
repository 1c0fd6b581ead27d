/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mactab_impl - the inside of the address table
 *
 * For mactab.c, which has the sets, the lists and all that frames cause, and
 * mactab_keep.c, which says what goes and what stays.
 */
#ifndef SWITCH_MACTAB_IMPL_H
#define SWITCH_MACTAB_IMPL_H

#include <assert.h>

#include "switch/mactab.h"

#define WAYS 4
#define LISTS 16 /* of each port */

/* An entry; its address is its place. */
struct mactab_way {
	uint64_t key; /* 0: free */
	uint32_t seen_s;
	uint16_t port;
	uint16_t sticky; /* MACTAB_STICKY_* */
};

struct set {
	struct mactab_way way[WAYS];
};
static_assert(sizeof(struct set) == 64, "a set is one cache line");

/* Slots, counted from 1; 0: none. */
struct links {
	uint32_t next, prev;
};

/* On which port a key is; key 0: nothing. */
struct memo {
	uint64_t key;
	uint32_t now_s; /* valid in that second */
	uint16_t port;
};

struct mactab {
	struct set *sets;
	struct links *links; /* of each slot */
	uint32_t *heads; /* LISTS for each port */
	size_t mask; /* number of sets - 1 */
	uint64_t secret;
	struct memo heard, found; /* last; by learning, by looking up */
	uint32_t expire_s; /* UINT32_MAX: never */
	uint32_t persistence_s;
	size_t used;
	size_t n_sticky;
	uint32_t searched_s; /* when mactab_has_room() last searched */
	size_t n_ports;
	uint32_t *per_port; /* entries of each port */
	mactab_gone_fn *gone;
	void *gone_ctx;
	struct mactab_counters counters;
};

static inline bool mactab_expired(const struct mactab *t,
				  const struct mactab_way *e, uint32_t now_s)
{
	return now_s - e->seen_s > t->expire_s && !e->sticky;
}

static inline size_t mactab_slot_of(const struct mactab *t,
				    const struct mactab_way *e)
{
	size_t at = (size_t)((const char *)e - (const char *)t->sets);

	return at / sizeof(*e);
}

static inline struct mactab_way *mactab_slot(const struct mactab *t, size_t i)
{
	return &t->sets[i / WAYS].way[i % WAYS];
}

static inline struct mactab_entry mactab_export(const struct mactab *t,
						const struct mactab_way *e)
{
	return (struct mactab_entry){ e->key, e->seen_s, e->port, e->sticky,
				      mactab_slot_of(t, e) };
}

/* Expired or not; NULL: none. */
struct mactab_way *mactab_lookup(const struct mactab *, uint64_t key);
/* Takes @e out of the table, and tells who listens. */
void mactab_remove(struct mactab *, struct mactab_way *e);

#endif
