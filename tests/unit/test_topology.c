// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Topologies: every file of tests/topology is a network and what is to come
 * of it, one TAP point each. Lines of words; '#' begins a comment.
 *
 *   bridge NAME [prio N] [hello N] [maxage N] [fwddelay N] [txhold N]
 *          [stp | vde2]
 *   lan NAME [delay MS] [shared] BRIDGE.PORT...    two ports: point-to-point
 *   port BRIDGE.PORT [cost N] [prio N] [p2p|edge|auto|enabled|bpduguard|
 *          rootguard on|off]
 *   prio BRIDGE N        another priority        mcheck BRIDGE.PORT
 *   cut LAN   restore LAN    the link, seen by its ends
 *   mute LAN  unmute LAN     loses all frames, seen by nobody
 *   kill BRIDGE  revive BRIDGE
 *   forget               counters of flushes
 *   talk MS LATE         every bridge says something every MS, which is LATE ms
 *                        slower than a BPDU on each LAN; 0 0: silence
 *   say BRIDGE.PORT HEX  a frame arrives there
 *   run SECONDS
 *   expect WHAT          now
 *   within SECONDS expect WHAT      at the latest then
 *
 * WHAT is: tree (every two bridges that can reach each other do), oracle
 * (roots and costs are those of shortest paths), or one of
 *
 *   NAME root NAME | cost N | rootport N | changes N (at least)
 *   BRIDGE.PORT WORD...  all of: a role, a state, rstp, stp, vde2, edge,
 *                        noedge, violated, rootblocked, looped, sound (none
 *                        of these), flushed, unflushed
 *
 * A loop at any instant fails the file, as does a bridge that hears something
 * twice.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "rstp_sim.h"
#include "vde2_model.h"

#define WORDS 24
#define LINE 256

static struct sim *sim;
static char *names[SIM_BRIDGES + SIM_LANS];
static unsigned int n_names;

/* ---- words ---- */

static uint64_t number(const char *s)
{
	int64_t v = 0;

	if (!s || !parse_num(s, 0, INT64_MAX, &v))
		abort();
	return (uint64_t)v;
}

/* Decimal seconds as ns. */
static uint64_t seconds(const char *s)
{
	char *end = NULL;
	double v = s ? strtod(s, &end) : -1;

	if (v < 0 || *end)
		abort();
	return (uint64_t)(v * 1e9 + 0.5);
}

static bool is_on(const char *s)
{
	return s && !strcmp(s, "on");
}

static const char *keep(const char *name)
{
	names[n_names] = strdup(name);
	return names[n_names++];
}

static struct sim_bridge *bridge_of(const char *name)
{
	for (unsigned int i = 0; i < sim->n_bridges; i++)
		if (!strcmp(sim->bridges[i].name, name))
			return &sim->bridges[i];
	return NULL;
}

static struct sim_lan *lan_of(const char *name)
{
	for (unsigned int i = 0; i < sim->n_lans; i++)
		if (!strcmp(sim->lans[i].name, name))
			return &sim->lans[i];
	abort();
}

/* BRIDGE.PORT; the port may be new. */
static struct sim_bridge *end_of(const char *s, unsigned int *port)
{
	char name[32];
	const char *dot = strchr(s, '.');
	struct sim_bridge *b;

	if (!dot || (size_t)(dot - s) >= sizeof(name))
		return NULL;
	memcpy(name, s, (size_t)(dot - s));
	name[dot - s] = '\0';
	b = bridge_of(name);
	*port = (unsigned int)number(dot + 1);
	if (!b || *port >= SIM_PORTS)
		abort();
	return b;
}

static struct sim_port *port_of(const char *s)
{
	unsigned int n;
	struct sim_bridge *b = end_of(s, &n);

	if (!b || !b->ports[n].bridge)
		abort();
	return &b->ports[n];
}

/* ---- building ---- */

static bool do_bridge(char **w)
{
	struct rstp_params pa = RSTP_PARAMS_DEFAULT;
	enum sim_kind kind = SIM_RSTP;
	uint64_t prio = 0x8000;
	uint64_t address = UINT64_C(0x020000000001) + sim->n_bridges;
	const char *name = keep(w[1]);

	for (w += 2; *w; w++) {
		if (!strcmp(*w, "prio"))
			prio = number(*++w);
		else if (!strcmp(*w, "hello"))
			pa.hello_s = (uint8_t)number(*++w);
		else if (!strcmp(*w, "maxage"))
			pa.max_age_s = (uint8_t)number(*++w);
		else if (!strcmp(*w, "fwddelay"))
			pa.forward_delay_s = (uint8_t)number(*++w);
		else if (!strcmp(*w, "txhold"))
			pa.tx_hold = (uint8_t)number(*++w);
		else if (!strcmp(*w, "stp"))
			kind = SIM_STP;
		else if (!strcmp(*w, "vde2"))
			kind = SIM_VDE2;
		else
			return false;
	}
	sim_bridge_add(sim, name, kind, prio << 48 | address, &pa);
	return true;
}

static bool do_lan(char **w)
{
	struct rstp_port_config cf = sim_port_defaults();
	struct sim_lan *l = sim_lan_add(sim, keep(w[1]), SIM_MS / 2);
	unsigned int n = 0;

	for (unsigned int i = 2; w[i]; i++)
		n += strchr(w[i], '.') != NULL && isalpha(w[i][0]);
	cf.point_to_point = n <= 2;
	for (w += 2; *w; w++) {
		unsigned int number_of;
		struct sim_bridge *b;

		if (!strcmp(*w, "delay")) {
			l->delay = seconds(*++w) / 1000;
		} else if (!strcmp(*w, "shared")) {
			cf.point_to_point = false;
		} else {
			b = end_of(*w, &number_of);
			if (!b)
				return false;
			sim_attach(l, b, number_of, &cf);
		}
	}
	return true;
}

static bool do_port(char **w)
{
	struct sim_port *p = port_of(w[1]);
	struct rstp_port_config cf = p->config;

	for (w += 2; *w; w += 2) {
		if (!strcmp(*w, "cost"))
			cf.path_cost = (uint32_t)number(w[1]);
		else if (!strcmp(*w, "prio"))
			cf.priority = (uint8_t)number(w[1]);
		else if (!strcmp(*w, "p2p"))
			cf.point_to_point = is_on(w[1]);
		else if (!strcmp(*w, "edge"))
			cf.admin_edge = is_on(w[1]);
		else if (!strcmp(*w, "auto"))
			cf.auto_edge = is_on(w[1]);
		else if (!strcmp(*w, "enabled"))
			cf.enabled = is_on(w[1]);
		else if (!strcmp(*w, "bpduguard"))
			cf.bpdu_guard = is_on(w[1]);
		else if (!strcmp(*w, "rootguard"))
			cf.root_guard = is_on(w[1]);
		else
			return false;
	}
	sim_configure(p, &cf);
	return true;
}

static bool do_say(char **w)
{
	uint8_t frame[RSTP_FRAME_MAX] = { 0 };
	size_t n = strlen(w[2]);

	for (size_t i = 0; i < n; i++) {
		const char *digits = "0123456789abcdef";
		const char *d = strchr(digits, w[2][i]);

		if (!d || i / 2 >= sizeof(frame))
			return false;
		frame[i / 2] = (uint8_t)(frame[i / 2] << 4 | (d - digits));
	}
	sim_inject(port_of(w[1]), frame, n / 2);
	return true;
}

static bool do_prio(char **w)
{
	struct sim_bridge *b = bridge_of(w[1]);
	uint64_t address = b->id & UINT64_C(0xffffffffffff);

	b->id = number(w[2]) << 48 | address;
	return !rstp_set_bridge(b->rstp, b->id, sim->now);
}

static bool do_talk(char **w)
{
	sim_talk(sim, seconds(w[1]) / 1000, seconds(w[2]) / 1000);
	return true;
}

static bool do_forget(void)
{
	for (unsigned int b = 0; b < sim->n_bridges; b++)
		for (unsigned int i = 0; i < SIM_PORTS; i++)
			sim->bridges[b].ports[i].flushes = 0;
	return true;
}

/* ---- asking ---- */

static bool port_word(const struct sim_port *p, const char *word)
{
	struct rstp_port_info in = { .peer = RSTP_PEER_RSTP };
	bool known = p->bridge->rstp &&
		     !rstp_port_get_info(p->bridge->rstp, p->number, &in);

	if (!strcmp(word, rstp_state_name(p->state)))
		return true;
	if (!strcmp(word, "flushed"))
		return p->flushes > 0;
	if (!strcmp(word, "unflushed"))
		return p->flushes == 0;
	if (!known)
		return false;
	if (!strcmp(word, rstp_role_name(in.role)) ||
	    !strcmp(word, rstp_peer_name(in.peer)))
		return true;
	if (!strcmp(word, "sound"))
		return !in.violated && !in.root_blocked && !in.looped;
	return (!strcmp(word, "edge") && in.edge) ||
	       (!strcmp(word, "noedge") && !in.edge) ||
	       (!strcmp(word, "violated") && in.violated) ||
	       (!strcmp(word, "rootblocked") && in.root_blocked) ||
	       (!strcmp(word, "looped") && in.looped);
}

static bool bridge_fact(const struct sim_bridge *b, char **w)
{
	struct rstp_info in = { .root_port = 0 };
	unsigned int port = 0;

	if (b->rstp)
		rstp_get_info(b->rstp, &in);
	else if (b->vde2) {
		vde2_root(b->vde2, &in.root, &in.root_cost, &port);
		in.root_port = port ? (int)port : -1;
	}
	if (!strcmp(w[0], "root"))
		return in.root == bridge_of(w[1])->id;
	if (!strcmp(w[0], "cost"))
		return in.root_cost == number(w[1]);
	if (!strcmp(w[0], "changes"))
		return in.changes >= number(w[1]);
	return !strcmp(w[0], "rootport") && in.root_port >= 0 &&
	       (uint64_t)in.root_port == number(w[1]);
}

static bool holds(char **w)
{
	if (!strcmp(w[0], "tree"))
		return sim_connected(sim) && !sim->looped;
	if (!strcmp(w[0], "oracle"))
		return sim_matches_oracle(sim);
	if (!strchr(w[0], '.'))
		return bridge_fact(bridge_of(w[0]), w + 1);
	for (unsigned int i = 1; w[i]; i++)
		if (!port_word(port_of(w[0]), w[i]))
			return false;
	return true;
}

static bool within(uint64_t limit, char **w)
{
	uint64_t next, end = sim->now + limit;

	while (!holds(w)) {
		next = sim_next(sim);
		if (next > end) {
			sim_run_until(sim, end);
			return holds(w);
		}
		sim_run_until(sim, next);
	}
	return true;
}

/* ---- lines ---- */

static bool do_event(char **w)
{
	if (!strcmp(w[0], "cut") || !strcmp(w[0], "restore"))
		sim_lan_set(sim, lan_of(w[1]), w[0][0] == 'r');
	else if (!strcmp(w[0], "mute") || !strcmp(w[0], "unmute"))
		sim_lan_mute(sim, lan_of(w[1]), w[0][0] == 'm');
	else if (!strcmp(w[0], "kill"))
		sim_kill(sim, bridge_of(w[1]));
	else if (!strcmp(w[0], "revive"))
		sim_revive(sim, bridge_of(w[1]));
	else if (!strcmp(w[0], "mcheck"))
		rstp_port_mcheck(port_of(w[1])->bridge->rstp,
				 port_of(w[1])->number, sim->now);
	else
		return false;
	return true;
}

static bool do_line(char **w)
{
	if (!strcmp(w[0], "bridge"))
		return do_bridge(w);
	if (!strcmp(w[0], "lan"))
		return do_lan(w);
	if (!strcmp(w[0], "port"))
		return do_port(w);
	if (!strcmp(w[0], "prio"))
		return do_prio(w);
	if (!strcmp(w[0], "say"))
		return do_say(w);
	if (!strcmp(w[0], "talk"))
		return do_talk(w);
	if (!strcmp(w[0], "forget"))
		return do_forget();
	if (!strcmp(w[0], "expect"))
		return holds(w + 1);
	if (!strcmp(w[0], "within"))
		return within(seconds(w[1]), w + 3);
	if (!strcmp(w[0], "run"))
		sim_run_until(sim, sim->now + seconds(w[1]));
	else
		return do_event(w);
	return true;
}

static void split(char *line, char **w)
{
	unsigned int n = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (char *s = line; *s && n < WORDS - 1;) {
		s += strspn(s, " \t");
		if (*s)
			w[n++] = s;
		s += strcspn(s, " \t");
		if (*s)
			*s++ = '\0';
	}
	w[n] = NULL;
}

/* What every port thinks, for who reads a failure. */
static void show(void)
{
	for (unsigned int b = 0; b < sim->n_bridges; b++) {
		for (unsigned int i = 0; i < SIM_PORTS; i++) {
			const struct sim_port *p = &sim->bridges[b].ports[i];
			struct rstp_port_info in = { .peer = 0 };

			if (!p->bridge)
				continue;
			if (p->bridge->rstp)
				rstp_port_get_info(p->bridge->rstp, i, &in);
			printf("# %s.%u %s: %s %s, peer %s, root %016llx "
			       "cost %u of %016llx\n",
			       p->bridge->name, i, p->lan->name,
			       rstp_role_name(in.role),
			       rstp_state_name(p->state),
			       rstp_peer_name(in.peer),
			       (unsigned long long)in.root, in.root_cost,
			       (unsigned long long)in.designated_bridge);
		}
	}
}

static bool run_file(const char *path)
{
	char line[LINE], copy[LINE];
	FILE *f = fopen(path, "r");
	unsigned int n = 0;
	bool ok = f != NULL;

	sim = sim_new();
	while (ok && fgets(line, sizeof(line), f)) {
		char *w[WORDS];

		n++;
		str_copy(copy, sizeof(copy), line);
		split(line, w);
		if (!w[0])
			continue;
		ok = do_line(w);
		if (ok && sim->loop_time > 0) {
			printf("# a loop at %.6f s\n",
			       (double)(sim->first_loop - SIM_SEC) / 1e9);
			ok = false;
		}
		if (ok && sim->twice) {
			printf("# %u frames came twice, the first at %.6f s\n",
			       sim->twice,
			       (double)(sim->first_twice - SIM_SEC) / 1e9);
			ok = false;
		}
		if (!ok) {
			printf("# %s:%u at %.6f s: %s", path, n,
			       (double)(sim->now - SIM_SEC) / 1e9, copy);
			show();
		}
	}
	if (f)
		fclose(f);
	sim_free(sim);
	while (n_names)
		free(names[--n_names]);
	return ok && n > 0;
}

static int is_topology(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && !strcmp(e->d_name + n - 5, ".topo");
}

int main(int argc, char **argv)
{
	const char *dir = "tests/topology";
	struct dirent **files = NULL;
	char path[512];
	bool all = true;
	int n;

	if (argc == 2)
		return !run_file(argv[1]);
	n = scandir(dir, &files, is_topology, alphasort);
	for (int i = 0; i < n; i++) {
		bool ok = str_fmt(path, sizeof(path), "%s/%s", dir,
				  files[i]->d_name) > 0 &&
			  run_file(path);

		printf("%sok %d - %.*s\n", ok ? "" : "not ", i + 1,
		       (int)strlen(files[i]->d_name) - 5, files[i]->d_name);
		all &= ok;
		free(files[i]);
	}
	free(files);
	printf("1..%d\n", n);
	return !all || n < 20; /* the files are where they should be */
}
