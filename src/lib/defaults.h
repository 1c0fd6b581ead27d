/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * defaults - where the default switch is looked for
 */
#ifndef LIB_DEFAULTS_H
#define LIB_DEFAULTS_H

#include "base/util.h"

#define LOCATOR_SIZE 4096 /* longest locator that a file may hold */

/* The user's own default: the first of $HOME/.vdeplug/default,
 * $HOME/.vde2/default.switch and $HOME/.vde2/stdsock that exists, to @buf.
 * 0 or -ENOENT. */
int defaults_user(char *buf, size_t size);

/* Switches of the system, tried in this order; the list ends with NULL. */
const char *const *defaults_system(void);

/* A regular file may stand for the locator in its first line. 1 and the line
 * in @buf; 0 if @path is no regular file; -errno. */
int defaults_read(const char *path, char *buf, size_t size);

#endif
