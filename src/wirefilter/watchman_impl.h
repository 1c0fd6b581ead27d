/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchman_impl - what watchman.c gathers and watchman_show.c says
 */
#ifndef WIREFILTER_WATCHMAN_IMPL_H
#define WIREFILTER_WATCHMAN_IMPL_H

#include "common/log.h"
#include "common/loop.h"
#include "wirefilter/asked.h"
#include "wirefilter/blame.h"
#include "wirefilter/watchman.h"

/* What a comparison of losses depends on. */
#define LOSS_NUMBERS 13

struct loss_asked {
	double numbers[LOSS_NUMBERS];
	const struct loss_list *list;
};

/* The same of rates: impair_asked_rate(), and number and variation of both. */
#define RATE_NUMBERS 5

struct rate_asked {
	double numbers[RATE_NUMBERS];
};

/* One direction. Counters of the engine as they were when what is asked for
 * was set, so that what came out since can be compared with it. */
struct watch_way {
	struct blame blame;
	uint64_t changes; /* as impair_changes() was when rate and loss were
			   * looked at */
	struct rate_asked rate;
	bool rate_new; /* nothing has left since it was set */
	uint64_t rate_since; /* ns */
	uint64_t rate_out; /* frames that had left */
	uint64_t busy_ns, busy_bytes;
	struct loss_asked loss;
	uint64_t loss_since; /* ns */
	uint64_t judged, lost;
	uint64_t no_memory; /* frames dropped for want of it, as last seen */
	uint64_t in; /* frames that had come when the last turn was over */
	struct meter_hist turns; /* ns, turns behind which frames were found */
	uint64_t woke; /* sleeps behind which frames were found */
};

struct watch_news {
	uint64_t late, max, no_memory; /* frames, ns, frames: not told yet */
};

struct watchman {
	struct watchman_config cfg;
	int fd; /* of the report, or -1 */
	bool json; /* the report */
	bool failed; /* the machine could not keep up, ever */
	int n_ways;
	struct watch_way way[2];
	struct watch_news news[2];
	struct loop_timer
		tell; /* armed for a second after something was told */
	struct loop_hook turn;
	uint64_t turns;
	uint64_t began; /* of counting */
	uint64_t turn_began; /* ns, the last one */
	uint64_t cpu_began; /* ns of processor time */
	struct meter_hist wakeups; /* ns behind the armed time */
	struct meter_hist scratch; /* of whoever needs one for a moment */
};

/* Frames of a direction whose loss was drawn, and those lost by it. */
void watchman_losses(const struct impair_stats *, uint64_t *judged,
		     uint64_t *lost);

/* How long frames, by a guess at the median, had waited to be read: as long as
 * a wake-up takes, or half a turn if nobody slept. In ns. */
uint64_t watchman_unread(const struct watchman *, int direction);

/* What was asked for, and what came out since it was set. */
struct watch_compared {
	struct asked asked;
	double achieved; /* bytes/s, or a share; no number if there is none */
	uint64_t n, hits; /* ns on a busy line and bytes; frames, and lost */
	uint64_t since; /* ns, when it was set */
	double low, high; /* shares between which the truth is */
};
void watchman_rate(const struct watchman *, int direction,
		   struct watch_compared *);
void watchman_loss(const struct watchman *, int direction,
		   struct watch_compared *);
/* The settings in force. */
const struct params *watchman_params(const struct watchman *, int direction);
/* Processor time of the process, in ns. */
uint64_t watchman_cpu(void);

#endif
