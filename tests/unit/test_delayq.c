// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queue of delayed frames, beside a heap that keeps the same order the
 * plain way: by time, then by number.
 */
#include "wirefilter/delayq.h"

#include "../unit/test.h"
#include "base/rng.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)

struct item {
	struct delayq_node node;
	uint64_t due, number;
	size_t place; /* in the heap */
};

static struct delayq q;
static struct rng rng;

/* ---- the model ---- */

static struct item **heap;
static size_t heap_count;
static uint64_t model_base, model_latest, next_number;
static bool model_fifo;

static bool before(const struct item *a, const struct item *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void swap(size_t a, size_t b)
{
	struct item *was = heap[a];

	heap[a] = heap[b];
	heap[b] = was;
}

static void model_add(struct item *it, uint64_t due)
{
	size_t i = heap_count++;

	if (due < model_base)
		due = model_base;
	if (model_fifo && due < model_latest)
		due = model_latest;
	if (due > model_latest)
		model_latest = due;
	it->due = due;
	it->number = next_number++;
	heap[i] = it;
	for (; i && before(heap[i], heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct item *model_take(void)
{
	struct item *first = heap[0];
	size_t i = 0, child;

	heap[0] = heap[--heap_count];
	while ((child = 2 * i + 1) < heap_count) {
		if (child + 1 < heap_count &&
		    before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], heap[i]))
			break;
		swap(i, child);
		i = child;
	}
	model_base = first->due;
	return first;
}

static void begin(bool fifo)
{
	delayq_init(&q, fifo);
	rng_init(&rng, 20260);
	heap_count = 0;
	model_base = model_latest = next_number = 0;
	model_fifo = fifo;
}

/* Gives the node to both; they agree on its time. */
static void add(struct item *it, uint64_t due)
{
	model_add(it, due);
	CHECK(delayq_add(&q, &it->node, due) == it->due);
	CHECK(it->node.due == it->due);
}

static void take_until(uint64_t now)
{
	struct delayq_node *n;

	while (heap_count && heap[0]->due <= now) {
		CHECK(delayq_next(&q) == heap[0]->due);
		n = delayq_take(&q, now);
		CHECK(n == &model_take()->node);
		if (!n)
			return;
	}
	CHECK(!delayq_take(&q, now));
	if (now != DELAYQ_NEVER && now > model_base)
		model_base = now;
	CHECK(q.count == heap_count);
	CHECK(delayq_next(&q) == (heap_count ? heap[0]->due : DELAYQ_NEVER));
}

/* ---- tests ---- */

static void nothing_leaves_an_empty_queue(void)
{
	begin(false);
	CHECK(delayq_next(&q) == DELAYQ_NEVER);
	CHECK(!delayq_take(&q, 0) && !delayq_take(&q, DELAYQ_NEVER));
}

static void a_frame_leaves_at_its_nanosecond_and_not_before(void)
{
	struct delayq_node n;

	begin(false);
	CHECK(delayq_add(&q, &n, 1234567891) == 1234567891);
	CHECK(delayq_next(&q) == 1234567891);
	CHECK(!delayq_take(&q, 1234567890));
	CHECK(delayq_take(&q, 1234567891) == &n);
	CHECK(q.count == 0);
}

static void frames_of_one_time_leave_as_they_came(void)
{
	struct delayq_node n[6];

	begin(false);
	delayq_add(&q, &n[5], 90 * MS);
	delayq_add(&q, &n[0], 20 * MS);
	delayq_add(&q, &n[3], 30 * MS);
	delayq_add(&q, &n[1], 20 * MS);
	CHECK(delayq_take(&q, 20 * MS) == &n[0]);
	/* Slots have been spread: the next one comes nearer by. */
	delayq_add(&q, &n[2], 20 * MS);
	delayq_add(&q, &n[4], 30 * MS);
	CHECK(delayq_take(&q, 20 * MS) == &n[1]);
	CHECK(delayq_take(&q, 20 * MS) == &n[2]);
	CHECK(!delayq_take(&q, 20 * MS));
	CHECK(delayq_take(&q, DELAYQ_NEVER) == &n[3]);
	CHECK(delayq_take(&q, DELAYQ_NEVER) == &n[4]);
	CHECK(delayq_take(&q, DELAYQ_NEVER) == &n[5]);
}

static void asking_for_the_next_time_changes_nothing(void)
{
	struct delayq_node far, middle, near;

	begin(false);
	delayq_add(&q, &far, 3600 * SEC);
	delayq_add(&q, &middle, SEC);
	CHECK(delayq_next(&q) == SEC);
	CHECK(delayq_add(&q, &near, 7) == 7 && delayq_next(&q) == 7);
	CHECK(delayq_take(&q, SEC) == &near);
	CHECK(delayq_take(&q, SEC) == &middle);
	CHECK(!delayq_take(&q, SEC) && delayq_next(&q) == 3600 * SEC);
}

static void the_past_counts_as_now(void)
{
	struct delayq_node a, b, late, c;

	begin(false);
	delayq_add(&q, &a, 100);
	CHECK(delayq_take(&q, 100) == &a);
	delayq_add(&q, &c, 101);
	delayq_add(&q, &b, 100);
	CHECK(delayq_add(&q, &late, 3) == 100);
	CHECK(delayq_take(&q, 100) == &b && delayq_take(&q, 100) == &late);
	CHECK(!delayq_take(&q, 100) && delayq_take(&q, 200) == &c);
	/* Now is what has been asked for, even if nothing left. */
	CHECK(!delayq_take(&q, 200) && delayq_add(&q, &a, 150) == 200);
	CHECK(!delayq_take(&q, 199) && delayq_take(&q, 300) == &a);
	/* But for the end of time, which is for emptying. */
	CHECK(!delayq_take(&q, DELAYQ_NEVER));
	CHECK(delayq_add(&q, &a, 250) == 250);
}

static void all_64_bits_are_times(void)
{
	struct delayq_node n[70];

	begin(false);
	for (unsigned int i = 64; i--;)
		delayq_add(&q, &n[i], UINT64_C(1) << i);
	delayq_add(&q, &n[64], DELAYQ_NEVER);
	for (unsigned int i = 0; i < 64; i++) {
		CHECK(delayq_next(&q) == UINT64_C(1) << i);
		CHECK(delayq_take(&q, UINT64_C(1) << i) == &n[i]);
	}
	CHECK(!delayq_take(&q, DELAYQ_NEVER - 1));
	CHECK(delayq_take(&q, DELAYQ_NEVER) == &n[64] && q.count == 0);
}

static void fifo_lets_nobody_overtake(void)
{
	struct delayq_node n[4];

	begin(true);
	CHECK(delayq_add(&q, &n[0], 50) == 50);
	CHECK(delayq_add(&q, &n[1], 20) == 50);
	CHECK(delayq_add(&q, &n[2], 60) == 60);
	CHECK(delayq_add(&q, &n[3], 55) == 60);
	CHECK(!delayq_take(&q, 49));
	CHECK(delayq_take(&q, 50) == &n[0] && delayq_take(&q, 50) == &n[1]);
	CHECK(delayq_take(&q, 60) == &n[2] && delayq_take(&q, 60) == &n[3]);
}

static void fifo_can_be_switched_while_frames_wait(void)
{
	struct delayq_node n[5];

	begin(false);
	delayq_add(&q, &n[0], 50);
	delayq_add(&q, &n[1], 20);
	delayq_set_fifo(&q, true);
	CHECK(delayq_add(&q, &n[2], 10) == 50);
	delayq_set_fifo(&q, false);
	CHECK(delayq_add(&q, &n[3], 10) == 10);
	CHECK(delayq_take(&q, 99) == &n[3] && delayq_take(&q, 99) == &n[1]);
	CHECK(delayq_take(&q, 99) == &n[0] && delayq_take(&q, 99) == &n[2]);
}

/* A random time of a random order of magnitude, as often near as far. */
static uint64_t any_delay(unsigned int max_bits)
{
	return rng_u64(&rng) >> (64 - rng_below(&rng, max_bits) - 1);
}

static void the_order_is_the_models(void)
{
	enum {
		ITEMS = 3000,
		STEPS = 200000
	};
	static struct item items[ITEMS];
	static struct item *order[ITEMS];
	size_t waiting = 0, free_from = 0;
	uint64_t now = 0;

	heap = order;
	for (unsigned int bits = 4; bits <= 64; bits += 10) {
		begin(bits % 20 == 4);
		now = free_from = 0;
		for (unsigned int i = 0; i < STEPS / 7; i++) {
			uint64_t step = any_delay(bits / 2);

			/* Items are used in a circle: any number of them is
			 * free when all have left. */
			waiting = heap_count;
			if (waiting == 0)
				free_from = 0;
			if (free_from < ITEMS && rng_below(&rng, 100) < 60) {
				uint64_t due = now + any_delay(bits);

				/* Some in the past, some at a full hour. */
				if (due < now)
					due = DELAYQ_NEVER;
				if (rng_below(&rng, 8) == 0)
					due = now / 2;
				if (rng_below(&rng, 8) == 0)
					due &= ~UINT64_C(0xfff);
				add(&items[free_from++], due);
				continue;
			}
			now = step > UINT64_MAX - now ? UINT64_MAX : now + step;
			if (free_from == ITEMS)
				now = heap[heap_count - 1]->due;
			if (rng_below(&rng, 500) == 0) {
				model_fifo = !model_fifo;
				delayq_set_fifo(&q, model_fifo);
			}
			take_until(now);
			if (test_failed)
				return;
		}
		take_until(DELAYQ_NEVER);
		CHECK(q.count == 0);
	}
}

/* What a stream of frames costs, in moves of nodes. */
struct cost {
	double mean; /* of a frame */
	uint64_t most; /* of one call */
};

static uint64_t moves_before;

static void count_call(struct cost *c)
{
	if (q.moves - moves_before > c->most)
		c->most = q.moves - moves_before;
	moves_before = q.moves;
}

/* @total frames come every @gap ns with delays from @min to @min + @spread;
 * the time is looked at when one comes, and every @gap at the end. */
static struct cost stream(struct delayq_node *nodes, size_t total, uint64_t min,
			  uint64_t spread, uint64_t gap)
{
	struct delayq_node *unused = NULL, *n;
	uint64_t now = 0, left = 0, last = 0;
	struct cost c = { 0 };
	size_t fresh = 0;
	bool right = true;

	begin(false);
	moves_before = 0;
	for (size_t i = 0; left < total; i++, now += gap ? gap : i >= total) {
		while ((n = delayq_take(&q, now))) {
			count_call(&c);
			right &= n->due >= last && n->due <= now &&
				 n->due + gap + 1 >= now;
			last = n->due;
			n->next = unused;
			unused = n;
			left++;
		}
		count_call(&c);
		if (i >= total)
			continue;
		n = unused ? unused : &nodes[fresh++];
		unused = unused ? unused->next : NULL;
		delayq_add(&q, n, now + min + rng_below(&rng, spread));
		count_call(&c);
	}
	CHECK(right && q.count == 0);
	c.mean = (double)q.moves / (double)total;
	printf("# %zu frames, %zu in flight: %.2f moves of a frame, "
	       "at most %llu in a call\n",
	       total, fresh, c.mean, (unsigned long long)c.most);
	return c;
}

static void a_million_frames_cost_no_more_each_than_a_thousand(void)
{
	enum {
		MANY = 1000000,
		FEW = 1000
	};
	struct delayq_node *nodes = calloc(3 * MANY / 2, sizeof(*nodes));
	struct cost few, many;

	CHECK(nodes);
	if (!nodes)
		return;
	/* 1 s +- 0.5 s of random delay. */
	few = stream(nodes, 3 * FEW, SEC / 2, SEC, SEC / FEW);
	many = stream(nodes, 3 * MANY, SEC / 2, SEC, SEC / MANY);
	CHECK(few.mean <= 6 && many.mean <= 6);
	/* Nor does a call take long: few nodes are moved at once. */
	CHECK(many.most <= 100);
	/* A delay that is always the same moves nothing, nor do frames of one
	 * time. */
	CHECK(stream(nodes, MANY, 100 * MS, 1, 100).mean == 0);
	CHECK(stream(nodes, FEW, 100, 1, 0).mean == 0);
	free(nodes);
}

static void the_bound_of_moves_holds_in_the_worst_case(void)
{
	enum {
		N = 20000
	};
	static struct delayq_node n[N];
	static struct delayq_node last;
	bool sorted = true;
	uint64_t was = 0;

	begin(false);
	/* Everything as far away as can be, and near together. */
	delayq_add(&q, &last, DELAYQ_NEVER);
	for (size_t i = 0; i < N; i++)
		delayq_add(&q, &n[i], DELAYQ_NEVER - 1 - rng_below(&rng, N));
	for (size_t i = 0; i < N; i++) {
		struct delayq_node *t = delayq_take(&q, DELAYQ_NEVER - 1);

		sorted &= t && t->due >= was;
		was = t ? t->due : was;
	}
	CHECK(sorted && delayq_take(&q, DELAYQ_NEVER) == &last);
	CHECK(q.moves > 2 * N && q.moves <= (DELAYQ_LEVELS - 1) * N);
}

int main(void)
{
	RUN(nothing_leaves_an_empty_queue);
	RUN(a_frame_leaves_at_its_nanosecond_and_not_before);
	RUN(frames_of_one_time_leave_as_they_came);
	RUN(asking_for_the_next_time_changes_nothing);
	RUN(the_past_counts_as_now);
	RUN(all_64_bits_are_times);
	RUN(fifo_lets_nobody_overtake);
	RUN(fifo_can_be_switched_while_frames_wait);
	RUN(the_order_is_the_models);
	RUN(a_million_frames_cost_no_more_each_than_a_thousand);
	RUN(the_bound_of_moves_holds_in_the_worst_case);
	DONE();
}
