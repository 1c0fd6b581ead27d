// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Three processes: the host; a middle one that shares its memory and its
 * descriptors and ends without a signal; the command, a child of the middle
 * one. Each waits until its child has executed something or ended, as after
 * vfork(), so errors come back through the shared memory. All signals are
 * blocked meanwhile.
 */
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

#define STACK_SIZE 65536

/* The children use stacks that the address sanitizer does not know. */
#define NO_ASAN __attribute__((no_sanitize("address")))

struct spawn {
	char **argv;
	int fd;
	int error; /* errno of the step that failed, or 0 */
	int pidfd;
	_Alignas(16) char middle_stack[STACK_SIZE];
	_Alignas(16) char stack[STACK_SIZE];
};

NO_ASAN static void default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The command. Has its own table of descriptors; they go when it executes,
 * those of the host that are not close-on-exec first. */
NO_ASAN static int run(void *arg)
{
	struct spawn *s = arg;
	/* Out of the way of what dup2() is about to replace. */
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0) {
		s->error = errno;
		return 127;
	}
	syscall(SYS_close_range, 3U, ~0U, 0U);
	default_signals();
	execvp(s->argv[0], s->argv);
	s->error = errno;
	return 127;
}

NO_ASAN static int middle(void *arg)
{
	struct spawn *s = arg;

	if (clone(run, s->stack + STACK_SIZE,
		  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, s,
		  &s->pidfd) < 0)
		s->error = errno;
	return 0;
}

static int spawn(struct spawn *s)
{
	sigset_t all, old;
	pid_t pid;
	int rc;

	sigfillset(&all);
	rc = pthread_sigmask(SIG_SETMASK, &all, &old);
	if (rc)
		return -rc;
	pid = clone(middle, s->middle_stack + STACK_SIZE,
		    CLONE_VM | CLONE_VFORK | CLONE_FILES, s);
	if (pid < 0)
		s->error = errno;
	else
		waitpid(pid, NULL, __WALL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -s->error;
}

/* Cuts @text into words at blanks. @argv has room for every other char. */
static int split(char *text, char **argv)
{
	char *rest = text, *word;
	int n = 0;

	while ((word = strsep(&rest, " \t")))
		if (*word)
			argv[n++] = word;
	argv[n] = NULL;
	return n;
}

static bool needs_shell(const char *command)
{
	return command[strcspn(command, "|&;<>()$`\\\"'*?[]#~=%!{}\n")];
}

int spawn_command(const char *command, int fd, int *pidfd)
{
	size_t len = strlen(command);
	char *text = strdup(command);
	char **argv = calloc(len / 2 + 4, sizeof(*argv));
	struct spawn *s = malloc(sizeof(*s));
	int rc = -ENOMEM;

	if (!text || !argv || !s)
		goto out;
	s->argv = argv;
	s->fd = fd;
	s->error = 0;
	s->pidfd = -1;
	rc = -EINVAL;
	if (needs_shell(command)) {
		argv[0] = unconst("/bin/sh");
		argv[1] = unconst("-c");
		argv[2] = text;
	} else if (!split(text, argv)) {
		goto out;
	}
	rc = spawn(s);
	if (rc < 0)
		spawn_stop(s->pidfd);
	else
		*pidfd = s->pidfd;
out:
	free(text);
	free(argv);
	free(s);
	return rc;
}

void spawn_stop(int pidfd)
{
	if (pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	close(pidfd);
}
