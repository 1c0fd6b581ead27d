// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guards without a switch: meters against a clock of the test's own, lists of
 * sources, numbers of addresses. What the switch does with them is in
 * test_bridge_guard.c.
 */
#include "switch/guard.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

#define SEC UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define HOUR (3600 * SEC)

static struct frame of_len(uint32_t len)
{
	return (struct frame){ .len = len };
}

/* 64 KiB of TCP over IPv4: 54 bytes of headers, @n segments of 1448. */
static struct frame to_be_cut(uint32_t n)
{
	return (struct frame){ .len = 54 + n * 1448,
			       .offload = { .flags = FRAME_NEEDS_CSUM,
					    .gso_type = FRAME_GSO_TCPV4,
					    .hdr_len = 54,
					    .gso_size = 1448 } };
}

/* How many of the frames that come every @gap ns in [from, to) pass. */
static uint64_t passed(struct guard_meter *m, const struct frame *f,
		       uint64_t from, uint64_t to, uint64_t gap)
{
	uint64_t n = 0;

	for (uint64_t t = from; t < to; t += gap)
		n += guard_meter_take(m, f, false, t);
	return n;
}

static void a_meter_without_limits_lets_everything_pass(void)
{
	struct frame f = of_len(1514);
	struct guard g;

	guard_init(&g);
	CHECK(!guard_is_on(&g));
	CHECK(passed(&g.rate, &f, 0, 1000, 1) == 1000);
	guard_set_rate(&g, 0, 0, 1, 0);
	CHECK(!guard_is_on(&g));
	CHECK(passed(&g.rate, &f, 0, 1000, 1) == 1000);
}

static void the_burst_passes_at_once_and_then_the_rate_exactly(void)
{
	struct frame f = of_len(60);
	struct guard g;

	guard_init(&g);
	guard_set_storm(&g, GUARD_BROADCAST, 1000, 0, 5 * SEC);
	CHECK(guard_is_on(&g));
	CHECK(passed(&g.storm[GUARD_BROADCAST], &f, 5 * SEC, 5 * SEC + 500,
		     1) == 100);
	for (uint64_t s = 5; s < 15; s++)
		CHECK(passed(&g.storm[GUARD_BROADCAST], &f, s * SEC + 500,
			     (s + 1) * SEC + 500, 10007) -
			      1000 + 1 <=
		      2);
	CHECK(guard_meter_take(&g.storm[GUARD_MULTICAST], &f, false, 0));
}

/* Nothing is lost to rounding, however odd the rate and the gaps are. */
static void an_hour_of_odd_gaps_is_exact_to_one_frame(void)
{
	static const uint64_t rates[] = { 1, 3, 7, 333, 99991 };
	struct frame f = of_len(60);

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		const uint64_t rate[2] = { rates[i], 0 }, burst[2] = { 1, 1 };
		uint64_t gap = SEC / rates[i] / 3 + 1, n;
		uint64_t t = rates[i] > 1000 ? 60 * SEC : HOUR;
		struct guard_meter m;

		guard_meter_set(&m, rate, burst, 0);
		n = passed(&m, &f, 0, t, gap);
		/* a bucket of one frame wastes what comes while it is full */
		CHECK(n <= rates[i] * (t / SEC) + 1);
		CHECK(n >= rates[i] * (t / SEC) * 99 / 100);
	}
}

static void bytes_are_exact_over_a_second_from_slow_to_fast(void)
{
	static const uint64_t rates[] = { 20000, 125000000, 12500000000 };
	static const uint32_t sizes[] = { 60, 1514, 9234 };

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct frame f = of_len(sizes[i]);
		uint64_t gap = sizes[i] * SEC / rates[i] / 2 + 1, bytes;
		struct guard g;

		guard_init(&g);
		guard_set_rate(&g, 0, rates[i], 10000, 0);
		passed(&g.rate, &f, 0, SEC, gap); /* the burst */
		bytes = passed(&g.rate, &f, SEC, 2 * SEC, gap) * f.len;
		CHECK(bytes > rates[i] * 99 / 100);
		CHECK(bytes < rates[i] * 101 / 100);
	}
}

static void frames_and_bytes_are_both_to_be_kept(void)
{
	const uint64_t rate[2] = { 100, 10000 }, burst[2] = { 10, 1000 };
	struct frame small = of_len(60), large = of_len(500);
	struct guard_meter m;

	guard_meter_set(&m, rate, burst, 0);
	CHECK(passed(&m, &small, 0, 100, 1) == 10);
	guard_meter_set(&m, rate, burst, 0);
	CHECK(passed(&m, &large, 0, 100, 1) == 2);
	/* what was refused for its bytes has cost no frames */
	CHECK(m.frames.credit / (int64_t)SEC == 8);
}

static void tags_and_headers_of_segments_count(void)
{
	const uint64_t rate[2] = { 1, 1 }, burst[2] = { 1000, 1000000 };
	struct frame f = to_be_cut(44);
	struct guard_meter m;

	guard_meter_set(&m, rate, burst, 0);
	CHECK(guard_meter_take(&m, &f, true, 0));
	CHECK(m.frames.credit / (int64_t)SEC == 1000 - 44);
	CHECK(m.bytes.credit / (int64_t)SEC == 1000000 - 44 * (1448 + 54 + 4));
	f = of_len(100);
	CHECK(guard_meter_take(&m, &f, false, 0));
	CHECK(m.frames.credit / (int64_t)SEC == 1000 - 45);
}

static void more_than_a_bucket_passes_when_it_is_full_and_is_paid_off(void)
{
	const uint64_t rate[2] = { 0, 100000 }, burst[2] = { 1, 20000 };
	struct frame f = to_be_cut(44);
	uint64_t cost = 44 * (1448 + 54), n;
	struct guard_meter m;

	guard_meter_set(&m, rate, burst, 0);
	CHECK(guard_meter_take(&m, &f, false, 0));
	CHECK(m.bytes.credit == (20000 - (int64_t)cost) * (int64_t)SEC);
	n = passed(&m, &f, 1, 100 * SEC, MS);
	CHECK(n * cost <= 100 * 100000 && n * cost > 99 * 100000);
}

static void long_silence_fills_the_bucket_and_no_more(void)
{
	struct frame f = of_len(1000);
	struct guard g;

	guard_init(&g);
	guard_set_rate(&g, 0, 1000, 5000, 0);
	CHECK(guard_meter_take(&g.rate, &f, false, 0));
	CHECK(guard_meter_take(&g.rate, &f, false, SEC + MS));
	CHECK(g.rate.bytes.credit == 4000 * (int64_t)SEC);
	guard_set_rate(&g, 0, GUARD_MAX_BYTES, GUARD_MAX_BURST, 0);
	CHECK(g.rate.bytes.burst == GUARD_MAX_BURST);
	CHECK(guard_meter_take(&g.rate, &f, false, UINT64_MAX / 2));
	CHECK(g.rate.bytes.credit / (int64_t)SEC ==
	      (int64_t)GUARD_MAX_BURST - 1000);
	guard_set_rate(&g, GUARD_MAX_FRAMES, GUARD_MAX_BYTES, 0, 0);
	CHECK(g.rate.bytes.burst == GUARD_MAX_BURST);
	CHECK(guard_meter_take(&g.rate, &f, false, UINT64_MAX));
	CHECK(guard_meter_take(&g.rate, &f, false, 0)); /* back in time */
	CHECK(g.rate.frames.credit / (int64_t)SEC ==
	      (int64_t)GUARD_MAX_FRAMES / 4 - 2);
}

/* TCP Reno as a policer meets it: a window of segments in a round trip of @rtt;
 * after a loss of less than half a window it halves, after more it waits for
 * its timer and starts anew. Returns bytes in a second, of @seconds. Without a
 * queue in front of the policer it cannot do better than this where a round
 * trip is long: each loss costs it half. */
static uint64_t reno(struct guard_meter *m, uint64_t rtt, uint64_t seconds)
{
	struct frame f = of_len(1514);
	uint64_t sum = 0, t = 0;
	double cwnd = 10, ssthresh = 1e9;

	while (t < seconds * SEC) {
		unsigned int n = (unsigned int)cwnd, got = 0;

		for (unsigned int i = 0; i < n; i++)
			got += guard_meter_take(m, &f, false,
						t + i * (rtt / n));
		sum += got * UINT64_C(1514);
		t += rtt;
		if (got == n) {
			cwnd += cwnd < ssthresh ? cwnd : 1;
		} else if (2 * got >= n) {
			ssthresh = cwnd = cwnd / 2;
		} else {
			ssthresh = cwnd / 2;
			cwnd = 1;
			t += 200 * MS;
		}
		if (cwnd < 1)
			cwnd = 1;
		if (cwnd > 4000)
			cwnd = 4000;
	}
	return sum / seconds;
}

static void tcp_gets_about_the_rate(void)
{
	static const uint64_t rates[] = { 125000, 1250000, 12500000,
					  125000000 };
	static const uint64_t rtts[] = { 100000, MS, 20 * MS };

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(rtts); j++) {
			struct guard g;
			uint64_t got;

			guard_init(&g);
			guard_set_rate(&g, 0, rates[i], 0, 0);
			got = reno(&g.rate, rtts[j], 60);
			printf("# %llu bytes/s, %llu us: %.3f\n",
			       (unsigned long long)rates[i],
			       (unsigned long long)rtts[j] / 1000,
			       (double)got / (double)rates[i]);
			CHECK(got > rates[i] * 80 / 100);
			CHECK(got < rates[i] * 102 / 100);
		}
	}
}

static void only_listed_sources_may_send(void)
{
	struct guard g;
	uint64_t a = UINT64_C(0x020000000000);

	guard_init(&g);
	CHECK(guard_source_may(&g, a));
	CHECK(guard_source_del(&g, a) == -ENOENT);
	for (uint64_t i = 0; i < GUARD_MAX_SOURCES; i++) /* in no order */
		CHECK(guard_source_add(&g, a + i * 389 % 1024) == 0);
	CHECK(guard_source_add(&g, a + 5000) == -ENOSPC);
	CHECK(guard_source_add(&g, a + 7) == -EEXIST);
	CHECK(guard_source_add(&g, UINT64_C(0x010000000000)) == -EINVAL);
	CHECK(guard_is_on(&g) && g.n_sources == 1024);
	for (uint64_t i = 1; i < 1024; i++)
		CHECK(g.sources[i] > g.sources[i - 1]);
	CHECK(guard_source_may(&g, a) && guard_source_may(&g, a + 1023));
	CHECK(!guard_source_may(&g, a - 1) && !guard_source_may(&g, a + 1024));
	CHECK(guard_source_del(&g, a + 512) == 0);
	CHECK(!guard_source_may(&g, a + 512) && guard_source_may(&g, a + 513));
	guard_fini(&g);
}

static void an_empty_list_lets_nobody_send_until_it_is_off(void)
{
	struct guard g;

	guard_init(&g);
	guard_source_add(&g, 5);
	guard_source_del(&g, 5);
	CHECK(guard_is_on(&g) && !guard_source_may(&g, 5));
	guard_source_off(&g);
	CHECK(!guard_is_on(&g) && guard_source_may(&g, 5));
	guard_fini(&g);
}

static bool learns(const struct guard *g, struct mactab *t, uint64_t addr,
		   unsigned int vlan, uint32_t now_s)
{
	uint64_t key = mactab_key(vlan, addr);
	unsigned int old;

	if (!guard_addr_may(g, t, key, 1, now_s))
		return false;
	mactab_learn(t, key, 1, now_s, &old);
	return true;
}

static void addresses_count_in_all_vlans(void)
{
	struct mactab *t = mactab_new(16, 4, 1);
	struct guard g;

	guard_init(&g);
	CHECK(guard_addr_limit(&g) == 0 && learns(&g, t, 1, 0, 10));
	g.max_addrs = 3;
	CHECK(guard_is_on(&g));
	CHECK(learns(&g, t, 1, 7, 10) && learns(&g, t, 2, 0, 10));
	CHECK(!learns(&g, t, 2, 7, 10) && !learns(&g, t, 3, 0, 10));
	CHECK(learns(&g, t, 1, 0, 110) && learns(&g, t, 2, 0, 110));
	CHECK(!learns(&g, t, 3, 0, 110)); /* VLAN 7's is a second short */
	CHECK(learns(&g, t, 3, 0, 111));
	CHECK(!learns(&g, t, UINT64_C(1) << 40, 0, 500));
	mactab_free(t);
}

static void sticky_addresses_have_a_limit_of_their_own(void)
{
	struct mactab *t = mactab_new(16, 4, 1);
	struct guard g;
	unsigned int n = 0;

	guard_init(&g);
	g.sticky = true;
	CHECK(guard_is_on(&g) && guard_addr_limit(&g) == GUARD_STICKY_ADDRS);
	for (uint64_t a = 1; a < 5000; a++)
		n += learns(&g, t, a, 0, 10);
	CHECK(n == GUARD_STICKY_ADDRS);
	g.max_addrs = 2000;
	for (uint64_t a = 1; a < 5000; a++)
		n += learns(&g, t, 10000 + a, 0, 10);
	CHECK(n == 2000);
	mactab_free(t);
}

static void no_more_sticky_addresses_than_the_table_bears(void)
{
	struct mactab *t = mactab_new(16, 4, 1);
	struct guard g;
	unsigned int old;

	guard_init(&g);
	g.sticky = true;
	for (uint64_t a = 1; a <= MACTAB_MAX_STICKY + 100; a++)
		mactab_learn(t, mactab_key(0, a), 2, 10, &old);
	CHECK(learns(&g, t, UINT64_C(1) << 30, 0, 10));
	mactab_stick_port(t, 2, MACTAB_STICKY_PORT);
	CHECK(!learns(&g, t, UINT64_C(2) << 30, 0, 10));
	CHECK(learns(&g, t, UINT64_C(1) << 30, 0, 10));
	mactab_free(t);
}

int main(void)
{
	RUN(a_meter_without_limits_lets_everything_pass);
	RUN(the_burst_passes_at_once_and_then_the_rate_exactly);
	RUN(an_hour_of_odd_gaps_is_exact_to_one_frame);
	RUN(bytes_are_exact_over_a_second_from_slow_to_fast);
	RUN(frames_and_bytes_are_both_to_be_kept);
	RUN(tags_and_headers_of_segments_count);
	RUN(more_than_a_bucket_passes_when_it_is_full_and_is_paid_off);
	RUN(long_silence_fills_the_bucket_and_no_more);
	RUN(tcp_gets_about_the_rate);
	RUN(only_listed_sources_may_send);
	RUN(an_empty_list_lets_nobody_send_until_it_is_off);
	RUN(addresses_count_in_all_vlans);
	RUN(sticky_addresses_have_a_limit_of_their_own);
	RUN(no_more_sticky_addresses_than_the_table_bears);
	DONE();
}
