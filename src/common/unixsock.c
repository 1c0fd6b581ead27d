// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/strbuf.h"

#define BACKLOG 1024

int unixsock_addr(struct sockaddr_un *sa, const char *path)
{
	int rc;

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path)
		return -ENOENT;
	rc = str_copy(sa->sun_path, sizeof(sa->sun_path), path);
	return rc < 0 ? rc : 0;
}

static int connect_to(const struct sockaddr_un *sa, int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int unixsock_connect(const char *path)
{
	struct sockaddr_un sa;
	int rc = unixsock_addr(&sa, path);

	return rc ? rc : connect_to(&sa, 0);
}

/* A full backlog makes connect() wait as long as a send may: the kernel takes
 * the limit of the one for the other and says EAGAIN. */
int unixsock_connect_within(const char *path, unsigned int timeout_ms)
{
	const struct timeval limit = { timeout_ms / 1000,
				       timeout_ms % 1000 * 1000 };
	const struct timeval none = { 0, 0 };
	struct sockaddr_un sa;
	int rc = unixsock_addr(&sa, path);
	int fd;

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none))) {
		rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* Only a refused connection proves that a socket is left over: EAGAIN is a
 * listener with a full backlog, EACCES somebody else's. */
static int remove_stale(const struct sockaddr_un *sa)
{
	struct stat st;
	int fd;

	if (lstat(sa->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = connect_to(sa, SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(sa->sun_path) ? -errno : 0;
}

/* Who else may write to the directory may put another file in the place of
 * the new socket: that one keeps its owner. */
static int change_owner(const char *path, uid_t uid, gid_t gid)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	struct stat st;
	bool known;

	if (fd < 0)
		return -errno;
	known = !fstat(fd, &st);
	if (known && (!S_ISSOCK(st.st_mode) || st.st_nlink != 1 ||
		      st.st_uid != geteuid()))
		rc = -EPERM;
	else if (!known || fchownat(fd, "", uid, gid, AT_EMPTY_PATH))
		rc = -errno;
	close(fd);
	return rc;
}

/* Linux gives the file the mode of the socket it is bound to, less umask. */
int unixsock_bind(int fd, const struct sockaddr_un *sa, mode_t mode, uid_t uid,
		  gid_t gid)
{
	mode_t mask;
	int rc = 0;

	if (fchmod(fd, mode))
		return -errno;
	mask = umask(0);
	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)))
		rc = -errno;
	umask(mask);
	if (rc || (uid == (uid_t)-1 && gid == (gid_t)-1))
		return rc;
	rc = change_owner(sa->sun_path, uid, gid);
	if (rc)
		unlink(sa->sun_path);
	return rc;
}

/* A socket that is bound and does not listen yet looks like a stale one: a
 * lock on its directory, held meanwhile, makes others of us wait. They do not
 * wait long: in a directory like /tmp anybody can hold it. */
static int lock_directory(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');
	int fd;

	if (str_fmt(dir, sizeof(dir), "%.*s",
		    slash ? (int)(slash - path) + 1 : 1,
		    slash ? path : ".") < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < 50; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
			break;
		nanosleep(&pause, NULL);
	}
	return fd;
}

static int bind_and_listen(int fd, const struct sockaddr_un *sa, mode_t mode,
			   gid_t gid)
{
	int rc = unixsock_bind(fd, sa, mode, (uid_t)-1, gid);

	if (rc == -EADDRINUSE) {
		rc = remove_stale(sa);
		if (!rc)
			rc = unixsock_bind(fd, sa, mode, (uid_t)-1, gid);
	}
	if (rc || !listen(fd, BACKLOG))
		return rc;
	rc = -errno;
	unlink(sa->sun_path);
	return rc;
}

int unixsock_listen(const char *path, mode_t mode, gid_t gid)
{
	struct sockaddr_un sa;
	int rc = unixsock_addr(&sa, path);
	int fd, lock;

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	lock = lock_directory(path);
	rc = bind_and_listen(fd, &sa, mode, gid);
	if (lock >= 0)
		close(lock);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

struct unixsock_id unixsock_id(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return (struct unixsock_id){ 0 };
	return (struct unixsock_id){ st.st_dev, st.st_ino };
}

void unixsock_unlink(const char *path, struct unixsock_id id)
{
	struct unixsock_id now = unixsock_id(path);

	if (now.ino == id.ino && now.dev == id.dev)
		unlink(path);
}

int unixsock_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	*pid = cred.pid;
	*uid = cred.uid;
	*gid = cred.gid;
	return 0;
}

bool unixsock_group(const char *name, gid_t *gid)
{
	const struct group *gr = getgrnam(name);
	int64_t num;

	if (gr) {
		*gid = gr->gr_gid;
		return true;
	}
	if (!parse_num(name, 0, UINT32_MAX - 1, &num))
		return false;
	*gid = (gid_t)num;
	return true;
}
