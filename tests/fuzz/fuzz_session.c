// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server sends, in pieces: the first byte is the length of the
 * pieces. The same bytes in one piece must give the same text of each kind;
 * help's words and the cleaned text are made from it as vdeterm does.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "term/clean.h"
#include "term/session.h"
#include "term/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A checksum of all events, in which pieces of a line are one. */
struct sum {
	uint64_t hash;
	bool more;
	struct words words;
};

static void mix(struct sum *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ (uint8_t)p[i]) * UINT64_C(0x100000001b3);
}

static void check_clean(const struct session_event *ev)
{
	static char text[SESSION_LINE];

	clean_text(text, ev->text, ev->len, true);
	for (size_t i = 0; i < ev->len; i++)
		if ((uint8_t)text[i] < 0x20 && text[i] != '\t')
			abort();
}

static void on_event(void *ctx, const struct session_event *ev)
{
	struct sum *s = ctx;
	char head[] = { (char)ev->kind, (char)ev->code };

	if (ev->len > SESSION_LINE || ev->text[ev->len])
		abort();
	if (!s->more)
		mix(s, head, sizeof(head));
	mix(s, ev->text, ev->len);
	if (!ev->more)
		mix(s, "\n", 1);
	if (ev->kind == SESSION_DATA && !s->more)
		words_line(&s->words, ev->text, ev->len);
	s->more = ev->more;
	check_clean(ev);
}

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	static struct sum sum;
	struct session se;

	sum.hash = UINT64_C(0xcbf29ce484222325);
	sum.more = false;
	words_clear(&sum.words);
	session_init(&se, on_event, &sum);
	for (size_t i = 0; i < size; i += piece)
		session_feed(&se, (const char *)data + i,
			     size - i < piece ? size - i : piece);
	session_eof(&se);
	if (sum.more || sum.words.n > WORDS_MAX)
		abort();
	return sum.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (run(data + 1, size - 1, size) !=
	    run(data + 1, size - 1, data[0] ? data[0] : 1))
		abort();
	return 0;
}
