/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wirefilter - what belongs to one running wirefilter
 *
 *   wire      the engine: settings, fates, times (wire.h)
 *   pump      the ends of both directions, and frames between them and the wire
 *   console   commands, cmd_*.c
 *   sorter    which class a frame belongs to, by filters
 *   feed      traces: files that are read as time goes on
 *   journal   decisions, written (--record) or read (--replay)
 *   blink     a datagram for each frame that leaves
 *   watchman  how exact it all is: --report, --strict, showerror
 *
 * Each is made by main.c, may be NULL where it says so, and knows the others
 * through this struct.
 */
#ifndef WIREFILTER_WIREFILTER_H
#define WIREFILTER_WIREFILTER_H

#include "common/console.h"
#include "wirefilter/wire.h"

struct pump;
struct sorter;
struct feed;
struct journal;
struct blink;
struct watchman;
struct commands;

struct wirefilter {
	struct loop *loop;
	struct wire *wire;
	struct pump *pump;
	struct commands *commands;
	struct console *console; /* theirs, also if nobody listens */
	struct sorter *sorter; /* NULL: no class has a filter */
	struct feed *feed[2]; /* NULL: no trace in this direction */
	struct journal *journal; /* NULL: neither recorded nor replayed */
	struct blink *blink; /* NULL: none */
	struct watchman *watchman;
	int status; /* of exit, when the loop has stopped */
};

/* Ends the program; the first status counts. */
void wirefilter_stop(struct wirefilter *, int status);

#endif
