// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a spanning tree can be asked: names, the bridge, its ports.
 */
#include <errno.h>
#include <string.h>

#include "switch/rstp_impl.h"

const char *rstp_role_name(enum rstp_role role)
{
	static const char *const names[] = {
		[RSTP_DISABLED] = "disabled",
		[RSTP_ROOT] = "root",
		[RSTP_DESIGNATED] = "designated",
		[RSTP_ALTERNATE] = "alternate",
		[RSTP_BACKUP] = "backup",
	};

	static_assert(ARRAY_SIZE(names) == RSTP_N_ROLES, "a role has no name");
	return names[role];
}

const char *rstp_state_name(enum rstp_state state)
{
	static const char *const names[] = {
		[RSTP_DISCARDING] = "discarding",
		[RSTP_LEARNING] = "learning",
		[RSTP_FORWARDING] = "forwarding",
	};

	static_assert(ARRAY_SIZE(names) == RSTP_N_STATES, "no name");
	return names[state];
}

const char *rstp_peer_name(enum rstp_peer peer)
{
	static const char *const names[] = {
		[RSTP_PEER_RSTP] = "rstp",
		[RSTP_PEER_STP] = "stp",
		[RSTP_PEER_VDE2] = "vde2",
	};

	static_assert(ARRAY_SIZE(names) == RSTP_N_PEERS, "a peer has no name");
	return names[peer];
}

const char *rstp_event_name(enum rstp_event_type type)
{
	static const char *const names[] = {
		[RSTP_NEW_ROOT] = "new-root",
		[RSTP_TOPOLOGY_CHANGE] = "topology-change",
		[RSTP_NEW_PEER] = "new-peer",
		[RSTP_BPDU_GUARD] = "bpdu-guard",
		[RSTP_ROOT_GUARD] = "root-guard",
		[RSTP_LOOPED] = "looped",
	};

	static_assert(ARRAY_SIZE(names) == RSTP_N_EVENTS, "no name");
	return names[type];
}

void rstp_get_info(const struct rstp *r, struct rstp_info *in)
{
	*in = (struct rstp_info){
		.bridge = r->bridge,
		.root = r->root_priority.root,
		.root_cost = r->root_priority.cost,
		.root_port = -1,
		.times = r->root_times,
		.heard = r->heard,
		.changed = r->changed,
		.changes = r->changes,
		.n_ports = r->n_ports,
		.params = r->params,
	};
	if (r->root_port) {
		in->root_port = r->root_port->number;
		in->designated = r->root_priority.bridge;
	}
}

static enum rstp_peer peer_of(const struct rstp_port *p)
{
	if (p->dialect)
		return RSTP_PEER_VDE2;
	return p->send_rstp ? RSTP_PEER_RSTP : RSTP_PEER_STP;
}

static enum rstp_state state_of(const struct rstp_port *p)
{
	if (p->forwarding)
		return RSTP_FORWARDING;
	return p->learning ? RSTP_LEARNING : RSTP_DISCARDING;
}

int rstp_port_get_info(const struct rstp *r, unsigned int number,
		       struct rstp_port_info *in)
{
	const struct rstp_port *p = rstp_port_find(r, number);

	if (!p)
		return -ENXIO;
	*in = (struct rstp_port_info){
		.number = number,
		.role = p->role,
		.state = state_of(p),
		.peer = peer_of(p),
		.config = p->config,
		.link = p->link,
		.edge = p->oper_edge,
		.violated = p->violated,
		.root_blocked = p->root_blocked,
		.looped = p->looped,
		.id = p->port_id,
		.root = p->port_priority.root,
		.root_cost = p->port_priority.cost,
		.designated_bridge = p->port_priority.bridge,
		.designated_port = p->port_priority.port,
		.rx_bad = p->rx_bad,
		.rx_excess = p->rx_excess,
		.changes = p->changes,
		.forwards = p->forwards,
	};
	memcpy(in->rx, p->rx, sizeof(in->rx));
	memcpy(in->tx, p->tx, sizeof(in->tx));
	return 0;
}

int rstp_port_next(const struct rstp *r, unsigned int from)
{
	unsigned int i = rstp_port_index(r, from);

	return i < r->n_ports ? (int)r->ports[i]->number : -1;
}
