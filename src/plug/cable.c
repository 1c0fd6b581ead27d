// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/cable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

void cable_stop(struct cable *c, int status)
{
	if (!c->over)
		c->status = status;
	c->over = true;
	loop_stop(c->loop);
}

static bool ended(struct cable *c, int rc)
{
	if (rc >= 0)
		return false;
	cable_stop(c, rc == END_OVER ? EXIT_SUCCESS : EXIT_FAILURE);
	return true;
}

static bool holds_finished(const struct cable_way *w)
{
	return w->finished_done < w->finish.n;
}

static bool holds(const struct cable_way *w)
{
	return w->done < w->n || holds_finished(w);
}

static bool may_go_as_they_are(const struct cable_way *w)
{
	for (int i = w->done; i < w->n; i++)
		if (finish_is_needed(&w->burst[i], w->to->takes))
			return false;
	return true;
}

/* Offers @f[*done..n - 1]. False: there is no room, or the cable is over. */
static bool offer(struct cable *c, struct cable_way *w,
		  const struct vde_frame *f, int n, int *done)
{
	int rc = w->to->ops->send(w->to, &f[*done], n - *done);

	if (ended(c, rc))
		return false;
	*done += rc;
	return *done == n;
}

/* Offers what the burst still has. False: the cable is over. */
static bool deliver(struct cable *c, struct cable_way *w)
{
	struct finish *fi = &w->finish;
	bool go_on = true;

	while (go_on && holds(w)) {
		if (holds_finished(w)) {
			go_on = offer(c, w, fi->out, fi->n, &w->finished_done);
		} else if (may_go_as_they_are(w)) {
			go_on = offer(c, w, w->burst, w->n, &w->done);
		} else {
			w->done += finish_frames(fi, &w->burst[w->done],
						 w->n - w->done, w->to->takes);
			w->finished_done = 0;
		}
	}
	return !c->over;
}

static bool take(struct cable *c, struct cable_way *w)
{
	int n = w->from->ops->recv(w->from, w->burst, END_BURST);

	w->n = w->done = 0;
	if (ended(c, n))
		return false;
	w->n = n;
	w->from->frames += (uint64_t)n;
	if (c->watch && n)
		c->watch(c->watch_ctx, w->from, w->burst, n);
	return true;
}

/* The source waits while the burst is held, the sink is watched only then. */
static void set_wants(struct cable *c, struct cable_way *w)
{
	bool held = holds(w);
	int rc = w->from->ops->want_rx(w->from, !held);

	if (!rc)
		rc = w->to->ops->want_tx(w->to, held);
	if (rc) {
		log_err("unable to wait for %s: %s", w->from->name,
			strerror(-rc));
		cable_stop(c, EXIT_FAILURE);
	}
}

static void again(struct loop_timer *t);

/* One burst, so that both directions have their turns. */
static void run(struct cable *c, struct cable_way *w)
{
	if (c->over || c->hung_up || !deliver(c, w))
		return;
	if (!holds(w) && (!take(c, w) || !deliver(c, w)))
		return;
	set_wants(c, w);
	if (!holds(w) && w->from->ops->pending(w->from) &&
	    loop_timer_set(c->loop, &c->again, 0, again))
		cable_stop(c, EXIT_FAILURE);
}

static void again(struct loop_timer *t)
{
	struct cable *c = container_of(t, struct cable, again);

	for (int i = 0; i < 2; i++) {
		struct cable_way *w = &c->way[i];

		if (!c->over && !holds(w) && w->from->ops->pending(w->from))
			run(c, w);
	}
}

static struct cable *cable_of(struct end_user *u)
{
	return container_of(u, struct cable, user);
}

static void readable(struct end_user *u, struct end *e)
{
	struct cable *c = cable_of(u);

	run(c, &c->way[c->way[0].from == e ? 0 : 1]);
}

static void writable(struct end_user *u, struct end *e)
{
	struct cable *c = cable_of(u);

	run(c, &c->way[c->way[0].to == e ? 0 : 1]);
}

static void stop(struct end_user *u, struct end *e, int status)
{
	cable_stop(cable_of(u), status);
}

/* The other end hangs up, unless there is something left for it. */
static bool gone(struct end_user *u, struct end *e)
{
	struct cable *c = cable_of(u);
	struct cable_way *w = &c->way[c->way[0].from == e ? 0 : 1];

	if (c->over || holds(w) || w->to->ops->want_rx(w->to, false))
		return c->hung_up;
	c->hung_up = true;
	if (w->to->ops->hang_up)
		w->to->ops->hang_up(w->to);
	return true;
}

int cable_open(struct cable *c, struct loop *loop, struct end *a, struct end *b)
{
	*c = (struct cable){ .loop = loop,
			     .user = { readable, writable, stop, gone } };
	c->way[0].from = c->way[1].to = a;
	c->way[1].from = c->way[0].to = b;
	a->user = b->user = &c->user;
	for (int i = 0; i < 2; i++) {
		struct end *e = c->way[i].from;
		int rc = e->ops->want_rx(e, true);

		if (rc)
			return rc;
	}
	return 0;
}

void cable_close(struct cable *c)
{
	loop_timer_del(c->loop, &c->again);
	for (int i = 0; i < 2; i++) {
		struct cable_way *w = &c->way[i];

		w->to->drops[END_DROP_REFUSED] += w->finish.refused;
		w->to->drops[END_DROP_LONG] += w->finish.too_long;
		finish_fini(&w->finish);
	}
	for (int i = 0; i < 2; i++)
		end_finish(c->way[i].from);
}
