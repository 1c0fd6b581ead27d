// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every port that something is plugged into is in a list; a round walks it and
 * probes each port, a burst of frames at a time with a pause in between, so
 * that a thousand ports do not send in one go. Ports that were just plugged in
 * come first, in bursts of the same size.
 *
 * A port that is to be held, but not yet (another switch may act), is a
 * suspect: after its delay it is asked by a probe of its own, and only probes
 * sent since then count. A suspect that nothing comes back for is forgotten.
 */
#include "switch/loopguard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/list.h"
#include "switch/loopguard_probe.h"

#define MS UINT64_C(1000000)
#define SEC UINT64_C(1000000000)

/* Of one port in one round: tagged VLANs to probe, and to look at. */
#define VLAN_BURST 16
#define VLAN_SCAN 256
/* Frames that leave in one go, and the pause until the next. */
#define BURST 64
#define PACE MS
/* To wait for each switch with a lower number, and how many count. */
#define RANK_DELAY (50 * MS)
#define RANKS 4

struct guarded {
	struct list active; /* in guard->active: something is plugged in */
	struct list urgent; /* in guard->urgent: to be probed at once */
	struct list held; /* in guard->held, the one seen last at the end */
	struct list suspect; /* in guard->suspects */
	uint64_t since; /* of what is plugged in */
	uint64_t ask_at; /* of a suspect; UINT64_MAX: was asked */
	uint64_t asked;
	uint16_t ask_port, ask_vid;
	uint16_t id;
	uint16_t cursor; /* the tagged VLAN to go on at */
	struct loopguard_port pub;
};

struct rival {
	uint64_t id;
	uint64_t heard; /* when last */
};

struct loopguard {
	struct loopguard_config cf;
	bool on;
	bool in_round;
	uint32_t interval_ms;
	uint32_t hold_s;
	uint32_t sent;
	struct guarded **ports;
	unsigned int n_ports;
	struct list active, urgent, held, suspects;
	struct list *walk; /* where the round is */
	uint64_t round_at; /* when the next one starts */
	uint64_t paced; /* when the next burst may go */
	struct rival rivals[RANKS]; /* with numbers below this one's */
	struct loopguard_counters counters;
};

struct loopguard *loopguard_new(const struct loopguard_config *cf)
{
	struct loopguard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->cf = *cf;
	g->interval_ms = LOOPGUARD_INTERVAL_MS;
	g->hold_s = LOOPGUARD_HOLD_S;
	list_init(&g->active);
	list_init(&g->urgent);
	list_init(&g->held);
	list_init(&g->suspects);
	return g;
}

void loopguard_free(struct loopguard *g)
{
	if (!g)
		return;
	for (unsigned int i = 0; i < g->n_ports; i++)
		free(g->ports[i]);
	free(g->ports);
	free(g);
}

/* ---- ports ---- */

static struct guarded *find(const struct loopguard *g, unsigned int id)
{
	return id < g->n_ports ? g->ports[id] : NULL;
}

static int grow(struct loopguard *g, unsigned int id)
{
	unsigned int n = (id | 63) + 1;
	struct guarded **ports = realloc(g->ports,
					 n * sizeof(struct guarded *));

	if (!ports)
		return -ENOMEM;
	memset(ports + g->n_ports, 0,
	       (n - g->n_ports) * sizeof(struct guarded *));
	g->ports = ports;
	g->n_ports = n;
	return 0;
}

static int find_or_make(struct loopguard *g, unsigned int id,
			struct guarded **out)
{
	struct guarded *p;

	if (id >= g->n_ports && grow(g, id))
		return -ENOMEM;
	*out = g->ports[id];
	if (*out)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	list_init(&p->active);
	list_init(&p->urgent);
	list_init(&p->held);
	list_init(&p->suspect);
	p->id = (uint16_t)id;
	p->pub.on = true;
	g->ports[id] = *out = p;
	return 0;
}

static void hold(struct loopguard *g, struct guarded *p, unsigned int peer,
		 unsigned int vid, uint64_t now)
{
	list_del(&p->suspect);
	list_add_tail(&g->held, &p->held);
	p->pub.held = true;
	p->pub.peer = (uint16_t)peer;
	p->pub.vid = (uint16_t)vid;
	p->pub.seen = now;
	p->pub.holds++;
	g->cf.hold(g->cf.ctx, p->id, peer, vid, true);
}

static void release(struct loopguard *g, struct guarded *p)
{
	if (!p->pub.held)
		return;
	list_del(&p->held);
	p->pub.held = false;
	g->cf.hold(g->cf.ctx, p->id, p->pub.peer, p->pub.vid, false);
}

/* The port is out of everything but the list of what is plugged in. */
static void let_go(struct loopguard *g, struct guarded *p)
{
	list_del(&p->urgent);
	list_del(&p->suspect);
	release(g, p);
}

static void urge(struct loopguard *g, struct guarded *p)
{
	if (g->on && p->pub.on && p->pub.active && !list_linked(&p->urgent))
		list_add_tail(&g->urgent, &p->urgent);
}

int loopguard_plugged(struct loopguard *g, unsigned int port, uint64_t now)
{
	struct guarded *p;
	int rc = find_or_make(g, port, &p);

	if (rc)
		return rc;
	if (!p->pub.active) {
		p->pub.active = true;
		p->since = now;
		list_add_tail(&g->active, &p->active);
	}
	urge(g, p);
	return 0;
}

void loopguard_unplugged(struct loopguard *g, unsigned int port)
{
	struct guarded *p = find(g, port);

	if (!p || !p->pub.active)
		return;
	if (g->walk == &p->active)
		g->walk = p->active.next;
	list_del(&p->active);
	p->pub.active = false;
	let_go(g, p);
}

void loopguard_forget(struct loopguard *g, unsigned int port)
{
	struct guarded *p = find(g, port);

	if (!p)
		return;
	loopguard_unplugged(g, port);
	g->ports[port] = NULL;
	free(p);
}

/* ---- settings ---- */

void loopguard_set(struct loopguard *g, bool on, uint64_t now)
{
	if (g->on == on)
		return;
	g->on = on;
	g->in_round = false;
	g->round_at = now + g->interval_ms * MS;
	g->paced = now;
	for (unsigned int i = 0; i < g->n_ports; i++) {
		if (!g->ports[i])
			continue;
		if (on)
			urge(g, g->ports[i]);
		else
			let_go(g, g->ports[i]);
	}
}

bool loopguard_is_on(const struct loopguard *g)
{
	return g->on;
}

void loopguard_set_interval(struct loopguard *g, uint32_t ms, uint64_t now)
{
	g->interval_ms = ms;
	g->round_at = now + ms * MS;
}

uint32_t loopguard_interval(const struct loopguard *g)
{
	return g->interval_ms;
}

void loopguard_set_hold(struct loopguard *g, uint32_t seconds)
{
	g->hold_s = seconds;
}

uint32_t loopguard_hold(const struct loopguard *g)
{
	return g->hold_s;
}

int loopguard_set_port(struct loopguard *g, unsigned int port, bool on,
		       uint64_t now)
{
	struct guarded *p;
	int rc = find_or_make(g, port, &p);

	if (rc || p->pub.on == on)
		return rc;
	p->pub.on = on;
	if (on)
		urge(g, p);
	else
		let_go(g, p);
	return 0;
}

const struct loopguard_port *loopguard_port(const struct loopguard *g,
					    unsigned int port)
{
	const struct guarded *p = find(g, port);

	return p ? &p->pub : NULL;
}

const struct loopguard_counters *loopguard_counters(const struct loopguard *g)
{
	return &g->counters;
}

/* ---- what leaves ---- */

static void send_probe(struct loopguard *g, struct guarded *p, unsigned int vid,
		       uint64_t now)
{
	const struct loopguard_probe probe = { .port = p->id,
					       .vid = (uint16_t)vid,
					       .id = g->cf.id,
					       .number = g->sent++,
					       .sent = now - g->cf.now };
	uint8_t frame[LOOPGUARD_LEN];

	loopguard_probe_build(frame, &probe, g->cf.key);
	p->pub.probes++;
	g->cf.send(g->cf.ctx, p->id, vid, frame);
}

/* All VLANs of a port, or the next of them, and always that for which it is
 * held: its turn may come after the hold. Returns how many frames. */
static int probe_port(struct loopguard *g, struct guarded *p, uint64_t now)
{
	int untagged = g->cf.untagged(g->cf.ctx, p->id), n = 0, tagged = 0;
	int loop = p->pub.held ? p->pub.vid : -1;

	if (untagged >= 0 &&
	    g->cf.open(g->cf.ctx, p->id, (unsigned int)untagged)) {
		send_probe(g, p, (unsigned int)untagged, now);
		n++;
	}
	if (loop >= 0 && loop != untagged &&
	    g->cf.open(g->cf.ctx, p->id, (unsigned int)loop)) {
		send_probe(g, p, (unsigned int)loop, now);
		n++;
	}
	for (int i = 0; i < VLAN_SCAN && tagged < VLAN_BURST; i++) {
		unsigned int vid = p->cursor;

		p->cursor = vid < VLAN_MAX ? (uint16_t)(vid + 1) : 0;
		if ((int)vid == untagged || (int)vid == loop ||
		    !g->cf.open(g->cf.ctx, p->id, vid))
			continue;
		send_probe(g, p, vid, now);
		tagged++;
	}
	return n + tagged;
}

/* ---- what comes back ---- */

/* Another switch is about. */
static void hear(struct loopguard *g, uint64_t id, uint64_t now)
{
	struct rival *free_slot = NULL;
	uint64_t life = 3 * g->interval_ms * MS + SEC;

	g->counters.foreign++;
	if (id >= g->cf.id)
		return;
	for (size_t i = 0; i < RANKS; i++) {
		struct rival *r = &g->rivals[i];

		if (r->heard && r->id == id) {
			r->heard = now;
			return;
		}
		if (!r->heard || now - r->heard > life)
			free_slot = r;
	}
	if (free_slot)
		*free_slot = (struct rival){ id, now };
}

/* How many switches may act before this one. */
static unsigned int rank(const struct loopguard *g, uint64_t now)
{
	uint64_t life = 3 * g->interval_ms * MS + SEC;
	unsigned int n = 0;

	for (size_t i = 0; i < RANKS; i++)
		if (g->rivals[i].heard && now - g->rivals[i].heard <= life)
			n++;
	return n;
}

static void prove(struct loopguard *g, struct guarded *p, uint64_t now)
{
	p->pub.seen = now;
	list_del(&p->held);
	list_add_tail(&g->held, &p->held);
}

/* @victim is to be held, unless somebody else acts first. */
static void suspect(struct loopguard *g, struct guarded *victim,
		    const struct guarded *peer, const struct loopguard_probe *p,
		    uint64_t now)
{
	unsigned int wait = rank(g, now);

	if (list_linked(&victim->suspect)) {
		if (victim->ask_at == UINT64_MAX && p->sent >= victim->asked)
			hold(g, victim, peer->id, p->vid, now);
		return;
	}
	if (!wait && g->cf.guarded(g->cf.ctx, p->vid))
		wait = 1;
	if (!wait) {
		hold(g, victim, peer->id, p->vid, now);
		return;
	}
	victim->ask_at = now + wait * RANK_DELAY;
	victim->ask_port = (uint16_t)p->port;
	victim->ask_vid = (uint16_t)p->vid;
	list_add_tail(&g->suspects, &victim->suspect);
}

/* A probe that left by @out has come back by @in. Where one of them is held
 * the loop is open there: that proves that it has to stay so. Where both are,
 * it proves that of one; the other may be released when its own loop, by a
 * third port, has gone. */
static void judge(struct loopguard *g, struct guarded *out, struct guarded *in,
		  const struct loopguard_probe *p, uint64_t now)
{
	struct guarded *low = out->id < in->id ? out : in;
	struct guarded *high = low == out ? in : out;

	in->pub.loops++;
	if (high->pub.held)
		prove(g, high, now);
	else if (low->pub.held)
		prove(g, low, now);
	else if (high->pub.on)
		suspect(g, high, low, p, now);
	else if (low->pub.on)
		suspect(g, low, high, p, now);
}

bool loopguard_input(struct loopguard *g, unsigned int port, unsigned int vid,
		     const uint8_t *frame, size_t len, uint64_t now)
{
	struct guarded *in = find(g, port), *out;
	struct loopguard_probe p;

	if (!g->on || !loopguard_probe_parse(&p, frame, len))
		return false;
	if (p.id != g->cf.id) {
		hear(g, p.id, now);
		return false;
	}
	if (!loopguard_probe_genuine(frame, g->cf.key)) {
		g->counters.forged++;
		return true;
	}
	out = find(g, p.port);
	p.sent += g->cf.now;
	if (now - p.sent > LOOPGUARD_LIFE || !in || !in->pub.active || !out ||
	    !out->pub.active || p.sent < out->since) {
		g->counters.stale++;
		return true;
	}
	/* Two VLANs that are joined outside are no loop yet; if they are once
	 * more, this very probe will tell. */
	if (p.vid != vid)
		return false;
	if (g->cf.open(g->cf.ctx, port, vid) &&
	    g->cf.open(g->cf.ctx, p.port, vid))
		judge(g, out, in, &p, now);
	return true;
}

/* ---- time ---- */

/* Not less than it takes until a probe can prolong it. */
static uint64_t hold_ns(const struct loopguard *g)
{
	uint64_t hold = g->hold_s * SEC, two = 2 * g->interval_ms * MS;

	return hold > two ? hold : two;
}

static void release_due(struct loopguard *g, uint64_t now)
{
	while (!list_empty(&g->held)) {
		struct guarded *p = list_entry(g->held.next, struct guarded,
					       held);

		if (now - p->pub.seen < hold_ns(g))
			return;
		release(g, p);
	}
}

static void ask(struct loopguard *g, struct guarded *victim, uint64_t now)
{
	struct guarded *from = find(g, victim->ask_port);

	victim->ask_at = UINT64_MAX;
	victim->asked = now;
	if (from && from->pub.active && from->pub.on &&
	    g->cf.open(g->cf.ctx, from->id, victim->ask_vid))
		send_probe(g, from, victim->ask_vid, now);
}

/* When something is to be done about it. */
static uint64_t suspect_due(const struct guarded *p)
{
	return p->ask_at != UINT64_MAX ? p->ask_at : p->asked + LOOPGUARD_LIFE;
}

static void ask_due(struct loopguard *g, uint64_t now)
{
	list_for_each_safe(it, next, &g->suspects) {
		struct guarded *p = list_entry(it, struct guarded, suspect);

		if (now < suspect_due(p))
			continue;
		if (p->ask_at == UINT64_MAX)
			list_del(&p->suspect);
		else
			ask(g, p, now);
	}
}

/* The port to probe next, or NULL. */
static struct guarded *next_port(struct loopguard *g, uint64_t now)
{
	struct guarded *p;

	if (!list_empty(&g->urgent)) {
		p = list_entry(g->urgent.next, struct guarded, urgent);
		list_del(&p->urgent);
		return p;
	}
	if (!g->in_round && now >= g->round_at && !list_empty(&g->active)) {
		g->in_round = true;
		g->walk = g->active.next;
		g->round_at = now + g->interval_ms * MS;
	}
	while (g->in_round && g->walk != &g->active) {
		p = list_entry(g->walk, struct guarded, active);
		g->walk = g->walk->next;
		if (p->pub.on)
			return p;
	}
	g->in_round = false;
	return NULL;
}

static void send_due(struct loopguard *g, uint64_t now)
{
	int n = 0;

	if (now < g->paced)
		return;
	while (n < BURST) {
		struct guarded *p = next_port(g, now);

		if (!p)
			return;
		n += 1 + probe_port(g, p, now); /* looking costs too */
	}
	g->paced = now + PACE;
}

uint64_t loopguard_tick(struct loopguard *g, uint64_t now)
{
	if (!g->on)
		return 0;
	release_due(g, now);
	ask_due(g, now);
	send_due(g, now);
	return loopguard_next(g);
}

uint64_t loopguard_next(const struct loopguard *g)
{
	uint64_t next = UINT64_MAX;

	if (!g->on)
		return 0;
	if (!list_empty(&g->urgent) || g->in_round)
		next = g->paced;
	else if (!list_empty(&g->active))
		next = g->round_at > g->paced ? g->round_at : g->paced;
	if (!list_empty(&g->held)) {
		const struct guarded *p = list_entry(g->held.next,
						     struct guarded, held);
		uint64_t due = p->pub.seen + hold_ns(g);

		next = due < next ? due : next;
	}
	list_for_each(it, &g->suspects) {
		uint64_t due = suspect_due(
			list_entry(it, struct guarded, suspect));

		next = due < next ? due : next;
	}
	if (next == UINT64_MAX)
		return 0;
	return next ? next : 1;
}
