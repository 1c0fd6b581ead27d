/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invitations: a text that is one is that invitation's text, letter by letter.
 * As no fuzzer finds a checksum, the first byte may ask for it to be made.
 */
#include <sodium.h>
#include <string.h>

#include "cryptcab/invite.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* @data with prefix, checksum and base64 around it. */
static void wrap(char *text, size_t room, const uint8_t *data, size_t size)
{
	uint8_t bytes[2200 + 5], hash[32];

	memcpy(bytes, "vde1-", 5);
	memcpy(bytes + 5, data, size);
	crypto_generichash_blake2b(hash, sizeof(hash), bytes, 5 + size, NULL,
				   0);
	memcpy(bytes + 5 + size, hash, 4);
	memcpy(text, "vde1-", 5);
	sodium_bin2base64(text + 5, room - 5, bytes + 5, size + 4,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input fuzz = { data, size };
	char text[3200], again[INVITE_SIZE], reason[200];
	struct strbuf why;
	struct invite in;
	bool made = take(&fuzz) & 1;

	if (fuzz.left > 2190)
		return 0;
	if (made) {
		wrap(text, sizeof(text), fuzz.p, fuzz.left);
	} else {
		memcpy(text, fuzz.p, fuzz.left);
		text[fuzz.left] = '\0';
	}
	strbuf_init(&why, reason, sizeof(reason));
	if (invite_parse(&in, text, &why)) {
		must(why.len > 0 && !why.cut);
		must(sodium_is_zero((const uint8_t *)&in, sizeof(in)));
		return 0;
	}
	must(!why.len);
	must(!invite_write(again, &in));
	must(!strncmp(again, text, strlen(again)));
	must(!text[strlen(again)] || !strcmp(text + strlen(again), "\n"));
	return 0;
}
