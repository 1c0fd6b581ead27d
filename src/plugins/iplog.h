/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iplog - what the parts of that plugin share
 *
 *   iplog.c      looks at frames and tells what is new; its beginning and end
 *   iplog_cmd.c  its commands
 */
#ifndef PLUGINS_IPLOG_H
#define PLUGINS_IPLOG_H

#include "plugins/ipout.h"
#include "plugins/iptable.h"
#include "switch/vde_plugin.h"

#define IPLOG_NSEC UINT64_C(1000000000)
#define IPLOG_RANGES 256
#define IPLOG_NAME 64 /* room for a user's name */

struct iplog {
	const struct vde_plugin_host *host;
	struct iptable *table;
	struct iplog_quota *quotas; /* of each port */
	struct ipout out;
	bool failing; /* the last line was lost, and that has been said */
	int category;
	int gc; /* timer */
	uint32_t gc_s, expire_s;
	uint64_t left_out;
	size_t n_ranges;
	struct iprange ranges[IPLOG_RANGES];
};

/* Of the switch's clock. */
static inline uint32_t iplog_seconds(const struct iplog *g,
				     struct vde_plugin_ctx *ctx)
{
	return (uint32_t)(g->host->now(ctx) / IPLOG_NSEC);
}

/* The user's name, or "?". */
const char *iplog_user(const struct iplog *, struct vde_plugin_ctx *,
		       uint32_t uid, char name[static IPLOG_NAME]);
/* Is it of one of the ranges? */
bool iplog_in_ranges(const struct iplog *, const struct ipaddr *);
/* How often what is old is forgotten; 0: never. 0 or -errno. */
int iplog_set_gc(struct iplog *, struct vde_plugin_ctx *, uint32_t gc_s);

int iplog_add_commands(struct iplog *, struct vde_plugin_ctx *);

#endif
