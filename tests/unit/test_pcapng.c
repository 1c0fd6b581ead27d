// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"

#include "../unit/test.h"

static uint8_t out[8192], expected[8192];
static size_t want;

static void begin(void)
{
	memset(out, 0xaa, sizeof(out));
	want = 0;
}

static void u8(uint8_t v)
{
	expected[want++] = v;
}

static void u16(uint16_t v)
{
	memcpy(expected + want, &v, sizeof(v));
	want += sizeof(v);
}

static void u32(uint32_t v)
{
	memcpy(expected + want, &v, sizeof(v));
	want += sizeof(v);
}

static void u64(uint64_t v)
{
	memcpy(expected + want, &v, sizeof(v));
	want += sizeof(v);
}

/* Filled up with zeros to 32 bits. */
static void bytes(const void *p, size_t n)
{
	memcpy(expected + want, p, n);
	want += n;
	while (want % 4)
		u8(0);
}

static bool same(size_t len)
{
	if (len == want && !memcmp(out, expected, len) && out[len] == 0xaa)
		return true;
	printf("# %zu bytes, wanted %zu\n", len, want);
	for (size_t i = 0; i < len && i < want; i++)
		if (out[i] != expected[i])
			printf("# byte %zu: %02x, wanted %02x\n", i, out[i],
			       expected[i]);
	return false;
}

static void a_section_names_the_program(void)
{
	begin();
	u32(0x0a0d0d0a);
	u32(28 + 12 + 4);
	u32(0x1a2b3c4d);
	u16(1);
	u16(0);
	u64(UINT64_MAX);
	u16(4);
	u16(6);
	bytes("prog 1", 6);
	u32(0);
	u32(28 + 12 + 4);
	CHECK(same(pcapng_put_section(out, sizeof(out), "prog 1")));
	CHECK(pcapng_block_len(out) == 44);
}

static void an_interface_has_name_description_filter_and_nanoseconds(void)
{
	const struct pcapng_interface i = { "port 3", "me", "icmp", 65535 };

	begin();
	u32(1);
	u32(20 + 12 + 8 + 8 + 12 + 4);
	u16(1);
	u16(0);
	u32(65535);
	u16(2);
	u16(6);
	bytes("port 3", 6);
	u16(3);
	u16(2);
	bytes("me", 2);
	u16(9);
	u16(1);
	bytes("\t", 1);
	u16(11);
	u16(5);
	bytes("\0icmp", 5);
	u32(0);
	u32(20 + 12 + 8 + 8 + 12 + 4);
	CHECK(same(pcapng_put_interface(out, sizeof(out), &i)));
}

static void what_is_not_known_of_an_interface_is_left_out(void)
{
	const struct pcapng_interface i = { "p", NULL, NULL, 96 };

	CHECK(pcapng_put_interface(out, sizeof(out), &i) == 20 + 8 + 8 + 4);
}

static void a_packet_is_put_together_from_pieces(void)
{
	const struct iovec iov[] = { { unconst("abc"), 3 },
				     { unconst("defgh"), 5 },
				     { unconst("ijklm"), 5 } };
	const struct pcapng_packet pkt = {
		.interface = 2,
		.flags = PCAPNG_INBOUND | PCAPNG_BROADCAST,
		.time_ns = UINT64_C(0x0123456789abcdef),
		.iov = iov,
		.len = 9,
		.wire_len = 13,
	};

	begin();
	u32(6);
	u32(32 + 12 + 8 + 4);
	u32(2);
	u32(0x01234567);
	u32(0x89abcdef);
	u32(9);
	u32(13);
	bytes("abcdefghi", 9);
	u16(2);
	u16(4);
	u32(1 | 3 << 2);
	u32(0);
	u32(32 + 12 + 8 + 4);
	CHECK(same(pcapng_put_packet(out, sizeof(out), &pkt)));
}

static void a_packet_says_why_it_was_dropped_and_what_is_missing(void)
{
	const struct iovec iov = { unconst("abcd"), 4 };
	const struct pcapng_packet pkt = { .flags = PCAPNG_OUTBOUND,
					   .iov = &iov,
					   .len = 4,
					   .wire_len = 4,
					   .lost = UINT64_C(1) << 40,
					   .comment = "dropped: x",
					   .verdict = "x" };

	begin();
	u32(6);
	u32(32 + 4 + 8 + 12 + 16 + 8 + 4);
	u32(0);
	u32(0);
	u32(0);
	u32(4);
	u32(4);
	bytes("abcd", 4);
	u16(2);
	u16(4);
	u32(2);
	u16(4);
	u16(8);
	u64(UINT64_C(1) << 40);
	u16(1);
	u16(10);
	bytes("dropped: x", 10);
	u16(7);
	u16(2);
	bytes("\0x", 2);
	u32(0);
	u32(32 + 4 + 8 + 12 + 16 + 8 + 4);
	CHECK(same(pcapng_put_packet(out, sizeof(out), &pkt)));
}

static void an_empty_packet_is_one_too(void)
{
	const struct pcapng_packet pkt = { .wire_len = 5 };

	CHECK(pcapng_put_packet(out, sizeof(out), &pkt) == 32 + 8 + 4);
}

static void statistics_tell_what_was_lost(void)
{
	const struct pcapng_stats st = {
		.interface = 1, .start_ns = 5, .end_ns = 7, .seen = 9, .lost = 3
	};

	begin();
	u32(5);
	u32(24 + 4 * 12 + 4);
	u32(1);
	u32(0);
	u32(7);
	u16(2);
	u16(8);
	u32(0);
	u32(5);
	u16(3);
	u16(8);
	u32(0);
	u32(7);
	u16(5);
	u16(8);
	u64(3);
	u16(6);
	u16(8);
	u64(9);
	u32(0);
	u32(24 + 4 * 12 + 4);
	CHECK(same(pcapng_put_stats(out, sizeof(out), &st)));
}

static void a_block_that_does_not_fit_is_not_begun(void)
{
	const struct iovec iov = { unconst("abcdefgh"), 8 };
	const struct pcapng_packet pkt = { .iov = &iov,
					   .len = 8,
					   .wire_len = 8 };
	const struct pcapng_interface i = { "port 1", NULL, NULL, 1 };
	const struct pcapng_stats st = { 0 };

	begin();
	CHECK(!pcapng_put_section(out, 35, "p"));
	CHECK(!pcapng_put_interface(out, 43, &i));
	CHECK(!pcapng_put_packet(out, 51, &pkt));
	CHECK(!pcapng_put_stats(out, 75, &st));
	CHECK(out[0] == 0xaa);
	CHECK(pcapng_put_section(out, 40, "p") == 40);
	CHECK(pcapng_put_interface(out, 44, &i) == 44);
	CHECK(pcapng_put_packet(out, 52, &pkt) == 52);
	CHECK(pcapng_put_stats(out, 76, &st) == 76);
	CHECK(out[76] == 0xaa || pcapng_block_len(out) == 76);
}

static void text_that_is_not_utf8_is_not_passed_on(void)
{
	const struct pcapng_interface i = { "\xffz\xc3\xa9", NULL, NULL, 1 };

	CHECK(pcapng_put_interface(out, sizeof(out), &i) == 20 + 8 + 8 + 4);
	CHECK(!memcmp(out + 20, "?z\xc3\xa9", 4));
}

static void long_text_is_cut_between_characters(void)
{
	static char text[2 * PCAPNG_TEXT_MAX];
	const struct pcapng_interface i = { text, NULL, NULL, 1 };
	uint16_t len;

	memset(text, 'x', PCAPNG_TEXT_MAX - 1);
	memcpy(text + PCAPNG_TEXT_MAX - 1, "\xc3\xa9zz", 5);
	CHECK(pcapng_put_interface(out, sizeof(out), &i));
	memcpy(&len, out + 18, sizeof(len));
	CHECK(len == PCAPNG_TEXT_MAX - 1);
}

static void a_dropped_packet_is_no_longer_than_was_said(void)
{
	struct pcapng_packet pkt = {
		.lost = 1,
		.comment = "dropped: no_untagged_vlan_and_more",
		.verdict = "no_untagged_vlan_and_more",
	};

	CHECK(pcapng_put_packet(out, sizeof(out), &pkt) <= PCAPNG_PACKET_EXTRA);
}

/* ---- what others make of it ---- */

static char dir[64], path[96], line[512];

static size_t write_capture(void)
{
	const struct pcapng_interface a = { "port 1", "one", "ip", 262144 };
	const struct pcapng_interface b = { "port 22", NULL, NULL, 262144 };
	static uint8_t frame[60] =
		"\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x88\xb5";
	const struct iovec iov = { frame, sizeof(frame) };
	struct pcapng_packet pkt = { .flags = PCAPNG_INBOUND | PCAPNG_BROADCAST,
				     .time_ns = UINT64_C(1700000000123456789),
				     .iov = &iov,
				     .len = 60,
				     .wire_len = 60 };
	struct pcapng_stats st = {
		.start_ns = 1, .end_ns = 2, .seen = 12, .lost = 11
	};
	size_t n = 0, room = sizeof(out);

	n += pcapng_put_section(out, room, "vde_switch test");
	n += pcapng_put_interface(out + n, room - n, &a);
	n += pcapng_put_packet(out + n, room - n, &pkt);
	n += pcapng_put_interface(out + n, room - n, &b);
	pkt.interface = 1;
	pkt.flags = PCAPNG_OUTBOUND | PCAPNG_NO_CSUM;
	pkt.lost = 11;
	pkt.comment = "dropped: queue_full";
	pkt.verdict = "queue_full";
	pkt.len = 20;
	n += pcapng_put_packet(out + n, room - n, &pkt);
	n += pcapng_put_stats(out + n, room - n, &st);
	return n;
}

static FILE *reader(const char *command)
{
	static char cmd[1024];

	str_fmt(cmd, sizeof(cmd), "HOME=%s XDG_CONFIG_HOME=%s %s %s 2>&1", dir,
		dir, command, path);
	return popen(cmd, "r");
}

/* Are these lines there, in that order? Others between them do not matter. */
static bool prints(const char *command, const char *const *lines, size_t n)
{
	FILE *f = reader(command);
	size_t at = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (at < n && strstr(line, lines[at]))
			at++;
		else
			printf("# %s", line);
	}
	return f && pclose(f) == 0 && at == n;
}

static void tshark_shows_everything_that_was_said_of_a_packet(void)
{
	static const char *const lines[] = {
		"1700000000.123456789|60|60|port 1|one|0x00000001|3|||",
		"1700000000.123456789|20|60|port 22||0x00000002|0|"
		"dropped: queue_full|11|71",
	};

	CHECK(prints("tshark -n -T fields -E separator='|' "
		     "-e frame.time_epoch -e frame.cap_len -e frame.len "
		     "-e frame.interface_name -e frame.interface_description "
		     "-e frame.packet_flags_direction "
		     "-e frame.packet_flags_reception_type -e frame.comment "
		     "-e frame.drop_count -e frame.verdict.hw -r",
		     lines, ARRAY_SIZE(lines)));
}

static void capinfos_shows_program_interfaces_and_filter(void)
{
	static const char *const lines[] = {
		"pcapng",
		"Number of packets:   2",
		"Capture application: vde_switch test",
		"Name = port 1",
		"Description = one",
		"Capture length = 262144",
		"Time precision = nanoseconds (9)",
		"Filter string = ip",
		"Number of stat entries = 1",
		"Name = port 22",
	};

	CHECK(prints("capinfos", lines, ARRAY_SIZE(lines)));
}

static void read_by_others(void)
{
	size_t n = write_capture();
	FILE *f;

	if (system("command -v tshark >/dev/null 2>&1 && "
		   "command -v capinfos >/dev/null 2>&1") != 0) {
		printf("ok %d - tshark and capinfos read it # SKIP no tshark\n",
		       ++test_count);
		return;
	}
	if (str_fmt(dir, sizeof(dir), "/tmp/vde-pcapng.XXXXXX") < 0 ||
	    !mkdtemp(dir) ||
	    str_fmt(path, sizeof(path), "%s/c.pcapng", dir) < 0)
		abort();
	f = fopen(path, "w");
	if (!f || fwrite(out, 1, n, f) != n || fclose(f))
		abort();
	RUN(tshark_shows_everything_that_was_said_of_a_packet);
	RUN(capinfos_shows_program_interfaces_and_filter);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	RUN(a_section_names_the_program);
	RUN(an_interface_has_name_description_filter_and_nanoseconds);
	RUN(what_is_not_known_of_an_interface_is_left_out);
	RUN(a_packet_is_put_together_from_pieces);
	RUN(a_packet_says_why_it_was_dropped_and_what_is_missing);
	RUN(an_empty_packet_is_one_too);
	RUN(statistics_tell_what_was_lost);
	RUN(a_block_that_does_not_fit_is_not_begun);
	RUN(text_that_is_not_utf8_is_not_passed_on);
	RUN(long_text_is_cut_between_characters);
	RUN(a_dropped_packet_is_no_longer_than_was_said);
	read_by_others();
	DONE();
}
