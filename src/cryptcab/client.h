/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client - one of some servers is called, the next one when it does not answer
 *
 * Servers are tried in order, and each at all addresses that its name has:
 *
 *   asking    its name is looked up (resolve.h)
 *   calling   the engine sends handshakes to an address
 *   up        it answered; stays until it is dead
 *   resting   nobody answered: a pause, longer each time, and from the first
 *             server on again
 *
 * The link to the switch is there all the time.
 */
#ifndef CRYPTCAB_CLIENT_H
#define CRYPTCAB_CLIENT_H

#include "cryptcab/address.h"
#include "cryptcab/cryptcab.h"

#define CLIENT_SERVERS 16

struct client_server {
	char host[ADDRESS_HOST_SIZE];
	uint16_t port;
	struct cab_peer *peer;
};

/* 0 or -errno. @servers is copied; nothing is called before client_start(). */
int client_new(struct client **, struct cryptcab *,
	       const struct client_server *servers, int n);
void client_free(struct client *);

/* @end becomes the client's. 0 or -errno. */
int client_start(struct client *, struct end *end);

void client_event(struct client *, struct cab_peer *, enum tunnel_event);
/* ICMP says that nobody is where that peer is called. */
void client_unreachable(struct client *, struct cab_peer *, int err);
/* The peer is about to go. */
void client_forget(struct client *, struct cab_peer *);

#endif
