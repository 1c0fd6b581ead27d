// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ports of a switch with rings, whose clients are enemies: two of them write
 * into words and records, put datagrams into their sockets, kick, hang up and
 * come back, between turns of the switch. A third port, by a transport of the
 * test, sends now and then and sees what the others make the switch send.
 *
 * What arrives there is a frame of bearable length with nothing left to be
 * done; a turn takes no more than a batch from each; when the enemies do
 * nothing, the switch comes to rest; and in the end no frame and no descriptor
 * is left over.
 *
 * The transport is a part of the program, not of a library, and it is driven
 * without a loop: so its source is included here.
 */
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "../../src/switch/rx_batch.c"
#include "../../src/switch/tr_ring.c"
#include "../fuzz/input.h"
/* NOLINTEND(bugprone-suspicious-include) */

#define N_CLIENTS 2
#define POOL 1024
#define MANY_TURNS 40000 /* more than a ring has records, a few in each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct client {
	struct ring_ep *r; /* NULL: gone */
	struct ringmap map;
	int ctl, data;
	bool spoiled; /* what it receives means nothing any more */
} clients[N_CLIENTS];

static struct vswitch sw;
static struct ring_host *host;
static struct endpoint watcher;
static bool watcher_is_slow;
static uint64_t now;

static uint64_t the_time(void)
{
	return now;
}

void ctlsock_retry(struct ctlsock *cs)
{
}

/* ---- the port that watches ---- */

static int watcher_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	int k = watcher_is_slow ? n / 2 : n;

	must(n > 0 && n <= BATCH_MAX);
	for (int i = 0; i < k; i++) {
		const struct frame *f = tx[i].frame;

		must(offload_is_none(&f->offload));
		must(frame_wire_len(f, tx[i].tagged) >= ETHER_MIN_LEN);
		must(frame_wire_len(f, tx[i].tagged) <= ep->max_len);
	}
	return k;
}

static void watcher_pause(struct endpoint *ep, bool on)
{
}

static void watcher_close(struct endpoint *ep)
{
}

static const struct transport tr_watcher = { .module = "fuzz",
					     .name = "fuzz",
					     .send = watcher_send,
					     .pause = watcher_pause,
					     .close = watcher_close };

static void watcher_sends(struct input *in)
{
	uint32_t n = take(in) % BATCH_MAX + 1, len = take(in) * 36;
	struct frame *f[BATCH_MAX];

	for (uint32_t i = 0; i < n; i++) {
		f[i] = frame_new(sw.br->pool);
		if (!f[i]) {
			n = i;
			break;
		}
		memset(f[i]->data, 0xff, ETHER_ADDR_LEN);
		memset(f[i]->data + ETHER_ADDR_LEN, 2, 2 * ETHER_ADDR_LEN);
		f[i]->len = len;
	}
	port_rx_take(&watcher, f, (int)n, now);
}

/* ---- clients ---- */

static void come(struct client *c, struct input *in)
{
	const struct wire_request rq = { .ring_size = RING_MIN_SIZE,
					 .caps = take(in) & 1 ? take(in) : 0,
					 .max_len = take(in) & 1 ? take32(in)
								 : 0 };
	struct ring_grant grant;
	int sv[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	must(!ring_attach_take(host, &rq, (unsigned int)(c - clients) + 1, 0,
			       sv[0], &grant));
	must(!ringmap_open(&c->map, grant.fds[WIRE_FD_MEMORY],
			   grant.answer.ring_size, grant.answer.max_len));
	c->r = container_of(grant.ep, struct ring_ep, ep);
	c->ctl = sv[1];
	c->data = dup(grant.fds[WIRE_FD_DATA]);
	must(c->data >= 0);
	close(grant.fds[WIRE_FD_MEMORY]);
	close(grant.fds[WIRE_FD_DATA]);
}

static void forget(struct client *c)
{
	ringmap_close(&c->map);
	close(c->ctl);
	close(c->data);
	c->r = NULL;
	c->spoiled = false;
}

static void look(struct client *c)
{
	const struct port *p = bridge_port(sw.br,
					   (unsigned int)(c - clients) + 1);

	if (c->r && !port_is_active(p))
		forget(c); /* it was unplugged */
}

static void spoil_word(struct client *c, struct input *in)
{
	uint32_t which = take(in), v = take(in);
	struct ring *r = which & 8 ? &c->map.to_switch : &c->map.to_client;
	_Atomic uint32_t *const words[] = { &r->sh->tail, &r->sh->start,
					    &r->sh->head,
					    &r->sh->consumer_waits,
					    &r->sh->producer_waits };
	_Atomic uint32_t *w = words[which % ARRAY_SIZE(words)];

	if (which & 16)
		v = take32(in);
	else
		v = 16 * v + (which & 32 ? atomic_load(w) : 0);
	atomic_store(w, v);
	c->spoiled = true;
}

/* Headers of TCP over IPv4, so that something is true now and then. */
static const uint8_t tcp[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0,  0,  0, 9, 8,  0,
	0x45, 0,    0,	  0,	0,    1,    0, 0,  64, 6,  0, 0, 10, 0,
	0,    1,    10,	  0,	0,    2,    0, 80, 0,  80, 0, 0, 0,  1,
	0,    0,    0,	  0,	0x50, 16,   1, 0,  0,  0,  0, 0,
};

static void client_sends(struct client *c, struct input *in)
{
	struct ring *r = &c->map.to_switch;
	uint32_t how = take(in), n = how >> 4;
	struct ring_record rec = { .len = 60 + take(in) * 32 };
	int err = 0;
	uint8_t *p;

	if (how & 1) {
		rec.flags = FRAME_NEEDS_CSUM;
		rec.gso_type = FRAME_GSO_TCPV4;
		rec.hdr_len = sizeof(tcp);
		rec.gso_size = (uint16_t)(8 * take(in));
		rec.csum_start = 34;
		rec.csum_offset = 16;
	}
	do {
		p = ring_reserve(r, &rec, &err);
		if (!p)
			break;
		memcpy(p, tcp, sizeof(tcp));
		if (how & 2)
			p[take(in) % 64] = (uint8_t)take(in);
		if (how & 4)
			memset(p - take(in) % 16, (int)take(in), 2);
	} while (n--);
	if (ring_publish(r) || how & 8)
		kicked(&c->r->kick, EPOLLIN);
}

/* A good consumer. */
static void client_receives(struct client *c)
{
	struct ring *r = &c->map.to_client;
	struct ring_record rec;
	int err = 0;

	while (ring_peek(r, &rec, &err)) {
		must(c->spoiled || rec.len >= ETHER_MIN_LEN);
		ring_take(r, &rec);
	}
	if (ring_release(r) || !ring_wait_data(r))
		kicked(&c->r->kick, EPOLLIN);
}

static void stop_up(struct client *c, struct input *in)
{
	static const uint8_t bytes[4096];

	for (uint32_t n = take(in) % 16; n; n--)
		send(c->data, bytes, take(in) * 16,
		     MSG_DONTWAIT | MSG_NOSIGNAL);
	stopped_up(&c->r->data, EPOLLIN);
}

static void client_step(struct input *in)
{
	uint32_t what = take(in);
	struct client *c = &clients[what / 16 % N_CLIENTS];

	look(c);
	if (!c->r) {
		come(c, in);
		return;
	}
	switch (what % 16) {
	case 0:
	case 1:
	case 2:
		spoil_word(c, in);
		break;
	case 3:
		client_receives(c);
		break;
	case 4:
		stop_up(c, in);
		break;
	case 5:
		shutdown(c->ctl, SHUT_WR);
		ctl_ready(&c->r->ctl, EPOLLIN);
		break;
	case 6:
		kicked(&c->r->kick, EPOLLIN);
		break;
	default:
		client_sends(c, in);
	}
}

/* ---- the switch ---- */

static uint64_t frames_in(void)
{
	uint64_t n = 0;

	for (unsigned int i = 1; i <= N_CLIENTS; i++) {
		const struct port *p = bridge_port(sw.br, i);

		if (p)
			n += p->in_frames;
	}
	return n;
}

static void turn(void)
{
	uint64_t before = frames_in();

	now += 100000;
	loop_clock(sw.loop);
	/* Level triggered, as in the loop. */
	for (int i = 0; i < N_CLIENTS; i++) {
		look(&clients[i]);
		if (clients[i].r && clients[i].r->hung_up)
			ctl_ready(&clients[i].r->ctl, EPOLLIN);
	}
	serve_due(&host->serve);
	bridge_flush(sw.br);
	port_hold_expire(sw.br, now);
	must(frames_in() - before <= (uint64_t)N_CLIENTS * BATCH_MAX);
}

static bool at_rest(void)
{
	for (int i = 0; i < N_CLIENTS; i++) {
		look(&clients[i]);
		if (clients[i].r && clients[i].r->hung_up)
			return false;
	}
	return list_empty(&host->busy) && list_empty(&sw.br->holding);
}

static void come_to_rest(void)
{
	int turns = 0;

	watcher_is_slow = false;
	endpoint_writable(&watcher);
	while (!at_rest()) {
		must(turns++ < MANY_TURNS);
		turn();
	}
}

static void step(struct input *in)
{
	uint32_t what = take(in) % 16;

	if (what < 3) {
		turn();
	} else if (what == 3) {
		watcher_sends(in);
	} else if (what == 4) {
		watcher_is_slow = take(in) & 1;
		endpoint_writable(&watcher);
	} else if (what == 5) {
		come_to_rest();
	} else {
		client_step(in);
	}
}

static int lowest_free(void)
{
	int fd = dup(0);

	must(fd >= 0);
	close(fd);
	return fd;
}

static void start(void)
{
	const struct bridge_config cf = {
		.numports = 8, .hash_size = 16, .secret = 1, .pool_frames = POOL
	};

	log_set_level(LOG_ERR);
	memset(&sw, 0, sizeof(sw));
	memset(clients, 0, sizeof(clients));
	now = LOOP_SEC;
	watcher_is_slow = false;
	sw.loop = loop_new();
	sw.br = bridge_new(&cf);
	must(sw.loop && sw.br);
	loop_set_clock(sw.loop, the_time);
	host = ring_host_new(&sw);
	must(host);
	endpoint_init(&watcher, &tr_watcher, 1, 0, "");
	must(!bridge_attach(sw.br, N_CLIENTS + 1, &watcher));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int before = lowest_free();

	start();
	while (in.left)
		step(&in);
	come_to_rest();
	for (int i = 0; i < N_CLIENTS; i++) {
		look(&clients[i]);
		if (!clients[i].r)
			continue;
		bridge_detach(&clients[i].r->ep);
		forget(&clients[i]);
	}
	bridge_detach(&watcher);
	bridge_flush(sw.br);
	rx_batch_fini(&sw.rx);
	must(frame_pool_used(sw.br->pool) == 0);
	ring_host_free(host);
	bridge_free(sw.br);
	loop_free(sw.loop);
	must(lowest_free() == before);
	return 0;
}
