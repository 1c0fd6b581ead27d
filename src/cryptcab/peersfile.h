/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peersfile - who may connect and what they may do: the text of a peers file
 *
 *   # a comment, also behind a setting
 *   peer NAME                   begins a peer; the settings below are its own
 *     key BASE64                its public key: needed
 *     psk BASE64                what both sides know besides
 *     pskfile PATH              the same, in a file (keyfile_read_psk())
 *     address HOST:PORT         a server to call; more lines: tried in order
 *     vlan N                    where its untagged frames belong
 *     tagged N,N-N,...          VLANs that it may use with tags
 *     macs M,M,...              source addresses that it may use
 *     rate BYTES [BURST]        a second, each way
 *     expires 2027-01-31[T12:00[:30]Z]
 *
 * One setting a line, each once but for address; words between blanks. Names
 * are 1 to 63 letters, digits and . - _ @, and begin with no . or -. No two
 * peers have the same name or the same key. What is not all right is refused
 * as a whole, with the number of the line, and without a secret in what is
 * said. The same text holds open invitations (invite.h).
 *
 * Text in, structs out, and back: no file is opened here (peersdisk.h does
 * that). Pre-shared keys lie in memory of sodium_malloc().
 */
#ifndef CRYPTCAB_PEERSFILE_H
#define CRYPTCAB_PEERSFILE_H

#include "cryptcab/address.h"
#include "cryptcab/admit.h"
#include "cryptcab/key64.h"

#define PEERSFILE_MAX 65536 /* peers */
#define PEERSFILE_BYTES ((size_t)64 << 20)
#define PEERSFILE_LINE_MAX 32768
#define PEERSFILE_NAME_SIZE 64
#define PEERSFILE_ADDRS_MAX 8
#define PEERSFILE_MACS_MAX 1024
/* Room for peersfile_write(). */
#define PEERSFILE_BLOCK_SIZE 65536

struct peersfile_peer {
	char name[PEERSFILE_NAME_SIZE];
	uint8_t key[KEY64_BYTES];
	uint8_t *psk; /* NULL: none; zeros until a pskfile was read */
	char *psk_path; /* of pskfile, as written; NULL: none */
	struct address *addrs;
	uint32_t n_addrs;
	uint32_t line; /* of its name */
	struct admit_rules rules;
	size_t from, to; /* of the text: its name to its last setting */
};

struct peersfile {
	struct peersfile_peer *peers; /* in the order of the text */
	uint32_t n;
	struct peersfile_peer **by_key, **by_name;
	uint8_t *psks;
};

/* 0; -EINVAL after saying in @why "line N: WHAT"; -ENOMEM. Texts without any
 * peer are fine. */
int peersfile_parse(struct peersfile **, const char *text, size_t len,
		    struct strbuf *why);
void peersfile_free(struct peersfile *);

/* NULL: no such peer. */
struct peersfile_peer *peersfile_find(const struct peersfile *,
				      const uint8_t key[static KEY64_BYTES]);
struct peersfile_peer *peersfile_find_name(const struct peersfile *,
					   const char *name);
/* The first that has this address. */
struct peersfile_peer *peersfile_find_address(const struct peersfile *,
					      const struct address *);

bool peersfile_name_ok(const char *name);
/* A name as much like @from, a host or an address, as a name can be. */
void peersfile_make_name(char name[static PEERSFILE_NAME_SIZE],
			 const char *from);

/* What is different in a peer that both files have (by its key). */
enum peersfile_difference {
	PEERSFILE_NAME = 1 << 0,
	PEERSFILE_PSK = 1 << 1, /* its sessions are made with another one */
	PEERSFILE_ADDRS = 1 << 2,
	PEERSFILE_RULES = 1 << 3,
	PEERSFILE_VLANS = 1 << 4, /* of the rules: the switch's port, too */
};

/* @was is NULL for a new peer, @is for one that is gone; @differs only when
 * both are there. */
typedef void peersfile_diff_fn(void *ctx, const struct peersfile_peer *was,
			       const struct peersfile_peer *is,
			       unsigned int differs);

/* First all that are gone, then those that are new or differ; nothing is said
 * of the others. NULL is a file without peers. */
void peersfile_diff(const struct peersfile *was, const struct peersfile *is,
		    peersfile_diff_fn *fn, void *ctx);

/* A block that peersfile_parse() reads as @p, which need not come from there;
 * rules in order, as admit_new() wants them. A psk is written, unless there is
 * a psk_path. */
void peersfile_write(struct strbuf *, const struct peersfile_peer *p);

#endif
