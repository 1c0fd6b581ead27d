/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blink - a datagram for each frame that leaves, for lights on a panel
 *
 * "ID DIR SIZE\n" goes to a unix socket, as VDE 2 has it: DIR is LR, RL, or
 * -- on a wire of one direction, SIZE the frame's length and 2. What the socket
 * has no room for is dropped and counted; while nobody listens there nothing
 * is said.
 */
#ifndef WIREFILTER_BLINK_H
#define WIREFILTER_BLINK_H

#include "base/util.h"

#define BLINK_ID_MAX 128

struct blink;
struct impair_frame;

/* NULL @id: the process id, six digits. 0 and *@out, or -errno: the path or the
 * id is too long. */
int blink_new(struct blink **out, const char *path, const char *id);
/* Logs what was dropped. */
void blink_free(struct blink *);

const char *blink_path(const struct blink *);
const char *blink_id(const struct blink *);
uint64_t blink_dropped(const struct blink *);

/* These left in @direction: "LR", "RL" or "--". */
void blink_frames(struct blink *, const char *direction,
		  struct impair_frame *const *, int n);

#endif
