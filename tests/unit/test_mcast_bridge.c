// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Multicast snooping in the bridge: which ports get which frames, and what
 * the spanning tree has to do with it.
 */
#include "../unit/bridge_fixture.h"
#include "mcast_frame.h"
#include "switch/mcast.h"
#include "switch/stp.h"

#define G4 UINT32_C(0xef010203)

static struct mcast *m;
static struct mf f;
static uint64_t now;

static void no_transmit(void *ctx, unsigned int vid, int port,
			const uint8_t *frame, size_t len)
{
}

static void no_event(void *ctx, const struct mcast_event *ev)
{
}

static const struct mcast_ops ops = { no_transmit, no_event };

/* Its tag, if it has one, is in front of the type. */
static void rx_frame(unsigned int port, int tci)
{
	struct frame *fr = frame_new(br->pool);
	size_t at = tci < 0 ? 0 : 4;

	memcpy(fr->data, f.bytes, 12);
	if (tci >= 0)
		packet_be32(fr->data + 12, 0x81000000 | (uint32_t)tci);
	memcpy(fr->data + 12 + at, f.bytes + 12, f.len - 12);
	fr->len = (uint32_t)(f.len + at);
	port_rx_take(&fakes[port].ep, &fr, 1, now);
	bridge_flush(br);
}

static void join(unsigned int port, int tci)
{
	mf_report2(&f, G4);
	rx_frame(port, tci);
}

/* @tenths of a second to answer, and they have passed. */
static void query_in(unsigned int port, int tci, uint8_t tenths)
{
	mf_query2(&f, 0x0a000001, tenths, 0);
	rx_frame(port, tci);
	now += tenths * (SEC / 10) + SEC;
	mcast_tick(m, now);
}

static void query(unsigned int port, int tci)
{
	query_in(port, tci, 100);
}

/* Which of the first four ports get data of the group from port 4. */
static unsigned int data(int tci)
{
	unsigned int got = 0;
	int before[5];

	for (int i = 1; i < 5; i++)
		before[i] = fakes[i].sent;
	mf_data(&f, mf_v4(G4));
	rx_frame(4, tci);
	for (int i = 1; i < 5; i++)
		if (fakes[i].sent > before[i])
			got |= 1u << i;
	return got;
}

static void begin(void)
{
	struct mcast_config cf = { .ops = &ops, .secret = 3 };

	setup(4);
	now = 1000 * SEC;
	cf.words = br->words;
	m = mcast_new(&cf, now);
	mcast_enable(m, true, now);
	br->mcast = m;
	query(1, -1);
}

static void end(void)
{
	br->mcast = NULL;
	mcast_free(m);
	teardown();
}

static void a_group_reaches_its_members_and_routers_only(void)
{
	begin();
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	join(2, -1);
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	join(4, -1); /* and never where it comes from */
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	br->mcast = NULL;
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	end();
}

static void other_frames_to_group_addresses_go_everywhere(void)
{
	begin();
	join(2, -1);
	rx(4, ALL, A, -1);
	rx(4, UINT64_C(0x01005e010203), A, -1); /* not IP */
	CHECK(fakes[3].sent == 3); /* the query was the first */
	rx(4, B, A, -1);
	CHECK(fakes[3].sent == 4);
	end();
}

static void a_broken_message_is_a_dropped_frame(void)
{
	begin();
	mf_report2(&f, G4);
	f.bytes[MF_IP4 + 2] ^= 1;
	rx_frame(3, -1);
	CHECK(br->ports[3]->drops[DROP_MCAST] == 1 && !fakes[1].sent);
	end();
}

static void tagged_frames_are_told_apart_by_vlan(void)
{
	begin();
	query(1, 7); /* which is not defined */
	join(2, 7);
	CHECK(data(7) == (1 << 1 | 1 << 2));
	join(3, -1);
	CHECK(data(-1) == (1 << 1 | 1 << 3));
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_vlan_add_port(br, 5, 2) == 0);
	CHECK(bridge_port_set_vlan(br, 3, 5) == 0);
	CHECK(bridge_port_set_vlan(br, 4, 5) == 0);
	query(2, 5);
	join(3, -1);
	CHECK(data(-1) == (1 << 2 | 1 << 3)); /* the former has the router */
	end();
}

static void what_keeps_frames_from_passing_still_does(void)
{
	begin();
	join(2, -1);
	join(3, -1);
	bridge_isolate(br, 3, true);
	bridge_isolate(br, 4, true);
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	bridge_block(br, 2, true);
	CHECK(data(-1) == 1 << 1);
	bridge_isolate(br, 3, false);
	bridge_isolate(br, 4, false);
	bridge_block(br, 3, true);
	now += 300 * SEC;
	mcast_tick(m, now);
	query(1, -1);
	join(1, -1); /* so that it is a group */
	CHECK(data(-1) == 1 << 1);
	bridge_block(br, 3, false); /* who knows what is wanted there? */
	CHECK(data(-1) == (1 << 1 | 1 << 3));
	bridge_detach(&fakes[1].ep);
	CHECK(data(-1) == 1 << 3);
	end();
}

static void more_ports_can_join(void)
{
	begin();
	join(2, -1);
	CHECK(bridge_set_numports(br, 200) == 0 && br->words == 4);
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	join(3, -1);
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	end();
}

/* ---- spanning tree ---- */

static uint64_t get_now(void *ctx)
{
	return now;
}

static void ignore(void *ctx, const struct stp_event *ev)
{
}

static void bpdu(unsigned int port, uint8_t flags)
{
	const struct rstp_bpdu b = {
		.kind = RSTP_RST,
		.role = RSTP_DESIGNATED,
		.flags = flags | RSTP_LEARNING_FLAG | RSTP_FORWARDING_FLAG,
		.root = 1,
		.bridge = 1,
		.port = 0x8001,
		.times = { 0, 20 * RSTP_SECOND, 2 * RSTP_SECOND,
			   15 * RSTP_SECOND },
	};

	f.len = rstp_bpdu_write(&b, 1, f.bytes);
	rx_frame(port, -1);
}

static void pass(struct stp *stp, unsigned int seconds)
{
	for (unsigned int i = 0; i < 10 * seconds; i++) {
		now += SEC / 10;
		stp_tick(stp, now);
		mcast_tick(m, now);
		if (i % 10 == 0)
			bpdu(1, 0);
	}
}

static void the_tree_says_when_frames_take_another_way(void)
{
	static const struct stp_ops stp_ops = { get_now, ignore };
	struct stp_member_config edge = STP_MEMBER_DEFAULT;
	struct stp *stp;

	begin();
	stp = stp_new(br, &stp_ops, NULL);
	stp_set_mac(stp, 0x00ff01020304);
	edge.edge = true;
	for (unsigned int i = 2; i <= 4; i++)
		CHECK(stp_member_set(stp, 0, i, &edge) == 0);
	CHECK(stp_set_on(stp, true) == 0);
	pass(stp, 40);
	CHECK(bridge_get_state(br, 0, 1) == BRIDGE_FORWARDING);
	query(1, -1);
	query(1, 7);
	join(2, -1);
	join(2, 7);
	CHECK(data(-1) == (1 << 1 | 1 << 2) && data(7) == (1 << 1 | 1 << 2));
	bpdu(1, RSTP_TC);
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	query_in(1, -1, 5);
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	bpdu(1, RSTP_TC); /* so soon after the first one it may be the same */
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	CHECK(data(7) == (1 << 1 | 1 << 2 | 1 << 3));
	pass(stp, 1);
	query(1, -1);
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	CHECK(stp_set_on(stp, false) == 0); /* other ways are open now */
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	stp_free(stp);
	end();
}

static void a_port_that_begins_to_forward_is_asked(void)
{
	static const struct stp_ops stp_ops = { get_now, ignore };
	struct stp_member_config edge = STP_MEMBER_DEFAULT;
	struct stp *stp;

	begin();
	join(2, -1);
	stp = stp_new(br, &stp_ops, NULL);
	stp_set_mac(stp, 0x00ff01020304);
	edge.edge = true;
	for (unsigned int i = 1; i <= 4; i++)
		CHECK(stp_member_set(stp, 0, i, &edge) == 0);
	CHECK(stp_set_on(stp, true) == 0);
	query(1, -1);
	query(1, -1);
	join(2, -1);
	CHECK(data(-1) == (1 << 1 | 1 << 2));
	edge.edge = false;
	CHECK(stp_member_set(stp, 0, 3, &edge) == 0);
	bridge_detach(&fakes[3].ep);
	plug(3); /* it listens first */
	query(1, -1); /* and does not hear this */
	for (int i = 0; i < 400; i++) {
		now += SEC / 10;
		stp_tick(stp, now);
	}
	mcast_tick(m, now);
	join(2, -1);
	CHECK(bridge_get_state(br, 0, 3) == BRIDGE_FORWARDING);
	CHECK(data(-1) == (1 << 1 | 1 << 2 | 1 << 3));
	stp_free(stp);
	end();
}

int main(void)
{
	RUN(a_group_reaches_its_members_and_routers_only);
	RUN(other_frames_to_group_addresses_go_everywhere);
	RUN(a_broken_message_is_a_dropped_frame);
	RUN(tagged_frames_are_told_apart_by_vlan);
	RUN(what_keeps_frames_from_passing_still_does);
	RUN(more_ports_can_join);
	RUN(the_tree_says_when_frames_take_another_way);
	RUN(a_port_that_begins_to_forward_is_asked);
	DONE();
}
