/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seen - IP addresses that were seen lately, and those that frames carry
 *
 * A table of fixed size: an address falls into a bucket of a few places, and
 * when all are taken the one that was quiet for longest makes room. So a peer
 * that invents addresses makes old ones be reported again, and nothing grows.
 */
#ifndef PLUG_SEEN_H
#define PLUG_SEEN_H

#include "base/util.h"

struct seen;

struct seen_addr {
	uint8_t bytes[16];
	uint8_t len; /* 4 or 16; 0: no address */
	uint16_t vlan; /* 0: untagged */
};

/* The source address in an Ethernet frame: of IPv4, ARP or IPv6, behind an
 * 802.1Q tag or not. False if there is none, or it is unspecified. */
bool seen_parse(struct seen_addr *, const uint8_t *frame, size_t len);

/* @secret scatters the buckets. NULL without memory. */
struct seen *seen_new(uint64_t secret);
void seen_free(struct seen *);
/* True if @addr was not seen for SEEN_QUIET_S, or ever. */
bool seen_note(struct seen *, const struct seen_addr *addr, uint64_t now_s);

#define SEEN_QUIET_S 3600

#endif
