/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rstp_sim - bridges, LANs and a clock, for tests of the spanning tree
 *
 * Frames take the delay of their LAN and keep their order. Time goes from
 * event to event. After every change of a port's state the forwarding ports
 * of all bridges together are looked at: a LAN or a bridge that can be
 * reached in two ways is a loop, and the time that loops last is counted.
 *
 * Bridges can also be made to say something, which is forwarded as the states
 * are when it arrives; one that hears the same twice is noted. So is what was
 * on its way while the tree changed.
 *
 * Three kinds of bridges: ours; ours as an STP bridge, which is deaf to RST
 * BPDUs; and a model of VDE 2's, as compat tests have shown it to behave.
 */
#ifndef TESTS_RSTP_SIM_H
#define TESTS_RSTP_SIM_H

#include "switch/rstp.h"

#define SIM_BRIDGES 24
#define SIM_LANS 80
#define SIM_PORTS 16 /* of a bridge, from 1; and of a LAN */
#define SIM_WORDS 65536 /* what a bridge may say */
#define SIM_MS UINT64_C(1000000)
#define SIM_SEC (1000 * SIM_MS)

enum sim_kind {
	SIM_RSTP,
	SIM_STP,
	SIM_VDE2
};

struct sim_lan;
struct sim_bridge;
struct vde2;

struct sim_port {
	struct sim_bridge *bridge; /* NULL: not there */
	struct sim_lan *lan;
	unsigned int number;
	struct rstp_port_config config;
	enum rstp_state state;
	bool up;
	unsigned int flushes;
	unsigned int sent;
};

struct sim_bridge {
	struct sim *sim;
	const char *name;
	enum sim_kind kind;
	uint64_t id;
	struct rstp_params params;
	struct rstp *rstp; /* NULL: it is dead, or VDE 2's */
	struct vde2 *vde2;
	bool alive;
	struct sim_port ports[SIM_PORTS];
	unsigned int events[RSTP_N_EVENTS];
	uint64_t said; /* how much so far */
	uint64_t heard[SIM_BRIDGES][SIM_WORDS / 64]; /* of whom which */
};

struct sim_lan {
	const char *name;
	struct sim_port *ports[SIM_PORTS];
	unsigned int n_ports;
	bool up;
	bool mute; /* loses everything, and nobody sees it */
	uint64_t delay;
};

struct sim_frame {
	uint64_t due, seq;
	struct sim_port *to;
	const struct sim_bridge *from; /* NULL: a BPDU */
	uint64_t word;
	size_t len;
	uint8_t bytes[RSTP_FRAME_MAX + 11];
};

struct sim {
	uint64_t now;
	struct sim_bridge bridges[SIM_BRIDGES];
	unsigned int n_bridges;
	struct sim_lan lans[SIM_LANS];
	unsigned int n_lans;
	struct sim_frame *frames; /* a heap, the first due on top */
	size_t n_frames, room;
	uint64_t seq;
	bool looped; /* now */
	uint64_t loop_since, loop_time, first_loop;
	uint64_t talk_period, talk_late, talk_at; /* 0: nobody talks */
	unsigned int twice; /* frames that a bridge had heard already */
	uint64_t first_twice;
};

struct sim *sim_new(void);
void sim_free(struct sim *);

/* Names stay the caller's. Comes up with its ports. */
struct sim_bridge *sim_bridge_add(struct sim *, const char *name, enum sim_kind,
				  uint64_t id, const struct rstp_params *);
struct sim_lan *sim_lan_add(struct sim *, const char *name, uint64_t delay);
/* Plugs a new port in; its link is up if the LAN is. */
struct sim_port *sim_attach(struct sim_lan *, struct sim_bridge *,
			    unsigned int number,
			    const struct rstp_port_config *);
void sim_configure(struct sim_port *, const struct rstp_port_config *);
/* What an ordinary port of VDE has. */
struct rstp_port_config sim_port_defaults(void);

void sim_lan_set(struct sim *, struct sim_lan *, bool up);
void sim_lan_mute(struct sim *, struct sim_lan *, bool mute);
void sim_kill(struct sim *, struct sim_bridge *);
void sim_revive(struct sim *, struct sim_bridge *);
void sim_inject(struct sim_port *, const uint8_t *frame, size_t len);

/* Every live bridge says something every @period; it takes @late longer than a
 * BPDU on each LAN, as it queues up. 0: silence. */
void sim_talk(struct sim *, uint64_t period, uint64_t late);

/* When something happens next; UINT64_MAX: never. */
uint64_t sim_next(const struct sim *);
/* Everything that happens until then. */
void sim_run_until(struct sim *, uint64_t then);

/* ---- questions ---- */

/* Groups of bridges that can reach each other: over LANs that work, through
 * all ports or through forwarding ones only. Dead ones are alone. */
void sim_groups(const struct sim *, bool forwarding,
		unsigned int group[static SIM_BRIDGES]);
/* Every two live bridges that could reach each other do. */
bool sim_connected(const struct sim *);
/* Best root and cost for each bridge, by shortest path; false where a live
 * bridge of ours knows something else. */
bool sim_matches_oracle(const struct sim *);

#endif
