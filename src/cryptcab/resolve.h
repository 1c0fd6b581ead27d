/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve - the addresses of a name, without waiting for them
 *
 * getaddrinfo() may take long, so a child process calls it and writes what it
 * found to a pipe. The child finds no keys in its memory (keymem.h), and is
 * killed if it takes longer than a minute, or nobody wants to know any more.
 * Numbers are understood at once.
 */
#ifndef CRYPTCAB_RESOLVE_H
#define CRYPTCAB_RESOLVE_H

#include "common/loop.h"
#include "cryptcab/tunnel.h"

#define RESOLVE_MAX 8

struct resolve;
/* Addresses, or @n is 0 and @why says why. Always from the loop. */
typedef void resolve_fn(void *ctx, const struct tunnel_addr *, int n,
			const char *why);

/* 0 or -errno. @fn is called once; resolve_free() is the caller's, before or
 * inside of it, too. */
int resolve_new(struct resolve **, struct loop *, const char *host,
		uint16_t port, resolve_fn *fn, void *ctx);
void resolve_free(struct resolve *);

#endif
