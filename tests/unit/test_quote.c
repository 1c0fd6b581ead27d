// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/quote.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"

#include "../unit/test.h"

/* All words of @text, each behind a "|"; what ended them goes to @rc. */
static const char *words(const char *text, int *rc)
{
	static char out[256];
	char line[256], *rest = line, *word;
	struct strbuf b;

	strbuf_init(&b, out, sizeof(out));
	str_copy(line, sizeof(line), text);
	while ((*rc = quote_next(&rest, &word)) > 0)
		strbuf_fmt(&b, "|%s", word);
	return out;
}

static bool gives(const char *text, const char *expected)
{
	int rc;
	const char *got = words(text, &rc);

	if (rc == 0 && !strcmp(got, expected))
		return true;
	printf("# %s gives %s, %d\n", text, got, rc);
	return false;
}

static bool is_open(const char *text)
{
	int rc;

	words(text, &rc);
	return rc == -EINVAL;
}

static void words_are_separated_by_blanks(void)
{
	CHECK(gives("", ""));
	CHECK(gives("  \t ", ""));
	CHECK(gives("a", "|a"));
	CHECK(gives(" a\tbc  d\r\n", "|a|bc|d"));
}

static void quotes_keep_blanks(void)
{
	CHECK(gives("\"a b\" c", "|a b|c"));
	CHECK(gives("'a b'\tc", "|a b|c"));
	CHECK(gives("'a \"b'", "|a \"b"));
	CHECK(gives("\"it's\"", "|it's"));
}

static void a_word_may_be_empty(void)
{
	CHECK(gives("\"\"", "|"));
	CHECK(gives("a '' b", "|a||b"));
}

static void pieces_make_one_word(void)
{
	CHECK(gives("a\"b c\"d'e f' g", "|ab cde f|g"));
	CHECK(gives("'a''b'", "|ab"));
}

static void a_backslash_is_special_in_double_quotes_only(void)
{
	CHECK(gives("\"a\\\"b\\\\\"", "|a\"b\\"));
	CHECK(gives("\"ip proto \\icmp\"", "|ip proto \\icmp"));
	CHECK(gives("'a\\' b", "|a\\|b"));
	CHECK(gives("a\\b c", "|a\\b|c"));
}

static void an_open_quote_is_an_error(void)
{
	CHECK(is_open("\""));
	CHECK(is_open("a 'b"));
	CHECK(is_open("a\"b\\\""));
	CHECK(is_open("\"\\"));
}

int main(void)
{
	RUN(words_are_separated_by_blanks);
	RUN(quotes_keep_blanks);
	RUN(a_word_may_be_empty);
	RUN(pieces_make_one_word);
	RUN(a_backslash_is_special_in_double_quotes_only);
	RUN(an_open_quote_is_an_error);
	DONE();
}
