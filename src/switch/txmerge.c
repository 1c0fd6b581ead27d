// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/txmerge.h"

static_assert(GRO_BATCH >= BATCH_MAX, "a batch is merged at once");

#define MARK_TAGGED (UINT32_C(1) << 16)

unsigned int txmerge(struct txmerge *m, const struct endpoint *ep,
		     const struct frame_tx *tx, int n)
{
	for (int i = 0; i < n; i++) {
		const struct frame *f = tx[i].frame;

		m->in[i] = (struct gro_frame){
			.data = f->data,
			.len = f->len,
			.mark = tx[i].tagged ? f->tci | MARK_TAGGED : 0,
			.offload = f->offload,
		};
	}
	m->tx = tx;
	m->done = m->behind = 0;
	gro_init(&m->gro, ep->takes, OFFLOAD_FRAME_MAX - ETHER_TAG_LEN);
	return gro_merge(&m->gro, m->in, (unsigned int)n);
}

int txmerge_iov(const struct txmerge *m, const struct gro_run *r,
		struct frame_offload *o, uint8_t hdr[static OFFLOAD_HDR_MAX],
		struct iovec iov[static GRO_IOV])
{
	const struct frame_tx *tx = &m->tx[r->first];

	return gro_iov(&m->gro, r, tx->tagged ? tx->frame->tag : NULL, o, hdr,
		       iov);
}
