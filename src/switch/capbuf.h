/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capbuf - blocks of pcapng on their way to a reader who may be slow
 *
 * A circular buffer of whole blocks: each lies in one piece, so that it can be
 * written where it stays and offered to the reader from there; what is too
 * short for the next block at the end of the memory is left out. How much of
 * the oldest block has gone already is known, and with it where the reader's
 * last whole block ends. An empty buffer begins again at its start: while the
 * reader keeps up, the same memory is used all the time, and it is in the
 * cache.
 */
#ifndef SWITCH_CAPBUF_H
#define SWITCH_CAPBUF_H

#include <sys/uio.h>

#include "base/util.h"

struct capbuf {
	uint8_t *mem;
	size_t size;
	size_t tail, head; /* the oldest byte; where the next block goes */
	size_t end; /* wrapped: where what is above @tail ends */
	bool wrapped; /* the newest blocks are below @tail */
	size_t part; /* of the oldest block, gone already */
};

/* False without memory. */
bool capbuf_init(struct capbuf *, size_t size);
void capbuf_fini(struct capbuf *);
/* Drops everything. */
void capbuf_clear(struct capbuf *);

/* Room for a block of up to @need bytes, or NULL; the block is there once its
 * length is added. */
uint8_t *capbuf_room(struct capbuf *, size_t need);
void capbuf_add(struct capbuf *, size_t len);

/* What waits, in order, in up to two pieces; returns how many. */
int capbuf_iov(const struct capbuf *, struct iovec iov[static 2]);
size_t capbuf_pending(const struct capbuf *);
/* The first @n bytes have gone. */
void capbuf_sent(struct capbuf *, size_t n);

#endif
