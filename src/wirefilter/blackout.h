/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blackout - when nothing passes, by a schedule
 *
 * "FROM+LENGTH[/PERIOD]" in milliseconds, with fractions, several apart by
 * commas: "1000+500" is half a second without frames, one second from now;
 * "0+50/10000" 50 ms every ten seconds, from now on. "0": none. LENGTH is
 * above 0, and not above PERIOD; each is at most BLACKOUT_MS_MAX and counts in
 * whole nanoseconds. Those that overlap add up: nothing passes while any of
 * them lasts. Blanks may stand between the parts.
 */
#ifndef WIREFILTER_BLACKOUT_H
#define WIREFILTER_BLACKOUT_H

#include "base/strbuf.h"

#define BLACKOUT_MAX 16
#define BLACKOUT_MS_MAX 1e9 /* eleven days */

struct blackout {
	uint64_t from, length; /* ns */
	uint64_t period; /* ns; 0: once */
};

/* At most BLACKOUT_MAX into @out; times count from @now. How many, or -1 after
 * saying in @why what is wrong; then @out is untouched. */
int blackout_parse(struct blackout *out, const char *text, uint64_t now,
		   struct strbuf *why);
/* As it is written, from the view of @now, to the nanosecond: what is over is
 * left out, "0" if nothing is left. Of one that returns and lasts just now,
 * what is left and what returns are two, so there may be twice as many. */
void blackout_print(struct strbuf *, const struct blackout *, int n,
		    uint64_t now);
bool blackout_is_on(const struct blackout *, int n, uint64_t now);

#endif
