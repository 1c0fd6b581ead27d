// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An interface of this host as an end.
 *
 * Why not by libpcap: a capture shows frames as they are, with checksums undone
 * and segments merged, and does not tell how long those were. packetsock does,
 * and takes such frames, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/offload.h"
#include "common/log.h"
#include "common/packetsock.h"
#include "plug/ends.h"

#define RX_BATCH 16

struct rx {
	struct packetsock_rx with;
	struct frame_offload offload;
	uint8_t *frame; /* in @room */
	size_t len; /* 0: it was not for us */
	uint8_t room[PACKETSOCK_ROOM];
};

struct end_packet {
	struct end end;
	struct loop_fd io;
	struct packetsock sock;
	bool rx_on, tx_on; /* wanted */
	int n_rx, next_rx; /* rx[next_rx..n_rx - 1] are still to be given */
	bool more; /* the last batch was full */
	struct log_limit long_ones;
	struct rx rx[RX_BATCH];
};

static struct end_packet *packet_of(struct end *e)
{
	return container_of(e, struct end_packet, end);
}

/* ---- waiting ---- */

static void io_ready(struct loop_fd *w, uint32_t events)
{
	struct end_packet *p = container_of(w, struct end_packet, io);

	if (p->tx_on && (events & (EPOLLOUT | EPOLLERR)))
		end_writable(&p->end);
	if (p->rx_on && (events & ~(uint32_t)EPOLLOUT))
		end_readable(&p->end);
}

static int watch(struct end_packet *p)
{
	uint32_t events = (p->rx_on ? EPOLLIN : 0) | (p->tx_on ? EPOLLOUT : 0);

	if (!events) {
		loop_fd_del(p->end.loop, &p->io);
		return 0;
	}
	if (p->io.on)
		return loop_fd_want(p->end.loop, &p->io, events);
	return loop_fd_add(p->end.loop, &p->io, p->sock.fd, events, io_ready);
}

static int packet_want_rx(struct end *e, bool on)
{
	packet_of(e)->rx_on = on;
	return watch(packet_of(e));
}

static int packet_want_tx(struct end *e, bool on)
{
	packet_of(e)->tx_on = on;
	return watch(packet_of(e));
}

/* ---- an interface that is down, or gone ---- */

static void gone(struct packetsock *s)
{
	struct end_packet *p = container_of(s, struct end_packet, sock);

	log_err("unable to go on with %s: the interface is gone", p->end.name);
	end_stop(&p->end, EXIT_FAILURE);
}

static int trouble(struct end_packet *p, const char *verb, int err)
{
	if (!packetsock_trouble(&p->sock, err))
		return 0;
	log_err("unable to %s %s: %s", verb, p->end.name, strerror(err));
	return END_BROKEN;
}

/* ---- frames in ---- */

static bool is_too_long(const struct rx *r, ssize_t len)
{
	return len > ETHER_MAX_LEN && r->offload.gso_type == FRAME_GSO_NONE;
}

static void accept_frame(struct end_packet *p, struct rx *r,
			 struct mmsghdr *msg)
{
	ssize_t len = packetsock_frame(&p->sock, msg, &r->with, &r->frame,
				       &r->offload);

	r->len = 0;
	if (len == -EMSGSIZE || is_too_long(r, len))
		p->end.drops[END_DROP_LONG]++;
	else if (len > 0 && (size_t)len < p->end.min_len)
		p->end.drops[END_DROP_SHORT]++;
	else if (len < 0 ||
		 (len && !offload_admit(r->frame, (size_t)len, &r->offload)))
		p->end.drops[END_DROP_REFUSED]++;
	else
		r->len = (size_t)len;
}

/* How many were received, or END_BROKEN. */
static int receive(struct end_packet *p)
{
	struct mmsghdr msg[RX_BATCH];
	int n;

	for (int i = 0; i < RX_BATCH; i++) {
		struct rx *r = &p->rx[i];

		packetsock_prepare(&msg[i], &r->with, r->room, sizeof(r->room));
	}
	n = recvmmsg(p->sock.fd, msg, RX_BATCH, MSG_DONTWAIT, NULL);
	p->n_rx = p->next_rx = 0;
	p->more = n == RX_BATCH;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno == EINVAL) {
		/* Segments of a kind that the header cannot describe. */
		p->end.drops[END_DROP_REFUSED]++;
		return 0;
	}
	if (n < 0)
		return trouble(p, "receive from", errno);
	for (int i = 0; i < n; i++)
		accept_frame(p, &p->rx[i], &msg[i]);
	p->n_rx = n;
	return n;
}

static int give(struct end_packet *p, struct vde_frame *f, int n)
{
	int got = 0;

	while (got < n && p->next_rx < p->n_rx) {
		struct rx *r = &p->rx[p->next_rx++];

		if (!r->len)
			continue;
		f[got] = (struct vde_frame){ r->frame, r->len, { 0 } };
		batch_set_offload(&f[got++], &r->offload);
	}
	return got;
}

static bool has_some(const struct end_packet *p)
{
	return p->next_rx < p->n_rx;
}

/* Memory of the last batch is written anew only when all of it was given. */
static int packet_recv(struct end *e, struct vde_frame *f, int n)
{
	struct end_packet *p = packet_of(e);

	if (!has_some(p)) {
		int rc = receive(p);

		if (rc <= 0)
			return rc;
	}
	return give(p, f, n);
}

static bool packet_pending(struct end *e)
{
	return has_some(packet_of(e)) || packet_of(e)->more;
}

/* ---- frames out ---- */

/* The first frame of a batch was not taken. 0: it is lost, go on. */
static int lost_frame(struct end_packet *p, const struct vde_frame *f, int err)
{
	if (err == EMSGSIZE) {
		p->end.drops[END_DROP_LONG]++;
		log_warn_rl(&p->long_ones, loop_now(p->end.loop),
			    "a frame of %zu bytes is too long for %s", f->len,
			    p->end.name);
		return 0;
	}
	p->end.drops[END_DROP_REFUSED]++;
	if (err == EINVAL && f->offload.gso_type == FRAME_GSO_UDP_L4)
		p->end.takes &= ~(
			unsigned int)VDE_TAKES_USO; /* not before 6.2 */
	if (err == ENOBUFS || err == ENOMEM || err == EINVAL)
		return 0;
	return trouble(p, "send to", err);
}

static int packet_send(struct end *e, const struct vde_frame *f, int n)
{
	struct end_packet *p = packet_of(e);
	uint8_t vnet[END_BURST][OFFLOAD_VNET_LEN];
	struct mmsghdr msg[END_BURST];
	struct iovec iov[END_BURST][2];
	int i;

	for (i = 0; i < n; i++) {
		struct frame_offload o = batch_offload(&f[i]);

		offload_to_vnet(vnet[i], &o, false);
		iov[i][0] = (struct iovec){ vnet[i], sizeof(vnet[i]) };
		iov[i][1] = (struct iovec){ f[i].data, f[i].len };
		msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = iov[i], .msg_iovlen = 2 },
		};
	}
	i = 0;
	while (i < n) {
		int err;

		i += packetsock_send(&p->sock, &msg[i], n - i, &err);
		if (i == n || !err)
			break;
		if (lost_frame(p, &f[i++], err))
			return END_BROKEN;
	}
	return i;
}

/* ---- begin and end ---- */

static void packet_close(struct end *e)
{
	struct end_packet *p = packet_of(e);

	loop_fd_del(e->loop, &p->io);
	packetsock_close(&p->sock);
	end_fini(e);
	free(p);
}

static const struct end_ops packet_ops = {
	.recv = packet_recv,
	.send = packet_send,
	.want_rx = packet_want_rx,
	.want_tx = packet_want_tx,
	.pending = packet_pending,
	.close = packet_close,
};

int end_packet_open(struct end **out, struct loop *loop, const char *ifname)
{
	struct end_packet *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	memset(p, 0, offsetof(struct end_packet, rx));
	rc = packetsock_open(&p->sock, loop, ifname, false, gone);
	if (!rc && !end_init(&p->end, &packet_ops, loop, ifname))
		rc = -ENOMEM;
	if (!rc) {
		p->end.takes = END_ALL_OFFLOADS;
		*out = &p->end;
		return 0;
	}
	packetsock_close(&p->sock);
	free(p);
	return rc;
}
