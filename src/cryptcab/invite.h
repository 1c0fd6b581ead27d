/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * invite - invitation strings, and the server's list of those that are open
 *
 * An invitation is all that somebody needs who has nothing yet: the server's
 * public key, where it is, and a secret for one use. Both sides derive from
 * the secret a key pair and a pre-shared key: those of a temporary peer of the
 * server. Who can connect as that peer has the invitation, and may say which
 * key is his own (join.h). It is a text of one line:
 *
 *   "vde1-" and then as base64 for URLs (RFC 4648, section 5), without padding
 *      0   1  number of addresses, 1 to 8
 *      1   4  when it expires, in seconds since 1970
 *      5  32  the server's public key
 *     37  16  the secret
 *     53      the addresses, each:
 *               1  4: an IPv4 address of 4, 6: an IPv6 one of 16 bytes,
 *                  or 1: a byte of length and a name; what is meant, then
 *               2  the port
 *      -   4  the first bytes of the BLAKE2b (32 bytes) of all before, from
 *             "vde1-" on
 *
 * The list is a peers file (peersfile.h) beside that of the server: a block
 * for each invitation, with the temporary peer's public key, the pre-shared
 * key, what its user may do, and when the invitation expires. It does not have
 * the secret: who reads it cannot join.
 */
#ifndef CRYPTCAB_INVITE_H
#define CRYPTCAB_INVITE_H

#include <limits.h>

#include "cryptcab/address.h"
#include "cryptcab/key64.h"
#include "cryptcab/peersfile.h"

#define INVITE_SECRET_LEN 16
#define INVITE_ADDRS_MAX 8
#define INVITE_SIZE 2840 /* of the longest text, with its NUL */
#define INVITE_SUFFIX ".invites" /* the list's name: the peers file's, and */

/* A secret. */
struct invite {
	uint8_t key[KEY64_BYTES];
	uint8_t secret[INVITE_SECRET_LEN];
	uint64_t expires; /* seconds since 1970, below 2^32 */
	uint8_t n_addrs;
	struct address addrs[INVITE_ADDRS_MAX]; /* without zones */
};

/* 0 or -errno: -EINVAL if there is no address, too many, or one with a zone.
 * @s has INVITE_SIZE. */
int invite_write(char *s, const struct invite *);

/* One newline at the end is fine. -EINVAL after saying in @why what is wrong,
 * without any of the text. Whether it has expired is the caller's question. */
int invite_parse(struct invite *, const char *text, struct strbuf *why);

/* The temporary peer. */
void invite_derive(const uint8_t secret[static INVITE_SECRET_LEN],
		   uint8_t private_key[static KEY64_BYTES],
		   uint8_t psk[static KEY64_BYTES]);

/* The path of the list. 0 or -ENAMETOOLONG. */
int invite_list_path(char path[static PATH_MAX], const char *peers_path);

/* Opens an invitation: a new secret, and a block in the list, from which those
 * that have expired at @wall are removed. @p has the name and the rules of who
 * will come. @in has key, expires and addresses already. */
int invite_open(struct invite *in, const struct peersfile_peer *p,
		const char *peers_path, uint64_t wall, struct strbuf *why);

/* The subcommand `invite [OPTION]... NAME`: prints one. The exit status. */
int invite_cmd(int argc, char **argv);

#endif
