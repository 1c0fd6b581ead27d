/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sockfile - group and mode of a socket's file, where others may write too
 *
 * The directory of a switch belongs to whoever runs the switch, and who finds
 * a switch by its well-known name in /tmp does not know who that is. Between
 * bind() and chmod() its owner may put a link in the place of the file. So the
 * file is opened once, looked at, and changed through that descriptor.
 */
#ifndef LIB_SOCKFILE_H
#define LIB_SOCKFILE_H

#include <stdbool.h>
#include <sys/types.h>

#define SOCKFILE_KEEP_GROUP ((gid_t)-1)

/* 0, or -errno: -EPERM if @path is anything but a socket of this user's under
 * a single name. */
int sockfile_set(const char *path, gid_t gid, mode_t mode);

#endif
