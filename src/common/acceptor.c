// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/acceptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"

#define BUDGET 64

static void retry_due(struct loop_timer *t)
{
	struct acceptor *a = container_of(t, struct acceptor, retry);

	loop_fd_want(a->loop, &a->io, EPOLLIN);
}

static void pause_accepting(struct acceptor *a, int error)
{
	if (!a->starved)
		log_warn("unable to accept on %s for now: %s", a->name,
			 strerror(error));
	a->starved = true;
	loop_fd_want(a->loop, &a->io, 0);
	loop_timer_set(a->loop, &a->retry, ACCEPTOR_RETRY, retry_due);
}

static void readable(struct loop_fd *w, uint32_t events)
{
	struct acceptor *a = container_of(w, struct acceptor, io);

	for (int i = 0; i < BUDGET && a->io.on; i++) {
		int fd = accept4(w->fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			a->starved = false;
			a->fn(a, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			pause_accepting(a, errno);
		return;
	}
}

int acceptor_start(struct acceptor *a, struct loop *loop, int fd,
		   const char *name, acceptor_fn *fn)
{
	*a = (struct acceptor){ .loop = loop, .fn = fn, .name = name };
	return loop_fd_add(loop, &a->io, fd, EPOLLIN, readable);
}

void acceptor_stop(struct acceptor *a)
{
	if (!a->loop)
		return;
	loop_fd_del(a->loop, &a->io);
	loop_timer_del(a->loop, &a->retry);
}

void acceptor_retry(struct acceptor *a)
{
	if (!loop_timer_armed(&a->retry))
		return;
	loop_timer_del(a->loop, &a->retry);
	loop_fd_want(a->loop, &a->io, EPOLLIN);
}
