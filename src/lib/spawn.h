/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spawn - run a command from inside somebody else's process
 *
 * The host gets no SIGCHLD and has no child to wait for: the command's parent
 * is a process that is gone before spawn_command() returns, so that init
 * inherits it. Nothing of a big host is copied, no handler of its runs.
 */
#ifndef LIB_SPAWN_H
#define LIB_SPAWN_H

/* Starts @command with @fd as stdin and stdout; stderr is the host's. Plain
 * words are executed as they are, anything that looks like more is given to
 * /bin/sh. 0 and a descriptor for spawn_stop() in @pidfd, or -errno, which is
 * also that of a failed exec. */
int spawn_command(const char *command, int fd, int *pidfd);

/* Asks the command to end (SIGTERM) if it has not, and closes @pidfd. */
void spawn_stop(int pidfd);

#endif
