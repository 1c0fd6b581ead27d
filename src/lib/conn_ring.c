// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The data descriptor is readable exactly while the ring has frames. Between
 * calls one of two things is true:
 *
 *   the ring has frames, and one kick is in the data socket or on its way
 *   the ring is empty, no kick is, and the switch has been asked for one
 *
 * The step from the first to the second is taken together with the last
 * frame, and costs one system call each time the ring runs empty; a ring that
 * does not run empty costs none. A kick that is on its way (the switch has
 * taken our wish but not yet sent) is waited for, since it would be a false
 * alarm later.
 */
#include "lib/conn_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/ringmap.h"

#define KICK_MS 100 /* how long a kick may be on its way */

struct ring_conn {
	struct vdeconn conn;
	struct ringmap map;
	int fd_switch, fd_room;
	bool found_nothing; /* the last time there was to be a frame */
};

static struct ring_conn *of(struct vdeconn *c)
{
	return container_of(c, struct ring_conn, conn);
}

static void kick_switch(struct ring_conn *r)
{
	static const uint64_t one = 1;
	ssize_t n;

	do
		n = write(r->fd_switch, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

static bool take_kick(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) > 0;
}

/* Until @fd is readable or the switch has hung up; false after the time. */
static bool sleep_on(const struct ring_conn *r, int fd, int timeout_ms)
{
	struct pollfd p[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = r->conn.ctl_fd, .events = POLLIN },
	};

	return poll(p, ARRAY_SIZE(p), timeout_ms) > 0;
}

/* What a switch says there means nothing; it may not keep us from sleeping,
 * nor hide the end. */
static bool has_hung_up(const struct ring_conn *r)
{
	char junk[256];
	ssize_t n = recv(r->conn.ctl_fd, junk, sizeof(junk), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* The flag is the caller's to set, as on a socket. */
static bool may_block(const struct ring_conn *r)
{
	int flags = fcntl(r->conn.data_fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

/* ---- frames in ---- */

static void ask_for_kick(struct ring_conn *r)
{
	/* A frame has come meanwhile: let the switch see our wish. */
	if (!ring_wait_data(&r->map.to_client))
		kick_switch(r);
}

static void ran_empty(struct ring_conn *r)
{
	if (!ring_wait_cancel(&r->map.to_client) &&
	    !take_kick(r->conn.data_fd) &&
	    sleep_on(r, r->conn.data_fd, KICK_MS))
		take_kick(r->conn.data_fd);
	ask_for_kick(r);
}

/* Nothing to read, for the second time: if the data socket says otherwise, its
 * kick is one that was waited for in vain, or was sent for nothing. It would be
 * an alarm for ever. */
static void found_nothing(struct ring_conn *r)
{
	if (r->found_nothing && take_kick(r->conn.data_fd))
		ask_for_kick(r);
	r->found_nothing = true;
}

/* One frame, if there is one: its length, -EAGAIN or -EPROTO. */
static ssize_t take(struct ring_conn *r, void *buf, size_t len)
{
	struct ring *in = &r->map.to_client;
	struct ring_record rec;
	int err = -EAGAIN;
	const uint8_t *p = ring_peek(in, &rec, &err);

	if (!p && err == -EAGAIN)
		found_nothing(r);
	if (!p)
		return err;
	r->found_nothing = false;
	len = size_min(len, rec.len);
	memcpy(buf, p, len);
	ring_take(in, &rec);
	return (ssize_t)len;
}

static void taken(struct ring_conn *r)
{
	if (ring_release(&r->map.to_client))
		kick_switch(r);
	if (ring_is_empty(&r->map.to_client))
		ran_empty(r);
}

static ssize_t ring_conn_recv(struct vdeconn *c, void *buf, size_t len)
{
	struct ring_conn *r = of(c);

	for (;;) {
		ssize_t n = take(r, buf, len);

		if (n >= 0)
			taken(r);
		if (n != -EAGAIN || !may_block(r))
			return n;
		sleep_on(r, c->data_fd, -1);
		if (has_hung_up(r))
			return -ECONNRESET;
	}
}

static int ring_conn_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	struct ring_conn *r = of(c);
	int got;

	for (got = 0; got < n; got++) {
		ssize_t len = take(r, f[got].data, f[got].len);

		if (len < 0 && !got)
			return (int)len;
		if (len < 0)
			break;
		f[got].len = (size_t)len;
		f[got].offload = (struct vde_offload){ 0 };
	}
	taken(r);
	return got;
}

/* ---- frames out ---- */

static int put(struct ring_conn *r, const void *buf, size_t len)
{
	struct ring *out = &r->map.to_switch;
	struct ring_record rec = { .len = (uint32_t)len };
	int err = -EAGAIN;
	uint8_t *p;

	if (len > out->max_len)
		return -EMSGSIZE;
	p = ring_reserve(out, &rec, &err);
	if (!p)
		return err;
	memcpy(p, buf, len);
	return 0;
}

/* A switch that is asleep may also be dead, and its socket would refuse us.
 * One that dies at work is noticed when the ring is full. */
static int publish(struct ring_conn *r)
{
	if (!ring_publish(&r->map.to_switch))
		return 0;
	kick_switch(r);
	return has_hung_up(r) ? -ECONNREFUSED : 0;
}

/* False: there is room already. */
static bool wait_room(struct ring_conn *r, size_t len)
{
	while (take_kick(r->fd_room))
		;
	return ring_wait_room(&r->map.to_switch, (uint32_t)len);
}

static ssize_t ring_conn_send(struct vdeconn *c, const void *buf, size_t len)
{
	struct ring_conn *r = of(c);

	for (;;) {
		int rc = put(r, buf, len);

		if (!rc)
			rc = publish(r);
		else if (rc == -EAGAIN && has_hung_up(r))
			rc = -ECONNREFUSED;
		if (!rc)
			return (ssize_t)len;
		if (rc != -EAGAIN || !may_block(r))
			return rc;
		if (wait_room(r, len))
			sleep_on(r, r->fd_room, -1);
	}
}

static int ring_conn_send_batch(struct vdeconn *c, const struct vde_frame *f,
				int n)
{
	struct ring_conn *r = of(c);
	int sent, rc = 0;

	for (sent = 0; sent < n; sent++) {
		rc = put(r, f[sent].data, f[sent].len);
		if (rc)
			break;
	}
	if (sent) {
		rc = publish(r);
		return rc ? rc : sent;
	}
	return rc == -EAGAIN && has_hung_up(r) ? -ECONNREFUSED : rc;
}

/* ---- life ---- */

static void ring_conn_close(struct vdeconn *c)
{
	struct ring_conn *r = of(c);

	ringmap_close(&r->map);
	close(r->fd_switch);
	close(r->fd_room);
	close(c->data_fd);
	close(c->ctl_fd);
	free(r);
}

static const struct conn_ops ring_ops = {
	.recv = ring_conn_recv,
	.send = ring_conn_send,
	.recv_batch = ring_conn_recv_batch,
	.send_batch = ring_conn_send_batch,
	.close = ring_conn_close,
};

static void close_fds(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Signals do not matter. */
static bool wait_readable(int fd, int timeout_ms)
{
	const int64_t end = now_ms() + timeout_ms;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int left = timeout_ms, n;

	while ((n = poll(&p, 1, left)) < 0 && errno == EINTR) {
		left = (int)(end - now_ms());
		if (left < 0)
			left = 0;
	}
	return n > 0;
}

/* The answer with its descriptors. 0; -EAGAIN if it does not come in time;
 * -EOPNOTSUPP if what comes is none. On failure there are no descriptors. */
static int receive_answer(int ctl, int timeout_ms, struct wire_answer *a,
			  int fds[WIRE_N_FDS])
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(WIRE_N_FDS * sizeof(int))];
	} control;
	struct iovec iov = { a, sizeof(*a) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	const struct cmsghdr *c;
	size_t n_fds = 0;
	ssize_t n;

	if (!wait_readable(ctl, timeout_ms))
		return -EAGAIN;
	n = recvmsg(ctl, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return -EOPNOTSUPP;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), n_fds * sizeof(int));
	}
	if (n == (ssize_t)sizeof(*a) && a->magic == WIRE_MAGIC &&
	    a->version == WIRE_VERSION_RING &&
	    n_fds == (a->status ? 0 : WIRE_N_FDS))
		return 0;
	close_fds(fds, n_fds);
	return -EOPNOTSUPP;
}

static int start(struct ring_conn *r, const struct wire_answer *a,
		 const int fds[WIRE_N_FDS], int ctl)
{
	int rc = ringmap_open(&r->map, fds[WIRE_FD_MEMORY], a->ring_size,
			      a->max_len);

	if (rc)
		return rc;
	close(fds[WIRE_FD_MEMORY]);
	r->fd_switch = fds[WIRE_FD_SWITCH];
	r->fd_room = fds[WIRE_FD_ROOM];
	r->conn = (struct vdeconn){ .ops = &ring_ops,
				    .data_fd = fds[WIRE_FD_DATA],
				    .ctl_fd = ctl,
				    .takes = a->caps,
				    .send_fd = r->fd_room,
				    .send_events = POLLIN };
	ask_for_kick(r);
	return 0;
}

int ring_conn_ask(int ctl, const struct wire_request *rq, const char *descr)
{
	uint8_t msg[WIRE_REQ_MAX];
	size_t len = wire_build_ring_request(msg, rq, descr);

	return send(ctl, msg, len, MSG_NOSIGNAL) == (ssize_t)len ? 0
								 : -EOPNOTSUPP;
}

int ring_conn_take(int ctl, int timeout_ms, struct vdeconn **out)
{
	struct wire_answer a = { 0 };
	int fds[WIRE_N_FDS];
	struct ring_conn *r;
	int rc = receive_answer(ctl, timeout_ms, &a, fds);

	if (rc)
		return rc;
	if (a.status)
		return a.status == EOPNOTSUPP ? -EOPNOTSUPP : -EACCES;
	r = calloc(1, sizeof(*r));
	rc = r ? start(r, &a, fds, ctl) : -ENOMEM;
	if (rc) {
		close_fds(fds, WIRE_N_FDS);
		free(r);
		return -EOPNOTSUPP; /* no room for the memory */
	}
	*out = &r->conn;
	return 0;
}
