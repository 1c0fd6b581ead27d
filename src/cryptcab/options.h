/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - the command line of vde_cryptcab
 */
#ifndef CRYPTCAB_OPTIONS_H
#define CRYPTCAB_OPTIONS_H

#include "common/cli.h"

struct options {
	const char *sock; /* NULL: as options_streams() finds */
	const char *peers, *key, *preshared, *user, *pidfile;
	struct cli_list connect;
	int64_t port; /* -1: not given */
	int64_t pad, ready_fd;
	const char *mgmt, *rcfile, *switch_mgmt;
	unsigned int mgmt_mode;
	int verbose;
	bool keepalive, plain, background;
	bool streams; /* standard input and output, no switch */
};

/* Ends the program when the line is wrong. */
void options_parse(struct options *, int argc, char **argv);

#endif
