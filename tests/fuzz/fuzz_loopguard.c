/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop guard among enemies: frames of any bytes, its own probes changed,
 * late or on other ports, ports and settings in any order. Whatever happens,
 * only a probe that is its own to the last bit and not old holds a port, what
 * it says of a port is what it told, and nothing is sent where it may not.
 *
 * An input is a list of steps: a byte says which, bytes after it what with.
 */
#include "switch/loopguard.h"

#include <string.h>

#include "../fuzz/input.h"
#include "base/ether.h"
#include "base/util.h"

#define PORTS 6
#define KEPT 8
#define MS UINT64_C(1000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loopguard *g;
static uint64_t now;
static bool held[PORTS], active[PORTS], closed[PORTS];
static uint8_t probes[KEPT][LOOPGUARD_LEN];
static uint64_t sent_at[KEPT];
static unsigned int n_probes;
static unsigned int burst; /* frames at this instant */
static bool proof; /* this input may hold something */

static bool on_open(void *ctx, unsigned int port, unsigned int vid)
{
	must(port < PORTS && vid <= VLAN_MAX);
	return !closed[port] && (vid == 0 || vid % PORTS == port);
}

static int on_untagged(void *ctx, unsigned int port)
{
	return port % 3 == 2 ? -1 : 0;
}

static bool on_guarded(void *ctx, unsigned int vid)
{
	return vid == 5;
}

static void on_send(void *ctx, unsigned int port, unsigned int vid,
		    const uint8_t frame[static LOOPGUARD_LEN])
{
	must(port < PORTS && active[port] && on_open(ctx, port, vid));
	must(ether_addr(frame) == LOOPGUARD_ADDR);
	must(!ether_is_multicast(ether_addr(frame + ETHER_ADDR_LEN)));
	memcpy(probes[n_probes % KEPT], frame, LOOPGUARD_LEN);
	sent_at[n_probes++ % KEPT] = now;
	burst++;
}

static void on_hold(void *ctx, unsigned int port, unsigned int peer,
		    unsigned int vid, bool on)
{
	must(port < PORTS && peer < PORTS && held[port] != on);
	must(!on || (proof && active[port]));
	held[port] = on;
}

static void check(void)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		const struct loopguard_port *p = loopguard_port(g, i);

		must(!p || p->held == held[i]);
		must(p || !held[i]);
		must(!held[i] || (p->on && p->active && loopguard_is_on(g)));
	}
	must(loopguard_is_on(g) || !loopguard_next(g));
}

/* Any bytes, long enough to have an address. */
static void noise(struct input *in)
{
	uint8_t frame[80] = { 0 };
	size_t len = ETHER_HDR_LEN + take(in) % (sizeof(frame) - ETHER_HDR_LEN);

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)take(in);
	loopguard_input(g, take(in) % PORTS, take16(in) & 0xfff, frame, len,
			now);
}

/* One of the last probes, perhaps with a bit changed, perhaps cut. */
static void echo(struct input *in)
{
	unsigned int which = take(in) % KEPT, bit = take16(in);
	size_t len = LOOPGUARD_LEN - take(in) % 16;
	uint8_t frame[LOOPGUARD_LEN];
	bool changed;

	memcpy(frame, probes[which], sizeof(frame));
	if (bit < 8 * LOOPGUARD_LEN)
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
	/* Addresses and what is behind the hash are not looked at. */
	changed = memcmp(frame + 12, probes[which] + 12, 40) || len < 52;
	proof = !changed && now - sent_at[which] <= LOOPGUARD_LIFE;
	loopguard_input(g, take(in) % PORTS, take16(in) & 0xfff, frame, len,
			now);
	proof = false;
}

static void settings(struct input *in)
{
	switch (take(in) % 4) {
	case 0:
		loopguard_set(g, take(in) & 1, now);
		break;
	case 1:
		loopguard_set_interval(g, 10 + take(in), now);
		break;
	case 2:
		loopguard_set_hold(g, 1 + take(in) % 8);
		break;
	default:
		loopguard_set_port(g, take(in) % PORTS, take(in) & 1, now);
		break;
	}
}

static void ports(struct input *in)
{
	unsigned int port = take(in) % PORTS;

	switch (take(in) % 4) {
	case 0:
		active[port] = true;
		must(loopguard_plugged(g, port, now) == 0);
		break;
	case 1:
		loopguard_unplugged(g, port);
		active[port] = false;
		break;
	case 2:
		loopguard_forget(g, port);
		active[port] = false;
		break;
	default:
		closed[port] = !closed[port];
		break;
	}
}

static void wait(uint64_t ns)
{
	uint64_t end = now + ns, next;

	for (int turns = 0; turns < 16; turns++) {
		next = loopguard_next(g);
		if (!next || next > end)
			break;
		now = next > now ? next : now;
		burst = 0;
		next = loopguard_tick(g, now);
		must(burst <= 64 + 17 + PORTS);
		must(next == loopguard_next(g));
	}
	now = end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loopguard_config cf = {
		.id = 77,
		.key = { 3, 4 },
		.now = 1000 * MS,
		.open = on_open,
		.untagged = on_untagged,
		.guarded = on_guarded,
		.send = on_send,
		.hold = on_hold,
	};
	struct input in = { data, size };

	now = cf.now;
	n_probes = 0;
	memset(held, 0, sizeof(held));
	memset(active, 0, sizeof(active));
	memset(closed, 0, sizeof(closed));
	memset(probes, 0, sizeof(probes));
	g = loopguard_new(&cf);
	must(g);
	loopguard_set(g, true, now);
	for (int steps = 0; in.left && steps < 300; steps++) {
		switch (take(&in) % 6) {
		case 0:
			noise(&in);
			break;
		case 1:
		case 2:
			echo(&in);
			break;
		case 3:
			settings(&in);
			break;
		case 4:
			ports(&in);
			break;
		default:
			wait(take16(&in) * (MS / 8));
			break;
		}
		check();
	}
	loopguard_free(g);
	return 0;
}
