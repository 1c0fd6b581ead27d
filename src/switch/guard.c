// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/offload.h"

#define NANO INT64_C(1000000000)
#define FIRST_ROOM 8

static const char *const kinds[] = {
	[GUARD_BROADCAST] = "broadcast",
	[GUARD_MULTICAST] = "multicast",
	[GUARD_UNKNOWN] = "unknown",
};
static_assert(ARRAY_SIZE(kinds) == GUARD_N_KINDS, "a kind has no name");

const char *guard_kind_name(enum guard_kind kind)
{
	return kinds[kind];
}

void guard_init(struct guard *g)
{
	*g = (struct guard){ 0 };
}

void guard_fini(struct guard *g)
{
	free(g->sources);
	guard_init(g);
}

static bool meter_is_on(const struct guard_meter *m)
{
	return m->frames.rate || m->bytes.rate;
}

bool guard_is_on(const struct guard *g)
{
	bool on = g->max_addrs || g->sticky || g->sources_on ||
		  meter_is_on(&g->rate);

	for (int i = 0; i < GUARD_N_KINDS; i++)
		on = on || meter_is_on(&g->storm[i]);
	return on;
}

/* ---- meters ---- */

static void bucket_set(struct guard_bucket *b, uint64_t rate, uint64_t burst,
		       uint64_t now)
{
	if (burst > GUARD_MAX_BURST)
		burst = GUARD_MAX_BURST;
	*b = (struct guard_bucket){ rate, burst, (int64_t)burst * NANO, now };
}

void guard_meter_set(struct guard_meter *m, const uint64_t rate[static 2],
		     const uint64_t burst[static 2], uint64_t now)
{
	bucket_set(&m->frames, rate[0], burst[0], now);
	bucket_set(&m->bytes, rate[1], burst[1], now);
}

static uint64_t at_least(uint64_t v, uint64_t min)
{
	return v < min ? min : v;
}

void guard_set_storm(struct guard *g, enum guard_kind kind, uint64_t frames_ps,
		     uint64_t bytes_ps, uint64_t now)
{
	const uint64_t rate[2] = { frames_ps, bytes_ps };
	const uint64_t burst[2] = { at_least(frames_ps / 10, 16),
				    at_least(bytes_ps / 10, 16384) };

	guard_meter_set(&g->storm[kind], rate, burst, now);
}

void guard_set_rate(struct guard *g, uint64_t frames_ps, uint64_t bytes_ps,
		    uint64_t burst_bytes, uint64_t now)
{
	const uint64_t rate[2] = { frames_ps, bytes_ps };
	uint64_t burst[2] = { at_least(frames_ps / 4, 64),
			      at_least(bytes_ps / 4, 65536) };

	if (burst_bytes)
		burst[1] = burst_bytes;
	guard_meter_set(&g->rate, rate, burst, now);
}

/* Credit for the time that has passed. */
static void refill(struct guard_bucket *b, uint64_t now)
{
	int64_t full = (int64_t)b->burst * NANO;
	uint64_t room = (uint64_t)(full - b->credit), gain;

	if (now <= b->last)
		return;
	if (__builtin_mul_overflow(now - b->last, b->rate, &gain) ||
	    gain >= room)
		b->credit = full;
	else
		b->credit += (int64_t)gain;
	b->last = now;
}

static bool affords(struct guard_bucket *b, uint64_t cost, uint64_t now)
{
	if (!b->rate)
		return true;
	refill(b, now);
	return b->credit >= (int64_t)(cost < b->burst ? cost : b->burst) * NANO;
}

bool guard_meter_take(struct guard_meter *m, const struct frame *f, bool tagged,
		      uint64_t now)
{
	uint64_t n, bytes;

	if (!meter_is_on(m))
		return true;
	n = offload_segments(f);
	bytes = f->len + (n - 1) * f->offload.hdr_len +
		(tagged ? n * ETHER_TAG_LEN : 0);
	if (!affords(&m->frames, n, now) || !affords(&m->bytes, bytes, now))
		return false;
	if (m->frames.rate)
		m->frames.credit -= (int64_t)n * NANO;
	if (m->bytes.rate)
		m->bytes.credit -= (int64_t)bytes * NANO;
	return true;
}

/* ---- sources ---- */

/* Where @addr is in the list, or would be. */
static uint32_t find_source(const struct guard *g, uint64_t addr)
{
	uint32_t low = 0, high = g->n_sources;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (g->sources[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct guard *g, uint32_t i, uint64_t addr)
{
	return i < g->n_sources && g->sources[i] == addr;
}

static int grow_sources(struct guard *g)
{
	uint32_t room = g->room ? 2 * g->room : FIRST_ROOM;
	uint64_t *s = realloc(g->sources, room * sizeof(*s));

	if (!s)
		return -ENOMEM;
	g->sources = s;
	g->room = room;
	return 0;
}

int guard_source_add(struct guard *g, uint64_t addr)
{
	uint32_t i = find_source(g, addr);

	if (ether_is_multicast(addr))
		return -EINVAL;
	if (is_at(g, i, addr))
		return -EEXIST;
	if (g->n_sources == GUARD_MAX_SOURCES)
		return -ENOSPC;
	if (g->n_sources == g->room && grow_sources(g))
		return -ENOMEM;
	memmove(g->sources + i + 1, g->sources + i,
		(g->n_sources - i) * sizeof(*g->sources));
	g->sources[i] = addr;
	g->n_sources++;
	g->sources_on = true;
	return 0;
}

int guard_source_del(struct guard *g, uint64_t addr)
{
	uint32_t i = find_source(g, addr);

	if (!is_at(g, i, addr))
		return -ENOENT;
	g->n_sources--;
	memmove(g->sources + i, g->sources + i + 1,
		(g->n_sources - i) * sizeof(*g->sources));
	return 0;
}

void guard_source_off(struct guard *g)
{
	free(g->sources);
	g->sources = NULL;
	g->n_sources = g->room = 0;
	g->sources_on = false;
}

bool guard_source_may(const struct guard *g, uint64_t addr)
{
	return !g->sources_on || is_at(g, find_source(g, addr), addr);
}

/* ---- addresses ---- */

uint32_t guard_addr_limit(const struct guard *g)
{
	if (g->sticky && !g->max_addrs)
		return GUARD_STICKY_ADDRS;
	return g->max_addrs;
}

bool guard_has_room(const struct guard *g, struct mactab *t, unsigned int port,
		    uint32_t now_s)
{
	uint32_t limit = guard_addr_limit(g);

	return !limit || mactab_has_room(t, port, limit, now_s);
}

/* What cannot be learned for want of sticky entries is not let in either:
 * else it would be flooded for ever, and could be anybody's. */
bool guard_addr_may(const struct guard *g, struct mactab *t, uint64_t key,
		    unsigned int port, uint32_t now_s)
{
	if (!guard_addr_limit(g))
		return true;
	if (ether_is_multicast(mactab_addr(key)))
		return false;
	return mactab_is_on(t, key, port) ||
	       ((!g->sticky || mactab_may_stick(t)) &&
		guard_has_room(g, t, port, now_s));
}
