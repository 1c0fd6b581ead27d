/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iptable - which IP address was seen last on which port, in which VLAN
 *
 * An engine: no clock, no descriptor. One entry for each address and VLAN, at
 * most as many as it was made for; who needs one more when all are in use gets
 * the oldest of the port that has the most, so a port that invents addresses
 * displaces its own. Ports are numbers below 65536. Memory is
 * taken when it is first used.
 */
#ifndef PLUGINS_IPTABLE_H
#define PLUGINS_IPTABLE_H

#include "base/list.h"
#include "plugins/ipsight.h"

struct ipentry {
	struct list node; /* in its port, the latest first */
	uint32_t next; /* in its bucket, or free; index + 1 */
	uint32_t seen_s;
	uint64_t mac;
	uint32_t uid; /* of the port's user, then; the caller's business */
	uint16_t port, vlan;
	struct ipaddr addr; /* len 0: not in use */
};

struct iptable;

/* NULL without memory. Who does not know @key cannot aim at a bucket. */
struct iptable *iptable_new(uint32_t max, const uint64_t key[static 2]);
void iptable_free(struct iptable *);
uint32_t iptable_used(const struct iptable *);

enum iptable_result {
	IPTABLE_UNKNOWN, /* not there: iptable_add() */
	IPTABLE_KNOWN,
	IPTABLE_CHANGED /* another port or MAC address than before */
};

/* It is seen now. *@out is the entry, unless it is unknown. */
enum iptable_result iptable_see(struct iptable *, const struct ipsight *,
				unsigned int vlan, unsigned int port,
				uint32_t now_s, struct ipentry **out);
/* One that is unknown. */
struct ipentry *iptable_add(struct iptable *, const struct ipsight *,
			    unsigned int vlan, unsigned int port,
			    uint32_t now_s);

/* Forgets what was not seen for @age_s seconds; returns how many. */
uint32_t iptable_expire(struct iptable *, uint32_t now_s, uint32_t age_s);
void iptable_forget_port(struct iptable *, unsigned int port);
void iptable_forget_if(struct iptable *,
		       bool (*fn)(void *ctx, const struct ipentry *),
		       void *ctx);

/* The first entry in use from @at on, *@at is behind it then; NULL: no
 * more. */
const struct ipentry *iptable_next(const struct iptable *, uint64_t *at);

#endif
