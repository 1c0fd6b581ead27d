// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches of segments, and the frames that they become: how many, in which
 * order, and that cutting gives the segments back.
 */
#include "base/gro.h"

#include <errno.h>

#include "../unit/packet.h"
#include "../unit/test.h"

#define ALL (OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO)
#define SEG_MAX 2048

static struct gro gro;
static uint8_t bytes[GRO_BATCH][SEG_MAX];
static struct gro_frame batch[GRO_BATCH];
static unsigned int n_batch;
static uint8_t super[PACKET_MAX + 4], piece[PACKET_MAX];

static const struct packet tcp4 = { .version = 4,
				    .tcp_options = 12,
				    .ttl = 64,
				    .flags = 0x10,
				    .id = 100,
				    .port = 4000,
				    .seq = 1000,
				    .payload = 1448 };
static const struct packet tcp6 = { .version = 6,
				    .tcp_options = 12,
				    .ttl = 64,
				    .flags = 0x10,
				    .port = 4000,
				    .seq = UINT32_MAX - 2000,
				    .payload = 1428 };
static const struct packet udp4 = {
	.version = 4, .udp = true, .ttl = 64, .port = 4000, .payload = 1200
};

static void begin(unsigned int caps)
{
	gro_init(&gro, caps, 65535 + ETHER_HDR_LEN);
	n_batch = 0;
}

/* One more frame; @k moves on to the next segment of its flow. */
static void add(struct packet *k)
{
	struct gro_frame *f = &batch[n_batch];
	struct frame_offload o;

	packet_make(k, super, &o);
	f->len = (uint32_t)packet_make(k, super, &f->offload);
	f->data = bytes[n_batch];
	f->mark = 0;
	memcpy(bytes[n_batch++], super, f->len);
	k->seq += (uint32_t)k->payload;
	k->id++;
	k->fill++;
}

/* The sum of TCP or UDP of the last frame is right again. */
static void seal(void)
{
	struct gro_frame *f = &batch[n_batch - 1];
	struct packet_view v;

	packet_read(f->data, f->len, &v);
	packet_seal(bytes[n_batch - 1], v.ip, v.l4, f->len, v.proto == 17);
}

/* Cuts the run @r as its receiver would: its segments are the frames of the
 * batch that are in it, in their order. */
static bool gives_back(const struct gro_run *r, const uint8_t *tag)
{
	struct frame_offload o;
	struct offload_cut c;
	ssize_t len = gro_copy(&gro, r, tag, &o, super, sizeof(super)), n;
	unsigned int i = r->first;
	size_t t = tag ? ETHER_TAG_LEN : 0;

	if (len != (ssize_t)(r->len + t) ||
	    !offload_check(super, (size_t)len, &o) ||
	    offload_cut_start(&c, super, (size_t)len, &o, NULL) != r->count)
		return false;
	while ((n = offload_cut_copy(&c, piece, sizeof(piece))) > 0) {
		if (tag) {
			if (memcmp(piece + 12, tag, t) != 0)
				return false;
			memmove(piece + 12, piece + 16, (size_t)n - 16);
		}
		if (i == GRO_END || (size_t)n - t != batch[i].len ||
		    memcmp(piece, batch[i].data, batch[i].len) != 0)
			return false;
		i = gro.next[i];
	}
	return i == GRO_END;
}

/* Merges; the frames that leave have these numbers of segments. */

static bool leaves(const char *counts)
{
	unsigned int n = gro_merge(&gro, batch, n_batch), i;
	char got[GRO_BATCH + 1];

	for (i = 0; i < n; i++)
		got[i] = (char)(gro.runs[i].count < 10
					? '0' + gro.runs[i].count
					: 'a' + gro.runs[i].count - 10);
	got[n] = 0;
	if (strcmp(got, counts) != 0) {
		printf("# %s, not %s\n", got, counts);
		return false;
	}
	return true;
}

/* ---- there and back ---- */

static void segments_become_the_frame_they_were_cut_from(void)
{
	struct packet kinds[] = { tcp4, tcp6, udp4 };

	for (unsigned int i = 0; i < 3u * 3; i++) {
		struct packet k = kinds[i % 3];
		static uint8_t want[PACKET_MAX];
		struct frame_offload o, got;
		struct offload_cut c;
		size_t len;
		ssize_t n;

		k.tags = (int)(i / 3);
		if (k.tags == 2) {
			k.tags = 0;
			k.flags |= 0xc8; /* CWR, ECE, PSH */
		}
		k.gso_size = 1000;
		k.payload = 12345;
		len = packet_make(&k, want, &o);
		if (!k.udp && k.flags & 0x80)
			o.gso_type |= FRAME_GSO_ECN;
		CHECK(offload_cut_start(&c, want, len, &o, NULL) == 13);
		begin(ALL | OFFLOAD_ECN);
		for (; (n = offload_cut_copy(&c, bytes[n_batch], SEG_MAX)) > 0;
		     n_batch++)
			batch[n_batch] = (struct gro_frame){
				.data = bytes[n_batch], .len = (uint32_t)n
			};
		CHECK(leaves("d"));
		CHECK(gro_copy(&gro, gro.runs, NULL, &got, super,
			       sizeof(super)) == (ssize_t)len);
		CHECK(!memcmp(super, want, len));
		CHECK(!memcmp(&got, &o, sizeof(o)));
	}
}

static void a_merged_frame_can_be_cut_into_its_segments(void)
{
	static const uint8_t tag[ETHER_TAG_LEN] = { 0x81, 0, 0, 7 };
	struct packet kinds[] = { tcp4, tcp6, udp4 };

	for (int i = 0; i < 3; i++) {
		struct packet k = kinds[i];

		begin(ALL);
		for (int s = 0; s < 9; s++)
			add(&k);
		k.payload = 77;
		k.flags |= 0x08;
		add(&k);
		CHECK(leaves("a"));
		CHECK(gives_back(gro.runs, NULL));
		CHECK(gives_back(gro.runs, tag));
	}
}

static void payload_is_not_copied(void)
{
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[GRO_IOV];
	struct frame_offload o;
	struct packet k = tcp4;

	begin(ALL);
	add(&k);
	add(&k);
	CHECK(leaves("2"));
	CHECK(gro_iov(&gro, gro.runs, NULL, &o, hdr, iov) == 3);
	CHECK(iov[0].iov_base == hdr && iov[0].iov_len == 66);
	CHECK(iov[1].iov_base == bytes[0] + 66 && iov[1].iov_len == 1448);
	CHECK(iov[2].iov_base == bytes[1] + 66 && iov[2].iov_len == 1448);
	CHECK(o.flags == FRAME_NEEDS_CSUM && o.gso_type == FRAME_GSO_TCPV4);
	CHECK(o.hdr_len == 66 && o.gso_size == 1448);
	CHECK(o.csum_start == 34 && o.csum_offset == 16);
	CHECK(gro.runs[0].len == 66 + 2 * 1448);
}

static void a_lone_frame_leaves_as_it_came(void)
{
	static const uint8_t tag[ETHER_TAG_LEN] = { 0x81, 0, 0, 7 };
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[GRO_IOV];
	struct frame_offload o;
	struct packet k = tcp4;

	begin(ALL);
	add(&k);
	batch[0].offload = (struct frame_offload){ .flags = FRAME_NEEDS_CSUM,
						   .csum_start = 34,
						   .csum_offset = 16 };
	CHECK(leaves("1"));
	CHECK(gro_iov(&gro, gro.runs, NULL, &o, hdr, iov) == 1);
	CHECK(iov[0].iov_base == bytes[0] && iov[0].iov_len == batch[0].len);
	CHECK(!memcmp(&o, &batch[0].offload, sizeof(o)));
	CHECK(gro_copy(&gro, gro.runs, tag, &o, super, sizeof(super)) ==
	      (ssize_t)batch[0].len + 4);
	CHECK(!memcmp(super, bytes[0], 12) && !memcmp(super + 12, tag, 4));
	CHECK(!memcmp(super + 16, bytes[0] + 12, batch[0].len - 12));
	CHECK(o.csum_start == 38);
	CHECK(gro_copy(&gro, gro.runs, NULL, &o, super, batch[0].len) ==
	      (ssize_t)batch[0].len);
	CHECK(gro_copy(&gro, gro.runs, NULL, &o, super, batch[0].len - 1) ==
	      -EMSGSIZE);
	batch[0].offload = (struct frame_offload){ 0 };
	batch[0].len = 14;
	CHECK(leaves("1"));
	CHECK(gro_copy(&gro, gro.runs, tag, &o, super, sizeof(super)) == 18);
	batch[0].len = 13;
	CHECK(leaves("1"));
	CHECK(gro_iov(&gro, gro.runs, tag, &o, hdr, iov) == 0);
}

/* ---- what does not merge ---- */

/* Two segments that merge, but for one thing about the second; a third that
 * continues the second. */
#define APART(kind, wrong)                                     \
	do {                                                   \
		struct packet k = (kind);                      \
		uint8_t *f = bytes[1];                         \
		begin(ALL);                                    \
		add(&k);                                       \
		add(&k);                                       \
		CHECK(leaves("2"));                            \
		wrong;                                         \
		(void)f;                                       \
		if (!leaves("11") || gro.runs[0].first != 0 || \
		    gro.runs[1].first != 1) {                  \
			printf("# merged: %s\n", #wrong);      \
			test_failed = 1;                       \
		}                                              \
	} while (0)

/* A change of the second's IPv4 header or of what is under TCP's sum. */
#define IP4(change)                      \
	(change, packet_be16(f + 24, 0), \
	 packet_be16(f + 24, ~packet_sum(0, f + 14, 20) & 0xffff))
#define L4(change) (change, seal())

static void headers_must_be_equal(void)
{
	APART(tcp4, f[0] ^= 4); /* destination */
	APART(tcp4, f[11] ^= 4); /* source */
	APART(tcp4, IP4(f[15] ^= 4)); /* type of service */
	APART(tcp4, IP4(f[20] ^= 0x40)); /* DF */
	APART(tcp4, IP4(f[20] ^= 0x80)); /* the reserved bit */
	APART(tcp4, IP4(f[22]--)); /* time to live */
	APART(tcp4, IP4(f[19]++)); /* number */
	APART(tcp6, f[14] ^= 1); /* class */
	APART(tcp6, f[17] ^= 1); /* flow label */
	APART(tcp6, f[21]--); /* hop limit */
	APART(tcp4, L4(f[45] ^= 1)); /* acknowledged */
	APART(tcp4, L4(f[46] ^= 1)); /* reserved bits */
	APART(tcp4, L4(f[49] ^= 1)); /* window */
	APART(tcp4, L4(f[53] ^= 1)); /* urgent pointer */
	APART(tcp4, L4(f[65] ^= 1)); /* options */
	APART(tcp4, batch[1].mark = 1);
	APART(udp4, IP4(f[15] ^= 4));
	APART(udp4, IP4(f[19]++));
}

static void other_flows_are_others(void)
{
	APART(tcp4, (IP4(f[29] ^= 4), seal()));
	APART(tcp4, (IP4(f[33] ^= 4), seal()));
	APART(tcp6, L4(f[37] ^= 4));
	APART(tcp6, L4(f[53] ^= 4));
	APART(tcp4, L4(f[35] ^= 4));
	APART(tcp4, L4(f[37] ^= 4));
	APART(udp4, L4(f[35] ^= 4));
}

static void special_segments_stay_alone(void)
{
	APART(tcp4, L4(f[47] |= 0x01)); /* FIN */
	APART(tcp4, L4(f[47] |= 0x02)); /* SYN */
	APART(tcp4, L4(f[47] |= 0x04)); /* RST */
	APART(tcp4, L4(f[47] |= 0x20)); /* URG */
	APART(tcp4, L4(f[47] ^= 0x10)); /* no ACK */
	APART(tcp4, L4(f[47] |= 0x40)); /* ECE on one side only */
	APART(tcp4, L4(f[47] |= 0x80)); /* CWR behind the first */
	APART(tcp4, L4(f[41]++)); /* a gap */
	APART(tcp4, L4(f[41]--)); /* an overlap */
}

static void lengths_must_agree_to_the_byte(void)
{
	APART(tcp4, batch[1].len++); /* padded */
	APART(tcp4, (f[17]--, batch[1].len--)); /* IP's sum is wrong now */
	APART(tcp6, batch[1].len++);
	APART(udp4, batch[1].len++);
	APART(udp4, L4(f[39]--));
}

static void a_longer_segment_starts_anew(void)
{
	struct packet k = tcp4;

	begin(ALL);
	k.payload = 100;
	add(&k);
	k.payload = 101;
	add(&k);
	add(&k);
	CHECK(leaves("12"));
	CHECK(gives_back(&gro.runs[1], NULL));
}

static void what_is_broken_is_not_mended(void)
{
	APART(tcp4, f[100] ^= 1); /* payload */
	APART(tcp4, bytes[0][100] ^= 1);
	APART(tcp6, f[100] ^= 1);
	APART(udp4, f[100] ^= 1);
	APART(tcp4, f[24] ^= 1); /* IP's sum */
	APART(udp4, packet_be16(f + 40, 0)); /* no sum */
	/* The sum of the pseudo-header is wrong. */
	APART(tcp4, batch[1].offload = ((struct frame_offload){ 1, 0, 0, 0, 34,
								16 }));
	APART(tcp4, batch[1].offload = ((struct frame_offload){ 3, 0, 0, 0, 34,
								16 }));
	/* A sum somewhere else. */
	APART(tcp4, batch[1].offload = ((struct frame_offload){ 1, 0, 0, 0, 34,
								18 }));
	APART(tcp4, batch[1].offload = ((struct frame_offload){ 1, 0, 0, 0, 38,
								16 }));
	/* To be cut already. */
	APART(tcp4, batch[1].offload = ((struct frame_offload){
			    1, FRAME_GSO_TCPV4, 66, 500, 34, 16 }));
}

static void a_sum_that_is_written_otherwise_does_not_merge(void)
{
	/* 0 and ffff are the same sum; the cut would write the other one. */
	struct packet k = tcp4;

	begin(ALL);
	add(&k);
	add(&k);
	packet_be16(bytes[1] + 50, 0);
	for (unsigned int v = 0; v < 0x10000; v++) {
		packet_be16(bytes[1] + 100, v);
		seal();
		if (!bytes[1][50] && !bytes[1][51])
			break;
	}
	CHECK(leaves("2"));
	packet_be16(bytes[1] + 50, 0xffff);
	CHECK(leaves("11"));
	/* The same of IPv4, by the number of the packet. */
	k = tcp4;
	k.df = true;
	begin(ALL);
	add(&k);
	k.id = 0;
	add(&k);
	memcpy(bytes[1] + 18, bytes[1] + 24, 2);
	packet_be16(bytes[1] + 24, 0);
	CHECK(leaves("2"));
	packet_be16(bytes[1] + 24, 0xffff);
	CHECK(leaves("11"));
	/* For UDP 0 is no sum, whoever says that it is right. */
	k = udp4;
	begin(ALL);
	add(&k);
	add(&k);
	batch[1].offload.flags = FRAME_DATA_VALID;
	CHECK(leaves("2"));
	packet_be16(bytes[1] + 40, 0);
	CHECK(leaves("11"));
}

static void pure_acknowledgements_do_not_merge(void)
{
	struct packet k = tcp4;

	k.payload = 0;
	begin(ALL);
	add(&k);
	add(&k);
	CHECK(leaves("11"));
	k.payload = 1448;
	add(&k);
	add(&k);
	CHECK(leaves("112"));
}

static void options_of_ip_do_not_merge(void)
{
	struct packet k = tcp4;

	k.options = 8;
	begin(ALL);
	add(&k);
	add(&k);
	k = tcp6;
	k.options = 8;
	add(&k);
	add(&k);
	CHECK(leaves("1111"));
}

/* ---- what merges ---- */

static void the_number_of_what_is_never_fragmented_does_not_matter(void)
{
	struct packet k = tcp4;

	k.df = true;
	begin(ALL);
	add(&k);
	k.id += 1000;
	add(&k);
	k.id = 0;
	add(&k);
	CHECK(leaves("3"));
}

static void sums_that_are_known_to_be_right_merge(void)
{
	struct packet k = tcp4;

	begin(ALL);
	for (int i = 0; i < 3; i++)
		add(&k);
	/* Begun by the sender, and vouched for by a card. */
	packet_be16(bytes[0] + 50,
		    packet_pseudo(bytes[0] + 14, 6, batch[0].len - 34));
	batch[0].offload = (struct frame_offload){ 1, 0, 0, 0, 34, 16 };
	packet_be16(bytes[1] + 50, 0x1234);
	CHECK(leaves("111"));
	batch[1].offload.flags = FRAME_DATA_VALID;
	CHECK(leaves("3"));
	seal();
	packet_seal(bytes[0], 14, 34, batch[0].len, false);
	packet_seal(bytes[1], 14, 34, batch[1].len, false);
	CHECK(gives_back(gro.runs, NULL));
}

static void a_first_segment_with_cwr_needs_a_receiver_that_knows(void)
{
	struct packet k = tcp4;

	k.flags |= 0xc0;
	begin(ALL | OFFLOAD_ECN);
	add(&k);
	k.flags &= 0x7f;
	add(&k);
	CHECK(leaves("2"));
	CHECK(gro.runs[0].offload.gso_type ==
	      (FRAME_GSO_TCPV4 | FRAME_GSO_ECN));
	CHECK(gives_back(gro.runs, NULL));
	gro_init(&gro, ALL, 65535 + ETHER_HDR_LEN);
	CHECK(leaves("11"));
	gro_init(&gro, OFFLOAD_CSUM | OFFLOAD_ECN, 65535 + ETHER_HDR_LEN);
	CHECK(leaves("11"));
}

static void only_what_the_receiver_takes_is_merged(void)
{
	static const struct {
		unsigned int caps;
		const char *leaves;
	} rows[] = {
		{ OFFLOAD_CSUM | OFFLOAD_TSO4, "21111" },
		{ OFFLOAD_CSUM | OFFLOAD_TSO6, "11211" },
		{ OFFLOAD_CSUM | OFFLOAD_USO, "11112" },
		{ OFFLOAD_CSUM | 0x20, "111111" },
		{ ALL & ~OFFLOAD_CSUM, "111111" },
		{ ALL, "222" },
		{ 0, "111111" },
	};
	struct packet a = tcp4, b = tcp6, c = udp4;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(rows[i].caps);
		add(&a);
		add(&a);
		add(&b);
		add(&b);
		add(&c);
		add(&c);
		CHECK(leaves(rows[i].leaves));
	}
}

static void tags_in_the_bytes_are_part_of_the_flow(void)
{
	struct packet k = tcp4;

	k.tags = 1;
	begin(ALL);
	add(&k);
	add(&k);
	CHECK(leaves("2"));
	CHECK(gro.runs[0].offload.csum_start == 38);
	CHECK(gives_back(gro.runs, NULL));
	bytes[1][15] ^= 1;
	CHECK(leaves("11"));
}

static void two_tags_in_the_bytes_leave_no_room_for_another(void)
{
	struct packet k = tcp4;

	k.tags = 2;
	begin(ALL);
	add(&k);
	add(&k);
	CHECK(leaves("11"));
}

/* ---- order and bounds ---- */

static void a_push_or_a_short_segment_ends_the_run(void)
{
	struct packet k = tcp4;

	begin(ALL);
	add(&k);
	k.flags |= 0x08;
	add(&k);
	k.flags &= 0xf7;
	add(&k);
	add(&k);
	k.payload--;
	add(&k);
	add(&k);
	add(&k);
	CHECK(leaves("232"));
	for (int i = 0; i < 3; i++)
		CHECK(gives_back(&gro.runs[i], NULL));
}

static void a_first_segment_with_push_stays_alone(void)
{
	struct packet k = tcp4;

	k.flags |= 0x08;
	begin(ALL);
	add(&k);
	k.flags &= 0xf7;
	add(&k);
	CHECK(leaves("11"));
}

static void flows_merge_side_by_side(void)
{
	struct packet a = tcp4, b = tcp6, c = udp4;

	begin(ALL);
	for (int i = 0; i < 4; i++) {
		add(&a);
		add(&b);
		add(&c);
	}
	CHECK(leaves("444"));
	for (int i = 0; i < 3; i++) {
		CHECK(gro.runs[i].first == i);
		CHECK(gives_back(&gro.runs[i], NULL));
	}
}

static void nothing_overtakes_what_does_not_merge(void)
{
	struct packet a = tcp4, b = tcp4, fin;

	b.port = 4001;
	begin(ALL);
	add(&a); /* 0 */
	add(&b); /* 1 */
	add(&a); /* 0 */
	fin = a;
	fin.flags |= 1;
	add(&fin); /* 2 */
	add(&b); /* 1 */
	add(&a); /* 3 */
	add(&a); /* 3 */
	CHECK(leaves("2212"));
	CHECK(gro.runs[0].first == 0 && gro.runs[1].first == 1);
	CHECK(gro.runs[2].first == 3 && gro.runs[3].first == 5);
}

static void a_fragment_may_belong_to_any_flow(void)
{
	struct packet a = tcp4, b = tcp6;

	begin(ALL);
	add(&a);
	add(&b);
	add(&a); /* made a fragment */
	add(&a);
	add(&b);
	bytes[2][20] |= 0x20;
	CHECK(leaves("11111"));
	bytes[2][20] &= 0xdf;
	CHECK(leaves("32"));
	bytes[2][14] = 0x41; /* or is it broken */
	CHECK(leaves("11111"));
	bytes[2][14] = 0x45;
	bytes[2][46] = 0x10;
	CHECK(leaves("11111"));
	a = tcp4;
	b = tcp6;
	begin(ALL);
	add(&a);
	add(&b);
	add(&a);
	CHECK(leaves("21"));
	bytes[1][20] = 44;
	CHECK(leaves("111"));
}

static void other_protocols_do_not_disturb(void)
{
	struct packet a = tcp4;

	begin(ALL);
	add(&a);
	add(&a);
	add(&a);
	bytes[1][23] = 1; /* ICMP */
	CHECK(leaves("111"));
	a = tcp4;
	begin(ALL);
	add(&a);
	n_batch++;
	batch[1] = batch[0];
	memcpy(bytes[1], bytes[0], SEG_MAX);
	batch[1].data = bytes[1];
	bytes[1][12] = 0x88; /* some ethertype */
	add(&a);
	CHECK(leaves("21"));
	CHECK(gro.runs[1].first == 1);
}

static void a_frame_grows_up_to_the_limits(void)
{
	struct packet k = tcp4;

	begin(ALL);
	for (int i = 0; i < 50; i++)
		add(&k);
	/* 45 * 1448 + 52 are 65212 */
	CHECK(gro_merge(&gro, batch, n_batch) == 2);
	CHECK(gro.runs[0].count == 45 && gro.runs[1].count == 5);
	CHECK(gives_back(&gro.runs[0], NULL));
	gro_init(&gro, ALL, 66 + 3 * 1448);
	CHECK(gro_merge(&gro, batch, n_batch) == 17);
	CHECK(gro.runs[0].count == 3 && gro.runs[16].count == 2);
	gro_init(&gro, ALL, 66 + 3 * 1448 - 1);
	CHECK(gro_merge(&gro, batch, n_batch) == 25);
	k = tcp4;
	begin(ALL);
	k.payload = 1;
	while (n_batch < GRO_BATCH)
		add(&k);
	CHECK(gro_merge(&gro, batch, n_batch) == 1);
	CHECK(gro.runs[0].count == GRO_BATCH);
	CHECK(gives_back(&gro.runs[0], NULL));
}

/* 64 segments, of which the last makes a packet of @room bytes with what is
 * in front of the payload, or one byte more. */
static void to_the_last_byte(struct packet k, size_t room, size_t hdr)
{
	k.payload = 1024;
	begin(ALL);
	gro_init(&gro, ALL, PACKET_MAX);
	while (n_batch < GRO_BATCH - 1)
		add(&k);
	k.payload = room - hdr - 63 * k.payload;
	add(&k);
	CHECK(gro_merge(&gro, batch, n_batch) == 1);
	CHECK(gives_back(&gro.runs[0], NULL));
	n_batch--;
	k.payload++;
	k.seq = ether_be32(bytes[63] + (k.version == 4 ? 38 : 58));
	k.id--;
	k.fill--;
	add(&k);
	CHECK(gro_merge(&gro, batch, n_batch) == 2);
}

static void a_packet_is_as_long_as_ip_allows(void)
{
	to_the_last_byte(tcp4, 65535, 20 + 32);
	to_the_last_byte(tcp6, 65535, 32);
}

static void a_batch_of_flows_is_a_batch_of_frames(void)
{
	struct packet k = tcp4;

	begin(ALL);
	while (n_batch < GRO_BATCH) {
		k.port++;
		add(&k);
	}
	CHECK(gro_merge(&gro, batch, n_batch) == GRO_BATCH);
	for (int i = 0; i < GRO_BATCH; i++)
		CHECK(gro.runs[i].first == i && gro.runs[i].count == 1);
	CHECK(gro_merge(&gro, batch, 0) == 0);
}

int main(void)
{
	RUN(segments_become_the_frame_they_were_cut_from);
	RUN(a_merged_frame_can_be_cut_into_its_segments);
	RUN(payload_is_not_copied);
	RUN(a_lone_frame_leaves_as_it_came);
	RUN(headers_must_be_equal);
	RUN(other_flows_are_others);
	RUN(special_segments_stay_alone);
	RUN(lengths_must_agree_to_the_byte);
	RUN(a_longer_segment_starts_anew);
	RUN(what_is_broken_is_not_mended);
	RUN(a_sum_that_is_written_otherwise_does_not_merge);
	RUN(pure_acknowledgements_do_not_merge);
	RUN(options_of_ip_do_not_merge);
	RUN(the_number_of_what_is_never_fragmented_does_not_matter);
	RUN(sums_that_are_known_to_be_right_merge);
	RUN(a_first_segment_with_cwr_needs_a_receiver_that_knows);
	RUN(only_what_the_receiver_takes_is_merged);
	RUN(tags_in_the_bytes_are_part_of_the_flow);
	RUN(two_tags_in_the_bytes_leave_no_room_for_another);
	RUN(a_push_or_a_short_segment_ends_the_run);
	RUN(a_first_segment_with_push_stays_alone);
	RUN(flows_merge_side_by_side);
	RUN(nothing_overtakes_what_does_not_merge);
	RUN(a_fragment_may_belong_to_any_flow);
	RUN(other_protocols_do_not_disturb);
	RUN(a_frame_grows_up_to_the_limits);
	RUN(a_packet_is_as_long_as_ip_allows);
	RUN(a_batch_of_flows_is_a_batch_of_frames);
	DONE();
}
