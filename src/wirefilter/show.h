/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * show - the wire in JSON, and its settings as an rc file
 */
#ifndef WIREFILTER_SHOW_H
#define WIREFILTER_SHOW_H

#include "wirefilter/cmd.h"

/* JSON alone: all settings of a node, by name; what waits, and the counters,
 * of each direction. @now is for blackouts. */
void show_settings(struct writer *, const struct wire *, unsigned int node,
		   uint64_t now);
void show_counters(struct writer *, const struct wire *);

/* A handler: the commands that make the wire what it is, each a line. */
mgmt_fn show_config;

#endif
