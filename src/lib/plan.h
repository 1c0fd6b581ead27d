/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan - what is wanted of a switch: what its locator, the caller and the
 * environment say, read and completed with defaults
 */
#ifndef LIB_PLAN_H
#define LIB_PLAN_H

#include "lib/conn.h"

/* A parsed "vde" locator; what was not written is NULL. */
struct target {
	const char *path;
	const char *word; /* port number or name of a port group */
	const char *group;
	const char *mode;
	const char *transport; /* "dgram", "ring", "auto" */
	bool brackets;
};

/* The same with every number read and every default filled in. */
struct plan {
	uint8_t type; /* WIRE_REQ_* */
	uint32_t port;
	const char *socket_name; /* to try before "ctl", or NULL */
	char number[12]; /* room for a socket name that is a number */
	bool only; /* there is no "ctl" to try after it */
	bool has_group;
	gid_t gid;
	mode_t mode;
	bool ring, dgram; /* transports that will do */
	unsigned int caps; /* what the caller takes */
	const char *descr;
};

/* Takes the options out of @address, a locator behind its module, which is cut
 * and must stay. As locator_parse_path(). */
int plan_parse_target(struct target *, char *address);
/* Options of @over win against those of @t. */
void plan_overlay(struct target *t, const struct target *over);
/* 0 or -errno. What it points at is @t's and @args'. */
int plan_make(struct plan *, const struct target *t, const struct conn_args *);

#endif
