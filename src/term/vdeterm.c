// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vdeterm - a terminal on a management socket
 *
 * The session is a lock step: a line goes to the server only when its prompt
 * has come, because VDE 2's servers take one read for one command. Lines
 * that are typed or read earlier wait here.
 *
 *   GREETING   nothing may be sent; a prompt leads to HELP on a terminal,
 *              else to IDLE
 *   HELP       our own "help" is being answered: its data is the words for
 *              completion and nothing of it is shown; a prompt leads to IDLE.
 *              Ours is shown only after it, so that Tab works at once
 *   IDLE       the server waits: the next line may be sent, which leads to
 *              BUSY; without one the end of input ends the program
 *   BUSY       a line is being answered; a prompt leads to IDLE, or to HELP
 *              if the command may have changed the commands there are
 *
 * What the server says is shown as it comes, cleaned of control characters.
 * On a terminal readline edits the line (edit.h); otherwise lines are read
 * as they are and only replies are written.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/unixsock.h"
#include "term/clean.h"
#include "term/edit.h"
#include "term/session.h"
#include "term/words.h"

#define CONNECT_MS 10000
#define ANSWER_TIME (10 * LOOP_SEC) /* for the greeting, and in a script */
#define LEAVE_TIME (2 * LOOP_SEC) /* for the server, after "shutdown" */
#define LINE_LEN 1023
#define TYPED_MAX (64 * 1024)

enum term_state {
	TERM_GREETING,
	TERM_HELP,
	TERM_IDLE,
	TERM_BUSY,
};

struct term {
	struct loop *loop;
	const char *path;
	bool tty, utf8;
	enum term_state state;
	struct session session;
	struct loop_fd server, input;
	struct loop_timer patience; /* with a silent server */
	struct loop_timer again; /* reads input that epoll cannot watch */
	struct loop_hook before_wait;
	char prompt[256];
	struct words words;
	bool reload; /* the command in progress may change the words */
	bool leaving; /* ... or ends the server */
	bool mid_line; /* a long line is being shown, or read for words */
	bool farewell;
	bool input_over, too_long; /* too_long: until the next newline */
	char typed[TYPED_MAX]; /* lines not yet sent */
	size_t typed_len;
	char from_server[TYPED_MAX];
	int status;
	int signo; /* to die by */
};

static void quit(struct term *t, int status)
{
	if (status)
		t->status = status;
	edit_set_prompt("");
	loop_stop(t->loop);
}

/* ---- what is typed ---- */

/* Moves the first waiting line to @line, of LINE_LEN + 1 bytes. False: there
 * is none. A line that is too long is dropped with a message. */
static bool take_line(struct term *t, char *line)
{
	char *nl = memchr(t->typed, '\n', t->typed_len);
	size_t len = nl ? (size_t)(nl - t->typed) : t->typed_len;
	size_t used = nl ? len + 1 : len;
	bool fits = len <= LINE_LEN && !t->too_long;

	if (!nl && !(t->input_over && (len || t->too_long)))
		return false;
	if (fits) {
		memcpy(line, t->typed, len);
		line[len] = '\0';
	} else {
		edit_hide();
		log_err("unable to send a line: longer than %d characters",
			LINE_LEN);
		t->status = EXIT_FAILURE;
		line[0] = '\0';
	}
	t->too_long = false;
	t->typed_len -= used;
	memmove(t->typed, t->typed + used, t->typed_len);
	return true;
}

static bool first_word_is(const char *line, const char *word)
{
	size_t n = strlen(word);

	line += strspn(line, " \t");
	return !strncmp(line, word, n) && (!line[n] || strchr(" \t", line[n]));
}

static void say(struct term *t, const char *line)
{
	char out[LINE_LEN + 2];
	int n = str_fmt(out, sizeof(out), "%s\n", line);

	/* Blocking, and one line at a time: it always finds room. */
	if (send(t->server.fd, out, (size_t)n, MSG_NOSIGNAL) != n) {
		log_err("unable to write to %s: %s", t->path, strerror(errno));
		quit(t, EXIT_FAILURE);
	}
}

static void out_of_patience(struct loop_timer *timer)
{
	struct term *t = container_of(timer, struct term, patience);

	if (!t->leaving) {
		edit_hide();
		log_err("no answer from %s for %d s", t->path,
			(int)(ANSWER_TIME / LOOP_SEC));
	}
	quit(t, t->leaving ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void expect_answer(struct term *t)
{
	if (t->leaving)
		loop_timer_set(t->loop, &t->patience, LEAVE_TIME,
			       out_of_patience);
	else if (!t->tty || t->state == TERM_GREETING)
		loop_timer_set(t->loop, &t->patience, ANSWER_TIME,
			       out_of_patience);
}

static void ask_help(struct term *t)
{
	t->state = TERM_HELP;
	words_clear(&t->words);
	say(t, "help");
	expect_answer(t);
}

/* Sends the next line, if there is one and the server waits for it. */
static void send_next(struct term *t)
{
	char line[LINE_LEN + 1];

	while (t->state == TERM_IDLE && take_line(t, line)) {
		const char *word = line + strspn(line, " \t");

		if (!*word || *word == '#')
			continue;
		if (first_word_is(line, "logout")) {
			quit(t, EXIT_SUCCESS);
			return;
		}
		t->leaving = first_word_is(line, "shutdown");
		t->reload = t->tty && (first_word_is(line, "plugin/add") ||
				       first_word_is(line, "plugin/del"));
		t->state = TERM_BUSY;
		say(t, line);
		expect_answer(t);
	}
	if (t->state == TERM_IDLE) {
		edit_set_prompt(t->prompt);
		if (t->input_over)
			quit(t, EXIT_SUCCESS);
	} else {
		edit_set_prompt("");
	}
}

static void store(struct term *t, const char *s, size_t n)
{
	memcpy(t->typed + t->typed_len, s, n);
	t->typed_len += n;
}

/* From the editor. */
static void on_line(void *ctx, const char *line)
{
	struct term *t = ctx;

	if (!line) {
		putchar('\n');
		quit(t, EXIT_SUCCESS);
		return;
	}
	if (strlen(line) + 1 > sizeof(t->typed) - t->typed_len) {
		log_err("unable to send a line: too many are waiting");
		return;
	}
	store(t, line, strlen(line));
	store(t, "\n", 1);
	if (t->state == TERM_IDLE)
		send_next(t);
	else
		edit_set_prompt("");
}

/* ---- what the server says ---- */

static void show(struct term *t, const char *prefix,
		 const struct session_event *ev)
{
	char text[SESSION_LINE];

	edit_hide();
	if (!t->mid_line)
		fputs(prefix, stdout);
	clean_text(text, ev->text, ev->len, t->utf8);
	fwrite(text, 1, ev->len, stdout);
	if (!ev->more)
		putchar('\n');
}

static void on_prompt(struct term *t, const char *name)
{
	loop_timer_del(t->loop, &t->patience);
	t->leaving = false;
	if (t->state == TERM_GREETING) {
		if (str_fmt(t->prompt, sizeof(t->prompt), "%s[%s]: ", name,
			    t->path) < 0)
			str_fmt(t->prompt, sizeof(t->prompt), "%s: ", name);
		clean_text(t->prompt, t->prompt, strlen(t->prompt), t->utf8);
		t->reload = t->tty;
	}
	t->state = TERM_IDLE;
	if (t->reload) {
		t->reload = false;
		ask_help(t);
	} else {
		send_next(t);
	}
}

static void on_event(void *ctx, const struct session_event *ev)
{
	struct term *t = ctx;
	bool ours = t->state == TERM_HELP;

	switch (ev->kind) {
	case SESSION_TEXT: /* only a person wants to be greeted */
		if (!ours && (t->tty || t->state != TERM_GREETING))
			show(t, "", ev);
		break;
	case SESSION_RESULT:
		if (!ours)
			show(t, "", ev);
		break;
	case SESSION_DATA:
		if (!ours)
			show(t, "", ev);
		else if (!t->mid_line)
			words_line(&t->words, ev->text, ev->len);
		break;
	case SESSION_EVENT:
		show(t, "** DBG MSG: ", ev);
		break;
	case SESSION_PROMPT:
		on_prompt(t, ev->text);
		break;
	case SESSION_FAREWELL:
		t->farewell = true;
		break;
	case SESSION_N_KINDS:
		break;
	}
	t->mid_line = ev->more;
}

static void hung_up(struct term *t, int err)
{
	bool owed = t->typed_len || t->state == TERM_GREETING ||
		    (t->state == TERM_BUSY && !t->leaving && !t->farewell);

	session_eof(&t->session);
	fflush(stdout);
	if (t->leaving) {
		quit(t, EXIT_SUCCESS);
		return;
	}
	edit_hide();
	if (err)
		log_err("unable to read %s: %s", t->path, strerror(err));
	else
		log_msg(owed ? LOG_ERR : LOG_NOTICE, "%s has hung up", t->path);
	quit(t, owed || err ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void server_readable(struct loop_fd *w, uint32_t events)
{
	struct term *t = container_of(w, struct term, server);
	ssize_t n = read(w->fd, t->from_server, sizeof(t->from_server));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		hung_up(t, n < 0 && errno != ECONNRESET ? errno : 0);
		return;
	}
	if (loop_timer_armed(&t->patience) && !t->leaving)
		expect_answer(t);
	session_feed(&t->session, t->from_server, (size_t)n);
	if (fflush(stdout) || ferror(stdout)) {
		log_err("unable to write standard output: %s", strerror(errno));
		quit(t, EXIT_FAILURE);
	}
	if (!t->mid_line)
		edit_show();
}

/* ---- input ---- */

static void key_pressed(struct loop_fd *w, uint32_t events)
{
	edit_readable();
}

/* Only called while no whole line waits, so there is room. */
static void read_input(struct term *t)
{
	char buf[4096];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		log_err("unable to read standard input: %s", strerror(errno));
		t->status = EXIT_FAILURE;
	}
	if (t->typed_len > LINE_LEN) {
		t->typed_len = 0;
		t->too_long = true;
	}
	if (n > 0)
		store(t, buf, (size_t)n);
	else
		t->input_over = true;
	send_next(t);
}

static void input_readable(struct loop_fd *w, uint32_t events)
{
	read_input(container_of(w, struct term, input));
}

static void input_again(struct loop_timer *timer)
{
	read_input(container_of(timer, struct term, again));
}

/* Before each wait: looks for input only while no line waits, so that the
 * rest stays where it is. A regular file cannot be watched, it is always
 * ready. */
static void watch_input(struct loop_hook *h)
{
	struct term *t = container_of(h, struct term, before_wait);
	bool wants = !t->input_over && !memchr(t->typed, '\n', t->typed_len);

	if (!wants)
		loop_fd_del(t->loop, &t->input);
	else if (!t->input.on && loop_fd_add(t->loop, &t->input, STDIN_FILENO,
					     EPOLLIN, input_readable))
		loop_timer_set(t->loop, &t->again, 0, input_again);
}

/* ---- start and end ---- */

static void on_signal(void *ctx, int signo)
{
	struct term *t = ctx;

	switch (signo) {
	case SIGWINCH:
		edit_resize();
		break;
	case SIGTSTP:
		edit_suspend();
		break;
	case SIGCONT:
		edit_resume();
		break;
	case SIGTERM:
		quit(t, EXIT_SUCCESS);
		break;
	default:
		t->signo = signo;
		quit(t, EXIT_FAILURE);
		break;
	}
}

/* A signal that whoever started us ignores stays ignored. */
static void add_signal(sigset_t *set, int signo)
{
	struct sigaction now;

	if (!sigaction(signo, NULL, &now) && now.sa_handler != SIG_IGN)
		sigaddset(set, signo);
}

static int take_signals(struct term *t)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	add_signal(&set, SIGINT);
	add_signal(&set, SIGHUP);
	add_signal(&set, SIGQUIT);
	if (t->tty) {
		add_signal(&set, SIGTSTP);
		sigaddset(&set, SIGCONT);
		sigaddset(&set, SIGWINCH);
	}
	return loop_signals(t->loop, &set, on_signal, t);
}

static void die_by(int signo)
{
	sigset_t set;

	signal(signo, SIG_DFL);
	raise(signo);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

struct options {
	const char *history;
};

static const struct cli_option options[] = {
	{ .letter = 'H',
	  .names = "history",
	  .kind = CLI_STR,
	  .arg = "FILE",
	  .help = "keep the history of commands in FILE",
	  .offset = offsetof(struct options, history) },
};

static const struct cli cli = {
	.synopsis = "[OPTION]... SOCK",
	.about = "Talk to the management socket SOCK of a VDE program, with "
		 "line editing,\nhistory and completion; or send it the "
		 "lines of standard input.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
};

static void start_tty(struct term *t, const char *history)
{
	int rc = loop_fd_add(t->loop, &t->input, STDIN_FILENO, EPOLLIN,
			     key_pressed);

	if (rc)
		die("unable to watch the terminal: %s", strerror(-rc));
	edit_start(&t->words, on_line, t);
	rc = history ? edit_load_history(history) : 0;
	if (rc)
		log_warn("unable to read %s: %s", history, strerror(-rc));
}

static void run(struct term *t, const char *history)
{
	int rc = take_signals(t);

	if (rc)
		die("unable to wait for signals: %s", strerror(-rc));
	if (t->tty)
		start_tty(t, history);
	else
		loop_hook_add(t->loop, &t->before_wait, watch_input);
	expect_answer(t);
	rc = loop_run(t->loop);
	edit_stop();
	if (rc)
		die("unable to wait for events: %s", strerror(-rc));
	rc = t->tty && history ? edit_save_history(history) : 0;
	if (rc)
		log_warn("unable to write %s: %s", history, strerror(-rc));
}

int main(int argc, char **argv)
{
	static struct term t;
	struct options opts = { 0 };
	int i, fd, rc;

	setlocale(LC_ALL, "");
	log_open(argv[0], LOG_NOTICE);
	i = cli_parse(&cli, argc, argv, &opts);
	if (argc - i != 1)
		cli_usage(i == argc ? "no socket named"
				    : "more than one socket named");
	t.path = argv[i];
	t.tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	t.utf8 = !isatty(STDOUT_FILENO) ||
		 !strcmp(nl_langinfo(CODESET), "UTF-8");
	session_init(&t.session, on_event, &t);
	fd = unixsock_connect_within(t.path, CONNECT_MS);
	if (fd < 0)
		die("unable to connect to %s: %s", t.path, strerror(-fd));
	t.loop = loop_new();
	if (!t.loop)
		die("unable to start: %s", strerror(errno));
	rc = loop_fd_add(t.loop, &t.server, fd, EPOLLIN, server_readable);
	if (rc)
		die("unable to watch %s: %s", t.path, strerror(-rc));
	run(&t, opts.history);
	loop_free(t.loop);
	close(fd);
	if (t.signo)
		die_by(t.signo);
	return t.status;
}
