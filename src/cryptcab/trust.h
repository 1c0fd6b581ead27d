/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trust - from the peers file to peers, and from -c to servers
 *
 * The file is read again when it changes (inotify), and on SIGHUP. Peers that
 * are not different stay as they are, sessions and all; rules take effect at
 * once; a peer with another pre-shared key is a new one. A file that is not
 * all right changes nothing.
 *
 * Beside it is the list of open invitations (invite.h). A server has a
 * temporary peer for each.
 *
 * A peer whose time is over is taken out until the file gives it more.
 */
#ifndef CRYPTCAB_TRUST_H
#define CRYPTCAB_TRUST_H

#include "base/strbuf.h"
#include "common/cli.h"
#include "cryptcab/client.h"

struct trust;
struct peersfile_peer;

/* Peers of the file at @path, which need not be there; with @preshared, a file
 * or NULL, they all have that secret unless they have their own. What is wrong
 * is logged; 0 or -errno. */
int trust_open(struct trust **, struct cryptcab *, const char *path,
	       const char *preshared);
void trust_close(struct trust *);

/* The file, and the secret of -P or NULL; the trust's. */
const char *trust_path(const struct trust *);
const uint8_t *trust_psk(const struct trust *);

/* The file again: 0, or -errno and what is wrong in @why. */
int trust_reload(struct trust *, struct strbuf *why);

/* What the file says of a peer, until it is read again; or NULL. */
const struct peersfile_peer *trust_entry(
	const struct trust *, const uint8_t key[static TUNNEL_KEY_LEN]);

/* The servers of -c: names of peers, or addresses that the file has for one.
 * How many, or -errno after it was logged. */
int trust_servers(struct trust *, const struct cli_list *connect,
		  struct client_server *out, int max);

#endif
