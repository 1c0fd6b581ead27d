/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gro - make long frames of the segments of TCP and UDP in a batch
 *
 * For a receiver that takes segmentation offload: consecutive segments of one
 * flow become one frame that says how it is to be cut, and cutting it
 * (offload.h) gives the segments back, byte for byte but for the numbers of
 * IPv4 packets that are never fragmented (RFC 6864). A segment is merged only
 * if its checksums are right or known to be right, so nothing that was broken
 * on its way is mended. Nothing is kept from one batch to the next.
 *
 * Segments of a flow never overtake each other; a frame that does not merge
 * ends the run of its flow, and one that could belong to any flow (fragments,
 * broken headers) ends all runs. Otherwise frames leave in the order of the
 * first of each run.
 */
#ifndef BASE_GRO_H
#define BASE_GRO_H

#include "base/offload.h"

#define GRO_BATCH 64
#define GRO_IOV (GRO_BATCH + 1)
#define GRO_END 0xff
#define GRO_BUCKETS 64

struct gro_frame {
	const uint8_t *data;
	uint32_t len;
	uint32_t
		mark; /* merged are equal ones only: the tag beside the bytes */
	struct frame_offload offload; /* checked (offload_check()) */
};

/* One frame that leaves. */
struct gro_run {
	uint8_t first; /* index of its first frame in the batch */
	uint8_t count; /* 1: that frame as it is */
	uint32_t len; /* without a tag that is beside the bytes */
	struct frame_offload offload;

	/* For who makes it. */
	uint8_t last, chain;
	bool verified, pushed;
	uint8_t version, proto, flags;
	uint16_t l3, l4, hdr_len, size;
	uint16_t id;
	uint32_t seq;
};

struct gro {
	unsigned int caps;
	uint32_t max_len;
	const struct gro_frame *in;
	unsigned int n_runs;
	uint8_t next[GRO_BATCH]; /* frame behind this one in its run, GRO_END */
	uint8_t heads[GRO_BUCKETS]; /* runs of flows that may still grow */
	struct gro_run runs[GRO_BATCH];
};

/* @caps: what the receiver takes (OFFLOAD_*). @max_len: its longest frame. */
void gro_init(struct gro *, unsigned int caps, size_t max_len);

/* Merges @n <= GRO_BATCH frames; returns how many leave, in g->runs. The
 * batch must stay as it is until they have been used. */
unsigned int gro_merge(struct gro *, const struct gro_frame *, unsigned int n);

/* The frame @run as parts of @hdr and of the batch, and in @o what is to be
 * done with it; @tag (ETHER_TAG_LEN bytes, or NULL) is put into it. Returns
 * how many elements of @iov were used; 0 if the tag has no place in it. */
int gro_iov(const struct gro *, const struct gro_run *run, const uint8_t *tag,
	    struct frame_offload *o, uint8_t hdr[static OFFLOAD_HDR_MAX],
	    struct iovec iov[static GRO_IOV]);
/* The same in one piece, its length; -EMSGSIZE if it does not fit. */
ssize_t gro_copy(const struct gro *, const struct gro_run *run,
		 const uint8_t *tag, struct frame_offload *o, uint8_t *buf,
		 size_t size);

#endif
