/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wire under a clock of the fuzzer's: settings as text, frames, time, nodes,
 * classes, traces, in any order. Each input runs twice, once looking for what
 * is due only now and then and once whenever something is.
 *
 *   each copy of a frame passes, is dropped with a cause, or waits
 *   none leaves before it is due, or before one that was due earlier; what was
 *   due at the last look was given then
 *   whoever looks when something is due finds it due just then
 *   nothing is damaged but as the frame itself says
 *   with fifo, frames of a class leave in their order
 *   what the log is told is what the counters say
 *   how often one looks decides nothing, unless what waits decides
 *   in the end all leave
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "input.h"
#include "wirefilter/line.h"
#include "wirefilter/noise.h"
#include "wirefilter/trace.h"
#include "wirefilter/wire.h"

#define BATCH 8
#define FRAMES_MAX 1000 /* copies, of one run, or a few more */
#define POLLS_MAX 2000
#define BEGIN UINT64_C(1000000000)
#define MS UINT64_C(1000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct way {
	struct impair *i;
	uint64_t given; /* frames, by which they are numbered */
	uint64_t base; /* copies on the way when counters were reset */
	uint64_t untold; /* frames of which a record knew nothing */
	uint64_t told[IMPAIR_N_FATES], told_base[IMPAIR_N_FATES];
	uint64_t looked; /* when all that was due had been taken */
	uint64_t due; /* of the last frame that left */
	uint64_t slot; /* the last opportunity given */
	unsigned int slots; /* that are left */
	uint64_t gap;
	struct impair_frame *held[BATCH];
	int n_held;
	struct {
		bool used; /* frames of another one may be left */
		bool in_order;
		uint64_t number;
		unsigned int copy;
	} class[IMPAIR_CLASSES];
};

struct run {
	struct input in;
	struct wire *w;
	uint64_t now;
	bool eager, logs;
	bool comparable; /* nothing depends on when one looks */
	bool fifo; /* always was */
	bool orderly, roomy; /* nothing spoils these two */
	unsigned int polls;
	uint64_t sum; /* of what became of each frame, in any order */
	struct way way[2];
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* ---- frames ---- */

static void fill(uint8_t *data, size_t len, uint64_t number)
{
	for (size_t k = 0; k < len; k++)
		data[k] = (uint8_t)(number * 31 + k * 7 + (k >> 8));
}

static void check_bytes(const struct impair_frame *p)
{
	static uint8_t as_given[65536];
	const struct impair_flips *f = &p->flips;

	fill(as_given, p->len, p->number);
	if (f->noise > 0 || f->corrupt > 0 || f->ber > 0)
		must(noise_flip(as_given, p->len, f->seed, f->noise, f->corrupt,
				f->ber) > 0);
	must(!memcmp(as_given, p->data, p->len));
}

static void check_order(struct run *r, struct way *w,
			const struct impair_frame *p)
{
	uint64_t last = w->class[p->class].number;

	must(p->due >= w->due && p->due >= w->looked);
	w->due = p->due;
	if (r->fifo && w->class[p->class].in_order)
		must(p->number > last ||
		     (p->number == last && p->copy > w->class[p->class].copy));
	w->class[p->class].number = p->number;
	w->class[p->class].copy = p->copy;
}

static void check_out(struct run *r, struct way *w,
		      const struct impair_frame *p)
{
	must(p->due >= p->arrived && p->due <= r->now);
	must(p->class < IMPAIR_CLASSES && p->number <= w->given);
	if (r->eager && r->polls)
		must(p->due == r->now);
	check_order(r, w, p);
	check_bytes(p);
	r->sum += mix(mix(mix(p->number, p->copy), p->due), p->class);
}

static void check_counts(const struct run *r, const struct way *w)
{
	const struct impair_stats *s = impair_stats(w->i);
	uint64_t dropped = 0, held = (uint64_t)w->n_held;

	for (int f = IMPAIR_PASS + 1; f < IMPAIR_N_FATES; f++)
		dropped += s->fates[f];
	must(w->base + s->in + s->dups ==
	     dropped + s->out + held + s->waiting + w->untold);
	must((s->waiting == 0) == (s->waiting_size == 0));
	must(s->most_waiting >= s->waiting);
	must(s->most_waiting_size >= s->waiting_size);
	for (int f = 0; f < IMPAIR_N_FATES && r->logs; f++)
		must(w->told[f] - w->told_base[f] == s->fates[f]);
	if (impair_is_clear(w->i))
		must(!s->waiting && !held && !r->logs);
}

static void note(void *ctx, const struct impair_decision *d)
{
	struct way *w = ctx;

	must(d->fate < IMPAIR_N_FATES && d->class < IMPAIR_CLASSES);
	must(d->number <= w->given);
	must(d->fate == IMPAIR_PASS || !d->delay);
	w->told[d->fate]++;
}

static void send_held(struct run *r, struct way *w)
{
	impair_sent(w->i, w->held, w->n_held, r->now);
	w->n_held = 0;
}

/* Takes all that is due now. */
static void look(struct run *r, struct way *w)
{
	do {
		send_held(r, w);
		w->n_held = impair_output(w->i, r->now, w->held, BATCH);
		for (int k = 0; k < w->n_held; k++)
			check_out(r, w, w->held[k]);
	} while (w->n_held == BATCH);
	w->looked = r->now;
	must(impair_next(w->i) > r->now);
}

/* ---- time ---- */

static void look_both(struct run *r)
{
	for (int d = 0; d < 2; d++)
		if (r->way[d].i)
			look(r, &r->way[d]);
}

static void pass_time(struct run *r, uint64_t until)
{
	while (r->eager && r->polls && wire_next(r->w) <= until) {
		uint64_t next = wire_next(r->w);

		must(next > r->now);
		r->now = next;
		r->polls--;
		wire_advance(r->w, r->now);
		look_both(r);
	}
	r->now = until;
	wire_advance(r->w, r->now);
}

/* A few classes are used more than others. */
static unsigned int take_class(struct input *in)
{
	unsigned int v = take(in);

	return v & 64 ? v % IMPAIR_CLASSES : v % 4;
}

static uint64_t take_time(struct input *in)
{
	unsigned int shift = take(in) % 32;

	return (uint64_t)take16(in) << shift >> 8;
}

/* ---- settings ---- */

static const char *const numbers[] = { "0",   "1",     "2",    "10",   "50",
				       "100", "99.99", "0.5",  "1e-6", "0.001",
				       "500", "1500",  "9000", "64K",  "1e6",
				       "1M",  "1G",    "1e9",  "1e12", "3",
				       "5",   "20",    "30",   "65535" };
static const char *const shapes[] = { "",	   "U",	       "N",
				      ":normal",   ":pareto",  ":paretonormal",
				      ":measured", "~30",      "N~99",
				      ":nothing",  ":pareto~5" };
static const char *const forms[] = {
	"0",
	"5",
	"10,50",
	"1,10,100,5",
	"30,30,30,30",
	"3,2,1",
	"1-3,7,20-",
	"2",
	"tail",
	"codel",
	"codel 0.001,1",
	"codel 5,100",
	"red 0,1,100",
	"red 100,3000,50,20000",
	"red-average 500,2000,10",
	"red-average 0,10000,100,1e5",
	"0+1",
	"1+0.5/3",
	"0+0.1/0.2,5+5",
};

#define PICK(in, table) (table)[take(in) % ARRAY_SIZE(table)]

/* Most often one that it may have. */
static const char *take_form(struct input *in, enum param p)
{
	unsigned int v = take(in);

	if (v & 128)
		return forms[v % ARRAY_SIZE(forms)];
	if (p == PARAM_QDISC)
		return forms[8 + v % 8];
	return forms[p == PARAM_N ? 16 + v % 3 : v % 8];
}

static void make_text(struct input *in, enum param p, struct strbuf *b)
{
	static const char *const directions[] = { "", "LR", "RL" };
	unsigned int how = take(in);

	strbuf_add(b, directions[how % 3]);
	if (p < PARAM_N_VALUES) {
		strbuf_add(b, PICK(in, numbers));
		if (how & 64) {
			strbuf_add(b, "+");
			strbuf_add(b, PICK(in, numbers));
			strbuf_add(b, PICK(in, shapes));
		}
	} else {
		strbuf_add(b, take_form(in, p));
	}
	if (how & 128)
		strbuf_fmt(b, "[%u]", take(in) % 5);
}

static void take_text(struct input *in, struct strbuf *b)
{
	size_t asked = take(in) % 64, n = size_min(asked, in->left);
	char text[64];

	memcpy(text, in->p, n);
	text[n] = '\0';
	in->p += n;
	in->left -= n;
	strbuf_add(b, text);
}

#define LANE_PARAMS                                                      \
	(1U << PARAM_BANDWIDTH | 1U << PARAM_BURST | 1U << PARAM_SPEED | \
	 1U << PARAM_CHANBUFSIZE | 1U << PARAM_LIMIT | 1U << PARAM_QDISC)

/* What may depend on it from now on. */
static void note_setting(struct run *r, unsigned int class, enum param p)
{
	if (p == PARAM_CHANBUFSIZE || p == PARAM_LIMIT)
		r->comparable = false;
	for (int d = 0; d < 2; d++) {
		struct way *w = &r->way[d];

		/* It goes into another queue, and may come out before. */
		if (class && LANE_PARAMS & 1U << p)
			w->class[class].in_order = false;
		for (int c = 0; c < IMPAIR_CLASSES && p == PARAM_REORDER; c++)
			w->class[c].in_order = false;
	}
}

/* Most often what makes frames wait. */
static enum param take_param(struct input *in)
{
	static const enum param likely[] = { PARAM_DELAY, PARAM_BANDWIDTH,
					     PARAM_DELAY, PARAM_QDISC };
	unsigned int v = take(in);

	return v & 128 ? likely[v % 4] : v % (PARAM_N + 1);
}

static bool spoils(const struct run *r, enum param p)
{
	return (r->orderly && p == PARAM_REORDER) ||
	       (r->roomy && (p == PARAM_CHANBUFSIZE || p == PARAM_LIMIT));
}

static void set(struct run *r)
{
	unsigned int class = take_class(&r->in), how = take(&r->in) % 16;
	enum param p = take_param(&r->in);
	const char *name = p < PARAM_N ? param_rows[p].name : "blackout";
	char text[256], reason[512];
	struct strbuf b, why;
	int rc;

	if (!r->w->classes[class].used)
		class = 0;
	if (spoils(r, p))
		return;
	strbuf_init(&b, text, sizeof(text));
	strbuf_init(&why, reason, sizeof(reason));
	if (how == 15)
		take_text(&r->in, &b);
	else
		make_text(&r->in, p, &b);
	rc = wire_set(r->w, class, name, text, r->now, &why);
	must(rc == 0 || rc == -EINVAL);
	must((rc == 0) == (why.len == 0));
	if (!rc && p < PARAM_N)
		note_setting(r, class, p);
}

static void begin_class(struct run *r, unsigned int class)
{
	for (int d = 0; d < 2; d++) {
		struct way *w = &r->way[d];

		w->class[class].number = 0;
		w->class[class].copy = 0;
		w->class[class].in_order = w->class[0].in_order &&
					   !w->class[class].used;
		w->class[class].used = true;
	}
}

static void change_class(struct run *r)
{
	unsigned int class = take_class(&r->in);
	char name[8];
	int rc;

	if (take(&r->in) & 1 && class && r->w->classes[class].used) {
		wire_del_class(r->w, class, r->now);
		return;
	}
	(void)str_fmt(name, sizeof(name), "c%u", class);
	rc = wire_add_class(r->w, name);
	if (rc == -EEXIST)
		return;
	must(rc == -ENOSPC || (rc > 0 && rc < IMPAIR_CLASSES));
	must(wire_find_class(r->w, name) == (rc > 0 ? rc : -ENOENT));
	if (rc > 0)
		begin_class(r, (unsigned int)rc);
}

static void change_chain(struct run *r)
{
	unsigned int a = take(&r->in) % 5, b = take(&r->in) % 5;

	switch (take(&r->in) % 4) {
	case 0:
		must((wire_set_nodes(r->w, a, r->now) == 0) == (a > 0));
		break;
	case 1:
		(void)wire_set_current(r->w, a, r->now);
		break;
	case 2:
		(void)wire_set_period(r->w, (take(&r->in) + 1) * 1000 * MS,
				      r->now);
		break;
	default:
		(void)markov_set_edge(r->w->markov, a, b, take(&r->in));
	}
	must(markov_current(r->w->markov) < markov_nodes(r->w->markov));
}

/* ---- traces and records ---- */

static bool next_slot(void *ctx, uint64_t *at)
{
	struct way *w = ctx;

	if (!w->slots)
		return false;
	w->slots--;
	w->slot += w->gap;
	*at = w->slot;
	return true;
}

static void change_trace(struct run *r, struct way *w)
{
	unsigned int what = take(&r->in);
	uint64_t rate = (uint64_t)take16(&r->in) * LINE_RATE_UNIT;

	if (what & 1) {
		impair_trace_values(w->i, what & 0xe, rate << (what >> 5),
				    take_time(&r->in), take(&r->in) / 255.0,
				    r->now);
		return;
	}
	impair_set_slots(w->i, NULL, NULL, r->now);
	w->slot = r->now;
	w->slots = take16(&r->in) % 1000;
	w->gap = take_time(&r->in);
	impair_set_slots(w->i, what & 2 ? next_slot : NULL, w, r->now);
}

static void give_fated(struct run *r, struct way *w)
{
	struct impair_decision d[4] = { 0 };
	int n = (int)(take(&r->in) % 5);
	uint8_t data[64];

	w->given++;
	for (int k = 0; k < n; k++) {
		d[k].copy = (unsigned int)k;
		d[k].fate = take(&r->in) % IMPAIR_N_FATES;
		d[k].delay = take_time(&r->in);
		if (take(&r->in) & 1)
			d[k].flips = (struct impair_flips){ d[k].delay, 0, 1,
							    0 };
	}
	fill(data, sizeof(data), w->given);
	impair_input_fated(w->i, data, sizeof(data), d, n, r->now);
	w->untold += n == 0;
	w->class[0].in_order = false;
}

/* ---- frames and counters ---- */

static void give(struct run *r, struct way *w)
{
	static uint8_t data[65536];
	unsigned int what = take(&r->in), n = what & 128 ? 1 : 1 + (what & 7);
	unsigned int class = take_class(&r->in);
	size_t len = 1 +
		     (what & 128 ? take16(&r->in) % 65535 : take(&r->in) * 6);

	while (n-- && w->given + impair_stats(w->i)->dups < FRAMES_MAX) {
		w->given++;
		fill(data, len, w->given);
		impair_input(w->i, data, len, class, r->now);
	}
}

static void count(struct run *r, struct way *w)
{
	r->comparable = false; /* it is clear for who has taken all */
	if (!impair_is_clear(w->i))
		return;
	impair_count(w->i, 3, 300, r->now);
	w->given += 3;
}

/* Memory is for what has not been looked for. */
static void note_memory(struct run *r, const struct way *w)
{
	r->comparable &= !impair_stats(w->i)->fates[IMPAIR_MEMORY];
}

static void reset(struct run *r, struct way *w)
{
	note_memory(r, w);
	w->base = impair_stats(w->i)->waiting + (uint64_t)w->n_held;
	w->untold = 0;
	memcpy(w->told_base, w->told, sizeof(w->told));
	impair_reset_stats(w->i);
}

static void toggle_fifo(struct run *r)
{
	r->fifo = r->comparable = false;
	wire_set_fifo(r->w, take(&r->in) & 1);
}

static void step(struct run *r)
{
	unsigned int what = take(&r->in);
	struct way *w = &r->way[what & 128 && r->w->both];

	switch (what % 16) {
	case 0:
	case 1:
	case 2:
		set(r);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		give(r, w);
		break;
	case 7:
	case 8:
		pass_time(r, r->now + take_time(&r->in));
		break;
	case 9:
		look(r, w);
		break;
	case 10:
		change_class(r);
		break;
	case 11:
		change_chain(r);
		break;
	case 12:
		change_trace(r, w);
		break;
	case 13:
		if (r->orderly)
			give(r, w);
		else
			give_fated(r, w);
		break;
	case 14:
		if (what & 64 && !r->orderly)
			toggle_fifo(r);
		else
			reset(r, w);
		break;
	default:
		count(r, w);
	}
}

/* ---- begin and end ---- */

static const struct dist_table *add_table(struct wire *w)
{
	char reason[64];
	struct strbuf why;
	struct dist_table *t;

	strbuf_init(&why, reason, sizeof(reason));
	t = dist_table_parse("1 2 3 9", 7, &why);
	must(t && wire_add_table(w, "measured", t) == 0);
	return t;
}

static void begin(struct run *r, const uint8_t *data, size_t size, bool eager)
{
	unsigned int how;

	memset(r, 0, sizeof(*r));
	r->in = (struct input){ data, size };
	how = take(&r->in);
	r->now = BEGIN;
	r->eager = eager;
	r->logs = how & 1;
	r->orderly = how & 8;
	r->roomy = how & 16;
	r->comparable = r->fifo = true;
	r->polls = POLLS_MAX;
	r->w = wire_new(take16(&r->in), how & 2,
			how & 4 ? (size_t)1 << 16 : (size_t)1 << 28, r->now);
	must(r->w);
	add_table(r->w);
	for (int d = 0; d < (r->w->both ? 2 : 1); d++) {
		r->way[d].i = r->w->dir[d];
		for (int c = 0; c < IMPAIR_CLASSES; c++)
			r->way[d].class[c].in_order = true;
		if (r->logs)
			impair_set_log(r->w->dir[d], note, &r->way[d]);
	}
}

/* The chain stands still, and traces are over; what waits then leaves, at
 * whatever time that is. */
static void drain(struct run *r)
{
	for (unsigned int k = 0; wire_next(r->w) != IMPAIR_NEVER; k++) {
		must(k < 100 * FRAMES_MAX && (wire_next(r->w) > r->now || !k));
		r->now = max_u64(r->now, wire_next(r->w));
		look_both(r);
	}
}

/* Where nothing waits there is room for a frame. */
static void check_memory(struct run *r, struct way *w)
{
	uint64_t had = impair_stats(w->i)->fates[IMPAIR_MEMORY];

	w->given++;
	impair_input(w->i, "x", 1, 0, r->now);
	must(impair_stats(w->i)->fates[IMPAIR_MEMORY] == had ||
	     impair_stats(w->i)->dups);
}

static void finish(struct run *r)
{
	must(wire_set_nodes(r->w, 1, r->now) == 0);
	for (int d = 0; d < 2; d++)
		if (r->way[d].i)
			impair_set_slots(r->way[d].i, NULL, NULL, r->now);
	drain(r);
	for (int d = 0; d < 2; d++) {
		struct way *w = &r->way[d];

		if (!w->i)
			continue;
		send_held(r, w);
		check_counts(r, w);
		note_memory(r, w);
		must(impair_next(w->i) == IMPAIR_NEVER);
		must(!impair_stats(w->i)->waiting);
		check_memory(r, w);
	}
	wire_free(r->w);
}

static void run(struct run *r, const uint8_t *data, size_t size, bool eager)
{
	begin(r, data, size, eager);
	while (r->in.left) {
		step(r);
		if (r->eager)
			look_both(r);
		for (int d = 0; d < 2; d++)
			if (r->way[d].i)
				check_counts(r, &r->way[d]);
	}
	finish(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run late, eager;

	run(&late, data, size, false);
	run(&eager, data, size, true);
	if (late.comparable && eager.comparable && eager.polls)
		must(late.sum == eager.sum);
	return 0;
}
