// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of commands, run from a session and as an rc file.
 */
#include <sys/stat.h>

#include "../unit/console_fixture.h"

static char dir[] = "/tmp/vde-test-load.XXXXXX";
static char path[64];

static void write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
}

static void write_text(const char *text)
{
	write_file(text, strlen(text));
}

/* "X" in @text stands for the file's path. */
static const char *with_path(const char *text)
{
	static char out[8192];
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

/* Runs the file as an rc file; @log gets what was logged. */
static int load_rc(char *log, size_t size)
{
	int saved = dup(2), fds[2], rc;
	size_t len = 0;
	ssize_t n;

	CHECK(!pipe(fds));
	dup2(fds[1], 2);
	close(fds[1]);
	rc = console_load(console, path, NULL);
	dup2(saved, 2);
	close(saved);
	while ((n = read(fds[0], log + len, size - 1 - len)) > 0)
		len += (size_t)n;
	log[len] = '\0';
	close(fds[0]);
	return rc;
}

static void a_session_sees_the_transcript_of_vde2(void)
{
	struct client cl;

	write_text("# c\nport/print\n\nport/note 12\nfoo\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl,
			    with_path("vde[X]: # c\n"
				      "vde[X]: port/print\n" BLOCK
				      "Port 0001 ACTIVE\n.\n"
				      "1000 Success\n"
				      "vde[X]: \n"
				      "\n"
				      "1038 Function not implemented\n"
				      "vde[X]: port/note 12\n"
				      "1000 Success\n"
				      "vde[X]: foo\n"
				      "1038 Function not implemented\n" OK)));
	CHECK(last_note == 12);
	client_close(&cl);
	fixture_close();
}

static void odd_lines_are_echoed_without_harm(void)
{
	static const char odd[] = "  \n\tport/note 1 \r\nsay \033[2J\n"
				  "port/note 2\0 3\nport/note 4";
	char text[CONSOLE_LINE_MAX + 200];
	struct client cl;
	size_t n;

	write_file(odd, sizeof(odd) - 1);
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl,
			    with_path("vde[X]:   \n"
				      "vde[X]: \tport/note 1 \n"
				      "1000 Success\n"
				      "vde[X]: say ?[2J\n" BLOCK "?[2J\n.\n"
				      "1000 Success\n"
				      "vde[X]: port/note 2? 3\n"
				      "1022 Invalid argument\n"
				      "vde[X]: port/note 4\n"
				      "1000 Success\n" OK)));
	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	write_file(text, sizeof(text));
	client_say(&cl, with_path("load X\n"));
	n = strlen(path) + strlen("vde[]: \n") + CONSOLE_LINE_MAX;
	client_wait(&cl, n);
	client_skip(&cl, n);
	CHECK(client_expect(&cl, "1007 Argument list too long\n" OK));
	client_close(&cl);
	fixture_close();
}

static void json_collects_the_answers_in_one_document(void)
{
	struct client cl;

	write_text("# c\nport/print 3\n\n-j say hi\nfoo\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("-j load X\n"));
	CHECK(client_expect(
		&cl, BLOCK
		"{\"commands\":["
		"{\"line\":2,\"command\":\"port/print 3\",\"data\":{\"ports\":"
		"[{\"port\":3,\"active\":true}]},\"errno\":6,\"result\":"
		"\"No such device or address\"},"
		"{\"line\":4,\"command\":\"-j say hi\",\"data\":"
		"{\"said\":\"hi\"},\"errno\":0,\"result\":\"Success\"},"
		"{\"line\":5,\"command\":\"foo\",\"data\":{},\"errno\":38,"
		"\"result\":\"Function not implemented\"}]}\n.\n" OK));
	client_close(&cl);
	fixture_close();
}

static void loads_nest_but_not_without_end(void)
{
	struct client cl;
	const char *p;
	int depth = 0;

	write_text(with_path("port/note 5\nload X\n"));
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	client_wait(&cl, 8 * (2 * strlen(path) + 70));
	CHECK(n_notes == 8);
	CHECK(strstr(cl.got, "1040 Too many levels of symbolic links\n"));
	cl.len = 0;
	client_say(&cl, with_path("-j load X\n"));
	client_wait(&cl, 16 * 60);
	CHECK(n_notes == 16);
	for (p = cl.got; (p = strstr(p, "\"commands\":[")); p++)
		depth++;
	CHECK(depth == 8);
	client_close(&cl);
	fixture_close();
}

static void doubling_loads_end_too(void)
{
	char text[4096], log[65536];
	const char *p;
	struct strbuf b;
	int lines = 0;

	strbuf_init(&b, text, sizeof(text));
	for (int i = 0; i < 40; i++)
		strbuf_add(&b, with_path("load X\n"));
	write_text(text);
	fixture_open();
	CHECK(load_rc(log, sizeof(log)) == -E2BIG);
	for (p = log; (p = strchr(p, '\n')); p++)
		lines++;
	CHECK(lines == 101);
	CHECK(strstr(log, "more lines that failed"));
	write_text("port/note 3\n"); /* the next one starts afresh */
	CHECK(load_rc(log, sizeof(log)) == 0 && last_note == 3);
	CHECK(log[0] == '\0');
	fixture_close();
}

static void logout_ends_the_load_and_the_session(void)
{
	struct client cl;

	write_text("port/note 1\nlogout\nport/note 2\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl, with_path("vde[X]: port/note 1\n"
					   "1000 Success\n"
					   "vde[X]: logout\n"
					   "9999 END OF SESSION")));
	CHECK(client_expect_eof(&cl));
	CHECK(n_notes == 1);
	client_close(&cl);
	fixture_close();
}

static void bad_lines_of_an_rc_file_are_logged_and_the_rest_runs(void)
{
	char log[4096];

	write_text("# rc\n\nport/note 1\nport/note x \r\n-j port/note 2\n"
		   "foo bar\nlogout\nport/print 3\nport/note 4");
	fixture_open();
	CHECK(load_rc(log, sizeof(log)) == 0);
	CHECK(n_notes == 3 && last_note == 4);
	CHECK(!strcmp(log,
		      with_path("test: warning: X:4: port/note x: Invalid "
				"argument\n"
				"test: warning: X:6: foo bar: Function not "
				"implemented\n"
				"test: warning: X:8: port/print 3: No such "
				"device or address\n")));
	fixture_close();
}

static void an_rc_file_cannot_write_to_the_log_at_will(void)
{
	char log[4096], line[3000];

	memset(line, 'z', sizeof(line));
	memcpy(line, "a\033[2J\rb", 7);
	line[sizeof(line) - 1] = '\n';
	write_file(line, sizeof(line));
	fixture_open();
	CHECK(load_rc(log, sizeof(log)) == 0);
	CHECK(strlen(log) < 400 && !strpbrk(log, "\033\r"));
	CHECK(strchr(log, '\n') == log + strlen(log) - 1);
	CHECK(strstr(log, "Argument list too long"));
	fixture_close();
}

static void only_files_of_commands_are_read(void)
{
	static char big[1024 * 1024 + 1];
	struct client cl;

	fixture_open();
	unlink(path);
	CHECK(console_load(console, path, NULL) == -ENOENT);
	CHECK(console_load(console, dir, NULL) == -EISDIR);
	CHECK(console_load(console, "/dev/zero", NULL) == -EINVAL);
	CHECK(console_load(console, "/dev/null", NULL) == 0);
	CHECK(!mkfifo(path, 0600));
	CHECK(console_load(console, path, NULL) == -EINVAL);
	unlink(path);
	memset(big, '\n', sizeof(big));
	write_file(big, sizeof(big));
	CHECK(console_load(console, path, NULL) == -EFBIG);
	write_file("", 0);
	CHECK(console_load(console, path, NULL) == 0);
	unlink(path);
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl, "1002 No such file or directory\n" PROMPT));
	client_close(&cl);
	fixture_close();
}

/* ---- parts ---- */

/* A file of @n times @line, and then @last. */
static void write_many(const char *line, size_t n, const char *last)
{
	size_t len = strlen(line);
	char *text = malloc(n * len + strlen(last) + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, line, len);
	memcpy(text + n * len, last, strlen(last) + 1);
	write_text(text);
	free(text);
}

static void others_have_their_turn_between_the_lines(void)
{
	struct client cl, other;
	size_t line;

	write_many("port/note 1\n", 30000, "port/note 9\n");
	line = strlen("vde[]: port/note 1\n1000 Success\n") + strlen(path);
	fixture_open();
	client_open(&cl);
	client_open(&other);
	client_say(&cl, with_path("load X\nport/note 5\n"));
	client_say(&other, "port/note 7\n");
	CHECK(client_expect(&other, OK) && n_notes < 10000);
	client_wait(&cl, 30000 * line);
	CHECK(n_notes > 29000);
	client_skip(&cl, 30000 * line);
	CHECK(client_expect(&cl, with_path("vde[X]: port/note 9\n"
					   "1000 Success\n" OK OK)));
	CHECK(n_notes == 30003 && last_note == 5);
	client_close(&cl);
	client_close(&other);
	fixture_close();
}

static void who_leaves_has_all_lines_run(void)
{
	struct client cl;

	write_many("port/note 1\n", 30000, "parts 1000\nport/note 9");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	client_close(&cl);
	while (!n_gone)
		run_for(LOOP_MS);
	CHECK(n_notes == 30001 && last_note == 9);
	fixture_close();
}

static void a_listing_in_a_file_has_parts_too(void)
{
	const size_t lines = 5000 * 100;
	struct client cl;

	write_text("port/note 1\nparts 5000 end\n-j parts 5000\nport/note 2");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("load X\n"));
	CHECK(client_expect(&cl, with_path("vde[X]: port/note 1\n"
					   "1000 Success\n"
					   "vde[X]: parts 5000 end\n" BLOCK)));
	client_wait(&cl, lines);
	CHECK(strspn(cl.got, "x\n") >= lines);
	client_skip(&cl, lines);
	CHECK(client_expect(&cl, with_path("end\n.\n"
					   "1002 No such file or directory\n"
					   "vde[X]: -j parts 5000\n" BLOCK
					   "{\"lines\":[")));
	client_wait(&cl, 5000 * 102 - 1);
	client_skip(&cl, 5000 * 102 - 1);
	CHECK(client_expect(&cl, with_path("]}\n.\n1000 Success\n"
					   "vde[X]: port/note 2\n"
					   "1000 Success\n" OK)));
	CHECK(n_parts > 2 * 50 && n_notes == 2);
	client_close(&cl);
	fixture_close();
}

static void a_document_of_a_file_has_parts_too(void)
{
	struct client cl;

	write_text("parts 5000 end\nport/note 2\n");
	fixture_open();
	client_open(&cl);
	client_say(&cl, with_path("-j load X\n"));
	CHECK(client_expect(&cl,
			    BLOCK "{\"commands\":[{\"line\":1,\"command\":"
				  "\"parts 5000 end\",\"data\":{\"lines\":["));
	client_wait(&cl, 5000 * 102 - 1);
	client_skip(&cl, 5000 * 102 - 1);
	CHECK(client_expect(
		&cl, "],\"text\":\"end\"},\"errno\":2,\"result\":"
		     "\"No such file or directory\"},"
		     "{\"line\":2,\"command\":\"port/note 2\",\"data\":{},"
		     "\"errno\":0,\"result\":\"Success\"}]}\n.\n" OK));
	client_close(&cl);
	fixture_close();
}

/* Loads in loads, and a listing in the innermost. */
static void start_deep(struct client *cl, const char *command)
{
	write_text(with_path("load X\nparts 1000000\n"));
	client_open(cl);
	client_say(cl, with_path(command));
	client_wait(cl, 100000);
	CHECK(cl->len >= 100000 && n_parts < 1000);
}

static void a_farewell_ends_loads_in_loads(void)
{
	struct client text, json, other;

	fixture_open();
	start_deep(&text, "load X\n");
	start_deep(&json, "-j load X\n");
	client_open(&other);
	client_say(&other, "shutdown\n");
	client_wait(&text, SIZE_MAX);
	client_wait(&json, SIZE_MAX);
	CHECK(text.eof &&
	      !strcmp(text.got + text.len - 23, "x\n.\n9999 END OF SESSION"));
	CHECK(json.eof && strstr(json.got, "x\"]},\"errno\":125,"));
	CHECK(!strcmp(json.got + json.len - 24, "]}\n.\n9999 END OF SESSION"));
	client_close(&text);
	client_close(&json);
	client_close(&other);
	fixture_close();
}

/* Sooner or later. */
static bool comes(struct client *cl, const char *text)
{
	size_t before = SIZE_MAX;

	while (!strstr(cl->got, text) && cl->len != before) {
		before = cl->len;
		client_wait(cl, before + 1);
	}
	return strstr(cl->got, text);
}

static void who_leaves_in_the_middle_leaves_nothing_behind(void)
{
	struct client cl;

	fixture_open();
	start_deep(&cl, "load X\n");
	console_free(console); /* a leak, or a use of what is gone, if wrong */
	console = NULL;
	CHECK(n_gone == 1);
	client_close(&cl);
	fixture_close();
	fixture_open();
	start_deep(&cl, "-j load X\n");
	console_forget(console, &fixture_table);
	CHECK(comes(&cl, "\"errno\":125,"));
	client_close(&cl);
	fixture_close();
}

int main(void)
{
	log_open("test", LOG_NOTICE);
	CHECK(mkdtemp(dir));
	str_fmt(path, sizeof(path), "%s/rc", dir);
	RUN(a_session_sees_the_transcript_of_vde2);
	RUN(odd_lines_are_echoed_without_harm);
	RUN(json_collects_the_answers_in_one_document);
	RUN(loads_nest_but_not_without_end);
	RUN(doubling_loads_end_too);
	RUN(logout_ends_the_load_and_the_session);
	RUN(bad_lines_of_an_rc_file_are_logged_and_the_rest_runs);
	RUN(an_rc_file_cannot_write_to_the_log_at_will);
	RUN(only_files_of_commands_are_read);
	RUN(others_have_their_turn_between_the_lines);
	RUN(who_leaves_has_all_lines_run);
	RUN(a_listing_in_a_file_has_parts_too);
	RUN(a_document_of_a_file_has_parts_too);
	RUN(a_farewell_ends_loads_in_loads);
	RUN(who_leaves_in_the_middle_leaves_nothing_behind);
	unlink(path);
	rmdir(dir);
	DONE();
}
