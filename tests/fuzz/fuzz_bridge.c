/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 802.1Q: frames and changes of VLANs in any order, against a model that only
 * knows who is a member of what. A frame leaves where the model allows it and
 * nowhere else, once, with or without a tag as it must, and with no byte
 * changed that is not the tag.
 *
 * An input is a list of steps: a byte says which, bytes after it what with.
 */
#include <stdlib.h>
#include <string.h>

#include "../fuzz/input.h"
#include "switch/bridge.h"

#define PORTS 4 /* 1 to 4; port 0 exists too */
#define N_PORTS (PORTS + 1)
#define ROOM 128
#define ALL UINT64_C(0xffffffffffff)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct model {
	bool defined[VLAN_NONE + 1];
	bool tagged[VLAN_NONE + 1][N_PORTS];
	unsigned int pvid[N_PORTS];
};

/* A frame on its way, and what must come of it. */
struct flight {
	unsigned int from;
	unsigned int vid;
	uint16_t tci;
	const uint8_t *rest; /* after addresses and tag */
	size_t rest_len;
	uint8_t addrs[FRAME_ADDRS];
	bool hub, passes, everywhere;
	int copies[N_PORTS];
};

static struct bridge *br;
static struct endpoint eps[N_PORTS];
static struct model model;
static struct flight flight;

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- what may leave ---- */

static bool member(unsigned int vid, unsigned int port)
{
	return model.tagged[vid][port] || model.pvid[port] == vid;
}

static bool may_get(unsigned int port)
{
	if (!flight.passes || port == flight.from)
		return false;
	if (flight.hub)
		return port != 0;
	return !model.defined[flight.vid] || member(flight.vid, port);
}

static void check_copy(unsigned int port, const struct frame_tx *tx)
{
	bool tagged = !flight.hub && model.pvid[port] != flight.vid;
	uint8_t got[ROOM + ETHER_MIN_LEN], want[ROOM + ETHER_MIN_LEN] = { 0 };
	struct iovec iov[FRAME_IOV];
	int k = frame_iov(tx->frame, tx->tagged, iov);
	size_t len = 0, n = FRAME_ADDRS;

	for (int i = 0; i < k; i++) {
		expect(len + iov[i].iov_len <= sizeof(got));
		memcpy(got + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	memcpy(want, flight.addrs, n);
	if (tagged) {
		want[n++] = 0x81;
		want[n++] = 0x00;
		want[n++] = (uint8_t)(flight.tci >> 8);
		want[n++] = (uint8_t)flight.tci;
	}
	memcpy(want + n, flight.rest, flight.rest_len);
	n += flight.rest_len;
	if (n < ETHER_MIN_LEN + (tagged ? ETHER_TAG_LEN : 0))
		n = ETHER_MIN_LEN + (tagged ? ETHER_TAG_LEN : 0);
	expect(may_get(port));
	expect(tx->tagged == tagged);
	expect(len == n && !memcmp(got, want, n));
	expect(++flight.copies[port] == 1);
}

static int fake_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	for (int i = 0; i < n; i++)
		check_copy(ep->port->id, &tx[i]);
	return n;
}

static void fake_pause(struct endpoint *ep, bool on)
{
}

static void fake_close(struct endpoint *ep)
{
}

static const struct transport tr_fake = { "fake", "fake", fake_send, fake_pause,
					  fake_close };

/* ---- the input ---- */

/* A few VLANs are enough to meet; the edges of the range are among them. */
static unsigned int vlan_of(struct input *in)
{
	static const unsigned int some[] = { 0, 1, 2, 5, 4093, 4094, 4095 };

	return some[take(in) % ARRAY_SIZE(some)];
}

static uint64_t addr_of(unsigned int b)
{
	return b % 8 == 7 ? ALL : UINT64_C(0x020000000000) + b % 8;
}

static void put_addr(uint8_t *p, uint64_t addr)
{
	for (int i = 5; i >= 0; i--, addr >>= 8)
		p[i] = addr & 0xff;
}

/* What 802.1Q makes of the frame in @f. */
static void plan(const uint8_t *f, size_t len)
{
	bool tagged = f[12] == 0x81 && f[13] == 0x00;
	unsigned int vid;

	flight.hub = br->hub;
	memcpy(flight.addrs, f, FRAME_ADDRS);
	flight.rest = f + FRAME_ADDRS;
	flight.rest_len = len - FRAME_ADDRS;
	flight.passes = true;
	if (flight.hub)
		return;
	flight.vid = model.pvid[flight.from];
	flight.tci = 0;
	if (tagged && len < ETHER_HDR_LEN + ETHER_TAG_LEN) {
		flight.passes = false;
		return;
	}
	if (tagged) {
		flight.tci = (uint16_t)(f[14] << 8 | f[15]);
		flight.rest += ETHER_TAG_LEN;
		flight.rest_len -= ETHER_TAG_LEN;
	}
	vid = flight.tci & 0xfff;
	if (vid) {
		flight.vid = vid;
		flight.passes = model.defined[vid]
					? member(vid, flight.from)
					: br->transparent && vid != VLAN_NONE;
	} else {
		flight.passes = flight.vid != VLAN_NONE;
	}
	flight.tci = (uint16_t)((flight.tci & 0xf000) | flight.vid);
}

static void step_frame(struct input *in, uint64_t now)
{
	uint8_t bytes[ROOM] = { 0 };
	unsigned int port = take(in) % N_PORTS, dst = take(in);
	size_t len = ETHER_HDR_LEN + take(in) % (ROOM - ETHER_HDR_LEN);
	struct frame *f = frame_new(br->pool);

	expect(f);
	put_addr(bytes, addr_of(dst));
	put_addr(bytes + ETHER_ADDR_LEN, addr_of(take(in) % 7));
	for (size_t i = FRAME_ADDRS; i < len && in->left; i++)
		bytes[i] = (uint8_t)take(in);
	memset(f->data, 0xee, ETHER_MIN_LEN + ETHER_TAG_LEN);
	memcpy(f->data, bytes, len);
	f->len = (uint32_t)len;

	flight = (struct flight){ .from = port };
	plan(bytes, len);
	flight.everywhere = addr_of(dst) == ALL;
	port_rx_take(&eps[port], &f, 1, now);
	bridge_flush(br);
	for (unsigned int q = 0; flight.everywhere && q < N_PORTS; q++)
		expect(flight.copies[q] == may_get(q));
}

static void step_vlan(struct input *in, unsigned int what)
{
	unsigned int vid = vlan_of(in), port = take(in) % N_PORTS;

	if (what == 0 && !bridge_vlan_create(br, vid)) {
		expect(!model.defined[vid]);
		model.defined[vid] = true;
	} else if (what == 1 && !bridge_vlan_remove(br, vid)) {
		model.defined[vid] = false;
		for (unsigned int q = 0; q < N_PORTS; q++)
			expect(!member(vid, q));
	} else if (what == 2 && !bridge_vlan_add_port(br, vid, port)) {
		expect(model.defined[vid]);
		if (model.pvid[port] != vid)
			model.tagged[vid][port] = true;
	} else if (what == 3 && !bridge_vlan_del_port(br, vid, port)) {
		model.tagged[vid][port] = false;
	} else if (what == 4 && !bridge_port_set_vlan(br, port, vid)) {
		expect(vid == VLAN_NONE || model.defined[vid]);
		model.pvid[port] = vid;
		model.tagged[vid][port] = false;
	}
}

static void step(struct input *in, uint64_t now)
{
	unsigned int what = take(in) % 16;

	if (what < 5)
		step_vlan(in, what);
	else if (what == 5)
		bridge_set_vlan_mode(br, take(in) % BRIDGE_VLAN_N_MODES);
	else if (what == 6)
		bridge_set_hub(br, take(in) % 4 == 0);
	else
		step_frame(in, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bridge_config cf = { .numports = PORTS,
					  .hash_size = 16,
					  .secret = 1,
					  .pool_frames = 256 };
	struct input in = { data, size };
	uint64_t now = UINT64_C(1000000000);

	br = bridge_new(&cf);
	expect(br);
	model = (struct model){ .defined = { [0] = true } };
	for (unsigned int i = 0; i < N_PORTS; i++) {
		endpoint_init(&eps[i], &tr_fake, i, 0, "fuzz");
		expect(bridge_attach(br, i, &eps[i]) == 0);
	}
	while (in.left) {
		step(&in, now);
		now += UINT64_C(100000000);
	}
	for (unsigned int i = 0; i < N_PORTS; i++)
		bridge_detach(&eps[i]);
	expect(frame_pool_used(br->pool) == 0);
	bridge_free(br);
	return 0;
}
