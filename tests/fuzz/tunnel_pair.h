/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_pair - two tunnels with fixed keys and random numbers, and what they
 * said
 *
 * What a side sends is kept in pair.said[] until somebody gives it to the
 * other one, so that a fuzzer has authentic messages to change. Frames that
 * come out must be whole.
 */
#ifndef FUZZ_TUNNEL_PAIR_H
#define FUZZ_TUNNEL_PAIR_H

#include <string.h>

#include "base/rng.h"
#include "base/util.h"
#include "cryptcab/tunnel_impl.h"
#include "input.h"

#define SAID_MAX 32
#define SAID_LEN 1500

struct pair_side {
	struct tunnel *t;
	struct tunnel_peer *peer;
	struct tunnel_addr addr;
	uint8_t key[32], pub[32];
	uint64_t frames;
};

static struct {
	uint64_t now;
	struct rng rng;
	struct pair_side side[2];
	struct {
		int from;
		size_t len;
		uint8_t p[SAID_LEN];
	} said[SAID_MAX];
	int n;
	bool any_frame; /* whatever comes out is fine */
} pair;

static void pair_random(void *ctx, void *p, size_t len)
{
	uint8_t *b = p;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)rng_u64(&pair.rng);
}

static void pair_say(int from, const uint8_t *p, size_t len)
{
	int at = pair.n % SAID_MAX;

	if (len > SAID_LEN)
		return;
	pair.said[at].from = from;
	pair.said[at].len = len;
	memcpy(pair.said[at].p, p, len);
	pair.n++;
}

static void pair_send(void *ctx, const struct tunnel_addr *to, const uint8_t *p,
		      size_t len, bool probe)
{
	struct pair_side *s = ctx;

	(void)to;
	(void)probe;
	pair_say((int)(s - pair.side), p, len);
}

/* A frame's bytes follow from who sent it and from its length. */
static void pair_frame(void *ctx, struct tunnel_peer *p, uint8_t *frame,
		       size_t len, const struct tunnel_meta *meta)
{
	struct pair_side *s = ctx;
	int from = !(s - pair.side);

	must(p == s->peer);
	must(len >= TUNNEL_FRAME_MIN && len <= p->t->cfg.frame_max);
	for (size_t i = 0; i < len && !pair.any_frame; i++)
		must(frame[i] == (uint8_t)(from + len + i * 3));
	must(pair.any_frame || meta->tos == (uint8_t)len);
	memset(frame - TUNNEL_HEAD, 0, TUNNEL_HEAD);
	s->frames++;
}

static void pair_event(void *ctx, struct tunnel_peer *p, enum tunnel_event ev,
		       const uint8_t key[static TUNNEL_KEY_LEN],
		       const struct tunnel_addr *addr)
{
	(void)ctx;
	(void)p;
	(void)key;
	(void)addr;
	must(tunnel_event_name(ev) != NULL);
}

static const struct tunnel_ops pair_ops = {
	.random = pair_random,
	.send = pair_send,
	.frame = pair_frame,
	.event = pair_event,
};

static void pair_open(int i, uint32_t options)
{
	struct pair_side *s = &pair.side[i];
	struct tunnel_config c;

	memset(s->key, 0x30 + i, sizeof(s->key));
	must(noise_public(s->pub, s->key));
	s->addr = (struct tunnel_addr){ 2, 1, { (uint8_t)i, 7 } };
	tunnel_defaults(&c);
	c.ops = &pair_ops;
	c.ctx = s;
	c.key = s->key;
	c.max_peers = 4;
	c.partial_max = 4;
	c.stamp_base = SEC;
	if (options & 1)
		c.ciphers = 1U << AEAD_CHACHAPOLY;
	if (options & 2)
		c.pad = 128;
	if (options & 4)
		c.handshake_rate = 2;
	must(tunnel_new(&s->t, &c) == 0);
}

static void pair_begin(uint32_t options)
{
	must(sodium_init() >= 0);
	memset(&pair, 0, sizeof(pair));
	rng_init(&pair.rng, 1);
	pair.now = 1000 * SEC;
	for (int i = 0; i < 2; i++)
		pair_open(i, options);
	for (int i = 1; i >= 0; i--) {
		const struct tunnel_peer_config pc = {
			.key = pair.side[!i].pub,
			.active = i == 0 || (options & 8),
			.addr = i == 0 || (options & 8) ? &pair.side[!i].addr
							: NULL,
		};

		must(tunnel_peer_add(pair.side[i].t, &pc, pair.now,
				     &pair.side[i].peer) == 0);
	}
}

static void pair_end(void)
{
	tunnel_free(pair.side[0].t);
	tunnel_free(pair.side[1].t);
}

/* A copy of exactly that length, so that a sanitizer sees both ends. */
static enum tunnel_count pair_give(int to, const struct tunnel_addr *from,
				   const uint8_t *p, size_t len)
{
	uint8_t *buf = malloc(len ? len : 1);
	enum tunnel_count what;

	must(buf != NULL);
	memcpy(buf, p, len);
	what = tunnel_recv(pair.side[to].t, from, buf, len, 0, pair.now);
	free(buf);
	return what;
}

static void pair_tick(uint64_t ns)
{
	pair.now += ns;
	tunnel_tick(pair.side[0].t, pair.now);
	tunnel_tick(pair.side[1].t, pair.now);
	must(tunnel_next(pair.side[0].t) > pair.now);
	must(tunnel_next(pair.side[1].t) > pair.now);
}

/* All that is said arrives, until nothing is. */
static void pair_talk(void)
{
	int i = 0;

	pair_tick(0);
	for (; i < pair.n && i < 100; i++) {
		int at = i % SAID_MAX, from = pair.said[at].from;
		uint8_t copy[SAID_LEN];
		size_t len = pair.said[at].len;

		memcpy(copy, pair.said[at].p, len);
		pair_give(!from, &pair.side[from].addr, copy, len);
	}
}

#endif
