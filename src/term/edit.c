// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readline calls back without a context: the one struct here is its state
 * and ours. While it calls on_line() it has left the line and will draw the
 * prompt anew by itself, so nothing is drawn from inside.
 */
#include "term/edit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "term/words.h"

#define HISTORY 1000

static struct {
	const struct words *words;
	edit_fn *fn;
	void *ctx;
	bool on, in_line, hidden;
	size_t next; /* word to offer */
} ed;

static char *next_word(const char *text, int state)
{
	int i;

	if (!state)
		ed.next = 0;
	i = words_match(ed.words, text, ed.next);
	if (i < 0)
		return NULL;
	ed.next = (size_t)i + 1;
	return strdup(ed.words->word[i]);
}

static char **complete(const char *text, int start, int end)
{
	enum words_want want = words_wanted(rl_line_buffer, (size_t)start);

	rl_attempted_completion_over = want != WORDS_WANT_FILE;
	if (want != WORDS_WANT_COMMAND)
		return NULL;
	return rl_completion_matches(text, next_word);
}

static void remember(const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base +
							history_length - 1)
					  : NULL;

	if (line[strspn(line, " \t")] && (!last || strcmp(last->line, line)))
		add_history(line);
}

static void on_line(char *line)
{
	ed.in_line = true;
	if (line)
		remember(line);
	ed.fn(ed.ctx, line);
	free(line);
	ed.in_line = false;
}

void edit_start(const struct words *words, edit_fn *fn, void *ctx)
{
	static const char breaks[] = " \t";

	ed.words = words;
	ed.fn = fn;
	ed.ctx = ctx;
	ed.on = true;
	rl_readline_name = "vdeterm";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = breaks;
	/* Readline would wait for a key by itself to ask, or to page. */
	rl_completion_query_items = -1;
	rl_variable_bind("page-completions", "off");
	rl_variable_bind("show-all-if-unmodified", "on");
	rl_variable_bind("enable-bracketed-paste", "off");
	using_history();
	stifle_history(HISTORY);
	rl_callback_handler_install("", on_line);
}

void edit_stop(void)
{
	if (!ed.on)
		return;
	if (!ed.hidden && !ed.in_line && (rl_end || *rl_prompt))
		rl_crlf();
	rl_callback_handler_remove();
	fflush(stdout);
	ed.on = false;
}

void edit_readable(void)
{
	rl_callback_read_char();
}

void edit_set_prompt(const char *prompt)
{
	if (!ed.on || !strcmp(prompt, rl_prompt))
		return;
	if (ed.in_line || ed.hidden) {
		rl_set_prompt(prompt);
		return;
	}
	edit_hide();
	rl_set_prompt(prompt);
	edit_show();
}

void edit_hide(void)
{
	if (!ed.on || ed.in_line || ed.hidden)
		return;
	rl_clear_visible_line();
	fflush(stdout); /* a message may go to standard error next */
	ed.hidden = true;
}

void edit_show(void)
{
	if (!ed.hidden)
		return;
	ed.hidden = false;
	rl_on_new_line();
	rl_redisplay();
}

void edit_suspend(void)
{
	sigset_t tstp;

	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	rl_crlf();
	fflush(stdout);
	rl_deprep_term_function();
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &tstp, NULL); /* here it takes effect */
	sigprocmask(SIG_BLOCK, &tstp, NULL);
}

void edit_resume(void)
{
	rl_deprep_term_function();
	rl_prep_term_function(1);
	rl_reset_screen_size();
	rl_on_new_line();
	rl_redisplay();
}

void edit_resize(void)
{
	rl_resize_terminal();
}

int edit_load_history(const char *path)
{
	int rc = read_history(path);

	using_history(); /* Up begins at the end of what was read */
	return rc == ENOENT ? 0 : -rc;
}

int edit_save_history(const char *path)
{
	return -write_history(path);
}
