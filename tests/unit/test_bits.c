// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two small containers: bitmaps and lists.
 */
#include "base/bits.h"

#include "../unit/test.h"
#include "base/list.h"

#define N 200

static void bits_are_set_tested_and_cleared(void)
{
	static const unsigned int some[] = { 0, 1, 63, 64, 65, 127, 128, 199 };
	uint64_t b[BITS_WORDS(N)] = { 0 };

	CHECK(ARRAY_SIZE(b) == 4 && BITS_WORDS(64) == 1 &&
	      BITS_WORDS(65) == 2 && BITS_WORDS(0) == 0);
	CHECK(!bits_any(b, ARRAY_SIZE(b)));
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		CHECK(!bits_test(b, some[i]));
		bits_set(b, some[i]);
		CHECK(bits_test(b, some[i]) && bits_any(b, ARRAY_SIZE(b)));
	}
	CHECK(!bits_test(b, 2) && !bits_test(b, 62) && !bits_test(b, 129));
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		bits_clear(b, some[i]);
	CHECK(!bits_any(b, ARRAY_SIZE(b)));
}

static void the_next_bit_is_found_from_anywhere(void)
{
	uint64_t b[BITS_WORDS(N)] = { 0 };

	CHECK(bits_next(b, ARRAY_SIZE(b), 0) == -1);
	bits_set(b, 63);
	bits_set(b, 192);
	for (unsigned int i = 0; i <= 63; i++)
		CHECK(bits_next(b, ARRAY_SIZE(b), i) == 63);
	for (unsigned int i = 64; i <= 192; i++)
		CHECK(bits_next(b, ARRAY_SIZE(b), i) == 192);
	CHECK(bits_next(b, ARRAY_SIZE(b), 193) == -1);
	CHECK(bits_next(b, ARRAY_SIZE(b), 256) == -1);
	CHECK(bits_next(b, ARRAY_SIZE(b), 100000) == -1);
	CHECK(bits_next(b, 3, 64) == -1); /* not beyond the words given */
}

static void a_walk_meets_each_bit_once_in_order(void)
{
	uint64_t b[BITS_WORDS(N)] = { 0 };
	int last = -1, n = 0;

	for (unsigned int i = 0; i < N; i += 7)
		bits_set(b, i);
	bits_for_each(i, b, ARRAY_SIZE(b)) {
		CHECK(i > last && i % 7 == 0);
		last = i;
		n++;
		bits_clear(b, (unsigned int)i); /* allowed */
	}
	CHECK(n == (N + 6) / 7 && !bits_any(b, ARRAY_SIZE(b)));
}

struct item {
	int v;
	struct list node;
};

static int digits(const struct list *head)
{
	int v = 0;

	list_for_each(it, head)
		v = 10 * v + list_entry(it, struct item, node)->v;
	return v;
}

static void lists_keep_their_order(void)
{
	struct item a = { .v = 1 }, b = { .v = 2 }, c = { .v = 3 };
	struct list head;

	list_init(&head);
	list_init(&b.node);
	CHECK(list_empty(&head) && !list_linked(&b.node) && digits(&head) == 0);
	list_add_tail(&head, &a.node);
	list_add_tail(&head, &b.node);
	list_add_head(&head, &c.node);
	CHECK(!list_empty(&head) && list_linked(&b.node) &&
	      digits(&head) == 312);
	list_del(&a.node);
	CHECK(digits(&head) == 32 && !list_linked(&a.node));
	list_del(&a.node); /* twice is harmless */
	CHECK(digits(&head) == 32);
	list_add_tail(&head, &a.node);
	CHECK(digits(&head) == 321);
}

static void a_safe_walk_survives_the_end_of_its_element(void)
{
	struct list head;
	int n = 0;

	list_init(&head);
	for (int i = 0; i < 5; i++) {
		struct item *it = malloc(sizeof(*it));

		it->v = i;
		list_add_tail(&head, &it->node);
	}
	list_for_each_safe(it, next, &head) {
		struct item *item = list_entry(it, struct item, node);

		CHECK(item->v == n++);
		list_del(it);
		free(item);
	}
	CHECK(n == 5 && list_empty(&head));
}

int main(void)
{
	RUN(bits_are_set_tested_and_cleared);
	RUN(the_next_bit_is_found_from_anywhere);
	RUN(a_walk_meets_each_bit_once_in_order);
	RUN(lists_keep_their_order);
	RUN(a_safe_walk_survives_the_end_of_its_element);
	DONE();
}
