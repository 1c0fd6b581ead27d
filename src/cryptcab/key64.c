// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/key64.h"

#include <sodium.h>

#define VARIANT sodium_base64_VARIANT_ORIGINAL

char *key64_write(char s[static KEY64_SIZE],
		  const uint8_t key[static KEY64_BYTES])
{
	return sodium_bin2base64(s, KEY64_SIZE, key, KEY64_BYTES, VARIANT);
}

/* libsodium 1.0.18 takes some bytes above 127 for letters: what is not the
 * key's own text is none. */
static bool is_text_of(const uint8_t key[static KEY64_BYTES], const char *s)
{
	char again[KEY64_SIZE];
	bool same;

	key64_write(again, key);
	same = !sodium_memcmp(again, s, KEY64_LEN);
	sodium_memzero(again, sizeof(again));
	return same;
}

bool key64_read(uint8_t key[static KEY64_BYTES], const char *s, size_t len)
{
	const char *end;
	size_t n;

	if (len == KEY64_LEN &&
	    !sodium_base642bin(key, KEY64_BYTES, s, len, NULL, &n, &end,
			       VARIANT) &&
	    n == KEY64_BYTES && end == s + len && is_text_of(key, s))
		return true;
	sodium_memzero(key, KEY64_BYTES);
	return false;
}
