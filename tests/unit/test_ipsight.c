// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/ipsight.h"

#include <string.h>

#include "../unit/test.h"

#define MACS "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0a"
#define IP4(first, addr) first "\0\0\x1c\0\0\0\0\x40\x11\0\0" addr "\x0a\0\0\2"
#define IP6(first, addr) first "\0\0\0\0\x08\x11\x40" addr SIXTEEN
#define SIXTEEN "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define DB8 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define ARP(op, addr) \
	"\0\1\x08\0\6\4\0" op "\2\0\0\0\0\x0b" addr "\0\0\0\0\0\0\x0a\0\0\1"

static struct ipsight got;

/* How many of the bytes are needed to see an address; 0: there is none. */
static size_t needs(const char *bytes, size_t len)
{
	uint8_t copy[128];
	size_t n = len;

	memcpy(copy, bytes, len);
	while (n && ipsight_parse(&got, copy, n))
		n--;
	for (size_t i = 0; i < n; i++)
		CHECK(!ipsight_parse(&got, copy, i));
	return ipsight_parse(&got, copy, len) ? n + 1 : 0;
}
#define NEEDS(bytes) needs(bytes, sizeof(bytes) - 1)

static bool is(const char *addr, size_t len)
{
	return got.addr.len == len && !memcmp(got.addr.bytes, addr, len) &&
	       got.mac == 0x02000000000a;
}

static void the_sender_of_ip_is_seen(void)
{
	CHECK(NEEDS(MACS "\x08\0" IP4("\x45", "\x0a\0\0\1")) == 14 + 20);
	CHECK(is("\x0a\0\0\1", 4));
	CHECK(NEEDS(MACS "\x86\xdd" IP6("\x60", DB8)) == 14 + 40);
	CHECK(is(DB8, 16));
	CHECK(NEEDS(MACS "\x86\xdd" IP6("\x6f", DB8)) == 14 + 40);
}

static void options_must_be_there(void)
{
	CHECK(NEEDS(MACS "\x08\0" IP4("\x47", "\x0a\0\0\1") "12345678") ==
	      14 + 28);
	CHECK(NEEDS(MACS "\x08\0" IP4("\x47", "\x0a\0\0\1") "1234567") == 0);
}

static void the_sender_of_arp_is_seen(void)
{
	CHECK(NEEDS(MACS "\x08\6" ARP("\1", "\x0a\0\0\1")) == 14 + 28);
	CHECK(is("\x0a\0\0\1", 4));
	CHECK(NEEDS(MACS "\x08\6" ARP("\2", "\x0a\0\0\3")) == 14 + 28);
	CHECK(is("\x0a\0\0\3", 4));
	CHECK(!NEEDS(MACS "\x08\6" ARP("\1", "\0\0\0\0"))); /* a probe */
	CHECK(!NEEDS(MACS "\x08\6\0\2\x08\0\6\4\0\1ABCDEFabcdABCDEFabcd"));
	CHECK(!NEEDS(MACS "\x08\6\0\1\x86\xdd\6\4\0\1ABCDEFabcdABCDEFabcd"));
	CHECK(!NEEDS(MACS "\x08\6\0\1\x08\0\7\4\0\1ABCDEFabcdABCDEFabcd"));
	CHECK(!NEEDS(MACS "\x08\6\0\1\x08\0\6\5\0\1ABCDEFabcdABCDEFabcd"));
}

static void two_tags_are_looked_behind(void)
{
	CHECK(NEEDS(MACS "\x81\0\0\5\x08\0" IP4("\x45", "\x0a\0\0\1")) ==
	      18 + 20);
	CHECK(NEEDS(MACS "\x88\xa8\0\5\x81\0\0\6\x86\xdd" IP6("\x60", DB8)) ==
	      22 + 40);
	CHECK(!NEEDS(MACS "\x88\xa8\0\5\x81\0\0\6\x81\0\0\6\x08\0" IP4(
		"\x45", "\x0a\0\0\1")));
}

static void what_is_not_one_host_is_not_seen(void)
{
	CHECK(!NEEDS(MACS "\x08\0" IP4("\x45", "\0\0\0\0")));
	CHECK(!NEEDS(MACS "\x08\0" IP4("\x45", "\xe0\0\0\1")));
	CHECK(!NEEDS(MACS "\x08\0" IP4("\x45", "\xff\xff\xff\xff")));
	CHECK(NEEDS(MACS "\x08\0" IP4("\x45", "\xdf\xff\xff\xff")));
	CHECK(!NEEDS(MACS "\x86\xdd" IP6("\x60", SIXTEEN)));
	CHECK(!NEEDS(MACS "\x86\xdd" IP6("\x60",
					 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")));
}

static void what_is_no_ip_is_not_seen(void)
{
	CHECK(!NEEDS(MACS "\x08\0" IP4("\x44", "\x0a\0\0\1")));
	CHECK(!NEEDS(MACS "\x08\0" IP4("\x65", "\x0a\0\0\1")));
	CHECK(!NEEDS(MACS "\x86\xdd" IP6("\x45", DB8)));
	CHECK(!NEEDS(MACS "\x88\xb5" IP4("\x45", "\x0a\0\0\1")));
	CHECK(!NEEDS(""));
	CHECK(!NEEDS(MACS));
}

/* ---- ranges ---- */

static struct iprange range(const char *addr, uint8_t len, uint8_t bits)
{
	struct iprange r = { { .len = len }, bits };

	memcpy(r.addr.bytes, addr, len);
	iprange_mask(&r);
	return r;
}

static struct ipaddr ip(const char *addr, uint8_t len)
{
	return range(addr, len, len * 8).addr;
}

static bool has(struct iprange r, struct ipaddr a)
{
	return iprange_has(&r, &a);
}

static void a_range_has_its_first_bits(void)
{
	CHECK(has(range("\x0a\1\2\3", 4, 8), ip("\x0a\xff\xff\xff", 4)));
	CHECK(!has(range("\x0a\1\2\3", 4, 8), ip("\x0b\1\2\3", 4)));
	CHECK(has(range("\x0a\1\2\3", 4, 0), ip("\xc0\xff\xff\xff", 4)));
	CHECK(has(range("\x0a\1\2\3", 4, 32), ip("\x0a\1\2\3", 4)));
	CHECK(!has(range("\x0a\1\2\3", 4, 32), ip("\x0a\1\2\2", 4)));
	CHECK(has(range("\x0a\1\2\3", 4, 31), ip("\x0a\1\2\2", 4)));
	CHECK(has(range("\x0a\x80\0\0", 4, 9), ip("\x0a\xff\0\0", 4)));
	CHECK(!has(range("\x0a\x80\0\0", 4, 9), ip("\x0a\x7f\0\0", 4)));
	CHECK(has(range(DB8, 16, 32), ip("\x20\1\x0d\xb8xxxxxxxxxxxx", 16)));
	CHECK(!has(range(DB8, 16, 128), ip(SIXTEEN, 16)));
	CHECK(!has(range(DB8, 16, 0), ip("\x0a\1\2\3", 4)));
	CHECK(!has(range("\0\0\0\0", 4, 0), ip(DB8, 16)));
}

static void ranges_are_the_same_by_what_counts(void)
{
	struct iprange a = range("\x0a\1\2\3", 4, 8);
	struct iprange b = range("\x0a\0\0\0", 4, 8);
	struct iprange c = range("\x0a\0\0\0", 4, 9);

	CHECK(iprange_equal(&a, &b));
	CHECK(!iprange_equal(&a, &c));
}

int main(void)
{
	RUN(the_sender_of_ip_is_seen);
	RUN(options_must_be_there);
	RUN(the_sender_of_arp_is_seen);
	RUN(two_tags_are_looked_behind);
	RUN(what_is_not_one_host_is_not_seen);
	RUN(what_is_no_ip_is_not_seen);
	RUN(a_range_has_its_first_bits);
	RUN(ranges_are_the_same_by_what_counts);
	DONE();
}
