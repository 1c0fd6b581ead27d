// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/captarget.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"
#include "common/unixsock.h"

/* What a pipe may hold without privileges: fewer and larger writes. */
#define PIPE_SIZE (1 << 20)

static const char *const kinds[] = {
	[CAPTARGET_FILE] = "file",
	[CAPTARGET_NULL] = "null",
	[CAPTARGET_FIFO] = "fifo",
	[CAPTARGET_SOCKET] = "socket",
};
static_assert(ARRAY_SIZE(kinds) == CAPTARGET_N_KINDS, "a kind has no name");

const char *captarget_kind_name(enum captarget_kind k)
{
	return kinds[k];
}

static int classify(struct captarget *t, const struct stat *st)
{
	t->dev = st->st_dev;
	t->ino = st->st_ino;
	if (S_ISREG(st->st_mode))
		t->kind = CAPTARGET_FILE;
	else if (S_ISFIFO(st->st_mode))
		t->kind = CAPTARGET_FIFO;
	else if (S_ISSOCK(st->st_mode))
		t->kind = CAPTARGET_SOCKET;
	else if (S_ISDIR(st->st_mode))
		return -EISDIR;
	else if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3))
		t->kind = CAPTARGET_NULL;
	else
		return -ENODEV;
	return 0;
}

static int find(struct captarget *t, const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : classify(t, &st);
}

/* A link that leads nowhere is not followed. */
static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int captarget_find(struct captarget *t, const char *path)
{
	int rc = find(t, path);

	t->made = false;
	if (rc == -ENOENT) {
		rc = create(path);
		if (!rc)
			rc = find(t, path);
		t->made = !rc;
	}
	return rc;
}

/* A console of this process would run frames as commands. */
static bool is_own(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       peer.pid == getpid();
}

static int open_socket(const char *path)
{
	struct sockaddr_un sa;
	int rc = unixsock_addr(&sa, path), fd;

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		rc = -errno;
	else if (is_own(fd))
		rc = -ELOOP;
	else
		return fd;
	close(fd);
	return rc == -ECONNREFUSED ? -EAGAIN : rc;
}

/* Whatever it is by now, opening it does nothing to it; what it is, is asked
 * of what was opened. */
static int open_path(const struct captarget *t, const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct captarget now = { 0 };
	struct stat st;
	int rc;

	if (fd < 0)
		return errno == ENXIO ? -EAGAIN : -errno;
	rc = fstat(fd, &st) ? -errno : classify(&now, &st);
	if (!rc && now.kind != t->kind)
		rc = -ESTALE;
	if (!rc && t->kind == CAPTARGET_FILE && ftruncate(fd, 0))
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	if (t->kind == CAPTARGET_FIFO)
		fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* or as it is */
	return fd;
}

int captarget_open(const struct captarget *t, const char *path)
{
	struct captarget now = { 0 };
	int rc = find(&now, path);

	if (rc == -ENOENT && captarget_has_reader(t->kind))
		return -EAGAIN;
	if (rc)
		return rc;
	if (now.kind != t->kind)
		return -ESTALE;
	return t->kind == CAPTARGET_SOCKET ? open_socket(path)
					   : open_path(t, path);
}
