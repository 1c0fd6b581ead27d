// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about ports and their endpoints.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/num.h"
#include "base/offload.h"
#include "base/strbuf.h"
#include "switch/cmd.h"

#define NAME_MAX_LEN 256

static struct bridge *bridge_of(void *ctx)
{
	return ((struct vswitch *)ctx)->br;
}

/* The port that an argument names: -EINVAL out of range, -ENXIO missing. */
static int find_port(struct bridge *br, int64_t id, struct port **p)
{
	if (id > br->numports)
		return -EINVAL;
	*p = br->ports[id];
	return *p ? 0 : -ENXIO;
}

/* ---- the switch's ports as a whole ---- */

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct bridge *br = bridge_of(ctx);
	struct writer *w = rq->w;

	writer_num(w, "numports", "Numports=", br->numports, 0);
	writer_line(w);
	writer_bool(w, "hub", br->hub, "HUB=true", "HUB=false");
	writer_line(w);
	writer_bool(w, "counters", true, "counters=true", NULL);
	writer_line(w);
	writer_num(w, "default_queue",
		   "default length of port packet queues: ", br->queue_limit,
		   0);
	writer_line(w);
	return 0;
}

static int cmd_setnumports(struct mgmt_req *rq, void *ctx)
{
	return bridge_set_numports(bridge_of(ctx),
				   (unsigned int)rq->arg[0].num);
}

static int cmd_sethub(struct mgmt_req *rq, void *ctx)
{
	bridge_set_hub(bridge_of(ctx), rq->arg[0].num != 0);
	return 0;
}

static int cmd_setvlan(struct mgmt_req *rq, void *ctx)
{
	return bridge_port_set_vlan(bridge_of(ctx),
				    (unsigned int)rq->arg[0].num,
				    (unsigned int)rq->arg[1].num);
}

static int cmd_createauto(struct mgmt_req *rq, void *ctx)
{
	struct bridge *br = bridge_of(ctx);
	int id = bridge_port_create_auto(br);

	if (id < 0)
		return id;
	br->ports[id]->allocatable = false;
	writer_num(rq->w, "port", "Port ", id, 4);
	writer_line(rq->w);
	return 0;
}

static int cmd_create(struct mgmt_req *rq, void *ctx)
{
	struct bridge *br = bridge_of(ctx);
	unsigned int id = (unsigned int)rq->arg[0].num;
	int rc = bridge_port_create(br, id);

	if (!rc)
		br->ports[id]->allocatable = false;
	return rc;
}

static int cmd_remove(struct mgmt_req *rq, void *ctx)
{
	return bridge_port_remove(bridge_of(ctx), (unsigned int)rq->arg[0].num);
}

/* ---- one port ---- */

static int cmd_allocatable(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(bridge_of(ctx), rq->arg[0].num, &p);

	if (!rc)
		p->allocatable = rq->arg[1].num != 0;
	return rc;
}

static int cmd_rings(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(bridge_of(ctx), rq->arg[0].num, &p);

	if (!rc)
		p->no_rings = rq->arg[1].num == 0;
	return rc;
}

static bool is_nobody(const char *name)
{
	return !strcmp(name, "NONE") || !strcmp(name, "ANY");
}

static bool parse_user(const char *name, uint32_t *uid)
{
	const struct passwd *pw = is_nobody(name) ? NULL : getpwnam(name);
	int64_t n = PORT_NOBODY;

	if (pw)
		n = pw->pw_uid;
	else if (!is_nobody(name) && !parse_num(name, 0, UINT32_MAX - 1, &n))
		return false;
	*uid = (uint32_t)n;
	return true;
}

static bool parse_group(const char *name, uint32_t *gid)
{
	const struct group *gr = is_nobody(name) ? NULL : getgrnam(name);
	int64_t n = PORT_NOBODY;

	if (gr)
		n = gr->gr_gid;
	else if (!is_nobody(name) && !parse_num(name, 0, UINT32_MAX - 1, &n))
		return false;
	*gid = (uint32_t)n;
	return true;
}

static int cmd_setuser(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(bridge_of(ctx), rq->arg[0].num, &p);

	if (!rc && !parse_user(rq->arg[1].str, &p->only_uid))
		rc = -EINVAL;
	return rc;
}

static int cmd_setgroup(struct mgmt_req *rq, void *ctx)
{
	struct port *p;
	int rc = find_port(bridge_of(ctx), rq->arg[0].num, &p);

	if (!rc && !parse_group(rq->arg[1].str, &p->only_gid))
		rc = -EINVAL;
	return rc;
}

static int find_endpoint(struct bridge *br, const struct mgmt_req *rq,
			 struct endpoint **ep)
{
	struct port *p;
	int rc = find_port(br, rq->arg[0].num, &p);

	if (rc)
		return rc;
	*ep = bridge_endpoint(p, (uint32_t)rq->arg[1].num);
	return *ep ? 0 : -ENXIO;
}

static int cmd_epclose(struct mgmt_req *rq, void *ctx)
{
	struct endpoint *ep;
	int rc = find_endpoint(bridge_of(ctx), rq, &ep);

	if (!rc)
		bridge_detach(ep);
	return rc;
}

static int cmd_defqlen(struct mgmt_req *rq, void *ctx)
{
	bridge_of(ctx)->queue_limit = (uint32_t)rq->arg[0].num;
	return 0;
}

static int cmd_epqlen(struct mgmt_req *rq, void *ctx)
{
	struct endpoint *ep;
	int rc = find_endpoint(bridge_of(ctx), rq, &ep);

	if (!rc)
		ep->port->drops[DROP_QUEUE_FULL] += txq_set_limit(
			&ep->queue, (uint32_t)rq->arg[2].num);
	return rc;
}

static int cmd_resetcounter(struct mgmt_req *rq, void *ctx)
{
	struct bridge *br = bridge_of(ctx);

	if (rq->argc && rq->arg[0].num > br->numports)
		return -EINVAL;
	for (unsigned int i = 0; i <= br->numports; i++)
		if (br->ports[i] && (!rq->argc || rq->arg[0].num == i))
			port_reset_counters(br->ports[i]);
	return 0;
}

/* ---- listings ---- */

/* Names that this listing has shown: a directory service may be slow, and a
 * thousand ports are mostly those of a few users. */
struct name {
	uint32_t id; /* PORT_NOBODY: unused */
	char text[NAME_MAX_LEN];
};

#define NAMES_KEPT 4

struct names {
	struct name user[NAMES_KEPT], group[NAMES_KEPT];
	unsigned int next; /* to be replaced */
	const struct vswitch *sw; /* whose ports these are */
};

static void names_init(struct names *names, const struct vswitch *sw)
{
	names->sw = sw;
	names->next = 0;
	for (size_t i = 0; i < NAMES_KEPT; i++)
		names->user[i].id = names->group[i].id = PORT_NOBODY;
}

static const char *user_name(uint32_t id)
{
	const struct passwd *pw = getpwuid(id);

	return pw ? pw->pw_name : NULL;
}

static const char *group_name(uint32_t id)
{
	const struct group *gr = getgrgid(id);

	return gr ? gr->gr_name : NULL;
}

/* A name, or a number where there is no name. */
static const char *find_name(struct name *known, unsigned int *next,
			     uint32_t id, const char *(*look_up)(uint32_t id))
{
	struct name *n = &known[*next];
	const char *text;

	for (size_t i = 0; i < NAMES_KEPT; i++)
		if (known[i].id == id)
			return known[i].text;
	text = look_up(id);
	*next = (*next + 1) % NAMES_KEPT;
	n->id = id;
	if (!text || str_copy(n->text, sizeof(n->text), text) < 0)
		str_fmt(n->text, sizeof(n->text), "%u", id);
	return n->text;
}

/* NONE is null in JSON. */
static void show_none(struct writer *w, const char *key, const char *piece)
{
	writer_text(w, piece);
	writer_str(w, key, NULL, NULL, 0);
	writer_text(w, "NONE");
}

static void show_user(struct writer *w, const char *key, const char *piece,
		      struct names *names, uint32_t uid)
{
	if (uid == PORT_NOBODY)
		show_none(w, key, piece);
	else
		writer_str(w, key, piece,
			   find_name(names->user, &names->next, uid, user_name),
			   0);
}

static void show_group(struct writer *w, const char *key, const char *piece,
		       struct names *names, uint32_t gid)
{
	if (gid == PORT_NOBODY)
		show_none(w, key, piece);
	else
		writer_str(
			w, key, piece,
			find_name(names->group, &names->next, gid, group_name),
			0);
}

static void show_counter(struct writer *w, const char *key, const char *piece,
			 uint64_t frames, uint64_t bytes)
{
	writer_open(w, key);
	writer_num(w, "packets", piece, (int64_t)frames, -10);
	writer_num(w, "bytes", "          bytes ", (int64_t)bytes, -20);
	writer_close(w);
	writer_line(w);
}

/* In JSON only: what the endpoint takes unfinished. */
static void show_offloads(struct writer *w, unsigned int takes)
{
	static const struct {
		unsigned int bits;
		const char *name;
	} names[] = {
		{ OFFLOAD_CSUM, "csum" }, { OFFLOAD_TSO4, "tso4" },
		{ OFFLOAD_TSO6, "tso6" }, { OFFLOAD_ECN, "ecn" },
		{ OFFLOAD_USO, "uso" },
	};

	writer_list(w, "offloads");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((takes & names[i].bits) == names[i].bits)
			writer_str(w, NULL, NULL, names[i].name, 0);
	writer_close(w);
}

static void show_endpoint(struct writer *w, const struct endpoint *ep)
{
	writer_open(w, NULL);
	writer_num(w, "id", "  -- endpoint ID ", ep->id, 4);
	writer_str(w, "module", " module ", ep->tr->module, 12);
	writer_str(w, "transport", NULL, ep->tr->name, 0);
	writer_bool(w, "link", !ep->no_link, NULL, NULL);
	show_offloads(w, ep->takes);
	writer_num(w, "max_len", NULL, ep->max_len, 0);
	writer_str(w, "description", ": ",
		   ep->descr[0] ? ep->descr : "no endpoint description", 0);
	writer_line(w);
	writer_num(w, "queued",
		   "              unsent packets: ", ep->queue.count, 0);
	writer_num(w, "queue_max", " max ", ep->queue.limit, 0);
	writer_line(w);
	writer_close(w);
}

static void show_port(struct writer *w, const struct port *p,
		      struct names *names)
{
	writer_open(w, NULL);
	writer_num(w, "port", "Port ", p->id, 4);
	writer_num(w, "untagged_vlan", " untagged_vlan=", p->pvid, 4);
	writer_bool(w, "active", port_is_active(p), " ACTIVE", " INACTIVE");
	writer_bool(w, "allocatable", p->allocatable, " - Unnamed Allocatable",
		    " - NOT Unnamed Allocatable");
	writer_line(w);
	writer_bool(w, "rings", !p->no_rings, NULL, NULL);
	writer_bool(w, "blocked", p->slow & PORT_BLOCKED, NULL, NULL);
	show_user(w, "current_user", " Current User: ", names, p->current_uid);
	show_user(w, "user", " Access Control: (User: ", names, p->only_uid);
	show_group(w, "group", " - Group: ", names, p->only_gid);
	writer_text(w, ")");
	writer_line(w);
	show_counter(w, "in", " IN:  pkts ", p->in_frames, p->in_bytes);
	show_counter(w, "out", " OUT: pkts ", p->out_frames, p->out_bytes);
	writer_num(w, "cut", NULL, (int64_t)p->cut, 0);
	writer_num(w, "segments", NULL, (int64_t)p->segments, 0);
	if (w->json) {
		writer_open(w, "guard");
		cmd_guard_facts(w, p);
		writer_close(w);
		writer_open(w, "fstp");
		cmd_stp_facts(w, names->sw, p->id);
		writer_close(w);
	}
	writer_list(w, "endpoints");
	list_for_each(it, &p->endpoints) {
		show_endpoint(w, list_entry(it, struct endpoint, node));
	}
	writer_close(w);
	writer_close(w);
}

typedef void show_fn(struct writer *, const struct port *, struct names *);

/* One port, or all; @inactive ones too or only those with endpoints. more[]:
 * the port. */
static int show_ports(struct mgmt_req *rq, const struct vswitch *sw,
		      bool inactive, show_fn *show)
{
	struct bridge *br = sw->br;
	unsigned int first = (unsigned int)rq->more[0], last = br->numports;
	struct names names;
	struct port *one = NULL;
	int rc = rq->argc ? find_port(br, rq->arg[0].num, &one) : 0;

	if (one) {
		first = last = one->id;
		if (!inactive && !port_is_active(one))
			rc = -ENXIO;
	}
	names_init(&names, sw);
	if (!rq->again)
		writer_list(rq->w, "ports");
	for (unsigned int i = first; !rc && i <= last; i++) {
		const struct port *p = br->ports[i];

		if (!p || (!inactive && !port_is_active(p)))
			continue;
		if (mgmt_pause(rq)) {
			rq->more[0] = i;
			return MGMT_MORE;
		}
		show(rq->w, p, &names);
	}
	writer_close(rq->w);
	return rc;
}

static int cmd_print(struct mgmt_req *rq, void *ctx)
{
	return show_ports(rq, ctx, false, show_port);
}

static int cmd_allprint(struct mgmt_req *rq, void *ctx)
{
	return show_ports(rq, ctx, true, show_port);
}

static void show_reason(struct writer *w, const struct port *p,
			enum drop_reason r)
{
	char label[48];

	if (str_fmt(label, sizeof(label), " %s %-20s ",
		    drop_reason_is_ingress(r) ? "IN: " : "OUT:",
		    drop_reason_name(r)) > 0)
		writer_num(w, drop_reason_name(r), label, (int64_t)p->drops[r],
			   -10);
	writer_line(w);
}

static void show_drops(struct writer *w, const struct port *p,
		       struct names *names)
{
	writer_open(w, NULL);
	writer_num(w, "port", "Port ", p->id, 4);
	writer_line(w);
	for (enum drop_reason r = 0; r < DROP_N_REASONS; r++)
		show_reason(w, p, r);
	writer_close(w);
}

static int cmd_drops(struct mgmt_req *rq, void *ctx)
{
	return show_ports(rq, ctx, true, show_drops);
}

/* clang-format off */
static const struct mgmt_cmd port_cmds[] = {
	{ "port", "============", "PORT STATUS MENU", NULL, false },
	{ "port/showinfo", "", "show port info", cmd_showinfo, true },
	{ "port/setnumports <numports>", "N", "set the number of ports", cmd_setnumports, false },
	{ "port/sethub <bool>", "0/1", "1=HUB 0=switch", cmd_sethub, false },
	{ "port/setvlan <port> <pvid>", "N VLAN", "set port VLAN (untagged)", cmd_setvlan, false },
	{ "port/createauto", "", "create a port with an automatically allocated id (inactive|notallocatable)", cmd_createauto, true },
	{ "port/create <port>", "N", "create the port N (inactive|notallocatable)", cmd_create, false },
	{ "port/remove <port>", "N", "remove the port N", cmd_remove, false },
	{ "port/allocatable <port> <bool>", "N 0/1", "Is the port allocatable as unnamed? 1=Y 0=N", cmd_allocatable, false },
	{ "port/setuser <port> <user>", "N user", "access control: set user", cmd_setuser, false },
	{ "port/setgroup <port> <group>", "N user", "access control: set group", cmd_setgroup, false },
	{ "port/epclose <port> <id>", "N ID", "remove the endpoint port N/id ID", cmd_epclose, false },
	{ "port/defqlen <queue>", "LEN", "set the default queue length for new ports", cmd_defqlen, false },
	{ "port/epqlen <port> <id> <queue>", "N ID LEN", "set the lenth of the queue for port N/id IP", cmd_epqlen, false },
	{ "port/resetcounter [<port>]", "[N]", "reset the port (N) counters", cmd_resetcounter, false },
	{ "port/print [<port>]", "[N]", "print the port/endpoint table", cmd_print, true },
	{ "port/allprint [<port>]", "[N]", "print the port/endpoint table (including inactive port)", cmd_allprint, true },
	{ "port/rings <port> <bool>", "N 0/1", "may new clients of port N use shared memory? 1=Y 0=N", cmd_rings, false },
	{ "port/drops [<port>]", "[N]", "print the dropped frames by reason", cmd_drops, true },
};
/* clang-format on */
const struct mgmt_table port_table = { port_cmds, ARRAY_SIZE(port_cmds) };
