// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two buffers of the console: lines out of any pieces, and the queue of
 * output.
 */
#include "common/linebuf.h"

#include <string.h>

#include "../unit/test.h"
#include "base/strbuf.h"
#include "common/outbuf.h"

static struct linebuf lb;
static char seen[8192];
static struct strbuf found;

/* Lines as "[line]", an overlong one as "[!]". */
static void take(bool all)
{
	enum linebuf_got got;
	char *line;
	size_t len;

	for (;;) {
		bool ready = linebuf_ready(&lb, all);

		got = linebuf_next(&lb, all, &line, &len);
		CHECK(ready == (got != LINEBUF_NOTHING));
		if (got == LINEBUF_NOTHING)
			return;
		if (got == LINEBUF_TOO_LONG) {
			strbuf_add(&found, "[!]");
			continue;
		}
		CHECK(line[len] == '\0' && len <= LINEBUF_MAX);
		strbuf_add(&found, "[");
		strbuf_addn(&found, line, len);
		strbuf_add(&found, "]");
	}
}

static void feed(const char *text, size_t len, size_t piece)
{
	while (len) {
		size_t room, n;
		char *p = linebuf_space(&lb, &room);

		CHECK(room > 0);
		n = size_min(size_min(piece, room), len);
		memcpy(p, text, n);
		linebuf_fill(&lb, n);
		text += n;
		len -= n;
		take(false);
	}
}

static void begin(void)
{
	linebuf_init(&lb);
	strbuf_init(&found, seen, sizeof(seen));
}

static void lines_come_out_however_they_are_cut(void)
{
	static const char text[] = "one\n\ntwo\r\n  three \nx\nhalf";

	for (size_t piece = 1; piece < sizeof(text); piece++) {
		begin();
		feed(text, sizeof(text) - 1, piece);
		CHECK(!strcmp(seen, "[one][][two\r][  three ][x]"));
		CHECK(!linebuf_ready(&lb, false) && linebuf_ready(&lb, true));
		take(true);
		CHECK(!strcmp(seen, "[one][][two\r][  three ][x][half]"));
		CHECK(!linebuf_ready(&lb, true));
	}
}

static void nul_bytes_are_part_of_a_line(void)
{
	char *line;
	size_t len;

	begin();
	memcpy(linebuf_space(&lb, &len), "a\0b\n", 4);
	linebuf_fill(&lb, 4);
	CHECK(linebuf_next(&lb, false, &line, &len) == LINEBUF_LINE);
	CHECK(len == 3 && !memcmp(line, "a\0b", 4));
}

static void the_longest_line_passes_and_one_more_byte_does_not(void)
{
	char text[LINEBUF_MAX + 2];

	memset(text, 'x', sizeof(text));
	for (size_t piece = 1; piece < 6000; piece += 613) {
		begin();
		text[LINEBUF_MAX] = '\n';
		feed(text, LINEBUF_MAX + 1, piece);
		CHECK(found.len == LINEBUF_MAX + 2);
		begin();
		text[LINEBUF_MAX] = 'x';
		text[LINEBUF_MAX + 1] = '\n';
		feed(text, LINEBUF_MAX + 2, piece);
		feed("y\n", 2, piece);
		CHECK(!strcmp(seen, "[!][y]"));
	}
}

static void an_endless_line_is_reported_once_at_its_end(void)
{
	static char junk[100000];

	memset(junk, 'x', sizeof(junk));
	for (size_t piece = 1; piece < 9000; piece += 700) {
		begin();
		feed("a\n", 2, piece);
		feed(junk, sizeof(junk), piece);
		CHECK(!strcmp(seen, "[a]"));
		CHECK(!linebuf_ready(&lb, false) && linebuf_ready(&lb, true));
		feed("\nb\n", 3, piece);
		CHECK(!strcmp(seen, "[a][!][b]"));
		feed(junk, sizeof(junk), piece);
		take(true); /* the end of input ends it too */
		feed("c\n", 2, piece);
		CHECK(!strcmp(seen, "[a][!][b][!][c]"));
	}
}

/* ---- output ---- */

static bool holds(const struct outbuf *b, const char *text)
{
	return outbuf_pending(b) == strlen(text) &&
	       !memcmp(outbuf_bytes(b), text, strlen(text));
}

static bool add(struct outbuf *b, const char *text, size_t max)
{
	return outbuf_insert(b, outbuf_pending(b), text, strlen(text), max);
}

static void output_leaves_in_order(void)
{
	struct outbuf b = { 0 };

	CHECK(outbuf_pending(&b) == 0);
	CHECK(add(&b, "hello ", 100) && add(&b, "", 100) &&
	      add(&b, "world", 100));
	CHECK(holds(&b, "hello world"));
	outbuf_sent(&b, 6);
	CHECK(holds(&b, "world"));
	CHECK(add(&b, "!", 100) && holds(&b, "world!"));
	outbuf_sent(&b, 6);
	CHECK(outbuf_pending(&b) == 0);
	outbuf_clear(&b);
}

static void output_can_be_put_in_front_of_what_waits(void)
{
	struct outbuf b = { 0 };

	CHECK(add(&b, "xxac", 100));
	outbuf_sent(&b, 2);
	CHECK(outbuf_insert(&b, 1, "b", 1, 100) && holds(&b, "abc"));
	CHECK(outbuf_insert(&b, 0, "0", 1, 100) && holds(&b, "0abc"));
	CHECK(outbuf_insert(&b, 4, "d", 1, 100) && holds(&b, "0abcd"));
	outbuf_clear(&b);
	CHECK(outbuf_pending(&b) == 0);
}

static void the_bound_is_exact_and_refuses_whole(void)
{
	struct outbuf b = { 0 };

	CHECK(add(&b, "12345678", 10));
	CHECK(!add(&b, "9ab", 10) && holds(&b, "12345678"));
	CHECK(add(&b, "9a", 10) && !add(&b, "b", 10));
	CHECK(add(&b, "", 10));
	outbuf_sent(&b, 3);
	CHECK(add(&b, "bcd", 10) && holds(&b, "456789abcd"));
	CHECK(!outbuf_insert(&b, 0, "x", SIZE_MAX, SIZE_MAX));
	outbuf_clear(&b);
}

/* Against a copy kept the simple way. */
static void any_mixture_of_calls_keeps_the_bytes(void)
{
	static char model[70000], text[3000];
	struct outbuf b = { 0 };
	size_t len = 0;
	unsigned int seed = 5;

	for (int i = 0; i < 20000; i++) {
		size_t n, at;

		seed = seed * 1103515245 + 12345;
		n = (seed >> 16) % sizeof(text);
		if (i / 500 % 2) { /* the backlog grows, then shrinks */
			n = size_min(n, len);
			outbuf_sent(&b, n);
			len -= n;
			memmove(model, model + n, len);
		} else if (len + n <= sizeof(model)) {
			at = len ? (seed >> 8) % (len + 1) : 0;
			memset(text, i, n);
			CHECK(outbuf_insert(&b, at, text, n, sizeof(model)));
			memmove(model + at + n, model + at, len - at);
			memcpy(model + at, text, n);
			len += n;
		}
		if (outbuf_pending(&b) != len ||
		    (len && memcmp(outbuf_bytes(&b), model, len))) {
			printf("# differs in step %d\n", i);
			test_failed = 1;
			break;
		}
	}
	outbuf_clear(&b);
}

static void a_large_backlog_gives_its_memory_back(void)
{
	static char big[1000000];
	struct outbuf b = { 0 };

	CHECK(outbuf_insert(&b, 0, big, sizeof(big), sizeof(big)));
	outbuf_sent(&b, sizeof(big));
	CHECK(b.size == 0 && !b.mem);
	CHECK(add(&b, "x", 10));
	outbuf_sent(&b, 1);
	CHECK(b.size > 0 && b.size <= 65536); /* kept for the next */
	outbuf_clear(&b);
}

int main(void)
{
	RUN(lines_come_out_however_they_are_cut);
	RUN(nul_bytes_are_part_of_a_line);
	RUN(the_longest_line_passes_and_one_more_byte_does_not);
	RUN(an_endless_line_is_reported_once_at_its_end);
	RUN(output_leaves_in_order);
	RUN(output_can_be_put_in_front_of_what_waits);
	RUN(the_bound_is_exact_and_refuses_whole);
	RUN(any_mixture_of_calls_keeps_the_bytes);
	RUN(a_large_backlog_gives_its_memory_back);
	DONE();
}
