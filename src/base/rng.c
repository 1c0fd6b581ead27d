// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/rng.h"

static uint64_t next(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Different states give different numbers, so one at most is 0. */
void rng_init(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		r->s[i] = next(&seed);
}

void rng_stream(struct rng *r, uint64_t seed, uint64_t a, uint64_t b)
{
	uint64_t x = seed;

	x = next(&x) + a;
	x = next(&x) + b;
	rng_init(r, next(&x));
}

/*
 * Numbers below the largest multiple of @n are alike for every remainder; the
 * lowest 2^64 mod n are refused, so that what is left divides evenly.
 */
uint64_t rng_below(struct rng *r, uint64_t n)
{
	uint64_t refused = -n % n, x;

	do
		x = rng_u64(r);
	while (x < refused);
	return x % n;
}
