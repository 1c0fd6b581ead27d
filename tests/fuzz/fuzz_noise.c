/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_noise - handshakes of any pattern whose messages are changed
 *
 * The input names a protocol, keys and what happens to each message. If both
 * sides get to the end, they agree on the transcript and on the keys.
 */
#include <stdio.h>
#include <string.h>

#include "cryptcab/noise.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const patterns[] = { "NN",	  "IK",	    "XX",
					"NNpsk0", "IKpsk2", "XXpsk3" };
static const char *const hashes[] = { "BLAKE2b", "SHA256", "SHA512" };

static bool begin(struct noise ns[static 2], struct input *in)
{
	uint32_t what = take16(in);
	uint8_t key[2][32], pub[32], psk[32];
	char name[64];

	snprintf(name, sizeof(name), "Noise_%s_25519_%s_%s", patterns[what % 6],
		 what & 64 ? "AESGCM" : "ChaChaPoly", hashes[what / 6 % 3]);
	memset(psk, (int)take(in), sizeof(psk));
	for (int i = 0; i < 2; i++)
		memset(key[i], (int)(1 + take(in) % 255), sizeof(key[i]));
	must(noise_public(pub, key[1]));
	for (int i = 0; i < 2; i++) {
		const struct noise_params pr = {
			.name = name,
			.initiator = i == 0,
			.prologue = psk,
			.prologue_len = what % 30,
			.s = key[i],
			.rs = i == 0 && (what % 6 == 1 || what % 6 == 4) ? pub
									 : NULL,
			.psk = psk,
		};

		if (noise_init(&ns[i], &pr) < 0)
			return false;
		memset(key[i], (int)(1 + take(in) % 255), 32);
		noise_set_ephemeral(&ns[i], key[i]);
	}
	return true;
}

static void agree(const struct noise ns[static 2])
{
	uint8_t h[2][NOISE_HASH_MAX], k[4][AEAD_KEY_LEN];
	size_t len = noise_transcript(&ns[0], h[0]);

	must(len == noise_transcript(&ns[1], h[1]));
	must(memcmp(h[0], h[1], len) == 0);
	noise_split(&ns[0], k[0], k[1]);
	noise_split(&ns[1], k[2], k[3]);
	must(memcmp(k[0], k[3], sizeof(k[0])) == 0);
	must(memcmp(k[1], k[2], sizeof(k[1])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t text[40], msg[256], back[256];
	struct input in = { data, size };
	struct noise ns[2];

	must(sodium_init() >= 0);
	if (!begin(ns, &in))
		return 0;
	for (int i = 0; i < 8 && !noise_done(&ns[i % 2]); i++) {
		int w = ns[0].turn % 2, len, changed = 0, got;
		size_t n = take(&in) % sizeof(text);

		memset(text, (int)n, n);
		len = noise_write(&ns[w], text, n, msg, sizeof(msg));
		must(len > 0);
		while (take(&in) & 1) {
			uint8_t x = (uint8_t)take(&in);

			msg[take(&in) % (uint32_t)len] ^= x;
			changed = 1;
		}
		if (take(&in) & 1)
			len = (int)(take16(&in) % (uint32_t)(len + 1));
		got = noise_read(&ns[!w], msg, (size_t)len, back, sizeof(back));
		/* What was refused leaves the reader behind the writer. */
		if (got < 0)
			return 0;
		if (!changed && got == (int)n)
			must(memcmp(back, text, n) == 0);
	}
	if (noise_done(&ns[0]) && noise_done(&ns[1]))
		agree(ns);
	return 0;
}
