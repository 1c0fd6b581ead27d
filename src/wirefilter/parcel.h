/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parcel - memory for frames that wait, of their own length
 *
 * A wire may hold a hundred thousand frames, most of them short, so each gets
 * a piece of the next larger of some sizes. Pieces that come back are kept
 * for the next ones, up to a bound for each size. How much all of them may
 * take is bounded, too.
 */
#ifndef WIREFILTER_PARCEL_H
#define WIREFILTER_PARCEL_H

#include "wirefilter/impair.h"

#define PARCEL_SIZES 11 /* 128 bytes to 128 KiB */

struct parcel_pool {
	size_t used, max; /* bytes of frames that wait */
	struct {
		struct delayq_node *free; /* of frames; linked by @next */
		unsigned int n_free;
	} sizes[PARCEL_SIZES];
};

void parcel_pool_init(struct parcel_pool *, size_t max);
/* All frames must have been given back. */
void parcel_pool_fini(struct parcel_pool *);

/* A copy of @len bytes, at most 65535; all else is zero. NULL if there is no
 * memory, or it would be too much. */
struct impair_frame *parcel_new(struct parcel_pool *, const void *data,
				size_t len);
void parcel_free(struct parcel_pool *, struct impair_frame *);

#endif
