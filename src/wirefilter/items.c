// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/items.h"

#include <string.h>

#include "base/num.h"

void items_init(struct items *it, const char *text, size_t len)
{
	it->p = text;
	it->end = text + len;
	it->line = 1;
	it->wrong = NULL;
}

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool items_next(struct items *it)
{
	bool comment = false;

	for (; it->p < it->end; it->p++) {
		comment = *it->p != '\n' && (comment || *it->p == '#');
		if (!comment && !is_separator(*it->p))
			break;
		it->line += *it->p == '\n';
	}
	return it->p < it->end && !it->wrong;
}

bool items_over(struct items *it)
{
	if (it->p < it->end && !is_separator(*it->p) && *it->p != '#')
		it->wrong = "what stands there is not a number";
	return !it->wrong;
}

bool items_check(const struct items *it, struct strbuf *why)
{
	if (it->wrong)
		strbuf_fmt(why, "line %u: %s", it->line, it->wrong);
	return !it->wrong;
}

int items_fractions(const char *text, double *out, int max, struct strbuf *why)
{
	const char *s = text;
	size_t len;
	int n = 0;

	for (;;) {
		len = n < max ? parse_fraction(s, strlen(s), &out[n]) : 0;
		s += len;
		n++;
		if (len && !*s)
			return n;
		if (!len || *s != ',')
			break;
		s++;
	}
	if (n > max)
		strbuf_fmt(why, "'%s': more than %d numbers", text, max);
	else if (!*s)
		strbuf_fmt(why, "'%s': a number is missing", text);
	else
		strbuf_fmt(why, "'%s': '%s' is not understood", text, s);
	return 0;
}
