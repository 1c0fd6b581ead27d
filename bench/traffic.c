// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * traffic - frames per second that arrive
 *
 * One process sends, one receives on one or more connections; what arrived
 * within the time is counted, not what was sent. Without a window the sender
 * sends as fast as its connection lets it, and whatever cannot keep up loses
 * frames. With a window it stops while that many are on their way and is
 * woken by the receiver through a pipe each time half a window has arrived,
 * as a transport protocol would do it; frames that are missing when nothing
 * has arrived for LOST_MS are counted as lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "common/cli.h"
#include "load.h"

#define LOST_MS 50
#define EVENTS 64
#define RAW_BATCH 32
#define HELLO_FRAMES 4096

struct shared {
	struct counter sent, received, lost;
	struct counter tx_ready, rx_ready;
};

struct traffic {
	const struct load_options *o;
	struct shared *s;
	uint64_t stations; /* on each side, */
	uint64_t rx_addr, tx_addr; /* from these addresses on */
	int wake[2]; /* receiver to sender */
};

struct sample {
	uint64_t at, sent, received, lost, cpu;
};

/* ---- the sender ---- */

/* On their way to all receivers together. */
static uint64_t in_flight(const struct traffic *t)
{
	uint64_t copies = (uint64_t)t->o->ports * counter_get(&t->s->sent);
	uint64_t done = counter_get(&t->s->received) + counter_get(&t->s->lost);

	return copies > done ? copies - done : 0;
}

static void await_window(struct traffic *t)
{
	uint64_t window = (uint64_t)(t->o->window * t->o->ports);
	char junk[64];

	while (in_flight(t) >= window) {
		struct pollfd p = { t->wake[0], POLLIN, 0 };

		if (poll(&p, 1, LOST_MS) > 0)
			(void)!read(t->wake[0], junk, sizeof(junk));
		else
			counter_set(&t->s->lost,
				    counter_get(&t->s->lost) + in_flight(t));
	}
}

/* Stations in an order without a pattern (a linear congruence). */
static void next_stations(const struct traffic *t, uint64_t *state,
			  uint8_t *frame)
{
	uint64_t x = *state * UINT64_C(6364136223846793005) +
		     UINT64_C(1442695040888963407);

	*state = x;
	load_set_addrs(frame, t->rx_addr + (x >> 32) % t->stations,
		       t->tx_addr + (x >> 16 & UINT32_MAX) % t->stations);
}

static void transmit(void *ctx)
{
	struct traffic *t = ctx;
	uint8_t frame[LOAD_FRAME_MAX];
	size_t len = (size_t)t->o->len;
	VDECONN *c = load_open(t->o->tx);
	uint64_t state = 1;

	load_announce(c, t->tx_addr, t->stations);
	load_fill(frame, len, t->o->ports > 1 ? LOAD_BROADCAST : t->rx_addr,
		  t->tx_addr);
	counter_set(&t->s->tx_ready, 1);
	for (;;) {
		if (t->o->window)
			await_window(t);
		if (t->stations > 1)
			next_stations(t, &state, frame);
		load_send(c, frame, len);
		counter_inc(&t->s->sent);
	}
}

/* ---- the receiver ---- */

static void count(struct traffic *t, const uint8_t *frame, ssize_t n)
{
	uint64_t half = (uint64_t)(t->o->window * t->o->ports + 1) / 2;

	if (!load_is_ours(frame, n))
		return;
	counter_inc(&t->s->received);
	if (half && counter_get(&t->s->received) % half == 0)
		(void)!write(t->wake[1], "", 1);
}

static void receive_one(struct traffic *t, VDECONN *c)
{
	static uint8_t frame[LOAD_FRAME_MAX];
	ssize_t n = vde_recv(c, frame, sizeof(frame), 0);

	if (n <= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
		die("unable to receive: %s", n ? strerror(errno) : "hung up");
	count(t, frame, n);
}

/* As many as there are in one call, past the library. */
static void receive_raw(struct traffic *t, VDECONN *c)
{
	static uint8_t frames[RAW_BATCH][LOAD_FRAME_MAX];
	struct mmsghdr msg[RAW_BATCH] = { 0 };
	struct iovec iov[RAW_BATCH];
	int n;

	for (int i = 0; i < RAW_BATCH; i++) {
		iov[i] = (struct iovec){ frames[i], LOAD_FRAME_MAX };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(vde_datafd(c), msg, RAW_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		count(t, frames[i], (ssize_t)msg[i].msg_len);
}

static void receive_many(struct traffic *t, VDECONN **conns)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev[EVENTS];

	for (int64_t i = 0; i < t->o->ports; i++) {
		ev[0] = (struct epoll_event){ .events = EPOLLIN,
					      .data.ptr = conns[i] };
		if (epoll_ctl(ep, EPOLL_CTL_ADD, vde_datafd(conns[i]), ev))
			die("unable to poll: %s", strerror(errno));
	}
	counter_set(&t->s->rx_ready, 1);
	for (;;) {
		int n = epoll_wait(ep, ev, EVENTS, -1);

		for (int i = 0; i < n; i++)
			(t->o->raw ? receive_raw : receive_one)(t,
								ev[i].data.ptr);
	}
}

/* One station speaks now and then, as a real one would: VDE 2 forgets all
 * addresses whenever somebody connects. */
static void receive_stream(struct traffic *t, VDECONN *c)
{
	for (;;) {
		for (int i = 0; i < HELLO_FRAMES; i++)
			receive_one(t, c);
		if (t->stations == 1)
			load_learn(c, t->rx_addr, 1);
	}
}

static void receive(void *ctx)
{
	struct traffic *t = ctx;
	size_t n = (size_t)t->o->ports;
	VDECONN **conns = calloc(n, sizeof(VDECONN *));

	if (!conns)
		die("unable to start: %s", strerror(ENOMEM));
	for (size_t i = 0; i < n; i++)
		conns[i] = load_open(t->o->rx);
	load_announce(conns[0], t->rx_addr, t->stations);
	if (n > 1)
		receive_many(t, conns);
	counter_set(&t->s->rx_ready, 1);
	receive_stream(t, conns[0]);
}

/* ---- the measurement ---- */

static struct sample sample(const struct traffic *t)
{
	return (struct sample){ load_now(), counter_get(&t->s->sent),
				counter_get(&t->s->received),
				counter_get(&t->s->lost),
				load_cpu((pid_t)t->o->pid) };
}

static void print(const struct sample *a, const struct sample *b)
{
	double secs = (double)(b->at - a->at) / (double)LOAD_SEC;
	double frames = (double)(b->received - a->received);

	printf("{\"received_per_s\": %.1f, \"sent_per_s\": %.1f, "
	       "\"lost_per_s\": %.1f, \"cpu_ns_per_frame\": %.1f}\n",
	       frames / secs, (double)(b->sent - a->sent) / secs,
	       (double)(b->lost - a->lost) / secs,
	       frames > 0 ? (double)(b->cpu - a->cpu) / frames : 0.0);
}

void traffic_mode(const struct load_options *o)
{
	struct traffic t = { .o = o,
			     .stations = (uint64_t)o->addresses / 2,
			     .rx_addr = LOAD_RX_ADDR + (uint64_t)o->first,
			     .tx_addr = LOAD_TX_ADDR + (uint64_t)o->first };
	struct sample first, last;
	pid_t rx, tx;

	t.s = load_shared(sizeof(*t.s));
	if (pipe2(t.wake, O_CLOEXEC | O_NONBLOCK))
		die("unable to make a pipe: %s", strerror(errno));
	rx = load_fork(receive, &t);
	load_await(&t.s->rx_ready, 1);
	tx = load_fork(transmit, &t);
	load_await(&t.s->tx_ready, 1);
	load_sleep((uint64_t)o->warmup_ms * LOAD_MS);
	first = sample(&t);
	load_sleep((uint64_t)o->ms * LOAD_MS);
	last = sample(&t);
	load_kill(tx);
	load_kill(rx);
	print(&first, &last);
}
