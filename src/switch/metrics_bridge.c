// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics of the bridge: the switch as a whole, ports, endpoints, VLANs.
 */
#include "base/ether.h"
#include "switch/cmd.h"
#include "switch/metrics_sets.h"

/* ---- what there is one of ---- */

static void info(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	char addr[ETHER_STRLEN];

	metrics_label(m, "version", VDE_VERSION);
	metrics_label(m, "mac", ether_str(addr, sw->macaddr));
	metrics_value(m, 1);
}

static void uptime(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, (loop_now(sw->loop) - sw->started) / LOOP_SEC);
}

static void hub(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, sw->br->hub);
}

static void ports_max(struct metrics *m, const struct vswitch *sw,
		      uint64_t item)
{
	metrics_value(m, sw->br->numports);
}

static void vlans(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, sw->br->n_vlans + UINT64_C(1));
}

/* arg: where it is in struct bridge. */
static void bridge_field(struct metrics *m, const struct vswitch *sw,
			 uint64_t item)
{
	metrics_value_in(m, sw->br);
}

static void pool_frames(struct metrics *m, const struct vswitch *sw,
			uint64_t item)
{
	metrics_label(m, "state", "used");
	metrics_value(m, frame_pool_used(sw->br->pool));
	metrics_label(m, "state", "free");
	metrics_value(m, frame_pool_left(sw->br->pool));
}

static void pool_bytes(struct metrics *m, const struct vswitch *sw,
		       uint64_t item)
{
	metrics_value(m, frame_pool_touched(sw->br->pool));
}

static void addresses(struct metrics *m, const struct vswitch *sw,
		      uint64_t item)
{
	metrics_value(m, mactab_used(sw->br->macs));
}

static void sticky(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, mactab_sticky(sw->br->macs));
}

static void slots(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, mactab_slots(sw->br->macs));
}

static void slots_max(struct metrics *m, const struct vswitch *sw,
		      uint64_t item)
{
	metrics_value(m, MACTAB_MAX_SLOTS);
}

/* arg: where it is in struct mactab_counters. */
static void address_counter(struct metrics *m, const struct vswitch *sw,
			    uint64_t item)
{
	metrics_value_in(m, mactab_counters(sw->br->macs));
}

#define IN_BRIDGE(field) bridge_field, offsetof(struct bridge, field)
#define IN_MACTAB(field) \
	address_counter, offsetof(struct mactab_counters, field)

/* clang-format off */
static const struct metric switch_rows[] = {
	{ "info", METRIC_GAUGE, "Version and address of the switch, always 1.", NULL, info, 0 },
	{ "uptime_seconds", METRIC_GAUGE, "Time since the start.", NULL, uptime, 0 },
	{ "hub", METRIC_GAUGE, "1: a hub.", NULL, hub, 0 },
	{ "ports_max", METRIC_GAUGE, "The highest number that a port may have.", NULL, ports_max, 0 },
	{ "vlans", METRIC_GAUGE, "VLANs that are defined, VLAN 0 included.", NULL, vlans, 0 },
	{ "copies_total", METRIC_COUNTER, "Copies of frames given to ports, each segment of one that is cut for itself.", NULL, IN_BRIDGE(copies) },
	{ "segments_total", METRIC_COUNTER, "Copies among these that were made by cutting.", NULL, IN_BRIDGE(segments) },
	{ "uncut_total", METRIC_COUNTER, "Copies among these that are to be cut by who gets them.", NULL, IN_BRIDGE(uncut) },
	{ "queued_bytes", METRIC_GAUGE, "Bytes of frames that wait for slow endpoints.", NULL, IN_BRIDGE(queued) },
	{ "pool_frames", METRIC_GAUGE, "Buffers for frames.", NULL, pool_frames, 0 },
	{ "pool_bytes", METRIC_GAUGE, "Memory that these may occupy.", NULL, pool_bytes, 0 },
	{ "addresses", METRIC_GAUGE, "Addresses in the table.", NULL, addresses, 0 },
	{ "addresses_sticky", METRIC_GAUGE, "Addresses among these that stay on their ports.", NULL, sticky, 0 },
	{ "address_slots", METRIC_GAUGE, "Size of the address table.", NULL, slots, 0 },
	{ "address_slots_max", METRIC_GAUGE, "Size that it may grow to.", NULL, slots_max, 0 },
	{ "addresses_learned_total", METRIC_COUNTER, "Addresses learned that were not known.", NULL, IN_MACTAB(learned) },
	{ "addresses_moved_total", METRIC_COUNTER, "Addresses that moved to another port.", NULL, IN_MACTAB(moved) },
	{ "addresses_displaced_total", METRIC_COUNTER, "Addresses that gave way to others before they expired.", NULL, IN_MACTAB(displaced) },
	{ "addresses_refused_total", METRIC_COUNTER, "Addresses not learned because nothing could give way.", NULL, IN_MACTAB(refused) },
};
/* clang-format on */
const struct metric_set switch_metrics = { switch_rows,
					   ARRAY_SIZE(switch_rows) };

/* ---- ports ---- */

uint64_t metrics_next_port(const struct vswitch *sw, uint64_t from)
{
	for (; from <= sw->br->numports; from++)
		if (sw->br->ports[from])
			return from;
	return METRIC_END;
}

static void port_label(struct metrics *m, const struct port *p)
{
	metrics_label_num(m, "port", p->id);
}

static void port_up(struct metrics *m, const struct vswitch *sw, uint64_t port)
{
	port_label(m, sw->br->ports[port]);
	metrics_value(m, port_is_active(sw->br->ports[port]));
}

static void port_blocked(struct metrics *m, const struct vswitch *sw,
			 uint64_t port)
{
	port_label(m, sw->br->ports[port]);
	metrics_value(m, (sw->br->ports[port]->slow & PORT_BLOCKED) != 0);
}

static void port_addresses(struct metrics *m, const struct vswitch *sw,
			   uint64_t port)
{
	port_label(m, sw->br->ports[port]);
	metrics_value(m, mactab_count(sw->br->macs, (unsigned int)port));
}

/* arg: where it is in struct port. */
static void port_field(struct metrics *m, const struct vswitch *sw,
		       uint64_t port)
{
	const struct port *p = sw->br->ports[port];

	port_label(m, p);
	metrics_value_in(m, p);
}

static void port_drops(struct metrics *m, const struct vswitch *sw,
		       uint64_t port)
{
	const struct port *p = sw->br->ports[port];

	for (enum drop_reason r = 0; r < DROP_N_REASONS; r++) {
		port_label(m, p);
		metrics_label(m, "direction",
			      drop_reason_is_ingress(r) ? "in" : "out");
		metrics_label(m, "reason", drop_reason_name(r));
		metrics_value(m, p->drops[r]);
	}
}

#define IN_PORT(field) port_field, offsetof(struct port, field)

/* clang-format off */
static const struct metric port_rows[] = {
	{ "port_up", METRIC_GAUGE, "1: something is plugged in.", metrics_next_port, port_up, 0 },
	{ "port_blocked", METRIC_GAUGE, "1: held down, nothing passes.", metrics_next_port, port_blocked, 0 },
	{ "port_addresses", METRIC_GAUGE, "Addresses that are known on the port.", metrics_next_port, port_addresses, 0 },
	{ "port_receive_frames_total", METRIC_COUNTER, "Frames received; one that is to be cut counts as one.", metrics_next_port, IN_PORT(in_frames) },
	{ "port_receive_bytes_total", METRIC_COUNTER, "Bytes received.", metrics_next_port, IN_PORT(in_bytes) },
	{ "port_transmit_frames_total", METRIC_COUNTER, "Frames sent; one that is to be cut counts as one.", metrics_next_port, IN_PORT(out_frames) },
	{ "port_transmit_bytes_total", METRIC_COUNTER, "Bytes sent.", metrics_next_port, IN_PORT(out_bytes) },
	{ "port_cut_frames_total", METRIC_COUNTER, "Frames among these that had to be cut.", metrics_next_port, IN_PORT(cut) },
	{ "port_segments_total", METRIC_COUNTER, "Frames made by that.", metrics_next_port, IN_PORT(segments) },
	{ "port_drops_total", METRIC_COUNTER, "Frames dropped, by the reasons of port/drops.", metrics_next_port, port_drops, 0 },
};
/* clang-format on */
const struct metric_set port_metrics = { port_rows, ARRAY_SIZE(port_rows) };

/* ---- endpoints ---- */

static void endpoint_labels(struct metrics *m, const struct endpoint *ep)
{
	port_label(m, ep->port);
	metrics_label_num(m, "endpoint", ep->id);
}

static void endpoint_info(struct metrics *m, const struct vswitch *sw,
			  uint64_t port)
{
	list_for_each(it, &sw->br->ports[port]->endpoints) {
		const struct endpoint *ep = list_entry(it, struct endpoint,
						       node);

		endpoint_labels(m, ep);
		metrics_label(m, "transport", ep->tr->name);
		metrics_label(m, "description", ep->descr);
		metrics_value(m, 1);
	}
}

enum {
	QUEUE_FRAMES,
	QUEUE_BYTES,
	QUEUE_MAX
};

/* arg: which of these. */
static void queue(struct metrics *m, const struct vswitch *sw, uint64_t port)
{
	list_for_each(it, &sw->br->ports[port]->endpoints) {
		const struct endpoint *ep = list_entry(it, struct endpoint,
						       node);
		const uint64_t values[] = {
			[QUEUE_FRAMES] = ep->queue.count,
			[QUEUE_BYTES] = ep->queue.bytes,
			[QUEUE_MAX] = ep->queue.limit,
		};

		endpoint_labels(m, ep);
		metrics_value(m, values[m->row->arg]);
	}
}

/* clang-format off */
static const struct metric endpoint_rows[] = {
	{ "endpoint_info", METRIC_GAUGE, "What is plugged in, always 1.", metrics_next_port, endpoint_info, 0 },
	{ "endpoint_queue_frames", METRIC_GAUGE, "Frames that wait because it is slow.", metrics_next_port, queue, QUEUE_FRAMES },
	{ "endpoint_queue_bytes", METRIC_GAUGE, "Bytes of these.", metrics_next_port, queue, QUEUE_BYTES },
	{ "endpoint_queue_frames_max", METRIC_GAUGE, "Frames that may wait.", metrics_next_port, queue, QUEUE_MAX },
};
/* clang-format on */
const struct metric_set endpoint_metrics = { endpoint_rows,
					     ARRAY_SIZE(endpoint_rows) };

/* ---- VLANs ---- */

static uint64_t next_vlan(const struct vswitch *sw, uint64_t from)
{
	for (; from <= VLAN_MAX; from++)
		if (sw->br->vlans[from])
			return from;
	return METRIC_END;
}

static unsigned int count(const uint64_t *set, size_t words)
{
	unsigned int n = 0;

	for (size_t i = 0; i < words; i++)
		n += (unsigned int)__builtin_popcountll(set[i]);
	return n;
}

static void vlan_ports(struct metrics *m, const struct vswitch *sw,
		       uint64_t vid)
{
	const struct vlan *v = sw->br->vlans[vid];

	metrics_label_num(m, "vlan", v->id);
	metrics_label(m, "tagged", "0");
	metrics_value(m, count(v->untagged, sw->br->words));
	metrics_label_num(m, "vlan", v->id);
	metrics_label(m, "tagged", "1");
	metrics_value(m, count(v->tagged, sw->br->words));
}

/* v->flood may not be up to date. */
static void vlan_open(struct metrics *m, const struct vswitch *sw, uint64_t vid)
{
	const struct bridge *br = sw->br;
	const struct vlan *v = br->vlans[vid];
	unsigned int n = 0;

	for (size_t i = 0; i < br->words; i++) {
		uint64_t set = (v->tagged[i] | v->untagged[i]) & br->usable[i];

		if (v->gated)
			set &= v->forwarding[i];
		n += (unsigned int)__builtin_popcountll(set);
	}
	metrics_label_num(m, "vlan", v->id);
	metrics_value(m, n);
}

/* clang-format off */
static const struct metric vlan_rows[] = {
	{ "vlan_ports", METRIC_GAUGE, "Members of the VLAN.", next_vlan, vlan_ports, 0 },
	{ "vlan_forwarding_ports", METRIC_GAUGE, "Members that something is plugged into and that forward.", next_vlan, vlan_open, 0 },
};
/* clang-format on */
const struct metric_set vlan_metrics = { vlan_rows, ARRAY_SIZE(vlan_rows) };
