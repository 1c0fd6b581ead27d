/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pathmtu - how long a datagram may be, found out by sending some
 *
 * As RFC 8899 has it, from inside: no ICMP is needed, and none is believed but
 * as a hint. 1200 bytes are taken to work everywhere.
 *
 *   search   a probe of the longest length, then halves of what is left, each
 *            three times, until the answer is known to 16 bytes
 *   idle     nothing to do; frames longer than 1200 bytes start a clock
 *   check    after probe_again: does it still work? Three probes without an
 *            answer: 1200 bytes, and search again. After ten minutes a search
 *            begins anyway, as the path may have become wider.
 *
 * A probe is a DATA message of the length in question, padded.
 */
#include "cryptcab/tunnel_impl.h"

#define TRIES 3
#define CLOSE_ENOUGH 16
#define WIDER_AFTER (600 * SEC)

void tun_pathmtu_reset(struct tunnel_peer *p)
{
	uint32_t id = p->mtu.id;

	p->mtu = (struct tun_pathmtu){
		.works = TUNNEL_DATAGRAM_BASE,
		.limit = p->t->cfg.datagram_max,
		.id = id,
		.due = p->t->now,
	};
}

static void send_probe(struct tunnel_peer *p, uint32_t len)
{
	struct tun_pathmtu *m = &p->mtu;

	m->probe = len;
	m->tries++;
	m->due = p->t->now + tun_peer_patience(p) + 50 * MSEC;
	tun_session_control(p, IN_PROBE, ++m->id, len);
}

static void search_again(struct tunnel_peer *p)
{
	struct tun_pathmtu *m = &p->mtu;

	m->limit = p->t->cfg.datagram_max;
	m->searched_at = p->t->now;
}

/* The path did not take it, as it seems. */
static void gave_up(struct tunnel_peer *p)
{
	struct tun_pathmtu *m = &p->mtu;

	if (m->checking) {
		m->works = TUNNEL_DATAGRAM_BASE;
		search_again(p);
		tun_say(p->t, p, TUNNEL_ROOM);
	} else {
		m->limit = m->probe - 1;
	}
	m->checking = false;
	m->probe = 0;
	m->tries = 0;
}

static bool searching(const struct tun_pathmtu *m)
{
	return m->limit >= m->works + CLOSE_ENOUGH ||
	       (m->works == TUNNEL_DATAGRAM_BASE && m->limit > m->works);
}

static void next_step(struct tunnel_peer *p)
{
	struct tun_pathmtu *m = &p->mtu;
	uint64_t now = p->t->now;

	if (searching(m)) {
		bool first = m->limit == p->t->cfg.datagram_max;

		if (first)
			m->searched_at = now;
		send_probe(p, first ? m->limit : (m->works + m->limit + 1) / 2);
	} else if (m->used && now - m->checked_at >= p->t->cfg.probe_again) {
		m->used = false;
		m->checked_at = now;
		if (now - m->searched_at >= WIDER_AFTER)
			search_again(p);
		m->checking = true;
		send_probe(p, m->works);
	} else {
		m->due = m->used ? m->checked_at + p->t->cfg.probe_again
				 : TUNNEL_NEVER;
	}
}

void tun_pathmtu_run(struct tunnel_peer *p)
{
	struct tun_pathmtu *m = &p->mtu;

	if (p->t->now < m->due || !p->alive || !tun_session_usable(p, p->cur))
		return;
	if (m->probe) {
		if (m->tries < TRIES) {
			send_probe(p, m->probe);
			return;
		}
		gave_up(p);
	}
	next_step(p);
}

void tun_pathmtu_probed(struct tunnel_peer *p, uint32_t id)
{
	struct tun_pathmtu *m = &p->mtu;

	if (!m->probe || id != m->id)
		return;
	if (m->probe > m->works) {
		m->works = m->probe;
		tun_say(p->t, p, TUNNEL_ROOM);
	}
	m->checked_at = p->t->now;
	m->checking = false;
	m->probe = 0;
	m->tries = 0;
	next_step(p);
}

void tunnel_peer_too_long(struct tunnel_peer *p, size_t len, uint64_t now)
{
	struct tun_pathmtu *m = &p->mtu;

	if (p->t->busy)
		return;
	tun_clock(p->t, now);
	if (len < TUNNEL_DATAGRAM_BASE)
		len = TUNNEL_DATAGRAM_BASE;
	if (len >= m->works && len < m->limit) {
		/* The search goes on below it. */
		m->limit = (uint32_t)len;
		if (m->probe > len) {
			m->probe = 0;
			m->tries = 0;
			m->due = p->t->now;
		}
	} else if (len < m->works && !m->probe) {
		m->checking = true;
		m->tries = 0;
		m->probe = m->works;
		m->due = p->t->now;
	}
	tun_peer_schedule(p);
}
