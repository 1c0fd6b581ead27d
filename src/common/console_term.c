// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The session on descriptors 0 and 1, which belong to others too: the shell,
 * a pipeline, a service manager. Their O_NONBLOCK flag is shared with all of
 * them, so it is never touched. Instead
 *
 *   a terminal is opened a second time, non-blocking, through /proc, and
 *   read and written there;
 *   a socket is written with MSG_DONTWAIT;
 *   a pipe that polls writable takes PIPE_BUF bytes without blocking, so it
 *   is polled before each chunk of that size.
 *
 * Reading follows a poll by the loop. What cannot be polled (a regular file,
 * /dev/null) is always readable: a timer reads it piece by piece. While this
 * process is in the background of its terminal, it leaves that alone: reading
 * would stop it (SIGTTIN), a prompt would stand in somebody else's output. It
 * looks now and then whether it is in the foreground again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/console_impl.h"

#define STALL LOOP_SEC /* then output that nobody takes is dropped */
#define RECHECK (500 * LOOP_MS) /* in the background */

static int open_again(int fd, int mode)
{
	char path[32];

	if (str_fmt(path, sizeof(path), "/proc/self/fd/%d", fd) < 0)
		return -1;
	return open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Waits for nothing: -1 and EAGAIN if @fd would block. A terminal that could
 * not be opened again may still block when it is nearly full. */
static ssize_t write_polled(int fd, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	if (poll(&pfd, 1, 0) < 0)
		return -1;
	if (!pfd.revents) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, p, size_min(n, PIPE_BUF));
}

ssize_t term_write(struct console_session *s, const char *p, size_t n)
{
	if (s->term.out_sock)
		return send(1, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (s->term.out_fd != 1)
		return write(s->term.out_fd, p, n);
	return write_polled(1, p, n);
}

static bool in_background(const struct console_session *s)
{
	pid_t fg = s->term.in_tty ? tcgetpgrp(0) : -1;

	return fg > 0 && fg != getpgrp();
}

/* VDE 2 writes the prompt to descriptor 0, so that it is seen on a terminal
 * but is in no pipe. If both are terminals it goes with the other output,
 * which keeps the order. */
void term_prompt(struct console_session *s)
{
	bool talks = s->console->cfg.dialect->terminal_talks;
	char text[128];
	int n;

	if (!(talks || s->term.in_tty) || in_background(s))
		return;
	n = str_fmt(text, sizeof(text), "\n%s", s->console->cfg.prompt);
	if (n < 0)
		return;
	if (talks || s->term.out_tty)
		session_put(s, text, (size_t)n);
	else if (write_polled(s->term.in_fd, text, (size_t)n) < 0)
		return; /* a full terminal, or one opened for reading only */
}

static void read_input(struct console_session *s)
{
	size_t room;
	char *p = linebuf_space(&s->in, &room);
	ssize_t n;

	if (!room)
		return;
	n = read(s->term.in_fd, p, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		s->eof = true;
		return;
	}
	linebuf_fill(&s->in, (size_t)n);
	session_idle(s, true);
}

static void turn(struct console_session *s, bool readable)
{
	session_flush(s);
	if (readable && !s->eof && !outbuf_pending(&s->out) && !s->busy &&
	    !linebuf_ready(&s->in, false))
		read_input(s);
	session_run(s, false);
	session_settle(s);
}

static void again(struct loop_timer *t)
{
	struct console_session *s = container_of(t, struct console_session,
						 term.again);

	session_flush(s);
	if (s->term.stalled) { /* nothing went for STALL */
		session_cancel(s, -ECANCELED);
		outbuf_clear(&s->out);
	}
	s->term.stalled = false;
	turn(s, !s->term.polled);
}

static void input(struct loop_fd *w, uint32_t events)
{
	struct console_session *s = container_of(w, struct console_session, io);
	struct loop *l = s->console->cfg.loop;

	if (in_background(s)) {
		loop_fd_del(l, &s->io);
		loop_timer_set(l, &s->term.again, RECHECK, again);
		return;
	}
	turn(s, true);
}

static void writable(struct loop_fd *w, uint32_t events)
{
	turn(container_of(w, struct console_session, term.out), false);
}

/* ---- what to wait for ---- */

/* Output waits. Descriptor 0 leaves the loop: with its writer gone it would
 * report a hang-up without end. */
static void hold(struct console_session *s, bool progress)
{
	struct loop *l = s->console->cfg.loop;
	struct console_term *t = &s->term;
	int rc = 0;

	loop_fd_del(l, &s->io);
	loop_timer_del(l, &s->idle);
	if (!t->out.on)
		rc = loop_fd_add(l, &t->out, t->out_fd, EPOLLOUT, writable);
	if ((!t->out_tty || rc) && (progress || !t->stalled)) {
		loop_timer_set(l, &t->again, STALL, again);
		t->stalled = true;
	}
}

static void finish(struct console_session *s)
{
	struct console_config cfg = s->console->cfg;

	session_free(s);
	if (cfg.stdin_eof)
		cfg.stdin_eof(cfg.ctx);
}

void term_settle(struct console_session *s, bool progress)
{
	struct loop *l = s->console->cfg.loop;
	struct console_term *t = &s->term;

	if (outbuf_pending(&s->out)) {
		hold(s, progress);
		return;
	}
	loop_fd_del(l, &t->out);
	loop_timer_del(l, &t->again);
	t->stalled = false;
	if (s->ended || (s->eof && !session_ready(s))) {
		finish(s);
		return;
	}
	session_idle(s, false);
	if (!t->polled || session_ready(s))
		loop_timer_set(l, &t->again, 0, again);
	if (s->eof || s->busy)
		loop_fd_del(l, &s->io);
	else if (t->polled && !s->io.on &&
		 loop_fd_add(l, &s->io, t->in_fd, EPOLLIN, input))
		loop_timer_set(l, &t->again, RECHECK, again);
}

/* An event waits to be written. */
void term_kick(struct console_session *s)
{
	struct loop *l = s->console->cfg.loop;
	struct console_term *t = &s->term;

	if (!t->out.on &&
	    loop_fd_add(l, &t->out, t->out_fd, EPOLLOUT, writable))
		session_flush(s);
}

void term_fini(struct console_session *s)
{
	struct console_term *t = &s->term;

	loop_timer_del(s->console->cfg.loop, &t->again);
	loop_fd_del(s->console->cfg.loop, &t->out);
	if (t->out_fd > 1)
		close(t->out_fd);
	if (t->in_fd > 0)
		close(t->in_fd);
}

static void open_terminals(struct console_term *t)
{
	struct stat st;
	int fd;

	t->out_sock = !fstat(1, &st) && S_ISSOCK(st.st_mode);
	t->out_tty = isatty(1);
	if (t->out_tty && (fd = open_again(1, O_WRONLY)) >= 0)
		t->out_fd = fd;
	t->in_tty = isatty(0);
	if (t->in_tty && (fd = open_again(0, O_RDWR)) >= 0)
		t->in_fd = fd;
}

int console_stdin(struct console *c)
{
	struct console_session *s = session_new(c, true);
	int rc;

	if (!s)
		return -ENOMEM;
	s->term = (struct console_term){ .in_fd = 0, .out_fd = 1 };
	open_terminals(&s->term);
	rc = loop_fd_add(c->cfg.loop, &s->io, s->term.in_fd, EPOLLIN, input);
	s->term.polled = !rc;
	if (rc == -EPERM)
		rc = loop_timer_set(c->cfg.loop, &s->term.again, 0, again);
	if (rc) {
		session_free(s);
		return rc;
	}
	signal(SIGPIPE, SIG_IGN);
	if (s->term.in_tty)
		session_prompt(s);
	session_flush(s);
	return 0;
}
