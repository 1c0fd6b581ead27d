// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cryptcab/link.h"

#define AGAIN LOOP_SEC /* a port that could not be opened */
#define DESCR_SIZE 96

struct server {
	struct cryptcab *cab;
	struct link *only; /* of streams */
	struct loop_timer again;
	struct log_limit limit;
};

/* What a port needs as long as it is open. */
struct port {
	struct vde_args args;
	char descr[DESCR_SIZE];
};

static void open_ports(struct loop_timer *t);

static void try_again(struct server *s)
{
	struct cryptcab *cab = s->cab;

	if (loop_timer_armed(&s->again))
		return;
	if (loop_timer_set(cab->loop, &s->again, AGAIN, open_ports)) {
		log_err("unable to set a timer: %s", strerror(ENOMEM));
		cab_stop(cab, EXIT_FAILURE);
	}
}

static void close_port(struct cab_peer *p)
{
	struct port *port = p->port;

	if (!p->link || !port)
		return;
	link_close(p->link);
	p->port = NULL;
	free(port);
}

static void port_over(void *ctx, struct link *l, int rc)
{
	struct cab_peer *p = ctx;

	close_port(p);
	if (p->up_since)
		try_again(p->cab->server);
}

static int open_end(struct cab_peer *p, struct port *port, struct end **out)
{
	struct cryptcab *cab = p->cab;
	VDECONN *conn;
	int rc;

	(void)str_fmt(port->descr, sizeof(port->descr), "%s %s", cab->net.descr,
		      p->name);
	port->args = cab->net;
	port->args.descr = port->descr;
	rc = redial_open(&port->args, &conn);
	if (rc)
		return rc;
	rc = end_vde_open(out, cab->loop, port->args.locator, conn,
			  &port->args);
	if (rc)
		vde_close(conn);
	return rc;
}

static int open_port(struct cab_peer *p)
{
	struct port *port = calloc(1, sizeof(*port));
	struct link_config c = { .cab = p->cab, .over = port_over, .ctx = p };
	struct link *l;
	int rc = -ENOMEM;

	if (port)
		rc = open_end(p, port, &c.end);
	if (!rc) {
		rc = link_open(&l, &c);
		if (rc)
			c.end->ops->close(c.end);
	}
	if (rc) {
		free(port);
		return rc;
	}
	p->port = port;
	link_set_peer(l, p);
	return 0;
}

static void open_for(struct server *s, struct cab_peer *p)
{
	int rc;

	if (p->link)
		return;
	rc = open_port(p);
	if (!rc)
		return;
	log_warn_rl(&s->limit, loop_now(s->cab->loop),
		    "unable to open a port of %s for %s: %s",
		    s->cab->net.locator, p->name, strerror(-rc));
	try_again(s);
}

static void open_ports(struct loop_timer *t)
{
	struct server *s = container_of(t, struct server, again);

	list_for_each(pos, &s->cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (p->up_since)
			open_for(s, p);
	}
}

void server_event(struct server *s, struct cab_peer *p, enum tunnel_event ev)
{
	if (s->only) {
		if (ev == TUNNEL_UP)
			link_set_peer(s->only, p);
		else if (ev == TUNNEL_DOWN && p->link)
			link_set_peer(s->only, NULL);
		return;
	}
	if (ev == TUNNEL_UP)
		open_for(s, p);
	else if (ev == TUNNEL_DOWN)
		close_port(p);
}

void server_forget(struct server *s, struct cab_peer *p)
{
	if (s->only && p->link)
		link_set_peer(s->only, NULL);
	else
		close_port(p);
}

static void only_over(void *ctx, struct link *l, int rc)
{
	struct server *s = ctx;

	cab_stop(s->cab, rc == END_OVER ? EXIT_SUCCESS : EXIT_FAILURE);
}

int server_new(struct server **out, struct cryptcab *cab, struct end *stream)
{
	struct server *s = calloc(1, sizeof(*s));
	const struct link_config c = {
		.cab = cab, .end = stream, .over = only_over, .ctx = s
	};
	int rc = s ? 0 : -ENOMEM;

	if (!rc) {
		s->cab = cab;
		rc = stream ? link_open(&s->only, &c) : 0;
	}
	if (rc)
		free(s);
	else
		*out = s;
	return rc;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	loop_timer_del(s->cab->loop, &s->again);
	link_close(s->only);
	free(s);
}
