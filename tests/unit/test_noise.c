// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Noise: how many bits, which ones, and the same ones again.
 */
#include "wirefilter/noise.h"

#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "base/rng.h"
#include "stats.h"

#define FRAMES 1000000

static const double shares[] = { 0.0001, 0.001, 0.01, 0.1, 0.25, 0.5 };

static uint8_t frame[65536];

static unsigned int ones(const uint8_t *p, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++)
		n += (unsigned int)__builtin_popcount(p[i]);
	return n;
}

/* Flips of @len zero bytes, which are zeros again afterwards. */
static unsigned int flips(size_t len, uint64_t seed, double noise,
			  double corrupt, double ber)
{
	unsigned int n = noise_flip(frame, len, seed, noise, corrupt, ber);
	unsigned int seen;

	if (!n)
		return 0;
	if (seed % 16 == 0) {
		seen = ones(frame, len);
		CHECK(seen <= n && (n - seen) % 2 == 0);
	}
	memset(frame, 0, len);
	return n;
}

static void without_any_nothing_is_flipped(void)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		CHECK(flips(1500, seed, 0, 0, 0) == 0);
		CHECK(flips(1500, seed, -1, -1, -1) == 0);
		CHECK(flips(1500, seed, NAN, NAN, NAN) == 0);
	}
	CHECK(noise_flip(frame, 0, 1, 1e9, 1, 1) == 0);
}

static void corrupt_takes_its_share_of_frames(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		uint64_t hit = 0;

		for (uint64_t f = 0; f < FRAMES; f++)
			hit += flips(64, 77 * FRAMES + f, 0, shares[i], 0);
		CHECK(stat_share((double)hit, FRAMES, shares[i]));
	}
}

static void corrupt_flips_one_bit_of_any(void)
{
	uint64_t seen[64 * 8] = { 0 };
	double expected[ARRAY_SIZE(seen)];

	for (uint64_t f = 0; f < FRAMES; f++) {
		CHECK(noise_flip(frame, 64, f, 0, 1, 0) == 1);
		for (size_t i = 0; i < 64; i++) {
			if (frame[i])
				seen[i * 8 + (size_t)__builtin_ctz(frame[i])]++;
		}
		CHECK(ones(frame, 64) == 1);
		memset(frame, 0, 64);
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		expected[i] = (double)FRAMES / ARRAY_SIZE(seen);
	CHECK(stat_chi2(seen, expected, ARRAY_SIZE(seen)));
}

static void each_bit_has_its_error_rate(void)
{
	static const double rates[] = { 1e-7, 1e-6, 1e-5, 1e-4, 1e-3,
					0.01, 0.1,  0.25, 0.5 };

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t n = rates[i] < 1e-3 ? FRAMES : 1000, hit = 0;

		for (uint64_t f = 0; f < n; f++)
			hit += flips(1514, 5 * FRAMES + f, 0, 0, rates[i]);
		CHECK(stat_share((double)hit, (double)n * 1514 * 8, rates[i]));
	}
}

/* The share of frames that are damaged, as people ask for it. */
static void frames_stay_whole_as_often_as_all_their_bits_do(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		double ber = -expm1(log1p(-shares[i]) / (64 * 8));
		uint64_t hit = 0;

		for (uint64_t f = 0; f < FRAMES; f++)
			hit += flips(64, 9 * FRAMES + f, 0, 0, ber) > 0;
		CHECK(stat_share((double)hit, FRAMES, shares[i]));
	}
}

/* Geometric skipping must favour neither the first bit nor the last. */
static void errors_are_anywhere_in_a_frame(void)
{
	uint64_t seen[100 * 8] = { 0 };
	double expected[ARRAY_SIZE(seen)];

	for (uint64_t f = 0; f < FRAMES; f++) {
		if (!noise_flip(frame, 100, f, 0, 0, 0.002))
			continue;
		for (size_t bit = 0; bit < ARRAY_SIZE(seen); bit++) {
			if (frame[bit / 8])
				seen[bit] += frame[bit / 8] >> bit % 8 & 1;
		}
		memset(frame, 0, 100);
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		expected[i] = FRAMES * 0.002;
	CHECK(stat_chi2(seen, expected, ARRAY_SIZE(seen)));
}

static void an_error_rate_of_one_flips_all(void)
{
	CHECK(noise_flip(frame, 65535, 1, 0, 0, 1) == 65535 * 8);
	CHECK(ones(frame, 65535) == 65535 * 8 && frame[65535] == 0);
	CHECK(noise_flip(frame, 65535, 2, 0, 0, 7) == 65535 * 8);
	CHECK(ones(frame, 65535) == 0);
}

static void the_least_error_rate_is_no_trouble(void)
{
	for (uint64_t f = 0; f < 1000; f++)
		CHECK(flips(65535, f, 0, 0, 5e-324) == 0);
}

/* VDE 2: repeat while a draw is below p. */
static void noise_is_geometric(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		double p = shares[i], noise = p * 0x1p20 / 1000, x = FRAMES;
		uint64_t seen[12] = { 0 };
		double expected[ARRAY_SIZE(seen)];
		size_t bins = 0;

		for (uint64_t f = 0; f < FRAMES; f++) {
			size_t n = flips(1000, 3 * FRAMES + f, noise, 0, 0);

			seen[size_min(n, ARRAY_SIZE(seen) - 1)]++;
		}
		CHECK(stat_share(FRAMES - (double)seen[0], FRAMES, p));
		for (; bins < ARRAY_SIZE(seen) - 1 && x * p * p > 10; x *= p)
			expected[bins++] = x * (1 - p);
		expected[bins] = x;
		for (size_t k = bins + 1; k < ARRAY_SIZE(seen); k++)
			seen[bins] += seen[k];
		if (bins > 3)
			CHECK(stat_chi2(seen, expected, bins + 1));
	}
}

/* Measured of VDE 2.3.2: 38 flips in 50 frames of 1000 bytes at 500. */
static void noise_has_the_mean_of_vde_2(void)
{
	double p = 500.0 * 1000 / 1048576, of = p / (1 - p), sum = 0;

	for (uint64_t f = 0; f < FRAMES; f++)
		sum += flips(1000, f, 500, 0, 0);
	CHECK(stat_mean(sum / FRAMES, FRAMES, of, sqrt(p) / (1 - p)));
	CHECK(fabs(of * 50 - 38) < 38 / 4.0);
}

/* There VDE 2 never ends. */
static void too_much_noise_ends(void)
{
	double p = NOISE_P_MAX, sum = 0;

	for (uint64_t f = 0; f < 10000; f++)
		sum += flips(1000, f, f % 2 ? 1048.576 : INFINITY, 0, 0);
	CHECK(stat_mean(sum / 10000, 10000, p / (1 - p), sqrt(p) / (1 - p)));
}

static void the_same_seed_flips_the_same_bits(void)
{
	static uint8_t again[1500];
	unsigned int same = 0;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		unsigned int n = noise_flip(frame, 1500, seed, 300, 0.5, 1e-4);

		CHECK(noise_flip(again, 1500, seed, 300, 0.5, 1e-4) == n);
		CHECK(!memcmp(frame, again, 1500));
		memset(again, 0, sizeof(again));
		noise_flip(again, 1500, seed + 1, 300, 0.5, 1e-4);
		same += !memcmp(frame, again, 1500);
		memset(again, 0, sizeof(again));
		memset(frame, 0, 1500);
	}
	CHECK(same < 100);
}

static void models_do_not_shift_each_other(void)
{
	static uint8_t apart[1500];

	for (uint64_t seed = 0; seed < 1000; seed++) {
		unsigned int n = noise_flip(apart, 1500, seed, 300, 0, 0);

		n += noise_flip(apart, 1500, seed, 0, 0.5, 0);
		n += noise_flip(apart, 1500, seed, 0, 0, 1e-3);
		CHECK(noise_flip(frame, 1500, seed, 300, 0.5, 1e-3) == n);
		CHECK(!memcmp(frame, apart, 1500));
		memset(apart, 0, sizeof(apart));
		memset(frame, 0, 1500);
	}
}

/* The text of noise.h, done slowly. */
static void the_bits_are_those_of_the_documented_streams(void)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		uint8_t want[100] = { 0 };
		struct rng r;

		rng_stream(&r, seed, 0, 0);
		while (rng_unit(&r) < 5000.0 * 100 / 1048576) {
			uint64_t bit = rng_below(&r, 800);

			want[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		rng_stream(&r, seed, 1, 0);
		if (rng_unit(&r) < 0.3) {
			uint64_t bit = rng_below(&r, 800);

			want[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		noise_flip(frame, 100, seed, 5000, 0.3, 0);
		CHECK(!memcmp(frame, want, 100));
		memset(frame, 0, 100);
	}
}

int main(void)
{
	RUN(without_any_nothing_is_flipped);
	RUN(corrupt_takes_its_share_of_frames);
	RUN(corrupt_flips_one_bit_of_any);
	RUN(each_bit_has_its_error_rate);
	RUN(frames_stay_whole_as_often_as_all_their_bits_do);
	RUN(errors_are_anywhere_in_a_frame);
	RUN(an_error_rate_of_one_flips_all);
	RUN(the_least_error_rate_is_no_trouble);
	RUN(noise_is_geometric);
	RUN(noise_has_the_mean_of_vde_2);
	RUN(too_much_noise_ends);
	RUN(the_same_seed_flips_the_same_bits);
	RUN(models_do_not_shift_each_other);
	RUN(the_bits_are_those_of_the_documented_streams);
	DONE();
}
