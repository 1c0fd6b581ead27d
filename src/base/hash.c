// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/hash.h"

/* Two multiply-and-fold rounds: every input bit reaches every output bit. */
uint64_t hash_u64(uint64_t key, uint64_t secret)
{
	uint64_t h = key ^ secret;

	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 29;
	h += secret;
	h *= UINT64_C(0xd1342543de82ef95);
	h ^= h >> 32;
	return h;
}
