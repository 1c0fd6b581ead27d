// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

#define PATIENCE_MS 2000
#define PIPE_SIZE (256 * 1024)

static void close_pair(int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

static void become(char **argv, int in, int out, int verdict,
		   const sigset_t *unblock)
{
	ssize_t n;
	int err;

	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, unblock, NULL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execvp(argv[0], argv);
	err = errno;
	n = write(verdict, &err, sizeof(err));
	_exit(n == sizeof(err) ? 127 : EXIT_FAILURE);
}

/* The errno of a failed exec; nothing comes when it succeeded. */
static int read_verdict(int fd)
{
	int err;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? -err : 0;
}

static int spawn(struct child *c, char **argv, int in, int out,
		 const sigset_t *unblock)
{
	int verdict[2], rc;

	if (pipe2(verdict, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		become(argv, in, out, verdict[1], unblock);
	rc = c->pid < 0 ? -errno : 0;
	close(verdict[1]);
	if (!rc)
		rc = read_verdict(verdict[0]);
	close(verdict[0]);
	if (rc && c->pid > 0)
		waitpid(c->pid, NULL, 0);
	return rc;
}

int child_start(struct child *c, char **argv, const int *unblock, size_t n)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 };
	sigset_t set;
	int rc = 0;

	*c = (struct child){ .pid = -1, .name = argv[0], -1, -1 };
	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, unblock[i]);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		rc = -errno;
	if (!rc) {
		/* Only wishes: there is a limit per user. */
		(void)fcntl(to[1], F_SETPIPE_SZ, PIPE_SIZE);
		(void)fcntl(from[0], F_SETPIPE_SZ, PIPE_SIZE);
		rc = spawn(c, argv, to[0], from[1], &set);
	}
	if (rc) {
		close_pair(to);
		close_pair(from);
		return rc;
	}
	close(to[0]);
	close(from[1]);
	c->to = to[1];
	c->from = from[0];
	return 0;
}

/* True if it ended by itself in time. */
static bool wait_for(const struct child *c, int ms)
{
	struct pollfd pfd = { .events = POLLIN };
	int n;

	pfd.fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (pfd.fd < 0)
		return false;
	do
		n = poll(&pfd, 1, ms);
	while (n < 0 && errno == EINTR);
	close(pfd.fd);
	return n > 0;
}

int child_end(struct child *c, bool now)
{
	bool own = false;
	int status = 0;

	close(c->from);
	close(c->to);
	if (!now)
		own = wait_for(c, PATIENCE_MS);
	if (!own) {
		kill(c->pid, SIGTERM);
		if (!wait_for(c, PATIENCE_MS))
			kill(c->pid, SIGKILL);
	}
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILURE;
	if (!own || !status)
		return EXIT_SUCCESS;
	if (WIFSIGNALED(status))
		log_err("%s was killed by signal %d", c->name,
			WTERMSIG(status));
	else
		log_err("%s ended with status %d", c->name,
			WEXITSTATUS(status));
	return EXIT_FAILURE;
}
