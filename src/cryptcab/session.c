/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session - DATA: frames and control messages under the keys of a session
 *
 *   head (16, authenticated): type, zeros, index of the receiver, counter
 *   sealed: kind, tos, length (2), that many bytes, zeros of padding; tag (16)
 *
 * All is done in place: TUNNEL_HEAD in front of a frame becomes both heads,
 * the tag goes behind it. An address is believed when it sent the newest
 * counter of the current session, not before and not for an old one.
 */
#include <errno.h>
#include <string.h>

#include "cryptcab/tunnel_impl.h"

/* --- sending -------------------------------------------------------------- */

bool tun_session_usable(const struct tunnel_peer *p,
			const struct tun_session *s)
{
	const struct tunnel_config *c = &p->t->cfg;

	return s->live && p->t->now - s->created < c->reject_after &&
	       s->counter < c->reject_packets;
}

void tun_session_seal(struct tunnel_peer *p, uint8_t *msg, size_t len)
{
	struct tun_session *s = p->cur;

	tun_put_be32(msg, (uint32_t)MSG_DATA << 24);
	tun_put_be32(msg + 4, s->remote);
	tun_put_be64(msg + 8, s->counter);
	aead_seal(&s->tx, s->counter++, msg, DATA_HEAD, msg + DATA_HEAD, len,
		  msg + DATA_HEAD);
}

void tun_session_sent(struct tunnel_peer *p, bool frames)
{
	struct tunnel *t = p->t;

	p->sent_at = t->now;
	if (frames && !p->waiting_since) {
		p->waiting_since = max_u64(t->now, 1);
		tun_peer_due_by(p, t->now + t->cfg.quiet_after);
	}
	if (p->cur->counter >= t->cfg.rekey_packets && p->active &&
	    !p->hs.pending)
		tun_peer_due_by(p, max_u64(t->now, p->hs.again_at));
}

static void put_inner(uint8_t *p, enum inner kind, uint8_t tos, size_t len)
{
	p[0] = (uint8_t)kind;
	p[1] = tos;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
}

void tun_session_control(struct tunnel_peer *p, enum inner kind, uint32_t id,
			 size_t len)
{
	uint8_t *msg = p->t->scratch;

	if (!tun_session_usable(p, p->cur) || !p->has_addr)
		return;
	memset(msg, 0, len);
	put_inner(msg + DATA_HEAD, kind, 0, 4);
	tun_put_be32(msg + DATA_HEAD + INNER_HEAD, id);
	tun_session_seal(p, msg, len - DATA_HEAD - AEAD_TAG_LEN);
	tun_session_sent(p, false);
	tun_send(p->t, &p->addr, msg, len, kind == IN_PROBE);
}

void tun_session_ping(struct tunnel_peer *p)
{
	p->pings++;
	p->pinged_at = p->t->now;
	tun_session_control(p, IN_PING, ++p->ping_id, DATA_MIN + 4);
}

size_t tunnel_room(const struct tunnel_peer *p)
{
	return p->mtu.works - TUNNEL_OVERHEAD;
}

/* The length of the plaintext of @len bytes with its head, padded. */
static size_t padded(const struct tunnel_peer *p, size_t len)
{
	size_t pad = p->t->cfg.pad;
	size_t most = p->mtu.works - DATA_HEAD - AEAD_TAG_LEN;

	if (pad)
		len = size_min((len + pad - 1) / pad * pad, most);
	return len;
}

/* Longer than what always works: the path must go on taking it. */
static void used_length(struct tunnel_peer *p, size_t len)
{
	if (len <= TUNNEL_DATAGRAM_BASE || p->mtu.used)
		return;
	p->mtu.used = true;
	if (p->mtu.due == TUNNEL_NEVER) {
		p->mtu.due = p->mtu.checked_at + p->t->cfg.probe_again;
		tun_peer_due_by(p, p->mtu.due);
	}
}

static int seal_one(struct tunnel_peer *p, struct tunnel_packet *pk)
{
	size_t len = (size_t)pk->len + INNER_HEAD, all = padded(p, len);
	uint8_t *msg = pk->data - TUNNEL_HEAD;

	if (pk->len < TUNNEL_FRAME_MIN || pk->len > tunnel_room(p) ||
	    all - len + AEAD_TAG_LEN > pk->room)
		return -EMSGSIZE;
	put_inner(msg + DATA_HEAD, IN_FRAME, pk->tos, pk->len);
	if (all > len)
		memset(pk->data + pk->len, 0, all - len);
	tun_session_seal(p, msg, all);
	tun_count(p->t, p, TUNNEL_TX_FRAMES);
	p->counts[TUNNEL_TX_BYTES] += pk->len;
	p->t->counts[TUNNEL_TX_BYTES] += pk->len;
	pk->data = msg;
	pk->len = (uint32_t)(DATA_HEAD + all + AEAD_TAG_LEN);
	used_length(p, pk->len);
	return 0;
}

int tunnel_seal(struct tunnel_peer *p, struct tunnel_packet *pk, int n,
		uint64_t now)
{
	int i, rc = 0;

	tun_clock(p->t, now);
	for (i = 0; i < n; i++) {
		rc = tun_session_usable(p, p->cur) && p->has_addr
			     ? seal_one(p, &pk[i])
			     : -ENOTCONN;
		if (rc < 0)
			break;
	}
	if (i)
		tun_session_sent(p, true);
	if (i || !n)
		return i;
	tun_count(p->t, p,
		  rc == -ENOTCONN ? TUNNEL_TX_NO_SESSION : TUNNEL_TX_TOO_LONG);
	return rc;
}

/* Part @i of @n, sealed at @msg; @unit bytes of the frame but for the last. */
static void seal_part(struct tunnel_peer *p, const struct tunnel_packet *frame,
		      size_t i, size_t n, size_t unit, struct tunnel_packet *pk)
{
	size_t part = size_min(unit, frame->len - i * unit);
	size_t len = FRAGMENT_HEAD + part, all = padded(p, len);
	uint8_t *in = pk->data + DATA_HEAD;

	put_inner(in, IN_FRAGMENT, frame->tos, part);
	tun_put_be32(in + 4, p->frame_id);
	tun_put_be32(in + 8, frame->len);
	tun_put_be32(in + 12, (uint32_t)(i << 16 | n));
	memcpy(in + FRAGMENT_HEAD, frame->data + i * unit, part);
	memset(in + len, 0, all - len);
	tun_session_seal(p, pk->data, all);
	pk->len = (uint32_t)(DATA_HEAD + all + AEAD_TAG_LEN);
	pk->tos = frame->tos;
	pk->room = 0;
}

int tunnel_fragment(struct tunnel_peer *p, const struct tunnel_packet *frame,
		    const struct tunnel_parts *out, uint64_t now)
{
	size_t stride = p->mtu.works, len = frame->len;
	size_t unit = stride - DATA_HEAD - FRAGMENT_HEAD - AEAD_TAG_LEN;
	size_t n = (len + unit - 1) / unit;
	struct tunnel *t = p->t;

	tun_clock(t, now);
	if (len <= unit || len > t->cfg.frame_max || n > PARTS_MAX ||
	    n > (size_t)out->max || n * stride > out->size) {
		tun_count(t, p, TUNNEL_TX_TOO_LONG);
		return -EMSGSIZE;
	}
	if (!tun_session_usable(p, p->cur) || !p->has_addr ||
	    t->cfg.reject_packets - p->cur->counter < n) {
		tun_count(t, p, TUNNEL_TX_NO_SESSION);
		return -ENOTCONN;
	}
	p->frame_id++;
	for (size_t i = 0; i < n; i++) {
		out->pk[i].data = out->buf + i * stride;
		seal_part(p, frame, i, n, unit, &out->pk[i]);
	}
	tun_count(t, p, TUNNEL_TX_FRAMES);
	p->counts[TUNNEL_TX_BYTES] += len;
	t->counts[TUNNEL_TX_BYTES] += len;
	used_length(p, stride);
	tun_session_sent(p, true);
	return (int)n;
}

int tunnel_run(const struct tunnel_packet *pk, int n)
{
	int i;

	for (i = 1; i < n; i++) {
		if (pk[i].tos != pk[0].tos || pk[i].len > pk[0].len)
			break;
		if (pk[i].len < pk[0].len)
			return i + 1;
	}
	return i < n ? i : n;
}

/* --- receiving ------------------------------------------------------------ */

enum tunnel_count tun_deliver(struct tunnel_peer *p, uint8_t *frame, size_t len,
			      const struct tunnel_meta *meta)
{
	struct tunnel *t = p->t;

	if (len < TUNNEL_FRAME_MIN || len > t->cfg.frame_max)
		return TUNNEL_BAD_MESSAGE;
	tun_count(t, p, TUNNEL_RX_FRAMES);
	t->counts[TUNNEL_RX_BYTES] += len;
	p->counts[TUNNEL_RX_BYTES] += len;
	t->busy++;
	t->cfg.ops->frame(t->cfg.ctx, p, frame, len, meta);
	t->busy--;
	return TUNNEL_TAKEN;
}

static enum tunnel_count control_recv(struct tunnel_peer *p, enum inner kind,
				      uint32_t id)
{
	switch (kind) {
	case IN_PING:
		tun_session_control(p, IN_PONG, id, DATA_MIN + 4);
		break;
	case IN_PONG:
		if (id == p->ping_id && p->pinged_at) {
			tun_peer_rtt(p, p->t->now - p->pinged_at);
			p->pinged_at = 0;
		}
		break;
	case IN_PROBE:
		tun_session_control(p, IN_PROBED, id, DATA_MIN + 4);
		break;
	case IN_PROBED:
		tun_pathmtu_probed(p, id);
		break;
	case IN_FRAME:
	case IN_FRAGMENT:
	default:
		return TUNNEL_BAD_MESSAGE;
	}
	tun_peer_schedule(p);
	return TUNNEL_TAKEN;
}

static enum tunnel_count inner_recv(struct tunnel_peer *p,
				    const struct tun_session *s, uint8_t *in,
				    size_t len, uint8_t outer)
{
	size_t n = (size_t)in[2] << 8 | in[3];
	const struct tunnel_meta meta = { .tos = in[1], .outer = outer };

	if (in[0] == IN_FRAGMENT)
		return tun_fragment_recv(p, s, in, len, &meta);
	if (n > len - INNER_HEAD)
		return TUNNEL_BAD_MESSAGE;
	if (in[0] == IN_FRAME)
		return tun_deliver(p, in + INNER_HEAD, n, &meta);
	if (n != 4)
		return TUNNEL_BAD_MESSAGE;
	return control_recv(p, (enum inner)in[0],
			    tun_get_be32(in + INNER_HEAD));
}

static void roam(struct tunnel_peer *p, const struct tunnel_addr *from)
{
	if (p->has_addr && (p->fixed || tun_same_addr(from, &p->addr)))
		return;
	tun_peer_set_addr(p, from);
	tun_pathmtu_reset(p);
	tun_say(p->t, p, TUNNEL_ROAMED);
	tun_peer_schedule(p);
}

static struct tun_session *find_session(struct tunnel_peer *p, uint32_t index)
{
	if (p->cur->live && p->cur->local == index)
		return p->cur;
	if (p->next->live && p->next->local == index)
		return p->next;
	if (p->prev->live && p->prev->local == index)
		return p->prev;
	return NULL;
}

/* Authentic and new: what that means for the peer, before what is inside. */
static void was_heard(struct tunnel_peer *p, struct tun_session *s,
		      bool greatest, const struct tunnel_addr *from)
{
	const struct tunnel *t = p->t;
	bool was_next = s == p->next;

	if (greatest && (was_next || s == p->cur))
		roam(p, from);
	if (was_next)
		tun_session_promote(p);
	else
		tun_peer_heard(p);
	if (was_next)
		tun_peer_schedule(p);
	if (s == p->cur && s->replay.next >= t->cfg.rekey_packets &&
	    p->active && !p->hs.pending)
		tun_peer_due_by(p, max_u64(t->now, p->hs.again_at));
}

/* Nobody guesses 2^36 times with good intentions. */
static enum tunnel_count forged(struct tunnel_peer *p, struct tun_session *s)
{
	if (++s->forged == FORGED_MAX) {
		tun_session_clear(p, s);
		tun_peer_schedule(p);
	}
	return tun_count(p->t, p, TUNNEL_FORGED);
}

enum tunnel_count tun_data_recv(struct tunnel *t,
				const struct tunnel_addr *from, uint8_t *buf,
				size_t len, uint8_t tos)
{
	enum replay_verdict verdict;
	struct tunnel_peer *p;
	struct tun_session *s;
	uint64_t counter;

	if (len < DATA_MIN)
		return tun_count(t, NULL, TUNNEL_BAD_LENGTH);
	p = tun_peer_of_index(t, tun_get_be32(buf + 4));
	s = p ? find_session(p, tun_get_be32(buf + 4)) : NULL;
	if (!s)
		return tun_count(t, p, TUNNEL_NO_SESSION);
	if (t->now - s->created >= t->cfg.reject_after)
		return tun_count(t, p, TUNNEL_EXPIRED);
	counter = tun_get_be64(buf + 8);
	verdict = replay_check(&s->replay, counter);
	if (verdict != REPLAY_NEW)
		return tun_count(t, p,
				 verdict == REPLAY_SEEN ? TUNNEL_REPLAYED
							: TUNNEL_TOO_OLD);
	if (!aead_open(&s->rx, counter, buf, DATA_HEAD, buf + DATA_HEAD,
		       len - DATA_HEAD, buf + DATA_HEAD))
		return forged(p, s);
	was_heard(p, s, replay_mark(&s->replay, counter), from);
	return tun_count(t, p,
			 inner_recv(p, s, buf + DATA_HEAD,
				    len - DATA_HEAD - AEAD_TAG_LEN, tos));
}
