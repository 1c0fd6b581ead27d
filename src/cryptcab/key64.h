/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key64 - keys of 32 bytes as text: base64 (RFC 4648) with its padding
 *
 * A key has exactly one text and the other way round: 44 characters. What is
 * longer, shorter, or has bits where the padding is, is none. Both directions
 * take the same time for each key: libsodium's functions.
 */
#ifndef CRYPTCAB_KEY64_H
#define CRYPTCAB_KEY64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY64_BYTES 32 /* TUNNEL_KEY_LEN */
#define KEY64_LEN 44
#define KEY64_SIZE (KEY64_LEN + 1)

/* Returns @s. */
char *key64_write(char s[static KEY64_SIZE],
		  const uint8_t key[static KEY64_BYTES]);

/* The @len characters at @s. False, and @key is zeros: they are no key. */
bool key64_read(uint8_t key[static KEY64_BYTES], const char *s, size_t len);

#endif
