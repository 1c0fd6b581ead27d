/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session - the life of a plug: begin, open two ends, run until one is over
 *
 *   session_begin()   background, loop, signals
 *   open the ends     what fails is logged, status 1
 *   session_run()     pidfile, readiness, the loop, and all of it undone
 *
 * SIGTERM ends the session with status 0. SIGINT and SIGHUP end it in the
 * same way, and then the process dies by the signal, so that its caller sees
 * why.
 */
#ifndef PLUG_SESSION_H
#define PLUG_SESSION_H

#include "common/daemon.h"
#include "plug/cable.h"
#include "plug/redial.h"

struct session {
	struct loop *loop;
	struct cable cable;
	struct daemon daemon;
	struct pidfile pidfile;
	int signo; /* that ended it, or 0 */
};

/* 0 or -errno, logged. */
int session_begin(struct session *, bool background, int ready_fd);
/* Takes both ends; @watch may be NULL. The exit status. */
int session_run(struct session *, struct end *a, struct end *b,
		const char *pidfile, cable_watch_fn *watch, void *watch_ctx);
/* Dies by the signal that ended the session if that is due, else returns
 * @status. */
int session_end(struct session *, int status);

/* Opens a connection and makes it an end; the arguments stay the caller's if
 * it is to reconnect. 0 or -errno, logged. */
int session_open_vde(struct session *, const struct vde_args *,
		     struct end **out);

/* Standard input and output as an end; in the background they are kept from
 * becoming /dev/null. 0 or -errno, logged. */
int session_open_stdio(struct session *, struct end **out);

#endif
