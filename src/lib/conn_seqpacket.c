// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_seqpacket - an inherited socket that keeps message boundaries
 *
 * The socket belongs to the connection from now on: vde_close() closes it.
 */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include "base/num.h"
#include "lib/conn.h"
#include "lib/dgram.h"

/* Here an empty message is the end, and recvmmsg() returns it for ever. */
static int seqpacket_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	ssize_t len;

	for (int i = 0; i < n; i++) {
		len = recv(c->data_fd, f[i].data, f[i].len, MSG_DONTWAIT);
		if (len < 0)
			return i ? i : -errno;
		if (len == 0)
			return i;
		f[i].len = (size_t)len;
		f[i].offload = (struct vde_offload){ 0 };
	}
	return n;
}

static const struct conn_ops seqpacket_ops = {
	.recv = dgram_recv,
	.send = dgram_send,
	.recv_batch = seqpacket_recv_batch,
	.send_batch = dgram_send_batch,
	.close = dgram_close,
};

int conn_open_seqpacket(const char *address, const struct conn_args *args,
			struct vdeconn **out)
{
	int64_t fd;
	int type;
	socklen_t len = sizeof(type);

	if (!parse_num(address, 0, INT_MAX, &fd))
		return -EINVAL;
	if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	if (type == SOCK_STREAM)
		return -EPROTOTYPE;
	return dgram_conn_new(&seqpacket_ops, (int)fd, -1, out);
}
