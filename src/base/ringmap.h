/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ringmap - the memory of a pair of rings, as one side maps it
 *
 * The file: one page of control words (two struct ring_shared, client to
 * switch first), then the data areas of both directions. Each data area is
 * mapped twice in a row.
 */
#ifndef BASE_RINGMAP_H
#define BASE_RINGMAP_H

#include "base/ring.h"

#define RINGMAP_HEADER 4096

struct ringmap {
	uint8_t *base; /* NULL: not mapped */
	size_t len;
	struct ring to_switch;
	struct ring to_client;
};

/* Maps @fd, whose size must be that of two rings of @size bytes, for frames
 * that fit. The caller may close @fd afterwards. 0 or -errno; -EPROTO: what the
 * other side says of it makes no sense. */
int ringmap_open(struct ringmap *, int fd, uint32_t size, uint32_t max_len);
void ringmap_close(struct ringmap *);

/* A sealed memory file for two rings of @size bytes, zeroed. -errno. */
int ringmap_create(uint32_t size);

#endif
