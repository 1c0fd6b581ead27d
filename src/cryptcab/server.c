// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "cryptcab/link.h"
#include "cryptcab/peersfile.h"
#include "cryptcab/trust.h"
#include "cryptcab/vlanport.h"

#define AGAIN LOOP_SEC /* a port that could not be opened */
#define DESCR_SIZE 96

struct server {
	struct cryptcab *cab;
	struct link *only; /* of streams */
	struct loop_timer again;
	struct log_limit limit, unset;
	struct vlanports *vlans; /* NULL: ports are not configured */
	bool leaving;
};

/* What a port needs as long as it is open. */
struct port {
	struct cab_peer *peer;
	struct vlanport *vlan; /* NULL: an ordinary one */
	int number; /* at the switch; 0: any */
	struct vde_args args;
	char descr[DESCR_SIZE];
};

static void open_ports(struct loop_timer *t);

static void try_again_in(struct server *s, uint64_t delay)
{
	struct cryptcab *cab = s->cab;

	if (loop_timer_armed(&s->again) || s->leaving)
		return;
	if (loop_timer_set(cab->loop, &s->again, delay, open_ports)) {
		log_err("unable to set a timer: %s", strerror(ENOMEM));
		cab_stop(cab, EXIT_FAILURE);
	}
}

static void try_again(struct server *s)
{
	try_again_in(s, AGAIN);
}

static void close_port(struct cab_peer *p)
{
	struct port *port = p->port;

	if (!port)
		return;
	if (p->link)
		link_close(p->link);
	vlanport_close(port->vlan);
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
	port->args.port = port->number;
	port->args.descr = port->descr;
	rc = redial_open(&port->args, &conn);
	if (rc)
		return rc;
	/* A new connection to a port with VLANs needs a new port. */
	rc = end_vde_open(out, cab->loop, port->args.locator, conn,
			  port->vlan ? NULL : &port->args);
	if (rc)
		vde_close(conn);
	return rc;
}

static int connect_port(struct cab_peer *p, struct port *port)
{
	struct link_config c = { .cab = p->cab, .over = port_over, .ctx = p };
	struct link *l;
	int rc = open_end(p, port, &c.end);

	if (rc)
		return rc;
	rc = link_open(&l, &c);
	if (rc) {
		c.end->ops->close(c.end);
		return rc;
	}
	link_set_peer(l, p);
	return 0;
}

static void failed(struct cab_peer *p, const char *what, int rc)
{
	struct server *s = p->cab->server;

	log_warn_rl(&s->limit, loop_now(s->cab->loop),
		    "unable to open a port of %s for %s: %s%s%s",
		    s->cab->net.locator, p->name, what ? what : "",
		    what ? ": " : "", strerror(-rc));
	close_port(p); /* @what is its */
	try_again(s);
}

static void port_made(void *ctx, int rc, const char *what)
{
	struct port *port = ctx;

	if (rc < 0) {
		failed(port->peer, what, rc);
		return;
	}
	port->number = rc;
	rc = connect_port(port->peer, port);
	if (rc)
		failed(port->peer, NULL, rc);
}

/* The rules with VLANs of a peer, or NULL. */
static const struct admit_rules *vlans_of(const struct cab_peer *p)
{
	const struct peersfile_peer *pp = trust_entry(p->cab->trust, p->key);

	return pp && vlanport_needed(&pp->rules) ? &pp->rules : NULL;
}

static int open_port(struct server *s, struct cab_peer *p)
{
	const struct admit_rules *vlans = vlans_of(p);
	struct port *port = calloc(1, sizeof(*port));

	if (!port)
		return -ENOMEM;
	port->peer = p;
	p->port = port;
	if (vlans && s->vlans)
		return vlanport_open(&port->vlan, s->vlans, vlans, port_made,
				     port);
	if (vlans)
		log_warn_rl(&s->unset, loop_now(s->cab->loop),
			    "the port of %s at the switch does not have its "
			    "VLANs: there is no --switch-mgmt",
			    p->name);
	return connect_port(p, port);
}

static void open_for(struct server *s, struct cab_peer *p)
{
	int rc = 0;

	if (!p->port && !s->leaving)
		rc = open_port(s, p);
	if (rc)
		failed(p, NULL, rc);
}

static void open_ports(struct loop_timer *t)
{
	struct server *s = container_of(t, struct server, again);

	list_for_each(pos, &s->cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (p->up_since && p->kind != CAB_INVITED)
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

void server_vlans_changed(struct server *s, struct cab_peer *p)
{
	if (s->only || !p->port)
		return;
	log_info("%s gets a new port at the switch: its VLANs have changed",
		 p->name);
	close_port(p);
	try_again_in(s, 0);
}

int server_set_vlans(struct server *s, const char *path)
{
	return vlanports_new(&s->vlans, s->cab->loop, path);
}

void server_leave(struct server *s)
{
	if (!s || !s->vlans)
		return;
	s->leaving = true;
	list_for_each(pos, &s->cab->peers)
		close_port(list_entry(pos, struct cab_peer, node));
	vlanports_drain(s->vlans);
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
	vlanports_free(s->vlans);
	free(s);
}
