// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_switch - connections to a switch, by the VDE 2 control protocol
 *
 * base/wire.h describes the messages. Our datagram socket needs a name only
 * until the switch has connected to it, so the file is removed again at once.
 * A switch says no by hanging up, and VDE 2.3.2 by saying nothing at all:
 * both the connect and the answer are waited for HANDSHAKE_S at most.
 *
 * Rings (lib/conn_ring.h) are asked for first, of a switch that has them. One
 * that has not would hang up, and that of vdeplug4 would be silent; VDE 2's
 * loses track of its clients when connections come and go at the same time.
 * So the name of the control socket tells, and a switch that then hangs up or
 * says no is asked for datagrams on another connection.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/strbuf.h"
#include "base/wire.h"
#include "lib/conn.h"
#include "lib/conn_ring.h"
#include "lib/defaults.h"
#include "lib/dgram.h"
#include "lib/locator.h"
#include "lib/plan.h"
#include "lib/sockfile.h"

#define HANDSHAKE_S 5
#define NAME_TRIES 10000

static int set_timeout(int fd, int seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	return 0;
}

/* An empty @name: @dir itself is the socket. */
static int fill_addr(struct sockaddr_un *sa, const char *dir, const char *name)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return str_fmt(sa->sun_path, sizeof(sa->sun_path), "%s%s%s", dir,
		       *name ? "/" : "", name);
}

static int connect_to(int fd, const char *dir, const char *name)
{
	struct sockaddr_un sa;
	int rc = fill_addr(&sa, dir, name);

	if (rc < 0)
		return rc;
	while (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		if (errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

/* @name is that of the socket that answered. */
static int connect_ctl(int fd, const char *dir, const struct plan *p,
		       const char **name)
{
	int rc = -ENOENT;

	if (p->socket_name) {
		rc = connect_to(fd, dir, p->socket_name);
		if (rc == 0) {
			*name = p->socket_name;
			return 0;
		}
	}
	if (p->only)
		return rc;
	*name = "ctl";
	return connect_to(fd, dir, "ctl");
}

static int bind_name(int fd, struct sockaddr_un *sa, const char *dir,
		     const char *prefix)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
		if (str_fmt(sa->sun_path, sizeof(sa->sun_path),
			    "%s/%s%05d-%05d", dir, prefix, (int)getpid(),
			    i) < 0)
			return -ENAMETOOLONG;
		if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	}
	return -EADDRINUSE;
}

/* Where the switch finds our datagram socket; the first error is the one
 * that is worth telling. */
static int bind_data(int fd, struct sockaddr_un *sa, const char *dir)
{
	static const char *const elsewhere[] = { "/var/run", "/var/tmp",
						 "/tmp" };
	int first = bind_name(fd, sa, dir, ".");

	if (first == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (bind_name(fd, sa, elsewhere[i], "vde.") == 0)
			return 0;
	return first;
}

/* Lets the switch write to our socket: it may run as another user. */
static int grant_access(const char *path, const char *dir, const char *ctl,
			const struct plan *p)
{
	gid_t gid = SOCKFILE_KEEP_GROUP;
	struct sockaddr_un sa;
	mode_t mode = p->mode;
	struct stat st;

	if (p->has_group) {
		gid = p->gid;
	} else if (!(mode & 077) && fill_addr(&sa, dir, ctl) >= 0 &&
		   stat(sa.sun_path, &st) == 0 && st.st_uid != 0 &&
		   st.st_uid != geteuid()) {
		if (sockfile_set(path, st.st_gid, mode | 070) == 0)
			return 0;
		mode |= 077;
	}
	return sockfile_set(path, gid, mode);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* All of it in time, however many pieces it comes in. */
static int receive_all(int fd, void *buf, size_t len)
{
	const int64_t end = now_ms() + HANDSHAKE_S * 1000;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char *p = buf;

	while (len) {
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) == 0)
			continue;
		n = recv(fd, p, len, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Version 3 knows no reasons: a port that was wanted is the likely one. What
 * version 4 tells is not told on, so that both are alike. */
static int refusal(const struct plan *p)
{
	return p->port || p->type == WIRE_REQ_NEW_PORT0 ? -EBUSY : -ECONNRESET;
}

/* Asks for the port; @peer becomes the switch's datagram socket. Being hung
 * up on means that the switch refused. */
static int ask(int fd, const struct plan *p, const struct sockaddr_un *own,
	       struct sockaddr_un *peer)
{
	uint8_t msg[WIRE_REQ_MAX];
	size_t len = wire_build_request(msg, p->type, p->port, own, p->descr);
	ssize_t n;
	int rc;

	do
		n = send(fd, msg, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	if ((size_t)n != len)
		return -ETIMEDOUT;
	rc = receive_all(fd, peer, sizeof(*peer));
	if (rc < 0)
		return rc == -ECONNRESET ? refusal(p) : rc;
	if (peer->sun_family != AF_UNIX || !peer->sun_path[0] ||
	    strnlen(peer->sun_path, sizeof(peer->sun_path)) ==
		    sizeof(peer->sun_path))
		return -EPROTO;
	return 0;
}

/* The switch gave us its socket; one that lies anywhere but beside the control
 * socket is not touched, whatever a switch says. */
static void restrict_peer(const char *path, const char *dir, mode_t mode)
{
	size_t n = strlen(dir);

	if (strncmp(path, dir, n) == 0 && path[n] == '/' &&
	    !strchr(path + n + 1, '/'))
		sockfile_set(path, SOCKFILE_KEEP_GROUP, mode);
}

/* From the connected control socket on. */
static int join(int ctl, int data, const char *dir, const char *name,
		const struct plan *p)
{
	struct sockaddr_un own, peer;
	int rc = bind_data(data, &own, dir);

	if (rc < 0)
		return rc;
	rc = grant_access(own.sun_path, dir, name, p);
	if (rc == 0)
		rc = ask(ctl, p, &own, &peer);
	if (rc == 0 &&
	    connect(data, (const struct sockaddr *)&peer, sizeof(peer)) < 0)
		rc = -errno;
	if (rc == 0)
		restrict_peer(peer.sun_path, dir, p->mode);
	unlink(own.sun_path);
	return rc;
}

/* A connection to the switch, or -errno. @name is that of its socket. */
static int open_ctl(const char *dir, const struct plan *p, const char **name)
{
	int ctl = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (ctl < 0)
		return -errno;
	rc = set_timeout(ctl, HANDSHAKE_S);
	if (rc == 0)
		rc = connect_ctl(ctl, dir, p, name);
	if (rc == 0)
		return ctl;
	close(ctl);
	return rc;
}

/* Does the name tell that this switch has rings? */
static bool knows_rings(int ctl)
{
	struct sockaddr_un sa = { 0 };
	socklen_t len = sizeof(sa);
	size_t n = strlen(WIRE_RING_MARK);
	const char *slash;

	if (getpeername(ctl, (struct sockaddr *)&sa, &len))
		return false;
	sa.sun_path[sizeof(sa.sun_path) - 1] = '\0';
	slash = strrchr(sa.sun_path, '/');
	return slash && (size_t)(slash + 1 - sa.sun_path) >= n &&
	       memcmp(slash + 1 - n, WIRE_RING_MARK, n) == 0;
}

/* -EOPNOTSUPP: there are none. On success @ctl is the connection's. */
static int open_ring(int ctl, const struct plan *p, struct vdeconn **out)
{
	const struct wire_request rq = { .type = p->type,
					 .port = p->port,
					 .caps = p->caps,
					 .max_len = ETHER_MAX_LEN };
	int rc = ring_conn_ask(ctl, &rq, p->descr);

	if (rc == 0)
		rc = set_timeout(ctl, 0);
	if (rc == 0)
		rc = ring_conn_take(ctl, HANDSHAKE_S * 1000, p->caps, out);
	if (rc == -EACCES)
		return refusal(p);
	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/* The same with datagrams. */
static int open_dgram(int ctl, const char *dir, const char *name,
		      const struct plan *p, struct vdeconn **out)
{
	int data = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (data < 0)
		return -errno;
	rc = join(ctl, data, dir, name, p);
	if (rc == 0)
		rc = set_timeout(ctl, 0);
	if (rc == 0)
		rc = dgram_conn_new(&dgram_ops, data, ctl, out);
	if (rc < 0)
		close(data);
	return rc;
}

static int open_dir(const char *dir, const struct plan *p, struct vdeconn **out)
{
	const char *name = NULL;
	int ctl = open_ctl(dir, p, &name), rc = -EOPNOTSUPP;

	if (ctl < 0)
		return ctl;
	if (p->ring && (!p->dgram || knows_rings(ctl))) {
		rc = open_ring(ctl, p, out);
		if (rc == -EOPNOTSUPP && p->dgram) {
			close(ctl);
			ctl = open_ctl(dir, p, &name);
		}
	}
	if (ctl < 0)
		return ctl;
	if (rc == -EOPNOTSUPP && p->dgram)
		rc = open_dgram(ctl, dir, name, p, out);
	if (rc < 0)
		close(ctl);
	return rc;
}

/* @path is the control socket itself. */
static int open_socket(char *path, const struct plan *p, struct vdeconn **out)
{
	struct plan only = *p;
	char *slash = strrchr(path, '/');

	*slash = '\0';
	only.socket_name = slash + 1;
	only.only = true;
	return open_dir(path, &only, out);
}

/* The switch may have another working directory, so names go absolute. */
static int open_path(const char *path, const struct plan *p,
		     struct vdeconn **out)
{
	char *real = realpath(path, NULL);
	struct stat st;
	int rc;

	if (!real)
		return -errno;
	if (stat(real, &st) < 0)
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = open_dir(real, p, out);
	else if (S_ISSOCK(st.st_mode))
		rc = open_socket(real, p, out);
	else
		rc = -ENOTDIR;
	free(real);
	return rc;
}

/* An error other than "no such switch" is worth more than a later one. */
static int open_system(const struct plan *p, struct vdeconn **out)
{
	int rc = -ENOENT;

	for (const char *const *path = defaults_system(); *path; path++) {
		int one = open_path(*path, p, out);

		if (one == 0)
			return 0;
		if (rc == -ENOENT)
			rc = one;
	}
	return rc;
}

/* VDE 2 had point-to-point cables under the names of switches: "PATH[]" at
 * one end, PATH at the other. They are told apart by what is there. Who writes
 * something between the brackets means a switch. */
static bool is_ptp(int rc, const struct target *t)
{
	if (rc == -EPROTOTYPE)
		return true;
	return t->brackets && !t->word && !t->group && !t->mode &&
	       !t->transport && (rc == -ENOENT || rc == -ECONNREFUSED);
}

static int open_target(const struct target *t, const struct conn_args *args,
		       struct vdeconn **out)
{
	struct plan p;
	int rc = plan_make(&p, t, args);

	if (rc < 0)
		return rc;
	if (!*t->path)
		return open_system(&p, out);
	rc = open_path(t->path, &p, out);
	return is_ptp(rc, t) ? conn_open_ptp(t->path, args, out) : rc;
}

/* A locator from the user's default file, under the options of @over. */
static int open_line(char *line, const struct target *over,
		     const struct conn_args *args, struct vdeconn **out)
{
	struct target t = { 0 };
	struct locator l;
	int rc = locator_split(&l, line);

	if (rc < 0)
		return rc;
	if (strcmp(l.module, "vde") != 0)
		return -EINVAL;
	rc = plan_parse_target(&t, line + (l.address - line));
	if (rc < 0)
		return rc;
	plan_overlay(&t, over);
	return open_target(&t, args, out);
}

/* An address without a path: the user's default switch if it is a path or a
 * file that names one, with the options of the address on top. */
static int open_default(const struct target *t, const struct conn_args *args,
			struct vdeconn **out)
{
	char path[LOCATOR_SIZE], *line;
	struct target whole = { .path = path };
	int rc;

	if (defaults_user(path, sizeof(path)) < 0)
		return open_target(t, args, out);
	line = malloc(LOCATOR_SIZE);
	if (!line)
		return -ENOMEM;
	plan_overlay(&whole, t);
	rc = defaults_read(path, line, LOCATOR_SIZE);
	if (rc > 0)
		rc = open_line(line, t, args, out);
	else if (rc == 0)
		rc = open_target(&whole, args, out);
	free(line);
	return rc;
}

int conn_open_switch(const char *address, const struct conn_args *args,
		     struct vdeconn **out)
{
	char *copy = strdup(address);
	struct target t = { 0 };
	int rc;

	if (!copy)
		return -ENOMEM;
	rc = plan_parse_target(&t, copy);
	if (rc >= 0)
		rc = *t.path ? open_target(&t, args, out)
			     : open_default(&t, args, out);
	free(copy);
	return rc;
}

int conn_open_switch_path(const char *path, const struct conn_args *args,
			  struct vdeconn **out)
{
	struct target t = { .path = path };

	return open_target(&t, args, out);
}
