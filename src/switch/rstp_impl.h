/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rstp_impl - what the files of the spanning tree share, and nobody else
 *
 *   rstp.c       instances, ports, timers, the order in which machines run
 *   rstp_info.c  names and questions
 *   rstp_port.c  machines of one port: receive, information, migration,
 *                edge detection, states
 *   rstp_tx.c    machines of one port: topology change, transmit
 *   rstp_role.c  role selection and role transitions: the tree
 *
 * Names are those of 802.1D-2004 in this tree's spelling: rcvdInfoWhile is
 * RCVD_INFO_WHILE, updtRolesTree() is updt_roles_tree(). Numbers in comments
 * are its clauses.
 *
 * A machine is a function that makes one transition of one port and says
 * whether it did. Machines run until none has anything to do (rstp.c), so
 * conditions that hold from then on need no state of their own:
 *
 *   reselect and selected (17.19.34, .36) are one flag of the bridge, because
 *   roles are selected for all ports at once, before anything else runs;
 *   the state of Port Information is told by info_is, that of Bridge
 *   Detection by oper_edge, that of Port State Transition by learning and
 *   forwarding, that of Port Role Transitions by role, learning, forwarding.
 */
#ifndef SWITCH_RSTP_IMPL_H
#define SWITCH_RSTP_IMPL_H

#include "base/list.h"
#include "switch/rstp.h"

#define SEC UINT64_C(1000000000)
#define MIGRATE_TIME (3 * RSTP_SECOND) /* Table 17-1 */

/* Ours: settle() of rstp_role.c, drain() of rstp_port.c */
#define SETTLE_TIME (SEC / 25)
#define DRAIN_TIME (3 * SEC / 100)

/* 17.17. A timer is the time when it ends, 0 when it has. HELD is one that
 * the standard sets anew in every tick while a role lasts. */
enum rstp_timer {
	EDGE_DELAY_WHILE,
	FD_WHILE,
	HELLO_WHEN,
	MDELAY_WHILE,
	RB_WHILE,
	RCVD_INFO_WHILE,
	RR_WHILE,
	TC_WHILE,
	LOOPED_WHILE, /* ours: heard itself */
	RSTP_N_TIMERS
};
#define HELD UINT64_MAX

/* 17.5, 17.6: less is better, members in the order of their weight. */
struct rstp_vector {
	uint64_t root;
	uint32_t cost;
	uint64_t bridge;
	uint16_t port;
	uint16_t rx_port;
};

enum rstp_info_is { /* 17.19.10 */
	INFO_DISABLED,
	INFO_AGED,
	INFO_MINE,
	INFO_RECEIVED
};

enum rstp_rcvd_info { /* 17.21.8 */
	SUPERIOR_DESIGNATED_INFO,
	REPEATED_DESIGNATED_INFO,
	INFERIOR_DESIGNATED_INFO,
	INFERIOR_ROOT_ALTERNATE_INFO,
	OTHER_INFO
};

enum rstp_ppm_state { /* 17.24 */
	PPM_CHECKING_RSTP,
	PPM_SELECTING_STP,
	PPM_SENSING
};

enum rstp_tcm_state { /* 17.31 */
	TCM_INACTIVE,
	TCM_LEARNING,
	TCM_ACTIVE
};

struct rstp_port {
	struct rstp *r;
	struct list dirty; /* in r->dirty, or r->touched, or nowhere */
	uint16_t number;
	uint16_t port_id;
	enum rstp_role role, selected_role;
	enum rstp_info_is info_is;
	enum rstp_ppm_state ppm;
	enum rstp_tcm_state tcm;
	uint64_t timer[RSTP_N_TIMERS];
	uint64_t deadline; /* of the first to end, HELD: none */

	/* 17.19 */
	bool agree, agreed, disputed, fdb_flush, forward, forwarding, learn,
		learning, mcheck, new_info, oper_edge, port_enabled, proposed,
		proposing, rcvd_msg, rcvd_rstp, rcvd_stp, rcvd_tc, rcvd_tc_ack,
		rcvd_tcn, re_root, send_rstp, sync, synced, tc_ack, tc_prop,
		updt_info;
	bool link, violated, root_blocked, looped, dialect, urgent;

	struct rstp_vector designated_priority, port_priority, msg_priority;
	struct rstp_times designated_times, port_times, msg_times;
	struct rstp_bpdu msg; /* the one that rcvd_msg is about */

	/* Leaky buckets: when they will be empty. */
	uint64_t tx_empty; /* txCount (17.19.44), one leaks in 1 / tx_hold s */
	uint64_t rx_empty;

	struct rstp_port_config config;
	uint64_t rx[RSTP_N_KINDS], tx[RSTP_N_KINDS];
	uint64_t rx_bad, rx_excess, changes, forwards;
};

struct rstp {
	const struct rstp_ops *ops;
	void *ctx;
	unsigned int vid;
	uint64_t now;
	uint64_t next; /* no timer ends before; HELD: none runs */
	struct rstp_params params;

	uint64_t bridge; /* BridgeIdentifier, 17.18.2 */
	struct rstp_times bridge_times; /* 17.18.4 */
	struct rstp_vector root_priority; /* 17.18.6 */
	struct rstp_times root_times; /* 17.18.7 */
	struct rstp_port *root_port; /* rootPortId, 17.18.5 */

	struct rstp_vector lost; /* a way to a root, and what it was */
	uint64_t lost_at; /* when it was lost; 0: never */
	uint64_t settled_at; /* when it is forgotten, 0: it is */
	uint64_t drained_at; /* what went ways that are blocked now has
			      * arrived by then; 0: it has */

	bool batch; /* rstp_begin() */
	bool reselect; /* roles are to be selected */
	bool sweep; /* all ports are to be looked at */
	struct list dirty; /* ports whose machines have something to do */
	struct list touched; /* ports whose machines ran */

	struct rstp_port **ports; /* by number */
	unsigned int n_ports, room;

	uint64_t heard, changed, changes;
};

static inline bool running(const struct rstp_port *p, enum rstp_timer t)
{
	return p->timer[t] != 0;
}

static inline void stop(struct rstp_port *p, enum rstp_timer t)
{
	p->timer[t] = 0;
}

static inline void hold(struct rstp_port *p, enum rstp_timer t)
{
	p->timer[t] = HELD;
}

static inline uint64_t time_ns(unsigned int units)
{
	return units * (SEC / RSTP_SECOND);
}

/* Ends @units of 1/256 s from now; later than now, whatever a peer's times
 * may be. */
static inline void start(struct rstp_port *p, enum rstp_timer t,
			 unsigned int units)
{
	p->timer[t] = p->r->now + time_ns(units ? units : 1);
}

static inline bool rstp_version(const struct rstp *r) /* 17.20.11 */
{
	return !r->params.stp;
}

/* 17.20.5 */
static inline uint16_t forward_delay(const struct rstp_port *p)
{
	return p->send_rstp ? p->designated_times.hello
			    : p->designated_times.forward_delay;
}

/* 17.20.4 */
static inline unsigned int edge_delay(const struct rstp_port *p)
{
	return p->config.point_to_point ? MIGRATE_TIME
					: p->designated_times.max_age;
}

static inline uint64_t address_of(uint64_t bridge)
{
	return bridge & UINT64_C(0xffffffffffff);
}

/* rstp.c */
/* Where the port is among the others, or would be. */
unsigned int rstp_port_index(const struct rstp *, unsigned int number);
struct rstp_port *rstp_port_find(const struct rstp *, unsigned int number);
int rstp_vector_cmp(const struct rstp_vector *, const struct rstp_vector *);
bool rstp_times_equal(const struct rstp_times *, const struct rstp_times *);
void rstp_tell(struct rstp *, enum rstp_event_type, const struct rstp_port *,
	       bool on);

/* rstp_port.c, rstp_tx.c: machines, and what makes them run. Those that return
 * bool made a transition; the port's others have to look again. */
void rstp_port_begin(struct rstp_port *);
void rstp_port_set_enabled(struct rstp_port *, bool enabled);
void rstp_port_receive(struct rstp_port *, const struct rstp_bpdu *);
bool rstp_port_protocol_migration(struct rstp_port *);
bool rstp_bridge_detection(struct rstp_port *);
bool rstp_port_information(struct rstp_port *);
bool rstp_port_state_transition(struct rstp_port *);
bool rstp_topology_change(struct rstp_port *);
void rstp_port_transmit(struct rstp_port *);
/* When rstp_port_transmit() may send what it could not; HELD: nothing waits. */
uint64_t rstp_port_transmit_again(const struct rstp_port *);

/* rstp_role.c */
void rstp_port_role_selection(struct rstp *);
bool rstp_port_role_transitions(struct rstp_port *);

#endif
