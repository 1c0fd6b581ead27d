/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link - frames between a peer and an end: a port of the switch, or two pipes
 *
 * To the peer: a burst of frames is taken from the end; what its sender left
 * to a network card is done, super-frames are cut to what the path takes, so
 * that no datagram is fragmented and no frame is; all of that is sealed and
 * sent in as few calls as can be. Frames are sealed where the end received
 * them if it leaves room around them; those that are cut or finished are
 * copied once, next to each other. One sealer does that for all links. When a
 * socket is full it keeps what is left, and no link takes anything until it
 * has gone: the switch drops then, before work was spent.
 *
 * From the peer: frames of a batch of datagrams are kept where they were
 * opened, merged if the end takes that (base/gro.h), and handed over. What the
 * end has no room for waits in a queue of QUEUE_MAX bytes, then is dropped and
 * counted: one slow port holds up no other.
 */
#ifndef CRYPTCAB_LINK_H
#define CRYPTCAB_LINK_H

#include "cryptcab/cryptcab.h"

int sealer_new(struct sealer **, struct cryptcab *);
void sealer_free(struct sealer *);
/* Sockets have room again. */
void sealer_go_on(struct sealer *);
/* All frames of a batch were handed to link_deliver(). */
void sealer_done(struct sealer *);

/* When the end is over: END_OVER or END_BROKEN; what was wrong has been
 * logged. The link must not be closed from inside. */
typedef void link_over_fn(void *ctx, struct link *, int rc);

struct link_config {
	struct cryptcab *cab;
	struct end *end; /* becomes the link's */
	link_over_fn *over;
	void *ctx;
};

/* 0 or -errno. */
int link_open(struct link **, const struct link_config *);
void link_close(struct link *);
/* Whose frames they are from now on; NULL: nobody's, they are dropped. */
void link_set_peer(struct link *, struct cab_peer *);

/* A frame of the peer. @lasts: the memory stays until sealer_done(). */
void link_deliver(struct link *, uint8_t *frame, size_t len,
		  const struct tunnel_meta *, bool lasts);

#endif
