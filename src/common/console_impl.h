/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console_impl - what the parts of the console share, and nobody else sees
 *
 *   console.c          the listener, the list of sessions, calls by programs
 *   console_session.c  a session: lines to commands, replies, its socket
 *   console_term.c     the session on descriptors 0 and 1
 *   console_load.c     files of commands
 *
 * A session is freed in one place only: at the end of a callback of its own
 * (*_settle()). Whoever else wants it gone marks it and makes the loop call
 * it, so handlers and event sources may do anything to any session.
 */
#ifndef COMMON_CONSOLE_IMPL_H
#define COMMON_CONSOLE_IMPL_H

#include "common/acceptor.h"
#include "common/console.h"
#include "common/outbuf.h"

struct console {
	struct console_config cfg;
	struct acceptor acceptor; /* zero: no listener */
	struct loop_hook turn;
	uint64_t spent; /* by commands in this turn, ns */
	struct list sessions;
	size_t n_clients; /* sessions without the terminal */
	unsigned int load_depth; /* of rc files */
	unsigned int load_lines; /* of all nested ones */
	unsigned int load_bad; /* of these */
	char failure[MGMT_WHY]; /* the reason of the last one of all sessions */
};

/* What only the session on descriptors 0 and 1 has. */
struct console_term {
	int in_fd; /* 0, or a non-blocking second opening of its terminal */
	int out_fd; /* the same of 1 */
	bool in_tty, out_tty, out_sock;
	bool polled; /* the loop can wait for 0 */
	bool stalled; /* @again fires when nothing went for too long */
	struct loop_fd out; /* in the loop while output waits */
	struct loop_timer again;
};

/* A command on its way, of which there may be parts still to come. */
struct command {
	struct console_session *session;
	bool open; /* its data block has begun */
	bool midline;
	bool data; /* it has one in any case */
	struct writer w;
	struct mgmt_req req;
};

struct console_session {
	struct list node;
	struct console *console;
	bool terminal;
	bool eof; /* no more input will come */
	bool deaf; /* nothing written will arrive */
	bool broken; /* to be closed without further words */
	bool running; /* inside a command */
	bool busy; /* @cmd has more to say in later turns; nothing is read */
	bool logout; /* to end after this reply */
	bool silent; /* without a farewell */
	bool had_turn; /* the last session_run() ran something */
	bool ended; /* farewell is said: closed once it has gone out */
	size_t reply_at; /* where this reply starts in @out, if @running */
	struct writer *json; /* of the "-j" command that runs, or NULL */
	uint64_t flags;
	struct loop_fd io; /* the socket, or descriptor 0 */
	struct loop_timer idle; /* input without a newline waits */
	struct outbuf out;
	struct outbuf late; /* events for after the reply of @cmd */
	struct load *load; /* the innermost of @cmd, or NULL */
	unsigned int n_loads, load_lines; /* of all of them */
	struct console_term term;
	char failure[MGMT_WHY]; /* the reason of the last one */
	struct command cmd;
	struct linebuf in;
};

/* NULL without memory. Not in the loop yet. */
struct console_session *session_new(struct console *, bool terminal);
/* Closes and frees; the socket belongs to the session. */
void session_free(struct console_session *);

/* Appends to what the session will read. */
void session_put(struct console_session *, const char *text, size_t n);
void session_puts(struct console_session *, const char *text);
void session_sink(void *ctx, const char *text, size_t n);
void session_result(struct console_session *, int rc);
void session_prompt(struct console_session *);
/* Writes what can be written now; true if anything went. */
bool session_flush(struct console_session *);

/* Runs complete lines until the budget is spent or output waits; with @all
 * also what has no newline. */
void session_run(struct console_session *, bool all);
/* Cuts blanks, and the NUL that some clients send along, off both ends of a
 * line. NULL if there is a NUL inside: no command has one. */
char *session_strip(char *s, size_t len);
/* Steps over a leading "-j", true if there is one. */
bool session_wants_json(char **line);
/* Ends the line where a comment begins, if they may. */
void session_cut_comment(const struct console *, char *line);
/* Ends the command that has more to say; what it said so far is completed
 * as far as the syntax goes. */
void session_cancel(struct console_session *, int rc);
/* Whether session_run() has something to do. */
bool session_ready(const struct console_session *);
/* Runs the first part of @line (which is modified), a further part, and
 * completes the reply, but does not prompt. The first two return MGMT_MORE, or
 * what the last one needs to know. */
int session_begin(struct command *, struct console_session *, char *line);
int session_more(struct command *);
void session_end(struct command *, int rc);
/* Its data block begins, also with nothing in it. */
void session_open_block(struct command *);
/* What a command that has ended leaves to say about its failure: the reason
 * into JSON's object that is open, and into the session. */
void session_failed(struct console_session *, struct writer *json, int rc,
		    const char *why);
/* A logout that did not end anything is over; true if there was one. */
bool session_spare(struct console_session *);
/* The last words. */
void session_farewell(struct console_session *);
/* Ends what still runs of files, the innermost first. */
void session_end_loads(struct console_session *);
/* Does any of them run a command of that table? */
bool session_loads_use(const struct console_session *,
		       const struct mgmt_table *);
/* Keeps or drops the timer of the 100 ms rule, which is not for people who
 * type; @fresh: bytes have come. */
void session_idle(struct console_session *, bool fresh);

/* Last act of each callback of a session: what to wait for, or the end. */
void session_settle(struct console_session *);
void session_readable(struct loop_fd *, uint32_t events);
/* Makes the loop call the session soon. */
void session_kick(struct console_session *);

ssize_t term_write(struct console_session *, const char *p, size_t n);
void term_prompt(struct console_session *);
void term_settle(struct console_session *, bool progress);
void term_kick(struct console_session *);
void term_fini(struct console_session *);

#endif
