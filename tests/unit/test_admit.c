// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What clients may send and get: VLANs, addresses, rates to the byte, an end;
 * each refusal counted under its reason.
 */
#include "cryptcab/admit.h"

#include <errno.h>
#include <string.h>

#include "base/rng.h"
#include "test.h"

#define SEC UINT64_C(1000000000)

static struct admit *a;
static struct admit_now now;
static uint8_t frame[200000];

static void begin(const struct admit_rules *r)
{
	now = (struct admit_now){ .mono = 5 * SEC, .wall = 1000 };
	CHECK(admit_new(&a, r, now.mono) == 0);
}

static void end(void)
{
	admit_free(a);
	a = NULL;
}

static void head(uint64_t src, int vid)
{
	memset(frame, 0xff, 6);
	for (int i = 0; i < 6; i++)
		frame[6 + i] = (uint8_t)(src >> (40 - 8 * i));
	frame[12] = vid < 0 ? 0x08 : 0x81;
	frame[13] = 0;
	frame[14] = (uint8_t)(0xe0 | (vid & 0xfff) >> 8); /* with priority */
	frame[15] = (uint8_t)vid;
	frame[16] = 0x08;
	frame[17] = 0;
}

static enum admit_verdict from(uint64_t src, int vid)
{
	head(src, vid);
	return admit_frame(a, ADMIT_FROM, frame, 60, &now);
}

static enum admit_verdict to(uint64_t src, int vid)
{
	head(src, vid);
	return admit_frame(a, ADMIT_TO, frame, 60, &now);
}

#define NO_RULES .untagged = VLAN_NONE

static void without_rules_all_frames_pass(void)
{
	begin(&(struct admit_rules){ NO_RULES });
	CHECK(from(1, -1) == ADMIT_PASS && to(1, -1) == ADMIT_PASS);
	CHECK(from(1, 0) == ADMIT_PASS && from(1, 4095) == ADMIT_PASS);
	now.wall = UINT64_MAX;
	for (int i = 0; i < 1000; i++)
		CHECK(admit_frame(a, ADMIT_FROM, frame, sizeof(frame), &now) ==
		      ADMIT_PASS);
	CHECK(admit_frame(a, ADMIT_FROM, frame, 13, &now) == ADMIT_BAD_LENGTH);
	CHECK(admit_frame(a, ADMIT_TO, frame, 0, &now) == ADMIT_BAD_LENGTH);
	end();
}

static void only_listed_vlans_pass_both_ways(void)
{
	static const uint16_t tagged[] = { 1, 63, 64, 4094 };

	begin(&(struct admit_rules){
		.untagged = 7, .tagged = tagged, .n_tagged = 4 });
	for (int vid = 0; vid < 4096; vid++) {
		bool listed = vid == 0 || vid == 1 || vid == 63 || vid == 64 ||
			      vid == 4094;

		CHECK(from(1, vid) == (listed ? ADMIT_PASS : ADMIT_BAD_VLAN));
		CHECK(to(1, vid) == (listed ? ADMIT_PASS : ADMIT_BAD_VLAN));
	}
	CHECK(from(1, -1) == ADMIT_PASS);
	end();
}

static void with_tagged_only_nothing_untagged_passes(void)
{
	static const uint16_t tagged[] = { 5 };

	begin(&(struct admit_rules){
		.untagged = VLAN_NONE, .tagged = tagged, .n_tagged = 1 });
	CHECK(from(1, 5) == ADMIT_PASS);
	CHECK(from(1, -1) == ADMIT_BAD_VLAN && to(1, -1) == ADMIT_BAD_VLAN);
	CHECK(from(1, 0) == ADMIT_BAD_VLAN); /* a priority is no VLAN */
	end();
}

static void with_untagged_only_nothing_tagged_passes(void)
{
	begin(&(struct admit_rules){ .untagged = 0 });
	CHECK(from(1, -1) == ADMIT_PASS && from(1, 0) == ADMIT_PASS);
	CHECK(from(1, 1) == ADMIT_BAD_VLAN);
	/* A tag that is cut off. */
	head(1, 0);
	CHECK(admit_frame(a, ADMIT_FROM, frame, 17, &now) == ADMIT_BAD_VLAN);
	CHECK(admit_frame(a, ADMIT_FROM, frame, 18, &now) == ADMIT_PASS);
	end();
}

static void only_listed_addresses_may_send(void)
{
	static const uint64_t macs[] = { 0, 2, UINT64_C(0x020000000001),
					 UINT64_C(0xffffffffffff) };

	begin(&(struct admit_rules){ NO_RULES, .macs = macs, .n_macs = 4 });
	for (size_t i = 0; i < 4; i++)
		CHECK(from(macs[i], -1) == ADMIT_PASS);
	CHECK(from(1, -1) == ADMIT_BAD_MAC && from(3, -1) == ADMIT_BAD_MAC);
	CHECK(from(UINT64_C(0x020000000002), 9) == ADMIT_BAD_MAC);
	CHECK(from(UINT64_C(0xfffffffffffe), -1) == ADMIT_BAD_MAC);
	CHECK(to(1, -1) == ADMIT_PASS); /* anybody may talk to it */
	end();
}

static void a_rate_is_exact(void)
{
	uint64_t passed = 0, rate = 1000003, burst = ADMIT_BURST_MIN;
	struct rng r;

	rng_init(&r, 6);
	begin(&(struct admit_rules){ NO_RULES, .rate = rate,
				     .burst = (uint32_t)burst });
	head(1, -1);
	/* Frames of all lengths in steps that divide nothing evenly. */
	for (int i = 0; i < 200000; i++) {
		size_t len = 14 + rng_below(&r, 1500);

		if (admit_frame(a, ADMIT_FROM, frame, len, &now) == ADMIT_PASS)
			passed += len;
		CHECK(passed * SEC <=
		      burst * SEC + rate * (now.mono - 5 * SEC));
		now.mono += 99991;
	}
	/* And less than the longest frame below it. */
	CHECK((passed + 1514) * SEC >=
	      burst * SEC + rate * (now.mono - 99991 - 5 * SEC));
	end();
}

static void a_full_bucket_takes_no_more(void)
{
	begin(&(struct admit_rules){ NO_RULES, .rate = 1,
				     .burst = ADMIT_BURST_MIN });
	head(1, -1);
	now.mono = UINT64_MAX; /* the product of rate and time overflows */
	CHECK(admit_frame(a, ADMIT_FROM, frame, ADMIT_BURST_MIN, &now) ==
	      ADMIT_PASS);
	CHECK(from(1, -1) == ADMIT_TOO_FAST);
	CHECK(to(1, -1) == ADMIT_PASS); /* its own bucket */
	end();
}

static void a_clock_that_goes_back_stands_still(void)
{
	begin(&(struct admit_rules){ NO_RULES, .rate = 60 });
	head(1, -1);
	CHECK(admit_frame(a, ADMIT_FROM, frame, ADMIT_BURST_MIN, &now) ==
	      ADMIT_PASS);
	now.mono -= SEC;
	CHECK(from(1, -1) == ADMIT_TOO_FAST);
	now.mono += SEC * 2 - 1;
	CHECK(from(1, -1) == ADMIT_TOO_FAST); /* a nanosecond is missing */
	now.mono++;
	CHECK(from(1, -1) == ADMIT_PASS);
	CHECK(from(1, -1) == ADMIT_TOO_FAST);
	end();
}

static void what_is_refused_costs_nothing(void)
{
	static const uint64_t macs[] = { 1 };

	begin(&(struct admit_rules){
		.untagged = 0, .macs = macs, .n_macs = 1, .rate = 1 });
	for (int i = 0; i < 100000; i++) {
		CHECK(from(2, -1) == ADMIT_BAD_MAC);
		CHECK(from(1, 5) == ADMIT_BAD_VLAN);
	}
	head(1, -1);
	CHECK(admit_frame(a, ADMIT_FROM, frame, ADMIT_BURST_MIN + 1, &now) ==
	      ADMIT_TOO_FAST);
	CHECK(admit_frame(a, ADMIT_FROM, frame, ADMIT_BURST_MIN, &now) ==
	      ADMIT_PASS);
	end();
}

static void all_ends_at_the_second_it_expires(void)
{
	begin(&(struct admit_rules){ NO_RULES, .expires = 2000 });
	now.wall = 1999;
	CHECK(from(1, -1) == ADMIT_PASS && !admit_expired(a, 1999));
	now.wall = 2000;
	CHECK(from(1, -1) == ADMIT_EXPIRED && to(1, -1) == ADMIT_EXPIRED);
	CHECK(admit_expired(a, 2000));
	/* A clock set right again. */
	now.wall = 1500;
	CHECK(from(1, -1) == ADMIT_PASS);
	end();
}

static void each_reason_has_a_count_and_a_name(void)
{
	static const uint64_t macs[] = { 1 };
	const struct admit_count *c;

	begin(&(struct admit_rules){ .untagged = 0,
				     .macs = macs,
				     .n_macs = 1,
				     .rate = 1,
				     .expires = 2000 });
	c = admit_counts(a, ADMIT_FROM);
	from(1, -1);
	from(2, -1);
	from(2, 3);
	admit_frame(a, ADMIT_FROM, frame, 3, &now);
	head(1, -1);
	admit_frame(a, ADMIT_FROM, frame, sizeof(frame), &now);
	now.wall = 2000;
	from(1, -1);
	for (int v = 0; v < ADMIT_N_VERDICTS; v++) {
		CHECK(c[v].frames == 1);
		CHECK(!admit_counts(a, ADMIT_TO)[v].frames);
		CHECK(strlen(admit_verdict_name((enum admit_verdict)v)) > 3);
	}
	CHECK(c[ADMIT_PASS].bytes == 60 && c[ADMIT_BAD_LENGTH].bytes == 3);
	CHECK(c[ADMIT_TOO_FAST].bytes == sizeof(frame));
	end();
}

static void other_rules_keep_counts_and_debts(void)
{
	struct admit_rules r = { NO_RULES, .rate = 1 };

	begin(&r);
	head(1, -1);
	CHECK(admit_frame(a, ADMIT_FROM, frame, ADMIT_BURST_MIN, &now) ==
	      ADMIT_PASS);
	CHECK(admit_set(a, &r, now.mono) == 0);
	CHECK(from(1, -1) == ADMIT_TOO_FAST);
	r.burst = ADMIT_BURST_MIN + 60;
	CHECK(admit_set(a, &r, now.mono) == 0);
	CHECK(from(1, -1) == ADMIT_PASS && from(1, -1) == ADMIT_TOO_FAST);
	r.rate = 0;
	CHECK(admit_set(a, &r, now.mono) == 0);
	CHECK(from(1, -1) == ADMIT_PASS);
	CHECK(admit_counts(a, ADMIT_FROM)[ADMIT_PASS].frames == 3);
	/* Wrong ones change nothing. */
	r.untagged = 4096;
	CHECK(admit_set(a, &r, now.mono) == -EINVAL);
	CHECK(from(1, -1) == ADMIT_PASS);
	end();
}

static void rules_out_of_order_or_range_are_refused(void)
{
	static const uint64_t twice[] = { 1, 1 }, big[] = { UINT64_C(1) << 48 };
	static const uint16_t down[] = { 2, 1 }, none[] = { 4095 },
			      zero[] = { 0 };
	const struct admit_rules bad[] = {
		{ NO_RULES, .macs = twice, .n_macs = 2 },
		{ NO_RULES, .macs = big, .n_macs = 1 },
		{ NO_RULES, .tagged = down, .n_tagged = 2 },
		{ NO_RULES, .tagged = none, .n_tagged = 1 },
		{ NO_RULES, .tagged = zero, .n_tagged = 1 },
		{ .untagged = 4096 },
		{ NO_RULES, .rate = ADMIT_RATE_MAX + 1 },
		{ NO_RULES, .rate = 1, .burst = ADMIT_BURST_MIN - 1 },
		{ NO_RULES, .rate = 1, .burst = ADMIT_BURST_MAX + 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(admit_new(&a, &bad[i], 0) == -EINVAL);
	CHECK(admit_burst(0) == ADMIT_BURST_MIN);
	CHECK(admit_burst(10000000) == 1000000);
	CHECK(admit_burst(ADMIT_RATE_MAX) == ADMIT_BURST_MAX);
}

int main(void)
{
	RUN(without_rules_all_frames_pass);
	RUN(only_listed_vlans_pass_both_ways);
	RUN(with_tagged_only_nothing_untagged_passes);
	RUN(with_untagged_only_nothing_tagged_passes);
	RUN(only_listed_addresses_may_send);
	RUN(a_rate_is_exact);
	RUN(a_full_bucket_takes_no_more);
	RUN(a_clock_that_goes_back_stands_still);
	RUN(what_is_refused_costs_nothing);
	RUN(all_ends_at_the_second_it_expires);
	RUN(each_reason_has_a_count_and_a_name);
	RUN(other_rules_keep_counts_and_debts);
	RUN(rules_out_of_order_or_range_are_refused);
	DONE();
}
