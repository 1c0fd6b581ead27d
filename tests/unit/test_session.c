// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every transcript is fed whole, byte by byte and in two pieces cut at every
 * place; the events must be the same.
 */
#include "term/session.h"

#include <string.h>

#include "base/strbuf.h"

#include "test.h"

static char log_mem[64 * 1024];
static struct strbuf ev_log;
static struct session se;

static void record(void *ctx, const struct session_event *ev)
{
	strbuf_fmt(&ev_log, "%s", session_kind_name(ev->kind));
	if (ev->kind == SESSION_RESULT)
		strbuf_fmt(&ev_log, " %d", ev->code);
	strbuf_add(&ev_log, ": ");
	strbuf_addn(&ev_log, ev->text, ev->len);
	strbuf_add(&ev_log, ev->more ? "+\n" : "\n");
	CHECK(ev->text[ev->len] == '\0');
}

static void begin(void)
{
	strbuf_init(&ev_log, log_mem, sizeof(log_mem));
	session_init(&se, record, NULL);
}

static bool got(const char *want)
{
	bool same = !strcmp(ev_log.s, want);

	if (!same)
		printf("# got:\n%s# wanted:\n%s", ev_log.s, want);
	return same;
}

static bool in_any_pieces(const char *bytes, const char *want)
{
	size_t n = strlen(bytes);

	for (size_t cut = 0; cut <= n; cut++) {
		begin();
		session_feed(&se, bytes, cut);
		session_feed(&se, bytes + cut, n - cut);
		session_eof(&se);
		if (!got(want)) {
			printf("# cut at %zu\n", cut);
			return false;
		}
	}
	begin();
	for (size_t i = 0; i < n; i++)
		session_feed(&se, bytes + i, 1);
	session_eof(&se);
	return got(want);
}

#define GREETING "VDE switch V.2.4.0\n(C) x\n\nvde$ "
#define GREETED "text: VDE switch V.2.4.0\ntext: (C) x\nprompt: vde\n"

static void a_greeting_is_text_and_a_prompt(void)
{
	CHECK(in_any_pieces(GREETING, GREETED));
}

static void a_banner_with_an_empty_line_first_keeps_it(void)
{
	CHECK(in_any_pieces("\nVDE wirefilter V.2.3.2\n(C) y\n\nVDEwf$ ",
			    "text: \ntext: VDE wirefilter V.2.3.2\n"
			    "text: (C) y\nprompt: VDEwf\n"));
}

static void a_data_block_is_its_lines_without_marks(void)
{
	CHECK(in_any_pieces(GREETING "0000 DATA END WITH '.'\nctl dir /x\n"
				     "\n1000 not a result\n3021 nor an event\n"
				     ".\n1000 Success\n\nvde$ ",
			    GREETED "data: ctl dir /x\ndata: \n"
				    "data: 1000 not a result\n"
				    "data: 3021 nor an event\n"
				    "result 0: Success\nprompt: vde\n"));
}

static void an_error_has_its_errno(void)
{
	CHECK(in_any_pieces(GREETING "1022 Invalid argument\n\nvde$ "
				     "1110\n\nvde$ ",
			    GREETED "result 22: Invalid argument\n"
				    "prompt: vde\nresult 110: \n"
				    "prompt: vde\n"));
}

static void an_event_may_follow_the_prompt_at_once(void)
{
	CHECK(in_any_pieces(GREETING "3021 port/+ 01\n3011 hash/+ x\n"
				     "1000 Success\n\nvde$ 3022 port/- 01\n",
			    GREETED "event: port/+ 01\nevent: hash/+ x\n"
				    "result 0: Success\nprompt: vde\n"
				    "event: port/- 01\n"));
}

static void only_the_servers_own_prompt_is_one_later(void)
{
	CHECK(in_any_pieces(GREETING "cost$ 5\nvde[/tmp/rc]: x\n1000 Success\n"
				     "\nvde$ ",
			    GREETED "text: cost$ 5\ntext: vde[/tmp/rc]: x\n"
				    "result 0: Success\nprompt: vde\n"));
}

static void a_prompt_inside_a_block_is_data(void)
{
	CHECK(in_any_pieces(GREETING "0000 DATA END WITH '.'\n\nvde$ x\n.\n"
				     "1000 Success\n\nvde$ ",
			    GREETED "data: \ndata: vde$ x\n"
				    "result 0: Success\nprompt: vde\n"));
}

static void blocks_nest(void)
{
	CHECK(in_any_pieces(
		"\nVDEwf$ 0000 DATA END WITH '.'\n"
		"\nVDEwf$  (rc) showinfo\n"
		"0000 DATA END WITH '.'\nLoss 0\n.\n"
		"1000 Success\n.\n1000 Success\n\nVDEwf$ ",
		"prompt: VDEwf\ndata: \ndata: VDEwf$  (rc) showinfo\n"
		"data: Loss 0\ndata: 1000 Success\n"
		"result 0: Success\nprompt: VDEwf\n"));
}

static void a_farewell_needs_no_newline(void)
{
	CHECK(in_any_pieces(GREETING "9999 END OF SESSION",
			    GREETED "farewell: END OF SESSION\n"));
}

static void numbers_that_are_no_codes_are_text(void)
{
	CHECK(in_any_pieces("100 x\n10000 x\n1-01 Unknown error -1\n2000 x\n"
			    "x1000 y\n1000x\n",
			    "text: 100 x\ntext: 10000 x\n"
			    "text: 1-01 Unknown error -1\ntext: 2000 x\n"
			    "text: x1000 y\ntext: 1000x\n"));
}

static void what_is_left_at_the_end_is_a_line(void)
{
	CHECK(in_any_pieces(GREETING "1000 Succ", GREETED "result 0: Succ\n"));
	CHECK(in_any_pieces("0000 DATA END WITH '.'\nhalf", "data: half\n"));
}

static void a_word_that_is_too_long_is_no_prompt(void)
{
	CHECK(in_any_pieces("abcdefghijklmnopqrstuvwxyz0123456789$ \n",
			    "text: abcdefghijklmnopqrstuvwxyz0123456789$ \n"));
	CHECK(in_any_pieces("$ two words$ \n", "text: $ two words$ \n"));
}

static char long_line[3 * SESSION_LINE + 16];

/* Collects the text of all pieces of one line of one kind. */
static struct {
	char text[sizeof(long_line)];
	size_t len;
	int pieces, ends;
	enum session_kind kind;
	bool bad_cut;
} whole;

static void collect(void *ctx, const struct session_event *ev)
{
	if (ev->kind == SESSION_PROMPT)
		return;
	CHECK(ev->len <= SESSION_LINE);
	CHECK(whole.len + ev->len <= sizeof(whole.text));
	if ((ev->text[0] & 0xc0) == 0x80)
		whole.bad_cut = true;
	memcpy(whole.text + whole.len, ev->text, ev->len);
	whole.len += ev->len;
	whole.pieces++;
	whole.ends += !ev->more;
	whole.kind = ev->kind;
}

static void a_long_line_comes_in_pieces(void)
{
	static const char head[] = "3021 ";
	size_t n = sizeof(long_line);

	memset(long_line, 'x', n);
	memcpy(long_line, head, strlen(head));
	memset(&whole, 0, sizeof(whole));
	session_init(&se, collect, NULL);
	session_feed(&se, long_line, n);
	session_feed(&se, "\n", 1);
	CHECK(whole.kind == SESSION_EVENT);
	CHECK(whole.len == n - strlen(head));
	CHECK(whole.pieces == 4);
	CHECK(whole.ends == 1);
	CHECK(!memcmp(whole.text, long_line + 5, whole.len));
}

static void no_character_is_cut_in_two(void)
{
	for (size_t shift = 0; shift < 4; shift++) {
		size_t n = 0;

		memset(long_line, '.', sizeof(long_line));
		for (n = shift; n + 4 <= sizeof(long_line); n += 4)
			memcpy(long_line + n, "\xf0\x9f\x90\xa7", 4);
		memset(&whole, 0, sizeof(whole));
		session_init(&se, collect, NULL);
		session_feed(&se, long_line, n);
		session_feed(&se, "\n", 1);
		CHECK(!whole.bad_cut);
		CHECK(whole.len == n);
		CHECK(!memcmp(whole.text, long_line, n));
	}
}

static void a_long_line_with_a_prompt_in_it_is_one_line(void)
{
	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line + SESSION_LINE, "vde$ ", 5);
	memset(&whole, 0, sizeof(whole));
	session_init(&se, collect, NULL);
	session_feed(&se, "vde$ ", 5);
	session_feed(&se, long_line, sizeof(long_line));
	session_eof(&se);
	CHECK(whole.len == sizeof(long_line));
	CHECK(whole.ends == 1);
}

static void zero_bytes_are_part_of_a_line(void)
{
	memset(&whole, 0, sizeof(whole));
	session_init(&se, collect, NULL);
	session_feed(&se, "a\0b\n", 4);
	CHECK(whole.len == 3 && !memcmp(whole.text, "a\0b", 3));
}

int main(void)
{
	RUN(a_greeting_is_text_and_a_prompt);
	RUN(a_banner_with_an_empty_line_first_keeps_it);
	RUN(a_data_block_is_its_lines_without_marks);
	RUN(an_error_has_its_errno);
	RUN(an_event_may_follow_the_prompt_at_once);
	RUN(only_the_servers_own_prompt_is_one_later);
	RUN(a_prompt_inside_a_block_is_data);
	RUN(blocks_nest);
	RUN(a_farewell_needs_no_newline);
	RUN(numbers_that_are_no_codes_are_text);
	RUN(what_is_left_at_the_end_is_a_line);
	RUN(a_word_that_is_too_long_is_no_prompt);
	RUN(a_long_line_comes_in_pieces);
	RUN(no_character_is_cut_in_two);
	RUN(a_long_line_with_a_prompt_in_it_is_one_line);
	RUN(zero_bytes_are_part_of_a_line);
	DONE();
}
