/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * textfile - regular files that are read: no directory, no device, nothing
 * that may wait for somebody
 *
 * Each says in @why what is wrong, as "No such file or directory".
 */
#ifndef WIREFILTER_TEXTFILE_H
#define WIREFILTER_TEXTFILE_H

#include "base/strbuf.h"

/* A descriptor, or -errno. */
int textfile_open(const char *path, struct strbuf *why);

/* The whole file, of at most @max bytes, with a NUL behind it and none in it.
 * *@text is the caller's to free. 0 or -errno. */
int textfile_read(const char *path, size_t max, char **text, size_t *len,
		  struct strbuf *why);

#endif
