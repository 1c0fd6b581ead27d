/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console - management sessions: lines in, replies out
 *
 * Serves any number of clients of a unix stream socket, and the terminal or
 * pipe the program was started on, in VDE 2's text protocol:
 *
 *   greeting, then for each line: [data block] result, prompt
 *   data block   "0000 DATA END WITH '.'\n" lines ".\n"
 *   result       "1NNN TEXT\n", NNN an errno, 1000 for success
 *   event        "3TTT CATEGORY TEXT\n", TTT octal, at any time between lines
 *   farewell     "9999 END OF SESSION", then the connection is closed
 *
 * A line that begins with "-j " answers with its data block as one JSON
 * document. Input is buffered by line; a command without a newline that is
 * followed by CONSOLE_IDLE of silence runs too, for old clients (but not on a
 * terminal). A line above CONSOLE_LINE_MAX is refused whole (E2BIG), one with
 * a NUL inside too (EINVAL). After some commands of one session all others
 * have their turn; so they have between the parts of a long reply (MGMT_MORE),
 * and it goes on when the client has read what it got. Events of that time
 * come after it. If the session is to end, or the command is taken out of its
 * table, the reply is cut short: its block, and its JSON document, end
 * properly, the result is ECANCELED. Files of commands (`load`) take turns in
 * the same way.
 *
 * Output is buffered per session and never blocks. A session that does not
 * read is not read from either (its commands wait), loses events above
 * CONSOLE_EVENT_ROOM of waiting output and, above CONSOLE_OUT_MAX, its
 * connection. Nobody else notices.
 */
#ifndef COMMON_CONSOLE_H
#define COMMON_CONSOLE_H

#include "common/linebuf.h"
#include "common/loop.h"
#include "common/mgmt.h"

#define CONSOLE_LINE_MAX LINEBUF_MAX
#define CONSOLE_IDLE (100 * LOOP_MS)
#define CONSOLE_EVENT_ROOM (256 * 1024)
#define CONSOLE_OUT_MAX (16 * 1024 * 1024)

struct console;
struct console_session;

/* Where the text of a program is not that of the switch; zeros: it is. */
struct console_dialect {
	/* What logout answers; NULL: "9999 END OF SESSION". */
	const char *farewell;
	/* In front of and behind the name of a loaded file, which is in front
	 * of each of its lines; NULL: "vde[" and "]: ". With them the replies
	 * of the lines are in the data block of `load`, an empty line has no
	 * result, and a logout in the file is answered and left at that. */
	const char *load_before, *load_behind;
	/* The terminal may log out, which is its end of input, and its prompt
	 * goes to descriptor 1, whatever that is, after each reply. */
	bool terminal_talks;
	/* A # behind a blank begins a comment in any line, not just at its
	 * start. */
	bool comments;
	/* Reasons (mgmt_refuse()) are shown: in JSON, as "reason", and in a
	 * data block if this says so of the command. NULL: only what commands
	 * say themselves. */
	bool (*explains)(const struct mgmt_cmd *);
	/* Logs the line of an rc file that failed; @why may be empty. NULL:
	 * "PATH:NUMBER: LINE: REASON". */
	void (*rc_failed)(const char *path, unsigned int number,
			  const char *line, int rc, const char *why);
};

struct console_config {
	struct loop *loop;
	const struct mgmt *mgmt;
	const char *greeting; /* banner lines, without the prompt */
	const char *prompt; /* "vde$ "; shown after a newline */
	/* The terminal's end of input: the program ends. */
	void (*stdin_eof)(void *ctx);
	/* A session has gone: forget what points at it. May be NULL. */
	void (*session_gone)(void *ctx, struct console_session *);
	void *ctx;
	const struct console_dialect *dialect; /* NULL: the switch's */
};

/* The config is copied, what it points at must outlive the console. NULL
 * without memory. */
struct console *console_new(const struct console_config *);
/* Closes every session (session_gone() is called for each); removes nothing
 * from the file system. Not from inside a handler. */
void console_free(struct console *);

/* The rows of @table are about to go: what still runs of them ends, with
 * ECANCELED for a result. Not for a handler of @table's own. */
void console_forget(struct console *, const struct mgmt_table *);

/* Starts to accept on @fd (unixsock_listen()), which stays the caller's. */
int console_listen(struct console *, int fd);
/* Serves @fd, a connected stream socket that becomes the console's. On
 * -errno it stays the caller's. */
int console_attach(struct console *, int fd);
/* Serves descriptors 0 and 1: no greeting, and the prompt only on a tty.
 * Output that nobody takes for a second is dropped, unless it is a stopped
 * terminal. Makes the process ignore SIGPIPE. 0 or -errno. */
int console_stdin(struct console *);

/* Runs the commands of a regular file of at most 1 MiB (or /dev/null). @rq is
 * that of the handler that calls, which returns what this returns: MGMT_MORE
 * too, and then calls it again with the same arguments. Lines and replies go to
 * its session, as VDE 2's `load` shows them, or, inside a "-j" command, as
 * list "commands" of its document. Without a session or @rq (an rc file) all
 * runs at once, output is dropped and each bad line is logged with file and
 * line number. -errno if @path cannot be read; bad lines do not stop it. Loads
 * nest to a depth of 8 (-ELOOP) and run 65536 lines together (-E2BIG). */
int console_load(struct console *, const char *path, struct mgmt_req *rq);

/* For handlers: this session ends, with a farewell in place of the result
 * ("logout"). The terminal cannot log out, its command just says nothing. */
void console_logout(struct console_session *);
bool console_is_terminal(const struct console_session *);

/* The same for any session at any time, as VDE 2 does at a shutdown. */
void console_farewell(struct console_session *);
/* The same without a word. */
void console_hang_up(struct console_session *);

/* An event line for one session. */
void console_event(struct console_session *, unsigned int tag,
		   const char *category, const char *text);
/* The same with a line of another form, without its newline. */
void console_event_line(struct console_session *, const char *line);

/* Why the last command that failed did so: what it or the console said, or
 * the errno's text. If none of the session has, the last one of any session:
 * scripts have one for each command. Empty if there is none. */
const char *console_last_failure(const struct console_session *);

/* Room for 64 flags that belong to the program, e.g. subscribed events. */
uint64_t *console_flags(struct console_session *);
/* Calls @fn for every session. */
void console_for_each(struct console *,
		      void (*fn)(void *ctx, struct console_session *),
		      void *ctx);

#endif
