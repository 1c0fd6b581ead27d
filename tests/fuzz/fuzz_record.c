/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of decisions: the first byte says how the rest is cut. In pieces it
 * is what it is in one, and what is read, printed and read again is the same.
 */
#include <string.h>

#include "input.h"
#include "wirefilter/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	struct record_reader r;
	const char *text;
	size_t left, piece;
};

static void start(struct source *s, const char *text, size_t size, size_t piece)
{
	record_reader_init(&s->r);
	s->text = text;
	s->left = size;
	s->piece = piece;
}

static enum record_got next(struct source *s)
{
	enum record_got got;

	while ((got = record_next(&s->r)) == RECORD_MORE) {
		size_t n = s->left < s->piece ? s->left : s->piece;

		record_give(&s->r, s->text, n);
		s->text += n;
		s->left -= n;
		if (!s->left)
			record_finish(&s->r);
	}
	return got;
}

static bool same(const struct record_reader *a, const struct record_reader *b)
{
	const struct impair_decision *x = &a->decision, *y = &b->decision;

	return a->direction == b->direction && x->number == y->number &&
	       x->copy == y->copy && x->fate == y->fate &&
	       x->arrived == y->arrived && x->delay == y->delay &&
	       !memcmp(&x->flips, &y->flips, sizeof(x->flips));
}

/* What printing leaves out. */
static void forget(struct impair_decision *d)
{
	const struct impair_flips *f = &d->flips;

	if (d->fate != IMPAIR_PASS)
		d->delay = 0;
	if (d->fate != IMPAIR_PASS ||
	    !(f->noise > 0 || f->corrupt > 0 || f->ber > 0))
		d->flips = (struct impair_flips){ 0 };
}

static void print_again(struct record_reader *r, struct record_printer *pr)
{
	struct source again;
	struct strbuf b;
	char text[1000];

	strbuf_init(&b, text, sizeof(text));
	record_begin(&b, 1);
	record_decision(&b, pr, r->direction, &r->decision, 0);
	must(!b.cut);
	start(&again, text, b.len, 7);
	must(next(&again) == RECORD_DECISION);
	forget(&r->decision);
	must(same(r, &again.r) && next(&again) == RECORD_OVER);
}

static void check_error(const struct record_reader *r)
{
	const char *s = record_error(r);

	must(!strncmp(s, "line ", 5));
	for (; *s; s++)
		must(*s >= ' ' && *s <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct record_printer pr = { 0 };
	struct source one, cut;
	enum record_got got;
	size_t piece = take(&in) + 1;

	start(&one, (const char *)in.p, in.left, in.left + 1);
	start(&cut, (const char *)in.p, in.left, piece);
	do {
		got = next(&one);
		must(got == next(&cut));
		if (got == RECORD_DECISION) {
			must(same(&one.r, &cut.r));
			must(one.r.decision.number > 0);
			print_again(&one.r, &pr);
		}
	} while (got == RECORD_DECISION);
	must(one.r.line == cut.r.line && one.r.complete == cut.r.complete);
	must(!strcmp(record_error(&one.r), record_error(&cut.r)));
	if (got == RECORD_ERROR)
		check_error(&one.r);
	return 0;
}
