// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "wirefilter/fromfile.h"

#define GREETING                               \
	"\nVDE wirefilter V." VDE_VERSION "\n" \
	"(C) R.Davoli 2005,2006 - GPLv2\n"
#define PROMPT "VDEwf$ "
#define LINE_SHOWN 200

static const struct mgmt_type types[] = {
	{ "number", INT32_MIN, INT32_MAX },
	{ "node", 0, MARKOV_NODES_MAX - 1 },
	{ "nodes", 1, MARKOV_NODES_MAX },
	{ "level", 0, INT32_MAX },
};

/* In the order of help. */
/* clang-format off */
static const struct mgmt_table *const tables[] = {
	&cmd_wire, &cmd_markov, &cmd_more, &cmd_trace, &cmd_class, &cmd_report,
};
/* clang-format on */

struct commands {
	struct mgmt mgmt;
	struct mgmt_table tables[ARRAY_SIZE(tables)];
	struct log_limit refused;
	int fd; /* of the socket; -1: there is none */
	char path[PATH_MAX];
	struct unixsock_id id;
};

/* ---- the console ---- */

static bool explains(const struct mgmt_cmd *cmd)
{
	return !mgmt_has(&cmd_wire, cmd) && !mgmt_has(&cmd_markov, cmd);
}

/* VDE 2's line, and then what it does not say. */
static void rc_failed(const char *path, unsigned int number, const char *line,
		      int rc, const char *why)
{
	log_warn("rc command error: %.*s %s (%s:%u%s%s)", LINE_SHOWN, line,
		 strerror(-rc), path, number, *why ? ": " : "", why);
}

static const struct console_dialect dialect = {
	.farewell = "1-01 Unknown error -1\n",
	.load_before = "\n" PROMPT " (",
	.load_behind = ") ",
	.terminal_talks = true,
	.comments = true,
	.explains = explains,
	.rc_failed = rc_failed,
};

static void stdin_eof(void *ctx)
{
	log_notice("the console on standard input has ended: stopping");
	wirefilter_stop(ctx, 0);
}

/* ---- steps of the chain ---- */

static void tell(void *ctx, struct console_session *s)
{
	if (*console_flags(s))
		console_event_line(s, ctx);
}

static void moved(void *ctx, const struct markov_move *m)
{
	const struct wirefilter *wf = ctx;
	const struct markov *chain = wf->wire->markov;
	char line[2 * MARKOV_NAME + 80];

	if (m->from == m->to ||
	    str_fmt(line, sizeof(line), "%04u Node %u \"%s\" -> %u \"%s\"",
		    3800 + m->to, m->from, markov_name(chain, m->from), m->to,
		    markov_name(chain, m->to)) < 0)
		return;
	console_for_each(wf->console, tell, line);
}

/* ---- begin and end ---- */

int cmd_start(struct wirefilter *wf)
{
	struct commands *c = calloc(1, sizeof(*c));
	struct console_config cf = {
		.loop = wf->loop,
		.greeting = GREETING,
		.prompt = PROMPT,
		.stdin_eof = stdin_eof,
		.ctx = wf,
		.dialect = &dialect,
	};

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		c->tables[i] = *tables[i];
	c->mgmt = (struct mgmt){ c->tables, ARRAY_SIZE(tables), types,
				 ARRAY_SIZE(types), wf };
	cf.mgmt = &c->mgmt;
	wf->console = console_new(&cf);
	if (!wf->console) {
		free(c);
		return -ENOMEM;
	}
	wf->commands = c;
	wf->wire->moved = moved;
	wf->wire->ctx = wf;
	return 0;
}

void cmd_stop(struct wirefilter *wf)
{
	struct commands *c = wf->commands;

	if (!c)
		return;
	wf->wire->moved = NULL;
	console_free(wf->console);
	wf->console = NULL;
	if (c->fd >= 0) {
		close(c->fd);
		unixsock_unlink(c->path, c->id);
	}
	free(c);
	wf->commands = NULL;
}

int cmd_listen(struct wirefilter *wf, const char *path, unsigned int mode)
{
	struct commands *c = wf->commands;
	int rc = path_absolute(c->path, path);

	if (!rc)
		rc = c->fd = unixsock_listen(c->path, mode,
					     UNIXSOCK_KEEP_GROUP);
	if (rc >= 0) {
		c->id = unixsock_id(c->path);
		rc = console_listen(wf->console, c->fd);
	}
	if (rc < 0)
		log_err("unable to open management socket %s: %s", path,
			strerror(-rc));
	return rc;
}

int cmd_load_rc(struct wirefilter *wf, const char *path)
{
	int rc = console_load(wf->console, path, NULL);

	if (rc)
		log_err("unable to read rc file %s: %s", path, strerror(-rc));
	return rc;
}

/* ---- for handlers and options ---- */

static void unheard(void *ctx, const char *s, size_t len)
{
}

int cmd_run(struct wirefilter *wf, const char *line, char why[static MGMT_WHY])
{
	const struct mgmt *m = &wf->commands->mgmt;
	const struct mgmt_cmd *cmd = mgmt_find(m, line);
	struct mgmt_req rq = { 0 };
	struct writer w;
	char *copy = strdup(line);
	int rc = copy ? -ENOSYS : -ENOMEM;

	writer_init(&w, false, unheard, NULL);
	rq.w = &w;
	if (copy && cmd)
		rc = mgmt_run(m, cmd, &rq, copy);
	while (rc > 0)
		rc = mgmt_more(&rq);
	str_fmt(why, MGMT_WHY, "%s", *rq.why ? rq.why : strerror(-rc));
	free(copy);
	return rc;
}

int cmd_refuse(struct mgmt_req *rq, int rc, const char *why)
{
	struct wirefilter *wf = rq->mgmt->ctx;

	if (rq->session && !rq->w->json && !explains(rq->cmd))
		log_msg_rl(&wf->commands->refused, loop_now(wf->loop),
			   LOG_NOTICE, "console: %s", why);
	return mgmt_refuse(rq, rc, why);
}

int cmd_set_as(struct mgmt_req *rq, const char *name, const char *text)
{
	struct wirefilter *wf = rq->mgmt->ctx;
	char room[MGMT_WHY];
	struct strbuf why;
	int rc;

	strbuf_init(&why, room, sizeof(room));
	strbuf_add(&why, "unable to set ");
	rc = fromfile_set(wf, 0, name, text, &why);
	return rc ? cmd_refuse(rq, rc, room) : 0;
}

int cmd_set(struct mgmt_req *rq, void *ctx)
{
	const char *name = rq->cmd->syntax;
	char word[32];

	if (str_fmt(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name) <
	    0)
		return -EINVAL;
	return cmd_set_as(rq, word, rq->arg[0].str);
}

int cmd_no_node(struct mgmt_req *rq, unsigned int node)
{
	const char *name = rq->cmd->syntax;
	char why[MGMT_WHY];

	str_fmt(why, sizeof(why), "%.*s: there is no node %u",
		(int)strcspn(name, " "), name, node);
	return cmd_refuse(rq, -EINVAL, why);
}

void cmd_real(struct writer *w, const char *key, const char *piece, double v)
{
	char text[40];

	if (w->json)
		writer_real(w, key, NULL, v, 0);
	else if (str_fmt(text, sizeof(text), "%g", v) > 0)
		writer_str(w, NULL, piece, text, 0);
}
