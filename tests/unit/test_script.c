// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a script sends and prints is collected as text: "> " for a send, "N: "
 * for a piece of output with its tag.
 */
#include "term/script.h"

#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"

#include "test.h"

static char log_mem[64 * 1024];
static struct strbuf said;
static char note_mem[1024];
static struct strbuf notes;
static struct script *sc;
static struct script_run *run;
static const char *const abc[] = { "a", "b c", "d" };

static void on_note(void *ctx, unsigned int line, const char *what)
{
	strbuf_fmt(&notes, "%u: %s\n", line, what);
}

static void on_warn(void *ctx, unsigned int line, const char *what)
{
	strbuf_fmt(&notes, "warning %u: %s\n", line, what);
}

static void on_send(void *ctx, const char *s, size_t n)
{
	strbuf_add(&said, "> ");
	strbuf_addn(&said, s, n);
}

static void on_out(void *ctx, int tag, const char *s, size_t n)
{
	strbuf_fmt(&said, "%d: ", tag);
	strbuf_addn(&said, s, n);
}

static const struct script_io io = { .send = on_send, .out = on_out };

static bool parse(const char *text)
{
	strbuf_init(&notes, note_mem, sizeof(note_mem));
	strbuf_init(&said, log_mem, sizeof(log_mem));
	sc = script_parse(text, strlen(text), on_note, on_warn, NULL);
	return sc;
}

static enum script_state start(const char *text)
{
	CHECK(parse(text));
	if (!sc)
		exit(1);
	run = script_start(sc, abc, ARRAY_SIZE(abc), &io);
	return script_go(run);
}

static enum script_state feed(const char *s)
{
	return script_feed(run, s, strlen(s));
}

static void stop(void)
{
	script_stop(run);
	script_free(sc);
}

static bool heard(const char *want)
{
	if (strcmp(said.s, want))
		printf("# got: %s\n", said.s);
	return !strcmp(said.s, want);
}

static void exits_with(const char *text, int status)
{
	CHECK(start(text) == SCRIPT_ENDED);
	CHECK(script_status(run) == status);
	stop();
}

static void refuses(const char *text, const char *note)
{
	CHECK(!parse(text));
	CHECK(!strcmp(notes.s, note));
	if (strcmp(notes.s, note))
		printf("# got: %s\n", notes.s);
	script_free(sc);
}

static void instructions_run_in_the_order_of_numbers(void)
{
	exits_with("5 EXIT 5\n1 EXIT 1\n", 1);
	exits_with("2 EXIT 2\n# 1 EXIT 1\n\n", 2);
	exits_with("1 EXIT -1", -1);
}

static void in_takes_bytes_until_its_text(void)
{
	CHECK(start("1 IN '$ ' 9\n2 COPY\n3 EXIT 0\n9 EXIT 9\n") ==
	      SCRIPT_READING);
	CHECK(feed("hello\nvde$") == SCRIPT_READING);
	CHECK(feed(" more") == SCRIPT_ENDED);
	CHECK(heard("0: hello\nvde$ "));
	stop();
}

static void what_in_did_not_take_is_there_for_the_next(void)
{
	CHECK(start("1 IN '\\n' 9\n2 THROW\n3 IN '\\n' 9\n4 COPY\n5 EXIT 0\n"
		    "9 EXIT 9\n") == SCRIPT_READING);
	CHECK(feed("one\ntwo\nthree\n") == SCRIPT_ENDED);
	CHECK(heard("0: two\n"));
	stop();
}

static void in_takes_at_least_one_byte(void)
{
	CHECK(start("1 IN 'l' 9\n2 IN 'l' 9\n3 COPY\n4 EXIT 0\n9 EXIT 9\n") ==
	      SCRIPT_READING);
	CHECK(feed("hello") == SCRIPT_ENDED);
	CHECK(heard("0: hell"));
	stop();
}

static void time_that_is_over_leads_to_the_label(void)
{
	CHECK(start("1 IN 'x' 7\n2 EXIT 2\n7 EXIT 7\n") == SCRIPT_READING);
	CHECK(script_over(run) == SCRIPT_ENDED);
	CHECK(script_status(run) == 7);
	stop();
}

static void each_in_counts_as_a_read(void)
{
	CHECK(start("1 IN 'x' 2\n2 IN 'y' 3\n3 EXIT 0\n") == SCRIPT_READING);
	CHECK(script_reads(run) == 1);
	feed("-");
	CHECK(script_reads(run) == 1);
	script_over(run);
	CHECK(script_reads(run) == 2);
	stop();
}

static void send_expands_the_words(void)
{
	CHECK(start("1 SEND '$*|$0|$1|$2|$3|\\t\\\\\\'$$x$'\n2 EXIT 0\n") ==
	      SCRIPT_ENDED);
	CHECK(heard("> a b c d|a b c d|b c|d||\t\\'$$x$"));
	stop();
}

static void shift_drops_words_and_ifarg_counts_them(void)
{
	CHECK(start("1 SEND '$*;'\n2 SHIFT\n3 IFARG 1\n4 SEND '[$*]'\n"
		    "5 SHIFT\n6 EXIT 4\n") == SCRIPT_ENDED);
	CHECK(heard("> a b c d;> b c d;> d;> []"));
	CHECK(script_status(run) == 4);
	stop();
}

static void if_looks_at_the_place(void)
{
	CHECK(start("1 IN '$ ' 9\n2 IF 'ello' 9\n3 SKIP 1\n4 IF 'ello' 6\n"
		    "5 EXIT 5\n6 IF '' 8\n7 EXIT 7\n8 EXIT 8\n9 EXIT 9\n") ==
	      SCRIPT_READING);
	CHECK(feed("hello$ ") == SCRIPT_ENDED);
	CHECK(script_status(run) == 8);
	stop();
}

static void skip_goes_behind_a_text_or_stays(void)
{
	CHECK(start("1 IN '$ ' 9\n2 SKIP 'll'\n3 COPY\n4 SKIP 'z'\n5 COPY\n"
		    "6 SKIP 100\n7 COPY\n8 EXIT 0\n9 EXIT 9\n") ==
	      SCRIPT_READING);
	CHECK(feed("hello$ ") == SCRIPT_ENDED);
	CHECK(heard("0: o$ o$ "));
	stop();
}

static void throw_sets_the_place_back(void)
{
	CHECK(start("1 IN 'o' 9\n2 SKIP 3\n3 THROW\n4 IN '$ ' 9\n5 COPY\n"
		    "6 EXIT 0\n9 EXIT 9\n") == SCRIPT_READING);
	CHECK(feed("hello world$ ") == SCRIPT_ENDED);
	CHECK(heard("0:  world$ "));
	stop();
}

static void reads_number(const char *bytes, const char *how, int want)
{
	char text[128];

	str_fmt(text, sizeof(text), "1 IN '$ ' 9\n%s\n4 EXITRV\n9 EXIT 9\n",
		how);
	start(text);
	feed(bytes);
	CHECK(script_status(run) == want);
	stop();
}

static void rvatoi_reads_a_number_at_the_place(void)
{
	reads_number("12abc$ ", "2 RVATOI", 12);
	reads_number("12abc$ ", "2 RVATOI 16", 0x12abc);
	reads_number("1022 x$ ", "2 SKIP 1\n3 RVATOI", 22);
	reads_number("  -5 x$ ", "2 RVATOI", -5);
	reads_number("x$ ", "2 RVATOI", 0);
	reads_number("$ ", "2 SKIP 2\n3 RVATOI", 0);
	reads_number("x$ ", "2 THROW", -1);
	reads_number("3031 x$ ", "2 SKIP 1\n3 RVATOI 8", 031);
}

static void output_comes_in_tagged_pieces(void)
{
	CHECK(start("1 IN '\\n' 9\n2 COPY\n3 OUTTAG 3\n4 OUTSHIFT\n5 THROW\n"
		    "6 IN '\\n' 9\n7 COPY\n8 EXIT 0\n9 EXIT 9\n") ==
	      SCRIPT_READING);
	CHECK(feed("a\nb\n") == SCRIPT_ENDED);
	CHECK(heard("3: a\n0: b\n"));
	stop();
}

/* The script that VDE 2 is shipped with, in our own words: its EXITATOI is
 * unknown to VDE 2, which ends with -1 always. */
static const char vdecmd[] = "TIMEOUT 1000\n"
			     "1 IN '$ ' 100\n"
			     "3 SEND '$*\\n'\n"
			     "5 THROW\n"
			     "6 IN '\\n' 100\n"
			     "7 IF '0000 DATA END WITH \\'.\\'' 10\n"
			     "8 IF '10' 20\n"
			     "9 GOTO 100\n"
			     "10 THROW \n"
			     "11 IN '\\n' 100\n"
			     "12 IF '.\\n' 5\n"
			     "13 COPY\n"
			     "14 GOTO 10\n"
			     "20 SKIP 2\n"
			     "21 SEND 'logout\\n'\n"
			     "22 EXITATOI\n"
			     "100 EXIT -1\n";

static void the_known_script_returns_the_status(void)
{
	static const char reply[] = "hi\n\nvde$ 0000 DATA END WITH '.'\nl1\n"
				    "l2\n.\n1022 Invalid argument\n\nvde$ ";

	CHECK(start(vdecmd) == SCRIPT_READING);
	CHECK(script_timeout(sc) == 1000);
	for (size_t i = 0; i < strlen(reply); i++)
		script_feed(run, reply + i, 1);
	CHECK(heard("> a b c d\n> logout\n0: l1\nl2\n"));
	CHECK(script_status(run) == 22);
	stop();
}

static void an_endless_script_is_stopped(void)
{
	CHECK(start("1 GOTO 1\n") == SCRIPT_FAILED);
	CHECK(script_reason(run));
	stop();
	CHECK(start("1 SEND ''\n2 GOTO 1\n") == SCRIPT_FAILED);
	stop();
}

static void a_script_without_exit_fails(void)
{
	CHECK(start("1 SEND 'x'\n") == SCRIPT_FAILED);
	stop();
}

static void output_has_a_bound(void)
{
	CHECK(start("1 IN 'x' 9\n2 COPY\n3 COPY\n4 COPY\n5 COPY\n6 THROW\n"
		    "7 GOTO 1\n9 EXIT 9\n") == SCRIPT_READING);
	for (int i = 0; i < 17; i++) {
		static char mb[1024 * 1024];

		memset(mb, '.', sizeof(mb));
		mb[sizeof(mb) - 1] = 'x';
		script_feed(run, mb, sizeof(mb));
	}
	CHECK(script_feed(run, "", 0) == SCRIPT_FAILED);
	stop();
}

static void an_unknown_instruction_is_left_out_with_a_warning(void)
{
	CHECK(start("1 FOO 'x' 3\n2 exit 2\n3 EXIT 3\n") == SCRIPT_ENDED);
	CHECK(script_status(run) == 3);
	CHECK(!strcmp(notes.s,
		      "warning 1: unknown instruction 'FOO' left out\n"
		      "warning 2: unknown instruction 'exit' left out\n"));
	stop();
}

static void mistakes_are_named_with_their_line(void)
{
	refuses("", "0: there is no instruction\n");
	refuses("EXIT 5\n", "1: an instruction begins with its number\n");
	refuses("\n1 EXIT\n", "2: a number is missing\n");
	refuses("1 SEND abc\n", "1: a text in '' is missing\n");
	refuses("1 SEND 'abc\n", "1: a text has no closing '\n");
	refuses("1 SEND 'abc\\'\n", "1: a text has no closing '\n");
	refuses("1 IN 'x'\n", "1: a number is missing\n");
	refuses("1 EXIT 1\n2 GOTO 5\n",
		"2: it leads to a number that is not there\n");
	refuses("1 EXIT 1\n1 EXIT 2\n", "2: this number was used before\n");
	refuses("1 EXIT 1 2\n",
		"1: there is more than belongs to the instruction\n");
	refuses("-1 EXIT 1\n", "1: a number is out of range\n");
	refuses("1 EXIT 99999999999999999999\n",
		"1: a number is out of range\n");
	refuses("1 RVATOI 37\n", "1: a base is from 2 to 36\n");
	refuses("TIMEOUT 0\n1 EXIT 1\n", "1: a number is out of range\n");
}

static void a_line_has_a_bound(void)
{
	static char text[SCRIPT_TEXT_MAX + 3];

	memset(text, '#', sizeof(text) - 1);
	refuses(text, "1: the line is too long\n");
}

static void comments_and_blanks_may_follow(void)
{
	exits_with("  7 \tEXIT 3   # done\r\n", 3);
}

int main(void)
{
	RUN(instructions_run_in_the_order_of_numbers);
	RUN(in_takes_bytes_until_its_text);
	RUN(what_in_did_not_take_is_there_for_the_next);
	RUN(in_takes_at_least_one_byte);
	RUN(time_that_is_over_leads_to_the_label);
	RUN(each_in_counts_as_a_read);
	RUN(send_expands_the_words);
	RUN(shift_drops_words_and_ifarg_counts_them);
	RUN(if_looks_at_the_place);
	RUN(skip_goes_behind_a_text_or_stays);
	RUN(throw_sets_the_place_back);
	RUN(rvatoi_reads_a_number_at_the_place);
	RUN(output_comes_in_tagged_pieces);
	RUN(the_known_script_returns_the_status);
	RUN(an_endless_script_is_stopped);
	RUN(a_script_without_exit_fails);
	RUN(output_has_a_bound);
	RUN(an_unknown_instruction_is_left_out_with_a_warning);
	RUN(mistakes_are_named_with_their_line);
	RUN(a_line_has_a_bound);
	RUN(comments_and_blanks_may_follow);
	DONE();
}
