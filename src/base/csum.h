/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * csum - the Internet checksum: ones'-complement sums of 16-bit words
 *
 * A sum is kept in 64 bits and in the byte order of memory, in which words of
 * a message are added as they lie there (RFC 1071 section 2: the order does
 * not matter as long as it is the same for all); numbers of this machine are
 * added as csum_num(). Sums of parts may be added with "+" as long as every
 * part but the last has an even length; nothing here overflows before 2^27
 * such additions.
 */
#ifndef BASE_CSUM_H
#define BASE_CSUM_H

#include <string.h>

#include "base/util.h"

/* Any alignment; an odd last byte counts as followed by a zero. The result is
 * below 2^37. */
uint64_t csum_sum(const void *bytes, size_t len);

/* What the 16-bit number @v, stored big-endian, adds. */
static inline uint16_t csum_num(uint16_t v)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? v
						      : __builtin_bswap16(v);
}

/* Two bytes of a message, and back. */
static inline uint16_t csum_get(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void csum_put(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* 16 bits of the same value modulo 0xffff; 0 only if @sum is 0. */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* What goes into a checksum field that was 0 while summed. */
static inline uint16_t csum_finish(uint64_t sum)
{
	return (uint16_t)~csum_fold(sum);
}

#endif
