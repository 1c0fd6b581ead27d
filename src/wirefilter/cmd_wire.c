// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of VDE 2 about the wire and the session. showinfo is a report of
 * one node; in JSON it has all settings of it, and the counters.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "wirefilter/blink.h"
#include "wirefilter/cmd.h"
#include "wirefilter/show.h"

/* ---- sessions ---- */

/* VDE 2 has arguments in the same column, and two widths: one for commands
 * whose syntax is shown, if only as a blank. */
static void help_row(struct writer *w, const struct mgmt_cmd *c)
{
	char left[64];
	int len = (int)strcspn(c->syntax, " ");

	if (str_fmt(left, sizeof(left), "%.*s%s%s", len, c->syntax,
		    *c->shown ? " " : "", c->shown) < 0)
		return;
	if (w->json)
		left[len] = '\0';
	writer_open(w, NULL);
	writer_str(w, "name", "", left, *c->shown ? 18 : 12);
	writer_str(w, "help", " ", c->help, 0);
	writer_str(w, "usage", NULL, c->syntax, 0);
	writer_line(w);
	writer_close(w);
}

static int cmd_help(struct mgmt_req *rq, void *ctx)
{
	const struct mgmt *m = rq->mgmt;

	writer_text(rq->w, "COMMAND      HELP\n"
			   "------------ ------------\n");
	writer_list(rq->w, "commands");
	for (size_t t = 0; t < m->n_tables; t++) {
		for (size_t i = 0; i < m->tables[t].n_cmds; i++) {
			const struct mgmt_cmd *c = &m->tables[t].cmds[i];

			/* An alias has no help, a second form no function. */
			if (*c->help && (c->fn || !rq->w->json))
				help_row(rq->w, c);
		}
	}
	writer_close(rq->w);
	return 0;
}

static int cmd_load(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;

	return console_load(wf->console, rq->arg[0].str, rq);
}

static int cmd_logout(struct mgmt_req *rq, void *ctx)
{
	if (!rq->session)
		return mgmt_refuse(rq, -EBADF, "there is no session to leave");
	console_logout(rq->session);
	return 0;
}

static int cmd_shutdown(struct mgmt_req *rq, void *ctx)
{
	if (rq->session)
		console_hang_up(rq->session);
	wirefilter_stop(ctx, 0);
	return 0;
}

/* ---- settings ---- */

static int cmd_fifo(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;

	wire_set_fifo(wf->wire, rq->arg[0].num != 0);
	return 0;
}

/* ---- showinfo ---- */

/* What VDE 2 knows, in its order. */
static const struct {
	enum param param;
	const char *label;
} vde2_rows[] = {
	{ PARAM_LOSS, "Loss   " },	  { PARAM_LOSTBURST, "Lburst " },
	{ PARAM_DELAY, "Delay  " },	  { PARAM_DUP, "Dup    " },
	{ PARAM_BANDWIDTH, "Bandw  " },	  { PARAM_SPEED, "Speed  " },
	{ PARAM_NOISE, "Noise  " },	  { PARAM_MTU, "MTU    " },
	{ PARAM_CHANBUFSIZE, "Cap.   " },
};

/* Of an MTU VDE 2 shows what passes for sure, and blanks behind it. */
static void show_vde2(struct writer *w, const struct wire *wire,
		      unsigned int node, enum param param, const char *label)
{
	writer_text(w, label);
	for (int d = 0; d < (wire->both ? 2 : 1); d++) {
		const struct params *p = wire_params(wire, node, d);
		const struct value *v = &p->value[param];
		char text[160];
		struct strbuf b;

		strbuf_init(&b, text, sizeof(text));
		if (param == PARAM_MTU)
			strbuf_fmt(&b, "%g%s", v->num - v->plus,
				   !wire->both ? ""
				   : d	       ? "   "
					       : "  ");
		else
			value_print(&b, v);
		writer_text(w, !wire->both ? "" : d ? "   R->L " : "L->R ");
		writer_text(w, text);
	}
	writer_line(w);
}

static void show_queues(struct writer *w, const struct wire *wire)
{
	uint64_t waiting = 0;

	writer_text(w, "Current Delay Queue size:   ");
	for (int d = 0; d < (wire->both ? 2 : 1); d++) {
		const struct impair_stats *st = impair_stats(wire->dir[d]);

		writer_num(w, NULL,
			   !wire->both ? ""
			   : d	       ? "      R->L "
				       : "L->R ",
			   (int64_t)st->waiting_size, 0);
		waiting += st->waiting;
	}
	writer_text(w, wire->both ? "   \n" : "\n");
	writer_text(w, wire->fifo ? "Fifoness TRUE\n" : "Fifoness FALSE\n");
	writer_num(w, NULL, "Waiting packets in delay queues ",
		   (int64_t)waiting, 0);
	writer_line(w);
}

static void show_blink(struct writer *w, const struct blink *b)
{
	if (!b)
		return;
	writer_open(w, "blink");
	writer_str(w, "socket", "Blink socket: ", blink_path(b), 0);
	writer_line(w);
	writer_str(w, "id", "Blink id:     ", blink_id(b), 0);
	writer_num(w, "dropped", NULL, (int64_t)blink_dropped(b), 0);
	writer_text(w, " \n");
	writer_close(w);
}

static void show_node(struct writer *w, const struct wire *wire,
		      unsigned int node)
{
	const struct markov *m = wire->markov;

	writer_open(w, "markov");
	writer_num(w, "nodes", NULL, markov_nodes(m), 0);
	writer_num(w, "current", NULL, markov_current(m), 0);
	writer_real(w, "time_ms", NULL, (double)markov_period(m) / 1e6, 0);
	writer_close(w);
	writer_num(w, "node", NULL, node, 0);
	writer_str(w, "name", NULL, markov_name(m, node), 0);
	if (markov_nodes(m) == 1)
		return;
	writer_num(w, NULL, "Node ", node, 0);
	writer_str(w, NULL, " \"", markov_name(m, node), 0);
	writer_num(w, NULL, "\" (0,..,", markov_nodes(m) - 1, 0);
	cmd_real(w, NULL, ") Markov-time ", (double)markov_period(m) / 1e6);
	writer_line(w);
}

static int cmd_showinfo(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;
	const struct wire *wire = wf->wire;
	unsigned int node = rq->argc ? (unsigned int)rq->arg[0].num
				     : markov_current(wire->markov);
	struct writer *w = rq->w;

	if (node >= markov_nodes(wire->markov))
		return cmd_no_node(rq, node);
	writer_str(w, "version", NULL, VDE_VERSION, 0);
	writer_num(w, "pid", NULL, getpid(), 0);
	writer_bool(w, "bidirectional", wire->both,
		    "WireFilter: bidirectional\n",
		    "WireFilter: monodirectional\n");
	writer_big(w, "seed", NULL, wire->seed);
	show_node(w, wire, node);
	for (size_t i = 0; i < ARRAY_SIZE(vde2_rows) && !w->json; i++)
		show_vde2(w, wire, node, vde2_rows[i].param,
			  vde2_rows[i].label);
	if (w->json) {
		writer_bool(w, "fifo", wire->fifo, NULL, NULL);
		show_settings(w, wire, node, loop_now(wf->loop));
		show_counters(w, wire);
	} else {
		show_queues(w, wire);
	}
	show_blink(w, wf->blink);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd rows[] = {
	{ "help [<word...>]", "", "print a summary of mgmt commands", cmd_help, true },
	{ "load <path...>", "", "load a configuration file", cmd_load, true },
	{ "showinfo [<node>]", "", "show status and parameter values", cmd_showinfo, true },
	{ "loss <value...>", "", "set loss percentage", cmd_set, false },
	{ "lostburst <value...>", "", "mean length of lost packet bursts", cmd_set, false },
	{ "delay <value...>", "", "set delay ms", cmd_set, false },
	{ "dup <value...>", "", "set dup packet percentage", cmd_set, false },
	{ "bandwidth <value...>", "", "set channel bandwidth bytes/sec", cmd_set, false },
	{ "band <value...>", "", "", cmd_set, false },
	{ "speed <value...>", "", "set interface speed bytes/sec", cmd_set, false },
	{ "noise <value...>", "", "set noise factor bits/Mbyte", cmd_set, false },
	{ "mtu <value...>", "", "set channel MTU (bytes)", cmd_set, false },
	{ "chanbufsize <value...>", "", "set channel buffer size (bytes)", cmd_set, false },
	{ "capacity <value...>", "", "", cmd_set, false },
	{ "fifo <number>", "", "set channel fifoness", cmd_fifo, false },
	{ "shutdown", "", "shut the channel down", cmd_shutdown, false },
	{ "logout", "", "log out from this mgmt session", cmd_logout, false },
};
const struct mgmt_table cmd_wire = { rows, ARRAY_SIZE(rows) };
/* clang-format on */
