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
 *
 * At the end, with the receivers still connected and everything read, the
 * memory of the switch is looked at.
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
#include "lib/libvdeplug_batch.h"
#include "load.h"

/* Debian's library does not have them. */
#pragma weak vde_recv_batch
#pragma weak vde_send_batch
#pragma weak vde_sendfd

#define LOST_MS 50
#define EVENTS 64
#define BATCH 32
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

static void fill(const struct traffic *t, uint8_t *frame)
{
	load_fill(frame, (size_t)t->o->len,
		  t->o->ports > 1 ? LOAD_BROADCAST : t->rx_addr, t->tx_addr);
}

static void transmit_batches(struct traffic *t, VDECONN *c)
{
	uint8_t frame[LOAD_FRAME_MAX];
	struct vde_frame batch[BATCH];

	fill(t, frame);
	for (size_t i = 0; i < BATCH; i++)
		batch[i] = (struct vde_frame){ .data = frame,
					       .len = (size_t)t->o->len };
	for (;;) {
		struct pollfd p;
		int n = vde_send_batch(c, batch, BATCH);

		if (n < 0 && n != -EAGAIN)
			die("unable to send: %s", strerror(-n));
		counter_add(&t->s->sent, (uint64_t)(n < 0 ? 0 : n));
		if (n == BATCH)
			continue;
		p.fd = vde_sendfd(c, &p.events);
		poll(&p, 1, 10);
	}
}

static void transmit(void *ctx)
{
	struct traffic *t = ctx;
	uint8_t frame[LOAD_FRAME_MAX];
	size_t len = (size_t)t->o->len;
	VDECONN *c = load_open(t->o->tx);
	uint64_t state = 1;

	load_announce(c, t->tx_addr, t->stations);
	fill(t, frame);
	counter_set(&t->s->tx_ready, 1);
	if (t->o->batch)
		transmit_batches(t, c);
	for (;;) {
		if (t->o->window)
			await_window(t);
		if (t->stations > 1)
			next_stations(t, &state, frame);
		load_send(c, frame, len);
		counter_add(&t->s->sent, 1);
	}
}

/* ---- the receiver ---- */

static void count(struct traffic *t, const uint8_t *frame, ssize_t n)
{
	uint64_t half = (uint64_t)(t->o->window * t->o->ports + 1) / 2;

	if (!load_is_ours(frame, n))
		return;
	counter_add(&t->s->received, 1);
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
	static uint8_t frames[BATCH][LOAD_FRAME_MAX];
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ frames[i], LOAD_FRAME_MAX };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(vde_datafd(c), msg, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		count(t, frames[i], (ssize_t)msg[i].msg_len);
}

/* One call of poll() and one of vde_recv() for each frame, as emulators do. */
static void receive_polled(struct traffic *t, VDECONN *c)
{
	struct pollfd p = { vde_datafd(c), POLLIN, 0 };

	if (poll(&p, 1, -1) > 0)
		receive_one(t, c);
}

static void receive_batch(struct traffic *t, VDECONN *c)
{
	static uint8_t frames[BATCH][LOAD_FRAME_MAX];
	struct vde_frame batch[BATCH];
	struct pollfd p = { vde_datafd(c), POLLIN, 0 };
	int n;

	for (int i = 0; i < BATCH; i++)
		batch[i] = (struct vde_frame){ .data = frames[i],
					       .len = LOAD_FRAME_MAX };
	n = vde_recv_batch(c, batch, BATCH);
	if (n == -EAGAIN)
		poll(&p, 1, -1);
	else if (n <= 0)
		die("unable to receive: %s", n ? strerror(-n) : "hung up");
	for (int i = 0; i < n; i++)
		count(t, frames[i], (ssize_t)batch[i].len);
}

typedef void receive_fn(struct traffic *, VDECONN *);

static receive_fn *how_to_receive(const struct load_options *o)
{
	if (o->batch)
		return receive_batch;
	if (o->raw)
		return receive_raw;
	return o->poll ? receive_polled : receive_one;
}

static void receive_many(struct traffic *t, VDECONN **conns)
{
	receive_fn *how = how_to_receive(t->o);
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
			how(t, ev[i].data.ptr);
	}
}

/* One station speaks now and then, as a real one would: VDE 2 forgets all
 * addresses whenever somebody connects. */
static void receive_stream(struct traffic *t, VDECONN *c)
{
	receive_fn *how = how_to_receive(t->o);

	for (;;) {
		for (int i = 0; i < HELLO_FRAMES; i++)
			how(t, c);
		if (t->stations == 1)
			load_learn(c, t->rx_addr, 1);
	}
}

static void receive(void *ctx)
{
	struct traffic *t = ctx;
	size_t n = (size_t)t->o->ports;
	static VDECONN **conns;

	conns = calloc(n, sizeof(VDECONN *));
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

static void print(const struct sample *a, const struct sample *b, double rss_mb)
{
	double secs = (double)(b->at - a->at) / (double)LOAD_SEC;
	double frames = (double)(b->received - a->received);

	printf("{\"received_per_s\": %.1f, \"sent_per_s\": %.1f, "
	       "\"lost_per_s\": %.1f, \"cpu_ns_per_frame\": %.1f, "
	       "\"rss_mb\": %.3f}\n",
	       frames / secs, (double)(b->sent - a->sent) / secs,
	       (double)(b->lost - a->lost) / secs,
	       frames > 0 ? (double)(b->cpu - a->cpu) / frames : 0.0, rss_mb);
}

void traffic_mode(const struct load_options *o)
{
	struct traffic t = { .o = o,
			     .stations = (uint64_t)o->addresses / 2,
			     .rx_addr = LOAD_RX_ADDR + (uint64_t)o->first,
			     .tx_addr = LOAD_TX_ADDR + (uint64_t)o->first };
	struct sample first, last;
	double rss_mb;
	pid_t rx, tx;

	if (o->batch && !vde_recv_batch)
		die("unable to measure: the library has no calls for batches");
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
	if (o->pid)
		load_sleep((uint64_t)o->drain_ms * LOAD_MS);
	rss_mb = load_rss_mb((pid_t)o->pid);
	load_kill(rx);
	print(&first, &last, rss_mb);
}
