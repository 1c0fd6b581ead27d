/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stream - frames over a byte stream, as vde_plug, dpipe and friends speak it
 *
 * Each frame is a 2-byte big-endian length, not counting itself, and the
 * frame. A reader must cope with any split, so both directions work on a
 * linear buffer of the caller: bytes go in at the end, frames come out at the
 * start, and what is left is moved down when the room at the end is short.
 * A frame of length 0 is skipped and counted; so is one that is longer than
 * @max, as a whole, which keeps the stream in step.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include "base/util.h"

#define STREAM_HDR 2
#define STREAM_FRAME_MAX 9236 /* what vdeplug4 accepts and sends */

struct stream {
	uint8_t *buf;
	size_t size, start, end; /* bytes in use: start..end */
	size_t max; /* longest frame that is delivered */
	size_t skip; /* bytes of an overlong frame still to come */
	uint64_t empty; /* frames of length 0 */
	uint64_t too_long; /* frames skipped because of @max */
	size_t too_long_len; /* length of the last of them */
};

/* @size must be at least STREAM_HDR + @max. */
void stream_init(struct stream *, uint8_t *buf, size_t size, size_t max);

/* Receiving: read up to *@room bytes to the returned place (never none, as
 * long as all frames have been taken), say how many came, take frames until
 * NULL. A frame is valid until the next stream_space(). */
uint8_t *stream_space(struct stream *, size_t *room);
void stream_fill(struct stream *, size_t n);
const uint8_t *stream_next(struct stream *, size_t *len);

/* Sending: add frames, write out the pending bytes, say how many went.
 * stream_add() is false and does nothing when there is no room for a frame
 * of @len, or @len is 0 or above @max. */
bool stream_add(struct stream *, const uint8_t *frame, size_t len);
const uint8_t *stream_pending(const struct stream *, size_t *len);
void stream_sent(struct stream *, size_t n);

#endif
