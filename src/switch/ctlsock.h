/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctlsock - the switch's directory and DIR/ctl, where clients ask for a port
 *
 * The protocol is in base/wire.h. A refused client reads EOF; the reason is
 * logged. The identity of a client is that of its connection (SO_PEERCRED).
 */
#ifndef SWITCH_CTLSOCK_H
#define SWITCH_CTLSOCK_H

#include "switch/vswitch.h"

struct ctlsock_config {
	const char *dir; /* NULL: the default of this user */
	unsigned int mode; /* of ctl and, without execute bits, of data */
	unsigned int dirmode;
	gid_t group; /* of all of them, or UNIXSOCK_KEEP_GROUP */
	unsigned int mgmt_mode; /* of the data socket of port 0 */
	gid_t mgmt_group;
	bool no_rings; /* datagrams only */
};

/* Creates or takes over the directory and listens. On failure logs why and
 * returns NULL, leaving nothing behind. */
struct ctlsock *ctlsock_new(struct vswitch *, const struct ctlsock_config *);
/* Stops listening and removes what is ours; endpoints must be gone. */
void ctlsock_free(struct ctlsock *);

const char *ctlsock_dir(const struct ctlsock *); /* canonical */
unsigned int ctlsock_mode(const struct ctlsock *);
/* A descriptor was closed: accept again if they had run out. */
void ctlsock_retry(struct ctlsock *);

#endif
