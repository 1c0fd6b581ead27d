/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tunnel - messages that are right, and all the ways to be wrong
 *
 * Node 0 calls node 1. What lives long, dies, moves or is under attack is in
 * test_tunnel_life.c.
 */
#include "cryptcab/tunnel_impl.h"

#include <errno.h>

#include "base/num.h"
#include "test.h"
#include "tunnel_net.h"

#define INIT 0x81
#define RESPONSE 0x82
#define COOKIE 0x83
#define DATA 0x84

static const uint8_t psk[32] = { 1, 2, 3, 4 };

static struct node *const a = &net.node[0], *const b = &net.node[1];

static void two_nodes(void)
{
	net_begin();
	net_open(0);
	net_open(1);
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
}

static bool both_up(void)
{
	struct tunnel_info in[2];

	tunnel_peer_info(a->peer[1], net.now, &in[0]);
	tunnel_peer_info(b->peer[0], net.now, &in[1]);
	return in[0].alive && in[1].alive;
}

static void two_connected(void)
{
	two_nodes();
	net_run(S);
	CHECK(both_up());
}

static uint64_t count_of(const struct node *n, enum tunnel_count c)
{
	return tunnel_counts(n->t)[c];
}

static uint64_t rejected(const struct node *n)
{
	uint64_t sum = 0;

	for (int i = TUNNEL_BAD_LENGTH; i < TUNNEL_N_COUNTS; i++)
		sum += count_of(n, (enum tunnel_count)i);
	return sum;
}

/* A frame from @i to @j arrives whole. */
static bool passes(int i, int j, size_t len, uint8_t fill)
{
	struct node *to = &net.node[j];
	uint32_t before = to->frames;

	if (net_frame_to(i, j, len, fill) != 1)
		return false;
	net_run(20 * MS);
	if (to->frames != before + 1 || to->last_len != len ||
	    to->last_meta.tos != fill || to->last_peer != to->peer[i])
		return false;
	for (size_t k = 0; k < len; k++)
		if (to->last[k] != fill)
			return false;
	return true;
}

static bool both_pass(void)
{
	return passes(0, 1, 60, 0x11) && passes(1, 0, 1000, 0x22);
}

static void frames_pass_in_both_directions(void)
{
	struct tunnel_info in;

	two_connected();
	CHECK(a->events[TUNNEL_UP] == 1 && b->events[TUNNEL_UP] == 1);
	CHECK(both_pass());
	for (size_t len = TUNNEL_FRAME_MIN; len <= 1400; len += 7)
		CHECK(passes(0, 1, len, (uint8_t)len));
	CHECK(rejected(a) == 0 && rejected(b) == 0);
	tunnel_peer_info(a->peer[1], net.now, &in);
	CHECK(in.rtt >= 10 * MS && in.rtt < 11 * MS);
	CHECK(in.counts[TUNNEL_TX_FRAMES] == count_of(b, TUNNEL_RX_FRAMES));
	CHECK(in.counts[TUNNEL_TX_BYTES] == count_of(b, TUNNEL_RX_BYTES));
	net_end();
}

static void the_best_cipher_that_both_have_is_taken(void)
{
	static const uint32_t both = 3, chacha = 1U << AEAD_CHACHAPOLY,
			      aes = 1U << AEAD_AESGCM;
	static const struct {
		uint32_t a, b;
		enum aead_cipher want;
	} row[] = {
		{ both, both, AEAD_AESGCM },
		{ both, chacha, AEAD_CHACHAPOLY },
		{ chacha, both, AEAD_CHACHAPOLY },
		{ aes, both, AEAD_AESGCM },
	};
	struct tunnel_info in;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		if (row[i].want == AEAD_AESGCM && !aead_available(AEAD_AESGCM))
			continue;
		net_begin();
		a->cfg.ciphers = row[i].a;
		b->cfg.ciphers = row[i].b;
		net_open(0);
		net_open(1);
		net_know(1, 0, false, psk);
		net_know(0, 1, true, psk);
		net_run(S);
		tunnel_peer_info(b->peer[0], net.now, &in);
		CHECK(in.alive && in.cipher == row[i].want);
		CHECK(both_pass());
		net_end();
	}
}

static void no_cipher_in_common_is_said_on_both_sides(void)
{
	if (!aead_available(AEAD_AESGCM))
		return;
	net_begin();
	a->cfg.ciphers = 1U << AEAD_AESGCM;
	b->cfg.ciphers = 1U << AEAD_CHACHAPOLY;
	net_open(0);
	net_open(1);
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
	net_run(30 * S);
	CHECK(a->events[TUNNEL_REFUSED] >= 1 && a->events[TUNNEL_UP] == 0);
	CHECK(b->events[TUNNEL_REFUSED] >= 1 && b->events[TUNNEL_UP] == 0);
	/* Not in a hurry. */
	CHECK(a->events[TUNNEL_REFUSED] <= 8);
	net_end();
}

/* --- another implementation ------------------------------------------------ */

#define PEER "tests/unit/cable_peer.py"

static void add_hex(char *to, size_t size, const uint8_t *p, size_t len)
{
	size_t at = strlen(to);

	CHECK(at + 2 * len + 2 < size);
	to[at++] = ' ';
	for (size_t i = 0; i < len; i++)
		at += (size_t)snprintf(to + at, size - at, "%02x", p[i]);
}

/* The next line of @f as bytes; how many. */
static size_t get_hex(FILE *f, uint8_t *p, size_t size)
{
	char line[2048];
	size_t n = 0;

	if (!fgets(line, sizeof(line), f))
		return 0;
	for (char *s = line;
	     n < size && hex_digit(s[0]) >= 0 && hex_digit(s[1]) >= 0; s += 2)
		p[n++] = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
	return n;
}

static bool have_peer(void)
{
	FILE *f = popen("python3 -c 'import cryptography' 2>/dev/null", "r");

	return f && pclose(f) == 0;
}

/* Node 0 calls node 1, which is a program in another language. */
static void call_a_stranger(enum aead_cipher cipher)
{
	struct dgram d = { .from = b->addr, .to = a->addr };
	char cmd[4096];
	uint8_t frame[200];
	FILE *f;

	two_nodes();
	tunnel_free(b->t);
	b->t = NULL;
	net.hold = true;
	net_run(MS);
	CHECK(net.n == 1);
	snprintf(cmd, sizeof(cmd), "python3 -B %s %d", PEER, (int)cipher);
	add_hex(cmd, sizeof(cmd), net.wire[0].p, net.wire[0].len);
	f = popen(cmd, "r");
	d.len = f ? get_hex(f, d.p, sizeof(d.p)) : 0;
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	CHECK(a->events[TUNNEL_UP] == 1);
	d.len = f ? get_hex(f, d.p, sizeof(d.p)) : 0;
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	CHECK(a->frames == 1 && a->last_len == 100 && a->last[99] == 99);
	CHECK(a->last_meta.tos == 0xb8);
	CHECK(f && pclose(f) == 0);

	CHECK(net_frame_to(0, 1, 150, 0xcd) == 1);
	add_hex(cmd, sizeof(cmd), net.wire[net.n - 1].p,
		net.wire[net.n - 1].len);
	f = popen(cmd, "r");
	CHECK(f && get_hex(f, d.p, sizeof(d.p)) == 124);
	CHECK(f && get_hex(f, d.p, sizeof(d.p)) == 16 + 4 + 100 + 9 + 16);
	CHECK(f && get_hex(f, frame, sizeof(frame)) == 150);
	for (int i = 0; i < 150; i++)
		CHECK(frame[i] == 0xcd);
	CHECK(f && pclose(f) == 0);
	net.hold = false;
	net_end();
}

/* Prints its own line: it may have to be skipped. */
static void run_stranger(void)
{
	bool can = have_peer();
	int before = test_failed;

	test_failed = 0;
	for (int c = 0; can && c < AEAD_N_CIPHERS; c++)
		if (aead_available((enum aead_cipher)c))
			call_a_stranger((enum aead_cipher)c);
	printf("%sok %d - it_talks_to_one_that_only_knows_the_document%s\n",
	       test_failed ? "not " : "", ++test_count,
	       can ? "" : " # SKIP no python3-cryptography");
	test_failed |= before;
}

/* --- every byte of every message ------------------------------------------ */

/* @d changed in each byte, twice, is refused by its receiver, and counted, and
 * gives nothing. */
static void flip_all(const struct dgram *d)
{
	struct node *to = net_at(&d->to);
	uint32_t frames = to->frames;
	enum tunnel_count what;
	struct dgram bad = *d;
	uint64_t before;

	for (size_t i = 0; i < d->len; i++) {
		/* Handshakes are not taken as fast as this loop is. */
		net.now += d->p[0] == DATA ? 0 : 50 * MS;
		before = rejected(to);
		for (int bit = 1; bit <= 0x80; bit *= 0x80) {
			bad.p[i] ^= (uint8_t)bit;
			what = net_give(to, &d->from, bad.p, bad.len);
			if (what < TUNNEL_BAD_LENGTH) {
				printf("# byte %zu of %02x: %s\n", i, d->p[0],
				       tunnel_count_name(what));
				test_failed = 1;
			}
			bad.p[i] = d->p[i];
		}
		CHECK(rejected(to) == before + 2);
	}
	CHECK(to->frames == frames);
}

static void cut_all(const struct dgram *d)
{
	struct node *to = net_at(&d->to);

	for (size_t len = 0; len < d->len; len++) {
		net.now += d->p[0] == DATA ? 0 : 50 * MS;
		CHECK(net_give(to, &d->from, d->p, len) >= TUNNEL_BAD_LENGTH);
	}
	if (d->len == DGRAM_MAX)
		return;
	CHECK(net_give(to, &d->from, d->p, d->len + 1) >= TUNNEL_BAD_LENGTH);
}

static int find_message(uint8_t type)
{
	for (int i = 0; i < net.n; i++)
		if (net.wire[i].p[0] == type)
			return i;
	return -1;
}

/* Runs until a message of @type is on the wire, and takes it. */
static bool catch_message(uint8_t type, struct dgram *d)
{
	for (int i = 0; i < 5000; i++) {
		int at = find_message(type);

		if (at >= 0) {
			*d = net_take(at);
			return true;
		}
		net_run(MS);
	}
	return false;
}

static void a_changed_init_is_refused_and_the_right_one_taken(void)
{
	struct dgram d;

	two_nodes();
	CHECK(catch_message(INIT, &d));
	flip_all(&d);
	cut_all(&d);
	CHECK(count_of(b, TUNNEL_BAD_MAC) > 0 && net.n > 0);
	/* All that was answered is cookies, for a wrong mac2. */
	CHECK(find_message(RESPONSE) < 0);
	CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	net_run(S);
	CHECK(both_up() && both_pass());
	net_end();
}

static void a_changed_response_is_refused_and_the_right_one_taken(void)
{
	struct dgram d;

	two_nodes();
	a->cfg.retry_min = a->cfg.retry_max = 1000 * S;
	tunnel_free(a->t);
	net_open(0);
	net_know(0, 1, true, psk);
	CHECK(catch_message(RESPONSE, &d));
	flip_all(&d);
	cut_all(&d);
	CHECK(a->events[TUNNEL_UP] == 0);
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	CHECK(a->events[TUNNEL_UP] == 1);
	/* Once. */
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_NO_SESSION);
	net_run(S);
	CHECK(both_up() && both_pass());
	net_end();
}

/* As doc/protocol-cryptcab.md says, for who knows the public key @pub. */
static void sign(struct dgram *d, const uint8_t *pub)
{
	static const char label[] = "vde_cryptcab mac1";
	uint8_t text[sizeof(label) - 1 + 32], key[32];

	memcpy(text, label, sizeof(label) - 1);
	memcpy(text + sizeof(label) - 1, pub, 32);
	crypto_generichash(key, 32, text, sizeof(text), NULL, 0);
	crypto_generichash(d->p + d->len - 32, 16, d->p, d->len - 32, key, 32);
}

/* Everybody can make a MAC with a public key; it is not what protects. */
static void a_changed_message_with_a_new_mac_is_refused(void)
{
	struct dgram d, bad;

	for (uint8_t type = INIT; type <= RESPONSE; type++) {
		two_nodes();
		tunnel_free(a->t);
		a->cfg.retry_min = a->cfg.retry_max = 1000 * S;
		net_open(0);
		net_know(0, 1, true, psk);
		CHECK(catch_message(type, &d));
		bad = d;
		sign(&bad, type == INIT ? b->pub : a->pub);
		CHECK(memcmp(&bad, &d, sizeof(d)) == 0);
		for (size_t i = 4; i < d.len - 32; i++) {
			/* Who it is for leads nowhere if it is another. */
			if (type == RESPONSE && i >= 8 && i < 12)
				continue;
			bad = d;
			bad.p[i] ^= 1;
			sign(&bad, type == INIT ? b->pub : a->pub);
			net.now += 50 * MS;
			CHECK(net_give(net_at(&d.to), &d.from, bad.p,
				       bad.len) == TUNNEL_BAD_HANDSHAKE);
		}
		CHECK(net_give(net_at(&d.to), &d.from, d.p, d.len) ==
		      TUNNEL_TAKEN);
		net_end();
	}
}

static void a_changed_frame_is_refused_and_the_right_one_taken(void)
{
	struct dgram d;

	for (uint32_t c = 0; c < AEAD_N_CIPHERS; c++) {
		two_nodes();
		tunnel_free(a->t);
		a->cfg.ciphers = 1U << c;
		if (tunnel_new(&a->t, &a->cfg) < 0) {
			net_end();
			continue;
		}
		net_know(0, 1, true, psk);
		net_run(S);
		net.hold = true;
		CHECK(net_frame_to(0, 1, 100, 7) == 1);
		CHECK(catch_message(DATA, &d));
		flip_all(&d);
		cut_all(&d);
		CHECK(count_of(b, TUNNEL_FORGED) > 100);
		CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_TAKEN);
		CHECK(b->frames == 1 && b->last[99] == 7);
		net.n = 0;
		net.hold = false;
		net_run(S);
		CHECK(both_pass());
		net_end();
	}
}

static void a_changed_cookie_is_refused_and_the_right_one_taken(void)
{
	struct dgram d, init;

	two_nodes();
	tunnel_free(b->t);
	b->cfg.handshake_rate = 1;
	net_open(1);
	net_know(1, 0, false, psk);
	tunnel_free(a->t);
	a->cfg.retry_min = a->cfg.retry_max = 1000 * S;
	net_open(0);
	net_know(0, 1, true, psk);
	net.hold = true;
	net_run(MS);
	CHECK(catch_message(INIT, &init));
	/* The only one of this second is used up by somebody's copy. */
	CHECK(net_give(b, &init.from, init.p, init.len) == TUNNEL_TAKEN);
	CHECK(net_give(b, &init.from, init.p, init.len) == TUNNEL_OVERLOAD);
	net_take(find_message(RESPONSE));
	CHECK(catch_message(COOKIE, &d));
	flip_all(&d);
	cut_all(&d);
	CHECK(find_message(INIT) < 0);
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	/* The same INIT, with the cookie; once. */
	CHECK(find_message(INIT) >= 0);
	CHECK(net_give(a, &d.from, d.p, d.len) == TUNNEL_NO_SESSION);
	net_end();
}

static void a_changed_part_of_a_frame_is_refused(void)
{
	uint8_t frame[4000], out[8192];
	struct tunnel_packet pk[8], in = { .data = frame, .len = 4000 };
	const struct tunnel_parts parts = { out, sizeof(out), pk, 8 };
	struct dgram d = { 0 };
	int n;

	two_connected();
	memset(frame, 9, sizeof(frame));
	n = tunnel_fragment(a->peer[1], &in, &parts, net.now);
	CHECK(n == 3);
	d.from = a->addr;
	d.to = b->addr;
	for (int i = 0; i < n; i++) {
		d.len = pk[i].len;
		memcpy(d.p, pk[i].data, d.len);
		flip_all(&d);
		CHECK(net_give(b, &d.from, d.p, d.len) == TUNNEL_TAKEN);
	}
	CHECK(b->frames == 1 && b->last_len == 4000);
	net_end();
}

static void other_types_and_versions_are_refused(void)
{
	uint8_t msg[200] = { 0 };

	two_connected();
	for (int type = 0; type < 256; type++) {
		if (type == INIT || type == RESPONSE || type == COOKIE)
			continue;
		msg[0] = (uint8_t)type;
		msg[1] = 1;
		CHECK(net_give(b, &a->addr, msg, sizeof(msg)) ==
		      TUNNEL_BAD_TYPE);
	}
	for (int type = INIT; type <= COOKIE; type++) {
		msg[0] = (uint8_t)type;
		msg[1] = 2;
		CHECK(net_give(b, &a->addr, msg, sizeof(msg)) ==
		      TUNNEL_BAD_TYPE);
	}
	CHECK(net.n == 0);
	net_end();
}

/* --- again, and out of order ---------------------------------------------- */

static void nothing_is_taken_twice(void)
{
	struct dgram seen[64];
	int n = 0;

	two_nodes();
	/* All that is said until frames have passed, noted as it passes. */
	while (net.now < 1001 * S) {
		net_run(MS);
		for (int i = 0; i < net.n && n < 64; i++)
			if (net.wire[i].due == net.now + net.delay)
				seen[n++] = net.wire[i];
		if (net.now == 1000 * S + 500 * MS)
			CHECK(net_frame_to(0, 1, 100, 1) == 1 &&
			      net_frame_to(1, 0, 100, 1) == 1);
	}
	CHECK(n >= 5 && a->frames == 1 && b->frames == 1);
	for (int round = 0; round < 3; round++) {
		net.hold = true;
		for (int i = 0; i < n; i++) {
			CHECK(net_give(net_at(&seen[i].to), &seen[i].from,
				       seen[i].p,
				       seen[i].len) >= TUNNEL_BAD_LENGTH);
			net.now += 30 * MS;
		}
		/* Nobody has an answer to it. */
		CHECK(net.n == 0);
		net.hold = false;
		net_run(S);
		CHECK(a->frames == 1 + (uint32_t)round &&
		      b->frames == 1 + (uint32_t)round);
		CHECK(both_up() && both_pass());
	}
	net_end();
}

static void thousands_may_come_in_any_order_and_each_once(void)
{
	enum {
		N = 4000
	};
	struct node *to = b;
	struct dgram d;

	two_connected();
	net.hold = true;
	for (int i = 0; i < N; i++)
		CHECK(net_frame_to(0, 1, 64, (uint8_t)i) == 1);
	CHECK(net.n == N);
	for (int i = 0; i < N; i++) {
		int at = (int)rng_below(&net.rng, (uint64_t)net.n);

		d = net.wire[at];
		net.wire[at] = net.wire[--net.n];
		CHECK(net_give(to, &d.from, d.p, d.len) == TUNNEL_TAKEN);
		CHECK(to->last[63] == to->last_meta.tos);
		CHECK(net_give(to, &d.from, d.p, d.len) == TUNNEL_REPLAYED);
	}
	CHECK(to->frames == N);
	net.hold = false;
	net_end();
}

static void what_is_sent_back_to_its_sender_is_refused(void)
{
	struct dgram d;
	int kinds = 0;

	two_nodes();
	for (int i = 0; i < 300; i++) {
		if (i == 100)
			net_frame_to(0, 1, 100, 1);
		if (i == 200)
			net_frame_to(1, 0, 100, 1);
		for (int k = 0; k < net.n; k++) {
			if (net.wire[k].due != net.now + net.delay)
				continue;
			d = net.wire[k];
			kinds++;
			CHECK(net_give(net_at(&d.from), &d.to, d.p, d.len) >=
			      TUNNEL_BAD_LENGTH);
		}
		net_run(MS);
	}
	CHECK(kinds >= 5 && both_up() && both_pass());
	net_end();
}

/* --- who is who ----------------------------------------------------------- */

static void a_frame_is_of_whose_key_it_has_not_of_whose_address(void)
{
	struct dgram d;

	two_nodes();
	net_open(2);
	net_know(1, 2, false, psk);
	net_know(2, 1, true, psk);
	net_run(S);
	net.hold = true;
	CHECK(net_frame_to(0, 1, 100, 5) == 1);
	CHECK(catch_message(DATA, &d));
	CHECK(net_give(b, &net.node[2].addr, d.p, d.len) == TUNNEL_TAKEN);
	CHECK(b->last_peer == b->peer[0]);
	/* Another session's number on it. */
	CHECK(net_frame_to(2, 1, 100, 6) == 1);
	memcpy(d.p + 4, net.wire[net.n - 1].p + 4, 4);
	CHECK(net_give(b, &net.node[2].addr, d.p, d.len) >= TUNNEL_BAD_LENGTH);
	net.hold = false;
	net_run(S);
	CHECK(passes(2, 1, 100, 1) && passes(0, 1, 100, 2));
	CHECK(passes(1, 0, 100, 3) && passes(1, 2, 100, 4));
	net_end();
}

static void a_wrong_pre_shared_key_gives_no_session(void)
{
	static const uint8_t other[32] = { 1, 2, 3, 5 };

	net_begin();
	net_open(0);
	net_open(1);
	net_know(1, 0, false, other);
	net_know(0, 1, true, psk);
	net_run(10 * S);
	CHECK(a->events[TUNNEL_UP] == 0 && b->events[TUNNEL_UP] == 0);
	CHECK(count_of(a, TUNNEL_BAD_HANDSHAKE) > 0);
	CHECK(net_frame_to(0, 1, 100, 1) == -ENOTCONN);
	CHECK(net_frame_to(1, 0, 100, 1) == -ENOTCONN);
	net_end();
}

static void unknown_clients_are_met_with_silence(void)
{
	net_begin();
	net_open(0);
	net_open(1);
	net_know(0, 1, true, psk);
	net_run(10 * S);
	CHECK(count_of(b, TUNNEL_UNKNOWN) >= 5);
	CHECK(b->events[TUNNEL_STRANGER] == count_of(b, TUNNEL_UNKNOWN));
	CHECK(net.sent == count_of(b, TUNNEL_UNKNOWN) ||
	      net.sent == count_of(b, TUNNEL_UNKNOWN) + 1);
	CHECK(a->events[TUNNEL_NO_ANSWER] >= 5);
	net_end();
}

static void who_has_a_wrong_key_of_the_server_is_met_with_silence(void)
{
	net_begin();
	net_open(0);
	net_open(1);
	net_open(2);
	net_know(1, 0, false, psk);
	/* It calls node 2's key at node 1's address. */
	net.node[2].addr = b->addr;
	net_know(0, 2, true, psk);
	tunnel_free(net.node[2].t);
	net.node[2].t = NULL;
	net_run(10 * S);
	CHECK(count_of(b, TUNNEL_BAD_MAC) >= 5);
	CHECK(count_of(b, TUNNEL_TAKEN) == 0);
	CHECK(count_of(a, TUNNEL_TAKEN) == 0 && rejected(a) == 0);
	net_end();
}

static void peers_are_added_once_and_only_if_they_can_be(void)
{
	struct tunnel_peer_config pc = { .key = NULL };
	struct tunnel_peer *p;
	uint8_t zero[32] = { 0 }, key[32] = { 1 };

	net_begin();
	a->cfg.max_peers = 2;
	net_open(0);
	pc.key = zero;
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == -EINVAL && !p);
	pc.key = a->pub;
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == -EINVAL);
	pc.key = key;
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == 0 && p);
	CHECK(tunnel_peer_find(a->t, key) == p);
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == -EEXIST);
	key[1]++;
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == 0);
	CHECK(tunnel_peer_del(p) == 0);
	CHECK(!tunnel_peer_find(a->t, key));
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == 0);
	key[1]++;
	CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == -ENOSPC);
	net_end();
}

static void settings_that_make_no_sense_are_refused(void)
{
	struct tunnel_config good, c;
	struct tunnel *t;

	net_begin();
	good = a->cfg;
#define REFUSED(change)                                     \
	do {                                                \
		c = good;                                   \
		c.change;                                   \
		CHECK(tunnel_new(&t, &c) == -EINVAL && !t); \
	} while (0)
	REFUSED(ops = NULL);
	REFUSED(key = NULL);
	REFUSED(ciphers = 0);
	REFUSED(ciphers = 4);
	REFUSED(max_peers = 0);
	REFUSED(datagram_max = 1199);
	REFUSED(datagram_max = 65508);
	REFUSED(frame_max = 13);
	REFUSED(partial_max = 0);
	REFUSED(reject_after = good.rekey_after);
	REFUSED(reject_packets = good.rekey_packets);
	REFUSED(retry_min = 0);
	REFUSED(dead_pings = 0);
	REFUSED(handshake_rate = 0);
#undef REFUSED
	net_end();
}

/* --- what is inside ------------------------------------------------------- */

static void frames_are_padded_when_asked(void)
{
	two_nodes();
	tunnel_free(a->t);
	a->cfg.pad = 256;
	net_open(0);
	net_know(0, 1, true, psk);
	net_run(S);
	for (size_t len = TUNNEL_FRAME_MIN; len <= 1436; len += 13) {
		size_t inner = (len + 4 + 255) / 256 * 256, last;

		net.hold = true;
		CHECK(net_frame_to(0, 1, len, (uint8_t)len) == 1);
		last = net.wire[net.n - 1].len;
		net.hold = false;
		CHECK(last == size_min(inner + 32, 1472));
		net_run(20 * MS);
		CHECK(b->last_len == len && b->last[len - 1] == (uint8_t)len);
	}
	net_end();
}

static void a_frame_that_does_not_fit_is_refused(void)
{
	struct tunnel_packet pk;
	uint8_t buf[2048];

	two_connected();
	CHECK(tunnel_room(a->peer[1]) == 1472 - TUNNEL_OVERHEAD);
	CHECK(passes(0, 1, tunnel_room(a->peer[1]), 1));
	CHECK(net_frame_to(0, 1, tunnel_room(a->peer[1]) + 1, 1) == -EMSGSIZE);
	CHECK(net_frame_to(0, 1, TUNNEL_FRAME_MIN - 1, 1) == -EMSGSIZE);
	pk = (struct tunnel_packet){ buf + TUNNEL_HEAD, 100, 15, 0 };
	CHECK(tunnel_seal(a->peer[1], &pk, 1, net.now) == -EMSGSIZE);
	CHECK(count_of(a, TUNNEL_TX_TOO_LONG) == 3);
	net_end();
}

static void a_batch_goes_as_far_as_it_can(void)
{
	static const size_t len[] = { 60, 60, 60, 40, 60, 70, 9000, 60 };
	struct tunnel_packet pk[8];
	static uint8_t buf[8][10240];

	two_connected();
	for (int i = 0; i < 8; i++)
		pk[i] = (struct tunnel_packet){ buf[i] + TUNNEL_HEAD,
						(uint32_t)len[i], 16, 0 };
	CHECK(tunnel_seal(a->peer[1], pk, 8, net.now) == 6);
	CHECK(pk[0].data == buf[0] && pk[0].len == 60 + TUNNEL_OVERHEAD);
	CHECK(pk[6].len == 9000);
	/* Three of one length and a shorter one; then one; then another. */
	CHECK(tunnel_run(pk, 6) == 4);
	CHECK(tunnel_run(pk + 4, 2) == 1);
	CHECK(tunnel_run(pk + 5, 1) == 1);
	pk[1].tos = 4;
	CHECK(tunnel_run(pk, 6) == 1);
	CHECK(tunnel_seal(a->peer[1], pk + 6, 2, net.now) == -EMSGSIZE);
	CHECK(tunnel_seal(a->peer[1], pk + 7, 1, net.now) == 1);
	net_end();
}

static int cut_frame(size_t len, struct tunnel_packet *pk, uint8_t *out,
		     size_t size)
{
	static uint8_t frame[BUF_MAX];
	const struct tunnel_packet in = { .data = frame,
					  .len = (uint32_t)len,
					  .tos = 3 };
	const struct tunnel_parts parts = { out, size, pk, 16 };

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	return tunnel_fragment(a->peer[1], &in, &parts, net.now);
}

static bool whole(size_t len)
{
	if (b->last_len != len || b->last_meta.tos != 3)
		return false;
	for (size_t i = 0; i < len; i++)
		if (b->last[i] != (uint8_t)(i * 7 + i / 256))
			return false;
	return true;
}

static void long_frames_go_in_parts_of_one_length(void)
{
	static uint8_t out[16384];
	struct tunnel_packet pk[16];
	uint32_t frames = 0;
	int n, order[16];

	two_connected();
	for (size_t len = 1437; len <= 9234; len += 211) {
		n = cut_frame(len, pk, out, sizeof(out));
		CHECK(n == (int)((len + 1423) / 1424));
		CHECK(tunnel_run(pk, n) == n);
		for (int i = 0; i < n; i++) {
			order[i] = i;
			CHECK(pk[i].data == out + (size_t)i * 1472);
			CHECK(pk[i].len == 1472 || i == n - 1);
		}
		for (int i = n - 1; i > 0; i--) {
			int k = (int)rng_below(&net.rng, (uint64_t)i + 1);
			int v = order[i];

			order[i] = order[k];
			order[k] = v;
		}
		for (int i = 0; i < n; i++)
			CHECK(net_give(b, &a->addr, pk[order[i]].data,
				       pk[order[i]].len) == TUNNEL_TAKEN);
		CHECK(b->frames == ++frames && whole(len));
	}
	CHECK(cut_frame(9235, pk, out, sizeof(out)) == -EMSGSIZE);
	CHECK(cut_frame(1000, pk, out, sizeof(out)) == -EMSGSIZE);
	CHECK(cut_frame(9000, pk, out, 1000) == -EMSGSIZE);
	CHECK(rejected(b) == 0);
	net_end();
}

static void a_lost_part_costs_its_frame_and_no_other(void)
{
	static uint8_t out[16384];
	struct tunnel_packet pk[16];
	int n;

	two_connected();
	for (int i = 0; i < 500; i++) {
		n = cut_frame(5000, pk, out, sizeof(out));
		for (int k = 0; k < n; k++)
			if (i % 2 || k != i / 2 % n)
				net_give(b, &a->addr, pk[k].data, pk[k].len);
		CHECK(b->frames == (uint32_t)(i + 1) / 2);
	}
	/* As many as may wait still do, but one: the last whole one has used
	 * its place. */
	CHECK(count_of(b, TUNNEL_INCOMPLETE) == 250 - 63);
	CHECK(both_pass());
	tunnel_peer_del(b->peer[0]);
	CHECK(count_of(b, TUNNEL_INCOMPLETE) == 250);
	net_end();
}

static void parts_of_two_sessions_are_not_mixed(void)
{
	static uint8_t out[16384];
	struct tunnel_packet pk[16];
	int n;

	two_connected();
	n = cut_frame(5000, pk, out, sizeof(out));
	for (int i = 1; i < n; i++)
		net_give(b, &a->addr, pk[i].data, pk[i].len);
	/* It restarts, and counts its frames from the beginning. */
	a->cfg.stamp_base += 10 * S;
	tunnel_free(a->t);
	net_open(0);
	net_know(0, 1, true, psk);
	net_run(S);
	n = cut_frame(6000, pk, out, sizeof(out));
	for (int i = 0; i < n; i++)
		CHECK(net_give(b, &a->addr, pk[i].data, pk[i].len) ==
		      TUNNEL_TAKEN);
	CHECK(b->frames == 1 && whole(6000));
	net_end();
}

/* What node 0 says in an authentic message, whatever it is. */
static enum tunnel_count says(const uint8_t *plain, size_t len)
{
	uint8_t msg[512];

	memcpy(msg + 16, plain, len);
	tun_session_seal(a->peer[1], msg, len);
	return net_give(b, &a->addr, msg, 16 + len + 16);
}

static void what_makes_no_sense_inside_is_counted_and_nothing_else(void)
{
	static const struct {
		uint8_t p[32];
		size_t len;
		enum tunnel_count want;
	} row[] = {
		{ { 0 }, 4, TUNNEL_BAD_MESSAGE },
		{ { 7, 0, 0, 4 }, 8, TUNNEL_BAD_MESSAGE },
		{ { 255, 0, 0, 4 }, 8, TUNNEL_BAD_MESSAGE },
		/* A frame: too short, or not all there. */
		{ { 1, 0, 0, 0 }, 4, TUNNEL_BAD_MESSAGE },
		{ { 1, 0, 0, 13 }, 32, TUNNEL_BAD_MESSAGE },
		{ { 1, 0, 0, 14 }, 18, TUNNEL_TAKEN },
		{ { 1, 0, 0, 14 }, 17, TUNNEL_BAD_MESSAGE },
		{ { 1, 0, 0, 29 }, 32, TUNNEL_BAD_MESSAGE },
		{ { 1, 0, 255, 255 }, 32, TUNNEL_BAD_MESSAGE },
		/* Pings and probes have four bytes. */
		{ { 3, 0, 0, 4 }, 8, TUNNEL_TAKEN },
		{ { 3, 0, 0, 4 }, 7, TUNNEL_BAD_MESSAGE },
		{ { 3, 0, 0, 3 }, 8, TUNNEL_BAD_MESSAGE },
		{ { 4, 0, 0, 5 }, 9, TUNNEL_BAD_MESSAGE },
		{ { 4, 0, 0, 4, 9, 9, 9, 9 }, 8, TUNNEL_TAKEN },
		{ { 6, 0, 0, 4, 9, 9, 9, 9 }, 8, TUNNEL_TAKEN },
		{ { 6, 0, 0, 4 }, 4, TUNNEL_BAD_MESSAGE },
	};
	uint32_t frames;

	two_connected();
	frames = b->frames;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		enum tunnel_count what = says(row[i].p, row[i].len);

		if (what != row[i].want) {
			printf("# row %zu: %s\n", i, tunnel_count_name(what));
			test_failed = 1;
		}
	}
	CHECK(b->frames == frames + 1);
	net_run(S);
	CHECK(both_up() && both_pass());
	net_end();
}

struct strange {
	uint8_t len, id, number, count;
	uint16_t total;
	enum tunnel_count want;
};

static enum tunnel_count says_part(const struct strange *r)
{
	uint8_t p[16 + 256] = { 2, 0, 0, r->len };

	p[7] = r->id;
	p[10] = (uint8_t)(r->total >> 8);
	p[11] = (uint8_t)r->total;
	p[13] = r->number;
	p[15] = r->count;
	return says(p, 16 + (size_t)r->len);
}

static void parts_that_contradict_each_other_are_no_frame(void)
{
	static const struct strange row[] = {
		{ 0, 1, 0, 2, 100, TUNNEL_BAD_FRAGMENT },
		{ 50, 1, 0, 0, 100, TUNNEL_BAD_FRAGMENT },
		{ 50, 1, 0, 1, 50, TUNNEL_BAD_FRAGMENT },
		{ 50, 1, 2, 2, 100, TUNNEL_BAD_FRAGMENT },
		{ 50, 1, 0, 2, 9235, TUNNEL_BAD_FRAGMENT },
		{ 50, 1, 0, 2, 65535, TUNNEL_BAD_FRAGMENT },
		/* The last one alone is longer than all. */
		{ 101, 1, 1, 2, 100, TUNNEL_BAD_FRAGMENT },
		{ 100, 1, 1, 2, 100, TUNNEL_BAD_FRAGMENT },
		/* Beyond the end. */
		{ 50, 2, 3, 5, 180, TUNNEL_BAD_FRAGMENT },
		{ 101, 2, 0, 2, 100, TUNNEL_BAD_FRAGMENT },
		/* Twice, then what is left is another frame's. */
		{ 50, 3, 0, 2, 100, TUNNEL_TAKEN },
		{ 50, 3, 0, 2, 100, TUNNEL_BAD_FRAGMENT },
		/* Of another length, number, count. */
		{ 50, 4, 0, 3, 120, TUNNEL_TAKEN },
		{ 40, 4, 1, 3, 120, TUNNEL_BAD_FRAGMENT },
		{ 50, 5, 0, 3, 120, TUNNEL_TAKEN },
		{ 50, 5, 1, 3, 121, TUNNEL_BAD_FRAGMENT },
		{ 50, 6, 0, 3, 120, TUNNEL_TAKEN },
		{ 50, 6, 1, 4, 120, TUNNEL_BAD_FRAGMENT },
		/* A last one that leaves a hole, in either order. */
		{ 50, 7, 0, 2, 120, TUNNEL_TAKEN },
		{ 50, 7, 1, 2, 120, TUNNEL_BAD_FRAGMENT },
		{ 50, 8, 1, 2, 120, TUNNEL_TAKEN },
		{ 50, 8, 0, 2, 120, TUNNEL_BAD_FRAGMENT },
		/* One that is shorter than a frame may be. */
		{ 6, 9, 0, 2, 12, TUNNEL_TAKEN },
		{ 6, 9, 1, 2, 12, TUNNEL_BAD_MESSAGE },
		/* And a good one. */
		{ 50, 9, 0, 2, 100, TUNNEL_TAKEN },
		{ 50, 9, 1, 2, 100, TUNNEL_TAKEN },
	};
	uint8_t cut[15] = { 2 };

	two_connected();
	CHECK(says(cut, sizeof(cut)) == TUNNEL_BAD_FRAGMENT);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		enum tunnel_count what = says_part(&row[i]);

		if (what != row[i].want) {
			printf("# row %zu: %s\n", i, tunnel_count_name(what));
			test_failed = 1;
		}
		CHECK(b->frames == (i == ARRAY_SIZE(row) - 1));
	}
	CHECK(b->last_len == 100);
	net_end();
}

/* A callback may not pull the floor away. */
static int rc_inside[4];

static void meddling(void *ctx, struct tunnel_peer *peer, uint8_t *frame,
		     size_t len, const struct tunnel_meta *meta)
{
	struct tunnel_peer_config pc = { .key = net.node[3].pub };
	struct tunnel_peer *p;

	net_frame(ctx, peer, frame, len, meta);
	rc_inside[0] = tunnel_peer_del(peer);
	rc_inside[1] = tunnel_peer_add(b->t, &pc, net.now, &p);
	rc_inside[2] = tunnel_peer_hang_up(peer, net.now);
	rc_inside[3] = tunnel_peer_call(peer, &a->addr, net.now);
}

static void callbacks_cannot_change_peers(void)
{
	struct tunnel_ops ops = net_ops;

	two_nodes();
	tunnel_free(b->t);
	ops.frame = meddling;
	b->cfg.ops = &ops;
	net_open(1);
	net_know(1, 0, false, psk);
	net_run(2 * S);
	CHECK(passes(0, 1, 100, 1));
	for (int i = 0; i < 4; i++)
		CHECK(rc_inside[i] == -EBUSY);
	CHECK(tunnel_peer_del(b->peer[0]) == 0);
	net_end();
}

/* --- memory --------------------------------------------------------------- */

static size_t had, dirty, most;

static void *watched_alloc(size_t size)
{
	uint8_t *p = aligned_alloc(64, size + 64);

	if (!p)
		return NULL;
	CHECK(size % 64 == 0);
	memset(p, 0, size + 64);
	memcpy(p, &size, sizeof(size));
	had += size;
	most = had > most ? had : most;
	return p + 64;
}

static void watched_free(void *q)
{
	uint8_t *p = q;
	size_t size;

	memcpy(&size, p - 64, sizeof(size));
	for (size_t i = 0; i < size; i++)
		dirty += p[i] != 0;
	had -= size;
	free(p - 64);
}

static void memory_of_keys_is_wiped_before_it_is_given_back(void)
{
	had = dirty = most = 0;
	two_nodes();
	for (int i = 0; i < 2; i++) {
		tunnel_free(net.node[i].t);
		net.node[i].cfg.alloc = watched_alloc;
		net.node[i].cfg.free = watched_free;
		net_open(i);
	}
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
	net_run(200 * S);
	CHECK(both_up() && both_pass());
	net_end();
	CHECK(had == 0 && dirty == 0 && most > 10000);
}

static void it_may_live_in_guarded_memory(void)
{
	two_nodes();
	for (int i = 0; i < 2; i++) {
		tunnel_free(net.node[i].t);
		net.node[i].cfg.alloc = sodium_malloc;
		net.node[i].cfg.free = sodium_free;
		net_open(i);
	}
	net_know(1, 0, false, psk);
	net_know(0, 1, true, psk);
	net_run(S);
	CHECK(both_up() && both_pass());
	net_end();
}

static void a_peer_takes_less_than_ten_kilobytes(void)
{
	struct tunnel_peer_config pc = { .active = false };
	struct tunnel_peer *p;
	uint8_t key[32] = { 0 };
	size_t before;

	had = dirty = most = 0;
	net_begin();
	a->cfg.alloc = watched_alloc;
	a->cfg.free = watched_free;
	net_open(0);
	before = had;
	pc.key = key;
	for (int i = 0; i < 1000; i++) {
		key[0] = (uint8_t)i;
		key[1] = (uint8_t)(1 + i / 256);
		CHECK(tunnel_peer_add(a->t, &pc, net.now, &p) == 0);
	}
	printf("# 1000 peers: %zu bytes, and %zu for all\n", had - before,
	       before);
	CHECK(had - before < 10000000);
	net_end();
	CHECK(had == 0 && dirty == 0);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(frames_pass_in_both_directions);
	RUN(the_best_cipher_that_both_have_is_taken);
	RUN(no_cipher_in_common_is_said_on_both_sides);
	run_stranger();
	RUN(a_changed_init_is_refused_and_the_right_one_taken);
	RUN(a_changed_response_is_refused_and_the_right_one_taken);
	RUN(a_changed_message_with_a_new_mac_is_refused);
	RUN(a_changed_frame_is_refused_and_the_right_one_taken);
	RUN(a_changed_cookie_is_refused_and_the_right_one_taken);
	RUN(a_changed_part_of_a_frame_is_refused);
	RUN(other_types_and_versions_are_refused);
	RUN(nothing_is_taken_twice);
	RUN(thousands_may_come_in_any_order_and_each_once);
	RUN(what_is_sent_back_to_its_sender_is_refused);
	RUN(a_frame_is_of_whose_key_it_has_not_of_whose_address);
	RUN(a_wrong_pre_shared_key_gives_no_session);
	RUN(unknown_clients_are_met_with_silence);
	RUN(who_has_a_wrong_key_of_the_server_is_met_with_silence);
	RUN(peers_are_added_once_and_only_if_they_can_be);
	RUN(settings_that_make_no_sense_are_refused);
	RUN(frames_are_padded_when_asked);
	RUN(a_frame_that_does_not_fit_is_refused);
	RUN(a_batch_goes_as_far_as_it_can);
	RUN(long_frames_go_in_parts_of_one_length);
	RUN(a_lost_part_costs_its_frame_and_no_other);
	RUN(parts_of_two_sessions_are_not_mixed);
	RUN(what_makes_no_sense_inside_is_counted_and_nothing_else);
	RUN(parts_that_contradict_each_other_are_no_frame);
	RUN(callbacks_cannot_change_peers);
	RUN(memory_of_keys_is_wiped_before_it_is_given_back);
	RUN(it_may_live_in_guarded_memory);
	RUN(a_peer_takes_less_than_ten_kilobytes);
	DONE();
}
