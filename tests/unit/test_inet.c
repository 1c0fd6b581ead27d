// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where headers are, in frames with tags, options and extension headers, and
 * in such that end anywhere.
 */
#include "base/inet.h"

#include "../unit/packet.h"
#include "../unit/test.h"

static uint8_t frame[PACKET_MAX];
static struct inet in;

/* Parses the first @len bytes, which are all there is. */
static bool parse(size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	bool ok;

	if (!exact)
		abort();
	memcpy(exact, frame, len);
	ok = inet_parse(&in, exact, len);
	free(exact);
	return ok;
}

static bool at(uint8_t version, uint8_t proto, int l3, int l4, int payload)
{
	return in.version == version && in.proto == proto && in.l3 == l3 &&
	       in.l4 == l4 && in.payload == payload;
}

static size_t make(struct packet k)
{
	struct frame_offload o;

	k.payload = 10;
	return packet_make(&k, frame, &o);
}

static void headers_are_found(void)
{
	size_t n = make((struct packet){ .version = 4 });

	CHECK(parse(n) && at(4, 6, 14, 34, 54) && !in.fragment && !in.options);
	n = make((struct packet){ .version = 4, .options = 12, .udp = true });
	CHECK(parse(n) && at(4, 17, 14, 46, 54) && in.options);
	n = make((struct packet){ .version = 6, .tcp_options = 12 });
	CHECK(parse(n) && at(6, 6, 14, 54, 86) && !in.fragment && !in.options);
	n = make((struct packet){ .version = 6, .udp = true });
	CHECK(parse(n) && at(6, 17, 14, 54, 62));
}

static void up_to_two_tags_are_passed_over(void)
{
	size_t n = make((struct packet){ .version = 4, .tags = 1 });

	CHECK(parse(n) && at(4, 6, 18, 38, 58));
	n = make((struct packet){ .version = 6, .tags = 2 });
	CHECK(parse(n) && at(6, 6, 22, 62, 82));
	n = make((struct packet){ .version = 4, .tags = 3 });
	CHECK(parse(n) && at(0, 0, 22, 0, 0));
	CHECK(!parse(21));
	n = make((struct packet){ .version = 4, .tags = 1 });
	CHECK(!parse(17) && !parse(15));
}

static void other_ethertypes_are_not_ip(void)
{
	size_t n = make((struct packet){ .version = 4 });

	frame[12] = 0x88;
	CHECK(parse(n) && at(0, 0, 14, 0, 0));
	CHECK(parse(14) && at(0, 0, 14, 0, 0));
	CHECK(!parse(13));
}

static void a_header_of_ip_must_be_whole_and_true(void)
{
	size_t n = make((struct packet){ .version = 4, .options = 8 });

	CHECK(!parse(33) && !parse(41) && parse(42));
	frame[14] = 0x64;
	CHECK(!parse(n));
	frame[14] = 0x44;
	CHECK(!parse(n));
	frame[14] = 0x45;
	CHECK(parse(n));
	n = make((struct packet){ .version = 6 });
	CHECK(!parse(53) && parse(54));
	frame[14] = 0x45;
	CHECK(!parse(n));
}

static void what_follows_ip_may_be_missing(void)
{
	size_t n = make((struct packet){ .version = 4, .tcp_options = 12 });

	CHECK(parse(34) && at(4, 6, 14, 34, 0));
	CHECK(parse(53) && at(4, 6, 14, 34, 0));
	CHECK(parse(65) && at(4, 6, 14, 34, 0));
	CHECK(parse(66) && at(4, 6, 14, 34, 66));
	frame[46] = 0x4f;
	CHECK(parse(n) && at(4, 6, 14, 34, 0));
	make((struct packet){ .version = 6, .udp = true });
	CHECK(parse(61) && at(6, 17, 14, 54, 0));
	CHECK(parse(62) && at(6, 17, 14, 54, 62));
	frame[20] = 58;
	CHECK(parse(62) && at(6, 58, 14, 54, 0));
}

static void fragments_have_no_transport_header(void)
{
	size_t n = make((struct packet){ .version = 4 });

	frame[20] = 0x20; /* more fragments */
	CHECK(parse(n) && in.fragment && at(4, 6, 14, 34, 0));
	frame[20] = 0;
	frame[21] = 1; /* a later one */
	CHECK(parse(n) && in.fragment && at(4, 6, 14, 34, 0));
	frame[20] = 0xc0; /* not to be fragmented, and reserved */
	frame[21] = 0;
	CHECK(parse(n) && !in.fragment && at(4, 6, 14, 34, 54));
	n = make((struct packet){ .version = 6 });
	frame[20] = 44;
	CHECK(parse(n) && in.fragment && !in.payload);
}

/* An IPv6 packet with these headers of 8, 16, 24 bytes, and then UDP. */
static size_t chain(const uint8_t *types, size_t n)
{
	size_t len = make((struct packet){ .version = 6, .udp = true }), p = 54;
	uint8_t *next = frame + 20;

	memset(frame + 54, 0, 256);
	for (size_t i = 0; i < n; i++) {
		*next = types[i];
		next = frame + p;
		frame[p + 1] = (uint8_t)i;
		p += 8 * (i + 1);
	}
	*next = 17;
	return p + len - 54;
}

static void extension_headers_are_passed_over(void)
{
	static const uint8_t all[] = { 0, 60, 43 }, late[] = { 60, 0 },
			     twice[] = { 0, 0 }, frag[] = { 60, 44 };
	size_t n = chain(all, 3);

	CHECK(parse(n) && at(6, 17, 14, 54 + 48, 54 + 56) && in.options);
	CHECK(parse(54 + 47) && at(6, 0, 14, 0, 0) && in.options);
	CHECK(parse(54 + 25) && at(6, 0, 14, 0, 0));
	CHECK(parse(54 + 7) && at(6, 0, 14, 0, 0));
	CHECK(parse(54 + 48) && at(6, 17, 14, 54 + 48, 0));
	n = chain(all + 2, 1);
	CHECK(parse(n) && at(6, 17, 14, 62, 70));
	/* Hop by hop only in front of all others. */
	n = chain(late, 2);
	CHECK(parse(n) && at(6, 0, 14, 62, 0));
	n = chain(twice, 2);
	CHECK(parse(n) && at(6, 0, 14, 62, 0));
	n = chain(frag, 2);
	CHECK(parse(n) && in.fragment && !in.payload);
}

static void offsets_that_cannot_be_told_are_none(void)
{
	size_t p = 54;

	/* 2048 bytes each, to more than 64 KiB */
	make((struct packet){ .version = 6 });
	memset(frame + 54, 0, sizeof(frame) - 54);
	frame[20] = 60;
	for (; p + 2048 < sizeof(frame); p += 2048) {
		frame[p] = 60;
		frame[p + 1] = 255;
	}
	frame[p - 2048] = 17;
	CHECK(p > UINT16_MAX);
	CHECK(parse(sizeof(frame)) && at(6, 17, 14, 0, 0));
	frame[p - 2 * 2048] = 17;
	CHECK(parse(sizeof(frame)) &&
	      at(6, 17, 14, (int)p - 2048, (int)p - 2048 + 8));
}

int main(void)
{
	RUN(headers_are_found);
	RUN(up_to_two_tags_are_passed_over);
	RUN(other_ethertypes_are_not_ip);
	RUN(a_header_of_ip_must_be_whole_and_true);
	RUN(what_follows_ip_may_be_missing);
	RUN(fragments_have_no_transport_header);
	RUN(extension_headers_are_passed_over);
	RUN(offsets_that_cannot_be_told_are_none);
	DONE();
}
