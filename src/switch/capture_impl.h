/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture_impl - what capture.c (states, targets, writing) and capture_take.c
 * (the frames) have in common
 */
#ifndef SWITCH_CAPTURE_IMPL_H
#define SWITCH_CAPTURE_IMPL_H

#include "common/filter.h"
#include "switch/capture.h"
#include "switch/capwriter.h"
#include "switch/hook.h"

/* The longest frame with its tag, for filters. */
#define CAPTURE_WIRE_MAX 65664
#define CAPTURE_COMMENT_MAX 48

struct capture {
	struct list node;
	struct captures *all;
	struct capture_info info;
	struct frame_hook hook; /* while it is running */
	struct filter *filter; /* or NULL */
	struct capwriter out;
	int fd; /* or -1 */
	struct loop_fd io; /* of a reader, or of who writes a file */
	int status; /* of the latter (scribe.h), or -1 */
	struct loop_fd result; /* the same */
	struct loop_timer timer; /* waiting: look again; ending: it is enough */
	bool full; /* the reader takes no more for now */
	bool enough; /* it has the packets it was to have */
	bool forget; /* when it has ended */
	int problem; /* -errno: writing has failed */
	struct log_limit limit;
};

struct captures {
	struct vswitch *sw;
	struct list list; /* by number */
	unsigned int last_id;
	int stop_error; /* -errno: one that was stopped has failed */
	struct loop_hook flush;
	uint64_t offset; /* of the time of day from the loop's */
	uint64_t offset_at;
	char comments[DROP_N_REASONS][CAPTURE_COMMENT_MAX];
	uint8_t wire[CAPTURE_WIRE_MAX]; /* a tagged frame in one piece */
};

/* The time of day of this turn, in ns. */
uint64_t capture_time(const struct captures *);
/* Writes everything that the target takes now. What went wrong is left in
 * @problem: this also runs from inside of a hook, where nothing may end. */
void capture_write(struct capture *);

/* Makes the hook one that takes frames. */
void capture_take_init(struct capture *);

#endif
