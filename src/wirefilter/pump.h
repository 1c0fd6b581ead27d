/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pump - frames between the ends and the wire, in bursts
 *
 * Of each direction: a burst is taken from one end, frame by frame it goes into
 * the wire, and what is due goes to the other end in one call. While nothing
 * impairs, and nobody wants to know, a burst goes straight to the other end, as
 * in a cable.
 *
 * Nothing is dropped for want of room at the other end: while that takes no
 * more its source is not read, and what is due waits. With `speed` the source
 * is not read either until the wire is open again; frames that were there by
 * then count as arrived when it opened, so that a wake-up which is late, as
 * they all are, costs nothing of the rate.
 *
 * Between turns of the loop the pump sleeps until something is due, to the
 * nanosecond as far as the system goes; for the last `spin` of that time it
 * looks for events again and again instead.
 *
 * A network that hangs up ends the program at once. After the end of a stream
 * what waits in its direction is delivered first, in a wire of both directions
 * for PUMP_DRAIN at most; the other direction stops at once.
 */
#ifndef WIREFILTER_PUMP_H
#define WIREFILTER_PUMP_H

#include "plug/end.h"
#include "wirefilter/wirefilter.h"

#define PUMP_DRAIN (10 * LOOP_SEC)

struct pump_config {
	struct wirefilter *wf; /* with loop, wire and watchman */
	struct end *left, *right; /* become the pump's */
	uint64_t spin; /* ns */
};

/* 0 and *@out, or -errno; then the ends are closed. */
int pump_new(struct pump **out, const struct pump_config *);
/* Closes the ends, NULL is fine. */
void pump_free(struct pump *);

/* The end where frames of @direction come from. */
const struct end *pump_from(const struct pump *, int direction);
#endif
