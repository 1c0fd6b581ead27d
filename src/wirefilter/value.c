// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define BLANKS " \t"
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const char *const shapes[] = {
	[VALUE_UNIFORM] = "uniform",
	/* N; has no name, so that :normal cannot be mistaken for it */
	[VALUE_GAUSS] = "",
	[VALUE_NORMAL] = "normal",
	[VALUE_PARETO] = "pareto",
	[VALUE_PARETONORMAL] = "paretonormal",
	[VALUE_TABLE] = "",
};
static_assert(ARRAY_SIZE(shapes) == VALUE_N_SHAPES, "a shape has no name");

struct parser {
	const char *s; /* what is left */
	const struct value_rule *rule;
	struct strbuf wrong; /* the reason; empty if there is none, or *s */
};

static bool fail(struct parser *p, const char *wrong)
{
	strbuf_add(&p->wrong, wrong);
	return false;
}

static void skip_blanks(struct parser *p)
{
	p->s += strspn(p->s, BLANKS);
}

static bool take_char(struct parser *p, char upper, char lower)
{
	skip_blanks(p);
	if (*p->s != upper && *p->s != lower)
		return false;
	p->s++;
	return true;
}

static bool take_number(struct parser *p, double *out)
{
	size_t len;

	skip_blanks(p);
	len = parse_fraction(p->s, strlen(p->s), out);
	p->s += len;
	if (len)
		return true;
	if (*p->s == '-')
		return fail(p, "a number is negative");
	if (strspn(p->s, DIGITS))
		return fail(p, "a number has too many digits");
	return fail(p, "a number is missing");
}

static enum value_direction take_direction(struct parser *p)
{
	static const char *const names[] = {
		[VALUE_LR] = "LR", [VALUE_RL] = "RL"
	};

	skip_blanks(p);
	for (enum value_direction d = VALUE_LR; d <= VALUE_RL; d++) {
		if (!strncmp(p->s, names[d], 2)) {
			p->s += 2;
			return d;
		}
	}
	return VALUE_BOTH;
}

/* VDE 2 stops reading there, so it may well stand in a file. */
static void take_unit(struct parser *p)
{
	size_t len = p->rule->unit ? strlen(p->rule->unit) : 0;

	skip_blanks(p);
	if (len && !strncmp(p->s, p->rule->unit, len) &&
	    !strspn(p->s + len, LETTERS))
		p->s += len;
}

static bool take_suffix(struct parser *p, struct value *v)
{
	static const struct {
		char upper, lower;
		double binary, decimal;
	} units[] = { { 'K', 'k', 0x1p10, 1e3 },
		      { 'M', 'm', 0x1p20, 1e6 },
		      { 'G', 'g', 0x1p30, 1e9 } };
	double binary = 1, decimal = 1;

	for (size_t i = 0; i < ARRAY_SIZE(units) && binary == 1; i++) {
		if (take_char(p, units[i].upper, units[i].lower)) {
			binary = units[i].binary;
			decimal = units[i].decimal;
		}
	}
	if (!p->rule->bytes || *p->s != 'b') {
		v->num *= binary;
		v->plus *= binary;
		if (p->rule->bytes && *p->s == 'B')
			p->s++;
	} else {
		v->num = v->num * decimal / 8;
		v->plus = v->plus * decimal / 8;
		p->s++;
	}
	if (take_char(p, '+', '+'))
		return fail(p, "a suffix stands behind both numbers");
	return true;
}

static bool take_shape(struct parser *p, struct value *v)
{
	size_t len;

	if (take_char(p, 'U', 'u'))
		return true;
	if (take_char(p, 'N', 'n')) {
		v->shape = VALUE_GAUSS;
		return true;
	}
	if (!take_char(p, ':', ':'))
		return true;
	len = strspn(p->s, LETTERS DIGITS "_-.");
	if (!len)
		return fail(p, "a distribution has no name");
	if (len >= sizeof(v->table))
		return fail(p, "the name of a distribution is too long");
	memcpy(v->table, p->s, len);
	p->s += len;
	for (v->shape = 0; v->shape < VALUE_TABLE; v->shape++) {
		if (!strcmp(v->table, shapes[v->shape])) {
			memset(v->table, 0, sizeof(v->table));
			return true;
		}
	}
	return true;
}

static bool take_correlation(struct parser *p, struct value *v)
{
	if (!take_char(p, '~', '~'))
		return true;
	if (!take_number(p, &v->corr))
		return false;
	return v->corr <= 100 || fail(p, "a correlation is above 100 %");
}

static bool take_node(struct parser *p, unsigned int *node)
{
	if (!take_char(p, '[', '['))
		return true;
	skip_blanks(p);
	if (!strspn(p->s, DIGITS))
		return fail(p, "a node is not a number");
	for (; strspn(p->s, DIGITS) && *node <= VALUE_NODE_MAX; p->s++)
		*node = *node * 10 + (unsigned int)(*p->s - '0');
	if (*node > VALUE_NODE_MAX)
		return fail(p, "a node has too large a number");
	return take_char(p, ']', ']') || fail(p, "a ']' is missing");
}

/* A variation may be smaller than the least value. */
static bool check_range(struct parser *p, const struct value *v)
{
	const struct value_rule *r = p->rule;

	if (v->num != 0 && (v->num < r->least || v->num > r->max ||
			    (r->below && v->num == r->max)))
		strbuf_fmt(&p->wrong, "%.15g is not 0", v->num);
	else if (v->plus > r->max)
		strbuf_fmt(&p->wrong, "a variation of %.15g is not 0", v->plus);
	else
		return true;
	if (r->least > 0 && v->plus <= r->max)
		strbuf_fmt(&p->wrong, " or %.15g", r->least);
	strbuf_fmt(&p->wrong, " to %s%.15g", r->below ? "below " : "", r->max);
	return false;
}

static bool take_all(struct parser *p, struct value_setting *st)
{
	struct value *v = &st->value;

	st->direction = take_direction(p);
	if (!take_number(p, &v->num) ||
	    (take_char(p, '+', '+') && !take_number(p, &v->plus)))
		return false;
	take_unit(p);
	if (!take_suffix(p, v) || !take_shape(p, v) ||
	    !take_correlation(p, v) || !take_node(p, &st->node))
		return false;
	skip_blanks(p);
	return !*p->s;
}

bool value_parse(struct value_setting *out, const char *text,
		 const struct value_rule *rule, struct strbuf *why)
{
	struct parser p = { .s = text, .rule = rule };
	struct value_setting st;
	char wrong[160];

	strbuf_init(&p.wrong, wrong, sizeof(wrong));
	memset(&st, 0, sizeof(st));
	if (take_all(&p, &st) && check_range(&p, &st.value)) {
		*out = st;
		return true;
	}
	strbuf_fmt(why, "%s '%s': ", rule->name, text);
	if (p.wrong.len)
		strbuf_add(why, wrong);
	else
		strbuf_fmt(why, "'%s' is not understood", p.s);
	return false;
}

/* VDE 2's form has six digits; 17 are enough for any number, and most need
 * fewer. */
static void print_number(struct strbuf *b, double v, bool exact)
{
	char s[32];

	for (int digits = exact ? 15 : 6; digits <= 17; digits++) {
		if (str_fmt(s, sizeof(s), "%.*g", digits, v) < 0 || !exact ||
		    strtod(s, NULL) == v)
			break;
	}
	strbuf_add(b, s);
}

static void print(struct strbuf *b, const struct value *v, bool exact)
{
	print_number(b, v->num, exact);
	strbuf_add(b, "+");
	print_number(b, v->plus, exact);
	if (v->shape == VALUE_UNIFORM)
		strbuf_add(b, "U");
	else if (v->shape == VALUE_GAUSS)
		strbuf_add(b, "N");
	else
		strbuf_fmt(b, ":%s%s", shapes[v->shape], v->table);
	if (v->corr > 0) {
		strbuf_add(b, "~");
		print_number(b, v->corr, exact);
	}
}

void value_print(struct strbuf *b, const struct value *v)
{
	print(b, v, false);
}

void value_print_exact(struct strbuf *b, const struct value *v)
{
	print(b, v, true);
}
