// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/session.h"

#include <string.h>

#include "base/util.h"
#include "term/clean.h"

static const char block_begin[] = "0000 DATA END WITH '.'";
static const char farewell[] = "9999 END OF SESSION";

static const char *const kind_names[] = {
	[SESSION_TEXT] = "text",     [SESSION_DATA] = "data",
	[SESSION_RESULT] = "result", [SESSION_EVENT] = "event",
	[SESSION_PROMPT] = "prompt", [SESSION_FAREWELL] = "farewell",
};
static_assert(ARRAY_SIZE(kind_names) == SESSION_N_KINDS, "a kind has no name");

const char *session_kind_name(enum session_kind kind)
{
	return kind < SESSION_N_KINDS ? kind_names[kind] : "?";
}

void session_init(struct session *s, session_fn *fn, void *ctx)
{
	memset(s, 0, sizeof(*s));
	s->fn = fn;
	s->ctx = ctx;
}

/* An empty line is held back until it is clear that no prompt follows it. */
static void emit(struct session *s, struct session_event ev)
{
	const struct session_event empty = { .kind = SESSION_TEXT, .text = "" };

	if (s->blank && ev.kind != SESSION_PROMPT)
		s->fn(s->ctx, &empty);
	s->blank = false;
	s->fn(s->ctx, &ev);
}

static void end_text(struct session *s, struct session_event ev)
{
	bool blank = ev.kind == SESSION_TEXT && !ev.len;

	if (!blank)
		emit(s, ev);
	else if (s->blank)
		s->fn(s->ctx, &ev);
	s->blank = blank;
}

static bool line_is(const struct session *s, const char *text)
{
	return s->len == strlen(text) && !memcmp(s->line, text, s->len);
}

/* Four digits and a blank, or nothing after them: the number, else -1. */
static int line_number(const struct session *s)
{
	int v = 0;

	if (s->len < 4 || (s->len > 4 && s->line[4] != ' '))
		return -1;
	for (int i = 0; i < 4; i++) {
		if (s->line[i] < '0' || s->line[i] > '9')
			return -1;
		v = v * 10 + (s->line[i] - '0');
	}
	return v;
}

/* The event that the line in the buffer is, or begins. */
static struct session_event classify(const struct session *s)
{
	struct session_event ev = { .kind = SESSION_TEXT,
				    .text = s->line,
				    .len = s->len };
	int number = s->depth ? -1 : line_number(s);

	if (s->depth) {
		ev.kind = SESSION_DATA;
	} else if (number / 1000 == 1) {
		ev.kind = SESSION_RESULT;
		ev.code = number - 1000;
	} else if (number / 1000 == 3) {
		ev.kind = SESSION_EVENT;
	}
	if (ev.kind == SESSION_RESULT || ev.kind == SESSION_EVENT) {
		size_t skip = size_min(s->len, 5);

		ev.text += skip;
		ev.len -= skip;
	}
	return ev;
}

/* Marks of blocks are no events. True if this line was one. */
static bool take_mark(struct session *s)
{
	if (line_is(s, block_begin)) {
		s->depth++;
		s->blank = false;
		return true;
	}
	if (s->depth && line_is(s, ".")) {
		s->depth--;
		return true;
	}
	return false;
}

static void rest_of_cut(struct session *s, bool more)
{
	const struct session_event ev = { .kind = s->cut_kind,
					  .text = s->line,
					  .len = s->len,
					  .more = more };

	s->fn(s->ctx, &ev);
}

static void end_line(struct session *s)
{
	s->line[s->len] = '\0';
	if (s->cut) {
		rest_of_cut(s, false);
		s->cut = false;
	} else if (!take_mark(s)) {
		end_text(s, classify(s));
	}
	s->len = 0;
}

/* The buffer is full: hand out what there is, but no half of a character. */
static void cut_line(struct session *s)
{
	size_t keep = clean_partial(s->line, s->len);
	char tail[4];

	memcpy(tail, s->line + s->len - keep, keep);
	s->len -= keep;
	s->line[s->len] = '\0';
	if (s->cut) {
		rest_of_cut(s, true);
	} else {
		struct session_event ev = classify(s);

		ev.more = true;
		s->cut = true;
		s->cut_kind = ev.kind;
		emit(s, ev);
	}
	memcpy(s->line, tail, keep);
	s->len = keep;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* A blank has just arrived: does "NAME$ " stand in the buffer? */
static bool at_prompt(const struct session *s)
{
	size_t n = s->len - 2;

	if (s->len < 3 || s->line[n] != '$' || n >= SESSION_NAME)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name_char(s->line[i]))
			return false;
	return !*s->name ||
	       (strlen(s->name) == n && !memcmp(s->name, s->line, n));
}

static void take_prompt(struct session *s)
{
	size_t n = s->len - 2;

	s->line[n] = '\0';
	memcpy(s->name, s->line, n + 1);
	s->len = 0;
	emit(s, (struct session_event){
			.kind = SESSION_PROMPT, .text = s->name, .len = n });
}

void session_feed(struct session *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			end_line(s);
			continue;
		}
		if (s->len == SESSION_LINE)
			cut_line(s);
		s->line[s->len++] = bytes[i];
		if (s->depth || s->cut)
			continue;
		if (bytes[i] == ' ' && at_prompt(s)) {
			take_prompt(s);
		} else if (bytes[i] == 'N' && line_is(s, farewell)) {
			s->len = 0;
			emit(s, (struct session_event){
					.kind = SESSION_FAREWELL,
					.text = farewell + 5,
					.len = strlen(farewell + 5) });
		}
	}
}

void session_eof(struct session *s)
{
	if (s->len || s->cut)
		end_line(s);
	s->depth = 0;
	s->blank = false;
}
