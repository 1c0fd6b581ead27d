// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The type of service of frames: found behind tags, and marked when the
 * datagram was.
 */
#include <string.h>

#include "cryptcab/tos.h"
#include "test.h"

#define CE 3
#define ECT0 2
#define ECT1 1

static uint8_t f[64];

static void put(const void *p, size_t at, size_t len)
{
	memcpy(&f[at], p, len);
}

/* IPv4 with this TOS and a right checksum, behind @tags tags. */
static size_t make4(int tags, uint8_t tos)
{
	static const uint8_t hdr[20] = { 0x45, 0,  0,  30, 0x12, 0x34, 0,
					 0,    64, 17, 0,  0,	 10,   0,
					 0,    1,  10, 0,  0,	 2 };
	size_t at = 12;
	uint32_t sum = 0;

	memset(f, 0, sizeof(f));
	for (int i = 0; i < tags; i++, at += 4)
		put("\x81\x00\x00\x05", at, 4);
	put("\x08\x00", at, 2);
	at += 2;
	put(hdr, at, sizeof(hdr));
	f[at + 1] = tos;
	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)f[at + i] << 8 | f[at + i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	f[at + 10] = (uint8_t)(~sum >> 8);
	f[at + 11] = (uint8_t)~sum;
	return at;
}

static bool sum_is_right(size_t at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)f[at + i] << 8 | f[at + i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static void tos_of_ipv4_is_found_behind_tags(void)
{
	for (int tags = 0; tags <= 2; tags++) {
		make4(tags, 0xb9);
		CHECK(tos_of(f, sizeof(f)) == 0xb9);
	}
	make4(3, 0xb9);
	CHECK(tos_of(f, sizeof(f)) == 0);
}

static void traffic_class_of_ipv6_is_found(void)
{
	memset(f, 0, sizeof(f));
	put("\x86\xdd\x6b\x90", 12, 4);
	CHECK(tos_of(f, sizeof(f)) == 0xb9);
	CHECK(tos_arrived(f, sizeof(f), CE));
	CHECK(tos_of(f, sizeof(f)) == 0xbb);
}

static void what_is_not_ip_or_is_cut_off_has_none(void)
{
	size_t at = make4(0, 0xff);

	CHECK(tos_of(f, at + 19) == 0);
	CHECK(tos_of(f, 13) == 0);
	CHECK(tos_of(f, 0) == 0);
	f[12] = 0x88;
	CHECK(tos_of(f, sizeof(f)) == 0);
	CHECK(tos_arrived(f, sizeof(f), CE));
}

static void a_mark_is_carried_over_and_the_checksum_stays_right(void)
{
	for (unsigned int tos = 0; tos < 256; tos++) {
		size_t at = make4(1, (uint8_t)tos);
		bool arrives = tos_arrived(f, sizeof(f), 0xb8 | CE);

		CHECK(arrives == ((tos & 3) != 0));
		CHECK(f[at + 1] == (arrives ? (tos | CE) : tos));
		CHECK(sum_is_right(at));
	}
}

static void datagrams_without_a_mark_change_nothing(void)
{
	static const uint8_t outer[] = { 0, ECT0, ECT1, 0xfc, 0xfe };
	uint8_t was[sizeof(f)];

	for (size_t i = 0; i < sizeof(outer); i++) {
		make4(0, ECT0);
		memcpy(was, f, sizeof(f));
		CHECK(tos_arrived(f, sizeof(f), outer[i]));
		CHECK(!memcmp(was, f, sizeof(f)));
	}
}

int main(void)
{
	RUN(tos_of_ipv4_is_found_behind_tags);
	RUN(traffic_class_of_ipv6_is_found);
	RUN(what_is_not_ip_or_is_cut_off_has_none);
	RUN(a_mark_is_carried_over_and_the_checksum_stays_right);
	RUN(datagrams_without_a_mark_change_nothing);
	DONE();
}
