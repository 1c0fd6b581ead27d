/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd - the commands of the console, and of rc files
 *
 * A table for each file; handlers get the struct wirefilter. cmd.c has them in
 * the order of VDE 2's help, what is new behind. Text output and results of
 * VDE 2's commands are VDE 2's, byte for byte; why one failed is in JSON, in
 * the log, and what the command `why` says. New ones say it at once.
 */
#ifndef WIREFILTER_CMD_H
#define WIREFILTER_CMD_H

#include "wirefilter/wirefilter.h"

extern const struct mgmt_table cmd_wire; /* VDE 2's but the next */
extern const struct mgmt_table cmd_markov; /* VDE 2's Markov mode */
extern const struct mgmt_table cmd_more; /* other settings, seed, why ... */
extern const struct mgmt_table cmd_class; /* class-add, class-set ... */
extern const struct mgmt_table cmd_trace; /* trace, trace-once, table */
extern const struct mgmt_table cmd_report; /* showerror, reset-counters */

/* Makes wf->commands and wf->console, and has the steps of the chain told to
 * who asked; wf->loop and wf->wire are there. 0 or -ENOMEM. */
int cmd_start(struct wirefilter *);
/* Closes all sessions, and removes the socket. */
void cmd_stop(struct wirefilter *);

/* Serves clients of a socket at @path, whose @mode that is. Once. 0 or -errno,
 * logged. */
int cmd_listen(struct wirefilter *, const char *path, unsigned int mode);
/* Runs an rc file; lines that fail are logged. 0 or -errno, logged: it cannot
 * be read. */
int cmd_load_rc(struct wirefilter *, const char *path);

/* Runs a command as if it stood in an rc file, for what an option asks. 0, or
 * -errno with the reason in @why. */
int cmd_run(struct wirefilter *, const char *line, char why[static MGMT_WHY]);

/* The handler of settings that wire_set() knows by the command's name; the
 * argument is the text. And the same by another name. */
mgmt_fn cmd_set;
int cmd_set_as(struct mgmt_req *, const char *name, const char *text);
/* -EINVAL: there is no such node. */
int cmd_no_node(struct mgmt_req *, unsigned int node);

/* For handlers: as mgmt_refuse(), and logs what a session is not shown. */
int cmd_refuse(struct mgmt_req *, int rc, const char *why);

/* A number of six digits, as VDE 2 prints it, and in JSON as it is. */
void cmd_real(struct writer *, const char *key, const char *piece, double v);

#endif
