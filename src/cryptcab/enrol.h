/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enrol - the first contact: keys are exchanged by ssh
 *
 * The client that is to call [USER@]HOST and has no peer of that address runs
 *
 *      ssh [USER@]HOST vde_cryptcab enrol KEY NAME
 *
 * with its public key and what it calls itself. There that key is added to the
 * peers file, and the server's public key is printed on a line that begins
 * with ENROL_MARK. Nothing secret travels; what is in the way of the key ssh
 * has looked after. CRYPTCAB_SSH in the environment is another command, its
 * words between blanks.
 */
#ifndef CRYPTCAB_ENROL_H
#define CRYPTCAB_ENROL_H

#include "base/strbuf.h"
#include "common/cli.h"

#define ENROL_MARK "vde_cryptcab-key: "

/* For each of @connect that is neither name nor address of a peer of the file:
 * asks by ssh and adds it. Blocks. What is wrong is logged; 0 or -errno. */
int enrol_missing(const struct cli_list *connect, const char *key_path,
		  const char *peers_path);

/* The subcommand `enrol [OPTION]... KEY [NAME]`. The exit status. */
int enrol_cmd(int argc, char **argv);

#endif
