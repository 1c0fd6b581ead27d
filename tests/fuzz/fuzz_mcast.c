/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snooping among enemies: messages of any bytes, and messages with the right
 * lengths and checksums that say anything, ports, settings and time in any
 * order. Whatever happens, frames stay in their VLAN, routers that were
 * configured get them, what is sent are queries, memory is bounded, no timer
 * that ended is left behind, and without anybody who asks all is flooded.
 *
 * An input is a list of steps: a byte says which, bytes after it what with.
 */
#include <string.h>

#include "../fuzz/input.h"
#include "../unit/mcast_frame.h"
#include "base/bits.h"
#include "switch/mcast.h"

#define SEC UINT64_C(1000000000)
#define PORTS 8
#define ALL UINT64_C(0xff)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mcast *m;
static uint64_t now;
static uint64_t fixed[2]; /* routers, in VLANs 0 and 5 */
static bool off[2];
static unsigned int sent;
static bool quiet; /* nothing may be called back */

static const unsigned int vids[] = { 0, 5 };

static void on_transmit(void *ctx, unsigned int vid, int port,
			const uint8_t *frame, size_t len)
{
	struct mcast_addr to;
	struct mcast_msg msg;

	must(!quiet && (vid == 0 || vid == 5) && port < PORTS);
	must(len >= 60 && len <= MCAST_QUERY_MAX);
	must(mcast_classify(frame, len, &to) == MCAST_CONTROL);
	mcast_parse(&msg, frame, len);
	must(msg.kind == MCAST_QUERY);
	must(++sent <= 1200); /* a report has so many records at most */
}

static void on_event(void *ctx, const struct mcast_event *ev)
{
	must(!quiet && ev->port < PORTS && (ev->vid == 0 || ev->vid == 5));
}

static struct mcast_addr some_group(uint32_t b, bool v6)
{
	if (b == 0)
		return mf_v4(0);
	if (v6)
		return mf_v6(b & 1 ? MF_FF02 : MF_FF0E, b);
	return mf_v4((b & 0x40 ? UINT32_C(0xe0000000) : UINT32_C(0xef000000)) +
		     b);
}

/* Length and checksum right, the rest of the bytes as they come. */
static void make_message(struct input *in, struct mf *f, bool v6)
{
	static const uint8_t types4[] = { 0x11, 0x12, 0x16, 0x17, 0x22, 0x30 };
	static const uint8_t types6[] = { 130, 131, 132, 143, 151 };
	uint8_t body[600];
	uint32_t what = take(in), to = take(in);
	size_t n = 8 + take(in) * 2;

	for (size_t i = 0; i < n; i++)
		body[i] = (uint8_t)take(in);
	if (v6) {
		body[0] = types6[what % ARRAY_SIZE(types6)];
		mf_ip6(f, mf_v6(what & 64 ? 0 : MF_LL, what & 7),
		       some_group(to, true), body, n);
	} else {
		body[0] = types4[what % ARRAY_SIZE(types4)];
		mf_ip4(f, what & 64 ? 0 : what,
		       (uint32_t)some_group(to, false).lo, what & 128, body, n);
	}
}

/* What a host or a router would say. */
static void make_sense(struct input *in, struct mf *f, bool v6)
{
	uint32_t what = take(in) % 6;
	struct mcast_addr g = some_group(take(in), v6);
	uint32_t b = take(in);
	uint32_t ip = (uint32_t)g.lo;

	if (v6 && what < 2)
		mf_mld_query(f, mf_v6(MF_LL, b & 3), (uint16_t)(b << 6),
			     what ? g : mf_v4(0));
	else if (what == 0)
		mf_query2(f, b & 3, (uint8_t)b, 0);
	else if (what == 1)
		mf_query3(f, b & 3, (uint8_t)b, ip, b & 15, (uint8_t)b);
	else if (what == 2)
		v6 ? mf_mld_report(f, g) : mf_report2(f, ip);
	else if (what == 3)
		v6 ? mf_mld_done(f, g) : mf_leave2(f, ip);
	else if (v6)
		mf_mld_report2(f, mf_v6(MF_LL, 1), b % 8, g, b >> 4);
	else
		mf_report3(f, b % 8, ip, b >> 4);
}

static void step_frame(struct input *in, unsigned int what)
{
	struct mf f;
	struct frame fr = { .data = f.bytes };
	unsigned int b = take(in), v = b >> 3 & 1, port = b % PORTS;
	uint64_t all = ALL;
	const uint64_t *set;
	struct mcast_vlan_info info;

	if (what == 0) {
		memset(&f, 0, sizeof(f));
		f.len = take16(in) % 300;
		for (size_t i = 0; i < f.len; i++)
			f.bytes[i] = (uint8_t)take(in);
	} else if (what == 1) {
		make_message(in, &f, b & 16);
	} else if (what == 2) {
		make_sense(in, &f, b & 16);
	} else {
		mf_data(&f, some_group(take(in) | 2, b & 16));
	}
	fr.len = (uint32_t)f.len;
	sent = 0;
	set = mcast_egress(m, vids[v], port, &fr, &all, now);
	if (!mcast_is_on(m) || off[v])
		must(set == &all);
	must(!set || !(*set & ~ALL));
	if (what == 3) {
		must(set && (*set & fixed[v]) == fixed[v]);
		if (mcast_get_vlan(m, vids[v], &info) < 0 ||
		    !info.state[b >> 4 & 1].on)
			must(set == &all);
	}
}

static void step_setting(struct input *in)
{
	unsigned int b = take(in), v = b >> 3 & 1, port = b % PORTS;
	bool on = b & 16;

	switch (take(in) % 7) {
	case 0:
		mcast_enable(m, on, now);
		break;
	case 1:
		must(mcast_set_vlan(m, vids[v], on, now) == 0);
		off[v] = !on;
		break;
	case 2:
		must(mcast_set_router(m, vids[v], port, on) == 0);
		if (on)
			bits_set(&fixed[v], port);
		else
			bits_clear(&fixed[v], port);
		break;
	case 3:
		must(mcast_set_querier(m, vids[v], on, b >> 5, now) == 0);
		break;
	case 4:
		must(mcast_set_fastleave(m, port, on) == 0);
		break;
	case 5:
		mcast_set_flood_unknown(m, on);
		break;
	default:
		mcast_set_interval(m, take(in));
	}
}

static void step_port(struct input *in)
{
	unsigned int b = take(in), v = b >> 3 & 1, port = b % PORTS;

	switch (take(in) % 6) {
	case 0:
		mcast_port_up(m, port, now);
		break;
	case 1:
		mcast_port_down(m, port);
		break;
	case 2:
		mcast_port_member(m, vids[v], port, b & 16, now);
		break;
	case 3:
		mcast_vlan_changed(m, vids[v]);
		fixed[v] = 0;
		off[v] = false;
		break;
	case 4:
		mcast_port_removed(m, port);
		bits_clear(&fixed[0], port);
		bits_clear(&fixed[1], port);
		break;
	default:
		mcast_topology_change(m, vids[v], now);
	}
}

static void step_time(struct input *in)
{
	unsigned int b = take(in);
	uint64_t next = mcast_next(m), was = now;

	now += b < 128 ? b * (SEC / 16) : (b - 127) * 8 * SEC;
	if (b % 2 && next > was && next < now)
		now = next;
	sent = 0;
	next = mcast_tick(m, now);
	must(next == mcast_next(m) && (next == 0 || next > now));
	must(mcast_is_on(m) || next == 0);
}

static bool show(void *ctx, const struct mcast_entry *e)
{
	size_t *n = ctx;

	must(e->port < PORTS && e->until + MCAST_SLOP >= now);
	must(e->router || mcast_is_group(e->group, e->v6));
	++*n;
	return true;
}

/* What is shown is what is counted, on ports and altogether. */
static void check(void)
{
	size_t seen = 0, counted = 0;
	struct mcast_info info;

	quiet = true;
	for (int v = mcast_vlan_next(m, 0); v >= 0;
	     v = mcast_vlan_next(m, (unsigned int)v + 1))
		for (int r = 0; r < 2; r++)
			mcast_show(m, (unsigned int)v, r, 0, show, &seen);
	for (unsigned int p = 0; p < PORTS; p++) {
		struct mcast_port_info port;

		mcast_get_port(m, p, &port);
		must(port.members <= MCAST_PORT_MAX);
		counted += port.members;
	}
	mcast_get_info(m, &info);
	must(seen == info.members && counted == info.members);
	quiet = false;
}

static void step(struct input *in)
{
	unsigned int what = take(in) % 16;

	sent = 0;
	if (what < 10)
		step_frame(in, what % 4);
	else if (what == 10)
		step_setting(in);
	else if (what == 11)
		step_port(in);
	else
		step_time(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mcast_ops ops = { on_transmit, on_event };
	const struct mcast_config cf = {
		.ops = &ops, .secret = size, .mac = 0x00ff01020304, .words = 1
	};
	struct input in = { data, size };

	now = 7 * SEC;
	memset(fixed, 0, sizeof(fixed));
	memset(off, 0, sizeof(off));
	quiet = false;
	m = mcast_new(&cf, now);
	must(m);
	mcast_enable(m, true, now);
	while (in.left)
		step(&in);
	check();
	mcast_free(m);
	return 0;
}
