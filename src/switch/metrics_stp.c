// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics of the spanning trees: of each VLAN that has one, and of each port
 * in it.
 */
#include "base/ether.h"
#include "switch/fstp.h"
#include "switch/metrics_sets.h"

static void enabled(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, stp_is_on(sw->stp));
}

/* ---- trees ---- */

static uint64_t next_tree(const struct vswitch *sw, uint64_t from)
{
	for (; from <= BRIDGE_VLAN_LAST; from++)
		if (stp_tree(sw->stp, (unsigned int)from))
			return from;
	return METRIC_END;
}

static struct rstp_info tree_info(const struct vswitch *sw, uint64_t vid)
{
	struct rstp_info in;

	rstp_get_info(stp_tree(sw->stp, (unsigned int)vid), &in);
	return in;
}

static void tree_label(struct metrics *m, uint64_t vid)
{
	metrics_label_num(m, "vlan", (unsigned int)vid);
}

static void root_info(struct metrics *m, const struct vswitch *sw, uint64_t vid)
{
	struct rstp_info in = tree_info(sw, vid);
	char id[BRIDGE_ID_STRLEN];

	tree_label(m, vid);
	metrics_label(m, "bridge", bridge_id_str(id, in.bridge));
	metrics_label(m, "root", bridge_id_str(id, in.root));
	metrics_value(m, 1);
}

static void is_root(struct metrics *m, const struct vswitch *sw, uint64_t vid)
{
	struct rstp_info in = tree_info(sw, vid);

	tree_label(m, vid);
	metrics_value(m, in.root == in.bridge);
}

static void root_cost(struct metrics *m, const struct vswitch *sw, uint64_t vid)
{
	tree_label(m, vid);
	metrics_value(m, tree_info(sw, vid).root_cost);
}

static void changes(struct metrics *m, const struct vswitch *sw, uint64_t vid)
{
	tree_label(m, vid);
	metrics_value(m, tree_info(sw, vid).changes);
}

/* ---- ports ---- */

/* An item is the VLAN, and the port in 16 bits. */
static uint64_t next_member(const struct vswitch *sw, uint64_t from)
{
	uint64_t vid, port = from & 0xffff;

	for (vid = next_tree(sw, from >> 16); vid != METRIC_END;
	     vid = next_tree(sw, vid + 1), port = 0) {
		const struct rstp *tree = stp_tree(sw->stp, (unsigned int)vid);
		int next;

		if (vid != from >> 16)
			port = 0;
		next = rstp_port_next(tree, (unsigned int)port);
		if (next >= 0)
			return vid << 16 | (unsigned int)next;
	}
	return METRIC_END;
}

static struct rstp_port_info member_info(const struct vswitch *sw,
					 uint64_t item)
{
	struct rstp_port_info in = { 0 };

	rstp_port_get_info(stp_tree(sw->stp, (unsigned int)(item >> 16)),
			   item & 0xffff, &in);
	return in;
}

static void member_labels(struct metrics *m, uint64_t item)
{
	tree_label(m, item >> 16);
	metrics_label_num(m, "port", item & 0xffff);
}

static void state(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	member_labels(m, item);
	metrics_value(m, member_info(sw, item).state);
}

static void role(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	struct rstp_port_info in = member_info(sw, item);

	member_labels(m, item);
	metrics_label(m, "role", rstp_role_name(in.role));
	metrics_value(m, 1);
}

static void kinds(struct metrics *m, uint64_t item, const char *direction,
		  const uint64_t *n)
{
	static const char *const names[] = {
		[RSTP_CONFIG] = "config",
		[RSTP_TCN] = "tcn",
		[RSTP_RST] = "rst",
	};
	static_assert(ARRAY_SIZE(names) == RSTP_N_KINDS, "a kind has no name");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		member_labels(m, item);
		metrics_label(m, "direction", direction);
		metrics_label(m, "kind", names[i]);
		metrics_value(m, n[i]);
	}
}

static void bpdus(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	struct rstp_port_info in = member_info(sw, item);

	kinds(m, item, "in", in.rx);
	kinds(m, item, "out", in.tx);
}

/* A sample of the member that has one label more. */
static void labelled(struct metrics *m, uint64_t item, const char *name,
		     const char *label, uint64_t value)
{
	member_labels(m, item);
	metrics_label(m, name, label);
	metrics_value(m, value);
}

static void refused(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	struct rstp_port_info in = member_info(sw, item);

	labelled(m, item, "reason", "invalid", in.rx_bad);
	labelled(m, item, "reason", "too_many", in.rx_excess);
}

static void guarded(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	struct rstp_port_info in = member_info(sw, item);

	labelled(m, item, "guard", "bpdu", in.violated);
	labelled(m, item, "guard", "root", in.root_blocked);
	labelled(m, item, "guard", "loop", in.looped);
}

static void port_changes(struct metrics *m, const struct vswitch *sw,
			 uint64_t item)
{
	member_labels(m, item);
	metrics_value(m, member_info(sw, item).changes);
}

static void forwards(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	member_labels(m, item);
	metrics_value(m, member_info(sw, item).forwards);
}

/* clang-format off */
static const struct metric rows[] = {
	{ "stp_enabled", METRIC_GAUGE, "1: spanning tree is on.", NULL, enabled, 0 },
	{ "stp_root_info", METRIC_GAUGE, "Root of the VLAN's tree and this bridge in it, always 1.", next_tree, root_info, 0 },
	{ "stp_is_root", METRIC_GAUGE, "1: this bridge is the root.", next_tree, is_root, 0 },
	{ "stp_root_cost", METRIC_GAUGE, "Cost of the path to the root.", next_tree, root_cost, 0 },
	{ "stp_topology_changes_total", METRIC_COUNTER, "Topology changes.", next_tree, changes, 0 },
	{ "stp_port_state", METRIC_GAUGE, "0: discarding, 1: learning, 2: forwarding.", next_member, state, 0 },
	{ "stp_port_role_info", METRIC_GAUGE, "Role of the port in the tree, always 1.", next_member, role, 0 },
	{ "stp_port_bpdus_total", METRIC_COUNTER, "BPDUs received and sent.", next_member, bpdus, 0 },
	{ "stp_port_bpdus_refused_total", METRIC_COUNTER, "BPDUs received and not looked at.", next_member, refused, 0 },
	{ "stp_port_guarded", METRIC_GAUGE, "1: shut by BPDU guard or root guard, or because it hears itself.", next_member, guarded, 0 },
	{ "stp_port_topology_changes_total", METRIC_COUNTER, "Topology changes detected or heard of on the port.", next_member, port_changes, 0 },
	{ "stp_port_forwards_total", METRIC_COUNTER, "How often the port began to forward.", next_member, forwards, 0 },
};
/* clang-format on */
const struct metric_set stp_metrics = { rows, ARRAY_SIZE(rows) };
