/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mgmt - management commands, declared as tables
 *
 * The syntax string is the grammar: it drives the tokenizer and fixes type
 * and range of each argument, so a handler never sees a missing, surplus or
 * malformed argument. The words of the second column are what `help` shows
 * (VDE 2's, which existing clients parse).
 *
 *     { "port/setvlan <port> <pvid>", "N VLAN", "set port VLAN", cmd_setvlan }
 *
 * Argument forms: <type> mandatory, [<type>] optional, <type...> the rest of
 * the line as one string. A type that is not in the table is a word. A row
 * without handler is a menu heading: shown by help, never run.
 */
#ifndef COMMON_MGMT_H
#define COMMON_MGMT_H

#include "common/writer.h"

#define MGMT_MAX_ARGS 8

struct mgmt_req;
typedef int mgmt_fn(struct mgmt_req *, void *ctx);

struct mgmt_cmd {
	const char *syntax; /* "vlan/addport <vlan> <port>" */
	const char *shown; /* syntax column of help, may be "" */
	const char *help;
	mgmt_fn *fn; /* 0 or -errno; NULL: a heading */
	bool data; /* the command has a data block in text mode */
};

struct mgmt_type {
	const char *name; /* as written between < and > */
	int64_t min, max;
};

struct mgmt_table {
	const struct mgmt_cmd *cmds;
	size_t n_cmds;
};

/* All that can be said to one program. */
struct mgmt {
	const struct mgmt_table *tables; /* in the order of help */
	size_t n_tables;
	const struct mgmt_type *types;
	size_t n_types;
	void *ctx; /* handed to every handler */
};

struct mgmt_req {
	const struct mgmt *mgmt;
	const struct mgmt_cmd *cmd; /* the row itself */
	struct writer *w;
	void *session; /* the console it came from, NULL for an rc file */
	int argc;
	unsigned int numbers; /* bit i: argument i is a number */
	union {
		int64_t num;
		const char *str;
	} arg[MGMT_MAX_ARGS];
};

/* Rows of a table are right because tests say so; one that somebody else made
 * is checked before it is added: 0, -EINVAL if its syntax string is none or a
 * text is missing, -EEXIST if a row or heading of that name is there. */
int mgmt_check(const struct mgmt *, const struct mgmt_cmd *);

/* The row that @line names by its whole first word, or NULL; headings cannot
 * be named. */
const struct mgmt_cmd *mgmt_find(const struct mgmt *, const char *line);

/* Binds the arguments in @line, which is modified, and runs @cmd.
 * -EINVAL for arguments that do not fit, else what the handler returned. */
int mgmt_run(const struct mgmt *, const struct mgmt_cmd *cmd, struct mgmt_req *,
	     char *line);

/* Rows whose name begins with @prefix (NULL: all), in VDE 2's columns. The
 * syntax column of a heading is made here. */
void mgmt_help(const struct mgmt *, struct writer *, const char *prefix);

#endif
