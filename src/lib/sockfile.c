// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/sockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strbuf.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* A descriptor without access takes chmod() only by its name in /proc, or on
 * Linux 6.6 and later by a system call of its own. */
static int change_mode(int fd, mode_t mode)
{
	char name[32];

	if (!syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH))
		return 0;
	if (str_fmt(name, sizeof(name), "/proc/self/fd/%d", fd) < 0)
		return -ENAMETOOLONG;
	return chmod(name, mode) ? -errno : 0;
}

static int set(int fd, gid_t gid, mode_t mode)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return -EPERM;
	if (gid != SOCKFILE_KEEP_GROUP &&
	    fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH))
		return -errno;
	return (st.st_mode & 07777) == mode ? 0 : change_mode(fd, mode);
}

int sockfile_set(const char *path, gid_t gid, mode_t mode)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = set(fd, gid, mode);
	close(fd);
	return rc;
}
