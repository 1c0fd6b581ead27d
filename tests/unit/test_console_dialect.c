// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the console of another program speaks otherwise than the switch's.
 */
#include <stdlib.h>

#include "../unit/console_fixture.h"

#define BYE "1-01 Unknown error -1\n"

static char path[] = "/tmp/vde-test-dialect.XXXXXX";
static char failed[1024]; /* lines of an rc file */

static int cmd_refuse(struct mgmt_req *rq, void *ctx)
{
	return mgmt_refuse(rq, -ERANGE, rq->arg[0].str);
}

/* With lists that are left open, and half a line. */
static int cmd_explain(struct mgmt_req *rq, void *ctx)
{
	writer_list(rq->w, "items");
	writer_open(rq->w, NULL);
	writer_num(rq->w, "n", "number ", 1, 0);
	return mgmt_refuse(rq, -ENOENT, rq->arg[0].str);
}

static int cmd_hang_up(struct mgmt_req *rq, void *ctx)
{
	console_hang_up(rq->session);
	return 0;
}

static int cmd_steps(struct mgmt_req *rq, void *ctx)
{
	console_event_line(rq->session, "3801 Node 0 \"\033\" -> 1 \"\"");
	return 0;
}

static int cmd_why(struct mgmt_req *rq, void *ctx)
{
	writer_str(rq->w, "why", "", console_last_failure(rq->session), 0);
	return 0;
}

static bool explains(const struct mgmt_cmd *cmd)
{
	return cmd->fn == cmd_explain;
}

static void rc_failed(const char *file, unsigned int number, const char *line,
		      int rc, const char *why)
{
	size_t len = strlen(failed);

	CHECK(!strcmp(file, path));
	CHECK(str_fmt(failed + len, sizeof(failed) - len, "%u:%s:%d:%s\n",
		      number, line, -rc, why) > 0);
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "note <port>", "N", "remember a port", cmd_note, false },
	{ "refuse <text...>", "TEXT", "fail", cmd_refuse, false },
	{ "explain <text...>", "TEXT", "fail, and say why", cmd_explain, false },
	{ "why", "", "the last failure", cmd_why, true },
	{ "logout", "", "end the session", cmd_logout, false },
	{ "shutdown", "", "end it without a word", cmd_hang_up, false },
	{ "steps", "", "an event", cmd_steps, false },
	{ "load <path...>", "path", "run a file", cmd_load, true },
};
static const struct mgmt_table table = { cmds, ARRAY_SIZE(cmds) };
static const struct mgmt mgmt = {
	&table, 1, fixture_types, ARRAY_SIZE(fixture_types), NULL
};
/* clang-format on */

static const struct console_dialect dialect = {
	.farewell = BYE,
	.load_before = "\nWF$  (",
	.load_behind = ") ",
	.terminal_talks = true,
	.comments = true,
	.explains = explains,
	.rc_failed = rc_failed,
};

static void write_text(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 &&
	      write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* "X" in @text stands for the file's path. */
static const char *with_path(const char *text)
{
	static char out[2048];
	struct strbuf b;

	strbuf_init(&b, out, sizeof(out));
	for (; *text; text++) {
		if (*text == 'X')
			strbuf_add(&b, path);
		else
			strbuf_addn(&b, text, 1);
	}
	CHECK(!b.cut);
	return out;
}

static void a_logout_has_its_own_farewell(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "logout\n");
	CHECK(client_expect(&cl, BYE));
	CHECK(client_expect_eof(&cl));
	client_close(&cl);
	fixture_close();
}

static void who_hangs_up_says_nothing(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "shutdown\nnote 4\n");
	CHECK(client_expect_eof(&cl));
	CHECK(n_notes == 0);
	client_close(&cl);
	fixture_close();
}

static void lines_of_a_file_are_the_data_block_of_load(void)
{
	struct client cl;

	write_text("# c\n\nnote 3\nfoo\nwhy\nlogout\nnote 5");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(
		&cl,
		with_path(BLOCK "\nWF$  (X) # c\n"
				"\nWF$  (X) \n\n"
				"\nWF$  (X) note 3\n1000 Success\n"
				"\nWF$  (X) foo\n"
				"1038 Function not implemented\n"
				"\nWF$  (X) why\n" BLOCK
				"no such command\n.\n1000 Success\n"
				"\nWF$  (X) logout\n" BYE
				"\nWF$  (X) note 5\n1000 Success\n.\n" OK)));
	CHECK(last_note == 5);
	write_text("");
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl, BLOCK ".\n" OK));
	client_say(&cl, "load /nowhere\n");
	CHECK(client_expect(&cl,
			    BLOCK ".\n"
				  "1002 No such file or directory\n" PROMPT));
	client_close(&cl);
	fixture_close();
}

static void a_file_may_end_the_session_without_a_word(void)
{
	struct client cl;

	write_text("note 3\nshutdown\nnote 5\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl,
			    with_path(BLOCK "\nWF$  (X) note 3\n1000 Success\n"
					    "\nWF$  (X) shutdown\n.\n")));
	CHECK(client_expect_eof(&cl));
	CHECK(last_note == 3);
	client_close(&cl);
	fixture_close();
}

static void a_comment_may_stand_behind_a_command(void)
{
	struct client cl;

	write_text("note 3 # three\nnote 4\t#\nrefuse a#b #c # d\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, "note 1 # one\n# all of it\nnote 2#\n");
	CHECK(client_expect(&cl, OK PROMPT "1022 Invalid argument\n" PROMPT));
	CHECK(last_note == 1);
	failed[0] = '\0';
	CHECK(console_load(console, path, NULL) == 0);
	CHECK(last_note == 4);
	CHECK(!strcmp(failed, "3:refuse a#b #c # d:34:a#b\n"));
	client_close(&cl);
	fixture_close();
}

static void a_reason_is_in_json_and_kept_for_later(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "why\n");
	CHECK(client_expect(&cl, BLOCK ".\n" OK));
	client_say(&cl, "refuse it is \"wrong\"\n");
	CHECK(client_expect(&cl,
			    "1034 Numerical result out of range\n" PROMPT));
	client_say(&cl, "note 1\nwhy\n");
	CHECK(client_expect(&cl, OK BLOCK "it is \"wrong\"\n.\n" OK));
	client_say(&cl, "-j refuse it is \"wrong\"\n");
	CHECK(client_expect(&cl, BLOCK
			    "{\"reason\":\"it is \\\"wrong\\\"\"}\n"
			    ".\n1034 Numerical result out of range\n" PROMPT));
	client_say(&cl, "note 99\nwhy\n");
	CHECK(client_expect(&cl, "1022 Invalid argument\n" PROMPT BLOCK
				 "usage: note <port>\n.\n" OK));
	client_say(&cl, "-j foo\n");
	CHECK(client_expect(&cl,
			    BLOCK "{\"reason\":\"no such command\"}\n.\n"
				  "1038 Function not implemented\n" PROMPT));
	client_close(&cl);
	fixture_close();
}

static void a_command_that_explains_itself_does_so_at_once(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "explain a\tb\n");
	CHECK(client_expect(&cl,
			    BLOCK "number 1\na?b\n.\n"
				  "1002 No such file or directory\n" PROMPT));
	client_say(&cl, "-j explain no\n");
	CHECK(client_expect(&cl,
			    BLOCK "{\"items\":[{\"n\":1}],\"reason\":"
				  "\"no\"}\n.\n"
				  "1002 No such file or directory\n" PROMPT));
	client_say(&cl, "explain\n");
	CHECK(client_expect(&cl, BLOCK "usage: explain <text...>\n.\n"
				       "1022 Invalid argument\n" PROMPT));
	client_close(&cl);
	fixture_close();
}

static void a_file_in_json_has_reasons_too(void)
{
	struct client cl;

	write_text("refuse so\nlogout\nnote 7\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("-j load X\n"));
	CHECK(client_expect(
		&cl, BLOCK
		"{\"commands\":["
		"{\"line\":1,\"command\":\"refuse so\",\"data\":{},"
		"\"errno\":34,\"result\":\"Numerical result out of range\","
		"\"reason\":\"so\"},"
		"{\"line\":2,\"command\":\"logout\",\"data\":{},"
		"\"errno\":0,\"result\":\"Success\"},"
		"{\"line\":3,\"command\":\"note 7\",\"data\":{},"
		"\"errno\":0,\"result\":\"Success\"}]}\n.\n" OK));
	CHECK(last_note == 7);
	client_close(&cl);
	fixture_close();
}

static void an_rc_file_reports_its_failures_in_the_dialect(void)
{
	fixture_open();
	write_text("note 1\nfoo\n\nrefuse  so \nnote x\nexplain it\n");
	failed[0] = '\0';
	CHECK(console_load(console, path, NULL) == 0);
	CHECK(!strcmp(failed, "2:foo:38:\n4:refuse  so:34:so\n"
			      "5:note x:22:usage: note <port>\n"
			      "6:explain it:2:it\n") ||
	      printf("# %s", failed) < 0);
	fixture_close();
}

static void an_event_may_be_any_line(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "steps\n");
	CHECK(client_expect(&cl, "3801 Node 0 \"?\" -> 1 \"\"\n" OK));
	client_close(&cl);
	fixture_close();
}

/* Descriptors 0 and 1 are pipes while the console runs on them. */
static void the_terminal_prompts_and_may_log_out(void)
{
	int in[2], out[2], saved[2] = { dup(0), dup(1) };
	static const char say[] = "note 2\n\nlogout\nnote 3\n";
	static const char want[] = OK PROMPT BYE;
	char got[256];
	ssize_t n;

	fixture_open();
	CHECK(!pipe(in) && !pipe(out));
	CHECK(write(in[1], say, sizeof(say) - 1) == sizeof(say) - 1);
	fflush(stdout);
	dup2(in[0], 0);
	dup2(out[1], 1);
	close(in[0]);
	close(out[1]);
	CHECK(console_stdin(console) == 0);
	run_with_deadline();
	dup2(saved[0], 0);
	dup2(saved[1], 1);
	close(saved[0]);
	close(saved[1]);
	n = read(out[0], got, sizeof(got) - 1);
	CHECK(n == sizeof(want) - 1 && !memcmp(got, want, sizeof(want) - 1));
	CHECK(n_eof == 1);
	CHECK(last_note == 2);
	close(in[1]);
	close(out[0]);
	fixture_close();
}

int main(void)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	fixture_uses = &mgmt;
	fixture_speaks = &dialect;
	RUN(a_logout_has_its_own_farewell);
	RUN(who_hangs_up_says_nothing);
	RUN(lines_of_a_file_are_the_data_block_of_load);
	RUN(a_file_may_end_the_session_without_a_word);
	RUN(a_comment_may_stand_behind_a_command);
	RUN(a_reason_is_in_json_and_kept_for_later);
	RUN(a_command_that_explains_itself_does_so_at_once);
	RUN(a_file_in_json_has_reasons_too);
	RUN(an_rc_file_reports_its_failures_in_the_dialect);
	RUN(an_event_may_be_any_line);
	RUN(the_terminal_prompts_and_may_log_out);
	unlink(path);
	DONE();
}
