/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child - a command with its standard input and output in our hands
 */
#ifndef PLUG_CHILD_H
#define PLUG_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	const char *name; /* argv[0], the caller's */
	int from, to; /* its output and input, ours to read and write */
};

/* Runs @argv with the default action for SIGPIPE and no signal of @unblock
 * blocked. 0, or -errno also when the command could not be executed. */
int child_start(struct child *, char **argv, const int *unblock, size_t n);

/* Closes both pipes and waits for the end; a command that does not end by
 * itself in a while, or at once with @now, is told to and at last killed.
 * The exit status: 1 if the command failed by itself, which is logged. */
int child_end(struct child *, bool now);

#endif
