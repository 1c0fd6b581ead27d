// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What leaves a port: from its batch to its endpoints, or to the queue of one
 * that is slow.
 *
 * The one place that knows of what endpoints cannot do. A frame whose checksum
 * is only begun, for an endpoint that wants it finished, is finished where it
 * is: that is the only change a frame ever sees after it was accepted, and
 * who else has it gets the same frame with less to do. A frame that is to be
 * cut is cut into frames of the pool, sent as they are made; so a batch takes
 * no more than BATCH_MAX of them, however much is cut. A frame whose segments
 * are longer than the endpoint takes is dropped.
 *
 * A batch of ordinary frames that are short enough is passed on as it is.
 */
#include "switch/egress.h"

#include "base/offload.h"
#include "switch/bridge.h"
#include "switch/hook.h"

/* The pool keeps this much for frames that arrive: what waits in the queues
 * of slow endpoints may not starve the others. */
#define POOL_RESERVE (4 * BATCH_MAX)

/* A queue may be as long as this part of what is left of the pool (Choudhury
 * and Hahne, "Dynamic queue length thresholds", 1998): the more of it slow
 * endpoints hold, the less each may have, and some is always left for one
 * that is slow for a moment only. The same in bytes, of this many. */
#define POOL_PART 8
#define QUEUED_BYTES (UINT64_C(64) << 20)

/* ---- queues ---- */

static bool pool_allows(const struct endpoint *ep,
			const struct frame_pool *pool)
{
	size_t left = frame_pool_left(pool);
	uint64_t queued = ep->port->br->queued;

	return left > POOL_RESERVE && queued < QUEUED_BYTES &&
	       ep->queue.count < (left - POOL_RESERVE) / POOL_PART &&
	       ep->queue.bytes < (QUEUED_BYTES - queued) / POOL_PART;
}

/* What the switch itself has to say must not be lost behind what others say:
 * neighbours that do not hear of it for a while close loops. The newest of
 * what waits gives way; nothing more is waiting then than before. */
static void make_way(struct endpoint *ep)
{
	struct frame_tx tx;

	if (!txq_take_newest(&ep->queue, &tx))
		return;
	port_drop(ep->port, tx.frame, tx.tagged, DROP_QUEUE_FULL);
	frame_unref(tx.frame);
}

static void enqueue_one(struct endpoint *ep, const struct frame_tx *tx)
{
	struct frame *f = tx->frame;
	bool allowed = pool_allows(ep, f->pool);
	uint32_t count = ep->queue.count;

	if (f->own && (!allowed || !txq_has_room(&ep->queue, f->len)))
		make_way(ep);
	if (!allowed && ep->queue.count == count)
		port_drop(ep->port, f, tx->tagged, DROP_NO_BUFFER);
	else if (txq_push_take(&ep->queue, *tx))
		frame_ref(f);
	else
		port_drop(ep->port, f, tx->tagged, DROP_QUEUE_FULL);
}

/* Keeps what the endpoint did not take, as far as its queue and the pool
 * allow. */
static void enqueue(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	for (int i = 0; i < n; i++)
		enqueue_one(ep, &tx[i]);
}

/* Frames as the endpoint takes them. */
static void deliver(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	int sent = 0;

	if (!ep->queue.count)
		sent = ep->tr->send(ep, tx, n);
	if (sent < n)
		enqueue(ep, tx + sent, n - sent);
}

static void drain(struct endpoint *ep)
{
	while (ep->queue.count) {
		uint32_t n;
		const struct frame_tx *tx = txq_front(&ep->queue, &n);
		int sent;

		if (n > BATCH_MAX)
			n = BATCH_MAX;
		sent = ep->tr->send(ep, tx, (int)n);
		txq_drop_front(&ep->queue, (uint32_t)sent);
		if (sent < (int)n)
			return;
	}
	ep->port->may_hold = true;
}

void endpoint_writable(struct endpoint *ep)
{
	drain(ep);
	if (!list_empty(&ep->port->held) && !txq_exceeds(&ep->queue, 4))
		port_release(ep->port);
}

/* ---- finishing ---- */

/* A batch for one endpoint; holds a reference to each frame. */
struct outbox {
	struct endpoint *ep;
	int n;
	struct frame_tx tx[BATCH_MAX];
};

static void post(struct outbox *out)
{
	if (out->n)
		deliver(out->ep, out->tx, out->n);
	for (int i = 0; i < out->n; i++)
		frame_unref(out->tx[i].frame);
	out->n = 0;
}

static void put_take(struct outbox *out, struct frame *f, bool tagged)
{
	out->tx[out->n++] = (struct frame_tx){ f, tagged };
	if (out->n == BATCH_MAX)
		post(out);
}

static bool is_tag(const uint8_t *p)
{
	uint16_t type = ether_be16(p);

	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ;
}

/* Who is to cut a frame looks behind two tags, not three. */
static bool has_two_tags(const struct frame *f)
{
	const uint8_t *p = f->data + FRAME_ADDRS;

	return is_tag(p) && is_tag(p + ETHER_TAG_LEN);
}

/* May the endpoint have this frame, which is to be cut, whole? */
static bool takes_whole(const struct endpoint *ep, const struct frame_tx *tx)
{
	const struct frame *f = tx->frame;

	return offload_fits(&f->offload, ep->takes) &&
	       frame_wire_len(f, tx->tagged) <= OFFLOAD_FRAME_MAX &&
	       !(tx->tagged && has_two_tags(f));
}

/* The longest ordinary frame that comes of it. */
static size_t final_len(const struct frame_tx *tx)
{
	const struct frame *f = tx->frame;

	if (f->offload.gso_type == FRAME_GSO_NONE)
		return frame_wire_len(f, tx->tagged);
	return (size_t)f->offload.hdr_len + f->offload.gso_size +
	       (tx->tagged ? ETHER_TAG_LEN : 0);
}

/* A full queue is no reason to cut. */
static void cut(struct outbox *out, const struct frame_tx *tx)
{
	struct frame *f = tx->frame, *seg;
	struct endpoint *ep = out->ep;
	struct port *p = ep->port;
	struct offload_cut c;
	ssize_t len;

	if (ep->queue.count && !txq_has_room(&ep->queue, ETHER_MIN_LEN)) {
		port_drop(p, f, tx->tagged, DROP_QUEUE_FULL);
		return;
	}
	if (!offload_cut_start(&c, f->data, f->len, &f->offload, NULL)) {
		port_drop(p, f, tx->tagged, DROP_SEND);
		return;
	}
	p->cut++;
	p->segments += c.frames;
	while (c.frames) {
		seg = frame_new(f->pool);
		if (!seg) {
			p->drops[DROP_NO_BUFFER] += c.frames - 1;
			port_drop(p, f, tx->tagged, DROP_NO_BUFFER);
			return;
		}
		len = offload_cut_copy(&c, seg->data, frame_pool_room(f->pool));
		if (len <= 0) {
			frame_unref(seg);
			p->drops[DROP_SEND] += c.frames - 1;
			port_drop(p, f, tx->tagged, DROP_SEND);
			return;
		}
		seg->len = (uint32_t)len;
		frame_pad(seg);
		frame_set_tci(seg, f->tci);
		put_take(out, seg, tx->tagged);
	}
}

static void finish(struct outbox *out, const struct frame_tx *tx)
{
	struct frame *f = tx->frame;
	struct endpoint *ep = out->ep;
	struct frame_offload *o = &f->offload;

	if (final_len(tx) > ep->max_len) {
		port_drop(ep->port, f, tx->tagged, DROP_MTU);
		return;
	}
	if (o->gso_type != FRAME_GSO_NONE && !takes_whole(ep, tx)) {
		cut(out, tx);
		return;
	}
	if (!offload_is_none(o) && !(ep->takes & OFFLOAD_CSUM))
		offload_csum(f->data, f->len, o);
	put_take(out, frame_ref(f), tx->tagged);
}

static void send_batch(struct endpoint *ep, const struct port *p)
{
	struct outbox out;

	if (!p->unfinished && p->longest <= ep->max_len) {
		deliver(ep, p->tx, p->n_tx);
		return;
	}
	out.ep = ep;
	out.n = 0;
	for (int i = 0; i < p->n_tx; i++)
		finish(&out, &p->tx[i]);
	post(&out);
}

/* ---- the batch ---- */

void port_tx(struct port *p, struct frame *f, bool tagged)
{
	size_t len = frame_wire_len(f, tagged);

	if ((p->slow & PORT_HOOK_OUT) && !hook_pass(p, f, tagged, HOOK_OUT))
		return;
	if (p->n_tx == BATCH_MAX)
		port_flush(p);
	if (p->n_tx == 0)
		list_add_tail(&p->br->touched, &p->touched);
	p->tx[p->n_tx++] = (struct frame_tx){ frame_ref(f), tagged };
	if (len > p->longest)
		p->longest = (uint32_t)len;
	p->br->copies++;
	p->out_frames++;
	p->out_bytes += len;
	if (offload_is_none(&f->offload))
		return;
	p->unfinished = true;
	if (!offload_fits(&f->offload, p->takes)) {
		unsigned int n = offload_segments(f);

		p->br->copies += n - 1;
		p->br->segments += n;
	} else if (f->offload.gso_type != FRAME_GSO_NONE) {
		p->br->uncut++;
	}
}

void port_flush(struct port *p)
{
	int n = p->n_tx;

	if (!n)
		return;
	list_for_each(it, &p->endpoints) {
		send_batch(list_entry(it, struct endpoint, node), p);
	}
	for (int i = 0; i < n; i++)
		frame_unref(p->tx[i].frame);
	p->n_tx = 0;
	p->longest = 0;
	p->unfinished = false;
	list_del(&p->touched);
}
