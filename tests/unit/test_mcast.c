// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snooping with hosts and routers that say what the test has them say, on a
 * clock of its own. Eight ports, all in every VLAN; EGRESS(ports...) is where
 * a frame must go.
 */
#include "switch/mcast.h"

#include <errno.h>

#include "../unit/test.h"
#include "base/bits.h"
#include "mcast_frame.h"

#define SEC UINT64_C(1000000000)
#define START (1000 * SEC)
#define G4 UINT32_C(0xef010203)
#define G6 mf_v6(MF_FF0E, 0x77)
#define NODE6 mf_v6(MF_FF02, UINT64_C(0x1ff123456))
#define ROUTER UINT32_C(0x0a000001)
#define SETTLED (11 * SEC) /* after a query with the usual 10 s */
#define MAC UINT64_C(0x00ff01020304)

static struct mcast *m;
static struct mf f;
static uint64_t now;
static uint64_t all[3] = { 0x1ff, 0, 2 }; /* the last for 129 */
static unsigned int vid;
static bool gso;

static int n_sent, last_port;
static unsigned int last_vid;
static struct mf last;
static int events[MCAST_N_EVENTS];
static struct mcast_event last_event;
static int queriers_gone;

static void on_transmit(void *ctx, unsigned int to, int port,
			const uint8_t *frame, size_t len)
{
	n_sent++;
	last_port = port;
	last_vid = to;
	memcpy(last.bytes, frame, len);
	last.len = len;
}

static void on_event(void *ctx, const struct mcast_event *ev)
{
	events[ev->type]++;
	last_event = *ev;
	queriers_gone += ev->type == MCAST_QUERIER && ev->gone;
}

static void setup_off(void)
{
	static const struct mcast_ops ops = { on_transmit, on_event };
	const struct mcast_config cf = {
		.ops = &ops, .secret = 7, .mac = MAC, .words = 1
	};

	now = START;
	vid = 0;
	gso = false;
	n_sent = queriers_gone = 0;
	memset(events, 0, sizeof(events));
	m = mcast_new(&cf, now);
	CHECK(m);
}

static void setup(void)
{
	setup_off();
	mcast_enable(m, true, now);
}

static void teardown(void)
{
	struct mcast_info info;

	mcast_enable(m, false, now);
	mcast_get_info(m, &info);
	CHECK(info.members == 0 && mcast_next(m) == 0);
	mcast_free(m);
}

/* As a main loop does it. */
static void pass(uint64_t time)
{
	uint64_t end = now + time, next;

	while ((next = mcast_next(m)) && next <= end) {
		now = next;
		CHECK(mcast_tick(m, now) != next);
	}
	now = end;
}

/* The frame in @f comes in; the set of ports it goes to, ~0: to none. */
static uint64_t in(unsigned int port)
{
	struct frame fr = { .data = f.bytes, .len = (uint32_t)f.len };
	const uint64_t *set;

	if (gso)
		fr.offload.gso_type = FRAME_GSO_UDP_L4;
	set = mcast_egress(m, vid, port, &fr, all, now);
	return set ? *set : ~UINT64_C(0);
}

#define NONE (~UINT64_C(0))
#define ALL (all[0])
#define P(n) (UINT64_C(1) << (n))

static uint64_t data4(uint32_t group)
{
	mf_data(&f, mf_v4(group));
	return in(8);
}

static uint64_t data6(struct mcast_addr group)
{
	mf_data(&f, group);
	return in(8);
}

static uint64_t join4(unsigned int port, uint32_t group)
{
	mf_report2(&f, group);
	return in(port);
}

static uint64_t join6(unsigned int port, struct mcast_addr group)
{
	mf_mld_report(&f, group);
	return in(port);
}

static uint64_t leave4(unsigned int port, uint32_t group)
{
	mf_leave2(&f, group);
	return in(port);
}

static uint64_t query4(unsigned int port, uint32_t source)
{
	mf_query2(&f, source, 100, 0);
	return in(port);
}

static uint64_t query6(unsigned int port, uint64_t source)
{
	mf_mld_query(&f, mf_v6(MF_LL, source), 10000, mf_v6(0, 0));
	return in(port);
}

/* A router on port 1 has asked, and everybody had the time to answer. */
static void setup_asked(void)
{
	setup();
	CHECK(query4(1, ROUTER) == ALL);
	CHECK(query6(1, 1) == ALL);
	pass(SETTLED);
}

static struct mcast_state state_of(int v6)
{
	struct mcast_vlan_info info = { 0 };

	CHECK(mcast_get_vlan(m, vid, &info) == 0);
	return info.state[v6];
}

static uint64_t count(enum mcast_count c)
{
	struct mcast_info info;

	mcast_get_info(m, &info);
	return info.counts[c];
}

/* ---- data ---- */

static void off_it_floods_and_learns_nothing(void)
{
	setup_off();
	CHECK(query4(1, ROUTER) == ALL);
	CHECK(join4(2, G4) == ALL);
	CHECK(data4(G4) == ALL && mcast_vlan_next(m, 0) == -1);
	teardown();
}

static void without_a_querier_all_is_flooded(void)
{
	setup();
	CHECK(join4(2, G4) == ALL); /* reports, too */
	CHECK(join6(2, G6) == ALL);
	pass(SETTLED);
	CHECK(data4(G4) == ALL && data6(G6) == ALL);
	CHECK(state_of(0).groups == 1 && state_of(1).groups == 1);
	teardown();
}

static void a_group_goes_to_members_and_routers(void)
{
	setup_asked();
	join4(2, G4);
	join4(5, G4);
	join6(3, G6);
	CHECK(data4(G4) == (P(1) | P(2) | P(5)));
	CHECK(data6(G6) == (P(1) | P(3)));
	teardown();
}

static void what_nobody_joined_is_flooded_or_for_routers(void)
{
	setup_asked();
	CHECK(data4(G4) == ALL && data6(G6) == ALL);
	mcast_set_flood_unknown(m, false);
	CHECK(data4(G4) == P(1) && data6(G6) == P(1));
	CHECK(data4(0xe00000fb) == ALL && data6(mf_v6(MF_FF02, 1)) == ALL);
	teardown();
}

static void groups_that_share_a_mac_address_are_apart(void)
{
	setup_asked();
	join4(2, G4);
	join4(3, G4 ^ 0x00800000);
	CHECK(data4(G4) == (P(1) | P(2)));
	CHECK(data4(G4 ^ 0x00800000) == (P(1) | P(3)));
	join6(4, mf_v6(MF_FF0E, 0x77));
	join6(5, mf_v6(MF_FF0E + 1, 0x77));
	CHECK(data6(mf_v6(MF_FF0E, 0x77)) == (P(1) | P(4)));
	CHECK(data6(mf_v6(MF_FF0E + 1, 0x77)) == (P(1) | P(5)));
	teardown();
}

static void vlans_are_apart(void)
{
	setup_asked();
	join4(2, G4);
	vid = 5;
	CHECK(data4(G4) == ALL);
	query4(3, ROUTER);
	pass(SETTLED);
	join4(4, G4);
	CHECK(data4(G4) == (P(3) | P(4)));
	vid = 0;
	CHECK(data4(G4) == (P(1) | P(2)));
	all[0] = P(2) | P(4); /* what is not in the VLAN stays out */
	CHECK(data4(G4) == P(2));
	all[0] = 0x1ff;
	teardown();
}

static void what_is_not_understood_is_flooded(void)
{
	setup_asked();
	join4(2, G4);
	mf_data(&f, mf_v4(G4));
	f.bytes[12] = 0x81; /* a second tag */
	f.bytes[13] = 0;
	CHECK(in(8) == ALL);
	mf_igmp(&f, 0x13, 0, 1, G4, G4);
	CHECK(in(8) == ALL && count(MCAST_UNKNOWN) == 1);
	mf_report2(&f, G4 + 1);
	f.bytes[20] = 0x20;
	mf_seal4(&f);
	CHECK(in(8) == ALL && state_of(0).groups == 1);
	gso = true;
	mf_report2(&f, G4 + 1); /* not what the bytes seem to be */
	CHECK(in(8) == ALL && state_of(0).groups == 1);
	CHECK(data4(G4) == (P(1) | P(2))); /* a long datagram is data */
	teardown();
}

static void broken_messages_are_dropped_and_counted(void)
{
	struct mcast_port_info info;

	setup_asked();
	mf_report2(&f, G4);
	f.bytes[MF_IP4 + 2] ^= 1;
	CHECK(in(4) == NONE);
	mf_mld_report(&f, G6);
	f.bytes[MF_IP6 + 2] ^= 1;
	CHECK(in(4) == NONE);
	CHECK(state_of(0).groups == 0 && count(MCAST_BAD) == 2);
	mcast_get_port(m, 4, &info);
	CHECK(info.counts[MCAST_BAD] == 2 && !info.members);
	teardown();
}

/* ---- members ---- */

static void reports_go_to_routers_only(void)
{
	setup_asked();
	CHECK(join4(2, G4) == P(1) && join6(2, G6) == P(1));
	mf_report3(&f, 4, G4, 0);
	CHECK(in(3) == P(1));
	mf_mld_report2(&f, mf_v6(0, 0), 4, G6, 0);
	CHECK(in(3) == P(1) && data6(G6) == (P(1) | P(2) | P(3)));
	CHECK(leave4(2, G4) == P(1));
	CHECK(join4(2, 0xe00000fb) == P(1)); /* and is in no table */
	CHECK(state_of(0).groups == 1);
	CHECK(events[MCAST_PORT_JOINED] == 4);
	CHECK(count(MCAST_REPORTS) == 6 && count(MCAST_LEAVES) == 1);
	teardown();
}

static void members_that_fall_silent_are_forgotten(void)
{
	setup_asked();
	join4(2, G4);
	for (int i = 0; i < 5; i++) {
		pass(125 * SEC);
		query4(1, ROUTER);
		if (i < 2)
			join4(2, G4);
		join4(3, G4);
	}
	CHECK(data4(G4) == (P(1) | P(3)));
	CHECK(events[MCAST_PORT_LEFT] == 1 && last_event.port == 2);
	CHECK(last_event.addr.lo == G4 && !last_event.v6);
	teardown();
}

static void a_member_lasts_two_queries_and_the_time_to_answer(void)
{
	setup_asked();
	join4(2, G4);
	pass(125 * SEC);
	query4(1, ROUTER);
	pass(134 * SEC);
	CHECK(data4(G4) == (P(1) | P(2)));
	pass(2 * SEC);
	CHECK(data4(G4) == ALL && state_of(0).groups == 0);
	teardown();
}

static void the_querier_says_how_long_members_last(void)
{
	setup();
	mf_query3(&f, ROUTER, 20, 0, 3, 10);
	in(1);
	CHECK(state_of(0).interval == 10 * SEC && state_of(0).version == 3);
	pass(3 * SEC);
	join4(2, G4);
	for (int i = 0; i < 3; i++) {
		pass(10 * SEC);
		mf_query3(&f, ROUTER, 20, 0, 3, 10);
		in(1);
	}
	CHECK(data4(G4) == (P(1) | P(2)));
	pass(3 * SEC);
	CHECK(data4(G4) == ALL);
	teardown();
}

static void who_leaves_is_asked_by_the_querier_first(void)
{
	setup_asked();
	join4(2, G4);
	join4(3, G4);
	leave4(2, G4);
	pass(SEC / 2);
	CHECK(data4(G4) ==
	      (P(1) | P(2) | P(3))); /* another host may be there */
	mf_query2(&f, ROUTER, 10, G4);
	CHECK(in(1) == ALL && n_sent == 0);
	pass(SEC);
	join4(3, G4);
	pass(2 * SEC);
	CHECK(data4(G4) == (P(1) | P(3)));
	teardown();
}

static void queries_that_ask_no_host_to_answer_shorten_nothing(void)
{
	uint8_t body[16] = { 0x11, 10 };

	setup_asked();
	join4(2, G4);
	mf_query3(&f, ROUTER, 10, G4, 8 | 2, 125);
	in(1);
	packet_be32(body + 4, G4);
	body[11] = 1; /* of one source */
	mf_ip4(&f, ROUTER, G4, false, body, sizeof(body));
	in(1);
	pass(5 * SEC);
	CHECK(data4(G4) == (P(1) | P(2)));
	teardown();
}

static void a_port_may_leave_fast(void)
{
	setup_asked();
	CHECK(mcast_set_fastleave(m, 2, true) == 0);
	join4(2, G4);
	join4(3, G4);
	leave4(2, G4);
	leave4(3, G4);
	CHECK(data4(G4) == (P(1) | P(3)));
	mf_report3(&f, 3, G4, 0); /* IGMPv3's way */
	join4(2, G4);
	mf_report3(&f, 6, G4, 1); /* fewer sources, still a member */
	in(2);
	CHECK(data4(G4) == (P(1) | P(2) | P(3)));
	mf_report3(&f, 3, G4, 0);
	in(2);
	CHECK(data4(G4) == (P(1) | P(3)));
	teardown();
}

static void an_old_host_keeps_its_port_in_the_group(void)
{
	setup_asked();
	mcast_set_fastleave(m, 2, true);
	mf_igmp(&f, 0x12, 0, 1, G4, G4);
	in(2);
	join4(2, G4);
	leave4(2, G4);
	mf_query2(&f, ROUTER, 10, G4);
	in(1);
	pass(10 * SEC);
	CHECK(data4(G4) == (P(1) | P(2)));
	teardown();
}

/* ---- routers and queriers ---- */

static void routers_are_forgotten_with_their_queries(void)
{
	setup_asked();
	join4(2, G4);
	query4(4, ROUTER + 1); /* another one: no querier, but a router */
	CHECK(data4(G4) == (P(1) | P(2) | P(4)));
	CHECK(state_of(0).querier.lo == ROUTER);
	pass(125 * SEC);
	query4(1, ROUTER);
	pass(100 * SEC);
	join4(2, G4);
	pass(40 * SEC);
	CHECK(data4(G4) == (P(1) | P(2)));
	CHECK(events[MCAST_ROUTER_GONE] == 2);
	teardown();
}

static void the_lowest_address_is_the_querier(void)
{
	setup();
	query4(3, ROUTER + 5);
	CHECK(state_of(0).known && state_of(0).querier.lo == ROUTER + 5);
	query4(4, ROUTER + 9);
	CHECK(state_of(0).querier.lo == ROUTER + 5);
	query4(5, ROUTER);
	CHECK(state_of(0).querier.lo == ROUTER);
	CHECK(state_of(0).querier_port == 5 && events[MCAST_QUERIER] == 2);
	query6(3, 0x50);
	query6(4, 0x40);
	query6(5, 0x60);
	CHECK(state_of(1).querier.lo == 0x40 && state_of(1).querier_port == 4);
	teardown();
}

static void without_its_querier_a_vlan_floods_again(void)
{
	setup_asked();
	join4(2, G4);
	pass(243 * SEC);
	CHECK(state_of(0).on && events[MCAST_QUERIER] == 2);
	pass(2 * SEC);
	CHECK(!state_of(0).known && data4(G4) == ALL);
	CHECK(events[MCAST_QUERIER] == 4 && queriers_gone == 2);
	pass(20 * SEC); /* nothing is left to be kept */
	CHECK(mcast_vlan_next(m, 0) == -1);
	teardown();
}

static void a_switch_that_asks_counts_while_there_is_no_router(void)
{
	setup();
	query4(3, 0);
	CHECK(state_of(0).known && mcast_addr_is_none(state_of(0).querier));
	pass(SETTLED);
	join4(2, G4);
	CHECK(data4(G4) == (P(2) | P(3))); /* it may have members */
	query4(1, ROUTER);
	CHECK(state_of(0).querier.lo == ROUTER);
	query4(4, 0); /* helps, is no querier, no router */
	CHECK(state_of(0).querier.lo == ROUTER);
	CHECK(data4(G4) == (P(1) | P(2) | P(3)));
	teardown();
}

static void hosts_do_not_answer_mld_queries_without_a_source(void)
{
	setup();
	mf_mld_query(&f, mf_v6(0, 0), 10000, mf_v6(0, 0));
	CHECK(in(3) == ALL);
	CHECK(mcast_vlan_next(m, 0) == -1 || !state_of(1).on);
	teardown();
}

static void routers_that_do_not_ask_are_heard_of(void)
{
	uint8_t hello[12] = { 0x20, 0, 0, 0, 0, 1, 0, 2, 0, 105 };

	setup_asked();
	join4(2, G4);
	mf_ip4(&f, ROUTER + 7, 0xe000000d, false, hello, sizeof(hello));
	f.bytes[23] = 103;
	mf_seal4(&f);
	CHECK(in(6) == ALL && count(MCAST_ROUTERS) == 1);
	CHECK(data4(G4) == (P(1) | P(2) | P(6)));
	teardown();
}

static void a_router_may_be_configured(void)
{
	setup_asked();
	join4(2, G4);
	CHECK(mcast_set_router(m, 0, 7, true) == 0);
	CHECK(data4(G4) == (P(1) | P(2) | P(7)));
	CHECK(join4(2, G4) == (P(1) | P(7)));
	CHECK(mcast_set_router(m, 0, 7, false) == 0);
	CHECK(data4(G4) == (P(1) | P(2)));
	CHECK(mcast_set_router(m, 0, 64, true) == -EINVAL);
	CHECK(mcast_set_router(m, 4095, 1, true) == -EINVAL);
	vid = 9; /* of a VLAN without a querier: all, as ever */
	CHECK(mcast_set_router(m, 9, 7, true) == 0);
	CHECK(join4(2, G4) == P(7) && data4(G4) == ALL);
	teardown();
}

/* ---- what happens to ports ---- */

static void after_the_first_query_all_have_time_to_answer(void)
{
	setup();
	query4(1, ROUTER);
	join4(2, G4);
	CHECK(data4(G4) == ALL);
	pass(9 * SEC);
	CHECK(data4(G4) == ALL);
	pass(2 * SEC);
	CHECK(data4(G4) == (P(1) | P(2)));
	teardown();
}

static void a_new_port_gets_all_until_it_was_asked(void)
{
	setup_asked();
	join4(2, G4);
	mcast_port_up(m, 6, now);
	pass(50 * SEC);
	CHECK(data4(G4) == (P(1) | P(2) | P(6)));
	query4(1, ROUTER);
	pass(5 * SEC);
	mcast_port_member(m, 0, 7, true, now); /* too late for this one */
	CHECK(data4(G4) == (P(1) | P(2) | P(6) | P(7)));
	pass(6 * SEC);
	CHECK(data4(G4) == (P(1) | P(2) | P(7)));
	query4(1, ROUTER);
	pass(SETTLED);
	CHECK(data4(G4) == (P(1) | P(2)));
	teardown();
}

static void a_port_that_goes_takes_its_groups_with_it(void)
{
	setup_asked();
	join4(2, G4);
	join4(3, G4);
	join6(2, G6);
	vid = 4;
	query4(2, ROUTER);
	pass(SETTLED);
	join4(2, G4);
	join4(3, G4);
	mcast_port_member(m, 4, 2, false, now);
	CHECK(data4(G4) == P(3));
	vid = 0;
	CHECK(data4(G4) == (P(1) | P(2) | P(3)));
	mcast_port_down(m, 2);
	CHECK(data4(G4) == (P(1) | P(3)) && data6(G6) == ALL);
	mcast_port_down(m, 1); /* the router */
	CHECK(data4(G4) == P(3));
	CHECK(events[MCAST_ROUTER_GONE] == 3);
	teardown();
}

static void a_querier_known_by_one_group_only_is_forgotten_too(void)
{
	setup();
	mf_query2(&f, ROUTER, 10, G4);
	CHECK(in(3) == ALL && state_of(0).known && !state_of(0).on);
	mcast_port_down(m, 3);
	CHECK(state_of(0).known);
	pass(400 * SEC);
	CHECK(mcast_vlan_next(m, 0) == -1);
	teardown();
}

static void a_port_that_is_removed_loses_its_settings(void)
{
	struct mcast_port_info info;

	setup_asked();
	mcast_set_router(m, 0, 5, true);
	mcast_set_fastleave(m, 5, true);
	join4(5, G4);
	join4(2, G4);
	mcast_port_removed(m, 5);
	CHECK(data4(G4) == (P(1) | P(2)));
	mcast_get_port(m, 5, &info);
	CHECK(!info.fastleave && !info.members && !info.counts[MCAST_REPORTS]);
	CHECK(count(MCAST_REPORTS) == 2);
	mcast_port_removed(m, 64); /* which there never was */
	teardown();
}

static void a_vlan_that_goes_is_forgotten(void)
{
	setup_asked();
	join4(2, G4);
	mcast_set_router(m, 0, 5, true);
	mcast_set_querier(m, 0, true, 0, now);
	mcast_vlan_changed(m, 0);
	CHECK(mcast_vlan_next(m, 0) == -1 && data4(G4) == ALL);
	teardown();
}

static void a_change_of_topology_floods_until_all_were_asked(void)
{
	setup_asked();
	join4(2, G4);
	mcast_topology_change(m, 0, now);
	CHECK(data4(G4) == ALL && data6(G6) == ALL);
	pass(60 * SEC);
	CHECK(data4(G4) == ALL);
	query4(1, ROUTER);
	pass(SETTLED);
	CHECK(data4(G4) == (P(1) | P(2)));
	mcast_topology_change(m, 77, now); /* of which nothing is known */
	teardown();
}

static void a_vlan_may_be_left_out(void)
{
	setup_asked();
	join4(2, G4);
	CHECK(mcast_set_vlan(m, 0, false, now) == 0);
	CHECK(data4(G4) == ALL && join4(3, G4) == ALL);
	CHECK(query4(1, ROUTER) == ALL && state_of(0).groups == 0);
	CHECK(mcast_set_vlan(m, 0, true, now) == 0);
	CHECK(mcast_vlan_next(m, 0) == -1);
	CHECK(mcast_set_vlan(m, 4095, true, now) == -EINVAL);
	teardown();
}

static const uint64_t *wide(unsigned int port)
{
	struct frame fr = { .data = f.bytes, .len = (uint32_t)f.len };

	return mcast_egress(m, 0, port, &fr, all, now);
}

static void ports_can_become_more(void)
{
	const uint64_t *set;

	setup_asked();
	join4(2, G4);
	CHECK(mcast_set_words(m, 3) == 0);
	mf_data(&f, mf_v4(G4));
	set = wide(8); /* 129 has not been asked */
	CHECK(set[0] == (P(1) | P(2)) && !set[1] && set[2] == 2);
	query4(1, ROUTER);
	pass(SETTLED);
	mf_data(&f, mf_v4(G4));
	set = wide(8);
	CHECK(set[0] == (P(1) | P(2)) && !set[1] && !set[2]);
	mf_report2(&f, G4);
	wide(129);
	mf_data(&f, mf_v4(G4));
	set = wide(8);
	CHECK(set[0] == (P(1) | P(2)) && !set[1] && set[2] == 2);
	teardown();
}

/* ---- own queries ---- */

static void sent_is_a_query(bool v6, struct mcast_addr group)
{
	struct mcast_addr to;
	struct mcast_msg msg;

	CHECK(mcast_classify(last.bytes, last.len, &to) == MCAST_CONTROL);
	mcast_parse(&msg, last.bytes, last.len);
	CHECK(msg.kind == MCAST_QUERY && msg.v6 == v6);
	CHECK(mcast_addr_is(msg.group, group));
	CHECK(ether_addr(last.bytes + 6) == MAC);
}

static void the_switch_asks_where_nobody_does(void)
{
	setup();
	CHECK(mcast_set_querier(m, 3, true, 0, now) == 0);
	vid = 3;
	CHECK(n_sent == 2 && last_vid == 3 && last_port == -1);
	sent_is_a_query(true, mf_v6(0, 0));
	CHECK(state_of(0).on && state_of(0).own && !state_of(0).known);
	CHECK(join4(2, G4) == 0); /* there is no router */
	pass(SETTLED);
	CHECK(data4(G4) == P(2) && n_sent == 2);
	pass(25 * SEC);
	CHECK(n_sent == 4); /* the second one comes sooner */
	pass(120 * SEC);
	join4(2, G4);
	CHECK(n_sent == 4);
	pass(120 * SEC);
	CHECK(n_sent == 6 && count(MCAST_SENT) == 6);
	CHECK(data4(G4) == P(2));
	CHECK(mcast_set_querier(m, 3, false, 0, now) == 0);
	pass(200 * SEC);
	CHECK(n_sent == 6 && data4(G4) == ALL);
	teardown();
}

static void asking_waits_for_the_switch_to_be_on(void)
{
	setup_off();
	CHECK(mcast_set_querier(m, 0, true, 0, now) == 0 && n_sent == 0);
	mcast_enable(m, true, now);
	CHECK(n_sent == 2);
	mcast_enable(m, false, now);
	pass(500 * SEC);
	CHECK(n_sent == 2);
	mcast_enable(m, true, now);
	CHECK(n_sent == 4);
	CHECK(mcast_set_vlan(m, 0, false, now) == 0);
	pass(500 * SEC);
	CHECK(n_sent == 4);
	CHECK(mcast_set_vlan(m, 0, true, now) == 0 && n_sent == 6);
	teardown();
}

static void the_switch_gives_way_to_a_router(void)
{
	setup();
	mcast_set_querier(m, 0, true, 0, now);
	query4(1, ROUTER);
	query6(1, 1); /* below fe80::2ff:1ff:fe02:304 */
	CHECK(!state_of(0).own && !state_of(1).own);
	pass(250 * SEC);
	CHECK(n_sent == 2);
	pass(10 * SEC); /* which is gone */
	CHECK(n_sent == 4 && state_of(0).own && state_of(0).on);
	query6(1, UINT64_C(0x1000000000000000)); /* above it: not to that one */
	CHECK(state_of(1).own && !state_of(1).known);
	query4(1, 0); /* nor to a switch */
	CHECK(state_of(0).own);
	mcast_set_flood_unknown(m, false);
	pass(SETTLED);
	CHECK(data4(G4) == P(1)); /* but what that one has is not cut off */
	teardown();
}

static void with_an_address_the_switch_is_elected_as_routers_are(void)
{
	struct mcast_vlan_info info;
	struct mcast_addr to;
	struct mcast_msg msg;

	setup();
	CHECK(mcast_set_querier(m, 0, true, ROUTER + 5, now) == 0);
	query4(1, ROUTER + 9);
	query4(1, 0);
	CHECK(state_of(0).own && !state_of(0).known);
	mcast_set_interval(m, 20);
	pass(130 * SEC);
	mcast_get_vlan(m, 0, &info);
	CHECK(info.source4.lo == ROUTER + 5);
	query4(1, ROUTER);
	CHECK(!state_of(0).own && state_of(0).querier.lo == ROUTER);
	pass(60 * SEC);
	CHECK(state_of(0).own);
	do {
		pass(SEC);
		CHECK(mcast_classify(last.bytes, last.len, &to) ==
		      MCAST_CONTROL);
		mcast_parse(&msg, last.bytes, last.len);
		CHECK(now < START + 1000 * SEC);
	} while (msg.v6 && now < START + 1000 * SEC);
	CHECK(msg.kind == MCAST_QUERY && msg.source.lo == ROUTER + 5);
	teardown();
}

static void its_own_query_that_comes_back_is_nobodys(void)
{
	setup();
	mcast_set_querier(m, 0, true, 0, now);
	f = last;
	CHECK(in(4) == ALL);
	CHECK(state_of(1).own && !state_of(1).known);
	teardown();
}

static void who_leaves_is_asked_by_the_switch(void)
{
	setup();
	mcast_set_querier(m, 0, true, 0, now);
	pass(SETTLED);
	join4(2, G4);
	join4(3, G4);
	n_sent = 0;
	leave4(2, G4);
	CHECK(n_sent == 1 && last_port == 2);
	sent_is_a_query(false, mf_v4(G4));
	leave4(2, G4); /* asked already */
	CHECK(n_sent == 1);
	leave4(5, G4); /* was not in it */
	CHECK(n_sent == 1);
	pass(3 * SEC / 2);
	CHECK(n_sent == 2 && data4(G4) == (P(2) | P(3)));
	pass(SEC);
	CHECK(n_sent == 2 && data4(G4) == P(3));
	leave4(3, G4);
	pass(SEC / 2);
	mf_report3(&f, 2, G4, 0); /* somebody else is there */
	in(3);
	pass(10 * SEC);
	CHECK(n_sent == 3 && data4(G4) == P(3));
	mf_report3(&f, 6, G4, 2); /* blocks two sources: maybe all it had */
	in(3);
	CHECK(n_sent == 4 && last_port == 3);
	join6(4, NODE6);
	mf_mld_done(&f, NODE6);
	in(4);
	CHECK(n_sent == 5);
	sent_is_a_query(true, NODE6);
	pass(3 * SEC);
	CHECK(data4(G4) == ALL && data6(NODE6) == ALL);
	teardown();
}

static void changes_make_the_switch_ask_at_once_but_not_too_often(void)
{
	setup();
	mcast_set_querier(m, 0, true, 0, now);
	pass(60 * SEC);
	n_sent = 0;
	for (int i = 0; i < 100; i++) {
		mcast_topology_change(m, 0, now);
		mcast_port_up(m, 3, now);
		pass(SEC / 100);
	}
	CHECK(n_sent >= 2 && n_sent <= 4);
	join4(2, G4);
	CHECK(data4(G4) == ALL);
	pass(2 * SETTLED);
	CHECK(data4(G4) == P(2) && n_sent <= 6);
	mcast_port_up(m, 3, now);
	pass(SEC);
	CHECK(n_sent <= 8 && data4(G4) == (P(2) | P(3)));
	pass(SETTLED);
	CHECK(data4(G4) == P(2));
	teardown();
}

static void the_interval_can_be_set(void)
{
	setup();
	CHECK(mcast_set_interval(m, 0) == -EINVAL);
	CHECK(mcast_set_interval(m, 3601) == -EINVAL);
	CHECK(mcast_set_interval(m, 4) == 0);
	mcast_set_querier(m, 0, true, 0, now);
	CHECK(state_of(0).max_resp == 2 * SEC);
	pass(3 * SEC);
	n_sent = 0;
	pass(40 * SEC);
	CHECK(n_sent >= 18 && n_sent <= 22);
	CHECK(mcast_set_interval(m, 100) == 0);
	pass(10 * SEC);
	n_sent = 0;
	pass(200 * SEC);
	CHECK(n_sent == 4 && state_of(0).interval == 100 * SEC);
	teardown();
}

/* ---- enemies ---- */

static void joins_of_one_port_displace_its_own_only(void)
{
	struct mcast_port_info info;
	uint64_t r = 1;

	setup_asked();
	join4(2, G4);
	join6(3, NODE6);
	for (int i = 0; i < 1000000; i++) {
		r = r * UINT64_C(6364136223846793005) + 1442695040888963407;
		join4(4, 0xe1000000 | (uint32_t)(r >> 40));
	}
	mcast_get_port(m, 4, &info);
	CHECK(info.members == MCAST_PORT_MAX);
	CHECK(info.counts[MCAST_DISPLACED] > 900000);
	CHECK(data4(G4) == (P(1) | P(2)) && data6(NODE6) == (P(1) | P(3)));
	join4(5, G4);
	CHECK(data4(G4) == (P(1) | P(2) | P(5)));
	teardown();
}

static void when_all_is_full_who_has_most_makes_room(void)
{
	struct mcast_port_info info;
	struct mcast_info sum;
	uint32_t group = 0xe1000000;

	setup_asked();
	CHECK(mcast_set_words(m, 1) == 0);
	all[0] = ~UINT64_C(0);
	join4(2, G4);
	for (unsigned int port = 10; port < 20; port++)
		for (int i = 0; i < MCAST_PORT_MAX; i++)
			join4(port, group++);
	mcast_get_info(m, &sum);
	CHECK(sum.members == MCAST_MEMBERS_MAX);
	for (unsigned int port = 30; port < 33; port++) {
		for (int i = 0; i < 100; i++)
			join4(port, group++);
		mcast_get_port(m, port, &info);
		CHECK(info.members == 100 && !info.counts[MCAST_REFUSED]);
	}
	mcast_get_info(m, &sum);
	CHECK(sum.members == MCAST_MEMBERS_MAX);
	CHECK(data4(G4) == (P(1) | P(2)));
	all[0] = 0x1ff;
	teardown();
}

static void a_thousand_groups_in_one_report_are_no_more(void)
{
	static uint8_t body[9000];
	size_t n = 8;

	setup_asked();
	body[0] = 0x22;
	packet_be16(body + 6, 1100);
	for (int i = 0; i < 1100; i++)
		n += mf_record(body + n, 4, mf_v4(G4), 0);
	mf_ip4(&f, 1, 0xe0000016, false, body, n);
	CHECK(in(2) == P(1) && state_of(0).groups == 1);
	CHECK(data4(G4) == (P(1) | P(2)));
	teardown();
}

static void a_false_querier_is_forgotten_before_members_are(void)
{
	setup_asked();
	mf_query3(&f, 1, 1, 0, 1, 1); /* lasts two seconds */
	in(6);
	join4(2, G4);
	CHECK(state_of(0).querier.lo == 1);
	for (int i = 0; i < 40; i++) {
		uint64_t to = data4(G4);

		CHECK(to & P(2));
		pass(SEC / 4);
	}
	CHECK(data4(G4) == ALL);
	mf_query3(&f, 1, 0xff, 0, 1, 0xff); /* would last a day */
	in(6);
	CHECK(state_of(0).interval <= 3600 * SEC);
	CHECK(state_of(0).max_resp <= 3600 * SEC);
	teardown();
}

static int shown;

static bool show(void *ctx, const struct mcast_entry *e)
{
	if (shown < 2)
		CHECK(e->router && e->port == 1 && e->v6 == (shown == 1));
	else
		CHECK(!e->router && e->until > now);
	if (shown == 2)
		CHECK(e->group.lo == G4 && e->port == 2 && e->version == 2);
	shown++;
	return !ctx;
}

static void all_of_it_can_be_looked_at(void)
{
	setup_asked();
	join4(2, G4);
	join4(3, G4);
	join6(2, G6);
	shown = 0;
	CHECK(mcast_show(m, 0, true, 0, show, NULL) == 2 && shown == 2);
	CHECK(mcast_show(m, 0, false, 0, show, NULL) == 3 && shown == 5);
	CHECK(mcast_show(m, 1, false, 0, show, NULL) == 0 && shown == 5);
	CHECK(mcast_show(m, 0, false, 1, show, m) == 1 && shown == 6);
	CHECK(mcast_show(m, 0, false, 3, show, m) == 3 && shown == 6);
	CHECK(mcast_vlan_next(m, 1) == -1);
	CHECK(state_of(0).groups == 1 && state_of(0).querier_port == 1);
	CHECK(state_of(0).querier_until > now);
	for (int c = 0; c < MCAST_N_COUNTS; c++)
		CHECK(mcast_count_name(c));
	teardown();
}

int main(void)
{
	RUN(off_it_floods_and_learns_nothing);
	RUN(without_a_querier_all_is_flooded);
	RUN(a_group_goes_to_members_and_routers);
	RUN(what_nobody_joined_is_flooded_or_for_routers);
	RUN(groups_that_share_a_mac_address_are_apart);
	RUN(vlans_are_apart);
	RUN(what_is_not_understood_is_flooded);
	RUN(broken_messages_are_dropped_and_counted);
	RUN(reports_go_to_routers_only);
	RUN(members_that_fall_silent_are_forgotten);
	RUN(a_member_lasts_two_queries_and_the_time_to_answer);
	RUN(the_querier_says_how_long_members_last);
	RUN(who_leaves_is_asked_by_the_querier_first);
	RUN(queries_that_ask_no_host_to_answer_shorten_nothing);
	RUN(a_port_may_leave_fast);
	RUN(an_old_host_keeps_its_port_in_the_group);
	RUN(routers_are_forgotten_with_their_queries);
	RUN(the_lowest_address_is_the_querier);
	RUN(without_its_querier_a_vlan_floods_again);
	RUN(a_switch_that_asks_counts_while_there_is_no_router);
	RUN(hosts_do_not_answer_mld_queries_without_a_source);
	RUN(routers_that_do_not_ask_are_heard_of);
	RUN(a_router_may_be_configured);
	RUN(after_the_first_query_all_have_time_to_answer);
	RUN(a_new_port_gets_all_until_it_was_asked);
	RUN(a_port_that_goes_takes_its_groups_with_it);
	RUN(a_querier_known_by_one_group_only_is_forgotten_too);
	RUN(a_port_that_is_removed_loses_its_settings);
	RUN(a_vlan_that_goes_is_forgotten);
	RUN(a_change_of_topology_floods_until_all_were_asked);
	RUN(a_vlan_may_be_left_out);
	RUN(ports_can_become_more);
	RUN(the_switch_asks_where_nobody_does);
	RUN(asking_waits_for_the_switch_to_be_on);
	RUN(the_switch_gives_way_to_a_router);
	RUN(with_an_address_the_switch_is_elected_as_routers_are);
	RUN(its_own_query_that_comes_back_is_nobodys);
	RUN(who_leaves_is_asked_by_the_switch);
	RUN(changes_make_the_switch_ask_at_once_but_not_too_often);
	RUN(the_interval_can_be_set);
	RUN(joins_of_one_port_displace_its_own_only);
	RUN(when_all_is_full_who_has_most_makes_room);
	RUN(a_thousand_groups_in_one_report_are_no_more);
	RUN(a_false_querier_is_forgotten_before_members_are);
	RUN(all_of_it_can_be_looked_at);
	DONE();
}
