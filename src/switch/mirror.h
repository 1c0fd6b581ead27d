/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mirror - copies of what passes one port leave by another
 *
 * An engine on top of hook.h: it sees what a source port has accepted, what is
 * about to leave by it, or both, and sends the same frame by the destination
 * in the form it had on the source's wire, whatever VLANs the destination is
 * in. Frames of protocols of the switch itself (struct bridge_proto), which are
 * about one link, are not copied. The destination keeps its ordinary traffic. A copy is not mirrored
 * again, so mirrors in a circle are harmless, and nobody waits for who is too
 * slow for copies: they are lost there, counted as always. A destination that
 * nothing is plugged into, or that is held down, gets none.
 */
#ifndef SWITCH_MIRROR_H
#define SWITCH_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

struct bridge;
struct mirrors;

struct mirror {
	struct mirror *next; /* of that source, by destination */
	uint16_t src, dst;
	bool in, out; /* what is copied: at least one */
	uint64_t frames, bytes; /* copied */
	uint64_t missed; /* there was nobody to send them to */
};

/* All mirrors of a bridge, none at first. A port that is removed takes its
 * mirrors with it. NULL without memory. */
struct mirrors *mirrors_new(struct bridge *);
/* Before the bridge goes. */
void mirrors_free(struct mirrors *);

/* 0; -EINVAL: out of range, the same port twice, or neither in nor out;
 * -ENXIO: no such port; -EEXIST, -ENOMEM. */
int mirror_add(struct mirrors *, unsigned int src, unsigned int dst, bool in,
	       bool out);
/* 0 or -ENOENT. */
int mirror_del(struct mirrors *, unsigned int src, unsigned int dst);
/* The first one whose ports are not before these, by source, then
 * destination; NULL at the end. */
const struct mirror *mirror_from(const struct mirrors *, unsigned int src,
				 unsigned int dst);

#endif
