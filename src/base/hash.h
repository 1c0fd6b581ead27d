/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hash - keyed mixing of a 64-bit key, and a keyed hash of bytes
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A well mixed 64-bit value; who does not know @secret cannot aim at a
 * bucket. Both halves may be used as independent hashes. */
uint64_t hash_u64(uint64_t key, uint64_t secret);

/* SipHash-2-4 (Aumasson and Bernstein, 2012): who does not know @key cannot
 * make the hash of bytes that he has not seen it of. */
uint64_t hash_bytes(const uint8_t *p, size_t len, const uint64_t key[static 2]);

#endif
