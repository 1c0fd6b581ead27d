// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

static void pieces_are_appended(void)
{
	char s[32];
	struct strbuf b;

	strbuf_init(&b, s, sizeof(s));
	CHECK(s[0] == '\0' && b.len == 0 && !b.cut);
	strbuf_add(&b, "ab");
	strbuf_addn(&b, "cdef", 2);
	strbuf_fmt(&b, "-%d", 42);
	strbuf_add(&b, "");
	CHECK(!strcmp(s, "abcd-42") && b.len == 7 && !b.cut);
}

static void what_just_fits_is_not_cut(void)
{
	char s[5];
	struct strbuf b;

	strbuf_init(&b, s, sizeof(s));
	strbuf_add(&b, "abcd");
	CHECK(!b.cut && !strcmp(s, "abcd"));
	strbuf_add(&b, "");
	strbuf_fmt(&b, "%s", "");
	CHECK(!b.cut);
	strbuf_init(&b, s, sizeof(s));
	strbuf_fmt(&b, "%d", 1234);
	CHECK(!b.cut && !strcmp(s, "1234"));
}

static void what_does_not_fit_is_cut_once_and_for_all(void)
{
	char s[6] = "xxxxx";
	struct strbuf b;

	strbuf_init(&b, s, 5);
	strbuf_add(&b, "ab");
	strbuf_add(&b, "cdef");
	CHECK(b.cut && b.len == 4 && !strcmp(s, "abcd") && s[5] == '\0');
	strbuf_add(&b, "x");
	strbuf_fmt(&b, "y");
	CHECK(!strcmp(s, "abcd"));
	strbuf_init(&b, s, 5);
	strbuf_fmt(&b, "%s", "123456");
	CHECK(b.cut && b.len == 4 && !strcmp(s, "1234"));
}

static void one_byte_holds_the_empty_string(void)
{
	char s[2] = "zz";
	struct strbuf b;

	strbuf_init(&b, s, 1);
	CHECK(s[0] == '\0');
	strbuf_add(&b, "");
	CHECK(!b.cut);
	strbuf_fmt(&b, "%c", 'a');
	CHECK(b.cut && s[0] == '\0' && s[1] == 'z');
}

static void formatting_tells_truncation_by_an_error(void)
{
	char s[5];

	CHECK(str_fmt(s, sizeof(s), "%d", 1234) == 4 && !strcmp(s, "1234"));
	CHECK(str_fmt(s, sizeof(s), "%d", 12345) == -ENAMETOOLONG);
	CHECK(str_fmt(s, sizeof(s), "%s", "") == 0 && !*s);
}

static void copies_are_whole_or_empty(void)
{
	char s[5] = "old";

	CHECK(str_copy(s, sizeof(s), "abcd") == 4 && !strcmp(s, "abcd"));
	CHECK(str_copy(s, sizeof(s), "abcde") == -ENAMETOOLONG && !*s);
	CHECK(str_copy(s, sizeof(s), "") == 0 && !*s);
}

int main(void)
{
	RUN(pieces_are_appended);
	RUN(what_just_fits_is_not_cut);
	RUN(what_does_not_fit_is_cut_once_and_for_all);
	RUN(one_byte_holds_the_empty_string);
	RUN(formatting_tells_truncation_by_an_error);
	RUN(copies_are_whole_or_empty);
	DONE();
}
