// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"

void writer_init(struct writer *w, bool json, writer_sink_fn *sink, void *ctx)
{
	*w = (struct writer){ .sink = sink, .ctx = ctx, .json = json };
}

static void put(struct writer *w, const char *s, size_t n)
{
	if (!n)
		return;
	w->used = true;
	w->written += n;
	w->sink(w->ctx, s, n);
}

static void puts_to(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

/* ---- strings from outside ---- */

/* C0, DEL and C1: what a terminal would obey instead of showing. */
static bool is_control(const uint8_t *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

static void put_escape(struct writer *w, const uint8_t *s, size_t n)
{
	char esc[8];
	unsigned int code = !n ? 0xfffd : n == 1 ? s[0] : s[1];

	if (!w->json)
		put(w, "?", 1);
	else if (n == 1 && (s[0] == '"' || s[0] == '\\'))
		put(w, (const char[]){ '\\', (char)s[0] }, 2);
	else
		put(w, esc, (size_t)str_fmt(esc, sizeof(esc), "\\u%04x", code));
}

/* Passes plain runs on in one piece; returns how many bytes @v had. */
static size_t put_clean(struct writer *w, const char *v)
{
	const uint8_t *s = (const uint8_t *)v, *from = s;

	while (*s) {
		size_t n = utf8_len(s);
		bool quoted = w->json && (*s == '"' || *s == '\\');

		if (n && !quoted && !is_control(s)) {
			s += n;
			continue;
		}
		put(w, (const char *)from, (size_t)(s - from));
		put_escape(w, s, n);
		s += n ? n : 1;
		from = s;
	}
	put(w, (const char *)from, (size_t)(s - from));
	return (size_t)(s - (const uint8_t *)v);
}

/* ---- facts ---- */

/* Comma and key of the next JSON element. False: in an object a fact without
 * a key is for text only. */
static bool json_begin(struct writer *w, const char *key)
{
	size_t top;

	if (!w->json)
		return false;
	if (!w->depth)
		return true;
	top = w->depth - 1U;
	if (!w->in_list[top] && !key)
		return false;
	if (w->comma[top])
		put(w, ",", 1);
	w->comma[top] = true;
	if (!w->in_list[top]) {
		put(w, "\"", 1);
		put_clean(w, key);
		put(w, "\":", 2);
	}
	return true;
}

void writer_text(struct writer *w, const char *piece)
{
	if (!w->json)
		puts_to(w, piece);
}

void writer_line(struct writer *w)
{
	writer_text(w, "\n");
}

void writer_num(struct writer *w, const char *key, const char *piece, int64_t v,
		int width)
{
	char num[80];
	int n;

	if (w->json) {
		if (!json_begin(w, key))
			return;
		n = str_fmt(num, sizeof(num), "%" PRId64, v);
	} else {
		if (!piece)
			return;
		puts_to(w, piece);
		n = width < 0
			    ? str_fmt(num, sizeof(num), "%*" PRId64, -width, v)
			    : str_fmt(num, sizeof(num), "%0*" PRId64, width, v);
	}
	assert(n > 0); /* a width of less than the room */
	put(w, num, (size_t)n);
}

void writer_real(struct writer *w, const char *key, const char *piece, double v,
		 int digits)
{
	char num[400]; /* the largest has 309 before the point */
	int n;

	assert(digits >= 0 && digits <= 9);
	if (w->json) {
		if (!json_begin(w, key))
			return;
		n = str_fmt(num, sizeof(num), "%.15g", v);
		if (strtod(num, NULL) != v)
			n = str_fmt(num, sizeof(num), "%.17g", v);
		if (!isfinite(v))
			n = str_copy(num, sizeof(num), "null");
	} else {
		if (!piece)
			return;
		puts_to(w, piece);
		n = isfinite(v) ? str_fmt(num, sizeof(num), "%.*f", digits, v)
				: str_copy(num, sizeof(num), "-");
	}
	assert(n >= 0);
	puts_to(w, num);
}

void writer_str(struct writer *w, const char *key, const char *piece,
		const char *v, int width)
{
	size_t len;

	if (w->json) {
		if (!json_begin(w, key))
			return;
		if (!v) {
			puts_to(w, "null");
			return;
		}
		put(w, "\"", 1);
		put_clean(w, v);
		put(w, "\"", 1);
		return;
	}
	if (!piece || !v)
		return;
	puts_to(w, piece);
	for (len = put_clean(w, v); width > 0 && len < (size_t)width; len++)
		put(w, " ", 1);
}

void writer_big(struct writer *w, const char *key, const char *piece,
		uint64_t v)
{
	char text[24];

	if (str_fmt(text, sizeof(text), "%" PRIu64, v) > 0)
		writer_str(w, key, piece, text, 0);
}

void writer_bool(struct writer *w, const char *key, bool v, const char *if_true,
		 const char *if_false)
{
	const char *text = v ? if_true : if_false;

	if (w->json) {
		if (json_begin(w, key))
			puts_to(w, v ? "true" : "false");
	} else if (text) {
		puts_to(w, text);
	}
}

/* ---- nesting ---- */

static void nest(struct writer *w, const char *key, bool list)
{
	bool ok;

	if (!w->json)
		return;
	assert(w->depth < WRITER_DEPTH);
	ok = json_begin(w, key);
	assert(ok); /* an element of an object needs a key */
	(void)ok;
	w->in_list[w->depth] = list;
	w->comma[w->depth] = false;
	w->depth++;
	put(w, list ? "[" : "{", 1);
}

void writer_open(struct writer *w, const char *key)
{
	nest(w, key, false);
}

void writer_list(struct writer *w, const char *key)
{
	nest(w, key, true);
}

void writer_close(struct writer *w)
{
	if (!w->json)
		return;
	assert(w->depth);
	w->depth--;
	put(w, w->in_list[w->depth] ? "]" : "}", 1);
}
