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
 *
 * It is writable exactly while the ring has room, more or less: who finds none
 * stops it up with a datagram of a quarter of its buffer, which makes a socket
 * unwritable, and the switch takes that out when there is room.
 *
 * Datagrams may be sent and received by several threads, and on after fork()
 * by either process; so may these frames. Each direction has a lock, and all
 * that is private to our side is in memory that both processes share.
 *
 * A switch that breaks the rules is hung up on, which tells the program as it
 * would tell it of a switch that has gone.
 */
#include "lib/conn_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/ringmap.h"
#include "lib/lock.h"

#define KICK_MS 100 /* how long a kick may be on its way */
#define STOP_PIECE 1024
#define STOP_PIECES 64
#define LOOK_EVERY 256 /* sendings without a look at the switch */
#define KNOWN_CAPS \
	(OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN | OFFLOAD_USO)

struct ring_conn {
	struct vdeconn conn;
	struct ringmap map;
	int fd_switch;
	unsigned int caps; /* what the caller takes */
	_Atomic uint32_t rx_lock, tx_lock;
	bool found_nothing; /* the last time there was to be a frame; rx */
	unsigned int unseen; /* sendings since the switch was seen; tx */
	_Atomic bool refused; /* the switch had gone */
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

static bool take_kick(const struct ring_conn *r)
{
	char c;

	return recv(r->conn.data_fd, &c, 1, MSG_DONTWAIT) > 0;
}

/* What a switch says there means nothing; it may not keep us from sleeping,
 * nor hide the end. */
static bool has_hung_up(const struct ring_conn *r)
{
	char junk[256];
	ssize_t n = recv(r->conn.ctl_fd, junk, sizeof(junk), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void hang_up(struct ring_conn *r)
{
	shutdown(r->conn.ctl_fd, SHUT_RDWR);
	while (take_kick(r))
		;
}

/* ---- waiting ---- */

/* The descriptor's flags are the caller's to set, as on a socket. */
static bool may_block(const struct ring_conn *r, int flags)
{
	int fl = flags & MSG_DONTWAIT ? -1 : fcntl(r->conn.data_fd, F_GETFL);

	return fl >= 0 && !(fl & O_NONBLOCK);
}

/* SO_RCVTIMEO or SO_SNDTIMEO, as poll() has it. */
static int patience(const struct ring_conn *r, int option)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	if (getsockopt(r->conn.data_fd, SOL_SOCKET, option, &tv, &len) ||
	    (!tv.tv_sec && !tv.tv_usec))
		return -1;
	if (tv.tv_sec > INT32_MAX / 1000 - 1)
		return -1;
	return (int)(tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
}

/* recv() goes on after a handler with SA_RESTART, poll() never does. Which
 * signal it was is not known; most programs have handlers of one kind, but for
 * faults, which do not happen in poll(). */
static bool handlers_restart(void)
{
	struct sigaction sa;

	for (int i = 1; i < NSIG; i++) {
		if (i == SIGSEGV || i == SIGBUS || i == SIGFPE || i == SIGILL ||
		    i == SIGTRAP || sigaction(i, NULL, &sa))
			continue;
		if (sa.sa_handler != SIG_DFL && sa.sa_handler != SIG_IGN &&
		    !(sa.sa_flags & SA_RESTART))
			return false;
	}
	return true;
}

/* Until the data descriptor has @events, when this returns 0, or the switch has
 * hung up, which is told in *@gone; -EAGAIN if the caller does not want to wait
 * (longer). */
static int sleep_for(const struct ring_conn *r, short events, int timeout,
		     bool *gone)
{
	struct pollfd p[] = {
		{ .fd = r->conn.data_fd, .events = events },
		{ .fd = r->conn.ctl_fd, .events = POLLIN },
	};
	int n = poll(p, ARRAY_SIZE(p), timeout);

	if (n < 0 && errno == EINTR && timeout < 0 && handlers_restart())
		return 0;
	if (n <= 0)
		return n ? -errno : -EAGAIN;
	*gone = p[1].revents && has_hung_up(r);
	return 0;
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
	struct pollfd p[] = {
		{ .fd = r->conn.data_fd, .events = POLLIN },
		{ .fd = r->conn.ctl_fd, .events = POLLIN },
	};

	if (!ring_wait_cancel(&r->map.to_client) && !take_kick(r)) {
		poll(p, ARRAY_SIZE(p), KICK_MS);
		take_kick(r);
	}
	ask_for_kick(r);
}

/* Nothing to read, for the second time: if the data socket says otherwise, its
 * kick is one that was waited for in vain, or was sent for nothing. It would be
 * an alarm for ever. */
static void found_nothing(struct ring_conn *r)
{
	if (r->found_nothing && take_kick(r))
		ask_for_kick(r);
	r->found_nothing = true;
}

/* The offload of a frame that has been copied; false if the switch must not
 * send us such a frame. One that was cut has none: nobody could make anything
 * of it. */
static bool read_offload(const struct ring_conn *r, struct vde_frame *f,
			 const struct ring_record *rec)
{
	const struct frame_offload o = { .flags = rec->flags & FRAME_NEEDS_CSUM,
					 .gso_type = rec->gso_type,
					 .hdr_len = rec->hdr_len,
					 .gso_size = rec->gso_size,
					 .csum_start = rec->csum_start,
					 .csum_offset = rec->csum_offset };

	f->offload = (struct vde_offload){ 0 };
	if (offload_is_none(&o))
		return true;
	if (!offload_fits(&o, r->caps))
		return false;
	if (f->len < rec->len)
		return true;
	batch_set_offload(f, &o);
	return offload_check(f->data, f->len, &o);
}

/* One frame, if there is one: 0, -EAGAIN, or -EPROTO, from then on, if the
 * switch does not keep to the rules. */
static int take(struct ring_conn *r, struct vde_frame *f)
{
	struct ring *in = &r->map.to_client;
	struct ring_record rec;
	int err = -EAGAIN;
	const uint8_t *p = ring_peek(in, &rec, &err);

	if (p) {
		f->len = size_min(f->len, rec.len);
		memcpy(f->data, p, f->len);
		ring_take(in, &rec);
		err = read_offload(r, f, &rec) ? 0 : -EPROTO;
	}
	if (err == -EPROTO) {
		in->broken = true;
		hang_up(r);
	}
	return err;
}

static void give_back(struct ring_conn *r)
{
	struct ring *in = &r->map.to_client;
	bool empty = ring_is_empty(in);

	if (empty ? ring_release(in) : ring_release_much(in))
		kick_switch(r);
	if (empty)
		ran_empty(r);
}

/* Up to @n frames, as many as there are. */
static int take_all(struct ring_conn *r, struct vde_frame *f, int n)
{
	int got = 0, rc = 0;

	lock_acquire(&r->rx_lock);
	while (got < n && !rc) {
		rc = take(r, &f[got]);
		if (!rc)
			got++;
	}
	if (got)
		r->found_nothing = false;
	if (!got && rc == -EAGAIN)
		found_nothing(r);
	else if (rc != -EPROTO)
		give_back(r);
	lock_release(&r->rx_lock);
	return got ? got : rc;
}

static ssize_t ring_conn_recv(struct vdeconn *c, void *buf, size_t len,
			      int flags)
{
	struct ring_conn *r = of(c);
	bool gone = false;

	for (;;) {
		struct vde_frame f = { .data = buf, .len = len };
		int rc = take_all(r, &f, 1);

		if (rc > 0)
			return (ssize_t)f.len;
		if (rc != -EAGAIN || !may_block(r, flags))
			return rc;
		if (gone)
			return -ECONNRESET;
		rc = sleep_for(r, POLLIN, patience(r, SO_RCVTIMEO), &gone);
		if (rc)
			return rc;
	}
}

static int ring_conn_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	return take_all(of(c), f, n);
}

/* ---- frames out ---- */

static int put(struct ring_conn *r, const struct vde_frame *f)
{
	const struct frame_offload o = batch_offload(f);
	struct ring *out = &r->map.to_switch;
	struct ring_record rec = { .len = (uint32_t)f->len };
	size_t max_len = ETHER_MAX_LEN;
	int err = -EAGAIN;
	uint8_t *p;

	if (!offload_is_none(&o)) {
		rec.flags = o.flags & FRAME_NEEDS_CSUM;
		rec.gso_type = o.gso_type;
		rec.hdr_len = o.hdr_len;
		rec.gso_size = o.gso_size;
		rec.csum_start = o.csum_start;
		rec.csum_offset = o.csum_offset;
		max_len = VDE_FRAME_MAX;
	}
	if (f->len > size_min(max_len, out->max_len))
		return -EMSGSIZE;
	p = ring_reserve(out, &rec, &err);
	if (p)
		memcpy(p, f->data, f->len);
	return p ? 0 : err;
}

/* A switch that has to be woken may also be dead; one that died at work is
 * noticed after some frames. What was sent has been shown. */
static int wake_switch(struct ring_conn *r, bool look)
{
	bool kick = ring_consumer_sleeps(&r->map.to_switch);

	if (kick)
		kick_switch(r);
	if ((!kick && !look) || !has_hung_up(r))
		return 0;
	r->refused = true;
	return -ECONNREFUSED;
}

/* Makes the data descriptor unwritable, unless it is. A caller may have set the
 * size of its buffer. */
static int stop_up(struct ring_conn *r)
{
	static const char zeros[STOP_PIECE];
	struct iovec iov[STOP_PIECES];
	struct msghdr msg = { .msg_iov = iov };
	socklen_t len = sizeof(int);
	int fd = r->conn.data_fd, unread = 0, size = 0;

	if (!ioctl(fd, SIOCOUTQ, &unread) && unread > 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len))
		return -errno;
	while (msg.msg_iovlen < STOP_PIECES &&
	       msg.msg_iovlen * STOP_PIECE < (size_t)size / 4)
		iov[msg.msg_iovlen++] = (struct iovec){ unconst(zeros),
							sizeof(zeros) };
	if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	    errno == EAGAIN)
		return 0;
	return errno == ENOBUFS || errno == ENOMEM ? -errno : -ECONNREFUSED;
}

/* -EAGAIN, and the data descriptor becomes writable when there is room; 0:
 * there is already. */
static int no_room(struct ring_conn *r, size_t len)
{
	int rc = has_hung_up(r) ? -ECONNREFUSED : stop_up(r);

	if (rc)
		return rc;
	return ring_has_room(&r->map.to_switch, (uint32_t)len) ? 0 : -EAGAIN;
}

/* How many were taken, or why the first was not. */
static int put_all(struct ring_conn *r, const struct vde_frame *f, int n)
{
	int sent = 0, rc = 0;
	bool look;

	lock_acquire(&r->tx_lock);
	if (r->refused)
		rc = -ECONNREFUSED;
	while (sent < n && !rc) {
		rc = put(r, &f[sent]);
		if (!rc)
			sent++;
		if (rc == -EAGAIN)
			rc = no_room(r, f[sent].len);
	}
	if (rc == -EPROTO)
		hang_up(r);
	if (rc == -EPROTO || rc == -ECONNREFUSED)
		sent = 0;
	if (sent)
		ring_show(&r->map.to_switch);
	look = ++r->unseen % LOOK_EVERY == 0;
	lock_release_fenced(&r->tx_lock);
	if (sent)
		rc = wake_switch(r, look);
	return sent && !rc ? sent : rc;
}

static ssize_t ring_conn_send(struct vdeconn *c, const void *buf, size_t len,
			      int flags)
{
	const struct vde_frame f = { .data = unconst(buf), .len = len };
	struct ring_conn *r = of(c);
	bool gone;

	for (;;) {
		int rc = put_all(r, &f, 1);

		if (rc > 0)
			return (ssize_t)len;
		if (rc != -EAGAIN || !may_block(r, flags))
			return rc;
		rc = sleep_for(r, POLLOUT, patience(r, SO_SNDTIMEO), &gone);
		if (rc)
			return rc;
	}
}

static int ring_conn_send_batch(struct vdeconn *c, const struct vde_frame *f,
				int n)
{
	return put_all(of(c), f, n);
}

/* ---- life ---- */

/* In memory that a child shares. */
static struct ring_conn *new_conn(void)
{
	struct ring_conn *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return r == MAP_FAILED ? NULL : r;
}

static void free_conn(struct ring_conn *r)
{
	munmap(r, sizeof(*r));
}

static void ring_conn_close(struct vdeconn *c)
{
	struct ring_conn *r = of(c);

	ringmap_close(&r->map);
	close(r->fd_switch);
	close(c->data_fd);
	close(c->ctl_fd);
	free_conn(r);
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
	/* Without the padding, in which one more would find room. */
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = CMSG_LEN(WIRE_N_FDS *
							 sizeof(int)) };
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
	    a->version == WIRE_VERSION_RING && !(msg.msg_flags & MSG_CTRUNC) &&
	    n_fds == (a->status ? 0 : WIRE_N_FDS))
		return 0;
	close_fds(fds, n_fds);
	return -EOPNOTSUPP;
}

static int start(struct ring_conn *r, const struct wire_answer *a,
		 const int fds[WIRE_N_FDS], int ctl, unsigned int caps)
{
	int rc = ringmap_open(&r->map, fds[WIRE_FD_MEMORY], a->ring_size,
			      a->max_len);

	if (rc)
		return rc;
	close(fds[WIRE_FD_MEMORY]);
	r->fd_switch = fds[WIRE_FD_SWITCH];
	r->caps = caps;
	/* So that little is enough to stop it up. */
	setsockopt(fds[WIRE_FD_DATA], SOL_SOCKET, SO_SNDBUF, &(int){ 1 },
		   sizeof(int));
	r->conn = (struct vdeconn){ .ops = &ring_ops,
				    .data_fd = fds[WIRE_FD_DATA],
				    .ctl_fd = ctl,
				    .takes = a->caps & KNOWN_CAPS };
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

int ring_conn_take(int ctl, int timeout_ms, unsigned int caps,
		   struct vdeconn **out)
{
	struct wire_answer a = { 0 };
	int fds[WIRE_N_FDS];
	struct ring_conn *r;
	int rc = receive_answer(ctl, timeout_ms, &a, fds);

	if (rc)
		return rc;
	if (a.status)
		return a.status == EOPNOTSUPP ? -EOPNOTSUPP : -EACCES;
	r = new_conn();
	rc = r ? start(r, &a, fds, ctl, caps) : -ENOMEM;
	if (rc) {
		close_fds(fds, WIRE_N_FDS);
		if (r)
			free_conn(r);
		return -EOPNOTSUPP; /* no room for the memory */
	}
	*out = &r->conn;
	return 0;
}
