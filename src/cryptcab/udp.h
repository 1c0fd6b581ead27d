/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp - the sockets of a cable: many datagrams per system call
 *
 * One socket for IPv4 and one for IPv6, on the same port. What the kernel can
 * do is used, and done without where it cannot: datagrams of one length leave
 * as one (UDP_SEGMENT) and arrive as one (UDP_GRO), several of these per call.
 * Datagrams are never fragmented; that one was too long for an interface or a
 * router, or that nobody was there, is told from the error queue.
 *
 * A struct tunnel_addr has the family (4 or 6), the address, the port, and for
 * IPv6 the scope. Hosts of IPv6 are networks of 64 bits.
 */
#ifndef CRYPTCAB_UDP_H
#define CRYPTCAB_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/loop.h"
#include "cryptcab/tunnel.h"

struct udp;

struct udp_ops {
	/* Datagrams were read. */
	void (*begin)(void *ctx);
	/* A datagram, writable; TUNNEL_HEAD bytes in front of it may be
	 * overwritten too, and all of it stays as it is until done(). */
	void (*recv)(void *ctx, const struct tunnel_addr *from, uint8_t *p,
		     size_t len, uint8_t tos);
	/* That was all for now. */
	void (*done)(void *ctx);
	/* Nothing listens at @to, or it cannot be reached. */
	void (*unreachable)(void *ctx, const struct tunnel_addr *to, int err);
	/* On the way to @to datagrams must not be longer than @len. */
	void (*too_long)(void *ctx, const struct tunnel_addr *to, size_t len);
	/* After udp_send() took less than it was offered. */
	void (*writable)(void *ctx);
};

enum udp_count {
	UDP_TX_CALLS,
	UDP_TX_DATAGRAMS,
	UDP_TX_REFUSED, /* by the system: no buffers, no route */
	UDP_TX_TOO_LONG,
	UDP_RX_CALLS,
	UDP_RX_DATAGRAMS,
	UDP_N_COUNTS
};

const char *udp_count_name(enum udp_count);

/* @port 0: any. The caller's @ops and @ctx stay. -errno of binding. */
int udp_open(struct udp **, struct loop *, uint16_t port,
	     const struct udp_ops *ops, void *ctx);
void udp_close(struct udp *);
uint16_t udp_port(const struct udp *);
const uint64_t *udp_counts(const struct udp *);

/* Is @p in a datagram between begin() and done()? */
bool udp_has(const struct udp *, const void *p);

/* One datagram, which may be lost; @probe: that it was too long is no news. */
void udp_say(struct udp *, const struct tunnel_addr *to, const uint8_t *p,
	     size_t len, bool probe);
/* How many of @pk were sent or dropped, from the first on; writable() follows
 * if that is less than @n. */
int udp_send(struct udp *, const struct tunnel_addr *to,
	     const struct tunnel_packet *pk, int n);

/* False: neither IPv4 nor IPv6. */
bool udp_addr_from(struct tunnel_addr *, const struct sockaddr *);
/* Its length. */
socklen_t udp_addr_to(const struct tunnel_addr *, struct sockaddr_storage *);

#endif
