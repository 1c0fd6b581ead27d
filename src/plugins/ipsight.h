/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipsight - whose IP address does a frame show?
 *
 * That of the sender of IPv4, IPv6 and ARP, behind up to two VLAN tags. What
 * cannot be the address of one host (0.0.0.0, ::, multicast) is none.
 */
#ifndef PLUGINS_IPSIGHT_H
#define PLUGINS_IPSIGHT_H

#include "base/util.h"

struct ipaddr {
	uint8_t bytes[16]; /* zeros after the first @len */
	uint8_t len; /* 4 or 16 */
};

struct ipsight {
	struct ipaddr addr;
	uint64_t mac; /* the sender's in the Ethernet header */
};

/* False: none. */
bool ipsight_parse(struct ipsight *, const uint8_t *frame, size_t len);

/* A range is an address and how many bits of it count. */
struct iprange {
	struct ipaddr addr;
	uint8_t bits;
};

/* Clears the bits that do not count. */
void iprange_mask(struct iprange *);
bool iprange_equal(const struct iprange *, const struct iprange *);
bool iprange_has(const struct iprange *, const struct ipaddr *);
bool ipaddr_equal(const struct ipaddr *, const struct ipaddr *);

#endif
