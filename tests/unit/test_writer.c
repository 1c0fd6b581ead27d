// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One list of facts, both forms; and that no string from outside can leave
 * its line or its JSON document, checked by a small JSON reader.
 */
#include "common/writer.h"

#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "base/strbuf.h"

static char text[4096];
static struct strbuf out;

static void to_strbuf(void *ctx, const char *s, size_t n)
{
	strbuf_addn(ctx, s, n);
}

static struct writer begin(bool json)
{
	struct writer w;

	strbuf_init(&out, text, sizeof(text));
	writer_init(&w, json, to_strbuf, &out);
	return w;
}

static bool said(const char *expected)
{
	if (strcmp(text, expected))
		printf("# got: %s\n# not: %s\n", text, expected);
	return !strcmp(text, expected);
}

static void facts(struct writer *w)
{
	writer_open(w, NULL);
	writer_list(w, "ports");
	for (int port = 1; port <= 2; port++) {
		writer_open(w, NULL);
		writer_num(w, "port", "Port ", port, 4);
		writer_bool(w, "active", port == 1, " ACTIVE", " INACTIVE");
		writer_str(w, "user", " ", port == 1 ? "root" : NULL, 0);
		writer_num(w, "hidden", NULL, -7, 0);
		writer_str(w, "secret", NULL, "x", 0);
		writer_line(w);
		writer_close(w);
	}
	writer_close(w);
	writer_num(w, "total", "total ", 2, -6);
	writer_str(w, NULL, ", ", "text only", 12);
	writer_text(w, "|\n");
	writer_close(w);
}

static void text_has_pieces_and_lines(void)
{
	struct writer w = begin(false);

	CHECK(!w.used);
	facts(&w);
	CHECK(w.used);
	CHECK(said("Port 0001 ACTIVE root\nPort 0002 INACTIVE\n"
		   "total      2, text only   |\n"));
}

static void json_has_keys_and_nesting(void)
{
	struct writer w = begin(true);

	facts(&w);
	CHECK(said("{\"ports\":[{\"port\":1,\"active\":true,\"user\":\"root\","
		   "\"hidden\":-7,\"secret\":\"x\"},{\"port\":2,"
		   "\"active\":false,\"user\":null,\"hidden\":-7,"
		   "\"secret\":\"x\"}],\"total\":2}"));
	CHECK(w.depth == 0);
}

static void lists_hold_plain_values(void)
{
	struct writer w = begin(true);

	writer_list(&w, NULL);
	writer_num(&w, NULL, NULL, INT64_MIN, 0);
	writer_str(&w, "ignored", NULL, "s", 0);
	writer_bool(&w, NULL, true, NULL, NULL);
	writer_list(&w, NULL);
	writer_close(&w);
	writer_close(&w);
	CHECK(said("[-9223372036854775808,\"s\",true,[]]"));
}

static void numbers_are_padded_as_printf_does(void)
{
	struct writer w = begin(false);

	writer_num(&w, "a", "", 5, 0);
	writer_num(&w, "a", " ", 12345, 4);
	writer_num(&w, "a", " ", -5, 4);
	writer_num(&w, "a", " [", 42, -10);
	writer_num(&w, "a", "] [", INT64_MIN, 24);
	CHECK(said("5 12345 -005 [        42] [-00009223372036854775808"));
}

static void numbers_that_json_would_round_are_strings_there(void)
{
	struct writer w = begin(false);

	writer_big(&w, "a", "seed ", UINT64_MAX);
	CHECK(said("seed 18446744073709551615"));
	w = begin(true);
	writer_open(&w, NULL);
	writer_big(&w, "a", "seed ", UINT64_MAX);
	writer_close(&w);
	CHECK(said("{\"a\":\"18446744073709551615\"}"));
}

static void strings_are_padded_on_the_right(void)
{
	struct writer w = begin(false);

	writer_str(&w, "a", "[", "abc", 5);
	writer_str(&w, "a", "] [", "abcdef", 5);
	writer_str(&w, "a", "] [", "", 2);
	writer_str(&w, "a", "never seen", NULL, 9);
	writer_text(&w, "]");
	CHECK(said("[abc  ] [abcdef] [  ]"));
}

static void bad_characters_are_shown_as_such(void)
{
	struct writer w = begin(false);

	writer_str(&w, "a", "", "a\nb\r\t\033[2J\177\302\233c\377\302", 0);
	writer_str(&w, "a", " ", "gr\303\274n \342\202\254 \360\237\230\200",
		   0);
	CHECK(said("a?b???[2J??c?? gr\303\274n \342\202\254 "
		   "\360\237\230\200"));
	w = begin(true);
	writer_open(&w, NULL);
	writer_str(&w, "a", NULL, "\"\\/\n\001\177\302\233\377\303\274", 0);
	writer_close(&w);
	CHECK(said("{\"a\":\"\\\"\\\\/\\u000a\\u0001\\u007f\\u009b\\ufffd"
		   "\303\274\"}"));
}

/* What RFC 3629 forbids although it looks well formed. */
static void utf8_is_checked_strictly(void)
{
	static const char *const bad[] = {
		"\300\257", /* overlong '/' */
		"\301\277", /* overlong DEL */
		"\340\200\257", /* overlong, three bytes */
		"\355\240\200", /* a surrogate */
		"\360\200\200\257", /* overlong, four bytes */
		"\364\220\200\200", /* above U+10FFFF */
		"\365\200\200\200", "\200", "\342\202", "\342\202A",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct writer w = begin(false);

		writer_str(&w, "a", "", bad[i], 0);
		CHECK(text[0] == '?' && !strpbrk(text, "\300\355\364\342\200"));
	}
	for (const char *const *s =
		     (const char *const[]){ "\302\240", "\355\237\277",
					    "\364\217\277\277", NULL };
	     *s; s++) {
		struct writer w = begin(false);

		writer_str(&w, "a", "", *s, 0);
		CHECK(said(*s));
	}
}

/* ---- a reader of JSON, strict enough to find a leak ---- */

static const char *json_value(const char *s);

static const char *json_string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'u' && strspn(s + 1, "0123456789abcdef") >= 4)
			s += 4;
		else if (*s != '"' && *s != '\\')
			return NULL;
	}
	return s + 1;
}

static const char *json_items(const char *s, char end, bool keys)
{
	if (*++s == end)
		return s + 1;
	for (;; s++) {
		if (keys) {
			s = json_string(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = json_value(s);
		if (!s)
			return NULL;
		if (*s == end)
			return s + 1;
		if (*s != ',')
			return NULL;
	}
}

static const char *json_value(const char *s)
{
	static const char *const words[] = { "true", "false", "null" };

	if (*s == '{')
		return json_items(s, '}', true);
	if (*s == '[')
		return json_items(s, ']', false);
	if (*s == '"')
		return json_string(s);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(s, words[i], strlen(words[i])))
			return s + strlen(words[i]);
	return strspn(s, "-0123456789") ? s + strspn(s, "-0123456789") : NULL;
}

static void no_string_breaks_out_of_its_document(void)
{
	unsigned int seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct writer w = begin(true);
		char v[24];
		size_t n;
		const char *end;

		for (n = 0; n < sizeof(v) - 1; n++) {
			seed = seed * 1103515245 + 12345;
			v[n] = (char)(seed >> 16);
			if (!v[n])
				break;
		}
		v[n] = '\0';
		writer_open(&w, NULL);
		writer_str(&w, "a", NULL, v, 0);
		writer_list(&w, "b");
		writer_str(&w, NULL, NULL, v, 0);
		writer_close(&w);
		writer_close(&w);
		end = json_value(text);
		if (!end || *end) {
			printf("# round %d: %s\n", round, text);
			test_failed = 1;
			return;
		}
		w = begin(false);
		writer_str(&w, "a", "", v, 0);
		CHECK(!strpbrk(text, "\n\r\033\177"));
	}
}

static void a_real_number_is_rounded_in_text_alone(void)
{
	static const double tricky[] = { 0.1,	1.0 / 3, 125000.0625, -2.5e-7,
					 1e300, 0,	 1048576 };
	struct writer w = begin(false);

	writer_real(&w, "a", "a=", 1.0 / 3, 3);
	writer_real(&w, "b", " ", -2.5, 0);
	writer_real(&w, "c", NULL, 7, 0);
	writer_real(&w, "d", " ", (double)INFINITY, 2);
	CHECK(said("a=0.333 -2 -"));
	w = begin(true);
	writer_open(&w, NULL);
	writer_real(&w, "a", "a=", 0.1, 0);
	writer_real(&w, NULL, "b=", 0.1, 0);
	writer_real(&w, "c", "", (double)NAN, 0);
	writer_real(&w, "d", NULL, 1e300, 0);
	writer_close(&w);
	CHECK(said("{\"a\":0.1,\"c\":null,\"d\":1e+300}"));
	for (size_t i = 0; i < ARRAY_SIZE(tricky); i++) {
		w = begin(true);
		writer_real(&w, NULL, NULL, tricky[i], 0);
		CHECK(strtod(text, NULL) == tricky[i]);
	}
}

int main(void)
{
	RUN(text_has_pieces_and_lines);
	RUN(json_has_keys_and_nesting);
	RUN(lists_hold_plain_values);
	RUN(numbers_are_padded_as_printf_does);
	RUN(a_real_number_is_rounded_in_text_alone);
	RUN(numbers_that_json_would_round_are_strings_there);
	RUN(strings_are_padded_on_the_right);
	RUN(bad_characters_are_shown_as_such);
	RUN(utf8_is_checked_strictly);
	RUN(no_string_breaks_out_of_its_document);
	DONE();
}
