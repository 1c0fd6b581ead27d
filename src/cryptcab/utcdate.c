// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/utcdate.h"

#include "base/strbuf.h"

#define DAY 86400

static bool is_leap(unsigned int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned int days_of(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Of all years before @year since 1970. */
static uint64_t days_before(unsigned int year)
{
	unsigned int y = year - 1;

	return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

/* @n digits, and not one more character. */
static bool number(const char **s, unsigned int n, unsigned int min,
		   unsigned int max, unsigned int *out)
{
	unsigned int v = 0;

	for (; n; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (unsigned int)(**s - '0');
	}
	*out = v;
	return v >= min && v <= max;
}

static bool sign(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

bool utcdate_parse(const char *s, uint64_t *seconds)
{
	unsigned int year, month, day, hour = 0, min = 0, sec = 0;
	uint64_t days;

	if (!number(&s, 4, 1970, 9999, &year) || !sign(&s, '-') ||
	    !number(&s, 2, 1, 12, &month) || !sign(&s, '-') ||
	    !number(&s, 2, 1, days_of(year, month), &day))
		return false;
	if (*s &&
	    (!sign(&s, 'T') || !number(&s, 2, 0, 23, &hour) || !sign(&s, ':') ||
	     !number(&s, 2, 0, 59, &min) ||
	     (*s == ':' && (!sign(&s, ':') || !number(&s, 2, 0, 59, &sec))) ||
	     !sign(&s, 'Z')))
		return false;
	if (*s)
		return false;
	days = days_before(year) + day - 1;
	for (unsigned int m = 1; m < month; m++)
		days += days_of(year, m);
	*seconds = days * DAY + hour * 3600 + min * 60 + sec;
	return true;
}

char *utcdate_write(char s[static UTCDATE_SIZE], uint64_t seconds)
{
	uint64_t days = seconds / DAY;
	unsigned int year, month = 1, rest = (unsigned int)(seconds % DAY);

	/* Too late by the leap days only: years of 365 days. */
	year = 1970 + (unsigned int)(days / 365);
	while (days_before(year) > days)
		year--;
	days -= days_before(year);
	for (; days >= days_of(year, month); month++)
		days -= days_of(year, month);
	(void)str_fmt(s, UTCDATE_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", year,
		      month, (unsigned int)days + 1, rest / 3600,
		      rest / 60 % 60, rest % 60);
	return s;
}
