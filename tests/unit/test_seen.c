// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/seen.h"

#include <string.h>

#include "../unit/test.h"

static const uint8_t ipv4[34] = {
	2,  0, 0, 0, 0, 1,  2,	0, 0, 0,   0,	2, 0x08, 0x00, 0x45, 0, 0,
	20, 0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 1, 7,	 10,   0,    0, 1,
};

static const uint8_t arp[42] = {
	255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0,  2, 0x08, 0x06,
	0,   1,	  8,   0,   6,	 4,   0, 1, 2, 0, 0,  0, 0,    2,
	10,  1,	  2,   3,   0,	 0,   0, 0, 0, 0, 10, 1, 2,    4,
};

static void the_source_of_an_ipv4_packet_is_found(void)
{
	static const uint8_t want[4] = { 192, 168, 1, 7 };
	struct seen_addr a;

	CHECK(seen_parse(&a, ipv4, sizeof(ipv4)));
	CHECK(a.len == 4 && !memcmp(a.bytes, want, 4) && a.vlan == 0);
}

static void the_sender_in_an_arp_packet_is_found(void)
{
	static const uint8_t want[4] = { 10, 1, 2, 3 };
	struct seen_addr a;

	CHECK(seen_parse(&a, arp, sizeof(arp)));
	CHECK(a.len == 4 && !memcmp(a.bytes, want, 4));
}

static void the_source_of_an_ipv6_packet_is_found(void)
{
	uint8_t f[54] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd };
	struct seen_addr a;

	CHECK(!seen_parse(&a, f, sizeof(f))); /* :: is no address */
	f[14 + 8] = 0xfe;
	f[14 + 23] = 9;
	CHECK(seen_parse(&a, f, sizeof(f)));
	CHECK(a.len == 16 && a.bytes[0] == 0xfe && a.bytes[15] == 9);
}

static void a_tag_tells_the_vlan(void)
{
	uint8_t f[sizeof(ipv4) + 4];
	struct seen_addr a;

	memcpy(f, ipv4, 12);
	memcpy(f + 12, (const uint8_t[]){ 0x81, 0, 0x60, 42 }, 4);
	memcpy(f + 16, ipv4 + 12, sizeof(ipv4) - 12);
	CHECK(seen_parse(&a, f, sizeof(f)));
	CHECK(a.len == 4 && a.bytes[3] == 7 && a.vlan == 42);
}

static void a_cut_packet_has_no_address(void)
{
	struct seen_addr a;

	for (size_t len = 0; len < 30; len++)
		CHECK(!seen_parse(&a, ipv4, len));
	for (size_t len = 0; len < 32; len++)
		CHECK(!seen_parse(&a, arp, len));
}

static void other_protocols_have_no_address(void)
{
	uint8_t f[60] = { [12] = 0x88, [13] = 0xb5, [14 + 12] = 1 };
	struct seen_addr a;

	CHECK(!seen_parse(&a, f, sizeof(f)));
}

static struct seen_addr addr(uint32_t n, uint16_t vlan)
{
	struct seen_addr a = { .len = 4, .vlan = vlan };

	memcpy(a.bytes, &n, sizeof(n));
	return a;
}

static bool note(struct seen *s, uint32_t n, uint16_t vlan, uint64_t now)
{
	struct seen_addr a = addr(n, vlan);

	return seen_note(s, &a, now);
}

static void an_address_is_news_once(void)
{
	struct seen *s = seen_new(1);

	CHECK(note(s, 5, 0, 1));
	CHECK(!note(s, 5, 0, 1));
	CHECK(!note(s, 5, 0, 100));
	seen_free(s);
}

static void the_same_address_on_another_vlan_is_news(void)
{
	struct seen *s = seen_new(1);

	CHECK(note(s, 5, 0, 1));
	CHECK(note(s, 5, 7, 1));
	CHECK(!note(s, 5, 0, 1));
	seen_free(s);
}

static void an_address_that_was_quiet_for_long_is_news_again(void)
{
	struct seen *s = seen_new(1);

	CHECK(note(s, 5, 0, 1));
	CHECK(!note(s, 5, 0, 1 + SEEN_QUIET_S));
	CHECK(note(s, 5, 0, 2 + 2 * SEEN_QUIET_S));
	seen_free(s);
}

/* More addresses than the table has places: one in use is kept all the same,
 * since the quiet ones make room. */
static void invented_addresses_do_not_displace_one_in_use(void)
{
	struct seen *s = seen_new(1);
	int news = 0;

	CHECK(note(s, 1, 0, 1));
	for (uint32_t i = 2; i < 10000; i++) {
		note(s, i, 0, i);
		news += note(s, 1, 0, i);
	}
	CHECK(news == 0);
	seen_free(s);
}

int main(void)
{
	RUN(the_source_of_an_ipv4_packet_is_found);
	RUN(the_sender_in_an_arp_packet_is_found);
	RUN(the_source_of_an_ipv6_packet_is_found);
	RUN(a_tag_tells_the_vlan);
	RUN(a_cut_packet_has_no_address);
	RUN(other_protocols_have_no_address);
	RUN(an_address_is_news_once);
	RUN(the_same_address_on_another_vlan_is_news);
	RUN(an_address_that_was_quiet_for_long_is_news_again);
	RUN(invented_addresses_do_not_displace_one_in_use);
	DONE();
}
