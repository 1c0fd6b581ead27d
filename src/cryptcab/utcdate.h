/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * utcdate - moments as text: 2027-01-31, 2027-01-31T12:00Z,
 * 2027-01-31T12:00:30Z
 *
 * Always UTC, always the Gregorian calendar, years 1970 to 9999. A day without
 * a time is its first second.
 */
#ifndef CRYPTCAB_UTCDATE_H
#define CRYPTCAB_UTCDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTCDATE_SIZE sizeof("2027-01-31T12:00:30Z")
#define UTCDATE_MAX UINT64_C(253402300799) /* the last second of 9999 */

/* Seconds since 1970. False if @s is not wholly a moment. */
bool utcdate_parse(const char *s, uint64_t *seconds);

/* The longest form, of at most UTCDATE_MAX. Returns @s. */
char *utcdate_write(char s[static UTCDATE_SIZE], uint64_t seconds);

#endif
