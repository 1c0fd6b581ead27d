/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipout - lines to a file or to syslog, and never a wait for either
 *
 * A file is appended to, one write for a line; what cannot be opened or
 * written is the caller's to report. Lines to syslog are sent as datagrams
 * that are dropped when nobody takes them: syslog(3) would wait.
 */
#ifndef PLUGINS_IPOUT_H
#define PLUGINS_IPOUT_H

#include "base/util.h"

#define IPOUT_SYSLOG "/dev/log"

enum ipout_kind {
	IPOUT_OFF,
	IPOUT_FILE,
	IPOUT_SYSLOG_KIND
};

struct ipout {
	enum ipout_kind kind;
	int fd; /* -1: not open (any more) */
	bool torn; /* the file ends in the middle of a line */
	uint64_t lost; /* lines that were not taken */
	char path[4096]; /* absolute */
};

void ipout_init(struct ipout *);
/* 0 or -errno; on failure what there was stays. */
int ipout_file(struct ipout *, const char *path);
/* Sockets of @path, IPOUT_SYSLOG as a rule. */
int ipout_syslog(struct ipout *, const char *path);
void ipout_off(struct ipout *);
/* Opens the file anew, under its name: another one if it was moved away. 0 or
 * -errno, and lines are lost until the next time. */
int ipout_reopen(struct ipout *);
/* @line without newline. 0, or -errno and it is lost. */
int ipout_line(struct ipout *, const char *line);

#endif
