// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A list of frame numbers is an array of ranges, in order and apart from each
 * other: of bounded size, whatever the ranges are.
 */
#include <stdlib.h>

#include "wirefilter/items.h"
#include "wirefilter/loss.h"

struct range {
	uint64_t first, last;
};

struct loss_list {
	size_t n;
	struct range ranges[];
};

static bool is_digit(const struct items *it)
{
	return it->p < it->end && *it->p >= '0' && *it->p <= '9';
}

static bool read_number(struct items *it, uint64_t *out)
{
	uint64_t v = 0;

	if (!is_digit(it)) {
		it->wrong = "what stands there is not a number";
		return false;
	}
	for (; is_digit(it); it->p++) {
		uint64_t digit = (uint64_t)(*it->p - '0');

		if (v > (UINT64_MAX - digit) / 10) {
			it->wrong = "a number is too large";
			return false;
		}
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

/* False at the end, and where something is wrong. */
static bool read_range(struct items *it, struct range *r)
{
	if (!items_next(it) || !read_number(it, &r->first))
		return false;
	r->last = r->first;
	if (it->p < it->end && *it->p == '-') {
		it->p++;
		r->last = UINT64_MAX;
		if (is_digit(it) && !read_number(it, &r->last))
			return false;
	}
	if (!items_over(it))
		return false;
	if (!r->first)
		it->wrong = "the first frame is number 1";
	else if (r->last < r->first)
		it->wrong = "a range ends before it begins";
	return !it->wrong;
}

static bool count_ranges(struct items it, size_t *n, struct strbuf *why)
{
	struct range r;

	for (*n = 0; read_range(&it, &r); ++*n) {
		if (*n == LOSS_RANGES_MAX) {
			it.wrong = "there are more than 4096 ranges";
			break;
		}
	}
	if (!it.wrong && !*n)
		it.wrong = "there is no number";
	return items_check(&it, why);
}

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Ranges that overlap or touch become one. */
static void merge(struct loss_list *l)
{
	size_t n = 1;

	for (size_t i = 1; i < l->n; i++) {
		const struct range *r = &l->ranges[i];
		struct range *last = &l->ranges[n - 1];

		if (r->first - 1 > last->last)
			l->ranges[n++] = *r;
		else if (r->last > last->last)
			last->last = r->last;
	}
	l->n = n;
}

struct loss_list *loss_list_parse(const char *text, size_t len,
				  struct strbuf *why)
{
	struct loss_list *l;
	struct items it;
	size_t n;

	items_init(&it, text, len);
	if (!count_ranges(it, &n, why))
		return NULL;
	l = calloc(1, sizeof(*l) + n * sizeof(l->ranges[0]));
	if (!l) {
		strbuf_add(why, "out of memory");
		return NULL;
	}
	while (l->n < n && read_range(&it, &l->ranges[l->n]))
		l->n++;
	qsort(l->ranges, l->n, sizeof(l->ranges[0]), by_first);
	merge(l);
	return l;
}

void loss_list_free(struct loss_list *l)
{
	free(l);
}

bool loss_list_has(const struct loss_list *l, uint64_t number)
{
	size_t low = 0, high = l->n;

	/* The first range that does not end before @number. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->ranges[mid].last < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n && l->ranges[low].first <= number;
}

void loss_list_print(struct strbuf *b, const struct loss_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct range *r = &l->ranges[i];

		strbuf_fmt(b, "%s%llu", i ? "," : "",
			   (unsigned long long)r->first);
		if (r->last == UINT64_MAX)
			strbuf_add(b, "-");
		else if (r->last > r->first)
			strbuf_fmt(b, "-%llu", (unsigned long long)r->last);
	}
}
