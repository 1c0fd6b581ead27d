/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rstp - the rapid spanning tree of one VLAN (IEEE 802.1D-2004 clause 17)
 *
 * An engine: BPDUs, events and the time go in, BPDUs and port states come out
 * through struct rstp_ops. Where there are several VLANs each has a struct
 * rstp of its own, which costs nothing between its hellos.
 *
 * Time is monotonic, in ns, and read by the caller. Timers end only in
 * rstp_tick(), so a caller that was late first feeds what arrived meanwhile.
 * Hellos of one instance leave together, those of different VLANs (@vid)
 * spread over a second, in at most RSTP_SLOTS different instants.
 *
 * Functions return 0 or -errno: -ENXIO no such port, -EEXIST it was added
 * before, -EINVAL a number out of range, -ENOMEM.
 *
 * Beyond the standard: BPDU guard, root guard (restrictedRole of 802.1Q), a
 * limit on what a port may receive, a port that hears itself is blocked, VDE
 * 2's dialect (rstp_bpdu.h, rstp_port.c), what keeps a dead root from being
 * believed in (settle() in rstp_role.c, may_send_at() in rstp_tx.c), and frames
 * from arriving twice (drain() in rstp_port.c).
 */
#ifndef SWITCH_RSTP_H
#define SWITCH_RSTP_H

#include "switch/rstp_bpdu.h"

#define RSTP_SLOTS 100
#define RSTP_COST_MAX 200000000 /* Table 17-3 */
#define RSTP_PRIORITY_DEFAULT 0x80 /* of a port, Table 17-2 */

struct rstp;

enum rstp_state {
	RSTP_DISCARDING,
	RSTP_LEARNING,
	RSTP_FORWARDING,
	RSTP_N_STATES
};

/* What the neighbours on a port speak, as far as they were heard. */
enum rstp_peer {
	RSTP_PEER_RSTP,
	RSTP_PEER_STP,
	RSTP_PEER_VDE2,
	RSTP_N_PEERS
};

const char *rstp_role_name(enum rstp_role);
const char *rstp_state_name(enum rstp_state);
const char *rstp_peer_name(enum rstp_peer);

enum rstp_event_type {
	RSTP_NEW_ROOT, /* another root bridge, or another way there */
	RSTP_TOPOLOGY_CHANGE, /* detected on this port, or heard of on it */
	RSTP_NEW_PEER, /* the port's neighbours speak something else */
	RSTP_BPDU_GUARD, /* a BPDU disabled the port; @on false: forgiven */
	RSTP_ROOT_GUARD, /* the port is blocked for what it claims */
	RSTP_LOOPED, /* the port hears itself and is blocked */
	RSTP_N_EVENTS
};
const char *rstp_event_name(enum rstp_event_type);

struct rstp_event {
	enum rstp_event_type type;
	int port; /* -1: of the whole bridge */
	bool on; /* of guards and loops: begins or ends; of changes: not one
		  * that was heard of already, as far as that can be told */
};

/* Called from within the functions below, which must not be called from
 * there; those that only look may. */
struct rstp_ops {
	/* Sends a BPDU, an untagged frame; tag and padding are the caller's. */
	void (*transmit)(void *ctx, unsigned int port, const uint8_t *frame,
			 size_t len);
	/* A new port is discarding; this tells every change from then on. */
	void (*set_state)(void *ctx, unsigned int port, enum rstp_state);
	/* Forgets the addresses learned on a port. */
	void (*flush)(void *ctx, unsigned int port);
	void (*event)(void *ctx, const struct rstp_event *);
};

struct rstp_params {
	uint8_t hello_s; /* 1 to 10; the standard ends at 2 */
	uint8_t max_age_s; /* 6 to 40 */
	uint8_t forward_delay_s; /* 4 to 30 */
	uint8_t tx_hold; /* BPDUs of a port at once, and in a second; to 10 */
	bool stp; /* as a bridge of 802.1D-1998 does (17.13.4) */
};
/* Table 17-1 */
#define RSTP_PARAMS_DEFAULT ((struct rstp_params){ 2, 20, 15, 6, false })

struct rstp_config {
	const struct rstp_ops *ops; /* outlives the instance */
	void *ctx;
	uint64_t bridge; /* identifier: priority in 16 bits, address in 48 */
	unsigned int vid;
	struct rstp_params params;
};

struct rstp_port_config {
	uint32_t path_cost; /* 1 to RSTP_COST_MAX */
	uint8_t priority; /* a multiple of 16 */
	bool enabled;
	bool admin_edge; /* there is no bridge behind it */
	bool auto_edge; /* find out */
	bool point_to_point; /* one neighbour at most */
	bool bpdu_guard; /* nobody there may send BPDUs */
	bool root_guard; /* the root is not there */
};

/* NULL without memory or if the parameters are not valid. Without ports. */
struct rstp *rstp_new(const struct rstp_config *, uint64_t now);
/* Calls nothing: the ports' last states are the caller's to undo. */
void rstp_free(struct rstp *);

int rstp_set_bridge(struct rstp *, uint64_t bridge, uint64_t now);
/* 2 * (forward delay - 1) >= max age >= 2 * (hello + 1), 17.14. */
bool rstp_params_valid(const struct rstp_params *);
int rstp_set_params(struct rstp *, const struct rstp_params *, uint64_t now);

/* Calls from here to rstp_commit() that add or change ports have their effect
 * there, all at once: a thousand ports cost as much as one. A tick commits. */
void rstp_begin(struct rstp *);
void rstp_commit(struct rstp *, uint64_t now);

/* @number: the port's in the switch, up to 65535. Its identifier has room
 * for 12 bits of it; ports 4096 apart lose a tie-break, nothing else. The
 * link of a new port is down. */
int rstp_port_add(struct rstp *, unsigned int number,
		  const struct rstp_port_config *, uint64_t now);
/* Its state goes to discarding first. */
int rstp_port_del(struct rstp *, unsigned int number, uint64_t now);
int rstp_port_configure(struct rstp *, unsigned int number,
			const struct rstp_port_config *, uint64_t now);
/* A port that BPDU guard has disabled is forgiven when its link goes down, or
 * when the guard is taken away. */
int rstp_port_set_link(struct rstp *, unsigned int number, bool up,
		       uint64_t now);
/* BPDU guard, if the port has it, disables it: there was a BPDU in the tree of
 * another VLAN. */
int rstp_port_violate(struct rstp *, unsigned int number, uint64_t now);
/* Tries RSTP again on a port that fell back to STP (17.19.13). */
int rstp_port_mcheck(struct rstp *, unsigned int number, uint64_t now);

/* A frame to RSTP_BPDU_ADDR, without its tag, that arrived on a port.
 * -EBADMSG if it is no valid BPDU, -EBUSY if the port had too many. */
int rstp_receive(struct rstp *, unsigned int number, const uint8_t *frame,
		 size_t len, uint64_t now);

/* When rstp_tick() has something to do, in ns; 0: nothing to wait for. May
 * be too early, and changes with every call of the functions above. */
uint64_t rstp_next(const struct rstp *);
/* Ends timers; returns rstp_next(). */
uint64_t rstp_tick(struct rstp *, uint64_t now);

/* ---- looking ---- */

struct rstp_info {
	uint64_t bridge;
	uint64_t root; /* own identifier: this bridge is the root */
	uint64_t designated; /* next bridge towards the root, 0: none */
	uint32_t root_cost;
	int root_port; /* number, -1: none */
	struct rstp_times times; /* the root's, message age a hop's */
	uint64_t heard; /* ns, when the root was last heard of; as root: when
			 * it became that */
	uint64_t changed; /* ns, last topology change, 0: none */
	uint64_t changes; /* topology changes */
	unsigned int n_ports;
	struct rstp_params params;
};

struct rstp_port_info {
	unsigned int number;
	enum rstp_role role;
	enum rstp_state state;
	enum rstp_peer peer;
	struct rstp_port_config config;
	bool link;
	bool edge; /* as it turned out */
	bool violated; /* disabled by BPDU guard */
	bool root_blocked; /* blocked by root guard */
	bool looped;
	uint16_t id;
	uint64_t root; /* port priority vector, 17.19.21 */
	uint32_t root_cost;
	uint64_t designated_bridge;
	uint16_t designated_port;
	uint64_t rx[RSTP_N_KINDS], tx[RSTP_N_KINDS];
	uint64_t rx_bad; /* not valid */
	uint64_t rx_excess; /* beyond the limit */
	uint64_t changes; /* topology changes, detected and heard of */
	uint64_t forwards; /* how often it began to forward */
};

void rstp_get_info(const struct rstp *, struct rstp_info *);
int rstp_port_get_info(const struct rstp *, unsigned int number,
		       struct rstp_port_info *);
/* The lowest port at or above @from; -1: none. */
int rstp_port_next(const struct rstp *, unsigned int from);

#endif
