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
	BRIDGE_PORT_UP,
	BRIDGE_PORT_DOWN,
	BRIDGE_ENDPOINT_NEW,
	BRIDGE_ENDPOINT_GONE,
	BRIDGE_ENDPOINT_DESCR,
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

struct bridge {
	struct port **ports; /* 0..numports */
	struct vlan *vlans[VLAN_NONE + 1];
	struct mactab *macs;
	struct frame_pool *pool;
	struct list touched; /* ports with frames to send */
	uint64_t copies; /* of frames, given to ports so far, */
	uint64_t segments; /* among them those made by cutting, */
	uint64_t uncut; /* and those that are to be cut by who gets them */
	uint64_t queued; /* bytes of frames that wait for slow endpoints */
	struct list holding; /* ports that hold senders back, oldest first */
	size_t words; /* of every bitmap of ports */
	uint64_t *active; /* ports with endpoints */
	unsigned int numports;
	unsigned int n_vlans; /* besides VLAN 0 */
	bool hub;
	bool transparent; /* what vlan_mode and n_vlans come to */
	enum bridge_vlan_mode vlan_mode;
	uint32_t queue_limit; /* of new endpoints */
	uint32_t gc_s; /* seconds between searches for expired addresses */
	unsigned int events; /* 1 << type of what notify wants to hear */
	void (*notify)(void *ctx, const struct bridge_event *);
	void *notify_ctx;
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
void bridge_input(struct port *p, struct frame *, enum vlan_form, uint64_t now,
		  struct port **full);
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
struct endpoint *bridge_endpoint(const struct port *, uint32_t id);

/* ---- VLANs ---- */

void bridge_set_vlan_mode(struct bridge *, enum bridge_vlan_mode);
int bridge_vlan_create(struct bridge *, unsigned int vid);
int bridge_vlan_remove(struct bridge *, unsigned int vid);
int bridge_vlan_add_port(struct bridge *, unsigned int vid, unsigned int id);
int bridge_vlan_del_port(struct bridge *, unsigned int vid, unsigned int id);
/* @vid VLAN_NONE: the port takes no untagged frames. */
int bridge_port_set_vlan(struct bridge *, unsigned int id, unsigned int vid);

#endif
