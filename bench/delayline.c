// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delayline - the least that delays frames, to measure others by
 *
 *	delayline MICROSECONDS [LEFT RIGHT]
 *
 * Frames of the left side leave on the right one so much later: read, kept in
 * their order, waited for with epoll_pwait2(), written, no more. The sides are
 * pipes as dpipe gives them, or switches. From right to left nothing is
 * delayed, nor looked at. Whatever this machine does to timers and to wakeups
 * it does to this program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/stream.h"
#include "common/cli.h"
#include "common/log.h"
#include "lib/libvdeplug.h"

#define SEC UINT64_C(1000000000)
#define SLOTS ((size_t)1 << 17) /* frames on their way; a power of two */
#define SLOT_SIZE 1536
#define BUF ((size_t)1 << 16)
#define RIGHT_OUT 4 /* of a chain */

struct slot {
	uint64_t due;
	size_t len;
	uint8_t data[SLOT_SIZE - 16];
};

struct line {
	uint64_t delay;
	struct slot *slots;
	size_t in, out; /* counted for ever */
	struct stream rx, tx;
	VDECONN *left, *right; /* or NULL */
	int input;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

static void keep(struct line *l, const uint8_t *data, size_t len, uint64_t now)
{
	struct slot *s = &l->slots[l->in & (SLOTS - 1)];

	if (len > sizeof(s->data) || l->in - l->out == SLOTS)
		die("unable to keep a frame of %zu bytes", len);
	s->due = now + l->delay;
	s->len = len;
	memcpy(s->data, data, len);
	l->in++;
}

static void take_stream(struct line *l, uint64_t now)
{
	size_t room, len;
	uint8_t *p = stream_space(&l->rx, &room);
	const uint8_t *frame;
	ssize_t n = read(l->input, p, room);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		exit(EXIT_SUCCESS);
	stream_fill(&l->rx, (size_t)n);
	while ((frame = stream_next(&l->rx, &len)))
		keep(l, frame, len, now);
}

static void take_conn(struct line *l, uint64_t now)
{
	uint8_t frame[VDE_ETHBUFSIZE];
	ssize_t n;

	while ((n = vde_recv(l->left, frame, sizeof(frame), MSG_DONTWAIT)) > 1)
		keep(l, frame, (size_t)n, now);
	if (n == 0)
		exit(EXIT_SUCCESS);
}

static void write_out(struct line *l)
{
	size_t len;
	const uint8_t *p;
	ssize_t n;

	while (p = stream_pending(&l->tx, &len), len) {
		n = write(RIGHT_OUT, p, len);
		if (n < 0)
			exit(EXIT_SUCCESS);
		stream_sent(&l->tx, (size_t)n);
	}
}

static void let_out(struct line *l, uint64_t now)
{
	while (l->out != l->in) {
		struct slot *s = &l->slots[l->out & (SLOTS - 1)];

		if (s->due > now)
			break;
		if (l->right) {
			vde_send(l->right, s->data, s->len, 0);
		} else if (!stream_add(&l->tx, s->data, s->len)) {
			write_out(l);
			continue;
		}
		l->out++;
	}
	write_out(l);
}

/* Or until a frame is due: false. */
static bool wait_for_input(const struct line *l, int epfd)
{
	struct epoll_event ev;
	struct timespec ts, *timeout = NULL;
	uint64_t due, now;

	if (l->out != l->in) {
		due = l->slots[l->out & (SLOTS - 1)].due;
		now = now_ns();
		due = due > now ? due - now : 0;
		ts = (struct timespec){ (time_t)(due / SEC),
					(long)(due % SEC) };
		timeout = &ts;
	}
	return epoll_pwait2(epfd, &ev, 1, timeout, NULL) > 0;
}

static VDECONN *open_side(char *locator)
{
	VDECONN *c = vde_open(locator, (char[]){ "delayline" }, NULL);

	if (!c)
		die("unable to connect to %s: %s", locator, strerror(errno));
	return c;
}

static void init(struct line *l, char **sides)
{
	uint8_t *buf = malloc(4 * BUF);

	l->slots = calloc(SLOTS, sizeof(*l->slots));
	if (!l->slots || !buf)
		die("unable to allocate");
	stream_init(&l->rx, buf, 2 * BUF, STREAM_FRAME_MAX);
	stream_init(&l->tx, buf + 2 * BUF, 2 * BUF, STREAM_FRAME_MAX);
	if (sides) {
		l->left = open_side(sides[0]);
		l->right = open_side(sides[1]);
		l->input = vde_datafd(l->left);
	} else {
		l->input = STDIN_FILENO;
		fcntl(l->input, F_SETFL, O_NONBLOCK);
	}
}

int main(int argc, char **argv)
{
	struct line l = { 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	int64_t us;
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	uint64_t now;
	bool readable;

	log_open(argv[0], LOG_NOTICE);
	if ((argc != 2 && argc != 4) || !parse_num(argv[1], 0, 10000000, &us))
		cli_usage("MICROSECONDS [LEFT RIGHT] are needed");
	prctl(PR_SET_TIMERSLACK, 1);
	l.delay = (uint64_t)us * 1000;
	init(&l, argc == 4 ? argv + 2 : NULL);
	if (epfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, l.input, &ev) < 0)
		die("unable to wait: %s", strerror(errno));
	for (;;) {
		readable = wait_for_input(&l, epfd);
		now = now_ns();
		if (readable && l.left)
			take_conn(&l, now);
		else if (readable)
			take_stream(&l, now);
		let_out(&l, now);
	}
}
