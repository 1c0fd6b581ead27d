// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/num.h"

#include <string.h>

#include "../unit/test.h"
#include "base/util.h"

#define UNTOUCHED 4711

static int64_t num(const char *s, int64_t min, int64_t max)
{
	int64_t v = UNTOUCHED;

	return parse_num(s, min, max, &v) ? v : UNTOUCHED;
}

static bool refused(const char *s)
{
	int64_t v = UNTOUCHED;

	return !parse_num(s, INT64_MIN, INT64_MAX, &v) && v == UNTOUCHED;
}

static void whole_numbers_are_taken(void)
{
	CHECK(num("0", 0, 10) == 0);
	CHECK(num("10", 0, 10) == 10);
	CHECK(num("-10", -10, 10) == -10);
	CHECK(num("-0", 0, 10) == 0);
	CHECK(num("0x1f", 0, 100) == 31);
	CHECK(num("0XFf", 0, 255) == 255);
	CHECK(num("-0x10", -100, 100) == -16);
}

static void a_leading_zero_is_not_octal(void)
{
	CHECK(num("010", 0, 100) == 10);
	CHECK(num("0000000000000000000000000000009", 0, 100) == 9);
	CHECK(num("09", 0, 100) == 9);
}

static void anything_else_is_refused(void)
{
	static const char *const bad[] = {
		"",    "-",   "+1",  " 1",   "1 ",    "1\n", "1x",  "x1",
		"0x",  "-0x", "0xg", "1e3",  "1.0",   "--1", "- 1", "0x-1",
		"0b1", "a",   "1,0", "\xb2", "0x 10", "0 x", "1-",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!refused(bad[i])) {
			printf("# taken: '%s'\n", bad[i]);
			test_failed = 1;
		}
}

static void the_range_is_kept(void)
{
	CHECK(num("11", 0, 10) == UNTOUCHED);
	CHECK(num("-1", 0, 10) == UNTOUCHED);
	CHECK(num("5", 5, 5) == 5);
	CHECK(num("4", 5, 5) == UNTOUCHED);
}

static void the_ends_of_64_bits_are_exact(void)
{
	CHECK(num("9223372036854775807", INT64_MIN, INT64_MAX) == INT64_MAX);
	CHECK(num("0x7fffffffffffffff", 0, INT64_MAX) == INT64_MAX);
	CHECK(num("-9223372036854775808", INT64_MIN, 0) == INT64_MIN);
	CHECK(refused("9223372036854775808"));
	CHECK(refused("-9223372036854775809"));
	CHECK(refused("18446744073709551615"));
	CHECK(refused("18446744073709551616"));
	CHECK(refused("0x8000000000000000"));
	CHECK(refused("0x10000000000000000"));
	CHECK(refused("99999999999999999999999999999999999999"));
}

static void modes_are_octal(void)
{
	unsigned int m = UNTOUCHED;

	CHECK(parse_mode("0600", &m) && m == 0600);
	CHECK(parse_mode("2700", &m) && m == 02700);
	CHECK(parse_mode("07777", &m) && m == 07777);
	CHECK(parse_mode("0", &m) && m == 0);
	m = UNTOUCHED;
	CHECK(!parse_mode("", &m) && !parse_mode("8", &m) &&
	      !parse_mode("0x1", &m) && !parse_mode("-1", &m) &&
	      !parse_mode("10000", &m) && !parse_mode("rwx", &m) &&
	      !parse_mode("7777777777777777777777777777", &m));
	CHECK(m == UNTOUCHED);
}

/* What of @s is read, and as @v. */
static bool fraction(const char *s, size_t len, double v)
{
	double out = UNTOUCHED;

	if (parse_fraction(s, strlen(s), &out) != len)
		return false;
	return len ? out == v : out == UNTOUCHED;
}

static void fractions_are_read_as_far_as_they_go(void)
{
	CHECK(fraction("10", 2, 10) && fraction("2.5", 3, 2.5));
	CHECK(fraction("5.", 2, 5) && fraction(".5", 2, .5));
	CHECK(fraction("1e3", 3, 1000) && fraction("1.5E+2", 6, 150));
	CHECK(fraction("25e-1x", 5, 2.5) && fraction("0.1", 3, 0.1));
	CHECK(fraction("1e", 1, 1) && fraction("1e+", 1, 1));
	CHECK(fraction("1.2.3", 3, 1.2) && fraction("1,5", 1, 1));
	CHECK(fraction("0x10", 1, 0) && fraction("007", 3, 7));
	CHECK(fraction("1e-999", 6, 0));
	CHECK(fraction("9007199254740993", 16, 9007199254740992.0));
}

static void what_is_no_fraction_is_not_read(void)
{
	static const char *const bad[] = { "",	  ".",	 "e5",	"+1",  "-1",
					   " 1",  "inf", "nan", "x1",  "..5",
					   ".e1", "INF", "-",	"\xb2" };
	double out = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(fraction(bad[i], 0, 0));
	CHECK(parse_fraction("1e999", 5, &out) == 5 && out > 1e308);
}

static void a_fraction_ends_where_its_bytes_end(void)
{
	char many[64];
	double out = UNTOUCHED;

	CHECK(parse_fraction("123", 2, &out) == 2 && out == 12);
	CHECK(parse_fraction("1.5", 2, &out) == 2 && out == 1);
	CHECK(parse_fraction("1e5", 2, &out) == 1 && out == 1);
	CHECK(parse_fraction("1e+5", 3, &out) == 1 && out == 1);
	out = UNTOUCHED;
	CHECK(parse_fraction("123", 0, &out) == 0 && out == UNTOUCHED);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = '0';
	CHECK(parse_fraction(many, 64, &out) == 0 && out == UNTOUCHED);
	CHECK(parse_fraction(many, 63, &out) == 63 && out == 0);
}

int main(void)
{
	RUN(whole_numbers_are_taken);
	RUN(a_leading_zero_is_not_octal);
	RUN(anything_else_is_refused);
	RUN(the_range_is_kept);
	RUN(the_ends_of_64_bits_are_exact);
	RUN(modes_are_octal);
	RUN(fractions_are_read_as_far_as_they_go);
	RUN(what_is_no_fraction_is_not_read);
	RUN(a_fraction_ends_where_its_bytes_end);
	DONE();
}
