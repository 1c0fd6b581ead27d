// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about the program as a whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cryptcab/cmd.h"
#include "cryptcab/key64.h"
#include "cryptcab/trust.h"
#include "cryptcab/udp.h"

static int cmd_help(struct mgmt_req *rq, void *ctx)
{
	return mgmt_help(rq, rq->argc ? rq->arg[0].str : NULL);
}

static int cmd_logout(struct mgmt_req *rq, void *ctx)
{
	if (rq->session)
		console_logout(rq->session);
	return 0;
}

static int cmd_shutdown(struct mgmt_req *rq, void *ctx)
{
	struct cryptcab *cab = ctx;

	if (!rq->session)
		return mgmt_refuse(rq, -EBADF, "not from a file");
	log_notice("shutdown by console command");
	console_farewell(rq->session);
	cab_stop(cab, EXIT_SUCCESS);
	return 0;
}

static int cmd_load(struct mgmt_req *rq, void *ctx)
{
	if (!rq->session)
		return mgmt_refuse(rq, -EBADF, "not from a file");
	return console_load(cmd_console(ctx), rq->arg[0].str, rq);
}

static const char *where(const struct cryptcab *cab)
{
	if (cab->streams)
		return "standard input and output";
	return *cab->net.locator ? cab->net.locator : "the default switch";
}

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct cryptcab *cab = ctx;
	struct writer *w = rq->w;
	char key[KEY64_SIZE];

	writer_text(w, "vde_cryptcab ");
	writer_str(w, "version", "", VDE_VERSION, 0);
	writer_line(w);
	writer_str(w, "role", "", cab->is_client ? "client" : "server", 0);
	writer_num(w, "pid", " pid ", getpid(), 0);
	writer_num(w, "uptime", " uptime ",
		   (int64_t)((cab_now() - cab->started) / LOOP_SEC), 0);
	writer_line(w);
	writer_str(w, "key", "public key ", key64_write(key, cab->key), 0);
	writer_line(w);
	writer_num(w, "port", "UDP port ", udp_port(cab->udp), 0);
	writer_line(w);
	writer_str(w, "network", "frames go to ", where(cab), 0);
	writer_line(w);
	writer_num(w, "peers", "peers ", cab->n_peers, 0);
	writer_str(w, "peers_file", " of ", trust_path(cab->trust), 0);
	writer_line(w);
	writer_str(w, "mgmt", cmd_socket(cab) ? "mgmt " : NULL, cmd_socket(cab),
		   0);
	if (cmd_socket(cab))
		writer_line(w);
	return 0;
}

/* ---- counters ---- */

static void count(struct writer *w, const char *name, uint64_t n)
{
	writer_num(w, name, NULL, (int64_t)n, 0);
	if (w->json)
		return;
	writer_str(w, NULL, " ", name, 20);
	writer_num(w, NULL, " ", (int64_t)n, 0);
	writer_line(w);
}

static void counts_of_drops(struct writer *w, const struct cryptcab *cab)
{
	for (int d = 0; d < CAB_N_DROPS; d++) {
		uint64_t sum = cab->gone_drops[d];

		list_for_each(pos, &cab->peers) {
			const struct cab_peer *p = list_entry(
				pos, struct cab_peer, node);

			sum += p->drops[d];
		}
		count(w, cab_drop_name(d), sum);
	}
}

static int cmd_counters(struct mgmt_req *rq, void *ctx)
{
	const struct cryptcab *cab = ctx;
	const uint64_t *c = tunnel_counts(cab->tunnel);
	const uint64_t *u = udp_counts(cab->udp);
	struct writer *w = rq->w;

	writer_text(w, "datagrams and frames\n");
	writer_open(w, "engine");
	for (int i = 0; i < TUNNEL_BAD_LENGTH; i++)
		count(w, tunnel_count_name(i), c[i]);
	writer_close(w);
	writer_text(w, "rejected, by reason\n");
	writer_open(w, "rejected");
	for (int i = TUNNEL_BAD_LENGTH; i < TUNNEL_N_COUNTS; i++)
		count(w, tunnel_count_name(i), c[i]);
	writer_close(w);
	writer_text(w, "frames that were dropped\n");
	writer_open(w, "dropped");
	counts_of_drops(w, cab);
	writer_close(w);
	writer_text(w, "system calls\n");
	writer_open(w, "udp");
	for (int i = 0; i < UDP_N_COUNTS; i++)
		count(w, udp_count_name(i), u[i]);
	writer_close(w);
	return 0;
}

static int cmd_metrics(struct mgmt_req *rq, void *ctx)
{
	cab_metrics(ctx, rq->w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "help [<prefix>]", "[arg]", "Help (limited to arg when specified)", cmd_help, true },
	{ "logout", "", "logout from this mgmt terminal", cmd_logout, false },
	{ "shutdown", "", "shutdown of the cable", cmd_shutdown, false },
	{ "showinfo", "", "show version, key and addresses", cmd_showinfo, true },
	{ "load <path>", "path", "load a configuration script", cmd_load, false },
	{ "counters", "", "show what passed, and what was rejected why", cmd_counters, true },
	{ "metrics", "", "print all counters in Prometheus' text format", cmd_metrics, true },
};
/* clang-format on */
const struct mgmt_table cmd_general = { cmds, ARRAY_SIZE(cmds) };
