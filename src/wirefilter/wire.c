// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_CHAIN 2 /* of random numbers; 0 and 1 are the directions */
#define NAME_CHARS                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-_"

struct wire_table {
	struct list node;
	char name[VALUE_NAME];
	struct dist_table *table;
};

static struct wire_node *node_of(const struct wire *w, unsigned int n)
{
	return markov_params(w->markov, n);
}

static int n_directions(const struct wire *w)
{
	return w->both ? 2 : 1;
}

/* ---- what is in force ---- */

static void use_node(struct wire *w, uint64_t now)
{
	struct wire_node *n = node_of(w, markov_current(w->markov));

	for (int d = 0; d < n_directions(w); d++)
		impair_use(w->dir[d], 0, &n->params[d], now);
}

static void use_class(struct wire *w, unsigned int class, uint64_t now)
{
	struct wire_class *c = &w->classes[class];

	for (int d = 0; d < n_directions(w); d++)
		impair_use(w->dir[d], class, c->used ? &c->params[d] : NULL,
			   now);
}

/* ---- begin and end ---- */

static void init_node(void *params, void *ctx)
{
	struct wire_node *n = params;

	params_init(&n->params[WIRE_LR]);
	params_init(&n->params[WIRE_RL]);
}

static void fini_node(struct wire_node *n)
{
	params_fini(&n->params[WIRE_LR]);
	params_fini(&n->params[WIRE_RL]);
}

struct wire *wire_new(uint64_t seed, bool both, size_t memory_max, uint64_t now)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->seed = seed;
	w->both = both;
	w->fifo = true;
	w->now = now;
	list_init(&w->tables);
	rng_stream(&w->steps, seed, STREAM_CHAIN, 0);
	w->markov = markov_new(sizeof(struct wire_node), init_node, NULL);
	w->dir[0] = impair_new(seed, WIRE_LR, memory_max);
	w->dir[1] = both ? impair_new(seed, WIRE_RL, memory_max) : NULL;
	if (!w->markov || !w->dir[0] || (both && !w->dir[1])) {
		wire_free(w);
		return NULL;
	}
	use_node(w, now);
	return w;
}

static void free_tables(struct wire *w)
{
	struct wire_table *t;

	for (struct list *l = w->tables.next, *next; l != &w->tables;
	     l = next) {
		next = l->next;
		t = container_of(l, struct wire_table, node);
		dist_table_free(t->table);
		free(t);
	}
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	impair_free(w->dir[0]);
	impair_free(w->dir[1]);
	for (unsigned int c = 1; c < IMPAIR_CLASSES; c++)
		if (w->classes[c].used)
			for (int d = 0; d < 2; d++)
				params_fini(&w->classes[c].params[d]);
	if (w->markov)
		for (unsigned int n = 0; n < markov_nodes(w->markov); n++)
			fini_node(node_of(w, n));
	markov_free(w->markov);
	free_tables(w);
	free(w);
}

/* ---- settings ---- */

static const struct dist_table *find_table(void *ctx, const char *name)
{
	const struct wire *w = ctx;

	for (struct list *l = w->tables.next; l != &w->tables; l = l->next) {
		struct wire_table *t = container_of(l, struct wire_table, node);

		if (!strcmp(t->name, name))
			return t->table;
	}
	return NULL;
}

static bool in_direction(enum value_direction which, int d)
{
	return which == VALUE_BOTH ||
	       which == (d == WIRE_LR ? VALUE_LR : VALUE_RL);
}

static int set_blackout(struct wire *w, unsigned int class, const char *text,
			uint64_t now, struct strbuf *why)
{
	struct blackout b[BLACKOUT_MAX];
	enum value_direction which;
	const char *form;
	char times[512], reason[160];
	struct strbuf wrong;
	unsigned int node;
	size_t len;
	int n;

	if (!params_split(text, "blackout", &which, &node, &form, &len, why))
		return -EINVAL;
	if (class || node) {
		strbuf_fmt(why,
			   "blackout '%s': it is of the whole wire, not "
			   "of a %s",
			   text, class ? "class" : "node");
		return -EINVAL;
	}
	if (str_fmt(times, sizeof(times), "%.*s", (int)len, form) < 0) {
		strbuf_fmt(why, "blackout '%s': it is too long", text);
		return -EINVAL;
	}
	strbuf_init(&wrong, reason, sizeof(reason));
	n = blackout_parse(b, times, now, &wrong);
	if (n < 0) {
		strbuf_fmt(why, "blackout %s", reason);
		return -EINVAL;
	}
	for (int d = 0; d < 2; d++) {
		if (!in_direction(which, d))
			continue;
		memcpy(w->blackouts[d], b, (size_t)n * sizeof(*b));
		w->n_blackouts[d] = n;
		if (w->dir[d])
			impair_set_blackouts(w->dir[d], b, n);
	}
	return 0;
}

static bool check_node(const struct wire *w, unsigned int class,
		       const struct param_setting *st, const char *text,
		       struct strbuf *why)
{
	const char *name = param_rows[st->param].name;

	if (class && st->node)
		strbuf_fmt(why, "%s '%s': a class has no nodes", name, text);
	else if (st->node >= markov_nodes(w->markov))
		strbuf_fmt(why, "%s '%s': there is no node %u", name, text,
			   st->node);
	else
		return true;
	return false;
}

static void apply(struct wire *w, unsigned int class,
		  const struct param_setting *st, uint64_t now)
{
	struct params *p = class ? w->classes[class].params
				 : node_of(w, st->node)->params;

	for (int d = 0; d < 2; d++)
		if (in_direction(st->direction, d))
			params_set(&p[d], st);
	if (class)
		use_class(w, class, now);
	else if (st->node == markov_current(w->markov))
		use_node(w, now);
}

int wire_set(struct wire *w, unsigned int class, const char *name,
	     const char *text, uint64_t now, struct strbuf *why)
{
	struct param_tables tables = { find_table, w };
	enum param param = param_find(name);
	struct param_setting st;
	int rc = -EINVAL;

	wire_advance(w, now);
	if (!strcmp(name, "blackout"))
		return set_blackout(w, class, text, now, why);
	if (param == PARAM_N) {
		strbuf_fmt(why, "there is no setting '%s'", name);
		return -EINVAL;
	}
	if (!param_parse(&st, param, text, &tables, why))
		return -EINVAL;
	if (check_node(w, class, &st, text, why)) {
		apply(w, class, &st, now);
		rc = 0;
	}
	param_setting_fini(&st);
	return rc;
}

const struct params *wire_params(const struct wire *w, unsigned int node,
				 int direction)
{
	return &node_of(w, node)->params[direction];
}

void wire_set_fifo(struct wire *w, bool fifo)
{
	w->fifo = fifo;
	for (int d = 0; d < n_directions(w); d++)
		impair_set_fifo(w->dir[d], fifo);
}

/* ---- tables ---- */

int wire_add_table(struct wire *w, const char *name, struct dist_table *table)
{
	struct value_rule any = { "table", 0, 1, false, false, NULL };
	struct value_setting vs;
	char as_value[VALUE_NAME + 4], reason[16];
	struct strbuf why;
	struct wire_table *t;

	/* It must be found again where a value names it. */
	strbuf_init(&why, reason, sizeof(reason));
	if (str_fmt(as_value, sizeof(as_value), "0:%s", name) < 0 ||
	    !value_parse(&vs, as_value, &any, &why) ||
	    vs.value.shape != VALUE_TABLE)
		return -EINVAL;
	if (find_table(w, name))
		return -EEXIST;
	t = w->n_tables < WIRE_TABLES_MAX ? calloc(1, sizeof(*t)) : NULL;
	if (!t)
		return -ENOSPC;
	(void)str_copy(t->name, sizeof(t->name), name);
	t->table = table;
	list_add_tail(&w->tables, &t->node);
	w->n_tables++;
	return 0;
}

/* ---- classes ---- */

int wire_find_class(const struct wire *w, const char *name)
{
	for (int c = 1; c < IMPAIR_CLASSES; c++)
		if (w->classes[c].used && !strcmp(w->classes[c].name, name))
			return c;
	return -ENOENT;
}

/* The next number that is free behind the last one that was taken: frames of a
 * class that went may still wait, and would keep order with those of a new one
 * of that number. IMPAIR_CLASSES if there is none. */
static unsigned int free_class(const struct wire *w)
{
	for (unsigned int k = 0; k < IMPAIR_CLASSES - 1; k++) {
		unsigned int c = 1 + (w->last_class + k) % (IMPAIR_CLASSES - 1);

		if (!w->classes[c].used)
			return c;
	}
	return IMPAIR_CLASSES;
}

int wire_add_class(struct wire *w, const char *name)
{
	size_t len = strlen(name);
	struct wire_class *k;
	unsigned int c;

	if (!len || len >= WIRE_CLASS_NAME || name[strspn(name, NAME_CHARS)])
		return -EINVAL;
	if (wire_find_class(w, name) >= 0)
		return -EEXIST;
	c = free_class(w);
	if (c == IMPAIR_CLASSES)
		return -ENOSPC;
	w->last_class = c;
	k = &w->classes[c];
	k->used = true;
	(void)str_copy(k->name, sizeof(k->name), name);
	for (int d = 0; d < 2; d++)
		params_init(&k->params[d]);
	use_class(w, c, w->now);
	return (int)c;
}

void wire_del_class(struct wire *w, unsigned int class, uint64_t now)
{
	struct wire_class *c = &w->classes[class];

	wire_advance(w, now);
	c->used = false;
	use_class(w, class, now);
	for (int d = 0; d < 2; d++)
		params_fini(&c->params[d]);
}

/* ---- the chain ---- */

int wire_set_nodes(struct wire *w, unsigned int n, uint64_t now)
{
	unsigned int had = markov_nodes(w->markov);
	int rc;

	wire_advance(w, now);
	if (n >= 1)
		for (unsigned int k = n; k < had; k++)
			fini_node(node_of(w, k));
	rc = markov_set_nodes(w->markov, n, now);
	use_node(w, now);
	return rc;
}

int wire_set_current(struct wire *w, unsigned int node, uint64_t now)
{
	int rc;

	wire_advance(w, now);
	rc = markov_set_current(w->markov, node);
	if (!rc)
		use_node(w, now);
	return rc;
}

int wire_set_period(struct wire *w, uint64_t period, uint64_t now)
{
	wire_advance(w, now);
	return markov_set_period(w->markov, period, now);
}

/* ---- time ---- */

void wire_advance(struct wire *w, uint64_t now)
{
	struct markov_move move;

	while (markov_step(w->markov, &w->steps, now, &move)) {
		if (move.from != move.to)
			use_node(w, move.at);
		if (w->moved)
			w->moved(w->ctx, &move);
	}
	w->now = max_u64(w->now, now);
}

uint64_t wire_next(struct wire *w)
{
	uint64_t next = markov_next(w->markov);

	if (!next)
		next = IMPAIR_NEVER;
	for (int d = 0; d < n_directions(w); d++)
		next = min_u64(next, impair_next(w->dir[d]));
	return next;
}
