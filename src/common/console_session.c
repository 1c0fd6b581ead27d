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
#define PART_BUDGET (LOOP_MS / 4) /* the same for second and later parts */
#define FLUSH_ABOVE 32768 /* between two commands */

struct console_session *session_new(struct console *c, bool terminal)
{
	struct console_session *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	/* Not calloc(): the rest's memory need not be touched. */
	memset(s, 0, offsetof(struct console_session, cmd));
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
	outbuf_clear(&s->late);
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

/* The data block begins with the first output. */
void session_open_block(struct command *k)
{
	if (!k->open)
		session_puts(k->session, "0000 DATA END WITH '.'\n");
	k->open = true;
}

static void block_sink(void *ctx, const char *text, size_t n)
{
	struct command *k = ctx;

	session_open_block(k);
	session_put(k->session, text, n);
	k->midline = text[n - 1] != '\n';
}

static void block_close(const struct command *k)
{
	if (!k->open)
		return;
	if (k->midline)
		session_put(k->session, "\n", 1);
	session_puts(k->session, ".\n");
}

void session_result(struct console_session *s, int rc)
{
	char line[128];
	int code = rc < 0 ? -rc : 0;

	if (str_fmt(line, sizeof(line), "1%03d %s\n", code, strerror(code)) > 0)
		session_puts(s, line);
}

bool session_wants_json(char **line)
{
	char *s = *line;

	if (strncmp(s, "-j", 2) || (s[2] && !strchr(" \t", s[2])))
		return false;
	*line = s + 2 + strspn(s + 2, " \t");
	return true;
}

void session_cut_comment(const struct console *c, char *line)
{
	char *hash = line;

	if (!c->cfg.dialect->comments)
		return;
	while ((hash = strchr(hash + 1, '#')))
		if (hash[-1] == ' ' || hash[-1] == '\t')
			break;
	if (hash)
		*hash = '\0';
}

int session_begin(struct command *k, struct console_session *s, char *line)
{
	const struct mgmt *m = s->console->cfg.mgmt;
	struct writer *outer = s->json;
	bool json = session_wants_json(&line);
	const struct mgmt_cmd *cmd = mgmt_find(m, line);
	int rc;

	session_cut_comment(s->console, line);
	*k = (struct command){ .session = s, .data = cmd && cmd->data };
	k->req = (struct mgmt_req){ .w = &k->w, .session = s };
	writer_init(&k->w, json, block_sink, k);
	writer_open(&k->w, NULL);
	s->json = json ? &k->w : NULL;
	rc = cmd ? mgmt_run(m, cmd, &k->req, line)
		 : mgmt_refuse(&k->req, -ENOSYS, "no such command");
	s->json = outer;
	return rc;
}

int session_more(struct command *k)
{
	struct console_session *s = k->session;
	struct writer *outer = s->json;
	int rc;

	s->json = k->w.json ? &k->w : NULL;
	rc = mgmt_more(&k->req);
	s->json = outer;
	return rc;
}

/* The switch's terminal cannot log out, and VDE 2 says nothing then. */
bool session_spare(struct console_session *s)
{
	const struct console_dialect *d = s->console->cfg.dialect;
	bool stays = s->load && d->load_before && !s->silent;

	if (!s->logout || (!stays && (!s->terminal || d->terminal_talks)))
		return false;
	s->logout = false;
	return true;
}

void session_failed(struct console_session *s, struct writer *json, int rc,
		    const char *why)
{
	const struct console_dialect *d = s->console->cfg.dialect;

	if (rc >= 0 || !d->explains)
		return;
	if (!*why)
		why = strerror(-rc);
	str_fmt(s->failure, sizeof(s->failure), "%s", why);
	str_fmt(s->console->failure, sizeof(s->console->failure), "%s", why);
	if (json)
		writer_str(json, "reason", NULL, why, 0);
}

static void explain(struct command *k, int rc)
{
	const struct console_dialect *d = k->session->console->cfg.dialect;
	const struct mgmt_cmd *cmd = k->req.cmd;

	if (rc >= 0 || k->w.json || !k->req.why[0] || !cmd || !d->explains ||
	    !d->explains(cmd))
		return;
	if (k->midline)
		writer_line(&k->w);
	writer_str(&k->w, NULL, "", k->req.why, 0);
	writer_line(&k->w);
}

void session_end(struct command *k, int rc)
{
	struct console_session *s = k->session;
	const char *farewell = s->console->cfg.dialect->farewell;

	while (k->w.depth > 1)
		writer_close(&k->w);
	session_failed(s, k->w.json ? &k->w : NULL, rc, k->req.why);
	explain(k, rc);
	if (k->w.depth)
		writer_close(&k->w);
	if (k->data)
		session_open_block(k);
	block_close(k);
	if (!s->logout)
		session_result(s, rc);
	else if (session_spare(s) && s->load && farewell)
		session_puts(s, farewell);
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

void session_farewell(struct console_session *s)
{
	const char *text = s->console->cfg.dialect->farewell;

	if (!s->silent)
		session_puts(s, text ? text : "9999 END OF SESSION");
	s->ended = true;
}

/* The farewell, or the prompt and the events that had to wait. */
static void reply_over(struct console_session *s)
{
	s->running = false;
	s->busy = false;
	if (s->logout) {
		session_farewell(s);
	} else {
		session_prompt(s);
		if (outbuf_pending(&s->late))
			session_put(s, outbuf_bytes(&s->late),
				    outbuf_pending(&s->late));
	}
	outbuf_clear(&s->late);
}

/* Nobody hears the rest; but a file of commands is more than its output. */
static bool is_in_vain(const struct console_session *s)
{
	return s->deaf && !s->load;
}

/* There is more and somebody is there to hear it; or the reply is over. */
static void part_over(struct console_session *s, int rc)
{
	bool leaves = s->broken || is_in_vain(s) ||
		      (s->logout && (!s->terminal ||
				     s->console->cfg.dialect->terminal_talks));

	if (rc > 0 && !leaves) {
		s->running = false;
		s->busy = true;
		return;
	}
	session_end_loads(s);
	session_end(&s->cmd, rc > 0 ? -ECANCELED : rc);
	reply_over(s);
}

static void run_line(struct console_session *s, char *line, size_t len)
{
	s->running = true;
	s->reply_at = outbuf_pending(&s->out);
	line = session_strip(line, len);
	if (line && *line && *line != '#') {
		part_over(s, session_begin(&s->cmd, s, line));
		return;
	}
	if (!line)
		session_result(s, -EINVAL);
	reply_over(s);
}

static void run_part(struct console_session *s)
{
	s->running = true;
	part_over(s, is_in_vain(s) ? -ECANCELED : session_more(&s->cmd));
}

void session_cancel(struct console_session *s, int rc)
{
	if (!s->busy)
		return;
	session_end_loads(s);
	session_end(&s->cmd, rc);
	reply_over(s);
}

/* False when no line is complete. */
static bool next_line(struct console_session *s, bool all)
{
	char *line;
	size_t len;

	switch (linebuf_next(&s->in, all || s->eof, &line, &len)) {
	case LINEBUF_LINE:
		run_line(s, line, len);
		return true;
	case LINEBUF_TOO_LONG:
		session_result(s, -E2BIG);
		session_prompt(s);
		return true;
	case LINEBUF_NOTHING:
	default:
		return false;
	}
}

/* Nothing runs while output waits: who does not read need not ask. Of a
 * command in parts one runs in a turn. */
void session_run(struct console_session *s, bool all)
{
	struct console *c = s->console;
	const bool part = s->busy;
	const uint64_t time = part ? PART_BUDGET : TIME_BUDGET;
	uint64_t begin = loop_clock(c->cfg.loop), now;

	s->had_turn = false;
	for (int i = 0; i < BUDGET && !s->ended && !s->broken; i++) {
		const size_t limit = i ? FLUSH_ABOVE : 0;

		if (outbuf_pending(&s->out) > limit)
			session_flush(s);
		if (outbuf_pending(&s->out) > limit || c->spent > time ||
		    ((part || s->busy) && i))
			return;
		if (part)
			run_part(s);
		else if (!next_line(s, all))
			return;
		s->had_turn = true;
		now = loop_clock(c->cfg.loop);
		c->spent += now - begin;
		begin = now;
	}
}

bool session_ready(const struct console_session *s)
{
	return s->busy || linebuf_ready(&s->in, s->eof);
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

	if (s->eof || s->busy || s->term.in_tty || outbuf_pending(&s->out) ||
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
	bool more = session_ready(s);
	bool waits = outbuf_pending(&s->out) > 0;
	uint32_t events = waits || more ? EPOLLOUT : EPOLLIN;

	if (s->broken || (!waits && (s->ended || (s->eof && !more)))) {
		session_free(s);
		return;
	}
	session_idle(s, false);
	if (loop_fd_want(c->cfg.loop, &s->io, events) ||
	    (more && s->had_turn && c->spent > PART_BUDGET &&
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
	if (!s->eof && !s->ended && !s->busy && !outbuf_pending(&s->out) &&
	    !linebuf_ready(&s->in, false) && (events & ~(uint32_t)EPOLLOUT))
		fresh = receive(s);
	session_run(s, false);
	if (fresh)
		session_idle(s, true);
	session_settle(s);
}
