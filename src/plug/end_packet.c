// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An interface of this host as an end.
 *
 * Why not by libpcap: what an interface hands to a capture is not always what
 * would be on a wire. The stack at the other end of a veth leaves checksums
 * undone and sends TCP in pieces of 64 KiB; a card merges what it receives
 * (GRO). A capture shows such frames as they are and does not tell how long
 * their segments were. A packet socket with PACKET_VNET_HDR does: in front of
 * each frame stands what is to be done, and base/offload does it here, so
 * that nothing but ordinary frames gets into the network. A VLAN tag, which
 * the kernel has taken out, is told by PACKET_AUXDATA and put back.
 *
 * Frames that this host sends are not received, neither its own nor ours.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/offload.h"
#include "common/log.h"
#include "plug/ends.h"

#define RX_BATCH 16
#define RX_ROOM 65600 /* the longest frame with its headers */
#define DOWN_CHECK (200 * LOOP_MS)
#define RCVBUF (4 * 1024 * 1024)

/* One received frame. @data follows the room for a tag without a gap. */
struct rx {
	uint8_t vnet[OFFLOAD_VNET_LEN];
	struct sockaddr_ll from;
	union {
		size_t align;
		char buf[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} ctl;
	struct frame_offload offload;
	uint8_t *frame; /* in @room */
	size_t len; /* 0: it was not for us */
	uint8_t room[ETHER_TAG_LEN + RX_ROOM];
};

struct end_packet {
	struct end end;
	struct loop_fd io;
	struct loop_timer down; /* armed while the interface is down */
	int fd, ifindex;
	bool rx_on, tx_on; /* wanted */
	int n_rx, next_rx; /* rx[next_rx..n_rx - 1] are still to be given */
	bool more; /* the last batch was full */
	bool cutting; /* rx[next_rx - 1] is being cut */
	struct offload_cut cut;
	struct log_limit long_ones;
	struct rx rx[RX_BATCH];
	uint8_t seg[CABLE_BURST][ETHER_MAX_LEN];
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
		cable_writable(&p->end);
	if (!p->end.cable->over && (events & ~(uint32_t)EPOLLOUT))
		cable_readable(&p->end);
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
	return loop_fd_add(p->end.loop, &p->io, p->fd, events, io_ready);
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

static int gone(const struct end_packet *p)
{
	log_err("unable to go on with %s: the interface is gone", p->end.name);
	return CABLE_BROKEN;
}

static void look_at_interface(struct loop_timer *t);

/* The socket says once that the interface went down, and nothing when it is
 * removed, or moved to another namespace, after that. */
static int look_later(struct end_packet *p)
{
	if (loop_timer_armed(&p->down) ||
	    !loop_timer_set(p->end.loop, &p->down, DOWN_CHECK,
			    look_at_interface))
		return 0;
	return CABLE_BROKEN;
}

static void look_at_interface(struct loop_timer *t)
{
	struct end_packet *p = container_of(t, struct end_packet, down);
	struct ifreq ifr = { .ifr_ifindex = p->ifindex };
	int rc = 0;

	if (ioctl(p->fd, SIOCGIFNAME, &ifr) || ioctl(p->fd, SIOCGIFFLAGS, &ifr))
		rc = gone(p);
	else if (!(ifr.ifr_flags & IFF_UP))
		rc = look_later(p);
	if (rc)
		cable_stop(p->end.cable, EXIT_FAILURE);
}

static int trouble(struct end_packet *p, const char *verb, int err)
{
	if (err == ENETDOWN)
		return look_later(p);
	if (err == ENXIO || err == ENODEV)
		return gone(p);
	log_err("unable to %s %s: %s", verb, p->end.name, strerror(err));
	return CABLE_BROKEN;
}

/* ---- frames in ---- */

/* What is to be done with the frame makes sense. */
static bool admit(struct end_packet *p, struct rx *r)
{
	if (r->len < CABLE_FRAME_MIN)
		p->end.drops[END_DROP_SHORT]++;
	else if (!offload_admit(r->frame, r->len, &r->offload))
		p->end.drops[END_DROP_REFUSED]++;
	else
		return true;
	return false;
}

static void put_tag_back(struct end_packet *p, struct rx *r,
			 const struct tpacket_auxdata *aux)
{
	uint16_t type = ETHERTYPE_VLAN;
	uint8_t *tag;

	if (!(aux->tp_status & TP_STATUS_VLAN_VALID))
		return;
	if (!offload_shift(&r->offload, ETHER_TAG_LEN)) {
		p->end.drops[END_DROP_REFUSED]++;
		r->len = 0;
		return;
	}
	if (aux->tp_status & TP_STATUS_VLAN_TPID_VALID)
		type = aux->tp_vlan_tpid;
	r->frame -= ETHER_TAG_LEN;
	r->len += ETHER_TAG_LEN;
	memmove(r->frame, r->frame + ETHER_TAG_LEN, FRAME_ADDRS);
	tag = r->frame + FRAME_ADDRS;
	tag[0] = (uint8_t)(type >> 8);
	tag[1] = (uint8_t)(type & 0xff);
	tag[2] = (uint8_t)(aux->tp_vlan_tci >> 8);
	tag[3] = (uint8_t)(aux->tp_vlan_tci & 0xff);
}

static void accept_frame(struct end_packet *p, struct rx *r,
			 struct mmsghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg->msg_hdr);
	struct tpacket_auxdata aux;

	r->frame = r->room + ETHER_TAG_LEN;
	r->len = 0;
	if (r->from.sll_pkttype == PACKET_OUTGOING ||
	    msg->msg_len < sizeof(r->vnet))
		return;
	if (msg->msg_hdr.msg_flags & MSG_TRUNC) {
		p->end.drops[END_DROP_LONG]++;
		return;
	}
	r->len = msg->msg_len - sizeof(r->vnet);
	offload_from_vnet(&r->offload, r->vnet, false);
	if (!admit(p, r)) {
		r->len = 0;
		return;
	}
	if (c && c->cmsg_level == SOL_PACKET &&
	    c->cmsg_type == PACKET_AUXDATA &&
	    c->cmsg_len >= CMSG_LEN(sizeof(aux))) {
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		put_tag_back(p, r, &aux);
	}
}

/* How many were received, or CABLE_BROKEN. */
static int receive(struct end_packet *p)
{
	struct mmsghdr msg[RX_BATCH];
	struct iovec iov[RX_BATCH][2];
	int n;

	for (int i = 0; i < RX_BATCH; i++) {
		struct rx *r = &p->rx[i];

		iov[i][0] = (struct iovec){ r->vnet, sizeof(r->vnet) };
		iov[i][1] = (struct iovec){ r->room + ETHER_TAG_LEN, RX_ROOM };
		msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_name = &r->from,
				     .msg_namelen = sizeof(r->from),
				     .msg_iov = iov[i],
				     .msg_iovlen = 2,
				     .msg_control = &r->ctl,
				     .msg_controllen = sizeof(r->ctl) },
		};
	}
	n = recvmmsg(p->fd, msg, RX_BATCH, MSG_DONTWAIT, NULL);
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

/* An ordinary frame, or one that only lacks its checksum. */
static bool finish(struct end_packet *p, struct rx *r)
{
	if (r->len > ETHER_MAX_LEN)
		p->end.drops[END_DROP_LONG]++;
	else if (!offload_csum(r->frame, r->len, &r->offload))
		p->end.drops[END_DROP_REFUSED]++;
	else
		return true;
	return false;
}

static bool start_cutting(struct end_packet *p, const struct rx *r)
{
	if (!offload_cut_start(&p->cut, r->frame, r->len, &r->offload, NULL))
		p->end.drops[END_DROP_REFUSED]++;
	else if (offload_cut_len(&p->cut) > ETHER_MAX_LEN)
		p->end.drops[END_DROP_LONG]++;
	else
		return true;
	return false;
}

static int give(struct end_packet *p, struct vde_frame *f, int n)
{
	int got = 0;

	while (got < n) {
		struct rx *r;

		if (p->cutting) {
			ssize_t len = offload_cut_copy(&p->cut, p->seg[got],
						       sizeof(p->seg[got]));

			p->cutting = len > 0;
			if (len > 0)
				f[got] = (struct vde_frame){ p->seg[got],
							     (size_t)len,
							     { 0 } };
			got += len > 0;
			continue;
		}
		if (p->next_rx == p->n_rx)
			break;
		r = &p->rx[p->next_rx++];
		if (!r->len)
			continue;
		if (r->offload.gso_type != FRAME_GSO_NONE)
			p->cutting = start_cutting(p, r);
		else if (finish(p, r))
			f[got++] =
				(struct vde_frame){ r->frame, r->len, { 0 } };
	}
	return got;
}

static bool has_some(const struct end_packet *p)
{
	return p->cutting || p->next_rx < p->n_rx;
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
static int lost_frame(struct end_packet *p, size_t len, int err)
{
	if (err == EMSGSIZE) {
		p->end.drops[END_DROP_LONG]++;
		log_warn_rl(&p->long_ones, loop_now(p->end.loop),
			    "a frame of %zu bytes is too long for %s", len,
			    p->end.name);
		return 0;
	}
	p->end.drops[END_DROP_REFUSED]++;
	if (err == ENOBUFS || err == ENOMEM || err == EINVAL)
		return 0;
	return trouble(p, "send to", err);
}

static int packet_send(struct end *e, const struct vde_frame *f, int n)
{
	struct end_packet *p = packet_of(e);
	uint8_t none[OFFLOAD_VNET_LEN] = { 0 };
	struct mmsghdr msg[CABLE_BURST];
	struct iovec iov[CABLE_BURST][2];
	int i;

	for (i = 0; i < n; i++) {
		iov[i][0] = (struct iovec){ none, sizeof(none) };
		iov[i][1] = (struct iovec){ f[i].data, f[i].len };
		msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = iov[i], .msg_iovlen = 2 },
		};
	}
	i = 0;
	while (i < n) {
		int rc = sendmmsg(p->fd, &msg[i], (unsigned int)(n - i),
				  MSG_DONTWAIT);

		if (rc < 0 && errno == EAGAIN)
			break;
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0 && lost_frame(p, f[i].len, errno))
			return CABLE_BROKEN;
		i += rc < 0 ? 1 : rc;
	}
	return i;
}

/* ---- begin and end ---- */

static void packet_close(struct end *e)
{
	struct end_packet *p = packet_of(e);

	loop_timer_del(e->loop, &p->down);
	loop_fd_del(e->loop, &p->io);
	close(p->fd);
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

/* The socket receives nothing until it is bound, so that no frame comes in
 * before the options are set. */
static int open_socket(int ifindex)
{
	const struct sockaddr_ll sa = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ALL),
					.sll_ifindex = ifindex };
	const int on = 1, size = RCVBUF;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)))
		goto fail;
	/* Wishes: older kernels do not know the one, and limit the other. */
	(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
			 sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (!bind(fd, (const struct sockaddr *)&sa, sizeof(sa)))
		return fd;
fail:
	rc = -errno;
	close(fd);
	return rc;
}

int end_packet_open(struct end **out, struct loop *loop, const char *ifname)
{
	struct end_packet *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	memset(p, 0, offsetof(struct end_packet, rx));
	p->ifindex = (int)if_nametoindex(ifname);
	rc = p->ifindex ? open_socket(p->ifindex) : -errno;
	if (rc >= 0) {
		p->fd = rc;
		if (end_init(&p->end, &packet_ops, loop, ifname)) {
			*out = &p->end;
			return 0;
		}
		close(p->fd);
		rc = -ENOMEM;
	}
	free(p);
	return rc;
}
