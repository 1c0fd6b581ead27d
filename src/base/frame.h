/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frame - one Ethernet frame on its way through a program
 *
 * The bytes are those of an untagged wire and read-only once the frame has
 * been classified. Its 802.1Q tag is not in the bytes but beside them, so
 * sending it tagged on one port and untagged on another needs no copy:
 * frame_iov() describes either form. What a receiver may still have to do
 * with it (checksum, segmentation) is beside the bytes too.
 *
 * Frames live in fixed pools. A pool grows by slabs up to its limit and never
 * gives address space back; free frames are reused last in, first out. All
 * have room for the longest frame, but cost no more memory than has been
 * written to, and what a pool keeps of that is bounded: beyond it frames are
 * emptied when they are released. A frame belongs to whoever holds a
 * reference.
 */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include <sys/uio.h>

#include "base/ether.h"

#define FRAME_ADDRS (2 * ETHER_ADDR_LEN) /* destination and source */
#define FRAME_IOV 3

/* The meaning of the fields of struct virtio_net_hdr (virtio 1.2, 5.1.6). */
struct frame_offload {
	uint8_t flags; /* FRAME_NEEDS_CSUM, FRAME_DATA_VALID */
	uint8_t gso_type; /* FRAME_GSO_NONE: an ordinary frame */
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

#define FRAME_NEEDS_CSUM 1
#define FRAME_DATA_VALID 2
#define FRAME_GSO_NONE 0
#define FRAME_GSO_TCPV4 1
#define FRAME_GSO_UFO 3 /* fragments of IP: nobody here asks for it */
#define FRAME_GSO_TCPV6 4
#define FRAME_GSO_UDP_L4 5
/* A bit of ours: the headers of a tunnel are in front. offload_admit() alone
 * sets it, and no receiver takes it: it never leaves the program. */
#define FRAME_GSO_TUNNEL 0x10
#define FRAME_GSO_ECN 0x80 /* a bit: TCP with CWR in its first segment */

struct frame_pool;

struct frame {
	uint8_t *data;
	uint32_t len;
	uint16_t tci; /* VLAN id in 12 bits, above it the priority it had */
	uint8_t tag[ETHER_TAG_LEN]; /* 0x8100 and @tci as bytes */
	struct frame_offload offload;
	uint32_t refs;
	uint32_t queued; /* how many queues it waits in */
	bool own; /* said by this program, not by a peer */
	uint8_t *room; /* where @data starts in a new frame */
	struct frame_pool *pool;
	struct frame *next_free;
	uint32_t touched; /* bytes of its room that may be in memory */
};

/* A frame and the form in which one port sends it. */
struct frame_tx {
	struct frame *frame;
	bool tagged;
};

/* What a pool may keep of the memory of frames that are not in use, besides
 * the first pages of each. */
#define FRAME_POOL_KEEP (UINT32_C(32) << 20)

/* Frames of up to @room bytes, at most @max of them. NULL without memory. */
struct frame_pool *frame_pool_new(size_t room, size_t max);
/* All frames must have been released. */
void frame_pool_free(struct frame_pool *);
size_t frame_pool_room(const struct frame_pool *);
size_t frame_pool_used(const struct frame_pool *);
size_t frame_pool_left(const struct frame_pool *);
/* Bytes of all its frames that may be in memory. */
size_t frame_pool_touched(const struct frame_pool *);

/* A frame with one reference, no offloads, @data at the start of its room
 * and @len 0; NULL when the pool is exhausted. */
struct frame *frame_new(struct frame_pool *);
void frame_release(struct frame *); /* the slow half of frame_unref() */

static inline struct frame *frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

static inline void frame_unref(struct frame *f)
{
	if (--f->refs == 0)
		frame_release(f);
}

static inline void frame_set_tci(struct frame *f, uint16_t tci)
{
	f->tci = tci;
	f->tag[0] = ETHERTYPE_VLAN >> 8;
	f->tag[1] = ETHERTYPE_VLAN & 0xff;
	f->tag[2] = (uint8_t)(tci >> 8);
	f->tag[3] = (uint8_t)(tci & 0xff);
}

static inline uint16_t frame_vid(const struct frame *f)
{
	return f->tci & VLAN_VID_MASK;
}

/* Bytes on the wire in the given form. */
static inline size_t frame_wire_len(const struct frame *f, bool tagged)
{
	return f->len + (tagged ? ETHER_TAG_LEN : 0);
}

/* The wire form of a frame of at least ETHER_HDR_LEN bytes; returns how many
 * elements of @iov were used. */
static inline int frame_iov(const struct frame *f, bool tagged,
			    struct iovec iov[static FRAME_IOV])
{
	if (!tagged) {
		iov[0] = (struct iovec){ f->data, f->len };
		return 1;
	}
	iov[0] = (struct iovec){ f->data, FRAME_ADDRS };
	iov[1] = (struct iovec){ unconst(f->tag), ETHER_TAG_LEN };
	iov[2] = (struct iovec){ f->data + FRAME_ADDRS, f->len - FRAME_ADDRS };
	return 3;
}

#endif
