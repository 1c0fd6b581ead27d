// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instances, ports and time. What comes in from outside changes a port, marks
 * it dirty and calls run(), where the machines of dirty ports make transitions
 * until none is left, then transmit at most once for each port.
 *
 * Most transitions concern their own port only: a repeated BPDU or a hello
 * costs the same in a tree of three ports and of three thousand. Those that
 * others may wait for ask for a sweep over all ports. Timers are absolute, so
 * between two of them nothing happens at all.
 */
#include "switch/rstp_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A neighbour sends ten or twenty BPDUs in a second at most, a LAN may have
 * many neighbours. VDE 2 is known to send 50000. */
#define RX_BURST 100
#define RX_GAP (SEC / 50)

int rstp_vector_cmp(const struct rstp_vector *a, const struct rstp_vector *b)
{
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	if (a->bridge != b->bridge)
		return a->bridge < b->bridge ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->rx_port != b->rx_port)
		return a->rx_port < b->rx_port ? -1 : 1;
	return 0;
}

bool rstp_times_equal(const struct rstp_times *a, const struct rstp_times *b)
{
	return a->message_age == b->message_age && a->max_age == b->max_age &&
	       a->hello == b->hello && a->forward_delay == b->forward_delay;
}

void rstp_tell(struct rstp *r, enum rstp_event_type type,
	       const struct rstp_port *p, bool on)
{
	const struct rstp_event ev = { type, p ? p->number : -1, on };

	r->ops->event(r->ctx, &ev);
}

/* ---- running ---- */

static void mark_dirty(struct rstp_port *p)
{
	list_del(&p->dirty);
	list_add_tail(&p->r->dirty, &p->dirty);
}

static bool step(struct rstp_port *p)
{
	bool moved = rstp_port_protocol_migration(p);

	moved |= rstp_bridge_detection(p);
	moved |= rstp_port_information(p);
	moved |= rstp_port_role_transitions(p);
	moved |= rstp_port_state_transition(p);
	moved |= rstp_topology_change(p);
	return moved;
}

static void run_port(struct rstp_port *p)
{
	list_del(&p->dirty);
	list_add_tail(&p->r->touched, &p->dirty);
	while (step(p))
		;
}

/* Roles are selected when all that has something to say for it has said it. */
static void run_machines(struct rstp *r)
{
	while (r->reselect || r->sweep || !list_empty(&r->dirty)) {
		while (!list_empty(&r->dirty))
			run_port(list_entry(r->dirty.next, struct rstp_port,
					    dirty));
		if (r->reselect)
			rstp_port_role_selection(r);
		else if (!r->sweep)
			break;
		r->sweep = false;
		for (unsigned int i = 0; i < r->n_ports; i++)
			run_port(r->ports[i]);
	}
}

static void update_deadline(struct rstp_port *p)
{
	uint64_t first = rstp_port_transmit_again(p);

	for (int t = 0; t < RSTP_N_TIMERS; t++)
		if (p->timer[t] && p->timer[t] < first)
			first = p->timer[t];
	p->deadline = first;
	if (first < p->r->next)
		p->r->next = first;
}

static void run_now(struct rstp *r)
{
	run_machines(r);
	list_for_each_safe(it, tmp, &r->touched) {
		struct rstp_port *p = list_entry(it, struct rstp_port, dirty);

		list_del(&p->dirty);
		rstp_port_transmit(p);
		update_deadline(p);
	}
}

static void run(struct rstp *r)
{
	if (!r->batch)
		run_now(r);
}

void rstp_begin(struct rstp *r)
{
	r->batch = true;
}

static void set_now(struct rstp *r, uint64_t now)
{
	if (now > r->now)
		r->now = now < HELD / 2 ? now : HELD / 2;
}

void rstp_commit(struct rstp *r, uint64_t now)
{
	r->batch = false;
	set_now(r, now);
	run(r);
}

/* ---- time ---- */

static void end_timers(struct rstp_port *p)
{
	for (int t = 0; t < RSTP_N_TIMERS; t++) {
		if (!p->timer[t] || p->timer[t] > p->r->now)
			continue;
		p->timer[t] = 0;
		if (t == RR_WHILE) /* reRooted: for other ports */
			p->r->sweep = true;
		if (t == LOOPED_WHILE) {
			p->looped = false;
			rstp_tell(p->r, RSTP_LOOPED, p, false);
		}
	}
	mark_dirty(p);
}

uint64_t rstp_next(const struct rstp *r)
{
	return r->next == HELD ? 0 : r->next;
}

uint64_t rstp_tick(struct rstp *r, uint64_t now)
{
	rstp_commit(r, now);
	if (r->now < r->next)
		return rstp_next(r);
	for (unsigned int i = 0; i < r->n_ports; i++)
		if (r->ports[i]->deadline <= r->now)
			end_timers(r->ports[i]);
	if (r->settled_at && r->settled_at <= r->now) {
		r->settled_at = 0;
		r->reselect = true;
	}
	if (r->drained_at && r->drained_at <= r->now) {
		r->drained_at = 0;
		r->sweep = true;
	}
	run_now(r);
	r->next = r->settled_at ? r->settled_at : HELD;
	if (r->drained_at && r->drained_at < r->next)
		r->next = r->drained_at;
	for (unsigned int i = 0; i < r->n_ports; i++)
		if (r->ports[i]->deadline < r->next)
			r->next = r->ports[i]->deadline;
	return rstp_next(r);
}

/* ---- the bridge ---- */

bool rstp_params_valid(const struct rstp_params *pa)
{
	return pa->hello_s >= 1 && pa->hello_s <= 10 && pa->max_age_s >= 6 &&
	       pa->max_age_s <= 40 && pa->forward_delay_s >= 4 &&
	       pa->forward_delay_s <= 30 && pa->tx_hold >= 1 &&
	       pa->tx_hold <= 10 &&
	       2 * (pa->forward_delay_s - 1) >= pa->max_age_s &&
	       pa->max_age_s >= 2 * (pa->hello_s + 1);
}

static void set_bridge_times(struct rstp *r)
{
	r->bridge_times = (struct rstp_times){
		.max_age = (uint16_t)(r->params.max_age_s * RSTP_SECOND),
		.hello = (uint16_t)(r->params.hello_s * RSTP_SECOND),
		.forward_delay = (uint16_t)(r->params.forward_delay_s *
					    RSTP_SECOND),
	};
}

struct rstp *rstp_new(const struct rstp_config *cf, uint64_t now)
{
	struct rstp *r;

	if (!rstp_params_valid(&cf->params))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->ops = cf->ops;
	r->ctx = cf->ctx;
	r->vid = cf->vid;
	r->params = cf->params;
	r->bridge = cf->bridge;
	r->next = HELD;
	list_init(&r->dirty);
	list_init(&r->touched);
	set_now(r, now);
	set_bridge_times(r);
	r->root_priority.root = r->bridge;
	r->heard = r->now;
	rstp_port_role_selection(r);
	return r;
}

void rstp_free(struct rstp *r)
{
	if (!r)
		return;
	for (unsigned int i = 0; i < r->n_ports; i++)
		free(r->ports[i]);
	free(r->ports);
	free(r);
}

int rstp_set_bridge(struct rstp *r, uint64_t bridge, uint64_t now)
{
	set_now(r, now);
	r->bridge = bridge;
	r->reselect = true;
	run(r);
	return 0;
}

static void update_enabled(struct rstp_port *p)
{
	bool on = p->link && p->config.enabled && !p->violated;

	if (on != p->port_enabled) {
		rstp_port_set_enabled(p, on);
		mark_dirty(p);
	}
}

int rstp_set_params(struct rstp *r, const struct rstp_params *pa, uint64_t now)
{
	bool begin = pa->stp != r->params.stp;

	if (!rstp_params_valid(pa))
		return -EINVAL;
	set_now(r, now);
	for (unsigned int i = 0; begin && i < r->n_ports; i++) {
		rstp_port_set_enabled(r->ports[i], false);
		mark_dirty(r->ports[i]);
	}
	run_now(r); /* BEGIN: every port is off for a moment */
	r->params = *pa;
	set_bridge_times(r);
	for (unsigned int i = 0; begin && i < r->n_ports; i++)
		update_enabled(r->ports[i]);
	r->reselect = true;
	run(r);
	return 0;
}

/* ---- ports ---- */

unsigned int rstp_port_index(const struct rstp *r, unsigned int number)
{
	unsigned int low = 0, high = r->n_ports;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (r->ports[mid]->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct rstp_port *rstp_port_find(const struct rstp *r, unsigned int number)
{
	unsigned int i = rstp_port_index(r, number);

	return i < r->n_ports && r->ports[i]->number == number ? r->ports[i]
							       : NULL;
}

static bool config_valid(const struct rstp_port_config *cf)
{
	return cf->path_cost >= 1 && cf->path_cost <= RSTP_COST_MAX &&
	       cf->priority % 16 == 0;
}

/* 9.2.7: four bits of priority, twelve of number. */
static void set_port_id(struct rstp_port *p)
{
	p->port_id = (uint16_t)(p->config.priority << 8 | (p->number & 0xfff));
	p->port_priority.rx_port = p->port_id;
}

static int make_room(struct rstp *r)
{
	unsigned int room = r->room ? 2 * r->room : 8;
	struct rstp_port **ports;

	if (r->n_ports < r->room)
		return 0;
	ports = realloc(r->ports, room * sizeof(struct rstp_port *));
	if (!ports)
		return -ENOMEM;
	r->ports = ports;
	r->room = room;
	return 0;
}

int rstp_port_add(struct rstp *r, unsigned int number,
		  const struct rstp_port_config *cf, uint64_t now)
{
	unsigned int i = rstp_port_index(r, number);
	struct rstp_port *p;

	if (number > UINT16_MAX || !config_valid(cf))
		return -EINVAL;
	if (rstp_port_find(r, number))
		return -EEXIST;
	if (make_room(r))
		return -ENOMEM;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	set_now(r, now);
	p->r = r;
	p->number = (uint16_t)number;
	p->config = *cf;
	list_init(&p->dirty);
	set_port_id(p);
	rstp_port_begin(p);
	memmove(&r->ports[i + 1], &r->ports[i],
		(r->n_ports - i) * sizeof(struct rstp_port *));
	r->ports[i] = p;
	r->n_ports++;
	mark_dirty(p);
	run(r);
	return 0;
}

int rstp_port_del(struct rstp *r, unsigned int number, uint64_t now)
{
	unsigned int i = rstp_port_index(r, number);
	struct rstp_port *p = rstp_port_find(r, number);

	if (!p)
		return -ENXIO;
	rstp_port_set_link(r, number, false, now);
	run_now(r);
	memmove(&r->ports[i], &r->ports[i + 1],
		(r->n_ports - i - 1) * sizeof(struct rstp_port *));
	r->n_ports--;
	list_del(&p->dirty);
	free(p);
	return 0;
}

static void forgive(struct rstp_port *p)
{
	if (!p->violated)
		return;
	p->violated = false;
	rstp_tell(p->r, RSTP_BPDU_GUARD, p, false);
}

int rstp_port_configure(struct rstp *r, unsigned int number,
			const struct rstp_port_config *cf, uint64_t now)
{
	struct rstp_port *p = rstp_port_find(r, number);
	struct rstp_port_config old;

	if (!p)
		return -ENXIO;
	if (!config_valid(cf))
		return -EINVAL;
	set_now(r, now);
	old = p->config;
	p->config = *cf;
	set_port_id(p);
	if (cf->path_cost != old.path_cost || cf->priority != old.priority ||
	    cf->root_guard != old.root_guard)
		r->reselect = true; /* 17.13 */
	if (cf->admin_edge != old.admin_edge)
		p->oper_edge = cf->admin_edge; /* BEGIN of 17.25 */
	if (!cf->bpdu_guard)
		forgive(p);
	update_enabled(p);
	mark_dirty(p);
	run(r);
	return 0;
}

int rstp_port_set_link(struct rstp *r, unsigned int number, bool up,
		       uint64_t now)
{
	struct rstp_port *p = rstp_port_find(r, number);

	if (!p)
		return -ENXIO;
	set_now(r, now);
	p->link = up;
	if (!up)
		forgive(p);
	update_enabled(p);
	run(r);
	return 0;
}

int rstp_port_mcheck(struct rstp *r, unsigned int number, uint64_t now)
{
	struct rstp_port *p = rstp_port_find(r, number);

	if (!p)
		return -ENXIO;
	set_now(r, now);
	p->mcheck = true;
	mark_dirty(p);
	run(r);
	return 0;
}

/* ---- what arrives ---- */

/* Losing BPDUs must not open a port: while they come too fast to be read,
 * nothing that was received gets old. */
static bool excess(struct rstp_port *p)
{
	uint64_t now = p->r->now;

	if (p->rx_empty < now)
		p->rx_empty = now;
	if (p->rx_empty <= now + (RX_BURST - 1) * RX_GAP) {
		p->rx_empty += RX_GAP;
		return false;
	}
	p->rx_excess++;
	if (p->info_is == INFO_RECEIVED && running(p, RCVD_INFO_WHILE))
		start(p, RCVD_INFO_WHILE, 3U * p->port_times.hello);
	return true;
}

static void violate(struct rstp_port *p)
{
	if (p->violated)
		return;
	p->violated = true;
	rstp_tell(p->r, RSTP_BPDU_GUARD, p, true);
	update_enabled(p);
}

int rstp_port_violate(struct rstp *r, unsigned int number, uint64_t now)
{
	struct rstp_port *p = rstp_port_find(r, number);

	if (!p)
		return -ENXIO;
	set_now(r, now);
	if (p->config.bpdu_guard && p->link)
		violate(p);
	run(r);
	return 0;
}

int rstp_receive(struct rstp *r, unsigned int number, const uint8_t *frame,
		 size_t len, uint64_t now)
{
	struct rstp_port *p = rstp_port_find(r, number);
	struct rstp_bpdu b;

	if (!p)
		return -ENXIO;
	set_now(r, now);
	if (!p->port_enabled) /* DISCARD of 17.23 */
		return 0;
	if (excess(p))
		return -EBUSY;
	if (!rstp_bpdu_parse(&b, frame, len)) {
		p->rx_bad++;
		return -EBADMSG;
	}
	p->rx[b.kind]++;
	if (p->config.bpdu_guard)
		violate(p);
	else
		rstp_port_receive(p, &b);
	mark_dirty(p);
	run_now(r);
	return 0;
}
