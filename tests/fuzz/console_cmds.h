/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console_cmds - a console to feed garbage to, and what its output must obey
 *
 * One command of each shape: none, optional, typed and word arguments, the
 * rest of the line, output with and without a promise, events, the end of
 * the session. Time is virtual: 30 ms pass in each turn of the loop.
 */
#ifndef TESTS_CONSOLE_CMDS_H
#define TESTS_CONSOLE_CMDS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/console.h"

#define GREETING "Fuzzed console\n"
#define PROMPT "\nvde$ "
#define FAREWELL "9999 END OF SESSION"

static struct loop *loop;
static struct console *console;

static uint64_t clock_30ms(void)
{
	static uint64_t now;

	return now += 30 * LOOP_MS;
}

static int cmd_note(struct mgmt_req *rq, void *ctx)
{
	return rq->arg[0].num % 2 ? 0 : -ENXIO;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	writer_list(rq->w, "ports");
	writer_open(rq->w, NULL);
	writer_num(rq->w, "port", "Port ", rq->argc ? rq->arg[0].num : 0, 4);
	writer_line(rq->w);
	return rq->argc ? -ENXIO : 0;
}

static int cmd_say(struct mgmt_req *rq, void *ctx)
{
	if (rq->argc)
		writer_str(rq->w, "said", "said: ", rq->arg[0].str, 0);
	return 0;
}

/* In up to eight parts, some of them silent. */
static int cmd_parts(struct mgmt_req *rq, void *ctx)
{
	uint64_t parts = (uint64_t)rq->arg[0].num % 8;

	if (rq->again != (rq->more[0] > 0))
		abort();
	if (!rq->again)
		writer_list(rq->w, "said");
	if (rq->argc > 1 && rq->more[0] % 2)
		writer_str(rq->w, NULL, "said: ", rq->arg[1].str, 0);
	if (rq->more[0]++ < parts)
		return MGMT_MORE;
	writer_close(rq->w);
	return parts == 7 ? -ENXIO : 0;
}

static int cmd_event(struct mgmt_req *rq, void *ctx)
{
	if (rq->session)
		console_event(rq->session, (unsigned int)rq->arg[0].num,
			      "fuzz/+", rq->arg[1].str);
	return 0;
}

static int cmd_help(struct mgmt_req *rq, void *ctx)
{
	return mgmt_help(rq, rq->argc ? rq->arg[0].str : NULL);
}

static int cmd_logout(struct mgmt_req *rq, void *ctx)
{
	if (rq->session)
		console_logout(rq->session);
	return 0;
}

/* ctx is the one file that can be loaded, or NULL. A few loads show all that
 * many would, and keep the output below what ends a connection. */
static int loads_left;

static int cmd_load(struct mgmt_req *rq, void *ctx)
{
	if (!ctx || (!rq->again && !loads_left))
		return -ENOENT;
	if (!rq->again)
		loads_left--;
	return console_load(console, ctx, rq);
}

/* clang-format off */
static const struct mgmt_cmd fuzz_cmds[] = {
	{ "p", "", "MENU", NULL, false },
	{ "p/note <port>", "N", "a number", cmd_note, false },
	{ "p/print [<port>]", "[N]", "print, or fail", cmd_print, true },
	{ "say [<text...>]", "TEXT", "repeat", cmd_say, false },
	{ "parts <port> [<text...>]", "N TEXT", "repeat in parts", cmd_parts, true },
	{ "event <port> <word>", "N", "an event", cmd_event, true },
	{ "help [<word>]", "[arg]", "Help", cmd_help, true },
	{ "logout", "", "end", cmd_logout, false },
	{ "load [<path>]", "path", "the file again", cmd_load, false },
};
static const struct mgmt_table fuzz_table = { fuzz_cmds, ARRAY_SIZE(fuzz_cmds) };
static const struct mgmt_type fuzz_types[] = { { "port", 0, 0777 } };
/* clang-format on */

static struct mgmt fuzz_mgmt = { &fuzz_table, 1, fuzz_types,
				 ARRAY_SIZE(fuzz_types), NULL };

static int n_gone;

static void note_gone(void *ctx, struct console_session *s)
{
	n_gone++;
}

static void fuzz_open(void)
{
	n_gone = 0;
	loads_left = 12;
	loop = loop_new();
	loop_set_clock(loop, clock_30ms);
	console = console_new(&(struct console_config){
		.loop = loop,
		.mgmt = &fuzz_mgmt,
		.greeting = GREETING,
		.prompt = "vde$ ",
		.session_gone = note_gone,
	});
	if (!loop || !console)
		abort();
}

static void fuzz_close(void)
{
	console_free(console);
	loop_free(loop);
}

/* One line of a text that is being checked. */
struct checked {
	bool block; /* inside a data block */
	bool ended; /* the farewell has been said */
};

static bool is(const char *line, size_t n, const char *text)
{
	return n == strlen(text) && !memcmp(line, text, n);
}

/* A result, an event, or an echo of `load`. */
static bool is_reply(const char *line, size_t n)
{
	if (!n || (n > 4 && !memcmp(line, "vde[", 4)))
		return true;
	return n > 5 && (line[0] == '1' || line[0] == '3') &&
	       strspn(line, "0123456789") == 4 && line[4] == ' ';
}

static bool check_line(struct checked *c, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') ||
		    line[i] == 0x7f)
			return false;
	if (c->block) {
		c->block = !is(line, n, ".");
		return true;
	}
	while (n >= 5 && !memcmp(line, "vde$ ", 5)) {
		line += 5;
		n -= 5;
	}
	if (c->ended)
		return false;
	c->block = is(line, n, "0000 DATA END WITH '.'");
	c->ended = is(line, n, FAREWELL);
	return c->block || c->ended || is_reply(line, n);
}

/* What every client relies on: text without control characters, blocks that
 * end, codes at the start of the lines between them, nothing after the end.
 * @out is terminated. */
static void check_output(const char *out)
{
	struct checked c = { 0 };

	for (;;) {
		size_t n = strcspn(out, "\n");

		if (!check_line(&c, out, n))
			abort();
		if (!out[n])
			break;
		out += n + 1;
	}
	if (c.block)
		abort();
}

/* ---- a client ---- */

#define OUT_ROOM (4 * 1024 * 1024)

static struct {
	struct loop_fd io;
	size_t len;
	char *got;
} client;

static void client_readable(struct loop_fd *w, uint32_t events)
{
	ssize_t n = read(w->fd, client.got + client.len,
			 OUT_ROOM - 1 - client.len);

	if (n > 0) {
		client.len += (size_t)n;
		return;
	}
	loop_fd_del(loop, w);
	loop_stop(loop);
}

static void turn_over(struct loop_timer *t)
{
	loop_stop(loop);
}

static void run_a_turn(void)
{
	struct loop_timer t = { 0 };

	loop_timer_set(loop, &t, 0, turn_over);
	loop_run(loop);
	loop_timer_del(loop, &t);
}

/* Sends @data in pieces to a session, with a turn of the loop for each, and
 * an end; waits for the session's end and checks what it said. */
static void fuzz_session(const char *data, size_t size, size_t piece)
{
	int sv[2];

	client.len = 0;
	if (!client.got)
		client.got = malloc(OUT_ROOM);
	if (!client.got ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       sv) ||
	    console_attach(console, sv[0]) ||
	    loop_fd_add(loop, &client.io, sv[1], EPOLLIN, client_readable))
		abort();
	while (size && !n_gone) {
		ssize_t n = send(sv[1], data, size_min(piece, size),
				 MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
		run_a_turn();
	}
	shutdown(sv[1], SHUT_WR);
	if (client.io.on)
		loop_run(loop);
	close(sv[1]);
	client.got[client.len] = '\0';
	if (n_gone != 1 || strlen(client.got) != client.len ||
	    strncmp(client.got, GREETING PROMPT, strlen(GREETING PROMPT)))
		abort();
	check_output(client.got + strlen(GREETING));
}

#endif
