// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains of nodes: what nodes keep, which edges may be, when a step is due,
 * and where steps lead in the long run.
 */
#include "wirefilter/markov.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"
#include "stats.h"

#define MS UINT64_C(1000000)
#define N 200000

/* Stands for whatever a wire has as parameters. */
struct params {
	double a[3];
	int node;
};

static int inits;

static void on_init(void *params, void *ctx)
{
	struct params *p = params;

	inits++;
	p->a[2] = *(const double *)ctx;
}

static double seven = 7;

static struct markov *chain(unsigned int n)
{
	struct markov *m = markov_new(sizeof(struct params), on_init, &seven);

	if (!m || markov_set_nodes(m, n, 0) < 0) {
		puts("Bail out! no memory");
		exit(1);
	}
	return m;
}

static bool edge(struct markov *m, unsigned int from, unsigned int to,
		 double percent)
{
	return markov_set_edge(m, from, to, percent) == 0;
}

/* ---- nodes ---- */

static void a_chain_begins_with_one_node_that_nothing_leaves(void)
{
	struct markov *m = markov_new(8, NULL, NULL);
	struct markov_move move;
	struct rng rng;

	CHECK(m);
	if (!m)
		return;
	rng_init(&rng, 1);
	CHECK(markov_nodes(m) == 1 && markov_current(m) == 0);
	CHECK(markov_edge(m, 0, 0) == 100);
	CHECK(markov_name(m, 0)[0] == '\0');
	CHECK(markov_next(m) == 0 && markov_period(m) == 100 * MS);
	CHECK(!markov_step(m, &rng, UINT64_MAX, &move));
	CHECK(!memcmp(markov_params(m, 0), "\0\0\0\0\0\0\0", 8));
	markov_free(m);
	markov_free(NULL);
}

static void nodes_keep_what_they_have_when_others_come_and_go(void)
{
	struct markov *m;
	struct params *p;

	inits = 0;
	m = chain(3);
	CHECK(inits == 3);
	for (unsigned int i = 0; i < 3; i++) {
		p = markov_params(m, i);
		CHECK(p->a[2] == 7 && p->a[0] == 0 && p->node == 0);
		p->node = 10 + (int)i;
	}
	CHECK(markov_set_name(m, 1, "bad state") == 0);
	CHECK(edge(m, 0, 1, 30) && edge(m, 1, 0, 5) && edge(m, 1, 2, 60));
	CHECK(markov_set_current(m, 1) == 0);
	CHECK(markov_set_nodes(m, 5, 0) == 0 && inits == 5);
	CHECK(markov_set_nodes(m, 2, 0) == 0 && inits == 5);
	CHECK(markov_nodes(m) == 2 && markov_current(m) == 1);
	p = markov_params(m, 1);
	CHECK(p->node == 11 && !strcmp(markov_name(m, 1), "bad state"));
	CHECK(markov_edge(m, 0, 1) == 30 && markov_edge(m, 0, 0) == 70);
	CHECK(markov_edge(m, 1, 0) == 5 && markov_edge(m, 1, 1) == 95);
	/* what was forgotten stays forgotten */
	CHECK(markov_set_nodes(m, 3, 0) == 0 && inits == 6);
	p = markov_params(m, 2);
	CHECK(p->node == 0 && p->a[2] == 7 && markov_edge(m, 1, 2) == 0);
	markov_free(m);
}

static void a_chain_whose_node_goes_is_in_the_first(void)
{
	struct markov *m = chain(3);

	CHECK(markov_set_current(m, 2) == 0);
	CHECK(markov_set_nodes(m, 2, 0) == 0 && markov_current(m) == 0);
	CHECK(markov_set_current(m, 1) == 0);
	CHECK(markov_set_current(m, 2) == -EINVAL && markov_current(m) == 1);
	CHECK(markov_set_current(m, UINT32_MAX) == -EINVAL);
	markov_free(m);
}

static void the_number_of_nodes_is_bounded(void)
{
	struct markov *m = chain(2);

	CHECK(edge(m, 0, 1, 40));
	CHECK(markov_set_nodes(m, 0, 0) == -EINVAL);
	CHECK(markov_set_nodes(m, MARKOV_NODES_MAX + 1, 0) == -EINVAL);
	CHECK(markov_set_nodes(m, UINT32_MAX, 0) == -EINVAL);
	CHECK(markov_nodes(m) == 2 && markov_edge(m, 0, 1) == 40);
	CHECK(markov_set_nodes(m, MARKOV_NODES_MAX, 0) == 0);
	CHECK(edge(m, MARKOV_NODES_MAX - 1, 0, 100));
	CHECK(markov_edge(m, 0, 1) == 40);
	markov_free(m);
}

static void names_are_bounded(void)
{
	char name[MARKOV_NAME + 1];
	struct markov *m = chain(2);

	memset(name, 'x', sizeof(name));
	name[MARKOV_NAME] = '\0';
	CHECK(markov_set_name(m, 1, "old") == 0);
	CHECK(markov_set_name(m, 1, name) == -ENAMETOOLONG);
	CHECK(!strcmp(markov_name(m, 1), "old"));
	CHECK(markov_set_name(m, 1, name + 1) == 0);
	CHECK(!strcmp(markov_name(m, 1), name + 1));
	CHECK(markov_set_name(m, 2, "x") == -EINVAL);
	CHECK(markov_set_name(m, 1, "") == 0 && !markov_name(m, 1)[0]);
	markov_free(m);
}

/* ---- edges ---- */

static void edges_add_up_to_100_percent(void)
{
	struct markov *m = chain(4);

	CHECK(edge(m, 0, 1, 60) && edge(m, 0, 2, 30));
	CHECK(markov_edge(m, 0, 0) == 10);
	CHECK(markov_set_edge(m, 0, 3, 10.1) == -ERANGE);
	CHECK(markov_set_edge(m, 0, 2, 41) == -ERANGE);
	CHECK(markov_edge(m, 0, 2) == 30 && markov_edge(m, 0, 3) == 0);
	CHECK(edge(m, 0, 2, 40) && markov_edge(m, 0, 0) == 0);
	CHECK(edge(m, 0, 1, 0) && markov_edge(m, 0, 0) == 60);
	CHECK(markov_edge(m, 1, 1) == 100); /* others are as they were */
	CHECK(edge(m, 1, 0, 33.3) && edge(m, 1, 2, 33.3));
	CHECK(edge(m, 1, 3, 33.4) && markov_edge(m, 1, 1) >= 0);
	markov_free(m);
}

static void edges_that_cannot_be_are_refused(void)
{
	struct markov *m = chain(2);

	CHECK(edge(m, 0, 1, 50));
	CHECK(markov_set_edge(m, 0, 2, 1) == -EINVAL);
	CHECK(markov_set_edge(m, 2, 0, 1) == -EINVAL);
	CHECK(markov_set_edge(m, 0, 1, -1) == -EINVAL);
	CHECK(markov_set_edge(m, 0, 1, 100.5) == -EINVAL);
	CHECK(markov_set_edge(m, 0, 1, NAN) == -EINVAL);
	CHECK(markov_set_edge(m, 0, 1, INFINITY) == -EINVAL);
	CHECK(markov_edge(m, 0, 1) == 50);
	markov_free(m);
}

static void an_edge_to_itself_is_what_is_left(void)
{
	struct markov *m = chain(2);

	CHECK(edge(m, 0, 1, 30) && edge(m, 0, 0, 70));
	CHECK(markov_set_edge(m, 0, 0, 50) == -ERANGE);
	CHECK(markov_edge(m, 0, 0) == 70 && markov_edge(m, 0, 1) == 30);
	markov_free(m);
}

/* ---- steps ---- */

static void steps_are_due_at_each_period(void)
{
	struct markov *m = chain(2);
	struct markov_move move;
	struct rng rng;

	rng_init(&rng, 1);
	CHECK(edge(m, 0, 1, 100) && edge(m, 1, 0, 100));
	CHECK(markov_set_period(m, 10 * MS, 5 * MS) == 0);
	CHECK(markov_next(m) == 15 * MS && markov_period(m) == 10 * MS);
	CHECK(!markov_step(m, &rng, 15 * MS - 1, &move));
	CHECK(markov_step(m, &rng, 15 * MS, &move));
	CHECK(move.from == 0 && move.to == 1 && move.at == 15 * MS);
	CHECK(!move.left_out && markov_current(m) == 1);
	CHECK(!markov_step(m, &rng, 15 * MS, &move));
	CHECK(markov_next(m) == 25 * MS);
	/* late, and three at once: none is lost, none is moved */
	CHECK(markov_step(m, &rng, 49 * MS, &move) && move.at == 25 * MS);
	CHECK(markov_step(m, &rng, 49 * MS, &move) && move.at == 35 * MS);
	CHECK(markov_step(m, &rng, 49 * MS, &move) && move.at == 45 * MS);
	CHECK(!markov_step(m, &rng, 49 * MS, &move));
	CHECK(markov_next(m) == 55 * MS && markov_current(m) == 0);
	markov_free(m);
}

static void a_new_period_and_new_nodes_start_a_period(void)
{
	struct markov *m = chain(2);

	CHECK(markov_set_period(m, MS, 0) == 0);
	CHECK(markov_set_nodes(m, 3, 10 * MS) == 0);
	CHECK(markov_next(m) == 11 * MS);
	CHECK(markov_set_period(m, 3 * MS, 20 * MS) == 0);
	CHECK(markov_next(m) == 23 * MS);
	CHECK(markov_set_period(m, 0, 30 * MS) == -EINVAL);
	CHECK(markov_set_period(m, 999, 30 * MS) == -EINVAL);
	CHECK(markov_set_period(m, UINT64_MAX, 30 * MS) == -EINVAL);
	CHECK(markov_period(m) == 3 * MS && markov_next(m) == 23 * MS);
	CHECK(markov_set_nodes(m, 1, 40 * MS) == 0 && markov_next(m) == 0);
	markov_free(m);
}

/* After a day asleep, steps of a microsecond must not take minutes. */
static void steps_that_are_much_too_late_are_left_out(void)
{
	const uint64_t day = UINT64_C(86400000) * MS;
	struct markov *m = chain(2);
	struct markov_move move;
	uint64_t n = 0, left_out = 0, last = 0;
	struct rng rng;

	rng_init(&rng, 1);
	CHECK(edge(m, 0, 1, 50) && edge(m, 1, 0, 50));
	CHECK(markov_set_period(m, 1000, 7) == 0);
	while (markov_step(m, &rng, day, &move)) {
		n++;
		left_out += move.left_out;
		CHECK(move.at > last && (n == 1 || !move.left_out));
		last = move.at;
	}
	CHECK(n == MARKOV_LATE_MAX);
	CHECK(n + left_out == (day - 7) / 1000);
	CHECK(last <= day && markov_next(m) > day);
	CHECK(markov_next(m) % 1000 == 7); /* still in step */
	markov_free(m);
}

static void a_step_takes_one_draw_wherever_it_leads(void)
{
	struct markov *m = chain(3);
	struct markov_move move;
	struct rng a, b;

	CHECK(edge(m, 0, 1, 50) && edge(m, 1, 0, 100));
	rng_init(&a, 1);
	b = a;
	for (uint64_t i = 1; i < 100; i++) {
		CHECK(markov_step(m, &a, i * 100 * MS, &move));
		rng_u64(&b);
		CHECK(!memcmp(&a, &b, sizeof(a)));
	}
	markov_free(m);
}

/* Of a row of a matrix: what it does to the probabilities of all nodes. */
static void settle(const struct markov *m, double *p)
{
	unsigned int n = markov_nodes(m);
	double next[8];

	for (unsigned int i = 0; i < n; i++)
		p[i] = 1.0 / n;
	for (int round = 0; round < 2000; round++) {
		for (unsigned int to = 0; to < n; to++) {
			next[to] = 0;
			for (unsigned int i = 0; i < n; i++)
				next[to] += p[i] * markov_edge(m, i, to) / 100;
		}
		memcpy(p, next, n * sizeof(*p));
	}
}

static struct markov *four_nodes(void)
{
	struct markov *m = chain(4);

	CHECK(edge(m, 0, 1, 10) && edge(m, 0, 3, 2.5));
	CHECK(edge(m, 1, 2, 50) && edge(m, 1, 0, 50));
	CHECK(edge(m, 2, 0, 5) && edge(m, 2, 1, 0.1) && edge(m, 2, 3, 30));
	CHECK(edge(m, 3, 0, 100));
	return m;
}

/* Each row: a step from a node does not depend on how it got there, so that
 * the steps from it are independent draws with the edges as probabilities. */
static void steps_follow_the_edges(void)
{
	static uint64_t seen[4][4];
	struct markov *m = four_nodes();
	struct markov_move move;
	struct rng rng;

	rng_stream(&rng, 42, 3, 3);
	for (uint64_t i = 1; i <= N; i++)
		if (markov_step(m, &rng, i * 100 * MS, &move))
			seen[move.from][move.to]++;
	for (unsigned int from = 0; from < 4; from++) {
		double all = 0;

		for (unsigned int to = 0; to < 4; to++)
			all += (double)seen[from][to];
		CHECK(all > 1000);
		for (unsigned int to = 0; to < 4; to++) {
			double p = markov_edge(m, from, to) / 100;

			if (p <= 0 || p >= 1)
				CHECK((double)seen[from][to] == p * all);
			else
				CHECK(stat_share((double)seen[from][to], all,
						 p));
		}
	}
	markov_free(m);
}

/* Samples 40 steps apart have forgotten each other. */
static void in_the_long_run_each_node_has_its_share(void)
{
	struct markov *m = four_nodes();
	uint64_t seen[4] = { 0 };
	double p[8], expected[4];
	struct markov_move move;
	struct rng rng;

	settle(m, p);
	rng_stream(&rng, 43, 3, 3);
	for (uint64_t i = 1; i <= 40 * 5000; i++) {
		markov_step(m, &rng, i * 100 * MS, &move);
		if (i % 40 == 0)
			seen[markov_current(m)]++;
	}
	for (int i = 0; i < 4; i++)
		expected[i] = 5000 * p[i];
	CHECK(stat_chi2(seen, expected, 4));
	markov_free(m);
}

static void visits_last_as_long_as_the_loop_says(void)
{
	struct markov *m = chain(2);
	double visits = 0, steps = 0;
	struct markov_move move;
	struct rng rng;

	CHECK(edge(m, 0, 1, 5) && edge(m, 1, 0, 40));
	rng_stream(&rng, 44, 3, 3);
	for (uint64_t i = 1; i <= N; i++) {
		markov_step(m, &rng, i * 100 * MS, &move);
		steps += move.from == 0;
		visits += move.from == 0 && move.to == 1;
	}
	/* geometric, with mean 20 and deviation sqrt(20 * 19) */
	CHECK(stat_mean(steps / visits, visits, 20, sqrt(20 * 19)));
	markov_free(m);
}

static void the_same_seed_takes_the_same_way(void)
{
	struct markov *a = four_nodes(), *b = four_nodes();
	struct markov_move ma, mb;
	struct rng ra, rb;

	rng_stream(&ra, 1, 2, 3);
	rb = ra;
	/* one is looked at often, the other seldom */
	for (uint64_t t = 0; t <= 19600 * MS; t += 7 * MS) {
		while (markov_step(a, &ra, t, &ma))
			;
		if (t % (700 * MS))
			continue;
		while (markov_step(b, &rb, t, &mb))
			;
		CHECK(markov_current(a) == markov_current(b));
	}
	CHECK(!memcmp(&ra, &rb, sizeof(ra)));
	markov_free(a);
	markov_free(b);
}

int main(void)
{
	RUN(a_chain_begins_with_one_node_that_nothing_leaves);
	RUN(nodes_keep_what_they_have_when_others_come_and_go);
	RUN(a_chain_whose_node_goes_is_in_the_first);
	RUN(the_number_of_nodes_is_bounded);
	RUN(names_are_bounded);
	RUN(edges_add_up_to_100_percent);
	RUN(edges_that_cannot_be_are_refused);
	RUN(an_edge_to_itself_is_what_is_left);
	RUN(steps_are_due_at_each_period);
	RUN(a_new_period_and_new_nodes_start_a_period);
	RUN(steps_that_are_much_too_late_are_left_out);
	RUN(a_step_takes_one_draw_wherever_it_leads);
	RUN(steps_follow_the_edges);
	RUN(in_the_long_run_each_node_has_its_share);
	RUN(visits_last_as_long_as_the_loop_says);
	RUN(the_same_seed_takes_the_same_way);
	DONE();
}
