// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The client's side of an invitation: one tunnel, one socket and nothing else,
 * for as long as it takes. Addresses are tried one after the other, each for a
 * while, again and again.
 */
#include "cryptcab/join.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cryptcab/tunnel.h"

#define MS UINT64_C(1000000)
#define TRY_MS 2000 /* for each address */
#define AGAIN_MS 500 /* between requests */
#define REFUSED_MS 200 /* after an ICMP error */

struct asker {
	struct tunnel *t;
	struct tunnel_peer *p;
	struct join_message *m;
	int fd;
	bool up, answered;
	uint8_t datagram[TUNNEL_DATAGRAM_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

/* The socket knows where: to the tunnel all servers are at one address. */
static const struct tunnel_addr there = { .len = 1, .host_len = 1 };

/* ---- what the tunnel asks for ---- */

static void op_random(void *ctx, void *p, size_t len)
{
	randombytes_buf(p, len);
}

static void op_send(void *ctx, const struct tunnel_addr *to,
		    const uint8_t *datagram, size_t len, bool probe)
{
	const struct asker *a = ctx;
	/* What is lost here is sent again, or was only a probe. */
	ssize_t n = send(a->fd, datagram, len, MSG_DONTWAIT);

	(void)n;
}

static void op_frame(void *ctx, struct tunnel_peer *p, uint8_t *frame,
		     size_t len, const struct tunnel_meta *meta)
{
	struct asker *a = ctx;
	struct join_message m;

	if (a->answered || !join_parse_answer(&m, frame, len) ||
	    memcmp(m.key, a->m->key, KEY64_BYTES) != 0)
		return;
	*a->m = m;
	a->answered = true;
}

static void op_event(void *ctx, struct tunnel_peer *p, enum tunnel_event ev,
		     const uint8_t key[static TUNNEL_KEY_LEN],
		     const struct tunnel_addr *addr)
{
	struct asker *a = ctx;

	if (ev == TUNNEL_UP)
		a->up = true;
	else if (ev == TUNNEL_DOWN)
		a->up = false;
}

static const struct tunnel_ops ops = {
	.random = op_random,
	.send = op_send,
	.frame = op_frame,
	.event = op_event,
};

static int open_tunnel(struct asker *a, const struct invite *in,
		       struct strbuf *why)
{
	uint8_t keys[2][KEY64_BYTES];
	struct tunnel_config cfg;
	struct tunnel_peer_config peer = {
		.key = in->key,
		.psk = keys[1],
		.fixed = true,
	};
	struct timespec wall;
	uint64_t now = now_ns();
	int rc;

	clock_gettime(CLOCK_REALTIME, &wall);
	invite_derive(in->secret, keys[0], keys[1]);
	tunnel_defaults(&cfg);
	cfg.ops = &ops;
	cfg.ctx = a;
	cfg.key = keys[0];
	cfg.stamp_base = (uint64_t)wall.tv_sec * 1000 * MS +
			 (uint64_t)wall.tv_nsec - now;
	cfg.alloc = sodium_malloc;
	cfg.free = sodium_free;
	cfg.max_peers = 1;
	rc = tunnel_new(&a->t, &cfg);
	if (!rc)
		rc = tunnel_peer_add(a->t, &peer, now, &a->p);
	sodium_memzero(keys, sizeof(keys));
	if (rc)
		strbuf_fmt(why, "unable to use the invitation: %s",
			   strerror(-rc));
	return rc;
}

/* ---- one address ---- */

static int resolve(const struct address *a, struct addrinfo **list)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
					.ai_flags = AI_NUMERICSERV };
	char port[8];

	(void)str_fmt(port, sizeof(port), "%u", (unsigned int)a->port);
	return getaddrinfo(a->host, port, &hints, list);
}

static void send_request(struct asker *a, uint64_t now)
{
	uint8_t buf[TUNNEL_HEAD + JOIN_FRAME_MAX + TUNNEL_TAIL];
	struct tunnel_packet pk = {
		.data = buf + TUNNEL_HEAD,
		.room = sizeof(buf) - TUNNEL_HEAD,
	};

	pk.len = (uint32_t)join_write_request(pk.data, a->m);
	if (tunnel_seal(a->p, &pk, 1, now) == 1)
		op_send(a, NULL, pk.data, pk.len, false);
}

/* False: an ICMP error, nobody is there. */
static bool receive_all(struct asker *a, uint64_t now)
{
	ssize_t n;

	while ((n = recv(a->fd, a->datagram, sizeof(a->datagram),
			 MSG_DONTWAIT)) >= 0 ||
	       errno == EINTR)
		if (n >= 0)
			tunnel_recv(a->t, &there, a->datagram, (size_t)n, 0,
				    now);
	return errno == EAGAIN;
}

static void wait_until(int fd, uint64_t now, uint64_t when)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t ms = when > now ? (when - now + MS - 1) / MS : 0;

	(void)poll(&pfd, fd < 0 ? 0 : 1, (int)min_u64(ms, 60000));
}

/* Asks there until an answer came or @end. */
static void ask_there(struct asker *a, uint64_t end)
{
	uint64_t now = now_ns(), next = 0;

	while (!a->answered && now < end) {
		if (a->up && now >= next) {
			send_request(a, now);
			next = now + AGAIN_MS * MS;
		}
		wait_until(a->fd, now,
			   min_u64(min_u64(tunnel_next(a->t), end),
				   a->up ? next : end));
		now = now_ns();
		if (!receive_all(a, now))
			end = min_u64(end, now + REFUSED_MS * MS);
		tunnel_tick(a->t, now);
	}
}

static void ask_addrs(struct asker *a, const struct addrinfo *list,
		      uint64_t end)
{
	for (; list && !a->answered && now_ns() < end; list = list->ai_next) {
		a->fd = socket(list->ai_family,
			       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (a->fd < 0)
			continue;
		if (!connect(a->fd, list->ai_addr, list->ai_addrlen)) {
			tunnel_peer_hang_up(a->p, now_ns());
			a->up = false;
			tunnel_peer_call(a->p, &there, now_ns());
			ask_there(a, min_u64(end, now_ns() + TRY_MS * MS));
		}
		close(a->fd);
		a->fd = -1;
	}
}

static int ask(struct asker *a, const struct invite *in, uint64_t end,
	       struct strbuf *why)
{
	const char *problem = "no answer";

	while (!a->answered && now_ns() < end) {
		uint64_t began = now_ns();

		for (int i = 0; i < in->n_addrs && !a->answered; i++) {
			struct addrinfo *list;
			int rc = resolve(&in->addrs[i], &list);

			if (rc) {
				problem = gai_strerror(rc);
				continue;
			}
			ask_addrs(a, list, end);
			freeaddrinfo(list);
		}
		/* Where nothing can even be tried, not in circles. */
		if (!a->answered)
			wait_until(-1, now_ns(),
				   min_u64(end, began + AGAIN_MS * MS));
	}
	if (!a->answered) {
		strbuf_fmt(why, "unable to join: %s", problem);
		return -ETIMEDOUT;
	}
	if (a->m->status == JOIN_DONE)
		return 0;
	strbuf_fmt(why, "unable to join: %s", join_status_text(a->m->status));
	return -EACCES;
}

int join_ask(const struct invite *in, struct join_message *m,
	     unsigned int timeout_ms, struct strbuf *why)
{
	uint64_t end = now_ns() + timeout_ms * MS;
	struct asker *a = sodium_malloc(sizeof(*a));
	int rc;

	if (!a) {
		strbuf_add(why, "not enough memory");
		return -ENOMEM;
	}
	memset(a, 0, sizeof(*a));
	a->fd = -1;
	a->m = m;
	rc = open_tunnel(a, in, why);
	if (!rc)
		rc = ask(a, in, end, why);
	tunnel_free(a->t);
	sodium_free(a);
	return rc;
}
