// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/markov.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

/* 33.3 + 33.3 + 33.4 is a little more than 100. */
#define ROUNDING 1e-9

/* What the nodes have, in arrays of @n, or @n times @n. */
struct nodes {
	unsigned int n;
	char (*names)[MARKOV_NAME];
	double *edges; /* from * n + to, percent; from one to itself 0 */
	unsigned char *params;
};

struct markov {
	struct nodes nodes;
	size_t params_size;
	markov_init_fn *init;
	void *ctx;
	unsigned int current;
	uint64_t period, next;
};

static void nodes_free(struct nodes *nd)
{
	free(nd->names);
	free(nd->edges);
	free(nd->params);
}

static bool nodes_alloc(struct nodes *nd, unsigned int n, size_t params_size)
{
	nd->n = n;
	nd->names = calloc(n, sizeof(*nd->names));
	nd->edges = calloc((size_t)n * n, sizeof(*nd->edges));
	nd->params = calloc(n, params_size ? params_size : 1);
	if (nd->names && nd->edges && nd->params)
		return true;
	nodes_free(nd);
	return false;
}

static void nodes_copy(struct nodes *to, const struct nodes *from,
		       size_t params_size)
{
	unsigned int n = from->n < to->n ? from->n : to->n;

	if (!n)
		return;
	memcpy(to->names, from->names, n * sizeof(*to->names));
	memcpy(to->params, from->params, n * params_size);
	for (unsigned int i = 0; i < n; i++)
		memcpy(&to->edges[(size_t)i * to->n],
		       &from->edges[(size_t)i * from->n],
		       n * sizeof(*to->edges));
}

static int resize(struct markov *m, unsigned int n)
{
	struct nodes nd, old = m->nodes;

	if (!nodes_alloc(&nd, n, m->params_size))
		return -ENOMEM;
	nodes_copy(&nd, &old, m->params_size);
	m->nodes = nd;
	for (unsigned int i = old.n; i < n && m->init; i++)
		m->init(markov_params(m, i), m->ctx);
	nodes_free(&old);
	if (m->current >= n)
		m->current = 0;
	return 0;
}

struct markov *markov_new(size_t params_size, markov_init_fn *init, void *ctx)
{
	struct markov *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->params_size = params_size;
	m->init = init;
	m->ctx = ctx;
	m->period = MARKOV_PERIOD_DEFAULT;
	if (resize(m, 1) < 0) {
		free(m);
		return NULL;
	}
	return m;
}

void markov_free(struct markov *m)
{
	if (!m)
		return;
	nodes_free(&m->nodes);
	free(m);
}

/* ---- nodes ---- */

int markov_set_nodes(struct markov *m, unsigned int n, uint64_t now)
{
	int rc;

	if (!n || n > MARKOV_NODES_MAX)
		return -EINVAL;
	rc = resize(m, n);
	if (!rc)
		m->next = now + m->period;
	return rc;
}

unsigned int markov_nodes(const struct markov *m)
{
	return m->nodes.n;
}

void *markov_params(struct markov *m, unsigned int node)
{
	return m->nodes.params + node * m->params_size;
}

int markov_set_name(struct markov *m, unsigned int node, const char *name)
{
	char copy[MARKOV_NAME];

	if (node >= m->nodes.n)
		return -EINVAL;
	if (str_copy(copy, sizeof(copy), name) < 0)
		return -ENAMETOOLONG;
	memcpy(m->nodes.names[node], copy, sizeof(copy));
	return 0;
}

const char *markov_name(const struct markov *m, unsigned int node)
{
	return m->nodes.names[node];
}

/* ---- edges ---- */

/* To other nodes than @from and @but. */
static double leaving(const struct markov *m, unsigned int from,
		      unsigned int but)
{
	const double *edges = &m->nodes.edges[(size_t)from * m->nodes.n];
	double sum = 0;

	for (unsigned int i = 0; i < m->nodes.n; i++)
		if (i != but)
			sum += edges[i];
	return sum;
}

double markov_edge(const struct markov *m, unsigned int from, unsigned int to)
{
	double sum;

	if (from != to)
		return m->nodes.edges[(size_t)from * m->nodes.n + to];
	sum = leaving(m, from, from);
	return sum < 100 ? 100 - sum : 0;
}

int markov_set_edge(struct markov *m, unsigned int from, unsigned int to,
		    double percent)
{
	double off;

	if (from >= m->nodes.n || to >= m->nodes.n ||
	    !(percent >= 0 && percent <= 100))
		return -EINVAL;
	if (from == to) {
		off = percent - markov_edge(m, from, from);
		return off < -ROUNDING || off > ROUNDING ? -ERANGE : 0;
	}
	if (leaving(m, from, to) + percent > 100 + ROUNDING)
		return -ERANGE;
	m->nodes.edges[(size_t)from * m->nodes.n + to] = percent;
	return 0;
}

/* ---- steps ---- */

int markov_set_current(struct markov *m, unsigned int node)
{
	if (node >= m->nodes.n)
		return -EINVAL;
	m->current = node;
	return 0;
}

unsigned int markov_current(const struct markov *m)
{
	return m->current;
}

int markov_set_period(struct markov *m, uint64_t period, uint64_t now)
{
	if (period < MARKOV_PERIOD_MIN || period > MARKOV_PERIOD_MAX)
		return -EINVAL;
	m->period = period;
	m->next = now + period;
	return 0;
}

uint64_t markov_period(const struct markov *m)
{
	return m->period;
}

/* Where @u of 100 leads to. */
static unsigned int leads_to(const struct markov *m, double u)
{
	const double *edges = &m->nodes.edges[(size_t)m->current * m->nodes.n];

	for (unsigned int i = 0; i < m->nodes.n; i++) {
		if (u < edges[i])
			return i;
		u -= edges[i];
	}
	return m->current;
}

bool markov_step(struct markov *m, struct rng *rng, uint64_t now,
		 struct markov_move *move)
{
	uint64_t late;

	if (m->nodes.n < 2 || now < m->next)
		return false;
	late = (now - m->next) / m->period;
	move->left_out = late >= MARKOV_LATE_MAX ? late - MARKOV_LATE_MAX + 1
						 : 0;
	move->at = m->next + move->left_out * m->period;
	move->from = m->current;
	move->to = leads_to(m, 100 * rng_unit(rng));
	m->current = move->to;
	m->next = move->at + m->period;
	return true;
}

uint64_t markov_next(const struct markov *m)
{
	return m->nodes.n < 2 ? 0 : m->next;
}
