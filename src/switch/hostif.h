/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostif - interfaces of this host as ports, whatever way they are opened
 *
 * One descriptor that the switch has opened itself. A transport embeds struct
 * hostif as its first member, allocated by calloc(), and closes by
 * hostif_close().
 */
#ifndef SWITCH_HOSTIF_H
#define SWITCH_HOSTIF_H

#include "switch/vswitch.h"

struct hostif {
	struct endpoint ep;
	struct list node; /* in sw->hostifs */
	struct vswitch *sw;
	struct loop_fd io;
	int ifindex; /* 0: not known, it always has a link */
	void (*receive)(struct hostif *); /* may detach */
	unsigned int takes; /* of @ep, when it is attached */
};

static inline struct hostif *hostif_of(struct endpoint *ep)
{
	return container_of(ep, struct hostif, ep);
}

/* The one of that name; @tr NULL: of any transport. */
struct hostif *hostif_find(const struct vswitch *, const struct transport *tr,
			   const char *name);

/* Plugs @h, zeroed but for @receive, @takes and @ifindex, into the first free port
 * and keeps @fd; returns the port number. Or -errno, and nothing is kept. */
int hostif_attach(struct vswitch *, struct hostif *h,
		  const struct transport *tr, const char *name, int fd);
/* Unplugs the one of that name. 0 or -ENODEV. */
int hostif_del(struct vswitch *, const struct transport *tr, const char *name);

/* The peer takes nothing more for now: endpoint_writable() follows. */
void hostif_wait_room(struct hostif *);

/* What hostif_attach() had against it, in words. */
const char *hostif_strerror(int rc);

/* For struct transport. close() also closes the descriptor. */
void hostif_pause(struct endpoint *, bool on);
void hostif_close(struct endpoint *);

#endif
