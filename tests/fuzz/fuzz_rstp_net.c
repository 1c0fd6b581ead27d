/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network of honest bridges, RSTP and STP, that an input builds and then
 * ruins: cables are cut and mended, bridges die and come back, priorities and
 * costs change, ports ask for RSTP again, at any distance in time. A loop is over
 * when the transmit limit lets its ends tell of themselves, and when all is
 * quiet every bridge is reached and knows its shortest path.
 *
 * What may be a loop by itself is left out: LANs that fail in silence, ports
 * that are said to be edges, LANs with several ports of one bridge, VDE 2's
 * switches.
 */
#include "../fuzz/input.h"
/* clang-format off */
#include "../unit/vde2_model.c"
#include "../unit/rstp_sim.c"
/* clang-format on */

#define BRIDGES_MAX 6
#define LANS_MAX 10
/* What the transmit limit keeps back is said a sixth of a second later. */
#define LOOP_BOUND (SIM_SEC / 6 + 30 * SIM_MS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim *sim;
static bool cut[LANS_MAX];

/* Event by event; a loop that lasts is found in its course. */
static void pass(uint64_t time)
{
	uint64_t end = sim->now + time, next;

	do {
		next = sim_next(sim);
		if (sim->looped && next < end)
			must(next - sim->loop_since <= LOOP_BOUND);
		sim_run_until(sim, next < end ? next : end);
	} while (next < end);
}

static void build_bridge(struct input *in)
{
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;
	unsigned int b = take(in);
	uint64_t id = (uint64_t)(b & 15) << 60 |
		      (UINT64_C(0x020000000001) + sim->n_bridges);

	if (b & 0x40) {
		pa.hello_s = 1;
		pa.max_age_s = 6;
		pa.forward_delay_s = 4;
	}
	sim_bridge_add(sim, "bridge", b & 0x80 ? SIM_STP : SIM_RSTP, id, &pa);
}

static struct sim_port *free_port(struct sim_bridge *b)
{
	for (unsigned int i = 1; i < SIM_PORTS; i++)
		if (!b->ports[i].bridge)
			return &b->ports[i];
	return NULL;
}

/* Between two bridges; of the same two there may be several. */
static void build_lan(struct input *in)
{
	struct sim_lan *l = sim_lan_add(sim, "lan",
					SIM_MS / 8 * (1 + take(in) % 16));
	struct rstp_port_config cf = sim_port_defaults();
	unsigned int x = take(in), y = take(in), n = sim->n_bridges;
	struct sim_bridge *ends[2] = { &sim->bridges[x % n] };

	ends[1] = &sim->bridges[(x % n + 1 + y % (n - 1)) % n];
	for (int i = 0; i < 2; i++) {
		struct sim_port *p = free_port(ends[i]);

		cf.path_cost = 1 + ((i ? y : x) >> 4);
		if (p)
			sim_attach(l, ends[i],
				   (unsigned int)(p - ends[i]->ports), &cf);
	}
}

static void build(struct input *in)
{
	unsigned int b = take(in);

	sim = sim_new();
	for (unsigned int i = 0; i < 2 + b % (BRIDGES_MAX - 1); i++)
		build_bridge(in);
	for (unsigned int i = 0; i < 1 + (b >> 4) % LANS_MAX; i++)
		build_lan(in);
}

static void step_bridge(struct input *in)
{
	unsigned int w = take(in);
	struct sim_bridge *b = &sim->bridges[w % sim->n_bridges];

	if (w & 0x80) {
		if (b->alive)
			sim_kill(sim, b);
		else
			sim_revive(sim, b);
	} else if (b->alive) {
		b->id = (uint64_t)(w >> 3 & 15) << 60 |
			(b->id & UINT64_C(0xffffffffffff));
		rstp_set_bridge(b->rstp, b->id, sim->now);
	}
}

static void step_port(struct input *in)
{
	unsigned int w = take(in), what = take(in);
	struct sim_bridge *b = &sim->bridges[w % sim->n_bridges];
	struct sim_port *p = &b->ports[1 + (w >> 4) % (SIM_PORTS - 1)];
	struct rstp_port_config cf = p->config;

	if (!p->bridge || !b->alive)
		return;
	if (what & 0x80) {
		rstp_port_mcheck(b->rstp, p->number, sim->now);
		return;
	}
	cf.path_cost = 1 + (what & 15);
	cf.priority = (uint8_t)(what & 0xf0);
	sim_configure(p, &cf);
}

static void step(struct input *in)
{
	unsigned int w = take(in), i = (w >> 2) % sim->n_lans;

	switch (w & 3) {
	case 0:
		cut[i] = !cut[i];
		sim_lan_set(sim, &sim->lans[i], !cut[i]);
		break;
	case 1:
		step_bridge(in);
		break;
	case 2:
		step_port(in);
		break;
	default:
		break;
	}
	/* From nothing, over what a BPDU takes, to what timers take. */
	w = take(in);
	pass((w & 0x3f) * (w & 0x80 ? SIM_SEC / 4 : SIM_MS / 4));
}

static void mend_all(void)
{
	for (unsigned int i = 0; i < sim->n_lans; i++)
		sim_lan_set(sim, &sim->lans[i], true);
	for (unsigned int i = 0; i < sim->n_bridges; i++)
		if (!sim->bridges[i].alive)
			sim_revive(sim, &sim->bridges[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size < 200 ? size : 200 };

	memset(cut, 0, sizeof(cut));
	build(&in);
	while (in.left)
		step(&in);
	mend_all();
	pass(120 * SIM_SEC); /* with the times of 802.1D-1998 */
	must(!sim->looped);
	must(sim_connected(sim));
	must(sim_matches_oracle(sim));
	sim_free(sim);
	return 0;
}
