/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tr_ring - frames through shared memory, for clients of our libvdeplug
 */
#ifndef SWITCH_TR_RING_H
#define SWITCH_TR_RING_H

#include "base/wire.h"
#include "switch/vswitch.h"

struct ring_host;

/* What all ring endpoints of a switch share. NULL without memory. */
struct ring_host *ring_host_new(struct vswitch *);
void ring_host_free(struct ring_host *);

/* Opens an endpoint on @port and attaches it; @ctl becomes the endpoint's.
 * Fills port and geometry of @answer; ring_answer() sends it with @fds.
 * 0 or -errno; on failure @ctl stays the caller's and there are no @fds. */
int ring_attach_take(struct ring_host *, const struct wire_request *,
		     unsigned int port, uint32_t uid, int ctl,
		     struct wire_answer *, int fds[static WIRE_N_FDS]);
/* Sends @a with the descriptors, and closes those that the endpoint does not
 * need itself; @fds NULL: a refusal. */
void ring_answer(int fd, struct wire_answer *a, const int *fds);

#endif
