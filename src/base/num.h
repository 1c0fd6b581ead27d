/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * num - numbers from text: the whole string, in range, or nothing
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x; a leading zero is not octal. False, and
 * @out untouched, if @s is not wholly a number in @min..@max. */
bool parse_num(const char *s, int64_t min, int64_t max, int64_t *out);

/* Octal digits only, for file modes: 0..07777. */
bool parse_mode(const char *s, unsigned int *out);

#endif
