// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about the spanning trees. What VDE 2 has not is in JSON only; its
 * own commands keep their text.
 */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "switch/cmd.h"
#include "switch/fstp.h"

static struct stp *stp_of(void *ctx)
{
	return ((struct vswitch *)ctx)->stp;
}

static unsigned int arg(const struct mgmt_req *rq, int i)
{
	return (unsigned int)rq->arg[i].num;
}

static void show_id(struct writer *w, const char *key, const char *piece,
		    uint64_t id)
{
	char text[BRIDGE_ID_STRLEN];

	writer_str(w, key, piece, bridge_id_str(text, id), 0);
}

/* null in JSON, something else as text */
static void show_null(struct writer *w, const char *key, const char *text)
{
	writer_str(w, key, NULL, NULL, 0);
	if (text)
		writer_text(w, text);
}

static int64_t seconds_since(const struct vswitch *sw, uint64_t then)
{
	return (int64_t)((loop_now(sw->loop) - then) / LOOP_SEC);
}

/* ---- the switch ---- */

static const char *mode_name(const struct rstp_params *pa)
{
	return pa->stp ? "stp" : "rstp";
}

static void show_port_config(struct writer *w, const struct stp *stp,
			     unsigned int port)
{
	struct stp_port_config cf = stp_port_get(stp, port);

	writer_bool(w, "auto_edge", cf.auto_edge, NULL, NULL);
	writer_str(w, "p2p", NULL, stp_p2p_name(cf.p2p), 0);
	writer_bool(w, "bpdu_guard", cf.bpdu_guard, NULL, NULL);
	writer_bool(w, "root_guard", cf.root_guard, NULL, NULL);
}

void cmd_stp_facts(struct writer *w, const struct vswitch *sw,
		   unsigned int port)
{
	show_port_config(w, sw->stp, port);
}

/* What was set for ports, whether they exist or not. */
static void show_port_configs(struct writer *w, const struct stp *stp)
{
	writer_list(w, "ports");
	for (int i = stp_port_next(stp, 0); i >= 0;
	     i = stp_port_next(stp, (unsigned int)i + 1)) {
		writer_open(w, NULL);
		writer_num(w, "port", NULL, i, 0);
		show_port_config(w, stp, (unsigned int)i);
		writer_close(w);
	}
	writer_close(w);
}

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct stp *stp = stp_of(ctx);
	struct rstp_params pa = stp_params(stp);
	char text[24], addr[ETHER_STRLEN];
	struct writer *w = rq->w;

	writer_str(w, "mac", "MAC ", ether_str(addr, stp_mac(stp)), 0);
	writer_num(w, "priority", " Priority ", stp_priority(stp), 0);
	if (str_fmt(text, sizeof(text), " (0x%x)", stp_priority(stp)) > 0)
		writer_text(w, text);
	writer_line(w);
	writer_bool(w, "fstp", stp_is_on(stp), "FSTP=true", "FSTP=false");
	writer_line(w);
	writer_str(w, "mode", NULL, mode_name(&pa), 0);
	writer_num(w, "hello", NULL, pa.hello_s, 0);
	writer_num(w, "max_age", NULL, pa.max_age_s, 0);
	writer_num(w, "forward_delay", NULL, pa.forward_delay_s, 0);
	writer_num(w, "tx_hold", NULL, pa.tx_hold, 0);
	show_port_configs(w, stp);
	return 0;
}

static int cmd_setfstp(struct mgmt_req *rq, void *ctx)
{
	if (stp_set_on(stp_of(ctx), rq->arg[0].num != 0) != -EBUSY)
		return 0;
	writer_text(rq->w, "Can't use fstp in hub mode");
	writer_line(rq->w);
	return 0; /* as in VDE 2 */
}

static int cmd_setpriority(struct mgmt_req *rq, void *ctx)
{
	uint16_t priority = (uint16_t)rq->arg[0].num;

	if (rq->argc > 1)
		return stp_vlan_set_priority(stp_of(ctx), arg(rq, 1), priority);
	stp_set_priority(stp_of(ctx), priority);
	return 0;
}

static int cmd_setmac(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;
	uint64_t addr;

	if (!ether_parse(rq->arg[0].str, &addr) || ether_is_multicast(addr) ||
	    !addr)
		return -EINVAL;
	sw->macaddr = addr;
	stp_set_mac(sw->stp, addr);
	return 0;
}

static int cmd_hello(struct mgmt_req *rq, void *ctx)
{
	struct rstp_params pa = stp_params(stp_of(ctx));

	pa.hello_s = (uint8_t)rq->arg[0].num;
	return stp_set_params(stp_of(ctx), &pa);
}

static int cmd_maxage(struct mgmt_req *rq, void *ctx)
{
	struct rstp_params pa = stp_params(stp_of(ctx));

	pa.max_age_s = (uint8_t)rq->arg[0].num;
	return stp_set_params(stp_of(ctx), &pa);
}

static int cmd_fdelay(struct mgmt_req *rq, void *ctx)
{
	struct rstp_params pa = stp_params(stp_of(ctx));

	pa.forward_delay_s = (uint8_t)rq->arg[0].num;
	return stp_set_params(stp_of(ctx), &pa);
}

static int cmd_stp_mode(struct mgmt_req *rq, void *ctx)
{
	struct rstp_params pa = stp_params(stp_of(ctx));

	if (strcmp(rq->arg[0].str, "stp") && strcmp(rq->arg[0].str, "rstp"))
		return -EINVAL;
	pa.stp = !strcmp(rq->arg[0].str, "stp");
	return stp_set_params(stp_of(ctx), &pa);
}

static int cmd_mcheck(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;

	if (rq->argc && arg(rq, 0) > sw->br->numports)
		return -EINVAL;
	if (rq->argc && !sw->br->ports[arg(rq, 0)])
		return -ENXIO;
	stp_mcheck(sw->stp, rq->argc ? (int)arg(rq, 0) : -1);
	return 0;
}

/* ---- a port ---- */

/* What applies to a port that may not exist yet. */
static int get_port(const struct mgmt_req *rq, const struct vswitch *sw,
		    struct stp_port_config *cf)
{
	if (arg(rq, 0) > sw->br->numports)
		return -EINVAL;
	*cf = stp_port_get(sw->stp, arg(rq, 0));
	return 0;
}

static int cmd_autoedge(struct mgmt_req *rq, void *ctx)
{
	struct stp_port_config cf;
	int rc = get_port(rq, ctx, &cf);

	if (rc)
		return rc;
	cf.auto_edge = rq->arg[1].num != 0;
	return stp_port_set(stp_of(ctx), arg(rq, 0), &cf);
}

static int cmd_bpduguard(struct mgmt_req *rq, void *ctx)
{
	struct stp_port_config cf;
	int rc = get_port(rq, ctx, &cf);

	if (rc)
		return rc;
	cf.bpdu_guard = rq->arg[1].num != 0;
	return stp_port_set(stp_of(ctx), arg(rq, 0), &cf);
}

static int cmd_rootguard(struct mgmt_req *rq, void *ctx)
{
	struct stp_port_config cf;
	int rc = get_port(rq, ctx, &cf);

	if (rc)
		return rc;
	cf.root_guard = rq->arg[1].num != 0;
	return stp_port_set(stp_of(ctx), arg(rq, 0), &cf);
}

static int cmd_p2p(struct mgmt_req *rq, void *ctx)
{
	struct stp_port_config cf;
	int rc = get_port(rq, ctx, &cf);

	if (rc)
		return rc;
	for (cf.p2p = 0; cf.p2p < STP_P2P_N_MODES; cf.p2p++)
		if (!strcmp(rq->arg[1].str, stp_p2p_name(cf.p2p)))
			return stp_port_set(stp_of(ctx), arg(rq, 0), &cf);
	return -EINVAL;
}

/* ---- a port in a VLAN ---- */

static int set_member(const struct mgmt_req *rq, struct stp *stp,
		      const struct stp_member_config *cf)
{
	return stp_member_set(stp, arg(rq, 0), arg(rq, 1), cf);
}

static int cmd_setedge(struct mgmt_req *rq, void *ctx)
{
	struct stp_member_config cf = stp_member_get(stp_of(ctx), arg(rq, 0),
						     arg(rq, 1));

	cf.edge = rq->arg[2].num != 0;
	return set_member(rq, stp_of(ctx), &cf);
}

static int cmd_bonus(struct mgmt_req *rq, void *ctx)
{
	return stp_set_bonus(stp_of(ctx), arg(rq, 0), arg(rq, 1),
			     (int32_t)rq->arg[2].num);
}

static int cmd_cost(struct mgmt_req *rq, void *ctx)
{
	struct stp_member_config cf = stp_member_get(stp_of(ctx), arg(rq, 0),
						     arg(rq, 1));

	cf.cost = (uint32_t)rq->arg[2].num;
	return set_member(rq, stp_of(ctx), &cf);
}

static int cmd_portpriority(struct mgmt_req *rq, void *ctx)
{
	struct stp_member_config cf = stp_member_get(stp_of(ctx), arg(rq, 0),
						     arg(rq, 1));

	cf.priority = (uint8_t)rq->arg[2].num;
	return set_member(rq, stp_of(ctx), &cf);
}

/* ---- fstp/print ---- */

/* VDE 2's words. An edge is one that was set; ports that turn out to be edges
 * by themselves are Designated there. */
static const char *role_word(bool edge, const struct rstp_port_info *in)
{
	if (edge && (!in || in->edge))
		return "Edge";
	if (!in)
		return "Designated"; /* spanning tree is off */
	switch (in->role) {
	case RSTP_ROOT:
		return "Root";
	case RSTP_DESIGNATED:
		return "Designated";
	case RSTP_ALTERNATE:
	case RSTP_BACKUP:
		return "Alternate/Backup";
	case RSTP_DISABLED:
	case RSTP_N_ROLES:
		break;
	}
	return "Unknown";
}

static void show_member_config(struct writer *w,
			       const struct stp_member_config *cf)
{
	writer_num(w, "bonus", NULL, cf->bonus, 0);
	writer_num(w, "priority", NULL, cf->priority, 0);
	writer_bool(w, "admin_edge", cf->edge, NULL, NULL);
}

static void show_bpdus(struct writer *w, const char *key,
		       const uint64_t n[RSTP_N_KINDS])
{
	writer_open(w, key);
	writer_num(w, "config", NULL, (int64_t)n[RSTP_CONFIG], 0);
	writer_num(w, "tcn", NULL, (int64_t)n[RSTP_TCN], 0);
	writer_num(w, "rst", NULL, (int64_t)n[RSTP_RST], 0);
	writer_close(w);
}

static void show_port_tree(struct writer *w, const struct rstp_port_info *in)
{
	writer_str(w, "rstp_role", NULL, rstp_role_name(in->role), 0);
	writer_str(w, "state", NULL, rstp_state_name(in->state), 0);
	writer_str(w, "neighbour", NULL, rstp_peer_name(in->peer), 0);
	writer_bool(w, "edge", in->edge, NULL, NULL);
	writer_bool(w, "point_to_point", in->config.point_to_point, NULL, NULL);
	writer_num(w, "path_cost", NULL, in->config.path_cost, 0);
	writer_num(w, "id", NULL, in->id, 0);
	writer_bool(w, "violated", in->violated, NULL, NULL);
	writer_bool(w, "root_blocked", in->root_blocked, NULL, NULL);
	writer_bool(w, "looped", in->looped, NULL, NULL);
	show_id(w, "port_root", NULL, in->root);
	writer_num(w, "port_root_cost", NULL, in->root_cost, 0);
	show_id(w, "designated_bridge", NULL, in->designated_bridge);
	writer_num(w, "designated_port", NULL, in->designated_port, 0);
	show_bpdus(w, "rx", in->rx);
	writer_num(w, "rx_bad", NULL, (int64_t)in->rx_bad, 0);
	writer_num(w, "rx_excess", NULL, (int64_t)in->rx_excess, 0);
	show_bpdus(w, "tx", in->tx);
	writer_num(w, "topology_changes", NULL, (int64_t)in->changes, 0);
	writer_num(w, "forwarding_transitions", NULL, (int64_t)in->forwards, 0);
}

static void show_port(struct writer *w, const struct stp *stp, unsigned int vid,
		      unsigned int port, bool tagged)
{
	struct stp_member_config m = stp_member_get(stp, vid, port);
	const struct rstp *tree = stp_tree(stp, vid);
	struct rstp_port_info in;
	bool known = tree && !rstp_port_get_info(tree, port, &in);

	writer_open(w, NULL);
	writer_num(w, "port", " -- Port ", port, 4);
	writer_bool(w, "tagged", tagged, " tagged=1", " tagged=0");
	writer_num(w, "port_cost", " portcost=", m.cost, 0);
	writer_str(w, "role", " role=", role_word(m.edge, known ? &in : NULL),
		   0);
	writer_line(w);
	show_member_config(w, &m);
	show_port_config(w, stp, port);
	if (known)
		show_port_tree(w, &in);
	writer_close(w);
}

/* What more[] holds; INSIDE: the heading of AT_VLAN has been shown, and some of
 * its members, which are TAGGED or not. */
enum {
	AT_VLAN,
	AT_PORT,
	TAGGED,
	INSIDE
};

/* Active ports: untagged ones first. False if this part is full before the
 * last of them. */
static bool show_ports(struct mgmt_req *rq, const struct vswitch *sw,
		       const struct vlan *v)
{
	uint64_t *port = &rq->more[AT_PORT];

	for (; rq->more[TAGGED] < 2; rq->more[TAGGED]++, *port = 0) {
		bool tagged = rq->more[TAGGED];
		const uint64_t *set = tagged ? v->tagged : v->untagged;
		int i;

		while ((i = bits_next(set, sw->br->words,
				      (unsigned int)*port)) >= 0) {
			*port = (unsigned int)i;
			if (mgmt_pause(rq))
				return false;
			if (port_is_active(sw->br->ports[i]))
				show_port(rq->w, sw->stp, v->id,
					  (unsigned int)i, tagged);
			++*port;
		}
	}
	return true;
}

/* In JSON only: what was set for ports in this VLAN, members or not. */
static void show_settings(struct writer *w, const struct stp *stp,
			  unsigned int vid)
{
	writer_list(w, "settings");
	for (int i = stp_member_next(stp, vid, 0); i >= 0;
	     i = stp_member_next(stp, vid, (unsigned int)i + 1)) {
		struct stp_member_config cf = stp_member_get(stp, vid,
							     (unsigned int)i);

		writer_open(w, NULL);
		writer_num(w, "port", NULL, i, 0);
		writer_num(w, "port_cost", NULL, cf.cost, 0);
		show_member_config(w, &cf);
		writer_close(w);
	}
	writer_close(w);
}

static void show_bonus(struct writer *w, const struct stp *stp,
		       unsigned int vid)
{
	int port = stp_bonus_port(stp, vid);

	if (port >= 0) {
		writer_num(w, "bonus_port", " bonusport ", port, 4);
		writer_num(w, "bonus_cost", " bonuscost ",
			   stp_member_get(stp, vid, (unsigned int)port).bonus,
			   0);
	} else {
		show_null(w, "bonus_port", " bonusport 0000");
		writer_num(w, "bonus_cost", " bonuscost ", 0, 0);
	}
	writer_line(w);
}

/* In JSON only. */
static void show_tree(struct writer *w, const struct vswitch *sw,
		      const struct rstp_info *in)
{
	writer_num(w, "max_age", NULL, in->times.max_age / RSTP_SECOND, 0);
	writer_num(w, "hello", NULL, in->times.hello / RSTP_SECOND, 0);
	writer_num(w, "forward_delay", NULL,
		   in->times.forward_delay / RSTP_SECOND, 0);
	writer_num(w, "topology_changes", NULL, (int64_t)in->changes, 0);
	if (in->changed)
		writer_num(w, "topology_change_age", NULL,
			   seconds_since(sw, in->changed), 0);
	else
		show_null(w, "topology_change_age", NULL);
}

static void show_root(struct writer *w, const struct vswitch *sw,
		      const struct rstp_info *in)
{
	show_id(w, "root", " ++ root ", in->root);
	writer_line(w);
	if (in->designated)
		show_id(w, "designated", " ++ designated ", in->designated);
	else
		show_null(w, "designated",
			  " ++ designated ff:ff:ff:ff:ff:ff:ff:ff");
	writer_line(w);
	if (in->root_port >= 0)
		writer_num(w, "root_port", " ++ rootport ", in->root_port, 4);
	else
		show_null(w, "root_port", " ++ rootport 0000");
	writer_num(w, "cost", " cost ", in->root_cost, 0);
	writer_num(w, "age", " age ", seconds_since(sw, in->heard), 0);
}

static void show_heading(struct writer *w, const struct vswitch *sw,
			 const struct vlan *v)
{
	const struct rstp *tree = stp_tree(sw->stp, v->id);
	uint64_t id = stp_bridge_id(sw->stp, v->id);
	struct rstp_info in = { .root = id,
				.root_port = -1,
				.heard = stp_since(sw->stp) };

	if (tree)
		rstp_get_info(tree, &in);
	writer_open(w, NULL);
	writer_num(w, "vlan", "FST DATA VLAN ", v->id, 4);
	writer_bool(w, "root_switch", in.root == id, " ROOTSWITCH ", "  ");
	writer_bool(w, "fstp", stp_is_on(sw->stp), NULL, "FSTP IS DISABLED");
	writer_line(w);
	writer_num(w, "priority", NULL, stp_vlan_priority(sw->stp, v->id), 0);
	show_id(w, "bridge", NULL, id);
	show_root(w, sw, &in);
	show_bonus(w, sw->stp, v->id);
	if (tree)
		show_tree(w, sw, &in);
	show_settings(w, sw->stp, v->id);
	writer_list(w, "ports");
}

/* False if this part is full before its end; @v is NULL if it has gone since
 * the last part. */
static bool show_vlan(struct mgmt_req *rq, const struct vswitch *sw,
		      const struct vlan *v)
{
	if (!rq->more[INSIDE]) {
		if (!v)
			return true;
		if (mgmt_pause(rq))
			return false;
		show_heading(rq->w, sw, v);
		rq->more[INSIDE] = true;
	}
	if (v && !show_ports(rq, sw, v))
		return false;
	writer_close(rq->w);
	writer_close(rq->w);
	rq->more[INSIDE] = rq->more[TAGGED] = rq->more[AT_PORT] = 0;
	return true;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	const struct vswitch *sw = ctx;
	const struct bridge *br = sw->br;
	uint64_t *vlan = &rq->more[AT_VLAN], last = BRIDGE_VLAN_LAST;
	int rc = 0;

	if (rq->argc)
		last = arg(rq, 0);
	if (!rq->again) {
		writer_list(rq->w, "vlans");
		*vlan = rq->argc ? last : 0;
		if (rq->argc && !br->vlans[last])
			rc = -ENXIO;
	}
	for (; !rc && *vlan <= last; ++*vlan)
		if (!show_vlan(rq, sw, br->vlans[*vlan]))
			return MGMT_MORE;
	writer_close(rq->w);
	return rc;
}

/* clang-format off */
static const struct mgmt_cmd stp_cmds[] = {
	{ "fstp", "============", "FAST SPANNING TREE MENU", NULL, false },
	{ "fstp/showinfo", "", "show fstp info", cmd_showinfo, true },
	{ "fstp/setfstp <bool>", "0/1", "Fast spanning tree protocol 1=ON 0=OFF", cmd_setfstp, true },
	{ "fstp/setedge <vlan> <port> <bool>", "VLAN PORT 1/0", "Define an edge port for a vlan 1=Y 0=N", cmd_setedge, false },
	{ "fstp/bonus <vlan> <port> <bonus>", "VLAN PORT COST", "set the port bonus for a vlan", cmd_bonus, false },
	{ "fstp/print [<vlan>]", "[N]", "print fst data for the defined vlan", cmd_print, true },
	{ "fstp/setpriority <bridgeprio> [<vlan>]", "PRIO [VLAN]", "set the switch's priority, in all vlans or in one", cmd_setpriority, false },
	{ "fstp/setmac <mac>", "MAC", "set the switch's MAC address", cmd_setmac, false },
	{ "fstp/cost <vlan> <port> <pathcost>", "VLAN PORT COST", "set the cost of the path through a port", cmd_cost, false },
	{ "fstp/portpriority <vlan> <port> <portprio>", "VLAN PORT PRIO", "set the priority of a port (0-240, in steps of 16)", cmd_portpriority, false },
	{ "fstp/autoedge <port> <bool>", "N 0/1", "may port N find out that it is an edge port? 1=Y 0=N", cmd_autoedge, false },
	{ "fstp/p2p <port> <word>", "N auto|0|1", "has port N at most one neighbour?", cmd_p2p, false },
	{ "fstp/bpduguard <port> <bool>", "N 0/1", "does a BPDU disable port N? 1=Y 0=N", cmd_bpduguard, false },
	{ "fstp/rootguard <port> <bool>", "N 0/1", "is the root never behind port N? 1=Y 0=N", cmd_rootguard, false },
	{ "fstp/mcheck [<port>]", "[N]", "try rapid spanning tree again with neighbours that had none", cmd_mcheck, false },
	{ "fstp/hello <hello>", "SECS", "set the time between BPDUs (1-10)", cmd_hello, false },
	{ "fstp/maxage <maxage>", "SECS", "set the age at which information is too old (6-40)", cmd_maxage, false },
	{ "fstp/fdelay <fdelay>", "SECS", "set the delay where states change by time (4-30)", cmd_fdelay, false },
	{ "fstp/mode <word>", "rstp|stp", "speak rapid spanning tree, or the one of 1998 only", cmd_stp_mode, false },
};
/* clang-format on */
const struct mgmt_table stp_table = { stp_cmds, ARRAY_SIZE(stp_cmds) };
