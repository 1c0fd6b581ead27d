// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/aqm.h"

static const char *const kinds[] = {
	[AQM_TAIL] = "tail",
	[AQM_RED] = "red",
	[AQM_RED_AVERAGE] = "red-average",
	[AQM_CODEL] = "codel",
};
static_assert(ARRAY_SIZE(kinds) == AQM_N_KINDS, "a kind has no name");

static const char *const fates[] = {
	[AQM_PASS] = "pass",   [AQM_FULL_BYTES] = "full_bytes",
	[AQM_EARLY] = "early", [AQM_FULL_FRAMES] = "full_frames",
	[AQM_LATE] = "late",
};
static_assert(ARRAY_SIZE(fates) == AQM_N_FATES, "a fate has no name");

const char *aqm_kind_name(enum aqm_kind k)
{
	return kinds[k];
}

const char *aqm_fate_name(enum aqm_fate f)
{
	return fates[f];
}

/* ---- configuration ---- */

void aqm_defaults(struct aqm_config *cfg)
{
	*cfg = (struct aqm_config){
		.kind = AQM_TAIL,
		.min = 5 * 1500,
		.max = 15 * 1500,
		.prob = 0.1,
		.weight = 0.002,
		.frame_ns = 1000000,
		.target = 5000000,
		.interval = 100000000,
		.maxpacket = 1516,
	};
}

static bool check_time(const char *what, uint64_t ns, struct strbuf *why)
{
	if (ns && ns <= AQM_TIME_MAX)
		return true;
	strbuf_fmt(why, "%s must be above 0 and at most 10 s", what);
	return false;
}

static bool check_red(const struct aqm_config *cfg, struct strbuf *why)
{
	if (cfg->min >= cfg->max)
		strbuf_fmt(why, "min %llu is not below max %llu",
			   (unsigned long long)cfg->min,
			   (unsigned long long)cfg->max);
	else if (cfg->limit_bytes && cfg->limit_bytes < cfg->max)
		strbuf_fmt(why, "limit %llu is below max %llu",
			   (unsigned long long)cfg->limit_bytes,
			   (unsigned long long)cfg->max);
	else if (!(cfg->prob >= 0 && cfg->prob <= 1))
		strbuf_fmt(why, "probability %g is not from 0 to 1", cfg->prob);
	else
		return true;
	return false;
}

bool aqm_check(const struct aqm_config *cfg, struct strbuf *why)
{
	switch (cfg->kind) {
	case AQM_TAIL:
		return true;
	case AQM_RED:
		return check_red(cfg, why);
	case AQM_RED_AVERAGE:
		if (!check_red(cfg, why) ||
		    !check_time("the time of a frame", cfg->frame_ns, why))
			return false;
		if (cfg->weight > 0 && cfg->weight <= 1)
			return true;
		strbuf_fmt(why, "weight %g is not above 0 and at most 1",
			   cfg->weight);
		return false;
	case AQM_CODEL:
		return check_time("target", cfg->target, why) &&
		       check_time("interval", cfg->interval, why);
	case AQM_N_KINDS:
		break;
	}
	strbuf_fmt(why, "%d is no kind", (int)cfg->kind);
	return false;
}

static void start(struct aqm *a)
{
	a->average = 0;
	a->spread = -1;
	a->dropping = false;
	a->count = a->lastcount = 0;
	a->first_above = a->drop_next = 0;
}

void aqm_init(struct aqm *a, const struct aqm_config *cfg)
{
	*a = (struct aqm){ .cfg = *cfg };
	start(a);
}

void aqm_set(struct aqm *a, const struct aqm_config *cfg)
{
	if (cfg->kind != a->cfg.kind)
		start(a);
	a->cfg = *cfg;
}

/* ---- at the tail ---- */

/* The line of @prob over @load from @min, where it is 0, to @max. */
static double slope(const struct aqm_config *cfg, double load)
{
	return cfg->prob * (load - (double)cfg->min) /
	       (double)(cfg->max - cfg->min);
}

static bool red_drops(const struct aqm_config *cfg, uint64_t bytes, double unit)
{
	double p = cfg->prob;

	if (bytes < cfg->min)
		return false;
	if (bytes < cfg->max)
		p = slope(cfg, (double)bytes);
	return unit < p;
}

static double power(double base, uint64_t n)
{
	double v = 1;

	while (n && v > 0) {
		if (n & 1)
			v *= base;
		base *= base;
		n >>= 1;
	}
	return v;
}

static void red_average(struct aqm *a, const struct aqm_load *load,
			uint64_t now)
{
	double w = a->cfg.weight;
	uint64_t idle;

	if (load->frames) {
		a->average += w * ((double)load->bytes - a->average);
		return;
	}
	idle = now > load->empty_since ? now - load->empty_since : 0;
	a->average *= power(1 - w, idle / a->cfg.frame_ns);
}

static bool red_average_drops(struct aqm *a, double unit)
{
	const struct aqm_config *cfg = &a->cfg;
	double max = (double)cfg->max, p;

	if (a->average < (double)cfg->min) {
		a->spread = -1;
		return false;
	}
	if (a->average >= (cfg->gentle ? 2 * max : max)) {
		a->spread = 0;
		return true;
	}
	a->spread++;
	if (a->average < max)
		p = slope(cfg, a->average);
	else
		p = cfg->prob + (1 - cfg->prob) * (a->average - max) / max;
	/* p / (1 - spread p), which becomes 1 and must not pass it. */
	if (unit * (1 - (double)a->spread * p) >= p)
		return false;
	a->spread = 0;
	return true;
}

enum aqm_fate aqm_judge(struct aqm *a, const struct aqm_load *load,
			uint32_t size, uint64_t now, double unit)
{
	const struct aqm_config *cfg = &a->cfg;
	enum aqm_fate fate = AQM_PASS;

	/* The average is one over all frames that arrive. */
	if (cfg->kind == AQM_RED_AVERAGE)
		red_average(a, load, now);
	if (cfg->limit_bytes && load->bytes + size > cfg->limit_bytes)
		fate = AQM_FULL_BYTES;
	else if (cfg->limit_frames && load->frames >= cfg->limit_frames)
		fate = AQM_FULL_FRAMES;
	else if ((cfg->kind == AQM_RED && red_drops(cfg, load->bytes, unit)) ||
		 (cfg->kind == AQM_RED_AVERAGE && red_average_drops(a, unit)))
		fate = AQM_EARLY;
	if (fate != AQM_PASS)
		a->fates[fate]++;
	return fate;
}

enum aqm_fate aqm_add(struct aqm *a, struct aqm_node *n, uint32_t size,
		      uint64_t now, double unit)
{
	enum aqm_fate fate = aqm_judge(a, &a->load, size, now, unit);

	if (fate != AQM_PASS)
		return fate;
	*n = (struct aqm_node){ .arrived = now, .size = size };
	if (a->last)
		a->last->next = n;
	else
		a->first = n;
	a->last = n;
	a->load.frames++;
	a->load.bytes += size;
	return AQM_PASS;
}

/* ---- at the head ---- */

static struct aqm_node *take_first(struct aqm *a, uint64_t now)
{
	struct aqm_node *n = a->first;

	if (!n)
		return NULL;
	a->first = n->next;
	if (!a->first)
		a->last = NULL;
	n->next = NULL;
	a->load.bytes -= n->size;
	if (!--a->load.frames)
		a->load.empty_since = now;
	return n;
}

/* The whole part of the square root. */
static uint64_t square_root(uint64_t v)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= v)
			root |= bit;
	return root;
}

/* RFC 8289, 5.6: the interval over the square root of the count, to the
 * nearest nanosecond. Of the root 28 bits are used below the point or, for
 * large counts, as many as fit. */
static uint64_t control_law(const struct aqm *a, uint64_t t)
{
	uint64_t count = a->count, root;
	unsigned int bits = 28;

	while (count >> (64 - 2 * bits))
		bits--;
	root = square_root(count << 2 * bits);
	return t + ((a->cfg.interval << bits) + root / 2) / root;
}
static_assert(AQM_TIME_MAX >> 35 == 0, "an interval can be shifted by 28");

/* RFC 8289, 5.6, dodequeue(): the next frame, and in @ok_to_drop whether the
 * waiting has been too long for an interval. */
static struct aqm_node *codel_next(struct aqm *a, uint64_t now,
				   bool *ok_to_drop)
{
	struct aqm_node *n = take_first(a, now);
	uint64_t sojourn;

	*ok_to_drop = false;
	if (!n) {
		a->first_above = 0;
		return NULL;
	}
	sojourn = now > n->arrived ? now - n->arrived : 0;
	if (sojourn < a->cfg.target || a->load.bytes <= a->cfg.maxpacket)
		a->first_above = 0;
	else if (!a->first_above)
		a->first_above = now + a->cfg.interval;
	else
		*ok_to_drop = now >= a->first_above;
	return n;
}

static void codel_drop(struct aqm *a, struct aqm_node *n,
		       struct aqm_node ***tail)
{
	a->fates[AQM_LATE]++;
	**tail = n;
	*tail = &n->next;
}

/* RFC 8289, 5.5, the dropping state: as many drops as are due; it ends when
 * the waiting is short. */
static struct aqm_node *codel_dropping(struct aqm *a, uint64_t now,
				       struct aqm_node *n, bool ok,
				       struct aqm_node ***tail)
{
	if (!ok)
		a->dropping = false;
	while (a->dropping && now >= a->drop_next) {
		codel_drop(a, n, tail);
		if (a->count < UINT32_MAX)
			a->count++;
		n = codel_next(a, now, &ok);
		if (ok)
			a->drop_next = control_law(a, a->drop_next);
		else
			a->dropping = false;
	}
	return n;
}

/* RFC 8289, 5.5, entering it: with the pace of the last time, if that is not
 * long ago. */
static struct aqm_node *codel_enter(struct aqm *a, uint64_t now,
				    struct aqm_node *n, struct aqm_node ***tail)
{
	uint32_t delta = a->count - a->lastcount;
	bool ok;

	codel_drop(a, n, tail);
	n = codel_next(a, now, &ok);
	a->dropping = true;
	a->count = 1;
	if (delta > 1 && now < a->drop_next + 16 * a->cfg.interval)
		a->count = delta;
	a->drop_next = control_law(a, now);
	a->lastcount = a->count;
	return n;
}

struct aqm_node *aqm_take(struct aqm *a, uint64_t now,
			  struct aqm_node **dropped)
{
	struct aqm_node **tail = dropped, *n;
	bool ok;

	*dropped = NULL;
	if (a->cfg.kind != AQM_CODEL) {
		n = take_first(a, now);
	} else {
		n = codel_next(a, now, &ok);
		if (a->dropping)
			n = codel_dropping(a, now, n, ok, &tail);
		else if (ok)
			n = codel_enter(a, now, n, &tail);
	}
	a->fates[AQM_PASS] += n != NULL;
	return n;
}
