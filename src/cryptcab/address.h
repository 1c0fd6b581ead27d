/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address - where a server is, as people write it: [USER@]HOST[:PORT]
 *
 * HOST is an IPv4 address, an IPv6 address between brackets (with %ZONE if it
 * is a link-local one), or a name. Nothing is looked up here. A host or user
 * that begins with a dash is none, nor one with a character that a shell or a
 * terminal might take for something else: both are given to ssh.
 */
#ifndef CRYPTCAB_ADDRESS_H
#define CRYPTCAB_ADDRESS_H

#include "base/strbuf.h"

#define ADDRESS_HOST_SIZE 254 /* the longest name of DNS, and a NUL */
#define ADDRESS_USER_SIZE 65
#define ADDRESS_SIZE (ADDRESS_HOST_SIZE + sizeof("[]:65535") - 1)
#define ADDRESS_PORT 7667

enum address_kind {
	ADDRESS_NAME,
	ADDRESS_IPV4,
	ADDRESS_IPV6, /* without brackets */
	ADDRESS_N_KINDS
};

struct address {
	enum address_kind kind;
	uint16_t port; /* 1..65535 */
	char host[ADDRESS_HOST_SIZE];
};

/* @port: what is meant where there is none; 0: there must be one. False after
 * saying in @why what is wrong. */
bool address_parse(struct address *, const char *text, uint16_t port,
		   struct strbuf *why);

/* The same with a user in front; @user is empty if there is none. */
bool address_parse_target(struct address *, char user[static ADDRESS_USER_SIZE],
			  const char *text, uint16_t port, struct strbuf *why);

/* As address_parse() reads it, always with its port. Returns @s. */
char *address_write(char s[static ADDRESS_SIZE], const struct address *);

bool address_equal(const struct address *, const struct address *);

#endif
