/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acceptor - accept connections, also when descriptors run out
 *
 * With no descriptor left a listener stays readable for ever. Then the
 * acceptor stops listening, says so once, and tries again every
 * ACCEPTOR_RETRY or when acceptor_retry() is told that something was closed:
 * connections wait in the backlog and nothing spins.
 */
#ifndef COMMON_ACCEPTOR_H
#define COMMON_ACCEPTOR_H

#include "common/loop.h"

#define ACCEPTOR_RETRY (100 * LOOP_MS)

struct acceptor;
/* @fd is the new connection, non-blocking, now the callee's. */
typedef void acceptor_fn(struct acceptor *, int fd);

struct acceptor {
	struct loop *loop;
	struct loop_fd io;
	struct loop_timer retry;
	acceptor_fn *fn;
	const char *name; /* of the socket, for the message; kept */
	bool starved; /* said so; nothing accepted since */
};

/* Starts to accept on @fd, a non-blocking listener that stays the caller's.
 * 0 or -errno. */
int acceptor_start(struct acceptor *, struct loop *, int fd, const char *name,
		   acceptor_fn *);
void acceptor_stop(struct acceptor *);
/* Costs nothing unless the acceptor has paused. */
void acceptor_retry(struct acceptor *);

#endif
