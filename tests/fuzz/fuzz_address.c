/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses: what is one is written as one, and has no character that ssh or
 * a terminal could take for something else.
 */
#include <string.h>

#include "cryptcab/address.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void harmless(const char *s)
{
	must(*s != '-');
	for (; *s; s++)
		must(*s > ' ' && *s <= '~' &&
		     !strchr("'\"\\$`;&|<>()*?!#", *s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[600], reason[200], user[ADDRESS_USER_SIZE], s[ADDRESS_SIZE];
	struct address a, b;
	struct strbuf why;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	strbuf_init(&why, reason, sizeof(reason));
	if (!address_parse_target(&a, user, text, ADDRESS_PORT, &why)) {
		must(why.len > 0 && !why.cut);
		return 0;
	}
	must(!why.len && a.port && *a.host);
	harmless(user);
	harmless(a.host);
	must(address_parse(&b, address_write(s, &a), 0, &why));
	must(address_equal(&a, &b));
	return 0;
}
