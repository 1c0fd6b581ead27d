// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/ipout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"

#define STAMP_ROOM 32
#define HEAD_ROOM 96

void ipout_init(struct ipout *o)
{
	o->kind = IPOUT_OFF;
	o->fd = -1;
	o->torn = false;
	o->lost = 0;
	o->path[0] = '\0';
}

void ipout_off(struct ipout *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->kind = IPOUT_OFF;
	o->fd = -1;
	o->torn = false;
	o->path[0] = '\0';
}

/* O_NONBLOCK: it may be a FIFO, and then it needs a reader. */
static int open_append(const char *path)
{
	int fd = open(path,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			      O_NONBLOCK,
		      0600);

	return fd < 0 ? -errno : fd;
}

/* The daemon may change its directory. */
static int make_absolute(char *out, size_t size, const char *path)
{
	char here[PATH_MAX];

	if (*path == '/')
		return str_copy(out, size, path);
	if (!getcwd(here, sizeof(here)))
		return -errno;
	return str_fmt(out, size, "%s/%s", here, path);
}

int ipout_file(struct ipout *o, const char *path)
{
	char absolute[sizeof(o->path)];
	int rc = make_absolute(absolute, sizeof(absolute), path);
	int fd = rc < 0 ? rc : open_append(absolute);

	if (fd < 0)
		return fd;
	ipout_off(o);
	o->kind = IPOUT_FILE;
	o->fd = fd;
	str_copy(o->path, sizeof(o->path), absolute);
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, rc = str_copy(sa.sun_path, sizeof(sa.sun_path), path);

	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* Also when nobody listens yet: as syslog(3) does. */
int ipout_syslog(struct ipout *o, const char *path)
{
	if (strlen(path) >= sizeof(o->path))
		return -ENAMETOOLONG;
	ipout_off(o);
	o->kind = IPOUT_SYSLOG_KIND;
	str_copy(o->path, sizeof(o->path), path);
	o->fd = connect_to(path);
	return 0;
}

int ipout_reopen(struct ipout *o)
{
	if (o->kind == IPOUT_OFF)
		return 0;
	if (o->fd >= 0)
		close(o->fd);
	o->torn = false;
	o->fd = o->kind == IPOUT_FILE ? open_append(o->path)
				      : connect_to(o->path);
	return o->fd < 0 ? o->fd : 0;
}

/* ---- lines ---- */

/* As in all of syslog's files: "Nov 20 07:35:45 ". */
static void stamp(char text[static STAMP_ROOM])
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm) ||
	    !strftime(text, STAMP_ROOM, "%b %e %H:%M:%S ", &tm))
		text[0] = '\0';
}

static int put(struct ipout *o, const char *head, const char *line,
	       const char *tail)
{
	struct iovec iov[] = {
		{ unconst("\n"), o->torn ? 1 : 0 },
		{ unconst(head), strlen(head) },
		{ unconst(line), strlen(line) },
		{ unconst(tail), strlen(tail) },
	};
	size_t len = 0;
	ssize_t n;

	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		len += iov[i].iov_len;
	n = writev(o->fd, iov, ARRAY_SIZE(iov));
	if (n < 0)
		return -errno;
	o->torn = (size_t)n != len;
	return o->torn ? -ENOSPC : 0;
}

static int to_syslog(struct ipout *o, const char *line, const char *at)
{
	char head[HEAD_ROOM];
	int rc;

	str_fmt(head, sizeof(head), "<%d>%siplog[%ld]: ", LOG_DAEMON | LOG_INFO,
		at, (long)getpid());
	rc = o->fd < 0 ? -ENOTCONN : put(o, head, line, "");
	if (rc != -ENOTCONN && rc != -ECONNREFUSED && rc != -ECONNRESET)
		return rc;
	rc = ipout_reopen(o); /* it was started anew */
	return rc ? rc : put(o, head, line, "");
}

int ipout_line(struct ipout *o, const char *line)
{
	char at[STAMP_ROOM];
	int rc = 0;

	if (o->kind == IPOUT_OFF)
		return 0;
	stamp(at);
	if (o->kind == IPOUT_SYSLOG_KIND)
		rc = to_syslog(o, line, at);
	else
		rc = o->fd < 0 ? -EBADF : put(o, at, line, "\n");
	if (rc)
		o->lost++;
	return rc;
}
