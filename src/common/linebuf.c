// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linebuf.h"

#include <string.h>

void linebuf_init(struct linebuf *b)
{
	b->start = b->end = 0;
	b->swallowing = false;
}

/* One byte stays free for the terminator of a last line. */
char *linebuf_space(struct linebuf *b, size_t *room)
{
	if (b->start) {
		memmove(b->mem, b->mem + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	*room = sizeof(b->mem) - 1 - b->end;
	return b->mem + b->end;
}

void linebuf_fill(struct linebuf *b, size_t n)
{
	assert(n < sizeof(b->mem) - b->end);
	b->end += n;
}

static char *newline_of(const struct linebuf *b)
{
	const char *from = b->mem + b->start;

	return memchr(from, '\n', b->end - b->start);
}

bool linebuf_ready(const struct linebuf *b, bool all)
{
	return newline_of(b) || (all && (b->start != b->end || b->swallowing));
}

enum linebuf_got linebuf_next(struct linebuf *b, bool all, char **line,
			      size_t *len)
{
	char *s = b->mem + b->start, *nl = newline_of(b);
	size_t have = b->end - b->start, n = nl ? (size_t)(nl - s) : have;

	if (n > LINEBUF_MAX)
		b->swallowing = true;
	if (!nl && b->swallowing)
		b->start = b->end = 0; /* its newline is still to come */
	if (!nl && !(all && (have || b->swallowing)))
		return LINEBUF_NOTHING;
	if (nl)
		b->start += n + 1;
	else
		b->start = b->end = 0;
	if (b->swallowing) {
		b->swallowing = false;
		return LINEBUF_TOO_LONG;
	}
	s[n] = '\0';
	*line = s;
	*len = n;
	return LINEBUF_LINE;
}
