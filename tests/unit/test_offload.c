// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sums, metadata, and cutting. The frames in hexadecimal were made by a
 * separate program, in another language, from RFC 791, 8200, 9293 and 768.
 */
#include "base/offload.h"

#include <errno.h>

#include "../unit/packet.h"
#include "../unit/test.h"
#include "base/csum.h"

static uint8_t super[PACKET_MAX], other[PACKET_MAX];

static size_t unhex(uint8_t *to, const char *hex)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		to[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static size_t gather(uint8_t *to, const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* ---- sums ---- */

static void the_example_of_rfc_1071_is_right(void)
{
	static const uint8_t p[] = { 0x00, 0x01, 0xf2, 0x03,
				     0xf4, 0xf5, 0xf6, 0xf7 };

	CHECK(csum_fold(csum_sum(p, sizeof(p))) == csum_num(0xddf2));
	CHECK(csum_finish(csum_sum(p, sizeof(p))) == csum_num(0x220d));
	CHECK(csum_sum(p, 0) == 0 && csum_fold(0) == 0);
}

static void sums_do_not_depend_on_place_or_length(void)
{
	bool ok = true;

	for (size_t i = 0; i < 1000; i++)
		super[i] = (uint8_t)(i * i / 3 + i);
	for (size_t at = 0; at < 17; at++) {
		for (size_t n = 0; n < 600; n++)
			ok &= csum_fold(csum_sum(super + at, n)) ==
			      csum_num((uint16_t)packet_sum(0, super + at, n));
	}
	CHECK(ok);
}

static void no_carry_is_lost(void)
{
	memset(super, 0xff, 65536);
	CHECK(csum_fold(csum_sum(super, 65536)) == 0xffff);
	CHECK(csum_fold(csum_sum(super + 1, 65535)) ==
	      csum_num((uint16_t)packet_sum(0, super + 1, 65535)));
	super[777] = 0xfe;
	CHECK(csum_fold(csum_sum(super, 65536)) == csum_num(0xfffe));
	CHECK(csum_fold(UINT64_MAX) == 0xffff);
	CHECK(csum_fold(UINT64_C(0xffffffff00000000)) == 0xffff);
	CHECK(csum_fold(UINT64_C(0x10000)) == 1);
}

/* ---- metadata ---- */

static void headers_of_virtio_are_read_in_both_orders(void)
{
	static const uint8_t le[OFFLOAD_VNET_LEN] = { 1, 0x81, 0x42, 0,	 0xa8,
						      5, 0x22, 0,    16, 0 };
	uint8_t host[OFFLOAD_VNET_LEN], out[OFFLOAD_VNET_LEN];
	struct frame_offload a, b;

	offload_from_vnet(&a, le, true);
	CHECK(a.flags == FRAME_NEEDS_CSUM);
	CHECK(a.gso_type == (FRAME_GSO_TCPV4 | FRAME_GSO_ECN));
	CHECK(a.hdr_len == 66 && a.gso_size == 1448);
	CHECK(a.csum_start == 34 && a.csum_offset == 16);
	offload_to_vnet(out, &a, true);
	CHECK(!memcmp(out, le, sizeof(out)));
	offload_to_vnet(host, &a, false);
	CHECK(host[0] == 1 && host[1] == 0x81);
	CHECK(csum_get(host + 4) == 1448);
	offload_from_vnet(&b, host, false);
	CHECK(!memcmp(&a, &b, sizeof(a)));
}

static void what_means_nothing_in_a_header_is_dropped(void)
{
	static const uint8_t le[OFFLOAD_VNET_LEN] = { 0xfe, 0, 1, 2, 3,
						      4,    5, 6, 7, 8 };
	struct frame_offload o;

	offload_from_vnet(&o, le, true);
	CHECK(o.flags == FRAME_DATA_VALID && offload_is_none(&o));
	CHECK(!o.hdr_len && !o.gso_size && !o.csum_start && !o.csum_offset);
}

static bool fits(uint8_t flags, uint8_t type, unsigned int caps)
{
	struct frame_offload o = { .flags = flags, .gso_type = type };

	return offload_fits(&o, caps);
}

static void a_receiver_gets_what_it_takes(void)
{
	const unsigned int all = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 |
				 OFFLOAD_ECN | OFFLOAD_USO;
	const uint8_t ecn = FRAME_GSO_ECN;

	CHECK(fits(0, FRAME_GSO_NONE, 0));
	CHECK(fits(FRAME_DATA_VALID, FRAME_GSO_NONE, 0));
	CHECK(!fits(FRAME_NEEDS_CSUM, FRAME_GSO_NONE, 0));
	CHECK(fits(FRAME_NEEDS_CSUM, FRAME_GSO_NONE, OFFLOAD_CSUM));
	CHECK(fits(1, FRAME_GSO_TCPV4, OFFLOAD_CSUM | OFFLOAD_TSO4));
	CHECK(!fits(1, FRAME_GSO_TCPV4, all & ~OFFLOAD_CSUM));
	CHECK(!fits(0, FRAME_GSO_TCPV4, all & ~OFFLOAD_CSUM));
	CHECK(!fits(1, FRAME_GSO_TCPV4, all & ~OFFLOAD_TSO4));
	CHECK(!fits(1, FRAME_GSO_TCPV6, all & ~OFFLOAD_TSO6));
	CHECK(!fits(1, FRAME_GSO_TCPV4 | ecn, all & ~OFFLOAD_ECN));
	CHECK(!fits(1, FRAME_GSO_TCPV4 | ecn, OFFLOAD_CSUM | OFFLOAD_ECN));
	CHECK(!fits(1, FRAME_GSO_UDP_L4, all & ~OFFLOAD_USO));
	CHECK(!fits(1, FRAME_GSO_UDP_L4, all & ~0x20u));
	CHECK(fits(1, FRAME_GSO_TCPV6 | ecn, all));
	CHECK(fits(1, FRAME_GSO_UDP_L4, all));
	CHECK(!fits(1, FRAME_GSO_UDP_L4 | ecn, all));
	CHECK(!fits(1, FRAME_GSO_UFO, UINT32_MAX));
	CHECK(!fits(1, 2, UINT32_MAX));
}

static void a_tag_moves_offsets(void)
{
	struct frame_offload o = { .flags = FRAME_NEEDS_CSUM,
				   .hdr_len = 54,
				   .csum_start = 34 };

	CHECK(offload_shift(&o, 4) && o.hdr_len == 58 && o.csum_start == 38);
	CHECK(offload_shift(&o, -4) && o.hdr_len == 54 && o.csum_start == 34);
	CHECK(!offload_shift(&o, -21) && o.csum_start == 34);
	o.hdr_len = 0;
	CHECK(offload_shift(&o, 4) && !o.hdr_len && o.csum_start == 38);
	o.csum_start = 65533;
	CHECK(!offload_shift(&o, 4) && o.csum_start == 65533);
	o = (struct frame_offload){ .hdr_len = 65533 };
	CHECK(!offload_shift(&o, 4) && o.hdr_len == 65533);
	o = (struct frame_offload){ 0 };
	CHECK(offload_shift(&o, 4) && !o.csum_start && !o.hdr_len);
}

/* ---- what is refused ---- */

static const struct packet tcp4 = { .version = 4,
				    .tcp_options = 12,
				    .ttl = 64,
				    .flags = 0x18,
				    .df = true,
				    .id = 1,
				    .port = 4000,
				    .seq = 1,
				    .payload = 5000,
				    .gso_size = 1448 };
static const struct packet tcp6 = { .version = 6,
				    .ttl = 64,
				    .flags = 0x10,
				    .port = 4000,
				    .seq = 1,
				    .payload = 5000,
				    .gso_size = 1440 };
static const struct packet udp4 = { .version = 4,
				    .udp = true,
				    .ttl = 64,
				    .port = 4000,
				    .payload = 5000,
				    .gso_size = 1400 };

/* All three ways of asking, of a frame exactly as long as it is. */
static bool accepted(const uint8_t *frame, size_t len,
		     const struct frame_offload *o)
{
	static struct offload_cut c;
	uint8_t *exact = malloc(len ? len : 1);
	struct frame_offload copy = *o;
	bool yes;

	if (!exact)
		abort();
	memcpy(exact, frame, len);
	yes = offload_check(exact, len, o);
	CHECK((offload_cut_start(&c, exact, len, o, NULL) > 0) == yes);
	CHECK((offload_cut_len(&c) > 0) == yes);
	CHECK(yes || !offload_csum(exact, len, &copy));
	CHECK(yes || !memcmp(exact, frame, len));
	free(exact);
	return yes;
}

/* A sound frame with one thing wrong. */
#define REFUSED(packet, wrong)                              \
	do {                                                \
		struct frame_offload o;                     \
		uint8_t *f = super;                         \
		size_t len = packet_make(&(packet), f, &o); \
		CHECK(accepted(f, len, &o));                \
		wrong;                                      \
		if (accepted(f, len, &o)) {                 \
			printf("# accepted: %s\n", #wrong); \
			test_failed = 1;                    \
		}                                           \
	} while (0)

static void metadata_that_make_no_sense_are_refused(void)
{
	REFUSED(tcp4, o.flags = 0);
	REFUSED(tcp4, o.flags = FRAME_DATA_VALID);
	REFUSED(tcp4, o.flags |= 4);
	REFUSED(tcp4, o.flags |= 0x80);
	REFUSED(tcp4, o.gso_type = 2);
	REFUSED(tcp4, o.gso_type = FRAME_GSO_ECN);
	REFUSED(tcp4, o.gso_type |= 0x10);
	REFUSED(tcp4, o.gso_type |= 0x20);
	REFUSED(tcp4, o.gso_type |= 0x40);
	REFUSED(tcp4, o.gso_size = 0);
	REFUSED(tcp4, o.gso_size = 0xffff);
	REFUSED(tcp4, o.hdr_len = (uint16_t)(len + 1));
	REFUSED(udp4, o.gso_type = FRAME_GSO_UFO);
	REFUSED(udp4, o.gso_type |= FRAME_GSO_ECN);
}

static void a_checksum_outside_of_its_place_is_refused(void)
{
	REFUSED(tcp4, o.csum_start--);
	REFUSED(tcp4, o.csum_start += 4);
	REFUSED(tcp4, o.csum_start = 0xffff);
	REFUSED(tcp4, o.csum_offset = 6);
	REFUSED(tcp4, o.csum_offset = 0xffff);
	REFUSED(udp4, o.csum_offset = 16);
	REFUSED(tcp6, o.csum_start = 34);
	/* Alone: behind the headers of Ethernet and IP, inside of the frame. */
	REFUSED(tcp4, (o.gso_type = 0, o.csum_start = 33));
	REFUSED(tcp4, (o.gso_type = 0, o.csum_start = 0, o.csum_offset = 0));
	REFUSED(tcp4, (o.gso_type = 0, o.csum_offset = (uint16_t)(len - 35)));
	REFUSED(tcp6, (o.gso_type = 0, o.csum_start = 53));
	REFUSED(tcp4, (o.gso_type = 0, f[14] = 0x4f, o.csum_start = 73));
	REFUSED(tcp4, (o.gso_type = 0, f[12] = 0x99, o.csum_start = 33));
}

static void headers_that_do_not_fit_the_metadata_are_refused(void)
{
	REFUSED(tcp4, o.gso_type = FRAME_GSO_TCPV6);
	REFUSED(tcp4, o.gso_type = FRAME_GSO_UDP_L4);
	REFUSED(tcp6, o.gso_type = FRAME_GSO_TCPV4);
	REFUSED(udp4, o.gso_type = FRAME_GSO_TCPV4);
	REFUSED(tcp4, f[13] = 0x06); /* ARP */
	REFUSED(tcp4, (f[12] = 0x86, f[13] = 0xdd));
	REFUSED(tcp6, (f[12] = 0x08, f[13] = 0x00));
	REFUSED(tcp4, f[14] = 0x55);
	REFUSED(tcp4, f[14] = 0x44);
	REFUSED(tcp4, f[14] = 0x46);
	REFUSED(tcp4, f[23] = 17);
	REFUSED(tcp6, f[20] = 17);
	REFUSED(tcp6, f[20] = 44);
	REFUSED(tcp6, f[20] = 51);
	REFUSED(tcp6, f[20] = 60);
	REFUSED(tcp6, f[14] = 0x40);
	REFUSED(tcp4, f[20] |= 0x20); /* more fragments */
	REFUSED(tcp4, f[21] |= 1); /* a later fragment */
	REFUSED(tcp4, f[46] = 0x40); /* data offset */
	REFUSED(udp4, f[23] = 6);
}

static void frames_that_end_too_early_are_refused(void)
{
	REFUSED(tcp4, len = 13);
	REFUSED(tcp4, len = 0);
	REFUSED(tcp4, (len = 33, o.hdr_len = 0));
	REFUSED(tcp4, (len = 53, o.hdr_len = 0));
	REFUSED(tcp4, (len = 65, o.hdr_len = 0)); /* inside of TCP's options */
	REFUSED(tcp6, (len = 53, o.hdr_len = 0));
	REFUSED(udp4, (len = 41, o.hdr_len = 0));
	for (int tags = 0; tags < 3; tags++) {
		struct packet k = tags & 1 ? tcp6 : tcp4;
		struct frame_offload o;
		size_t end;

		k.tags = tags;
		packet_make(&k, super, &o);
		end = o.hdr_len;
		o.hdr_len = 0;
		for (size_t len = 0; len < end; len++)
			CHECK(!accepted(super, len, &o));
		CHECK(accepted(super, end, &o));
	}
}

static void a_third_tag_is_refused(void)
{
	struct packet k = tcp4;
	struct frame_offload o;
	size_t len;

	k.tags = 2;
	len = packet_make(&k, super, &o);
	CHECK(accepted(super, len, &o));
	k.tags = 3;
	len = packet_make(&k, super, &o);
	CHECK(!accepted(super, len, &o));
}

static void frames_that_are_too_long_are_refused(void)
{
	struct packet k = tcp4;

	k.gso_size = 32000;
	k.payload = 65535 - 52;
	REFUSED(k, f[len++] = 0);
	k = tcp6;
	k.payload = 65535 - 20;
	REFUSED(k, f[len++] = 0);
	k = tcp4;
	k.payload = (size_t)OFFLOAD_TCP_SEGS * 100;
	k.gso_size = 100;
	REFUSED(k, f[len++] = 0);
	k = udp4;
	k.payload = (size_t)OFFLOAD_UDP_SEGS * 100;
	k.gso_size = 100;
	REFUSED(k, f[len++] = 0);
}

static void headers_longer_than_our_room_are_refused(void)
{
	struct packet k = tcp6;
	struct frame_offload o;
	size_t len;

	k.options = 112; /* 14 + 40 + 112 + 20 */
	len = packet_make(&k, super, &o);
	CHECK(accepted(super, len, &o));
	k.options = 120;
	len = packet_make(&k, super, &o);
	CHECK(!accepted(super, len, &o));
}

static void hints_and_lengths_of_ip_do_not_matter(void)
{
	struct frame_offload o;
	size_t len = packet_make(&tcp4, super, &o);

	o.hdr_len = 0;
	CHECK(accepted(super, len, &o));
	o.hdr_len = (uint16_t)len;
	CHECK(accepted(super, len, &o));
	super[16] = super[17] = 0;
	CHECK(accepted(super, len, &o));
	super[24] ^= 1; /* IP's own checksum */
	CHECK(accepted(super, len, &o));
	o = (struct frame_offload){ .gso_size = 7, .csum_start = 3 };
	CHECK(accepted(super, len, &o));
}

static void what_is_admitted_has_one_form(void)
{
	struct packet k = tcp4;
	struct frame_offload o, want;
	size_t len = packet_make(&k, super, &o);

	want = o;
	o.hdr_len = 0;
	CHECK(offload_admit(super, len, &o));
	CHECK(!memcmp(&o, &want, sizeof(o)));
	o.hdr_len = 999;
	CHECK(offload_admit(super, len, &o));
	CHECK(!memcmp(&o, &want, sizeof(o)));
	o.gso_size = 5000; /* all of the payload */
	want.gso_type = FRAME_GSO_NONE;
	want.gso_size = want.hdr_len = 0;
	CHECK(offload_admit(super, len, &o));
	CHECK(!memcmp(&o, &want, sizeof(o)));
	o.flags |= FRAME_DATA_VALID;
	CHECK(offload_admit(super, len, &o));
	CHECK(!memcmp(&o, &want, sizeof(o)));
	o.flags = FRAME_DATA_VALID;
	want = (struct frame_offload){ .flags = FRAME_DATA_VALID };
	CHECK(offload_admit(super, len, &o));
	CHECK(!memcmp(&o, &want, sizeof(o)));
	o.gso_type = 2;
	want = o;
	CHECK(!offload_admit(super, len, &o));
	CHECK(!memcmp(&o, &want, sizeof(o)));
}

/* As a card hands over what it has merged: the checksum is whatever it was. */
static void a_frame_that_does_not_tell_its_checksum_gets_one(void)
{
	struct packet kinds[] = { tcp4, tcp6, udp4 };
	struct frame_offload o, want;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = packet_make(&kinds[i], super, &want);

		memcpy(other, super, len);
		packet_be16(super + want.csum_start + want.csum_offset, 0xabcd);
		o = want;
		o.flags = FRAME_DATA_VALID;
		o.csum_start = o.csum_offset = 0;
		CHECK(offload_admit(super, len, &o));
		CHECK(!memcmp(&o, &want, sizeof(o)));
		CHECK(!memcmp(super, other, len));
		super[15] ^= 1;
		super[23] = super[20] = 0x2c; /* not TCP or UDP any more */
		memcpy(other, super, len);
		o.flags = 0;
		CHECK(!offload_admit(super, len, &o) && !o.flags);
		CHECK(!memcmp(super, other, len));
	}
	kinds[1].options = 8;
	CHECK(offload_admit(super, packet_make(&kinds[1], super, &o), &o));
	o.flags = 0;
	CHECK(!offload_admit(super, packet_make(&kinds[1], super, &want), &o));
}

/* ---- one checksum ---- */

static const char lone_udp[] = /* the sum is 0 */
	"02000000000202000000000108004500002e00010000401166bc0a00"
	"00010a0000025bb81770001a142e7365676d656e7420627920736567"
	"6d656e74";

static void a_checksum_is_completed(void)
{
	struct frame_offload o = { .flags = FRAME_NEEDS_CSUM,
				   .csum_start = 34,
				   .csum_offset = 6 };
	size_t len = unhex(super, lone_udp);
	struct packet_view v;

	memcpy(other, super, len);
	super[45] = 'X';
	CHECK(offload_csum(super, len, &o));
	CHECK(packet_read(super, len, &v) && offload_is_none(&o));
	super[40] = other[40];
	super[41] = other[41];
	super[45] = other[45];
	CHECK(!memcmp(super, other, len));
	CHECK(offload_csum(super, len, &o) && !memcmp(super, other, len));
}

static void a_checksum_of_zero_becomes_ffff(void)
{
	struct frame_offload o = { .flags = FRAME_NEEDS_CSUM,
				   .csum_start = 34,
				   .csum_offset = 6 };
	size_t len = unhex(super, lone_udp);

	CHECK(offload_csum(super, len, &o));
	CHECK(super[40] == 0xff && super[41] == 0xff);
}

static void cutting_is_not_for_offload_csum(void)
{
	struct frame_offload o;
	size_t len = packet_make(&tcp4, super, &o);

	memcpy(other, super, len);
	CHECK(!offload_csum(super, len, &o) && !memcmp(super, other, len));
	CHECK(o.gso_size == 1448);
}

/* Whole, by parts and in one piece, with and without a tag, against @want. */
static void cut_one(const uint8_t *frame, size_t len,
		    const struct frame_offload *o, const uint8_t *want)
{
	static const uint8_t tag[ETHER_TAG_LEN] = { 0x81, 0, 0x20, 0x65 };
	static uint8_t got[PACKET_MAX];
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[OFFLOAD_IOV];
	struct offload_cut c;

	for (int tagged = 0; tagged < 2; tagged++) {
		size_t n = len + (tagged ? sizeof(tag) : 0);
		const uint8_t *t = tagged ? tag : NULL;

		CHECK(offload_cut_start(&c, frame, len, o, t) == 1);
		CHECK(offload_cut_len(&c) == n);
		CHECK(gather(got, iov, offload_cut_next(&c, hdr, iov)) == n);
		CHECK(offload_cut_next(&c, hdr, iov) == 0);
		CHECK(tagged || o->flags & FRAME_NEEDS_CSUM ||
		      (iov[0].iov_base == frame && iov[0].iov_len == n));
		if (tagged) {
			CHECK(!memcmp(got + 12, tag, sizeof(tag)));
			memmove(got + 12, got + 16, n - 16);
		}
		CHECK(!memcmp(got, want, len));
		CHECK(offload_cut_start(&c, frame, len, o, t) == 1);
		CHECK(offload_cut_copy(&c, got, n) == (ssize_t)n);
		CHECK(offload_cut_copy(&c, got, n) == 0);
		if (tagged)
			memmove(got + 12, got + 16, n - 16);
		CHECK(!memcmp(got, want, len));
	}
}

static void a_frame_with_nothing_to_do_is_left_alone(void)
{
	struct frame_offload o = { .flags = FRAME_DATA_VALID };
	size_t len;

	memset(super, 0xab, 100);
	cut_one(super, 100, &o, super);
	cut_one(super, ETHER_HDR_LEN, &o, super);
	len = packet_make(&tcp4, super, &o);
	o = (struct frame_offload){ 0 };
	cut_one(super, len, &o, super);
}

static void a_checksum_alone_needs_no_copy_of_the_payload(void)
{
	/* In the headers, at the ends of what is copied, far behind, last. */
	static const uint16_t at[] = { 34,  40,	 184, 185, 186,	 187,
				       188, 189, 190, 191, 1000, 1498 };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct frame_offload o = { .flags = FRAME_NEEDS_CSUM,
					   .csum_start = 34,
					   .csum_offset = at[i] - 34 };
		struct frame_offload copy = o;

		for (size_t k = 0; k < 1500; k++)
			super[k] = (uint8_t)(k * 3 + i);
		memcpy(other, super, 1500);
		CHECK(offload_csum(other, 1500, &copy));
		CHECK(memcmp(other, super, 1500) != 0);
		cut_one(super, 1500, &o, other);
	}
}

static void payload_that_fits_one_segment_is_not_cut(void)
{
	struct packet k = tcp4, whole;
	struct frame_offload o, none;
	size_t len;

	k.payload = k.gso_size;
	k.flags |= 0x81; /* CWR, FIN stay */
	k.id = 77;
	whole = k;
	whole.gso_size = 0;
	len = packet_make(&k, super, &o);
	CHECK(packet_make(&whole, other, &none) == len);
	cut_one(super, len, &o, other);
	k.payload = whole.payload = 0;
	len = packet_make(&k, super, &o);
	CHECK(packet_make(&whole, other, &none) == len);
	cut_one(super, len, &o, other);
}

/* ---- segments ---- */

struct known {
	const char *whole;
	const char *segs[3];
	struct frame_offload o;
};

static const struct known known[] = {
	/* Number, sequence number and both sums wrap; PSH and FIN. */
	{ "020000000002020000000001080045000046ffff4000400626b00a00"
	  "00010a0000029c400050fffffffa0102030480190200143b00000101"
	  "080a11223344556677887365676d656e74206279207365676d656e74",
	  { "02000000000202000000000108004500003bffff4000400626bb0a00"
	    "00010a0000029c400050fffffffa0102030480100200fa8b00000101"
	    "080a11223344556677887365676d656e74",
	    "02000000000202000000000108004500003b00004000400626bb0a00"
	    "00010a0000029c4000500000000101020304801002003adf00000101"
	    "080a112233445566778820627920736567",
	    "02000000000202000000000108004500003800014000400626bd0a00"
	    "00010a0000029c400050000000080102030480190200d2e000000101"
	    "080a11223344556677886d656e74" },
	  { 1, FRAME_GSO_TCPV4, 66, 7, 34, 16 } },
	/* A tag in the bytes; CWR in the first segment only, ECE in all. */
	{ "0200000000020200000000018100a12386dd602123450026063ffd00"
	  "0000000000000000000000000001fd00000000000000000000000000"
	  "00029c400050000003e80102030450d80200fa3000007365676d656e"
	  "74206279207365676d656e74",
	  { "0200000000020200000000018100a12386dd60212345001c063ffd00"
	    "0000000000000000000000000001fd00000000000000000000000000"
	    "00029c400050000003e80102030450d002005a2800007365676d656e"
	    "7420",
	    "0200000000020200000000018100a12386dd60212345001c063ffd00"
	    "0000000000000000000000000001fd00000000000000000000000000"
	    "00029c400050000003f00102030450500200b9480000627920736567"
	    "6d65",
	    "0200000000020200000000018100a12386dd602123450016063ffd00"
	    "0000000000000000000000000001fd00000000000000000000000000"
	    "00029c400050000003f80102030450580200a08300006e74" },
	  { 1, FRAME_GSO_TCPV6 | FRAME_GSO_ECN, 78, 8, 58, 16 } },
	/* The first segment's sum is 0, which UDP writes as ffff. */
	{ "02000000000202000000000108004500002e00070000401166b60a00"
	  "00010a000002941e1770001a142e7365676d656e7420627920736567"
	  "6d656e74",
	  { "02000000000202000000000108004500002200070000401166c20a00"
	    "00010a000002941e1770000effff7365676d656e",
	    "02000000000202000000000108004500002200080000401166c10a00"
	    "00010a000002941e1770000e4934742062792073",
	    "02000000000202000000000108004500002200090000401166c00a00"
	    "00010a000002941e1770000efeff65676d656e74" },
	  { 1, FRAME_GSO_UDP_L4, 42, 6, 34, 6 } },
};

static void cut_known(const struct known *k, const struct frame_offload *o)
{
	uint8_t hdr[OFFLOAD_HDR_MAX], want[256], got[256];
	struct iovec iov[OFFLOAD_IOV];
	struct offload_cut c;
	size_t len = unhex(super, k->whole);

	CHECK(offload_check(super, len, o));
	CHECK(offload_cut_start(&c, super, len, o, NULL) == 3);
	for (int s = 0; s < 3; s++) {
		size_t n = unhex(want, k->segs[s]);

		CHECK(offload_cut_len(&c) == n);
		CHECK(gather(got, iov, offload_cut_next(&c, hdr, iov)) == n);
		CHECK(!memcmp(got, want, n));
	}
	CHECK(!offload_cut_len(&c));
	CHECK(!offload_cut_next(&c, hdr, iov));
}

static void known_frames_become_known_segments(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		cut_known(&known[i], &known[i].o);
}

static void payload_is_not_copied(void)
{
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[OFFLOAD_IOV];
	struct frame_offload o;
	struct offload_cut c;
	size_t len = packet_make(&tcp4, super, &o), at = o.hdr_len;

	CHECK(offload_cut_start(&c, super, len, &o, NULL) == 4);
	while (offload_cut_next(&c, hdr, iov)) {
		CHECK(iov[0].iov_base == hdr && iov[0].iov_len == 66);
		CHECK(iov[1].iov_base == super + at);
		at += iov[1].iov_len;
	}
	CHECK(at == len);
}

/* The segments of @k, in a tunnel if there is @t, made one by one, are what
 * the cut gives. */
static void cut_all(const struct packet *k, const struct packet_tunnel *t,
		    const uint8_t *tag)
{
	static uint8_t got[PACKET_MAX];
	struct packet_tunnel out = t ? *t : (struct packet_tunnel){ 0 };
	struct frame_offload o, none;
	struct offload_cut c;
	struct packet seg = *k;
	size_t len = packet_make(k, super, &o), done = 0, n;
	size_t l4 = o.csum_start, add = tag ? 4 : 0;
	unsigned int segs;

	if (t)
		len = packet_wrap(t, super, len, &o);
	CHECK(!t || offload_admit(super, len, &o));
	segs = offload_cut_start(&c, super, len, &o, tag);
	CHECK(segs == (k->payload + k->gso_size - 1) / k->gso_size);
	seg.gso_size = 0;
	for (unsigned int i = 0; i < segs; i++) {
		bool last = i == segs - 1;

		seg.payload = last ? k->payload - done : k->gso_size;
		seg.flags = k->flags & (last ? 0xff : 0xf6) & (i ? 0x7f : 0xff);
		n = packet_make(&seg, other, &none);
		memcpy(other + n - seg.payload, super + o.hdr_len + done,
		       seg.payload);
		packet_seal(other, 14 + 4 * (size_t)k->tags, l4, n, k->udp);
		if (t)
			n = packet_wrap(&out, other, n, &none);
		CHECK(offload_cut_copy(&c, got, n + add - 1) == -EMSGSIZE);
		CHECK(offload_cut_copy(&c, got, n + add) == (ssize_t)(n + add));
		if (tag) {
			CHECK(!memcmp(got + 12, tag, 4));
			memmove(got + 12, got + 16, n - 12);
		}
		CHECK(!memcmp(got, other, n));
		done += seg.payload;
		seg.seq += (uint32_t)seg.payload;
		seg.id++;
		out.id++;
	}
	CHECK(offload_cut_copy(&c, got, sizeof(got)) == 0);
}

static void segments_are_right_whatever_the_headers(void)
{
	static const uint8_t tag[ETHER_TAG_LEN] = { 0x81, 0, 0xe1, 0x23 };
	static const uint16_t sizes[] = { 1, 7, 100, 536, 1447, 1448 };

	for (unsigned int i = 0; i < 2u * 2 * 3 * 3 * 6; i++) {
		struct packet k = {
			.version = i & 1 ? 6 : 4,
			.udp = i & 2,
			.tags = (int)(i / 4 % 3),
			.options = (int)(i / 12 % 3) * 8,
			.tcp_options = (int)(i / 12 % 3) * 12,
			.tos = (uint8_t)i,
			.ttl = (uint8_t)(i + 1),
			.flags = (uint8_t)(i * 37 | 0x10),
			.df = i & 8,
			.id = (uint16_t)(0xfffe + i),
			.port = (uint16_t)(i * 977),
			.seq = UINT32_MAX - i * 100,
			.fill = (uint8_t)i,
			.gso_size = sizes[i / 36],
		};

		k.payload = k.gso_size * (2 + i % 5) + 1 - i % 2;
		cut_all(&k, NULL, i % 3 ? NULL : tag);
	}
}

static void the_largest_frames_are_cut(void)
{
	struct packet k = tcp4;

	k.payload = 65535 - 20 - 32;
	cut_all(&k, NULL, NULL);
	k = tcp6;
	k.payload = 65535 - 20;
	cut_all(&k, NULL, NULL);
	k.gso_size = 65514;
	cut_all(&k, NULL, NULL);
	k = udp4;
	k.payload = 65535 - 28;
	cut_all(&k, NULL, NULL);
	k.gso_size = 512;
	cut_all(&k, NULL, NULL);
	k = tcp4;
	k.gso_size = 1;
	k.payload = OFFLOAD_TCP_SEGS;
	cut_all(&k, NULL, NULL);
}

/* ---- tunnels ---- */

static const struct known tunnels[] = {
	/* VXLAN over IPv4; the outer number wraps. */
	{ "02000000000202000000000108004500006cffff00004011f67dc000"
	  "0201c0000202c73812b50058846d0800000000002a0006000000000b"
	  "06000000000a08004500003a00074000400626b50a0000010a000002"
	  "9c400050fffffffa0102030450180200142f00007365676d656e7420"
	  "6279207365676d656e74",
	  { "020000000002020000000001080045000061ffff00004011f688c000"
	    "0201c0000202c73812b5004d6f710800000000002a0006000000000b"
	    "06000000000a08004500002f00074000400626c00a0000010a000002"
	    "9c400050fffffffa010203045010020044f800007365676d656e74",
	    "020000000002020000000001080045000061000000004011f688c000"
	    "0201c0000202c73812b5004d6f710800000000002a0006000000000b"
	    "06000000000a08004500002f00084000400626bf0a0000010a000002"
	    "9c400050000000010102030450100200854b000020627920736567",
	    "02000000000202000000000108004500005e000100004011f68ac000"
	    "0201c0000202c73812b5004a6f740800000000002a0006000000000b"
	    "06000000000a08004500002c00094000400626c10a0000010a000002"
	    "9c4000500000000801020304501802001d4e00006d656e74" },
	  { 1, FRAME_GSO_TCPV4, 104, 7, 84, 16 } },
	/* VXLAN over IPv6, a tag in the bytes. */
	{ "0200000000020200000000018100a12386dd60054321006c113f2001"
	  "0db800000000000000000000000120010db800000000000000000000"
	  "0002c73812b5006c5bf20800000000002a0006000000000b06000000"
	  "000a86dd600543210026063ffd000000000000000000000000000001"
	  "fd0000000000000000000000000000029c400050000003e801020304"
	  "50190200fa3000007365676d656e74206279207365676d656e74",
	  { "0200000000020200000000018100a12386dd600543210061113f2001"
	    "0db800000000000000000000000120010db800000000000000000000"
	    "0002c73812b500615b770800000000002a0006000000000b06000000"
	    "000a86dd60054321001b063ffd000000000000000000000000000001"
	    "fd0000000000000000000000000000029c400050000003e801020304"
	    "501002005b0900007365676d656e74",
	    "0200000000020200000000018100a12386dd600543210061113f2001"
	    "0db800000000000000000000000120010db800000000000000000000"
	    "0002c73812b500615b770800000000002a0006000000000b06000000"
	    "000a86dd60054321001b063ffd000000000000000000000000000001"
	    "fd0000000000000000000000000000029c400050000003ef01020304"
	    "501002009b5b000020627920736567",
	    "0200000000020200000000018100a12386dd60054321005e113f2001"
	    "0db800000000000000000000000120010db800000000000000000000"
	    "0002c73812b5005e5b7d0800000000002a0006000000000b06000000"
	    "000a86dd600543210018063ffd000000000000000000000000000001"
	    "fd0000000000000000000000000000029c400050000003f601020304"
	    "50190200335d00006d656e74" },
	  { 1, FRAME_GSO_TCPV6, 148, 7, 128, 16 } },
	/* Geneve with an option over IPv4, without its checksum; UDP. */
	{ "020000000002020000000001080045000068006440004011b61dc000"
	  "0201c0000202c73817c100540000024065580000070001028001dead"
	  "beef06000000000b06000000000a08004500002e00004000401126bd"
	  "0a0000010a00000213881770001a142e7365676d656e742062792073"
	  "65676d656e74",
	  { "02000000000202000000000108004500005d006440004011b628c000"
	    "0201c0000202c73817c100490000024065580000070001028001dead"
	    "beef06000000000b06000000000a08004500002300004000401126c8"
	    "0a0000010a00000213881770000f0c947365676d656e74",
	    "02000000000202000000000108004500005d006540004011b627c000"
	    "0201c0000202c73817c100490000024065580000070001028001dead"
	    "beef06000000000b06000000000a08004500002300014000401126c7"
	    "0a0000010a00000213881770000f4ced20627920736567",
	    "02000000000202000000000108004500005a006640004011b629c000"
	    "0201c0000202c73817c100460000024065580000070001028001dead"
	    "beef06000000000b06000000000a08004500002000024000401126c9"
	    "0a0000010a00000213881770000ce5016d656e74" },
	  { 1, FRAME_GSO_UDP_L4, 100, 7, 92, 6 } },
};

static void known_frames_of_tunnels_become_known_segments(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++) {
		struct frame_offload o = tunnels[i].o;
		size_t len = unhex(super, tunnels[i].whole);

		o.hdr_len = 0;
		CHECK(!offload_check(super, len, &o));
		memcpy(other, super, len);
		CHECK(offload_admit(super, len, &o));
		CHECK(!memcmp(super, other, len));
		CHECK(o.gso_type == (tunnels[i].o.gso_type | FRAME_GSO_TUNNEL));
		CHECK(o.hdr_len == tunnels[i].o.hdr_len);
		CHECK(!offload_fits(&o, UINT32_MAX));
		cut_known(&tunnels[i], &o);
	}
}

static void segments_in_a_tunnel_are_right_whatever_the_headers(void)
{
	static const uint8_t tag[ETHER_TAG_LEN] = { 0x81, 0, 0xe1, 0x23 };

	for (unsigned int i = 0; i < 2u * 2 * 2 * 2 * 3 * PACKET_TUNNELS; i++) {
		struct packet_tunnel t = {
			.kind = i / 48,
			.version = i & 1 ? 6 : 4,
			.sum = i & 2,
			.id = (uint16_t)(0xfffe + i),
		};
		struct packet k = {
			.version = i & 4 ? 6 : 4,
			.udp = i & 8,
			.tags = (int)(i / 16 % 2),
			.options = i % 5 ? 0 : 8,
			.tcp_options = (int)(i / 16 % 3) * 4,
			.ttl = (uint8_t)(i + 1),
			.flags = (uint8_t)(i * 37 | 0x10),
			.df = i & 8,
			.id = (uint16_t)(0xfffd + i),
			.port = (uint16_t)(i * 977),
			.seq = UINT32_MAX - i * 100,
			.fill = (uint8_t)i,
			.gso_size = (uint16_t)(100 + i % 7),
		};

		k.payload = k.gso_size * (2 + i % 5) + 1 - i % 2;
		cut_all(&k, &t, i % 3 ? NULL : tag);
		k.payload = 1 + i % 100; /* less than a segment */
		cut_all(&k, &t, NULL);
	}
}

static const struct packet_tunnel vxlan4 = { .kind = PACKET_VXLAN,
					     .version = 4,
					     .sum = true };
static const struct packet_tunnel vxlan6 = { .kind = PACKET_VXLAN,
					     .version = 6 };
static const struct packet_tunnel gre4 = { .kind = PACKET_GRE, .version = 4 };
static const struct packet_tunnel ipip4 = { .kind = PACKET_IPIP, .version = 4 };

static bool admitted(const uint8_t *frame, size_t len, struct frame_offload o)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct frame_offload was = o;
	bool yes;

	if (!exact)
		abort();
	memcpy(exact, frame, len);
	CHECK(o.gso_type & FRAME_GSO_TUNNEL || !offload_check(exact, len, &o));
	yes = offload_admit(exact, len, &o);
	CHECK(!memcmp(exact, frame, len));
	CHECK(yes ? offload_check(exact, len, &o)
		  : !memcmp(&o, &was, sizeof(o)));
	free(exact);
	return yes;
}

/* A sound frame in a tunnel with one thing wrong. */
#define NOT_ADMITTED(packet, tunnel, wrong)                 \
	do {                                                \
		struct frame_offload o;                     \
		uint8_t *f = super;                         \
		size_t len = packet_make(&(packet), f, &o); \
		len = packet_wrap(&(tunnel), f, len, &o);   \
		CHECK(admitted(f, len, o));                 \
		wrong;                                      \
		if (admitted(f, len, o)) {                  \
			printf("# accepted: %s\n", #wrong); \
			test_failed = 1;                    \
		}                                           \
	} while (0)

/* VXLAN over IPv4: IP at 14, UDP 34, VXLAN 42, Ethernet 50, IP 64, L4 84. */
static void tunnels_that_contradict_themselves_are_refused(void)
{
	NOT_ADMITTED(tcp4, vxlan4, len--);
	NOT_ADMITTED(tcp4, vxlan4, f[len++] = 0);
	NOT_ADMITTED(tcp4, vxlan4, f[17] ^= 1); /* lengths */
	NOT_ADMITTED(tcp4, vxlan4, f[39] ^= 1);
	NOT_ADMITTED(tcp4, vxlan4, f[67] ^= 1);
	NOT_ADMITTED(tcp6, vxlan4, f[69] ^= 1);
	NOT_ADMITTED(tcp4, vxlan6, f[19] ^= 1);
	NOT_ADMITTED(udp4, vxlan4, f[89] ^= 1);
	NOT_ADMITTED(tcp4, vxlan4, f[20] |= 0x20); /* fragments */
	NOT_ADMITTED(tcp4, vxlan4, f[21] |= 1);
	NOT_ADMITTED(tcp4, vxlan4, f[70] |= 0x20);
	NOT_ADMITTED(tcp4, vxlan4, f[74] ^= 1); /* sum of the inner IP */
	NOT_ADMITTED(tcp4, vxlan4, f[100] ^= 1); /* the sum that is begun */
	NOT_ADMITTED(tcp6, vxlan4, f[80] ^= 1); /* an address in it */
	NOT_ADMITTED(tcp4, vxlan4, f[23] = 50);
	NOT_ADMITTED(tcp4, vxlan4, f[23] = 47);
	NOT_ADMITTED(tcp4, vxlan4, f[23] = 4);
	NOT_ADMITTED(tcp4, vxlan4, f[63] = 6); /* ARP */
	NOT_ADMITTED(tcp4, vxlan4, f[96] = 0x40); /* data offset */
	NOT_ADMITTED(tcp4, gre4, f[34] |= 0x80); /* a checksum */
	NOT_ADMITTED(tcp4, gre4, f[34] |= 0x10); /* a number */
	NOT_ADMITTED(tcp4, gre4, f[35] |= 1); /* PPTP */
	NOT_ADMITTED(tcp4, gre4, f[34] = 0); /* no key */
	NOT_ADMITTED(tcp4, gre4, f[36] ^= 1);
	NOT_ADMITTED(tcp4, ipip4, f[23] = 99);
}

static void metadata_that_do_not_fit_a_tunnel_are_refused(void)
{
	NOT_ADMITTED(tcp4, vxlan4, o.gso_type |= FRAME_GSO_TUNNEL);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_type = FRAME_GSO_TUNNEL);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_type |= 0x20);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_type |= 0x40);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_type = FRAME_GSO_TCPV6);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_type = FRAME_GSO_UDP_L4);
	NOT_ADMITTED(tcp6, vxlan4, o.gso_type = FRAME_GSO_TCPV4);
	NOT_ADMITTED(udp4, vxlan4, o.gso_type = FRAME_GSO_TCPV4);
	NOT_ADMITTED(tcp4, vxlan4, o.flags = 0);
	NOT_ADMITTED(tcp4, vxlan4, o.csum_start += 4);
	NOT_ADMITTED(tcp4, vxlan4, o.csum_start -= 2);
	NOT_ADMITTED(tcp4, vxlan4, o.csum_start = 0xffff);
	NOT_ADMITTED(tcp4, vxlan4, o.csum_offset = 6);
	NOT_ADMITTED(tcp4, vxlan4, o.csum_offset = 0xffff);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_size = 0);
	NOT_ADMITTED(tcp4, vxlan4, o.gso_size = 9);
	NOT_ADMITTED(tcp4, vxlan4, o.hdr_len = (uint16_t)(len + 1));
}

static void a_tunnel_in_a_tunnel_is_refused(void)
{
	struct frame_offload o;
	size_t len = packet_make(&tcp4, super, &o);

	len = packet_wrap(&vxlan4, super, len, &o);
	CHECK(admitted(super, len, o));
	len = packet_wrap(&vxlan6, super, len, &o);
	CHECK(!admitted(super, len, o));
}

static void a_tunnel_with_nothing_to_cut_or_long_headers_is_refused(void)
{
	struct packet k = tcp4;
	struct frame_offload o;
	size_t len;

	k.payload = 0;
	len = packet_wrap(&vxlan4, super, packet_make(&k, super, &o), &o);
	CHECK(!admitted(super, len, o));
	k.payload = 1;
	len = packet_wrap(&vxlan4, super, packet_make(&k, super, &o), &o);
	CHECK(admitted(super, len, o));
	k = tcp6; /* 70 + 14 + 40 + 40 + 20, at most 188 */
	k.options = 40;
	len = packet_wrap(&vxlan6, super, packet_make(&k, super, &o), &o);
	CHECK(admitted(super, len, o));
	k.options = 48;
	len = packet_wrap(&vxlan6, super, packet_make(&k, super, &o), &o);
	CHECK(!admitted(super, len, o));
}

/* No byte behind the end is read, wherever it is. */
static void tunnels_that_end_too_early_are_refused(void)
{
	for (int i = 0; i < PACKET_TUNNELS; i++) {
		struct packet_tunnel t = { .kind = i, .version = 4 };
		struct frame_offload o;
		size_t len = packet_make(&tcp4, super, &o);

		len = packet_wrap(&t, super, len, &o);
		o.hdr_len = 0;
		for (size_t n = 0; n < 200; n++)
			CHECK(!admitted(super, n, o));
		CHECK(admitted(super, len, o));
	}
}

/* Its own sum is over that of the packet inside, complete. */
static void a_checksum_in_a_tunnel_is_completed(void)
{
	struct packet k = tcp4, done = tcp4;
	struct frame_offload o, none;
	size_t len, n;

	k.payload = done.payload = 1000;
	done.gso_size = 0;
	len = packet_wrap(&vxlan4, other, packet_make(&done, other, &none),
			  &none);
	n = packet_make(&k, super, &o);
	o.gso_type = FRAME_GSO_NONE;
	o.gso_size = o.hdr_len = 0;
	CHECK(packet_wrap(&vxlan4, super, n, &o) == len);
	packet_be16(super + 40, ether_be16(other + 40));
	CHECK(offload_admit(super, len, &o) && o.csum_start == 84);
	CHECK(!(o.gso_type & FRAME_GSO_TUNNEL));
	CHECK(memcmp(super, other, len) != 0);
	cut_one(super, len, &o, other);
	CHECK(offload_csum(super, len, &o) && !memcmp(super, other, len));
}

int main(void)
{
	RUN(the_example_of_rfc_1071_is_right);
	RUN(sums_do_not_depend_on_place_or_length);
	RUN(no_carry_is_lost);
	RUN(headers_of_virtio_are_read_in_both_orders);
	RUN(what_means_nothing_in_a_header_is_dropped);
	RUN(a_receiver_gets_what_it_takes);
	RUN(a_tag_moves_offsets);
	RUN(metadata_that_make_no_sense_are_refused);
	RUN(a_checksum_outside_of_its_place_is_refused);
	RUN(headers_that_do_not_fit_the_metadata_are_refused);
	RUN(frames_that_end_too_early_are_refused);
	RUN(a_third_tag_is_refused);
	RUN(frames_that_are_too_long_are_refused);
	RUN(headers_longer_than_our_room_are_refused);
	RUN(hints_and_lengths_of_ip_do_not_matter);
	RUN(what_is_admitted_has_one_form);
	RUN(a_frame_that_does_not_tell_its_checksum_gets_one);
	RUN(a_checksum_is_completed);
	RUN(a_checksum_of_zero_becomes_ffff);
	RUN(cutting_is_not_for_offload_csum);
	RUN(a_frame_with_nothing_to_do_is_left_alone);
	RUN(a_checksum_alone_needs_no_copy_of_the_payload);
	RUN(payload_that_fits_one_segment_is_not_cut);
	RUN(known_frames_become_known_segments);
	RUN(payload_is_not_copied);
	RUN(segments_are_right_whatever_the_headers);
	RUN(the_largest_frames_are_cut);
	RUN(known_frames_of_tunnels_become_known_segments);
	RUN(segments_in_a_tunnel_are_right_whatever_the_headers);
	RUN(tunnels_that_contradict_themselves_are_refused);
	RUN(metadata_that_do_not_fit_a_tunnel_are_refused);
	RUN(a_tunnel_in_a_tunnel_is_refused);
	RUN(a_tunnel_with_nothing_to_cut_or_long_headers_is_refused);
	RUN(tunnels_that_end_too_early_are_refused);
	RUN(a_checksum_in_a_tunnel_is_completed);
	DONE();
}
