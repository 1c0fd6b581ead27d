/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvdeplug_batch - many frames per call, and frames that are unfinished
 *
 * vde_recv() and vde_send() move one ordinary frame. These calls move as many
 * as are there, and beside each frame what its sender left undone, as the
 * driver of a network card would: a checksum that is only begun, a frame of up
 * to 64 KiB of TCP or UDP with the size of the pieces it is to be cut into.
 * vde_recv_batch(3) documents them. Debian's library does not have them.
 */
#ifndef LIBVDEPLUG_BATCH_H
#define LIBVDEPLUG_BATCH_H

#include "libvdeplug.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VDE_BATCH_MAX 64 /* more than this are not moved by one call */
#define VDE_FRAME_MAX 65553 /* the longest frame with an offload */

/* What a receiver finishes itself; the values are those of TUNSETOFFLOAD.
 * Everything but VDE_TAKES_CSUM needs that too. */
#define VDE_TAKES_CSUM 0x01
#define VDE_TAKES_TSO4 0x02
#define VDE_TAKES_TSO6 0x04
#define VDE_TAKES_TSO_ECN 0x08
#define VDE_TAKES_USO 0x60

/* The fields of struct virtio_net_hdr (virtio 1.2, 5.1.6) with its values, in
 * the byte order of this machine. All zero for an ordinary frame. */
struct vde_offload {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

struct vde_frame {
	void *data; /* the caller's memory */
	size_t len; /* receiving: room before, length after the call */
	struct vde_offload offload;
};

/* As vde_open(), for a caller that finishes what @takes (VDE_TAKES_*) says:
 * vde_recv_batch() may give it frames with such offloads, of up to
 * VDE_FRAME_MAX bytes. Such a connection is for the calls below only, if @takes
 * is not 0. */
VDECONN *vde_open_batch(char *locator, char *descr, struct vde_open_args *args,
			unsigned int takes);

/* What the other side takes: frames with these offloads, and no others, may be
 * sent. 0: ordinary frames only. */
unsigned int vde_offloads(VDECONN *conn);

/* How many frames were received, 1..@n; -EAGAIN when there is none; 0 when
 * the peer has closed for good; another -errno. Never blocks, whatever the
 * mode of the descriptor: wait for vde_datafd() to become readable. A frame
 * longer than its room is cut. Empty datagrams and events without a frame are
 * skipped. */
int vde_recv_batch(VDECONN *conn, struct vde_frame *frames, int n);

/* How many frames were taken, from the first on: 1..@n; -EAGAIN when there is
 * no room for the first now; another -errno if the first cannot be sent
 * (-EMSGSIZE: it is too long, -EINVAL: it has an offload that the other side
 * does not take). Never blocks. Frames for a peer that is not there are taken
 * and lost, as on a wire. */
int vde_send_batch(VDECONN *conn, const struct vde_frame *frames, int n);

/* Where to wait after vde_send_batch() took less than it was offered: the
 * descriptor, and in *@events the events of poll(2) that mean "try again". */
int vde_sendfd(VDECONN *conn, short *events);

#ifdef __cplusplus
}
#endif

#endif
