// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One bridge, seen from its wires: what it sends, when it wants to be called,
 * what it tells, what it refuses.
 */
#include "switch/rstp.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)
#define ME (UINT64_C(0x8000) << 48 | UINT64_C(0x020000000001))
#define BEST UINT64_C(0x020000000004)
#define BETTER (UINT64_C(0x1000) << 48 | UINT64_C(0x020000000002))
#define WORSE (UINT64_C(0x9000) << 48 | UINT64_C(0x020000000003))
#define PORTS 61 /* two ports of a test never share a remainder */

static struct rstp *r;
static uint64_t now;
static struct rstp_bpdu last[PORTS];
static unsigned int sent[PORTS], flushed[PORTS], events[RSTP_N_EVENTS];
static enum rstp_state state[PORTS];
static struct rstp_event last_event;

static void on_transmit(void *ctx, unsigned int port, const uint8_t *frame,
			size_t len)
{
	CHECK(rstp_bpdu_parse(&last[port % PORTS], frame, len));
	sent[port % PORTS]++;
}

static void on_state(void *ctx, unsigned int port, enum rstp_state s)
{
	CHECK(state[port % PORTS] != s);
	state[port % PORTS] = s;
}

static void on_flush(void *ctx, unsigned int port)
{
	flushed[port % PORTS]++;
}

static void on_event(void *ctx, const struct rstp_event *ev)
{
	events[ev->type]++;
	last_event = *ev;
}

static const struct rstp_ops ops = { on_transmit, on_state, on_flush,
				     on_event };

static const struct rstp_port_config plain = { .path_cost = 20000,
					       .priority = 128,
					       .enabled = true,
					       .point_to_point = true };

static void setup_vid(unsigned int ports, unsigned int vid)
{
	const struct rstp_config cf = { .ops = &ops,
					.bridge = ME,
					.vid = vid,
					.params = RSTP_PARAMS_DEFAULT };

	now = 5 * SEC;
	memset(last, 0, sizeof(last));
	memset(sent, 0, sizeof(sent));
	memset(flushed, 0, sizeof(flushed));
	memset(events, 0, sizeof(events));
	memset(state, 0, sizeof(state));
	r = rstp_new(&cf, now);
	CHECK(r);
	for (unsigned int i = 1; i <= ports; i++) {
		CHECK(!rstp_port_add(r, i, &plain, now));
		CHECK(!rstp_port_set_link(r, i, true, now));
	}
}

static void setup(unsigned int ports)
{
	setup_vid(ports, 0);
}

static void teardown(void)
{
	rstp_free(r);
	r = NULL;
}

/* Calls at every time that was asked for; returns how often. */
static unsigned int run(uint64_t time)
{
	uint64_t end = now + time, next;
	unsigned int n = 0;

	while ((next = rstp_next(r)) && next <= end) {
		CHECK(next >= now);
		now = next;
		rstp_tick(r, now);
		n++;
	}
	now = end;
	return n;
}

static int hear(unsigned int port, const struct rstp_bpdu *b)
{
	uint8_t frame[RSTP_FRAME_MAX];
	size_t len = rstp_bpdu_write(b, b->bridge, frame);

	return rstp_receive(r, port, frame, len, now);
}

static struct rstp_bpdu hello_of(uint64_t bridge)
{
	return (struct rstp_bpdu){ .kind = RSTP_RST,
				   .role = RSTP_DESIGNATED,
				   .root = bridge,
				   .bridge = bridge,
				   .port = 0x8001,
				   .times = { 0, 20 * 256, 2 * 256,
					      15 * 256 } };
}

static struct rstp_port_info port(unsigned int n)
{
	struct rstp_port_info in = { .number = 0 };

	CHECK(!rstp_port_get_info(r, n, &in));
	return in;
}

static struct rstp_info bridge(void)
{
	struct rstp_info in;

	rstp_get_info(r, &in);
	return in;
}

/* ---- timers ---- */

static void an_idle_tree_wakes_for_its_hellos_only(void)
{
	unsigned int calls;

	setup(32);
	run(60 * SEC);
	memset(sent, 0, sizeof(sent));
	calls = run(60 * SEC);
	CHECK(calls <= 31);
	for (unsigned int i = 1; i <= 32; i++)
		CHECK(sent[i] >= 30 && sent[i] <= 31);
	teardown();
}

static void a_tree_without_links_is_never_called(void)
{
	setup(0);
	CHECK(rstp_next(r) == 0);
	CHECK(!rstp_port_add(r, 1, &plain, now));
	CHECK(rstp_next(r) == 0);
	CHECK(!rstp_port_set_link(r, 1, true, now));
	CHECK(rstp_next(r) > now);
	CHECK(!rstp_port_set_link(r, 1, false, now));
	run(60 * SEC);
	CHECK(rstp_next(r) == 0);
	teardown();
}

static void a_blocked_port_says_nothing(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(2);
	hear(1, &b);
	b.port = 0x8002;
	hear(2, &b);
	CHECK(port(1).role == RSTP_ROOT && port(2).role == RSTP_ALTERNATE);
	run(5 * SEC); /* until all have heard of the change */
	hear(2, &b);
	b.port = 0x8001;
	hear(1, &b);
	memset(sent, 0, sizeof(sent));
	run(5 * SEC);
	CHECK(!sent[1] && !sent[2]);
	teardown();
}

static void hellos_of_vlans_are_spread(void)
{
	uint64_t first, second;

	setup_vid(3, 7);
	run(20 * SEC);
	first = rstp_next(r) % SEC;
	teardown();
	setup_vid(3, 8);
	run(20 * SEC);
	second = rstp_next(r) % SEC;
	teardown();
	CHECK(first == 70 * MS && second == 80 * MS);
}

static void a_hello_is_never_late(void)
{
	uint64_t before;

	setup_vid(1, 99);
	run(3 * SEC + 333 * MS);
	for (int i = 0; i < 20; i++) {
		unsigned int n = sent[1];

		before = now;
		while (sent[1] == n)
			CHECK(run(10 * MS) <= 2);
		CHECK(now - before <= 2 * SEC + 10 * MS);
	}
	teardown();
}

static void silence_ends_information_when_the_third_hello_is_due(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	hear(1, &b);
	CHECK(bridge().root == BETTER && bridge().root_port == 1);
	CHECK(bridge().heard == now);
	run(5870 * MS);
	CHECK(bridge().root == BETTER);
	run(10 * MS);
	CHECK(bridge().root == ME && bridge().root_port == -1);
	CHECK(port(1).role == RSTP_DESIGNATED);
	CHECK(events[RSTP_NEW_ROOT] == 2);
	teardown();
}

static void repeated_information_lives_on(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	for (int i = 0; i < 10; i++) {
		hear(1, &b);
		run(5 * SEC);
	}
	CHECK(bridge().root == BETTER && events[RSTP_NEW_ROOT] == 1);
	CHECK(bridge().heard == now - 5 * SEC);
	teardown();
}

static void information_that_is_too_old_is_not_believed(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	b.times.message_age = 20 * 256;
	hear(1, &b);
	CHECK(bridge().root == ME);
	b.times.message_age = 19 * 256;
	hear(1, &b);
	CHECK(bridge().root == BETTER);
	CHECK(bridge().times.message_age == 20 * 256);
	teardown();
}

static void time_does_not_run_backwards(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	hear(1, &b);
	now -= 4 * SEC;
	rstp_tick(r, now);
	hear(1, &b);
	CHECK(rstp_next(r) > 5 * SEC);
	rstp_tick(r, UINT64_MAX);
	CHECK(bridge().root == ME);
	teardown();
}

/* ---- what is sent ---- */

static void a_way_opens_when_what_went_another_has_arrived(void)
{
	struct rstp_bpdu b = hello_of(BETTER), better = b;

	setup(3);
	hear(1, &b);
	CHECK(state[1] == RSTP_FORWARDING); /* nothing had gone anywhere */
	better.root = better.bridge = BEST;
	better.flags = RSTP_PROPOSAL;
	hear(2, &better);
	CHECK(bridge().root_port == 2 && state[1] == RSTP_DISCARDING);
	run(SEC / 50);
	CHECK(state[2] == RSTP_DISCARDING);
	CHECK(!(last[2].flags & RSTP_AGREEMENT));
	run(SEC / 50);
	CHECK(state[2] == RSTP_FORWARDING);
	CHECK(last[2].flags & RSTP_AGREEMENT);
	teardown();
}

static void who_was_root_and_is_not_says_so_beyond_the_limit(void)
{
	struct rstp_bpdu b = hello_of(BETTER);
	unsigned int before;

	setup(1);
	for (unsigned int i = 1; i <= 10; i++)
		CHECK(!rstp_set_bridge(r, ME - i, now));
	CHECK(sent[1] == 6);
	b.flags = RSTP_PROPOSAL;
	hear(1, &b);
	CHECK(last[1].role == RSTP_ROOT && state[1] == RSTP_FORWARDING);
	before = sent[1];
	CHECK(!rstp_set_bridge(r, BEST, now));
	CHECK(sent[1] == before + 1 && last[1].role == RSTP_DESIGNATED);
	CHECK(last[1].root == BEST);
	teardown();
}

static void who_begins_to_forward_says_so_beyond_the_limit(void)
{
	struct rstp_bpdu b = hello_of(WORSE);

	setup(1);
	for (unsigned int i = 1; i <= 10; i++)
		CHECK(!rstp_set_bridge(r, ME - i, now));
	CHECK(sent[1] == 6 && state[1] == RSTP_DISCARDING);
	b.role = RSTP_ROOT;
	b.flags = RSTP_AGREEMENT;
	b.root = ME - 10;
	b.cost = 20000;
	hear(1, &b);
	CHECK(state[1] == RSTP_FORWARDING && sent[1] == 7);
	CHECK(last[1].flags & RSTP_FORWARDING_FLAG);
	teardown();
}

static void the_first_word_is_a_proposal(void)
{
	setup(1);
	CHECK(sent[1] == 1 && last[1].kind == RSTP_RST);
	CHECK(last[1].role == RSTP_DESIGNATED);
	CHECK(last[1].flags == RSTP_PROPOSAL);
	CHECK(last[1].root == ME && last[1].bridge == ME && !last[1].cost);
	CHECK(last[1].port == 0x8001 && last[1].times.max_age == 20 * 256);
	teardown();
}

static void a_proposal_is_answered_when_all_is_in_sync(void)
{
	struct rstp_bpdu b = hello_of(BETTER), old = hello_of(WORSE);

	setup(3);
	run(4 * SEC);
	old.kind = RSTP_CONFIG; /* nobody there who could agree */
	hear(2, &old);
	run(60 * SEC);
	CHECK(state[2] == RSTP_FORWARDING && state[3] == RSTP_FORWARDING);
	b.flags = RSTP_PROPOSAL;
	hear(1, &b);
	CHECK(state[1] == RSTP_FORWARDING);
	CHECK(state[2] == RSTP_DISCARDING);
	CHECK(state[3] == RSTP_FORWARDING); /* agreed by silence, 17.29.3 */
	run(SEC / 30); /* what went by port 2 may still be on its way */
	CHECK(last[1].role == RSTP_ROOT && last[1].flags & RSTP_AGREEMENT);
	CHECK(last[1].root == BETTER && last[1].cost == 20000);
	teardown();
}

static void an_agreement_opens_a_port_at_once(void)
{
	struct rstp_bpdu b = hello_of(WORSE);

	setup(1);
	b.role = RSTP_ROOT;
	b.root = ME;
	b.cost = 20000;
	b.flags = RSTP_AGREEMENT;
	hear(1, &b);
	CHECK(state[1] == RSTP_FORWARDING);
	CHECK(events[RSTP_TOPOLOGY_CHANGE] == 1);
	teardown();
}

static void an_agreement_to_something_else_does_not(void)
{
	struct rstp_bpdu b = hello_of(WORSE);
	struct rstp_port_config shared = plain;

	setup(2);
	b.role = RSTP_ROOT;
	b.root = WORSE; /* another root */
	b.flags = RSTP_AGREEMENT;
	hear(1, &b);
	CHECK(state[1] == RSTP_DISCARDING);
	shared.point_to_point = false;
	rstp_port_configure(r, 2, &shared, now);
	b.root = ME; /* one of many */
	b.cost = 20000;
	hear(2, &b);
	CHECK(state[2] == RSTP_DISCARDING);
	teardown();
}

static void worse_claims_are_answered_at_once(void)
{
	struct rstp_bpdu b = hello_of(WORSE);

	setup(1);
	run(10 * MS);
	CHECK(sent[1] == 1);
	hear(1, &b);
	CHECK(sent[1] == 2 && last[1].root == ME);
	teardown();
}

static void the_hold_count_bounds_what_is_sent(void)
{
	struct rstp_bpdu b = hello_of(WORSE);

	setup(1);
	for (int i = 0; i < 50; i++)
		hear(1, &b);
	CHECK(sent[1] == 6);
	run(SEC);
	CHECK(sent[1] == 7); /* what was left to say, once */
	teardown();
}

static void bad_news_may_exceed_the_hold_count_but_not_for_ever(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(2);
	for (int i = 0; i < 40; i++) {
		b.cost = (uint32_t)(i % 2 ? 1000 : 2000);
		hear(1, &b);
	}
	CHECK(sent[2] > 6 && sent[2] <= 18);
	teardown();
}

/* ---- what arrives ---- */

static void a_flood_is_cut_off_and_opens_nothing(void)
{
	struct rstp_bpdu b = hello_of(BETTER);
	unsigned int busy = 0;

	setup(1);
	hear(1, &b);
	for (int i = 0; i < 100000; i++) {
		b.cost = (uint32_t)i % 7;
		b.bridge = BETTER + 16 + (unsigned int)i % 5;
		busy += hear(1, &b) == -EBUSY;
		if (i % 1000 == 999)
			run(100 * MS); /* 10 s in all */
	}
	CHECK(busy > 99000 && port(1).rx_excess == busy);
	CHECK(bridge().root == BETTER); /* not too old, though unread */
	CHECK(port(1).rx[RSTP_RST] < 1000);
	teardown();
}

static void garbage_is_counted_and_changes_nothing(void)
{
	uint8_t frame[60] = { 1, 0x80, 0xc2, 0, 0, 0 };

	setup(1);
	CHECK(rstp_receive(r, 1, frame, sizeof(frame), now) == -EBADMSG);
	CHECK(rstp_receive(r, 1, frame, 0, now) == -EBADMSG);
	CHECK(port(1).rx_bad == 2 && port(1).rx[RSTP_RST] == 0);
	CHECK(rstp_receive(r, 9, frame, sizeof(frame), now) == -ENXIO);
	rstp_port_set_link(r, 1, false, now);
	CHECK(rstp_receive(r, 1, frame, sizeof(frame), now) == 0);
	CHECK(port(1).rx_bad == 2);
	teardown();
}

static void a_path_that_costs_more_than_can_be_said_is_none(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	b.cost = UINT32_MAX - 10000;
	hear(1, &b);
	CHECK(bridge().root == ME);
	CHECK(port(1).state == RSTP_DISCARDING);
	b.cost = UINT32_MAX - 20000;
	hear(1, &b);
	run(100 * MS);
	CHECK(bridge().root == BETTER && bridge().root_cost == UINT32_MAX);
	teardown();
}

static void an_stp_neighbour_gets_what_it_knows(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(2);
	run(4 * SEC);
	b.kind = RSTP_CONFIG;
	hear(1, &b);
	CHECK(port(1).peer == RSTP_PEER_STP);
	CHECK(events[RSTP_NEW_PEER] == 1 && last_event.port == 1);
	CHECK(port(1).role == RSTP_ROOT && port(2).peer == RSTP_PEER_RSTP);
	for (int i = 0; i < 20; i++) { /* the port opens: a change */
		run(2 * SEC);
		hear(1, &b);
	}
	CHECK(state[1] == RSTP_FORWARDING && last[1].kind == RSTP_TCN);
	CHECK(port(1).tx[RSTP_TCN] > 0);
	b.flags = RSTP_TC_ACK;
	hear(1, &b);
	memset(sent, 0, sizeof(sent));
	run(3 * SEC);
	CHECK(!sent[1]); /* heard, and quiet */
	b.kind = RSTP_RST;
	hear(1, &b);
	CHECK(port(1).peer == RSTP_PEER_RSTP);
	b.kind = RSTP_CONFIG;
	hear(1, &b);
	CHECK(port(1).peer == RSTP_PEER_RSTP); /* not so fast */
	run(3 * SEC);
	hear(1, &b);
	CHECK(port(1).peer == RSTP_PEER_STP);
	teardown();
}

static void a_bridge_may_be_told_to_speak_stp(void)
{
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;

	setup(1);
	pa.stp = true;
	CHECK(!rstp_set_params(r, &pa, now));
	CHECK(last[1].kind == RSTP_CONFIG);
	run(10 * SEC);
	CHECK(state[1] == RSTP_DISCARDING);
	run(11 * SEC); /* max age, and then forward delay */
	CHECK(state[1] == RSTP_LEARNING);
	run(15 * SEC);
	CHECK(state[1] == RSTP_FORWARDING && port(1).forwards == 1);
	pa.stp = false;
	CHECK(!rstp_set_params(r, &pa, now));
	CHECK(state[1] == RSTP_DISCARDING && last[1].kind == RSTP_RST);
	teardown();
}

/* VDE 2 opens a port for who answers as Root, in its code. */
static void vde_2_is_answered_in_its_dialect(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	b.dialect = true;
	b.role = RSTP_ALTERNATE; /* it blocks this port */
	b.flags = RSTP_PROPOSAL;
	hear(1, &b);
	CHECK(port(1).peer == RSTP_PEER_VDE2 && port(1).role == RSTP_ROOT);
	CHECK(last[1].dialect && last[1].role == RSTP_ROOT);
	CHECK(last[1].flags & RSTP_AGREEMENT);
	CHECK(state[1] == RSTP_FORWARDING);
	CHECK(bridge().times.forward_delay == 15 * 256); /* not its zero */
	memset(sent, 0, sizeof(sent));
	run(4 * SEC); /* and repeats that */
	CHECK(sent[1] >= 2 && last[1].role == RSTP_ROOT && last[1].dialect);
	teardown();
}

/* ---- guards, numbers, bounds ---- */

static void guards_tell_when_they_begin_and_end(void)
{
	struct rstp_bpdu b = hello_of(BETTER);
	struct rstp_port_config cf = plain;

	setup(2);
	cf.bpdu_guard = true;
	rstp_port_configure(r, 1, &cf, now);
	hear(1, &b);
	CHECK(last_event.type == RSTP_BPDU_GUARD || events[RSTP_BPDU_GUARD]);
	CHECK(port(1).violated && port(1).role == RSTP_DISABLED);
	rstp_port_set_link(r, 1, false, now);
	CHECK(events[RSTP_BPDU_GUARD] == 2 && !port(1).violated);

	cf = plain;
	cf.root_guard = true;
	rstp_port_configure(r, 2, &cf, now);
	hear(2, &b);
	CHECK(events[RSTP_ROOT_GUARD] == 1 && port(2).root_blocked);
	CHECK(bridge().root == ME && port(2).role == RSTP_ALTERNATE);
	run(7 * SEC);
	CHECK(events[RSTP_ROOT_GUARD] == 2 && !port(2).root_blocked);
	teardown();
}

static void wrong_numbers_are_refused(void)
{
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;
	struct rstp_config cf = { .ops = &ops, .bridge = ME, .params = pa };
	struct rstp_port_config pc = plain;

	setup(1);
	CHECK(rstp_port_add(r, 1, &plain, now) == -EEXIST);
	CHECK(rstp_port_add(r, 65536, &plain, now) == -EINVAL);
	CHECK(rstp_port_del(r, 2, now) == -ENXIO);
	CHECK(rstp_port_configure(r, 2, &plain, now) == -ENXIO);
	CHECK(rstp_port_set_link(r, 2, true, now) == -ENXIO);
	CHECK(rstp_port_mcheck(r, 2, now) == -ENXIO);
	pc.priority = 8;
	CHECK(rstp_port_configure(r, 1, &pc, now) == -EINVAL);
	pc = plain;
	pc.path_cost = 0;
	CHECK(rstp_port_configure(r, 1, &pc, now) == -EINVAL);
	pc.path_cost = RSTP_COST_MAX + 1;
	CHECK(rstp_port_add(r, 2, &pc, now) == -EINVAL);
	pa.max_age_s = 29; /* more than twice forward delay less one */
	CHECK(rstp_set_params(r, &pa, now) == -EINVAL);
	pa.max_age_s = 6;
	CHECK(rstp_set_params(r, &pa, now) == 0);
	pa.hello_s = 3;
	CHECK(rstp_set_params(r, &pa, now) == -EINVAL);
	CHECK(bridge().params.hello_s == 2 && bridge().params.max_age_s == 6);
	cf.params.tx_hold = 0;
	CHECK(!rstp_new(&cf, now));
	cf.params.tx_hold = 11;
	CHECK(!rstp_new(&cf, now));
	teardown();
}

static void ports_come_and_go_in_any_order(void)
{
	unsigned int n = 0;

	setup(0);
	for (unsigned int i = 0; i < 1000; i++)
		CHECK(!rstp_port_add(r, i * 617 % 1000 * 16, &plain, now));
	for (int i = rstp_port_next(r, 0); i >= 0;
	     i = rstp_port_next(r, (unsigned int)i + 1))
		CHECK(i == (int)(16 * n++));
	CHECK(n == 1000 && bridge().n_ports == 1000);
	for (unsigned int i = 0; i < 1000; i++)
		CHECK(!rstp_port_del(r, i * 311 % 1000 * 16, now));
	CHECK(rstp_port_next(r, 0) == -1 && bridge().n_ports == 0);
	teardown();
}

static void a_batch_has_its_effect_at_its_end(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(0);
	rstp_begin(r);
	for (unsigned int i = 1; i <= 60; i++) {
		CHECK(!rstp_port_add(r, i, &plain, now));
		CHECK(!rstp_port_set_link(r, i, true, now));
		CHECK(!sent[i]);
	}
	CHECK(!rstp_port_del(r, 60, now)); /* does not wait, nor do BPDUs */
	CHECK(!hear(1, &b) && bridge().root == BETTER);
	rstp_begin(r);
	CHECK(!rstp_port_set_link(r, 1, false, now));
	CHECK(bridge().root == BETTER);
	rstp_commit(r, now);
	CHECK(bridge().root == ME);
	for (unsigned int i = 2; i <= 59; i++)
		CHECK(sent[i] >= 1 && last[i].root == ME);
	CHECK(!sent[60] && bridge().n_ports == 59);
	teardown();
}

static void a_removed_root_port_is_replaced(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(2);
	hear(1, &b);
	b.port = 0x8002;
	hear(2, &b);
	CHECK(state[1] == RSTP_FORWARDING && state[2] == RSTP_DISCARDING);
	CHECK(!rstp_port_del(r, 1, now));
	CHECK(state[1] == RSTP_DISCARDING && flushed[1]);
	CHECK(bridge().root_port == 2);
	CHECK(bridge().designated == BETTER && bridge().root_cost == 20000);
	run(SEC / 30); /* what went by port 1 may still be on its way */
	CHECK(state[2] == RSTP_FORWARDING);
	teardown();
}

static void port_numbers_4096_apart_lose_a_tie_break_only(void)
{
	struct rstp_bpdu b = hello_of(BETTER);

	setup(1);
	CHECK(!rstp_port_add(r, 4097, &plain, now));
	CHECK(!rstp_port_set_link(r, 4097, true, now));
	CHECK(port(1).id == port(4097).id);
	hear(1, &b);
	hear(4097, &b);
	CHECK(port(1).role == RSTP_ROOT && port(4097).role == RSTP_ALTERNATE);
	teardown();
}

/* A cable between those two: each takes the other's words for its own. */
static void two_such_ports_that_meet_are_blocked(void)
{
	struct rstp_bpdu b = hello_of(ME);

	setup(1);
	CHECK(!rstp_port_add(r, 4097, &plain, now));
	CHECK(!rstp_port_set_link(r, 4097, true, now));
	hear(1, &b);
	hear(4097, &b);
	CHECK(port(1).looped && port(4097).looped);
	for (int i = 0; i < 30; i++) {
		run(2 * SEC);
		hear(1, &b);
		CHECK(state[1] == RSTP_DISCARDING);
	}
	CHECK(events[RSTP_LOOPED] >= 2);
	run(60 * SEC);
	CHECK(!port(1).looped && state[1] == RSTP_FORWARDING);
	teardown();
}

static void every_number_has_a_name(void)
{
	for (int i = 0; i < RSTP_N_ROLES; i++)
		CHECK(strlen(rstp_role_name(i)) > 3);
	for (int i = 0; i < RSTP_N_STATES; i++)
		CHECK(strlen(rstp_state_name(i)) > 3);
	for (int i = 0; i < RSTP_N_PEERS; i++)
		CHECK(strlen(rstp_peer_name(i)) > 2);
	for (int i = 0; i < RSTP_N_EVENTS; i++)
		CHECK(strlen(rstp_event_name(i)) > 3);
}

int main(void)
{
	RUN(an_idle_tree_wakes_for_its_hellos_only);
	RUN(a_tree_without_links_is_never_called);
	RUN(a_blocked_port_says_nothing);
	RUN(hellos_of_vlans_are_spread);
	RUN(a_hello_is_never_late);
	RUN(silence_ends_information_when_the_third_hello_is_due);
	RUN(repeated_information_lives_on);
	RUN(information_that_is_too_old_is_not_believed);
	RUN(time_does_not_run_backwards);
	RUN(the_first_word_is_a_proposal);
	RUN(a_way_opens_when_what_went_another_has_arrived);
	RUN(who_was_root_and_is_not_says_so_beyond_the_limit);
	RUN(who_begins_to_forward_says_so_beyond_the_limit);
	RUN(a_proposal_is_answered_when_all_is_in_sync);
	RUN(an_agreement_opens_a_port_at_once);
	RUN(an_agreement_to_something_else_does_not);
	RUN(worse_claims_are_answered_at_once);
	RUN(the_hold_count_bounds_what_is_sent);
	RUN(bad_news_may_exceed_the_hold_count_but_not_for_ever);
	RUN(a_flood_is_cut_off_and_opens_nothing);
	RUN(garbage_is_counted_and_changes_nothing);
	RUN(a_path_that_costs_more_than_can_be_said_is_none);
	RUN(an_stp_neighbour_gets_what_it_knows);
	RUN(a_bridge_may_be_told_to_speak_stp);
	RUN(vde_2_is_answered_in_its_dialect);
	RUN(guards_tell_when_they_begin_and_end);
	RUN(wrong_numbers_are_refused);
	RUN(ports_come_and_go_in_any_order);
	RUN(a_batch_has_its_effect_at_its_end);
	RUN(a_removed_root_port_is_replaced);
	RUN(port_numbers_4096_apart_lose_a_tie_break_only);
	RUN(two_such_ports_that_meet_are_blocked);
	RUN(every_number_has_a_name);
	DONE();
}
