// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capbuf.h"

#include <stdlib.h>

#include "common/pcapng.h"

bool capbuf_init(struct capbuf *b, size_t size)
{
	*b = (struct capbuf){ .mem = malloc(size), .size = size };
	return b->mem != NULL;
}

void capbuf_fini(struct capbuf *b)
{
	free(b->mem);
	*b = (struct capbuf){ 0 };
}

void capbuf_clear(struct capbuf *b)
{
	b->tail = b->head = b->end = b->part = 0;
	b->wrapped = false;
}

uint8_t *capbuf_room(struct capbuf *b, size_t need)
{
	if (!b->wrapped && b->size - b->head < need && b->tail > need) {
		b->end = b->head;
		b->head = 0;
		b->wrapped = true;
	}
	if (b->wrapped ? b->tail - b->head <= need : b->size - b->head < need)
		return NULL;
	return b->mem + b->head;
}

void capbuf_add(struct capbuf *b, size_t len)
{
	b->head += len;
}

int capbuf_iov(const struct capbuf *b, struct iovec iov[static 2])
{
	size_t upper = (b->wrapped ? b->end : b->head) - b->tail - b->part;

	iov[0] = (struct iovec){ b->mem + b->tail + b->part, upper };
	if (!b->wrapped || !b->head)
		return upper > 0;
	iov[1] = (struct iovec){ b->mem, b->head };
	return 2;
}

size_t capbuf_pending(const struct capbuf *b)
{
	if (b->wrapped)
		return b->end - b->tail - b->part + b->head;
	return b->head - b->tail - b->part;
}

void capbuf_sent(struct capbuf *b, size_t n)
{
	if (n == capbuf_pending(b)) {
		capbuf_clear(b);
		return;
	}
	n += b->part;
	for (;;) {
		size_t len = pcapng_block_len(b->mem + b->tail);

		if (n < len)
			break;
		n -= len;
		b->tail += len;
		if (b->wrapped && b->tail == b->end) {
			b->tail = 0;
			b->wrapped = false;
		}
	}
	b->part = n;
}
