// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"

static char dir[] = "/tmp/vde-test-sock.XXXXXX";
static char path[64];

static int listen_here(mode_t mode)
{
	return unixsock_listen(path, mode, UNIXSOCK_KEEP_GROUP);
}

static struct stat stat_of(const char *p)
{
	struct stat st = { 0 };

	CHECK(!lstat(p, &st));
	return st;
}

static void a_listener_has_its_mode_whatever_the_umask(void)
{
	mode_t old = umask(077);
	int fd = listen_here(0660), client;

	umask(old);
	CHECK(fd >= 0);
	CHECK(S_ISSOCK(stat_of(path).st_mode));
	CHECK((stat_of(path).st_mode & 07777) == 0660);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	client = unixsock_connect(path);
	CHECK(client >= 0);
	CHECK(!(fcntl(client, F_GETFL) & O_NONBLOCK));
	CHECK(fcntl(client, F_GETFD) & FD_CLOEXEC);
	close(client);
	close(fd);
	unlink(path);
	fd = listen_here(0600);
	CHECK((stat_of(path).st_mode & 07777) == 0600);
	close(fd);
	unlink(path);
}

static void the_group_is_set_or_nothing_is_left(void)
{
	int fd = unixsock_listen(path, 0660, getegid());

	CHECK(fd >= 0 && stat_of(path).st_gid == getegid());
	close(fd);
	unlink(path);
	if (geteuid() == 0)
		return; /* root may give it to any group */
	fd = unixsock_listen(path, 0660, 54321);
	CHECK(fd == -EPERM && access(path, F_OK));
}

static void a_socket_left_behind_is_taken_over(void)
{
	int fd = listen_here(0600), client;

	close(fd);
	CHECK(unixsock_connect(path) == -ECONNREFUSED);
	fd = listen_here(0600);
	CHECK(fd >= 0);
	client = unixsock_connect(path);
	CHECK(client >= 0);
	close(client);
	close(fd);
	unlink(path);
}

static void a_socket_in_use_is_left_alone(void)
{
	int fd = listen_here(0600), client;
	ino_t ino = stat_of(path).st_ino;

	CHECK(listen_here(0600) == -EADDRINUSE);
	CHECK(stat_of(path).st_ino == ino);
	client = unixsock_connect(path);
	CHECK(client >= 0);
	close(client);
	close(fd);
	unlink(path);
}

/* A full backlog answers EAGAIN: that is no proof of death. */
static void a_busy_listener_is_in_use_too(void)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c[3];

	CHECK(!unixsock_addr(&sa, path));
	CHECK(!bind(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	CHECK(!listen(fd, 0));
	for (int i = 0; i < 3; i++) {
		c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(c[i], (const struct sockaddr *)&sa, sizeof(sa)))
			CHECK(errno == EAGAIN);
	}
	CHECK(listen_here(0600) == -EADDRINUSE);
	for (int i = 0; i < 3; i++)
		close(c[i]);
	close(fd);
	unlink(path);
}

static void a_datagram_socket_is_in_use_too(void)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK(!unixsock_addr(&sa, path));
	CHECK(!bind(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	CHECK(listen_here(0600) == -EADDRINUSE);
	close(fd);
	unlink(path);
}

static void other_files_are_never_replaced(void)
{
	char target[80];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0 && write(fd, "precious", 8) == 8);
	close(fd);
	CHECK(listen_here(0600) == -EEXIST);
	CHECK(stat_of(path).st_size == 8);
	unlink(path);

	CHECK(!mkdir(path, 0700));
	CHECK(listen_here(0600) == -EEXIST);
	rmdir(path);

	/* Not even behind a link, to something or to nothing. */
	str_fmt(target, sizeof(target), "%s.target", path);
	CHECK(!symlink(target, path));
	CHECK(listen_here(0600) == -EEXIST);
	CHECK(access(target, F_OK));
	unlink(path);
}

static void paths_must_fit_with_their_nul(void)
{
	char longest[110];
	struct sockaddr_un sa;

	memset(longest, 'p', sizeof(longest));
	longest[108] = '\0';
	CHECK(unixsock_addr(&sa, longest) == -ENAMETOOLONG);
	CHECK(unixsock_listen(longest, 0600, UNIXSOCK_KEEP_GROUP) ==
	      -ENAMETOOLONG);
	CHECK(unixsock_connect(longest) == -ENAMETOOLONG);
	longest[107] = '\0';
	CHECK(unixsock_addr(&sa, longest) == 0);
	CHECK(strlen(sa.sun_path) == 107);
	CHECK(unixsock_addr(&sa, "") == -ENOENT);
}

static void the_longest_path_works(void)
{
	char longest[108];
	size_t n = strlen(dir);
	int fd, client;

	memset(longest, 'p', sizeof(longest));
	memcpy(longest, dir, n);
	longest[n] = '/';
	longest[107] = '\0';
	fd = unixsock_listen(longest, 0600, UNIXSOCK_KEEP_GROUP);
	CHECK(fd >= 0);
	client = unixsock_connect(longest);
	CHECK(client >= 0);
	close(client);
	close(fd);
	unlink(longest);
}

static void errors_are_told(void)
{
	CHECK(unixsock_connect(path) == -ENOENT);
	CHECK(unixsock_listen("/nowhere/at/all", 0600, UNIXSOCK_KEEP_GROUP) ==
	      -ENOENT);
}

static void connecting_takes_no_longer_than_told(void)
{
	struct timespec start, end;
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c[8], rc = 0, n = 0;
	int64_t ms;

	CHECK(!unixsock_addr(&sa, path));
	CHECK(!bind(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	CHECK(!listen(fd, 0));
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (n < 8 && (rc = unixsock_connect_within(path, 50)) >= 0)
		c[n++] = rc;
	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (end.tv_sec - start.tv_sec) * 1000 +
	     (end.tv_nsec - start.tv_nsec) / 1000000;
	CHECK(rc == -ETIMEDOUT && n >= 1 && ms >= 49 && ms < 5000);
	while (n)
		close(c[--n]);
	close(fd);
	unlink(path);
}

static void the_peer_is_known(void)
{
	int sv[2];
	pid_t pid = 0;
	uid_t uid = 1;
	gid_t gid = 1;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK(unixsock_peer(sv[0], &pid, &uid, &gid) == 0);
	CHECK(pid == getpid() && uid == geteuid() && gid == getegid());
	close(sv[0]);
	close(sv[1]);
	CHECK(unixsock_peer(sv[0], &pid, &uid, &gid) == -EBADF);
}

static void groups_have_names_and_numbers(void)
{
	gid_t gid = 4711;

	CHECK(unixsock_group("root", &gid) && gid == 0);
	CHECK(unixsock_group("54321", &gid) && gid == 54321);
	CHECK(!unixsock_group("no such group", &gid));
	CHECK(!unixsock_group("", &gid));
	CHECK(!unixsock_group("-1", &gid));
	CHECK(!unixsock_group("4294967295", &gid)); /* "keep" */
	CHECK(gid == 54321);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	str_fmt(path, sizeof(path), "%s/sock", dir);
	RUN(a_listener_has_its_mode_whatever_the_umask);
	RUN(the_group_is_set_or_nothing_is_left);
	RUN(a_socket_left_behind_is_taken_over);
	RUN(a_socket_in_use_is_left_alone);
	RUN(a_busy_listener_is_in_use_too);
	RUN(a_datagram_socket_is_in_use_too);
	RUN(other_files_are_never_replaced);
	RUN(paths_must_fit_with_their_nul);
	RUN(the_longest_path_works);
	RUN(errors_are_told);
	RUN(connecting_takes_no_longer_than_told);
	RUN(the_peer_is_known);
	RUN(groups_have_names_and_numbers);
	rmdir(dir);
	DONE();
}
