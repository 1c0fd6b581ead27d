// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/clean.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

/* Bytes of the character that begins with @c, 0 if none does. */
static size_t utf8_size(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	return 0;
}

/* The character at @p, of @n bytes as utf8_size() says; false if the bytes
 * that follow the first are wrong or it could have been written shorter. */
static bool utf8_decode(const uint8_t *p, size_t n, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t v = p[0] & first_bits[n];

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return false;
		v = v << 6 | (p[i] & 0x3f);
	}
	*out = v;
	return v >= least[n] && v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
}

static bool harmless(uint32_t c)
{
	if (c < 0x20)
		return c == '\t';
	if (c >= 0x7f && c <= 0x9f)
		return false;
	return !(c == 0x61c || c == 0x200e || c == 0x200f ||
		 (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
}

/* Length of the good character at @p, 0 if it is not one. */
static size_t good_size(const uint8_t *p, size_t left, bool utf8)
{
	size_t n = utf8_size(p[0]);
	uint32_t c;

	if (!n || n > left || (n > 1 && !utf8))
		return 0;
	return utf8_decode(p, n, &c) && harmless(c) ? n : 0;
}

/* Bytes to blot out where no good character stands: all of a well-formed
 * one, so that its tail is not judged by itself. */
static size_t bad_size(const uint8_t *p, size_t left)
{
	size_t n = utf8_size(p[0]);
	uint32_t c;

	return n && n <= left && utf8_decode(p, n, &c) ? n : 1;
}

void clean_text(char *dst, const char *src, size_t len, bool utf8)
{
	const uint8_t *in = (const uint8_t *)src;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = good_size(in + i, len - i, utf8);
		if (n) {
			memmove(dst + i, src + i, n);
			continue;
		}
		n = bad_size(in + i, len - i);
		memset(dst + i, '?', n);
	}
}

size_t clean_partial(const char *s, size_t len)
{
	const uint8_t *in = (const uint8_t *)s;

	for (size_t back = 1; back <= size_min(3, len); back++) {
		uint8_t c = in[len - back];

		if ((c & 0xc0) != 0x80)
			return utf8_size(c) > back ? back : 0;
	}
	return 0;
}
