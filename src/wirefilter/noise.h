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
 * All draws are from a generator of this frame alone, so @seed and the three
 * numbers say which bits.
 */
#ifndef WIREFILTER_NOISE_H
#define WIREFILTER_NOISE_H

#include "base/util.h"

#define NOISE_P_MAX 0.999

/* How many flips were made in @len bytes. */
unsigned int noise_flip(uint8_t *bytes, size_t len, uint64_t seed, double noise,
			double corrupt, double ber);

#endif
