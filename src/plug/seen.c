// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/ether.h"
#include "base/hash.h"

#define N_BUCKETS 256
#define PLACES 4

#define ARP_HEAD 8 /* types and lengths, before the addresses */

struct place {
	struct seen_addr addr;
	uint64_t last_s;
};

struct seen {
	uint64_t secret;
	struct place bucket[N_BUCKETS][PLACES];
};

static void take_addr(struct seen_addr *a, struct cursor *c, uint8_t len)
{
	const uint8_t *p = cursor_take(c, len);

	if (!p)
		return;
	memcpy(a->bytes, p, len);
	a->len = len;
}

static bool is_zero(const struct seen_addr *a)
{
	for (int i = 0; i < a->len; i++)
		if (a->bytes[i])
			return false;
	return true;
}

bool seen_parse(struct seen_addr *a, const uint8_t *frame, size_t len)
{
	struct cursor c = { frame, len, false };
	uint16_t type;

	*a = (struct seen_addr){ 0 };
	cursor_take(&c, 2 * ETHER_ADDR_LEN);
	type = cursor_be16(&c);
	if (type == ETHERTYPE_VLAN) {
		a->vlan = cursor_be16(&c) & VLAN_VID_MASK;
		type = cursor_be16(&c);
	}
	switch (type) {
	case ETHERTYPE_IPV4:
		cursor_take(&c, 12);
		take_addr(a, &c, 4);
		break;
	case ETHERTYPE_ARP:
		cursor_take(&c, ARP_HEAD + ETHER_ADDR_LEN);
		take_addr(a, &c, 4);
		break;
	case ETHERTYPE_IPV6:
		cursor_take(&c, 8);
		take_addr(a, &c, 16);
		break;
	default:
		break;
	}
	return a->len && !is_zero(a);
}

struct seen *seen_new(uint64_t secret)
{
	struct seen *s = calloc(1, sizeof(*s));

	if (s)
		s->secret = secret;
	return s;
}

void seen_free(struct seen *s)
{
	free(s);
}

static struct place *bucket_of(struct seen *s, const struct seen_addr *a)
{
	uint64_t high, low, h;

	memcpy(&high, a->bytes, 8);
	memcpy(&low, a->bytes + 8, 8);
	h = hash_u64(high ^ a->vlan, s->secret);
	h = hash_u64(low ^ h, s->secret);
	return s->bucket[h % N_BUCKETS];
}

static bool same(const struct seen_addr *a, const struct seen_addr *b)
{
	return a->len == b->len && a->vlan == b->vlan &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool seen_note(struct seen *s, const struct seen_addr *a, uint64_t now_s)
{
	struct place *b = bucket_of(s, a), *oldest = b;

	for (struct place *p = b; p < b + PLACES; p++) {
		if (same(&p->addr, a)) {
			bool quiet = now_s - p->last_s > SEEN_QUIET_S;

			p->last_s = now_s;
			return quiet;
		}
		if (p->last_s < oldest->last_s)
			oldest = p;
	}
	*oldest = (struct place){ *a, now_s };
	return true;
}
