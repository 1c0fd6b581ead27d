/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - the command line of wirefilter
 */
#ifndef WIREFILTER_OPTIONS_H
#define WIREFILTER_OPTIONS_H

#include "common/cli.h"

#define SETTING_NAME 16

/* A setting of the command line as the wire, or the console, understands it. */
struct setting {
	char name[SETTING_NAME]; /* of a row of params.h, or of a command */
	bool command;
	char *text; /* the caller's to free */
};

struct options {
	bool background, nofifo, strict;
	const char *rcfile, *mgmt, *pidfile; /* or NULL */
	const char *blink, *blink_id; /* or NULL */
	const char *report, *record, *replay; /* or NULL */
	const char *plugs; /* of -v, or NULL */
	unsigned int mgmt_mode;
	int64_t seed; /* -1: any */
	int64_t ready_fd; /* -1: none */
	int64_t tolerance_us, spin_us, memory_mb;
	struct cli_list settings; /* options_setting() */
	/* Locators of both networks, "-" for standard input and output; both
	 * NULL: pipes on both sides. */
	const char *net[2];
};

/* Ends the program if the line is wrong. The strings are those of @argv, or
 * live as long as the program. */
void options_parse(struct options *, int argc, char **argv);

/* Number @i of the settings. 0 or -errno, logged. */
int options_setting(const struct options *, size_t i, struct setting *);

#endif
