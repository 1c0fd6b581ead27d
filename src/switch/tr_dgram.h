/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tr_dgram - VDE 2's transport: one Ethernet frame per unix datagram
 */
#ifndef SWITCH_TR_DGRAM_H
#define SWITCH_TR_DGRAM_H

#include <sys/un.h>

#include "switch/vswitch.h"

/* What the control socket knows of a client that asks for a port. */
struct dgram_request {
	struct sockaddr_un peer; /* the client's data socket */
	socklen_t peer_len;
	struct sockaddr_un own; /* in: the directory; out: the switch's */
	unsigned int port;
	uint32_t uid; /* of the client */
	const char *descr;
	unsigned int mode; /* of the switch's data socket */
	uid_t owner; /* of it, or -1 */
	gid_t group; /* of it, or -1 */
	bool connected; /* out: there is somebody at @peer */
};

struct dgram_shared;

/* What all datagram endpoints of a switch share. NULL without memory. */
struct dgram_shared *dgram_shared_new(struct vswitch *);
void dgram_shared_free(struct dgram_shared *);

/* Opens an endpoint and attaches it to its port; @ctl becomes the endpoint's
 * and its EOF the end of it. 0 or -errno; on failure @ctl stays the caller's. */
int dgram_attach_take(struct dgram_shared *, struct dgram_request *, int ctl);

#endif
