// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/redial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "plug/end.h"

#define SOON (100 * LOOP_MS)
#define SELDOM (5 * LOOP_SEC)
#define PATIENCE LOOP_SEC /* with a switch that is asked */

int redial_open(const struct vde_args *a, VDECONN **out)
{
	struct vde_open_args args = { .port = (int)a->port,
				      .group = unconst(a->group),
				      .mode = a->mode };

	errno = 0;
	*out = vde_open_batch(unconst(a->locator), unconst(a->descr), &args,
			      a->plain ? 0 : END_ALL_OFFLOADS);
	if (*out)
		return 0;
	return errno ? -errno : -ECONNREFUSED;
}

static void attempt(struct loop_timer *t);

static void again(struct redial *r)
{
	uint64_t delay = r->delay;

	r->delay = delay < SELDOM / 2 ? delay * 2 : SELDOM;
	if (loop_timer_set(r->loop, &r->timer, delay, attempt)) {
		log_err("unable to reconnect to %s: %s", r->name,
			strerror(ENOMEM));
		r->fn(r, NULL);
	}
}

/* That it is not there is known already. */
static void say_why(struct redial *r, int err)
{
	if (err == r->said || err == ENOENT || err == ECONNREFUSED)
		return;
	r->said = err;
	log_warn("unable to reconnect to %s yet: %s", r->name, strerror(err));
}

/* "PATH[]" with nothing at PATH is an end of a cable (vde_locators(7)), which
 * would be in the way of the switch that is to come back. */
static int open_switch(const struct vde_args *a, VDECONN **out)
{
	struct vde_args again = *a;
	size_t n = strlen(a->locator);
	char *locator = NULL;
	int rc;

	if (n > 2 && strcmp(a->locator + n - 2, "[]") == 0) {
		locator = strndup(a->locator, n - 2);
		if (!locator)
			return -ENOMEM;
		again.locator = locator;
	}
	rc = redial_open(&again, out);
	free(locator);
	return rc;
}

/* In the background the directory is another one by now. */
static int open_from(int cwd, const struct vde_args *a, VDECONN **out)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), rc;

	if (here < 0)
		return -errno;
	rc = fchdir(cwd) ? -errno : open_switch(a, out);
	if (fchdir(here) && rc == 0) {
		rc = -errno;
		vde_close(*out);
		*out = NULL;
	}
	close(here);
	return rc;
}

static void find_ctl(struct redial *r, VDECONN *conn)
{
	socklen_t len = sizeof(r->ctl);
	int fd = vde_ctlfd(conn);

	r->ctl = (struct sockaddr_un){ 0 };
	if (fd < 0 || getpeername(fd, (struct sockaddr *)&r->ctl, &len) ||
	    r->ctl.sun_family != AF_UNIX || r->ctl.sun_path[0] != '/')
		r->ctl = (struct sockaddr_un){ 0 };
}

static void dial(struct redial *r)
{
	VDECONN *conn = NULL;
	int rc = open_from(r->cwd, r->args, &conn);

	if (rc) {
		say_why(r, -rc);
		again(r);
		return;
	}
	r->said = 0;
	r->since = loop_clock(r->loop);
	find_ctl(r, conn);
	r->fn(r, conn);
}

/* ---- asking first ---- */

static void hang_up(struct redial *r)
{
	int fd = r->ask.fd;

	if (!r->ask.on)
		return;
	loop_fd_del(r->loop, &r->ask);
	close(fd);
}

static void answered(struct loop_fd *w, uint32_t events)
{
	struct redial *r = container_of(w, struct redial, ask);

	loop_timer_del(r->loop, &r->timer);
	hang_up(r);
	dial(r);
}

static void no_answer(struct loop_timer *t)
{
	struct redial *r = container_of(t, struct redial, timer);

	hang_up(r);
	say_why(r, ETIMEDOUT);
	again(r);
}

/* 1: it will answer, or not; 0: nobody is there to be asked; -errno. */
static int ask(struct redial *r)
{
	int fd, rc;

	if (!r->ctl.sun_path[0])
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&r->ctl, sizeof(r->ctl))) {
		rc = errno == EAGAIN ? -ETIMEDOUT : 0;
		close(fd);
		return rc;
	}
	shutdown(fd, SHUT_WR);
	rc = loop_fd_add(r->loop, &r->ask, fd, EPOLLIN, answered);
	if (!rc)
		rc = loop_timer_set(r->loop, &r->timer, PATIENCE, no_answer);
	if (!rc)
		return 1;
	if (r->ask.on)
		hang_up(r);
	else
		close(fd);
	return rc;
}

static void attempt(struct loop_timer *t)
{
	struct redial *r = container_of(t, struct redial, timer);
	int rc = ask(r);

	if (rc == 0) {
		dial(r);
	} else if (rc < 0) {
		say_why(r, -rc);
		again(r);
	}
}

/* ---- life ---- */

int redial_init(struct redial *r, struct loop *loop, const char *name,
		const struct vde_args *args, VDECONN *conn)
{
	*r = (struct redial){ .loop = loop, .args = args, .name = name };
	r->since = loop_clock(loop);
	r->delay = SOON;
	find_ctl(r, conn);
	r->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->cwd < 0 ? -errno : 0;
}

void redial_start(struct redial *r, redial_fn *fn)
{
	r->fn = fn;
	if (loop_now(r->loop) - r->since > r->delay)
		r->delay = SOON;
	again(r);
}

void redial_fini(struct redial *r)
{
	loop_timer_del(r->loop, &r->timer);
	hang_up(r);
	if (r->cwd >= 0)
		close(r->cwd);
}
