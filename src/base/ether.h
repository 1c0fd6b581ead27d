/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ether - Ethernet II and 802.1Q facts, and addresses as text
 *
 * An address in a register is its six bytes read big-endian into the low 48
 * bits of a uint64_t. Source: IEEE 802.3-2018 clause 3, 802.1Q-2018 clause 9.
 */
#ifndef BASE_ETHER_H
#define BASE_ETHER_H

#include "base/util.h"

#define ETHER_ADDR_LEN 6
#define ETHER_HDR_LEN 14
#define ETHER_TAG_LEN 4
#define ETHER_MIN_LEN 60 /* without the FCS, which nobody here carries */
#define ETHER_MTU 9216 /* largest payload */
#define ETHER_MAX_LEN (ETHER_MTU + ETHER_HDR_LEN + ETHER_TAG_LEN)

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8 /* an outer tag */

#define VLAN_VID_MASK 0x0fff
#define VLAN_NONE 4095 /* as a port's untagged VLAN: no untagged traffic */
#define VLAN_MAX 4094

#define ETHER_STRLEN 18 /* "xx:xx:xx:xx:xx:xx" and its NUL */

static inline uint16_t ether_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t ether_be32(const uint8_t *p)
{
	return (uint32_t)ether_be16(p) << 16 | ether_be16(p + 2);
}

static inline uint64_t ether_addr(const uint8_t *p)
{
	return (uint64_t)p[0] << 40 | (uint64_t)p[1] << 32 |
	       (uint64_t)p[2] << 24 | (uint64_t)p[3] << 16 |
	       (uint64_t)p[4] << 8 | p[5];
}

static inline bool ether_is_multicast(uint64_t addr)
{
	return addr >> 40 & 1;
}

/* @s has room for ETHER_STRLEN. Returns @s. */
char *ether_str(char *s, uint64_t addr);

/* Six hexadecimal numbers of one or two digits between ':' or '.'. */
bool ether_parse(const char *s, uint64_t *addr);

#endif
