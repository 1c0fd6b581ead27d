// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_null - a connection that takes every frame and never has one
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/conn.h"
#include "lib/dgram.h"

/* Waits like every other connection; the event never comes. */
static ssize_t null_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	eventfd_t v;

	if (flags & MSG_DONTWAIT)
		return -EAGAIN;
	return eventfd_read(c->data_fd, &v) < 0 ? -errno : 1;
}

static ssize_t null_send(struct vdeconn *c, const void *buf, size_t len,
			 int flags)
{
	return (ssize_t)len;
}

static int null_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	return -EAGAIN;
}

static int null_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	return n;
}

static const struct conn_ops null_ops = {
	.recv = null_recv,
	.send = null_send,
	.recv_batch = null_recv_batch,
	.send_batch = null_send_batch,
	.close = dgram_close,
};

int conn_open_null(const char *address, const struct conn_args *args,
		   struct vdeconn **out)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	int rc = fd < 0 ? -errno : dgram_conn_new(&null_ops, fd, -1, out);

	if (rc < 0 && fd >= 0)
		close(fd);
	return rc;
}
