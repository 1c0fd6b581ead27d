// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ether.h"

#include <string.h>

#include "../unit/test.h"

static void bytes_and_registers_agree(void)
{
	static const uint8_t bytes[] = { 0x02, 0x00, 0xab, 0xcd, 0xef, 0x01 };

	CHECK(ether_addr(bytes) == UINT64_C(0x0200abcdef01));
	CHECK(ether_be16(bytes + 2) == 0xabcd);
	CHECK(!ether_is_multicast(ether_addr(bytes)));
	CHECK(ether_is_multicast(UINT64_C(0xffffffffffff)));
	CHECK(ether_is_multicast(UINT64_C(0x01005e000001)));
	CHECK(ether_is_multicast(UINT64_C(0x333300000001)));
	CHECK(!ether_is_multicast(UINT64_C(0x0000ffffffff)));
}

static void addresses_are_printed_in_full(void)
{
	char s[ETHER_STRLEN];

	CHECK(!strcmp(ether_str(s, 0), "00:00:00:00:00:00"));
	CHECK(!strcmp(ether_str(s, UINT64_C(0x02ab0c0d0e9f)),
		      "02:ab:0c:0d:0e:9f"));
	CHECK(!strcmp(ether_str(s, UINT64_C(0xffffffffffff)),
		      "ff:ff:ff:ff:ff:ff"));
}

static bool reads(const char *s, uint64_t expected)
{
	uint64_t v = 1;

	return ether_parse(s, &v) && v == expected;
}

static bool refuses(const char *s)
{
	uint64_t v = 4711;

	return !ether_parse(s, &v) && v == 4711;
}

static void addresses_are_read_in_vde2s_forms(void)
{
	CHECK(reads("02:ab:0c:0d:0e:9f", UINT64_C(0x02ab0c0d0e9f)));
	CHECK(reads("02:AB:0C:0D:0E:9F", UINT64_C(0x02ab0c0d0e9f)));
	CHECK(reads("2.ab.c.d.e.9f", UINT64_C(0x02ab0c0d0e9f)));
	CHECK(reads("0:0:0:0:0:0", 0));
	CHECK(reads("2:ab.0c:d.e:9f", UINT64_C(0x02ab0c0d0e9f)));
}

static void anything_else_is_no_address(void)
{
	static const char *const bad[] = {
		"",
		":",
		"02",
		"02:",
		"02:ab:0c:0d:0e",
		"02:ab:0c:0d:0e:",
		"02:ab:0c:0d:0e:9f:",
		"02:ab:0c:0d:0e:9f:01",
		"02:ab:0c:0d:0e:9f ",
		" 02:ab:0c:0d:0e:9f",
		"002:ab:0c:0d:0e:9f",
		"02:ab:0c:0d:0e:9ff",
		"02::0c:0d:0e:9f",
		":02:ab:0c:0d:0e",
		"02-ab-0c-0d-0e-9f",
		"02ab0c0d0e9f",
		"0g:ab:0c:0d:0e:9f",
		"@2:ab:0c:0d:0e:9f",
		"\x12:ab:0c:0d:0e:9f",
		"-2:ab:0c:0d:0e:9f",
		"0x2:ab:0c:0d:0e:9f",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!refuses(bad[i])) {
			printf("# taken: '%s'\n", bad[i]);
			test_failed = 1;
		}
}

static void only_digits_are_digits(void)
{
	char s[] = "0?:00:00:00:00:00";
	int taken = 0;
	uint64_t v;

	for (int c = 1; c < 256; c++) {
		s[1] = (char)c;
		taken += ether_parse(s, &v);
	}
	CHECK(taken == 22);
}

int main(void)
{
	RUN(bytes_and_registers_agree);
	RUN(addresses_are_printed_in_full);
	RUN(addresses_are_read_in_vde2s_forms);
	RUN(anything_else_is_no_address);
	RUN(only_digits_are_digits);
	DONE();
}
