// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unixcmd - one command to a management socket, for scripts
 *
 * Speaks the protocol itself (session.h): waits for the server's prompt,
 * sends the command, writes the lines of its data block, and ends when the
 * next prompt has come, with the status of the last result before it. With
 * -f, or under another name that has a script in /etc/vde2, it interprets a
 * script instead (script.h), as VDE 2's unixcmd does.
 *
 * Plain blocking code: there is one descriptor to wait for, with a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "common/cli.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "term/clean.h"
#include "term/script.h"
#include "term/session.h"

#define COMMAND_LEN 1023
#define TIMEOUT_SEC 10
#define TIMEOUT_MAX 86400
#define SCRIPT_SIZE (1024 * 1024)
#define OUR_NAME "unixcmd"

struct options {
	const char *sock, *script;
	bool verbose, json;
	int64_t timeout; /* seconds, 0: not given */
};

static const struct cli_option options[] = {
	{ .letter = 's',
	  .names = "sock mgmt",
	  .kind = CLI_STR,
	  .arg = "SOCK",
	  .help = "management socket of the program to talk to",
	  .offset = offsetof(struct options, sock) },
	{ .letter = 'j',
	  .names = "json",
	  .kind = CLI_FLAG,
	  .help = "print the answer as a JSON document",
	  .offset = offsetof(struct options, json) },
	{ .letter = 't',
	  .names = "timeout",
	  .kind = CLI_NUM,
	  .arg = "SECONDS",
	  .help = "give up after so long (10)",
	  .offset = offsetof(struct options, timeout),
	  .min = 1,
	  .max = TIMEOUT_MAX },
	{ .letter = 'f',
	  .names = "script rcfile",
	  .kind = CLI_STR,
	  .arg = "SCRIPT",
	  .help = "talk as this file says",
	  .offset = offsetof(struct options, script) },
	{ .letter = 'v',
	  .names = "verbose",
	  .kind = CLI_FLAG,
	  .help = "show on standard error what else is said",
	  .offset = offsetof(struct options, verbose) },
};

static const struct cli cli = {
	.synopsis = "[OPTION]... -s SOCK COMMAND [ARGUMENT]...",
	.about = "Give one command to the VDE program that listens on SOCK, "
		 "print the answer,\nand end with the status of its reply.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_STOP,
};

/* ---- time and bytes ---- */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Bytes read, 0 at hang-up, -ETIMEDOUT at @deadline, or another -errno. */
static ssize_t read_until(int fd, char *buf, size_t size, uint64_t deadline)
{
	struct pollfd p = { fd, POLLIN, 0 };

	for (;;) {
		uint64_t now = now_ms();
		int ready;
		ssize_t n;

		/* Also for a server that never stops talking. */
		if (now >= deadline)
			return -ETIMEDOUT;
		ready = poll(&p, 1, (int)(deadline - now));
		if (ready > 0) {
			n = read(fd, buf, size);
			if (n >= 0)
				return n;
			if (errno == ECONNRESET)
				return 0;
			ready = -1;
		}
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

static bool send_all(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t k = send(fd, s, n, MSG_NOSIGNAL);

		if (k < 0 && errno != EINTR)
			return false;
		if (k > 0) {
			s += k;
			n -= (size_t)k;
		}
	}
	return true;
}

/* Does the one who reads @f understand UTF-8? A program is assumed to. */
static bool is_utf8(FILE *f)
{
	return !isatty(fileno(f)) || !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* All that a server said goes through here; lines are kept apart. */
static void put_clean(FILE *f, const char *s, size_t n)
{
	char piece[SESSION_LINE];
	bool utf8 = is_utf8(f);

	while (n) {
		size_t k = size_min(n, sizeof(piece));
		const char *nl = memchr(s, '\n', k);

		if (nl)
			k = (size_t)(nl - s);
		else if (k < n)
			k -= clean_partial(s, k);
		clean_text(piece, s, k, utf8);
		fwrite(piece, 1, k, f);
		if (nl) {
			putc('\n', f);
			k++;
		}
		s += k;
		n -= k;
	}
}

/* ---- one command ---- */

struct talk {
	const struct options *opts;
	const char *command;
	int fd;
	uint64_t deadline;
	struct session session;
	bool asked; /* the command was sent */
	bool done; /* its reply is complete */
	bool have_result;
	int code;
	char reason[256]; /* of the last result */
	char heading[256]; /* the last line of text: what `load` runs */
	char what[256]; /* ... at the time of the last result */
};

static void keep(char *to, size_t size, const struct session_event *ev)
{
	size_t n = size_min(ev->len, size - 1);

	clean_text(to, ev->text, n, is_utf8(stderr));
	to[n] = '\0';
}

/* A result that another one follows was of a command inside `load`. */
static void report_inner(const struct talk *t)
{
	if (t->have_result && t->code)
		log_warn("'%s': %s: %s", t->command, t->what, t->reason);
}

static void verbose(const struct talk *t, const struct session_event *ev)
{
	if (!t->opts->verbose)
		return;
	fputs("< ", stderr);
	if (ev->kind == SESSION_RESULT)
		fprintf(stderr, "1%03d ", ev->code);
	put_clean(stderr, ev->text, ev->len);
	putc('\n', stderr);
}

static void on_event(void *ctx, const struct session_event *ev)
{
	struct talk *t = ctx;

	switch (ev->kind) {
	case SESSION_TEXT:
		verbose(t, ev);
		if (ev->len)
			keep(t->heading, sizeof(t->heading), ev);
		break;
	case SESSION_EVENT:
		verbose(t, ev);
		break;
	case SESSION_DATA:
		put_clean(stdout, ev->text, ev->len);
		if (!ev->more)
			putchar('\n');
		break;
	case SESSION_RESULT:
		verbose(t, ev);
		report_inner(t);
		t->have_result = true;
		t->code = ev->code;
		keep(t->reason, sizeof(t->reason), ev);
		memcpy(t->what, t->heading, sizeof(t->what));
		break;
	case SESSION_PROMPT:
	case SESSION_FAREWELL:
		t->done = true;
		break;
	case SESSION_N_KINDS:
		break;
	}
}

/* Until a prompt or the end. 0 or -errno, -ECONNRESET for a hang-up. */
static int listen_to(struct talk *t)
{
	char buf[64 * 1024];

	for (t->done = false; !t->done;) {
		ssize_t n = read_until(t->fd, buf, sizeof(buf), t->deadline);

		if (n > 0)
			session_feed(&t->session, buf, (size_t)n);
		else
			session_eof(&t->session);
		if (n <= 0 && !t->done)
			return n ? (int)n : -ECONNRESET;
	}
	return 0;
}

/* These may end in a hang-up without a result. */
static bool is_farewell(const char *command)
{
	return !strcmp(command, "logout") || !strcmp(command, "shutdown");
}

static const char *why(int rc)
{
	switch (rc) {
	case -ETIMEDOUT:
		return "no answer in time";
	case -ECONNRESET:
		return "the server has hung up";
	default:
		return strerror(-rc);
	}
}

static int finish(const struct talk *t, int rc)
{
	if (rc == -ECONNRESET && is_farewell(t->command))
		rc = 0;
	if (rc) {
		log_err("unable to run '%s' on %s: %s", t->command,
			t->opts->sock, why(rc));
		return EXIT_FAILURE;
	}
	if (!t->have_result || !t->code)
		return EXIT_SUCCESS;
	if (t->opts->verbose)
		log_err("unable to run '%s': %s (errno %d)", t->command,
			t->reason, t->code);
	else
		log_err("unable to run '%s': %s", t->command, t->reason);
	return EXIT_FAILURE;
}

static int run_command(const struct options *opts, int fd, uint64_t deadline,
		       const char *command)
{
	struct talk t = {
		.opts = opts, .command = command, .fd = fd, .deadline = deadline
	};
	char line[COMMAND_LEN + 8];
	int rc, n;

	session_init(&t.session, on_event, &t);
	rc = listen_to(&t);
	if (rc) {
		log_err("unable to talk to %s: %s", opts->sock,
			rc == -ETIMEDOUT ? "no prompt in time" : why(rc));
		return EXIT_FAILURE;
	}
	n = str_fmt(line, sizeof(line), "%s%s\n", opts->json ? "-j " : "",
		    command);
	if (n < 0 || !send_all(fd, line, (size_t)n)) {
		log_err("unable to send to %s: %s", opts->sock,
			strerror(n < 0 ? -n : errno));
		return EXIT_FAILURE;
	}
	return finish(&t, listen_to(&t));
}

/* ---- a script ---- */

struct scripted {
	const struct options *opts;
	int fd;
};

static void script_send(void *ctx, const char *bytes, size_t n)
{
	const struct scripted *s = ctx;

	/* A hang-up shows in the next IN. */
	send_all(s->fd, bytes, n);
}

static void script_out(void *ctx, int tag, const char *bytes, size_t n)
{
	put_clean(tag == 3 ? stderr : stdout, bytes, n);
}

static void script_step(void *ctx, unsigned int num, const char *name)
{
	fprintf(stderr, "%u %s\n", num, name);
}

static void script_error(void *ctx, unsigned int line, const char *what)
{
	const struct options *opts = ctx;

	log_err("%s:%u: %s", opts->script, line, what);
}

static void script_warning(void *ctx, unsigned int line, const char *what)
{
	const struct options *opts = ctx;

	log_warn("%s:%u: %s", opts->script, line, what);
}

static struct script *load_script(struct options *opts)
{
	struct script *script = NULL;
	size_t len = 0;
	char *text;
	FILE *f = fopen(opts->script, "re");

	if (!f)
		die("unable to read %s: %s", opts->script, strerror(errno));
	text = malloc(SCRIPT_SIZE);
	if (text)
		len = fread(text, 1, SCRIPT_SIZE, f);
	if (!text || ferror(f))
		die("unable to read %s: %s", opts->script, strerror(errno));
	if (len == SCRIPT_SIZE)
		die("unable to read %s: it is too large", opts->script);
	fclose(f);
	script = script_parse(text, len, script_error, script_warning, opts);
	free(text);
	if (!script)
		die("unable to use %s", opts->script);
	return script;
}

static int drive(const struct scripted *s, struct script_run *run,
		 unsigned int timeout_ms)
{
	char buf[64 * 1024];
	unsigned long reads = 0;
	uint64_t deadline = 0;
	enum script_state state = script_go(run);

	while (state == SCRIPT_READING) {
		ssize_t n;

		if (reads != script_reads(run)) {
			reads = script_reads(run);
			deadline = now_ms() + timeout_ms;
		}
		n = read_until(s->fd, buf, sizeof(buf), deadline);
		if (n > 0)
			state = script_feed(run, buf, (size_t)n);
		else
			state = script_over(run);
	}
	if (state == SCRIPT_ENDED)
		return script_status(run) & 0xff;
	log_err("unable to go on with %s: %s", s->opts->script,
		script_reason(run));
	return EXIT_FAILURE;
}

static int run_script(const struct options *opts, struct script *script, int fd,
		      char **words, size_t n_words)
{
	struct scripted s = { .opts = opts, .fd = fd };
	const struct script_io io = { .send = script_send,
				      .out = script_out,
				      .step = opts->verbose ? script_step
							    : NULL,
				      .ctx = &s };
	const char *const *w = (const char *const *)(void *)words;
	struct script_run *run = script_start(script, w, n_words, &io);
	unsigned int timeout_ms = script_timeout(script);
	int status;

	if (!run)
		die("unable to start: %s", strerror(ENOMEM));
	if (!timeout_ms)
		timeout_ms = (unsigned int)opts->timeout * 1000;
	status = drive(&s, run, timeout_ms);
	script_stop(run);
	return status;
}

/* ---- start ---- */

/* Under another name the socket and the script have that name too. */
static void apply_name(struct options *opts)
{
	static char sock[PATH_MAX], script[PATH_MAX];
	const char *name = log_name();

	if (!strcmp(name, OUR_NAME))
		return;
	if (!opts->sock && str_fmt(sock, sizeof(sock), "/var/run/%s", name) > 0)
		opts->sock = sock;
	if (!opts->script && !opts->json &&
	    str_fmt(script, sizeof(script), "/etc/vde2/%s", name) > 0 &&
	    !access(script, R_OK))
		opts->script = script;
}

static void join(char **words, int n, char *out, size_t size)
{
	struct strbuf b;

	strbuf_init(&b, out, size);
	for (int i = 0; i < n; i++) {
		strbuf_add(&b, i ? " " : "");
		strbuf_add(&b, words[i]);
	}
	if (b.cut)
		cli_usage("the command is longer than %d characters",
			  COMMAND_LEN);
	if (strchr(out, '\n'))
		cli_usage("a command is one line");
	if (!out[strspn(out, " \t")])
		cli_usage("no command given");
}

int main(int argc, char **argv)
{
	struct options opts = { 0 };
	struct script *script = NULL;
	char command[COMMAND_LEN + 1];
	uint64_t start = now_ms();
	int i, fd, status;

	setlocale(LC_ALL, "");
	log_open(argv[0], LOG_NOTICE);
	i = cli_parse(&cli, argc, argv, &opts);
	apply_name(&opts);
	if (!opts.sock)
		cli_usage("no socket given: use -s");
	if (opts.script && opts.json)
		cli_usage("-j and -f do not go together");
	join(argv + i, argc - i, command, sizeof(command));
	if (!opts.timeout)
		opts.timeout = TIMEOUT_SEC;
	if (opts.script)
		script = load_script(&opts);
	fd = unixsock_connect_within(opts.sock,
				     (unsigned int)opts.timeout * 1000);
	if (fd < 0)
		die("unable to connect to %s: %s", opts.sock, strerror(-fd));
	if (script)
		status = run_script(&opts, script, fd, argv + i,
				    (size_t)(argc - i));
	else
		status = run_command(&opts, fd,
				     start + (uint64_t)opts.timeout * 1000,
				     command);
	script_free(script);
	close(fd);
	if (fflush(stdout) || ferror(stdout))
		die("unable to write standard output: %s", strerror(errno));
	return status;
}
