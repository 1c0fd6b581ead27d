// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/wire.h"

#include <string.h>
#include <sys/socket.h>

#include "../unit/test.h"

static uint8_t msg[WIRE_REQ_MAX + 64];
static struct wire_request req;

static void put32(size_t at, uint32_t v)
{
	memcpy(msg + at, &v, sizeof(v));
}

static struct sockaddr_un addr_of(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	memcpy(sa.sun_path, path, strlen(path));
	return sa;
}

static size_t build_v3(uint32_t type, uint32_t port, const char *descr)
{
	struct sockaddr_un sa = addr_of("/tmp/c1");

	memset(msg, 0xee, sizeof(msg));
	return wire_build_request(msg, type, port, &sa, descr);
}

static size_t build_v1(uint32_t word, const char *descr)
{
	struct sockaddr_un sa = addr_of("/tmp/c1");

	memset(msg, 0xee, sizeof(msg));
	put32(0, WIRE_MAGIC);
	put32(4, word);
	memcpy(msg + 14, &sa, sizeof(sa));
	memcpy(msg + WIRE_V1_FIXED, descr, strlen(descr));
	return WIRE_V1_FIXED + strlen(descr);
}

static void requests_have_the_documented_bytes(void)
{
	static const uint8_t head[] = { 0xce, 0xfa, 0xed, 0xfe, 3, 0, 0,
					0,    0,    7,	  0,	0, 1, 0 };
	size_t n = build_v3(WIRE_REQ_NEW_CONTROL, 7, "pytest");

	CHECK(n == 128);
	if ((union {
		    uint16_t w;
		    uint8_t b;
	    }){ 1 }
		    .b)
		CHECK(!memcmp(msg, head, sizeof(head)));
	CHECK(!memcmp(msg + 14, "/tmp/c1", 8));
	CHECK(!memcmp(msg + 122, "pytest", 6));
	CHECK(msg[128] == 0xee);
}

static void what_is_built_is_parsed(void)
{
	size_t n = build_v3(WIRE_REQ_NEW_PORT0, 4094, "pytest");

	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	CHECK(req.version == 3 && req.type == WIRE_REQ_NEW_PORT0 &&
	      req.port == 4094);
	CHECK(!strcmp(req.addr.sun_path, "/tmp/c1"));
	CHECK(req.addr_len == offsetof(struct sockaddr_un, sun_path) + 8);
	CHECK(!strcmp(req.descr, "pytest"));
}

static void version_1_is_understood(void)
{
	size_t n = build_v1(0, "old");

	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	CHECK(req.version == 1 && req.type == WIRE_REQ_NEW_CONTROL &&
	      req.port == 0 && !strcmp(req.descr, "old"));
	n = build_v1(1, "");
	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	CHECK(req.version == 1 && req.type == WIRE_REQ_NEW_PORT0 &&
	      req.descr[0] == '\0');
}

static void each_missing_byte_asks_for_more(void)
{
	size_t n = build_v3(0, 0, "");

	for (size_t i = 0; i < n; i++) {
		/* As large as it is, so that a sanitizer sees the end. */
		uint8_t *part = malloc(i + 1);

		memcpy(part, msg, i);
		CHECK(wire_parse_request(&req, part, i) == WIRE_SHORT);
		free(part);
	}
	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	n = build_v1(0, "");
	CHECK(wire_parse_request(&req, msg, n - 1) == WIRE_SHORT);
}

static void a_wrong_magic_is_seen_at_once(void)
{
	size_t n = build_v3(0, 0, "");

	msg[0] ^= 1;
	CHECK(wire_parse_request(&req, msg, 3) == WIRE_SHORT);
	CHECK(wire_parse_request(&req, msg, 4) == WIRE_BAD_MAGIC);
	CHECK(wire_parse_request(&req, msg, n) == WIRE_BAD_MAGIC);
}

static bool bad_version(uint32_t version)
{
	size_t n = build_v3(0, 0, "");

	put32(4, version);
	return wire_parse_request(&req, msg, n) == WIRE_BAD_VERSION &&
	       wire_parse_request(&req, msg, 8) == WIRE_BAD_VERSION;
}

static void other_versions_are_refused(void)
{
	CHECK(bad_version(2) && req.version == 2);
	CHECK(bad_version(5) && req.version == 5);
	CHECK(bad_version(0x100));
	CHECK(bad_version(0x103));
	/* No bit may be lost on the way. */
	CHECK(bad_version(UINT32_C(0x80000000)));
	CHECK(bad_version(UINT32_C(0x80000001)));
	CHECK(bad_version(UINT32_C(0x80000003)));
	CHECK(bad_version(UINT32_MAX));
}

static void other_types_are_refused(void)
{
	size_t n = build_v3(2, 5, "");

	CHECK(wire_parse_request(&req, msg, n) == WIRE_BAD_TYPE);
	CHECK(req.type == 2);
	n = build_v3(0xff, 0, "");
	CHECK(wire_parse_request(&req, msg, n) == WIRE_BAD_TYPE);
}

static void the_address_must_be_a_path_or_an_abstract_name(void)
{
	size_t n = build_v3(0, 0, "x");

	msg[12] = 2; /* AF_INET */
	CHECK(wire_parse_request(&req, msg, n) == WIRE_BAD_ADDR);
	n = build_v3(0, 0, "x");
	memset(msg + 14, 'p', 108); /* no NUL */
	CHECK(wire_parse_request(&req, msg, n) == WIRE_BAD_ADDR);
	msg[14 + 107] = '\0'; /* the longest path */
	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	CHECK(strlen(req.addr.sun_path) == 107 &&
	      req.addr_len == sizeof(struct sockaddr_un));
	memset(msg + 14, 0, 108); /* no name */
	CHECK(wire_parse_request(&req, msg, n) == WIRE_BAD_ADDR);
	memcpy(msg + 14, "\0name", 5);
	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	CHECK(req.addr_len == sizeof(struct sockaddr_un));
}

static void descriptions_end_where_the_request_ends(void)
{
	char big[300];
	size_t n;

	memset(big, 'd', sizeof(big));
	big[299] = '\0';
	n = build_v3(0, 0, big);
	CHECK(n == WIRE_REQ_MAX);
	CHECK(wire_parse_request(&req, msg, n) == WIRE_OK);
	CHECK(strlen(req.descr) == 134);
	CHECK(wire_parse_request(&req, msg, 124) == WIRE_OK);
	CHECK(!strcmp(req.descr, "dd"));
	/* Even more than one request can hold never overflows. */
	CHECK(wire_parse_request(&req, msg, sizeof(msg)) == WIRE_OK);
	CHECK(strlen(req.descr) == 134);
}

int main(void)
{
	RUN(requests_have_the_documented_bytes);
	RUN(what_is_built_is_parsed);
	RUN(version_1_is_understood);
	RUN(each_missing_byte_asks_for_more);
	RUN(a_wrong_magic_is_seen_at_once);
	RUN(other_versions_are_refused);
	RUN(other_types_are_refused);
	RUN(the_address_must_be_a_path_or_an_abstract_name);
	RUN(descriptions_end_where_the_request_ends);
	DONE();
}
