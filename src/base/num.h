/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * num - numbers from text: what is not wholly right is not taken
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x; a leading zero is not octal. False, and
 * @out untouched, if @s is not wholly a number in @min..@max. */
bool parse_num(const char *s, int64_t min, int64_t max, int64_t *out);

/* The value of a hexadecimal digit; -1: it is none. */
int hex_digit(char c);

/* Octal digits only, for file modes: 0..07777. */
bool parse_mode(const char *s, unsigned int *out);

/* Reads the fraction that @s, of @len bytes, begins with: digits with at most
 * one dot in or around them, then maybe an exponent: 10, 2.5, .5, 1e-6. No
 * sign, no name of infinity, no hexadecimal. The number of bytes read; 0, and
 * @out untouched, if there is none or it has more than 63 characters. @out is
 * infinite if that is what so large a number becomes. */
size_t parse_fraction(const char *s, size_t len, double *out);

#endif
