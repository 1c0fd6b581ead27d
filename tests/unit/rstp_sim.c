// SPDX-License-Identifier: GPL-2.0-or-later
#include "rstp_sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "vde2_model.h"

#define NODES (SIM_BRIDGES + SIM_LANS)

/* ---- loops ---- */

static unsigned int find(unsigned int *of, unsigned int i)
{
	while (of[i] != i)
		i = of[i] = of[of[i]];
	return i;
}

static bool passes(const struct sim_port *p, bool forwarding)
{
	return p->bridge && p->bridge->alive && p->up && !p->lan->mute &&
	       (!forwarding || p->state == RSTP_FORWARDING);
}

/* Joins bridges and LANs; true if two were joined already. */
static bool join(const struct sim *s, bool forwarding, unsigned int *of)
{
	bool loop = false;

	for (unsigned int i = 0; i < NODES; i++)
		of[i] = i;
	for (unsigned int b = 0; b < s->n_bridges; b++) {
		for (unsigned int i = 0; i < SIM_PORTS; i++) {
			const struct sim_port *p = &s->bridges[b].ports[i];
			unsigned int x, y;

			if (!passes(p, forwarding))
				continue;
			x = find(of, b);
			y = find(of, SIM_BRIDGES +
					     (unsigned int)(p->lan - s->lans));
			loop |= x == y;
			of[x] = y;
		}
	}
	return loop;
}

static void look_for_loops(struct sim *s)
{
	unsigned int of[NODES];
	bool loop = join(s, true, of);

	if (s->looped && !loop)
		s->loop_time += s->now - s->loop_since;
	if (loop && !s->looped) {
		s->loop_since = s->now;
		s->loop_time++; /* one that is gone at once counts too */
		if (!s->first_loop)
			s->first_loop = s->now;
	}
	s->looped = loop;
}

void sim_groups(const struct sim *s, bool forwarding,
		unsigned int group[static SIM_BRIDGES])
{
	unsigned int of[NODES];

	join(s, forwarding, of);
	for (unsigned int b = 0; b < SIM_BRIDGES; b++)
		group[b] = find(of, b);
}

bool sim_connected(const struct sim *s)
{
	unsigned int can[SIM_BRIDGES], does[SIM_BRIDGES];

	sim_groups(s, false, can);
	sim_groups(s, true, does);
	for (unsigned int i = 0; i < s->n_bridges; i++)
		for (unsigned int j = 0; j < i; j++)
			if (s->bridges[i].alive && s->bridges[j].alive &&
			    can[i] == can[j] && does[i] != does[j])
				return false;
	return true;
}

/* ---- the oracle ---- */

struct path {
	uint64_t root;
	uint64_t cost;
};

/* One round of relaxing: what each port makes of what its LAN offers. */
static bool relax(const struct sim *s, struct path *path)
{
	bool changed = false;

	for (unsigned int b = 0; b < s->n_bridges; b++) {
		for (unsigned int i = 0; i < SIM_PORTS; i++) {
			const struct sim_port *p = &s->bridges[b].ports[i];

			if (!passes(p, false))
				continue;
			for (unsigned int k = 0; k < p->lan->n_ports; k++) {
				const struct sim_port *q = p->lan->ports[k];
				const struct path *o;
				uint64_t cost;

				if (!passes(q, false))
					continue;
				o = &path[q->bridge - s->bridges];
				cost = o->cost + p->config.path_cost;
				if (o->root < path[b].root ||
				    (o->root == path[b].root &&
				     cost < path[b].cost)) {
					path[b] = (struct path){ o->root,
								 cost };
					changed = true;
				}
			}
		}
	}
	return changed;
}

bool sim_matches_oracle(const struct sim *s)
{
	struct path path[SIM_BRIDGES];

	for (unsigned int b = 0; b < s->n_bridges; b++)
		path[b] = (struct path){ s->bridges[b].id, 0 };
	while (relax(s, path))
		;
	for (unsigned int b = 0; b < s->n_bridges; b++) {
		struct rstp_info in;

		if (!s->bridges[b].rstp)
			continue;
		rstp_get_info(s->bridges[b].rstp, &in);
		if (in.root != path[b].root || in.root_cost != path[b].cost)
			return false;
	}
	return true;
}

/* ---- frames in flight ---- */

static bool earlier(const struct sim_frame *a, const struct sim_frame *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void swap(struct sim_frame *a, struct sim_frame *b)
{
	struct sim_frame t = *a;

	*a = *b;
	*b = t;
}

static void push(struct sim *s, const struct sim_frame *f)
{
	size_t i = s->n_frames++;

	if (i == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->frames = realloc(s->frames, s->room * sizeof(*f));
	}
	s->frames[i] = *f;
	for (; i && earlier(&s->frames[i], &s->frames[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(&s->frames[i], &s->frames[(i - 1) / 2]);
}

static struct sim_frame pop(struct sim *s)
{
	struct sim_frame top = s->frames[0];
	size_t i = 0, k;

	s->frames[0] = s->frames[--s->n_frames];
	while ((k = 2 * i + 1) < s->n_frames) {
		if (k + 1 < s->n_frames &&
		    earlier(&s->frames[k + 1], &s->frames[k]))
			k++;
		if (!earlier(&s->frames[k], &s->frames[i]))
			break;
		swap(&s->frames[i], &s->frames[k]);
		i = k;
	}
	return top;
}

static void push_all(struct sim *s, const struct sim_port *from,
		     struct sim_frame *f)
{
	const struct sim_lan *lan = from->lan;

	for (unsigned int i = 0; !lan->mute && i < lan->n_ports; i++) {
		f->to = lan->ports[i];
		f->seq = s->seq++;
		if (f->to != from)
			push(s, f);
	}
}

static void send_frame(struct sim *s, struct sim_port *from,
		       const uint8_t *frame, size_t len)
{
	struct sim_frame f = { .due = s->now + from->lan->delay, .len = len };

	from->sent++;
	if (len > sizeof(f.bytes))
		return;
	memcpy(f.bytes, frame, len);
	push_all(s, from, &f);
}

/* By all forwarding ports but the one that it came from. */
static void flood(struct sim *s, struct sim_bridge *b,
		  const struct sim_port *in, const struct sim_frame *f)
{
	for (unsigned int i = 0; i < SIM_PORTS; i++) {
		const struct sim_port *p = &b->ports[i];
		struct sim_frame copy = *f;

		if (p == in || !passes(p, true))
			continue;
		copy.due = s->now + p->lan->delay + s->talk_late;
		push_all(s, p, &copy);
	}
}

static void hear(struct sim *s, const struct sim_frame *f)
{
	struct sim_bridge *b = f->to->bridge;
	uint64_t *heard = b->heard[f->from - s->bridges];
	uint64_t bit = UINT64_C(1) << f->word % 64;

	if (!passes(f->to, true))
		return;
	if (heard[f->word / 64] & bit || f->from == b) {
		s->twice++;
		if (!s->first_twice)
			s->first_twice = s->now;
	}
	heard[f->word / 64] |= bit;
	flood(s, b, f->to, f);
}

static void talk(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_bridges; i++) {
		struct sim_bridge *b = &s->bridges[i];
		struct sim_frame f = { .from = b, .word = b->said };

		if (!b->alive || b->said == SIM_WORDS)
			continue;
		b->said++;
		flood(s, b, NULL, &f);
	}
	s->talk_at = s->now + s->talk_period;
}

void sim_talk(struct sim *s, uint64_t period, uint64_t late)
{
	s->talk_period = period;
	s->talk_late = late;
	s->talk_at = period ? s->now : 0;
}

static void deliver(struct sim *s, const struct sim_frame *f)
{
	struct sim_bridge *b = f->to->bridge;

	if (f->from) {
		hear(s, f);
		return;
	}
	if (!passes(f->to, false))
		return;
	if (b->kind == SIM_VDE2)
		vde2_receive(b->vde2, f->to->number, f->bytes, f->len, s->now);
	else if (b->kind != SIM_STP || f->len <= 20 || f->bytes[20] != 2)
		rstp_receive(b->rstp, f->to->number, f->bytes, f->len, s->now);
}

/* ---- what bridges do ---- */

static void on_transmit(void *ctx, unsigned int port, const uint8_t *frame,
			size_t len)
{
	struct sim_bridge *b = ctx;

	send_frame(b->sim, &b->ports[port], frame, len);
}

static void on_state(void *ctx, unsigned int port, enum rstp_state state)
{
	struct sim_bridge *b = ctx;

	b->ports[port].state = state;
	look_for_loops(b->sim);
}

static void on_flush(void *ctx, unsigned int port)
{
	struct sim_bridge *b = ctx;

	b->ports[port].flushes++;
}

static void on_event(void *ctx, const struct rstp_event *ev)
{
	struct sim_bridge *b = ctx;

	b->events[ev->type]++;
}

static const struct rstp_ops ops = { on_transmit, on_state, on_flush,
				     on_event };

/* ---- building ---- */

struct sim *sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	s->now = SIM_SEC;
	return s;
}

void sim_free(struct sim *s)
{
	for (unsigned int b = 0; b < s->n_bridges; b++) {
		rstp_free(s->bridges[b].rstp);
		vde2_free(s->bridges[b].vde2);
	}
	free(s->frames);
	free(s);
}

/* A cable with nobody at the other end is seen to be one. */
static bool works(const struct sim_lan *lan)
{
	for (unsigned int i = 0; lan->n_ports == 2 && i < 2; i++)
		if (!lan->ports[i]->bridge->alive)
			return false;
	return lan->up;
}

static void port_link(struct sim_port *p)
{
	struct sim_bridge *b = p->bridge;
	bool up = works(p->lan) && b->alive;

	if (up == p->up)
		return;
	p->up = up;
	if (b->kind == SIM_VDE2)
		vde2_link(b->vde2, p->number, up, b->sim->now);
	else
		rstp_port_set_link(b->rstp, p->number, up, b->sim->now);
	look_for_loops(b->sim);
}

static void start_bridge(struct sim_bridge *b)
{
	const struct rstp_config cf = {
		.ops = &ops, .ctx = b, .bridge = b->id, .params = b->params
	};

	b->alive = true;
	if (b->kind == SIM_VDE2)
		b->vde2 = vde2_new(&ops, b, b->id, b->sim->now);
	else
		b->rstp = rstp_new(&cf, b->sim->now);
	for (unsigned int i = 0; i < SIM_PORTS; i++) {
		struct sim_port *p = &b->ports[i];

		if (!p->bridge)
			continue;
		if (b->rstp)
			rstp_port_add(b->rstp, i, &p->config, b->sim->now);
		port_link(p);
	}
}

struct sim_bridge *sim_bridge_add(struct sim *s, const char *name,
				  enum sim_kind kind, uint64_t id,
				  const struct rstp_params *params)
{
	struct sim_bridge *b = &s->bridges[s->n_bridges++];

	b->sim = s;
	b->name = name;
	b->kind = kind;
	b->id = id;
	b->params = *params;
	b->params.stp = kind == SIM_STP;
	start_bridge(b);
	return b;
}

struct sim_lan *sim_lan_add(struct sim *s, const char *name, uint64_t delay)
{
	struct sim_lan *l = &s->lans[s->n_lans++];

	*l = (struct sim_lan){ .name = name, .up = true, .delay = delay };
	return l;
}

struct rstp_port_config sim_port_defaults(void)
{
	return (struct rstp_port_config){ .path_cost = 20000000,
					  .priority = RSTP_PRIORITY_DEFAULT,
					  .enabled = true,
					  .auto_edge = true,
					  .point_to_point = true };
}

struct sim_port *sim_attach(struct sim_lan *lan, struct sim_bridge *b,
			    unsigned int number,
			    const struct rstp_port_config *config)
{
	struct sim_port *p = &b->ports[number];

	*p = (struct sim_port){
		.bridge = b, .lan = lan, .number = number, .config = *config
	};
	lan->ports[lan->n_ports++] = p;
	if (b->rstp)
		rstp_port_add(b->rstp, number, config, b->sim->now);
	port_link(p);
	return p;
}

void sim_configure(struct sim_port *p, const struct rstp_port_config *config)
{
	p->config = *config;
	if (p->bridge->rstp)
		rstp_port_configure(p->bridge->rstp, p->number, config,
				    p->bridge->sim->now);
}

static void refresh_lan(struct sim_lan *lan)
{
	for (unsigned int i = 0; i < lan->n_ports; i++)
		port_link(lan->ports[i]);
}

void sim_lan_set(struct sim *s, struct sim_lan *lan, bool up)
{
	lan->up = up;
	refresh_lan(lan);
}

void sim_lan_mute(struct sim *s, struct sim_lan *lan, bool mute)
{
	lan->mute = mute;
	look_for_loops(s);
}

static void refresh_bridge(struct sim_bridge *b)
{
	for (unsigned int i = 0; i < SIM_PORTS; i++)
		if (b->ports[i].bridge)
			refresh_lan(b->ports[i].lan);
}

void sim_kill(struct sim *s, struct sim_bridge *b)
{
	b->alive = false;
	rstp_free(b->rstp);
	vde2_free(b->vde2);
	b->rstp = NULL;
	b->vde2 = NULL;
	for (unsigned int i = 0; i < SIM_PORTS; i++) {
		b->ports[i].up = false;
		b->ports[i].state = RSTP_DISCARDING;
	}
	refresh_bridge(b);
	look_for_loops(s);
}

void sim_revive(struct sim *s, struct sim_bridge *b)
{
	start_bridge(b);
	refresh_bridge(b);
}

void sim_inject(struct sim_port *p, const uint8_t *frame, size_t len)
{
	struct sim_frame f = { .to = p, .len = len };

	memcpy(f.bytes, frame, len);
	deliver(p->bridge->sim, &f);
}

/* ---- running ---- */

static uint64_t bridge_next(const struct sim_bridge *b)
{
	uint64_t next = 0;

	if (b->rstp)
		next = rstp_next(b->rstp);
	else if (b->vde2)
		next = vde2_next(b->vde2);
	return next ? next : UINT64_MAX;
}

uint64_t sim_next(const struct sim *s)
{
	uint64_t next = s->n_frames ? s->frames[0].due : UINT64_MAX;

	if (s->talk_at && s->talk_at < next)
		next = s->talk_at;
	for (unsigned int b = 0; b < s->n_bridges; b++) {
		uint64_t t = bridge_next(&s->bridges[b]);

		if (t < next)
			next = t;
	}
	return next;
}

void sim_run_until(struct sim *s, uint64_t then)
{
	uint64_t next;

	while ((next = sim_next(s)) <= then) {
		if (next > s->now)
			s->now = next;
		while (s->n_frames && s->frames[0].due <= s->now) {
			struct sim_frame f = pop(s);

			deliver(s, &f);
		}
		if (s->talk_at && s->talk_at <= s->now)
			talk(s);
		for (unsigned int b = 0; b < s->n_bridges; b++) {
			if (bridge_next(&s->bridges[b]) > s->now)
				continue;
			if (s->bridges[b].rstp)
				rstp_tick(s->bridges[b].rstp, s->now);
			else
				vde2_tick(s->bridges[b].vde2, s->now);
		}
	}
	s->now = then;
	if (s->looped) {
		s->loop_time += s->now - s->loop_since;
		s->loop_since = s->now;
	}
}
