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

static void show_member(struct writer *w, const struct port *p, bool tagged)
{
	bool active = port_is_active(p);

	writer_open(w, NULL);
	writer_num(w, "port", " -- Port ", p->id, 4);
	writer_bool(w, "tagged", tagged, " tagged=1", " tagged=0");
	writer_bool(w, "active", active, " active=1", " active=0");
	writer_str(w, "status", " status=", active ? "Forwarding" : "Learning",
		   0);
	writer_line(w);
	writer_close(w);
}

/* Members only: thousands of VLANs times thousands of ports take too long. */
static void show_vlan(struct writer *w, const struct bridge *br,
		      const struct vlan *v, bool inactive)
{
	writer_open(w, NULL);
	writer_num(w, "vlan", "VLAN ", v->id, 4);
	writer_line(w);
	writer_list(w, "ports");
	for (size_t word = 0; word < br->words; word++) {
		const uint64_t set = v->tagged[word] | v->untagged[word];

		bits_for_each(bit, &set, 1) {
			unsigned int i = (unsigned int)(word * 64) +
					 (unsigned int)bit;
			const struct port *p = br->ports[i];

			if (inactive || port_is_active(p))
				show_member(w, p, bits_test(v->tagged, i));
		}
	}
	writer_close(w);
	writer_close(w);
}

static int show_vlans(struct mgmt_req *rq, const struct bridge *br,
		      bool inactive)
{
	unsigned int only = rq->argc ? (unsigned int)rq->arg[0].num : 0;
	int rc = rq->argc && !br->vlans[only] ? -ENXIO : 0;

	writer_list(rq->w, "vlans");
	for (unsigned int i = 0; !rc && i <= VLAN_MAX; i++)
		if (br->vlans[i] && (!rq->argc || i == only))
			show_vlan(rq->w, br, br->vlans[i], inactive);
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
