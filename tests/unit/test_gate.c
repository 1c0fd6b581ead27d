// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What keeps a frame from passing, and who sees it on its way.
 */
#include "../unit/bridge_fixture.h"
#include "switch/hook.h"

#define GROUP UINT64_C(0x0180c2000000)

static uint64_t drops(unsigned int port, enum drop_reason why)
{
	return br->ports[port]->drops[why];
}

static bool known(uint64_t addr, unsigned int vid)
{
	return mactab_find(br->macs, mactab_key(vid, addr), 1) >= 0;
}

/* ---- spanning tree ---- */

static void a_gate_lets_pass_what_its_states_say(void)
{
	setup(3);
	CHECK(bridge_get_state(br, 0, 1) == BRIDGE_FORWARDING);
	CHECK(bridge_gate(br, 0, true) == 0);
	CHECK(bridge_get_state(br, 0, 1) == BRIDGE_DISCARDING);
	rx(1, ALL, A, -1);
	CHECK(!fakes[2].sent && !known(A, 0) && drops(1, DROP_STP) == 1);

	bridge_set_state(br, 0, 1, BRIDGE_LEARNING);
	rx(1, ALL, A, -1);
	CHECK(!fakes[2].sent && known(A, 0) && drops(1, DROP_STP) == 2);

	bridge_set_state(br, 0, 1, BRIDGE_FORWARDING);
	bridge_set_state(br, 0, 3, BRIDGE_FORWARDING);
	rx(1, ALL, A, -1);
	CHECK(!fakes[2].sent && fakes[3].sent == 1);
	rx(3, A, B, -1);
	CHECK(fakes[1].sent == 1);

	bridge_set_state(br, 0, 1, BRIDGE_LEARNING);
	rx(3, A, B, -1);
	CHECK(fakes[1].sent == 1 && drops(3, DROP_DEST_GONE) == 1);

	CHECK(bridge_gate(br, 0, false) == 0);
	rx(3, ALL, B, -1);
	CHECK(fakes[1].sent == 2 && fakes[2].sent == 1);
	teardown();
}

static void each_vlan_has_its_own_gate(void)
{
	setup(2);
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_vlan_add_port(br, 5, 1) == 0);
	CHECK(bridge_vlan_add_port(br, 5, 2) == 0);
	CHECK(bridge_gate(br, 5, true) == 0);
	CHECK(bridge_gate(br, 6, true) == -ENXIO);
	rx(1, ALL, A, -1);
	rx(1, ALL, A, 5);
	CHECK(fakes[2].sent == 1 && known(A, 0) && !known(A, 5));
	teardown();
}

static void undefined_vlans_follow_the_gate_of_vlan_zero(void)
{
	setup(2);
	CHECK(bridge_gate(br, 0, true) == 0);
	rx(1, ALL, A, 7);
	CHECK(!fakes[2].sent);
	bridge_set_state(br, 0, 1, BRIDGE_FORWARDING);
	rx(1, ALL, A, 7);
	CHECK(!fakes[2].sent && known(A, 7));
	bridge_set_state(br, 0, 2, BRIDGE_FORWARDING);
	rx(1, ALL, A, 7);
	CHECK(fakes[2].sent == 1);
	teardown();
}

static void states_survive_more_ports(void)
{
	setup(2);
	CHECK(bridge_gate(br, 0, true) == 0);
	bridge_set_state(br, 0, 1, BRIDGE_FORWARDING);
	bridge_set_state(br, 0, 2, BRIDGE_FORWARDING);
	CHECK(bridge_set_numports(br, 1000) == 0);
	CHECK(bridge_port_create(br, 999) == 0);
	CHECK(bridge_get_state(br, 0, 999) == BRIDGE_DISCARDING);
	rx(1, ALL, A, -1);
	rx(1, ALL, A, 9);
	CHECK(fakes[2].sent == 2);
	teardown();
}

/* ---- blocking and isolation ---- */

static void a_blocked_port_is_cut_off_and_forgotten(void)
{
	for (int hub = 0; hub < 2; hub++) {
		setup(3);
		bridge_set_hub(br, hub);
		rx(1, ALL, A, -1);
		bridge_block(br, 1, true);
		CHECK(!known(A, 0));
		rx(1, ALL, A, -1);
		rx(2, ALL, B, -1);
		CHECK(fakes[2].sent == 1 && fakes[3].sent == 2);
		CHECK(!fakes[1].sent && drops(1, DROP_BLOCKED) == 1);
		bridge_block(br, 1, false);
		rx(2, ALL, B, -1);
		CHECK(fakes[1].sent == 1);
		teardown();
	}
}

static void isolated_ports_reach_only_the_others(void)
{
	for (int hub = 0; hub < 2; hub++) {
		setup(3);
		bridge_set_hub(br, hub);
		bridge_isolate(br, 1, true);
		bridge_isolate(br, 2, true);
		rx(1, ALL, A, -1);
		CHECK(!fakes[2].sent && fakes[3].sent == 1);
		rx(3, ALL, B, -1);
		CHECK(fakes[1].sent == 1 && fakes[2].sent == 1);
		rx(2, A, 0x020000000003, -1);
		CHECK(fakes[1].sent == 1);
		CHECK(drops(2, DROP_ISOLATED) == (hub ? 0 : 1));
		bridge_isolate(br, 1, false);
		rx(2, A, 0x020000000003, -1);
		CHECK(fakes[1].sent == 2);
		teardown();
	}
}

/* ---- hooks ---- */

struct spy {
	struct frame_hook hook;
	unsigned int port; /* 0: all */
	bool veto;
	int seen[HOOK_N_POINTS];
	struct hook_frame last;
};

static bool spy_sees(struct frame_hook *h, const struct port *p)
{
	const struct spy *s = container_of(h, struct spy, hook);

	return !s->port || s->port == p->id;
}

static bool spy_fn(struct frame_hook *h, const struct hook_frame *hf)
{
	struct spy *s = container_of(h, struct spy, hook);

	s->seen[hf->point]++;
	s->last = *hf;
	return !s->veto;
}

static struct spy spy_on(unsigned int port, unsigned int points)
{
	return (struct spy){ .hook = { .points = points,
				       .rank = HOOK_WATCH,
				       .sees = spy_sees,
				       .fn = spy_fn },
			     .port = port };
}

#define POINTS (1u << HOOK_IN | 1u << HOOK_OUT | 1u << HOOK_DROP)

static void a_hook_sees_frames_of_its_ports_only(void)
{
	struct spy all = spy_on(0, POINTS), one = spy_on(2, 1u << HOOK_OUT);

	setup(3);
	hook_add(br, &all.hook);
	hook_add(br, &one.hook);
	rx(1, ALL, A, 5);
	CHECK(all.seen[HOOK_IN] == 1 && all.seen[HOOK_OUT] == 2);
	CHECK(one.seen[HOOK_OUT] == 1 && one.last.port->id == 2);
	CHECK(one.last.tagged && frame_vid(one.last.frame) == 5);
	CHECK(one.last.now == SEC);
	rx(1, ALL, A, VLAN_NONE);
	CHECK(all.seen[HOOK_IN] == 1 && all.seen[HOOK_DROP] == 1);
	CHECK(all.last.reason == DROP_VLAN && all.last.port->id == 1);
	hook_del(br, &all.hook);
	hook_del(br, &one.hook);
	rx(1, ALL, A, -1);
	CHECK(all.seen[HOOK_IN] == 1 && !br->ports[1]->slow);
	teardown();
}

static void a_port_that_comes_later_is_seen_too(void)
{
	struct spy all = spy_on(0, POINTS);

	setup(1);
	hook_add(br, &all.hook);
	plug(2);
	rx(2, ALL, A, -1);
	CHECK(all.seen[HOOK_IN] == 1 && all.last.port->id == 1);
	hook_del(br, &all.hook);
	teardown();
}

static void a_veto_stops_a_frame_and_the_others_learn_of_it(void)
{
	struct spy watch = spy_on(0, POINTS), veto = spy_on(1, 1u << HOOK_IN);

	setup(3);
	veto.veto = true;
	veto.hook.rank = HOOK_VETO;
	hook_add(br, &watch.hook);
	hook_add(br, &veto.hook);
	rx(1, ALL, A, -1);
	CHECK(!fakes[2].sent && !known(A, 0));
	CHECK(!watch.seen[HOOK_IN] && watch.seen[HOOK_DROP] == 1);
	CHECK(drops(1, DROP_VETO_IN) == 1);
	hook_del(br, &veto.hook);

	veto = spy_on(3, 1u << HOOK_OUT);
	veto.veto = true;
	hook_add(br, &veto.hook);
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 1 && !fakes[3].sent);
	CHECK(drops(3, DROP_VETO_OUT) == 1);
	CHECK(br->ports[3]->out_frames == 0);
	hook_del(br, &veto.hook);
	hook_del(br, &watch.hook);
	teardown();
}

static void what_a_slow_endpoint_loses_is_seen(void)
{
	struct spy all = spy_on(2, 1u << HOOK_DROP);

	setup(2);
	hook_add(br, &all.hook);
	fakes[2].room = 0;
	fakes[2].ep.queue.limit = 1;
	rx(1, ALL, A, -1);
	rx(1, ALL, A, -1);
	CHECK(all.seen[HOOK_DROP] == 1);
	CHECK(all.last.reason == DROP_QUEUE_FULL);
	hook_del(br, &all.hook);
	teardown();
}

/* ---- frames of the switch itself ---- */

static int taken;
static unsigned int taken_vid;

static bool take(struct bridge_proto *proto, struct port *p, struct frame *f,
		 bool tagged)
{
	taken++;
	taken_vid = frame_vid(f);
	return p->id != 2;
}

static void a_protocol_gets_its_frames_past_all_gates(void)
{
	struct bridge_proto proto = { .addr = GROUP, .input = take };

	setup(3);
	taken = 0;
	bridge_proto_add(br, &proto);
	CHECK(bridge_gate(br, 0, true) == 0);
	bridge_block(br, 1, true);
	rx(1, GROUP, A, 7);
	CHECK(taken == 1 && taken_vid == 7 && !known(A, 7));
	bridge_gate(br, 0, false);
	rx(2, GROUP, B, -1);
	CHECK(taken == 2 && fakes[3].sent == 1);
	bridge_proto_del(br, &proto);
	rx(3, GROUP, B, -1);
	CHECK(taken == 2 && fakes[2].sent == 1);
	teardown();
}

static void what_a_protocol_takes_is_seen_before_and_once(void)
{
	struct bridge_proto proto = { .addr = GROUP, .input = take };
	struct spy watch = spy_on(0, 1u << HOOK_IN);
	struct spy veto = spy_on(0, 1u << HOOK_IN);

	for (int hub = 0; hub < 2; hub++) {
		setup(3);
		bridge_set_hub(br, hub);
		veto.veto = true;
		veto.hook.rank = HOOK_VETO;
		watch.seen[HOOK_IN] = veto.seen[HOOK_IN] = 0;
		bridge_proto_add(br, &proto);
		hook_add(br, &watch.hook);
		hook_add(br, &veto.hook);
		rx(1, GROUP, A, -1);
		CHECK(watch.seen[HOOK_IN] == 1 && veto.seen[HOOK_IN] == 0);
		rx(2, GROUP, A, -1); /* not taken, but vetoed */
		CHECK(watch.seen[HOOK_IN] == 2 && veto.seen[HOOK_IN] == 1);
		CHECK(!fakes[3].sent && drops(2, DROP_VETO_IN) == 1);
		hook_del(br, &veto.hook);
		rx(2, GROUP, A, -1);
		CHECK(watch.seen[HOOK_IN] == 3 && fakes[3].sent == 1);
		hook_del(br, &watch.hook);
		bridge_proto_del(br, &proto);
		teardown();
	}
}

static void a_frame_of_the_switch_leaves_in_the_form_of_its_vlan(void)
{
	uint8_t bytes[20] = { 1, 0x80, 0xc2 };

	setup(2);
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_originate(br, 1, 5, bytes, sizeof(bytes)) == -ENXIO);
	CHECK(bridge_vlan_add_port(br, 5, 1) == 0);
	CHECK(bridge_gate(br, 5, true) == 0);
	bridge_block(br, 1, true);
	CHECK(bridge_originate(br, 1, 5, bytes, sizeof(bytes)) == 0);
	bridge_flush(br);
	CHECK(fakes[1].sent == 1 && fakes[1].last_len == 24);
	CHECK(fakes[1].last[12] == 0x81 && fakes[1].last[15] == 5);
	CHECK(bridge_originate(br, 1, 0, bytes, sizeof(bytes)) == 0);
	bridge_flush(br);
	CHECK(fakes[1].sent == 2 && fakes[1].last_len == 20);
	CHECK(bridge_originate(br, 7, 0, bytes, sizeof(bytes)) == -ENXIO);
	CHECK(bridge_originate(br, 1, 0, bytes, 13) == -EINVAL);
	CHECK(bridge_originate(br, 1, VLAN_NONE, bytes, 20) == -ENXIO);
	teardown();
}

static void listeners_hear_of_what_changes(void)
{
	setup(1);
	CHECK(events[BRIDGE_PORT_CREATED] == 1 && events[BRIDGE_MEMBER] == 1);
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_port_set_vlan(br, 1, 5) == 0);
	CHECK(events[BRIDGE_VLAN_CREATED] == 1 && events[BRIDGE_MEMBER] == 3);
	CHECK(bridge_vlan_add_port(br, 0, 1) == 0);
	CHECK(bridge_vlan_del_port(br, 0, 1) == 0);
	CHECK(events[BRIDGE_MEMBER] == 5);
	CHECK(bridge_port_set_vlan(br, 1, VLAN_NONE) == 0);
	CHECK(bridge_vlan_remove(br, 5) == 0);
	CHECK(events[BRIDGE_VLAN_REMOVED] == 1);
	bridge_set_hub(br, true);
	CHECK(events[BRIDGE_HUB] == 1);
	CHECK(bridge_port_create(br, 4) == 0 && bridge_port_remove(br, 4) == 0);
	CHECK(events[BRIDGE_PORT_REMOVED] == 1);
	bridge_unlisten(br, &listener);
	CHECK(bridge_port_create(br, 4) == 0);
	CHECK(events[BRIDGE_PORT_CREATED] == 2);
	teardown();
}

int main(void)
{
	RUN(a_gate_lets_pass_what_its_states_say);
	RUN(each_vlan_has_its_own_gate);
	RUN(undefined_vlans_follow_the_gate_of_vlan_zero);
	RUN(states_survive_more_ports);
	RUN(a_blocked_port_is_cut_off_and_forgotten);
	RUN(isolated_ports_reach_only_the_others);
	RUN(a_hook_sees_frames_of_its_ports_only);
	RUN(a_port_that_comes_later_is_seen_too);
	RUN(a_veto_stops_a_frame_and_the_others_learn_of_it);
	RUN(what_a_slow_endpoint_loses_is_seen);
	RUN(a_protocol_gets_its_frames_past_all_gates);
	RUN(what_a_protocol_takes_is_seen_before_and_once);
	RUN(a_frame_of_the_switch_leaves_in_the_form_of_its_vlan);
	RUN(listeners_hear_of_what_changes);
	DONE();
}
