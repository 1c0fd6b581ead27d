/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces of links: the first byte says the format and how the rest is cut.
 * In pieces they are what they are in one: the same points, the same error.
 * Points are in order and in range, and come again when a trace repeats.
 */
#include <string.h>

#include "input.h"
#include "wirefilter/line.h"
#include "wirefilter/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_point(const struct trace_point *pt, uint64_t last)
{
	must(pt->time >= last && pt->time <= TRACE_TIME_MAX);
	must(pt->rate <= LINE_RATE_MAX && pt->delay <= TRACE_TIME_MAX);
	must(pt->loss >= 0 && pt->loss <= 1);
	must(pt->has < 1 << TRACE_N_COLUMNS);
	must(!(pt->has >> TRACE_TIME & 1));
}

static void check_error(const struct trace *t)
{
	const char *s = trace_error(t);

	must(!strncmp(s, "line ", 5));
	for (; *s; s++)
		must(*s >= ' ' && *s <= '~');
}

static bool same(const struct trace_point *a, const struct trace_point *b)
{
	return a->time == b->time && a->has == b->has && a->rate == b->rate &&
	       a->delay == b->delay && a->loss == b->loss;
}

/* A reader that is given its text in pieces of @piece bytes. */
struct reader {
	struct trace t;
	const char *text;
	size_t left, piece;
};

static enum trace_got next(struct reader *r, struct trace_point *pt)
{
	enum trace_got got;

	while ((got = trace_next(&r->t, pt)) == TRACE_MORE) {
		size_t n = r->left < r->piece ? r->left : r->piece;

		trace_give(&r->t, r->text, n);
		r->text += n;
		r->left -= n;
		if (!r->left)
			trace_finish(&r->t);
	}
	return got;
}

static void restart(struct reader *r, const char *text, size_t size,
		    size_t piece)
{
	r->text = text;
	r->left = size;
	r->piece = piece;
}

/* The same trace a second time, beside the first: @shift later. */
static void repeat(struct reader *again, struct reader *r, const char *text,
		   size_t size)
{
	uint64_t shift = r->t.time;
	struct trace_point a, b;
	enum trace_got got;

	restart(r, text, size, 64);
	if (!trace_repeat(&r->t)) {
		must(!shift);
		check_error(&r->t);
		return;
	}
	must(shift > 0);
	trace_init(&again->t, r->t.format);
	restart(again, text, size, 64);
	while ((got = next(again, &a)) == TRACE_POINT) {
		if (next(r, &b) != TRACE_POINT) {
			/* It was too long to be repeated as a whole. */
			check_error(&r->t);
			return;
		}
		a.time += shift;
		must(same(&a, &b));
	}
	must(got == TRACE_END && next(r, &b) == TRACE_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct trace_point a, b;
	struct reader one, cut;
	enum trace_format format;
	enum trace_got got;
	const char *text;
	uint64_t last = 0;
	size_t piece;

	piece = take(&in);
	format = piece % TRACE_N_FORMATS;
	text = (const char *)in.p;
	trace_init(&one.t, format);
	trace_init(&cut.t, format);
	restart(&one, text, in.left, in.left + 1);
	restart(&cut, text, in.left, piece / TRACE_N_FORMATS + 1);
	do {
		got = next(&one, &a);
		must(got == next(&cut, &b));
		if (got == TRACE_POINT) {
			check_point(&a, last);
			must(same(&a, &b));
			last = a.time;
		}
	} while (got == TRACE_POINT);
	must(one.t.line == cut.t.line);
	must(!strcmp(trace_error(&one.t), trace_error(&cut.t)));
	if (got == TRACE_ERROR)
		check_error(&one.t);
	else
		repeat(&cut, &one, text, in.left);
	return 0;
}
