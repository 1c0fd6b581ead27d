/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapfile - frames into a file in the classic pcap format
 *
 * Version 2.4 with microseconds, in the byte order of this machine, link type
 * Ethernet, frames stored whole. Regular files only: anything else could make
 * the switch wait for a reader. Each frame goes to the file at once, or, if it
 * is buffered, when 64 KiB have gathered. A file that takes no more (no space,
 * a limit) is cut behind its last whole frame and closed; whoever writes is
 * told so once.
 */
#ifndef PLUGINS_PCAPFILE_H
#define PLUGINS_PCAPFILE_H

#include <sys/types.h>

#include "base/util.h"
#include "switch/vde_plugin.h"

#define PCAPFILE_SNAPLEN 262144 /* more than any frame has */

struct pcapfile {
	int fd; /* -1: closed */
	bool buffered;
	off_t whole; /* bytes of the file that end with a whole frame */
	uint64_t frames; /* written or gathered since it was opened */
	size_t n; /* bytes gathered */
	uint8_t buf[65536];
};

void pcapfile_init(struct pcapfile *);
/* Starts a new file, with mode 0600; an existing one is emptied. 0 or -errno,
 * -EINVAL for what is no regular file; on failure what was open stays open. */
int pcapfile_open(struct pcapfile *, const char *path);
/* What that has against a path. */
const char *pcapfile_reason(int rc);
/* 0 or -errno of what had gathered. */
int pcapfile_close(struct pcapfile *);
int pcapfile_flush(struct pcapfile *);
/* With the time of day. 0, or -errno and the file is closed. */
int pcapfile_write(struct pcapfile *, const struct vde_plugin_frame *);

#endif
