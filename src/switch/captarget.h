/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * captarget - where a capture goes: a file, a FIFO, a unix stream socket
 *
 * A path that does not exist becomes a file that only its owner can read; a
 * file that exists is overwritten. A FIFO that nobody reads and a socket that
 * nobody listens on are targets too, which cannot be opened yet. Directories
 * and devices, but for /dev/null, are refused; what a symbolic link leads to
 * counts. Nothing here blocks.
 */
#ifndef SWITCH_CAPTARGET_H
#define SWITCH_CAPTARGET_H

#include <stdbool.h>
#include <sys/types.h>

enum captarget_kind {
	CAPTARGET_FILE,
	CAPTARGET_NULL,
	CAPTARGET_FIFO,
	CAPTARGET_SOCKET,
	CAPTARGET_N_KINDS
};
const char *captarget_kind_name(enum captarget_kind);

struct captarget {
	enum captarget_kind kind;
	bool made; /* a file that was not there */
	dev_t dev;
	ino_t ino;
};

/* Who reads may come and go. */
static inline bool captarget_has_reader(enum captarget_kind k)
{
	return k == CAPTARGET_FIFO || k == CAPTARGET_SOCKET;
}

/* What is at @path now; a new file is made. 0 or -errno: -EISDIR, -ENODEV for
 * devices. */
int captarget_find(struct captarget *, const char *path);

/* A descriptor to write to, non-blocking; a file is empty then. -EAGAIN:
 * nobody reads yet. -ESTALE: @path is something else by now. -ELOOP: a socket
 * of this process. */
int captarget_open(const struct captarget *, const char *path);

#endif
