// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that say what they have to say in parts.
 */
#include "../unit/console_fixture.h"

#define LINES 10000
#define LINE 100
#define JSON_LINE (LINE - 1 + strlen("\"\","))

/* The reply to "parts LINES", up to the result. */
static bool expect_lines(struct client *cl, size_t n)
{
	size_t i;

	if (!client_expect(cl, BLOCK))
		return false;
	client_wait(cl, n * LINE);
	for (i = 0; i < n * LINE && i < cl->len; i++)
		if (cl->got[i] != (i % LINE == LINE - 1 ? '\n' : 'x'))
			break;
	if (i < n * LINE)
		return false;
	client_skip(cl, i);
	return true;
}

static void nothing_is_missing_between_the_parts(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "parts 10000\n");
	CHECK(expect_lines(&cl, LINES));
	CHECK(client_expect(&cl, ".\n" OK));
	CHECK(n_parts >= LINES * LINE / (MGMT_PART + LINE));
	client_say(&cl, "parts 1\nparts 0\n");
	CHECK(expect_lines(&cl, 1));
	CHECK(client_expect(&cl, ".\n" OK BLOCK ".\n" OK));
	client_close(&cl);
	fixture_close();
}

static int most_parts, parts_before;

static void count_parts(struct loop_hook *h)
{
	if (n_parts - parts_before > most_parts)
		most_parts = n_parts - parts_before;
	parts_before = n_parts;
}

static void one_part_of_a_session_runs_in_a_turn(void)
{
	struct loop_hook h;
	struct client cl, other;

	fixture_open();
	client_open(&cl);
	client_open(&other);
	most_parts = parts_before = 0;
	loop_hook_add(loop, &h, count_parts);
	client_say(&cl, "parts 10000\nparts 10000\n");
	client_say(&other, "port/note 2\n");
	CHECK(client_expect(&other, OK));
	CHECK(n_parts < 5);
	CHECK(expect_lines(&cl, LINES));
	CHECK(client_expect(&cl, ".\n" OK));
	CHECK(expect_lines(&cl, LINES));
	CHECK(most_parts == 1);
	loop_hook_del(&h);
	client_close(&cl);
	client_close(&other);
	fixture_close();
}

static void the_next_command_waits_for_the_end_of_the_reply(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "parts 10000\nport/note 7\n");
	client_wait(&cl, 1);
	CHECK(n_notes == 0);
	client_say(&cl, "port/note 8\n");
	CHECK(expect_lines(&cl, LINES));
	CHECK(client_expect(&cl, ".\n" OK OK OK));
	CHECK(n_notes == 2 && last_note == 8);
	client_close(&cl);
	fixture_close();
}

static void arguments_last_to_the_last_part(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "parts 5000 a long text");
	shutdown(cl.fd, SHUT_WR); /* instead of a newline */
	CHECK(expect_lines(&cl, 5000));
	CHECK(client_expect(&cl, "a long text\n.\n"
				 "1002 No such file or directory\n" PROMPT));
	CHECK(client_expect_eof(&cl));
	client_close(&cl);
	fixture_close();
}

/* "{"lines":["xxx","xxx",...]" and what follows. */
static bool expect_json(struct client *cl, size_t n, const char *end)
{
	if (!client_expect(cl, BLOCK "{\"lines\":["))
		return false;
	client_wait(cl, n * JSON_LINE - 1);
	if (cl->len < n * JSON_LINE - 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (cl->got[i * JSON_LINE] != '"' ||
		    strspn(cl->got + i * JSON_LINE + 1, "x") != LINE - 1)
			return false;
	client_skip(cl, n * JSON_LINE - 1);
	return client_expect(cl, end);
}

static void a_document_in_parts_is_one_document(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "-j parts 10000 end\n");
	CHECK(expect_json(&cl, LINES,
			  "],\"text\":\"end\"}\n.\n"
			  "1002 No such file or directory\n" PROMPT));
	CHECK(n_parts > 100);
	client_close(&cl);
	fixture_close();
}

/* ---- events ---- */

static void event_to_all(void)
{
	char text[] = "07";

	console_for_each(console, send_event, text);
}

static void events_come_after_a_reply_that_has_begun(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	event_to_all();
	client_say(&cl, "parts 10000\nport/note 1\n");
	CHECK(client_expect(&cl, "3021 port/+ 07\n"));
	client_wait(&cl, 1);
	CHECK(n_parts > 0 && n_parts < 50);
	event_to_all();
	event_to_all();
	CHECK(expect_lines(&cl, LINES));
	CHECK(client_expect(&cl, ".\n" OK "3021 port/+ 07\n"
				 "3021 port/+ 07\n" OK));
	client_close(&cl);
	fixture_close();
}

static void events_that_wait_have_a_bound(void)
{
	const size_t line = strlen("3021 port/+ 07\n");
	struct client cl;
	size_t n = 0;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "parts 10000\nport/note 1\n");
	client_wait(&cl, 1);
	for (int i = 0; i < 100000; i++)
		event_to_all();
	CHECK(expect_lines(&cl, LINES));
	CHECK(client_expect(&cl, ".\n" OK));
	while (client_expect(&cl, "3021 port/+ 0")) {
		CHECK(client_expect(&cl, "7\n"));
		n++;
		client_wait(&cl, 1);
		if (cl.got[0] == '1')
			break;
	}
	CHECK(n * line >= CONSOLE_EVENT_ROOM / 2);
	CHECK(n * line <= CONSOLE_EVENT_ROOM + 2 * line);
	CHECK(client_expect(&cl, OK));
	client_close(&cl);
	fixture_close();
}

/* ---- clients that do not read, and ends ---- */

static void who_does_not_read_holds_its_own_reply_only(void)
{
	struct client slow, other;
	int before;

	fixture_open();
	client_open(&slow);
	client_open(&other);
	loop_fd_del(loop, &slow.io);
	client_say(&slow, "parts 300000\n"); /* 30 MB */
	client_say(&other, "parts 1000\n");
	CHECK(expect_lines(&other, 1000));
	CHECK(client_expect(&other, ".\n" OK));
	run_for(50 * LOOP_MS);
	before = n_parts;
	CHECK(before < 1000); /* what fits into the socket */
	run_for(50 * LOOP_MS);
	CHECK(n_parts == before && n_gone == 0);
	loop_fd_add(loop, &slow.io, slow.fd, EPOLLIN, client_readable);
	CHECK(expect_lines(&slow, 300000));
	CHECK(client_expect(&slow, ".\n" OK));
	client_close(&slow);
	client_close(&other);
	fixture_close();
}

static void who_leaves_is_not_talked_to(void)
{
	struct client cl;
	int reading;

	fixture_open();
	for (reading = 0; reading < 2; reading++) {
		client_open(&cl);
		if (!reading)
			loop_fd_del(loop, &cl.io);
		client_say(&cl, "parts 1000000\nport/note 5\n");
		if (reading)
			client_wait(&cl, 1);
		else
			run_for(20 * LOOP_MS);
		client_close(&cl);
		while (n_gone <= reading)
			run_for(LOOP_MS);
		CHECK(n_notes == reading + 1); /* obeyed all the same */
	}
	CHECK(n_parts < 1000);
	fixture_close();
}

static void a_shutdown_ends_a_reply_properly(void)
{
	struct client cl, json, other;

	fixture_open();
	client_open(&cl);
	client_open(&json);
	client_open(&other);
	client_say(&cl, "parts 1000000\n");
	client_say(&json, "-j parts 1000000\n");
	client_wait(&cl, 1);
	client_wait(&json, 1);
	client_say(&other, "shutdown\n");
	CHECK(client_expect(&other, "9999 END OF SESSION"));
	client_wait(&cl, SIZE_MAX);
	CHECK(cl.eof && cl.len > 21 &&
	      !strcmp(cl.got + cl.len - 24, "xx\n.\n9999 END OF SESSION"));
	client_wait(&json, SIZE_MAX);
	CHECK(json.eof && !strcmp(json.got + json.len - 26,
				  "x\"]}\n.\n9999 END OF SESSION"));
	client_close(&cl);
	client_close(&json);
	client_close(&other);
	fixture_close();
}

static void the_console_may_go_in_the_middle(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "parts 1000000\n");
	client_wait(&cl, 1);
	event_to_all();
	console_free(console);
	console = NULL;
	CHECK(n_gone == 1);
	client_wait(&cl, SIZE_MAX);
	CHECK(cl.eof);
	CHECK(strstr(cl.got, "x\n.\n1125 Operation canceled\n" PROMPT
			     "3021 port/+ 07\n"));
	client_close(&cl);
	fixture_close();
}

static void a_command_may_go_in_the_middle(void)
{
	static const struct mgmt_cmd cmds[] = {
		{ "all <count>", "N", "many lines", cmd_parts, true },
	};
	static const struct mgmt_type types[] = { { "count", 0, 1000000 } };
	struct mgmt_table tables[] = { fixture_table,
				       { cmds, ARRAY_SIZE(cmds) } };
	struct mgmt mgmt = { tables, 2, types, 1, NULL };
	struct client cl;
	struct console *fixture;

	fixture_open();
	fixture = console;
	console = console_new(&(struct console_config){
		.loop = loop, .mgmt = &mgmt, .greeting = "", .prompt = "$ " });
	client_open_quiet(&cl);
	CHECK(client_expect(&cl, "\n$ "));
	client_say(&cl, "all 1000000\nall 1\n");
	client_wait(&cl, 1);
	console_forget(console, &fixture_table); /* has nothing to do */
	CHECK(n_parts > 0);
	client_wait(&cl, cl.len + 10 * MGMT_PART);
	console_forget(console, &tables[1]);
	mgmt.n_tables = 1;
	n_parts = 0;
	client_say(&cl, "port/note 1\nlogout\n");
	client_wait(&cl, SIZE_MAX);
	CHECK(n_parts == 0);
	CHECK(cl.eof && strstr(cl.got, "x\n.\n1125 Operation canceled\n\n$ "
				       "1038 Function not implemented\n\n$ "
				       "1000 Success\n\n$ 9999"));
	client_close(&cl);
	console_free(console);
	console = fixture;
	fixture_close();
}

int main(void)
{
	log_open("test", LOG_ERR);
	RUN(nothing_is_missing_between_the_parts);
	RUN(one_part_of_a_session_runs_in_a_turn);
	RUN(the_next_command_waits_for_the_end_of_the_reply);
	RUN(arguments_last_to_the_last_part);
	RUN(a_document_in_parts_is_one_document);
	RUN(events_come_after_a_reply_that_has_begun);
	RUN(events_that_wait_have_a_bound);
	RUN(who_does_not_read_holds_its_own_reply_only);
	RUN(who_leaves_is_not_talked_to);
	RUN(a_shutdown_ends_a_reply_properly);
	RUN(the_console_may_go_in_the_middle);
	RUN(a_command_may_go_in_the_middle);
	DONE();
}
