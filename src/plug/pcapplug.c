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
#include <string.h>

#include "common/log.h"
#include "plug/ends.h"
#include "plug/ifplug.h"

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

static int open_interface(void *ctx, struct session *s, const char *ifname,
			  struct end **out)
{
	pcap_t **pc = ctx;
	int rc;

	*pc = hold_promiscuous(ifname);
	if (!*pc)
		return -EIO;
	rc = end_packet_open(out, s->loop, ifname);
	if (rc) {
		log_err("unable to open interface %s: %s", ifname,
			strerror(-rc));
		pcap_close(*pc);
	}
	return rc;
}

static void close_pcap(void *ctx)
{
	pcap_t **pc = ctx;

	pcap_close(*pc);
}

int main(int argc, char **argv)
{
	pcap_t *pc;
	const struct ifplug interface = {
		.synopsis = "[OPTION]... INTERFACE",
		.about =
			"Join an Ethernet interface of this host to a network.",
		.descr = "vde_pcapplug:",
		.missing = "the name of an interface is missing",
		.open = open_interface,
		.close = close_pcap,
		.ctx = &pc,
	};

	return ifplug_main(&interface, argc, argv);
}
