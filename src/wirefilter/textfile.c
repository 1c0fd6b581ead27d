// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct strbuf *why, int rc)
{
	strbuf_add(why, strerror(-rc));
	return rc;
}

static int check_kind(int fd, struct strbuf *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(why, -errno);
	if (S_ISDIR(st.st_mode))
		return fail(why, -EISDIR);
	if (S_ISREG(st.st_mode))
		return 0;
	strbuf_add(why, "not a regular file");
	return -EINVAL;
}

int textfile_open(const char *path, struct strbuf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;

	if (fd < 0)
		return fail(why, -errno);
	rc = check_kind(fd, why);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

static int read_all(int fd, char *text, size_t room, size_t *len)
{
	ssize_t n = 1;

	for (*len = 0; n && *len < room;) {
		n = read(fd, text + *len, room - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		*len += (size_t)n;
	}
	return 0;
}

int textfile_read(const char *path, size_t max, char **text, size_t *len,
		  struct strbuf *why)
{
	int fd = textfile_open(path, why), rc;
	char *s;

	if (fd < 0)
		return fd;
	s = malloc(max + 1);
	rc = s ? read_all(fd, s, max + 1, len) : -ENOMEM;
	close(fd);
	if (rc) {
		fail(why, rc);
	} else if (*len > max) {
		rc = -EFBIG;
		strbuf_fmt(why, "it has more than %zu bytes", max);
	} else if (memchr(s, '\0', *len)) {
		rc = -EINVAL;
		strbuf_add(why, "it has a byte of 0");
	}
	if (rc) {
		free(s);
		return rc;
	}
	s[*len] = '\0';
	*text = s;
	return 0;
}
