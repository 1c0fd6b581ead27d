// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames are built and checked here with the plainest code, word by word in
 * network byte order, so that it shares no mistake with the code under test.
 */
#include "base/offload.h"

#include <string.h>

#include "../unit/test.h"

#define MAX 70000

struct built {
	uint8_t f[MAX];
	size_t len, ip, l4, payload;
	bool v6, udp;
	struct frame_offload o;
};

static struct built b;
static uint8_t out[MAX];

static uint32_t add16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

static void be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t pseudo(const uint8_t *f, const struct built *t, size_t l4_len)
{
	uint32_t sum = t->v6 ? add16(f + t->ip + 8, 32, 0)
			     : add16(f + t->ip + 12, 8, 0);
	uint8_t tail[4] = { 0, t->udp ? 17 : 6, (uint8_t)(l4_len >> 8),
			    (uint8_t)l4_len };

	return add16(tail, 4, sum);
}

static bool good_l4(const uint8_t *f, size_t len, const struct built *t)
{
	return add16(f + t->l4, len - t->l4, pseudo(f, t, len - t->l4)) ==
	       0xffff;
}

static bool good_ip(const uint8_t *f, size_t len, const struct built *t)
{
	const uint8_t *ip = f + t->ip;

	if (t->v6)
		return (size_t)(ip[4] << 8 | ip[5]) == len - t->ip - 40;
	return add16(ip, 20, 0) == 0xffff &&
	       (size_t)(ip[2] << 8 | ip[3]) == len - t->ip;
}

static void headers(bool v6, int tags)
{
	uint8_t *p = b.f;

	memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	p += 12;
	for (int i = 0; i < tags; i++, p += 4)
		memcpy(p, "\x81\0\0\x2a", 4);
	be16(p, v6 ? 0x86dd : 0x0800);
	b.ip = (size_t)(p + 2 - b.f);
	p = b.f + b.ip;
	if (v6) {
		memset(p, 0xfe, 40);
		p[0] = 0x60;
		p[6] = b.udp ? 17 : 6;
		b.l4 = b.ip + 40;
	} else {
		memcpy(p,
		       "\x45\0\0\0\x12\xff\x40\0\x40\x06\0\0\x0a\0\0\1\x0a\0\0"
		       "\2",
		       20);
		p[9] = b.udp ? 17 : 6;
		b.l4 = b.ip + 20;
	}
}

/* As a kernel hands it over: the field holds the sum of the pseudo header. */
static void build(bool v6, bool udp, int tags, size_t n, uint16_t gso_size)
{
	uint8_t *l4;

	memset(&b, 0, sizeof(b));
	b.v6 = v6;
	b.udp = udp;
	headers(v6, tags);
	l4 = b.f + b.l4;
	b.payload = b.l4 + (udp ? 8 : 32);
	b.len = b.payload + n;
	be16(l4, 1234);
	be16(l4 + 2, 80);
	if (udp) {
		be16(l4 + 4, 8 + n);
	} else {
		memcpy(l4 + 4, "\xff\xff\xff\0", 4);
		l4[12] = 8 << 4;
		l4[13] = 0x80 | 0x10 | 0x08 | 0x01; /* CWR ACK PSH FIN */
	}
	for (size_t i = 0; i < n; i++)
		b.f[b.payload + i] = (uint8_t)(i * 7 + i / 251);
	if (v6) {
		be16(b.f + b.ip + 4, b.len - b.ip - 40);
	} else {
		be16(b.f + b.ip + 2, b.len - b.ip);
		be16(b.f + b.ip + 10, ~add16(b.f + b.ip, 20, 0) & 0xffff);
	}
	b.o = (struct frame_offload){
		.flags = FRAME_NEEDS_CSUM,
		.gso_size = gso_size,
		.csum_start = (uint16_t)b.l4,
		.csum_offset = udp ? 6 : 16,
	};
	if (gso_size)
		b.o.gso_type = udp  ? FRAME_GSO_UDP_L4
			       : v6 ? FRAME_GSO_TCPV6
				    : FRAME_GSO_TCPV4;
	be16(l4 + b.o.csum_offset, pseudo(b.f, &b, b.len - b.l4));
}

static void check_csum(bool v6, bool udp, int tags, size_t n)
{
	build(v6, udp, tags, n, 0);
	CHECK(!good_l4(b.f, b.len, &b));
	CHECK(offload_csum(b.f, b.len, &b.o));
	CHECK(good_l4(b.f, b.len, &b) && good_ip(b.f, b.len, &b));
}

static void an_unfinished_checksum_is_finished(void)
{
	for (int i = 0; i < 8; i++)
		for (size_t n = 0; n < 40; n++)
			check_csum(i & 1, i & 2, i & 4 ? 2 : 0, n);
	check_csum(true, false, 1, 60001);
}

static void a_checksum_of_zero_is_written_as_its_other_form(void)
{
	uint8_t *data;

	build(false, true, 0, 2, 0);
	data = b.f + b.payload;
	memset(data, 0, 2);
	/* The payload makes the sum come out as all ones. */
	be16(data, 0xffff - add16(b.f + b.l4, b.len - b.l4, 0));
	CHECK(offload_csum(b.f, b.len, &b.o));
	CHECK(b.f[b.l4 + 6] == 0xff && b.f[b.l4 + 7] == 0xff);
	CHECK(good_l4(b.f, b.len, &b));
}

static void a_checksum_outside_of_the_frame_is_refused(void)
{
	build(false, false, 0, 10, 0);
	b.o.csum_start = (uint16_t)b.len;
	CHECK(!offload_csum(b.f, b.len, &b.o));
	b.o.csum_start = (uint16_t)(b.len - 17);
	CHECK(!offload_csum(b.f, b.len, &b.o));
	b.o.csum_start = (uint16_t)(b.len - 18);
	CHECK(offload_csum(b.f, b.len, &b.o));
	b.o.csum_offset = 0xffff;
	CHECK(!offload_csum(b.f, b.len, &b.o));
	b.o = (struct frame_offload){ .csum_start = 0, .csum_offset = 2 };
	CHECK(!offload_csum(b.f, b.len, &b.o));
}

static uint32_t seq(const uint8_t *f)
{
	const uint8_t *p = f + b.l4 + 4;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* Cuts @b and checks that the segments are whole, right, and all there. */
static unsigned int check_cut(void)
{
	struct offload_cut c;
	size_t len, at = b.payload;
	unsigned int n = 0;

	CHECK(offload_cut_start(&c, b.f, b.len, &b.o));
	while ((len = offload_cut_next(&c, out))) {
		bool last = at + (len - b.payload) == b.len;

		CHECK(len > b.payload && len <= offload_cut_max(&c));
		CHECK(last || len == b.payload + b.o.gso_size);
		CHECK(good_ip(out, len, &b) && good_l4(out, len, &b));
		CHECK(!memcmp(out, b.f, b.ip));
		CHECK(!memcmp(out + b.payload, b.f + at, len - b.payload));
		if (!b.v6)
			CHECK((out[b.ip + 4] << 8 | out[b.ip + 5]) ==
			      (0x12ff + (int)n));
		if (b.udp)
			CHECK((size_t)(out[b.l4 + 4] << 8 | out[b.l4 + 5]) ==
			      len - b.l4);
		else
			CHECK(seq(out) ==
			      0xffffff00 + (uint32_t)(at - b.payload));
		at += len - b.payload;
		n++;
	}
	CHECK(at == b.len);
	return n;
}

static void tcp_is_cut_into_segments(void)
{
	for (int i = 0; i < 6; i++) {
		build(i & 1, false, i / 2, 10000, 1448);
		CHECK(check_cut() == 7);
	}
	build(false, false, 0, 64000, 536);
	CHECK(check_cut() == 120);
}

static void udp_is_cut_into_datagrams(void)
{
	for (int i = 0; i < 6; i++) {
		build(i & 1, true, i / 2, 5000, 1200);
		CHECK(check_cut() == 5);
	}
}

static void payload_of_exactly_some_segments_leaves_no_empty_one(void)
{
	build(false, false, 0, 3000, 1000);
	CHECK(check_cut() == 3);
	build(false, false, 0, 1000, 1000);
	CHECK(check_cut() == 1);
	build(false, false, 0, 10, 1000);
	CHECK(check_cut() == 1);
}

static void flags_are_on_the_segment_they_belong_to(void)
{
	struct offload_cut c;

	build(false, false, 0, 3000, 1000);
	b.o.gso_type |= FRAME_GSO_ECN;
	CHECK(offload_cut_start(&c, b.f, b.len, &b.o));
	CHECK(offload_cut_next(&c, out) && out[b.l4 + 13] == (0x80 | 0x10));
	CHECK(offload_cut_next(&c, out) && out[b.l4 + 13] == 0x10);
	CHECK(offload_cut_next(&c, out) &&
	      out[b.l4 + 13] == (0x10 | 0x08 | 0x01));
}

static void ipv6_options_stand_before_the_segment(void)
{
	build(true, false, 0, 3000, 1000);
	memmove(b.f + b.l4 + 16, b.f + b.l4, b.len - b.l4);
	b.f[b.ip + 6] = 0; /* hop by hop, then destination options, then TCP */
	memset(b.f + b.l4, 0, 16);
	b.f[b.l4] = 60;
	b.f[b.l4 + 8] = 6;
	b.l4 += 16;
	b.payload += 16;
	b.len += 16;
	CHECK(check_cut() == 3);
}

static bool refused(void)
{
	struct offload_cut c;

	return !offload_cut_start(&c, b.f, b.len, &b.o);
}

static void what_does_not_fit_together_is_refused(void)
{
	build(false, false, 0, 3000, 1000);
	b.o.gso_size = 0;
	CHECK(refused());
	build(false, false, 0, 3000, 1000);
	b.o.gso_type = FRAME_GSO_TCPV6;
	CHECK(refused());
	b.o.gso_type = FRAME_GSO_UDP_L4;
	CHECK(refused());
	b.o.gso_type = 3;
	CHECK(refused());
	build(false, false, 0, 3000, 1000);
	b.f[b.ip + 9] = 47; /* a tunnel */
	CHECK(refused());
	build(false, false, 0, 3000, 1000);
	b.f[b.ip] = 0x44;
	CHECK(refused());
	build(false, false, 0, 3000, 1000);
	b.f[b.l4 + 12] = 4 << 4;
	CHECK(refused());
	build(true, false, 0, 3000, 1000);
	b.f[b.ip + 6] = 43; /* routing header */
	CHECK(refused());
	build(false, false, 3, 3000, 1000);
	CHECK(refused());
}

static void a_cut_frame_is_refused(void)
{
	struct offload_cut c;

	for (int i = 0; i < 4; i++) {
		build(i & 1, i & 2, i, 100, 50);
		for (size_t len = 0; len <= b.payload; len++)
			CHECK(!offload_cut_start(&c, b.f, len, &b.o));
	}
}

int main(void)
{
	RUN(an_unfinished_checksum_is_finished);
	RUN(a_checksum_of_zero_is_written_as_its_other_form);
	RUN(a_checksum_outside_of_the_frame_is_refused);
	RUN(tcp_is_cut_into_segments);
	RUN(udp_is_cut_into_datagrams);
	RUN(payload_of_exactly_some_segments_leaves_no_empty_one);
	RUN(flags_are_on_the_segment_they_belong_to);
	RUN(ipv6_options_stand_before_the_segment);
	RUN(what_does_not_fit_together_is_refused);
	RUN(a_cut_frame_is_refused);
	DONE();
}
