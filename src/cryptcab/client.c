// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cryptcab/link.h"
#include "cryptcab/resolve.h"

#define REST_MIN (LOOP_SEC / 2)
#define REST_MAX (8 * LOOP_SEC)
/* Handshakes without an answer before the next address. */
#define TRIES_OF_MANY 2
#define TRIES_OF_ONE 4

enum state {
	RESTING,
	ASKING,
	CALLING,
	UP
};

struct client {
	struct cryptcab *cab;
	struct link *link;
	struct client_server servers[CLIENT_SERVERS];
	/* Their keys: peers may go, and come back. */
	uint8_t keys[CLIENT_SERVERS][TUNNEL_KEY_LEN];
	int n_servers;
	enum state state;
	int server, addr; /* in use, or tried */
	int no_answers; /* from there */
	int first; /* of this round */
	uint64_t rest; /* how long the next one is */
	bool next; /* of the servers, when @step runs */
	struct resolve *resolve; /* NULL: none under way */
	struct tunnel_addr addrs[RESOLVE_MAX];
	int n_addrs;
	struct loop_timer step;
	struct log_limit limit;
};

static void ask(struct client *c);
static void next_server(struct client *c);

static void broken(struct client *c)
{
	log_err("unable to set a timer: %s", strerror(ENOMEM));
	cab_stop(c->cab, EXIT_FAILURE);
}

static struct client_server *now_at(struct client *c)
{
	return &c->servers[c->server];
}

/* NULL: it is no peer now. */
static struct cab_peer *peer_at(struct client *c)
{
	struct tunnel_peer *tp = tunnel_peer_find(c->cab->tunnel,
						  c->keys[c->server]);

	return tp ? tunnel_peer_aux(tp) : NULL;
}

static void hang_up(struct client *c)
{
	struct cab_peer *p = peer_at(c);

	if (p)
		(void)tunnel_peer_hang_up(p->tp, cab_now());
}

static void call(struct client *c)
{
	struct cab_peer *p = peer_at(c);
	int rc;

	if (!p) {
		log_warn_rl(&c->limit, loop_now(c->cab->loop),
			    "unable to call %s: it is no peer any more",
			    now_at(c)->host);
		next_server(c);
		return;
	}
	c->state = CALLING;
	c->no_answers = 0;
	rc = tunnel_peer_call(p->tp, &c->addrs[c->addr], cab_now());
	if (rc)
		log_err("unable to call %s: %s", p->name, strerror(-rc));
	cab_schedule(c->cab);
}

static void rested(struct loop_timer *t)
{
	struct client *c = container_of(t, struct client, step);

	c->server = c->first = 0;
	ask(c);
}

/* A crowd of clients whose server was away shall not come back at once. */
static void take_a_rest(struct client *c)
{
	uint64_t part = c->rest / 4;

	c->state = RESTING;
	if (loop_timer_set(
		    c->cab->loop, &c->step,
		    c->rest - part +
			    randombytes_uniform((uint32_t)(part / LOOP_MS)) *
				    LOOP_MS * 2,
		    rested))
		broken(c);
	c->rest = min_u64(c->rest * 2, REST_MAX);
}

static void next_server(struct client *c)
{
	c->server = (c->server + 1) % c->n_servers;
	if (c->server == c->first)
		take_a_rest(c);
	else
		ask(c);
}

/* Not there. */
static void next_addr(struct client *c)
{
	hang_up(c);
	if (++c->addr < c->n_addrs)
		call(c);
	else
		next_server(c);
	cab_schedule(c->cab);
}

static void asked(void *ctx, const struct tunnel_addr *addrs, int n,
		  const char *why)
{
	struct client *c = ctx;
	struct resolve *r = c->resolve; /* @addrs and @why are in there */

	c->resolve = NULL;
	if (n > 0) {
		memcpy(c->addrs, addrs, (size_t)n * sizeof(*addrs));
		c->n_addrs = n;
		c->addr = 0;
		call(c);
	} else {
		log_warn_rl(&c->limit, loop_now(c->cab->loop),
			    "unable to look up %s: %s", now_at(c)->host, why);
		next_server(c);
	}
	resolve_free(r);
}

static void ask(struct client *c)
{
	const struct client_server *s = now_at(c);
	int rc;

	c->state = ASKING;
	rc = resolve_new(&c->resolve, c->cab->loop, s->host, s->port, asked, c);
	if (!rc)
		return;
	log_warn_rl(&c->limit, loop_now(c->cab->loop),
		    "unable to look up %s: %s", s->host, strerror(-rc));
	next_server(c);
}

/* ---- what the engine says; it is busy then ---- */

static void step(struct loop_timer *t)
{
	struct client *c = container_of(t, struct client, step);

	if (c->state != CALLING)
		return;
	next_addr(c);
}

static void later(struct client *c)
{
	if (loop_timer_set(c->cab->loop, &c->step, 0, step))
		broken(c);
}

/* The one that was in use is dead: the others first. */
static void lost(struct loop_timer *t)
{
	struct client *c = container_of(t, struct client, step);

	hang_up(c);
	c->server = (c->server + 1) % c->n_servers;
	c->first = c->server;
	ask(c);
	cab_schedule(c->cab);
}

static void no_answer(struct client *c)
{
	bool many = c->n_servers > 1 || c->n_addrs > 1;

	if (c->state == CALLING &&
	    ++c->no_answers >= (many ? TRIES_OF_MANY : TRIES_OF_ONE))
		later(c);
}

void client_event(struct client *c, struct cab_peer *p, enum tunnel_event ev)
{
	if (p != peer_at(c))
		return;
	if (ev == TUNNEL_UP) {
		loop_timer_del(c->cab->loop, &c->step);
		c->state = UP;
		c->rest = REST_MIN;
		if (c->link)
			link_set_peer(c->link, p);
	} else if (ev == TUNNEL_DOWN && c->state == UP) {
		c->state = CALLING;
		if (loop_timer_set(c->cab->loop, &c->step, 0, lost))
			broken(c);
	} else if (ev == TUNNEL_NO_ANSWER || ev == TUNNEL_REFUSED) {
		no_answer(c);
	}
}

/* Errors of ICMP are cheap to forge: only a reason to hurry. */
void client_unreachable(struct client *c, struct cab_peer *p, int err)
{
	bool many = c->n_servers > 1 || c->n_addrs > 1;

	if (many && c->state == CALLING && p == peer_at(c))
		later(c);
}

void client_forget(struct client *c, struct cab_peer *p)
{
	if (p->link)
		link_set_peer(p->link, NULL);
	if (p != peer_at(c) || c->state < CALLING)
		return;
	c->state = CALLING;
	if (loop_timer_set(c->cab->loop, &c->step, 0, lost))
		broken(c);
}

/* ---- begin and end ---- */

int client_new(struct client **out, struct cryptcab *cab,
	       const struct client_server *servers, int n)
{
	struct client *c;

	if (n < 1 || n > CLIENT_SERVERS)
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->cab = cab;
	c->rest = REST_MIN;
	c->n_servers = n;
	memcpy(c->servers, servers, (size_t)n * sizeof(*servers));
	for (int i = 0; i < n; i++)
		memcpy(c->keys[i], servers[i].peer->key, TUNNEL_KEY_LEN);
	*out = c;
	return 0;
}

static void link_over(void *ctx, struct link *l, int rc)
{
	struct client *c = ctx;

	cab_stop(c->cab, rc == END_OVER ? EXIT_SUCCESS : EXIT_FAILURE);
}

int client_start(struct client *c, struct end *end)
{
	const struct link_config lc = {
		.cab = c->cab, .end = end, .over = link_over, .ctx = c
	};
	int rc = link_open(&c->link, &lc);

	if (!rc)
		ask(c);
	return rc;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	loop_timer_del(c->cab->loop, &c->step);
	resolve_free(c->resolve);
	link_close(c->link);
	free(c);
}
