// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/rstp_bpdu.h"

#include "base/cursor.h"
#include "base/ether.h"

#define LLC_SAP 0x42 /* bridge spanning tree, 7.12.3 */
#define LLC_UI 0x03
#define LLC_LEN 3
#define CONFIG_LEN 35
#define TCN_LEN 4
#define RST_LEN 36

#define TYPE_CONFIG 0x00
#define TYPE_RST 0x02
#define TYPE_TCN 0x80
#define VERSION_STP 0
#define VERSION_RSTP 2

#define ROLE_SHIFT 2
#define ROLE_MASK 0x0c
#define FLAGS_MASK (uint8_t) ~ROLE_MASK

/* 9.2.9, and what VDE 2 takes them for */
static const enum rstp_role roles[] = { RSTP_DISABLED, RSTP_ALTERNATE,
					RSTP_ROOT, RSTP_DESIGNATED };
static const enum rstp_role dialect_roles[] = { RSTP_DISABLED, RSTP_ROOT,
						RSTP_ALTERNATE,
						RSTP_DESIGNATED };

static uint64_t get_number(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint8_t *put_number(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = n; i > 0; i--, v >>= 8)
		p[i - 1] = v & 0xff;
	return p + n;
}

static void get_body(struct rstp_bpdu *b, struct cursor *c)
{
	b->root = get_number(c, 8);
	b->cost = (uint32_t)get_number(c, 4);
	b->bridge = get_number(c, 8);
	b->port = cursor_be16(c);
	b->times.message_age = cursor_be16(c);
	b->times.max_age = cursor_be16(c);
	b->times.hello = cursor_be16(c);
	b->times.forward_delay = cursor_be16(c);
}

/* The dialect has no forward delay, which no standard bridge can be set to.
 * Its message age says how long ago the root was heard of and not how far
 * away it is: it begins anew at every hop, and changes with every hello. One
 * second, a hop, is as good and makes repeated information look repeated. */
static void get_dialect(struct rstp_bpdu *b, uint8_t flags)
{
	b->dialect = true;
	b->role = dialect_roles[(flags & ROLE_MASK) >> ROLE_SHIFT];
	b->times.message_age = RSTP_SECOND;
}

bool rstp_bpdu_parse(struct rstp_bpdu *b, const uint8_t *frame, size_t len)
{
	struct cursor c = { frame, len, false };
	uint8_t version, type, flags;
	uint16_t size;

	cursor_take(&c, ETHER_HDR_LEN - 2);
	size = cursor_be16(&c);
	if (c.bad || size > c.left)
		return false;
	c.left = size; /* the rest is padding */
	if (get_number(&c, 2) != (LLC_SAP << 8 | LLC_SAP) ||
	    cursor_u8(&c) != LLC_UI || cursor_be16(&c) != 0)
		return false;
	version = cursor_u8(&c);
	type = cursor_u8(&c);
	*b = (struct rstp_bpdu){ .kind = RSTP_TCN };
	if (type == TYPE_TCN)
		return !c.bad;

	flags = cursor_u8(&c);
	b->flags = flags & FLAGS_MASK;
	get_body(b, &c);
	if (type == TYPE_CONFIG) {
		b->kind = RSTP_CONFIG;
		b->role = RSTP_DESIGNATED;
		b->flags &= RSTP_TC | RSTP_TC_ACK;
		return !c.bad && b->times.message_age < b->times.max_age;
	}
	b->kind = RSTP_RST;
	b->role = roles[(flags & ROLE_MASK) >> ROLE_SHIFT];
	cursor_u8(&c); /* Version 1 Length, no matter what */
	if (b->times.forward_delay == 0)
		get_dialect(b, flags);
	return !c.bad && type == TYPE_RST && version >= VERSION_RSTP;
}

static uint8_t role_code(const struct rstp_bpdu *b)
{
	enum rstp_role role = b->role == RSTP_BACKUP ? RSTP_ALTERNATE : b->role;
	const enum rstp_role *codes = b->dialect ? dialect_roles : roles;
	uint8_t i = 0;

	for (i = ARRAY_SIZE(roles) - 1; i > 0; i--)
		if (codes[i] == role)
			break;
	return (uint8_t)(i << ROLE_SHIFT);
}

static uint8_t *put_body(uint8_t *p, const struct rstp_bpdu *b)
{
	p = put_number(p, b->root, 8);
	p = put_number(p, b->cost, 4);
	p = put_number(p, b->bridge, 8);
	p = put_number(p, b->port, 2);
	p = put_number(p, b->times.message_age, 2);
	p = put_number(p, b->times.max_age, 2);
	p = put_number(p, b->times.hello, 2);
	return put_number(p, b->dialect ? 0 : b->times.forward_delay, 2);
}

size_t rstp_bpdu_write(const struct rstp_bpdu *b, uint64_t source,
		       uint8_t frame[static RSTP_FRAME_MAX])
{
	static const struct {
		uint8_t len, version, type;
	} kinds[] = {
		[RSTP_CONFIG] = { CONFIG_LEN, VERSION_STP, TYPE_CONFIG },
		[RSTP_TCN] = { TCN_LEN, VERSION_STP, TYPE_TCN },
		[RSTP_RST] = { RST_LEN, VERSION_RSTP, TYPE_RST },
	};
	uint8_t flags = b->flags & FLAGS_MASK;
	uint8_t *p = frame;

	static_assert(ARRAY_SIZE(kinds) == RSTP_N_KINDS, "a kind is missing");
	static_assert(ETHER_HDR_LEN + LLC_LEN + RST_LEN == RSTP_FRAME_MAX, "");
	p = put_number(p, RSTP_BPDU_ADDR, ETHER_ADDR_LEN);
	p = put_number(p, source, ETHER_ADDR_LEN);
	p = put_number(p, LLC_LEN + kinds[b->kind].len, 2);
	p = put_number(p, LLC_SAP << 16 | LLC_SAP << 8 | LLC_UI, LLC_LEN);
	p = put_number(p, 0, 2);
	*p++ = kinds[b->kind].version;
	*p++ = kinds[b->kind].type;
	if (b->kind == RSTP_TCN)
		return (size_t)(p - frame);
	if (b->kind == RSTP_RST)
		flags |= role_code(b);
	*p++ = flags;
	p = put_body(p, b);
	if (b->kind == RSTP_RST)
		*p++ = 0; /* Version 1 Length */
	return (size_t)(p - frame);
}
