// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port Role Selection (17.28) and Port Role Transitions (17.29): which ports
 * make the tree, and how they get there without ever closing a loop.
 *
 * Every transition here may be what another port waits for (synced, rrWhile),
 * so each asks for a sweep.
 */
#include "switch/rstp_impl.h"

/* ---- selection ---- */

/* The path through a port, 17.21.25 a) b); false if it leads nowhere. The
 * cost of a path that has gone round for ever would begin at zero again. */
static bool root_path(const struct rstp_port *p, struct rstp_vector *v)
{
	*v = p->port_priority;
	return p->info_is == INFO_RECEIVED && !p->config.root_guard &&
	       address_of(v->bridge) != address_of(p->r->bridge) &&
	       !__builtin_add_overflow(v->cost, p->config.path_cost, &v->cost);
}

/* 17.21.25 c), message age rounded to whole seconds */
static struct rstp_times root_times(const struct rstp *r)
{
	struct rstp_times t = r->bridge_times;
	unsigned int age;

	if (!r->root_port)
		return t;
	t = r->root_port->port_times;
	age = (t.message_age + RSTP_SECOND + RSTP_SECOND / 2) / RSTP_SECOND *
	      RSTP_SECOND;
	t.message_age = (uint16_t)(age <= UINT16_MAX ? age : UINT16_MAX);
	return t;
}

/* Whether it may be old news, see settle(). */
static bool stale(const struct rstp *r, const struct rstp_vector *v)
{
	return r->settled_at && v->root == r->lost.root &&
	       rstp_vector_cmp(v, &r->lost) >= 0;
}

/* 17.21.25 b) */
static void best_path(struct rstp *r)
{
	struct rstp_vector v;

	r->root_priority = (struct rstp_vector){ .root = r->bridge,
						 .bridge = r->bridge };
	r->root_port = NULL;
	for (unsigned int i = 0; i < r->n_ports; i++) {
		struct rstp_port *p = r->ports[i];

		if (!root_path(p, &v) || stale(r, &p->port_priority) ||
		    rstp_vector_cmp(&v, &r->root_priority) >= 0)
			continue;
		r->root_priority = v;
		r->root_port = p;
	}
}

/* Bridges that lose their root believe each other's memories of it, which
 * then go round and round until max age is reached. Beyond the standard, a
 * bridge whose way to the root got longer or ended therefore follows nobody
 * who is as far from that root as it was itself, for a moment: long enough
 * for bad news to get round, too short to matter. Whoever is nearer cannot
 * have heard of that root from this bridge. */
static void settle(struct rstp *r, const struct rstp_vector *old)
{
	if (!r->settled_at || r->lost.root != old->root)
		r->lost = (struct rstp_vector){ .root = old->root,
						.cost = old->cost,
						.bridge = r->bridge };
	r->lost_at = r->now;
	r->settled_at = r->now + SETTLE_TIME;
	if (r->settled_at < r->next)
		r->next = r->settled_at;
	best_path(r);
}

static bool farther(const struct rstp_vector *now,
		    const struct rstp_vector *then)
{
	return now->root != then->root ? now->root > then->root
				       : now->cost > then->cost;
}

/* 17.21.25 b) c) */
static void select_root(struct rstp *r)
{
	const struct rstp_port *old_port = r->root_port;
	struct rstp_vector old = r->root_priority;

	best_path(r);
	if (farther(&r->root_priority, &old))
		settle(r, &old);
	r->root_times = root_times(r);
	if (r->root_priority.root != old.root || r->root_port != old_port) {
		r->heard = r->now;
		rstp_tell(r, RSTP_NEW_ROOT, r->root_port, true);
	}
}

/* 17.21.25 d) e) */
static void set_designated(struct rstp_port *p)
{
	const struct rstp *r = p->r;

	p->designated_priority = (struct rstp_vector){
		.root = r->root_priority.root,
		.cost = r->root_priority.cost,
		.bridge = r->bridge,
		.port = p->port_id,
		.rx_port = p->port_id,
	};
	p->designated_times = r->root_times;
	p->designated_times.hello = r->bridge_times.hello;
}

/* 17.21.25 i) to l): the port has heard of a bridge on its LAN */
static enum rstp_role role_by_received(struct rstp_port *p)
{
	if (p == p->r->root_port)
		return RSTP_ROOT;
	if (rstp_vector_cmp(&p->designated_priority, &p->port_priority) < 0) {
		p->updt_info = true;
		return RSTP_DESIGNATED;
	}
	if (address_of(p->port_priority.bridge) == address_of(p->r->bridge))
		return RSTP_BACKUP;
	return RSTP_ALTERNATE;
}

/* 17.21.25 f) to l) */
static enum rstp_role select_role(struct rstp_port *p)
{
	p->updt_info = false;
	switch (p->info_is) {
	case INFO_DISABLED:
		return RSTP_DISABLED;
	case INFO_AGED:
		p->updt_info = true;
		return RSTP_DESIGNATED;
	case INFO_MINE:
		p->updt_info = rstp_vector_cmp(&p->port_priority,
					       &p->designated_priority) != 0 ||
			       !rstp_times_equal(&p->port_times,
						 &p->designated_times);
		return RSTP_DESIGNATED;
	case INFO_RECEIVED:
	default:
		return role_by_received(p);
	}
}

static void check_root_guard(struct rstp_port *p)
{
	bool blocked = p->config.root_guard &&
		       p->selected_role == RSTP_ALTERNATE;

	if (blocked != p->root_blocked) {
		p->root_blocked = blocked;
		rstp_tell(p->r, RSTP_ROOT_GUARD, p, blocked);
	}
}

/* ROLE_SELECTION of 17.28 with updtRolesTree() */
void rstp_port_role_selection(struct rstp *r)
{
	r->reselect = false;
	select_root(r);
	for (unsigned int i = 0; i < r->n_ports; i++) {
		struct rstp_port *p = r->ports[i];

		set_designated(p);
		p->selected_role = select_role(p);
		check_root_guard(p);
	}
}

/* ---- transitions ---- */

/* 17.21.14 */
static void set_sync_tree(struct rstp *r)
{
	for (unsigned int i = 0; i < r->n_ports; i++)
		r->ports[i]->sync = true;
}

/* 17.21.15 */
static void set_re_root_tree(struct rstp *r)
{
	for (unsigned int i = 0; i < r->n_ports; i++)
		r->ports[i]->re_root = true;
}

/* 17.20.3; a port with updt_info may not be in sync when it is done with it */
static bool all_synced(const struct rstp *r)
{
	for (unsigned int i = 0; i < r->n_ports; i++) {
		const struct rstp_port *p = r->ports[i];

		if (p->role != p->selected_role || p->updt_info ||
		    !(p->synced || p->role == RSTP_ROOT))
			return false;
	}
	return true;
}

/* 17.20.10 */
static bool re_rooted(const struct rstp_port *root)
{
	const struct rstp *r = root->r;

	for (unsigned int i = 0; i < r->n_ports; i++)
		if (r->ports[i] != root && running(r->ports[i], RR_WHILE))
			return false;
	return true;
}

/* ROOT_PORT, DESIGNATED_PORT, BLOCK_PORT, DISABLE_PORT. What the old role
 * held begins to run down, what the new one holds stops doing so. */
static void enter_role(struct rstp_port *p)
{
	if (p->role == RSTP_ROOT)
		start(p, RR_WHILE, p->designated_times.forward_delay);
	else if (p->role == RSTP_DISABLED)
		start(p, FD_WHILE, p->designated_times.max_age);
	else if (p->role == RSTP_ALTERNATE || p->role == RSTP_BACKUP)
		start(p, FD_WHILE, forward_delay(p));
	if (p->role == RSTP_BACKUP)
		start(p, RB_WHILE, 2U * p->designated_times.hello);

	p->role = p->selected_role;
	if (p->role == RSTP_ROOT)
		hold(p, RR_WHILE);
	else if (p->role != RSTP_DESIGNATED)
		p->learn = p->forward = false;
}

/* DISABLED_PORT of 17.29.1; ALTERNATE_PORT, BACKUP_PORT of 17.29.4 */
static bool blocked_port(struct rstp_port *p)
{
	if (p->learning || p->forwarding)
		return false;
	if (p->synced && !p->sync && !p->re_root && !running(p, RR_WHILE) &&
	    p->timer[FD_WHILE] == HELD)
		return false;
	hold(p, FD_WHILE);
	if (p->role == RSTP_BACKUP)
		hold(p, RB_WHILE);
	stop(p, RR_WHILE);
	p->synced = true;
	p->sync = p->re_root = false;
	return true;
}

/* {ROOT,ALTERNATE}_PROPOSED, {ROOT,ALTERNATE}_AGREED, not to a root that this
 * bridge does not follow (settle(), root guard). */
static bool answer_proposal(struct rstp_port *p)
{
	if (p->port_priority.root != p->r->root_priority.root)
		return false;
	if (p->proposed && !p->agree) {
		set_sync_tree(p->r);
		p->proposed = false;
		return true;
	}
	if (p->agree ? !p->proposed : !all_synced(p->r))
		return false;
	if (p->role == RSTP_ROOT && p->r->drained_at && !p->agree)
		return false;
	p->proposed = false;
	if (p->role == RSTP_ROOT)
		p->sync = false;
	p->agree = true;
	p->new_info = p->urgent = true;
	return true;
}

/* A neighbour that speaks VDE 2's dialect forwards unasked. Its proposal is
 * what record_proposal() made of that, and to agree is up to this side. */
static bool root_may_forward(const struct rstp_port *p)
{
	if (!running(p, FD_WHILE))
		return true;
	return rstp_version(p->r) && !running(p, RB_WHILE) &&
	       !p->r->drained_at && (!p->dialect || p->agree) && re_rooted(p);
}

/* 17.29.2 */
static bool root_port(struct rstp_port *p)
{
	if (answer_proposal(p))
		return true;
	if (!p->forward && !p->re_root) { /* REROOT */
		set_re_root_tree(p->r);
		return true;
	}
	if (p->re_root && p->forward) { /* REROOTED */
		p->re_root = false;
		return true;
	}
	if (p->forward || !root_may_forward(p))
		return false;
	if (!p->learn) { /* ROOT_LEARN */
		start(p, FD_WHILE, forward_delay(p));
		p->learn = true;
	} else { /* ROOT_FORWARD */
		stop(p, FD_WHILE);
		p->forward = true;
	}
	return true;
}

static bool designated_must_discard(const struct rstp_port *p)
{
	return (p->sync && !p->synced) ||
	       (p->re_root && running(p, RR_WHILE)) || p->disputed || p->looped;
}

static bool designated_may_forward(const struct rstp_port *p)
{
	if (p->dialect && p->r->drained_at)
		return false;
	return (!running(p, FD_WHILE) || p->agreed || p->oper_edge) &&
	       (!running(p, RR_WHILE) || !p->re_root) && !p->sync && !p->looped;
}

static bool designated_synced(struct rstp_port *p)
{
	bool discarding = !p->learning && !p->forwarding;

	if (p->synced ? !p->sync : !(discarding || p->agreed || p->oper_edge))
		return false;
	stop(p, RR_WHILE);
	p->synced = true;
	p->sync = false;
	return true;
}

/* 17.29.3 */
static bool designated_port(struct rstp_port *p)
{
	if (!p->forward && !p->agreed && !p->proposing && !p->oper_edge) {
		p->proposing = true; /* DESIGNATED_PROPOSE */
		start(p, EDGE_DELAY_WHILE, edge_delay(p));
		p->new_info = true;
		return true;
	}
	if (designated_synced(p))
		return true;
	if (!running(p, RR_WHILE) && p->re_root) { /* DESIGNATED_RETIRED */
		p->re_root = false;
		return true;
	}
	if (designated_must_discard(p) && !p->oper_edge &&
	    (p->learn || p->forward)) { /* DESIGNATED_DISCARD */
		p->learn = p->forward = p->disputed = false;
		start(p, FD_WHILE, forward_delay(p));
		return true;
	}
	if (p->forward || !designated_may_forward(p))
		return false;
	if (!p->learn) { /* DESIGNATED_LEARN */
		p->learn = true;
		start(p, FD_WHILE, forward_delay(p));
	} else { /* DESIGNATED_FORWARD */
		p->forward = true;
		stop(p, FD_WHILE);
		p->agreed = p->send_rstp;
		/* Who agreed and has changed his mind must hear of it. */
		if (p->send_rstp && !p->oper_edge)
			p->urgent = p->new_info = true;
	}
	return true;
}

static bool alternate_port(struct rstp_port *p)
{
	if (p->learning || p->forwarding) /* BLOCK_PORT */
		return false;
	return blocked_port(p) || answer_proposal(p);
}

bool rstp_port_role_transitions(struct rstp_port *p)
{
	bool moved = true;

	if (p->r->reselect || p->updt_info)
		return false;
	if (p->role != p->selected_role)
		enter_role(p);
	else if (p->role == RSTP_ROOT)
		moved = root_port(p);
	else if (p->role == RSTP_DESIGNATED)
		moved = designated_port(p);
	else if (p->role == RSTP_DISABLED)
		moved = blocked_port(p);
	else
		moved = alternate_port(p);
	if (moved)
		p->r->sweep = true;
	return moved;
}
