/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * txmerge - what leaves for an endpoint that takes long frames, in fewer
 *
 * Segments of one flow in a batch become one frame that is to be cut again
 * (base/gro.h): for a kernel at the other side that costs a tenth of one more
 * frame. A struct txmerge holds what one batch needs, until the next one.
 */
#ifndef SWITCH_TXMERGE_H
#define SWITCH_TXMERGE_H

#include "base/gro.h"
#include "switch/port.h"

struct txmerge {
	struct gro gro;
	struct gro_frame in[BATCH_MAX];
	const struct frame_tx *tx;
	unsigned int done; /* frames in the runs that were sent */
	unsigned int behind; /* the last one of them, counted from 1 */
};

/* Merges @n <= BATCH_MAX frames for @ep; returns how many runs there are, in
 * m->gro.runs. The batch must stay until they have been sent. */
unsigned int txmerge(struct txmerge *m, const struct endpoint *ep,
		     const struct frame_tx *, int n);

/* One run as gro_iov() has it, in its wire form. Uses at most one element of
 * @iov more than the run has frames. */
int txmerge_iov(const struct txmerge *m, const struct gro_run *r,
		struct frame_offload *o, uint8_t hdr[static OFFLOAD_HDR_MAX],
		struct iovec iov[static GRO_IOV]);

/* Runs leave in another order than their frames came in. A transport says
 * which it has sent, in order; when there is no room for more, this is what
 * its send() has done: true, the first m->done frames, false, others, and the
 * rest of the batch cannot be kept. */
static inline void txmerge_sent(struct txmerge *m, const struct gro_run *r)
{
	m->done += r->count;
	if (r->last + 1u > m->behind)
		m->behind = r->last + 1u;
}

static inline bool txmerge_can_stop(const struct txmerge *m)
{
	return m->done == m->behind;
}

#endif
