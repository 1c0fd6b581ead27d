// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses of servers: what is one, what is none, and that nothing that ssh
 * or a shell could misunderstand is one.
 */
#include "cryptcab/address.h"

#include <string.h>

#include "test.h"

static struct address a;
static char reason[100], user[ADDRESS_USER_SIZE];

static bool parse(const char *text, uint16_t port)
{
	struct strbuf why;
	bool ok;

	strbuf_init(&why, reason, sizeof(reason));
	ok = address_parse_target(&a, user, text, port, &why);
	CHECK(ok == !reason[0]);
	return ok;
}

static bool is(const char *text, enum address_kind kind, const char *host,
	       uint16_t port)
{
	return parse(text, ADDRESS_PORT) && a.kind == kind && a.port == port &&
	       !strcmp(a.host, host);
}

static bool round_trip(const char *text)
{
	char s[ADDRESS_SIZE];

	return parse(text, 0) && !strcmp(address_write(s, &a), text);
}

static void addresses_and_names_are_hosts(void)
{
	CHECK(is("192.0.2.7", ADDRESS_IPV4, "192.0.2.7", 7667));
	CHECK(is("192.0.2.7:9", ADDRESS_IPV4, "192.0.2.7", 9));
	CHECK(is("[2001:db8::1]:65535", ADDRESS_IPV6, "2001:db8::1", 65535));
	CHECK(is("[::1]", ADDRESS_IPV6, "::1", 7667));
	CHECK(is("[fe80::1%eth0.3]", ADDRESS_IPV6, "fe80::1%eth0.3", 7667));
	CHECK(is("host", ADDRESS_NAME, "host", 7667));
	CHECK(is("a-b.x_y.3com.example:1", ADDRESS_NAME, "a-b.x_y.3com.example",
		 1));
}

static void what_is_written_is_read_again(void)
{
	CHECK(round_trip("192.0.2.7:1"));
	CHECK(round_trip("[2001:db8::1]:7667"));
	CHECK(round_trip("h.example:80"));
}

static void a_user_stands_in_front(void)
{
	CHECK(parse("me@h:1", 0) && !strcmp(user, "me"));
	CHECK(parse("a.b_c-1@[::1]:1", 0) && !strcmp(user, "a.b_c-1"));
	CHECK(parse("h:1", 0) && !user[0]);
	CHECK(!parse("@h:1", 0));
	CHECK(!parse("a@b@h:1", 0));
	CHECK(!parse("a b@h:1", 0));
}

static void nothing_becomes_an_option_or_a_command(void)
{
	static const char *const bad[] = {
		"-oProxyCommand=x",
		"-l@h",
		"u@-h",
		"u@h.-x",
		"$(x)",
		"a;b",
		"a b",
		"a'b",
		"u`x`@h",
		"h\n",
		"[::1%-x]",
		"[::1%a;b]",
		"h:1 ",
		" h",
		"u$@h",
		"\x7f",
		"h\\x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!parse(bad[i], ADDRESS_PORT));
}

static void what_is_not_wholly_an_address_is_none(void)
{
	static const char *const bad[] = {
		"",
		":",
		":1",
		"h:",
		"h:0",
		"h:65536",
		"h:-1",
		"h:+1",
		"h:0x1",
		"h:1:2",
		"::1",
		"[::1",
		"[::1]x",
		"[]",
		"[h]",
		"[1.2.3.4]",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"h.",
		".h",
		"a..b",
		"[::1%]",
		"[::g]",
		"h:00000000000000000000000001x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!parse(bad[i], ADDRESS_PORT));
}

static void without_a_default_the_port_is_needed(void)
{
	CHECK(!parse("h", 0));
	CHECK(!parse("[::1]", 0));
	CHECK(!strcmp(reason, "a port is missing"));
}

static void long_ones_have_an_end(void)
{
	char s[400];

	memset(s, 'a', sizeof(s));
	s[63] = '\0';
	CHECK(parse(s, 1));
	s[63] = 'a';
	s[64] = '\0';
	CHECK(!parse(s, 1)); /* a label of 64 */
	s[64] = 'a';
	for (size_t i = 50; i < 300; i += 51)
		s[i] = '.';
	s[253] = '\0';
	CHECK(parse(s, 1));
	s[253] = 'a';
	s[254] = '\0';
	CHECK(!parse(s, 1));
	s[254] = 'a';
	s[399] = '\0';
	CHECK(!parse(s, 1));
	s[70] = '@';
	CHECK(!parse(s, 1)); /* nor is a user that long */
}

static void equal_is_host_and_port(void)
{
	struct address b;

	CHECK(parse("h:1", 0));
	b = a;
	CHECK(address_equal(&a, &b));
	b.port = 2;
	CHECK(!address_equal(&a, &b));
	CHECK(parse("i:2", 0) && !address_equal(&a, &b));
}

int main(void)
{
	RUN(addresses_and_names_are_hosts);
	RUN(what_is_written_is_read_again);
	RUN(a_user_stands_in_front);
	RUN(nothing_becomes_an_option_or_a_command);
	RUN(what_is_not_wholly_an_address_is_none);
	RUN(without_a_default_the_port_is_needed);
	RUN(long_ones_have_an_end);
	RUN(equal_is_host_and_port);
	DONE();
}
