// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/record.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

#define FIRST_LINE "# vde wirefilter decisions 1"
#define NUMBER_DIGITS 20 /* of 64 bits */

static const char *const directions[] = { "LR", "RL" };

/* ---- printing ---- */

static char *put_number(char *p, uint64_t v)
{
	char digits[NUMBER_DIGITS];
	int n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digits[--n];
	*p++ = ' ';
	return p;
}

static char *put_word(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	*p++ = ' ';
	return p;
}

/* As short as gives the same number when it is read. */
static void add_fraction(struct strbuf *b, double v)
{
	double again = 0;
	char s[32];
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = str_fmt(s, sizeof(s), "%.*g", digits, v);
		if (n > 0 && parse_fraction(s, (size_t)n, &again) && again == v)
			break;
	}
	strbuf_add(b, " ");
	strbuf_add(b, s);
}

static bool same_flips(const struct impair_flips *a,
		       const struct impair_flips *b)
{
	return a->noise == b->noise && a->corrupt == b->corrupt &&
	       a->ber == b->ber;
}

/* Mostly they are those of the last frame. */
static const char *flips_text(struct record_printer *pr,
			      const struct impair_flips *f)
{
	struct strbuf b;

	if (*pr->text && same_flips(&pr->last, f))
		return pr->text;
	strbuf_init(&b, pr->text, sizeof(pr->text));
	add_fraction(&b, f->noise);
	add_fraction(&b, f->corrupt);
	add_fraction(&b, f->ber);
	pr->last = *f;
	return pr->text;
}

void record_begin(struct strbuf *to, uint64_t seed)
{
	strbuf_fmt(to, FIRST_LINE "\nseed %llu\n", (unsigned long long)seed);
}

void record_end(struct strbuf *to)
{
	strbuf_add(to, "end\n");
}

void record_decision(struct strbuf *to, struct record_printer *pr,
		     unsigned int direction, const struct impair_decision *d,
		     uint64_t begin)
{
	const struct impair_flips *f = &d->flips;
	bool passes = d->fate == IMPAIR_PASS;
	char line[RECORD_LINE], *p = line;

	p = put_word(p, directions[direction]);
	p = put_number(p, d->number);
	p = put_number(p, d->copy);
	p = put_number(p, d->arrived > begin ? d->arrived - begin : 0);
	p = put_word(p, impair_fate_name(d->fate));
	p = put_number(p, passes ? d->delay : 0);
	if (passes && (f->noise > 0 || f->corrupt > 0 || f->ber > 0)) {
		p = put_number(p, f->seed);
		p = put_word(p - 1, flips_text(pr, f));
	}
	p[-1] = '\n';
	strbuf_addn(to, line, (size_t)(p - line));
}

/* ---- reading ---- */

void record_reader_init(struct record_reader *r)
{
	memset(r, 0, sizeof(*r));
	r->over = RECORD_MORE;
}

void record_give(struct record_reader *r, const char *p, size_t n)
{
	r->p = p;
	r->left = n;
}

void record_finish(struct record_reader *r)
{
	r->last = true;
}

const char *record_error(const struct record_reader *r)
{
	return r->error;
}

static bool fail(struct record_reader *r, const char *field, const char *what)
{
	struct strbuf b;

	r->over = RECORD_ERROR;
	strbuf_init(&b, r->error, sizeof(r->error));
	strbuf_fmt(&b, "line %llu: ", (unsigned long long)r->line);
	if (field) {
		strbuf_add(&b, "'");
		for (size_t i = 0; field[i] && i < 32; i++)
			strbuf_addn(&b,
				    field[i] > ' ' && field[i] <= '~'
					    ? field + i
					    : "?",
				    1);
		strbuf_add(&b, strlen(field) > 32 ? "...' " : "' ");
	}
	strbuf_add(&b, what);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* Cuts the first word of what is left of a line off; NULL: there is none. */
static char *next_word(char **rest)
{
	char *s = skip_blanks(*rest), *end = s;

	if (!*s)
		return NULL;
	while (*end && !is_blank(*end))
		end++;
	*rest = end;
	if (*end) {
		*end = '\0';
		*rest = end + 1;
	}
	return s;
}

static bool number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++)
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	if (v > max)
		return false;
	*out = v;
	return true;
}

static bool fraction(const char *s, double max, double *out)
{
	size_t n = strlen(s);
	double v;

	if (parse_fraction(s, n, &v) != n || !n || !isfinite(v) || v > max)
		return false;
	*out = v;
	return true;
}

/* A number of the line, and what is wrong without it. */
static bool take_number(struct record_reader *r, char **rest, uint64_t max,
			uint64_t *out, const char *what)
{
	char *s = next_word(rest);

	if (!s)
		return fail(r, NULL, "there are too few fields");
	return number(s, max, out) || fail(r, s, what);
}

static bool take_fraction(struct record_reader *r, char **rest, double max,
			  double *out, const char *what)
{
	char *s = next_word(rest);

	if (!s)
		return fail(r, NULL, "there are too few fields");
	return fraction(s, max, out) || fail(r, s, what);
}

static bool read_fate(struct record_reader *r, char **rest)
{
	char *s = next_word(rest);

	if (!s)
		return fail(r, NULL, "there are too few fields");
	r->decision.fate = impair_fate_find(s);
	return r->decision.fate != IMPAIR_N_FATES || fail(r, s, "is no fate");
}

static bool read_flips(struct record_reader *r, char **rest)
{
	struct impair_flips *f = &r->decision.flips;

	return take_number(r, rest, UINT64_MAX, &f->seed, "is no seed") &&
	       take_fraction(r, rest, HUGE_VAL, &f->noise, "is no noise") &&
	       take_fraction(r, rest, 1, &f->corrupt,
			     "is no probability from 0 to 1") &&
	       take_fraction(r, rest, 1, &f->ber,
			     "is no probability from 0 to 1");
}

static bool read_decision(struct record_reader *r, char *rest)
{
	struct impair_decision *d = &r->decision;
	uint64_t copy = 0;
	bool ok;

	*d = (struct impair_decision){ 0 };
	ok = take_number(r, &rest, RECORD_NUMBER_MAX, &d->number,
			 "is no number of a frame") &&
	     take_number(r, &rest, RECORD_COPY_MAX, &copy,
			 "is no number of a copy") &&
	     take_number(r, &rest, UINT64_MAX, &d->arrived,
			 "is no time in nanoseconds") &&
	     read_fate(r, &rest) &&
	     take_number(r, &rest, UINT64_MAX, &d->delay,
			 "is no delay in nanoseconds");
	if (!ok)
		return false;
	if (!d->number)
		return fail(r, NULL, "frames are counted from 1");
	d->copy = (unsigned int)copy;
	if (!*skip_blanks(rest))
		return true;
	return read_flips(r, &rest) &&
	       (!next_word(&rest) ||
		fail(r, NULL, "there are too many fields"));
}

static bool read_seed(struct record_reader *r, char *rest)
{
	if (r->has_seed)
		return fail(r, NULL, "there is a seed already");
	r->has_seed = true;
	return take_number(r, &rest, UINT64_MAX, &r->seed, "is no seed") &&
	       (!next_word(&rest) ||
		fail(r, NULL, "there are too many fields"));
}

/* Sets @decision if the line is one. */
static bool parse_line(struct record_reader *r, bool *decision)
{
	char *rest = r->text, *s;

	if (r->line == 1)
		return !strcmp(r->text, FIRST_LINE) ||
		       fail(r, NULL, "is not '" FIRST_LINE "'");
	s = next_word(&rest);
	if (!s || *s == '#')
		return true;
	if (r->complete)
		return fail(r, s, "is behind the end");
	for (unsigned int i = 0; i < ARRAY_SIZE(directions); i++)
		if (!strcmp(s, directions[i])) {
			r->direction = i;
			*decision = true;
			return read_decision(r, rest);
		}
	if (!strcmp(s, "seed"))
		return read_seed(r, rest);
	if (strcmp(s, "end"))
		return fail(r, s, "is none of LR, RL, seed, end");
	r->complete = true;
	return !next_word(&rest) || fail(r, NULL, "there are too many fields");
}

/* As in trace.c: true when a whole line is in @text. */
static bool take_line(struct record_reader *r)
{
	const char *lf = memchr(r->p, '\n', r->left);
	size_t n = lf ? (size_t)(lf - r->p) : r->left;
	size_t fits = size_min(n, sizeof(r->text) - r->len);

	if (!r->len)
		r->line++;
	memcpy(r->text + r->len, r->p, fits);
	r->len += fits;
	n += lf != NULL;
	r->p += n;
	r->left -= n;
	return lf != NULL;
}

static bool read_line(struct record_reader *r, bool *decision)
{
	size_t len = r->len;

	*decision = false;
	r->len = 0;
	if (len && len < sizeof(r->text) && r->text[len - 1] == '\r')
		len--;
	if (len > RECORD_LINE)
		return fail(r, NULL, "is too long");
	if (memchr(r->text, '\0', len))
		return fail(r, NULL, "has a byte of 0");
	r->text[len] = '\0';
	return parse_line(r, decision);
}

static enum record_got at_end(struct record_reader *r)
{
	r->over = RECORD_OVER;
	if (!r->line) {
		r->line = 1;
		fail(r, NULL, "is not '" FIRST_LINE "'");
	}
	return r->over;
}

enum record_got record_next(struct record_reader *r)
{
	bool decision, ended;

	while (r->over == RECORD_MORE) {
		if (!r->left && !r->last)
			return RECORD_MORE;
		if (!r->left && !r->len)
			return at_end(r);
		ended = r->left && take_line(r);
		if (!ended && !r->last && r->len < sizeof(r->text))
			return RECORD_MORE;
		if (!read_line(r, &decision))
			break;
		if (decision)
			return RECORD_DECISION;
	}
	return r->over;
}
