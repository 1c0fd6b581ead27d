// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/blackout.h"

#include <string.h>

#include "base/num.h"

#define NS_PER_MS UINT64_C(1000000)
#define SHOWN_MAX 48 /* bytes of what is wrong, in a message */

/* ---- reading ---- */

struct parser {
	const char *s; /* what is left */
	const char *item; /* where this blackout began */
	struct strbuf *why;
};

static void skip_blanks(struct parser *p)
{
	while (*p->s == ' ' || *p->s == '\t')
		p->s++;
}

static bool take_char(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->s != c)
		return false;
	p->s++;
	return true;
}

/* The blackout and what is wrong with it. */
static bool fail(struct parser *p, const char *wrong)
{
	size_t len = strcspn(p->item, ",");

	strbuf_fmt(p->why, "'%.*s%s': %s", (int)size_min(len, SHOWN_MAX),
		   p->item, len > SHOWN_MAX ? "..." : "", wrong);
	return false;
}

/* @what it is, for messages. */
static bool take_time(struct parser *p, const char *what, uint64_t *ns)
{
	const char *wrong;
	char text[64];
	double ms;
	size_t n;

	skip_blanks(p);
	n = parse_fraction(p->s, strlen(p->s), &ms);
	if (n && ms <= BLACKOUT_MS_MAX) {
		p->s += n;
		/* Exact: a double has digits for 1e9 ms in nanoseconds. */
		*ns = (uint64_t)(ms * (double)NS_PER_MS + 0.5);
		return true;
	}
	if (n)
		wrong = "is above 1e9 ms";
	else if (*p->s == '-')
		wrong = "is negative";
	else
		wrong = "is missing or not a number";
	(void)str_fmt(text, sizeof(text), "the %s %s", what, wrong);
	return fail(p, text);
}

static bool take_one(struct parser *p, struct blackout *b)
{
	b->period = 0;
	if (!take_time(p, "beginning", &b->from))
		return false;
	if (!take_char(p, '+'))
		return fail(p, "'+' and a length are missing");
	if (!take_time(p, "length", &b->length))
		return false;
	if (!b->length)
		return fail(p, "the length is not above 0");
	if (!take_char(p, '/'))
		return true;
	if (!take_time(p, "period", &b->period))
		return false;
	return b->length <= b->period ||
	       fail(p, "the length is above the period");
}

/* "0", and nothing else. */
static bool is_none(const char *text)
{
	struct parser p = { .s = text };
	bool nought = take_char(&p, '0');

	skip_blanks(&p);
	return nought && !*p.s;
}

static uint64_t later(uint64_t now, uint64_t ns)
{
	return ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
}

int blackout_parse(struct blackout *out, const char *text, uint64_t now,
		   struct strbuf *why)
{
	struct parser p = { .s = text, .why = why };
	struct blackout b[BLACKOUT_MAX];
	int n = 0;

	if (is_none(text))
		return 0;
	do {
		skip_blanks(&p);
		p.item = p.s;
		if (n == BLACKOUT_MAX) {
			fail(&p, "there are more than 16 blackouts");
			return -1;
		}
		if (!take_one(&p, &b[n]))
			return -1;
		b[n].from = later(now, b[n].from);
		n++;
	} while (take_char(&p, ','));
	if (*p.s) {
		fail(&p, "something follows that is not understood");
		return -1;
	}
	memcpy(out, b, (size_t)n * sizeof(*b));
	return n;
}
static_assert(BLACKOUT_MAX == 16, "a message has the number");

/* ---- writing ---- */

static void print_time(struct strbuf *b, uint64_t ns)
{
	unsigned int rest = (unsigned int)(ns % NS_PER_MS);
	int digits = 6;

	strbuf_fmt(b, "%llu", (unsigned long long)(ns / NS_PER_MS));
	if (!rest)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	strbuf_fmt(b, ".%0*u", digits, rest);
}

static void print_one(struct strbuf *b, uint64_t from, uint64_t length,
		      uint64_t period)
{
	if (b->len)
		strbuf_add(b, ",");
	print_time(b, from);
	strbuf_add(b, "+");
	print_time(b, length);
	if (period) {
		strbuf_add(b, "/");
		print_time(b, period);
	}
}

static void print_since(struct strbuf *b, const struct blackout *o,
			uint64_t now)
{
	uint64_t since;

	if (now <= o->from) {
		print_one(b, o->from - now, o->length, o->period);
		return;
	}
	since = now - o->from;
	if (o->period)
		since %= o->period;
	if (o->period && !since) {
		print_one(b, 0, o->length, o->period);
		return;
	}
	if (since < o->length)
		print_one(b, 0, o->length - since, 0);
	if (o->period)
		print_one(b, o->period - since, o->length, o->period);
}

void blackout_print(struct strbuf *out, const struct blackout *o, int n,
		    uint64_t now)
{
	char text[BLACKOUT_MAX * 2 * 56];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	for (int i = 0; i < n; i++)
		print_since(&b, &o[i], now);
	strbuf_add(out, b.len ? text : "0");
}

bool blackout_is_on(const struct blackout *o, int n, uint64_t now)
{
	for (int i = 0; i < n; i++) {
		uint64_t since = now - o[i].from;

		if (now < o[i].from)
			continue;
		if (o[i].period)
			since %= o[i].period;
		if (since < o[i].length)
			return true;
	}
	return false;
}
