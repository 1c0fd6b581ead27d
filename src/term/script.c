// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interpreter: it calls the function of each row that script_parse.c
 * made, and stops where it needs bytes from the server.
 */
#include "term/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "term/script_impl.h"

/* Bytes that may grow up to SCRIPT_BUF_MAX. */
struct bytes {
	char *p;
	size_t len, size;
};

struct script_run {
	const struct script *script;
	const char *const *words;
	size_t n_words;
	struct script_io io;
	size_t pc;
	const struct instr *reading; /* the IN that waits, or NULL */
	bool read_any; /* it has taken a byte */
	unsigned long reads;
	unsigned int steps; /* since a byte was taken */
	struct bytes input; /* from the server, up to ... */
	size_t taken; /* ... here taken by an IN */
	struct bytes buf;
	size_t skip; /* the place in it */
	struct bytes out;
	int tag;
	long rv;
	int status;
	enum script_state state;
	const char *reason;
};

static void fail(struct script_run *r, const char *reason)
{
	r->state = SCRIPT_FAILED;
	r->reason = reason;
}

static bool bytes_add(struct bytes *b, const char *s, size_t n)
{
	size_t want, size = b->size ? b->size : 256;
	char *p;

	if (!size_add(b->len, n, &want) || want > SCRIPT_BUF_MAX)
		return false;
	while (size < want)
		size *= 2;
	if (size != b->size) {
		p = realloc(b->p, size);
		if (!p)
			return false;
		b->p = p;
		b->size = size;
	}
	if (n)
		memcpy(b->p + b->len, s, n);
	b->len = want;
	return true;
}

static void append(struct script_run *r, struct bytes *b, const char *s,
		   size_t n)
{
	if (!bytes_add(b, s, n))
		fail(r, "more text than there is room for");
}

static void op_in(struct script_run *r, const struct instr *in)
{
	r->reading = in;
	r->read_any = false;
	r->reads++;
}

/* "$*", "$0" and "$N"; returns what stands behind it. */
static const char *expand(struct script_run *r, struct bytes *to, const char *p,
			  const char *end)
{
	size_t n = 0;

	if (p == end || (*p != '*' && (*p < '0' || *p > '9'))) {
		append(r, to, "$", 1);
		return p;
	}
	if (*p == '*')
		p++;
	else
		while (p < end && *p >= '0' && *p <= '9')
			n = size_min(n * 10 + (size_t)(*p++ - '0'),
				     SCRIPT_NUM_MAX);
	if (n) {
		if (n < r->n_words)
			append(r, to, r->words[n], strlen(r->words[n]));
		return p;
	}
	for (size_t i = 0; i < r->n_words; i++) {
		append(r, to, " ", i > 0);
		append(r, to, r->words[i], strlen(r->words[i]));
	}
	return p;
}

static void op_send(struct script_run *r, const struct instr *in)
{
	const char *p = in->text, *end = in->text + in->len;
	struct bytes line = { 0 };

	while (p < end && r->state == SCRIPT_READING) {
		const char *from = p;

		while (p < end && *p != '$')
			p++;
		append(r, &line, from, (size_t)(p - from));
		if (p < end)
			p = expand(r, &line, p + 1, end);
	}
	if (line.len && r->state == SCRIPT_READING)
		r->io.send(r->io.ctx, line.p, line.len);
	free(line.p);
}

static void op_throw(struct script_run *r, const struct instr *in)
{
	r->buf.len = 0;
	r->skip = 0;
}

static void op_if(struct script_run *r, const struct instr *in)
{
	if (r->buf.len - r->skip >= in->len &&
	    (!in->len || !memcmp(r->buf.p + r->skip, in->text, in->len)))
		r->pc = in->target;
}

static void op_goto(struct script_run *r, const struct instr *in)
{
	r->pc = in->target;
}

static void op_ifarg(struct script_run *r, const struct instr *in)
{
	if (r->n_words)
		r->pc = in->target;
}

static void op_shift(struct script_run *r, const struct instr *in)
{
	if (r->n_words) {
		r->words++;
		r->n_words--;
	}
}

static void op_copy(struct script_run *r, const struct instr *in)
{
	if (r->buf.len > r->skip)
		append(r, &r->out, r->buf.p + r->skip, r->buf.len - r->skip);
}

static void op_skip(struct script_run *r, const struct instr *in)
{
	size_t left = r->buf.len - r->skip;
	const char *at;

	if (!in->text) {
		r->skip += size_min(in->n > 0 ? (size_t)in->n : 0, left);
		return;
	}
	at = left ? memmem(r->buf.p + r->skip, left, in->text, in->len) : NULL;
	if (at)
		r->skip = (size_t)(at - r->buf.p) + in->len;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

/* As C's atoi(): blanks, a sign, then as many digits as there are. */
static void op_rvatoi(struct script_run *r, const struct instr *in)
{
	int base = in->n ? (int)in->n : 10;
	size_t i = r->skip;
	bool neg = false;
	long v = 0;

	while (i < r->buf.len && (r->buf.p[i] == ' ' || r->buf.p[i] == '\t'))
		i++;
	if (i < r->buf.len && (r->buf.p[i] == '-' || r->buf.p[i] == '+'))
		neg = r->buf.p[i++] == '-';
	for (; i < r->buf.len && digit(r->buf.p[i]) < base; i++)
		if (v < SCRIPT_NUM_MAX)
			v = v * base + digit(r->buf.p[i]);
	r->rv = neg ? -v : v;
}

static void end(struct script_run *r, long status)
{
	r->status = (int)status;
	r->state = SCRIPT_ENDED;
}

static void op_exit(struct script_run *r, const struct instr *in)
{
	end(r, in->n);
}

static void op_exitrv(struct script_run *r, const struct instr *in)
{
	end(r, r->rv);
}

static void op_exitatoi(struct script_run *r, const struct instr *in)
{
	op_rvatoi(r, in);
	end(r, r->rv);
}

static void op_outtag(struct script_run *r, const struct instr *in)
{
	r->tag = (int)in->n;
}

static void op_outshift(struct script_run *r, const struct instr *in)
{
	if (r->out.len)
		r->io.out(r->io.ctx, r->tag, r->out.p, r->out.len);
	r->out.len = 0;
	r->tag = 0;
}

/* clang-format off */
static const struct op ops[] = {
	{ "IN",       ARGS_TEXT_LABEL,  op_in       },
	{ "SEND",     ARGS_TEXT,        op_send     },
	{ "THROW",    ARGS_NONE,        op_throw    },
	{ "IF",       ARGS_TEXT_LABEL,  op_if       },
	{ "GOTO",     ARGS_LABEL,       op_goto     },
	{ "IFARG",    ARGS_LABEL,       op_ifarg    },
	{ "COPY",     ARGS_NONE,        op_copy     },
	{ "SKIP",     ARGS_NUM_OR_TEXT, op_skip     },
	{ "SHIFT",    ARGS_NONE,        op_shift    },
	{ "RVATOI",   ARGS_MAYBE_NUM,   op_rvatoi   },
	{ "EXIT",     ARGS_NUM,         op_exit     },
	{ "EXITRV",   ARGS_NONE,        op_exitrv   },
	{ "EXITATOI", ARGS_NONE,        op_exitatoi },
	{ "OUTTAG",   ARGS_NUM,         op_outtag   },
	{ "OUTSHIFT", ARGS_NONE,        op_outshift },
};
/* clang-format on */

const struct op *script_op(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strlen(ops[i].name) == len &&
		    !memcmp(ops[i].name, name, len))
			return &ops[i];
	return NULL;
}

/* The IN that waits takes bytes until its text has come. False: it wants
 * more than there are. */
static bool take_input(struct script_run *r)
{
	const struct instr *in = r->reading;

	for (;;) {
		if (r->read_any && r->buf.len >= in->len &&
		    (!in->len || !memcmp(r->buf.p + r->buf.len - in->len,
					 in->text, in->len)))
			return true;
		if (r->taken == r->input.len)
			return false;
		append(r, &r->buf, r->input.p + r->taken, 1);
		if (r->state == SCRIPT_FAILED)
			return false;
		r->taken++;
		r->read_any = true;
		r->steps = 0;
	}
}

static void step(struct script_run *r)
{
	const struct instr *in = &r->script->ins[r->pc];

	if (++r->steps > SCRIPT_STEPS_MAX) {
		fail(r, "it goes round in circles");
		return;
	}
	if (r->io.step)
		r->io.step(r->io.ctx, in->num, in->op->name);
	r->pc++;
	in->op->fn(r, in);
}

enum script_state script_go(struct script_run *r)
{
	while (r->state == SCRIPT_READING) {
		if (r->reading) {
			if (!take_input(r))
				break;
			r->reading = NULL;
		} else if (r->pc < r->script->n) {
			step(r);
		} else {
			fail(r, "it ends without EXIT");
		}
	}
	if (r->state == SCRIPT_ENDED)
		op_outshift(r, NULL);
	return r->state;
}

enum script_state script_feed(struct script_run *r, const char *s, size_t n)
{
	if (r->state != SCRIPT_READING)
		return r->state;
	if (r->taken == r->input.len)
		r->taken = r->input.len = 0;
	append(r, &r->input, s, n);
	return script_go(r);
}

enum script_state script_over(struct script_run *r)
{
	if (r->state == SCRIPT_READING && r->reading) {
		r->pc = r->reading->target;
		r->reading = NULL;
	}
	return script_go(r);
}

struct script_run *script_start(const struct script *script,
				const char *const *words, size_t n_words,
				const struct script_io *io)
{
	struct script_run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->script = script;
	r->words = words;
	r->n_words = n_words;
	r->io = *io;
	r->rv = -1;
	return r;
}

void script_stop(struct script_run *r)
{
	if (!r)
		return;
	free(r->input.p);
	free(r->buf.p);
	free(r->out.p);
	free(r);
}

unsigned long script_reads(const struct script_run *r)
{
	return r->reads;
}

int script_status(const struct script_run *r)
{
	return r->status;
}

const char *script_reason(const struct script_run *r)
{
	return r->reason;
}
