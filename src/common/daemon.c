// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "common/log.h"

/* Ends with the child's verdict: its byte, or its status if it died first. */
static void parent_wait(int fd, pid_t child)
{
	uint8_t ok;
	ssize_t n;
	int status;

	do
		n = read(fd, &ok, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(EXIT_FAILURE);
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
						       : EXIT_FAILURE);
}

int daemon_fork(struct daemon *d, bool background, int ready_fd)
{
	int pipefd[2];
	pid_t pid;
	int rc;

	*d = (struct daemon){ background, ready_fd, -1 };
	if (ready_fd > 2)
		(void)fcntl(ready_fd, F_SETFD, FD_CLOEXEC);
	if (!background)
		return 0;
	if (pipe2(pipefd, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		close(pipefd[0]);
		close(pipefd[1]);
		return rc;
	}
	if (pid > 0) {
		close(pipefd[1]);
		parent_wait(pipefd[0], pid);
	}
	close(pipefd[0]);
	d->parent_fd = pipefd[1];
	setsid();
	return 0;
}

/* @fd is /dev/null. */
static int detach_take(int fd)
{
	int rc = 0;

	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0)
			rc = -errno;
	if (fd > 2)
		close(fd);
	return rc;
}

/* The protocol of sd_notify(3): one datagram to the socket in the variable. */
static void notify_systemd(void)
{
	static const char msg[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') ||
	    str_copy(sa.sun_path, sizeof(sa.sun_path), path) < 0)
		return;
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, msg, sizeof(msg) - 1, MSG_NOSIGNAL,
		   (struct sockaddr *)&sa, len) < 0)
		log_warn("unable to notify %s: %s", path, strerror(errno));
	close(fd);
}

/* A reader that has gone is a failed write, not a signal: the program must
 * live to remove its files. */
static int write_byte(int fd, uint8_t byte)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	ssize_t n;
	int rc;

	sigaction(SIGPIPE, &ignore, &old);
	n = write(fd, &byte, 1);
	rc = n == 1 ? 0 : -errno;
	sigaction(SIGPIPE, &old, NULL);
	return rc;
}

/* What may fail comes first, while there is somebody to tell. */
int daemon_ready(struct daemon *d)
{
	int rc = 0, null = -1;

	if (d->background) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0)
			return -errno;
		if (chdir("/")) {
			rc = -errno;
			close(null);
			return rc;
		}
	}
	notify_systemd();
	if (d->ready_fd >= 0) {
		rc = write_byte(d->ready_fd, '\n');
		if (rc)
			log_warn("unable to write to --ready-fd %d: %s",
				 d->ready_fd, strerror(-rc));
		if (d->ready_fd > 2)
			close(d->ready_fd);
		d->ready_fd = -1;
	}
	if (!d->background)
		return 0;
	log_to_syslog();
	rc = detach_take(null);
	if (!rc)
		rc = write_byte(d->parent_fd, 1);
	close(d->parent_fd);
	d->parent_fd = -1;
	return rc;
}

int std_fds_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (fd <= 2 && fcntl(fd, F_SETFD, 0))
			return -errno;
	} while (fd <= 2);
	close(fd);
	return 0;
}

int path_absolute(char *out, const char *path)
{
	char cwd[PATH_MAX];
	int rc;

	if (path[0] == '/') {
		rc = str_copy(out, PATH_MAX, path);
	} else {
		if (!getcwd(cwd, sizeof(cwd)))
			return -errno;
		rc = str_fmt(out, PATH_MAX, "%s/%s", cwd, path);
	}
	return rc < 0 ? rc : 0;
}

/* A process that was killed is there until its parent looks, and the first
 * process of a container may never do. */
static bool has_ended(pid_t pid)
{
	char text[128], *state;
	ssize_t n;
	int fd;

	if (kill(pid, 0) && errno == ESRCH)
		return true;
	if (pid < 0 ||
	    str_fmt(text, sizeof(text), "/proc/%ld/stat", (long)pid) < 0)
		return false;
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	state = strrchr(text, ')'); /* behind the name */
	return state && strncmp(state, ") Z", 3) == 0;
}

/* True if @path holds the pid, and nothing else, of a process that is gone;
 * or, negative, of a process group. */
static bool is_stale(const char *path)
{
	char text[24];
	int64_t pid;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 2 || text[n - 1] != '\n')
		return false;
	text[n - 1] = '\0';
	if (!parse_num(text, -INT32_MAX, INT32_MAX, &pid) || !pid || pid == -1)
		return false;
	return has_ended((pid_t)pid);
}

/* A limit of file sizes is a failed write, too. */
static int write_id(int fd, pid_t id)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	char text[24];
	int n = str_fmt(text, sizeof(text), "%ld\n", (long)id);
	ssize_t done;
	int rc = 0;

	sigaction(SIGXFSZ, &ignore, &old);
	done = write(fd, text, (size_t)n);
	if (done < 0)
		rc = -errno;
	else if (done < n)
		rc = -ENOSPC;
	sigaction(SIGXFSZ, &old, NULL);
	return rc;
}

static int create_new(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd;
}

int pidfile_write(struct pidfile *pf, const char *path)
{
	return pidfile_write_id(pf, path, getpid());
}

int pidfile_write_id(struct pidfile *pf, const char *path, pid_t id)
{
	int rc = path_absolute(pf->path, path);
	int fd;

	if (rc)
		goto fail;
	fd = create_new(pf->path);
	if (fd == -EEXIST && is_stale(pf->path) && !unlink(pf->path))
		fd = create_new(pf->path);
	if (fd < 0) {
		rc = fd;
		goto fail;
	}
	rc = write_id(fd, id);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc)
		return 0;
	unlink(pf->path);
fail:
	pf->path[0] = '\0';
	return rc;
}

void pidfile_remove(struct pidfile *pf)
{
	if (pf->path[0])
		unlink(pf->path);
	pf->path[0] = '\0';
}
