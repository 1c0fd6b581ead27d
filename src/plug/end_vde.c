// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection to a network as an end. The library moves the batches; here is
 * how such a connection ends.
 *
 * A switch hangs up by closing the control connection, whatever the reason.
 * One that was told to shut down, or to remove the port, takes its datagram
 * socket out of the file system as well; one that was killed leaves it there.
 * So after the hang-up the file is looked for, for a moment, and if it stays
 * the switch has died; the other end hangs up before that is known, for a
 * spanning tree behind it is in a hurry. With rings there is no such file but
 * the socket that the switch listens on: there it has died if nobody listens
 * any more.
 * A datagram socket that refuses our frames while the control connection lives
 * is given the same moment for the hang-up to come.
 *
 * With --reconnect none of this is asked: whatever ends the connection, the end
 * stays without one until redial has another. Meanwhile what is sent is
 * dropped and counted.
 *
 * Peers without a control connection (UDP, point to point) come and go as
 * they like: their refusals are losses, as on a wire.
 */
#include <errno.h>
#include <inttypes.h>
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

/* For the longest frame that is to be cut, and the user's bytes around it. Not
 * a multiple of a page's size: short frames shall not all want the same places
 * of the caches. */
#define HEADROOM 64
#define TAILROOM 64
#define FRAME_ROOM (HEADROOM + 65600 + TAILROOM)
#define GRACE (200 * LOOP_MS)
#define LINGER_MS 1000
#define GRACE_STEP (10 * LOOP_MS)
#define ENOUGH_ANSWERS 3
#define LAST_BURSTS 64

struct end_vde {
	struct end end;
	VDECONN *conn; /* NULL: lost */
	struct loop_fd data, ctl;
	struct loop_fd tx_io; /* where room is told, if that is not @data */
	struct loop_timer grace;
	bool reconnects;
	struct redial redial; /* if it reconnects */
	uint64_t lost_at;
	uint64_t grace_end;
	int refused; /* errno of the refusal, 0: none yet */
	bool gone; /* the control connection was closed */
	bool rx, tx; /* wanted */
	bool more; /* the last batch was full */
	bool rings; /* @peer is where the switch listens */
	int answers; /* how many times in a row it did */
	char peer[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	uint8_t room[END_BURST][FRAME_ROOM];
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
		end_stop(&v->end, EXIT_SUCCESS);
		return;
	}
	end_stop(&v->end, EXIT_FAILURE);
}

static void lose(struct end_vde *v);
static void unwatch(struct end_vde *v);

static void look_again(struct loop_timer *t)
{
	struct end_vde *v = container_of(t, struct end_vde, grace);

	if (v->reconnects)
		lose(v);
	else if ((v->gone && has_left(v)) ||
		 loop_now(v->end.loop) >= v->grace_end)
		verdict(v);
	else if (loop_timer_set(v->end.loop, t, GRACE_STEP, look_again))
		end_stop(&v->end, EXIT_FAILURE);
}

static void start_grace(struct end_vde *v)
{
	if (loop_timer_armed(&v->grace))
		return;
	v->grace_end = loop_now(v->end.loop) + GRACE;
	if (loop_timer_set(v->end.loop, &v->grace, 0, look_again))
		end_stop(&v->end, EXIT_FAILURE);
}

/* Readable is as good as closed: nothing is ever said here. What the switch
 * sent before it left is still delivered. */
static void ctl_ready(struct loop_fd *w, uint32_t events)
{
	struct end_vde *v = container_of(w, struct end_vde, ctl);

	loop_fd_del(v->end.loop, w);
	v->gone = true;
	start_grace(v);
	for (int i = 0; i < LAST_BURSTS; i++) {
		end_readable(&v->end);
		if (!v->more || !v->rx)
			break;
	}
	if (!v->reconnects && !v->more &&
	    v->end.user->gone(v->end.user, &v->end))
		unwatch(v);
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

	if (v->tx && (events & (EPOLLOUT | EPOLLERR)))
		end_writable(&v->end);
	if (v->rx && (events & ~(uint32_t)EPOLLOUT))
		end_readable(&v->end);
}

static void room_ready(struct loop_fd *w, uint32_t events)
{
	end_writable(&container_of(w, struct end_vde, tx_io)->end);
}

static int watch_fd(struct end_vde *v, struct loop_fd *w, int fd,
		    uint32_t events, loop_fd_fn *fn)
{
	if (!events) {
		loop_fd_del(v->end.loop, w);
		return 0;
	}
	if (w->on)
		return loop_fd_want(v->end.loop, w, events);
	return loop_fd_add(v->end.loop, w, fd, events, fn);
}

static void unwatch(struct end_vde *v)
{
	loop_fd_del(v->end.loop, &v->data);
	loop_fd_del(v->end.loop, &v->tx_io);
}

/* poll() and epoll have the same names for the same bits. */
static int watch(struct end_vde *v)
{
	short room;
	int data_fd, send_fd, rc;
	uint32_t in = v->rx ? EPOLLIN : 0, out;

	if (!v->conn)
		return 0;
	data_fd = vde_datafd(v->conn);
	send_fd = vde_sendfd(v->conn, &room);
	out = v->tx ? (uint32_t)room : 0;
	if (send_fd == data_fd)
		return watch_fd(v, &v->data, data_fd, in | out, data_ready);
	rc = watch_fd(v, &v->data, data_fd, in, data_ready);
	return rc ? rc : watch_fd(v, &v->tx_io, send_fd, out, room_ready);
}

static int vde_want_rx(struct end *e, bool on)
{
	struct end_vde *v = vde_of(e);

	v->rx = on;
	return watch(v);
}

static int vde_want_tx(struct end *e, bool on)
{
	struct end_vde *v = vde_of(e);

	v->tx = on;
	return watch(v);
}

/* ---- frames ---- */

static_assert(FRAME_ROOM - HEADROOM - TAILROOM >= VDE_FRAME_MAX,
	      "no frame is cut off");

static bool too_long(const struct vde_frame *f)
{
	return f->len > ETHER_MAX_LEN && f->offload.gso_type == FRAME_GSO_NONE;
}

/* Moves frames of a sensible length to the front. */
static int sift(struct end_vde *v, struct vde_frame *f, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (f[i].len < v->end.min_len)
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

	if (!v->conn)
		return 0;
	for (int i = 0; i < n; i++)
		f[i] = (struct vde_frame){ v->room[i] + HEADROOM,
					   FRAME_ROOM - HEADROOM - TAILROOM,
					   { 0 } };
	rc = vde_recv_batch(v->conn, f, n);
	v->more = rc == n;
	if (rc > 0)
		return sift(v, f, rc);
	if (rc == -EAGAIN || rc == -EINTR)
		return 0;
	if (v->reconnects && (has_ctl(v) || !is_refusal(-rc))) {
		refused(v, rc ? -rc : ECONNRESET);
		return 0;
	}
	if (rc == 0)
		return END_OVER;
	if (is_refusal(-rc)) {
		if (has_ctl(v))
			refused(v, -rc);
		return 0;
	}
	log_err("unable to receive from %s: %s", e->name, strerror(-rc));
	return END_BROKEN;
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
	if (v->reconnects) {
		refused(v, err);
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

	if (!v->conn) {
		e->drops[END_DROP_LOST] += (uint64_t)n;
		return n;
	}
	while (i < n) {
		int rc = vde_send_batch(v->conn, &f[i], n - i);

		if (rc == -EAGAIN)
			break;
		if (rc == -EINTR)
			continue;
		if (rc < 0 && !lost_frame(v, -rc))
			return END_BROKEN;
		i += rc < 0 ? 1 : rc;
	}
	return i;
}

static bool vde_pending(struct end *e)
{
	return vde_of(e)->more;
}

/* ---- the connection ---- */

/* A switch throws away what it has not read when a port hangs up, so what was
 * sent last gets a moment to be read. */
static void linger(const struct end_vde *v)
{
	int fd, unread = 0;

	if (!v->conn || !has_ctl(v) || v->gone || v->refused)
		return;
	fd = vde_datafd(v->conn);
	for (int ms = 0; ms < LINGER_MS; ms++) {
		if (ioctl(fd, SIOCOUTQ, &unread) || unread <= 0)
			return;
		(void)poll(NULL, 0, 1);
	}
}

static void drop_conn(struct end_vde *v)
{
	loop_timer_del(v->end.loop, &v->grace);
	unwatch(v);
	loop_fd_del(v->end.loop, &v->ctl);
	if (v->conn)
		vde_close(v->conn);
	v->conn = NULL;
	v->more = false;
}

static void vde_end_close(struct end *e)
{
	struct end_vde *v = vde_of(e);

	linger(v);
	drop_conn(v);
	if (v->reconnects)
		redial_fini(&v->redial);
	end_fini(e);
	free(v);
}

/* The connection stays, and every switch takes its port away. */
static void vde_hang_up(struct end *e)
{
	struct end_vde *v = vde_of(e);

	linger(v);
	unwatch(v);
	if (!v->ctl.on)
		return;
	loop_fd_del(v->end.loop, &v->ctl);
	(void)shutdown(vde_ctlfd(v->conn), SHUT_RDWR);
	v->gone = true;
}

static const struct end_ops vde_ops = {
	.recv = vde_end_recv,
	.send = vde_end_send,
	.want_rx = vde_want_rx,
	.want_tx = vde_want_tx,
	.pending = vde_pending,
	.hang_up = vde_hang_up,
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

static int use_conn(struct end_vde *v, VDECONN *conn)
{
	int ctl = vde_ctlfd(conn);

	v->conn = conn;
	v->end.takes = vde_offloads(conn);
	v->gone = v->more = v->rings = false;
	v->refused = v->answers = 0;
	v->peer[0] = '\0';
	find_peer(v);
	return ctl < 0 ? 0
		       : loop_fd_add(v->end.loop, &v->ctl, ctl,
				     EPOLLIN | EPOLLRDHUP, ctl_ready);
}

/* ---- lost and found ---- */

static void found(struct redial *r, VDECONN *conn)
{
	struct end_vde *v = container_of(r, struct end_vde, redial);
	uint64_t ms = (loop_now(v->end.loop) - v->lost_at) / LOOP_MS;
	int rc;

	if (!conn) {
		end_stop(&v->end, EXIT_FAILURE);
		return;
	}
	rc = use_conn(v, conn);
	if (!rc)
		rc = watch(v);
	if (rc) {
		log_err("unable to watch %s: %s", v->end.name, strerror(-rc));
		end_stop(&v->end, EXIT_FAILURE);
		return;
	}
	log_notice("connected to %s again, after %" PRIu64 ".%" PRIu64 " s",
		   v->end.name, ms / 1000, ms % 1000 / 100);
}

/* What the user holds he shall offer once more, to be dropped. */
static void lose(struct end_vde *v)
{
	log_warn("lost %s: %s; reconnecting", v->end.name,
		 v->gone ? "it has hung up" : strerror(v->refused));
	v->lost_at = loop_now(v->end.loop);
	drop_conn(v);
	redial_start(&v->redial, found);
	if (v->tx)
		end_writable(&v->end);
}

/* ---- begin ---- */

int end_vde_open(struct end **out, struct loop *loop, const char *name,
		 VDECONN *conn, const struct vde_args *again)
{
	struct end_vde *v = malloc(sizeof(*v));
	int rc = -ENOMEM;

	if (!v)
		return rc;
	memset(v, 0, offsetof(struct end_vde, room));
	if (!end_init(&v->end, &vde_ops, loop, name))
		goto no_name;
	v->end.headroom = HEADROOM;
	v->end.tailroom = TAILROOM;
	if (again) {
		rc = redial_init(&v->redial, loop, v->end.name, again, conn);
		if (rc)
			goto no_redial;
		v->reconnects = true;
	}
	rc = use_conn(v, conn);
	if (!rc) {
		*out = &v->end;
		return 0;
	}
	if (again)
		redial_fini(&v->redial);
no_redial:
	end_fini(&v->end);
no_name:
	free(v);
	return rc;
}
