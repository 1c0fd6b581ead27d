// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/admit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

/* In parts of a byte of which a second of 1 byte/s has SECOND: no rounding. */
struct bucket {
	uint64_t level, cap, then;
};

/* What rules become: as fast to ask as they can be. */
struct lists {
	uint64_t *macs;
	uint64_t *vlans; /* a bit for each; NULL: all may pass */
};

struct admit {
	struct lists l;
	uint32_t n_macs;
	uint64_t rate, expires;
	struct bucket bucket[ADMIT_N_DIRS];
	struct admit_count counts[ADMIT_N_DIRS][ADMIT_N_VERDICTS];
};

static const char *const names[] = {
	"pass", "bad_length", "expired", "bad_vlan", "bad_mac", "too_fast",
};
static_assert(ARRAY_SIZE(names) == ADMIT_N_VERDICTS, "one name each");

const char *admit_verdict_name(enum admit_verdict v)
{
	return names[v];
}

uint32_t admit_burst(uint64_t rate)
{
	return (uint32_t)min_u64(max_u64(rate / 10, ADMIT_BURST_MIN),
				 ADMIT_BURST_MAX);
}

/* ---- rules ---- */

static bool are_valid(const struct admit_rules *r)
{
	if (r->untagged > VLAN_NONE || r->rate > ADMIT_RATE_MAX ||
	    r->n_tagged > VLAN_MAX)
		return false;
	if (r->burst &&
	    (r->burst < ADMIT_BURST_MIN || r->burst > ADMIT_BURST_MAX))
		return false;
	for (uint32_t i = 0; i < r->n_tagged; i++)
		if (!r->tagged[i] || r->tagged[i] > VLAN_MAX ||
		    (i && r->tagged[i - 1] >= r->tagged[i]))
			return false;
	for (uint32_t i = 0; i < r->n_macs; i++)
		if (r->macs[i] >> 48 || (i && r->macs[i - 1] >= r->macs[i]))
			return false;
	return true;
}

static void free_lists(struct lists *l)
{
	free(l->macs);
	free(l->vlans);
}

/* VLAN 0 stands for no tag. */
static int make_lists(struct lists *l, const struct admit_rules *r)
{
	*l = (struct lists){ 0 };
	if (r->n_macs) {
		l->macs = calloc(r->n_macs, sizeof(*l->macs));
		if (!l->macs)
			return -ENOMEM;
		memcpy(l->macs, r->macs, r->n_macs * sizeof(*l->macs));
	}
	if (!r->n_tagged && r->untagged == VLAN_NONE)
		return 0;
	l->vlans = calloc(4096 / 64, sizeof(*l->vlans));
	if (!l->vlans) {
		free_lists(l);
		return -ENOMEM;
	}
	if (r->untagged != VLAN_NONE)
		l->vlans[0] |= 1;
	for (uint32_t i = 0; i < r->n_tagged; i++)
		l->vlans[r->tagged[i] / 64] |= UINT64_C(1) << r->tagged[i] % 64;
	return 0;
}

/* ---- buckets ---- */

static void fill(struct bucket *b, uint64_t rate, uint64_t mono)
{
	uint64_t gain;

	if (mono <= b->then)
		return;
	if (__builtin_mul_overflow(mono - b->then, rate, &gain) ||
	    gain > b->cap - b->level)
		b->level = b->cap;
	else
		b->level += gain;
	b->then = mono;
}

static bool spend(struct bucket *b, size_t len)
{
	uint64_t cost;

	if (__builtin_mul_overflow(len, SECOND, &cost) || cost > b->level)
		return false;
	b->level -= cost;
	return true;
}

/* Another size: what is missing is missing, as far as there is room for it. */
static void resize(struct bucket *b, uint64_t cap)
{
	uint64_t missing = b->cap - b->level;

	b->level = cap - min_u64(cap, missing);
	b->cap = cap;
}

int admit_set(struct admit *a, const struct admit_rules *r, uint64_t mono)
{
	struct lists l;
	int rc;

	if (!are_valid(r))
		return -EINVAL;
	rc = make_lists(&l, r);
	if (rc)
		return rc;
	free_lists(&a->l);
	a->l = l;
	a->n_macs = r->n_macs;
	a->expires = r->expires;
	for (int d = 0; d < ADMIT_N_DIRS; d++) {
		fill(&a->bucket[d], a->rate, mono);
		resize(&a->bucket[d],
		       (r->burst ? r->burst : admit_burst(r->rate)) * SECOND);
	}
	a->rate = r->rate;
	return 0;
}

int admit_new(struct admit **out, const struct admit_rules *r, uint64_t mono)
{
	struct admit *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	rc = admit_set(a, r, mono);
	if (rc) {
		free(a);
		return rc;
	}
	for (int d = 0; d < ADMIT_N_DIRS; d++) {
		a->bucket[d].level = a->bucket[d].cap;
		a->bucket[d].then = mono;
	}
	*out = a;
	return 0;
}

void admit_free(struct admit *a)
{
	if (!a)
		return;
	free_lists(&a->l);
	free(a);
}

/* ---- frames ---- */

static bool vlan_passes(const struct admit *a, const uint8_t *frame, size_t len)
{
	unsigned int vid = 0;

	if (!a->l.vlans)
		return true;
	if (ether_be16(frame + 12) == ETHERTYPE_VLAN) {
		if (len < ETHER_HDR_LEN + ETHER_TAG_LEN)
			return false;
		vid = ether_be16(frame + 14) & VLAN_VID_MASK;
	}
	return a->l.vlans[vid / 64] >> vid % 64 & 1;
}

static bool mac_passes(const struct admit *a, const uint8_t *frame)
{
	uint64_t mac = ether_addr(frame + ETHER_ADDR_LEN);
	uint32_t from = 0, to = a->n_macs;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (a->l.macs[mid] < mac)
			from = mid + 1;
		else
			to = mid;
	}
	return !a->n_macs || (from < a->n_macs && a->l.macs[from] == mac);
}

bool admit_expired(const struct admit *a, uint64_t wall)
{
	return a->expires && wall >= a->expires;
}

static enum admit_verdict judge(struct admit *a, enum admit_dir dir,
				const uint8_t *frame, size_t len,
				const struct admit_now *now)
{
	if (len < ETHER_HDR_LEN)
		return ADMIT_BAD_LENGTH;
	if (admit_expired(a, now->wall))
		return ADMIT_EXPIRED;
	if (!vlan_passes(a, frame, len))
		return ADMIT_BAD_VLAN;
	if (dir == ADMIT_FROM && !mac_passes(a, frame))
		return ADMIT_BAD_MAC;
	if (!a->rate)
		return ADMIT_PASS;
	fill(&a->bucket[dir], a->rate, now->mono);
	return spend(&a->bucket[dir], len) ? ADMIT_PASS : ADMIT_TOO_FAST;
}

enum admit_verdict admit_frame(struct admit *a, enum admit_dir dir,
			       const uint8_t *frame, size_t len,
			       const struct admit_now *now)
{
	enum admit_verdict v = judge(a, dir, frame, len, now);

	a->counts[dir][v].frames++;
	a->counts[dir][v].bytes += len;
	return v;
}

const struct admit_count *admit_counts(const struct admit *a,
				       enum admit_dir dir)
{
	return a->counts[dir];
}
