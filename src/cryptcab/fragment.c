/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragment - frames that came in parts
 *
 * Every part is a DATA message, so none can be forged, repeated or taken from
 * another frame; each says which frame, how long it is, which part of how
 * many. All parts but the last are equally long, which gives each its place in
 * whatever order they come. There is a fixed number of frames under way for
 * all peers together; who needs one more loses his own oldest when he has his
 * share, else the oldest of all. One that is not complete after a second is
 * the first to go.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cryptcab/tunnel_impl.h"

#define PATIENCE SEC
#define SHARE 8 /* of the frames under way, at least one eighth */

struct part {
	uint32_t id, total;
	uint16_t number, count;
	size_t len;
	const uint8_t *data;
};

static void forget(struct tunnel *t, struct tun_partial *pa)
{
	if (pa->peer)
		tun_count(t, pa->peer, TUNNEL_INCOMPLETE);
	pa->peer = NULL;
}

void tun_fragments_forget(struct tunnel_peer *p, uint32_t local)
{
	struct tunnel *t = p->t;
	struct tun_partial *pa;

	for (uint32_t i = 0; i < t->cfg.partial_max; i++) {
		pa = &t->partials[i];
		if (pa->peer == p && (!local || pa->local == local))
			forget(t, pa);
	}
}

static struct tun_partial *find(const struct tunnel_peer *p, uint32_t local,
				uint32_t id)
{
	struct tun_partial *pa = p->t->partials;

	for (uint32_t i = 0; i < p->t->cfg.partial_max; i++, pa++)
		if (pa->peer == p && pa->local == local && pa->id == id)
			return pa;
	return NULL;
}

static struct tun_partial *victim(const struct tunnel_peer *p)
{
	struct tunnel *t = p->t;
	struct tun_partial *pa, *oldest = t->partials, *own = NULL;
	uint32_t n = t->cfg.partial_max, mine = 0, i;

	for (i = 0; i < n; i++) {
		pa = &t->partials[i];
		if (!pa->peer)
			return pa;
		if (pa->at < oldest->at)
			oldest = pa;
		if (pa->peer != p)
			continue;
		mine++;
		if (!own || pa->at < own->at)
			own = pa;
	}
	if (t->now - oldest->at > PATIENCE || mine < (n + SHARE - 1) / SHARE)
		return oldest;
	return own;
}

static struct tun_partial *start(struct tunnel_peer *p, uint32_t local,
				 const struct part *part)
{
	struct tunnel *t = p->t;
	struct tun_partial *pa = victim(p);
	uint8_t *buf;

	forget(t, pa);
	buf = pa->buf;
	if (!buf)
		buf = malloc(TUNNEL_HEAD + (size_t)t->cfg.frame_max);
	if (!buf)
		return NULL;
	*pa = (struct tun_partial){
		.peer = p,
		.local = local,
		.id = part->id,
		.total = part->total,
		.count = part->count,
		.at = t->now,
		.buf = buf,
	};
	return pa;
}

/* Where a part goes; false: it contradicts those before it. */
static bool place(struct tun_partial *pa, const struct part *part, size_t *at)
{
	bool last = part->number == part->count - 1;

	if (part->total != pa->total || part->count != pa->count ||
	    bits_test(pa->have, part->number))
		return false;
	if (last) {
		if (part->len >= pa->total)
			return false;
		pa->last_len = (uint32_t)part->len;
		*at = pa->total - part->len;
	} else {
		if (pa->unit && pa->unit != part->len)
			return false;
		pa->unit = (uint32_t)part->len;
		*at = part->number * part->len;
	}
	if (*at + part->len > pa->total)
		return false;
	return !pa->unit || !pa->last_len ||
	       (uint64_t)pa->unit * (pa->count - 1U) + pa->last_len ==
		       pa->total;
}

enum tunnel_count tun_fragment_recv(struct tunnel_peer *p,
				    const struct tun_session *s, uint8_t *in,
				    size_t len, const struct tunnel_meta *meta)
{
	struct tun_partial *pa;
	struct part part;
	size_t at;

	if (len < FRAGMENT_HEAD)
		return TUNNEL_BAD_FRAGMENT;
	part = (struct part){
		.len = (size_t)in[2] << 8 | in[3],
		.id = tun_get_be32(in + 4),
		.total = tun_get_be32(in + 8),
		.number = (uint16_t)(in[12] << 8 | in[13]),
		.count = (uint16_t)(in[14] << 8 | in[15]),
		.data = in + FRAGMENT_HEAD,
	};
	if (!part.len || part.len > len - FRAGMENT_HEAD ||
	    part.total > p->t->cfg.frame_max || part.count < 2 ||
	    part.count > PARTS_MAX || part.number >= part.count)
		return TUNNEL_BAD_FRAGMENT;
	pa = find(p, s->local, part.id);
	if (!pa)
		pa = start(p, s->local, &part);
	if (!pa)
		return TUNNEL_BAD_FRAGMENT;
	if (!place(pa, &part, &at)) {
		forget(p->t, pa);
		return TUNNEL_BAD_FRAGMENT;
	}
	memcpy(pa->buf + TUNNEL_HEAD + at, part.data, part.len);
	bits_set(pa->have, part.number);
	if (++pa->got < pa->count)
		return TUNNEL_TAKEN;
	pa->peer = NULL;
	return tun_deliver(p, pa->buf + TUNNEL_HEAD, pa->total, meta);
}
