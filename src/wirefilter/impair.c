// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/impair_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wirefilter/noise.h"

#define COPIES_MAX 4096
#define IDLE_TICK UINT64_C(1000000000) /* ns: a trace's time goes on */

static double draw(struct impair_flow *f, enum param p)
{
	const struct dist *d = &f->set.dist[p];

	if (d->plus == 0)
		return d->num;
	return dist_draw(d, &f->draws[p], &f->rng[p]);
}

static bool is_set(const struct impair_flow *f, enum param p)
{
	return f->set.dist[p].num != 0 || f->set.dist[p].plus != 0;
}

static uint32_t size_of(const struct impair_frame *p)
{
	return p->len + IMPAIR_HDR;
}

static bool traced(const struct impair *i, const struct impair_flow *f,
		   enum trace_column what, enum param instead)
{
	return (i->trace.has & 1U << what) &&
	       (f == &i->flows[0] || !(f->own & UINT32_C(1) << instead));
}

/* ---- fates ---- */

static void tell(struct impair *i, const struct impair_frame *p,
		 enum impair_fate fate)
{
	struct impair_decision d;

	i->stats.fates[fate]++;
	if (!i->log)
		return;
	d = (struct impair_decision){
		.number = p->number,
		.copy = p->copy,
		.class = p->class,
		.fate = fate,
		.arrived = p->arrived,
		.delay = fate == IMPAIR_PASS ? p->due - p->arrived : 0,
		.flips = p->flips,
	};
	i->log(i->log_ctx, &d);
}

/* A frame that is lost before anything is kept of it. */
static void tell_lost(struct impair *i, unsigned int class, unsigned int copy,
		      uint64_t now, enum impair_fate fate)
{
	struct impair_frame p = { .number = i->number,
				  .arrived = now,
				  .copy = (uint16_t)copy,
				  .class = (uint8_t) class };

	tell(i, &p, fate);
}

static void count_in(struct impair *i, const struct impair_frame *p)
{
	struct impair_lane *l = &i->lanes[p->lane];
	uint32_t size = size_of(p);

	l->waiting++;
	l->waiting_size += size;
	i->stats.waiting++;
	i->stats.waiting_size += size;
	i->stats.most_waiting = max_u64(i->stats.most_waiting,
					i->stats.waiting);
	i->stats.most_waiting_size = max_u64(i->stats.most_waiting_size,
					     i->stats.waiting_size);
}

static void count_out(struct impair *i, const struct impair_frame *p)
{
	struct impair_lane *l = &i->lanes[p->lane];

	l->waiting--;
	l->waiting_size -= size_of(p);
	i->stats.waiting--;
	i->stats.waiting_size -= size_of(p);
}

static void drop(struct impair *i, struct impair_frame *p, enum impair_fate why)
{
	tell(i, p, why);
	count_out(i, p);
	parcel_free(&i->pool, p);
}

/* ---- behind the line ---- */

/* The frame has left the line at @leaves: delay, fifo, and its fate is
 * settled. */
static void settle(struct impair *i, struct impair_frame *p, uint64_t leaves)
{
	struct impair_flow *f = &i->flows[p->class];
	struct impair_flow *order = &i->flows[f->order];
	uint64_t due = leaves + (p->overtakes ? 0 : p->delay);

	if (due < leaves)
		due = IMPAIR_NEVER - 1;
	if (!p->overtakes) {
		if (i->fifo)
			due = max_u64(due, order->latest);
		order->latest = max_u64(order->latest, due);
		/* It may come to keep an order of its own. */
		f->latest = max_u64(f->latest, due);
	}
	p->due = due;
	meter_hist_add(&i->stats.delay, due - p->arrived);
	tell(i, p, IMPAIR_PASS);
	delayq_add(&i->waiting, &p->wait, due);
}

/* ---- the line ---- */

/* When the next frame can begin to leave. */
static uint64_t line_ready(const struct impair_lane *l,
			   const struct impair_frame *p)
{
	return max_u64(p->arrived, l->free);
}

static struct impair_frame *head_of(const struct impair_lane *l)
{
	return l->queue.first
		       ? container_of(l->queue.first, struct impair_frame, line)
		       : NULL;
}

/* False: @p's rate is 0 or less, it does not get through. */
static bool send_on_line(struct impair *i, struct impair_lane *l,
			 const struct impair_frame *p, uint64_t start,
			 uint64_t *leaves)
{
	struct impair_flow *f = &i->flows[l->flow];

	if (!traced(i, f, TRACE_RATE, PARAM_BANDWIDTH) &&
	    f->set.dist[PARAM_BANDWIDTH].plus != 0) {
		uint64_t rate;

		if (!line_rate(fmax(draw(f, PARAM_BANDWIDTH), 0), &rate) ||
		    !rate)
			return false;
		line_set(&l->line, start, rate, l->line.burst);
	}
	*leaves = line_send(&l->line, start, size_of(p));
	return *leaves != LINE_NEVER;
}

static bool next_slot(struct impair *i)
{
	uint64_t at;

	i->slots_over = i->slots_over || !i->next_slot(i->slots_ctx, &at);
	if (!i->slots_over)
		slotline_next(&i->slots, at);
	return !i->slots_over;
}

/* When the frame at the head will have left by opportunities; false: there
 * are not enough of them. */
static bool send_in_slots(struct impair *i, uint64_t ready, uint32_t size,
			  uint64_t *leaves)
{
	if (!i->slot_todo)
		i->slot_todo = size;
	while (!slotline_send(&i->slots, ready, &i->slot_todo, leaves))
		if (!next_slot(i))
			return false;
	return true;
}

/* Opportunities that nobody used have gone. */
static void idle_slots(struct impair *i, uint64_t now)
{
	while (i->slots.at <= now && next_slot(i))
		;
	i->slots_seen = now;
}

static void drop_late(struct impair *i, struct aqm_node *n)
{
	while (n) {
		struct aqm_node *next = n->next;

		drop(i, container_of(n, struct impair_frame, line),
		     IMPAIR_LATE);
		n = next;
	}
}

/* The frame at the head begins to leave. False: it cannot. */
static bool start_head(struct impair *i, struct impair_lane *l)
{
	struct impair_frame *p = head_of(l);
	uint64_t start = line_ready(l, p), leaves = start;
	bool slots = l == &i->lanes[0] && i->next_slot, passes = true;
	struct aqm_node *n, *late;

	if (slots && !send_in_slots(i, p->arrived, size_of(p), &leaves))
		return false;
	n = aqm_take(&l->queue, slots ? leaves : start, &late);
	drop_late(i, late);
	if (!n)
		return true;
	p = container_of(n, struct impair_frame, line);
	i->slot_todo = 0;
	if (!slots)
		passes = send_on_line(i, l, p, start, &leaves);
	p->follows = l->used && p->arrived <= l->free;
	l->used = true;
	if (passes) {
		l->free = leaves;
		settle(i, p, leaves);
	} else {
		drop(i, p, IMPAIR_STILL);
	}
	return true;
}

void impair_advance(struct impair *i, uint64_t now)
{
	i->now = max_u64(i->now, now);
	for (unsigned int k = 0; k < i->n_lanes; k++) {
		struct impair_lane *l = &i->lanes[k];
		struct impair_frame *p;

		while ((p = head_of(l)) && line_ready(l, p) <= now)
			if (!start_head(i, l))
				break;
	}
	if (i->next_slot && !head_of(&i->lanes[0]))
		idle_slots(i, now);
}

/* ---- a frame comes in ---- */

static enum impair_fate before_copies(struct impair *i, struct impair_flow *f,
				      uint32_t size, uint64_t now)
{
	const struct value *mtu = &f->set.value[PARAM_MTU];
	enum loss_cause cause = LOSS_NONE;

	if (mtu->num != 0 && size > mtu->num - mtu->plus)
		return IMPAIR_MTU;
	if (i->n_blackouts && blackout_is_on(i->blackouts, i->n_blackouts, now))
		return IMPAIR_BLACKOUT;
	if (f->loses) {
		bool tr = traced(i, f, TRACE_LOSS, PARAM_LOSS);
		double loss = tr ? 0 : draw(f, PARAM_LOSS);

		cause = loss_drop(&f->set.loss, &f->loss, &f->rng[KIND_LOSS],
				  f->number, loss, draw(f, PARAM_LOSTBURST));
	}
	if (cause != LOSS_NONE)
		return IMPAIR_LOSS + (enum impair_fate)cause -
		       (enum impair_fate)LOSS_RANDOM;
	if (traced(i, f, TRACE_LOSS, PARAM_LOSS) &&
	    rng_unit(&f->rng[KIND_TRACE]) < i->trace.loss)
		return IMPAIR_TRACE_LOSS;
	return IMPAIR_PASS;
}

/* 1 and the number of successes in a row: P(more than k) = p^k. */
static unsigned int draw_copies(struct impair_flow *f)
{
	double p, n;

	if (!is_set(f, PARAM_DUP))
		return 1;
	p = draw(f, PARAM_DUP) / 100;
	n = rng_open(&f->rng[KIND_DUP]);
	if (p <= 0)
		return 1;
	if (p >= 1)
		return COPIES_MAX;
	n = floor(log(n) / log(p));
	return n < COPIES_MAX - 1 ? 1 + (unsigned int)n : COPIES_MAX;
}

static void draw_flips(struct impair *i, struct impair_flow *f,
		       struct impair_frame *p)
{
	struct impair_flips *fl = &p->flips;

	if (!f->flips)
		return;
	fl->noise = fmax(draw(f, PARAM_NOISE), 0);
	fl->corrupt = fmax(draw(f, PARAM_CORRUPT), 0) / 100;
	fl->ber = fmax(draw(f, PARAM_BER), 0) / 1e6;
	fl->seed = rng_u64(&f->rng[KIND_FLIPS]);
	if (noise_flip(p->data, p->len, fl->seed, fl->noise, fl->corrupt,
		       fl->ber))
		i->stats.flipped++;
	else
		*fl = (struct impair_flips){ 0 };
}

static uint64_t ms_to_ns(double ms)
{
	if (ms <= 0)
		return 0;
	return ms < 1e12 ? (uint64_t)(ms * 1e6 + 0.5) : UINT64_MAX / 4;
}

static void draw_delay(struct impair *i, struct impair_flow *f,
		       struct impair_frame *p)
{
	if (traced(i, f, TRACE_DELAY, PARAM_DELAY))
		p->delay = i->trace.delay;
	else if (is_set(f, PARAM_DELAY))
		p->delay = ms_to_ns(draw(f, PARAM_DELAY));
	if (!is_set(f, PARAM_REORDER))
		return;
	p->overtakes = rng_unit(&f->rng[KIND_REORDER]) <
		       draw(f, PARAM_REORDER) / 100;
	i->overtaken |= p->overtakes;
	if (p->overtakes && p->delay)
		i->stats.overtook++;
}

/* May it wait? All that waits in the lane counts, wherever. */
static enum impair_fate room_for(struct impair_flow *f,
				 const struct impair_lane *l, uint32_t size)
{
	if (is_set(f, PARAM_CHANBUFSIZE) &&
	    (double)(l->waiting_size + size) > draw(f, PARAM_CHANBUFSIZE))
		return IMPAIR_FULL_BYTES;
	if (is_set(f, PARAM_LIMIT) &&
	    (double)(l->waiting + 1) > draw(f, PARAM_LIMIT))
		return IMPAIR_FULL_FRAMES;
	return IMPAIR_PASS;
}

static enum impair_fate from_aqm(enum aqm_fate fate)
{
	return fate == AQM_FULL_BYTES	 ? IMPAIR_FULL_BYTES
	       : fate == AQM_FULL_FRAMES ? IMPAIR_FULL_FRAMES
					 : IMPAIR_EARLY;
}

/* Through what there is of speed; *@leaves is when it is through, and @follows
 * whether the frame before it was until @now. */
static bool pass_speed(struct impair_flow *f, struct impair_lane *l,
		       uint32_t size, uint64_t now, uint64_t *leaves,
		       bool *follows)
{
	uint64_t rate;

	if (!is_set(f, PARAM_SPEED))
		return true;
	if (!line_rate(fmax(draw(f, PARAM_SPEED), 0), &rate) || !rate)
		return false;
	if (rate != l->speed.rate)
		line_set(&l->speed, now, rate, 0);
	*follows = now <= line_free(&l->speed);
	*leaves = line_send(&l->speed, now, size);
	return *leaves != LINE_NEVER;
}

/* True if the frame must wait for the line, or for one that is before it. */
static bool has_line(const struct impair *i, const struct impair_lane *l,
		     uint64_t now)
{
	return l->line.rate || l->queue.first || l->free > now ||
	       (l == &i->lanes[0] && i->next_slot);
}

/* Into the queue, or past it if there is no line. */
static void enter(struct impair *i, struct impair_flow *f,
		  struct impair_lane *l, struct impair_frame *p,
		  uint64_t leaves)
{
	bool queues = f->set.aqm.kind == AQM_RED ||
		      f->set.aqm.kind == AQM_RED_AVERAGE;
	enum aqm_fate fate;

	if (!has_line(i, l, p->arrived)) {
		l->used = true;
		settle(i, p, leaves);
		return;
	}
	fate = aqm_add(&l->queue, &p->line, size_of(p), p->arrived,
		       queues ? rng_unit(&i->flows[l->flow].rng[KIND_QUEUE])
			      : 0);
	if (fate != AQM_PASS)
		drop(i, p, from_aqm(fate));
}

static void input_copy(struct impair *i, struct impair_flow *f,
		       const void *data, size_t len, unsigned int copy,
		       uint64_t now)
{
	struct impair_lane *l = &i->lanes[f->lane];
	unsigned int class = (unsigned int)(f - i->flows);
	uint32_t size = (uint32_t)len + IMPAIR_HDR;
	struct impair_flow *limits = &i->flows[l->flow];
	enum impair_fate fate = room_for(limits, l, size);
	uint64_t leaves = now;
	struct impair_frame *p;
	bool follows = false;

	if (fate == IMPAIR_PASS &&
	    !pass_speed(limits, l, size, now, &leaves, &follows))
		fate = IMPAIR_STILL;
	p = fate == IMPAIR_PASS ? parcel_new(&i->pool, data, len) : NULL;
	if (!p) {
		tell_lost(i, class, copy, now,
			  fate == IMPAIR_PASS ? IMPAIR_MEMORY : fate);
		return;
	}
	p->number = i->number;
	p->copy = (uint16_t)copy;
	p->class = (uint8_t) class;
	p->lane = f->lane;
	p->arrived = now;
	p->follows = follows;
	count_in(i, p);
	draw_flips(i, f, p);
	draw_delay(i, f, p);
	enter(i, f, l, p, leaves);
	impair_advance(i, now);
}

void impair_input(struct impair *i, const void *data, size_t len,
		  unsigned int class, uint64_t now)
{
	struct impair_flow *f = &i->flows[i->flows[class].used ? class : 0];
	enum impair_fate fate;
	unsigned int copies;

	impair_advance(i, now);
	i->number++;
	f->number++;
	i->stats.in++;
	i->stats.in_bytes += len;
	fate = before_copies(i, f, (uint32_t)len + IMPAIR_HDR, now);
	if (fate != IMPAIR_PASS) {
		tell_lost(i, (unsigned int)(f - i->flows), 0, now, fate);
		return;
	}
	copies = draw_copies(f);
	i->stats.dups += copies - 1;
	for (unsigned int k = 0; k < copies; k++)
		input_copy(i, f, data, len, k, now);
}

static void input_as_told(struct impair *i, const void *data, size_t len,
			  const struct impair_decision *d, uint64_t now)
{
	const struct impair_flips *fl = &d->flips;
	struct impair_frame *p = NULL;

	if (d->fate == IMPAIR_PASS)
		p = parcel_new(&i->pool, data, len);
	if (!p) {
		tell_lost(i, 0, d->copy, now,
			  d->fate == IMPAIR_PASS ? IMPAIR_MEMORY : d->fate);
		return;
	}
	p->number = i->number;
	p->copy = (uint16_t)d->copy;
	p->arrived = now;
	p->flips = *fl;
	p->overtakes = true; /* its delay is what it was, whatever is set */
	if ((fl->noise > 0 || fl->corrupt > 0 || fl->ber > 0) &&
	    noise_flip(p->data, p->len, fl->seed, fl->noise, fl->corrupt,
		       fl->ber))
		i->stats.flipped++;
	count_in(i, p);
	settle(i, p, now + d->delay < now ? IMPAIR_NEVER - 1 : now + d->delay);
}

void impair_input_fated(struct impair *i, const void *data, size_t len,
			const struct impair_decision *d, int n, uint64_t now)
{
	impair_advance(i, now);
	i->number++;
	i->stats.in++;
	i->stats.in_bytes += len;
	i->stats.dups += n > 1 ? (uint64_t)n - 1 : 0;
	for (int k = 0; k < n; k++)
		input_as_told(i, data, len, &d[k], now);
}

void impair_count(struct impair *i, uint64_t frames, uint64_t bytes,
		  uint64_t now)
{
	i->number += frames;
	i->flows[0].number += frames;
	i->stats.in += frames;
	i->stats.out += frames;
	i->stats.in_bytes += bytes;
	i->stats.out_bytes += bytes;
	i->stats.fates[IMPAIR_PASS] += frames;
	if (frames)
		meter_rate_add(&i->stats.rate, now, bytes + frames * IMPAIR_HDR,
			       false);
}

/* ---- a frame goes out ---- */

uint64_t impair_opens(const struct impair *i)
{
	uint64_t at = 0;

	for (unsigned int k = 0; k < i->n_lanes; k++)
		at = max_u64(at, line_free(&i->lanes[k].speed));
	return at;
}

/* Nothing is seen of a frame before its delay is over, so it need not begin
 * to leave in time: whenever it is asked for, its times are the same. Unless
 * one behind it may be due before it. */
static uint64_t lane_next(const struct impair *i, const struct impair_lane *l)
{
	const struct impair_frame *p = head_of(l);
	bool in_order = i->fifo && !i->n_classes && !i->overtaken;
	uint64_t at;

	if (!p || l->free == IMPAIR_NEVER)
		return IMPAIR_NEVER;
	at = line_ready(l, p);
	if (l == &i->lanes[0] && i->next_slot && at <= i->now)
		return IMPAIR_NEVER; /* opportunities have run out */
	return !in_order || at + p->delay < at ? at : at + p->delay;
}

uint64_t impair_next(struct impair *i)
{
	uint64_t next = delayq_next(&i->waiting);

	for (unsigned int k = 0; k < i->n_lanes; k++)
		next = min_u64(next, lane_next(i, &i->lanes[k]));
	if (i->next_slot && !i->slots_over && !head_of(&i->lanes[0]))
		next = min_u64(next, i->slots_seen + IDLE_TICK);
	return next;
}

int impair_output(struct impair *i, uint64_t now, struct impair_frame **out,
		  int max)
{
	int n = 0;

	impair_advance(i, now);
	while (n < max) {
		struct delayq_node *d = delayq_take(&i->waiting, now);

		if (!d)
			break;
		out[n] = container_of(d, struct impair_frame, wait);
		count_out(i, out[n]);
		n++;
	}
	i->held += (unsigned int)n;
	return n;
}

void impair_sent(struct impair *i, struct impair_frame *const *p, int n,
		 uint64_t now)
{
	for (int k = 0; k < n; k++) {
		struct impair_frame *f = p[k];

		i->stats.out++;
		i->stats.out_bytes += f->len;
		meter_hist_add(&i->stats.late, now > f->due ? now - f->due : 0);
		meter_rate_add(&i->stats.rate, now, size_of(f), f->follows);
		parcel_free(&i->pool, f);
	}
	i->held -= (unsigned int)n;
}
