// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/ifplug.h"

#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/log.h"

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

static const char *parse(const struct ifplug *p, struct options *o, int argc,
			 char **argv)
{
	const struct cli cli = {
		.synopsis = p->synopsis,
		.about = p->about,
		.options = options,
		.n_options = ARRAY_SIZE(options),
		.mode = CLI_GNU,
	};
	int i;

	*o = (struct options){ .sock = "",
			       .ready_fd = -1,
			       .net = { .descr = p->descr } };
	i = cli_parse(&cli, argc, argv, o);
	if (i == argc)
		cli_usage("%s", p->missing);
	if (i + 1 < argc)
		cli_usage("too many arguments: '%s'", argv[i + 1]);
	if (p->check)
		p->check(argv[i]);
	if (o->net.reconnect && !strcmp(o->sock, "-"))
		cli_usage("--reconnect makes no sense with -s -");
	o->net.locator = o->sock;
	return argv[i];
}

static int run(struct session *s, const struct options *o, struct end *nic)
{
	struct end *net;
	int rc = strcmp(o->sock, "-") ? session_open_vde(s, &o->net, &net)
				      : session_open_stdio(s, &net);

	if (rc) {
		nic->ops->close(nic);
		return EXIT_FAILURE;
	}
	return session_run(s, nic, net, o->pidfile, NULL, NULL);
}

int ifplug_main(const struct ifplug *p, int argc, char **argv)
{
	int status = EXIT_FAILURE;
	const char *ifname;
	struct options o;
	struct session s;
	struct end *nic;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	ifname = parse(p, &o, argc, argv);
	if (session_begin(&s, o.background, (int)o.ready_fd))
		return EXIT_FAILURE;
	if (!p->open(p->ctx, &s, ifname, &nic)) {
		status = run(&s, &o, nic);
		if (p->close)
			p->close(p->ctx);
	}
	return session_end(&s, status);
}
