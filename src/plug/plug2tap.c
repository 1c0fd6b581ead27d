// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_plug2tap - a tap interface in a network
 *
 * The tap is a connection of libvdeplug like the one to the switch. Both stay
 * when the interface is moved to another network namespace.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "common/log.h"
#include "plug/session.h"

struct options {
	bool background;
	const char *sock, *pidfile;
	struct vde_args net;
	int64_t ready_fd;
};

/* clang-format off */
static const struct cli_option options[] = {
	{ 's', "sock", CLI_STR, "LOCATOR",
	  "the network; '-' for stdin and stdout (default switch)",
	  offsetof(struct options, sock), 0, 0, NULL },
	{ 'p', "port", CLI_NUM, "N", "use port N of the switch",
	  offsetof(struct options, net.port), 1, 0xffffff, NULL },
	{ 'g', "group", CLI_STR, "GROUP", "group of the socket",
	  offsetof(struct options, net.group), 0, 0, NULL },
	{ 'm', "mod mode", CLI_MODE, "MODE", "octal mode of the socket (700)",
	  offsetof(struct options, net.mode), 0, 0, NULL },
	{ 'd', "daemon", CLI_FLAG, NULL, "run in the background",
	  offsetof(struct options, background), 0, 0, NULL },
	{ 'P', "pidfile", CLI_STR, "FILE", "write the process id to FILE",
	  offsetof(struct options, pidfile), 0, 0, NULL },
	{ 0, "reconnect", CLI_FLAG, NULL,
	  "when the switch is gone wait for it to come back",
	  offsetof(struct options, net.reconnect), 0, 0, NULL },
	{ 0, "ready-fd", CLI_FD, "N",
	  "write a newline to descriptor N when connected",
	  offsetof(struct options, ready_fd), 0, 0, NULL },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]... TAP",
	.about = "Join the tap interface TAP to a network. It is made if it "
		 "does not exist.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_GNU,
};

static const char *parse(struct options *o, int argc, char **argv)
{
	const char *tap;
	int i;

	*o = (struct options){ .sock = "",
			       .ready_fd = -1,
			       .net = { .descr = "vde_plug2tap:" } };
	i = cli_parse(&cli, argc, argv, o);
	if (i == argc)
		cli_usage("the name of a tap interface is missing");
	if (i + 1 < argc)
		cli_usage("too many arguments: '%s'", argv[i + 1]);
	tap = argv[i];
	if (!*tap || strlen(tap) >= IFNAMSIZ || strpbrk(tap, "/: \t"))
		cli_usage("invalid interface name '%s'", tap);
	if (o->net.reconnect && !strcmp(o->sock, "-"))
		cli_usage("--reconnect makes no sense with -s -");
	o->net.locator = o->sock;
	return tap;
}

static int run(struct session *s, const struct options *o, const char *name)
{
	char locator[sizeof("tap://") + IFNAMSIZ];
	struct vde_args tap_args = { .locator = locator, .descr = "" };
	struct end *tap, *net;
	int rc;

	if (str_fmt(locator, sizeof(locator), "tap://%s", name) < 0 ||
	    session_open_vde(s, &tap_args, &tap))
		return EXIT_FAILURE;
	rc = strcmp(o->sock, "-") ? session_open_vde(s, &o->net, &net)
				  : session_open_stdio(s, &net);
	if (rc) {
		tap->ops->close(tap);
		return EXIT_FAILURE;
	}
	return session_run(s, tap, net, o->pidfile, NULL, NULL);
}

int main(int argc, char **argv)
{
	struct options o;
	struct session s;
	const char *tap;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	tap = parse(&o, argc, argv);
	if (session_begin(&s, o.background, (int)o.ready_fd))
		return EXIT_FAILURE;
	return session_end(&s, run(&s, &o, tap));
}
