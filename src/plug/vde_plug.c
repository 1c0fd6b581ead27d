// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_plug - a plug in a network, with its wire in stdin and stdout
 *
 * Instead of those the wire may end in a second network or in a command. As
 * the login shell of an account vde_plug lets its users have stdin and stdout
 * of a plug in the account's default switch and nothing else: of the command
 * line that sshd hands over only the exact words "-c vde_plug" are accepted,
 * so there is no option, locator or command for a user to choose.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/log.h"
#include "plug/child.h"
#include "plug/ends.h"
#include "plug/journal.h"
#include "plug/session.h"

#define IPLOG_GROUP "vdeplug_iplog"

struct options {
	bool background, log, iplog;
	const char *pidfile, *sock;
	struct vde_args net[2];
	int64_t ready_fd;
	int n_nets; /* 1 or 2 */
	char **cmd; /* behind "=", or NULL */
};

static bool set_short_pidfile(void *opts, const char *arg)
{
	struct options *o = opts;

	if (*arg && !arg[strspn(arg, "0123456789")])
		cli_usage("-p names the pidfile: use --port %s for port %s of "
			  "the switch, or --pidfile %s for a file of that name",
			  arg, arg, arg);
	o->pidfile = arg;
	return true;
}

static bool set_descr(void *opts, const char *arg)
{
	struct options *o = opts;

	if (*arg)
		o->net[0].descr = o->net[1].descr = arg;
	return true;
}

static bool set_iplog(void *opts, const char *arg)
{
	struct options *o = opts;

	o->log = o->iplog = true;
	return true;
}

/* A login shell is recognised before options are read; in the middle of
 * other options -c makes no sense. */
static bool refuse_shell(void *opts, const char *arg)
{
	return false;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ 'd', "daemon", CLI_FLAG, NULL, "run in the background",
	  offsetof(struct options, background), 0, 0, NULL },
	{ 'p', NULL, CLI_CALL, "FILE", "write the process id to FILE", 0, 0, 0,
	  set_short_pidfile },
	{ 0, "pidfile", CLI_STR, "FILE", "the same",
	  offsetof(struct options, pidfile), 0, 0, NULL },
	{ 'l', "log", CLI_FLAG, NULL, "log begin and end to syslog",
	  offsetof(struct options, log), 0, 0, NULL },
	{ 'L', "iplog", CLI_CALL, NULL, "log IP addresses too", 0, 0, 0,
	  set_iplog },
	{ 0, "port", CLI_NUM, "N", "use port N of the switch",
	  offsetof(struct options, net[0].port), 1, 0xffffff, NULL },
	{ 'g', "group", CLI_STR, "GROUP", "group of the socket",
	  offsetof(struct options, net[0].group), 0, 0, NULL },
	{ 'm', "mod mode", CLI_MODE, "MODE", "octal mode of the socket (700)",
	  offsetof(struct options, net[0].mode), 0, 0, NULL },
	{ 0, "port2", CLI_NUM, "N", "as --port, for the second network",
	  offsetof(struct options, net[1].port), 1, 0xffffff, NULL },
	{ 'G', "group2", CLI_STR, "GROUP", "as -g, for the second network",
	  offsetof(struct options, net[1].group), 0, 0, NULL },
	{ 'M', "mod2 mode2", CLI_MODE, "MODE",
	  "as -m, for the second network",
	  offsetof(struct options, net[1].mode), 0, 0, NULL },
	{ 'D', "descr", CLI_CALL, "TEXT", "what the switch shows (vdeplug:)",
	  0, 0, 0, set_descr },
	{ 's', "sock vdesock unix", CLI_STR, "LOCATOR",
	  "the first network, as VDE 2 had it",
	  offsetof(struct options, sock), 0, 0, NULL },
	{ 'c', NULL, CLI_CALL, "vde_plug", "login shell mode; alone only",
	  0, 0, 0, refuse_shell },
	{ 0, "reconnect", CLI_FLAG, NULL,
	  "when the switch is gone wait for it to come back",
	  offsetof(struct options, net[0].reconnect), 0, 0, NULL },
	{ 0, "ready-fd", CLI_FD, "N",
	  "write a newline to descriptor N when connected",
	  offsetof(struct options, ready_fd), 0, 0, NULL },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]... [LOCATOR [LOCATOR]]\n"
		    "       vde_plug [OPTION]... [LOCATOR] = COMMAND [ARG]...",
	.about = "Join a network to stdin and stdout, to a second network, or "
		 "to a command.\n"
		 "Without a locator, or with an empty one, it is the default "
		 "switch.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_GNU,
};

/* ---- the command line ---- */

static int find_equals(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "="))
			return i;
	return argc;
}

static void take_operands(struct options *o, char **word, int n)
{
	int max = o->cmd ? 1 : 2, i = 0;

	if (o->sock)
		o->net[i++].locator = o->sock;
	if (i + n > max)
		cli_usage("too many locators: '%s'", word[max - i]);
	while (n--)
		o->net[i++].locator = *word++;
	o->n_nets = i > 1 ? 2 : 1;
	if (o->n_nets < 2 &&
	    (o->net[1].port || o->net[1].group || o->net[1].mode))
		cli_usage("--port2, --group2 and --mod2 need a second locator");
}

static void parse(struct options *o, int argc, char **argv)
{
	int end = find_equals(argc, argv), first;

	*o = (struct options){ .ready_fd = -1 };
	for (int i = 0; i < 2; i++)
		o->net[i] = (struct vde_args){ .locator = "",
					       .descr = "vdeplug:" };
	if (end < argc) {
		o->cmd = &argv[end + 1];
		argv[end] = NULL;
	}
	first = cli_parse(&cli, end, argv, o);
	if (o->cmd && !o->cmd[0])
		cli_usage("a command is missing behind '='");
	take_operands(o, argv + first, end - first);
	o->net[1].reconnect = o->net[0].reconnect;
}

/* ---- as a login shell ---- */

static bool is_login_shell(int argc, char **argv)
{
	return argv[0][0] == '-' || (argc > 1 && !strncmp(argv[1], "-c", 2));
}

static int refuse_login(void)
{
	struct journal j;

	if (!journal_open(&j, true, false))
		journal_event(&j, "FAILED");
	fputs("This is a Virtual Distributed Ethernet (vde) tunnel broker. \n"
	      "This is not a login shell, only vde_plug can be executed\n",
	      stderr);
	return EXIT_FAILURE;
}

/* What sshd runs for "ssh host vde_plug", to the word. */
static bool parse_login(struct options *o, int argc, char **argv)
{
	char *nothing[] = { argv[0], NULL };

	if (argv[0][0] == '-' || argc != 3 || strcmp(argv[1], "-c") != 0 ||
	    strcmp(argv[2], "vde_plug") != 0)
		return false;
	parse(o, 1, nothing);
	unsetenv("VDEPLUGIN_PATH");
	o->log = true;
	o->iplog = journal_in_group(IPLOG_GROUP);
	return true;
}

/* ---- the other end ---- */

static int open_command(struct session *s, const struct options *o,
			struct child *c, struct end **out)
{
	static const int unblock[] = { SIGTERM, SIGINT, SIGHUP };
	int rc = child_start(c, o->cmd, unblock, ARRAY_SIZE(unblock));
	struct stream_fds fds;

	if (rc) {
		log_err("unable to run %s: %s", o->cmd[0], strerror(-rc));
		return rc;
	}
	fds = (struct stream_fds){ c->from, c->to, c->name, c->name, 0 };
	rc = end_stream_open(out, s->loop, &fds);
	if (rc) {
		log_err("unable to use the pipes of %s: %s", c->name,
			strerror(-rc));
		child_end(c, true);
	}
	return rc;
}

struct watcher {
	struct journal *journal;
	const struct end *from;
	struct loop *loop;
};

/* Addresses on our own network are nobody's news: those that come through
 * the wire are the user's. */
static void watch(void *ctx, const struct end *from, const struct vde_frame *f,
		  int n)
{
	const struct watcher *w = ctx;

	if (from == w->from)
		journal_frames(w->journal, f, n, loop_now(w->loop));
}

static int join(struct session *s, const struct options *o, struct journal *j,
		struct end *near)
{
	struct watcher w = { j, NULL, s->loop };
	struct child child;
	struct end *far;
	int rc, status;

	if (o->cmd)
		rc = open_command(s, o, &child, &far);
	else if (o->n_nets == 2)
		rc = session_open_vde(s, &o->net[1], &far);
	else
		rc = session_open_stdio(s, &far);
	if (rc) {
		near->ops->close(near);
		return EXIT_FAILURE;
	}
	w.from = far;
	journal_event(j, "START");
	status = session_run(s, near, far, o->pidfile, j->ip ? watch : NULL,
			     &w);
	if (o->cmd && child_end(&child, s->signo != 0))
		status = EXIT_FAILURE;
	journal_event(j, "STOP");
	return status;
}

int main(int argc, char **argv)
{
	int status = EXIT_FAILURE;
	struct options o;
	struct session s;
	struct journal j;
	struct end *near;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	if (!is_login_shell(argc, argv))
		parse(&o, argc, argv);
	else if (!parse_login(&o, argc, argv))
		return refuse_login();
	if (session_begin(&s, o.background, (int)o.ready_fd))
		return EXIT_FAILURE;
	if (journal_open(&j, o.log, o.iplog))
		log_err("unable to keep a log of addresses: %s",
			strerror(ENOMEM));
	else if (session_open_vde(&s, &o.net[0], &near))
		journal_event(&j, "FAILED");
	else
		status = join(&s, &o, &j, near);
	journal_close(&j);
	return session_end(&s, status);
}
