// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A byte stream as an end. One read may bring hundreds of frames; they are
 * handed out from the buffer, and the next read comes when only a part of a
 * frame is left. Frames to send are gathered in a second buffer and written
 * in one go; a write that took only a part is continued later, so a frame is
 * written whole or not at all.
 *
 * A program that ends closes both of its pipes, and it is by chance which of
 * them is noticed first. So when nobody reads the output any more the input
 * decides: if nobody writes there either, what is left in it is read up to its
 * end, and what is sent meanwhile is dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/stream.h"
#include "common/log.h"
#include "plug/ends.h"

#define BUF_SIZE (128 * 1024)
#define PIPE_SIZE (256 * 1024)
#define DRAIN_MS 1000
#define LEAVING_MS 50 /* between the first pipe and the second */

struct side {
	struct loop_fd io;
	struct loop_timer poll; /* for a file, which epoll refuses */
	const char *name;
	int fd; /* -1: there is none */
	int flags; /* before we changed them, or -1 */
	bool file;
};

struct end_stream {
	struct end end;
	struct side in, out;
	struct stream rx, tx;
	bool frames_left; /* the last recv() may not have emptied rx */
	bool tx_wanted; /* the user holds a frame */
	bool peer_gone; /* and what it wrote is still read */
	uint8_t rx_buf[BUF_SIZE], tx_buf[BUF_SIZE];
};

static struct end_stream *stream_of(struct end *e)
{
	return container_of(e, struct end_stream, end);
}

/* ---- waiting ---- */

static void in_ready(struct loop_fd *w, uint32_t events)
{
	end_readable(&container_of(w, struct end_stream, in.io)->end);
}

static void in_poll(struct loop_timer *t)
{
	end_readable(&container_of(t, struct end_stream, in.poll)->end);
}

static int write_out(struct end_stream *s);

static void out_ready(struct loop_fd *w, uint32_t events)
{
	struct end_stream *s = container_of(w, struct end_stream, out.io);

	if (write_out(s))
		end_stop(&s->end, EXIT_FAILURE);
	else
		end_writable(&s->end);
}

static int watch(struct end_stream *s, struct side *side, uint32_t events,
		 loop_fd_fn *fn, loop_timer_fn *poll_fn)
{
	int rc;

	if (side->fd < 0 || side->io.on || loop_timer_armed(&side->poll))
		return 0;
	rc = side->file ? -EPERM
			: loop_fd_add(s->end.loop, &side->io, side->fd, events,
				      fn);
	if (rc != -EPERM)
		return rc;
	side->file = true;
	return poll_fn ? loop_timer_set(s->end.loop, &side->poll, 0, poll_fn)
		       : 0;
}

/* A watch that waits for nothing would still report hang-ups, over and over,
 * so it goes. */
static void unwatch(struct end_stream *s, struct side *side)
{
	loop_fd_del(s->end.loop, &side->io);
	loop_timer_del(s->end.loop, &side->poll);
}

static int stream_want_rx(struct end *e, bool on)
{
	struct end_stream *s = stream_of(e);

	if (on)
		return watch(s, &s->in, EPOLLIN, in_ready, in_poll);
	unwatch(s, &s->in);
	return 0;
}

/* The output is watched as long as there is something to write, here or in the
 * user: the reader may have emptied the pipe, and thus this buffer, just after
 * a frame was turned away for want of room. */
static int watch_out(struct end_stream *s)
{
	size_t len;

	stream_pending(&s->tx, &len);
	if (len || s->tx_wanted)
		return watch(s, &s->out, EPOLLOUT, out_ready, NULL);
	unwatch(s, &s->out);
	return 0;
}

static int stream_want_tx(struct end *e, bool on)
{
	struct end_stream *s = stream_of(e);

	s->tx_wanted = on;
	return watch_out(s);
}

/* ---- frames in ---- */

static int garbage(const struct end_stream *s)
{
	log_err("unable to read a frame from %s: impossible length %zu: "
		"its writer does not speak the protocol of vde_plug",
		s->in.name, s->rx.too_long_len);
	return END_BROKEN;
}

static int end_of_input(const struct end_stream *s)
{
	size_t left;

	stream_pending(&s->rx, &left);
	if (!left && !s->rx.skip)
		return END_OVER;
	log_err("unable to read a frame from %s: it ends within the frame",
		s->in.name);
	return END_CUT;
}

static int fill(struct end_stream *s)
{
	size_t room;
	uint8_t *p = stream_space(&s->rx, &room);
	ssize_t n = read(s->in.fd, p, room);

	if (n > 0) {
		stream_fill(&s->rx, (size_t)n);
		return 1;
	}
	if (n == 0)
		return end_of_input(s);
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	log_err("unable to read from %s: %s", s->in.name, strerror(errno));
	return END_BROKEN;
}

/* Nothing behind an impossible length is a frame. */
static int unpack(struct end_stream *s, struct vde_frame *f, int n)
{
	int got = 0;

	while (got < n) {
		size_t len;
		const uint8_t *p = stream_next(&s->rx, &len);

		if (!p || s->rx.too_long)
			break;
		if (len < s->end.min_len)
			s->end.drops[END_DROP_SHORT]++;
		else
			f[got++] = (struct vde_frame){ unconst(p), len, { 0 } };
	}
	s->end.drops[END_DROP_EMPTY] = s->rx.empty;
	s->frames_left = got == n || s->rx.too_long;
	return got;
}

static int stream_recv(struct end *e, struct vde_frame *f, int n)
{
	struct end_stream *s = stream_of(e);
	int got = 0, rc;

	if (s->in.fd < 0)
		return 0;
	if (!s->rx.too_long)
		got = unpack(s, f, n);
	if (!got && !s->rx.too_long) {
		rc = fill(s);
		if (rc <= 0)
			return rc;
		got = unpack(s, f, n);
	}
	return !got && s->rx.too_long ? garbage(s) : got;
}

static bool stream_is_pending(struct end *e)
{
	return stream_of(e)->frames_left;
}

/* ---- frames out ---- */

static bool has_left(const struct end_stream *s)
{
	struct pollfd pfd = { s->in.fd, 0, 0 };

	return s->in.fd >= 0 && poll(&pfd, 1, LEAVING_MS) > 0 &&
	       (pfd.revents & POLLHUP);
}

/* 0 if that is no failure, or another end will tell. */
static int write_failed(struct end_stream *s, int err)
{
	size_t len;

	if (err == EAGAIN)
		return 0;
	if (err != EPIPE || !has_left(s)) {
		log_err("unable to write to %s: %s", s->out.name,
			strerror(err));
		return END_BROKEN;
	}
	s->peer_gone = true;
	stream_pending(&s->tx, &len);
	stream_sent(&s->tx, len);
	return 0;
}

static int write_out(struct end_stream *s)
{
	for (;;) {
		size_t len;
		const uint8_t *p = stream_pending(&s->tx, &len);
		ssize_t n;

		if (!len)
			break;
		n = write(s->out.fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && write_failed(s, errno))
			return END_BROKEN;
		if (n < 0)
			break;
		stream_sent(&s->tx, (size_t)n);
	}
	return watch_out(s) ? END_BROKEN : 0;
}

/* 1 if some bytes went, 0 if the reader takes none now. */
static int make_room(struct end_stream *s)
{
	size_t before, after;

	stream_pending(&s->tx, &before);
	if (write_out(s))
		return END_BROKEN;
	stream_pending(&s->tx, &after);
	return after < before;
}

static int stream_send(struct end *e, const struct vde_frame *f, int n)
{
	struct end_stream *s = stream_of(e);
	int i = 0, rc;

	while (i < n && !s->peer_gone) {
		if (f[i].len > s->tx.max) {
			e->drops[END_DROP_LONG]++;
		} else if (!stream_add(&s->tx, f[i].data, f[i].len)) {
			rc = make_room(s);
			if (rc < 0)
				return rc;
			if (rc == 0)
				break;
			continue;
		}
		i++;
	}
	if (write_out(s))
		return END_BROKEN;
	if (!s->peer_gone)
		return i;
	e->drops[END_DROP_LOST] += (uint64_t)n;
	return n;
}

static bool stream_unsent(struct end *e)
{
	size_t len;

	stream_pending(&stream_of(e)->tx, &len);
	return len;
}

/* ---- begin and end ---- */

/* What a transport protocol has on its way fits into a pipe of this size, and
 * not into one of 64 KiB. On anything but a pipe this does nothing. */
static void widen(int fd)
{
	int size = fcntl(fd, F_GETPIPE_SZ);

	if (size > 0 && size < PIPE_SIZE)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

static int take_side(struct side *side, int fd, const char *name)
{
	*side = (struct side){ .name = name, .fd = fd, .flags = -1 };
	if (fd < 0)
		return 0;
	side->flags = fcntl(fd, F_GETFL);
	if (side->flags < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, side->flags | O_NONBLOCK))
		return -errno;
	widen(fd);
	return 0;
}

/* The descriptions are shared with whoever gave us the descriptors. */
static void give_back(const struct side *side)
{
	if (side->flags >= 0 && !(side->flags & O_NONBLOCK))
		(void)fcntl(side->fd, F_SETFL, side->flags);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A reader must not be left with half a frame. */
static void drain(struct end_stream *s)
{
	int64_t end = now_ms() + DRAIN_MS;

	for (;;) {
		struct pollfd pfd = { s->out.fd, POLLOUT, 0 };
		int64_t left = end - now_ms();
		size_t len;
		const uint8_t *p = stream_pending(&s->tx, &len);
		ssize_t n;

		if (!len || left <= 0)
			return;
		n = write(s->out.fd, p, len);
		if (n > 0)
			stream_sent(&s->tx, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return;
		else
			(void)poll(&pfd, 1, (int)left);
	}
}

static void stream_close(struct end *e)
{
	struct end_stream *s = stream_of(e);

	drain(s);
	unwatch(s, &s->in);
	unwatch(s, &s->out);
	give_back(&s->in);
	give_back(&s->out);
	end_fini(e);
	free(s);
}

/* The reader is to see the end of the pipe; the descriptor is the caller's. */
static void stream_hang_up(struct end *e)
{
	struct end_stream *s = stream_of(e);
	size_t len;
	int null;

	stream_pending(&s->tx, &len);
	if (len || s->out.fd < 0)
		return;
	null = open("/dev/null", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (null < 0)
		return;
	unwatch(s, &s->out);
	give_back(&s->out);
	s->out.flags = -1;
	(void)dup2(null, s->out.fd);
	close(null);
}

static const struct end_ops stream_ops = {
	.recv = stream_recv,
	.send = stream_send,
	.want_rx = stream_want_rx,
	.want_tx = stream_want_tx,
	.pending = stream_is_pending,
	.unsent = stream_unsent,
	.hang_up = stream_hang_up,
	.close = stream_close,
};

int end_stream_open(struct end **out, struct loop *loop,
		    const struct stream_fds *fds)
{
	struct end_stream *s = malloc(sizeof(*s));
	size_t max_len = fds->max_len ? fds->max_len : STREAM_FRAME_MAX;
	int rc;

	if (!s)
		return -ENOMEM;
	memset(s, 0, offsetof(struct end_stream, rx_buf));
	if (!end_init(&s->end, &stream_ops, loop,
		      fds->out < 0 ? fds->in_name : fds->out_name)) {
		free(s);
		return -ENOMEM;
	}
	stream_init(&s->rx, s->rx_buf, sizeof(s->rx_buf), max_len);
	stream_init(&s->tx, s->tx_buf, sizeof(s->tx_buf), max_len);
	rc = take_side(&s->in, fds->in, fds->in_name);
	if (!rc)
		rc = take_side(&s->out, fds->out, fds->out_name);
	if (rc) {
		give_back(&s->in);
		end_fini(&s->end);
		free(s);
		return rc;
	}
	*out = &s->end;
	return 0;
}
