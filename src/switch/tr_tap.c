// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tap is read and written one frame per system call; a turn takes up to
 * BATCH_MAX. The descriptor keeps working when the interface is moved to
 * another network namespace. A tap that goes away (EBADFD) is detached.
 */
#include "switch/tr_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "switch/ctlsock.h"

#define TUN_DEVICE "/dev/net/tun"

struct tap {
	struct endpoint ep;
	struct list node; /* in sw->taps */
	struct vswitch *sw;
	struct loop_fd io;
};

static void want(struct tap *t, uint32_t events)
{
	loop_fd_want(t->sw->loop, &t->io, events);
}

/* ---- frames ---- */

/* Fills the batch until the tap has no more. Returns frames, or -errno. */
static int read_frames(struct tap *t, int room)
{
	int n;

	for (n = 0; n < room; n++) {
		struct frame *f = t->sw->rx.frames[n];
		ssize_t len = read(t->io.fd, f->data,
				   frame_pool_room(t->sw->br->pool));

		if (len < 0)
			return n || errno == EAGAIN || errno == EINTR ? n
								      : -errno;
		f->len = (uint32_t)len;
	}
	return n;
}

static void tap_ready(struct loop_fd *w, uint32_t events)
{
	struct tap *t = container_of(w, struct tap, io);
	int n;

	if (events & EPOLLOUT) {
		endpoint_writable(&t->ep);
		if (!t->ep.queue.count)
			want(t, w->events & ~EPOLLOUT);
	}
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	n = read_frames(t, rx_batch_prepare(t->sw, &t->ep));
	if (n < 0) {
		log_warn("tap %s is gone: %s", t->ep.descr, strerror(-n));
		bridge_detach(&t->ep);
		return;
	}
	port_rx_take(&t->ep, t->sw->rx.frames, n, loop_now(t->sw->loop));
	rx_batch_consumed(&t->sw->rx, n);
}

static int tap_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct tap *t = container_of(ep, struct tap, ep);

	for (int i = 0; i < n; i++) {
		struct iovec iov[FRAME_IOV];
		int k = frame_iov(tx[i].frame, tx[i].tagged, iov);

		if (writev(t->io.fd, iov, k) >= 0)
			continue;
		if (errno == EAGAIN) {
			want(t, t->io.events | EPOLLOUT);
			return i;
		}
		ep->port->drops[DROP_SEND]++;
	}
	return n;
}

static void tap_pause(struct endpoint *ep, bool on)
{
	struct tap *t = container_of(ep, struct tap, ep);

	want(t, on ? t->io.events & ~EPOLLIN : t->io.events | EPOLLIN);
}

static void tap_close(struct endpoint *ep)
{
	struct tap *t = container_of(ep, struct tap, ep);
	int fd = t->io.fd;

	loop_fd_del(t->sw->loop, &t->io);
	close(fd);
	list_del(&t->node);
	if (t->sw->ctl)
		ctlsock_retry(t->sw->ctl);
	free(t);
}

static const struct transport tr_tap = {
	.module = "tuntap",
	.name = "tap",
	.send = tap_send,
	.pause = tap_pause,
	.close = tap_close,
};

/* ---- life ---- */

static struct tap *find(const struct vswitch *sw, const char *name)
{
	list_for_each(it, &sw->taps) {
		struct tap *t = list_entry(it, struct tap, node);

		if (!strcmp(t->ep.descr, name))
			return t;
	}
	return NULL;
}

/* The kernel makes a name of "tap%d": @real is what it has become. */
static int open_tap(const char *name, char real[static IFNAMSIZ])
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, rc = str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);

	if (rc < 0)
		return rc;
	if (!*name)
		return -EINVAL;
	fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, TUNSETIFF, &ifr)) {
		memcpy(real, ifr.ifr_name, IFNAMSIZ);
		return fd;
	}
	rc = -errno;
	close(fd);
	return rc;
}

static int attach(struct vswitch *sw, struct tap *t, const char *name, int fd)
{
	const struct port_user nobody = { .uid = PORT_NOBODY };
	int port = bridge_port_for(sw->br, -1, &nobody), rc;

	if (port < 0)
		return port;
	rc = loop_fd_add(sw->loop, &t->io, fd, EPOLLIN, tap_ready);
	if (rc)
		return rc;
	t->sw = sw;
	endpoint_init(&t->ep, &tr_tap, (uint32_t)fd, PORT_NOBODY, name);
	rc = bridge_attach(sw->br, (unsigned int)port, &t->ep);
	if (rc) {
		loop_fd_del(sw->loop, &t->io);
		return rc;
	}
	list_add_tail(&sw->taps, &t->node);
	return port;
}

int tap_add(struct vswitch *sw, const char *name)
{
	char real[IFNAMSIZ];
	struct tap *t;
	int fd, rc;

	if (find(sw, name))
		return -EEXIST;
	fd = open_tap(name, real);
	if (fd < 0)
		return fd;
	t = calloc(1, sizeof(*t));
	rc = t ? attach(sw, t, real, fd) : -ENOMEM;
	if (rc < 0) {
		free(t);
		close(fd);
	}
	return rc;
}

int tap_del(struct vswitch *sw, const char *name)
{
	struct tap *t = find(sw, name);

	if (!t)
		return -ENODEV;
	bridge_detach(&t->ep);
	return 0;
}
