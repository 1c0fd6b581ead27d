// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two descriptors per endpoint: the data socket, connected to the client's,
 * and the control stream, whose EOF ends the endpoint. Many datagrams go with
 * one system call in both directions; the vectors for that are shared by all
 * endpoints, since a loop does one thing at a time.
 *
 * Order of set-up, which clients depend on: create, connect to the client,
 * bind the own path, set its mode and owner; only then may the reply that
 * names it be sent.
 */
#include "switch/tr_dgram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/unixsock.h"
#include "switch/ctlsock.h"

#define LAST_WORDS 1024 /* frames of a client that has hung up */

struct dgram_shared {
	struct vswitch *sw;
	struct mmsghdr rx_msg[BATCH_MAX];
	struct iovec rx_iov[BATCH_MAX];
	struct mmsghdr tx_msg[BATCH_MAX];
	struct iovec tx_iov[BATCH_MAX][FRAME_IOV];
};

struct dgram {
	struct endpoint ep;
	struct dgram_shared *sh;
	struct loop_fd data;
	struct loop_fd ctl;
	int last_words; /* frames taken since it hung up */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct dgram_shared *dgram_shared_new(struct vswitch *sw)
{
	struct dgram_shared *sh = calloc(1, sizeof(*sh));

	if (!sh)
		return NULL;
	sh->sw = sw;
	for (int i = 0; i < BATCH_MAX; i++) {
		sh->rx_msg[i].msg_hdr.msg_iov = &sh->rx_iov[i];
		sh->rx_msg[i].msg_hdr.msg_iovlen = 1;
		sh->tx_msg[i].msg_hdr.msg_iov = sh->tx_iov[i];
	}
	return sh;
}

void dgram_shared_free(struct dgram_shared *sh)
{
	free(sh);
}

static void want(struct dgram *d, uint32_t events)
{
	loop_fd_want(d->sh->sw->loop, &d->data, events);
}

/* ---- frames in ---- */

/* A datagram that did not fit is made longer than any frame may be, so that
 * it is counted where all lengths are checked. */
static void set_length(struct frame *f, const struct mmsghdr *m)
{
	f->len = m->msg_len;
	if (m->msg_hdr.msg_flags & MSG_TRUNC)
		f->len = ETHER_MAX_LEN + 1;
}

/* Returns how many frames there were. */
static int receive(struct dgram *d)
{
	struct dgram_shared *sh = d->sh;
	struct rx_batch *rx = &sh->sw->rx;
	int room = rx_batch_prepare(sh->sw, &d->ep), n;

	for (int i = 0; i < room; i++)
		sh->rx_iov[i] = (struct iovec){ rx->frames[i]->data,
						ETHER_MAX_LEN };
	n = recvmmsg(d->data.fd, sh->rx_msg, (unsigned int)room, MSG_DONTWAIT,
		     NULL);
	if (n <= 0)
		return 0;
	for (int i = 0; i < n; i++)
		set_length(rx->frames[i], &sh->rx_msg[i]);
	port_rx_take(&d->ep, rx->frames, n, loop_now(sh->sw->loop));
	rx_batch_consumed(rx, n);
	return n;
}

static void data_ready(struct loop_fd *w, uint32_t events)
{
	struct dgram *d = container_of(w, struct dgram, data);

	if (events & EPOLLOUT) {
		endpoint_writable(&d->ep);
		if (!d->ep.queue.count)
			want(d, d->data.events & ~EPOLLOUT);
	}
	if (events & (EPOLLIN | EPOLLERR))
		receive(d);
}

static void dgram_pause(struct endpoint *ep, bool on)
{
	struct dgram *d = container_of(ep, struct dgram, ep);

	want(d, on ? d->data.events & ~EPOLLIN : d->data.events | EPOLLIN);
}

/* ---- frames out ---- */

/* One system call for as many frames as the peer has room for. A frame that
 * cannot be sent for another reason than a full queue is dropped. */
static int dgram_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct dgram *d = container_of(ep, struct dgram, ep);
	struct dgram_shared *sh = d->sh;
	int done = 0;

	for (int i = 0; i < n; i++)
		sh->tx_msg[i].msg_hdr.msg_iovlen = (size_t)frame_iov(
			tx[i].frame, tx[i].tagged, sh->tx_iov[i]);
	while (done < n) {
		int k = sendmmsg(d->data.fd, sh->tx_msg + done,
				 (unsigned int)(n - done),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k > 0) {
			done += k;
			continue;
		}
		if (errno == EAGAIN || errno == ENOBUFS) {
			want(d, d->data.events | EPOLLOUT);
			return done;
		}
		if (errno == EINTR)
			continue;
		port_drop(ep->port, tx[done].frame, tx[done].tagged, DROP_SEND);
		done++;
	}
	return done;
}

/* ---- life ---- */

static void dgram_close(struct endpoint *ep)
{
	struct dgram *d = container_of(ep, struct dgram, ep);
	struct loop *loop = d->sh->sw->loop;
	int data = d->data.fd, ctl = d->ctl.fd;

	loop_fd_del(loop, &d->data);
	loop_fd_del(loop, &d->ctl);
	close(data);
	close(ctl);
	unlink(d->path);
	ctlsock_retry(d->sh->sw->ctl);
	free(d);
}

static const struct transport tr_dgram = {
	.module = "unix prog",
	.name = "dgram",
	.send = dgram_send,
	.pause = dgram_pause,
	.close = dgram_close,
};

/* What a client sent before it hung up is taken first, some in each turn,
 * since its end is seen anew in each. Not for ever: it could go on sending. */
static bool has_last_words(struct dgram *d)
{
	int n;

	if (d->last_words >= LAST_WORDS)
		return false;
	if (list_linked(&d->ep.held))
		return true;
	n = receive(d);
	d->last_words += n;
	return n > 0;
}

/* After the reply the stream is silent: what a client still writes is read
 * and ignored, a buffer at a time. */
static void ctl_ready(struct loop_fd *w, uint32_t events)
{
	struct dgram *d = container_of(w, struct dgram, ctl);
	char junk[4096];
	ssize_t n = 0;

	if (!(events & EPOLLHUP))
		n = read(w->fd, junk, sizeof(junk));
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (!has_last_words(d))
		bridge_detach(&d->ep);
}

static int open_data(struct dgram_request *rq, char *path, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&rq->peer, rq->peer_len)) {
		rc = -errno;
		goto fail;
	}
	rq->connected = true;
	rc = str_fmt(path, size, "%s/%03u.%d", rq->own.sun_path, rq->port, fd);
	if (rc < 0)
		goto fail;
	memset(rq->own.sun_path, 0, sizeof(rq->own.sun_path));
	memcpy(rq->own.sun_path, path, (size_t)rc);
	unlink(path);
	rc = unixsock_bind(fd, &rq->own, rq->mode, rq->owner, rq->group);
	if (rc)
		goto fail;
	return fd;
fail:
	close(fd);
	return rc;
}

int dgram_attach_take(struct dgram_shared *sh, struct dgram_request *rq,
		      int ctl)
{
	struct loop *loop = sh->sw->loop;
	struct dgram *d = calloc(1, sizeof(*d));
	int fd, rc;

	if (!d)
		return -ENOMEM;
	d->sh = sh;
	fd = open_data(rq, d->path, sizeof(d->path));
	if (fd < 0) {
		free(d);
		return fd;
	}
	endpoint_init(&d->ep, &tr_dgram, (uint32_t)fd, rq->uid, rq->descr);
	rc = loop_fd_add(loop, &d->data, fd, EPOLLIN, data_ready);
	if (!rc)
		rc = loop_fd_add(loop, &d->ctl, ctl, EPOLLIN, ctl_ready);
	if (!rc)
		rc = bridge_attach(sh->sw->br, rq->port, &d->ep);
	if (!rc)
		return 0;
	loop_fd_del(loop, &d->data);
	loop_fd_del(loop, &d->ctl);
	unlink(d->path);
	close(fd);
	free(d);
	return rc;
}
