// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_tap - a tap interface of this machine
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "lib/conn.h"
#include "lib/dgram.h"

static ssize_t tap_recv(struct vdeconn *c, void *buf, size_t len)
{
	ssize_t n = read(c->data_fd, buf, len);

	return n < 0 ? -errno : n;
}

/* An interface that is down is an unplugged cable, and what is shorter than a
 * header is no frame. */
static ssize_t tap_send(struct vdeconn *c, const void *buf, size_t len)
{
	ssize_t n;

	if (len < ETHER_HDR_LEN)
		return (ssize_t)len;
	n = write(c->data_fd, buf, len);
	if (n < 0 && errno == EIO)
		return (ssize_t)len;
	return n < 0 ? -errno : n;
}

/* read() that does not wait, on a descriptor that may be blocking. */
static ssize_t read_now(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	ssize_t n = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (n < 0 && errno == EOPNOTSUPP) {
		if (poll(&pfd, 1, 0) == 0)
			return -EAGAIN;
		n = read(fd, buf, len);
	}
	return n < 0 ? -errno : n;
}

static int tap_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		ssize_t len = read_now(c->data_fd, f[i].data, f[i].len);

		if (len < 0)
			return i ? i : (int)len;
		f[i].len = (size_t)len;
		f[i].offload = (struct vde_offload){ 0 };
	}
	return n;
}

/* Writing to a tap never waits. */
static int tap_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		ssize_t len = tap_send(c, f[i].data, f[i].len);

		if (len < 0)
			return i ? i : (int)len;
	}
	return n;
}

static const struct conn_ops tap_ops = {
	.recv = tap_recv,
	.send = tap_send,
	.recv_batch = tap_recv_batch,
	.send_batch = tap_send_batch,
	.close = dgram_close,
};

int conn_open_tap(const char *name, const struct conn_args *args,
		  struct vdeconn **out)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, rc;

	if (str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name) < 0)
		return -EINVAL;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = ioctl(fd, TUNSETIFF, &ifr) < 0
		     ? -errno
		     : dgram_conn_new(&tap_ops, fd, -1, out);
	if (rc < 0)
		close(fd);
	return rc;
}
