// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keyed hashes.
 */
#include "base/hash.h"

#include "../unit/test.h"
#include "base/util.h"

/* Key and messages of the paper's appendix: bytes 0, 1, 2 and so on. */
static const uint64_t key[2] = { UINT64_C(0x0706050403020100),
				 UINT64_C(0x0f0e0d0c0b0a0908) };

static void bytes_hash_as_the_paper_says(void)
{
	uint8_t m[64];

	for (unsigned int i = 0; i < sizeof(m); i++)
		m[i] = (uint8_t)i;
	CHECK(hash_bytes(m, 0, key) == UINT64_C(0x726fdb47dd0e0e31));
	CHECK(hash_bytes(m, 1, key) == UINT64_C(0x74f839c593dc67fd));
	CHECK(hash_bytes(m, 8, key) == UINT64_C(0x93f5f5799a932462));
	CHECK(hash_bytes(m, 15, key) == UINT64_C(0xa129ca6149be45e5));
	CHECK(hash_bytes(m, 63, key) == UINT64_C(0x958a324ceb064572));
}

static void every_bit_of_key_and_bytes_matters(void)
{
	uint8_t m[13] = { 1, 2, 3 };
	uint64_t was = hash_bytes(m, sizeof(m), key);

	for (unsigned int i = 0; i < 8 * sizeof(m); i++) {
		m[i / 8] ^= (uint8_t)(1u << i % 8);
		CHECK(hash_bytes(m, sizeof(m), key) != was);
		m[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (unsigned int i = 0; i < 128; i++) {
		uint64_t other[2] = { key[0], key[1] };

		other[i / 64] ^= UINT64_C(1) << i % 64;
		CHECK(hash_bytes(m, sizeof(m), other) != was);
	}
	CHECK(hash_bytes(m, sizeof(m), key) == was);
}

static void a_number_mixes_into_both_halves(void)
{
	uint64_t a = hash_u64(1, 7), b = hash_u64(2, 7);

	CHECK(a >> 32 != b >> 32 && (uint32_t)a != (uint32_t)b);
	CHECK(a == hash_u64(1, 7) && a != hash_u64(1, 8));
}

int main(void)
{
	RUN(bytes_hash_as_the_paper_says);
	RUN(every_bit_of_key_and_bytes_matters);
	RUN(a_number_mixes_into_both_halves);
	DONE();
}
