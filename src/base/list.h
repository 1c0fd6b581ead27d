/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * list - intrusive doubly linked list
 *
 * A node lives inside its owner; a list head is a node whose neighbours are
 * the first and the last element. An unlinked node points at itself, so
 * list_del() twice is harmless and list_linked() tells membership.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/util.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline bool list_linked(const struct list *n)
{
	return n->next != n;
}

static inline void list_add_head(struct list *l, struct list *n)
{
	n->prev = l;
	n->next = l->next;
	l->next->prev = n;
	l->next = n;
}

static inline void list_add_tail(struct list *l, struct list *n)
{
	list_add_head(l->prev, n);
}

static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(node, type, member) container_of(node, type, member)

/* @it is declared here: it cannot stand in parentheses. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define list_for_each(it, head) \
	for (struct list *it = (head)->next; it != (head); it = it->next)

/* The current element may be removed and freed inside the body. */
#define list_for_each_safe(it, tmp, head)                                   \
	for (struct list *it = (head)->next, *tmp = it->next; it != (head); \
	     it = tmp, tmp = it->next)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
