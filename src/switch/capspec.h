/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capspec - what somebody wants to capture, and where it is to go
 *
 *   TARGET [port N] [vlan V] [direction in|out|both|drop] [filter "BPF"]
 *          [snaplen N] [count N]
 *
 * Words behind the target come in any order, each once; those with blanks
 * stand between quotes (base/quote.h).
 */
#ifndef SWITCH_CAPSPEC_H
#define SWITCH_CAPSPEC_H

#include "base/strbuf.h"

#define CAPSPEC_TEXT 1024 /* as long as a line can be */

enum capture_direction {
	CAPTURE_BOTH,
	CAPTURE_IN, /* also what is dropped there */
	CAPTURE_OUT, /* also what is dropped there */
	CAPTURE_DROP, /* in either direction, nothing else */
	CAPTURE_N_DIRECTIONS
};
const char *capture_direction_name(enum capture_direction);

struct capspec {
	char target[CAPSPEC_TEXT];
	char filter[CAPSPEC_TEXT]; /* empty: none */
	int port; /* -1: every one */
	int vlan; /* -1: every one */
	enum capture_direction direction;
	uint32_t snaplen; /* bytes of each packet, at most */
	uint64_t count; /* packets, then it is over; 0: no end */
};

/* False after saying in @why what is wrong. */
bool capspec_parse(struct capspec *, const char *text, struct strbuf *why);

#endif
