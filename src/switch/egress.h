/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egress - how what leaves a port reaches its endpoints
 *
 * Most of it is declared in port.h: port_tx(), port_flush(),
 * endpoint_writable().
 */
#ifndef SWITCH_EGRESS_H
#define SWITCH_EGRESS_H

#include <string.h>

#include "base/frame.h"

/* With zeros, to the shortest Ethernet frame: one that arrived, and one that
 * was cut from another. */
static inline void frame_pad(struct frame *f)
{
	if (f->len >= ETHER_MIN_LEN)
		return;
	memset(f->data + f->len, 0, ETHER_MIN_LEN - f->len);
	f->len = ETHER_MIN_LEN;
}

#endif
