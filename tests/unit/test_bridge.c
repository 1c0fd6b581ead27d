// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The forwarding core with fake transports.
 */
#include "../unit/bridge_fixture.h"

static void unknown_goes_everywhere_known_to_one(void)
{
	setup(3);
	rx(1, B, A, -1);
	CHECK(!fakes[1].sent && fakes[2].sent == 1 && fakes[3].sent == 1);
	rx(2, A, B, -1);
	CHECK(fakes[1].sent == 1 && fakes[3].sent == 1);
	rx(1, B, A, -1);
	CHECK(fakes[2].sent == 2 && fakes[3].sent == 1);
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 3 && fakes[3].sent == 2);
	CHECK(br->ports[1]->in_frames == 3 && br->ports[1]->in_bytes == 300);
	CHECK(br->ports[3]->out_frames == 2 && br->ports[3]->out_bytes == 200);
	teardown();
}

static void a_frame_for_its_own_port_is_dropped_and_counted(void)
{
	setup(2);
	rx(1, ALL, A, -1);
	rx(1, A, B, -1);
	CHECK(fakes[2].sent == 1);
	CHECK(br->ports[1]->drops[DROP_SAME_PORT] == 1);
	teardown();
}

static void short_frames_are_padded_with_zeros(void)
{
	static const uint8_t zeros[ETHER_MIN_LEN];

	setup(2);
	rx_len(1, ALL, A, -1, 14, SEC);
	CHECK(fakes[2].last_len == 60);
	CHECK(!memcmp(fakes[2].last + 14, zeros, 46));
	rx_len(1, ALL, A, 5, 18, SEC);
	CHECK(fakes[2].last_len == 64);
	CHECK(!memcmp(fakes[2].last + 18, zeros, 46));
	rx_len(1, ALL, A, -1, 13, SEC);
	rx_len(1, ALL, A, 5, 17, SEC);
	CHECK(fakes[2].sent == 2);
	CHECK(br->ports[1]->drops[DROP_RUNT] == 2);
	teardown();
}

static void the_longest_frame_passes_and_no_longer_one(void)
{
	setup(2);
	rx_len(1, ALL, A, 5, 9216 + 18, SEC);
	CHECK(fakes[2].sent == 1 && fakes[2].last_len == 9216 + 18);
	rx_len(1, ALL, A, -1, 9216 + 19, SEC);
	CHECK(fakes[2].sent == 1);
	CHECK(br->ports[1]->drops[DROP_TOO_LONG] == 1);
	teardown();
}

static void without_vlans_tags_pass_untouched(void)
{
	setup(3);
	rx(1, ALL, A, 0x6005);
	CHECK(fakes[2].sent == 1 && fakes[2].last_len == 100);
	CHECK(fakes[2].last[12] == 0x81 && fakes[2].last[14] == 0x60 &&
	      fakes[2].last[15] == 5);
	CHECK(fakes[2].last[16] == 0x88);
	rx(2, A, B, 0x6005); /* learned in VLAN 5 ... */
	CHECK(fakes[3].sent == 1);
	rx(2, A, B, 7); /* ... and not in VLAN 7 */
	CHECK(fakes[3].sent == 2);
	rx(1, ALL, A, 4095);
	CHECK(br->ports[1]->drops[DROP_VLAN] == 1);
	teardown();
}

static void the_first_vlan_makes_the_switch_strict(void)
{
	setup(3);
	CHECK(bridge_vlan_create(br, 5) == 0);
	rx(1, ALL, A, 5);
	rx(1, ALL, A, 6);
	CHECK(!fakes[2].sent && br->ports[1]->drops[DROP_VLAN] == 2);
	CHECK(bridge_vlan_add_port(br, 5, 1) == 0);
	CHECK(bridge_vlan_add_port(br, 5, 2) == 0);
	rx(1, ALL, A, 5);
	CHECK(fakes[2].sent == 1 && !fakes[3].sent);
	bridge_set_vlan_mode(br, BRIDGE_VLAN_TRANSPARENT);
	rx(1, ALL, A, 6);
	CHECK(fakes[2].sent == 2 && fakes[3].sent == 1);
	rx(1, ALL, A, 5);
	CHECK(fakes[2].sent == 3 && fakes[3].sent == 1);
	bridge_set_vlan_mode(br, BRIDGE_VLAN_STRICT);
	rx(1, ALL, A, 6);
	CHECK(fakes[2].sent == 3);
	teardown();
}

static void access_ports_and_trunks_translate_the_tag(void)
{
	setup(3);
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_port_set_vlan(br, 1, 5) == 0); /* access */
	CHECK(bridge_vlan_add_port(br, 5, 2) == 0); /* trunk */
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 1 && !fakes[3].sent);
	CHECK(fakes[2].last_len == 104 && fakes[2].last[13] == 0 &&
	      fakes[2].last[14] == 0 && fakes[2].last[15] == 5);
	rx(2, ALL, B, 0xe005);
	CHECK(fakes[1].sent == 1 && fakes[1].last_len == 96);
	CHECK(fakes[1].last[12] == 0x88 && fakes[1].last[13] == 0xb5);
	rx(2, ALL, B, -1); /* VLAN 0 on the trunk */
	CHECK(fakes[1].sent == 1 && fakes[3].sent == 1);
	teardown();
}

static void a_priority_tag_means_the_ports_vlan(void)
{
	setup(3);
	bridge_vlan_create(br, 5);
	bridge_port_set_vlan(br, 1, 5);
	bridge_vlan_add_port(br, 5, 2);
	rx(1, ALL, A, 0xa000);
	CHECK(fakes[2].sent == 1 && fakes[2].last_len == 100);
	CHECK(fakes[2].last[14] == 0xa0 && fakes[2].last[15] == 5);
	teardown();
}

static void a_port_without_untagged_vlan_takes_tagged_only(void)
{
	setup(2);
	bridge_vlan_create(br, 5);
	bridge_vlan_add_port(br, 5, 1);
	bridge_vlan_add_port(br, 5, 2);
	CHECK(bridge_port_set_vlan(br, 1, VLAN_NONE) == 0);
	rx(1, ALL, A, -1);
	rx(1, ALL, A, 0x2000);
	CHECK(!fakes[2].sent && br->ports[1]->drops[DROP_NO_VLAN] == 2);
	rx(1, ALL, A, 5);
	CHECK(fakes[2].sent == 1);
	teardown();
}

static void a_hub_repeats_to_all_but_port_zero(void)
{
	setup(2);
	plug(0);
	bridge_set_hub(br, true);
	rx(1, A, A, 5);
	CHECK(fakes[2].sent == 1 && !fakes[0].sent);
	CHECK(fakes[2].last_len == 100 && fakes[2].last[12] == 0x81);
	rx(0, A, A, -1);
	CHECK(fakes[1].sent == 1 && fakes[2].sent == 2);
	bridge_detach(&fakes[0].ep);
	teardown();
}

static void a_slow_endpoint_loses_its_own_frames_only(void)
{
	setup(3);
	fakes[2].room = 10;
	for (int i = 0; i < 500; i++)
		rx(1, ALL, A, -1);
	CHECK(fakes[3].sent == 500);
	CHECK(fakes[2].sent == 10);
	CHECK(fakes[2].ep.queue.count == 128);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 500 - 138);
	fakes[2].room = 100;
	endpoint_writable(&fakes[2].ep);
	CHECK(fakes[2].sent == 110 && fakes[2].ep.queue.count == 28);
	fakes[2].room = 100;
	endpoint_writable(&fakes[2].ep);
	CHECK(fakes[2].sent == 138 && !fakes[2].ep.queue.count);
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 139);
	teardown();
}

static void what_the_switch_says_is_not_lost_behind_others(void)
{
	uint8_t own[60] = { 0x01, 0x80, 0xc2 };

	setup(3);
	fakes[2].room = 0;
	txq_set_limit(&fakes[2].ep.queue, 16);
	for (int i = 0; i < 20; i++)
		rx(1, ALL, A, -1);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 4);
	for (uint8_t i = 1; i <= 3; i++) {
		own[59] = i;
		CHECK(bridge_originate(br, 2, 0, own, sizeof(own)) == 0);
	}
	bridge_flush(br);
	CHECK(fakes[2].ep.queue.count == 16);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 7);
	rx(1, ALL, A, -1); /* others are lost behind it, as ever */
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 8);
	for (uint8_t i = 0; i < 3; i++) { /* in order, at the end */
		fakes[2].room = i ? 1 : 14;
		endpoint_writable(&fakes[2].ep);
		CHECK(fakes[2].last_len == 60 && fakes[2].last[59] == i + 1);
	}
	CHECK(!fakes[2].ep.queue.count && !br->queued);
	for (int i = 0; i < 20; i++) /* nobody to displace */
		CHECK(bridge_originate(br, 2, 0, own, sizeof(own)) == 0);
	bridge_flush(br);
	CHECK(fakes[2].ep.queue.count == 16);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 12);
	teardown();
}

static void a_sender_is_held_until_its_receiver_has_read(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	fakes[2].room = 0;
	for (int i = 0; i < 66; i++)
		rx(1, B, A, -1);
	CHECK(fakes[1].paused && !fakes[3].paused);
	CHECK(fakes[2].ep.queue.count == 66);
	CHECK(port_hold_expire(br, SEC) == SEC + PORT_HOLD_NS);
	fakes[2].room = 20;
	endpoint_writable(&fakes[2].ep);
	CHECK(fakes[1].paused);
	fakes[2].room = 20;
	endpoint_writable(&fakes[2].ep);
	CHECK(!fakes[1].paused && fakes[2].ep.queue.count == 26);
	CHECK(port_hold_expire(br, SEC) == 0);
	teardown();
}

static void a_receiver_that_does_not_read_holds_nobody_for_long(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	fakes[2].room = 0;
	for (int i = 0; i < 70; i++)
		rx(1, B, A, -1);
	CHECK(fakes[1].paused);
	CHECK(port_hold_expire(br, SEC + PORT_HOLD_NS) == 0);
	CHECK(!fakes[1].paused);
	for (int i = 0; i < 100; i++)
		rx(1, B, A, -1);
	CHECK(!fakes[1].paused);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 170 - 128);
	fakes[2].room = 1000;
	endpoint_writable(&fakes[2].ep); /* it reads again: forgiven */
	fakes[2].room = 0;
	for (int i = 0; i < 70; i++)
		rx(1, B, A, -1);
	CHECK(fakes[1].paused);
	bridge_detach(&fakes[2].ep); /* its senders are let go */
	CHECK(!fakes[1].paused);
	teardown();
}

static void a_sender_may_leave_while_it_is_held(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	fakes[2].room = 0;
	for (int i = 0; i < 70; i++)
		rx(1, B, A, -1);
	CHECK(fakes[1].paused);
	bridge_detach(&fakes[1].ep);
	fakes[2].room = 1000;
	endpoint_writable(&fakes[2].ep);
	CHECK(fakes[2].sent == 70);
	teardown();
}

static void another_sender_may_be_held_after_one_has_left(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	fakes[2].room = 0;
	for (int i = 0; i < 70; i++)
		rx(1, B, A, -1);
	CHECK(fakes[1].paused);
	bridge_detach(&fakes[1].ep);
	rx_len(3, B, A + 9, -1, 60, SEC + 1);
	CHECK(fakes[3].paused);
	CHECK(port_hold_expire(br, SEC + 1) == SEC + 1 + PORT_HOLD_NS);
	CHECK(port_hold_expire(br, SEC + 1 + PORT_HOLD_NS) == 0);
	CHECK(!fakes[3].paused);
	teardown();
}

static void what_waits_for_an_endpoint_that_leaves_is_counted(void)
{
	setup(2);
	fakes[2].room = 3;
	for (int i = 0; i < 10; i++)
		rx(1, ALL, A, -1);
	bridge_detach(&fakes[2].ep);
	CHECK(fakes[2].sent == 3);
	CHECK(br->ports[2]->out_frames == 10);
	CHECK(br->ports[2]->drops[DROP_SEND] == 7);
	teardown();
}

static void an_empty_datagram_is_no_frame(void)
{
	setup(2);
	rx_len(1, ALL, A, -1, 0, SEC);
	CHECK(!fakes[2].sent && !br->ports[1]->in_frames);
	CHECK(br->ports[1]->drops[DROP_RUNT] == 0);
	teardown();
}

static void slow_endpoints_leave_room_for_each_other(void)
{
	setup(8);
	for (unsigned int i = 2; i <= 8; i++) {
		rx(i, ALL, 0x020000000100 + i, -1);
		txq_set_limit(&fakes[i].ep.queue, 10000);
		fakes[i].room = 0;
	}
	for (int k = 0; k < 3000; k++)
		for (unsigned int i = 2; i <= 7; i++)
			rx(1, 0x020000000100 + i, A, -1);
	CHECK(br->ports[2]->drops[DROP_NO_BUFFER] > 0);
	CHECK(fakes[2].ep.queue.count - fakes[7].ep.queue.count <= 1);
	for (int k = 0; k < 200; k++)
		rx(1, 0x020000000108, A, -1);
	CHECK(fakes[8].ep.queue.count == 200);
	teardown();
}

static void a_short_queue_holds_nobody(void)
{
	setup(3);
	rx(2, ALL, B, -1);
	txq_set_limit(&fakes[2].ep.queue, 16);
	fakes[2].room = 0;
	for (int i = 0; i < 20; i++)
		rx(1, B, A, -1);
	CHECK(!fakes[1].paused);
	CHECK(br->ports[2]->drops[DROP_QUEUE_FULL] == 4);
	teardown();
}

static void a_full_batch_is_sent_without_waiting(void)
{
	struct frame *f[BATCH_MAX];

	setup(2);
	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < BATCH_MAX; i++) {
			f[i] = frame_new(br->pool);
			f[i]->len = 60;
			memset(f[i]->data, 0xff, 6);
			put_addr(f[i]->data + 6, A);
			put16(f[i]->data + 12, 0x88b5);
		}
		port_rx_take(&fakes[1].ep, f, BATCH_MAX, SEC);
	}
	CHECK(fakes[2].sent == 2 * BATCH_MAX);
	bridge_flush(br);
	CHECK(fakes[2].sent == 3 * BATCH_MAX);
	teardown();
}

static void a_turn_is_shared_by_those_who_are_ready(void)
{
	struct endpoint *ep;

	setup(2);
	ep = &fakes[1].ep;
	CHECK(endpoint_budget(ep, 1) == 32);
	CHECK(endpoint_budget(ep, 0) == 32); /* its queue was the event */
	CHECK(endpoint_budget(ep, 2) == 16);
	CHECK(endpoint_budget(ep, 1000) == 8);
	teardown();
}

static void who_floods_brings_fewer_frames(void)
{
	struct endpoint *ep;

	setup(7);
	ep = &fakes[1].ep;
	rx(1, ALL, A, -1);
	CHECK(ep->fanout == 6);
	rx(2, A, B, -1);
	CHECK(fakes[2].ep.fanout == 1);
	ep->fanout = 128;
	CHECK(endpoint_budget(ep, 1) == 8);
	ep->fanout = 16383;
	CHECK(endpoint_budget(ep, 1) == 1);
	rx(1, B, A, -1); /* to one port: all is as before */
	CHECK(endpoint_budget(ep, 1) == 32);
	teardown();
}

static void unplugging_forgets_addresses_of_that_port_only(void)
{
	setup(3);
	rx(1, ALL, A, -1);
	rx(2, ALL, B, -1);
	bridge_detach(&fakes[1].ep);
	CHECK(fakes[1].closed);
	CHECK(mactab_find(br->macs, mactab_key(0, A), 1) == -1);
	CHECK(mactab_find(br->macs, mactab_key(0, B), 1) == 2);
	CHECK(events[BRIDGE_PORT_UP] == 3 && events[BRIDGE_PORT_DOWN] == 1);
	CHECK(events[BRIDGE_MAC_NEW] == 2);
	teardown();
}

/* From port 1 to all that are there, in each of VLANs 1 to 50. */
static void flood_all_vlans(void)
{
	for (int vid = 1; vid <= 50; vid++)
		rx(1, ALL, A, vid);
}

static void a_port_that_comes_and_goes_is_in_all_floods_or_none(void)
{
	setup(3);
	for (unsigned int vid = 1; vid <= 50; vid++) {
		CHECK(bridge_vlan_create(br, vid) == 0);
		for (unsigned int i = 1; i <= 3; i++)
			CHECK(bridge_vlan_add_port(br, vid, i) == 0);
	}
	flood_all_vlans();
	CHECK(fakes[2].sent == 50 && fakes[3].sent == 50);
	bridge_detach(&fakes[3].ep);
	bridge_block(br, 2, true);
	flood_all_vlans();
	CHECK(fakes[2].sent == 50 && fakes[3].sent == 50);
	bridge_block(br, 2, false);
	plug(3);
	CHECK(bridge_vlan_del_port(br, 50, 3) == 0);
	flood_all_vlans();
	CHECK(fakes[2].sent == 100 && fakes[3].sent == 49);
	teardown();
}

static void endpoints_of_one_port_share_everything_but_each_other(void)
{
	struct fake twin = { .room = MAX_SENT };

	setup(2);
	endpoint_init(&twin.ep, &tr_fake, 99, 1000, "twin");
	CHECK(bridge_attach(br, 1, &twin.ep) == 0);
	rx(2, ALL, B, -1);
	CHECK(fakes[1].sent == 1 && twin.sent == 1);
	rx(1, ALL, A, -1);
	CHECK(twin.sent == 1 && fakes[2].sent == 1);
	CHECK(bridge_endpoint(br->ports[1], 99) == &twin.ep);
	bridge_detach(&twin.ep);
	CHECK(port_is_active(br->ports[1]));
	teardown();
}

static void without_a_link_a_ports_addresses_are_forgotten(void)
{
	struct fake twin = { .room = MAX_SENT };

	setup(3);
	rx(1, ALL, A, -1);
	endpoint_init(&twin.ep, &tr_fake, 99, 1000, "twin");
	CHECK(bridge_attach(br, 1, &twin.ep) == 0);
	bridge_set_link(&fakes[1].ep, false);
	CHECK(events[BRIDGE_LINK] == 1 && port_has_link(br->ports[1]));
	rx(2, A, B, -1);
	CHECK(fakes[1].sent == 1 && fakes[3].sent == 1);
	bridge_set_link(&twin.ep, false);
	bridge_set_link(&twin.ep, false);
	CHECK(events[BRIDGE_LINK] == 2 && !port_has_link(br->ports[1]));
	CHECK(port_is_active(br->ports[1]));
	rx(2, A, B, -1); /* everywhere */
	CHECK(fakes[3].sent == 2);
	bridge_set_link(&fakes[1].ep, true);
	CHECK(events[BRIDGE_LINK] == 3 && port_has_link(br->ports[1]));
	bridge_detach(&twin.ep);
	teardown();
}

static void access_control_follows_user_and_group(void)
{
	const gid_t groups[] = { 7, 50 };
	const struct port_user ann = { 1000, groups, 2 };
	const struct port_user bob = { 1001, groups, 1 };
	const struct port_user root = { 0, groups, 0 };

	setup(1); /* port 1: user 1000 */
	CHECK(bridge_port_for(br, 1, &ann) == 1);
	CHECK(bridge_port_for(br, 1, &bob) == -EACCES);
	CHECK(bridge_port_for(br, 1, &root) == -EACCES);
	CHECK(bridge_port_create(br, 2) == 0);
	br->ports[2]->only_gid = 50;
	CHECK(bridge_port_for(br, 2, &ann) == 2);
	CHECK(bridge_port_for(br, 2, &bob) == -EACCES);
	CHECK(bridge_port_for(br, 2, &root) == 2);
	br->ports[2]->only_uid = 1001;
	CHECK(bridge_port_for(br, 2, &bob) == 2);
	CHECK(bridge_port_for(br, 9, &bob) == -EINVAL);
	br->ports[2]->allocatable = false;
	CHECK(bridge_port_for(br, -1, &bob) == 3);
	teardown();
}

static void any_port_is_the_lowest_free_until_none_is_left(void)
{
	const struct port_user user = { .uid = 1000 };

	setup(7);
	CHECK(bridge_port_for(br, -1, &user) == 8);
	CHECK(!br->ports[8]); /* asked for, not taken */
	CHECK(bridge_port_create(br, 8) == 0);
	bridge_detach(&fakes[3].ep);
	CHECK(bridge_port_for(br, -1, &user) == 3);
	plug(3);
	br->ports[8]->allocatable = false;
	CHECK(bridge_port_for(br, -1, &user) == -ENOSPC);
	teardown();
}

static void ports_can_be_added_while_traffic_flows(void)
{
	setup(2);
	rx(1, ALL, A, -1);
	CHECK(bridge_set_numports(br, 200) == 0);
	CHECK(bridge_port_create(br, 200) == 0);
	CHECK(bridge_set_numports(br, 100) == -EADDRINUSE);
	CHECK(bridge_port_remove(br, 200) == 0);
	CHECK(bridge_set_numports(br, 4) == 0);
	CHECK(bridge_set_numports(br, 1) == -EADDRINUSE);
	CHECK(bridge_set_numports(br, 0) == -EINVAL);
	rx(2, A, B, -1);
	CHECK(fakes[1].sent == 1);
	teardown();
}

static void vlan_commands_refuse_what_makes_no_sense(void)
{
	setup(1);
	CHECK(bridge_vlan_create(br, 0) == -EINVAL);
	CHECK(bridge_vlan_create(br, 4094) == -EINVAL);
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_vlan_create(br, 5) == -EEXIST);
	CHECK(bridge_vlan_remove(br, 6) == -ENXIO);
	CHECK(bridge_vlan_add_port(br, 6, 1) == -ENXIO);
	CHECK(bridge_vlan_add_port(br, 5, 2) == -ENXIO);
	CHECK(bridge_vlan_add_port(br, 5, 9) == -EINVAL);
	CHECK(bridge_port_set_vlan(br, 1, 6) == -ENXIO);
	CHECK(bridge_port_set_vlan(br, 1, 4096) == -EINVAL);
	CHECK(bridge_port_set_vlan(br, 1, 5) == 0);
	CHECK(bridge_vlan_remove(br, 5) == -EADDRINUSE);
	CHECK(bridge_vlan_del_port(br, 5, 1) == -EADDRINUSE);
	CHECK(bridge_port_set_vlan(br, 1, 0) == 0);
	CHECK(bridge_vlan_remove(br, 5) == 0);
	CHECK(br->transparent);
	teardown();
}

static void idle_addresses_expire_with_an_event(void)
{
	setup(1);
	rx_len(1, ALL, A, -1, 60, 10 * SEC);
	CHECK(bridge_expire(br, 20 * SEC) == 111 * SEC);
	CHECK(bridge_expire(br, 111 * SEC) == 0);
	CHECK(events[BRIDGE_MAC_GONE] == 1);
	teardown();
}

int main(void)
{
	RUN(unknown_goes_everywhere_known_to_one);
	RUN(a_frame_for_its_own_port_is_dropped_and_counted);
	RUN(short_frames_are_padded_with_zeros);
	RUN(the_longest_frame_passes_and_no_longer_one);
	RUN(without_vlans_tags_pass_untouched);
	RUN(the_first_vlan_makes_the_switch_strict);
	RUN(access_ports_and_trunks_translate_the_tag);
	RUN(a_priority_tag_means_the_ports_vlan);
	RUN(a_port_without_untagged_vlan_takes_tagged_only);
	RUN(a_hub_repeats_to_all_but_port_zero);
	RUN(a_slow_endpoint_loses_its_own_frames_only);
	RUN(a_sender_is_held_until_its_receiver_has_read);
	RUN(a_receiver_that_does_not_read_holds_nobody_for_long);
	RUN(a_sender_may_leave_while_it_is_held);
	RUN(another_sender_may_be_held_after_one_has_left);
	RUN(what_waits_for_an_endpoint_that_leaves_is_counted);
	RUN(an_empty_datagram_is_no_frame);
	RUN(slow_endpoints_leave_room_for_each_other);
	RUN(a_short_queue_holds_nobody);
	RUN(what_the_switch_says_is_not_lost_behind_others);
	RUN(a_full_batch_is_sent_without_waiting);
	RUN(a_turn_is_shared_by_those_who_are_ready);
	RUN(who_floods_brings_fewer_frames);
	RUN(unplugging_forgets_addresses_of_that_port_only);
	RUN(a_port_that_comes_and_goes_is_in_all_floods_or_none);
	RUN(endpoints_of_one_port_share_everything_but_each_other);
	RUN(without_a_link_a_ports_addresses_are_forgotten);
	RUN(access_control_follows_user_and_group);
	RUN(any_port_is_the_lowest_free_until_none_is_left);
	RUN(ports_can_be_added_while_traffic_flows);
	RUN(vlan_commands_refuse_what_makes_no_sense);
	RUN(idle_addresses_expire_with_an_event);
	DONE();
}
