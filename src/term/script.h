/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script - VDE 2's little language for talking to a server (unixcmd -f)
 *
 * A script is a list of numbered instructions, run in the order of their
 * numbers. It has a buffer of bytes the server sent, a place in it (where
 * IF, COPY, RVATOI look; moved by SKIP, set back by THROW), the words of the
 * command, an output and a return value.
 *
 *   TIMEOUT ms              of each IN; stands without a number
 *   NUM IN 'text' LABEL     read until the buffer ends with text; at least
 *                           one byte. On timeout or hang-up go to LABEL
 *   NUM SEND 'text'         $* and $0 stand for all words, $N for the word
 *                           N, counted from 0
 *   NUM THROW               empty the buffer
 *   NUM IF 'text' LABEL     go to LABEL if the buffer goes on with text
 *   NUM GOTO LABEL
 *   NUM IFARG LABEL         go to LABEL if words are left
 *   NUM SHIFT               drop the first word
 *   NUM COPY                append what the buffer holds to the output
 *   NUM SKIP n | 'text'     n bytes on, or behind the next text if there is
 *                           one
 *   NUM RVATOI [base]       return value: the number that stands there
 *   NUM EXIT n | EXITRV | EXITATOI    the last is RVATOI and EXITRV
 *   NUM OUTTAG n            what sort of output: 1 data, 3 asynchronous
 *   NUM OUTSHIFT            begin a new piece of output
 *
 * In a text \n \t \f stand for themselves and \ before any other character
 * for that character. An instruction with an unknown name is left out, as
 * VDE 2 does, with a warning; everything else that is wrong is an error.
 *
 * The engine has no descriptor and no clock: its user brings bytes and says
 * when the time is over.
 */
#ifndef TERM_SCRIPT_H
#define TERM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_TEXT_MAX 1024 /* of one string, and of a line */
#define SCRIPT_INSTR_MAX 4096
#define SCRIPT_BUF_MAX (16 * 1024 * 1024) /* of the buffer and the output */
#define SCRIPT_STEPS_MAX 100000 /* without a byte from the server */
#define SCRIPT_TIMEOUT_MS 10000

struct script;
struct script_run;

/* A remark on a line of a script. */
typedef void script_note_fn(void *ctx, unsigned int line, const char *what);

/* NULL: an error, which @note was told, or no memory. @warn hears of what
 * was left out. */
struct script *script_parse(const char *text, size_t len, script_note_fn *note,
			    script_note_fn *warn, void *ctx);
void script_free(struct script *);

/* The script's own TIMEOUT in ms, or 0 if it has none. */
unsigned int script_timeout(const struct script *);

struct script_io {
	void (*send)(void *ctx, const char *bytes, size_t n);
	/* One whole piece of output. */
	void (*out)(void *ctx, int tag, const char *bytes, size_t n);
	/* An instruction is about to run; may be NULL. */
	void (*step)(void *ctx, unsigned int num, const char *name);
	void *ctx;
};

/* @words and what @io points at stay the caller's and must live on. NULL
 * without memory. */
struct script_run *script_start(const struct script *, const char *const *words,
				size_t n_words, const struct script_io *io);
void script_stop(struct script_run *);

enum script_state {
	SCRIPT_READING, /* an IN wants more bytes */
	SCRIPT_ENDED, /* script_status() */
	SCRIPT_FAILED, /* script_reason() */
	SCRIPT_N_STATES
};

/* Each runs the script as far as it goes. script_feed() stops taking bytes
 * at the end of the script and leaves those that no IN has asked for in
 * memory. script_over(): the IN's time is over, or the server has hung up. */
enum script_state script_go(struct script_run *);
enum script_state script_feed(struct script_run *, const char *, size_t);
enum script_state script_over(struct script_run *);

/* Grows with each IN that begins: a new one has its time before it. */
unsigned long script_reads(const struct script_run *);
int script_status(const struct script_run *);
const char *script_reason(const struct script_run *);

#endif
