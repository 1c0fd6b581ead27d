/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bridge_fixture - a bridge of eight ports with fake transports: each remembers
 * what left, and takes as many frames as it has room for
 */
#ifndef UNIT_BRIDGE_FIXTURE_H
#define UNIT_BRIDGE_FIXTURE_H

#include "switch/bridge.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

#define SEC UINT64_C(1000000000)
#define MAX_SENT 2048
#define A UINT64_C(0x020000000001)
#define B UINT64_C(0x020000000002)
#define ALL UINT64_C(0xffffffffffff)

struct fake {
	struct endpoint ep;
	int sent; /* frames taken */
	int room; /* how many more it takes */
	size_t last_len;
	uint8_t last[ETHER_MAX_LEN + 8];
	bool closed;
	bool paused;
};

static struct bridge *br;
static struct fake fakes[9];
static int events[BRIDGE_N_EVENTS];

static int fake_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct fake *f = container_of(ep, struct fake, ep);
	int take = n < f->room ? n : f->room;

	for (int i = 0; i < take; i++) {
		struct iovec iov[FRAME_IOV];
		int k = frame_iov(tx[i].frame, tx[i].tagged, iov);

		f->last_len = 0;
		for (int j = 0; j < k; j++) {
			memcpy(f->last + f->last_len, iov[j].iov_base,
			       iov[j].iov_len);
			f->last_len += iov[j].iov_len;
		}
	}
	f->sent += take;
	f->room -= take;
	return take;
}

static void fake_close(struct endpoint *ep)
{
	container_of(ep, struct fake, ep)->closed = true;
}

static void fake_pause(struct endpoint *ep, bool on)
{
	container_of(ep, struct fake, ep)->paused = on;
}

static const struct transport tr_fake = { "fake", "fake", fake_send, fake_pause,
					  fake_close };

static struct fake *plug(unsigned int port)
{
	const struct port_user user = { .uid = 1000 };
	struct fake *f = &fakes[port];

	*f = (struct fake){ .room = MAX_SENT };
	CHECK(bridge_port_for(br, (int)port, &user) == (int)port);
	endpoint_init(&f->ep, &tr_fake, port, 1000, "fake");
	CHECK(bridge_attach(br, port, &f->ep) == 0);
	return f;
}

static void note(struct bridge_listener *l, const struct bridge_event *ev)
{
	events[ev->type]++;
}

static struct bridge_listener listener;

static void setup(unsigned int ports)
{
	const struct bridge_config cf = {
		.numports = 8, .hash_size = 16, .secret = 1, .pool_frames = 4096
	};

	memset(events, 0, sizeof(events));
	br = bridge_new(&cf);
	listener = (struct bridge_listener){ .events = ~0u, .fn = note };
	bridge_listen(br, &listener);
	for (unsigned int i = 1; i <= ports; i++)
		plug(i);
}

static void teardown(void)
{
	bridge_flush(br);
	for (unsigned int i = 1; i < ARRAY_SIZE(fakes); i++) {
		if (fakes[i].ep.port && !fakes[i].closed)
			bridge_detach(&fakes[i].ep);
		fakes[i] = (struct fake){ 0 };
	}
	CHECK(frame_pool_used(br->pool) == 0);
	bridge_free(br);
}

static void put_addr(uint8_t *p, uint64_t addr)
{
	for (int i = 5; i >= 0; i--, addr >>= 8)
		p[i] = addr & 0xff;
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* @tci < 0: untagged. @len counts the tag. */
static void rx_len(unsigned int port, uint64_t dst, uint64_t src, int tci,
		   size_t len, uint64_t now)
{
	struct frame *f = frame_new(br->pool);
	uint8_t *p = f->data;

	memset(p, 0xee, len > 100 ? len : 100);
	put_addr(p, dst);
	put_addr(p + 6, src);
	p += 12;
	if (tci >= 0) {
		put16(p, 0x8100);
		put16(p + 2, (unsigned int)tci);
		p += 4;
	}
	put16(p, 0x88b5);
	f->len = (uint32_t)len;
	port_rx_take(&fakes[port].ep, &f, 1, now);
	bridge_flush(br);
}

static void rx(unsigned int port, uint64_t dst, uint64_t src, int tci)
{
	rx_len(port, dst, src, tci, 100, SEC);
}

#endif
