// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/trace.h"

#include <string.h>

#include "base/strbuf.h"
#include "wirefilter/line.h"

static const char *const formats[] = {
	[TRACE_MAHIMAHI] = "mahimahi",
	[TRACE_CSV] = "csv",
};
static_assert(ARRAY_SIZE(formats) == TRACE_N_FORMATS, "a format has no name");

/* A value is kept in units of which there are 10^@decimals in what the column
 * is written in. */
static const struct {
	const char *name;
	unsigned int decimals;
	uint64_t max;
} columns[] = {
	[TRACE_TIME] = { "time", 6, TRACE_TIME_MAX },
	[TRACE_RATE] = { "rate", 6, LINE_RATE_MAX },
	[TRACE_DELAY] = { "delay", 6, TRACE_TIME_MAX },
	[TRACE_LOSS] = { "loss", 7, UINT64_C(1000000000) },
};
static_assert(ARRAY_SIZE(columns) == TRACE_N_COLUMNS, "a column has no name");

const char *trace_format_name(enum trace_format f)
{
	return formats[f];
}

void trace_init(struct trace *t, enum trace_format format)
{
	memset(t, 0, sizeof(*t));
	t->format = format;
	t->over = TRACE_MORE;
}

void trace_give(struct trace *t, const char *p, size_t n)
{
	t->p = p;
	t->left = n;
}

void trace_finish(struct trace *t)
{
	t->last = true;
}

const char *trace_error(const struct trace *t)
{
	return t->error;
}

/* Part of a line. */
struct field {
	const char *s;
	size_t n;
};

/* As much as tells which field it is, on one line. */
static void add_quoted(struct strbuf *b, const struct field *f)
{
	strbuf_add(b, "'");
	for (size_t i = 0; i < f->n && i < 32; i++) {
		bool shows = f->s[i] >= ' ' && f->s[i] <= '~';

		strbuf_addn(b, shows ? f->s + i : "?", 1);
	}
	strbuf_add(b, f->n > 32 ? "...' " : "' ");
}

/* The line, what is wrong, or a field and what is wrong with it. */
static bool fail(struct trace *t, const struct field *f, const char *what)
{
	struct strbuf b;

	t->over = TRACE_ERROR;
	strbuf_init(&b, t->error, sizeof(t->error));
	strbuf_fmt(&b, "line %llu: ", (unsigned long long)t->line);
	if (f)
		add_quoted(&b, f);
	strbuf_add(&b, what);
	return false;
}

/* ---- fields ---- */

/* Digits behind those of @v, which has none behind a point yet. */
static bool add_digit(uint64_t *v, char c)
{
	return c >= '0' && c <= '9' && !__builtin_mul_overflow(*v, 10, v) &&
	       !__builtin_add_overflow(*v, (uint64_t)(c - '0'), v);
}

/* A decimal number, times 10^@decimals. */
static bool fixed_point(const struct field *f, unsigned int decimals,
			uint64_t *out)
{
	const char *s = f->s, *end = f->s + f->n;
	uint64_t v = 0;

	if (s == end)
		return false;
	for (; s < end && *s != '.'; s++)
		if (!add_digit(&v, *s))
			return false;
	if (s < end && ++s == end)
		return false;
	for (; s < end; s++, decimals--)
		if (!decimals || !add_digit(&v, *s))
			return false;
	while (decimals--)
		if (!add_digit(&v, '0'))
			return false;
	*out = v;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the first of what is left of a line off; false after the last. */
static bool next_field(struct field *rest, struct field *f)
{
	const char *comma;

	if (!rest->s)
		return false;
	comma = memchr(rest->s, ',', rest->n);
	*f = *rest;
	if (comma) {
		f->n = (size_t)(comma - rest->s);
		rest->s = comma + 1;
		rest->n -= f->n + 1;
	} else {
		rest->s = NULL;
	}
	while (f->n && is_blank(f->s[0])) {
		f->s++;
		f->n--;
	}
	while (f->n && is_blank(f->s[f->n - 1]))
		f->n--;
	return true;
}

static enum trace_column find_column(const struct field *f)
{
	enum trace_column c = 0;

	while (c < TRACE_N_COLUMNS && (strlen(columns[c].name) != f->n ||
				       memcmp(columns[c].name, f->s, f->n)))
		c++;
	return c;
}

/* ---- lines ---- */

/* A time, and not before the last one. */
static bool set_time(struct trace *t, const struct field *f, uint64_t time,
		     struct trace_point *pt)
{
	if (t->points && time < t->time)
		return fail(t, f, "is before the time of the last line");
	if (time > TRACE_TIME_MAX - t->begin)
		return fail(t, f, "is too late");
	t->time = time;
	pt->time = t->begin + time;
	return true;
}

static bool mahimahi_line(struct trace *t, struct trace_point *pt)
{
	struct field f = { t->text, t->len };
	uint64_t ms;

	*pt = (struct trace_point){ 0 };
	if (!f.n)
		return fail(t, NULL, "is empty");
	if (!fixed_point(&f, 0, &ms))
		return fail(t, &f, "is no number of milliseconds");
	if (ms > TRACE_TIME_MAX / 1000000)
		return fail(t, &f, "is too late");
	return set_time(t, &f, ms * 1000000, pt);
}

static bool name_columns(struct trace *t)
{
	struct field rest = { t->text, t->len }, f;
	unsigned int seen = 0;

	while (next_field(&rest, &f)) {
		enum trace_column c = find_column(&f);

		if (c == TRACE_N_COLUMNS)
			return fail(t, &f,
				    "is none of time, rate, delay, loss");
		if (seen >> c & 1)
			return fail(t, &f, "is there twice");
		seen |= 1U << c;
		t->columns[t->n_columns++] = c;
	}
	if (!(seen & 1U << TRACE_TIME))
		return fail(t, NULL, "there is no column time");
	if (t->n_columns == 1)
		return fail(t, NULL, "there is nothing but the time");
	return true;
}

static bool count_columns(struct trace *t)
{
	struct field rest = { t->text, t->len }, f;
	unsigned int n = 0;

	while (next_field(&rest, &f))
		n++;
	if (n < 2 || n > TRACE_N_COLUMNS)
		return fail(t, NULL,
			    "a time and one to three values are needed");
	for (; t->n_columns < n; t->n_columns++)
		t->columns[t->n_columns] = (enum trace_column)t->n_columns;
	return true;
}

static bool set_value(struct trace *t, enum trace_column c,
		      const struct field *f, struct trace_point *pt)
{
	struct strbuf what;
	char text[80];
	uint64_t v = 0;

	if (!f->n && c != TRACE_TIME)
		return true;
	strbuf_init(&what, text, sizeof(text));
	if (!fixed_point(f, columns[c].decimals, &v))
		strbuf_fmt(
			&what,
			"is no %s: digits, at most %u of them behind a point",
			columns[c].name, columns[c].decimals);
	else if (v > columns[c].max)
		strbuf_fmt(&what, "is too high for a %s", columns[c].name);
	if (what.len)
		return fail(t, f, text);
	if (c == TRACE_TIME)
		return set_time(t, f, v, pt);
	pt->has |= 1U << c;
	switch (c) {
	case TRACE_TIME:
		break;
	case TRACE_RATE:
		pt->rate = v;
		break;
	case TRACE_DELAY:
		pt->delay = v;
		break;
	case TRACE_LOSS:
		pt->loss = (double)v / (double)columns[c].max;
		break;
	case TRACE_N_COLUMNS:
		break;
	}
	return true;
}

/* Sets @point if the line is one. */
static bool csv_line(struct trace *t, struct trace_point *pt, bool *point)
{
	struct field rest = { t->text, t->len }, f;
	unsigned int i = 0;
	char first;

	while (rest.n && is_blank(*rest.s)) {
		rest.s++;
		rest.n--;
	}
	if (!rest.n || *rest.s == '#')
		return true;
	first = *rest.s;
	if (!t->n_columns && (first < '0' || first > '9') && first != '.' &&
	    first != '-')
		return name_columns(t);
	if (!t->n_columns && !count_columns(t))
		return false;
	*point = true;
	*pt = (struct trace_point){ 0 };
	for (; next_field(&rest, &f); i++) {
		if (i == t->n_columns)
			return fail(t, NULL, "there are too many fields");
		if (!set_value(t, t->columns[i], &f, pt))
			return false;
	}
	if (i < t->n_columns)
		return fail(t, NULL, "there are too few fields");
	return true;
}

/* Adds to @text up to the end of a line; true when that is there. What does
 * not fit is not kept: the line is too long then. */
static bool take_line(struct trace *t)
{
	const char *lf = memchr(t->p, '\n', t->left);
	size_t n = lf ? (size_t)(lf - t->p) : t->left;
	size_t fits = size_min(n, sizeof(t->text) - t->len);

	if (!t->len)
		t->line++;
	memcpy(t->text + t->len, t->p, fits);
	t->len += fits;
	n += lf != NULL;
	t->p += n;
	t->left -= n;
	return lf != NULL;
}

/* The whole line is in @text. */
static bool read_line(struct trace *t, struct trace_point *pt, bool *point)
{
	*point = false;
	if (t->len < sizeof(t->text) && t->len && t->text[t->len - 1] == '\r')
		t->len--;
	if (t->len > TRACE_LINE)
		return fail(t, NULL, "is too long");
	if (t->format == TRACE_CSV)
		return csv_line(t, pt, point);
	*point = true;
	return mahimahi_line(t, pt);
}

static enum trace_got at_end(struct trace *t)
{
	t->over = TRACE_END;
	if (!t->points) {
		if (!t->line)
			t->line = 1;
		fail(t, NULL, "the trace ends without a point");
	}
	return t->over;
}

enum trace_got trace_next(struct trace *t, struct trace_point *pt)
{
	bool point, ended;

	while (t->over == TRACE_MORE) {
		if (!t->left && !t->last)
			return TRACE_MORE;
		if (!t->left && !t->len)
			return at_end(t);
		ended = t->left && take_line(t);
		if (!ended && !t->last && t->len < sizeof(t->text))
			return TRACE_MORE;
		if (!read_line(t, pt, &point))
			break;
		t->len = 0;
		if (point) {
			t->points++;
			return TRACE_POINT;
		}
	}
	return t->over;
}

bool trace_repeat(struct trace *t)
{
	if (t->over == TRACE_END && !t->time)
		return fail(t, NULL, "the trace lasts no time: no repeating");
	if (t->over != TRACE_END)
		return false;
	t->over = TRACE_MORE;
	t->last = false;
	t->line = t->points = t->len = 0;
	t->begin += t->time;
	t->time = 0;
	t->n_columns = 0;
	return true;
}
