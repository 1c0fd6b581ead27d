// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void strbuf_init(struct strbuf *b, char *s, size_t size)
{
	*b = (struct strbuf){ .s = s, .size = size };
	s[0] = '\0';
}

void strbuf_addn(struct strbuf *b, const char *s, size_t n)
{
	size_t room = b->size - 1 - b->len;

	if (b->cut)
		return;
	if (n > room) {
		n = room;
		b->cut = true;
	}
	memcpy(b->s + b->len, s, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_addn(b, s, strlen(s));
}

void strbuf_fmt(struct strbuf *b, const char *fmt, ...)
{
	size_t room = b->size - b->len;
	va_list ap;
	int n;

	if (b->cut)
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->s + b->len, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->s[b->len] = '\0';
		b->cut = true;
	} else if ((size_t)n >= room) {
		b->len = b->size - 1;
		b->cut = true;
	} else {
		b->len += (size_t)n;
	}
}

int str_fmt(char *s, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s, size, fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : n;
}

int str_copy(char *s, size_t size, const char *src)
{
	size_t n = strlen(src);

	if (n >= size) {
		s[0] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(s, src, n + 1);
	return (int)n;
}
