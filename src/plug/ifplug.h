/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ifplug - a program that joins an interface of this host, named by its one
 * operand, to a network: what vde_plug2tap and vde_pcapplug have in common
 */
#ifndef PLUG_IFPLUG_H
#define PLUG_IFPLUG_H

#include "plug/session.h"

struct ifplug {
	const char *synopsis, *about; /* as in struct cli */
	const char *descr; /* for the switch */
	const char *missing; /* the error when there is no operand */
	/* Ends the program if the name cannot be one; may be NULL. */
	void (*check)(const char *ifname);
	/* Opens the interface. 0 or -errno, logged. */
	int (*open)(void *ctx, struct session *, const char *ifname,
		    struct end **out);
	void (*close)(void *ctx); /* after all, if @open succeeded; or NULL */
	void *ctx;
};

/* All of main(). */
int ifplug_main(const struct ifplug *, int argc, char **argv);

#endif
