/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timers - what a peer has to do, and when next
 *
 * tun_peer_run() does all that is due, peer_due() says when something is again: one
 * deadline for each peer, the earliest of them for the tunnel. A peer is alive
 * when something authentic comes from it. We sent frames and for quiet_after
 * nothing came back: a ping, then more of them, one for each time that an
 * answer should have taken; after dead_pings it is dead. An active peer that
 * has no usable session, is dead, or has a session that is to be renewed, is
 * called.
 */
#include "cryptcab/tunnel_impl.h"

void tun_peer_rtt(struct tunnel_peer *p, uint64_t rtt)
{
	uint64_t off;

	rtt = max_u64(rtt, 1);
	if (!p->srtt) {
		p->srtt = rtt;
		p->rttvar = rtt / 2;
		return;
	}
	off = rtt > p->srtt ? rtt - p->srtt : p->srtt - rtt;
	p->rttvar = p->rttvar - p->rttvar / 4 + off / 4;
	p->srtt = p->srtt - p->srtt / 8 + rtt / 8;
}

uint64_t tun_peer_patience(const struct tunnel_peer *p)
{
	const struct tunnel_config *c = &p->t->cfg;

	if (!p->srtt)
		return c->ping_max;
	return min_u64(max_u64(p->srtt + 4 * p->rttvar, c->ping_min),
		       c->ping_max);
}

void tun_peer_heard(struct tunnel_peer *p)
{
	p->heard_at = p->t->now;
	p->waiting_since = 0;
	p->pings = 0;
	if (!p->alive) {
		p->alive = true;
		tun_say(p->t, p, TUNNEL_UP);
		tun_peer_schedule(p);
	}
}

static void peer_lost(struct tunnel_peer *p)
{
	p->waiting_since = 0;
	p->pings = 0;
	if (!p->alive)
		return;
	p->alive = false;
	tun_say(p->t, p, TUNNEL_DOWN);
}

/* When an active peer's session is to be renewed. Who began it is first, so
 * that two who may both call do not both do. */
static uint64_t renew_at(const struct tunnel_peer *p)
{
	const struct tunnel_config *c = &p->t->cfg;
	const struct tun_session *s = p->cur;

	if (s->counter >= c->rekey_packets ||
	    s->replay.next >= c->rekey_packets)
		return 0;
	return s->created + c->rekey_after + (s->initiator ? 0 : PASSIVE_GRACE);
}

static bool wants_call(const struct tunnel_peer *p)
{
	return p->active && p->has_addr &&
	       (!p->alive || !tun_session_usable(p, p->cur) ||
		p->t->now >= renew_at(p));
}

/* Pings that are due, or the end of patience with them. */
static uint64_t ping_at(const struct tunnel_peer *p)
{
	const struct tunnel_config *c = &p->t->cfg;
	uint64_t at = TUNNEL_NEVER;

	if (!p->alive || !tun_session_usable(p, p->cur))
		return TUNNEL_NEVER;
	if (p->pings)
		return p->pinged_at + tun_peer_patience(p);
	if (p->waiting_since)
		at = p->waiting_since + c->quiet_after;
	if (p->active && c->keepalive)
		at = min_u64(at, p->sent_at + c->keepalive);
	return at;
}

static uint64_t peer_due(const struct tunnel_peer *p)
{
	uint64_t due = ping_at(p);

	for (int i = 0; i < 3; i++)
		if (p->sessions[i].live)
			due = min_u64(due, p->sessions[i].created +
						   p->t->cfg.reject_after);
	if (p->hs.pending)
		due = min_u64(due, p->hs.retry_at);
	else if (wants_call(p))
		due = min_u64(due, p->hs.again_at);
	else if (p->active && p->has_addr)
		due = min_u64(due, max_u64(renew_at(p), p->hs.again_at));
	if (p->alive && tun_session_usable(p, p->cur))
		due = min_u64(due, p->mtu.due);
	return due;
}

void tun_peer_schedule(struct tunnel_peer *p)
{
	tun_peer_set_due(p, peer_due(p));
}

static void run_sessions(struct tunnel_peer *p)
{
	struct tunnel *t = p->t;

	for (int i = 0; i < 3; i++)
		if (p->sessions[i].live &&
		    t->now - p->sessions[i].created >= t->cfg.reject_after)
			tun_session_clear(p, &p->sessions[i]);
	if (!tun_session_usable(p, p->cur))
		peer_lost(p);
}

static void run_pings(struct tunnel_peer *p)
{
	if (p->t->now < ping_at(p))
		return;
	if (p->pings >= p->t->cfg.dead_pings)
		peer_lost(p);
	else
		tun_session_ping(p);
}

static void run_calls(struct tunnel_peer *p)
{
	uint64_t now = p->t->now;

	if (p->hs.pending) {
		if (now < p->hs.retry_at)
			return;
		tun_say(p->t, p, TUNNEL_NO_ANSWER);
		tun_handshake_start(p);
	} else if (wants_call(p) && now >= p->hs.again_at) {
		tun_handshake_start(p);
	}
}

void tun_peer_run(struct tunnel_peer *p)
{
	run_sessions(p);
	run_pings(p);
	run_calls(p);
	tun_pathmtu_run(p);
	tun_peer_schedule(p);
}

void tunnel_peer_doubt(struct tunnel_peer *p, uint64_t now)
{
	if (p->t->busy)
		return;
	tun_clock(p->t, now);
	if (p->alive && tun_session_usable(p, p->cur) && !p->pings) {
		tun_session_ping(p);
		tun_peer_schedule(p);
	}
}
