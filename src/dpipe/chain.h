/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain - the plan of a dpipe command line: who reads and writes which pipe
 *
 * The line is a row of stations, joined by links. A station is a command that
 * handles both directions. A link is one pipe to the right and one to the
 * left, and either may pass through filters, commands that handle one
 * direction only:
 *
 *     a = b              two stations, one link
 *     a =} f }= b        f filters what goes from a to b
 *     a ={ g {= b        g filters what goes from b to a
 *     a =} f }={ g {= b  both
 *
 * Inside brackets "}=}", "}={", "{=}" and "{={" end one filter and begin the
 * next. A filter reads its descriptor 0 and writes its descriptor 1. So does
 * an outer station, towards its only neighbour; a station in the middle faces
 * left with these and right with a second pair, the alternate descriptors.
 *
 * Pipes are numbered from 0; each has exactly one reader and one writer, so
 * when a command ends both its neighbours notice. Nothing is opened here.
 */
#ifndef DPIPE_CHAIN_H
#define DPIPE_CHAIN_H

#include "base/util.h"

#define CHAIN_NONE (-1)

struct chain_cmd {
	char **argv; /* into the words, ended by NULL */
	int in, out; /* pipes of descriptors 0 and 1 */
	int alt_in, alt_out; /* towards the right, or CHAIN_NONE */
};

struct chain {
	struct chain_cmd *cmds; /* in the order of the line */
	size_t n_cmds;
	int n_pipes;
	const char *error; /* what is wrong with the line ... */
	const char *word; /* ... and where, NULL: at its end */
};

/* Plans the line @words, where words[@n] is NULL. Separators in it become
 * NULL. 0, -ENOMEM, or -EINVAL with @error and @word set; after a failure
 * there is nothing to free. */
int chain_plan(struct chain *, char **words, size_t n);
void chain_fini(struct chain *);

#endif
