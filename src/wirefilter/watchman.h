/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchman - how exact the wire is, and an outcry when it is not
 *
 * The engine counts and measures (impair_stats()); here is what only the
 * program knows: how late it woke up, whether a frame was late because of this
 * machine or because whoever reads the output did not, and since when the
 * wire has been asked for what it is asked for now.
 *
 * A frame that is handed over more than the tolerance behind its due time is
 * late. The first one is logged at once, others once a second; with `strict`
 * the program is stopped with status 1. So is a frame that was dropped for
 * want of memory. While an output takes no more, and until what became due in
 * that time has gone, frames are held, not late: nobody is blamed for that but
 * the reader. What waits in an input before it is read, nobody here can see.
 *
 * No clock is read and nothing is allocated for a frame. main.c has
 *
 *     watchman_new()      when there is a wire, before the ends are opened
 *     watchman_start()    before the loop
 *     watchman_finish()   after the loop, however it ended; then status is
 *                         that of exit
 *
 * and the pump calls watchman_woken() and watchman_sent().
 */
#ifndef WIREFILTER_WATCHMAN_H
#define WIREFILTER_WATCHMAN_H

#include "wirefilter/wirefilter.h"

#define WATCHMAN_TOLERANCE_US 1000 /* default of --tolerance-us */

struct watchman_config {
	struct wirefilter *wf;
	uint64_t tolerance; /* ns */
	bool strict;
	/* Where the report goes at exit. NULL: none is asked for. Empty: to
	 * stderr, or the log of a program in the background. Else a file, made
	 * or made empty at once; as JSON if its name ends in .json. */
	const char *report;
	bool background;
};

/* 0 and *@out, or -errno, logged: the file cannot be opened, or no memory. */
int watchman_new(struct watchman **out, const struct watchman_config *);
void watchman_free(struct watchman *);

/* Counting begins at @now. */
void watchman_start(struct watchman *, uint64_t now);
/* Writes the report, if there shall be one; @status is that of the program so
 * far. The status to exit with: 1 instead of 0 if the report could not be
 * written, which is logged. */
int watchman_finish(struct watchman *, int status, uint64_t now);

/* A timer that was armed for @armed_for (its `due`) has been called in the
 * turn of @now. */
void watchman_woken(struct watchman *, uint64_t armed_for, uint64_t now);

/* An output was offered frames that are due. The first @n of them it took,
 * at @now, the same that impair_sent() is told right after this call; @left it
 * did not (0: it took all). @n may be 0. */
void watchman_sent(struct watchman *, int direction,
		   struct impair_frame *const *, int n, int left, uint64_t now);

/* All counters of wire and watchman begin anew; what waits stays. */
void watchman_reset(struct watchman *, uint64_t now);

struct writer;
/* What showerror says. */
void watchman_show(struct watchman *, struct writer *, uint64_t now);
/* What metrics says, as common/metrics.h has it. */
void watchman_metrics(struct watchman *, struct writer *);

#endif
