// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/impair_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char *const fates[] = {
	[IMPAIR_PASS] = "pass",
	[IMPAIR_MTU] = "mtu",
	[IMPAIR_BLACKOUT] = "blackout",
	[IMPAIR_LOSS] = "loss",
	[IMPAIR_LOSS + 1] = "burst",
	[IMPAIR_LOSS + 2] = "gilbert",
	[IMPAIR_LOSS + 3] = "period",
	[IMPAIR_LOSS_LAST] = "list",
	[IMPAIR_TRACE_LOSS] = "trace",
	[IMPAIR_FULL_BYTES] = "full_bytes",
	[IMPAIR_FULL_FRAMES] = "full_frames",
	[IMPAIR_EARLY] = "early",
	[IMPAIR_LATE] = "late",
	[IMPAIR_STILL] = "still",
	[IMPAIR_MEMORY] = "memory",
};
/* clang-format on */
static_assert(ARRAY_SIZE(fates) == IMPAIR_N_FATES, "a fate has no name");
static_assert(IMPAIR_LOSS_LAST == IMPAIR_LOSS + LOSS_LIST - LOSS_RANDOM,
	      "each cause of loss is a fate");

const char *impair_fate_name(enum impair_fate f)
{
	return fates[f];
}

enum impair_fate impair_fate_find(const char *name)
{
	enum impair_fate f = IMPAIR_PASS;

	while (f < IMPAIR_N_FATES && strcmp(fates[f], name) != 0)
		f++;
	return f;
}

/* ---- flows and lanes ---- */

#define BIT(param) (UINT32_C(1) << (param))
#define LANE_PARAMS                                                   \
	(BIT(PARAM_BANDWIDTH) | BIT(PARAM_BURST) | BIT(PARAM_SPEED) | \
	 BIT(PARAM_CHANBUFSIZE) | BIT(PARAM_LIMIT) | BIT(PARAM_QDISC))
#define ORDER_PARAMS (LANE_PARAMS | BIT(PARAM_DELAY) | BIT(PARAM_REORDER))

static bool any(const struct params *p, int a, int b)
{
	return p->dist[a].num != 0 || p->dist[a].plus != 0 ||
	       p->dist[b].num != 0 || p->dist[b].plus != 0;
}

static void look_at(struct impair_flow *f)
{
	const struct params *p = &f->set;

	f->loses = any(p, PARAM_LOSS, PARAM_LOSS) || p->loss.gilbert.p > 0 ||
		   p->loss.gilbert.k1 > 0 || p->loss.period.n || p->loss.list;
	f->flips = any(p, PARAM_NOISE, PARAM_CORRUPT) ||
		   any(p, PARAM_BER, PARAM_BER);
}

static uint64_t asked(const struct impair *i, const struct impair_flow *f)
{
	double mean = f->set.value[PARAM_BANDWIDTH].num;
	uint64_t rate = 0;

	if ((i->trace.has & 1U << TRACE_RATE) &&
	    (f == &i->flows[0] || !(f->own & BIT(PARAM_BANDWIDTH))))
		return i->trace.rate;
	/* Frames that have a rate of their own set it when they leave. */
	if (f->set.value[PARAM_BANDWIDTH].plus > 0)
		mean = fmax(mean, 1);
	(void)line_rate(mean, &rate);
	return rate;
}

/* What is left of the frame that is being taken in comes at the new speed. */
static void set_speed(struct impair_lane *l, const struct impair_flow *f,
		      uint64_t now)
{
	double speed = f->set.value[PARAM_SPEED].num, left = 0;

	if (speed == l->asked_speed)
		return;
	if (line_free(&l->speed) > now && speed > 0)
		left = (double)(line_free(&l->speed) - now) * l->asked_speed /
		       speed;
	line_init(&l->speed, 0, 0);
	l->speed.last = l->speed.full = now + (uint64_t)fmin(left, 1e18);
	l->asked_speed = speed;
}

static void set_lane(struct impair *i, unsigned int k, uint64_t now)
{
	struct impair_lane *l = &i->lanes[k];
	const struct impair_flow *f = &i->flows[k];
	uint64_t rate = asked(i, f);
	uint32_t burst = (uint32_t)f->set.value[PARAM_BURST].num;

	if (rate != l->line.rate || burst != l->line.burst) {
		/* What has not begun to leave does so at the new rate; a
		 * bucket that nobody has drawn from is full. */
		if (l->used)
			line_set(&l->line, now, rate, burst);
		else
			line_init(&l->line, rate, burst);
		l->free = min_u64(l->free, line_free(&l->line));
	}
	set_speed(l, f, now);
	aqm_set(&l->queue, &f->set.aqm);
}

/* Of what there was before under this number nothing is left. */
static void start_lane(struct impair_lane *l)
{
	l->used = false;
	l->free = 0;
	line_init(&l->line, 0, 0);
	line_init(&l->speed, 0, 0);
}

static void start_flow(struct impair *i, unsigned int class)
{
	struct impair_flow *f = &i->flows[class];

	for (unsigned int k = 0; k < KIND_N; k++)
		rng_stream(&f->rng[k], i->seed, i->direction | class << 8, k);
	memset(f->draws, 0, sizeof(f->draws));
	f->loss = (struct loss_state){ 0 };
	f->number = 0;
	f->latest = i->flows[0].latest;
	f->used = true;
	if (class && !i->lanes[class].queue.first)
		start_lane(&i->lanes[class]);
}

/* All that follows from what classes have of their own and from class 0. */
static void refresh(struct impair *i, uint64_t now)
{
	for (unsigned int c = 0; c < IMPAIR_CLASSES; c++) {
		struct impair_flow *f = &i->flows[c];

		if (!f->used)
			continue;
		if (c)
			params_inherit(&f->set, &i->flows[0].set);
		look_at(f);
		f->lane = f->own & LANE_PARAMS && c ? (uint8_t)c : 0;
		f->order = f->own & ORDER_PARAMS && c ? (uint8_t)c : 0;
		if (f->lane == c) {
			set_lane(i, c, now);
			i->n_lanes = c >= i->n_lanes ? c + 1 : i->n_lanes;
		}
	}
}

void impair_use(struct impair *i, unsigned int class,
		const struct params *params, uint64_t now)
{
	struct impair_flow *f = &i->flows[class];

	impair_advance(i, now);
	i->changes++;
	if (!params) {
		i->n_classes -= f->used;
		i->overtaken |= i->stats.waiting > 0;
		f->used = false;
		/* Who comes now need not wait for the last one's speed. */
		line_init(&i->lanes[class].speed, 0, 0);
		return;
	}
	if (!f->used) {
		start_flow(i, class);
		i->n_classes++;
	}
	params_copy(&f->set, params);
	f->own = params->has;
	refresh(i, now);
}

void impair_trace_values(struct impair *i, unsigned int has, uint64_t rate,
			 uint64_t delay, double loss, uint64_t now)
{
	impair_advance(i, now);
	i->changes++;
	i->trace.has = has;
	i->trace.rate = rate;
	i->trace.delay = delay;
	i->trace.loss = loss;
	refresh(i, now);
}

void impair_set_slots(struct impair *i, impair_slots_fn *next, void *ctx,
		      uint64_t now)
{
	struct impair_lane *l = &i->lanes[0];

	impair_advance(i, now);
	i->changes++;
	i->next_slot = next;
	i->slots_over = false;
	i->slots_ctx = ctx;
	i->slots_seen = now;
	i->slot_todo = 0;
	slotline_init(&i->slots, SLOTLINE_BYTES);
	if (next) { /* they do not wait for what is on the line */
		l->free = min_u64(l->free, now);
		return;
	}
	if (l->queue.first) /* it has waited for an opportunity till now */
		l->free = max_u64(l->free, now);
	line_send(&l->line, l->free, 0);
}

void impair_set_fifo(struct impair *i, bool fifo)
{
	i->fifo = fifo;
}

void impair_set_blackouts(struct impair *i, const struct blackout *b, int n)
{
	i->n_blackouts = n;
	for (int k = 0; k < n; k++)
		i->blackouts[k] = b[k];
}

void impair_set_log(struct impair *i, impair_log_fn *log, void *ctx)
{
	i->log = log;
	i->log_ctx = ctx;
}

/* ---- begin and end ---- */

struct impair *impair_new(uint64_t seed, unsigned int direction,
			  size_t memory_max)
{
	struct impair *i = calloc(1, sizeof(*i));
	struct aqm_config none;

	if (!i)
		return NULL;
	i->seed = seed;
	i->direction = direction;
	i->fifo = true;
	i->n_lanes = 1;
	parcel_pool_init(&i->pool, memory_max);
	delayq_init(&i->waiting, false);
	aqm_defaults(&none);
	for (unsigned int c = 0; c < IMPAIR_CLASSES; c++) {
		params_init(&i->flows[c].set);
		i->lanes[c].flow = (uint8_t)c;
		aqm_init(&i->lanes[c].queue, &none);
		line_init(&i->lanes[c].line, 0, 0);
		line_init(&i->lanes[c].speed, 0, 0);
	}
	start_flow(i, 0);
	impair_reset_stats(i);
	return i;
}

static void empty_lane(struct impair *i, struct impair_lane *l)
{
	struct aqm_node *n = l->queue.first, *next;

	for (; n; n = next) {
		next = n->next;
		parcel_free(&i->pool,
			    container_of(n, struct impair_frame, line));
	}
}

void impair_free(struct impair *i)
{
	struct delayq_node *d;

	if (!i)
		return;
	for (unsigned int c = 0; c < IMPAIR_CLASSES; c++) {
		empty_lane(i, &i->lanes[c]);
		params_fini(&i->flows[c].set);
	}
	while ((d = delayq_take(&i->waiting, DELAYQ_NEVER)))
		parcel_free(&i->pool,
			    container_of(d, struct impair_frame, wait));
	parcel_pool_fini(&i->pool);
	free(i);
}

/* ---- what is seen ---- */

bool impair_is_clear(const struct impair *i)
{
	return !i->n_classes && !i->stats.waiting && !i->held &&
	       !i->n_blackouts && !i->next_slot && !i->trace.has && !i->log &&
	       i->lanes[0].free <= i->now && params_clear(&i->flows[0].set);
}

const struct impair_stats *impair_stats(const struct impair *i)
{
	return &i->stats;
}

uint64_t impair_changes(const struct impair *i)
{
	return i->changes;
}

double impair_asked_rate(const struct impair *i)
{
	const struct params *p = &i->flows[0].set;

	if (i->next_slot || p->value[PARAM_BANDWIDTH].plus > 0)
		return -1;
	return (double)i->lanes[0].line.rate / (double)LINE_RATE_UNIT;
}

void impair_reset_stats(struct impair *i)
{
	uint64_t waiting = i->stats.waiting, size = i->stats.waiting_size;

	i->stats = (struct impair_stats){ .waiting = waiting,
					  .waiting_size = size,
					  .most_waiting = waiting,
					  .most_waiting_size = size };
	meter_rate_init(&i->stats.rate);
	meter_hist_init(&i->stats.late);
	meter_hist_init(&i->stats.delay);
}
