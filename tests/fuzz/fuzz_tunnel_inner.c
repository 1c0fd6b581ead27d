/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_tunnel_inner - a peer with the right keys and bad intentions
 *
 * The input is what it says inside of authentic messages: plaintext of DATA,
 * of any length, under the keys of the session, and payloads of INIT. Nothing
 * but frames of lawful lengths may come out, and the tunnel must live on.
 */
#include "tunnel_pair.h"

#define TURNS 200
#define CALLS 3 /* they take most of the time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Plaintext of the input, under the keys of node 0. */
static void say_inner(struct input *in)
{
	struct tunnel_peer *p = pair.side[0].peer;
	uint8_t msg[DATA_HEAD + 256 + AEAD_TAG_LEN];
	size_t len = take(in), given, i;

	if (!tun_session_usable(p, p->cur))
		return;
	given = take(in) % (len + 1);
	for (i = 0; i < len; i++)
		msg[DATA_HEAD + i] = i < given ? (uint8_t)take(in) : 0;
	tun_session_seal(p, msg, len);
	pair_give(1, &pair.side[0].addr, msg, DATA_HEAD + len + AEAD_TAG_LEN);
}

/* A part of a frame, of which only the numbers are strange. */
static void say_part(struct input *in)
{
	struct tunnel_peer *p = pair.side[0].peer;
	uint8_t msg[DATA_HEAD + FRAGMENT_HEAD + 256 + AEAD_TAG_LEN] = { 0 };
	uint8_t *at = msg + DATA_HEAD;
	size_t len = take(in);

	if (!tun_session_usable(p, p->cur))
		return;
	at[0] = IN_FRAGMENT;
	at[3] = (uint8_t)len;
	at[7] = (uint8_t)(take(in) % 8);
	tun_put_be32(at + 8, take16(in));
	at[13] = (uint8_t)take(in);
	at[15] = (uint8_t)take(in);
	tun_session_seal(p, msg, FRAGMENT_HEAD + len);
	pair_give(1, &pair.side[0].addr, msg,
		  DATA_HEAD + FRAGMENT_HEAD + len + AEAD_TAG_LEN);
}

/* An INIT or a RESPONSE, right in all but its payload. */
static void say_payload(struct input *in)
{
	static const char name[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b";
	uint8_t msg[INIT_LEN] = { MSG_INIT, VERSION }, payload[PAYLOAD_LEN];
	uint8_t prologue[20] = "vde_cryptcab", zero[32] = { 0 }, e[32];
	const struct noise_params pr = {
		.name = name,
		.initiator = true,
		.prologue = prologue,
		.prologue_len = sizeof(prologue),
		.s = pair.side[0].key,
		.rs = pair.side[1].pub,
		.psk = zero,
	};
	struct noise ns;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)take(in);
	tun_put_be32(msg + 4, take32(in));
	memcpy(prologue + 12, msg, INIT_HEAD);
	memset(e, (int)(1 + take(in) % 255), sizeof(e));
	must(noise_init(&ns, &pr) == 0);
	noise_set_ephemeral(&ns, e);
	must(noise_write(&ns, payload, sizeof(payload), msg + INIT_HEAD,
			 INIT_LEN - INIT_HEAD) > 0);
	tun_guard_sign(pair.side[0].peer, msg, INIT_LEN, 0);
	pair_give(1, &pair.side[0].addr, msg, INIT_LEN);
	noise_fini(&ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int calls = 0;

	pair_begin(take(&in) & 3);
	pair.any_frame = true;
	pair_talk();
	for (int i = 0; i < TURNS && in.left; i++) {
		switch (take(&in) % 8) {
		case 0:
		case 1:
		case 2:
			say_inner(&in);
			break;
		case 3:
		case 4:
			say_part(&in);
			break;
		case 5:
			if (calls++ < CALLS)
				say_payload(&in);
			break;
		case 6:
			pair_tick(take16(&in) * 10 * MSEC);
			break;
		default:
			pair_talk();
			break;
		}
	}
	pair_end();
	return 0;
}
