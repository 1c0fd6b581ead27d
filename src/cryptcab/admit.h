/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * admit - may this frame of this client pass?
 *
 * Rules are those of the peers file: source addresses, VLANs, a rate, an end.
 * What a client sends is checked against all of them; what it gets against
 * VLANs, rate and end. Nothing depends on how many clients there are, and a
 * frame costs at most one search in the client's addresses.
 *
 *   VLANs   none given: all frames, tagged or not. Else a tagged frame must be
 *           of one of @tagged, and one without tag (or with VLAN 0, which is
 *           only a priority) needs @untagged. 802.1ad tags (0x88a8) are
 *           untagged frames of another protocol, as they are for the switch.
 *   rate    a bucket of @burst bytes that fills by @rate bytes a second, for
 *           each direction: a frame takes its length, or does not pass and
 *           takes nothing. Exact: over any time t at most burst + rate * t
 *           bytes pass. What the other rules refuse costs nothing.
 *   end     @expires, of the clock on the wall; times in nanoseconds are of
 *           one that does not go back (if it does, it stands still).
 *
 * An engine: no descriptor, clock or log.
 */
#ifndef CRYPTCAB_ADMIT_H
#define CRYPTCAB_ADMIT_H

#include "base/ether.h"

#define ADMIT_RATE_MAX (UINT64_C(1) << 40) /* bytes a second */
/* No frame is longer: each passes a full bucket. */
#define ADMIT_BURST_MIN (UINT32_C(1) << 17)
#define ADMIT_BURST_MAX (UINT32_C(1) << 31)

struct admit_rules {
	const uint64_t *macs; /* ascending, each once; ether_addr() */
	const uint16_t *tagged; /* ascending, each once, 1..VLAN_MAX */
	uint32_t n_macs; /* 0: any address */
	uint16_t n_tagged;
	uint16_t untagged; /* 0..VLAN_MAX; VLAN_NONE: none given */
	uint32_t burst; /* bytes; 0: admit_burst(rate) */
	uint64_t rate; /* bytes a second; 0: no limit */
	uint64_t expires; /* seconds since 1970; 0: never */
};

enum admit_dir {
	ADMIT_FROM, /* the client sent it */
	ADMIT_TO, /* the client would get it */
	ADMIT_N_DIRS
};

enum admit_verdict {
	ADMIT_PASS,
	ADMIT_BAD_LENGTH, /* shorter than its header */
	ADMIT_EXPIRED,
	ADMIT_BAD_VLAN,
	ADMIT_BAD_MAC,
	ADMIT_TOO_FAST,
	ADMIT_N_VERDICTS
};

struct admit_now {
	uint64_t mono; /* nanoseconds */
	uint64_t wall; /* seconds since 1970 */
};

struct admit_count {
	uint64_t frames, bytes;
};

struct admit;

/* As words_with_underscores. */
const char *admit_verdict_name(enum admit_verdict);

/* A tenth of a second, but at least ADMIT_BURST_MIN. */
uint32_t admit_burst(uint64_t rate);

/* -EINVAL: rules out of range or order; -ENOMEM. @rules is copied. The buckets
 * are full at first. */
int admit_new(struct admit **, const struct admit_rules *rules, uint64_t mono);
void admit_free(struct admit *);

/* Other rules from now on: what was counted, and what is missing in the
 * buckets, stays. On failure nothing has changed. */
int admit_set(struct admit *, const struct admit_rules *rules, uint64_t mono);

/* @frame has @len bytes as on a wire, its tag in them. It is counted. */
enum admit_verdict admit_frame(struct admit *, enum admit_dir,
			       const uint8_t *frame, size_t len,
			       const struct admit_now *);

bool admit_expired(const struct admit *, uint64_t wall);

/* ADMIT_N_VERDICTS of them; as long as the struct. */
const struct admit_count *admit_counts(const struct admit *, enum admit_dir);

#endif
