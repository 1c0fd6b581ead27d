/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - the processes of a chain
 *
 * All pipes are made before the first fork, closed on exec, and closed here
 * after the last one: no process holds an end that is not its own, so the end
 * of one command reaches its neighbours as EOF or EPIPE. A command learns of
 * its second pair of descriptors by ALTERNATE_STDIN and ALTERNATE_STDOUT.
 * They are the two lowest that the caller of dpipe left free, 3 and 4 as a
 * rule, and they are open in commands in the middle of the chain only.
 */
#ifndef DPIPE_RUN_H
#define DPIPE_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "dpipe/chain.h"

struct run {
	const struct chain *chain;
	int (*pipes)[2]; /* the ends of each pipe of the plan */
	pid_t *pids; /* of each command, 0: it ended or is not ours */
	size_t alive;
	int alt[2]; /* the alternate descriptors, kept by /dev/null */
	int verdict[2]; /* a command that cannot be run says so here */
	bool orphans; /* init is the parent of the commands */
	bool quiet; /* commands get /dev/null as descriptor 2 */
	sigset_t old_mask; /* of the caller, for the commands */
};

/* Blocks the signals of run_wait() and makes pipes, descriptors and
 * environment. 0 or -errno. */
int run_open(struct run *, const struct chain *);

/* Starts commands 0 to @n - 1 and waits until each runs its program or has
 * failed to, which is logged. Returns how many failed, or -errno when a
 * process could not be made; those that were are then told to end. */
int run_start(struct run *, size_t n);

/* Becomes command @i. Returns -errno only. */
int run_become(struct run *, size_t i);

/* Passes SIGTERM, SIGINT, SIGHUP and SIGQUIT on to the commands until all of
 * them have ended. Returns the last one's exit status, 128 + N if signal N
 * killed it. */
int run_wait(struct run *);

void run_signal(const struct run *, int signo);
void run_close(struct run *);

/* Like fork(), but the new process is init's child: who does not wait for it
 * keeps no zombie. 0 in it, positive in the caller, or -errno. */
pid_t fork_orphan(void);

#endif
