// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every function that reaches a tree ends in settle(), which forgets the
 * addresses that the trees asked to forget, in one pass over the table however
 * many they were, and every use of a tree is followed by note_due().
 */
#include "switch/stp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX
#define N_VLANS (BRIDGE_VLAN_LAST + 1)

/* What is set for a port in a VLAN, and is not the default. */
struct setting {
	unsigned int port;
	struct stp_member_config config;
};

struct vlan_tree {
	struct stp *stp;
	struct rstp *rstp; /* NULL: spanning tree is off, or there is no
			    * memory for it */
	unsigned int vid;
	uint16_t priority;
	int bonus_port;
	struct setting *settings; /* by port */
	unsigned int n_settings;
	size_t words; /* of these, which hold every port of the tree: */
	uint64_t *heard; /* ports where BPDUs came in since their link is up */
	uint64_t *flush; /* ports whose addresses are to be forgotten */
};

struct stp {
	struct bridge *br;
	const struct stp_ops *ops;
	void *ctx;
	struct bridge_listener listener;
	struct bridge_proto proto;
	bool on;
	uint64_t since;
	uint64_t mac;
	uint16_t priority;
	struct rstp_params params;
	uint64_t next; /* nothing is due before */
	uint64_t due[N_VLANS]; /* of the VLANs' trees, NEVER: nothing */
	struct vlan_tree *vlans[N_VLANS]; /* if there is anything to know */
	unsigned int n_flush; /* bits in their flush sets, */
	struct vlan_tree *flush_vlan; /* the first of which was set here: */
	unsigned int flush_port;
	uint8_t ports[BRIDGE_PORTS_MAX + 1]; /* encode() */
};

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

static uint64_t time_now(const struct stp *s)
{
	return s->ops->now(s->ctx);
}

static void tell(const struct vlan_tree *v, enum stp_event_type type, int port,
		 bool on)
{
	const struct stp_event ev = {
		.type = type, .vlan = v->vid, .port = port, .on = on
	};

	v->stp->ops->event(v->stp->ctx, &ev);
}

/* ---- what trees do to the bridge ---- */

static void transmit(void *ctx, unsigned int port, const uint8_t *frame,
		     size_t len)
{
	struct vlan_tree *v = ctx;

	/* What did not leave is sent again with the next hello. */
	(void)bridge_originate(v->stp->br, port, v->vid, frame, len);
}

static void set_state(void *ctx, unsigned int port, enum rstp_state state)
{
	static const enum bridge_state states[] = {
		[RSTP_DISCARDING] = BRIDGE_DISCARDING,
		[RSTP_LEARNING] = BRIDGE_LEARNING,
		[RSTP_FORWARDING] = BRIDGE_FORWARDING,
	};
	const struct vlan_tree *v = ctx;
	const struct stp_event ev = { .type = STP_STATE,
				      .vlan = v->vid,
				      .port = (int)port,
				      .state = states[state] };

	static_assert(ARRAY_SIZE(states) == RSTP_N_STATES,
		      "a state is missing");
	bridge_set_state(v->stp->br, v->vid, port, states[state]);
	v->stp->ops->event(v->stp->ctx, &ev);
}

static void flush(void *ctx, unsigned int port)
{
	struct vlan_tree *v = ctx;
	struct stp *s = v->stp;

	if (bits_test(v->flush, port))
		return;
	bits_set(v->flush, port);
	if (!s->n_flush++) {
		s->flush_vlan = v;
		s->flush_port = port;
	}
}

static void event(void *ctx, const struct rstp_event *ev)
{
	const struct vlan_tree *v = ctx;

	switch (ev->type) {
	case RSTP_NEW_ROOT:
		tell(v, STP_ROOT, ev->port, true);
		break;
	case RSTP_NEW_PEER:
		tell(v, STP_PEER, ev->port, true);
		break;
	case RSTP_BPDU_GUARD:
		tell(v, STP_BPDU_GUARD, ev->port, ev->on);
		break;
	case RSTP_ROOT_GUARD:
		tell(v, STP_ROOT_GUARD, ev->port, ev->on);
		break;
	case RSTP_LOOPED:
		tell(v, STP_LOOPED, ev->port, ev->on);
		break;
	case RSTP_TOPOLOGY_CHANGE: /* is counted */
	case RSTP_N_EVENTS:
		break;
	}
}

static const struct rstp_ops rstp_ops = { transmit, set_state, flush, event };

/* ---- after a tree was used ---- */

static void note_due(const struct vlan_tree *v)
{
	struct stp *s = v->stp;
	uint64_t next = rstp_next(v->rstp);

	s->due[v->vid] = next ? next : NEVER;
	if (s->due[v->vid] < s->next)
		s->next = s->due[v->vid];
}

/* VLANs that are not defined are in the tree of VLAN 0. */
static bool to_be_flushed(void *ctx, unsigned int vid, unsigned int port)
{
	const struct stp *s = ctx;
	const struct vlan_tree *v = s->br->vlans[vid] ? s->vlans[vid]
						      : s->vlans[0];

	return v && port / 64 < v->words && bits_test(v->flush, port);
}

static void settle(struct stp *s)
{
	struct vlan_tree *v = s->flush_vlan;

	if (!s->n_flush)
		return;
	if (s->n_flush == 1 && (v->vid || !s->br->n_vlans)) {
		mactab_flush(s->br->macs, (int)s->flush_port,
			     v->vid ? (int)v->vid : -1);
		bits_clear(v->flush, s->flush_port);
		s->n_flush = 0;
		return;
	}
	mactab_flush_if(s->br->macs, to_be_flushed, s);
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		v = s->vlans[vid];
		if (v && v->words)
			memset(v->flush, 0, v->words * sizeof(*v->flush));
	}
	s->n_flush = 0;
}

/* ---- settings ---- */

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
static unsigned int setting_index(const struct vlan_tree *v, unsigned int port)
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

static struct setting *find_setting(const struct vlan_tree *v,
				    unsigned int port)
{
	unsigned int i = setting_index(v, port);

	return i < v->n_settings && v->settings[i].port == port
		       ? &v->settings[i]
		       : NULL;
}

static struct setting *add_setting(struct vlan_tree *v, unsigned int port)
{
	unsigned int i = setting_index(v, port);
	struct setting *list;

	list = realloc(v->settings, (v->n_settings + 1) * sizeof(*list));
	if (!list)
		return NULL;
	memmove(&list[i + 1], &list[i], (v->n_settings - i) * sizeof(*list));
	list[i] = (struct setting){ port, STP_MEMBER_DEFAULT };
	v->settings = list;
	v->n_settings++;
	return &list[i];
}

static void del_setting(struct vlan_tree *v, unsigned int port)
{
	unsigned int i = setting_index(v, port);

	if (!find_setting(v, port))
		return;
	v->n_settings--;
	memmove(&v->settings[i], &v->settings[i + 1],
		(v->n_settings - i) * sizeof(*v->settings));
}

static struct stp_member_config member_config(const struct vlan_tree *v,
					      unsigned int port)
{
	const struct setting *set = v ? find_setting(v, port) : NULL;

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

static unsigned int count_endpoints(const struct port *p,
				    const struct endpoint *leaving)
{
	unsigned int n = 0;

	list_for_each(it, &p->endpoints) {
		n += list_entry(it, struct endpoint, node) != leaving;
	}
	return n;
}

/* @leaving: an endpoint that is as good as gone, or NULL. */
static struct rstp_port_config port_config(const struct vlan_tree *v,
					   const struct port *p,
					   const struct endpoint *leaving)
{
	struct stp_member_config m = member_config(v, p->id);
	struct stp_port_config cf = decode(v->stp->ports[p->id]);
	bool p2p = cf.p2p == STP_P2P_YES;

	if (cf.p2p == STP_P2P_AUTO)
		p2p = count_endpoints(p, leaving) <= 1;
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

static void configure(const struct vlan_tree *v, const struct port *p,
		      const struct endpoint *leaving)
{
	struct rstp_port_config cf = port_config(v, p, leaving);

	/* Not a member: there is nothing to configure. */
	(void)rstp_port_configure(v->rstp, p->id, &cf, time_now(v->stp));
	note_due(v);
}

static void configure_all(struct stp *s, const struct port *p,
			  const struct endpoint *leaving)
{
	for (unsigned int vid = 0; vid < N_VLANS; vid++)
		if (s->vlans[vid] && s->vlans[vid]->rstp)
			configure(s->vlans[vid], p, leaving);
	settle(s);
}

/* ---- trees ---- */

/* What is known of a VLAN that exists; NULL without memory. */
static struct vlan_tree *know_vlan(struct stp *s, unsigned int vid)
{
	struct vlan_tree *v = s->vlans[vid];

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->stp = s;
	v->vid = vid;
	v->priority = s->priority;
	v->bonus_port = -1;
	s->vlans[vid] = v;
	return v;
}

static void forget_vlan(struct stp *s, unsigned int vid)
{
	struct vlan_tree *v = s->vlans[vid];

	if (!v)
		return;
	rstp_free(v->rstp);
	free(v->settings);
	free(v->heard);
	free(v->flush);
	free(v);
	s->vlans[vid] = NULL;
	s->due[vid] = NEVER;
}

static uint64_t *longer(const uint64_t *set, size_t old, size_t words)
{
	uint64_t *b = calloc(words, sizeof(*b));

	if (b && old)
		memcpy(b, set, old * sizeof(*b));
	return b;
}

/* Room for the bridge's ports in the sets. */
static int make_room(struct vlan_tree *v)
{
	size_t words = v->stp->br->words;
	uint64_t *heard, *flush_set;

	if (words <= v->words)
		return 0;
	heard = longer(v->heard, v->words, words);
	flush_set = longer(v->flush, v->words, words);
	if (!heard || !flush_set) {
		free(heard);
		free(flush_set);
		return -ENOMEM;
	}
	free(v->heard);
	free(v->flush);
	v->heard = heard;
	v->flush = flush_set;
	v->words = words;
	return 0;
}

static void add_port(struct vlan_tree *v, const struct port *p)
{
	uint64_t now = time_now(v->stp);
	struct rstp_port_config cf = port_config(v, p, NULL);
	int rc = make_room(v);

	if (!rc)
		rc = rstp_port_add(v->rstp, p->id, &cf, now);
	if (!rc && port_is_active(p))
		rc = rstp_port_set_link(v->rstp, p->id, true, now);
	if (rc && rc != -EEXIST)
		tell(v, STP_NO_MEMORY, p->id, true);
}

static void unhear(struct vlan_tree *v, unsigned int port)
{
	if (port / 64 >= v->words || !bits_test(v->heard, port))
		return;
	bits_clear(v->heard, port);
	tell(v, STP_HEARD, (int)port, false);
}

static void del_port(struct vlan_tree *v, unsigned int port)
{
	unhear(v, port);
	(void)rstp_port_del(v->rstp, port,
			    time_now(v->stp)); /* if it is there */
}

static void update_member(struct vlan_tree *v, const struct port *p)
{
	if (!v || !v->rstp)
		return;
	if (vlan_is_member(v->stp->br->vlans[v->vid], p->id))
		add_port(v, p);
	else
		del_port(v, p->id);
	note_due(v);
}

/* The gate comes first: without memory the VLAN stays blocked, which is no
 * loop. */
static void start_tree(struct stp *s, unsigned int vid)
{
	const struct vlan *vlan = s->br->vlans[vid];
	struct vlan_tree *v = know_vlan(s, vid);
	struct rstp_config cf = {
		.ops = &rstp_ops, .ctx = v, .vid = vid, .params = s->params
	};
	uint64_t now = time_now(s);

	bridge_gate(s->br, vid, true);
	if (!v) {
		const struct vlan_tree lost = { .stp = s, .vid = vid };

		tell(&lost, STP_NO_MEMORY, -1, true);
		return;
	}
	cf.bridge = stp_bridge_id(s, vid);
	v->rstp = rstp_new(&cf, now);
	if (!v->rstp) {
		tell(v, STP_NO_MEMORY, -1, true);
		return;
	}
	rstp_begin(v->rstp);
	for (unsigned int i = 0; i <= s->br->numports; i++)
		if (s->br->ports[i] && vlan_is_member(vlan, i))
			add_port(v, s->br->ports[i]);
	rstp_commit(v->rstp, now);
	note_due(v);
}

static void stop_tree(struct stp *s, unsigned int vid)
{
	struct vlan_tree *v = s->vlans[vid];

	bridge_gate(s->br, vid, false);
	mactab_flush(s->br->macs, -1, (int)vid); /* other ways are open now */
	if (!v || !v->rstp)
		return;
	rstp_free(v->rstp);
	v->rstp = NULL;
	s->due[vid] = NEVER;
	for (unsigned int i = 0; i < 64 * v->words; i++)
		unhear(v, i);
	tell(v, STP_ROOT, -1, true);
}

int stp_set_on(struct stp *s, bool on)
{
	if (on && s->br->hub)
		return -EBUSY;
	if (on == s->on)
		return 0;
	s->on = on;
	s->since = time_now(s);
	if (on)
		bridge_proto_add(s->br, &s->proto);
	else
		bridge_proto_del(s->br, &s->proto);
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		if (!s->br->vlans[vid])
			continue;
		if (on)
			start_tree(s, vid);
		else
			stop_tree(s, vid);
	}
	settle(s);
	return 0;
}

bool stp_is_on(const struct stp *s)
{
	return s->on;
}

uint64_t stp_next(const struct stp *s)
{
	return s->next == NEVER ? 0 : s->next;
}

void stp_tick(struct stp *s, uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		if (s->due[vid] <= now) {
			uint64_t due = rstp_tick(s->vlans[vid]->rstp, now);

			s->due[vid] = due ? due : NEVER;
		}
		if (s->due[vid] < next)
			next = s->due[vid];
	}
	s->next = next;
	settle(s);
}

/* ---- what the bridge says ---- */

/* A BPDU of a VLAN that has no tree is a frame like others. */
static bool input(struct bridge_proto *proto, struct port *p, struct frame *f,
		  bool tagged)
{
	struct stp *s = container_of(proto, struct stp, proto);
	uint16_t vid = frame_vid(f);
	struct vlan_tree *v = vid < N_VLANS ? s->vlans[vid] : NULL;
	int rc;

	if (!s->br->vlans[vid])
		return false;
	if (!v || !v->rstp)
		return true; /* blocked for want of memory */
	rc = rstp_receive(v->rstp, p->id, f->data, f->len, s->br->now);
	if (!rc && p->id / 64U < v->words && !bits_test(v->heard, p->id)) {
		bits_set(v->heard, p->id);
		tell(v, STP_HEARD, p->id, true);
	}
	note_due(v);
	settle(s);
	return true;
}

static void link_changed(struct stp *s, unsigned int port, bool up)
{
	uint64_t now = time_now(s);

	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		struct vlan_tree *v = s->vlans[vid];

		if (!v || !v->rstp ||
		    rstp_port_set_link(v->rstp, port, up, now))
			continue;
		if (!up)
			unhear(v, port);
		note_due(v);
	}
}

/* A second endpoint, or no second one any more. */
static void endpoints_changed(struct stp *s, unsigned int port,
			      const struct endpoint *leaving)
{
	const struct port *p = s->br->ports[port];

	if (count_endpoints(p, leaving) == (leaving ? 1 : 2))
		configure_all(s, p, leaving);
}

static void port_removed(struct stp *s, unsigned int port)
{
	s->ports[port] = 0;
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		struct vlan_tree *v = s->vlans[vid];

		if (!v)
			continue;
		del_setting(v, port);
		if (v->bonus_port == (int)port)
			v->bonus_port = -1;
		if (v->rstp) {
			del_port(v, port);
			note_due(v);
		}
	}
}

static void notify(struct bridge_listener *l, const struct bridge_event *ev)
{
	struct stp *s = container_of(l, struct stp, listener);

	switch ((int)ev->type) {
	case BRIDGE_PORT_UP:
	case BRIDGE_PORT_DOWN:
		link_changed(s, ev->port, ev->type == BRIDGE_PORT_UP);
		break;
	case BRIDGE_ENDPOINT_NEW:
		endpoints_changed(s, ev->port, NULL);
		break;
	case BRIDGE_ENDPOINT_GONE:
		endpoints_changed(s, ev->port, ev->ep);
		break;
	case BRIDGE_MEMBER:
		update_member(s->vlans[ev->vlan], s->br->ports[ev->port]);
		break;
	case BRIDGE_PORT_REMOVED:
		port_removed(s, ev->port);
		break;
	case BRIDGE_VLAN_CREATED:
		if (s->on)
			start_tree(s, ev->vlan);
		break;
	case BRIDGE_VLAN_REMOVED:
		forget_vlan(s, ev->vlan);
		break;
	case BRIDGE_HUB:
		if (s->br->hub)
			stp_set_on(s, false);
		break;
	default:
		break;
	}
	settle(s);
}

/* ---- life ---- */

struct stp *stp_new(struct bridge *br, const struct stp_ops *ops, void *ctx)
{
	struct stp *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->br = br;
	s->ops = ops;
	s->ctx = ctx;
	s->priority = STP_PRIORITY_DEFAULT;
	s->params = RSTP_PARAMS_DEFAULT;
	s->next = NEVER;
	for (unsigned int vid = 0; vid < N_VLANS; vid++)
		s->due[vid] = NEVER;
	s->since = time_now(s);
	s->proto.addr = RSTP_BPDU_ADDR;
	s->proto.input = input;
	s->listener.events = 1u << BRIDGE_PORT_UP | 1u << BRIDGE_PORT_DOWN |
			     1u << BRIDGE_ENDPOINT_NEW |
			     1u << BRIDGE_ENDPOINT_GONE | 1u << BRIDGE_MEMBER |
			     1u << BRIDGE_PORT_REMOVED |
			     1u << BRIDGE_VLAN_CREATED |
			     1u << BRIDGE_VLAN_REMOVED | 1u << BRIDGE_HUB;
	s->listener.fn = notify;
	bridge_listen(br, &s->listener);
	return s;
}

void stp_free(struct stp *s)
{
	if (!s)
		return;
	stp_set_on(s, false);
	bridge_unlisten(s->br, &s->listener);
	for (unsigned int vid = 0; vid < N_VLANS; vid++)
		forget_vlan(s, vid);
	free(s);
}

/* ---- settings, from outside ---- */

static void update_bridge(struct stp *s)
{
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		struct vlan_tree *v = s->vlans[vid];

		if (!v || !v->rstp)
			continue;
		(void)rstp_set_bridge(v->rstp, stp_bridge_id(s, v->vid),
				      time_now(s));
		note_due(v);
	}
	settle(s);
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
static int need_vlan(struct stp *s, unsigned int vid, struct vlan_tree **v)
{
	if (vid >= N_VLANS)
		return -EINVAL;
	if (!s->br->vlans[vid])
		return -ENXIO;
	*v = know_vlan(s, vid);
	return *v ? 0 : -ENOMEM;
}

int stp_vlan_set_priority(struct stp *s, unsigned int vid, uint16_t priority)
{
	struct vlan_tree *v;
	int rc = need_vlan(s, vid, &v);

	if (rc)
		return rc;
	v->priority = priority;
	if (v->rstp) {
		(void)rstp_set_bridge(v->rstp, stp_bridge_id(s, v->vid),
				      time_now(s));
		note_due(v);
	}
	settle(s);
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
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		struct vlan_tree *v = s->vlans[vid];

		if (!v || !v->rstp)
			continue;
		(void)rstp_set_params(v->rstp, params, time_now(s));
		note_due(v);
	}
	settle(s);
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
		configure_all(s, s->br->ports[port], NULL);
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
	struct setting *set;
	struct vlan_tree *v = NULL;
	int rc = need_vlan(s, vid, &v);

	if (port > s->br->numports || cf->cost < 1 ||
	    cf->cost > RSTP_COST_MAX || cf->priority % 16)
		return -EINVAL;
	if (rc)
		return rc;
	if (is_default(cf)) {
		del_setting(v, port);
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
	settle(s);
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
	const struct vlan_tree *v = s->vlans[vid];
	unsigned int i = v ? setting_index(v, from) : 0;

	return v && i < v->n_settings ? (int)v->settings[i].port : -1;
}

void stp_mcheck(struct stp *s, int port)
{
	for (unsigned int vid = 0; vid < N_VLANS; vid++) {
		struct vlan_tree *v = s->vlans[vid];

		if (!v || !v->rstp)
			continue;
		for (int i = rstp_port_next(v->rstp, 0); i >= 0;
		     i = rstp_port_next(v->rstp, (unsigned int)i + 1))
			if (port < 0 || i == port)
				(void)rstp_port_mcheck(v->rstp, (unsigned int)i,
						       time_now(s));
		note_due(v);
	}
	settle(s);
}

/* ---- looking ---- */

const struct rstp *stp_tree(const struct stp *s, unsigned int vid)
{
	return s->vlans[vid] ? s->vlans[vid]->rstp : NULL;
}

uint64_t stp_bridge_id(const struct stp *s, unsigned int vid)
{
	return (uint64_t)stp_vlan_priority(s, vid) << 48 | s->mac;
}

uint64_t stp_since(const struct stp *s)
{
	return s->since;
}
