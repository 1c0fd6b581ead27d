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
#include "switch/hostif.h"

#define TUN_DEVICE "/dev/net/tun"

/* ---- frames ---- */

/* Fills the batch until the tap has no more. Returns frames, or -errno. */
static int read_frames(struct hostif *t, int room)
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

static void tap_receive(struct hostif *t)
{
	int n = read_frames(t, rx_batch_prepare(t->sw, &t->ep));

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
	struct hostif *t = hostif_of(ep);

	for (int i = 0; i < n; i++) {
		struct iovec iov[FRAME_IOV];
		int k = frame_iov(tx[i].frame, tx[i].tagged, iov);

		if (writev(t->io.fd, iov, k) >= 0)
			continue;
		if (errno == EAGAIN) {
			hostif_wait_room(t);
			return i;
		}
		ep->port->drops[DROP_SEND]++;
	}
	return n;
}

static const struct transport tr_tap = {
	.module = "tuntap",
	.name = "tap",
	.send = tap_send,
	.pause = hostif_pause,
	.close = hostif_close,
};

/* ---- life ---- */

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

int tap_add(struct vswitch *sw, const char *name)
{
	char real[IFNAMSIZ];
	struct hostif *t;
	int fd, rc;

	if (hostif_find(sw, &tr_tap, name))
		return -EEXIST;
	fd = open_tap(name, real);
	if (fd < 0)
		return fd;
	t = calloc(1, sizeof(*t));
	if (t)
		t->receive = tap_receive;
	rc = t ? hostif_attach(sw, t, &tr_tap, real, fd) : -ENOMEM;
	if (rc < 0) {
		free(t);
		close(fd);
	}
	return rc;
}

int tap_del(struct vswitch *sw, const char *name)
{
	return hostif_del(sw, &tr_tap, name);
}
