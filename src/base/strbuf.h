/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * strbuf - text into a buffer of fixed size, where truncation is an error
 *
 * A strbuf is always terminated. The first append that does not fit sets
 * @cut, keeps what did fit, and later appends do nothing.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>

#include "base/util.h"

struct strbuf {
	char *s;
	size_t size; /* of the memory at @s, at least 1 */
	size_t len;
	bool cut;
};

void strbuf_init(struct strbuf *, char *s, size_t size);
void strbuf_addn(struct strbuf *, const char *s, size_t n);
void strbuf_add(struct strbuf *, const char *s);
void strbuf_fmt(struct strbuf *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Like snprintf(), but returns the length written or -ENAMETOOLONG. */
int str_fmt(char *s, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Copies @src whole or returns -ENAMETOOLONG with @s empty. */
int str_copy(char *s, size_t size, const char *src);

#endif
