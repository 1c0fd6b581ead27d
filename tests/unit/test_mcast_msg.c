// SPDX-License-Identifier: GPL-2.0-or-later
#include "../unit/test.h"

#include "mcast_frame.h"

#define G4 UINT32_C(0xef010203) /* 239.1.2.3 */
#define G6 mf_v6(MF_FF0E, 0x77)
#define MSEC UINT64_C(1000000)
#define SEC (1000 * MSEC)

static struct mf f;
static struct mcast_msg msg;

static enum mcast_class class_of(struct mcast_addr *to)
{
	return mcast_classify(f.bytes, f.len, to);
}

static enum mcast_kind kind(void)
{
	struct mcast_addr to;

	if (class_of(&to) != MCAST_CONTROL)
		return MCAST_OTHER;
	mcast_parse(&msg, f.bytes, f.len);
	return msg.kind;
}

/* The one record of the message, if it has one. */
static enum mcast_means means(struct mcast_addr group)
{
	struct mcast_addr to, more;
	enum mcast_means first, second;

	if (kind() != MCAST_REPORT && msg.kind != MCAST_LEAVE)
		return MCAST_NOTHING;
	CHECK(mcast_next_record(&msg, &to, &first));
	CHECK(mcast_addr_is(to, group));
	CHECK(!mcast_next_record(&msg, &more, &second));
	return first;
}

static void data_is_told_by_its_group(void)
{
	struct mcast_addr to;

	mf_data(&f, mf_v4(G4));
	CHECK(class_of(&to) == MCAST_DATA && mcast_addr_is(to, mf_v4(G4)));
	mf_data(&f, G6);
	CHECK(class_of(&to) == MCAST_DATA && mcast_addr_is(to, G6));
}

static void groups_of_the_link_are_everybodys(void)
{
	struct mcast_addr to;

	mf_data(&f, mf_v4(0xe00000fb));
	CHECK(class_of(&to) == MCAST_LINK);
	mf_data(&f, mf_v4(0xe0000101)); /* 224.0.1.1 is not one of them */
	CHECK(class_of(&to) == MCAST_DATA);
	mf_data(&f, mf_v6(MF_FF02, 1));
	CHECK(class_of(&to) == MCAST_LINK);
	mf_data(&f, mf_v6(UINT64_C(0xff01) << 48, 5));
	CHECK(class_of(&to) == MCAST_LINK);
	/* Hosts report those of IPv6 but the first. */
	mf_data(&f, mf_v6(MF_FF02, UINT64_C(0x1ff000001)));
	CHECK(class_of(&to) == MCAST_DATA);
}

static void what_is_not_multicast_of_ip_is_foreign(void)
{
	struct mcast_addr to;

	mf_data(&f, mf_v4(G4));
	f.bytes[12] = 0x88; /* an outer tag */
	f.bytes[13] = 0xa8;
	CHECK(class_of(&to) == MCAST_FOREIGN);
	mf_data(&f, mf_v4(G4));
	f.bytes[14] = 0x65;
	CHECK(class_of(&to) == MCAST_FOREIGN);
	mf_data(&f, mf_v4(G4));
	f.bytes[30] = 10; /* to 10.1.2.3 */
	CHECK(class_of(&to) == MCAST_FOREIGN);
	mf_data(&f, G6);
	f.bytes[14] = 0x40;
	CHECK(class_of(&to) == MCAST_FOREIGN);
	mf_data(&f, G6);
	f.bytes[38] = 0xfd;
	CHECK(class_of(&to) == MCAST_FOREIGN);
}

static void a_group_and_its_mac_address_go_together(void)
{
	struct mcast_addr to;

	mf_data(&f, mf_v4(G4));
	f.bytes[5] ^= 1;
	CHECK(class_of(&to) == MCAST_FOREIGN);
	mf_data(&f, mf_v4(G4 | 0x00800000)); /* 32 groups have each */
	CHECK(class_of(&to) == MCAST_DATA);
	CHECK(ether_addr(f.bytes) == mcast_mac(mf_v4(G4)));
	mf_data(&f, G6);
	f.bytes[2] ^= 1;
	CHECK(class_of(&to) == MCAST_FOREIGN);
}

static void frames_that_end_too_soon_are_foreign(void)
{
	struct mcast_addr to;

	mf_data(&f, mf_v4(G4));
	for (size_t n = 0; n < 34; n++)
		CHECK(mcast_classify(f.bytes, n, &to) == MCAST_FOREIGN);
	CHECK(mcast_classify(f.bytes, 34, &to) == MCAST_DATA);
	mf_data(&f, G6);
	for (size_t n = 0; n < 54; n++)
		CHECK(mcast_classify(f.bytes, n, &to) == MCAST_FOREIGN);
	CHECK(mcast_classify(f.bytes, 54, &to) == MCAST_DATA);
}

static void neighbour_discovery_is_data(void)
{
	uint8_t solicit[32] = { 135 };
	struct mcast_addr to, node = mf_v6(MF_FF02, UINT64_C(0x1ff123456));

	mf_ip6(&f, mf_v6(MF_LL, 1), node, solicit, sizeof(solicit));
	CHECK(class_of(&to) == MCAST_DATA && mcast_addr_is(to, node));
	f.bytes[20] = 58; /* without the header in between */
	memmove(f.bytes + 54, f.bytes + 62, 32);
	f.len -= 8;
	CHECK(class_of(&to) == MCAST_DATA);
	f.bytes[54] = 130;
	CHECK(class_of(&to) == MCAST_CONTROL);
}

static void fragments_of_messages_are_foreign(void)
{
	struct mcast_addr to;

	mf_report2(&f, G4);
	f.bytes[20] = 0x20; /* more follow */
	mf_seal4(&f);
	CHECK(class_of(&to) == MCAST_FOREIGN);
	mf_data(&f, mf_v4(G4)); /* of data every one has the address */
	f.bytes[20] = 0x20;
	CHECK(class_of(&to) == MCAST_DATA);
}

static void igmp_queries_tell_their_version(void)
{
	mf_query2(&f, 0x0a000001, 0, 0);
	CHECK(kind() == MCAST_QUERY && msg.version == 1);
	CHECK(msg.max_resp == 10 * SEC && mcast_addr_is_none(msg.group));
	mf_query2(&f, 0x0a000001, 25, 0);
	CHECK(kind() == MCAST_QUERY && msg.version == 2 && !msg.interval);
	CHECK(msg.max_resp == 2500 * MSEC);
	CHECK(mcast_addr_is(msg.source, mf_v4(0x0a000001)));
	mf_query2(&f, 0, 10, G4);
	CHECK(kind() == MCAST_QUERY && mcast_addr_is(msg.group, mf_v4(G4)));
	mf_query3(&f, 0x0a000001, 100, 0, 2, 125);
	CHECK(kind() == MCAST_QUERY && msg.version == 3);
	CHECK(msg.robustness == 2 && msg.interval == 125 * SEC);
	CHECK(!msg.suppress && !msg.sources && msg.max_resp == 10 * SEC);
	mf_query3(&f, 0x0a000001, 0x8f, G4, 8 | 7, 0xff);
	CHECK(kind() == MCAST_QUERY && msg.suppress && msg.robustness == 7);
	CHECK(msg.max_resp == 31 * 8 * 100 * MSEC);
	CHECK(msg.interval == 31 * 1024 * SEC);
}

static void a_query_about_sources_says_so(void)
{
	uint8_t body[16] = { 0x11, 10 };

	packet_be32(body + 4, G4);
	body[11] = 1;
	packet_be32(body + 12, 0x0a000063);
	mf_ip4(&f, 0x0a000001, G4, false, body, sizeof(body));
	CHECK(kind() == MCAST_QUERY && msg.sources);
}

static void reports_of_all_versions_are_read(void)
{
	mf_igmp(&f, 0x12, 0, 1, G4, G4);
	CHECK(means(mf_v4(G4)) == MCAST_JOIN && msg.version == 1);
	mf_report2(&f, G4);
	CHECK(means(mf_v4(G4)) == MCAST_JOIN && msg.version == 2);
	mf_leave2(&f, G4);
	CHECK(means(mf_v4(G4)) == MCAST_GONE && msg.kind == MCAST_LEAVE);
	mf_mld_report(&f, G6);
	CHECK(means(G6) == MCAST_JOIN && msg.version == 1 && msg.v6);
	mf_mld_done(&f, G6);
	CHECK(means(G6) == MCAST_GONE && msg.kind == MCAST_LEAVE);
}

static void a_record_means_what_is_left_of_a_group(void)
{
	static const struct {
		uint8_t type;
		size_t sources;
		enum mcast_means means;
	} all[] = {
		{ 1, 0, MCAST_NOTHING }, { 1, 2, MCAST_JOIN },
		{ 2, 0, MCAST_JOIN },	 { 2, 2, MCAST_JOIN },
		{ 3, 0, MCAST_GONE },	 { 3, 1, MCAST_JOIN },
		{ 4, 0, MCAST_JOIN },	 { 4, 3, MCAST_JOIN },
		{ 5, 0, MCAST_NOTHING }, { 5, 1, MCAST_JOIN },
		{ 6, 0, MCAST_NOTHING }, { 6, 1, MCAST_LESS },
		{ 0, 1, MCAST_NOTHING }, { 7, 0, MCAST_NOTHING },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		mf_report3(&f, all[i].type, G4, all[i].sources);
		CHECK(means(mf_v4(G4)) == all[i].means && msg.version == 3);
		mf_mld_report2(&f, mf_v6(MF_LL, 1), all[i].type, G6,
			       all[i].sources);
		CHECK(means(G6) == all[i].means && msg.version == 2);
	}
}

static void a_report_may_have_many_records(void)
{
	static uint8_t body[9000];
	struct mcast_addr group;
	enum mcast_means m;
	size_t n = 8;
	unsigned int i;

	body[0] = 0x22;
	for (i = 0; i < 700; i++) {
		n += mf_record(body + n, 2, mf_v4(G4 + i), i % 2);
		if (i % 3 == 0) { /* auxiliary data, to be passed over */
			body[n - (i % 2 ? 12 : 8) + 1] = 1;
			n += 4;
		}
	}
	packet_be16(body + 6, i);
	mf_ip4(&f, 0, 0xe0000016, true, body, n + 5);
	CHECK(kind() == MCAST_REPORT && msg.n_records == 700);
	for (i = 0; mcast_next_record(&msg, &group, &m); i++)
		CHECK(m == MCAST_JOIN && group.lo == G4 + i);
	CHECK(i == 700);
	packet_be16(body + 6, i + 2);
	mf_ip4(&f, 0, 0xe0000016, true, body, n + 5);
	CHECK(kind() == MCAST_BROKEN);
}

static void every_bit_counts(void)
{
	mf_report3(&f, 2, G4, 1);
	for (size_t bit = 8 * 14; bit < 8 * f.len; bit++) {
		struct mcast_addr to;

		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (class_of(&to) == MCAST_CONTROL)
			CHECK(kind() == MCAST_BROKEN);
		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	mf_mld_report2(&f, mf_v6(MF_LL, 1), 2, G6, 1);
	for (size_t bit = 8 * MF_IP6; bit < 8 * f.len; bit++) {
		struct mcast_addr to;

		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (class_of(&to) == MCAST_CONTROL)
			CHECK(kind() == MCAST_BROKEN);
		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void a_message_that_ends_too_soon_is_broken(void)
{
	size_t len;

	mf_report3(&f, 2, G4, 2);
	len = f.len;
	while (--len >= MF_IP4) {
		f.len = len;
		CHECK(kind() == MCAST_BROKEN);
		packet_be16(f.bytes + 16, len - 14); /* and says so */
		mf_seal4(&f);
		CHECK(kind() == MCAST_BROKEN);
		mf_report3(&f, 2, G4, 2);
	}
	mf_mld_report2(&f, mf_v6(MF_LL, 1), 2, G6, 1);
	len = f.len;
	while (--len > MF_IP6 + 3) {
		f.len = len;
		CHECK(kind() == MCAST_BROKEN);
		packet_be16(f.bytes + 18, len - 54);
		mf_seal6(&f, MF_IP6);
		CHECK(kind() == MCAST_BROKEN);
		mf_mld_report2(&f, mf_v6(MF_LL, 1), 2, G6, 1);
	}
}

static void padding_behind_the_packet_is_no_part_of_it(void)
{
	mf_report2(&f, G4);
	memset(f.bytes + f.len, 0xee, 60 - f.len);
	f.len = 60;
	CHECK(kind() == MCAST_REPORT);
}

static void messages_come_from_this_link(void)
{
	mf_report2(&f, G4);
	f.bytes[22] = 2; /* TTL */
	mf_seal4(&f);
	CHECK(kind() == MCAST_BROKEN);
	mf_mld_report(&f, G6);
	f.bytes[21] = 255; /* hop limit */
	CHECK(kind() == MCAST_BROKEN);
	mf_mld_report2(&f, mf_v6(UINT64_C(0xfd) << 56, 1), 2, G6, 0);
	CHECK(kind() == MCAST_BROKEN);
	mf_mld_report2(&f, mf_v6(0, 0), 2, G6, 0);
	CHECK(kind() == MCAST_REPORT);
	mf_igmp(&f, 0x16, 0, 0, G4, G4); /* from 0.0.0.0 */
	CHECK(kind() == MCAST_REPORT);
}

static void messages_are_sent_to_whom_they_concern(void)
{
	mf_igmp(&f, 0x11, 10, 1, G4 + 1, G4);
	CHECK(kind() == MCAST_BROKEN);
	mf_igmp(&f, 0x11, 10, 1, G4, 0);
	CHECK(kind() == MCAST_BROKEN);
	mf_igmp(&f, 0x16, 0, 1, G4 + 1, G4);
	CHECK(kind() == MCAST_BROKEN);
	mf_mld(&f, 130, 10, mf_v6(MF_LL, 1), mf_v6(MF_FF02, 1), G6);
	CHECK(kind() == MCAST_BROKEN);
}

static void a_router_alert_is_not_required(void)
{
	uint8_t body[8] = { 0x16 };

	packet_be32(body + 4, G4);
	mf_ip4(&f, 1, G4, true, body, sizeof(body));
	CHECK(kind() == MCAST_REPORT);
}

static void other_types_of_igmp_are_left_alone(void)
{
	mf_igmp(&f, 0x13, 0, 1, G4, G4); /* DVMRP */
	CHECK(kind() == MCAST_OTHER && msg.kind == MCAST_OTHER);
	f.bytes[22] = 64;
	mf_seal4(&f);
	CHECK(kind() == MCAST_OTHER && msg.kind == MCAST_OTHER);
}

static void routers_say_that_they_are_there(void)
{
	uint8_t hello[12] = { 0x20, 0, 0, 0, 0, 1, 0, 2, 0, 105 };
	uint8_t mrd[8] = { 151, 20, 0, 0, 0, 125, 0, 2 };

	mf_ip4(&f, 0x0a000001, 0xe000000d, false, hello, sizeof(hello));
	f.bytes[23] = 103;
	mf_seal4(&f);
	CHECK(kind() == MCAST_ROUTER);
	f.bytes[MF_IP4 + 5] ^= 1;
	CHECK(kind() == MCAST_BROKEN);
	mf_igmp(&f, 0x30, 20, 1, 0xe000006a, 0x007d0002);
	CHECK(kind() == MCAST_ROUTER);
	mf_ip6(&f, mf_v6(MF_LL, 1), mf_v6(MF_FF02, 0x6a), mrd, sizeof(mrd));
	CHECK(kind() == MCAST_ROUTER);
}

static void mld_queries_tell_their_version(void)
{
	uint8_t body[28] = { 130, 0, 0, 0, 0x90, 0x01 };

	mf_mld_query(&f, mf_v6(MF_LL, 9), 2500, mf_v6(0, 0));
	CHECK(kind() == MCAST_QUERY && msg.version == 1 && msg.v6);
	CHECK(msg.max_resp == 2500 * MSEC && mcast_addr_is_none(msg.group));
	mf_mld_query(&f, mf_v6(MF_LL, 9), 1000, G6);
	CHECK(kind() == MCAST_QUERY && mcast_addr_is(msg.group, G6));
	body[24] = 3;
	body[25] = 60;
	mf_ip6(&f, mf_v6(MF_LL, 9), mf_v6(MF_FF02, 1), body, sizeof(body));
	CHECK(kind() == MCAST_QUERY && msg.version == 2);
	CHECK(msg.max_resp == 0x1001 * 16 * MSEC);
	CHECK(msg.robustness == 3 && msg.interval == 60 * SEC);
	mf_ip6(&f, mf_v6(MF_LL, 9), mf_v6(MF_FF02, 1), body, 26);
	CHECK(kind() == MCAST_BROKEN);
}

static void own_queries_are_valid(void)
{
	static const uint32_t resp[] = {
		100, 1000, 10000, 12800, 25500, 60000
	};
	static const uint32_t times[] = { 1, 125, 127, 128, 300, 3600 };
	struct mcast_query q = { .mac = UINT64_C(0x00ff01020304),
				 .robustness = 2 };

	for (size_t i = 0; i < 4 * ARRAY_SIZE(resp); i++) {
		q.v6 = i & 1;
		q.max_resp_ms = resp[i / 4];
		q.interval_s = times[i / 4];
		q.group = !(i & 2) ? (struct mcast_addr){ 0, 0 }
			  : q.v6   ? G6
				   : mf_v4(G4);
		f.len = mcast_write_query(&q, f.bytes);
		CHECK(f.len >= 60 && f.len <= MCAST_QUERY_MAX);
		CHECK(kind() == MCAST_QUERY && msg.v6 == q.v6);
		CHECK(msg.version == (q.v6 ? 2 : 3) && msg.robustness == 2);
		CHECK(mcast_addr_is(msg.group, q.group));
		CHECK(msg.max_resp <= q.max_resp_ms * MSEC);
		CHECK(msg.max_resp > q.max_resp_ms * MSEC * 15 / 16);
		CHECK(msg.interval <= q.interval_s * SEC);
		CHECK(msg.interval > q.interval_s * SEC * 15 / 16);
		CHECK(mcast_addr_is(msg.source,
				    q.v6 ? mf_v6(MF_LL, 0x02ff01fffe020304)
					 : mf_v4(0)));
	}
}

int main(void)
{
	RUN(data_is_told_by_its_group);
	RUN(groups_of_the_link_are_everybodys);
	RUN(what_is_not_multicast_of_ip_is_foreign);
	RUN(a_group_and_its_mac_address_go_together);
	RUN(frames_that_end_too_soon_are_foreign);
	RUN(neighbour_discovery_is_data);
	RUN(fragments_of_messages_are_foreign);
	RUN(igmp_queries_tell_their_version);
	RUN(a_query_about_sources_says_so);
	RUN(reports_of_all_versions_are_read);
	RUN(a_record_means_what_is_left_of_a_group);
	RUN(a_report_may_have_many_records);
	RUN(every_bit_counts);
	RUN(a_message_that_ends_too_soon_is_broken);
	RUN(padding_behind_the_packet_is_no_part_of_it);
	RUN(messages_come_from_this_link);
	RUN(messages_are_sent_to_whom_they_concern);
	RUN(a_router_alert_is_not_required);
	RUN(other_types_of_igmp_are_left_alone);
	RUN(routers_say_that_they_are_there);
	RUN(mld_queries_tell_their_version);
	RUN(own_queries_are_valid);
	DONE();
}
