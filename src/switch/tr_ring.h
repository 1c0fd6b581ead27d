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

/* What a client gets. */
struct ring_grant {
	struct endpoint *ep;
	struct wire_answer answer;
	int fds[WIRE_N_FDS];
};

/* Opens an endpoint on @port and attaches it; @ctl becomes the endpoint's, and
 * the grant is to be sent by ring_answer(). 0 or -errno; on failure @ctl stays
 * the caller's and there are no descriptors. */
int ring_attach_take(struct ring_host *, const struct wire_request *,
		     unsigned int port, uint32_t uid, int ctl,
		     struct ring_grant *);
/* Sends @a with the descriptors, and closes those that the endpoint does not
 * need itself; @fds NULL: a refusal. 0 or -errno. */
int ring_answer(int fd, struct wire_answer *a, const int *fds);

#endif
