// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_pcapplug - an existing interface of this host in a network
 *
 * libpcap opens the interface: it knows which links carry Ethernet frames,
 * says well what is wrong, and keeps the interface promiscuous. The frames go
 * through a socket of their own; end_packet.c says why.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/log.h"
#include "plug/ends.h"
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
	.synopsis = "[OPTION]... INTERFACE",
	.about = "Join an Ethernet interface of this host to a network.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_GNU,
};

static const char *parse(struct options *o, int argc, char **argv)
{
	int i;

	*o = (struct options){ .sock = "",
			       .ready_fd = -1,
			       .net = { .descr = "vde_pcapplug:" } };
	i = cli_parse(&cli, argc, argv, o);
	if (i == argc)
		cli_usage("the name of an interface is missing");
	if (i + 1 < argc)
		cli_usage("too many arguments: '%s'", argv[i + 1]);
	if (o->net.reconnect && !strcmp(o->sock, "-"))
		cli_usage("--reconnect makes no sense with -s -");
	o->net.locator = o->sock;
	return argv[i];
}

/* ---- libpcap's part ---- */

static void say(pcap_t *pc, const char *ifname, int rc)
{
	const char *detail = pcap_geterr(pc);

	log_err("unable to open interface %s: %s%s%s", ifname,
		pcap_statustostr(rc), *detail ? ": " : "", detail);
}

/* Nothing is to be captured: one instruction that takes 0 bytes. */
static bool capture_nothing(pcap_t *pc)
{
	struct bpf_insn none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct bpf_program program = { 1, &none };

	return !pcap_setfilter(pc, &program);
}

static bool is_ethernet(pcap_t *pc, const char *ifname)
{
	int type = pcap_datalink(pc);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return true;
	log_err("unable to use interface %s: its frames are not Ethernet but "
		"%s",
		ifname, name ? name : "unknown");
	return false;
}

/* The interface stays promiscuous until pcap_close(). */
static pcap_t *hold_promiscuous(const char *ifname)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pc = pcap_create(ifname, err);
	int rc;

	if (!pc) {
		log_err("unable to open interface %s: %s", ifname, err);
		return NULL;
	}
	pcap_set_promisc(pc, 1);
	pcap_set_snaplen(pc, 64);
	pcap_set_buffer_size(pc, 64 * 1024);
	rc = pcap_activate(pc);
	if (rc < 0)
		say(pc, ifname, rc);
	else if (rc > 0)
		log_warn("interface %s: %s", ifname, pcap_geterr(pc));
	if (rc >= 0 && is_ethernet(pc, ifname)) {
		if (capture_nothing(pc))
			return pc;
		say(pc, ifname, PCAP_ERROR);
	}
	pcap_close(pc);
	return NULL;
}

static int run(struct session *s, const struct options *o, const char *ifname)
{
	struct end *nic, *net;
	int rc = end_packet_open(&nic, s->loop, ifname);

	if (rc) {
		log_err("unable to open interface %s: %s", ifname,
			strerror(-rc));
		return EXIT_FAILURE;
	}
	rc = strcmp(o->sock, "-") ? session_open_vde(s, &o->net, &net)
				  : session_open_stdio(s, &net);
	if (rc) {
		nic->ops->close(nic);
		return EXIT_FAILURE;
	}
	return session_run(s, nic, net, o->pidfile, NULL, NULL);
}

int main(int argc, char **argv)
{
	int status = EXIT_FAILURE;
	const char *ifname;
	struct options o;
	struct session s;
	pcap_t *pc;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	ifname = parse(&o, argc, argv);
	if (session_begin(&s, o.background, (int)o.ready_fd))
		return EXIT_FAILURE;
	pc = hold_promiscuous(ifname);
	if (pc) {
		status = run(&s, &o, ifname);
		pcap_close(pc);
	}
	return session_end(&s, status);
}
