// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What of a batch has left when there is no room for more of its runs.
 */
#include "switch/txmerge.h"

#include "../unit/packet.h"
#include "../unit/test.h"

static struct frame frames[BATCH_MAX];
static uint8_t bytes[BATCH_MAX][1600];
static struct frame_tx tx[BATCH_MAX];
static struct txmerge m;
static const struct endpoint able = { .takes = OFFLOAD_ALL };
static const struct endpoint unable = { .takes = 0 };

/* Segments of the flows that @flows names, one digit each; a capital letter
 * is a tagged one. */
static unsigned int merge(const struct endpoint *ep, const char *flows)
{
	static struct packet k[128];
	int n = 0;

	memset(k, 0, sizeof(k));
	for (const char *c = flows; *c; c++, n++) {
		struct packet *p = &k[(unsigned char)*c];

		if (!p->version)
			*p = (struct packet){ .version = 4,
					      .ttl = 64,
					      .flags = 0x10,
					      .port = (uint16_t)*c,
					      .payload = 1000 };
		frames[n] = (struct frame){ .data = bytes[n] };
		frames[n].len = (uint32_t)packet_make(p, bytes[n],
						      &frames[n].offload);
		frame_set_tci(&frames[n], 7);
		tx[n] = (struct frame_tx){ &frames[n], *c >= 'A' };
		p->seq += 1000;
		p->id++;
	}
	return txmerge(&m, ep, tx, n);
}

/* After the first @n runs: how many frames are done if one can stop. */
static int stopped_after(unsigned int n)
{
	m.done = m.behind = 0;
	for (unsigned int i = 0; i < n; i++)
		txmerge_sent(&m, &m.gro.runs[i]);
	return txmerge_can_stop(&m) ? (int)m.done : -1;
}

static void one_flow_is_one_run(void)
{
	CHECK(merge(&able, "11111111") == 1);
	CHECK(stopped_after(0) == 0);
	CHECK(stopped_after(1) == 8);
}

static void nothing_is_merged_for_who_takes_nothing(void)
{
	CHECK(merge(&unable, "1111") == 4);
	CHECK(stopped_after(3) == 3);
}

static void flows_one_behind_the_other_can_stop_between_them(void)
{
	CHECK(merge(&able, "111222233") == 3);
	CHECK(stopped_after(1) == 3);
	CHECK(stopped_after(2) == 7);
	CHECK(stopped_after(3) == 9);
}

static void flows_in_turn_cannot_stop_before_the_last(void)
{
	CHECK(merge(&able, "121212") == 2);
	CHECK(stopped_after(0) == 0);
	CHECK(stopped_after(1) == -1);
	CHECK(stopped_after(2) == 6);
}

static void tagged_and_untagged_are_not_one(void)
{
	struct iovec iov[GRO_IOV];
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct frame_offload o;

	CHECK(merge(&able, "11AA") == 2);
	CHECK(txmerge_iov(&m, &m.gro.runs[0], &o, hdr, iov) <= 3);
	CHECK(o.gso_size == 1000 && o.csum_start == 34);
	CHECK(txmerge_iov(&m, &m.gro.runs[1], &o, hdr, iov) <= 3);
	CHECK(o.gso_size == 1000 && o.csum_start == 38);
	CHECK(!memcmp((uint8_t *)iov[0].iov_base + 12, "\x81\0\0\7", 4));
}

int main(void)
{
	RUN(one_flow_is_one_run);
	RUN(nothing_is_merged_for_who_takes_nothing);
	RUN(flows_one_behind_the_other_can_stop_between_them);
	RUN(flows_in_turn_cannot_stop_before_the_last);
	RUN(tagged_and_untagged_are_not_one);
	DONE();
}
