// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine and what is around it: its callbacks, its timer, and peers as the
 * rest of the program knows them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "cryptcab/client.h"
#include "cryptcab/cryptcab.h"
#include "cryptcab/doorman.h"
#include "cryptcab/keymem.h"
#include "cryptcab/link.h"
#include "cryptcab/server.h"
#include "cryptcab/udp.h"

static const char *const drop_names[] = {
	[CAB_DROP_NO_LINK] = "rx_no_port", [CAB_DROP_FULL] = "rx_port_full",
	[CAB_DROP_CE] = "rx_congestion",   [CAB_DROP_RULES] = "rules",
	[CAB_DROP_REFUSED] = "tx_refused", [CAB_DROP_TOO_LONG] = "tx_too_long",
	[CAB_DROP_DOWN] = "tx_down",	   [CAB_DROP_NET] = "tx_net",
};
static_assert(ARRAY_SIZE(drop_names) == CAB_N_DROPS, "a drop has no name");

const char *cab_drop_name(enum cab_drop d)
{
	return drop_names[d];
}

uint64_t cab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

void cab_read_clock(struct cryptcab *cab)
{
	cab->batch_now = cab_now();
	cab->batch_wall = (uint64_t)time(NULL);
}

const char *cab_addr_text(char s[static CAB_ADDR_TEXT],
			  const struct tunnel_addr *a)
{
	struct sockaddr_storage ss;
	char host[INET6_ADDRSTRLEN] = "?";

	if (!a || !a->len) {
		(void)str_copy(s, CAB_ADDR_TEXT, "nowhere");
		return s;
	}
	(void)udp_addr_to(a, &ss);
	if (ss.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&ss;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		(void)str_fmt(s, CAB_ADDR_TEXT, "%s:%u", host,
			      ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in6 = (const void *)&ss;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		(void)str_fmt(s, CAB_ADDR_TEXT, "[%s]:%u", host,
			      ntohs(in6->sin6_port));
	}
	return s;
}

void cab_stop(struct cryptcab *cab, int status)
{
	if (!cab->stopped)
		cab->status = status;
	cab->stopped = true;
	loop_stop(cab->loop);
}

/* ---- what the engine calls ---- */

/* @frame has its header, unless @v says that it has none. */
static void say_denied(struct cab_peer *p, enum admit_dir dir,
		       const uint8_t *frame, enum admit_verdict v)
{
	char what[64] = "", addr[ETHER_STRLEN];

	if (v == ADMIT_BAD_MAC)
		(void)str_fmt(
			what, sizeof(what),
			"its source address %s is not allowed",
			ether_str(addr, ether_addr(frame + ETHER_ADDR_LEN)));
	else if (v == ADMIT_BAD_VLAN &&
		 ether_be16(frame + 12) == ETHERTYPE_VLAN)
		(void)str_copy(what, sizeof(what), "its VLAN is not allowed");
	else if (v == ADMIT_BAD_VLAN)
		(void)str_copy(what, sizeof(what),
			       "frames without a tag are not allowed");
	log_warn_rl(&p->limit, loop_now(p->cab->loop),
		    "dropped a frame %s %s: %s",
		    dir == ADMIT_FROM ? "from" : "for", p->name,
		    *what ? what : admit_verdict_name(v));
}

bool cab_admit(struct cab_peer *p, enum admit_dir dir, const uint8_t *frame,
	       size_t len)
{
	struct admit_now now = { p->cab->batch_now, p->cab->batch_wall };
	enum admit_verdict v;

	if (!p->admit)
		return true;
	v = admit_frame(p->admit, dir, frame, len, &now);
	if (v == ADMIT_PASS)
		return true;
	p->drops[CAB_DROP_RULES]++;
	if (v != ADMIT_TOO_FAST)
		say_denied(p, dir, frame, v);
	return false;
}

static void op_random(void *ctx, void *p, size_t len)
{
	randombytes_buf(p, len);
}

static void op_send(void *ctx, const struct tunnel_addr *to, const uint8_t *p,
		    size_t len, bool probe)
{
	struct cryptcab *cab = ctx;

	udp_say(cab->udp, to, p, len, probe);
}

static void op_frame(void *ctx, struct tunnel_peer *tp, uint8_t *frame,
		     size_t len, const struct tunnel_meta *meta)
{
	struct cryptcab *cab = ctx;
	struct cab_peer *p = tunnel_peer_aux(tp);

	if (p->kind == CAB_INVITED) {
		if (cab->doorman)
			doorman_frame(cab->doorman, p, frame, len);
		return;
	}
	if (!cab_admit(p, ADMIT_FROM, frame, len))
		return;
	if (p->link)
		link_deliver(p->link, frame, len, meta,
			     udp_has(cab->udp, frame));
	else
		p->drops[CAB_DROP_NO_LINK]++;
}

static void stranger(struct cryptcab *cab, const uint8_t *key,
		     const struct tunnel_addr *from)
{
	char addr[CAB_ADDR_TEXT], b64[TUNNEL_KEY_LEN * 2];

	if (cab->doorman && doorman_stranger(cab->doorman, key))
		return;
	cab->n_strangers++;
	sodium_bin2base64(b64, sizeof(b64), key, TUNNEL_KEY_LEN,
			  sodium_base64_VARIANT_ORIGINAL);
	log_warn_rl(&cab->strangers, loop_now(cab->loop),
		    "refused an unknown client at %s with key %s",
		    cab_addr_text(addr, from), b64);
}

static void say_up(struct cab_peer *p, const struct tunnel_addr *a)
{
	char addr[CAB_ADDR_TEXT];
	struct tunnel_info info;

	tunnel_peer_info(p->tp, cab_now(), &info);
	log_notice("%s is up at %s, %s", p->name, cab_addr_text(addr, a),
		   aead_name(info.cipher));
}

static void say_event(struct cab_peer *p, enum tunnel_event ev,
		      const struct tunnel_addr *a)
{
	uint64_t now = loop_now(p->cab->loop);
	char addr[CAB_ADDR_TEXT];
	struct tunnel_info info;

	cab_addr_text(addr, a);
	if (ev == TUNNEL_ROAMED && p->up_since)
		log_msg_rl(&p->limit, now, LOG_NOTICE, "%s has moved to %s",
			   p->name, addr);
	else if (ev == TUNNEL_NO_ANSWER)
		log_msg_rl(&p->limit, now, LOG_INFO, "no answer from %s at %s",
			   p->name, addr);
	else if (ev == TUNNEL_REFUSED)
		log_warn_rl(&p->limit, now,
			    "unable to agree with %s at %s: there is no cipher "
			    "that both sides allow",
			    p->name, addr);
	else if (ev == TUNNEL_REKEYED)
		log_debug("%s has new keys", p->name);
	if (ev == TUNNEL_ROOM) {
		tunnel_peer_info(p->tp, cab_now(), &info);
		log_info("the path to %s takes datagrams of %u bytes", p->name,
			 info.datagram);
	}
}

static void went_down(struct cab_peer *p, const struct tunnel_addr *a)
{
	char addr[CAB_ADDR_TEXT];

	log_notice("%s at %s is down: it does not answer", p->name,
		   cab_addr_text(addr, a));
	p->up_since = 0;
	p->down_since = cab_now();
}

static void op_event(void *ctx, struct tunnel_peer *tp, enum tunnel_event ev,
		     const uint8_t key[static TUNNEL_KEY_LEN],
		     const struct tunnel_addr *a)
{
	struct cryptcab *cab = ctx;
	struct cab_peer *p = tp ? tunnel_peer_aux(tp) : NULL;

	if (!p) {
		stranger(cab, key, a);
		return;
	}
	if (ev == TUNNEL_UP) {
		p->up_since = cab_now();
		p->down_since = 0;
		p->ups++;
		say_up(p, a);
	} else if (ev == TUNNEL_DOWN) {
		went_down(p, a);
	} else {
		say_event(p, ev, a);
	}
	if (cab->client)
		client_event(cab->client, p, ev);
	else if (cab->server && p->kind != CAB_INVITED)
		server_event(cab->server, p, ev);
}

static const struct tunnel_ops tunnel_ops = {
	.random = op_random,
	.send = op_send,
	.frame = op_frame,
	.event = op_event,
};

/* ---- time ---- */

static void tick(struct loop_timer *t)
{
	struct cryptcab *cab = container_of(t, struct cryptcab, tick);

	tunnel_tick(cab->tunnel, cab_now());
	cab_schedule(cab);
}

void cab_schedule(struct cryptcab *cab)
{
	uint64_t due = tunnel_next(cab->tunnel), now;

	if (due == cab->tick_due && loop_timer_armed(&cab->tick))
		return;
	cab->tick_due = due;
	if (due == TUNNEL_NEVER) {
		loop_timer_del(cab->loop, &cab->tick);
		return;
	}
	now = cab_now();
	if (loop_timer_set(cab->loop, &cab->tick, due > now ? due - now : 0,
			   tick)) {
		log_err("unable to set a timer: %s", strerror(ENOMEM));
		cab_stop(cab, EXIT_FAILURE);
	}
}

static uint64_t stamp_base(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec -
	       cab_now();
}

/* ---- what the sockets call ---- */

static void on_datagram(void *ctx, const struct tunnel_addr *from, uint8_t *p,
			size_t len, uint8_t tos)
{
	struct cryptcab *cab = ctx;

	(void)tunnel_recv(cab->tunnel, from, p, len, tos, cab->batch_now);
}

static void on_begin(void *ctx)
{
	cab_read_clock(ctx);
}

static void on_done(void *ctx)
{
	struct cryptcab *cab = ctx;

	sealer_done(cab->sealer);
	cab_schedule(cab);
}

static void on_writable(void *ctx)
{
	struct cryptcab *cab = ctx;

	sealer_go_on(cab->sealer);
}

static bool is_at(const struct cab_peer *p, const struct tunnel_addr *a)
{
	const struct tunnel_addr *at = tunnel_addr(p->tp);

	return at && at->len == a->len && !memcmp(at->b, a->b, a->len);
}

static void on_unreachable(void *ctx, const struct tunnel_addr *to, int err)
{
	struct cryptcab *cab = ctx;

	list_for_each(pos, &cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (!is_at(p, to))
			continue;
		tunnel_peer_doubt(p->tp, cab_now());
		if (cab->client)
			client_unreachable(cab->client, p, err);
	}
	cab_schedule(cab);
}

static void on_too_long(void *ctx, const struct tunnel_addr *to, size_t len)
{
	struct cryptcab *cab = ctx;

	list_for_each(pos, &cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (is_at(p, to))
			tunnel_peer_too_long(p->tp, len, cab_now());
	}
	cab_schedule(cab);
}

const struct udp_ops cab_udp_ops = {
	.begin = on_begin,
	.recv = on_datagram,
	.done = on_done,
	.unreachable = on_unreachable,
	.too_long = on_too_long,
	.writable = on_writable,
};

/* ---- peers ---- */

int cab_peer_add(struct cryptcab *cab, const char *name,
		 const uint8_t key[static TUNNEL_KEY_LEN], const uint8_t *psk,
		 struct cab_peer **out)
{
	struct cab_peer *p = calloc(1, sizeof(*p));
	const struct tunnel_peer_config c = {
		.key = key,
		.psk = psk,
		.aux = p,
	};
	int rc;

	if (!p)
		return -ENOMEM;
	p->cab = cab;
	p->down_since = cab_now();
	(void)str_copy(p->name, sizeof(p->name), name);
	memcpy(p->key, key, TUNNEL_KEY_LEN);
	rc = tunnel_peer_add(cab->tunnel, &c, cab_now(), &p->tp);
	if (rc) {
		free(p);
		return rc;
	}
	list_add_tail(&cab->peers, &p->node);
	cab->n_peers++;
	if (out)
		*out = p;
	return 0;
}

void cab_peer_del(struct cab_peer *p)
{
	struct cryptcab *cab = p->cab;

	if (cab->client)
		client_forget(cab->client, p);
	if (cab->server)
		server_forget(cab->server, p);
	if (cab->doorman)
		doorman_forget(cab->doorman, p);
	for (int i = 0; i < CAB_N_DROPS; i++)
		cab->gone_drops[i] += p->drops[i];
	(void)tunnel_peer_del(p->tp);
	list_del(&p->node);
	cab->n_peers--;
	admit_free(p->admit);
	free(p);
	cab_schedule(cab);
}

void cab_peer_kick(struct cab_peer *p)
{
	struct cryptcab *cab = p->cab;
	char addr[CAB_ADDR_TEXT];

	if (!p->up_since || tunnel_peer_hang_up(p->tp, cab_now()))
		return;
	log_notice("%s at %s is down: kicked by console command", p->name,
		   cab_addr_text(addr, tunnel_addr(p->tp)));
	p->up_since = 0;
	p->down_since = cab_now();
	if (cab->client)
		client_event(cab->client, p, TUNNEL_DOWN);
	else if (cab->server && p->kind != CAB_INVITED)
		server_event(cab->server, p, TUNNEL_DOWN);
	cab_schedule(cab);
}

struct cab_peer *cab_peer_find(const struct cryptcab *cab, const char *name)
{
	list_for_each(pos, &cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* ---- begin and end ---- */

int cab_open(struct cryptcab *cab, const uint8_t key[static TUNNEL_KEY_LEN])
{
	struct tunnel_config c;
	int rc;

	list_init(&cab->peers);
	cab->started = cab_now();
	(void)crypto_scalarmult_base(cab->key, key);
	tunnel_defaults(&c);
	c.ops = &tunnel_ops;
	c.ctx = cab;
	c.key = key;
	c.stamp_base = stamp_base();
	c.alloc = keymem_alloc;
	c.free = keymem_free;
	c.pad = cab->pad;
	rc = tunnel_new(&cab->tunnel, &c);
	return rc ? rc : sealer_new(&cab->sealer, cab);
}

void cab_close(struct cryptcab *cab)
{
	if (!cab->tunnel)
		return;
	list_for_each_safe(pos, next, &cab->peers)
		cab_peer_del(list_entry(pos, struct cab_peer, node));
	loop_timer_del(cab->loop, &cab->tick);
	sealer_free(cab->sealer);
	tunnel_free(cab->tunnel);
}
