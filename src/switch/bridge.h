/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bridge - the forwarding core: ports, VLANs and addresses put together
 *
 * An engine: no descriptor, no clock, no log. Transports call port_rx_take(),
 * the console changes the tables, the program calls bridge_flush() before it
 * sleeps. Functions that change something return 0 or -errno, with the codes
 * that VDE 2's console answers:
 *
 *   -EINVAL  a number out of range      -ENXIO       no such port or VLAN
 *   -EEXIST  it exists already          -EADDRINUSE  it is in use
 *   -ENOSPC  no free port               -ENOMEM      no memory
 *
 * A switch is VLAN-transparent until somebody creates a VLAN: tagged frames
 * of VLANs that are not defined pass with their tags, learned per VLAN id
 * (BRIDGE_VLAN_AUTO). BRIDGE_VLAN_STRICT drops them, as VDE 2 does;
 * BRIDGE_VLAN_TRANSPARENT passes them even beside defined VLANs. Frames of a
 * defined VLAN always follow its membership.
 */
#ifndef SWITCH_BRIDGE_H
#define SWITCH_BRIDGE_H

#include "base/bits.h"
#include "base/list.h"
#include "switch/mactab.h"
#include "switch/port.h"
#include "switch/vlan.h"

#define BRIDGE_PORTS_MAX 16384 /* besides port 0 */
#define BRIDGE_VLAN_LAST 4093 /* what VDE 2's console can create */
#define BRIDGE_DEFAULT_QLEN 128

enum bridge_vlan_mode {
	BRIDGE_VLAN_AUTO,
	BRIDGE_VLAN_STRICT,
	BRIDGE_VLAN_TRANSPARENT,
	BRIDGE_VLAN_N_MODES
};
const char *bridge_vlan_mode_name(enum bridge_vlan_mode);

enum bridge_event_type {
	BRIDGE_MAC_NEW,
	BRIDGE_MAC_GONE,
	BRIDGE_MAC_MOVED, /* from port_old to port */
	BRIDGE_MAC_REFUSED, /* on port: sticky on port_old, or one too many */
	BRIDGE_PORT_UP,
	BRIDGE_PORT_DOWN,
	BRIDGE_ENDPOINT_NEW,
	BRIDGE_ENDPOINT_GONE,
	BRIDGE_ENDPOINT_DESCR,
	BRIDGE_LINK, /* an endpoint's link came or went */
	BRIDGE_PORT_CREATED,
	BRIDGE_PORT_REMOVED, /* is about to be */
	BRIDGE_VLAN_CREATED,
	BRIDGE_VLAN_REMOVED, /* is about to be; it has no members */
	BRIDGE_MEMBER, /* the port joined or left the VLAN, or its tag did */
	BRIDGE_HUB, /* became one, or a switch again */
	BRIDGE_N_EVENTS
};

struct bridge_event {
	enum bridge_event_type type;
	unsigned int port;
	unsigned int port_old;
	unsigned int vlan;
	uint64_t addr;
	const struct endpoint *ep;
};

/* Who hears of them. He may end himself from inside, nobody else. */
struct bridge_listener {
	struct list node;
	unsigned int events; /* 1 << BRIDGE_MAC_NEW and so on */
	void (*fn)(struct bridge_listener *, const struct bridge_event *);
};

/* A protocol that the switch itself takes part in. */
struct bridge_proto {
	struct list node;
	uint64_t addr; /* the group address of its frames */
	/* A frame whose VLAN is known, its tag beside its bytes, @tagged if it
	 * had one. True: it goes no further. */
	bool (*input)(struct bridge_proto *, struct port *, struct frame *,
		      bool tagged);
};

/* Of a port in the spanning tree of a VLAN. */
enum bridge_state {
	BRIDGE_DISCARDING,
	BRIDGE_LEARNING,
	BRIDGE_FORWARDING
};

struct mcast;

struct bridge {
	struct port **ports; /* 0..numports */
	struct vlan *vlans[VLAN_NONE + 1];
	struct mactab *macs;
	struct frame_pool *pool;
	uint64_t now; /* ns, of the frames that are being taken */
	struct list touched; /* ports with frames to send */
	struct list hooks; /* struct frame_hook, by rank */
	struct list protos;
	struct mcast *mcast; /* which ports want a group, NULL: all do */
	uint64_t copies; /* of frames, given to ports so far, */
	uint64_t segments; /* among them those made by cutting, */
	uint64_t uncut; /* and those that are to be cut by who gets them */
	uint64_t queued; /* bytes of frames that wait for slow endpoints */
	struct list holding; /* ports that hold senders back, oldest first */
	size_t words; /* of every bitmap of ports */
	uint64_t *active; /* ports with endpoints */
	uint64_t *usable; /* those that are not blocked */
	uint64_t *open; /* and forward in VLANs that are not defined */
	uint64_t changes; /* of @usable, so far */
	unsigned int numports;
	unsigned int n_vlans; /* besides VLAN 0 */
	bool hub;
	bool transparent; /* what vlan_mode and n_vlans come to */
	enum bridge_vlan_mode vlan_mode;
	uint32_t queue_limit; /* of new endpoints */
	uint32_t gc_s; /* seconds between searches for expired addresses */
	struct list listeners;
	unsigned int events; /* what any of them wants to hear */
};

struct bridge_config {
	unsigned int numports;
	size_t hash_size; /* addresses to make room for at first */
	uint64_t secret; /* random; keys the address table */
	bool hub;
	size_t pool_frames; /* bound on frames in flight */
};

/* NULL without memory. */
struct bridge *bridge_new(const struct bridge_config *);
/* Closes every endpoint. */
void bridge_free(struct bridge *);

/* One frame that arrived on @p, its tag beside its bytes. If it went to one
 * port that has more waiting than it should, *@full is that port. */
void bridge_input(struct port *p, struct frame *, enum vlan_form,
		  struct port **full);
/* A frame of the switch itself, without tag, leaves by a port in its VLAN's
 * form; nothing that keeps frames from passing keeps this one, nor is it
 * padded. -ENXIO: the port is not active or not in the VLAN (a hub looks at
 * no VLAN), -ENOBUFS, -EINVAL: no length of a frame. */
int bridge_originate(struct bridge *, unsigned int port, unsigned int vid,
		     const uint8_t *bytes, size_t len);
/* The order in which they were added is that in which they are asked. */
void bridge_proto_add(struct bridge *, struct bridge_proto *);
void bridge_proto_del(struct bridge *, struct bridge_proto *);

/* Adds a listener, or takes note that its @events have changed. */
void bridge_listen(struct bridge *, struct bridge_listener *);
/* Legal for one that was not added, too, if it is zeroed. */
void bridge_unlisten(struct bridge *, struct bridge_listener *);

/* Sends what gathered in this turn. */
void bridge_flush(struct bridge *);
/* Forgets idle addresses. Returns when to call again (ns), 0: not needed
 * before another address is learned. */
uint64_t bridge_expire(struct bridge *, uint64_t now);

/* ---- ports ---- */

struct port *bridge_port(const struct bridge *, unsigned int id); /* or NULL */
int bridge_port_create(struct bridge *, unsigned int id);
/* The lowest free number; returns it or -ENOSPC. */
int bridge_port_create_auto(struct bridge *);
int bridge_port_remove(struct bridge *, unsigned int id);
/* The number that @user gets when asking for port @want, or for any (-1);
 * that port may not exist yet. -EINVAL out of range, -EACCES, -ENOSPC. */
int bridge_port_for(const struct bridge *, int want, const struct port_user *);
int bridge_set_numports(struct bridge *, unsigned int n);
void bridge_set_hub(struct bridge *, bool hub);

/* Plugs @ep in or out. In: port @id, in range, is created if need be; 0 or
 * -ENOMEM. Out: its transport's close() has been called when this returns; the
 * port stays. */
int bridge_attach(struct bridge *, unsigned int id, struct endpoint *);
void bridge_detach(struct endpoint *);
/* Some endpoints know whether somebody is at their other end; one that is plugged
 * in has a link unless its @no_link is set. */
void bridge_set_link(struct endpoint *, bool link);
struct endpoint *bridge_endpoint(const struct port *, uint32_t id);

/* ---- VLANs ---- */

void bridge_set_vlan_mode(struct bridge *, enum bridge_vlan_mode);
int bridge_vlan_create(struct bridge *, unsigned int vid);
int bridge_vlan_remove(struct bridge *, unsigned int vid);
int bridge_vlan_add_port(struct bridge *, unsigned int vid, unsigned int id);
int bridge_vlan_del_port(struct bridge *, unsigned int vid, unsigned int id);
/* @vid VLAN_NONE: the port takes no untagged frames. */
int bridge_port_set_vlan(struct bridge *, unsigned int id, unsigned int vid);

/* ---- who takes part ---- */

/* With its gate on, a VLAN's ports forward as bridge_set_state() says, and are
 * discarding at first; without it all do. Frames of VLANs that are not defined
 * follow VLAN 0. -EINVAL, -ENXIO: no such VLAN. */
int bridge_gate(struct bridge *, unsigned int vid, bool on);
/* Both must exist and the gate be on; says nothing of learned addresses. */
void bridge_set_state(struct bridge *, unsigned int vid, unsigned int port,
		      enum bridge_state);
/* Forwarding without a gate. */
enum bridge_state bridge_get_state(const struct bridge *, unsigned int vid,
				   unsigned int port);
/* Holds a port down, in all VLANs and also in a hub: only frames of protocols
 * come in, only those of bridge_originate() go out. */
void bridge_block(struct bridge *, unsigned int port, bool on);
/* Isolated ports do not reach one another. */
void bridge_isolate(struct bridge *, unsigned int port, bool on);

#endif
