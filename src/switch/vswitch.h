/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vswitch - one running switch: the bridge and what connects it to the world
 */
#ifndef SWITCH_VSWITCH_H
#define SWITCH_VSWITCH_H

#include <limits.h>

#include "common/console.h"
#include "common/log.h"
#include "common/loop.h"
#include "switch/bridge.h"
#include "switch/linkwatch.h"

#define EVENT_CATEGORIES 64 /* as many as a session has flags */
#define SWITCH_TABLES 128 /* of commands */

struct captures;
struct ctlsock;
struct loops;
struct plugins;
struct mirrors;
struct snoop;
struct event_category;
struct fstp;
struct stp;

/* Frames for one reception in a go, shared by all transports of a loop: they
 * never receive at the same time. */
struct rx_batch {
	struct frame **frames; /* ready to be filled */
	int n; /* how many */
	struct frame *room[BATCH_MAX]; /* at its end are @frames */
};

/* The first @n were handed on. */
void rx_batch_consumed(struct rx_batch *, int n);
void rx_batch_fini(struct rx_batch *);

struct vswitch {
	struct loop *loop;
	struct bridge *br;
	struct console *console;
	struct ctlsock *ctl;
	struct plugins *plugins;
	struct mgmt mgmt;
	struct mgmt_table tables[SWITCH_TABLES]; /* what mgmt points at */
	const struct event_category *categories[EVENT_CATEGORIES];
	uint64_t subscribed; /* bits that some console wants to see */
	struct bridge_listener listener; /* for those of the bridge */
	struct loops *loops; /* the guard against them */
	struct stp *stp; /* spanning trees, run by */
	struct fstp *fstp;
	struct mirrors *mirrors;
	struct snoop *snoop; /* multicast */
	struct list hostifs; /* taps and other interfaces of this host */
	struct linkwatch links; /* of them, open from the first one on */
	struct captures *captures; /* from the first one on */
	struct rx_batch rx;
	struct loop_hook flush;
	struct loop_timer gc;
	struct loop_timer hold;
	struct log_limit move_limit;
	struct log_limit refused_limit; /* addresses, by guards */
	struct log_limit client_limit;
	uint64_t copies, uncut; /* of br, before this turn */
	unsigned int sparse; /* turns in a row with next to no frames */
	uint64_t started; /* ns */
	uint64_t macaddr;
	char mgmt_path[PATH_MAX]; /* empty: none */
	unsigned int mgmt_mode;
};

/* Tops the batch up from the pool; returns how many frames @ep may receive
 * now. */
int rx_batch_prepare(struct vswitch *, const struct endpoint *ep);

#endif
