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
 *
 * A handler with much to say says it in parts, so that nobody else waits:
 *
 *     if (!rq->again)
 *             writer_list(rq->w, "items");
 *     for (i = rq->more[0]; i < n; i++) {
 *             if (mgmt_pause(rq)) {
 *                     rq->more[0] = i;
 *                     return MGMT_MORE;
 *             }
 *             show(rq->w, i);
 *     }
 *     writer_close(rq->w);
 *
 * It is called again later, or never: whoever asked may have gone. Anything
 * may have changed in between, its table may even have been taken out, so
 * more[] has numbers, no pointers, and there is nothing to clean up.
 */
#ifndef COMMON_MGMT_H
#define COMMON_MGMT_H

#include "common/writer.h"

#define MGMT_MAX_ARGS 8
#define MGMT_MORE 1 /* what a handler returns after one of several parts */
#define MGMT_WHY 256 /* of a reason, with the NUL */
#define MGMT_PART 8192 /* bytes of output after which a part ends */

struct mgmt_req;
typedef int mgmt_fn(struct mgmt_req *, void *ctx);

struct mgmt_cmd {
	const char *syntax; /* "vlan/addport <vlan> <port>" */
	const char *shown; /* syntax column of help, may be "" */
	const char *help;
	mgmt_fn *fn; /* 0, -errno or MGMT_MORE; NULL: a heading */
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
	bool again; /* the handler said MGMT_MORE before */
	uint64_t more[4]; /* its own, zeros at first */
	size_t part_at; /* of w->written, where this call began */
	char why[MGMT_WHY]; /* it failed, may be empty */
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

/* Whether @cmd is a row of @table, by its place in memory. */
static inline bool mgmt_has(const struct mgmt_table *table,
			    const struct mgmt_cmd *cmd)
{
	return cmd >= table->cmds && cmd < table->cmds + table->n_cmds;
}

/* The row that @line names by its whole first word, or NULL; headings cannot
 * be named. */
const struct mgmt_cmd *mgmt_find(const struct mgmt *, const char *line);

/* Binds the arguments in @line, which is modified and must be kept as long as
 * there is more, and runs @cmd. -EINVAL for arguments that do not fit, else
 * what the handler returned. */
int mgmt_run(const struct mgmt *, const struct mgmt_cmd *cmd, struct mgmt_req *,
	     char *line);

/* Runs the handler again that returned MGMT_MORE: what it returned, or
 * -ECANCELED if its command has gone since. */
int mgmt_more(struct mgmt_req *);

/* For handlers: returns @rc, and keeps the reason for who asked, of which as
 * much as fits; console_config.dialect says where it is seen. */
int mgmt_refuse(struct mgmt_req *, int rc, const char *why);

/* For handlers: this part is long enough. */
bool mgmt_pause(const struct mgmt_req *);

/* Rows whose name begins with @prefix (NULL: all), in VDE 2's columns, in
 * parts. The syntax column of a heading is made here. */
int mgmt_help(struct mgmt_req *, const char *prefix);

#endif
