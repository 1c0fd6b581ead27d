/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_net - tunnels on one clock, and a wire between them
 *
 * A node is a tunnel with an address of one byte and a port. What it says is
 * put on the wire and arrives net.delay later, in order, unless a test takes
 * it: net.hold keeps everything back, net.longest drops what is longer. Frames
 * that come out are counted and the last one is kept. Random numbers are those
 * of a seed.
 */
#ifndef TESTS_TUNNEL_NET_H
#define TESTS_TUNNEL_NET_H

#include <string.h>

#include "base/rng.h"
#include "base/util.h"
#include "cryptcab/noise.h"
#include "cryptcab/tunnel.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define NODES 4
#define WIRE_MAX 4096
#define DGRAM_MAX 2048
#define BUF_MAX 10240

struct net;

struct node {
	struct net *net;
	struct tunnel *t;
	struct tunnel_peer *peer[NODES]; /* by number of the node */
	struct tunnel_addr addr;
	struct tunnel_config cfg;
	uint8_t key[32], pub[32];
	uint32_t frames;
	uint8_t last[BUF_MAX];
	size_t last_len;
	struct tunnel_meta last_meta;
	struct tunnel_peer *last_peer;
	uint32_t events[TUNNEL_N_EVENTS];
};

struct dgram {
	uint64_t due;
	struct tunnel_addr from, to;
	size_t len;
	uint8_t p[DGRAM_MAX];
};

struct net {
	uint64_t now, delay;
	struct rng rng;
	struct node node[NODES];
	struct dgram *wire; /* WIRE_MAX */
	int n;
	bool hold;
	size_t longest;
	uint64_t sent; /* datagrams, ever */
};

static struct net net;

static void net_random(void *ctx, void *p, size_t len)
{
	uint8_t *b = p;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)rng_u64(&net.rng);
}

static void net_put(const struct tunnel_addr *from,
		    const struct tunnel_addr *to, const uint8_t *p, size_t len)
{
	struct dgram *d = &net.wire[net.n];

	net.sent++;
	if ((net.longest && len > net.longest) || net.n == WIRE_MAX ||
	    len > DGRAM_MAX)
		return;
	d->due = net.now + net.delay;
	d->from = *from;
	d->to = *to;
	d->len = len;
	memcpy(d->p, p, len);
	net.n++;
}

static void net_send(void *ctx, const struct tunnel_addr *to, const uint8_t *p,
		     size_t len, bool probe)
{
	struct node *node = ctx;

	(void)probe;
	net_put(&node->addr, to, p, len);
}

static void net_frame(void *ctx, struct tunnel_peer *peer, uint8_t *frame,
		      size_t len, const struct tunnel_meta *meta)
{
	struct node *node = ctx;

	node->frames++;
	node->last_len = len;
	node->last_meta = *meta;
	node->last_peer = peer;
	memcpy(node->last, frame, size_min(len, BUF_MAX));
	/* The room in front is ours, too. */
	memset(frame - TUNNEL_HEAD, 0xee, TUNNEL_HEAD);
}

static void net_event(void *ctx, struct tunnel_peer *peer, enum tunnel_event ev,
		      const uint8_t key[static TUNNEL_KEY_LEN],
		      const struct tunnel_addr *addr)
{
	struct node *node = ctx;

	(void)peer;
	(void)key;
	(void)addr;
	node->events[ev]++;
}

static const struct tunnel_ops net_ops = {
	.random = net_random,
	.send = net_send,
	.frame = net_frame,
	.event = net_event,
};

static struct tunnel_addr net_addr(uint8_t host, uint8_t port)
{
	return (struct tunnel_addr){ .len = 2,
				     .host_len = 1,
				     .b = { host, port } };
}

/* A node whose configuration the caller may still change. */
static void net_node(int i)
{
	struct node *node = &net.node[i];

	memset(node, 0, sizeof(*node));
	node->net = &net;
	node->addr = net_addr((uint8_t)(i + 1), 1);
	memset(node->key, 0x40 + i, sizeof(node->key));
	if (!noise_public(node->pub, node->key))
		abort();
	tunnel_defaults(&node->cfg);
	node->cfg.ops = &net_ops;
	node->cfg.ctx = node;
	node->cfg.key = node->key;
	node->cfg.stamp_base = UINT64_C(1700000000) * S;
}

static void net_open(int i)
{
	if (tunnel_new(&net.node[i].t, &net.node[i].cfg) < 0)
		abort();
}

/* Node @i knows node @j, and calls it if @active. */
static void net_know(int i, int j, bool active, const uint8_t *psk)
{
	struct node *node = &net.node[i];
	const struct tunnel_peer_config pc = {
		.key = net.node[j].pub,
		.psk = psk,
		.addr = active ? &net.node[j].addr : NULL,
		.active = active,
		.aux = &net.node[j],
	};

	if (tunnel_peer_add(node->t, &pc, net.now, &node->peer[j]) < 0)
		abort();
}

static void net_begin(void)
{
	struct dgram *wire = net.wire;

	memset(&net, 0, sizeof(net));
	net.wire = wire ? wire : calloc(WIRE_MAX, sizeof(net.wire[0]));
	if (!net.wire)
		abort();
	rng_init(&net.rng, 1);
	net.now = 1000 * S;
	net.delay = 5 * MS;
	net.longest = 1472;
	for (int i = 0; i < NODES; i++)
		net_node(i);
}

static void net_end(void)
{
	for (int i = 0; i < NODES; i++) {
		tunnel_free(net.node[i].t);
		net.node[i].t = NULL;
	}
	free(net.wire);
	net.wire = NULL;
}

static struct node *net_at(const struct tunnel_addr *a)
{
	for (int i = 0; i < NODES; i++)
		if (net.node[i].t && net.node[i].addr.b[0] == a->b[0] &&
		    net.node[i].addr.b[1] == a->b[1])
			return &net.node[i];
	return NULL;
}

/* A copy, as it is overwritten. */
static enum tunnel_count net_give(struct node *to,
				  const struct tunnel_addr *from,
				  const uint8_t *p, size_t len)
{
	uint8_t *buf = malloc(len ? len : 1);
	enum tunnel_count what;

	if (!buf)
		abort();
	memcpy(buf, p, len);
	what = tunnel_recv(to->t, from, buf, len, 0, net.now);
	free(buf);
	return what;
}

static struct dgram net_take(int i)
{
	struct dgram d = net.wire[i];

	net.n--;
	memmove(&net.wire[i], &net.wire[i + 1],
		(size_t)(net.n - i) * sizeof(net.wire[0]));
	return d;
}

static void net_arrive(void)
{
	struct dgram d = net_take(0);
	struct node *to = net_at(&d.to);

	if (to)
		net_give(to, &d.from, d.p, d.len);
}

static uint64_t net_next(void)
{
	uint64_t next = net.n && !net.hold ? net.wire[0].due : TUNNEL_NEVER;

	for (int i = 0; i < NODES; i++)
		if (net.node[i].t)
			next = min_u64(next, tunnel_next(net.node[i].t));
	return next;
}

/* All that happens in the next @ns nanoseconds; how often something did. */
static uint64_t net_run(uint64_t ns)
{
	uint64_t end = net.now + ns, turns = 0, next;

	while ((next = net_next()) <= end) {
		turns++;
		net.now = max_u64(net.now, next);
		if (net.n && !net.hold && net.wire[0].due <= net.now)
			net_arrive();
		for (int i = 0; i < NODES; i++)
			if (net.node[i].t)
				tunnel_tick(net.node[i].t, net.now);
	}
	net.now = end;
	return turns;
}

/* Seals @len bytes of @fill from @i to @j and puts it on the wire. */
static int net_frame_to(int i, int j, size_t len, uint8_t fill)
{
	struct node *node = &net.node[i];
	uint8_t buf[TUNNEL_HEAD + DGRAM_MAX + 2048];
	struct tunnel_packet pk = { .data = buf + TUNNEL_HEAD,
				    .len = (uint32_t)len,
				    .room = 2048,
				    .tos = fill };
	const struct tunnel_addr *to;
	int rc;

	memset(pk.data, fill, len);
	rc = tunnel_seal(node->peer[j], &pk, 1, net.now);
	to = tunnel_addr(node->peer[j]);
	if (rc == 1 && to)
		net_put(&node->addr, to, pk.data, pk.len);
	return rc;
}

#endif
