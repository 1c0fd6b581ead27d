// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/defaults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

int defaults_user(char *buf, size_t size)
{
	static const char *const names[] = {
		".vdeplug/default",
		".vde2/default.switch",
		".vde2/stdsock",
	};
	const char *home = getenv("HOME");
	struct stat st;

	for (size_t i = 0; home && *home && i < ARRAY_SIZE(names); i++)
		if (str_fmt(buf, size, "%s/%s", home, names[i]) >= 0 &&
		    lstat(buf, &st) == 0)
			return 0;
	return -ENOENT;
}

const char *const *defaults_system(void)
{
	static const char *const paths[] = {
		"/var/run/vde.ctl",
		"/tmp/vde.ctl",
		NULL,
	};

	return paths;
}

static void cut_line(char *s)
{
	size_t n = strcspn(s, "\n");

	while (n && strchr(" \t\r", s[n - 1]))
		n--;
	s[n] = '\0';
}

int defaults_read(const char *path, char *buf, size_t size)
{
	struct stat st;
	size_t len = 0;
	ssize_t n = 0;
	int fd, rc = 1;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		rc = -errno;
	close(fd);
	if (rc < 0)
		return rc;
	buf[len] = '\0';
	if (len == size - 1 && !strchr(buf, '\n'))
		return -ENAMETOOLONG;
	cut_line(buf);
	return *buf ? 1 : -EINVAL;
}
