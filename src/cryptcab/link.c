// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/gro.h"
#include "cryptcab/tos.h"
#include "cryptcab/udp.h"

#define PACKETS 256 /* in a sealer */
#define SEAL_AT 88 /* packets are sealed and sent: two full messages */
#define ROOM ((size_t)256 * 1024)
#define MERGE_ROOM ((size_t)GRO_BATCH * (ETHER_MAX_LEN + OFFLOAD_HDR_MAX))
#define QUEUE_MAX ((size_t)4 << 20)
#define BURSTS 4 /* of one link before others have their turn */
#define SEGMENT_MIN 256 /* nobody's path is that narrow */

struct sealer {
	struct cryptcab *cab;
	struct list links; /* all of them */
	struct list touched; /* links with frames of this batch */
	/* To a peer. */
	struct cab_peer *peer; /* whose pk[] are */
	struct tunnel_packet pk[PACKETS];
	int n, sealed, sent;
	uint8_t *room;
	size_t used;
	/* From peers. */
	struct gro gro;
	struct gro_frame in[GRO_BATCH];
	struct vde_frame merged[GRO_BATCH];
	uint8_t *merge_room;
};

struct queued {
	struct vde_offload offload;
	uint32_t len;
};

struct link {
	struct list node, touched;
	bool is_touched;
	struct sealer *sealer;
	struct cab_peer *peer;
	struct end *end;
	struct end_user user;
	link_over_fn *over;
	void *ctx;
	struct loop_timer again;
	int ended; /* END_OVER, END_BROKEN: nothing is done any more */
	/* To the peer. */
	struct vde_frame burst[END_BURST];
	int n, done;
	bool cutting; /* of burst[done] there is more to come */
	struct offload_cut cut;
	/* From the peer. */
	struct vde_frame out[GRO_BATCH];
	int n_out;
	uint8_t *queue; /* allocated when it is needed */
	size_t q_at, q_end; /* what is in it */
};

/* ---- the end is over ---- */

static void call_over(struct loop_timer *t)
{
	struct link *l = container_of(t, struct link, again);

	l->over(l->ctx, l, l->ended);
}

static void end_link(struct link *l, int rc)
{
	struct end *e = l->end;

	if (l->ended)
		return;
	l->ended = rc;
	(void)e->ops->want_rx(e, false);
	(void)e->ops->want_tx(e, false);
	/* Later, when nobody is in the middle of it. */
	if (loop_timer_set(l->sealer->cab->loop, &l->again, 0, call_over))
		cab_stop(l->sealer->cab, EXIT_FAILURE);
}

/* ---- seal and send ---- */

static bool is_blocked(const struct sealer *s)
{
	return s->sent < s->n;
}

/* Drops what cannot be sealed. */
static void seal_all(struct sealer *s)
{
	while (s->sealed < s->n) {
		int rc = tunnel_seal(s->peer->tp, &s->pk[s->sealed],
				     s->n - s->sealed, cab_now());

		if (rc > 0) {
			s->sealed += rc;
			continue;
		}
		if (rc == -ENOTCONN) {
			s->peer->drops[CAB_DROP_DOWN] += (uint64_t)(s->n -
								    s->sealed);
			s->n = s->sealed;
			return;
		}
		s->peer->drops[CAB_DROP_TOO_LONG]++;
		s->n--;
		memmove(&s->pk[s->sealed], &s->pk[s->sealed + 1],
			(size_t)(s->n - s->sealed) * sizeof(s->pk[0]));
	}
}

/* False: a socket is full, and all of it must stay where it is. */
static bool flush(struct sealer *s)
{
	const struct tunnel_addr *to;

	if (s->sent < s->n) {
		seal_all(s);
		to = tunnel_addr(s->peer->tp);
		if (to)
			s->sent += udp_send(s->cab->udp, to, &s->pk[s->sent],
					    s->n - s->sent);
		else
			s->sent = s->n;
	}
	if (s->sent < s->n)
		return false;
	s->n = s->sealed = s->sent = 0;
	s->used = 0;
	return true;
}

/* Room for a frame of @len bytes and what is put around it. */
static uint8_t *room_for(struct sealer *s, size_t len)
{
	size_t need = len + TUNNEL_OVERHEAD + s->cab->pad;

	return s->n < PACKETS && need <= ROOM - s->used
		       ? s->room + s->used + TUNNEL_HEAD
		       : NULL;
}

/* @data has TUNNEL_HEAD in front and @room behind. */
static void add(struct sealer *s, uint8_t *data, size_t len, size_t room)
{
	s->pk[s->n++] = (struct tunnel_packet){
		.data = data,
		.len = (uint32_t)len,
		.room = (uint32_t)room,
		.tos = tos_of(data, len),
	};
}

/* The frame in the room that room_for() gave. Without padding the next one is
 * right behind it. */
static void add_copied(struct sealer *s, uint8_t *data, size_t len)
{
	add(s, data, len, TUNNEL_TAIL + s->cab->pad);
	s->used += len + TUNNEL_OVERHEAD + s->cab->pad;
}

/* A frame that does not fit a datagram. False: later. */
static bool fragment(struct sealer *s, const uint8_t *data, size_t len)
{
	const struct tunnel_packet frame = {
		.data = unconst(data),
		.len = (uint32_t)len,
		.tos = tos_of(data, len),
	};
	struct tunnel_parts parts;
	int n;

	/* Counters go in order. */
	seal_all(s);
	if (s->n + SEAL_AT > PACKETS || ROOM - s->used < ROOM / 2) {
		if (!flush(s))
			return false;
	}
	parts = (struct tunnel_parts){ .buf = s->room + s->used,
				       .size = ROOM - s->used,
				       .pk = &s->pk[s->n],
				       .max = (int)PACKETS - s->n };
	n = tunnel_fragment(s->peer->tp, &frame, &parts, cab_now());
	if (n < 0) {
		s->peer->drops[n == -ENOTCONN ? CAB_DROP_DOWN
					      : CAB_DROP_TOO_LONG]++;
		return true;
	}
	for (int i = 0; i < n; i++)
		s->used += parts.pk[i].len;
	s->n += n;
	s->sealed = s->n;
	return true;
}

/* ---- from the end to the peer ---- */

/* The segments of TCP may be shorter than its sender asked for. */
static void fit(struct frame_offload *o, size_t room)
{
	unsigned int type = o->gso_type & ~FRAME_GSO_ECN;
	size_t size = room - o->hdr_len;

	if (type != FRAME_GSO_TCPV4 && type != FRAME_GSO_TCPV6)
		return;
	if ((size_t)o->hdr_len + SEGMENT_MIN <= room && o->gso_size > size)
		o->gso_size = (uint16_t)size;
}

/* The rest of a frame that is cut. False: later. */
static bool cut(struct link *l)
{
	struct sealer *s = l->sealer;
	size_t room = tunnel_room(l->peer->tp);

	for (;;) {
		size_t len = offload_cut_len(&l->cut);
		uint8_t *p;

		if (!len)
			break;
		p = room_for(s, len);
		if (!p || s->n >= SEAL_AT || len > room) {
			if (!flush(s))
				return false;
			p = room_for(s, len);
		}
		if (offload_cut_copy(&l->cut, p, len) <= 0)
			break;
		if (len <= room)
			add_copied(s, p, len);
		else if (!fragment(s, memcpy(s->merge_room, p, len), len))
			return false;
	}
	l->cutting = false;
	return true;
}

static bool has_room_around(const struct link *l)
{
	return l->end->headroom >= TUNNEL_HEAD &&
	       l->end->tailroom >= TUNNEL_TAIL + l->sealer->cab->pad;
}

/* An ordinary frame. False: later. */
static bool pass(struct link *l, const struct vde_frame *f)
{
	struct sealer *s = l->sealer;
	uint8_t *p;

	if (f->len > tunnel_room(l->peer->tp))
		return fragment(s, f->data, f->len);
	if (s->n >= SEAL_AT && !flush(s))
		return false;
	if (has_room_around(l)) {
		add(s, f->data, f->len, l->end->tailroom);
		return true;
	}
	p = room_for(s, f->len);
	if (!p) {
		if (!flush(s))
			return false;
		p = room_for(s, f->len);
	}
	add_copied(s, memcpy(p, f->data, f->len), f->len);
	return true;
}

static void refuse(struct link *l)
{
	l->peer->drops[CAB_DROP_REFUSED]++;
}

/* One frame of the burst. False: later. */
static bool take_one(struct link *l, struct vde_frame *f)
{
	struct frame_offload o = batch_offload(f);

	if (l->cutting)
		return cut(l);
	if (o.gso_type != FRAME_GSO_NONE) {
		fit(&o, tunnel_room(l->peer->tp));
		l->cutting = offload_cut_start(&l->cut, f->data, f->len, &o,
					       NULL) > 0;
		if (l->cutting)
			return cut(l);
		refuse(l);
		return true;
	}
	if (!offload_is_none(&o)) {
		if (!offload_csum(f->data, f->len, &o)) {
			refuse(l);
			return true;
		}
		batch_set_offload(f, &o);
	}
	return pass(l, f);
}

/* All of the burst. False: later. */
static bool send_burst(struct link *l)
{
	struct sealer *s = l->sealer;

	if (!l->peer || !l->peer->up_since) {
		if (l->peer)
			l->peer->drops[CAB_DROP_DOWN] += (uint64_t)(l->n -
								    l->done);
		l->done = l->n;
		l->cutting = false;
		return true;
	}
	if (is_blocked(s))
		return false;
	s->peer = l->peer;
	while (l->done < l->n) {
		struct vde_frame *f = &l->burst[l->done];

		if (!l->cutting &&
		    !cab_admit(l->peer, ADMIT_TO, f->data, f->len)) {
			l->done++;
			continue;
		}
		if (!take_one(l, f))
			return false;
		l->done++;
	}
	return flush(s);
}

static void again(struct loop_timer *t);

static void want_rx(struct link *l, bool on)
{
	int rc = l->end->ops->want_rx(l->end, on);

	if (!rc)
		return;
	log_err("unable to wait for %s: %s", l->end->name, strerror(-rc));
	end_link(l, END_BROKEN);
}

static void run(struct link *l)
{
	struct end *e = l->end;
	int i;

	for (i = 0; i < BURSTS && !l->ended; i++) {
		if (!send_burst(l)) {
			want_rx(l, false);
			return;
		}
		l->done = 0;
		l->n = e->ops->recv(e, l->burst, END_BURST);
		if (l->n < 0) {
			int rc = l->n;

			l->n = 0;
			end_link(l, rc);
			return;
		}
		if (!l->n)
			break;
		e->frames += (uint64_t)l->n;
		cab_read_clock(l->sealer->cab);
	}
	if (l->ended)
		return;
	if (!send_burst(l)) {
		want_rx(l, false);
		return;
	}
	want_rx(l, true);
	if (e->ops->pending(e) &&
	    loop_timer_set(l->sealer->cab->loop, &l->again, 0, again))
		end_link(l, END_BROKEN);
}

static void again(struct loop_timer *t)
{
	struct link *l = container_of(t, struct link, again);

	run(l);
	cab_schedule(l->sealer->cab);
}

void sealer_go_on(struct sealer *s)
{
	if (!flush(s))
		return;
	list_for_each_safe(pos, next, &s->links) {
		struct link *l = list_entry(pos, struct link, node);

		if (!l->ended && !is_blocked(s))
			run(l);
	}
	cab_schedule(s->cab);
}

/* ---- from the peer to the end ---- */

static void lose(struct link *l, int n)
{
	if (l->peer)
		l->peer->drops[CAB_DROP_FULL] += (uint64_t)n;
}

static void compact(struct link *l)
{
	memmove(l->queue, l->queue + l->q_at, l->q_end - l->q_at);
	l->q_end -= l->q_at;
	l->q_at = 0;
}

/* Frames are copied to the queue's end. */
static void put_off(struct link *l, const struct vde_frame *f, int n)
{
	if (!l->queue) {
		l->queue = malloc(QUEUE_MAX);
		l->q_at = l->q_end = 0;
		if (!l->queue || l->end->ops->want_tx(l->end, true)) {
			lose(l, n);
			return;
		}
	}
	for (int i = 0; i < n; i++) {
		struct queued q = { f[i].offload, (uint32_t)f[i].len };

		if (sizeof(q) + f[i].len > QUEUE_MAX - l->q_end)
			compact(l);
		if (sizeof(q) + f[i].len > QUEUE_MAX - l->q_end) {
			lose(l, n - i);
			return;
		}
		memcpy(l->queue + l->q_end, &q, sizeof(q));
		l->q_end += sizeof(q);
		memcpy(l->queue + l->q_end, f[i].data, f[i].len);
		l->q_end += f[i].len;
	}
}

static void hand_over(struct link *l, const struct vde_frame *f, int n)
{
	int rc;

	if (l->ended)
		return;
	if (l->queue) {
		put_off(l, f, n);
		return;
	}
	rc = l->end->ops->send(l->end, f, n);
	if (rc < 0)
		end_link(l, rc);
	else if (rc < n)
		put_off(l, &f[rc], n - rc);
}

/* The end has room: what waits goes first. */
static void drain(struct link *l)
{
	while (l->q_at < l->q_end && !l->ended) {
		struct vde_frame f[END_BURST];
		size_t at = l->q_at, after[END_BURST];
		int n, rc;

		for (n = 0; n < END_BURST && at < l->q_end; n++) {
			struct queued q;

			memcpy(&q, l->queue + at, sizeof(q));
			at += sizeof(q);
			f[n] = (struct vde_frame){ l->queue + at, q.len,
						   q.offload };
			at += q.len;
			after[n] = at;
		}
		rc = l->end->ops->send(l->end, f, n);
		if (rc < 0)
			end_link(l, rc);
		if (rc <= 0)
			return;
		l->q_at = after[rc - 1];
	}
	if (l->ended)
		return;
	free(l->queue);
	l->queue = NULL;
	(void)l->end->ops->want_tx(l->end, false);
}

static void hand_over_merged(struct link *l)
{
	struct sealer *s = l->sealer;
	unsigned int runs;
	size_t used = 0;
	int n = 0;

	for (int i = 0; i < l->n_out; i++)
		s->in[i] = (struct gro_frame){ .data = l->out[i].data,
					       .len = (uint32_t)l->out[i].len };
	gro_init(&s->gro, l->end->takes, VDE_FRAME_MAX);
	runs = gro_merge(&s->gro, s->in, (unsigned int)l->n_out);
	for (unsigned int i = 0; i < runs; i++) {
		const struct gro_run *r = &s->gro.runs[i];
		struct frame_offload o;
		ssize_t len;

		if (r->count == 1) {
			s->merged[n++] = l->out[r->first];
			continue;
		}
		len = gro_copy(&s->gro, r, NULL, &o, s->merge_room + used,
			       MERGE_ROOM - used);
		if (len <= 0) {
			lose(l, r->count);
			continue;
		}
		s->merged[n] = (struct vde_frame){ s->merge_room + used,
						   (size_t)len,
						   { 0 } };
		batch_set_offload(&s->merged[n++], &o);
		used += (size_t)len;
	}
	if (n)
		hand_over(l, s->merged, n);
}

static void deliver_now(struct link *l)
{
	if (l->n_out > 1 && (l->end->takes & (VDE_TAKES_TSO4 | VDE_TAKES_TSO6)))
		hand_over_merged(l);
	else if (l->n_out)
		hand_over(l, l->out, l->n_out);
	l->n_out = 0;
}

void link_deliver(struct link *l, uint8_t *frame, size_t len,
		  const struct tunnel_meta *meta, bool lasts)
{
	if (l->ended)
		return;
	if (!tos_arrived(frame, len, meta->outer)) {
		if (l->peer)
			l->peer->drops[CAB_DROP_CE]++;
		return;
	}
	l->out[l->n_out++] = (struct vde_frame){ frame, len, { 0 } };
	if (!lasts || l->n_out == GRO_BATCH)
		deliver_now(l);
	if (l->n_out && !l->is_touched) {
		l->is_touched = true;
		list_add_tail(&l->sealer->touched, &l->touched);
	}
}

void sealer_done(struct sealer *s)
{
	list_for_each_safe(pos, next, &s->touched) {
		struct link *l = list_entry(pos, struct link, touched);

		list_del(&l->touched);
		l->is_touched = false;
		deliver_now(l);
	}
}

/* ---- what an end calls ---- */

static struct link *link_of(struct end_user *u)
{
	return container_of(u, struct link, user);
}

static void readable(struct end_user *u, struct end *e)
{
	struct link *l = link_of(u);

	run(l);
	cab_schedule(l->sealer->cab);
}

static void writable(struct end_user *u, struct end *e)
{
	struct link *l = link_of(u);

	if (l->queue)
		drain(l);
	else
		(void)e->ops->want_tx(e, false);
}

static void stop(struct end_user *u, struct end *e, int status)
{
	end_link(link_of(u), status ? END_BROKEN : END_OVER);
}

static bool gone(struct end_user *u, struct end *e)
{
	return false;
}

/* ---- begin and end ---- */

int sealer_new(struct sealer **out, struct cryptcab *cab)
{
	struct sealer *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->cab = cab;
	list_init(&s->links);
	list_init(&s->touched);
	s->room = malloc(ROOM);
	s->merge_room = malloc(MERGE_ROOM);
	if (!s->room || !s->merge_room) {
		sealer_free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	free(s->room);
	free(s->merge_room);
	free(s);
}

int link_open(struct link **out, const struct link_config *c)
{
	struct link *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	*l = (struct link){ .sealer = c->cab->sealer,
			    .end = c->end,
			    .user = { readable, writable, stop, gone },
			    .over = c->over,
			    .ctx = c->ctx };
	c->end->user = &l->user;
	rc = c->end->ops->want_rx(c->end, true);
	if (rc) {
		free(l);
		return rc;
	}
	list_add_tail(&l->sealer->links, &l->node);
	*out = l;
	return 0;
}

/* What the sealer still has of a peer that goes, or in memory that goes. */
static void forget(struct sealer *s, const struct cab_peer *p)
{
	if (s->peer == p)
		s->n = s->sealed = s->sent = 0;
}

void link_set_peer(struct link *l, struct cab_peer *p)
{
	if (l->peer == p)
		return;
	if (l->peer) {
		forget(l->sealer, l->peer);
		deliver_now(l);
		l->peer->link = NULL;
		l->cutting = false;
	}
	l->peer = p;
	if (p)
		p->link = l;
}

void link_close(struct link *l)
{
	if (!l)
		return;
	link_set_peer(l, NULL);
	loop_timer_del(l->sealer->cab->loop, &l->again);
	if (l->is_touched)
		list_del(&l->touched);
	list_del(&l->node);
	free(l->queue);
	end_finish(l->end);
	free(l);
}
