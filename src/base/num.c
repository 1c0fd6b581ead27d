// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_digits(const char *s, int base, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		int d = hex_digit(*s);

		if (d < 0 || d >= base || v > (UINT64_MAX - 15) / 16)
			return false;
		v = v * (uint64_t)base + (uint64_t)d;
	}
	*out = v;
	return true;
}

bool parse_num(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool neg = *s == '-';
	uint64_t v;
	int64_t n;
	int base = 10;

	s += neg;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	/* INT64_MIN has one more than INT64_MAX has. */
	if (!parse_digits(s, base, &v) || v > (uint64_t)INT64_MAX + neg)
		return false;
	n = neg ? (int64_t)-v : (int64_t)v;
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}

bool parse_mode(const char *s, unsigned int *out)
{
	uint64_t v;

	if (!parse_digits(s, 8, &v) || v > 07777)
		return false;
	*out = (unsigned int)v;
	return true;
}

static size_t count_digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= '0' && s[n] <= '9')
		n++;
	return n;
}

/* Of "e-6"; 0 if that is none. */
static size_t exponent_len(const char *s, size_t len)
{
	size_t n = 1, digits;

	if (!len || (*s != 'e' && *s != 'E'))
		return 0;
	if (len > 1 && (s[1] == '+' || s[1] == '-'))
		n++;
	digits = count_digits(s + n, len - n);
	return digits ? n + digits : 0;
}

static size_t fraction_len(const char *s, size_t len)
{
	size_t n = count_digits(s, len), digits = n;

	if (n < len && s[n] == '.') {
		digits += count_digits(s + n + 1, len - n - 1);
		n = digits + 1;
	}
	return digits ? n + exponent_len(s + n, len - n) : 0;
}

/* strtod() knows more than that and wants a NUL, so it gets a copy. */
size_t parse_fraction(const char *s, size_t len, double *out)
{
	size_t n = fraction_len(s, len);
	char copy[64], *end;
	double v;

	if (!n || n >= sizeof(copy))
		return 0;
	memcpy(copy, s, n);
	copy[n] = '\0';
	v = strtod(copy, &end);
	if (*end) /* a locale with another dot */
		return 0;
	*out = v;
	return n;
}
