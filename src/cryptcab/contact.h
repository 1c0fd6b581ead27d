/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contact - servers of -c that are no peers yet become peers, by ssh (enrol.h)
 */
#ifndef CRYPTCAB_CONTACT_H
#define CRYPTCAB_CONTACT_H

#include "common/cli.h"

/* For each of @connect that is neither name nor address of a peer of the file:
 * asks by ssh and adds it. Blocks. What is wrong is logged; 0 or -errno. */
int contact_missing(const struct cli_list *connect, const char *key_path,
		    const char *peers_path);

#endif
