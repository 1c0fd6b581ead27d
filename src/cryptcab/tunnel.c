/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel - configuration, the way of a datagram to who understands it, names
 *
 * tunnel_impl.h says which file does what. All that a caller may do runs
 * through tun_clock() first, so that inside there is one time and it never
 * goes back.
 */
#include "cryptcab/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cryptcab/tunnel_impl.h"

static const char *const event_names[] = {
	[TUNNEL_UP] = "up",	      [TUNNEL_REKEYED] = "rekeyed",
	[TUNNEL_DOWN] = "down",	      [TUNNEL_NO_ANSWER] = "no_answer",
	[TUNNEL_ROAMED] = "roamed",   [TUNNEL_ROOM] = "room",
	[TUNNEL_REFUSED] = "refused", [TUNNEL_STRANGER] = "stranger",
};
static_assert(ARRAY_SIZE(event_names) == TUNNEL_N_EVENTS,
	      "an event has no name");

static const char *const count_names[] = {
	[TUNNEL_TAKEN] = "taken",
	[TUNNEL_RX_FRAMES] = "rx_frames",
	[TUNNEL_RX_BYTES] = "rx_bytes",
	[TUNNEL_TX_FRAMES] = "tx_frames",
	[TUNNEL_TX_BYTES] = "tx_bytes",
	[TUNNEL_SESSIONS] = "sessions",
	[TUNNEL_COOKIES] = "cookies",
	[TUNNEL_BAD_LENGTH] = "bad_length",
	[TUNNEL_BAD_TYPE] = "bad_type",
	[TUNNEL_BAD_MAC] = "bad_mac",
	[TUNNEL_BAD_COOKIE] = "bad_cookie",
	[TUNNEL_OVERLOAD] = "overload",
	[TUNNEL_TOO_OFTEN] = "too_often",
	[TUNNEL_BAD_HANDSHAKE] = "bad_handshake",
	[TUNNEL_UNKNOWN] = "unknown",
	[TUNNEL_STALE] = "stale",
	[TUNNEL_NO_SESSION] = "no_session",
	[TUNNEL_EXPIRED] = "expired",
	[TUNNEL_FORGED] = "forged",
	[TUNNEL_REPLAYED] = "replayed",
	[TUNNEL_TOO_OLD] = "too_old",
	[TUNNEL_BAD_MESSAGE] = "bad_message",
	[TUNNEL_BAD_FRAGMENT] = "bad_fragment",
	[TUNNEL_INCOMPLETE] = "incomplete",
	[TUNNEL_TX_NO_SESSION] = "tx_no_session",
	[TUNNEL_TX_TOO_LONG] = "tx_too_long",
};
static_assert(ARRAY_SIZE(count_names) == TUNNEL_N_COUNTS,
	      "a counter has no name");

const char *tunnel_event_name(enum tunnel_event ev)
{
	return event_names[ev];
}

const char *tunnel_count_name(enum tunnel_count c)
{
	return count_names[c];
}

void tun_clock(struct tunnel *t, uint64_t now)
{
	t->now = max_u64(t->now, now);
}

enum tunnel_count tun_count(struct tunnel *t, struct tunnel_peer *p,
			    enum tunnel_count c)
{
	t->counts[c]++;
	if (p)
		p->counts[c]++;
	return c;
}

void tun_random(struct tunnel *t, void *p, size_t len)
{
	t->busy++;
	t->cfg.ops->random(t->cfg.ctx, p, len);
	t->busy--;
}

uint32_t tun_random32(struct tunnel *t)
{
	uint32_t v;

	tun_random(t, &v, sizeof(v));
	return v;
}

void tun_say(struct tunnel *t, struct tunnel_peer *p, enum tunnel_event ev)
{
	t->busy++;
	t->cfg.ops->event(t->cfg.ctx, p, ev, p->key, &p->addr);
	t->busy--;
}

void tun_send(struct tunnel *t, const struct tunnel_addr *to, const uint8_t *p,
	      size_t len, bool probe)
{
	t->busy++;
	t->cfg.ops->send(t->cfg.ctx, to, p, len, probe);
	t->busy--;
}

void tun_put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void tun_put_be64(uint8_t *p, uint64_t v)
{
	tun_put_be32(p, (uint32_t)(v >> 32));
	tun_put_be32(p + 4, (uint32_t)v);
}

uint32_t tun_get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

uint64_t tun_get_be64(const uint8_t *p)
{
	return (uint64_t)tun_get_be32(p) << 32 | tun_get_be32(p + 4);
}

/* --- configuration -------------------------------------------------------- */

static void *plain_alloc(size_t size)
{
	return malloc(size);
}

static void plain_free(void *p)
{
	free(p);
}

void tunnel_defaults(struct tunnel_config *c)
{
	*c = (struct tunnel_config){
		.alloc = plain_alloc,
		.free = plain_free,
		.ciphers = 1U << AEAD_CHACHAPOLY | 1U << AEAD_AESGCM,
		.max_peers = 4096,
		.datagram_max = 1472,
		.frame_max = 9216 + 18,
		.partial_max = 64,
		.rekey_after = 120 * SEC,
		.reject_after = 180 * SEC,
		.rekey_packets = UINT64_C(1) << 28,
		.reject_packets = UINT64_C(1) << 29,
		.retry_min = 250 * MSEC,
		.retry_max = 5 * SEC,
		.keepalive = 25 * SEC,
		.quiet_after = 250 * MSEC,
		.ping_min = 100 * MSEC,
		.ping_max = SEC,
		.dead_pings = 5,
		.probe_again = 10 * SEC,
		.handshake_rate = 500,
		.host_rate = 200,
		.cookie_rate = 20000,
	};
}

static bool makes_sense(const struct tunnel_config *c)
{
	return c->ops && c->key && !sodium_is_zero(c->key, TUNNEL_KEY_LEN) &&
	       c->alloc && c->free && c->max_peers && c->max_peers <= 1 << 18 &&
	       c->datagram_max >= TUNNEL_DATAGRAM_BASE &&
	       c->datagram_max <= TUNNEL_DATAGRAM_MAX &&
	       c->frame_max >= TUNNEL_FRAME_MIN &&
	       c->frame_max <= TUNNEL_FRAME_MAX && c->partial_max &&
	       c->partial_max <= 4096 && c->pad <= TUNNEL_DATAGRAM_BASE &&
	       c->rekey_after && c->reject_after > c->rekey_after &&
	       c->rekey_packets && c->reject_packets > c->rekey_packets &&
	       c->retry_min && c->retry_max >= c->retry_min && c->quiet_after &&
	       c->ping_min && c->ping_max >= c->ping_min && c->dead_pings &&
	       c->handshake_rate && c->host_rate && c->cookie_rate &&
	       c->probe_again;
}

static bool make_tables(struct tunnel *t)
{
	uint32_t i;

	t->n_buckets = 16;
	while (t->n_buckets < t->cfg.max_peers)
		t->n_buckets *= 2;
	t->buckets = calloc(t->n_buckets, sizeof(t->buckets[0]));
	t->heap = calloc(t->cfg.max_peers, sizeof(struct tunnel_peer *));
	t->partials = calloc(t->cfg.partial_max, sizeof(t->partials[0]));
	t->scratch = calloc(1, t->cfg.datagram_max);
	if (!t->buckets || !t->heap || !t->partials || !t->scratch)
		return false;
	for (i = 0; i < t->n_buckets; i++)
		list_init(&t->buckets[i]);
	return true;
}

static size_t whole_lines(size_t size)
{
	return (size + 63) / 64 * 64;
}

int tunnel_new(struct tunnel **out, const struct tunnel_config *cfg)
{
	struct tunnel *t;
	uint32_t i;

	*out = NULL;
	if (!makes_sense(cfg))
		return -EINVAL;
	t = cfg->alloc(whole_lines(sizeof(*t)));
	if (!t)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->cfg = *cfg;
	for (i = 0; i < 32; i++)
		if (i >= AEAD_N_CIPHERS || !aead_available((enum aead_cipher)i))
			t->cfg.ciphers &= ~(UINT32_C(1) << i);
	memcpy(t->key, cfg->key, TUNNEL_KEY_LEN);
	t->cfg.key = t->key;
	if (!t->cfg.ciphers || !noise_public(t->pub, t->key)) {
		tunnel_free(t);
		return -EINVAL;
	}
	if (!make_tables(t)) {
		tunnel_free(t);
		return -ENOMEM;
	}
	tun_guard_init(t);
	*out = t;
	return 0;
}

void tunnel_free(struct tunnel *t)
{
	void (*release)(void *);
	uint32_t i;

	if (!t)
		return;
	while (t->n_peers)
		tunnel_peer_del(t->heap[0]);
	for (i = 0; t->partials && i < t->cfg.partial_max; i++)
		free(t->partials[i].buf);
	free(t->partials);
	free(t->scratch);
	free(t->buckets);
	free(t->heap);
	free(t->indices);
	release = t->cfg.free;
	sodium_memzero(t, sizeof(*t));
	release(t);
}

const uint64_t *tunnel_counts(const struct tunnel *t)
{
	return t->counts;
}

/* --- datagrams ------------------------------------------------------------ */

enum tunnel_count tunnel_recv(struct tunnel *t, const struct tunnel_addr *from,
			      uint8_t *buf, size_t len, uint8_t tos,
			      uint64_t now)
{
	tun_clock(t, now);
	if (len < 4)
		return tun_count(t, NULL, TUNNEL_BAD_LENGTH);
	if (buf[0] == MSG_DATA && !buf[1] && !buf[2] && !buf[3])
		return tun_data_recv(t, from, buf, len, tos);
	if (buf[1] != VERSION || buf[2] || buf[3])
		return tun_count(t, NULL, TUNNEL_BAD_TYPE);
	switch (buf[0]) {
	case MSG_INIT:
		return tun_init_recv(t, from, buf, len);
	case MSG_RESPONSE:
		return tun_response_recv(t, from, buf, len);
	case MSG_COOKIE:
		return tun_cookie_recv(t, buf, len);
	default:
		return tun_count(t, NULL, TUNNEL_BAD_TYPE);
	}
}

/* --- time ----------------------------------------------------------------- */

uint64_t tunnel_next(const struct tunnel *t)
{
	return t->n_peers ? t->heap[0]->due : TUNNEL_NEVER;
}

void tunnel_tick(struct tunnel *t, uint64_t now)
{
	struct tunnel_peer *p;

	tun_clock(t, now);
	while (t->n_peers && t->heap[0]->due <= t->now) {
		p = t->heap[0];
		tun_peer_run(p);
		/* What is still due then is due next time: no loop here. */
		if (p->due <= t->now)
			tun_peer_set_due(p, t->now + MSEC);
	}
}
