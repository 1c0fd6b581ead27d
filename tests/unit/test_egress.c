// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What endpoints get that take less than what arrives. The frames they must
 * get are made anew from the description of the packet (packet.h), by code
 * that has nothing in common with what cuts here.
 */
#include "base/offload.h"

#include <string.h>

#include "../unit/packet.h"
#include "../unit/test.h"
#include "switch/bridge.h"

#define SEC UINT64_C(1000000000)
#define PORTS 8
#define MAX_GOT 600
#define VID 101 /* of packet_make()'s tag, whose priority is 1 */
#define OTHER 7

/* A frame in its wire form. */
struct wire {
	size_t len;
	struct frame_offload offload;
	uint8_t *bytes;
};

struct fake {
	struct endpoint ep;
	unsigned int room; /* frames that it takes before it is slow */
	unsigned int n;
	struct wire got[MAX_GOT];
};

static struct bridge *br;
static struct fake fakes[PORTS + 1];
static uint8_t super[PACKET_MAX], other[PACKET_MAX];
static struct frame_offload offload; /* of @super */

/* ---- a transport that keeps everything ---- */

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

static void *copy_of(const void *p, size_t n)
{
	void *to = malloc(n);

	if (!to)
		abort();
	return memcpy(to, p, n);
}

static int fake_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct fake *f = container_of(ep, struct fake, ep);
	int take = (int)size_min((size_t)n, f->room);

	CHECK(n > 0 && n <= BATCH_MAX);
	for (int i = 0; i < take; i++) {
		struct wire *w = &f->got[f->n % MAX_GOT];

		CHECK(f->n++ < MAX_GOT);
		w->len = flatten(other, &tx[i]);
		w->offload = offload_of(tx[i].frame, tx[i].tagged);
		w->bytes = copy_of(other, w->len);
	}
	f->room -= (unsigned int)take;
	return take;
}

static void fake_pause(struct endpoint *ep, bool on)
{
}

static void fake_close(struct endpoint *ep)
{
}

static const struct transport tr_fake = { "fake", "fake", fake_send, fake_pause,
					  fake_close };

static void forget(struct fake *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		free(f->got[i].bytes);
	f->n = 0;
}

static void plug(struct fake *f, unsigned int port, unsigned int takes)
{
	f->room = MAX_GOT;
	f->n = 0;
	endpoint_init(&f->ep, &tr_fake, port, PORT_NOBODY, "fake");
	f->ep.takes = takes;
	CHECK(bridge_attach(br, port, &f->ep) == 0);
}

static void setup(size_t pool_frames)
{
	const struct bridge_config cf = { .numports = PORTS,
					  .hash_size = 16,
					  .secret = 1,
					  .pool_frames = pool_frames };

	br = bridge_new(&cf);
	if (!br)
		abort();
	for (unsigned int i = 1; i <= PORTS; i++)
		bridge_port_create(br, i);
	plug(&fakes[1], 1, 0);
}

static void teardown(void)
{
	for (unsigned int i = 1; i <= PORTS; i++) {
		if (fakes[i].ep.port)
			bridge_detach(&fakes[i].ep);
		forget(&fakes[i]);
		fakes[i].ep.port = NULL;
	}
	CHECK(br->queued == 0);
	CHECK(frame_pool_used(br->pool) == 0);
	bridge_free(br);
}

/* The station 02:00:00:00:00:@addr is behind @port. */
static void learn(unsigned int port, uint16_t vid, unsigned int addr)
{
	unsigned int old = port;

	mactab_learn(br->macs, mactab_key(vid, UINT64_C(0x020000000000) + addr),
		     port, 1, &old);
}

static void rx_only(unsigned int port, const uint8_t *bytes, size_t len,
		    const struct frame_offload *o)
{
	struct frame *f = frame_new(br->pool);

	if (!f)
		abort();
	memset(f->data, 0xee, 100);
	memcpy(f->data, bytes, len);
	f->len = (uint32_t)len;
	f->offload = *o;
	port_rx_take(&fakes[port].ep, &f, 1, SEC);
}

static void rx(const uint8_t *bytes, size_t len, const struct frame_offload *o)
{
	rx_only(1, bytes, len, o);
	bridge_flush(br);
}

/* ---- what must come of it ---- */

enum kind {
	PLAIN,
	CSUM,
	TSO4,
	TSO6,
	USO4,
	USO6,
	N_KINDS
};

static const unsigned int needs[N_KINDS] = {
	[PLAIN] = 0,
	[CSUM] = OFFLOAD_CSUM,
	[TSO4] = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_ECN,
	[TSO6] = OFFLOAD_CSUM | OFFLOAD_TSO6,
	[USO4] = OFFLOAD_CSUM | OFFLOAD_USO,
	[USO6] = OFFLOAD_CSUM | OFFLOAD_USO,
};

static struct packet packet_of(enum kind kind)
{
	return (struct packet){
		.version = kind == TSO6 || kind == USO6 ? 6 : 4,
		.udp = kind == USO4 || kind == USO6,
		.tcp_options = 12,
		.ttl = 64,
		.flags = 0x19 | (kind == TSO4 ? 0x80 : 0), /* FIN PSH ACK CWR */
		.df = true,
		.id = 65534,
		.port = 4000,
		.seq = UINT32_C(0xfffffff0),
		.payload = kind >= TSO4 ? 5003 : 503,
		.gso_size = kind == PLAIN ? 0 : 1000,
	};
}

/* The frame as it comes in, to @super and @offload. */
static size_t make(enum kind kind, const struct packet *k)
{
	size_t len = packet_make(k, super, &offload);

	if (kind == CSUM) {
		offload.gso_type = 0;
		offload.gso_size = offload.hdr_len = 0;
	}
	if (kind == TSO4)
		offload.gso_type |= FRAME_GSO_ECN;
	return len;
}

/* Segment @i of the packet, which has no tag that a switch takes out. */
static size_t segment(const struct packet *k, unsigned int i, uint8_t *f)
{
	static uint8_t all[PACKET_MAX];
	struct packet one = *k;
	struct frame_offload o;
	struct packet_view v;
	size_t step = k->gso_size ? k->gso_size : k->payload, len, at;

	packet_make(k, all, &o);
	at = (o.flags ? o.hdr_len : 0u);
	one.gso_size = 0;
	one.payload = size_min(step, k->payload - i * step);
	one.seq += (uint32_t)(i * step);
	one.id = (uint16_t)(one.id + i);
	if ((i + 1) * step < k->payload)
		one.flags &= ~0x09; /* FIN, PSH: the last */
	if (i)
		one.flags &= ~0x80; /* CWR: the first */
	len = packet_make(&one, f, &o);
	if (at) {
		CHECK(packet_read(f, len, &v));
		memcpy(f + v.payload, all + at + i * step, one.payload);
		packet_seal(f, v.ip, v.l4, len, k->udp);
	}
	if (len < ETHER_MIN_LEN)
		memset(f + len, 0, ETHER_MIN_LEN - len);
	return len < ETHER_MIN_LEN ? ETHER_MIN_LEN : len;
}

static size_t insert_tag(uint8_t *f, size_t len, uint16_t tci)
{
	memmove(f + 16, f + 12, len - 12);
	packet_be16(f + 12, 0x8100);
	packet_be16(f + 14, tci);
	return len + 4;
}

static bool is_wire(const struct wire *w, const uint8_t *bytes, size_t len)
{
	return w->len == len && !memcmp(w->bytes, bytes, len);
}

/* Did the endpoint get the packet, without the tag of the way in, cut, with
 * the tag @tci (0: none)? */
static bool got_finished(const struct fake *f, const struct packet *k,
			 uint16_t tci)
{
	static uint8_t want[PACKET_MAX];
	unsigned int n = 1;
	bool ok;

	if (k->gso_size)
		n = (unsigned int)((k->payload + k->gso_size - 1) /
				   k->gso_size);
	ok = f->n == n;
	for (unsigned int i = 0; ok && i < n; i++) {
		size_t len = segment(k, i, want);

		if (tci)
			len = insert_tag(want, len, tci);
		ok = is_wire(&f->got[i], want, len) &&
		     offload_is_none(&f->got[i].offload);
	}
	return ok;
}

/* Or as it came? */
static bool got_whole(const struct fake *f, const struct packet *k,
		      enum kind kind, uint16_t tci)
{
	size_t len = make(kind, k);

	if (tci)
		len = insert_tag(super, len, tci);
	if (tci && kind != PLAIN)
		offload.csum_start += 4;
	if (tci && offload.hdr_len)
		offload.hdr_len += 4;
	return f->n == 1 && is_wire(&f->got[0], super, len) &&
	       !memcmp(&f->got[0].offload, &offload, sizeof(offload));
}

/* ---- the matrix ---- */

enum mode {
	TRANSPARENT, /* no VLANs */
	UNTAGGED, /* it leaves on access ports */
	TAGGED, /* it leaves on trunks */
	N_MODES
};

static const unsigned int takes[] = {
	0,
	OFFLOAD_CSUM,
	OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN,
	OFFLOAD_ALL,
};
#define N_TAKES ((unsigned int)ARRAY_SIZE(takes))

struct cell {
	enum kind kind;
	int tags; /* in the bytes; 2: the outer one stays there */
	enum mode mode;
	unsigned int to; /* 0: flood, else 1 + which of @takes */
};

static void set_vlans(const struct cell *c, uint16_t vid)
{
	if (c->mode == TRANSPARENT)
		return;
	bridge_vlan_create(br, VID);
	bridge_vlan_create(br, OTHER);
	bridge_port_set_vlan(br, 1, OTHER);
	bridge_vlan_add_port(br, VID, 1);
	for (unsigned int i = 0; i < N_TAKES; i++) {
		if (c->mode == TAGGED)
			CHECK(!bridge_vlan_add_port(br, vid, 2 + i));
		else
			CHECK(!bridge_port_set_vlan(br, 2 + i, vid));
	}
}

static void check_port(const struct cell *c, const struct packet *k,
		       unsigned int i, uint16_t tci)
{
	const struct fake *f = &fakes[2 + i];
	bool able = (takes[i] & needs[c->kind]) == needs[c->kind];
	bool ok;

	/* Nobody looks for the place to cut behind three tags. */
	if (c->kind >= TSO4 && c->tags == 2 && tci)
		able = false;

	if (c->to && c->to != 1 + i)
		ok = f->n == 0;
	else if (able)
		ok = got_whole(f, k, c->kind, tci) ||
		     (c->kind == CSUM && !c->to && got_finished(f, k, tci));
	else
		ok = got_finished(f, k, tci);
	if (ok)
		return;
	printf("# kind %d, %d tags, mode %d, to %u: port with %#x got %u\n",
	       c->kind, c->tags, c->mode, c->to, takes[i], f->n);
	test_failed = 1;
}

static void check_cell(const struct cell *c)
{
	struct packet k = packet_of(c->kind);
	uint16_t vid = c->mode == TRANSPARENT ? 0 : OTHER, tci = 0;
	size_t len;

	setup(256);
	for (unsigned int i = 0; i < N_TAKES; i++)
		plug(&fakes[2 + i], 2 + i, takes[i]);
	if (c->tags == 1)
		vid = VID;
	set_vlans(c, vid);
	if (c->mode == TAGGED || (c->mode == TRANSPARENT && c->tags == 1))
		tci = (uint16_t)((c->tags == 1 ? 0x2000 : 0) | vid);
	if (c->to)
		learn(1 + c->to, vid, 2); /* packet_make() */
	k.tags = c->tags;
	len = make(c->kind, &k);
	rx(super, len, &offload);
	CHECK(fakes[1].n == 0);
	if (c->tags == 1)
		k.tags = 0;
	for (unsigned int i = 0; i < N_TAKES; i++)
		check_port(c, &k, i, tci);
	teardown();
}

static void everybody_gets_what_he_takes(void)
{
	struct cell c;

	for (c.kind = PLAIN; c.kind < N_KINDS; c.kind++)
		for (c.tags = 0; c.tags <= 2; c.tags++)
			for (c.mode = TRANSPARENT; c.mode < N_MODES; c.mode++)
				for (c.to = 0; c.to <= N_TAKES; c.to++)
					check_cell(&c);
}

static void a_hub_does_the_same_and_leaves_tags_alone(void)
{
	for (enum kind kind = PLAIN; kind < N_KINDS; kind++) {
		for (int tags = 0; tags <= 2; tags++) {
			struct packet k = packet_of(kind);
			struct cell c = { .kind = kind, .tags = tags };

			setup(256);
			bridge_set_hub(br, true);
			for (unsigned int i = 0; i < N_TAKES; i++)
				plug(&fakes[2 + i], 2 + i, takes[i]);
			k.tags = tags;
			rx(super, make(kind, &k), &offload);
			for (unsigned int i = 0; i < N_TAKES; i++)
				check_port(&c, &k, i, 0);
			teardown();
		}
	}
}

/* ---- at the edges ---- */

static void what_makes_no_sense_does_not_come_in(void)
{
	struct packet k = packet_of(TSO4);
	struct frame_offload o;
	size_t len = make(TSO4, &k);

	setup(256);
	plug(&fakes[2], 2, OFFLOAD_ALL);
	o = offload;
	o.gso_size = 0;
	rx(super, len, &o);
	o = offload;
	o.csum_start = 13;
	rx(super, len, &o);
	o = offload;
	o.gso_type = FRAME_GSO_UFO;
	rx(super, len, &o);
	CHECK(fakes[2].n == 0 && br->ports[1]->in_frames == 0);
	CHECK(br->ports[1]->drops[DROP_OFFLOAD] == 3);
	offload.hdr_len = 3; /* that does not matter */
	rx(super, len, &offload);
	CHECK(fakes[2].n == 1 && fakes[2].got[0].offload.hdr_len == 66);
	teardown();
}

static void segments_are_as_short_as_other_frames(void)
{
	struct packet k = packet_of(TSO4);
	size_t len;

	setup(256);
	plug(&fakes[2], 2, OFFLOAD_ALL);
	k.payload = 30000;
	k.gso_size = ETHER_MAX_LEN - 66;
	len = make(TSO4, &k);
	rx(super, len, &offload);
	CHECK(fakes[2].n == 1);
	k.gso_size++;
	len = make(TSO4, &k);
	rx(super, len, &offload);
	k.gso_size = 30000; /* nothing to cut, then */
	len = make(TSO4, &k);
	rx(super, len, &offload);
	CHECK(fakes[2].n == 1 && br->ports[1]->drops[DROP_TOO_LONG] == 2);
	teardown();
}

static void an_endpoint_gets_nothing_longer_than_it_takes(void)
{
	struct packet k = packet_of(TSO4);
	size_t len;

	setup(256);
	plug(&fakes[2], 2, 0);
	plug(&fakes[3], 3, OFFLOAD_ALL);
	fakes[2].ep.max_len = fakes[3].ep.max_len = 1066;
	rx(super, make(TSO4, &k), &offload);
	CHECK(got_finished(&fakes[2], &k, 0) && fakes[3].n == 1);
	k.gso_size = 1001;
	rx(super, make(TSO4, &k), &offload);
	k = packet_of(PLAIN);
	k.payload = 1000;
	len = make(PLAIN, &k);
	CHECK(len == 1066);
	rx(super, len, &offload);
	rx(super, len + 1, &offload);
	CHECK(fakes[2].n == 7 && fakes[3].n == 2);
	CHECK(br->ports[2]->drops[DROP_MTU] == 2);
	CHECK(br->ports[3]->drops[DROP_MTU] == 2);
	CHECK(br->ports[2]->cut == 1 && br->ports[2]->segments == 6);
	CHECK(br->ports[2]->out_frames == 4);
	teardown();
}

static void a_short_frame_is_padded_after_it_was_cut(void)
{
	struct packet k = packet_of(TSO4);

	setup(256);
	plug(&fakes[2], 2, 0);
	plug(&fakes[3], 3, OFFLOAD_ALL);
	k.tcp_options = 0;
	k.payload = 2;
	k.gso_size = 1;
	rx(super, make(TSO4, &k), &offload);
	CHECK(got_finished(&fakes[2], &k, 0));
	CHECK(got_whole(&fakes[3], &k, TSO4, 0) && fakes[3].got[0].len == 56);
	teardown();
}

static void order_is_kept_when_some_are_cut(void)
{
	struct packet a = packet_of(PLAIN), b = packet_of(USO6);
	struct frame_offload none = { 0 };
	size_t len = make(PLAIN, &a);

	setup(256);
	plug(&fakes[2], 2, 0);
	super[40] = 1;
	rx_only(1, super, len, &none);
	rx_only(1, super, make(USO6, &b), &offload);
	make(PLAIN, &a);
	super[40] = 2;
	rx_only(1, super, len, &none);
	bridge_flush(br);
	CHECK(fakes[2].n == 8);
	CHECK(fakes[2].got[0].bytes[40] == 1 && fakes[2].got[7].bytes[40] == 2);
	teardown();
}

static void what_a_slow_endpoint_did_not_take_waits_cut(void)
{
	struct packet k = packet_of(TSO6);

	setup(4096);
	plug(&fakes[2], 2, 0);
	fakes[2].room = 2;
	rx(super, make(TSO6, &k), &offload);
	CHECK(fakes[2].n == 2 && fakes[2].ep.queue.count == 4);
	fakes[2].room = 100;
	endpoint_writable(&fakes[2].ep);
	CHECK(got_finished(&fakes[2], &k, 0));
	fakes[2].room = 0;
	for (int i = 0; i < 40; i++)
		rx(super, make(TSO6, &k), &offload);
	CHECK(fakes[2].ep.queue.count == BRIDGE_DEFAULT_QLEN);
	/* 128 segments are 21 frames and a part; the rest is not cut. */
	CHECK(br->ports[2]->cut == 1 + 22);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 4 + 18);
	teardown();
}

static void a_pool_that_runs_out_costs_the_rest_of_one_frame(void)
{
	struct packet k = packet_of(TSO4);
	unsigned int n;

	setup(20);
	plug(&fakes[2], 2, 0);
	k.payload = 40000;
	rx(super, make(TSO4, &k), &offload);
	n = fakes[2].n;
	CHECK(n == 19 && br->ports[2]->drops[DROP_NO_BUFFER] == 40 - 19);
	k.payload = 19000; /* as many as there are */
	forget(&fakes[2]);
	rx(super, make(TSO4, &k), &offload);
	CHECK(got_finished(&fakes[2], &k, 0));
	teardown();
}

static void many_segments_need_few_frames_of_the_pool(void)
{
	struct packet k = packet_of(TSO4);

	setup(1 + BATCH_MAX);
	plug(&fakes[2], 2, 0);
	k.payload = 51000;
	k.gso_size = 100;
	rx(super, make(TSO4, &k), &offload);
	CHECK(got_finished(&fakes[2], &k, 0));
	teardown();
}

static void endpoints_of_one_port_may_take_different_things(void)
{
	static struct fake twin;
	struct packet k = packet_of(TSO4);

	setup(256);
	plug(&fakes[2], 2, 0);
	plug(&twin, 2, OFFLOAD_ALL);
	CHECK(br->ports[2]->takes == 0);
	rx(super, make(TSO4, &k), &offload);
	CHECK(got_finished(&fakes[2], &k, 0));
	CHECK(got_whole(&twin, &k, TSO4, 0));
	bridge_detach(&fakes[2].ep);
	fakes[2].ep.port = NULL;
	CHECK(br->ports[2]->takes == OFFLOAD_ALL);
	bridge_detach(&twin.ep);
	forget(&twin);
	teardown();
}

/* ---- bounds ---- */

static void a_queue_is_bounded_in_bytes(void)
{
	struct packet k = packet_of(TSO4);
	size_t len;

	setup(4096);
	plug(&fakes[2], 2, OFFLOAD_ALL);
	fakes[2].room = 0;
	k.payload = 60000;
	len = make(TSO4, &k);
	for (int i = 0; i < 100; i++)
		rx(super, len, &offload);
	CHECK(fakes[2].ep.queue.count == BRIDGE_DEFAULT_QLEN * 9234 / len);
	CHECK(br->queued == fakes[2].ep.queue.count * len);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] ==
	      100 - fakes[2].ep.queue.count);
	CHECK(txq_set_limit(&fakes[2].ep.queue, 20) > 0);
	CHECK(fakes[2].ep.queue.count == 3);
	CHECK(txq_set_limit(&fakes[2].ep.queue, 1) == 2);
	CHECK(br->queued == len);
	fakes[2].room = 100;
	endpoint_writable(&fakes[2].ep);
	CHECK(fakes[2].n == 1 && br->queued == 0);
	teardown();
}

static void all_queues_together_are_bounded_in_bytes(void)
{
	struct packet k = packet_of(TSO4);
	size_t len, waiting = 0;

	setup(8192);
	for (unsigned int i = 2; i <= PORTS; i++) {
		plug(&fakes[i], i, OFFLOAD_ALL);
		fakes[i].room = 0;
		txq_set_limit(&fakes[i].ep.queue, 10000);
		learn(i, 0, i);
	}
	k.payload = 60000;
	len = make(TSO4, &k);
	for (int n = 0; n < 500; n++) {
		for (unsigned int i = 2; i <= PORTS; i++) {
			super[5] = (uint8_t)i;
			rx(super, len, &offload);
		}
	}
	for (unsigned int i = 2; i <= PORTS; i++) {
		CHECK(fakes[i].ep.queue.count > 50);
		CHECK(br->ports[i]->drops[DROP_NO_BUFFER] > 0);
		waiting += fakes[i].ep.queue.count;
	}
	CHECK(br->queued == waiting * len && br->queued < 64 << 20);
	teardown();
}

static void a_frame_in_many_queues_is_held_once(void)
{
	struct packet k = packet_of(TSO4);
	size_t len = make(TSO4, &k);

	setup(4096);
	for (unsigned int i = 2; i <= PORTS; i++) {
		plug(&fakes[i], i, OFFLOAD_ALL);
		fakes[i].room = 0;
	}
	rx(super, len, &offload);
	CHECK(br->queued == len);
	bridge_detach(&fakes[2].ep);
	fakes[2].ep.port = NULL;
	CHECK(br->queued == len);
	teardown();
}

static void who_is_cut_brings_fewer_frames(void)
{
	struct packet k = packet_of(TSO4);
	struct endpoint *ep = &fakes[1].ep;
	size_t len;

	setup(256);
	plug(&fakes[2], 2, 0);
	k.payload = 45000;
	len = make(TSO4, &k);
	rx(super, len, &offload);
	CHECK(ep->segments == 45 && endpoint_budget(ep, 1) == 2);
	rx(super, make(PLAIN, &k), &(struct frame_offload){ 0 });
	teardown();
	setup(256);
	plug(&fakes[2], 2, OFFLOAD_ALL);
	len = make(TSO4, &k);
	rx(super, len, &offload);
	CHECK(ep->segments == 0 && endpoint_budget(ep, 1) == 32);
	teardown();
}

static unsigned int cost(uint32_t len, uint16_t gso_size)
{
	const struct frame f = {
		.len = len,
		.offload = { .gso_type = gso_size ? FRAME_GSO_TCPV4 : 0,
			     .gso_size = gso_size },
	};

	return endpoint_cost(&f);
}

static void long_frames_and_many_segments_cost_more(void)
{
	CHECK(cost(60, 0) == 1 && cost(9000, 0) == 1);
	CHECK(cost(65000, 1448) == 9);
	CHECK(cost(65000, 130) >= 16); /* 500 segments */
	CHECK(cost(60, 1) < 4);
}

int main(void)
{
	RUN(everybody_gets_what_he_takes);
	RUN(a_hub_does_the_same_and_leaves_tags_alone);
	RUN(what_makes_no_sense_does_not_come_in);
	RUN(segments_are_as_short_as_other_frames);
	RUN(an_endpoint_gets_nothing_longer_than_it_takes);
	RUN(a_short_frame_is_padded_after_it_was_cut);
	RUN(order_is_kept_when_some_are_cut);
	RUN(what_a_slow_endpoint_did_not_take_waits_cut);
	RUN(a_pool_that_runs_out_costs_the_rest_of_one_frame);
	RUN(many_segments_need_few_frames_of_the_pool);
	RUN(endpoints_of_one_port_may_take_different_things);
	RUN(a_queue_is_bounded_in_bytes);
	RUN(all_queues_together_are_bounded_in_bytes);
	RUN(a_frame_in_many_queues_is_held_once);
	RUN(who_is_cut_brings_fewer_frames);
	RUN(long_frames_and_many_segments_cost_more);
	DONE();
}
