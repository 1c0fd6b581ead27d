/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tunnel - the packet of TCP or UDP inside of a tunnel's packet
 *
 * Linux passes frames of a tunnel that are to be cut with nothing but the
 * place of the inner checksum. From there this finds out what is in front of
 * it: one tunnel of IPv4 or IPv6, which is UDP (VXLAN and Geneve by their
 * shape, on any port; IP alone, as FOU has it), GRE without checksum and
 * sequence number, or IP in IP. Nothing is guessed: all lengths must agree
 * with the frame's to the byte.
 */
#ifndef BASE_TUNNEL_H
#define BASE_TUNNEL_H

#include "base/inet.h"

/* The packet whose transport header is at @l4 of a frame of @len bytes, the
 * first @have of which are there and made @outer (inet_parse()). Offsets are
 * those in the frame. False, and @inner is undefined, if there is none, or
 * more than one way to see it. */
bool tunnel_enter(struct inet *inner, const struct inet *outer,
		  const uint8_t *frame, size_t have, size_t len, size_t l4);

#endif
