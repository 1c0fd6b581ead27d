/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop - wait for descriptors, timers and signals; call one function for each
 *
 * Theory of operation. A watch is a small struct that lives inside the object
 * that owns the descriptor; the loop never owns anything. While a batch from
 * epoll_wait() is being dispatched each watch knows its slot in that batch,
 * so loop_fd_del() can blank the slot: after it returns the owner may be
 * freed, even from inside another watch's callback.
 *
 * One turn: wait - read the clock once - call the watches that are ready -
 * call the timers that are due - call the hooks. Hooks run last, just before
 * the loop may sleep: there, what the turn produced is sent in batches.
 *
 * Time is in nanoseconds and monotonic; loop_now() is the time of this turn.
 * A test installs its own clock and never waits.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <signal.h>
#include <sys/epoll.h>

#include "base/list.h"

#define LOOP_MS UINT64_C(1000000)
#define LOOP_SEC UINT64_C(1000000000)

struct loop;
struct loop_fd;
struct loop_timer;
struct loop_hook;

typedef void loop_fd_fn(struct loop_fd *, uint32_t events);
typedef void loop_timer_fn(struct loop_timer *);
typedef void loop_hook_fn(struct loop_hook *);
typedef void loop_signal_fn(void *ctx, int signo);

/* A zeroed watch is not in the loop; loop_fd_del() sets it back to that. */
struct loop_fd {
	int fd;
	bool on;
	uint32_t events;
	loop_fd_fn *fn;
	struct epoll_event *slot; /* in the batch being dispatched, or NULL */
};

/* A zeroed timer is not armed. */
struct loop_timer {
	uint64_t due;
	loop_timer_fn *fn;
	size_t pos; /* in the heap, counted from 1; 0: not armed */
};

struct loop_hook {
	struct list node;
	loop_hook_fn *fn;
};

struct loop *loop_new(void);
void loop_free(struct loop *);
/* Runs until loop_stop(). 0, or -errno if waiting itself failed. */
int loop_run(struct loop *);
void loop_stop(struct loop *);

/* 0 or -errno. The watch must not be in the loop. */
int loop_fd_add(struct loop *, struct loop_fd *, int fd, uint32_t events,
		loop_fd_fn *);
/* Changes the events waited for (0: only hang-up); cheap if equal. */
int loop_fd_want(struct loop *, struct loop_fd *, uint32_t events);
/* Puts a watch that is ready again at once behind the others that are. 0, or
 * -errno: it must go. */
int loop_fd_requeue(struct loop *, const struct loop_fd *);
/* Legal everywhere, also for a watch that is not in the loop. */
void loop_fd_del(struct loop *, struct loop_fd *);

/* Calls @fn once, @delay from now; an armed timer is moved. 0 or -ENOMEM. */
int loop_timer_set(struct loop *, struct loop_timer *, uint64_t delay,
		   loop_timer_fn *);
void loop_timer_del(struct loop *, struct loop_timer *);
bool loop_timer_armed(const struct loop_timer *);

/* Legal everywhere, also inside a hook. */
void loop_hook_add(struct loop *, struct loop_hook *, loop_hook_fn *);
void loop_hook_del(struct loop_hook *);

/* Delivers the signals of @set to @fn from inside the loop; they are blocked
 * for the process. Once per loop. 0 or -errno. */
int loop_signals(struct loop *, const sigset_t *set, loop_signal_fn *,
		 void *ctx);

/* The same for what asks a program to end: SIGTERM, SIGINT, SIGHUP. A write to
 * a reader that has gone fails from now on (SIGPIPE is ignored). */
int loop_end_signals(struct loop *, loop_signal_fn *, void *ctx);
/* The process dies by @signo after all: its caller sees why. */
void loop_die_by(int signo);

/* How many watches are called in this turn. */
int loop_ready(const struct loop *);

/* Before it sleeps after this turn the loop looks for events again and again
 * for up to @ns: that spares a sleep and a wake-up when an answer comes at
 * once. It does so only while sleeps turn out to be about as short, the less
 * the more often it was in vain, and not beside others who need the processor.
 */
void loop_linger(struct loop *, uint64_t ns);

/* Time of this turn. */
uint64_t loop_now(const struct loop *);
/* When this turn began, whatever loop_clock() has read since. */
uint64_t loop_began(const struct loop *);
/* For how many ns the loop waited before that: exactly if a timer was armed,
 * else counted from the last time that the clock was read. */
uint64_t loop_waited(const struct loop *);
/* Reads the clock anew, for work that lasts longer than a turn should. */
uint64_t loop_clock(struct loop *);
/* With a clock of the test's own the loop never sleeps for a timer. */
void loop_set_clock(struct loop *, uint64_t (*clock)(void));

#endif
