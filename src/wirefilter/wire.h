/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire - both directions of a wire, and all that can be set for it
 *
 * A pure engine, as impair.h, which it uses for each direction: whoever has a
 * wire gives it frames and the time, and text that sets it. It has the Markov
 * chain whose nodes are complete sets of settings, classes of frames with
 * settings of their own, tables of distributions, blackouts and traces.
 */
#ifndef WIREFILTER_WIRE_H
#define WIREFILTER_WIRE_H

#include "base/list.h"
#include "wirefilter/impair.h"
#include "wirefilter/markov.h"

#define WIRE_LR 0
#define WIRE_RL 1
#define WIRE_CLASS_NAME 32 /* with the NUL */
#define WIRE_TABLES_MAX 64

struct wire_class {
	bool used;
	char name[WIRE_CLASS_NAME];
	struct params params[2]; /* LR, RL */
};

struct wire_node {
	struct params params[2];
};

struct wire {
	uint64_t seed;
	bool both; /* two directions; else L->R alone */
	bool fifo;
	uint64_t now; /* of the last call */
	struct impair *dir[2]; /* the second NULL unless @both */
	struct markov *markov; /* of struct wire_node */
	struct rng steps; /* of the chain */
	struct wire_class classes[IMPAIR_CLASSES]; /* [0] is the nodes' */
	unsigned int last_class; /* that was added; 0: none */
	struct blackout blackouts[2][BLACKOUT_MAX];
	int n_blackouts[2];
	struct list tables;
	unsigned int n_tables;
	void (*moved)(void *ctx, const struct markov_move *); /* may be NULL */
	void *ctx;
};

/* NULL without memory. @now is where its time begins. */
struct wire *wire_new(uint64_t seed, bool both, size_t memory_max,
		      uint64_t now);
void wire_free(struct wire *);

/*
 * Sets something as an option or a command does: @name is that of a row of
 * params.h or "blackout". 0, or -EINVAL after saying in @why what is wrong:
 * "unable to set delay 'x': ..." without the newline; nothing has changed then.
 * @class 0 is the wire itself.
 */
int wire_set(struct wire *, unsigned int class, const char *name,
	     const char *text, uint64_t now, struct strbuf *why);
/* As VDE 2 prints it, of node @node: "10+5U"; @direction WIRE_LR, WIRE_RL. */
const struct params *wire_params(const struct wire *, unsigned int node,
				 int direction);
void wire_set_fifo(struct wire *, bool fifo);

/* A table becomes known as @name: the wire's if 0, else -EEXIST, -ENOSPC,
 * -EINVAL (the name is not one of a shape). */
int wire_add_table(struct wire *, const char *name, struct dist_table *);

/* The number of a class, 1 to IMPAIR_CLASSES - 1; -EEXIST, -ENOSPC, -EINVAL
 * (letters, digits, - and _ make a name); -ENOENT. */
int wire_add_class(struct wire *, const char *name);
int wire_find_class(const struct wire *, const char *name);
void wire_del_class(struct wire *, unsigned int class, uint64_t now);

/* Markov: as markov.h has it, and the current node is in force at once. */
int wire_set_nodes(struct wire *, unsigned int n, uint64_t now);
int wire_set_current(struct wire *, unsigned int node, uint64_t now);
int wire_set_period(struct wire *, uint64_t period, uint64_t now);

/* Steps of the chain that are due. Before frames of that time. */
void wire_advance(struct wire *, uint64_t now);
/* When something of the wire itself or of a direction is due; IMPAIR_NEVER. */
uint64_t wire_next(struct wire *);

#endif
