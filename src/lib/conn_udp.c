// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_udp - a cable of UDP datagrams to one peer
 *
 * The socket is connected, so that the kernel drops what others send. It may
 * be opened before there is a route to the peer; each frame then tries again.
 * A peer that is not there loses frames and is no error: the ICMP messages
 * about it are eaten.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "lib/conn.h"
#include "lib/dgram.h"
#include "lib/locator.h"

struct udp {
	struct vdeconn conn;
	bool connected;
	socklen_t peer_len;
	struct sockaddr_storage peer;
};

static bool plug_in(struct udp *u)
{
	if (!u->connected)
		u->connected = connect(u->conn.data_fd,
				       (const struct sockaddr *)&u->peer,
				       u->peer_len) == 0;
	return u->connected;
}

/* Errors that mean "lost on the way", for this frame or an earlier one. */
static bool is_loss(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH ||
	       err == ENETUNREACH || err == ENETDOWN || err == EHOSTDOWN ||
	       err == EADDRNOTAVAIL || err == ENOBUFS || err == EPERM;
}

/* The local address was chosen for a route that may be gone. */
static void unplug(struct udp *u)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (u->connected)
		(void)connect(u->conn.data_fd, &none, sizeof(none));
	u->connected = false;
}

static ssize_t udp_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	ssize_t n = dgram_recv(c, buf, len, flags);

	if (n < 0 && is_loss((int)-n)) {
		n = recv(c->data_fd, buf, len, MSG_DONTWAIT);
		if (n < 0)
			return 1;
	}
	if (n > 0 && !container_of(c, struct udp, conn)->connected)
		return 1;
	return n;
}

static int udp_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	int rc = dgram_recv_batch(c, f, n);

	if (rc < 0 && is_loss(-rc))
		rc = dgram_recv_batch(c, f, n);
	if (rc < 0 && is_loss(-rc))
		return -EAGAIN;
	if (rc > 0 && !container_of(c, struct udp, conn)->connected)
		return -EAGAIN;
	return rc;
}

/* The first error may be about an earlier frame, and this one not sent. */
static int udp_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	struct udp *u = container_of(c, struct udp, conn);
	int rc;

	if (!plug_in(u))
		return n;
	rc = dgram_send_batch(c, f, n);
	if (rc == -ECONNREFUSED)
		rc = dgram_send_batch(c, f, n);
	if (rc < 0 && is_loss(-rc)) {
		if (rc != -ECONNREFUSED)
			unplug(u);
		return n;
	}
	return rc;
}

static ssize_t udp_send(struct vdeconn *c, const void *buf, size_t len,
			int flags)
{
	struct udp *u = container_of(c, struct udp, conn);
	ssize_t n;

	if (!plug_in(u))
		return (ssize_t)len;
	n = dgram_send(c, buf, len, flags);
	if (n == -ECONNREFUSED)
		n = dgram_send(c, buf, len, flags);
	if (n < 0 && is_loss((int)-n)) {
		if (n != -ECONNREFUSED)
			unplug(u);
		return (ssize_t)len;
	}
	return n;
}

static void udp_close(struct vdeconn *c)
{
	close(c->data_fd);
	free(container_of(c, struct udp, conn));
}

static const struct conn_ops udp_ops = {
	.recv = udp_recv,
	.send = udp_send,
	.recv_batch = udp_recv_batch,
	.send_batch = udp_send_batch,
	.close = udp_close,
};

static int resolve(const char *host, uint16_t port, int family,
		   struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICSERV | (*host ? 0 : AI_PASSIVE),
	};
	char service[sizeof("65535")];
	int rc;

	str_fmt(service, sizeof(service), "%u", port);
	rc = getaddrinfo(*host ? host : NULL, service, &hints, out);
	if (rc == 0)
		return 0;
	return rc == EAI_SYSTEM && errno ? -errno : -ECONNABORTED;
}

/* A socket of the peer's family bound to the first local address that can
 * be. */
static int bind_local(const struct locator_udp *l, int family)
{
	struct addrinfo *list;
	int rc = resolve(l->src_host, l->src_port, family, &list), fd = -1;

	if (rc < 0)
		return rc;
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0)
			break;
		rc = -errno;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd < 0 ? rc : fd;
}

static int open_to(const struct locator_udp *l, const struct addrinfo *peer,
		   struct vdeconn **out)
{
	struct udp *u;
	int fd;

	if (peer->ai_addrlen > sizeof(u->peer))
		return -EAFNOSUPPORT;
	fd = bind_local(l, peer->ai_family);
	if (fd < 0)
		return fd;
	u = calloc(1, sizeof(*u));
	if (!u) {
		close(fd);
		return -ENOMEM;
	}
	u->conn = (struct vdeconn){ .ops = &udp_ops,
				    .data_fd = fd,
				    .ctl_fd = -1 };
	memcpy(&u->peer, peer->ai_addr, peer->ai_addrlen);
	u->peer_len = peer->ai_addrlen;
	plug_in(u);
	*out = &u->conn;
	return 0;
}

int conn_open_udp(const char *address, const struct conn_args *args,
		  struct vdeconn **out)
{
	struct locator_udp l;
	struct addrinfo *list = NULL;
	int rc = locator_parse_udp(&l, address);

	if (rc == 0)
		rc = resolve(l.dst_host, l.dst_port, AF_UNSPEC, &list);
	if (rc < 0)
		return rc;
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		rc = open_to(&l, a, out);
		if (rc == 0)
			break;
	}
	freeaddrinfo(list);
	return rc;
}
