/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handshake - two messages of Noise IKpsk2, and the sessions that they make
 *
 * A caller sends INIT and repeats it, each time a new one, until a RESPONSE
 * comes. Who is called keeps nothing of an INIT but one unconfirmed session for
 * each peer, and sends nothing in it, nor believes the address, until the
 * first DATA proves that the caller has the keys: an INIT may be somebody's
 * copy. Its stamp must be newer than that of the last session that was
 * confirmed, and of one that still may be: who has only one of the two secrets
 * of a peer does not keep its owner out. A caller whose clock went back is told
 * so, in a RESPONSE that only he can read.
 *
 * A peer has up to three sessions:
 *
 *   cur    sends and receives
 *   prev   receives what was under way when cur came; nothing is sent
 *   next   of an INIT, unconfirmed: its first DATA makes it cur
 */
#include <string.h>

#include "cryptcab/tunnel_impl.h"

#define PROTOCOL "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"
#define STALE_EVERY SEC
#define INIT_EVERY (20 * MSEC)
#define AGAIN_AFTER (50 * MSEC)
#define CONFIRMED_BY (5 * SEC)

static const uint8_t label[12] = { 'v', 'd', 'e', '_', 'c', 'r',
				   'y', 'p', 't', 'c', 'a', 'b' };

enum status {
	ST_OK,
	ST_STALE,
	ST_NO_CIPHER
};

struct answer {
	uint64_t stamp;
	uint8_t status, cipher;
	uint32_t index;
};

/* Both sides' handshakes hash the name of this protocol and INIT's head. */
static int begin(struct tunnel *t, struct noise *ns, bool initiator,
		 const uint8_t *rs, const uint8_t *psk, const uint8_t *head)
{
	uint8_t prologue[sizeof(label) + INIT_HEAD];
	const struct noise_params pr = {
		.name = PROTOCOL,
		.initiator = initiator,
		.prologue = prologue,
		.prologue_len = sizeof(prologue),
		.s = t->key,
		.s_pub = t->pub,
		.rs = rs,
		.psk = psk,
	};

	memcpy(prologue, label, sizeof(label));
	memcpy(prologue + sizeof(label), head, INIT_HEAD);
	return noise_init(ns, &pr);
}

static void fresh_ephemeral(struct tunnel *t, struct noise *ns)
{
	uint8_t e[NOISE_KEY_LEN];

	tun_random(t, e, sizeof(e));
	noise_set_ephemeral(ns, e);
	sodium_memzero(e, sizeof(e));
}

/* --- sessions ------------------------------------------------------------- */

void tun_session_clear(struct tunnel_peer *p, struct tun_session *s)
{
	if (!s->live)
		return;
	tun_fragments_forget(p, s->local);
	tun_index_free(p->t, s->local);
	sodium_memzero(s, sizeof(*s));
}

/* @s is clear; @local becomes its own. */
static void session_make(struct tunnel_peer *p, struct tun_session *s,
			 const struct noise *ns, enum aead_cipher cipher,
			 uint32_t local, uint32_t remote)
{
	uint8_t tx[AEAD_KEY_LEN], rx[AEAD_KEY_LEN];

	noise_split(ns, tx, rx);
	aead_init(&s->tx, cipher, tx);
	aead_init(&s->rx, cipher, rx);
	sodium_memzero(tx, sizeof(tx));
	sodium_memzero(rx, sizeof(rx));
	s->live = true;
	s->initiator = ns->initiator;
	s->local = local;
	s->remote = remote;
	s->created = p->t->now;
}

static void session_began(struct tunnel_peer *p)
{
	bool was_alive = p->alive;

	p->alive = true;
	tun_peer_heard(p);
	tun_count(p->t, p, TUNNEL_SESSIONS);
	tun_say(p->t, p, was_alive ? TUNNEL_REKEYED : TUNNEL_UP);
}

void tun_session_promote(struct tunnel_peer *p)
{
	struct tun_session *s = p->prev;

	p->stamp_seen = p->next->stamp;
	tun_session_clear(p, s);
	p->prev = p->cur;
	p->cur = p->next;
	p->next = s;
	session_began(p);
}

/* --- INIT ----------------------------------------------------------------- */

void tun_handshake_stop(struct tunnel_peer *p)
{
	struct tun_handshake *hs = &p->hs;

	if (!hs->pending)
		return;
	tun_index_free(p->t, hs->local);
	noise_fini(&hs->noise);
	sodium_memzero(hs->msg, sizeof(hs->msg));
	hs->pending = hs->cookie_used = false;
	hs->local = 0;
}

/* Twice as long each time, up to retry_max, and up to a quarter more so that
 * those who lost the same server do not come back together. */
static uint64_t patience(struct tunnel_peer *p)
{
	const struct tunnel_config *c = &p->t->cfg;
	uint64_t ns = c->retry_min;
	int i;

	for (i = 0; i < p->hs.tries && ns < c->retry_max; i++)
		ns *= 2;
	ns = min_u64(ns, c->retry_max);
	return ns + (ns / 4 / 256) * (tun_random32(p->t) % 256);
}

static bool write_init(struct tunnel_peer *p, uint8_t *msg)
{
	uint8_t payload[PAYLOAD_LEN] = { 0 };
	struct tunnel *t = p->t;
	struct tun_handshake *hs = &p->hs;

	memset(msg, 0, INIT_LEN);
	msg[0] = MSG_INIT;
	msg[1] = VERSION;
	tun_put_be32(msg + 4, hs->local);
	if (begin(t, &hs->noise, true, p->key, p->psk, msg) < 0)
		return false;
	fresh_ephemeral(t, &hs->noise);
	p->stamp_sent = max_u64(p->stamp_sent + 1, t->cfg.stamp_base + t->now);
	tun_put_be64(payload, p->stamp_sent);
	tun_put_be32(payload + 8, t->cfg.ciphers);
	return noise_write(&hs->noise, payload, sizeof(payload),
			   msg + INIT_HEAD, INIT_LEN - INIT_HEAD) ==
	       INIT_LEN - INIT_HEAD - 2 * MAC_LEN;
}

void tun_handshake_start(struct tunnel_peer *p)
{
	struct tun_handshake *hs = &p->hs;

	tun_handshake_stop(p);
	hs->sent_at = p->t->now;
	hs->retry_at = hs->again_at = p->t->now + patience(p);
	if (hs->tries < UINT8_MAX)
		hs->tries++;
	hs->local = tun_index_new(p);
	if (!hs->local)
		return;
	hs->pending = true;
	if (!write_init(p, hs->msg)) {
		tun_handshake_stop(p);
		return;
	}
	tun_guard_sign(p, hs->msg, INIT_LEN, hs->local);
	tun_send(p->t, &p->addr, hs->msg, INIT_LEN, false);
}

/* --- what is answered to it ----------------------------------------------- */

static void write_response(struct tunnel_peer *p, struct noise *ns,
			   const struct tunnel_addr *to, uint32_t remote,
			   const struct answer *an)
{
	uint8_t payload[PAYLOAD_LEN] = { 0 }, msg[RESPONSE_LEN] = { 0 };

	msg[0] = MSG_RESPONSE;
	msg[1] = VERSION;
	tun_put_be32(msg + 4, an->index);
	tun_put_be32(msg + 8, remote);
	tun_put_be64(payload, an->stamp);
	payload[8] = an->status;
	payload[9] = an->cipher;
	tun_put_be32(payload + 12, an->index);
	noise_set_psk(ns, p->psk);
	fresh_ephemeral(p->t, ns);
	if (noise_write(ns, payload, sizeof(payload), msg + RESPONSE_HEAD,
			RESPONSE_LEN - RESPONSE_HEAD) < 0)
		return;
	tun_guard_sign(p, msg, RESPONSE_LEN, an->index);
	tun_send(p->t, to, msg, RESPONSE_LEN, false);
}

static bool choose(uint32_t both, uint8_t *cipher)
{
	if (both & 1U << AEAD_AESGCM)
		*cipher = AEAD_AESGCM;
	else if (both & 1U << AEAD_CHACHAPOLY)
		*cipher = AEAD_CHACHAPOLY;
	else
		return false;
	return true;
}

static uint64_t last_stamp(const struct tunnel_peer *p)
{
	const struct tun_session *s = p->next;

	if (s->live && p->t->now - s->created < CONFIRMED_BY)
		return max_u64(s->stamp, p->stamp_seen);
	return p->stamp_seen;
}

/* An INIT that is older than one we had. A copy of the last gets no answer,
 * any other one says what would be new enough. */
static enum tunnel_count stale(struct tunnel_peer *p, struct noise *ns,
			       const struct tunnel_addr *from, uint32_t remote,
			       uint64_t stamp)
{
	struct answer an = { .stamp = last_stamp(p), .status = ST_STALE };

	if (stamp != an.stamp &&
	    (!p->stale_at || p->t->now - p->stale_at >= STALE_EVERY)) {
		p->stale_at = max_u64(p->t->now, 1);
		write_response(p, ns, from, remote, &an);
	}
	return tun_count(p->t, p, TUNNEL_STALE);
}

static enum tunnel_count init_of_peer(struct tunnel_peer *p, struct noise *ns,
				      const struct tunnel_addr *from,
				      const uint8_t *msg,
				      const uint8_t *payload)
{
	uint64_t stamp = tun_get_be64(payload);
	uint32_t remote = tun_get_be32(msg + 4);
	struct tunnel *t = p->t;
	struct answer an = { 0 };

	if (p->init_at && t->now - p->init_at < INIT_EVERY)
		return tun_count(t, p, TUNNEL_TOO_OFTEN);
	p->init_at = max_u64(t->now, 1);
	if (stamp <= last_stamp(p))
		return stale(p, ns, from, remote, stamp);
	if (!choose(tun_get_be32(payload + 8) & t->cfg.ciphers, &an.cipher)) {
		an.status = ST_NO_CIPHER;
		write_response(p, ns, from, remote, &an);
		tun_say(t, p, TUNNEL_REFUSED);
		return tun_count(t, p, TUNNEL_BAD_HANDSHAKE);
	}
	tun_session_clear(p, p->next);
	an.index = tun_index_new(p);
	if (!an.index)
		return tun_count(t, p, TUNNEL_BAD_HANDSHAKE);
	write_response(p, ns, from, remote, &an);
	if (!noise_done(ns)) {
		tun_index_free(t, an.index);
		return tun_count(t, p, TUNNEL_BAD_HANDSHAKE);
	}
	session_make(p, p->next, ns, (enum aead_cipher)an.cipher, an.index,
		     remote);
	p->next->stamp = stamp;
	tun_peer_schedule(p);
	return tun_count(t, p, TUNNEL_TAKEN);
}

static void stranger(struct tunnel *t, const struct noise *ns,
		     const struct tunnel_addr *from)
{
	t->busy++;
	t->cfg.ops->event(t->cfg.ctx, NULL, TUNNEL_STRANGER, noise_remote(ns),
			  from);
	t->busy--;
}

enum tunnel_count tun_init_recv(struct tunnel *t,
				const struct tunnel_addr *from,
				const uint8_t *msg, size_t len)
{
	uint8_t payload[PAYLOAD_LEN];
	enum tunnel_count what;
	struct tunnel_peer *p;
	struct noise ns;

	if (len != INIT_LEN)
		return tun_count(t, NULL, TUNNEL_BAD_LENGTH);
	what = tun_guard_admit(t, from, msg, len, tun_get_be32(msg + 4));
	if (what != TUNNEL_TAKEN)
		return tun_count(t, NULL, what);
	if (begin(t, &ns, false, NULL, NULL, msg) < 0 ||
	    noise_read(&ns, msg + INIT_HEAD, INIT_LEN - INIT_HEAD - 2 * MAC_LEN,
		       payload, sizeof(payload)) != PAYLOAD_LEN) {
		noise_fini(&ns);
		return tun_count(t, NULL, TUNNEL_BAD_HANDSHAKE);
	}
	p = tunnel_peer_find(t, noise_remote(&ns));
	if (p) {
		what = init_of_peer(p, &ns, from, msg, payload);
	} else {
		what = tun_count(t, NULL, TUNNEL_UNKNOWN);
		stranger(t, &ns, from);
	}
	noise_fini(&ns);
	return what;
}

/* --- RESPONSE ------------------------------------------------------------- */

static void take_over(struct tunnel_peer *p, const struct tunnel_addr *from,
		      const struct answer *an)
{
	struct tun_handshake *hs = &p->hs;
	struct tun_session *s = p->prev;

	tun_session_clear(p, s);
	p->prev = p->cur;
	p->cur = s;
	session_make(p, s, &hs->noise, (enum aead_cipher)an->cipher, hs->local,
		     an->index);
	hs->local = 0; /* it is the session's now */
	tun_peer_rtt(p, p->t->now - hs->sent_at);
	tun_handshake_stop(p);
	hs->tries = 0;
	hs->again_at = 0;
	if (!p->fixed && !tun_same_addr(from, &p->addr)) {
		tun_peer_set_addr(p, from);
		tun_pathmtu_reset(p);
		tun_say(p->t, p, TUNNEL_ROAMED);
	}
	session_began(p);
	/* The other side waits for this: it proves that we have the keys. */
	tun_session_ping(p);
	tun_peer_schedule(p);
}

static enum tunnel_count answered(struct tunnel_peer *p,
				  const struct tunnel_addr *from,
				  const struct answer *an)
{
	struct tunnel *t = p->t;

	switch (an->status) {
	case ST_OK:
		if (an->cipher >= AEAD_N_CIPHERS || !an->index ||
		    !(t->cfg.ciphers >> an->cipher & 1))
			break;
		take_over(p, from, an);
		return tun_count(t, p, TUNNEL_TAKEN);
	case ST_STALE:
		tun_handshake_stop(p);
		p->stamp_sent = max_u64(p->stamp_sent, an->stamp);
		p->hs.again_at = t->now + AGAIN_AFTER;
		tun_peer_schedule(p);
		return tun_count(t, p, TUNNEL_TAKEN);
	case ST_NO_CIPHER:
		tun_handshake_stop(p);
		p->hs.again_at = t->now + t->cfg.retry_max;
		tun_peer_schedule(p);
		tun_say(t, p, TUNNEL_REFUSED);
		return tun_count(t, p, TUNNEL_TAKEN);
	default:
		break;
	}
	/* Authentic, and nonsense: the handshake is over, try another. */
	tun_handshake_stop(p);
	tun_peer_schedule(p);
	return tun_count(t, p, TUNNEL_BAD_HANDSHAKE);
}

enum tunnel_count tun_response_recv(struct tunnel *t,
				    const struct tunnel_addr *from,
				    const uint8_t *msg, size_t len)
{
	uint8_t payload[PAYLOAD_LEN];
	enum tunnel_count what;
	struct tunnel_peer *p;
	struct answer an;
	struct noise ns;
	uint32_t index;

	if (len != RESPONSE_LEN)
		return tun_count(t, NULL, TUNNEL_BAD_LENGTH);
	index = tun_get_be32(msg + 8);
	p = tun_peer_of_index(t, index);
	if (!p || !p->hs.pending || p->hs.local != index)
		return tun_count(t, p, TUNNEL_NO_SESSION);
	what = tun_guard_admit(t, from, msg, len, tun_get_be32(msg + 4));
	if (what != TUNNEL_TAKEN)
		return tun_count(t, p, what);
	/* On a copy: somebody may have changed the head of an authentic one,
	 * which must not end the handshake. */
	memcpy(&ns, &p->hs.noise, sizeof(ns));
	if (noise_read(&ns, msg + RESPONSE_HEAD,
		       RESPONSE_LEN - RESPONSE_HEAD - 2 * MAC_LEN, payload,
		       sizeof(payload)) != PAYLOAD_LEN ||
	    tun_get_be32(payload + 12) != tun_get_be32(msg + 4)) {
		noise_fini(&ns);
		return tun_count(t, p, TUNNEL_BAD_HANDSHAKE);
	}
	memcpy(&p->hs.noise, &ns, sizeof(ns));
	noise_fini(&ns);
	an = (struct answer){
		.stamp = tun_get_be64(payload),
		.status = payload[8],
		.cipher = payload[9],
		.index = tun_get_be32(payload + 12),
	};
	return answered(p, from, &an);
}
