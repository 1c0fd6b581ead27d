/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cookie - who is worth a multiplication on the curve
 *
 * Every handshake message ends with two MACs. mac1 is keyed with the public
 * key of who is to read it: strangers who do not know that get no answer, and
 * cost one hash. mac2 is keyed with a cookie, which is a MAC of the sender's
 * address under a secret that changes every two minutes: nothing is kept for
 * those who ask. As long as few handshakes come, mac2 may be zero; when there
 * are more than handshake_rate, such a message is answered with the cookie,
 * sealed for who made it, and nothing else is done. Who has one counts against
 * the rate of his host then. Replies to addresses that no peer was seen at have a
 * rate of their own, so that a flood does not make us one.
 *
 * A mac2 that is neither zero nor right is refused also when idle: its cookie
 * is too old, or of another address, and the reply has a new one.
 */
#include <string.h>

#include "base/hash.h"
#include "cryptcab/tunnel_impl.h"

static const uint8_t label_mac1[] = "vde_cryptcab mac1";
static const uint8_t label_cookie[] = "vde_cryptcab cookie";

static void blake(uint8_t *out, size_t out_len, const uint8_t *key,
		  size_t key_len, const uint8_t *p, size_t len)
{
	crypto_generichash_blake2b(out, out_len, p, len, key, key_len);
}

/* A key of its own for each use of a public key. */
static void label_key(uint8_t out[static 32], const uint8_t *label, size_t len,
		      const uint8_t pub[static TUNNEL_KEY_LEN])
{
	crypto_generichash_blake2b_state st;

	crypto_generichash_blake2b_init(&st, NULL, 0, 32);
	crypto_generichash_blake2b_update(&st, label, len);
	crypto_generichash_blake2b_update(&st, pub, TUNNEL_KEY_LEN);
	crypto_generichash_blake2b_final(&st, out, 32);
}

void tun_guard_init(struct tunnel *t)
{
	struct tun_guard *g = &t->guard;

	tun_random(t, g->hash_key, sizeof(g->hash_key));
	tun_random(t, g->secret, sizeof(g->secret));
	label_key(g->mac1_key, label_mac1, sizeof(label_mac1) - 1, t->pub);
	label_key(g->cookie_key, label_cookie, sizeof(label_cookie) - 1,
		  t->pub);
}

/* Takes one of @rate a second, of which @burst may be saved. */
static bool take_token(struct tun_bucket *b, uint64_t now, uint32_t rate,
		       uint32_t burst)
{
	uint64_t price = SEC / rate, full = price * burst;

	if (!b->at)
		b->tokens = full;
	else
		b->tokens = min_u64(full, b->tokens + (now - b->at));
	b->at = max_u64(now, 1);
	if (b->tokens < price)
		return false;
	b->tokens -= price;
	return true;
}

static uint64_t addr_hash(const struct tunnel *t, const uint8_t *p, size_t len)
{
	return hash_bytes(p, len, t->guard.hash_key);
}

void tun_guard_know(struct tunnel *t, const struct tunnel_addr *addr)
{
	uint64_t h = addr_hash(t, addr->b, addr->len);

	t->guard.known[h % KNOWN] = (uint32_t)(h >> 32);
}

static bool is_known(const struct tunnel *t, const struct tunnel_addr *addr)
{
	uint64_t h = addr_hash(t, addr->b, addr->len);

	return t->guard.known[h % KNOWN] == (uint32_t)(h >> 32);
}

static void renew_secret(struct tunnel *t)
{
	struct tun_guard *g = &t->guard;

	if (t->now - g->secret_at < COOKIE_LIFE)
		return;
	memcpy(g->secret[1], g->secret[0], sizeof(g->secret[0]));
	/* After a long time without handshakes the last one is old, too. */
	if (t->now - g->secret_at >= 2 * COOKIE_LIFE)
		tun_random(t, g->secret[1], sizeof(g->secret[1]));
	tun_random(t, g->secret[0], sizeof(g->secret[0]));
	g->secret_at = t->now;
}

static void make_cookie(const struct tunnel *t, int which,
			const struct tunnel_addr *from,
			uint8_t cookie[static MAC_LEN])
{
	blake(cookie, MAC_LEN, t->guard.secret[which], 32, from->b, from->len);
}

static bool right_cookie(struct tunnel *t, const struct tunnel_addr *from,
			 const uint8_t *msg, size_t len)
{
	uint8_t cookie[MAC_LEN], mac[MAC_LEN];
	bool ok = false;

	for (int i = 0; i < 2; i++) {
		make_cookie(t, i, from, cookie);
		blake(mac, MAC_LEN, cookie, MAC_LEN, msg, len - MAC_LEN);
		ok |= sodium_memcmp(mac, msg + len - MAC_LEN, MAC_LEN) == 0;
	}
	sodium_memzero(cookie, sizeof(cookie));
	return ok;
}

static void reply(struct tunnel *t, const struct tunnel_addr *from,
		  const uint8_t *mac1, uint32_t index)
{
	struct tun_guard *g = &t->guard;
	uint8_t msg[COOKIE_LEN] = { MSG_COOKIE, VERSION }, cookie[MAC_LEN];
	uint8_t *nonce = msg + COOKIE_HEAD;

	if (!is_known(t, from) &&
	    !take_token(&g->replies, t->now, t->cfg.cookie_rate,
			t->cfg.cookie_rate / 20 + 1))
		return;
	tun_put_be32(msg + 4, index);
	tun_random(t, nonce, COOKIE_NONCE);
	make_cookie(t, 0, from, cookie);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		nonce + COOKIE_NONCE, NULL, cookie, MAC_LEN, mac1, MAC_LEN,
		NULL, nonce, g->cookie_key);
	sodium_memzero(cookie, sizeof(cookie));
	tun_count(t, NULL, TUNNEL_COOKIES);
	tun_send(t, from, msg, sizeof(msg), false);
}

enum tunnel_count tun_guard_admit(struct tunnel *t,
				  const struct tunnel_addr *from,
				  const uint8_t *msg, size_t len,
				  uint32_t index)
{
	const uint8_t *mac2 = msg + len - MAC_LEN, *mac1 = mac2 - MAC_LEN;
	struct tun_guard *g = &t->guard;
	uint8_t mac[MAC_LEN];
	uint64_t host;

	blake(mac, MAC_LEN, g->mac1_key, 32, msg, len - 2 * (size_t)MAC_LEN);
	if (sodium_memcmp(mac, mac1, MAC_LEN) != 0)
		return TUNNEL_BAD_MAC;
	renew_secret(t);
	if (sodium_is_zero(mac2, MAC_LEN)) {
		if (take_token(&g->handshakes, t->now, t->cfg.handshake_rate,
			       t->cfg.handshake_rate))
			return TUNNEL_TAKEN;
		reply(t, from, mac1, index);
		return TUNNEL_OVERLOAD;
	}
	if (!right_cookie(t, from, msg, len)) {
		reply(t, from, mac1, index);
		return TUNNEL_BAD_COOKIE;
	}
	if (take_token(&g->handshakes, t->now, t->cfg.handshake_rate,
		       t->cfg.handshake_rate))
		return TUNNEL_TAKEN;
	host = addr_hash(t, from->b, size_min(from->host_len, from->len));
	if (!take_token(&g->host[host % HOSTS], t->now, t->cfg.host_rate,
			t->cfg.host_rate))
		return TUNNEL_TOO_OFTEN;
	return TUNNEL_TAKEN;
}

static void sign_mac2(const struct tunnel_peer *p, uint8_t *msg, size_t len)
{
	uint8_t *mac2 = msg + len - MAC_LEN;

	memset(mac2, 0, MAC_LEN);
	if (p->has_cookie && p->t->now - p->cookie_at < COOKIE_LIFE)
		blake(mac2, MAC_LEN, p->cookie, MAC_LEN, msg, len - MAC_LEN);
}

void tun_guard_sign(struct tunnel_peer *p, uint8_t *msg, size_t len,
		    uint32_t index)
{
	uint8_t *mac1 = msg + len - 2 * (size_t)MAC_LEN, key[32];

	label_key(key, label_mac1, sizeof(label_mac1) - 1, p->key);
	blake(mac1, MAC_LEN, key, sizeof(key), msg, len - 2 * (size_t)MAC_LEN);
	memcpy(p->mac1, mac1, MAC_LEN);
	p->mac1_index = index;
	sign_mac2(p, msg, len);
}

enum tunnel_count tun_cookie_recv(struct tunnel *t, const uint8_t *msg,
				  size_t len)
{
	const uint8_t *nonce = msg + COOKIE_HEAD;
	uint8_t key[32], cookie[MAC_LEN];
	struct tunnel_peer *p;
	uint32_t index;

	if (len != COOKIE_LEN)
		return tun_count(t, NULL, TUNNEL_BAD_LENGTH);
	index = tun_get_be32(msg + 4);
	p = tun_peer_of_index(t, index);
	if (!p || p->mac1_index != index)
		return tun_count(t, p, TUNNEL_NO_SESSION);
	label_key(key, label_cookie, sizeof(label_cookie) - 1, p->key);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    cookie, NULL, NULL, nonce + COOKIE_NONCE, MAC_LEN + 16,
		    p->mac1, MAC_LEN, nonce, key) != 0)
		return tun_count(t, p, TUNNEL_FORGED);
	memcpy(p->cookie, cookie, MAC_LEN);
	p->has_cookie = true;
	p->cookie_at = t->now;
	/* One reply for each message that was answered. */
	p->mac1_index = 0;
	/* Nobody has worked at that one: say it again, with the cookie. */
	if (p->hs.pending && p->hs.local == index && !p->hs.cookie_used) {
		p->hs.cookie_used = true;
		sign_mac2(p, p->hs.msg, INIT_LEN);
		tun_send(t, &p->addr, p->hs.msg, INIT_LEN, false);
	}
	return tun_count(t, p, TUNNEL_TAKEN);
}
