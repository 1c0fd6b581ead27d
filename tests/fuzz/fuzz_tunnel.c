/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_tunnel - two tunnels, and an input that is the wire between them
 *
 * It says what is delivered, in which order, how often, to whom, from which
 * address, changed where, and when; all that was said lies there to be used.
 * A frame may get lost; what comes out is what went in, and each at most once.
 */
#include "tunnel_pair.h"

#define TURNS 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sealed[2];

static void send_frame(int from, size_t len)
{
	uint8_t buf[TUNNEL_HEAD + 4000 + 256], out[6000];
	struct tunnel_packet pk[8],
		one = { buf + TUNNEL_HEAD, (uint32_t)len, 256, (uint8_t)len };
	const struct tunnel_parts parts = { out, sizeof(out), pk, 8 };
	struct tunnel_peer *p = pair.side[from].peer;
	int n;

	for (size_t i = 0; i < len; i++)
		one.data[i] = (uint8_t)(from + len + i * 3);
	if (len > tunnel_room(p)) {
		n = tunnel_fragment(p, &one, &parts, pair.now);
	} else {
		n = tunnel_seal(p, &one, 1, pair.now);
		pk[0] = one;
	}
	must(n <= 8);
	sealed[from] += n > 0;
	for (int i = 0; i < n; i++)
		pair_say(from, pk[i].data, pk[i].len);
}

/* Something that was said, to somebody, from somewhere, maybe changed. */
static void deliver(struct input *in, bool change)
{
	int n = pair.n < SAID_MAX ? pair.n : SAID_MAX, at;
	struct tunnel_addr from;
	uint8_t copy[SAID_LEN];
	uint32_t how;
	size_t len;
	int to;

	if (!n)
		return;
	/* The last ones are the most interesting. */
	at = (pair.n - 1 - (int)(take(in) % (uint32_t)n)) % SAID_MAX;
	how = take(in);
	to = how & 1 ? pair.said[at].from : !pair.said[at].from;
	from = pair.side[!to].addr;
	if (how & 2)
		from.b[1] = (uint8_t)(how >> 4);
	len = pair.said[at].len;
	memcpy(copy, pair.said[at].p, len);
	if (change && len) {
		copy[take16(in) % len] ^= (uint8_t)(1 + take(in) % 255);
		if (how & 4)
			len = take16(in) % len;
	}
	pair_give(to, &from, copy, len);
}

static void raw(struct input *in)
{
	static const uint8_t type[] = { MSG_INIT, MSG_RESPONSE, MSG_COOKIE,
					MSG_DATA };
	static const size_t lens[] = { INIT_LEN, RESPONSE_LEN, COOKIE_LEN, 64 };
	uint32_t kind = take(in);
	uint8_t msg[INIT_LEN];
	size_t len = lens[kind % 4];

	for (size_t i = 0; i < len; i++)
		msg[i] = (uint8_t)take(in);
	msg[0] = type[kind % 4];
	pair_give(kind >> 7, &pair.side[0].addr, msg, len);
}

static void turn(struct input *in)
{
	static const uint64_t ns[] = { MSEC,	 30 * MSEC, 300 * MSEC, SEC,
				       10 * SEC, 60 * SEC,  200 * SEC };
	uint32_t op = take(in);

	switch (op % 8) {
	case 0:
	case 1:
		deliver(in, false);
		break;
	case 2:
		deliver(in, true);
		break;
	case 3:
		send_frame(op >> 7, 14 + take16(in) % 3900);
		break;
	case 4:
		pair_tick(ns[take(in) % ARRAY_SIZE(ns)]);
		break;
	case 5:
		raw(in);
		break;
	case 6:
		tunnel_peer_too_long(pair.side[op >> 7].peer, take16(in),
				     pair.now);
		break;
	default:
		if (op & 0x40)
			tunnel_peer_doubt(pair.side[op >> 7].peer, pair.now);
		else
			pair_talk();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	sealed[0] = sealed[1] = 0;
	pair_begin(take(&in));
	for (int i = 0; i < TURNS && in.left; i++)
		turn(&in);
	must(pair.side[1].frames <= sealed[0]);
	must(pair.side[0].frames <= sealed[1]);
	pair_end();
	return 0;
}
