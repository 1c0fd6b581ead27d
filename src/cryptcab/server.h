/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server - a port at the switch for each client that is up
 *
 * It is opened when the client comes up and closed when it is down. A switch
 * that is not there is asked again until it is; one that goes is waited for
 * (redial.h). A port with VLANs is made at the switch first, and made anew for
 * each connection. With standard input and output in place of a switch there is one
 * link, and the client that came up last has it.
 */
#ifndef CRYPTCAB_SERVER_H
#define CRYPTCAB_SERVER_H

#include "cryptcab/cryptcab.h"

/* @stream: the end that is in place of a switch, which becomes the server's,
 * or NULL. 0 or -errno. */
int server_new(struct server **, struct cryptcab *, struct end *stream);
/* Clients have their VLANs at the switch whose console is at @path, the
 * caller's (vlanport.h), from now on. 0 or -errno: nobody listens there. */
int server_set_vlans(struct server *, const char *path);
/* Closes all ports, and waits for the switch, but not long, to undo what was
 * done there. The program ends. */
void server_leave(struct server *);
void server_free(struct server *);

void server_event(struct server *, struct cab_peer *, enum tunnel_event);
/* Its VLANs are other ones. */
void server_vlans_changed(struct server *, struct cab_peer *);
/* The peer is about to go. */
void server_forget(struct server *, struct cab_peer *);

#endif
