/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stp - the spanning trees of a switch: one for each VLAN that is defined
 *
 * An engine that joins two others: it hears from the bridge about ports,
 * VLANs and BPDUs, feeds the struct rstp of the VLAN that is meant, and sets
 * the bridge's states by what comes out. VLANs that are not defined, where the
 * switch is transparent, follow the tree of VLAN 0; their BPDUs are frames
 * like others.
 *
 * A port has a link while one of its endpoints has, and one neighbour at most
 * while it has no second one. Settings are kept here, for ports that exist or not,
 * connected or not, with spanning tree on or off: those of a port apply in
 * every VLAN; those of a port in a VLAN, and a VLAN's own, live as long as the
 * VLAN. A port that is removed takes its settings with it.
 *
 * Time is in ns and monotonic. Whoever owns this calls stp_tick() when
 * stp_next() has come, after the frames that arrived before.
 */
#ifndef SWITCH_STP_H
#define SWITCH_STP_H

#include "switch/bridge.h"
#include "switch/rstp.h"

#define STP_COST_DEFAULT 20000000 /* VDE 2's, for every port */
#define STP_PRIORITY_DEFAULT 0x8000 /* of the switch */

struct stp;

enum stp_event_type {
	STP_HEARD, /* the first BPDU since the link came; @on false: it went */
	STP_STATE, /* @state */
	STP_ROOT, /* another root, or another way there */
	STP_PEER, /* the neighbour speaks something else */
	STP_BPDU_GUARD, /* a BPDU disabled the port; @on false: forgiven */
	STP_ROOT_GUARD, /* blocked for what it claims; @on false: no more */
	STP_LOOPED, /* the port hears itself; @on false: no more */
	STP_NO_MEMORY, /* the VLAN is blocked, or a port in it */
	STP_N_EVENTS
};

struct stp_event {
	enum stp_event_type type;
	unsigned int vlan;
	int port; /* -1: none */
	bool on;
	enum bridge_state state;
};

struct stp_ops {
	uint64_t (*now)(void *ctx);
	/* May only look. */
	void (*event)(void *ctx, const struct stp_event *);
};

enum stp_p2p {
	STP_P2P_AUTO, /* while it has one endpoint */
	STP_P2P_NO,
	STP_P2P_YES,
	STP_P2P_N_MODES
};
const char *stp_p2p_name(enum stp_p2p); /* "auto", "0", "1" */

/* Of a port in all VLANs. */
struct stp_port_config {
	bool auto_edge;
	bool bpdu_guard;
	bool root_guard;
	enum stp_p2p p2p;
};
#define STP_PORT_DEFAULT ((struct stp_port_config){ .auto_edge = true })

/* Of a port in one VLAN. The cost of the path is @cost - @bonus, in the range
 * that rstp.h has. */
struct stp_member_config {
	uint32_t cost;
	int32_t bonus;
	uint8_t priority; /* a multiple of 16 */
	bool edge;
};
#define STP_MEMBER_DEFAULT                                \
	((struct stp_member_config){ STP_COST_DEFAULT, 0, \
				     RSTP_PRIORITY_DEFAULT, false })

/* Off; NULL without memory. Both outlive it. */
struct stp *stp_new(struct bridge *, const struct stp_ops *, void *ctx);
/* Off first; before the bridge goes. */
void stp_free(struct stp *);

/* 0; -EBUSY: the switch is a hub. A switch that becomes a hub turns it off. */
int stp_set_on(struct stp *, bool on);
bool stp_is_on(const struct stp *);

/* 0: nothing to wait for. May be too early; changes with all that happens. */
uint64_t stp_next(const struct stp *);
void stp_tick(struct stp *, uint64_t now);

/* ---- settings ---- */

/* Of the whole switch. The priority replaces those of single VLANs. */
void stp_set_mac(struct stp *, uint64_t addr);
uint64_t stp_mac(const struct stp *);
void stp_set_priority(struct stp *, uint16_t priority);
uint16_t stp_priority(const struct stp *);
int stp_set_params(struct stp *, const struct rstp_params *);
struct rstp_params stp_params(const struct stp *);

/* -ENXIO: no such VLAN; -EINVAL: out of range; -ENOMEM. */
int stp_vlan_set_priority(struct stp *, unsigned int vid, uint16_t priority);
uint16_t stp_vlan_priority(const struct stp *, unsigned int vid);

int stp_port_set(struct stp *, unsigned int port,
		 const struct stp_port_config *);
struct stp_port_config stp_port_get(const struct stp *, unsigned int port);
int stp_member_set(struct stp *, unsigned int vid, unsigned int port,
		   const struct stp_member_config *);
struct stp_member_config stp_member_get(const struct stp *, unsigned int vid,
					unsigned int port);
/* Sets that member of its config only, and makes the port the one that
 * stp_bonus_port() names; -1: none was set. */
int stp_set_bonus(struct stp *, unsigned int vid, unsigned int port,
		  int32_t bonus);
int stp_bonus_port(const struct stp *, unsigned int vid);
/* The lowest port at or above @from that has settings of its own in that VLAN,
 * or in all; -1: none. */
int stp_member_next(const struct stp *, unsigned int vid, unsigned int from);
int stp_port_next(const struct stp *, unsigned int from);
/* Tries RSTP again on a port, or on all (-1), in every VLAN. */
void stp_mcheck(struct stp *, int port);

/* ---- looking ---- */

/* The tree of a VLAN; NULL while it has none. To be asked, not changed. */
const struct rstp *stp_tree(const struct stp *, unsigned int vid);
/* Priority and address of this bridge in that VLAN. */
uint64_t stp_bridge_id(const struct stp *, unsigned int vid);
/* When it was switched on or off. */
uint64_t stp_since(const struct stp *);

#endif
