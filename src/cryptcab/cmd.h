/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd - the commands of the console, and of rc files
 *
 * A table for each file; handlers get the struct cryptcab. What changes the
 * peers changes the peers file first, which is then read again: it says the
 * same as the program, and a restart changes nothing. All commands have -j.
 */
#ifndef CRYPTCAB_CMD_H
#define CRYPTCAB_CMD_H

#include "base/strbuf.h"
#include "common/console.h"
#include "cryptcab/cryptcab.h"
#include "cryptcab/peersfile.h"

extern const struct mgmt_table cmd_general; /* help, showinfo, counters... */
extern const struct mgmt_table cmd_peer; /* peer/... and invite */

/* Makes cab->commands; cab->loop is there. 0 or -ENOMEM. */
int cmd_start(struct cryptcab *);
/* Closes all sessions, and removes the socket. */
void cmd_stop(struct cryptcab *);

/* Serves clients of a socket at @path, whose @mode that is. Once. 0 or -errno,
 * logged. */
int cmd_listen(struct cryptcab *, const char *path, unsigned int mode);
/* Runs an rc file; lines that fail are logged. 0 or -errno, logged: it cannot
 * be read. */
int cmd_load_rc(struct cryptcab *, const char *path);

/* For handlers. */
struct console *cmd_console(const struct cryptcab *);
/* The management socket, or NULL. */
const char *cmd_socket(const struct cryptcab *);
/* Nanoseconds as seconds, and their text with three digits; text only if
 * @piece is not NULL. */
void cmd_seconds(struct writer *, const char *key, const char *piece,
		 uint64_t ns);

/* What `metrics` says. */
void cab_metrics(const struct cryptcab *, struct writer *);

#endif
