/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key files: a text that is a key is that key's text; what is refused leaves
 * zeros or nothing; a pre-shared key is taken from all of the right length.
 */
#include <sodium.h>
#include <string.h>

#include "cryptcab/keyfile.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[KEY64_BYTES], psk[KEY64_BYTES];
	const char *text = (const char *)data;
	char reason[200], again[KEY64_SIZE];
	struct strbuf why;
	bool is_key;

	strbuf_init(&why, reason, sizeof(reason));
	is_key = !keyfile_parse(key, text, size, &why);
	must(is_key == !why.len && !why.cut);
	if (is_key) {
		must(size == KEY64_LEN ||
		     (size == KEY64_SIZE && text[KEY64_LEN] == '\n'));
		must(!memcmp(key64_write(again, key), text, KEY64_LEN));
	} else {
		must(sodium_is_zero(key, sizeof(key)));
	}
	strbuf_init(&why, reason, sizeof(reason));
	if (keyfile_parse_psk(psk, text, size, &why)) {
		must(why.len > 0 && !is_key);
		return 0;
	}
	must(is_key == !memcmp(psk, key, sizeof(psk)));
	must(is_key || (size >= KEYFILE_PSK_MIN && size <= KEYFILE_PSK_MAX));
	return 0;
}
