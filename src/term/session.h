/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session - the client's side of a management socket: bytes in, events out
 *
 * Understands what VDE 2's and our own programs send on a console (see
 * common/console.h) in pieces of any size. Whatever a server sends, a session
 * needs no more memory than this struct; lines longer than SESSION_LINE come
 * as several events.
 *
 *   outside a block   a line is a result, an event or text; the words
 *                     "NAME$ " without a newline are the prompt; "0000 DATA
 *                     END WITH '.'" begins a block
 *   in a block        every line is data until "."; blocks nest (wirefilter's
 *                     `load`), their inner marks are dropped
 *
 * The first word that looks like a prompt is the server's prompt from then
 * on. The newline that VDE 2 writes in front of it is not an event.
 */
#ifndef TERM_SESSION_H
#define TERM_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#define SESSION_LINE 4096
#define SESSION_NAME 32

enum session_kind {
	SESSION_TEXT, /* outside a block: the banner, what `load` echoes */
	SESSION_DATA, /* a line of a data block */
	SESSION_RESULT, /* @code is an errno, 0 for success; @text the reason */
	SESSION_EVENT, /* asynchronous; @text begins with the category */
	SESSION_PROMPT, /* the server waits for a command; @text is "vde" */
	SESSION_FAREWELL, /* the server is about to hang up */
	SESSION_N_KINDS
};

struct session_event {
	enum session_kind kind;
	int code;
	const char *text; /* until the callback returns; a NUL follows */
	size_t len;
	bool more; /* the same line goes on in the next event */
};

typedef void session_fn(void *ctx, const struct session_event *);

struct session {
	session_fn *fn;
	void *ctx;
	char line[SESSION_LINE + 1];
	size_t len;
	size_t depth; /* of data blocks */
	enum session_kind cut_kind; /* of the line that is being cut ... */
	bool cut; /* ... and that there is one */
	bool blank; /* an empty line that may belong to a prompt */
	char name[SESSION_NAME]; /* of the prompt, empty until it was seen */
};

void session_init(struct session *, session_fn *, void *ctx);
void session_feed(struct session *, const char *bytes, size_t n);
/* The server has hung up: what is left of a line is an event too. */
void session_eof(struct session *);

/* For logs and tests. */
const char *session_kind_name(enum session_kind);

#endif
