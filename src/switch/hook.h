/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook - who sees the frames of a port on their way, and who may stop them
 *
 * A frame is seen at one of three points: where a port has accepted it and its
 * VLAN is known, where a copy is about to leave by a port, and where it is
 * dropped, with the reason. A port that nobody looks at pays one test of
 * port->slow for this. Frames that come from the bridge itself are seen when
 * they leave.
 *
 * Hooks of rank HOOK_VETO are asked first; what they refuse is dropped
 * (DROP_VETO_IN, DROP_VETO_OUT) and the others see that. Hooks must not add or remove hooks,
 * endpoints, ports or VLANs from inside their function.
 */
#ifndef SWITCH_HOOK_H
#define SWITCH_HOOK_H

#include "switch/port.h"

enum hook_point {
	HOOK_IN,
	HOOK_OUT,
	HOOK_DROP, /* on its way in or out: drop_reason_is_ingress() */
	HOOK_N_POINTS
};

enum hook_rank {
	HOOK_VETO,
	HOOK_WATCH
};

struct hook_frame {
	enum hook_point point;
	struct port *port;
	struct frame *frame; /* read-only; its tag is beside its bytes */
	bool tagged; /* has that tag on the wire of this port */
	enum drop_reason reason; /* HOOK_DROP */
	uint64_t now;
};

struct frame_hook {
	struct list node;
	unsigned int points; /* 1 << HOOK_IN and so on */
	enum hook_rank rank;
	/* Which ports; NULL: all. */
	bool (*sees)(struct frame_hook *, const struct port *);
	/* False refuses the frame; at HOOK_DROP the answer is ignored. */
	bool (*fn)(struct frame_hook *, const struct hook_frame *);
};

void hook_add(struct bridge *, struct frame_hook *);
/* Legal for one that was not added, too, if it is zeroed. */
void hook_del(struct bridge *, struct frame_hook *);
/* What @sees answers has changed. */
void hook_update(struct bridge *);
/* The same for one port, from the bridge when it creates it. */
void hook_update_port(struct port *);

/* False if somebody refused it; that has been counted then. From the bridge,
 * where port->slow has the bit of the point. */
bool hook_pass(struct port *, struct frame *, bool tagged, enum hook_point);
/* The same in two halves, for a frame that a protocol of the switch may take
 * for itself: those who watch see it as it comes in, whatever they answer, and
 * if it goes on, the others are asked. */
void hook_show(struct port *, struct frame *, bool tagged);
bool hook_ask(struct port *, struct frame *, bool tagged, enum hook_point);

#endif
