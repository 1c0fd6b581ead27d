/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finish - what an end does not take unfinished becomes ordinary frames
 *
 * Frames stay in their order. Those that need nothing pass as they are, a
 * missing checksum is completed where the frame lies, and a frame that is to
 * be cut becomes as many as it must, in memory that is allocated when the
 * first such frame comes.
 */
#ifndef PLUG_FINISH_H
#define PLUG_FINISH_H

#include "lib/batch.h"

#define FINISH_BATCH VDE_BATCH_MAX

struct finish {
	struct vde_frame out[FINISH_BATCH];
	int n;
	uint64_t refused, too_long; /* frames that nothing was made of */
	bool cutting; /* of the next frame in there is more to come */
	struct offload_cut cut;
	uint8_t *room;
	size_t used;
};

static inline bool finish_is_needed(const struct vde_frame *f,
				    unsigned int takes)
{
	struct frame_offload o = batch_offload(f);

	return !offload_is_none(&o) && !offload_fits(&o, takes);
}

/* Makes of the first of the @n frames at @in what may be sent to an end that
 * takes @takes, and puts it into out[0..n - 1]. Returns how many frames were
 * used up; the others are the first of the next call. What is in @out is valid
 * until then, as long as the memory of @in. */
int finish_frames(struct finish *, const struct vde_frame *in, int n,
		  unsigned int takes);
void finish_fini(struct finish *);

#endif
