/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tunnel_many - a server and a thousand clients on one clock
 *
 * All call at the same moment, from one host; then nobody says anything for a
 * while; then the server restarts and all call again. The server's processor
 * time and memory are measured, the clients' are not.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "base/util.h"
#include "cryptcab/noise.h"
#include "cryptcab/tunnel.h"
#include "test.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define SERVER 1000
#define RING 16384
#define DELAY (10 * MS)

#if defined(__SANITIZE_ADDRESS__)
#define IDLE (30 * S)
#else
#define IDLE (150 * S) /* a renewal, too */
#endif

struct dgram {
	uint64_t due;
	uint16_t from, to;
	uint16_t len;
	uint8_t p[1472];
};

static struct {
	uint64_t now;
	struct rng rng;
	struct tunnel *t[SERVER + 1];
	struct tunnel_peer *peer[SERVER + 1];
	uint8_t key[SERVER + 1][32], pub[SERVER + 1][32];
	struct dgram *ring;
	uint32_t head, tail, dropped;
	uint32_t up;
	size_t memory;
	double cpu;
} w;

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void many_random(void *ctx, void *p, size_t len)
{
	uint8_t *b = p;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)rng_u64(&w.rng);
}

static struct tunnel_addr addr_of(uint32_t i)
{
	/* One host, a port for each. */
	return (struct tunnel_addr){
		3, 1, { i == SERVER, (uint8_t)(i >> 8), (uint8_t)i }
	};
}

static void many_send(void *ctx, const struct tunnel_addr *to, const uint8_t *p,
		      size_t len, bool probe)
{
	uint32_t from = (uint32_t)((struct tunnel **)ctx - w.t);
	struct dgram *d = &w.ring[w.head % RING];

	(void)probe;
	if (w.head - w.tail == RING || len > sizeof(d->p)) {
		w.dropped++;
		return;
	}
	d->due = w.now + DELAY;
	d->from = (uint16_t)from;
	d->to = to->b[0] ? SERVER : (uint16_t)(to->b[1] << 8 | to->b[2]);
	d->len = (uint16_t)len;
	memcpy(d->p, p, len);
	w.head++;
}

static void many_frame(void *ctx, struct tunnel_peer *p, uint8_t *frame,
		       size_t len, const struct tunnel_meta *meta)
{
	(void)ctx;
	(void)p;
	(void)frame;
	(void)len;
	(void)meta;
}

static void many_event(void *ctx, struct tunnel_peer *p, enum tunnel_event ev,
		       const uint8_t key[static TUNNEL_KEY_LEN],
		       const struct tunnel_addr *addr)
{
	(void)p;
	(void)key;
	(void)addr;
	if ((struct tunnel **)ctx == &w.t[SERVER])
		w.up += ev == TUNNEL_UP;
}

static const struct tunnel_ops ops = {
	.random = many_random,
	.send = many_send,
	.frame = many_frame,
	.event = many_event,
};

static void *counted(size_t size)
{
	w.memory += size;
	return calloc(1, size);
}

static void open_one(uint32_t i)
{
	struct tunnel_config c;

	tunnel_defaults(&c);
	c.ops = &ops;
	c.ctx = &w.t[i];
	c.key = w.key[i];
	c.stamp_base = UINT64_C(1700000000) * S;
	if (i == SERVER) {
		c.alloc = counted;
	} else {
		c.max_peers = 1;
		c.partial_max = 1;
	}
	CHECK(tunnel_new(&w.t[i], &c) == 0);
}

static void know(uint32_t i, uint32_t j)
{
	struct tunnel_addr addr = addr_of(j);
	const struct tunnel_peer_config pc = {
		.key = w.pub[j],
		.active = i != SERVER,
		.addr = i != SERVER ? &addr : NULL,
	};
	struct tunnel_peer *p;

	CHECK(tunnel_peer_add(w.t[i], &pc, w.now, &p) == 0);
	w.peer[i] = p;
}

static void open_server(void)
{
	w.memory = 0;
	w.up = 0;
	open_one(SERVER);
	for (uint32_t i = 0; i < SERVER; i++)
		know(SERVER, i);
}

static void arrive(struct dgram *d)
{
	struct tunnel_addr from = addr_of(d->from);
	double at;

	if (d->to != SERVER) {
		tunnel_recv(w.t[d->to], &from, d->p, d->len, 0, w.now);
		return;
	}
	at = seconds();
	tunnel_recv(w.t[SERVER], &from, d->p, d->len, 0, w.now);
	w.cpu += seconds() - at;
}

/* Clients' clocks are looked at every ten milliseconds. */
static void run(uint64_t ns)
{
	uint64_t end = w.now + ns;
	double at;

	while (w.now < end) {
		w.now += MS;
		while (w.tail != w.head && w.ring[w.tail % RING].due <= w.now)
			arrive(&w.ring[w.tail++ % RING]);
		for (uint32_t i = 0; w.now % (10 * MS) == 0 && i < SERVER; i++)
			if (tunnel_next(w.t[i]) <= w.now)
				tunnel_tick(w.t[i], w.now);
		at = seconds();
		if (tunnel_next(w.t[SERVER]) <= w.now) {
			tunnel_tick(w.t[SERVER], w.now);
			w.cpu += seconds() - at;
		}
	}
}

static uint32_t alive(void)
{
	struct tunnel_info in;
	uint32_t n = 0;

	for (uint32_t i = 0; i < SERVER; i++) {
		tunnel_peer_info(w.peer[i], w.now, &in);
		n += in.alive;
	}
	return n;
}

static uint64_t until_all_are_up(void)
{
	uint64_t start = w.now;

	while (w.up < SERVER && w.now < start + 60 * S)
		run(10 * MS);
	return (w.now - start) / MS;
}

static void a_thousand_clients_get_in_within_ten_seconds(void)
{
	uint64_t ms;

	for (uint32_t i = 0; i <= SERVER; i++) {
		memset(w.key[i], 1, 32);
		w.key[i][1] = (uint8_t)i;
		w.key[i][2] = (uint8_t)(i >> 8);
		CHECK(noise_public(w.pub[i], w.key[i]));
	}
	open_server();
	for (uint32_t i = 0; i < SERVER; i++) {
		open_one(i);
		know(i, SERVER);
	}
	ms = until_all_are_up();
	printf("# all are up after %llu ms, %.3f s of the processor\n",
	       (unsigned long long)ms, w.cpu);
	CHECK(ms < 10000 && alive() == SERVER && w.dropped == 0);
}

static void idle_they_cost_little(void)
{
	run(10 * S);
	w.cpu = 0;
	run(IDLE);
	printf("# idle: %.3f %% of a core, %zu bytes for keys and sessions\n",
	       w.cpu / ((double)IDLE / (double)S) * 100, w.memory);
	CHECK(w.cpu < (double)IDLE / (double)S / 100);
	CHECK(w.memory < 10000000);
	CHECK(alive() == SERVER && w.up == SERVER);
}

static void all_come_back_within_ten_seconds_of_a_restart(void)
{
	const struct tunnel_addr addr = addr_of(SERVER);
	uint64_t ms;

	tunnel_free(w.t[SERVER]);
	open_server();
	for (uint32_t i = 0; i < SERVER; i++)
		CHECK(tunnel_peer_call(w.peer[i], &addr, w.now) == 0);
	ms = until_all_are_up();
	printf("# again after %llu ms\n", (unsigned long long)ms);
	CHECK(ms < 10000 && alive() == SERVER);
	for (uint32_t i = 0; i <= SERVER; i++)
		tunnel_free(w.t[i]);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	rng_init(&w.rng, 1);
	w.now = 1000 * S;
	w.ring = calloc(RING, sizeof(w.ring[0]));
	if (!w.ring)
		return 1;
	RUN(a_thousand_clients_get_in_within_ten_seconds);
	RUN(idle_they_cost_little);
	RUN(all_come_back_within_ten_seconds_of_a_restart);
	free(w.ring);
	DONE();
}
