/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stp_impl - what the files of the spanning trees of a switch share, and nobody
 * else: stp.c has the trees and what makes them move, stp_bridge.c what they do
 * to the bridge, stp_config.c what was set for them
 *
 * Every use of a tree is followed by stp_note_due(), and every function that
 * reaches one ends in stp_settle().
 */
#ifndef SWITCH_STP_IMPL_H
#define SWITCH_STP_IMPL_H

#include "switch/stp.h"

#define NEVER UINT64_MAX
#define N_VLANS (BRIDGE_VLAN_LAST + 1)

/* What is set for a port in a VLAN, and is not the default. */
struct stp_setting {
	unsigned int port;
	struct stp_member_config config;
};

struct stp_vlan {
	struct stp *stp;
	struct list node; /* in stp->trees while there is one: */
	struct rstp *rstp; /* NULL: spanning tree is off, or there is no
			    * memory for it */
	unsigned int vid;
	uint16_t priority;
	int bonus_port;
	struct stp_setting *settings; /* by port */
	unsigned int n_settings;
	size_t words; /* of these, which hold every port of the tree: */
	uint64_t *heard; /* ports where BPDUs came in since their link is up */
	uint64_t *flush; /* ports whose addresses are to be forgotten */
};

struct stp {
	struct bridge *br;
	const struct stp_ops *ops;
	void *ctx;
	struct bridge_listener listener;
	struct bridge_proto proto;
	bool on;
	uint64_t since;
	uint64_t mac;
	uint16_t priority;
	struct rstp_params params;
	struct list trees; /* of struct stp_vlan */
	uint64_t next; /* nothing is due before */
	uint64_t due[N_VLANS]; /* of the VLANs' trees, NEVER: nothing */
	struct stp_vlan *vlans[N_VLANS]; /* if there is anything to know */
	unsigned int n_flush; /* bits in their flush sets, */
	struct stp_vlan *flush_vlan; /* the first of which was set here: */
	unsigned int flush_port;
	uint64_t flush_paid; /* passes over the table are paid for then, */
	uint64_t flush_at; /* and the next one may be made then */
	uint8_t ports[BRIDGE_PORTS_MAX + 1]; /* encode() */
	/* Ports that BPDU guard has disabled, in every VLAN. */
	uint64_t violated[BITS_WORDS(BRIDGE_PORTS_MAX + 1)];
	bool spread; /* one was disabled in one tree only, as yet */
};

static inline uint64_t stp_time(const struct stp *s)
{
	return s->ops->now(s->ctx);
}

/* stp.c */
/* The tree was used: when does it want to be called? */
void stp_note_due(const struct stp_vlan *);

/* stp_bridge.c */
extern const struct rstp_ops stp_rstp_ops;
/* An event without more to say; @port -1: none. */
void stp_tell(const struct stp_vlan *, enum stp_event_type type, int port,
	      bool on);
/* Frames of the tree take another way: who is in which group has to be found
 * out anew, of a port that begins to forward or (-1) of all. */
void stp_tell_mcast(const struct stp_vlan *, int port);
/* Whatever it costs. */
void stp_flush_now(struct stp *);
/* Forgets the addresses that trees asked to forget, in one pass over the table
 * however many they are; or in stp_tick(), when there were many passes. */
void stp_settle(struct stp *);

/* stp_config.c */
/* What is known of a VLAN that exists; NULL without memory. */
struct stp_vlan *stp_vlan_know(struct stp *, unsigned int vid);
void stp_setting_del(struct stp_vlan *, unsigned int port);
/* How many a port has. @leaving: one that is as good as gone, or NULL. */
unsigned int stp_endpoints(const struct port *, const struct endpoint *leaving);
/* All that a tree has to know of a port. */
struct rstp_port_config stp_rstp_config(const struct stp_vlan *,
					const struct port *,
					const struct endpoint *leaving);
/* Tells it every tree. */
void stp_configure_all(struct stp *, const struct port *,
		       const struct endpoint *leaving);

#endif
