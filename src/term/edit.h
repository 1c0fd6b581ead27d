/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edit - the line that is being typed on the terminal: readline, tamed
 *
 * Readline exists once per process, and so does this module. It is driven by
 * the loop: edit_readable() when there is a key, and edit_hide() and
 * edit_show() around everything that is written above the line being typed.
 * Signals are the caller's business.
 */
#ifndef TERM_EDIT_H
#define TERM_EDIT_H

struct words;

/* A finished line, without newline; NULL at the end of input. */
typedef void edit_fn(void *ctx, const char *line);

/* Takes over the terminal on descriptors 0 and 1, with no prompt. @words is
 * what the first word of a line may be, and may change at any time. */
void edit_start(const struct words *, edit_fn *, void *ctx);
/* Gives the terminal back as it was; below the line being typed. */
void edit_stop(void);

void edit_readable(void);
void edit_set_prompt(const char *prompt);
/* The line being typed vanishes; the cursor stands where it began. */
void edit_hide(void);
void edit_show(void);

/* Stops this process as Ctrl-Z does, the terminal given back meanwhile. */
void edit_suspend(void);
/* The process was continued, or the window has another size. */
void edit_resume(void);
void edit_resize(void);

/* 0 or -errno; a history that does not exist yet is no error. */
int edit_load_history(const char *path);
int edit_save_history(const char *path);

#endif
