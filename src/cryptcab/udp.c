// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "common/log.h"

#define SLOTS 16 /* of one recvmmsg() */
#define SLOT_HEAD 64
#define SLOT_SIZE (SLOT_HEAD + 65536 + 64)
#define SEND_MAX 64 /* messages of one sendmmsg() */
#define IOV_ALL 256
#define SEGMENTS_MAX 64 /* of the kernel, for one message */
#define SEND_BYTES 65507
#define BUFFER (8 << 20)
#define ERRORS_MAX 16 /* of one turn */
#define CTL_SIZE 128
#define FAMILIES 2
#define IPV4_OVERHEAD 28
#define IPV6_OVERHEAD 48

struct sock {
	struct loop_fd io;
	struct udp *udp;
	int fd; /* -1: there is none */
	bool blocked;
};

struct udp {
	struct loop *loop;
	const struct udp_ops *ops;
	void *ctx;
	struct sock sock[FAMILIES]; /* IPv4, IPv6 */
	uint16_t port;
	bool segments; /* the kernel can UDP_SEGMENT */
	bool singly; /* not for what is sent just now */
	bool probing; /* that a datagram is too long is no news */
	uint64_t counts[UDP_N_COUNTS];
	uint8_t *slots;
	struct mmsghdr rx[SLOTS], tx[SEND_MAX];
	int tx_packets[SEND_MAX]; /* in each of @tx */
	struct iovec rx_iov[SLOTS], tx_iov[IOV_ALL];
	struct sockaddr_storage from[SLOTS];
	_Alignas(struct cmsghdr) char rx_ctl[SLOTS][CTL_SIZE];
	_Alignas(struct cmsghdr) char tx_ctl[SEND_MAX][CTL_SIZE];
};

static const char *const count_names[] = {
	[UDP_TX_CALLS] = "tx_calls",	 [UDP_TX_DATAGRAMS] = "tx_datagrams",
	[UDP_TX_REFUSED] = "tx_refused", [UDP_TX_TOO_LONG] = "tx_too_long",
	[UDP_RX_CALLS] = "rx_calls",	 [UDP_RX_DATAGRAMS] = "rx_datagrams",
};
static_assert(ARRAY_SIZE(count_names) == UDP_N_COUNTS, "a count has no name");

const char *udp_count_name(enum udp_count c)
{
	return count_names[c];
}

const uint64_t *udp_counts(const struct udp *u)
{
	return u->counts;
}

uint16_t udp_port(const struct udp *u)
{
	return u->port;
}

/* ---- addresses ---- */

#define V4_LEN (1 + 4 + 2)
#define V6_LEN (1 + 16 + 2 + 4)

bool udp_addr_from(struct tunnel_addr *a, const struct sockaddr *sa)
{
	*a = (struct tunnel_addr){ 0 };
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		a->len = V4_LEN;
		a->host_len = 5;
		a->b[0] = 4;
		memcpy(&a->b[1], &in->sin_addr, 4);
		memcpy(&a->b[5], &in->sin_port, 2);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		a->len = V6_LEN;
		a->host_len = 9;
		a->b[0] = 6;
		memcpy(&a->b[1], &in6->sin6_addr, 16);
		memcpy(&a->b[17], &in6->sin6_port, 2);
		memcpy(&a->b[19], &in6->sin6_scope_id, 4);
		return true;
	}
	return false;
}

socklen_t udp_addr_to(const struct tunnel_addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (void *)ss;
	struct sockaddr_in6 *in6 = (void *)ss;

	memset(ss, 0, sizeof(*in6));
	if (a->b[0] == 4) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, &a->b[1], 4);
		memcpy(&in->sin_port, &a->b[5], 2);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, &a->b[1], 16);
	memcpy(&in6->sin6_port, &a->b[17], 2);
	memcpy(&in6->sin6_scope_id, &a->b[19], 4);
	return sizeof(*in6);
}

static struct sock *sock_for(struct udp *u, const struct tunnel_addr *to)
{
	struct sock *s = &u->sock[to->len && to->b[0] == 4 ? 0 : 1];

	return to->len && s->fd >= 0 ? s : NULL;
}

/* ---- what went wrong on the way ---- */

static void tell_error(struct udp *u, const struct sock_extended_err *e,
		       const struct tunnel_addr *to)
{
	size_t overhead = to->b[0] == 4 ? IPV4_OVERHEAD : IPV6_OVERHEAD;

	if (e->ee_errno != EMSGSIZE)
		u->ops->unreachable(u->ctx, to, (int)e->ee_errno);
	else if (e->ee_info > overhead && !u->probing)
		u->ops->too_long(u->ctx, to, e->ee_info - overhead);
}

/* False: there is no more. */
static bool take_error(struct udp *u, struct sock *s)
{
	_Alignas(struct cmsghdr) char ctl[512];
	struct sockaddr_storage to = { 0 };
	struct msghdr m = { .msg_name = &to,
			    .msg_namelen = sizeof(to),
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct sock_extended_err e;
	struct tunnel_addr addr;

	if (recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (!(c->cmsg_level == IPPROTO_IP &&
		      c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 &&
		      c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (udp_addr_from(&addr, (const struct sockaddr *)&to))
			tell_error(u, &e, &addr);
	}
	return true;
}

static void take_errors(struct udp *u, struct sock *s)
{
	for (int i = 0; i < ERRORS_MAX && take_error(u, s); i++)
		;
}

/* ---- receiving ---- */

static void rx_prepare(struct udp *u)
{
	for (int i = 0; i < SLOTS; i++) {
		uint8_t *slot = u->slots + (size_t)i * SLOT_SIZE;

		u->rx_iov[i] = (struct iovec){ slot + SLOT_HEAD, 65536 };
		u->rx[i].msg_hdr = (struct msghdr){
			.msg_name = &u->from[i],
			.msg_namelen = sizeof(u->from[i]),
			.msg_iov = &u->rx_iov[i],
			.msg_iovlen = 1,
			.msg_control = u->rx_ctl[i],
			.msg_controllen = CTL_SIZE,
		};
	}
}

/* How long each datagram is, and its TOS. */
static void rx_control(struct msghdr *m, size_t *segment, uint8_t *tos)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int v = 0;

		if (c->cmsg_len < CMSG_LEN(sizeof(v))) {
			if (c->cmsg_level == IPPROTO_IP &&
			    c->cmsg_type == IP_TOS)
				*tos = *CMSG_DATA(c);
			continue;
		}
		memcpy(&v, CMSG_DATA(c), sizeof(v));
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO &&
		    v > 0)
			*segment = (size_t)v;
		else if (c->cmsg_level == IPPROTO_IPV6 &&
			 c->cmsg_type == IPV6_TCLASS)
			*tos = (uint8_t)v;
	}
}

static void rx_message(struct udp *u, struct mmsghdr *mm)
{
	uint8_t *p = mm->msg_hdr.msg_iov->iov_base;
	size_t left = mm->msg_len, segment = left;
	struct tunnel_addr from;
	uint8_t tos = 0;

	if (!udp_addr_from(&from, mm->msg_hdr.msg_name))
		return;
	rx_control(&mm->msg_hdr, &segment, &tos);
	while (left) {
		size_t len = size_min(segment, left);

		u->counts[UDP_RX_DATAGRAMS]++;
		u->ops->recv(u->ctx, &from, p, len, tos);
		p += len;
		left -= len;
	}
}

bool udp_has(const struct udp *u, const void *p)
{
	uintptr_t at = (uintptr_t)p, slots = (uintptr_t)u->slots;

	return at >= slots && at - slots < (size_t)SLOTS * SLOT_SIZE;
}

static void receive(struct udp *u, struct sock *s)
{
	int n;

	rx_prepare(u);
	n = recvmmsg(s->fd, u->rx, SLOTS, MSG_DONTWAIT, NULL);
	u->counts[UDP_RX_CALLS]++;
	if (n > 0)
		u->ops->begin(u->ctx);
	for (int i = 0; i < n; i++)
		rx_message(u, &u->rx[i]);
	if (n > 0)
		u->ops->done(u->ctx);
}

static void sock_ready(struct loop_fd *w, uint32_t events)
{
	struct sock *s = container_of(w, struct sock, io);
	struct udp *u = s->udp;

	if (events & EPOLLERR)
		take_errors(u, s);
	if (events & EPOLLIN)
		receive(u, s);
	if (s->blocked && (events & EPOLLOUT)) {
		s->blocked = false;
		(void)loop_fd_want(u->loop, &s->io, EPOLLIN);
		u->ops->writable(u->ctx);
	}
}

/* ---- sending ---- */

static void put_control(struct msghdr *m, char *ctl, int level, int type,
			const void *v, size_t len)
{
	struct cmsghdr *c = (void *)(ctl + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), v, len);
	m->msg_control = ctl;
	m->msg_controllen += CMSG_SPACE(len);
}

static void put_tos(struct msghdr *m, char *ctl, bool v4, uint8_t tos)
{
	int v = tos;

	if (tos)
		put_control(m, ctl, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			    v4 ? IP_TOS : IPV6_TCLASS, &v, sizeof(v));
}

/* One message of the first packets of @pk; how many. */
static int tx_message(struct udp *u, int i, const struct tunnel_packet *pk,
		      int n, struct iovec *iov)
{
	struct msghdr *m = &u->tx[i].msg_hdr;
	uint16_t segment = (uint16_t)pk->len;
	int most, k;

	most = (int)(SEND_BYTES / pk->len);
	n = n < most ? n : most;
	n = n < SEGMENTS_MAX ? n : SEGMENTS_MAX;
	n = u->segments && !u->singly ? tunnel_run(pk, n) : 1;
	m->msg_iov = iov;
	m->msg_iovlen = 0;
	for (k = 0; k < n; k++) {
		struct iovec *last = &iov[m->msg_iovlen - 1];

		if (k &&
		    (uint8_t *)last->iov_base + last->iov_len == pk[k].data)
			last->iov_len += pk[k].len;
		else
			iov[m->msg_iovlen++] = (struct iovec){ pk[k].data,
							       pk[k].len };
	}
	m->msg_control = NULL;
	m->msg_controllen = 0;
	if (n > 1)
		put_control(m, u->tx_ctl[i], SOL_UDP, UDP_SEGMENT, &segment,
			    sizeof(segment));
	u->tx_packets[i] = n;
	return n;
}

/* The first message could not be sent. 1: try it again; 0: it is dropped; -1:
 * there is no room now. */
static int refused(struct udp *u, struct sock *s, int err, int n, int *again)
{
	if (err == EINTR)
		return 1;
	if (err == EAGAIN)
		return -1;
	take_errors(u, s);
	/* Datagrams that are too long for the interface, or one that cannot
	 * compute checksums: it is told for each of them. */
	if (n > 1 && (err == EINVAL || err == EMSGSIZE || err == EIO ||
		      err == EOPNOTSUPP)) {
		u->singly = true;
		return 1;
	}
	if (err == EMSGSIZE) {
		u->counts[UDP_TX_TOO_LONG] += (uint64_t)n;
		return 0;
	}
	/* It may be the answer to an earlier datagram. */
	if (err != ENOBUFS && err != ENOMEM && (*again)++ < 1)
		return 1;
	u->counts[UDP_TX_REFUSED] += (uint64_t)n;
	return 0;
}

static int build(struct udp *u, struct sock *s, struct sockaddr_storage *ss,
		 socklen_t len, const struct tunnel_packet *pk, int n)
{
	int i, k, at = 0;

	for (i = k = 0; k < n && i < SEND_MAX && at < IOV_ALL - SEGMENTS_MAX;
	     i++) {
		struct msghdr *m = &u->tx[i].msg_hdr;
		int had = tx_message(u, i, &pk[k], n - k, &u->tx_iov[at]);

		put_tos(m, u->tx_ctl[i], s == &u->sock[0], pk[k].tos);
		m->msg_name = ss;
		m->msg_namelen = len;
		m->msg_flags = 0;
		at += (int)m->msg_iovlen;
		k += had;
	}
	return i;
}

static void block(struct udp *u, struct sock *s)
{
	s->blocked = true;
	(void)loop_fd_want(u->loop, &s->io, EPOLLIN | EPOLLOUT);
}

int udp_send(struct udp *u, const struct tunnel_addr *to,
	     const struct tunnel_packet *pk, int n)
{
	struct sock *s = sock_for(u, to);
	struct sockaddr_storage ss;
	socklen_t len;
	int done = 0, again = 0;

	if (!s)
		return n;
	if (s->blocked)
		return 0;
	len = udp_addr_to(to, &ss);
	u->singly = false;
	while (done < n) {
		int m = build(u, s, &ss, len, &pk[done], n - done);
		int rc = sendmmsg(s->fd, u->tx, (unsigned int)m, MSG_DONTWAIT);

		u->counts[UDP_TX_CALLS]++;
		for (int i = 0; i < rc; i++) {
			u->counts[UDP_TX_DATAGRAMS] +=
				(uint64_t)u->tx_packets[i];
			done += u->tx_packets[i];
		}
		if (rc >= 0)
			continue;
		rc = refused(u, s, errno, u->tx_packets[0], &again);
		if (rc < 0) {
			block(u, s);
			break;
		}
		if (rc == 0)
			done += u->tx_packets[0];
	}
	return done;
}

void udp_say(struct udp *u, const struct tunnel_addr *to, const uint8_t *p,
	     size_t len, bool probe)
{
	struct sock *s = sock_for(u, to);
	struct sockaddr_storage ss;
	socklen_t sl;

	if (!s)
		return;
	sl = udp_addr_to(to, &ss);
	u->counts[UDP_TX_CALLS]++;
	for (int i = 0; i < 2; i++) {
		if (sendto(s->fd, p, len, MSG_DONTWAIT, (struct sockaddr *)&ss,
			   sl) >= 0) {
			u->counts[UDP_TX_DATAGRAMS]++;
			return;
		}
		if (errno == EAGAIN || errno == ENOBUFS)
			break;
		u->probing = probe;
		take_errors(u, s);
		u->probing = false;
		if (probe)
			break;
	}
	u->counts[probe ? UDP_TX_TOO_LONG : UDP_TX_REFUSED]++;
}

/* ---- begin and end ---- */

static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* What may fail does: an old kernel, no privileges. */
static void set_options(struct udp *u, int fd, bool v4)
{
	int segment = 0;

	set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER / 2);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER / 2);
	set(fd, SOL_UDP, UDP_GRO, 1);
	if (v4) {
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
		set(fd, IPPROTO_IP, IP_RECVERR, 1);
		set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	} else {
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
		set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	}
	if (!setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		u->segments = true;
}

static int bind_port(struct udp *u, int fd, bool v4)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(u->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(u->port) };
	struct sockaddr_storage got;
	socklen_t len = sizeof(got);

	if (v4 ? bind(fd, (struct sockaddr *)&in, sizeof(in))
	       : bind(fd, (struct sockaddr *)&in6, sizeof(in6)))
		return -errno;
	if (getsockname(fd, (struct sockaddr *)&got, &len))
		return -errno;
	memcpy(&in, &got, sizeof(in)); /* both have the port at one place */
	u->port = ntohs(in.sin_port);
	return 0;
}

static int open_family(struct udp *u, int i)
{
	struct sock *s = &u->sock[i];
	int rc, fd = socket(i ? AF_INET6 : AF_INET,
			    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (i)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set_options(u, fd, !i);
	rc = bind_port(u, fd, !i);
	if (!rc)
		rc = loop_fd_add(u->loop, &s->io, fd, EPOLLIN, sock_ready);
	if (!rc) {
		s->fd = fd;
		return 0;
	}
	close(fd);
	return i && rc == -EADDRNOTAVAIL ? 0 : rc;
}

int udp_open(struct udp **out, struct loop *loop, uint16_t port,
	     const struct udp_ops *ops, void *ctx)
{
	struct udp *u = calloc(1, sizeof(*u));
	int rc = 0;

	if (!u)
		return -ENOMEM;
	*u = (struct udp){ .loop = loop, .ops = ops, .ctx = ctx, .port = port };
	u->slots = malloc((size_t)SLOTS * SLOT_SIZE);
	for (int i = 0; i < FAMILIES; i++) {
		u->sock[i].udp = u;
		u->sock[i].fd = -1;
	}
	if (!u->slots)
		rc = -ENOMEM;
	for (int i = 0; i < FAMILIES && !rc; i++)
		rc = open_family(u, i);
	if (!rc && u->sock[0].fd < 0 && u->sock[1].fd < 0)
		rc = -EAFNOSUPPORT;
	if (rc)
		udp_close(u);
	else
		*out = u;
	return rc;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	for (int i = 0; i < FAMILIES; i++) {
		loop_fd_del(u->loop, &u->sock[i].io);
		if (u->sock[i].fd >= 0)
			close(u->sock[i].fd);
	}
	free(u->slots);
	free(u);
}
