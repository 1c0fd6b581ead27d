// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/options.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cryptcab/address.h"
#include "cryptcab/tunnel.h"

#define PORT_MAX 65535
#define OPT(member) .offset = offsetof(struct options, member)

static bool no_encryption(void *opts, const char *arg)
{
	cli_usage("unable to leave out encryption: frames that anybody may "
		  "alter are not carried; dpipe with nc or ssh makes a clear "
		  "cable");
}

static bool more_verbose(void *opts, const char *arg)
{
	struct options *o = opts;

	o->verbose++;
	return true;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ 's', "sock vdesock unix", CLI_STR, "SOCK",
	  "the switch (- for stdin and stdout)", OPT(sock) },
	{ 'c', "connect", CLI_LIST, "HOST[:PORT]",
	  "call this server or peer (USER@HOST: keys by ssh)", OPT(connect) },
	{ 'p', "localport", CLI_NUM, "PORT",
	  "UDP port of this side (server: 7667, client: any)", OPT(port),
	  .min = 0, .max = PORT_MAX },
	{ 0, "key", CLI_STR, "FILE", "private key of this side", OPT(key) },
	{ 0, "peers", CLI_STR, "FILE", "who the others are", OPT(peers) },
	{ 'P', "preshared", CLI_STR, "FILE",
	  "secret of both sides besides their keys", OPT(preshared) },
	{ 'k', "keepalive", CLI_FLAG, NULL,
	  "keep the way through a NAT open (always done)", OPT(keepalive) },
	{ 'x', "noencrypt", CLI_CALL, NULL, "refused: there is no clear cable",
	  .fn = no_encryption },
	{ 0, "pad", CLI_NUM, "N", "make lengths of frames multiples of N",
	  OPT(pad), .max = TUNNEL_DATAGRAM_BASE },
	{ 0, "norings", CLI_FLAG, NULL, "frames come from the switch finished",
	  OPT(plain) },
	{ 'M', "mgmt", CLI_STR, "PATH", "management socket", OPT(mgmt) },
	{ 0, "mgmtmode", CLI_MODE, "MODE", "its octal mode (600)",
	  OPT(mgmt_mode) },
	{ 0, "switch-mgmt", CLI_STR, "PATH",
	  "console of the switch, for VLANs of clients", OPT(switch_mgmt) },
	{ 'f', "rcfile", CLI_STR, "FILE", "run the commands of FILE first",
	  OPT(rcfile) },
	{ 0, "user", CLI_STR, "NAME", "be this user once the port is bound",
	  OPT(user) },
	{ 'd', "daemon", CLI_FLAG, NULL, "run in the background",
	  OPT(background) },
	{ 'v', "verbose", CLI_CALL, NULL, "say more (twice: even more)",
	  .fn = more_verbose },
	{ 0, "pidfile", CLI_STR, "FILE", "write the process id to FILE",
	  OPT(pidfile) },
	{ 0, "ready-fd", CLI_FD, "N",
	  "write a newline to descriptor N when ready", OPT(ready_fd) },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[OPTION]...\n"
		    "       vde_cryptcab genkey|pubkey|psk [FILE]\n"
		    "       vde_cryptcab invite|join|enrol ...",
	.about = "An encrypted cable between switches, over UDP.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_GNU,
};

static bool is_pipe(int fd)
{
	struct stat st;

	return !fstat(fd, &st) &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void options_parse(struct options *o, int argc, char **argv)
{
	int first;

	*o = (struct options){ .port = -1, .ready_fd = -1, .mgmt_mode = 0600 };
	first = cli_parse(&cli, argc, argv, o);
	if (first < argc)
		cli_usage("unexpected operand: '%s'", argv[first]);
	if (o->keepalive && !o->connect.n)
		cli_usage("--keepalive is for clients: -c is missing");
	if (o->port < 0)
		o->port = o->connect.n ? 0 : ADDRESS_PORT;
	o->streams = o->sock ? !strcmp(o->sock, "-")
			     : is_pipe(STDIN_FILENO) && is_pipe(STDOUT_FILENO);
	if (o->switch_mgmt && (o->streams || o->connect.n))
		cli_usage("--switch-mgmt is for servers at a switch");
	if (!o->sock)
		o->sock = "/tmp/vde.ctl";
}
