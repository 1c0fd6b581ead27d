/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * markov - a wire that changes: nodes with parameters, and steps between them
 *
 * A node has a name and one set of parameters: bytes of a size that the owner
 * chose, at the same index as the node; what they mean is the owner's matter.
 * An edge from a to b has the percentage of steps that lead from a to b; what
 * the edges of a leave of 100 % stays at a.
 *
 * The chain begins in node 0. A step is due every period: at absolute times,
 * so that the time between two is right on average whatever the lateness of
 * each. A step takes one draw, whether or not it leads to another node; a
 * chain of a single node makes none.
 */
#ifndef WIREFILTER_MARKOV_H
#define WIREFILTER_MARKOV_H

#include "base/rng.h"
#include "base/util.h"

#define MARKOV_NODES_MAX 1024
#define MARKOV_NAME 64 /* with the NUL */
#define MARKOV_PERIOD_DEFAULT UINT64_C(100000000) /* ns */
#define MARKOV_PERIOD_MIN UINT64_C(1000) /* ns */
#define MARKOV_PERIOD_MAX UINT64_C(1000000000000000) /* ns: 11 days */
#define MARKOV_LATE_MAX 10000 /* steps; those due before are left out */

struct markov;

/* Fills the parameters of a new node, which are zeros before. */
typedef void markov_init_fn(void *params, void *ctx);

/* One node, which nothing leaves. @init may be NULL. NULL if there is no
 * memory. Times are in ns. */
struct markov *markov_new(size_t params_size, markov_init_fn *init, void *ctx);
void markov_free(struct markov *);

/* More nodes are new ones; of fewer the last ones go, with the edges to them,
 * and the chain is in node 0 if it was in one of them. Nodes that stay are as
 * they were. The next step is a period after @now. -EINVAL if @n is not 1 to
 * MARKOV_NODES_MAX, -ENOMEM; nothing changes then. */
int markov_set_nodes(struct markov *, unsigned int n, uint64_t now);
unsigned int markov_nodes(const struct markov *);

/* Of a node that exists; until markov_set_nodes() or markov_free(). */
void *markov_params(struct markov *, unsigned int node);

/* -EINVAL if there is no such node, -ENAMETOOLONG. */
int markov_set_name(struct markov *, unsigned int node, const char *name);
/* Of a node that exists; empty if it has got none. */
const char *markov_name(const struct markov *, unsigned int node);

/* -EINVAL: no such node, or @percent is not 0 to 100; -ERANGE: with the other
 * edges of @from it would be more than 100. From a node to itself it is what
 * is left: -ERANGE if it is not @percent already. */
int markov_set_edge(struct markov *, unsigned int from, unsigned int to,
		    double percent);
/* Between nodes that exist, also from one to itself. */
double markov_edge(const struct markov *, unsigned int from, unsigned int to);

/* Puts the chain there, and changes no step's time: -EINVAL if there is no
 * such node. */
int markov_set_current(struct markov *, unsigned int node);
unsigned int markov_current(const struct markov *);

/* The next step is a period after @now. -EINVAL if it is not in the
 * range above. */
int markov_set_period(struct markov *, uint64_t period, uint64_t now);
uint64_t markov_period(const struct markov *);

struct markov_move {
	unsigned int from, to; /* may be the same */
	uint64_t at; /* when it was due */
	uint64_t left_out; /* steps before it that were not made: too late */
};

/* Makes one step, if one is due: call it until it is false. */
bool markov_step(struct markov *, struct rng *, uint64_t now,
		 struct markov_move *);

/* When the next step is due; 0: never. */
uint64_t markov_next(const struct markov *);

#endif
