// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * start - from the exec of a switch to the first frame that it forwards
 *
 * Two clients connect as soon as the control socket can be connected to; one
 * broadcasts, the other waits for it. The command must stay in the foreground
 * and gets a standard input that is silent and open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "load.h"

#define PATIENCE (5 * LOAD_SEC)

struct start {
	char **command;
	int input; /* read end of a pipe */
};

static void run(void *ctx)
{
	struct start *st = ctx;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (dup2(st->input, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	execv(st->command[0], st->command);
	_exit(EXIT_FAILURE);
}

static bool answers(const char *ctl)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	if (fd < 0 || str_copy(sa.sun_path, sizeof(sa.sun_path), ctl) < 0)
		die("unable to connect to %s", ctl);
	yes = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	close(fd);
	return yes;
}

/* The directory above is watched for the switch's, that one for "ctl"; in
 * between, and until listen(), a short sleep. */
static void await_ctl(const char *dir, int watch)
{
	uint64_t end = load_now() + PATIENCE;
	char ctl[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct pollfd p = { watch, POLLIN, 0 };

	if (str_fmt(ctl, sizeof(ctl), "%s/ctl", dir) < 0)
		die("unable to use %s: the path is too long", dir);
	poll(&p, 1, (int)(PATIENCE / LOAD_MS));
	while (!answers(ctl)) {
		if (load_now() > end)
			die("unable to connect to %s: no switch came", ctl);
		load_sleep(20000);
	}
}

static int watch_parent(const char *dir)
{
	char parent[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(dir, '/');
	int fd = inotify_init1(IN_CLOEXEC);

	if (!slash || str_copy(parent, sizeof(parent), dir) < 0)
		die("unable to use %s: not a path", dir);
	parent[slash - dir] = '\0';
	if (fd < 0 || inotify_add_watch(fd, parent, IN_CREATE) < 0)
		die("unable to watch %s: %s", parent, strerror(errno));
	return fd;
}

static void first_frame(const char *dir)
{
	VDECONN *a = load_open(dir), *b = load_open(dir);
	uint8_t frame[LOAD_FRAME_MAX];
	struct pollfd p = { vde_datafd(b), POLLIN, 0 };

	load_fill(frame, 64, LOAD_BROADCAST, LOAD_TX_ADDR);
	load_send(a, frame, 64);
	do {
		if (poll(&p, 1, (int)(PATIENCE / LOAD_MS)) <= 0)
			die("unable to get a frame through %s", dir);
	} while (!load_is_ours(frame, vde_recv(b, frame, sizeof(frame), 0)));
}

void start_mode(const struct load_options *o)
{
	struct start st = { .command = o->command };
	int watch = watch_parent(o->tx), input[2];
	uint64_t begin, ready, end;
	pid_t pid;

	if (!o->command[0])
		cli_usage("start needs a command");
	if (pipe2(input, O_CLOEXEC))
		die("unable to make a pipe: %s", strerror(errno));
	st.input = input[0];
	begin = load_now();
	pid = load_fork(run, &st);
	await_ctl(o->tx, watch);
	ready = load_now();
	first_frame(o->tx);
	end = load_now();
	load_kill(pid);
	printf("{\"first_frame_ms\": %.3f, \"listening_ms\": %.3f}\n",
	       (double)(end - begin) / 1e6, (double)(ready - begin) / 1e6);
}
