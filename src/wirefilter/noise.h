/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noise - bits of a frame are flipped
 *
 * Three models, each on its own; a bit may be flipped more than once.
 *
 *   noise n      VDE 2's: flips while a draw is below p = n * length / 2^20,
 *                at any bit; the number of flips is geometric, p / (1 - p) on
 *                average. p is at most NOISE_P_MAX.
 *   corrupt c    with probability c (0..1) one bit, anywhere
 *   ber b        each bit with probability b (0..1)
 *
 * Each model draws from a generator of its own, of this frame alone:
 * rng_stream(seed, 0, 0), (seed, 1, 0) and (seed, 2, 0). So @seed and the three
 * numbers say which bits, and none of the three changes what another does.
 */
#ifndef WIREFILTER_NOISE_H
#define WIREFILTER_NOISE_H

#include "base/util.h"

#define NOISE_P_MAX 0.999

/* How many flips were made in @len bytes. A number that is not above 0 flips
 * nothing, one above the most is the most. */
unsigned int noise_flip(uint8_t *bytes, size_t len, uint64_t seed, double noise,
			double corrupt, double ber);

#endif
