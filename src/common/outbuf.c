// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/outbuf.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 4096
#define SIZE_KEPT 65536 /* when empty */

static bool make_room(struct outbuf *b, size_t n)
{
	size_t pending = outbuf_pending(b), size = b->size, need;
	char *mem;

	if (b->size - b->end >= n)
		return true;
	if (!size_add(pending, n, &need))
		return false;
	/* Moving down must pay: at least half of the memory is gained. */
	if (need <= size && b->start >= size / 2) {
		memmove(b->mem, b->mem + b->start, pending);
		b->start = 0;
		b->end = pending;
		return true;
	}
	if (!size)
		size = SIZE_FIRST;
	while (size < need)
		if (!size_mul(size, 2, &size))
			return false;
	if (size == b->size && !size_mul(size, 2, &size))
		return false;
	mem = malloc(size);
	if (!mem)
		return false;
	if (pending)
		memcpy(mem, b->mem + b->start, pending);
	free(b->mem);
	*b = (struct outbuf){ .mem = mem, .size = size, .end = pending };
	return true;
}

bool outbuf_insert(struct outbuf *b, size_t at, const char *s, size_t n,
		   size_t max)
{
	size_t pending = outbuf_pending(b);
	char *p;

	if (n > max || pending > max - n || !make_room(b, n))
		return false;
	if (!n)
		return true;
	p = b->mem + b->start + at;
	memmove(p + n, p, pending - at);
	memcpy(p, s, n);
	b->end += n;
	return true;
}

void outbuf_sent(struct outbuf *b, size_t n)
{
	b->start += n;
	if (b->start < b->end)
		return;
	b->start = b->end = 0;
	if (b->size > SIZE_KEPT)
		outbuf_clear(b);
}

void outbuf_clear(struct outbuf *b)
{
	free(b->mem);
	*b = (struct outbuf){ 0 };
}
