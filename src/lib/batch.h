/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * batch - libvdeplug_batch.h for who also works with base/frame.h
 */
#ifndef LIB_BATCH_H
#define LIB_BATCH_H

#include <string.h>

#include "base/offload.h"
#include "lib/libvdeplug_batch.h"

static_assert(sizeof(struct vde_offload) == sizeof(struct frame_offload) &&
		      offsetof(struct vde_offload, csum_offset) ==
			      offsetof(struct frame_offload, csum_offset),
	      "both are the same ten bytes");
static_assert(VDE_TAKES_CSUM == OFFLOAD_CSUM &&
		      VDE_TAKES_TSO4 == OFFLOAD_TSO4 &&
		      VDE_TAKES_TSO6 == OFFLOAD_TSO6 &&
		      VDE_TAKES_TSO_ECN == OFFLOAD_ECN &&
		      VDE_TAKES_USO == OFFLOAD_USO,
	      "both are TUN_F_*");

static inline struct frame_offload batch_offload(const struct vde_frame *f)
{
	struct frame_offload o;

	memcpy(&o, &f->offload, sizeof(o));
	return o;
}

static inline void batch_set_offload(struct vde_frame *f,
				     const struct frame_offload *o)
{
	memcpy(&f->offload, o, sizeof(*o));
}

#endif
