// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about VLANs.
 */
#include <errno.h>
#include <string.h>

#include "switch/cmd.h"

static struct bridge *bridge_of(void *ctx)
{
	return ((struct vswitch *)ctx)->br;
}

static int cmd_create(struct mgmt_req *rq, void *ctx)
{
	return bridge_vlan_create(bridge_of(ctx), (unsigned int)rq->arg[0].num);
}

static int cmd_remove(struct mgmt_req *rq, void *ctx)
{
	return bridge_vlan_remove(bridge_of(ctx), (unsigned int)rq->arg[0].num);
}

static int cmd_addport(struct mgmt_req *rq, void *ctx)
{
	return bridge_vlan_add_port(bridge_of(ctx),
				    (unsigned int)rq->arg[0].num,
				    (unsigned int)rq->arg[1].num);
}

static int cmd_delport(struct mgmt_req *rq, void *ctx)
{
	return bridge_vlan_del_port(bridge_of(ctx),
				    (unsigned int)rq->arg[0].num,
				    (unsigned int)rq->arg[1].num);
}

/* VDE 2's words; ports without a cable learn, it says. */
static const char *status(const struct vlan *v, const struct port *p)
{
	static const char *const words[] = {
		[BRIDGE_DISCARDING] = "Discarding",
		[BRIDGE_LEARNING] = "Learning",
		[BRIDGE_FORWARDING] = "Forwarding",
	};

	return words[port_is_active(p) ? bridge_get_state(p->br, v->id, p->id)
				       : BRIDGE_LEARNING];
}

static void show_member(struct writer *w, const struct vlan *v,
			const struct port *p)
{
	bool active = port_is_active(p);

	writer_open(w, NULL);
	writer_num(w, "port", " -- Port ", p->id, 4);
	writer_bool(w, "tagged", bits_test(v->tagged, p->id), " tagged=1",
		    " tagged=0");
	writer_bool(w, "active", active, " active=1", " active=0");
	writer_str(w, "status", " status=", status(v, p), 0);
	writer_line(w);
	writer_close(w);
}

/* The first member at or after port @i, or -1. */
static int next_member(const struct bridge *br, const struct vlan *v,
		       bool inactive, unsigned int i)
{
	for (size_t word = i / 64; word < br->words; word++, i = 0) {
		uint64_t set = v->tagged[word] | v->untagged[word];

		if (!inactive)
			set &= br->active[word];
		set &= ~UINT64_C(0) << i % 64;
		if (set)
			return (int)(word * 64) + __builtin_ctzll(set);
	}
	return -1;
}

/* What more[] holds; INSIDE: the heading of AT_VLAN has been shown. */
enum {
	AT_VLAN,
	AT_PORT,
	INSIDE
};

/* False if this part is full before the last member. */
static bool show_members(struct mgmt_req *rq, const struct bridge *br,
			 const struct vlan *v, bool inactive)
{
	uint64_t *port = &rq->more[AT_PORT];
	int i;

	while ((i = next_member(br, v, inactive, (unsigned int)*port)) >= 0) {
		*port = (unsigned int)i;
		if (mgmt_pause(rq))
			return false;
		show_member(rq->w, v, br->ports[i]);
		++*port;
	}
	return true;
}

/* The same; @v is NULL if it has gone since the last part. */
static bool show_vlan(struct mgmt_req *rq, const struct bridge *br,
		      const struct vlan *v, bool inactive)
{
	struct writer *w = rq->w;

	if (!rq->more[INSIDE]) {
		if (!v)
			return true;
		if (mgmt_pause(rq))
			return false;
		writer_open(w, NULL);
		writer_num(w, "vlan", "VLAN ", v->id, 4);
		writer_line(w);
		writer_list(w, "ports");
		rq->more[INSIDE] = true;
	}
	if (v && !show_members(rq, br, v, inactive))
		return false;
	writer_close(w);
	writer_close(w);
	rq->more[INSIDE] = false;
	rq->more[AT_PORT] = 0;
	return true;
}

/* Thousands of VLANs may have thousands of members each. */
static int show_vlans(struct mgmt_req *rq, const struct bridge *br,
		      bool inactive)
{
	uint64_t *vlan = &rq->more[AT_VLAN], last = VLAN_MAX;
	int rc = 0;

	if (rq->argc)
		last = (uint64_t)rq->arg[0].num;
	if (!rq->again) {
		writer_list(rq->w, "vlans");
		*vlan = rq->argc ? last : 0;
		if (rq->argc && !br->vlans[last])
			rc = -ENXIO;
	}
	for (; !rc && *vlan <= last; ++*vlan)
		if (!show_vlan(rq, br, br->vlans[*vlan], inactive))
			return MGMT_MORE;
	writer_close(rq->w);
	return rc;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	return show_vlans(rq, bridge_of(ctx), false);
}

static int cmd_allprint(struct mgmt_req *rq, void *ctx)
{
	return show_vlans(rq, bridge_of(ctx), true);
}

static int cmd_vlan_mode(struct mgmt_req *rq, void *ctx)
{
	struct bridge *br = bridge_of(ctx);
	struct writer *w = rq->w;

	if (!rq->argc) {
		writer_str(w, "mode", "VLAN mode ",
			   bridge_vlan_mode_name(br->vlan_mode), 0);
		writer_bool(w, "transparent", br->transparent, " (transparent)",
			    " (strict)");
		writer_line(w);
		return 0;
	}
	for (enum bridge_vlan_mode m = 0; m < BRIDGE_VLAN_N_MODES; m++) {
		if (strcmp(rq->arg[0].str, bridge_vlan_mode_name(m)))
			continue;
		bridge_set_vlan_mode(br, m);
		return 0;
	}
	return -EINVAL;
}

/* clang-format off */
static const struct mgmt_cmd vlan_cmds[] = {
	{ "vlan", "============", "VLAN MANAGEMENT MENU", NULL, false },
	{ "vlan/create <newvlan>", "N", "create the VLAN with tag N", cmd_create, false },
	{ "vlan/remove <newvlan>", "N", "remove the VLAN with tag N", cmd_remove, false },
	{ "vlan/addport <vlan> <port>", "N PORT", "add port to the vlan N (tagged)", cmd_addport, false },
	{ "vlan/delport <vlan> <port>", "N PORT", "delete port from the vlan N (tagged)", cmd_delport, false },
	{ "vlan/print [<vlan>]", "[N]", "print the list of defined vlan", cmd_print, true },
	{ "vlan/allprint [<vlan>]", "[N]", "print the list of defined vlan (including inactive port)", cmd_allprint, true },
	{ "vlan/mode [<word>]", "[MODE]", "tagged frames of undefined vlans: auto|strict|transparent", cmd_vlan_mode, false },
};
/* clang-format on */
const struct mgmt_table vlan_table = { vlan_cmds, ARRAY_SIZE(vlan_cmds) };
