/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tr_packet - interfaces that exist already as ports, by packet sockets
 */
#ifndef SWITCH_TR_PACKET_H
#define SWITCH_TR_PACKET_H

#include "switch/vswitch.h"

/* Plugs interface @name into the first free port. Returns the port number, or
 * -errno; packet_strerror() says more about some. -EEXIST: this switch has
 * the interface already, or it is a tap of this switch. */
int packet_add(struct vswitch *, const char *name);
/* -ENODEV: no interface of that name was added. */
int packet_del(struct vswitch *, const char *name);
const char *packet_strerror(int rc);

#endif
