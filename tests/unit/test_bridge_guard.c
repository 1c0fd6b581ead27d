// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guards at the ports of a bridge with fake transports.
 */
#include "switch/portguard.h"

#include "../unit/bridge_fixture.h"

#define C UINT64_C(0x020000000003)
#define D UINT64_C(0x020000000004)
#define GROUP UINT64_C(0x01005e000001)
#define BPDU UINT64_C(0x0180c2000000)

static int dropped(unsigned int port, enum drop_reason why)
{
	return (int)br->ports[port]->drops[why];
}

static int all_drops(void)
{
	int n = 0;

	for (unsigned int i = 0; i <= br->numports; i++)
		for (int r = 0; br->ports[i] && r < DROP_N_REASONS; r++)
			n += dropped(i, (enum drop_reason)r);
	return n;
}

static struct port *port(unsigned int id)
{
	return br->ports[id];
}

static int where(uint64_t addr, unsigned int vid, uint32_t now_s)
{
	return mactab_find(br->macs, mactab_key(vid, addr), now_s);
}

static void rx_at(unsigned int id, uint64_t dst, uint64_t src, uint64_t now)
{
	rx_len(id, dst, src, -1, 100, now);
}

/* ---- addresses ---- */

static void a_stranger_too_many_is_dropped_and_the_known_stay(void)
{
	setup(3);
	CHECK(portguard_set_max(port(1), 2, SEC) == 0);
	rx(1, ALL, A, -1);
	rx(1, ALL, B, -1);
	CHECK(fakes[2].sent == 2);
	rx(1, ALL, C, -1);
	rx(1, ALL, A, 7); /* the same station in another VLAN */
	rx(1, A, C, -1);
	CHECK(fakes[2].sent == 2 && dropped(1, DROP_ADDR_LIMIT) == 3);
	CHECK(events[BRIDGE_MAC_REFUSED] == 3 && where(C, 0, 1) == -1);
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 3);
	rx(2, ALL, C, -1); /* others are free */
	CHECK(fakes[1].sent == 1 && where(C, 0, 1) == 2);
	CHECK(portguard_set_max(port(1), 0, SEC) == 0);
	CHECK(!port(1)->slow);
	rx(1, ALL, D, -1);
	CHECK(fakes[2].sent == 4);
	teardown();
}

static void a_place_is_free_when_a_station_leaves_or_falls_silent(void)
{
	setup(3);
	portguard_set_max(port(1), 1, SEC);
	rx(1, ALL, A, -1);
	rx_at(2, ALL, A, 10 * SEC); /* has moved */
	CHECK(where(A, 0, 10) == 2);
	rx_at(1, ALL, B, 10 * SEC);
	CHECK(where(B, 0, 10) == 1 && !dropped(1, DROP_ADDR_LIMIT));
	rx_at(1, ALL, A, 20 * SEC);
	CHECK(where(A, 0, 20) == 2 && dropped(1, DROP_ADDR_LIMIT) == 1);
	rx_at(1, ALL, C, 111 * SEC); /* no collector was needed */
	CHECK(where(C, 0, 111) == 1);
	teardown();
}

static void a_lower_limit_forgets_who_was_silent_for_longest(void)
{
	setup(3);
	for (unsigned int i = 0; i < 5; i++)
		rx_at(1, ALL, A + i, (10 + i) * SEC);
	portguard_set_max(port(1), 2, 20 * SEC);
	CHECK(mactab_count(br->macs, 1) == 2);
	CHECK(where(A + 3, 0, 20) == 1 && where(A + 4, 0, 20) == 1);
	rx_at(1, ALL, A, 20 * SEC);
	CHECK(dropped(1, DROP_ADDR_LIMIT) == 1);
	teardown();
}

static void a_group_is_nobodys_address_where_addresses_count(void)
{
	setup(2);
	rx(1, ALL, GROUP, -1);
	CHECK(fakes[2].sent == 1);
	portguard_set_max(port(1), 5, SEC);
	rx(1, ALL, GROUP, -1);
	CHECK(fakes[2].sent == 1 && dropped(1, DROP_ADDR_LIMIT) == 1);
	teardown();
}

static void a_sticky_address_is_nobody_elses(void)
{
	setup(3);
	rx(1, ALL, A, -1); /* is there before */
	CHECK(portguard_set_sticky(port(1), true, SEC) == 0);
	rx(1, ALL, B, -1); /* comes after */
	rx_at(2, ALL, A, 500 * SEC);
	rx_at(2, ALL, B, 500 * SEC);
	CHECK(dropped(2, DROP_ADDR_VIOLATION) == 2 && !port(2)->slow);
	CHECK(events[BRIDGE_MAC_REFUSED] == 2 && fakes[3].sent == 2);
	CHECK(where(A, 0, 500) == 1 && where(B, 0, 500) == 1);
	rx_len(2, ALL, A, 7, 100, 500 * SEC); /* of another VLAN */
	CHECK(where(A, 7, 500) == 2);
	rx_at(3, A, C, 100000 * SEC); /* known for ever */
	CHECK(fakes[1].sent == 2 && fakes[2].sent == 2);
	teardown();
}

static void sticky_addresses_stay_while_nobody_is_plugged_in(void)
{
	setup(3);
	portguard_set_sticky(port(1), true, SEC);
	rx(1, ALL, A, -1);
	bridge_detach(&fakes[1].ep);
	bridge_expire(br, 1000 * SEC);
	CHECK(where(A, 0, 1000) == 1);
	rx_at(2, ALL, A, 1000 * SEC);
	CHECK(dropped(2, DROP_ADDR_VIOLATION) == 1);
	rx_at(2, A, B, 1000 * SEC); /* goes nowhere, not everywhere */
	CHECK(fakes[3].sent == 1 && dropped(2, DROP_DEST_GONE) == 1);
	plug(1);
	rx_at(1, ALL, A, 1000 * SEC);
	CHECK(fakes[2].sent == 2);
	bridge_detach(&fakes[1].ep);
	CHECK(bridge_port_remove(br, 1) == 0);
	CHECK(where(A, 0, 1000) == -1 && !mactab_sticky(br->macs));
	rx_at(2, ALL, A, 1000 * SEC);
	CHECK(where(A, 0, 1000) == 2);
	teardown();
}

static void sticky_survives_flushes_but_not_leaving_the_vlan(void)
{
	setup(3);
	bridge_vlan_create(br, 5);
	bridge_vlan_add_port(br, 5, 1);
	bridge_vlan_add_port(br, 5, 2);
	portguard_set_sticky(port(1), true, SEC);
	rx(1, ALL, A, 5);
	rx(1, ALL, B, -1);
	mactab_flush(br->macs, 1, -1); /* a topology change */
	bridge_block(br, 1, true);
	bridge_block(br, 1, false);
	bridge_set_hub(br, true);
	bridge_set_hub(br, false);
	CHECK(where(A, 5, 1) == 1 && where(B, 0, 1) == 1);
	bridge_vlan_del_port(br, 5, 1);
	CHECK(where(A, 5, 1) == -1 && where(B, 0, 1) == 1);
	rx(2, ALL, A, 5);
	CHECK(where(A, 5, 1) == 2);
	CHECK(bridge_port_set_vlan(br, 1, 5) == 0);
	CHECK(where(B, 0, 1) == -1);
	teardown();
}

static void a_kept_address_does_not_become_sticky_where_it_is(void)
{
	setup(3);
	rx(2, ALL, A, -1);
	portguard_set_sticky(port(1), true, SEC);
	rx(1, ALL, A, -1); /* too early to move */
	CHECK(where(A, 0, 1) == 2 && !mactab_sticky(br->macs));
	rx_at(1, ALL, A, 10 * SEC);
	CHECK(where(A, 0, 10) == 1 && mactab_sticky(br->macs) == 1);
	teardown();
}

static void sticky_and_limit_learn_that_many_for_good(void)
{
	setup(2);
	portguard_set_max(port(1), 2, SEC);
	portguard_set_sticky(port(1), true, SEC);
	rx(1, ALL, A, -1);
	rx(1, ALL, B, -1);
	rx_at(1, ALL, C, 1000 * SEC);
	CHECK(dropped(1, DROP_ADDR_LIMIT) == 1);
	portguard_set_max(port(1), 1, 1000 * SEC); /* they stay, no others */
	CHECK(mactab_count(br->macs, 1) == 2);
	portguard_forget(port(1));
	CHECK(mactab_count(br->macs, 1) == 0);
	rx_at(1, ALL, C, 1000 * SEC);
	rx_at(1, ALL, A, 1000 * SEC);
	CHECK(where(C, 0, 1000) == 1 && dropped(1, DROP_ADDR_LIMIT) == 2);
	portguard_set_sticky(port(1), false, 1000 * SEC);
	CHECK(!mactab_sticky(br->macs) && where(C, 0, 1100) == 1 &&
	      where(C, 0, 1101) == -1);
	teardown();
}

static void an_address_is_pinned_by_hand(void)
{
	setup(3);
	rx(2, ALL, A, -1);
	CHECK(portguard_stick(port(1), 0, A, SEC) == 0); /* at once */
	CHECK(where(A, 0, 99999) == 1 && !port(1)->slow);
	CHECK(portguard_stick(port(1), 0, A, SEC) == 0);
	CHECK(portguard_stick(port(2), 0, A, SEC) == -EEXIST);
	CHECK(portguard_stick(port(2), 0, GROUP, SEC) == -EINVAL);
	CHECK(portguard_stick(port(2), VLAN_NONE, B, SEC) == -EINVAL);
	CHECK(portguard_stick(port(2), 9, B, SEC) == 0); /* transparent */
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(portguard_stick(port(2), 5, B, SEC) == -ENXIO);
	CHECK(portguard_stick(port(2), 9, C, SEC) == -ENXIO);
	CHECK(bridge_vlan_create(br, 9) == 0); /* has no members yet */
	CHECK(where(B, 9, 1) == -1);
	rx(2, ALL, A, -1);
	CHECK(dropped(2, DROP_ADDR_VIOLATION) == 1);
	portguard_set_sticky(port(1), true, SEC);
	portguard_set_sticky(port(1), false, SEC);
	CHECK(where(A, 0, 99999) == 1); /* still by hand */
	portguard_set_max(port(1), 1, SEC);
	CHECK(portguard_stick(port(1), 0, B, SEC) == -ENOSPC);
	portguard_forget(port(1));
	CHECK(portguard_stick(port(1), 0, B, SEC) == 0);
	teardown();
}

/* ---- sources ---- */

static void only_listed_sources_come_in(void)
{
	setup(2);
	CHECK(portguard_source_add(port(1), A) == 0);
	rx(1, ALL, A, -1);
	rx(1, ALL, B, -1);
	rx(1, ALL, GROUP, 7);
	CHECK(fakes[2].sent == 1 && dropped(1, DROP_SOURCE) == 2);
	CHECK(where(B, 0, 1) == -1);
	rx(2, A, B, -1);
	CHECK(fakes[1].sent == 1);
	CHECK(portguard_source_del(port(1), A) == 0);
	CHECK(portguard_source_del(port(2), A) == -ENOENT);
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 1);
	portguard_source_off(port(1));
	rx(1, ALL, C, -1);
	CHECK(fakes[2].sent == 2 && !port(1)->slow);
	teardown();
}

/* ---- rates ---- */

static void each_kind_of_storm_has_its_own_limit(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	portguard_set_storm(port(1), GUARD_BROADCAST, 1, 0, SEC);
	for (int i = 0; i < 50; i++) {
		rx(1, ALL, A, -1);
		rx(1, GROUP, A, -1);
		rx(1, C, A, -1);
		rx(1, B, A, -1);
	}
	CHECK(dropped(1, DROP_STORM_BROADCAST) == 50 - 16);
	CHECK(all_drops() == 50 - 16);
	portguard_set_storm(port(1), GUARD_MULTICAST, 0, 1, SEC);
	portguard_set_storm(port(1), GUARD_UNKNOWN, 5, 0, SEC);
	for (int i = 0; i < 500; i++) {
		rx(1, GROUP, A, -1);
		rx(1, C, A, -1);
		rx(1, B, A, -1);
	}
	CHECK(dropped(1, DROP_STORM_MULTICAST) == 500 - 16384 / 100);
	CHECK(dropped(1, DROP_STORM_UNKNOWN) == 500 - 16);
	CHECK(fakes[2].sent - fakes[3].sent == 550 - 1); /* known: all */
	CHECK(where(A, 0, 1) == 1);
	rx(3, ALL, D, -1); /* others are free */
	CHECK(all_drops() == 34 + 500 - 163 + 500 - 16);
	teardown();
}

static void the_rate_counts_everything_and_others_are_free(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	portguard_set_rate(port(1), 0, 1000, 10000, SEC);
	for (int i = 0; i < 200; i++)
		rx(1, i & 1 ? B : ALL, A, -1);
	CHECK(fakes[2].sent == 100 && dropped(1, DROP_RATE) == 100);
	for (int i = 0; i < 100; i++)
		rx_at(1, B, A, 2 * SEC);
	CHECK(fakes[2].sent == 110);
	CHECK(port(1)->in_frames == 300); /* as they came */
	for (int i = 0; i < 100; i++)
		rx_at(2, A, B, 2 * SEC);
	CHECK(fakes[1].sent == 101);
	teardown();
}

static int n_consumed;

static bool consume(struct bridge_proto *proto, struct port *p, struct frame *f,
		    bool tagged)
{
	n_consumed++;
	return true;
}

static void control_frames_meet_no_guard_and_cost_nothing(void)
{
	struct bridge_proto proto = { .addr = BPDU, .input = consume };

	setup(2);
	bridge_proto_add(br, &proto);
	portguard_set_rate(port(1), 10, 0, 0, SEC);
	portguard_source_add(port(1), A);
	portguard_set_max(port(1), 1, SEC);
	n_consumed = 0;
	for (int i = 0; i < 500; i++)
		rx(1, BPDU, B, -1);
	CHECK(n_consumed == 500 && !all_drops());
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 1);
	bridge_proto_del(br, &proto);
	rx(1, BPDU, B, -1); /* for nobody here: a frame as any other */
	CHECK(dropped(1, DROP_SOURCE) == 1);
	teardown();
}

static void the_first_check_that_refuses_is_the_reason(void)
{
	setup(3);
	bridge_vlan_create(br, 5);
	portguard_set_rate(port(1), 1, 0, 0, SEC); /* a burst of 64 */
	portguard_source_add(port(1), A);
	portguard_source_add(port(1), C);
	portguard_set_max(port(1), 1, SEC);
	portguard_set_storm(port(1), GUARD_BROADCAST, 1, 0, SEC); /* of 16 */
	portguard_stick(port(2), 0, C, SEC);
	for (int i = 0; i < 10; i++)
		rx(1, ALL, B, 5);
	CHECK(dropped(1, DROP_VLAN) == 10);
	rx(1, ALL, B, -1);
	CHECK(dropped(1, DROP_SOURCE) == 1);
	rx(1, ALL, C, -1);
	CHECK(dropped(1, DROP_ADDR_VIOLATION) == 1);
	rx(1, ALL, A, -1);
	rx(1, ALL, C, -1);
	CHECK(dropped(1, DROP_ADDR_LIMIT) == 1);
	for (int i = 0; i < 100; i++)
		rx(1, ALL, A, -1);
	CHECK(dropped(1, DROP_STORM_BROADCAST) == 64 - 3 - 16);
	CHECK(dropped(1, DROP_RATE) == 104 - 64);
	CHECK(dropped(1, DROP_SOURCE) == 1 && fakes[3].sent == 16);
	teardown();
}

static void a_hub_knows_the_rate_only(void)
{
	setup(3);
	bridge_set_hub(br, true);
	portguard_set_max(port(1), 1, SEC);
	portguard_source_add(port(1), A);
	portguard_set_storm(port(1), GUARD_BROADCAST, 1, 0, SEC);
	for (int i = 0; i < 100; i++)
		rx(1, ALL, B + (unsigned int)i, -1);
	CHECK(fakes[2].sent == 100 && !all_drops());
	portguard_set_rate(port(1), 10, 0, 0, SEC);
	for (int i = 0; i < 100; i++)
		rx(1, ALL, B, -1);
	CHECK(fakes[2].sent == 164 && dropped(1, DROP_RATE) == 36);
	teardown();
}

static void settings_outlive_the_client_and_not_the_port(void)
{
	setup(2);
	portguard_set_max(port(1), 1, SEC);
	portguard_source_add(port(1), A);
	bridge_detach(&fakes[1].ep);
	CHECK(port(1)->guard->max_addrs == 1);
	plug(1);
	rx(1, ALL, B, -1);
	CHECK(dropped(1, DROP_SOURCE) == 1);
	bridge_detach(&fakes[1].ep);
	CHECK(bridge_port_remove(br, 1) == 0 && !br->ports[1]);
	plug(1);
	rx(1, ALL, B, -1);
	CHECK(fakes[2].sent == 1 && !port(1)->guard && !port(1)->slow);
	teardown();
}

/* ---- isolation ---- */

static void isolated_ports_reach_uplinks_only(void)
{
	setup(4);
	bridge_isolate(br, 1, true);
	bridge_isolate(br, 2, true);
	rx(1, ALL, A, -1);
	CHECK(!fakes[2].sent && fakes[3].sent == 1 && fakes[4].sent == 1);
	rx(1, GROUP, A, -1);
	rx(1, C, A, -1); /* unknown */
	CHECK(!fakes[2].sent && fakes[3].sent == 3);
	rx(2, A, B, -1); /* known, and there */
	CHECK(!fakes[1].sent && dropped(2, DROP_ISOLATED) == 1);
	rx(3, ALL, C, -1);
	CHECK(fakes[1].sent == 1 && fakes[2].sent == 1);
	rx(3, B, C, -1);
	rx(2, C, B, -1);
	CHECK(fakes[2].sent == 2 && fakes[3].sent == 4);
	rx(4, C, D, -1); /* uplinks among themselves */
	CHECK(fakes[3].sent == 5);
	bridge_isolate(br, 1, false); /* is an uplink now */
	rx(2, A, B, -1);
	CHECK(fakes[1].sent == 2);
	CHECK(dropped(2, DROP_ISOLATED) == 1);
	teardown();
}

static void isolation_holds_in_vlans_and_in_hubs(void)
{
	setup(4);
	bridge_vlan_create(br, 5);
	for (unsigned int i = 1; i <= 3; i++)
		bridge_vlan_add_port(br, 5, i);
	bridge_isolate(br, 1, true);
	bridge_isolate(br, 2, true);
	rx(1, ALL, A, 5);
	CHECK(!fakes[2].sent && fakes[3].sent == 1 && !fakes[4].sent);
	rx(2, A, B, 5);
	CHECK(!fakes[1].sent && dropped(2, DROP_ISOLATED) == 1);
	bridge_set_vlan_mode(br, BRIDGE_VLAN_TRANSPARENT);
	rx(1, ALL, A, 9);
	CHECK(!fakes[2].sent && fakes[3].sent == 2 && fakes[4].sent == 1);
	rx(2, A, B, 9);
	CHECK(!fakes[1].sent && dropped(2, DROP_ISOLATED) == 2);
	bridge_set_hub(br, true);
	rx(1, ALL, A, -1);
	CHECK(!fakes[2].sent && fakes[3].sent == 3);
	teardown();
}

static struct fake many[301];

static void plug_many(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i <= to; i++) {
		many[i] = (struct fake){ .room = MAX_SENT };
		endpoint_init(&many[i].ep, &tr_fake, i, 1000, "fake");
		CHECK(bridge_attach(br, i, &many[i].ep) == 0);
		bridge_isolate(br, i, i % 10 != 0);
	}
}

/* Sends from every port; how many deliveries there were that should not be,
 * or were not that should. */
static unsigned int wrong_floods(unsigned int n)
{
	unsigned int wrong = 0;

	for (unsigned int from = 1; from <= n; from++) {
		struct frame *f = frame_new(br->pool);

		memset(f->data, 0xff, 100);
		put_addr(f->data + 6, A + from);
		put16(f->data + 12, 0x88b5);
		f->len = 100;
		for (unsigned int i = 1; i <= n; i++)
			many[i].sent = 0;
		port_rx_take(&many[from].ep, &f, 1, SEC);
		bridge_flush(br);
		for (unsigned int i = 1; i <= n; i++)
			wrong += many[i].sent !=
				 (i != from && (from % 10 == 0 || i % 10 == 0));
	}
	return wrong;
}

static void isolation_holds_beyond_64_ports_and_when_ports_are_added(void)
{
	setup(0);
	CHECK(bridge_set_numports(br, 130) == 0);
	plug_many(1, 130);
	CHECK(wrong_floods(130) == 0);
	CHECK(bridge_set_numports(br, 300) == 0);
	plug_many(131, 300);
	CHECK(wrong_floods(300) == 0);
	for (unsigned int i = 1; i <= 300; i++)
		bridge_detach(&many[i].ep);
	CHECK(bridge_port_remove(br, 7) == 0); /* is gone with the port */
	CHECK(bridge_port_create(br, 7) == 0 && !port(7)->slow);
	teardown();
}

int main(void)
{
	RUN(a_stranger_too_many_is_dropped_and_the_known_stay);
	RUN(a_place_is_free_when_a_station_leaves_or_falls_silent);
	RUN(a_lower_limit_forgets_who_was_silent_for_longest);
	RUN(a_group_is_nobodys_address_where_addresses_count);
	RUN(a_sticky_address_is_nobody_elses);
	RUN(sticky_addresses_stay_while_nobody_is_plugged_in);
	RUN(sticky_survives_flushes_but_not_leaving_the_vlan);
	RUN(a_kept_address_does_not_become_sticky_where_it_is);
	RUN(sticky_and_limit_learn_that_many_for_good);
	RUN(an_address_is_pinned_by_hand);
	RUN(only_listed_sources_come_in);
	RUN(each_kind_of_storm_has_its_own_limit);
	RUN(the_rate_counts_everything_and_others_are_free);
	RUN(control_frames_meet_no_guard_and_cost_nothing);
	RUN(the_first_check_that_refuses_is_the_reason);
	RUN(a_hub_knows_the_rate_only);
	RUN(settings_outlive_the_client_and_not_the_port);
	RUN(isolated_ports_reach_uplinks_only);
	RUN(isolation_holds_in_vlans_and_in_hubs);
	RUN(isolation_holds_beyond_64_ports_and_when_ports_are_added);
	DONE();
}
