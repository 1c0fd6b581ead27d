// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define NAP 3 /* times the time to linger: waking up takes its time, too */
#define MISSES_MAX 1023
#define INTERRUPTED UINT64_C(4000) /* ns: no look takes that long */

struct loop {
	int epfd;
	bool running;
	bool coarse; /* waits in whole milliseconds */
	int ready;
	uint64_t linger; /* ns, asked for in this turn */
	bool naps; /* the last sleep was hardly worth it */
	unsigned int misses; /* how often lingering was in vain, weighted */
	unsigned int skip; /* how many turns not to try it again */
	bool virtual_time; /* a test's clock: time does not pass by waiting */
	uint64_t now;
	uint64_t began; /* @now when the turn began */
	uint64_t waits_from; /* as far as it is known */
	uint64_t waited; /* ns, before this turn */
	uint64_t (*clock)(void);
	struct loop_timer **heap; /* heap[1] is due first */
	size_t n_timers, heap_size;
	struct list hooks;
	struct list mark; /* among the hooks while they run: where we are */
	struct loop_fd signals;
	loop_signal_fn *signal_fn;
	void *signal_ctx;
};

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	list_init(&l->hooks);
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0) {
		free(l);
		return NULL;
	}
	loop_set_clock(l, monotonic);
	return l;
}

void loop_free(struct loop *l)
{
	int fd;

	if (!l)
		return;
	fd = l->signals.on ? l->signals.fd : -1;
	loop_fd_del(l, &l->signals);
	if (fd >= 0)
		close(fd);
	close(l->epfd);
	free(l->heap);
	free(l);
}

void loop_set_clock(struct loop *l, uint64_t (*clock)(void))
{
	l->clock = clock;
	l->virtual_time = clock != monotonic;
	l->now = l->began = clock();
}

uint64_t loop_now(const struct loop *l)
{
	return l->now;
}

uint64_t loop_began(const struct loop *l)
{
	return l->began;
}

uint64_t loop_waited(const struct loop *l)
{
	return l->waited;
}

uint64_t loop_clock(struct loop *l)
{
	return l->now = l->clock();
}

int loop_ready(const struct loop *l)
{
	return l->ready;
}

void loop_stop(struct loop *l)
{
	l->running = false;
}

/* ---- descriptors ---- */

int loop_fd_add(struct loop *l, struct loop_fd *w, int fd, uint32_t events,
		loop_fd_fn *fn)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	*w = (struct loop_fd){
		.fd = fd, .on = true, .events = events, .fn = fn
	};
	return 0;
}

int loop_fd_want(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (w->events == events)
		return 0;
	if (epoll_ctl(l->epfd, EPOLL_CTL_MOD, w->fd, &ev))
		return -errno;
	w->events = events;
	return 0;
}

/* The kernel keeps the ready ones in a queue. */
int loop_fd_requeue(struct loop *l, const struct loop_fd *w)
{
	struct epoll_event ev = { .events = w->events, .data.ptr = unconst(w) };

	epoll_ctl(l->epfd, EPOLL_CTL_DEL, w->fd, NULL);
	return epoll_ctl(l->epfd, EPOLL_CTL_ADD, w->fd, &ev) ? -errno : 0;
}

void loop_fd_del(struct loop *l, struct loop_fd *w)
{
	if (!w->on)
		return;
	epoll_ctl(l->epfd, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->slot)
		w->slot->data.ptr = NULL;
	*w = (struct loop_fd){ .fd = -1 };
}

/* Two passes: first every watch learns its slot, then they are called; a
 * callback that removes a watch further on blanks that slot. */
static void run_watches(struct epoll_event *ev, int n)
{
	for (int i = 0; i < n; i++)
		((struct loop_fd *)ev[i].data.ptr)->slot = &ev[i];

	for (int i = 0; i < n; i++) {
		struct loop_fd *w = ev[i].data.ptr;

		if (!w)
			continue;
		w->slot = NULL;
		w->fn(w, ev[i].events);
	}
}

/* ---- timers: a binary heap that knows where each timer sits ---- */

static void heap_put(struct loop *l, size_t pos, struct loop_timer *t)
{
	l->heap[pos] = t;
	t->pos = pos;
}

static void heap_up(struct loop *l, struct loop_timer *t)
{
	size_t pos = t->pos;

	for (; pos > 1 && l->heap[pos / 2]->due > t->due; pos /= 2)
		heap_put(l, pos, l->heap[pos / 2]);
	heap_put(l, pos, t);
}

static void heap_down(struct loop *l, struct loop_timer *t)
{
	size_t pos = t->pos, child;

	while ((child = 2 * pos) <= l->n_timers) {
		if (child < l->n_timers &&
		    l->heap[child + 1]->due < l->heap[child]->due)
			child++;
		if (l->heap[child]->due >= t->due)
			break;
		heap_put(l, pos, l->heap[child]);
		pos = child;
	}
	heap_put(l, pos, t);
}

static int heap_grow(struct loop *l)
{
	size_t size = l->heap_size ? 2 * l->heap_size : 16;
	struct loop_timer **heap;

	heap = realloc(l->heap, size * sizeof(struct loop_timer *));
	if (!heap)
		return -ENOMEM;
	l->heap = heap;
	l->heap_size = size;
	return 0;
}

int loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t delay,
		   loop_timer_fn *fn)
{
	if (!t->pos && l->n_timers + 1 >= l->heap_size && heap_grow(l))
		return -ENOMEM;
	t->due = delay < UINT64_MAX - l->now ? l->now + delay : UINT64_MAX;
	t->fn = fn;
	if (!t->pos)
		heap_put(l, ++l->n_timers, t);
	heap_up(l, t);
	heap_down(l, t);
	return 0;
}

void loop_timer_del(struct loop *l, struct loop_timer *t)
{
	struct loop_timer *last;

	if (!t->pos)
		return;
	last = l->heap[l->n_timers--];
	if (last != t) {
		heap_put(l, t->pos, last);
		heap_up(l, last);
		heap_down(l, last);
	}
	t->pos = 0;
}

bool loop_timer_armed(const struct loop_timer *t)
{
	return t->pos != 0;
}

/* A timer that is set again inside its own callback waits for the next turn,
 * even with a delay of 0: the watches get their chance in between. */
static void run_timers(struct loop *l)
{
	size_t budget = l->n_timers;

	while (budget-- && l->n_timers && l->heap[1]->due <= l->now) {
		struct loop_timer *t = l->heap[1];

		loop_timer_del(l, t);
		t->fn(t);
	}
}

/* ---- hooks and signals ---- */

void loop_hook_add(struct loop *l, struct loop_hook *h, loop_hook_fn *fn)
{
	h->fn = fn;
	list_add_tail(&l->hooks, &h->node);
}

void loop_hook_del(struct loop_hook *h)
{
	list_del(&h->node);
}

/* A mark walks along the list, so that a hook may remove any hook, itself
 * included, and add others, which run in this turn too. */
static void run_hooks(struct loop *l)
{
	list_add_head(&l->hooks, &l->mark);
	while (l->mark.next != &l->hooks) {
		struct list *it = l->mark.next;
		struct loop_hook *h = list_entry(it, struct loop_hook, node);

		list_del(&l->mark);
		list_add_head(it, &l->mark);
		h->fn(h);
	}
	list_del(&l->mark);
}

static void signal_readable(struct loop_fd *w, uint32_t events)
{
	struct loop *l = container_of(w, struct loop, signals);
	struct signalfd_siginfo si;

	while (read(w->fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		l->signal_fn(l->signal_ctx, (int)si.ssi_signo);
}

int loop_signals(struct loop *l, const sigset_t *set, loop_signal_fn *fn,
		 void *ctx)
{
	int fd, rc;

	if (sigprocmask(SIG_BLOCK, set, NULL))
		return -errno;
	fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	l->signal_fn = fn;
	l->signal_ctx = ctx;
	rc = loop_fd_add(l, &l->signals, fd, EPOLLIN, signal_readable);
	if (rc)
		close(fd);
	return rc;
}

int loop_end_signals(struct loop *l, loop_signal_fn *fn, void *ctx)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return loop_signals(l, &set, fn, ctx);
}

void loop_die_by(int signo)
{
	sigset_t set;

	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	raise(signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the turn ---- */

/* Until the first timer is due, to the nanosecond; NULL for ever. From the
 * moment that it is now: the turn has taken its time. */
static const struct timespec *wait_time(struct loop *l, struct timespec *ts)
{
	uint64_t left = 0, now;

	if (!l->n_timers)
		return NULL;
	l->waits_from = UINT64_MAX; /* not at all */
	if (!l->virtual_time && l->heap[1]->due > l->now) {
		now = l->waits_from = l->clock();
		left = l->heap[1]->due > now ? l->heap[1]->due - now : 0;
	}
	ts->tv_sec = (time_t)(left / LOOP_SEC);
	ts->tv_nsec = (long)(left % LOOP_SEC);
	return ts;
}

/* Rounded up, so that a timer is never found not quite due. */
static int in_ms(const struct timespec *ts)
{
	uint64_t ms;

	if (!ts)
		return -1;
	ms = (uint64_t)ts->tv_sec * 1000 +
	     ((uint64_t)ts->tv_nsec + LOOP_MS - 1) / LOOP_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Linux before 5.11, and containers that filter what they do not know, have
 * no epoll_pwait2(). */
static int wait_for_events(struct loop *l, struct epoll_event *ev)
{
	struct timespec ts;
	const struct timespec *left = wait_time(l, &ts);

	if (!l->coarse) {
		int n = epoll_pwait2(l->epfd, ev, BATCH, left, NULL);

		if (n >= 0 || (errno != ENOSYS && errno != EPERM))
			return n;
		l->coarse = true;
	}
	return epoll_wait(l->epfd, ev, BATCH, in_ms(left));
}

void loop_linger(struct loop *l, uint64_t ns)
{
	l->linger = ns;
}

static unsigned int missed(struct loop *l)
{
	l->skip = l->misses < MISSES_MAX ? 2 * l->misses + 1 : l->misses;
	return l->skip;
}

/* A look that took longer than looking takes was interrupted: whoever brought
 * the event shares this processor and had to wait for it. */
static int look_again(struct loop *l, struct epoll_event *ev, uint64_t start,
		      uint64_t ns)
{
	uint64_t last, now = start;
	int n = epoll_wait(l->epfd, ev, BATCH, 0);

	if (n) /* was there already: that tells nothing */
		return n;
	while (now - start < ns) {
		n = epoll_wait(l->epfd, ev, BATCH, 0);
		last = now;
		now = l->clock();
		if (!n)
			continue;
		l->misses = now - last < INTERRUPTED ? 0 : missed(l);
		return n;
	}
	l->misses = missed(l);
	return 0;
}

static bool timer_within(const struct loop *l, uint64_t ns)
{
	return l->n_timers && l->heap[1]->due <= l->now + ns;
}

static int next_events(struct loop *l, struct epoll_event *ev)
{
	uint64_t ns = l->linger, start;
	int n = 0;

	l->linger = 0;
	if (!ns || l->virtual_time || timer_within(l, ns))
		return wait_for_events(l, ev);
	start = l->clock();
	if (l->naps && l->skip)
		l->skip--;
	else if (l->naps)
		n = look_again(l, ev, start, ns);
	if (n)
		return n;
	n = wait_for_events(l, ev);
	l->naps = n > 0 && l->clock() - start < NAP * ns;
	return n;
}

int loop_run(struct loop *l)
{
	struct epoll_event ev[BATCH];

	l->running = true;
	run_hooks(l);
	while (l->running) {
		int n;

		l->waits_from = l->now;
		n = next_events(l, ev);
		if (n < 0 && errno != EINTR)
			return -errno;
		l->ready = n > 0 ? n : 0;
		l->now = l->began = l->clock();
		l->waited = l->now > l->waits_from ? l->now - l->waits_from : 0;
		run_watches(ev, n);
		run_timers(l);
		run_hooks(l);
	}
	return 0;
}
