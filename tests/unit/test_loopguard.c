// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop guard on a clock of the test's own: alone with probes that the test
 * carries, then several switches with cables between them that forward what is
 * not theirs, as switches do. A frame takes LATENCY for each cable.
 */
#include "switch/loopguard.h"

#include <string.h>

#include "../unit/test.h"
#include "base/ether.h"
#include "base/list.h"

#define MS UINT64_C(1000000)
#define SEC UINT64_C(1000000000)
#define START (1000 * SEC)

/* ---- one guard ---- */

#define PORTS 8

struct sent {
	unsigned int port, vid;
	uint8_t frame[LOOPGUARD_LEN];
};

static struct {
	struct loopguard *g;
	uint64_t now;
	int n_sent;
	struct sent sent[4096];
	unsigned int pvid[PORTS]; /* VLAN_NONE: none */
	bool shut[PORTS];
	bool tagged[PORTS][VLAN_MAX + 1];
	bool spanning_tree;
	int holds, releases;
	unsigned int held, peer, vid; /* last */
} t;

static bool t_open(void *ctx, unsigned int port, unsigned int vid)
{
	return !t.shut[port] && (t.pvid[port] == vid || t.tagged[port][vid]);
}

static int t_untagged(void *ctx, unsigned int port)
{
	return t.pvid[port] == VLAN_NONE ? -1 : (int)t.pvid[port];
}

static bool t_guarded(void *ctx, unsigned int vid)
{
	return t.spanning_tree;
}

static void t_send(void *ctx, unsigned int port, unsigned int vid,
		   const uint8_t frame[static LOOPGUARD_LEN])
{
	struct sent *s = &t.sent[t.n_sent++ % (int)ARRAY_SIZE(t.sent)];

	s->port = port;
	s->vid = vid;
	memcpy(s->frame, frame, LOOPGUARD_LEN);
}

static void t_hold(void *ctx, unsigned int port, unsigned int peer,
		   unsigned int vid, bool on)
{
	t.held = port;
	t.peer = peer;
	t.vid = vid;
	if (on)
		t.holds++;
	else
		t.releases++;
}

static const struct loopguard_config config = {
	.id = 500,
	.key = { 1, 2 },
	.now = START,
	.open = t_open,
	.untagged = t_untagged,
	.guarded = t_guarded,
	.send = t_send,
	.hold = t_hold,
};

static uint64_t tick(void)
{
	return loopguard_tick(t.g, t.now);
}

/* Everything that is due until @at. */
static void until(uint64_t at)
{
	uint64_t next;

	for (next = tick(); next && next <= at; next = tick())
		if (next > t.now)
			t.now = next;
	t.now = at;
}

static void setup(unsigned int ports)
{
	memset(&t, 0, sizeof(t));
	t.now = START;
	t.g = loopguard_new(&config);
	loopguard_set(t.g, true, t.now);
	for (unsigned int i = 1; i <= ports; i++)
		CHECK(loopguard_plugged(t.g, i, t.now) == 0);
}

static void teardown(void)
{
	loopguard_free(t.g);
}

/* The last probe that left by @port. */
static struct sent *last_of(unsigned int port)
{
	for (int i = t.n_sent - 1; i >= 0; i--)
		if (t.sent[i].port == port)
			return &t.sent[i];
	CHECK(!"a probe has left");
	return &t.sent[0];
}

static bool arrives(const struct sent *s, unsigned int port)
{
	return loopguard_input(t.g, port, s->vid, s->frame, LOOPGUARD_LEN,
			       t.now);
}

static const struct loopguard_port *port(unsigned int id)
{
	return loopguard_port(t.g, id);
}

static void off_it_does_nothing(void)
{
	setup(0);
	loopguard_set(t.g, false, t.now);
	CHECK(loopguard_plugged(t.g, 1, t.now) == 0);
	CHECK(!tick() && !loopguard_next(t.g) && !t.n_sent);
	loopguard_set(t.g, true, t.now);
	CHECK(tick() && t.n_sent == 1);
	loopguard_set(t.g, false, t.now);
	CHECK(!arrives(&t.sent[0], 1));
	CHECK(!t.holds && !loopguard_counters(t.g)->stale);
	teardown();
}

static void a_port_is_probed_at_once_and_every_interval(void)
{
	setup(2);
	CHECK(loopguard_next(t.g) <= t.now);
	tick();
	CHECK(t.n_sent == 2);
	until(START + 100 * MS);
	CHECK(t.n_sent == 2);
	t.n_sent = 0;
	CHECK(loopguard_plugged(t.g, 3, t.now) == 0);
	tick();
	CHECK(t.n_sent == 1 && t.sent[0].port == 3);
	t.n_sent = 0;
	until(START + 100 * MS + 10 * SEC);
	CHECK(t.n_sent == 3 * 20 && port(1)->probes == 21);
	loopguard_unplugged(t.g, 2);
	loopguard_set_interval(t.g, 100, t.now);
	t.n_sent = 0;
	until(t.now + SEC);
	CHECK(t.n_sent == 2 * 10);
	teardown();
}

/* doc/protocol-loopguard.md */
static void the_probe_is_as_documented(void)
{
	static const uint8_t head[] = {
		0x03, 0x56, 0x44, 0x45, 0x4c, 0x50, 0x02, 0, 0x01, 0xf4, 0,
		1,    0x88, 0xb5, 'V',	'D',  'E',  'L',  1, 0,	   0,	 1,
		0,    7,    0,	  0,	0,    0,    0,	  0, 0x01, 0xf4
	};
	static const uint8_t when[] = { 0, 0, 0, 0, 0x3b, 0x9a, 0xca, 0 };
	static const uint8_t zeros[8];

	setup(0);
	t.pvid[1] = 7;
	t.now += SEC;
	CHECK(loopguard_plugged(t.g, 1, t.now) == 0);
	tick();
	CHECK(t.sent[0].port == 1 && t.sent[0].vid == 7);
	CHECK(!memcmp(t.sent[0].frame, head, sizeof(head)));
	CHECK(!memcmp(t.sent[0].frame + 36, when, 8));
	CHECK(!memcmp(t.sent[0].frame + 52, zeros, 8));
	until(t.now + SEC / 2);
	CHECK(t.sent[1].frame[35] == 1);
	teardown();
}

static void a_probe_that_comes_back_holds_the_higher_port(void)
{
	setup(4);
	tick();
	CHECK(arrives(last_of(4), 2));
	CHECK(t.holds == 1 && t.held == 4 && t.peer == 2 && t.vid == 0);
	CHECK(port(4)->held && !port(2)->held && port(4)->holds == 1);
	CHECK(port(2)->loops == 1 && port(4)->peer == 2);
	CHECK(arrives(last_of(1), 3));
	CHECK(t.holds == 2 && t.held == 3 && t.peer == 1);
	teardown();
}

static void a_port_that_hears_itself_is_held(void)
{
	setup(2);
	tick();
	CHECK(arrives(last_of(1), 1));
	CHECK(t.holds == 1 && t.held == 1 && t.peer == 1);
	teardown();
}

static void a_port_is_released_when_its_loop_has_gone(void)
{
	setup(2);
	tick();
	arrives(last_of(1), 2);
	until(START + 9 * SEC);
	CHECK(port(2)->held && last_of(2) && t.n_sent > 20);
	until(START + 10 * SEC);
	CHECK(!port(2)->held && t.releases == 1 && t.held == 2);
	teardown();
}

static void a_hold_outlasts_the_interval(void)
{
	setup(2);
	loopguard_set_hold(t.g, 1);
	loopguard_set_interval(t.g, 5000, t.now);
	tick();
	for (int i = 0; i < 10; i++) {
		arrives(last_of(1), 2);
		until(t.now + 5 * SEC);
	}
	CHECK(t.holds == 1 && !t.releases);
	until(t.now + 10 * SEC);
	CHECK(t.releases == 1);
	teardown();
}

static void a_loop_that_persists_stays_open(void)
{
	setup(2);
	for (int i = 0; i < 100; i++) {
		until(t.now + SEC / 2);
		arrives(last_of(1), 2);
		arrives(last_of(2), 1);
	}
	CHECK(t.holds == 1 && !t.releases && port(2)->held);
	CHECK(port(2)->loops == 100);
	teardown();
}

static void of_three_ports_in_one_place_one_stays_open(void)
{
	setup(3);
	for (int i = 0; i < 60; i++) {
		until(t.now + SEC / 2);
		for (unsigned int from = 1; from <= 3; from++)
			for (unsigned int to = 1; to <= 3; to++)
				if (from != to)
					arrives(last_of(from), to);
	}
	CHECK(!port(1)->held && port(2)->held && port(3)->held);
	CHECK(t.holds == 2 && !t.releases);
	loopguard_unplugged(t.g, 1);
	for (int i = 0; i < 60; i++) {
		until(t.now + SEC / 2);
		arrives(last_of(2), 3);
		arrives(last_of(3), 2);
	}
	CHECK(!port(2)->held && port(3)->held && t.releases == 1);
	teardown();
}

static void unplugged_means_released(void)
{
	setup(2);
	tick();
	arrives(last_of(1), 2);
	loopguard_unplugged(t.g, 2);
	CHECK(t.releases == 1 && !port(2)->held && !port(2)->active);
	CHECK(port(2)->holds == 1);
	t.now += 100 * MS;
	CHECK(loopguard_plugged(t.g, 2, t.now) == 0);
	arrives(last_of(2), 1);
	CHECK(t.holds == 1); /* sent before the cable was changed */
	CHECK(loopguard_counters(t.g)->stale == 1);
	tick();
	arrives(last_of(2), 1);
	CHECK(t.holds == 2 && port(2)->held);
	loopguard_forget(t.g, 2);
	CHECK(t.releases == 2 && !port(2));
	CHECK(arrives(last_of(1), 2) && t.holds == 2);
	teardown();
}

static void off_means_released(void)
{
	setup(2);
	tick();
	arrives(last_of(1), 2);
	loopguard_set(t.g, false, t.now);
	CHECK(t.releases == 1 && !port(2)->held && !loopguard_next(t.g));
	teardown();
}

static void old_probes_prove_nothing(void)
{
	struct sent old;

	setup(2);
	tick();
	old = *last_of(1);
	until(START + LOOPGUARD_LIFE);
	CHECK(arrives(&old, 2) && t.holds == 1); /* by a slow wire */
	loopguard_unplugged(t.g, 2);
	CHECK(loopguard_plugged(t.g, 2, t.now) == 0);
	until(START + LOOPGUARD_LIFE + 1);
	CHECK(arrives(&old, 2) && t.holds == 1);
	CHECK(loopguard_counters(t.g)->stale == 1);
	teardown();
}

static void probes_cannot_be_made_by_others(void)
{
	struct sent s;

	setup(2);
	tick();
	for (int i = 14 * 8; i < 52 * 8; i++) {
		s = *last_of(1);
		s.frame[i / 8] ^= (uint8_t)(1u << i % 8);
		loopguard_input(t.g, 2, 0, s.frame, LOOPGUARD_LEN, t.now);
	}
	CHECK(!t.holds && !port(2)->loops);
	/* Marks, version and number of the switch make others of them; all
	 * else is in this one's name. */
	CHECK(loopguard_counters(t.g)->foreign == 64);
	CHECK(loopguard_counters(t.g)->forged == 8 * (1 + 4 + 12 + 8));
	teardown();
}

static void others_are_forwarded(void)
{
	uint8_t frame[LOOPGUARD_LEN];

	setup(2);
	tick();
	memcpy(frame, t.sent[0].frame, sizeof(frame));
	for (size_t len = ETHER_HDR_LEN; len < 52; len++)
		CHECK(!loopguard_input(t.g, 2, 0, frame, len, t.now));
	CHECK(!loopguard_counters(t.g)->foreign);
	frame[31]++;
	CHECK(!loopguard_input(t.g, 2, 0, frame, sizeof(frame), t.now));
	CHECK(loopguard_counters(t.g)->foreign == 1);
	frame[18]++; /* of a later version */
	CHECK(!loopguard_input(t.g, 2, 0, frame, sizeof(frame), t.now));
	frame[13]++;
	CHECK(!loopguard_input(t.g, 2, 0, frame, sizeof(frame), t.now));
	CHECK(loopguard_counters(t.g)->foreign == 1 && !t.holds);
	teardown();
}

static void a_port_can_be_left_out(void)
{
	setup(3);
	CHECK(loopguard_set_port(t.g, 3, false, t.now) == 0);
	tick();
	for (int i = 0; i < t.n_sent; i++)
		CHECK(t.sent[i].port != 3);
	arrives(last_of(2), 3); /* it is never held, the other one is */
	CHECK(t.holds == 1 && t.held == 2 && t.peer == 3);
	CHECK(loopguard_set_port(t.g, 2, false, t.now) == 0);
	CHECK(t.releases == 1);
	t.n_sent = 0;
	CHECK(loopguard_set_port(t.g, 3, true, t.now) == 0);
	tick();
	CHECK(t.n_sent == 1 && t.sent[0].port == 3);
	teardown();
}

static void each_vlan_of_a_trunk_gets_its_turn(void)
{
	static bool seen[VLAN_MAX + 1];
	int most = 0;

	setup(0);
	t.pvid[1] = VLAN_NONE;
	for (unsigned int v = 1; v <= VLAN_MAX; v++)
		t.tagged[1][v] = v % 3 == 0;
	CHECK(loopguard_plugged(t.g, 1, t.now) == 0);
	memset(seen, 0, sizeof(seen));
	for (int round = 0; round < 100; round++) {
		t.n_sent = 0;
		until(t.now + SEC / 2);
		most = t.n_sent > most ? t.n_sent : most;
		for (int i = 0; i < t.n_sent; i++)
			seen[t.sent[i].vid] = true;
	}
	for (unsigned int v = 1; v <= VLAN_MAX; v++)
		CHECK(seen[v] == (v % 3 == 0));
	CHECK(most <= 2 * 16); /* at once, and a round */
	teardown();
}

/* 4000 others have their turn between two of its own. */
static void a_loop_in_one_vlan_of_a_trunk_stays_open(void)
{
	setup(2);
	for (unsigned int v = 1; v <= VLAN_MAX; v++)
		t.tagged[1][v] = t.tagged[2][v] = true;
	for (int round = 0; round < 1000; round++) {
		t.n_sent = 0;
		until(t.now + SEC / 2);
		for (int i = 0; i < t.n_sent; i++)
			if (t.sent[i].vid == 4000)
				arrives(&t.sent[i], 3 - t.sent[i].port);
	}
	CHECK(port(2)->held && port(2)->vid == 4000);
	CHECK(t.holds == 1 && !t.releases);
	teardown();
}

static void another_vlan_is_another_wire(void)
{
	struct sent s;

	setup(2);
	tick();
	s = *last_of(1);
	s.vid = 5;
	CHECK(!arrives(&s, 2) && !t.holds);
	s.vid = 0;
	CHECK(arrives(&s, 2) && t.holds == 1);
	teardown();
}

static void many_ports_are_probed_bit_by_bit(void)
{
	int n, turns = 0;

	memset(&t, 0, sizeof(t));
	t.now = START;
	t.g = loopguard_new(&config);
	t.pvid[1] = VLAN_NONE;
	for (unsigned int v = 1; v <= VLAN_MAX; v++)
		t.tagged[1][v] = true;
	for (unsigned int i = 0; i < 7; i++) {
		t.pvid[i] = VLAN_NONE;
		memcpy(t.tagged[i], t.tagged[1], sizeof(t.tagged[i]));
		CHECK(loopguard_plugged(t.g, i, t.now) == 0);
	}
	loopguard_set(t.g, true, t.now);
	for (;; turns++) {
		uint64_t next;

		n = t.n_sent;
		next = tick();
		CHECK(t.n_sent - n <= 64 + 16);
		if (next != t.now + MS)
			break;
		t.now = next;
	}
	CHECK(turns && t.n_sent == 7 * 16);
	teardown();
}

static void where_the_spanning_tree_closed_a_port_nothing_is_sent_or_proven(
	void)
{
	setup(2);
	tick();
	t.shut[2] = true;
	CHECK(arrives(last_of(1), 2) && !t.holds);
	CHECK(arrives(last_of(2), 1) && !t.holds);
	t.n_sent = 0;
	until(t.now + SEC);
	for (int i = 0; i < t.n_sent; i++)
		CHECK(t.sent[i].port == 1);
	teardown();
}

static void beside_a_spanning_tree_one_probe_is_not_enough(void)
{
	setup(2);
	t.spanning_tree = true;
	tick();
	arrives(last_of(1), 2);
	CHECK(!t.holds);
	t.n_sent = 0;
	until(t.now + 60 * MS); /* it asks again */
	CHECK(t.n_sent == 1 && t.sent[0].port == 1);
	until(t.now + LOOPGUARD_LIFE + SEC);
	CHECK(!t.holds);
	arrives(last_of(1), 2); /* long after: the first one again */
	CHECK(!t.holds);
	t.n_sent = 0;
	until(t.now + 60 * MS);
	arrives(last_of(1), 2);
	CHECK(t.holds == 1 && t.held == 2);
	teardown();
}

/* ---- several switches ---- */

#define SWITCHES 5
#define LATENCY (MS / 10)
#define FLYING 65536

struct node {
	struct loopguard *g;
	bool on; /* has a guard that is on */
	bool held[PORTS];
	int holds;
	struct {
		int node; /* -1: no cable */
		unsigned int port;
	} cable[PORTS];
};

struct flying {
	uint64_t at;
	int node;
	unsigned int port;
	uint8_t frame[LOOPGUARD_LEN];
};

static struct node nodes[SWITCHES];
static int n_nodes;
static struct flying flying[FLYING];
static unsigned int first, last; /* in flight, oldest first */
static uint64_t now;
static uint64_t delivered;

static void emit(struct node *n, unsigned int port, const uint8_t *frame)
{
	struct flying *f = &flying[last % FLYING];

	if (n->cable[port].node < 0 || last - first == FLYING)
		return; /* as a full queue does */
	last++;
	f->at = now + LATENCY;
	f->node = n->cable[port].node;
	f->port = n->cable[port].port;
	memcpy(f->frame, frame, LOOPGUARD_LEN);
}

static bool net_open(void *ctx, unsigned int port, unsigned int vid)
{
	return vid == 0;
}

static int net_untagged(void *ctx, unsigned int port)
{
	return 0;
}

static bool net_guarded(void *ctx, unsigned int vid)
{
	return false;
}

static void net_send(void *ctx, unsigned int port, unsigned int vid,
		     const uint8_t frame[static LOOPGUARD_LEN])
{
	emit(ctx, port, frame);
}

static void net_hold(void *ctx, unsigned int port, unsigned int peer,
		     unsigned int vid, bool on)
{
	struct node *n = ctx;

	n->held[port] = on;
	n->holds += on;
}

static void arrive(const struct flying *f)
{
	struct node *n = &nodes[f->node];

	delivered++;
	if (loopguard_input(n->g, f->port, 0, f->frame, LOOPGUARD_LEN, now) ||
	    n->held[f->port])
		return;
	for (unsigned int p = 0; p < PORTS; p++)
		if (p != f->port && !n->held[p])
			emit(n, p, f->frame);
}

static void cable(int a, unsigned int pa, int b, unsigned int pb)
{
	nodes[a].cable[pa].node = b;
	nodes[a].cable[pa].port = pb;
	nodes[b].cable[pb].node = a;
	nodes[b].cable[pb].port = pa;
	CHECK(loopguard_plugged(nodes[a].g, pa, now) == 0);
	CHECK(loopguard_plugged(nodes[b].g, pb, now) == 0);
}

static void uncable(int a, unsigned int pa)
{
	int b = nodes[a].cable[pa].node;
	unsigned int pb = nodes[a].cable[pa].port;

	nodes[a].cable[pa].node = nodes[b].cable[pb].node = -1;
	loopguard_unplugged(nodes[a].g, pa);
	loopguard_unplugged(nodes[b].g, pb);
}

/* A broadcast of somebody: it is in flight until nothing forwards it. */
static void storm(int node, unsigned int port)
{
	uint8_t frame[LOOPGUARD_LEN] = { 0xff };

	emit(&nodes[node], port, frame);
}

static void net_setup(int n, const uint64_t *ids)
{
	n_nodes = n;
	first = last = 0;
	now = START;
	delivered = 0;
	for (int i = 0; i < n; i++) {
		struct loopguard_config cf = {
			.id = ids ? ids[i] : (uint64_t)i + 1,
			.key = { (uint64_t)i, 9 },
			.now = now,
			.ctx = &nodes[i],
			.open = net_open,
			.untagged = net_untagged,
			.guarded = net_guarded,
			.send = net_send,
			.hold = net_hold,
		};

		nodes[i] = (struct node){ .on = true };
		for (unsigned int p = 0; p < PORTS; p++)
			nodes[i].cable[p].node = -1;
		nodes[i].g = loopguard_new(&cf);
		loopguard_set(nodes[i].g, true, now);
	}
}

static void net_teardown(void)
{
	for (int i = 0; i < n_nodes; i++)
		loopguard_free(nodes[i].g);
}

/* What is due next, or UINT64_MAX. */
static uint64_t net_next(void)
{
	uint64_t at = first != last ? flying[first % FLYING].at : UINT64_MAX;

	for (int i = 0; i < n_nodes; i++) {
		uint64_t due = loopguard_next(nodes[i].g);

		if (due && due < at)
			at = due;
	}
	return at;
}

static void net_run(uint64_t ns)
{
	uint64_t end = now + ns, at;

	while ((at = net_next()) <= end) {
		now = at > now ? at : now;
		for (; first != last && flying[first % FLYING].at <= now;
		     first++)
			arrive(&flying[first % FLYING]);
		for (int i = 0; i < n_nodes; i++)
			loopguard_tick(nodes[i].g, now);
	}
	now = end;
}

static int all_holds(void)
{
	int n = 0;

	for (int i = 0; i < n_nodes; i++)
		n += nodes[i].holds;
	return n;
}

static int all_held(void)
{
	int n = 0;

	for (int i = 0; i < n_nodes; i++)
		for (unsigned int p = 0; p < PORTS; p++)
			n += nodes[i].held[p];
	return n;
}

/* A frame of a storm is in flight. */
static bool storms(void)
{
	for (unsigned int i = first; i != last; i++)
		if (flying[i % FLYING].frame[0] == 0xff)
			return true;
	return false;
}

static void two_ports_cabled_together_are_one_too_many(void)
{
	net_setup(1, NULL);
	cable(0, 3, 0, 5);
	storm(0, 3);
	net_run(5 * MS);
	CHECK(nodes[0].held[5] && !nodes[0].held[3] && !storms());
	net_run(60 * SEC);
	CHECK(all_holds() == 1 && all_held() == 1);
	uncable(0, 3);
	CHECK(all_held() == 0);
	net_teardown();
}

static void a_ring_of_three_is_cut_once(void)
{
	static const uint64_t ids[][3] = {
		{ 1, 2, 3 }, { 3, 2, 1 }, { 2, 3, 1 }, { 9, 1, 5 }
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		net_setup(3, ids[i]);
		cable(0, 1, 1, 2);
		net_run(130 * MS);
		cable(1, 1, 2, 2);
		net_run(3 * SEC);
		CHECK(all_holds() == 0);
		cable(2, 1, 0, 2);
		storm(0, 1);
		net_run(60 * MS); /* or the first has to wait */
		CHECK(all_held() == 1 && !storms());
		net_run(60 * SEC);
		CHECK(all_held() == 1 && all_holds() == 1);
		uncable(1, 1); /* it was not the one that is held */
		net_run(11 * SEC);
		CHECK(all_held() == 0);
		net_teardown();
	}
}

static void a_ring_that_is_there_already_is_cut_once(void)
{
	net_setup(5, NULL);
	for (int i = 0; i < 5; i++)
		loopguard_set(nodes[i].g, false, now);
	for (int i = 0; i < 5; i++)
		cable(i, 1, (i + 1) % 5, 2);
	storm(0, 1);
	net_run(SEC);
	CHECK(storms());
	for (int i = 4; i >= 0; i--) {
		loopguard_set(nodes[i].g, true, now);
		net_run(MS / 4);
	}
	net_run(SEC);
	CHECK(all_held() == 1 && !storms());
	net_run(60 * SEC);
	CHECK(all_held() == 1);
	net_teardown();
}

static void one_guard_is_enough(void)
{
	net_setup(3, NULL);
	loopguard_set(nodes[0].g, false, now);
	loopguard_set(nodes[1].g, false, now);
	for (int i = 0; i < 3; i++)
		cable(i, 1, (i + 1) % 3, 2);
	storm(1, 1);
	net_run(SEC);
	CHECK(nodes[2].held[2] && all_held() == 1 && !storms());
	net_teardown();
}

static void a_loop_behind_one_port_shuts_that_port(void)
{
	net_setup(3, NULL);
	loopguard_set(nodes[1].g, false, now);
	loopguard_set(nodes[2].g, false, now);
	cable(1, 1, 2, 1);
	cable(1, 2, 2, 2);
	cable(0, 4, 1, 3);
	net_run(SEC);
	CHECK(nodes[0].held[4] && all_held() == 1);
	uncable(1, 1); /* what circulated is gone with it */
	net_run(11 * SEC);
	CHECK(!nodes[0].held[4]);
	net_teardown();
}

static void without_a_loop_nothing_is_ever_held(void)
{
	net_setup(5, NULL);
	for (int i = 0; i < 4; i++)
		cable(i, 1, i + 1, 2);
	net_run(100 * SEC);
	CHECK(all_holds() == 0);
	for (int i = 0; i < 5; i++)
		CHECK(loopguard_counters(nodes[i].g)->foreign > 100 &&
		      !loopguard_counters(nodes[i].g)->stale);
	net_teardown();
}

int main(void)
{
	RUN(off_it_does_nothing);
	RUN(a_port_is_probed_at_once_and_every_interval);
	RUN(the_probe_is_as_documented);
	RUN(a_probe_that_comes_back_holds_the_higher_port);
	RUN(a_port_that_hears_itself_is_held);
	RUN(a_port_is_released_when_its_loop_has_gone);
	RUN(a_loop_that_persists_stays_open);
	RUN(a_hold_outlasts_the_interval);
	RUN(of_three_ports_in_one_place_one_stays_open);
	RUN(unplugged_means_released);
	RUN(off_means_released);
	RUN(old_probes_prove_nothing);
	RUN(probes_cannot_be_made_by_others);
	RUN(others_are_forwarded);
	RUN(a_port_can_be_left_out);
	RUN(each_vlan_of_a_trunk_gets_its_turn);
	RUN(a_loop_in_one_vlan_of_a_trunk_stays_open);
	RUN(another_vlan_is_another_wire);
	RUN(many_ports_are_probed_bit_by_bit);
	RUN(where_the_spanning_tree_closed_a_port_nothing_is_sent_or_proven);
	RUN(beside_a_spanning_tree_one_probe_is_not_enough);
	RUN(two_ports_cabled_together_are_one_too_many);
	RUN(a_ring_of_three_is_cut_once);
	RUN(a_ring_that_is_there_already_is_cut_once);
	RUN(one_guard_is_enough);
	RUN(a_loop_behind_one_port_shuts_that_port);
	RUN(without_a_loop_nothing_is_ever_held);
	DONE();
}
