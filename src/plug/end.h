/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * end - where frames come from and go to
 *
 * A byte stream, a connection to a network, an interface. Whoever uses an end
 * takes bursts of frames from it and gives it others, many per system call,
 * and is told when there is something to do. A cable (cable.h) joins two; other
 * programs put something in between.
 *
 * The memory of a frame belongs to the end that received it, until that end is
 * asked for the next burst. What a receiver may still have to do with a frame
 * is in its offload; an end says what it takes.
 */
#ifndef PLUG_END_H
#define PLUG_END_H

#include <errno.h>

#include "common/loop.h"
#include "lib/batch.h"

#define END_BURST VDE_BATCH_MAX
#define END_FRAME_MIN 14 /* shorter ones do not leave an end, usually */

/* What an end may be asked to receive, if its user can finish it. */
#define END_ALL_OFFLOADS                                    \
	(VDE_TAKES_CSUM | VDE_TAKES_TSO4 | VDE_TAKES_TSO6 | \
	 VDE_TAKES_TSO_ECN | VDE_TAKES_USO)

/* What recv() and send() return when the end is over. */
#define END_OVER (-ENODATA) /* well */
#define END_BROKEN (-EIO) /* badly; the reason has been logged */
#define END_CUT (-EPROTO) /* so, too, but what came before is whole */

struct end;

struct end_ops {
	/* Up to @n frames: how many, 0 for none now, END_OVER, END_CUT
	 * or END_BROKEN. */
	int (*recv)(struct end *, struct vde_frame *, int n);
	/* How many were taken, from the first on, @n >= 1: they are sent, or
	 * in a buffer, or dropped and counted. Fewer than @n: no room for the
	 * next one; the user's writable() follows once want_tx() was called.
	 * Never blocks. Or END_OVER or END_BROKEN. */
	int (*send)(struct end *, const struct vde_frame *, int n);
	/* Call the user's readable() or writable() when there is something to
	 * do, or do not. 0 or -errno. */
	int (*want_rx)(struct end *, bool on);
	int (*want_tx)(struct end *, bool on);
	/* True if recv() would find a frame without waiting for an event. */
	bool (*pending)(struct end *);
	/* True if something that was sent is still here. NULL: never. */
	bool (*unsent)(struct end *);
	/* Nothing more will be sent: whoever is behind the end is told at once
	 * if nothing is left to write. NULL: there is nobody to be told. */
	void (*hang_up)(struct end *);
	/* Writes out what is left, within a second, and frees the end. */
	void (*close)(struct end *);
};

/* What an end calls; part of what owns the end. */
struct end_user {
	void (*readable)(struct end_user *, struct end *);
	void (*writable)(struct end_user *, struct end *);
	/* The end is over, with this status for the program. What was wrong has
	 * been logged. */
	void (*stop)(struct end_user *, struct end *, int status);
	/* The end has gone, and stop() follows when it knows how: others need
	 * not wait for that. True: nothing is read or sent there any more. */
	bool (*gone)(struct end_user *, struct end *);
};

enum end_drop {
	END_DROP_EMPTY, /* a length of 0 in a byte stream */
	END_DROP_SHORT,
	END_DROP_LONG,
	END_DROP_REFUSED, /* by the kernel: interface down, no memory */
	END_DROP_LOST, /* there was no connection */
	END_N_DROPS
};

/* The first member of each kind of end. */
struct end {
	const struct end_ops *ops;
	struct loop *loop;
	struct end_user *user; /* set before anything is wanted */
	char *name; /* for messages, owned */
	size_t min_len; /* of frames received: END_FRAME_MIN; the user may
			 * choose another one, above 0 */
	unsigned int takes; /* VDE_TAKES_*: send() gets nothing else */
	/* Bytes before and behind each frame received that the user may
	 * overwrite. */
	uint16_t headroom, tailroom;
	uint64_t frames; /* received */
	uint64_t drops[END_N_DROPS]; /* here, of either direction */
};

/* Logs what was dropped, and closes. */
void end_finish(struct end *);

/* For ends: fills the common part; false without memory. */
bool end_init(struct end *, const struct end_ops *, struct loop *,
	      const char *name);
void end_fini(struct end *);

static inline void end_readable(struct end *e)
{
	e->user->readable(e->user, e);
}

static inline void end_writable(struct end *e)
{
	e->user->writable(e->user, e);
}

static inline void end_stop(struct end *e, int status)
{
	e->user->stop(e->user, e, status);
}

#endif
