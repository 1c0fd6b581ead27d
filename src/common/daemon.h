/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon - background, pidfile and readiness, the same for every program
 *
 * Order of calls in main():
 *
 *   daemon_fork()    with -d: from here on in the child; the parent waits for
 *                    the child's verdict and ends with it
 *   pidfile_write()  and whatever else may fail, with messages to stderr
 *   daemon_ready()   the verdict "started": stderr becomes syslog, descriptors
 *                    0 to 2 /dev/null, the directory /; --ready-fd gets a
 *                    newline, sd_notify READY=1
 *
 * If the child ends before daemon_ready(), the parent ends with its status.
 */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	bool background;
	int ready_fd; /* of --ready-fd, or -1 */
	int parent_fd; /* where the parent listens, or -1 */
};

/* Forks if @background; returns in the child only. 0 or -errno. */
int daemon_fork(struct daemon *, bool background, int ready_fd);
/* 0 or -errno, -EPIPE if the parent has been killed meanwhile; a reader of
 * --ready-fd that has gone is only a warning. */
int daemon_ready(struct daemon *);

struct pidfile {
	char path[PATH_MAX]; /* absolute; empty: nothing to remove */
};

/* Writes this process's pid and a newline to a new file at @path, relative
 * to the current directory. A file left behind by a process that is gone is
 * replaced; -EEXIST if its process lives or it is not a pidfile. On failure
 * no file of ours is left. 0 or -errno. */
int pidfile_write(struct pidfile *, const char *path);
/* The same for any process, or for a process group as a negative number. */
int pidfile_write_id(struct pidfile *, const char *path, pid_t id);
void pidfile_remove(struct pidfile *);

/* Descriptors 0 to 2 are open afterwards, on /dev/null where they were not:
 * no file or pipe of the program can be mistaken for them. 0 or -errno. */
int std_fds_open(void);

/* @out, of PATH_MAX bytes, is @path made absolute with the current directory;
 * for files that are used after daemon_ready(). 0 or -errno. */
int path_absolute(char *out, const char *path);

#endif
