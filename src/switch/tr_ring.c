// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each endpoint has two rings in a sealed memory file, an eventfd by which the
 * client kicks us, and a pair of datagram sockets by which we kick the client
 * when there are frames to read. Not another eventfd: its counter and flags are
 * shared with the client, who could make our write block. A client that finds
 * no room stops up its end of the pair with a datagram, and we read that when
 * there is room: so its end is writable when it should be.
 *
 * A kick makes an endpoint busy. Busy endpoints are served in turn, a batch
 * each, once per turn of the loop, until their ring is empty and has been
 * asked to kick again; so a busy ring costs no system call of its own, and a
 * flooding client waits for the others like everybody else. A client that
 * breaks the rules of the ring is unplugged.
 */
#include "switch/tr_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/offload.h"
#include "base/ringmap.h"
#include "base/strbuf.h"
#include "switch/ctlsock.h"

#define DEFAULT_SIZE (UINT32_C(1) << 20)
#define TRIM_NS LOOP_SEC
/* All rings together may be that long, and each no longer than this part of
 * what is left: who asks for much does not get it for many connections. */
#define TOTAL_SIZE (UINT64_C(2) << 30)
#define TOTAL_PART 256
#define UNSTOP_MAX 16 /* datagrams in a turn; a good client sends one */

struct ring_host {
	struct vswitch *sw;
	struct list busy;
	struct loop_timer serve; /* armed with no delay while any is busy */
	struct list bulky; /* those whose rings have grown */
	struct loop_timer trim; /* armed while there are such */
	uint64_t size; /* of all rings */
};

struct ring_ep {
	struct endpoint ep;
	struct ring_host *host;
	struct list busy;
	struct list bulky;
	uint32_t seen; /* position when it was last looked at for that */
	struct loop_fd kick;
	struct loop_fd ctl;
	struct loop_fd data; /* our end of the socket pair */
	bool stopped_up; /* as far as we know */
	bool paused;
	bool broken;
	bool hung_up;
	uint32_t last; /* position in the ring when it hung up */
	struct ringmap map;
};

/* ---- waking ---- */

static void wake(int fd)
{
	/* EAGAIN: it has not even read the kicks before this one. */
	if (send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		log_debug("unable to wake a client: %s", strerror(errno));
}

static void serve_due(struct loop_timer *t);
static void note_bulk(struct ring_ep *r);

static void make_busy(struct ring_ep *r)
{
	struct ring_host *h = r->host;

	if (!list_linked(&r->busy))
		list_add_tail(&h->busy, &r->busy);
	if (!loop_timer_armed(&h->serve))
		loop_timer_set(h->sw->loop, &h->serve, 0, serve_due);
}

/* ---- frames in ---- */

/* What is to be done with a frame stands in a record as in a virtio_net_hdr. */
#define VNET offsetof(struct ring_record, flags)
static_assert(sizeof(struct ring_record) - VNET == OFFLOAD_VNET_LEN, "");

/* Copies the next frame out of the ring; what the client does to it from now
 * on is its own affair. */
static bool take_one(struct ring_ep *r, struct frame *f)
{
	struct ring_record rec;
	int err = 0;
	const uint8_t *p = ring_peek(&r->map.to_switch, &rec, &err);

	if (err)
		r->broken = true;
	if (!p)
		return false;
	f->len = rec.len;
	memcpy(f->data, p, rec.len);
	rec.flags &= FRAME_NEEDS_CSUM;
	offload_from_vnet(&f->offload, (const uint8_t *)&rec + VNET, false);
	ring_take(&r->map.to_switch, &rec);
	return true;
}

/* Up to one batch. True if there are likely to be more. */
static bool receive(struct ring_ep *r)
{
	struct vswitch *sw = r->host->sw;
	int room = rx_batch_prepare(sw, &r->ep), left = room, n = 0;

	while (left > 0 && take_one(r, sw->rx.frames[n]))
		left -= (int)endpoint_cost(sw->rx.frames[n++]);
	if (!n)
		return false;
	ring_release(&r->map.to_switch);
	port_rx_take(&r->ep, sw->rx.frames, n, loop_now(sw->loop));
	rx_batch_consumed(&sw->rx, n);
	return left <= 0;
}

/* Whatever a client has put there goes, descriptors too: its own connection
 * would stay open in there when it is long gone. */
static void unstop(struct ring_ep *r)
{
	char c;

	for (int i = 0; i < UNSTOP_MAX; i++) {
		if (recv(r->data.fd, &c, 1, MSG_DONTWAIT) < 0) {
			r->stopped_up = false;
			return;
		}
	}
	make_busy(r);
}

/* One endpoint's share of a turn. */
static void serve(struct ring_ep *r)
{
	if (r->ep.queue.count)
		endpoint_writable(&r->ep);
	if (ring_missed(&r->map.to_client))
		wake(r->data.fd);
	note_bulk(r);
	if (!r->broken && !r->paused && receive(r))
		make_busy(r);
	if (r->broken) {
		log_warn_rl(&r->host->sw->client_limit,
			    loop_now(r->host->sw->loop),
			    "unplugged %s from port %u: it broke its ring",
			    r->ep.descr, r->ep.port->id);
		bridge_detach(&r->ep);
		return;
	}
	if (r->stopped_up && ring_has_quarter(&r->map.to_switch))
		unstop(r);
	if (list_linked(&r->busy))
		return;
	if (!r->paused && !ring_wait_data(&r->map.to_switch))
		make_busy(r);
}

static void serve_due(struct loop_timer *t)
{
	struct ring_host *h = container_of(t, struct ring_host, serve);
	struct list now;

	if (list_empty(&h->busy))
		return;
	list_add_head(&h->busy, &now);
	list_del(&h->busy);
	while (!list_empty(&now)) {
		struct ring_ep *r = list_entry(now.next, struct ring_ep, busy);

		list_del(&r->busy);
		serve(r);
	}
}

static void kicked(struct loop_fd *w, uint32_t events)
{
	make_busy(container_of(w, struct ring_ep, kick));
}

static void stopped_up(struct loop_fd *w, uint32_t events)
{
	struct ring_ep *r = container_of(w, struct ring_ep, data);

	r->stopped_up = true;
	make_busy(r);
}

static void ring_pause(struct endpoint *ep, bool on)
{
	struct ring_ep *r = container_of(ep, struct ring_ep, ep);

	r->paused = on;
	if (!on)
		make_busy(r);
}

/* ---- memory ---- */

static void trim_due(struct loop_timer *t);

static void trim_later(struct ring_host *h)
{
	/* Without memory for a timer there is nothing to be done about it. */
	(void)loop_timer_set(h->sw->loop, &h->trim, TRIM_NS, trim_due);
}

/* A burst has made the ring to the client use memory that nobody gives back
 * when no more frames come. */
static void note_bulk(struct ring_ep *r)
{
	if (r->map.to_client.reach <= RING_FAR || list_linked(&r->bulky))
		return;
	r->seen = r->map.to_client.pos;
	list_add_tail(&r->host->bulky, &r->bulky);
	if (!loop_timer_armed(&r->host->trim))
		trim_later(r->host);
}

static void trim_due(struct loop_timer *t)
{
	struct ring_host *h = container_of(t, struct ring_host, trim);

	list_for_each_safe(it, next, &h->bulky) {
		struct ring_ep *r = list_entry(it, struct ring_ep, bulky);
		struct ring *to = &r->map.to_client;

		/* Who is away is not waited for: the loop would never sleep
		 * for long. When it is back, it kicks, or frames come. */
		if (to->pos == r->seen) {
			ring_trim(to);
			list_del(&r->bulky);
		}
		r->seen = to->pos;
	}
	if (!list_empty(&h->bulky))
		trim_later(h);
}

/* ---- frames out ---- */

static bool put_one(struct ring *to, const struct frame_tx *tx, int *err)
{
	struct iovec iov[FRAME_IOV];
	int k = frame_iov(tx->frame, tx->tagged, iov);
	struct ring_record rec = { .len = (uint32_t)frame_wire_len(
					   tx->frame, tx->tagged) };
	uint8_t *p;

	if (!offload_is_none(&tx->frame->offload)) {
		struct frame_offload o = offload_of(tx->frame, tx->tagged);

		offload_to_vnet((uint8_t *)&rec + VNET, &o, false);
	}
	p = ring_reserve(to, &rec, err);
	if (!p)
		return false;
	for (int i = 0; i < k; i++) {
		memcpy(p, iov[i].iov_base, iov[i].iov_len);
		p += iov[i].iov_len;
	}
	return true;
}

static int ring_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct ring_ep *r = container_of(ep, struct ring_ep, ep);
	struct ring *to = &r->map.to_client;
	int done = 0, err = 0;

	while (done < n) {
		if (put_one(to, &tx[done], &err)) {
			done++;
		} else if (err) {
			r->broken = true;
			make_busy(r);
			ep->port->drops[DROP_SEND] += (uint64_t)(n - done);
			return n;
		} else if (ring_wait_room(to, to->max_len)) {
			break;
		}
	}
	if (ring_publish(to))
		wake(r->data.fd);
	note_bulk(r);
	return done;
}

/* ---- life ---- */

static void ring_close(struct endpoint *ep)
{
	struct ring_ep *r = container_of(ep, struct ring_ep, ep);
	struct loop *loop = r->host->sw->loop;
	int kick = r->kick.fd, ctl = r->ctl.fd, data = r->data.fd;

	loop_fd_del(loop, &r->kick);
	loop_fd_del(loop, &r->ctl);
	loop_fd_del(loop, &r->data);
	list_del(&r->busy);
	list_del(&r->bulky);
	close(kick);
	close(ctl);
	close(data);
	r->host->size -= 2 * (uint64_t)r->map.to_client.size;
	ringmap_close(&r->map);
	ctlsock_retry(r->host->sw->ctl);
	free(r);
}

static const struct transport tr_ring = {
	.module = "unix prog",
	.name = "ring",
	.send = ring_send,
	.pause = ring_pause,
	.close = ring_close,
};

/* What a client sent before it hung up is taken first, some in each turn,
 * since its end is seen anew in each. No more than its ring holds: somebody may
 * still have the memory. */
static bool has_last_words(struct ring_ep *r)
{
	struct ring *in = &r->map.to_switch;

	if (!r->hung_up)
		r->last = in->pos;
	r->hung_up = true;
	return in->pos - r->last < in->size && !ring_is_empty(in);
}

static void ctl_ready(struct loop_fd *w, uint32_t events)
{
	struct ring_ep *r = container_of(w, struct ring_ep, ctl);
	char junk[4096];
	ssize_t n = read(w->fd, junk, sizeof(junk));

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (has_last_words(r))
		make_busy(r);
	else
		bridge_detach(&r->ep);
}

/* The longest frame in either direction. Who takes offloads, or says that it
 * has longer frames than ordinary ones, may send and get those. */
static uint32_t choose_max_len(const struct wire_request *rq)
{
	return rq->caps || rq->max_len > ETHER_MAX_LEN ? OFFLOAD_FRAME_MAX
						       : ETHER_MAX_LEN;
}

static void set_takes(struct endpoint *ep, const struct wire_request *rq)
{
	if (rq->caps & OFFLOAD_CSUM)
		ep->takes = rq->caps & OFFLOAD_ALL;
	ep->max_len = ETHER_MAX_LEN;
	if (rq->max_len && rq->max_len < ETHER_MAX_LEN)
		ep->max_len = rq->max_len;
}

/* What was asked for, within bounds; a power of two with room for a few of
 * the longest frames. */
static uint32_t choose_size(const struct ring_host *h, uint32_t wanted,
			    uint32_t max_len)
{
	uint64_t most = (TOTAL_SIZE - h->size) / TOTAL_PART;
	uint32_t size = RING_MIN_SIZE;

	if (!wanted)
		wanted = DEFAULT_SIZE;
	if (wanted > most)
		wanted = (uint32_t)most;
	if (wanted < 4 * max_len)
		wanted = 4 * max_len;
	while (size < wanted && size < RING_MAX_SIZE)
		size *= 2;
	return size;
}

static int pair(int *ours, int *theirs)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv))
		return -errno;
	*ours = sv[0];
	*theirs = sv[1];
	return 0;
}

/* @data becomes our end of the socket pair. */
static int open_fds(struct ring_ep *r, uint32_t size, uint32_t max_len,
		    int fds[WIRE_N_FDS], int *data)
{
	int rc;

	fds[WIRE_FD_MEMORY] = ringmap_create(size);
	if (fds[WIRE_FD_MEMORY] < 0)
		return fds[WIRE_FD_MEMORY];
	fds[WIRE_FD_SWITCH] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fds[WIRE_FD_SWITCH] < 0)
		return -errno;
	rc = pair(data, &fds[WIRE_FD_DATA]);
	if (!rc)
		rc = ringmap_open(&r->map, fds[WIRE_FD_MEMORY], size, max_len);
	return rc;
}

static void close_all(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int watch(struct ring_ep *r, int ctl, int kick, int data)
{
	struct loop *loop = r->host->sw->loop;
	int rc = loop_fd_add(loop, &r->kick, kick, EPOLLIN | EPOLLET, kicked);

	if (!rc)
		rc = loop_fd_add(loop, &r->ctl, ctl, EPOLLIN, ctl_ready);
	if (!rc)
		rc = loop_fd_add(loop, &r->data, data, EPOLLIN | EPOLLET,
				 stopped_up);
	return rc;
}

int ring_attach_take(struct ring_host *h, const struct wire_request *rq,
		     unsigned int port, uint32_t uid, int ctl,
		     struct ring_grant *grant)
{
	struct ring_ep *r = calloc(1, sizeof(*r));
	uint32_t max_len = choose_max_len(rq);
	uint32_t size = choose_size(h, rq->ring_size, max_len);
	int *fds = grant->fds, data = -1, rc;

	if (!r)
		return -ENOMEM;
	if (2 * (uint64_t)size > TOTAL_SIZE - h->size) {
		free(r);
		return -ENOMEM;
	}
	r->host = h;
	list_init(&r->busy);
	list_init(&r->bulky);
	for (int i = 0; i < WIRE_N_FDS; i++)
		fds[i] = -1;
	rc = open_fds(r, size, max_len, fds, &data);
	if (!rc)
		rc = watch(r, ctl, fds[WIRE_FD_SWITCH], data);
	endpoint_init(&r->ep, &tr_ring, (uint32_t)fds[WIRE_FD_SWITCH], uid,
		      rq->descr);
	set_takes(&r->ep, rq);
	if (!rc)
		rc = bridge_attach(h->sw->br, port, &r->ep);
	if (rc) {
		loop_fd_del(h->sw->loop, &r->kick);
		loop_fd_del(h->sw->loop, &r->ctl);
		loop_fd_del(h->sw->loop, &r->data);
		ringmap_close(&r->map);
		close_all(fds, WIRE_N_FDS);
		close_all(&data, 1);
		free(r);
		return rc;
	}
	h->size += 2 * (uint64_t)size;
	grant->ep = &r->ep;
	grant->answer = (struct wire_answer){ .port = port,
					      .caps = OFFLOAD_ALL,
					      .ring_size = size,
					      .max_len = max_len };
	make_busy(r);
	return 0;
}

int ring_answer(int fd, struct wire_answer *a, const int *fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(WIRE_N_FDS * sizeof(int))];
	} ctl = { 0 };
	struct iovec iov = { a, sizeof(*a) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = &ctl.align;
	int rc = 0;

	a->magic = WIRE_MAGIC;
	a->version = WIRE_VERSION_RING;
	if (fds) {
		msg.msg_control = ctl.room;
		msg.msg_controllen = sizeof(ctl.room);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(WIRE_N_FDS * sizeof(int));
		memcpy(CMSG_DATA(c), fds, WIRE_N_FDS * sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (fds) {
		close(fds[WIRE_FD_MEMORY]);
		close(fds[WIRE_FD_DATA]);
	}
	return rc;
}

struct ring_host *ring_host_new(struct vswitch *sw)
{
	struct ring_host *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->sw = sw;
	list_init(&h->busy);
	list_init(&h->bulky);
	return h;
}

void ring_host_free(struct ring_host *h)
{
	if (!h)
		return;
	loop_timer_del(h->sw->loop, &h->serve);
	loop_timer_del(h->sw->loop, &h->trim);
	free(h);
}
