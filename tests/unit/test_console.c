// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions over socketpairs and a real listener, in one loop with the console.
 */
#include "common/console.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "../unit/console_fixture.h"
#include "common/unixsock.h"

static void the_greeting_and_its_prompt_come_in_one_piece(void)
{
	char buf[256];
	ssize_t n;
	int sv[2];

	fixture_open();
	/* Each write is one record of such a socket. */
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv));
	CHECK(console_attach(console, sv[0]) == 0);
	n = recv(sv[1], buf, sizeof(buf) - 1, MSG_DONTWAIT);
	buf[n > 0 ? n : 0] = '\0';
	CHECK(!strcmp(buf, GREETING PROMPT));
	close(sv[1]);
	fixture_close();
}

static void each_line_has_a_result_and_a_prompt(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "port/note 3\n");
	CHECK(client_expect(&cl, OK));
	client_say(&cl, " \t port/note 4 \r\n");
	CHECK(client_expect(&cl, OK) && last_note == 4);
	client_say(&cl, "\n# a comment\n   \n  # another\r\n");
	CHECK(client_expect(&cl, PROMPT PROMPT PROMPT PROMPT));
	client_say(&cl, "port/note 99\n");
	CHECK(client_expect(&cl, "1022 Invalid argument\n" PROMPT));
	client_say(&cl, "port/notes 1\nport\n");
	CHECK(client_expect(&cl, "1038 Function not implemented\n" PROMPT
				 "1038 Function not implemented\n" PROMPT));
	CHECK(n_notes == 2);
	client_close(&cl);
	fixture_close();
}

static void data_blocks_precede_the_result(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "port/print\n");
	CHECK(client_expect(&cl, BLOCK "Port 0001 ACTIVE\n.\n" OK));
	client_say(&cl, "port/print 7\n");
	CHECK(client_expect(&cl,
			    BLOCK "Port 0007 ACTIVE\n.\n"
				  "1006 No such device or address\n" PROMPT));
	client_say(&cl, "port/print x\n");
	CHECK(client_expect(&cl, BLOCK ".\n1022 Invalid argument\n" PROMPT));
	client_close(&cl);
	fixture_close();
}

static void a_block_without_a_promise_appears_with_its_first_output(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "say\n");
	CHECK(client_expect(&cl, OK));
	client_say(&cl, "say hello\n"); /* the handler ends no line */
	CHECK(client_expect(&cl, BLOCK "hello\n.\n" OK));
	client_close(&cl);
	fixture_close();
}

static void json_is_one_document_in_one_block(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "-j port/print\n");
	CHECK(client_expect(&cl, BLOCK "{\"ports\":[{\"port\":1,"
				       "\"active\":true}]}\n.\n" OK));
	client_say(&cl, "-j port/print 5\n");
	CHECK(client_expect(&cl,
			    BLOCK "{\"ports\":[{\"port\":5,"
				  "\"active\":true}]}\n.\n"
				  "1006 No such device or address\n" PROMPT));
	client_say(&cl, "-j   say \"a\"\n");
	CHECK(client_expect(&cl, BLOCK "{\"said\":\"\\\"a\\\"\"}\n.\n" OK));
	client_say(&cl, "-j port/note 3\n");
	CHECK(client_expect(&cl, BLOCK "{}\n.\n" OK));
	client_say(&cl, "-j port/note\n-j nothing\n-j\n-jx\n");
	CHECK(client_expect(
		&cl, BLOCK "{}\n.\n1022 Invalid argument\n" PROMPT BLOCK
			   "{}\n.\n1038 Function not implemented\n" PROMPT BLOCK
			   "{}\n.\n1038 Function not implemented\n" PROMPT
			   "1038 Function not implemented\n" PROMPT));
	client_close(&cl);
	fixture_close();
}

static void many_commands_fit_in_one_write(void)
{
	struct client cl;
	char text[8192];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	for (int i = 0; i < 500; i++)
		strbuf_fmt(&b, "port/note %d\n", i % 32 + 1);
	CHECK(!b.cut);
	fixture_open();
	client_open(&cl);
	client_say(&cl, text);
	for (int i = 0; i < 500; i++)
		if (!client_expect(&cl, OK))
			break;
	CHECK(n_notes == 500 && last_note == 500 % 32);
	client_close(&cl);
	fixture_close();
}

static void a_command_may_be_cut_anywhere(void)
{
	static const char line[] = "port/note 12\n";
	struct client cl;

	fixture_open();
	client_open(&cl);
	fixture_stop_time();
	for (size_t cut = 1; cut < sizeof(line) - 1; cut++) {
		client_say_n(&cl, line, cut);
		pass_time(CONSOLE_IDLE - 1);
		CHECK(cl.len == 0);
		client_say(&cl, line + cut);
		CHECK(client_expect(&cl, OK));
	}
	CHECK(n_notes == sizeof(line) - 2);
	client_close(&cl);
	fixture_close();
}

static void a_command_without_newline_runs_after_a_silence(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	fixture_stop_time();
	client_say(&cl, "port/note 3\nport/note 1");
	CHECK(client_expect(&cl, OK) && last_note == 3);
	pass_time(CONSOLE_IDLE - 1);
	CHECK(n_notes == 1);
	client_say(&cl, "7"); /* the silence begins anew */
	pass_time(0);
	pass_time(CONSOLE_IDLE - 1);
	CHECK(n_notes == 1);
	pass_time(1);
	CHECK(n_notes == 2);
	CHECK(client_expect(&cl, OK) && last_note == 17);
	pass_time(2 * CONSOLE_IDLE); /* and nothing is left */
	CHECK(cl.len == 0);
	client_close(&cl);
	fixture_close();
}

/* The same by the clock on the wall. */
static void the_silence_is_real(void)
{
	struct client cl;
	uint64_t start;

	fixture_open();
	client_open(&cl);
	start = loop_clock(loop);
	client_say(&cl, "port/note 5");
	CHECK(client_expect(&cl, OK) && last_note == 5);
	CHECK(loop_clock(loop) - start >= CONSOLE_IDLE);
	client_close(&cl);
	fixture_close();
}

static void lines_have_a_longest_length(void)
{
	char line[CONSOLE_LINE_MAX + 3];
	struct client cl;

	fixture_open();
	client_open(&cl);
	memset(line, ' ', sizeof(line));
	memcpy(line, "port/note 3", 11);
	line[CONSOLE_LINE_MAX] = '\n';
	client_say_n(&cl, line, CONSOLE_LINE_MAX + 1);
	CHECK(client_expect(&cl, OK));
	line[CONSOLE_LINE_MAX] = ' ';
	line[CONSOLE_LINE_MAX + 1] = '\n';
	client_say_n(&cl, line, CONSOLE_LINE_MAX + 2);
	CHECK(client_expect(&cl, "1007 Argument list too long\n" PROMPT));
	CHECK(n_notes == 1);
	client_close(&cl);
	fixture_close();
}

/* Bytes on their way to the console. */
static int queued(const struct client *cl)
{
	int n = 0;

	CHECK(!ioctl(cl->fd, SIOCOUTQ, &n));
	return n;
}

static void a_mebibyte_without_newline_is_refused_once(void)
{
	static char junk[65536];
	struct client cl;

	fixture_open();
	client_open(&cl);
	fixture_stop_time();
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 16; i++) {
		client_say_n(&cl, junk, sizeof(junk));
		while (queued(&cl))
			run_for(0);
	}
	CHECK(cl.len == 0);
	client_say(&cl, "\nport/note 3\n");
	CHECK(client_expect(&cl, "1007 Argument list too long\n" PROMPT OK));
	client_say_n(&cl, junk, sizeof(junk)); /* ended by silence */
	while (queued(&cl))
		run_for(0);
	pass_time(CONSOLE_IDLE);
	CHECK(client_expect(&cl, "1007 Argument list too long\n" PROMPT));
	client_say(&cl, "port/note 3\n");
	CHECK(client_expect(&cl, OK));
	client_close(&cl);
	fixture_close();
}

static void nul_bytes_are_blanks_at_the_ends_and_refused_inside(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say_n(&cl, "port/note 3\0\n", 13);
	CHECK(client_expect(&cl, OK));
	client_say_n(&cl, "\0port/note 4\n", 13);
	CHECK(client_expect(&cl, OK));
	client_say_n(&cl, "port/note 5\0 6\n", 15);
	CHECK(client_expect(&cl, "1022 Invalid argument\n" PROMPT));
	CHECK(n_notes == 2);
	client_close(&cl);
	fixture_close();
}

static void random_bytes_harm_nobody(void)
{
	struct client cl, other;
	unsigned char junk[2048];
	unsigned int seed = 7;

	fixture_open();
	client_open(&cl);
	client_open(&other);
	for (int i = 0; i < 500; i++) {
		for (size_t n = 0; n < sizeof(junk); n++) {
			seed = seed * 1103515245 + 12345;
			junk[n] = (unsigned char)(seed >> 16);
		}
		client_say_n(&cl, (const char *)junk, sizeof(junk));
		run_for(0);
		cl.len = 0;
	}
	client_say(&other, "port/note 3\n");
	CHECK(client_expect(&other, OK));
	client_close(&cl);
	client_close(&other);
	fixture_close();
}

static void logout_is_answered_and_closes(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "port/note 1\nlogout\nport/note 2\n");
	CHECK(client_expect(&cl, OK "9999 END OF SESSION"));
	CHECK(client_expect_eof(&cl));
	CHECK(n_notes == 1 && n_gone == 1);
	client_close(&cl);
	fixture_close();
	CHECK(n_gone == 1);
}

static void a_farewell_reaches_every_session(void)
{
	struct client a, b;

	fixture_open();
	client_open(&a);
	client_open(&b);
	client_say(&a, "shutdown\n");
	CHECK(client_expect(&a, "9999 END OF SESSION"));
	CHECK(client_expect_eof(&a));
	CHECK(client_expect(&b, "9999 END OF SESSION"));
	CHECK(client_expect_eof(&b));
	CHECK(n_gone == 2);
	client_close(&a);
	client_close(&b);
	fixture_close();
}

static void the_console_can_go_at_any_time(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	console_free(console);
	CHECK(n_gone == 1);
	console = NULL;
	CHECK(client_expect_eof(&cl));
	client_close(&cl);
	fixture_close();
}

static void a_client_that_stops_sending_gets_its_replies(void)
{
	struct client cl;

	fixture_open();
	client_open(&cl);
	client_say(&cl, "port/note 1\nport/print\nport/note 2");
	shutdown(cl.fd, SHUT_WR);
	CHECK(client_expect(&cl, OK BLOCK "Port 0001 ACTIVE\n.\n" OK OK));
	CHECK(client_expect_eof(&cl));
	CHECK(last_note == 2);
	client_close(&cl);
	fixture_close();
}

static void a_client_that_leaves_at_once_is_still_obeyed(void)
{
	struct client cl, other;

	fixture_open();
	client_open(&other);
	client_open(&cl);
	client_repeat(&cl, "port/note 9\n", 100);
	client_close(&cl);
	while (!n_gone && n_notes < 1000)
		run_for(LOOP_MS);
	CHECK(n_notes == 100 && n_gone == 1);
	client_say(&other, "port/note 3\n");
	CHECK(client_expect(&other, OK));
	client_close(&other);
	fixture_close();
}

/* ---- clients that do not read ---- */

static void who_does_not_read_waits_and_loses_nothing(void)
{
	struct client slow, other;
	size_t reply = strlen(BLOCK) + 100 * 100 + strlen(".\n" OK), total;

	fixture_open();
	client_open(&slow);
	client_open(&other);
	loop_fd_del(loop, &slow.io);
	client_repeat(&slow, "big 100\n", 300);
	for (int i = 0; i < 100; i++) {
		client_say(&other, "port/note 3\n");
		CHECK(client_expect(&other, OK));
	}
	total = slow.len;
	loop_fd_add(loop, &slow.io, slow.fd, EPOLLIN, client_readable);
	client_wait(&slow, 300 * reply);
	CHECK(total == 0 && slow.len == 300 * reply);
	for (int i = 0; i < 300; i++)
		CHECK(!memcmp(slow.got + i * reply + reply - strlen(OK), OK,
			      strlen(OK)));
	client_close(&slow);
	client_close(&other);
	fixture_close();
}

static int turns;

static void count_turn(struct loop_hook *h)
{
	turns++;
}

#define SLOW_CLIENTS 5
#define SLOW_LINES 10

static int slow_done[SLOW_CLIENTS];

/* A handler that takes its time: a long listing, a slow directory service. */
static int cmd_slow(struct mgmt_req *rq, void *ctx)
{
	n_notes++;
	slow_done[rq->arg[0].num]++;
	virtual_now += 5 * LOOP_MS;
	return 0;
}

static int most_in_a_turn, most_ahead, notes_before;

static void count_notes(struct loop_hook *h)
{
	int n = n_notes - notes_before, min = SLOW_LINES, max = 0;

	for (int i = 0; i < SLOW_CLIENTS; i++) {
		if (slow_done[i] < min)
			min = slow_done[i];
		if (slow_done[i] > max)
			max = slow_done[i];
	}
	if (n > most_in_a_turn)
		most_in_a_turn = n;
	if (max - min > most_ahead)
		most_ahead = max - min;
	notes_before = n_notes;
}

static void slow_clients(struct client *cl)
{
	char line[] = "slow 0\n";

	for (int i = 0; i < SLOW_CLIENTS; i++) {
		client_open_quiet(&cl[i]);
		CHECK(client_expect(&cl[i], "\n$ "));
	}
	for (int i = 0; i < SLOW_CLIENTS; i++) {
		line[5] = (char)('0' + i);
		client_repeat(&cl[i], line, SLOW_LINES);
	}
	for (int n = 0; n < SLOW_LINES; n++)
		for (int i = 0; i < SLOW_CLIENTS; i++)
			CHECK(client_expect(&cl[i], "1000 Success\n\n$ "));
}

static void slow_commands_have_a_turn_each_by_turns(void)
{
	static const struct mgmt_cmd cmds[] = {
		{ "slow <count>", "N", "take 5 ms", cmd_slow, false },
	};
	static const struct mgmt_table table = { cmds, ARRAY_SIZE(cmds) };
	static const struct mgmt_type types[] = { { "count", 0, 9 } };
	static const struct mgmt mgmt = { &table, 1, types, 1, NULL };
	struct client cl[SLOW_CLIENTS];
	struct console *fixture;
	struct loop_hook h;

	fixture_open();
	fixture_stop_time();
	fixture = console;
	console = console_new(&(struct console_config){
		.loop = loop, .mgmt = &mgmt, .greeting = "", .prompt = "$ " });
	notes_before = most_in_a_turn = most_ahead = 0;
	loop_hook_add(loop, &h, count_notes);
	slow_clients(cl);
	CHECK(n_notes == SLOW_CLIENTS * SLOW_LINES);
	CHECK(most_in_a_turn == 1);
	CHECK(most_ahead <= 2);
	loop_hook_del(&h);
	for (int i = 0; i < SLOW_CLIENTS; i++)
		client_close(&cl[i]);
	console_free(fixture);
	fixture_close();
}

static void who_does_not_read_costs_no_time(void)
{
	struct loop_hook h;
	struct client slow;

	fixture_open();
	client_open(&slow);
	loop_fd_del(loop, &slow.io);
	client_repeat(&slow, "big 100\n", 300);
	run_for(50 * LOOP_MS);
	turns = 0;
	loop_hook_add(loop, &h, count_turn);
	run_for(200 * LOOP_MS);
	CHECK(turns < 5);
	/* Also when it has shut down one direction, and when it is gone. */
	shutdown(slow.fd, SHUT_WR);
	run_for(200 * LOOP_MS);
	CHECK(turns < 10);
	CHECK(n_gone == 0);
	client_close(&slow);
	turns = 0;
	while (!n_gone && turns < 1000)
		run_for(LOOP_MS);
	CHECK(n_gone == 1);
	loop_hook_del(&h);
	fixture_close();
}

static void too_much_output_ends_the_connection_only(void)
{
	struct client greedy, other;

	fixture_open();
	client_open(&greedy);
	client_open(&other);
	loop_fd_del(loop, &greedy.io);
	client_say(&greedy, "big 200000\n"); /* 20 MB in one reply */
	while (!n_gone)
		run_for(LOOP_MS);
	client_say(&other, "big 100000\n"); /* 10 MB are fine */
	client_wait(&other, 100000 * 100);
	CHECK(other.len >= 100000 * 100);
	client_close(&greedy);
	client_close(&other);
	fixture_close();
}

static void one_session_cannot_keep_the_loop_to_itself(void)
{
	struct client busy, other;

	fixture_open();
	client_open(&busy);
	client_open(&other);
	client_repeat(&busy, "port/note 1\n", 300);
	client_say(&other, "port/note 2\n");
	CHECK(client_expect(&other, OK));
	CHECK(n_notes < 100);
	client_wait(&busy, 300 * strlen(OK));
	CHECK(n_notes == 301);
	client_close(&busy);
	client_close(&other);
	fixture_close();
}

/* ---- events ---- */

static void events_come_before_the_reply_never_inside(void)
{
	struct client a, b;

	fixture_open();
	client_open(&a);
	client_open(&b);
	client_say(&a, "event\n");
	CHECK(client_expect(&a, "3021 port/+ 01??\n" BLOCK
				"half a line, and the rest\n.\n" OK));
	CHECK(client_expect(&b, "3021 port/+ 01??\n"));
	client_say(&b, "port/note 1\n");
	CHECK(client_expect(&b, OK));
	client_close(&a);
	client_close(&b);
	fixture_close();
}

static void event_to_all(void)
{
	char text[] = "0123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456789";

	console_for_each(console, send_event, text);
}

static void events_nobody_reads_are_dropped_whole(void)
{
	struct client slow, good;
	const size_t line = 12 + 80 + 1;

	fixture_open();
	client_open(&slow);
	client_open(&good);
	loop_fd_del(loop, &slow.io);
	for (int i = 0; i < 20000; i++) {
		event_to_all();
		if (i % 100 == 99)
			client_wait(&good, (size_t)(i + 1) * line);
	}
	CHECK(good.len == 20000 * line && n_gone == 0);
	loop_fd_add(loop, &slow.io, slow.fd, EPOLLIN, client_readable);
	run_for(100 * LOOP_MS);
	CHECK(slow.len % line == 0 && slow.len < good.len);
	CHECK(slow.len >= CONSOLE_EVENT_ROOM);
	for (size_t i = 0; i < slow.len; i += line)
		CHECK(!memcmp(slow.got + i, "3021 port/+ 0", 13));
	slow.len = 0;
	client_say(&slow, "port/note 3\n");
	CHECK(client_expect(&slow, OK));
	client_close(&slow);
	client_close(&good);
	fixture_close();
}

static void raise_flag(void *ctx, struct console_session *s)
{
	unsigned int *n = ctx;

	CHECK(*console_flags(s) == 0 && !console_is_terminal(s));
	*console_flags(s) = UINT64_C(1) << (63 - (*n)++);
}

static void collect_flags(void *ctx, struct console_session *s)
{
	*(uint64_t *)ctx |= *console_flags(s);
}

static void each_session_has_flags_of_its_own(void)
{
	unsigned int n = 0;
	uint64_t all = 0;
	struct client a, b;

	fixture_open();
	client_open(&a);
	client_open(&b);
	console_for_each(console, raise_flag, &n);
	console_for_each(console, collect_flags, &all);
	CHECK(n == 2 && all == UINT64_C(3) << 62);
	client_close(&a);
	client_close(&b);
	fixture_close();
}

/* ---- the listener ---- */

static char dir[] = "/tmp/vde-test-console.XXXXXX";
static char sock_path[64];

static int listener(void)
{
	int fd = unixsock_listen(sock_path, 0600, UNIXSOCK_KEEP_GROUP);

	CHECK(fd >= 0);
	CHECK(console_listen(console, fd) == 0);
	return fd;
}

static void clients_connect_to_the_listener(void)
{
	struct client cl;
	int fd;

	fixture_open();
	fd = listener();
	client_watch(&cl, unixsock_connect(sock_path));
	CHECK(client_expect(&cl, GREETING PROMPT));
	client_say(&cl, "port/note 3\n");
	CHECK(client_expect(&cl, OK));
	client_close(&cl);
	fixture_close();
	close(fd);
}

static void too_many_sessions_are_refused_with_a_reason(void)
{
	static struct client cl[257];
	int fd;

	fixture_open();
	fd = listener();
	for (int i = 0; i < 256; i++) {
		client_watch(&cl[i], unixsock_connect(sock_path));
		CHECK(client_expect(&cl[i], GREETING PROMPT));
	}
	client_watch(&cl[256], unixsock_connect(sock_path));
	CHECK(client_expect(&cl[256], "1087 Too many users\n"));
	CHECK(client_expect_eof(&cl[256]));
	client_close(&cl[256]);
	client_close(&cl[0]);
	while (!n_gone)
		run_for(LOOP_MS);
	client_watch(&cl[0], unixsock_connect(sock_path));
	CHECK(client_expect(&cl[0], GREETING PROMPT));
	for (int i = 0; i < 256; i++)
		client_close(&cl[i]);
	fixture_close();
	close(fd);
}

static void no_descriptor_left_is_waited_out_without_spinning(void)
{
	struct rlimit old, none;
	struct loop_hook h;
	struct client cl, before;
	int fd;

	fixture_open();
	fd = listener();
	client_watch(&before, unixsock_connect(sock_path));
	CHECK(client_expect(&before, GREETING PROMPT));
	client_watch(&cl, unixsock_connect(sock_path));
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3; /* existing descriptors are not touched */
	setrlimit(RLIMIT_NOFILE, &none);
	turns = 0;
	loop_hook_add(loop, &h, count_turn);
	run_for(350 * LOOP_MS);
	CHECK(turns > 0 && turns < 20);
	CHECK(cl.len == 0);
	client_say(&before, "port/note 3\n");
	CHECK(client_expect(&before, OK));
	setrlimit(RLIMIT_NOFILE, &old);
	CHECK(client_expect(&cl, GREETING PROMPT));
	loop_hook_del(&h);
	client_close(&cl);
	client_close(&before);
	fixture_close();
	close(fd);
}

int main(void)
{
	log_open("test", LOG_ERR);
	CHECK(mkdtemp(dir));
	str_fmt(sock_path, sizeof(sock_path), "%s/mgmt", dir);
	RUN(the_greeting_and_its_prompt_come_in_one_piece);
	RUN(each_line_has_a_result_and_a_prompt);
	RUN(data_blocks_precede_the_result);
	RUN(a_block_without_a_promise_appears_with_its_first_output);
	RUN(json_is_one_document_in_one_block);
	RUN(many_commands_fit_in_one_write);
	RUN(a_command_may_be_cut_anywhere);
	RUN(a_command_without_newline_runs_after_a_silence);
	RUN(the_silence_is_real);
	RUN(lines_have_a_longest_length);
	RUN(a_mebibyte_without_newline_is_refused_once);
	RUN(nul_bytes_are_blanks_at_the_ends_and_refused_inside);
	RUN(random_bytes_harm_nobody);
	RUN(logout_is_answered_and_closes);
	RUN(a_farewell_reaches_every_session);
	RUN(the_console_can_go_at_any_time);
	RUN(a_client_that_stops_sending_gets_its_replies);
	RUN(a_client_that_leaves_at_once_is_still_obeyed);
	RUN(who_does_not_read_waits_and_loses_nothing);
	RUN(slow_commands_have_a_turn_each_by_turns);
	RUN(who_does_not_read_costs_no_time);
	RUN(too_much_output_ends_the_connection_only);
	RUN(one_session_cannot_keep_the_loop_to_itself);
	RUN(events_come_before_the_reply_never_inside);
	RUN(events_nobody_reads_are_dropped_whole);
	RUN(each_session_has_flags_of_its_own);
	RUN(clients_connect_to_the_listener);
	RUN(too_many_sessions_are_refused_with_a_reason);
	RUN(no_descriptor_left_is_waited_out_without_spinning);
	unlink(sock_path);
	rmdir(dir);
	DONE();
}
