// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool fail(struct strbuf *why, const char *what)
{
	strbuf_add(why, what);
	return false;
}

/* Labels of letters, digits, - and _, between dots; the last one is not a
 * number, or it would be an address with a mistake. */
static bool is_name(const char *s)
{
	const char *label = s;

	for (;;) {
		size_t n = strspn(label, LETTERS DIGITS "-_");

		if (!n || n > 63 || *label == '-')
			return false;
		if (!label[n])
			return strspn(label, DIGITS) != n;
		if (label[n] != '.')
			return false;
		label += n + 1;
	}
}

static bool is_ipv6(const char *host)
{
	char copy[ADDRESS_HOST_SIZE], *zone;
	struct in6_addr addr;

	if (str_copy(copy, sizeof(copy), host) < 0)
		return false;
	zone = strchr(copy, '%');
	if (zone) {
		*zone++ = '\0';
		if (!*zone || strlen(zone) > 15 || *zone == '-' ||
		    zone[strspn(zone, LETTERS DIGITS ".-_")])
			return false;
	}
	return inet_pton(AF_INET6, copy, &addr) == 1;
}

static bool set_host(struct address *a, bool brackets, struct strbuf *why)
{
	struct in_addr addr;

	if (brackets) {
		a->kind = ADDRESS_IPV6;
		return is_ipv6(a->host) ||
		       fail(why, "between brackets must be an IPv6 address");
	}
	if (inet_pton(AF_INET, a->host, &addr) == 1) {
		a->kind = ADDRESS_IPV4;
		return true;
	}
	a->kind = ADDRESS_NAME;
	return is_name(a->host) || fail(why, "that is no host");
}

static bool take_port(struct address *a, const char *text, struct strbuf *why)
{
	int64_t port;

	/* No 0x, no sign. */
	if (strspn(text, DIGITS) != strlen(text) ||
	    !parse_num(text, 1, UINT16_MAX, &port))
		return fail(why, "the port must be 1 to 65535");
	a->port = (uint16_t)port;
	return true;
}

bool address_parse(struct address *a, const char *text, uint16_t port,
		   struct strbuf *why)
{
	bool brackets = *text == '[';
	const char *host = text + brackets, *end, *colon;

	memset(a, 0, sizeof(*a));
	if (brackets) {
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return fail(why, "[ needs a ] before :PORT");
		colon = end[1] ? end + 1 : NULL;
	} else {
		colon = strchr(host, ':');
		end = colon ? colon : host + strlen(host);
		if (colon && strchr(colon + 1, ':'))
			return fail(why,
				    "an IPv6 address stands between brackets");
	}
	if ((size_t)(end - host) >= sizeof(a->host))
		return fail(why, "the host is too long");
	memcpy(a->host, host, (size_t)(end - host));
	a->port = port;
	if (colon && !take_port(a, colon + 1, why))
		return false;
	if (!a->port)
		return fail(why, "a port is missing");
	return set_host(a, brackets, why);
}

bool address_parse_target(struct address *a,
			  char user[static ADDRESS_USER_SIZE], const char *text,
			  uint16_t port, struct strbuf *why)
{
	const char *at = strchr(text, '@');
	size_t n = at ? (size_t)(at - text) : 0;

	user[0] = '\0';
	if (!at)
		return address_parse(a, text, port, why);
	if (!n || n >= ADDRESS_USER_SIZE || *text == '-' ||
	    strspn(text, LETTERS DIGITS "._-") != n)
		return fail(why, "that is no user");
	memcpy(user, text, n);
	user[n] = '\0';
	return address_parse(a, at + 1, port, why);
}

char *address_write(char s[static ADDRESS_SIZE], const struct address *a)
{
	bool six = a->kind == ADDRESS_IPV6;
	struct strbuf b;

	strbuf_init(&b, s, ADDRESS_SIZE);
	strbuf_fmt(&b, "%s%s%s:%u", six ? "[" : "", a->host, six ? "]" : "",
		   (unsigned int)a->port);
	return s;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->kind == b->kind && a->port == b->port &&
	       !strcmp(a->host, b->host);
}
