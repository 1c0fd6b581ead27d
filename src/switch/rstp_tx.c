// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machines of one port: how changes of the topology get round, and what the
 * port says. Transmitting comes last, when all machines of all ports are
 * done, so that one BPDU tells everything that happened at an instant.
 */
#include "switch/rstp_impl.h"

/* ---- 17.31 Topology Change ---- */

/* 17.21.7 */
static void new_tc_while(struct rstp_port *p)
{
	const struct rstp_times *root = &p->r->root_times;

	if (running(p, TC_WHILE))
		return;
	if (p->send_rstp) {
		start(p, TC_WHILE, p->designated_times.hello + RSTP_SECOND);
		p->new_info = true;
	} else {
		start(p, TC_WHILE,
		      (unsigned int)root->max_age + root->forward_delay);
	}
}

/* 17.21.18 */
static void set_tc_prop_tree(struct rstp_port *p)
{
	struct rstp *r = p->r;

	for (unsigned int i = 0; i < r->n_ports; i++)
		if (r->ports[i] != p)
			r->ports[i]->tc_prop = true;
	r->sweep = true;
}

/* Others repeat a change until tcWhile ends: that is counted as one, although
 * it may be another one. */
static void note_change(struct rstp_port *p, bool detected)
{
	struct rstp *r = p->r;
	bool repeated = !detected && r->changed &&
			r->now - r->changed <=
				time_ns(r->root_times.hello + RSTP_SECOND);

	p->changes++;
	r->changed = r->now;
	r->changes += !repeated;
	rstp_tell(r, RSTP_TOPOLOGY_CHANGE, p, !repeated);
}

static void flush(struct rstp_port *p)
{
	p->r->ops->flush(p->r->ctx, p->number); /* fdbFlush, 17.19.7 */
}

static bool tcm_learning(struct rstp_port *p)
{
	bool active = p->role == RSTP_ROOT || p->role == RSTP_DESIGNATED;

	if (active && p->forward && !p->oper_edge) { /* DETECTED */
		p->tcm = TCM_ACTIVE;
		new_tc_while(p);
		set_tc_prop_tree(p);
		p->new_info = true;
		note_change(p, true);
		return true;
	}
	if (p->rcvd_tc || p->rcvd_tcn || p->rcvd_tc_ack || p->tc_prop) {
		p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = false;
		p->tc_prop = false;
		return true;
	}
	if (active || p->learn || p->learning)
		return false;
	p->tcm = TCM_INACTIVE;
	flush(p);
	stop(p, TC_WHILE);
	p->tc_ack = false;
	return true;
}

static bool tcm_active(struct rstp_port *p)
{
	if ((p->role != RSTP_ROOT && p->role != RSTP_DESIGNATED) ||
	    p->oper_edge) {
		p->tcm = TCM_LEARNING;
		p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = false;
		p->tc_prop = false;
	} else if (p->rcvd_tcn || p->rcvd_tc) {
		if (p->rcvd_tcn) /* NOTIFIED_TCN */
			new_tc_while(p);
		p->rcvd_tcn = p->rcvd_tc = false; /* NOTIFIED_TC */
		if (p->role == RSTP_DESIGNATED)
			p->tc_ack = true;
		set_tc_prop_tree(p);
		note_change(p, false);
	} else if (p->tc_prop) { /* PROPAGATING */
		new_tc_while(p);
		flush(p);
		p->tc_prop = false;
	} else if (p->rcvd_tc_ack) { /* ACKNOWLEDGED */
		stop(p, TC_WHILE);
		p->rcvd_tc_ack = false;
	} else {
		return false;
	}
	return true;
}

bool rstp_topology_change(struct rstp_port *p)
{
	if (p->tcm == TCM_ACTIVE)
		return tcm_active(p);
	if (p->tcm == TCM_LEARNING)
		return tcm_learning(p);
	if (!p->learn)
		return false;
	p->tcm = TCM_LEARNING;
	p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = p->tc_prop = false;
	return true;
}

/* ---- 17.26 Port Transmit ---- */

/* 17.21.19, 17.21.20, 17.21.21 */
static void transmit(struct rstp_port *p, enum rstp_kind kind)
{
	uint8_t frame[RSTP_FRAME_MAX];
	struct rstp_bpdu b = {
		.kind = kind,
		.role = p->role,
		.dialect = p->dialect,
		.root = p->designated_priority.root,
		.cost = p->designated_priority.cost,
		.bridge = p->designated_priority.bridge,
		.port = p->designated_priority.port,
		.times = p->designated_times,
	};
	size_t len;

	if (running(p, TC_WHILE))
		b.flags |= RSTP_TC;
	if (kind == RSTP_CONFIG && p->tc_ack)
		b.flags |= RSTP_TC_ACK;
	if (kind == RSTP_RST)
		b.flags |= (p->proposing ? RSTP_PROPOSAL : 0) |
			   (p->agree ? RSTP_AGREEMENT : 0) |
			   (p->learning ? RSTP_LEARNING_FLAG : 0) |
			   (p->forwarding ? RSTP_FORWARDING_FLAG : 0);
	if (kind != RSTP_TCN)
		p->tc_ack = false;
	len = rstp_bpdu_write(&b, address_of(p->r->bridge), frame);
	p->tx[kind]++;
	p->r->ops->transmit(p->r->ctx, p->number, frame, len);
}

/* The last instant before the hello time is over that is the VLAN's own. */
static void start_hello(struct rstp_port *p)
{
	uint64_t slot = p->r->vid % RSTP_SLOTS * (SEC / RSTP_SLOTS);
	uint64_t at = p->r->now + p->r->params.hello_s * SEC;

	p->timer[HELLO_WHEN] = at - (at - slot) % SEC;
}

/* Who says something in every hello time. */
static bool periodic(const struct rstp_port *p)
{
	return p->role == RSTP_DESIGNATED ||
	       (p->role == RSTP_ROOT && (running(p, TC_WHILE) || p->dialect));
}

/* What there is to send: false if the standard has no BPDU for it. */
static bool pending(const struct rstp_port *p, enum rstp_kind *kind)
{
	if (!p->new_info || !p->port_enabled)
		return false;
	if (p->send_rstp)
		*kind = RSTP_RST;
	else if (p->role == RSTP_DESIGNATED)
		*kind = RSTP_CONFIG;
	else
		*kind = RSTP_TCN;
	return p->send_rstp || p->role == RSTP_DESIGNATED ||
	       p->role == RSTP_ROOT;
}

/* txCount < TxHoldCount from then on. The standard's bucket leaks one BPDU in
 * a second; this one leaks TxHoldCount, for what has to wait for a second is
 * an outage of a second. Bad news may go three times as often: bridges that
 * do not hear in time that a root is lost keep it alive among themselves. So
 * may agreements, for which somebody waits who could not say more either. */
static uint64_t may_send_at(const struct rstp_port *p)
{
	unsigned int hold = p->r->params.tx_hold;
	uint64_t room = (p->urgent ? 3 * hold - 1 : hold - 1) * (SEC / hold);

	return p->tx_empty > room ? p->tx_empty - room : 0;
}

void rstp_port_transmit(struct rstp_port *p)
{
	enum rstp_kind kind;

	if (!p->port_enabled || !periodic(p)) {
		stop(p, HELLO_WHEN);
	} else if (!running(p, HELLO_WHEN)) { /* TRANSMIT_PERIODIC */
		p->new_info = true;
		start_hello(p);
	}
	if (!pending(p, &kind) || may_send_at(p) > p->r->now)
		return;
	p->new_info = p->urgent = false;
	if (p->tx_empty < p->r->now)
		p->tx_empty = p->r->now;
	p->tx_empty += SEC / p->r->params.tx_hold;
	transmit(p, kind);
	if (running(p, HELLO_WHEN))
		start_hello(p);
}

uint64_t rstp_port_transmit_again(const struct rstp_port *p)
{
	enum rstp_kind kind;

	return pending(p, &kind) ? may_send_at(p) : HELD;
}
