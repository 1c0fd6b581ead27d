/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * utf8 - is this text what it should be?
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/util.h"

/* Bytes of the UTF-8 character at @s (RFC 3629), 0 if there is none. Stops
 * at the terminator by itself: a NUL is no continuation. */
static inline size_t utf8_len(const uint8_t *s)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		lo = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		hi = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		lo = 0x90; /* overlong */
	else if (s[0] == 0xf4)
		hi = 0x8f; /* above U+10FFFF */
	for (size_t i = 1; i < n; i++) {
		if (s[i] < lo || s[i] > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
	}
	return n;
}

#endif
