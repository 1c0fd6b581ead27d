/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cable - move frames between two ends, both ways, many per system call
 *
 * The cable takes a burst of frames from one end, offers it to the other, and
 * keeps what that one has no room for; until it has, nothing more is taken
 * from the first. So one slow direction holds up its own source only, never
 * the other direction, and nothing waits but the event loop. Frames are not
 * dropped here for want of room: a switch drops and counts what a port does
 * not take, before work was spent on it.
 *
 * What the receiving end does not take unfinished the cable finishes, so an end
 * may receive whatever offload there is.
 *
 * A cable is over when one of its ends is: well (EOF, a switch that hung up)
 * or badly, which the end has logged by then. The loop is stopped and
 * @status is the program's exit status.
 */
#ifndef PLUG_CABLE_H
#define PLUG_CABLE_H

#include "plug/end.h"
#include "plug/finish.h"

/* Sees each frame that @from received, before the other end does. */
typedef void cable_watch_fn(void *ctx, const struct end *from,
			    const struct vde_frame *, int n);

struct cable_way {
	struct end *from, *to;
	struct vde_frame burst[END_BURST];
	int n, done; /* burst[done..n - 1] waits for room */
	struct finish finish;
	int finished_done; /* finish.out[finished_done..] waits before it */
};

struct cable {
	struct loop *loop;
	struct end_user user;
	struct cable_way way[2];
	struct loop_timer again; /* frames are pending in memory */
	cable_watch_fn *watch;
	void *watch_ctx;
	bool hung_up; /* an end has gone, and only the status is not known */
	bool over;
	int status;
};

/* Joins the two ends, which become the cable's. 0 or -errno. */
int cable_open(struct cable *, struct loop *, struct end *a, struct end *b);
/* Logs what was dropped, closes both ends. */
void cable_close(struct cable *);
/* Ends the cable; the first status counts. */
void cable_stop(struct cable *, int status);

#endif
