/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer - what a command has to say, as VDE 2's text or as JSON
 *
 * A handler names each fact once: its JSON key, its value, and the piece of
 * text in front of it. Text output ignores the keys, JSON the pieces. Text
 * lines end at writer_line(); JSON nests by writer_open() and writer_list().
 *
 *     writer_list(w, "ports");
 *     writer_open(w, NULL);
 *     writer_num(w, "port", "Port ", 1, 4);            Port 0001
 *     writer_bool(w, "active", true, " ACTIVE", " INACTIVE");
 *     writer_line(w);
 *     writer_close(w);
 *     writer_close(w);
 *
 * gives "Port 0001 ACTIVE\n" or {"ports":[{"port":1,"active":true}]}. The
 * outermost JSON object is opened and closed by the caller of the handler.
 * Output goes to a sink; a sink that is full says so to its own console, the
 * handler never knows.
 */
#ifndef COMMON_WRITER_H
#define COMMON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITER_DEPTH 32 /* eight nested loads and what a command nests */

typedef void writer_sink_fn(void *ctx, const char *s, size_t len);

struct writer {
	writer_sink_fn *sink;
	void *ctx;
	bool json;
	bool used; /* something was written */
	size_t written; /* bytes, so far */
	uint8_t depth; /* open objects and lists, JSON */
	bool in_list[WRITER_DEPTH];
	bool comma[WRITER_DEPTH]; /* the next element needs one */
};

void writer_init(struct writer *, bool json, writer_sink_fn *, void *ctx);

/* Text only: a literal piece, and the end of a line. */
void writer_text(struct writer *, const char *piece);
void writer_line(struct writer *);

/* @piece may be NULL: then the fact appears in JSON only. @key may be NULL:
 * inside a list elements have none, inside an object the fact then appears in
 * text only. @width > 0 pads with zeros on the left to that many digits, < 0
 * with blanks; at most 64. */
void writer_num(struct writer *, const char *key, const char *piece, int64_t v,
		int width);
/* Text has @digits (0 to 9) behind the point, JSON as many as it takes to read
 * the same number again. What is infinite or no number is JSON null and "-". */
void writer_real(struct writer *, const char *key, const char *piece, double v,
		 int digits);
/* @width > 0 pads with blanks on the right. @v NULL is JSON null and text
 * nothing. Text shows control characters and bytes that are not UTF-8 as '?',
 * JSON escapes the former and has U+FFFD for the latter. */
void writer_str(struct writer *, const char *key, const char *piece,
		const char *v, int width);
/* A number that readers of JSON may round, having 53 bits: a string there. */
void writer_big(struct writer *, const char *key, const char *piece,
		uint64_t v);
/* @if_true, @if_false: the whole text; NULL for nothing. */
void writer_bool(struct writer *, const char *key, bool v, const char *if_true,
		 const char *if_false);

/* JSON only: an object, a list, and the end of either. */
void writer_open(struct writer *, const char *key);
void writer_list(struct writer *, const char *key);
void writer_close(struct writer *);

#endif
