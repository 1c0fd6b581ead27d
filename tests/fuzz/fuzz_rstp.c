/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge of the spanning tree among enemies: BPDUs of any bytes and BPDUs
 * that make sense, ports, links, parameters and time in any order. Whatever
 * happens, states and roles go together, the callbacks told them, what is
 * sent is valid and bounded, and no timer that ended is left behind.
 *
 * An input is a list of steps: a byte says which, bytes after it what with.
 */
#include <stdlib.h>
#include <string.h>

#include "../fuzz/input.h"
#include "base/ether.h"
#include "switch/rstp.h"

#define PORTS 5
#define SEC UINT64_C(1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rstp *r;
static uint64_t now;
static bool there[PORTS], link_up[PORTS];
static struct rstp_port_config config[PORTS];
static enum rstp_state state[PORTS];
static unsigned int sent[PORTS]; /* at this instant */
static bool quiet; /* nothing may be called back */
static bool batch; /* what was changed has no effect yet */

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- what it says ---- */

static void on_transmit(void *ctx, unsigned int port, const uint8_t *frame,
			size_t len)
{
	struct rstp_bpdu b;

	expect(!quiet && port < PORTS && there[port]);
	expect(link_up[port] || batch);
	expect(len <= RSTP_FRAME_MAX);
	expect(ether_addr(frame) == RSTP_BPDU_ADDR);
	expect(frame[12] == 0 && frame[13] == len - ETHER_HDR_LEN);
	/* An aged Configuration BPDU is sent, and is not valid (9.3.4). */
	expect(rstp_bpdu_parse(&b, frame, len) || frame[20] == 0);
	expect(++sent[port] <= 30); /* three times the largest hold count */
}

static void on_state(void *ctx, unsigned int port, enum rstp_state s)
{
	expect(!quiet && port < PORTS && there[port] && s != state[port]);
	expect(s != RSTP_FORWARDING || state[port] == RSTP_LEARNING);
	state[port] = s;
}

static void on_flush(void *ctx, unsigned int port)
{
	expect(!quiet && port < PORTS && there[port]);
}

static void on_event(void *ctx, const struct rstp_event *ev)
{
	expect(!quiet && ev->type < RSTP_N_EVENTS && ev->port < PORTS);
}

/* ---- what must be ---- */

static void check_port(unsigned int n, const struct rstp_info *br)
{
	struct rstp_port_info in;

	expect(rstp_port_get_info(r, n, &in) == (there[n] ? 0 : -6));
	if (!there[n])
		return;
	expect(in.state == state[n] && in.link == link_up[n]);
	expect((in.role == RSTP_ROOT) == (br->root_port == (int)n));
	expect((in.role == RSTP_DISABLED) ==
	       (!link_up[n] || !config[n].enabled || in.violated));
	if (in.role != RSTP_ROOT && in.role != RSTP_DESIGNATED)
		expect(in.state == RSTP_DISCARDING);
	expect(!in.violated || config[n].bpdu_guard);
	expect(in.role != RSTP_ROOT || !config[n].root_guard);
	expect(!in.looped || in.state == RSTP_DISCARDING ||
	       in.role == RSTP_ROOT);
}

static void check(void)
{
	struct rstp_info in;

	quiet = true;
	rstp_get_info(r, &in);
	if (batch) {
		quiet = false;
		return;
	}
	expect((in.root_port == -1) == (in.root == in.bridge));
	expect(in.root_port != -1 || in.root_cost == 0);
	expect(in.root <= in.bridge);
	for (unsigned int n = 0; n < PORTS; n++)
		check_port(n, &in);
	quiet = false;
}

/* ---- the input ---- */

/* A few that meet: ours among them, one with another priority, port numbers
 * that are ours too. */
static uint64_t bridge_of(unsigned int b)
{
	return (uint64_t)(b >> 4) << 60 | (UINT64_C(0x020000000000) + b % 4);
}

static struct rstp_port_config config_of(struct input *in)
{
	unsigned int b = take(in);

	return (struct rstp_port_config){
		.path_cost = take(in) * 1000 + 1,
		.priority = (uint8_t)(take(in) & 0xf0),
		.enabled = b & 1,
		.admin_edge = b & 2,
		.auto_edge = b & 4,
		.point_to_point = b & 8,
		.bpdu_guard = (b & 0x70) == 0x10,
		.root_guard = (b & 0x70) == 0x20,
	};
}

static void step_bytes(struct input *in)
{
	uint8_t frame[64];
	unsigned int port = take(in) % PORTS;
	size_t len = take(in) % sizeof(frame);

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)take(in);
	rstp_receive(r, port, frame, len, now);
}

static void step_bpdu(struct input *in)
{
	uint8_t frame[RSTP_FRAME_MAX];
	unsigned int port = take(in) % PORTS, b = take(in);
	struct rstp_bpdu m = {
		.kind = b % RSTP_N_KINDS,
		.role = b / 4 % RSTP_N_ROLES,
		.dialect = b & 0x80,
		.flags = (uint8_t)take(in),
		.root = bridge_of(take(in)),
		.bridge = bridge_of(take(in)),
		.cost = take(in) * UINT32_C(0x01010101),
		.port = (uint16_t)(0x8000 | take(in) % 8),
		.times = { (uint16_t)(take(in) << 4), 20 * 256, 2 * 256,
			   15 * 256 },
	};
	size_t len = rstp_bpdu_write(&m, m.bridge, frame);

	rstp_receive(r, port, frame, len, now);
}

static void step_params(struct input *in)
{
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;
	unsigned int b = take(in);

	pa.stp = b & 1;
	pa.tx_hold = (uint8_t)(b >> 1 & 15);
	pa.hello_s = (uint8_t)(b >> 5 & 3);
	rstp_set_params(r, &pa, now);
}

static void step_port(struct input *in, unsigned int what)
{
	unsigned int n = take(in) % PORTS;
	struct rstp_port_config cf;

	if (what == 0) {
		cf = config_of(in);
		if (!there[n])
			config[n] = cf;
		/* A new port is discarding, and may be told about at once. */
		there[n] = true;
		rstp_port_add(r, n, &cf, now);
	} else if (what == 1) {
		link_up[n] = there[n] && take(in) % 4;
		rstp_port_set_link(r, n, link_up[n], now);
	} else if (what == 2) {
		cf = config_of(in);
		if (!rstp_port_configure(r, n, &cf, now))
			config[n] = cf;
	} else if (what == 3) {
		rstp_port_mcheck(r, n, now);
	} else if (there[n]) {
		expect(rstp_port_del(r, n, now) == 0);
		expect(state[n] == RSTP_DISCARDING);
		there[n] = link_up[n] = false;
	}
}

/* To the next timer, or that far, late as a busy process is. */
static void step_time(struct input *in)
{
	unsigned int b = take(in);
	uint64_t next = rstp_next(r);

	now += b < 128 ? b * (SEC / 64) : (b - 127) * SEC;
	if (b % 2 && next && next < now)
		now = next;
	memset(sent, 0, sizeof(sent));
	next = rstp_tick(r, now);
	batch = false;
	expect(next == rstp_next(r) && (next == 0 || next > now));
}

static void step_batch(void)
{
	batch = !batch;
	if (batch)
		rstp_begin(r);
	else
		rstp_commit(r, now);
}

static void step(struct input *in)
{
	unsigned int what = take(in) % 16;

	if (what < 5)
		step_port(in, what);
	else if (what == 5)
		step_params(in);
	else if (what == 6)
		rstp_set_bridge(r, bridge_of(take(in)), now);
	else if (what == 7)
		step_bytes(in);
	else if (what < 12)
		step_bpdu(in);
	else if (what == 15)
		step_batch();
	else
		step_time(in);
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rstp_ops ops = { on_transmit, on_state, on_flush,
					     on_event };
	const struct rstp_config cf = { .ops = &ops,
					.bridge = bridge_of(0x81),
					.vid = size % 4096,
					.params = RSTP_PARAMS_DEFAULT };
	struct input in = { data, size };

	now = SEC;
	memset(there, 0, sizeof(there));
	memset(link_up, 0, sizeof(link_up));
	memset(state, 0, sizeof(state));
	memset(sent, 0, sizeof(sent));
	batch = false;
	r = rstp_new(&cf, now);
	expect(r);
	while (in.left)
		step(&in);
	rstp_free(r);
	return 0;
}
