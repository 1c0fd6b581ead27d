// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a plugin says in answer to a command. The writer behind it trusts its
 * callers, who are tables and tests of this tree; here is what a stranger
 * may get wrong: a request that is over, a key that is missing where JSON
 * needs one, objects that are closed too often or nested too deep.
 */
#include <errno.h>
#include <string.h>

#include "switch/plugin_impl.h"

#define MAX_DEPTH 8
#define MAX_WIDTH 64

/* The request, if it is being answered by this thread. */
static struct mgmt_req *live(const struct vde_plugin_req *q, int *rc)
{
	*rc = -EINVAL;
	if (!q)
		return NULL;
	if (!pthread_equal(pthread_self(), q->plugin->plugins->thread)) {
		*rc = -EPERM;
		return NULL;
	}
	if (q->rq)
		*rc = 0;
	return q->rq;
}

static struct writer *writer_of(const struct vde_plugin_req *q, int *rc)
{
	const struct mgmt_req *rq = live(q, rc);

	return rq ? rq->w : NULL;
}

/* ---- arguments ---- */

int plugin_arg_count(struct vde_plugin_req *q)
{
	int rc;
	const struct mgmt_req *rq = live(q, &rc);

	return rq ? rq->argc : rc;
}

static bool has(const struct mgmt_req *rq, int i, bool number)
{
	return i >= 0 && i < rq->argc && (rq->numbers >> i & 1) == number;
}

int plugin_arg_num(struct vde_plugin_req *q, int i, int64_t *out)
{
	int rc;
	const struct mgmt_req *rq = live(q, &rc);

	if (!rq)
		return rc;
	if (!out || !has(rq, i, true))
		return -EINVAL;
	*out = rq->arg[i].num;
	return 0;
}

int plugin_arg_str(struct vde_plugin_req *q, int i, const char **out)
{
	int rc;
	const struct mgmt_req *rq = live(q, &rc);

	if (!rq)
		return rc;
	if (!out || !has(rq, i, false))
		return -EINVAL;
	*out = rq->arg[i].str;
	return 0;
}

/* ---- facts ---- */

int plugin_put_text(struct vde_plugin_req *q, const char *piece)
{
	int rc;
	struct writer *w = writer_of(q, &rc);

	if (!w)
		return rc;
	if (!piece)
		return -EINVAL;
	writer_text(w, piece);
	return 0;
}

int plugin_put_line(struct vde_plugin_req *q)
{
	int rc;
	struct writer *w = writer_of(q, &rc);

	if (w)
		writer_line(w);
	return rc;
}

int plugin_put_num(struct vde_plugin_req *q, const char *key, const char *piece,
		   int64_t v, int width)
{
	int rc;
	struct writer *w = writer_of(q, &rc);

	if (!w)
		return rc;
	if (width > MAX_WIDTH || width < -MAX_WIDTH)
		return -EINVAL;
	writer_num(w, key, piece, v, width);
	return 0;
}

int plugin_put_str(struct vde_plugin_req *q, const char *key, const char *piece,
		   const char *v, int width)
{
	int rc;
	struct writer *w = writer_of(q, &rc);

	if (!w)
		return rc;
	if (width > MAX_WIDTH || width < 0)
		return -EINVAL;
	writer_str(w, key, piece, v, width);
	return 0;
}

int plugin_put_bool(struct vde_plugin_req *q, const char *key, int v,
		    const char *if_true, const char *if_false)
{
	int rc;
	struct writer *w = writer_of(q, &rc);

	if (w)
		writer_bool(w, key, v != 0, if_true, if_false);
	return rc;
}

/* ---- long answers ---- */

int plugin_pause(struct vde_plugin_req *q)
{
	int rc;
	const struct mgmt_req *rq = live(q, &rc);

	return rq ? mgmt_pause(rq) : rc;
}

uint64_t *plugin_more(struct vde_plugin_req *q)
{
	int rc;
	struct mgmt_req *rq = live(q, &rc);

	return rq ? rq->more : NULL;
}

/* ---- nesting: counted in text too, so that a mistake shows in both ---- */

/* In the last number of the request: how many objects and lists are open, and
 * a bit for each that is a list. */
#define LISTS 8

static uint64_t *open_of(struct mgmt_req *rq)
{
	return &rq->more[ARRAY_SIZE(rq->more) - 1];
}

static unsigned int depth_of(struct mgmt_req *rq)
{
	return *open_of(rq) & ((1U << LISTS) - 1);
}

static bool in_list(struct mgmt_req *rq)
{
	unsigned int depth = depth_of(rq);

	return depth && (*open_of(rq) >> (LISTS + depth - 1) & 1);
}

static int nest(struct vde_plugin_req *q, const char *key, bool list)
{
	int rc;
	struct mgmt_req *rq = live(q, &rc);
	unsigned int depth;
	uint64_t bit;

	if (!rq)
		return rc;
	depth = depth_of(rq);
	if (depth == MAX_DEPTH || rq->w->depth >= WRITER_DEPTH - 1)
		return -ENOSPC;
	if (!key && !in_list(rq))
		return -EINVAL;
	bit = UINT64_C(1) << (LISTS + depth);
	*open_of(rq) = (*open_of(rq) & ~bit) | (list ? bit : 0);
	(*open_of(rq))++;
	if (list)
		writer_list(rq->w, key);
	else
		writer_open(rq->w, key);
	return 0;
}

int plugin_open_object(struct vde_plugin_req *q, const char *key)
{
	return nest(q, key, false);
}

int plugin_open_list(struct vde_plugin_req *q, const char *key)
{
	return nest(q, key, true);
}

int plugin_close(struct vde_plugin_req *q)
{
	int rc;
	struct mgmt_req *rq = live(q, &rc);

	if (!rq)
		return rc;
	if (!depth_of(rq))
		return -EINVAL;
	(*open_of(rq))--;
	writer_close(rq->w);
	return 0;
}

/* ---- the handler of every plugin's row ---- */

/* The console shows three digits of an errno. */
static int sane(int rc)
{
	if (rc == VDE_PLUGIN_MORE)
		return MGMT_MORE;
	if (rc >= 0)
		return 0;
	return rc > -1000 ? rc : -EINVAL;
}

/* The registration that a row belongs to. */
static struct plugin_reg *owner_of(const struct plugins *ps,
				   const struct mgmt_cmd *row)
{
	for (const struct plugin *p = plugin_next(ps, NULL); p;
	     p = plugin_next(ps, p)) {
		list_for_each(it, &p->regs) {
			struct plugin_reg *r = list_entry(it, struct plugin_reg,
							  node);

			if (r->kind == PLUGIN_REG_COMMANDS &&
			    mgmt_has(&r->commands.table, row))
				return r;
		}
	}
	return NULL;
}

int plugin_run_command(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	struct plugin_reg *r = owner_of(sw->plugins, rq->cmd);
	const struct plugin_handler *h;
	struct vde_plugin_req *q;
	int rc;

	if (!r || r->plugin->req.rq || !plugin_enter(r))
		return -EBUSY;
	q = &r->plugin->req;
	h = &r->commands.handlers[rq->cmd - r->commands.rows];
	q->rq = rq;
	rc = sane(h->fn(&r->plugin->ctx, q, h->arg));
	while (rc != MGMT_MORE && depth_of(rq))
		plugin_close(q);
	q->rq = NULL;
	plugin_leave(r);
	return rc;
}
