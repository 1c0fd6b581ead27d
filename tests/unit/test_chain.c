// SPDX-License-Identifier: GPL-2.0-or-later
/* A plan is checked by following the traffic: who reads what @i writes? */
#include <errno.h>
#include <string.h>

#include "../unit/test.h"
#include "dpipe/chain.h"

#define MAX_WORDS 32

struct line {
	char text[256];
	char *words[MAX_WORDS + 1];
	size_t n;
	struct chain c;
	int rc;
};

static void plan(struct line *l, const char *text)
{
	char *save = l->text, *word;

	*l = (struct line){ 0 };
	CHECK(snprintf(l->text, sizeof(l->text), "%s", text) <
	      (int)sizeof(l->text));
	while ((word = strsep(&save, " ")) && l->n < MAX_WORDS)
		l->words[l->n++] = word;
	l->rc = chain_plan(&l->c, l->words, l->n);
}

/* The command that reads @pipe as a digit, or 'x' if that is not unique. */
static char reader(const struct line *l, int pipe, bool *alternate)
{
	char found = '-';

	for (size_t i = 0; i < l->c.n_cmds; i++) {
		const struct chain_cmd *c = &l->c.cmds[i];

		if (c->in != pipe && c->alt_in != pipe)
			continue;
		*alternate = c->alt_in == pipe;
		found = found == '-' ? (char)('0' + i) : 'x';
	}
	return found;
}

/* "0>1" for each pipe in the order of the commands; ' after a command whose
 * alternate descriptor is meant. */
static const char *flow(const struct line *l)
{
	static char out[256];
	char *p = out;

	for (size_t i = 0; i < l->c.n_cmds; i++) {
		const struct chain_cmd *c = &l->c.cmds[i];
		int pipes[2] = { c->out, c->alt_out };

		for (int k = 0; k < 2; k++) {
			bool alt = false;
			char r;

			if (pipes[k] == CHAIN_NONE)
				continue;
			r = reader(l, pipes[k], &alt);
			p += snprintf(p, (size_t)(out + sizeof(out) - p),
				      "%s%zu%s>%c%s", p == out ? "" : " ", i,
				      k ? "'" : "", r, alt ? "'" : "");
		}
	}
	return out;
}

static void check_flow(const char *text, const char *want)
{
	struct line l;

	plan(&l, text);
	CHECK(l.rc == 0);
	if (l.rc)
		return;
	if (strcmp(flow(&l), want))
		printf("# '%s': %s, not %s\n", text, flow(&l), want);
	CHECK(!strcmp(flow(&l), want));
	chain_fini(&l.c);
}

static void check_refused(const char *text, const char *word)
{
	struct line l;

	plan(&l, text);
	CHECK(l.rc == -EINVAL);
	CHECK(l.c.error && *l.c.error);
	CHECK(word ? l.c.word && !strcmp(l.c.word, word) : !l.c.word);
	CHECK(!l.c.cmds);
}

static void two_commands_feed_each_other(void)
{
	check_flow("a = b", "0>1 1>0");
}

static void a_command_in_the_middle_faces_right_with_its_second_pair(void)
{
	check_flow("a = b = c", "0>1 1>0 1'>2 2>1'");
	check_flow("a = b = c = d", "0>1 1>0 1'>2 2>1' 2'>3 3>2'");
}

static void a_filter_handles_one_direction(void)
{
	check_flow("a =} b }= c", "0>1 1>2 2>0");
	check_flow("a ={ b {= c", "0>2 1>0 2>1");
}

static void filters_of_both_directions_mix_in_one_link(void)
{
	check_flow("a =} b }={ c {= d", "0>1 1>3 2>0 3>2");
	check_flow("a ={ b {=} c }= d", "0>2 1>0 2>3 3>1");
}

static void filters_of_one_direction_follow_each_other(void)
{
	check_flow("a =} b }=} c }= d", "0>1 1>2 2>3 3>0");
	check_flow("a ={ b {={ c {= d", "0>3 1>0 2>1 3>2");
}

static void a_link_with_filters_may_be_followed_by_a_plain_one(void)
{
	check_flow("a =} b }={ c {= d = e", "0>1 1>3 2>0 3>2 3'>4 4>3'");
	check_flow("a = b =} c }= d", "0>1 1>0 1'>2 2>3 3>1'");
}

static void each_command_gets_its_own_arguments(void)
{
	struct line l;

	plan(&l, "a -x 1 = b = c -d");
	CHECK(l.rc == 0 && l.c.n_cmds == 3 && l.c.n_pipes == 4);
	CHECK(!strcmp(l.c.cmds[0].argv[0], "a"));
	CHECK(!strcmp(l.c.cmds[0].argv[2], "1") && !l.c.cmds[0].argv[3]);
	CHECK(!strcmp(l.c.cmds[1].argv[0], "b") && !l.c.cmds[1].argv[1]);
	CHECK(!strcmp(l.c.cmds[2].argv[1], "-d") && !l.c.cmds[2].argv[2]);
	chain_fini(&l.c);
}

static void a_closing_bracket_outside_of_brackets_is_an_argument(void)
{
	struct line l;

	plan(&l, "a = b }= {=} c=d {");
	CHECK(l.rc == 0 && l.c.n_cmds == 2);
	CHECK(!strcmp(l.c.cmds[1].argv[1], "}="));
	CHECK(!strcmp(l.c.cmds[1].argv[2], "{=}"));
	CHECK(!strcmp(l.c.cmds[1].argv[3], "c=d"));
	chain_fini(&l.c);
}

static void an_empty_word_is_an_argument(void)
{
	struct line l;

	plan(&l, "a  = b =} c  }= d");
	CHECK(l.rc == 0 && l.c.n_cmds == 4);
	CHECK(!strcmp(l.c.cmds[0].argv[1], ""));
	chain_fini(&l.c);
}

static void a_bracket_must_be_closed_by_its_own_kind(void)
{
	check_refused("a =} b {= c", "{=");
	check_refused("a ={ b }= c", "}=");
	check_refused("a =} b = c", "=");
	check_refused("a =} b", NULL);
	check_refused("a =} b }={ c", NULL);
	check_refused("a =} b ={ c }= d", "={");
}

static void a_missing_command_is_refused(void)
{
	check_refused("= b", "=");
	check_refused("a =", NULL);
	check_refused("a = = b", "=");
	check_refused("a =} }= b", "}=");
	check_refused("a", NULL);
}

static void a_word_that_begins_with_the_separator_is_refused(void)
{
	check_refused("a =b", "=b");
	check_refused("a == b", "==");
	check_refused("a =} b }=c d", "}=c");
}

static void no_words_are_refused(void)
{
	char *none[] = { NULL };
	struct chain c;

	CHECK(chain_plan(&c, none, 0) == -EINVAL && c.error);
}

int main(void)
{
	RUN(two_commands_feed_each_other);
	RUN(a_command_in_the_middle_faces_right_with_its_second_pair);
	RUN(a_filter_handles_one_direction);
	RUN(filters_of_both_directions_mix_in_one_link);
	RUN(filters_of_one_direction_follow_each_other);
	RUN(a_link_with_filters_may_be_followed_by_a_plain_one);
	RUN(each_command_gets_its_own_arguments);
	RUN(a_closing_bracket_outside_of_brackets_is_an_argument);
	RUN(an_empty_word_is_an_argument);
	RUN(a_bracket_must_be_closed_by_its_own_kind);
	RUN(a_missing_command_is_refused);
	RUN(a_word_that_begins_with_the_separator_is_refused);
	RUN(no_words_are_refused);
	DONE();
}
