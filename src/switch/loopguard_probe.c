// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/loopguard_probe.h"

#include <string.h>

#include "base/cursor.h"
#include "base/ether.h"
#include "base/hash.h"

#define VERSION 1
#define ETHERTYPE_EXPERIMENT 0x88b5
#define HASHED_FROM ETHER_HDR_LEN /* bytes that the hash covers */
#define HASH_AT 44
#define HASH_LEN 8

static const uint8_t magic[4] = { 'V', 'D', 'E', 'L' };

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
	return p + bytes;
}

static uint64_t take(struct cursor *c, int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | cursor_u8(c);
	return v;
}

static uint64_t hash(const uint8_t *frame, const uint64_t key[static 2])
{
	return hash_bytes(frame + HASHED_FROM, HASH_AT - HASHED_FROM, key);
}

void loopguard_probe_build(uint8_t frame[static LOOPGUARD_LEN],
			   const struct loopguard_probe *probe,
			   const uint64_t key[static 2])
{
	uint8_t *p = frame;

	memset(frame, 0, LOOPGUARD_LEN);
	p = put(p, LOOPGUARD_ADDR, ETHER_ADDR_LEN);
	p = put(p, 0x02, 1);
	p = put(p, probe->id, 3);
	p = put(p, probe->port, 2);
	p = put(p, ETHERTYPE_EXPERIMENT, 2);
	memcpy(p, magic, sizeof(magic));
	p = put(p + sizeof(magic), VERSION, 1);
	p = put(p, 0, 1);
	p = put(p, probe->port, 2);
	p = put(p, probe->vid, 2);
	p = put(p, probe->id, 8);
	p = put(p, probe->number, 4);
	put(p, probe->sent, 8);
	put(frame + HASH_AT, hash(frame, key), HASH_LEN);
}

bool loopguard_probe_parse(struct loopguard_probe *probe, const uint8_t *frame,
			   size_t len)
{
	struct cursor c = { frame, len, false };
	const uint8_t *mark;
	uint8_t version;
	bool ours;

	cursor_take(&c, (size_t)2 * ETHER_ADDR_LEN);
	ours = cursor_be16(&c) == ETHERTYPE_EXPERIMENT;
	mark = cursor_take(&c, sizeof(magic));
	ours = ours && mark && !memcmp(mark, magic, sizeof(magic));
	version = cursor_u8(&c);
	cursor_u8(&c);
	probe->port = cursor_be16(&c);
	probe->vid = cursor_be16(&c);
	probe->id = take(&c, 8);
	probe->number = (uint32_t)take(&c, 4);
	probe->sent = take(&c, 8);
	cursor_take(&c, HASH_LEN);
	return !c.bad && ours && version == VERSION;
}

bool loopguard_probe_genuine(const uint8_t *frame, const uint64_t key[static 2])
{
	uint8_t good[HASH_LEN], differs = 0;

	put(good, hash(frame, key), HASH_LEN);
	for (int i = 0; i < HASH_LEN; i++)
		differs |= good[i] ^ frame[HASH_AT + i];
	return !differs;
}
