// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/console_impl.h"
#include "common/log.h"

#define MAX_CLIENTS 256

static void turn_over(struct loop_hook *h)
{
	container_of(h, struct console, turn)->spent = 0;
}

struct console *console_new(const struct console_config *cfg)
{
	static const struct console_dialect of_switch = { 0 };
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->cfg = *cfg;
	if (!c->cfg.dialect)
		c->cfg.dialect = &of_switch;
	list_init(&c->sessions);
	loop_hook_add(cfg->loop, &c->turn, turn_over);
	return c;
}

void console_free(struct console *c)
{
	if (!c)
		return;
	acceptor_stop(&c->acceptor);
	loop_hook_del(&c->turn);
	while (!list_empty(&c->sessions)) {
		struct console_session *s = list_entry(
			c->sessions.next, struct console_session, node);

		session_cancel(s, -ECANCELED);
		session_flush(s);
		session_free(s);
	}
	free(c);
}

int console_attach(struct console *c, int fd)
{
	struct console_session *s = session_new(c, false);
	int rc;

	if (!s)
		return -ENOMEM;
	rc = loop_fd_add(c->cfg.loop, &s->io, fd, EPOLLIN, session_readable);
	if (rc) {
		session_free(s);
		return rc;
	}
	c->n_clients++;
	session_puts(s, c->cfg.greeting);
	session_prompt(s);
	session_settle(s);
	return 0;
}

void console_forget(struct console *c, const struct mgmt_table *table)
{
	list_for_each(it, &c->sessions) {
		struct console_session *s = list_entry(
			it, struct console_session, node);

		if (s->busy && (mgmt_has(table, s->cmd.req.cmd) ||
				session_loads_use(s, table))) {
			session_cancel(s, -ECANCELED);
			session_kick(s);
		}
	}
}

/* ---- the listener ---- */

static void refuse(int fd)
{
	char line[80];
	int n = str_fmt(line, sizeof(line), "1%03d %s\n", EUSERS,
			strerror(EUSERS));

	if (n > 0 && send(fd, line, (size_t)n, MSG_NOSIGNAL) < 0)
		log_debug("unable to refuse a console: %s", strerror(errno));
	close(fd);
}

static void accepted(struct acceptor *a, int fd)
{
	struct console *c = container_of(a, struct console, acceptor);

	if (c->n_clients >= MAX_CLIENTS)
		refuse(fd);
	else if (console_attach(c, fd))
		close(fd);
}

int console_listen(struct console *c, int fd)
{
	if (c->acceptor.loop)
		return -EALREADY;
	return acceptor_start(&c->acceptor, c->cfg.loop, fd, "the console",
			      accepted);
}

/* ---- calls by the program ---- */

/* While a command of this session runs, its reply comes first. One that waits
 * for its next turn ends here. */
void console_farewell(struct console_session *s)
{
	if (s->ended)
		return;
	s->logout = true;
	if (s->terminal || s->running)
		return;
	if (s->busy)
		session_cancel(s, -ECANCELED);
	else
		session_farewell(s);
	session_flush(s);
	session_kick(s);
}

void console_hang_up(struct console_session *s)
{
	s->silent = true;
	console_farewell(s);
}

const char *console_last_failure(const struct console_session *s)
{
	return *s->failure ? s->failure : s->console->failure;
}

void console_logout(struct console_session *s)
{
	console_farewell(s);
}

bool console_is_terminal(const struct console_session *s)
{
	return s->terminal;
}

uint64_t *console_flags(struct console_session *s)
{
	return &s->flags;
}

void console_for_each(struct console *c,
		      void (*fn)(void *ctx, struct console_session *),
		      void *ctx)
{
	list_for_each(it, &c->sessions)
		fn(ctx, list_entry(it, struct console_session, node));
}

/* Events go before the reply of a command that is running, as VDE 2's do,
 * never into the middle of it. If it has begun to leave they wait for its
 * end. */
static void event_sink(void *ctx, const char *text, size_t n)
{
	struct console_session *s = ctx;
	bool ok = true;

	if (s->deaf || (!s->running && !s->busy)) {
		session_put(s, text, n);
	} else if (s->busy) {
		ok = outbuf_insert(&s->late, outbuf_pending(&s->late), text, n,
				   CONSOLE_OUT_MAX);
	} else {
		ok = outbuf_insert(&s->out, s->reply_at, text, n,
				   CONSOLE_OUT_MAX);
		s->reply_at += ok ? n : 0;
	}
	if (!ok)
		s->broken = !s->terminal;
}

static void event(struct console_session *s, const char *code,
		  const char *category, const char *text)
{
	struct writer w;

	if (s->ended || s->broken ||
	    outbuf_pending(&s->out) + outbuf_pending(&s->late) >
		    CONSOLE_EVENT_ROOM)
		return;
	writer_init(&w, false, event_sink, s);
	writer_text(&w, code);
	writer_text(&w, category);
	writer_str(&w, NULL, *category ? " " : "", text, 0);
	writer_line(&w);
	if (!s->running && !s->busy)
		session_kick(s);
}

void console_event(struct console_session *s, unsigned int tag,
		   const char *category, const char *text)
{
	char code[16];

	str_fmt(code, sizeof(code), "3%03o ", tag);
	event(s, code, category, text);
}

void console_event_line(struct console_session *s, const char *line)
{
	event(s, "", "", line);
}
