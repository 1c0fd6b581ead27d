/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iptext - IP addresses, and ranges of them, as people write them
 *
 * Numbers only: to look up a name takes as long as somebody else likes.
 */
#ifndef PLUGINS_IPTEXT_H
#define PLUGINS_IPTEXT_H

#include <netinet/in.h>

#include "plugins/ipsight.h"

/* "ipv4" or "ipv6". */
const char *ipaddr_family(const struct ipaddr *);
/* Returns @text. */
const char *ipaddr_str(char text[static INET6_ADDRSTRLEN],
		       const struct ipaddr *);
bool ipaddr_parse(struct ipaddr *, const char *text);
/* An address, or address/bits; what does not count of it is cleared. */
bool iprange_parse(struct iprange *, const char *text);

#endif
