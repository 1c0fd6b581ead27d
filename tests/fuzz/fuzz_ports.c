/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a bridge: endpoints come, go, are slow and are held back, ports
 * and tables change size, time passes, in any order. Frames come with all
 * kinds of nonsense about what is to be done with them, and endpoints take all
 * of it or less. After each step the tables must agree with each other, and
 * every frame that a port was to send, or was made of one, must have been
 * taken, be waiting, or be counted as dropped.
 *
 * An input is a list of steps: a byte says which, bytes after it what with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/input.h"
#include "../unit/packet.h"
#include "base/offload.h"
#include "switch/bridge.h"

#define N_EPS 8
#define PORTS_MAX 130
#define N_VLANS 4
#define POOL 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fake {
	struct endpoint ep;
	bool used, paused;
	unsigned int room; /* frames that it takes before it is slow */
};

static const unsigned int vids[N_VLANS] = { 0, 1, 64, 4093 };

static struct bridge *br;
static struct fake fakes[N_EPS];
static uint64_t now;
static uint64_t taken[PORTS_MAX + 1];
static bool shared[PORTS_MAX + 1]; /* had two endpoints at a time */
static size_t known; /* addresses, by events */

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- a transport ---- */

static size_t flatten(uint8_t *to, const struct frame_tx *tx)
{
	struct iovec iov[FRAME_IOV];
	int k = frame_iov(tx->frame, tx->tagged, iov);
	size_t len = 0;

	for (int i = 0; i < k; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* Only what the endpoint takes, and what it will find in order. */
static void check_frame(const struct endpoint *ep, const struct frame_tx *tx)
{
	static uint8_t wire[2 * PACKET_MAX];
	const struct frame_offload o = offload_of(tx->frame, tx->tagged);
	size_t len = flatten(wire, tx);

	expect(tx->frame->refs > 0);
	if (o.gso_type == FRAME_GSO_NONE)
		expect(len >= ETHER_MIN_LEN && len <= ep->max_len);
	else
		expect((size_t)o.hdr_len + o.gso_size <= ep->max_len &&
		       len <= OFFLOAD_FRAME_MAX);
	if (offload_is_none(&o))
		return;
	expect(offload_fits(&o, ep->takes));
	expect(offload_check(wire, len, &o));
}

static int fake_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct fake *f = container_of(ep, struct fake, ep);
	int take = (int)size_min((size_t)n, f->room);

	expect(f->used && n > 0 && n <= BATCH_MAX);
	for (int i = 0; i < take; i++)
		check_frame(ep, &tx[i]);
	f->room -= (unsigned int)take;
	taken[ep->port->id] += (unsigned int)take;
	return take;
}

static void fake_pause(struct endpoint *ep, bool on)
{
	struct fake *f = container_of(ep, struct fake, ep);

	expect(f->used && f->paused != on);
	f->paused = on;
}

static void fake_close(struct endpoint *ep)
{
	struct fake *f = container_of(ep, struct fake, ep);

	expect(f->used);
	f->used = false;
	memset(&f->ep, 0xa5, sizeof(f->ep)); /* nobody may look any more */
}

static const struct transport tr_fake = { "fake", "fake", fake_send, fake_pause,
					  fake_close };

static void note(struct bridge_listener *l, const struct bridge_event *ev)
{
	if (ev->type == BRIDGE_MAC_NEW)
		known++;
	else if (ev->type == BRIDGE_MAC_GONE)
		known--;
}

static struct bridge_listener listener;

/* ---- what must hold after every step ---- */

/* May frames of the VLAN leave by this port? */
static bool open_in(const struct vlan *v, const struct port *p)
{
	return p && port_is_active(p) && !(p->slow & PORT_BLOCKED) &&
	       bridge_get_state(br, v->id, p->id) == BRIDGE_FORWARDING;
}

static void check_vlan(const struct vlan *v)
{
	for (unsigned int i = 0; i < br->words * 64; i++) {
		const struct port *p = bridge_port(br, i);
		bool member = vlan_is_member(v, i);

		expect(p || !member);
		/* Brought up to date when it is used. */
		expect(v->flood_at != br->changes ||
		       bits_test(v->flood, i) == (member && open_in(v, p)));
		expect(v->id || bits_test(br->open, i) == open_in(v, p));
		expect(bits_test(v->untagged, i) == (p && p->pvid == v->id));
		expect(!(bits_test(v->tagged, i) && bits_test(v->untagged, i)));
	}
}

static void check_port(const struct port *p)
{
	uint64_t accounted = taken[p->id] + p->n_tx;

	expect(bits_test(br->active, p->id) == port_is_active(p));
	expect((p->current_uid == PORT_NOBODY) == !port_is_active(p));
	expect(list_linked(&p->touched) == (p->n_tx > 0));
	expect(list_empty(&p->held) || list_linked(&p->holding));
	list_for_each(it, &p->endpoints) {
		const struct endpoint *ep = list_entry(it, struct endpoint,
						       node);

		expect(ep->port == p && ep->queue.count <= ep->queue.limit);
		accounted += ep->queue.count;
	}
	for (enum drop_reason r = 0; r < DROP_N_REASONS; r++)
		if (!drop_reason_is_ingress(r))
			accounted += p->drops[r];
	expect(shared[p->id] ||
	       p->out_frames - p->cut + p->segments == accounted);
}

static void check_addresses(void)
{
	const uint32_t now_s = (uint32_t)(now / 1000000000);
	struct mactab_entry e;
	size_t n = 0;

	for (size_t i = 0; mactab_next(br->macs, i, now_s, &e);
	     i = e.slot + 1, n++) {
		const struct vlan *v = br->vlans[mactab_vlan(e.key)];
		const struct port *p = bridge_port(br, e.port);

		expect(p && port_is_active(p));
		expect(!v || vlan_is_member(v, e.port));
	}
	expect(n <= mactab_used(br->macs) && mactab_used(br->macs) == known);
}

static void check_queues(void)
{
	uint64_t bytes = 0;

	for (int i = 0; i < N_EPS; i++)
		if (fakes[i].used)
			bytes += fakes[i].ep.queue.bytes;
	expect(br->queued <= bytes && (bytes == 0) == (br->queued == 0));
}

static void check_holding(void)
{
	size_t n = 0, held = 0, paused = 0;

	list_for_each(it, &br->holding) {
		const struct port *p = list_entry(it, struct port, holding);

		expect(bridge_port(br, p->id) == p && n++ <= br->numports);
		list_for_each(h, &p->held)
			held++;
	}
	for (int i = 0; i < N_EPS; i++) {
		const struct fake *f = &fakes[i];

		if (!f->used)
			continue;
		paused += f->paused;
		expect(f->paused == list_linked(&f->ep.held));
	}
	expect(held == paused);
}

static void check(void)
{
	for (unsigned int i = 0; i <= br->numports; i++)
		if (br->ports[i])
			check_port(br->ports[i]);
	for (int i = 0; i < N_VLANS; i++)
		if (br->vlans[vids[i]])
			check_vlan(br->vlans[vids[i]]);
	check_addresses();
	check_queues();
	check_holding();
}

/* ---- steps ---- */

static struct fake *some_endpoint(struct input *in)
{
	struct fake *f = &fakes[take(in) % N_EPS];

	return f->used ? f : NULL;
}

static void step_attach(struct input *in, unsigned int takes,
			unsigned int shorter)
{
	struct fake *f = &fakes[take(in) % N_EPS];
	const struct port_user user = { .uid = take(in) % 3 };
	int want = (int)(take(in) % 12) - 1;
	int id = bridge_port_for(br, want, &user);
	const struct port *p;

	if (f->used || id < 0)
		return;
	expect(want < 0 || id == want);
	p = bridge_port(br, (unsigned int)id);
	expect(!p || !port_is_active(p) || p->current_uid == user.uid);
	*f = (struct fake){ .used = true, .room = take(in) };
	endpoint_init(&f->ep, &tr_fake, 1, user.uid, "fuzz");
	if (takes & OFFLOAD_CSUM)
		f->ep.takes = takes & OFFLOAD_ALL;
	f->ep.max_len -= 32 * shorter;
	shared[id] |= p && port_is_active(p);
	expect(bridge_attach(br, (unsigned int)id, &f->ep) == 0);
}

static void step_port(struct input *in)
{
	unsigned int id = take(in) % 12, what = take(in) % 4;
	struct port *p = bridge_port(br, id);

	if (what == 0)
		bridge_port_create(br, id);
	else if (what == 1)
		bridge_port_create_auto(br);
	else if (what == 2 && !bridge_port_remove(br, id))
		taken[id] = shared[id] = 0;
	else if (what == 3 && p)
		p->allocatable = !p->allocatable;
}

static void step_vlan(struct input *in)
{
	unsigned int vid = vids[take(in) % N_VLANS], id = take(in) % 12;

	switch (take(in) % 6) {
	case 0:
		bridge_vlan_create(br, vid);
		break;
	case 1:
		bridge_vlan_remove(br, vid);
		break;
	case 2:
		bridge_vlan_add_port(br, vid, id);
		break;
	case 3:
		bridge_vlan_del_port(br, vid, id);
		break;
	case 4:
		bridge_port_set_vlan(br, id, vid ? vid : VLAN_NONE);
		break;
	default:
		bridge_port_set_vlan(br, id, vid);
	}
}

static void step_gate(struct input *in)
{
	unsigned int vid = vids[take(in) % N_VLANS], id = take(in) % 11;
	unsigned int what = take(in);

	if (!br->vlans[vid] || id > br->numports || !br->ports[id])
		return;
	switch (what % 4) {
	case 0:
		bridge_gate(br, vid, what & 4);
		break;
	case 1:
		bridge_block(br, id, what & 4);
		break;
	case 2:
		bridge_isolate(br, id, what & 4);
		break;
	default:
		if (br->vlans[vid]->gated)
			bridge_set_state(br, vid, id, what / 4 % 3);
	}
}

static void step_tables(struct input *in)
{
	unsigned int what = take(in) % 7, n = take(in);
	int rc;

	if (what == 0) {
		rc = bridge_set_numports(br, n % PORTS_MAX + 1);
		expect(!rc || rc == -EADDRINUSE);
	} else if (what == 1) {
		expect(!mactab_resize(br->macs, 4 * (size_t)n));
	} else if (what == 2) {
		mactab_set_expire(br->macs, n);
	} else if (what == 3) {
		mactab_set_persistence(br->macs, n % 8);
	} else if (what == 4) {
		bridge_set_hub(br, n % 2);
	} else if (what == 5) {
		bridge_set_vlan_mode(br, n % BRIDGE_VLAN_N_MODES);
	} else {
		br->queue_limit = n % 64;
	}
}

static void put_addr(uint8_t *p, unsigned int b)
{
	memset(p, 0, ETHER_ADDR_LEN);
	p[0] = b % 16 == 15 ? 0xff : 0x02;
	p[5] = (uint8_t)b;
}

static void step_frames(struct input *in)
{
	struct fake *from = some_endpoint(in);
	unsigned int n = take(in) % 64 + 1, dst = take(in), src = take(in);
	unsigned int tag = take(in), len = take(in);
	struct frame *f[BATCH_MAX];

	if (!from || from->paused) /* a transport does not read then */
		return;
	for (unsigned int i = 0; i < n; i++) {
		f[i] = frame_new(br->pool);
		if (!f[i]) {
			n = i;
			break;
		}
		memset(f[i]->data, 0xee, 2 * ETHER_MIN_LEN);
		put_addr(f[i]->data, dst + (dst & 64 ? i : 0));
		put_addr(f[i]->data + ETHER_ADDR_LEN, (src + i) & 127);
		if (tag & 1)
			memcpy(f[i]->data + FRAME_ADDRS,
			       (const uint8_t[]){ 0x81, 0, tag & 0xe0,
						  (uint8_t)vids[tag / 2 % 3] },
			       ETHER_TAG_LEN);
		f[i]->len = len == 255 ? ETHER_MAX_LEN + (i & 1) : len;
	}
	port_rx_take(&from->ep, f, (int)n, now);
}

static struct packet some_packet(struct input *in)
{
	unsigned int form = take(in);

	return (struct packet){
		.version = form & 1 ? 6 : 4,
		.udp = form & 2,
		.tags = form >> 2 & 3,
		.options = form & 16 ? 8 : 0,
		.tcp_options = form & 32 ? 12 : 0,
		.ttl = 64,
		.flags = (uint8_t)(form >> 6 & 1 ? 0x99 : 0x10),
		.df = form & 128,
		.payload = take(in) * 256 + take(in),
		.gso_size = (uint16_t)(take(in) * 16),
	};
}

/* An unfinished frame, of which a few bytes and words may be anything. */
static void step_unfinished(struct input *in)
{
	static uint8_t bytes[PACKET_MAX + 256];
	struct fake *from = some_endpoint(in);
	struct packet k = some_packet(in);
	unsigned int dst = take(in), n = take(in) % 4;
	struct frame_offload o;
	size_t len;
	struct frame *f;

	if (k.payload > 65400)
		k.payload = 65400;
	len = packet_make(&k, bytes, &o);
	put_addr(bytes, dst);
	if (dst & 1 && !(dst & 2))
		o.gso_type = 0;
	while (n--) {
		unsigned int at = take(in), v = take(in);

		if (at < sizeof(o))
			((uint8_t *)&o)[at] = (uint8_t)v;
		else
			bytes[at % 80] = (uint8_t)v;
	}
	f = from && !from->paused ? frame_new(br->pool) : NULL;
	if (!f)
		return;
	memcpy(f->data, bytes, len);
	f->len = (uint32_t)len;
	f->offload = o;
	expect(endpoint_cost(f) > 0);
	port_rx_take(&from->ep, &f, 1, now);
}

static void step_endpoint(struct input *in)
{
	struct fake *f = some_endpoint(in);
	unsigned int what = take(in) % 3, n = take(in);

	if (!f)
		return;
	if (what == 0) {
		bridge_detach(&f->ep);
	} else if (what == 1) {
		f->room += n;
		endpoint_writable(&f->ep);
	} else {
		f->ep.port->drops[DROP_QUEUE_FULL] += txq_set_limit(
			&f->ep.queue, n);
	}
}

static void step_time(struct input *in)
{
	uint64_t due;

	now += (uint64_t)take(in) * (take(in) & 1 ? 1000000000 : 10000);
	bridge_flush(br);
	expect(list_empty(&br->touched));
	due = bridge_expire(br, now);
	expect(!due || due > now);
	due = port_hold_expire(br, now);
	expect(!due || due > now);
	expect((due != 0) == !list_empty(&br->holding));
}

static void step(struct input *in)
{
	unsigned int takes;

	switch (take(in) % 16) {
	case 0:
	case 1:
		step_attach(in, 0, 0);
		break;
	case 12:
		takes = take(in);
		step_attach(in, takes, take(in));
		break;
	case 13:
	case 14:
	case 15:
		step_unfinished(in);
		break;
	case 2:
		step_port(in);
		break;
	case 3:
	case 4:
		step_vlan(in);
		break;
	case 5:
		step_tables(in);
		break;
	case 6:
	case 7:
		step_endpoint(in);
		break;
	case 8:
		step_time(in);
		break;
	case 9:
		step_gate(in);
		break;
	default:
		step_frames(in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bridge_config cf = { .numports = 10,
					  .hash_size = 16,
					  .secret = 1,
					  .pool_frames = POOL };
	struct input in = { data, size };

	br = bridge_new(&cf);
	expect(br);
	listener = (struct bridge_listener){ .events = ~0u, .fn = note };
	bridge_listen(br, &listener);
	now = UINT64_C(1000000000);
	memset(fakes, 0, sizeof(fakes));
	memset(taken, 0, sizeof(taken));
	memset(shared, 0, sizeof(shared));
	known = 0;
	while (in.left) {
		step(&in);
		check();
	}
	for (int i = 0; i < N_EPS; i++)
		if (fakes[i].used)
			bridge_detach(&fakes[i].ep);
	expect(known == 0 && list_empty(&br->holding));
	bridge_flush(br);
	expect(frame_pool_used(br->pool) == 0);
	bridge_free(br);
	return 0;
}
