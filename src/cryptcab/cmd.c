// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/unixsock.h"

#define GREETING "VDE cryptcab V." VDE_VERSION "\n"
#define PROMPT "cryptcab$ "

static const struct mgmt_table *const tables[] = { &cmd_general, &cmd_peer };

struct commands {
	struct mgmt mgmt;
	struct mgmt_table tables[ARRAY_SIZE(tables)];
	struct console *console;
	int fd; /* of the socket; -1: there is none */
	char path[PATH_MAX];
	struct unixsock_id id;
};

/* All commands say why they failed. */
static bool explains(const struct mgmt_cmd *cmd)
{
	return true;
}

static const struct console_dialect dialect = { .explains = explains };

int cmd_start(struct cryptcab *cab)
{
	struct commands *c = calloc(1, sizeof(*c));
	struct console_config cf = {
		.loop = cab->loop,
		.greeting = GREETING,
		.prompt = PROMPT,
		.ctx = cab,
		.dialect = &dialect,
	};

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		c->tables[i] = *tables[i];
	c->mgmt = (struct mgmt){ c->tables, ARRAY_SIZE(tables), NULL, 0, cab };
	cf.mgmt = &c->mgmt;
	c->console = console_new(&cf);
	if (!c->console) {
		free(c);
		return -ENOMEM;
	}
	cab->commands = c;
	return 0;
}

void cmd_stop(struct cryptcab *cab)
{
	struct commands *c = cab->commands;

	if (!c)
		return;
	console_free(c->console);
	if (c->fd >= 0) {
		close(c->fd);
		unixsock_unlink(c->path, c->id);
	}
	free(c);
	cab->commands = NULL;
}

int cmd_listen(struct cryptcab *cab, const char *path, unsigned int mode)
{
	struct commands *c = cab->commands;
	int rc = path_absolute(c->path, path);

	if (!rc)
		rc = c->fd = unixsock_listen(c->path, mode,
					     UNIXSOCK_KEEP_GROUP);
	if (rc >= 0) {
		c->id = unixsock_id(c->path);
		rc = console_listen(c->console, c->fd);
	}
	if (rc < 0)
		log_err("unable to open management socket %s: %s", path,
			strerror(-rc));
	return rc;
}

int cmd_load_rc(struct cryptcab *cab, const char *path)
{
	int rc = console_load(cab->commands->console, path, NULL);

	if (rc)
		log_err("unable to read rc file %s: %s", path, strerror(-rc));
	return rc;
}

struct console *cmd_console(const struct cryptcab *cab)
{
	return cab->commands->console;
}

const char *cmd_socket(const struct cryptcab *cab)
{
	return cab->commands->fd >= 0 ? cab->commands->path : NULL;
}

void cmd_seconds(struct writer *w, const char *key, const char *piece,
		 uint64_t ns)
{
	writer_real(w, key, piece, (double)ns / (double)LOOP_SEC, 3);
}
