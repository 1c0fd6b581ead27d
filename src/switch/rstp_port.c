// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machines of one port: what it hears, what it believes of that, and whether
 * it learns and forwards.
 *
 * Where a neighbour speaks VDE 2's dialect (port->dialect, until a standard
 * BPDU comes or the link goes), the port answers in it, and:
 *
 *   a VDE 2 switch forwards without being asked. A root port behind one
 *   behaves as if it had been proposed to, and forwards only when the rest of
 *   this bridge is in sync (record_proposal(), root_may_forward());
 *   it blocks every port that hears anything but Root, even one that leads to
 *   the root. What it says there counts as Designated as long as it is better
 *   than what is known, and an answer as Root, repeated with every hello,
 *   opens its port again;
 *   it claims to be Designated until it has heard better: no dispute.
 */
#include "switch/rstp_impl.h"

void rstp_port_begin(struct rstp_port *p)
{
	p->role = p->selected_role = RSTP_DISABLED;
	p->info_is = INFO_DISABLED;
	p->tcm = TCM_INACTIVE;
	p->synced = true;
	p->new_info = true;
	hold(p, FD_WHILE);
	rstp_port_set_enabled(p, false);
	p->r->reselect = true;
}

/* What 17.23, 17.24 and 17.25 do all the time while the port is disabled. */
void rstp_port_set_enabled(struct rstp_port *p, bool enabled)
{
	p->port_enabled = enabled;
	p->ppm = PPM_CHECKING_RSTP;
	p->mcheck = false;
	p->send_rstp = rstp_version(p->r);
	p->oper_edge = p->config.admin_edge;
	p->rcvd_rstp = p->rcvd_stp = p->rcvd_msg = false;
	p->dialect = p->looped = false;
	stop(p, LOOPED_WHILE);
	stop(p, MDELAY_WHILE);
	stop(p, EDGE_DELAY_WHILE);
	if (enabled) {
		start(p, MDELAY_WHILE, MIGRATE_TIME);
		start(p, EDGE_DELAY_WHILE, MIGRATE_TIME);
	}
}

/* ---- 17.23 Port Receive ---- */

static void set_dialect(struct rstp_port *p, bool dialect)
{
	if (dialect == p->dialect)
		return;
	p->dialect = dialect;
	rstp_tell(p->r, RSTP_NEW_PEER, p, true);
}

/* 9.3.4 discards Configuration BPDUs that are the port's own. An RST BPDU
 * that comes back is as bad: the LAN behind this port is a loop. */
static bool heard_itself(struct rstp_port *p, const struct rstp_bpdu *b)
{
	if (b->kind == RSTP_TCN || b->bridge != p->r->bridge ||
	    b->port != p->port_id)
		return false;
	start(p, LOOPED_WHILE, 3U * p->r->bridge_times.hello);
	if (!p->looped) {
		p->looped = true;
		rstp_tell(p->r, RSTP_LOOPED, p, true);
	}
	return true;
}

void rstp_port_receive(struct rstp_port *p, const struct rstp_bpdu *b)
{
	p->oper_edge = false;
	/* The standard waits for three seconds on a shared LAN, too, where all
	 * may still be silent for one that has died. */
	start(p, EDGE_DELAY_WHILE, edge_delay(p));
	if (heard_itself(p, b))
		return;
	if (b->kind == RSTP_RST) /* updtBPDUVersion(), 17.21.22 */
		p->rcvd_rstp = true;
	else
		p->rcvd_stp = true;
	if (b->kind == RSTP_TCN) /* setTcFlags(), 17.21.17 */
		p->rcvd_tcn = true;
	set_dialect(p, b->dialect);
	p->msg = *b;
	p->rcvd_msg = true;
}

/* ---- 17.24 Port Protocol Migration ---- */

static void set_send_rstp(struct rstp_port *p, bool rstp)
{
	if (rstp == p->send_rstp)
		return;
	p->send_rstp = rstp;
	rstp_tell(p->r, RSTP_NEW_PEER, p, true);
}

static void checking_rstp(struct rstp_port *p)
{
	p->ppm = PPM_CHECKING_RSTP;
	p->mcheck = false;
	set_send_rstp(p, rstp_version(p->r));
	start(p, MDELAY_WHILE, MIGRATE_TIME);
}

static void sensing(struct rstp_port *p)
{
	p->ppm = PPM_SENSING;
	p->rcvd_rstp = p->rcvd_stp = false;
}

static bool leave_sensing(struct rstp_port *p)
{
	if (p->mcheck ||
	    (rstp_version(p->r) && !p->send_rstp && p->rcvd_rstp)) {
		checking_rstp(p);
		return true;
	}
	if (p->send_rstp && p->rcvd_stp) {
		p->ppm = PPM_SELECTING_STP;
		set_send_rstp(p, false);
		start(p, MDELAY_WHILE, MIGRATE_TIME);
		return true;
	}
	return false;
}

bool rstp_port_protocol_migration(struct rstp_port *p)
{
	if (!p->port_enabled)
		return false; /* rstp_port_set_enabled() */
	if (p->ppm == PPM_SENSING)
		return leave_sensing(p);
	if (running(p, MDELAY_WHILE) &&
	    !(p->ppm == PPM_SELECTING_STP && p->mcheck))
		return false;
	sensing(p);
	return true;
}

/* ---- 17.25 Bridge Detection: EDGE is oper_edge ---- */

/* Whether a VDE 2 switch is there is known at every fourth second only. */
bool rstp_bridge_detection(struct rstp_port *p)
{
	if (p->oper_edge || !p->port_enabled || running(p, EDGE_DELAY_WHILE) ||
	    !p->config.auto_edge || !p->send_rstp || !p->proposing ||
	    p->dialect)
		return false;
	p->oper_edge = true;
	return true;
}

/* ---- 17.27 Port Information ---- */

/* 17.6: of the bridge and port whose information this port has */
static bool same_sender(const struct rstp_port *p)
{
	const struct rstp_vector *old = &p->port_priority;
	const struct rstp_vector *new = &p->msg_priority;

	return p->info_is == INFO_RECEIVED &&
	       address_of(old->bridge) == address_of(new->bridge) &&
	       ((old->port ^ new->port) & 0xfff) == 0;
}

static void decode_message(struct rstp_port *p)
{
	const struct rstp_bpdu *b = &p->msg;

	p->msg_priority = (struct rstp_vector){ b->root, b->cost, b->bridge,
						b->port, p->port_id };
	p->msg_times = b->times;
	if (p->msg_times.hello < RSTP_SECOND) /* 17.21.13 */
		p->msg_times.hello = RSTP_SECOND;
	if (b->dialect)
		p->msg_times.forward_delay = p->r->bridge_times.forward_delay;
}

/* 17.21.8 */
static enum rstp_rcvd_info rcv_info(struct rstp_port *p)
{
	const struct rstp_bpdu *b = &p->msg;
	bool better, designated;
	int cmp;

	if (b->kind == RSTP_TCN)
		return OTHER_INFO;
	decode_message(p);
	cmp = rstp_vector_cmp(&p->msg_priority, &p->port_priority);
	better = cmp <= 0 || same_sender(p);
	designated = b->role == RSTP_DESIGNATED ||
		     (b->dialect && b->role == RSTP_ALTERNATE && better);
	if (!designated)
		return cmp >= 0 && b->role != RSTP_DISABLED
			       ? INFERIOR_ROOT_ALTERNATE_INFO
			       : OTHER_INFO;
	if (!better)
		return INFERIOR_DESIGNATED_INFO;
	if (cmp != 0 || !rstp_times_equal(&p->msg_times, &p->port_times))
		return SUPERIOR_DESIGNATED_INFO;
	return p->info_is == INFO_RECEIVED ? REPEATED_DESIGNATED_INFO
					   : OTHER_INFO;
}

/* What left by a port that is blocked now is still on its way round, and comes
 * back once another way here is open: too many have it then. So a bridge that
 * has blocked a port opens no new way to the root, and does not let that one be
 * opened, for a moment. Where that way was lost, the ring is broken already, and
 * the moment began then. Beyond the standard. */
static void drain(struct rstp *r)
{
	bool lost = r->lost_at && r->now < r->lost_at + 2 * SETTLE_TIME;
	uint64_t at = (lost ? r->lost_at : r->now) + DRAIN_TIME;

	if (at <= r->now || at <= r->drained_at)
		return;
	r->drained_at = at;
	if (at < r->next)
		r->next = at;
}

/* 17.21.11. The dialect has a flag where a proposal is, of ports that wait
 * for an answer as Root. */
static void record_proposal(struct rstp_port *p)
{
	if (p->msg.flags & RSTP_PROPOSAL || (p->dialect && !p->forward))
		p->proposed = true;
}

/* 17.21.9. Also, who agrees must know the same root: else he agrees to what
 * this port said before, and may have changed his mind by now. The dialect tells
 * of a topology change without agreement, and takes none back by that. */
static void record_agreement(struct rstp_port *p)
{
	bool before = p->agreed;
	bool agrees = p->msg.flags & RSTP_AGREEMENT ||
		      (before && p->dialect && p->msg.flags & RSTP_TC);

	p->agreed = agrees && rstp_version(p->r) && p->config.point_to_point &&
		    p->msg_priority.root == p->port_priority.root;
	if (p->agreed)
		p->proposing = false;
	if (p->agreed && !before && p->dialect && !p->forward)
		drain(p->r); /* that neighbour did not */
}

/* INFERIOR_DESIGNATED with recordDispute(), 17.21.10. Who claims the LAN and
 * knows worse is new there; the standard leaves him alone until the next
 * hello. */
static void inferior_designated(struct rstp_port *p)
{
	if (p->info_is == INFO_MINE)
		p->new_info = true;
	if (p->dialect || !(p->msg.flags & RSTP_LEARNING_FLAG))
		return;
	p->disputed = true;
	p->agreed = false;
}

/* 17.21.17; the acknowledgement is for those who send TCNs only (9.3.3) */
static void set_tc_flags(struct rstp_port *p)
{
	if (p->msg.flags & RSTP_TC)
		p->rcvd_tc = true;
	if (p->msg.flags & RSTP_TC_ACK && p->msg.kind == RSTP_CONFIG)
		p->rcvd_tc_ack = true;
}

/* 17.21.23, but for a sixteenth of a hello: the third one that is missing would
 * come too late if it came at all, and who waited for it would have been cut
 * off for longer than three. */
static void updt_rcvd_info_while(struct rstp_port *p)
{
	const struct rstp_times *t = &p->port_times;
	unsigned int age = t->message_age + RSTP_SECOND + RSTP_SECOND / 2;

	if (age / RSTP_SECOND * RSTP_SECOND <= t->max_age)
		start(p, RCVD_INFO_WHILE, 3U * t->hello - t->hello / 16U);
	else
		stop(p, RCVD_INFO_WHILE);
	if (p == p->r->root_port)
		p->r->heard = p->r->now;
}

/* betterorsameInfo(), 17.21.1, as UPDATE and SUPERIOR_DESIGNATED ask */
static bool better_or_same(const struct rstp_port *p, enum rstp_info_is which)
{
	return p->info_is == which &&
	       rstp_vector_cmp(which == INFO_MINE ? &p->designated_priority
						  : &p->msg_priority,
			       &p->port_priority) <= 0;
}

static void superior_designated(struct rstp_port *p)
{
	p->agreed = p->proposing = false;
	record_proposal(p);
	set_tc_flags(p);
	p->agree = p->agree && better_or_same(p, INFO_RECEIVED);
	p->port_priority = p->msg_priority; /* recordPriority(), 17.21.12 */
	p->port_times = p->msg_times; /* recordTimes(), 17.21.13 */
	updt_rcvd_info_while(p);
	p->info_is = INFO_RECEIVED;
	p->r->reselect = true;
}

static void repeated_designated(struct rstp_port *p)
{
	record_proposal(p);
	set_tc_flags(p);
	updt_rcvd_info_while(p);
}

/* Whose information this port has says that he is not Designated any more:
 * what he said then is void. The standard waits until it is too old, for two
 * bridges that lost their root and took each other for the way there. */
static bool turned_away(const struct rstp_port *p)
{
	if (p->msg.kind != RSTP_RST || p->msg.role == RSTP_DESIGNATED ||
	    p->msg.role == RSTP_DISABLED)
		return false;
	return same_sender(p) && !(p->dialect && p->msg.role == RSTP_ALTERNATE);
}

static void receive(struct rstp_port *p)
{
	p->rcvd_msg = false;
	switch (rcv_info(p)) {
	case SUPERIOR_DESIGNATED_INFO:
		superior_designated(p);
		break;
	case REPEATED_DESIGNATED_INFO:
		repeated_designated(p);
		break;
	case INFERIOR_DESIGNATED_INFO:
		inferior_designated(p);
		break;
	case INFERIOR_ROOT_ALTERNATE_INFO: /* NOT_DESIGNATED */
		record_agreement(p);
		set_tc_flags(p);
		break;
	case OTHER_INFO:
	default:
		break;
	}
	if (turned_away(p))
		stop(p, RCVD_INFO_WHILE);
}

static void update(struct rstp_port *p)
{
	p->proposing = p->proposed = false;
	p->agreed = p->agreed && better_or_same(p, INFO_MINE);
	/* The neighbour forwards because this port agreed as Root. */
	if (p->role == RSTP_ROOT ||
	    (p->info_is == INFO_MINE && !better_or_same(p, INFO_MINE)))
		p->urgent = true;
	p->synced = p->synced && p->agreed;
	p->port_priority = p->designated_priority;
	p->port_times = p->designated_times;
	p->updt_info = false;
	p->info_is = INFO_MINE;
	p->new_info = true;
}

static void disabled(struct rstp_port *p)
{
	p->rcvd_msg = false;
	p->proposing = p->proposed = p->agree = p->agreed = false;
	stop(p, RCVD_INFO_WHILE);
	p->info_is = INFO_DISABLED;
	p->r->reselect = true;
}

bool rstp_port_information(struct rstp_port *p)
{
	if (!p->port_enabled && p->info_is == INFO_DISABLED)
		return false;
	if (!p->port_enabled) {
		disabled(p);
	} else if (p->updt_info && !p->r->reselect) {
		update(p);
	} else if (p->info_is == INFO_DISABLED ||
		   (p->info_is == INFO_RECEIVED && !p->updt_info &&
		    !running(p, RCVD_INFO_WHILE) && !p->rcvd_msg)) {
		p->info_is = INFO_AGED;
		p->r->reselect = true;
	} else if (p->info_is != INFO_AGED && p->rcvd_msg && !p->updt_info) {
		receive(p);
	} else {
		return false;
	}
	return true;
}

/* ---- 17.30 Port State Transition ---- */

bool rstp_port_state_transition(struct rstp_port *p)
{
	enum rstp_state state;

	if (p->learning && (!p->learn || (p->forwarding && !p->forward))) {
		if (p->forwarding && !p->oper_edge)
			drain(p->r);
		p->learning = p->forwarding = false;
		state = RSTP_DISCARDING;
	} else if (!p->learning && p->learn) {
		p->learning = true;
		state = RSTP_LEARNING;
	} else if (p->learning && !p->forwarding && p->forward) {
		p->forwarding = true;
		p->forwards++;
		state = RSTP_FORWARDING;
	} else {
		return false;
	}
	p->r->ops->set_state(p->r->ctx, p->number, state);
	return true;
}
