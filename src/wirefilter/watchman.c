// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/watchman_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/writer.h"

#define TELL_EVERY LOOP_SEC
#define AWAKE UINT64_C(5000) /* ns: who waits longer has slept */
#define REPORT_SIZE ((size_t)64 * 1024)
#define REPORT_PIECE 4096 /* what a pipe that polls writable takes at once */
#define REPORT_WAIT_MS 2000 /* for somebody who does not read it */

/* ---- what is asked for, and what came out since ---- */

void watchman_losses(const struct impair_stats *s, uint64_t *judged,
		     uint64_t *lost)
{
	*judged = s->in - s->fates[IMPAIR_MTU] - s->fates[IMPAIR_BLACKOUT];
	*lost = 0;
	for (int f = IMPAIR_LOSS; f <= IMPAIR_LOSS_LAST; f++)
		*lost += s->fates[f];
}

const struct params *watchman_params(const struct watchman *w, int direction)
{
	const struct wire *wire = w->cfg.wf->wire;

	return wire_params(wire, markov_current(wire->markov), direction);
}

static const struct impair_stats *stats(const struct watchman *w, int direction)
{
	return impair_stats(w->cfg.wf->wire->dir[direction]);
}

static void loss_key(struct loss_asked *k, const struct params *p)
{
	const struct dist *loss = &p->dist[PARAM_LOSS];
	const struct dist *burst = &p->dist[PARAM_LOSTBURST];
	const struct loss_gilbert *g = &p->loss.gilbert;
	const struct loss_period *period = &p->loss.period;

	*k = (struct loss_asked){
		.numbers = { loss->num, loss->plus, loss->r, burst->num,
			     burst->plus, burst->r, g->p, g->r, g->h1, g->k1,
			     (double)period->n, (double)period->l,
			     (double)period->f },
		.list = p->loss.list
	};
}

static void rate_key(struct rate_asked *k, const struct params *p,
		     const struct impair *i)
{
	const struct dist *band = &p->dist[PARAM_BANDWIDTH];
	const struct dist *speed = &p->dist[PARAM_SPEED];

	*k = (struct rate_asked){ { impair_asked_rate(i), band->num, band->plus,
				    speed->num, speed->plus } };
}

static bool same(const double *a, const double *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] < b[i] || a[i] > b[i])
			return false;
	return true;
}

static void rate_mark(struct watch_way *way, const struct impair_stats *s)
{
	way->rate_out = s->out;
	way->busy_ns = s->rate.busy_ns;
	way->busy_bytes = s->rate.busy_bytes;
}

/* Frames that were on the line already leave at the rate of before: what
 * counts begins with the first one that has left since. */
static void look_at_line(struct watch_way *way, const struct impair_stats *s)
{
	if (!way->rate_new || s->out <= way->rate_out)
		return;
	way->rate_new = false;
	rate_mark(way, s);
}

static void look_at_rate(struct watchman *w, int d, uint64_t now)
{
	struct watch_way *way = &w->way[d];
	struct rate_asked key;

	rate_key(&key, watchman_params(w, d), w->cfg.wf->wire->dir[d]);
	if (same(key.numbers, way->rate.numbers, RATE_NUMBERS))
		return;
	way->rate = key;
	way->rate_since = now;
	way->rate_new = true;
	rate_mark(way, stats(w, d));
}

static void look_at_loss(struct watchman *w, int d, uint64_t now)
{
	struct watch_way *way = &w->way[d];
	struct loss_asked key;

	loss_key(&key, watchman_params(w, d));
	if (same(key.numbers, way->loss.numbers, LOSS_NUMBERS) &&
	    key.list == way->loss.list)
		return;
	way->loss = key;
	way->loss_since = now;
	watchman_losses(stats(w, d), &way->judged, &way->lost);
}

static void look_at_settings(struct watchman *w, int d, uint64_t now)
{
	uint64_t changes = impair_changes(w->cfg.wf->wire->dir[d]);
	struct watch_way *way = &w->way[d];

	if (changes == way->changes) {
		look_at_line(way, stats(w, d));
		return;
	}
	way->changes = changes;
	look_at_rate(w, d, now);
	look_at_loss(w, d, now);
}

/* ---- the outcry ---- */

static void add_news(struct strbuf *b, const struct watch_news *n,
		     const char *arrow)
{
	if (n->late)
		strbuf_fmt(b,
			   "%s%" PRIu64 " frame%s %s up to %" PRIu64
			   ".%03u ms late",
			   b->len ? ", " : "", n->late, n->late == 1 ? "" : "s",
			   arrow, n->max / 1000000,
			   (unsigned int)(n->max / 1000 % 1000));
	if (n->no_memory)
		strbuf_fmt(b,
			   "%s%" PRIu64 " frame%s %s dropped for want of "
			   "memory (--memory)",
			   b->len ? ", " : "", n->no_memory,
			   n->no_memory == 1 ? "" : "s", arrow);
}

static bool any_news(const struct watchman *w)
{
	return w->news[0].late || w->news[0].no_memory || w->news[1].late ||
	       w->news[1].no_memory;
}

static void say_news(struct watchman *w)
{
	char text[320];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	add_news(&b, &w->news[WIRE_LR], "L->R");
	add_news(&b, &w->news[WIRE_RL], "R->L");
	memset(w->news, 0, sizeof(w->news));
	if (w->cfg.strict)
		log_err("cannot keep up: %s; this is the end (--strict)", text);
	else
		log_warn("cannot keep up: %s", text);
}

static void second_over(struct loop_timer *t);

/* At once, and then not before the second is over. */
static void tell(struct watchman *w)
{
	w->failed = true;
	if (loop_timer_armed(&w->tell))
		return;
	say_news(w);
	if (w->cfg.strict)
		wirefilter_stop(w->cfg.wf, EXIT_FAILURE);
	/* Without memory for a timer there is a line more. */
	(void)loop_timer_set(w->cfg.wf->loop, &w->tell, TELL_EVERY,
			     second_over);
}

static void second_over(struct loop_timer *t)
{
	struct watchman *w = container_of(t, struct watchman, tell);

	if (any_news(w))
		tell(w);
}

/* ---- what others say ---- */

void watchman_woken(struct watchman *w, uint64_t armed_for, uint64_t now)
{
	meter_hist_add(&w->wakeups, now > armed_for ? now - armed_for : 0);
}

void watchman_sent(struct watchman *w, int direction,
		   struct impair_frame *const *frames, int n, int left,
		   uint64_t now)
{
	struct blame *b = &w->way[direction].blame;
	struct watch_news *news = &w->news[direction];
	uint64_t late = b->late;

	for (int i = 0; i < n; i++) {
		uint64_t part = blame_frame(b, frames[i]->due, now);

		if (part > news->max && part > b->tolerance)
			news->max = part;
	}
	blame_left(b, left > 0, now);
	if (b->late == late)
		return;
	news->late += b->late - late;
	tell(w);
}

static void look_at_memory(struct watchman *w, int d)
{
	uint64_t n = stats(w, d)->fates[IMPAIR_MEMORY];
	struct watch_way *way = &w->way[d];

	if (n == way->no_memory)
		return;
	w->news[d].no_memory += n - way->no_memory;
	way->no_memory = n;
	tell(w);
}

/* A frame that came while the program slept has waited for it to wake up, one
 * that came while it did something else for the end of that. */
static void look_at_input(struct watchman *w, int d)
{
	const struct loop *loop = w->cfg.wf->loop;
	uint64_t in = stats(w, d)->in, waited = loop_waited(loop);
	uint64_t over = loop_began(loop) - waited; /* the turn before */
	struct watch_way *way = &w->way[d];

	if (in == way->in)
		return;
	way->in = in;
	if (waited > AWAKE)
		way->woke++;
	else if (over > w->turn_began)
		meter_hist_add(&way->turns, over - w->turn_began);
}

uint64_t watchman_unread(const struct watchman *w, int d)
{
	const struct watch_way *way = &w->way[d];

	if (way->turns.n > way->woke)
		return meter_hist_quantile(&way->turns, 500) / 2;
	return meter_hist_quantile(&w->wakeups, 500);
}

static void turn_over(struct loop_hook *h)
{
	struct watchman *w = container_of(h, struct watchman, turn);
	uint64_t began = loop_began(w->cfg.wf->loop);

	w->turns++;
	for (int d = 0; d < w->n_ways; d++) {
		look_at_settings(w, d, began);
		look_at_memory(w, d);
		look_at_input(w, d);
	}
	w->turn_began = began;
}

/* ---- counting ---- */

uint64_t watchman_cpu(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * LOOP_SEC +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void begin(struct watchman *w, uint64_t now)
{
	w->failed = false;
	w->turns = 0;
	w->began = w->turn_began = now;
	w->cpu_began = watchman_cpu();
	meter_hist_init(&w->wakeups);
	for (int d = 0; d < w->n_ways; d++) {
		struct watch_way *way = &w->way[d];
		const struct impair_stats *s = stats(w, d);

		blame_reset(&way->blame);
		way->changes = impair_changes(w->cfg.wf->wire->dir[d]);
		meter_hist_init(&way->turns);
		way->woke = 0;
		way->in = s->in;
		way->no_memory = s->fates[IMPAIR_MEMORY];
		rate_key(&way->rate, watchman_params(w, d),
			 w->cfg.wf->wire->dir[d]);
		way->rate_since = way->loss_since = now;
		way->rate_new = false;
		rate_mark(way, s);
		loss_key(&way->loss, watchman_params(w, d));
		watchman_losses(s, &way->judged, &way->lost);
	}
}

void watchman_reset(struct watchman *w, uint64_t now)
{
	for (int d = 0; d < w->n_ways; d++)
		impair_reset_stats(w->cfg.wf->wire->dir[d]);
	begin(w, now);
}

void watchman_start(struct watchman *w, uint64_t now)
{
	begin(w, now);
	loop_hook_add(w->cfg.wf->loop, &w->turn, turn_over);
}

/* ---- the report at exit ---- */

/* Nobody has to read it: what is not taken in time is given up. */
static int write_all(int fd, const char *s, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (n) {
		int ready = poll(&p, 1, REPORT_WAIT_MS);
		ssize_t k;

		if (!ready)
			return -ETIMEDOUT;
		k = write(fd, s, size_min(n, REPORT_PIECE));
		if (k < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (k > 0) {
			s += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

static void to_strbuf(void *ctx, const char *s, size_t n)
{
	strbuf_addn(ctx, s, n);
}

static void log_lines(char *text)
{
	char *end;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end)
			return;
		*end = '\0';
		log_notice("%s", text);
	}
}

static int write_report(struct watchman *w, char *text, uint64_t now)
{
	struct writer out;
	struct strbuf b;
	int rc;

	strbuf_init(&b, text, REPORT_SIZE);
	writer_init(&out, w->json, to_strbuf, &b);
	writer_open(&out, NULL);
	watchman_show(w, &out, now);
	writer_close(&out);
	if (w->json)
		strbuf_add(&b, "\n");
	if (b.cut)
		return -ENOSPC;
	if (w->fd < 0 && w->cfg.background) {
		log_lines(text);
		return 0;
	}
	if (w->fd < 0)
		return write_all(STDERR_FILENO, text, b.len);
	rc = write_all(w->fd, text, b.len);
	if (close(w->fd) && !rc)
		rc = -errno;
	w->fd = -1;
	return rc;
}

int watchman_finish(struct watchman *w, int status, uint64_t now)
{
	char *text;
	int rc = -ENOMEM;

	if (any_news(w))
		say_news(w);
	if (!w->cfg.report)
		return status;
	text = malloc(REPORT_SIZE);
	if (text)
		rc = write_report(w, text, now);
	free(text);
	if (!rc)
		return status;
	log_err("unable to write report to %s: %s",
		*w->cfg.report ? w->cfg.report : "standard error",
		strerror(-rc));
	return status ? status : EXIT_FAILURE;
}

/* ---- beginning and end ---- */

static bool ends_in_json(const char *path)
{
	size_t n = strlen(path);

	return n >= 5 && !strcmp(path + n - 5, ".json");
}

/* What is wrong with it shows before there is anything to report; so does
 * that it is not of an earlier run. */
static int open_report(struct watchman *w)
{
	const char *path = w->cfg.report;
	int rc;

	if (!path || !*path)
		return 0;
	w->json = ends_in_json(path);
	w->fd = open(path,
		     O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY |
			     O_CLOEXEC,
		     0666);
	if (w->fd >= 0)
		return 0;
	rc = -errno;
	log_err("unable to open report %s: %s", path, strerror(-rc));
	return rc;
}

int watchman_new(struct watchman **out, const struct watchman_config *cfg)
{
	struct watchman *w = calloc(1, sizeof(*w));
	int rc;

	if (!w) {
		log_err("unable to watch the wire: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	w->cfg = *cfg;
	w->fd = -1;
	w->n_ways = cfg->wf->wire->both ? 2 : 1;
	list_init(&w->turn.node);
	for (int d = 0; d < w->n_ways; d++)
		blame_init(&w->way[d].blame, cfg->tolerance);
	rc = open_report(w);
	if (rc) {
		watchman_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void watchman_free(struct watchman *w)
{
	if (!w)
		return;
	loop_hook_del(&w->turn);
	loop_timer_del(w->cfg.wf->loop, &w->tell);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
