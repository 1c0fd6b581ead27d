// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/pump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "wirefilter/blink.h"
#include "wirefilter/feed.h"
#include "wirefilter/journal.h"
#include "wirefilter/sorter.h"
#include "wirefilter/watchman.h"

#define BURSTS 16 /* of one direction before the other has its turn */
/* A source that was not read for longer than this has lost its claim. */
#define CLAIM (100 * LOOP_MS)

struct way {
	struct pump *pump;
	struct end *from, *to;
	struct impair *wire;
	int direction;
	const char *name; /* for blink */
	int n, done; /* burst[done..n - 1] is not in the wire yet */
	int n_due, due_done; /* due[due_done..n_due - 1] waits for room */
	bool full; /* the other end takes no more */
	bool shut; /* by speed: not read until @opening */
	bool claims; /* frames now read have waited for the opening */
	uint64_t opens; /* what @opening is for */
	struct loop_timer opening;
	struct vde_frame burst[END_BURST];
	struct vde_frame out[END_BURST]; /* as due[] */
	struct impair_frame *due[END_BURST];
};

struct pump {
	struct wirefilter *wf;
	struct loop *loop;
	struct end_user user;
	struct end *end[2];
	struct way way[2];
	int n_ways;
	uint64_t spin;
	struct loop_timer timer; /* something is due */
	struct loop_timer again; /* frames are pending in memory */
	struct loop_timer drain; /* long enough after the end of a stream */
	struct loop_hook hook;
	uint64_t aim; /* what the timer is for; IMPAIR_NEVER: not armed */
	bool ahead; /* that was in the future when it was armed */
	struct way *last; /* its source has ended, what is left is delivered */
	int verdict; /* the status when that is done */
	bool hung_up; /* an end has gone, and only the status is not known */
	bool stopped;
};

static void stop(struct pump *p, int status)
{
	p->stopped = true;
	wirefilter_stop(p->wf, status);
}

static bool failed(struct pump *p, const char *what, int rc)
{
	if (rc >= 0)
		return false;
	log_err("unable to %s: %s", what, strerror(-rc));
	stop(p, EXIT_FAILURE);
	return true;
}

/* Nothing moves there any more. */
static bool is_quiet(const struct way *w)
{
	const struct pump *p = w->pump;

	return p->stopped || p->hung_up || (p->last && p->last != w);
}

/* ---- out of the wire ---- */

static void said_over(struct way *w, int rc)
{
	stop(w->pump, rc == END_OVER ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Who was held up by the reader has no claim against speed. */
static bool has_room(struct way *w, bool all)
{
	w->full = !all;
	w->claims &= all;
	return all;
}

static void take_due(struct way *w)
{
	w->n_due = impair_output(w->wire, loop_now(w->pump->loop), w->due,
				 END_BURST);
	w->due_done = 0;
	for (int i = 0; i < w->n_due; i++)
		w->out[i] = (struct vde_frame){ w->due[i]->data,
						w->due[i]->len,
						{ 0 } };
}

/* Hands over what was taken from the wire. False: there is no room for all of
 * it, or this is the end. */
static bool hand_over(struct way *w)
{
	struct pump *p = w->pump;
	int left = w->n_due - w->due_done;
	struct impair_frame **due = &w->due[w->due_done];
	int n = w->to->ops->send(w->to, &w->out[w->due_done], left);
	uint64_t now;

	if (n < 0) {
		said_over(w, n);
		return false;
	}
	now = loop_clock(p->loop);
	watchman_sent(p->wf->watchman, w->direction, due, n, left - n, now);
	if (p->wf->blink)
		blink_frames(p->wf->blink, w->name, due, n);
	impair_sent(w->wire, due, n, now);
	w->due_done += n;
	return has_room(w, n == left);
}

/* All that is due. False: there is no room, or this is the end. */
static bool deliver(struct way *w)
{
	for (int i = 0; i < BURSTS; i++) {
		if (w->due_done == w->n_due)
			take_due(w);
		if (!w->n_due)
			break;
		if (!hand_over(w))
			return false;
	}
	return true;
}

/* ---- into the wire ---- */

/* Nobody but the other end wants to see what passes. */
static bool is_clear(const struct way *w)
{
	const struct wirefilter *wf = w->pump->wf;

	return !wf->sorter && !wf->blink &&
	       (!wf->journal || journal_is_idle(wf->journal)) &&
	       impair_is_clear(w->wire);
}

/* The burst as it is. False: there is no room, or this is the end. */
static bool pass(struct way *w)
{
	int n = w->to->ops->send(w->to, &w->burst[w->done], w->n - w->done);
	uint64_t bytes = 0;

	if (n < 0) {
		said_over(w, n);
		return false;
	}
	for (int i = 0; i < n; i++)
		bytes += w->burst[w->done + i].len;
	impair_count(w->wire, (uint64_t)n, bytes, loop_now(w->pump->loop));
	w->done += n;
	return has_room(w, w->done == w->n);
}

/* When the next frame arrives: now, or as soon as it could if it has waited for
 * that. */
static uint64_t arrival(const struct way *w, uint64_t opens, uint64_t now)
{
	return w->claims && opens < now && now - opens < CLAIM ? opens : now;
}

static void reopen(struct loop_timer *t);

/* The source is not read until @opens. */
static void shut(struct way *w, uint64_t opens)
{
	uint64_t now = loop_now(w->pump->loop);

	w->shut = w->claims = true;
	w->opens = opens;
	failed(w->pump, "wait for the wire",
	       loop_timer_set(w->pump->loop, &w->opening,
			      opens > now ? opens - now : 0, reopen));
}

static unsigned int class_of(const struct way *w, const struct vde_frame *f)
{
	struct sorter *s = w->pump->wf->sorter;

	return s ? sorter_sort(s, w->direction, f->data, f->len) : 0;
}

/* A frame of the burst into the wire. */
static void put(struct way *w, const struct vde_frame *f, uint64_t now)
{
	struct journal *j = w->pump->wf->journal;

	if (j && journal_replays(j))
		journal_input(j, w->direction, f->data, f->len, now);
	else
		impair_input(w->wire, f->data, f->len, class_of(w, f), now);
}

/* As much of the burst as speed lets in now. */
static void feed(struct way *w)
{
	uint64_t now = loop_now(w->pump->loop);

	while (w->done < w->n) {
		uint64_t opens = impair_opens(w->wire);

		if (opens > now) {
			shut(w, opens);
			return;
		}
		put(w, &w->burst[w->done++], arrival(w, opens, now));
	}
}

/* Nothing more comes from there: @status once what has come is delivered. */
static void is_last(struct way *w, int status)
{
	w->pump->last = w;
	w->pump->verdict = status;
}

/* False: there was none, or this is the end. */
static bool take(struct way *w)
{
	int n = w->from->ops->recv(w->from, w->burst, END_BURST);

	w->n = w->done = 0;
	if (n <= 0)
		w->claims = false;
	if (n == END_OVER || n == END_CUT)
		is_last(w, n == END_OVER ? EXIT_SUCCESS : EXIT_FAILURE);
	else if (n < 0)
		said_over(w, n);
	if (n <= 0)
		return false;
	w->n = n;
	/* They may be younger than the turn: arrived then, they left early. */
	loop_clock(w->pump->loop);
	w->from->frames += (uint64_t)n;
	return true;
}

/* ---- turns ---- */

static bool reads(const struct way *w)
{
	return !w->full && !w->shut && !w->pump->last;
}

/* There is something to read without waiting for an event. */
static bool has_more(const struct way *w)
{
	return reads(w) && (w->done < w->n || w->from->ops->pending(w->from));
}

static bool unsent(const struct way *w)
{
	return w->full || (w->to->ops->unsent && w->to->ops->unsent(w->to));
}

/* The source waits while it is not read; the sink is watched only while it is
 * full, and at the very end. */
static void set_wants(struct way *w)
{
	bool last = w->pump->last == w;
	int rc = w->from->ops->want_rx(w->from, reads(w));

	if (!rc)
		rc = w->to->ops->want_tx(w->to, last ? unsent(w) : w->full);
	if (!rc)
		return;
	log_err("unable to wait for %s: %s", w->from->name, strerror(-rc));
	stop(w->pump, EXIT_FAILURE);
}

static void drained(struct loop_timer *t)
{
	struct pump *p = container_of(t, struct pump, drain);

	log_notice("what was on its way is lost: %s has ended",
		   p->last->from->name);
	stop(p, p->verdict);
}

/* The source of @w has ended. Nobody is there for the other direction. */
static void wind_up(struct way *w)
{
	struct pump *p = w->pump;

	for (int i = 0; i < p->n_ways; i++) {
		struct end *from = p->way[i].from;

		failed(p, "stop reading", from->ops->want_rx(from, false));
	}
	failed(p, "stop writing", w->from->ops->want_tx(w->from, false));
	if (!unsent(w) && impair_next(w->wire) == IMPAIR_NEVER &&
	    impair_stats(w->wire)->waiting)
		drained(&p->drain);
	else if (!unsent(w) && !impair_stats(w->wire)->waiting)
		stop(p, p->verdict);
	else if (p->n_ways > 1 && !loop_timer_armed(&p->drain))
		failed(p, "wait for what is on its way",
		       loop_timer_set(p->loop, &p->drain, PUMP_DRAIN, drained));
}

/* One burst. False: that was all for now. */
static bool step(struct way *w)
{
	if (!reads(w) || (w->done == w->n && !take(w)))
		return false;
	if (is_clear(w))
		return pass(w) && w->claims;
	feed(w);
	return deliver(w) && w->claims; /* until the source has no more */
}

static void go_on(struct loop_timer *t);

/* What follows from what was done. */
static void look_round(struct way *w)
{
	if (w->pump->stopped)
		return;
	set_wants(w);
	if (w->pump->last == w)
		wind_up(w);
}

static void run(struct way *w)
{
	struct pump *p = w->pump;

	if (is_quiet(w))
		return;
	feed_advance(p->wf, loop_now(p->loop));
	wire_advance(p->wf->wire, loop_now(p->loop));
	if (deliver(w))
		for (int i = 0; i < BURSTS && step(w); i++)
			;
	look_round(w);
	if (!p->stopped && has_more(w))
		failed(p, "go on",
		       loop_timer_set(p->loop, &p->again, 0, go_on));
}

static void go_on(struct loop_timer *t)
{
	struct pump *p = container_of(t, struct pump, again);

	for (int i = 0; i < p->n_ways; i++)
		if (has_more(&p->way[i]))
			run(&p->way[i]);
}

/* Speed lets the next frame in. */
static void reopen(struct loop_timer *t)
{
	struct way *w = container_of(t, struct way, opening);

	w->shut = false;
	run(w);
}

/* ---- times ---- */

static bool is_due(const struct way *w, uint64_t now)
{
	return !is_quiet(w) && !w->full && impair_next(w->wire) <= now;
}

/* Nothing is read here: what came since the clock was read would be taken for
 * older than it is. */
static void fire(struct loop_timer *t)
{
	struct pump *p = container_of(t, struct pump, timer);
	uint64_t now = loop_now(p->loop), aim = p->aim;

	p->aim = IMPAIR_NEVER; /* the hook arms it again */
	if (aim > now)
		return;
	if (p->ahead)
		watchman_woken(p->wf->watchman, aim, now);
	feed_advance(p->wf, now);
	wire_advance(p->wf->wire, now);
	for (int i = 0; i < p->n_ways; i++) {
		struct way *w = &p->way[i];

		if (is_due(w, now)) {
			deliver(w);
			look_round(w);
		}
	}
}

/* What changes first: the wire itself, or a frame that could go. */
static uint64_t next_due(const struct pump *p)
{
	uint64_t next = markov_next(p->wf->wire->markov);

	if (!next || p->stopped)
		next = IMPAIR_NEVER;
	for (int i = 0; i < p->n_ways; i++)
		if (!is_quiet(&p->way[i]) && !p->way[i].full)
			next = min_u64(next, impair_next(p->way[i].wire));
	return next;
}

/* Before the loop sleeps: until when? What a command has changed counts, too. */
static void aim(struct loop_hook *h)
{
	struct pump *p = container_of(h, struct pump, hook);
	uint64_t next = next_due(p), now = loop_now(p->loop), wait;

	for (int i = 0; i < p->n_ways; i++) {
		struct way *w = &p->way[i];

		if (w->shut && impair_opens(w->wire) != w->opens)
			shut(w, impair_opens(w->wire));
	}
	if (next == p->aim)
		return;
	p->aim = next;
	if (next == IMPAIR_NEVER) {
		loop_timer_del(p->loop, &p->timer);
		return;
	}
	wait = next > now ? next - now : 0;
	p->ahead = wait;
	wait = wait > p->spin ? wait - p->spin : 0;
	failed(p, "wait for a frame's time",
	       loop_timer_set(p->loop, &p->timer, wait, fire));
}

/* ---- what the ends say ---- */

static struct pump *pump_of(struct end_user *u)
{
	return container_of(u, struct pump, user);
}

static struct way *way_from(struct pump *p, const struct end *e)
{
	for (int i = 0; i < p->n_ways; i++)
		if (p->way[i].from == e)
			return &p->way[i];
	return NULL;
}

static struct way *way_to(struct pump *p, const struct end *e)
{
	for (int i = 0; i < p->n_ways; i++)
		if (p->way[i].to == e)
			return &p->way[i];
	return NULL;
}

static void readable(struct end_user *u, struct end *e)
{
	struct way *w = way_from(pump_of(u), e);

	if (w && reads(w))
		run(w);
}

static void writable(struct end_user *u, struct end *e)
{
	struct way *w = way_to(pump_of(u), e);

	if (!w)
		return;
	w->full = false;
	run(w);
}

static void end_stopped(struct end_user *u, struct end *e, int status)
{
	stop(pump_of(u), status);
}

/* The other end hangs up as well: a wire that is cut delivers nothing. */
static bool gone(struct end_user *u, struct end *e)
{
	struct pump *p = pump_of(u);
	struct end *other = p->end[p->end[0] == e ? 1 : 0];

	if (p->stopped || p->hung_up || p->last ||
	    other->ops->want_rx(other, false))
		return p->hung_up;
	p->hung_up = true;
	if (other->ops->hang_up)
		other->ops->hang_up(other);
	return true;
}

/* ---- begin and end ---- */

static void init_way(struct pump *p, int d)
{
	static const char *const names[] = { "LR", "RL" };

	p->way[d] = (struct way){
		.pump = p,
		.from = p->end[d],
		.to = p->end[1 - d],
		.wire = p->wf->wire->dir[d],
		.direction = d,
		.name = p->n_ways > 1 ? names[d] : "--",
	};
}

int pump_new(struct pump **out, const struct pump_config *c)
{
	struct pump *p = calloc(1, sizeof(*p));
	int rc = 0;

	if (!p) {
		end_finish(c->left);
		end_finish(c->right);
		return -ENOMEM;
	}
	p->wf = c->wf;
	p->loop = c->wf->loop;
	p->spin = c->spin;
	p->user = (struct end_user){ readable, writable, end_stopped, gone };
	p->end[0] = c->left;
	p->end[1] = c->right;
	p->n_ways = c->wf->wire->both ? 2 : 1;
	p->aim = IMPAIR_NEVER;
	loop_hook_add(p->loop, &p->hook, aim);
	for (int i = 0; i < 2; i++) {
		p->end[i]->user = &p->user;
		p->end[i]->min_len = 1;
	}
	for (int i = 0; i < p->n_ways && !rc; i++) {
		init_way(p, i);
		rc = p->end[i]->ops->want_rx(p->end[i], true);
	}
	if (rc)
		pump_free(p);
	else
		*out = p;
	return rc;
}

/* What was taken from the wire, and nobody took, is its memory. */
static void give_back(struct way *w)
{
	impair_sent(w->wire, &w->due[w->due_done], w->n_due - w->due_done,
		    loop_now(w->pump->loop));
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n_ways; i++)
		loop_timer_del(p->loop, &p->way[i].opening);
	loop_timer_del(p->loop, &p->timer);
	loop_timer_del(p->loop, &p->again);
	loop_timer_del(p->loop, &p->drain);
	loop_hook_del(&p->hook);
	for (int i = 0; i < p->n_ways; i++)
		give_back(&p->way[i]);
	for (int i = 0; i < 2; i++)
		end_finish(p->end[i]);
	free(p);
}

const struct end *pump_from(const struct pump *p, int direction)
{
	return p->way[direction].from;
}
