/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bits - bitmaps of ports, as arrays of 64-bit words
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include "base/util.h"

#define BITS_WORDS(n) (((size_t)(n) + 63) / 64)

static inline void bits_set(uint64_t *b, unsigned int i)
{
	b[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bits_clear(uint64_t *b, unsigned int i)
{
	b[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static inline bool bits_test(const uint64_t *b, unsigned int i)
{
	return b[i / 64] >> (i % 64) & 1;
}

static inline bool bits_any(const uint64_t *b, size_t words)
{
	for (size_t w = 0; w < words; w++)
		if (b[w])
			return true;
	return false;
}

/* The lowest set bit at or above @from, or -1. */
static inline int bits_next(const uint64_t *b, size_t words, unsigned int from)
{
	size_t w = from / 64;
	uint64_t v;

	if (w >= words)
		return -1;
	v = b[w] & (~UINT64_C(0) << (from % 64));
	while (!v) {
		if (++w == words)
			return -1;
		v = b[w];
	}
	return (int)(w * 64) + __builtin_ctzll(v);
}

/* @i is declared here: it cannot stand in parentheses. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define bits_for_each(i, b, words)                   \
	for (int i = bits_next(b, words, 0); i >= 0; \
	     i = bits_next(b, words, (unsigned int)i + 1))
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
