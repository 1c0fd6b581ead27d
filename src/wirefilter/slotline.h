/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slotline - a line whose bytes leave at the opportunities of a trace
 *
 * At each opportunity up to so many bytes leave, of as many frames as they
 * are, a long frame at several; a frame has left when its last byte has. Only
 * frames that were ready before an opportunity use it, and what nobody uses is
 * lost: Mahimahi's rules, to the nanosecond instead of the millisecond.
 *
 * Opportunities are asked for one by one and none is stored, so a trace of
 * any length can be read as it is used.
 */
#ifndef WIREFILTER_SLOTLINE_H
#define WIREFILTER_SLOTLINE_H

#include "base/util.h"

/* A frame of 1514 bytes and its header on the stream: what an opportunity of
 * Mahimahi's carries, in frames. */
#define SLOTLINE_BYTES 1516

struct slotline {
	uint32_t bytes; /* of each opportunity */
	uint32_t left; /* of this one */
	uint64_t at; /* ns, this one */
};

/* Before the first opportunity. @bytes is above 0. */
void slotline_init(struct slotline *, uint32_t bytes);

/* The next opportunity, not before the last one. What is left of that is
 * lost. */
void slotline_next(struct slotline *, uint64_t at);

/* Sends what is left of a frame, @todo, which was @ready at that time; frames
 * come in the order of these. True and @leaves when all of it has left; false
 * if slotline_next() must be called first, and this again. */
bool slotline_send(struct slotline *, uint64_t ready, uint32_t *todo,
		   uint64_t *leaves);

#endif
