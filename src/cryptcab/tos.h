/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tos - the type-of-service byte of the packet in a frame
 *
 * The datagram of a frame gets the frame's own, ECN included; where a router
 * has marked the datagram as having met congestion, the frame is marked in its
 * place (RFC 6040, normal mode). Frames that are not IP have 0.
 */
#ifndef CRYPTCAB_TOS_H
#define CRYPTCAB_TOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOS_ECN 0x03
#define TOS_CE 0x03

uint8_t tos_of(const uint8_t *frame, size_t len);

/* The datagram came with @outer. False: congestion was met, and the frame's
 * sender cannot be told but by a loss. */
bool tos_arrived(uint8_t *frame, size_t len, uint8_t outer);

#endif
