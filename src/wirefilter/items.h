/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * items - a text that is a list: items apart by commas, blanks and ends of
 * lines, and comments from a # to the end of a line
 *
 * The reader goes through the bytes from item to item, and counts lines; what
 * an item is, and how long, is the caller's matter. The first thing that is
 * wrong stops it.
 */
#ifndef WIREFILTER_ITEMS_H
#define WIREFILTER_ITEMS_H

#include "base/strbuf.h"

struct items {
	const char *p, *end;
	unsigned int line;
	const char *wrong; /* NULL: nothing so far */
};

void items_init(struct items *, const char *text, size_t len);

/* Goes to the next item: false if there is none, or something is wrong. */
bool items_next(struct items *);

/* Is the item over here? If not, that is wrong. */
bool items_over(struct items *);

/* True if nothing is wrong, else false after saying in @why where and what. */
bool items_check(const struct items *, struct strbuf *why);

/* The numbers, as parse_fraction() of base/num.h has them, that @text is: 1 to
 * @max, with commas alone between them. How many; 0 after saying in @why what
 * is wrong. */
int items_fractions(const char *text, double *out, int max, struct strbuf *why);

#endif
