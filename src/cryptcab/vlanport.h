/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vlanport - ports of the switch with the VLANs of a client
 *
 * Such a port is made (port/createauto), so that nobody who asks for any port
 * gets it, and is in its VLANs before a frame can pass. VLANs that are not
 * there are created. When the client has gone the port is removed, and so are
 * VLANs that were created here and have no port any more.
 *
 *   SETTING_UP - READY - REMOVING      one command at a time (switchmgmt.h)
 */
#ifndef CRYPTCAB_VLANPORT_H
#define CRYPTCAB_VLANPORT_H

#include "cryptcab/admit.h"
#include "cryptcab/switchmgmt.h"

struct vlanports; /* of a switch */
struct vlanport;

/* The port's number; or -errno, and the command that failed in @what. The port
 * is to be closed then. */
typedef void vlanport_fn(void *ctx, int rc, const char *what);

/* @path of its console is the caller's. 0 or -errno. */
int vlanports_new(struct vlanports **, struct loop *, const char *path);
void vlanports_free(struct vlanports *);
/* Runs the loop until what was closed is undone, or for two seconds. */
void vlanports_drain(struct vlanports *);

/* Do these rules need such a port? */
bool vlanport_needed(const struct admit_rules *);

/* @fn is called later, once. 0 or -ENOMEM. */
int vlanport_open(struct vlanport **, struct vlanports *,
		  const struct admit_rules *, vlanport_fn *fn, void *ctx);
/* Undone in its own time; @fn is not called any more. The connection to the
 * port comes first. NULL is fine. */
void vlanport_close(struct vlanport *);

#endif
