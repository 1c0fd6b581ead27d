/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switchmgmt - commands to the console of a switch, without waiting for it
 *
 * Speaks VDE 2's console protocol, so ours and VDE 2's switches understand it:
 * one command at a time, the next when the prompt is back. There is one
 * connection, opened at first use and kept; when it is lost, or an answer does
 * not come in time, all that was asked fails, and the next command opens a new
 * one.
 */
#ifndef CRYPTCAB_SWITCHMGMT_H
#define CRYPTCAB_SWITCHMGMT_H

#include "common/loop.h"

struct switchmgmt;

/* The result: 0 or -errno, of the switch or of talking to it, and the last
 * line of data, which may be empty. May ask, and forget. */
typedef void switchmgmt_fn(void *ctx, int rc, const char *data);

/* @path is the caller's. 0 or -errno: nobody listens there. */
int switchmgmt_new(struct switchmgmt **, struct loop *, const char *path);
/* Nobody is called any more. */
void switchmgmt_free(struct switchmgmt *);

/* @fn is called later. -ENOMEM: never. */
int switchmgmt_ask(struct switchmgmt *, const char *line, switchmgmt_fn *,
		   void *ctx);
/* What was asked with @ctx is done, but @fn not called. */
void switchmgmt_forget(struct switchmgmt *, const void *ctx);

/* Another number after each new connection: the switch may be another one. */
unsigned int switchmgmt_life(const struct switchmgmt *);

#endif
