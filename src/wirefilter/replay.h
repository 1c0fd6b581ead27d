/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay - decisions from a file, for one frame after the other
 *
 * The whole record (record.h) is read and checked at the start, so that
 * nothing has to be read while frames wait. What is kept of a decision are 16
 * bytes, sorted by direction, frame and copy; flips, which are rarer, have 40
 * of their own. Frames come by number, so each search goes on where the last
 * one ended.
 */
#ifndef WIREFILTER_REPLAY_H
#define WIREFILTER_REPLAY_H

#include "wirefilter/impair.h"

/* Longer delays, nine years, are that long. */
#define REPLAY_DELAY_MAX ((UINT64_C(1) << 58) - 1)

struct replay;

/* Reads a regular file. -errno after saying in @why what is wrong: a reason,
 * or "line N: ...". */
int replay_open(struct replay **, const char *path, struct strbuf *why);
void replay_free(struct replay *);

/* What becomes of the next frame of @direction, the @n decisions in
 * *@decisions, which last until the next call. Frames that are not mentioned
 * have none. False: it is beyond the last one mentioned, and passes. */
bool replay_next(struct replay *, unsigned int direction,
		 const struct impair_decision **decisions, int *n);

/* The last frame mentioned; 0: none is. */
uint64_t replay_last(const struct replay *, unsigned int direction);
/* Its end is there: it was not cut short. */
bool replay_is_complete(const struct replay *);

#endif
