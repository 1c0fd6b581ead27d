// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection to a network as an end. The library moves the batches; here is
 * how such a connection ends.
 *
 * A switch hangs up by closing the control connection, whatever the reason.
 * One that was told to shut down, or to remove the port, takes its datagram
 * socket out of the file system as well; one that was killed leaves it there.
 * So after the hang-up the file is looked for, for a moment, and if it stays
 * the switch has died. With rings there is no such file but the socket that
 * the switch listens on: there it has died if nobody listens any more.
 * A datagram socket that refuses our frames while the control connection lives
 * is given the same moment for the hang-up to come.
 *
 * Peers without a control connection (UDP, point to point) come and go as
 * they like: their refusals are losses, as on a wire.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "common/unixsock.h"
#include "plug/ends.h"

/* For the longest frame that is to be cut. Not a multiple of a page's size:
 * short frames shall not all want the same places of the caches. */
#define FRAME_ROOM 65600
#define GRACE (200 * LOOP_MS)
#define LINGER_MS 1000
#define GRACE_STEP (10 * LOOP_MS)
#define ENOUGH_ANSWERS 3

struct end_vde {
	struct end end;
	VDECONN *conn;
	struct loop_fd data, ctl;
	struct loop_timer grace;
	uint64_t grace_end;
	int refused; /* errno of the refusal, 0: none yet */
	bool gone; /* the control connection was closed */
	bool rx, tx; /* wanted */
	bool more; /* the last batch was full */
	bool rings; /* @peer is where the switch listens */
	int answers; /* how many times in a row it did */
	char peer[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	uint8_t room[CABLE_BURST][FRAME_ROOM];
};

static struct end_vde *vde_of(struct end *e)
{
	return container_of(e, struct end_vde, end);
}

/* ---- the end ---- */

/* Does what is left of the switch look as if it had meant to hang up? One that
 * is killed may hang up a moment before it stops listening. */
static bool has_left(struct end_vde *v)
{
	struct stat st;
	int fd;

	if (!v->peer[0] || lstat(v->peer, &st))
		return true;
	if (!v->rings)
		return false;
	fd = unixsock_connect_within(v->peer, 1);
	if (fd >= 0)
		close(fd);
	if (fd < 0 && fd != -ETIMEDOUT)
		v->answers = 0;
	else
		v->answers++;
	return v->answers >= ENOUGH_ANSWERS;
}

static void verdict(struct end_vde *v)
{
	if (!v->gone) {
		log_err("unable to send to %s: %s", v->end.name,
			strerror(v->refused));
	} else if (!has_left(v)) {
		log_err("unable to go on with %s: the switch has died",
			v->end.name);
	} else {
		cable_stop(v->end.cable, EXIT_SUCCESS);
		return;
	}
	cable_stop(v->end.cable, EXIT_FAILURE);
}

static void look_again(struct loop_timer *t)
{
	struct end_vde *v = container_of(t, struct end_vde, grace);

	if ((v->gone && has_left(v)) || loop_now(v->end.loop) >= v->grace_end)
		verdict(v);
	else if (loop_timer_set(v->end.loop, t, GRACE_STEP, look_again))
		cable_stop(v->end.cable, EXIT_FAILURE);
}

static void start_grace(struct end_vde *v)
{
	if (loop_timer_armed(&v->grace))
		return;
	v->grace_end = loop_now(v->end.loop) + GRACE;
	if (loop_timer_set(v->end.loop, &v->grace, 0, look_again))
		cable_stop(v->end.cable, EXIT_FAILURE);
}

/* Readable is as good as closed: nothing is ever said here. What the switch
 * sent before it left is still delivered. */
static void ctl_ready(struct loop_fd *w, uint32_t events)
{
	struct end_vde *v = container_of(w, struct end_vde, ctl);

	loop_fd_del(v->end.loop, w);
	v->gone = true;
	start_grace(v);
	cable_readable(&v->end);
}

static void refused(struct end_vde *v, int err)
{
	if (v->refused)
		return;
	v->refused = err;
	start_grace(v);
}

static bool is_refusal(int err)
{
	return err == ECONNREFUSED || err == ECONNRESET || err == ENOTCONN ||
	       err == EPIPE || err == ENOENT;
}

static bool has_ctl(const struct end_vde *v)
{
	return v->gone || v->ctl.on;
}

/* ---- waiting ---- */

static void data_ready(struct loop_fd *w, uint32_t events)
{
	struct end_vde *v = container_of(w, struct end_vde, data);
	struct cable *c = v->end.cable;

	if (v->tx && (events & (EPOLLOUT | EPOLLERR)))
		cable_writable(&v->end);
	if (!c->over && v->rx && (events & ~(uint32_t)EPOLLOUT))
		cable_readable(&v->end);
}

static int watch_data(struct end_vde *v)
{
	uint32_t events = (v->rx ? EPOLLIN : 0) | (v->tx ? EPOLLOUT : 0);

	if (!events) {
		loop_fd_del(v->end.loop, &v->data);
		return 0;
	}
	if (v->data.on)
		return loop_fd_want(v->end.loop, &v->data, events);
	return loop_fd_add(v->end.loop, &v->data, vde_datafd(v->conn), events,
			   data_ready);
}

static int vde_want_rx(struct end *e, bool on)
{
	struct end_vde *v = vde_of(e);

	v->rx = on;
	return watch_data(v);
}

static int vde_want_tx(struct end *e, bool on)
{
	struct end_vde *v = vde_of(e);

	v->tx = on;
	return watch_data(v);
}

/* ---- frames ---- */

static_assert(FRAME_ROOM >= VDE_FRAME_MAX, "no frame is cut off");

static bool too_long(const struct vde_frame *f)
{
	return f->len > ETHER_MAX_LEN && f->offload.gso_type == FRAME_GSO_NONE;
}

/* Moves frames of a sensible length to the front. */
static int sift(struct end_vde *v, struct vde_frame *f, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (f[i].len < CABLE_FRAME_MIN)
			v->end.drops[END_DROP_SHORT]++;
		else if (too_long(&f[i]))
			v->end.drops[END_DROP_LONG]++;
		else
			f[kept++] = f[i];
	}
	return kept;
}

static int vde_end_recv(struct end *e, struct vde_frame *f, int n)
{
	struct end_vde *v = vde_of(e);
	int rc;

	for (int i = 0; i < n; i++)
		f[i] = (struct vde_frame){ v->room[i], FRAME_ROOM, { 0 } };
	rc = vde_recv_batch(v->conn, f, n);
	v->more = rc == n;
	if (rc > 0)
		return sift(v, f, rc);
	if (rc == 0)
		return CABLE_OVER;
	if (rc == -EAGAIN || rc == -EINTR)
		return 0;
	if (is_refusal(-rc)) {
		if (has_ctl(v))
			refused(v, -rc);
		return 0;
	}
	log_err("unable to receive from %s: %s", e->name, strerror(-rc));
	return CABLE_BROKEN;
}

/* The first frame of a batch could not be sent. False: no use to go on. */
static bool lost_frame(struct end_vde *v, int err)
{
	if (is_refusal(err)) {
		if (has_ctl(v))
			refused(v, err);
		v->end.drops[END_DROP_REFUSED]++;
		return true;
	}
	if (err == EMSGSIZE) {
		v->end.drops[END_DROP_LONG]++;
		return true;
	}
	if (err == ENOBUFS || err == ENOMEM || err == ENETDOWN ||
	    err == ENETUNREACH || err == EHOSTUNREACH || err == EHOSTDOWN ||
	    err == EPERM || err == EIO || err == EINVAL) {
		v->end.drops[END_DROP_REFUSED]++;
		return true;
	}
	log_err("unable to send to %s: %s", v->end.name, strerror(err));
	return false;
}

static int vde_end_send(struct end *e, const struct vde_frame *f, int n)
{
	struct end_vde *v = vde_of(e);
	int i = 0;

	while (i < n) {
		int rc = vde_send_batch(v->conn, &f[i], n - i);

		if (rc == -EAGAIN)
			break;
		if (rc == -EINTR)
			continue;
		if (rc < 0 && !lost_frame(v, -rc))
			return CABLE_BROKEN;
		i += rc < 0 ? 1 : rc;
	}
	return i;
}

static bool vde_pending(struct end *e)
{
	return vde_of(e)->more;
}

/* ---- begin and end ---- */

/* A switch throws away what it has not read when a port hangs up, so what was
 * sent last gets a moment to be read. */
static void linger(const struct end_vde *v)
{
	int fd = vde_datafd(v->conn), unread = 0;

	if (!has_ctl(v) || v->gone || v->refused)
		return;
	for (int ms = 0; ms < LINGER_MS; ms++) {
		if (ioctl(fd, SIOCOUTQ, &unread) || unread <= 0)
			return;
		(void)poll(NULL, 0, 1);
	}
}

static void vde_end_close(struct end *e)
{
	struct end_vde *v = vde_of(e);

	linger(v);
	loop_timer_del(e->loop, &v->grace);
	loop_fd_del(e->loop, &v->data);
	loop_fd_del(e->loop, &v->ctl);
	vde_close(v->conn);
	end_fini(e);
	free(v);
}

static const struct end_ops vde_ops = {
	.recv = vde_end_recv,
	.send = vde_end_send,
	.want_rx = vde_want_rx,
	.want_tx = vde_want_tx,
	.pending = vde_pending,
	.close = vde_end_close,
};

/* The file of the socket that @fd is connected to, if there is one. */
static bool find_file(struct end_vde *v, int fd)
{
	struct sockaddr_un sa = { 0 };
	socklen_t len = sizeof(sa);

	if (getpeername(fd, (struct sockaddr *)&sa, &len) ||
	    sa.sun_family != AF_UNIX || sa.sun_path[0] != '/')
		return false;
	memcpy(v->peer, sa.sun_path, sizeof(sa.sun_path));
	return true;
}

static void find_peer(struct end_vde *v)
{
	if (!find_file(v, vde_datafd(v->conn)))
		v->rings = find_file(v, vde_ctlfd(v->conn));
}

int end_vde_open(struct end **out, struct loop *loop, const char *name,
		 VDECONN *conn)
{
	struct end_vde *v = malloc(sizeof(*v));
	int ctl = vde_ctlfd(conn), rc = 0;

	if (!v)
		return -ENOMEM;
	memset(v, 0, offsetof(struct end_vde, room));
	if (!end_init(&v->end, &vde_ops, loop, name)) {
		free(v);
		return -ENOMEM;
	}
	v->conn = conn;
	v->end.takes = vde_offloads(conn);
	find_peer(v);
	if (ctl >= 0)
		rc = loop_fd_add(loop, &v->ctl, ctl, EPOLLIN | EPOLLRDHUP,
				 ctl_ready);
	if (rc) {
		end_fini(&v->end);
		free(v);
		return rc;
	}
	*out = &v->end;
	return 0;
}
