/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cursor - read fields from a message that a peer wrote
 *
 * Every read checks the remaining length. The first short read sets @bad and
 * every later read returns zero, so a parser can be written straight down and
 * checked once at the end.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <string.h>

#include "base/util.h"

struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return p;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? p[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

/* 32 bits in the byte order of this machine: the control protocol's way. */
static inline uint32_t cursor_host32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

/* True when everything was read and nothing was missing. */
static inline bool cursor_done(const struct cursor *c)
{
	return !c->bad && c->left == 0;
}

#endif
