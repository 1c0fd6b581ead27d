// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_ptp - a cable between two processes of this machine
 *
 * One end is the datagram socket PATH, the other one PATH+; whoever comes
 * first is PATH. A socket file whose owner has died is taken over. Frames are
 * sent by name, so an end may go and come back at any time and the other end
 * need not do anything about it; what is sent meanwhile is lost.
 *
 * poll() knows about a full queue only for a connected socket, though, so an
 * end that meets one connects, until its peer goes away. While it is connected
 * a third socket cannot send to it: the kernel says EPERM to a peer that
 * replaces a killed one, until our next frame finds the old one gone.
 *
 * The other end may be vdeplug4 4.0.1, which connects at its first frame.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "lib/conn.h"
#include "lib/dgram.h"
#include "lib/sockfile.h"

/* Two ends that write to each other and read nothing must not wait for each
 * other for ever. */
#define SEND_TIMEOUT_US 100000

#define LOCK_TRIES 50
#define LOCK_WAIT_NS 10000000

struct ptp {
	struct vdeconn conn;
	bool connected;
	struct sockaddr_un own, peer;
	dev_t dev; /* our socket file, to remove no other one */
	ino_t ino;
};

static struct ptp *ptp_of(struct vdeconn *c)
{
	return container_of(c, struct ptp, conn);
}

static const struct sockaddr *sa(const struct sockaddr_un *un)
{
	return (const struct sockaddr *)un;
}

/* Frames that found nobody. A peer that does not accept ours is somebody
 * else's. */
static bool is_loss(int err)
{
	return err == ENOENT || err == ECONNREFUSED || err == EPERM ||
	       err == ECONNRESET || err == ENOTCONN || err == EPROTOTYPE;
}

static void disconnect(struct ptp *p)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (p->connected)
		(void)connect(p->conn.data_fd, &none, sizeof(none));
	p->connected = false;
}

/* An empty datagram is how old peers say good-bye. */
static ssize_t ptp_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	ssize_t n = dgram_recv(c, buf, len, flags);

	if (n == -ECONNRESET) {
		n = recv(c->data_fd, buf, len, MSG_DONTWAIT);
		if (n < 0)
			return 1;
	}
	if (n == 0)
		disconnect(ptp_of(c));
	return n;
}

static int ptp_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	int got = dgram_recv_raw(c->data_fd, f, n), kept;

	if (got == -ECONNRESET)
		got = dgram_recv_raw(c->data_fd, f, n);
	if (got < 0)
		return got == -ECONNRESET ? -EAGAIN : got;
	kept = dgram_drop_empty(f, got);
	if (kept != got)
		disconnect(ptp_of(c));
	return kept ? kept : -EAGAIN;
}

static ssize_t send_once(struct ptp *p, const void *buf, size_t len, int flags)
{
	ssize_t n = sendto(p->conn.data_fd, buf, len, flags | MSG_NOSIGNAL,
			   p->connected ? NULL : sa(&p->peer),
			   p->connected ? 0 : sizeof(p->peer));

	return n < 0 ? -errno : n;
}

/* A connected peer that has gone may have a successor under its name. */
static ssize_t ptp_send(struct vdeconn *c, const void *buf, size_t len,
			int flags)
{
	struct ptp *p = ptp_of(c);
	ssize_t n = send_once(p, buf, len, flags);

	if (n < 0 && p->connected && is_loss((int)-n)) {
		disconnect(p);
		n = send_once(p, buf, len, flags);
	}
	return n < 0 && is_loss((int)-n) ? (ssize_t)len : n;
}

static int send_many(struct ptp *p, const struct vde_frame *f, int n)
{
	struct mmsghdr msg[VDE_BATCH_MAX];
	struct iovec iov[VDE_BATCH_MAX];
	int sent;

	for (int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ f[i].data, f[i].len };
		msg[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = &iov[i],
				     .msg_iovlen = 1,
				     .msg_name = &p->peer,
				     .msg_namelen = sizeof(p->peer) },
		};
	}
	sent = sendmmsg(p->conn.data_fd, msg, (unsigned int)n,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

static int send_batch_once(struct ptp *p, const struct vde_frame *f, int n)
{
	return p->connected ? dgram_send_batch(&p->conn, f, n)
			    : send_many(p, f, n);
}

static int ptp_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	struct ptp *p = ptp_of(c);
	int rc = send_batch_once(p, f, n);

	if (rc < 0 && p->connected && is_loss(-rc)) {
		disconnect(p);
		rc = send_batch_once(p, f, n);
	}
	if (rc < 0 && is_loss(-rc))
		return n;
	if (rc == -EAGAIN && !p->connected) {
		if (connect(c->data_fd, sa(&p->peer), sizeof(p->peer)) < 0)
			return n;
		p->connected = true;
	}
	return rc;
}

static void remove_own(const struct ptp *p)
{
	struct stat st;

	if (lstat(p->own.sun_path, &st) == 0 && st.st_dev == p->dev &&
	    st.st_ino == p->ino)
		unlink(p->own.sun_path);
}

static void ptp_close(struct vdeconn *c)
{
	struct ptp *p = ptp_of(c);

	remove_own(p);
	close(c->data_fd);
	free(p);
}

static const struct conn_ops ptp_ops = {
	.recv = ptp_recv,
	.send = ptp_send,
	.recv_batch = ptp_recv_batch,
	.send_batch = ptp_send_batch,
	.close = ptp_close,
};

/* 0: nobody answers to the socket file; -EADDRINUSE: somebody does, or it is
 * no datagram socket; another -errno: unable to find out. */
static int probe(const struct sockaddr_un *un)
{
	int fd, rc = 0;
	struct stat st;

	if (lstat(un->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, sa(un), sizeof(*un)) == 0 || errno == EPERM ||
	    errno == EPROTOTYPE)
		rc = -EADDRINUSE;
	else if (errno != ECONNREFUSED && errno != ENOENT)
		rc = -errno;
	close(fd);
	return rc;
}

static int take_name(int fd, const struct sockaddr_un *un)
{
	int rc;

	if (bind(fd, sa(un), sizeof(*un)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	rc = probe(un);
	if (rc < 0)
		return rc;
	unlink(un->sun_path);
	return bind(fd, sa(un), sizeof(*un)) < 0 ? -errno : 0;
}

static int take_end(struct ptp *p, const struct sockaddr_un *own,
		    const struct sockaddr_un *peer)
{
	p->own = *own;
	p->peer = *peer;
	return take_name(p->conn.data_fd, own);
}

/* Two processes that find the same dead socket must not both replace it. The
 * lock is that of the directory and leaves nothing behind; in a directory
 * that anybody may lock we do not wait for ever. -1: no lock. */
static int lock_directory(const char *path)
{
	const struct timespec wait = { .tv_nsec = LOCK_WAIT_NS };
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t n = (size_t)(strrchr(path, '/') - path);
	struct strbuf b;
	int fd;

	strbuf_init(&b, dir, sizeof(dir));
	strbuf_addn(&b, path, n ? n : 1);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			break;
		nanosleep(&wait, NULL);
	}
	return fd;
}

/* The host program may change its directory, so the names go absolute. */
static int fill_names(struct sockaddr_un *first, struct sockaddr_un *second,
		      const char *path)
{
	char *cwd = *path == '/' ? strdup("") : getcwd(NULL, 0);
	size_t size = sizeof(first->sun_path);
	int rc = cwd ? 0 : -errno;

	*first = *second = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (cwd &&
	    (str_fmt(first->sun_path, size, "%s%s%s", cwd, *cwd ? "/" : "",
		     path) < 0 ||
	     str_fmt(second->sun_path, size, "%s+", first->sun_path) < 0))
		rc = -ENAMETOOLONG;
	free(cwd);
	return rc;
}

static int set_owner(struct ptp *p, const struct conn_args *args)
{
	const char *path = p->own.sun_path;
	struct stat st;
	gid_t gid = SOCKFILE_KEEP_GROUP;
	int rc;

	if (lstat(path, &st) < 0)
		return -errno;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	if (args->group && *args->group) {
		rc = conn_group(args->group, &gid);
		if (rc < 0)
			return rc;
	}
	return sockfile_set(path, gid, args->mode);
}

static int take_either_end(struct ptp *p, const char *path,
			   const struct conn_args *args)
{
	struct sockaddr_un first, second;
	int rc = fill_names(&first, &second, path), lock;

	if (rc < 0)
		return rc;
	lock = lock_directory(first.sun_path);
	rc = take_end(p, &first, &second);
	if (rc == -EADDRINUSE)
		rc = take_end(p, &second, &first);
	if (lock >= 0)
		close(lock);
	if (rc < 0)
		return rc;
	rc = set_owner(p, args);
	if (rc < 0)
		remove_own(p);
	return rc;
}

int conn_open_ptp(const char *path, const struct conn_args *args,
		  struct vdeconn **out)
{
	const struct timeval tv = { .tv_usec = SEND_TIMEOUT_US };
	struct ptp *p;
	int fd, rc;

	if (!*path)
		return -EINVAL;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	p = calloc(1, sizeof(*p));
	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	p->conn = (struct vdeconn){ .ops = &ptp_ops,
				    .data_fd = fd,
				    .ctl_fd = -1 };
	rc = take_either_end(p, path, args);
	if (rc == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		free(p);
		return rc;
	}
	*out = &p->conn;
	return 0;
}
