/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doorman - those who are no peers yet, but may become some
 *
 *   invited    the temporary peer of an invitation: has no port at the switch,
 *              and its frames are requests (join.h)
 *   guests     where both sides have nothing but the same -P file: whoever
 *              knows it, and so our public key, is a peer as long as he comes
 *
 * Both are done with outside of the engine's callbacks, one at a time: who is
 * not served now asks again.
 */
#ifndef CRYPTCAB_DOORMAN_H
#define CRYPTCAB_DOORMAN_H

#include "cryptcab/cryptcab.h"

struct doorman;

/* @peers_path: the file that those who join are added to, the caller's.
 * @guest_psk: of guests, the caller's; NULL: none are let in. 0 or -ENOMEM. */
int doorman_new(struct doorman **, struct cryptcab *, const char *peers_path,
		const uint8_t *guest_psk);
void doorman_free(struct doorman *);

/* A frame of an invited peer. */
void doorman_frame(struct doorman *, struct cab_peer *, const uint8_t *frame,
		   size_t len);
/* A client whose key is not known. False: it is a stranger. */
bool doorman_stranger(struct doorman *,
		      const uint8_t key[static TUNNEL_KEY_LEN]);
/* The peer is about to go. */
void doorman_forget(struct doorman *, const struct cab_peer *);

#endif
