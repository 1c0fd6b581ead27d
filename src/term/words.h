/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words - the commands of a console, read from its `help`, for completion
 *
 * After the line that begins with twelve dashes the first word of each line,
 * up to a full stop, is a command. A word that the next line continues with
 * "/" is a heading and no command. At most WORDS_MAX are kept.
 */
#ifndef TERM_WORDS_H
#define TERM_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 512
#define WORDS_LEN 48 /* of one word, with its NUL */

struct words {
	size_t n;
	bool begun; /* the line of dashes was seen */
	char word[WORDS_MAX][WORDS_LEN];
};

void words_clear(struct words *);
/* One line of help's data block. */
void words_line(struct words *, const char *line, size_t len);

/* Index of the first word at or after @from that begins with @prefix, or
 * -1. */
int words_match(const struct words *, const char *prefix, size_t from);

/* What stands before the word that is to be completed decides what it may
 * be. @before is the line up to that word. */
enum words_want {
	WORDS_WANT_NOTHING,
	WORDS_WANT_COMMAND,
	WORDS_WANT_FILE,
	WORDS_N_WANTS
};
enum words_want words_wanted(const char *before, size_t len);

#endif
