/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ends - the kinds of ends that there are
 *
 * Each function makes one: 0 and *@out, or -errno. On failure nothing passed
 * in has changed hands.
 */
#ifndef PLUG_ENDS_H
#define PLUG_ENDS_H

#include "plug/end.h"
#include "plug/redial.h"

struct stream_fds {
	int in, out; /* the caller's; non-blocking while the end lives; one
		      * of them may be -1: nothing comes, nothing is sent */
	const char *in_name, *out_name; /* for messages, the caller's */
	size_t max_len; /* of a frame, up to 65535; 0: as vde_plug has it */
};

/* Frames behind their length (base/stream.h); bears the name of its output, if
 * it has one. Ends well at the end of the input, badly when that is cut within
 * a frame or is not such a stream, or when nobody reads the output any more
 * and the input has not ended. */
int end_stream_open(struct end **out, struct loop *, const struct stream_fds *);

/* A connection of libvdeplug, which becomes the end's. Ends well when the
 * switch has hung up, badly when it died or refuses our frames; or, unless
 * @again is NULL, not at all: that opens a new one, and stays the caller's. */
int end_vde_open(struct end **out, struct loop *, const char *name,
		 VDECONN *conn, const struct vde_args *again);

/* The interface @ifname through a packet socket of its own; it must exist, and
 * who wants frames for others puts it into promiscuous mode. Ends badly when
 * the interface is gone. */
int end_packet_open(struct end **out, struct loop *, const char *ifname);

#endif
