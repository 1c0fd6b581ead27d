// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who asks what is wanted: other queriers, elected among themselves, or this
 * switch; and what their questions change. Numbers of sections without more
 * are those of RFC 4541.
 */
#include <string.h>

#include "base/bits.h"
#include "switch/mcast_impl.h"

#define MAX_RESP (10 * NSEC) /* RFC 3376, 8.3 */
#define STARTUP_PART 4 /* of the interval, RFC 3376, 8.6 */
#define ANSWER_TIME (NSEC / 2) /* on its way, after the maximum */
#define MIN_GAP NSEC /* between own queries in a VLAN */

/* ---- this switch ---- */

void mcast_send_query(struct mcast *m, const struct family *f, int port,
		      struct mcast_addr group, uint64_t max_resp)
{
	uint8_t frame[MCAST_QUERY_MAX];
	const struct mcast_query q = {
		.v6 = f->v6,
		.group = group,
		.mac = m->mac,
		.source4 = f->vlan->source4,
		.max_resp_ms = (uint32_t)(max_resp * 1000 / NSEC),
		.interval_s = (uint32_t)(f->interval / NSEC),
		.robustness = f->robustness,
	};
	size_t len = mcast_write_query(&q, frame);

	m->counts[MCAST_SENT]++;
	m->ops->transmit(m->ctx, f->vlan->id, port, frame, len);
}

/* All hosts of the VLAN are asked; what a port wants is known when they had
 * the time to answer. A query that leaves them less time ends it sooner. */
static void all_asked(struct mcast *m, struct family *f, uint64_t max_resp,
		      uint64_t now)
{
	uint64_t at = now + max_resp + ANSWER_TIME;
	size_t bytes = m->words * sizeof(uint64_t);

	if (!f->on)
		memset(f->unasked, 0xff, bytes);
	f->on = true;
	if (!bits_any(f->unasked, m->words) ||
	    (timer_is_set(&f->settle) && f->settle.at <= at))
		return;
	memcpy(f->asked, f->unasked, bytes);
	timer_set(m, &f->settle, at);
}

void mcast_settled(struct mcast *m, struct timer *t, uint64_t now)
{
	struct family *f = container_of(t, struct family, settle);

	for (size_t w = 0; w < m->words; w++)
		f->unasked[w] &= ~f->asked[w];
}

void mcast_nobody_asks(struct family *f)
{
	f->on = false;
	timer_stop(&f->settle);
}

static uint64_t at_most(uint64_t v, uint64_t max)
{
	return v < max ? v : max;
}

void mcast_use_defaults(const struct mcast *m, struct family *f)
{
	f->interval = m->interval_s * NSEC;
	f->max_resp = at_most(f->interval / 2, MAX_RESP);
	f->robustness = ROBUSTNESS;
}

void mcast_ask_all(struct mcast *m, struct timer *t, uint64_t now)
{
	struct family *f = container_of(t, struct family, next);

	mcast_use_defaults(m, f); /* they may have been changed */
	mcast_send_query(m, f, -1, (struct mcast_addr){ 0, 0 }, f->max_resp);
	f->last = now;
	all_asked(m, f, f->max_resp, now);
	if (f->startup)
		timer_set(m, t, now + f->interval / STARTUP_PART);
	else
		timer_set(m, t, now + f->interval);
	f->startup -= f->startup ? 1 : 0;
}

static void start_asking(struct mcast *m, struct family *f, uint64_t now)
{
	f->known = false;
	timer_stop(&f->gone);
	f->own = true;
	f->version = f->v6 ? 2 : 3;
	f->startup = ROBUSTNESS - 1;
	mcast_ask_all(m, &f->next, now);
}

void mcast_stop_asking(struct family *f)
{
	f->own = false;
	timer_stop(&f->next);
}

void mcast_ask_soon(struct mcast *m, struct family *f, uint64_t now)
{
	uint64_t at = f->last + MIN_GAP > now ? f->last + MIN_GAP : now;

	if (!f->own)
		return;
	if (timer_is_set(&f->settle) && f->settle.at + MCAST_SLOP > at)
		at = f->settle.at + MCAST_SLOP;
	if (f->next.at > at)
		timer_set(m, &f->next, at);
}

static bool should_ask(const struct mcast *m, const struct family *f)
{
	return m->on && !f->vlan->off && f->vlan->querier &&
	       (!f->known || mcast_addr_is_none(f->querier));
}

void mcast_update_asking(struct mcast *m, struct family *f, uint64_t now)
{
	bool should = should_ask(m, f);

	if (should && !f->own) {
		start_asking(m, f, now);
	} else if (!should && f->own) {
		mcast_stop_asking(f);
		if (!f->known)
			mcast_nobody_asks(f);
	}
}

/* ---- others ---- */

void mcast_querier_gone(struct mcast *m, struct timer *t, uint64_t now)
{
	struct family *f = container_of(t, struct family, gone);

	f->known = false;
	mcast_tell(m, (struct mcast_event){ .type = MCAST_QUERIER,
					    .vid = f->vlan->id,
					    .v6 = f->v6,
					    .addr = f->querier,
					    .port = f->querier_port,
					    .gone = true });
	mcast_update_asking(m, f, now);
	if (!f->own)
		mcast_nobody_asks(f);
	mcast_tidy(m, f->vlan);
}

/* The lowest address does (RFC 3376, 6.6.2; RFC 3810, 7.6.2). A switch that
 * has none takes no part in that, and is believed in only while there is
 * nobody else (2.1.1 (4)). */
static bool is_querier(const struct mcast *m, const struct family *f,
		       struct mcast_addr source)
{
	struct mcast_addr now = f->querier;

	if (!f->own && !f->known)
		return true;
	if (f->own)
		now = f->v6 ? mcast_link_local(m->mac)
			    : (struct mcast_addr){ 0, f->vlan->source4 };
	if (f->own && mcast_addr_is(source, now))
		return false; /* another switch without one, or its own */
	if (mcast_addr_is_none(source) || mcast_addr_is_none(now))
		return mcast_addr_is_none(now);
	return source.hi < now.hi ||
	       (source.hi == now.hi && source.lo <= now.lo);
}

static uint64_t other_querier_time(const struct family *f)
{
	return f->robustness * f->interval + f->max_resp / 2;
}

uint64_t mcast_member_time(const struct family *f)
{
	return f->robustness * f->interval + f->max_resp;
}

static void hear_querier(struct mcast *m, struct family *f,
			 const struct mcast_msg *msg, unsigned int port,
			 uint64_t now)
{
	bool same = f->known && mcast_addr_is(f->querier, msg->source) &&
		    f->querier_port == port;
	uint64_t max_resp = f->max_resp;

	f->known = true;
	f->querier = msg->source;
	f->querier_port = port;
	f->version = msg->version;
	mcast_use_defaults(m, f);
	if (msg->interval)
		f->interval = at_most(msg->interval,
				      MCAST_INTERVAL_MAX_S * NSEC);
	if (msg->robustness > 1) /* less is not sensible, RFC 3376, 8.1 */
		f->robustness = msg->robustness;
	if (mcast_addr_is_none(msg->group))
		max_resp = msg->max_resp;
	f->max_resp = at_most(max_resp, f->interval); /* RFC 3376, 8.3 */
	timer_set(m, &f->gone, now + other_querier_time(f));
	mcast_update_asking(m, f, now);
	if (!same)
		mcast_tell(m, (struct mcast_event){ .type = MCAST_QUERIER,
						    .vid = f->vlan->id,
						    .v6 = f->v6,
						    .addr = msg->source,
						    .port = port });
}

void mcast_hear_router(struct mcast *m, struct family *f, unsigned int port,
		       uint64_t now)
{
	struct member *b = mcast_find_member(m, &f->routers, port);

	if (!b)
		b = mcast_add_member(m, f, (struct mcast_addr){ 0, 0 }, port,
				     true);
	if (!b)
		return;
	b->until = now + other_querier_time(f);
	timer_set(m, &b->timer, b->until);
}

/* Hosts will answer this: who does not, has left (RFC 3376, 6.6.1). */
static void shorten(struct mcast *m, struct family *f,
		    const struct mcast_msg *msg, uint64_t now)
{
	struct group *g = mcast_find_group(m, f, msg->group);
	uint64_t until = f->robustness * msg->max_resp;

	if (!g || msg->suppress || msg->sources)
		return;
	until = now + (until > NSEC ? until : NSEC);
	list_for_each(it, &g->members) {
		struct member *b = list_entry(it, struct member, in_group);

		if (b->until <= until || b->old_until > now)
			continue;
		b->until = until;
		timer_set(m, &b->timer, until);
	}
}

/* Where a querier is, there is a router (2.1.1 (1) b). One without address is
 * a switch: behind it may be hosts that are told apart by it alone, so it
 * counts too, but not where it only helps a querier with an address. Hosts
 * answer no such query of MLD (RFC 3810, 5.1.14): it is nothing. */
void mcast_take_query(struct mcast *m, struct family *f,
		      const struct mcast_msg *msg, unsigned int port,
		      uint64_t now)
{
	bool none = mcast_addr_is_none(msg->source);

	if (none && f->v6)
		return;
	if (is_querier(m, f, msg->source))
		hear_querier(m, f, msg, port, now);
	if (!none || !f->known || mcast_addr_is_none(f->querier))
		mcast_hear_router(m, f, port, now);
	if (mcast_addr_is_none(msg->group))
		all_asked(m, f, msg->max_resp, now);
	else
		shorten(m, f, msg, now);
}
