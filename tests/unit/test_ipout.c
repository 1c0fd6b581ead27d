// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/ipout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"

static char dir[] = "/tmp/vde-ipout.XXXXXX";
static char text[4096];
static struct ipout out;

static const char *in_dir(const char *name)
{
	static char path[2][200];
	static int i;

	i = !i;
	str_fmt(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static const char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* "Nov 20 07:35:45 WORDS". */
static bool is_line(const char *line, const char *words)
{
	return strlen(line) == 16 + strlen(words) && line[3] == ' ' &&
	       line[6] == ' ' && line[9] == ':' && line[12] == ':' &&
	       line[15] == ' ' && !strcmp(line + 16, words);
}

static void nothing_is_nothing(void)
{
	ipout_init(&out);
	CHECK(ipout_line(&out, "x") == 0 && out.lost == 0);
	CHECK(ipout_reopen(&out) == 0);
	ipout_off(&out);
}

static void a_file_is_appended_to(void)
{
	const char *path = in_dir("log");
	struct stat st;

	CHECK(ipout_file(&out, path) == 0 && out.kind == IPOUT_FILE);
	CHECK(ipout_line(&out, "one") == 0);
	CHECK(is_line(slurp(path), "one\n"));
	CHECK(!stat(path, &st) && (st.st_mode & 07777) == 0600);
	ipout_off(&out);
	CHECK(ipout_file(&out, path) == 0);
	CHECK(ipout_line(&out, "two") == 0);
	CHECK(is_line(slurp(path) + 20, "two\n"));
}

static void what_cannot_be_opened_changes_nothing(void)
{
	const char *path = in_dir("log");

	CHECK(ipout_file(&out, in_dir("no/such")) == -ENOENT);
	CHECK(ipout_file(&out, dir) == -EISDIR);
	CHECK(out.kind == IPOUT_FILE && !strcmp(out.path, path));
	CHECK(ipout_line(&out, "three") == 0);
}

static void reopening_makes_a_new_file(void)
{
	const char *path = in_dir("log");

	CHECK(!rename(path, in_dir("log.1")));
	CHECK(ipout_reopen(&out) == 0 && ipout_line(&out, "four") == 0);
	CHECK(is_line(slurp(in_dir("log")), "four\n"));
	unlink(in_dir("log"));
	unlink(in_dir("log.1"));
}

static void a_relative_name_is_of_the_directory_of_then(void)
{
	CHECK(!chdir(dir) && !ipout_file(&out, "relative") && !chdir("/"));
	CHECK(!strcmp(out.path, in_dir("relative")));
	CHECK(ipout_reopen(&out) == 0);
	ipout_off(&out);
	CHECK(!unlink(in_dir("relative")));
}

static void a_fifo_never_makes_wait(void)
{
	const char *path = in_dir("fifo");
	int fd, n = 0;

	CHECK(!mkfifo(path, 0600));
	CHECK(ipout_file(&out, path) == -ENXIO);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	CHECK(ipout_file(&out, path) == 0);
	while (ipout_line(&out, "full at last") == 0 && n < 1000000)
		n++;
	CHECK(n > 10 && n < 1000000 && out.lost == 1);
	close(fd);
	ipout_off(&out);
	unlink(path);
}

static int listen_at(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	str_copy(sa.sun_path, sizeof(sa.sun_path), path);
	CHECK(!bind(fd, (struct sockaddr *)&sa, sizeof(sa)));
	return fd;
}

static const char *hear(int fd)
{
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void after_half_a_line_begins_a_new_one(void)
{
	const char *path = in_dir("log");
	const uint64_t lost = out.lost;
	struct rlimit old, ten;

	CHECK(ipout_file(&out, path) == 0);
	CHECK(!getrlimit(RLIMIT_FSIZE, &old));
	ten = (struct rlimit){ 10, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	CHECK(!setrlimit(RLIMIT_FSIZE, &ten));
	CHECK(ipout_line(&out, "half") == -ENOSPC);
	CHECK(ipout_line(&out, "none") == -EFBIG);
	CHECK(!setrlimit(RLIMIT_FSIZE, &old));
	CHECK(ipout_line(&out, "whole") == 0 && ipout_line(&out, "next") == 0);
	slurp(path);
	CHECK(text[10] == '\n' && !strncmp(text + 11 + 16, "whole\n", 6));
	CHECK(is_line(text + 11 + 16 + 6, "next\n"));
	CHECK(out.lost == lost + 2);
	ipout_off(&out);
	unlink(path);
}

static void syslog_gets_datagrams_and_never_makes_wait(void)
{
	const char *path = in_dir("dev-log");
	char head[64];
	int fd = listen_at(path), n = 0;

	out.lost = 0;
	CHECK(ipout_syslog(&out, path) == 0);
	CHECK(ipout_line(&out, "hello") == 0);
	str_fmt(head, sizeof(head), "iplog[%ld]: hello", (long)getpid());
	CHECK(!strncmp(hear(fd), "<30>", 4) && is_line(text + 4, head));
	while (ipout_line(&out, "nobody reads this") == 0 && n < 1000000)
		n++;
	CHECK(n < 1000000 && out.lost == 1);
	close(fd);
	CHECK(ipout_line(&out, "lost") < 0 && out.lost == 2);
	unlink(path);
	CHECK(ipout_line(&out, "lost") < 0);
	fd = listen_at(path); /* it was started anew */
	CHECK(ipout_line(&out, "again") == 0);
	CHECK(strstr(hear(fd), ": again") != NULL);
	close(fd);
	unlink(path);
	ipout_off(&out);
}

static void syslog_may_come_later(void)
{
	const char *path = in_dir("later");
	int fd;

	CHECK(ipout_syslog(&out, path) == 0);
	CHECK(ipout_line(&out, "lost") == -ENOENT);
	fd = listen_at(path);
	CHECK(ipout_line(&out, "found") == 0);
	CHECK(strstr(hear(fd), ": found") != NULL);
	close(fd);
	unlink(path);
	ipout_off(&out);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(nothing_is_nothing);
	RUN(a_file_is_appended_to);
	RUN(what_cannot_be_opened_changes_nothing);
	RUN(reopening_makes_a_new_file);
	RUN(a_relative_name_is_of_the_directory_of_then);
	RUN(a_fifo_never_makes_wait);
	RUN(after_half_a_line_begins_a_new_one);
	RUN(syslog_gets_datagrams_and_never_makes_wait);
	RUN(syslog_may_come_later);
	CHECK(!rmdir(dir));
	DONE();
}
