/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privfile - files that nobody else may read or change
 *
 * Reading refuses a file of another user (root's are fine) or one that others
 * have rights to; what was read lies in memory that is locked, guarded and
 * wiped when it is freed (sodium_malloc()). Writing is all or nothing: a new
 * file gets its name, or takes the place of the old one, when its bytes are on
 * the disk.
 *
 * Who changes a file locks it first (flock() of the file itself): the lock
 * tells the writers one from another, readers need none. Every function says
 * in @why what is wrong, with the name of the file, as "unable to VERB OBJECT:
 * REASON". sodium_init() comes before all of them.
 */
#ifndef CRYPTCAB_PRIVFILE_H
#define CRYPTCAB_PRIVFILE_H

#include <limits.h>

#include "base/strbuf.h"

enum privfile_trust {
	PRIVFILE_SECRET, /* nobody else may read or write it */
	PRIVFILE_PUBLIC, /* nobody else may write it */
};

/* @s has a NUL behind its @len bytes, which may have others. */
struct privtext {
	char *s;
	size_t len;
	bool exposed; /* others may read it (PRIVFILE_PUBLIC only) */
};

/* 0 or -errno: -ENOENT; -EPERM for an owner or a mode that is refused;
 * -EFBIG above @max bytes; -EINVAL if it is no regular file. */
int privfile_read(struct privtext *, const char *path, enum privfile_trust,
		  size_t max, struct strbuf *why);
void privtext_free(struct privtext *);

/* A new file of mode 0600; missing directories of its path are made with mode
 * 0700. -EEXIST: there is one, and it is as it was. */
int privfile_create(const char *path, const void *data, size_t len,
		    struct strbuf *why);

struct privlock {
	int fd;
	char path[PATH_MAX]; /* without symbolic links */
};

/* Waits up to @wait_ms for other writers (-EAGAIN after that). A file that is
 * not there is made, empty, of mode 0600, with its directories. */
int privfile_lock(struct privlock *, const char *path, unsigned int wait_ms,
		  struct strbuf *why);
/* The file is @data from now on; owner and mode stay. @lock is done with. */
int privfile_replace(struct privlock *, const void *data, size_t len,
		     struct strbuf *why);
void privfile_unlock(struct privlock *);

/* @name in the directory where this user's files of cables are: /etc/vde for
 * root, else $XDG_CONFIG_HOME/vde or ~/.config/vde. 0 or -errno. */
int privfile_default(char *path, size_t size, const char *name,
		     struct strbuf *why);

#endif
