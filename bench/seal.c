/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sealbench - what the engine of the encrypted cable costs by itself
 *
 * Two tunnels in one process, no sockets: frames sealed and opened a second,
 * for each cipher and length, and handshakes a second (both sides of each).
 * bench/run does not call it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "cryptcab/noise.h"
#include "cryptcab/tunnel.h"

#define BATCH 64
#define SLOT 2048
#define ROUNDS 5
#define MSEC UINT64_C(1000000)

struct side {
	struct tunnel *t;
	struct tunnel_peer *peer;
	struct tunnel_addr addr;
	uint8_t pub[32];
	struct side *other;
	uint64_t frames, sessions;
};

/* What one side says is kept until the other one reads it: a call within a
 * call would not be how a program does it. */
static struct {
	struct side *to;
	size_t len;
	uint8_t p[SLOT];
} said[16];
static unsigned int n_said;
static struct rng rng;
static uint64_t now = 1000 * MSEC;

static void bench_random(void *ctx, void *p, size_t len)
{
	uint8_t *b = p;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)rng_u64(&rng);
}

static void bench_send(void *ctx, const struct tunnel_addr *to,
		       const uint8_t *p, size_t len, bool probe)
{
	struct side *s = ctx;

	(void)to;
	(void)probe;
	if (n_said == 16 || len > SLOT)
		return;
	said[n_said].to = s->other;
	said[n_said].len = len;
	memcpy(said[n_said++].p, p, len);
}

static void bench_frame(void *ctx, struct tunnel_peer *p, uint8_t *frame,
			size_t len, const struct tunnel_meta *meta)
{
	struct side *s = ctx;

	(void)p;
	(void)frame;
	(void)len;
	(void)meta;
	s->frames++;
}

static void bench_event(void *ctx, struct tunnel_peer *p, enum tunnel_event ev,
			const uint8_t key[static TUNNEL_KEY_LEN],
			const struct tunnel_addr *addr)
{
	struct side *s = ctx;

	(void)p;
	(void)key;
	(void)addr;
	s->sessions += ev == TUNNEL_UP || ev == TUNNEL_REKEYED;
}

static const struct tunnel_ops ops = {
	.random = bench_random,
	.send = bench_send,
	.frame = bench_frame,
	.event = bench_event,
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void talk(void)
{
	while (n_said) {
		uint8_t buf[SLOT];
		struct side *to = said[0].to;
		size_t len = said[0].len;

		memcpy(buf, said[0].p, len);
		memmove(&said[0], &said[1], --n_said * sizeof(said[0]));
		tunnel_recv(to->t, &to->other->addr, buf, len, 0, now);
	}
}

static void open_both(struct side s[static 2], uint32_t ciphers)
{
	uint8_t key[2][32];
	int i;

	for (i = 0; i < 2; i++) {
		struct tunnel_config c;

		memset(&s[i], 0, sizeof(s[i]));
		s[i].other = &s[!i];
		s[i].addr = (struct tunnel_addr){ 1, 1, { (uint8_t)i } };
		memset(key[i], 1 + i, 32);
		tunnel_defaults(&c);
		c.ops = &ops;
		c.ctx = &s[i];
		c.key = key[i];
		c.ciphers = ciphers;
		c.handshake_rate = 1000000;
		c.rekey_packets = UINT64_C(1) << 40;
		c.reject_packets = UINT64_C(1) << 41;
		if (!noise_public(s[i].pub, key[i]) ||
		    tunnel_new(&s[i].t, &c) < 0)
			exit(1);
	}
	for (i = 1; i >= 0; i--) {
		const struct tunnel_peer_config pc = {
			.key = s[!i].pub,
			.active = i == 0,
			.addr = i == 0 ? &s[1].addr : NULL,
		};

		if (tunnel_peer_add(s[i].t, &pc, now, &s[i].peer) < 0)
			exit(1);
	}
	/* A call, then a probe of the path's length. */
	for (i = 0; i < 4; i++) {
		now += MSEC;
		tunnel_tick(s[0].t, now);
		talk();
	}
}

static void close_both(struct side s[static 2])
{
	tunnel_free(s[0].t);
	tunnel_free(s[1].t);
}

/* Nanoseconds of a frame: to seal it, to open it; the best of some rounds. */
static void measure(struct side s[static 2], uint32_t len, double ns[static 2])
{
	static uint8_t buf[BATCH][SLOT];
	struct tunnel_packet pk[BATCH];
	uint32_t batches = 200000000 / (len + 200) / BATCH;
	double at, took[2];
	int i;

	ns[0] = ns[1] = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		took[0] = took[1] = 0;
		for (uint32_t b = 0; b < batches; b++) {
			for (i = 0; i < BATCH; i++)
				pk[i] = (struct tunnel_packet){
					buf[i] + TUNNEL_HEAD, len, TUNNEL_TAIL,
					0
				};
			at = seconds();
			if (tunnel_seal(s[0].peer, pk, BATCH, now) != BATCH)
				exit(1);
			took[0] += seconds() - at;
			at = seconds();
			for (i = 0; i < BATCH; i++)
				tunnel_recv(s[1].t, &s[0].addr, pk[i].data,
					    pk[i].len, 0, now);
			took[1] += seconds() - at;
		}
		for (i = 0; i < 2; i++) {
			took[i] *= 1e9 / ((double)batches * BATCH);
			ns[i] = took[i] < ns[i] ? took[i] : ns[i];
		}
	}
}

static void handshakes(void)
{
	enum {
		MANY = 500
	};
	struct side s[2];
	double at;

	open_both(s, 1U << AEAD_CHACHAPOLY);
	s[1].sessions = 0;
	at = seconds();
	for (int i = 0; i < MANY; i++) {
		now += 30 * MSEC;
		tunnel_peer_call(s[0].peer, &s[1].addr, now);
		tunnel_tick(s[0].t, now);
		talk();
	}
	at = seconds() - at;
	printf("handshakes: %.0f a second, both sides on one core (%llu)\n",
	       MANY / at, (unsigned long long)s[1].sessions);
	close_both(s);
}

int main(void)
{
	static const uint32_t len[] = { 64, 1400 };
	double ns[2];

	if (sodium_init() < 0)
		return 1;
	rng_init(&rng, 1);
	printf("%-12s %6s %14s %14s %12s %12s\n", "cipher", "bytes", "sealed/s",
	       "opened/s", "seal Gbit/s", "open Gbit/s");
	for (uint32_t c = 0; c < AEAD_N_CIPHERS; c++) {
		if (!aead_available((enum aead_cipher)c))
			continue;
		for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
			struct side s[2];

			open_both(s, 1U << c);
			measure(s, len[i], ns);
			printf("%-12s %6u %14.0f %14.0f %12.2f %12.2f\n",
			       aead_name((enum aead_cipher)c), len[i],
			       1e9 / ns[0], 1e9 / ns[1], len[i] * 8 / ns[0],
			       len[i] * 8 / ns[1]);
			close_both(s);
		}
	}
	handshakes();
	return 0;
}
