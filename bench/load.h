/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load - what the modes of vdeload share
 *
 * A mode is one measurement: it starts its clients, measures for as long as
 * it was asked to and prints one JSON object. Everything runs in processes of
 * its own, forked before the library is used, that die with their parent and
 * report by counters in shared memory. Nothing here is part of the product.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ether.h"
#include "lib/libvdeplug.h"

#define LOAD_MS UINT64_C(1000000)
#define LOAD_SEC UINT64_C(1000000000)
#define LOAD_FRAME_MAX VDE_ETHBUFSIZE

/* Stations behind the sender and behind the receiver: base + number. */
#define LOAD_TX_ADDR UINT64_C(0x020000000000)
#define LOAD_RX_ADDR UINT64_C(0x020100000000)
#define LOAD_ETHERTYPE 0x88b5 /* IEEE 802, local experiments */
#define LOAD_BROADCAST UINT64_C(0xffffffffffff)

struct load_options {
	const char *tx, *rx; /* locators; rx defaults to tx */
	int64_t len, ms, warmup_ms;
	int64_t drain_ms; /* from the end to the look at the switch's memory */
	int64_t window; /* frames in flight, 0: as many as can be sent */
	int64_t ports;
	int64_t addresses;
	int64_t first; /* number of the first station on each side */
	int64_t pid; /* of the switch whose processor time counts, or 0 */
	bool raw, poll, batch;
	char **command;
};

typedef void load_mode_fn(const struct load_options *);
load_mode_fn traffic_mode, pingpong_mode, hold_mode, connect_mode, start_mode,
	udp_mode, udp_echo_mode, probe_mode;

/* On a cache line of its own, with one writer. */
struct counter {
	_Alignas(64) _Atomic uint64_t n;
};

static inline uint64_t counter_get(const struct counter *c)
{
	return atomic_load_explicit(&c->n, memory_order_relaxed);
}

static inline void counter_set(struct counter *c, uint64_t n)
{
	atomic_store_explicit(&c->n, n, memory_order_relaxed);
}

static inline void counter_add(struct counter *c, uint64_t n)
{
	counter_set(c, counter_get(c) + n);
}

uint64_t load_now(void); /* ns, monotonic */
void load_sleep(uint64_t ns);
void *load_shared(size_t size); /* zeroed, inherited by children */

/* Runs @fn in a child that is killed when this process ends. */
typedef void load_child_fn(void *ctx);
pid_t load_fork(load_child_fn *fn, void *ctx);
/* Kills and reaps. */
void load_kill(pid_t);
/* Until *@c is at least @n; ends the program after 30 seconds or when a
 * child has died. */
void load_await(const struct counter *c, uint64_t n);

/* Processor time of a process in ns; 0 for pid 0. */
uint64_t load_cpu(pid_t);
/* Its resident memory in MiB, shared memory too; 0 for pid 0. */
double load_rss_mb(pid_t);

/* The times of @n round trips, which are sorted, as JSON; @cpu is the time of
 * the switch for all of them. */
void load_print_trips(uint32_t *rtt_ns, size_t n, uint64_t cpu);

/* A connection, or the program ends. */
VDECONN *load_open(const char *locator);
/* As vde_send(), again and again until the frame is taken. */
void load_send(VDECONN *, const void *frame, size_t len);

/* A frame of the benchmark's own EtherType. */
void load_fill(uint8_t *frame, size_t len, uint64_t dst, uint64_t src);
void load_set_addrs(uint8_t *frame, uint64_t dst, uint64_t src);

/* Inline, as it is done for each frame that arrives. */
static inline bool load_is_ours(const uint8_t *frame, ssize_t len)
{
	return len >= ETHER_MIN_LEN && ether_be16(frame + 12) == LOAD_ETHERTYPE;
}

/* Makes the switch learn @n stations from @base on. */
void load_learn(VDECONN *, uint64_t base, uint64_t n);
/* The same, then the first one with every switch that a broadcast reaches. */
void load_announce(VDECONN *, uint64_t base, uint64_t n);

#endif
