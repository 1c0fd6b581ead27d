// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/noise.h"

#include <math.h>

#include "base/rng.h"

/* The streams of a frame's seed. */
enum {
	OF_NOISE,
	OF_CORRUPT,
	OF_BER
};

static void flip(uint8_t *bytes, uint64_t bit)
{
	bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

static unsigned int flip_noise(uint8_t *bytes, uint64_t len, uint64_t seed,
			       double noise)
{
	double p = noise * (double)len * 0x1p-20;
	unsigned int flips = 0;
	struct rng rng;

	if (p > NOISE_P_MAX)
		p = NOISE_P_MAX;
	rng_stream(&rng, seed, OF_NOISE, 0);
	for (; rng_unit(&rng) < p; flips++)
		flip(bytes, rng_below(&rng, len * 8));
	return flips;
}

static unsigned int flip_one(uint8_t *bytes, uint64_t len, uint64_t seed,
			     double corrupt)
{
	struct rng rng;

	rng_stream(&rng, seed, OF_CORRUPT, 0);
	if (rng_unit(&rng) >= corrupt)
		return 0;
	flip(bytes, rng_below(&rng, len * 8));
	return 1;
}

/* From a bit that is flipped to the next there are k that are not with the
 * probability b (1 - b)^k, so one draw is enough for each flip. */
static unsigned int flip_each(uint8_t *bytes, uint64_t len, uint64_t seed,
			      double ber)
{
	double scale = log1p(ber < 1 ? -ber : -1), skip;
	uint64_t at = 0, end = len * 8;
	unsigned int flips = 0;
	struct rng rng;

	rng_stream(&rng, seed, OF_BER, 0);
	for (; at < end; at++, flips++) {
		skip = log(rng_open(&rng)) / scale;
		if (skip >= (double)(end - at))
			break;
		at += (uint64_t)skip;
		flip(bytes, at);
	}
	return flips;
}

unsigned int noise_flip(uint8_t *bytes, size_t len, uint64_t seed, double noise,
			double corrupt, double ber)
{
	unsigned int flips = 0;

	if (!len)
		return 0;
	if (noise > 0)
		flips += flip_noise(bytes, len, seed, noise);
	if (corrupt > 0)
		flips += flip_one(bytes, len, seed, corrupt);
	if (ber > 0)
		flips += flip_each(bytes, len, seed, ber);
	return flips;
}
