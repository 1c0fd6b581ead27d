// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/loss.h"

#include <math.h>
#include <string.h>

#include "wirefilter/items.h"

static const char *const causes[] = {
	[LOSS_NONE] = "none",	  [LOSS_RANDOM] = "random",
	[LOSS_BURST] = "burst",	  [LOSS_GILBERT] = "gilbert",
	[LOSS_PERIOD] = "period", [LOSS_LIST] = "list",
};
static_assert(ARRAY_SIZE(causes) == LOSS_N_CAUSES, "a cause has no name");

const char *loss_cause_name(enum loss_cause c)
{
	return causes[c];
}

/* ---- the fate of a frame ---- */

double loss_burst_mean(double percent, double burst)
{
	double p = percent / 100, least;

	if (burst <= 0)
		return 0;
	if (p >= 1)
		return INFINITY;
	/* Two bursts have a frame between them. */
	least = p > 0.5 ? p / (1 - p) : 1;
	return burst > least ? burst : least;
}

/* @u decides a step, from either state. */
static bool step(bool bad, double to_bad, double to_good, double u)
{
	return bad ? u >= to_good : u < to_bad;
}

static enum loss_cause drop_random(struct loss_state *st, double percent,
				   double burst, double u)
{
	double p = percent / 100;

	if (burst <= 0) {
		st->burst = false;
		return u < p ? LOSS_RANDOM : LOSS_NONE;
	}
	if (p >= 1) {
		st->burst = true;
	} else {
		burst = loss_burst_mean(percent, burst);
		st->burst = p > 0 && step(st->burst, p / (burst * (1 - p)),
					  1 / burst, u);
	}
	return st->burst ? LOSS_BURST : LOSS_NONE;
}

static bool drop_gilbert(const struct loss_gilbert *g, struct loss_state *st,
			 double u, double v)
{
	st->gilbert = (g->p > 0 || g->r > 0) &&
		      step(st->gilbert, g->p, g->r, u);
	return v < (st->gilbert ? g->h1 : g->k1);
}

static bool drop_period(const struct loss_period *p, uint64_t number)
{
	return p->n && number >= p->f && (number - p->f) % p->n < p->l;
}

enum loss_cause loss_drop(const struct loss *l, struct loss_state *st,
			  struct rng *rng, uint64_t number, double percent,
			  double burst)
{
	double u = rng_unit(rng), v = rng_unit(rng), w = rng_unit(rng);
	enum loss_cause random = drop_random(st, percent, burst, u);
	bool gilbert = drop_gilbert(&l->gilbert, st, v, w);

	if (random != LOSS_NONE)
		return random;
	if (gilbert)
		return LOSS_GILBERT;
	if (drop_period(&l->period, number))
		return LOSS_PERIOD;
	if (l->list && loss_list_has(l->list, number))
		return LOSS_LIST;
	return LOSS_NONE;
}

double loss_gilbert_mean(const struct loss_gilbert *g)
{
	/* It starts in the good state, and stays there. */
	if (g->p <= 0)
		return g->k1;
	return (g->h1 * g->p + g->k1 * g->r) / (g->p + g->r);
}

/* ---- text ---- */

bool loss_gilbert_parse(struct loss_gilbert *g, const char *text,
			struct strbuf *why)
{
	double v[4] = { 0, 0, 100, 0 };
	int n = items_fractions(text, v, 4, why);

	if (!n)
		return false;
	if (n == 1)
		v[1] = v[0] <= 100 ? 100 - v[0] : 0;
	for (int i = 0; i < 4; i++) {
		if (v[i] > 100) {
			strbuf_fmt(why, "'%s': %.15g is not 0 to 100", text,
				   v[i]);
			return false;
		}
	}
	*g = (struct loss_gilbert){ v[0] / 100, v[1] / 100, v[2] / 100,
				    v[3] / 100 };
	return true;
}

/* Exact as a double, and far away. */
#define NUMBER_MAX 1e15

bool loss_period_parse(struct loss_period *p, const char *text,
		       struct strbuf *why)
{
	double v[3] = { 0, 1, 0 };
	int n = items_fractions(text, v, 3, why);

	if (!n)
		return false;
	if (n < 3)
		v[2] = v[0] >= 1 ? v[0] : 1;
	for (int i = 0; i < 3; i++) {
		if (v[i] > NUMBER_MAX || v[i] != (double)(uint64_t)v[i]) {
			strbuf_fmt(why, "'%s': %.15g is not a whole number",
				   text, v[i]);
			return false;
		}
	}
	if (v[1] < 1 || v[2] < 1 || (v[0] > 0 && v[1] > v[0])) {
		strbuf_fmt(why, "'%s': %s", text,
			   v[2] < 1 ? "the first frame is number 1"
				    : "of N frames 1 to N can be lost");
		return false;
	}
	*p = (struct loss_period){ (uint64_t)v[0], (uint64_t)v[1],
				   (uint64_t)v[2] };
	return true;
}
