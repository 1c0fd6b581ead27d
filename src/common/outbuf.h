/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbuf - bytes that wait to be written, up to a bound
 *
 * A queue in one piece of memory: bytes are added at the end and leave at the
 * start, so that all of it can be offered to one write. Memory is taken when
 * needed and returned when a large backlog has gone. A zeroed one is empty.
 */
#ifndef COMMON_OUTBUF_H
#define COMMON_OUTBUF_H

#include "base/util.h"

struct outbuf {
	char *mem;
	size_t size, start, end; /* bytes in use: start..end */
};

static inline size_t outbuf_pending(const struct outbuf *b)
{
	return b->end - b->start;
}

/* The pending bytes; until the next call that changes @b. */
static inline const char *outbuf_bytes(const struct outbuf *b)
{
	return b->mem + b->start;
}

/* Puts @n bytes before the pending byte number @at (outbuf_pending(): at the
 * end). False, and nothing done, if more than @max would wait or there is no
 * memory. */
bool outbuf_insert(struct outbuf *, size_t at, const char *s, size_t n,
		   size_t max);
/* The first @n bytes have gone. */
void outbuf_sent(struct outbuf *, size_t n);
/* Drops what is pending and the memory. */
void outbuf_clear(struct outbuf *);

#endif
