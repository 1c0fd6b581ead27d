// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"
#include "common/log.h"

static char dir[] = "/tmp/vde-test-daemon.XXXXXX";
static char path[PATH_MAX];

static void put_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 &&
	      write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static const char *get_file(const char *p)
{
	static char text[64];
	int fd = open(p, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return n < 0 ? "(none)" : text;
}

static const char *pid_line(pid_t pid)
{
	static char text[32];

	str_fmt(text, sizeof(text), "%ld\n", (long)pid);
	return text;
}

/* The pid of a process that has just ended. */
static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	return pid;
}

/* ---- pidfiles ---- */

static void a_pidfile_holds_the_pid_and_goes(void)
{
	struct pidfile pf;

	CHECK(pidfile_write(&pf, path) == 0);
	CHECK(!strcmp(get_file(path), pid_line(getpid())));
	CHECK(!strcmp(pf.path, path));
	pidfile_remove(&pf);
	CHECK(access(path, F_OK) && pf.path[0] == '\0');
	put_file("somebody else's");
	pidfile_remove(&pf); /* once is enough */
	CHECK(!access(path, F_OK));
	unlink(path);
}

static void a_stale_pidfile_is_replaced(void)
{
	struct pidfile pf;

	put_file(pid_line(dead_pid()));
	CHECK(pidfile_write(&pf, path) == 0);
	CHECK(!strcmp(get_file(path), pid_line(getpid())));
	pidfile_remove(&pf);
	put_file(pid_line(-dead_pid())); /* a process group */
	CHECK(pidfile_write(&pf, path) == 0);
	pidfile_remove(&pf);
}

static void nobody_need_have_waited_for_the_dead(void)
{
	struct pidfile pf;
	siginfo_t si;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK(pid > 0 && !waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	put_file(pid_line(pid));
	CHECK(pidfile_write(&pf, path) == 0);
	pidfile_remove(&pf);
	waitpid(pid, NULL, 0);
}

static void the_pidfile_of_a_live_process_is_respected(void)
{
	struct pidfile pf;

	put_file(pid_line(getppid()));
	CHECK(pidfile_write(&pf, path) == -EEXIST && !pf.path[0]);
	pidfile_remove(&pf);
	CHECK(!strcmp(get_file(path), pid_line(getppid())));
	put_file("1\n");
	CHECK(pidfile_write(&pf, path) == -EEXIST);
	CHECK(!strcmp(get_file(path), "1\n"));
	unlink(path);
}

static void what_is_no_pidfile_is_never_replaced(void)
{
	static const char *const others[] = {
		"",
		"\n",
		"hello\n",
		"0\n",
		"-1\n",
		"4194000",
		"12 13\n",
		"99999999999999999999\n",
		"0x3ffff1\n\n",
	};
	struct pidfile pf;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		put_file(others[i]);
		CHECK(pidfile_write(&pf, path) == -EEXIST);
		CHECK(!strcmp(get_file(path), others[i]));
	}
	unlink(path);
	CHECK(!mkdir(path, 0700));
	CHECK(pidfile_write(&pf, path) == -EEXIST);
	rmdir(path);
	CHECK(!mkfifo(path, 0600));
	CHECK(pidfile_write(&pf, path) == -EEXIST);
	unlink(path);
	CHECK(pidfile_write(&pf, "/dev/full") == -EEXIST);
}

static void a_link_is_not_followed(void)
{
	struct pidfile pf;
	char target[PATH_MAX + 8];

	str_fmt(target, sizeof(target), "%s.to", path);
	CHECK(!symlink(target, path));
	CHECK(pidfile_write(&pf, path) == -EEXIST);
	CHECK(access(target, F_OK));
	unlink(path);
}

static void a_full_disk_leaves_nothing_behind(void)
{
	struct rlimit old, none;
	struct pidfile pf;

	signal(SIGXFSZ, SIG_DFL);
	getrlimit(RLIMIT_FSIZE, &old);
	for (rlim_t room = 0; room < 2; room++) {
		none = old;
		none.rlim_cur = room;
		setrlimit(RLIMIT_FSIZE, &none);
		CHECK(pidfile_write(&pf, path) == (room ? -ENOSPC : -EFBIG));
		setrlimit(RLIMIT_FSIZE, &old);
		CHECK(access(path, F_OK) && errno == ENOENT);
		CHECK(pf.path[0] == '\0');
	}
	CHECK(pidfile_write(&pf, path) == 0);
	pidfile_remove(&pf);
}

static void unusable_paths_are_told(void)
{
	struct pidfile pf;
	char big[PATH_MAX + 10];

	CHECK(pidfile_write(&pf, "/nowhere/at/all") == -ENOENT);
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	CHECK(pidfile_write(&pf, big) == -ENAMETOOLONG);
	big[0] = '/';
	CHECK(pidfile_write(&pf, big) == -ENAMETOOLONG);
	CHECK(pf.path[0] == '\0');
}

/* Programs go to the root directory once they have started. */
static void a_relative_pidfile_is_found_again(void)
{
	struct pidfile pf;
	char cwd[PATH_MAX];

	CHECK(getcwd(cwd, sizeof(cwd)) && !chdir(dir));
	CHECK(pidfile_write(&pf, "pid") == 0);
	CHECK(!chdir("/"));
	CHECK(!strcmp(get_file(path), pid_line(getpid())));
	pidfile_remove(&pf);
	CHECK(access(path, F_OK));
	CHECK(!chdir(cwd));
}

static void paths_are_made_absolute(void)
{
	char out[PATH_MAX], cwd[PATH_MAX];

	CHECK(path_absolute(out, "/a/b") == 0 && !strcmp(out, "/a/b"));
	CHECK(getcwd(cwd, sizeof(cwd)));
	CHECK(path_absolute(out, "x/y") == 0);
	CHECK(!strncmp(out, cwd, strlen(cwd)) &&
	      !strcmp(out + strlen(cwd), "/x/y"));
}

/* ---- going to the background ---- */

/* Waits for the program that @start has become, as a shell would. */
static int status_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void the_parent_ends_with_the_childs_failure(void)
{
	static const int ends[] = { 1, 2, 77, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		pid_t pid = fork();

		if (!pid) {
			struct daemon d;

			if (daemon_fork(&d, true, -1))
				_exit(99);
			_exit(ends[i]);
		}
		/* To end without a verdict is a failure, even with 0. */
		CHECK(status_of(pid) == (ends[i] ? ends[i] : 1));
	}
}

static void a_child_that_is_killed_is_a_failure(void)
{
	pid_t pid = fork();

	if (!pid) {
		struct daemon d;

		if (daemon_fork(&d, true, -1))
			_exit(99);
		raise(SIGKILL);
	}
	CHECK(status_of(pid) == 1);
}

/* What a started daemon looks like, told through @fd. */
static void report(int fd)
{
	char cwd[PATH_MAX] = "", text[256];
	struct stat null, st[3];
	bool quiet = !stat("/dev/null", &null);
	int n;

	for (int i = 0; i < 3; i++)
		quiet = quiet && !fstat(i, &st[i]) &&
			st[i].st_rdev == null.st_rdev;
	n = str_fmt(text, sizeof(text), "%d %s %d", quiet,
		    getcwd(cwd, sizeof(cwd)) ? cwd : "?",
		    getsid(0) == getpid());
	if (write(fd, text, (size_t)n) != n)
		_exit(1);
}

static const char *all_from(int fd)
{
	static char text[512];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(text) - 1 &&
	       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return text;
}

static void a_started_daemon_is_quiet_and_on_its_own(void)
{
	int tell[2], ready[2];
	pid_t pid;

	CHECK(!pipe(tell) && !pipe(ready));
	pid = fork();
	if (!pid) {
		struct daemon d;

		close(tell[0]);
		close(ready[0]);
		if (daemon_fork(&d, true, ready[1]) || daemon_ready(&d))
			_exit(99);
		report(tell[1]);
		_exit(0);
	}
	close(tell[1]);
	close(ready[1]);
	CHECK(status_of(pid) == 0);
	CHECK(!strcmp(all_from(ready[0]), "\n"));
	CHECK(!strcmp(all_from(tell[0]), "1 / 1"));
}

/* Not to syslog, and not after it said that all was well. */
static void a_failure_to_detach_is_told_on_stderr(void)
{
	int err[2], ready[2];
	pid_t pid;

	CHECK(!pipe(err) && !pipe(ready));
	pid = fork();
	if (!pid) {
		struct rlimit none = { 0, 0 };
		struct daemon d;

		dup2(err[1], 2);
		if (daemon_fork(&d, true, ready[1]) ||
		    setrlimit(RLIMIT_NOFILE, &none))
			_exit(99);
		if (daemon_ready(&d) == -EMFILE)
			log_err("told");
		_exit(3);
	}
	close(err[1]);
	close(ready[1]);
	CHECK(status_of(pid) == 3);
	CHECK(!strcmp(all_from(ready[0]), ""));
	CHECK(strstr(all_from(err[0]), "error: told\n"));
}

static void the_foreground_stays_as_it_is(void)
{
	struct daemon d;
	char before[PATH_MAX], after[PATH_MAX];
	int ready[2];

	CHECK(!pipe(ready));
	CHECK(getcwd(before, sizeof(before)));
	CHECK(daemon_fork(&d, false, ready[1]) == 0);
	CHECK(fcntl(ready[1], F_GETFD) & FD_CLOEXEC);
	CHECK(daemon_ready(&d) == 0);
	CHECK(!strcmp(all_from(ready[0]), "\n"));
	CHECK(fcntl(ready[1], F_GETFD) < 0); /* closed */
	CHECK(getcwd(after, sizeof(after)) && !strcmp(before, after));
}

/* Of both readers: the write fails, the process lives to clean up. */
static void whoever_waits_may_go_without_a_signal(void)
{
	int ready[2], tell[2];
	pid_t pid;

	CHECK(!pipe(ready) && !pipe(tell));
	close(ready[0]);
	pid = fork();
	if (!pid) {
		struct daemon d;
		struct pollfd gone = { 0 };

		close(tell[0]);
		signal(SIGPIPE, SIG_DFL);
		if (daemon_fork(&d, true, ready[1]))
			_exit(99);
		kill(getppid(), SIGKILL);
		gone.fd = d.parent_fd;
		poll(&gone, 1, 5000); /* POLLERR: nobody reads it */
		if (daemon_ready(&d) == -EPIPE)
			report(tell[1]);
		_exit(0);
	}
	close(ready[1]);
	close(tell[1]);
	CHECK(status_of(pid) == -SIGKILL);
	CHECK(!strcmp(all_from(tell[0]), "1 / 1"));
}

static void systemd_is_notified(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char buf[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ssize_t n;
	struct daemon d;

	str_copy(sa.sun_path, sizeof(sa.sun_path), path);
	CHECK(!bind(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	CHECK(!setenv("NOTIFY_SOCKET", path, 1));
	CHECK(!daemon_fork(&d, false, -1) && !daemon_ready(&d));
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	CHECK(n == 7 && !memcmp(buf, "READY=1", 7));
	close(fd);
	unlink(path);

	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	str_fmt(sa.sun_path, sizeof(sa.sun_path), "@vde-test-%ld",
		(long)getpid());
	CHECK(!setenv("NOTIFY_SOCKET", sa.sun_path, 1));
	n = (ssize_t)(offsetof(struct sockaddr_un, sun_path) +
		      strlen(sa.sun_path));
	sa.sun_path[0] = '\0';
	CHECK(!bind(fd, (const struct sockaddr *)&sa, (socklen_t)n));
	CHECK(!daemon_fork(&d, false, -1) && !daemon_ready(&d));
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 7);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static void missing_standard_descriptors_are_filled(void)
{
	pid_t pid = fork();

	if (!pid) {
		struct stat null, st;

		close(0);
		close(2);
		if (std_fds_open() || stat("/dev/null", &null) ||
		    fstat(0, &st) || st.st_rdev != null.st_rdev ||
		    fstat(2, &st) || st.st_rdev != null.st_rdev)
			_exit(1);
		_exit(fcntl(2, F_GETFD) == 0 ? 0 : 2);
	}
	CHECK(status_of(pid) == 0);
}

int main(void)
{
	log_open("test", LOG_ERR);
	CHECK(mkdtemp(dir));
	str_fmt(path, sizeof(path), "%s/pid", dir);
	RUN(a_pidfile_holds_the_pid_and_goes);
	RUN(a_stale_pidfile_is_replaced);
	RUN(nobody_need_have_waited_for_the_dead);
	RUN(the_pidfile_of_a_live_process_is_respected);
	RUN(what_is_no_pidfile_is_never_replaced);
	RUN(a_link_is_not_followed);
	RUN(a_full_disk_leaves_nothing_behind);
	RUN(unusable_paths_are_told);
	RUN(a_relative_pidfile_is_found_again);
	RUN(paths_are_made_absolute);
	RUN(the_parent_ends_with_the_childs_failure);
	RUN(a_child_that_is_killed_is_a_failure);
	RUN(a_started_daemon_is_quiet_and_on_its_own);
	RUN(a_failure_to_detach_is_told_on_stderr);
	RUN(the_foreground_stays_as_it_is);
	RUN(whoever_waits_may_go_without_a_signal);
	RUN(systemd_is_notified);
	RUN(missing_standard_descriptors_are_filled);
	rmdir(dir);
	DONE();
}
