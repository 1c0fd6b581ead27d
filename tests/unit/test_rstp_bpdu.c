// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BPDUs as bytes: those that others were seen to send, and broken ones.
 */
#include "switch/rstp_bpdu.h"

#include <string.h>

#include "base/ether.h"

#include "../unit/test.h"

#define ME UINT64_C(0x00ff01020304)
#define ME_8000 (UINT64_C(0x8000) << 48 | ME)
#define OTHER_1000 (UINT64_C(0x1000) << 48 | UINT64_C(0x00ff00000001))

static uint8_t bytes[256];

static size_t from_hex(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	memset(bytes, 0, sizeof(bytes));
	for (; *s; s++) {
		const char *d = strchr(digits, *s);

		if (!d)
			continue;
		bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | (d - digits));
		n++;
	}
	return n / 2;
}

static bool parse_hex(struct rstp_bpdu *b, const char *s)
{
	size_t len = from_hex(s);

	return rstp_bpdu_parse(b, bytes, len);
}

#define HEAD "0180c2000000 00ff01020304 "
#define RST HEAD "0027 424203 0000 02 02 "
#define ROOT_ME "800000ff01020304 00000000 800000ff01020304 8001 "

static void an_rst_bpdu_is_read(void)
{
	struct rstp_bpdu b;

	CHECK(parse_hex(&b,
			RST "7e 100000ff00000001 00004e20 "
			    "800000ff01020304 8003 0100 1400 0200 0f00 00"));
	CHECK(b.kind == RSTP_RST && b.role == RSTP_DESIGNATED && !b.dialect);
	CHECK(b.flags == (RSTP_PROPOSAL | RSTP_AGREEMENT | RSTP_LEARNING_FLAG |
			  RSTP_FORWARDING_FLAG));
	CHECK(b.root == OTHER_1000 && b.cost == 20000 && b.bridge == ME_8000);
	CHECK(b.port == 0x8003);
	CHECK(b.times.message_age == 256 && b.times.max_age == 20 * 256);
	CHECK(b.times.hello == 512 && b.times.forward_delay == 15 * 256);
}

static void roles_have_the_standards_codes(void)
{
	static const enum rstp_role roles[] = { RSTP_DISABLED, RSTP_ALTERNATE,
						RSTP_ROOT, RSTP_DESIGNATED };
	struct rstp_bpdu b;

	from_hex(RST "00 " ROOT_ME "0000 1400 0200 0f00 00");
	for (unsigned int i = 0; i < 4; i++) {
		bytes[21] = (uint8_t)(i << 2);
		CHECK(rstp_bpdu_parse(&b, bytes, RSTP_FRAME_MAX));
		CHECK(b.role == roles[i] && b.flags == 0);
	}
}

static void a_configuration_bpdu_is_read(void)
{
	struct rstp_bpdu b;

	CHECK(parse_hex(&b, HEAD "0026 424203 0000 00 00 81 " ROOT_ME
				 "0100 1400 0200 0f00"));
	CHECK(b.kind == RSTP_CONFIG && b.role == RSTP_DESIGNATED);
	CHECK(b.flags == (RSTP_TC | RSTP_TC_ACK));
	CHECK(b.bridge == ME_8000 && b.times.hello == 512);
	/* Bits that such a BPDU does not have are not taken for flags. */
	CHECK(parse_hex(&b, HEAD "0026 424203 0000 00 00 7e " ROOT_ME
				 "0100 1400 0200 0f00"));
	CHECK(b.flags == 0 && b.role == RSTP_DESIGNATED && !b.dialect);
}

static void a_notification_is_read(void)
{
	struct rstp_bpdu b;

	CHECK(parse_hex(&b, HEAD "0007 424203 0000 00 80"));
	CHECK(b.kind == RSTP_TCN);
}

/* MSTP and what comes later: the first 36 bytes are an RST BPDU (9.3.4). */
static void a_later_version_is_read_as_rst(void)
{
	struct rstp_bpdu b;

	CHECK(parse_hex(&b, HEAD "0069 424203 0000 03 02 0e " ROOT_ME
				 "0000 1400 0200 0f00 00 0040 "
				 "00000000000000000000000000000000"
				 "00000000000000000000000000000000"
				 "00000000000000000000000000000000"
				 "00000000000000000000000000000000"));
	CHECK(b.kind == RSTP_RST && b.flags == RSTP_PROPOSAL);
}

/* Captured from VDE 2.3.2. */
static void the_dialect_of_vde_2_is_recognised(void)
{
	struct rstp_bpdu b;

	CHECK(parse_hex(&b, RST "7c " ROOT_ME "0000 2800 0400 0000 00"));
	CHECK(b.dialect && b.role == RSTP_DESIGNATED);
	CHECK(b.flags & RSTP_AGREEMENT && b.times.max_age == 40 * 256);
	CHECK(parse_hex(&b,
			RST "74 100000ff00000001 013130e8 "
			    "800000ff01020304 8001 0300 2800 0400 0000 00"));
	CHECK(b.dialect && b.role == RSTP_ROOT && b.cost == 20001000);
	CHECK(b.times.message_age == 256); /* not the time since */
	CHECK(parse_hex(&b,
			RST "4a 100000ff00000001 013130e8 "
			    "800000ff01020304 8001 0000 2800 0400 0000 00"));
	CHECK(b.role == RSTP_ALTERNATE && b.flags & RSTP_PROPOSAL);
}

static void what_follows_the_bpdu_does_not_matter(void)
{
	struct rstp_bpdu b;
	size_t len = from_hex(RST "0e " ROOT_ME "0000 1400 0200 0f00 00");

	memset(bytes + len, 0xff, 60 - len);
	CHECK(len == RSTP_FRAME_MAX);
	CHECK(rstp_bpdu_parse(&b, bytes, 60));
	CHECK(b.times.forward_delay == 15 * 256);
}

static void each_shorter_frame_is_refused(void)
{
	struct rstp_bpdu b;

	for (size_t n = 0; n < RSTP_FRAME_MAX; n++) {
		from_hex(RST "0e " ROOT_ME "0000 1400 0200 0f00 00");
		CHECK(!rstp_bpdu_parse(&b, bytes, n));
	}
	/* and each shorter length in an 802.3 header, with bytes behind */
	for (unsigned int n = 0; n < 39; n++) {
		from_hex(RST "0e " ROOT_ME "0000 1400 0200 0f00 00");
		bytes[13] = (uint8_t)n;
		CHECK(!rstp_bpdu_parse(&b, bytes, 60));
	}
	for (unsigned int n = 0; n < 38; n++) {
		from_hex(HEAD "0026 424203 0000 00 00 00 " ROOT_ME
			      "0000 1400 0200 0f00");
		bytes[13] = (uint8_t)n;
		CHECK(!rstp_bpdu_parse(&b, bytes, 60));
	}
}

static void what_is_no_bpdu_is_refused(void)
{
	static const struct {
		uint8_t at, value;
	} wrong[] = {
		{ 12, 0x08 }, /* an ethertype, or longer than the frame */
		{ 13, 0x28 }, { 14, 0x43 }, { 15, 0xaa },
		{ 16, 0x13 }, { 17, 1 },    { 18, 1 }, /* protocol */
		{ 19, 1 },    { 19, 0 }, /* version of an RST BPDU */
		{ 20, 1 },    { 20, 0x81 }, { 20, 3 }, /* type */
	};
	struct rstp_bpdu b;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		from_hex(RST "0e " ROOT_ME "0000 1400 0200 0f00 00");
		CHECK(rstp_bpdu_parse(&b, bytes, RSTP_FRAME_MAX));
		bytes[wrong[i].at] = wrong[i].value;
		CHECK(!rstp_bpdu_parse(&b, bytes, RSTP_FRAME_MAX));
	}
}

static void a_configuration_older_than_its_life_is_refused(void)
{
	struct rstp_bpdu b;

	CHECK(parse_hex(&b, HEAD "0026 424203 0000 00 00 00 " ROOT_ME
				 "13ff 1400 0200 0f00"));
	CHECK(!parse_hex(&b, HEAD "0026 424203 0000 00 00 00 " ROOT_ME
				  "1400 1400 0200 0f00"));
}

static void what_is_written_is_read_back(void)
{
	static const enum rstp_role roles[] = { RSTP_ROOT, RSTP_DESIGNATED,
						RSTP_ALTERNATE, RSTP_BACKUP };
	struct rstp_bpdu b = { .kind = RSTP_RST,
			       .root = OTHER_1000,
			       .cost = 0x12345678,
			       .bridge = ME_8000,
			       .port = 0x8123,
			       .times = { 256, 5120, 512, 3840 } };
	uint8_t frame[RSTP_FRAME_MAX];
	struct rstp_bpdu got;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(roles); i++) {
		b.role = roles[i / 2];
		b.dialect = i % 2;
		b.flags = (uint8_t)(i % 4 == 0 ? RSTP_TC : RSTP_AGREEMENT);
		CHECK(rstp_bpdu_write(&b, ME, frame) == RSTP_FRAME_MAX);
		CHECK(rstp_bpdu_parse(&got, frame, RSTP_FRAME_MAX));
		CHECK(got.dialect == b.dialect && got.flags == b.flags);
		CHECK(got.role ==
		      (b.role == RSTP_BACKUP ? RSTP_ALTERNATE : b.role));
		CHECK(got.root == b.root && got.cost == b.cost);
		CHECK(got.bridge == b.bridge && got.port == b.port);
		CHECK(got.times.max_age == 5120 && got.times.hello == 512);
		CHECK(got.times.forward_delay == (b.dialect ? 0 : 3840));
	}
	b.kind = RSTP_CONFIG;
	CHECK(rstp_bpdu_write(&b, ME, frame) == 52);
	CHECK(rstp_bpdu_parse(&got, frame, 52) && got.kind == RSTP_CONFIG);
	b.kind = RSTP_TCN;
	CHECK(rstp_bpdu_write(&b, ME, frame) == 21);
	CHECK(rstp_bpdu_parse(&got, frame, 21) && got.kind == RSTP_TCN);
}

static void a_written_frame_has_these_bytes(void)
{
	const struct rstp_bpdu b = { .kind = RSTP_RST,
				     .role = RSTP_ROOT,
				     .flags = RSTP_AGREEMENT |
					      RSTP_LEARNING_FLAG |
					      RSTP_FORWARDING_FLAG,
				     .root = OTHER_1000,
				     .cost = 20001000,
				     .bridge = ME_8000,
				     .port = 0x8001,
				     .times = { 0x300, 0x1400, 0x200, 0xf00 } };
	struct rstp_bpdu vde2 = b;
	uint8_t frame[RSTP_FRAME_MAX];

	CHECK(rstp_bpdu_write(&b, ME, frame) == RSTP_FRAME_MAX);
	from_hex(RST "78 100000ff00000001 013130e8 800000ff01020304 8001 "
		     "0300 1400 0200 0f00 00");
	CHECK(!memcmp(frame, bytes, RSTP_FRAME_MAX));
	/* as VDE 2 says the same, see above */
	vde2.dialect = true;
	vde2.times.max_age = 0x2800;
	vde2.times.hello = 0x400;
	CHECK(rstp_bpdu_write(&vde2, ME, frame) == RSTP_FRAME_MAX);
	from_hex(RST "74 100000ff00000001 013130e8 800000ff01020304 8001 "
		     "0300 2800 0400 0000 00");
	CHECK(!memcmp(frame, bytes, RSTP_FRAME_MAX));
}

int main(void)
{
	RUN(an_rst_bpdu_is_read);
	RUN(roles_have_the_standards_codes);
	RUN(a_configuration_bpdu_is_read);
	RUN(a_notification_is_read);
	RUN(a_later_version_is_read_as_rst);
	RUN(the_dialect_of_vde_2_is_recognised);
	RUN(what_follows_the_bpdu_does_not_matter);
	RUN(each_shorter_frame_is_refused);
	RUN(what_is_no_bpdu_is_refused);
	RUN(a_configuration_older_than_its_life_is_refused);
	RUN(what_is_written_is_read_back);
	RUN(a_written_frame_has_these_bytes);
	DONE();
}
