/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transport - how frames get in and out of one kind of endpoint
 *
 * This is the whole contract. A transport fills frames of the bridge's pool
 * with what it received, a tag in the bytes, beside them what the peer says is
 * to be done (checksum, segmentation), and hands them in batches to
 * port_rx_take(), which checks all of it; it never looks at VLANs, addresses
 * or other ports.
 */
#ifndef SWITCH_TRANSPORT_H
#define SWITCH_TRANSPORT_H

#include "base/frame.h"

struct endpoint;

#define BATCH_MAX 64

struct transport {
	const char *module; /* as port/print shows it: "unix prog", "tuntap" */
	const char *name; /* "dgram", "tap", "ring" */

	/* Offers @n <= BATCH_MAX frames, each such that the endpoint's @takes
	 * and @max_len allow it (offload_of() tells what is to be done with
	 * it); returns how many were dealt with, sent
	 * or counted as dropped. Taking fewer means that the peer is slow: the
	 * port keeps the rest, and the transport calls endpoint_writable() once
	 * there is room. Never blocks, never frees the endpoint, keeps no
	 * frame without a reference of its own. */
	int (*send)(struct endpoint *, const struct frame_tx *, int n);

	/* Stops (or resumes) taking frames from the peer: what it sends waits
	 * on its side. Must keep working in the other direction. */
	void (*pause)(struct endpoint *, bool on);

	/* Stops both directions and frees the endpoint with what the transport
	 * allocated for it. Called exactly once, by port_detach(), never from
	 * inside @send. */
	void (*close)(struct endpoint *);
};

#endif
