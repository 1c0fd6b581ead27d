// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser: text becomes rows of struct instr, with every label resolved to
 * an index. What an instruction takes comes from the interpreter's table.
 */
#include "term/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "term/script_impl.h"

struct parser {
	struct script *s;
	const char *p, *end; /* of the current line */
	unsigned int line;
	bool bad;
	script_note_fn *note, *warn;
	void *ctx;
};

static void complain(struct parser *ps, const char *what)
{
	if (!ps->bad)
		ps->note(ps->ctx, ps->line, what);
	ps->bad = true;
}

static void skip_blanks(struct parser *ps)
{
	while (ps->p < ps->end &&
	       (*ps->p == ' ' || *ps->p == '\t' || *ps->p == '\r'))
		ps->p++;
}

static bool at_end(struct parser *ps)
{
	skip_blanks(ps);
	return ps->p == ps->end || *ps->p == '#';
}

static bool at_number(const struct parser *ps)
{
	const char *p = ps->p;

	if (p < ps->end && *p == '-')
		p++;
	return p < ps->end && *p >= '0' && *p <= '9';
}

static long take_number(struct parser *ps, long min)
{
	bool neg = false;
	long v = 0;

	skip_blanks(ps);
	if (!at_number(ps)) {
		complain(ps, "a number is missing");
		return 0;
	}
	if (*ps->p == '-') {
		neg = true;
		ps->p++;
	}
	while (ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9' &&
	       v <= SCRIPT_NUM_MAX)
		v = v * 10 + (*ps->p++ - '0');
	v = neg ? -v : v;
	if (v < min || v > SCRIPT_NUM_MAX)
		complain(ps, "a number is out of range");
	return v;
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'f':
		return '\f';
	default:
		return c;
	}
}

static void take_text(struct parser *ps, struct instr *in)
{
	char *to = ps->s->pool + ps->s->used;

	skip_blanks(ps);
	in->text = to;
	if (ps->p == ps->end || *ps->p != '\'') {
		complain(ps, "a text in '' is missing");
		return;
	}
	for (ps->p++; ps->p < ps->end && *ps->p != '\''; ps->p++) {
		if (*ps->p == '\\' && ps->p + 1 < ps->end)
			*to++ = unescape(*++ps->p);
		else
			*to++ = *ps->p;
	}
	in->len = (size_t)(to - in->text);
	ps->s->used += in->len;
	if (ps->p == ps->end)
		complain(ps, "a text has no closing '");
	else
		ps->p++;
}

static void take_args(struct parser *ps, struct instr *in)
{
	switch (in->op->args) {
	case ARGS_NONE:
		break;
	case ARGS_TEXT:
		take_text(ps, in);
		break;
	case ARGS_TEXT_LABEL:
		take_text(ps, in);
		in->n = take_number(ps, 0);
		break;
	case ARGS_LABEL:
		in->n = take_number(ps, 0);
		break;
	case ARGS_NUM:
		in->n = take_number(ps, -SCRIPT_NUM_MAX);
		break;
	case ARGS_MAYBE_NUM:
		if (!at_end(ps))
			in->n = take_number(ps, 2);
		if (in->n > 36)
			complain(ps, "a base is from 2 to 36");
		break;
	case ARGS_NUM_OR_TEXT:
		skip_blanks(ps);
		if (at_number(ps))
			in->n = take_number(ps, 0);
		else
			take_text(ps, in);
		break;
	}
	if (!ps->bad && !at_end(ps))
		complain(ps, "there is more than belongs to the instruction");
}

static const char *take_word(struct parser *ps, size_t *len)
{
	const char *from;

	skip_blanks(ps);
	from = ps->p;
	while (ps->p < ps->end && *ps->p != ' ' && *ps->p != '\t' &&
	       *ps->p != '\r')
		ps->p++;
	*len = (size_t)(ps->p - from);
	return from;
}

/* Keeps the rows sorted; scripts are nearly sorted as they are written. */
static void insert(struct parser *ps, const struct instr *in)
{
	struct script *s = ps->s;
	size_t at = s->n;

	if (s->n == s->size) {
		struct instr *ins;

		if (s->n == SCRIPT_INSTR_MAX) {
			complain(ps, "there are too many instructions");
			return;
		}
		s->size = s->size ? 2 * s->size : 64;
		ins = realloc(s->ins, s->size * sizeof(*ins));
		if (!ins) {
			complain(ps, "out of memory");
			return;
		}
		s->ins = ins;
	}
	while (at && s->ins[at - 1].num > in->num)
		at--;
	if (at && s->ins[at - 1].num == in->num) {
		complain(ps, "this number was used before");
		return;
	}
	memmove(&s->ins[at + 1], &s->ins[at], (s->n - at) * sizeof(*in));
	s->ins[at] = *in;
	s->n++;
}

static void left_out(struct parser *ps, const char *word, size_t len)
{
	struct strbuf b;
	char what[80];

	strbuf_init(&b, what, sizeof(what));
	strbuf_add(&b, "unknown instruction '");
	strbuf_addn(&b, word, size_min(len, 32));
	strbuf_add(&b, "' left out");
	ps->warn(ps->ctx, ps->line, what);
}

static void parse_line(struct parser *ps)
{
	struct instr in = { .line = ps->line };
	const char *word;
	size_t len;

	if (at_end(ps))
		return;
	if (at_number(ps)) {
		in.num = (unsigned int)take_number(ps, 0);
		word = take_word(ps, &len);
		in.op = script_op(word, len);
		if (!in.op) {
			left_out(ps, word, len);
			return;
		}
		take_args(ps, &in);
		if (!ps->bad)
			insert(ps, &in);
		return;
	}
	word = take_word(ps, &len);
	if (len == 7 && !memcmp(word, "TIMEOUT", 7))
		ps->s->timeout_ms = (unsigned int)take_number(ps, 1);
	else
		complain(ps, "an instruction begins with its number");
}

static void resolve(struct parser *ps)
{
	struct script *s = ps->s;

	for (size_t i = 0; i < s->n && !ps->bad; i++) {
		struct instr *in = &s->ins[i];
		size_t to = 0;

		if (in->op->args != ARGS_LABEL &&
		    in->op->args != ARGS_TEXT_LABEL)
			continue;
		while (to < s->n && s->ins[to].num != (unsigned long)in->n)
			to++;
		in->target = to;
		ps->line = in->line;
		if (to == s->n)
			complain(ps, "it leads to a number that is not there");
	}
}

struct script *script_parse(const char *text, size_t len, script_note_fn *note,
			    script_note_fn *warn, void *ctx)
{
	struct parser ps = { .note = note, .warn = warn, .ctx = ctx };
	const char *end = text + len;

	ps.s = calloc(1, sizeof(*ps.s));
	if (!ps.s)
		return NULL;
	ps.s->pool = malloc(len + 1);
	if (!ps.s->pool)
		ps.bad = true;
	for (const char *next = text; next < end && !ps.bad;) {
		const char *nl = memchr(next, '\n', (size_t)(end - next));

		ps.p = next;
		ps.end = nl ? nl : end;
		next = nl ? nl + 1 : end;
		ps.line++;
		if (ps.end - ps.p > SCRIPT_TEXT_MAX)
			complain(&ps, "the line is too long");
		else
			parse_line(&ps);
	}
	if (!ps.bad && !ps.s->n)
		complain(&ps, "there is no instruction");
	if (!ps.bad)
		resolve(&ps);
	if (!ps.bad)
		return ps.s;
	script_free(ps.s);
	return NULL;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	free(s->ins);
	free(s->pool);
	free(s);
}

unsigned int script_timeout(const struct script *s)
{
	return s->timeout_ms;
}
