/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cable - move frames between two ends, both ways, many per system call
 *
 * An end is a byte stream, a connection to a network, a tap, an interface.
 * The cable takes a burst of frames from one end, offers it to the other, and
 * keeps what that one has no room for; until it has, nothing more is taken
 * from the first. So one slow direction holds up its own source only, never
 * the other direction, and nothing waits but the event loop. Frames are not
 * dropped here for want of room: a switch drops and counts what a port does
 * not take, before work was spent on it.
 *
 * The memory of a frame belongs to the end that received it, until the cable
 * asks that end for the next burst. What a receiver may still have to do with
 * a frame is in its offload. An end says what it takes; what it does not take
 * the cable finishes, so an end may receive whatever there is.
 *
 * A cable is over when one of its ends is: well (EOF, a switch that hung up)
 * or badly, which the end has logged by then. The loop is stopped and
 * @status is the program's exit status.
 */
#ifndef PLUG_CABLE_H
#define PLUG_CABLE_H

#include "common/loop.h"
#include "plug/finish.h"

#define CABLE_BURST VDE_BATCH_MAX
#define CABLE_FRAME_MIN 14 /* shorter ones never leave an end */

/* What an end may receive: the cable finishes what the other does not take. */
#define CABLE_ALL_OFFLOADS                                  \
	(VDE_TAKES_CSUM | VDE_TAKES_TSO4 | VDE_TAKES_TSO6 | \
	 VDE_TAKES_TSO_ECN | VDE_TAKES_USO)

/* What recv() and send() return when the end is over. */
#define CABLE_OVER (-ENODATA) /* well */
#define CABLE_BROKEN (-EIO) /* badly; the reason has been logged */

struct cable;
struct end;

struct end_ops {
	/* Up to @n frames: how many, 0 for none now, CABLE_OVER or
	 * CABLE_BROKEN. */
	int (*recv)(struct end *, struct vde_frame *, int n);
	/* How many were taken, from the first on, @n >= 1: they are sent, or
	 * in a buffer, or dropped and counted. Fewer than @n: no room for the
	 * next one; cable_writable() follows once want_tx() was called. Never
	 * blocks. Or CABLE_OVER or CABLE_BROKEN. */
	int (*send)(struct end *, const struct vde_frame *, int n);
	/* Call cable_readable() or cable_writable() when there is something
	 * to do, or do not. 0 or -errno. */
	int (*want_rx)(struct end *, bool on);
	int (*want_tx)(struct end *, bool on);
	/* True if recv() would find a frame without waiting for an event. */
	bool (*pending)(struct end *);
	/* Nothing more will be sent: whoever is behind the end is told at once
	 * if nothing is left to write. NULL: there is nobody to be told. */
	void (*hang_up)(struct end *);
	/* Writes out what is left, within a second, and frees the end. */
	void (*close)(struct end *);
};

enum end_drop {
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
	struct cable *cable;
	char *name; /* for messages, owned */
	unsigned int takes; /* VDE_TAKES_*: send() gets nothing else */
	uint64_t frames; /* received */
	uint64_t drops[END_N_DROPS]; /* here, of either direction */
};

/* Sees each frame that @from received, before the other end does. */
typedef void cable_watch_fn(void *ctx, const struct end *from,
			    const struct vde_frame *, int n);

struct cable_way {
	struct end *from, *to;
	struct vde_frame burst[CABLE_BURST];
	int n, done; /* burst[done..n - 1] waits for room */
	struct finish finish;
	int finished_done; /* finish.out[finished_done..] waits before it */
};

struct cable {
	struct loop *loop;
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

/* For ends. */
/* @e has gone, and cable_stop() follows when it knows how: the other end need
 * not wait for that. Whatever comes from there is not read any more. */
void cable_hang_up(struct end *e);
void cable_readable(struct end *);
void cable_writable(struct end *);

/* For ends: fills the common part; false without memory. */
bool end_init(struct end *, const struct end_ops *, struct loop *,
	      const char *name);
void end_fini(struct end *);

#endif
