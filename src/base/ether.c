// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/ether.h"

#include "base/num.h"

char *ether_str(char *s, uint64_t addr)
{
	static const char hex[] = "0123456789abcdef";
	char *p = s;

	for (int shift = 40; shift >= 0; shift -= 8) {
		*p++ = hex[addr >> (shift + 4) & 15];
		*p++ = hex[addr >> shift & 15];
		*p++ = ':';
	}
	p[-1] = '\0';
	return s;
}

bool ether_parse(const char *s, uint64_t *addr)
{
	uint64_t v = 0;

	for (int i = 0; i < ETHER_ADDR_LEN; i++) {
		int hi = hex_digit(*s), lo;

		if (i && (*s != ':' && *s != '.'))
			return false;
		if (i)
			hi = hex_digit(*++s);
		if (hi < 0)
			return false;
		lo = hex_digit(*++s);
		if (lo >= 0)
			s++;
		v = v << 8 | (uint64_t)(lo < 0 ? hi : hi << 4 | lo);
	}
	if (*s)
		return false;
	*addr = v;
	return true;
}
