// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/loop.h"

#include <sys/eventfd.h>
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

int main(void)
{
	RUN(owner_freed_in_same_batch_is_not_called);
	RUN(timers_follow_the_installed_clock);
	DONE();
}
