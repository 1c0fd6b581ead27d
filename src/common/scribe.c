// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/pcapng.h"

#define CHUNK (1 << 20) /* what the pipe may hold without privileges */
#define BLOCK_HEAD 8

/* ---- in the process ---- */

/* Where in a stream of blocks or lines are we? */
struct place {
	enum scribe_unit unit;
	uint8_t head[BLOCK_HEAD];
	size_t have; /* bytes of @head */
	size_t left; /* of the block, behind its head */
	off_t at; /* in the file */
	off_t whole; /* where the last whole block or line ends */
};

static void advance_lines(struct place *pl, const uint8_t *p, size_t n)
{
	const uint8_t *lf = memrchr(p, '\n', n);

	if (lf)
		pl->whole = pl->at + (lf - p) + 1;
	pl->at += (off_t)n;
}

static void advance_blocks(struct place *pl, const uint8_t *p, size_t n)
{
	while (n) {
		size_t k;

		if (pl->left) {
			k = size_min(n, pl->left);
			pl->left -= k;
		} else {
			k = size_min(n, BLOCK_HEAD - pl->have);
			memcpy(pl->head + pl->have, p, k);
			pl->have += k;
		}
		p += k;
		n -= k;
		pl->at += (off_t)k;
		if (pl->have == BLOCK_HEAD) {
			pl->left = pcapng_block_len(pl->head) - BLOCK_HEAD;
			pl->have = 0;
		} else if (!pl->left && !pl->have) {
			pl->whole = pl->at;
		}
	}
}

static void advance(struct place *pl, const uint8_t *p, size_t n)
{
	if (pl->unit == SCRIBE_LINES)
		advance_lines(pl, p, n);
	else
		advance_blocks(pl, p, n);
}

/* 0 or -errno. */
static int write_all(int out, const uint8_t *p, size_t n, struct place *pl)
{
	while (n) {
		ssize_t k = write(out, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k ? -errno : -EIO;
		advance(pl, p, (size_t)k);
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int copy(int in, int out, struct place *pl)
{
	uint8_t *buf = malloc(CHUNK);
	int rc = buf ? 0 : -ENOMEM;

	while (!rc) {
		ssize_t n = read(in, buf, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n ? -errno : 0;
			break;
		}
		rc = write_all(out, buf, (size_t)n, pl);
	}
	free(buf);
	return rc;
}

static void close_between(int above, int below)
{
	if (above + 1 >= below)
		return;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, above + 1, below - 1, 0))
		return;
#endif
	for (long end = sysconf(_SC_OPEN_MAX); ++above < below && above < end;)
		close(above);
}

/* Nothing of the other process is held open, and nothing is said. */
static void keep_only(int *fd, int n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), last = 2;

	for (int i = 0; i <= 2 && null >= 0; i++)
		dup2(null, i);
	for (int i = 1; i < n; i++)
		for (int k = i; k && fd[k - 1] > fd[k]; k--) {
			int t = fd[k];

			fd[k] = fd[k - 1];
			fd[k - 1] = t;
		}
	for (int i = 0; i < n; i++) {
		close_between(last, fd[i]);
		last = fd[i];
	}
	close_between(last, INT_MAX);
}

static _Noreturn void work(int in, int out, int status, enum scribe_unit unit,
			   const char *name)
{
	struct place pl = { .unit = unit, .whole = lseek(out, 0, SEEK_END) };
	int keep[] = { in, out, status }, rc;

	keep_only(keep, 3);
	prctl(PR_SET_NAME, name);
	/* Whoever ends the other process wants what it had to say. */
	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	pl.at = pl.whole;
	rc = copy(in, out, &pl);
	if (pl.at != pl.whole && ftruncate(out, pl.whole) && !rc)
		rc = -errno;
	if (close(out) && !rc)
		rc = -errno;
	_exit(write(status, &rc, sizeof(rc)) != sizeof(rc));
}

/* ---- in the other ---- */

/* It is nobody's child, so nobody has to wait for it. */
static int start(int in, int out, int status, enum scribe_unit unit,
		 const char *name)
{
	pid_t pid = fork(), rc;
	int how;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			work(in, out, status, unit, name);
		_exit(pid < 0 ? errno : 0);
	}
	do
		rc = waitpid(pid, &how, 0);
	while (rc < 0 && errno == EINTR);
	if (rc < 0 || !WIFEXITED(how))
		return 0; /* somebody else has asked, or it was killed */
	return -WEXITSTATUS(how);
}

static void close_both(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

int scribe_start(int file, enum scribe_unit unit, const char *name, int *status)
{
	int data[2], result[2], rc;

	if (pipe2(data, O_CLOEXEC))
		return -errno;
	if (pipe2(result, O_CLOEXEC)) {
		rc = -errno;
		close_both(data);
		return rc;
	}
	fcntl(data[1], F_SETPIPE_SZ, CHUNK); /* or as it is */
	rc = start(data[0], file, result[1], unit, name);
	close(data[0]);
	close(result[1]);
	if (!rc && (fcntl(data[1], F_SETFL, O_NONBLOCK) ||
		    fcntl(result[0], F_SETFL, O_NONBLOCK)))
		rc = -errno;
	if (rc) {
		close(data[1]);
		close(result[0]);
		return rc;
	}
	*status = result[0];
	return data[1];
}

int scribe_result(int status)
{
	int rc;
	ssize_t n = read(status, &rc, sizeof(rc));

	return n == sizeof(rc) ? rc : -EPIPE;
}
