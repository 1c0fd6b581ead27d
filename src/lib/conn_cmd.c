// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_cmd - the stdin and stdout of a command, which speaks the stream format
 *
 * The command has one end of a stream socket pair. We never read further than
 * the header behind the current frame, so the data descriptor stays readable
 * while there is a frame, and poll() needs no help. A frame may arrive in
 * pieces; a piece that completes none is an event without a frame.
 *
 * The host program must not notice the child: lib/spawn.h makes it nobody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/stream.h"
#include "lib/conn.h"
#include "lib/spawn.h"

/* A command that does not read, because it waits for us to read, must not
 * stop the host program for ever. */
#define SEND_TIMEOUT_US 100000

/* Frames of no length that one call skips. */
#define SKIP_BUDGET 64

struct cmd {
	struct vdeconn conn;
	int pidfd;
	bool ended;
	size_t have; /* bytes in rx */
	size_t skip; /* bytes of an overlong frame still to come */
	uint8_t rx[STREAM_HDR + STREAM_FRAME_MAX + STREAM_HDR];
	/* The rest of a frame that went out only in part. */
	size_t tx_start, tx_end;
	uint8_t tx[STREAM_HDR + STREAM_FRAME_MAX];
};

static struct cmd *cmd_of(struct vdeconn *c)
{
	return container_of(c, struct cmd, conn);
}

/* 0 when nothing is left, -EAGAIN, or another -errno. */
static int flush_rest(struct cmd *c)
{
	while (c->tx_start < c->tx_end) {
		ssize_t n = send(c->conn.data_fd, c->tx + c->tx_start,
				 c->tx_end - c->tx_start,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		c->tx_start += (size_t)n;
	}
	return 0;
}

static void keep_rest(struct cmd *c, const uint8_t *head, const uint8_t *frame,
		      size_t len, size_t sent)
{
	memcpy(c->tx, head, STREAM_HDR);
	memcpy(c->tx + STREAM_HDR, frame, len);
	c->tx_start = sent;
	c->tx_end = STREAM_HDR + len;
}

static ssize_t send_frame(struct cmd *c, const void *buf, size_t len, int flags)
{
	uint8_t head[STREAM_HDR] = { (uint8_t)(len >> 8),
				     (uint8_t)(len & 0xff) };
	struct iovec iov[] = { { head, sizeof(head) }, { unconst(buf), len } };
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;
	int rc;

	if (c->ended)
		return -EPIPE;
	if (len > STREAM_FRAME_MAX)
		return -EMSGSIZE;
	rc = flush_rest(c);
	if (rc < 0)
		return rc;
	n = sendmsg(c->conn.data_fd, &msg, flags | MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	if ((size_t)n < STREAM_HDR + len)
		keep_rest(c, head, buf, len, (size_t)n);
	return (ssize_t)len;
}

static ssize_t cmd_send(struct vdeconn *c, const void *buf, size_t len,
			int flags)
{
	return send_frame(cmd_of(c), buf, len, flags);
}

static int cmd_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		ssize_t rc = send_frame(cmd_of(c), f[i].data, f[i].len,
					MSG_DONTWAIT);

		if (rc < 0)
			return i ? i : (int)rc;
	}
	return n;
}

/* The command is gone. Its end-of-file would make the descriptor readable for
 * ever and a host program spin: put one that is silent in its place. */
static void end(struct cmd *c)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd >= 0) {
		dup3(fd, c->conn.data_fd, O_CLOEXEC);
		close(fd);
	}
	c->ended = true;
}

/* The length of the frame at the start of rx: 0 if it is not whole yet.
 * Headers that announce nothing or too much are removed. */
static size_t whole_frame(struct cmd *c)
{
	size_t len;

	while (c->have >= STREAM_HDR) {
		len = (size_t)c->rx[0] << 8 | c->rx[1];
		if (len && len <= STREAM_FRAME_MAX)
			return c->have >= STREAM_HDR + len ? len : 0;
		c->skip = len;
		c->have = 0;
	}
	return 0;
}

/* How many bytes to read: the rest of this frame and the next header. */
static size_t wanted(const struct cmd *c)
{
	size_t len;

	if (c->skip)
		return size_min(c->skip, sizeof(c->rx));
	if (c->have < STREAM_HDR)
		return STREAM_HDR - c->have;
	len = (size_t)c->rx[0] << 8 | c->rx[1];
	return STREAM_HDR + len + STREAM_HDR - c->have;
}

/* >0 bytes came, 0 the command has ended, -errno. */
static ssize_t read_more(struct cmd *c, int flags)
{
	ssize_t n = recv(c->conn.data_fd, c->rx + c->have, wanted(c), flags);

	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (c->skip)
		c->skip -= (size_t)n;
	else
		c->have += (size_t)n;
	return n;
}

/* A frame's length, 0 at the end, -EAGAIN if there is none. @flags are for
 * the first read; when that has brought something the others do not wait. */
static ssize_t recv_frame(struct cmd *c, void *buf, size_t len, int flags)
{
	size_t n = whole_frame(c);

	for (int i = 0; !n && i < SKIP_BUDGET; i++) {
		ssize_t rc = c->ended ? 0 : read_more(c, flags);

		if (rc == 0 && !c->ended)
			end(c);
		if (rc <= 0)
			return rc == -EAGAIN && i ? 1 : rc;
		flags |= MSG_DONTWAIT;
		n = whole_frame(c);
	}
	if (!n)
		return 1;
	len = size_min(len, n);
	memcpy(buf, c->rx + STREAM_HDR, len);
	c->have -= STREAM_HDR + n;
	memmove(c->rx, c->rx + STREAM_HDR + n, c->have);
	return (ssize_t)len;
}

static ssize_t cmd_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	flush_rest(cmd_of(c));
	return recv_frame(cmd_of(c), buf, len, flags);
}

static int cmd_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	int got = 0;

	flush_rest(cmd_of(c));
	while (got < n) {
		ssize_t len = recv_frame(cmd_of(c), f[got].data, f[got].len,
					 MSG_DONTWAIT);

		if (len == 1)
			len = -EAGAIN;
		if (len <= 0)
			return got ? got : (int)len;
		f[got].len = (size_t)len;
		f[got].offload = (struct vde_offload){ 0 };
		got++;
	}
	return got;
}

static void cmd_close(struct vdeconn *conn)
{
	struct cmd *c = cmd_of(conn);

	close(conn->data_fd);
	spawn_stop(c->pidfd);
	free(c);
}

static const struct conn_ops cmd_ops = {
	.recv = cmd_recv,
	.send = cmd_send,
	.recv_batch = cmd_recv_batch,
	.send_batch = cmd_send_batch,
	.close = cmd_close,
};

int conn_open_cmd(const char *command, const struct conn_args *args,
		  struct vdeconn **out)
{
	const struct timeval tv = { .tv_usec = SEND_TIMEOUT_US };
	struct cmd *c;
	int sv[2], rc;

	if (!*command)
		return -EINVAL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	c = calloc(1, sizeof(*c));
	rc = c ? 0 : -ENOMEM;
	if (rc == 0 &&
	    setsockopt(sv[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		rc = -errno;
	if (rc == 0)
		rc = spawn_command(command, sv[1], &c->pidfd);
	close(sv[1]);
	if (rc < 0) {
		close(sv[0]);
		free(c);
		return rc;
	}
	c->conn = (struct vdeconn){ .ops = &cmd_ops,
				    .data_fd = sv[0],
				    .ctl_fd = -1 };
	*out = &c->conn;
	return 0;
}
