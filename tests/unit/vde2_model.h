/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vde2_model - how VDE 2's switch behaves in a spanning tree
 *
 * As seen from outside: it believes whatever is better, or different on its
 * root port; it forwards at once, blocks every port that hears anything but
 * Root, and opens it when it hears Root. One set of root information for the
 * whole bridge, hellos every four seconds.
 */
#ifndef TESTS_VDE2_MODEL_H
#define TESTS_VDE2_MODEL_H

#include "switch/rstp.h"

struct vde2;

struct vde2 *vde2_new(const struct rstp_ops *, void *ctx, uint64_t id,
		      uint64_t now);
void vde2_free(struct vde2 *);
void vde2_link(struct vde2 *, unsigned int port, bool up, uint64_t now);
void vde2_receive(struct vde2 *, unsigned int port, const uint8_t *frame,
		  size_t len, uint64_t now);
uint64_t vde2_next(const struct vde2 *);
void vde2_tick(struct vde2 *, uint64_t now);
/* Of a bridge that is its own root: its identifier, 0, 0. */
void vde2_root(const struct vde2 *, uint64_t *root, uint32_t *cost,
	       unsigned int *port);

#endif
