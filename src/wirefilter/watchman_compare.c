// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was asked for against what came out, as far as both are one number.
 */
#include <math.h>

#include "wirefilter/journal.h"
#include "wirefilter/watchman_impl.h"

/* A line that was busy for less says more about when frames were handed over
 * than about its rate. */
#define BUSY_ENOUGH (20 * LOOP_MS)

/* What makes one number of everything impossible. */
static const char *not_one(const struct watchman *w)
{
	const struct wirefilter *wf = w->cfg.wf;
	const struct wire *wire = wf->wire;

	if (wf->journal && journal_replays(wf->journal))
		return "decisions are replayed";
	for (int c = 1; c < IMPAIR_CLASSES; c++)
		if (wire->classes[c].used)
			return "classes have settings of their own";
	return NULL;
}

static void asked_of_rate(const struct watchman *w, int d, struct asked *a)
{
	double rate = impair_asked_rate(w->cfg.wf->wire->dir[d]);

	if (w->cfg.wf->feed[d])
		*a = (struct asked){ rate < 0 ? "it follows a trace" : NULL,
				     rate, 1 };
	else
		asked_rate(watchman_params(w, d), a);
	if (not_one(w))
		a->why_not = not_one(w);
}

static void asked_of_loss(const struct watchman *w, int d,
			  const struct impair_stats *s, struct asked *a)
{
	asked_loss(watchman_params(w, d), a);
	if (markov_nodes(w->cfg.wf->wire->markov) > 1)
		a->why_not = "the chain has several nodes";
	if (s->fates[IMPAIR_TRACE_LOSS])
		a->why_not = "a trace loses frames, too";
	if (not_one(w))
		a->why_not = not_one(w);
}

void watchman_rate(const struct watchman *w, int d, struct watch_compared *c)
{
	const struct meter_rate *r =
		&impair_stats(w->cfg.wf->wire->dir[d])->rate;
	const struct watch_way *way = &w->way[d];

	*c = (struct watch_compared){
		.n = r->busy_ns - way->busy_ns,
		.hits = r->busy_bytes - way->busy_bytes,
		.since = way->rate_since,
	};
	asked_of_rate(w, d, &c->asked);
	c->achieved = c->n >= BUSY_ENOUGH ? (double)c->hits * (double)LOOP_SEC /
						    (double)c->n
					  : (double)NAN;
}

void watchman_loss(const struct watchman *w, int d, struct watch_compared *c)
{
	const struct impair_stats *s = impair_stats(w->cfg.wf->wire->dir[d]);
	const struct watch_way *way = &w->way[d];

	*c = (struct watch_compared){ .since = way->loss_since, .high = 1 };
	asked_of_loss(w, d, s, &c->asked);
	watchman_losses(s, &c->n, &c->hits);
	c->n -= way->judged;
	c->hits -= way->lost;
	c->achieved = c->n ? (double)c->hits / (double)c->n : (double)NAN;
	if (c->n)
		asked_interval(c->hits, c->n, c->asked.spread, &c->low,
			       &c->high);
}
