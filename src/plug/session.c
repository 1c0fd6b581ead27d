// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "plug/ends.h"

static void stop(void *ctx, int signo)
{
	struct session *s = ctx;

	s->signo = signo;
	cable_stop(&s->cable, EXIT_SUCCESS);
}

int session_begin(struct session *s, bool background, int ready_fd)
{
	int rc;

	*s = (struct session){ 0 };
	rc = daemon_fork(&s->daemon, background, ready_fd);
	if (rc) {
		log_err("unable to go to the background: %s", strerror(-rc));
		return rc;
	}
	s->loop = loop_new();
	rc = s->loop ? loop_end_signals(s->loop, stop, s) : -ENOMEM;
	if (rc)
		log_err("unable to set up the event loop: %s", strerror(-rc));
	return rc;
}

static const char *name_of(const char *locator)
{
	return *locator ? locator : "the default switch";
}

int session_open_vde(struct session *s, const struct vde_args *a,
		     struct end **out)
{
	VDECONN *conn;
	int rc = redial_open(a, &conn);

	if (rc) {
		log_err("unable to open %s: %s", name_of(a->locator),
			strerror(-rc));
		return rc;
	}
	rc = end_vde_open(out, s->loop, name_of(a->locator), conn,
			  a->reconnect ? a : NULL);
	if (rc) {
		log_err("unable to watch %s: %s", name_of(a->locator),
			strerror(-rc));
		vde_close(conn);
	}
	return rc;
}

int session_open_stdio(struct session *s, struct end **out)
{
	struct stream_fds fds = { STDIN_FILENO, STDOUT_FILENO, "standard input",
				  "standard output", 0 };
	int rc;

	if (s->daemon.background) {
		fds.in = fcntl(fds.in, F_DUPFD_CLOEXEC, 3);
		fds.out = fcntl(fds.out, F_DUPFD_CLOEXEC, 3);
	}
	rc = end_stream_open(out, s->loop, &fds);
	if (rc)
		log_err("unable to use standard input and output: %s",
			strerror(-rc));
	return rc;
}

static int start(struct session *s, const char *pidfile)
{
	int rc;

	if (pidfile) {
		rc = pidfile_write(&s->pidfile, pidfile);
		if (rc) {
			log_err("unable to write pidfile %s: %s", pidfile,
				strerror(-rc));
			return rc;
		}
	}
	rc = daemon_ready(&s->daemon);
	if (rc)
		log_err("unable to go to the background: %s", strerror(-rc));
	return rc;
}

int session_run(struct session *s, struct end *a, struct end *b,
		const char *pidfile, cable_watch_fn *watch, void *watch_ctx)
{
	int rc = cable_open(&s->cable, s->loop, a, b);

	s->cable.watch = watch;
	s->cable.watch_ctx = watch_ctx;
	if (rc)
		log_err("unable to join %s and %s: %s", a->name, b->name,
			strerror(-rc));
	else
		rc = start(s, pidfile);
	if (!rc && !s->cable.over) {
		rc = loop_run(s->loop);
		if (rc)
			log_err("unable to wait for events: %s", strerror(-rc));
	}
	if (rc)
		cable_stop(&s->cable, EXIT_FAILURE);
	cable_close(&s->cable);
	pidfile_remove(&s->pidfile);
	return s->cable.status;
}

int session_end(struct session *s, int status)
{
	loop_free(s->loop);
	if (s->signo == SIGINT || s->signo == SIGHUP)
		loop_die_by(s->signo);
	return status;
}
