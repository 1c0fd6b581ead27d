/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal - decisions that are written to a file (--record), and those that
 * are taken from one (--replay)
 *
 * A disk may take its time, the wire may not: decisions are printed into
 * memory (record.h) and offered to a process that writes them (scribe.h), at
 * the end of a turn when there are many, else every JOURNAL_PERIOD. When that
 * process cannot write, or JOURNAL_WAITING bytes wait for it, recording is
 * over: this is logged, the file ends with the last whole line it has room
 * for and lacks its `end`, and the wire goes on.
 *
 * A frame beyond the last one in the file that is replayed passes unimpaired;
 * the first one in each direction is logged.
 */
#ifndef WIREFILTER_JOURNAL_H
#define WIREFILTER_JOURNAL_H

#include "common/loop.h"
#include "wirefilter/wirefilter.h"

#define JOURNAL_PERIOD (200 * LOOP_MS)
#define JOURNAL_WAITING ((size_t)64 << 20)
#define JOURNAL_PATIENCE (10 * LOOP_SEC) /* for the disk, at the end */

struct journal_config {
	struct wirefilter *wf; /* with its loop and its wire */
	const char *record, *replay; /* files; NULL: not */
	bool strict; /* the program fails if recording does */
};

/* Reads what is to be replayed, all of it, then makes the file of the record
 * and starts to write; @begin is when the wire's time began. 0 and *@out, or
 * -errno, logged: nothing can be replayed, or the file not be opened. */
int journal_new(struct journal **out, const struct journal_config *,
		uint64_t begin);
/* What waits is dropped. */
void journal_free(struct journal *);

/* Nothing is replayed, and nothing recorded any more. */
bool journal_is_idle(const struct journal *);
/* Whether frames must go through journal_input(). */
bool journal_replays(const struct journal *);
/* The next frame of @direction, instead of impair_input(). */
void journal_input(struct journal *, int direction, const void *data,
		   size_t len, uint64_t now);

/* Everything is written before this returns, or that is given up and logged.
 * @status is that of the program so far; the status to exit with: 1 instead
 * of 0 if it is strict and the record is not whole. */
int journal_finish(struct journal *, int status);

struct journal_info {
	const char *record, *replay; /* NULL: not */
	uint64_t decisions; /* told so far, written or waiting */
	int error; /* 0, or -errno: the record is not whole */
	uint64_t replayed[2], beyond[2]; /* frames */
};
const struct journal_info *journal_info(const struct journal *);
/* In words: "No space left on device". */
const char *journal_reason(int error);

#endif
