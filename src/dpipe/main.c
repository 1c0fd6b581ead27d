// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dpipe - run commands joined in bidirectional pipes
 *
 * chain.h has the grammar and plans the pipes, run.h makes the processes.
 * Usually dpipe stays as the parent of all commands, passes signals on and
 * ends with the status of the last command. With --nowrapproc it becomes the
 * last command instead.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/daemon.h"
#include "common/log.h"
#include "dpipe/chain.h"
#include "dpipe/run.h"

struct options {
	bool background, nowrap, noclean;
	const char *pidfile, *pgrpfile;
	int64_t ready_fd;
};

struct files {
	struct pidfile pid, pgrp;
};

/* clang-format off */
static const struct cli_option options[] = {
	{ 'd', "daemon", CLI_FLAG, NULL, "run in the background",
	  offsetof(struct options, background), 0, 0, NULL },
	{ 'p', "pidfile", CLI_STR, "FILE", "write the process id to FILE",
	  offsetof(struct options, pidfile), 0, 0, NULL },
	{ 'P', "pgrpfile", CLI_STR, "FILE",
	  "write the negated process group id to FILE",
	  offsetof(struct options, pgrpfile), 0, 0, NULL },
	{ 'n', "nowrapproc", CLI_FLAG, NULL,
	  "become the last command instead of waiting for it",
	  offsetof(struct options, nowrap), 0, 0, NULL },
	{ 'N', "nowrapnoclean", CLI_FLAG, NULL,
	  "as -n, and leave the files of -p and -P behind",
	  offsetof(struct options, noclean), 0, 0, NULL },
	{ 0, "ready-fd", CLI_FD, "N",
	  "write a newline to descriptor N when all commands run",
	  offsetof(struct options, ready_fd), 0, 0, NULL },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]... COMMAND [ARG]... = COMMAND [ARG]... "
		    "[= COMMAND [ARG]...]...",
	.about = "Run commands, each with its output joined to the input of "
		 "its neighbour.\n"
		 "Between two of them, \"=} COMMAND }=\" handles only what "
		 "goes to the right,\n\"={ COMMAND {=\" only what goes to the "
		 "left.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_STOP,
};

static void plan_or_usage(struct chain *chain, char **words, size_t n)
{
	int rc = chain_plan(chain, words, n);

	if (!rc)
		return;
	if (rc != -EINVAL)
		die("unable to plan the chain: %s", strerror(-rc));
	if (chain->word)
		cli_usage("%s: '%s'", chain->error, chain->word);
	cli_usage("%s", chain->error);
}

/* Both or none: who finds one file may rely on the other. */
static int write_files(struct files *f, const struct options *o)
{
	int rc = 0;

	if (o->pidfile) {
		rc = pidfile_write(&f->pid, o->pidfile);
		if (rc)
			log_err("unable to write pidfile %s: %s", o->pidfile,
				strerror(-rc));
	}
	if (!rc && o->pgrpfile) {
		rc = pidfile_write_id(&f->pgrp, o->pgrpfile, -getpgrp());
		if (rc) {
			log_err("unable to write pgrpfile %s: %s", o->pgrpfile,
				strerror(-rc));
			pidfile_remove(&f->pid);
		}
	}
	return rc;
}

static void remove_files(struct files *f)
{
	pidfile_remove(&f->pid);
	pidfile_remove(&f->pgrp);
}

/* With --nowrapproc nobody is left to remove the files when the last command
 * ends, so another process, outside of the process group, waits for that. It
 * holds no descriptor but the one it waits with. */
static int leave_cleaner(struct files *f)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct pollfd pfd = { .fd = self, .events = POLLIN };
	pid_t pid;

	if (self < 0)
		return -errno;
	pid = fork_orphan();
	if (pid) {
		close(self);
		return pid < 0 ? pid : 0;
	}
	setsid();
	if (dup2(self, 0) < 0)
		_exit(EXIT_FAILURE);
	pfd.fd = 0;
	if (syscall(SYS_close_range, 1U, ~0U, 0U))
		_exit(EXIT_FAILURE);
	while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
	remove_files(f);
	_exit(EXIT_SUCCESS);
}

/* Starts all but the last command and becomes that one; returns the exit
 * status if it cannot. */
static int become_last(struct run *r, struct files *f, const struct options *o,
		       struct daemon *d)
{
	size_t last = r->chain->n_cmds - 1;
	int rc;

	r->orphans = true;
	rc = run_start(r, last);
	if (rc >= 0 && !o->noclean && (o->pidfile || o->pgrpfile))
		rc = leave_cleaner(f);
	if (rc < 0) {
		log_err("unable to start the chain: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	rc = daemon_ready(d);
	if (!rc)
		rc = run_become(r, last);
	log_err("unable to run %s: %s", r->chain->cmds[last].argv[0],
		strerror(-rc));
	return 127;
}

static int wrap(struct run *r, struct daemon *d)
{
	int rc = run_start(r, r->chain->n_cmds), status;

	if (rc < 0) {
		log_err("unable to start the chain: %s", strerror(-rc));
		run_wait(r);
		return EXIT_FAILURE;
	}
	if (rc > 0 && d->background) {
		run_signal(r, SIGTERM);
		run_wait(r);
		return 127;
	}
	rc = daemon_ready(d);
	if (rc) {
		log_err("unable to go to the background: %s", strerror(-rc));
		run_signal(r, SIGTERM);
	}
	status = run_wait(r);
	return rc ? EXIT_FAILURE : status;
}

int main(int argc, char **argv)
{
	struct options o = { .ready_fd = -1 };
	struct files files = { 0 };
	struct chain chain;
	struct daemon d;
	struct run r;
	int rc, first, status = EXIT_FAILURE;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	first = cli_parse(&cli, argc, argv, &o);
	plan_or_usage(&chain, argv + first, (size_t)(argc - first));

	rc = daemon_fork(&d, o.background, (int)o.ready_fd);
	if (rc)
		die("unable to go to the background: %s", strerror(-rc));
	/* A session leader is one already, and may not change it. */
	if (!o.background)
		setpgid(0, 0);
	rc = run_open(&r, &chain);
	r.quiet = o.background;
	if (rc)
		log_err("unable to make the pipes: %s", strerror(-rc));
	else if (!write_files(&files, &o))
		status = o.nowrap || o.noclean ? become_last(&r, &files, &o, &d)
					       : wrap(&r, &d);
	run_close(&r);
	remove_files(&files);
	chain_fini(&chain);
	return status;
}
