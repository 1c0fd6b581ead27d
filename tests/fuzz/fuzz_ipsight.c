// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of anybody, for their sender's IP address; and a table that they
 * fill. What is seen in a part of a frame is seen in the whole of it, and is
 * in it byte for byte.
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/iptable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRIES 16

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void check_sight(const struct ipsight *s, const uint8_t *data,
			size_t size)
{
	struct ipsight whole;

	expect(s->addr.len == 4 || s->addr.len == 16);
	expect(memmem(data, size, s->addr.bytes, s->addr.len) != NULL);
	expect(s->mac >> 48 == 0);
	expect(ipsight_parse(&whole, data, size));
	expect(ipaddr_equal(&whole.addr, &s->addr) && whole.mac == s->mac);
}

static uint32_t count(const struct iptable *t)
{
	uint64_t at = 0;
	uint32_t n = 0;

	while (iptable_next(t, &at))
		n++;
	return n;
}

static bool any(void *ctx, const struct ipentry *e)
{
	return true;
}

/* Every part of the frame is one from some port. The table is big, and empty
 * at first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t key[2] = { 1, 2 };
	static struct iptable *t;

	if (!t)
		t = iptable_new(ENTRIES, key);
	expect(t != NULL);
	iptable_forget_if(t, any, NULL);
	for (size_t n = 0; n <= size && n <= 200; n++) {
		struct ipsight s = { 0 };
		struct ipentry *e;
		unsigned int port = (unsigned int)(n & 3);
		/* Exactly so long, for the sanitizer. */
		uint8_t *part = malloc(n ? n : 1);

		expect(part != NULL);
		memcpy(part, data, n);
		if (ipsight_parse(&s, part, n)) {
			check_sight(&s, data, size);
			s.addr.bytes[0] ^= (uint8_t)n;
			if (iptable_see(t, &s, 0, port, (uint32_t)n, &e) ==
			    IPTABLE_UNKNOWN)
				e = iptable_add(t, &s, 0, port, (uint32_t)n);
			expect(e->port == port && e->seen_s == n);
		}
		free(part);
		if (n % 16 == 15)
			iptable_expire(t, (uint32_t)n, 8);
		expect(iptable_used(t) == count(t));
		expect(iptable_used(t) <= ENTRIES);
	}
	return 0;
}
