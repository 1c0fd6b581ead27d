/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * offload - do what a sender left to hardware: checksums and cutting
 *
 * A frame with a struct frame_offload (frame.h) may lack its TCP or UDP
 * checksum, and may be a chain of segments in one: headers once, then the
 * payload of many. A receiver that takes ordinary frames only gets them from
 * here. Everything that the offload says is checked against the frame; what
 * does not fit together is refused.
 *
 * Known: TCP over IPv4 and IPv6, UDP over both (gso_size bytes per datagram),
 * behind up to two VLAN tags. Not known: tunnels, UDP fragmentation.
 */
#ifndef BASE_OFFLOAD_H
#define BASE_OFFLOAD_H

#include "base/frame.h"

/* gso_type, as in struct virtio_net_hdr. */
#define FRAME_GSO_TCPV4 1
#define FRAME_GSO_TCPV6 4
#define FRAME_GSO_UDP_L4 5
#define FRAME_GSO_ECN 0x80 /* with a TCP type: only the first one has CWR */

/* Writes the checksum of a frame with FRAME_NEEDS_CSUM; the field holds the
 * sum of the pseudo header before. False, and nothing is written, if it does
 * not lie within the frame. */
bool offload_csum(uint8_t *frame, size_t len, const struct frame_offload *o);

struct offload_cut {
	const uint8_t *frame;
	size_t len;
	size_t ip, l4, payload; /* offsets */
	size_t step; /* payload bytes per segment */
	size_t pos; /* next payload byte */
	unsigned int index; /* of the next segment */
	bool v6, udp, ecn;
};

/* Prepares to cut a frame with a gso_type, which stays the caller's. False if
 * it cannot be cut. */
bool offload_cut_start(struct offload_cut *, const uint8_t *frame, size_t len,
		       const struct frame_offload *o);
/* The longest segment that will come. */
size_t offload_cut_max(const struct offload_cut *);
/* The next segment, complete, with room for offload_cut_max() bytes. Its
 * length, 0 when there is none left. */
size_t offload_cut_next(struct offload_cut *, uint8_t *out);

#endif
