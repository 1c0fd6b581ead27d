// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sixteen bridges, some thirty cables, and somebody who pulls them: links are
 * cut and mended, bridges die and come back, under a seed, in bursts and with
 * pauses. There must be no loop at any instant; no two live bridges that have
 * a way to each other may be without one for longer than a bound; and when
 * all is quiet, roots and costs are those of shortest paths.
 *
 * `test_rstp_mesh SEED` runs one seed and tells the longest outage.
 */
#include <stdlib.h>

#include "base/num.h"
#include "rstp_sim.h"

#include "../unit/test.h"

#define BRIDGES 16
#define CHORDS 14
#define ROUNDS 60

/* What is seen mends itself as fast as news gets round, or as the transmit
 * hold count lets it after several troubles at once. Silence is noticed after
 * three hello times. */
#define SEEN_BOUND SIM_SEC
#define SILENT_BOUND (6 * SIM_SEC + SEEN_BOUND)

static struct sim *sim;
static uint64_t random_state;
static bool cut[SIM_LANS];
static uint64_t since; /* somebody is cut off, or now */
static uint64_t longest;

/* splitmix64 */
static unsigned int below(unsigned int n)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ z >> 31) % n);
}

static struct sim_bridge *bridge(unsigned int i)
{
	return &sim->bridges[i];
}

static void cable(unsigned int x, unsigned int y)
{
	struct rstp_port_config cf = sim_port_defaults();
	struct sim_bridge *ends[2] = { bridge(x), bridge(y) };
	unsigned int port[2];
	struct sim_lan *l;

	for (int k = 0; k < 2; k++) {
		for (port[k] = 1; port[k] < SIM_PORTS; port[k]++)
			if (!ends[k]->ports[port[k]].bridge)
				break;
		if (port[k] == SIM_PORTS)
			return;
	}
	l = sim_lan_add(sim, "cable", SIM_MS / 10 * (1 + below(20)));
	for (int k = 0; k < 2; k++) {
		cf.path_cost = 20000 * (1 + below(4));
		sim_attach(l, ends[k], port[k], &cf);
	}
}

static void build(uint64_t seed)
{
	const struct rstp_params pa = RSTP_PARAMS_DEFAULT;

	random_state = seed;
	longest = 0;
	sim = sim_new();
	since = sim->now;
	for (unsigned int i = 0; i < SIM_LANS; i++)
		cut[i] = false;
	for (unsigned int i = 0; i < BRIDGES; i++) {
		uint64_t id = (uint64_t)(below(15) << 12) << 48 |
			      (UINT64_C(0x020000000001) + i);

		sim_bridge_add(sim, "bridge", SIM_RSTP, id, &pa);
	}
	for (unsigned int i = 0; i < BRIDGES; i++)
		cable(i, (i + 1) % BRIDGES);
	for (unsigned int i = 0; i < CHORDS; i++) {
		unsigned int x = below(BRIDGES);

		cable(x, (x + 2 + below(BRIDGES - 3)) % BRIDGES);
	}
}

/* A link that comes to life without being seen to would be a loop until the
 * next hello, whatever a bridge does. */
static void mend(unsigned int i)
{
	sim_lan_set(sim, &sim->lans[i], false);
	sim_lan_mute(sim, &sim->lans[i], false);
	sim_lan_set(sim, &sim->lans[i], true);
	cut[i] = false;
}

/* Each silence takes its time to be noticed, so the clock starts anew. */
static void trouble(bool silent)
{
	struct sim_lan *l = &sim->lans[below(sim->n_lans)];
	struct sim_bridge *b = bridge(below(BRIDGES));
	unsigned int i = (unsigned int)(l - sim->lans);

	if (silent || sim_connected(sim))
		since = sim->now;
	if (below(6) == 0) {
		if (b->alive)
			sim_kill(sim, b);
		else
			sim_revive(sim, b);
		return;
	}
	if (l->mute || cut[i]) {
		mend(i);
	} else if (silent && below(4) == 0) {
		sim_lan_mute(sim, l, true);
	} else {
		cut[i] = true;
		sim_lan_set(sim, l, false);
	}
}

/* Runs that long, and looks at every step who is cut off. */
static void watch(uint64_t time)
{
	uint64_t end = sim->now + time;
	bool was = sim_connected(sim);

	for (;;) {
		uint64_t next = sim_next(sim);
		bool is;

		sim_run_until(sim, next < end ? next : end);
		is = sim_connected(sim); /* since the last event, if it was */
		if (!was && sim->now - since > longest)
			longest = sim->now - since;
		if (is || was)
			since = sim->now;
		was = is;
		if (next >= end)
			return;
	}
}

static void mend_all(void)
{
	for (unsigned int i = 0; i < sim->n_lans; i++) {
		if (cut[i] || sim->lans[i].mute)
			mend(i);
	}
	for (unsigned int i = 0; i < BRIDGES; i++)
		if (!bridge(i)->alive)
			sim_revive(sim, bridge(i));
}

/* Returns the longest outage. */
static uint64_t survive(uint64_t seed, bool silent)
{
	build(seed);
	watch(5 * SIM_SEC);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned int burst = 1 + below(3);

		while (burst--) {
			trouble(silent);
			watch(SIM_MS * below(50));
		}
		watch(SIM_SEC * (below(4) ? 2 : 10));
		CHECK(silent || sim_matches_oracle(sim));
	}
	mend_all();
	watch(30 * SIM_SEC);
	CHECK(sim_matches_oracle(sim));
	CHECK(sim_connected(sim));
	CHECK(sim->loop_time == 0);
	if (sim->loop_time)
		printf("# seed %llu: a loop at %.4f s\n",
		       (unsigned long long)seed,
		       (double)(sim->first_loop - SIM_SEC) / 1e9);
	sim_free(sim);
	return longest;
}

static void what_is_cut_in_sight_is_mended(void)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		uint64_t t = survive(seed, false);

		CHECK(t <= SEEN_BOUND);
		printf("# seed %llu: at most %.4f s\n",
		       (unsigned long long)seed, (double)t / 1e9);
	}
}

static void what_falls_silent_is_mended(void)
{
	for (uint64_t seed = 101; seed <= 105; seed++) {
		uint64_t t = survive(seed, true);

		CHECK(t <= SILENT_BOUND);
		printf("# seed %llu: at most %.4f s\n",
		       (unsigned long long)seed, (double)t / 1e9);
	}
}

int main(int argc, char **argv)
{
	int64_t seed;

	if (argc == 2 && parse_num(argv[1], 0, INT64_MAX, &seed)) {
		printf("# at most %.4f s\n",
		       (double)survive((uint64_t)seed, seed > 100) / 1e9);
		return test_failed;
	}
	RUN(what_is_cut_in_sight_is_mended);
	RUN(what_falls_silent_is_mended);
	DONE();
}
