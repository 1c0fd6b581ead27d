// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is summed are 32-bit words, two of them in each 64-bit lane: adding
 * the lanes gives low + high * 2^32 modulo 2^64, adding the lanes shifted
 * gives high, and so low is the difference. That is two additions and a shift
 * for a vector, with no carry to look after. Vectors are of 16 bytes, which
 * every 64-bit machine has; the compiler makes other code where there are
 * none.
 */
#include "base/csum.h"

typedef uint64_t lanes __attribute__((vector_size(16)));

static inline lanes load(const uint8_t *p)
{
	lanes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* @len is a multiple of 64. */
static uint64_t sum_blocks(const uint8_t *p, size_t len)
{
	lanes a = { 0 }, b = { 0 }, high_a = { 0 }, high_b = { 0 };

	for (const uint8_t *end = p + len; p < end; p += 64) {
		lanes v0 = load(p), v1 = load(p + 16), v2 = load(p + 32),
		      v3 = load(p + 48);

		a += v0;
		high_a += v0 >> 32;
		b += v1;
		high_b += v1 >> 32;
		a += v2;
		high_a += v2 >> 32;
		b += v3;
		high_b += v3 >> 32;
	}
	a += b;
	high_a += high_b;
	a -= high_a << 32;
	/* Each lane of either may be large: fold before they are added. */
	return (a[0] & UINT32_MAX) + (a[0] >> 32) + (a[1] & UINT32_MAX) +
	       (a[1] >> 32) + (high_a[0] & UINT32_MAX) + (high_a[0] >> 32) +
	       (high_a[1] & UINT32_MAX) + (high_a[1] >> 32);
}

uint64_t csum_sum(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t blocks = len & ~(size_t)63;
	uint64_t sum = blocks ? sum_blocks(p, blocks) : 0;
	uint32_t word = 0;

	p += blocks;
	len -= blocks;
	for (; len >= sizeof(word); p += 4, len -= 4) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	word = 0;
	if (len)
		memcpy(&word, p, len);
	return sum + word;
}
