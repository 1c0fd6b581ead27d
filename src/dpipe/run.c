// SPDX-License-Identifier: GPL-2.0-or-later
#include "dpipe/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/log.h"

/* A command that cannot be executed; the shells use the same number. */
#define EXIT_NO_COMMAND 127
/* Room for a few bursts of frames between two commands. More would delay
 * frames instead of dropping them where a chain is slow, and counts against
 * a limit per user. */
#define PIPE_SIZE (256 * 1024)

struct verdict {
	size_t cmd;
	int error;
};

static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

static void watched_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(set, forwarded[i]);
}

static void close_pair(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* /dev/null keeps the two lowest free descriptors until a command in the
 * middle of the chain puts its pipes there; in others they vanish on exec. */
static int reserve_alternates(struct run *r)
{
	static const char *const names[] = { "ALTERNATE_STDIN",
					     "ALTERNATE_STDOUT" };
	char number[16];

	for (int i = 0; i < 2; i++) {
		r->alt[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (r->alt[i] < 0)
			return -errno;
		if (str_fmt(number, sizeof(number), "%d", r->alt[i]) < 0 ||
		    setenv(names[i], number, 1))
			return -ENOMEM;
	}
	return 0;
}

int run_open(struct run *r, const struct chain *chain)
{
	sigset_t set;
	int rc;

	*r = (struct run){ .chain = chain,
			   .alt = { -1, -1 },
			   .verdict = { -1, -1 } };
	watched_signals(&set);
	/* Who starts dpipe may have ignored SIGCHLD: nothing to wait for. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_BLOCK, &set, &r->old_mask))
		return -errno;
	r->pids = calloc(chain->n_cmds, sizeof(*r->pids));
	r->pipes = calloc((size_t)chain->n_pipes, sizeof(*r->pipes));
	if (!r->pids || !r->pipes)
		return -ENOMEM;
	for (int i = 0; i < chain->n_pipes; i++)
		r->pipes[i][0] = r->pipes[i][1] = -1;
	rc = reserve_alternates(r);
	if (rc)
		return rc;
	for (int i = 0; i < chain->n_pipes; i++) {
		if (pipe2(r->pipes[i], O_CLOEXEC))
			return -errno;
		/* Only a wish: a limit per user may be in the way. */
		(void)fcntl(r->pipes[i][0], F_SETPIPE_SZ, PIPE_SIZE);
	}
	return pipe2(r->verdict, O_CLOEXEC) ? -errno : 0;
}

static void close_pipes(struct run *r)
{
	for (int i = 0; r->pipes && i < r->chain->n_pipes; i++)
		close_pair(r->pipes[i]);
}

/* Pipes stand above the alternate descriptors and those above 0 to 2, so
 * none of these overwrites one that is still needed. */
static int take_fds(const struct run *r, const struct chain_cmd *c)
{
	if (dup2(r->pipes[c->in][0], STDIN_FILENO) < 0 ||
	    dup2(r->pipes[c->out][1], STDOUT_FILENO) < 0)
		return -errno;
	if (r->quiet && dup2(r->alt[0], STDERR_FILENO) < 0)
		return -errno;
	if (c->alt_in == CHAIN_NONE)
		return 0;
	if (dup2(r->pipes[c->alt_in][0], r->alt[0]) < 0 ||
	    dup2(r->pipes[c->alt_out][1], r->alt[1]) < 0)
		return -errno;
	return 0;
}

int run_become(struct run *r, size_t i)
{
	const struct chain_cmd *c = &r->chain->cmds[i];
	int rc = take_fds(r, c);

	if (rc)
		return rc;
	/* A command that writes to one that has ended must not linger. */
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
	execvp(c->argv[0], c->argv);
	return -errno;
}

static void child(struct run *r, size_t i)
{
	struct verdict v = { i, 0 };
	ssize_t n;

	v.error = -run_become(r, i);
	n = write(r->verdict[1], &v, sizeof(v));
	_exit(n == sizeof(v) ? EXIT_NO_COMMAND : EXIT_FAILURE);
}

pid_t fork_orphan(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			return 0;
		_exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? pid : -EAGAIN;
}

static int start_one(struct run *r, size_t i)
{
	pid_t pid = r->orphans ? fork_orphan() : fork();

	if (pid < 0)
		return r->orphans ? pid : -errno;
	if (pid == 0)
		child(r, i);
	if (!r->orphans) {
		r->pids[i] = pid;
		r->alive++;
	}
	return 0;
}

/* EOF comes when the last of them has left this program. */
static int count_failures(struct run *r)
{
	struct verdict v;
	int failed = 0;
	ssize_t n;

	for (;;) {
		n = read(r->verdict[0], &v, sizeof(v));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(v))
			return failed;
		log_err("unable to run %s: %s", r->chain->cmds[v.cmd].argv[0],
			strerror(v.error));
		failed++;
	}
}

int run_start(struct run *r, size_t n)
{
	int rc = 0, failed;

	for (size_t i = 0; i < n && !rc; i++)
		rc = start_one(r, i);
	close(r->verdict[1]);
	r->verdict[1] = -1;
	if (rc) {
		close_pipes(r);
		run_signal(r, SIGTERM);
		return rc;
	}
	failed = count_failures(r);
	if (n == r->chain->n_cmds)
		close_pipes(r);
	return failed;
}

void run_signal(const struct run *r, int signo)
{
	for (size_t i = 0; i < r->chain->n_cmds; i++)
		if (r->pids[i])
			kill(r->pids[i], signo);
}

static void reap(struct run *r, int *last)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		size_t i = 0;

		while (i < r->chain->n_cmds && r->pids[i] != pid)
			i++;
		if (i == r->chain->n_cmds)
			continue;
		r->pids[i] = 0;
		r->alive--;
		if (i == r->chain->n_cmds - 1)
			*last = WIFEXITED(status) ? WEXITSTATUS(status)
						  : 128 + WTERMSIG(status);
	}
}

/* A signal that the kernel sent came from the terminal, and all of its
 * foreground processes have it already. */
int run_wait(struct run *r)
{
	int last = EXIT_FAILURE;
	siginfo_t si;
	sigset_t set;

	watched_signals(&set);
	reap(r, &last);
	while (r->alive) {
		if (sigwaitinfo(&set, &si) < 0)
			continue;
		if (si.si_signo == SIGCHLD)
			reap(r, &last);
		else if (si.si_code != SI_KERNEL)
			run_signal(r, si.si_signo);
	}
	return last;
}

void run_close(struct run *r)
{
	close_pipes(r);
	close_pair(r->alt);
	close_pair(r->verdict);
	free(r->pipes);
	free(r->pids);
	r->pipes = NULL;
	r->pids = NULL;
}
