// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/tos.h"

#include "base/ether.h"
#include "base/inet.h"

#define TAGS_MAX 2
#define ETHERTYPE_QINQ 0x88a8

/* Where IP begins, 0: it does not; *@version. */
static size_t find_ip(const uint8_t *p, size_t len, int *version)
{
	size_t at = ETHER_HDR_LEN - 2;

	for (int i = 0; i <= TAGS_MAX && at + 2 <= len; i++) {
		unsigned int type = (unsigned int)p[at] << 8 | p[at + 1];

		if (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) {
			at += ETHER_TAG_LEN;
			continue;
		}
		at += 2;
		*version = type == 0x0800 ? 4 : type == 0x86dd ? 6 : 0;
		if (*version == 4 && at + INET4_HDR_LEN <= len)
			return at;
		if (*version == 6 && at + INET6_HDR_LEN <= len)
			return at;
		return 0;
	}
	return 0;
}

uint8_t tos_of(const uint8_t *frame, size_t len)
{
	int version;
	size_t at = find_ip(frame, len, &version);

	if (!at)
		return 0;
	if (version == 4)
		return frame[at + 1];
	return (uint8_t)((frame[at] & 0x0f) << 4 | frame[at + 1] >> 4);
}

/* RFC 1624: a checksum after @was became @is. */
static void mend_sum(uint8_t *sum, unsigned int was, unsigned int is)
{
	uint32_t s = (uint32_t)sum[0] << 8 | sum[1];

	s = (~s & 0xffff) + (~was & 0xffff) + is;
	s = (s & 0xffff) + (s >> 16);
	s = ~(s + (s >> 16)) & 0xffff;
	sum[0] = (uint8_t)(s >> 8);
	sum[1] = (uint8_t)s;
}

bool tos_arrived(uint8_t *frame, size_t len, uint8_t outer)
{
	int version;
	size_t at;
	uint8_t tos;

	if ((outer & TOS_ECN) != TOS_CE)
		return true;
	at = find_ip(frame, len, &version);
	tos = tos_of(frame, len);
	if (!at || (tos & TOS_ECN) == TOS_CE)
		return true;
	if (!(tos & TOS_ECN))
		return false;
	if (version == 6) {
		frame[at + 1] |= TOS_CE << 4;
		return true;
	}
	frame[at + 1] |= TOS_CE;
	mend_sum(&frame[at + INET4_CSUM], (unsigned int)frame[at] << 8 | tos,
		 (unsigned int)frame[at] << 8 | frame[at + 1]);
	return true;
}
