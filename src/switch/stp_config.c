// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is set for spanning trees, and how it gets there: of the switch, of a
 * VLAN, of a port, of a port in a VLAN. Nothing of this needs a tree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/stp_impl.h"

const char *stp_p2p_name(enum stp_p2p mode)
{
	static const char *const names[] = {
		[STP_P2P_AUTO] = "auto",
		[STP_P2P_NO] = "0",
		[STP_P2P_YES] = "1",
	};

	static_assert(ARRAY_SIZE(names) == STP_P2P_N_MODES, "no name");
	return names[mode];
}

/* A byte for each port, zero for one with nothing set. */
#define NO_AUTO_EDGE 1u
#define BPDU_GUARD 2u
#define ROOT_GUARD 4u
#define P2P_SHIFT 3u

static uint8_t encode(const struct stp_port_config *cf)
{
	return (uint8_t)((cf->auto_edge ? 0 : NO_AUTO_EDGE) |
			 (cf->bpdu_guard ? BPDU_GUARD : 0) |
			 (cf->root_guard ? ROOT_GUARD : 0) |
			 (unsigned int)cf->p2p << P2P_SHIFT);
}

static struct stp_port_config decode(uint8_t bits)
{
	return (struct stp_port_config){
		.auto_edge = !(bits & NO_AUTO_EDGE),
		.bpdu_guard = bits & BPDU_GUARD,
		.root_guard = bits & ROOT_GUARD,
		.p2p = bits >> P2P_SHIFT,
	};
}

/* Where the port's setting is, or would be. */
static unsigned int setting_index(const struct stp_vlan *v, unsigned int port)
{
	unsigned int low = 0, high = v->n_settings;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (v->settings[mid].port < port)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct stp_setting *find_setting(const struct stp_vlan *v,
					unsigned int port)
{
	unsigned int i = setting_index(v, port);

	return i < v->n_settings && v->settings[i].port == port
		       ? &v->settings[i]
		       : NULL;
}

static struct stp_setting *add_setting(struct stp_vlan *v, unsigned int port)
{
	unsigned int i = setting_index(v, port);
	struct stp_setting *list;

	list = realloc(v->settings, (v->n_settings + 1) * sizeof(*list));
	if (!list)
		return NULL;
	memmove(&list[i + 1], &list[i], (v->n_settings - i) * sizeof(*list));
	list[i] = (struct stp_setting){ port, STP_MEMBER_DEFAULT };
	v->settings = list;
	v->n_settings++;
	return &list[i];
}

void stp_setting_del(struct stp_vlan *v, unsigned int port)
{
	unsigned int i = setting_index(v, port);

	if (!find_setting(v, port))
		return;
	v->n_settings--;
	memmove(&v->settings[i], &v->settings[i + 1],
		(v->n_settings - i) * sizeof(*v->settings));
}

static struct stp_member_config member_config(const struct stp_vlan *v,
					      unsigned int port)
{
	const struct stp_setting *set = v ? find_setting(v, port) : NULL;

	return set ? set->config : STP_MEMBER_DEFAULT;
}

static bool is_default(const struct stp_member_config *cf)
{
	const struct stp_member_config d = STP_MEMBER_DEFAULT;

	return cf->cost == d.cost && cf->bonus == d.bonus &&
	       cf->priority == d.priority && cf->edge == d.edge;
}

static uint32_t path_cost(const struct stp_member_config *cf)
{
	int64_t cost = (int64_t)cf->cost - cf->bonus;

	if (cost < 1)
		return 1;
	return cost < RSTP_COST_MAX ? (uint32_t)cost : RSTP_COST_MAX;
}

unsigned int stp_endpoints(const struct port *p, const struct endpoint *leaving)
{
	unsigned int n = 0;

	list_for_each(it, &p->endpoints) {
		n++;
	}
	return leaving ? n - 1 : n;
}

struct rstp_port_config stp_rstp_config(const struct stp_vlan *v,
					const struct port *p,
					const struct endpoint *leaving)
{
	struct stp_member_config m = member_config(v, p->id);
	struct stp_port_config cf = decode(v->stp->ports[p->id]);
	bool p2p = cf.p2p == STP_P2P_YES;

	if (cf.p2p == STP_P2P_AUTO)
		p2p = stp_endpoints(p, leaving) <= 1;
	return (struct rstp_port_config){
		.path_cost = path_cost(&m),
		.priority = m.priority,
		.enabled = true,
		.admin_edge = m.edge,
		.auto_edge = cf.auto_edge,
		.point_to_point = p2p,
		.bpdu_guard = cf.bpdu_guard,
		.root_guard = cf.root_guard,
	};
}

static void configure(const struct stp_vlan *v, const struct port *p,
		      const struct endpoint *leaving)
{
	struct rstp_port_config cf = stp_rstp_config(v, p, leaving);

	/* Not a member: there is nothing to configure. */
	(void)rstp_port_configure(v->rstp, p->id, &cf, stp_time(v->stp));
	stp_note_due(v);
}

void stp_configure_all(struct stp *s, const struct port *p,
		       const struct endpoint *leaving)
{
	list_for_each(it, &s->trees) {
		configure(list_entry(it, struct stp_vlan, node), p, leaving);
	}
	stp_settle(s);
}

/* What is known of a VLAN that exists; NULL without memory. */
struct stp_vlan *stp_vlan_know(struct stp *s, unsigned int vid)
{
	struct stp_vlan *v = s->vlans[vid];

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->stp = s;
	v->vid = vid;
	v->priority = s->priority;
	v->bonus_port = -1;
	list_init(&v->node);
	s->vlans[vid] = v;
	return v;
}

/* ---- settings, from outside ---- */

static void update_bridge(struct stp *s)
{
	list_for_each(it, &s->trees) {
		struct stp_vlan *v = list_entry(it, struct stp_vlan, node);

		(void)rstp_set_bridge(v->rstp, stp_bridge_id(s, v->vid),
				      stp_time(s));
		stp_note_due(v);
	}
	stp_settle(s);
}

void stp_set_mac(struct stp *s, uint64_t addr)
{
	s->mac = addr;
	update_bridge(s);
}

uint64_t stp_mac(const struct stp *s)
{
	return s->mac;
}

void stp_set_priority(struct stp *s, uint16_t priority)
{
	s->priority = priority;
	for (unsigned int vid = 0; vid < N_VLANS; vid++)
		if (s->vlans[vid])
			s->vlans[vid]->priority = priority;
	update_bridge(s);
}

uint16_t stp_priority(const struct stp *s)
{
	return s->priority;
}

/* -ENXIO, -ENOMEM, or what is known of the VLAN. */
static int need_vlan(struct stp *s, unsigned int vid, struct stp_vlan **v)
{
	if (vid >= N_VLANS)
		return -EINVAL;
	if (!s->br->vlans[vid])
		return -ENXIO;
	*v = stp_vlan_know(s, vid);
	return *v ? 0 : -ENOMEM;
}

int stp_vlan_set_priority(struct stp *s, unsigned int vid, uint16_t priority)
{
	struct stp_vlan *v;
	int rc = need_vlan(s, vid, &v);

	if (rc)
		return rc;
	v->priority = priority;
	if (v->rstp) {
		(void)rstp_set_bridge(v->rstp, stp_bridge_id(s, v->vid),
				      stp_time(s));
		stp_note_due(v);
	}
	stp_settle(s);
	return 0;
}

uint16_t stp_vlan_priority(const struct stp *s, unsigned int vid)
{
	return s->vlans[vid] ? s->vlans[vid]->priority : s->priority;
}

int stp_set_params(struct stp *s, const struct rstp_params *params)
{
	if (!rstp_params_valid(params))
		return -EINVAL;
	s->params = *params;
	list_for_each(it, &s->trees) {
		struct stp_vlan *v = list_entry(it, struct stp_vlan, node);

		(void)rstp_set_params(v->rstp, params, stp_time(s));
		stp_note_due(v);
	}
	stp_settle(s);
	return 0;
}

struct rstp_params stp_params(const struct stp *s)
{
	return s->params;
}

int stp_port_set(struct stp *s, unsigned int port,
		 const struct stp_port_config *cf)
{
	if (port > s->br->numports)
		return -EINVAL;
	s->ports[port] = encode(cf);
	if (s->br->ports[port])
		stp_configure_all(s, s->br->ports[port], NULL);
	return 0;
}

struct stp_port_config stp_port_get(const struct stp *s, unsigned int port)
{
	return decode(s->ports[port]);
}

int stp_port_next(const struct stp *s, unsigned int from)
{
	for (; from < ARRAY_SIZE(s->ports); from++)
		if (s->ports[from])
			return (int)from;
	return -1;
}

int stp_member_set(struct stp *s, unsigned int vid, unsigned int port,
		   const struct stp_member_config *cf)
{
	struct stp_setting *set;
	struct stp_vlan *v = NULL;
	int rc = need_vlan(s, vid, &v);

	if (port > s->br->numports || cf->cost < 1 ||
	    cf->cost > RSTP_COST_MAX || cf->priority % 16)
		return -EINVAL;
	if (rc)
		return rc;
	if (is_default(cf)) {
		stp_setting_del(v, port);
	} else {
		set = find_setting(v, port);
		if (!set)
			set = add_setting(v, port);
		if (!set)
			return -ENOMEM;
		set->config = *cf;
	}
	if (v->rstp && s->br->ports[port])
		configure(v, s->br->ports[port], NULL);
	stp_settle(s);
	return 0;
}

struct stp_member_config stp_member_get(const struct stp *s, unsigned int vid,
					unsigned int port)
{
	return member_config(s->vlans[vid], port);
}

int stp_set_bonus(struct stp *s, unsigned int vid, unsigned int port,
		  int32_t bonus)
{
	struct stp_member_config cf = member_config(
		vid < N_VLANS ? s->vlans[vid] : NULL, port);
	int rc;

	cf.bonus = bonus;
	rc = stp_member_set(s, vid, port, &cf);
	if (!rc)
		s->vlans[vid]->bonus_port = (int)port;
	return rc;
}

int stp_bonus_port(const struct stp *s, unsigned int vid)
{
	return s->vlans[vid] ? s->vlans[vid]->bonus_port : -1;
}

int stp_member_next(const struct stp *s, unsigned int vid, unsigned int from)
{
	const struct stp_vlan *v = s->vlans[vid];
	unsigned int i = v ? setting_index(v, from) : 0;

	return v && i < v->n_settings ? (int)v->settings[i].port : -1;
}
