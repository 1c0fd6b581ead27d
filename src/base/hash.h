/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hash - keyed mixing of a 64-bit key
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

/* A well mixed 64-bit value; who does not know @secret cannot aim at a
 * bucket. Both halves may be used as independent hashes. */
uint64_t hash_u64(uint64_t key, uint64_t secret);

#endif
