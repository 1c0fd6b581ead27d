/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal - syslog lines about who uses a plug, and with which IP addresses
 *
 * The lines are VDE 2's, under the name vde_plug and facility user:
 *
 *     START: user U IP A          also STOP and FAILED
 *     user U Real-IP A has got VDE-IP4 X on vlan N          or VDE-IP6
 *
 * A is where the ssh client of this session is, from SSH_CLIENT.
 */
#ifndef PLUG_JOURNAL_H
#define PLUG_JOURNAL_H

#include "lib/batch.h"
#include "plug/seen.h"

struct journal {
	bool on, ip;
	char user[64], from[64];
	struct seen *seen; /* with @ip: addresses that were written already */
	uint64_t second; /* of @written */
	unsigned int written, left_out;
};

/* 0 or -ENOMEM. */
int journal_open(struct journal *, bool on, bool ip);
void journal_event(const struct journal *, const char *what);
/* Notes the source addresses of frames. */
void journal_frames(struct journal *, const struct vde_frame *, int n,
		    uint64_t now_ns);
void journal_close(struct journal *);

/* Is this process in that group, by any of its ids? */
bool journal_in_group(const char *name);

#endif
