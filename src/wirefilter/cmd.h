/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd - the commands of the console, and of rc files
 *
 * A table for each file; handlers get the struct wirefilter. cmd.c has them in
 * the order of VDE 2's help, what is new behind.
 */
#ifndef WIREFILTER_CMD_H
#define WIREFILTER_CMD_H

#include "common/mgmt.h"

extern const struct mgmt_table cmd_wire; /* help, load, settings, fifo ... */
extern const struct mgmt_table cmd_markov;
extern const struct mgmt_table cmd_class; /* class-add, class-set ... */
extern const struct mgmt_table cmd_trace; /* trace, trace-once, table */
extern const struct mgmt_table cmd_report; /* showerror, reset-counters */

#endif
