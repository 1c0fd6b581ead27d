// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/words.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static struct words w;

static void read_help(const char *const *lines, size_t n)
{
	words_clear(&w);
	for (size_t i = 0; i < n; i++)
		words_line(&w, lines[i], strlen(lines[i]));
}

static const char *const switch_help[] = {
	"COMMAND PATH       SYNTAX          HELP",
	"------------       --------------  ------------",
	"ds                 ============    DATA SOCKET MENU",
	"ds/showinfo                        show ds info",
	"help               [arg]           Help (limited to arg)",
	"shutdown                           shutdown of the switch",
	"port               ============    PORT STATUS MENU",
	"port/showinfo                      show port info",
	"port/create        N               create the port N",
	"port/createauto                    create a port",
};

static void commands_are_kept_and_headings_are_not(void)
{
	static const char *const want[] = { "ds/showinfo", "help",
					    "shutdown",	   "port/showinfo",
					    "port/create", "port/createauto" };

	read_help(switch_help, 10);
	CHECK(w.n == 6);
	for (size_t i = 0; i < 6 && i < w.n; i++)
		CHECK(!strcmp(w.word[i], want[i]));
}

static void a_prefix_that_is_no_path_is_no_heading(void)
{
	static const char *const lines[] = { "------------", "show", "showall",
					     "show/x" };

	read_help(lines, 4);
	CHECK(w.n == 3);
}

static void a_word_ends_at_a_stop_and_stands_once(void)
{
	static const char *const lines[] = { "----------------", "load.rc x",
					     "showinfo         a",
					     "showinfo n       b", "" };

	read_help(lines, 5);
	CHECK(w.n == 2);
	CHECK(!strcmp(w.word[0], "load"));
	CHECK(!strcmp(w.word[1], "showinfo"));
}

static void words_with_odd_characters_are_left_out(void)
{
	static const char *const lines[] = {
		"------------",
		"a\033[31mb x",
		"\tc x",
		"b\303\244r x",
		"123456789012345678901234567890123456789012345678 too long",
		"12345678901234567890123456789012345678901234567 just fits"
	};

	read_help(lines, 6);
	CHECK(w.n == 1);
	CHECK(strlen(w.word[0]) == 47);
}

static void more_words_than_there_is_room_for_are_left_out(void)
{
	char line[32];

	words_clear(&w);
	words_line(&w, "------------", 12);
	for (int i = 0; i < WORDS_MAX + 100; i++) {
		snprintf(line, sizeof(line), "w%d x", i);
		words_line(&w, line, strlen(line));
	}
	CHECK(w.n == WORDS_MAX);
}

static void matches_are_found_one_after_the_other(void)
{
	int i;

	read_help(switch_help, 10);
	i = words_match(&w, "port/c", 0);
	CHECK(i >= 0 && !strcmp(w.word[i], "port/create"));
	i = words_match(&w, "port/c", (size_t)i + 1);
	CHECK(i >= 0 && !strcmp(w.word[i], "port/createauto"));
	CHECK(words_match(&w, "port/c", (size_t)i + 1) == -1);
	CHECK(words_match(&w, "nothing", 0) == -1);
	CHECK(words_match(&w, "", 0) == 0);
}

static void what_is_wanted_depends_on_the_first_word(void)
{
	static const struct {
		const char *before;
		enum words_want want;
	} t[] = {
		{ "", WORDS_WANT_COMMAND },
		{ "  ", WORDS_WANT_COMMAND },
		{ "-j ", WORDS_WANT_COMMAND },
		{ "help ", WORDS_WANT_COMMAND },
		{ "-j help ", WORDS_WANT_COMMAND },
		{ "load ", WORDS_WANT_FILE },
		{ " load\t", WORDS_WANT_FILE },
		{ "port/create ", WORDS_WANT_NOTHING },
		{ "loader ", WORDS_WANT_NOTHING },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK(words_wanted(t[i].before, strlen(t[i].before)) ==
		      t[i].want);
}

int main(void)
{
	RUN(commands_are_kept_and_headings_are_not);
	RUN(a_prefix_that_is_no_path_is_no_heading);
	RUN(a_word_ends_at_a_stop_and_stands_once);
	RUN(words_with_odd_characters_are_left_out);
	RUN(more_words_than_there_is_room_for_are_left_out);
	RUN(matches_are_found_one_after_the_other);
	RUN(what_is_wanted_depends_on_the_first_word);
	DONE();
}
