// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/scribe.h"
#include "wirefilter/record.h"
#include "wirefilter/replay.h"

#define CHUNK 65536
#define CHUNKS_AT_ONCE 8 /* are offered in a turn */

/* Lines that wait to be written: a list, so that nothing is ever moved. */
struct chunk {
	struct chunk *next;
	size_t start; /* of what is not written yet */
	struct strbuf text;
	char bytes[CHUNK];
};

/* Each direction tells its decisions. */
struct tap {
	struct journal *journal;
	unsigned int direction;
};

struct journal {
	struct wirefilter *wf;
	struct journal_info info;
	bool strict;
	/* recording */
	uint64_t begin;
	struct tap taps[2];
	struct record_printer printer;
	struct chunk *first, *last, *spare;
	size_t n_chunks; /* from @first on */
	struct loop_fd out, result; /* to and from the scribe */
	struct loop_timer timer;
	struct loop_hook hook;
	bool recording, hooked;
	int problem; /* -errno, met while the engine was at work */
	/* replaying */
	struct replay *replay;
};

const struct journal_info *journal_info(const struct journal *j)
{
	return &j->info;
}

const char *journal_reason(int error)
{
	return error == -ENOBUFS ? "the disk is too slow"
	       : error == -EPIPE ? "the process that writes was killed"
	       : error == -ETIME ? "the disk does not answer"
				 : strerror(-error);
}

static void set_log(struct journal *j, impair_log_fn *fn)
{
	struct wire *w = j->wf->wire;

	for (unsigned int d = 0; d < 2; d++)
		if (w->dir[d])
			impair_set_log(w->dir[d], fn, &j->taps[d]);
}

/* ---- recording: to the process ---- */

static void close_watch(struct journal *j, struct loop_fd *w)
{
	int fd = w->fd;

	if (!w->on)
		return;
	loop_fd_del(j->wf->loop, w);
	close(fd);
}

static void drop_chunks(struct journal *j)
{
	struct chunk *c, *next;

	for (c = j->first; c; c = next) {
		next = c->next;
		free(c);
	}
	free(j->spare);
	j->first = j->last = j->spare = NULL;
	j->n_chunks = 0;
}

/* No more is recorded. */
static void stop_recording(struct journal *j)
{
	j->recording = false;
	set_log(j, NULL);
	if (j->hooked)
		loop_hook_del(&j->hook);
	j->hooked = false;
	loop_timer_del(j->wf->loop, &j->timer);
	close_watch(j, &j->out);
	close_watch(j, &j->result);
	drop_chunks(j);
}

static void fail(struct journal *j, int error)
{
	if (!j->recording)
		return;
	j->info.error = error;
	stop_recording(j);
	log_err("unable to record decisions to '%s': %s: the wire goes on "
		"without",
		j->info.record, journal_reason(error));
	if (j->strict)
		wirefilter_stop(j->wf, 1);
}

/* The process has ended, though it should not have: its reason is the one. */
static void result_ready(struct loop_fd *w, uint32_t events)
{
	struct journal *j = container_of(w, struct journal, result);
	int rc = scribe_result(w->fd);

	fail(j, rc ? rc : -EPIPE);
}

static void drop_first(struct journal *j)
{
	struct chunk *c = j->first;

	j->first = c->next;
	if (!j->first)
		j->last = NULL;
	j->n_chunks--;
	free(j->spare);
	j->spare = c;
}

/* Offers the first chunk. 0: it was taken, as far as it is filled; -EAGAIN:
 * the process has no room. */
static int offer(struct journal *j)
{
	struct chunk *c = j->first;

	while (c->start < c->text.len) {
		ssize_t n = write(j->out.fd, c->bytes + c->start,
				  c->text.len - c->start);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		c->start += (size_t)n;
	}
	drop_first(j);
	return 0;
}

static void timer_due(struct loop_timer *);

static void flush_soon(struct journal *j)
{
	if (!loop_timer_armed(&j->timer))
		loop_timer_set(j->wf->loop, &j->timer, JOURNAL_PERIOD,
			       timer_due);
}

/* All but @leave chunks, or as many as may be. */
static void push(struct journal *j, size_t leave)
{
	int rc = 0;

	for (int i = 0; i < CHUNKS_AT_ONCE && j->n_chunks > leave && !rc; i++)
		rc = offer(j);
	if (rc == -EPIPE)
		result_ready(&j->result, 0);
	else if (rc && rc != -EAGAIN)
		fail(j, rc);
	if (!j->recording)
		return;
	if (loop_fd_want(j->wf->loop, &j->out, rc ? EPOLLOUT : 0))
		fail(j, -ENOMEM);
	else if (j->n_chunks && !rc)
		flush_soon(j);
}

static void out_ready(struct loop_fd *w, uint32_t events)
{
	push(container_of(w, struct journal, out), 0);
}

static void turn_ends(struct loop_hook *h)
{
	struct journal *j = container_of(h, struct journal, hook);

	if (j->problem)
		fail(j, j->problem);
	else if (j->n_chunks > 1 && !(j->out.events & EPOLLOUT))
		push(j, 1);
}

static void timer_due(struct loop_timer *t)
{
	struct journal *j = container_of(t, struct journal, timer);

	if (!(j->out.events & EPOLLOUT))
		push(j, 0);
}

/* ---- recording: from the engine ---- */

/* A chunk with room for a line; NULL without memory. */
static struct chunk *room(struct journal *j)
{
	struct chunk *c = j->last;

	if (c && c->text.size - c->text.len > RECORD_LINE + 1)
		return c;
	c = j->spare ? j->spare : malloc(sizeof(*c));
	j->spare = NULL;
	if (!c)
		return NULL;
	c->next = NULL;
	c->start = 0;
	strbuf_init(&c->text, c->bytes, sizeof(c->bytes));
	if (j->last)
		j->last->next = c;
	else
		j->first = c;
	j->last = c;
	j->n_chunks++;
	flush_soon(j);
	return c;
}

/* In the midst of the engine: nothing but printing happens here. */
static void decided(void *ctx, const struct impair_decision *d)
{
	struct tap *t = ctx;
	struct journal *j = t->journal;
	struct chunk *c;

	if (j->problem)
		return;
	c = j->n_chunks <= JOURNAL_WAITING / CHUNK ? room(j) : NULL;
	if (c) {
		record_decision(&c->text, &j->printer, t->direction, d,
				j->begin);
		j->info.decisions++;
	} else {
		j->problem = j->n_chunks ? -ENOBUFS : -ENOMEM;
	}
}

static int open_record(const char *path)
{
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK |
			      O_NOCTTY,
		      0666);

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, 0)) { /* it is the process that waits */
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int start_scribe(struct journal *j, int file)
{
	struct loop *loop = j->wf->loop;
	int status, rc,
		out = scribe_start(file, SCRIBE_LINES, "vde_record", &status);

	if (out < 0)
		return out;
	rc = loop_fd_add(loop, &j->result, status, EPOLLIN, result_ready);
	if (rc) {
		close(status);
		close(out);
		return rc;
	}
	rc = loop_fd_add(loop, &j->out, out, 0, out_ready);
	if (rc) {
		close(out);
		close_watch(j, &j->result);
	}
	return rc;
}

static int start_recording(struct journal *j)
{
	int file = open_record(j->info.record);
	int rc = file < 0 ? file : start_scribe(j, file);
	struct chunk *c = rc ? NULL : room(j);

	if (file >= 0)
		close(file);
	if (!rc && !c) {
		stop_recording(j);
		rc = -ENOMEM;
	}
	if (rc) {
		log_err("unable to record decisions to '%s': %s",
			j->info.record, strerror(-rc));
		return rc;
	}
	record_begin(&c->text, j->wf->wire->seed);
	j->recording = j->hooked = true;
	loop_hook_add(j->wf->loop, &j->hook, turn_ends);
	set_log(j, decided);
	push(j, 0);
	return 0;
}

/* ---- replaying ---- */

static int start_replay(struct journal *j)
{
	char text[300];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = replay_open(&j->replay, j->info.replay, &why);
	if (rc)
		log_err("unable to replay '%s': %s", j->info.replay, why.s);
	else if (!replay_is_complete(j->replay))
		log_warn("the record '%s' was cut short: it has no end",
			 j->info.replay);
	return rc;
}

bool journal_is_idle(const struct journal *j)
{
	return !j->recording && !j->replay;
}

bool journal_replays(const struct journal *j)
{
	return j->replay;
}

void journal_input(struct journal *j, int direction, const void *data,
		   size_t len, uint64_t now)
{
	unsigned int way = (unsigned int)direction;
	const struct impair_decision *d;
	int n;

	if (replay_next(j->replay, way, &d, &n))
		j->info.replayed[way]++;
	else if (!j->info.beyond[way]++)
		log_warn("the record '%s' ends at frame %llu from %s: "
			 "what follows passes unimpaired",
			 j->info.replay,
			 (unsigned long long)replay_last(j->replay, way),
			 way ? "right to left" : "left to right");
	impair_input_fated(j->wf->wire->dir[direction], data, len, d, n, now);
}

/* ---- begin and end ---- */

int journal_new(struct journal **out, const struct journal_config *cfg,
		uint64_t begin)
{
	struct journal *j = calloc(1, sizeof(*j));
	int rc = 0;

	*out = NULL;
	if (!j)
		return -ENOMEM;
	j->wf = cfg->wf;
	j->strict = cfg->strict;
	j->begin = begin;
	j->info.record = cfg->record;
	j->info.replay = cfg->replay;
	for (unsigned int d = 0; d < 2; d++)
		j->taps[d] = (struct tap){ j, d };
	if (cfg->replay)
		rc = start_replay(j);
	if (cfg->record && !rc)
		rc = start_recording(j);
	if (rc) {
		journal_free(j);
		return rc;
	}
	*out = j;
	return 0;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	if (j->recording)
		stop_recording(j);
	replay_free(j->replay);
	free(j);
}

/* Waits until @events are there, or the time is over. */
static bool wait_for(struct journal *j, int fd, short events, uint64_t until)
{
	struct pollfd pfd = { fd, events, 0 };
	uint64_t now = loop_clock(j->wf->loop);
	int rc = 0;

	while (now < until) {
		rc = poll(&pfd, 1, (int)((until - now) / LOOP_MS) + 1);
		if (rc >= 0 || errno != EINTR)
			break;
		now = loop_clock(j->wf->loop);
	}
	return rc > 0;
}

/* The rest, and how it went. */
static int write_rest(struct journal *j)
{
	uint64_t until = loop_clock(j->wf->loop) + JOURNAL_PATIENCE;
	int rc = 0;

	while (j->first && (!rc || rc == -EAGAIN)) {
		if (rc && !wait_for(j, j->out.fd, POLLOUT, until))
			return -ETIME;
		rc = offer(j);
	}
	close_watch(j, &j->out);
	if (!wait_for(j, j->result.fd, POLLIN, until))
		return -ETIME;
	return scribe_result(j->result.fd);
}

int journal_finish(struct journal *j, int status)
{
	struct chunk *c = j->recording && !j->problem ? room(j) : NULL;
	int rc;

	if (j->problem)
		fail(j, j->problem);
	if (c)
		record_end(&c->text);
	if (j->recording) {
		rc = write_rest(j);
		if (rc)
			fail(j, rc);
		else
			stop_recording(j);
	}
	return !status && j->strict && j->info.error ? 1 : status;
}
