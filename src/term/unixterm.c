// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unixterm - copy standard input to a unix socket and the socket to standard
 * output, byte for byte
 *
 * Two independent directions, each with a buffer of its own, so that one
 * that is stuck does not hold up the other. A descriptor that may be a pipe
 * is written PIECE bytes at a time, and only when poll() says so: then a
 * blocking write returns at once.
 *
 * When standard input ends, the socket is shut down for writing and what the
 * server still says is copied, until it hangs up or is silent for DRAIN_MS:
 * the answer to the last line is not lost, and a server that keeps the
 * connection does not keep us.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/log.h"
#include "common/unixsock.h"

#define CONNECT_MS 10000
#define DRAIN_MS 2000
#define PIECE PIPE_BUF

struct way {
	int from, to;
	const char *from_name, *to_name;
	bool to_socket;
	bool over; /* @from has ended */
	size_t begin, end; /* of what waits in @buf */
	char buf[64 * 1024];
};

static void fill(struct way *w)
{
	ssize_t n = read(w->from, w->buf, sizeof(w->buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0 && errno != ECONNRESET && errno != EIO)
		die("unable to read %s: %s", w->from_name, strerror(errno));
	w->begin = 0;
	w->end = n > 0 ? (size_t)n : 0;
	w->over = n <= 0;
}

static void drain(struct way *w)
{
	size_t left = w->end - w->begin;
	ssize_t n;

	if (w->to_socket)
		n = send(w->to, w->buf + w->begin, left,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		n = write(w->to, w->buf + w->begin,
			  left < PIECE ? left : PIECE);
	if (n > 0) {
		w->begin += (size_t)n;
	} else if (w->to_socket && (errno == EPIPE || errno == ECONNRESET)) {
		w->begin = w->end; /* nobody listens: the other way ends too */
		w->over = true;
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		die("unable to write %s: %s", w->to_name, strerror(errno));
	}
}

static bool waiting(const struct way *w)
{
	return w->begin < w->end;
}

/* What to wait for on both ends of a way: room for what waits, else more. */
static void ask(const struct way *w, struct pollfd *from, struct pollfd *to)
{
	bool full = waiting(w);

	*from = (struct pollfd){ w->over || full ? -1 : w->from, POLLIN, 0 };
	*to = (struct pollfd){ full ? w->to : -1, POLLOUT, 0 };
}

static void copy(struct way *up, struct way *down)
{
	struct pollfd p[4];
	bool told = false;
	int n;

	while (!down->over || waiting(down)) {
		if (up->over && !waiting(up) && !told) {
			shutdown(up->to, SHUT_WR);
			told = true;
		}
		ask(up, &p[0], &p[1]);
		ask(down, &p[2], &p[3]);
		n = poll(p, 4, told && !waiting(down) ? DRAIN_MS : -1);
		if (n < 0 && errno != EINTR)
			die("unable to wait: %s", strerror(errno));
		if (n == 0)
			return;
		if (n < 0)
			continue;
		if (p[0].revents)
			fill(up);
		if (p[2].revents)
			fill(down);
		if (p[1].revents && !down->over)
			drain(up);
		if (p[3].revents)
			drain(down);
	}
}

static const struct cli cli = {
	.synopsis = "[OPTION]... SOCK",
	.about = "Copy standard input to the unix socket SOCK, and what comes "
		 "from it to\nstandard output.",
};

int main(int argc, char **argv)
{
	static struct way up = { .from = STDIN_FILENO,
				 .from_name = "standard input",
				 .to_socket = true };
	static struct way down = { .to = STDOUT_FILENO,
				   .to_name = "standard output" };
	int i, fd;

	log_open(argv[0], LOG_NOTICE);
	i = cli_parse(&cli, argc, argv, NULL);
	if (argc - i != 1)
		cli_usage(i == argc ? "no socket named"
				    : "more than one socket named");
	fd = unixsock_connect_within(argv[i], CONNECT_MS);
	if (fd < 0)
		die("unable to connect to %s: %s", argv[i], strerror(-fd));
	up.to = down.from = fd;
	up.to_name = down.from_name = argv[i];
	copy(&up, &down);
	return EXIT_SUCCESS;
}
