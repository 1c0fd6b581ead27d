/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * batch - many frames per call, for programs that link the static library
 *
 * vde_recv() and vde_send() move one frame per system call. These two move as
 * many as are there, and carry beside each frame what its receiver may leave
 * undone (checksum, segmentation). Neither ever blocks, whatever the mode of
 * the descriptor: wait for vde_datafd() with poll(), POLLIN before receiving
 * and POLLOUT after -EAGAIN from sending.
 */
#ifndef LIB_BATCH_H
#define LIB_BATCH_H

#include "base/frame.h"
#include "lib/libvdeplug.h"

#define VDE_BATCH_MAX 64 /* more than this are not moved by one call */

struct vde_frame {
	void *data; /* the caller's memory */
	size_t len; /* receiving: room before, length after the call */
	/* All zero for an ordinary frame. Frames with offloads are received
	 * from, and may be sent to, no connection but one that says so. */
	struct frame_offload offload;
};

/* How many frames were received, 1..@n; -EAGAIN when there is none; 0 when
 * the peer has closed for good; another -errno. A frame longer than its room
 * is cut. Empty datagrams and events without a frame are skipped. */
int vde_recv_batch(VDECONN *conn, struct vde_frame *frames, int n);

/* How many frames were taken, from the first on: 1..@n; -EAGAIN when there is
 * no room for the first now; another -errno if the first cannot be sent.
 * Frames for a peer that is not there are taken and lost, as on a wire. */
int vde_send_batch(VDECONN *conn, const struct vde_frame *frames, int n);

#endif
