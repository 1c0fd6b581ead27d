/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter - which packets somebody wants to see, in the language of tcpdump
 *
 * libpcap compiles the text and runs the program. It is loaded when the first
 * filter is asked for, and is no part of our programs otherwise: linked to it,
 * with the libraries that it needs in turn, a switch would take several times
 * as long to start, and could not start without it. Where it is missing, or
 * was when all this was built (WITH_PCAP=no), a filter is refused and all else
 * works.
 *
 * While a text is compiled all else waits. That is a few ms; of the worst that
 * could be found, at FILTER_TEXT_MAX, 0.3 seconds. Names of hosts are looked up
 * in the files of this machine only: a name server need not answer.
 */
#ifndef COMMON_FILTER_H
#define COMMON_FILTER_H

#include "base/strbuf.h"

#define FILTER_TEXT_MAX 512

struct filter;

/* For Ethernet frames as they are on a wire. NULL after saying in @why what is
 * wrong, in libpcap's words where it is the text. */
struct filter *filter_new(const char *text, struct strbuf *why);
void filter_free(struct filter *);

/* The first @captured of @len bytes are at @bytes. */
bool filter_matches(const struct filter *, const uint8_t *bytes,
		    size_t captured, size_t len);

#endif
