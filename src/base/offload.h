/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * offload - finish what a frame's sender left to the network card
 *
 * A frame comes with struct frame_offload: the place of a checksum that is
 * only begun (the field holds the sum of the pseudo-header), and the payload
 * size by which a frame of up to 64 KiB of TCP or UDP is to be cut. What a
 * peer says there is checked by offload_check() before anything relies on it.
 * A receiver that takes less gets what offload_cut makes of it: packet for
 * packet what Linux makes of the same frame.
 *
 * The total length of IP in a frame that is to be cut is not looked at, as
 * Linux does not; the frame's own length counts.
 */
#ifndef BASE_OFFLOAD_H
#define BASE_OFFLOAD_H

#include <sys/types.h>

#include "base/frame.h"

/* What a receiver takes unfinished; the values are those of TUNSETOFFLOAD.
 * Everything but OFFLOAD_CSUM needs OFFLOAD_CSUM too. */
#define OFFLOAD_CSUM 0x01
#define OFFLOAD_TSO4 0x02
#define OFFLOAD_TSO6 0x04
#define OFFLOAD_ECN 0x08 /* TSO with CWR in the first segment */
#define OFFLOAD_USO 0x60 /* UDP over IPv4 and IPv6 */
#define OFFLOAD_ALL \
	(OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN | OFFLOAD_USO)

/* The longest frame that who takes offloads has room for: what Linux sends.
 * Longer ones (IPv6 can be) are refused by nobody but cut for everybody. */
#define OFFLOAD_FRAME_MAX 65553
#define OFFLOAD_VNET_LEN 10 /* struct virtio_net_hdr */
#define OFFLOAD_HDR_MAX 192 /* all headers of a frame that is to be cut */
#define OFFLOAD_TCP_SEGS 512 /* most segments of one frame */
#define OFFLOAD_UDP_SEGS 128 /* Linux's limit */
#define OFFLOAD_IOV 4

/* To and from a struct virtio_net_hdr, its numbers little-endian (virtio 1,
 * TUNSETVNETLE) or as this machine has them (the default of a tap). What is
 * unknown or means nothing in flags becomes 0. */
void offload_from_vnet(struct frame_offload *,
		       const uint8_t hdr[static OFFLOAD_VNET_LEN], bool le);
void offload_to_vnet(uint8_t hdr[static OFFLOAD_VNET_LEN],
		     const struct frame_offload *, bool le);

/* An ordinary frame, for everybody. */
static inline bool offload_is_none(const struct frame_offload *o)
{
	return !(o->flags & FRAME_NEEDS_CSUM) && o->gso_type == FRAME_GSO_NONE;
}

/* May a receiver that takes @caps have the frame as it is? Nobody may have one
 * in a tunnel that is to be cut: it has no words for the outer headers. */
bool offload_fits(const struct frame_offload *, unsigned int caps);

/* After @bytes were inserted (or removed, if negative) in front of the IP
 * header: a tag. False, and nothing is changed, when that is impossible. */
bool offload_shift(struct frame_offload *, int bytes);

/* What is to be done with the wire form of @f, which was accepted: as
 * frame_iov(). */
static inline struct frame_offload offload_of(const struct frame *f,
					      bool tagged)
{
	struct frame_offload o = f->offload;

	if (tagged)
		offload_shift(&o, ETHER_TAG_LEN);
	return o;
}

/* How many segments a frame, which was accepted, is to be cut into. */
static inline unsigned int offload_segments(const struct frame *f)
{
	const struct frame_offload *o = &f->offload;

	if (o->gso_type == FRAME_GSO_NONE)
		return 1;
	return (f->len - o->hdr_len + o->gso_size - 1u) / o->gso_size;
}

/* Is what a peer says of this frame true and bearable? False also for what is
 * known to nobody here (fragments of UDP). */
bool offload_check(const uint8_t *frame, size_t len,
		   const struct frame_offload *);
/* The same, and what is accepted gets the one form in which everybody takes
 * it: the exact length of the headers for a frame that is to be cut, nothing
 * to be cut in one that fits a segment (Linux drops some of these). A frame
 * that is to be cut and does not say where its checksum is, as from a card
 * that has merged and checked it, gets one that is begun. If the checksum is
 * that of a packet in a tunnel (tunnel.h), FRAME_GSO_TUNNEL says so from now
 * on; here it is refused. False, and nothing is changed, if it is refused. */
bool offload_admit(uint8_t *frame, size_t len, struct frame_offload *);
/* Completes the checksum in place and empties @o's flags; false, and nothing
 * is changed, unless the frame passes offload_check() and has no more than
 * that to be done. */
bool offload_csum(uint8_t *frame, size_t len, struct frame_offload *);

/* One IP header of all segments. */
struct offload_ip {
	uint64_t base; /* sum of what they have in common */
	uint16_t l3, l4; /* offsets in the headers */
	uint16_t id;
	uint8_t version; /* 0: there is no such header */
};

/* Makes ordinary frames of any frame. The frame must stay until the last one
 * has been used; it may change meanwhile (shared memory) at the cost of its
 * own checksums only. Frames are not padded to ETHER_MIN_LEN. */
struct offload_cut {
	const uint8_t *rest; /* of the frame, still to come */
	size_t left;
	size_t size; /* of the payload of a segment; 0: there is one frame */
	size_t sum_at; /* in @rest; 0: the checksum is in @hdr */
	uint64_t base; /* sum of what all segments have in common */
	uint64_t outer_base; /* as @base, of a tunnel's UDP; 0: no checksum */
	struct offload_ip ip, outer; /* @outer: of the tunnel */
	uint32_t seq;
	uint16_t hdr_len; /* this much of @hdr is in front of each */
	uint16_t frames; /* still to come */
	uint8_t proto;
	uint8_t flags; /* of TCP */
	bool outer_udp;
	uint8_t hdr[OFFLOAD_HDR_MAX];
};

/* How many frames there will be, at least 1; 0 if the frame is refused, as by
 * offload_check(). @tag (ETHER_TAG_LEN bytes, or NULL) is put into each. Work
 * is bounded by OFFLOAD_TCP_SEGS, but a short frame can become many: count
 * frames, not calls, where peers share a budget. */
unsigned int offload_cut_start(struct offload_cut *, const uint8_t *frame,
			       size_t len, const struct frame_offload *,
			       const uint8_t *tag);
/* The next frame as parts of @hdr and of the frame; returns how many elements
 * of @iov were used, 0 after the last one. */
int offload_cut_next(struct offload_cut *, uint8_t hdr[static OFFLOAD_HDR_MAX],
		     struct iovec iov[static OFFLOAD_IOV]);
/* The next frame's length; 0 after the last one. */
size_t offload_cut_len(const struct offload_cut *);
/* The next frame in one piece, its length; 0 after the last one, -EMSGSIZE
 * and no step if it does not fit. */
ssize_t offload_cut_copy(struct offload_cut *, uint8_t *buf, size_t size);

#endif
