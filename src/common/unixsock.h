/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unixsock - unix stream sockets with the care that files in shared
 * directories need
 */
#ifndef COMMON_UNIXSOCK_H
#define COMMON_UNIXSOCK_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#define UNIXSOCK_KEEP_GROUP ((gid_t)-1)

/* Fills @sa. 0, or -ENAMETOOLONG when @path does not fit with its NUL. */
int unixsock_addr(struct sockaddr_un *sa, const char *path);

/* Binds @fd to the path in @sa, which must not exist, with @mode and, unless
 * -1, @uid and @gid. The mode is there from the first moment, and a symbolic
 * link that somebody puts in the way is not followed. 0 or -errno; on failure
 * no file is left. */
int unixsock_bind(int fd, const struct sockaddr_un *sa, mode_t mode, uid_t uid,
		  gid_t gid);

/* A non-blocking listener on @path with @mode and, unless
 * UNIXSOCK_KEEP_GROUP, @gid. A socket that nobody listens on is replaced;
 * one that is in use gives -EADDRINUSE, another kind of file -EEXIST; of
 * several programs that start at the same time one succeeds. Returns the
 * descriptor or -errno. */
int unixsock_listen(const char *path, mode_t mode, gid_t gid);

/* Which file a path led to. */
struct unixsock_id {
	dev_t dev;
	ino_t ino;
};
struct unixsock_id unixsock_id(const char *path);
/* Removes @path, unless it is another file by now: a successor's. */
void unixsock_unlink(const char *path, struct unixsock_id id);

/* A connected, blocking descriptor or -errno. */
int unixsock_connect(const char *path);

/* The same, but a listener that does not accept gives -ETIMEDOUT after
 * @timeout_ms, at least 1. */
int unixsock_connect_within(const char *path, unsigned int timeout_ms);

/* The peer's real credentials. 0 or -errno. */
int unixsock_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid);

/* A group by name or number. False: no such group. */
bool unixsock_group(const char *name, gid_t *gid);

#endif
