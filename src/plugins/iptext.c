// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inet_pton() and inet_ntop() do the work; what is here is the mask.
 */
#include "plugins/iptext.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"

const char *ipaddr_family(const struct ipaddr *a)
{
	return a->len == 4 ? "ipv4" : "ipv6";
}

const char *ipaddr_str(char text[static INET6_ADDRSTRLEN],
		       const struct ipaddr *a)
{
	const char *s = inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes,
				  text, INET6_ADDRSTRLEN);

	return s ? s : "?";
}

bool ipaddr_parse(struct ipaddr *a, const char *text)
{
	*a = (struct ipaddr){ .len = strchr(text, ':') ? 16 : 4 };
	return inet_pton(a->len == 4 ? AF_INET : AF_INET6, text, a->bytes) == 1;
}

bool iprange_parse(struct iprange *r, const char *text)
{
	const char *slash = strchrnul(text, '/');
	char addr[INET6_ADDRSTRLEN];
	int64_t bits;

	if (str_fmt(addr, sizeof(addr), "%.*s", (int)(slash - text), text) <
		    0 ||
	    !ipaddr_parse(&r->addr, addr))
		return false;
	bits = r->addr.len * 8;
	if (*slash && !parse_num(slash + 1, 0, bits, &bits))
		return false;
	r->bits = (uint8_t)bits;
	iprange_mask(r);
	return true;
}
