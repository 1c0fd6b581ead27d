// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/util.h"

struct peer {
	struct loop_fd io;
	struct peer *other;
};

static struct loop *loop;
static int calls;

static void kill_the_other(struct loop_fd *w, uint32_t events)
{
	struct peer *p = container_of(w, struct peer, io);
	int fd = p->other->io.fd;

	calls++;
	loop_fd_del(loop, &p->other->io);
	close(fd);
	free(p->other);

	fd = w->fd;
	loop_fd_del(loop, w);
	close(fd);
	free(p);
	loop_stop(loop);
}

static void owner_freed_in_same_batch_is_not_called(void)
{
	struct peer *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	calls = 0;
	loop = loop_new();
	a->other = b;
	b->other = a;
	loop_fd_add(loop, &a->io, eventfd(1, 0), EPOLLIN, kill_the_other);
	loop_fd_add(loop, &b->io, eventfd(1, 0), EPOLLIN, kill_the_other);
	loop_run(loop);
	CHECK(calls == 1);
	loop_free(loop);
}

static uint64_t fake_now;
static uint64_t fake_clock(void)
{
	return fake_now += LOOP_SEC;
}

static void tick(struct loop_timer *t)
{
	if (++calls == 3)
		loop_stop(loop);
	else
		loop_timer_set(loop, t, LOOP_SEC, tick);
}

static void timers_follow_the_installed_clock(void)
{
	struct loop_timer t = { 0 };

	calls = 0;
	loop = loop_new();
	loop_set_clock(loop, fake_clock);
	loop_timer_set(loop, &t, 0, tick);
	loop_run(loop);
	CHECK(calls == 3);
	loop_free(loop);
}

static void set_again_at_once(struct loop_timer *t)
{
	calls++;
	loop_timer_set(loop, t, 0, set_again_at_once);
}

static void stop_at_five(struct loop_hook *h)
{
	static int turns;

	if (++turns == 5)
		loop_stop(loop);
}

static void a_timer_that_is_set_again_waits_for_the_next_turn(void)
{
	struct loop_timer t = { 0 };
	struct loop_hook h;

	calls = 0;
	loop = loop_new();
	loop_timer_set(loop, &t, 0, set_again_at_once);
	loop_hook_add(loop, &h, stop_at_five);
	loop_run(loop);
	CHECK(calls == 4); /* the first hook runs before the first wait */
	loop_free(loop);
}

#define MANY 1000

static struct loop_timer many[MANY];
static uint64_t last_due;
static int out_of_order;

static void in_order(struct loop_timer *t)
{
	struct loop_timer *victim = &many[(t->due / 7) % MANY];

	calls++;
	out_of_order += t->due < last_due;
	last_due = t->due;
	if (t->due % 3 == 0 && loop_timer_armed(victim)) {
		loop_timer_del(loop, victim);
		calls++; /* it will not come itself */
	}
	if (calls == MANY)
		loop_stop(loop);
}

static void timers_fire_in_order_and_can_be_removed_anywhere(void)
{
	unsigned int seed = 9;

	calls = out_of_order = 0;
	last_due = 0;
	fake_now = 0;
	loop = loop_new();
	loop_set_clock(loop, fake_clock);
	for (int i = 0; i < MANY; i++) {
		seed = seed * 1103515245 + 12345;
		many[i] = (struct loop_timer){ 0 };
		CHECK(!loop_timer_set(loop, &many[i], LOOP_SEC, in_order));
		CHECK(!loop_timer_set(loop, &many[i],
				      (seed >> 8) * UINT64_C(1000), in_order));
	}
	loop_run(loop);
	CHECK(calls == MANY && out_of_order == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(!loop_timer_armed(&many[i]));
	loop_free(loop);
}

static void never(struct loop_timer *t)
{
	calls += 1000;
}

static void the_longest_delay_is_no_past(void)
{
	struct loop_timer t = { 0 }, stop = { 0 };

	calls = 0;
	loop = loop_new();
	loop_set_clock(loop, fake_clock);
	loop_timer_set(loop, &t, UINT64_MAX, never);
	loop_timer_set(loop, &stop, 0, tick);
	loop_run(loop);
	CHECK(calls == 3 && loop_timer_armed(&t));
	loop_timer_del(loop, &t);
	loop_free(loop);
}

static struct loop_hook hooks[4];

static void stop_now(struct loop_hook *h)
{
	calls += 10;
	loop_stop(loop);
}

static void add_the_last(struct loop_hook *h)
{
	calls += 100;
	loop_hook_add(loop, &hooks[3], stop_now);
	loop_hook_del(h);
}

static void remove_the_next(struct loop_hook *h)
{
	calls++;
	loop_hook_del(&hooks[1]);
}

static void hooks_may_remove_and_add_hooks(void)
{
	calls = 0;
	loop = loop_new();
	loop_hook_add(loop, &hooks[0], remove_the_next);
	loop_hook_add(loop, &hooks[1], stop_now);
	loop_hook_add(loop, &hooks[2], add_the_last);
	alarm(5); /* once this went round for ever */
	loop_run(loop);
	alarm(0);
	CHECK(calls == 111);
	loop_free(loop);
}

static void note_signal(void *ctx, int signo)
{
	*(int *)ctx = signo;
	loop_stop(loop);
}

static void signals_are_events(void)
{
	sigset_t set;
	int got = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	loop = loop_new();
	CHECK(loop_signals(loop, &set, note_signal, &got) == 0);
	raise(SIGUSR1);
	CHECK(got == 0);
	loop_run(loop);
	CHECK(got == SIGUSR1);
	loop_free(loop);
}

static void must_not_come(struct loop_fd *w, uint32_t events)
{
	calls += 1000;
}

static void a_watch_can_wait_for_nothing(void)
{
	struct loop_timer t = { 0 };
	struct loop_fd w = { 0 };
	int fd = eventfd(1, 0);

	calls = 0;
	loop = loop_new();
	loop_set_clock(loop, fake_clock);
	loop_fd_del(loop, &w); /* harmless */
	CHECK(loop_fd_add(loop, &w, fd, EPOLLIN, must_not_come) == 0);
	CHECK(loop_fd_want(loop, &w, 0) == 0);
	loop_timer_set(loop, &t, 0, tick);
	loop_run(loop);
	CHECK(calls == 3);
	loop_fd_del(loop, &w);
	CHECK(!w.on);
	CHECK(loop_fd_add(loop, &w, -1, EPOLLIN, must_not_come) == -EBADF);
	CHECK(!w.on);
	close(fd);
	loop_free(loop);
}

static uint64_t waited[2];

static void note_wait(struct loop_timer *t)
{
	uint64_t began = loop_began(loop);

	waited[calls++] = loop_waited(loop);
	CHECK(began == loop_now(loop));
	CHECK(loop_clock(loop) >= began && loop_began(loop) == began);
	if (calls == 2)
		loop_stop(loop);
	else
		CHECK(loop_timer_set(loop, t, 0, note_wait) == 0);
}

static void a_turn_knows_how_long_the_loop_has_waited(void)
{
	struct loop_timer t = { 0 };

	calls = 0;
	loop = loop_new();
	CHECK(loop_timer_set(loop, &t, 20 * LOOP_MS, note_wait) == 0);
	loop_run(loop);
	CHECK(calls == 2);
	/* Not all 20: making the loop took its time. */
	CHECK(waited[0] > LOOP_MS && waited[1] == 0);
	loop_free(loop);
}

static int seen_ready;

static void note_ready(struct loop_fd *w, uint32_t events)
{
	seen_ready = loop_ready(loop);
	calls++;
	loop_fd_want(loop, w, 0);
	loop_stop(loop);
}

static void a_watch_learns_how_many_share_its_turn(void)
{
	struct loop_fd w[3] = { 0 };

	calls = 0;
	loop = loop_new();
	for (size_t i = 0; i < 3; i++)
		loop_fd_add(loop, &w[i], eventfd(i < 2, 0), EPOLLIN,
			    note_ready);
	loop_run(loop);
	CHECK(calls == 2);
	CHECK(seen_ready == 2);
	for (size_t i = 0; i < 3; i++) {
		int fd = w[i].fd;

		loop_fd_del(loop, &w[i]);
		close(fd);
	}
	loop_free(loop);
}

/* ---- lingering ---- */

static int timer_fd(uint64_t ns)
{
	const struct itimerspec every = {
		{ 0, (long)ns },
		{ 0, (long)ns },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

static int calls_to_come;
static uint64_t linger_ns;

static void expired(struct loop_fd *w, uint32_t events)
{
	uint64_t n;

	CHECK(read(w->fd, &n, sizeof(n)) == sizeof(n));
	loop_linger(loop, linger_ns);
	if (--calls_to_come == 0)
		loop_stop(loop);
}

/* Runs for @n events at @fd. */
static struct rusage usage_of_fd(int n, int fd)
{
	struct rusage before, after;
	struct loop_fd w = { 0 };

	calls_to_come = n;
	loop = loop_new();
	loop_fd_add(loop, &w, fd, EPOLLIN, expired);
	getrusage(RUSAGE_SELF, &before);
	loop_run(loop);
	getrusage(RUSAGE_SELF, &after);
	loop_fd_del(loop, &w);
	loop_free(loop);
	after.ru_nvcsw -= before.ru_nvcsw;
	timersub(&after.ru_utime, &before.ru_utime, &after.ru_utime);
	timersub(&after.ru_stime, &before.ru_stime, &after.ru_stime);
	return after;
}

/* One each @ns. */
static struct rusage usage_of(int n, uint64_t ns)
{
	int fd = timer_fd(ns);
	struct rusage u = usage_of_fd(n, fd);

	close(fd);
	return u;
}

/* Another process brings an event each millisecond, from another processor if
 * there is one. */
static pid_t start_visitor(int fd)
{
	pid_t pid = fork();

	while (pid == 0) {
		const uint64_t one = 1;

		nanosleep(&(struct timespec){ 0, (long)LOOP_MS }, NULL);
		if (write(fd, &one, sizeof(one)) < 0 || getppid() == 1)
			_exit(0);
	}
	return pid;
}

static void who_lingers_for_events_that_come_soon_hardly_sleeps(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	pid_t pid = start_visitor(fd);
	long sleeps, least;

	linger_ns = 0;
	least = sleeps = usage_of_fd(100, fd).ru_nvcsw;
	CHECK(sleeps > 10); /* fewer than 100 where others run, too */
	linger_ns = 5 * LOOP_MS;
	/* Not while others need the processor, which may be now and then. */
	for (int i = 0; i < 20 && least >= sleeps / 2; i++)
		least = usage_of_fd(100, fd).ru_nvcsw;
	CHECK(least < sleeps / 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

static void nobody_lingers_for_events_that_take_long(void)
{
	struct rusage u;

	linger_ns = 5 * LOOP_MS; /* else: 5 ms at least three times */
	u = usage_of(10, 20 * LOOP_MS);
	CHECK(u.ru_utime.tv_sec == 0 && u.ru_stime.tv_sec == 0);
	CHECK(u.ru_utime.tv_usec + u.ru_stime.tv_usec < 8000);
}

static void lingering_in_vain_becomes_rare(void)
{
	struct rusage u;

	linger_ns = 2 * LOOP_MS; /* as short as a nap, but never in time */
	u = usage_of(50, 4 * LOOP_MS); /* else: 100 ms */
	CHECK(u.ru_utime.tv_sec == 0 && u.ru_stime.tv_sec == 0);
	CHECK(u.ru_utime.tv_usec + u.ru_stime.tv_usec < 40000);
}

int main(void)
{
	RUN(owner_freed_in_same_batch_is_not_called);
	RUN(timers_follow_the_installed_clock);
	RUN(a_timer_that_is_set_again_waits_for_the_next_turn);
	RUN(timers_fire_in_order_and_can_be_removed_anywhere);
	RUN(the_longest_delay_is_no_past);
	RUN(hooks_may_remove_and_add_hooks);
	RUN(signals_are_events);
	RUN(a_watch_can_wait_for_nothing);
	RUN(a_turn_knows_how_long_the_loop_has_waited);
	RUN(a_watch_learns_how_many_share_its_turn);
	RUN(who_lingers_for_events_that_come_soon_hardly_sleeps);
	RUN(nobody_lingers_for_events_that_take_long);
	RUN(lingering_in_vain_becomes_rare);
	DONE();
}
