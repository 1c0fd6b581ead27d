// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pingpong - the time of a round trip: one frame to a client that sends it
 * back, again and again. On a busy switch frames get lost: after LOST_MS the
 * next one is sent, and the trip counts as that long.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "common/cli.h"
#include "load.h"

#define SAMPLES_MAX (1u << 20)
#define LOST_MS 100

struct pingpong {
	const struct load_options *o;
	struct counter *ready;
};

/* The next frame to @addr; false if none came for LOST_MS. */
static bool next_frame(VDECONN *c, uint8_t *frame, uint64_t addr)
{
	uint64_t end = load_now() + LOST_MS * LOAD_MS;
	struct pollfd p = { vde_datafd(c), POLLIN, 0 };
	ssize_t n;

	for (;;) {
		if (load_now() > end || !poll(&p, 1, LOST_MS))
			return false;
		n = vde_recv(c, frame, LOAD_FRAME_MAX, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			die("unable to receive: %s", strerror(errno));
		if (load_is_ours(frame, n) && ether_addr(frame) == addr)
			return true;
	}
}

static void echo(void *ctx)
{
	struct pingpong *pp = ctx;
	VDECONN *c = load_open(pp->o->rx);
	uint8_t frame[LOAD_FRAME_MAX];

	load_announce(c, LOAD_RX_ADDR, 1);
	counter_set(pp->ready, 1);
	for (;;) {
		if (!next_frame(c, frame, LOAD_RX_ADDR))
			continue;
		load_set_addrs(frame, LOAD_TX_ADDR, LOAD_RX_ADDR);
		load_send(c, frame, (size_t)pp->o->len);
	}
}

static uint64_t round_trip(VDECONN *c, uint8_t *frame, size_t len)
{
	uint64_t start = load_now();

	load_fill(frame, len, LOAD_RX_ADDR, LOAD_TX_ADDR);
	load_send(c, frame, len);
	next_frame(c, frame, LOAD_TX_ADDR);
	return load_now() - start;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void load_print_trips(uint32_t *rtt, size_t n, uint64_t cpu)
{
	uint32_t p50, p99;

	if (!n)
		die("unable to measure: no round trip in the time");
	qsort(rtt, n, sizeof(*rtt), compare);
	p50 = rtt[n / 2];
	p99 = rtt[n * 99 / 100];
	printf("{\"p50_us\": %.3f, \"p99_us\": %.3f, \"trips\": %zu, "
	       "\"cpu_us_each\": %.3f}\n",
	       (double)p50 / 1e3, (double)p99 / 1e3, n,
	       (double)cpu / 1e3 / (double)n);
}

void pingpong_mode(const struct load_options *o)
{
	struct pingpong pp = { o, load_shared(sizeof(struct counter)) };
	uint32_t *rtt = malloc(SAMPLES_MAX * sizeof(*rtt));
	uint8_t frame[LOAD_FRAME_MAX];
	size_t n = 0, len = (size_t)o->len;
	uint64_t begin, end, cpu;
	pid_t pid;
	VDECONN *c;

	if (!rtt)
		die("unable to start: %s", strerror(ENOMEM));
	pid = load_fork(echo, &pp);
	load_await(pp.ready, 1);
	c = load_open(o->tx);
	load_announce(c, LOAD_TX_ADDR, 1);
	begin = load_now() + (uint64_t)o->warmup_ms * LOAD_MS;
	while (load_now() < begin)
		round_trip(c, frame, len);
	end = begin + (uint64_t)o->ms * LOAD_MS;
	cpu = load_cpu((pid_t)o->pid);
	while (n < SAMPLES_MAX && load_now() < end)
		rtt[n++] = (uint32_t)round_trip(c, frame, len);
	cpu = load_cpu((pid_t)o->pid) - cpu;
	load_kill(pid);
	vde_close(c);
	load_print_trips(rtt, n, cpu);
	free(rtt);
}
