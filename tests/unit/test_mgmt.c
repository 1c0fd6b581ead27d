// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mgmt.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"
#include "base/strbuf.h"

static int n_args;
static int64_t nums[MGMT_MAX_ARGS];
static char word[64];

static int note_numbers(struct mgmt_req *rq, void *ctx)
{
	n_args = rq->argc;
	for (int i = 0; i < rq->argc; i++)
		nums[i] = rq->arg[i].num;
	return 0;
}

static int note_word(struct mgmt_req *rq, void *ctx)
{
	n_args = rq->argc;
	str_copy(word, sizeof(word), rq->argc ? rq->arg[rq->argc - 1].str : "");
	return 0;
}

static int fails(struct mgmt_req *rq, void *ctx)
{
	return *(const int *)ctx;
}

/* clang-format off */
static const struct mgmt_cmd first[] = {
	{ "port", "", "PORT STATUS MENU", NULL, false },
	{ "port/create <port>", "N", "create the port N", note_numbers, false },
	{ "port/createauto", "", "create a port", note_numbers, true },
	{ "port/print [<port>]", "[N]", "print the ports", note_numbers, true },
};
static const struct mgmt_cmd second[] = {
	{ "vlan/addport <vlan> <port>", "N PORT", "add", note_numbers, false },
	{ "port/setuser <port> <name>", "N user", "set user", note_word, false },
	{ "load <path...>", "path", "load a script", note_word, false },
	{ "say [<text...>]", "TEXT", "say it", note_word, false },
	{ "port/setnumports <any>", "N", "a word", fails, false },
	{ "port/create <port> <port>", "", "never found", fails, false },
};
/* clang-format on */
static const struct mgmt_table tables[] = {
	{ first, ARRAY_SIZE(first) },
	{ second, ARRAY_SIZE(second) },
};
static const struct mgmt_type types[] = { { "port", 1, 32 },
					  { "vlan", 0, 4094 } };
static int answer;
static const struct mgmt mgmt = { tables, ARRAY_SIZE(tables), types,
				  ARRAY_SIZE(types), &answer };

static int run(const char *s)
{
	char line[128];
	const struct mgmt_cmd *cmd;
	struct mgmt_req rq = { 0 };

	str_copy(line, sizeof(line), s);
	n_args = -1;
	memset(nums, 0xff, sizeof(nums));
	word[0] = '\0';
	cmd = mgmt_find(&mgmt, line);
	return cmd ? mgmt_run(&mgmt, cmd, &rq, line) : -ENOSYS;
}

static void names_match_whole_words(void)
{
	CHECK(run("port/createauto") == 0);
	CHECK(run("port/createx 1") == -ENOSYS);
	CHECK(run("port/creat 1") == -ENOSYS);
	CHECK(run("Port/create 1") == -ENOSYS);
	CHECK(run("port/create") == -EINVAL);
	CHECK(run("") == -ENOSYS);
	CHECK(run("  \t") == -ENOSYS);
	CHECK(run(" \tport/create\t 3 ") == 0 && nums[0] == 3);
}

static void headings_are_not_commands(void)
{
	CHECK(run("port") == -ENOSYS);
}

static void rows_are_found_in_every_table_the_first_one_wins(void)
{
	CHECK(mgmt_find(&mgmt, "say x") == &second[3]);
	CHECK(mgmt_find(&mgmt, "port/create 1 2") == &first[1]);
}

static void arguments_are_checked_before_the_handler(void)
{
	CHECK(run("port/create abc") == -EINVAL && n_args == -1);
	CHECK(run("port/create 0") == -EINVAL);
	CHECK(run("port/create 33") == -EINVAL);
	CHECK(run("port/create -1") == -EINVAL);
	CHECK(run("port/create 3 4") == -EINVAL);
	CHECK(run("port/create 99999999999999999999") == -EINVAL);
	CHECK(run("port/create 3\r\n") == 0 && n_args == 1 && nums[0] == 3);
	CHECK(run("port/create 0x10") == 0 && nums[0] == 16);
	CHECK(run("port/create 010") == 0 && nums[0] == 10);
	CHECK(run("vlan/addport 10   7") == 0 && n_args == 2 && nums[0] == 10 &&
	      nums[1] == 7);
	CHECK(run("vlan/addport 10") == -EINVAL);
	CHECK(run("vlan/addport 10 7 1") == -EINVAL);
	CHECK(run("port/createauto 1") == -EINVAL);
}

static void optional_arguments_may_be_missing(void)
{
	CHECK(run("port/print") == 0 && n_args == 0);
	CHECK(run("port/print 5") == 0 && n_args == 1 && nums[0] == 5);
	CHECK(run("port/print x") == -EINVAL && n_args == -1);
	CHECK(run("port/print 5 5") == -EINVAL);
}

static void types_without_a_range_are_words(void)
{
	CHECK(run("port/setuser 4 nobody") == 0 && n_args == 2 &&
	      !strcmp(word, "nobody"));
	CHECK(run("port/setuser 4 some body") == -EINVAL);
	CHECK(run("port/setuser x nobody") == -EINVAL);
}

static void the_rest_of_a_line_is_one_argument(void)
{
	CHECK(run("load  /tmp/a file  ") == 0 && n_args == 1 &&
	      !strcmp(word, "/tmp/a file"));
	CHECK(run("load") == -EINVAL);
	CHECK(run("load   ") == -EINVAL);
	CHECK(run("say") == 0 && n_args == 0);
	CHECK(run("say a  b\tc\r") == 0 && !strcmp(word, "a  b\tc"));
}

static void the_handlers_answer_is_passed_on(void)
{
	answer = -ENXIO;
	CHECK(run("port/setnumports x") == -ENXIO);
	answer = 0;
	CHECK(run("port/setnumports x") == 0);
}

static void to_strbuf(void *ctx, const char *s, size_t n)
{
	strbuf_addn(ctx, s, n);
}

static bool help_says(bool json, const char *prefix, const char *expected)
{
	char text[2048];
	struct strbuf b;
	struct writer w;
	struct mgmt_req rq = { .mgmt = &mgmt, .w = &w };

	strbuf_init(&b, text, sizeof(text));
	writer_init(&w, json, to_strbuf, &b);
	writer_open(&w, NULL);
	CHECK(mgmt_help(&rq, prefix) == 0);
	writer_close(&w);
	if (strcmp(text, expected))
		printf("# got:\n%s", text);
	return !strcmp(text, expected);
}

#define HEAD                                        \
	"COMMAND PATH       SYNTAX          HELP\n" \
	"------------       --------------  ------------\n"

static void help_has_vde2s_columns(void)
{
	CHECK(help_says(false, "port/p",
			HEAD "port/print         [N]             "
			     "print the ports\n"));
	CHECK(help_says(false, "nothing", HEAD));
	CHECK(help_says(false, "port",
			HEAD
			"port               ============    PORT STATUS MENU\n"
			"port/create        N               create the port N\n"
			"port/createauto                    create a port\n"
			"port/print         [N]             print the ports\n"
			"port/setuser       N user          set user\n"
			"port/setnumports   N               a word\n"
			"port/create                        never found\n"));
	CHECK(help_says(false, "load",
			HEAD "load               path            "
			     "load a script\n"));
}

/* ---- parts ---- */

/* Says its word again and again: as many parts as @ctx wants. */
static int says_in_parts(struct mgmt_req *rq, void *ctx)
{
	int64_t part = (int64_t)rq->more[0]++;

	CHECK(rq->again == (part > 0));
	while (!mgmt_pause(rq))
		writer_str(rq->w, NULL, "", rq->arg[0].str, 0);
	return part + 1 < *(const int *)ctx ? MGMT_MORE : -ENOENT;
}

static const struct mgmt_cmd in_parts[] = {
	{ "parts <word>", "", "many words", says_in_parts, true },
};

struct said {
	size_t len;
	bool same; /* nothing but "word" */
};

static void to_said(void *ctx, const char *s, size_t n)
{
	struct said *said = ctx;

	for (size_t i = 0; i < n; i++)
		if (s[i] != "word"[(said->len + i) % 4])
			said->same = false;
	said->len += n;
}

static void a_handler_goes_on_where_it_stopped(void)
{
	struct mgmt_table table = { in_parts, ARRAY_SIZE(in_parts) };
	int parts = 3;
	struct mgmt m = { &table, 1, types, ARRAY_SIZE(types), &parts };
	struct said said = { 0, true };
	struct writer w;
	struct mgmt_req rq = { .w = &w };
	char line[] = "parts word";

	memset(rq.more, 0xff, sizeof(rq.more)); /* of an earlier command */
	rq.again = true;
	writer_init(&w, false, to_said, &said);
	CHECK(mgmt_run(&m, &in_parts[0], &rq, line) == MGMT_MORE);
	CHECK(said.len >= MGMT_PART && said.len < MGMT_PART + 100);
	CHECK(mgmt_more(&rq) == MGMT_MORE);
	CHECK(mgmt_more(&rq) == -ENOENT);
	CHECK(said.len >= 3 * MGMT_PART && said.len < 3 * MGMT_PART + 300);
	CHECK(said.same);
}

static void a_command_that_has_gone_is_canceled(void)
{
	struct mgmt_table table = { in_parts, ARRAY_SIZE(in_parts) };
	int parts = 3;
	struct mgmt m = { &table, 1, types, ARRAY_SIZE(types), &parts };
	struct said said = { 0, true };
	struct writer w;
	struct mgmt_req rq = { .w = &w };
	char line[] = "parts word";

	writer_init(&w, false, to_said, &said);
	CHECK(mgmt_run(&m, &in_parts[0], &rq, line) == MGMT_MORE);
	m.n_tables = 0;
	CHECK(mgmt_more(&rq) == -ECANCELED);
	CHECK(said.len < 2 * MGMT_PART);
}

static void help_may_have_any_number_of_rows(void)
{
	static struct mgmt_cmd many[1000];
	struct mgmt_table two[2] = { { many, ARRAY_SIZE(many) },
				     { first, ARRAY_SIZE(first) } };
	struct mgmt m = { two, 2, NULL, 0, NULL };
	static char text[1 << 17];
	struct strbuf b;
	struct writer w;
	struct mgmt_req rq = { .mgmt = &m, .w = &w };
	int rc = MGMT_MORE, parts = 0;
	size_t row = strlen("a                                  a row\n");
	size_t end = strlen(HEAD) + 1000 * row;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct mgmt_cmd){ "a", "", "a row", fails, false };
	strbuf_init(&b, text, sizeof(text));
	writer_init(&w, false, to_strbuf, &b);
	for (; rc == MGMT_MORE; rq.again = true) {
		rq.part_at = w.written;
		rc = mgmt_help(&rq, NULL);
		parts++;
	}
	CHECK(rc == 0 && parts > 3 && !b.cut);
	CHECK(!memcmp(text + end, "port    ", 8));
	CHECK(!strcmp(text + b.len - 16, "print the ports\n"));
}

static void help_has_a_json_form(void)
{
	CHECK(help_says(true, "port/p",
			"{\"commands\":[{\"name\":\"port/print\","
			"\"syntax\":\"[N]\",\"help\":\"print the ports\","
			"\"usage\":\"port/print [<port>]\","
			"\"menu\":false}]}"));
	CHECK(help_says(true, "nothing", "{\"commands\":[]}"));
}

static int seen_numbers;
static const struct mgmt_cmd *seen_cmd;

static int note_request(struct mgmt_req *rq, void *ctx)
{
	seen_numbers = (int)rq->numbers;
	seen_cmd = rq->cmd;
	return 0;
}

static void a_request_knows_its_row_and_its_numbers(void)
{
	static const struct mgmt_cmd rows[] = {
		{ "mix <word> <port> [<vlan>]", "", "", note_request, false },
	};
	static const struct mgmt_table table = { rows, 1 };
	static const struct mgmt m = { &table, 1, types, ARRAY_SIZE(types),
				       NULL };
	char line[] = "mix 1 2 3", less[] = "mix 1 2";
	struct mgmt_req rq = { 0 };

	CHECK(mgmt_run(&m, rows, &rq, line) == 0 && seen_numbers == 6);
	CHECK(seen_cmd == rows);
	CHECK(mgmt_run(&m, rows, &rq, less) == 0 && seen_numbers == 2);
}

static int check(const char *syntax, mgmt_fn *fn)
{
	return mgmt_check(&mgmt, &(struct mgmt_cmd){ syntax, "", "", fn, 0 });
}

static void a_row_of_others_is_checked(void)
{
	static const char *const good[] = {
		"x",
		"x/y-z_2.+",
		"x <a>",
		"x [<a>]",
		"x <a> [<b>] [<c...>]",
		"x <a...>",
		"9 <a> <b> <c> <d> <e> <f> <g> <h>",
		"a2345678901234567890123456789012345678901234567890123456789012"
		"3",
	};
	static const char *const bad[] = {
		"",
		" x",
		"/x",
		"-j",
		"#x",
		"x ",
		"x  <a>",
		"x <a> ",
		"x <>",
		"x a",
		"x <a",
		"x a>",
		"x [a]",
		"x [<>]",
		"x [<a]>",
		"x [<a>",
		"x <a>]",
		"x <a> b",
		"x [<a>] <b>",
		"x <a...> <b>",
		"x <...>",
		"x [<a...>] [<b>]",
		"x <a b>",
		"x\t<a>",
		"x <a\n>",
		"x\n",
		"x <a><b>",
		"x <[a]>",
		"x <<a>>",
		"x [[<a>]]",
		"x <a..>",
		"9 <a> <b> <c> <d> <e> <f> <g> <h> <i>",
		"x<a>",
		"x \xff",
		"a2345678901234567890123456789012345678901234567890123456789012"
		"34",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (check(good[i], note_word))
			CHECK(!good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (check(bad[i], note_word) != -EINVAL)
			CHECK(!bad[i]);
	CHECK(check("heading", NULL) == 0);
	CHECK(check("heading <a>", NULL) == -EINVAL);
	CHECK(mgmt_check(&mgmt, &(struct mgmt_cmd){ .syntax = "x" }) ==
	      -EINVAL);
	CHECK(mgmt_check(&mgmt, &(struct mgmt_cmd){ 0 }) == -EINVAL);
}

static void a_name_can_be_had_once(void)
{
	CHECK(check("say", note_word) == -EEXIST);
	CHECK(check("port/create <a>", note_word) == -EEXIST);
	CHECK(check("port", note_word) == -EEXIST); /* a heading */
	CHECK(check("load", NULL) == -EEXIST);
	CHECK(check("sa", note_word) == 0);
	CHECK(check("sayx", note_word) == 0);
}

int main(void)
{
	RUN(names_match_whole_words);
	RUN(headings_are_not_commands);
	RUN(rows_are_found_in_every_table_the_first_one_wins);
	RUN(arguments_are_checked_before_the_handler);
	RUN(optional_arguments_may_be_missing);
	RUN(types_without_a_range_are_words);
	RUN(the_rest_of_a_line_is_one_argument);
	RUN(the_handlers_answer_is_passed_on);
	RUN(help_has_vde2s_columns);
	RUN(help_has_a_json_form);
	RUN(a_request_knows_its_row_and_its_numbers);
	RUN(a_row_of_others_is_checked);
	RUN(a_name_can_be_had_once);
	RUN(help_may_have_any_number_of_rows);
	RUN(a_handler_goes_on_where_it_stopped);
	RUN(a_command_that_has_gone_is_canceled);
	DONE();
}
