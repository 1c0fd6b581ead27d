/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture - frames on their way through the switch, written as pcapng
 *
 * Any number of captures up to CAPTURE_MAX run at the same time, each with
 * what it wants to see (capspec.h) and where that goes (captarget.h). States:
 *
 *   waiting  for a reader of a FIFO or socket, looked for CAPTURE_RETRY apart;
 *            costs nothing for each frame
 *   running  frames go into a buffer of the capture, which is written at the
 *            end of each turn; a reader that is slow makes it full, and then
 *            his capture alone misses packets
 *   ending   stopped, or enough packets: what waits is written, and the
 *            statistics; a reader gets CAPTURE_LINGER for it
 *   done     had its number of packets; like failed, shown until it is stopped
 *            or its place is needed
 *   failed   writing failed: shown with the reason. A file ends with its last
 *            whole block.
 *
 * A reader that leaves is waited for again; the next one gets a capture that
 * begins anew. A file is written by a process (scribe.h), so that a disk is a
 * reader as others are, which may be slow.
 */
#ifndef SWITCH_CAPTURE_H
#define SWITCH_CAPTURE_H

#include "switch/capspec.h"
#include "switch/captarget.h"
#include "switch/vswitch.h"

#define CAPTURE_MAX 16
#define CAPTURE_BUFFER (4 * 1024 * 1024)
#define CAPTURE_RETRY (200 * LOOP_MS)
#define CAPTURE_LINGER (5 * LOOP_SEC)
#define CAPTURE_PATIENCE (2 * LOOP_SEC) /* for the end of a file */

enum capture_state {
	CAPTURE_WAITING,
	CAPTURE_RUNNING,
	CAPTURE_ENDING,
	CAPTURE_DONE,
	CAPTURE_FAILED,
	CAPTURE_N_STATES
};
const char *capture_state_name(enum capture_state);

struct capture_info {
	unsigned int id;
	enum capture_state state;
	struct capspec spec;
	struct captarget target;
	int error; /* failed: an errno */
	uint64_t packets; /* captured */
	uint64_t bytes; /* written */
	uint64_t lost; /* because the reader was too slow */
};

/* Returns its number, or -errno after saying in @why what is wrong: -EINVAL the
 * filter, -EADDRINUSE another capture goes there, -EMFILE there are too many,
 * or what opening the target gave. */
int capture_start(struct vswitch *, const struct capspec *, struct strbuf *why);
/* Forgets it, now or when its reader has what is due. -ENXIO: no such one. */
int capture_stop(struct vswitch *, unsigned int id);
/* Looks for 1 ms whether the file of a capture that was stopped, of any with
 * @id 0, is complete. 1: not yet; 0; -errno: it has failed. */
int capture_stopping(struct vswitch *, unsigned int id);
/* That with the lowest number above @id, or NULL. */
const struct capture_info *capture_next(const struct vswitch *,
					unsigned int id);
/* Ends all of them, at once. */
void captures_free(struct vswitch *);

#endif
