/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linebuf - lines out of bytes that arrive in any pieces
 *
 * Bytes go in at the end of a fixed buffer, lines come out at its start. A
 * line above LINEBUF_MAX is swallowed whole, however long it is, and reported
 * once, at its end.
 */
#ifndef COMMON_LINEBUF_H
#define COMMON_LINEBUF_H

#include "base/util.h"

#define LINEBUF_MAX 1023 /* without the newline */
#define LINEBUF_SIZE 4096

struct linebuf {
	size_t start, end; /* bytes in use: start..end */
	bool swallowing; /* the line that is coming in is too long */
	char mem[LINEBUF_SIZE];
};

enum linebuf_got {
	LINEBUF_NOTHING,
	LINEBUF_LINE,
	LINEBUF_TOO_LONG,
};

void linebuf_init(struct linebuf *);

/* Read up to *@room bytes to the returned place (never none, as long as all
 * lines have been taken) and say how many came. Moves what is in use. */
char *linebuf_space(struct linebuf *, size_t *room);
void linebuf_fill(struct linebuf *, size_t n);

/* The next line: terminated, without its newline, valid until the next
 * linebuf_space(); it may contain NULs. With @all, bytes at the end that have
 * no newline are a line too. */
enum linebuf_got linebuf_next(struct linebuf *, bool all, char **line,
			      size_t *len);

/* Whether linebuf_next() would find something. */
bool linebuf_ready(const struct linebuf *, bool all);

#endif
