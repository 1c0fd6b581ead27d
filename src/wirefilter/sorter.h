/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sorter - which class a frame belongs to, by filters
 *
 * A class has a filter (common/filter.h). A frame belongs to the first class,
 * in the order in which they were added, whose filter matches it; to class 0
 * if none does. Filters see the frame as it is on the wire, with its tags. What
 * each class got is counted.
 *
 * Without a class there is no sorter, so frames that nobody sorts cost nothing.
 */
#ifndef WIREFILTER_SORTER_H
#define WIREFILTER_SORTER_H

#include "base/strbuf.h"

#define SORTER_CLASSES 16 /* numbers of classes are below that, 0 included */

struct sorter;

struct sorter_count {
	uint64_t frames, bytes;
};

/* NULL without memory. */
struct sorter *sorter_new(void);
void sorter_free(struct sorter *);

/* @class, 1 to SORTER_CLASSES - 1, has no filter yet; behind all others. 0, or
 * -errno after saying in @why what is wrong. */
int sorter_add(struct sorter *, unsigned int class, const char *filter,
	       struct strbuf *why);
/* Its frames belong to those behind it from now on. */
void sorter_del(struct sorter *, unsigned int class);
bool sorter_is_empty(const struct sorter *);

/* The class of a frame; @direction 0 or 1 is for the count. */
unsigned int sorter_sort(struct sorter *, int direction, const void *frame,
			 size_t len);

/* The @i-th class in order, 0 for the first; 0 behind the last. */
unsigned int sorter_nth(const struct sorter *, unsigned int i);
/* As it was given; NULL if the class has none. */
const char *sorter_filter(const struct sorter *, unsigned int class);
/* Since the class was added, of class 0 since the first one was, or since
 * sorter_reset(). */
const struct sorter_count *sorter_count(const struct sorter *,
					unsigned int class, int direction);
void sorter_reset(struct sorter *);

#endif
