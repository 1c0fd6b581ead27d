/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli - command lines as tables: parsing, --help and --version come from rows
 *
 * A row names an option, its argument, its help line and where the value
 * goes: a member of the program's options struct, found by its offset. All
 * programs end with 0 done, 1 failed, 2 usage.
 */
#ifndef COMMON_CLI_H
#define COMMON_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define EXIT_USAGE 2

enum cli_kind {
	CLI_FLAG, /* bool: true when given */
	CLI_STR, /* const char *: the argument */
	CLI_NUM, /* int64_t: decimal or 0x, in min..max */
	CLI_FD, /* int64_t: the number of an open descriptor */
	CLI_MODE, /* unsigned int: octal file mode */
	CLI_CALL, /* cli_fn with the whole options struct */
	CLI_LIST, /* struct cli_list: all of them, in the order of the line */
};

/* Called for each occurrence of an option. False: the argument is bad; the
 * caller prints the option and the argument and ends the program. */
typedef bool cli_fn(void *opts, const char *arg);

struct cli_option;
struct cli_given {
	const struct cli_option *option;
	const char *arg; /* NULL for an option without one */
};
/* Several options may share one; zeroed at first, and never freed. */
struct cli_list {
	struct cli_given *given;
	size_t n;
};

struct cli_option {
	char letter; /* or 0 */
	const char *names; /* long names between blanks; the first is shown */
	enum cli_kind kind;
	const char *arg; /* metavariable, NULL for flags; "[=FILE]": it may be
			  * left out, and is "" then */
	const char *help; /* NULL: an alias kept for old scripts, not shown */
	size_t offset; /* of the member in the options struct */
	int64_t min, max; /* CLI_NUM */
	cli_fn *fn; /* CLI_CALL */
};

enum cli_mode {
	CLI_GNU, /* --name, operands may stand between options */
	CLI_LONG_ONLY, /* -name too, as VDE 2's getopt_long_only programs */
	CLI_STOP, /* as CLI_GNU, but the first operand ends the options */
};

struct cli {
	const char
		*synopsis; /* after the program's name, "[OPTION]... [DIR]" */
	const char *about; /* one sentence for --help */
	const struct cli_option *options; /* without --help and --version */
	size_t n_options;
	enum cli_mode mode;
};

/* Fills @opts; returns the index of the first operand in @argv (which may
 * have been permuted). Handles -h/--help and -V or -v/--version (whichever
 * letter the table leaves free) and ends the program on a wrong line. */
int cli_parse(const struct cli *, int argc, char **argv, void *opts);

/* "prog: error: ..." and a hint at --help; exit status 2. */
noreturn void cli_usage(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* "prog: error: ..."; exit status 1. Only for main.c, before the loop. */
noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Version of the whole project, "2.4.0". */
#ifndef VDE_VERSION
#define VDE_VERSION "2.4.0"
#endif

#endif
