// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/asked.h"

#include <math.h>

#define STEPS 256 /* of an integral over quantiles */
#define Z 3.290526731491896 /* of a normal deviate, 99.9 % are within +-Z */

/* ---- loss ---- */

static double share_of(double percent)
{
	if (percent <= 0)
		return 0;
	return percent < 100 ? percent / 100 : 1;
}

static double mean_share(const struct dist *d)
{
	double sum = 0;

	if (d->plus == 0)
		return share_of(d->num);
	for (int i = 0; i < STEPS; i++)
		sum += share_of(dist_at(d, (i + 0.5) / STEPS));
	return sum / STEPS;
}

/* One of several models, which lost a share @m of its own. */
static void add_model(struct asked *a, double m, double spread)
{
	a->value += m - a->value * m;
	if (spread > a->spread)
		a->spread = spread;
}

/* By how much a chain spreads losses: from good to bad with @p, back with @r,
 * lost with @h and @k. */
static double chain_spread(double p, double r, double h, double k)
{
	double rho = 1 - p - r, bad, m;

	if (p <= 0 || rho >= 1)
		return 1;
	bad = p / (p + r);
	m = h * bad + k * (1 - bad);
	if (m <= 0 || m >= 1)
		return 1;
	return 1 + 2 * rho / (1 - rho) * (h - k) * (h - k) * bad * (1 - bad) /
			   (m * (1 - m));
}

static void add_random(const struct params *p, struct asked *a)
{
	const struct dist *loss = &p->dist[PARAM_LOSS];
	const struct dist *burst = &p->dist[PARAM_LOSTBURST];
	double m = mean_share(loss), b;

	if (burst->num <= 0 && burst->plus == 0) {
		if (loss->r > 0)
			a->why_not = "successive losses are correlated";
		add_model(a, m, 1);
		return;
	}
	if (loss->plus > 0 || burst->plus > 0) {
		a->why_not = "bursts of varying losses";
		return;
	}
	b = loss_burst_mean(loss->num, burst->num);
	if (m >= 1 || m <= 0)
		add_model(a, m, 1);
	else
		add_model(a, m, chain_spread(m / (b * (1 - m)), 1 / b, 1, 0));
}

void asked_loss(const struct params *p, struct asked *a)
{
	const struct loss_gilbert *g = &p->loss.gilbert;
	const struct loss_period *period = &p->loss.period;

	*a = (struct asked){ .spread = 1 };
	add_random(p, a);
	add_model(a, loss_gilbert_mean(g),
		  chain_spread(g->p, g->r, g->h1, g->k1));
	if (period->n)
		add_model(a, (double)period->l / (double)period->n, 1);
	if (p->loss.list)
		a->why_not = "frames are lost by their numbers";
}

/* ---- rate ---- */

static void rate_of(const struct dist *d, struct asked *a)
{
	double sum = 0, least;

	a->value = d->num;
	if (d->plus == 0)
		return;
	least = dist_at(d, 0.5 / STEPS);
	if (least <= d->num / STEPS) {
		a->why_not = "its draws may be as good as nought";
		return;
	}
	for (int i = 0; i < STEPS; i++)
		sum += 1 / dist_at(d, (i + 0.5) / STEPS);
	a->value = STEPS / sum;
}

void asked_rate(const struct params *p, struct asked *a)
{
	const struct dist *speed = &p->dist[PARAM_SPEED];
	const struct dist *band = &p->dist[PARAM_BANDWIDTH];
	bool has_speed = speed->num > 0 || speed->plus > 0;
	bool has_band = band->num > 0 || band->plus > 0;

	*a = (struct asked){ .spread = 1 };
	if (has_speed && has_band && (speed->plus > 0 || band->plus > 0)) {
		a->why_not = "both speed and bandwidth, and they vary";
		return;
	}
	if (has_band && (!has_speed || band->num <= speed->num))
		rate_of(band, a);
	else if (has_speed)
		rate_of(speed, a);
}

/* ---- comparison ---- */

void asked_interval(uint64_t hits, uint64_t n, double spread, double *low,
		    double *high)
{
	double p = (double)hits / (double)n;
	double m = (double)n / (spread > 1 ? spread : 1);
	double down = 1 + Z * Z / m;
	double middle = (p + Z * Z / (2 * m)) / down;
	double half = Z / down * sqrt(p * (1 - p) / m + Z * Z / (4 * m * m));

	*low = hits && middle > half ? middle - half : 0;
	*high = hits < n && middle + half < 1 ? middle + half : 1;
}
