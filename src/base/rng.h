/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rng - reproducible random numbers: xoshiro256**, seeded by splitmix64
 *
 * The generator of Blackman and Vigna ("Scrambled linear pseudorandom number
 * generators", 2021): 256 bits of state, period 2^256 - 1. With all arithmetic
 * modulo 2^64, and s[] the state,
 *
 *   result = rotl(s[1] * 5, 7) * 9
 *   t = s[1] << 17
 *   s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]
 *   s[2] ^= t; s[3] = rotl(s[3], 45)
 *
 * rng_init() takes s[0] to s[3] from four steps of splitmix64 (Steele, Lea and
 * Flood, 2014): next(x) adds 0x9e3779b97f4a7c15 to x, which is what the step
 * after it starts from, and gives
 *
 *   x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9
 *   x = (x ^ x >> 27) * 0x94d049bb133111eb
 *   x ^ x >> 31
 *
 * rng_stream() gives each use of a seed a generator of its own: it is
 * rng_init(h), where h = next(next(next(seed) + a) + b). That two streams are
 * the same has a probability of 2^-64.
 *
 * The numbers are the same on every machine: integers only, and a product with
 * a power of two. Not for secrets. tests/unit/rng_vectors.py is the same text
 * in another language, and the tests compare both.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4]; /* never all zero */
};

void rng_init(struct rng *, uint64_t seed);

/* Stream (@a, @b) of @seed: what it gives does not depend on how much of the
 * others is used, nor is it what rng_init() gives. */
void rng_stream(struct rng *, uint64_t seed, uint64_t a, uint64_t b);

/* 0..@n - 1, each equally likely; @n must not be 0. Draws again, less than
 * once on average, where the numbers do not divide evenly: do not use it where
 * a fixed number of draws is needed. */
uint64_t rng_below(struct rng *, uint64_t n);

/* 0..2^64 - 1; one draw. */
static inline uint64_t rng_u64(struct rng *r)
{
	uint64_t s1 = r->s[1], x = s1 * 5;

	x = (x << 7 | x >> 57) * 9;
	r->s[2] ^= r->s[0];
	r->s[3] ^= s1;
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= s1 << 17;
	r->s[3] = r->s[3] << 45 | r->s[3] >> 19;
	return x;
}

/* A multiple of 2^-53 in [0, 1); one draw. */
static inline double rng_unit(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

/* An odd multiple of 2^-53 in (0, 1), as likely as 1 minus it: for functions
 * with poles at both ends; one draw. */
static inline double rng_open(struct rng *r)
{
	/* 53 bits and a half would be rounded, up to 1. */
	return ((double)(rng_u64(r) >> 12) + 0.5) * 0x1p-52;
}

#endif
