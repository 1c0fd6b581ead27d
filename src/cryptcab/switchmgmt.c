// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/switchmgmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "term/session.h"

#define PATIENCE (5 * LOOP_SEC)
#define COMMAND 64
#define DATA 128

struct asked {
	struct list node;
	switchmgmt_fn *fn; /* NULL: nobody */
	void *ctx;
	int lost; /* -errno: there will be no answer */
	char line[COMMAND]; /* with its newline */
};

struct switchmgmt {
	struct loop *loop;
	const char *path;
	struct list asked; /* the first one is under way if @busy */
	struct loop_fd io;
	int fd; /* -1: no connection */
	unsigned int life;
	bool prompt; /* it waits for a command */
	bool busy; /* it has one */
	bool over; /* the connection is to be closed */
	int code; /* of the last result; -EPROTO: none yet */
	char data[DATA]; /* its last line */
	struct session session;
	struct loop_timer deadline, step;
};

static void step(struct loop_timer *t);

static void later(struct switchmgmt *m)
{
	if (!loop_timer_armed(&m->step) &&
	    loop_timer_set(m->loop, &m->step, 0, step))
		log_err("unable to set a timer: %s", strerror(ENOMEM));
}

static void answer_first(struct switchmgmt *m, int rc)
{
	struct asked *a = list_entry(m->asked.next, struct asked, node);

	list_del(&a->node);
	if (a->fn)
		a->fn(a->ctx, rc, m->data);
	free(a);
}

static void hang_up(struct switchmgmt *m)
{
	loop_fd_del(m->loop, &m->io);
	loop_timer_del(m->loop, &m->deadline);
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	m->prompt = m->busy = m->over = false;
	m->data[0] = '\0';
}

/* All that was asked so far fails; what is asked later makes a connection. */
static void lose(struct switchmgmt *m, int rc)
{
	hang_up(m);
	list_for_each(pos, &m->asked)
		list_entry(pos, struct asked, node)->lost = rc;
	later(m);
}

static void too_late(struct loop_timer *t)
{
	lose(container_of(t, struct switchmgmt, deadline), -ETIMEDOUT);
}

/* ---- what the switch says ---- */

static void on_event(void *ctx, const struct session_event *ev)
{
	struct switchmgmt *m = ctx;

	switch (ev->kind) {
	case SESSION_DATA:
		if (ev->len)
			(void)str_fmt(m->data, sizeof(m->data), "%.*s",
				      (int)size_min(ev->len, DATA - 1),
				      ev->text);
		break;
	case SESSION_RESULT:
		m->code = -ev->code;
		break;
	case SESSION_PROMPT:
		loop_timer_del(m->loop, &m->deadline);
		m->prompt = true;
		later(m);
		break;
	case SESSION_FAREWELL:
		m->over = true;
		break;
	case SESSION_TEXT:
	case SESSION_EVENT:
	case SESSION_N_KINDS:
		break;
	}
}

static void on_io(struct loop_fd *w, uint32_t events)
{
	struct switchmgmt *m = container_of(w, struct switchmgmt, io);
	char buf[4096];
	ssize_t n = recv(m->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		session_feed(&m->session, buf, (size_t)n);
	if (n <= 0 || m->over)
		lose(m, n < 0 ? -errno : -ECONNRESET);
}

/* ---- what it is told ---- */

static int dial(struct switchmgmt *m)
{
	struct sockaddr_un sa;
	int rc = unixsock_addr(&sa, m->path);

	if (rc)
		return rc;
	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->fd < 0)
		return -errno;
	if (connect(m->fd, (const void *)&sa, sizeof(sa)))
		rc = -errno;
	if (!rc)
		rc = loop_fd_add(m->loop, &m->io, m->fd, EPOLLIN, on_io);
	if (!rc)
		rc = loop_timer_set(m->loop, &m->deadline, PATIENCE, too_late);
	if (rc) {
		hang_up(m);
		return rc;
	}
	session_init(&m->session, on_event, m);
	m->life++;
	return 0;
}

/* A line is short: a socket that has no room for it is a broken one. */
static int tell(struct switchmgmt *m, const struct asked *a)
{
	size_t len = strlen(a->line);

	if (send(m->fd, a->line, len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)len)
		return -EPIPE;
	m->prompt = false;
	m->busy = true;
	m->code = -EPROTO;
	m->data[0] = '\0';
	return loop_timer_set(m->loop, &m->deadline, PATIENCE, too_late);
}

/* The next thing that can be done. */
static void step(struct loop_timer *t)
{
	struct switchmgmt *m = container_of(t, struct switchmgmt, step);
	struct asked *first;
	int rc = 0;

	if (list_empty(&m->asked))
		return;
	first = list_entry(m->asked.next, struct asked, node);
	if (first->lost || (m->busy && m->prompt)) {
		m->busy = false;
		answer_first(m, first->lost ? first->lost : m->code);
		later(m);
		return;
	}
	if (m->fd < 0)
		rc = dial(m);
	else if (m->prompt && !m->busy)
		rc = tell(m, first);
	if (rc)
		lose(m, rc);
}

int switchmgmt_ask(struct switchmgmt *m, const char *line, switchmgmt_fn *fn,
		   void *ctx)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->fn = fn;
	a->ctx = ctx;
	if (str_fmt(a->line, sizeof(a->line), "%s\n", line) < 0) {
		free(a);
		return -E2BIG;
	}
	list_add_tail(&m->asked, &a->node);
	later(m);
	return 0;
}

void switchmgmt_forget(struct switchmgmt *m, const void *ctx)
{
	list_for_each(pos, &m->asked) {
		struct asked *a = list_entry(pos, struct asked, node);

		if (a->ctx == ctx)
			a->fn = NULL;
	}
}

unsigned int switchmgmt_life(const struct switchmgmt *m)
{
	return m->life;
}

/* ---- begin and end ---- */

int switchmgmt_new(struct switchmgmt **out, struct loop *loop, const char *path)
{
	struct switchmgmt *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->loop = loop;
	m->path = path;
	m->fd = -1;
	list_init(&m->asked);
	rc = dial(m);
	if (rc)
		free(m);
	else
		*out = m;
	return rc;
}

void switchmgmt_free(struct switchmgmt *m)
{
	if (!m)
		return;
	hang_up(m);
	loop_timer_del(m->loop, &m->step);
	list_for_each_safe(pos, next, &m->asked)
		free(list_entry(pos, struct asked, node));
	free(m);
}
