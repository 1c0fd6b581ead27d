// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Group and mode of a socket's file in a directory of somebody who puts other
 * things in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit/test.h"
#include "lib/sockfile.h"

static char tmp[] = "/tmp/vde-sockfile.XXXXXX";

static const char *in_tmp(const char *name)
{
	static char path[2][sizeof(((struct sockaddr_un *)0)->sun_path)];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", tmp, name);
	return path[turn];
}

static void make_socket(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(sa.sun_path, path, strlen(path) + 1);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	close(fd);
	CHECK(chmod(path, 0600) == 0);
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	CHECK(fd >= 0);
	close(fd);
	CHECK(chmod(path, 0600) == 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode & 07777;
}

static void a_socket_gets_its_mode_whatever_the_umask(void)
{
	const char *path = in_tmp("sock");
	mode_t mask = umask(077);

	make_socket(path);
	CHECK(sockfile_set(path, SOCKFILE_KEEP_GROUP, 0775) == 0);
	CHECK(mode_of(path) == 0775);
	CHECK(sockfile_set(path, SOCKFILE_KEEP_GROUP, 0700) == 0);
	CHECK(mode_of(path) == 0700);
	umask(mask);
	unlink(path);
}

static void a_socket_gets_its_group(void)
{
	const char *path = in_tmp("sock");
	struct stat st;
	gid_t gid = geteuid() ? getegid() : 12345;

	make_socket(path);
	CHECK(sockfile_set(path, gid, 0770) == 0);
	CHECK(stat(path, &st) == 0 && st.st_gid == gid);
	CHECK(mode_of(path) == 0770);
	unlink(path);
}

static void no_link_is_followed(void)
{
	const char *link = in_tmp("link"), *path = in_tmp("target");

	make_socket(path);
	CHECK(symlink(path, link) == 0);
	CHECK(sockfile_set(link, SOCKFILE_KEEP_GROUP, 0777) == -EPERM);
	CHECK(mode_of(path) == 0600);
	unlink(link);
	unlink(path);
}

static void a_socket_with_a_second_name_is_left_alone(void)
{
	const char *path = in_tmp("target"), *second = in_tmp("link");

	make_socket(path);
	CHECK(link(path, second) == 0);
	CHECK(sockfile_set(second, SOCKFILE_KEEP_GROUP, 0777) == -EPERM);
	CHECK(mode_of(path) == 0600);
	unlink(second);
	unlink(path);
}

static void a_file_is_left_alone(void)
{
	const char *path = in_tmp("file");

	make_file(path);
	CHECK(sockfile_set(path, SOCKFILE_KEEP_GROUP, 0777) == -EPERM);
	CHECK(mode_of(path) == 0600);
	unlink(path);
	CHECK(sockfile_set(path, SOCKFILE_KEEP_GROUP, 0777) == -ENOENT);
}

static void a_socket_of_somebody_else_is_left_alone(void)
{
	const char *path = in_tmp("sock");

	if (geteuid())
		return; /* needs root */
	make_socket(path);
	CHECK(lchown(path, 65534, (gid_t)-1) == 0);
	CHECK(sockfile_set(path, SOCKFILE_KEEP_GROUP, 0777) == -EPERM);
	CHECK(mode_of(path) == 0600);
	unlink(path);
}

int main(void)
{
	if (!mkdtemp(tmp))
		return 1;
	RUN(a_socket_gets_its_mode_whatever_the_umask);
	RUN(a_socket_gets_its_group);
	RUN(no_link_is_followed);
	RUN(a_socket_with_a_second_name_is_left_alone);
	RUN(a_file_is_left_alone);
	RUN(a_socket_of_somebody_else_is_left_alone);
	rmdir(tmp);
	DONE();
}
