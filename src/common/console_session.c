// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/console_impl.h"

#define BUDGET 16 /* commands of a session in one turn */
#define TIME_BUDGET LOOP_MS /* of all sessions; then they wait for the next */
#define FLUSH_ABOVE 32768 /* between two commands */

struct console_session *session_new(struct console *c, bool terminal)
{
	struct console_session *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	/* Not calloc(): the input's memory need not be touched. */
	memset(s, 0, offsetof(struct console_session, in));
	linebuf_init(&s->in);
	s->console = c;
	s->terminal = terminal;
	list_add_tail(&c->sessions, &s->node);
	return s;
}

void session_free(struct console_session *s)
{
	struct console *c = s->console;
	int fd = s->io.on ? s->io.fd : -1;

	loop_timer_del(c->cfg.loop, &s->idle);
	loop_fd_del(c->cfg.loop, &s->io);
	if (s->terminal) {
		term_fini(s);
	} else if (fd >= 0) {
		close(fd);
		c->n_clients--;
		acceptor_retry(&c->acceptor);
	}
	list_del(&s->node);
	if (c->cfg.session_gone)
		c->cfg.session_gone(c->cfg.ctx, s);
	outbuf_clear(&s->out);
	free(s);
}

/* ---- output ---- */

void session_put(struct console_session *s, const char *text, size_t n)
{
	if (s->ended || s->broken || s->deaf)
		return;
	if (!outbuf_insert(&s->out, outbuf_pending(&s->out), text, n,
			   CONSOLE_OUT_MAX))
		s->broken = !s->terminal; /* the terminal just loses it */
}

void session_sink(void *ctx, const char *text, size_t n)
{
	session_put(ctx, text, n);
}

void session_puts(struct console_session *s, const char *text)
{
	session_put(s, text, strlen(text));
}

void session_prompt(struct console_session *s)
{
	if (s->terminal) {
		term_prompt(s);
		return;
	}
	session_put(s, "\n", 1);
	session_puts(s, s->console->cfg.prompt);
}

bool session_flush(struct console_session *s)
{
	bool progress = false;

	while (outbuf_pending(&s->out)) {
		const char *p = outbuf_bytes(&s->out);
		size_t left = outbuf_pending(&s->out);
		ssize_t n = s->terminal ? term_write(s, p, left)
					: send(s->io.fd, p, left,
					       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			outbuf_sent(&s->out, (size_t)n);
			progress = true;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			outbuf_clear(&s->out);
			s->deaf = !s->terminal;
		}
	}
	return progress;
}

/* ---- commands ---- */

/* The sink of one reply: its data block begins with the first output. */
struct reply {
	struct console_session *s;
	bool open;
	bool midline;
};

static void reply_open(struct reply *r)
{
	if (!r->open)
		session_puts(r->s, "0000 DATA END WITH '.'\n");
	r->open = true;
}

static void reply_sink(void *ctx, const char *text, size_t n)
{
	struct reply *r = ctx;

	reply_open(r);
	session_put(r->s, text, n);
	r->midline = text[n - 1] != '\n';
}

static void reply_close(struct reply *r)
{
	if (!r->open)
		return;
	if (r->midline)
		session_put(r->s, "\n", 1);
	session_puts(r->s, ".\n");
}

void session_result(struct console_session *s, int rc)
{
	char line[128];
	int code = rc < 0 ? -rc : 0;

	if (str_fmt(line, sizeof(line), "1%03d %s\n", code, strerror(code)) > 0)
		session_puts(s, line);
}

int session_exec(struct console *c, struct console_session *s, struct writer *w,
		 const struct mgmt_cmd *cmd, char *line)
{
	struct mgmt_req req = { .w = w, .session = s };

	return cmd ? mgmt_run(c->cfg.mgmt, cmd, &req, line) : -ENOSYS;
}

bool session_wants_json(char **line)
{
	char *s = *line;

	if (strncmp(s, "-j", 2) || (s[2] && !strchr(" \t", s[2])))
		return false;
	*line = s + 2 + strspn(s + 2, " \t");
	return true;
}

void session_command(struct console_session *s, char *line)
{
	struct reply r = { .s = s };
	struct writer w, *outer = s->json;
	bool json = session_wants_json(&line);
	const struct mgmt_cmd *cmd = mgmt_find(s->console->cfg.mgmt, line);
	int rc;

	writer_init(&w, json, reply_sink, &r);
	writer_open(&w, NULL);
	s->json = json ? &w : NULL;
	rc = session_exec(s->console, s, &w, cmd, line);
	s->json = outer;
	while (w.depth)
		writer_close(&w);
	if (cmd && cmd->data)
		reply_open(&r);
	reply_close(&r);
	if (!s->logout)
		session_result(s, rc);
	else if (s->terminal)
		s->logout = false; /* it cannot, and VDE 2 says nothing */
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

char *session_strip(char *s, size_t len)
{
	while (len && is_blank(s[len - 1]))
		s[--len] = '\0';
	while (len && is_blank(*s)) {
		s++;
		len--;
	}
	return strlen(s) == len ? s : NULL;
}

static void run_line(struct console_session *s, char *line, size_t len)
{
	s->running = true;
	s->reply_at = outbuf_pending(&s->out);
	line = session_strip(line, len);
	if (!line)
		session_result(s, -EINVAL);
	else if (*line && *line != '#')
		session_command(s, line);
	s->running = false;
	if (s->logout) {
		session_puts(s, "9999 END OF SESSION");
		s->ended = true;
		return;
	}
	session_prompt(s);
}

/* Nothing runs while output waits: who does not read need not ask. */
void session_run(struct console_session *s, bool all)
{
	struct console *c = s->console;
	uint64_t begin = loop_clock(c->cfg.loop), now;

	s->had_turn = false;
	for (int i = 0; i < BUDGET && !s->ended && !s->broken; i++) {
		const size_t limit = i ? FLUSH_ABOVE : 0;
		enum linebuf_got got;
		char *line;
		size_t len;

		if (outbuf_pending(&s->out) > limit)
			session_flush(s);
		if (outbuf_pending(&s->out) > limit || c->spent > TIME_BUDGET)
			return;
		got = linebuf_next(&s->in, all || s->eof, &line, &len);
		if (got == LINEBUF_NOTHING)
			return;
		if (got == LINEBUF_LINE) {
			run_line(s, line, len);
		} else {
			session_result(s, -E2BIG);
			session_prompt(s);
		}
		s->had_turn = true;
		now = loop_clock(c->cfg.loop);
		c->spent += now - begin;
		begin = now;
	}
}

static void idle_over(struct loop_timer *t)
{
	struct console_session *s = container_of(t, struct console_session,
						 idle);

	session_run(s, true);
	session_settle(s);
}

void session_idle(struct console_session *s, bool fresh)
{
	struct loop *l = s->console->cfg.loop;

	if (s->eof || s->term.in_tty || outbuf_pending(&s->out) ||
	    linebuf_ready(&s->in, false) || !linebuf_ready(&s->in, true))
		loop_timer_del(l, &s->idle);
	else if (fresh || !loop_timer_armed(&s->idle))
		loop_timer_set(l, &s->idle, CONSOLE_IDLE, idle_over);
}

/* ---- a client's socket ---- */

/* Lines that are left over for the next turn wait for EPOLLOUT: with nothing
 * pending the loop calls at once, after everybody else had his turn. When there
 * was no time for all of the sessions, the next turn begins with another. */
static void settle_socket(struct console_session *s)
{
	const struct console *c = s->console;
	bool more = linebuf_ready(&s->in, s->eof);
	bool waits = outbuf_pending(&s->out) > 0;
	uint32_t events = waits || more ? EPOLLOUT : EPOLLIN;

	if (s->broken || (!waits && (s->ended || (s->eof && !more)))) {
		session_free(s);
		return;
	}
	session_idle(s, false);
	if (loop_fd_want(c->cfg.loop, &s->io, events) ||
	    (more && s->had_turn && c->spent > TIME_BUDGET &&
	     loop_fd_requeue(c->cfg.loop, &s->io)))
		session_free(s);
}

void session_settle(struct console_session *s)
{
	bool progress = session_flush(s);

	if (s->terminal)
		term_settle(s, progress);
	else
		settle_socket(s);
}

void session_kick(struct console_session *s)
{
	if (s->terminal) {
		term_kick(s);
		return;
	}
	/* A socket that takes nothing never becomes writable: hang up, then
	 * the loop has something to tell. */
	if (s->broken)
		shutdown(s->io.fd, SHUT_RDWR);
	loop_fd_want(s->console->cfg.loop, &s->io, s->io.events | EPOLLOUT);
}

static bool receive(struct console_session *s)
{
	size_t room;
	char *p = linebuf_space(&s->in, &room);
	ssize_t n;

	if (!room)
		return false;
	n = recv(s->io.fd, p, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		s->eof = true;
		return false;
	}
	linebuf_fill(&s->in, (size_t)n);
	return true;
}

void session_readable(struct loop_fd *w, uint32_t events)
{
	struct console_session *s = container_of(w, struct console_session, io);
	bool fresh = false;

	session_flush(s);
	if (!s->eof && !s->ended && !outbuf_pending(&s->out) &&
	    !linebuf_ready(&s->in, false) && (events & ~(uint32_t)EPOLLOUT))
		fresh = receive(s);
	session_run(s, false);
	if (fresh)
		session_idle(s, true);
	session_settle(s);
}
