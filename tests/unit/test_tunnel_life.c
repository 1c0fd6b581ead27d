/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tunnel_life - sessions that grow old, peers that die, move or lie,
 * floods of handshakes, and paths that change
 *
 * Node 0 calls node 1 unless a test says otherwise; the clock is the test's.
 */
#include <errno.h>

#include "cryptcab/tunnel_impl.h"
#include "test.h"
#include "tunnel_net.h"

static const uint8_t psk[32] = { 9, 8, 7 };

static struct node *const a = &net.node[0], *const b = &net.node[1];

static void reopen(int i, int j, bool active)
{
	tunnel_free(net.node[i].t);
	net_open(i);
	net_know(i, j, active, psk);
}

static void two_nodes(void)
{
	net_begin();
	net_open(0);
	net_open(1);
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
}

static bool alive(const struct node *n, int j)
{
	struct tunnel_info in;

	tunnel_peer_info(n->peer[j], net.now, &in);
	return in.alive;
}

static bool same_place(const struct tunnel_addr *x, const struct tunnel_addr *y)
{
	return x && x->len == y->len && memcmp(x->b, y->b, x->len) == 0;
}

static void two_connected(void)
{
	two_nodes();
	net_run(S);
	CHECK(alive(a, 1) && alive(b, 0));
}

static uint64_t count_of(const struct node *n, enum tunnel_count c)
{
	return tunnel_counts(n->t)[c];
}

static bool passes(int i, int j)
{
	uint32_t before = net.node[j].frames;

	if (net_frame_to(i, j, 100, 1) != 1)
		return false;
	net_run(20 * MS);
	return net.node[j].frames == before + 1;
}

/* Frames both ways, one each @every, for @ns; how many of them are missing. */
static uint32_t traffic(uint64_t ns, uint64_t every)
{
	uint32_t before = a->frames + b->frames, n = 0;

	for (uint64_t at = 0; at < ns; at += every) {
		net_frame_to(0, 1, 100, 1);
		net_frame_to(1, 0, 100, 1);
		n += 2;
		net_run(every);
	}
	net_run(100 * MS);
	return n - (a->frames + b->frames - before);
}

/* --- growing old ---------------------------------------------------------- */

static void sessions_are_renewed_by_time_and_no_frame_is_lost(void)
{
	two_connected();
	CHECK(traffic(3600 * S, 100 * MS) == 0);
	CHECK(a->events[TUNNEL_REKEYED] >= 29 &&
	      a->events[TUNNEL_REKEYED] <= 31);
	CHECK(b->events[TUNNEL_REKEYED] == a->events[TUNNEL_REKEYED]);
	CHECK(a->events[TUNNEL_DOWN] == 0 && b->events[TUNNEL_DOWN] == 0);
	net_end();
}

static void renew_by_count(int from, int to)
{
	uint32_t before;

	two_nodes();
	for (int i = 0; i < 2; i++) {
		net.node[i].cfg.rekey_packets = 1000;
		net.node[i].cfg.reject_packets = 1200;
	}
	reopen(1, 0, false);
	reopen(0, 1, true);
	net_run(S);
	before = net.node[to].frames;
	for (int i = 0; i < 20000; i++) {
		CHECK(net_frame_to(from, to, 100, 1) == 1);
		if (i % 10 == 0)
			net_run(MS);
	}
	net_run(S);
	CHECK(net.node[to].frames == before + 20000);
	CHECK(a->events[TUNNEL_REKEYED] >= 15);
	net_end();
}

static void sessions_are_renewed_by_count_in_either_direction(void)
{
	renew_by_count(0, 1);
	renew_by_count(1, 0);
}

static void no_key_is_used_more_often_than_it_may(void)
{
	struct tunnel_info in;
	int sealed = 0, refused = 0;

	two_nodes();
	a->cfg.rekey_packets = 1000;
	a->cfg.reject_packets = 1200;
	reopen(0, 1, true);
	net_run(S);
	net.longest = 1;
	for (int i = 0; i < 1500; i++) {
		int rc = net_frame_to(0, 1, 100, 1);

		sealed += rc == 1;
		refused += rc == -ENOTCONN;
	}
	CHECK(sealed <= 1200 && sealed > 1190 && sealed + refused == 1500);
	tunnel_peer_info(a->peer[1], net.now, &in);
	CHECK(in.tx_counter == 1200);
	CHECK(count_of(a, TUNNEL_TX_NO_SESSION) == (uint64_t)refused);
	net.longest = 1472;
	net_run(10 * S);
	CHECK(passes(0, 1));
	net_end();
}

static void an_old_session_is_the_end_of_its_packets(void)
{
	struct dgram d;

	two_connected();
	net.hold = true;
	CHECK(net_frame_to(0, 1, 100, 1) == 1);
	d = net_take(net.n - 1);
	net.now += 179 * S;
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	CHECK(net_frame_to(0, 1, 100, 1) == 1);
	d = net_take(net.n - 1);
	net.now += 2 * S;
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_EXPIRED);
	CHECK(net_frame_to(0, 1, 100, 1) == -ENOTCONN);
	CHECK(net_frame_to(1, 0, 100, 1) == -ENOTCONN);
	tunnel_tick(b->t, net.now);
	CHECK(b->events[TUNNEL_DOWN] == 1 && !alive(b, 0));
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_NO_SESSION);
	net.n = 0;
	net.hold = false;
	net_run(10 * S);
	CHECK(passes(0, 1) && passes(1, 0));
	net_end();
}

static void a_clock_that_jumps_costs_a_handshake_at_most(void)
{
	two_connected();
	net.now += 3600 * S; /* asleep */
	net_run(2 * S);
	CHECK(passes(0, 1) && passes(1, 0));
	net.now -= 1000 * S;
	CHECK(net_frame_to(0, 1, 100, 1) == 1);
	net_run(2000 * S);
	CHECK(passes(0, 1) && passes(1, 0));
	CHECK(traffic(300 * S, 100 * MS) == 0);
	net_end();
}

/* --- dying ---------------------------------------------------------------- */

static void death_is_noticed_within_a_second(void)
{
	uint64_t died;

	two_connected();
	CHECK(traffic(S, MS) == 0);
	died = net.now;
	net.longest = 1;
	while (alive(a, 1) && net.now < died + 10 * S) {
		net_frame_to(0, 1, 100, 1);
		net_run(MS);
	}
	printf("# dead after %u ms\n", (unsigned int)((net.now - died) / MS));
	CHECK(net.now - died < 900 * MS);
	CHECK(a->events[TUNNEL_DOWN] == 1);
	/* It calls, and comes back as soon as somebody is there. */
	net_run(20 * S);
	net.longest = 1472;
	net_run(7 * S);
	CHECK(alive(a, 1) && passes(0, 1) && passes(1, 0));
	CHECK(a->events[TUNNEL_UP] == 2);
	net_end();
}

static void another_server_takes_over_within_a_second(void)
{
	uint64_t died;

	two_connected();
	net_open(2);
	net_know(2, 0, false, psk);
	died = net.now;
	tunnel_free(b->t);
	b->t = NULL;
	while (!a->events[TUNNEL_DOWN] && net.now < died + 10 * S) {
		net_frame_to(0, 1, 100, 1);
		net_run(MS);
	}
	CHECK(tunnel_peer_hang_up(a->peer[1], net.now) == 0);
	net_know(0, 2, true, psk);
	while (net.node[2].frames == 0 && net.now < died + 10 * S) {
		net_frame_to(0, 2, 100, 1);
		net_run(MS);
	}
	printf("# frames again after %u ms\n",
	       (unsigned int)((net.now - died) / MS));
	CHECK(net.now - died < S);
	net_end();
}

static void a_server_that_restarts_is_found_again_within_a_second(void)
{
	uint64_t died;

	two_connected();
	CHECK(traffic(S, 10 * MS) == 0);
	died = net.now;
	reopen(1, 0, false);
	b->frames = 0;
	while (b->frames == 0 && net.now < died + 10 * S) {
		net_frame_to(0, 1, 100, 1);
		net_run(MS);
	}
	CHECK(net.now - died < S);
	CHECK(passes(1, 0));
	net_end();
}

static void who_is_called_notices_too_and_waits(void)
{
	two_connected();
	net.longest = 1;
	net_frame_to(1, 0, 100, 1);
	net_run(10 * S);
	CHECK(b->events[TUNNEL_DOWN] == 1 && !alive(b, 0));
	net.longest = 1472;
	/* The session is still there. */
	CHECK(passes(0, 1) && alive(b, 0) && passes(1, 0));
	CHECK(b->events[TUNNEL_UP] == 2 && b->events[TUNNEL_REKEYED] == 0);
	net_end();
}

static void traffic_in_one_direction_is_no_death(void)
{
	two_connected();
	for (int i = 0; i < 30000; i++) {
		CHECK(net_frame_to(0, 1, 100, 1) == 1);
		net_run(MS);
	}
	CHECK(a->events[TUNNEL_DOWN] == 0 && b->frames >= 29990);
	/* A few pings a second say so. */
	CHECK(a->frames == 0);
	net_end();
}

static void a_slow_path_is_no_death(void)
{
	net_begin();
	net.delay = 700 * MS;
	net_open(0);
	net_open(1);
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
	net_run(10 * S);
	CHECK(alive(a, 1) && alive(b, 0));
	CHECK(traffic(100 * S, 100 * MS) <= 40);
	CHECK(a->events[TUNNEL_DOWN] == 0 && b->events[TUNNEL_DOWN] == 0);
	net_end();
}

static void an_idle_cable_says_little_and_still_notices(void)
{
	uint64_t sent, turns;

	two_connected();
	sent = net.sent;
	turns = net_run(3600 * S);
	/* A ping and its answer each 25 s; a handshake each 120 s. */
	printf("# an hour: %u datagrams, %u turns\n",
	       (unsigned int)(net.sent - sent), (unsigned int)turns);
	CHECK(net.sent - sent <= 2 * (3600 / 25) + 4 * 31);
	CHECK(turns <= 1500);
	CHECK(a->events[TUNNEL_DOWN] == 0 && b->events[TUNNEL_DOWN] == 0);
	net.longest = 1;
	net_run(27 * S);
	CHECK(a->events[TUNNEL_DOWN] == 1);
	net_end();
}

static void a_doubt_is_cleared_up_at_once(void)
{
	two_connected();
	tunnel_peer_doubt(a->peer[1], net.now);
	net_run(S);
	CHECK(alive(a, 1));
	net.longest = 1;
	tunnel_peer_doubt(a->peer[1], net.now);
	net_run(600 * MS);
	CHECK(a->events[TUNNEL_DOWN] == 1);
	net_end();
}

/* --- moving --------------------------------------------------------------- */

static void a_client_may_move_to_another_address(void)
{
	two_connected();
	a->addr = net_addr(77, 3);
	CHECK(passes(0, 1));
	CHECK(b->events[TUNNEL_ROAMED] == 2); /* the first time, too */
	CHECK(tunnel_addr(b->peer[0])->b[0] == 77);
	CHECK(passes(1, 0) && passes(0, 1));
	net_end();
}

static void only_the_newest_authentic_packet_moves_a_peer(void)
{
	const struct tunnel_addr other = net_addr(66, 6);
	struct dgram old, new, bad;

	two_connected();
	net.hold = true;
	CHECK(net_frame_to(0, 1, 100, 1) == 1);
	old = net_take(net.n - 1);
	CHECK(net_frame_to(0, 1, 100, 1) == 1);
	new = net_take(net.n - 1);
	bad = new;
	bad.p[50] ^= 1;
	CHECK(net_give(b, &other, bad.p, bad.len) == TUNNEL_FORGED);
	CHECK(same_place(tunnel_addr(b->peer[0]), &a->addr));
	CHECK(net_give(b, &new.from, new.p, new.len) == TUNNEL_TAKEN);
	CHECK(net_give(b, &other, new.p, new.len) == TUNNEL_REPLAYED);
	CHECK(same_place(tunnel_addr(b->peer[0]), &a->addr));
	/* Right, but an older one that took another way. */
	CHECK(net_give(b, &other, old.p, old.len) == TUNNEL_TAKEN);
	CHECK(same_place(tunnel_addr(b->peer[0]), &a->addr));
	net.hold = false;
	net_end();
}

static void a_fixed_peer_stays_where_it_is(void)
{
	struct tunnel_peer_config pc = { .key = NULL };

	two_nodes();
	tunnel_peer_del(b->peer[0]);
	pc.key = a->pub;
	pc.psk = psk;
	pc.fixed = true;
	pc.addr = &a->addr;
	CHECK(tunnel_peer_add(b->t, &pc, net.now, &b->peer[0]) == 0);
	net_run(S);
	CHECK(passes(0, 1));
	a->addr = net_addr(77, 3);
	CHECK(net_frame_to(0, 1, 100, 1) == 1);
	net_run(20 * MS);
	CHECK(tunnel_addr(b->peer[0])->b[0] == 1);
	net_end();
}

static void a_copied_init_from_elsewhere_changes_nothing(void)
{
	const struct tunnel_addr other = net_addr(66, 6);
	struct dgram init;

	two_connected();
	net_run(118 * S);
	/* The INIT of the renewal is held back, and comes from somebody else. */
	while (!net.n || net.wire[net.n - 1].p[0] != 0x81)
		net_run(MS);
	init = net_take(net.n - 1);
	CHECK(net_give(b, &other, init.p, init.len) == TUNNEL_TAKEN);
	CHECK(same_place(tunnel_addr(b->peer[0]), &a->addr));
	CHECK(passes(0, 1) && passes(1, 0));
	CHECK(same_place(tunnel_addr(b->peer[0]), &a->addr));
	CHECK(traffic(30 * S, 10 * MS) == 0);
	CHECK(a->events[TUNNEL_REKEYED] == 1);
	net_end();
}

/* --- clocks and copies ---------------------------------------------------- */

static void a_client_without_a_clock_is_not_locked_out(void)
{
	two_connected();
	a->cfg.stamp_base = 0;
	net.now += 1000 * S;
	reopen(0, 1, true);
	net_run(S);
	CHECK(count_of(b, TUNNEL_STALE) == 1);
	CHECK(alive(a, 1) && passes(0, 1) && passes(1, 0));
	net_end();
}

static void half_of_the_secrets_of_a_peer_locks_nobody_out(void)
{
	static const uint8_t other[32] = { 5 };

	two_nodes();
	tunnel_free(a->t);
	/* A thief of the static key, without the pre-shared one, years ahead. */
	a->cfg.stamp_base = UINT64_C(9000000000) * S;
	net_open(0);
	net_know(0, 1, true, other);
	net_run(30 * S);
	CHECK(a->events[TUNNEL_UP] == 0);
	a->cfg.stamp_base = UINT64_C(1700000000) * S;
	reopen(0, 1, true);
	net_run(12 * S);
	CHECK(alive(a, 1) && passes(0, 1) && passes(1, 0));
	net_end();
}

static void old_copies_of_init_do_not_disturb_even_after_a_restart(void)
{
	struct dgram old[3];

	two_nodes();
	for (int i = 0; i < 3; i++) {
		if (i)
			reopen(0, 1, true);
		net_run(MS);
		for (int k = 0; k < net.n; k++)
			if (net.wire[k].p[0] == 0x81)
				old[i] = net.wire[k];
		net_run(S);
	}
	reopen(1, 0, false);
	net_run(5 * S);
	traffic(2 * S, 10 * MS);
	CHECK(alive(a, 1));
	for (int i = 0; i < 200; i++) {
		net_give(b, &old[i % 3].from, old[i % 3].p, old[i % 3].len);
		CHECK(traffic(30 * MS, 10 * MS) == 0);
	}
	CHECK(count_of(b, TUNNEL_STALE) + count_of(b, TUNNEL_TOO_OFTEN) == 200);
	net_end();
}

static void two_that_call_each_other_meet(void)
{
	two_nodes();
	reopen(1, 0, true);
	reopen(0, 1, true);
	net_run(2 * S);
	CHECK(alive(a, 1) && alive(b, 0));
	CHECK(traffic(1000 * S, 50 * MS) == 0);
	CHECK(a->events[TUNNEL_DOWN] == 0 && b->events[TUNNEL_DOWN] == 0);
	CHECK(a->events[TUNNEL_REKEYED] <= 24);
	net_end();
}

/* --- floods --------------------------------------------------------------- */

/* An INIT of node 3, which node 1 does not know, from @n different addresses
 * within a second, while node 0 does what it does. */
static void flood(uint32_t n, bool right_mac, struct dgram *init)
{
	struct dgram d = *init;

	for (uint32_t i = 0; i < n; i++) {
		struct tunnel_addr from = { .len = 6, .host_len = 4 };

		memcpy(from.b, &i, sizeof(i));
		if (!right_mac)
			d.p[20] = (uint8_t)i;
		net_give(b, &from, d.p, d.len);
		/* Answers to nobody do not stay on the wire. */
		for (int k = net.n - 1; k >= 0; k--)
			if (!net_at(&net.wire[k].to))
				net_take(k);
		if (i % 100 == 0)
			net_run(S * 100 / n);
	}
}

static void init_of_stranger(struct dgram *init)
{
	net_open(3);
	net_know(3, 1, true, psk);
	net_run(MS);
	*init = net_take(net.n - 1);
	CHECK(init->p[0] == 0x81);
	tunnel_free(net.node[3].t);
	net.node[3].t = NULL;
}

static void a_flood_costs_a_bounded_number_of_handshakes(void)
{
	struct dgram init;
	uint64_t sent;

	two_connected();
	init_of_stranger(&init);
	sent = net.sent;
	flood(100000, true, &init);
	/* A burst of 500 and 500 in the second. */
	CHECK(count_of(b, TUNNEL_UNKNOWN) <= 1001);
	CHECK(count_of(b, TUNNEL_UNKNOWN) + count_of(b, TUNNEL_OVERLOAD) ==
	      100000);
	CHECK(count_of(b, TUNNEL_COOKIES) <= 21100);
	CHECK(net.sent - sent <= 21110);
	/* Whom the flood does not concern: */
	CHECK(passes(0, 1) && passes(1, 0));
	net_end();
}

static void a_flood_of_those_who_do_not_know_our_key_gets_no_answer(void)
{
	struct dgram init;
	uint64_t sent;

	two_connected();
	init_of_stranger(&init);
	sent = net.sent;
	flood(100000, false, &init);
	CHECK(count_of(b, TUNNEL_BAD_MAC) >= 99000);
	CHECK(net.sent - sent < 1000);
	net_end();
}

static void a_client_gets_in_during_a_flood(void)
{
	struct dgram init;

	two_nodes();
	tunnel_free(a->t);
	a->t = NULL;
	init_of_stranger(&init);
	flood(2000, true, &init);
	CHECK(count_of(b, TUNNEL_OVERLOAD) > 0);
	net_open(0);
	net_know(0, 1, true, psk);
	for (int i = 0; i < 5 && !alive(a, 1); i++)
		flood(100000, true, &init);
	CHECK(alive(a, 1) && passes(0, 1) && passes(1, 0));
	net_end();
}

static void a_known_address_gets_its_cookie_in_any_flood(void)
{
	struct dgram init;

	two_nodes();
	b->cfg.cookie_rate = 1;
	reopen(1, 0, false);
	reopen(0, 1, true);
	net_run(S);
	CHECK(passes(0, 1));
	init_of_stranger(&init);
	/* The client forgot everything; its address is still known. */
	flood(50000, true, &init);
	reopen(0, 1, true);
	flood(100000, true, &init);
	CHECK(count_of(b, TUNNEL_COOKIES) < 10);
	CHECK(alive(a, 1) && passes(0, 1));
	net_end();
}

static void a_cookie_is_of_one_address(void)
{
	const struct tunnel_addr other = net_addr(9, 9);
	uint64_t cookies;
	struct dgram d;

	two_nodes();
	b->cfg.handshake_rate = 1;
	reopen(1, 0, false);
	reopen(0, 1, true);
	net.hold = true;
	net_run(MS);
	d = net_take(0);
	net_give(b, &other, d.p, d.len);
	net.n = 0;
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_OVERLOAD);
	CHECK(net.n == 1 && net.wire[0].p[0] == 0x83);
	d = net_take(0);
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	d = net_take(0);
	CHECK(d.p[0] == 0x81);
	cookies = count_of(b, TUNNEL_COOKIES);
	CHECK(net_give(b, &other, d.p, d.len) == TUNNEL_BAD_COOKIE);
	CHECK(count_of(b, TUNNEL_COOKIES) == cookies + 1);
	net.now += 50 * MS;
	/* Known already: it is the copy of the first. */
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_STALE);
	/* 240 s later no cookie of today is worth anything. */
	net.now += 241 * S;
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_BAD_COOKIE);
	net.hold = false;
	net_end();
}

static void one_host_with_cookies_has_a_limit(void)
{
	struct tunnel_addr from = net_addr(1, 1);
	uint64_t many = 0;
	struct dgram d;

	two_nodes();
	b->cfg.handshake_rate = 1;
	b->cfg.host_rate = 20;
	reopen(1, 0, false);
	reopen(0, 1, true);
	net.hold = true;
	net_run(MS);
	d = net_take(0);
	net_give(b, &from, d.p, d.len);
	net_give(b, &d.from, d.p, d.len);
	d = net_take(1);
	CHECK(d.p[0] == 0x83 && net_give(a, &d.from, d.p, d.len) == 0);
	d = net_take(net.n - 1);
	for (int i = 0; i < 100; i++)
		many += net_give(b, &d.from, d.p, d.len) == TUNNEL_TOO_OFTEN;
	CHECK(many >= 79);
	net.hold = false;
	net_end();
}

static void one_peer_calls_at_most_each_twenty_milliseconds(void)
{
	struct dgram d[2];

	two_nodes();
	for (int i = 0; i < 2; i++) {
		reopen(0, 1, true);
		net.hold = true;
		net.n = 0;
		net_run(MS);
		d[i] = net_take(0);
	}
	CHECK(net_give(b, &d[0].from, d[0].p, d[0].len) == TUNNEL_TAKEN);
	net.now += 19 * MS;
	CHECK(net_give(b, &d[1].from, d[1].p, d[1].len) == TUNNEL_TOO_OFTEN);
	net.now += MS;
	CHECK(net_give(b, &d[1].from, d[1].p, d[1].len) == TUNNEL_TAKEN);
	net.hold = false;
	net_end();
}

/* --- paths ---------------------------------------------------------------- */

static size_t found(size_t longest, uint32_t datagram_max)
{
	struct tunnel_info in;

	net_begin();
	net.longest = longest;
	a->cfg.datagram_max = datagram_max;
	net_open(0);
	net_open(1);
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
	net_run(30 * S);
	tunnel_peer_info(a->peer[1], net.now, &in);
	CHECK(in.alive && tunnel_room(a->peer[1]) + 36 == in.datagram);
	CHECK(passes(0, 1));
	net_end();
	return in.datagram;
}

static void the_length_of_a_path_is_found(void)
{
	static const size_t longest[] = { 1200, 1201, 1240, 1280, 1300, 1380,
					  1400, 1420, 1448, 1464, 1471, 1472 };
	size_t got;

	for (size_t i = 0; i < ARRAY_SIZE(longest); i++) {
		got = found(longest[i], 1472);
		CHECK(got <= longest[i] && got + 16 > longest[i]);
	}
	CHECK(found(2000, 1472) == 1472);
	got = found(2000, 8952);
	CHECK(got <= 2000 && got + 16 > 2000);
}

static void a_path_that_becomes_narrow_is_noticed_while_it_is_used(void)
{
	two_connected();
	CHECK(tunnel_room(a->peer[1]) == 1472 - 36);
	net.longest = 1300;
	for (int i = 0; i < 200 && tunnel_room(a->peer[1]) > 1300; i++) {
		net_frame_to(0, 1, 1400, 1);
		net_run(100 * MS);
	}
	CHECK(tunnel_room(a->peer[1]) == 1200 - 36);
	net_run(5 * S);
	CHECK(tunnel_room(a->peer[1]) + 36 + 16 > 1300);
	CHECK(a->events[TUNNEL_DOWN] == 0);
	CHECK(passes(0, 1));
	/* And wide again, within ten minutes or so. */
	net.longest = 1472;
	for (int i = 0; i < 620; i++) {
		net_frame_to(0, 1, 1220, 1);
		net_run(S);
	}
	CHECK(tunnel_room(a->peer[1]) == 1472 - 36);
	net_end();
}

static void a_hint_is_tried_and_a_lie_costs_nothing(void)
{
	two_connected();
	tunnel_peer_too_long(a->peer[1], 1280, net.now);
	net_run(5 * S);
	CHECK(tunnel_room(a->peer[1]) == 1472 - 36);
	net.longest = 1280;
	tunnel_peer_too_long(a->peer[1], 1280, net.now);
	net_run(5 * S);
	CHECK(tunnel_room(a->peer[1]) <= 1280 - 36 &&
	      tunnel_room(a->peer[1]) > 1280 - 36 - 16);
	net_end();
}

/* --- what a user does ----------------------------------------------------- */

static void hanging_up_and_calling_again(void)
{
	two_connected();
	CHECK(tunnel_peer_hang_up(a->peer[1], net.now) == 0);
	CHECK(net_frame_to(0, 1, 100, 1) == -ENOTCONN);
	net_run(60 * S);
	CHECK(!alive(a, 1) && a->events[TUNNEL_NO_ANSWER] == 0);
	b->addr = net_addr(2, 5);
	CHECK(tunnel_peer_call(a->peer[1], &b->addr, net.now) == 0);
	net_run(S);
	CHECK(alive(a, 1) && passes(0, 1) && passes(1, 0));
	net_end();
}

static void a_call_to_a_new_address_does_not_wait_for_the_old_one(void)
{
	uint64_t sent;

	two_nodes();
	net.longest = 1;
	net_run(60 * S);
	CHECK(a->events[TUNNEL_NO_ANSWER] > 10);
	net.longest = 1472;
	b->addr = net_addr(2, 5);
	sent = net.sent;
	CHECK(tunnel_peer_call(a->peer[1], &b->addr, net.now) == 0);
	net_run(MS);
	CHECK(net.sent == sent + 1);
	net_run(20 * MS);
	CHECK(alive(a, 1));
	net_end();
}

static void a_caller_who_never_confirms_takes_one_index(void)
{
	two_nodes();
	a->cfg.retry_max = a->cfg.retry_min;
	reopen(0, 1, true);
	for (int i = 0; i < 30000; i++) {
		net_run(MS);
		for (int k = net.n - 1; k >= 0; k--)
			if (net.wire[k].p[0] == 0x82)
				net_take(k);
	}
	CHECK(count_of(b, TUNNEL_TAKEN) > 50 && !alive(b, 0));
	CHECK(b->t->n_indices == 64);
	net_end();
}

static void a_removed_peer_is_unknown(void)
{
	two_connected();
	CHECK(tunnel_peer_del(b->peer[0]) == 0);
	net_frame_to(0, 1, 100, 1);
	net_run(5 * S);
	CHECK(count_of(b, TUNNEL_NO_SESSION) >= 1);
	CHECK(count_of(b, TUNNEL_UNKNOWN) >= 1 && !alive(a, 1));
	net_know(1, 0, false, psk);
	net_run(10 * S);
	CHECK(alive(a, 1) && passes(0, 1) && passes(1, 0));
	net_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(sessions_are_renewed_by_time_and_no_frame_is_lost);
	RUN(sessions_are_renewed_by_count_in_either_direction);
	RUN(no_key_is_used_more_often_than_it_may);
	RUN(an_old_session_is_the_end_of_its_packets);
	RUN(a_clock_that_jumps_costs_a_handshake_at_most);
	RUN(death_is_noticed_within_a_second);
	RUN(another_server_takes_over_within_a_second);
	RUN(a_server_that_restarts_is_found_again_within_a_second);
	RUN(who_is_called_notices_too_and_waits);
	RUN(traffic_in_one_direction_is_no_death);
	RUN(a_slow_path_is_no_death);
	RUN(an_idle_cable_says_little_and_still_notices);
	RUN(a_doubt_is_cleared_up_at_once);
	RUN(a_client_may_move_to_another_address);
	RUN(only_the_newest_authentic_packet_moves_a_peer);
	RUN(a_fixed_peer_stays_where_it_is);
	RUN(a_copied_init_from_elsewhere_changes_nothing);
	RUN(a_client_without_a_clock_is_not_locked_out);
	RUN(half_of_the_secrets_of_a_peer_locks_nobody_out);
	RUN(old_copies_of_init_do_not_disturb_even_after_a_restart);
	RUN(two_that_call_each_other_meet);
	RUN(a_flood_costs_a_bounded_number_of_handshakes);
	RUN(a_flood_of_those_who_do_not_know_our_key_gets_no_answer);
	RUN(a_client_gets_in_during_a_flood);
	RUN(a_known_address_gets_its_cookie_in_any_flood);
	RUN(a_cookie_is_of_one_address);
	RUN(one_host_with_cookies_has_a_limit);
	RUN(one_peer_calls_at_most_each_twenty_milliseconds);
	RUN(the_length_of_a_path_is_found);
	RUN(a_path_that_becomes_narrow_is_noticed_while_it_is_used);
	RUN(a_hint_is_tried_and_a_lie_costs_nothing);
	RUN(hanging_up_and_calling_again);
	RUN(a_call_to_a_new_address_does_not_wait_for_the_old_one);
	RUN(a_caller_who_never_confirms_takes_one_index);
	RUN(a_removed_peer_is_unknown);
	DONE();
}
