// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "wirefilter/textfile.h"

#define PIECE 32768
#define CHECK_RUNNING ((size_t)64 << 10) /* bytes: half a millisecond */
#define CHECK_START ((size_t)16 << 20)
#define PERIOD_MIN LOOP_MS /* of what is repeated */
#define POINTS_AT_ONCE 1024 /* then others have their turn */
/* Is it too dense? Every so many points, if it has fallen behind. */
#define DENSE_POINTS 65536
#define DENSE_LAG (50 * LOOP_MS)

static const char *const states[] = {
	[FEED_RUNNING] = "running",
	[FEED_ENDED] = "ended",
	[FEED_FAILED] = "failed",
};
static_assert(ARRAY_SIZE(states) == FEED_N_STATES, "a state has no name");

struct feed {
	struct wirefilter *wf;
	int direction;
	struct feed_info info;
	char *file; /* its name */
	int fd;
	struct trace trace;
	struct trace_point next; /* of values: not in force yet, if @pending */
	bool pending;
	uint64_t looked_at, looked_time; /* when it was seen how dense it is */
	struct loop_timer timer;
	char piece[PIECE];
};

const char *feed_state_name(enum feed_state s)
{
	return states[s];
}

const struct feed_info *feed_info(const struct feed *f)
{
	return &f->info;
}

static struct impair *engine(const struct feed *f)
{
	return f->wf->wire->dir[f->direction];
}

/* ---- points, one by one ---- */

static void timer_due(struct loop_timer *);

/* After the end of a line of opportunities the engine must be told, which asks
 * for them just now: so a timer does that. */
static void finish(struct feed *f, enum feed_state s)
{
	f->info.state = s;
	close(f->fd);
	f->fd = -1;
	if (s == FEED_FAILED && f->info.format == TRACE_MAHIMAHI)
		loop_timer_set(f->wf->loop, &f->timer, 0, timer_due);
}

static enum trace_got fail(struct feed *f, const char *why)
{
	log_err("the trace '%s' has ended: %s", f->file, why);
	finish(f, FEED_FAILED);
	return TRACE_ERROR;
}

static bool read_piece(struct feed *f)
{
	ssize_t n;

	do
		n = read(f->fd, f->piece, sizeof(f->piece));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	trace_give(&f->trace, f->piece, (size_t)n);
	if (!n)
		trace_finish(&f->trace);
	return true;
}

static bool begin_again(struct feed *f)
{
	return lseek(f->fd, 0, SEEK_SET) == 0 && trace_repeat(&f->trace);
}

/* The next point of the file, or how it ends. */
static enum trace_got read_point(struct feed *f, struct trace_point *pt)
{
	enum trace_got got;

	for (;;) {
		got = trace_next(&f->trace, pt);
		if (got == TRACE_MORE && !read_piece(f))
			return fail(f, strerror(errno));
		if (got == TRACE_END && f->info.repeat) {
			if (f->trace.time < PERIOD_MIN || !begin_again(f))
				return fail(f, "it cannot be repeated");
			continue;
		}
		if (got != TRACE_MORE)
			return got;
	}
}

/* A trace that has fallen behind and takes longer to read than it lasts will
 * never catch up. */
static bool is_too_dense(struct feed *f, uint64_t time)
{
	uint64_t now, read_ns, lasts;

	if (f->info.points % DENSE_POINTS)
		return false;
	now = loop_clock(f->wf->loop);
	read_ns = now - f->looked_at;
	lasts = time - f->looked_time;
	f->looked_at = now;
	f->looked_time = time;
	return now > f->info.begin + time + DENSE_LAG && lasts < read_ns;
}

/* False: there is none, and there will be none. */
static bool next_point(struct feed *f, struct trace_point *pt)
{
	enum trace_got got;

	if (f->info.state != FEED_RUNNING)
		return false;
	got = read_point(f, pt);
	f->info.line = f->trace.line;
	f->info.points += got == TRACE_POINT;
	if (got == TRACE_POINT && is_too_dense(f, pt->time))
		got = fail(f, "its points are too many to read them in time");
	else if (got == TRACE_ERROR && f->info.state == FEED_RUNNING)
		fail(f, trace_error(&f->trace));
	if (got == TRACE_END) {
		log_notice("the trace '%s' is over", f->file);
		finish(f, FEED_ENDED);
	}
	return got == TRACE_POINT;
}

static bool next_slot(void *ctx, uint64_t *at)
{
	struct feed *f = ctx;
	struct trace_point pt;

	if (!next_point(f, &pt))
		return false;
	*at = f->info.begin + pt.time;
	return true;
}

/* ---- values, when their time has come ---- */

static void use_values(struct feed *f, uint64_t at)
{
	const struct feed_info *v = &f->info;

	impair_trace_values(engine(f), v->has, v->rate, v->delay, v->loss,
			    max_u64(at, f->wf->wire->now));
}

static void apply(struct feed *f, const struct trace_point *pt)
{
	struct feed_info *v = &f->info;

	v->has |= pt->has;
	if (pt->has & 1U << TRACE_RATE)
		v->rate = pt->rate;
	if (pt->has & 1U << TRACE_DELAY)
		v->delay = pt->delay;
	if (pt->has & 1U << TRACE_LOSS)
		v->loss = pt->loss;
	use_values(f, v->begin + pt->time);
}

static void apply_due(struct feed *f, uint64_t now)
{
	uint64_t due = 0, clock;

	for (int i = 0; f->pending; i++) {
		due = f->info.begin + f->next.time;
		if (due > now || i == POINTS_AT_ONCE)
			break;
		apply(f, &f->next);
		f->pending = next_point(f, &f->next);
	}
	if (!f->pending)
		return;
	clock = loop_now(f->wf->loop);
	if (loop_timer_set(f->wf->loop, &f->timer,
			   due > clock ? due - clock : 0, timer_due)) {
		fail(f, strerror(ENOMEM));
		f->pending = false;
	}
}

static void advance(struct feed *f, uint64_t now)
{
	if (f && f->pending && f->info.begin + f->next.time <= now)
		apply_due(f, now);
}

void feed_advance(struct wirefilter *wf, uint64_t now)
{
	advance(wf->feed[0], now);
	advance(wf->feed[1], now);
}

static void timer_due(struct loop_timer *t)
{
	struct feed *f = container_of(t, struct feed, timer);
	uint64_t now = loop_now(f->wf->loop);

	if (f->info.format == TRACE_MAHIMAHI)
		impair_set_slots(engine(f), NULL, NULL, now);
	else
		apply_due(f, now);
}

/* ---- begin and end ---- */

static void feed_free(struct feed *f)
{
	if (!f)
		return;
	loop_timer_del(f->wf->loop, &f->timer);
	if (f->fd >= 0)
		close(f->fd);
	free(f->file);
	free(f);
}

/* Of a trace that is not that of its direction any more. */
static void undo(struct feed *f, uint64_t now)
{
	if (f->info.format == TRACE_MAHIMAHI)
		impair_set_slots(engine(f), NULL, NULL, now);
	else
		impair_trace_values(engine(f), 0, 0, 0, 0, now);
}

static void clear(struct wirefilter *wf, int d, uint64_t now)
{
	struct feed *f = wf->feed[d];

	if (f)
		undo(f, now);
	feed_free(f);
	wf->feed[d] = NULL;
}

/* It is in force before the old one is undone: what waits for a line does not
 * find none in between. */
static void start(struct feed *f, uint64_t now)
{
	struct feed **place = &f->wf->feed[f->direction], *old = *place;

	*place = f;
	f->info.begin = f->looked_at = now;
	if (f->info.format == TRACE_MAHIMAHI) {
		impair_set_slots(engine(f), next_slot, f, now);
	} else {
		f->pending = next_point(f, &f->next);
		apply_due(f, now);
		use_values(f, now);
	}
	if (old && old->info.format != f->info.format)
		undo(old, now);
	feed_free(old);
}

void feed_end(struct wirefilter *wf)
{
	for (int d = 0; d < 2; d++)
		if (wf->feed[d])
			clear(wf, d, wf->wire->now);
}

/* ---- a file ---- */

/* By the first line: only digits are Mahimahi's. */
static enum trace_format guess(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	return i && (i == n || p[i] == '\n' || p[i] == '\r') ? TRACE_MAHIMAHI
							     : TRACE_CSV;
}

/* Points up to the end of the file, or up to @max bytes of it. */
static int check(struct feed *f, size_t max, struct strbuf *why)
{
	struct trace *t = &f->trace;
	enum trace_got got = TRACE_POINT;
	struct trace_point pt;
	int rc = 0;

	trace_init(t, f->info.format);
	for (size_t n = 0; n < max && got == TRACE_POINT; n += PIECE) {
		if (!read_piece(f)) {
			rc = -errno;
			strbuf_add(why, strerror(errno));
			return rc;
		}
		do
			got = trace_next(t, &pt);
		while (got == TRACE_POINT);
		if (got == TRACE_MORE)
			got = TRACE_POINT;
	}
	if (got == TRACE_END && f->info.repeat && t->time < PERIOD_MIN) {
		strbuf_add(why, "it lasts less than a millisecond: it cannot "
				"be repeated");
		return -EINVAL;
	}
	if (got == TRACE_ERROR) {
		strbuf_add(why, trace_error(t));
		return -EINVAL;
	}
	return 0;
}

/* While frames pass not more is checked than they can wait for. */
static int prepare(struct feed *f, bool guesses, struct strbuf *why)
{
	size_t max = f->wf->pump ? CHECK_RUNNING : CHECK_START;
	ssize_t n;
	int rc;

	f->fd = textfile_open(f->file, why);
	if (f->fd < 0)
		return f->fd;
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	n = guesses ? pread(f->fd, f->piece, TRACE_LINE, 0) : 0;
	if (n < 0) {
		rc = -errno;
		strbuf_add(why, strerror(errno));
		return rc;
	}
	if (guesses)
		f->info.format = guess(f->piece, (size_t)n);
	rc = check(f, max, why);
	if (rc)
		return rc;
	trace_init(&f->trace, f->info.format);
	return lseek(f->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

/* "csv:FILE" */
static int open_feed(struct feed **out, struct wirefilter *wf, const char *text,
		     bool repeat, struct strbuf *why)
{
	struct feed *f = calloc(1, sizeof(*f));
	bool guesses = true;
	int rc = -ENOMEM;

	if (!f)
		return rc;
	f->wf = wf;
	f->fd = -1;
	f->info.repeat = repeat;
	for (enum trace_format i = 0; i < TRACE_N_FORMATS && guesses; i++) {
		size_t n = strlen(trace_format_name(i));

		if (!strncmp(text, trace_format_name(i), n) && text[n] == ':') {
			f->info.format = i;
			guesses = false;
			text += n + 1;
		}
	}
	f->file = strdup(text);
	f->info.file = f->file;
	if (f->file)
		rc = prepare(f, guesses, why);
	if (rc) {
		feed_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

/* ---- commands ---- */

static bool in_direction(const char *which, int d)
{
	return !which || *which == (d ? 'R' : 'L');
}

static int open_all(struct wirefilter *wf, const char *which, const char *file,
		    bool repeat, struct feed *fresh[2], struct strbuf *why)
{
	int rc = 0;

	for (int d = 0; d < 2 && !rc; d++) {
		if (!wf->wire->dir[d] || !in_direction(which, d))
			continue;
		rc = open_feed(&fresh[d], wf, file, repeat, why);
		if (!rc)
			fresh[d]->direction = d;
	}
	return rc;
}

int feed_set(struct wirefilter *wf, const char *name, const char *text,
	     bool repeat, struct strbuf *why)
{
	uint64_t now = wf->pump ? loop_now(wf->loop) : loop_clock(wf->loop);
	const char *file = text, *which = NULL;
	struct feed *fresh[2] = { NULL, NULL };
	char reason[300];
	struct strbuf wrong;
	bool none;
	int rc = 0;

	strbuf_init(&wrong, reason, sizeof(reason));
	if (!strncmp(file, "LR", 2) || !strncmp(file, "RL", 2)) {
		which = file;
		file += 2;
	}
	none = !strcmp(file, "none");
	if (which && !wf->wire->dir[*which == 'R']) {
		rc = -EINVAL;
		strbuf_add(&wrong, "the wire has one direction only");
	} else if (!none) {
		rc = open_all(wf, which, file, repeat, fresh, &wrong);
	}
	if (rc)
		strbuf_fmt(why, "%s '%s': %s", name, text,
			   wrong.len ? reason : strerror(-rc));
	for (int d = 0; d < 2; d++) {
		if (rc)
			feed_free(fresh[d]);
		else if (fresh[d])
			start(fresh[d], now);
		else if (none && in_direction(which, d))
			clear(wf, d, now);
	}
	return rc;
}
