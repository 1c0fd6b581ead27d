// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The port is the wire at the other side of an interface, as its driver and
 * the far end of a veth see it: what the interface receives comes in, what
 * leaves the port is sent by it. No /dev/net/tun is needed, only CAP_NET_RAW
 * in the network namespace.
 *
 * Frames pass whole, with checksums and segments still to be made
 * (packetsock.h), a batch per system call; ordinary segments are merged before
 * they are sent. How long a frame may be is up to the interface, whose MTU may
 * change at any time: it refuses what is longer.
 *
 * An interface that is down stays a port and loses what is sent to it. One
 * that is removed or moved to another namespace is detached.
 */
#include "switch/tr_packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/packetsock.h"
#include "switch/hostif.h"
#include "switch/txmerge.h"

/* Of a batch: each run has at most one part more than it has frames, and its
 * header in front; the last one may be looked at whole. */
#define TX_IOV (3 * BATCH_MAX + GRO_IOV)

struct packet {
	struct hostif h; /* first: hostif_close() frees it */
	struct packetsock sock;
	uint32_t lost; /* of sock.lost, counted */
	unsigned int cost; /* of each frame received last */

	/* Of the batch that is being sent. */
	struct txmerge merge;
	struct mmsghdr msg[BATCH_MAX];
	struct iovec iov[TX_IOV];
	uint8_t vnet[BATCH_MAX][OFFLOAD_VNET_LEN];
	uint8_t hdr[BATCH_MAX][OFFLOAD_HDR_MAX];
};

static struct packet *packet_of(struct hostif *h)
{
	return container_of(h, struct packet, h);
}

static void gone(struct packetsock *s)
{
	struct packet *p = container_of(s, struct packet, sock);

	log_warn("interface %s is gone", p->h.ep.descr);
	bridge_detach(&p->h.ep);
}

/* ---- frames in ---- */

/* A frame that is refused is left empty: that is no frame. */
static void accept_frame(struct packet *p, struct frame *f, struct mmsghdr *msg,
			 const struct packetsock_rx *rx)
{
	uint64_t *drops = p->h.ep.port->drops;
	ssize_t len = packetsock_frame(&p->sock, msg, rx, &f->data,
				       &f->offload);

	f->len = 0;
	if (len == -EMSGSIZE)
		drops[DROP_TOO_LONG]++;
	else if (len < 0)
		drops[DROP_OFFLOAD]++;
	else
		f->len = (uint32_t)len;
}

static void receive_failed(struct packet *p, int err)
{
	if (err == EAGAIN || err == EINTR)
		return;
	/* Segments of a kind that the header cannot describe. */
	if (err == EINVAL)
		p->h.ep.port->drops[DROP_OFFLOAD]++;
	else if (err != ENOMEM && err != ENOBUFS &&
		 packetsock_trouble(&p->sock, err)) {
		log_warn("unable to receive from interface %s: %s",
			 p->h.ep.descr, strerror(err));
		bridge_detach(&p->h.ep);
	}
}

/* Long frames take their part of the budget, as those before them did: what
 * is received is sent while it is in the cache. */
static int receive_at_most(const struct packet *p)
{
	int max = rx_batch_prepare(p->h.sw, &p->h.ep);
	int n = max / (int)p->cost;

	return n || !max ? n : 1;
}

static void packet_receive(struct hostif *h)
{
	struct packet *p = packet_of(h);
	struct packetsock_rx rx[BATCH_MAX];
	struct mmsghdr msg[BATCH_MAX];
	struct rx_batch *batch = &h->sw->rx;
	int n, max = receive_at_most(p);
	unsigned int cost = 0;

	for (int i = 0; i < max; i++)
		packetsock_prepare(&msg[i], &rx[i], batch->frames[i]->room,
				   frame_pool_room(h->sw->br->pool));
	n = recvmmsg(h->io.fd, msg, (unsigned int)max, MSG_DONTWAIT, NULL);
	if (n < 0) {
		receive_failed(p, errno);
		return;
	}
	for (int i = 0; i < n; i++) {
		accept_frame(p, batch->frames[i], &msg[i], &rx[i]);
		cost += endpoint_cost(batch->frames[i]);
	}
	p->cost = n ? cost / (unsigned int)n : 1;
	h->ep.port->drops[DROP_MISSED] += p->sock.lost - p->lost;
	p->lost = p->sock.lost;
	port_rx_take(&h->ep, batch->frames, n, loop_now(h->sw->loop));
	rx_batch_consumed(batch, n);
}

/* ---- frames out ---- */

/* One message for each run of the batch; returns how many. */
static int fill(struct packet *p, const struct frame_tx *tx, int n)
{
	unsigned int runs = txmerge(&p->merge, &p->h.ep, tx, n);
	struct iovec *iov = p->iov;

	for (unsigned int i = 0; i < runs; i++) {
		struct frame_offload o;
		int k = txmerge_iov(&p->merge, &p->merge.gro.runs[i], &o,
				    p->hdr[i], iov + 1);

		offload_to_vnet(p->vnet[i], &o, false);
		iov[0] = (struct iovec){ p->vnet[i], sizeof(p->vnet[i]) };
		p->msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = iov,
				     .msg_iovlen = (size_t)k + 1 },
		};
		iov += k + 1;
	}
	return (int)runs;
}

/* The frames of a run are lost. False: more would be, too. */
static bool send_failed(struct packet *p, const struct gro_run *r, int err)
{
	struct endpoint *ep = &p->h.ep;

	ep->port->drops[err == EMSGSIZE ? DROP_MTU : DROP_SEND] += r->count;
	/* Linux before 6.2 knows no segments of UDP. */
	if (err == EINVAL && r->offload.gso_type == FRAME_GSO_UDP_L4) {
		ep->takes &= ~(unsigned int)OFFLOAD_USO;
		port_update_takes(ep->port);
	}
	if (err != ENETDOWN && err != ENXIO && err != ENODEV)
		return true;
	packetsock_trouble(&p->sock, err);
	return false;
}

static int packet_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct packet *p = packet_of(hostif_of(ep));
	const struct gro_run *run = p->merge.gro.runs;
	int i = 0, runs = fill(p, tx, n), err = 0;

	while (i < runs) {
		int sent = packetsock_send(&p->sock, &p->msg[i], runs - i,
					   &err);

		for (; sent; sent--)
			txmerge_sent(&p->merge, &run[i++]);
		if (i == runs || !err)
			break;
		txmerge_sent(&p->merge, &run[i]);
		if (!send_failed(p, &run[i++], err))
			break;
	}
	if (i == runs)
		return n;
	if (!err) {
		hostif_wait_room(&p->h);
		if (txmerge_can_stop(&p->merge))
			return (int)p->merge.done;
	}
	ep->port->drops[DROP_SEND] += (unsigned int)n - p->merge.done;
	return n;
}

/* ---- life ---- */

static void packet_close(struct endpoint *ep)
{
	struct packet *p = packet_of(hostif_of(ep));

	loop_timer_del(p->h.sw->loop, &p->sock.look);
	hostif_close(ep); /* the descriptor, too */
}

static const struct transport tr_packet = {
	.module = "interface",
	.name = "packet",
	.send = packet_send,
	.pause = hostif_pause,
	.close = packet_close,
};

/* Under another name, too. */
static bool has_index(const struct vswitch *sw, int ifindex)
{
	list_for_each(it, &sw->hostifs) {
		struct hostif *h = list_entry(it, struct hostif, node);

		if (h->ep.tr == &tr_packet &&
		    packet_of(h)->sock.ifindex == ifindex)
			return true;
	}
	return false;
}

static int open_and_attach(struct vswitch *sw, struct packet *p,
			   const char *name)
{
	int rc = packetsock_open(&p->sock, sw->loop, name, true, gone);

	if (!rc)
		rc = packetsock_check_ethernet(&p->sock);
	if (!rc && has_index(sw, p->sock.ifindex))
		rc = -EEXIST;
	if (!rc) {
		p->h.receive = packet_receive;
		p->h.takes = OFFLOAD_ALL;
		p->h.ifindex = p->sock.ifindex;
		p->cost = 1;
		rc = hostif_attach(sw, &p->h, &tr_packet, name, p->sock.fd);
	}
	if (rc < 0)
		packetsock_close(&p->sock);
	return rc;
}

int packet_add(struct vswitch *sw, const char *name)
{
	struct packet *p;
	int rc;

	/* What a tap of this switch sends would come back for ever. */
	if (hostif_find(sw, NULL, name))
		return -EEXIST;
	p = calloc(1, sizeof(*p));
	rc = p ? open_and_attach(sw, p, name) : -ENOMEM;
	if (rc < 0)
		free(p);
	return rc;
}

int packet_del(struct vswitch *sw, const char *name)
{
	return hostif_del(sw, &tr_packet, name);
}

const char *packet_strerror(int rc)
{
	switch (rc) {
	case -EPERM:
		return "it needs CAP_NET_RAW in this network namespace";
	case -EMEDIUMTYPE:
		return "its frames are not Ethernet";
	default:
		return hostif_strerror(rc);
	}
}
