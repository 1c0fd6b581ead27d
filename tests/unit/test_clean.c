// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/clean.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* On the heap and exactly as large, so that a sanitizer sees the ends. */
static bool cleans(const char *in, size_t n, bool utf8, const char *want)
{
	char *src = malloc(n ? n : 1), *dst = malloc(n ? n : 1);
	bool ok;

	memcpy(src, in, n);
	clean_text(dst, src, n, utf8);
	ok = !memcmp(dst, want, n);
	clean_text(src, src, n, utf8);
	ok = ok && !memcmp(src, want, n);
	if (!ok)
		printf("# got: %.*s\n", (int)n, dst);
	free(src);
	free(dst);
	return ok;
}

#define CLEANS(in, utf8, want) CHECK(cleans(in, sizeof(in) - 1, utf8, want))

static void plain_text_and_tabs_stay(void)
{
	CLEANS("port/print\t~ 1", true, "port/print\t~ 1");
	CLEANS("", true, "");
}

static void control_characters_are_blotted_out(void)
{
	CLEANS("\033[31mred\a\b\r\n\0\177x", true, "?[31mred??????x");
}

static void upper_control_characters_are_too(void)
{
	CLEANS("\x9b"
	       "31m",
	       true, "?31m"); /* a bare CSI */
	CLEANS("\302\233"
	       "31m",
	       true, "??31m"); /* the same in UTF-8 */
	CLEANS("\302\200\302\237\302\240", true, "????\302\240");
}

static void utf8_stays_where_it_is_understood(void)
{
	CLEANS("\303\244 \342\202\254 \360\237\220\247", true,
	       "\303\244 \342\202\254 \360\237\220\247");
	CLEANS("\303\233"
	       "31m",
	       false, "??31m"); /* Latin-1 reads a CSI */
	CLEANS("\360\237\220\247.", false, "????.");
}

static void wrong_utf8_is_blotted_out(void)
{
	CLEANS("\303", true, "?"); /* too short */
	CLEANS("\303(", true, "?(");
	CLEANS("\300\233", true, "??"); /* overlong ESC */
	CLEANS("\340\202\233", true, "???"); /* overlong CSI */
	CLEANS("\355\240\200", true, "???"); /* a surrogate */
	CLEANS("\364\220\200\200", true, "????"); /* above U+10FFFF */
	CLEANS("\377\376", true, "??");
}

static void marks_that_turn_the_line_round_are_blotted_out(void)
{
	CLEANS("a\342\200\256b", true, "a???b");
	CLEANS("a\342\201\246b", true, "a???b");
}

static void a_partial_character_is_recognised(void)
{
	CHECK(clean_partial("abc", 3) == 0);
	CHECK(clean_partial("ab\303", 3) == 1);
	CHECK(clean_partial("a\342\202", 3) == 2);
	CHECK(clean_partial("\360\237\220", 3) == 3);
	CHECK(clean_partial("\360\237\220\247", 4) == 0);
	CHECK(clean_partial("\200\200\200\200", 4) == 0);
	CHECK(clean_partial("\303\244", 2) == 0);
	CHECK(clean_partial("", 0) == 0);
}

int main(void)
{
	RUN(plain_text_and_tabs_stay);
	RUN(control_characters_are_blotted_out);
	RUN(upper_control_characters_are_too);
	RUN(utf8_stays_where_it_is_understood);
	RUN(wrong_utf8_is_blotted_out);
	RUN(marks_that_turn_the_line_round_are_blotted_out);
	RUN(a_partial_character_is_recognised);
	DONE();
}
