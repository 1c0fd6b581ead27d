/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console_fixture - a console with a few commands, and clients in one loop
 *
 * Clients are watched by the same loop as the console, so a test waits for
 * bytes and never for time; a deadline ends what will not come.
 */
#ifndef TESTS_CONSOLE_FIXTURE_H
#define TESTS_CONSOLE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"
#include "common/console.h"
#include "common/log.h"

#define DEADLINE (10 * LOOP_SEC)
#define GREETING "Test console V.1\n(C) nobody\n"
#define PROMPT "\nvde$ "
#define BLOCK "0000 DATA END WITH '.'\n"
#define OK "1000 Success\n" PROMPT

static struct loop *loop;
static struct console *console;
static int n_notes, n_gone, n_eof;
static int64_t last_note;

/* ---- the commands ---- */

static int cmd_note(struct mgmt_req *rq, void *ctx)
{
	n_notes++;
	last_note = rq->arg[0].num;
	return 0;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	struct writer *w = rq->w;

	writer_list(w, "ports");
	writer_open(w, NULL);
	writer_num(w, "port", "Port ", rq->argc ? rq->arg[0].num : 1, 4);
	writer_bool(w, "active", true, " ACTIVE", " INACTIVE");
	writer_line(w);
	return rq->argc ? -ENXIO : 0; /* the console closes what is open */
}

static int cmd_say(struct mgmt_req *rq, void *ctx)
{
	if (rq->argc)
		writer_str(rq->w, "said", "", rq->arg[0].str, 0);
	return 0;
}

/* Lines of 100 bytes: "xxx...\n". */
static int cmd_big(struct mgmt_req *rq, void *ctx)
{
	char line[100];

	memset(line, 'x', sizeof(line));
	line[99] = '\0';
	writer_list(rq->w, "lines");
	for (int64_t i = 0; i < rq->arg[0].num; i++) {
		writer_str(rq->w, NULL, "", line, 0);
		writer_line(rq->w);
	}
	writer_close(rq->w);
	return 0;
}

static int n_parts;

/* The same in parts, and a text at the end. */
static int cmd_parts(struct mgmt_req *rq, void *ctx)
{
	char line[100];

	n_parts++;
	memset(line, 'x', sizeof(line));
	line[99] = '\0';
	if (!rq->again)
		writer_list(rq->w, "lines");
	for (uint64_t i = rq->more[0]; i < (uint64_t)rq->arg[0].num; i++) {
		if (mgmt_pause(rq)) {
			rq->more[0] = i;
			return MGMT_MORE;
		}
		writer_str(rq->w, NULL, "", line, 0);
		writer_line(rq->w);
	}
	writer_close(rq->w);
	if (rq->argc < 2)
		return 0;
	writer_str(rq->w, "text", "", rq->arg[1].str, 0);
	return -ENOENT;
}

static void send_event(void *ctx, struct console_session *s)
{
	console_event(s, 021, "port/+", ctx);
}

static int cmd_event(struct mgmt_req *rq, void *ctx)
{
	char text[] = "01\n\033";

	writer_text(rq->w, "half a line, ");
	console_for_each(console, send_event, text);
	writer_text(rq->w, "and the rest\n");
	return 0;
}

static int cmd_logout(struct mgmt_req *rq, void *ctx)
{
	if (rq->session)
		console_logout(rq->session);
	return 0;
}

static void farewell(void *ctx, struct console_session *s)
{
	console_farewell(s);
}

static int cmd_shutdown(struct mgmt_req *rq, void *ctx)
{
	console_for_each(console, farewell, NULL);
	return 0;
}

static int cmd_load(struct mgmt_req *rq, void *ctx)
{
	return console_load(console, rq->arg[0].str, rq);
}

static int cmd_help(struct mgmt_req *rq, void *ctx)
{
	return mgmt_help(rq, rq->argc ? rq->arg[0].str : NULL);
}

/* clang-format off */
static const struct mgmt_cmd fixture_cmds[] = {
	{ "port", "", "PORT MENU", NULL, false },
	{ "port/note <port>", "N", "remember a port", cmd_note, false },
	{ "port/print [<port>]", "[N]", "print, or fail", cmd_print, true },
	{ "say [<text...>]", "TEXT", "repeat", cmd_say, false },
	{ "big <count>", "N", "many lines", cmd_big, true },
	{ "parts <count> [<text...>]", "N TEXT", "many lines, in parts", cmd_parts, true },
	{ "event", "", "an event for everybody", cmd_event, false },
	{ "help [<word>]", "[arg]", "Help", cmd_help, true },
	{ "logout", "", "end the session", cmd_logout, false },
	{ "shutdown", "", "end all sessions", cmd_shutdown, false },
	{ "load <path...>", "path", "run a file", cmd_load, false },
};
static const struct mgmt_table fixture_table = {
	fixture_cmds, ARRAY_SIZE(fixture_cmds)
};
static const struct mgmt_type fixture_types[] = {
	{ "port", 1, 32 }, { "count", 0, 1000000 },
};
static const struct mgmt fixture_mgmt = {
	&fixture_table, 1, fixture_types, ARRAY_SIZE(fixture_types), NULL
};
/* clang-format on */
/* What the next console has. */
static const struct mgmt *fixture_uses = &fixture_mgmt;
static const struct console_dialect *fixture_speaks; /* NULL: the switch's */

static void note_gone(void *ctx, struct console_session *s)
{
	n_gone++;
}

static void note_eof(void *ctx)
{
	n_eof++;
	loop_stop(loop);
}

static void fixture_open(void)
{
	loop = loop_new();
	console = console_new(&(struct console_config){
		.loop = loop,
		.mgmt = fixture_uses,
		.greeting = GREETING,
		.prompt = "vde$ ",
		.stdin_eof = note_eof,
		.session_gone = note_gone,
		.dialect = fixture_speaks,
	});
	n_notes = n_gone = n_eof = n_parts = 0;
	last_note = -1;
}

/* From here on time passes only by pass_time(). */
static uint64_t virtual_now;

static inline uint64_t virtual_clock(void)
{
	return virtual_now;
}

static inline void fixture_stop_time(void)
{
	virtual_now = LOOP_SEC;
	loop_set_clock(loop, virtual_clock);
}

static inline void fixture_close(void)
{
	console_free(console);
	loop_free(loop);
}

/* ---- clients ---- */

struct client {
	struct loop_fd io;
	int fd;
	bool eof;
	size_t want; /* the loop stops at so many bytes */
	size_t len, size;
	char *got;
};

static void client_readable(struct loop_fd *w, uint32_t events)
{
	struct client *cl = container_of(w, struct client, io);
	ssize_t n;

	if (cl->size - cl->len < 65536) {
		cl->size = 2 * cl->size + 65536;
		cl->got = realloc(cl->got, cl->size);
	}
	n = read(cl->fd, cl->got + cl->len, cl->size - cl->len - 1);
	if (n > 0) {
		cl->len += (size_t)n;
	} else {
		cl->eof = true;
		loop_fd_del(loop, &cl->io);
	}
	cl->got[cl->len] = '\0';
	if (cl->eof || cl->len >= cl->want)
		loop_stop(loop);
}

static inline void client_watch(struct client *cl, int fd)
{
	*cl = (struct client){ .fd = fd, .want = SIZE_MAX };
	CHECK(loop_fd_add(loop, &cl->io, fd, EPOLLIN, client_readable) == 0);
}

static void too_late(struct loop_timer *t)
{
	printf("# the deadline has passed\n");
	loop_stop(loop);
}

static inline void run_with_deadline(void)
{
	struct loop_timer t = { 0 };

	loop_clock(loop);
	loop_timer_set(loop, &t, DEADLINE, too_late);
	CHECK(loop_run(loop) == 0);
	CHECK(loop_timer_armed(&t)); /* else it was the deadline */
	loop_timer_del(loop, &t);
}

/* Runs the loop until @n bytes are there, or the end. */
static inline void client_wait(struct client *cl, size_t n)
{
	cl->want = n;
	if (!cl->eof && cl->len < n)
		run_with_deadline();
	cl->want = SIZE_MAX;
}

static void client_skip(struct client *cl, size_t n)
{
	memmove(cl->got, cl->got + n, cl->len - n + 1);
	cl->len -= n;
}

/* The next bytes that @cl reads are exactly these. */
static inline bool client_expect(struct client *cl, const char *text)
{
	size_t n = strlen(text);
	bool same;

	client_wait(cl, n);
	same = cl->got && cl->len >= n && !memcmp(cl->got, text, n);
	if (same)
		client_skip(cl, n);
	else
		printf("# got: \"%s\"\n# not: \"%s\"\n", cl->got ? cl->got : "",
		       text);
	return same;
}

/* And nothing else comes before the end. */
static inline bool client_expect_eof(struct client *cl)
{
	client_wait(cl, SIZE_MAX);
	return cl->eof && cl->len == 0;
}

static inline void client_say_n(const struct client *cl, const char *text,
				size_t n)
{
	CHECK(send(cl->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n);
}

static inline void client_say(const struct client *cl, const char *text)
{
	client_say_n(cl, text, strlen(text));
}

static inline void client_close(struct client *cl)
{
	loop_fd_del(loop, &cl->io);
	if (cl->fd >= 0)
		close(cl->fd);
	cl->fd = -1;
	free(cl->got);
	cl->got = NULL;
}

/* The same line @times over, in one write. */
static inline void client_repeat(const struct client *cl, const char *line,
				 int times)
{
	char text[16384];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	for (int i = 0; i < times; i++)
		strbuf_add(&b, line);
	CHECK(!b.cut);
	client_say_n(cl, text, b.len);
}

/* A session on a socketpair that has not been greeted yet. */
static inline void client_open_quiet(struct client *cl)
{
	int sv[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	CHECK(console_attach(console, sv[0]) == 0);
	client_watch(cl, sv[1]);
}

static inline void client_open(struct client *cl)
{
	client_open_quiet(cl);
	CHECK(client_expect(cl, GREETING PROMPT));
}

/* Lets the loop turn until nothing is left to do at once. */
static void turn_over(struct loop_timer *t)
{
	loop_stop(loop);
}

static inline void run_for(uint64_t ns)
{
	struct loop_timer t = { 0 };

	loop_clock(loop);
	loop_timer_set(loop, &t, ns, turn_over);
	CHECK(loop_run(loop) == 0);
}

/* A few turns of the loop for what is to be done at the new time. */
static inline void pass_time(uint64_t ns)
{
	virtual_now += ns;
	for (int i = 0; i < 5; i++)
		run_for(0);
}

#endif
