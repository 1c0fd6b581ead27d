// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Command lines of dpipe: the input is cut into words at newlines. A plan
 * that is accepted must join each pipe to one reader and one writer, and the
 * chain must be one piece.
 */
#include <stdlib.h>
#include <string.h>

#include "dpipe/chain.h"

#define MAX_WORDS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(int *users, int n_pipes, int pipe)
{
	if (pipe == CHAIN_NONE)
		return;
	if (pipe < 0 || pipe >= n_pipes)
		abort();
	users[pipe]++;
}

static void check_pipes(const struct chain *c)
{
	int readers[2 * MAX_WORDS] = { 0 }, writers[2 * MAX_WORDS] = { 0 };

	if (c->n_cmds < 2 || c->n_pipes > 2 * MAX_WORDS)
		abort();
	for (size_t i = 0; i < c->n_cmds; i++) {
		const struct chain_cmd *cmd = &c->cmds[i];

		if (!cmd->argv[0] || cmd->in == CHAIN_NONE ||
		    cmd->out == CHAIN_NONE ||
		    (cmd->alt_in == CHAIN_NONE) != (cmd->alt_out == CHAIN_NONE))
			abort();
		count(readers, c->n_pipes, cmd->in);
		count(readers, c->n_pipes, cmd->alt_in);
		count(writers, c->n_pipes, cmd->out);
		count(writers, c->n_pipes, cmd->alt_out);
	}
	for (int i = 0; i < c->n_pipes; i++)
		if (readers[i] != 1 || writers[i] != 1)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *save = text;
	char *words[MAX_WORDS + 1];
	struct chain c;
	size_t n = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	while (n < MAX_WORDS && (words[n] = strsep(&save, "\n")))
		n++;
	words[n] = NULL;
	if (!chain_plan(&c, words, n)) {
		check_pipes(&c);
		chain_fini(&c);
	} else if (!c.error || c.cmds) {
		abort();
	}
	free(text);
	return 0;
}
