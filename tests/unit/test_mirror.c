// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mirrors on a bridge with fake transports.
 */
#include "switch/mirror.h"

#include "../unit/bridge_fixture.h"
#include "switch/hook.h"

static struct mirrors *m;

static void begin(unsigned int ports)
{
	setup(ports);
	m = mirrors_new(br);
}

static void end(void)
{
	bridge_flush(br);
	mirrors_free(m);
	for (unsigned int i = 0; i <= br->numports; i++)
		CHECK(!br->ports[i] || !br->ports[i]->slow);
	teardown();
}

/* A on port 1, B on port 2. */
static void introduce(void)
{
	rx(1, ALL, A, -1);
	rx(2, ALL, B, -1);
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++)
		fakes[i].sent = 0;
}

static void in_out_or_both_are_copied(void)
{
	begin(5);
	introduce();
	CHECK(mirror_add(m, 1, 3, true, false) == 0);
	CHECK(mirror_add(m, 1, 4, false, true) == 0);
	CHECK(mirror_add(m, 1, 5, true, true) == 0);
	rx(1, B, A, -1);
	CHECK(fakes[2].sent == 1 && fakes[3].sent == 1);
	CHECK(fakes[4].sent == 0 && fakes[5].sent == 1);
	CHECK(fakes[3].last_len == 100);
	rx(2, A, B, -1);
	rx(2, A, B, -1);
	CHECK(fakes[1].sent == 2 && fakes[3].sent == 1);
	CHECK(fakes[4].sent == 2 && fakes[5].sent == 3);
	CHECK(mirror_from(m, 1, 5)->frames == 3);
	CHECK(mirror_from(m, 1, 5)->bytes == 300);
	end();
}

static void the_destination_keeps_its_own_traffic(void)
{
	begin(3);
	CHECK(mirror_add(m, 1, 3, true, true) == 0);
	rx(1, ALL, A, -1); /* its own, and a copy */
	CHECK(fakes[3].sent == 2);
	rx(2, ALL, B, -1); /* its own, and what went to port 1 */
	CHECK(fakes[3].sent == 4);
	rx(3, A, B + 1, -1);
	CHECK(fakes[1].sent == 2 && fakes[3].sent == 5);
	end();
}

static void a_copy_has_the_form_of_the_sources_wire(void)
{
	begin(4);
	CHECK(bridge_vlan_create(br, 5) == 0);
	CHECK(bridge_port_set_vlan(br, 1, 5) == 0);
	CHECK(bridge_vlan_add_port(br, 5, 2) == 0);
	CHECK(mirror_add(m, 1, 3, true, true) == 0);
	CHECK(mirror_add(m, 2, 4, true, true) == 0);
	rx(1, ALL, A, -1);
	CHECK(fakes[2].sent == 1 && fakes[2].last_len == 104);
	CHECK(fakes[3].sent == 1 && fakes[3].last_len == 100);
	CHECK(fakes[4].sent == 1 && fakes[4].last_len == 104);
	CHECK(fakes[4].last[12] == 0x81 && fakes[4].last[15] == 5);
	rx(2, ALL, B, 0xe005);
	CHECK(fakes[1].last_len == 96);
	CHECK(fakes[3].sent == 2 && fakes[3].last_len == 96);
	CHECK(fakes[4].sent == 2 && fakes[4].last_len == 100);
	CHECK(fakes[4].last[14] == 0xe0);
	end();
}

static void what_is_dropped_on_its_way_in_is_not_copied(void)
{
	begin(3);
	CHECK(bridge_port_set_vlan(br, 1, VLAN_NONE) == 0);
	CHECK(mirror_add(m, 1, 3, true, true) == 0);
	rx(1, ALL, A, -1);
	CHECK(fakes[3].sent == 0);
	bridge_block(br, 2, true);
	CHECK(mirror_add(m, 2, 3, true, true) == 0);
	rx(2, ALL, B, -1);
	CHECK(fakes[3].sent == 0 && br->ports[2]->drops[DROP_BLOCKED] == 1);
	bridge_block(br, 2, false);
	rx(2, ALL, B, -1);
	CHECK(fakes[3].sent == 2);
	end();
}

static void a_copy_is_not_mirrored_again(void)
{
	begin(4);
	introduce();
	CHECK(mirror_add(m, 1, 2, true, true) == 0);
	CHECK(mirror_add(m, 2, 1, true, true) == 0);
	CHECK(mirror_add(m, 2, 3, true, true) == 0);
	CHECK(mirror_add(m, 3, 4, true, true) == 0);
	rx(1, B, A, -1);
	/* To 2: a copy of what came in by 1, and the frame, of which 1 and 3
	 * get a copy. */
	CHECK(fakes[1].sent == 1 && fakes[2].sent == 2);
	CHECK(fakes[3].sent == 1 && fakes[4].sent == 0);
	end();
}

static void a_slow_destination_loses_copies_and_holds_nobody(void)
{
	begin(3);
	introduce();
	CHECK(mirror_add(m, 1, 3, true, false) == 0);
	fakes[3].room = 0;
	for (int i = 0; i < 1000; i++)
		rx(1, B, A, -1);
	CHECK(fakes[2].sent == 1000);
	CHECK(!fakes[1].paused && !fakes[2].paused);
	CHECK(fakes[3].ep.queue.count == 128);
	CHECK(br->ports[3]->drops[DROP_QUEUE_FULL] == 1000 - 128);
	CHECK(mirror_from(m, 1, 3)->frames == 1000);
	end();
}

static bool swallow(struct bridge_proto *proto, struct port *p, struct frame *f,
		    bool tagged)
{
	return true;
}

static void what_the_switch_says_for_itself_is_not_copied(void)
{
	const uint64_t group = UINT64_C(0x0180c2000000);
	struct bridge_proto proto = { .addr = group, .input = swallow };
	uint8_t bytes[60] = { 0x01, 0x80, 0xc2 };

	begin(3);
	CHECK(mirror_add(m, 1, 3, true, true) == 0);
	rx(1, group, A, -1);
	CHECK(fakes[2].sent == 1 && fakes[3].sent == 2); /* as any other */
	bridge_proto_add(br, &proto);
	rx(1, group, A, -1);
	CHECK(bridge_originate(br, 1, 0, bytes, sizeof(bytes)) == 0);
	bridge_flush(br);
	CHECK(fakes[1].sent == 1 && fakes[2].sent == 1 && fakes[3].sent == 2);
	CHECK(mirror_from(m, 0, 0)->frames == 1);
	rx(1, group + 0x30, A, -1);
	CHECK(fakes[2].sent == 2 && fakes[3].sent == 4);
	bridge_proto_del(br, &proto);
	end();
}

static void without_a_destination_copies_are_missed(void)
{
	begin(2);
	introduce();
	CHECK(bridge_port_create(br, 3) == 0);
	CHECK(mirror_add(m, 1, 3, true, true) == 0);
	rx(1, B, A, -1);
	CHECK(mirror_from(m, 0, 0)->missed == 1);
	CHECK(br->ports[3]->out_frames == 0);
	plug(3);
	bridge_block(br, 3, true);
	rx(1, B, A, -1);
	CHECK(mirror_from(m, 0, 0)->missed == 2 && !fakes[3].sent);
	bridge_block(br, 3, false);
	rx(1, B, A, -1);
	CHECK(mirror_from(m, 0, 0)->frames == 1 && fakes[3].sent == 1);
	end();
}

static void mistakes_are_refused(void)
{
	begin(3);
	CHECK(mirror_add(m, 9, 1, true, true) == -EINVAL);
	CHECK(mirror_add(m, 1, 9, true, true) == -EINVAL);
	CHECK(mirror_add(m, 1, 1, true, true) == -EINVAL);
	CHECK(mirror_add(m, 1, 2, false, false) == -EINVAL);
	CHECK(mirror_add(m, 1, 8, true, true) == -ENXIO);
	CHECK(mirror_add(m, 8, 1, true, true) == -ENXIO);
	CHECK(mirror_add(m, 1, 2, true, true) == 0);
	CHECK(mirror_add(m, 1, 2, true, false) == -EEXIST);
	CHECK(mirror_del(m, 2, 1) == -ENOENT);
	CHECK(mirror_del(m, 1, 3) == -ENOENT);
	CHECK(mirror_del(m, 100, 3) == -ENOENT);
	CHECK(mirror_del(m, 1, 2) == 0);
	CHECK(mirror_del(m, 1, 2) == -ENOENT);
	end();
}

static void who_nobody_mirrors_pays_nothing(void)
{
	begin(3);
	CHECK(mirror_add(m, 1, 3, true, false) == 0);
	CHECK(mirror_add(m, 2, 3, false, true) == 0);
	CHECK(br->ports[1]->slow == PORT_HOOK_IN);
	CHECK(br->ports[2]->slow == PORT_HOOK_OUT);
	CHECK(br->ports[3]->slow == 0);
	CHECK(mirror_del(m, 1, 3) == 0 && mirror_del(m, 2, 3) == 0);
	CHECK(br->ports[1]->slow == 0 && br->ports[2]->slow == 0);
	end();
}

static void they_are_listed_by_source_and_destination(void)
{
	const struct mirror *mi;

	begin(5);
	CHECK(mirror_add(m, 4, 1, true, true) == 0);
	CHECK(mirror_add(m, 2, 5, true, true) == 0);
	CHECK(mirror_add(m, 2, 1, true, true) == 0);
	CHECK(mirror_add(m, 2, 3, true, true) == 0);
	mi = mirror_from(m, 0, 0);
	CHECK(mi->src == 2 && mi->dst == 1);
	mi = mirror_from(m, 2, 2);
	CHECK(mi->src == 2 && mi->dst == 3);
	mi = mirror_from(m, 2, 4);
	CHECK(mi->src == 2 && mi->dst == 5);
	mi = mirror_from(m, 2, 6);
	CHECK(mi->src == 4 && mi->dst == 1);
	CHECK(!mirror_from(m, 4, 2));
	end();
}

static void a_port_takes_its_mirrors_with_it(void)
{
	begin(4);
	CHECK(mirror_add(m, 1, 2, true, true) == 0);
	CHECK(mirror_add(m, 2, 3, true, true) == 0);
	CHECK(mirror_add(m, 2, 1, true, true) == 0);
	CHECK(mirror_add(m, 3, 4, true, true) == 0);
	bridge_detach(&fakes[2].ep);
	CHECK(mirror_from(m, 0, 0)->src == 1);
	CHECK(bridge_port_remove(br, 2) == 0);
	CHECK(mirror_from(m, 0, 0)->src == 3 && !mirror_from(m, 3, 5));
	CHECK(br->ports[1]->slow == 0);
	rx(1, ALL, A, -1);
	plug(2);
	CHECK(br->ports[2]->slow == 0);
	rx(2, ALL, B, -1);
	CHECK(fakes[4].sent == 4); /* two of its own, two copies of port 3's */
	end();
}

int main(void)
{
	RUN(in_out_or_both_are_copied);
	RUN(the_destination_keeps_its_own_traffic);
	RUN(a_copy_has_the_form_of_the_sources_wire);
	RUN(what_is_dropped_on_its_way_in_is_not_copied);
	RUN(a_copy_is_not_mirrored_again);
	RUN(a_slow_destination_loses_copies_and_holds_nobody);
	RUN(what_the_switch_says_for_itself_is_not_copied);
	RUN(without_a_destination_copies_are_missed);
	RUN(mistakes_are_refused);
	RUN(who_nobody_mirrors_pays_nothing);
	RUN(they_are_listed_by_source_and_destination);
	RUN(a_port_takes_its_mirrors_with_it);
	DONE();
}
