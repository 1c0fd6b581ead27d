/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redial - a new connection in place of one that was lost
 *
 * The first attempt comes soon, each further one after twice the time, up to
 * some seconds. A connection that is lost again in less than the time that the
 * next attempt would have waited counts as one more that failed.
 *
 * Opening a connection waits for the switch, and a plug must not hang with a
 * switch that hangs. So where it listened before it is asked first whether it
 * works: a connection on which nothing is said is closed by every switch that
 * does, and that can be waited for in the loop.
 */
#ifndef PLUG_REDIAL_H
#define PLUG_REDIAL_H

#include <sys/un.h>

#include "common/loop.h"
#include "lib/batch.h"

/* What a connection is opened with; the strings are the caller's and stay. */
struct vde_args {
	const char *locator; /* "" is the default switch */
	const char *descr;
	int64_t port; /* 0: any */
	const char *group; /* or NULL */
	unsigned int mode; /* 0: 0700 */
	bool reconnect; /* when it is lost */
	bool plain; /* frames come finished, without offloads */
};

/* One that takes all offloads, or none; 0 or -errno. */
int redial_open(const struct vde_args *, VDECONN **out);

struct redial;
/* Gets the connection, or NULL: there will be none, which has been logged. */
typedef void redial_fn(struct redial *, VDECONN *);

struct redial {
	struct loop *loop;
	const struct vde_args *args;
	const char *name; /* for messages */
	redial_fn *fn;
	struct sockaddr_un ctl; /* where the switch listened, if anywhere */
	struct loop_timer timer;
	struct loop_fd ask;
	uint64_t delay, since; /* @since: the last success */
	int cwd; /* which locators are relative to */
	int said; /* the last errno that was logged */
};

/* @conn is the connection there is; later ones are given to @fn. @name and
 * @args are the caller's. 0 or -errno. */
int redial_init(struct redial *, struct loop *, const char *name,
		const struct vde_args *args, VDECONN *conn);
/* That connection is lost. */
void redial_start(struct redial *, redial_fn *fn);
void redial_fini(struct redial *);

#endif
