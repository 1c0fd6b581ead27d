/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scribe - a process that writes to a file what another has to say
 *
 * Writing to a file may take as long as the disk likes, and nothing tells
 * beforehand. So a process of its own does it: what it does not take stays in
 * a pipe, as with any other reader. It outlives whoever started it until
 * everything is written, and whatever happens leaves a file that ends with
 * a whole block, or line.
 */
#ifndef COMMON_SCRIBE_H
#define COMMON_SCRIBE_H

enum scribe_unit {
	SCRIBE_BLOCKS, /* of pcapng */
	SCRIBE_LINES
};

/* What is written to the descriptor that this returns is appended to @file,
 * which must end with a whole unit; it does not block. @name is the process's,
 * at most 15 bytes. -errno: there is no such process. *@status is readable
 * when the process ends: scribe_result(). All three are the caller's. */
int scribe_start(int file, enum scribe_unit, const char *name, int *status);

/* 0: everything is written; or -errno, -EPIPE if the process was killed. */
int scribe_result(int status);

#endif
