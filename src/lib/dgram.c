// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/dgram.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t dgram_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	ssize_t n = recv(c->data_fd, buf, len, flags);

	return n < 0 ? -errno : n;
}

ssize_t dgram_send(struct vdeconn *c, const void *buf, size_t len, int flags)
{
	ssize_t n = send(c->data_fd, buf, len, flags | MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

/* Empty datagrams are dropped by moving what follows over them. The rooms
 * move along, so that no memory of the caller's appears twice. */
int dgram_drop_empty(struct vde_frame *f, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		struct vde_frame tmp = f[kept];

		if (!f[i].len)
			continue;
		f[kept] = f[i];
		if (kept != i)
			f[i] = tmp;
		kept++;
	}
	return kept;
}

int dgram_recv_raw(int fd, struct vde_frame *f, int n)
{
	struct mmsghdr msg[VDE_BATCH_MAX];
	struct iovec iov[VDE_BATCH_MAX];
	int got;

	for (int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ f[i].data, f[i].len };
		msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 },
		};
	}
	got = recvmmsg(fd, msg, (unsigned int)n, MSG_DONTWAIT, NULL);
	if (got < 0)
		return -errno;
	for (int i = 0; i < got; i++) {
		f[i].len = msg[i].msg_len;
		f[i].offload = (struct vde_offload){ 0 };
	}
	return got;
}

int dgram_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	int got = dgram_recv_raw(c->data_fd, f, n);

	if (got > 0)
		got = dgram_drop_empty(f, got);
	return got ? got : -EAGAIN;
}

int dgram_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	struct mmsghdr msg[VDE_BATCH_MAX];
	struct iovec iov[VDE_BATCH_MAX];
	int sent;

	for (int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ f[i].data, f[i].len };
		msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 },
		};
	}
	sent = sendmmsg(c->data_fd, msg, (unsigned int)n,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

void dgram_close(struct vdeconn *c)
{
	close(c->data_fd);
	if (c->ctl_fd >= 0)
		close(c->ctl_fd);
	free(c);
}

const struct conn_ops dgram_ops = {
	.recv = dgram_recv,
	.send = dgram_send,
	.recv_batch = dgram_recv_batch,
	.send_batch = dgram_send_batch,
	.close = dgram_close,
};

int dgram_conn_new(const struct conn_ops *ops, int data_fd, int ctl_fd,
		   struct vdeconn **out)
{
	struct vdeconn *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct vdeconn){ .ops = ops,
			       .data_fd = data_fd,
			       .ctl_fd = ctl_fd };
	*out = c;
	return 0;
}
