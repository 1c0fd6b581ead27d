// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A script of unixcmd and what the server answers, with a NUL between them.
 * The answer is fed one byte at a time, then the time is over for each IN.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "term/script.h"

#define OVERS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_note(void *ctx, unsigned int line, const char *what)
{
	if (!what[0] || strlen(what) > 200)
		abort();
}

static void on_send(void *ctx, const char *s, size_t n)
{
	if (!n)
		abort();
}

static void on_out(void *ctx, int tag, const char *s, size_t n)
{
	if (!n || n > SCRIPT_BUF_MAX)
		abort();
}

static void interpret(const struct script *sc, const char *answer, size_t n)
{
	static const char *const words[] = { "port/create", "3" };
	static const struct script_io io = { .send = on_send, .out = on_out };
	struct script_run *run = script_start(sc, words, 2, &io);
	enum script_state state;

	if (!run)
		return;
	state = script_go(run);
	for (size_t i = 0; i < n && state == SCRIPT_READING; i++)
		state = script_feed(run, answer + i, 1);
	for (int i = 0; i < OVERS && state == SCRIPT_READING; i++)
		state = script_over(run);
	if (state == SCRIPT_FAILED && !script_reason(run))
		abort();
	script_stop(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size ? memchr(text, '\0', size) : NULL;
	size_t len = nul ? (size_t)(nul - text) : size;
	struct script *sc = script_parse(text, len, on_note, on_note, NULL);

	if (!sc)
		return 0;
	if (nul)
		interpret(sc, nul + 1, size - len - 1);
	else
		interpret(sc, "", 0);
	script_free(sc);
	return 0;
}
